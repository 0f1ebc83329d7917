/* SPDX-License-Identifier: MIT */
/* learn_stun: the mapping that a STUN server reports to its client, RFC 8489. */
#include "analyzer/network/internal.h"

#include <stdlib.h>
#include <string.h>

#include "captures/base/memory.h"

enum {
	STUN_BINDING = 0x0001, STUN_ALLOCATE = 0x0003, STUN_BINDING_DONE = 0x0101, STUN_ALLOCATE_DONE = 0x0103,
	STUN_ASKED_MAX = 1024
};

/* A request whose answer has not been seen; the oldest makes room. */
struct stun_request {
	struct hash_link link;
	bool used;
	uint8_t transaction[12];
	struct endpoint client, server;
};

struct stun_asked {
	struct hash by_transaction;
	struct stun_request ring[STUN_ASKED_MAX];
	size_t next;
};

static uint32_t stun_hash(const struct stun_message *s, const struct endpoint *client, const struct endpoint *server)
{
	return (uint32_t)hash_mix(hash_mix(hash_bytes(s->transaction, sizeof s->transaction), endpoint_key(client)),
	       endpoint_key(server));
}

static struct stun_request *stun_find(
	const struct stun_asked *a, const struct stun_message *s, const struct endpoint *client,
	const struct endpoint *server)
{
	uint32_t hash = stun_hash(s, client, server);

	for (struct hash_link *it = a ? hash_first(&a->by_transaction, hash) : NULL; it; it = it->next) {
		struct stun_request *r = HASH_ENTRY(it, struct stun_request, link);

		if (it->hash == hash && memcmp(r->transaction, s->transaction, sizeof r->transaction) == 0 &&
			endpoint_equal(&r->client, client) && endpoint_equal(&r->server, server))
			return r;
	}
	return NULL;
}

static void stun_remember(struct network *n, const struct packet *p)
{
	struct stun_request *r;

	if (!n->stun) {
		n->stun = memory_zalloc(sizeof *n->stun);
		hash_init(&n->stun->by_transaction);
	}
	if (stun_find(n->stun, &p->stun, &p->src, &p->dst))
		return;
	r = &n->stun->ring[n->stun->next];
	n->stun->next = (n->stun->next + 1) % STUN_ASKED_MAX;
	if (r->used)
		hash_remove(&n->stun->by_transaction, &r->link);
	r->used = true;
	memcpy(r->transaction, p->stun.transaction, sizeof r->transaction);
	r->client = p->src;
	r->server = p->dst;
	hash_add(&n->stun->by_transaction, &r->link, stun_hash(&p->stun, &p->src, &p->dst));
}

void network_forget_stun(struct network *n)
{
	if (n->stun)
		hash_fini(&n->stun->by_transaction);
	free(n->stun);
}

static bool is_sip_socket(const struct network *n, const struct endpoint *e)
{
	const struct host_record *h = host_find(n, &e->addr);

	if (e->port == SIP_PORT || e->port == SIPS_PORT)
		return true;
	for (unsigned i = 0; h && i < h->host.sip_port_count; i++) {
		if (h->host.sip_ports[i] == e->port)
			return true;
	}
	return false;
}

/*
 * Only the answer to a request that was seen here too: this is the private side, and nobody made the answer up. A check
 * that went through a TURN relay came back with the relay's address.
 */
void network_learn_stun(struct network *n, const struct packet *p)
{
	const struct stun_message *s = &p->stun;

	if (p->kind != PACKET_STUN || !(p->has & HAS_IP) || p->tunnel == TUNNEL_TURN)
		return;
	turns_packet(n->turns, p);
	network_learn_ice(n, p);
	if (s->type == STUN_BINDING || s->type == STUN_ALLOCATE) {
		stun_remember(n, p);
		return;
	}
	if ((s->type != STUN_BINDING_DONE && s->type != STUN_ALLOCATE_DONE) || !address_known(&s->mapped.addr))
		return;
	if (!stun_find(n->stun, s, &p->dst, &p->src) || address_equal(&s->mapped.addr, &p->dst.addr))
		return;
	nat_learn(&n->nat, &(struct nat_mapping){ .inside = p->dst, .outside = s->mapped,
			.media = !is_sip_socket(n, &p->dst), .transport = p->transport, .method = NAT_STUN,
			.weight = 100, .first_ns = p->at_ns, .last_ns = p->at_ns, .at = { p->file, p->frame } });
}
