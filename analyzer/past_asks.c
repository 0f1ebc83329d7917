/* SPDX-License-Identifier: MIT */
/* past_asks: an array by source, user and time, put in order when it is first asked. */
#include "analyzer/past_asks.h"

#include <stdlib.h>

#include "analyzer/network/source.h"
#include "captures/base/memory.h"
#include "captures/base/sort.h"

struct ask {
	struct address source;
	uint64_t user, agent;        /* keyed hashes; 0: no agent */
	int64_t at_ns;
	bool accepted;
};

struct past_asks {
	struct ask *list;
	size_t count, room;
	bool in_order;
};

struct past_asks *past_asks_new(void)
{
	return memory_zalloc(sizeof(struct past_asks));
}

void past_asks_free(struct past_asks *p)
{
	if (!p)
		return;
	free(p->list);
	free(p);
}

static uint64_t text_key(struct span text)
{
	return text.n ? hash_bytes(text.p, text.n) : 0;
}

bool past_asks_add(struct past_asks *p, const struct past_ask *ask)
{
	if (p->count == PAST_ASKS_MOST)
		return false;
	if (p->count == p->room) {
		p->room = p->room ? 2 * p->room : 64;
		p->list = memory_resize(p->list, p->room, sizeof *p->list);
	}
	p->list[p->count++] = (struct ask){ ask->source, text_key(ask->user), text_key(ask->agent), ask->at_ns,
		ask->accepted };
	p->in_order = false;
	return true;
}

static int ask_compare(const void *a, const void *b)
{
	const struct ask *x = a, *y = b;
	int order = address_compare(&x->source, &y->source);

	if (order)
		return order;
	if (x->user != y->user)
		return x->user < y->user ? -1 : 1;
	return (x->at_ns > y->at_ns) - (x->at_ns < y->at_ns);
}

/* The first one of that source. */
static size_t place_of(const struct past_asks *p, const struct address *source)
{
	size_t low = 0, high = p->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (address_compare(&p->list[mid].source, source) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool asked_now(const struct source *x, uint64_t user)
{
	for (unsigned i = 0; i < x->user_count; i++) {
		if (text_key(span_of(x->users[i].user)) == user)
			return true;
	}
	return false;
}

struct past_sum past_asks_of(struct past_asks *p, const struct source *x, int64_t from_ns, int64_t to_ns)
{
	struct past_sum sum = { .first_ns = NS_NONE };
	uint64_t agent = text_key(span_of(x->agent)), last = 0;

	if (!p || !p->count)
		return sum;
	if (!p->in_order)
		sort(p->list, p->count, sizeof *p->list, ask_compare);
	p->in_order = true;
	for (size_t i = place_of(p, &x->addr); i < p->count && address_equal(&p->list[i].source, &x->addr); i++) {
		const struct ask *a = &p->list[i];

		sum.accepted |= a->accepted;
		if (a->at_ns < from_ns || a->at_ns >= to_ns || a->agent != agent)
			continue;
		if (sum.first_ns == NS_NONE || a->at_ns < sum.first_ns)
			sum.first_ns = a->at_ns;
		if (a->user == last || asked_now(x, a->user))
			continue;
		sum.users++;
		last = a->user;
	}
	return sum;
}
