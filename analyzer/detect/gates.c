/* SPDX-License-Identifier: MIT */
/* gates: reckoned over the whole capture as far as it is known. */
#include "analyzer/detect/gates.h"

#include <stdio.h>
#include <stdlib.h>

#include "analyzer/detect/dtls_ways.h"
#include "analyzer/detect/gate_losses.h"
#include "analyzer/detect/gate_ports.h"
#include "analyzer/detect/gate_ways.h"
#include "analyzer/detect/hearing.h"
#include "analyzer/detect/ice_checks.h"
#include "analyzer/detect/lookup.h"
#include "analyzer/detect/rtcp_idle.h"
#include "analyzer/detect/short_losses.h"
#include "analyzer/detect/standstill.h"
#include "analyzer/detect/survey.h"
#include "captures/base/memory.h"
#include "captures/base/sort.h"

enum {
	ONE_SIDED_PACKETS = 20,      /* G1: so many one way and none back */
	NO_MEDIA_CALLS = 3,          /* G2 for one media address */
	ASKED_MAX = 4                /* hops of one request */
};

#define ONE_SIDED_NS (10 * SECOND_NS)
#define WITNESS_NS (60 * SECOND_NS)
#define NO_MEDIA_DUE_NS (5 * SECOND_NS)
#define EARLY_NS (10 * MILLISECOND_NS)                /* G10, as for time stamps that go back */

struct place {                       /* an address of media */
	struct hash_link link;
	struct address addr;
	bool rtp;                    /* RTP comes from it or goes to it */
	bool told_loopback;          /* SDP told it to send to itself: that it is silent is no tap's doing */
	bool speaks;                 /* it signalled in a call that was answered: so it sent, and was sent to */
	unsigned calls;              /* whose audio was due there */
};

struct channelled {                  /* an address in whose TURN channels audio of unknown peers passes */
	struct hash_link link;
	struct address addr;
	int64_t first_ns, last_ns;
};

struct unseeing {                    /* a party that reports on a stream nobody has seen */
	struct hash_link link;
	const struct rtcp_party *party;
};

struct gates {
	struct arena *arena;
	struct hash places;          /* struct place */
	struct hash channels;        /* struct channelled */
	struct gate_ways ways;
	struct hash unseeing;
	struct place **silent;       /* media addresses of >= 3 calls that never appear */
	unsigned silent_count;
	unsigned due_calls, calls_with_media;
	bool no_media;
	const char *no_media_reason;
	char no_media_why[64];
	struct port_limit limit;
	bool drops;
	struct moments lost;         /* by the capture */
	struct short_losses short_lost;      /* of those what is too short for a gap */
	struct moments still;        /* no frame of any kind, by the capture or its link */
	struct moments *file_still;  /* the same of each file, where they are several */
	unsigned file_count;
	int64_t copies_apart_ns;     /* 0: the capture was not merged of two with different clocks */
	bool clock_unreliable;
	bool link_member;
};

/* ---- where RTP was seen ---- */

static struct place *place_find(const struct gates *g, const struct address *a)
{
	uint32_t hash = address_hash(a);

	for (struct hash_link *it = hash_first(&g->places, hash); it; it = it->next) {
		struct place *p = HASH_ENTRY(it, struct place, link);

		if (it->hash == hash && address_equal(&p->addr, a))
			return p;
	}
	return NULL;
}

static bool any_stream_of(const struct gates *g, const struct address *a)
{
	const struct place *p = place_find(g, a);

	return p && p->rtp;
}

static struct place *place_add(struct gates *g, const struct address *a)
{
	struct place *p = place_find(g, a);

	if (p)
		return p;
	p = arena_zalloc(g->arena, sizeof *p);
	p->addr = *a;
	hash_add(&g->places, &p->link, address_hash(a));
	return p;
}

static struct channelled *channelled_find(const struct gates *g, const struct address *a)
{
	uint32_t hash = address_hash(a);

	for (struct hash_link *it = hash_first(&g->channels, hash); it; it = it->next) {
		if (it->hash == hash && address_equal(&HASH_ENTRY(it, struct channelled, link)->addr, a))
			return HASH_ENTRY(it, struct channelled, link);
	}
	return NULL;
}

static void note_channel(struct gates *g, const struct address *a, const struct stream *s)
{
	struct channelled *c = channelled_find(g, a);

	if (!c) {
		c = arena_zalloc(g->arena, sizeof *c);
		*c = (struct channelled){ .addr = *a, .first_ns = s->first_ns, .last_ns = s->last_ns };
		hash_add(&g->channels, &c->link, address_hash(a));
	}
	c->first_ns = s->first_ns < c->first_ns ? s->first_ns : c->first_ns;
	c->last_ns = s->last_ns > c->last_ns ? s->last_ns : c->last_ns;
}

/* The client is whose port is not the server's (RFC 8656 4: 3478); where neither port tells it may be either. */
static void note_channels(struct gates *g, const struct stream *s)
{
	enum { TURN_PORT = 3478 };

	if (!s->channelled || s->direction)
		return;
	if (s->src.port != TURN_PORT)
		note_channel(g, &s->src.addr, s);
	if (s->dst.port != TURN_PORT)
		note_channel(g, &s->dst.addr, s);
}

bool gates_channelled(const struct gates *g, const struct address *a, int64_t from_ns, int64_t to_ns)
{
	const struct channelled *c = g->channels.count ? channelled_find(g, a) : NULL;

	return c && c->first_ns <= to_ns && c->last_ns >= from_ns;
}

/*
 * What a call's audio goes by in its SDP may be the outer face of who sends and gets it here: an external address, a NAT.
 * Its media is in the capture all the same.
 */
static void note_named(struct gates *g, const struct stream *s, int64_t end_ns)
{
	const struct direction *d = s->direction;

	for (unsigned i = 0; d && s->bound_by <= 9 && i < d->window_count; i++) {
		const struct window *w = &d->windows[i];
		int64_t until_ns = window_end(w, end_ns), from_ns = w->on_ns > s->first_ns ? w->on_ns : s->first_ns;

		if (ns_minus(until_ns < s->last_ns ? until_ns : s->last_ns, from_ns) < NO_MEDIA_DUE_NS)
			continue;
		for (unsigned k = 0; k < w->target_count; k++)
			place_add(g, &w->targets[k].at.addr)->rtp = true;
		for (unsigned k = 0; k < w->source_count; k++)
			place_add(g, &w->sources[k].at.addr)->rtp = true;
	}
}

static void reckon_places(struct gates *g, const struct facts *f)
{
	LIST_EACH(it, streams_in_order(f->streams)) {
		const struct stream *s = LIST_ENTRY(it, struct stream, in_order);

		place_add(g, &s->src.addr)->rtp = true;
		place_add(g, &s->dst.addr)->rtp = true;
		note_named(g, s, f->capture->last_ns);
		note_channels(g, s);
	}
}

/* ---- G2, no media at all ---- */

static int64_t due_time(const struct direction *d, int64_t end_ns)
{
	int64_t sum = 0;

	for (unsigned i = 0; i < d->window_count; i++) {
		if (d->windows[i].state == EXPECT_DUE && window_end(&d->windows[i], end_ns) > d->windows[i].on_ns)
			sum += window_end(&d->windows[i], end_ns) - d->windows[i].on_ns;
	}
	return sum;
}

static bool targets_have_streams(const struct gates *g, const struct direction *d)
{
	for (unsigned i = 0; i < d->window_count; i++) {
		const struct window *w = &d->windows[i];

		for (unsigned k = 0; k < w->target_count; k++) {
			if (any_stream_of(g, &w->targets[k].at.addr))
				return true;
		}
		for (unsigned k = 0; k < w->source_count; k++) {
			if (any_stream_of(g, &w->sources[k].at.addr))
				return true;
		}
	}
	return false;
}

/* Audio in a TURN channel that may be of this call: only its client's address is known. */
static bool parties_have_channels(const struct gates *g, const struct mslot *slot)
{
	for (unsigned side = 0; side < 2; side++) {
		const struct leg *leg = slot->dialog->leg;

		if (gates_channelled(g, &leg->party[side].signalling.addr, leg->first_ns,
			leg->end_ns == NS_NONE ? INT64_MAX : leg->end_ns))
			return true;
	}
	return false;
}

static void count_slot(struct gates *g, const struct facts *f, const struct mslot *slot)
{
	int64_t end_ns = f->capture->last_ns;
	bool due = due_time(&slot->direction[0], end_ns) >= NO_MEDIA_DUE_NS ||
		due_time(&slot->direction[1], end_ns) >= NO_MEDIA_DUE_NS;

	if (slot->kind != SDP_AUDIO || !due)
		return;
	g->due_calls++;
	gate_ways_count(&g->ways, slot);
	if (slot->direction[0].stream_count || slot->direction[1].stream_count ||
	    targets_have_streams(g, &slot->direction[0]) || parties_have_channels(g, slot) ||
	    ice_checks_of(f, slot) || ice_sockets_ask(f, slot) || dtls_way_of(f, slot) ||
	    (!g->unseeing.count && rtcp_idle(f, slot)))
		g->calls_with_media++;
}

/* By what the capture's own filter says, else as nothing is here that one on SIP would have kept out. */
static bool filtered_to_sip(const struct capture_facts *c)
{
	if (c->filtered_media)
		return true;
	return c->udp >= 20 && c->sip * 100 >= c->udp * 99 && c->non_sip_protocols == 0 && c->beyond_sip + c->icmp == 0;
}

/*
 * Do the parties of the calls' media live here at all? When some media address is no SIP speaker, media may bypass this
 * point.
 */
static const char *reason_without_media(const struct facts *f)
{
	if (filtered_to_sip(f->capture))
		return "sip-filter";
	LIST_EACH(it, calls_legs(f->calls)) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_order);

		if (leg->answered && leg->segment_count > 1)
			return "media-bypass";
	}
	return "unknown";
}

static void count_slots(struct gates *g, const struct facts *f, const struct leg *leg)
{
	LIST_EACH(it, &leg->dialogs) {
		const struct dialog *d = LIST_ENTRY(it, struct dialog, in_leg);

		for (unsigned i = 0; i < d->mslot_count; i++)
			count_slot(g, f, &d->mslots[i]);
	}
}

/* All slots are counted. */
static void reckon_no_media(struct gates *g, const struct facts *f)
{
	g->no_media = g->due_calls && (!g->calls_with_media || f->capture->filtered_media);
	g->no_media_reason = g->no_media ? reason_without_media(f) : "unknown";
	snprintf(g->no_media_why, sizeof g->no_media_why, "no call of this capture has media: %u answered", g->due_calls);
}

bool gates_no_media(const struct gates *g, unsigned *ret_calls)
{
	if (ret_calls)
		*ret_calls = g->due_calls;
	return g->no_media;
}

const char *gates_no_media_why(const struct gates *g)
{
	return g->no_media_why;
}

const char *gates_no_media_reason(const struct gates *g)
{
	return g->no_media_reason;
}

static void note_silent(struct gates *g, const struct facts *f, struct place *p)
{
	if (p->rtp || p->calls != NO_MEDIA_CALLS || network_sends(f->network, &p->addr))
		return;
	g->silent = memory_resize(g->silent, g->silent_count + 1u, sizeof *g->silent);
	g->silent[g->silent_count++] = p;
}

static void note_speaker(struct gates *g, const struct address *a)
{
	place_add(g, a)->speaks = true;
}

/* Who answers, and was not asked in this capture: who gets that answer has asked. */
static void note_unseen_askers(struct gates *g, const struct transaction *t)
{
	const struct address *asked[ASKED_MAX];
	unsigned count = 0;

	CHAIN_EACH(it, &t->messages) {
		const struct message *m = LIST_ENTRY(it, struct message, in_transaction);
		unsigned i = 0;

		while (i < count && !address_equal(asked[i], m->request ? &m->dst.addr : &m->src.addr))
			i++;
		if (i < count)
			continue;
		if (!m->request)
			note_speaker(g, &m->dst.addr);
		else if (count < ASKED_MAX)
			asked[count++] = &m->dst.addr;
		else
			return;
	}
}

/*
 * An answer that nobody saw: who sends the ACK has got it, and who was asked and gets the ACK has sent it. A request
 * that nobody saw: who gets the answer has sent it.
 */
static void note_speakers(struct gates *g, const struct leg *leg)
{
	if (!leg->answered || leg_plain(leg))
		return;
	LIST_EACH(it, &leg->transactions) {
		const struct transaction *t = LIST_ENTRY(it, struct transaction, in_leg);

		if (t->final)
			note_unseen_askers(g, t);
		if (!t->ack || t->final)
			continue;
		note_speaker(g, &t->ack->src.addr);
		if (t->request && address_equal(&t->request->dst.addr, &t->ack->dst.addr))
			note_speaker(g, &t->ack->dst.addr);
	}
}

static void note_loopback(struct gates *g, const struct direction *d, const struct window *w)
{
	for (unsigned i = 0; hearing_told_loopback(d, w) && i < w->source_count; i++)
		place_add(g, &w->sources[i].at.addr)->told_loopback = true;
}

/* Counts the leg once at every address at which its audio was due. */
static void count_leg(struct gates *g, const struct facts *f, const struct leg *leg)
{
	const struct dialog *d = leg->confirmed;
	struct place *counted[8];
	unsigned n = 0;

	for (unsigned i = 0; d && i < 2 * d->mslot_count; i++) {
		const struct direction *dir = &d->mslots[i / 2].direction[i % 2];
		const struct window *w = direction_first_due(dir);

		note_loopback(g, dir, w);
		for (unsigned k = 0; w && k < w->target_count && n < 8; k++) {
			struct place *p = place_add(g, &w->targets[k].at.addr);
			bool again = false;

			for (unsigned m = 0; m < n; m++)
				again |= counted[m] == p;
			if (again)
				continue;
			p->calls++;
			counted[n++] = p;
			note_silent(g, f, p);
		}
	}
}

bool gates_silent_media(const struct gates *g, unsigned i, struct address *ret, unsigned *ret_calls)
{
	if (i >= g->silent_count)
		return false;
	*ret = g->silent[i]->addr;
	*ret_calls = g->silent[i]->calls;
	return true;
}

static unsigned calls_of_media(const struct gates *g, const struct address *media)
{
	const struct place *p = place_find(g, media);

	return p ? p->calls : 0;
}

bool gates_no_media_of(const struct gates *g, const struct facts *facts, const struct address *media)
{
	const struct host *h = network_host_find(facts->network, media);

	if (g->no_media)
		return true;
	return (!h || !h->sends_ip) && !any_stream_of(g, media) && calls_of_media(g, media) >= NO_MEDIA_CALLS;
}

/* ---- G1, one side only ---- */

bool gates_half_tapped(const struct gates *g, const struct facts *facts, const struct address *src,
	const struct address *dst)
{
	const struct host *from = network_host_find(facts->network, src),
		*to = network_host_find(facts->network, dst);
	const struct place *sender = place_find(g, src),
		*receiver = place_find(g, dst);

	return (sender && sender->speaks && from && from->packets_out == 0) ||
	       (receiver && receiver->speaks && to && to->packets_in == 0);
}

static bool told_loopback(const struct gates *g, const struct address *src)
{
	const struct place *p = place_find(g, src);

	return p && p->told_loopback;
}

bool gates_one_sided(const struct gates *g, const struct facts *facts, const struct address *src,
	const struct address *dst, const struct pair **ret_pair)
{
	const struct pair *there = network_pair_find(facts->network, dst, src),
		*here = network_pair_find(facts->network, src, dst);
	const struct pair *witness;

	if (!there || (here && here->packets))
		return false;
	*ret_pair = there;
	if (there->packets >= ONE_SIDED_PACKETS && gates_half_tapped(g, facts, src, dst))
		return true;
	if (lookup_unseen_replies(facts->lookup, src, dst) >= 2)
		return true;
	if (network_relay_seen(facts->network, src, dst, there->first_ns, there->last_ns, WITNESS_NS))
		return false;
	if (told_loopback(g, src) || there->packets < ONE_SIDED_PACKETS || there->last_ns - there->first_ns < ONE_SIDED_NS)
		return false;
	/* another host is heard by dst: what src does not say is src's silence, not the tap's */
	return !network_other_inbound(facts->network, dst, src, ns_add(there->first_ns, -WITNESS_NS),
	       ns_add(there->last_ns, WITNESS_NS), &witness);
}

/* ---- G3, reports on streams that never pass ---- */

static uint32_t unseeing_hash(const struct rtcp_party *p)
{
	return (uint32_t)hash_mix(2, (uintptr_t)p);
}

bool gates_reports_unseen(const struct gates *g, const struct rtcp_party *receiver)
{
	uint32_t hash = unseeing_hash(receiver);

	for (struct hash_link *it = hash_first(&g->unseeing, hash); it; it = it->next) {
		if (it->hash == hash && HASH_ENTRY(it, struct unseeing, link)->party == receiver)
			return true;
	}
	return false;
}

static void unseeing_add(struct gates *g, const struct rtcp_party *p)
{
	struct unseeing *x;

	if (gates_reports_unseen(g, p))
		return;
	x = arena_zalloc(g->arena, sizeof *x);
	x->party = p;
	hash_add(&g->unseeing, &x->link, unseeing_hash(p));
}

static int ssrc_compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void reckon_reports(struct gates *g, const struct facts *f)
{
	const struct list *streams = streams_in_order(f->streams);
	uint32_t *seen;
	size_t count = 0;

	if (rtcp_views(f->rtcp)->count == 0)
		return;
	seen = memory_resize(NULL, streams->count + 1, sizeof *seen);
	LIST_EACH(it, streams)
		seen[count++] = LIST_ENTRY(it, struct stream, in_order)->ssrc;
	sort(seen, count, sizeof *seen, ssrc_compare);
	LIST_EACH(it, rtcp_views(f->rtcp)) {
		const struct rtcp_view *v = LIST_ENTRY(it, struct rtcp_view, in_order);

		if (v->report_count < 2 || !v->about_ssrc || v->by->encrypted ||
		    v->reports[v->report_count - 1].ext_seq == v->reports[0].ext_seq)
			continue;
		if (!bsearch(&v->about_ssrc, seen, count, sizeof *seen, ssrc_compare))
			unseeing_add(g, v->by);
	}
	free(seen);
}

/* ---- G3, a member of a bundle ---- */

bool gates_one_way_each(const struct gates *g, const struct address *a, const struct address *b)
{
	return gate_ways_one_each(&g->ways, a, b);
}

/* ---- G3 port-range ---- */

bool gates_port_range(const struct gates *g, uint16_t port)
{
	return g->limit.found && (g->limit.above ? port > g->limit.port : port < g->limit.port);
}

uint16_t gates_port_limit(const struct gates *g, bool *ret_above)
{
	*ret_above = g->limit.above;
	return g->limit.found ? g->limit.port : 0;
}

/* ---- G7, the capture lost packets ---- */

bool gates_nothing_captured(const struct capture_facts *c, int64_t from_ns, int64_t to_ns)
{
	return silence_over(&c->silences, from_ns, to_ns) != NULL;
}

bool gates_capture_lost(const struct gates *g, int64_t from_ns, int64_t to_ns)
{
	return g->drops || moments_meet(&g->lost, from_ns, to_ns);
}

bool gates_capture_still(const struct gates *g, int64_t from_ns, int64_t to_ns)
{
	return moments_meet(&g->still, from_ns, to_ns);
}

bool gates_file_still(const struct gates *g, unsigned file, int64_t from_ns, int64_t to_ns)
{
	return file < g->file_count && moments_meet(&g->file_still[file], from_ns, to_ns);
}

bool gates_may_hide(const struct gates *g, int64_t from_ns, int64_t to_ns)
{
	return gates_capture_lost(g, from_ns, to_ns) || gates_capture_still(g, from_ns, to_ns);
}

bool gates_drops_counted(const struct gates *g)
{
	return g->drops;
}

uint64_t gates_short_lost(const struct gates *g, const struct stream *s, int64_t from_ns, int64_t to_ns)
{
	return short_losses_of(&g->short_lost, s, from_ns, to_ns);
}

const struct loss_moment *gates_loss_moments(const struct gates *g, unsigned *ret_count)
{
	*ret_count = g->lost.count;
	return g->lost.list;
}

/* One file of several may stand still alone; what its own capture point lacks the others may have. */
static void reckon_files(struct gates *g, const struct facts *f)
{
	const struct capture_facts *c = f->capture;

	g->file_still = memory_zalloc((c->file_count + 1u) * sizeof *g->file_still);
	g->file_count = c->file_count;
	for (unsigned i = 0; i < c->file_count; i++)
		g->file_still[i] = standstills_reckon(f, &c->file_silences[i], (int)i);
}

/* ---- G9, G10, G11 ---- */

int64_t gates_copies_apart_ns(const struct gates *g)
{
	return g->copies_apart_ns;
}

bool gates_clock_unreliable(const struct gates *g)
{
	return g->clock_unreliable;
}

/* Single packets missing in step: 45 to 55 % or 62 to 71 % lost, nearly all in runs of one or two. */
static bool strides(const struct stream *s)
{
	const struct stream_flaws *f = stream_flaws(s);
	uint64_t short_runs = (uint64_t)f->loss_runs[0] + f->loss_runs[1], lost = 0;
	double share;

	for (unsigned i = 0; i + 1 < LOSS_RUN_CLASSES; i++)     /* longer runs are another fault, beside this one */
		lost += (uint64_t)f->loss_runs[i] * (i + 1);
	share = s->packets ? (double)lost / (double)(lost + s->packets) : 0;
	if (s->packets < 100 || f->loss_events == 0 || short_runs * 10 < f->loss_events * 9)
		return false;
	return (share > 0.45 && share < 0.55 && f->loss_runs[0] * 10 > f->loss_events * 9) ||
	       (share > 0.62 && share < 0.71 && f->loss_runs[1] * 10 > f->loss_events * 9) ||
	       (share > 0.29 && share < 0.37 && f->loss_runs[0] * 10 > f->loss_events * 9 &&
	       f->loss_events * 3 > (lost + s->packets) * 9 / 10);
}

static void reckon_link_member(struct gates *g, const struct facts *f)
{
	unsigned stride = 0, all = 0;

	LIST_EACH(it, streams_in_order(f->streams)) {
		const struct stream *s = LIST_ENTRY(it, struct stream, in_order);

		all += s->packets >= 100;
		stride += strides(s);
	}
	g->link_member = stride >= 2 && stride * 2 > all;
}

bool gates_link_member(const struct gates *g)
{
	return g->link_member;
}

struct gates *gates_reckon(const struct facts *facts)
{
	struct gates *g = memory_zalloc(sizeof *g);

	g->arena = arena_new();
	hash_init(&g->places);
	hash_init(&g->channels);
	gate_ways_init(&g->ways, g->arena);
	hash_init(&g->unseeing);
	reckon_places(g, facts);
	reckon_reports(g, facts);
	LIST_EACH(it, calls_legs(facts->calls)) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_order);

		note_speakers(g, leg);
		count_leg(g, facts, leg);
		count_slots(g, facts, leg);
	}
	reckon_no_media(g, facts);
	if (!g->no_media)
		g->limit = gate_ports_reckon(facts);
	g->short_lost = short_losses_reckon(facts);
	g->lost = gate_losses_reckon(facts, &g->short_lost.moments);
	g->still = standstills_reckon(facts, &facts->capture->silences, EVERY_FILE);
	reckon_files(g, facts);
	g->drops = facts->capture->if_drop || facts->capture->os_drop;
	reckon_link_member(g, facts);
	g->copies_apart_ns = network_copies_apart_ns(facts->network);
	g->clock_unreliable = g->copies_apart_ns || facts->capture->timestamps_back > 0 ||
		facts->capture->answers_early_ns >= EARLY_NS ||
		facts->capture->timestamp_grain_ns >= 10 * MILLISECOND_NS;
	return g;
}

void gates_free(struct gates *g)
{
	if (!g)
		return;
	hash_fini(&g->places);
	hash_fini(&g->channels);
	gate_ways_fini(&g->ways);
	hash_fini(&g->unseeing);
	arena_free(g->arena);
	moments_fini(&g->lost);
	short_losses_fini(&g->short_lost);
	moments_fini(&g->still);
	for (unsigned i = 0; i < g->file_count; i++)
		moments_fini(&g->file_still[i]);
	free(g->file_still);
	free(g->silent);
	free(g);
}
