/* SPDX-License-Identifier: MIT */
/* ends: who sends to whom, whole, below a list whose rows have no room for two long addresses. */
#include "ui/dashboard/parts.h"

#include <string.h>

enum { MARGIN = 1, ARROW = 3, ONE_ROW = 1, TWO_ROWS = 2 };

unsigned ends_rows(const struct sheet *s, const char *from, const char *to, unsigned room)
{
	size_t columns = text_columns(from) + ARROW + text_columns(to);

	if (columns <= room)
		return 0;
	return columns + MARGIN <= s->columns ? ONE_ROW : TWO_ROWS;
}

void ends_draw(struct sheet *s, unsigned row, unsigned rows, const char *from, const char *to)
{
	if (rows == 0)
		return;
	sheet_textf(s, row, MARGIN, s->columns, PAINT_PLAIN, rows == ONE_ROW ? "%s → %s" : "%s →", from, to);
	if (rows == TWO_ROWS)
		sheet_textf(s, row + 1, MARGIN + ARROW - 1, s->columns, PAINT_PLAIN, "%s", to);
}
