/* SPDX-License-Identifier: MIT */
/* rtp-port-reuse: a host gives a media port to the next call while the last one still echoes there. Finding 3.11. */
#include <stdio.h>

#include "analyzer/detect/say.h"
#include "analyzer/media/socket_use.h"

static const char *const reasons[] = { "quick", "late-packets", "mislatched", NULL };

static const struct detector_doc doc = {
	.says = "a media port was used again too soon",
	.symptom = "\"The start of the call has foreign voices\".",
	.evidence = "One ip:port in two calls of one host, the second beginning within seconds of the first one's end; audio of the first that still arrives.",
	.mimics = "A redial between the same two parties, retries and authentication of one call, a BYE that nobody answered, NAT addresses.",
	.fix = "Let the host take ports in turn, keep a used port closed for 5 s or more, and accept audio of the negotiated source only.",
	.reasons = reasons,
};

static const struct config_key keys[] = {
	{ "reuse-s", 2, "s", 0.1, 60, "field: tails up to 2 s are normal" },
	{ "late-min", 5, "packets", 1, 1000, "a tenth of a second of 20 ms packets" },
	{ 0 },
};

enum { MISLED_PACKETS = 25 };

struct reuse {
	const struct socket_use *socket;
	const struct socket_hold *old, *new;
	int64_t ended_ns;
	const struct stream *late;   /* of the old call, still arriving in the new one; NULL none */
	const struct stream *misled; /* what the socket sends to the old sender in the new call; NULL */
	double late_packets;
};

static bool one_sequence(const struct socket_hold *a, const struct socket_hold *b)
{
	return a->leg == b->leg || a->leg->call == b->leg->call || span_equal(a->leg->call_id, b->leg->call_id) ||
	       b->leg->is_retry ||
	       b->leg->is_transfer || a->leg->transferred || b->leg->replaces_call_id.n;
}

/* The same two again: they know what they dialled. */
static bool is_redial(const struct socket_hold *a, const struct socket_hold *b)
{
	return address_known(hold_remote_host(a)) && address_equal(hold_remote_host(a), hold_remote_host(b)) &&
	       span_equal(a->leg->party[SIDE_CALLER].user, b->leg->party[SIDE_CALLER].user) &&
	       span_equal(a->leg->party[SIDE_CALLEE].user, b->leg->party[SIDE_CALLEE].user);
}

/* Ended for both: a BYE that was answered, or a call that never stood. */
static int64_t ended_ns(const struct socket_hold *h)
{
	if (h->leg->bye_seen)
		return h->leg->bye_answered ? h->leg->bye_ns : NS_NONE;
	return h->leg->end_ns;
}

static bool belongs_to_new(const struct stream *s, const struct socket_hold *h)
{
	return (s->direction && s->direction->slot->dialog->leg == h->leg) || hold_has_remote(h, &s->src);
}

/*
 * From when on audio must be there: the grace after the answer, in which tails of the call before are normal, is over.
 */
static int64_t due_ns(const struct socket_hold *h)
{
	const struct window *w = direction_first_due(h->direction);

	return w ? w->due_ns : h->from_ns;
}

static void find_late(struct reuse *r, double least)
{
	struct stream_slice in = socket_arriving(r->socket, r->ended_ns);
	int64_t from = due_ns(r->new);

	for (unsigned i = 0; i < in.count; i++) {
		const struct stream *x = in.at[i];
		double n;

		if (x->last_ns < from || !hold_fits_source(r->old, x) || belongs_to_new(x, r->new))
			continue;
		n = stream_packets_between(x, from, r->new->to_ns);
		if (n < least || n <= r->late_packets)
			continue;
		r->late = x;
		r->late_packets = n;
	}
}

/* The new call's audio goes to the old call's sender. */
static void find_misled(struct reuse *r)
{
	struct stream_slice out = socket_leaving(r->socket, r->new->to_ns);

	for (unsigned i = 0; r->late && i < out.count; i++) {
		if (out.at[i]->first_ns > r->ended_ns && endpoint_equal(&out.at[i]->dst, &r->late->src) &&
		    out.at[i]->packets >= MISLED_PACKETS)
			r->misled = out.at[i];
	}
}

static void say(struct finding *f, const struct facts *facts, const struct reuse *r)
{
	char at[ENDPOINT_TEXT], host[SAY_TEXT], sender[SAY_TEXT];
	double gap_s = (double)ns_minus(r->new->from_ns, r->ended_ns) / 1e9;

	endpoint_text(&r->socket->at, at);
	say_host(facts, &r->socket->at.addr, host);
	finding_title(f, "%s was given to the next call %.1f s after the last", at, gap_s);
	if (!r->late) {
		finding_cause(f, "%s used %s again %.1f s after the call before it; nothing of that call arrived late.",
			host, at, gap_s);
		finding_fix(f, "Nothing is wrong yet. A larger port range, taken in turn, keeps late packets of one call out of the next.");
		finding_cannot_see(f, "packets that came late before the capture began");
		return;
	}
	say_host(facts, &r->late->src.addr, sender);
	finding_cause(f, "%s was reused %.1f s after a call whose sender, %s, still sent: %.0f of its packets arrived in the new call%s.", at, gap_s, sender,
		      r->late_packets, r->misled ? ", and the new call's audio went to it" : "");
	finding_fix(f, "On %s take ports in turn, keep a used one closed for 5 s, accept the negotiated source only; find out why %s sends on after the BYE.",
		    host, sender);
}

static void tell(struct detection *d, const struct reuse *r)
{
	const char *reason = r->misled ? "mislatched" : r->late ? "late-packets" : "quick";
	bool long_tail = r->late && ns_minus(r->late->last_ns, due_ns(r->new)) >= SECOND_NS;
	enum severity severity = !r->late ? SEVERITY_INFO : r->misled || long_tail ? SEVERITY_ERROR : SEVERITY_WARNING;
	struct finding *f = detection_raise_keyed(d, endpoint_key(&r->socket->at), reason, severity,
		CONFIDENCE_CERTAIN);

	finding_part(f, PART_CULPRIT, &r->socket->at);
	if (r->late) {
		finding_part(f, PART_CULPRIT, &r->late->src);
		finding_stream(f, r->late->n);
	}
	finding_leg(f, r->new->leg);
	finding_leg(f, r->old->leg);
	finding_times(f, r->new->from_ns, r->late ? r->late->last_ns : r->new->from_ns);
	finding_evidence(f, r->old->leg->bye_seen ? r->old->leg->bye_at : r->old->named->at, "the call before ends");
	finding_evidence(f, r->new->named->at, "the next call names the same address");
	if (r->late)
		finding_evidence(f, stream_frame(r->late, r->late->last_frame, r->late->last_ns),
			"the last packet of the call before");
	say(f, detection_facts(d), r);
}

static bool reused(struct detection *d, struct reuse *r)
{
	r->ended_ns = ended_ns(r->old);
	if (r->ended_ns == NS_NONE || r->new->from_ns < r->ended_ns || !r->old->due || !r->new->due ||
	    (double)ns_minus(r->new->from_ns, r->ended_ns) >= detection_key(d, "reuse-s") * 1e9)
		return false;
	return !one_sequence(r->old, r->new) && !is_redial(r->old, r->new) &&
	       socket_owner_of(detection_facts(d)->network, &r->socket->at, r->old, r->new) == SOCKET_ONE_OWNER;
}

/* The worst of one address: late packets before a bare fact. */
static void judge_socket(struct detection *d, const struct socket_use *s)
{
	struct reuse worst = { .socket = NULL };

	for (unsigned i = 1; i < s->hold_count; i++) {
		struct reuse r = { .socket = s, .old = s->holds[i - 1], .new = s->holds[i] };

		if (!reused(d, &r))
			continue;
		find_late(&r, detection_key(d, "late-min"));
		find_misled(&r);
		if (!worst.socket || r.late_packets > worst.late_packets)
			worst = r;
	}
	if (worst.socket)
		tell(d, &worst);
}

static void on_event(struct detection *d, const struct event *ev)
{
	(void)ev;
	LIST_EACH(it, socket_uses_in_order(detection_facts(d)->sockets)) {
		const struct socket_use *s = LIST_ENTRY(it, struct socket_use, in_order);

		if (s->hold_count > 1)
			judge_socket(d, s);
	}
}

const struct detector detect_rtp_port_reuse = {
	.id = "rtp-port-reuse", .doc = &doc, .keys = keys, .event = on_event, .events = EVENT_BIT(EVENT_JUDGE_CAPTURE),
	.scope = GLOBAL, .usual = SEVERITY_INFO, .possible_max = SEVERITY_INFO,
};
