/* SPDX-License-Identifier: MIT */
/* frame_order: a file's frames that are out of order by a little. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "captures/base/memory.h"
#include "captures/base/ns.h"
#include "captures/frame_order.h"

/* Gives frames of these times, in ms, numbered from 1, and notes in which order they come out. */
static void pass(const int *ms, unsigned count, char *ret, size_t room)
{
	struct frame_order *o = frame_order_new();
	struct frame frame;
	unsigned put = 0;

	*ret = '\0';
	for (;;) {
		for (; put < count && frame_order_wants(o); put++) {
			uint8_t byte = (uint8_t)(put + 1);

			frame_order_put(o, &(struct frame){ .at_ns = ms[put] * MILLISECOND_NS, .number = put + 1,
				.bytes = { &byte, 1 } });
		}
		if (!frame_order_take(o, &frame))
			break;
		assert_int_equal(frame.bytes.n, 1);
		assert_int_equal(frame.bytes.p[0], (uint8_t)frame.number);
		snprintf(ret + strlen(ret), room - strlen(ret), "%s%u", *ret ? " " : "", frame.number);
	}
	assert_int_equal(put, count);
	frame_order_free(o);
}

static void order_of_time(void **state)
{
	static const struct {
		const char *why;
		int ms[8];
		unsigned count;
		const char *order;
	} rows[] = {
		{ "in order", { 1, 2, 3, 40, 41 }, 5, "1 2 3 4 5" },
		{ "one late by 3 ms", { 10, 14, 11, 15 }, 4, "1 3 2 4" },
		{ "equal times keep their order", { 10, 12, 10, 12 }, 4, "1 3 2 4" },
		{ "as far back as the window", { 10, 20, 10 }, 3, "1 3 2" },
		{ "farther back stays where it stands", { 10, 30, 5, 31 }, 4, "1 2 3 4" },
		{ "a clock set back, and order behind it", { 100, 101, 5, 9, 7 }, 5, "1 2 3 5 4" },
		{ "back at once and again", { 100, 50, 100, 50 }, 4, "1 2 3 4" },
		{ "one from the future", { 10, 90000, 11, 12 }, 4, "1 2 3 4" },
		{ "none", { 0 }, 0, "" },
	};
	char got[64];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		pass(rows[i].ms, rows[i].count, got, sizeof got);
		if (strcmp(got, rows[i].order) != 0)
			fail_msg("%s: %s, not %s", rows[i].why, got, rows[i].order);
	}
}

/* A thousand frames of one instant: never more than 256 wait. */
static void bounded(void **state)
{
	struct frame_order *o = frame_order_new();
	struct frame frame;
	unsigned put = 0, taken = 0;

	(void)state;
	while (put < 1000 || taken < put) {
		while (put < 1000 && frame_order_wants(o))
			frame_order_put(o, &(struct frame){ .at_ns = 1, .number = ++put });
		assert_true(put - taken <= 256);
		assert_true(frame_order_take(o, &frame));
		assert_int_equal(frame.number, ++taken);
	}
	assert_false(frame_order_take(o, &frame));
	frame_order_free(o);
}

/* Large frames are bounded by their bytes. */
static void bounded_bytes(void **state)
{
	struct frame_order *o = frame_order_new();
	uint8_t *bytes = memory_zalloc(1 << 20);
	struct frame frame;
	unsigned put = 0;

	(void)state;
	while (frame_order_wants(o))
		frame_order_put(o, &(struct frame){ .at_ns = 1, .number = ++put, .bytes = { bytes, 1 << 20 } });
	assert_int_equal(put, 4);
	assert_true(frame_order_take(o, &frame));
	assert_true(frame_order_wants(o));
	frame_order_free(o);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_of_time),
		cmocka_unit_test(bounded),
		cmocka_unit_test(bounded_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
