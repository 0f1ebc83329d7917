/* SPDX-License-Identifier: MIT */
/* view_history: what was kept of earlier captures: problems over all runs, runs, days; a record opens as it was. */
#include "ui/dashboard/page.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "captures/base/memory.h"
#include "ui/history_compare.h"
#include "ui/history_options.h"
#include "ui/history_show.h"
#include "ui/words.h"

enum {
	RECORDS_SHOWN = 500,
	RUNS_OF_TREND = 5000,
	DAYS_MOST = 400,
	WAIT_MS = 200,
	TREND_COLUMNS = 20,
	PATH_BYTES = 4096
};

/* The history that is kept, else the user's own. False: there is none. */
static bool history_path(const struct world *w, char path[PATH_BYTES])
{
	FILE *f;

	if (w->history)
		snprintf(path, PATH_BYTES, "%s", w->history);
	else if (!history_default_path(path, PATH_BYTES))
		return false;
	f = fopen(path, "rb");
	if (f)
		fclose(f);
	return f != NULL;
}

static struct value value_named(const struct query *q, enum listing listing, const char *name)
{
	const struct column *c;

	for (unsigned i = 0; (c = query_column(listing, i)); i++)
		if (strcmp(c->name, name) == 0)
			return query_value(q, i);
	return (struct value){ .kind = VALUE_NULL };
}

/* Stored texts are safe already; here they are shown as they are, and the sheet lets nothing else through. */
static const char *text_of(const struct value *v, char buffer[PARTY_BYTES])
{
	if (v->kind != VALUE_TEXT || v->text.n == 0)
		return "-";
	snprintf(buffer, PARTY_BYTES, "%.*s", (int)(v->text.n < PARTY_BYTES ? v->text.n : PARTY_BYTES - 1),
		(const char *)v->text.p);
	return buffer;
}

static const char *day_of(const struct value *v, const char *format, char buffer[NS_TEXT])
{
	time_t seconds = v->kind == VALUE_INTEGER ? (time_t)(v->integer / SECOND_NS) : 0;
	struct tm tm;

	if (v->kind != VALUE_INTEGER || !localtime_r(&seconds, &tm) || strftime(buffer, NS_TEXT, format, &tm) == 0)
		return "-";
	return buffer;
}

static struct line *add_record(struct page *p, const char *text, const char *record)
{
	struct line *l = page_add(p, LINE_RECORD, PAINT_PLAIN, text);

	l->record = memory_text(record);
	l->id = identity_of(record, strlen(record), 7);
	return l;
}

static uint8_t mark_of(const char *severity)
{
	return (uint8_t)(1 +
		(strcmp(severity, "info") == 0                     ? MARK_QUIET
				: strcmp(severity, "warning") == 0 ? MARK_WARN
								   : MARK_BAD));
}

static void add_finding(struct page *p, const struct query *q)
{
	struct value first = value_named(q, LISTING_FINDINGS, "first"), last = value_named(q, LISTING_FINDINGS, "last"),
		     id = value_named(q, LISTING_FINDINGS, "finding"),
		     culprit = value_named(q, LISTING_FINDINGS, "culprit"),
		     severity = value_named(q, LISTING_FINDINGS, "severity"),
		     calls = value_named(q, LISTING_FINDINGS, "calls"),
		     latest = value_named(q, LISTING_FINDINGS, "latest");
	char a[PARTY_BYTES], b[PARTY_BYTES], c[PARTY_BYTES], from[NS_TEXT], to[NS_TEXT], text[400];

	snprintf(text, sizeof text, "%-22.40s %-16.40s %s  %s %6" PRId64, text_of(&id, a), text_of(&culprit, b),
		day_of(&first, "%d %b %H:%M", from), day_of(&last, "%d %b %H:%M", to),
		calls.kind == VALUE_INTEGER ? calls.integer : 0);
	add_record(p, text, text_of(&latest, c))->mark = mark_of(text_of(&severity, a));
}

static void add_run(struct page *p, const struct query *q)
{
	struct value run = value_named(q, LISTING_RUNS, "run"), first = value_named(q, LISTING_RUNS, "first"),
		     length = value_named(q, LISTING_RUNS, "seconds"), source = value_named(q, LISTING_RUNS, "source"),
		     calls = value_named(q, LISTING_RUNS, "calls"), problems = value_named(q, LISTING_RUNS, "problems");
	char a[PARTY_BYTES], at[NS_TEXT], lasts[NS_TEXT], record[32], text[400];

	snprintf(record, sizeof record, "%" PRId64, run.integer);
	snprintf(text, sizeof text, "%5" PRId64 "  %s %9s  %-24.24s %6" PRId64 " %9" PRId64, run.integer,
		day_of(&first, "%d %b %H:%M", at),
		length.kind == VALUE_INTEGER ? ns_duration(length.integer, lasts) : "-", text_of(&source, a),
		calls.integer, problems.integer);
	add_record(p, text, record)->mark = (uint8_t)(1 + (problems.integer ? MARK_BAD : MARK_GOOD));
}

struct day {
	char name[NS_TEXT];
	int64_t runs, calls, problems;
};

static void add_days(struct page *p, const struct day *days, size_t count)
{
	int64_t most = 1;

	for (size_t i = 0; i < count; i++)
		most = days[i].problems > most ? days[i].problems : most;
	for (size_t i = 0; i < count; i++) {
		int64_t bar = days[i].problems * TREND_COLUMNS / most;
		struct text t;

		text_init(&t);
		text_addf(&t, "%-16s %5" PRId64 " %7" PRId64 " %9" PRId64 "  ", days[i].name, days[i].runs,
			days[i].calls, days[i].problems);
		for (int64_t k = 0; k < bar + (bar == 0 && days[i].problems); k++)
			text_add(&t, "█");
		page_add(p, LINE_TEXT, PAINT_PLAIN, t.p);
		text_fini(&t);
	}
}

/* Runs by the day of their first packet, the newest day first. */
static void make_trend(struct page *p, struct query *q, struct err *err)
{
	struct day *days = memory_zalloc(DAYS_MOST * sizeof *days);
	size_t count = 0;

	while (query_next(q, err)) {
		struct value first = value_named(q, LISTING_RUNS, "first"),
			     calls = value_named(q, LISTING_RUNS, "calls"),
			     problems = value_named(q, LISTING_RUNS, "problems");
		char name[NS_TEXT];

		if (first.kind != VALUE_INTEGER)
			continue;
		day_of(&first, "%a %d %b %Y", name);
		if (count == 0 || strcmp(days[count - 1].name, name) != 0) {
			if (count == DAYS_MOST)
				break;
			snprintf(days[count++].name, NS_TEXT, "%s", name);
		}
		days[count - 1].runs++;
		days[count - 1].calls += calls.integer;
		days[count - 1].problems += problems.integer;
	}
	add_days(p, days, count);
	free(days);
}

static void make_list(struct page *p, struct dashboard *d, struct store *s, struct err *err)
{
	enum listing listing = d->trend || d->history_runs ? LISTING_RUNS : LISTING_FINDINGS;
	struct listing_filter filter = { .limit = d->trend ? RUNS_OF_TREND : RECORDS_SHOWN };
	struct query *q = query_new(s, listing, &filter, err);

	if (!q)
		return;
	if (d->trend)
		page_add(p, LINE_TEXT, PAINT_DIM, "day               runs   calls  problems");
	else
		page_add(p, LINE_TEXT, PAINT_DIM,
			d->history_runs
				? "    run  start           length  source                     calls  problems"
				: "  problem                culprit          first seen    last seen      calls");
	if (d->trend)
		make_trend(p, q, err);
	while (!d->trend && query_next(q, err)) {
		if (listing == LISTING_RUNS)
			add_run(p, q);
		else
			add_finding(p, q);
	}
	query_free(q);
	if (p->count == 1 && err->code == ERR_OK)
		page_add(p, LINE_TEXT, PAINT_DIM, "nothing was kept yet");
}

void page_make_history(struct page *p, struct dashboard *d, struct world *w)
{
	struct err err = { .code = ERR_OK };
	char path[PATH_BYTES];
	struct store *s;

	if (!history_path(w, path)) {
		page_add(p, LINE_TEXT, PAINT_DIM, "no history is kept: deadair read --history FILE keeps one");
		return;
	}
	s = store_open(path, STORE_READ, WAIT_MS, &err);
	if (s)
		make_list(p, d, s, &err);
	if (err.code != ERR_OK)
		page_add(p, LINE_TEXT, PAINT_WARN, err.text);
	store_close(s);
}

void page_make_compared(struct page *p, struct world *w, const char *runs, unsigned width)
{
	struct history_options options = { .action = "compare", .color = "never" };
	struct err err = { .code = ERR_OK };
	char path[PATH_BYTES];
	struct store *s = history_path(w, path) ? store_open(path, STORE_READ, WAIT_MS, &err) : NULL;
	struct out o;

	sscanf(runs, "%" SCNd64 " %" SCNd64, &options.runs[0], &options.runs[1]);
	out_init(&o, -1);
	o.columns = width - 1;
	page_add(p, LINE_BAR, PAINT_PLAIN, "What changed from one run to the next");
	if (s)
		history_compare(s, &options, &o, &err);
	page_add_out(p, &o);
	if (err.code != ERR_OK)
		page_add(p, LINE_TEXT, PAINT_WARN, err.text);
	out_fini(&o);
	store_close(s);
}

void page_make_record(struct page *p, struct world *w, const char *record, unsigned width)
{
	struct history_options options = { .action = "show", .record = record, .color = "never" };
	struct err err = { .code = ERR_OK };
	char path[PATH_BYTES];
	struct store *s = history_path(w, path) ? store_open(path, STORE_READ, WAIT_MS, &err) : NULL;
	struct out o;

	out_init(&o, -1);
	o.columns = width - 1;
	if (s)
		history_show(s, &options, &o, &err);
	page_add_out(p, &o);
	if (err.code != ERR_OK)
		page_add(p, LINE_TEXT, PAINT_WARN, err.text);
	out_fini(&o);
	store_close(s);
}

static void draw(struct dashboard *d, struct world *w, struct sheet *s)
{
	char left[96];

	snprintf(left, sizeof left, "History   %s",
		d->trend                  ? "by day"
			: d->history_runs ? "runs"
					  : "problems over all runs");
	bar_draw(s, AREA_TOP, 0, s->columns, left, "Enter as it was  R runs  T by day  C compare");
	page_draw(
		page_of(d, w), d, w, s, list_of(d, 0), AREA_TOP + 1, 0, s->columns, area_end(s) - AREA_TOP - 1, false);
}

/* Runs stand newest first: the one before is the next row. */
static void act_compare(struct dashboard *d, struct world *w)
{
	const struct page *p = page_of(d, w);
	const struct list *l = list_of(d, 0);
	char runs[ABOUT_BYTES];
	struct place *opened;

	if (!d->history_runs || d->trend || l->at + 1 >= p->count || p->lines[l->at].kind != LINE_RECORD ||
		p->lines[l->at + 1].kind != LINE_RECORD) {
		message_set(d,
			d->history_runs && !d->trend ? "there is no run before this one"
						     : "R lists runs; C compares one with the one before it");
		return;
	}
	snprintf(runs, sizeof runs, "%.20s %.20s", p->lines[l->at + 1].record, p->lines[l->at].record);
	opened = place_open(d, VIEW_TEXT);
	opened->page = PAGE_COMPARE;
	memcpy(opened->about, runs, sizeof runs);
}

static bool act(struct dashboard *d, struct world *w, enum action a)
{
	const struct line *x = page_selected(d, w);
	struct place *p;
	char record[ABOUT_BYTES];

	switch ((int)a) {
	case ACTION_OPEN:
		if (!x || x->kind != LINE_RECORD)
			return true;
		snprintf(record, sizeof record, "%s", x->record);
		p = place_open(d, VIEW_TEXT);
		p->page = PAGE_RECORD;
		snprintf(p->about, sizeof p->about, "%s", record);
		return true;
	case ACTION_RUNS:
		d->history_runs = !d->history_runs;
		d->trend = false;
		return true;
	case ACTION_TREND: d->trend = !d->trend; return true;
	case ACTION_COMPARE: act_compare(d, w); return true;
	default: return false;
	}
}

const struct view_part part_history = { .panes = 1, .count = page_count, .id = page_line_id, .draw = draw, .act = act };
