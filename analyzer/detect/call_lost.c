/* SPDX-License-Identifier: MIT */
/*
 * call_lost: a host that spoke falls silent altogether while others send to it, and packets of others still come by
 * from its side; or its phone registers anew from the start. Finding page 4, section 5.
 */
#include "analyzer/detect/call_lost.h"

#include <stdlib.h>

#include "analyzer/detect/gates.h"
#include "analyzer/detect/say.h"
#include "analyzer/network/sip_path.h"
#include "captures/base/memory.h"

enum {
	BEFORE_LEAST = 100,          /* packets of each direction: 2 s of voice */
	LOOK_MAX = 64                /* phones behind one address that registered anew */
};

#define AT_ONCE_NS (2 * SECOND_NS)
#define T2_NS (4 * SECOND_NS)
#define SENT_ON_NS (10 * SECOND_NS)
#define SILENT_NS (30 * SECOND_NS)
#define BOOT_NS (60 * SECOND_NS)

struct loss {
	const char *reason;
	enum side side;              /* who is gone */
	const struct stream *own, *other;    /* last streams of both */
	const struct registration *rebooted;
	int64_t since_ns;
};

/* The stream of that side that was heard last; NULL: too little was ever heard. */
static const struct stream *last_of(const struct mslot *slot, enum side side)
{
	const struct direction *d = &slot->direction[side];
	const struct stream *last = NULL;
	uint64_t audio = 0;

	for (unsigned i = 0; i < d->stream_count && !d->ambiguous; i++) {
		audio += d->streams[i]->audio;
		if (d->streams[i]->bound_by <= 9 && (!last || d->streams[i]->last_ns > last->last_ns))
			last = d->streams[i];
	}
	return audio >= BEFORE_LEAST ? last : NULL;
}

static const struct mslot *audio_slot(const struct leg *leg)
{
	const struct mslot *found = NULL;

	for (unsigned i = 0; leg->confirmed && i < leg->confirmed->mslot_count; i++) {
		const struct mslot *slot = &leg->confirmed->mslots[i];

		if (slot->kind != SDP_AUDIO)
			continue;
		if (found)
			return NULL;
		found = slot;
	}
	return found;
}

static bool was_due(const struct mslot *slot, int64_t at_ns)
{
	for (unsigned side = 0; side < 2; side++) {
		const struct window *w = direction_window_at(&slot->direction[side], at_ns);

		if (!w || w->state != EXPECT_DUE)
			return false;
	}
	return true;
}

/* When anything came of its phone for the last time; NS_NONE: it was never seen to send. */
static int64_t last_sign_ns(const struct facts *facts, const struct leg *leg, const struct loss *l)
{
	const struct host *media = network_host_find(facts->network, &l->own->src.addr);
	const struct host *sip = network_host_find(facts->network, &leg->party[l->side].signalling.addr);
	int64_t last_ns = l->own->last_ns;   /* media counts for its host one packet in some */

	if (!media || !sip)
		return NS_NONE;
	last_ns = media->last_out_ns > last_ns ? media->last_out_ns : last_ns;
	return sip->last_out_ns > last_ns ? sip->last_out_ns : last_ns;
}

/* Others go on sending to it, and what others send still comes by in the direction from it. */
static bool is_missed(const struct facts *facts, const struct leg *leg, const struct loss *l)
{
	const struct host *media = network_host_find(facts->network, &l->own->src.addr);
	const struct host *other = network_host_find(facts->network, &leg->party[side_other(l->side)].signalling.addr);
	const struct pair *witness;
	int64_t later_ns = ns_add(l->since_ns, SENT_ON_NS);

	return media && other && media->last_in_ns >= later_ns && other->last_out_ns >= later_ns &&
	       network_other_inbound(facts->network, &other->addr, &media->addr, later_ns, facts->capture->last_ns,
				     &witness) && !address_equal(&witness->src, &leg->party[l->side].signalling.addr);
}

/* It was asked, once, and nobody asked again (RFC 3261 17.1.2.2): it answered, and the capture has missed that. */
static bool answers_unseen(const struct facts *facts, const struct leg *leg, const struct loss *l)
{
	const struct endpoint *own = &leg->party[l->side].signalling,
		*other = &leg->party[side_other(l->side)].signalling;
	const struct sip_path *path = NULL;
	unsigned requests = 0, copies = 0;
	int64_t last_ns = 0;

	while ((path = sip_paths_between(facts->paths, &other->addr, &own->addr, path))) {
		if (path->unheard->requests == 0)
			continue;
		requests += path->unheard->requests;
		copies += path->transport == TRANSPORT_UDP ? path->unheard->copies : 0;
		last_ns = path->unheard->last_ns;
	}
	return requests == 1 && copies == 1 && last_ns > l->since_ns && facts->capture->last_ns - last_ns > T2_NS;
}

static bool is_gone(const struct facts *facts, const struct leg *leg, const struct mslot *slot, struct loss *l)
{
	l->own = last_of(slot, l->side);
	l->other = last_of(slot, side_other(l->side));
	if (!l->own || !l->other)
		return false;
	l->since_ns = last_sign_ns(facts, leg, l);
	if (l->since_ns == NS_NONE || l->since_ns - l->own->last_ns > AT_ONCE_NS ||
	    facts->capture->last_ns - l->since_ns < SILENT_NS || !was_due(slot, l->own->last_ns) ||
	    l->other->last_ns < ns_add(l->own->last_ns, -AT_ONCE_NS) || !is_missed(facts, leg, l) ||
	    gates_may_hide(facts->gates, l->since_ns, facts->capture->last_ns) || answers_unseen(facts, leg, l))
		return false;
	if (l->other->last_ns <= ns_add(l->own->last_ns, AT_ONCE_NS)) {
		l->reason = "path-lost";
		return true;
	}
	/* of one alone: who suppresses silence may just listen, and to who holds nobody speaks */
	l->reason = "peer-vanished";
	return !l->own->ends_in_comfort && !l->own->dtx_seen &&
		!hearing_listener_held(facts, &slot->direction[l->side], l->own->last_ns, facts->capture->last_ns);
}

/* ---- phones that registered anew ---- */

static int reboot_compare(const void *a, const void *b)
{
	const struct registration *x = *(const struct registration *const *)a,
		*y = *(const struct registration *const *)b;
	int c = address_compare(&x->source.addr, &y->source.addr);

	if (c == 0)
		c = (x->rebooted_at.at_ns > y->rebooted_at.at_ns) - (x->rebooted_at.at_ns < y->rebooted_at.at_ns);
	return c ? c : (x->n > y->n) - (x->n < y->n);
}

void reboots_init(struct reboots *all, const struct facts *facts)
{
	const struct list *registrations = calls_registrations(facts->calls);

	*all = (struct reboots){ .list = memory_resize(NULL, registrations->count + 1, sizeof *all->list) };
	LIST_EACH(it, registrations) {
		const struct registration *r = LIST_ENTRY(it, struct registration, in_order);

		if (r->rebooted_at.frame)
			all->list[all->count++] = r;
	}
	if (all->count)
		qsort(all->list, all->count, sizeof *all->list, reboot_compare);
}

void reboots_fini(struct reboots *all)
{
	free(all->list);
}

/* The first at that address from that time on; count: none. */
static unsigned reboots_from(const struct reboots *all, const struct address *at, int64_t from_ns)
{
	unsigned low = 0, high = all->count;

	while (low < high) {
		unsigned middle = low + (high - low) / 2;
		const struct registration *r = all->list[middle];
		int c = address_compare(&r->source.addr, at);

		if (c < 0 || (c == 0 && r->rebooted_at.at_ns < from_ns))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Behind one address there may be several phones. */
static bool is_party(const struct registration *r, const struct party *p)
{
	return endpoint_equal(&r->source, &p->signalling) || (r->user.n && span_equal(r->user, p->user));
}

/* The phone registers anew, counting from the start, soon after its audio ended. */
static bool is_rebooted(const struct reboots *reboots, const struct leg *leg, const struct mslot *slot, struct loss *l)
{
	const struct party *party = &leg->party[l->side];
	unsigned first;

	l->own = last_of(slot, l->side);
	l->other = last_of(slot, side_other(l->side));
	if (!l->own || !l->other || !was_due(slot, l->own->last_ns))
		return false;
	first = reboots_from(reboots, &party->signalling.addr, ns_add(l->own->last_ns, AT_ONCE_NS));
	for (unsigned i = first; i < reboots->count && i - first < LOOK_MAX; i++) {
		const struct registration *r = reboots->list[i];

		if (!address_equal(&r->source.addr, &party->signalling.addr) ||
		    r->rebooted_at.at_ns > ns_add(l->own->last_ns, BOOT_NS))
			break;
		if (!is_party(r, party))
			continue;
		l->rebooted = r;
		l->reason = "peer-restarted";
		l->since_ns = l->own->last_ns;
		return true;
	}
	return false;
}

/* ---- what is said ---- */

static void tell_cause(struct finding *f, const struct facts *facts, const struct leg *leg, const struct loss *l)
{
	char who[SAY_TEXT], other[SAY_TEXT];
	double talk_s = (double)ns_minus(l->since_ns, leg->answer_ns) / 1e9;

	say_party_full(facts, leg, l->side, who);
	say_party(facts, leg, side_other(l->side), other);
	if (l->rebooted) {
		finding_cause(f, "%s stopped in mid-call %.1f s after the answer without a BYE, and registered anew %.1f s later, as after a start.",
			      who, talk_s, (double)ns_minus(l->rebooted->rebooted_at.at_ns, l->since_ns) / 1e9);
		finding_fix(f, "Look for power, cable, PoE budget or firmware of %s: it seems to have restarted at that time.", who);
		return;
	}
	finding_cause(f, "%s spoke for %.1f s and then sent nothing more of any kind, no BYE either; others went on sending to it%s.",
		      who, talk_s, l->reason[0] == 'p' && l->reason[1] == 'e' ? "" : ", and the audio of the call ended both ways at once");
	finding_fix(f, "Look at power, cable, Wi-Fi or VPN of %s and at the line to it at that time. A session timer, or an RTP timeout, lets %s hang up by itself.",
		    who, other);
	finding_cannot_see(f, "whether %s failed or the line to it", who);
}

static void tell(struct detection *d, const struct leg *leg, const struct loss *l)
{
	const struct facts *facts = detection_facts(d);
	struct finding *f = detection_raise_keyed(d, leg->n, l->reason, l->rebooted ? SEVERITY_WARNING : SEVERITY_ERROR,
		CONFIDENCE_LIKELY);
	char who[SAY_TEXT];

	finding_leg(f, leg);
	finding_part(f, PART_VICTIM, &leg->party[side_other(l->side)].signalling);
	finding_part(f, PART_CULPRIT, &leg->party[l->side].signalling);
	finding_times(f, l->since_ns, l->rebooted ? l->rebooted->rebooted_at.at_ns : facts->capture->last_ns);
	f->since_ns = l->since_ns;
	f->count = 1;
	say_party(facts, leg, l->side, who);
	finding_title(f, "%s %s in mid-call", who, l->rebooted ? "restarts" : "is gone");
	tell_cause(f, facts, leg, l);
	if (leg->answer_at.frame)
		finding_evidence(f, leg->answer_at, "the answer");
	finding_evidence(f, stream_frame(l->own, l->own->last_frame, l->own->last_ns), "its last audio");
	if (l->rebooted)
		finding_evidence(f, l->rebooted->rebooted_at, "REGISTER with another Call-ID, counting from the start");
	else
		finding_evidence(f, stream_frame(l->other, l->other->last_frame, l->other->last_ns),
				 "last audio to it, %.1f s later",
				 (double)ns_minus(l->other->last_ns, l->own->last_ns) / 1e9);
}

bool call_lost(struct detection *d, const struct leg *leg, const struct reboots *reboots)
{
	const struct facts *facts = detection_facts(d);
	const struct mslot *slot = leg->answered && !leg->bye_seen && !leg->transferred && leg->answer_ns != NS_NONE
		? audio_slot(leg) : NULL;

	for (unsigned side = 0; slot && side < 2; side++) {
		struct loss l = { .side = side };

		if (is_gone(facts, leg, slot, &l) || is_rebooted(reboots, leg, slot, &l)) {
			tell(d, leg, &l);
			return true;
		}
	}
	return false;
}
