/* SPDX-License-Identifier: MIT */
/*
 * answer: the dashboard over a pipe. The terminal's process asks with its state and what was pressed; the picture
 * answers with the state after it and
 * the cells to show. Both are copies of one program: bytes go as they lie in memory.
 */
#ifndef DEADAIR_DASHBOARD_ANSWER_H
#define DEADAIR_DASHBOARD_ANSWER_H

#include "ui/dashboard/dashboard.h"

enum { EVENTS_AT_ONCE = 64 };

struct question {
	struct dashboard state;
	struct numbers numbers;
	uint16_t rows, columns;
	bool ascii;
	uint8_t event_count;
	struct dashboard_event events[EVENTS_AT_ONCE];
};

/* In the picture; world: struct world. A question of another size gets no answer. */
void answer_make(void *world, const void *asked, size_t n, struct text *ret);
/*
 * In the terminal's process: the state goes into d, the cells into s, which gets their size. False: this is no
 * answer.
 */
bool answer_take(const struct text *t, struct dashboard *d, struct sheet *s);

#endif
