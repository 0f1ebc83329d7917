/* SPDX-License-Identifier: MIT */
/* test_sort: any list comes out in order, and one that stands in order is compared once a neighbour. */
#include "captures/base/sort.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define COUNT_OF(a) (sizeof(a) / sizeof(a)[0])

enum { MOST = 6 };

static unsigned compared;

static int compare(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	compared++;
	return (x > y) - (x < y);
}

static const struct { const char *name; size_t count; int before[MOST], after[MOST]; bool in_order; } cases[] = {
	{ "none", 0, { 0 }, { 0 }, true },
	{ "one", 1, { 7 }, { 7 }, true },
	{ "in order", 5, { 1, 2, 2, 3, 9 }, { 1, 2, 2, 3, 9 }, true },
	{ "backwards", 4, { 4, 3, 2, 1 }, { 1, 2, 3, 4 }, false },
	{ "the last one is out of place", 6, { 2, 3, 4, 5, 6, 1 }, { 1, 2, 3, 4, 5, 6 }, false },
	{ "the first two", 3, { 2, 1, 3 }, { 1, 2, 3 }, false },
};

static void lists_come_out_in_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		int list[MOST];

		memcpy(list, cases[i].before, sizeof list);
		compared = 0;
		sort(cases[i].count ? list : NULL, cases[i].count, sizeof list[0], compare);
		if (memcmp(list, cases[i].after, cases[i].count * sizeof list[0]) != 0)
			fail_msg("%s", cases[i].name);
		if (cases[i].in_order && compared != (cases[i].count ? cases[i].count - 1 : 0))
			fail_msg("%s: %u comparisons", cases[i].name, compared);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_come_out_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
