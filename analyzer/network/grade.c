/* SPDX-License-Identifier: MIT */
/*
 * grade: who leaves a full table: the longest idle of those whose traffic a forged address could have made, then of the
 * others.
 */
#include "analyzer/network/internal.h"

void grades_init(struct grades *g)
{
	list_init(&g->of[0]);
	list_init(&g->of[1]);
}

void grades_add(struct grades *g, struct grade *record, int64_t now_ns)
{
	record->established = false;
	record->touched_ns = now_ns;
	list_add_tail(&g->of[0], &record->link);
}

void grades_remove(struct grades *g, struct grade *record)
{
	list_remove(&g->of[record->established], &record->link);
}

void grades_move(struct grades *g, struct grade *record, int64_t now_ns)
{
	record->touched_ns = now_ns;
	list_remove(&g->of[record->established], &record->link);
	list_add_tail(&g->of[record->established], &record->link);
}

bool grades_establish(struct grades *g, struct grade *record)
{
	if (record->established)
		return false;
	list_remove(&g->of[0], &record->link);
	list_add_tail(&g->of[1], &record->link);
	record->established = true;
	return true;
}

struct grade *grades_next(const struct grades *g, const struct grade *spare)
{
	for (int i = 0; i < 2; i++) {
		LIST_EACH(it, &g->of[i]) {
			if (LIST_ENTRY(it, struct grade, link) != spare)
				return LIST_ENTRY(it, struct grade, link);
		}
	}
	return NULL;
}
