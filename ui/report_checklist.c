/* SPDX-License-Identifier: MIT */
/*
 * report_checklist: what of the deployment and of the test calls this capture confirms: a few lines, or a point a
 * paragraph with what it stands on.
 */
#include "ui/report_part.h"

#include <string.h>

enum { TITLE_COLUMNS = 28, NUMBERS_SHOWN = 6 };

static const char *mark_of(const struct view_check *k)
{
	return strcmp(k->state, "PASS") == 0 ? "✓" : strcmp(k->state, "FAIL") == 0 ? "✗" : "?";
}

static enum paint paint_of(const struct view_check *k)
{
	return strcmp(k->state, "PASS") == 0 ? PAINT_GOOD : strcmp(k->state, "FAIL") == 0 ? PAINT_BAD : PAINT_UNKNOWN;
}

static bool not_seen(const struct view_check *k)
{
	return strcmp(k->state, "NOT-SEEN") == 0;
}

/* A capture of other things has no checklist. */
static bool is_due(const struct report *r)
{
	struct view_check k;
	bool due = false;

	for (size_t i = 0; !due && view_check(r->engine, i, &k); i++)
		due = !not_seen(&k);
	return due;
}

/* ---- short: points that were seen by name and mark, the others by name ---- */

/* names beside each other, broken where prose is, each in one line with its mark */
struct mark_row {
	struct out *out;
	const char *label;           /* of the next line; "" behind the first */
	size_t columns;              /* of this line so far; 0: none begun */
};

static void mark_row_add(struct mark_row *row, const struct view_check *k)
{
	size_t width = row->out->columns < PROSE_COLUMNS ? row->out->columns : PROSE_COLUMNS,
		columns = 2 + text_columns(k->name);

	if (row->columns && row->columns + 2 + columns > width) {
		out_text(row->out, "\n");
		row->columns = 0;
	}
	if (row->columns) {
		out_text(row->out, "  ");
		row->columns += 2;
	} else {
		out_paint(row->out, PAINT_HEAD, row->label);
		out_spaces(row->out, LABEL_COLUMNS - text_columns(row->label));
		row->label = "";
		row->columns = LABEL_COLUMNS;
	}
	out_paint(row->out, paint_of(k), mark_of(k));
	out_text(row->out, " ");
	out_text(row->out, k->name);
	row->columns += columns;
}

static void mark_row_end(struct mark_row *row)
{
	if (row->columns)
		out_text(row->out, "\n");
	row->columns = 0;
}

/* One of the four that a deployment stands on. */
static bool is_point(const struct view_check *k)
{
	return strncmp(k->item, "C1.", 3) == 0;
}

/* The four points of the deployment and what else was seen of it, then the test calls that there were. */
static void names(const struct report *r)
{
	struct mark_row row = { .out = r->out, .label = "Checklist" };
	struct view_check k;

	for (size_t i = 0; view_check(r->engine, i, &k); i++) {
		if (strcmp(k.item, "C1.5") == 0)        /* the sum of the rest */
			mark_row_end(&row);
		else if (is_point(&k) || !not_seen(&k))
			mark_row_add(&row, &k);
	}
	mark_row_end(&row);
}

static void names_not_seen(const struct report *r)
{
	struct view_check k;
	struct text t;

	text_init(&t);
	for (size_t i = 0; view_check(r->engine, i, &k); i++) {
		if (k.flow && not_seen(&k))
			text_addf(&t, "%s%s", t.n ? ", " : "not seen: ", k.name);
	}
	if (t.n)
		out_paragraph(r->out, LABEL_COLUMNS, "?", 2, PAINT_UNKNOWN, t.p);
	text_fini(&t);
}

/* ---- full ---- */

static void add_numbers(struct text *t, const char *noun, const unsigned *numbers, unsigned count, unsigned total)
{
	if (!count)
		return;
	text_addf(t, "; %s%s", noun, total == 1 ? "" : "s");
	for (unsigned i = 0; i < count && i < NUMBERS_SHOWN; i++)
		text_addf(t, " %u", numbers[i]);
	if (total > NUMBERS_SHOWN)
		text_addf(t, " and %u more", total - NUMBERS_SHOWN);
}

static void add_frames(struct text *t, const struct report *r, const struct view_check *k)
{
	for (unsigned i = 0; i < k->evidence_count; i++) {
		text_addf(t, "%s%u", i ? " " : k->evidence_count == 1 ? "; frame " : "; frames ", k->evidence[i].frame);
		if (r->file_count > 1 && k->evidence[i].file < r->file_count) {
			text_add(t, " of ");
			report_file_name(t, r, k->evidence[i].file);
			if (i + 1 < k->evidence_count)
				text_add(t, ",");
		}
	}
}

static void point(const struct report *r, const struct view_check *k)
{
	struct text label, t;

	text_init(&label);
	text_init(&t);
	text_addf(&label, "%s %s", mark_of(k), k->title);
	text_addf(&t, "%s%s", not_seen(k) ? "not seen: " : "", k->why);
	add_numbers(&t, "call", k->calls, k->call_count, k->calls_total);
	add_frames(&t, r, k);
	out_paragraph(r->out, 0, label.p, TITLE_COLUMNS, paint_of(k), t.p);
	text_fini(&label);
	text_fini(&t);
}

void report_checklist(const struct report *r)
{
	struct view_check k;

	if (!is_due(r))
		return;
	out_text(r->out, "\n");
	if (!r->checklist) {
		names(r);
		names_not_seen(r);
		return;
	}
	out_paint(r->out, PAINT_HEAD, "Checklist");
	out_text(r->out, "\n");
	for (size_t i = 0; view_check(r->engine, i, &k); i++)
		point(r, &k);
}
