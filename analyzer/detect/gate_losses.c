/* SPDX-License-Identifier: MIT */
/* gate_losses: holes of streams that share nothing and begin at the same instant. */
#include "analyzer/detect/gate_losses.h"

#include <stdlib.h>

#include "captures/base/memory.h"

enum { SIMULTANEOUS_STREAMS = 3, PASSING_STREAMS = 3, EACH_WAY = 2, LOOKS_MAX = 256 };

#define SIMULTANEOUS_NS (50 * MILLISECOND_NS)
#define SELECTIVE_NS SECOND_NS        /* so long no capture loses all of some hosts, and nothing of others, by chance */

struct hole {
	int64_t from_ns, to_ns;
	const struct stream *stream;
};

static int hole_compare(const void *a, const void *b)
{
	const struct hole *x = a, *y = b;

	if (x->from_ns != y->from_ns)
		return x->from_ns < y->from_ns ? -1 : 1;
	return x->stream->n < y->stream->n ? -1 : x->stream->n > y->stream->n;
}

/* What a relay or a NAT passed on lacks what it never got: one loss, not two. */
static bool passed_on(const struct stream *s, const struct gap *g)
{
	const struct stream *in = s->twin_of;

	for (unsigned i = 0; in && i < in->gap_count; i++) {
		const struct gap *x = &in->gaps[i];

		if (x->seq_step > 1 && x->from_ns < g->to_ns && x->to_ns > g->from_ns)
			return true;
	}
	return false;
}

static unsigned collect_holes(const struct facts *f, struct hole **ret)
{
	unsigned n = 0, room = 0;
	struct hole *holes = NULL;

	LIST_EACH(it, streams_in_order(f->streams)) {
		const struct stream *s = LIST_ENTRY(it, struct stream, in_order);

		for (unsigned i = 0; i < s->gap_count; i++) {
			if (s->gaps[i].lost_ms < 40 || s->gaps[i].restart || passed_on(s, &s->gaps[i]))
				continue;
			if (n == room) {
				room = room ? room * 2 : 64;
				holes = memory_resize(holes, room, sizeof *holes);
			}
			holes[n++] = (struct hole){ s->gaps[i].from_ns, s->gaps[i].to_ns, s };
		}
	}
	if (n)
		qsort(holes, n, sizeof *holes, hole_compare);
	*ret = holes;
	return n;
}

/* Streams that share no host on their sending side may not be hit by one fault of the network at the same instant. */
static bool unrelated(const struct stream *a, const struct stream *b)
{
	return !(address_equal(&a->src.addr, &b->src.addr) && address_equal(&a->dst.addr, &b->dst.addr));
}

/* For each hole the next one of another pair of hosts, n none: a whole trunk may lose packets at once. */
static unsigned *next_unrelated(const struct hole *holes, unsigned n)
{
	unsigned *next = memory_resize(NULL, n, sizeof *next);

	for (unsigned i = n; i-- > 0;)
		next[i] = i + 1 == n || unrelated(holes[i].stream, holes[i + 1].stream) ? i + 1 : next[i + 1];
	return next;
}

/* How many of the holes i + 1 to end - 1 are of another pair than i's; 2 stands for more. */
static unsigned holes_apart(const struct hole *holes, const unsigned *next, unsigned i, unsigned end)
{
	unsigned second = next[i] + 1;

	if (next[i] >= end)
		return 0;
	if (second < end && !unrelated(holes[i].stream, holes[second].stream))
		second = next[second];
	return second < end ? 2 : 1;
}

static bool passes_whole(const struct stream *s, const struct stream *other, int64_t from_ns, int64_t to_ns)
{
	if (s->capture != other->capture || s->interface != other->interface || s->first_ns >= from_ns || s->last_ns <= to_ns)
		return false;
	for (unsigned i = 0; i < s->gap_count; i++) {
		if (s->gaps[i].to_ns > from_ns && s->gaps[i].from_ns < to_ns)
			return false;
	}
	return true;
}

/* Between two hosts of which something else is missing then. */
static bool is_of_them(const struct stream *s, const struct hole *holes, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		const struct stream *x = holes[i].stream;

		if ((address_equal(&s->src.addr, &x->src.addr) && address_equal(&s->dst.addr, &x->dst.addr)) ||
			(address_equal(&s->src.addr, &x->dst.addr) && address_equal(&s->dst.addr, &x->src.addr)))
			return true;
	}
	return false;
}

/*
 * For a second and more nothing of these came, while others, of other hosts, passed the same interface whole: a link, a
 * site is gone, and the capture was there (2.3).
 */
static bool others_pass(const struct facts *f, const struct hole *holes, unsigned n, unsigned *looks)
{
	int64_t to_ns = holes[0].to_ns;
	unsigned passing = 0;

	for (unsigned i = 1; i < n; i++)
		to_ns = holes[i].to_ns < to_ns ? holes[i].to_ns : to_ns;
	if (ns_minus(to_ns, holes[n - 1].from_ns) < SELECTIVE_NS || (*looks)++ >= LOOKS_MAX)
		return false;
	LIST_EACH(it, streams_in_order(f->streams)) {
		const struct stream *s = LIST_ENTRY(it, struct stream, in_order);

		passing += passes_whole(s, holes[0].stream, holes[n - 1].from_ns, to_ns) && !is_of_them(s, holes, n);
		if (passing == PASSING_STREAMS)
			return true;
	}
	return false;
}

/*
 * All of one pair of hosts, several each way, for less than a second: a link loses on one side of this point, and what
 * comes from its other side still passes here; a port that goes down stays down for longer.
 */
static bool both_ways(const struct hole *holes, unsigned n)
{
	const struct stream *first = holes[0].stream;
	unsigned there = 0, back = 0;

	for (unsigned i = 0; i < n; i++) {
		const struct stream *s = holes[i].stream;

		if (holes[i].to_ns - holes[i].from_ns >= SELECTIVE_NS)
			return false;
		there += !unrelated(s, first);
		back += address_equal(&s->src.addr, &first->dst.addr) && address_equal(&s->dst.addr, &first->src.addr);
	}
	return there >= EACH_WAY && back >= EACH_WAY && there + back == n;
}

static void add_hole(struct moments *m, const struct hole *h, unsigned streams)
{
	moments_add(m, (struct loss_moment){ h->from_ns, h->to_ns, streams });
}

/*
 * Holes that begin within 50 ms of one another: >= 3 streams of which at least two pairs of hosts, in both directions
 * or from several places; or all that live, with frames that others have acknowledged, or several each way.
 */
struct moments gate_losses_reckon(const struct facts *f, const struct moments *short_ones)
{
	struct moments lost = { NULL, 0 };
	struct lives lives = { NULL, NULL, 0 };
	struct hole *holes;
	unsigned n = collect_holes(f, &holes), end = 0, told = 0, looks = 0, *next = next_unrelated(holes, n);

	if (n)
		lives = lives_of(f, EVERY_FILE);
	for (unsigned i = 0; i < n; i++) {
		unsigned together, apart;
		bool all;

		while (end < n && holes[end].from_ns - holes[i].from_ns <= SIMULTANEOUS_NS)
			end++;
		together = end - i;
		apart = holes_apart(holes, next, i, end);
		all = lives_over(&lives, ns_add(holes[i].from_ns, -1), holes[i].from_ns) == together;
		if (!(together >= SIMULTANEOUS_STREAMS && apart >= 2) &&
		    !(all && together >= 2 && apart >= 1 && (f->capture->tcp_gaps || both_ways(&holes[i], together))))
			continue;
		if (others_pass(f, &holes[i], together, &looks))
			continue;
		for (told = told > i ? told : i; told < end; told++)     /* the moment ends with the last of them */
			add_hole(&lost, &holes[told], together);
	}
	lives_fini(&lives);
	free(next);
	free(holes);
	return moments_merge(&lost, short_ones);
}
