/* SPDX-License-Identifier: MIT */
/* canvas: one line of a drawing, column by column. */
#ifndef DEADAIR_UI_CANVAS_H
#define DEADAIR_UI_CANVAS_H

#include "ui/out.h"

enum { CANVAS_COLUMNS = 80, CANVAS_CELL = 16 };

struct canvas {
	char cells[CANVAS_COLUMNS][CANVAS_CELL];     /* a character each; "" behind one that takes two columns */
};

void canvas_clear(struct canvas *c);
/* From column at; what goes beyond the last one is left out. */
void canvas_text(struct canvas *c, size_t at, const char *utf8);
/* Every column of [from, to). */
void canvas_fill(struct canvas *c, size_t from, size_t to, const char *glyph);
bool canvas_is_free(const struct canvas *c, size_t from, size_t to);
/* Without blanks at the end, with a newline. */
void canvas_print(const struct canvas *c, struct out *o);

#endif
