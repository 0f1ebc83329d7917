/* SPDX-License-Identifier: MIT */
/* test_pool: items do not overlap, are aligned, come back zeroed where that is asked for, and are used again. */
#include "captures/base/pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "captures/base/memory.h"

enum { ITEMS = 5000, SIZE = 52 };

static void items_keep_what_is_theirs(void **state)
{
	static uint8_t *items[ITEMS];
	struct pool p;

	(void)state;
	pool_init(&p, SIZE);
	for (unsigned i = 0; i < ITEMS; i++) {
		items[i] = pool_take(&p);
		assert_int_equal((uintptr_t)items[i] % MEMORY_ALIGNMENT, 0);
		memset(items[i], (int)(i % 251), SIZE);
	}
	for (unsigned i = 0; i < ITEMS; i++) {
		for (unsigned k = 0; k < SIZE; k++)
			assert_int_equal(items[i][k], i % 251);
	}
	pool_fini(&p);
}

static void what_was_given_back_is_taken_again(void **state)
{
	struct pool p;
	void *a, *b, *c;

	(void)state;
	pool_init(&p, SIZE);
	a = pool_take(&p);
	b = pool_take(&p);
	assert_ptr_not_equal(a, b);
	pool_give(&p, NULL);
	pool_give(&p, a);
	pool_give(&p, b);
	assert_ptr_equal(pool_take(&p), b);
	assert_ptr_equal(pool_take(&p), a);
	c = pool_take(&p);
	assert_ptr_not_equal(c, a);
	assert_ptr_not_equal(c, b);
	pool_fini(&p);
}

static void zeroed_also_when_used_before(void **state)
{
	static const uint8_t zeros[SIZE];
	struct pool p;
	void *a;

	(void)state;
	pool_init(&p, SIZE);
	a = pool_zalloc(&p);
	assert_memory_equal(a, zeros, SIZE);
	memset(a, 0xff, SIZE);
	pool_give(&p, a);
	assert_ptr_equal(pool_zalloc(&p), a);
	assert_memory_equal(a, zeros, SIZE);
	pool_fini(&p);
}

static void an_emptied_pool_begins_anew(void **state)
{
	struct pool p;

	(void)state;
	pool_init(&p, 1);
	pool_give(&p, pool_take(&p));
	pool_fini(&p);
	assert_non_null(pool_zalloc(&p));
	pool_fini(&p);
	pool_fini(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_keep_what_is_theirs),
		cmocka_unit_test(what_was_given_back_is_taken_again),
		cmocka_unit_test(zeroed_also_when_used_before),
		cmocka_unit_test(an_emptied_pool_begins_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
