/* SPDX-License-Identifier: MIT */
/* hash: the function spreads, the table finds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "captures/base/address.h"
#include "captures/base/hash.h"
#include "captures/base/memory.h"

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static size_t duplicates(uint64_t *hashes, size_t count)
{
	size_t same = 0;

	qsort(hashes, count, sizeof *hashes, compare);
	for (size_t i = 1; i < count; i++)
		same += hashes[i] == hashes[i - 1];
	return same;
}

/* Every length, each with every single bit of its bytes set alone: all different, and the same when asked again. */
static void test_lengths_and_bits(void **state)
{
	enum { LONGEST = 100, MOST = LONGEST * (LONGEST + 1) * 4 + LONGEST + 1 };
	uint64_t *hashes = memory_resize(NULL, MOST, sizeof *hashes);
	uint8_t bytes[LONGEST + 1] = { 0 };
	size_t count = 0;

	(void)state;
	for (size_t n = 0; n <= LONGEST; n++) {
		hashes[count++] = hash_bytes(bytes + 1, n);              /* + 1: unaligned */
		for (size_t bit = 0; bit < n * 8; bit++) {
			bytes[1 + bit / 8] = (uint8_t)(1 << bit % 8);
			hashes[count] = hash_bytes(bytes + 1, n);
			assert_true(hash_bytes(bytes + 1, n) == hashes[count++]);
			bytes[1 + bit / 8] = 0;
		}
	}
	assert_int_equal(count, MOST);
	assert_int_equal(duplicates(hashes, count), 0);
	free(hashes);
}

/* Ports one apart, as media has them: the buckets fill as evenly as chance would. */
static void test_spreads(void **state)
{
	enum { KEYS = 1 << 16, BUCKETS = 1 << 12 };
	static unsigned filled[BUCKETS];
	unsigned most = 0;

	(void)state;
	for (uint32_t i = 0; i < KEYS; i++) {
		uint8_t key[36] = { 4, 10, 0, 0, 1, [32] = (uint8_t)(i >> 8), (uint8_t)i };

		filled[hash_bytes(key, sizeof key) % BUCKETS]++;
	}
	for (size_t i = 0; i < BUCKETS; i++)
		most = filled[i] > most ? filled[i] : most;
	assert_true(most < 60); /* the mean is 16; chance exceeds 60 once in 10^13 */
}

static void test_mix(void **state)
{
	enum { SIDE = 200 };
	static uint64_t hashes[SIDE * SIDE];

	(void)state;
	for (uint64_t seed = 0; seed < SIDE; seed++) {
		for (uint64_t value = 0; value < SIDE; value++)
			hashes[seed * SIDE + value] = hash_mix(seed, value);
	}
	assert_int_equal(duplicates(hashes, SIDE * SIDE), 0);
}

struct record {
	uint32_t number;
	struct hash_link link;
};

static struct record *find(const struct hash *h, uint32_t number)
{
	uint32_t hash = (uint32_t)hash_bytes(&number, sizeof number);

	for (struct hash_link *it = hash_first(h, hash); it; it = it->next) {
		if (it->hash == hash && HASH_ENTRY(it, struct record, link)->number == number)
			return HASH_ENTRY(it, struct record, link);
	}
	return NULL;
}

static void test_table(void **state)
{
	enum { COUNT = 10000 };
	struct record *records = memory_zalloc(COUNT * sizeof *records);
	struct hash h;

	(void)state;
	hash_init(&h);
	assert_null(find(&h, 1));
	for (uint32_t i = 0; i < COUNT; i++) {
		records[i].number = i;
		hash_add(&h, &records[i].link, (uint32_t)hash_bytes(&i, sizeof i));
	}
	assert_int_equal(h.count, COUNT);
	assert_true(h.mask + 1 >= COUNT && h.mask + 1 <= 4 * COUNT);
	for (uint32_t i = 0; i < COUNT; i += 2)
		hash_remove(&h, &records[i].link);
	for (uint32_t i = 0; i < COUNT; i++)
		assert_ptr_equal(find(&h, i), i % 2 ? &records[i] : NULL);
	assert_int_equal(h.count, COUNT / 2);
	hash_fini(&h);
	assert_null(find(&h, 1));
	free(records);
}

/* A table that needs no memory of its own at first finds, forgets and grows like any other. */
static void test_few(void **state)
{
	enum { COUNT = 100 };
	static struct record records[COUNT];
	struct hash h;

	(void)state;
	hash_init_few(&h);
	assert_null(find(&h, 1));
	for (uint32_t i = 0; i < COUNT; i++) {
		records[i].number = i;
		hash_add(&h, &records[i].link, (uint32_t)hash_bytes(&i, sizeof i));
		assert_true((h.buckets == &h.few) == (i < 8));
		for (uint32_t k = 0; k < COUNT; k++)
			assert_ptr_equal(find(&h, k), k <= i ? &records[k] : NULL);
	}
	for (uint32_t i = 0; i < COUNT; i++) {
		hash_remove(&h, &records[i].link);
		assert_null(find(&h, i));
	}
	assert_int_equal(h.count, 0);
	hash_fini(&h);
	hash_init_few(&h);
	hash_add(&h, &records[0].link, 7);
	hash_remove(&h, &records[0].link);
	assert_null(hash_first(&h, 7));
	hash_fini(&h);
}

/* All in one bucket: slow, but right. */
static void test_collisions(void **state)
{
	struct record records[100];
	struct hash h;
	size_t n = 0;

	(void)state;
	hash_init(&h);
	for (uint32_t i = 0; i < 100; i++)
		hash_add(&h, &records[i].link, 5);
	hash_remove(&h, &records[0].link);
	hash_remove(&h, &records[99].link);
	hash_remove(&h, &records[50].link);
	for (struct hash_link *it = hash_first(&h, 5); it; it = it->next)
		n++;
	assert_int_equal(n, 97);
	hash_fini(&h);
}

/* ---- keys chosen by who knows the function but not its key ---- */

enum { CHOSEN_BITS = 12, CHOSEN = 1 << CHOSEN_BITS, CHOSEN_BYTES = 96 };

/* "Aa" and "BB" are one to every hash that multiplies by 31 and adds: so are all words made of them. */
static size_t words_of_pairs(uint32_t i, uint8_t *key)
{
	for (unsigned bit = 0; bit < CHOSEN_BITS; bit++)
		memcpy(key + 2 * bit, i >> bit & 1 ? "Aa" : "BB", 2);
	return 2 * CHOSEN_BITS;
}

static uint32_t times_31(const uint8_t *key, size_t n)
{
	uint32_t h = 0;

	for (size_t i = 0; i < n; i++)
		h = h * 31 + key[i];
	return h;
}

/* The same, as long as a Call-ID of those that take the long way. */
static size_t long_words_of_pairs(uint32_t i, uint8_t *key)
{
	memset(key, 'x', CHOSEN_BYTES);
	words_of_pairs(i, key);
	return CHOSEN_BYTES;
}

/* A 5-tuple whose words give the same when they are exclusive-ored: what one address gains the other loses. */
static size_t balanced_tuple(uint32_t i, uint8_t *key)
{
	uint32_t src = 0x0a000000 ^ i, dst = 0x0a090000 ^ i;

	memcpy(key, &src, 4);
	memcpy(key + 4, &dst, 4);
	memset(key + 8, 7, 4);
	return 12;
}

static uint32_t xor_words(const uint8_t *key, size_t n)
{
	uint32_t h = 0, word;

	for (size_t i = 0; i + 4 <= n; i += 4) {
		memcpy(&word, key + i, 4);
		h ^= word;
	}
	return h;
}

/* Sums of words: equal too. */
static size_t balanced_sum(uint32_t i, uint8_t *key)
{
	uint64_t a = i, b = CHOSEN - i, c = 5;

	memcpy(key, &a, 8);
	memcpy(key + 8, &b, 8);
	memcpy(key + 16, &c, 8);
	return 24;
}

static uint32_t sum_words(const uint8_t *key, size_t n)
{
	uint64_t h = 0, word;

	for (size_t i = 0; i + 8 <= n; i += 8) {
		memcpy(&word, key + i, 8);
		h += word;
	}
	return (uint32_t)h;
}

/* High bits alone differ: whoever multiplies and takes the low ones sees none of it. */
static size_t high_bits(uint32_t i, uint8_t *key)
{
	uint64_t word = (uint64_t)i << (64 - CHOSEN_BITS);

	memcpy(key, &word, 8);
	return 8;
}

static uint32_t multiplied(const uint8_t *key, size_t n)
{
	uint64_t word;

	(void)n;
	memcpy(&word, key, sizeof word);
	return (uint32_t)(word * UINT64_C(0x9e3779b97f4a7c15));
}

static const struct chosen {
	const char *name;
	size_t (*make)(uint32_t i, uint8_t *key);
	uint32_t (*unkeyed)(const uint8_t *key, size_t n);
} chosen[] = {
	{ "31 and a letter", words_of_pairs, times_31 },
	{ "31, long", long_words_of_pairs, times_31 },
	{ "exclusive or", balanced_tuple, xor_words },
	{ "sum", balanced_sum, sum_words },
	{ "multiplied", high_bits, multiplied },
};

static size_t longest_in(const struct hash *h)
{
	size_t longest = 0;

	for (size_t bucket = 0; bucket <= h->mask; bucket++) {
		size_t n = 0;

		for (struct hash_link *it = h->buckets[bucket]; it; it = it->next)
			n++;
		longest = n > longest ? n : longest;
	}
	return longest;
}

/* The longest chain of a table that holds them all. */
static size_t longest_chain(const struct chosen *c)
{
	struct hash_link *links = memory_zalloc(CHOSEN * sizeof *links);
	size_t longest;
	struct hash h;

	hash_init(&h);
	for (uint32_t i = 0; i < CHOSEN; i++) {
		uint8_t key[CHOSEN_BYTES], first[CHOSEN_BYTES];
		size_t n = c->make(i, key);

		c->make(0, first);
		if (c->unkeyed(key, n) != c->unkeyed(first, n))
			fail_msg("%s: key %u does not collide: the row proves nothing", c->name, i);
		hash_add(&h, &links[i], (uint32_t)hash_bytes(key, n));
	}
	longest = longest_in(&h);
	hash_fini(&h);
	free(links);
	return longest;
}

/* One entry a bucket on average: by chance 20 in one come once in 10^15. */
static void test_chosen_keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof chosen / sizeof chosen[0]; i++) {
		size_t longest = longest_chain(&chosen[i]);

		if (longest >= 20)
			fail_msg("%s: %zu keys in one chain", chosen[i].name, longest);
	}
}

/* Two words in which seed and value take each other away. */
static void test_chosen_pairs(void **state)
{
	static uint64_t hashes[CHOSEN];

	(void)state;
	for (uint64_t i = 0; i < CHOSEN; i++)
		hashes[i] = hash_mix(i, i);
	assert_int_equal(duplicates(hashes, CHOSEN), 0);
	for (uint64_t i = 0; i < CHOSEN; i++)
		hashes[i] = hash_mix(i, (i << 32 | i >> 32) ^ 1);        /* as hash_mix turns its seed */
	assert_int_equal(duplicates(hashes, CHOSEN), 0);
}

/*
 * IPv4 endpoints take a short cut. Those that differ in some bits only: ports one or 16 apart, neighbours in a network,
 * networks of one shape.
 */
static void test_chosen_endpoints(void **state)
{
	static const struct { const char *name; unsigned port_step, byte; } rows[] = {
		{ "ports", 1, 4 }, { "ports, 16 apart", 16, 4 }, { "last byte and ports", 256, 3 },
		  { "third byte and ports", 256, 2 },
		{ "first byte and ports", 256, 0 },
	};
	enum { ENDPOINTS = 4096, MOST = 20 };
	static struct hash_link links[ENDPOINTS];

	(void)state;
	for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
		struct hash h;

		hash_init(&h);
		for (unsigned i = 0; i < ENDPOINTS; i++) {
			struct endpoint e = { .addr = { .family = 4, .bytes = { 10, 1, 2, 3 } },
				.port = (uint16_t)(i * rows[r].port_step) };

			if (rows[r].byte < 4) {
				e.addr.bytes[rows[r].byte] = (uint8_t)i;
				e.port = (uint16_t)(i / 256 * rows[r].port_step);
			}
			hash_add(&h, &links[i], endpoint_hash(&e));
		}
		if (longest_in(&h) > MOST)
			fail_msg("%s: %zu endpoints in one chain", rows[r].name, longest_in(&h));
		hash_fini(&h);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lengths_and_bits),
		cmocka_unit_test(test_spreads),
		cmocka_unit_test(test_mix),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_few),
		cmocka_unit_test(test_collisions),
		cmocka_unit_test(test_chosen_keys),
		cmocka_unit_test(test_chosen_pairs),
		cmocka_unit_test(test_chosen_endpoints),
	};

	return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}
