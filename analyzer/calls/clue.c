/* SPDX-License-Identifier: MIT */
/*
 * clue: an index of what may tie legs together (a Session-ID, an o= line, a media socket, the host where a leg ends, a
 * caller), so that joining never scans all legs. Of one value only the newest legs are kept, and of all values a
 * bounded number.
 */
#include "analyzer/calls/internal.h"

#include <stdlib.h>

#include "captures/base/memory.h"

enum { CLUES_OF_KEY_MAX = 64, CLUES_OF_LEG_MAX = 24, CLUES_MAX = 262144, SPARED_MAX = 8 };

static struct clue_key *key_find(const struct calls *c, uint64_t hash)
{
	for (struct hash_link *it = hash_first(&c->clues, (uint32_t)hash); it; it = it->next) {
		struct clue_key *key = HASH_ENTRY(it, struct clue_key, by_hash);

		if (key->hash == hash)
			return key;
	}
	return NULL;
}

static struct clue_key *key_add(struct calls *c, uint64_t hash)
{
	struct clue_key *key = key_find(c, hash);

	if (key)
		return key;
	key = memory_zalloc(sizeof *key);
	key->hash = hash;
	list_init(&key->clues);
	hash_add(&c->clues, &key->by_hash, (uint32_t)hash);
	return key;
}

static void clue_free(struct calls *c, struct clue *clue)
{
	struct clue_key *key = clue->key;

	list_remove(&key->clues, &clue->in_key);
	list_remove(&c->clues_by_age, &clue->by_age);
	list_remove(&LEG_RECORD(clue->leg)->clues, &clue->of_leg);
	if (key->clues.count == 0) {
		hash_remove(&c->clues, &key->by_hash);
		free(key);
	}
	free(clue);
}

/* The oldest goes; that of an established call is spared. */
static void clue_room(struct calls *c)
{
	for (unsigned spared = 0; c->clues_by_age.count >= CLUES_MAX; spared++) {
		struct clue *oldest = LIST_ENTRY(c->clues_by_age.head.next, struct clue, by_age);

		if (LEG_RECORD(oldest->leg)->class != CLASS_LIVE || spared >= SPARED_MAX) {
			clue_free(c, oldest);
			return;
		}
		list_remove(&c->clues_by_age, &oldest->by_age);
		list_add_tail(&c->clues_by_age, &oldest->by_age);
	}
}

static uint64_t clue_hash(enum clue_kind kind, uint64_t value)
{
	return hash_mix((uint64_t)kind + 1, value);
}

void clue_add(struct calls *c, struct leg_record *r, enum clue_kind kind, uint64_t value)
{
	uint64_t hash = clue_hash(kind, value);
	struct clue_key *key;
	struct clue *clue;

	if (r->clues.count >= CLUES_OF_LEG_MAX)
		return;
	LIST_EACH(it, &r->clues) {
		if (LIST_ENTRY(it, struct clue, of_leg)->key->hash == hash)
			return;
	}
	clue_room(c);
	key = key_add(c, hash);
	clue = memory_zalloc(sizeof *clue);
	clue->leg = &r->leg;
	clue->kind = (uint8_t)kind;
	clue->key = key;
	list_add_tail(&key->clues, &clue->in_key);
	list_add_tail(&c->clues_by_age, &clue->by_age);
	list_add_tail(&r->clues, &clue->of_leg);
	if (key->clues.count > CLUES_OF_KEY_MAX)
		clue_free(c, LIST_ENTRY(key->clues.head.next, struct clue, in_key));
}

/* The newest such clue, older ones through clue_older(); NULL none. */
const struct clue *clue_newest(const struct calls *c, enum clue_kind kind, uint64_t value)
{
	const struct clue_key *key = key_find(c, clue_hash(kind, value));

	return key ? LIST_ENTRY(key->clues.head.prev, struct clue, in_key) : NULL;
}

const struct clue *clue_older(const struct clue *clue)
{
	const struct list_link *prev = clue->in_key.prev;

	return prev == &clue->key->clues.head ? NULL : LIST_ENTRY(prev, struct clue, in_key);
}

/* The leg is over: nothing begins from it any more. Its caller is remembered, who may try again. */
void clues_retire(struct calls *c, struct leg_record *r)
{
	LIST_EACH_SAFE(it, &r->clues) {
		struct clue *clue = LIST_ENTRY(it, struct clue, of_leg);

		if (clue->kind != CLUE_CALLER)
			clue_free(c, clue);
	}
}

void clues_forget(struct calls *c, struct leg_record *r)
{
	while (r->clues.count)
		clue_free(c, LIST_ENTRY(r->clues.head.next, struct clue, of_leg));
}
