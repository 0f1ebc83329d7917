/* SPDX-License-Identifier: MIT */
/* websocket: headers, masks, handshakes, and whole conversations through framing. */
#include "dissect_bytes.h"

#include "dissect/framing.h"
#include "dissect/websocket.h"

#define REQUEST "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\nSec-WebSocket-Protocol: xmpp, SIP\r\n\r\n"

static const struct { const char *name; struct span bytes; bool ok; enum cursor_state state; uint64_t length;
	size_t header; } headers[] = {
	{ "short",            BYTES(0x81, 5), true, CURSOR_OK, 5, 2 },
	{ "masked",           BYTES(0x81, 0x85, 1, 2, 3, 4), true, CURSOR_OK, 5, 6 },
	{ "16 bit",           BYTES(0x82, 126, 1, 0), true, CURSOR_OK, 256, 4 },
	{ "64 bit",           BYTES(0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0), true, CURSOR_OK, 65536, 10 },
	{ "64 bit, negative", BYTES(0x82, 127, 0x80, 0, 0, 0, 0, 1, 0, 0), false, CURSOR_BAD, 0, 0 },
	{ "ping",             BYTES(0x89, 0), true, CURSOR_OK, 0, 2 },
	{ "ping in pieces",   BYTES(0x09, 0), false, CURSOR_BAD, 0, 0 },
	{ "ping of 126",      BYTES(0x89, 126, 0, 126), false, CURSOR_BAD, 0, 0 },
	{ "opcode 3",         BYTES(0x83, 0), false, CURSOR_BAD, 0, 0 },
	{ "reserved bit",     BYTES(0xc1, 0), false, CURSOR_BAD, 0, 0 },
	{ "mask not all here", BYTES(0x81, 0x85, 1, 2), false, CURSOR_CUT, 0, 0 },
	{ "one byte",         BYTES(0x81), false, CURSOR_CUT, 0, 0 },
};

static void test_headers(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(headers); i++) {
		struct cursor c = cursor_over(headers[i].bytes, SIZE_MAX);
		struct websocket_frame f = { 0 };
		bool ok = websocket_parse(&c, &f);

		if (ok != headers[i].ok || c.state != headers[i].state || f.length != headers[i].length)
			fail_msg("%s: %d, state %d, length %llu", headers[i].name, ok, c.state,
				(unsigned long long)f.length);
		if (ok)
			assert_int_equal(headers[i].bytes.n - c.left.n, headers[i].header);
	}
}

/* RFC 6455 5.7: "Hello", masked. */
static void test_unmask(void **state)
{
	uint8_t bytes[] = { 0x7f, 0x9f, 0x4d, 0x51, 0x58 };

	(void)state;
	websocket_unmask(bytes, sizeof bytes, (const uint8_t[]){ 0x37, 0xfa, 0x21, 0x3d });
	assert_memory_equal(bytes, "Hello", 5);
}

static void test_upgrade(void **state)
{
	const struct { struct span http; bool ok; } rows[] = {
		{ SPAN(REQUEST), true },
		{ SPAN("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: sip\r\n\r\n"),
		  true },
		{ SPAN("HTTP/1.1 200 OK\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: sip\r\n\r\n"), false },
		{ SPAN("GET / HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: xmpp\r\n\r\n"), false },
		{ SPAN("GET / HTTP/1.1\r\nSec-WebSocket-Protocol: sip\r\n\r\n"), false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(websocket_upgrade(rows[i].http), rows[i].ok);
}

/* A frame around these bytes, at the end of *out; masked when a mask is given. */
static void frame_add(struct bytes *out, uint8_t b0, struct span payload, const uint8_t *mask)
{
	uint8_t *p = out->p + out->n;

	*p++ = b0;
	*p++ = (uint8_t)((mask ? 0x80 : 0) | 126);
	*p++ = (uint8_t)(payload.n >> 8);
	*p++ = (uint8_t)payload.n;
	if (mask)
		for (unsigned i = 0; i < 4; i++)
			*p++ = mask[i];
	for (size_t i = 0; i < payload.n; i++)
		*p++ = (uint8_t)(payload.p[i] ^ (mask ? mask[i % 4] : 0));
	out->n = (size_t)(p - out->p);
}

/* In steps of so many bytes; counts messages of SIP and keepalives. */
static void run(struct span bytes, size_t step, bool from_start, unsigned *sip, unsigned *keepalives)
{
	struct framed framed;
	struct framing f;

	*sip = *keepalives = 0;
	framing_init(&f, from_start);
	for (size_t at = 0; at < bytes.n; at += step) {
		framing_add(&f, span_first(span_from(bytes, at), step), 0, 1);
		while (framing_next(&f, &framed)) {
			if (framed.kind == FRAMED_KEEPALIVE) {
				++*keepalives;
				continue;
			}
			assert_int_equal(framed.kind, FRAMED_SIP_WEBSOCKET);
			assert_true(span_equal(framed.bytes, options_sip));
			++*sip;
		}
		framing_rest(&f);
	}
	framing_fini(&f);
}

static void test_conversation(void **state)
{
	static const uint8_t mask[4] = { 0x37, 0xfa, 0x21, 0x3d };
	static const size_t steps[] = { 1, 7, 1460, 70000 };
	static struct bytes b;
	unsigned sip, keepalives;

	(void)state;
	bytes_join(&b, SPAN_NONE, SPAN(REQUEST));
	frame_add(&b, 0x81, options_sip, mask);
	frame_add(&b, 0x82, options_sip, NULL);
	frame_add(&b, 0x81, SPAN("\r\n\r\n"), mask);
	frame_add(&b, 0x01, span_first(options_sip, 50), mask); /* in three pieces, a pong between */
	frame_add(&b, 0x00, span_first(span_from(options_sip, 50), 50), mask);
	b.p[b.n++] = 0x8a;
	b.p[b.n++] = 0;
	frame_add(&b, 0x80, span_from(options_sip, 100), mask);
	frame_add(&b, 0x80, options_sip, mask);         /* continues nothing */
	frame_add(&b, 0x81, SPAN("{\"chat\":1}"), mask);
	frame_add(&b, 0x81, options_sip, mask);
	for (size_t i = 0; i < COUNT(steps); i++) {
		run(bytes_span(&b), steps[i], true, &sip, &keepalives);
		assert_int_equal(sip, 4);
		assert_int_equal(keepalives, 2);
	}
}

/* Without its handshake: known by what is in the frame. */
static void test_midstream(void **state)
{
	static const uint8_t mask[4] = { 1, 2, 3, 4 };
	static struct bytes b;
	unsigned sip, keepalives;

	(void)state;
	b.n = 0;
	frame_add(&b, 0x81, options_sip, mask);
	run(bytes_span(&b), b.n, false, &sip, &keepalives);
	assert_int_equal(sip, 1);
	b.n = 0;
	frame_add(&b, 0x81, SPAN("{\"chat\":1}"), mask);
	run(bytes_span(&b), b.n, false, &sip, &keepalives);
	assert_int_equal(sip, 0);
}

/* Lengths nobody waits for: the frame is stepped over, what is behind it is read. */
static void test_huge(void **state)
{
	static struct bytes b;
	struct framed framed;
	struct framing f;
	size_t left = 1 << 20;

	(void)state;
	framing_init(&f, true);
	framing_add(&f, SPAN(REQUEST "\x82\x7f\0\0\0\0\0\x10\0\0"), 0, 1);
	assert_false(framing_next(&f, &framed));
	for (; left; left -= 1 << 15) {
		framing_add(&f, (struct span){ b.p, 1 << 15 }, 0, 2);
		assert_false(framing_next(&f, &framed));
		assert_true(f.room < 1 << 17);
	}
	b.n = 0;
	frame_add(&b, 0x81, options_sip, NULL);
	framing_add(&f, bytes_span(&b), 0, 3);
	assert_true(framing_next(&f, &framed));
	framing_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_unmask),
		cmocka_unit_test(test_upgrade),
		cmocka_unit_test(test_conversation),
		cmocka_unit_test(test_midstream),
		cmocka_unit_test(test_huge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
