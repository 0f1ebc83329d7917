/* SPDX-License-Identifier: MIT */
/*
 * test_dashboard: what keys and mouse do, on handmade views: places, marks, filters, what is given to the terminal;
 * hostile texts; any keys at all.
 */
#include "ui/dashboard/dashboard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/fake_views.h"
#include "tests/unit/press.h"
#include "ui/dashboard/answer.h"
#include "ui/dashboard/kept.h"

enum { ROWS = 24, COLUMNS = 80, RANDOM_KEYS = 4000 };

struct table_of_one {                /* somebody in front of a screen */
	struct dashboard d;
	struct world w;
	struct sheet s;
	const struct source_file *file;
	struct names *names;
};

static void sit_down(struct table_of_one *t, enum fake which, unsigned rows, unsigned columns, bool ascii)
{
	memset(t, 0, sizeof *t);
	dashboard_init(&t->d);
	world_init(&t->w, fake_engine(which));
	t->file = fake_file(which);
	t->names = names_new();
	t->w.files = &t->file;
	t->w.file_count = 1;
	t->w.names = t->names;
	t->w.history = "/nonexistent/history.db";
	sheet_init(&t->s, rows, columns, ascii);
	dashboard_draw(&t->d, &t->w, &t->s);
}

static void stand_up(struct table_of_one *t)
{
	sheet_fini(&t->s);
	world_fini(&t->w);
	names_free(t->names);
}

static bool shows(struct table_of_one *t, const char *text)
{
	struct text screen;
	bool found;

	text_init(&screen);
	sheet_dump(&t->s, false, &screen);
	found = strstr(screen.p, text) != NULL;
	text_fini(&screen);
	return found;
}

static void assert_shows(struct table_of_one *t, const char *text)
{
	struct text screen;

	if (shows(t, text))
		return;
	text_init(&screen);
	sheet_dump(&t->s, false, &screen);
	fail_msg("\"%s\" is not on the screen:\n%s", text, screen.p);
}

static const struct {
	enum fake which;
	const char *keys, *shown, *hidden;   /* hidden: NULL nothing */
} walks[] = {
	{ FAKE_ONE_WAY, "<Esc>", "rewrites SIP", NULL },
	{ FAKE_ONE_WAY, "<Enter>", "sip-alg/rewritten-sdp   error, certain", NULL },
	{ FAKE_ONE_WAY, "<Enter><Esc>", "Worst streams", NULL },
	{ FAKE_ONE_WAY, "<Enter><Down><Enter>", "frame 2", NULL },
	{ FAKE_ONE_WAY, "<Tab><Enter>", "Call 1  1001 → 01632960105", NULL },
	{ FAKE_ONE_WAY, "x", "Ladder call 1", NULL },
	{ FAKE_ONE_WAY, "x <Down> ", "differ", NULL },
	{ FAKE_ONE_WAY, "3e", "a device in the path rewrites SIP", NULL },
	{ FAKE_ONE_WAY, "2q", "Worst streams", NULL },
	{ FAKE_ONE_WAY, "<Esc><Esc><Esc>", "Worst streams", NULL },
	{ FAKE_MANY, "2", "24 calls", NULL },
	{ FAKE_MANY, "2/call:7<Enter>", "1 of 24 calls", NULL },
	{ FAKE_MANY, "2/call:7<Enter><F9>", "24 calls", "of 24" },
	{ FAKE_MANY, "2/call:7<Esc>", "24 calls", "of 24" },
	{ FAKE_MANY, "2/findng:x", "no field \"findng\": finding?", NULL },
	{ FAKE_MANY, "2/findng:x<Enter>", "no field \"findng\": finding?", NULL },
	{ FAKE_MANY, "2/mos<3,5", "^ decimal point: 3.5", "of 24" },
	{ FAKE_MANY, "2/call:3<Enter>/<Rubout>4<Enter>/<Up><Up><Enter>", "Filter call:3", NULL },
	{ FAKE_MANY, "2g9<Enter>", "▸", NULL },
	{ FAKE_MANY, "2g99<Enter>", "there is no call 99", NULL },
	{ FAKE_MANY, "gnonsense<Enter>", "101 goes to a call", NULL },
	{ FAKE_MANY, "2  <F2>", "2 marked", NULL },
	{ FAKE_MANY, "2<F2><Enter>", "packets cannot be saved here", NULL },
	{ FAKE_MANY, "2<F10><Down> <Enter>", "from", "start" },
	{ FAKE_MANY, "<F8><Down> <Enter>", "Worst streams", NULL },
	{ FAKE_MANY, "p", "PAUSED", NULL },
	{ FAKE_MANY, "pp", "Worst streams", "PAUSED" },
	{ FAKE_NOTHING, "<Esc>", "? no call is in this capture", "✗" },
	{ FAKE_NOTHING, "i", "Capture   call-4.pcapng", NULL },
	{ FAKE_EMPTY, "<Esc>", "? no call is in this capture", "✗" },
	{ FAKE_REGISTERED, "<Esc>", "✓ no problem found in 1 registration; no call was seen", "?" },
	{ FAKE_CLEAN, "<Esc>", "✓ no problem found", "✗" },
	{ FAKE_OUTSIDE, "<Esc>", "?", "✗" },
};

static void keys_lead_where_they_should(void **state)
{
	struct table_of_one *t = calloc(1, sizeof *t);

	(void)state;
	for (size_t i = 0; i < sizeof walks / sizeof walks[0]; i++) {
		sit_down(t, walks[i].which, ROWS, COLUMNS, false);
		press(&t->d, &t->w, &t->s, walks[i].keys);
		dashboard_draw(&t->d, &t->w, &t->s);
		assert_shows(t, walks[i].shown);
		if (walks[i].hidden && shows(t, walks[i].hidden))
			fail_msg("%s: \"%s\" is on the screen", walks[i].keys, walks[i].hidden);
		stand_up(t);
	}
	free(t);
}

/* Nothing of a packet is on the screen but as text. */
static void assert_tame(const struct sheet *s, bool ascii)
{
	for (size_t i = 0; i < (size_t)s->rows * s->columns; i++) {
		const struct sheet_cell *c = &s->cells[i];
		char escaped[64];
		struct span text = span_of(c->text);

		assert_true(memchr(c->text, '\0', sizeof c->text) != NULL);
		if (strcmp(c->text, "\\") != 0)
			assert_string_equal(text_escape(text, escaped, sizeof escaped), c->text);
		for (size_t k = 0; ascii && k < text.n; k++)
			assert_true(text.p[k] < 0x80);
		assert_true(text_columns(c->text) == c->columns || c->columns == 1);
	}
}

static void hostile_names_are_shown_not_obeyed(void **state)
{
	static const char *const places[] = { "<Esc>", "2", "3", "4", "5", "6", "<Enter>", "2<Enter>", "x", "2r", "i",
		"2/from:<Tab>", "2<F2>" };
	struct table_of_one *t = calloc(1, sizeof *t);

	(void)state;
	for (size_t i = 0; i < 2 * sizeof places / sizeof places[0]; i++) {
		sit_down(t, FAKE_HOSTILE, i % 2 ? 50 : ROWS, i % 2 ? 200 : COLUMNS, false);
		press(&t->d, &t->w, &t->s, places[i / 2]);
		assert_tame(&t->s, false);
		stand_up(t);
	}
	sit_down(t, FAKE_HOSTILE, ROWS, COLUMNS, false);
	press(&t->d, &t->w, &t->s, "2");
	assert_shows(t, "\\x1b");
	stand_up(t);
	free(t);
}

static void without_utf8_all_is_ascii(void **state)
{
	static const char *const places[] = { "<Esc>", "2", "3", "4", "5", "6", "7", "<Enter>", "2<Enter>", "x", "?",
		"2<F10>", "2/" };
	struct table_of_one *t = calloc(1, sizeof *t);

	(void)state;
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		sit_down(t, FAKE_ONE_WAY, ROWS, COLUMNS, true);
		press(&t->d, &t->w, &t->s, places[i]);
		assert_tame(&t->s, true);
		stand_up(t);
	}
	free(t);
}

/* What a person hits who falls asleep on the keyboard. */
static void no_keys_lead_astray(void **state)
{
	static const enum fake worlds[] = { FAKE_ONE_WAY, FAKE_HOSTILE, FAKE_MANY, FAKE_EMPTY, FAKE_OUTSIDE };
	static const uint16_t sizes[][2] = { { 24, 80 }, { 50, 200 }, { 15, 60 }, { 5, 20 }, { 1, 1 }, { 60, 100 } };
	struct table_of_one *t = calloc(1, sizeof *t);
	uint32_t dice = 7;

	(void)state;
	for (size_t i = 0; i < sizeof worlds / sizeof worlds[0]; i++) {
		sit_down(t, worlds[i], ROWS, COLUMNS, false);
		for (unsigned k = 0; k < RANDOM_KEYS; k++) {
			struct dashboard_event e = { .kind = EVENT_KEY };

			dice = dice * 1664525 + 1013904223;
			e.kind = dice >> 28 ? EVENT_KEY : (uint8_t)(EVENT_CLICK + (dice >> 26 & 3));
			e.key = dice >> 8 & 1 ? 32 + (dice >> 10) % 95 : dice >> 9 & 1
				? KEY_ARROW_UP + (dice >> 10) % 22 : (uint32_t[]){ 9, 13, 27, 127 }[dice >> 10 & 3];
			e.row = (uint16_t)((dice >> 10) % 60);
			e.column = (uint16_t)((dice >> 16) % 200);
			if (k % 97 == 0) {
				bool ascii = k % 2;

				sheet_fini(&t->s);
				sheet_init(&t->s, sizes[k % 6][0], sizes[k % 6][1], ascii);
			}
			dashboard_key(&t->d, &t->w, &e);
			t->d.quit = false;
			if (k % 3 == 0)
				dashboard_draw(&t->d, &t->w, &t->s);
			assert_true(t->d.depth <= PLACE_MAX && memchr(t->d.input, '\0', sizeof t->d.input) &&
				memchr(t->d.filter, '\0', sizeof t->d.filter));
		}
		assert_tame(&t->s, false);
		stand_up(t);
	}
	free(t);
}

static void quitting_asks_only_where_something_would_be_lost(void **state)
{
	static const struct { bool live, loading; const char *keys; bool quits; } cases_of_quit[] = {
		{ false, false, "q", true }, { true, false, "q", false }, { true, false, "qn", false },
		  { true, false, "qy", true },
		{ false, true, "q", false }, { true, false, "\x03", true }, { false, false, "<Esc>", false },
		  { true, false, "2q", false },
	};
	struct table_of_one *t = calloc(1, sizeof *t);

	(void)state;
	for (size_t i = 0; i < sizeof cases_of_quit / sizeof cases_of_quit[0]; i++) {
		sit_down(t, FAKE_MANY, ROWS, COLUMNS, false);
		t->w.numbers.live = cases_of_quit[i].live;
		t->w.numbers.loading = cases_of_quit[i].loading;
		press(&t->d, &t->w, &t->s, cases_of_quit[i].keys);
		assert_int_equal(t->d.quit, cases_of_quit[i].quits);
		stand_up(t);
	}
	free(t);
}

static void click(struct table_of_one *t, enum event_kind kind, unsigned row, unsigned column)
{
	struct dashboard_event e = { .kind = (uint8_t)kind, .row = (uint16_t)row, .column = (uint16_t)column };

	dashboard_key(&t->d, &t->w, &e);
	dashboard_draw(&t->d, &t->w, &t->s);
}

/* Where the text stands in that row; COLUMNS: nowhere. */
static unsigned column_of(struct table_of_one *t, unsigned row, const char *text)
{
	for (unsigned i = 0; i < t->s.columns; i++) {
		size_t n = 0;

		while (text[n] && i + n < t->s.columns && sheet_at(&t->s, row, (unsigned)(i + n))->text[0] == text[n])
			n++;
		if (!text[n])
			return i;
	}
	return COLUMNS;
}

static void the_mouse_clicks_and_scrolls(void **state)
{
	struct table_of_one *t = calloc(1, sizeof *t);

	(void)state;
	sit_down(t, FAKE_MANY, ROWS, COLUMNS, false);
	click(t, EVENT_CLICK, 1, column_of(t, 1, "2Calls"));
	assert_int_equal(t->d.main, VIEW_CALLS);
	click(t, EVENT_CLICK, 7, 20);
	assert_int_equal(t->d.mains[VIEW_CALLS].lists[0].at, 3);
	click(t, EVENT_CLICK, 3, column_of(t, 3, "from"));
	assert_int_equal(t->d.sort, COLUMN_FROM);
	click(t, EVENT_WHEEL_DOWN, 10, 10);
	assert_int_equal(t->d.mains[VIEW_CALLS].lists[0].top, 3);
	click(t, EVENT_CLICK, ROWS - 1, column_of(t, ROWS - 1, "F4"));
	assert_shows(t, "Ladder call");
	press(&t->d, &t->w, &t->s, "<Esc>");
	click(t, EVENT_DOUBLE_CLICK, 8, 20);
	assert_int_equal(t->d.places[0].view, VIEW_CALL);
	stand_up(t);
	free(t);
}

static void redraw(struct table_of_one *t)
{
	dashboard_draw(&t->d, &t->w, &t->s);
}

/* The next picture of a capture that goes on. */
static void picture_becomes(struct table_of_one *t, enum fake which)
{
	struct numbers numbers = t->w.numbers;

	world_fini(&t->w);
	world_init(&t->w, fake_engine(which));
	t->file = fake_file(which);
	t->w.files = &t->file;
	t->w.file_count = 1;
	t->w.names = t->names;
	t->w.numbers = numbers;
	redraw(t);
}

static void a_date_stands_where_it_must(void **state)
{
	struct table_of_one *t = calloc(1, sizeof *t);

	(void)state;
	sit_down(t, FAKE_MANY, ROWS, COLUMNS, false);
	assert_shows(t, " Nov 2026 ");           /* a file may be old */
	t->w.numbers.loading = true;
	redraw(t);
	assert_false(shows(t, " Nov 2026 "));    /* there progress has the room */
	t->w.numbers = (struct numbers){ .live = true, .now_ns = FAKE_START_NS, .length_ns = MINUTE_NS };
	redraw(t);
	assert_false(shows(t, "Fri 20 Nov"));
	t->w.numbers.length_ns = 30 * HOUR_NS;
	redraw(t);
	assert_shows(t, "Fri 20 Nov ");
	stand_up(t);
	free(t);
}

static void what_must_not_be_overlooked_stands_before_the_clock(void **state)
{
	struct table_of_one *t = calloc(1, sizeof *t);

	(void)state;
	sit_down(t, FAKE_MANY, ROWS, COLUMNS, false);
	t->w.numbers = (struct numbers){ .live = true, .now_ns = FAKE_START_NS, .findings = 3 };
	redraw(t);
	assert_false(shows(t, "REDACTED"));
	t->w.numbers.redacted = true;
	redraw(t);
	assert_shows(t, "REDACTED");
	press(&t->d, &t->w, &t->s, "p");
	t->w.numbers.now_ns += 12 * SECOND_NS;
	redraw(t);
	assert_shows(t, "REDACTED  PAUSED 12 s  ");
	t->w.numbers.findings = 5;
	redraw(t);
	assert_shows(t, "REDACTED  PAUSED 12 s, +2 new  ");
	stand_up(t);
	free(t);
}

/* What a filter passes stands beside its hints, not over them, however narrow the terminal is. */
static void hints_of_a_filter_make_room(void **state)
{
	struct table_of_one *t = calloc(1, sizeof *t);

	(void)state;
	sit_down(t, FAKE_MANY, 15, 60, false);
	press(&t->d, &t->w, &t->s, "2/call:7");
	assert_shows(t, " Tab completes   ↑ earlier   Esc… 1 of 24 calls");
	stand_up(t);
	free(t);
}

/* Ten rows of 24 calls, of which the first three were there: the last eleven stand below. */
static void what_comes_out_of_sight_is_counted(void **state)
{
	struct table_of_one *t = calloc(1, sizeof *t);

	(void)state;
	sit_down(t, FAKE_CLEAN, 15, COLUMNS, false);
	t->w.numbers.live = true;
	press(&t->d, &t->w, &t->s, "2");
	assert_false(shows(t, " new"));
	picture_becomes(t, FAKE_MANY);
	assert_shows(t, "   +14 new");
	press(&t->d, &t->w, &t->s, "<End>");
	assert_false(shows(t, " new"));
	press(&t->d, &t->w, &t->s, "<Home>");
	assert_false(shows(t, " new"));          /* they have been seen */
	stand_up(t);
	free(t);
}

static void a_new_problem_lights_its_bar(void **state)
{
	struct table_of_one *t = calloc(1, sizeof *t);

	(void)state;
	sit_down(t, FAKE_CLEAN, ROWS, COLUMNS, false);
	t->w.numbers = (struct numbers){ .live = true, .now_ns = FAKE_START_NS };
	redraw(t);
	assert_int_equal(sheet_at(&t->s, 4, 2)->style, PAINT_PLAIN | STYLE_REVERSE);
	picture_becomes(t, FAKE_MANY);
	assert_int_equal(sheet_at(&t->s, 4, 2)->style, PAINT_BAD | STYLE_REVERSE);
	t->w.numbers.now_ns += 5 * SECOND_NS;
	redraw(t);
	assert_int_equal(sheet_at(&t->s, 4, 2)->style, PAINT_PLAIN | STYLE_REVERSE);
	stand_up(t);
	free(t);
}

static void the_same_settings_come_again(void **state)
{
	static const char wild[] =
		"colours plaid\nglyphs\n\nbell on\ncolumns nonsense, talk, talk, number\nenter ladder, please\nx";
	struct dashboard *d = calloc(1, sizeof *d), *again = calloc(1, sizeof *again);
	struct text t;

	(void)state;
	dashboard_init(d);
	d->palette = 1;
	d->glyphs = 1;
	d->enter_ladder = true;
	d->sort = COLUMN_TALK;
	d->sort_down = true;
	d->stream_sort = STREAM_SORT_LOST;
	d->column_order[0] = COLUMN_TALK;
	d->column_order[COLUMN_TALK] = COLUMN_NUMBER;
	d->columns_on = UINT64_C(1) << COLUMN_TALK | UINT64_C(1) << COLUMN_NUMBER;
	text_init(&t);
	kept_text(d, &t);
	dashboard_init(again);
	kept_take(again, span_of(t.p));
	assert_int_equal(again->palette, 1);
	assert_int_equal(again->glyphs, 1);
	assert_true(again->enter_ladder && again->sort_down && !again->stream_sort_down && !again->bell);
	assert_int_equal(again->sort, COLUMN_TALK);
	assert_int_equal(again->stream_sort, STREAM_SORT_LOST);
	assert_int_equal(again->columns_on, d->columns_on);
	assert_int_equal(again->column_order[0], COLUMN_TALK);
	assert_int_equal(again->column_order[1], COLUMN_NUMBER);
	text_fini(&t);
	dashboard_init(again);
	kept_take(again, span_of(wild));
	assert_true(again->bell && !again->enter_ladder && again->palette == 0 && again->glyphs == 0);
	assert_int_equal(again->column_order[0], COLUMN_TALK);
	assert_int_equal(again->columns_on, d->columns_on);
	free(d);
	free(again);
}

static void settings_are_kept_when_asked(void **state)
{
	struct table_of_one *t = calloc(1, sizeof *t);

	(void)state;
	sit_down(t, FAKE_MANY, ROWS, COLUMNS, false);
	press(&t->d, &t->w, &t->s, "<F8><Enter>");
	assert_false(t->d.keep_wanted);
	press(&t->d, &t->w, &t->s, "<F8>w");
	assert_true(t->d.keep_wanted);
	assert_int_equal(t->d.prompt, PROMPT_NONE);
	stand_up(t);
	free(t);
}

static void a_row_is_copied_as_it_stands(void **state)
{
	struct table_of_one *t = calloc(1, sizeof *t);

	(void)state;
	sit_down(t, FAKE_HOSTILE, ROWS, COLUMNS, false);
	press(&t->d, &t->w, &t->s, "y");
	assert_non_null(strstr(t->d.copy, "rewrites SIP"));
	press(&t->d, &t->w, &t->s, "2y");
	assert_non_null(strstr(t->d.copy, "\\x1b"));
	assert_null(strchr(t->d.copy, '\x1b'));
	stand_up(t);
	free(t);
}

/* Each footer key does what it says: pressed, it means something in that view. */
static void footers_name_keys_that_work(void **state)
{
	const struct key_row *rows;
	size_t count = key_rows(&rows);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		assert_true(rows[i].codes[0] != 0);
		for (unsigned v = 0; v < VIEW_COUNT; v++)
			if (rows[i].views >> v & 1)
				for (size_t k = 0; k < 6 && rows[i].codes[k]; k++)
					assert_int_equal(key_action(rows[i].codes[k], (enum view)v), rows[i].action);
	}
	assert_int_equal(key_action('x', VIEW_TEXT), ACTION_NONE);
	assert_int_equal(key_action('q', VIEW_OVERVIEW), ACTION_QUIT);
	assert_int_equal(key_action('q', VIEW_CALLS), ACTION_BACK);
	assert_int_equal(key_action(KEY_ESCAPE, VIEW_OVERVIEW), ACTION_NONE);
}

static void questions_and_answers_go_over_a_pipe(void **state)
{
	struct question *q = calloc(1, sizeof *q);
	struct table_of_one *t = calloc(1, sizeof *t);
	struct text answer;

	(void)state;
	sit_down(t, FAKE_MANY, ROWS, COLUMNS, false);
	text_init(&answer);
	dashboard_init(&q->state);
	q->rows = 30;
	q->columns = 100;
	q->event_count = 1;
	q->events[0] = (struct dashboard_event){ .kind = EVENT_KEY, .key = '2' };
	answer_make(&t->w, q, sizeof *q, &answer);
	assert_true(answer_take(&answer, &t->d, &t->s));
	assert_int_equal(t->d.main, VIEW_CALLS);
	assert_true(t->s.rows == 30 && t->s.columns == 100);
	assert_shows(t, "24 calls");
	text_clear(&answer);
	answer_make(&t->w, q, sizeof *q - 1, &answer);
	assert_false(answer_take(&answer, &t->d, &t->s));
	text_fini(&answer);
	stand_up(t);
	free(t);
	free(q);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_lead_where_they_should), cmocka_unit_test(hostile_names_are_shown_not_obeyed),
			cmocka_unit_test(without_utf8_all_is_ascii),
		cmocka_unit_test(no_keys_lead_astray),
		cmocka_unit_test(quitting_asks_only_where_something_would_be_lost),
		cmocka_unit_test(the_mouse_clicks_and_scrolls), cmocka_unit_test(a_row_is_copied_as_it_stands),
		cmocka_unit_test(a_date_stands_where_it_must),
		cmocka_unit_test(what_must_not_be_overlooked_stands_before_the_clock),
		cmocka_unit_test(hints_of_a_filter_make_room),
		cmocka_unit_test(what_comes_out_of_sight_is_counted), cmocka_unit_test(a_new_problem_lights_its_bar),
		cmocka_unit_test(the_same_settings_come_again), cmocka_unit_test(settings_are_kept_when_asked),
		cmocka_unit_test(footers_name_keys_that_work),
		cmocka_unit_test(questions_and_answers_go_over_a_pipe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
