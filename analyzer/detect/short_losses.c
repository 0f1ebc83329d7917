/* SPDX-License-Identifier: MIT */
/* short_losses: the short holes by time, those that belong together, and what each stream lost in them. */
#include "analyzer/detect/short_losses.h"

#include <stdlib.h>

#include "analyzer/detect/detector.h"
#include "analyzer/media/short_hole.h"
#include "captures/base/memory.h"

enum { STREAMS_LEAST = 4, PAIRS_LEAST = 2, PAIRS_LOOK = 16, BACK_LOOK = 512 };

#define TOGETHER_NS (50 * MILLISECOND_NS)

struct hole {
	int64_t from_ns, to_ns;
	const struct stream *stream;
	uint16_t lost;
};

struct short_own { const struct stream *stream; int64_t to_ns; uint64_t lost; };

static int hole_compare(const void *a, const void *b)
{
	const struct hole *x = a, *y = b;

	if (x->from_ns != y->from_ns)
		return x->from_ns < y->from_ns ? -1 : 1;
	return x->stream->n < y->stream->n ? -1 : x->stream->n > y->stream->n;
}

static int own_compare(const void *a, const void *b)
{
	const struct short_own *x = a, *y = b;

	if (x->stream != y->stream)
		return (uintptr_t)x->stream < (uintptr_t)y->stream ? -1 : 1;
	return x->to_ns < y->to_ns ? -1 : x->to_ns > y->to_ns;
}

static unsigned collect(const struct facts *f, struct hole **ret)
{
	unsigned all, n = 0;
	const struct short_hole *from = streams_short_holes(f->streams, &all);
	struct hole *holes = all ? memory_resize(NULL, all, sizeof *holes) : NULL;

	for (unsigned i = 0; i < all; i++) {
		const struct stream *s = streams_short_hole_of(f->streams, &from[i]);

		if (s)
			holes[n++] = (struct hole){ from[i].from_ns, from[i].from_ns + from[i].length_ms *
				MILLISECOND_NS, s, from[i].lost };
	}
	if (n)
		qsort(holes, n, sizeof *holes, hole_compare);
	*ret = holes;
	return n;
}

/* Streams of which another goes the other way between the same hosts; a few of them are looked at. */
static unsigned pairs_of(const struct hole *holes, unsigned n)
{
	unsigned pairs = 0;

	for (unsigned i = 0; i < n && i < PAIRS_LOOK && pairs < PAIRS_LEAST; i++) {
		const struct stream *a = holes[i].stream;
		bool back = false;

		for (unsigned k = i + 1; k < n && k <= i + BACK_LOOK && !back; k++)
			back = address_equal(&a->src.addr, &holes[k].stream->dst.addr) &&
			       address_equal(&a->dst.addr, &holes[k].stream->src.addr);
		pairs += back;
	}
	return pairs;
}

/* Three of four streams that live then; or all of one call, where TCP has acknowledged what the capture lacks. */
static bool of_capture(const struct facts *f, const struct hole *holes, unsigned n, size_t live)
{
	if (f->capture->tcp_gaps && n == live)
		return pairs_of(holes, n) > 0;
	return n >= STREAMS_LEAST && n * (size_t)4 >= 3 * live && pairs_of(holes, n) >= PAIRS_LEAST;
}

static void add_group(struct short_losses *l, const struct hole *holes, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		moments_add(&l->moments, (struct loss_moment){ holes[i].from_ns, holes[i].to_ns, n });
		l->own[l->own_count++] = (struct short_own){ holes[i].stream, holes[i].to_ns, holes[i].lost };
	}
}

struct short_losses short_losses_reckon(const struct facts *f)
{
	struct short_losses l = { { NULL, 0 }, NULL, 0 };
	struct lives lives = { NULL, NULL, 0 };
	struct hole *holes;
	unsigned n = collect(f, &holes), end = 0;

	if (n) {
		lives = lives_of(f, EVERY_FILE);
		l.own = memory_resize(NULL, n, sizeof *l.own);
	}
	for (unsigned i = 0; i < n;) {
		while (end < n && holes[end].from_ns - holes[i].from_ns <= TOGETHER_NS)
			end++;
		if (of_capture(f, &holes[i], end - i, lives_over(&lives, holes[i].from_ns, holes[i].from_ns))) {
			add_group(&l, &holes[i], end - i);
			i = end;
		} else {
			i++;
		}
	}
	lives_fini(&lives);
	free(holes);
	if (l.own_count)
		qsort(l.own, l.own_count, sizeof *l.own, own_compare);
	for (unsigned i = 1; i < l.own_count; i++) {            /* sums within each stream */
		if (l.own[i].stream == l.own[i - 1].stream)
			l.own[i].lost += l.own[i - 1].lost;
	}
	return l;
}

void short_losses_fini(struct short_losses *l)
{
	moments_fini(&l->moments);
	free(l->own);
}

/* How much of it came before that time. */
static uint64_t lost_before(const struct short_losses *l, const struct stream *s, int64_t at_ns)
{
	unsigned low = 0, high = l->own_count;

	while (low < high) {
		unsigned middle = low + (high - low) / 2;
		const struct short_own *x = &l->own[middle];

		if ((uintptr_t)x->stream < (uintptr_t)s || (x->stream == s && (at_ns == NS_NONE || x->to_ns < at_ns)))
			low = middle + 1;
		else
			high = middle;
	}
	return low && l->own[low - 1].stream == s ? l->own[low - 1].lost : 0;
}

uint64_t short_losses_of(const struct short_losses *l, const struct stream *s, int64_t from_ns, int64_t to_ns)
{
	return l->own_count ? lost_before(l, s, to_ns) - lost_before(l, s, from_ns) : 0;
}
