/* SPDX-License-Identifier: MIT */
/* hash: the function spreads, the table finds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lengths_and_bits),
		cmocka_unit_test(test_spreads),
		cmocka_unit_test(test_mix),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_collisions),
	};

	return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}
