/* SPDX-License-Identifier: MIT */
/* sheet: cells, and how text gets into them. */
#include "ui/dashboard/sheet.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "captures/base/memory.h"

/* Every glyph of ours is one column wide, and so is its stand-in. */
/* clang-format off */
static const struct {
	const char *utf8;
	char ascii;
} stand_ins[] = {
	{ "✗", 'X' }, { "✓", '+' }, { "·", '.' }, { "▸", '>' }, { "≠", '#' }, { "→", '>' }, { "←", '<' }, { "↔", '=' },
	  { "…", '~' },
	{ "│", '|' }, { "─", '-' }, { "═", '=' }, { "×", 'x' }, { "█", '8' }, { "└", '`' }, { "µ", 'u' }, { "▲", '^' },
	  { "▼", 'v' },
	{ "▇", '7' }, { "▆", '6' }, { "▅", '5' }, { "▄", '4' }, { "▃", '3' }, { "▂", '2' }, { "▁", '1' }, { "░", 'h' },
	  { "↑", '^' },
	{ "┌", '+' }, { "┐", '+' }, { "┘", '+' }, { "⋮", ':' },
};
/* clang-format on */

static unsigned within(unsigned n, unsigned most)
{
	return n < 1 ? 1 : n > most ? most : n;
}

void sheet_init(struct sheet *s, unsigned rows, unsigned columns, bool ascii)
{
	*s = (struct sheet){
		.rows = within(rows, SHEET_ROWS_MAX), .columns = within(columns, SHEET_COLUMNS_MAX), .ascii = ascii
	};
	s->cells = memory_zalloc((size_t)s->rows * s->columns * sizeof *s->cells);
	sheet_clear(s);
}

void sheet_fini(struct sheet *s)
{
	free(s->cells);
	*s = (struct sheet){ .rows = 0 };
}

struct sheet_cell *sheet_at(struct sheet *s, unsigned row, unsigned column)
{
	return row < s->rows && column < s->columns ? &s->cells[(size_t)row * s->columns + column] : NULL;
}

/* Half of a wide character is left alone by what is drawn over the other half: it becomes a blank. */
static void cell_free(struct sheet *s, unsigned row, unsigned column)
{
	struct sheet_cell *c = sheet_at(s, row, column), *before = column ? sheet_at(s, row, column - 1) : NULL,
			  *behind = sheet_at(s, row, column + 1);

	if (c->columns == 0 && before)
		*before = (struct sheet_cell){ .text = " ", .style = before->style, .columns = 1 };
	if (c->columns == 2 && behind)
		*behind = (struct sheet_cell){ .text = " ", .style = behind->style, .columns = 1 };
}

static void cell_put(
	struct sheet *s, unsigned row, unsigned column, unsigned style, const char *text, size_t n, unsigned columns)
{
	struct sheet_cell *c = sheet_at(s, row, column);

	cell_free(s, row, column);
	memset(c, 0, sizeof *c);
	memcpy(c->text, text, n);
	c->style = (uint8_t)style;
	c->columns = (uint8_t)columns;
	if (columns == 2) {
		cell_free(s, row, column + 1);
		c[1] = (struct sheet_cell){ .style = (uint8_t)style };
	}
}

void sheet_clear(struct sheet *s)
{
	for (size_t i = 0; i < (size_t)s->rows * s->columns; i++)
		s->cells[i] = (struct sheet_cell){ .text = " ", .columns = 1 };
}

static size_t character_bytes(const char *p)
{
	size_t n = 1;

	while (((unsigned char)p[n] & 0xc0) == 0x80 && n < 4)
		n++;
	return n;
}

/* Is it text and nothing else? Controls, what turns the reading order, what is no UTF-8 are not. */
static bool is_printable(const char *p, size_t n)
{
	char escaped[16];

	if (n == 1)
		return *p >= ' ' && *p != 0x7f;
	return strncmp(text_escape((struct span){ (const uint8_t *)p, n }, escaped, sizeof escaped), p, n) == 0;
}

static char stand_in(const char *p, size_t n)
{
	for (size_t i = 0; i < sizeof stand_ins / sizeof stand_ins[0]; i++)
		if (strlen(stand_ins[i].utf8) == n && memcmp(stand_ins[i].utf8, p, n) == 0)
			return stand_ins[i].ascii;
	return '?';
}

struct glyph {
	char text[SHEET_CELL];
	size_t n, taken; /* bytes of text; of what was read */
	unsigned columns;
};

/* The next character and what combines with it; what must not reach a terminal is a question mark. */
static struct glyph glyph_next(const struct sheet *s, const char *p)
{
	struct glyph g = { .taken = character_bytes(p) };
	char one[8] = "";

	memcpy(one, p, g.taken);
	if (!is_printable(p, g.taken)) {
		g.text[0] = '?';
		g.n = g.columns = 1;
		return g;
	}
	g.columns = (unsigned)text_columns(one);
	if (s->ascii && (unsigned char)*p >= 0x80) {
		memset(g.text, stand_in(p, g.taken), g.columns > 2 ? 2 : g.columns);
		g.n = g.columns;
		return g;
	}
	memcpy(g.text, p, g.taken);
	g.n = g.taken;
	return g;
}

/* Columns of a text as it is drawn. */
static unsigned drawn_columns(const struct sheet *s, const char *utf8)
{
	unsigned columns = 0;

	for (struct glyph g; *utf8; utf8 += g.taken) {
		g = glyph_next(s, utf8);
		columns += g.columns;
	}
	return columns;
}

static void combine(struct sheet *s, unsigned row, unsigned column, const struct glyph *g)
{
	struct sheet_cell *c = column ? sheet_at(s, row, column - 1) : NULL;

	if (c && c->columns == 0 && column > 1)
		c--;
	if (c && !s->ascii && strlen(c->text) + g->n < SHEET_CELL)
		memcpy(c->text + strlen(c->text), g->text, g->n);
}

static void draw_glyph(struct sheet *s, unsigned row, unsigned column, unsigned style, const struct glyph *g)
{
	if (g->columns == 0)
		combine(s, row, column, g);
	else if (s->ascii && g->columns == 2)
		for (unsigned i = 0; i < 2; i++)
			cell_put(s, row, column + i, style, g->text + i, 1, 1);
	else
		cell_put(s, row, column, style, g->text, g->n, g->columns);
}

static unsigned room_at(const struct sheet *s, unsigned row, unsigned column, unsigned width)
{
	if (row >= s->rows || column >= s->columns)
		return 0;
	return width < s->columns - column ? width : s->columns - column;
}

unsigned sheet_text(struct sheet *s, unsigned row, unsigned column, unsigned width, unsigned style, const char *utf8)
{
	unsigned room = room_at(s, row, column, width), at = 0;
	bool cut;

	if (room == 0)
		return 0;
	cut = drawn_columns(s, utf8) > room;
	for (struct glyph g; *utf8; utf8 += g.taken) {
		g = glyph_next(s, utf8);
		if (at + g.columns > room - cut)
			break;
		draw_glyph(s, row, column + at, style, &g);
		at += g.columns;
	}
	if (cut)
		cell_put(s, row, column + at++, style, s->ascii ? "~" : "…", s->ascii ? 1 : strlen("…"), 1);
	return at;
}

unsigned sheet_right(struct sheet *s, unsigned row, unsigned column, unsigned width, unsigned style, const char *utf8)
{
	unsigned room = room_at(s, row, column, width), all = drawn_columns(s, utf8);

	if (room == 0)
		return 0;
	if (all <= room)
		return sheet_text(s, row, column + room - all, all, style, utf8);
	for (struct glyph g; all > room - 1; utf8 += g.taken) {
		g = glyph_next(s, utf8);
		all -= g.columns;
	}
	cell_put(s, row, column, style, s->ascii ? "~" : "…", s->ascii ? 1 : strlen("…"), 1);
	return 1 + sheet_text(s, row, column + 1, room - 1, style, utf8);
}

unsigned sheet_textf(
	struct sheet *s, unsigned row, unsigned column, unsigned width, unsigned style, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	return sheet_text(s, row, column, width, style, text);
}

void sheet_fill(struct sheet *s, unsigned row, unsigned column, unsigned width, unsigned style, const char *glyph)
{
	struct glyph g = glyph_next(s, glyph);

	width = room_at(s, row, column, width);
	for (unsigned i = 0; i < width; i++)
		cell_put(s, row, column + i, style, g.text, g.n, 1);
}

void sheet_blank(struct sheet *s, unsigned row, unsigned column, unsigned width)
{
	sheet_fill(s, row, column, width, PAINT_PLAIN, " ");
}

void sheet_mark(struct sheet *s, unsigned row, unsigned column, unsigned width, unsigned flags)
{
	width = room_at(s, row, column, width);
	for (unsigned i = 0; i < width; i++)
		sheet_at(s, row, column + i)->style |= (uint8_t)flags;
}

static void dump_styles(const struct sheet *s, unsigned row, struct text *ret)
{
	static const char letters[] = " bwgu*d";
	size_t begin = ret->n;
	bool any = false;

	for (unsigned i = 0; i < s->columns; i++) {
		uint8_t style = s->cells[(size_t)row * s->columns + i].style;
		char letter =
			style & STYLE_REVERSE ? (char)('0' + (style & STYLE_PAINT)) : letters[style & STYLE_PAINT];

		any |= letter != ' ';
		text_addf(ret, "%c", letter);
	}
	while (ret->n > begin && ret->p[ret->n - 1] == ' ')
		ret->n--;
	ret->p[ret->n] = '\0';
	if (any)
		text_add(ret, "\n");
}

void sheet_dump(const struct sheet *s, bool styles, struct text *ret)
{
	for (unsigned row = 0; row < s->rows; row++) {
		for (unsigned i = 0; i < s->columns; i++)
			text_add(ret, s->cells[(size_t)row * s->columns + i].text);
		while (ret->n && ret->p[ret->n - 1] == ' ')
			ret->n--;
		ret->p[ret->n] = '\0';
		text_add(ret, "\n");
		if (styles)
			dump_styles(s, row, ret);
	}
}
