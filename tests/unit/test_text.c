/* SPDX-License-Identifier: MIT */
/* text: growth, escaping, columns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "captures/base/text.h"

static void test_grows(void **state)
{
	struct text t;
	char expected[3001];

	(void)state;
	text_init(&t);
	assert_string_equal(t.p, "");
	for (int i = 0; i < 1000; i++) {
		text_addf(&t, "%c%d", 'a', i % 10);
		text_add(&t, "-");
	}
	for (int i = 0; i < 1000; i++)
		snprintf(expected + 3 * i, 4, "a%d-", i % 10);
	assert_string_equal(t.p, expected);
	assert_int_equal(t.n, 3000);
	text_clear(&t);
	assert_string_equal(t.p, "");
	text_addf(&t, "%5000d", 7);
	assert_int_equal(strlen(t.p), 5000);
	text_fini(&t);
}

/* A text that ends just at the room, one before, one behind. */
static void test_room_borders(void **state)
{
	(void)state;
	for (int n = 60; n <= 70; n++) {
		struct text t;

		text_init(&t);
		text_addf(&t, "%*d", n, 1);
		assert_int_equal(t.n, n);
		assert_int_equal(strlen(t.p), n);
		text_add(&t, "x");
		assert_int_equal(strlen(t.p), n + 1);
		text_fini(&t);
	}
}

static const struct { const char *name; struct span raw; const char *escaped; } cases[] = {
	{ "plain", SPAN("INVITE sip:1001@pbx"), "INVITE sip:1001@pbx" },
	{ "empty", SPAN(""), "" },
	{ "C0", SPAN("a\0\t\n\r\x1b[31mb\x1f"), "a\\x00\\x09\\x0a\\x0d\\x1b[31mb\\x1f" },
	{ "DEL", SPAN("\x7f"), "\\x7f" },
	{ "backslash", SPAN("\\x41"), "\\x5cx41" },
	{ "C1 in UTF-8", SPAN("\xc2\x80\xc2\x9b\xc2\x9f\xc2\xa0"), "\\xc2\\x80\\xc2\\x9b\\xc2\\x9f\xc2\xa0" },
	{ "C1 bare", SPAN("\x9b"), "\\x9b" },
	{ "letters of two, three, four bytes", SPAN("\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80"),
	  "\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80" },
	{ "bidi", SPAN("\xd8\x9c\xe2\x80\x8e\xe2\x80\x8f\xe2\x80\xaa\xe2\x80\xae\xe2\x81\xa6\xe2\x81\xa9"),
	  "\\xd8\\x9c\\xe2\\x80\\x8e\\xe2\\x80\\x8f\\xe2\\x80\\xaa\\xe2\\x80\\xae\\xe2\\x81\\xa6\\xe2\\x81\\xa9" },
	{ "around bidi", SPAN("\xe2\x80\x8d\xe2\x80\x90\xe2\x80\xa7\xe2\x80\xaf\xe2\x81\xa5"),
	  "\xe2\x80\x8d\xe2\x80\x90\xe2\x80\xa7\xe2\x80\xaf\xe2\x81\xa5" },
	{ "separators", SPAN("\xe2\x80\xa8\xe2\x80\xa9"), "\\xe2\\x80\\xa8\\xe2\\x80\\xa9" },
	{ "overlong", SPAN("\xc0\xaf\xc1\xbf\xe0\x80\xaf\xf0\x80\x80\xaf"),
	  "\\xc0\\xaf\\xc1\\xbf\\xe0\\x80\\xaf\\xf0\\x80\\x80\\xaf" },
	{ "surrogate", SPAN("\xed\xa0\x80\xed\x9f\xbf"), "\\xed\\xa0\\x80\xed\x9f\xbf" },
	{ "past the last character", SPAN("\xf4\x90\x80\x80\xf4\x8f\xbf\xbf"), "\\xf4\\x90\\x80\\x80\xf4\x8f\xbf\xbf" },
	{ "five bytes, FE, FF", SPAN("\xf8\x88\x80\x80\x80\xfe\xff"), "\\xf8\\x88\\x80\\x80\\x80\\xfe\\xff" },
	{ "cut characters", SPAN("\xe2\x82" "a\xf0\x9f\x98"), "\\xe2\\x82a\\xf0\\x9f\\x98" },
	{ "continuation alone", SPAN("a\x80\xbf"), "a\\x80\\xbf" },
};

static void test_escaped(void **state)
{
	struct text t;
	char buffer[256];

	(void)state;
	text_init(&t);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		text_clear(&t);
		text_add_escaped(&t, cases[i].raw);
		assert_string_equal(t.p, cases[i].escaped);
		assert_ptr_equal(text_escape(cases[i].raw, buffer, sizeof buffer), buffer);
		assert_string_equal(buffer, cases[i].escaped);
	}
	text_fini(&t);
}

/* Whatever two bytes: what comes out is UTF-8 without controls. */
static void test_every_pair(void **state)
{
	(void)state;
	for (unsigned pair = 0; pair < 65536; pair++) {
		uint8_t raw[2] = { (uint8_t)(pair >> 8), (uint8_t)pair };
		char once[16], twice[32];

		text_escape((struct span){ raw, 2 }, once, sizeof once);
		for (const char *p = once; *p; p++)
			assert_true((unsigned char)*p >= 0x20 && *p != 0x7f);
		/* Its only dangerous characters are the backslashes that it made. */
		text_escape(span_of(once), twice, sizeof twice);
		size_t made = 0;
		for (const char *p = once; *p; p++)
			made += *p == '\\';
		assert_int_equal(strlen(twice), strlen(once) + 3 * made);
	}
}

static void test_cut(void **state)
{
	static const struct { struct span raw; size_t room; const char *text; } rows[] = {
		{ SPAN("abcdefgh"), 9, "abcdefgh" },
		{ SPAN("abcdefgh"), 8, "abcd..." },
		{ SPAN("abcd"), 5, "abcd" },
		{ SPAN("abcde"), 5, "a..." },
		{ SPAN("ab\x01" "cdef"), 12, "ab\\x01cdef" },
		{ SPAN("ab\x01" "cdef"), 10, "ab\\x01..." },
		{ SPAN("ab\x01" "cdef"), 9, "ab..." },
		{ SPAN("\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac"), 10, "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac" },
		{ SPAN("\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac"), 9, "\xe2\x82\xac..." },
		{ SPAN("\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac"), 6, "..." },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char buffer[16];

		memset(buffer, '#', sizeof buffer);
		assert_string_equal(text_escape(rows[i].raw, buffer, rows[i].room), rows[i].text);
		for (size_t k = rows[i].room; k < sizeof buffer; k++)
			assert_int_equal(buffer[k], '#');
	}
}

static void test_columns(void **state)
{
	static const struct { const char *text; size_t columns; } rows[] = {
		{ "", 0 },
		{ "abc", 3 },
		{ "J\xc3\xbcrgen", 6 },
		{ "\xd0\x98\xd0\xb2\xd0\xb0\xd0\xbd", 4 },
		{ "\xe6\x97\xa5\xe6\x9c\xac", 4 },                       /* CJK */
		{ "\xed\x95\x9c\xea\xb8\x80", 4 },                       /* Hangul syllables */
		{ "\xef\xbc\xa1", 2 },                                   /* full-width A */
		{ "\xef\xbd\xb1", 1 },                                   /* half-width katakana */
		{ "e\xcc\x81", 1 },                                      /* combining acute */
		{ "a\xe2\x80\x8d" "b", 2 },                              /* zero-width joiner */
		{ "\xf0\x9f\x98\x80", 2 },                               /* emoji */
		{ "\xe2\x9c\x97 \xe2\x96\x88", 3 },                      /* what our own reports draw with */
		{ "\xf0\xa0\x80\x80", 2 },                               /* CJK extension B */
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_int_equal(text_columns(rows[i].text), rows[i].columns);
}

static void test_count(void **state)
{
	static const struct { uint64_t n; const char *expected; } rows[] = {
		{ 0, "0" }, { 999, "999" }, { 1000, "1 000" }, { 98765, "98 765" }, { 1000000, "1 000 000" },
		{ UINT64_MAX, "18 446 744 073 709 551 615" },
	};
	char buffer[TEXT_COUNT];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_string_equal(text_count(rows[i].n, buffer), rows[i].expected);
}

static void test_counted(void **state)
{
	static const struct { uint64_t n; const char *noun, *expected; } rows[] = {
		{ 0, "packet", "0 packets" }, { 1, "packet", "1 packet" }, { 1200, "packet", "1 200 packets" },
		{ 1, "key press", "1 key press" }, { 2, "key press", "2 key presses" }, { 1, "copy", "1 copy" },
		{ 3, "copy", "3 copies" }, { 2, "relay", "2 relays" }, { UINT64_MAX, "address", "18 446 744 073 709 551 615 addresses" },
	};
	char buffer[TEXT_COUNTED];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_string_equal(text_counted(rows[i].n, rows[i].noun, buffer), rows[i].expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_count),
		cmocka_unit_test(test_counted),
		cmocka_unit_test(test_grows),
		cmocka_unit_test(test_room_borders),
		cmocka_unit_test(test_escaped),
		cmocka_unit_test(test_every_pair),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_columns),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
