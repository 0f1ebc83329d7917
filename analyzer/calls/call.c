/* SPDX-License-Identifier: MIT */
/* call: the legs that one conversation consists of. */
#include "analyzer/calls/internal.h"

#include <stdlib.h>

#include "captures/base/memory.h"

/* A call of its own, until it is joined. */
struct call *call_new(struct calls *c, struct leg *leg)
{
	struct call *call = pool_zalloc(&c->call_pool);

	list_init(&call->legs);
	list_add_tail(&call->legs, &leg->in_call);
	list_add_tail(&c->calls, &call->in_order);
	call->first_ns = call->last_ns = leg->first_ns;
	leg->call = call;
	return call;
}

static void call_free(struct calls *c, struct call *call)
{
	list_remove(&c->calls, &call->in_order);
	pool_give(&c->call_pool, call);
}

static void call_span(struct call *call)
{
	call->first_ns = INT64_MAX;
	call->last_ns = INT64_MIN;
	LIST_EACH(it, &call->legs) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_call);

		call->first_ns = leg->first_ns < call->first_ns ? leg->first_ns : call->first_ns;
		call->last_ns = leg->last_ns > call->last_ns ? leg->last_ns : call->last_ns;
	}
}

/* Both lists are in the order of first messages; so is what comes out. */
static void legs_merge(struct call *into, struct call *from)
{
	struct list merged;

	list_init(&merged);
	while (into->legs.count || from->legs.count) {
		struct leg *a = into->legs.count ? LIST_ENTRY(into->legs.head.next, struct leg, in_call) : NULL;
		struct leg *b = from->legs.count ? LIST_ENTRY(from->legs.head.next, struct leg, in_call) : NULL;
		struct list *list = !b || (a && a->n < b->n) ? &into->legs : &from->legs;
		struct list_link *link = list->head.next;

		list_remove(list, link);
		list_add_tail(&merged, link);
	}
	while (merged.count) {
		struct leg *leg = LIST_ENTRY(merged.head.next, struct leg, in_call);

		list_remove(&merged, &leg->in_call);
		list_add_tail(&into->legs, &leg->in_call);
		leg->call = into;
	}
}

static unsigned call_order(const struct call *call)
{
	return LIST_ENTRY(call->legs.head.next, struct leg, in_call)->n;
}

/* The call that began first takes in the other. */
void call_join(struct calls *c, struct leg *child, struct leg *parent, enum leg_join how, unsigned score)
{
	struct call *x = parent->call, *y = child->call;

	if (x != y) {
		struct call *into = call_order(x) < call_order(y) ? x : y, *from = into == x ? y : x;

		legs_merge(into, from);
		call_free(c, from);
		call_span(into);
	}
	child->parent = parent;
	child->joined_by = how;
	child->join_score = score;
	calls_emit(c, (struct calls_event){ .kind = CALLS_LEG_JOINED, .leg = child });
}

/* A leg that is thrown away leaves the others standing. */
void call_leave(struct calls *c, struct leg *leg)
{
	struct call *call = leg->call;

	LIST_EACH(it, &call->legs) {
		struct leg *other = LIST_ENTRY(it, struct leg, in_call);

		if (other->parent == leg)
			other->parent = NULL;
	}
	list_remove(&call->legs, &leg->in_call);
	leg->call = NULL;
	if (call->legs.count == 0)
		call_free(c, call);
	else
		call_span(call);
}
