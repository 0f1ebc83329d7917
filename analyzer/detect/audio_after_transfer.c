/* SPDX-License-Identifier: MIT */
/*
 * audio-missing-after-transfer: two parties are put together by REFER or Replaces, and do not hear each other. RFC
 * 3515, RFC 3891, RFC 5589.
 */
#include "analyzer/detect/say.h"
#include "analyzer/media/socket_use.h"

static const char *const reasons[] = {
	"direct-media-unroutable", "old-target", "leg-not-bridged", "codec-mismatch", "srtp-one-leg", "reinvite-failed",
	"unlocated", NULL,
};

static const struct detector_doc doc = {
	.says = "no audio after a transfer",
	.symptom = "\"After I put the call through they did not hear each other.\"",
	.evidence = "The REFER and its result, audio before it, both legs that remain, and what the machine between them receives and sends on.",
	.mimics = "A target that still rings, music until it answers, a transfer that failed, a conference.",
	.fix = "Keep media on the PBX (no direct media) for phones behind NAT; equal codecs and SRTP modes on both legs.",
	.reasons = reasons,
};

static const struct config_key keys[] = {
	{ "min-seconds", 3, "s", 1, 60, "field" },
	{ 0 },
};

enum { STRAY_MAX = 5, ALIVE_LEAST = 25, SPEAKS_LEAST = 75 /* 3 s at the slowest usual rate */ };

#define SETTLE_NS (5 * SECOND_NS)            /* the re-INVITEs that move media follow within so long */

/* One leg that remains, seen from the machine in the middle. */
struct way {
	const struct leg *leg;
	enum side hub;               /* the side of it that is this machine */
	struct direction *out, *in;  /* to the party and from it */
	const struct window *out_window, *in_window;
	struct hearing out_heard, in_heard;
};

struct joint {                       /* what a transfer has put together */
	const struct transfer *transfer;
	struct way way[2];
	int64_t on_ns, from_ns, to_ns;       /* both answered; grace over; one of them ends */
};

/* ---- who remains ---- */

static bool has_transferor(const struct facts *facts, const struct transfer *t, const struct leg *leg)
{
	const struct address *a = &t->leg->party[t->by].signalling.addr;

	for (unsigned side = 0; side < 2; side++) {
		if (network_same(facts->network, &leg->party[side].signalling.addr, a) &&
		    span_equal(leg->party[side].user, t->leg->party[t->by].user))
			return true;
	}
	return false;
}

static bool remains(const struct facts *facts, const struct transfer *t, const struct leg *leg, int64_t at_ns)
{
	return leg != t->leg && leg->confirmed && leg->answer_ns != NS_NONE &&
	       (leg->end_ns == NS_NONE || leg->end_ns > ns_add(at_ns, SECOND_NS)) &&
	       !has_transferor(facts, t, leg);
}

/*
 * A call from a trunk that is transferred back to it: both legs share both machines, and the one that joins them is the
 * one that was asked to transfer.
 */
static bool shared_host(const struct facts *facts, const struct transfer *t, const struct leg *x, const struct leg *y,
	enum side *ret_x, enum side *ret_y)
{
	const struct address *asked = &t->leg->party[side_other(t->by)].signalling.addr;
	bool found = false;

	for (unsigned a = 0; a < 2; a++) {
		const struct address *at = &x->party[a].signalling.addr;
		bool joins = address_known(at) && network_same(facts->network, at, asked);

		for (unsigned b = 0; b < 2; b++) {
			if (!address_known(at) || (found && !joins) ||
			    !network_same(facts->network, at, &y->party[b].signalling.addr))
				continue;
			*ret_x = (enum side)a;
			*ret_y = (enum side)b;
			if (joins)
				return true;
			found = true;
		}
	}
	return found;
}

static struct mslot *audio_slot(const struct leg *leg)
{
	struct mslot *found = NULL;

	for (unsigned i = 0; i < leg->confirmed->mslot_count; i++) {
		if (leg->confirmed->mslots[i].kind != SDP_AUDIO || !leg->confirmed->mslots[i].accepted)
			continue;
		if (found)
			return NULL;                         /* which of several, nobody knows */
		found = &leg->confirmed->mslots[i];
	}
	return found;
}

static bool is_conference(const struct call *call)
{
	LIST_EACH(it, &call->legs) {
		CHAIN_EACH(mit, &LIST_ENTRY(it, struct leg, in_call)->messages) {
			if (LIST_ENTRY(mit, struct message, in_leg)->focus)
				return true;
		}
	}
	return false;
}

/* The due window that the transfer has led to: the last that began within 5 s of it. */
static const struct window *window_after(const struct direction *d, int64_t on_ns)
{
	const struct window *found = NULL;

	for (unsigned i = 0; i < d->window_count; i++) {
		const struct window *w = &d->windows[i];

		if (w->on_ns > ns_add(on_ns, SETTLE_NS))
			break;
		if (w->off_ns == NS_NONE || w->off_ns > on_ns)
			found = w;
	}
	return found && found->state == EXPECT_DUE ? found : NULL;
}

static bool way_find(struct way *w, int64_t on_ns)
{
	struct mslot *slot = audio_slot(w->leg);

	if (!slot)
		return false;
	w->out = &slot->direction[w->hub];
	w->in = &slot->direction[side_other(w->hub)];
	w->out_window = window_after(w->out, on_ns);
	w->in_window = window_after(w->in, on_ns);
	return w->out_window && w->in_window;
}

/* Those of one call that remain, behind the n that are there already; 3: too many. */
static unsigned remaining(const struct facts *facts, const struct call *call, struct joint *j, unsigned n)
{
	int64_t at_ns = j->on_ns;

	LIST_EACH(it, &call->legs) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_call);

		if (!remains(facts, j->transfer, leg, at_ns))
			continue;
		if (n == 2)
			return 3;
		j->way[n++].leg = leg;
		j->to_ns = leg->end_ns != NS_NONE && leg->end_ns < j->to_ns ? leg->end_ns : j->to_ns;
	}
	return n;
}

/* Two legs that meet at one machine, both open. NULL: there they are; else why there is nothing to judge. */
static const char *joint_find(struct detection *d, const struct transfer *t, struct joint *j)
{
	const struct facts *facts = detection_facts(d);
	unsigned n;

	*j = (struct joint){ .transfer = t, .on_ns = t->done_ns != NS_NONE ? t->done_ns : t->accepted_ns,
		.to_ns = facts->capture->last_ns };
	n = remaining(facts, t->leg->call, j, 0);
	if (t->target && t->target->call != t->leg->call)
		n = remaining(facts, t->target->call, j, n);
	if (n > 2)
		return "more than two legs remain";
	for (unsigned i = 0; i < n; i++)
		j->on_ns = j->way[i].leg->answer_ns > j->on_ns ? j->way[i].leg->answer_ns : j->on_ns;
	if (n < 2 || !shared_host(facts, t, j->way[0].leg, j->way[1].leg, &j->way[0].hub, &j->way[1].hub))
		return "the legs that remain are not both in the capture";
	if (!way_find(&j->way[0], j->on_ns) || !way_find(&j->way[1], j->on_ns))
		return "no audio is due on both legs after the transfer";
	return NULL;
}

/* From when on silence counts: both answered, all windows in force, grace over; and to when. */
static void joint_time(struct detection *d, struct joint *j)
{
	int64_t grace_ns = (int64_t)(detection_config(d, "expect", "start-grace-ms") * 1e6);

	for (unsigned i = 0; i < 2; i++) {
		const struct window *both[2] = { j->way[i].out_window, j->way[i].in_window };

		for (unsigned k = 0; k < 2; k++) {
			int64_t end_ns = window_end(both[k], j->to_ns);

			j->on_ns = both[k]->on_ns > j->on_ns ? both[k]->on_ns : j->on_ns;
			j->to_ns = end_ns < j->to_ns ? end_ns : j->to_ns;
		}
	}
	j->from_ns = ns_add(j->on_ns, grace_ns);
}

/* ---- what fails, and how ---- */

struct verdict {
	const char *reason;          /* NULL: nothing fails */
	enum confidence confidence;
	struct direction *direction; /* the one that fails */
	const struct hearing *heard;
	const struct way *way;       /* to whose party nothing comes */
	const struct way *from;      /* the other one */
	const struct message *refusal;
};

static double packets_of(const struct direction *d, int64_t from_ns, int64_t to_ns)
{
	double n = 0;

	for (unsigned i = 0; i < d->stream_count; i++) {
		if (d->streams[i]->bound_by <= BOUND_BY_PROOF && !d->streams[i]->twin_of)
			n += stream_packets_between(d->streams[i], from_ns, to_ns);
	}
	return n;
}

/* Packets to any address of the window, bound to whatever leg. */
static double packets_towards(const struct facts *facts, const struct window *w, int64_t from_ns, int64_t to_ns)
{
	double n = 0;

	for (unsigned i = 0; i < w->target_count; i++) {
		const struct socket_use *s = socket_uses_find(facts->sockets, &w->targets[i].at);
		struct stream_slice slice = s ? socket_arriving(s, to_ns) : (struct stream_slice){ NULL, 0 };

		for (unsigned k = 0; k < slice.count; k++)
			n += stream_packets_between(slice.at[k], from_ns, to_ns);
	}
	return n;
}

/* Somebody speaks there: 3 s of packets, and sound in them as far as it can be heard. */
static bool speaks(const struct direction *d, int64_t from_ns, int64_t to_ns)
{
	bool audible = false;

	for (unsigned i = 0; i < d->stream_count; i++) {
		const struct stream *s = d->streams[i];
		struct stream_sound heard = stream_sound(s);

		audible |= stream_packets_between(s, from_ns, to_ns) >= ALIVE_LEAST &&
			(!heard.known || heard.speech_last_ns >= from_ns);
	}
	return audible && packets_of(d, from_ns, to_ns) >= SPEAKS_LEAST;
}

/* Is the party told to send to the machine in the middle, and not to the other party directly? */
static bool sends_to_hub(const struct way *w, const struct way *other)
{
	for (unsigned i = 0; i < w->in_window->target_count; i++) {
		if (window_has_target(other->out_window, &w->in_window->targets[i].at))
			return false;
	}
	return true;
}

static bool is_silent(const struct facts *facts, const struct joint *j, const struct way *w)
{
	return w->out_heard.packets <= STRAY_MAX && !w->out_heard.misdirected &&
	       packets_towards(facts, w->out_window, j->from_ns, j->to_ns) <= STRAY_MAX;
}

static bool judge_bridge(const struct facts *facts, const struct joint *j, const struct way *w, const struct way *other,
	struct verdict *v)
{
	if (!is_silent(facts, j, w) || w->out_heard.gate || !sends_to_hub(other, w) ||
	    !speaks(other->in, j->from_ns, j->to_ns))
		return false;
	*v = (struct verdict){ "leg-not-bridged", CONFIDENCE_LIKELY, w->out, &w->out_heard, w, other, NULL };
	return true;
}

static bool names_address(const struct direction *d, const struct address *a)
{
	for (unsigned i = 0; i < d->window_count; i++) {
		for (unsigned k = 0; k < d->windows[i].target_count; k++) {
			if (address_equal(&d->windows[i].targets[k].at.addr, a))
				return true;
		}
	}
	return false;
}

static bool names_transferor(const struct joint *j, const struct endpoint *at)
{
	const struct leg *leg = j->transfer->leg;
	struct mslot *slot = leg->confirmed ? audio_slot(leg) : NULL;
	const struct direction *d = slot ? &slot->direction[side_other(j->transfer->by)] : NULL;

	for (unsigned i = 0; d && i < d->window_count; i++) {
		if (window_has_target(&d->windows[i], at))
			return true;
	}
	return false;
}

/* An inside address that its party never sends from: its audio came through a router, from a public one. */
static bool lies_behind_router(const struct facts *facts, const struct address *a, const struct way *w)
{
	const struct host *h = network_host_find(facts->network, a);

	if (!address_private(a) || (h && h->sends_ip))
		return false;
	for (unsigned i = 0; i < w->in->stream_count; i++) {
		const struct stream *s = w->in->streams[i];

		if (s->direction == w->in && s->bound_by <= BOUND_STRONG && s->packets >= ALIVE_LEAST &&
		    !address_private(&s->src.addr))
			return true;
	}
	return false;
}

/* The direction's audio since then, where it goes to an address behind somebody else's router; NULL: none. */
static const struct stream *unroutable(const struct facts *facts, const struct joint *j, const struct direction *d,
	const struct way *to)
{
	for (unsigned i = 0; i < d->stream_count; i++) {
		const struct stream *s = d->streams[i];

		if (names_address(to->out, &s->dst.addr) &&
		    stream_packets_between(s, j->from_ns, j->to_ns) >= ALIVE_LEAST &&
		    lies_behind_router(facts, &s->dst.addr, to))
			return s;
	}
	return NULL;
}

static bool judge_direct(const struct facts *facts, const struct joint *j, struct direction *d, struct hearing *h,
	const struct way *to, const struct way *from,
			 struct verdict *v)
{
	const struct stream *s = sends_to_hub(from, to) ? NULL : unroutable(facts, j, d, to);

	if (!s)
		return false;
	h->misdirected = s;
	*v = (struct verdict){ "direct-media-unroutable", CONFIDENCE_LIKELY, d, h, to, from, NULL };
	return true;
}

/* Audio that goes where the party is not: `to` is the way whose party should get it. */
static bool judge_astray(const struct joint *j, struct direction *d, const struct hearing *h, const struct way *to,
	const struct way *from, struct verdict *v)
{
	const struct endpoint *dst = h->misdirected ? &h->misdirected->dst : NULL;

	if (!dst || h->packets > STRAY_MAX)
		return false;
	if (names_transferor(j, dst) && !window_has_target(to->out_window, dst))
		*v = (struct verdict){ "old-target", CONFIDENCE_LIKELY, d, h, to, from, NULL };
	else if (names_address(to->out, &dst->addr) && !sends_to_hub(from, to))
		*v = (struct verdict){ "direct-media-unroutable", CONFIDENCE_LIKELY, d, h, to, from, NULL };
	else
		*v = (struct verdict){ "unlocated", CONFIDENCE_LIKELY, d, h, to, from, NULL };
	return true;
}

static bool judge_codec(const struct way *w, const struct way *other, struct verdict *v)
{
	const struct stream *s = w->out_heard.foreign;

	if (!s || !other->in_heard.stream || s->run.pt != other->in_heard.stream->run.pt)
		return false;
	*v = (struct verdict){ "codec-mismatch", CONFIDENCE_LIKELY, w->out, &w->out_heard, w, other, NULL };
	return true;
}

/* Encrypted on one leg only, and passed on as it came. */
static bool judge_srtp(const struct way *w, const struct way *other, struct verdict *v)
{
	const struct stream *s = w->out_heard.stream;

	if (!s || !s->twin_of || s->twin_of->direction != other->in ||
	    w->out_window->secure == other->in_window->secure || w->out_window->dtls || other->in_window->dtls)
		return false;
	*v = (struct verdict){ "srtp-one-leg", CONFIDENCE_LIKELY, w->out, &w->out_heard, w, other, NULL };
	return true;
}

/* The last try to move the media of a leg was refused. */
static const struct message *refused_move(const struct leg *leg, int64_t on_ns)
{
	const struct message *refusal = NULL;

	LIST_EACH(it, &leg->transactions) {
		const struct transaction *t = LIST_ENTRY(it, struct transaction, in_leg);

		if ((t->method != SIP_INVITE && t->method != SIP_UPDATE) || t->initial || !t->final ||
		    t->first_ns < on_ns - SETTLE_NS || t->first_ns > on_ns + SETTLE_NS)
			continue;
		if (t->final->status < 300)
			refusal = NULL;
		else if (t->final->status != 401 && t->final->status != 407)
			refusal = t->final;
	}
	return refusal;
}

static struct verdict judge(const struct facts *facts, struct joint *j)
{
	struct verdict v = { .reason = NULL };

	for (unsigned i = 0; i < 2; i++) {
		struct way *w = &j->way[i];

		hearing_ask(facts, w->out, w->out_window, j->from_ns, j->to_ns, &w->out_heard);
		hearing_ask(facts, w->in, w->in_window, j->from_ns, j->to_ns, &w->in_heard);
	}
	for (unsigned i = 0; i < 2 && !v.reason; i++) {
		struct way *w = &j->way[i], *other = &j->way[1 - i];

		if (judge_direct(facts, j, w->out, &w->out_heard, w, other, &v) ||
		    judge_direct(facts, j, other->in, &other->in_heard, w, other, &v) ||
		    judge_astray(j, w->out, &w->out_heard, w, other, &v) ||
		    judge_astray(j, other->in, &other->in_heard, w, other, &v) ||
		    judge_codec(w, other, &v) || judge_srtp(w, other, &v))
			break;
	}
	for (unsigned i = 0; i < 2 && !v.reason; i++)
		judge_bridge(facts, j, &j->way[i], &j->way[1 - i], &v);
	if (v.reason) {
		v.refusal = refused_move(v.way->leg, j->on_ns);
		v.refusal = v.refusal ? v.refusal : refused_move(v.from->leg, j->on_ns);
		if (v.refusal)
			v.reason = "reinvite-failed";
	}
	return v;
}

/* ---- words ---- */

struct words { char to[SAY_TEXT], from[SAY_TEXT], hub[SAY_TEXT], dst[ENDPOINT_TEXT]; double seconds; };

static void say_what(struct finding *f, const struct verdict *v, const struct words *w)
{
	if (strcmp(f->reason, "leg-not-bridged") == 0)
		finding_cause(f, "After the transfer %s receives the voice of %s and sends nothing to %s for %.1f s: the two legs are not bridged.", w->hub, w->from, w->to,
			      w->seconds);
	else if (strcmp(f->reason, "direct-media-unroutable") == 0)
		finding_cause(f, "After the transfer the audio of %s goes straight to %s, the address of %s in its own network, which cannot be reached from there.", w->from,
			      w->dst, w->to);
	else if (strcmp(f->reason, "old-target") == 0)
		finding_cause(f,
			"After the transfer the audio for %s still goes to %s, the address of the party that has left.",
			w->to, w->dst);
	else if (strcmp(f->reason, "codec-mismatch") == 0)
		finding_cause(f, "%s passes the codec of %s on to %s, which did not agree to it.", w->hub, w->from,
			w->to);
	else if (strcmp(f->reason, "srtp-one-leg") == 0)
		finding_cause(f, "One leg is encrypted and the other is not; %s passes the packets on unchanged.",
			w->hub);
	else if (strcmp(f->reason, "reinvite-failed") == 0)
		finding_cause(f, "The message that should put %s and %s together is refused with %u, and audio to %s is missing for %.1f s.", w->from, w->to,
			      v->refusal->status, w->to, w->seconds);
	else
		finding_cause(f, "After the transfer the audio of %s goes to %s, where %s cannot be reached.", w->from,
			w->dst, w->to);
	if (strcmp(f->reason, "leg-not-bridged") == 0)
		finding_fix(f, "Look at the bridge of %s at that moment (its log, codecs of both legs); update it, or transfer with consultation instead.", w->hub);
	else if (strcmp(f->reason, "codec-mismatch") == 0 || strcmp(f->reason, "srtp-one-leg") == 0)
		finding_fix(f, "Allow the same codecs and the same SRTP mode on both legs, or let %s transcode.",
			w->hub);
	else
		finding_fix(f, "Keep media on %s: switch direct media (re-INVITE) off for %s and %s.", w->hub, w->from,
			w->to);
}

static uint64_t transfer_key(const struct transfer *t)
{
	return hash_mix(hash_bytes(t->leg->call_id.p, t->leg->call_id.n), (uint64_t)t->asked_ns);
}

static void tell(struct detection *d, const struct joint *j, const struct verdict *v)
{
	const struct facts *facts = detection_facts(d);
	struct finding *f = detection_raise_keyed(d, transfer_key(j->transfer), v->reason, SEVERITY_ERROR,
		v->confidence);
	struct endpoint hub = v->way->leg->party[v->way->hub].signalling;
	struct words w = { .seconds = (double)ns_minus(j->to_ns, j->from_ns) / 1e9, .dst = "" };

	hub.port = 0;
	parts_of_direction(f, facts, v->way->out);
	finding_leg(f, v->from->leg);
	if (strcmp(v->reason, "leg-not-bridged") == 0 && is_silent(facts, j, v->from) &&
	    speaks(v->way->in, j->from_ns, j->to_ns))
		parts_of_direction(f, facts, v->from->out);
	f->direction = v->direction;
	finding_part(f, PART_CULPRIT, &hub);
	finding_times(f, j->from_ns, j->to_ns);
	f->since_ns = j->on_ns;
	say_party(facts, v->way->leg, side_other(v->way->hub), w.to);
	say_party(facts, v->from->leg, side_other(v->from->hub), w.from);
	say_host(facts, &hub.addr, w.hub);
	if (v->heard->misdirected)
		endpoint_text(&v->heard->misdirected->dst, w.dst);
	finding_title(f, "%s %shears nothing of %s after the transfer", w.to, say_claim(f), w.from);
	say_what(f, v, &w);
	finding_evidence(f, j->transfer->at, "REFER: the transfer is asked for");
	finding_evidence(f, v->way->leg->answer_at, "the leg of %s is answered", w.to);
	if (v->refusal)
		finding_evidence(f, v->refusal->at, "%u: the media is not moved", v->refusal->status);
	if (v->heard->misdirected)
		finding_evidence(f, stream_frame(v->heard->misdirected, v->heard->misdirected->first_frame,
			v->heard->misdirected->first_ns), "audio to %s", w.dst);
	for (unsigned i = 0; i < v->from->in->stream_count && i < 1; i++) {
		const struct stream *s = v->from->in->streams[i];

		finding_evidence_run(f, stream_frame(s, s->first_frame, s->first_ns), s->last_frame, "audio of %s",
			w.from);
	}
	finding_cannot_see(f, "what %s does with the audio inside", w.hub);
}

static void judge_transfer(struct detection *d, const struct transfer *t)
{
	struct joint j;
	struct verdict v;
	const char *why_not;

	if (t->state == TRANSFER_FAILED || t->state == TRANSFER_ASKED || t->accepted_ns == NS_NONE) {
		detection_pass(d, NULL, "the transfer was not carried out");
		return;
	}
	why_not = is_conference(t->leg->call) ? "a conference takes part" : joint_find(d, t, &j);
	if (why_not) {
		detection_pass(d, NULL, "%s", why_not);
		return;
	}
	joint_time(d, &j);
	if ((double)ns_minus(j.to_ns, j.from_ns) < detection_key(d, "min-seconds") * 1e9) {
		detection_pass(d, NULL, "too little time after the transfer");
		return;
	}
	v = judge(detection_facts(d), &j);
	if (v.reason)
		tell(d, &j, &v);
	else
		detection_pass(d, NULL, "after the transfer audio goes on as far as can be seen");
}

static void on_event(struct detection *d, const struct event *ev)
{
	(void)ev;
	LIST_EACH(it, calls_transfers(detection_facts(d)->calls))
		judge_transfer(d, LIST_ENTRY(it, struct transfer, in_order));
}

const struct detector detect_audio_missing_after_transfer = {
	.id = "audio-missing-after-transfer", .doc = &doc, .keys = keys, .event = on_event,
	.events = EVENT_BIT(EVENT_JUDGE_CAPTURE),
	.scope = GLOBAL, .usual = SEVERITY_ERROR, .possible_max = SEVERITY_WARNING,
};
