/* SPDX-License-Identifier: MIT */
/* wide: products and sums of 128 bits, with and without the compiler's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "captures/base/wide.h"

static void test_product(void **state)
{
	static const struct { uint64_t a, b, high, low; } rows[] = {
		{ 0, UINT64_MAX, 0, 0 },
		{ 1, UINT64_MAX, 0, UINT64_MAX },
		{ UINT32_MAX, UINT32_MAX, 0, UINT64_C(0xfffffffe00000001) },
		{ UINT64_C(1) << 32, UINT64_C(1) << 32, 1, 0 },
		{ UINT64_MAX, UINT64_MAX, UINT64_MAX - 1, 1 },
		{ UINT64_MAX, UINT64_C(1) << 32, UINT32_MAX, UINT64_C(0xffffffff00000000) },
		{ UINT64_C(1795165967118), UINT64_C(1000000000), 97, UINT64_C(5831791968173493248) },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct wide halves = wide_product_of_halves(rows[i].a, rows[i].b), other = wide_product(rows[i].b, rows[i].a);

		assert_true(halves.high == rows[i].high && halves.low == rows[i].low);
		assert_true(other.high == rows[i].high && other.low == rows[i].low);
	}
}

static void test_sum(void **state)
{
	struct wide sum = wide_sum((struct wide){ UINT64_MAX, 1 }, (struct wide){ 2, 3 });

	(void)state;
	assert_true(sum.low == 1 && sum.high == 5);
	sum = wide_sum((struct wide){ UINT64_MAX, UINT64_MAX }, (struct wide){ 1, 0 });
	assert_true(sum.low == 0 && sum.high == 0);
	sum = wide_sum((struct wide){ 7, 1 }, (struct wide){ 0, 0 });
	assert_true(sum.low == 7 && sum.high == 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_product),
		cmocka_unit_test(test_sum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
