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

/* Windows of 10 ... 40 s; nothing got there from 25 to 40 s on one leg, whatever the other brought. */
static void what_fails_is_of_its_time(void **state)
{
	struct view_call *c = calloc(1, sizeof *c);
	struct view_direction *relay, *failing;
	const struct view_window window = { .from_ns = 10 * SECOND_NS, .due_ns = 12 * SECOND_NS,
		.to_ns = 40 * SECOND_NS,
		.due = true };
	struct view_window held = window;
	int64_t from_ns, to_ns;

	(void)state;
	assert_non_null(c);
	relay = &c->media[0];
	failing = &c->media[1];
	c->media_count = 2;
	*relay = (struct view_direction){ .kind = "audio", .sender = CALLEE, .leg = 1, .packets = 1500,
		.heard = HEARD_YES, .windows = { window }, .window_count = 1 };
	*failing = (struct view_direction){ .kind = "audio", .sender = CALLEE, .packets = 750, .heard = HEARD_NO,
		.unheard_from_ns = 25 * SECOND_NS, .unheard_to_ns = 50 * SECOND_NS, .windows = { window },
		.window_count = 1 };
	c->caller_hears = HEARD_NO;
	c->callee_hears = HEARD_YES;
	held.due = false;
	assert_true(hears_failed(failing, &window, &from_ns, &to_ns));
	assert_true(from_ns == 25 * SECOND_NS && to_ns == 40 * SECOND_NS);
	assert_false(hears_failed(failing, &held, &from_ns, &to_ns));
	assert_false(hears_failed(relay, &window, &from_ns, &to_ns));
	assert_true(hears_until(c, CALLER) == 25 * SECOND_NS);
	assert_true(hears_until(c, CALLEE) == NS_NONE);
	/* the grace of the beginning: it never heard anything */
	failing->unheard_from_ns = 12 * SECOND_NS;
	assert_true(hears_until(c, CALLER) == NS_NONE);
	failing->unheard_from_ns = 41 * SECOND_NS;
	assert_false(hears_failed(failing, &window, &from_ns, &to_ns));
	free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_passes_two_legs_is_counted_once),
		cmocka_unit_test(all_of_a_leg_counts),
		cmocka_unit_test(what_fails_is_of_its_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
