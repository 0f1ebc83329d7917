/* SPDX-License-Identifier: MIT */
/* stun: messages and attributes that keep their promises, and those that do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dissect/stun.h"

#define BYTES(...) \
	{ \
		(const uint8_t[]){ __VA_ARGS__ }, sizeof(const uint8_t[]) \
		{ \
			__VA_ARGS__ \
		} \
	}
#define COOKIE                            0x21, 0x12, 0xa4, 0x42
#define TRANSACTION                       1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
#define HEAD(type_high, type_low, length) type_high, type_low, 0, length, COOKIE, TRANSACTION
/* 192.0.2.1:32853, as RFC 5769 2.2 has it */
#define XOR_V4   0x00, 0x01, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43
#define PLAIN_V4 0x00, 0x01, 0x13, 0xc4, 10, 0, 0, 9
/* 2001:db8::1 port 5060 under the key above */
#define XOR_V6 \
	0x00, 0x02, 0x13 ^ 0x21, 0xc4 ^ 0x12, 0x20 ^ 0x21, 0x01 ^ 0x12, 0x0d ^ 0xa4, 0xb8 ^ 0x42, 1, 2, 3, 4, 5, 6, 7, \
		8, 9, 10, 11, 12 ^ 1

static const struct {
	const char *name;
	struct span bytes;
	size_t cut;
	bool ok;
	const char *mapped;
	uint16_t error;
	size_t data;
} cases[] = {
	{ "binding request", BYTES(HEAD(0, 1, 0)), 0, true, "?", 0, 0 },
	{ "XOR-MAPPED-ADDRESS", BYTES(HEAD(1, 1, 12), 0, 0x20, 0, 8, XOR_V4), 0, true, "192.0.2.1:32853", 0, 0 },
	{ "its old number", BYTES(HEAD(1, 1, 12), 0x80, 0x20, 0, 8, XOR_V4), 0, true, "192.0.2.1:32853", 0, 0 },
	{ "IPv6", BYTES(HEAD(1, 1, 24), 0, 0x20, 0, 20, XOR_V6), 0, true, "[2001:db8::1]:5060", 0, 0 },
	{ "MAPPED-ADDRESS", BYTES(HEAD(1, 1, 12), 0, 1, 0, 8, PLAIN_V4), 0, true, "10.0.0.9:5060", 0, 0 },
	{ "both, plain first", BYTES(HEAD(1, 1, 24), 0, 1, 0, 8, PLAIN_V4, 0, 0x20, 0, 8, XOR_V4), 0, true,
		"192.0.2.1:32853", 0, 0 },
	{ "both, plain last", BYTES(HEAD(1, 1, 24), 0, 0x20, 0, 8, XOR_V4, 0, 1, 0, 8, PLAIN_V4), 0, true,
		"192.0.2.1:32853", 0, 0 },
	{ "address of 2 bytes", BYTES(HEAD(1, 1, 8), 0, 0x20, 0, 2, 0, 1, 0, 0), 0, true, "?", 0, 0 },
	{ "IPv6 in 8 bytes", BYTES(HEAD(1, 1, 12), 0, 0x20, 0, 8, 0, 2, 1, 2, 3, 4, 5, 6), 0, true, "?", 0, 0 },
	{ "IPv4 in 9 bytes", BYTES(HEAD(1, 1, 16), 0, 0x20, 0, 9, XOR_V4, 0, 0, 0, 0), 0, true, "?", 0, 0 },
	{ "family 99", BYTES(HEAD(1, 1, 12), 0, 0x20, 0, 8, 0, 99, 1, 2, 3, 4, 5, 6), 0, true, "?", 0, 0 },
	{ "attribute past the end", BYTES(HEAD(1, 1, 12), 0, 0x20, 0, 20, XOR_V4), 0, true, "?", 0, 0 },
	{ "attribute of 65535", BYTES(HEAD(1, 1, 4), 0, 0x20, 0xff, 0xff), 0, true, "?", 0, 0 },
	{ "attribute behind padding", BYTES(HEAD(1, 1, 20), 0x80, 0x22, 0, 1, 'x', 0, 0, 0, 0, 0x20, 0, 8, XOR_V4), 0,
		true, "192.0.2.1:32853", 0, 0 },
	{ "error 401", BYTES(HEAD(1, 0x11, 8), 0, 9, 0, 4, 0, 0, 4, 1), 0, true, "?", 401, 0 },
	{ "error of 3 bytes", BYTES(HEAD(1, 0x11, 8), 0, 9, 0, 3, 0, 0, 4, 0), 0, true, "?", 0, 0 },
	{ "error class 7", BYTES(HEAD(1, 0x11, 8), 0, 9, 0, 4, 0, 0, 7, 99), 0, true, "?", 0, 0 },
	{ "error number 200", BYTES(HEAD(1, 0x11, 8), 0, 9, 0, 4, 0, 0, 4, 200), 0, true, "?", 0, 0 },
	{ "data", BYTES(HEAD(0, 0x17, 12), 0, 0x13, 0, 5, 0x80, 0, 1, 2, 3, 0, 0, 0), 0, true, "?", 0, 5 },
	{ "data, cut off", BYTES(HEAD(0, 0x17, 12), 0, 0x13, 0, 8, 0x80, 0, 1), 5, true, "?", 0, 3 },
	{ "attributes cut off", BYTES(HEAD(1, 1, 12), 0, 0x20, 0, 8), 8, true, "?", 0, 0 },
	{ "data that lies", BYTES(HEAD(0, 0x17, 8), 0, 0x13, 0, 9, 0x80, 0, 1, 2), 0, true, "?", 0, 0 },
	{ "length too long", BYTES(HEAD(0, 1, 4)), 0, false, "", 0, 0 },
	{ "length too short", BYTES(HEAD(0, 1, 0), 0, 0, 0, 0), 0, false, "", 0, 0 },
	{ "length of 3", BYTES(HEAD(0, 1, 3), 0, 0, 0), 0, false, "", 0, 0 },
	{ "no cookie", BYTES(0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x43, TRANSACTION), 0, false, "", 0, 0 },
	{ "upper bits of the type", BYTES(HEAD(0x40, 1, 0)), 0, false, "", 0, 0 },
	{ "19 bytes", BYTES(0, 1, 0, 0, COOKIE, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11), 0, false, "", 0, 0 },
	{ "header cut off", BYTES(0, 1, 0, 0, COOKIE, 1), 11, false, "", 0, 0 },
};

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[ENDPOINT_TEXT];
		struct stun_message m = { .type = 77 };
		uint8_t *copy = malloc(cases[i].bytes.n);
		struct cursor c;
		bool ok;

		assert_non_null(copy);
		memcpy(copy, cases[i].bytes.p, cases[i].bytes.n);
		c = cursor_over((struct span){ copy, cases[i].bytes.n }, cases[i].bytes.n + cases[i].cut);
		ok = stun_parse(&c, &m);
		free(copy);
		if (ok != cases[i].ok)
			fail_msg("%s", cases[i].name);
		if (!ok) {
			assert_int_equal(m.type, 77);
			continue;
		}
		if (strcmp(endpoint_text(&m.mapped, text), cases[i].mapped) != 0 || m.error != cases[i].error ||
			m.data.n != cases[i].data)
			fail_msg("%s: %s, %u, %zu", cases[i].name, text, m.error, m.data.n);
	}
}

static void test_turn(void **state)
{
	static const uint8_t bytes[] = { HEAD(0, 3, 56), 0, 0x16, 0, 8, XOR_V4, 0, 0x12, 0, 8, XOR_V4, 0, 0x12, 0, 8, 0,
		1, 0, 0, 0, 0, 0, 0, 0, 0x0d, 0, 4, 0, 0, 2, 0x58, 0, 6, 0, 3, 'a', ':', 'b', 0, 0, 0x25, 0, 0 };
	struct cursor c = cursor_over((struct span){ bytes, sizeof bytes }, sizeof bytes);
	struct stun_message m;
	char text[ENDPOINT_TEXT];

	(void)state;
	assert_true(stun_parse(&c, &m));
	assert_int_equal(m.type, 3);
	assert_int_equal(m.transaction[11], 12);
	assert_string_equal(endpoint_text(&m.relayed, text), "192.0.2.1:32853");
	assert_string_equal(endpoint_text(&m.peer, text), "192.0.2.1:32853");
	assert_true(m.has_lifetime);
	assert_int_equal(m.lifetime_s, 600);
	assert_true(span_equal(m.username, SPAN("a:b")));
	assert_true(m.use_candidate);
}

static void test_channel(void **state)
{
	static const uint8_t bytes[] = { HEAD(0, 9, 20), 0, 0x0c, 0, 4, 0x40, 0x01, 0, 0, 0, 0x12, 0, 8, XOR_V4 };
	static const uint8_t wrong[] = { HEAD(0, 9, 8), 0, 0x0c, 0, 2, 0x40, 0x01, 0, 0 };
	struct cursor c = cursor_over((struct span){ bytes, sizeof bytes }, sizeof bytes);
	struct stun_message m;
	char text[ENDPOINT_TEXT];

	(void)state;
	assert_true(stun_parse(&c, &m));
	assert_int_equal(m.channel, 0x4001);
	assert_string_equal(endpoint_text(&m.peer, text), "192.0.2.1:32853");
	c = cursor_over((struct span){ wrong, sizeof wrong }, sizeof wrong);
	assert_true(stun_parse(&c, &m));
	assert_int_equal(m.channel, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_cases), cmocka_unit_test(test_turn),
		cmocka_unit_test(test_channel) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
