/* SPDX-License-Identifier: MIT */
/* websocket: frames of RFC 6455 as SIP uses them (RFC 7118). */
#ifndef DEADAIR_DISSECT_WEBSOCKET_H
#define DEADAIR_DISSECT_WEBSOCKET_H

#include "captures/base/cursor.h"

enum websocket_opcode {
	WEBSOCKET_CONTINUATION = 0, WEBSOCKET_TEXT = 1, WEBSOCKET_BINARY = 2, WEBSOCKET_CLOSE = 8, WEBSOCKET_PING = 9,
	WEBSOCKET_PONG = 10
};

struct websocket_frame {
	bool final, masked;
	uint8_t opcode;              /* enum websocket_opcode; others are refused */
	uint8_t mask[4];
	uint64_t length;             /* of the payload, which follows the header */
};

/*
 * The frame header at the cursor, which moves behind it. False: none. In a stream, whose cursor has no end (wire
 * SIZE_MAX), c->state tells "more is needed" (CUT) from "no frame" (BAD).
 */
bool websocket_parse(struct cursor *c, struct websocket_frame *out);

/* In place; the mask begins at the first of these bytes. */
void websocket_unmask(uint8_t *bytes, size_t n, const uint8_t mask[4]);

/* A HTTP header block that asks for, or grants (101), a WebSocket that carries SIP. */
bool websocket_upgrade(struct span http);

/* Do these bytes begin a frame with SIP inside, seen without its handshake? Looks at the first line only. */
bool websocket_looks_like_sip(struct span bytes);

#endif
