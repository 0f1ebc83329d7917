/* SPDX-License-Identifier: MIT */
/* ice_checks: connectivity checks (ICE) between the sockets that two parties named for a medium. */
#include "analyzer/detect/ice_checks.h"

/*
 * RFC 8489 6.2.1: a check is sent up to 7 times, by some stacks 4 times, but for RTP and for RTCP; RFC 7675 5.1: consent
 * expires when 30 s bring no answer.
 */
enum { CHECKS_MIN = 5, CHECKS_OF_MANY = 3, LOST_MIN = 10, WAYS_MAX = 64 };

#define LOST_NS (5 * SECOND_NS)      /* consent is asked for every 5 s */

struct search {
	const struct facts *facts;
	bool unanswered;
	int64_t since_ns;
	bool one_works;
	uint32_t together;           /* checks between the same two names, on whichever ways */
	const struct ice_way *best;
};

static bool works(const struct ice_way *way, int64_t since_ns)
{
	if (way->answered_ns == NS_NONE)
		return false;
	return way->in_vain < LOST_MIN || ns_minus(way->last_ns, way->answered_ns) < LOST_NS ||
	       way->answered_ns > ns_add(since_ns, LOST_NS);
}

static void weigh(struct search *s, const struct ice_way *way)
{
	bool enough = way && (way->checks >= CHECKS_MIN ||
		(way->checks >= CHECKS_OF_MANY && s->together >= CHECKS_MIN));

	if (enough && !(s->unanswered && works(way, s->since_ns)) &&
	    (!s->best || way->checks > s->best->checks))
		s->best = way;
}

static void look(struct search *s, const struct endpoint *from, const struct endpoint *to)
{
	weigh(s, network_ice(s->facts->network, from, to));
}

/* Behind a NAT they come from addresses that no SDP names: by what both sides call themselves. */
static void look_by_name(struct search *s, const struct sdp_media *asked, const struct sdp_media *asking)
{
	const struct ice_way *ways[WAYS_MAX];
	unsigned count = asked && asking ? network_ice_named(s->facts->network, asked->rare->ice_ufrag,
		asking->rare->ice_ufrag, ways, WAYS_MAX) : 0;

	for (unsigned i = 0; i < count; i++)
		s->together += ways[i]->checks;
	for (unsigned i = 0; i < count; i++) {
		const struct ice_way *back = network_ice(s->facts->network, &ways[i]->to, &ways[i]->from);

		/* answered both ways: what is answered here may be lost behind this point */
		s->one_works |= works(ways[i], s->since_ns) && (!back || works(back, s->since_ns));
		weigh(s, ways[i]);
	}
	s->together = 0;
}

static void look_in(struct search *s, const struct window *w)
{
	if (w->state != EXPECT_DUE || !w->ice)
		return;
	for (unsigned i = 0; i < w->source_count; i++) {
		for (unsigned k = 0; k < w->target_count; k++) {
			look(s, &w->sources[i].at, &w->targets[k].at);
			look(s, &w->targets[k].at, &w->sources[i].at);
		}
	}
	look_by_name(s, w->receiver, w->sender);
	look_by_name(s, w->sender, w->receiver);
}

static const struct ice_way *search(const struct facts *facts, const struct mslot *slot, bool unanswered,
	int64_t since_ns)
{
	struct search s = { facts, unanswered, since_ns, false, 0, NULL };

	for (unsigned side = 0; side < 2; side++) {
		const struct direction *d = &slot->direction[side];

		for (unsigned i = 0; i < d->window_count; i++)
			look_in(&s, &d->windows[i]);
	}
	return unanswered && s.one_works ? NULL : s.best;
}

const struct ice_way *ice_checks_of(const struct facts *facts, const struct mslot *slot)
{
	return search(facts, slot, false, NS_NONE);
}

const struct ice_way *ice_checks_unanswered(const struct facts *facts, const struct mslot *slot, int64_t since_ns)
{
	return search(facts, slot, true, since_ns);
}

static bool asks(const struct facts *facts, const struct endpoint *from, const struct endpoint *to)
{
	const struct ice_way *way = network_ice(facts->network, from, to);

	return way && way->checks + way->unnamed >= CHECKS_MIN;
}

bool ice_sockets_ask(const struct facts *facts, const struct mslot *slot)
{
	const struct direction *d = &slot->direction[SIDE_CALLER];

	for (unsigned i = 0; i < d->window_count; i++) {
		const struct window *w = &d->windows[i];

		for (unsigned k = 0; w->state == EXPECT_DUE && k < w->source_count * w->target_count; k++) {
			const struct endpoint *a = &w->sources[k / w->target_count].at,
				*b = &w->targets[k % w->target_count].at;

			if (asks(facts, a, b) || asks(facts, b, a))
				return true;
		}
	}
	return false;
}
