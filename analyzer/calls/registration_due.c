/* SPDX-License-Identifier: MIT */
/* registration_due: which registration must be looked at next: a binary heap by time. */
#include "analyzer/calls/registration_private.h"

#include <stdlib.h>

#include "captures/base/memory.h"

static void due_put(struct due *h, size_t at, struct registration_record *r)
{
	h->items[at] = r;
	r->due_at = at + 1;
}

static void due_up(struct due *h, size_t at)
{
	struct registration_record *r = h->items[at];

	for (; at > 0 && h->items[(at - 1) / 2]->due_ns > r->due_ns; at = (at - 1) / 2)
		due_put(h, at, h->items[(at - 1) / 2]);
	due_put(h, at, r);
}

static void due_down(struct due *h, size_t at)
{
	struct registration_record *r = h->items[at];

	for (;;) {
		size_t child = 2 * at + 1;

		if (child + 1 < h->count && h->items[child + 1]->due_ns < h->items[child]->due_ns)
			child++;
		if (child >= h->count || h->items[child]->due_ns >= r->due_ns)
			break;
		due_put(h, at, h->items[child]);
		at = child;
	}
	due_put(h, at, r);
}

void due_remove(struct due *h, struct registration_record *r)
{
	size_t at = r->due_at - 1;
	struct registration_record *last;

	if (!r->due_at)
		return;
	r->due_at = 0;
	last = h->items[--h->count];
	if (last == r)
		return;
	due_put(h, at, last);
	due_up(h, at);
	due_down(h, last->due_at - 1);
}

void due_set(struct due *h, struct registration_record *r, int64_t at_ns)
{
	due_remove(h, r);
	if (h->count == h->room) {
		h->room = h->room ? h->room * 2 : 64;
		h->items = memory_resize(h->items, h->room, sizeof(*h->items));
	}
	r->due_ns = at_ns;
	due_put(h, h->count++, r);
	due_up(h, r->due_at - 1);
}

void due_fini(struct due *h)
{
	free(h->items);
}
