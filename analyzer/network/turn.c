/* SPDX-License-Identifier: MIT */
/* turn: a record an allocation, found by the two sockets, and at the end by the two hosts. */
#include "analyzer/network/turn.h"

#include <stdlib.h>

#include "captures/base/memory.h"

enum {
	DEFAULT_MAX = 4096, LOOK_MAX = 64, REFRESH = 0x0004, ALLOCATED = 0x0103, REFRESHED = 0x0104,
	LIFETIME_S = 600             /* RFC 8656 7.2, where nothing is said */
};

struct turns {
	struct hash by_sockets, by_hosts, by_client;
	struct list in_order;
	size_t max;
};

struct turns *turns_new(size_t max)
{
	struct turns *t = memory_zalloc(sizeof *t);

	t->max = max ? max : DEFAULT_MAX;
	hash_init(&t->by_sockets);
	hash_init(&t->by_hosts);
	hash_init(&t->by_client);
	list_init(&t->in_order);
	return t;
}

void turns_free(struct turns *t)
{
	if (!t)
		return;
	LIST_EACH_SAFE(it, &t->in_order)
		free(LIST_ENTRY(it, struct allocation, in_order));
	hash_fini(&t->by_sockets);
	hash_fini(&t->by_hosts);
	hash_fini(&t->by_client);
	free(t);
}

static uint32_t hosts_hash(const struct address *client, const struct address *server)
{
	return (uint32_t)hash_mix(endpoint_key(&(struct endpoint){ *client, 0 }),
		endpoint_key(&(struct endpoint){ *server, 0 }));
}

static uint32_t sockets_hash(const struct endpoint *client, const struct endpoint *server)
{
	return (uint32_t)hash_mix(endpoint_key(client), endpoint_key(server));
}

static struct allocation *allocation_find(const struct turns *t, const struct endpoint *client,
	const struct endpoint *server)
{
	uint32_t hash = sockets_hash(client, server);

	for (struct hash_link *it = hash_first(&t->by_sockets, hash); it; it = it->next) {
		struct allocation *a = HASH_ENTRY(it, struct allocation, by_sockets);

		if (it->hash == hash && endpoint_equal(&a->client, client) && endpoint_equal(&a->server, server))
			return a;
	}
	return NULL;
}

static struct allocation *allocation_get(struct turns *t, const struct endpoint *client, const struct endpoint *server)
{
	struct allocation *a = allocation_find(t, client, server);

	if (a)
		return a;
	if (t->in_order.count >= t->max) {
		a = LIST_ENTRY(t->in_order.head.next, struct allocation, in_order);
		hash_remove(&t->by_sockets, &a->by_sockets);
		hash_remove(&t->by_hosts, &a->by_hosts);
		hash_remove(&t->by_client, &a->by_client);
		list_remove(&t->in_order, &a->in_order);
		free(a);
	}
	a = memory_zalloc(sizeof *a);
	a->client = *client;
	a->server = *server;
	hash_add(&t->by_sockets, &a->by_sockets, sockets_hash(client, server));
	hash_add(&t->by_hosts, &a->by_hosts, hosts_hash(&client->addr, &server->addr));
	hash_add(&t->by_client, &a->by_client, endpoint_hash(client));
	list_add_tail(&t->in_order, &a->in_order);
	return a;
}

static void granted(struct allocation *a, const struct packet *p)
{
	a->lifetime_s = p->stun.has_lifetime ? p->stun.lifetime_s : LIFETIME_S;
	a->until_ns = ns_add(p->at_ns, (int64_t)a->lifetime_s * SECOND_NS);
	a->granted_at = (struct frame_ref){ p->at_ns, p->frame, p->file, p->interface };
	a->asked_at = (struct frame_ref){ 0 };
}

void turns_packet(struct turns *t, const struct packet *p)
{
	struct allocation *a;

	switch (p->stun.type) {
	case ALLOCATED:
		a = allocation_get(t, &p->dst, &p->src);
		granted(a, p);
		a->relayed = p->stun.relayed;
		a->given_back = false;
		a->refreshes = 0;
		break;
	case REFRESHED:
		a = allocation_find(t, &p->dst, &p->src);
		if (!a || a->given_back)
			return;
		granted(a, p);
		a->given_back = a->lifetime_s == 0;
		a->refreshes++;
		break;
	case REFRESH:
		a = allocation_find(t, &p->src, &p->dst);
		if (!a)
			return;
		a->asked_at = (struct frame_ref){ p->at_ns, p->frame, p->file, p->interface };
		a->given_back |= p->stun.has_lifetime && p->stun.lifetime_s == 0;
		break;
	default:
		break;
	}
}

static bool is_nearer(const struct allocation *a, const struct allocation *than, int64_t at_ns)
{
	return !than || llabs(ns_minus(a->until_ns, at_ns)) < llabs(ns_minus(than->until_ns, at_ns));
}

const struct allocation *turns_find(const struct turns *t, const struct address *client, const struct address *server,
	int64_t at_ns)
{
	uint32_t hash = hosts_hash(client, server);
	const struct allocation *nearest = NULL;

	for (struct hash_link *it = hash_first(&t->by_hosts, hash); it; it = it->next) {
		const struct allocation *a = HASH_ENTRY(it, struct allocation, by_hosts);

		if (it->hash == hash && address_equal(&a->client.addr, client) &&
		    address_equal(&a->server.addr, server) && is_nearer(a, nearest, at_ns))
			nearest = a;
	}
	return nearest;
}

const struct allocation *turns_of(const struct turns *t, const struct endpoint *client, int64_t at_ns)
{
	uint32_t hash = endpoint_hash(client);
	const struct allocation *nearest = NULL;
	unsigned looked = 0;         /* one client at so many servers is none */

	for (struct hash_link *it = hash_first(&t->by_client, hash); it && looked < LOOK_MAX; it = it->next, looked++) {
		const struct allocation *a = HASH_ENTRY(it, struct allocation, by_client);

		if (it->hash == hash && endpoint_equal(&a->client, client) && is_nearer(a, nearest, at_ns))
			nearest = a;
	}
	return nearest;
}
