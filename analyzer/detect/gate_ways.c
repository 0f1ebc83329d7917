/* SPDX-License-Identifier: MIT */
/* gate_ways: calls counted by pair of the addresses that they named for their audio. */
#include "analyzer/detect/gate_ways.h"

#include "analyzer/media/expectation.h"

enum { CALLS = 3 };                  /* fewer prove nothing */

struct between {
	struct hash_link link;
	struct address a, b;
	unsigned both, to_a, to_b;   /* calls by what passes here */
};

void gate_ways_init(struct gate_ways *g, struct arena *arena)
{
	g->arena = arena;
	hash_init(&g->between);
}

void gate_ways_fini(struct gate_ways *g)
{
	hash_fini(&g->between);
}

static struct between *between_find(const struct gate_ways *g, const struct address *a, const struct address *b)
{
	uint32_t hash = address_hash(a) ^ address_hash(b);

	for (struct hash_link *it = hash_first(&g->between, hash); it; it = it->next) {
		struct between *x = HASH_ENTRY(it, struct between, link);

		if (it->hash == hash && ((address_equal(&x->a, a) && address_equal(&x->b, b)) ||
		    (address_equal(&x->a, b) && address_equal(&x->b, a))))
			return x;
	}
	return NULL;
}

void gate_ways_count(struct gate_ways *g, const struct mslot *slot)
{
	const struct direction *d = slot->direction;
	const struct window *w[2] = { direction_first_due(&d[0]), direction_first_due(&d[1]) };
	bool came[2] = { d[0].stream_count > 0, d[1].stream_count > 0 };
	const struct address *to[2];
	struct between *x;

	for (unsigned side = 0; side < 2; side++) {
		if (!w[side] || !w[side]->target_count)
			return;
		to[side] = &w[side]->targets[0].at.addr;
	}
	if ((!came[0] && !came[1]) || address_equal(to[0], to[1]))
		return;
	x = between_find(g, to[0], to[1]);
	if (!x) {
		x = arena_zalloc(g->arena, sizeof *x);
		x->a = *to[0];
		x->b = *to[1];
		hash_add(&g->between, &x->link, address_hash(to[0]) ^ address_hash(to[1]));
	}
	if (came[0] && came[1])
		x->both++;
	else if (address_equal(came[0] ? to[0] : to[1], &x->a))
		x->to_a++;
	else
		x->to_b++;
}

bool gate_ways_one_each(const struct gate_ways *g, const struct address *a, const struct address *b)
{
	const struct between *x = between_find(g, a, b);

	return x && !x->both && x->to_a && x->to_b && x->to_a + x->to_b >= CALLS;
}
