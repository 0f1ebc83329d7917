/* SPDX-License-Identifier: MIT */
/* account_sites: which devices are behind one router. */
#include "analyzer/calls/account_private.h"

#include <stdlib.h>

static uint64_t site_key(const struct endpoint *outer, const struct endpoint *server)
{
	return hash_mix(hash_bytes(outer->addr.bytes, sizeof outer->addr.bytes),
	       hash_bytes(server->addr.bytes, sizeof server->addr.bytes));
}

static struct sip_site *site_get(struct accounts *a, struct hash *table, const struct device *d)
{
	uint64_t key = site_key(&d->outer, &d->server);
	struct sip_site *s;

	for (struct hash_link *it = hash_first(table, (uint32_t)key); it; it = it->next) {
		s = HASH_ENTRY(it, struct sip_site, by_key);
		if (address_equal(&s->outer, &d->outer.addr) && address_equal(&s->server, &d->server.addr))
			return s;
	}
	s = arena_zalloc(a->site_arena, sizeof *s);
	s->outer = d->outer.addr;
	s->server = d->server.addr;
	list_init(&s->devices);
	hash_add(table, &s->by_key, (uint32_t)key);
	list_add_tail(&a->sites, &s->in_order);
	return s;
}

static int resident_compare(const void *x, const void *y)
{
	const struct device *a = *(const struct device *const *)x, *b = *(const struct device *const *)y;
	int by_address = address_compare(&a->inner.addr, &b->inner.addr);

	if (a->inner.port != b->inner.port)
		return a->inner.port < b->inner.port ? -1 : 1;
	if (by_address)
		return by_address;
	return a->n < b->n ? -1 : a->n > b->n;
}

static void site_sort(struct accounts *a, struct sip_site *s)
{
	unsigned n = 0;

	s->device = arena_zalloc(a->site_arena, s->devices.count * sizeof *s->device);
	LIST_EACH(it, &s->devices)
		s->device[n++] = LIST_ENTRY(it, struct device, in_site);
	s->device_count = n;
	qsort(s->device, n, sizeof *s->device, resident_compare);
}

/* Of an account only the device that it has now: its others may be the same phone before it restarted. */
void account_sites_reckon(struct accounts *a)
{
	struct hash table;

	arena_free(a->site_arena);
	a->site_arena = arena_new();
	list_init(&a->sites);
	hash_init(&table);
	LIST_EACH(it, &a->order) {
		struct account *x = LIST_ENTRY(it, struct account, in_order);
		struct device *d = x->current;

		if (!d || d->transport != TRANSPORT_UDP || !address_known(&d->outer.addr) ||
		    address_equal(&d->outer.addr, &d->inner.addr))
			continue;
		list_add_tail(&site_get(a, &table, d)->devices, &d->in_site);
	}
	LIST_EACH(it, &a->sites)
		site_sort(a, LIST_ENTRY(it, struct sip_site, in_order));
	hash_fini(&table);
}
