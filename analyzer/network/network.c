/* SPDX-License-Identifier: MIT */
/* network: the door: packets in, answers about who is where out. */
#include "analyzer/network/internal.h"

#include <stdlib.h>

#include "captures/base/memory.h"

enum { TABLE_MIN = 16 };

static size_t or_default(size_t configured, size_t otherwise)
{
	return configured == 0 ? otherwise : configured < TABLE_MIN ? TABLE_MIN : configured;
}

static int64_t or_default_ns(int64_t configured, int64_t otherwise)
{
	return configured > 0 ? configured : otherwise;
}

struct network *network_new(const struct network_config *config)
{
	struct network *n = memory_zalloc(sizeof *n);

	if (config)
		n->config = *config;
	n->config.dup_window_ns = or_default_ns(n->config.dup_window_ns, 20 * MILLISECOND_NS);
	n->config.dup_sip_window_ns = or_default_ns(n->config.dup_sip_window_ns, 100 * MILLISECOND_NS);
	n->config.max_hosts = or_default(n->config.max_hosts, 262144);
	n->config.max_pairs = or_default(n->config.max_pairs, 524288);
	n->config.max_mappings = or_default(n->config.max_mappings, 65536);
	hash_init(&n->hosts);
	hash_init(&n->pairs);
	hash_init(&n->machines);
	pool_init(&n->host_pool, sizeof(struct host_record));
	pool_init(&n->pair_pool, sizeof(struct pair_record));
	pool_init(&n->machine_pool, sizeof(struct machine));
	list_init(&n->hosts_in_order);
	list_init(&n->pairs_in_order);
	grades_init(&n->host_grades);
	grades_init(&n->pair_grades);
	duplicates_init(&n->duplicates, n->config.dup_window_ns, n->config.dup_sip_window_ns);
	nat_init(&n->nat, n->config.max_mappings);
	n->vlans = vlan_uses_new(0);
	n->turns = turns_new(0);
	return n;
}

void network_free(struct network *n)
{
	if (!n)
		return;
	pairs_free(n);
	hosts_free(n);
	pool_fini(&n->pair_pool);
	pool_fini(&n->host_pool);
	pool_fini(&n->machine_pool);
	nat_fini(&n->nat);
	duplicates_fini(&n->duplicates);
	late_copies_fini(&n->late);
	vlan_uses_free(n->vlans);
	turns_free(n->turns);
	hash_fini(&n->hosts);
	hash_fini(&n->pairs);
	hash_fini(&n->machines);
	network_forget_stun(n);
	network_forget_ice(n);
	network_forget_dtls(n);
	free(n);
}

enum duplicate_verdict network_duplicate(struct network *n, const struct packet *p)
{
	enum duplicate_verdict verdict = duplicates_judge(&n->duplicates, p);

	if (verdict == DUPLICATE_NO && late_copies_want(p))
		late_copies_packet(&n->late, p, n->config.dup_sip_window_ns);
	return verdict;
}

int64_t network_copies_apart_ns(const struct network *n)
{
	return late_copies_apart_ns(&n->late);
}

const struct loops *network_loops(const struct network *n)
{
	return &n->duplicates.loops;
}

/* The one that was seen longest ago makes room. */
static struct link_sight *link_sight_get(struct network *n, const uint8_t mac[6], int64_t at_ns)
{
	struct link_sight *oldest = &n->links[0];

	for (unsigned i = 0; i < n->link_count; i++) {
		if (memcmp(n->links[i].mac, mac, 6) == 0)
			return &n->links[i];
		if (n->links[i].last_ns < oldest->last_ns)
			oldest = &n->links[i];
	}
	if (n->link_count < LINK_SIGHTS)
		oldest = &n->links[n->link_count++];
	memcpy(oldest->mac, mac, 6);
	oldest->first_ns = at_ns;
	return oldest;
}

static void link_frame(struct network *n, const struct packet *p)
{
	static const uint8_t none[6];

	if ((p->has & HAS_MAC) && !(p->mac_dst[0] & 1) && memcmp(p->mac_dst, none, 6) != 0)
		link_sight_get(n, p->mac_dst, p->at_ns)->last_ns = p->at_ns;
}

bool network_link_inbound(const struct network *n, const struct address *to, int64_t from_ns, int64_t to_ns)
{
	const struct host *h = network_host_find(n, to);

	for (unsigned i = 0; h && h->has_mac && !h->mac_shared && i < n->link_count; i++) {
		if (memcmp(n->links[i].mac, h->mac, 6) == 0)
			return n->links[i].first_ns <= to_ns && n->links[i].last_ns >= from_ns;
	}
	return false;
}

static void note_voice(struct network *n, const struct packet *p)
{
	struct voice_told *x = &n->voice[n->voice_count];

	for (unsigned i = 0; i < n->voice_count; i++) {
		if (n->voice[i].vid == p->voice_vlan && memcmp(n->voice[i].mac, p->mac_src, sizeof p->mac_src) == 0)
			return;
	}
	if (n->voice_count == VOICE_TOLD_MAX)
		return;
	n->voice_count++;
	x->vid = p->voice_vlan;
	memcpy(x->mac, p->mac_src, sizeof x->mac);
	x->first_ns = p->at_ns;
	x->frame = p->frame;
	x->file = p->file;
	x->interface = p->interface;
}

void network_packet(struct network *n, const struct packet *p, enum duplicate_verdict verdict, uint32_t count)
{
	struct hash_place at[HASH_PLACES];

	network_places(n, p, at);
	network_packet_at(n, p, verdict, count, at);
}

void network_packet_at(struct network *n, const struct packet *p, enum duplicate_verdict verdict, uint32_t count,
	const struct hash_place *at)
{
	struct pair_record *pair;

	if (p->kind == PACKET_ARP)
		link_frame(n, p);
	if (p->voice_vlan)
		note_voice(n, p);
	if (!(p->has & HAS_IP) || !address_known(&p->src.addr) || !address_known(&p->dst.addr) || !p->first_of_frame ||
		count == 0)
		return;
	n->now_ns = p->at_ns;
	n->counts.packets += count;
	if (p->vlan_count)
		vlan_uses_packet(n->vlans, p, verdict != DUPLICATE_NO, count);
	pair = pair_add(n, p, (uint32_t)at[0].key);
	pair_packet(n, pair, p, verdict, count);
	if (verdict != DUPLICATE_NO) {
		n->counts.copies += count;
		host_passed(pair->src, p, count);
		return;
	}
	if (p->dscp && p->kind != PACKET_RTP)
		mark_uses_packet(&n->marks, p);
	host_sent(n, pair->src, p, count);
	host_received(pair->dst, p, count);
}

struct host *network_host(struct network *n, const struct address *a)
{
	return address_known(a) ? &host_add(n, a, NULL)->host : NULL;
}

const struct host *network_host_find(const struct network *n, const struct address *a)
{
	const struct host_record *h = host_find(n, a);

	if (!h)
		return NULL;
	return h->host.alias_of ? h->host.alias_of : &h->host;
}

const struct pair *network_pair_find(const struct network *n, const struct address *src, const struct address *dst)
{
	const struct pair_record *pair = pair_find(n, src, dst);

	return pair ? &pair->pair : NULL;
}

const struct list *network_hosts(const struct network *n)
{
	return &n->hosts_in_order;
}

const struct list *network_pairs(const struct network *n)
{
	return &n->pairs_in_order;
}

const struct vlan_uses *network_vlans(const struct network *n)
{
	return n->vlans;
}

const struct turns *network_turns(const struct network *n)
{
	return n->turns;
}

const struct voice_told *network_voice_told(const struct network *n, unsigned *ret_count)
{
	*ret_count = n->voice_count;
	return n->voice;
}

const struct mark_uses *network_marks(const struct network *n)
{
	return &n->marks;
}

const struct list *network_mappings(const struct network *n)
{
	return &n->nat.in_order;
}

struct network_counts network_counts(const struct network *n)
{
	struct network_counts counts = n->counts;

	counts.mappings_evicted = n->nat.evicted;
	return counts;
}

void network_settle(struct network *n)
{
	machine_aliases(n);
	roles_settle(n);
}

static bool two_faces(const struct nat *nat, const struct address *inside, const struct address *outside)
{
	return nat_weight(nat, inside, outside, false) >= NAT_SURE ||
		nat_weight(nat, inside, outside, true) >= NAT_SURE;
}

bool network_same(const struct network *n, const struct address *a, const struct address *b)
{
	const struct host *one, *other;

	if (address_equal(a, b))
		return true;
	if (two_faces(&n->nat, a, b) || two_faces(&n->nat, b, a))
		return true;
	one = network_host_find(n, a);
	other = network_host_find(n, b);
	return one && one == other;
}

bool host_at(const struct host *h)
{
	return h && (h->on_host || (h->ttl_known && h->hops == 0));
}

bool network_at(const struct network *n, const struct address *a)
{
	return host_at(network_host_find(n, a));
}

/*
 * Of a silent peer no TTL is known. It lies behind a router that the capture point is before when its net is another
 * one and the MAC of a is a's own.
 */
bool host_near(const struct host *near, const struct address *a, const struct host *far, const struct address *b)
{
	if (!near || (near == far) || (far && far->on_host))
		return false;
	if (near->on_host)
		return true;
	if (!near->ttl_known)
		return false;
	if (far && far->ttl_known)
		return near->hops < far->hops;
	return near->hops == 0 && near->has_mac && !near->mac_shared && !address_same_net(a, b);
}

bool network_near(const struct network *n, const struct address *a, const struct address *b)
{
	return host_near(network_host_find(n, a), a, network_host_find(n, b), b);
}
