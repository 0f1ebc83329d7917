/* SPDX-License-Identifier: MIT */
/* address: text to value and back, order, classes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "captures/base/address.h"

static struct address parsed(const char *text)
{
	struct address a = { .family = 0 };

	assert_true(address_parse(span_of(text), &a));
	return a;
}

static void test_address_text(void **state)
{
	static const struct { const char *text, *expected; } rows[] = {
		{ "10.0.0.2", "10.0.0.2" },
		{ "255.255.255.255", "255.255.255.255" },
		{ "2001:DB8:0:0:0:0:0:1", "2001:db8::1" },
		{ "[2001:db8::1]", "2001:db8::1" },
		/* RFC 5952 4.2.2: one group is not shortened */
		{ "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
		{ "2001:0:0:1:0:0:0:1", "2001:0:0:1::1" },               /* 4.2.3: the longest run */
		{ "::", "::" },
		{ "::ffff:192.0.2.1", "192.0.2.1" },
		{ "::ffff:c000:201", "192.0.2.1" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct address a = parsed(rows[i].text);
		char buffer[ADDRESS_TEXT];

		assert_string_equal(address_text(&a, buffer), rows[i].expected);
	}
}

static void test_address_refused(void **state)
{
	static const struct span rows[] = {
		SPAN(""),
		SPAN("10.0.0"),
		SPAN("10.0.0.256"),
		SPAN("10.0.0.2 "),
		SPAN("010.0.0.2"),
		SPAN("[10.0.0.2]"),
		SPAN("[::1"),
		SPAN("::1]"),
		SPAN("[]"),
		SPAN("1::2::3"),
		SPAN("fe80::1%eth0"),
		SPAN("pbx.example"),
		SPAN("10.0.0.2\0"),
		SPAN("1111:2222:3333:4444:5555:6666:7777:8888:9999:1111:2222:3333"),
	};
	struct address a = { .family = 9 };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_false(address_parse(rows[i], &a));
	assert_int_equal(a.family, 9);
}

static void test_endpoint_text(void **state)
{
	static const struct { const char *text, *expected; } rows[] = {
		{ "10.0.0.2:5060", "10.0.0.2:5060" },
		{ "10.0.0.2", "10.0.0.2" },
		{ "[2001:db8::1]:5060", "[2001:db8::1]:5060" },
		{ "[2001:db8::1]", "2001:db8::1" },
		{ "2001:db8::1", "2001:db8::1" },
		{ "[::ffff:10.0.0.2]:65535", "10.0.0.2:65535" },
	};
	static const struct span refused[] = {
		SPAN(""),
		SPAN(":5060"),
		SPAN("10.0.0.2:"),
		SPAN("10.0.0.2:65536"),
		SPAN("10.0.0.2:-1"),
		SPAN("[::1]5060"),
		SPAN("[::1"),
		SPAN("10.0.0.2:5060:1"),
		SPAN("[10.0.0.2]:5060"),
		SPAN("[::1]:"),
	};
	struct endpoint e;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char buffer[ENDPOINT_TEXT];

		assert_true(endpoint_parse(span_of(rows[i].text), &e));
		assert_string_equal(endpoint_text(&e, buffer), rows[i].expected);
	}
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
		assert_false(endpoint_parse(refused[i], &e));
}

static void test_longest_fits(void **state)
{
	char buffer[ENDPOINT_TEXT];
	struct endpoint e, none = { .port = 65535 };

	(void)state;
	assert_true(endpoint_parse(SPAN("[1111:2222:3333:4444:5555:6666:7777:8888]:65535"), &e));
	assert_string_equal(endpoint_text(&e, buffer), "[1111:2222:3333:4444:5555:6666:7777:8888]:65535");
	assert_string_equal(address_text(&none.addr, buffer), "?");
	assert_string_equal(endpoint_text(&none, buffer), "?:65535");
}

/* Each row is before the next. */
static void test_order(void **state)
{
	static const char *const rows[] = {
		"9.255.255.255:9",
		"10.0.0.2:5060",
		"10.0.0.2:5061",
		"10.0.0.10:1",
		"200.0.0.1:1",
		"[::1]:9",
		"[2001:db8::1]:1",
		"[fe80::1]:1",
	};
	struct endpoint before = { .port = 7 };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct endpoint e;

		assert_true(endpoint_parse(span_of(rows[i]), &e));
		assert_true(endpoint_compare(&before, &e) < 0);
		assert_true(endpoint_compare(&e, &before) > 0);
		assert_int_equal(endpoint_compare(&e, &e), 0);
		assert_true(endpoint_equal(&e, &e));
		assert_false(endpoint_equal(&e, &before));
		before = e;
	}
}

enum { PRIVATE = 1, UNSPECIFIED = 2, LOOPBACK = 4, MULTICAST = 8 };

static void test_classes(void **state)
{
	static const struct { const char *text; int classes; } rows[] = {
		{ "10.0.0.0", PRIVATE }, { "10.255.255.255", PRIVATE }, { "11.0.0.0", 0 }, { "9.255.255.255", 0 },
		{ "172.15.255.255", 0 }, { "172.16.0.0", PRIVATE }, { "172.31.255.255", PRIVATE }, { "172.32.0.0", 0 },
		{ "192.168.0.1", PRIVATE }, { "192.169.0.1", 0 }, { "192.167.255.255", 0 },
		{ "100.63.255.255", 0 }, { "100.64.0.0", PRIVATE }, { "100.127.255.255", PRIVATE },
		  { "100.128.0.0", 0 },
		{ "169.254.1.1", PRIVATE }, { "169.253.1.1", 0 },
		{ "0.0.0.0", UNSPECIFIED }, { "0.0.0.1", 0 }, { "127.0.0.1", LOOPBACK }, { "127.255.0.1", LOOPBACK },
		{ "223.255.255.255", 0 }, { "224.0.0.0", MULTICAST }, { "239.255.255.255", MULTICAST },
		  { "240.0.0.0", 0 },
		{ "255.255.255.255", MULTICAST }, { "255.255.255.254", 0 },
		{ "::", UNSPECIFIED }, { "::1", LOOPBACK }, { "::2", 0 }, { "fbff::1", 0 }, { "fc00::1", PRIVATE },
		{ "fdff::1", PRIVATE }, { "fe00::1", 0 }, { "fe80::1", PRIVATE }, { "febf::1", PRIVATE },
		  { "fec0::1", 0 },
		{ "ff02::1", MULTICAST }, { "a00::1", 0 }, { "7f00::1", 0 }, { "e000::1", 0 },
		  { "::ffff:10.0.0.1", PRIVATE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct address a = parsed(rows[i].text);
		int classes = (address_private(&a) ? PRIVATE : 0) | (address_unspecified(&a) ? UNSPECIFIED : 0) |
			      (address_loopback(&a) ? LOOPBACK : 0) | (address_multicast(&a) ? MULTICAST : 0);

		if (classes != rows[i].classes)
			fail_msg("%s: classes %d, expected %d", rows[i].text, classes, rows[i].classes);
	}
}

static void test_none(void **state)
{
	struct address none = { .family = 0 };

	(void)state;
	assert_false(address_known(&none));
	assert_false(address_private(&none) || address_unspecified(&none) || address_loopback(&none) ||
		address_multicast(&none));
	assert_false(address_same_net(&none, &none));
}

static void test_same_net(void **state)
{
	static const struct { const char *a, *b; bool same; } rows[] = {
		{ "10.0.0.1", "10.0.0.254", true },
		{ "10.0.0.1", "10.0.1.1", false },
		{ "2001:db8:0:1::1", "2001:db8:0:1:ffff::2", true },
		{ "2001:db8:0:1::1", "2001:db8:0:2::1", false },
		{ "10.0.0.1", "a00::1", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct address a = parsed(rows[i].a), b = parsed(rows[i].b);

		assert_int_equal(address_same_net(&a, &b), rows[i].same);
		assert_int_equal(address_same_net(&b, &a), rows[i].same);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_address_text),
		cmocka_unit_test(test_address_refused),
		cmocka_unit_test(test_endpoint_text),
		cmocka_unit_test(test_longest_fits),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_classes),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_same_net),
	};

	return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
