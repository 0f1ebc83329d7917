/* SPDX-License-Identifier: MIT */
/*
 * hash: keyed hashing (the key is drawn once from getrandom(2)) and a table of intrusive links. Hashes find, lists
 * order: nothing printed may follow the order of a table.
 */
#ifndef DEADAIR_BASE_HASH_H
#define DEADAIR_BASE_HASH_H

#include "captures/base/span.h"
#include "captures/base/wide.h"

struct hash_link {
	/* at: what points here, so that it goes at once however many share its key */
	struct hash_link *next, **at;
	uint32_t hash;
};

struct hash {
	struct hash_link **buckets;
	size_t mask;                 /* buckets - 1; grows by itself */
	size_t count;
	struct hash_link *few;       /* hash_init_few(): the only bucket, until it has too many */
};

/* Keyed 64-bit hash of bytes (SipHash class), of small fixed keys in fewer instructions. */
uint64_t hash_bytes(const void *bytes, size_t n);

/* hash.c's own, for hash_mix(), which is asked for a hundred times a message. */
enum { HASH_KEY_MIX = 8, HASH_KEY_WORDS = 12 };
extern uint64_t hash_key[HASH_KEY_WORDS];

static inline uint64_t hash_fold(uint64_t a, uint64_t b)
{
	struct wide product = wide_product(a, b);

	return product.low ^ product.high;
}

static inline uint64_t hash_mix(uint64_t seed, uint64_t value)
{
	return hash_fold(seed ^ hash_key[HASH_KEY_MIX], value ^ hash_key[HASH_KEY_MIX + 1] ^ (seed << 32 | seed >> 32));
}

static inline uint32_t hash_span(struct span s)
{
	return (uint32_t)hash_bytes(s.p, s.n);
}

void hash_init(struct hash *h);
/* For a record's own table of a few links: one chain in itself, buckets beyond eight. It must not be moved. */
void hash_init_few(struct hash *h);
void hash_fini(struct hash *h);                           /* the records are the caller's */
void hash_add(struct hash *h, struct hash_link *link, uint32_t hash);
void hash_remove(struct hash *h, struct hash_link *link);
/* First link of that bucket, NULL none; walk with ->next and compare ->hash and the key. */
static inline struct hash_link *hash_first(const struct hash *h, uint32_t hash)
{
	return h->buckets ? h->buckets[hash & h->mask] : NULL;
}

enum { HASH_PLACES = 5 };

/*
 * Where something will be looked for soon. Of a batch first all buckets are asked for, then all records in them, then
 * the work is done: what lies scattered in memory comes while other things are done.
 */
struct hash_place {
	const struct hash *table;
	uint64_t key;                /* whose lower half is the hash */
};

/* The empty asm: gcc takes a function that only prefetches for one without effect, and leaves out its calls. */
static inline void hash_ask_bucket(const struct hash_place *p)
{
	__asm__ volatile("");
	if (p->table->buckets)
		__builtin_prefetch(&p->table->buckets[p->key & p->table->mask], 1);
}

static inline void hash_ask_record(const struct hash_place *p)
{
	const struct hash_link *link = hash_first(p->table, (uint32_t)p->key);

	__asm__ volatile("");
	if (link)
		__builtin_prefetch(link, 1);
}

static inline void hash_ask_next(const struct hash_place *p)
{
	const struct hash_link *link = hash_first(p->table, (uint32_t)p->key);

	__asm__ volatile("");
	if (link && link->hash != (uint32_t)p->key && link->next)
		__builtin_prefetch(link->next, 1);
}

/* What hash_remove() will touch beside the link. */
static inline void hash_ask_remove(const struct hash_link *link)
{
	__asm__ volatile("");
	if (link->at)
		__builtin_prefetch(link->at, 1);
	if (link->next)
		__builtin_prefetch(link->next, 1);
}

#define HASH_ENTRY(link, type, member) ((type *)((char *)(link) - offsetof(type, member)))

#endif
