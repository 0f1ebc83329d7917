/* SPDX-License-Identifier: MIT */
/* config: defaults, what was set, and what is refused. */
#include "analyzer/config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/detect/detector.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

static void sets_within_range_only(void **state)
{
	static const struct { const char *section, *name; double value; bool ok; double then; } cases[] = {
		{ "expect", "min-call-s", 3, true, 3 },
		{ "expect", "min-call-s", 0, true, 0 },
		{ "expect", "min-call-s", 60, true, 60 },
		{ "expect", "min-call-s", 60.5, false, 3 },
		{ "expect", "min-call-s", -1, false, 3 },
		{ "expect", "min-call-s", NAN, false, 3 },
		{ "expect", "min-call-s", INFINITY, false, 3 },
		{ "one-way-audio", "no-such-key", 1, false, -1 },
		{ "no-such-section", "min-call-s", 1, false, -1 },
		{ "expect", "", 1, false, -1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct config *c = config_new();

		if (config_set(c, cases[i].section, cases[i].name, cases[i].value) != cases[i].ok)
			fail_msg("%s.%s = %g", cases[i].section, cases[i].name, cases[i].value);
		if (cases[i].then >= 0)
			assert_true(config_value(c, cases[i].section, cases[i].name) == cases[i].then);
		config_free(c);
	}
}

static void the_last_one_set_counts(void **state)
{
	struct config *c = config_new(), *other = config_new();

	(void)state;
	assert_true(config_set(c, "expect", "min-call-s", 5));
	assert_true(config_set(c, "incident", "window-s", 60));
	assert_true(config_set(c, "expect", "min-call-s", 7));
	assert_true(config_value(c, "expect", "min-call-s") == 7);
	assert_true(config_value(c, "incident", "window-s") == 60);
	assert_true(config_value(other, "expect", "min-call-s") == 3);       /* nobody else's */
	config_free(c);
	config_free(other);
	config_free(NULL);
}

/* Every key of every detector has its place, a source, and a default that it would take. */
static void defaults_are_within_their_ranges(void **state)
{
	unsigned count;
	const struct detector *const *all = registry_all(&count);
	struct config *c = config_new();

	(void)state;
	for (unsigned i = 0; i < count; i++) {
		for (const struct config_key *k = all[i]->keys; k && k->name; k++) {
			if (!k->unit || !k->source || k->min > k->max || !config_set(c, all[i]->id, k->name, k->value))
				fail_msg("%s.%s", all[i]->id, k->name);
			assert_true(config_value(c, all[i]->id, k->name) == k->value);
			assert_false(config_set(c, all[i]->id, k->name, k->max + 1));
		}
	}
	config_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets_within_range_only),
		cmocka_unit_test(the_last_one_set_counts),
		cmocka_unit_test(defaults_are_within_their_ranges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
