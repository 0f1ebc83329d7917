/* SPDX-License-Identifier: MIT */
/* ldap: binds that hand over a password, and what only looks so. */
#include "dissect/ldap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BYTES(s) { (const uint8_t *)(s), sizeof(s) - 1 }

static const struct { const char *name; struct span bytes; bool is; } cases[] = {
	{ "a password", BYTES("\x30\x12\x02\x01\x01\x60\x0d\x02\x01\x03\x04\x02" "cn" "\x80\x04" "word"), true },
	{ "long lengths", BYTES("\x30\x84\0\0\0\x15\x02\x01\x01\x60\x84\0\0\0\x0c\x02\x01\x03\x04\x02" "cn" "\x80\x03" "abc"),
	  true },
	{ "the password is in the next segment", BYTES("\x30\x12\x02\x01\x01\x60\x0d\x02\x01\x03\x04\x02" "cn" "\x80\x04"),
	  true },
	{ "anonymous", BYTES("\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\0\x80\0"), false },
	{ "a name without a password", BYTES("\x30\x0e\x02\x01\x01\x60\x09\x02\x01\x03\x04\x02" "cn" "\x80\0"), false },
	{ "SASL", BYTES("\x30\x12\x02\x01\x01\x60\x0d\x02\x01\x03\x04\0\xa3\x06\x04\x04" "GSSA"), false },
	{ "a search", BYTES("\x30\x0c\x02\x01\x01\x63\x07\x02\x01\x03\x04\0\x80\0"), false },
	{ "version 9", BYTES("\x30\x12\x02\x01\x01\x60\x0d\x02\x01\x09\x04\x02" "cn" "\x80\x04" "word"), false },
	{ "cut in the name", BYTES("\x30\x12\x02\x01\x01\x60\x0d\x02\x01\x03\x04\x02" "c"), false },
	{ "a password longer than its message", BYTES("\x30\x12\x02\x01\x01\x60\x0d\x02\x01\x03\x04\x02" "cn" "\x80\x40" "word"),
	  false },
	{ "a length of lengths", BYTES("\x30\x89\1\1\1\1\1\1\1\1\1\x02\x01\x01"), false },
	{ "an endless length", BYTES("\x30\x80\x02\x01\x01\x60\x80\x02\x01\x03\x04\0\x80\x01" "a"), false },
	{ "an integer of nine bytes", BYTES("\x30\x12\x02\x09\1\1\1\1\1\1\1\1\1\x60"), false },
	{ "one byte", BYTES("\x30"), false },
	{ "nothing", { NULL, 0 }, false },
};

static void test_binds(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint8_t *copy = malloc(cases[i].bytes.n + 1);

		assert_non_null(copy);
		if (cases[i].bytes.n)
			memcpy(copy, cases[i].bytes.p, cases[i].bytes.n);
		if (ldap_simple_bind((struct span){ copy, cases[i].bytes.n }) != cases[i].is)
			fail_msg("%s", cases[i].name);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_binds) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
