/* SPDX-License-Identifier: MIT */
/* phone_calls: arrays in the order of key and place. */
#include "analyzer/detect/phone_calls.h"

#include <stdlib.h>

#include "analyzer/network/flow.h"
#include "captures/base/hash.h"
#include "captures/base/memory.h"
#include "captures/base/sort.h"

struct phone_calls {
	const struct facts *facts;
	struct phone_call *legs;     /* refused, by key, then as they came; NULL: not asked for yet */
	const struct flow **flows;   /* by client, then as they came; likewise */
	size_t leg_count, flow_count;
};

static uint64_t key_of(const struct address *server, struct span user)
{
	return hash_mix(hash_bytes(server, sizeof *server), hash_bytes(user.p, user.n));
}

static int call_compare(const void *a, const void *b)
{
	const struct phone_call *x = a, *y = b;

	return x->key != y->key ? (x->key > y->key) - (x->key < y->key) : (x->leg->n > y->leg->n) - (x->leg->n < y->leg->n);
}

static int flow_compare(const void *a, const void *b)
{
	const struct flow *x = *(const struct flow *const *)a, *y = *(const struct flow *const *)b;
	int c = endpoint_compare(&x->client, &y->client);

	return c ? c : (x->n > y->n) - (x->n < y->n);
}

struct phone_calls *phone_calls_new(const struct facts *facts)
{
	struct phone_calls *p = memory_zalloc(sizeof *p);

	p->facts = facts;
	return p;
}

void phone_calls_free(struct phone_calls *p)
{
	if (!p)
		return;
	free(p->legs);
	free(p->flows);
	free(p);
}

static void legs_make(struct phone_calls *p)
{
	const struct list *all = calls_legs(p->facts->calls);

	p->legs = memory_resize(NULL, all->count + 1, sizeof *p->legs);
	LIST_EACH(it, all) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_order);

		if (!leg->answered && leg->status >= 400)
			p->legs[p->leg_count++] = (struct phone_call){
				key_of(&leg->party[SIDE_CALLEE].signalling.addr, leg->party[SIDE_CALLEE].user), leg };
	}
	sort(p->legs, p->leg_count, sizeof *p->legs, call_compare);
}

static void flows_make(struct phone_calls *p)
{
	const struct list *all = flows_in_order(p->facts->flows);

	p->flows = memory_resize(NULL, all->count + 1, sizeof *p->flows);
	LIST_EACH(it, all)
		p->flows[p->flow_count++] = LIST_ENTRY(it, struct flow, in_order);
	sort(p->flows, p->flow_count, sizeof *p->flows, flow_compare);
}

const struct phone_call *phone_calls_refused(struct phone_calls *p, const struct address *server, struct span user,
	const struct phone_call *before)
{
	uint64_t key = key_of(server, user);
	size_t low = 0, high;

	if (!p->legs)
		legs_make(p);
	high = p->leg_count;
	while (!before && low < high) {
		size_t mid = low + (high - low) / 2;

		if (p->legs[mid].key < key)
			low = mid + 1;
		else
			high = mid;
	}
	if (before)
		low = (size_t)(before - p->legs) + 1;
	return low < p->leg_count && p->legs[low].key == key ? &p->legs[low] : NULL;
}

const struct flow *phone_calls_flow(struct phone_calls *p, const struct endpoint *client, const struct address *server,
	int64_t until_ns)
{
	const struct flow *found = NULL;
	size_t low = 0, high;

	if (!p->flows)
		flows_make(p);
	high = p->flow_count;
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (endpoint_compare(&p->flows[mid]->client, client) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < p->flow_count && endpoint_equal(&p->flows[low]->client, client); low++) {
		if (address_equal(&p->flows[low]->server.addr, server) && p->flows[low]->first_ns <= until_ns)
			found = p->flows[low];
	}
	return found;
}
