/* SPDX-License-Identifier: MIT */
/*
 * port_plan: see the header. Beginnings and ends of all holds of an address, sorted by time, are counted up and down
 * once.
 */
#include "analyzer/media/port_plan.h"

#include <stdlib.h>

#include "captures/base/memory.h"
#include "captures/base/sort.h"

enum { PORTS_A_SOCKET = 2 };

struct port_plan {
	struct hash by_address;
	struct list order;
	struct arena *uses, *events;         /* events: while it is reckoned */
};

static uint32_t plan_hash(const struct address *a)
{
	return (uint32_t)hash_bytes(a->bytes, sizeof a->bytes);
}

const struct port_use *port_plan_find(const struct port_plan *p, const struct address *a)
{
	uint32_t hash = plan_hash(a);

	for (struct hash_link *it = hash_first(&p->by_address, hash); it; it = it->next) {
		struct port_use *u = HASH_ENTRY(it, struct port_use, by_address);

		if (it->hash == hash && address_equal(&u->addr, a))
			return u;
	}
	return NULL;
}

static struct port_use *use_add(struct port_plan *p, const struct address *a)
{
	struct port_use *u = (struct port_use *)port_plan_find(p, a);

	if (u)
		return u;
	u = arena_zalloc(p->uses, sizeof *u);
	u->addr = *a;
	hash_add(&p->by_address, &u->by_address, plan_hash(a));
	list_add_tail(&p->order, &u->in_order);
	return u;
}

static void event_add(struct port_plan *p, struct port_events *to, struct port_event e)
{
	if (to->count == to->room) {
		unsigned room = to->room ? to->room * 2 : 2;
		struct port_event *list = arena_zalloc(p->events, room * sizeof *list);

		if (to->count)
			memcpy(list, to->list, to->count * sizeof *list);
		to->list = list;
		to->room = room;
	}
	to->list[to->count++] = e;
}

/* A port of 0 and port 9 name nothing (RFC 3264 6, RFC 8839). */
static bool names_port(const struct socket_use *s)
{
	return address_known(&s->at.addr) && !address_unspecified(&s->at.addr) && s->at.port != 0 && s->at.port != 9;
}

/* Holds of one socket by one call are one: a re-INVITE that names it again takes no second port. */
static void socket_take(struct port_plan *p, const struct socket_use *s)
{
	struct port_use *u = use_add(p, &s->at.addr);
	int64_t until_ns = NS_NONE;

	u->sockets++;
	if (!u->low || s->at.port < u->low)
		u->low = s->at.port;
	if (s->at.port > u->high)
		u->high = s->at.port;
	if (!u->first)
		u->first = s->holds[0]->leg;
	for (unsigned i = 0; i < s->hold_count; i++) {
		const struct socket_hold *h = s->holds[i];
		unsigned n = h->leg->call ? h->leg->call->n : 0;
		unsigned ports = h->mux ? 1 : PORTS_A_SOCKET;
		int64_t from_ns = until_ns != NS_NONE && h->from_ns < until_ns ? until_ns : h->from_ns;

		if (h->to_ns <= from_ns)
			ports = 0;
		else
			until_ns = h->to_ns;
		event_add(p, &u->taken, (struct port_event){ h->from_ns, from_ns == h->from_ns ? ports : 0, n, true });
		event_add(p, &u->given, (struct port_event){ h->to_ns, ports, n, true });
		if (ports && from_ns != h->from_ns)
			event_add(p, &u->taken, (struct port_event){ from_ns, ports, n, false });
	}
}

static int event_compare(const void *x, const void *y)
{
	const struct port_event *a = x, *b = y;

	return a->at_ns < b->at_ns ? -1 : a->at_ns > b->at_ns;
}

static unsigned highest_call(const struct port_use *u)
{
	unsigned highest = 0;

	for (unsigned i = 0; i < u->taken.count; i++)
		highest = u->taken.list[i].n > highest ? u->taken.list[i].n : highest;
	return highest;
}

/*
 * What ends makes room before what begins at the same time. room: one place a call, all zero, and all zero again behind
 * it.
 */
static void use_settle(struct port_use *u, int *room)
{
	int ports = 0, calls = 0;
	unsigned over = 0;

	sort(u->taken.list, u->taken.count, sizeof *u->taken.list, event_compare);
	sort(u->given.list, u->given.count, sizeof *u->given.list, event_compare);
	for (unsigned i = 0; i < u->taken.count; i++) {
		const struct port_event *e = &u->taken.list[i];

		for (; over < u->given.count && u->given.list[over].at_ns <= e->at_ns; over++) {
			ports -= (int)u->given.list[over].ports;
			calls -= --room[u->given.list[over].n] == 0;
		}
		ports += (int)e->ports;
		calls += e->call && room[e->n]++ == 0;
		if (ports > (int)u->peak_ports)
			u->peak_ports = (unsigned)ports;
		if (calls > (int)u->peak_calls)
			u->peak_calls = (unsigned)calls;
	}
	for (; over < u->given.count; over++)
		room[u->given.list[over].n]--;
	u->taken = u->given = (struct port_events){ .list = NULL };
}

struct port_plan *port_plan_new(const struct socket_uses *sockets)
{
	struct port_plan *p = memory_zalloc(sizeof *p);
	unsigned highest = 0;
	int *room;

	p->uses = arena_new();
	p->events = arena_new();
	hash_init(&p->by_address);
	list_init(&p->order);
	LIST_EACH(it, socket_uses_in_order(sockets)) {
		const struct socket_use *s = LIST_ENTRY(it, struct socket_use, in_order);

		if (s->hold_count && names_port(s))
			socket_take(p, s);
	}
	LIST_EACH(it, &p->order) {
		unsigned n = highest_call(LIST_ENTRY(it, struct port_use, in_order));

		highest = n > highest ? n : highest;
	}
	room = memory_zalloc((highest + 1u) * sizeof *room);
	LIST_EACH(it, &p->order)
		use_settle(LIST_ENTRY(it, struct port_use, in_order), room);
	free(room);
	arena_free(p->events);
	p->events = NULL;
	return p;
}

void port_plan_free(struct port_plan *p)
{
	if (!p)
		return;
	hash_fini(&p->by_address);
	arena_free(p->uses);
	free(p);
}

const struct list *port_plan_in_order(const struct port_plan *p)
{
	return &p->order;
}

/* ---- calls ---- */

static int time_compare(const void *x, const void *y)
{
	int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;

	return a < b ? -1 : a > b;
}

/* From the first answer of its legs to the last end. */
static bool call_span(const struct call *c, int64_t last_ns, int64_t *ret_from, int64_t *ret_to)
{
	int64_t from = NS_NONE, to = NS_NONE;

	LIST_EACH(it, &c->legs) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_call);
		int64_t end = leg->end_ns != NS_NONE ? leg->end_ns : leg->timed_out ? leg->last_ns : last_ns;

		if (!leg->answered || leg->answer_ns == NS_NONE)
			continue;
		from = from == NS_NONE || leg->answer_ns < from ? leg->answer_ns : from;
		to = to == NS_NONE || end > to ? end : to;
	}
	*ret_from = from;
	*ret_to = to;
	return from != NS_NONE && to > from;
}

/* What ends makes room before what begins at the same time. */
struct call_peak call_peak_of(const struct list *calls, int64_t last_ns)
{
	int64_t *begins = memory_resize(NULL, calls->count + 1, sizeof *begins),
		*ends = memory_resize(NULL, calls->count + 1, sizeof *ends);
	struct call_peak peak = { .from_ns = NS_NONE, .to_ns = NS_NONE };
	size_t n = 0, over = 0;
	bool at_peak = false;

	LIST_EACH(it, calls)
		n += call_span(LIST_ENTRY(it, struct call, in_order), last_ns, &begins[n], &ends[n]);
	sort(begins, n, sizeof *begins, time_compare);
	sort(ends, n, sizeof *ends, time_compare);
	for (size_t i = 0; i < n; i++) {
		for (; ends[over] <= begins[i]; over++) {
			if (at_peak)
				peak.to_ns = ends[over];
			at_peak = false;
		}
		if (i + 1 - over > peak.calls) {
			peak = (struct call_peak){ (unsigned)(i + 1 - over), begins[i], last_ns };
			at_peak = true;
		}
	}
	if (at_peak)
		peak.to_ns = ends[over];
	free(begins);
	free(ends);
	return peak;
}
