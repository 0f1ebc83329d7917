/* SPDX-License-Identifier: MIT */
/* exported: tags of type and length, the last one of type 0; LINKTYPE_WIRESHARK_UPPER_PDU. */
#include "dissect/exported.h"

enum {
	TAG_SRC4 = 20, TAG_DST4 = 21, TAG_SRC6 = 22, TAG_DST6 = 23,
	TAG_PORT_KIND = 24, TAG_SRC_PORT = 25, TAG_DST_PORT = 26
};

static void address_tag(struct cursor value, size_t size, struct address *out)
{
	struct span s = cursor_take(&value, size);

	if (s.n && value.wire == 0)
		*out = size == 4 ? address_v4(s.p) : address_v6(s.p);
}

static void tag_read(struct hep *h, uint16_t tag, struct cursor value)
{
	enum { SCTP = 1, TCP = 2, UDP = 3 };
	uint32_t kind;

	switch (tag) {
	case TAG_SRC4:
		address_tag(value, 4, &h->src.addr);
		break;
	case TAG_DST4:
		address_tag(value, 4, &h->dst.addr);
		break;
	case TAG_SRC6:
		address_tag(value, 16, &h->src.addr);
		break;
	case TAG_DST6:
		address_tag(value, 16, &h->dst.addr);
		break;
	case TAG_PORT_KIND:
		kind = cursor_u32(&value);
		h->ip_protocol = kind == UDP ? 17 : kind == TCP ? 6 : kind == SCTP ? 132 : 0;
		break;
	case TAG_SRC_PORT:
		h->src.port = (uint16_t)cursor_u32(&value);
		break;
	case TAG_DST_PORT:
		h->dst.port = (uint16_t)cursor_u32(&value);
		break;
	default:
		break;
	}
}

bool exported_parse(struct cursor *c, struct hep *out)
{
	struct hep h = { 0 };
	uint16_t tag = 1;

	while (tag && c->state == CURSOR_OK) {
		uint16_t length;
		struct span value;

		tag = cursor_u16(c);
		length = cursor_u16(c);
		value = cursor_take(c, length);
		if (c->state == CURSOR_OK)
			tag_read(&h, tag, cursor_over(value, value.n));
	}
	if (c->state != CURSOR_OK || !address_known(&h.src.addr) || h.src.addr.family != h.dst.addr.family)
		return false;
	h.payload = c->left;
	h.payload_wire = c->wire;
	*out = h;
	return true;
}
