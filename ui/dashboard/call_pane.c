/* SPDX-License-Identifier: MIT */
/*
 * call_pane: title, sentence, time axis, signalling, lanes; and below, where there is room, findings, proof and a
 * message.
 */
#include "ui/dashboard/call_pane.h"

#include <stdio.h>
#include <stdlib.h>

#include "captures/base/memory.h"
#include "ui/dashboard/lane.h"
#include "ui/dashboard/page.h"
#include "ui/hears.h"
#include "ui/words.h"

enum { LABEL_COLUMNS_OF_LANE = 17, WORDS_BEHIND_LANE = 20, CALL_HEAD_ROWS = 7, ROWS_FOR_LEVELS = 20 };

struct span_of_time {
	int64_t from_ns, to_ns;
};

static struct span_of_time call_time(struct world *w, const struct view_call *c)
{
	int64_t last_ns = world_capture(w)->last_ns;
	struct span_of_time t = { c->start_ns, c->end_ns != NS_NONE ? c->end_ns : last_ns };

	if (t.from_ns == NS_NONE)
		t.from_ns = c->answer_ns != NS_NONE ? c->answer_ns : last_ns;
	if (t.to_ns == NS_NONE || t.to_ns <= t.from_ns)
		t.to_ns = ns_add(t.from_ns, SECOND_NS);
	return t;
}

static const char *codec_of(const struct view_call *c)
{
	for (unsigned i = 0; i < c->media_count; i++)
		if (c->media[i].codec && c->media[i].kind && strcmp(c->media[i].kind, "audio") == 0)
			return c->media[i].codec;
	return "";
}

static void draw_title(struct world *w, struct sheet *s, const struct call_row *r, const struct view_call *c,
	unsigned row, unsigned column, unsigned width)
{
	char from[PARTY_BYTES], to[PARTY_BYTES], length[NS_TEXT];
	struct text t, right;

	(void)w;
	text_init(&t);
	text_init(&right);
	text_addf(&t, "Call %u  %s → %s  %s", c->n, party_text(c->from, "the caller", from),
		party_text(c->to, "the callee", to), state_words(r->state, r->up));
	if (c->status >= 300)
		text_addf(&t, " %u", c->status);
	if (c->setup_ms >= 0)
		text_addf(&t, "   setup %.1f s", c->setup_ms / 1000);
	if (r->talk_s >= 0)
		text_addf(&t, "   talk %s", ns_duration((int64_t)(r->talk_s * SECOND_NS), length));
	text_add(&right, codec_of(c));
	bar_draw(s, row, column, width, t.p, right.p);
	text_fini(&right);
	text_fini(&t);
}

/* Who hears whom, in words. */
static void hearing_words(const struct view_call *c, unsigned hearer, struct text *t)
{
	enum heard heard = hearer == 0 ? c->caller_hears : c->callee_hears;
	double mos = hearer == 0 ? c->caller_mos : c->callee_mos;
	char a[PARTY_BYTES], b[PARTY_BYTES];
	const char *me = party_text(hearer == 0 ? c->from : c->to, hearer == 0 ? "the caller" : "the callee", a);
	const char *other = party_text(hearer == 0 ? c->to : c->from, hearer == 0 ? "the callee" : "the caller", b);

	switch (heard) {
	case HEARD_YES: text_addf(t, "✓ %s hears %s", me, other); break;
	case HEARD_POOR: text_addf(t, "! %s hears %s badly", me, other); break;
	case HEARD_NO:
		text_addf(t, "✗ %s hears nothing%s", me, hears_until(c, hearer) == NS_NONE ? "" : " any more");
		break;
	case HEARD_UNKNOWN:
		text_addf(t,
			hears_invisible(c, hearer) ? "? not visible whether %s hears"
						   : "· %s is sent audio, arrival not visible",
			me);
		break;
	case HEARD_NOT_EXPECTED: return;
	}
	if (mos >= 0 && heard != HEARD_NO)
		text_addf(t, ", MOS %.1f", mos < 5 ? mos : 5.0);
}

static void draw_sentences(struct sheet *s, const struct view_call *c, unsigned row, unsigned column, unsigned width)
{
	unsigned at = column + 1;

	for (unsigned hearer = 0; hearer < 2; hearer++) {
		struct text t;

		text_init(&t);
		hearing_words(c, hearer, &t);
		at += sheet_text(
			s, row, at, column + width > at ? column + width - at : 0, hears_paint(c, hearer), t.p);
		at += t.n ? 3 : 0;
		text_fini(&t);
	}
	if (at == column + 1)
		sheet_text(s, row, at, width, PAINT_DIM,
			c->answer_ns == NS_NONE ? "not answered: nobody was to be heard" : "no audio was agreed");
}

static void draw_axis(struct sheet *s, const struct span_of_time *t, unsigned row, unsigned at, unsigned cells)
{
	char clock[NS_TEXT], length[NS_TEXT];

	sheet_text(s, row, at, cells, PAINT_DIM, ns_clock(t->from_ns, 0, clock));
	sheet_right(s, row, at, cells, PAINT_DIM, ns_clock(t->to_ns, 0, clock));
	if (cells > 40)
		sheet_textf(
			s, row, at + cells / 2 - 6, 14, PAINT_DIM, "%s", ns_duration(t->to_ns - t->from_ns, length));
}

/* I INVITE, R ringing, A answer, E early media, H re-INVITE, T transfer, C CANCEL, B BYE, X refused. */
static char letter_of(const struct view_message *m, bool answered)
{
	if (m->status >= 180 && m->status <= 189 && span_equal(m->method, SPAN("INVITE")))
		return m->sdp ? 'E' : 'R';
	if (m->status >= 200 && m->status <= 299 && span_equal(m->method, SPAN("INVITE")))
		return answered ? '\0' : 'A';
	if (m->status >= 300 && m->status != 401 && m->status != 407 && m->status != 487 &&
		span_equal(m->method, SPAN("INVITE")))
		return 'X';
	if (m->status)
		return '\0';
	if (span_equal(m->method, SPAN("INVITE")))
		return answered ? 'H' : 'I';
	return span_equal(m->method, SPAN("BYE"))       ? 'B'
		: span_equal(m->method, SPAN("CANCEL")) ? 'C'
		: span_equal(m->method, SPAN("REFER"))  ? 'T'
							: '\0';
}

static unsigned cell_of(const struct span_of_time *t, unsigned cells, int64_t at_ns)
{
	double share = (double)(at_ns - t->from_ns) / (double)(t->to_ns - t->from_ns);

	return share <= 0 ? 0 : share >= 1 ? cells - 1 : (unsigned)(share * (cells - 1));
}

static void draw_signalling(struct world *w, struct sheet *s, const struct call_row *r, const struct span_of_time *t,
	unsigned row, unsigned at, unsigned cells)
{
	struct view_message m;
	bool answered = false;
	unsigned next = 0;

	for (size_t i = 0; view_message(w->engine, r->index, i, &m); i++) {
		char letter = m.copy || m.retransmission || m.leg ? '\0' : letter_of(&m, answered);
		unsigned cell = cell_of(t, cells, m.at_ns);

		answered |= letter == 'A';
		if (!letter)
			continue;
		cell = cell < next ? next : cell;
		if (cell >= cells)
			return;
		sheet_textf(s, row, at + cell, 1, letter == 'X' ? PAINT_BAD : PAINT_HEAD, "%c", letter);
		next = cell + 1;
	}
}

/* The lane of a side, and below it its level. The first row behind. */
static unsigned draw_lane(struct world *w, struct sheet *s, const struct view_call *c, unsigned hearer,
	const struct span_of_time *t, unsigned row, unsigned column, unsigned cells)
{
	struct lane *lane = memory_zalloc(sizeof *lane);
	char words[HEARS_TEXT], count[WORDS], clock[NS_TEXT];

	sheet_text(
		s, row, column + 1, LABEL_COLUMNS_OF_LANE, PAINT_PLAIN, hearer == 0 ? "caller hears" : "callee hears");
	lane_make(lane, w, c, hearer, t->from_ns, t->to_ns, cells);
	lane_draw(lane, s, row, column + LABEL_COLUMNS_OF_LANE);
	if (hears_until(c, hearer) != NS_NONE)
		sheet_textf(s, row, column + LABEL_COLUMNS_OF_LANE + cells + 1, WORDS_BEHIND_LANE, PAINT_BAD,
			"✗ since %s", world_clock(w, hears_until(c, hearer), clock));
	else if ((hearer == 0 ? c->caller_hears : c->callee_hears) == HEARD_NO)
		sheet_textf(s, row, column + LABEL_COLUMNS_OF_LANE + cells + 1, WORDS_BEHIND_LANE, PAINT_BAD,
			"✗ 0 of %s", words_count(hears_packets(c, hearer), count));
	else
		sheet_text(s, row, column + LABEL_COLUMNS_OF_LANE + cells + 1, WORDS_BEHIND_LANE,
			hears_paint(c, hearer), hears_cell(c, hearer, words));
	row++;
	if (s->rows >= ROWS_FOR_LEVELS && lane_draw_level(lane, s, row, column + LABEL_COLUMNS_OF_LANE)) {
		sheet_text(s, row, column + 1, LABEL_COLUMNS_OF_LANE, PAINT_DIM, "  level");
		sheet_text(s, row++, column + LABEL_COLUMNS_OF_LANE + cells + 1, WORDS_BEHIND_LANE, PAINT_DIM,
			lane_level_words(lane));
	}
	free(lane);
	return row;
}

/* Below the lanes: when the worst of the call's problems began. */
static void draw_since(struct world *w, struct sheet *s, const struct view_call *c, const struct span_of_time *t,
	unsigned row, unsigned at, unsigned cells)
{
	const struct selection *sel = world_selection(w);
	const struct view_finding *f;
	ptrdiff_t worst = SELECTION_NONE;
	char clock[NS_TEXT];
	int64_t since_ns;
	unsigned cell;

	for (unsigned i = 0; i < c->finding_count; i++) {
		ptrdiff_t x = selection_finding(sel, c->findings[i]);

		if (x != SELECTION_NONE && sel->findings[x].problem &&
			(worst == SELECTION_NONE || sel->findings[x].rank > sel->findings[worst].rank))
			worst = x;
	}
	f = worst == SELECTION_NONE ? NULL : world_view_finding(w, (size_t)worst);
	if (!f)
		return;
	since_ns = f->since_ns != NS_NONE ? f->since_ns : f->first_ns;
	if (since_ns == NS_NONE)
		return;
	cell = cell_of(t, cells, since_ns);
	sheet_text(s, row, at - LABEL_COLUMNS_OF_LANE + 1, LABEL_COLUMNS_OF_LANE - 1, PAINT_DIM, "  finding");
	if (cell + 40 < cells || cell < cells / 2)
		sheet_textf(s, row, at + cell, cells - cell + WORDS_BEHIND_LANE, PAINT_WARN, "└ %s %s",
			ns_clock(since_ns, 3, clock), f->id);
	else
		sheet_right(s, row, at, cell + 1, PAINT_WARN, ns_clock(since_ns, 3, clock));
}

unsigned call_head_draw(struct dashboard *d, struct world *w, struct sheet *s, uint64_t call, unsigned row,
	unsigned column, unsigned width)
{
	const struct call_row *r = world_call(w, call);
	unsigned at = column + LABEL_COLUMNS_OF_LANE,
		 cells = width > LABEL_COLUMNS_OF_LANE + WORDS_BEHIND_LANE + 10
		? width - LABEL_COLUMNS_OF_LANE - WORDS_BEHIND_LANE
		: 10;
	struct view_call *c;
	struct span_of_time t;

	(void)d;
	if (cells > LANE_CELLS_MAX)
		cells = LANE_CELLS_MAX;
	if (!r)
		return row + CALL_HEAD_ROWS;
	c = memory_zalloc(sizeof *c);
	if (view_call(w->engine, r->index, c)) {
		t = call_time(w, c);
		draw_title(w, s, r, c, row, column, width);
		draw_sentences(s, c, row + 1, column, width);
		draw_axis(s, &t, row + 2, at, cells);
		sheet_text(s, row + 3, column + 1, LABEL_COLUMNS_OF_LANE, PAINT_PLAIN, "signalling");
		draw_signalling(w, s, r, &t, row + 3, at, cells);
		row = draw_lane(w, s, c, 0, &t, row + 4, column, cells);
		row = draw_lane(w, s, c, 1, &t, row, column, cells);
		draw_since(w, s, c, &t, row++, at, cells);
	}
	free(c);
	return row;
}

/* ---- a message ---- */

void message_draw(struct world *w, struct sheet *s, uint64_t call, uint64_t message, uint64_t before, unsigned row,
	unsigned column, unsigned width, unsigned rows)
{
	struct view_message m, other;
	struct text t;

	if (!message_get(w, call, message, &m))
		return;
	if (!message_get(w, call, before, &other))
		other = m;
	text_init(&t);
	for (struct span left = m.raw; left.n && rows; rows--, row++) {
		size_t n = span_find(left, '\n');
		struct span line = span_first(left, n);

		if (line.n && line.p[line.n - 1] == '\r')
			line.n--;
		text_clear(&t);
		text_add(&t, message_says(&other, line) ? "" : "≠");
		text_add_escaped(&t, line);
		sheet_text(s, row, column, width,
			!message_says(&other, line) ? PAINT_WARN
				: left.p == m.raw.p ? PAINT_HEAD
						    : PAINT_PLAIN,
			t.p);
		left = n < left.n ? span_from(left, n + 1) : (struct span){ NULL, 0 };
	}
	text_fini(&t);
}

/* ---- beside a list ---- */

static unsigned draw_finding(struct dashboard *d, struct world *w, struct sheet *s, size_t at, uint64_t call,
	unsigned row, unsigned end, unsigned column, unsigned width)
{
	const struct selected_finding *x = &world_selection(w)->findings[at];
	const struct view_finding *f = world_view_finding(w, at);
	struct page p = { .key = 0 };
	enum call_mark mark = rank_mark(x->rank);

	(void)d;
	if (!f || row >= end)
		return row;
	sheet_text(s, row, column + 1, 1, mark_paint(mark), mark_sign(mark));
	sheet_text(s, row++, column + 3, width - 3, PAINT_HEAD, f->title ? f->title : "");
	page_add_evidence(&p, w, f, call, width > 4 ? width - 2 : width);
	for (size_t i = 0; i < p.count; i++) {
		unsigned right = p.lines[i].right ? (unsigned)text_columns(p.lines[i].right) : 0;

		if (row < end) {
			sheet_text(s, row, column + 3, width > right + 5 ? width - right - 5 : 0, PAINT_PLAIN,
				p.lines[i].text);
			sheet_right(s, row++, column, width, PAINT_DIM, p.lines[i].right ? p.lines[i].right : "");
		}
		free(p.lines[i].text);
		free(p.lines[i].right);
	}
	free(p.lines);
	return row;
}

/* The message that the first proof names, else the first of the call. */
static uint64_t telling_message(struct world *w, const struct view_call *c, uint64_t call)
{
	const struct selection *sel = world_selection(w);

	for (unsigned i = 0; i < c->finding_count; i++) {
		ptrdiff_t at = selection_finding(sel, c->findings[i]);
		const struct view_finding *f =
			at == SELECTION_NONE || !sel->findings[at].problem ? NULL : world_view_finding(w, (size_t)at);

		for (unsigned j = 0; f && j < f->evidence_count; j++) {
			uint64_t m = f->evidence[j].frame
				? message_at(w, call, f->evidence[j].file, f->evidence[j].frame)
				: 0;

			if (m)
				return m;
		}
	}
	return message_at(w, call, 0, 0);
}

void call_pane_draw(struct dashboard *d, struct world *w, struct sheet *s, uint64_t call, unsigned row, unsigned column,
	unsigned width, unsigned rows)
{
	const struct call_row *r = world_call(w, call);
	unsigned end = row + rows, findings_end = row + rows * 3 / 5;
	struct view_call *c;

	for (unsigned i = row; i < end; i++)
		sheet_text(s, i, column - 1, 1, PAINT_DIM, "│");
	if (!r)
		return;
	c = memory_zalloc(sizeof *c);
	if (view_call(w->engine, r->index, c)) {
		row = call_head_draw(d, w, s, call, row, column, width) + 1;
		for (unsigned i = 0; i < c->finding_count; i++) {
			ptrdiff_t at = selection_finding(world_selection(w), c->findings[i]);

			if (at != SELECTION_NONE && world_selection(w)->findings[at].problem)
				row = draw_finding(d, w, s, (size_t)at, call, row, findings_end, column, width) + 1;
		}
		if (row < end)
			message_draw(w, s, call, telling_message(w, c, call), 0, row, column + 1, width - 2, end - row);
	}
	free(c);
}
