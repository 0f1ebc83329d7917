/* SPDX-License-Identifier: MIT */
/* list: a selection that stays on its item, and its item on its row, whatever comes and goes around it. */
#ifndef DEADAIR_DASHBOARD_LIST_H
#define DEADAIR_DASHBOARD_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ui/dashboard/keys.h"

struct list {
	uint64_t id; /* of the selected item; 0 none yet */
	uint32_t at, top; /* rows: the selected one, the first on the screen */
	uint16_t row, column, width, shown; /* where it stands on the screen */
	bool sized; /* it was drawn before */
	bool untouched; /* nobody chose the row */
	uint32_t seen; /* what is newer came while the reader looked elsewhere; 0 nothing was seen yet */
};

typedef uint64_t list_id_fn(const void *context, size_t row); /* never 0 */

/* Finds the selected item again. to_first: while nobody chose it, it is the first one, whichever that is. */
void list_sync(struct list *l, size_t count, bool to_first, list_id_fn *id, const void *context);
/* What is selected was chosen. */
void list_touch(struct list *l);
/* Where it is drawn; the selected row is brought in sight. */
void list_place(struct list *l, size_t count, unsigned row, unsigned column, unsigned width, unsigned shown);
void list_select(struct list *l, size_t count, size_t at, list_id_fn *id, const void *context);
/* False: not an action of lists. */
bool list_act(struct list *l, size_t count, enum action a, list_id_fn *id, const void *context);
void list_scroll(struct list *l, size_t count, int rows, list_id_fn *id, const void *context);

#endif
