/* SPDX-License-Identifier: MIT */
/* answer: state and cells as bytes. */
#include "ui/dashboard/answer.h"

#include <string.h>

struct answer {
	struct dashboard state;
	uint16_t rows, columns;
};

void answer_make(void *world, const void *asked, size_t n, struct text *ret)
{
	struct world *w = world;
	struct question q;
	struct answer a;
	struct sheet s;

	if (n != sizeof q)
		return;
	memcpy(&q, asked, sizeof q);
	w->numbers = q.numbers;
	for (unsigned i = 0; i < q.event_count && i < EVENTS_AT_ONCE; i++)
		dashboard_key(&q.state, w, &q.events[i]);
	sheet_init(&s, q.rows, q.columns, q.ascii);
	dashboard_draw(&q.state, w, &s);
	a = (struct answer){ .state = q.state, .rows = (uint16_t)s.rows, .columns = (uint16_t)s.columns };
	text_add_bytes(ret, &a, sizeof a);
	text_add_bytes(ret, s.cells, (size_t)s.rows * s.columns * sizeof *s.cells);
	sheet_fini(&s);
}

bool answer_take(const struct text *t, struct dashboard *d, struct sheet *s)
{
	struct answer a;
	size_t cells;

	if (t->n < sizeof a)
		return false;
	memcpy(&a, t->p, sizeof a);
	cells = (size_t)a.rows * a.columns * sizeof *s->cells;
	if (t->n != sizeof a + cells)
		return false;
	if (s->rows != a.rows || s->columns != a.columns) {
		bool ascii = s->ascii;

		sheet_fini(s);
		sheet_init(s, a.rows, a.columns, ascii);
	}
	memcpy(s->cells, t->p + sizeof a, cells);
	*d = a.state;
	return true;
}
