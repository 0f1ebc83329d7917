/* SPDX-License-Identifier: MIT */
/* list: selection by identity. */
#include "ui/dashboard/list.h"

static void select_at(struct list *l, size_t at, list_id_fn *id, const void *context)
{
	l->at = (uint32_t)at;
	l->id = id(context, at);
}

void list_touch(struct list *l)
{
	l->untouched = false;
}

void list_sync(struct list *l, size_t count, bool to_first, list_id_fn *id, const void *context)
{
	if (count == 0) {
		l->at = l->top = 0;
		return;
	}
	l->untouched |= l->id == 0;
	if (l->untouched && to_first) {
		l->top = 0;
		select_at(l, 0, id, context);
		return;
	}
	if (l->id && l->at < count && id(context, l->at) == l->id)
		return;
	for (size_t i = 0; l->id && i < count; i++) {
		if (id(context, i) == l->id) {
			int64_t top = (int64_t)l->top + (int64_t)i - l->at;

			l->top = top < 0 ? 0 : (uint32_t)top;
			l->at = (uint32_t)i;
			return;
		}
	}
	select_at(l, l->at < count ? l->at : count - 1, id, context);
}

static void bring_in_sight(struct list *l, size_t count)
{
	uint32_t shown = l->shown ? l->shown : 1;

	if (!l->sized) /* whoever draws it will */
		return;
	if (l->top + shown > count)
		l->top = count > shown ? (uint32_t)count - shown : 0;
	if (l->at < l->top)
		l->top = l->at;
	if (l->at >= l->top + shown)
		l->top = l->at - shown + 1;
}

void list_place(struct list *l, size_t count, unsigned row, unsigned column, unsigned width, unsigned shown)
{
	l->row = (uint16_t)row;
	l->column = (uint16_t)column;
	l->width = (uint16_t)width;
	l->shown = (uint16_t)shown;
	l->sized = true;
	bring_in_sight(l, count);
}

void list_select(struct list *l, size_t count, size_t at, list_id_fn *id, const void *context)
{
	list_touch(l);
	if (at < count)
		select_at(l, at, id, context);
	bring_in_sight(l, count);
}

static size_t moved(size_t at, size_t count, int64_t by)
{
	int64_t to = (int64_t)at + by;

	return to < 0 ? 0 : (size_t)to >= count ? count - 1 : (size_t)to;
}

bool list_act(struct list *l, size_t count, enum action a, list_id_fn *id, const void *context)
{
	int64_t page = l->shown > 1 ? l->shown - 1 : 1, by;

	switch ((int)a) {
	case ACTION_UP: by = -1; break;
	case ACTION_DOWN: by = 1; break;
	case ACTION_PAGE_UP: by = -page; break;
	case ACTION_PAGE_DOWN: by = page; break;
	case ACTION_HALF_UP: by = -(page + 1) / 2; break;
	case ACTION_HALF_DOWN: by = (page + 1) / 2; break;
	case ACTION_FIRST: by = -(int64_t)count; break;
	case ACTION_LAST: by = (int64_t)count; break;
	default: return false; /* not of lists */
	}
	if (count)
		list_select(l, count, moved(l->at, count, by), id, context);
	return true;
}

void list_scroll(struct list *l, size_t count, int rows, list_id_fn *id, const void *context)
{
	uint32_t shown = l->shown ? l->shown : 1, last = count > shown ? (uint32_t)count - shown : 0;
	int64_t top = (int64_t)l->top + rows;

	if (count == 0)
		return;
	list_touch(l);
	l->top = top < 0 ? 0 : top > last ? last : (uint32_t)top;
	if (l->at < l->top)
		select_at(l, l->top, id, context);
	else if (l->at >= l->top + shown)
		select_at(l, l->top + shown - 1, id, context);
}
