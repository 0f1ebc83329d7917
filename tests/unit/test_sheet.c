/* SPDX-License-Identifier: MIT */
/* test_sheet: text into cells: widths, cuts, stand-ins; nothing a terminal would obey; lists whose selection stays. */
#include "ui/dashboard/sheet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ui/dashboard/list.h"

static void row_is(const struct sheet *s, const char *want)
{
	struct text t;

	text_init(&t);
	sheet_dump(s, false, &t);
	assert_string_equal(t.p, want);
	text_fini(&t);
}

static const struct {
	const char *text;
	unsigned column, width;
	bool right, ascii;
	const char *want;
	unsigned used;
} cases[] = {
	{ "abc", 0, 10, false, false, "abc\n", 3 },
	{ "abc", 2, 10, false, false, "  abc\n", 3 },
	{ "abcdef", 0, 4, false, false, "abc…\n", 4 },
	{ "abcdef", 0, 4, true, false, "…def\n", 4 },
	{ "abc", 0, 6, true, false, "   abc\n", 3 },
	{ "abc", 8, 10, false, false, "        a…\n", 2 },
	{ "abc", 10, 10, false, false, "\n", 0 },
	{ "✗ ▇≠", 0, 10, false, true, "X 7#\n", 4 },
	{ "日本", 0, 10, false, false, "日本\n", 4 },
	{ "日本語", 0, 5, false, false, "日本…\n", 5 },
	{ "日本", 0, 10, false, true, "????\n", 4 },
	{ "e\xcc\x81x", 0, 10, false, false, "e\xcc\x81x\n", 2 },
	{ "a\x1b[2Jb", 0, 10, false, false, "a?[2Jb\n", 6 },
	{ "a\r\n\tb", 0, 10, false, false, "a???b\n", 5 },
	{ "a\x7f\xc2\x9b" "b", 0, 10, false, false, "a??b\n", 4 },
	{ "a\xe2\x80\xae" "b", 0, 10, false, false, "a?b\n", 3 },
	{ "a\xff\xfe" "b", 0, 10, false, false, "a??b\n", 4 },
	{ "\\x1b stays", 0, 10, false, false, "\\x1b stays\n", 10 },
};

static void text_becomes_cells(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct sheet s;
		unsigned used;

		sheet_init(&s, 1, 10, cases[i].ascii);
		used = cases[i].right ? sheet_right(&s, 0, cases[i].column, cases[i].width, PAINT_PLAIN, cases[i].text)
				      : sheet_text(&s, 0, cases[i].column, cases[i].width, PAINT_PLAIN, cases[i].text);
		row_is(&s, cases[i].want);
		assert_int_equal(used, cases[i].used);
		sheet_fini(&s);
	}
}

/* Half a wide character is never left over. */
static void wide_characters_are_drawn_over_whole(void **state)
{
	struct sheet s;

	(void)state;
	sheet_init(&s, 1, 10, false);
	sheet_text(&s, 0, 0, 10, PAINT_PLAIN, "日本語");
	sheet_text(&s, 0, 1, 1, PAINT_PLAIN, "x");
	row_is(&s, " x本語\n");
	sheet_text(&s, 0, 2, 1, PAINT_PLAIN, "y");
	row_is(&s, " xy 語\n");
	sheet_fini(&s);
}

static void outside_is_nowhere(void **state)
{
	struct sheet s;

	(void)state;
	sheet_init(&s, 2, 3, false);
	sheet_text(&s, 5, 0, 9, PAINT_PLAIN, "x");
	sheet_fill(&s, 1, 2, 100, PAINT_PLAIN, "y");
	sheet_mark(&s, 9, 9, 9, STYLE_REVERSE);
	assert_null(sheet_at(&s, 2, 0));
	row_is(&s, "\n  y\n");
	sheet_fini(&s);
	sheet_init(&s, 100000, 0, false);
	assert_true(s.rows == SHEET_ROWS_MAX && s.columns == 1);
	sheet_fini(&s);
}

/* ---- lists ---- */

struct numbers_of { const uint64_t *ids; };

static uint64_t id_of(const void *context, size_t row)
{
	return ((const struct numbers_of *)context)->ids[row];
}

static void the_selection_stays_on_its_item_and_the_item_on_its_row(void **state)
{
	static const uint64_t before[] = { 1, 2, 3, 4, 5, 6, 7, 8 }, after[] = { 90, 91, 1, 2, 3, 4, 5, 6, 7, 8 },
		gone[] = { 1, 2, 8 };
	struct numbers_of n = { before };
	struct list l = { .id = 0 };

	(void)state;
	list_sync(&l, 8, false, id_of, &n);
	assert_int_equal(l.id, 1);
	list_place(&l, 8, 2, 0, 80, 4);
	list_act(&l, 8, ACTION_PAGE_DOWN, id_of, &n);
	list_act(&l, 8, ACTION_DOWN, id_of, &n);
	assert_true(l.id == 5 && l.at == 4 && l.top == 1);
	n.ids = after;
	list_sync(&l, 10, false, id_of, &n);
	list_place(&l, 10, 2, 0, 80, 4);
	assert_true(l.id == 5 && l.at == 6 && l.top == 3);
	n.ids = gone;
	list_sync(&l, 3, false, id_of, &n);
	list_place(&l, 3, 2, 0, 80, 4);
	assert_true(l.id == 8 && l.at == 2 && l.top == 0);
	list_sync(&l, 0, false, id_of, &n);
	assert_true(list_act(&l, 0, ACTION_DOWN, id_of, &n));
	assert_false(list_act(&l, 3, ACTION_OPEN, id_of, &n));
}

/* While a file is read, who has touched nothing has the worst in sight; who chose a row, or pressed a key, keeps it. */
static void until_a_row_is_chosen_the_first_is_selected(void **state)
{
	static const uint64_t before[] = { 1, 2, 3, 4 }, after[] = { 90, 91, 1, 2, 3, 4 };
	struct numbers_of n = { before };
	struct list l = { .id = 0 }, fixed = { .id = 0 }, chosen = { .id = 0 }, pressed = { .id = 0 };

	(void)state;
	list_sync(&l, 4, true, id_of, &n);
	list_sync(&fixed, 4, false, id_of, &n);
	list_sync(&chosen, 4, true, id_of, &n);
	list_sync(&pressed, 4, true, id_of, &n);
	list_select(&chosen, 4, 1, id_of, &n);
	list_touch(&pressed);
	n.ids = after;
	list_sync(&l, 6, true, id_of, &n);
	assert_true(l.id == 90 && l.at == 0 && l.top == 0);
	list_sync(&fixed, 6, false, id_of, &n);
	assert_true(fixed.id == 1 && fixed.at == 2);
	list_sync(&chosen, 6, true, id_of, &n);
	assert_true(chosen.id == 2 && chosen.at == 3);
	list_sync(&pressed, 6, true, id_of, &n);
	assert_true(pressed.id == 1 && pressed.at == 2);
}

static void the_wheel_scrolls_and_the_selection_stays_in_sight(void **state)
{
	static const uint64_t ids[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	struct numbers_of n = { ids };
	struct list l = { .id = 0 };

	(void)state;
	list_sync(&l, 8, false, id_of, &n);
	list_place(&l, 8, 0, 0, 80, 4);
	list_scroll(&l, 8, 3, id_of, &n);
	assert_true(l.top == 3 && l.at == 3 && l.id == 4);
	list_scroll(&l, 8, 100, id_of, &n);
	assert_true(l.top == 4 && l.at == 4);
	list_scroll(&l, 8, -100, id_of, &n);
	assert_true(l.top == 0 && l.at == 3);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_becomes_cells), cmocka_unit_test(wide_characters_are_drawn_over_whole),
			cmocka_unit_test(outside_is_nowhere),
		cmocka_unit_test(the_selection_stays_on_its_item_and_the_item_on_its_row),
		cmocka_unit_test(until_a_row_is_chosen_the_first_is_selected),
		cmocka_unit_test(the_wheel_scrolls_and_the_selection_stays_in_sight),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
