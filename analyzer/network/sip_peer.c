/* SPDX-License-Identifier: MIT */
/* sip_peer: a record a client, server socket and transport. */
#include "analyzer/network/sip_peer.h"

#include <stdlib.h>

#include "analyzer/network/internal.h"
#include "captures/base/memory.h"
#include "captures/base/pool.h"
#include "dissect/sip_message.h"

enum { PEERS_MAX = 16384 };

struct sip_peers {
	struct pool pool;
	struct hash by_key;
	struct list order;
	struct list silent, heard;   /* in_age, longest ago first: without, with an answer */
	size_t max;
	uint64_t evicted;
};

struct sip_peers *sip_peers_new(size_t max)
{
	struct sip_peers *t = memory_zalloc(sizeof *t);

	t->max = max ? max : PEERS_MAX;
	pool_init(&t->pool, sizeof(struct sip_peer));
	hash_init(&t->by_key);
	list_init(&t->order);
	list_init(&t->silent);
	list_init(&t->heard);
	return t;
}

void sip_peers_free(struct sip_peers *t)
{
	if (!t)
		return;
	hash_fini(&t->by_key);
	pool_fini(&t->pool);
	free(t);
}

static uint32_t peer_hash(const struct address *client, const struct endpoint *server, uint8_t transport)
{
	return (uint32_t)hash_mix(hash_mix(address_key(client), endpoint_key(server)), transport);
}

static struct sip_peer *peer_find(const struct sip_peers *t, const struct address *client,
	const struct endpoint *server, uint8_t transport, uint32_t hash)
{
	for (struct hash_link *it = hash_first(&t->by_key, hash); it; it = it->next) {
		struct sip_peer *x = HASH_ENTRY(it, struct sip_peer, by_key);

		if (it->hash == hash && x->transport == transport && address_equal(&x->client, client) &&
		    endpoint_equal(&x->server, server))
			return x;
	}
	return NULL;
}

static struct list *age_list(struct sip_peers *t, const struct sip_peer *x)
{
	return x->answers ? &t->heard : &t->silent;
}

static void peer_drop(struct sip_peers *t)
{
	struct list *from = t->silent.count ? &t->silent : &t->heard;
	struct sip_peer *x = LIST_ENTRY(from->head.next, struct sip_peer, in_age);

	list_remove(from, &x->in_age);
	list_remove(&t->order, &x->in_order);
	hash_remove(&t->by_key, &x->by_key);
	pool_give(&t->pool, x);
	t->evicted++;
}

static struct sip_peer *peer_add(struct sip_peers *t, const struct packet *p, uint32_t hash)
{
	struct sip_peer *x = peer_find(t, &p->src.addr, &p->dst, p->transport, hash);

	if (x)
		return x;
	if (t->order.count >= t->max)
		peer_drop(t);
	x = pool_zalloc(&t->pool);
	x->client = p->src.addr;
	x->server = p->dst;
	x->transport = p->transport;
	x->port_low = x->port_high = p->src.port;
	hash_add(&t->by_key, &x->by_key, hash);
	list_add_tail(&t->order, &x->in_order);
	list_add_tail(&t->silent, &x->in_age);
	return x;
}

static bool is_stream(uint8_t transport)
{
	return transport == TRANSPORT_TCP || transport == TRANSPORT_TLS || transport == TRANSPORT_WS;
}

/* Is this hash among the latest ones? Else it becomes one. */
static bool seen_before(uint64_t recent[SIP_PEER_RECENT], unsigned *next, uint64_t hash)
{
	for (unsigned i = 0; i < SIP_PEER_RECENT; i++) {
		if (recent[i] == hash)
			return true;
	}
	recent[(*next)++ % SIP_PEER_RECENT] = hash;
	return false;
}

/* What tells one request from another: its branch, or what RFC 2543 has instead. */
static uint64_t request_key(const struct sip_message *m)
{
	uint64_t key = hash_mix(m->method, m->cseq);

	if (m->via.branch.n)
		return hash_mix(key, m->keys.branch);
	return m->call_id.n ? hash_mix(key, m->keys.call_id) : key;
}

static void take_request(struct sip_peers *t, const struct packet *p, uint32_t hash)
{
	struct sip_peer *x;

	if (is_stream(p->transport) && peer_find(t, &p->dst.addr, &p->src, p->transport,
		peer_hash(&p->dst.addr, &p->src, p->transport)))
		return;                 /* over a connection that the other side opened: it needs no rule of its own */
	x = peer_add(t, p, hash);
	list_remove(age_list(t, x), &x->in_age);
	list_add_tail(age_list(t, x), &x->in_age);
	if (p->src.port < x->port_low)
		x->port_low = p->src.port;
	if (p->src.port > x->port_high)
		x->port_high = p->src.port;
	if (seen_before(x->recent, &x->next, request_key(p->sip)))
		return;
	if (!x->requests++)
		x->asked_at = (struct frame_ref){ p->at_ns, p->frame, p->file, p->interface };
	x->dscp = p->dscp;
	x->registers += p->sip->method == SIP_REGISTER;
	x->invites += p->sip->method == SIP_INVITE;
}

static void take_answer(struct sip_peers *t, const struct packet *p, uint32_t hash)
{
	struct sip_peer *x = peer_find(t, &p->dst.addr, &p->src, p->transport, hash);

	if (!x || seen_before(x->answered, &x->next_answered, request_key(p->sip)))
		return;
	if (!x->answers) {
		list_remove(&t->silent, &x->in_age);
		list_add_tail(&t->heard, &x->in_age);
		x->answered_at = (struct frame_ref){ p->at_ns, p->frame, p->file, p->interface };
	}
	x->answers++;
}

unsigned sip_peers_places(const struct sip_peers *t, const struct packet *p, struct hash_place *ret)
{
	const struct sip_message *m = p->sip;

	if (m->method == SIP_ACK || (!m->request && m->status < 200))
		return 0;
	ret[0] = (struct hash_place){ &t->by_key, m->request ? peer_hash(&p->src.addr, &p->dst, p->transport)
		: peer_hash(&p->dst.addr, &p->src, p->transport) };
	return 1;
}

void sip_peers_packet(struct sip_peers *t, const struct packet *p)
{
	struct hash_place at[HASH_PLACES];

	if (!p->sip)
		return;
	sip_peers_places(t, p, at);
	sip_peers_packet_at(t, p, at);
}

void sip_peers_packet_at(struct sip_peers *t, const struct packet *p, const struct hash_place *at)
{
	if (address_multicast(&p->dst.addr) || p->sip->method == SIP_ACK || p->sip->method == SIP_CANCEL)
		return;
	if (p->sip->request)
		take_request(t, p, (uint32_t)at[0].key);
	else if (p->sip->status >= 200)
		take_answer(t, p, (uint32_t)at[0].key);
}

const struct list *sip_peers_in_order(const struct sip_peers *t)
{
	return &t->order;
}

uint64_t sip_peers_evicted(const struct sip_peers *t)
{
	return t->evicted;
}
