/* SPDX-License-Identifier: MIT */
/* standstill: each silence of the capture is asked which streams it cut. */
#include "analyzer/detect/standstill.h"

#include <stdlib.h>

#include "analyzer/media/expectation.h"
#include "captures/base/memory.h"

enum { LOST_MS = 40, CUT_PACKETS = 20 };

#define ALONE_NS SECOND_NS                   /* of a single stream: shorter holes are the network's daily bread */
#define EDGE_NS (100 * MILLISECOND_NS)       /* so near a silence its beginning or end cut a stream */
#define PAUSED_NS (200 * MILLISECOND_NS)     /* whoever was quiet so long before it had another reason */

/* What is said of one silence. */
struct cut {
	const struct stream *lost;   /* the first of those that go on behind it and miss what they were sent */
	unsigned lost_count;
	bool apart;                  /* one of another pair of hosts, or another direction, too */
	/* the first of those that are not there on its other side, although they were due */
	const struct stream *edge;
	bool edges;                  /* one of another sender, too */
	/* streams that were quiet before: here the change from the silence before this one */
	int paused;
};

/* The first silence that ends behind that time. */
static unsigned silence_ending_behind(const struct silences *c, int64_t at_ns)
{
	unsigned low = 0, high = c->count;

	while (low < high) {
		unsigned middle = low + (high - low) / 2;

		if (c->list[middle].to_ns <= at_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The first silence that begins at that time or later. */
static unsigned silence_from(const struct silences *c, int64_t at_ns)
{
	unsigned i = silence_ending_behind(c, at_ns);

	return i < c->count && c->list[i].from_ns < at_ns ? i + 1 : i;
}

const struct stillness *silence_over(const struct silences *c, int64_t from_ns, int64_t to_ns)
{
	/* none without the middle is so long */
	unsigned i = silence_ending_behind(c, from_ns + (to_ns - from_ns) / 2);
	const struct stillness *s = i < c->count ? &c->list[i] : NULL;
	int64_t begin_ns, end_ns;

	if (!s)
		return NULL;
	begin_ns = s->from_ns > from_ns ? s->from_ns : from_ns;
	end_ns = s->to_ns < to_ns ? s->to_ns : to_ns;
	return end_ns - begin_ns >= (to_ns - from_ns) / 10 * 9 ? s : NULL;
}

static void note_lost(struct cut *cut, const struct stream *s)
{
	cut->lost_count++;
	if (!cut->lost)
		cut->lost = s;
	cut->apart |= !address_equal(&cut->lost->src.addr, &s->src.addr) ||
		!address_equal(&cut->lost->dst.addr, &s->dst.addr);
}

static void note_edge(struct cut *cut, const struct stream *s)
{
	if (!cut->edge)
		cut->edge = s;
	cut->edges |= !address_equal(&cut->edge->src.addr, &s->src.addr);
}

/*
 * Does the silence lie within the gap, and would all that is missing have come in it? The rest of the gap is a pause.
 */
static bool holds_loss(const struct stillness *s, const struct gap *g)
{
	return s->from_ns >= g->from_ns && s->to_ns <= g->to_ns &&
	       ns_minus(s->to_ns, s->from_ns) + PAUSED_NS >= g->lost_ms * MILLISECOND_NS;
}

/* The silence that may have swallowed what a stream lacks: most of the gap, its beginning, or its end. NULL none. */
static const struct stillness *silence_of(const struct silences *c, const struct gap *g)
{
	const struct stillness *over = silence_over(c, g->from_ns, g->to_ns);
	unsigned first, end;

	if (over)
		return over;
	first = silence_from(c, g->from_ns);
	end = silence_ending_behind(c, g->to_ns);
	if (first < end && c->list[first].from_ns - g->from_ns <= EDGE_NS && holds_loss(&c->list[first], g))
		return &c->list[first];
	if (first < end && g->to_ns - c->list[end - 1].to_ns <= EDGE_NS && holds_loss(&c->list[end - 1], g))
		return &c->list[end - 1];
	return NULL;
}

static void note_gap(struct cut *cuts, const struct silences *c, const struct stream *s, const struct gap *g)
{
	const struct stillness *over = g->restart || g->lost_ms < LOST_MS ? NULL : silence_of(c, g);
	unsigned first, end;

	if (over) {
		note_lost(&cuts[over - c->list], s);
		return;
	}
	first = silence_from(c, g->restart || g->held ? g->from_ns : ns_add(g->from_ns, PAUSED_NS));
	end = silence_ending_behind(c, g->to_ns);
	if (first < end) {
		cuts[first].paused++;
		cuts[end].paused--;
	}
}

/* Audio of this direction was due at that time. */
static bool was_due(const struct stream *s, int64_t at_ns)
{
	const struct window *w = s->direction ? direction_window_at(s->direction, at_ns) : NULL;

	return w && w->state == EXPECT_DUE;
}

/* It broke off where a silence begins, or was under way where one ends: the marker shows whoever begins to talk. */
static void note_edges(struct cut *cuts, const struct silences *c, const struct stream *s)
{
	unsigned i;

	if (s->packets < CUT_PACKETS)
		return;
	i = silence_from(c, s->last_ns);
	if (i < c->count && c->list[i].from_ns - s->last_ns <= EDGE_NS &&
	    was_due(s, ns_add(c->list[i].from_ns, ALONE_NS)))
		note_edge(&cuts[i], s);
	i = silence_ending_behind(c, s->first_ns);
	if (i > 0 && s->first_ns - c->list[i - 1].to_ns <= EDGE_NS && !s->begins_marked &&
	    was_due(s, ns_add(c->list[i - 1].to_ns, -ALONE_NS)))
		note_edge(&cuts[i - 1], s);
}

/*
 * All that was on its way was cut: no stream that goes on behind the silence lacks nothing. And it was no stream's own
 * doing: packets are missing, or two senders broke off, or had begun, at once.
 */
static bool is_standstill(const struct cut *cut, const struct stillness *s, unsigned paused, const struct lives *l)
{
	bool alone = s->to_ns - s->from_ns >= ALONE_NS;

	if (!cut->lost && !(alone && cut->edges))
		return false;
	if (cut->lost && !alone && !cut->apart)
		return false;
	return lives_over(l, s->from_ns, ns_add(s->to_ns, -1)) <= cut->lost_count + paused;
}

struct moments standstills_reckon(const struct facts *f, const struct silences *c, int file)
{
	struct moments still = { NULL, 0 };
	struct lives lives;
	struct cut *cuts;
	int paused = 0;

	if (c->count == 0 || streams_in_order(f->streams)->count == 0)
		return still;
	cuts = memory_zalloc((c->count + 1u) * sizeof *cuts);
	LIST_EACH(it, streams_in_order(f->streams)) {
		const struct stream *s = LIST_ENTRY(it, struct stream, in_order);

		if (file != EVERY_FILE && s->file != file)
			continue;
		for (unsigned i = 0; i < s->gap_count; i++) {
			if (!s->gaps[i].new_source)
				note_gap(cuts, c, s, &s->gaps[i]);
		}
		note_edges(cuts, c, s);
	}
	lives = lives_of(f, file);
	for (unsigned i = 0; i < c->count; i++) {
		const struct stillness *s = &c->list[i];

		paused += cuts[i].paused;
		if (is_standstill(&cuts[i], s, (unsigned)paused, &lives))
			moments_add(&still, (struct loss_moment){ s->from_ns, s->to_ns, cuts[i].lost_count });
	}
	lives_fini(&lives);
	free(cuts);
	return still;
}
