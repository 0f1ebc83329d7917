/* SPDX-License-Identifier: MIT */
/* history_show: a run, a call or a finding of a history: the whole diagnosis again, with its evidence. */
#include "ui/history_show.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "ui/history_list.h"
#include "ui/words.h"

enum { LABEL_COLUMNS = 10, INDENT = 2 };

/* Columns of LISTING_DIAGNOSES and LISTING_EVIDENCE, LISTING_CHANGES by their places there. */
enum { DIAGNOSIS_N, DIAGNOSIS_SEVERITY, DIAGNOSIS_CONFIDENCE, DIAGNOSIS_ID, DIAGNOSIS_REASON, DIAGNOSIS_TITLE,
	DIAGNOSIS_CAUSE, DIAGNOSIS_FIX,
       DIAGNOSIS_CANNOT_SEE, DIAGNOSIS_FIRST, DIAGNOSIS_LAST, DIAGNOSIS_CALLS, DIAGNOSIS_STATE,
       DIAGNOSIS_EXPLAINED_BY };
enum { EVIDENCE_FRAME, EVIDENCE_LAST_FRAME, EVIDENCE_AT, EVIDENCE_WHAT };
enum { CHANGE_FIELD, CHANGE_BEFORE, CHANGE_AFTER };

struct showing {
	struct store *store;
	struct out *out;
	enum history_form form;
	struct listing_filter filter;
	struct err *err;
};

static bool record_parse(const char *text, struct listing_filter *f)
{
	struct span rest = span_of(text), run;
	uint64_t n, part = 0;
	bool finding;

	if (!span_split(&rest, '/', &run) || !span_number(run, INT64_MAX, &n) || n == 0)
		return false;
	f->run = (int64_t)n;
	finding = rest.n && rest.p[0] == 'f';
	if (finding)
		rest = span_from(rest, 1);
	if (run.n == strlen(text))
		return true;
	if (!span_number(rest, INT64_MAX, &part) || part == 0)
		return false;
	*(finding ? &f->finding : &f->call) = (int64_t)part;
	return true;
}

static void add_value(struct text *t, const struct query *q, unsigned column)
{
	struct value v = query_value(q, column);

	if (v.kind == VALUE_TEXT)
		history_text(t, v.text);
	else if (v.kind == VALUE_INTEGER)
		text_addf(t, "%" PRId64, v.integer);
	else
		text_add(t, "-");
}

static void paragraph(const struct showing *g, const char *label, const struct query *q, unsigned column)
{
	struct text t;

	text_init(&t);
	if (query_value(q, column).kind == VALUE_TEXT)
		add_value(&t, q, column);
	if (t.n)
		out_paragraph(g->out, INDENT, label, LABEL_COLUMNS, PAINT_HEAD, t.p);
	text_fini(&t);
}

static void evidence_line(const struct showing *g, const struct query *q, bool first)
{
	struct value at = query_value(q, EVIDENCE_AT), last = query_value(q, EVIDENCE_LAST_FRAME);
	char clock[NS_TEXT];
	struct text t;

	text_init(&t);
	if (query_value(q, EVIDENCE_FRAME).kind == VALUE_INTEGER) {
		text_add(&t, "frame ");
		add_value(&t, q, EVIDENCE_FRAME);
		if (last.kind == VALUE_INTEGER && last.integer != query_value(q, EVIDENCE_FRAME).integer)
			text_addf(&t, "-%" PRId64, last.integer);
		text_addf(&t, ", %s: ", at.kind == VALUE_INTEGER ? ns_clock(at.integer, 3, clock) : "?");
	}
	add_value(&t, q, EVIDENCE_WHAT);
	out_paragraph(g->out, INDENT, first ? "Evidence" : "", LABEL_COLUMNS, PAINT_HEAD, t.p);
	text_fini(&t);
}

static void change_line(const struct showing *g, const struct query *q, bool first)
{
	struct text t;

	text_init(&t);
	add_value(&t, q, CHANGE_FIELD);
	text_add(&t, ": ");
	add_value(&t, q, CHANGE_BEFORE);
	text_add(&t, " → ");
	add_value(&t, q, CHANGE_AFTER);
	out_paragraph(g->out, INDENT, first ? "Changed" : "", LABEL_COLUMNS, PAINT_HEAD, t.p);
	text_fini(&t);
}

/* The records that belong to a finding, a line each. */
static bool lines_of(const struct showing *g, enum listing listing, int64_t finding,
	void (*line)(const struct showing *, const struct query *, bool))
{
	struct listing_filter f = { .run = g->filter.run, .finding = finding };
	struct query *q;

	if (g->form == HISTORY_JSON) {
		size_t count;

		return history_list(g->store, listing, &f, 0, g->form, g->out, &count, g->err);
	}
	q = query_new(g->store, listing, &f, g->err);
	if (!q)
		return false;
	for (bool first = true; query_next(q, g->err); first = false)
		line(g, q, first);
	query_free(q);
	return g->err->code == ERR_OK;
}

static void diagnosis_head(const struct showing *g, const struct query *q)
{
	struct value first = query_value(q, DIAGNOSIS_FIRST), by = query_value(q, DIAGNOSIS_EXPLAINED_BY);
	char moment[WORDS];
	struct text t;

	out_text(g->out, "\n");
	text_init(&t);
	add_value(&t, q, DIAGNOSIS_TITLE);
	out_paragraph(g->out, 0, "", 0, PAINT_HEAD, t.p);
	text_clear(&t);
	text_addf(&t, "%" PRId64 "/f", g->filter.run);
	for (unsigned i = DIAGNOSIS_N; i <= DIAGNOSIS_REASON; i++) {
		add_value(&t, q, i);
		text_add(&t, i < DIAGNOSIS_REASON ? "  " : "");
	}
	if (first.kind == VALUE_INTEGER)
		text_addf(&t, "  %s", words_minute(first.integer, moment));
	if (by.kind == VALUE_INTEGER)
		text_addf(&t, "  explained by %" PRId64 "/f%" PRId64, g->filter.run, by.integer);
	out_paragraph(g->out, INDENT, "", 0, PAINT_DIM, t.p);
	text_fini(&t);
	paragraph(g, "Cause", q, DIAGNOSIS_CAUSE);
	paragraph(g, "Fix", q, DIAGNOSIS_FIX);
	paragraph(g, "Not seen", q, DIAGNOSIS_CANNOT_SEE);
}

static bool show_diagnoses(const struct showing *g)
{
	struct query *q = query_new(g->store, LISTING_DIAGNOSES, &g->filter, g->err);
	bool good = q != NULL;

	while (good && query_next(q, g->err)) {
		int64_t n = query_value(q, DIAGNOSIS_N).integer;

		if (g->form == HISTORY_TABLE)
			diagnosis_head(g, q);
		good = lines_of(g, LISTING_CHANGES, n, change_line) && lines_of(g, LISTING_EVIDENCE, n, evidence_line);
	}
	query_free(q);
	return good && g->err->code == ERR_OK;
}

static bool list(const struct showing *g, enum listing listing)
{
	size_t count;

	return history_list(g->store, listing, &g->filter, 0, g->form, g->out, &count, g->err);
}

static bool is_there(const struct showing *g)
{
	struct listing_filter f = g->filter;
	struct query *q;
	bool there;

	f.all = true;
	q = query_new(g->store, f.finding ? LISTING_DIAGNOSES : f.call ? LISTING_CALLS : LISTING_RUNS, &f, g->err);
	there = q && query_next(q, g->err);
	query_free(q);
	return there;
}

static void gap(const struct showing *g)
{
	if (g->form == HISTORY_TABLE)
		out_text(g->out, "\n");
}

static bool show_call(const struct showing *g)
{
	gap(g);
	if (!list(g, LISTING_CALLS))
		return false;
	gap(g);
	return list(g, LISTING_DIRECTIONS);
}

static bool show_parts(struct showing *g)
{
	const struct listing_filter run = { .run = g->filter.run };
	size_t count;

	if (!history_list(g->store, LISTING_RUNS, &run, 0, g->form, g->out, &count, g->err))
		return false;
	if (g->filter.call && !show_call(g))
		return false;
	/* of a run its problems; of what was asked for by name, everything */
	g->filter.all = g->filter.call || g->filter.finding;
	if (g->form == HISTORY_JSON && !list(g, LISTING_DIAGNOSES))
		return false;
	return show_diagnoses(g);
}

enum err_code history_show(struct store *s, const struct history_options *options, struct out *o, struct err *err)
{
	struct showing g = { .store = s, .out = o, .form = options->form, .err = err };
	char shown[80];

	if (!options->record || !record_parse(options->record, &g.filter))
		return err_set(err, ERR_USAGE,
		       "history show: which? 92 is a run, 92/4 its fourth call, 92/f3 its third finding");
	if (g.form == HISTORY_CSV)
		return err_set(err, ERR_USAGE, "history show: CSV has no place for several kinds of records: --json");
	err->code = ERR_OK;
	if (!is_there(&g))
		return err->code != ERR_OK ? err->code : err_set(err, ERR_USAGE,
		       "history show %s: there is no such record",
		       text_escape(span_of(options->record), shown, sizeof shown));
	show_parts(&g);
	return err->code;
}
