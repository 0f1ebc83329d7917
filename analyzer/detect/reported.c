/* SPDX-License-Identifier: MIT */
/* reported: what a receiver's RTCP says of a stream, where makes differ in what they report (RFC 3550 6.4). */
#include "analyzer/detect/reported.h"

#include "analyzer/media/socket_use.h"

enum { LOST_THERE = 10, PART = 4 };  /* packets: no chance any more; of all that is missing */

/* The session to whose control port it reports, then; NULL: of none that is known. */
static const struct socket_hold *hold_at(const struct facts *facts, struct endpoint at, int64_t at_ns)
{
	const struct socket_use *use = socket_uses_find(facts->sockets, &at);

	for (unsigned i = use ? use->hold_count : 0; i-- > 0;) {
		if (use->holds[i]->from_ns <= at_ns && at_ns <= use->holds[i]->to_ns)
			return use->holds[i];
	}
	return NULL;
}

/* Whoever reports, as SIP knows it: the other side of the session whose control port hears it. NULL: unknown. */
static const struct party *reporter(const struct facts *facts, const struct rtcp_party *p)
{
	struct endpoint rtp = { p->dst.addr, (uint16_t)(p->dst.port - 1) };
	const struct socket_hold *hold = hold_at(facts, rtp, p->last_ns);

	if (!hold)
		hold = hold_at(facts, p->dst, p->last_ns);
	/* its last word, the RTCP BYE, may come when the call is over */
	if (!hold)
		hold = hold_at(facts, rtp, p->first_ns);
	if (!hold)
		hold = hold_at(facts, p->dst, p->first_ns);
	return hold ? &hold->leg->party[hold->direction->sender] : NULL;
}

struct make {
	const struct facts *facts;
	const struct address *at;
	struct span agent;
	bool itself;                 /* it signals from where it reports: no relay reports in its place */
};

static bool is_itself(const struct party *who, const struct rtcp_party *p)
{
	return who && address_equal(&who->signalling.addr, &p->src.addr);
}

static bool same_make(const void *about, const struct rtcp_party *p)
{
	const struct make *m = about;
	const struct party *who = reporter(m->facts, p);
	struct span agent = who ? who->user_agent : (struct span){ 0 };

	if (!address_equal(m->at, &p->src.addr))
		return m->itself && is_itself(who, p) && agent.n && span_equal(m->agent, agent);
	if (m->agent.n && agent.n)
		return span_equal(m->agent, agent);
	return network_insides(m->facts->network, &p->src.addr) <= 1;
}

enum rtcp_verdict reported(const struct facts *facts, const struct stream *s, const struct rtcp_party *receiver,
	int64_t from_ns, int64_t to_ns, const struct rtcp_report **ret_last)
{
	struct make m = { .facts = facts };
	const struct party *who = receiver && !receiver->ever_blocks ? reporter(facts, receiver) : NULL;

	m.at = receiver ? &receiver->src.addr : NULL;
	m.itself = is_itself(who, receiver);
	m.agent = who ? who->user_agent : (struct span){ 0 };
	return rtcp_verdict(facts->rtcp, s, receiver, from_ns, to_ns, same_make, &m, ret_last);
}

/* What the capture lacks in the intervals that lie between two reports, with time for the way to the receiver. */
static uint64_t lost_between(const struct stream *s, const struct rtcp_report *a, const struct rtcp_report *b)
{
	uint64_t n = 0;

	for (unsigned i = 0; i + 1u < s->interval_count; i++) {
		const struct interval *x = &s->intervals[i];

		if (x->at_ns >= a->at_ns && ns_add(s->intervals[i + 1].at_ns, SECOND_NS) <= b->at_ns)
			n += x->expected > x->packets ? x->expected - x->packets : 0;
	}
	return n;
}

bool reported_there(const struct facts *facts, const struct stream *s)
{
	const struct rtcp_view *v = rtcp_view_of(facts->rtcp, s);
	const struct rtcp_report *a, *b;
	int64_t lost;
	uint64_t here;

	if (!v || v->report_count < 2)
		return false;
	a = &v->reports[0];
	b = &v->reports[v->report_count - 1];
	lost = (int64_t)b->cumulative_lost - a->cumulative_lost;
	here = lost_between(s, a, b);
	return here >= LOST_THERE && here * PART >= s->lost_within && lost * 2 < (int64_t)here;
}
