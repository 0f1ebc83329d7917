/* SPDX-License-Identifier: MIT */
/* port_edges: ports by pair of hosts, in order; a walk over each pair's. */
#include "analyzer/detect/port_edges.h"

#include <stdlib.h>

#include "analyzer/detect/hearing.h"
#include "analyzer/detect/say.h"
#include "captures/base/memory.h"
#include "captures/base/sort.h"

enum { PORTS_LEAST = 4 };            /* on each side: by accident they lie so once in seventy times */

struct port_heard {
	struct address receiver, sender;
	int64_t at_ns;
	uint16_t port;
	bool works;
};

struct edge {
	struct address receiver, sender;
	struct port_edge edge;
};

struct port_edges {
	struct edge *list;           /* by both */
	size_t count;
};

static int hosts_compare(const struct address *receiver, const struct address *sender, const struct address *r,
	const struct address *s)
{
	int c = address_compare(receiver, r);

	return c ? c : address_compare(sender, s);
}

static int heard_compare(const void *a, const void *b)
{
	const struct port_heard *x = a, *y = b;
	int c = hosts_compare(&x->receiver, &x->sender, &y->receiver, &y->sender);

	if (c == 0)
		c = (int)x->port - (int)y->port;
	return c ? c : (int)x->works - (int)y->works;
}

/* What the direction says of its port; false: nothing. */
static bool port_heard(const struct direction *d, struct port_heard *ret)
{
	const struct hearing *h = hearing_of(d);
	bool fails = h && h->heard == HEARD_NO && h->whole && h->failure != FAILURE_MISDIRECTED;

	if (!h || h->gate || h->row || !h->window || !h->window->target_count ||
	    (!fails && h->heard != HEARD_YES && h->heard != HEARD_POOR))
		return false;
	*ret = (struct port_heard){ .receiver = h->window->targets[0].at.addr,
		.sender = party_seen_at(d, d->sender).addr,
		.port = h->window->targets[0].at.port, .at_ns = h->window->on_ns, .works = !fails };
	return true;
}

static size_t ports_collect(const struct facts *facts, struct port_heard **ret)
{
	struct port_heard *list = NULL;
	size_t n = 0, room = 0;

	LIST_EACH(it, calls_legs(facts->calls)) {
		const struct dialog *dialog = LIST_ENTRY(it, struct leg, in_order)->confirmed;

		for (unsigned i = 0; dialog && i < 2 * dialog->mslot_count; i++) {
			if (dialog->mslots[i / 2].kind != SDP_AUDIO)
				continue;
			if (n == room) {
				room = room ? 2 * room : 64;
				list = memory_resize(list, room, sizeof *list);
			}
			n += port_heard(&dialog->mslots[i / 2].direction[i % 2], &list[n]);
		}
	}
	*ret = list;
	return n;
}

/* A server takes its ports one after the other: what broke, or was mended, at some time looks the same. */
static bool in_between(const struct port_heard *list, size_t n)
{
	int64_t first_ns[2] = { INT64_MAX, INT64_MAX }, last_ns[2] = { INT64_MIN, INT64_MIN };

	for (size_t i = 0; i < n; i++) {
		int64_t *first = &first_ns[list[i].works], *last = &last_ns[list[i].works];

		*first = list[i].at_ns < *first ? list[i].at_ns : *first;
		*last = list[i].at_ns > *last ? list[i].at_ns : *last;
	}
	return first_ns[0] < last_ns[1] && first_ns[1] < last_ns[0];
}

/* Of one pair of hosts, in the order of their ports: works, then fails, or the reverse. */
static bool edge_of(const struct port_heard *list, size_t n, struct port_edge *ret)
{
	*ret = (struct port_edge){ .above = list[0].works };
	for (size_t i = 0; i < n; i++) {
		bool first = list[i].works == list[0].works;

		if (first && (list[0].works ? ret->fails : ret->works))
			return false;
		if (i && list[i].port == list[i - 1].port && list[i].works == list[i - 1].works)
			continue;
		if (list[i].works)
			ret->works_to = ret->works++ && !ret->above ? ret->works_to : list[i].port;
		else
			ret->fails_from = ret->fails++ && ret->above ? ret->fails_from : list[i].port;
	}
	return ret->works >= PORTS_LEAST && ret->fails >= PORTS_LEAST && ret->works_to != ret->fails_from &&
	       in_between(list, n);
}

struct port_edges *port_edges_new(const struct facts *facts)
{
	struct port_edges *e = memory_zalloc(sizeof *e);
	struct port_heard *list;
	size_t n = ports_collect(facts, &list), run;

	e->list = memory_resize(NULL, n / (2 * PORTS_LEAST) + 1, sizeof *e->list);
	sort(list, n, sizeof *list, heard_compare);
	for (size_t i = 0; i < n; i += run) {
		struct edge *x = &e->list[e->count];

		for (run = 1; i + run < n && hosts_compare(&list[i].receiver, &list[i].sender, &list[i + run].receiver,
		     &list[i + run].sender) == 0;)
			run++;
		if (run < 2 * PORTS_LEAST)
			continue;
		x->receiver = list[i].receiver;
		x->sender = list[i].sender;
		e->count += edge_of(list + i, run, &x->edge);
	}
	free(list);
	return e;
}

void port_edges_free(struct port_edges *e)
{
	if (!e)
		return;
	free(e->list);
	free(e);
}

bool port_edges_find(const struct port_edges *e, const struct address *receiver, const struct address *sender,
	struct port_edge *ret)
{
	size_t low = 0, high = e->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (hosts_compare(&e->list[mid].receiver, &e->list[mid].sender, receiver, sender) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == e->count || hosts_compare(&e->list[low].receiver, &e->list[low].sender, receiver, sender) != 0)
		return false;
	*ret = e->list[low].edge;
	return true;
}
