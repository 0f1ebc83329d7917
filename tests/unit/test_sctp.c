/* SPDX-License-Identifier: MIT */
/* sctp: chunks, padding and lengths that lie. */
#include "dissect_bytes.h"

#include "dissect/sctp.h"

#define HEADER 0x13, 0xc4, 0x13, 0xc5, 0, 0, 0, 1, 0, 0, 0, 0
#define DATA(flags, length) 0, flags, 0, length, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0

static const struct { const char *name; struct span bytes; size_t more; unsigned chunks; const char *last; size_t wire;
	} cases[] = {
	{ "one",               BYTES(HEADER, DATA(3, 19), 'a', 'b', 'c', 0), 0, 1, "abc", 3 },
	{ "two, padding",      BYTES(HEADER, DATA(3, 17), 'a', 0, 0, 0, DATA(3, 18), 'b', 'c'), 0, 2, "bc", 2 },
	{ "behind a SACK",     BYTES(HEADER, 3, 0, 0, 16, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, DATA(3, 17), 'a'), 0, 1,
	  "a", 1 },
	{ "first fragment",    BYTES(HEADER, DATA(2, 17), 'a'), 0, 0, NULL, 0 },
	{ "I-DATA",            BYTES(HEADER, 64, 3, 0, 21, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 'a'), 0, 1,
	  "a", 1 },
	{ "length 0",          BYTES(HEADER, 0, 3, 0, 0, 0, 0, 0, 0), 0, 0, NULL, 0 },
	{ "length past the end", BYTES(HEADER, DATA(3, 99), 'a'), 0, 0, NULL, 0 },
	{ "no user data",      BYTES(HEADER, DATA(3, 16)), 0, 0, NULL, 0 },
	{ "cut",               BYTES(HEADER, DATA(3, 99), 'a'), 82, 1, "a", 83 },
};

static void test_chunks(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct cursor c = cursor_over(cases[i].bytes, cases[i].bytes.n + cases[i].more);
		struct span data = SPAN_NONE;
		struct packet p = { 0 };
		unsigned chunks = 0;
		size_t wire = 0;

		assert_true(sctp_parse(&c, &p));
		assert_int_equal(p.src.port, 5060);
		assert_int_equal(p.dst.port, 5061);
		while (sctp_next(&c, &data, &wire))
			chunks++;
		if (chunks != cases[i].chunks ||
		    (chunks && (wire != cases[i].wire || !span_equal(data, span_of(cases[i].last)))))
			fail_msg("%s: %u chunks, %zu of %zu bytes", cases[i].name, chunks, data.n, wire);
	}
}

static void test_header(void **state)
{
	struct span bytes = BYTES(0x13, 0xc4, 0x13);
	struct cursor c = cursor_over(bytes, 60);
	struct packet p = { 0 };

	(void)state;
	assert_false(sctp_parse(&c, &p));
	assert_int_equal(p.undecoded, UNDECODED_TRUNCATED);
	c = cursor_over(bytes, 3);
	assert_false(sctp_parse(&c, &p));
	assert_int_equal(p.undecoded, UNDECODED_MALFORMED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chunks),
		cmocka_unit_test(test_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
