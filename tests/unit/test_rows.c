/* SPDX-License-Identifier: MIT */
/* test_rows: what goes in comes out, row by row; packet bytes come out escaped. */
#include "analyzer/history/rows.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "captures/base/ns.h"

static void text_is(const struct value *v, const char *expected)
{
	assert_int_equal(v->kind, VALUE_TEXT);
	assert_int_equal(v->text.n, strlen(expected));
	assert_memory_equal(v->text.p, expected, v->text.n);
}

static void values_come_out_as_they_went_in(void **state)
{
	const struct endpoint at = { { 4, { 10, 0, 0, 2 } }, 5060 };
	const struct address none = { .family = 0 };
	struct rows rows;
	struct row row;
	size_t i = 0;

	(void)state;
	rows_init(&rows);
	row_begin(&rows, ROW_CALL);
	row_integer(&rows, INT64_MIN + 1);
	row_real(&rows, 4.25);
	row_text(&rows, "");
	row_text(&rows, NULL);
	row_endpoint(&rows, &at);
	row_address(&rows, &at.addr);
	row_address(&rows, &none);
	row_begin(&rows, ROW_NAT);
	row_begin(&rows, ROW_HOST);
	row_packet_text(&rows, SPAN("a\x1b[2J\0b"));
	assert_int_equal(rows.count, 3);

	assert_true(rows_next(&rows, &i, &row));
	assert_int_equal(row.table, ROW_CALL);
	assert_int_equal(row.count, 7);
	assert_true(row.values[0].kind == VALUE_INTEGER && row.values[0].integer == INT64_MIN + 1);
	assert_true(row.values[1].kind == VALUE_REAL && row.values[1].real == 4.25);
	text_is(&row.values[2], "");
	assert_int_equal(row.values[3].kind, VALUE_NULL);
	text_is(&row.values[4], "10.0.0.2:5060");
	text_is(&row.values[5], "10.0.0.2");
	assert_int_equal(row.values[6].kind, VALUE_NULL);
	assert_true(rows_next(&rows, &i, &row));
	assert_true(row.table == ROW_NAT && row.count == 0);
	assert_true(rows_next(&rows, &i, &row));
	text_is(&row.values[0], "a\\x1b[2J\\x00b");
	assert_false(rows_next(&rows, &i, &row));
	rows_fini(&rows);
}

static void what_is_unknown_is_null(void **state)
{
	struct rows rows;
	struct row row;
	size_t at = 0;

	(void)state;
	rows_init(&rows);
	row_begin(&rows, ROW_CALL);
	row_null(&rows);
	row_time(&rows, NS_NONE);
	row_known(&rows, -1);
	row_positive(&rows, 0);
	row_packet_text(&rows, SPAN_NONE);
	row_real(&rows, NAN);
	row_real(&rows, INFINITY);
	assert_true(rows_next(&rows, &at, &row));
	assert_int_equal(row.count, 7);
	for (unsigned i = 0; i < row.count; i++)
		assert_int_equal(row.values[i].kind, VALUE_NULL);
	rows_fini(&rows);
}

static void rows_grow_and_are_used_again(void **state)
{
	struct rows rows;
	struct row row;
	size_t at = 0, n = 0;

	(void)state;
	rows_init(&rows);
	for (unsigned round = 0; round < 2; round++) {
		rows_clear(&rows);
		for (int64_t i = 0; i < 10000; i++) {
			row_begin(&rows, ROW_EVIDENCE);
			row_integer(&rows, i);
			row_text(&rows, "RTP from here on");
		}
	}
	while (rows_next(&rows, &at, &row)) {
		assert_int_equal(row.values[0].integer, n++);
		text_is(&row.values[1], "RTP from here on");
	}
	assert_int_equal(n, 10000);
	rows_fini(&rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_come_out_as_they_went_in),
		cmocka_unit_test(what_is_unknown_is_null),
		cmocka_unit_test(rows_grow_and_are_used_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
