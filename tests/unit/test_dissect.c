/* SPDX-License-Identifier: MIT */
/* dissect: what a datagram is, what a frame gives, and what is said of what could not be read. */
#include "dissect_bytes.h"

#include "captures/base/ns.h"

#define STUN(type, length) 0, type, 0, length, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
#define RTP 0x80, 0, 0, 1, 0, 0, 0, 160, 0, 0, 0, 7

static const struct { const char *name; uint16_t src, dst; struct span payload; enum packet_kind kind;
	enum packet_tunnel tunnel; } cases[] = {
	{ "SIP",                 5060, 5060, SPAN(OPTIONS_TEXT), PACKET_SIP, TUNNEL_NONE },
	{ "SIP on a port of RTP", 16384, 16386, SPAN(OPTIONS_TEXT), PACKET_SIP, TUNNEL_NONE },
	{ "SIP behind CRLF",     5060, 5060, SPAN("\r\n" OPTIONS_TEXT), PACKET_SIP, TUNNEL_NONE },
	{ "SIP behind token",    5060, 5060, SPAN("!x'~.%d sip:a SIP/2.0\r\nCall-ID: 1\r\nCSeq: 1 x\r\n\r\n"),
	  PACKET_SIP, TUNNEL_NONE },
	{ "HTTP",                5060, 5060, SPAN("GET / HTTP/1.1\r\n\r\n"), PACKET_OTHER, TUNNEL_NONE },
	{ "text",                5060, 5060, SPAN("hello"), PACKET_OTHER, TUNNEL_NONE },
	{ "empty",               5060, 5060, { 0 }, PACKET_KEEPALIVE, TUNNEL_NONE },
	{ "NULs",                5060, 5060, BYTES(0, 0, 0, 0), PACKET_KEEPALIVE, TUNNEL_NONE },
	{ "CRLF",                5060, 5060, SPAN("\r\n\r\n"), PACKET_KEEPALIVE, TUNNEL_NONE },
	{ "NULs, then more",     5060, 5060, BYTES(0, 0, 0, 7), PACKET_OTHER, TUNNEL_NONE },
	{ "RTP",                 4000, 4002, BYTES(RTP, 1, 2), PACKET_RTP, TUNNEL_NONE },
	{ "RTP, marker and type 72", 4000, 4002, BYTES(0x80, 0xc8, 0x7f, 1, 0, 0, 0, 160, 0, 0, 0, 7, 1), PACKET_RTP,
	  TUNNEL_NONE },
	{ "RTP too short",       4000, 4002, BYTES(0x80, 0, 0, 1, 0, 0, 0, 160, 0, 0, 0), PACKET_OTHER, TUNNEL_NONE },
	{ "RTP on 443",          4000,  443, BYTES(RTP, 1, 2), PACKET_OTHER, TUNNEL_NONE },
	{ "QUIC, greased bit",   4000, 4433, BYTES(0x80, 0, 0, 0, 1, 8, 1, 2, 3, 4, 5, 6, 7, 8, 2, 1, 2), PACKET_OTHER,
	  TUNNEL_NONE },
	{ "RTCP",                4001, 4003, BYTES(0x80, 201, 0, 1, 0, 0, 0, 7), PACKET_RTCP, TUNNEL_NONE },
	{ "STUN",                4000, 3478, BYTES(STUN(1, 0)), PACKET_STUN, TUNNEL_NONE },
	{ "STUN, length lies",   4000, 3478, BYTES(STUN(1, 4)), PACKET_OTHER, TUNNEL_NONE },
	{ "STUN without cookie", 4000, 3478, BYTES(0, 1, 0, 0, 1, 2, 3, 4, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12),
	  PACKET_OTHER, TUNNEL_NONE },
	{ "DTLS",                4000, 4002, BYTES(22, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 14), PACKET_DTLS,
	  TUNNEL_NONE },
	{ "DTLS, no version",    4000, 4002, BYTES(22, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 14), PACKET_OTHER,
	  TUNNEL_NONE },
	{ "ZRTP",                4000, 4002, BYTES(0x10, 0, 0, 1, 0x5a, 0x52, 0x54, 0x50), PACKET_OTHER, TUNNEL_NONE },
	{ "QUIC",                4000, 4433, BYTES(0xc0, 0, 0, 0, 1), PACKET_OTHER, TUNNEL_NONE },
	{ "ChannelData",         4000, 3478, BYTES(0x40, 0, 0, 14, RTP, 1, 2), PACKET_RTP, TUNNEL_TURN },
	{ "ChannelData, padded", 4000, 3478, BYTES(0x40, 1, 0, 13, RTP, 1, 0, 0, 0), PACKET_RTP, TUNNEL_TURN },
	{ "ChannelData, length lies", 4000, 3478, BYTES(0x40, 0, 0, 99, RTP, 1, 2), PACKET_OTHER, TUNNEL_NONE },
	{ "Data indication",     3478, 4000, BYTES(STUN(0x17, 32), 0, 0x13, 0, 13, RTP, 1, 0, 0, 0, 0, 0x12, 0, 8, 0, 1,
	  0x2b, 0x12, 0x2b, 0x12, 0xa4, 0x4b),
	  PACKET_RTP, TUNNEL_TURN },
	{ "Data indication of what is not ours", 3478, 4000, BYTES(STUN(0x17, 8), 0, 0x13, 0, 4, 1, 2, 3, 4),
	  PACKET_STUN, TUNNEL_NONE },
};

static struct packet one(struct span bytes, size_t wire)
{
	static struct dissector *d;
	struct packet p;

	dissector_free(d);                              /* what the packet points to lives until the next */
	d = dissector_new();
	assert_int_equal(dissect_all(d, 101, 1, 0, bytes, wire, &p, 1), 1);
	return p;
}

static void test_datagrams(void **state)
{
	static struct bytes b;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct packet p;

		udp_wrap(&b, cases[i].src, cases[i].dst, cases[i].payload);
		ip4_wrap(&b, 1, 2, 17, 1, 0, bytes_span(&b));
		p = one(bytes_span(&b), b.n);
		if (p.kind != cases[i].kind || p.tunnel != cases[i].tunnel || p.undecoded != UNDECODED_NO)
			fail_msg("%s: kind %d, tunnel %d, undecoded %d", cases[i].name, p.kind, p.tunnel, p.undecoded);
		if (strstr(cases[i].name, "ChannelData") && p.kind == PACKET_RTP)
			assert_int_equal(p.channel, cases[i].payload.p[0] << 8 | cases[i].payload.p[1]);
		else
			assert_int_equal(p.channel, 0);
		assert_int_equal(p.transport, TRANSPORT_UDP);
		assert_true(p.has & HAS_PORTS);
	}
}

/* Peer 10.0.0.9:2560, as XOR-PEER-ADDRESS of the row above has it: it takes the place of the TURN server. */
static void test_turn_peer(void **state)
{
	static struct bytes b;
	char text[ENDPOINT_TEXT];
	struct packet p;

	(void)state;
	udp_wrap(&b, 3478, 4000, cases[COUNT(cases) - 2].payload);
	ip4_wrap(&b, 3, 1, 17, 1, 0, bytes_span(&b));
	p = one(bytes_span(&b), b.n);
	assert_string_equal(endpoint_text(&p.src, text), "10.0.0.9:2560");
	assert_string_equal(endpoint_text(&p.dst, text), "10.0.0.1:4000");
	assert_string_equal(address_text(&p.outer_src, text), "10.0.0.3");
}

static void test_udp_lengths(void **state)
{
	static const struct { uint16_t length; enum packet_kind kind; enum undecoded undecoded; } rows[] = {
		{ 0, PACKET_SIP, UNDECODED_NO }, { 7, PACKET_OTHER, UNDECODED_MALFORMED },
		  { 8, PACKET_KEEPALIVE, UNDECODED_NO },
		{ 65535, PACKET_OTHER, UNDECODED_MALFORMED },
	};
	static struct bytes b;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct packet p;

		udp_wrap(&b, 5060, 5060, options_sip);
		b.p[4] = (uint8_t)(rows[i].length >> 8);
		b.p[5] = (uint8_t)rows[i].length;
		ip4_wrap(&b, 1, 2, 17, 1, 0, bytes_span(&b));
		p = one(bytes_span(&b), b.n);
		assert_int_equal(p.kind, rows[i].kind);
		assert_int_equal(p.undecoded, rows[i].undecoded);
	}
}

/* Cut by the snap length at every byte: never a fault of the sender's, always counted. */
static void test_cut_everywhere(void **state)
{
	static struct bytes b;

	(void)state;
	udp_wrap(&b, 5060, 5060, options_sip);
	ip4_wrap(&b, 1, 2, 17, 1, 0, bytes_span(&b));
	for (size_t n = 0; n < b.n; n++) {
		struct packet p = one(span_first(bytes_span(&b), n), b.n);

		/* inside the start line it is not known for SIP */
		if (p.undecoded != UNDECODED_TRUNCATED && p.kind != PACKET_OTHER)
			fail_msg("%zu bytes: kind %d, undecoded %d", n, p.kind, p.undecoded);
		if (n > 28 + 40 && p.kind != PACKET_SIP)
			fail_msg("%zu bytes: kind %d", n, p.kind);
		if (n >= 28)
			assert_true(p.has & HAS_TRUNCATED);
		if (p.kind == PACKET_SIP)
			assert_int_equal(p.payload_wire, options_sip.n);
	}
}

static void test_checksum(void **state)
{
	static struct bytes b;
	struct packet p;

	(void)state;
	udp_wrap(&b, 5060, 5060, SPAN("\r\n\r\n"));
	ip4_wrap(&b, 1, 2, 17, 1, 0, bytes_span(&b));
	p = one(bytes_span(&b), b.n);
	assert_false(p.has & HAS_CHECKSUM);             /* 0: not given, RFC 768 */
	b.p[26] = 0x12;
	b.p[27] = 0x34;
	p = one(bytes_span(&b), b.n);
	assert_true(p.has & HAS_CHECKSUM);
	assert_false(p.checksum_ok);
	for (unsigned sum = 1; sum < 0x10000 && !p.checksum_ok; sum++) {
		b.p[26] = (uint8_t)(sum >> 8);
		b.p[27] = (uint8_t)sum;
		p = one(bytes_span(&b), b.n);
	}
	assert_true(p.checksum_ok);                     /* one value is right */
	b.p[15] ^= 1;
	p = one(bytes_span(&b), b.n);
	assert_false(p.checksum_ok);                    /* the addresses are part of it */
}

static struct span tcp_wrap(struct bytes *b, uint8_t flags, uint32_t seq, struct span payload)
{
	uint8_t h[20] = { 0x13, 0xc4, 0x13, 0xc4, (uint8_t)(seq >> 24), (uint8_t)(seq >> 16), (uint8_t)(seq >> 8),
		(uint8_t)seq, 0, 0, 0, 1,
			  0x50, flags, 0xff, 0xff };

	bytes_join(b, (struct span){ h, sizeof h }, payload);
	return ip4_wrap(b, 1, 2, 6, 1, 0, bytes_span(b));
}

static void test_tcp(void **state)
{
	static struct bytes b, two;
	struct dissector *d = dissector_new();
	struct packet p[4];

	(void)state;
	tcp_wrap(&b, TCP_SYN, 99, SPAN_NONE);
	assert_int_equal(dissect_all(d, 101, 1, 0, bytes_span(&b), b.n, p, 4), 1);
	assert_int_equal(p[0].kind, PACKET_TCP);

	bytes_join(&two, options_sip, options_sip);
	tcp_wrap(&b, TCP_ACK, 100, bytes_span(&two));
	assert_int_equal(dissect_all(d, 101, 2, 5, bytes_span(&b), b.n, p, 4), 2);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(p[i].kind, PACKET_SIP);
		assert_int_equal(p[i].transport, TRANSPORT_TCP);
		assert_int_equal(p[i].frame, 2);
		assert_int_equal(p[i].at_ns, 5);
		assert_int_equal(p[i].payload.n, two.n);
	}

	tcp_wrap(&b, TCP_ACK, 100 + (uint32_t)two.n, SPAN("\r\n\r\n"));
	dissect_all(d, 101, 3, 0, bytes_span(&b), b.n, p, 4);
	assert_int_equal(p[0].kind, PACKET_KEEPALIVE);

	tcp_wrap(&b, TCP_FIN | TCP_ACK, 104 + (uint32_t)two.n, SPAN_NONE);
	dissect_all(d, 101, 4, 0, bytes_span(&b), b.n, p, 4);
	assert_int_equal(p[0].kind, PACKET_TCP);
	assert_int_equal(p[0].tcp_flags, TCP_FIN | TCP_ACK);
	dissector_free(d);
}

static void test_tls(void **state)
{
	static struct bytes b;
	struct dissector *d = dissector_new();
	struct packet p[4];

	(void)state;
	tcp_wrap(&b, TCP_SYN, 99, SPAN_NONE);
	dissect_all(d, 101, 1, 0, bytes_span(&b), b.n, p, 4);
	tcp_wrap(&b, TCP_ACK, 100, SPAN("\x15\x03\x03\x00\x02\x02\x28" "\x17\x03\x03\x00\x02" "ab"));
	assert_int_equal(dissect_all(d, 101, 2, 0, bytes_span(&b), b.n, p, 4), 2);
	assert_int_equal(p[0].kind, PACKET_TLS);
	assert_int_equal(p[0].transport, TRANSPORT_TLS);
	assert_int_equal(p[0].tls.alert, 40);
	assert_int_equal(p[1].tls.content, 23);
	dissector_free(d);
}

static void test_sctp(void **state)
{
	static struct bytes b;
	struct dissector *d = dissector_new();
	size_t n = options_sip.n + 16;
	uint8_t h[28] = { 0x13, 0xc4, 0x13, 0xc4, [12] = 0, 3, (uint8_t)(n >> 8), (uint8_t)n };
	struct packet p[4];

	(void)state;
	bytes_join(&b, SPAN_NONE, options_sip);
	while (b.n % 4)
		b.p[b.n++] = 0;
	bytes_join(&b, (struct span){ h + 12, 16 }, bytes_span(&b));
	memcpy(b.p + b.n, b.p, b.n);                    /* the same chunk twice */
	b.n *= 2;
	bytes_join(&b, (struct span){ h, 12 }, bytes_span(&b));
	ip4_wrap(&b, 1, 2, 132, 1, 0, bytes_span(&b));
	assert_int_equal(dissect_all(d, 101, 1, 0, bytes_span(&b), b.n, p, 4), 2);
	assert_int_equal(p[0].kind, PACKET_SIP);
	assert_int_equal(p[1].kind, PACKET_SIP);
	assert_int_equal(p[1].transport, TRANSPORT_SCTP);
	assert_int_equal(p[1].payload.n, options_sip.n);
	dissector_free(d);
}

static void test_fragments(void **state)
{
	static struct bytes whole, b;
	struct dissector *d = dissector_new();
	struct packet p = { 0 };

	(void)state;
	udp_wrap(&whole, 5060, 5061, options_sip);
	ip4_wrap(&b, 1, 2, 17, 9, 0x2000, span_first(bytes_span(&whole), 64));
	dissect_all(d, 101, 1, 0, bytes_span(&b), b.n, &p, 1);
	assert_int_equal(p.kind, PACKET_FRAGMENT);
	assert_int_equal(p.src.port, 5060);             /* only the first has them */
	assert_int_equal(p.dst.port, 5061);
	ip4_wrap(&b, 1, 2, 17, 9, 8, span_from(bytes_span(&whole), 64));
	dissect_all(d, 101, 2, 7, bytes_span(&b), b.n, &p, 1);
	assert_int_equal(p.kind, PACKET_SIP);
	assert_int_equal(p.frame, 2);
	assert_int_equal(p.first_frame, 1);
	assert_int_equal(p.fragments, 2);
	assert_int_equal(p.at_ns, 7);
	assert_true(p.has & HAS_REASSEMBLED);

	ip4_wrap(&b, 1, 2, 17, 10, 8, span_from(bytes_span(&whole), 64));
	dissect_all(d, 101, 3, 7, bytes_span(&b), b.n, &p, 1);
	assert_int_equal(p.kind, PACKET_FRAGMENT);
	assert_false(p.has & HAS_PORTS);
	dissector_free(d);
}

static void test_other(void **state)
{
	static const struct { uint8_t protocol; enum packet_kind kind; enum undecoded undecoded; } rows[] = {
		{ 50, PACKET_OTHER, UNDECODED_CIPHER }, { 2, PACKET_OTHER, UNDECODED_NO },
		  { 89, PACKET_OTHER, UNDECODED_NO },
		{ 58, PACKET_OTHER, UNDECODED_NO },     /* ICMPv6 in IPv4 */
		{ 6, PACKET_OTHER, UNDECODED_MALFORMED }, { 132, PACKET_OTHER, UNDECODED_MALFORMED },
	};
	static struct bytes b;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct packet p;

		ip4_wrap(&b, 1, 2, rows[i].protocol, 1, 0, BYTES(1, 2, 3, 4));
		p = one(bytes_span(&b), b.n);
		assert_int_equal(p.kind, rows[i].kind);
		assert_int_equal(p.undecoded, rows[i].undecoded);
		assert_true(p.has & HAS_IP);
	}
}

static void test_names(void **state)
{
	static const char *const names[UNDECODED_COUNT] = { "no", "truncated", "link-type", "not-ip", "malformed",
		"too-deep", "fragment", "encrypted" };

	(void)state;
	for (unsigned i = 0; i < UNDECODED_COUNT; i++)
		assert_string_equal(undecoded_name((enum undecoded)i), names[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_datagrams),
		cmocka_unit_test(test_turn_peer),
		cmocka_unit_test(test_udp_lengths),
		cmocka_unit_test(test_cut_everywhere),
		cmocka_unit_test(test_checksum),
		cmocka_unit_test(test_tcp),
		cmocka_unit_test(test_tls),
		cmocka_unit_test(test_sctp),
		cmocka_unit_test(test_fragments),
		cmocka_unit_test(test_other),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
