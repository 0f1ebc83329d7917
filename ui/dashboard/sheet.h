/* SPDX-License-Identifier: MIT */
/*
 * sheet: the canvas of the dashboard: cells with a style, drawn upon without a terminal. Whatever the text, a cell
 * holds one printable
 * character: this is the one door of packet text to the terminal.
 */
#ifndef DEADAIR_DASHBOARD_SHEET_H
#define DEADAIR_DASHBOARD_SHEET_H

#include <stdbool.h>
#include <stdint.h>

#include "ui/out.h"

enum { SHEET_CELL = 14, SHEET_ROWS_MAX = 200, SHEET_COLUMNS_MAX = 500 };
/* A style is an enum paint and any of these. */
enum { STYLE_PAINT = 0x0f, STYLE_REVERSE = 0x10, STYLE_UNDERLINE = 0x20 };

struct sheet_cell {
	char text[SHEET_CELL]; /* a character with what combines with it; "" behind one that takes two columns */
	uint8_t style;
	uint8_t columns; /* 0 behind a wide one */
};

struct sheet {
	unsigned rows, columns;
	bool ascii; /* glyphs have stand-ins, other characters beyond ASCII become ? */
	struct sheet_cell *cells; /* rows * columns */
};

void sheet_init(struct sheet *s, unsigned rows, unsigned columns, bool ascii); /* sizes are brought within bounds */
void sheet_fini(struct sheet *s);
void sheet_clear(struct sheet *s);
struct sheet_cell *sheet_at(struct sheet *s, unsigned row, unsigned column); /* NULL: outside */

/* From a column on, at most so many columns: what is longer ends in "…". Gives the columns used. */
unsigned sheet_text(struct sheet *s, unsigned row, unsigned column, unsigned width, unsigned style, const char *utf8);
/* The same, ending at the right of the width; what is longer begins with "…". */
unsigned sheet_right(struct sheet *s, unsigned row, unsigned column, unsigned width, unsigned style, const char *utf8);
unsigned sheet_textf(struct sheet *s, unsigned row, unsigned column, unsigned width, unsigned style, const char *format,
	...) __attribute__((format(printf, 6, 7)));
void sheet_fill(struct sheet *s, unsigned row, unsigned column, unsigned width, unsigned style, const char *glyph);
/* Flags are added to the style of what is drawn there. */
void sheet_mark(struct sheet *s, unsigned row, unsigned column, unsigned width, unsigned flags);
void sheet_blank(struct sheet *s, unsigned row, unsigned column, unsigned width);

/* The rows as text, without blanks at their ends; styles: below each row that has any, a letter a cell. */
void sheet_dump(const struct sheet *s, bool styles, struct text *ret);

#endif
