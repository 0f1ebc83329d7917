/* SPDX-License-Identifier: MIT */
/*
 * host: what is known of an address: how far it is, which ports it uses, what it calls itself, whether the capture was
 * taken on it.
 */
#include "analyzer/network/internal.h"

#include <stdlib.h>

#include "captures/base/memory.h"

enum {
	PROTOCOL_TCP = 6,
	MTU = 1500,                  /* bytes of an IP packet on Ethernet */
	CHECKSUMS_MIN = 3,
	PORT_BITMAPS_MAX = 1024      /* 8 KB each */
};

struct host_record *host_find(const struct network *n, const struct address *a)
{
	uint32_t hash = address_hash(a);

	for (struct hash_link *link = hash_first(&n->hosts, hash); link; link = link->next) {
		struct host_record *h = host_record_of(HASH_ENTRY(link, struct host, by_address));

		if (link->hash == hash && address_equal(&h->host.addr, a))
			return h;
	}
	return NULL;
}

static void host_free(struct network *n, struct host_record *h)
{
	free((void *)h->host.user_agent.p);
	free(h->media_port_bits);
	pool_give(&n->host_pool, h);
}

static void host_evict(struct network *n, struct host_record *h)
{
	uint64_t pairs_before = n->counts.pairs_evicted;

	LIST_EACH_SAFE(it, &h->pairs_out)
		pair_remove(n, LIST_ENTRY(it, struct pair_record, in_src));
	for (int i = 0; i < 2; i++) {
		LIST_EACH_SAFE(it, &h->pairs_in[i])
			pair_remove(n, LIST_ENTRY(it, struct pair_record, in_dst));
	}
	alias_forget(h);
	machine_leave(n, h);
	n->port_bitmaps -= h->media_port_bits != NULL;
	grades_remove(&n->host_grades, &h->grade);
	hash_remove(&n->hosts, &h->host.by_address);
	list_remove(&n->hosts_in_order, &h->host.in_order);
	if (n->counts.pairs_evicted > pairs_before || h->sip_sent + h->rtp_sent > 0)
		n->counts.hosts_evicted++;
	else
		n->counts.others_evicted++;
	host_free(n, h);
}

static void make_room(struct network *n, const struct host_record *spare)
{
	while (n->hosts.count >= n->config.max_hosts) {
		struct grade *next = grades_next(&n->host_grades, spare ? &spare->grade : NULL);

		if (!next)
			return;
		host_evict(n, LIST_ENTRY(next, struct host_record, grade));
	}
}

/* Found or made; spare: another host that must not leave for it. */
struct host_record *host_add(struct network *n, const struct address *a, const struct host_record *spare)
{
	struct host_record *h = host_find(n, a);

	if (h) {
		grades_touch(&n->host_grades, &h->grade, n->now_ns);
		return h;
	}
	make_room(n, spare);
	h = pool_zalloc(&n->host_pool);
	h->host.addr = *a;
	h->host.first_ns = n->now_ns;
	h->host.last_in_ns = h->host.last_out_ns = NS_NONE;
	list_init(&h->pairs_out);
	list_init(&h->pairs_in[0]);
	list_init(&h->pairs_in[1]);
	grades_add(&n->host_grades, &h->grade, n->now_ns);
	hash_add(&n->hosts, &h->host.by_address, address_hash(a));
	list_add_tail(&n->hosts_in_order, &h->host.in_order);
	return h;
}

void hosts_free(struct network *n)
{
	LIST_EACH_SAFE(it, &n->hosts_in_order) {
		struct host_record *h = host_record_of(LIST_ENTRY(it, struct host, in_order));

		machine_leave(n, h);
		host_free(n, h);
	}
}

void host_establish(struct network *n, struct host_record *h)
{
	grades_raise(&n->host_grades, &h->grade, GRADE_ESTABLISHED);
}

/* ---- ports ---- */

static bool port_known(const uint16_t *ports, unsigned count, uint16_t port)
{
	for (unsigned i = 0; i < count; i++) {
		if (ports[i] == port)
			return true;
	}
	return false;
}

void host_sip_port(struct host_record *h, uint16_t port)
{
	struct host *host = &h->host;

	if (port && host->sip_port_count < HOST_PORT_MAX && !port_known(host->sip_ports, host->sip_port_count, port))
		host->sip_ports[host->sip_port_count++] = port;
}

static bool bit_set(uint8_t *bits, uint16_t at)
{
	uint8_t bit = (uint8_t)(1u << (at & 7));
	bool was = bits[at >> 3] & bit;

	bits[at >> 3] |= bit;
	return was;
}

/*
 * Exact for up to PORT_BITMAPS_MAX established hosts; what a forged source could be stops counting behind
 * HOST_PORT_MAX.
 */
static void media_port_count(struct network *n, struct host_record *h, uint16_t port)
{
	if (!h->media_port_bits) {
		if (h->grade.level < GRADE_ESTABLISHED || n->port_bitmaps >= PORT_BITMAPS_MAX)
			return;
		n->port_bitmaps++;
		h->media_port_bits = memory_zalloc(65536 / 8);
		for (unsigned i = 0; i < h->host.media_port_count; i++)
			bit_set(h->media_port_bits, h->host.media_ports[i]);
	}
	if (!bit_set(h->media_port_bits, port))
		h->host.media_ports_seen++;
}

void host_media_port(struct network *n, struct host_record *h, uint16_t port)
{
	struct host *host = &h->host;

	if (port == 0 || port_known(host->media_ports, host->media_port_count, port))
		return;
	if (host->media_port_count == HOST_PORT_MAX) {
		media_port_count(n, h, port);
		return;
	}
	host->media_ports[host->media_port_count++] = port;
	host->media_ports_seen++;
}

/* ---- what a packet tells of its two ends ---- */

/* A frame that the capturing machine sent to itself goes in and out there: it tells nothing of directions. */
static bool on_loopback(const struct packet *p)
{
	static const uint8_t zeros[6];

	return address_loopback(&p->src.addr) || address_equal(&p->src.addr, &p->dst.addr) ||
	       ((p->has & HAS_MAC) && memcmp(p->mac_src, zeros, sizeof zeros) == 0);
}

bool ttl_is_own(const struct packet *p)
{
	return p->ttl && p->kind != PACKET_ICMP && p->tunnel != TUNNEL_HEP && p->tunnel != TUNNEL_TURN &&
		!address_multicast(&p->dst.addr);
}

unsigned ttl_hops(uint8_t ttl)
{
	return (ttl <= 64 ? 64u : ttl <= 128 ? 128u : 255u) - ttl;
}

static void ttl_learn(struct host_record *h, uint8_t ttl, uint32_t count)
{
	struct host *host = &h->host;

	tally_add(&h->ttls, ttl, count);
	host->ttl = h->ttls.value[0];
	host->hops = (uint8_t)ttl_hops(host->ttl);
	host->ttl_known = true;
}

/*
 * A sending kernel leaves checksums to its network card. A receiving one that joins TCP segments (GRO) spoils them too,
 * for foreign packets as well: longer ones than the wire can carry are no evidence, neither by their checksums nor by
 * their length.
 */
static void checksum_learn(struct host_record *h, const struct packet *p, uint32_t count, bool sent)
{
	uint64_t *good = sent ? &h->sent_good : &h->received_good, *bad = sent ? &h->sent_bad : &h->received_bad;

	if ((p->has & HAS_CHECKSUM) && (p->ip_protocol != PROTOCOL_TCP || p->ip_bytes <= MTU))
		*(p->checksum_ok ? good : bad) += count;
}

/* Copies that a router forwards go out too, but one hop older, and they came in before. */
static void on_host_judge(struct host_record *h)
{
	bool unhurt = h->received_bad == 0 && h->received_good >= CHECKSUMS_MIN;

	h->host.on_host = h->host.ttl_known && h->host.hops == 0 && h->frames_in == 0 &&
		(h->frames_out > 0 || (unhurt && h->sent_bad >= CHECKSUMS_MIN && h->sent_bad >= h->sent_good));
}

static void direction_learn(struct host_record *h, const struct packet *p, uint32_t count)
{
	if (p->direction == FRAME_UNKNOWN || on_loopback(p))
		return;
	if (p->direction == FRAME_OUT)
		h->frames_out += count;
	else
		h->frames_in += count;
}

void host_passed(struct host_record *h, const struct packet *p, uint32_t count)
{
	direction_learn(h, p, count);
	on_host_judge(h);
}

static void vlan_learn(struct host *host, const struct packet *p)
{
	if ((p->has & HAS_VLAN) && p->vlan_count && host->vlan_count < 4 &&
		!port_known(host->vlans, host->vlan_count, p->vlan[0]))
		host->vlans[host->vlan_count++] = p->vlan[0];
}

/*
 * What reaches every port says nothing of where its sender's other packets pass: multicast, and as ARP does, what asks
 * for neighbours and tells them (ICMPv6 130 to 137 and 143: RFC 4861, 2710, 3810).
 */
static bool says_to_all(const struct packet *p)
{
	enum { LISTENER_FIRST = 130, REDIRECT = 137, LISTENER_REPORT = 143 };

	if (address_multicast(&p->dst.addr))
		return true;
	return p->kind == PACKET_ICMP && p->icmp.v6 && ((p->icmp.type >= LISTENER_FIRST && p->icmp.type <= REDIRECT) ||
	       p->icmp.type == LISTENER_REPORT);
}

void host_sent(struct network *n, struct host_record *h, const struct packet *p, uint32_t count)
{
	struct host *host = &h->host;

	if (!says_to_all(p)) {
		host->sends_ip = true;
		host->packets_out += count;
		host->last_out_ns = p->at_ns;
	}
	if (ttl_is_own(p))
		ttl_learn(h, p->ttl, count);
	direction_learn(h, p, count);
	checksum_learn(h, p, count, true);
	machine_sent(n, h, p, count);
	vlan_learn(host, p);
	if (p->kind == PACKET_RTP) {
		h->rtp_sent += count;
		tally_add(&h->dscps, p->dscp, count);
		host->dscp = h->dscps.value[0];
		host->dscp_known = true;
	} else if (p->kind == PACKET_SIP) {
		h->sip_sent += count;
		host->transports |= (uint8_t)(1u << p->transport);
	} else if (p->kind == PACKET_ICMP && p->icmp.error && p->icmp.quote_readable &&
		   !address_equal(&p->icmp.quote_dst.addr, &host->addr)) {
		host->named_by_icmp = true;      /* it speaks of a packet that was not meant for it: a router */
	}
	on_host_judge(h);
}

void host_received(struct host_record *h, const struct packet *p, uint32_t count)
{
	h->host.packets_in += count;
	h->host.last_in_ns = p->at_ns;
	checksum_learn(h, p, count, false);
	if (p->kind == PACKET_SIP)
		h->host.transports |= (uint8_t)(1u << p->transport);
	on_host_judge(h);
}

/* What it says itself in a request is worth more than a Server header that a proxy may have passed on. */
void host_agent(struct host_record *h, struct span agent, enum agent_source source)
{
	uint8_t *copy;

	agent = span_first(agent, AGENT_MAX);
	if (agent.n == 0 || source < h->agent_source || span_equal(agent, h->host.user_agent))
		return;
	copy = memory_zalloc(agent.n);
	memcpy(copy, agent.p, agent.n);
	free((void *)h->host.user_agent.p);
	h->host.user_agent = (struct span){ copy, agent.n };
	h->agent_source = source;
}
