/* SPDX-License-Identifier: MIT */
/* link: Ethernet and what stands between it and IP, cooked, raw, PPP, NFLOG and 802.11 frames. */
#include "dissect/link.h"

#include "dissect/ip.h"
#include "dissect/neighbour.h"

enum { VLAN_MAX = 4, MPLS_MAX = 16, LLC_SNAP = 0xaa, LLC_IP = 0x06, LLC_UI = 0x03, LENGTH_MAX = 1500,
	OUI_CISCO = 0x00000c, SNAP_CDP = 0x2000 };

enum network link_failed(const struct cursor *c, struct packet *p)
{
	p->undecoded = c->state == CURSOR_CUT ? UNDECODED_TRUNCATED : UNDECODED_MALFORMED;
	return NETWORK_NONE;
}

static enum network undecoded(struct packet *p, enum undecoded why)
{
	p->undecoded = why;
	return NETWORK_NONE;
}

/* The version stands in the first nibble; a length that ends before it is the sender's fault. */
static enum network ip_here(struct cursor *c, struct packet *p)
{
	struct cursor first = *c;

	cursor_u8(&first);
	return first.state == CURSOR_OK ? NETWORK_IP : link_failed(&first, p);
}

/* IEEE 802.2: SNAP with an ethertype, or IP of its own; of CDP the voice VLAN; the rest (STP, IS-IS) is not for us. */
static enum network llc_parse(struct cursor *c, struct packet *p)
{
	uint8_t dsap = cursor_u8(c), ssap = cursor_u8(c), control = cursor_u8(c);
	uint32_t oui;
	uint16_t type;

	if (c->state != CURSOR_OK)
		return link_failed(c, p);
	if (dsap == LLC_IP && ssap == LLC_IP && control == LLC_UI)
		return ip_here(c, p);
	if (dsap != LLC_SNAP || ssap != LLC_SNAP || control != LLC_UI)
		return undecoded(p, UNDECODED_NOT_IP);
	oui = cursor_u24(c);
	type = cursor_u16(c);
	if (c->state != CURSOR_OK)
		return link_failed(c, p);
	if (oui == OUI_CISCO && type == SNAP_CDP)
		p->voice_vlan = neighbour_cdp(*c);
	if ((oui != 0 && oui != 0x0000f8) || type <= LENGTH_MAX)
		return undecoded(p, UNDECODED_NOT_IP);
	return link_ethertype(c, type, p);
}

/* RFC 3032. Behind the bottom of the stack IP by its nibble, or a pseudowire: control word (RFC 4385) and Ethernet. */
static enum network mpls_parse(struct cursor *c, struct packet *p)
{
	uint32_t entry = 0;

	for (unsigned i = 0; !(entry & 0x100); i++) {
		if (i == MPLS_MAX)
			return undecoded(p, UNDECODED_DEPTH);
		entry = cursor_u32(c);
		if (c->state != CURSOR_OK)
			return link_failed(c, p);
	}
	if (c->left.n && c->left.p[0] >> 4 == 0) {
		if (p->tunnel_depth == TUNNEL_DEPTH_MAX)
			return undecoded(p, UNDECODED_DEPTH);
		p->tunnel_depth++;
		cursor_u32(c);
		return link_ethernet(c, p);
	}
	return ip_here(c, p);
}

/* RFC 2516 4 */
static enum network pppoe_parse(struct cursor *c, struct packet *p)
{
	uint8_t version = cursor_u8(c), code = cursor_u8(c);
	uint16_t length;

	cursor_u16(c);                                  /* session */
	length = cursor_u16(c);
	if (c->state != CURSOR_OK)
		return link_failed(c, p);
	if (version != 0x11 || length > c->wire)
		return undecoded(p, UNDECODED_MALFORMED);
	if (code != 0)
		return undecoded(p, UNDECODED_NOT_IP);
	cursor_limit(c, length);
	return link_ppp(c, p);
}

enum network link_ppp(struct cursor *c, struct packet *p)
{
	uint16_t protocol;

	if (c->left.n >= 2 && c->left.p[0] == 0xff && c->left.p[1] == 0x03)
		cursor_u16(c);                          /* address and control, RFC 1662 3.1 */
	protocol = cursor_u8(c);
	if (!(protocol & 1))                            /* odd: a compressed protocol field, RFC 1661 6.5 */
		protocol = (uint16_t)(protocol << 8 | cursor_u8(c));
	if (c->state != CURSOR_OK)
		return link_failed(c, p);
	switch (protocol) {
	case 0x0021:
	case 0x0057:
		return ip_here(c, p);
	case 0x0281:
	case 0x0283:
		return mpls_parse(c, p);
	case 0x0053:                                    /* RFC 1968 */
		return undecoded(p, UNDECODED_CIPHER);
	default:
		return undecoded(p, UNDECODED_NOT_IP);
	}
}

static void vlan_add(struct packet *p, uint16_t tci)
{
	unsigned i = p->vlan_count < 2 ? p->vlan_count : 1; /* of three and more: the first and the last */

	if (p->vlan_count == 0)
		p->vlan_priority = (uint8_t)(tci >> 13);
	p->vlan[i] = tci & 0x0fff;
	p->vlan_count++;
	p->has |= HAS_VLAN;
}

enum network link_ethertype(struct cursor *c, uint16_t type, struct packet *p)
{
	for (unsigned tags = 0;; tags++) {
		uint16_t tci;

		switch (type) {
		case ETHERTYPE_IP4:
		case ETHERTYPE_IP6:
			return ip_here(c, p);
		case ETHERTYPE_ARP:
			return NETWORK_ARP;
		case 0x8847:
		case 0x8848:
			return mpls_parse(c, p);
		case 0x8864:
			return pppoe_parse(c, p);
		case 0x88cc:
			p->voice_vlan = neighbour_lldp(*c);
			return undecoded(p, UNDECODED_NOT_IP);
		case 0x88e5:
			return undecoded(p, UNDECODED_CIPHER);  /* MACsec */
		case 0x8100:
		case 0x88a8:
		case 0x9100:
		case 0x9200:
			if (tags == VLAN_MAX)
				return undecoded(p, UNDECODED_DEPTH);
			tci = cursor_u16(c);
			type = cursor_u16(c);
			if (c->state != CURSOR_OK)
				return link_failed(c, p);
			vlan_add(p, tci);
			break;
		default:
			if (type > LENGTH_MAX)
				return undecoded(p, UNDECODED_NOT_IP);
			cursor_limit(c, type);          /* IEEE 802.3: a length */
			return llc_parse(c, p);
		}
	}
}

enum network link_ethernet(struct cursor *c, struct packet *p)
{
	struct span head = cursor_take(c, 14);

	p->vlan_count = 0;
	p->has &= ~(uint32_t)(HAS_MAC | HAS_VLAN);
	if (!head.n)
		return link_failed(c, p);
	memcpy(p->mac_dst, head.p, 6);
	memcpy(p->mac_src, head.p + 6, 6);
	p->has |= HAS_MAC;
	return link_ethertype(c, (uint16_t)(head.p[12] << 8 | head.p[13]), p);
}

bool link_ethernet_plausible(struct cursor c)
{
	struct packet scratch;
	enum network network;

	scratch.has = 0;                                /* these two are all that the link layer reads of it */
	scratch.tunnel_depth = 0;
	network = link_ethernet(&c, &scratch);
	return network == NETWORK_ARP || (network == NETWORK_IP && ip_plausible(c));
}

/* Cooked captures: what kind of device wrote the protocol field. */
static enum network cooked_protocol(struct cursor *c, uint16_t device, uint16_t protocol, struct packet *p)
{
	enum { DEVICE_NETLINK = 824, PROTOCOL_802_3 = 1, PROTOCOL_LLC = 4 };

	if (device == DEVICE_NETLINK)
		return undecoded(p, UNDECODED_NOT_IP);
	if (protocol == PROTOCOL_LLC)
		return llc_parse(c, p);
	if (protocol <= LENGTH_MAX)
		return undecoded(p, UNDECODED_NOT_IP);
	return link_ethertype(c, protocol, p);
}

static void cooked_sender(struct packet *p, uint16_t type, uint16_t length, struct span address)
{
	enum { TYPE_OUTGOING = 4 };

	p->direction = type == TYPE_OUTGOING ? FRAME_OUT : FRAME_IN;
	if (length != 6 || address.n < 6)
		return;
	memcpy(p->mac_src, address.p, 6);               /* the receiver's is not in a cooked frame: zeros */
	p->has |= HAS_MAC;
}

/* LINKTYPE_LINUX_SLL */
static enum network sll_parse(struct cursor *c, struct packet *p)
{
	uint16_t type = cursor_u16(c), device = cursor_u16(c), length = cursor_u16(c);
	struct span address = cursor_take(c, 8);
	uint16_t protocol = cursor_u16(c);

	if (c->state != CURSOR_OK)
		return link_failed(c, p);
	cooked_sender(p, type, length, address);
	return cooked_protocol(c, device, protocol, p);
}

/* LINKTYPE_LINUX_SLL2 */
static enum network sll2_parse(struct cursor *c, struct packet *p)
{
	uint16_t protocol = cursor_u16(c), device;
	uint8_t type, length;
	struct span address;

	cursor_u16(c);
	p->ifindex = cursor_u32(c);
	device = cursor_u16(c);
	type = cursor_u8(c);
	length = cursor_u8(c);
	address = cursor_take(c, 8);
	if (c->state != CURSOR_OK)
		return link_failed(c, p);
	cooked_sender(p, type, length, address);
	return cooked_protocol(c, device, protocol, p);
}

/*
 * LINKTYPE_NULL (writer's byte order) and LINKTYPE_LOOP (network order): AF_INET is 2 everywhere, AF_INET6 24, 28, 30
 * or (Linux) 10.
 */
static enum network loopback_parse(struct cursor *c, struct packet *p)
{
	uint32_t family = cursor_u32(c);

	if (c->state != CURSOR_OK)
		return link_failed(c, p);
	if (family > 0xffff)
		family = __builtin_bswap32(family);
	if (family != 2 && family != 10 && family != 24 && family != 28 && family != 30)
		return undecoded(p, UNDECODED_NOT_IP);
	return ip_here(c, p);
}

/* LINKTYPE_PPP_HDLC, LINKTYPE_C_HDLC: RFC 1662 framing, or Cisco's address and an ethertype. */
static enum network hdlc_parse(struct cursor *c, struct packet *p)
{
	uint8_t address = c->left.n ? c->left.p[0] : 0;

	if (address != 0x0f && address != 0x8f)
		return link_ppp(c, p);
	cursor_u16(c);
	return cooked_protocol(c, 0, cursor_u16(c), p);
}

/* IEEE 802.11: data frames only; `padded`: header filled up to four bytes (radiotap flag 0x20). */
enum network link_wifi(struct cursor *c, struct packet *p, bool padded)
{
	enum { TYPE_DATA = 2, SUBTYPE_NULL = 4, SUBTYPE_QOS = 8 };
	uint8_t b0 = cursor_u8(c), b1 = cursor_u8(c);
	unsigned subtype = b0 >> 4, size = 24;
	bool to_ds = b1 & 1, from_ds = b1 & 2, encrypted = b1 & 0x40, aggregate = false;
	struct span address[3];

	cursor_u16(c);                                  /* duration */
	for (unsigned i = 0; i < 3 && (b0 >> 2 & 3) == TYPE_DATA; i++)
		address[i] = cursor_take(c, 6);
	if (c->state != CURSOR_OK)
		return link_failed(c, p);
	if ((b0 & 3) != 0 || (b0 >> 2 & 3) != TYPE_DATA || (subtype & SUBTYPE_NULL))
		return undecoded(p, UNDECODED_NOT_IP);
	cursor_u16(c);                                  /* fragment and sequence */
	if (to_ds && from_ds) {
		address[0] = address[2];                /* destination; the fourth is the source */
		address[1] = cursor_take(c, 6);
		size += 6;
	} else if (to_ds) {
		address[0] = address[2];
	} else if (from_ds) {
		address[1] = address[2];
	}
	if (subtype & SUBTYPE_QOS) {
		aggregate = cursor_u8(c) & 0x80;
		cursor_u8(c);
		size += 2;
		if (b1 & 0x80) {                        /* +HTC */
			cursor_u32(c);
			size += 4;
		}
	}
	if (padded)
		cursor_take(c, -size & 3);
	if (c->state != CURSOR_OK)
		return link_failed(c, p);
	memcpy(p->mac_dst, address[0].p, 6);
	memcpy(p->mac_src, address[1].p, 6);
	p->has |= HAS_MAC;
	if (encrypted)
		return undecoded(p, UNDECODED_CIPHER);
	return aggregate ? undecoded(p, UNDECODED_NOT_IP) : llc_parse(c, p);
}

static uint16_t little_u16(struct cursor *c)
{
	return __builtin_bswap16(cursor_u16(c));
}

static uint32_t little_u32(struct cursor *c)
{
	return __builtin_bswap32(cursor_u32(c));
}

/*
 * LINKTYPE_NFLOG: attributes of the kernel's packet log, in the byte order of the machine that wrote it; their types
 * are small numbers, which tells the order. The packet is one of them.
 */
static enum network nflog_parse(struct cursor *c, struct packet *p)
{
	enum { FAMILY_IP4 = 2, FAMILY_IP6 = 10, NFLOG_PAYLOAD = 9, TYPE_BITS = 0x7fff, SMALL = 256 };
	uint8_t family = cursor_u8(c), version = cursor_u8(c);

	cursor_u16(c);                                  /* resource */
	if (c->state == CURSOR_OK && (version != 0 || (family != FAMILY_IP4 && family != FAMILY_IP6)))
		return undecoded(p, UNDECODED_NOT_IP);
	while (c->state == CURSOR_OK) {
		uint16_t length = little_u16(c), type = little_u16(c) & TYPE_BITS;

		if (type >= SMALL) {
			length = __builtin_bswap16(length);
			type = __builtin_bswap16(type) & TYPE_BITS;
		}
		if (c->state == CURSOR_OK && length < 4)
			return undecoded(p, UNDECODED_MALFORMED);
		if (type == NFLOG_PAYLOAD && c->state == CURSOR_OK) {
			cursor_limit(c, length - 4u);
			return ip_here(c, p);
		}
		cursor_take(c, (length - 1u) & ~3u);
	}
	return link_failed(c, p);
}

/* radiotap.org: of the fields only the flags matter here, and only time (8 bytes, aligned) may stand before them. */
static bool radiotap_padded(struct cursor header)
{
	uint32_t present = little_u32(&header), more = present;
	size_t at = 8;

	while (header.state == CURSOR_OK && more >> 31) {
		more = little_u32(&header);
		at += 4;
	}
	if (!(present & 2))
		return false;
	if (present & 1) {
		cursor_take(&header, -at & 7);
		cursor_u64(&header);
	}
	return cursor_u8(&header) & 0x20;
}

static enum network radiotap_parse(struct cursor *c, struct packet *p)
{
	uint8_t version = cursor_u8(c);
	struct span fields;
	uint16_t length;

	cursor_u8(c);
	length = little_u16(c);
	if (c->state != CURSOR_OK)
		return link_failed(c, p);
	if (version != 0 || length < 8)
		return undecoded(p, UNDECODED_MALFORMED);
	fields = cursor_take(c, length - 4u);
	if (c->state != CURSOR_OK)
		return link_failed(c, p);
	return link_wifi(c, p, radiotap_padded(cursor_over(fields, fields.n)));
}

/*
 * LINKTYPE_IEEE802_11_PRISM holds either the Prism or the AVS header (wlan-ng; its own length, both big-endian words).
 */
static enum network prism_parse(struct cursor *c, struct packet *p)
{
	enum { PRISM_BYTES = 144, AVS_MAGIC = 0x80211 };
	struct cursor peek = *c;
	uint32_t magic = cursor_u32(&peek), length = cursor_u32(&peek);

	cursor_take(c, magic >> 12 == AVS_MAGIC ? length : PRISM_BYTES);
	if (c->state != CURSOR_OK)
		return link_failed(c, p);
	return link_wifi(c, p, false);
}

enum network link_parse(struct cursor *c, uint16_t link, struct packet *p)
{
	switch (link) {
	case 1:
		return link_ethernet(c, p);
	case 113:
		return sll_parse(c, p);
	case 276:
		return sll2_parse(c, p);
	case 12:
	case 14:
	case 101:
	case 228:
	case 229:
		return ip_here(c, p);
	case 0:
	case 108:
		return loopback_parse(c, p);
	case 9:
		return link_ppp(c, p);
	case 50:
	case 104:
		return hdlc_parse(c, p);
	case 105:
		return link_wifi(c, p, false);
	case 119:
	case 163:
		return prism_parse(c, p);
	case 127:
		return radiotap_parse(c, p);
	case 239:
		return nflog_parse(c, p);
	default:
		return undecoded(p, UNDECODED_LINK);
	}
}
