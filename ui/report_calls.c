/* SPDX-License-Identifier: MIT */
/* report_calls: the table of calls, and the line that stands for those it leaves out. */
#include "ui/report_part.h"

#include <stdio.h>
#include <stdlib.h>

#include "captures/base/memory.h"
#include "ui/hears.h"
#include "ui/table.h"
#include "ui/words.h"

enum { ALL_LISTED = 20, ROWS_SHOWN = 200 };

/* First to go where it is narrow: codec, jitter, loss, start, talk. */
static const struct table_column narrow[] = {
	{ "", false, 1, 0, 0 },	      { "#", true, 1, 0, 0 },	   { "start", false, 1, 0, 4 },	      { "from", false,
	  2, 12, 0 },
	{ "to", false, 2, 12, 0 },    { "state", false, 2, 0, 0 },
	  { "talk", true, 2, 0, 5 },	      { "caller hears", false, 2, 0, 0 },
	{ "callee hears", false, 2, 0, 0 },
};
static const struct table_column wide[] = {
	{ "", false, 1, 0, 0 },	      { "#", true, 1, 0, 0 },	   { "start", false, 1, 0, 4 },	      { "from", false,
	  2, 12, 0 },
	{ "to", false, 2, 12, 0 },    { "state", false, 2, 0, 0 },
	  { "talk", true, 2, 0, 5 },	      { "caller hears", false, 2, 0, 0 },
	{ "callee hears", false, 2, 0, 0 }, { "codec", false, 2, 0, 1 }, { "loss", true, 2, 0, 3 },
	  { "jitter ms", true, 2, 0, 2 },
	{ "problem", false, 2, 0, 6 },
};

static const char *row_mark(const struct selected_call *s, enum paint *ret_paint)
{
	if (s->affected) {
		*ret_paint = s->worst > RANK_WARNING ? PAINT_BAD : PAINT_WARN;
		return s->worst > RANK_WARNING ? "✗" : "!";
	}
	if (s->invisible) {
		*ret_paint = PAINT_UNKNOWN;
		return "?";
	}
	if (s->answered && s->poor) {
		*ret_paint = PAINT_WARN;
		return "!";
	}
	*ret_paint = PAINT_GOOD;
	if (s->answered && (s->both_ways || s->as_agreed))
		return "✓";
	*ret_paint = PAINT_DIM;
	return "·";
}

/* "PCMA"; the two directions' where they differ: "PCMA/G729". */
static void cell_codec(struct table *t, const struct view_call *c)
{
	const char *first = NULL, *second = NULL;
	char text[64];

	for (unsigned i = 0; i < c->media_count; i++) {
		const struct view_direction *d = &c->media[i];

		if (!d->codec || !d->kind || strcmp(d->kind, "audio") != 0)
			continue;
		if (!first)
			first = d->codec;
		else if (strcmp(first, d->codec) != 0)
			second = d->codec;
	}
	snprintf(text, sizeof text, "%.24s%s%.24s", first ? first : "-", second ? "/" : "", second ? second : "");
	table_cell(t, PAINT_PLAIN, text);
}

static double heard_figure(const struct view_call *c, unsigned hearer, bool loss)
{
	double worst = -1;

	for (unsigned i = 0; i < c->media_count; i++) {
		const struct view_direction *d = &c->media[i];
		double value = loss ? d->loss_percent : d->jitter_ms;

		if (d->sender != hearer && d->kind && strcmp(d->kind, "audio") == 0 && value > worst)
			worst = value;
	}
	return worst;
}

/* Two figures, what the caller gets and what the callee gets. */
static void cell_figures(struct table *t, const struct view_call *c, bool loss)
{
	char text[64] = "";

	for (unsigned hearer = 0; hearer < 2; hearer++) {
		double value = heard_figure(c, hearer, loss);
		size_t at = strlen(text);

		if (loss && (hearer == 0 ? c->caller_hears : c->callee_hears) == HEARD_NO)
			snprintf(text + at, sizeof text - at, "%s%5s ", hearer ? " " : "", "all");
		else if (value < 0)
			snprintf(text + at, sizeof text - at, "%s%*s", hearer ? " " : "", loss ? 6 : 5,
				loss ? "- " : "-");
		else
			snprintf(text + at, sizeof text - at, loss ? "%s%4.1f %%" : "%s%5.1f", hearer ? " " : "",
				value < 9999 ? value : 9999.0);
	}
	table_cell(t, PAINT_PLAIN, text);
}

static void cell_problem(struct table *t, const struct report *r, const struct view_call *c)
{
	const struct selected_finding *worst = NULL;

	for (unsigned i = 0; i < c->finding_count; i++) {
		ptrdiff_t at = selection_finding(r->selection, c->findings[i]);
		const struct selected_finding *f;

		if (at == SELECTION_NONE)
			continue;
		f = &r->selection->findings[selection_root(r->selection, (size_t)at)];
		if (f->problem && (!worst || f->rank > worst->rank))
			worst = f;
	}
	table_cell(t, PAINT_PLAIN, worst ? worst->id : "");
}

static void cell_party(struct table *t, const struct view_call *c, unsigned party, bool with_address)
{
	const struct address *at = party == 0 ? &c->from_at.addr : &c->to_at.addr;
	char number[PARTY_TEXT], addr[ADDRESS_TEXT], text[PARTY_TEXT + ADDRESS_TEXT];

	report_number(c, party, number);
	if (!with_address || !address_known(at)) {
		table_cell(t, PAINT_PLAIN, number);
		return;
	}
	snprintf(text, sizeof text, "%s %s", number, address_text(at, addr));
	table_cell(t, PAINT_PLAIN, text);
}

/* "0:42+": the capture ends first. */
static void cell_talk(struct table *t, const struct view_call *c, int64_t last_ns)
{
	char length[NS_TEXT], text[NS_TEXT + 1];
	bool open = c->end_ns == NS_NONE;

	if (c->answer_ns == NS_NONE || (open && last_ns == NS_NONE)) {
		table_cell(t, PAINT_PLAIN, "-");
		return;
	}
	ns_duration(ns_minus(open ? last_ns : c->end_ns, c->answer_ns), length);
	snprintf(text, sizeof text, "%s%s", length, open ? "+" : "");
	table_cell(t, PAINT_PLAIN, text);
}

/* "ended", "failed 503" */
static void cell_state(struct table *t, const struct view_call *c)
{
	char text[WORDS];

	if (c->state && c->status && strcmp(c->state, "failed") == 0)
		snprintf(text, sizeof text, "failed %u", c->status);
	else
		snprintf(text, sizeof text, "%s", c->state ? c->state : "unknown");
	table_cell(t, PAINT_PLAIN, text);
}

struct call_rows {
	struct table *t;
	const struct report *r;
	int64_t last_ns;             /* of the capture; NS_NONE: its frames have no times */
	bool is_wide;
};

static void row_add(const struct call_rows *rows, const struct selected_call *s, const struct view_call *c)
{
	char number[16], clock[NS_TEXT], hears[HEARS_TEXT];
	struct table *t = rows->t;
	enum paint paint;
	const char *mark = row_mark(s, &paint);

	table_cell(t, paint, mark);
	snprintf(number, sizeof number, "%u", c->n);
	table_cell(t, PAINT_PLAIN, number);
	table_cell(t, PAINT_PLAIN, c->start_ns == NS_NONE ? "-" : ns_clock(c->start_ns, 0, clock));
	cell_party(t, c, 0, rows->is_wide);
	cell_party(t, c, 1, false);
	cell_state(t, c);
	cell_talk(t, c, rows->last_ns);
	for (unsigned hearer = 0; hearer < 2; hearer++)
		table_cell(t, hears_paint(c, hearer), hears_cell(c, hearer, hears));
	if (!rows->is_wide)
		return;
	cell_codec(t, c);
	cell_figures(t, c, true);
	cell_figures(t, c, false);
	cell_problem(t, rows->r, c);
}

static int64_t capture_end(const struct report *r)
{
	struct view_capture *capture = memory_zalloc(sizeof *capture);
	int64_t last_ns;

	view_capture(r->engine, capture);
	last_ns = capture->untimed ? NS_NONE : capture->last_ns;
	free(capture);
	return last_ns;
}

/* The table alone: what is selected, or what is affected only. */
static void call_table(const struct report *r, bool affected_only, size_t most)
{
	bool is_wide = r->out->columns >= COLUMNS_WIDE;
	struct table *t = is_wide ? table_new(wide, sizeof wide / sizeof wide[0]) : table_new(narrow,
		sizeof narrow / sizeof narrow[0]);
	struct call_rows rows = { t, r, capture_end(r), is_wide };
	struct view_call *c = memory_zalloc(sizeof *c);
	size_t more = 0;
	char text[96], count[WORDS];

	for (size_t i = 0; i < r->selection->call_count; i++) {
		const struct selected_call *s = &r->selection->calls[i];

		if (!s->shown || (affected_only && !s->affected))
			continue;
		if (table_rows(t) >= most)
			more++;
		else if (view_call(r->engine, i, c))
			row_add(&rows, s, c);
	}
	table_print(t, r->out, 0, true);
	if (more) {
		snprintf(text, sizeof text, "  and %s: -v, --json or --filter list them\n",
			words_counted(more, "more call", count));
		out_text(r->out, text);
	}
	free(c);
	table_free(t);
}

/* One line for the calls that are not listed. */
static void add_rest(struct text *t, const struct report *r)
{
	size_t rest = 0, both = 0, one_way = 0, silent = 0, unanswered = 0, invisible = 0, failed = 0, open = 0;
	char count[WORDS];

	for (size_t i = 0; i < r->selection->call_count; i++) {
		const struct selected_call *s = &r->selection->calls[i];

		if (s->affected)
			continue;
		if (!s->answered && s->state && strcmp(s->state, "unknown") == 0) {
			open++;
			continue;
		}
		rest++;
		failed += !s->answered && s->state && strcmp(s->state, "failed") == 0;
		if (!s->answered)
			unanswered++;
		else if (s->invisible)
			invisible++;
		else if (s->both_ways)
			both++;
		else if (s->as_agreed)
			one_way++;
		else
			silent++;
	}
	/* what failed, cannot be seen or came to nothing is not called healthy */
	text_addf(t, "%s %s: ", words_count(rest, count),
		failed || invisible || silent ? "without a finding" : "healthy");
	text_addf(t, "%s with audio both ways", words_count(both, count));
	if (invisible)
		text_addf(t, ", %s not visible (?)", words_count(invisible, count));
	if (one_way)
		text_addf(t, ", %s one way or held", words_count(one_way, count));
	if (silent)
		text_addf(t, ", %s without audio that was due", words_count(silent, count));
	if (unanswered)
		text_addf(t, ", %s not answered", words_count(unanswered, count));
	if (open)
		text_addf(t, "; %s without any outcome here", words_count(open, count));
}

static void calls_summary(const struct report *r, size_t affected)
{
	char count[WORDS];
	struct text t;

	text_init(&t);
	if (affected)
		text_addf(&t, "%s affected, listed; ", words_count(affected, count));
	add_rest(&t, r);
	if (!affected)
		text_add(&t, "; -v lists them");
	out_text(r->out, "\n");
	out_paragraph(r->out, 0, "Calls", LABEL_COLUMNS, PAINT_HEAD, t.p);
	text_fini(&t);
	if (affected)
		call_table(r, true, ROWS_SHOWN);
}

void report_calls(const struct report *r)
{
	size_t shown = 0, affected = 0;

	for (size_t i = 0; i < r->selection->call_count; i++) {
		shown += r->selection->calls[i].shown;
		affected += r->selection->calls[i].affected;
	}
	if (r->selection->call_count == 0)
		return;
	if (!r->selection->narrowed && !r->verbose && shown > ALL_LISTED) {
		calls_summary(r, affected);
		return;
	}
	out_text(r->out, "\n");
	out_paint(r->out, PAINT_HEAD, "Calls");
	if (r->selection->narrowed)
		out_textf(r->out, "     %zu of %zu", shown, r->selection->call_count);
	out_text(r->out, "\n");
	if (shown)
		call_table(r, false, r->verbose ? SIZE_MAX : ROWS_SHOWN);
}
