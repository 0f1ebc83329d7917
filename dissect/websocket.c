/* SPDX-License-Identifier: MIT */
/* websocket: frame headers, masking and the HTTP handshake. */
#include "dissect/websocket.h"

#include "dissect/sip_message.h"

bool websocket_parse(struct cursor *c, struct websocket_frame *out)
{
	uint8_t b0 = cursor_u8(c), b1 = cursor_u8(c);
	struct websocket_frame f = { .final = b0 >> 7, .masked = b1 >> 7, .opcode = b0 & 0x0f, .length = b1 & 0x7f };
	bool control = f.opcode >= WEBSOCKET_CLOSE;

	if (f.length == 126)
		f.length = cursor_u16(c);
	else if (f.length == 127)
		f.length = cursor_u64(c);
	if (f.masked) {
		struct span mask = cursor_take(c, sizeof f.mask);

		if (mask.n)
			memcpy(f.mask, mask.p, sizeof f.mask);
	}
	if (c->state != CURSOR_OK)
		return false;
	if ((b0 & 0x70) || (f.opcode > WEBSOCKET_BINARY && !control) || f.opcode > WEBSOCKET_PONG ||
	    (control && (f.length > 125 || !f.final)) || f.length >> 63) {
		c->state = CURSOR_BAD;
		return false;
	}
	*out = f;
	return true;
}

void websocket_unmask(uint8_t *bytes, size_t n, const uint8_t mask[4])
{
	for (size_t i = 0; i < n; i++)
		bytes[i] ^= mask[i & 3];
}

/* Does a comma list hold the token? */
static bool list_holds(struct span list, struct span token)
{
	struct span piece;

	while (span_split(&list, ',', &piece))
		if (span_equal_nocase(span_trim(piece), token))
			return true;
	return false;
}

bool websocket_upgrade(struct span http)
{
	struct span line;
	bool websocket = false, sip = false;

	if (!span_split(&http, '\n', &line))
		return false;
	if (!span_starts(line, SPAN("GET ")) && !span_starts(line, SPAN("HTTP/1.1 101")))
		return false;
	while (span_split(&http, '\n', &line)) {
		struct span name, value = line;

		if (!span_split(&value, ':', &name))
			continue;
		name = span_trim(name);
		if (span_equal_nocase(name, SPAN("Upgrade")))
			websocket |= list_holds(value, SPAN("websocket"));
		else if (span_equal_nocase(name, SPAN("Sec-WebSocket-Protocol")))
			sip |= list_holds(value, SPAN("sip"));
	}
	return websocket && sip;
}

bool websocket_looks_like_sip(struct span bytes)
{
	enum { LINE_MAX_BYTES = 1024 };
	struct cursor c = cursor_over(bytes, bytes.n);
	struct websocket_frame frame;
	uint8_t line[LINE_MAX_BYTES];
	size_t n;

	if (!websocket_parse(&c, &frame) || (frame.opcode != WEBSOCKET_TEXT && frame.opcode != WEBSOCKET_BINARY))
		return false;
	n = c.left.n < frame.length ? c.left.n : (size_t)frame.length;
	n = n < sizeof line ? n : sizeof line;
	if (n == 0)
		return false;
	memcpy(line, c.left.p, n);
	if (frame.masked)
		websocket_unmask(line, n, frame.mask);
	return sip_looks_like((struct span){ line, n });
}
