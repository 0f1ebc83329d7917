/* SPDX-License-Identifier: MIT */
/* ice_checks: connectivity checks (ICE) between the sockets that two parties named for a medium. */
#include "analyzer/detect/ice_checks.h"

enum { CHECKS_MIN = 5 };             /* RFC 8489 6.2.1: a check is sent up to 7 times */

struct search {
	const struct facts *facts;
	bool unanswered;
	const struct ice_way *best;
};

static void look(struct search *s, const struct endpoint *from, const struct endpoint *to)
{
	const struct ice_way *way = network_ice(s->facts->network, from, to);

	if (way && way->checks >= CHECKS_MIN && !(s->unanswered && way->answers) &&
	    (!s->best || way->checks > s->best->checks))
		s->best = way;
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
}

static const struct ice_way *search(const struct facts *facts, const struct mslot *slot, bool unanswered)
{
	struct search s = { facts, unanswered, NULL };

	for (unsigned side = 0; side < 2; side++) {
		const struct direction *d = &slot->direction[side];

		for (unsigned i = 0; i < d->window_count; i++)
			look_in(&s, &d->windows[i]);
	}
	return s.best;
}

const struct ice_way *ice_checks_of(const struct facts *facts, const struct mslot *slot)
{
	return search(facts, slot, false);
}

const struct ice_way *ice_checks_unanswered(const struct facts *facts, const struct mslot *slot)
{
	return search(facts, slot, true);
}
