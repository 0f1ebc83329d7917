/* SPDX-License-Identifier: MIT */
/* tunnel: the headers between an outer packet and an inner one. */
#include "dissect/tunnel.h"

#include "dissect/esp.h"
#include "dissect/ip.h"
#include "dissect/link_parts.h"

bool tunnel_enter(struct packet *p, enum packet_tunnel kind)
{
	if (p->tunnel_depth == TUNNEL_DEPTH_MAX) {
		p->undecoded = UNDECODED_DEPTH;
		return false;
	}
	if (!(p->has & HAS_OUTER)) {
		p->outer_src = p->src.addr;
		p->outer_dst = p->dst.addr;
		p->has |= HAS_OUTER;
	}
	p->tunnel = kind;
	p->tunnel_depth++;
	return true;
}

static enum network inside(struct cursor *c, struct packet *p, enum packet_tunnel kind, uint16_t type)
{
	if (!tunnel_enter(p, kind))
		return NETWORK_NONE;
	if (type == ETHERTYPE_TEB)
		return link_ethernet(c, p);
	return type == ETHERTYPE_PPP ? link_ppp(c, p) : link_ethertype(c, type, p);
}

/* draft-foschiano-erspan: type I has no header of its own (and no GRE sequence number), type II eight bytes. */
static enum network erspan_parse(struct cursor *c, struct packet *p, bool sequenced)
{
	if (sequenced)
		cursor_u64(c);
	return c->state == CURSOR_OK ? inside(c, p, TUNNEL_ERSPAN, ETHERTYPE_TEB) : link_failed(c, p);
}

/* Type III: twelve bytes, the last bit announces eight more; frame type 2 is IP without Ethernet. */
static enum network erspan3_parse(struct cursor *c, struct packet *p)
{
	uint16_t flags;

	cursor_u64(c);
	cursor_u16(c);
	flags = cursor_u16(c);
	if (flags & 1)
		cursor_u64(c);
	if (c->state != CURSOR_OK)
		return link_failed(c, p);
	return inside(c, p, TUNNEL_ERSPAN, (flags >> 10 & 0x1f) == 2 ? ETHERTYPE_IP4 : ETHERTYPE_TEB);
}

/*
 * Source route entries of RFC 1701 end with one of length 0; each takes at least four bytes, so the packet bounds the
 * walk.
 */
static void gre_routing(struct cursor *c)
{
	uint8_t length;

	do {
		cursor_u16(c);
		cursor_u8(c);
		length = cursor_u8(c);
		cursor_take(c, length);
	} while (c->state == CURSOR_OK && length);
}

/* RFC 2784, 2890, 1701; version 1 is PPTP's, RFC 2637 4.1. */
static enum network gre_parse(struct cursor *c, struct packet *p)
{
	enum {
		CHECKSUM = 0x8000, ROUTING = 0x4000, KEY = 0x2000, SEQUENCE = 0x1000, ACKNOWLEDGE = 0x0080,
		GRE_VERSION = 7
	};
	uint16_t flags = cursor_u16(c), type = cursor_u16(c), length = 0;

	if (flags & (CHECKSUM | ROUTING))
		cursor_u32(c);
	if (flags & KEY) {
		length = cursor_u16(c);                 /* version 1: of the payload; its other half is the call */
		cursor_u16(c);
	}
	if (flags & SEQUENCE)
		cursor_u32(c);
	if ((flags & GRE_VERSION) == 1 && (flags & ACKNOWLEDGE))
		cursor_u32(c);
	if (flags & ROUTING)
		gre_routing(c);
	if (c->state != CURSOR_OK)
		return link_failed(c, p);
	if ((flags & GRE_VERSION) == 1) {
		if (length == 0)                        /* an acknowledgement alone */
			return NETWORK_NONE;
		cursor_limit(c, length);
	}
	if (type == ETHERTYPE_ERSPAN)
		return erspan_parse(c, p, flags & SEQUENCE);
	if (type == ETHERTYPE_ERSPAN3)
		return erspan3_parse(c, p);
	return inside(c, p, TUNNEL_GRE, type);
}

/* What is inside goes without the link's own type: a PPP frame with IP, or an Ethernet frame with IP or ARP. */
static bool ppp_fits(struct cursor c)
{
	struct packet scratch;

	scratch.has = 0;
	scratch.tunnel_depth = 0;
	scratch.undecoded = UNDECODED_NO;
	return link_ppp(&c, &scratch) == NETWORK_IP && ip_plausible(c);
}

static enum network l2tp_inside(struct cursor *c, const struct cursor *inner, struct packet *p)
{
	if (inner->state != CURSOR_OK || !ppp_fits(*inner))
		return NETWORK_NONE;
	*c = *inner;
	return inside(c, p, TUNNEL_L2TP, ETHERTYPE_PPP);
}

/*
 * RFC 3931 4.1: the session, a cookie of 0, 4 or 8 bytes and perhaps a sublayer of 4, all agreed upon elsewhere: where
 * a frame fits. Session 0 is control.
 */
static enum network l2tp3_parse(struct cursor *c, struct packet *p)
{
	struct cursor inner = *c;

	if (cursor_u32(&inner) == 0)
		return NETWORK_NONE;
	for (unsigned skipped = 0; skipped <= 12 && inner.state == CURSOR_OK; skipped += 4) {
		if (link_ethernet_plausible(inner)) {
			*c = inner;
			return inside(c, p, TUNNEL_L2TP, ETHERTYPE_TEB);
		}
		if (ppp_fits(inner))
			return l2tp_inside(c, &inner, p);
		cursor_u32(&inner);
	}
	return NETWORK_NONE;
}

/* RFC 2661 3.1; over UDP version 3 has its session behind two reserved bytes (RFC 3931 4.1.2.1). */
static enum network l2tp_parse(struct cursor *c, struct packet *p)
{
	enum {
		CONTROL = 0x8000, LENGTH = 0x4000, SEQUENCE = 0x0800, OFFSET = 0x0200, RESERVED = 0x34f0,
		L2TP_VERSION = 15
	};
	struct cursor inner = *c;
	uint16_t flags = cursor_u16(&inner), length;
	enum network network;

	if (inner.state != CURSOR_OK || (flags & (CONTROL | RESERVED)))
		return NETWORK_NONE;
	if (flags == 3) {
		cursor_u16(&inner);
		network = l2tp3_parse(&inner, p);
		if (network != NETWORK_NONE)
			*c = inner;
		return network;
	}
	if ((flags & L2TP_VERSION) != 2)
		return NETWORK_NONE;
	if (flags & LENGTH) {                           /* of all of it, this header included */
		length = cursor_u16(&inner);
		if (length < 8 || length - 4u > inner.wire)
			return NETWORK_NONE;
		cursor_limit(&inner, length - 4u);
	}
	cursor_u32(&inner);                             /* tunnel, session */
	if (flags & SEQUENCE)
		cursor_u32(&inner);
	if (flags & OFFSET)
		cursor_take(&inner, cursor_u16(&inner));
	return l2tp_inside(c, &inner, p);
}

enum network tunnel_ip(struct cursor *c, struct packet *p)
{
	switch (p->ip_protocol) {
	case IP_GRE:
		return gre_parse(c, p);
	case IP_IPIP:
	case IP_6IN4:
		return inside(c, p, TUNNEL_IPIP, ETHERTYPE_IP4);
	case IP_MPLS:                                   /* RFC 4023 */
		return inside(c, p, TUNNEL_IPIP, 0x8847);
	case IP_L2TP:
		return l2tp3_parse(c, p);
	case IP_ETHERIP:                                /* RFC 3378 */
		cursor_u16(c);
		return c->state == CURSOR_OK ? inside(c, p, TUNNEL_IPIP, ETHERTYPE_TEB) : link_failed(c, p);
	default:
		return NETWORK_NONE;
	}
}

static bool fits(struct cursor c, uint16_t type)
{
	if (c.state != CURSOR_OK)
		return false;
	if (type == ETHERTYPE_TEB)
		return link_ethernet_plausible(c);
	return (type == ETHERTYPE_IP4 || type == ETHERTYPE_IP6) && ip_plausible(c);
}

static enum network inside_if_fits(struct cursor *c, const struct cursor *inner, struct packet *p,
				   enum packet_tunnel kind, uint16_t type)
{
	if (!fits(*inner, type))
		return NETWORK_NONE;
	*c = *inner;
	return inside(c, p, kind, type);
}

/* RFC 7348 5. Reserved bits are ignored on receipt; the flag that there is a network identifier is always set. */
static enum network vxlan_parse(struct cursor *c, struct packet *p)
{
	struct cursor inner = *c;
	uint8_t flags = cursor_u8(&inner);

	cursor_take(&inner, 7);
	return flags & 0x08 ? inside_if_fits(c, &inner, p, TUNNEL_VXLAN, ETHERTYPE_TEB) : NETWORK_NONE;
}

/* draft-ietf-nvo3-vxlan-gpe 3: a flag says that what is inside has a number. */
static enum network vxlan_gpe_parse(struct cursor *c, struct packet *p)
{
	enum { IDENTIFIED = 0x08, NUMBERED = 0x04, IP4 = 1, IP6 = 2, ETHERNET = 3 };
	struct cursor inner = *c;
	uint8_t flags = cursor_u8(&inner), next;

	cursor_u16(&inner);
	next = cursor_u8(&inner);
	cursor_u32(&inner);
	if (!(flags & IDENTIFIED) || !(flags & NUMBERED) || next < IP4 || next > ETHERNET)
		return NETWORK_NONE;
	return inside_if_fits(c, &inner, p, TUNNEL_VXLAN, next == ETHERNET ? ETHERTYPE_TEB : ETHERTYPE_IP4);
}

/* RFC 9300 5.1: flags and nonce, then the instance or which locators are up. */
static enum network lisp_parse(struct cursor *c, struct packet *p)
{
	struct cursor inner = *c;

	cursor_u64(&inner);
	return inside_if_fits(c, &inner, p, TUNNEL_LISP, ETHERTYPE_IP4);
}

/* RFC 7510: the label stack has to come to IP or Ethernet. */
static enum network mpls_udp_parse(struct cursor *c, struct packet *p)
{
	struct packet scratch;
	struct cursor inner = *c;

	scratch.has = 0;
	scratch.tunnel_depth = p->tunnel_depth;
	scratch.undecoded = UNDECODED_NO;
	if (link_mpls(&inner, &scratch) != NETWORK_IP || !ip_plausible(inner) || !tunnel_enter(p, TUNNEL_IPIP))
		return NETWORK_NONE;
	return link_mpls(c, p);
}

/*
 * RFC 5415 4.3: what an access point sends its controller: 802.3 or 802.11, whose first two bytes Cisco swaps. Not
 * encrypted (type 1), no keepalive, and whole: of a fragment nothing is read.
 */
static enum network capwap_parse(struct cursor *c, struct packet *p)
{
	enum { WIFI = 1, FRAGMENT = 0x80, KEEPALIVE = 0x08, TYPE_DATA = 2 };
	struct cursor inner = *c;
	uint8_t preamble = cursor_u8(&inner), length = cursor_u8(&inner) >> 3, kind = cursor_u8(&inner),
		flags = cursor_u8(&inner);

	cursor_take(&inner, length * 4u - 4);
	if (inner.state != CURSOR_OK || preamble != 0 || length < 2 || (flags & (FRAGMENT | KEEPALIVE)))
		return NETWORK_NONE;
	if (!(kind & WIFI))
		return inside_if_fits(c, &inner, p, TUNNEL_CAPWAP, ETHERTYPE_TEB);
	if (inner.left.n < 2 || !tunnel_enter(p, TUNNEL_CAPWAP))
		return NETWORK_NONE;
	*c = inner;
	return link_wifi(c, p, (c->left.p[0] & 0x0f) == TYPE_DATA << 2 ? 0 : LINK_WIFI_SWAPPED);
}

/* RFC 8926 3.4 */
static enum network geneve_parse(struct cursor *c, struct packet *p)
{
	struct cursor inner = *c;
	uint8_t b0 = cursor_u8(&inner);
	uint16_t type;

	cursor_u8(&inner);
	type = cursor_u16(&inner);
	cursor_u32(&inner);
	cursor_take(&inner, 4u * (b0 & 0x3f));
	return b0 >> 6 == 0 ? inside_if_fits(c, &inner, p, TUNNEL_GENEVE, type) : NETWORK_NONE;
}

/*
 * 3GPP TS 29.281 5.2.1: each extension header is a length in words, its content and the next one's type; 0 ends them.
 */
static void gtp_extensions(struct cursor *c, uint8_t next)
{
	while (next && c->state == CURSOR_OK) {
		uint8_t words = cursor_u8(c);

		if (words == 0) {
			c->state = CURSOR_BAD;
			return;
		}
		cursor_take(c, words * 4u - 2);
		next = cursor_u8(c);
	}
}

/* TS 29.281 5.1: version 1, protocol type GTP, a G-PDU whose length is that of the datagram. */
static enum network gtp_parse(struct cursor *c, struct packet *p)
{
	enum { G_PDU = 0xff };
	struct cursor inner = *c;
	uint8_t flags = cursor_u8(&inner), type = cursor_u8(&inner);
	uint16_t length = cursor_u16(&inner);

	cursor_u32(&inner);                             /* tunnel endpoint */
	if ((flags & 0xf8) != 0x30 || type != G_PDU || inner.state != CURSOR_OK || length != inner.wire)
		return NETWORK_NONE;
	if (flags & 0x07) {                             /* any of the three optional fields brings all */
		cursor_u16(&inner);                     /* sequence */
		cursor_u8(&inner);                      /* N-PDU */
		gtp_extensions(&inner, cursor_u8(&inner) * ((flags & 0x04) != 0));
	}
	return inside_if_fits(c, &inner, p, TUNNEL_GTP, ETHERTYPE_IP4);
}

/* Tagged fields: 0 padding, 1 end, else type, length, value. False: they do not end. */
static bool tzsp_tags(struct cursor *c)
{
	while (c->state == CURSOR_OK) {
		uint8_t tag = cursor_u8(c);

		if (tag == 1 && c->state == CURSOR_OK)
			return true;
		if (tag != 0)
			cursor_take(c, cursor_u8(c));
	}
	return false;
}

/* TaZmen Sniffer Protocol, what MikroTik and Aruba mirror with: type 0 is a received frame, 1 one to be sent. */
static enum network tzsp_parse(struct cursor *c, struct packet *p)
{
	enum { ENCAPSULATED_ETHERNET = 1, ENCAPSULATED_WIFI = 18 };
	struct cursor inner = *c;
	uint8_t version = cursor_u8(&inner), type = cursor_u8(&inner);
	uint16_t encapsulated = cursor_u16(&inner);

	if (version != 1 || type > 1 || !tzsp_tags(&inner))
		return NETWORK_NONE;
	if (encapsulated == ENCAPSULATED_ETHERNET)
		return inside_if_fits(c, &inner, p, TUNNEL_TZSP, ETHERTYPE_TEB);
	if (encapsulated != ENCAPSULATED_WIFI || !tunnel_enter(p, TUNNEL_TZSP))
		return NETWORK_NONE;
	*c = inner;
	return link_wifi(c, p, 0);
}

enum network tunnel_udp(struct cursor *c, struct packet *p)
{
	switch (p->dst.port) {
	case PORT_VXLAN:
	case PORT_VXLAN_LINUX:
		return vxlan_parse(c, p);
	case PORT_VXLAN_GPE:
		return vxlan_gpe_parse(c, p);
	case PORT_LISP:
		return lisp_parse(c, p);
	case PORT_MPLS:
		return mpls_udp_parse(c, p);
	case PORT_CAPWAP:
		return capwap_parse(c, p);
	case PORT_GENEVE:
		return geneve_parse(c, p);
	case PORT_GTP:
		return gtp_parse(c, p);
	case PORT_TZSP:
		return tzsp_parse(c, p);
	case PORT_L2TP:
		return l2tp_parse(c, p);
	case PORT_ESP:
		return esp_udp(c, p);
	default:                                        /* who answers keeps its port, the other may have any */
		if (p->src.port == PORT_L2TP)
			return l2tp_parse(c, p);
		if (p->src.port == PORT_CAPWAP)
			return capwap_parse(c, p);
		return p->src.port == PORT_ESP ? esp_udp(c, p) : NETWORK_NONE;
	}
}
