/* SPDX-License-Identifier: MIT */
/*
 * cursor: bounded reading of wire bytes. The state is sticky: read a whole header, ask once.
 * CUT: the snap length cut it off (the sender sent it). BAD: the sender did not send it.
 */
#ifndef DEADAIR_BASE_CURSOR_H
#define DEADAIR_BASE_CURSOR_H

#include "captures/base/span.h"

enum cursor_state { CURSOR_OK, CURSOR_CUT, CURSOR_BAD };

struct cursor {
	struct span left;            /* captured and not yet read */
	size_t wire;                 /* what the sender sent from here on, >= left.n */
	enum cursor_state state;     /* after CUT or BAD every read gives 0 */
};

static inline struct cursor cursor_over(struct span bytes, size_t wire)
{
	return (struct cursor){ bytes, wire < bytes.n ? bytes.n : wire, CURSOR_OK };
}

static inline struct span cursor_take(struct cursor *c, size_t n)
{
	struct span s = { c->left.p, n };

	if (c->state == CURSOR_OK && n > c->left.n)
		c->state = n <= c->wire ? CURSOR_CUT : CURSOR_BAD;
	if (c->state != CURSOR_OK)
		return SPAN_NONE;
	c->left.p += n;
	c->left.n -= n;
	c->wire -= n;
	return s;
}

static inline uint8_t cursor_u8(struct cursor *c)
{
	struct span s = cursor_take(c, 1);

	return s.n ? s.p[0] : 0;
}

static inline uint16_t cursor_u16(struct cursor *c)
{
	struct span s = cursor_take(c, 2);

	return s.n ? (uint16_t)(s.p[0] << 8 | s.p[1]) : 0;
}

static inline uint32_t cursor_u24(struct cursor *c)
{
	struct span s = cursor_take(c, 3);

	return s.n ? (uint32_t)s.p[0] << 16 | (uint32_t)s.p[1] << 8 | s.p[2] : 0;
}

static inline uint32_t cursor_u32(struct cursor *c)
{
	struct span s = cursor_take(c, 4);

	return s.n ? (uint32_t)s.p[0] << 24 | (uint32_t)s.p[1] << 16 | (uint32_t)s.p[2] << 8 | s.p[3] : 0;
}

static inline uint64_t cursor_u64(struct cursor *c)
{
	uint64_t high = cursor_u32(c);

	return high << 32 | cursor_u32(c);
}

/* The sender sent only n more bytes from here (a length field): what lies behind is not his. */
static inline void cursor_limit(struct cursor *c, size_t n)
{
	if (c->state != CURSOR_OK)
		return;
	if (n > c->wire)
		return;
	c->wire = n;
	if (c->left.n > n)
		c->left.n = n;
}

#endif
