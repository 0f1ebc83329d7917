/* SPDX-License-Identifier: MIT */
/* prompt_draw: how prompts and forms look. */
#include "ui/dashboard/prompt.h"

#include <stdio.h>

#include "ui/dashboard/call_table.h"
#include "ui/words.h"

enum { FORM_COLUMNS = 44 };

/* So many columns of the input are to the left of what is in sight, that the caret is. */
static unsigned hidden_columns(const struct dashboard *d, unsigned width)
{
	char head[INPUT_BYTES];
	unsigned at;

	snprintf(head, sizeof head, "%.*s", d->input_at, d->input);
	at = (unsigned)text_columns(head);
	return at + 1 > width ? at + 1 - width : 0;
}

static void draw_input(struct dashboard *d, struct sheet *s, unsigned row, unsigned column, unsigned width)
{
	unsigned hidden = hidden_columns(d, width), skipped = 0;
	const char *shown = d->input;
	char head[INPUT_BYTES];

	while (skipped < hidden && *shown) {
		size_t n = prompt_behind(shown, 0);

		snprintf(head, sizeof head, "%.*s", (int)n, shown);
		skipped += (unsigned)text_columns(head);
		shown += n;
	}
	sheet_text(s, row, column, width, PAINT_PLAIN, shown);
	if (hidden)
		sheet_text(s, row, column, 1, PAINT_DIM, "…");
	snprintf(head, sizeof head, "%.*s", (int)(d->input + d->input_at - shown), shown);
	sheet_mark(s, row, column + (unsigned)text_columns(head), 1, STYLE_REVERSE);
}

enum { COUNT_COLUMNS = 25 };

static void draw_filter_hint(struct dashboard *d, struct world *w, struct sheet *s, unsigned row)
{
	struct order o = world_order(w, d->filter, d->hide_ended, d->sort, d->sort_down);
	char head[INPUT_BYTES], a[WORDS], b[WORDS];
	unsigned hints = s->columns > COUNT_COLUMNS + 3 ? s->columns - COUNT_COLUMNS - 3 : 0;

	d->unfinished |= !o.complete;
	sheet_blank(s, row, 0, s->columns);
	if (d->is_wrong) {
		unsigned at, hidden;

		snprintf(head, sizeof head, "%.*s", d->wrong_at, d->input);
		hidden = hidden_columns(d, s->columns - 4);
		at = 3 + (unsigned)text_columns(head);
		at -= hidden < at - 3 ? hidden : at - 3;
		if (at + text_columns(d->wrong) + 4 > s->columns)
			at = s->columns > text_columns(d->wrong) + 4 ? s->columns - (unsigned)text_columns(d->wrong) - 4
								     : 0;
		sheet_textf(s, row, at, s->columns - at, PAINT_WARN, "^ %s", d->wrong);
		return;
	}
	sheet_text(s, row, 1, hints, PAINT_DIM, "Tab completes   ↑ earlier   Esc drops   Enter keeps");
	sheet_textf(s, row, hints + 2, COUNT_COLUMNS, PAINT_HEAD, "%s of %s%s",
		words_count(o.count, a), words_counted(o.of, "call", b), o.complete ? "" : "...");
}

static void draw_line_prompt(struct dashboard *d, struct world *w, struct sheet *s)
{
	static const char *const signs[] = { [PROMPT_FILTER] = "/", [PROMPT_FIND] = "find", [PROMPT_GO] = "go to" };
	unsigned row = s->rows - 2, column = 1 + (unsigned)strlen(signs[d->prompt]) + 1;

	if (d->message[0] && d->prompt == PROMPT_FILTER) {
		sheet_blank(s, row - 1, 0, s->columns);
		sheet_text(s, row - 1, 3, s->columns - 3, PAINT_DIM, d->message);
	}
	sheet_blank(s, row, 0, s->columns);
	sheet_text(s, row, 1, s->columns, PAINT_HEAD, signs[d->prompt]);
	draw_input(d, s, row, column, s->columns - column - 1);
	if (d->prompt == PROMPT_FILTER) {
		draw_filter_hint(d, w, s, row + 1);
	} else {
		sheet_blank(s, row + 1, 0, s->columns);
		sheet_text(s, row + 1, 1, s->columns, PAINT_DIM,
			d->prompt == PROMPT_GO ? "101   frame 812   09:12   Enter goes   Esc drops"
					       : "Enter finds, n next, N before   Esc drops");
	}
}

struct form {
	unsigned row, column, width, at;
};

static struct form form_begin(struct sheet *s, const char *title, unsigned lines, const char *keys)
{
	struct form f = { .width = FORM_COLUMNS };

	f.column = s->columns > f.width ? (s->columns - f.width) / 2 : 0;
	f.row = s->rows > lines + 4 ? (s->rows - lines - 2) / 2 : 1;
	f.at = f.row + 1;
	bar_draw(s, f.row, f.column, f.width, title, "");
	for (unsigned i = 0; i < lines; i++) {
		sheet_blank(s, f.row + 1 + i, f.column, f.width);
		sheet_text(s, f.row + 1 + i, f.column, 1, PAINT_DIM, "│");
		sheet_text(s, f.row + 1 + i, f.column + f.width - 1, 1, PAINT_DIM, "│");
	}
	bar_draw(s, f.row + 1 + lines, f.column, f.width, keys, "");
	return f;
}

static void form_line(struct form *f, struct sheet *s, bool selected, const char *text)
{
	sheet_text(s, f->at, f->column + 3, f->width - 5, PAINT_PLAIN, text);
	if (selected)
		row_select(s, f->at, f->column + 1, f->width - 2);
	f->at++;
}

static void draw_save(struct dashboard *d, struct world *w, struct sheet *s)
{
	const struct call_row *r = world_call(w, selected_call(d, w));
	struct form f = form_begin(s, "Save packets as pcapng", SAVE_CHOICES + 2, "Enter Save  ↑ ↓ which  Esc Cancel");
	char text[SAVE_CHOICES][80];

	if (r)
		snprintf(text[CHOICE_CALL], 80, "call %u", r->n);
	else
		snprintf(text[CHOICE_CALL], 80, "the selected call (none)");
	snprintf(text[CHOICE_MARKED], 80, "%u marked", d->mark_count);
	snprintf(text[CHOICE_FILTERED], 80, "all calls that are listed");
	snprintf(text[CHOICE_ALL], 80, "everything");
	for (unsigned i = 0; i < SAVE_CHOICES; i++) {
		char line[100];

		snprintf(line, sizeof line, "(%s) %.60s", d->save_what == i ? "*" : " ", text[i]);
		form_line(&f, s, false, line);
	}
	f.at++;
	sheet_text(s, f.at, f.column + 3, 6, PAINT_HEAD, "File");
	draw_input(d, s, f.at, f.column + 9, f.width - 11);
}

static void draw_columns(struct dashboard *d, struct sheet *s)
{
	unsigned room = s->rows > 8 ? s->rows - 6 : 2, lines = CALL_COLUMNS < room ? CALL_COLUMNS : room;
	unsigned top = d->prompt_item >= lines ? d->prompt_item - lines + 1 : 0;
	struct form f = form_begin(s, "Columns of calls", lines, "Space on, off  + - move  Enter Done");

	for (unsigned i = top; i < top + lines && i < CALL_COLUMNS; i++) {
		unsigned which = d->column_order[i];
		char line[80];

		snprintf(line, sizeof line, "[%s] %s", d->columns_on >> which & 1 ? "x" : " ",
			call_column_name((enum call_column)which));
		form_line(&f, s, i == d->prompt_item, line);
	}
}

static void draw_settings(struct dashboard *d, struct sheet *s)
{
	static const char *const palettes[] = { "as the terminal has", "16", "none" };
	struct form f = form_begin(s, "Settings", 4, "← → change  Enter Use  w Keep");
	char line[80];

	snprintf(line, sizeof line, "Colours      %s", palettes[d->palette % 3]);
	form_line(&f, s, d->prompt_item == 0, line);
	snprintf(line, sizeof line, "Glyphs       %s", d->glyphs ? "ASCII" : "as the terminal has");
	form_line(&f, s, d->prompt_item == 1, line);
	snprintf(line, sizeof line, "Enter opens  %s", d->enter_ladder ? "the ladder" : "the call");
	form_line(&f, s, d->prompt_item == 2, line);
	snprintf(line, sizeof line, "Bell         %s", d->bell ? "at a new problem" : "off");
	form_line(&f, s, d->prompt_item == 3, line);
}

void prompt_draw(struct dashboard *d, struct world *w, struct sheet *s)
{
	struct form f;

	switch ((enum prompt)d->prompt) {
	case PROMPT_NONE: break;
	case PROMPT_FILTER:
	case PROMPT_FIND:
	case PROMPT_GO: draw_line_prompt(d, w, s); break;
	case PROMPT_SAVE: draw_save(d, w, s); break;
	case PROMPT_COLUMNS: draw_columns(d, s); break;
	case PROMPT_SETTINGS: draw_settings(d, s); break;
	case PROMPT_QUIT:
		f = form_begin(s, w->numbers.live ? "End the capture?" : "Stop reading?", 1, "y Yes  n No");
		form_line(&f, s, false, "the report is printed then");
		break;
	}
}
