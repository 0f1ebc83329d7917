/* SPDX-License-Identifier: MIT */
/* latching: one walk over the directions of all answered calls, by address of the sender. */
#include "analyzer/detect/latching.h"

#include <stdlib.h>

#include "captures/base/arena.h"
#include "captures/base/memory.h"

enum { CALLS_ENOUGH = 2 };           /* one may be chance */

#define SILENT_NS (500 * MILLISECOND_NS)      /* due, and silent for so long */
#define FOLLOWS_NS (300 * MILLISECOND_NS)     /* begins so soon after the first packet: because of it */

struct habit {
	struct hash_link by_address;
	struct address addr;
	unsigned waited, led;
};

struct latching {
	struct hash habits;
	struct arena *arena;
};

static struct habit *habit_find(const struct latching *l, const struct address *a)
{
	uint32_t hash = address_hash(a);

	for (struct hash_link *it = hash_first(&l->habits, hash); it; it = it->next) {
		struct habit *h = HASH_ENTRY(it, struct habit, by_address);

		if (it->hash == hash && address_equal(&h->addr, a))
			return h;
	}
	return NULL;
}

static struct habit *habit_add(struct latching *l, const struct address *a)
{
	struct habit *h = habit_find(l, a);

	if (h)
		return h;
	h = arena_zalloc(l->arena, sizeof *h);
	h->addr = *a;
	hash_add(&l->habits, &h->by_address, address_hash(a));
	return h;
}

static const struct stream *first_stream(const struct direction *d)
{
	const struct stream *first = NULL;

	for (unsigned i = 0; i < d->stream_count; i++) {
		if (!first || d->streams[i]->first_ns < first->first_ns)
			first = d->streams[i];
	}
	return first;
}

static void take_direction(struct latching *l, const struct direction *d)
{
	const struct window *due = direction_first_due(d);
	const struct stream *own = first_stream(d), *other = first_stream(&d->slot->direction[side_other(d->sender)]);

	if (!due || !own || own->first_ns < due->on_ns)
		return;
	if (!other || own->first_ns < other->first_ns)
		habit_add(l, &own->src.addr)->led++;
	else if (other->first_ns - due->on_ns >= SILENT_NS && own->first_ns - other->first_ns <= FOLLOWS_NS)
		habit_add(l, &own->src.addr)->waited++;
}

struct latching *latching_new(const struct calls *calls)
{
	struct latching *l = memory_zalloc(sizeof *l);

	hash_init(&l->habits);
	l->arena = arena_new();
	LIST_EACH(it, calls_legs(calls)) {
		const struct dialog *d = LIST_ENTRY(it, struct leg, in_order)->confirmed;

		for (unsigned i = 0; d && i < d->mslot_count; i++) {
			take_direction(l, &d->mslots[i].direction[SIDE_CALLER]);
			take_direction(l, &d->mslots[i].direction[SIDE_CALLEE]);
		}
	}
	return l;
}

void latching_free(struct latching *l)
{
	if (!l)
		return;
	hash_fini(&l->habits);
	arena_free(l->arena);
	free(l);
}

unsigned latching_waits(const struct latching *l, const struct address *a)
{
	const struct habit *h = habit_find(l, a);

	return h && !h->led && h->waited >= CALLS_ENOUGH ? h->waited : 0;
}
