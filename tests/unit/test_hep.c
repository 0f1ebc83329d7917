/* SPDX-License-Identifier: MIT */
/* hep: chunks, lengths that lie, and the packet inside. */
#include "dissect_bytes.h"

#include "dissect/hep.h"

#define SRC4 0, 0, 0, 3, 0, 10, 10, 0, 0, 1
#define DST4 0, 0, 0, 4, 0, 10, 10, 0, 0, 2
#define PORTS 0, 0, 0, 7, 0, 8, 0x13, 0xc4, 0, 0, 0, 8, 0, 8, 0x13, 0xc5
#define UDP 0, 0, 0, 2, 0, 7, 17
#define TYPE(t) 0, 0, 0, 11, 0, 7, t
#define PAYLOAD(n) 0, 0, 0, 15, 0, 6 + (n)
#define HEAD(n) 'H', 'E', 'P', '3', 0, 6 + (n)

static const struct { const char *name; struct span bytes; bool ok; size_t payload; } cases[] = {
	{ "plain", BYTES(HEAD(52), UDP, SRC4, DST4, PORTS, PAYLOAD(3), 'a', 'b', 'c'), true, 3 },
	{ "unknown vendor and chunk", BYTES(HEAD(43), 0, 9, 0, 15, 0, 7, 'x', 0, 0, 0, 99, 0, 8, 1, 2, SRC4, DST4,
	  PAYLOAD(2), 'a', 'b'), true, 2 },
	{ "no payload", BYTES(HEAD(20), SRC4, DST4), false, 0 },
	{ "no destination", BYTES(HEAD(17), SRC4, PAYLOAD(1), 'a'), false, 0 },
	{ "address of a byte", BYTES(HEAD(24), 0, 0, 0, 3, 0, 7, 1, DST4, PAYLOAD(1), 'a'), false, 0 },
	{ "chunk length 5", BYTES(HEAD(27), 0, 0, 0, 99, 0, 5, SRC4, DST4, PAYLOAD(1), 'a'), false, 0 },
	{ "chunk past the end", BYTES(HEAD(27), SRC4, DST4, 0, 0, 0, 15, 0, 99, 'a'), false, 0 },
	{ "total length 5", BYTES('H', 'E', 'P', '3', 0, 5, SRC4), false, 0 },
	{ "HEP2", BYTES('H', 'E', 'P', '2', 0, 16, SRC4), false, 0 },
};

static void test_chunks(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct cursor c = cursor_over(cases[i].bytes, cases[i].bytes.n);
		struct hep h = { 0 };

		if (hep_parse(&c, &h) != cases[i].ok || h.payload.n != cases[i].payload)
			fail_msg("%s: payload %zu", cases[i].name, h.payload.n);
	}
}

/* A HEP packet with that type and payload, in UDP from 10.0.0.3 to 10.0.0.4:9060. */
static struct span hep_wrap(struct bytes *b, uint8_t type, struct span payload)
{
	uint8_t h[] = { 'H', 'E', 'P', '3', 0, 0, UDP, SRC4, DST4, PORTS, TYPE(type), 0, 0, 0, 15, 0, 0 };
	size_t n = sizeof h + payload.n;

	h[4] = (uint8_t)(n >> 8);
	h[5] = (uint8_t)n;
	h[sizeof h - 2] = (uint8_t)((payload.n + 6) >> 8);
	h[sizeof h - 1] = (uint8_t)(payload.n + 6);
	return bytes_join(b, (struct span){ h, sizeof h }, payload);
}

/* Versions 1 and 2: a header, addresses, and of the second the time. */
static const struct { const char *name; struct span header; bool sip; enum packet_kind kind; } old[] = {
	{ "HEP1", BYTES(1, 16, 2, 17, 0x13, 0xc4, 0x13, 0xc5, 10, 0, 0, 1, 10, 0, 0, 2), true, PACKET_SIP },
	{ "HEP2", BYTES(2, 28, 2, 17, 0x13, 0xc4, 0x13, 0xc5, 10, 0, 0, 1, 10, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8, 1, 0, 0,
	  0), true, PACKET_SIP },
	{ "HEP2, addresses counted", BYTES(2, 16, 2, 6, 0x13, 0xc4, 0x13, 0xc5, 10, 0, 0, 1, 10, 0, 0, 2, 1, 2, 3, 4, 5,
	  6, 7, 8, 1, 0, 0, 0), true, PACKET_SIP },
	{ "HEP1, length lies", BYTES(1, 17, 2, 17, 0x13, 0xc4, 0x13, 0xc5, 10, 0, 0, 1, 10, 0, 0, 2), true,
	  PACKET_OTHER },
	{ "HEP1, no SIP", BYTES(1, 16, 2, 17, 0x13, 0xc4, 0x13, 0xc5, 10, 0, 0, 1, 10, 0, 0, 2), false, PACKET_OTHER },
	{ "HEP1, another protocol", BYTES(1, 16, 2, 47, 0x13, 0xc4, 0x13, 0xc5, 10, 0, 0, 1, 10, 0, 0, 2), true,
	  PACKET_OTHER },
};

static void test_old(void **state)
{
	static struct bytes b;
	char text[ENDPOINT_TEXT];

	(void)state;
	for (size_t i = 0; i < COUNT(old); i++) {
		struct dissector *d = dissector_new();
		struct packet p;

		bytes_join(&b, old[i].header, old[i].sip ? options_sip : SPAN("call accepted"));
		udp_wrap(&b, 40000, 9060, bytes_span(&b));
		ip4_wrap(&b, 3, 4, 17, 7, 0, bytes_span(&b));
		dissect_all(d, 101, 1, 42, bytes_span(&b), b.n, &p, 1);
		if (p.kind != old[i].kind || (p.tunnel == TUNNEL_HEP) != (p.kind == PACKET_SIP))
			fail_msg("%s: kind %d", old[i].name, p.kind);
		assert_string_equal(endpoint_text(&p.src, text),
			p.kind == PACKET_SIP ? "10.0.0.1:5060" : "10.0.0.3:40000");
		dissector_free(d);
	}
}

/* Wireshark's exported PDUs: tags, and what the packet carried. */
static const struct {
	const char *name;
	struct span tags;
	enum packet_kind kind;
	enum undecoded undecoded;
} exported[] = {
	{ "SIP", BYTES(0, 12, 0, 4, 's', 'i', 'p', 0, 0, 20, 0, 4, 10, 0, 0, 1, 0, 21, 0, 4, 10, 0, 0, 2, 0, 24, 0, 4,
	  0, 0, 0, 2, 0, 25, 0, 4, 0, 0, 0x13, 0xc4, 0, 26, 0, 4, 0, 0, 0x13, 0xc5, 0, 0, 0, 0),
	  PACKET_SIP, UNDECODED_NO },
	{ "no addresses", BYTES(0, 12, 0, 4, 's', 'i', 'p', 0, 0, 0, 0, 0), PACKET_NONE, UNDECODED_NOT_IP },
	{ "tags without end", BYTES(0, 20, 0xff, 0xff, 10, 0, 0, 1), PACKET_NONE, UNDECODED_NOT_IP },
};

static void test_exported(void **state)
{
	static struct bytes b;
	char text[ENDPOINT_TEXT];

	(void)state;
	for (size_t i = 0; i < COUNT(exported); i++) {
		struct dissector *d = dissector_new();
		struct packet p;

		bytes_join(&b, exported[i].tags, options_sip);
		dissect_all(d, 252, 1, 42, bytes_span(&b), b.n, &p, 1);
		if (p.kind != exported[i].kind || p.undecoded != exported[i].undecoded)
			fail_msg("%s: kind %d, undecoded %d", exported[i].name, p.kind, p.undecoded);
		if (p.kind == PACKET_SIP) {
			assert_string_equal(endpoint_text(&p.src, text), "10.0.0.1:5060");
			assert_string_equal(endpoint_text(&p.dst, text), "10.0.0.2:5061");
			assert_int_equal(p.transport, TRANSPORT_TCP);
		}
		dissector_free(d);
	}
}

static const struct { const char *name; uint8_t type; struct span payload; enum packet_kind kind; } inside[] = {
	{ "SIP", 1, SPAN(OPTIONS_TEXT), PACKET_SIP },
	{ "RTCP as JSON", 5, SPAN("{\"sender_information\":{}}"), PACKET_OTHER },
	{ "RTCP", 5, BYTES(0x80, 201, 0, 1, 0, 0, 0, 7), PACKET_RTCP },
	{ "RTP", 4, BYTES(0x80, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 9), PACKET_RTP },
	{ "log", 100, SPAN("call accepted"), PACKET_OTHER },
};

static void test_inside(void **state)
{
	static struct bytes b;
	char text[ENDPOINT_TEXT];

	(void)state;
	for (size_t i = 0; i < COUNT(inside); i++) {
		struct dissector *d = dissector_new();
		struct packet p;

		hep_wrap(&b, inside[i].type, inside[i].payload);
		udp_wrap(&b, 40000, 9060, bytes_span(&b));
		ip4_wrap(&b, 3, 4, 17, 7, 0, bytes_span(&b));
		dissect_all(d, 101, 1, 42, bytes_span(&b), b.n, &p, 1);
		if (p.kind != inside[i].kind)
			fail_msg("%s: kind %d", inside[i].name, p.kind);
		assert_int_equal(p.tunnel, TUNNEL_HEP);
		assert_int_equal(p.at_ns, 42);
		assert_string_equal(endpoint_text(&p.src, text), "10.0.0.1:5060");
		assert_string_equal(endpoint_text(&p.dst, text), "10.0.0.2:5061");
		assert_string_equal(address_text(&p.outer_src, text), "10.0.0.3");
		assert_int_equal(p.ip_protocol, 17);
		assert_false(p.has & HAS_IP_ID);
		dissector_free(d);
	}
}

/* Inside each other: bounded. */
static void test_depth(void **state)
{
	static struct bytes b;
	struct dissector *d = dissector_new();
	struct packet p;

	(void)state;
	bytes_join(&b, SPAN_NONE, options_sip);
	for (unsigned i = 0; i < 50; i++)
		hep_wrap(&b, 1, bytes_span(&b));
	udp_wrap(&b, 40000, 9060, bytes_span(&b));
	ip4_wrap(&b, 3, 4, 17, 7, 0, bytes_span(&b));
	dissect_all(d, 101, 1, 0, bytes_span(&b), b.n, &p, 1);
	assert_int_equal(p.kind, PACKET_OTHER);
	assert_int_equal(p.undecoded, UNDECODED_DEPTH);
	dissector_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chunks),
		cmocka_unit_test(test_inside), cmocka_unit_test(test_old), cmocka_unit_test(test_exported),
		cmocka_unit_test(test_depth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
