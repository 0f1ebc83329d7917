/* SPDX-License-Identifier: MIT */
/* test_answer_hop: whether a repeated answer was acknowledged, by when its copies came; also by a clock that is set. */
#include "analyzer/detect/answer_hop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

/* Three copies, the second `gap_ms` behind the first and the last 3.5 s behind it; who sends is there for a minute. */
static bool satisfied(int64_t gap_ms)
{
	const struct message first = { .at = { .at_ns = MINUTE_NS } },
		second = { .at = { .at_ns = MINUTE_NS + gap_ms * MILLISECOND_NS } },
		last = { .at = { .at_ns = MINUTE_NS + 3500 * MILLISECOND_NS } };

	return answer_satisfied(&(struct answer_hop){ .first = &first, .second = &second, .last = &last, .copies = 3 },
		2 * MINUTE_NS);
}

static void test_ends_early(void **state)
{
	(void)state;
	assert_true(satisfied(500));
}

static void test_goes_on_to_its_end(void **state)
{
	(void)state;
	assert_false(satisfied(40));             /* 64 T1 are 2.6 s */
}

/* It went round for ever. */
static void test_clock_set_back(void **state)
{
	(void)state;
	assert_false(satisfied(0));
	assert_false(satisfied(-1));
	assert_false(satisfied(-40 * 365 * 24 * 3600 * INT64_C(1000)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ends_early),
		cmocka_unit_test(test_goes_on_to_its_end),
		cmocka_unit_test(test_clock_set_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
