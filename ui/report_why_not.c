/* SPDX-License-Identifier: MIT */
/*
 * report_why_not: why a finding was not made: each condition in its order, and whether this capture could have shown
 * it.
 */
#include "ui/report.h"

#include <stdio.h>
#include <stdlib.h>

#include "ui/words.h"

enum { CALLS_SHOWN = 50 };

static void print_row(struct out *o, bool decided, bool holds, const char *text)
{
	enum paint paint = !decided ? PAINT_DIM : holds ? PAINT_GOOD : PAINT_BAD;
	struct text row;

	text_init(&row);
	text_addf(&row, "%s%s", text, decided ? "" : " (not reached)");
	out_paragraph(o, 2, !decided ? "-" : holds ? "✓" : "✗", 2, paint, row.p);
	text_fini(&row);
}

/* Both directions, or several streams, may fail the same condition in the same words. */
static bool said_before(const struct view_why_not *w, size_t row)
{
	for (size_t i = 0; i < row; i++)
		if (w->rows[i].decided == w->rows[row].decided && w->rows[i].holds == w->rows[row].holds &&
		    strcmp(w->rows[i].text, w->rows[row].text) == 0)
			return true;
	return false;
}

static void print_one(const struct report *r, const char *id, const struct view_why_not *w)
{
	char title[160], call[48] = "", gate[200];

	if (w->call)
		snprintf(call, sizeof call, ", call %u", w->call);
	snprintf(title, sizeof title, "%.80s%s: %s\n", id, call, w->found ? "found: the report has it" : "not found");
	out_text(r->out, title);
	if (w->found)                   /* what decided against it was said of another direction or stream */
		return;
	for (size_t i = 0; i < w->row_count; i++)
		if (!said_before(w, i))
			print_row(r->out, w->rows[i].decided, w->rows[i].holds, w->rows[i].text);
	if (w->gate)
		snprintf(gate, sizeof gate, "This capture could not have shown it: %.140s.", w->gate);
	out_paragraph(r->out, 2, "", 0, PAINT_PLAIN, w->gate ? gate : "This capture could have shown it.");
}

/* Nothing was looked at: no such call, or nothing in it (in the capture) that this finding is about. */
static void print_nothing(const struct report *r, const char *name, const char *call)
{
	struct view_end end;
	char text[200] = "It has nothing to look at in this capture.", count[WORDS];

	view_end(r->engine, &end);
	if (*call == ':' && (strtoull(call + 1, NULL, 10) == 0 || strtoull(call + 1, NULL, 10) > end.calls))
		snprintf(text, sizeof text, "There is no such call; the capture has %s.",
			words_counted(end.calls, "call", count));
	else if (*call == ':')
		snprintf(text, sizeof text,
			"It has nothing to look at in this call alone; --why-not %.40s asks about the whole capture.",
			name);
	out_textf(r->out, "%s: not found\n", name);
	out_paragraph(r->out, 2, "", 0, PAINT_PLAIN, text);
}

void report_why_not(const struct report *r, const char *id)
{
	struct span name = span_first(span_of(id), strcspn(id, ":"));
	char text[80], count[WORDS];
	struct view_why_not w;
	size_t i, more = 0;

	text_escape(name, text, sizeof text);
	for (i = 0; view_why_not(r->engine, i, &w); i++) {
		if (i >= CALLS_SHOWN && !r->verbose)
			more++;
		else
			print_one(r, text, &w);
	}
	if (more)
		out_textf(r->out, "and %s more: -v, or %s:CALL\n", words_count(more, count), text);
	if (i == 0)
		print_nothing(r, text, id + name.n);
}
