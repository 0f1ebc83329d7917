/* SPDX-License-Identifier: MIT */
/* link: Ethernet and what stands between it and IP, cooked, raw, PPP and NFLOG frames. */
#include "dissect/link.h"

#include "dissect/ip.h"
#include "dissect/link_parts.h"
#include "dissect/neighbour.h"

enum { VLAN_MAX = 4, MPLS_MAX = 16, LLC_SNAP = 0xaa, LLC_IP = 0x06, LLC_UI = 0x03, LENGTH_MAX = 1500,
	OUI_CISCO = 0x00000c, SNAP_CDP = 0x2000 };

enum network link_failed(const struct cursor *c, struct packet *p)
{
	p->undecoded = c->state == CURSOR_CUT ? UNDECODED_TRUNCATED : UNDECODED_MALFORMED;
	return NETWORK_NONE;
}

enum network link_undecoded(struct packet *p, enum undecoded why)
{
	p->undecoded = why;
	return NETWORK_NONE;
}

/* The version stands in the first nibble; a length that ends before it is the sender's fault. */
enum network link_ip(struct cursor *c, struct packet *p)
{
	struct cursor first = *c;

	cursor_u8(&first);
	return first.state == CURSOR_OK ? NETWORK_IP : link_failed(&first, p);
}

/* IEEE 802.2: SNAP with an ethertype, or IP of its own; of CDP the voice VLAN; the rest (STP, IS-IS) is not for us. */
enum network link_llc(struct cursor *c, struct packet *p)
{
	uint8_t dsap = cursor_u8(c), ssap = cursor_u8(c), control = cursor_u8(c);
	uint32_t oui;
	uint16_t type;

	if (c->state != CURSOR_OK)
		return link_failed(c, p);
	if (dsap == LLC_IP && ssap == LLC_IP && control == LLC_UI)
		return link_ip(c, p);
	if (dsap != LLC_SNAP || ssap != LLC_SNAP || control != LLC_UI)
		return link_undecoded(p, UNDECODED_NOT_IP);
	oui = cursor_u24(c);
	type = cursor_u16(c);
	if (c->state != CURSOR_OK)
		return link_failed(c, p);
	if (oui == OUI_CISCO && type == SNAP_CDP)
		p->voice_vlan = neighbour_cdp(*c);
	if ((oui != 0 && oui != 0x0000f8) || type <= LENGTH_MAX)
		return link_undecoded(p, UNDECODED_NOT_IP);
	return link_ethertype(c, type, p);
}

enum network link_nested(struct cursor *c, struct packet *p)
{
	if (p->tunnel_depth == TUNNEL_DEPTH_MAX)
		return link_undecoded(p, UNDECODED_DEPTH);
	p->tunnel_depth++;
	return link_ethernet(c, p);
}

/* Ethernet with IP or ARP in it, at a first look: what stands behind other headers is not looked for. */
static bool ethernet_begins(struct cursor c)
{
	uint16_t type;

	cursor_take(&c, 12);
	type = cursor_u16(&c);
	for (unsigned tags = 0; tags < 2 && (type == 0x8100 || type == 0x88a8); tags++) {
		cursor_u16(&c);
		type = cursor_u16(&c);
	}
	if (c.state != CURSOR_OK)
		return false;
	return type == ETHERTYPE_ARP || ((type == ETHERTYPE_IP4 || type == ETHERTYPE_IP6) && ip_plausible(c));
}

/*
 * Ethernet behind a label stack: behind a control word, whose first nibble is 0 (RFC 4385), or at once, where a MAC
 * address may begin like that or like IP.
 */
static bool pseudowire(struct cursor *c)
{
	uint8_t nibble = c->left.p[0] >> 4;

	if (((nibble == 4 || nibble == 6) && ip_plausible(*c)) || (nibble && !ethernet_begins(*c)))
		return false;
	if (!ethernet_begins(*c))
		cursor_u32(c);
	return true;
}

/* RFC 3032. Behind the bottom of the stack IP by its nibble, or a pseudowire. */
enum network link_mpls(struct cursor *c, struct packet *p)
{
	uint32_t entry = 0;

	for (unsigned i = 0; !(entry & 0x100); i++) {
		if (i == MPLS_MAX)
			return link_undecoded(p, UNDECODED_DEPTH);
		entry = cursor_u32(c);
		if (c->state != CURSOR_OK)
			return link_failed(c, p);
	}
	if (c->left.n && pseudowire(c))
		return link_nested(c, p);
	return link_ip(c, p);
}

/* RFC 2516 4 */
enum network link_pppoe(struct cursor *c, struct packet *p)
{
	uint8_t version = cursor_u8(c), code = cursor_u8(c);
	uint16_t length;

	cursor_u16(c);                                  /* session */
	length = cursor_u16(c);
	if (c->state != CURSOR_OK)
		return link_failed(c, p);
	if (version != 0x11 || length > c->wire)
		return link_undecoded(p, UNDECODED_MALFORMED);
	if (code != 0)
		return link_undecoded(p, UNDECODED_NOT_IP);
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
		return link_ip(c, p);
	case 0x0281:
	case 0x0283:
		return link_mpls(c, p);
	case 0x0053:                                    /* RFC 1968 */
		return link_undecoded(p, UNDECODED_CIPHER);
	default:
		return link_undecoded(p, UNDECODED_NOT_IP);
	}
}

void link_vlan(struct packet *p, uint16_t tci)
{
	unsigned i = p->vlan_count < 2 ? p->vlan_count : 1; /* of three and more: the first and the last */

	if (p->vlan_count == 0)
		p->vlan_priority = (uint8_t)(tci >> 13);
	p->vlan[i] = tci & 0x0fff;
	p->vlan_count++;
	p->has |= HAS_VLAN;
}

/* Steps over a tag; false: it is none. Of too many VLANs p->undecoded tells. */
static bool tag_take(struct cursor *c, uint16_t *type, struct packet *p)
{
	uint16_t tci;

	switch (*type) {
	case 0x8100:
	case 0x88a8:
	case 0x9100:
	case 0x9200:
		if (p->vlan_count == VLAN_MAX) {
			p->undecoded = UNDECODED_DEPTH;
			return false;
		}
		tci = cursor_u16(c);
		*type = cursor_u16(c);
		if (c->state == CURSOR_OK)
			link_vlan(p, tci);
		return true;
	case 0x88e5:
		return link_macsec(c, type);
	case 0x8926:                                    /* VN-tag: a port of a fabric extender */
	case 0xf1c1:                                    /* IEEE 802.1CB, HSR (IEC 62439-3): sent by two ways */
	case 0x892f:
		cursor_take(c, 4);
		break;
	case 0x8909:                                    /* Cisco's security group tag */
		cursor_take(c, 6);
		break;
	default:
		return false;
	}
	*type = cursor_u16(c);
	return true;
}

enum network link_ethertype(struct cursor *c, uint16_t type, struct packet *p)
{
	while (tag_take(c, &type, p)) {
		if (c->state != CURSOR_OK)
			return link_failed(c, p);
	}
	if (p->undecoded == UNDECODED_DEPTH)
		return NETWORK_NONE;
	switch (type) {
	case ETHERTYPE_IP4:
	case ETHERTYPE_IP6:
		return link_ip(c, p);
	case ETHERTYPE_ARP:
		return NETWORK_ARP;
	case 0x8847:
	case 0x8848:
		return link_mpls(c, p);
	case 0x8864:
		return link_pppoe(c, p);
	case 0x88cc:
		p->voice_vlan = neighbour_lldp(*c);
		return link_undecoded(p, UNDECODED_NOT_IP);
	case 0x88e5:
		return link_undecoded(p, UNDECODED_CIPHER);
	case 0x88e7:                                    /* IEEE 802.1ah */
		cursor_take(c, 4);
		return link_nested(c, p);
	case 0x8903:                                    /* FabricPath */
		cursor_take(c, 2);
		return link_nested(c, p);
	case 0x22f3:
		return link_trill(c, p);
	case 0x894f:
		return link_nsh(c, p);
	default:
		if (type > LENGTH_MAX)
			return link_undecoded(p, UNDECODED_NOT_IP);
		cursor_limit(c, type);                  /* IEEE 802.3: a length */
		return link_llc(c, p);
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
	if (link_is_isl(head.p))
		return link_isl(c, p);
	return link_ethertype(c, (uint16_t)(head.p[12] << 8 | head.p[13]), p);
}

bool link_ethernet_plausible(struct cursor c)
{
	struct packet scratch;
	enum network network;

	scratch.has = 0;                                /* these three are all that the link layer reads of it */
	scratch.tunnel_depth = 0;
	scratch.undecoded = UNDECODED_NO;
	network = link_ethernet(&c, &scratch);
	return network == NETWORK_ARP || (network == NETWORK_IP && ip_plausible(c));
}

/* Cooked captures: what kind of device wrote the protocol field. */
static enum network cooked_protocol(struct cursor *c, uint16_t device, uint16_t protocol, struct packet *p)
{
	enum { DEVICE_NETLINK = 824, PROTOCOL_802_3 = 1, PROTOCOL_LLC = 4 };

	if (device == DEVICE_NETLINK)
		return link_undecoded(p, UNDECODED_NOT_IP);
	if (protocol == PROTOCOL_LLC)
		return link_llc(c, p);
	if (protocol <= LENGTH_MAX)
		return link_undecoded(p, UNDECODED_NOT_IP);
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
 * LINKTYPE_NULL (writer's byte order) and LINKTYPE_LOOP (network order): AF_INET is 2 everywhere, AF_INET6 24, 28, 30,
 * on Linux 10, on Windows 23.
 */
static enum network loopback_parse(struct cursor *c, struct packet *p)
{
	uint32_t family = cursor_u32(c);

	if (c->state != CURSOR_OK)
		return link_failed(c, p);
	if (family > 0xffff)
		family = __builtin_bswap32(family);
	if (family != 2 && family != 10 && family != 23 && family != 24 && family != 28 && family != 30)
		return link_undecoded(p, UNDECODED_NOT_IP);
	return link_ip(c, p);
}

/* LINKTYPE_PPP_HDLC, LINKTYPE_C_HDLC: RFC 1662 framing, or Cisco's address and an ethertype. */
enum network link_hdlc(struct cursor *c, struct packet *p)
{
	uint8_t address = c->left.n ? c->left.p[0] : 0;

	if (address != 0x0f && address != 0x8f)
		return link_ppp(c, p);
	cursor_u16(c);
	return cooked_protocol(c, 0, cursor_u16(c), p);
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
		return link_undecoded(p, UNDECODED_NOT_IP);
	while (c->state == CURSOR_OK) {
		uint16_t length = cursor_le16(c), type = cursor_le16(c) & TYPE_BITS;

		if (type >= SMALL) {
			length = __builtin_bswap16(length);
			type = __builtin_bswap16(type) & TYPE_BITS;
		}
		if (c->state == CURSOR_OK && length < 4)
			return link_undecoded(p, UNDECODED_MALFORMED);
		if (type == NFLOG_PAYLOAD && c->state == CURSOR_OK) {
			cursor_limit(c, length - 4u);
			return link_ip(c, p);
		}
		cursor_take(c, (length - 1u) & ~3u);
	}
	return link_failed(c, p);
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
		return link_ip(c, p);
	case 0:
	case 108:
		return loopback_parse(c, p);
	case 9:
		return link_ppp(c, p);
	case 50:
	case 104:
		return link_hdlc(c, p);
	case 51:
		return link_pppoe(c, p);
	case 105:
		return link_wifi(c, p, 0);
	case 119:
	case 163:
		return link_prism(c, p);
	case 127:
		return link_radiotap(c, p);
	case 219:
		return link_mpls(c, p);
	case 239:
		return nflog_parse(c, p);
	default:
		return link_fronted(c, link, p);
	}
}

bool link_known(uint16_t link)
{
	struct cursor none = cursor_over((struct span){ NULL, 0 }, 0);
	struct packet p = { 0 };

	link_parse(&none, link, &p);
	return p.undecoded != UNDECODED_LINK || link == LINK_PKTAP_OLD;
}
