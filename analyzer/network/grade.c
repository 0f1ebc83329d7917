/* SPDX-License-Identifier: MIT */
/*
 * grade: who leaves a full table: the longest idle of those that do not telephone, then of those whose traffic a forged
 * address could have made, then of the others.
 */
#include "analyzer/network/internal.h"

void grades_init(struct grades *g)
{
	for (int i = 0; i < GRADE_LEVELS; i++)
		list_init(&g->of[i]);
}

void grades_add(struct grades *g, struct grade *record, int64_t now_ns)
{
	record->level = GRADE_FOREIGN;
	record->touched_ns = now_ns;
	list_add_tail(&g->of[GRADE_FOREIGN], &record->link);
}

void grades_remove(struct grades *g, struct grade *record)
{
	list_remove(&g->of[record->level], &record->link);
}

void grades_move(struct grades *g, struct grade *record, int64_t now_ns)
{
	record->touched_ns = now_ns;
	list_remove(&g->of[record->level], &record->link);
	list_add_tail(&g->of[record->level], &record->link);
}

bool grades_raise(struct grades *g, struct grade *record, enum grade_level level)
{
	if (record->level >= level)
		return false;
	list_remove(&g->of[record->level], &record->link);
	list_add_tail(&g->of[level], &record->link);
	record->level = (uint8_t)level;
	return true;
}

struct grade *grades_next(const struct grades *g, const struct grade *spare)
{
	for (int i = 0; i < GRADE_LEVELS; i++) {
		LIST_EACH(it, &g->of[i]) {
			if (LIST_ENTRY(it, struct grade, link) != spare)
				return LIST_ENTRY(it, struct grade, link);
		}
	}
	return NULL;
}
