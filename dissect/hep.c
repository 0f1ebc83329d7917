/* SPDX-License-Identifier: MIT */
/* hep: version 3 is chunks of vendor, type, length and value; unknown ones are stepped over. */
#include "dissect/hep.h"

enum {
	CHUNK_HEADER = 6,
	CHUNK_PROTOCOL = 2, CHUNK_SRC4 = 3, CHUNK_DST4 = 4, CHUNK_SRC6 = 5, CHUNK_DST6 = 6, CHUNK_SRC_PORT = 7,
	CHUNK_DST_PORT = 8, CHUNK_TYPE = 11, CHUNK_PAYLOAD = 15, CHUNK_PAYLOAD_COMPRESSED = 16
};

size_t hep_length(struct span bytes)
{
	size_t length;

	if (bytes.n < HEP_HEADER || !span_starts(bytes, SPAN("HEP3")))
		return 0;
	length = (size_t)(bytes.p[4] << 8 | bytes.p[5]);
	return length >= HEP_HEADER ? length : 0;
}

static void address_read(struct cursor value, size_t size, struct address *out)
{
	struct span s = cursor_take(&value, size);

	if (s.n && value.wire == 0)
		*out = size == 4 ? address_v4(s.p) : address_v6(s.p);
}

static void chunk_read(struct hep *h, uint16_t type, struct cursor value)
{
	switch (type) {
	case CHUNK_PROTOCOL:
		h->ip_protocol = cursor_u8(&value);
		break;
	case CHUNK_SRC4:
		address_read(value, 4, &h->src.addr);
		break;
	case CHUNK_DST4:
		address_read(value, 4, &h->dst.addr);
		break;
	case CHUNK_SRC6:
		address_read(value, 16, &h->src.addr);
		break;
	case CHUNK_DST6:
		address_read(value, 16, &h->dst.addr);
		break;
	case CHUNK_SRC_PORT:
		h->src.port = cursor_u16(&value);
		break;
	case CHUNK_DST_PORT:
		h->dst.port = cursor_u16(&value);
		break;
	case CHUNK_TYPE:
		h->type = cursor_u8(&value);
		break;
	case CHUNK_PAYLOAD_COMPRESSED:
		h->compressed = true;
		/* fall through */
	case CHUNK_PAYLOAD:
		h->payload = value.left;
		h->payload_wire = value.wire;
		break;
	default:
		break;
	}
}

bool hep_parse(struct cursor *c, struct hep *out)
{
	struct hep h = { 0 };
	size_t length = hep_length(c->left);

	if (length == 0)
		return false;
	cursor_take(c, HEP_HEADER);
	cursor_limit(c, length - HEP_HEADER);
	while (c->state == CURSOR_OK && c->left.n >= CHUNK_HEADER) {
		uint16_t vendor = cursor_u16(c), type = cursor_u16(c), size = cursor_u16(c);
		struct cursor value = *c;

		if (size < CHUNK_HEADER || size > c->wire + CHUNK_HEADER)
			break;
		cursor_limit(&value, size - (size_t)CHUNK_HEADER);
		if (vendor == 0)
			chunk_read(&h, type, value);
		cursor_take(c, size - (size_t)CHUNK_HEADER);
	}
	if (!h.payload.n || !address_known(&h.src.addr) || h.src.addr.family != h.dst.addr.family)
		return false;
	*out = h;
	return true;
}

static bool family_size(uint8_t family, size_t *ret)
{
	*ret = family == 2 ? 4 : 16;                    /* AF_INET everywhere; AF_INET6 is each system's own */
	return family == 2 || family == 10 || family == 24 || family == 28 || family == 30;
}

bool hep_old_parse(struct cursor c, struct hep *out)
{
	enum { HEADER = 8, TIME = 12, TIME_UNPADDED = 10 };
	uint8_t version = cursor_u8(&c), length = cursor_u8(&c), family = cursor_u8(&c);
	struct hep h = { .type = 1 };
	size_t size, all;

	h.ip_protocol = cursor_u8(&c);
	h.src.port = cursor_u16(&c);
	h.dst.port = cursor_u16(&c);
	if (c.state != CURSOR_OK || (version != 1 && version != 2) || !family_size(family, &size) ||
	    (h.ip_protocol != 6 && h.ip_protocol != 17))
		return false;
	all = HEADER + 2 * size;
	if (length != all && (version == 1 || (length != all + TIME && length != all + TIME_UNPADDED)))
		return false;
	address_read(cursor_over(cursor_take(&c, size), size), size, &h.src.addr);
	address_read(cursor_over(cursor_take(&c, size), size), size, &h.dst.addr);
	if (version == 2)
		cursor_take(&c, TIME);
	if (c.state != CURSOR_OK || !address_known(&h.src.addr) || !address_known(&h.dst.addr))
		return false;
	h.payload = c.left;
	h.payload_wire = c.wire;
	*out = h;
	return true;
}
