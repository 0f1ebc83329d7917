/* SPDX-License-Identifier: MIT */
/* tunnel: a SIP message in each of them, what only looks like one, and too many inside each other. */
#include "dissect_bytes.h"

#include "dissect/tunnel.h"

#define MACS 2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 8
#define WIFI(b0, b1) b0, b1, 0, 0, 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 3, 0, 0, \
	0xaa, 0xaa, 3, 0, 0, 0, 8, 0

/* From 10.0.0.1:5060 to 10.0.0.2:5060. */
static struct span inner(struct bytes *b)
{
	udp_wrap(b, 5060, 5060, options_sip);
	return ip4_wrap(b, 1, 2, 17, 1, 0, bytes_span(b));
}

static const struct {
	const char *name;
	uint8_t protocol;            /* of the outer packet */
	uint16_t port;               /* UDP: destination */
	struct span header;
	enum packet_tunnel tunnel;   /* TUNNEL_NONE: stays what it is outside */
} cases[] = {
	{ "IP in IP",            4,     0, { 0 }, TUNNEL_IPIP },
	{ "GRE",                47,     0, BYTES(0, 0, 8, 0), TUNNEL_GRE },
	{ "GRE, all fields",    47,     0, BYTES(0xb0, 0, 8, 0, 1, 2, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8), TUNNEL_GRE },
	{ "GRE, routing",       47,     0, BYTES(0x40, 0, 8, 0, 0, 0, 0, 0, 8, 0, 0, 4, 1, 2, 3, 4, 0, 0, 0, 0),
	  TUNNEL_GRE },
	{ "GRE, ethernet",      47,     0, BYTES(0, 0, 0x65, 0x58, MACS, 8, 0), TUNNEL_GRE },
	{ "GRE, PPTP",          47,     0, BYTES(0x30, 0x81, 0x88, 0x0b, 2, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0, 1, 0xff, 3, 0,
	  0x21), TUNNEL_GRE },
	{ "ERSPAN I",           47,     0, BYTES(0, 0, 0x88, 0xbe, MACS, 8, 0), TUNNEL_ERSPAN },
	{ "ERSPAN II",          47,     0, BYTES(0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 0, 0, 1, 0, 0, 0, 0, MACS, 0x81,
	  0, 0, 5, 8, 0), TUNNEL_ERSPAN },
	{ "ERSPAN III",         47,     0, BYTES(0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0,
	  MACS, 8, 0), TUNNEL_ERSPAN },
	{ "ERSPAN III, subheader", 47,  0, BYTES(0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1,
	  0, 0, 0, 0, 0, 0, 0, 0, MACS, 8, 0), TUNNEL_ERSPAN },
	{ "MPLS in IP",        137,     0, BYTES(0, 0, 0x11, 64), TUNNEL_IPIP },
	{ "EtherIP",            97,     0, BYTES(0x30, 0, MACS, 8, 0), TUNNEL_IPIP },
	{ "VXLAN",              17,  4789, BYTES(8, 0, 0, 0, 0, 0, 1, 0, MACS, 8, 0), TUNNEL_VXLAN },
	{ "VXLAN, Linux' port", 17,  8472, BYTES(8, 0, 0, 0, 0, 0, 1, 0, MACS, 8, 0), TUNNEL_VXLAN },
	{ "VXLAN, reserved bits", 17, 4789, BYTES(0xff, 1, 2, 3, 0, 0, 1, 9, MACS, 8, 0), TUNNEL_VXLAN },
	{ "VXLAN without its flag", 17, 4789, BYTES(0, 0, 0, 0, 0, 0, 1, 0, MACS, 8, 0), TUNNEL_NONE },
	{ "VXLAN, no ethernet inside", 17, 4789, BYTES(8, 0, 0, 0, 0, 0, 1, 0), TUNNEL_NONE },
	{ "VXLAN on another port", 17, 4790, BYTES(8, 0, 0, 0, 0, 0, 1, 0, MACS, 8, 0), TUNNEL_NONE },
	{ "GENEVE, IP",         17,  6081, BYTES(0, 0, 8, 0, 0, 0, 1, 0), TUNNEL_GENEVE },
	{ "GENEVE, options",    17,  6081, BYTES(1, 0, 0x65, 0x58, 0, 0, 1, 0, 1, 2, 3, 4, MACS, 8, 0), TUNNEL_GENEVE },
	{ "GENEVE, options lie", 17, 6081, BYTES(0x3f, 0, 0x65, 0x58, 0, 0, 1, 0, 1, 2, 3, 4, MACS, 8, 0),
	  TUNNEL_NONE },
	{ "L2TP",               17,  1701, BYTES(0, 2, 0, 7, 0, 9, 0xff, 3, 0, 0x21), TUNNEL_L2TP },
	{ "L2TP, protocol compressed", 17, 1701, BYTES(0, 2, 0, 7, 0, 9, 0x21), TUNNEL_L2TP },
	{ "L2TP, all fields",   17,  1701, BYTES(0x0b, 2, 0, 7, 0, 9, 0, 1, 0, 2, 0, 3, 1, 2, 3, 0, 0x21),
	  TUNNEL_L2TP },
	{ "L2TP, length lies",  17,  1701, BYTES(0x40, 2, 0x7f, 0, 0, 7, 0, 9, 0xff, 3, 0, 0x21), TUNNEL_NONE },
	{ "L2TP, length too short", 17, 1701, BYTES(0x40, 2, 0, 3, 0, 7, 0, 9, 0xff, 3, 0, 0x21), TUNNEL_NONE },
	{ "L2TP, offset lies",  17,  1701, BYTES(0x02, 2, 0, 7, 0, 9, 0xff, 0xff, 0, 0x21), TUNNEL_NONE },
	{ "L2TP, control",      17,  1701, BYTES(0xc8, 2, 0, 12, 0, 7, 0, 0, 0, 1, 0, 1), TUNNEL_NONE },
	{ "L2TP, LCP inside",   17,  1701, BYTES(0, 2, 0, 7, 0, 9, 0xff, 3, 0xc0, 0x21), TUNNEL_NONE },
	{ "L2TP, another version", 17, 1701, BYTES(0, 1, 0, 7, 0, 9, 0xff, 3, 0, 0x21), TUNNEL_NONE },
	{ "L2TP, reserved bits", 17, 1701, BYTES(0x20, 2, 0, 7, 0, 9, 0xff, 3, 0, 0x21), TUNNEL_NONE },
	{ "L2TP, nothing in it", 17, 1701, BYTES(0, 2, 0), TUNNEL_NONE },
	{ "L2TP on another port", 17, 1702, BYTES(0, 2, 0, 7, 0, 9, 0xff, 3, 0, 0x21), TUNNEL_NONE },
	{ "L2TPv3 over IP",    115,     0, BYTES(0, 0, 0, 7, MACS, 8, 0), TUNNEL_L2TP },
	{ "L2TPv3, cookie of 4", 115,   0, BYTES(0, 0, 0, 7, 1, 2, 3, 4, MACS, 8, 0), TUNNEL_L2TP },
	{ "L2TPv3, cookie of 8, sublayer", 115, 0, BYTES(0, 0, 0, 7, 1, 2, 3, 4, 5, 6, 7, 8, 0x40, 0, 0, 1, MACS, 8, 0),
	  TUNNEL_L2TP },
	{ "L2TPv3, cookie too long", 115, 0, BYTES(0, 0, 0, 7, 1, 2, 3, 4, 5, 6, 7, 8, 0x40, 0, 0, 1, 0, 0, 0, 1, MACS,
	  8, 0), TUNNEL_NONE },
	{ "L2TPv3, PPP",       115,     0, BYTES(0, 0, 0, 7, 0xff, 3, 0, 0x21), TUNNEL_L2TP },
	{ "L2TPv3, control",   115,     0, BYTES(0, 0, 0, 0, MACS, 8, 0), TUNNEL_NONE },
	{ "L2TPv3 over UDP",    17,  1701, BYTES(0, 3, 0, 0, 0, 0, 0, 7, MACS, 8, 0), TUNNEL_L2TP },
	{ "L2TPv3 over UDP, flags", 17, 1701, BYTES(0x40, 3, 0, 0, 0, 0, 0, 7, MACS, 8, 0), TUNNEL_NONE },
	{ "VXLAN-GPE, ethernet", 17, 4790, BYTES(0x0c, 0, 0, 3, 0, 0, 1, 0, MACS, 8, 0), TUNNEL_VXLAN },
	{ "VXLAN-GPE, IP",      17,  4790, BYTES(0x0c, 0, 0, 1, 0, 0, 1, 0), TUNNEL_VXLAN },
	{ "VXLAN-GPE, unknown inside", 17, 4790, BYTES(0x0c, 0, 0, 9, 0, 0, 1, 0), TUNNEL_NONE },
	{ "LISP",               17,  4341, BYTES(0x80, 1, 2, 3, 0, 0, 0, 1), TUNNEL_LISP },
	{ "LISP, ethernet inside", 17, 4341, BYTES(0x80, 1, 2, 3, 0, 0, 0, 1, MACS, 8, 0), TUNNEL_NONE },
	{ "MPLS in UDP",        17,  6635, BYTES(0, 0, 0x11, 64), TUNNEL_IPIP },
	{ "MPLS in UDP, no end", 17, 6635, BYTES(0, 0, 0, 64), TUNNEL_NONE },
	{ "CAPWAP, 802.3",      17,  5247, BYTES(0, 0x10, 0x42, 0, 0, 1, 0, 0, MACS, 8, 0), TUNNEL_CAPWAP },
	{ "CAPWAP, 802.11",     17,  5247, BYTES(0, 0x10, 0x43, 0, 0, 1, 0, 0, WIFI(8, 1)), TUNNEL_CAPWAP },
	{ "CAPWAP, bytes changed", 17, 5247, BYTES(0, 0x10, 0x43, 0, 0, 1, 0, 0, WIFI(1, 8)), TUNNEL_CAPWAP },
	{ "CAPWAP, radio's address", 17, 5247, BYTES(0, 0x20, 0x43, 0x10, 0, 1, 0, 0, 6, 2, 0, 0, 0, 0, 1, 0, WIFI(8,
	  1)), TUNNEL_CAPWAP },
	{ "CAPWAP, DTLS",       17,  5247, BYTES(1, 0, 0, 0, MACS, 8, 0), TUNNEL_NONE },
	{ "CAPWAP, a fragment", 17,  5247, BYTES(0, 0x10, 0x42, 0x80, 0, 1, 0, 0, MACS, 8, 0), TUNNEL_NONE },
	{ "CAPWAP, keepalive",  17,  5247, BYTES(0, 0x10, 0x42, 8, 0, 1, 0, 0, MACS, 8, 0), TUNNEL_NONE },
	{ "TZSP",               17, 37008, BYTES(1, 0, 0, 1, 0, 10, 1, 200, 1, MACS, 8, 0), TUNNEL_TZSP },
	{ "TZSP, tags without end", 17, 37008, BYTES(1, 0, 0, 1, 0, 0, 0, 0), TUNNEL_NONE },
};

static unsigned run(struct span packet, struct packet *ret)
{
	struct dissector *d = dissector_new();
	unsigned n = dissect_all(d, 101, 1, 0, packet, packet.n, ret, 1);

	dissector_free(d);
	return n;
}

static void check(const char *name, const struct packet *p, enum packet_tunnel tunnel)
{
	char text[ENDPOINT_TEXT];

	if (p->tunnel != tunnel || (p->kind == PACKET_SIP) != (tunnel != TUNNEL_NONE))
		fail_msg("%s: tunnel %d, kind %d, undecoded %d", name, p->tunnel, p->kind, p->undecoded);
	if (tunnel == TUNNEL_NONE)
		return;
	assert_int_equal(p->tunnel_depth, 1);
	assert_true(p->has & HAS_OUTER);
	assert_string_equal(endpoint_text(&p->src, text), "10.0.0.1:5060");
	assert_string_equal(address_text(&p->outer_src, text), "10.0.0.3");
	assert_string_equal(address_text(&p->outer_dst, text), "10.0.0.4");
}

static void test_table(void **state)
{
	static struct bytes b;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct packet p;

		inner(&b);
		bytes_join(&b, cases[i].header, bytes_span(&b));
		if (cases[i].port)
			udp_wrap(&b, 40000, cases[i].port, bytes_span(&b));
		ip4_wrap(&b, 3, 4, cases[i].protocol, 2, 0, bytes_span(&b));
		assert_int_equal(run(bytes_span(&b), &p), 1);
		check(cases[i].name, &p, cases[i].tunnel);
	}
}

/* GTP-U says how long it is. `optional`: with sequence number and an extension header. */
static void gtp_wrap(struct bytes *b, bool optional, size_t lie)
{
	size_t n = b->n + (optional ? 8 : 0) + lie;
	uint8_t h[16] = { optional ? 0x36 : 0x30, 0xff, (uint8_t)(n >> 8), (uint8_t)n, 0, 0, 0, 1, 0, 9, 0, 0x85, 1, 1,
		2, 0 };

	bytes_join(b, (struct span){ h, optional ? 16 : 8 }, bytes_span(b));
}

static void test_gtp(void **state)
{
	static const struct { const char *name; bool optional; size_t lie; enum packet_tunnel tunnel; } rows[] = {
		{ "GTP", false, 0, TUNNEL_GTP }, { "GTP, extension", true, 0, TUNNEL_GTP },
		  { "GTP, length lies", false, 1, TUNNEL_NONE },
	};
	static struct bytes b;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct packet p;

		inner(&b);
		gtp_wrap(&b, rows[i].optional, rows[i].lie);
		udp_wrap(&b, 2152, 2152, bytes_span(&b));
		ip4_wrap(&b, 3, 4, 17, 2, 0, bytes_span(&b));
		run(bytes_span(&b), &p);
		check(rows[i].name, &p, rows[i].tunnel);
	}
}

/* L2TP says how long it is, if it wants to; what answers may go to any port. Behind its length is padding. */
static void test_l2tp(void **state)
{
	static const struct { const char *name; uint16_t from, to; int lie; enum packet_tunnel tunnel; } rows[] = {
		{ "L2TP, length", 1701, 1701, 0, TUNNEL_L2TP }, { "L2TP, answer", 1701, 40000, 0, TUNNEL_L2TP },
		{ "L2TP, padded", 40000, 1701, -4, TUNNEL_L2TP }, { "L2TP, longer", 1701, 1701, 1, TUNNEL_NONE },
		{ "L2TP, elsewhere", 40000, 40001, 0, TUNNEL_NONE },
	};
	static struct bytes b;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint8_t h[12] = { 0x40, 2, 0, 0, 0, 7, 0, 9, 0xff, 3, 0, 0x21 };
		struct packet p;
		size_t n;

		inner(&b);
		n = b.n + sizeof h + (size_t)(rows[i].lie > 0 ? rows[i].lie : 0);
		h[2] = (uint8_t)(n >> 8);
		h[3] = (uint8_t)n;
		bytes_join(&b, (struct span){ h, sizeof h }, bytes_span(&b));
		if (rows[i].lie < 0)
			bytes_join(&b, bytes_span(&b), BYTES(0, 0, 0, 0));
		udp_wrap(&b, rows[i].from, rows[i].to, bytes_span(&b));
		ip4_wrap(&b, 3, 4, 17, 2, 0, bytes_span(&b));
		run(bytes_span(&b), &p);
		check(rows[i].name, &p, rows[i].tunnel);
	}
}

/* Behind what is encrypted by nothing: padding of 1, 2, ..., its length, what is inside, so many bytes of proof. */
static void esp_wrap(struct bytes *b, uint8_t next, unsigned proof, bool padded)
{
	static const uint8_t head[8] = { 0, 0, 0x10, 1, 0, 0, 0, 7 };
	uint8_t tail[64] = { 0 };
	unsigned n = 0;

	for (; padded && (b->n + n + 2) % 4; n++)
		tail[n] = (uint8_t)(n + 1);
	tail[n] = (uint8_t)n;
	tail[n + 1] = next;
	memset(tail + n + 2, 0xa5, proof);
	bytes_join(b, (struct span){ head, sizeof head }, bytes_span(b));
	bytes_join(b, bytes_span(b), (struct span){ tail, n + 2 + proof });
}

/* RFC 2410, as phones use it with IMS; also behind UDP 4500 (RFC 3948), where four zeros are the key exchange. */
static void test_esp(void **state)
{
	static const struct {
		const char *name;
		uint8_t next;
		unsigned proof;
		bool padded, udp;
		enum packet_tunnel tunnel;
	} rows[] = {
		{ "tunnel", 4, 12, true, false, TUNNEL_ESP }, { "tunnel, SHA-256", 4, 16, true, false, TUNNEL_ESP },
		{ "tunnel, UDP", 4, 12, true, true, TUNNEL_ESP },
		{ "tunnel, no padding", 4, 12, false, false, TUNNEL_ESP },
		{ "another protocol inside", 6, 12, true, false, TUNNEL_NONE },
		{ "proof of another length", 4, 11, true, false, TUNNEL_NONE },
	};
	static struct bytes b;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct packet p;

		inner(&b);
		esp_wrap(&b, rows[i].next, rows[i].proof, rows[i].padded);
		if (rows[i].udp)
			udp_wrap(&b, 4500, 4500, bytes_span(&b));
		ip4_wrap(&b, 3, 4, rows[i].udp ? 17 : 50, 2, 0, bytes_span(&b));
		run(bytes_span(&b), &p);
		check(rows[i].name, &p, rows[i].tunnel);
		if (rows[i].tunnel == TUNNEL_NONE)
			assert_int_equal(p.undecoded, UNDECODED_CIPHER);
	}
}

/* Transport mode: the addresses are those of the packet itself. */
static void test_esp_transport(void **state)
{
	static struct bytes b;
	struct packet p;

	(void)state;
	for (unsigned odd = 0; odd < 2; odd++) {
		udp_wrap(&b, 5060, 5060, options_sip);
		esp_wrap(&b, 17, 12, true);
		if (odd)
			bytes_join(&b, bytes_span(&b), BYTES(0));
		run(ip4_wrap(&b, 1, 2, 50, 1, 0, bytes_span(&b)), &p);
		assert_int_equal(p.kind, odd ? PACKET_OTHER : PACKET_SIP);
		assert_int_equal(p.undecoded, odd ? UNDECODED_CIPHER : UNDECODED_NO);
		assert_int_equal(p.tunnel, TUNNEL_NONE);
	}
}

/* Encrypted behind UDP it is no other protocol; the key exchange is. */
static void test_esp_encrypted(void **state)
{
	static struct bytes b;
	struct packet p;

	(void)state;
	udp_wrap(&b, 4500, 4500, BYTES(0x10, 1, 2, 3, 0, 0, 0, 1, 0x8a, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11));
	run(ip4_wrap(&b, 1, 2, 17, 1, 0, bytes_span(&b)), &p);
	assert_int_equal(p.undecoded, UNDECODED_CIPHER);
	udp_wrap(&b, 4500, 4500, BYTES(0, 0, 0, 0, 0, 0, 0, 1, 0x8a, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11));
	run(ip4_wrap(&b, 1, 2, 17, 1, 0, bytes_span(&b)), &p);
	assert_int_equal(p.undecoded, UNDECODED_NO);
	udp_wrap(&b, 4500, 40000, BYTES(0xff));
	run(ip4_wrap(&b, 1, 2, 17, 1, 0, bytes_span(&b)), &p);
	assert_int_equal(p.undecoded, UNDECODED_NO);
}

/* Ports prove nothing: SIP and RTP on them stay what they are. */
static void test_ports_taken(void **state)
{
	static const uint16_t ports[] = { 1701, 2152, 4341, 4500, 4789, 4790, 5247, 6081, 6635, 8472, 37008 };
	static const uint8_t rtp[20] = { 0x80, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1 };
	static struct bytes b;
	struct packet p;

	(void)state;
	for (size_t i = 0; i < COUNT(ports); i++) {
		udp_wrap(&b, ports[i], ports[i], options_sip);
		run(ip4_wrap(&b, 1, 2, 17, 1, 0, bytes_span(&b)), &p);
		assert_int_equal(p.kind, PACKET_SIP);
		udp_wrap(&b, ports[i], ports[i], (struct span){ rtp, sizeof rtp });
		run(ip4_wrap(&b, 1, 2, 17, 1, 0, bytes_span(&b)), &p);
		assert_int_equal(p.kind, PACKET_RTP);
		assert_int_equal(p.tunnel, TUNNEL_NONE);
	}
}

static void test_families(void **state)
{
	static struct bytes b;
	char text[ADDRESS_TEXT];
	struct packet p;

	(void)state;
	udp_wrap(&b, 5060, 5060, options_sip);
	ip6_wrap(&b, 1, 2, 17, bytes_span(&b));
	run(ip4_wrap(&b, 3, 4, 41, 1, 0, bytes_span(&b)), &p);
	assert_int_equal(p.kind, PACKET_SIP);
	assert_string_equal(address_text(&p.src.addr, text), "fd00::1");
	assert_string_equal(address_text(&p.outer_src, text), "10.0.0.3");

	inner(&b);
	run(ip6_wrap(&b, 3, 4, 4, bytes_span(&b)), &p);
	assert_int_equal(p.kind, PACKET_SIP);
	assert_string_equal(address_text(&p.outer_src, text), "fd00::3");
}

/* Six levels are followed, a seventh is counted. */
static void test_depth(void **state)
{
	static struct bytes b;
	struct packet p;

	(void)state;
	for (unsigned levels = 5; levels <= 8; levels++) {
		inner(&b);
		for (unsigned i = 0; i < levels; i++)
			ip4_wrap(&b, 3, 4, 4, 1, 0, bytes_span(&b));
		run(bytes_span(&b), &p);
		assert_int_equal(p.kind, levels <= TUNNEL_DEPTH_MAX ? PACKET_SIP : PACKET_OTHER);
		assert_int_equal(p.undecoded, levels <= TUNNEL_DEPTH_MAX ? UNDECODED_NO : UNDECODED_DEPTH);
	}
}

/* The inner frame's VLAN and MAC addresses are those of the mirrored wire. */
static void test_inner_ethernet(void **state)
{
	static const uint8_t mirrored[6] = { 2, 0, 0, 0, 0, 8 };
	static struct bytes b;
	struct dissector *d = dissector_new();
	struct packet p;

	(void)state;
	inner(&b);
	bytes_join(&b, BYTES(8, 0, 0, 0, 0, 0, 1, 0, MACS, 0x81, 0, 0, 5, 8, 0), bytes_span(&b));
	udp_wrap(&b, 40000, 4789, bytes_span(&b));
	ip4_wrap(&b, 3, 4, 17, 2, 0, bytes_span(&b));
	ethernet_wrap(&b, 0x800, bytes_span(&b));
	dissect_all(d, 1, 1, 0, bytes_span(&b), b.n, &p, 1);
	assert_int_equal(p.vlan_count, 1);
	assert_int_equal(p.vlan[0], 5);
	assert_memory_equal(p.mac_src, mirrored, 6);
	dissector_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_gtp), cmocka_unit_test(test_l2tp),
		cmocka_unit_test(test_esp), cmocka_unit_test(test_esp_transport), cmocka_unit_test(test_esp_encrypted),
		cmocka_unit_test(test_ports_taken),
		cmocka_unit_test(test_families),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_inner_ethernet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
