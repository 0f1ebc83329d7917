/* SPDX-License-Identifier: MIT */
/* passages: one walk over the directions of all calls, by the two addresses of what came. */
#include "analyzer/detect/passages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/detect/lookup.h"
#include "analyzer/detect/say.h"
#include "captures/base/arena.h"
#include "captures/base/memory.h"

enum { PACKETS_ENOUGH = 25, SECONDS_SPELT = 120 };

struct way {                         /* from one host to another */
	struct hash_link link;
	struct address from, to;
	int64_t *begun_ns;           /* a direction each */
	size_t count, room;
	bool sorted;
};

struct passages {
	struct hash ways;
	struct arena *arena;
};

static uint32_t way_hash(const struct address *from, const struct address *to)
{
	return (uint32_t)hash_mix(hash_bytes(from, sizeof *from), hash_bytes(to, sizeof *to));
}

static struct way *way_find(const struct passages *p, const struct address *from, const struct address *to)
{
	uint32_t hash = way_hash(from, to);

	for (struct hash_link *it = hash_first(&p->ways, hash); it; it = it->next) {
		struct way *w = HASH_ENTRY(it, struct way, link);

		if (it->hash == hash && address_equal(&w->from, from) && address_equal(&w->to, to))
			return w;
	}
	return NULL;
}

static void way_note(struct passages *p, const struct stream *s)
{
	struct way *w = way_find(p, &s->src.addr, &s->dst.addr);

	if (!w) {
		w = arena_zalloc(p->arena, sizeof *w);
		w->from = s->src.addr;
		w->to = s->dst.addr;
		hash_add(&p->ways, &w->link, way_hash(&w->from, &w->to));
	}
	if (w->count == w->room) {
		int64_t *more = arena_zalloc(p->arena, (w->room ? 2 * w->room : 4) * sizeof *more);

		if (w->count)
			memcpy(more, w->begun_ns, w->count * sizeof *more);
		w->begun_ns = more;
		w->room = w->room ? 2 * w->room : 4;
	}
	w->begun_ns[w->count++] = s->first_ns;
}

/* Its first stream of some length; a call that moves its media is one call. */
static void take_direction(struct passages *p, const struct direction *d)
{
	for (unsigned i = 0; i < d->stream_count; i++) {
		if (d->streams[i]->audio >= PACKETS_ENOUGH) {
			way_note(p, d->streams[i]);
			return;
		}
	}
}

struct passages *passages_new(const struct calls *calls)
{
	struct passages *p = memory_zalloc(sizeof *p);

	hash_init(&p->ways);
	p->arena = arena_new();
	LIST_EACH(it, calls_legs(calls)) {
		const struct dialog *d = LIST_ENTRY(it, struct leg, in_order)->confirmed;

		for (unsigned i = 0; d && i < d->mslot_count; i++) {
			if (d->mslots[i].kind != SDP_AUDIO)
				continue;
			take_direction(p, &d->mslots[i].direction[SIDE_CALLER]);
			take_direction(p, &d->mslots[i].direction[SIDE_CALLEE]);
		}
	}
	return p;
}

void passages_free(struct passages *p)
{
	if (!p)
		return;
	hash_fini(&p->ways);
	arena_free(p->arena);
	free(p);
}

static int time_compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* How many began before that time. */
static size_t begun_before(struct way *w, int64_t at_ns)
{
	size_t low = 0, high = w->count;

	if (!w->sorted)
		qsort(w->begun_ns, w->count, sizeof *w->begun_ns, time_compare);
	w->sorted = true;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (w->begun_ns[middle] < at_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* On which this direction's audio was due and others' came: what SDP says of both ends, or where the receiver sits. */
static struct way *way_of(const struct passages *p, const struct direction *d, const struct window *due)
{
	struct address receiver = party_seen_at(d, side_other(d->sender)).addr;
	struct way *w = NULL;

	for (unsigned i = 0; !w && i < due->source_count; i++) {
		const struct address *from = &due->sources[i].at.addr;

		w = way_find(p, from, &receiver);
		for (unsigned k = 0; !w && k < due->target_count; k++)
			w = way_find(p, from, &due->targets[k].at.addr);
	}
	return w;
}

static const char *ago(int64_t length_ns, char text[SAY_TEXT])
{
	int64_t seconds = length_ns / SECOND_NS;

	if (seconds < SECONDS_SPELT)
		snprintf(text, SAY_TEXT, "%d s", (int)seconds);
	else
		snprintf(text, SAY_TEXT, "%d min", (int)(seconds / 60));
	return text;
}

void passages_say(struct finding *f, const struct facts *facts, const struct direction *d, const struct hearing *h)
{
	struct way *w = h->failure != FAILURE_ABSENT || d->stream_count ? NULL
		: way_of(lookup_passages(facts->lookup), d, h->window);
	size_t before, since;
	char from[ADDRESS_TEXT], to[ADDRESS_TEXT], text[SAY_TEXT];

	if (!w)
		return;
	before = begun_before(w, h->window->on_ns);
	since = w->count - before;
	if (before == 0)
		return;
	address_text(&w->from, from);
	address_text(&w->to, to);
	if (since)
		finding_earlier(f, "audio of %s reached %s in %zu call%s before and %zu since: not every call on this way has it",
			from, to, before, before == 1 ? "" : "s", since);
	else if (before == 1)
		finding_earlier(f, "audio of %s reached %s in a call before that began %s earlier, and in none since: something on this way may have been changed then",
			from, to, ago(ns_minus(h->window->on_ns, w->begun_ns[0]), text));
	else
		finding_earlier(f, "audio of %s reached %s in %zu calls before, the last of which began %s earlier, and in none since: something on this way was changed then",
			from, to, before, ago(ns_minus(h->window->on_ns, w->begun_ns[before - 1]), text));
}
