/* SPDX-License-Identifier: MIT */
/* test_clock_offset: how far the clocks of files are apart, from messages that run both ways. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "analyzer/network/clock_offset.h"

#define MS MILLISECOND_NS

/* `file` is `ahead_ms` ahead of `near`; a message takes out_ms there and back_ms back, and now and then longer. */
static void cross(struct clock_offsets *c, uint16_t near_file, uint16_t file, int64_t ahead_ms, int64_t out_ms,
	int64_t back_ms, unsigned times)
{
	for (unsigned i = 0; i < times; i++) {
		int64_t at_ns = (int64_t)i * SECOND_NS, slow_ns = (int64_t)(i % 3) * MS;

		clock_sample(c, near_file, at_ns, file, at_ns + ahead_ms * MS + out_ms * MS + slow_ns);
		clock_sample(c, file, at_ns + ahead_ms * MS, near_file, at_ns + back_ms * MS + slow_ns);
	}
}

static void least_each_way_bounds_the_offset(void **state)
{
	static const struct { int64_t ahead_ms, out_ms, back_ms, offset_ms, error_ms; } rows[] = {
		{ 0, 1, 1, 0, 1 }, { 80, 1, 1, 80, 1 }, { -2500, 2, 2, -2500, 2 }, { 3600000, 1, 1, 3600000, 1 },
		/* ways of unequal length: wrong by half of that, and says so */
		{ 100, 0, 0, 100, 0 }, { 100, 9, 1, 104, 5 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct clock_offsets c = { .count = 0 };
		int64_t offset_ns, error_ns;

		cross(&c, 0, 1, rows[i].ahead_ms, rows[i].out_ms, rows[i].back_ms, 6);
		assert_true(clock_offset_of(&c, 1, &offset_ns, &error_ns));
		assert_int_equal(offset_ns, rows[i].offset_ms * MS);
		assert_int_equal(error_ns, rows[i].error_ms * MS);
		assert_int_equal(clock_apart(offset_ns), rows[i].offset_ms > 5 || rows[i].offset_ms < -5);
		assert_true(clock_between(&c, 1, 0, &offset_ns));
		assert_int_equal(offset_ns, -rows[i].offset_ms * MS);
	}
}

static void three_each_way_are_needed(void **state)
{
	struct clock_offsets c = { .count = 0 };
	int64_t offset_ns, error_ns;

	(void)state;
	cross(&c, 0, 1, 50, 1, 1, 2);
	assert_false(clock_offset_of(&c, 1, &offset_ns, &error_ns));
	assert_false(clock_between(&c, 0, 1, &offset_ns));
	assert_false(clock_measured(&c, 1));
	for (unsigned i = 0; i < 9; i++)                             /* one way alone says nothing */
		clock_sample(&c, 0, 0, 1, 51 * MS);
	assert_false(clock_offset_of(&c, 1, &offset_ns, &error_ns));
	cross(&c, 0, 1, 50, 1, 1, 1);
	assert_true(clock_offset_of(&c, 1, &offset_ns, &error_ns));
	assert_int_equal(offset_ns, 50 * MS);
}

static void a_chain_of_files_has_one_reference(void **state)
{
	struct clock_offsets c = { .count = 0 };
	int64_t offset_ns, error_ns;

	(void)state;
	cross(&c, 0, 1, 100, 1, 1, 4);
	cross(&c, 1, 2, -30, 1, 1, 4);
	assert_true(clock_offset_of(&c, 2, &offset_ns, &error_ns));
	assert_int_equal(offset_ns, 70 * MS);
	assert_int_equal(error_ns, 2 * MS);
	assert_int_equal(clock_reference(&c, 2), 0);
	assert_true(clock_measured(&c, 2));
	assert_false(clock_measured(&c, 0));
	assert_true(clock_offset_of(&c, 0, &offset_ns, &error_ns));
	assert_int_equal(offset_ns, 0);
	assert_false(clock_offset_of(&c, 3, &offset_ns, &error_ns));
}

static void files_beyond_the_table_are_left_out(void **state)
{
	struct clock_offsets c = { .count = 0 };
	int64_t offset_ns, error_ns;

	(void)state;
	cross(&c, 3, 3, 0, 1, 1, 4);
	cross(&c, 0, CLOCK_FILE_MAX, 5, 1, 1, 4);
	assert_int_equal(c.count, 0);
	assert_false(clock_offset_of(&c, CLOCK_FILE_MAX, &offset_ns, &error_ns));
	for (uint16_t a = 0; a < CLOCK_FILE_MAX; a++) {              /* more pairs than there is room for */
		for (uint16_t b = (uint16_t)(a + 1); b < CLOCK_FILE_MAX; b++)
			cross(&c, a, b, b - a, 1, 1, 3);
	}
	assert_int_equal(c.count, CLOCK_PAIR_MAX);
	assert_true(clock_offset_of(&c, 5, &offset_ns, &error_ns));
	assert_int_equal(offset_ns, 5 * MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(least_each_way_bounds_the_offset), cmocka_unit_test(three_each_way_are_needed),
		cmocka_unit_test(a_chain_of_files_has_one_reference),
		cmocka_unit_test(files_beyond_the_table_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
