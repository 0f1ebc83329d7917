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

static struct clue_key *key_new(struct calls *c, uint64_t hash)
{
	struct clue_key *key = pool_zalloc(&c->key_pool);

	key->hash = hash;
	key->entries = &key->one;
	key->room = 1;
	hash_add(&c->clues, &key->by_hash, (uint32_t)hash);
	return key;
}

/* Most values have one leg; where many come and go, room for twice as many saves moving them each time. */
static void entries_grow(struct clue_key *key)
{
	struct clue_entry *grown = NULL;

	if (key->first >= key->count) {
		memcpy(key->entries, key->entries + key->first, key->count * sizeof *grown);
		key->first = 0;
		return;
	}
	key->room *= 2;
	if (key->entries != &key->one)
		grown = key->entries;
	grown = memory_resize(grown, key->room, sizeof *grown);
	if (key->entries == &key->one)
		*grown = key->one;
	key->entries = grown;
}

/* Behind the newest. */
static struct clue_entry *entry_add(struct clue_key *key, struct clue *clue)
{
	struct clue_entry *entry;

	if (key->first + key->count == key->room)
		entries_grow(key);
	entry = &key->entries[key->first + key->count++];
	entry->clue = clue;
	return entry;
}

static struct clue_entry *entry_of(const struct clue *clue)
{
	struct clue_entry *it = clue->key->entries + clue->key->first;

	while (it->clue != clue)
		it++;
	return it;
}

static void entry_remove(struct clue *clue)
{
	struct clue_key *key = clue->key;
	struct clue_entry *at = entry_of(clue);

	key->count--;
	if (at == key->entries + key->first)
		key->first++;
	else
		memmove(at, at + 1, (size_t)(key->entries + key->first + key->count - at) * sizeof *at);
}

static void clue_free(struct calls *c, struct clue *clue)
{
	struct clue_key *key = clue->key;

	entry_remove(clue);
	list_remove(&c->clues_by_age, &clue->by_age);
	list_remove(&LEG_RECORD(clue->leg)->clues, &clue->of_leg);
	if (key->count == 0) {
		hash_remove(&c->clues, &key->by_hash);
		if (key->entries != &key->one)
			free(key->entries);
		pool_give(&c->key_pool, key);
	}
	pool_give(&c->clue_pool, clue);
}

static void entry_update(struct clue_key *key, struct clue_entry *entry, const struct leg_record *r)
{
	if (key->count == 1)
		key->way = r->way;
	else if (key->way != r->way)
		key->way = 0;
	entry->way = r->way;
	entry->ends = r->ends;
	entry->invite_ns = r->leg.invite_ns;
	entry->n = r->leg.n;
}

/* After its way, its ends or the time of its INVITE have changed. */
void clues_update(struct leg_record *r)
{
	LIST_EACH(it, &r->clues) {
		const struct clue *clue = LIST_ENTRY(it, struct clue, of_leg);

		entry_update(clue->key, entry_of(clue), r);
	}
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

/* The legs with that value: this one, too, unless it has too many clues. NULL none. */
const struct clue_key *clue_add(struct calls *c, struct leg_record *r, enum clue_kind kind, uint64_t value)
{
	uint64_t hash = clue_hash(kind, value);
	struct clue_key *key = key_find(c, hash);
	struct clue *clue;

	if (r->clues.count >= CLUES_OF_LEG_MAX)
		return key;
	LIST_EACH(it, &r->clues) {
		if (LIST_ENTRY(it, struct clue, of_leg)->key == key)
			return key;
	}
	if (c->clues_by_age.count >= CLUES_MAX) {
		clue_room(c);            /* the key may go with its last leg */
		key = key_find(c, hash);
	}
	if (!key)
		key = key_new(c, hash);
	if (key->count == CLUES_OF_KEY_MAX)
		clue_free(c, key->entries[key->first].clue);
	clue = pool_zalloc(&c->clue_pool);
	clue->leg = &r->leg;
	clue->kind = (uint8_t)kind;
	clue->key = key;
	entry_update(key, entry_add(key, clue), r);
	list_add_tail(&c->clues_by_age, &clue->by_age);
	list_add_tail(&r->clues, &clue->of_leg);
	return key;
}

/* The legs with that value; NULL none. */
const struct clue_key *clue_find(const struct calls *c, enum clue_kind kind, uint64_t value)
{
	return key_find(c, clue_hash(kind, value));
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
