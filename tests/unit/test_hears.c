/* SPDX-License-Identifier: MIT */
/* test_hears: how much audio is on its way to a party, however many legs it passes. */
#include "ui/hears.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

enum { CALLER, CALLEE };

static uint64_t packets_to(unsigned hearer, const struct view_direction *media, unsigned count)
{
	struct view_call *c = calloc(1, sizeof *c);
	uint64_t packets;

	assert_non_null(c);
	memcpy(c->media, media, count * sizeof *media);
	c->media_count = count;
	packets = hears_packets(c, hearer);
	free(c);
	return packets;
}

static void what_passes_two_legs_is_counted_once(void **state)
{
	static const struct view_direction media[] = {
		{ .leg = 0, .kind = "audio", .sender = CALLER, .packets = 699 },
		{ .leg = 0, .kind = "audio", .sender = CALLEE, .packets = 3 },
		{ .leg = 1, .kind = "audio", .sender = CALLER, .packets = 690 },
		{ .leg = 1, .kind = "video", .sender = CALLER, .packets = 2000 },
	};

	(void)state;
	assert_int_equal(packets_to(CALLEE, media, COUNT_OF(media)), 699);
	assert_int_equal(packets_to(CALLER, media, COUNT_OF(media)), 3);
	assert_int_equal(packets_to(CALLEE, media, 0), 0);
}

static void all_of_a_leg_counts(void **state)
{
	static const struct view_direction media[] = {
		{ .leg = 0, .kind = "audio", .sender = CALLEE, .packets = 100 },
		{ .leg = 0, .mline = 1, .kind = "audio", .sender = CALLEE, .packets = 50 },
		{ .leg = 1, .kind = NULL, .sender = CALLEE, .packets = 500 },
	};

	(void)state;
	assert_int_equal(packets_to(CALLER, media, COUNT_OF(media)), 150);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_passes_two_legs_is_counted_once),
		cmocka_unit_test(all_of_a_leg_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
