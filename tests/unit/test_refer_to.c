/* SPDX-License-Identifier: MIT */
/* refer_to: what is wrong with a Replaces inside a Refer-To, and which call it names. */
#include "analyzer/detect/refer_to.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct { const char *name, *value, *flaw; bool names; } cases[] = {
	{ "as it should be", "<sip:b@h?Replaces=a1%40x%3Bto-tag%3D1%3Bfrom-tag%3D2>", NULL, true },
	{ "other headers behind it", "<sip:b@h?Replaces=a1%40x%3Bto-tag%3D1%3Bfrom-tag%3D2&Require=replaces>", NULL, true },
	{ "escaped in small letters, without need", "<sip:b@h?replaces=%61%31%40x%3bto-tag%3d1%3bfrom-tag%3d2>", NULL, true },
	{ "semicolons as they are", "<sip:b@h?Replaces=a1@x;to-tag=1;from-tag=2>", "whose semicolons are not escaped", true },
	{ "no to-tag", "<sip:b@h?Replaces=a1%40x%3Bfrom-tag%3D2>", "without to-tag", true },
	{ "no from-tag", "<sip:b@h?Replaces=a1%40x%3Bto-tag%3D1>", "without from-tag", true },
	{ "a tag of another header", "<sip:b@h?Replaces=a1%40x%3Bto-tag%3D1&X=from-tag>", "without from-tag", true },
	{ "another call", "<sip:b@h?Replaces=a2%40x%3Bto-tag%3D1%3Bfrom-tag%3D2>", NULL, false },
	{ "a longer Call-ID", "<sip:b@h?Replaces=a1%40xy%3Bto-tag%3D1%3Bfrom-tag%3D2>", NULL, false },
	{ "cut inside the Call-ID", "<sip:b@h?Replaces=a1%4", "without to-tag", false },
	{ "an escape of no digits", "<sip:b@h?Replaces=a1%zzx%3Bto-tag%3D1%3Bfrom-tag%3D2>", NULL, false },
	{ "a blind transfer", "<sip:b@h>", NULL, false },
	{ "nothing", "", NULL, false },
};

static void test_refer_to(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct span value = { (const uint8_t *)cases[i].value, strlen(cases[i].value) };
		const char *flaw = refer_to_flaw(value);

		if ((flaw == NULL) != (cases[i].flaw == NULL) || (flaw && strcmp(flaw, cases[i].flaw) != 0))
			fail_msg("%s: %s", cases[i].name, flaw ? flaw : "no flaw");
		if (refer_to_names(value, SPAN("a1@x")) != cases[i].names)
			fail_msg("%s: names another call", cases[i].name);
		assert_false(refer_to_names(value, SPAN_NONE));
	}
}

static void test_carries(void **state)
{
	static const struct { const char *value; bool carries; } rows[] = {
		{ "<sip:b@h?Replaces=a1%40x%3Bto-tag%3D1%3Bfrom-tag%3D2>", true },
		{ "<sip:b@h?Replaces=a1%40x%3Bto-tag%3D1%3Bfrom-tag%3D2&Require=replaces>", true },
		{ "sip:b@h?Replaces=a1%40x%3Bto-tag%3D1%3Bfrom-tag%3D2", true },
		{ "<sip:b@h?Replaces=a1%40x%3Bto-tag%3D2%3Bfrom-tag%3D1>", false },
		{ "<sip:b@h?Replaces=a1%40x%3Bto-tag%3D1%3Bfrom-tag%3D23>", false },
		{ "<sip:b@h?Replaces=a1%40x%3Bto-tag%3D1", false },
		{ "<sip:b@h>", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct span value = { (const uint8_t *)rows[i].value, strlen(rows[i].value) };

		if (refer_to_carries(value, SPAN("a1@x;to-tag=1;from-tag=2")) != rows[i].carries)
			fail_msg("%s", rows[i].value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_refer_to), cmocka_unit_test(test_carries) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
