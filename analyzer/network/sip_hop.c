/* SPDX-License-Identifier: MIT */
/* sip_hop: a record a pair of sockets, made by the first answer. */
#include "analyzer/network/sip_hop.h"

#include <stdlib.h>

#include "captures/base/memory.h"
#include "dissect/sip_message.h"

enum { HOPS_MAX = 65536 };

struct sip_hops {
	struct hash by_key;
	struct list by_use;          /* longest ago first */
	size_t max;
	uint64_t evicted;
};

struct sip_hops *sip_hops_new(size_t max)
{
	struct sip_hops *h = memory_zalloc(sizeof *h);

	h->max = max ? max : HOPS_MAX;
	hash_init(&h->by_key);
	list_init(&h->by_use);
	return h;
}

void sip_hops_free(struct sip_hops *h)
{
	if (!h)
		return;
	hash_fini(&h->by_key);
	LIST_EACH_SAFE(it, &h->by_use)
		free(LIST_ENTRY(it, struct sip_hop, by_use));
	free(h);
}

static uint32_t hop_hash(const struct endpoint *client, const struct endpoint *server)
{
	return (uint32_t)hash_mix(endpoint_hash(client), endpoint_hash(server));
}

const struct sip_hop *sip_hops_find(const struct sip_hops *h, const struct endpoint *client,
	const struct endpoint *server)
{
	uint32_t hash = hop_hash(client, server);

	for (struct hash_link *it = hash_first(&h->by_key, hash); it; it = it->next) {
		struct sip_hop *x = HASH_ENTRY(it, struct sip_hop, by_key);

		if (it->hash == hash && endpoint_equal(&x->client, client) && endpoint_equal(&x->server, server))
			return x;
	}
	return NULL;
}

static void hop_drop_oldest(struct sip_hops *h)
{
	struct sip_hop *x = LIST_ENTRY(h->by_use.head.next, struct sip_hop, by_use);

	hash_remove(&h->by_key, &x->by_key);
	list_remove(&h->by_use, &x->by_use);
	free(x);
	h->evicted++;
}

static struct sip_hop *hop_add(struct sip_hops *h, const struct packet *p)
{
	struct sip_hop *x = (struct sip_hop *)sip_hops_find(h, &p->dst, &p->src);

	if (x) {
		list_remove(&h->by_use, &x->by_use);
	} else {
		if (h->by_use.count >= h->max)
			hop_drop_oldest(h);
		x = memory_zalloc(sizeof *x);
		x->client = p->dst;
		x->server = p->src;
		x->first_ns = p->at_ns;
		hash_add(&h->by_key, &x->by_key, hop_hash(&x->client, &x->server));
	}
	list_add_tail(&h->by_use, &x->by_use);
	return x;
}

static bool belongs_to_call(enum sip_method method)
{
	return method == SIP_METHOD_NONE || method == SIP_INVITE || method == SIP_ACK || method == SIP_CANCEL ||
	       method == SIP_BYE;
}

void sip_hops_packet(struct sip_hops *h, const struct packet *p)
{
	struct sip_hop *x;

	if (!p->sip || p->sip->request || p->sip->status < 200 || belongs_to_call(p->sip->method))
		return;
	x = hop_add(h, p);
	x->answered++;
	if (p->at_ns > x->last_ns)
		x->last_ns = p->at_ns;
}

uint64_t sip_hops_evicted(const struct sip_hops *h)
{
	return h->evicted;
}
