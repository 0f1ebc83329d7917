/* SPDX-License-Identifier: MIT */
/* link_tag: what switches put between the addresses of an Ethernet frame and its type, or around all of it. */
#include "dissect/link_parts.h"

bool link_macsec(struct cursor *c, uint16_t *ret_type)
{
	enum { CHANNEL = 0x20, ENCRYPTED = 0x08, CHANGED = 0x04 };
	struct cursor behind = *c;
	uint8_t flags = cursor_u8(&behind);
	uint16_t type;

	cursor_u8(&behind); /* length, where that is short */
	cursor_u32(&behind); /* packet number */
	if (flags & CHANNEL)
		cursor_u64(&behind);
	type = cursor_u16(&behind);
	if (behind.state != CURSOR_OK || (flags & (ENCRYPTED | CHANGED)))
		return false;
	*ret_type = type;
	*c = behind;
	return true;
}

/* Cisco's Inter-Switch Link: a multicast of its own in front of a whole frame, the VLAN behind a SNAP header. */
bool link_is_isl(const uint8_t *head)
{
	return (head[0] == 1 || head[0] == 3) && head[1] == 0 && head[2] == 0x0c && head[3] == 0 && head[4] == 0;
}

enum network link_isl(struct cursor *c, struct packet *p)
{
	enum network network;
	uint16_t vlan;

	cursor_take(c, 6); /* SNAP, first half of the sender's address */
	vlan = cursor_u16(c) >> 1;
	cursor_u32(c); /* index, reserved */
	if (c->state != CURSOR_OK)
		return link_failed(c, p);
	network = link_nested(c, p);
	if (p->vlan_count == 0)
		link_vlan(p, vlan & 0x0fff);
	return network;
}

/* RFC 6325 3: version, options and hops, two nicknames. */
enum network link_trill(struct cursor *c, struct packet *p)
{
	uint16_t first = cursor_u16(c);

	cursor_take(c, 4 + (first >> 6 & 0x1f) * 4u);
	return c->state == CURSOR_OK ? link_nested(c, p) : link_failed(c, p);
}

/* RFC 8300 2 */
enum network link_nsh(struct cursor *c, struct packet *p)
{
	enum { NEXT_IP4 = 1, NEXT_IP6 = 2, NEXT_ETHERNET = 3, NEXT_MPLS = 5, LEAST_WORDS = 2 };
	uint16_t first = cursor_u16(c);
	unsigned words = first & 0x3f;
	uint8_t next;

	cursor_u8(c);
	next = cursor_u8(c);
	if (c->state == CURSOR_OK && words < LEAST_WORDS)
		return link_undecoded(p, UNDECODED_MALFORMED);
	cursor_take(c, words * 4 - 4);
	if (c->state != CURSOR_OK)
		return link_failed(c, p);
	switch (next) {
	case NEXT_IP4:
	case NEXT_IP6: return link_ip(c, p);
	case NEXT_ETHERNET: return link_nested(c, p);
	case NEXT_MPLS: return link_mpls(c, p);
	default: return link_undecoded(p, UNDECODED_NOT_IP);
	}
}
