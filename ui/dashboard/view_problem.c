/* SPDX-License-Identifier: MIT */
/* view_problem: a finding as the report has it, its proof to step into, the calls that it is about. */
#include "ui/dashboard/page.h"

#include <stdio.h>
#include <stdlib.h>

#include "captures/base/memory.h"
#include "ui/dashboard/call_pane.h"
#include "ui/words.h"

enum { CALLS_SHOWN = 500 };

static void add_part(struct page *p, struct world *w, size_t finding, enum block_part part, unsigned width)
{
	struct report r;
	struct out o;

	out_init(&o, -1);
	o.columns = width > 2 ? width - 1 : width;
	r = world_report(w, &o);
	report_block(&r, finding, part);
	page_add_out(p, &o);
	out_fini(&o);
}

static void add_call(struct page *p, struct world *w, unsigned n, size_t *shown)
{
	const struct call_row *r = world_call_numbered(w, n);
	struct line *l;

	for (size_t i = 0; r && i < p->count; i++)
		if (p->lines[i].kind == LINE_CALL && p->lines[i].call == r->id)
			return;
	if (!r || (*shown)++ >= CALLS_SHOWN)
		return;
	l = page_add(p, LINE_CALL, PAINT_PLAIN, "");
	l->call = l->id = r->id;
}

/* All calls of the problem: those of its incident, where there is one. */
static void add_calls(struct page *p, struct world *w, size_t at, const struct view_finding *f)
{
	struct view_incident *incident = memory_zalloc(sizeof *incident);
	size_t bar = p->count, shown = 0;
	char text[64], count[WORDS];

	page_add(p, LINE_BAR, PAINT_PLAIN, "Calls");
	for (unsigned i = 0; i < f->call_id_count; i++)
		if (f->call_numbers[i])
			add_call(p, w, f->call_numbers[i], &shown);
	for (size_t i = 0; view_incident(w->engine, i, incident); i++) {
		if (incident->n != world_selection(w)->findings[at].incident)
			continue;
		for (unsigned k = 0; k < incident->call_count; k++)
			add_call(p, w, incident->calls[k], &shown);
	}
	if (shown == 0) {
		free(p->lines[--p->count].text);
	} else {
		snprintf(text, sizeof text, "%s", words_counted(shown, "call", count));
		p->lines[bar].right = memory_text(text);
	}
	free(incident);
}

void page_make_problem(struct page *p, struct dashboard *d, struct world *w, unsigned width)
{
	ptrdiff_t at = world_finding_find(w, place_of(d)->finding);
	const struct view_finding *view = at < 0 ? NULL : world_view_finding(w, (size_t)at);
	struct view_finding *f;
	const struct call_row *call;

	if (!view) {
		page_add(p, LINE_TEXT, PAINT_DIM, "this finding is not in this picture any more");
		return;
	}
	f = memory_zalloc(sizeof *f);
	*f = *view;
	call = f->call_id_count ? world_call_numbered(w, f->call_numbers[0]) : NULL;
	add_part(p, w, (size_t)at, BLOCK_CLAIM, width);
	page_add(p, LINE_BAR, PAINT_PLAIN, "Evidence")->right = memory_text("Enter shows the frame");
	view_finding(w->engine, (size_t)at, f); /* texts are lent until others are asked for */
	page_add_evidence(p, w, f, call ? call->id : 0, width);
	page_add(p, LINE_BAR, PAINT_PLAIN, "What to do");
	add_part(p, w, (size_t)at, BLOCK_ADVICE, width);
	view_finding(w->engine, (size_t)at, f);
	add_calls(p, w, (size_t)at, f);
	free(f);
}

/* The call of the selected line, else the first of the problem. */
static uint64_t call_of(struct dashboard *d, struct world *w)
{
	const struct page *p = page_of(d, w);
	const struct line *x = page_selected(d, w);

	if (x && x->call)
		return x->call;
	for (size_t i = 0; i < p->count; i++)
		if (p->lines[i].call)
			return p->lines[i].call;
	return 0;
}

static void draw_beside(
	struct dashboard *d, struct world *w, struct sheet *s, unsigned row, unsigned column, unsigned rows)
{
	const struct line *x = page_selected(d, w);
	uint64_t call = call_of(d, w),
		 message = x && x->frame ? message_at(w, call, x->file, x->frame) : message_at(w, call, 0, 0);

	for (unsigned i = 0; i < rows; i++)
		sheet_text(s, row + i, column - 1, 1, PAINT_DIM, "│");
	message_draw(w, s, call, message, 0, row, column + 1, s->columns - column - 2, rows);
}

static void draw(struct dashboard *d, struct world *w, struct sheet *s)
{
	const struct page *p = page_of(d, w);
	unsigned width = s->columns >= WIDE_COLUMNS ? s->columns / 2 : s->columns, shown = area_end(s) - AREA_TOP;

	if (width < s->columns)
		draw_beside(d, w, s, AREA_TOP, width + 1, shown);
	page_draw(p, d, w, s, list_of(d, 0), AREA_TOP, 0, width, shown, false);
}

static bool act(struct dashboard *d, struct world *w, enum action a)
{
	const struct line *x = page_selected(d, w);
	uint64_t call;

	switch ((int)a) {
	case ACTION_OPEN: page_open(d, w); return true;
	case ACTION_LADDER:
	case ACTION_RAW:
		call = call_of(d, w);
		if (!call)
			message_set(d, "no call belongs to it");
		else if (a == ACTION_LADDER)
			open_ladder(d, call, true);
		else
			open_frame(d, w, call, x ? x->file : 0, x ? x->frame : 0);
		return true;
	case ACTION_FIND_NEXT: page_find(d, w, false); return true;
	case ACTION_FIND_PREVIOUS: page_find(d, w, true); return true;
	default: return page_move(d, w, a);
	}
}

const struct view_part part_problem = { .panes = 1, .count = page_count, .id = page_line_id, .draw = draw, .act = act };
