/* SPDX-License-Identifier: MIT */
/* more_legs: a set of legs that keeps their order. */
#include "analyzer/findings/more_legs.h"

#include <stdlib.h>

#include "captures/base/memory.h"

static uint32_t key_of(const struct leg *leg)
{
	return (uint32_t)hash_mix(0, (uintptr_t)leg);
}

static struct more_leg *find(const struct more_legs *m, const struct leg *leg)
{
	uint32_t key = key_of(leg);

	for (struct hash_link *it = hash_first(&m->by_leg, key); it; it = it->next) {
		struct more_leg *x = HASH_ENTRY(it, struct more_leg, by_leg);

		if (it->hash == key && x->leg == leg)
			return x;
	}
	return NULL;
}

struct more_legs *more_legs_new(void)
{
	struct more_legs *m = memory_zalloc(sizeof *m);

	list_init(&m->in_order);
	hash_init(&m->by_leg);
	return m;
}

void more_legs_free(struct more_legs *m)
{
	if (!m)
		return;
	LIST_EACH_SAFE(it, &m->in_order)
		free(LIST_ENTRY(it, struct more_leg, in_order));
	hash_fini(&m->by_leg);
	free(m);
}

bool more_legs_have(const struct more_legs *m, const struct leg *leg)
{
	return m && find(m, leg);
}

void more_legs_add(struct more_legs *m, const struct leg *leg)
{
	struct more_leg *x = memory_zalloc(sizeof *x);

	x->leg = leg;
	list_add_tail(&m->in_order, &x->in_order);
	hash_add(&m->by_leg, &x->by_leg, key_of(leg));
}

bool more_legs_remove(struct more_legs *m, const struct leg *leg)
{
	struct more_leg *x = m ? find(m, leg) : NULL;

	if (!x)
		return false;
	hash_remove(&m->by_leg, &x->by_leg);
	list_remove(&m->in_order, &x->in_order);
	free(x);
	return true;
}
