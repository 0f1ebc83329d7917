/* SPDX-License-Identifier: MIT */
/*
 * sip_alg_echo_context: what is asked of every sign, looked up once: no walk over hosts, mappings or signs for each of
 * them.
 */
#include "analyzer/detect/sip_alg_echo.h"

#include "analyzer/detect/lookup.h"
#include "analyzer/network/internal.h"

enum { MAPPED_SURE = 80 };

struct echo_writer {
	struct hash_link link;
	struct address server;
};

struct echo_mapped {
	struct hash_link link;
	struct address inside;
};

struct echo_router {
	struct hash_link link;
	const struct host *host;
};

/* ---- paths and servers ---- */

static uint32_t path_hash(const struct address *phone, const struct endpoint *peer, uint8_t transport)
{
	return (uint32_t)hash_mix(hash_mix(address_key(phone), endpoint_key(peer)), transport);
}

static struct echo_path *path_find(const struct echo_context *c, const struct echo_sign *s)
{
	uint32_t hash = path_hash(&s->phone.addr, &s->peer, s->transport);

	for (struct hash_link *it = hash_first(&c->paths, hash); it; it = it->next) {
		struct echo_path *p = HASH_ENTRY(it, struct echo_path, link);

		if (it->hash == hash && p->transport == s->transport && address_equal(&p->phone, &s->phone.addr) &&
		    endpoint_equal(&p->peer, &s->peer))
			return p;
	}
	return NULL;
}

static void path_add(struct echo_context *c, const struct echo_sign *s)
{
	struct echo_path *p = path_find(c, s);

	if (!p) {
		p = arena_zalloc(c->arena, sizeof *p);
		p->phone = s->phone.addr;
		p->peer = s->peer;
		p->transport = s->transport;
		hash_add(&c->paths, &p->link, path_hash(&p->phone, &p->peer, p->transport));
	}
	p->transactions[s->kind] += s->transactions;
}

unsigned echo_transactions(const struct echo_context *c, const struct echo_sign *s)
{
	const struct echo_path *p = path_find(c, s);

	return p ? p->transactions[s->kind] : 0;
}

bool echo_server_writes_ports(const struct echo_context *c, const struct echo_sign *s)
{
	uint32_t hash = address_hash(&s->peer.addr);

	for (struct hash_link *it = hash_first(&c->writers, hash); it; it = it->next) {
		if (it->hash == hash && address_equal(&HASH_ENTRY(it, struct echo_writer, link)->server, &s->peer.addr))
			return true;
	}
	return false;
}

/* It does so for a phone that no NAT hides: one with a public address, or one of its own net. */
static void writer_add(struct echo_context *c, const struct echo_sign *s)
{
	struct echo_writer *w;

	if ((s->kind != ECHO_VIA_PORT && s->kind != ECHO_FROM_PORT) ||
	    (address_reach(&s->phone.addr) != 2 && address_reach(&s->peer.addr) == 2) ||
	    echo_server_writes_ports(c, s))
		return;
	w = arena_zalloc(c->arena, sizeof *w);
	w->server = s->peer.addr;
	hash_add(&c->writers, &w->link, address_hash(&w->server));
}

/* ---- the NAT map ---- */

static bool mapped_find(const struct hash *table, const struct address *a)
{
	uint32_t hash = address_hash(a);

	for (struct hash_link *it = hash_first(table, hash); it; it = it->next) {
		if (it->hash == hash && address_equal(&HASH_ENTRY(it, struct echo_mapped, link)->inside, a))
			return true;
	}
	return false;
}

static void mapped_put(struct echo_context *c, struct hash *table, const struct address *a)
{
	struct echo_mapped *x;

	if (mapped_find(table, a))
		return;
	x = arena_zalloc(c->arena, sizeof *x);
	x->inside = *a;
	hash_add(table, &x->link, address_hash(a));
}

/* The /24, by its first address; private ones that reach 0 are IPv4 or ULA. */
static struct address net_of(const struct address *a)
{
	struct address net = *a;
	unsigned keep = a->family == 4 ? 3 : 8;

	memset(net.bytes + keep, 0, sizeof net.bytes - keep);
	return net;
}

bool echo_mapped(const struct echo_context *c, const struct address *phone)
{
	return mapped_find(&c->mapped, phone);
}

bool echo_configured(const struct echo_context *c, const struct address *public_address)
{
	return mapped_find(&c->configured, public_address);
}

bool echo_site_mapped(const struct echo_context *c, const struct address *phone)
{
	struct address net = net_of(phone);

	return mapped_find(&c->mapped_nets, &net);
}

/*
 * A server saw it, or the operator says it. What a phone says of itself, or a server of the phone's words, proves no
 * translation.
 */
static bool observed(const struct nat_mapping *m)
{
	switch (m->method) {
	case NAT_TWIN: case NAT_SIP_TWO_POINTS: case NAT_STUN: case NAT_RPORT: case NAT_CONFIG:
		return m->weight >= MAPPED_SURE;
	case NAT_VIA: case NAT_CONTACT: case NAT_SDP_PORT_EQUAL: case NAT_SDP_PORT_OTHER: case NAT_LATCHED: case NAT_EXTERNAL_ADDRESS:
		break;
	}
	return false;
}

static void mapped_add(struct echo_context *c, const struct nat_mapping *m)
{
	struct address net = net_of(&m->inside.addr);

	if (m->method == NAT_CONFIG && address_reach(&m->outside.addr) == 2)
		mapped_put(c, &c->configured, &m->outside.addr);
	if (!observed(m) || address_reach(&m->inside.addr) != 0 || address_reach(&m->outside.addr) != 2)
		return;
	mapped_put(c, &c->mapped_nets, &net);
	if (m->method != NAT_RPORT)      /* another server may be reached another way */
		mapped_put(c, &c->mapped, &m->inside.addr);
}

/* ---- hosts ---- */

static uint32_t mac_hash(const uint8_t mac[6])
{
	return (uint32_t)hash_bytes(mac, 6);
}

static void host_add_to(struct echo_context *c, const struct host *h)
{
	struct echo_router *r;

	if (!h->has_mac)
		return;
	if (address_reach(&h->addr) == 2 && h->sends_ip && !h->mac_shared && h->ttl_known && h->hops == 0) {
		if (c->public_inside_count < PUBLIC_INSIDE_MAX)
			c->public_inside[c->public_inside_count++] = h->addr;
	} else if (address_private(&h->addr)) {
		r = arena_zalloc(c->arena, sizeof *r);
		r->host = h;
		hash_add(&c->routers, &r->link, mac_hash(h->mac));
	}
}

bool echo_router(const struct echo_context *c, const struct echo_sign *s, struct address *ret)
{
	static const uint8_t none[6] = { 0 };
	uint32_t hash = mac_hash(s->router_mac);
	bool found = false;

	if (memcmp(s->router_mac, none, sizeof none) == 0)
		return false;
	/* the lowest of several, whatever the order in the table */
	for (struct hash_link *it = hash_first(&c->routers, hash); it; it = it->next) {
		const struct host *h = HASH_ENTRY(it, struct echo_router, link)->host;

		if (it->hash != hash || memcmp(h->mac, s->router_mac, sizeof none) != 0 ||
		    !address_same_net(&h->addr, &s->phone.addr))
			continue;
		if (!found || address_compare(&h->addr, ret) < 0)
			*ret = h->addr;
		found = true;
	}
	return found;
}

/* ---- places ---- */

struct echo_place *echo_place_of(struct echo_context *c, const struct alg_where *where)
{
	uint32_t hash = path_hash(&where->host, &(struct endpoint){ where->host, where->port }, where->transport);
	struct echo_place *p;

	for (struct hash_link *it = hash_first(&c->places, hash); it; it = it->next) {
		p = HASH_ENTRY(it, struct echo_place, link);
		if (it->hash == hash && p->where.far_side == where->far_side && p->where.port == where->port &&
		    p->where.transport == where->transport &&
		    address_equal(&p->where.host, &where->host))
			return p;
	}
	p = arena_zalloc(c->arena, sizeof *p);
	p->where = *where;
	hash_add(&c->places, &p->link, hash);
	list_add_tail(&c->places_in_order, &p->in_order);
	return p;
}

/* ---- all of it ---- */

void echo_context_init(struct echo_context *c, const struct facts *facts, struct alg_evidence *to)
{
	enum vantage_kind kind = facts->vantage.kind;

	*c = (struct echo_context){ .facts = facts, .to = to, .arena = arena_new(),
		.blind = kind == VANTAGE_UNKNOWN || kind == VANTAGE_MID };
	hash_init(&c->paths);
	hash_init(&c->writers);
	hash_init(&c->mapped);
	hash_init(&c->mapped_nets);
	hash_init(&c->configured);
	hash_init(&c->routers);
	hash_init(&c->places);
	list_init(&c->places_in_order);
	c->legs = lookup_leg_keys(facts->lookup);
	LIST_EACH(it, echoes_signs(facts->echoes)) {
		path_add(c, LIST_ENTRY(it, struct echo_sign, in_order));
		writer_add(c, LIST_ENTRY(it, struct echo_sign, in_order));
	}
	LIST_EACH(it, network_mappings(facts->network))
		mapped_add(c, LIST_ENTRY(it, struct nat_mapping, in_order));
	LIST_EACH(it, network_hosts(facts->network))
		host_add_to(c, LIST_ENTRY(it, struct host, in_order));
}

void echo_context_fini(struct echo_context *c)
{
	hash_fini(&c->paths);
	hash_fini(&c->writers);
	hash_fini(&c->mapped);
	hash_fini(&c->mapped_nets);
	hash_fini(&c->configured);
	hash_fini(&c->routers);
	hash_fini(&c->places);
	arena_free(c->arena);
}
