/* SPDX-License-Identifier: MIT */
/*
 * duplicate: packets that a mirror delivered twice (1.4.6). A ring of what was seen last, oldest first, and chains by
 * hash into it. A key stands in it once: what is seen again in time is a copy of that, what is seen again too late
 * takes its place. What passes the same place over and over is no copy of the mirror's but goes round (loop.h).
 */
#include "analyzer/network/internal.h"

#include <stdlib.h>

#include "captures/base/memory.h"

enum { ROOM_FIRST = 512, ROOM_MAX = 65536, PAYLOAD_HEAD = 256, PAYLOAD_TAIL = 64, PROTOCOL_TCP = 6,
	AGAIN_MAX = 0x7fff };

struct duplicate_entry {
	uint64_t key, place;         /* place: everything that tells one capture point from another but the TTL */
	int64_t at_ns, first_ns;     /* at: when it came round last, where it goes round */
	uint32_t next;               /* position + 1 of an older entry of the same bucket */
	uint32_t frame;
	uint16_t file;
	uint8_t ttl, last_ttl;       /* first seen, latest at the same place */
	bool sip;
	uint8_t falls;               /* passes of the same place with a lower TTL each; with the same one */
	uint16_t again : 15, unchanged_told : 1;
};

/* Bytes put side by side to be hashed; what is not written stays zero. */
struct key_bytes {
	uint8_t bytes[64];
	size_t n;
};

static void key_put(struct key_bytes *k, const void *bytes, size_t n)
{
	memcpy(k->bytes + k->n, bytes, n);
	k->n += n;
}

void duplicates_init(struct duplicates *d, int64_t window_ns, int64_t sip_window_ns)
{
	*d = (struct duplicates){ .room = ROOM_FIRST, .window_ns = window_ns, .sip_window_ns = sip_window_ns };
	d->ring = memory_zalloc(ROOM_FIRST * sizeof(*d->ring));
	d->buckets = memory_zalloc(ROOM_FIRST * sizeof(*d->buckets));
}

void duplicates_fini(struct duplicates *d)
{
	free(d->ring);
	free(d->buckets);
	d->ring = NULL;
	d->buckets = NULL;
}

/* An IP-ID of 0 tells nothing (RFC 6864: of atomic datagrams it means nothing), IPv6 has none. */
static bool has_identity(const struct packet *p)
{
	return (p->has & HAS_IP_ID) && p->ip_id != 0;
}

/*
 * Without an IP-ID bare acknowledgements and echoes cannot be told from each other. Fragments never can: all of a
 * datagram share the IP-ID, and where each lies in it is not known here.
 */
static bool can_be_judged(const struct packet *p)
{
	if (!(p->has & HAS_IP) || p->kind == PACKET_FRAGMENT || p->kind == PACKET_ARP || p->kind == PACKET_NONE)
		return false;
	if (has_identity(p))
		return true;
	if (p->kind == PACKET_ICMP)
		return p->icmp.error && p->icmp.quote_readable;
	if (p->ip_protocol == PROTOCOL_TCP)
		return p->payload_wire > 0 || (p->tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST));
	return (p->has & HAS_PORTS) != 0;
}

static uint64_t payload_hash(uint64_t seed, struct span payload)
{
	uint64_t hash = hash_mix(seed, hash_bytes(payload.p, payload.n < PAYLOAD_HEAD ? payload.n : PAYLOAD_HEAD));

	if (payload.n > PAYLOAD_HEAD + PAYLOAD_TAIL)
		hash = hash_mix(hash, hash_bytes(payload.p + payload.n - PAYLOAD_TAIL, PAYLOAD_TAIL));
	return hash;
}

/* The kind is no part of it: the copy of a TCP segment with SIP is a retransmission to dissect, and no message. */
static uint64_t packet_key(const struct packet *p)
{
	struct key_bytes k = { .n = 0 };
	uint16_t id = has_identity(p) ? p->ip_id : 0;
	uint32_t wire = (uint32_t)p->payload_wire;
	uint64_t hash;

	key_put(&k, &p->src.addr, sizeof p->src.addr);
	key_put(&k, &p->dst.addr, sizeof p->dst.addr);
	key_put(&k, &p->src.port, sizeof p->src.port);
	key_put(&k, &p->dst.port, sizeof p->dst.port);
	key_put(&k, &id, sizeof id);
	key_put(&k, &p->ip_protocol, 1);
	if (p->ip_protocol == PROTOCOL_TCP) {
		key_put(&k, &p->tcp_seq, sizeof p->tcp_seq);
		key_put(&k, &p->tcp_ack, sizeof p->tcp_ack);
		key_put(&k, &p->tcp_flags, 1);
		key_put(&k, &p->ip_bytes, sizeof p->ip_bytes);
		return hash_bytes(k.bytes, sizeof k.bytes);
	}
	key_put(&k, &wire, sizeof wire);
	hash = hash_bytes(k.bytes, sizeof k.bytes);
	if (p->kind != PACKET_ICMP)
		return payload_hash(hash, p->payload);
	hash = hash_mix(hash, (uint64_t)p->icmp.type << 8 | p->icmp.code);
	if (!p->icmp.error || !p->icmp.quote_readable)
		return hash;
	hash = hash_mix(hash, hash_bytes(&p->icmp.quote_dst.addr, sizeof p->icmp.quote_dst.addr));
	hash = hash_mix(hash, (uint64_t)p->icmp.quote_src.port << 16 | p->icmp.quote_dst.port);
	return payload_hash(hash, p->icmp.quote_payload);
}

static uint64_t packet_place(const struct packet *p)
{
	struct key_bytes k = { .n = 0 };

	if (p->has & HAS_MAC) {
		key_put(&k, p->mac_src, sizeof p->mac_src);
		key_put(&k, p->mac_dst, sizeof p->mac_dst);
	}
	k.n = 12;
	if (p->has & HAS_VLAN)
		key_put(&k, p->vlan, sizeof p->vlan[0] * (p->vlan_count < 2 ? p->vlan_count : 2));
	k.n = 16;
	key_put(&k, &p->vlan_count, 1);
	key_put(&k, &p->file, sizeof p->file);
	key_put(&k, &p->interface, sizeof p->interface);
	key_put(&k, &p->direction, 1);
	key_put(&k, &p->tunnel, 1);
	if (p->has & HAS_OUTER)
		key_put(&k, &p->outer_src, sizeof p->outer_src);
	return hash_bytes(k.bytes, sizeof k.bytes);
}

/* ---- the ring ---- */

static uint32_t *bucket_of(const struct duplicates *d, uint64_t key)
{
	return &d->buckets[key & (d->room - 1)];
}

static void chain_in(struct duplicates *d, uint32_t position)
{
	struct duplicate_entry *e = &d->ring[position];
	uint32_t *bucket = bucket_of(d, e->key);

	e->next = *bucket;
	*bucket = position + 1;
}

static void drop_oldest(struct duplicates *d)
{
	struct duplicate_entry *e = &d->ring[d->oldest];
	uint32_t *at = bucket_of(d, e->key);

	while (*at != d->oldest + 1)
		at = &d->ring[*at - 1].next;
	*at = e->next;
	d->oldest = (d->oldest + 1) & (d->room - 1);
	d->count--;
}

/* Every entry enters and leaves once: constant cost a packet. */
static void drop_expired(struct duplicates *d, int64_t now_ns)
{
	int64_t keep_ns = d->window_ns > d->sip_window_ns ? d->window_ns : d->sip_window_ns;

	while (d->count && ns_minus(now_ns, d->ring[d->oldest].at_ns) > keep_ns)
		drop_oldest(d);
}

static void ring_grow(struct duplicates *d)
{
	struct duplicates bigger = { .room = d->room * 2 };

	bigger.ring = memory_zalloc(bigger.room * sizeof(*bigger.ring));
	bigger.buckets = memory_zalloc(bigger.room * sizeof(*bigger.buckets));
	for (; bigger.count < d->count; bigger.count++) {
		bigger.ring[bigger.count] = d->ring[(d->oldest + bigger.count) & (d->room - 1)];
		chain_in(&bigger, bigger.count);
	}
	free(d->ring);
	free(d->buckets);
	d->ring = bigger.ring;
	d->buckets = bigger.buckets;
	d->room = bigger.room;
	d->oldest = 0;
}

static struct duplicate_entry *entry_find(const struct duplicates *d, uint64_t key)
{
	for (uint32_t at = *bucket_of(d, key); at; at = d->ring[at - 1].next) {
		if (d->ring[at - 1].key == key)
			return &d->ring[at - 1];
	}
	return NULL;
}

static void entry_add(struct duplicates *d, const struct duplicate_entry *e)
{
	uint32_t position;

	if (d->count == d->room && d->room < ROOM_MAX)
		ring_grow(d);
	else if (d->count == d->room)
		drop_oldest(d);
	position = (d->oldest + d->count) & (d->room - 1);
	d->ring[position] = *e;
	d->count++;
	chain_in(d, position);
}

static enum duplicate_verdict verdict_of(const struct duplicate_entry *first, const struct duplicate_entry *copy)
{
	return first->place != copy->place || copy->ttl < first->ttl ? DUPLICATE_POINT : DUPLICATE_COPY;
}

/*
 * Seen before at this very place. True: it came round, with less to live; one that its IP-ID names may take as long for
 * it as it is remembered. Unchanged it may also be the mirror's, or the sender's where no IP-ID tells.
 */
static bool came_round(struct duplicates *d, struct duplicate_entry *first, const struct packet *p)
{
	bool falls = p->ttl < first->last_ttl;
	struct loop_pass pass = {
		.packet = p, .first_ns = first->first_ns, .first_frame = first->frame, .first_ttl = first->ttl,
		.before_ttl = first->last_ttl, .unchanged = !falls,
	};

	if (falls) {
		if (has_identity(p))
			first->at_ns = p->at_ns;
		first->last_ttl = p->ttl;
		first->falls += first->falls < UINT8_MAX;
		pass.passes = first->falls + 1u;
		pass.counted = first->falls > LOOP_FALLS;
		if (first->falls >= LOOP_FALLS)
			loops_pass(&d->loops, &pass);
		return has_identity(p);
	}
	if (p->ttl != first->last_ttl || !has_identity(p) || ns_minus(p->at_ns, first->first_ns) > d->window_ns)
		return false;
	first->again += first->again < AGAIN_MAX;
	pass.passes = first->again + 1u;
	pass.counted = first->unchanged_told;
	if (first->again >= LOOP_AGAIN && ns_minus(p->at_ns, first->first_ns) >= d->window_ns / 2) {
		first->unchanged_told = true;
		loops_pass(&d->loops, &pass);
	}
	return false;
}

enum duplicate_verdict duplicates_judge(struct duplicates *d, const struct packet *p)
{
	struct duplicate_entry now = {
		.at_ns = p->at_ns, .first_ns = p->at_ns, .frame = p->frame, .file = p->file, .ttl = p->ttl,
		.last_ttl = p->ttl, .sip = p->kind == PACKET_SIP,
	};
	struct duplicate_entry *first;
	int64_t window_ns, apart_ns;
	bool round;

	if (!can_be_judged(p))
		return DUPLICATE_NO;
	drop_expired(d, p->at_ns);
	now.key = packet_key(p);
	now.place = packet_place(p);
	first = entry_find(d, now.key);
	if (!first) {
		entry_add(d, &now);
		return DUPLICATE_NO;
	}
	if (first->file == now.file && first->frame == now.frame)
		return DUPLICATE_NO;     /* the next message of the same segment */
	window_ns = has_identity(p) && (first->sip || now.sip) ? d->sip_window_ns : d->window_ns;
	apart_ns = ns_minus(now.at_ns, first->at_ns);
	round = first->place == now.place && came_round(d, first, p);
	if (!round && (apart_ns > window_ns || apart_ns < -window_ns)) {
		now.next = first->next;
		*first = now;            /* same key, same chain */
		return DUPLICATE_NO;
	}
	d->last_delta_ns = apart_ns < 0 ? -apart_ns : apart_ns;
	d->last_copy = (struct frame_spot){ p->file, p->frame };
	return verdict_of(first, &now);
}
