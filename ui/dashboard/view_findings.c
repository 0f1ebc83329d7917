/* SPDX-License-Identifier: MIT */
/* view_findings: problems, then facts; what one explains stands below it. */
#include "ui/dashboard/parts.h"

#include <stdio.h>

#include "ui/words.h"

enum { ID_COLUMNS = 22, CONFIDENCE_COLUMNS = 9 };

static size_t count(const struct looking *k)
{
	return world_finding_order(k->w, k->d->filter).count;
}

static uint64_t id(const void *context, size_t row)
{
	const struct looking *k = context;

	return world_finding_id(k->w, world_finding_order(k->w, k->d->filter).rows[row]);
}

static void draw_bar(struct dashboard *d, struct world *w, struct sheet *s, const struct order *o)
{
	const struct selection *sel = world_selection(w);
	size_t open = 0, explained = 0, facts = 0;
	char left[64], right[INPUT_BYTES + 64], a[WORDS];

	for (size_t i = 0; i < sel->finding_count; i++) {
		const struct selected_finding *f = &sel->findings[i];

		if (f->withdrawn)
			continue;
		open += f->problem;
		explained += !f->problem && f->explained_by;
		facts += !f->problem && !f->explained_by;
	}
	snprintf(left, sizeof left, "Findings%s", w->numbers.loading ? " so far" : "");
	if (d->filter[0])
		snprintf(right, sizeof right, "filter %s   %s left   F9 Clear", d->filter, words_count(o->count, a));
	else
		snprintf(right, sizeof right, "%zu problem%s  %zu explained  %zu fact%s", open, open == 1 ? "" : "s",
			explained, facts, facts == 1 ? "" : "s");
	bar_draw(s, AREA_TOP, 0, s->columns, left, right);
}

static void draw_row(struct world *w, struct sheet *s, size_t at, unsigned row)
{
	const struct selected_finding *x = &world_selection(w)->findings[at];
	const struct view_finding *f = world_view_finding(w, at);
	bool consequence = selection_root(world_selection(w), at) != at;
	enum call_mark mark = rank_mark(x->rank);
	char calls[WORDS], right[64], name[96];
	unsigned n, column = 3;

	if (!f)
		return;
	if (consequence)
		snprintf(right, sizeof right, "explained");
	else
		snprintf(right, sizeof right, "%s", f->calls_total ? words_counted(f->calls_total, "call", calls) : "");
	n = (unsigned)text_columns(right);
	if (consequence)
		sheet_text(s, row, 1, 1, PAINT_DIM, "└");
	else
		sheet_text(s, row, 1, 1, mark_paint(mark), mark_sign(mark));
	snprintf(name, sizeof name, "%s%s%s", f->id, s->columns >= WIDE_COLUMNS && f->reason ? "/" : "",
		s->columns >= WIDE_COLUMNS && f->reason ? f->reason : "");
	sheet_text(s, row, column, s->columns >= WIDE_COLUMNS ? 2 * ID_COLUMNS : ID_COLUMNS,
		consequence ? PAINT_DIM : PAINT_HEAD, name);
	column += (s->columns >= WIDE_COLUMNS ? 2 * ID_COLUMNS : ID_COLUMNS) + 1;
	sheet_text(s, row, column, CONFIDENCE_COLUMNS, PAINT_PLAIN, f->confidence);
	column += CONFIDENCE_COLUMNS;
	sheet_text(s, row, column, s->columns > column + n + 3 ? s->columns - column - n - 3 : 5,
		consequence ? PAINT_DIM : PAINT_PLAIN, f->title ? f->title : "");
	sheet_right(s, row, 0, s->columns - 1, PAINT_DIM, right);
}

static void draw(struct dashboard *d, struct world *w, struct sheet *s)
{
	struct looking k = { d, w, 0 };
	struct order o = world_finding_order(w, d->filter);
	struct list *l = list_of(d, 0);
	unsigned top = AREA_TOP + 1, shown = area_end(s) - top;

	d->unfinished |= !o.complete;
	list_place(l, o.count, top, 0, s->columns, shown);
	draw_bar(d, w, s, &o);
	for (unsigned i = 0; i < shown && l->top + i < o.count; i++) {
		draw_row(w, s, o.rows[l->top + i], top + i);
		if (l->top + i == l->at)
			row_select(s, top + i, 0, s->columns);
	}
	if (o.count == 0)
		sheet_text(s, top, 2, s->columns, PAINT_DIM,
			d->filter[0] ? "no finding is like that: F9 clears the filter" : "nothing was found");
	(void)k;
}

static bool act(struct dashboard *d, struct world *w, enum action a)
{
	struct looking k = { d, w, 0 };
	ptrdiff_t at;

	if (a != ACTION_OPEN)
		return false;
	at = count(&k) ? world_finding_find(w, list_of(d, 0)->id) : -1;
	if (at >= 0)
		open_problem(d, w, (size_t)at);
	return true;
}

const struct view_part part_findings = { .panes = 1, .count = count, .id = id, .draw = draw, .act = act };
