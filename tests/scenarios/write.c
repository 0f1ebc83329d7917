/* SPDX-License-Identifier: MIT */
/* write: datagrams as the taps see them, in pcap or pcapng files. */
#include "tests/scenarios/scenario.h"

#include "captures/base/memory.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

enum { LINK_ETHERNET = 1, LINK_RAW = 101, LINK_SLL = 113 };
enum { TCP_FIN = 1, TCP_SYN = 2 };

struct record {
	int64_t at_ns;
	unsigned order;
	unsigned file, tap;          /* interface: the tap's place among those of its file */
	const uint8_t *bytes;
	size_t n, wire;
};

struct records {
	struct record *at;
	size_t count, room;
};

/* A datagram on its way into a frame of one tap. */
struct view {
	const struct datagram *d;
	const struct tap *tap;
	struct endpoint src, dst;    /* after the NAT, where the tap stands */
	const uint8_t *payload;
	size_t n;
	unsigned ttl;
	int vlan;
	bool other_mac;
};

static bool in_net(const struct address *a, const struct nat *nat)
{
	LIST_EACH(it, &nat->mappings) {
		const struct nat_mapping *m = LIST_ENTRY(it, struct nat_mapping, link);

		if (address_equal(&m->inside.addr, a))
			return true;
	}
	return false;
}

/* A mapping of one port goes before one of all ports. */
static void translate(const struct nat *nat, struct endpoint *e, bool outwards)
{
	const struct nat_mapping *best = NULL;

	LIST_EACH(it, &nat->mappings) {
		const struct nat_mapping *m = LIST_ENTRY(it, struct nat_mapping, link);
		const struct endpoint *from = outwards ? &m->inside : &m->outside;

		if (address_equal(&from->addr, &e->addr) && (from->port == e->port || (from->port == 0 && !best)))
			best = m;
	}
	if (!best)
		return;
	e->addr = outwards ? best->outside.addr : best->inside.addr;
	if (best->inside.port)
		e->port = outwards ? best->outside.port : best->inside.port;
}

static struct buffer replaced(struct arena *arena, const uint8_t *p, size_t n, const char *what, const char *with)
{
	struct span rest = { p, n }, needle = span_of(what);
	struct buffer b = { .arena = arena };
	size_t at;

	while (rest.n && needle.n && (at = span_find_text(rest, needle)) < rest.n) {
		buffer_add(&b, rest.p, at);
		buffer_add(&b, with, strlen(with));
		rest = span_from(rest, at + needle.n);
	}
	buffer_add(&b, rest.p, rest.n);
	return b;
}

/* The body's length as it now is. */
static struct buffer length_mended(struct arena *arena, struct buffer message)
{
	struct span all = { message.p, message.n };
	size_t head = span_find_text(all, SPAN("\r\n\r\n")),
		field = span_find_text_nocase(all, SPAN("\r\nContent-Length:"));
	struct buffer b = { .arena = arena };
	size_t end;

	if (head == all.n || field >= head)
		return message;
	end = field + 2 + span_find_text(span_from(all, field + 2), SPAN("\r\n"));
	buffer_add(&b, all.p, field);
	buffer_text(&b, "\r\nContent-Length: %zu", all.n - head - 4);
	buffer_add(&b, all.p + end, all.n - end);
	return b;
}

/*
 * Messages are written in the words of the inside; what passed the ALG carries those of the outside, whoever sent it:
 * the far end answers to what it was told.
 */
static void rewrite(struct scenario *s, struct view *v, const struct nat *nat)
{
	LIST_EACH(it, &nat->rewrites) {
		const struct nat_rewrite *r = LIST_ENTRY(it, struct nat_rewrite, link);
		struct buffer b = length_mended(s->arena, replaced(s->arena, v->payload, v->n, r->inside, r->outside));

		v->payload = b.p;
		v->n = b.n;
	}
}

/*
 * Outside a NAT the tap sees the mapped source, inside it the mapped-back destination; messages between two inside stay
 * as they are.
 */
static void cross_nat(struct scenario *s, struct view *v, const struct nat *nat, bool outside)
{
	bool from_inside;

	if (!nat)
		return;
	if (v->d->traffic == TRAFFIC_SIP && outside)
		rewrite(s, v, nat);
	from_inside = in_net(&v->src.addr, nat);
	if (from_inside == outside)
		translate(nat, from_inside ? &v->src : &v->dst, from_inside);
}

static const struct placement *placement_of(const struct tap *t, const struct host *h)
{
	LIST_EACH(it, &t->placements) {
		const struct placement *p = LIST_ENTRY(it, struct placement, link);

		if (p->host == h)
			return p;
	}
	return NULL;
}

static unsigned hops_of(const struct tap *t, const struct host *h)
{
	const struct placement *p = placement_of(t, h);

	return p ? p->hops : h->hops;
}

static const uint8_t *mac_of(const struct tap *t, const struct host *h)
{
	static const uint8_t gateway[6] = { 0x02, 0, 0, 0, 0, 1 };
	const struct placement *p = h ? placement_of(t, h) : NULL;

	if (!h)
		return gateway;
	if (p)
		return p->via ? p->via->mac : h->mac;
	return h->via ? h->via->mac : h->mac;
}

static uint32_t sum_add(uint32_t sum, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
	return sum;
}

static uint16_t sum_end(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void put16(uint8_t *p, unsigned value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static uint32_t pseudo_header(const struct view *v, size_t n)
{
	size_t size = v->src.addr.family == 6 ? 16 : 4;

	return sum_add(sum_add((uint32_t)n + v->d->protocol, v->src.addr.bytes, size), v->dst.addr.bytes, size);
}

static void segment_build(struct buffer *b, const struct view *v)
{
	const struct datagram *d = v->d;
	size_t at = b->n, checksum;
	uint16_t sum;

	if (d->protocol == IPPROTO_UDP) {
		buffer_u16(b, v->src.port);
		buffer_u16(b, v->dst.port);
		buffer_u16(b, (unsigned)(8 + v->n));
		buffer_u16(b, 0);
		checksum = at + 6;
	} else if (d->protocol == IPPROTO_TCP) {
		buffer_u16(b, v->src.port);
		buffer_u16(b, v->dst.port);
		buffer_u32(b, d->tcp_seq);
		buffer_u32(b, d->tcp_ack);
		buffer_u16(b, 0x5000u | d->tcp_flags);
		buffer_u16(b, 64000);
		buffer_u32(b, 0);
		checksum = at + 16;
	} else {
		checksum = at + 2;           /* ICMP */
	}
	buffer_add(b, v->payload, v->n);
	sum = sum_end(sum_add(d->protocol == IPPROTO_ICMP ? 0 : pseudo_header(v, b->n - at), b->p + at, b->n - at));
	if (v->tap->bad_egress && v->tap->on == d->from)
		sum ^= 0x1111;               /* the network card would put the right one in */
	put16(b->p + checksum, sum ? sum : 0xffff);
}

/* [from, to) of the segment; IPv4 alone is ever fragmented. RFC 791 3.2. */
static void ip_build(struct buffer *b, const struct view *v, size_t from, size_t to)
{
	const struct datagram *d = v->d;
	struct buffer segment = { .arena = b->arena };
	size_t at = b->n;
	bool more;

	segment_build(&segment, v);
	more = to < segment.n;
	if (more)
		segment.n = to;
	if (v->src.addr.family == 6) {
		buffer_u32(b, 0x60000000u | (uint32_t)d->dscp << 22);
		buffer_u16(b, (unsigned)segment.n);
		buffer_u8(b, d->protocol);
		buffer_u8(b, v->ttl);
		buffer_add(b, v->src.addr.bytes, 16);
		buffer_add(b, v->dst.addr.bytes, 16);
	} else {
		buffer_u16(b, 0x4500u | (unsigned)d->dscp << 2);
		buffer_u16(b, (unsigned)(20 + segment.n - from));
		buffer_u16(b, d->ip_id);
		buffer_u16(b, (unsigned)(from / 8) | (more ? 0x2000u : 0));
		buffer_u8(b, v->ttl);
		buffer_u8(b, d->protocol);
		buffer_u16(b, 0);
		buffer_add(b, v->src.addr.bytes, 4);
		buffer_add(b, v->dst.addr.bytes, 4);
		put16(b->p + at + 10, sum_end(sum_add(0, b->p + at, 20)));
	}
	buffer_add(b, segment.p + from, segment.n - from);
}

static void link_build(struct scenario *s, struct buffer *b, const struct view *v)
{
	const struct datagram *d = v->d;
	const uint8_t *src = mac_of(v->tap, d->from), *dst = mac_of(v->tap, host_by_address(s, &v->dst.addr));
	unsigned ethertype = d->protocol == 0 ? 0x0806 : d->protocol == LLDP ? 0x88cc : v->src.addr.family == 6 ? 0x86dd
		: 0x0800;
	static const uint8_t other[6] = { 0x02, 0xff, 0, 0, 0, 2 };

	if (v->tap->link == LINK_SLL) {
		buffer_u16(b, v->tap->on == d->from ? 4 : 0);
		buffer_u16(b, 1);
		buffer_u16(b, 6);
		buffer_add(b, src, 6);
		buffer_u16(b, 0);
		buffer_u16(b, ethertype);
	} else if (v->tap->link == LINK_ETHERNET) {
		buffer_add(b, v->other_mac ? other : dst, 6);
		buffer_add(b, v->other_mac ? dst : src, 6);
		if (v->vlan >= 0) {
			buffer_u16(b, 0x8100);
			buffer_u16(b, (unsigned)v->vlan);
		}
		buffer_u16(b, ethertype);
	}
}

static void part_add(struct scenario *s, struct records *all, const struct view *v, int64_t at_ns, size_t from,
	size_t to)
{
	struct buffer b = { .arena = s->arena };
	const struct tap *t = v->tap;
	struct record *r;

	link_build(s, &b, v);
	if (v->d->protocol == 0 || v->d->protocol == LLDP)
		buffer_add(&b, v->payload, v->n);
	else
		ip_build(&b, v, from, to);
	if (t->tick_ns)
		at_ns = at_ns / t->tick_ns * t->tick_ns;
	if (all->count == all->room) {
		all->room = 2 * all->room + 1024;
		all->at = memory_resize(all->at, all->room, sizeof *all->at);
	}
	r = &all->at[all->count++];
	*r = (struct record){ .at_ns = at_ns, .order = (unsigned)all->count, .file = t->file,
		.tap = (unsigned)(t - s->taps), .bytes = b.p, .n = b.n,
		.wire = b.n };
	if (t->truncate && r->n > t->truncate)
		r->n = r->wire = t->truncate;
	if (t->snaplen && r->n > t->snaplen)
		r->n = t->snaplen;
}

static void record_add(struct scenario *s, struct records *all, const struct view *v, int64_t at_ns)
{
	size_t mtu = v->d->from->mtu, piece = mtu > 28 ? (mtu - 20) / 8 * 8 : 0, whole = v->n + 8;

	if (v->d->protocol != IPPROTO_UDP || piece == 0 || whole + 20 <= mtu || v->src.addr.family != 4) {
		part_add(s, all, v, at_ns, 0, SIZE_MAX);
		return;
	}
	for (size_t from = 0; from < whole; from += piece) {
		if (from == 0 || !v->tap->no_later_fragments)
			part_add(s, all, v, at_ns + (from ? 20 * MICROSECOND_NS : 0), from,
				from + piece < whole ? from + piece : SIZE_MAX);
	}
}

static bool hidden(const struct tap *t, const struct datagram *d)
{
	if (d->at_ns < t->begin_ns || d->at_ns >= t->end_ns || !(d->taps & 1))
		return true;
	LIST_EACH(it, &t->blinds) {
		const struct blind *b = LIST_ENTRY(it, struct blind, link);

		if ((b->any_traffic || b->traffic == d->traffic) &&
		    (b->any_from || address_equal(&b->from, &d->src.addr)) &&
		    (b->any_to || address_equal(&b->to, &d->dst.addr)) && d->at_ns >= b->begin_ns &&
		    d->at_ns < b->end_ns)
			return true;
	}
	LIST_EACH(it, &t->lost) {
		const struct interval *i = LIST_ENTRY(it, struct interval, link);

		if (d->at_ns >= i->begin_ns && d->at_ns < i->end_ns)
			return true;
	}
	return false;
}

static bool mirrored(const struct mirror *m, const struct datagram *d)
{
	if (!m || d->protocol == 0 || d->protocol == LLDP)
		return false;
	if (!m->between)
		return true;
	return (address_equal(&m->a, &d->src.addr) && address_equal(&m->b, &d->dst.addr)) ||
	       (address_equal(&m->b, &d->src.addr) && address_equal(&m->a, &d->dst.addr));
}

/* No clock is exact: a capture in which all times are round would be taken for one with a bad clock. */
static int64_t noise_ns(const struct datagram *d)
{
	return d->protocol == IPPROTO_UDP ? d->order * 7919 % 61 * MICROSECOND_NS : 0;
}

static void tap_see(struct scenario *s, const struct tap *t, const struct datagram *d, struct records *all)
{
	struct view v = { .d = d, .tap = t, .src = d->src, .dst = d->dst, .payload = d->payload, .n = d->n,
		.vlan = t->vlan };
	struct mirror *m = t->mirror;
	unsigned initial = d->ttl ? d->ttl : d->from->ttl, hops = hops_of(t, d->from);
	int64_t at_ns = d->at_ns + t->delay_ns + noise_ns(d);
	bool twice = mirrored(m, d), first_missing;

	/* a TTL given on the line is what the tap sees */
	v.ttl = d->ttl || initial <= hops ? initial : initial - hops;
	if (d->protocol) {
		cross_nat(s, &v, t->nat, t->outside);
		cross_nat(s, &v, t->beyond, true);
	}
	first_missing = twice && d->traffic == TRAFFIC_RTP && m->first_missing_permille &&
		random_next(&m->seed) % 1000 < m->first_missing_permille;
	if (!first_missing)
		record_add(s, all, &v, at_ns);
	if (!twice)
		return;
	v.vlan = m->vlan >= 0 ? m->vlan : v.vlan;
	for (unsigned i = 0; i < m->times && (int)v.ttl + m->ttl > 0; i++) {
		v.ttl = (unsigned)((int)v.ttl + m->ttl);
		v.other_mac = m->other_mac && i % 2 == 0;
		record_add(s, all, &v, at_ns + (i + 1) * m->offset_ns);
	}
}

static int datagram_compare(const void *a, const void *b)
{
	const struct datagram *x = *(struct datagram *const *)a, *y = *(struct datagram *const *)b;

	if (x->at_ns != y->at_ns)
		return x->at_ns < y->at_ns ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

static int record_compare(const void *a, const void *b)
{
	const struct record *x = a, *y = b;

	if (x->at_ns != y->at_ns)
		return x->at_ns < y->at_ns ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

/* What a sender numbers, in the order of sending: IP-ID, TCP sequence. */
static void datagram_number(struct scenario *s, struct datagram *d)
{
	d->ip_id = d->from->ip_id++;
	if (d->from->ip_id == 0)
		d->from->ip_id = 1;
	if (d->protocol != IPPROTO_TCP)
		return;
	LIST_EACH(it, &s->connections) {
		struct connection *c = LIST_ENTRY(it, struct connection, link);
		bool forth = endpoint_equal(&c->a, &d->src) && endpoint_equal(&c->b, &d->dst);
		bool back = endpoint_equal(&c->b, &d->src) && endpoint_equal(&c->a, &d->dst);

		if (!forth && !back)
			continue;
		d->tcp_seq = c->seq[back];
		d->tcp_ack = d->tcp_flags == TCP_SYN ? 0 : c->seq[forth];
		if (d->tcp_again)
			d->tcp_seq -= (uint32_t)d->n + (d->tcp_flags & (TCP_SYN | TCP_FIN) ? 1 : 0);
		else
			c->seq[back] += (uint32_t)d->n + (d->tcp_flags & (TCP_SYN | TCP_FIN) ? 1 : 0);
		return;
	}
}

static struct records frames_make(struct scenario *s)
{
	size_t count = s->datagrams.count, n = 0;
	struct datagram **sorted = memory_resize(NULL, count, sizeof *sorted);
	struct records all = { NULL, 0, 0 };

	LIST_EACH(it, &s->datagrams)
		sorted[n++] = LIST_ENTRY(it, struct datagram, link);
	if (count)
		qsort(sorted, count, sizeof *sorted, datagram_compare);
	for (size_t i = 0; i < count; i++) {
		datagram_number(s, sorted[i]);
		sorted[i]->at_ns += sorted[i]->late_ns;
		for (unsigned t = 0; t < s->tap_count; t++) {
			struct datagram seen = *sorted[i];

			seen.taps = (uint16_t)(seen.taps >> t);
			if (!hidden(&s->taps[t], &seen))
				tap_see(s, &s->taps[t], sorted[i], &all);
		}
	}
	free(sorted);
	if (all.count)
		qsort(all.at, all.count, sizeof *all.at, record_compare);
	return all;
}

/* Files are written in the byte order of a PC. */
static void le16(struct buffer *b, unsigned value)
{
	buffer_u8(b, value & 0xff);
	buffer_u8(b, value >> 8 & 0xff);
}

static void le32(struct buffer *b, uint32_t value)
{
	le16(b, value & 0xffff);
	le16(b, value >> 16);
}

static void le64(struct buffer *b, uint64_t value)
{
	le32(b, (uint32_t)value);
	le32(b, (uint32_t)(value >> 32));
}

static uint64_t epoch_us(int64_t at_ns)
{
	return (uint64_t)(SCENARIO_EPOCH_S * 1000000 + at_ns / 1000);
}

static const struct tap *first_tap(const struct scenario *s, unsigned file)
{
	for (unsigned i = 0; i < s->tap_count; i++) {
		if (s->taps[i].file == file)
			return &s->taps[i];
	}
	return NULL;
}

static void pcap_build(const struct scenario *s, unsigned file, const struct records *all, struct buffer *b)
{
	const struct tap *t = first_tap(s, file);

	le32(b, 0xa1b2c3d4);
	le32(b, 0x00040002);
	le64(b, 0);
	le32(b, t->snaplen ? t->snaplen : 262144);
	le32(b, t->link);
	for (size_t i = 0; i < all->count; i++) {
		const struct record *r = &all->at[i];
		uint64_t us = epoch_us(r->at_ns);

		if (r->file != file)
			continue;
		le32(b, (uint32_t)(us / 1000000));
		le32(b, (uint32_t)(us % 1000000));
		le32(b, (uint32_t)r->n);
		le32(b, (uint32_t)r->wire);
		buffer_add(b, r->bytes, r->n);
	}
}

static void pad4(struct buffer *b)
{
	while (b->n % 4)
		buffer_u8(b, 0);
}

static void option_add(struct buffer *b, unsigned code, const void *bytes, size_t n)
{
	le16(b, code);
	le16(b, (unsigned)n);
	buffer_add(b, bytes, n);
	pad4(b);
}

static void block_add(struct buffer *b, uint32_t type, const struct buffer *body)
{
	uint32_t total = (uint32_t)(12 + body->n);

	le32(b, type);
	le32(b, total);
	buffer_add(b, body->p, body->n);
	le32(b, total);
}

static void interface_add(struct buffer *b, const struct tap *t)
{
	struct buffer body = { .arena = b->arena }, filter = { .arena = b->arena };

	le16(&body, t->link);
	le16(&body, 0);
	le32(&body, t->snaplen ? t->snaplen : 262144);
	option_add(&body, 2, t->interface ? t->interface : t->name, strlen(t->interface ? t->interface : t->name));
	if (t->filter) {
		buffer_u8(&filter, 0);       /* a string for libpcap */
		buffer_add(&filter, t->filter, strlen(t->filter));
		option_add(&body, 11, filter.p, filter.n);
	}
	option_add(&body, 0, NULL, 0);
	block_add(b, 1, &body);
}

static void statistics_add(struct buffer *b, const struct tap *t, unsigned interface, int64_t at_ns)
{
	struct buffer body = { .arena = b->arena }, value = { .arena = b->arena };
	uint64_t us = epoch_us(at_ns);

	le32(&body, interface);
	le32(&body, (uint32_t)(us >> 32));
	le32(&body, (uint32_t)us);
	le64(&value, t->if_drop);
	option_add(&body, 5, value.p, value.n);
	value.n = 0;
	le64(&value, t->os_drop);
	option_add(&body, 7, value.p, value.n);
	option_add(&body, 0, NULL, 0);
	block_add(b, 5, &body);
}

static unsigned interface_of(const struct scenario *s, unsigned tap)
{
	unsigned n = 0;

	for (unsigned i = 0; i < tap; i++)
		n += s->taps[i].file == s->taps[tap].file;
	return n;
}

static void packet_add(const struct scenario *s, struct buffer *b, const struct record *r)
{
	struct buffer body = { .arena = b->arena };
	uint64_t us = epoch_us(r->at_ns);

	le32(&body, interface_of(s, r->tap));
	le32(&body, (uint32_t)(us >> 32));
	le32(&body, (uint32_t)us);
	le32(&body, (uint32_t)r->n);
	le32(&body, (uint32_t)r->wire);
	buffer_add(&body, r->bytes, r->n);
	pad4(&body);
	block_add(b, 6, &body);
}

static void pcapng_build(const struct scenario *s, unsigned file, const struct records *all, struct buffer *b)
{
	struct buffer section = { .arena = b->arena };
	int64_t last_ns = 0;

	le32(&section, 0x1a2b3c4d);
	le32(&section, 0x00000001);
	le64(&section, UINT64_MAX);
	block_add(b, 0x0a0d0d0a, &section);
	for (unsigned i = 0; i < s->tap_count; i++) {
		if (s->taps[i].file == file)
			interface_add(b, &s->taps[i]);
	}
	for (size_t i = 0; i < all->count; i++) {
		if (all->at[i].file != file)
			continue;
		packet_add(s, b, &all->at[i]);
		last_ns = all->at[i].at_ns;
	}
	for (unsigned i = 0; i < s->tap_count; i++) {
		if (s->taps[i].file == file && s->taps[i].has_drops)
			statistics_add(b, &s->taps[i], interface_of(s, i), last_ns);
	}
}

/* Several taps of unlike kind need pcapng. */
static bool wants_pcapng(const struct scenario *s, unsigned file)
{
	const struct tap *first = first_tap(s, file);

	for (unsigned i = 0; i < s->tap_count; i++) {
		if (s->taps[i].file == file && s->taps[i].link != first->link)
			return true;
	}
	return s->files[file].pcapng;
}

static bool file_save(const char *path, const struct buffer *b, char *error, size_t room)
{
	FILE *f = fopen(path, "wb");
	bool good = f && fwrite(b->p, 1, b->n, f) == b->n;

	if (f && fclose(f) != 0)
		good = false;
	if (!good)
		snprintf(error, room, "%s: cannot be written", path);
	return good;
}

static void file_build(const struct scenario *s, unsigned file, const struct records *all, struct buffer *b)
{
	if (!first_tap(s, file))
		return;
	if (wants_pcapng(s, file))
		pcapng_build(s, file, all, b);
	else
		pcap_build(s, file, all, b);
}

bool scenario_write(struct scenario *s, const char *stem, const char **ret_paths, char *error, size_t room)
{
	struct records all = frames_make(s);
	bool good = true;

	for (unsigned i = 0; i < s->file_count && good; i++) {
		struct buffer b = { .arena = s->arena };

		file_build(s, i, &all, &b);
		ret_paths[i] = scenario_text(s, "%s%s%s.%s", stem, s->files[i].name[0] ? "-" : "", s->files[i].name,
			wants_pcapng(s, i) ? "pcapng" : "pcap");
		good = file_save(ret_paths[i], &b, error, room);
	}
	free(all.at);
	return good;
}

bool scenario_write_one(struct scenario *s, const char *path, char *error, size_t room)
{
	struct records all = frames_make(s);
	struct buffer b = { .arena = s->arena };
	bool good;

	if (s->file_count != 1) {
		snprintf(error, room, "%s: it has %u files, one is wanted", s->path, s->file_count);
		free(all.at);
		return false;
	}
	file_build(s, 0, &all, &b);
	good = file_save(path, &b, error, room);
	free(all.at);
	return good;
}
