/* SPDX-License-Identifier: MIT */
/* survey: see the header. */
#include "analyzer/detect/survey.h"

#include <stdlib.h>

#include "captures/base/memory.h"

void leg_list_add(struct leg_list *l, const struct leg *leg)
{
	if (l->count == l->room) {
		l->room = l->room ? l->room * 2 : 16;
		l->list = memory_resize(l->list, l->room, sizeof *l->list);
	}
	l->list[l->count++] = leg;
}

void leg_list_clear(struct leg_list *l)
{
	free(l->list);
	*l = (struct leg_list){ NULL, 0, 0 };
}

const struct transaction *leg_plain_answered(const struct leg *leg)
{
	LIST_EACH(it, &leg->transactions) {
		const struct transaction *t = LIST_ENTRY(it, struct transaction, in_leg);

		if (t->initial && t->final && t->final->status < 300)
			return t;
	}
	return NULL;
}
