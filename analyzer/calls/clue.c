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
	key->room = 1;
	hash_add(&c->clues, &key->by_hash, (uint32_t)hash);
	return key;
}

static struct clue_entry *entries_of(struct clue_key *key)
{
	return key->room == 1 ? &key->one : key->several;
}

/* Where many come and go, room for twice as many saves moving them each time. */
static void entries_grow(struct clue_key *key)
{
	struct clue_entry *entries = entries_of(key), *grown;

	if (key->first >= key->count) {
		memcpy(entries, entries + key->first, key->count * sizeof *entries);
		key->first = 0;
		return;
	}
	grown = memory_resize(key->room == 1 ? NULL : entries, key->room * 2u, sizeof *grown);
	if (key->room == 1)
		*grown = key->one;
	key->room *= 2;
	key->several = grown;
}

/* Behind the newest. */
static struct clue_entry *entry_add(struct clue_key *key, struct clue *clue)
{
	struct clue_entry *entry;

	if (key->first + key->count == key->room)
		entries_grow(key);
	entry = &entries_of(key)[key->first + key->count++];
	entry->clue = clue;
	return entry;
}

static struct clue_entry *entry_of(const struct clue *clue)
{
	struct clue_entry *it = entries_of(clue->key) + clue->key->first;

	while (it->clue != clue)
		it++;
	return it;
}

static void entry_remove(struct clue *clue)
{
	struct clue_key *key = clue->key;
	struct clue_entry *at = entry_of(clue);

	key->count--;
	if (at == clue_oldest(key))
		key->first++;
	else
		memmove(at, at + 1, (size_t)(clue_oldest(key) + key->count - at) * sizeof *at);
}

static void leg_leave(struct clue *clue)
{
	struct leg_record *r = LEG_RECORD(clue->leg);
	struct clue **at = &r->clues;

	while (*at != clue)
		at = &(*at)->next;
	*at = clue->next;
	r->clue_count--;
}

static void clue_free(struct calls *c, struct clue *clue)
{
	struct clue_key *key = clue->key;

	entry_remove(clue);
	list_remove(&c->clues_by_age, &clue->by_age);
	leg_leave(clue);
	if (key->count == 0) {
		hash_remove(&c->clues, &key->by_hash);
		if (key->room > 1)
			free(key->several);
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
	for (const struct clue *it = r->clues; it; it = it->next)
		entry_update(it->key, entry_of(it), r);
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

	if (r->clue_count >= CLUES_OF_LEG_MAX)
		return key;
	for (const struct clue *it = r->clues; it; it = it->next) {
		if (it->key == key)
			return key;
	}
	if (c->clues_by_age.count >= CLUES_MAX) {
		clue_room(c);            /* the key may go with its last leg */
		key = key_find(c, hash);
	}
	if (!key)
		key = key_new(c, hash);
	if (key->count == CLUES_OF_KEY_MAX)
		clue_free(c, clue_oldest(key)->clue);
	clue = pool_zalloc(&c->clue_pool);
	clue->leg = &r->leg;
	clue->kind = (uint8_t)kind;
	clue->key = key;
	entry_update(key, entry_add(key, clue), r);
	list_add_tail(&c->clues_by_age, &clue->by_age);
	clue->next = r->clues;
	r->clues = clue;
	r->clue_count++;
	return key;
}

/* The legs with that value; NULL none. */
const struct clue_key *clue_find(const struct calls *c, enum clue_kind kind, uint64_t value)
{
	return key_find(c, clue_hash(kind, value));
}

struct hash_place clue_place(const struct calls *c, enum clue_kind kind, uint64_t value)
{
	return (struct hash_place){ &c->clues, clue_hash(kind, value) };
}

/* The leg is over: nothing begins from it any more. Its caller is remembered, who may try again. */
void clues_retire(struct calls *c, struct leg_record *r)
{
	for (const struct clue *it = r->clues; it; it = it->next)
		__builtin_prefetch(it->key, 1);
	for (const struct clue *it = r->clues; it; it = it->next)
		hash_ask_remove(&it->key->by_hash);
	for (struct clue *it = r->clues, *next; it; it = next) {
		next = it->next;
		if (it->kind != CLUE_CALLER)
			clue_free(c, it);
	}
}

void clues_forget(struct calls *c, struct leg_record *r)
{
	while (r->clues)
		clue_free(c, r->clues);
}
