/* SPDX-License-Identifier: MIT */
/* test_marks: what was set is there, whatever the order and however far apart; nothing else is. */
#include "captures/base/marks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void only_what_was_set(void **state)
{
	static const unsigned set[] = { 5, 1, 100000, 5, 63, 64 };
	struct marks m = { NULL, 0 };
	unsigned have = 0;

	(void)state;
	for (size_t i = 0; i < sizeof set / sizeof set[0]; i++) {
		assert_int_equal(marks_have(&m, set[i]), i == 3);
		marks_set(&m, set[i]);
	}
	for (unsigned n = 0; n < 300000; n++)
		have += marks_have(&m, n);
	assert_int_equal(have, 5);
	assert_false(marks_have(&m, UINT32_MAX));
	marks_fini(&m);
}

static void an_empty_set_has_nothing(void **state)
{
	struct marks m = { NULL, 0 };

	(void)state;
	assert_false(marks_have(&m, 0));
	assert_false(marks_have(&m, 1));
	marks_set(&m, 2);
	assert_false(marks_have(&m, 0));
	marks_fini(&m);
	assert_false(marks_have(&m, 2));
	marks_fini(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_was_set),
		cmocka_unit_test(an_empty_set_has_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
