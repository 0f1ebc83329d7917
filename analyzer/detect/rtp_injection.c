/* SPDX-License-Identifier: MIT */
/*
 * rtp-injection: a host that the call does not know sends audio into it, beside the one that should. RFC 3550 8.2, 9;
 * RFC 7362 5.
 */
#include <stdio.h>

#include "analyzer/detect/half_known.h"
#include "analyzer/detect/known.h"
#include "analyzer/detect/gates.h"
#include "analyzer/detect/lookup.h"
#include "analyzer/detect/say.h"
#include "analyzer/media/binding.h"
#include "analyzer/media/socket_use.h"
#include "analyzer/network/vlan_use.h"

static const char *const reasons[] = { "foreign-source", "spoofed", "ssrc-guess", "media-hijack", NULL };

static const struct detector_doc doc = {
	.says = "a third host sends into a call",
	.symptom = "Strange sounds in a call, broken voice while somebody plays with the port, audio that leaves for a stranger.",
	.evidence = "A second source at a media port while the first one goes on, at an address that no message of the call names; or one stream with two "
		    "numberings and two TTLs.",
	.mimics = "Forks and gateways that both play, music on hold, a phone that changes its network, a relay, another call on the same port.",
	.fix = "Accept media from the agreed source only (strict RTP), use SRTP, open the firewall for the peer's addresses alone.",
	.reasons = reasons,
};

static const struct config_key keys[] = {
	{ "overlap-ms", 500, "ms", 100, 60000, "1.4.4: moves from one source to another take less" },
	{ "min-packets", 10, "packets", 3, 10000, "a fifth of a second" },
	{ 0 },
};

enum { TOLD_MAX = 8 /* findings a socket */, TURNS_LEAST = 20, SECOND_LEAST = 50,
	HIJACKED_LEAST = 10 };

#define HANDOVER_NS (2 * SECOND_NS)          /* a phone that changes its network, a gateway that hands over */
#define LONG_NS (5 * SECOND_NS)              /* beside a neighbour of the party: pools of gateways take turns */

struct meeting {
	const struct socket_use *socket;
	const struct socket_hold *hold;
	const struct stream *own, *other;    /* that of the call, and the one that joins it */
	int64_t from_ns, to_ns;
	const struct stream *taken;          /* audio of the socket that turned to the other one; NULL */
};

static const struct stream *first_copy(const struct stream *s)
{
	for (unsigned depth = 0; s->twin_of && depth < 16; depth++)
		s = s->twin_of;
	return s;
}

/* Do both send for so long, and does neither merely take over from the other one? */
static bool overlaps(const struct detection *d, struct meeting *m)
{
	const struct stream *a = m->own, *b = m->other;
	bool neighbours = address_same_net(&a->src.addr, &b->src.addr);
	double least = detection_key(d, "min-packets");

	m->from_ns = a->first_ns > b->first_ns ? a->first_ns : b->first_ns;
	m->to_ns = a->last_ns < b->last_ns ? a->last_ns : b->last_ns;
	if (m->to_ns > m->hold->to_ns)
		m->to_ns = m->hold->to_ns;       /* both may come again in another session, under the same SSRC */
	if ((double)ns_minus(m->to_ns, m->from_ns) < detection_key(d, "overlap-ms") * 1e6)
		return false;
	/* the earlier one ends soon after the later one begins: handed over */
	if (ns_minus(m->to_ns, m->from_ns) < (neighbours ? LONG_NS : HANDOVER_NS) &&
	    (a->first_ns < b->first_ns) == (a->last_ns < b->last_ns))
		return false;
	return stream_packets_between(a, m->from_ns, m->to_ns + 1) >= least &&
	       stream_packets_between(b, m->from_ns, m->to_ns + 1) >= least;
}

/* Of the types that the socket takes; noise of another program is not taken for speech by any receiver. */
static bool type_fits(const struct socket_hold *h, const struct stream *s)
{
	uint32_t fits = 0, all = 0;

	for (unsigned i = 0; i < s->type_count; i++) {
		all += s->types[i].packets;
		fits += sdp_format_find(h->media, s->types[i].pt) ? s->types[i].packets : 0;
	}
	return fits * 2 > all;
}

static bool in_hold(const struct socket_hold *h, const struct stream *s)
{
	return h->due && !h->direction->slot->dialog->partial && s->last_ns >= h->from_ns && s->first_ns <= h->to_ns;
}

/* Holds that began before that time: how many of them, by time. */
static unsigned holds_before(const struct socket_use *u, int64_t at_ns)
{
	unsigned low = 0, high = u->hold_count;

	while (low < high) {
		unsigned middle = low + (high - low) / 2;

		if (u->holds[middle]->from_ns <= at_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/*
 * Does any session that names the socket at that time know this source? A port may serve thousands of calls: the latest
 * are asked.
 */
static bool known_to_socket(const struct facts *facts, const struct socket_use *u, const struct stream *s)
{
	unsigned n = holds_before(u, s->last_ns);

	if (s->direction && s->bound_by <= BOUND_STRONG &&
	    known_in_call(facts, s->direction->slot->dialog->leg, &s->src.addr))
		return true;
	if (n > SOCKET_WALKED_MAX && u->holds[n - SOCKET_WALKED_MAX - 1]->to_ns >= s->first_ns)
		/* one port for many calls at once (WebRTC): any of them may know it */
		return true;
	for (unsigned i = n; i > 0 && n - i < SOCKET_WALKED_MAX; i--) {
		const struct socket_hold *h = u->holds[i - 1];

		if (h->from_ns <= s->last_ns && h->to_ns >= s->first_ns - LONG_NS &&
		    (h->ice || known_in_call(facts, h->leg, &s->src.addr)))
			return true;
	}
	return false;
}

/* What the socket sends goes to the stranger since it came, and went to the party before. */
static const struct stream *hijacked(const struct meeting *m)
{
	struct stream_slice out = socket_leaving(m->socket, INT64_MAX);
	const struct stream *found = NULL;
	bool before = false;

	for (unsigned i = 0; i < out.count; i++) {
		const struct stream *s = out.at[i];

		if (endpoint_equal(&s->dst, &m->other->src) && s->first_ns >= m->other->first_ns &&
		    s->packets >= HIJACKED_LEAST)
			found = s;
		before |= address_equal(&s->dst.addr, &m->own->src.addr) && s->first_ns < m->other->first_ns;
	}
	return before ? found : NULL;
}

/* The stream of the call that this one meets. */
static bool meets(const struct detection *d, const struct socket_use *u, const struct socket_hold *h,
	const struct stream *other, struct meeting *ret)
{
	const struct facts *facts = detection_facts(d);
	struct stream_slice all = socket_arriving(u, other->last_ns);

	for (unsigned i = 0; i < all.count; i++) {
		struct meeting m = { .socket = u, .hold = h, .own = all.at[i], .other = other };

		if (m.own == other || !m.own->direction || m.own->bound_by > BOUND_STRONG ||
		    address_equal(&m.own->src.addr, &other->src.addr) ||
		    first_copy(m.own) == first_copy(other) || !overlaps(d, &m) ||
		    (m.own->bound_by != 1 && !known_in_call(facts, h->leg, &m.own->src.addr)))
			continue;
		m.taken = hijacked(&m);
		*ret = m;
		return true;
	}
	return false;
}

/* ---- words ---- */

static void parts(struct finding *f, const struct meeting *m)
{
	finding_leg(f, m->hold->leg);
	finding_part(f, PART_CULPRIT, &m->other->src);
	finding_part(f, PART_VICTIM, &m->socket->at);
	finding_stream(f, m->other->n);
	finding_stream(f, m->own->n);
	finding_times(f, m->from_ns, m->to_ns);
	f->stream = m->other;
}

static void tell(struct detection *d, const struct meeting *m, uint64_t key)
{
	const struct facts *facts = detection_facts(d);
	bool same_id = m->own->ssrc == m->other->ssrc;
	const char *reason = m->taken ? "media-hijack" : same_id ? "ssrc-guess" : "foreign-source";
	struct finding *f = detection_raise_keyed(d, key, reason, m->taken ? SEVERITY_CRITICAL : SEVERITY_ERROR,
		m->taken ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY);
	char q[SAY_TEXT], r[SAY_TEXT], s[SAY_TEXT], act[2 * SAY_TEXT], effect[2 * SAY_TEXT + 40], at[ENDPOINT_TEXT],
		count[TEXT_COUNT];

	parts(f, m);
	say_host(facts, &m->other->src.addr, q);
	say_host(facts, &m->own->src.addr, s);
	say_host(facts, &m->socket->at.addr, r);
	endpoint_text(&m->socket->at, at);
	text_count(m->other->packets, count);
	snprintf(act, sizeof act, "%s sends audio into a call", q);
	if (m->taken) {
		snprintf(effect, sizeof effect, "%s sends the call's audio to %s", r, q);
		finding_cause(f,
			"%s sends %s packets to %s besides %s; since frame %u %s sends the audio of the call to it.", q,
			count, at, s, m->taken->first_frame, r);
		finding_fix(f, "Update %s and switch strict RTP (source learnt once, then kept) on now; let only the peer's addresses reach its media ports.", r);
		finding_evidence(f, stream_frame(m->taken, m->taken->first_frame, m->taken->first_ns),
			"audio of the call turns to it");
	} else {
		snprintf(effect, sizeof effect, "%s may play it", r);
		finding_cause(f, "%s sends %s packets to %s besides %s%s; no message of the call names it.", q, count,
			at, s, same_id ? " and with its SSRC" : "");
		finding_fix(f, "Find out who %s is; use SRTP, strict RTP on %s, and a firewall that lets only %s reach its media ports.", q, r, s);
		finding_cannot_see(f, "whether %s plays these packets", r);
	}
	say_title(f, act, effect);
	finding_evidence_run(f, stream_frame(m->other, m->other->first_frame, m->other->first_ns), m->other->last_frame,
		"%s packets of the stranger", count);
	finding_evidence_run(f, stream_frame(m->own, m->own->first_frame, m->own->first_ns), m->own->last_frame,
		"audio of the call to the same port");
}

/* Two numberings take turns under one source and one id, with two TTLs: two machines. */
static void judge_spoofed(struct detection *d, const struct stream *s)
{
	char from[ENDPOINT_TEXT], to[SAY_TEXT], act[2 * SAY_TEXT], effect[2 * SAY_TEXT];
	/* two of one rate restart each other, a slower one strays */
	uint32_t turns = s->epochs - 1 + stream_flaws(s)->strays;
	struct finding *f;

	if (turns < TURNS_LEAST || s->ttl_min == s->ttl_max || !s->direction || s->bound_by > BOUND_STRONG ||
	    s->twin_of || stream_flaws(s)->copies_other_ttl)
		return;
	if (gates_copies_apart_ns(detection_facts(d)->gates)) {
		detection_withhold(d, s->direction->slot->dialog->leg, "G9", GATES_MERGED);
		return;
	}
	f = detection_raise_keyed(d, hash_mix(endpoint_key(&s->dst), s->ssrc), "spoofed", SEVERITY_ERROR,
		CONFIDENCE_CERTAIN);
	finding_leg(f, s->direction->slot->dialog->leg);
	finding_part(f, PART_VICTIM, &s->dst);
	finding_part(f, PART_WITNESS, &s->src);
	finding_stream(f, s->n);
	finding_times(f, s->first_ns, s->last_ns);
	endpoint_text(&s->src, from);
	say_host(detection_facts(d), &s->dst.addr, to);
	snprintf(act, sizeof act, "Somebody sends audio in the name of %s", from);
	snprintf(effect, sizeof effect, "%s may play it", to);
	say_title(f, act, effect);
	finding_cause(f, "Under the source %s and one SSRC two numberings take turns (%u changes), with TTL %u and %u: two machines, one of which forges the address.", from,
		      turns, s->ttl_min, s->ttl_max);
	finding_fix(f, "Use SRTP for this call; stop forged sources at the edge (BCP 38), and look for the machine behind the other TTL.");
	finding_evidence_run(f, stream_frame(s, s->first_frame, s->first_ns), s->last_frame, "the stream");
}

/* Without signalling nobody knows who belongs there: a second sender, no more. */
static void judge_unsignalled(struct detection *d, const struct socket_use *u, const struct stream *b)
{
	struct stream_slice all = socket_arriving(u, b->first_ns);
	char x[SAY_TEXT], y[SAY_TEXT], at[ENDPOINT_TEXT];

	for (unsigned i = 0; i < all.count; i++) {
		const struct stream *a = all.at[i];
		int64_t to_ns = a->last_ns < b->last_ns ? a->last_ns : b->last_ns;
		struct finding *f;

		if (a == b || address_equal(&a->src.addr, &b->src.addr) || a->packets < SECOND_LEAST ||
		    b->packets < SECOND_LEAST || a->multicast ||
		    first_copy(a) == first_copy(b) || ns_minus(to_ns, b->first_ns) < HANDOVER_NS ||
		    a->run.pt != b->run.pt)
			continue;
		f = detection_raise_keyed(d, endpoint_key(&u->at), "foreign-source", SEVERITY_INFO,
			CONFIDENCE_POSSIBLE);
		finding_part(f, PART_WITNESS, &a->src);
		finding_part(f, PART_WITNESS, &b->src);
		finding_stream(f, a->n);
		finding_stream(f, b->n);
		finding_times(f, b->first_ns, to_ns);
		say_host(detection_facts(d), &a->src.addr, x);
		say_host(detection_facts(d), &b->src.addr, y);
		endpoint_text(&u->at, at);
		finding_title(f, "A second sender at %s", at);
		finding_cause(f,
			"%s and %s both send to %s for %.1f s; no signalling says which of them belongs there.", x, y,
			at, (double)ns_minus(to_ns, b->first_ns) / 1e9);
		finding_fix(f, "Capture the signalling as well.");
		finding_evidence(f, stream_frame(b, b->first_frame, b->first_ns), "first packet of the second sender");
		return;
	}
}

/* Before the answer several may play, and of one the capture may lack what names it; they end with the answer. */
static bool of_unseen_branch(const struct leg *leg, const struct stream *s)
{
	return leg->answer_ns != NS_NONE && s->first_ns < leg->answer_ns &&
	       s->last_ns <= ns_add(leg->answer_ns, HANDOVER_NS);
}

/* Of what was asked inside the call when it began the capture has the answer alone: that may have named it. */
static bool of_unseen_offer(const struct leg *leg, const struct stream *s)
{
	LIST_EACH(it, &leg->transactions) {
		const struct transaction *t = LIST_ENTRY(it, struct transaction, in_leg);

		if (!t->initial && (t->method == SIP_INVITE || t->method == SIP_UPDATE) && !t->request && t->final &&
		    t->final->status < 300 && ns_minus(s->first_ns, t->final->at.at_ns) < LONG_NS &&
		    ns_minus(t->final->at.at_ns, s->first_ns) < HANDOVER_NS)
			return true;
	}
	return false;
}

/* It may belong to a call of its own, whose INVITE or answer was not captured. */
static bool of_unseen_session(struct detection *d, const struct leg *leg, const struct stream *s)
{
	if (of_unseen_branch(leg, s) || of_unseen_offer(leg, s)) {
		detection_withhold(d, leg, "G6", "what names the second sender may not be in the capture");
		return true;
	}
	if (!half_known_party(lookup_half_known(detection_facts(d)->lookup), &s->src.addr, s->first_ns, s->last_ns))
		return false;
	detection_withhold(d, NULL, "G6", "the second sender is in a call whose INVITE or answer is not in the capture");
	return true;
}

/* The same address in another network, whose VLAN the mirror shows, too. */
static bool of_other_network(struct detection *d, const struct socket_use *u, const struct socket_hold *h,
	const struct stream *s)
{
	return binding_in_other_vlan(s, h->leg) &&
	       vlan_uses_two_hosts(network_vlans(detection_facts(d)->network), &u->at.addr, s->vlan, h->leg->vlan);
}

static void judge_socket(struct detection *d, const struct socket_use *u)
{
	unsigned told = 0;

	for (unsigned i = 0; i < u->arriving_count && told < TOLD_MAX; i++) {
		const struct stream *s = u->arriving[i];
		const struct socket_hold *h = NULL;
		struct meeting m;

		if (!u->hold_count) {
			judge_unsignalled(d, u, s);
			continue;
		}
		judge_spoofed(d, s);
		for (unsigned n = holds_before(u, s->last_ns), k = n; k > 0 && n - k < SOCKET_WALKED_MAX && !h; k--)
			h = in_hold(u->holds[k - 1], s) ? u->holds[k - 1] : NULL;
		if (!h || s->bound_by == 1 || s->multicast || s->twin_of ||
		    (double)s->packets < detection_key(d, "min-packets") || !type_fits(h, s) ||
		    known_to_socket(detection_facts(d), u, s) || !meets(d, u, h, s, &m) ||
		    of_other_network(d, u, h, s) || of_unseen_session(d, h->leg, s))
			continue;
		tell(d, &m, hash_mix(hash_mix(endpoint_key(&u->at), endpoint_key(&s->src)), s->ssrc));
		told++;
	}
}

static void on_event(struct detection *d, const struct event *ev)
{
	(void)ev;
	LIST_EACH(it, socket_uses_in_order(detection_facts(d)->sockets)) {
		const struct socket_use *u = LIST_ENTRY(it, struct socket_use, in_order);

		judge_socket(d, u);
	}
}

const struct detector detect_rtp_injection = {
	.id = "rtp-injection", .doc = &doc, .keys = keys, .event = on_event, .events = EVENT_BIT(EVENT_JUDGE_CAPTURE),
	.scope = GLOBAL, .usual = SEVERITY_ERROR, .possible_max = SEVERITY_WARNING,
};
