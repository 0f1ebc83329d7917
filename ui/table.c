/* SPDX-License-Identifier: MIT */
/* table: lays columns out and prints them. */
#include "ui/table.h"

#include <assert.h>
#include <stdlib.h>

#include "captures/base/arena.h"
#include "captures/base/memory.h"
#include "ui/page.h"
#include "ui/words.h"

enum { COLUMN_MAX = 20, FLOOR_COLUMNS = 4 };

struct cell {
	const char *text;
	enum paint paint;
};

struct table {
	const struct table_column *columns;
	size_t column_count;
	struct arena *arena;
	struct cell *cells;
	size_t cell_count, cell_room;
	unsigned natural[COLUMN_MAX];
	bool says[COLUMN_MAX];       /* something else than "-" */
};

struct layout {
	unsigned width[COLUMN_MAX];
	bool left_out[COLUMN_MAX];
};

struct table *table_new(const struct table_column *columns, size_t count)
{
	struct table *t = memory_zalloc(sizeof *t);

	assert(count && count <= COLUMN_MAX);
	t->columns = columns;
	t->column_count = count;
	t->arena = arena_new();
	for (size_t i = 0; i < count; i++)
		t->natural[i] = (unsigned)text_columns(columns[i].head);
	return t;
}

void table_free(struct table *t)
{
	if (!t)
		return;
	arena_free(t->arena);
	free(t->cells);
	free(t);
}

void table_cell(struct table *t, enum paint paint, const char *utf8)
{
	size_t column = t->cell_count % t->column_count;
	unsigned width = (unsigned)text_columns(utf8);

	if (t->cell_count == t->cell_room) {
		t->cell_room = t->cell_room ? t->cell_room * 2 : 64;
		t->cells = memory_resize(t->cells, t->cell_room, sizeof *t->cells);
	}
	t->cells[t->cell_count++] = (struct cell){ *utf8 ? arena_text(t->arena, span_of(utf8)) : "", paint };
	if (width > t->natural[column])
		t->natural[column] = width;
	t->says[column] |= *utf8 && strcmp(utf8, "-") != 0;
}

size_t table_rows(const struct table *t)
{
	return t->cell_count / t->column_count;
}

static unsigned layout_columns(const struct table *t, const struct layout *l)
{
	unsigned total = 0, gap = 0;

	for (size_t i = 0; i < t->column_count; i++) {
		if (l->left_out[i])
			continue;
		total += gap + l->width[i];
		gap = t->columns[i].gap;
	}
	return total;
}

/* Cuts the widest columns that may be cut; with `floor` below what they would like. */
static void layout_shrink(const struct table *t, struct layout *l, unsigned room, bool floor)
{
	while (layout_columns(t, l) > room) {
		size_t widest = COLUMN_MAX;

		for (size_t i = 0; i < t->column_count; i++) {
			unsigned least = floor &&
				t->columns[i].least > FLOOR_COLUMNS ? FLOOR_COLUMNS : t->columns[i].least;

			if (least && !l->left_out[i] && l->width[i] > least &&
			    (widest == COLUMN_MAX || l->width[i] > l->width[widest]))
				widest = i;
		}
		if (widest == COLUMN_MAX)
			return;
		l->width[widest]--;
	}
}

/* What says nothing in any row goes before all others. */
static unsigned leaving_order(const struct table *t, size_t column)
{
	unsigned order = t->columns[column].leave_out;

	return order && t->says[column] ? COLUMN_MAX + order : order;
}

static bool layout_leave_out(const struct table *t, struct layout *l)
{
	size_t next = COLUMN_MAX;

	for (size_t i = 0; i < t->column_count; i++) {
		unsigned order = leaving_order(t, i);

		if (order && !l->left_out[i] && (next == COLUMN_MAX || order < leaving_order(t, next)))
			next = i;
	}
	if (next == COLUMN_MAX)
		return false;
	l->left_out[next] = true;
	return true;
}

static struct layout layout_make(const struct table *t, unsigned room)
{
	struct layout l = { .left_out = { false } };

	do {
		memcpy(l.width, t->natural, sizeof l.width);
		layout_shrink(t, &l, room, false);
	} while (layout_columns(t, &l) > room && layout_leave_out(t, &l));
	layout_shrink(t, &l, room, true);
	return l;
}

struct line {
	struct out *out;
	size_t pending;              /* spaces owed: printed only before something, so that no line ends in one */
};

static void line_cell(struct line *line, const struct table_column *column, unsigned width, enum paint paint,
	const char *utf8)
{
	struct text cut;
	size_t used;

	text_init(&cut);
	words_cut(&cut, utf8, width, words_is_number(utf8));
	used = text_columns(cut.p);
	if (column->right && used < width)
		line->pending += width - used;
	if (cut.n) {
		out_spaces(line->out, line->pending);
		line->pending = 0;
		out_paint(line->out, paint, cut.p);
	}
	line->pending += (column->right || used >= width ? 0 : width - used) + column->gap;
	text_fini(&cut);
}

/*
 * On a page nothing is cut or left out; what is wider than the page scrolls in its box, and a narrow screen makes a
 * card of each row, with the heads beside the cells.
 */
static void table_page(const struct table *t, struct out *o)
{
	page_end_line(o);
	page_raw(o, "<div class=\"t\"><table><caption>");
	page_escaped(o, o->page->heading.p);
	page_raw(o, "</caption>\n<thead><tr>");
	for (size_t i = 0; i < t->column_count; i++) {
		page_raw(o, t->columns[i].right ? "<th scope=\"col\" class=\"n\">" : "<th scope=\"col\">");
		page_escaped(o, t->columns[i].head);
		page_raw(o, "</th>");
	}
	page_raw(o, "</tr></thead>\n<tbody>\n");
	for (size_t row = 0; row < table_rows(t); row++) {
		page_raw(o, "<tr>");
		for (size_t i = 0; i < t->column_count; i++) {
			const struct cell *cell = &t->cells[row * t->column_count + i];

			page_rawf(o, "<td class=\"%s%s\" data-h=\"", page_class(cell->paint),
				t->columns[i].right ? " n" : "");
			page_escaped(o, t->columns[i].head);
			page_raw(o, "\">");
			page_escaped(o, cell->text);
			page_raw(o, "</td>");
		}
		page_raw(o, "</tr>\n");
	}
	page_raw(o, "</tbody></table></div>\n");
}

void table_print(const struct table *t, struct out *o, unsigned indent, bool head)
{
	unsigned room = o->columns > indent ? o->columns - indent : 1;
	struct layout l;

	if (o->page) {
		table_page(t, o);
		return;
	}
	l = layout_make(t, room);
	for (size_t row = 0; row < table_rows(t) + head; row++) {
		struct line line = { o, indent };

		for (size_t i = 0; i < t->column_count; i++) {
			const struct cell *cell = head &&
				row == 0 ? NULL : &t->cells[(row - head) * t->column_count + i];

			if (!l.left_out[i])
				line_cell(&line, &t->columns[i], l.width[i], cell ? cell->paint : PAINT_DIM,
					cell ? cell->text : t->columns[i].head);
		}
		out_text(o, "\n");
	}
}
