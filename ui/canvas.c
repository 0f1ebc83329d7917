/* SPDX-License-Identifier: MIT */
/* canvas: a line that is drawn column by column. */
#include "ui/canvas.h"

void canvas_clear(struct canvas *c)
{
	for (size_t i = 0; i < CANVAS_COLUMNS; i++)
		strcpy(c->cells[i], " ");
}

/* One character, with those of no width that follow it as far as there is room. */
static size_t character_take(const char *utf8, char cell[CANVAS_CELL])
{
	size_t n = 0;

	cell[0] = '\0';
	do {
		char one[8] = "";
		size_t bytes = 1;

		while (((unsigned char)utf8[n + bytes] & 0xc0) == 0x80 && bytes < 4)
			bytes++;
		memcpy(one, utf8 + n, bytes);
		if (n && text_columns(one) > 0)
			break;
		if (strlen(cell) + bytes < CANVAS_CELL)
			strcat(cell, one);
		n += bytes;
	} while (utf8[n]);
	return n;
}

void canvas_text(struct canvas *c, size_t at, const char *utf8)
{
	while (*utf8) {
		char cell[CANVAS_CELL];
		size_t n = character_take(utf8, cell), columns = text_columns(cell);

		if (at + columns > CANVAS_COLUMNS)
			return;
		if (columns)
			strcpy(c->cells[at], cell);
		if (columns > 1)
			c->cells[at + 1][0] = '\0';
		at += columns;
		utf8 += n;
	}
}

void canvas_fill(struct canvas *c, size_t from, size_t to, const char *glyph)
{
	for (size_t i = from; i < to && i < CANVAS_COLUMNS; i++)
		strcpy(c->cells[i], glyph);
}

bool canvas_is_free(const struct canvas *c, size_t from, size_t to)
{
	for (size_t i = from; i < to && i < CANVAS_COLUMNS; i++)
		if (strcmp(c->cells[i], " ") != 0)
			return false;
	return true;
}

void canvas_print(const struct canvas *c, struct out *o)
{
	size_t end = CANVAS_COLUMNS;

	while (end && strcmp(c->cells[end - 1], " ") == 0)
		end--;
	for (size_t i = 0; i < end; i++)
		out_text(o, c->cells[i]);
	out_text(o, "\n");
}
