/* SPDX-License-Identifier: MIT */
/* rtp: the fixed header and where the payload is. RFC 3550 5.1, 5.3.1. */
#include "dissect/rtp.h"

enum { FIXED_BYTES = 12, ONE_BYTE_PROFILE = 0xbede, LEVEL_ID = 1, LEVEL_NONE = 1 };

/*
 * Audio level of RFC 6464 in an extension of one-byte elements (RFC 8285 4.2). Its id is negotiated by a=extmap; 1
 * is what nearly all senders choose, and a wrong guess is only a wrong level.
 */
static int8_t level_find(struct span elements)
{
	size_t at = 0;

	while (at < elements.n) {
		uint8_t head = elements.p[at++], id = head >> 4;
		size_t bytes = (head & 0x0fu) + 1u;

		if (head == 0) /* padding between elements */
			continue;
		if (id == 15 || bytes > elements.n - at)
			break;
		if (id == LEVEL_ID && bytes == 1)
			return (int8_t) - (elements.p[at] & 0x7f);
		at += bytes;
	}
	return LEVEL_NONE;
}

static void extension_read(struct cursor *c, struct rtp_header *h)
{
	uint16_t profile = cursor_u16(c);
	struct span elements = cursor_take(c, 4u * cursor_u16(c));

	h->extension_bytes = (uint16_t)(elements.n < UINT16_MAX ? elements.n : UINT16_MAX);
	if (profile == ONE_BYTE_PROFILE)
		h->level_dbov = level_find(elements);
}

/* Bytes of padding; 0 where the packet is cut and they cannot be seen. False: they are more than there is. */
static bool padding_bytes(const struct cursor *c, size_t *ret_bytes)
{
	*ret_bytes = 0;
	if (c->left.n < c->wire)
		return true;
	*ret_bytes = c->left.n ? c->left.p[c->left.n - 1] : 0;
	return *ret_bytes > 0 && *ret_bytes <= c->left.n;
}

bool rtp_parse(struct cursor *c, struct rtp_header *out)
{
	struct span fixed = cursor_take(c, FIXED_BYTES);
	const uint8_t *p = fixed.p;
	struct rtp_header h = { .level_dbov = LEVEL_NONE };
	size_t padding = 0;

	if (fixed.n == 0 || p[0] >> 6 != 2)
		return false;
	h.padding = p[0] & 0x20;
	h.extension = p[0] & 0x10;
	h.csrc_count = p[0] & 0x0f;
	h.marker = p[1] >> 7;
	h.pt = p[1] & 0x7f;
	h.seq = (uint16_t)(p[2] << 8 | p[3]);
	h.rtp_ts = (uint32_t)p[4] << 24 | (uint32_t)p[5] << 16 | (uint32_t)p[6] << 8 | p[7];
	h.ssrc = (uint32_t)p[8] << 24 | (uint32_t)p[9] << 16 | (uint32_t)p[10] << 8 | p[11];
	cursor_take(c, 4u * h.csrc_count);
	if (h.extension)
		extension_read(c, &h);
	if (c->state != CURSOR_OK || (h.padding && !padding_bytes(c, &padding)))
		return false;
	h.payload = span_first(c->left, c->left.n - padding);
	h.payload_wire = c->wire - padding;
	*out = h;
	return true;
}
