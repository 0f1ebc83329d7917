/* SPDX-License-Identifier: MIT */
/* leg_keys: a table of Call-ID and tag, made while judging. */
#include "analyzer/detect/leg_keys.h"

#include "analyzer/network/two_points.h"

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

void leg_keys_init(struct leg_keys *k, const struct calls *calls)
{
	k->arena = arena_new();
	hash_init(&k->by_key);
	LIST_EACH(it, calls_legs(calls)) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_order);

		add(k, two_points_leg_key(leg->call_id, leg->from_tag), leg);
		LIST_EACH(dit, &leg->dialogs) {
			const struct dialog *d = LIST_ENTRY(dit, struct dialog, in_leg);

			if (d->to_tag.n)
				add(k, two_points_leg_key(leg->call_id, d->to_tag), leg);
		}
	}
}

void leg_keys_fini(struct leg_keys *k)
{
	hash_fini(&k->by_key);
	arena_free(k->arena);
}

const struct leg *leg_keys_find(const struct leg_keys *k, uint64_t key)
{
	for (struct hash_link *it = hash_first(&k->by_key, (uint32_t)key); it; it = it->next) {
		const struct leg_entry *e = HASH_ENTRY(it, struct leg_entry, link);

		if (e->key == key)
			return e->leg;
	}
	return NULL;
}
