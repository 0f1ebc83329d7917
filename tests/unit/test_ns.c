/* SPDX-License-Identifier: MIT */
/* ns: saturating sums, and time as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "captures/base/ns.h"

static void test_sums(void **state)
{
	(void)state;
	assert_true(ns_add(1, 2) == 3);
	assert_true(ns_add(INT64_MAX, 1) == INT64_MAX);
	assert_true(ns_add(INT64_MIN + 1, -5) == INT64_MIN + 1);
	assert_true(ns_minus(1, 3) == -2);
	assert_true(ns_minus(INT64_MAX, -1) == INT64_MAX);
	assert_true(ns_minus(-5, INT64_MAX) == INT64_MIN + 1);
	assert_true(ns_minus(INT64_MIN + 1, 5) == INT64_MIN + 1);
}

/* Where time_t has 32 bits it ends in 2038. */
static bool calendar_has(int64_t at_ns)
{
	return sizeof(time_t) >= sizeof(int64_t) ||
		(at_ns / SECOND_NS <= INT32_MAX && at_ns / SECOND_NS > INT32_MIN);
}

static void test_rfc3339(void **state)
{
	static const struct { int64_t at_ns; const char *text; } rows[] = {
		{ 0, "1970-01-01T00:00:00.000000000Z" },
		{ INT64_C(1795165967118000000), "2026-11-20T09:12:47.118000000Z" },
		{ INT64_C(951782400) * SECOND_NS + 1, "2000-02-29T00:00:00.000000001Z" },
		{ INT64_C(4294967295) * SECOND_NS, "2106-02-07T06:28:15.000000000Z" },
		{ -1, "1969-12-31T23:59:59.999999999Z" },
		{ -SECOND_NS, "1969-12-31T23:59:59.000000000Z" },
		{ INT64_MAX, "2262-04-11T23:47:16.854775807Z" },
		{ INT64_MIN, "1677-09-21T00:12:43.145224192Z" },
	};
	char buffer[NS_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (!calendar_has(rows[i].at_ns))
			continue;
		assert_string_equal(ns_rfc3339(rows[i].at_ns, buffer), rows[i].text);
	}
}

static void test_clock(void **state)
{
	static const struct { const char *zone; int64_t at_ns; unsigned decimals; const char *text; } rows[] = {
		{ "UTC0", 43200 * SECOND_NS + 123456789, 0, "12:00:00" },
		{ "UTC0", 43200 * SECOND_NS + 123456789, 3, "12:00:00.123" },
		{ "UTC0", 43200 * SECOND_NS + 123456789, 9, "12:00:00.123456789" },
		{ "UTC0", 43200 * SECOND_NS + 999999999, 3, "12:00:00.999" },
		{ "UTC0", 43200 * SECOND_NS + 5, 99, "12:00:00.000000005" },
		{ "IST-5:30", 43200 * SECOND_NS, 1, "17:30:00.0" },
	};
	char buffer[NS_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		setenv("TZ", rows[i].zone, 1);
		tzset();
		assert_string_equal(ns_clock(rows[i].at_ns, rows[i].decimals, buffer), rows[i].text);
	}
}

static void test_duration(void **state)
{
	static const struct { int64_t length_ns; const char *text; } rows[] = {
		{ 0, "0:00" },
		{ SECOND_NS - 1, "0:00" },
		{ 42 * SECOND_NS, "0:42" },
		{ 727 * SECOND_NS, "12:07" },
		{ 3599 * SECOND_NS, "59:59" },
		{ HOUR_NS, "1 h 0 min" },
		{ HOUR_NS + 2 * MINUTE_NS + 59 * SECOND_NS, "1 h 2 min" },
		{ 100 * HOUR_NS, "100 h 0 min" },
		{ -42 * SECOND_NS, "-0:42" },
		{ -1, "0:00" },
		{ INT64_MAX, "2562047 h 47 min" },
		{ INT64_MIN, "-2562047 h 47 min" },
	};
	char buffer[NS_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_string_equal(ns_duration(rows[i].length_ns, buffer), rows[i].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sums),
		cmocka_unit_test(test_rfc3339),
		cmocka_unit_test(test_clock),
		cmocka_unit_test(test_duration),
	};

	return cmocka_run_group_tests_name("ns", tests, NULL, NULL);
}
