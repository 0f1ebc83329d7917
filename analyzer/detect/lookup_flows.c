/* SPDX-License-Identifier: MIT */
/* lookup_flows: TCP connections by their two sockets, and those that were taken by who opened them where to. */
#include "analyzer/detect/lookup_private.h"

#include <stdlib.h>

#include "captures/base/memory.h"

static const struct flow *flow_of(const void *entry)
{
	return *(const struct flow *const *)entry;
}

static int by_number(const struct flow *a, const struct flow *b)
{
	return (a->n > b->n) - (a->n < b->n);
}

/* ---- between two sockets ---- */

static int sockets_compare(const struct endpoint *a, const struct endpoint *b, const struct flow *f)
{
	bool turned = endpoint_compare(&f->client, &f->server) > 0;
	int first = endpoint_compare(a, turned ? &f->server : &f->client);

	return first ? first : endpoint_compare(b, turned ? &f->client : &f->server);
}

static int between_compare(const void *one, const void *other)
{
	const struct flow *a = flow_of(one), *b = flow_of(other);
	bool turned = endpoint_compare(&a->client, &a->server) > 0;
	int order = sockets_compare(turned ? &a->server : &a->client, turned ? &a->client : &a->server, b);

	return order ? order : by_number(a, b);
}

/* ---- from a host to a socket ---- */

static int opened_compare(const struct address *client, const struct endpoint *server, int64_t at_ns,
	const struct flow *f)
{
	int order = address_compare(client, &f->client.addr);

	if (order == 0)
		order = endpoint_compare(server, &f->server);
	return order ? order : (at_ns > f->first_ns) - (at_ns < f->first_ns);
}

static int taken_compare(const void *one, const void *other)
{
	const struct flow *a = flow_of(one), *b = flow_of(other);
	int order = opened_compare(&a->client.addr, &a->server, a->first_ns, b);

	return order ? order : by_number(a, b);
}

/* ---- both ---- */

static void flows_make(struct lookup *l)
{
	const struct list *all = flows_in_order(l->facts->flows);

	l->flows_made = true;
	l->between = memory_zalloc((all->count + 1) * sizeof *l->between);
	l->taken = memory_zalloc((all->count + 1) * sizeof *l->taken);
	LIST_EACH(it, all) {
		const struct flow *f = LIST_ENTRY(it, struct flow, in_order);

		l->between[l->between_count++] = f;
		if (!f->partial && flow_accepted(f))
			l->taken[l->taken_count++] = f;
	}
	qsort(l->between, l->between_count, sizeof *l->between, between_compare);
	qsort(l->taken, l->taken_count, sizeof *l->taken, taken_compare);
}

struct lookup_flows lookup_flows_between(struct lookup *l, const struct endpoint *a, const struct endpoint *b)
{
	bool turned = endpoint_compare(a, b) > 0;
	const struct endpoint *low = turned ? b : a, *high = turned ? a : b;
	struct lookup_flows ret = { .count = 0 };
	size_t from = 0, to;

	if (!l->flows_made)
		flows_make(l);
	for (to = l->between_count; from < to;) {
		size_t middle = from + (to - from) / 2;

		if (sockets_compare(low, high, l->between[middle]) > 0)
			from = middle + 1;
		else
			to = middle;
	}
	ret.flows = l->between + from;
	while (from + ret.count < l->between_count && sockets_compare(low, high, ret.flows[ret.count]) == 0)
		ret.count++;
	return ret;
}

const struct flow *lookup_flow_after(struct lookup *l, const struct address *client, const struct endpoint *server,
	int64_t at_ns)
{
	const struct flow *found;
	size_t from = 0, to;

	if (!l->flows_made)
		flows_make(l);
	for (to = l->taken_count; from < to;) {
		size_t middle = from + (to - from) / 2;

		if (opened_compare(client, server, at_ns, l->taken[middle]) >= 0)
			from = middle + 1;
		else
			to = middle;
	}
	found = from < l->taken_count ? l->taken[from] : NULL;
	if (!found || !address_equal(&found->client.addr, client) || !endpoint_equal(&found->server, server))
		return NULL;
	return found;
}

/* ---- what a host says inside TLS ---- */

struct tls_client {
	struct hash_link link;
	struct address addr;
	int64_t last_ns;
};

static struct tls_client *tls_find(const struct lookup *l, const struct address *a)
{
	uint32_t hash = (uint32_t)address_key(a);

	for (struct hash_link *it = hash_first(&l->tls, hash); it; it = it->next) {
		if (it->hash == hash && address_equal(&HASH_ENTRY(it, struct tls_client, link)->addr, a))
			return HASH_ENTRY(it, struct tls_client, link);
	}
	return NULL;
}

static void tls_note(struct lookup *l, const struct flow *f)
{
	struct tls_client *c = tls_find(l, &f->client.addr);

	if (!c) {
		c = arena_zalloc(l->arena, sizeof *c);
		c->addr = f->client.addr;
		c->last_ns = f->last_ns;
		hash_add(&l->tls, &c->link, (uint32_t)address_key(&c->addr));
	}
	c->last_ns = f->last_ns > c->last_ns ? f->last_ns : c->last_ns;
}

static void tls_make(struct lookup *l)
{
	LIST_EACH(it, flows_in_order(l->facts->flows)) {
		const struct flow *f = LIST_ENTRY(it, struct flow, in_order);

		if (f->side[FLOW_CLIENT].first == FLOW_TLS)
			tls_note(l, f);
	}
	l->tls_made = true;
}

bool lookup_speaks_tls(struct lookup *l, const struct address *client, int64_t since_ns)
{
	const struct tls_client *c;

	if (!l->tls_made)
		tls_make(l);
	c = tls_find(l, client);
	return c && c->last_ns > since_ns;
}
