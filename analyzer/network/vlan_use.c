/* SPDX-License-Identifier: MIT */
/* vlan_use: a record a host and VLAN, and a ring of the latest broadcasts. */
#include "analyzer/network/vlan_use.h"

#include <stdlib.h>

#include "captures/base/memory.h"

enum {
	DEFAULT_MAX = 16384, RECENT = 64, BRIDGES = 8, UNICAST_LEAST = 8, EPHEMERAL = 32768,
	VLANS_OF_HOST = 32           /* a host that speaks in more of them is forged */
};

#define TWICE_NS (5 * MILLISECOND_NS)

struct broadcast {
	uint64_t key;
	int64_t at_ns;
	struct frame_ref at;
	uint16_t vid, interface;
	uint8_t ttl;
};

struct vlan_uses {
	struct hash by_key;
	struct list in_order;
	struct broadcast recent[RECENT];
	unsigned next;
	struct vlan_bridge bridges[BRIDGES];
	unsigned bridge_count;
	uint64_t unicast_once;
	uint64_t unicast_twice;      /* a mirror that delivers twice, perhaps with another tag */
	size_t max;
};

struct vlan_uses *vlan_uses_new(size_t max)
{
	struct vlan_uses *v = memory_zalloc(sizeof *v);

	v->max = max ? max : DEFAULT_MAX;
	hash_init(&v->by_key);
	list_init(&v->in_order);
	return v;
}

void vlan_uses_free(struct vlan_uses *v)
{
	if (!v)
		return;
	LIST_EACH_SAFE(it, &v->in_order) {
		free(LIST_ENTRY(it, struct vlan_host, in_order)->begun);
		free(LIST_ENTRY(it, struct vlan_host, in_order));
	}
	hash_fini(&v->by_key);
	free(v);
}

/* ret_vlans: in how many others that host speaks. */
static struct vlan_host *host_find(const struct vlan_uses *v, uint32_t hash, const struct address *a, uint16_t vid,
	unsigned *ret_vlans)
{
	*ret_vlans = 0;
	for (struct hash_link *it = hash_first(&v->by_key, hash); it; it = it->next) {
		struct vlan_host *x = HASH_ENTRY(it, struct vlan_host, by_key);

		if (it->hash != hash || !address_equal(&x->addr, a))
			continue;
		if (x->vid == vid)
			return x;
		++*ret_vlans;
	}
	return NULL;
}

/* By address alone: all VLANs of a host stand in one bucket. */
static struct vlan_host *host_get(struct vlan_uses *v, const struct packet *p, uint16_t vid)
{
	uint32_t hash = endpoint_hash(&(struct endpoint){ p->src.addr, 0 });
	unsigned vlans;
	struct vlan_host *x = host_find(v, hash, &p->src.addr, vid, &vlans);

	if (x || vlans == VLANS_OF_HOST || v->in_order.count >= v->max)
		return x;
	x = memory_zalloc(sizeof *x);
	x->addr = p->src.addr;
	x->vid = vid;
	memcpy(x->mac, p->mac_src, sizeof x->mac);
	x->first = frame_ref_of(p);
	hash_add(&v->by_key, &x->by_key, hash);
	list_add_tail(&v->in_order, &x->in_order);
	return x;
}

/* ---- what it speaks ---- */

static bool is_desktop(uint16_t port)
{
	switch (port) {
	case 135: case 137: case 138: case 139: case 445: case 3389: case 5355: case 17500:
		return true;
	default:
		return false;
	}
}

/* What phones need, too: names, addresses, time, configuration, directory, logs. */
static bool is_usual(uint16_t port)
{
	static const uint16_t usual[] = { 53, 67, 68, 69, 80, 123, 389, 443, 514, 546, 547, 636, 853, 1900, 2000, 3268, 3478,
		5060, 5061, 5349, 5353, 6514, 8080, 8443 };

	for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++) {
		if (usual[i] == port)
			return true;
	}
	return false;
}

/* Does this packet begin something, as far as one packet tells? */
static bool begins(const struct packet *p)
{
	if (p->transport == TRANSPORT_TCP)
		return (p->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
	return p->transport == TRANSPORT_UDP && p->kind == PACKET_OTHER && p->dst.port < EPHEMERAL &&
	       (p->src.port >= EPHEMERAL || is_desktop(p->dst.port));
}

static void count_flow(struct vlan_host *x, const struct packet *p)
{
	if (!begins(p) || is_usual(p->dst.port) || is_usual(p->src.port) || x->foreign == VLAN_BEGUN_MAX)
		return;
	for (unsigned i = 0; i < x->foreign; i++) {
		if (endpoint_equal(&x->begun[i], &p->dst))
			return;
	}
	if (!x->begun)
		x->begun = memory_zalloc(VLAN_BEGUN_MAX * sizeof *x->begun);
	x->begun[x->foreign++] = p->dst;
	if (is_desktop(p->dst.port) && x->desktop++ == 0)
		x->desktop_at = frame_ref_of(p);
}

static void count_packet(struct vlan_host *x, const struct packet *p, uint32_t count)
{
	x->routed |= (p->ttl != 64 && p->ttl != 128 && p->ttl != 255) || memcmp(x->mac, p->mac_src, sizeof x->mac) != 0;
	x->last = frame_ref_of(p);
	if (p->kind == PACKET_SIP) {
		if (x->sip++ == 0)
			x->sip_at = x->last;
	} else if (p->kind == PACKET_RTP) {
		if (x->media == 0)
			x->media_at = x->last;
		x->media += count;
	} else if (p->has & HAS_PORTS) {
		count_flow(x, p);
	}
}

/* ---- one frame in two VLANs ---- */

static void bridge_note(struct vlan_uses *v, const struct broadcast *first, const struct packet *p, uint16_t vid)
{
	struct vlan_bridge *b = NULL;

	for (unsigned i = 0; i < v->bridge_count; i++) {
		struct vlan_bridge *x = &v->bridges[i];

		if ((x->vid[0] == vid && x->vid[1] == first->vid) || (x->vid[1] == vid && x->vid[0] == first->vid))
			b = x;
	}
	if (!b && v->bridge_count == BRIDGES)
		return;
	if (!b) {
		b = &v->bridges[v->bridge_count++];
		*b = (struct vlan_bridge){ .vid = { first->vid, vid }, .from = { p->src.addr },
			.at = { first->at, frame_ref_of(p) } };
	}
	b->count++;
	if (!address_known(&b->from[1]) && !address_equal(&b->from[0], &p->src.addr))
		b->from[1] = p->src.addr;
}

static void take_broadcast(struct vlan_uses *v, const struct packet *p, uint16_t vid)
{
	uint64_t key = hash_mix(hash_mix(endpoint_key(&p->src), endpoint_key(&p->dst)),
		(uint64_t)p->ip_id << 16 | p->ip_bytes);

	key = hash_mix(key, hash_bytes(p->mac_src, sizeof p->mac_src));
	for (unsigned i = 0; i < RECENT; i++) {
		const struct broadcast *b = &v->recent[i];

		if (b->key == key && b->vid != vid && b->interface == p->interface && b->at.file == p->file &&
		    b->ttl == p->ttl && p->at_ns - b->at_ns <= TWICE_NS && p->at_ns >= b->at_ns) {
			bridge_note(v, b, p, vid);
			return;
		}
	}
	v->recent[v->next++ % RECENT] = (struct broadcast){ key, p->at_ns, frame_ref_of(p), vid, p->interface, p->ttl };
}

/* As it passed a switch that mirrors over IP; in other tunnels are other networks. */
static bool mirrored(const struct packet *p)
{
	return p->tunnel_depth == 1 && (p->tunnel == TUNNEL_ERSPAN || p->tunnel == TUNNEL_TZSP);
}

void vlan_uses_packet(struct vlan_uses *v, const struct packet *p, bool copy, uint32_t count)
{
	static const uint8_t everybody[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	uint16_t vid = packet_inner_vlan(p);
	struct vlan_host *x;

	if (vid == 0 || !(p->has & HAS_MAC) || (p->tunnel_depth && !mirrored(p)))
		return;
	if (memcmp(p->mac_dst, everybody, sizeof everybody) == 0) {
		if ((p->has & HAS_IP_ID) && p->ip_id)
			take_broadcast(v, p, vid);
	} else if (!(p->mac_dst[0] & 1)) {
		v->unicast_twice += copy;
		v->unicast_once += !copy;
	}
	x = copy || !(p->has & HAS_IP) ? NULL : host_get(v, p, vid);
	if (x)
		count_packet(x, p, count);
}

/* ---- asking ---- */

const struct list *vlan_uses_in_order(const struct vlan_uses *v)
{
	return &v->in_order;
}

const struct vlan_host *vlan_uses_elsewhere(const struct vlan_uses *v, const struct vlan_host *x,
	const struct vlan_host *before)
{
	uint32_t hash = endpoint_hash(&(struct endpoint){ x->addr, 0 });
	struct hash_link *it = before ? before->by_key.next : hash_first(&v->by_key, hash);

	for (; it; it = it->next) {
		const struct vlan_host *o = HASH_ENTRY(it, struct vlan_host, by_key);

		if (it->hash == hash && o != x && address_equal(&o->addr, &x->addr))
			return o;
	}
	return NULL;
}

bool vlan_uses_two_hosts(const struct vlan_uses *v, const struct address *a, uint16_t vid, uint16_t other_vid)
{
	uint32_t hash = endpoint_hash(&(struct endpoint){ *a, 0 });
	unsigned vlans;
	const struct vlan_host *x = host_find(v, hash, a, vid, &vlans), *y = host_find(v, hash, a, other_vid, &vlans);

	return x && y && x != y && !x->routed && !y->routed && memcmp(x->mac, y->mac, sizeof x->mac) != 0;
}

const struct vlan_bridge *vlan_uses_bridge(const struct vlan_uses *v)
{
	const struct vlan_bridge *most = NULL;

	/* a mirror that tags anew doubles everything: that frames between two hosts come once must have been seen */
	for (unsigned i = 0; i < v->bridge_count && !v->unicast_twice && v->unicast_once >= UNICAST_LEAST; i++) {
		if (!most || v->bridges[i].count > most->count)
			most = &v->bridges[i];
	}
	return most;
}
