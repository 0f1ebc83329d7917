/* SPDX-License-Identifier: MIT */
/*
 * hash: keyed hashing (the key is drawn once from getrandom(2)) and a table of intrusive links. Hashes find, lists
 * order: nothing printed may follow the order of a table.
 */
#ifndef DEADAIR_BASE_HASH_H
#define DEADAIR_BASE_HASH_H

#include "captures/base/span.h"

struct hash_link {
	struct hash_link *next;      /* of the same 32-bit hash, later ones first */
	/* what points here, so that it goes at once however many share its key; NULL: it is the first */
	struct hash_link **at;
	uint32_t hash;
};

/*
 * A place of the table. The hash stands beside the pointer, so that no record is touched but those that are sought:
 * each lies on a page of its own, which is most of what a look-up takes. In bytes: 12 for both, not 16.
 */
struct hash_slot {
	uint32_t hash;               /* 0: free; a hash of 0 stands as 1 */
	uint8_t first[sizeof(struct hash_link *)];
};

struct hash {
	struct hash_slot *slots;     /* where its hash falls, or behind; three quarters of them at most are taken */
	struct hash_link *few;       /* hash_init_few(): the only chain, of any hash, as long as there are no slots */
	uint32_t mask;               /* slots - 1; grows by itself */
	uint32_t count, taken;       /* links; slots */
	uint8_t shift;
	bool begins_few;
};

/* Keyed 64-bit hash of bytes (SipHash class), of small fixed keys in fewer instructions. */
uint64_t hash_bytes(const void *bytes, size_t n);

/* hash.c's own, for hash_mix(), which is asked for a hundred times a message. */
enum { HASH_KEY_MIX = 8, HASH_KEY_WORDS = 12 };
extern uint64_t hash_key[HASH_KEY_WORDS];

static inline uint64_t hash_fold(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
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
/* For a record's own table of a few links: one chain in itself, slots beyond eight. It must not be moved. */
void hash_init_few(struct hash *h);
void hash_fini(struct hash *h);                           /* the records are the caller's */
void hash_add(struct hash *h, struct hash_link *link, uint32_t hash);
void hash_remove(struct hash *h, struct hash_link *link);
/* First link with that hash, or of a few; NULL none. Walk with ->next and compare ->hash and the key. */
struct hash_link *hash_first(const struct hash *h, uint32_t hash);
/* First link of that slot, NULL none: of all slots, 0 to mask, all links. Only where there are slots. */
struct hash_link *hash_at(const struct hash *h, size_t slot);

/* Where its slot should be: hashes of a few bits, or of numbers in a row, are spread as well. */
static inline struct hash_slot *hash_home(const struct hash *h, uint32_t hash)
{
	return &h->slots[hash * UINT32_C(0x9e3779b1) >> h->shift];
}

enum { HASH_PLACES = 5 };

/*
 * Where something will be looked for soon. Of a batch first all slots are asked for, then the records that they lead
 * to, then the work is done: what lies scattered in memory comes while other things are done.
 */
struct hash_place {
	const struct hash *table;
	uint64_t key;                /* whose lower half is the hash */
};

/* The empty asm: gcc takes a function that only prefetches for one without effect, and leaves out its calls. */
static inline void hash_ask_slot(const struct hash *h, uint32_t hash)
{
	__asm__ volatile("");
	if (h->slots)
		__builtin_prefetch(hash_home(h, hash), 1);
}

static inline void hash_ask_bucket(const struct hash_place *p)
{
	hash_ask_slot(p->table, (uint32_t)p->key);
}

static inline void hash_ask_record(const struct hash_place *p)
{
	const struct hash_link *link = hash_first(p->table, (uint32_t)p->key);

	__asm__ volatile("");
	if (link)
		__builtin_prefetch(link, 1);
}

#define HASH_ENTRY(link, type, member) ((type *)((char *)(link) - offsetof(type, member)))

#endif
