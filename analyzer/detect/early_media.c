/* SPDX-License-Identifier: MIT */
/* early-media-missing: the far side announces audio before the answer, and none comes. RFC 3960, RFC 5009. */
#include <stdio.h>

#include "analyzer/detect/latching.h"
#include "analyzer/detect/lookup.h"
#include "analyzer/detect/say.h"

static const char *const reasons[] = { "early-address-private", "misdirected", "blocked", "prack-missing", "latch-waiting",
	"never-sent", "unlocated", NULL };

static const struct detector_doc doc = {
	.says = "early media was promised, none came",
	.symptom = "\"It does not ring\", the announcement before the answer is not heard.",
	.evidence = "A 183 (or 180) with SDP, what says that audio goes with it (P-Early-Media, other calls through the same host), and no RTP until the answer.",
	.mimics = "A 180 without SDP, upon which the phone rings by itself; a 183 for preconditions alone; a fork whose other branch plays; a quick answer.",
	.fix = "As for one-way audio; or let the PBX play its own ringback when a 183 comes.",
	.reasons = reasons,
};

static const struct config_key keys[] = {
	{ "min-seconds", 4, "s", 1, 60, "field: a ring takes up to 4 s to come round" },
	{ 0 },
};

enum { STRAY_MAX = 5 };

/* What signalling said before the answer. */
struct early {
	const struct message *progress;      /* the first 18x with SDP */
	const struct message *promise;       /* the 18x that says P-Early-Media */
	int64_t from_ns, to_ns;
	bool rings, closed, prack_failed;
	/* in so many calls the callee's side began with the first packet that came to it; here none did: else 0 */
	unsigned waits;
	unsigned repeats;            /* of a reliable 18x */
};

static bool is_progress(const struct message *m)
{
	return !m->request && m->method == SIP_INVITE && m->status >= 101 && m->status <= 199;
}

static bool acknowledged(const struct leg *leg)
{
	LIST_EACH(it, &leg->transactions) {
		const struct transaction *t = LIST_ENTRY(it, struct transaction, in_leg);

		if (t->method == SIP_PRACK && (!t->final || t->final->status < 300))
			return true;
	}
	return false;
}

static void message_take(struct early *e, const struct message *m)
{
	if (!e->progress && m->sdp && m->repeat == MESSAGE_FIRST)
		e->progress = m;
	if (!e->promise && m->early_media == EARLY_MEDIA_PROMISED)
		e->promise = m;
	if (m->early_media != EARLY_MEDIA_NONE)
		e->closed = m->early_media == EARLY_MEDIA_CLOSED;
	e->rings |= m->status == 180 && !m->sdp && e->progress;
	e->repeats += m->wants_prack && m->repeat == MESSAGE_RETRANSMITTED;
}

static struct early early_of(const struct facts *facts, const struct dialog *dialog)
{
	const struct leg *leg = dialog->leg;
	struct early e = { .from_ns = NS_NONE, .to_ns = facts->capture->last_ns };

	CHAIN_EACH(it, &leg->messages) {
		const struct message *m = LIST_ENTRY(it, struct message, in_leg);

		if (is_progress(m) && (m->dialog == dialog || !m->dialog))
			message_take(&e, m);
	}
	if (dialog->confirmed_ns != NS_NONE)
		e.to_ns = dialog->confirmed_ns;
	else if (dialog->ended_ns != NS_NONE)
		e.to_ns = dialog->ended_ns;
	else if (leg->end_ns != NS_NONE)
		e.to_ns = leg->end_ns;
	if (!e.progress)
		return e;
	e.from_ns = e.progress->at.at_ns;
	e.prack_failed = e.progress->wants_prack && e.repeats && !acknowledged(leg);
	return e;
}

/* Does its SDP let the callee send, and somewhere? */
static bool opens(const struct early *e, const struct window *w, unsigned mline)
{
	const struct sdp *sdp = e->progress->sdp;
	const struct sdp_media *own = mline < sdp->media_count ? &sdp->media[mline] : NULL;

	return own && own->kind == SDP_AUDIO && own->port &&
	       (own->direction == SDP_SENDRECV || own->direction == SDP_SENDONLY) && w->receiver &&
	       w->target_count && !address_unspecified(&w->receiver->at.addr) &&
	       (w->receiver->direction == SDP_SENDRECV || w->receiver->direction == SDP_RECVONLY);
}

/* Audio of the callee in any branch of a fork: it is that one that plays. */
static bool another_plays(const struct leg *leg, const struct dialog *own, int64_t from_ns, int64_t to_ns)
{
	LIST_EACH(it, &leg->dialogs) {
		const struct dialog *d = LIST_ENTRY(it, struct dialog, in_leg);
		double n = 0;

		for (unsigned i = 0; d != own && i < d->mslot_count; i++) {
			for (unsigned k = 0; k < d->mslots[i].direction[SIDE_CALLEE].stream_count; k++)
				n += stream_packets_between(d->mslots[i].direction[SIDE_CALLEE].streams[k], from_ns,
					to_ns);
		}
		if (n > STRAY_MAX)
			return true;
	}
	return false;
}

/* On a leg further on the same is missing: it is told there. */
static bool begins_further_on(const struct facts *facts, const struct leg *leg)
{
	LIST_EACH(it, &leg->call->legs) {
		const struct leg *other = LIST_ENTRY(it, struct leg, in_call);

		if (other->parent != leg)
			continue;
		LIST_EACH(dit, &other->dialogs) {
			const struct dialog *d = LIST_ENTRY(dit, struct dialog, in_leg);
			struct early e = early_of(facts, d);

			if (e.progress && (e.promise || lookup_early_media(facts->lookup, &e.progress->src.addr)) &&
			    !another_plays(other, NULL, e.from_ns, e.to_ns))
				return true;
		}
	}
	return false;
}

static const char *reason_of(const struct facts *facts, const struct direction *dir, const struct early *e,
	const struct hearing *h)
{
	struct endpoint real;

	if (e->prack_failed)
		return "prack-missing";
	if (h->misdirected && address_private(&h->misdirected->dst.addr) &&
	    hearing_contradiction(facts, dir, h->window, &h->misdirected->dst, h->misdirected,
	    &real) == CONTRADICTION_PRIVATE)
		return "early-address-private";
	if (h->misdirected)
		return "misdirected";
	if (h->sending == RTCP_SENDING_RISING || h->icmp_count)
		return "blocked";
	if (e->waits)
		return "latch-waiting";
	return h->at_sender ? "never-sent" : "unlocated";
}

static bool never_sent(const struct finding *f)
{
	return strcmp(f->reason, "never-sent") == 0;
}

static void say(struct finding *f, const struct facts *facts, const struct direction *dir, const struct early *e,
	const struct hearing *h)
{
	char from[SAY_TEXT], to[SAY_TEXT], at[ENDPOINT_TEXT], went[ENDPOINT_TEXT], act[2 * SAY_TEXT],
		effect[2 * SAY_TEXT];
	double seconds = (double)ns_minus(e->to_ns, e->from_ns) / 1e9;

	say_host(facts, &e->progress->src.addr, from);
	say_party(facts, dir->slot->dialog->leg, side_other(dir->sender), to);
	endpoint_text(&h->window->targets[0].at, at);
	snprintf(act, sizeof act, "%s announces early media", from);
	snprintf(effect, sizeof effect, "%s %shears no early audio", to, say_claim(f));
	say_title(f, act, effect);
	if (h->misdirected && !window_has_target(h->window, &h->misdirected->dst)) {
		endpoint_text(&h->misdirected->dst, went);
		finding_cause(f, "%s announced early media with its %u; in %.1f s all of it went to %s, and the SDP of %s names %s.",
			from, e->progress->status, seconds, went, to, at);
		finding_fix(f, "Look for a NAT or ALG that changes the SDP on the way to %s; else it is a fault of %s: update it.", from,
			from);
	} else if (h->misdirected) {
		endpoint_text(&h->misdirected->dst, went);
		finding_cause(f, "%s announced early media with its %u; in %.1f s all of it went to %s, where %s cannot be reached.", from, e->progress->status, seconds,
			      went, to);
		finding_fix(f, "Switch NAT handling (symmetric RTP) on for %s, or correct the address in its SDP.", to);
	} else if (e->prack_failed) {
		finding_cause(f, "%s asks for an acknowledgement (PRACK) of its %u, repeats it and gets none; in %.1f s no audio came before the answer.", from,
			      e->progress->status, seconds);
		finding_fix(f, "Switch 100rel off or on at both ends alike, or find out what keeps PRACK away from %s.",
			from);
	} else if (e->waits) {
		finding_cause(f, "%s announced early media with its %u; in %.1f s nothing arrived before the answer: it sends only when a packet has come, as in %s here, and %s sends none before the answer.",
			from, e->progress->status, seconds, SAY_COUNTED(e->waits, "call"), to);
		finding_fix(f, "Let %s send from the %u on (silence or RTP keepalives do), or switch waiting for the first packet (comedia, symmetric RTP) off on %s for this side; or let the PBX play its own ringback.",
			to, e->progress->status, from);
	} else if (never_sent(f)) {
		finding_cause(f, "%s announced early media with its %u, and beside it %s in %.1f s before the answer (audio to %s).",
			from, e->progress->status, h->packets < 1 ? "nothing leaves" : "no more than a few packets leave", seconds, at);
		finding_fix(f, "Look at what %s plays before the answer (ringback, announcement, the leg behind it); or let it send 180 without SDP, so that %s rings by itself.", from, to);
	} else {
		finding_cause(f, "%s announced early media with its %u; in %.1f s %s before the answer (audio to %s).",
			from, e->progress->status,
			      seconds, h->packets < 1 ? "nothing arrived" : "no more than a few packets arrived", at);
		finding_fix(f, "Look at the firewall for UDP to %s before the answer, and capture beside %s; or let the PBX play its own ringback upon a 183.", at, from);
	}
	finding_evidence(f, e->progress->at, "%u with SDP", e->progress->status);
	if (e->promise && e->promise != e->progress)
		finding_evidence(f, e->promise->at, "%u promises early media (P-Early-Media)", e->promise->status);
	if (h->misdirected)
		finding_evidence(f, stream_frame(h->misdirected, h->misdirected->first_frame, h->misdirected->first_ns),
			"early audio to %s", went);
	if (h->icmp)
		finding_evidence(f, h->icmp->at, "ICMP error that quotes this audio");
	if (dir->slot->dialog->confirmed_by)
		finding_evidence(f, dir->slot->dialog->confirmed_by->at, "the call is answered %.1f s later", seconds);
	if (never_sent(f))
		finding_cannot_see(f, "whether %s plays a ringback of its own", to);
	else
		finding_cannot_see(f, "whether %s plays a ringback of its own, and whether %s sent anything before the answer",
			to, from);
}

static bool failed(const struct leg *leg)
{
	return leg->state == LEG_FAILED || leg->state == LEG_BUSY || leg->state == LEG_DECLINED ||
	       leg->state == LEG_REDIRECTED;
}

static void tell(struct detection *d, const struct event *ev, const struct early *e, const struct hearing *h)
{
	const struct facts *facts = detection_facts(d);
	const char *reason = reason_of(facts, ev->direction, e, h);
	struct finding *f = detection_raise(d, reason, failed(ev->leg) ? SEVERITY_ERROR : SEVERITY_WARNING,
		CONFIDENCE_LIKELY);
	struct endpoint culprit = e->progress->src;

	culprit.port = 0;
	f->reason_confidence = strcmp(reason, "unlocated") == 0 ? CONFIDENCE_POSSIBLE : CONFIDENCE_LIKELY;
	parts_of_direction(f, facts, ev->direction);
	finding_part(f, h->misdirected || never_sent(f) ? PART_CULPRIT : PART_WITNESS, &culprit);
	finding_times(f, e->from_ns, e->to_ns);
	say(f, facts, ev->direction, e, h);
}

/* Does the side that should play wait for a packet, and was none sent to it? */
static unsigned waits_in_vain(const struct facts *facts, const struct direction *d, const struct early *e)
{
	const struct direction *back = direction_reverse(d);
	const struct sdp *sdp = e->progress->sdp;
	const struct sdp_media *own = &sdp->media[d->slot->mline];

	if (!back->stream_count)
		return 0;                                    /* its audio may pass elsewhere */
	for (unsigned i = 0; i < back->stream_count; i++) {
		if (back->streams[i]->first_ns < e->to_ns)
			return 0;
	}
	return latching_waits(lookup_latching(facts->lookup), &own->at.addr);
}

static void judge(struct detection *d, const struct event *ev, struct early *e, const struct window *w)
{
	const struct facts *facts = detection_facts(d);
	struct hearing h;

	e->waits = waits_in_vain(facts, ev->direction, e);
	hearing_ask(facts, ev->direction, w, e->from_ns, e->to_ns, &h);
	if (h.packets > STRAY_MAX || another_plays(ev->leg, ev->dialog, e->from_ns, e->to_ns)) {
		detection_pass(d, NULL, "audio came before the answer");
		return;
	}
	if (!e->promise && !h.misdirected && !h.icmp_count &&
	    !lookup_early_media(facts->lookup, &e->progress->src.addr)) {
		detection_pass(d, NULL, "nothing obliges the far side to send before the answer (RFC 3960)");
		return;
	}
	if (h.gate && !h.misdirected)
		detection_withhold(d, ev->leg, h.gate, "no early media in %.0f s",
			(double)ns_minus(e->to_ns, e->from_ns) / 1e9);
	else if (begins_further_on(facts, ev->leg))
		detection_pass(d, "N9", "the early media is missing on a leg further on, and told there");
	else
		tell(d, ev, e, &h);
}

static void on_event(struct detection *d, const struct event *ev)
{
	const struct window *w = ev->direction->window_count ? &ev->direction->windows[0] : NULL;
	struct early e;

	if (ev->direction->sender != SIDE_CALLEE || !w || ev->dialog->partial || ev->leg->partial)
		return;
	e = ev->leg->early_sdp ? early_of(detection_facts(d), ev->dialog) : (struct early){ .progress = NULL };
	if (!e.progress || !opens(&e, w, ev->direction->slot->mline))
		detection_pass(d, NULL, "no 18x with audio in its SDP");
	else if (e.rings || e.closed)
		detection_pass(d, NULL, e.rings ? "a 180 without SDP follows: the caller rings by itself"
			: "P-Early-Media says that none is to be expected");
	else if ((double)ns_minus(e.to_ns, e.from_ns) < detection_key(d, "min-seconds") * 1e9)
		detection_pass(d, NULL, "%.1f s until the answer are too short",
			(double)ns_minus(e.to_ns, e.from_ns) / 1e9);
	else
		judge(d, ev, &e, w);
}

const struct detector detect_early_media_missing = {
	.id = "early-media-missing", .doc = &doc, .keys = keys, .event = on_event,
	.events = EVENT_BIT(EVENT_JUDGE_DIRECTION),
	.scope = PER_DIRECTION, .usual = SEVERITY_WARNING, .possible_max = SEVERITY_WARNING,
};
