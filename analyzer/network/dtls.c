/* SPDX-License-Identifier: MIT */
/* dtls: handshakes between two media sockets (RFC 5764), and whether the other side takes part in them. */
#include "analyzer/network/internal.h"

#include <stdlib.h>

#include "captures/base/memory.h"

enum { DTLS_WAYS_MAX = 8192, CLIENT_HELLO = 1, ALERT_FATAL = 2 };

struct dtls_record {
	struct hash_link by_sockets;
	struct list_link in_order;
	struct dtls_way way;
};

struct dtls_ways {
	struct hash by_sockets;
	struct list in_order;
};

static uint32_t way_hash(const struct endpoint *from, const struct endpoint *to)
{
	return (uint32_t)hash_mix(endpoint_key(from), endpoint_key(to));
}

static struct dtls_record *way_find(const struct dtls_ways *w, const struct endpoint *from, const struct endpoint *to)
{
	uint32_t hash = way_hash(from, to);

	for (struct hash_link *it = w ? hash_first(&w->by_sockets, hash) : NULL; it; it = it->next) {
		struct dtls_record *r = HASH_ENTRY(it, struct dtls_record, by_sockets);

		if (it->hash == hash && endpoint_equal(&r->way.from, from) && endpoint_equal(&r->way.to, to))
			return r;
	}
	return NULL;
}

static struct dtls_record *way_add(struct network *n, const struct packet *p)
{
	struct dtls_record *r;

	if (!n->dtls) {
		n->dtls = memory_zalloc(sizeof *n->dtls);
		hash_init(&n->dtls->by_sockets);
		list_init(&n->dtls->in_order);
	}
	if (n->dtls->in_order.count >= DTLS_WAYS_MAX)
		return NULL;
	r = memory_zalloc(sizeof *r);
	r->way = (struct dtls_way){ .from = p->src, .to = p->dst, .first_ns = p->at_ns,
		.alert_ns = NS_NONE, .first_at = { p->file, p->frame } };
	hash_add(&n->dtls->by_sockets, &r->by_sockets, way_hash(&p->src, &p->dst));
	list_add_tail(&n->dtls->in_order, &r->in_order);
	return r;
}

void network_learn_dtls(struct network *n, const struct packet *p)
{
	struct dtls_record *r, *back;

	if (p->kind != PACKET_DTLS || !(p->has & HAS_PORTS) || p->tunnel == TUNNEL_TURN)
		return;
	r = way_find(n->dtls, &p->src, &p->dst);
	if (!r)
		r = way_add(n, p);
	if (!r)
		return;
	back = way_find(n->dtls, &p->dst, &p->src);
	r->way.last_ns = p->at_ns;
	if (p->tls.messages & 1u << CLIENT_HELLO) {
		r->way.hellos++;
		r->way.in_vain++;
	} else if (!p->tls.hello_goes_on) {
		r->way.others++;
	}
	if (p->tls.alert_level == ALERT_FATAL) {
		r->way.alert = p->tls.alert;
		r->way.alert_ns = p->at_ns;
		r->way.alert_at = (struct frame_spot){ p->file, p->frame };
	}
	if (back)
		back->way.in_vain = 0;
}

const struct dtls_way *network_dtls(const struct network *n, const struct endpoint *from, const struct endpoint *to)
{
	const struct dtls_record *r = way_find(n->dtls, from, to);

	return r ? &r->way : NULL;
}

void network_forget_dtls(struct network *n)
{
	if (!n->dtls)
		return;
	LIST_EACH_SAFE(it, &n->dtls->in_order)
		free(LIST_ENTRY(it, struct dtls_record, in_order));
	hash_fini(&n->dtls->by_sockets);
	free(n->dtls);
}
