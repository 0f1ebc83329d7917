/* SPDX-License-Identifier: MIT */
/* control: the first control byte at any place of any length, found 16 bytes a step as byte by byte. */
#include "dissect/control.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { LONGEST = 70 };

static const struct { uint8_t byte; bool control; } bytes[] = {
	{ 0x00, true }, { '\t', true }, { '\n', true }, { '\r', true }, { 0x1f, true }, { 0x7f, true },
	{ ' ', false }, { '~', false }, { 0x80, false }, { 0x8d, false }, { 0xff, false },
};

/* On the heap in its own size: what reads too far is caught by a sanitizer. */
static void test_every_place(void **state)
{
	(void)state;
	for (size_t n = 1; n <= LONGEST; n++) {
		uint8_t *text = malloc(n);
		struct span s = { text, n };

		assert_non_null(text);
		for (size_t at = 0; at < n; at++)
			for (size_t i = 0; i < sizeof bytes / sizeof *bytes; i++) {
				memset(text, 'a', n);
				text[at] = bytes[i].byte;
				assert_int_equal(control_find(s, 0), bytes[i].control ? at : n);
				assert_int_equal(control_find(s, at), bytes[i].control ? at : n);
				assert_int_equal(control_find(s, at + 1), n);
			}
		free(text);
	}
}

static void test_first_of_two(void **state)
{
	uint8_t text[LONGEST];
	struct span s = { text, sizeof text };

	(void)state;
	for (size_t first = 0; first < sizeof text; first++)
		for (size_t second = first + 1; second < sizeof text; second++) {
			memset(text, 0xc3, sizeof text);
			text[first] = '\n';
			text[second] = '\r';
			assert_int_equal(control_find(s, 0), first);
			assert_int_equal(control_find(s, first + 1), second);
		}
}

static void test_byte(void **state)
{
	(void)state;
	for (size_t at = 0; at < 16; at++) {
		uint8_t text[17];

		memset(text, 'a', sizeof text);
		text[16] = ':';
		assert_int_equal(byte_find_16(text, ':'), 16);
		text[at] = ':';
		assert_int_equal(byte_find_16(text, ':'), at);
	}
}

/* With the processor's own instruction and without it: any pattern of bytes that are 0xff or 0. */
static void test_masks(void **state)
{
	(void)state;
	for (unsigned pattern = 0; pattern < 1 << 16; pattern++) {
		bytes16 found = { 0 };
		words2 words;

		for (unsigned i = 0; i < 16; i++)
			found[i] = pattern >> i & 1 ? 0xff : 0;
		words = (words2)found;
		assert_int_equal(mask_16(found), pattern);
		assert_int_equal(mask_8(words[0]) | mask_8(words[1]) << 8, pattern);
	}
}

static void test_nothing(void **state)
{
	(void)state;
	assert_int_equal(control_find(SPAN_NONE, 0), 0);
	assert_int_equal(control_find(SPAN(""), 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_place),
		cmocka_unit_test(test_first_of_two),
		cmocka_unit_test(test_byte),
		cmocka_unit_test(test_masks),
		cmocka_unit_test(test_nothing),
	};

	return cmocka_run_group_tests_name("control", tests, NULL, NULL);
}
