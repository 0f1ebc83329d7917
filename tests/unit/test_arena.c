/* SPDX-License-Identifier: MIT */
/* arena, memory, list: what lives together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "captures/base/arena.h"
#include "captures/base/list.h"
#include "captures/base/memory.h"
#include "captures/base/pool.h"

static void test_zeroed_aligned_apart(void **state)
{
	enum { PIECES = 3000 };
	static uint8_t *pieces[PIECES];
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < PIECES; i++) {
		size_t n = i * 7 % 300;

		pieces[i] = arena_zalloc(arena, n);
		assert_int_equal((uintptr_t)pieces[i] % MEMORY_ALIGNMENT, 0);
		for (size_t k = 0; k < n; k++)
			assert_int_equal(pieces[i][k], 0);
		memset(pieces[i], (int)(i % 255 + 1), n);
		arena_dup(arena, (struct span){ pieces[i], n });         /* texts between the records */
	}
	for (size_t i = 0; i < PIECES; i++) {
		for (size_t k = 0; k < i * 7 % 300; k++)
			assert_int_equal(pieces[i][k], i % 255 + 1);
	}
	arena_free(arena);
	arena_free(NULL);
}

static void test_texts(void **state)
{
	struct arena *arena = arena_new();
	char local[] = "Call-ID";
	struct span copy = arena_dup(arena, span_of(local));
	char *text = arena_text(arena, span_of(local));

	(void)state;
	memset(local, 'x', sizeof local);
	assert_true(span_equal(copy, SPAN("Call-ID")));
	assert_string_equal(text, "Call-ID");
	assert_string_equal(arena_text(arena, SPAN_NONE), "");
	assert_int_equal(arena_dup(arena, SPAN_NONE).n, 0);
	arena_free(arena);
}

static void test_large(void **state)
{
	enum { LARGE = 1 << 20 };
	struct arena *arena = arena_new();
	uint8_t *small = arena_zalloc(arena, 8), *large = arena_zalloc(arena, LARGE), *after = arena_zalloc(arena, 8);

	(void)state;
	memset(large, 1, LARGE);
	assert_int_equal(small[7] | after[0] | after[7], 0);
	assert_true(arena_bytes(arena) >= LARGE && arena_bytes(arena) < LARGE + 8192);
	arena_free(arena);
}

/*
 * Of chunks of a pool: what is small, more than half of one, nearly all of one, more than one; again when given back.
 */
static void test_pooled(void **state)
{
	enum { CHUNK = 992, PIECES = 400 };
	static const size_t sizes[] = { 8, 224, CHUNK / 2, CHUNK / 2 + 8, CHUNK * 7 / 8, CHUNK - 24, CHUNK - 16, CHUNK, 5000 };
	static uint8_t *pieces[PIECES];
	struct pool pool;

	(void)state;
	pool_init(&pool, CHUNK);
	for (unsigned round = 0; round < 3; round++) {
		struct arena *arena = arena_new_in(&pool);

		for (size_t i = 0; i < PIECES; i++) {
			size_t n = sizes[i * 7 % (sizeof sizes / sizeof *sizes)];

			pieces[i] = arena_zalloc(arena, n);
			assert_int_equal((uintptr_t)pieces[i] % MEMORY_ALIGNMENT, 0);
			for (size_t k = 0; k < n; k++)
				assert_int_equal(pieces[i][k], 0);
			memset(pieces[i], (int)(i % 255 + 1), n);
			arena_dup(arena, (struct span){ pieces[i], n });
		}
		for (size_t i = 0; i < PIECES; i++) {
			for (size_t k = 0; k < sizes[i * 7 % (sizeof sizes / sizeof *sizes)]; k++)
				assert_int_equal(pieces[i][k], i % 255 + 1);
		}
		arena_free(arena);
		assert_non_null(pool.spare);
	}
	pool_fini(&pool);
}

/* A record of nearly a chunk takes one, and the gap that it leaves in the first is filled. */
static void test_pooled_thrift(void **state)
{
	enum { CHUNK = 992 };
	struct arena *arena;
	struct pool pool;

	(void)state;
	pool_init(&pool, CHUNK);
	arena = arena_new_in(&pool);
	arena_zalloc(arena, 952);
	for (unsigned i = 0; i < 4; i++)
		arena_zalloc(arena, 224);
	assert_int_equal(arena_bytes(arena), 2 * CHUNK);
	arena_free(arena);
	pool_fini(&pool);
}

/* A call with a few texts must not cost more than 4 KiB, and much data not much more than itself. */
static void test_thrift(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	arena_zalloc(arena, 400);
	arena_text(arena, SPAN("f81d4fae-7dec-11d0-a765-00a0c91e6bf6@10.0.0.2"));
	assert_true(arena_bytes(arena) <= 1200);
	for (size_t i = 0; i < 10000; i++)
		arena_zalloc(arena, 48);
	assert_true(arena_bytes(arena) < 10000 * 48 * 5 / 4);
	arena_free(arena);
}

static void test_memory(void **state)
{
	int *numbers = memory_resize(NULL, 2, sizeof *numbers);
	char *text = memory_text("a"), *none = memory_zalloc(0);

	(void)state;
	numbers[0] = 7;
	numbers = memory_resize(numbers, 1000, sizeof *numbers);
	assert_int_equal(numbers[0], 7);
	assert_string_equal(text, "a");
	assert_non_null(none);
	free(numbers);
	free(text);
	free(none);
}

struct item {
	int value;
	struct list_link link;
};

static void test_list(void **state)
{
	struct item items[5];
	struct list l;
	int sum = 0, digits = 0;

	(void)state;
	list_init(&l);
	assert_true(list_empty(&l));
	for (int i = 0; i < 5; i++) {
		items[i].value = i + 1;
		list_add_tail(&l, &items[i].link);
	}
	LIST_EACH_SAFE(it, &l) {
		struct item *item = LIST_ENTRY(it, struct item, link);

		sum += item->value;
		if (item->value % 2 == 0)
			list_remove(&l, it);
	}
	LIST_EACH(it, &l)
		digits = digits * 10 + LIST_ENTRY(it, struct item, link)->value;
	assert_int_equal(sum, 15);
	assert_int_equal(digits, 135);
	assert_int_equal(l.count, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zeroed_aligned_apart),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_pooled),
		cmocka_unit_test(test_pooled_thrift),
		cmocka_unit_test(test_thrift),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_list),
	};

	return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
