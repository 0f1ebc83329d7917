/* SPDX-License-Identifier: MIT */
/*
 * join_across: legs of a B2BUA that has an address in each of two networks, gets a call at one and makes its own from
 * the other. Nothing in SIP says that both are one machine; audio that goes through it does (1.1.4, relayed media).
 * Here is who is to be compared.
 */
#include "analyzer/calls/internal.h"

/* ALIKE: the number and the moment, or two such */
enum { LOOK_MAX = 64, ALIKE = 40 };

#define WITHIN_NS SECOND_NS

/* The next by first message, NULL none is near. */
static struct leg *neighbour(const struct calls *c, struct leg *leg, bool onward)
{
	struct list_link *it = onward ? leg->in_order.next : leg->in_order.prev;

	return it == &calls_legs(c)->head ? NULL : LIST_ENTRY(it, struct leg, in_order);
}

static bool is_near(const struct leg *a, const struct leg *b)
{
	int64_t apart_ns = ns_minus(a->first_ns, b->first_ns);

	return apart_ns <= WITHIN_NS && -apart_ns <= WITHIN_NS;
}

struct leg *calls_across(const struct calls *c, struct leg *leg, bool onward)
{
	struct leg *best = NULL, *at = leg;
	unsigned most = ALIKE - 1;

	if (!leg->segment_count || (!onward && leg->parent))
		return NULL;
	for (unsigned i = 0; i < LOOK_MAX && (at = neighbour(c, at, onward)) && is_near(at, leg); i++) {
		unsigned points;

		if (!at->segment_count || at->call == leg->call || (onward && at->parent))
			continue;
		points = onward ? join_across(c, LEG_RECORD(leg), LEG_RECORD(at))
				: join_across(c, LEG_RECORD(at), LEG_RECORD(leg));
		if (points > most) {
			most = points;
			best = at;
		}
	}
	return best;
}
