/* SPDX-License-Identifier: MIT */
/* dissect_bytes: frames for the tests of dissect, built from the inside out. */
#ifndef DEADAIR_TESTS_DISSECT_BYTES_H
#define DEADAIR_TESTS_DISSECT_BYTES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dissect/dissect.h"

#define BYTES(...) ((struct span){ (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }) })
#define COUNT(array) (sizeof(array) / sizeof *(array))

#define OPTIONS_TEXT \
	"OPTIONS sip:200@10.0.0.2 SIP/2.0\r\n" \
	"Via: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK1\r\n" \
	"From: <sip:100@10.0.0.1>;tag=a\r\n" \
	"To: <sip:200@10.0.0.2>\r\n" \
	"Call-ID: one@10.0.0.1\r\n" \
	"CSeq: 1 OPTIONS\r\n" \
	"Content-Length: 0\r\n" \
	"\r\n"

static const struct span options_sip = { (const uint8_t *)OPTIONS_TEXT, sizeof OPTIONS_TEXT - 1 };

struct bytes {
	size_t n;
	uint8_t p[70000];
};

static inline struct span bytes_span(const struct bytes *b)
{
	return (struct span){ b->p, b->n };
}

/* Header in front of a payload; returns all of it, which lives in *out (which may hold the payload, too). */
static inline struct span bytes_join(struct bytes *out, struct span header, struct span payload)
{
	assert_true(header.n + payload.n <= sizeof out->p);
	if (payload.n)
		memmove(out->p + header.n, payload.p, payload.n);
	if (header.n)
		memcpy(out->p, header.p, header.n);
	out->n = header.n + payload.n;
	return bytes_span(out);
}

static inline struct span udp_wrap(struct bytes *out, uint16_t src, uint16_t dst, struct span payload)
{
	size_t n = payload.n + 8;
	uint8_t h[8] = { (uint8_t)(src >> 8), (uint8_t)src, (uint8_t)(dst >> 8), (uint8_t)dst, (uint8_t)(n >> 8),
		(uint8_t)n, 0, 0 };

	return bytes_join(out, (struct span){ h, sizeof h }, payload);
}

/* From 10.0.0.`src` to 10.0.0.`dst`. flags_offset as in the header: 0x2000 more fragments, offset in units of 8. */
static inline struct span ip4_wrap(struct bytes *out, uint8_t src, uint8_t dst, uint8_t protocol, uint16_t id,
	uint16_t flags_offset,
				   struct span payload)
{
	size_t n = payload.n + 20;
	uint8_t h[20] = { 0x45, 0, (uint8_t)(n >> 8), (uint8_t)n, (uint8_t)(id >> 8), (uint8_t)id,
		(uint8_t)(flags_offset >> 8),
			  (uint8_t)flags_offset, 64, protocol, 0, 0, 10, 0, 0, src, 10, 0, 0, dst };

	return bytes_join(out, (struct span){ h, sizeof h }, payload);
}

/* From fd00::`src` to fd00::`dst`. */
static inline struct span ip6_wrap(struct bytes *out, uint8_t src, uint8_t dst, uint8_t next, struct span payload)
{
	uint8_t h[40] = { 0x60, 0, 0, 0, (uint8_t)(payload.n >> 8), (uint8_t)payload.n, next, 64, [8] = 0xfd,
		[23] = src, [24] = 0xfd, [39] = dst };

	return bytes_join(out, (struct span){ h, sizeof h }, payload);
}

static inline struct span ethernet_wrap(struct bytes *out, uint16_t type, struct span payload)
{
	uint8_t h[14] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, (uint8_t)(type >> 8), (uint8_t)type };

	return bytes_join(out, (struct span){ h, sizeof h }, payload);
}

/* A raw IP frame through the dissector; its packets, of which the first `room` are kept. */
static inline unsigned dissect_all(struct dissector *d, uint16_t link, uint32_t number, int64_t at_ns,
	struct span bytes, size_t wire,
				   struct packet *packets, unsigned room)
{
	static struct bytes kept;
	struct frame frame = { .at_ns = at_ns, .wire_bytes = (uint32_t)wire, .number = number, .link = link };
	struct packet packet;
	unsigned n = 0;

	frame.bytes = bytes_join(&kept, SPAN_NONE, bytes);
	dissect_frame(d, &frame);
	while (dissect_next(d, &packet)) {
		assert_int_equal(packet.first_of_frame, n == 0);
		if (n < room)
			packets[n] = packet;
		n++;
	}
	assert_true(n > 0);
	return n;
}

#endif
