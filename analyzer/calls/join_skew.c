/* SPDX-License-Identifier: MIT */
/*
 * join_skew: a B2BUA whose two sides were captured on two machines, with clocks apart: the leg that it makes may seem
 * to begin before the one that came in. What a clock that is wrong by the same everywhere cannot change is how long
 * each leg took to ring, to be answered, and how long it lasted. Of two captures one offset holds for all calls.
 */
#include "analyzer/calls/internal.h"

#include <stdlib.h>

#include "captures/base/memory.h"
#include "captures/base/sort.h"

enum { CANDIDATES_MAX = 64 };

#define SKEW_MOST (5 * SECOND_NS)
#define OFFSET_SLACK (100 * MILLISECOND_NS)    /* between the offsets of two calls: what the B2BUA takes */

struct arrival_at {                  /* a leg that ends at a host, and when its INVITE came there */
	struct address host;
	int64_t invite_ns;
	struct leg_record *leg;
};

struct match {
	struct leg_record *x, *y;
	enum leg_join how;
	unsigned score;
	int64_t offset_ns;           /* of the clock of y's capture against x's */
};

static int arrival_compare(const void *a, const void *b)
{
	const struct arrival_at *x = a, *y = b;
	int c = address_compare(&x->host, &y->host);

	if (c == 0)
		c = (x->invite_ns > y->invite_ns) - (x->invite_ns < y->invite_ns);
	return c ? c : (x->leg->leg.n > y->leg->leg.n) - (x->leg->leg.n < y->leg->leg.n);
}

static int match_compare(const void *a, const void *b)
{
	const struct match *x = a, *y = b;

	if (x->x->capture != y->x->capture)
		return x->x->capture < y->x->capture ? -1 : 1;
	if (x->y->capture != y->y->capture)
		return x->y->capture < y->y->capture ? -1 : 1;
	if (x->offset_ns != y->offset_ns)
		return x->offset_ns < y->offset_ns ? -1 : 1;
	return (x->y->leg.n > y->y->leg.n) - (x->y->leg.n < y->y->leg.n);
}

static bool is_whole(const struct leg *leg)
{
	return leg->answered && !leg->partial && leg->invite_ns != NS_NONE && leg->answer_ns != NS_NONE &&
	       leg->segment_count;
}

/* Of what the one who asks waits for: the other side's time and what the B2BUA takes, twice. */
static unsigned waited_points(int64_t outer_ns, int64_t inner_ns, unsigned close, unsigned near)
{
	int64_t more_ns = ns_minus(outer_ns, inner_ns);

	if (more_ns < 0)
		return 0;
	return more_ns <= 40 * MILLISECOND_NS ? close : more_ns <= 600 * MILLISECOND_NS ? near : 0;
}

static unsigned skewed_points(const struct leg_record *a, const struct leg_record *b)
{
	const struct leg *x = &a->leg, *y = &b->leg;
	unsigned points = waited_points(ns_minus(x->answer_ns, x->invite_ns), ns_minus(y->answer_ns, y->invite_ns),
		30, 20);

	if (a->ring_status && a->ring_status == b->ring_status && x->progress_ns != NS_NONE &&
	    y->progress_ns != NS_NONE)
		points += waited_points(ns_minus(x->progress_ns, x->invite_ns), ns_minus(y->progress_ns, y->invite_ns),
			20, 10);
	if (x->bye_seen && y->bye_seen) {
		int64_t apart_ns = ns_minus(ns_minus(x->bye_ns, x->answer_ns), ns_minus(y->bye_ns, y->answer_ns));

		apart_ns = apart_ns < 0 ? -apart_ns : apart_ns;
		points += apart_ns <= 60 * MILLISECOND_NS ? 30 : apart_ns <= 600 * MILLISECOND_NS ? 20 : 0;
	}
	return points;
}

/* Y is another leg of the host where X ends, and X is continued nowhere yet; no clock has seen both. */
static bool is_possible(const struct leg_record *a, const struct leg_record *b)
{
	const struct leg *x = &a->leg, *y = &b->leg;

	if (a->capture == b->capture || a->spread || b->spread || x->call == y->call || !is_whole(x) ||
	    address_equal(&x->segments[0].a.addr, &y->segments[0].a.addr) ||
	    x->call->legs.count + y->call->legs.count > CALL_LEGS_MAX)
		return false;
	LIST_EACH(it, &x->call->legs) {
		if (LIST_ENTRY(it, struct leg, in_call)->parent == x)
			return false;
	}
	return true;
}

static int64_t offset_of(const struct leg *x, const struct leg *y)
{
	return ns_add(ns_minus(y->invite_ns, x->invite_ns), ns_minus(y->answer_ns, x->answer_ns)) / 2;
}

static size_t first_near(const struct arrival_at *list, size_t count, const struct arrival_at *want)
{
	size_t low = 0;

	while (low < count) {
		size_t mid = low + (count - low) / 2;

		if (arrival_compare(&list[mid], want) < 0)
			low = mid + 1;
		else
			count = mid;
	}
	return low;
}

/* The leg that this one continues, where it is clear which; false: none, or several could be. */
static bool match_find(struct calls *c, const struct arrival_at *list, size_t count, struct leg_record *y,
	struct match *ret)
{
	struct arrival_at want = { y->leg.segments[0].a.addr, ns_add(y->leg.invite_ns, -SKEW_MOST), y };
	unsigned looked = 0, second = 0;

	*ret = (struct match){ .y = y };
	for (size_t i = first_near(list, count, &want); i < count && address_equal(&list[i].host, &want.host) &&
	    list[i].invite_ns <= ns_add(y->leg.invite_ns, SKEW_MOST); i++) {
		struct leg_record *x = list[i].leg;
		enum leg_join how;
		unsigned score;

		if (++looked > CANDIDATES_MAX)
			return false;
		if (!is_possible(x, y))
			continue;
		score = join_lasting(c, x, y, &how);
		if (score < LASTING_LEAST)
			continue;
		score += skewed_points(x, y);
		if (score > ret->score) {
			second = ret->score;
			ret->x = x;
			ret->how = how;
			ret->score = score;
		} else if (score > second) {
			second = score;
		}
	}
	if (!ret->x || ret->score < c->config.join_score || ret->score < second + c->config.join_margin)
		return false;
	ret->offset_ns = offset_of(&ret->x->leg, &y->leg);
	return true;
}

/* The leg that came in heads its call, whatever the clocks say. */
static void match_join(struct calls *c, const struct match *m)
{
	struct leg *x = &m->x->leg, *y = &m->y->leg;

	if (y->parent || !is_possible(m->x, m->y))
		return;
	call_join(c, y, x, m->how, m->score);
	while (!x->parent && x->call->legs.head.next != &x->in_call) {
		struct list_link *head = x->call->legs.head.next;

		list_remove(&x->call->legs, head);
		list_add_tail(&x->call->legs, head);
	}
}

/* One offset of two captures is right for most calls: what contradicts it is chance. */
static void matches_join(struct calls *c, struct match *list, size_t count)
{
	size_t to;

	sort(list, count, sizeof *list, match_compare);
	for (size_t from = 0; from < count; from = to) {
		int64_t median_ns;

		for (to = from + 1; to < count && list[to].x->capture == list[from].x->capture &&
		    list[to].y->capture == list[from].y->capture;)
			to++;
		median_ns = list[from + (to - from) / 2].offset_ns;
		for (size_t i = from; i < to; i++) {
			if (list[i].offset_ns <= ns_add(median_ns, OFFSET_SLACK) &&
			    list[i].offset_ns >= ns_add(median_ns, -OFFSET_SLACK))
				match_join(c, &list[i]);
		}
	}
}

static bool several_captures(const struct calls *c)
{
	const struct leg_record *first = NULL;

	LIST_EACH(it, &c->legs) {
		const struct leg_record *r = LEG_RECORD(LIST_ENTRY(it, struct leg, in_order));

		if (!r->begun)
			continue;
		if (first && first->capture != r->capture)
			return true;
		first = r;
	}
	return false;
}

static size_t arrivals_of(struct calls *c, struct arrival_at *list)
{
	size_t count = 0;

	LIST_EACH(it, &c->legs) {
		struct leg_record *r = LEG_RECORD(LIST_ENTRY(it, struct leg, in_order));

		if (is_whole(&r->leg))
			list[count++] = (struct arrival_at){ r->leg.segments[r->leg.segment_count - 1].b.addr,
				r->leg.invite_ns, r };
	}
	sort(list, count, sizeof *list, arrival_compare);
	return count;
}

void join_skewed(struct calls *c)
{
	struct arrival_at *list;
	struct match *matches;
	size_t count, found = 0;

	if (!several_captures(c))
		return;
	list = memory_resize(NULL, c->legs.count + 1, sizeof *list);
	matches = memory_resize(NULL, c->legs.count + 1, sizeof *matches);
	count = arrivals_of(c, list);
	LIST_EACH(it, &c->legs) {
		struct leg_record *y = LEG_RECORD(LIST_ENTRY(it, struct leg, in_order));

		if (is_whole(&y->leg) && !y->leg.parent)
			found += match_find(c, list, count, y, &matches[found]);
	}
	matches_join(c, matches, found);
	free(matches);
	free(list);
}
