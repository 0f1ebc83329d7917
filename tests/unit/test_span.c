/* SPDX-License-Identifier: MIT */
/* span, cursor, err: bounded looking and reading. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "captures/base/cursor.h"
#include "captures/base/err.h"

static void test_equal(void **state)
{
	(void)state;
	assert_true(span_equal(SPAN("abc"), SPAN("abc")));
	assert_false(span_equal(SPAN("abc"), SPAN("abC")));
	assert_false(span_equal(SPAN("abc"), SPAN("ab")));
	assert_true(span_equal(SPAN_NONE, SPAN("")));
	assert_true(span_equal_nocase(SPAN("Call-ID"), SPAN("cALL-id")));
	assert_false(span_equal_nocase(SPAN("a["), SPAN("a{"))); /* differ by the case bit, and are no letters */
	assert_false(span_equal_nocase(SPAN("\xc0"), SPAN("\xe0")));
	assert_true(span_starts(SPAN("SIP/2.0 200"), SPAN("SIP/2.0")));
	assert_true(span_starts(SPAN("x"), SPAN("")));
	assert_false(span_starts(SPAN("SIP"), SPAN("SIP/2.0")));
	assert_true(span_starts_nocase(SPAN("sip:1001"), SPAN("SIP:")));
	assert_false(span_starts_nocase(SPAN("si"), SPAN("SIP:")));
	assert_int_equal(span_of(NULL).n, 0);
}

static void test_find(void **state)
{
	static const struct { struct span s, text; size_t exact, nocase; } rows[] = {
		{ SPAN("a\r\nb\r\n\r\n"), SPAN("\r\n\r\n"), 4, 4 },
		{ SPAN("xTAGtag"), SPAN("tag"), 4, 1 },
		{ SPAN("aab"), SPAN("ab"), 1, 1 },
		{ SPAN("ab"), SPAN("abc"), 2, 2 },
		{ SPAN("abc"), SPAN("d"), 3, 3 },
		{ SPAN(""), SPAN("d"), 0, 0 },
		{ SPAN("abc"), SPAN(""), 0, 0 },
		{ SPAN("a\0b"), SPAN("\0b"), 1, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_int_equal(span_find_text(rows[i].s, rows[i].text), rows[i].exact);
		assert_int_equal(span_find_text_nocase(rows[i].s, rows[i].text), rows[i].nocase);
	}
	assert_int_equal(span_find(SPAN("a:b:"), ':'), 1);
	assert_int_equal(span_find(SPAN("ab"), ':'), 2);
	assert_int_equal(span_find(SPAN_NONE, ':'), 0);
}

static void test_parts(void **state)
{
	(void)state;
	assert_true(span_equal(span_from(SPAN("abc"), 1), SPAN("bc")));
	assert_int_equal(span_from(SPAN("abc"), 9).n, 0);
	assert_true(span_equal(span_first(SPAN("abc"), 2), SPAN("ab")));
	assert_true(span_equal(span_first(SPAN("abc"), 9), SPAN("abc")));
	assert_true(span_equal(span_trim(SPAN(" \t a b \r\n")), SPAN("a b")));
	assert_int_equal(span_trim(SPAN(" \r\n")).n, 0);
	assert_int_equal(span_trim(SPAN_NONE).n, 0);
}

static void test_split(void **state)
{
	static const struct { struct span s; const char *pieces[4]; } rows[] = {
		{ SPAN("a,bc,d"), { "a", "bc", "d" } },
		{ SPAN("a,,b"), { "a", "", "b" } },
		{ SPAN(",a"), { "", "a" } },
		{ SPAN("a,"), { "a" } },
		{ SPAN("a"), { "a" } },
		{ SPAN(""), { NULL } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct span rest = rows[i].s, piece;
		size_t n = 0;

		for (; span_split(&rest, ',', &piece); n++) {
			assert_non_null(rows[i].pieces[n]);
			assert_true(span_equal(piece, span_of(rows[i].pieces[n])));
		}
		assert_null(rows[i].pieces[n]);
	}
}

static void test_number(void **state)
{
	static const struct { struct span s; uint64_t max; bool ok; uint64_t value; } rows[] = {
		{ SPAN("0"), 0, true, 0 },
		{ SPAN("5060"), 65535, true, 5060 },
		{ SPAN("65535"), 65535, true, 65535 },
		{ SPAN("65536"), 65535, false, 0 },
		{ SPAN("0000000000000000000000000005"), 9, true, 5 },
		{ SPAN("18446744073709551615"), UINT64_MAX, true, UINT64_MAX },
		{ SPAN("18446744073709551616"), UINT64_MAX, false, 0 },
		{ SPAN("99999999999999999999999"), UINT64_MAX, false, 0 },
		{ SPAN("7"), 5, false, 0 },
		{ SPAN(""), 9, false, 0 },
		{ SPAN("-1"), 9, false, 0 },
		{ SPAN("+1"), 9, false, 0 },
		{ SPAN(" 1"), 9, false, 0 },
		{ SPAN("1a"), 99, false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		uint64_t value = 77;

		assert_int_equal(span_number(rows[i].s, rows[i].max, &value), rows[i].ok);
		assert_true(value == (rows[i].ok ? rows[i].value : 77));
	}
}

static void test_cursor(void **state)
{
	static const uint8_t bytes[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18 };
	struct cursor c = cursor_over((struct span){ bytes, sizeof bytes }, sizeof bytes + 2);

	(void)state;
	assert_int_equal(cursor_u8(&c), 1);
	assert_int_equal(cursor_u16(&c), 0x0203);
	assert_int_equal(cursor_u24(&c), 0x040506);
	assert_int_equal(cursor_u32(&c), 0x0708090a);
	assert_true(cursor_u64(&c) == 0x0b0c0d0e0f101112);
	assert_int_equal(c.state, CURSOR_OK);
	assert_int_equal(cursor_u8(&c), 0);
	assert_int_equal(c.state, CURSOR_CUT);
	assert_int_equal(cursor_u8(&c), 0);
	assert_int_equal(c.state, CURSOR_CUT);
}

static void test_cursor_ends(void **state)
{
	static const struct {
		const char *name;
		size_t there, wire, limit, take;
		enum cursor_state state;
		size_t left;
	} rows[] = {
		{ "all there", 4, 4, 9, 4, CURSOR_OK, 0 },
		{ "not sent", 4, 4, 9, 5, CURSOR_BAD, 4 },
		{ "cut off", 4, 9, 9, 5, CURSOR_CUT, 4 },
		{ "cut off, and more than was sent", 4, 9, 9, 10, CURSOR_BAD, 4 },
		{ "a limit within what is there", 4, 9, 3, 4, CURSOR_BAD, 3 },
		{ "a limit behind the cut", 4, 9, 6, 5, CURSOR_CUT, 4 },
		{ "a limit behind the end is none", 4, 9, 99, 9, CURSOR_CUT, 4 },
		{ "wire below captured", 4, 1, 9, 4, CURSOR_OK, 0 },
	};
	static const uint8_t bytes[4] = { 1, 2, 3, 4 };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct cursor c = cursor_over((struct span){ bytes, rows[i].there }, rows[i].wire);

		cursor_limit(&c, rows[i].limit);
		cursor_take(&c, rows[i].take);
		if (c.state != rows[i].state || c.left.n != rows[i].left)
			fail_msg("%s: state %d, %zu left", rows[i].name, c.state, c.left.n);
	}
}

static void test_err(void **state)
{
	struct err err = { .code = ERR_OK };
	char many[600];

	(void)state;
	assert_int_equal(err_set(&err, ERR_FILE, "%s: %d", "a", 5), ERR_FILE);
	assert_int_equal(err.code, ERR_FILE);
	assert_string_equal(err.text, "a: 5");
	assert_int_equal(err_set(NULL, ERR_USAGE, "unheard"), ERR_USAGE);
	for (size_t i = 0; i < sizeof many; i += 3)              /* 200 euro signs */
		memcpy(many + i, "\xe2\x82\xac", 3);
	for (size_t shift = 0; shift < 3; shift++) {
		err_set(&err, ERR_FILE, "%.*s%.*s", (int)shift, "xx", (int)sizeof many, many);
		assert_int_equal((strlen(err.text) - shift) % 3, 0);     /* cut at a whole character */
		assert_true(strlen(err.text) > sizeof err.text - 4);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_number),
		cmocka_unit_test(test_cursor),
		cmocka_unit_test(test_cursor_ends),
		cmocka_unit_test(test_err),
	};

	return cmocka_run_group_tests_name("span", tests, NULL, NULL);
}
