/* SPDX-License-Identifier: MIT */
/* ip: from the version nibble to the transport header. */
#include "dissect/ip.h"

enum {
	IP4_HEADER = 20, IP6_HEADER = 40, EXTENSION_MAX = 16,
	IP_HOP_BY_HOP = 0, IP_ROUTING = 43, IP_FRAGMENT = 44, IP_DESTINATION = 60, IP_MOBILITY = 135, IP_HIP = 139,
	IP_SHIM6 = 140
};

static uint16_t u16_at(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static bool failed(const struct cursor *c, struct packet *p)
{
	p->undecoded = c->state == CURSOR_CUT ? UNDECODED_TRUNCATED : UNDECODED_MALFORMED;
	return false;
}

/* Ends the cursor `bytes` behind here; more than the frame holds is what the capture cut off. */
static void end_at(struct cursor *c, size_t bytes)
{
	if (bytes > c->wire)
		c->wire = bytes;
	else
		cursor_limit(c, bytes);
}

static void traffic_class(struct packet *p, uint8_t tos)
{
	p->dscp = tos >> 2;
	p->ecn = tos & 3;
}

/* In place: a compound literal would be built and copied for each packet. */
static inline void address_set(struct address *a, uint8_t family, const uint8_t *bytes)
{
	a->family = family;
	if (family == 6) {
		memcpy(a->bytes, bytes, 16);
		return;
	}
	memcpy(a->bytes, bytes, 4);
	memset(a->bytes + 4, 0, 12);
}

static bool ip4_parse(struct cursor *c, struct packet *p, struct ip_fragment *ret_fragment)
{
	size_t whole = c->wire, header, total;
	struct span h = cursor_take(c, IP4_HEADER);
	uint16_t offset;

	if (!h.n)
		return failed(c, p);
	header = (h.p[0] & 0x0f) * 4u;
	total = u16_at(h.p + 2);
	if (total == 0)                                 /* segmentation offload: the sender's card fills it in */
		total = whole;
	if (header < IP4_HEADER || total < header) {
		p->undecoded = UNDECODED_MALFORMED;
		return false;
	}
	end_at(c, total - IP4_HEADER);
	cursor_take(c, header - IP4_HEADER);            /* options change nothing that we ask */
	if (c->state != CURSOR_OK)
		return failed(c, p);
	traffic_class(p, h.p[1]);
	p->ip_bytes = (uint16_t)(total > UINT16_MAX ? UINT16_MAX : total);
	p->ip_id = u16_at(h.p + 4);
	offset = u16_at(h.p + 6);
	p->ttl = h.p[8];
	p->ip_protocol = h.p[9];
	address_set(&p->src.addr, 4, h.p + 12);
	address_set(&p->dst.addr, 4, h.p + 16);
	p->has |= HAS_IP | HAS_IP_ID | (offset & 0x4000 ? HAS_DF : 0u);
	ret_fragment->is = offset & 0x3fff;
	ret_fragment->more = offset & 0x2000;
	ret_fragment->offset = (uint16_t)(offset << 3);
	ret_fragment->id = p->ip_id;
	return p->ip_protocol != IP_AH || ret_fragment->is || ip_extensions(c, p, ret_fragment);
}

/* One extension header; false: it is none of those that can be stepped over. */
static bool extension_known(uint8_t protocol)
{
	return protocol == IP_HOP_BY_HOP || protocol == IP_ROUTING || protocol == IP_DESTINATION || protocol == IP_AH ||
	       protocol == IP_MOBILITY || protocol == IP_HIP || protocol == IP_SHIM6;
}

static void fragment_header(struct cursor *c, struct packet *p, struct ip_fragment *fragment)
{
	uint16_t offset;

	p->ip_protocol = cursor_u8(c);
	cursor_u8(c);
	offset = cursor_u16(c);
	fragment->id = cursor_u32(c);
	fragment->more = offset & 1;
	fragment->offset = offset & 0xfff8;
	fragment->is = c->state == CURSOR_OK && (fragment->more || fragment->offset);
}

bool ip_extensions(struct cursor *c, struct packet *p, struct ip_fragment *fragment)
{
	bool v6 = p->src.addr.family == 6;

	for (unsigned i = 0; c->state == CURSOR_OK; i++) {
		bool authentication = p->ip_protocol == IP_AH;

		if (i == EXTENSION_MAX) {
			p->undecoded = UNDECODED_MALFORMED;
			return false;
		}
		if (v6 && p->ip_protocol == IP_FRAGMENT) {
			fragment_header(c, p, fragment);
			if (fragment->is)
				return true;
			continue;
		}
		if (!authentication && !(v6 && extension_known(p->ip_protocol)))
			return true;
		p->ip_protocol = cursor_u8(c);
		cursor_take(c, authentication ? cursor_u8(c) * 4u + 6 : cursor_u8(c) * 8u + 6);
	}
	return failed(c, p);
}

static bool ip6_parse(struct cursor *c, struct packet *p, struct ip_fragment *ret_fragment)
{
	struct span h = cursor_take(c, IP6_HEADER);
	size_t length;

	if (!h.n)
		return failed(c, p);
	length = u16_at(h.p + 4);
	if (length == 0 && h.p[6] != IP_NO_NEXT)        /* a jumbogram or segmentation offload */
		length = c->wire;
	end_at(c, length);
	traffic_class(p, (uint8_t)(h.p[0] << 4 | h.p[1] >> 4));
	length += IP6_HEADER;
	p->ip_bytes = (uint16_t)(length > UINT16_MAX ? UINT16_MAX : length);
	p->ip_protocol = h.p[6];
	p->ttl = h.p[7];
	address_set(&p->src.addr, 6, h.p + 8);
	address_set(&p->dst.addr, 6, h.p + 24);
	p->has |= HAS_IP;
	ret_fragment->is = false;
	return ip_extensions(c, p, ret_fragment);
}

bool ip_parse(struct cursor *c, struct packet *p, struct ip_fragment *ret_fragment)
{
	struct cursor first = *c;
	uint8_t version = cursor_u8(&first) >> 4;

	if (first.state != CURSOR_OK)
		return failed(&first, p);
	p->has &= ~(uint32_t)(HAS_IP_ID | HAS_DF | HAS_PORTS | HAS_CHECKSUM);
	p->src.port = p->dst.port = 0;
	if (version == 4)
		return ip4_parse(c, p, ret_fragment);
	if (version == 6)
		return ip6_parse(c, p, ret_fragment);
	p->undecoded = UNDECODED_MALFORMED;
	return false;
}

bool ip_plausible(struct cursor c)
{
	size_t wire = c.wire;
	struct span h = cursor_take(&c, IP4_HEADER);
	size_t total;

	if (!h.n)
		return false;
	if (h.p[0] >> 4 == 6)
		return u16_at(h.p + 4) + (size_t)IP6_HEADER <= wire;
	total = u16_at(h.p + 2);
	return h.p[0] >> 4 == 4 && (h.p[0] & 0x0f) >= 5 && total >= (h.p[0] & 0x0f) * 4u && total <= wire;
}

/* Words in the order of the machine: a ones' complement sum is right in either (RFC 1071 2 B). */
static uint64_t sum(const uint8_t *p, size_t n)
{
	uint64_t total = 0, word;
	uint32_t half = 0;

	for (; n >= sizeof word; p += sizeof word, n -= sizeof word) {
		memcpy(&word, p, sizeof word);
		total += (word >> 32) + (uint32_t)word;
	}
	for (; n >= sizeof half; p += sizeof half, n -= sizeof half) {
		memcpy(&half, p, sizeof half);
		total += half;
	}
	half = 0;
	if (n)
		memcpy(&half, p, n);                    /* up to three bytes, zeros behind */
	return total + half;
}

bool ip_checksum_ok(const struct packet *p, uint8_t protocol, struct span segment)
{
	size_t size = p->src.addr.family == 6 ? 16 : 4;
	size_t n = segment.n;
	uint8_t tail[8] = { 0, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n, 0, 0, 0, protocol };
	uint64_t total = sum(p->src.addr.bytes, size) + sum(p->dst.addr.bytes, size) + sum(tail, sizeof tail) +
			 sum(segment.p, segment.n);

	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return total == 0xffff;
}

void ip_udp_checksum(struct packet *p, uint16_t checksum, struct span datagram)
{
	if (checksum == 0 || (p->kind == PACKET_RTP && p->rtp.seq % 16))
		return;
	p->has |= HAS_CHECKSUM;
	p->checksum_ok = ip_checksum_ok(p, IP_UDP, datagram);
}
