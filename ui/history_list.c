/* SPDX-License-Identifier: MIT */
/* history_list: records of a history as a table, as JSON Lines, as CSV. */
#include "ui/history_list.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "captures/base/memory.h"
#include "ui/json_from.h"
#include "ui/table.h"
#include "ui/words.h"

enum { COLUMNS_MAX = 20 };

/* A backslash begins what was escaped when it was stored. */
void history_text(struct text *t, struct span stored)
{
	while (stored.n) {
		size_t n = span_find(stored, '\\');

		text_add_escaped(t, span_first(stored, n));
		if (n < stored.n)
			text_add(t, "\\");
		stored = span_from(stored, n + 1);
	}
}

/* ---- JSON ---- */

static json_t *json_value(const struct column *c, const struct value *v)
{
	switch (v->kind) {
	case VALUE_NULL:
		break;
	case VALUE_INTEGER:
		if (c->kind == COLUMN_TIME)
			return from_time(v->integer);
		return c->kind == COLUMN_LENGTH ? json_real((double)v->integer / 1e9) : json_integer(v->integer);
	case VALUE_REAL:
		return json_real(v->real);
	case VALUE_TEXT:
		return v->text.n ? from_stored(v->text) : json_string("");
	}
	return json_null();
}

static void print_json(struct out *o, enum listing listing, const struct query *q)
{
	json_t *line = json_line(query_noun(listing));
	const struct column *c;

	for (unsigned i = 0; (c = query_column(listing, i)); i++) {
		struct value v = query_value(q, i);

		if (c->name)
			json_object_set_new(line, c->name, json_value(c, &v));
	}
	json_print(o, line, JSON_EXACT);
}

/* ---- CSV, RFC 4180 ---- */

/*
 * A spreadsheet takes what begins so for a formula; what a caller sent must not be one. Numbers of phones stay as they
 * are.
 */
static bool is_formula(const char *text)
{
	return *text && strchr("=+-@", *text) && !words_is_number(text);
}

void history_csv_text(struct text *line, struct span s)
{
	struct text t;

	text_init(&t);
	history_text(&t, s);
	text_add(line, is_formula(t.p) ? "\"'" : "\"");
	for (const char *p = t.p; *p; p++)
		text_addf(line, *p == '"' ? "\"%c" : "%c", *p);
	text_add(line, "\"");
	text_fini(&t);
}

static void csv_value(struct text *line, const struct column *c, const struct value *v)
{
	char at[NS_TEXT];

	switch (v->kind) {
	case VALUE_NULL:
		break;
	case VALUE_INTEGER:
		if (c->kind == COLUMN_TIME)
			text_add(line, ns_rfc3339(v->integer, at));
		else if (c->kind == COLUMN_LENGTH)
			text_addf(line, "%.3f", (double)v->integer / 1e9);
		else
			text_addf(line, "%" PRId64, v->integer);
		break;
	case VALUE_REAL:
		text_addf(line, "%.6g", v->real);
		break;
	case VALUE_TEXT:
		history_csv_text(line, v->text);
		break;
	}
}

static void print_csv(struct out *o, enum listing listing, const struct query *q)
{
	const struct column *c;
	struct text line;

	text_init(&line);
	for (unsigned i = 0; (c = query_column(listing, i)); i++) {
		struct value v = query_value(q, i);

		if (!c->name)
			continue;
		text_add(&line, i ? "," : "");
		csv_value(&line, c, &v);
	}
	text_add(&line, "\r\n");
	out_bytes(o, line.p, line.n);
	text_fini(&line);
}

static void print_csv_head(struct out *o, enum listing listing)
{
	const struct column *c;

	for (unsigned i = 0; (c = query_column(listing, i)); i++) {
		if (!c->name)
			continue;
		out_bytes(o, ",", i ? 1 : 0);
		out_bytes(o, c->name, strlen(c->name));
	}
	out_bytes(o, "\r\n", 2);
}

/* ---- table ---- */

static enum paint paint_of(const char *text)
{
	static const struct { const char *word; enum paint paint; } words[] = {
		{ "critical", PAINT_BAD }, { "error", PAINT_BAD }, { "no", PAINT_BAD }, { "warning", PAINT_WARN },
		  { "poor", PAINT_WARN }, { "yes", PAINT_GOOD },
		{ "unknown", PAINT_UNKNOWN }, { "not expected", PAINT_DIM }, { "✗ nothing", PAINT_BAD },
		  { "? not visible", PAINT_UNKNOWN }, { "-", PAINT_DIM },
	};

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcmp(words[i].word, text) == 0)
			return words[i].paint;
	return strncmp(text, "✓", strlen("✓")) == 0 ? PAINT_GOOD : text[0] == '!' ? PAINT_WARN : PAINT_PLAIN;
}

static void table_text(struct table *t, struct span stored)
{
	struct text shown;

	text_init(&shown);
	history_text(&shown, stored);
	table_cell(t, paint_of(shown.p), shown.p);
	text_fini(&shown);
}

/* "2026-11-20 09:12:41", local: as the options take it. */
static void moment(int64_t at_ns, char text[WORDS])
{
	time_t seconds = (time_t)(at_ns / SECOND_NS - (at_ns % SECOND_NS < 0));
	struct tm tm;

	if (!localtime_r(&seconds, &tm) || strftime(text, WORDS, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		snprintf(text, WORDS, "?");
}

static void table_number(struct table *t, const struct column *c, int64_t n)
{
	char text[WORDS];

	if (c->kind == COLUMN_TIME)
		moment(n, text);
	else if (c->kind == COLUMN_LENGTH)
		words_duration(n, text);
	else
		words_count(n < 0 ? 0 : (uint64_t)n, text);
	table_cell(t, PAINT_PLAIN, text);
}

static void table_value(struct table *t, const struct column *c, const struct value *v)
{
	char text[WORDS];

	switch (v->kind) {
	case VALUE_NULL:
		table_cell(t, PAINT_DIM, "-");
		break;
	case VALUE_INTEGER:
		table_number(t, c, v->integer);
		break;
	case VALUE_REAL:
		snprintf(text, sizeof text, "%.1f", v->real);
		table_cell(t, PAINT_PLAIN, text);
		break;
	case VALUE_TEXT:
		table_text(t, v->text);
		break;
	}
}

static void table_row(struct table *t, enum listing listing, const struct query *q)
{
	const struct column *c;

	for (unsigned i = 0; (c = query_column(listing, i)); i++) {
		struct value v = query_value(q, i);

		if (c->head)
			table_value(t, c, &v);
	}
}

static struct table *table_of(enum listing listing, struct table_column *columns)
{
	const struct column *c;
	size_t n = 0;

	for (unsigned i = 0; (c = query_column(listing, i)); i++)
		if (c->head)
			columns[n++] = (struct table_column){ .head = c->head,
				.right = c->kind != COLUMN_TEXT && c->kind != COLUMN_TIME, .gap = 2,
							      .least = c->least, .leave_out = c->leave_out };
	return table_new(columns, n);
}

/* ---- all of them ---- */

static void print_record(struct out *o, enum listing listing, const struct query *q, enum history_form form,
	struct table *t)
{
	switch (form) {
	case HISTORY_TABLE:
		table_row(t, listing, q);
		break;
	case HISTORY_JSON:
		print_json(o, listing, q);
		break;
	case HISTORY_CSV:
		print_csv(o, listing, q);
		break;
	}
}

bool history_list(struct store *s, enum listing listing, const struct listing_filter *filter, size_t limit,
	enum history_form form, struct out *o,
		  size_t *ret_count, struct err *err)
{
	struct table_column columns[COLUMNS_MAX];
	struct listing_filter asked = *filter;
	struct table *t;
	struct query *q;
	size_t n = 0;

	/* one more tells that there are more; a trend begins with it, and does without */
	if (limit)
		asked.limit = limit + (listing != LISTING_TREND);
	else
		asked.limit = 0;
	q = query_new(s, listing, &asked, err);
	if (!q)
		return false;
	t = form == HISTORY_TABLE ? table_of(listing, columns) : NULL;
	if (form == HISTORY_CSV)
		print_csv_head(o, listing);
	while (query_next(q, err) && ++n && (limit == 0 || n <= limit))
		print_record(o, listing, q, form, t);
	if (t && n)
		table_print(t, o, 0, true);
	table_free(t);
	query_free(q);
	*ret_count = n;
	return err->code == ERR_OK;
}
