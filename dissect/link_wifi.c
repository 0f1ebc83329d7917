/* SPDX-License-Identifier: MIT */
/* link_wifi: IEEE 802.11, and the headers that capturing cards put in front of it. */
#include "dissect/link_parts.h"

/*
 * An A-MSDU: frames with addresses and length of their own, each but the last filled up to four bytes. One alone is
 * read: of several a packet would have to be several.
 */
static enum network subframe_parse(struct cursor *c, struct packet *p)
{
	enum { HEADER = 14, WORD = 4 };
	struct span head = cursor_take(c, HEADER);
	size_t length;

	if (!head.n)
		return link_failed(c, p);
	length = (size_t)(head.p[12] << 8 | head.p[13]);
	if (c->wire > length + WORD + HEADER)
		return link_undecoded(p, UNDECODED_NOT_IP);
	memcpy(p->mac_dst, head.p, 6);
	memcpy(p->mac_src, head.p + 6, 6);
	cursor_limit(c, length);
	return link_llc(c, p);
}

/* IEEE 802.11: data frames only. */
enum network link_wifi(struct cursor *c, struct packet *p, unsigned form)
{
	enum { TYPE_DATA = 2, SUBTYPE_NULL = 4, SUBTYPE_QOS = 8 };
	uint16_t control = form & LINK_WIFI_SWAPPED ? cursor_le16(c) : cursor_u16(c);
	uint8_t b0 = (uint8_t)(control >> 8), b1 = (uint8_t)control;
	unsigned subtype = b0 >> 4, size = 24;
	bool to_ds = b1 & 1, from_ds = b1 & 2, encrypted = b1 & 0x40, aggregate = false;
	struct span address[3];

	cursor_u16(c); /* duration */
	for (unsigned i = 0; i < 3 && (b0 >> 2 & 3) == TYPE_DATA; i++)
		address[i] = cursor_take(c, 6);
	if (c->state != CURSOR_OK)
		return link_failed(c, p);
	if ((b0 & 3) != 0 || (b0 >> 2 & 3) != TYPE_DATA || (subtype & SUBTYPE_NULL))
		return link_undecoded(p, UNDECODED_NOT_IP);
	cursor_u16(c); /* fragment and sequence */
	if (to_ds && from_ds) {
		address[0] = address[2]; /* destination; the fourth is the source */
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
		if (b1 & 0x80) { /* +HTC */
			cursor_u32(c);
			size += 4;
		}
	}
	if (form & LINK_WIFI_PADDED)
		cursor_take(c, -size & 3);
	if (c->state != CURSOR_OK)
		return link_failed(c, p);
	memcpy(p->mac_dst, address[0].p, 6);
	memcpy(p->mac_src, address[1].p, 6);
	p->has |= HAS_MAC;
	if (encrypted)
		return link_undecoded(p, UNDECODED_CIPHER);
	return aggregate ? subframe_parse(c, p) : link_llc(c, p);
}

/* radiotap.org: of the fields only the flags matter here, and only time (8 bytes, aligned) may stand before them. */
static bool radiotap_padded(struct cursor header)
{
	uint32_t present = cursor_le32(&header), more = present;
	size_t at = 8;

	while (header.state == CURSOR_OK && more >> 31) {
		more = cursor_le32(&header);
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

enum network link_radiotap(struct cursor *c, struct packet *p)
{
	uint8_t version = cursor_u8(c);
	struct span fields;
	uint16_t length;

	cursor_u8(c);
	length = cursor_le16(c);
	if (c->state != CURSOR_OK)
		return link_failed(c, p);
	if (version != 0 || length < 8)
		return link_undecoded(p, UNDECODED_MALFORMED);
	fields = cursor_take(c, length - 4u);
	if (c->state != CURSOR_OK)
		return link_failed(c, p);
	return link_wifi(c, p, radiotap_padded(cursor_over(fields, fields.n)) ? LINK_WIFI_PADDED : 0);
}

/*
 * LINKTYPE_IEEE802_11_PRISM holds either the Prism or the AVS header (wlan-ng; its own length, both big-endian words).
 */
enum network link_prism(struct cursor *c, struct packet *p)
{
	enum { PRISM_BYTES = 144, AVS_MAGIC = 0x80211 };
	struct cursor peek = *c;
	uint32_t magic = cursor_u32(&peek), length = cursor_u32(&peek);

	cursor_take(c, magic >> 12 == AVS_MAGIC ? length : PRISM_BYTES);
	if (c->state != CURSOR_OK)
		return link_failed(c, p);
	return link_wifi(c, p, 0);
}
