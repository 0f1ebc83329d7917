/* SPDX-License-Identifier: MIT */
/* test_keep: the newest frames, and no others, whatever their sizes and times. */
#include "captures/keep.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "captures/base/ns.h"

static uint8_t image[1 << 20];

static struct frame made(uint32_t number, int64_t at_ns, size_t n)
{
	memset(image, (int)(number & 0xff), n);
	return (struct frame){ .at_ns = at_ns, .bytes = { image, n }, .wire_bytes = (uint32_t)n + 4, .number = number,
	       .file = (uint16_t)(number % 3),
			       .interface = 0, .link = 1, .direction = FRAME_IN };
}

/* Numbers follow one another without a hole, bytes are those that were added; gives how many there are. */
static uint64_t check_all(const struct keep *k, uint32_t newest)
{
	struct keep_extent extent = keep_extent(k);
	uint32_t expected = newest - (uint32_t)extent.frames + 1;
	uint64_t at = 0, count = 0;
	struct frame f;

	while (keep_next(k, &at, &f)) {
		assert_int_equal(f.number, expected + count);
		assert_int_equal(f.file, f.number % 3);
		assert_int_equal(f.direction, FRAME_IN);
		assert_true(f.wire_bytes >= f.bytes.n);
		if (f.bytes.n) {
			assert_int_equal(f.bytes.p[0], f.number & 0xff);
			assert_int_equal(f.bytes.p[f.bytes.n - 1], f.number & 0xff);
		}
		if (count == 0)
			assert_int_equal(f.at_ns, extent.first_ns);
		count++;
	}
	assert_int_equal(count, extent.frames);
	assert_true(extent.bytes <= keep_room(k));
	return count;
}

static void test_room_is_never_exceeded(void **state)
{
	static const size_t sizes[] = { 0, 1, 7, 8, 60, 214, 1500, 9000, 65535 };
	struct keep *k = keep_new(KEEP_BYTES_LEAST, HOUR_NS);
	uint64_t most = 0;

	(void)state;
	for (uint32_t i = 1; i <= 20000; i++) {
		struct frame f = made(i, i, sizes[i * 7919 % (sizeof sizes / sizeof sizes[0])]);

		keep_add(k, &f, SIZE_MAX);
		if (i % 97 == 0 && check_all(k, i) > most)
			most = check_all(k, i);
	}
	assert_true(most > 50);
	assert_int_equal(keep_extent(k).frames + keep_extent(k).crowded_out, 20000);
	keep_free(k);
}

static void test_old_frames_go(void **state)
{
	struct keep *k = keep_new(KEEP_BYTES_LEAST, 10 * SECOND_NS);

	(void)state;
	for (uint32_t i = 1; i <= 100; i++) {
		struct frame f = made(i, i * SECOND_NS, 100);

		keep_add(k, &f, SIZE_MAX);
	}
	assert_int_equal(check_all(k, 100), 11);
	assert_int_equal(keep_extent(k).first_ns, 90 * SECOND_NS);
	assert_int_equal(keep_extent(k).crowded_out, 0);
	keep_free(k);
}

static void test_a_clock_that_is_set_back(void **state)
{
	struct keep *k = keep_new(KEEP_BYTES_LEAST, 10 * SECOND_NS);

	(void)state;
	for (uint32_t i = 1; i <= 10; i++) {
		struct frame f = made(i, i <= 5 ? HOUR_NS + i : i, 100);

		keep_add(k, &f, SIZE_MAX);
	}
	assert_int_equal(check_all(k, 10), 10);
	keep_free(k);
}

static void test_only_what_is_wanted(void **state)
{
	struct keep *k = keep_new(KEEP_BYTES_LEAST, HOUR_NS);
	struct frame f = made(1, 1, 214), got;
	uint64_t at = 0;

	(void)state;
	keep_add(k, &f, 54);
	f = made(2, 2, KEEP_BYTES_LEAST / 2);   /* nothing else would be left */
	keep_add(k, &f, SIZE_MAX);
	assert_true(keep_next(k, &at, &got));
	assert_int_equal(got.bytes.n, 54);
	assert_int_equal(got.wire_bytes, 218);
	assert_false(keep_next(k, &at, &got));
	keep_free(k);
}

static void test_empty(void **state)
{
	struct keep *k = keep_new(1, 0);
	struct frame f;
	uint64_t at = 0;

	(void)state;
	assert_int_equal(keep_room(k), KEEP_BYTES_LEAST);
	assert_int_equal(keep_extent(k).first_ns, NS_NONE);
	assert_false(keep_next(k, &at, &f));
	keep_free(k);
	keep_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_room_is_never_exceeded), cmocka_unit_test(test_old_frames_go),
			cmocka_unit_test(test_a_clock_that_is_set_back),
		cmocka_unit_test(test_only_what_is_wanted), cmocka_unit_test(test_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
