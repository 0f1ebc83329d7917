/* SPDX-License-Identifier: MIT */
/*
 * machine: which hosts send from one MAC address, hence which MAC is a router's and which addresses are one host's
 * (1.6.2 a).
 */
#include "analyzer/network/internal.h"

enum {
	VOTES_MAX = 16,              /* so many packets from elsewhere make a host's old MAC forgotten */
	ALIAS_PACKETS = 8,           /* fewer packets of an address prove nothing */
	ALIAS_HOSTS_MAX = 4          /* more hosts behind one MAC: a repeater or proxy ARP, not a machine */
};

static struct machine *machine_find(const struct network *n, const uint8_t mac[6], uint32_t hash)
{
	for (struct hash_link *link = hash_first(&n->machines, hash); link; link = link->next) {
		struct machine *m = HASH_ENTRY(link, struct machine, by_mac);

		if (link->hash == hash && memcmp(m->mac, mac, sizeof m->mac) == 0)
			return m;
	}
	return NULL;
}

static uint32_t mac_hash(const uint8_t mac[6])
{
	uint64_t word = 0;

	memcpy(&word, mac, 6);
	return (uint32_t)hash_mix(6, word);
}

static struct machine *machine_add(struct network *n, const uint8_t mac[6])
{
	uint32_t hash = mac_hash(mac);
	struct machine *m = machine_find(n, mac, hash);

	if (m)
		return m;
	m = pool_zalloc(&n->machine_pool);
	memcpy(m->mac, mac, sizeof m->mac);
	list_init(&m->hosts);
	hash_add(&n->machines, &m->by_mac, hash);
	return m;
}

void machine_leave(struct network *n, struct host_record *h)
{
	struct machine *m = h->machine;

	if (!m)
		return;
	list_remove(&m->hosts, &h->in_machine);
	h->machine = NULL;
	if (!list_empty(&m->hosts))
		return;
	hash_remove(&n->machines, &m->by_mac);
	pool_give(&n->machine_pool, m);
}

unsigned machine_places(const struct network *n, const struct packet *p, struct hash_place *ret)
{
	if (!(p->has & HAS_MAC) || p->kind == PACKET_RTP)    /* of a host that sends RTP, SIP has told mostly */
		return 0;
	*ret = (struct hash_place){ &n->machines, mac_hash(p->mac_src) };
	return 1;
}

/* Every host has 169.254/16 and fe80::/10 beside its address, and IPv6 gives it private and public ones at once. */
static bool proves_sharing(const struct address *sample, const struct address *a)
{
	if (!address_known(sample) || address_same_net(sample, a))
		return false;
	return a->family == 4 || address_private(sample) == address_private(a);
}

static bool link_local(const struct address *a)
{
	return a->family == 4 ? a->bytes[0] == 169 && a->bytes[1] == 254
			      : a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
}

static void machine_share(struct machine *m)
{
	m->shared = true;
	LIST_EACH(it, &m->hosts)
		LIST_ENTRY(it, struct host_record, in_machine)->host.mac_shared = true;
}

static void machine_join(struct network *n, struct host_record *h, const uint8_t mac[6])
{
	struct machine *m = machine_add(n, mac);
	struct address *sample = &m->sample[h->host.addr.family == 6];

	list_add_tail(&m->hosts, &h->in_machine);
	h->machine = m;
	h->machine_votes = 0;
	memcpy(h->host.mac, mac, sizeof h->host.mac);
	h->host.has_mac = true;
	if (!m->shared && proves_sharing(sample, &h->host.addr))
		machine_share(m);
	h->host.mac_shared = m->shared;
	if (!address_known(sample))
		*sample = h->host.addr;
}

/* In these the Ethernet header is gone or belongs to the tunnel's end, not to the inner sender. */
static bool mac_is_senders(const struct packet *p)
{
	static const uint8_t zeros[6];

	return (p->has & HAS_MAC) && memcmp(p->mac_src, zeros, sizeof zeros) != 0 && !(p->mac_src[0] & 1) &&
		(p->tunnel == TUNNEL_NONE || p->tunnel == TUNNEL_VXLAN || p->tunnel == TUNNEL_GENEVE ||
			p->tunnel == TUNNEL_ERSPAN || p->tunnel == TUNNEL_TZSP);
}

void machine_sent(struct network *n, struct host_record *h, const struct packet *p, uint32_t count)
{
	uint32_t votes = count < VOTES_MAX ? count : VOTES_MAX;

	if (!mac_is_senders(p))
		return;
	if (h->machine && memcmp(h->host.mac, p->mac_src, sizeof h->host.mac) != 0) {
		if (h->machine_votes > votes) {
			h->machine_votes -= votes;
			return;
		}
		machine_leave(n, h);
	}
	if (!h->machine) {                      /* whose address has no place never joins one */
		if (address_reach(&h->host.addr) < 0 || link_local(&h->host.addr))
			return;
		machine_join(n, h, p->mac_src);
	}
	h->machine_votes = h->machine_votes + votes < VOTES_MAX ? h->machine_votes + votes : VOTES_MAX;
}

/* ---- aliases ---- */

static struct host_record *leader_of(struct host_record *h)
{
	return h->host.alias_of ? host_record_of(h->host.alias_of) : h;
}

static void alias_leave(struct host_record *h)
{
	struct host_record *before = host_record_of(h->host.alias_of);

	while (before->next_alias != h)
		before = before->next_alias;
	before->next_alias = h->next_alias;
	h->next_alias = NULL;
	h->host.alias_of = NULL;
	h->alias_configured = false;
}

/* A leader that goes leaves its members each for itself. */
void alias_forget(struct host_record *h)
{
	if (h->host.alias_of) {
		alias_leave(h);
		return;
	}
	while (h->next_alias)
		alias_leave(h->next_alias);
}

/* Members of b come along, so that a chain is never longer than one. */
static void alias_join(struct host_record *a, struct host_record *b, bool configured)
{
	struct host_record *leader = leader_of(a), *member = leader_of(b), *last;

	if (leader == member)
		return;
	for (last = member; last; last = last->next_alias) {
		last->host.alias_of = &leader->host;
		last->alias_configured |= configured;
		if (!last->next_alias)
			break;
	}
	last->next_alias = leader->next_alias;
	leader->next_alias = member;
}

void network_alias(struct network *n, const struct address *a, const struct address *b)
{
	struct host_record *one, *other;

	if (!address_known(a) || !address_known(b))
		return;
	one = host_add(n, a, NULL);
	other = host_add(n, b, one);
	alias_join(one, other, true);
	host_establish(n, one);
	host_establish(n, other);
}

/* Nothing lies between it and the capture point, so that the MAC is its own; a virtual router's (RFC 9568) wanders. */
static bool can_be_alias(const struct host_record *h)
{
	static const uint8_t virtual_router[] = { 0x00, 0x00, 0x5e, 0x00 };

	return h->host.packets_out >= ALIAS_PACKETS && h->host.ttl_known && h->host.hops == 0 &&
	       memcmp(h->host.mac, virtual_router, sizeof virtual_router) != 0;
}

/* Two that register, or that call themselves differently, are two phones behind a repeater that lends them its MAC. */
static bool one_machine(const struct host_record *a, const struct host_record *b)
{
	if (!address_same_net(&a->host.addr, &b->host.addr) || a->host.ttl != b->host.ttl)
		return false;
	if (a->host.registers_sent && b->host.registers_sent)
		return false;
	return a->host.user_agent.n == 0 || b->host.user_agent.n == 0 ||
		span_equal(a->host.user_agent, b->host.user_agent);
}

static void alias_seek(struct host_record *h)
{
	const struct machine *m = h->machine;

	if (!m || m->shared || m->hosts.count > ALIAS_HOSTS_MAX || h->host.alias_of || !can_be_alias(h))
		return;
	LIST_EACH(it, &m->hosts) {
		struct host_record *other = LIST_ENTRY(it, struct host_record, in_machine);

		if (other != h && !other->host.alias_of && !other->next_alias && can_be_alias(other) &&
			one_machine(h, other))
			alias_join(h, other, false);
	}
}

void machine_aliases(struct network *n)
{
	LIST_EACH(it, &n->hosts_in_order) {
		struct host_record *h = host_record_of(LIST_ENTRY(it, struct host, in_order));

		if (h->host.alias_of && !h->alias_configured)
			alias_leave(h);
	}
	LIST_EACH(it, &n->hosts_in_order)
		alias_seek(host_record_of(LIST_ENTRY(it, struct host, in_order)));
}
