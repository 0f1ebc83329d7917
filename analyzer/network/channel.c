/* SPDX-License-Identifier: MIT */
/* channel: a record a channel, found by client, server and number. */
#include "analyzer/network/channel.h"

#include <stdlib.h>

#include "captures/base/hash.h"
#include "captures/base/list.h"
#include "captures/base/memory.h"

enum {
	DEFAULT_MAX = 16384,
	BIND = 0x0009, BIND_REFUSED = 0x0119,
	CHANNEL_MIN = 0x4000, CHANNEL_MAX = 0x4fff
};

struct channel {
	struct list_link in_order;   /* by the latest request */
	struct hash_link by_number, by_request;
	struct endpoint client, server;
	uint16_t number;
	struct endpoint peer;        /* family 0: none */
	struct endpoint before;      /* what a refusal of the latest request brings back */
	uint8_t transaction[12];     /* of that request */
};

struct channels {
	struct hash by_number, by_request;
	struct list in_order;
	size_t max;
};

struct channels *channels_new(size_t max)
{
	struct channels *c = memory_zalloc(sizeof *c);

	c->max = max ? max : DEFAULT_MAX;
	hash_init(&c->by_number);
	hash_init(&c->by_request);
	list_init(&c->in_order);
	return c;
}

void channels_free(struct channels *c)
{
	if (!c)
		return;
	LIST_EACH_SAFE(it, &c->in_order)
		free(LIST_ENTRY(it, struct channel, in_order));
	hash_fini(&c->by_number);
	hash_fini(&c->by_request);
	free(c);
}

static uint64_t ends_hash(const struct endpoint *client, const struct endpoint *server)
{
	return hash_mix(endpoint_key(client), endpoint_key(server));
}

static uint32_t number_hash(const struct endpoint *client, const struct endpoint *server, uint16_t number)
{
	return (uint32_t)hash_mix(ends_hash(client, server), number);
}

static uint32_t request_hash(const struct endpoint *client, const struct endpoint *server,
	const uint8_t transaction[12])
{
	return (uint32_t)hash_mix(ends_hash(client, server), hash_bytes(transaction, 12));
}

static bool is_between(const struct channel *ch, const struct endpoint *client, const struct endpoint *server)
{
	return endpoint_equal(&ch->client, client) && endpoint_equal(&ch->server, server);
}

static struct channel *channel_find(const struct channels *c, const struct endpoint *client,
	const struct endpoint *server, uint16_t number)
{
	uint32_t hash = number_hash(client, server, number);

	for (struct hash_link *it = hash_first(&c->by_number, hash); it; it = it->next) {
		struct channel *ch = HASH_ENTRY(it, struct channel, by_number);

		if (it->hash == hash && ch->number == number && is_between(ch, client, server))
			return ch;
	}
	return NULL;
}

static void channel_remove(struct channels *c, struct channel *ch)
{
	hash_remove(&c->by_number, &ch->by_number);
	hash_remove(&c->by_request, &ch->by_request);
	list_remove(&c->in_order, &ch->in_order);
	free(ch);
}

static struct channel *channel_get(struct channels *c, const struct packet *p)
{
	struct channel *ch = channel_find(c, &p->src, &p->dst, p->stun.channel);

	if (ch) {
		hash_remove(&c->by_request, &ch->by_request);
		list_remove(&c->in_order, &ch->in_order);
	} else {
		if (c->in_order.count >= c->max)
			channel_remove(c, LIST_ENTRY(c->in_order.head.next, struct channel, in_order));
		ch = memory_zalloc(sizeof *ch);
		ch->client = p->src;
		ch->server = p->dst;
		ch->number = p->stun.channel;
		hash_add(&c->by_number, &ch->by_number, number_hash(&p->src, &p->dst, ch->number));
	}
	hash_add(&c->by_request, &ch->by_request, request_hash(&p->src, &p->dst, p->stun.transaction));
	list_add_tail(&c->in_order, &ch->in_order);
	return ch;
}

/*
 * Taken at its word at once, as the answer may be out of sight: who is refused sends nothing in the channel. The same
 * request again is a retransmission, or a mirror's copy.
 */
static void bind_asked(struct channels *c, const struct packet *p)
{
	const struct stun_message *m = &p->stun;
	struct channel *ch;

	if (m->channel < CHANNEL_MIN || m->channel > CHANNEL_MAX || !address_known(&m->peer.addr))
		return;
	ch = channel_find(c, &p->src, &p->dst, m->channel);
	if (ch && memcmp(ch->transaction, m->transaction, sizeof ch->transaction) == 0)
		return;
	ch = channel_get(c, p);
	ch->before = ch->peer;
	ch->peer = m->peer;
	memcpy(ch->transaction, m->transaction, sizeof ch->transaction);
}

static void bind_refused(struct channels *c, const struct packet *p)
{
	uint32_t hash = request_hash(&p->dst, &p->src, p->stun.transaction);

	for (struct hash_link *it = hash_first(&c->by_request, hash); it; it = it->next) {
		struct channel *ch = HASH_ENTRY(it, struct channel, by_request);

		if (it->hash == hash && is_between(ch, &p->dst, &p->src) &&
		    memcmp(ch->transaction, p->stun.transaction, sizeof ch->transaction) == 0) {
			ch->peer = ch->before;
			return;
		}
	}
}

static void learn(struct channels *c, const struct packet *p)
{
	if (p->stun.type == BIND)
		bind_asked(c, p);
	else if (p->stun.type == BIND_REFUSED)
		bind_refused(c, p);
}

bool channels_packet(struct channels *c, const struct packet *p, struct packet *ret)
{
	const struct channel *ch;
	bool sent;

	if (p->kind == PACKET_STUN && p->tunnel != TUNNEL_TURN)
		learn(c, p);
	if (!p->channel || c->in_order.count == 0)
		return false;
	ch = channel_find(c, &p->src, &p->dst, p->channel);
	sent = ch != NULL;
	if (!ch)
		ch = channel_find(c, &p->dst, &p->src, p->channel);
	if (!ch || !address_known(&ch->peer.addr))
		return false;
	if (ret != p)
		*ret = *p;
	*(sent ? &ret->dst : &ret->src) = ch->peer;
	ret->channel = 0;
	return true;
}
