/* SPDX-License-Identifier: MIT */
/* dialled: what a dialled number is. */
#include "analyzer/detect/dialled.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static const struct row {
	const char *user;
	bool international, by_prefix, outside, foreign;     /* foreign: with home 44 and 49 allowed */
	const char *shown;
} rows[] = {
	{ "101", false, false, false, false, "101" },
	{ "02071838750", false, false, true, false, "02071****50" },
	{ "00442071838750", true, true, true, false, "00442*******50" },
	{ "+442071838750", true, false, true, false, "+4420******50" },
	{ "0096170310012", true, true, true, true, "00961******12" },
	{ "01196170310012", true, true, true, true, "01196*******12" },
	{ "900972595551", true, true, true, true, "90097*****51" },      /* 9 is the digit for an outside line */
	{ "004930123456", true, true, true, false, "00493*****56" },
	{ "00-49.30 123456", true, true, true, false, "00493*****56" },
	{ "%2300442071838750", true, true, true, false, "00442*******50" },
	{ "%2B442071838750", true, false, true, false, "+4420******50" },
	{ "%30%304420718387%2", true, true, true, false, "00442******72" },
	{ "0012", false, false, false, false, "0012" },
	{ "", false, false, false, false, "" },
	{ "000000000000000000000000000000000000", false, false, true, false, "00000****************00" },
};

static void test_rows(void **state)
{
	static char home[] = "44", allowed[] = "49", line[] = "9";
	struct site *site = site_new();
	char *homes[] = { home }, *others[] = { allowed }, *lines[] = { line };
	struct site mine = *site;

	(void)state;
	mine.home_cc = (struct words){ homes, 1 };
	mine.allowed_cc = (struct words){ others, 1 };
	mine.outside_prefix = (struct words){ lines, 1 };
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char text[DIALLED_DIGITS];
		struct dialled n;

		dialled_read(&mine, span_of(rows[i].user), &n);
		if (n.international != rows[i].international || n.by_prefix != rows[i].by_prefix ||
		    n.outside != rows[i].outside || n.foreign != rows[i].foreign)
			fail_msg("%s: international %d, by prefix %d, outside %d, foreign %d", rows[i].user,
				n.international, n.by_prefix, n.outside, n.foreign);
		assert_string_equal(dialled_text(&mine, &n, text), rows[i].shown);
		dialled_read(site, span_of(rows[i].user), &n);
		assert_false(n.foreign);         /* nobody said where home is */
	}
	site_free(site);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
