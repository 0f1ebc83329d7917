/* SPDX-License-Identifier: MIT */
/* dns: servers for SIP and their addresses, names with pointers, and answers that are broken, cut or of no use. */
#include "dissect/dns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BYTES(s) { (const uint8_t *)(s), sizeof(s) - 1 }
#define QUERY "\4_sip\4_udp\1e\0\0\x21\0\1"
#define HEAD(answers) "\x12\x34\x81\x80\0\1\0" answers "\0\0\0\0"

static const struct { const char *name; struct span bytes; unsigned count; } cases[] = {
	{ "a server", BYTES(HEAD("\1") QUERY "\xc0\x0c\0\x21\0\1\0\0\0\x3c\0\x0a\0\x0a\0\0\x13\xc4\1a\xc0\x16"), 1 },
	{ "an address", BYTES(HEAD("\1") "\1A\1E\0\0\1\0\1" "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x0a\0\0\1"), 1 },
	{ "a question", BYTES("\x12\x34\1\0\0\1\0\0\0\0\0\0" QUERY), 0 },
	{ "no such name", BYTES("\x12\x34\x81\x83\0\1\0\0\0\0\0\0" QUERY), 0 },
	{ "no server there", BYTES(HEAD("\1") QUERY "\xc0\x0c\0\x21\0\1\0\0\0\x3c\0\7\0\x0a\0\0\x13\xc4\0"), 0 },
	{ "another service", BYTES(HEAD("\1") "\5_ldap\4_tcp\1e\0\0\x21\0\1" "\xc0\x0c\0\x21\0\1\0\0\0\x3c\0\x0a\0\x0a\0\0\1\x85\1a\xc0\x17"),
	  0 },
	{ "a pointer to itself", BYTES(HEAD("\1") "\xc0\x0c\0\1\0\1"), 0 },
	{ "a target that points to itself", BYTES(HEAD("\1") QUERY "\xc0\x0c\0\x21\0\1\0\0\0\x3c\0\x08\0\x0a\0\0\x13\xc4\xc0\x30"),
	  0 },
	{ "cut in the record", BYTES(HEAD("\1") QUERY "\xc0\x0c\0\x21\0\1\0\0\0\x3c\0\x0a\0\x0a\0"), 0 },
	{ "cut in the name", BYTES(HEAD("\1") "\4_sip\4_u"), 0 },
	{ "more answers than there are", BYTES(HEAD("\x63") "\1a\1e\0\0\1\0\1" "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x0a\0\0\1"), 1 },
	{ "twelve bytes", BYTES(HEAD("\1")), 0 },
	{ "nothing", { NULL, 0 }, 0 },
};

static void test_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint8_t *copy = malloc(cases[i].bytes.n + 1);
		struct dns_answer a;

		assert_non_null(copy);
		if (cases[i].bytes.n)
			memcpy(copy, cases[i].bytes.p, cases[i].bytes.n);
		if (dns_answer_parse((struct span){ copy, cases[i].bytes.n }, &a) != (cases[i].count > 0) ||
		    a.count != cases[i].count)
			fail_msg("%s: %u", cases[i].name, a.count);
		free(copy);
	}
}

/* A name is the same in upper case, and behind a pointer. */
static void test_names(void **state)
{
	static const uint8_t bytes[] = HEAD("\2") QUERY "\xc0\x0c\0\x21\0\1\0\0\0\x3c\0\x0a\0\x0a\0\0\x13\xc4\1a\xc0\x16"
		"\1A\1E\0\0\1\0\1\0\0\0\x3c\0\4\x0a\0\0\1";
	struct dns_answer a;

	(void)state;
	assert_true(dns_answer_parse((struct span){ bytes, sizeof bytes - 1 }, &a));
	assert_int_equal(a.count, 2);
	assert_int_equal(a.records[0].kind, DNS_SIP_UDP);
	assert_int_equal(a.records[1].kind, DNS_ADDRESS);
	assert_true(a.records[0].target == a.records[1].owner);
	assert_int_equal(a.records[1].addr.bytes[0], 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_answers), cmocka_unit_test(test_names) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
