/* SPDX-License-Identifier: MIT */
/* tls_pair: three tables of the same records: by socket for what comes, by hosts and by client for who judges. */
#include "analyzer/network/tls_pair.h"

#include <stdlib.h>

#include "analyzer/site.h"
#include "captures/base/memory.h"

enum { PAIRS_MAX = 4096, PORT_SIPS = 5061 };

struct tls_pairs {
	const struct site *site;
	struct hash by_socket, by_hosts, by_client;      /* by_client: those to SIP */
	struct list order, web, sip; /* web, sip: what was silent longest comes first */
	size_t max;
	unsigned next_n;
	uint64_t evicted, others_evicted;
};

struct tls_pairs *tls_pairs_new(const struct site *site, size_t max)
{
	struct tls_pairs *t = memory_zalloc(sizeof *t);

	t->site = site;
	t->max = max ? max : PAIRS_MAX;
	hash_init(&t->by_socket);
	hash_init(&t->by_hosts);
	hash_init(&t->by_client);
	list_init(&t->order);
	list_init(&t->web);
	list_init(&t->sip);
	return t;
}

void tls_pairs_free(struct tls_pairs *t)
{
	if (!t)
		return;
	LIST_EACH_SAFE(it, &t->order)
		free(LIST_ENTRY(it, struct tls_pair, in_order));
	hash_fini(&t->by_socket);
	hash_fini(&t->by_hosts);
	hash_fini(&t->by_client);
	free(t);
}

static uint32_t hosts_hash(const struct address *a, const struct address *b)
{
	return address_hash(a) ^ address_hash(b);
}

static uint32_t socket_hash(const struct address *client, const struct endpoint *server)
{
	return (uint32_t)hash_mix(address_key(client), endpoint_key(server));
}

static struct list *list_of(struct tls_pairs *t, const struct tls_pair *x)
{
	return x->to_sip ? &t->sip : &t->web;
}

static void pair_remove(struct tls_pairs *t, struct tls_pair *x)
{
	t->evicted += x->to_sip;
	t->others_evicted += !x->to_sip;
	hash_remove(&t->by_socket, &x->by_socket);
	hash_remove(&t->by_hosts, &x->by_hosts);
	if (x->to_sip)
		hash_remove(&t->by_client, &x->by_client);
	list_remove(list_of(t, x), &x->in_use);
	list_remove(&t->order, &x->in_order);
	free(x);
}

static void become_sip(struct tls_pairs *t, struct tls_pair *x)
{
	list_remove(list_of(t, x), &x->in_use);
	x->to_sip = true;
	list_add_tail(&t->sip, &x->in_use);
	hash_add(&t->by_client, &x->by_client, address_hash(&x->client));
}

static struct tls_pair *pair_add(struct tls_pairs *t, const struct address *client, const struct endpoint *server,
	const struct packet *p)
{
	struct list *least = list_empty(&t->web) ? &t->sip : &t->web;
	struct tls_pair *x;

	if (t->order.count >= t->max)
		pair_remove(t, LIST_ENTRY(least->head.next, struct tls_pair, in_use));
	x = memory_zalloc(sizeof *x);
	x->client = *client;
	x->server = *server;
	x->n = ++t->next_n;
	x->dtls = p->kind == PACKET_DTLS;
	x->first_at = frame_ref_of(p);
	list_add_tail(&t->order, &x->in_order);
	list_add_tail(&t->web, &x->in_use);
	hash_add(&t->by_socket, &x->by_socket, socket_hash(client, server));
	hash_add(&t->by_hosts, &x->by_hosts, hosts_hash(client, &server->addr));
	if (site_sip_port(t->site, server->port))
		become_sip(t, x);
	return x;
}

static struct tls_pair *pair_find(const struct tls_pairs *t, const struct address *client,
	const struct endpoint *server)
{
	uint32_t hash = socket_hash(client, server);

	for (struct hash_link *it = hash_first(&t->by_socket, hash); it; it = it->next) {
		struct tls_pair *x = HASH_ENTRY(it, struct tls_pair, by_socket);

		if (it->hash == hash && endpoint_equal(&x->server, server) && address_equal(&x->client, client))
			return x;
	}
	return NULL;
}

/* The server is the side with the SIP port, else the lower port. */
static bool to_server(const struct packet *p)
{
	if ((p->dst.port == PORT_SIPS) != (p->src.port == PORT_SIPS))
		return p->dst.port == PORT_SIPS;
	return p->dst.port < p->src.port;
}

void tls_pairs_packet(struct tls_pairs *t, const struct packet *p)
{
	bool asks = to_server(p);
	const struct endpoint *server = asks ? &p->dst : &p->src;
	const struct address *client = asks ? &p->src.addr : &p->dst.addr;
	struct tls_pair *x = pair_find(t, client, server);

	if (!x)
		x = pair_add(t, client, server, p);
	x->records++;
	x->sip_alpn |= span_starts(p->tls.alpn, SPAN("sip"));
	if (x->sip_alpn && !x->to_sip)
		become_sip(t, x);
	list_remove(list_of(t, x), &x->in_use);
	list_add_tail(list_of(t, x), &x->in_use);
}

const struct list *tls_pairs_in_order(const struct tls_pairs *t)
{
	return &t->order;
}

uint64_t tls_pairs_evicted(const struct tls_pairs *t)
{
	return t->evicted;
}

uint64_t tls_pairs_others_evicted(const struct tls_pairs *t)
{
	return t->others_evicted;
}

static bool is_between(const struct tls_pair *x, const struct address *a, const struct address *b)
{
	return (address_equal(&x->client, a) && address_equal(&x->server.addr, b)) ||
		(address_equal(&x->client, b) && address_equal(&x->server.addr, a));
}

const struct tls_pair *tls_pairs_between(const struct tls_pairs *t, const struct address *a, const struct address *b,
	const struct tls_pair *after)
{
	struct hash_link *it = after ? after->by_hosts.next : hash_first(&t->by_hosts, hosts_hash(a, b));

	for (; it; it = it->next) {
		const struct tls_pair *x = HASH_ENTRY(it, struct tls_pair, by_hosts);

		if (is_between(x, a, b))
			return x;
	}
	return NULL;
}

const struct tls_pair *tls_pairs_of(const struct tls_pairs *t, const struct address *client,
	const struct tls_pair *after)
{
	struct hash_link *it = after ? after->by_client.next : hash_first(&t->by_client, address_hash(client));

	for (; it; it = it->next) {
		const struct tls_pair *x = HASH_ENTRY(it, struct tls_pair, by_client);

		if (address_equal(&x->client, client))
			return x;
	}
	return NULL;
}
