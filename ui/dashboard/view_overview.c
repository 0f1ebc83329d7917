/* SPDX-License-Identifier: MIT */
/* view_overview: what is wrong now, the calls, the worst streams. */
#include "ui/dashboard/parts.h"

#include <stdio.h>
#include <stdlib.h>

#include "captures/base/memory.h"
#include "ui/dashboard/call_pane.h"
#include "ui/dashboard/call_table.h"
#include "ui/dashboard/lane.h"
#include "ui/words.h"

enum { PANE_PROBLEMS, PANE_CALLS, PANE_STREAMS, PANES };
enum {
	VANTAGE_ROWS = 2,
	PROBLEMS_LEAST = 3,
	PROBLEMS_WIDE = 10,
	CALLS_LEAST = 3, /* rows with the head, where there is none */
	PROBLEM_HEADS = 2, /* the bar, an empty row behind */
	CALL_HEADS = 2, /* the bar, the columns */
	STREAM_HEADS = 2, /* an empty row before, the bar */
	STREAMS_LOW = 3,
	STREAMS_HIGH = 8,
	HIGH_ROWS = 40,
	LANES = 8,
	LANES_WIDE = 12,
	STREAM_LANE = 8,
	FIGURES = 28,
	ENDS_COLUMNS = 48,
	LIST_COLUMNS = 112
};

#define ALARM_NS (5 * SECOND_NS)

static const uint64_t columns_wanted = (UINT64_C(1) << COLUMN_NUMBER) | (UINT64_C(1) << COLUMN_FROM) |
	(UINT64_C(1) << COLUMN_TO) | (UINT64_C(1) << COLUMN_STATE) | (UINT64_C(1) << COLUMN_TALK) |
	(UINT64_C(1) << COLUMN_CALLER) | (UINT64_C(1) << COLUMN_CALLEE) | (UINT64_C(1) << COLUMN_PROBLEM);

static struct order order_of_pane(const struct looking *k)
{
	if (k->pane == PANE_PROBLEMS)
		return world_problem_order(k->w, k->d->filter);
	if (k->pane == PANE_CALLS)
		return world_order(k->w, k->d->filter, k->d->hide_ended, SORT_URGENT, false);
	return world_stream_order(k->w, k->d->filter, STREAM_SORT_LOST, true);
}

static size_t count(const struct looking *k)
{
	return order_of_pane(k).count;
}

static uint64_t id(const void *context, size_t row)
{
	const struct looking *k = context;
	struct order o = order_of_pane(k);
	size_t n;

	if (k->pane == PANE_PROBLEMS)
		return world_finding_id(k->w, world_selection(k->w)->problems[o.rows[row]].lead);
	if (k->pane == PANE_CALLS)
		return world_calls(k->w, &n)[o.rows[row]].id;
	return world_streams(k->w, &n)[o.rows[row]].id;
}

/* The selection is drawn in the pane that has the keys. */
static void select_row(struct dashboard *d, struct sheet *s, unsigned pane, unsigned row, unsigned width)
{
	if (place_of(d)->pane == pane)
		row_select(s, row, 0, width);
	else
		sheet_text(s, row, 0, 1, PAINT_DIM, "▸");
}

/* ---- problems ---- */

struct problem_words {
	const char *title, *id, *severity, *confidence;
	int64_t since_ns;
	unsigned calls;
};

static void problem_read(
	struct world *w, const struct problem *p, struct problem_words *ret, struct view_incident *incident)
{
	const struct view_finding *f = world_view_finding(w, p->lead);
	bool has = p->has_incident && view_incident(w->engine, p->incident, incident);

	*ret = (struct problem_words){ .title = "", .id = "", .since_ns = NS_NONE };
	if (!f)
		return;
	ret->title = has && incident->title ? incident->title : f->title ? f->title : f->id;
	ret->id = f->id;
	ret->severity = has ? incident->severity : f->severity;
	ret->confidence = has ? incident->confidence : f->confidence;
	ret->since_ns = p->first_ns;
	ret->calls = has                            ? incident->calls_total
		: f->calls_total > f->call_id_count ? f->calls_total
						    : f->call_id_count;
}

static void draw_problem(struct world *w, struct sheet *s, const struct problem *p, unsigned row, unsigned width)
{
	struct view_incident *incident = memory_zalloc(sizeof *incident);
	enum call_mark mark = rank_mark(p->rank);
	char right[96], clock[NS_TEXT], calls[WORDS];
	struct problem_words x;
	unsigned n;

	problem_read(w, p, &x, incident);
	if (width >= WIDE_COLUMNS)
		snprintf(right, sizeof right, "%-24.24s %-8.8s %-8.8s  %9s", x.id, x.severity, x.confidence,
			x.calls ? words_counted(x.calls, "call", calls) : "no call");
	else
		snprintf(right, sizeof right, "%9s", x.calls ? words_counted(x.calls, "call", calls) : "no call");
	n = (unsigned)text_columns(right);
	sheet_text(s, row, 1, 1, mark_paint(mark), mark_sign(mark));
	sheet_text(s, row, 3, 8, PAINT_PLAIN, x.since_ns == NS_NONE ? "-" : world_clock(w, x.since_ns, clock));
	sheet_text(s, row, 12, width > n + 15 ? width - n - 15 : 10, PAINT_PLAIN, x.title);
	sheet_right(s, row, 0, width - 1, PAINT_DIM, right);
	free(incident);
}

static bool cannot_tell(struct world *w)
{
	size_t count, answered = 0, unknown = 0;
	const struct call_row *rows = world_calls(w, &count);

	for (size_t i = 0; i < count; i++) {
		answered += rows[i].answered;
		unknown += rows[i].answered && rows[i].mark == MARK_UNKNOWN;
	}
	return answered && answered == unknown;
}

/* No problem, and no call in which there could be one. */
static void draw_no_call(const struct world *w, const struct selection *sel, struct sheet *s, unsigned row)
{
	uint64_t alone = w->numbers.live ? 0 : selection_registrations_alone(sel, w->engine);
	char count[WORDS];

	if (alone)
		sheet_textf(s, row, 1, s->columns, PAINT_GOOD, "✓ no problem found in %s; no call was seen",
			words_counted(alone, "registration", count));
	else
		sheet_text(s, row, 1, s->columns, PAINT_UNKNOWN,
			w->numbers.live ? "? no call yet" : "? no call is in this capture: i says what is");
}

static void draw_problems(struct dashboard *d, struct world *w, struct sheet *s, unsigned row, unsigned shown)
{
	struct looking k = { d, w, PANE_PROBLEMS };
	struct order o = order_of_pane(&k);
	struct list *l = list_of(d, PANE_PROBLEMS);
	const struct selection *sel = world_selection(w);
	const struct numbers *now = &w->numbers;
	char left[240], right[WORDS_RANGE], news[WORDS_RANGE], n[WORDS];

	list_place(l, o.count, row + 1, 0, s->columns, shown);
	snprintf(left, sizeof left, "Problems  %s%s%s%s%s", words_count(o.count, n), now->loading ? " so far" : "",
		news_words(news_of_problems(l, w, o.count), news), now->note[0] ? "   ! " : "", now->note);
	bar_draw(s, row, 0, s->columns, left, bar_range(l, o.count, right));
	if (d->alarm_ns != NS_NONE && now->now_ns != NS_NONE && ns_minus(now->now_ns, d->alarm_ns) < ALARM_NS)
		bar_alarm(s, row, 0, s->columns);
	for (unsigned i = 0; i < shown && l->top + i < o.count; i++) {
		draw_problem(w, s, &sel->problems[o.rows[l->top + i]], row + 1 + i, s->columns);
		if (l->top + i == l->at)
			select_row(d, s, PANE_PROBLEMS, row + 1 + i, s->columns);
	}
	if (o.count == 0 && w->numbers.loading)
		sheet_text(s, row + 1, 1, s->columns, PAINT_DIM, "none so far");
	else if (o.count == 0 && sel->call_count == 0)
		draw_no_call(w, sel, s, row + 1);
	else if (o.count == 0 && cannot_tell(w))
		sheet_text(s, row + 1, 1, s->columns, PAINT_UNKNOWN,
			"? no problem found, but of no call can be told who hears whom: i says why");
	else if (o.count == 0)
		sheet_textf(s, row + 1, 1, s->columns, PAINT_GOOD, "%s",
			d->filter[0] ? "none that the filter leaves: F9 clears it" : "✓ no problem found");
}

/* ---- calls ---- */

static void calls_words(struct dashboard *d, struct world *w, const struct order *o, char *buffer, size_t room)
{
	const struct call_counts *n = world_counts(w);
	char a[WORDS], b[WORDS], c[WORDS], u[WORDS];

	if (d->filter[0])
		snprintf(buffer, room, "Calls  %s of %s   filter %s", words_count(o->count, a), words_count(o->of, b),
			d->filter);
	else if (n->up)
		snprintf(buffer, room, "Calls  %s up  %s unheard now  %s ended  %s failed", words_count(n->up, a),
			words_count(n->up_unheard, u), words_count(n->ended, b), words_count(n->failed, c));
	else
		snprintf(buffer, room, "Calls  %s  %s unheard  %s failed", words_count(n->ended, a),
			words_count(n->unheard, b), words_count(n->failed, c));
}

static void draw_calls(struct dashboard *d, struct world *w, struct sheet *s, unsigned row, unsigned shown,
	unsigned width, unsigned lanes)
{
	struct looking k = { d, w, PANE_CALLS };
	struct order o = order_of_pane(&k);
	struct list *l = list_of(d, PANE_CALLS);
	char left[INPUT_BYTES + 80 + WORDS_RANGE], right[WORDS_RANGE], news[WORDS_RANGE];
	const struct call_row *rows;
	struct call_table t;
	size_t n;

	rows = world_calls(w, &n);
	d->unfinished |= !o.complete;
	list_place(l, o.count, row + 2, 0, width, shown);
	calls_words(d, w, &o, left, sizeof left - WORDS_RANGE);
	strcat(left, news_words(news_of_calls(l, w, &o), news));
	bar_draw(s, row, 0, width, left, bar_range(l, o.count, right)[0] ? right : "unheard first, newest");
	call_table_lay(&t, w, columns_wanted, NULL, lanes, 0, width);
	call_table_head(&t, d, s, row + 1);
	for (unsigned i = 0; i < shown && l->top + i < o.count; i++) {
		call_table_row(&t, d, w, s, row + 2 + i, &rows[o.rows[l->top + i]]);
		if (l->top + i == l->at)
			select_row(d, s, PANE_CALLS, row + 2 + i, width);
	}
	if (o.count == 0)
		call_table_empty(&t, w, n, s, row + 2);
}

/* ---- streams ---- */

static void draw_stream(struct world *w, struct sheet *s, const struct stream_row *r, unsigned row, unsigned width)
{
	char src[ENDPOINT_TEXT], dst[ENDPOINT_TEXT], right[96], call[24] = "", loss[24] = "-", jitter[24] = "-";
	struct view_stream v;
	struct lane lane;
	unsigned at, cells;

	if (!view_stream(w->engine, r->index, &v))
		return;
	if (r->call)
		snprintf(call, sizeof call, "call %u", r->call);
	if (r->loss >= 0)
		snprintf(loss, sizeof loss, "%.1f %%", r->loss);
	if (r->jitter_ms >= 0)
		snprintf(jitter, sizeof jitter, "%.1f ms", r->jitter_ms < 9999 ? r->jitter_ms : 9999.0);
	snprintf(right, sizeof right, "%9s %7s %8s", call, loss, jitter);
	at = 1 +
		sheet_textf(s, row, 1, width - FIGURES, r->loss >= LOSS_WARNS_PERCENT ? PAINT_WARN : PAINT_PLAIN, "%s → %s",
			endpoint_text(&v.src, src), endpoint_text(&v.dst, dst));
	at = at < ENDS_COLUMNS && width >= WIDE_COLUMNS ? ENDS_COLUMNS : at;
	sheet_right(s, row, 0, width - 1, PAINT_PLAIN, right);
	cells = width - FIGURES > at + 1 ? width - FIGURES - at - 1 : 0;
	if (cells < STREAM_LANE)
		return;
	cells = width < WIDE_COLUMNS ? STREAM_LANE : cells;
	lane_make_stream(&lane, &v, cells);
	lane_draw(&lane, s, row, width - FIGURES - cells);
}

static void draw_streams(struct dashboard *d, struct world *w, struct sheet *s, unsigned row, unsigned shown)
{
	struct looking k = { d, w, PANE_STREAMS };
	struct order o = order_of_pane(&k);
	struct list *l = list_of(d, PANE_STREAMS);
	const struct stream_row *rows;
	size_t n;

	rows = world_streams(w, &n);
	list_place(l, o.count, row + 1, 0, s->columns, shown);
	bar_draw(s, row, 0, s->columns, "Worst streams", "arrives       call    lost   jitter");
	for (unsigned i = 0; i < shown && l->top + i < o.count; i++) {
		draw_stream(w, s, &rows[o.rows[l->top + i]], row + 1 + i, s->columns);
		if (l->top + i == l->at)
			select_row(d, s, PANE_STREAMS, row + 1 + i, s->columns);
	}
	if (o.count == 0)
		sheet_text(s, row + 1, 2, s->columns, PAINT_DIM, n ? "none that the filter leaves" : "no RTP was seen");
}

/* ---- all of it ---- */

static void vantage_words(struct world *w, struct text *ret)
{
	const struct view_capture *c = world_capture(w);

	text_addf(ret, "Seen from %s", c->seen_from ? c->seen_from : "a point that is not known");
	if (c->vantage_confidence)
		text_addf(ret, " (%s)", c->vantage_confidence);
	if (c->cannot_prove_count)
		text_addf(ret, ". Not shown: %s", c->cannot_prove[0]);
}

/* In at most so many rows. How many it took. */
static unsigned draw_vantage(struct world *w, struct sheet *s, unsigned most)
{
	unsigned rows = 0, width = s->columns - 2;
	struct text t;
	struct out o;

	text_init(&t);
	out_init(&o, -1);
	vantage_words(w, &t);
	if (most > 1 && text_columns(t.p) > width) {
		o.columns = width;
		out_paragraph(&o, 0, "", 0, PAINT_PLAIN, t.p);
		text_clear(&t);
		text_add(&t, o.text.p);
	}
	for (const char *line = t.p; rows < most && *line; rows++) {
		int n = (int)strcspn(line, "\n");

		sheet_textf(s, AREA_TOP + rows, 1, width, PAINT_PLAIN, "%.*s", n, line);
		line += n + (line[n] == '\n');
	}
	out_fini(&o);
	text_fini(&t);
	return rows;
}

/* A capture without signalling: what is left to look at are its streams. */
static bool no_call(struct world *w)
{
	size_t calls, streams;

	world_calls(w, &calls);
	world_streams(w, &streams);
	return calls == 0 && streams > 0;
}

/* How many rows each has beside its bar and heads; calls have what is left. */
struct rows_of_panes {
	unsigned problems, streams;
};

static unsigned rows_needed(const struct looking *k, unsigned pane, unsigned most)
{
	struct looking of = { k->d, k->w, pane };
	size_t n = count(&of);

	return n < 1 ? 1 : n < most ? (unsigned)n : most;
}

/*
 * Where a capture is read, problems and calls also have the rows that streams do not need, and problems those of calls.
 * Live, nothing is to move when a call comes; where a call stands beside the list, it has the rows.
 */
static struct rows_of_panes share_rows(const struct looking *k, const struct sheet *s, unsigned row)
{
	bool wide = s->columns >= WIDE_COLUMNS, high = s->rows >= HIGH_ROWS;
	unsigned most = high ? PROBLEMS_WIDE : s->rows > 24 ? 5 : PROBLEMS_LEAST, room, problems, calls, idle;
	struct rows_of_panes r = { .streams = high ? STREAMS_HIGH : s->rows >= 20 ? STREAMS_LOW : 0 };

	r.problems = rows_needed(k, PANE_PROBLEMS, most);
	if (wide || k->w->numbers.live)
		return r;
	problems = rows_needed(k, PANE_PROBLEMS, s->rows);
	calls = rows_needed(k, PANE_CALLS, s->rows);
	idle = r.streams ? r.streams - rows_needed(k, PANE_STREAMS, r.streams) : 0;
	room = area_end(s) - row - PROBLEM_HEADS - CALL_HEADS - (r.streams ? r.streams + STREAM_HEADS : 0);
	if (idle && problems + calls > room) {
		idle = problems + calls - room < idle ? problems + calls - room : idle;
		r.streams -= idle;
		room += idle;
	}
	if (room > calls + r.problems)
		r.problems = problems < room - calls ? problems : room - calls;
	return r;
}

static void draw(struct dashboard *d, struct world *w, struct sheet *s)
{
	struct looking k = { d, w, PANE_PROBLEMS };
	bool wide = s->columns >= WIDE_COLUMNS;
	unsigned row = AREA_TOP, left, width;
	struct rows_of_panes r;

	row += draw_vantage(w, s, s->rows >= 24 ? VANTAGE_ROWS : 1);
	r = share_rows(&k, s, row);
	draw_problems(d, w, s, row, r.problems);
	row += r.problems + PROBLEM_HEADS;
	if (r.streams && no_call(w))
		r.streams = area_end(s) - row - CALLS_LEAST - STREAM_HEADS;
	left = area_end(s) - row - (r.streams ? r.streams + STREAM_HEADS : 0);
	width = wide ? LIST_COLUMNS : s->columns;
	draw_calls(d, w, s, row, left > CALL_HEADS ? left - CALL_HEADS : 1, width, wide ? LANES_WIDE : LANES);
	if (wide) {
		struct looking calls = { d, w, PANE_CALLS };

		call_pane_draw(d, w, s, count(&calls) ? list_of(d, PANE_CALLS)->id : 0, row, width + 1,
			s->columns - width - 1, left);
	}
	if (r.streams)
		draw_streams(d, w, s, row + left + 1, r.streams);
	else
		list_place(list_of(d, PANE_STREAMS), 0, 0, 0, 0, 0);
}

static void open_selected(struct dashboard *d, struct world *w)
{
	struct looking k = { d, w, place_of(d)->pane };
	uint64_t what = list_of(d, k.pane)->id;
	ptrdiff_t at;

	if (count(&k) == 0)
		return;
	if (k.pane == PANE_PROBLEMS) {
		at = world_finding_find(w, what);
		if (at >= 0)
			open_problem(d, w, (size_t)at);
	} else if (k.pane == PANE_CALLS) {
		open_call(d, w, what);
	} else {
		place_open(d, VIEW_STREAMS)->lists[0].id = what;
	}
}

static void next_unheard(struct dashboard *d, struct world *w)
{
	struct looking k = { d, w, PANE_CALLS };
	struct order o = order_of_pane(&k);
	struct list *l = list_of(d, PANE_CALLS);
	size_t n;
	const struct call_row *rows = world_calls(w, &n);

	place_of(d)->pane = PANE_CALLS;
	for (size_t i = 1; i <= o.count; i++) {
		size_t at = (l->at + i) % o.count;

		if (rows[o.rows[at]].unheard) {
			list_select(l, o.count, at, id, &k);
			return;
		}
	}
	message_set(d, "no call is unheard");
}

static bool act(struct dashboard *d, struct world *w, enum action a)
{
	if (a == ACTION_OPEN)
		open_selected(d, w);
	else if (a == ACTION_NEXT_PROBLEM)
		next_unheard(d, w);
	else if (a == ACTION_MARK && place_of(d)->pane != PANE_CALLS)
		message_set(d, "calls can be marked: Tab goes there");
	else
		return false;
	return true;
}

const struct view_part part_overview = { .panes = PANES, .count = count, .id = id, .draw = draw, .act = act };
