/* SPDX-License-Identifier: MIT */
/* sctp: common header and chunks. */
#include "dissect/sctp.h"

bool sctp_parse(struct cursor *c, struct packet *p)
{
	uint16_t src = cursor_u16(c), dst = cursor_u16(c);

	cursor_u64(c);                                  /* verification tag, checksum */
	if (c->state != CURSOR_OK) {
		p->undecoded = c->state == CURSOR_CUT ? UNDECODED_TRUNCATED : UNDECODED_MALFORMED;
		return false;
	}
	p->transport = TRANSPORT_SCTP;
	p->src.port = src;
	p->dst.port = dst;
	p->has |= HAS_PORTS;
	return true;
}

/* Reads the chunk's value into *value and steps behind its padding. False: the chunks end here. */
static bool chunk_next(struct cursor *c, uint8_t *ret_type, uint8_t *ret_flags, struct cursor *value)
{
	uint8_t type = cursor_u8(c), flags = cursor_u8(c);
	uint16_t length = cursor_u16(c);
	size_t padded = (length + 3u) & ~(size_t)3;

	if (c->state != CURSOR_OK || length < 4 || length - 4u > c->wire)
		return false;
	*value = *c;
	cursor_limit(value, length - 4u);
	if (padded - 4 > c->left.n)                     /* the last one: perhaps cut, perhaps without padding */
		c->left.n = c->wire = 0;
	else
		cursor_take(c, padded - 4);
	*ret_type = type;
	*ret_flags = flags;
	return true;
}

bool sctp_next(struct cursor *c, struct span *ret_data, size_t *ret_wire)
{
	enum { CHUNK_DATA = 0, CHUNK_I_DATA = 64, FLAGS_WHOLE = 3, DATA_HEADER = 12, I_DATA_HEADER = 16 };
	struct cursor value = { 0 };
	uint8_t type = 0, flags = 0;

	while (chunk_next(c, &type, &flags, &value)) {
		if ((type != CHUNK_DATA && type != CHUNK_I_DATA) || (flags & FLAGS_WHOLE) != FLAGS_WHOLE)
			continue;
		cursor_take(&value, type == CHUNK_DATA ? DATA_HEADER : I_DATA_HEADER); /* RFC 8260 2.1 */
		if (value.state != CURSOR_OK || value.left.n == 0)
			continue;
		*ret_data = value.left;
		*ret_wire = value.wire;
		return true;
	}
	return false;
}
