/* SPDX-License-Identifier: MIT */
/* hash: keyed hashing of bytes, and a table of intrusive links that doubles. */
#include "captures/base/hash.h"

#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "captures/base/memory.h"

enum {
	PAIR = 16,
	SHORT_MAX = 64,
	FIRST_BUCKETS = 16,
	FEW = 8,                     /* links of one chain that need no buckets */
	AHEAD = 8                    /* links are scattered: each is asked for so many buckets before its turn */
};

/*
 * State that is not const, because every table needs it: the key, drawn before main() so that no thread ever sees it
 * change and no look-up asks whether it is there. Who cannot read it cannot choose colliding Call-IDs or ports.
 */
uint64_t hash_key[HASH_KEY_WORDS];

__attribute__((constructor)) static void key_draw(void)
{
	static const char message[] = "deadair: the system gives no random numbers (getrandom failed)\n";

	if (getrandom(hash_key, sizeof hash_key, 0) == (ssize_t)sizeof hash_key)
		return;
	if (write(STDERR_FILENO, message, sizeof message - 1) < 0) {
		/* nothing is left to tell it to */
	}
	_exit(2);
}

static inline uint64_t load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, 8);
	return v;
}

static inline uint32_t load32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return v;
}

static inline uint64_t hash_close(struct wide sum)
{
	return hash_fold(sum.low ^ hash_key[8], sum.high ^ hash_key[11]);
}

static inline struct wide hash_pair(uint64_t a, uint64_t b, size_t i)
{
	return wide_product(a + hash_key[i], b + hash_key[i + 1]);
}

/* Up to PAIR bytes, all of them in two words, with loads that may overlap. */
static inline uint64_t hash_tiny(const uint8_t *p, size_t n)
{
	uint64_t a = 0, b = 0;

	if (n >= 8) {
		a = load64(p);
		b = load64(p + n - 8);
	} else if (n >= 4) {
		a = load32(p);
		b = load32(p + n - 4);
	} else if (n) {
		a = (uint64_t)p[0] << 16 | (uint64_t)p[n / 2] << 8 | p[n - 1];
	}
	return hash_close(wide_sum(wide_product(n + 1, hash_key[10]), hash_pair(a, b, 0)));
}

/*
 * NH of UMAC (RFC 4418) in 64-bit words, each with a key word of its own: two given texts collide with probability
 * 2^-64 over the keys, and a 5-tuple of 36 to 44 bytes takes five multiplications where SipHash takes nine rounds in a
 * row. Up to SHORT_MAX bytes; the last pair of words may overlap the one before.
 */
static __attribute__((noinline)) uint64_t hash_short(const uint8_t *p, size_t n)
{
	struct wide sum = wide_product(n + 1, hash_key[10]);
	size_t i = 0;

	for (; n > PAIR; i += 2, p += PAIR, n -= PAIR)
		sum = wide_sum(sum, hash_pair(load64(p), load64(p + 8), i));
	return hash_close(wide_sum(sum, hash_pair(load64(p + n - PAIR), load64(p + n - 8), i)));
}

/* The same of SHORT_MAX bytes, without a loop. */
static inline uint64_t hash_piece(const uint8_t *p)
{
	struct wide sum = wide_sum(wide_product(SHORT_MAX + 1, hash_key[10]), hash_pair(load64(p), load64(p + 8), 0));

	sum = wide_sum(sum, hash_pair(load64(p + 16), load64(p + 24), 2));
	sum = wide_sum(sum, hash_pair(load64(p + 32), load64(p + 40), 4));
	return hash_close(wide_sum(sum, hash_pair(load64(p + 48), load64(p + 56), 6)));
}

/*
 * Longer ones in pieces, each hashed as above and mixed into what came before it, with a secret product each time: a
 * quarter of what SipHash-1-3 takes, of which there was one for each SIP message. The last piece may overlap.
 */
static __attribute__((noinline)) uint64_t hash_long(const uint8_t *p, size_t n)
{
	uint64_t h = n;

	for (; n > SHORT_MAX; p += SHORT_MAX, n -= SHORT_MAX)
		h = hash_mix(h, hash_piece(p));
	return hash_mix(h, hash_piece(p + n - SHORT_MAX));
}

/* Nine in ten are tags, branches or keys of a few bytes: those take no call. */
uint64_t hash_bytes(const void *bytes, size_t n)
{
	if (n <= PAIR)
		return hash_tiny(bytes, n);
	if (n == SHORT_MAX) /* keys that are put together have just as many */
		return hash_piece(bytes);
	return n < SHORT_MAX ? hash_short(bytes, n) : hash_long(bytes, n);
}

void hash_init(struct hash *h)
{
	*h = (struct hash){ .buckets = NULL };
}

void hash_init_few(struct hash *h)
{
	*h = (struct hash){ .buckets = &h->few };
}

static void buckets_free(struct hash *h)
{
	if (h->buckets != &h->few)
		free(h->buckets);
}

void hash_fini(struct hash *h)
{
	buckets_free(h);
	hash_init(h);
}

static void bucket_add(struct hash_link **bucket, struct hash_link *link)
{
	link->next = *bucket;
	link->at = bucket;
	if (link->next)
		link->next->at = &link->next;
	*bucket = link;
}

static void hash_grow(struct hash *h)
{
	size_t old = h->buckets ? h->mask + 1 : 0, buckets = old > 1 ? old * 2 : FIRST_BUCKETS;
	struct hash_link **grown = memory_resize(NULL, buckets, sizeof *grown);

	memset(grown, 0, buckets * sizeof(*grown));
	for (size_t i = 0; i < old; i++) {
		if (i + AHEAD < old)
			__builtin_prefetch(h->buckets[i + AHEAD], 1);
		for (struct hash_link *link = h->buckets[i], *next; link; link = next) {
			next = link->next;
			bucket_add(&grown[link->hash & (buckets - 1)], link);
		}
	}
	buckets_free(h);
	h->buckets = grown;
	h->mask = buckets - 1;
}

static inline bool is_full(const struct hash *h)
{
	return !h->buckets || (h->count > h->mask && (h->count >= FEW || h->buckets != &h->few));
}

void hash_add(struct hash *h, struct hash_link *link, uint32_t hash)
{
	if (is_full(h))
		hash_grow(h);
	link->hash = hash;
	bucket_add(&h->buckets[hash & h->mask], link);
	h->count++;
}

void hash_remove(struct hash *h, struct hash_link *link)
{
	*link->at = link->next;
	if (link->next)
		link->next->at = link->at;
	link->next = NULL;
	link->at = NULL;
	h->count--;
}
