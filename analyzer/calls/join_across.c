/* SPDX-License-Identifier: MIT */
/*
 * join_across: legs of a B2BUA that has an address in each of two networks, gets a call at one and makes its own from
 * the other. Nothing in SIP says that both are one machine; audio that goes through it does (1.1.4, relayed media).
 * Here is who is to be compared.
 */
#include "analyzer/calls/join_score.h"

/* ALIKE: the number and the moment, or two such */
enum { LOOK_MAX = 64, ALIKE = 40 };

#define WITHIN_NS SECOND_NS

/* ---- as a leg begins ---- */

/* The last of them are at hand now; when their audio begins they would have to be looked for. */
void across_begun(struct calls *c, struct leg_record *r, int64_t at_ns)
{
	const struct span caller = r->leg.party[SIDE_CALLER].user;
	struct begun_lately own = { .leg = r, .at_ns = at_ns,
		.called = number_fingerprint(r->leg.party[SIDE_CALLEE].user),
		.caller = caller_is_anonymous(caller) ? 0 : number_fingerprint(caller) };

	for (unsigned i = 0; i < LATELY_MAX; i++) {
		struct begun_lately *it = &c->lately[i];

		if (!it->leg || it->leg == r || ((own.called == 0 || own.called != it->called) &&
			(own.caller == 0 || own.caller != it->caller)))
			continue;
		if (at_ns - it->at_ns <= WITHIN_NS && it->at_ns - at_ns <= WITHIN_NS)
			r->alike = it->leg->alike = true;
	}
	c->lately[c->lately_next++ % LATELY_MAX] = own;
}

void across_same(const struct clue_key *key)
{
	for (unsigned i = 0; key && key->count > 1 && i < key->count; i++)
		LEG_RECORD(clue_oldest(key)[i].clue->leg)->alike = true;
}

void across_forget(struct calls *c, const struct leg_record *r)
{
	for (unsigned i = 0; i < LATELY_MAX; i++) {
		if (c->lately[i].leg == r)
			c->lately[i].leg = NULL;
	}
}

/* ---- as its audio begins ---- */

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

	if (!LEG_RECORD(leg)->alike || !leg->segment_count || (!onward && leg->parent))
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
