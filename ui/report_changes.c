/* SPDX-License-Identifier: MIT */
/* report_changes: what a device made of the fields of messages, as a table; of long values the part that differs. */
#include "ui/report_part.h"

#include <stdio.h>
#include <string.h>

#include "ui/table.h"
#include "ui/words.h"

enum { ROWS_SHOWN = 10 };

static void cell(struct table *t, struct span s)
{
	struct text text;

	text_init(&text);
	text_addf(&text, "%.*s", (int)s.n, (const char *)s.p);       /* escaped by the analyzer */
	table_cell(t, s.n ? PAINT_PLAIN : PAINT_DIM, s.n ? text.p : "-");
	text_fini(&text);
}

/* Differences that an earlier row of that field shows already are left out. */
static bool shown_before(const struct view_finding *f, unsigned i)
{
	const struct view_change *c = &f->changes[i];

	for (unsigned k = 0; k < i; k++) {
		const struct view_change *x = &f->changes[k];

		if (strcmp(x->field, c->field) == 0 && span_equal(x->before_part, c->before_part) &&
		    span_equal(x->after_part, c->after_part))
			return true;
	}
	return false;
}

void report_changes(const struct report *r, const struct view_finding *f)
{
	static const struct table_column columns[] = { { "field", false, 2, 0, 0 }, { "before", false, 2, 12, 0 },
		{ "behind", false, 0, 12, 0 } };
	struct table *t;
	unsigned rows = 0, more = 0;

	if (f->change_count == 0)
		return;
	t = table_new(columns, 3);
	for (unsigned i = 0; i < f->change_count; i++) {
		if (shown_before(f, i))
			continue;
		if (rows == ROWS_SHOWN && !r->verbose) {
			more++;
			continue;
		}
		rows++;
		table_cell(t, PAINT_PLAIN, f->changes[i].field);
		cell(t, f->changes[i].before_part);
		cell(t, f->changes[i].after_part);
	}
	out_paint(r->out, PAINT_HEAD, "  Changed");
	out_text(r->out, "\n");
	table_print(t, r->out, BLOCK_INDENT + BLOCK_LABEL_COLUMNS, true);
	if (more)
		out_textf(r->out, "           and %u more: -v or --json lists them\n", more);
	table_free(t);
}
