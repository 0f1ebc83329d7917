/* SPDX-License-Identifier: MIT */
/* call_pane: a call at a glance: who hears whom, lanes, what was found, its proof, a message. */
#ifndef DEADAIR_DASHBOARD_CALL_PANE_H
#define DEADAIR_DASHBOARD_CALL_PANE_H

#include "ui/dashboard/parts.h"

/*
 * Title, sentence, axis, signalling, two lanes, below each its level where that is known and there is room, and since
 * when something is wrong. The first row behind.
 */
unsigned call_head_draw(struct dashboard *d, struct world *w, struct sheet *s, uint64_t call, unsigned row,
	unsigned column, unsigned width);
/* All of it, in a pane beside a list. */
void call_pane_draw(struct dashboard *d, struct world *w, struct sheet *s, uint64_t call, unsigned row, unsigned column,
	unsigned width, unsigned rows);
/* A message's lines, escaped, so many of them; those that the message before does not have (0: none) are marked. */
void message_draw(struct world *w, struct sheet *s, uint64_t call, uint64_t message, uint64_t before, unsigned row,
	unsigned column, unsigned width, unsigned rows);

#endif
