/* SPDX-License-Identifier: MIT */
/* report_changes: what a device made of the fields of messages, as a table; of long values the part that differs. */
#include "ui/report_part.h"

#include <stdio.h>
#include <string.h>

#include "ui/table.h"
#include "ui/words.h"

enum { ROWS_SHOWN = 10 };

struct difference {
	struct span before, after;
};

static bool is_mark(uint8_t c)
{
	return c == ' ' || c == ';' || c == '<' || c == '>' || c == '@' || c == ',' || c == '"';
}

/* Cuts what both have at the beginning and at the end, at marks, so that whole addresses and parameters stay. */
static struct difference difference_of(struct span before, struct span after)
{
	size_t least = before.n < after.n ? before.n : after.n, head = 0, tail = 0;

	while (head < least && before.p[head] == after.p[head])
		head++;
	while (head > 0 && !is_mark(before.p[head - 1]))
		head--;
	while (tail < least - head && before.p[before.n - 1 - tail] == after.p[after.n - 1 - tail])
		tail++;
	while (tail > 0 && !is_mark(before.p[before.n - tail]))
		tail--;
	return (struct difference){ span_first(span_from(before, head), before.n - head - tail), span_first(span_from(after, head), after.n - head - tail) };
}

static bool same(struct difference a, struct difference b)
{
	return span_equal(a.before, b.before) && span_equal(a.after, b.after);
}

static void cell(struct table *t, struct span s)
{
	struct text text;

	text_init(&text);
	text_addf(&text, "%.*s", (int)s.n, (const char *)s.p);       /* escaped by the analyzer */
	table_cell(t, s.n ? PAINT_PLAIN : PAINT_DIM, s.n ? text.p : "-");
	text_fini(&text);
}

/* Differences that an earlier row of that field shows already are left out. */
static bool shown_before(const struct view_finding *f, unsigned i, const struct difference *all)
{
	for (unsigned k = 0; k < i; k++) {
		if (strcmp(f->changes[k].field, f->changes[i].field) == 0 && same(all[k], all[i]))
			return true;
	}
	return false;
}

void report_changes(const struct report *r, const struct view_finding *f)
{
	static const struct table_column columns[] = { { "field", false, 2, 0, 0 }, { "before", false, 2, 12, 0 }, { "behind", false, 0, 12, 0 } };
	struct difference all[sizeof f->changes / sizeof f->changes[0]];
	struct table *t;
	unsigned rows = 0, more = 0;

	if (f->change_count == 0)
		return;
	t = table_new(columns, 3);
	for (unsigned i = 0; i < f->change_count; i++) {
		all[i] = difference_of(span_of(f->changes[i].before), span_of(f->changes[i].after));
		if (shown_before(f, i, all))
			continue;
		if (rows == ROWS_SHOWN && !r->verbose) {
			more++;
			continue;
		}
		rows++;
		table_cell(t, PAINT_PLAIN, f->changes[i].field);
		cell(t, all[i].before);
		cell(t, all[i].after);
	}
	out_paint(r->out, PAINT_HEAD, "  Changed");
	out_text(r->out, "\n");
	table_print(t, r->out, BLOCK_INDENT + BLOCK_LABEL_COLUMNS, true);
	if (more)
		out_textf(r->out, "           and %u more: -v or --json lists them\n", more);
	table_free(t);
}
