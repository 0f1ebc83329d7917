/* SPDX-License-Identifier: MIT */
/* link_front: headers that systems, firewalls, switches and cards put in front of what they capture. */
#include "dissect/exported.h"
#include "dissect/ip.h"
#include "dissect/link_parts.h"

enum {
	LINK_PKTAP = 258,
	LINK_PPI = 192,
	CONTROL_UI = 3,
	NLPID_IP4 = 0xcc,
	NLPID_IP6 = 0x8e,
	NLPID_SNAP = 0x80,
	OUI_BRIDGED = 0x0080c2
};

/* A link type inside; none that has another one inside again. */
static enum network inner(struct cursor *c, uint32_t link, struct packet *p)
{
	if (link == LINK_PKTAP || link == LINK_PKTAP_OLD || link == LINK_PPI || link > UINT16_MAX)
		return link_undecoded(p, UNDECODED_LINK);
	return link_parse(c, (uint16_t)link, p);
}

/* macOS, iOS: length, what follows, its link type, interface, flags, the process. */
static enum network pktap_parse(struct cursor *c, uint16_t link, struct packet *p)
{
	enum { READ = 40, LEAST = 44, MOST = 1024, RECORD_PACKET = 1, FLAG_IN = 1, FLAG_OUT = 2 };
	uint32_t length = cursor_le32(c), record = cursor_le32(c), type = cursor_le32(c), flags;

	cursor_take(c, 24);
	flags = cursor_le32(c);
	if (c->state == CURSOR_OK && (length < LEAST || length > MOST))
		return link_undecoded(p, link == LINK_PKTAP ? UNDECODED_MALFORMED : UNDECODED_LINK);
	cursor_take(c, length - READ);
	if (c->state != CURSOR_OK) {
		link_failed(c, p);
		/* the old number is anybody's */
		return link == LINK_PKTAP ? NETWORK_NONE : link_undecoded(p, UNDECODED_LINK);
	}
	if (record != RECORD_PACKET)
		return link_undecoded(p, UNDECODED_NOT_IP);
	if (flags & (FLAG_IN | FLAG_OUT))
		p->direction = flags & FLAG_OUT ? FRAME_OUT : FRAME_IN;
	return inner(c, type, p);
}

/* Filled up to four bytes. */
static enum network pflog_parse(struct cursor *c, struct packet *p)
{
	enum { DIRECTION_AT = 60, LEAST = 48, OUT = 2, IN = 1 };
	struct cursor header = *c;
	uint8_t length = cursor_u8(&header), way;

	if (header.state == CURSOR_OK && length < LEAST)
		return link_undecoded(p, UNDECODED_MALFORMED);
	cursor_take(&header, DIRECTION_AT - 1);
	way = length > DIRECTION_AT ? cursor_u8(&header) : 0;
	if (way == OUT || way == IN)
		p->direction = way == OUT ? FRAME_OUT : FRAME_IN;
	cursor_take(c, (length + 3u) & ~3u);
	return c->state == CURSOR_OK ? link_ip(c, p) : link_failed(c, p);
}

/* Of ISDN, UMTS and DSL routers: who sent it. pppd puts that in place of the address. */
static enum network ppp_with_direction(struct cursor *c, struct packet *p)
{
	uint8_t sent = cursor_u8(c);

	if (c->state != CURSOR_OK)
		return link_failed(c, p);
	p->direction = sent ? FRAME_OUT : FRAME_IN;
	if (c->left.n && c->left.p[0] == 3)
		cursor_u8(c);
	return link_ppp(c, p);
}

/* A per-packet header of Wi-Fi cards; its length, the link type behind it. */
static enum network ppi_parse(struct cursor *c, struct packet *p)
{
	uint16_t length;
	uint32_t type;

	cursor_u16(c);
	length = cursor_le16(c);
	type = cursor_le32(c);
	if (c->state == CURSOR_OK && length < 8)
		return link_undecoded(p, UNDECODED_MALFORMED);
	cursor_take(c, length - 8u);
	return c->state == CURSOR_OK ? inner(c, type, p) : link_failed(c, p);
}

/* Endace: 16 bytes, perhaps more of eight, two in front of Ethernet. */
static enum network erf_parse(struct cursor *c, struct packet *p)
{
	enum { MORE = 0x80, ETHERNET = 2, COLOUR = 11, DSM = 16, HASH = 20, IP4 = 22, IP6 = 23 };
	uint8_t type, more;

	cursor_u64(c);
	type = more = cursor_u8(c);
	cursor_take(c, 7);
	while (c->state == CURSOR_OK && (more & MORE)) {
		more = cursor_u8(c);
		cursor_take(c, 7);
	}
	switch (type & ~MORE) {
	case ETHERNET:
	case COLOUR:
	case DSM:
	case HASH: cursor_u16(c); return link_ethernet(c, p);
	case IP4:
	case IP6: return link_ip(c, p);
	default: return link_undecoded(p, UNDECODED_NOT_IP);
	}
}

/* Juniper's "monitor traffic" and mirrors: a magic, flags, extensions; without a link layer four bytes and IP. */
static enum network juniper_parse(struct cursor *c, uint16_t link, struct packet *p)
{
	enum { EXTENDED = 0x80, NO_LINK = 0x02, JUNIPER_PPP = 179, JUNIPER_HDLC = 181 };
	struct span magic = cursor_take(c, 3);
	uint8_t flags = cursor_u8(c);

	if (c->state == CURSOR_OK && !span_starts(magic, SPAN("MGC")))
		return link_undecoded(p, UNDECODED_MALFORMED);
	if (flags & EXTENDED)
		cursor_take(c, cursor_u16(c));
	if (flags & NO_LINK)
		cursor_u32(c);
	if (c->state != CURSOR_OK)
		return link_failed(c, p);
	if (flags & NO_LINK)
		return link_ip(c, p);
	if (link == JUNIPER_PPP)
		return link_ppp(c, p);
	return link == JUNIPER_HDLC ? link_hdlc(c, p) : link_ethernet(c, p);
}

/* RFC 2427: an address of two to four bytes; or Cisco's, with an ethertype. */
static enum network frame_relay_parse(struct cursor *c, struct packet *p)
{
	unsigned octets = 0;
	uint8_t octet;
	uint32_t oui;
	uint16_t type;

	do {
		octet = cursor_u8(c);
	} while (!(octet & 1) && ++octets < 4 && c->state == CURSOR_OK);
	if (c->left.n && c->left.p[0] != CONTROL_UI) {
		type = cursor_u16(c);
		return c->state == CURSOR_OK ? link_ethertype(c, type, p) : link_failed(c, p);
	}
	cursor_u8(c);
	octet = cursor_u8(c);
	if (octet == 0)
		octet = cursor_u8(c); /* padding */
	if (octet == NLPID_IP4 || octet == NLPID_IP6)
		return link_ip(c, p);
	if (c->state == CURSOR_OK && octet != NLPID_SNAP)
		return link_undecoded(p, UNDECODED_NOT_IP);
	oui = cursor_u24(c);
	type = cursor_u16(c);
	if (c->state != CURSOR_OK)
		return link_failed(c, p);
	if (oui == OUI_BRIDGED && (type == 1 || type == 7))
		return link_ethernet(c, p);
	return oui == 0 ? link_ethertype(c, type, p) : link_undecoded(p, UNDECODED_NOT_IP);
}

/* RFC 2684, RFC 2364, RFC 2225: routed, bridged or PPP, with a header that says so, or agreed upon elsewhere. */
static enum network atm_parse(struct cursor *c, struct packet *p)
{
	static const struct span bridged = SPAN("\xaa\xaa\x03\x00\x80\xc2\x00"), ppp = SPAN("\xfe\xfe\x03\xcf"),
				 snap = SPAN("\xaa\xaa\x03");
	uint8_t nibble = c->left.n ? c->left.p[0] >> 4 : 0;

	if (span_starts(c->left, bridged)) {
		cursor_take(c, bridged.n);
		cursor_take(c, 3); /* with or without an FCS; padding */
		return link_ethernet(c, p);
	}
	if (span_starts(c->left, snap))
		return link_llc(c, p);
	if ((nibble == 4 || nibble == 6) && ip_plausible(*c))
		return link_ip(c, p);
	if (span_starts(c->left, ppp))
		cursor_take(c, ppp.n);
	return link_ppp(c, p);
}

/* The tag that a router's processor and the switch beside it have between the addresses and the type. */
static enum network marvell_parse(struct cursor *c, bool typed, struct packet *p)
{
	enum { TAGGED = 0x20 };
	uint8_t flags;
	uint16_t tci, type;

	if (typed)
		cursor_u32(c);
	flags = cursor_u8(c);
	cursor_u8(c);
	tci = cursor_u16(c);
	type = cursor_u16(c);
	if (c->state != CURSOR_OK)
		return link_failed(c, p);
	if (flags & TAGGED) /* the VLAN's own tag is gone then */
		link_vlan(p, tci & 0xefff);
	return link_ethertype(c, type, p);
}

static enum network switch_parse(struct cursor *c, uint16_t link, struct packet *p)
{
	enum { BROADCOM = 281, MARVELL_TYPED = 285 };
	struct span macs = cursor_take(c, 12);
	uint16_t type;

	if (!macs.n)
		return link_failed(c, p);
	memcpy(p->mac_dst, macs.p, 6);
	memcpy(p->mac_src, macs.p + 6, 6);
	p->has |= HAS_MAC;
	if (link != BROADCOM)
		return marvell_parse(c, link == MARVELL_TYPED, p);
	cursor_u32(c);
	type = cursor_u16(c);
	return c->state == CURSOR_OK ? link_ethertype(c, type, p) : link_failed(c, p);
}

/* So many bytes, which tell nothing, in front of Ethernet. */
static enum network ethernet_behind(struct cursor *c, size_t bytes, struct packet *p)
{
	cursor_take(c, bytes);
	return link_ethernet(c, p);
}

enum network link_fronted(struct cursor *c, uint16_t link, struct packet *p)
{
	switch (link) {
	case LINK_PKTAP:
	case LINK_PKTAP_OLD: return pktap_parse(c, link, p);
	case LINK_PPI: return ppi_parse(c, p);
	case LINK_EXPORTED:                             /* dissect.c has read it where it has addresses */
		return link_undecoded(p, UNDECODED_NOT_IP);
	case 100:
	case 106: return atm_parse(c, p);
	case 123: /* SunATM: kind, path, channel */ cursor_u32(c); return atm_parse(c, p);
	case 107: return frame_relay_parse(c, p);
	case 109: /* BSD's enc: family, SPI, flags */
		cursor_take(c, 12);
		return c->state == CURSOR_OK ? link_ip(c, p) : link_failed(c, p);
	case 117: return pflog_parse(c, p);
	case 166:
	case 204: return ppp_with_direction(c, p);
	case 178:
	case 179:
	case 181: return juniper_parse(c, link, p);
	case 197: return erf_parse(c, p);
	case 240: /* netANALYZER */
	case 282: /* Broadcom's tag in front */ return ethernet_behind(c, 4, p);
	case 281:
	case 284:
	case 285: return switch_parse(c, link, p);
	default: return link_undecoded(p, UNDECODED_LINK);
	}
}
