/* SPDX-License-Identifier: MIT */
#include "analyzer/media/held.h"

#include "analyzer/media/expectation.h"
#include "analyzer/media/stream.h"

enum { RESTARTED_FROM = 3000 };      /* MAX_DROPOUT of RFC 3550 A.1: a jump that far is counted as no loss anyway */

#define STRAY_NS SECOND_NS           /* packets on their way when the hold begins, the way of the resume */

static int64_t overlap(int64_t from_ns, int64_t to_ns, int64_t other_from_ns, int64_t other_to_ns)
{
	int64_t first_ns = from_ns > other_from_ns ? from_ns : other_from_ns,
		last_ns = to_ns < other_to_ns ? to_ns : other_to_ns;

	return last_ns > first_ns ? ns_minus(last_ns, first_ns) : 0;
}

static bool is_most(int64_t part_ns, int64_t all_ns)
{
	return part_ns / 8 >= all_ns / 10;
}

/* It was agreed that the audio goes there, and at that time to another place: direct media, and back to the server. */
static bool told_elsewhere(
	const struct direction *d, const struct window *w, const struct stream *s, const struct gap *g)
{
	const struct window *before = direction_window_at(d, g->from_ns);

	return w->state == EXPECT_DUE && w->target_count && !window_has_target(w, &s->dst) && before &&
	       window_has_target(before, &s->dst);
}

/*
 * Music that may come while a call is held: that it is not there for a while says nothing of the rest of it. Agreed not
 * to send is a hold, too, where what it holds was agreed unseen.
 */
static int64_t not_due(const struct direction *d, const struct stream *s, const struct gap *g)
{
	int64_t sum_ns = 0;

	for (unsigned i = 0; i < d->window_count; i++) {
		const struct window *w = &d->windows[i];
		int64_t to_ns = window_end(w, g->to_ns), shared_ns = overlap(w->on_ns, to_ns, g->from_ns, g->to_ns);

		if (w->state == EXPECT_PAUSED || told_elsewhere(d, w, s, g) ||
		    (w->state == EXPECT_NONE && w->exchange) ||
		    (w->state == EXPECT_OPTIONAL && is_most(shared_ns, ns_minus(to_ns, w->on_ns))))
			sum_ns += shared_ns;
	}
	return sum_ns;
}

/* A relay passes on how its sender counts; the leg beyond it need not know of the hold. */
static bool held_before_relay(const struct stream *s, const struct gap *g)
{
	const struct stream *first = s->twin_of;

	for (unsigned i = 0; first && i < first->gap_count; i++) {
		const struct gap *other = &first->gaps[i];

		if (other->held && is_most(overlap(other->from_ns, other->to_ns, g->from_ns, g->to_ns),
			ns_minus(g->to_ns, g->from_ns)))
			return true;
	}
	return false;
}

static bool was_held(const struct stream *s, const struct gap *g)
{
	int64_t length_ns = ns_minus(g->to_ns, g->from_ns), idle_ns = s->direction ? not_due(s->direction, s, g) : 0;

	return (is_most(idle_ns, length_ns) && length_ns - idle_ns <= STRAY_NS) || held_before_relay(s, g);
}

void held_settle(const struct list *streams)
{
	LIST_EACH(it, streams) {
		struct stream *s = LIST_ENTRY(it, struct stream, in_order);

		for (unsigned i = 0; i < s->gap_count; i++) {
			const struct gap *g = &s->gaps[i];

			if (g->lost_ms && g->seq_step < RESTARTED_FROM && !g->held && was_held(s, g))
				stream_gap_held(s, i);
		}
	}
}
