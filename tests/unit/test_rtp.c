/* SPDX-License-Identifier: MIT */
/* rtp: the header, and where the payload is; what was cut is not what was never sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dissect/rtp.h"

#define BYTES(...) \
	{ \
		(const uint8_t[]){ __VA_ARGS__ }, sizeof(const uint8_t[]) \
		{ \
			__VA_ARGS__ \
		} \
	}
#define FIXED    0x12, 0x34, 0, 0, 0, 160, 0xde, 0xad, 0xbe, 0xef
#define NO_LEVEL 1

static const struct {
	const char *name;
	struct span bytes;
	size_t wire;
	bool ok;
	enum cursor_state state;
	size_t payload, payload_wire, extension;
	int level;
} cases[] = {
	{ "plain", BYTES(0x80, 0, FIXED, 1, 2, 3), 15, true, CURSOR_OK, 3, 3, 0, NO_LEVEL },
	{ "no payload", BYTES(0x80, 0, FIXED), 12, true, CURSOR_OK, 0, 0, 0, NO_LEVEL },
	{ "payload cut off", BYTES(0x80, 0, FIXED, 1), 172, true, CURSOR_OK, 1, 160, 0, NO_LEVEL },
	{ "padding removed", BYTES(0xa0, 0, FIXED, 1, 2, 2), 15, true, CURSOR_OK, 1, 1, 0, NO_LEVEL },
	{ "padding is all of it", BYTES(0xa0, 0, FIXED, 0, 0, 3), 15, true, CURSOR_OK, 0, 0, 0, NO_LEVEL },
	{ "padding of 0", BYTES(0xa0, 0, FIXED, 1, 2, 0), 15, false, CURSOR_OK, 0, 0, 0, 0 },
	{ "padding longer than it", BYTES(0xa0, 0, FIXED, 1, 2, 4), 15, false, CURSOR_OK, 0, 0, 0, 0 },
	{ "padding of nothing", BYTES(0xa0, 0, FIXED), 12, false, CURSOR_OK, 0, 0, 0, 0 },
	{ "padding cut off", BYTES(0xa0, 0, FIXED, 1, 2, 9), 40, true, CURSOR_OK, 3, 28, 0, NO_LEVEL },
	{ "CSRC", BYTES(0x82, 0, FIXED, 0, 0, 0, 1, 0, 0, 0, 2, 7), 21, true, CURSOR_OK, 1, 1, 0, NO_LEVEL },
	{ "CSRC past the end", BYTES(0x82, 0, FIXED, 1, 2, 3, 4), 16, false, CURSOR_BAD, 0, 0, 0, 0 },
	{ "the same, cut off", BYTES(0x82, 0, FIXED, 1, 2, 3, 4), 90, false, CURSOR_CUT, 0, 0, 0, 0 },
	{ "extension, level -40", BYTES(0x90, 0, FIXED, 0xbe, 0xde, 0, 1, 0x10, 0xa8, 0, 0, 7), 21, true, CURSOR_OK, 1,
		1, 4, -40 },
	{ "level behind another", BYTES(0x90, 0, FIXED, 0xbe, 0xde, 0, 2, 0x31, 1, 2, 0, 0x10, 0x7f, 0, 0), 20, true,
		CURSOR_OK, 0, 0, 8, -127 },
	{ "element past the end", BYTES(0x90, 0, FIXED, 0xbe, 0xde, 0, 1, 0x3f, 1, 2, 3), 20, true, CURSOR_OK, 0, 0, 4,
		NO_LEVEL },
	{ "element without its byte", BYTES(0x90, 0, FIXED, 0xbe, 0xde, 0, 1, 0, 0, 0, 0x10), 20, true, CURSOR_OK, 0, 0,
		4, NO_LEVEL },
	{ "id 15 ends it", BYTES(0x90, 0, FIXED, 0xbe, 0xde, 0, 1, 0xf0, 0, 0x10, 5), 20, true, CURSOR_OK, 0, 0, 4,
		NO_LEVEL },
	{ "element of two bytes", BYTES(0x90, 0, FIXED, 0xbe, 0xde, 0, 1, 0x11, 5, 5, 0), 20, true, CURSOR_OK, 0, 0, 4,
		NO_LEVEL },
	{ "two-byte profile", BYTES(0x90, 0, FIXED, 0x10, 0, 0, 1, 0x10, 5, 0, 0), 20, true, CURSOR_OK, 0, 0, 4,
		NO_LEVEL },
	{ "empty extension", BYTES(0x90, 0, FIXED, 0xbe, 0xde, 0, 0, 9), 17, true, CURSOR_OK, 1, 1, 0, NO_LEVEL },
	{ "extension of 65535 words", BYTES(0x90, 0, FIXED, 0xbe, 0xde, 0xff, 0xff, 9), 17, false, CURSOR_BAD, 0, 0, 0,
		0 },
	{ "extension without header", BYTES(0x90, 0, FIXED, 0xbe, 0xde), 14, false, CURSOR_BAD, 0, 0, 0, 0 },
	{ "version 0", BYTES(0x00, 0, FIXED, 1), 13, false, CURSOR_OK, 0, 0, 0, 0 },
	{ "version 1", BYTES(0x40, 0, FIXED, 1), 13, false, CURSOR_OK, 0, 0, 0, 0 },
	{ "version 3", BYTES(0xc0, 0, FIXED, 1), 13, false, CURSOR_OK, 0, 0, 0, 0 },
	{ "11 bytes", BYTES(0x80, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9), 11, false, CURSOR_BAD, 0, 0, 0, 0 },
	{ "11 bytes, cut off", BYTES(0x80, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9), 60, false, CURSOR_CUT, 0, 0, 0, 0 },
	{ "1 byte", BYTES(0x80), 1, false, CURSOR_BAD, 0, 0, 0, 0 },
};

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint8_t *copy = malloc(cases[i].bytes.n); /* of that size, so that a sanitizer sees a read past it */
		struct rtp_header h = { .seq = 77 };
		struct cursor c;
		bool ok;

		assert_non_null(copy);
		memcpy(copy, cases[i].bytes.p, cases[i].bytes.n);
		c = cursor_over((struct span){ copy, cases[i].bytes.n }, cases[i].wire);
		ok = rtp_parse(&c, &h);
		free(copy);
		if (ok != cases[i].ok || c.state != cases[i].state)
			fail_msg("%s: %d, state %d", cases[i].name, ok, c.state);
		assert_int_equal(h.seq, ok ? 0x1234 : 77); /* written only on true */
		if (!ok)
			continue;
		if (h.payload.n != cases[i].payload || h.payload_wire != cases[i].payload_wire ||
			h.level_dbov != cases[i].level)
			fail_msg("%s: payload %zu of %zu, level %d", cases[i].name, h.payload.n, h.payload_wire,
				h.level_dbov);
		assert_int_equal(h.extension_bytes, cases[i].extension);
		assert_int_equal(h.rtp_ts, 160);
		assert_int_equal(h.ssrc, 0xdeadbeef);
	}
}

static void test_bits(void **state)
{
	static const uint8_t bytes[] = { 0xb1, 0xe5, FIXED, 0, 0, 0, 9, 0xbe, 0xde, 0, 0, 5, 1 };
	struct cursor c = cursor_over((struct span){ bytes, sizeof bytes }, sizeof bytes);
	struct rtp_header h;

	(void)state;
	assert_true(rtp_parse(&c, &h));
	assert_true(h.marker);
	assert_true(h.padding);
	assert_true(h.extension);
	assert_int_equal(h.csrc_count, 1);
	assert_int_equal(h.pt, 101);
	assert_int_equal(h.payload.n, 1);
	assert_int_equal(h.payload.p[0], 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_cases), cmocka_unit_test(test_bits) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
