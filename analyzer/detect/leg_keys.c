/* SPDX-License-Identifier: MIT */
/* leg_keys: a table of Call-ID and tag, made while judging. */
#include "analyzer/detect/leg_keys.h"

#include <stdlib.h>

#include "analyzer/network/two_points.h"
#include "captures/base/memory.h"

struct leg_keys {
	const struct calls *calls;
	struct arena *arena;         /* NULL: the table is not made yet */
	struct hash by_key;
};

struct leg_entry {
	struct hash_link link;
	uint64_t key;
	const struct leg *leg;
};

static void add(struct leg_keys *k, uint64_t key, const struct leg *leg)
{
	struct leg_entry *e = arena_zalloc(k->arena, sizeof *e);

	e->key = key;
	e->leg = leg;
	hash_add(&k->by_key, &e->link, (uint32_t)key);
}

struct leg_keys *leg_keys_new(const struct calls *calls)
{
	struct leg_keys *k = memory_zalloc(sizeof *k);

	k->calls = calls;
	hash_init(&k->by_key);
	return k;
}

static void fill(struct leg_keys *k)
{
	k->arena = arena_new();
	LIST_EACH(it, calls_legs(k->calls)) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_order);

		add(k, two_points_leg_key(leg->call_id, leg->from_tag), leg);
		LIST_EACH(dit, &leg->dialogs) {
			const struct dialog *d = LIST_ENTRY(dit, struct dialog, in_leg);

			if (d->to_tag.n)
				add(k, two_points_leg_key(leg->call_id, d->to_tag), leg);
		}
	}
}

void leg_keys_free(struct leg_keys *k)
{
	if (!k)
		return;
	hash_fini(&k->by_key);
	arena_free(k->arena);
	free(k);
}

const struct leg *leg_keys_find(struct leg_keys *k, uint64_t key)
{
	if (!k->arena)
		fill(k);
	for (struct hash_link *it = hash_first(&k->by_key, (uint32_t)key); it; it = it->next) {
		const struct leg_entry *e = HASH_ENTRY(it, struct leg_entry, link);

		if (e->key == key)
			return e->leg;
	}
	return NULL;
}
