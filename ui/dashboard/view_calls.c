/* SPDX-License-Identifier: MIT */
/* view_calls: every call a row: sorted, filtered, with the columns one wants. */
#include "ui/dashboard/parts.h"

#include <stdio.h>

#include "ui/dashboard/call_pane.h"
#include "ui/dashboard/call_table.h"
#include "ui/words.h"

enum { LANES_WIDE = 12, LIST_COLUMNS = 112 };

static struct order rows_of(const struct looking *k)
{
	struct dashboard *d = k->d;

	return world_order(k->w, d->filter, d->hide_ended, d->sort, d->sort_down);
}

static size_t count(const struct looking *k)
{
	return rows_of(k).count;
}

static uint64_t id(const void *context, size_t row)
{
	const struct looking *k = context;
	size_t n;

	return world_calls(k->w, &n)[rows_of(k).rows[row]].id;
}

static void draw_filter(struct dashboard *d, struct sheet *s, const struct order *o, unsigned news)
{
	char left[INPUT_BYTES + 32 + WORDS_RANGE], words[WORDS_RANGE], right[96], a[WORDS], b[WORDS];
	bool narrowed = d->filter[0] || d->hide_ended;

	snprintf(left, sizeof left, "%s%s%s%s", d->filter[0] ? "Filter " : "Calls", d->filter,
		d->hide_ended ? "   ended ones hidden" : "", news_words(news, words));
	if (narrowed)
		snprintf(right, sizeof right, "%s%s of %s   F9 Clear", words_count(o->count, a),
			o->complete ? "" : "...", words_counted(o->of, "call", b));
	else
		snprintf(right, sizeof right, "%s", words_counted(o->of, "call", b));
	bar_draw(s, AREA_TOP, 0, s->columns, left, right);
}

static void draw(struct dashboard *d, struct world *w, struct sheet *s)
{
	struct looking k = { d, w, 0 };
	struct order o = rows_of(&k);
	struct list *l = list_of(d, 0);
	bool wide = s->columns >= WIDE_COLUMNS;
	unsigned width = wide ? LIST_COLUMNS : s->columns, top = AREA_TOP + 2, shown = area_end(s) - top;
	const struct call_row *rows;
	struct call_table t;
	size_t n;

	rows = world_calls(w, &n);
	d->unfinished |= !o.complete;
	if (d->follow && o.count)
		list_select(l, o.count, d->sort_down ? 0 : o.count - 1, id, &k);
	list_place(l, o.count, top, 0, width, shown);
	call_table_lay(&t, w, d->columns_on, d->column_order, wide ? LANES_WIDE : 0, 0, width);
	t.shows_sort = true;
	draw_filter(d, s, &o, news_of_calls(l, w, &o));
	call_table_head(&t, d, s, AREA_TOP + 1);
	for (unsigned i = 0; i < shown && l->top + i < o.count; i++) {
		call_table_row(&t, d, w, s, top + i, &rows[o.rows[l->top + i]]);
		if (l->top + i == l->at)
			row_select(s, top + i, 0, width);
	}
	if (o.count == 0)
		call_table_empty(&t, w, n, s, top + 1);
	if (wide && o.count)
		call_pane_draw(
			d, w, s, l->id, AREA_TOP + 1, width + 1, s->columns - width - 1, area_end(s) - AREA_TOP - 1);
}

/* The next column to the left or right that is shown becomes the one that is sorted by. */
static void sort_move(struct dashboard *d, int by)
{
	unsigned at = 0;

	while (at < CALL_COLUMNS && d->column_order[at] != d->sort)
		at++;
	for (unsigned i = 0; i < CALL_COLUMNS; i++) {
		at = (at + CALL_COLUMNS + (unsigned)by) % CALL_COLUMNS;
		if (d->columns_on >> d->column_order[at] & 1) {
			d->sort = d->column_order[at];
			return;
		}
	}
}

static void next_unheard(struct dashboard *d, struct world *w, const struct looking *k)
{
	struct order o = rows_of(k);
	struct list *l = list_of(d, k->pane);
	size_t n;
	const struct call_row *rows = world_calls(w, &n);

	for (size_t i = 1; i <= o.count; i++) {
		size_t at = (l->at + i) % o.count;

		if (rows[o.rows[at]].unheard) {
			list_select(l, o.count, at, id, k);
			return;
		}
	}
	message_set(d, "no call here is unheard");
}

static bool act(struct dashboard *d, struct world *w, enum action a)
{
	struct looking k = { d, w, 0 };

	switch ((int)a) {
	case ACTION_OPEN:
		if (count(&k))
			open_call(d, w, list_of(d, 0)->id);
		return true;
	case ACTION_SORT_LEFT: sort_move(d, -1); return true;
	case ACTION_SORT_RIGHT: sort_move(d, 1); return true;
	case ACTION_SORT_TURN: d->sort_down = !d->sort_down; return true;
	case ACTION_FOLLOW: d->follow = !d->follow; return true;
	case ACTION_NEXT_PROBLEM: next_unheard(d, w, &k); return true;
	default: return false;
	}
}

const struct view_part part_calls = { .panes = 1, .count = count, .id = id, .draw = draw, .act = act };
