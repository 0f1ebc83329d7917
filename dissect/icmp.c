/* SPDX-License-Identifier: MIT */
/* icmp: an error and the packet it quotes, as evidence, never as traffic. RFC 792, 4443, 4884. */
#include "dissect/icmp.h"

enum { PROTOCOL_TCP = 6, PROTOCOL_UDP = 17, UDP_HEADER = 8, EXTENSION_HEADERS_MAX = 8 };
enum {
	V4_UNREACHABLE = 3,
	V4_QUENCH = 4,
	V4_REDIRECT = 5,
	V4_TIME_EXCEEDED = 11,
	V4_PARAMETER = 12,
	V4_FRAGMENTATION_NEEDED = 4
};
enum { V6_UNREACHABLE = 1, V6_TOO_BIG = 2, V6_TIME_EXCEEDED = 3, V6_PARAMETER = 4 };

static bool type_quotes(bool v6, uint8_t type)
{
	if (v6)
		return type >= V6_UNREACHABLE && type <= V6_PARAMETER;
	return type == V4_UNREACHABLE || type == V4_QUENCH || type == V4_REDIRECT || type == V4_TIME_EXCEEDED ||
		type == V4_PARAMETER;
}

static void ports_read(struct cursor *c, struct icmp_message *m)
{
	uint16_t src, dst, bytes;

	if (m->quote_protocol != PROTOCOL_TCP && m->quote_protocol != PROTOCOL_UDP)
		return;
	src = cursor_u16(c);
	dst = cursor_u16(c);
	if (c->state != CURSOR_OK)
		return;
	m->quote_src.port = src;
	m->quote_dst.port = dst;
	m->quote_readable = true;
	if (m->quote_protocol != PROTOCOL_UDP)
		return;
	bytes = cursor_u16(c);
	cursor_u16(c); /* checksum */
	if (c->state != CURSOR_OK)
		return;
	m->quote_payload = c->left;
	if (bytes >= UDP_HEADER)
		m->quote_payload = span_first(c->left, bytes - UDP_HEADER);
}

static void quote_v4_read(struct cursor *c, struct icmp_message *m)
{
	struct span fixed = cursor_take(c, 20);
	const uint8_t *p = fixed.p;
	size_t header, total;

	if (fixed.n == 0 || p[0] >> 4 != 4 || (p[0] & 0x0f) < 5)
		return;
	header = 4u * (p[0] & 0x0f);
	total = (size_t)(p[2] << 8 | p[3]);
	m->quote_ttl = p[8];
	m->quote_protocol = p[9];
	m->quote_src.addr = address_v4(p + 12);
	m->quote_dst.addr = address_v4(p + 16);
	cursor_take(c, header - 20);
	/* some stacks quote the total length in host order or minus the header */
	if (total >= header)
		cursor_limit(c, total - header);
	if (c->state == CURSOR_OK && ((p[6] & 0x1f) << 8 | p[7]) == 0)
		ports_read(c, m);
}

/* Walks from one extension header to the next. False: the transport is not there. */
static bool extension_headers_skip(struct cursor *c, uint8_t *next)
{
	for (unsigned i = 0; i < EXTENSION_HEADERS_MAX; i++) {
		uint8_t type = *next;
		uint8_t following, length;
		uint16_t offset;

		if (type != 0 && type != 43 && type != 44 && type != 51 && type != 60)
			return true;
		following = cursor_u8(c);
		length = cursor_u8(c);
		offset = cursor_u16(c);
		cursor_u32(c);
		if (type == 44 && offset >> 3) /* a later fragment has no ports */
			return false;
		if (type == 51)
			/* RFC 4302 2.2: words less two, which have been read */
			cursor_take(c, 4u * length);
		else if (type != 44)
			cursor_take(c, 8u * length);
		if (c->state != CURSOR_OK)
			return false;
		*next = following;
	}
	return false;
}

static void quote_v6_read(struct cursor *c, struct icmp_message *m)
{
	struct span fixed = cursor_take(c, 40);
	const uint8_t *p = fixed.p;

	if (fixed.n == 0 || p[0] >> 4 != 6)
		return;
	m->quote_protocol = p[6];
	m->quote_ttl = p[7];
	m->quote_src.addr = address_v6(p + 8);
	m->quote_dst.addr = address_v6(p + 24);
	if (extension_headers_skip(c, &m->quote_protocol))
		ports_read(c, m);
}

/* RFC 4884: how long the quote is where extensions follow it: in words of 4 (ICMP) or 8 bytes. 0: nothing said. */
static size_t quote_bytes(const struct icmp_message *m, const uint8_t rest[4])
{
	if (m->v6)
		return m->type == V6_UNREACHABLE || m->type == V6_TIME_EXCEEDED ? 8u * rest[0] : 0;
	return m->type == V4_UNREACHABLE || m->type == V4_TIME_EXCEEDED || m->type == V4_PARAMETER ? 4u * rest[1] : 0;
}

static uint16_t mtu_read(const struct icmp_message *m, const uint8_t rest[4])
{
	if (m->v6 && m->type == V6_TOO_BIG)
		return rest[0] || rest[1] ? UINT16_MAX : (uint16_t)(rest[2] << 8 | rest[3]);
	if (!m->v6 && m->type == V4_UNREACHABLE && m->code == V4_FRAGMENTATION_NEEDED)
		return (uint16_t)(rest[2] << 8 | rest[3]);
	return 0;
}

bool icmp_parse(struct cursor *c, bool v6, struct icmp_message *out)
{
	struct icmp_message m = { .v6 = v6 };
	struct cursor quote;
	struct span rest;

	m.type = cursor_u8(c);
	m.code = cursor_u8(c);
	cursor_u16(c); /* checksum */
	rest = cursor_take(c, 4);
	if (c->state != CURSOR_OK)
		return false;
	m.error = type_quotes(v6, m.type);
	if (m.error) {
		m.mtu = mtu_read(&m, rest.p);
		quote = *c;
		if (quote_bytes(&m, rest.p))
			cursor_limit(&quote, quote_bytes(&m, rest.p));
		if (v6)
			quote_v6_read(&quote, &m);
		else
			quote_v4_read(&quote, &m);
	}
	*out = m;
	return true;
}
