/* SPDX-License-Identifier: MIT */
/* hash: keyed hashing of bytes, and a table that doubles, of intrusive links. */
#include "captures/base/hash.h"

#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "captures/base/memory.h"

enum {
	PAIR = 16,
	SHORT_MAX = 64,
	FIRST_SLOTS = 16, FIRST_SHIFT = 28,  /* 32 less its logarithm */
	FEW = 8                      /* links of one chain that need no slots */
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

static inline uint64_t hash_close(unsigned __int128 sum)
{
	return hash_fold((uint64_t)sum ^ hash_key[8], (uint64_t)(sum >> 64) ^ hash_key[11]);
}

static inline unsigned __int128 hash_pair(uint64_t a, uint64_t b, size_t i)
{
	return (unsigned __int128)(a + hash_key[i]) * (b + hash_key[i + 1]);
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
	return hash_close((unsigned __int128)(n + 1) * hash_key[10] + hash_pair(a, b, 0));
}

/*
 * NH of UMAC (RFC 4418) in 64-bit words, each with a key word of its own: two given texts collide with probability
 * 2^-64 over the keys, and a 5-tuple of 36 to 44 bytes takes five multiplications where SipHash takes nine rounds in a
 * row. Up to SHORT_MAX bytes; the last pair of words may overlap the one before.
 */
static __attribute__((noinline)) uint64_t hash_short(const uint8_t *p, size_t n)
{
	unsigned __int128 sum = (unsigned __int128)(n + 1) * hash_key[10];
	size_t i = 0;

	for (; n > PAIR; i += 2, p += PAIR, n -= PAIR)
		sum += hash_pair(load64(p), load64(p + 8), i);
	return hash_close(sum + hash_pair(load64(p + n - PAIR), load64(p + n - 8), i));
}

/* The same of SHORT_MAX bytes, without a loop. */
static inline uint64_t hash_piece(const uint8_t *p)
{
	return hash_close((unsigned __int128)(SHORT_MAX + 1) * hash_key[10] + hash_pair(load64(p), load64(p + 8), 0) +
		hash_pair(load64(p + 16), load64(p + 24), 2) + hash_pair(load64(p + 32), load64(p + 40), 4) +
		hash_pair(load64(p + 48), load64(p + 56), 6));
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

/* ---- the table ---- */

/*
 * Open addressing: from its home on, the first slot that has the hash, or is free. Links of equal hashes, which only
 * records of one key have but for chance, hang on one slot, so that no flood of them makes the others' way longer.
 */

void hash_init(struct hash *h)
{
	*h = (struct hash){ .slots = NULL };
}

void hash_init_few(struct hash *h)
{
	*h = (struct hash){ .begins_few = true };
}

void hash_fini(struct hash *h)
{
	free(h->slots);
	hash_init(h);
}

static struct hash_link *slot_first(const struct hash_slot *s)
{
	struct hash_link *link;

	memcpy(&link, s->first, sizeof link);
	return link;
}

static void slot_set(struct hash_slot *s, struct hash_link *first)
{
	memcpy(s->first, &first, sizeof first);
}

static struct hash_slot *slot_next(const struct hash *h, struct hash_slot *s)
{
	return s == h->slots + h->mask ? h->slots : s + 1;
}

static uint32_t stored(uint32_t hash)
{
	return hash ? hash : 1;
}

/* Its slot, or the free one where it belongs. */
static struct hash_slot *slot_of(const struct hash *h, uint32_t want)
{
	struct hash_slot *s = hash_home(h, want);

	while (s->hash != want && s->hash)
		s = slot_next(h, s);
	return s;
}

struct hash_link *hash_first(const struct hash *h, uint32_t hash)
{
	const struct hash_slot *s;

	if (!h->slots)
		return h->few;
	s = slot_of(h, stored(hash));
	return s->hash ? slot_first(s) : NULL;
}

struct hash_link *hash_at(const struct hash *h, size_t slot)
{
	return h->slots[slot].hash ? slot_first(&h->slots[slot]) : NULL;
}

static void hash_grow(struct hash *h)
{
	struct hash grown = *h;
	size_t old = h->slots ? h->mask + (size_t)1 : 0, slots = old ? old * 2 : FIRST_SLOTS;

	grown.slots = memory_resize(NULL, slots, sizeof *grown.slots);
	grown.mask = (uint32_t)(slots - 1);
	grown.shift = old ? h->shift - 1 : FIRST_SHIFT;
	memset(grown.slots, 0, slots * sizeof *grown.slots);
	for (size_t i = 0; i < old; i++) {
		if (h->slots[i].hash)
			*slot_of(&grown, h->slots[i].hash) = h->slots[i];
	}
	free(h->slots);
	*h = grown;
}

/* *first: where the chain begins; at: what leads there and stays where it is, NULL: a slot, which does not. */
static void chain_add(struct hash_link *first, struct hash_link **at, struct hash_link *link)
{
	link->at = at;
	link->next = first;
	if (first)
		first->at = &link->next;
}

static void slot_add(struct hash *h, struct hash_link *link)
{
	struct hash_slot *s = slot_of(h, stored(link->hash));

	chain_add(s->hash ? slot_first(s) : NULL, NULL, link);
	h->taken += s->hash == 0;
	s->hash = stored(link->hash);
	slot_set(s, link);
}

/* The latest of them stay first. */
static void few_move(struct hash *h)
{
	struct hash_link *oldest = h->few, *next;

	while (oldest && oldest->next)
		oldest = oldest->next;
	hash_grow(h);
	for (struct hash_link *it = oldest; it; it = next) {
		next = it->at == &h->few ? NULL : HASH_ENTRY(it->at, struct hash_link, next);
		slot_add(h, it);
	}
	h->few = NULL;
}

void hash_add(struct hash *h, struct hash_link *link, uint32_t hash)
{
	link->hash = hash;
	if (!h->slots && h->begins_few && h->count < FEW) {
		chain_add(h->few, &h->few, link);
		h->few = link;
	} else {
		if (!h->slots)
			few_move(h);
		else if ((h->taken + UINT64_C(1)) * 4 > (h->mask + UINT64_C(1)) * 3)
			hash_grow(h);
		slot_add(h, link);
	}
	h->count++;
}

/* Those behind a hole move up, unless they would stand before their home. */
static void slot_free(struct hash *h, struct hash_slot *hole)
{
	for (struct hash_slot *s = slot_next(h, hole); s->hash; s = slot_next(h, s)) {
		size_t far = (size_t)(s - hash_home(h, s->hash)) & h->mask;

		if (far < ((size_t)(s - hole) & h->mask))
			continue;
		*hole = *s;
		hole = s;
	}
	hole->hash = 0;
	h->taken--;
}

void hash_remove(struct hash *h, struct hash_link *link)
{
	struct hash_slot *s = link->at ? NULL : slot_of(h, stored(link->hash));

	if (!s)
		*link->at = link->next;
	else if (link->next)
		slot_set(s, link->next);
	else
		slot_free(h, s);
	if (link->next)
		link->next->at = link->at;
	link->next = NULL;
	link->at = NULL;
	h->count--;
}
