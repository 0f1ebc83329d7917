/* SPDX-License-Identifier: MIT */
/*
 * ssrc-collision: two senders use one stream id at one receiving socket, or a stream comes back to its sender. RFC 3550
 * 8.2.
 */
#include <stdlib.h>

#include "analyzer/detect/say.h"
#include "analyzer/media/socket_use.h"

static const char *const reasons[] = { "two-senders", "loop", "constant-ssrc", "echo", NULL };

static const struct detector_doc doc = {
	.says = "one SSRC from two senders",
	.symptom = "\"Voice breaks while two speak\", loss and jitter that are none.",
	.evidence = "Two source addresses send RTP with one SSRC to one socket at the same time, their sequence numbers and clocks unrelated.",
	.mimics = "A NAT that gives a new port, roaming, both legs of a B2BUA, mirror copies, a restarted sender, an echo test.",
	.fix = "Restart or update the device that takes a stream id twice; break the forwarding loop.",
	.reasons = reasons,
};

static const struct config_key keys[] = {
	{ "min-packets", 25, "packets", 5, 1000, "half a second of 20 ms packets, of each" },
	{ "overlap-s", 1, "s", 0.1, 60, "field: moves from one source to another take less" },
	{ 0 },
};

enum {
	SEQ_RELATED = 1000,
	FRACTION_HARM = 26,          /* of 256: 10 % */
	TOLD_MAX = 16,               /* findings a socket */
	CONSTANT_LEAST = 3           /* hosts that send with one id: two may be chance, or one that moved */
};

/* ---- are these one stream that moved, or two? ---- */

static bool is_twin(const struct stream *a, const struct stream *b)
{
	const struct stream *x = a, *y = b;

	for (unsigned depth = 0; x->twin_of && depth < 16; depth++)
		x = x->twin_of;
	for (unsigned depth = 0; y->twin_of && depth < 16; depth++)
		y = y->twin_of;
	return x == y;
}

/* Packets from its first one to that time, by its own pace. */
static int64_t steps_until(const struct stream *s, int64_t at_ns, int64_t step_ns)
{
	return ns_minus(at_ns, s->first_ns) / step_ns;
}

static int64_t seq_distance(const struct stream *a, const struct stream *b, int64_t at_ns)
{
	int64_t step_a = (a->ptime_ms ? a->ptime_ms : 20) * MILLISECOND_NS,
		step_b = (b->ptime_ms ? b->ptime_ms : 20) * MILLISECOND_NS;
	uint16_t x = (uint16_t)(a->first_seq + steps_until(a, at_ns, step_a)),
		y = (uint16_t)(b->first_seq + steps_until(b, at_ns, step_b));

	return llabs((int64_t)(int16_t)(uint16_t)(x - y));
}

/* Where its media clock stands at that time, if it went on from its first packet; wraps as RTP time does. */
static uint32_t clock_at(const struct stream *s, uint32_t rate, int64_t at_ns)
{
	int64_t into = ns_minus(at_ns, s->first_ns);
	uint64_t ns = into > 0 ? (uint64_t)into : 0;

	return s->first_rtp_ts + (uint32_t)(ns / SECOND_NS * rate + ns % SECOND_NS * rate / SECOND_NS);
}

/* Seconds between the two media clocks at that time; < 0: no clock is known. */
static double clock_distance_s(const struct stream *a, const struct stream *b, int64_t at_ns)
{
	uint32_t rate = a->clock_hz ? a->clock_hz : b->clock_hz;

	if (!rate)
		return -1;
	return (double)llabs((int64_t)(int32_t)(clock_at(a, rate, at_ns) - clock_at(b, rate, at_ns))) / rate;
}

static bool unrelated(const struct stream *a, const struct stream *b, int64_t at_ns)
{
	double clock_s = clock_distance_s(a, b, at_ns);

	return seq_distance(a, b, at_ns) > SEQ_RELATED && (clock_s < 0 || clock_s > 1);
}

/* One stream on two ways has only some of its numbers on each. */
static bool counts_whole(const struct stream *s)
{
	return s->lost_within < s->packets / 10;
}

/* The numbers of one belong to the same times as those of the other: one stream, maybe, by two capturing clocks. */
static bool numbered_alike(const struct stream *a, const struct stream *b)
{
	uint32_t rate = a->clock_hz ? a->clock_hz : b->clock_hz;
	int64_t step_ms = a->ptime_ms ? a->ptime_ms : 20, packets = (int16_t)(uint16_t)(b->first_seq - a->first_seq),
		clock = (int32_t)(b->first_rtp_ts - a->first_rtp_ts);

	return !rate || llabs(clock - packets * step_ms * rate / 1000) <= rate;
}

/* By numbers or by clock alone, where a stream that is divided cannot be why, nor two clocks. */
static bool apart(const struct stream *a, const struct stream *b, int64_t at_ns)
{
	return a->capture == b->capture && counts_whole(a) && counts_whole(b) && !numbered_alike(a, b) &&
	       (seq_distance(a, b, at_ns) > SEQ_RELATED || clock_distance_s(a, b, at_ns) > 1);
}

#define REPORT_LATE_NS (8 * SECOND_NS) /* a report speaks of up to 5 s, and half as much more, before it */

struct meeting {
	const struct stream *a, *b;
	int64_t from_ns, to_ns;
};

static bool collide(struct detection *d, struct meeting *m)
{
	const struct stream *a = m->a, *b = m->b;
	double least = detection_key(d, "min-packets");

	m->from_ns = a->first_ns > b->first_ns ? a->first_ns : b->first_ns;
	m->to_ns = a->last_ns < b->last_ns ? a->last_ns : b->last_ns;
	return !endpoint_equal(&a->src, &b->src) && !is_twin(a, b) &&
	       (double)ns_minus(m->to_ns, m->from_ns) >= detection_key(d, "overlap-s") * 1e9 &&
	       stream_packets_between(a, m->from_ns, m->to_ns) >= least &&
	       stream_packets_between(b, m->from_ns, m->to_ns) >= least &&
	       (unrelated(a, b, m->from_ns) || apart(a, b, m->from_ns));
}

/* The receiver reports a tenth of this id, and more, as lost while both send. */
static bool hurts(const struct facts *facts, const struct meeting *m, const struct stream *s)
{
	const struct rtcp_view *v = rtcp_view_of(facts->rtcp, s);

	for (unsigned i = 0; v && i < v->report_count; i++) {
		const struct rtcp_report *r = &v->reports[i];

		if (r->fraction_lost >= FRACTION_HARM && r->at_ns >= m->from_ns &&
		    r->at_ns <= ns_add(m->to_ns, REPORT_LATE_NS))
			return true;
	}
	return false;
}

static void parts(struct finding *f, const struct stream *s)
{
	finding_part(f, PART_CULPRIT, &s->src);
	finding_stream(f, s->n);
	if (s->direction)
		finding_leg(f, s->direction->slot->dialog->leg);
}

static uint64_t key_of(const struct stream *s)
{
	return hash_mix(hash_bytes(s->dst.addr.bytes, sizeof s->dst.addr.bytes), (uint64_t)s->dst.port << 32 | s->ssrc);
}

static void tell(struct detection *d, const struct meeting *m)
{
	const struct facts *facts = detection_facts(d);
	bool harm = hurts(facts, m, m->a) || hurts(facts, m, m->b);
	struct finding *f = detection_raise_keyed(d, key_of(m->a), "two-senders",
		harm ? SEVERITY_ERROR : SEVERITY_WARNING, CONFIDENCE_CERTAIN);
	char a[ENDPOINT_TEXT], b[ENDPOINT_TEXT], host[SAY_TEXT];

	parts(f, m->a);
	parts(f, m->b);
	finding_part(f, PART_VICTIM, &m->a->dst);
	finding_times(f, m->from_ns, m->to_ns);
	endpoint_text(&m->a->src, a);
	endpoint_text(&m->b->src, b);
	say_host(facts, &m->a->dst.addr, host);
	finding_title(f, "%s and %s use one stream id at %s", a, b, host);
	finding_cause(f, "Both send SSRC 0x%08x to %s port %u for %.0f s, with sequence numbers and clocks of their own: the receiver takes them for one stream.",
		      m->a->ssrc, host, m->a->dst.port, (double)ns_minus(m->to_ns, m->from_ns) / 1e9);
	finding_fix(f,
		"Restart and update the device that takes stream ids that are not random (RFC 3550 8.1): %s or %s.", a,
		b);
	finding_evidence(f, stream_frame(m->a, m->a->first_frame, m->a->first_ns), "SSRC 0x%08x from %s", m->a->ssrc,
		a);
	finding_evidence(f, stream_frame(m->b, m->b->first_frame, m->b->first_ns), "the same SSRC from %s", b);
}

/* ---- a stream that comes back ---- */

static bool announced(const struct facts *facts, const struct endpoint *at)
{
	const struct socket_use *u = socket_uses_find(facts->sockets, at);

	return u && u->hold_count;
}

/*
 * Its own packets, older by some routers, at the socket that sent them or under their very source, from nobody that it
 * was told to talk to. What the peer sends back from its own port is an echo test; what a relay sends to another socket
 * of the host is another call.
 */
static bool is_loop(const struct facts *facts, const struct stream *back)
{
	const struct stream *own = back->twin_of;

	if (!own || back->packets < 25 || back->ttl_max >= own->ttl_min ||
	    !address_equal(&back->dst.addr, &own->src.addr))
		return false;
	if (!endpoint_equal(&back->dst, &own->src) && !endpoint_equal(&back->src, &own->src))
		return false;
	return !endpoint_equal(&back->src, &own->dst) &&
	       (endpoint_equal(&back->src, &own->src) || !announced(facts, &back->src));
}

static bool is_echo(const struct stream *back)
{
	const struct stream *own = back->twin_of;

	return own && own->direction && back->direction && back->direction == direction_reverse(own->direction) &&
	       back->packets >= 25;
}

static void tell_loop(struct detection *d, const struct stream *back)
{
	struct finding *f = detection_raise_keyed(d, key_of(back), "loop", SEVERITY_ERROR, CONFIDENCE_CERTAIN);
	char host[SAY_TEXT];

	parts(f, back);
	finding_part(f, PART_VICTIM, &back->dst);
	finding_times(f, back->first_ns, back->last_ns);
	say_host(detection_facts(d), &back->dst.addr, host);
	finding_title(f, "%s receives its own audio back", host);
	finding_cause(f, "Packets of SSRC 0x%08x that %s sent return to it with a lower TTL: a forwarding loop.",
		back->ssrc, host);
	finding_fix(f, "Break the loop: look at routes and port forwardings for %s in the router that sends them back.",
		host);
	finding_evidence(f, stream_frame(back->twin_of, back->twin_of->first_frame, back->twin_of->first_ns), "sent");
	finding_evidence(f, stream_frame(back, back->first_frame, back->first_ns), "and back, TTL %u", back->ttl);
}

static void tell_echo(struct detection *d, const struct stream *back)
{
	struct finding *f = detection_raise_keyed(d, key_of(back), "echo", SEVERITY_INFO, CONFIDENCE_CERTAIN);
	char peer[SAY_TEXT], host[SAY_TEXT];

	parts(f, back);
	finding_times(f, back->first_ns, back->last_ns);
	say_host(detection_facts(d), &back->src.addr, peer);
	say_host(detection_facts(d), &back->dst.addr, host);
	finding_title(f, "%s sends the audio of its caller back", peer);
	finding_cause(f, "What %s sent comes back from the other party's own socket: an echo test.", host);
	finding_fix(f, "Nothing, if an echo test was called.");
	finding_evidence(f, stream_frame(back->twin_of, back->twin_of->first_frame, back->twin_of->first_ns), "sent");
	finding_evidence(f, stream_frame(back, back->first_frame, back->first_ns), "and back");
}

/* ---- one id, many hosts ---- */

static bool is_constant(const struct ssrc_use *x)
{
	for (unsigned i = 0; i < x->sender_count; i++) {
		if (x->sender[i]->packets < 25 || x->sender[i]->multicast)
			return false;
		for (unsigned k = 0; k < i; k++) {
			if (is_twin(x->sender[k], x->sender[i]) ||
			    !unrelated(x->sender[k], x->sender[i], x->sender[i]->first_ns))
				return false;
		}
	}
	return x->sender_count >= (x->ssrc ? CONSTANT_LEAST : 2);
}

static void tell_constant(struct detection *d, const struct ssrc_use *x)
{
	struct finding *f = detection_raise_keyed(d, hash_mix(x->ssrc, 1), "constant-ssrc", SEVERITY_INFO,
		CONFIDENCE_LIKELY);

	for (unsigned i = 0; i < x->sender_count; i++) {
		parts(f, x->sender[i]);
		finding_evidence(f, stream_frame(x->sender[i], x->sender[i]->first_frame, x->sender[i]->first_ns),
			"SSRC 0x%08x", x->ssrc);
	}
	finding_times(f, x->sender[0]->first_ns, x->sender[x->sender_count - 1]->last_ns);
	finding_title(f, "%u%s senders use one stream id", x->sender_count,
		x->sender_count == SSRC_SENDER_MAX ? " or more" : "");
	finding_cause(f, "They all send with SSRC 0x%08x, each to a socket of its own: harmless, until two of them meet in one conference.", x->ssrc);
	finding_fix(f, "Update these devices: stream ids must be random (RFC 3550 8.1).");
	f->count = x->sender_count;
}

/* ---- one socket ---- */

struct told {
	uint32_t ssrc[TOLD_MAX];
	unsigned count;
};

static bool was_told(const struct told *t, uint32_t ssrc)
{
	for (unsigned i = 0; i < t->count; i++) {
		if (t->ssrc[i] == ssrc)
			return true;
	}
	return t->count == TOLD_MAX;
}

/* The streams that began shortly before this one, or are its contemporaries. */
static void judge_stream(struct detection *d, const struct socket_use *s, unsigned at, struct told *told)
{
	const struct stream *b = s->arriving[at];

	for (unsigned i = at; i > 0 && at - i < SOCKET_WALKED_MAX; i--) {
		struct meeting m = { .a = s->arriving[i - 1], .b = b };

		if (m.a->ssrc == b->ssrc && !was_told(told, b->ssrc) && collide(d, &m)) {
			tell(d, &m);
			told->ssrc[told->count++] = b->ssrc;
			return;
		}
	}
	if (was_told(told, b->ssrc) || !b->twin_of)
		return;
	if (is_loop(detection_facts(d), b))
		tell_loop(d, b);
	else if (is_echo(b))
		tell_echo(d, b);
	else
		return;
	told->ssrc[told->count++] = b->ssrc;
}

static void on_event(struct detection *d, const struct event *ev)
{
	const struct socket_uses *sockets = detection_facts(d)->sockets;

	(void)ev;
	LIST_EACH(it, socket_uses_in_order(sockets)) {
		const struct socket_use *s = LIST_ENTRY(it, struct socket_use, in_order);
		struct told told = { .count = 0 };

		for (unsigned i = 0; i < s->arriving_count; i++)
			judge_stream(d, s, i, &told);
	}
	LIST_EACH(it, socket_uses_ssrcs(sockets)) {
		const struct ssrc_use *x = LIST_ENTRY(it, struct ssrc_use, in_order);

		if (is_constant(x))
			tell_constant(d, x);
	}
}

const struct detector detect_ssrc_collision = {
	.id = "ssrc-collision", .doc = &doc, .keys = keys, .event = on_event, .events = EVENT_BIT(EVENT_JUDGE_CAPTURE),
	.scope = GLOBAL, .usual = SEVERITY_WARNING, .possible_max = SEVERITY_INFO,
};
