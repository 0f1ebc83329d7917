/* SPDX-License-Identifier: MIT */
/* ice: connectivity checks between two media sockets (RFC 8445 7), and whether the other side answers them. */
#include "analyzer/network/internal.h"

#include <stdlib.h>

#include "captures/base/memory.h"

enum { ICE_WAYS_MAX = 8192, STUN_BINDING = 0x0001, STUN_BINDING_DONE = 0x0101 };

struct ice_record {
	struct hash_link by_sockets, by_names;
	struct list_link in_order;
	uint32_t names;              /* names_hash() of who is asked and who asks */
	struct ice_way way;
};

struct ice_ways {
	struct hash by_sockets, by_names;
	struct list in_order;
};

static uint32_t way_hash(const struct endpoint *from, const struct endpoint *to)
{
	return (uint32_t)hash_mix(endpoint_key(from), endpoint_key(to));
}

static uint32_t names_hash(struct span asked, struct span asking)
{
	return (uint32_t)hash_mix(hash_bytes(asked.p, asked.n), hash_bytes(asking.p, asking.n));
}

static struct ice_record *way_find(const struct ice_ways *w, const struct endpoint *from, const struct endpoint *to)
{
	uint32_t hash = way_hash(from, to);

	for (struct hash_link *it = w ? hash_first(&w->by_sockets, hash) : NULL; it; it = it->next) {
		struct ice_record *r = HASH_ENTRY(it, struct ice_record, by_sockets);

		if (it->hash == hash && endpoint_equal(&r->way.from, from) && endpoint_equal(&r->way.to, to))
			return r;
	}
	return NULL;
}

static bool is_named(const struct stun_message *s)
{
	return span_find(s->username, ':') < s->username.n;
}

static struct ice_record *way_add(struct network *n, const struct packet *p)
{
	struct ice_record *r;

	if (!n->ice) {
		n->ice = memory_zalloc(sizeof *n->ice);
		hash_init(&n->ice->by_sockets);
		hash_init(&n->ice->by_names);
		list_init(&n->ice->in_order);
	}
	/* those who ask a STUN server leave room for checks */
	if (n->ice->in_order.count >= (is_named(&p->stun) ? ICE_WAYS_MAX : ICE_WAYS_MAX / 2))
		return NULL;
	r = memory_zalloc(sizeof *r);
	r->way = (struct ice_way){ .from = p->src, .to = p->dst, .first_ns = p->at_ns, .answered_ns = NS_NONE,
		.first_at = { p->file, p->frame } };
	hash_add(&n->ice->by_sockets, &r->by_sockets, way_hash(&p->src, &p->dst));
	list_add_tail(&n->ice->in_order, &r->in_order);
	return r;
}

static void way_name(struct ice_ways *w, struct ice_record *r, struct span user)
{
	size_t colon = span_find(user, ':');

	r->names = names_hash(span_first(user, colon), span_from(user, colon + 1));
	hash_add(&w->by_names, &r->by_names, r->names);
}

/* A check names both sides, "theirs:ours" (RFC 8445 7.2.2); what a client asks a STUN server names nobody. */
void network_learn_ice(struct network *n, const struct packet *p)
{
	const struct stun_message *s = &p->stun;
	struct ice_record *r;

	if (s->type == STUN_BINDING) {
		r = way_find(n->ice, &p->src, &p->dst);
		if (!r)
			r = way_add(n, p);
		if (!r)
			return;
		if (!is_named(s)) {
			r->way.unnamed++;
			return;
		}
		if (!r->way.checks++) {
			way_name(n->ice, r, s->username);
			r->way.first_ns = p->at_ns;
			r->way.first_at = (struct frame_spot){ p->file, p->frame };
		}
		r->way.in_vain++;
		r->way.last_ns = p->at_ns;
	} else if (s->type == STUN_BINDING_DONE) {
		r = way_find(n->ice, &p->dst, &p->src);
		if (!r)
			return;
		r->way.answers++;
		r->way.in_vain = 0;
		r->way.answered_ns = p->at_ns;
	}
}

const struct ice_way *network_ice(const struct network *n, const struct endpoint *from, const struct endpoint *to)
{
	const struct ice_record *r = way_find(n->ice, from, to);

	return r ? &r->way : NULL;
}

unsigned network_ice_named(const struct network *n, struct span asked, struct span asking, const struct ice_way **ret,
	unsigned max)
{
	uint32_t names = names_hash(asked, asking);
	unsigned count = 0;

	if (!asked.n || !asking.n || !n->ice)
		return 0;
	for (struct hash_link *it = hash_first(&n->ice->by_names, names); it && count < max; it = it->next) {
		const struct ice_record *r = HASH_ENTRY(it, struct ice_record, by_names);

		if (r->names == names)
			ret[count++] = &r->way;
	}
	return count;
}

void network_forget_ice(struct network *n)
{
	if (!n->ice)
		return;
	LIST_EACH_SAFE(it, &n->ice->in_order)
		free(LIST_ENTRY(it, struct ice_record, in_order));
	hash_fini(&n->ice->by_sockets);
	hash_fini(&n->ice->by_names);
	free(n->ice);
}
