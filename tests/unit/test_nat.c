/* SPDX-License-Identifier: MIT */
/* test_nat: the NAT map: what each kind of evidence teaches, what teaches nothing, look-ups both ways, bounds. */
#include "tests/unit/network_packets.h"

static void learn(
	struct network *n, const char *inside, const char *outside, bool media, enum nat_method method, int64_t at_s)
{
	struct endpoint in = endpoint_of(inside), out = endpoint_of(outside);

	network_learn(n, &in, &out, media, method, at_s * SECOND_NS, 0, 1);
}

/* "outside weight" of an inside endpoint, or the other way; "-" for none. */
static const char *image(const struct network *n, const char *of, bool media, bool public)
{
	static char text[ENDPOINT_TEXT + 16];
	char buffer[ENDPOINT_TEXT];
	struct endpoint e = endpoint_of(of), ret;
	unsigned weight;

	if (!(public ? network_public_of : network_private_of)(n, &e, media, &ret, &weight))
		return "-";
	snprintf(text, sizeof text, "%s %u", endpoint_text(&ret, buffer), weight);
	return text;
}

static void weights(void **state)
{
	static const struct {
		enum nat_method method;
		unsigned weight;
		const char *name;
	} cases[] = {
		{ NAT_TWIN, 100, "twin" },
		{ NAT_SIP_TWO_POINTS, 100, "sip-two-points" },
		{ NAT_STUN, 100, "stun" },
		{ NAT_RPORT, 90, "rport" },
		{ NAT_CONFIG, 100, "config" },
		{ NAT_VIA, 80, "via" },
		{ NAT_CONTACT, 60, "contact" },
		{ NAT_SDP_PORT_EQUAL, 80, "sdp-port-equal" },
		{ NAT_SDP_PORT_OTHER, 50, "sdp-port-other" },
		{ NAT_LATCHED, 70, "latched" },
		{ NAT_EXTERNAL_ADDRESS, 80, "external-address" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct network *n = network_new(NULL);
		char expected[64];

		learn(n, "192.168.1.10:4000", "203.0.113.2:62000", true, cases[i].method, 0);
		snprintf(expected, sizeof expected, "203.0.113.2:62000 %u", cases[i].weight);
		assert_string_equal(image(n, "192.168.1.10:4000", true, true), expected);
		snprintf(expected, sizeof expected, "203.0.113.2:4444 %u", cases[i].weight - 20);
		assert_string_equal(image(n, "192.168.1.10:4444", true, true), expected);
		assert_string_equal(nat_method_name(cases[i].method), cases[i].name);
		network_free(n);
	}
}

static void lookups(void **state)
{
	static const struct {
		const char *of;
		bool media, public;
		const char *image;
	} cases[] = {
		{ "192.168.1.10:4000", true, true, "203.0.113.2:62000 100" }, /* the port itself */
		{ "192.168.1.10:4002", true, true, "203.0.113.2:4002 80" }, /* the address, port kept */
		{ "192.168.1.10:4000", false, true, "203.0.113.2:4000 50" }, /* the other scope knows addresses only */
		{ "192.168.1.10", true, true, "203.0.113.2 80" },
		{ "192.168.1.11:5060", false, true, "203.0.113.2:5060 80" },
		{ "192.168.1.11:4000", true, true, "203.0.113.2:4000 50" },
		{ "192.168.1.12:5060", false, true, "-" },
		{ "203.0.113.2:5060", false, true, "-" }, /* no inside */
		{ "203.0.113.2:62000", true, false, "192.168.1.10:4000 100" },
		{ "203.0.113.2:62002", true, false,
			"192.168.1.10:62002 80" }, /* in media only one host has that face */
		{ "203.0.113.3:5060", false, false, "-" }, /* one face of two hosts */
		{ "203.0.113.3:7000", false, false, "192.168.1.20:5060 90" }, /* unless the port tells */
		{ "10.0.0.1:5060", false, false, "-" },
	};
	struct network *n = network_new(NULL);

	(void)state;
	learn(n, "192.168.1.10:4000", "203.0.113.2:62000", true, NAT_TWIN, 0);
	learn(n, "192.168.1.11", "203.0.113.2", false, NAT_VIA, 0);
	learn(n, "192.168.1.20:5060", "203.0.113.3:7000", false, NAT_RPORT, 0);
	learn(n, "192.168.1.21", "203.0.113.3", false, NAT_VIA, 0);
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_string_equal(image(n, cases[i].of, cases[i].media, cases[i].public), cases[i].image);
	network_free(n);
}

/* The stronger wins whatever the order, of equals the later; the same again changes nothing but the time. */
static void strongest(void **state)
{
	struct network *n = network_new(NULL);
	const struct nat_mapping *m;

	(void)state;
	learn(n, "192.168.1.10:4000", "203.0.113.2:1", true, NAT_LATCHED, 1);
	learn(n, "192.168.1.10:4000", "203.0.113.2:2", true, NAT_TWIN, 2);
	learn(n, "192.168.1.10:4000", "203.0.113.2:3", true, NAT_SDP_PORT_OTHER, 3);
	assert_string_equal(image(n, "192.168.1.10:4000", true, true), "203.0.113.2:2 100");
	learn(n, "192.168.1.10:4000", "203.0.113.2:4", true, NAT_STUN, 4);
	assert_string_equal(image(n, "192.168.1.10:4000", true, true), "203.0.113.2:4 100");
	learn(n, "192.168.1.10:4000", "203.0.113.2:2", true, NAT_SDP_PORT_OTHER, 5);
	assert_string_equal(image(n, "192.168.1.10:4000", true, true), "203.0.113.2:2 100");
	m = LIST_ENTRY(network_mappings(n)->head.next, struct nat_mapping, in_order);
	assert_int_equal(m->outside.port, 1);
	assert_false(m->derived);
	m = LIST_ENTRY(m->in_order.next, struct nat_mapping, in_order);
	assert_true(m->derived);
	assert_int_equal(m->weight, 80);
	m = LIST_ENTRY(m->in_order.next, struct nat_mapping, in_order);
	assert_int_equal(m->method, NAT_TWIN);
	assert_int_equal(m->first_ns, 2 * SECOND_NS);
	assert_int_equal(m->last_ns, 5 * SECOND_NS);
	network_free(n);
}

static void never_learnt(void **state)
{
	static const char *const cases[][2] = {
		{ "127.0.0.1:5060", "203.0.113.2:5060" },
		{ "0.0.0.0:5060", "203.0.113.2:5060" },
		{ "224.0.1.75:1", "203.0.113.2:5060" },
		{ "10.0.0.1:5060", "0.0.0.0:5060" },
		{ "10.0.0.1:5060", "10.0.0.1:5060" },
		{ "10.0.0.1", "10.0.0.1:5060" },
		{ "10.0.0.1:5060", "[2001:db8::1]:5060" },
	};
	struct network *n = network_new(NULL);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		learn(n, cases[i][0], cases[i][1], false, NAT_CONFIG, 0);
	assert_int_equal(network_mappings(n)->count, 0);
	learn(n, "10.0.0.1:4000", "10.0.0.1:4001", true, NAT_TWIN, 0); /* a router that changes ports alone */
	assert_int_equal(network_mappings(n)->count, 1);
	assert_string_equal(image(n, "10.0.0.1:4000", true, true), "10.0.0.1:4001 100");
	network_free(n);
}

/* SIP messages, each with what it teaches of `of`. */
#define REQUEST(vias, contact, sdp) \
	"INVITE sip:200@pbx SIP/2.0\n" vias \
	"From: <sip:100@pbx>;tag=1\nTo: <sip:200@pbx>\nCall-ID: a\nCSeq: 1 INVITE\n" contact \
	"Content-Type: application/sdp\n\n" sdp
#define RESPONSE(vias, contact, sdp) \
	"SIP/2.0 200 OK\n" vias \
	"From: <sip:100@pbx>;tag=1\nTo: <sip:200@pbx>;tag=2\nCall-ID: a\nCSeq: 1 INVITE\n" contact \
	"Content-Type: application/sdp\n\n" sdp
#define VIA(host)     "Via: SIP/2.0/UDP " host ";branch=z9hG4bK1\n"
#define CONTACT(host) "Contact: <sip:100@" host ">\n"
#define SDP(c)        "v=0\no=- 1 1 IN IP4 " c "\ns=-\nc=IN IP4 " c "\nt=0 0\nm=audio 4000 RTP/AVP 0\n"

static const struct {
	const char *name, *src, *dst, *message, *of;
	bool media;
	const char *image;
} messages[] = {
	{ "private Via, public source", "203.0.113.2:62000", "198.51.100.1:5060",
		REQUEST(VIA("192.168.1.10:5060"), "", ""), "192.168.1.10:5060", false, "203.0.113.2:5060 80" },
	{ "private Via, private source: a VPN, two addresses", "10.0.0.7:5060", "10.0.0.1:5060",
		REQUEST(VIA("192.168.1.10"), "", ""), "192.168.1.10:5060", false, "-" },
	{ "private Via, carrier's source", "100.64.3.4:5060", "198.51.100.1:5060", REQUEST(VIA("192.168.1.10"), "", ""),
		"192.168.1.10:5060", false, "100.64.3.4:5060 80" },
	{ "Via and source equal", "192.168.1.10:5060", "198.51.100.1:5060",
		REQUEST(VIA("192.168.1.10"), CONTACT("192.168.1.10"), SDP("192.168.1.10")), "192.168.1.10:5060", false,
		"-" },
	{ "Via by name", "203.0.113.2:5060", "198.51.100.1:5060", REQUEST(VIA("phone.local"), "", ""), "192.168.1.10",
		false, "-" },
	{ "IPv4 Via over IPv6", "[2001:db8::1]:5060", "[2001:db8::2]:5060", REQUEST(VIA("192.168.1.10"), "", ""),
		"192.168.1.10", false, "-" },
	{ "private Contact, public source", "203.0.113.2:62000", "198.51.100.1:5060",
		REQUEST(VIA("203.0.113.2"), CONTACT("192.168.1.10:5062"), ""), "192.168.1.10:5062", false,
		"203.0.113.2:5062 60" },
	{ "the Contact of somebody behind a proxy", "203.0.113.2:5060", "198.51.100.1:5060",
		REQUEST(VIA("203.0.113.2") VIA("192.168.1.10"), CONTACT("192.168.1.10"), ""), "192.168.1.10:5060",
		false, "-" },
	{ "what the proxy wrote of the phone", "203.0.113.9:5060", "198.51.100.1:5060",
		REQUEST(VIA("203.0.113.9") VIA("192.168.1.10:5062;received=203.0.113.2;rport=62000"), "", ""),
		"192.168.1.10:5062", false, "203.0.113.2:62000 90" },
	{ "received and rport come back", "198.51.100.1:5060", "192.168.1.10:5060",
		RESPONSE(VIA("192.168.1.10:5060;received=203.0.113.2;rport=62000"), "", ""), "192.168.1.10:5060", false,
		"203.0.113.2:62000 90" },
	{ "received without rport", "198.51.100.1:5060", "192.168.1.10:5060",
		RESPONSE(VIA("192.168.1.10:5060;received=203.0.113.2"), "", ""), "192.168.1.10:5060", false,
		"203.0.113.2:5060 90" },
	{ "seen outside, on its way back", "198.51.100.1:5060", "203.0.113.2:62000",
		RESPONSE(VIA("192.168.1.10:5060;received=203.0.113.2;rport=62000"), "", ""), "192.168.1.10:5060", false,
		"203.0.113.2:62000 90" },
	{ "received is what Via says", "198.51.100.1:5060", "192.168.1.10:5060",
		RESPONSE(VIA("192.168.1.10;received=192.168.1.10;rport=5060"), "", ""), "192.168.1.10:5060", false,
		"-" },
	{ "two private ones, arriving at the client", "10.0.0.1:5060", "192.168.1.10:5060",
		RESPONSE(VIA("192.168.1.10:5060;received=10.0.0.254;rport=62000"), "", ""), "192.168.1.10:5060", false,
		"10.0.0.254:62000 90" },
	{ "two private ones, elsewhere: two addresses of a phone?", "10.0.0.1:5060", "10.0.0.254:62000",
		RESPONSE(VIA("192.168.1.10:5060;received=10.0.0.254;rport=62000"), "", ""), "192.168.1.10:5060", false,
		"-" },
	{ "masqueraded by the server's own side", "10.0.0.1:5060", "172.17.0.1:62000",
		RESPONSE(VIA("203.0.113.2:5060;received=172.17.0.1;rport=62000"), "", ""), "203.0.113.2:5060", false,
		"-" },
	{ "private c= of a phone known by its Via", "203.0.113.2:62000", "198.51.100.1:5060",
		REQUEST(VIA("192.168.1.10"), "", SDP("192.168.1.10")), "192.168.1.10:4000", true,
		"203.0.113.2:4000 50" },
	{ "c= of another host behind the same NAT", "203.0.113.2:62000", "198.51.100.1:5060",
		REQUEST(VIA("192.168.1.10"), "", SDP("192.168.1.99")), "192.168.1.99:4000", true, "-" },
	{ "private c= in a public answer: whose?", "203.0.113.2:62000", "198.51.100.1:5060",
		RESPONSE(VIA("198.51.100.1"), CONTACT("10.1.1.1"), SDP("10.1.1.1")), "10.1.1.1:4000", true, "-" },
	{ "own public address inside", "10.0.0.5:5060", "198.51.100.1:5060",
		REQUEST(VIA("203.0.113.5"), CONTACT("203.0.113.5"), SDP("203.0.113.5")), "10.0.0.5:5060", false,
		"203.0.113.5:5060 50" },
	{ "the same for its media", "10.0.0.5:5060", "198.51.100.1:5060",
		REQUEST(VIA("203.0.113.5"), "", SDP("203.0.113.5")), "10.0.0.5:4000", true, "203.0.113.5:4000 50" },
	{ "a proxy inside passes on a public c=", "10.0.0.5:5060", "10.0.0.6:5060",
		REQUEST(VIA("10.0.0.5") VIA("203.0.113.5"), "", SDP("203.0.113.5")), "10.0.0.5:4000", true, "-" },
	{ "loopback Via", "203.0.113.2:5060", "198.51.100.1:5060", REQUEST(VIA("127.0.0.1"), "", ""), "127.0.0.1:5060",
		false, "-" },
	{ "null c= is hold", "203.0.113.2:5060", "198.51.100.1:5060", REQUEST(VIA("192.168.1.10"), "", SDP("0.0.0.0")),
		"0.0.0.0:4000", true, "-" },
};

static void sip_messages(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(messages); i++) {
		struct network *n = network_new(NULL);
		const char *seen;

		sip_send(n, packet_of(PACKET_SIP, messages[i].src, messages[i].dst, 0), "%s", messages[i].message);
		seen = image(n, messages[i].of, messages[i].media, true);
		if (strcmp(seen, messages[i].image) != 0)
			fail_msg("%s: %s, expected %s", messages[i].name, seen, messages[i].image);
		network_free(n);
	}
}

/*
 * A gateway in front of the server that makes all clients look like itself has many faces, hence none that can be
 * trusted.
 */
static void masqueraded_clients(void **state)
{
	struct network *n = network_new(NULL);
	struct address gateway = address_of("172.17.0.1"), client = address_of("203.0.113.5"),
		       other = address_of("203.0.113.6");

	(void)state;
	sip_send(n, packet_of(PACKET_SIP, "172.17.0.1:40000", "172.17.0.2:5060", 0), "%s",
		REQUEST(VIA("203.0.113.5"), "", SDP("203.0.113.5")));
	sip_send(n, packet_of(PACKET_SIP, "172.17.0.1:40001", "172.17.0.2:5060", 0), "%s",
		REQUEST(VIA("203.0.113.6"), "", SDP("203.0.113.6")));
	assert_false(network_same(n, &gateway, &client));
	assert_false(network_same(n, &gateway, &other));
	network_free(n);
}

/* Over TCP the port in Via is where it listens, not that of the connection. */
static void received_over_tcp(void **state)
{
	struct network *n = network_new(NULL);
	struct packet p = packet_of(PACKET_SIP, "198.51.100.1:5060", "192.168.1.10:49152", 0);

	(void)state;
	p.transport = TRANSPORT_TCP;
	p.ip_protocol = 6;
	sip_send(n, p, "%s", RESPONSE(VIA("192.168.1.10:5060;received=203.0.113.2;rport=62000"), "", ""));
	assert_string_equal(image(n, "192.168.1.10:5060", false, true), "203.0.113.2:5060 90");
	assert_string_equal(image(n, "203.0.113.2:62000", false, false), "192.168.1.10:62000 90");
	network_free(n);
}

static void stun_send(struct network *n, const char *src, const char *dst, uint16_t type, const char *mapped,
	uint8_t transaction, enum packet_tunnel tunnel)
{
	struct packet p = packet_of(PACKET_STUN, src, dst, 0);

	p.tunnel = (uint8_t)tunnel;
	p.stun = (struct stun_message){ .type = type, .transaction = { transaction } };
	if (mapped)
		p.stun.mapped = endpoint_of(mapped);
	network_packet(n, &p, DUPLICATE_NO, 1);
	network_learn_stun(n, &p);
}

static void stun(void **state)
{
	static const struct {
		const char *name;
		uint16_t request, response;
		uint8_t transaction;
		const char *client, *mapped, *image;
		bool media;
		enum packet_tunnel tunnel;
	} cases[] = {
		{ "binding", 0x0001, 0x0101, 1, "192.168.1.10:4000", "203.0.113.2:62000", "203.0.113.2:62000 100", true,
			TUNNEL_NONE },
		{ "of the SIP socket", 0x0001, 0x0101, 1, "192.168.1.10:5060", "203.0.113.2:62000",
			"203.0.113.2:62000 100", false, TUNNEL_NONE },
		{ "allocate", 0x0003, 0x0103, 1, "192.168.1.10:4000", "203.0.113.2:62000", "203.0.113.2:62000 100",
			true, TUNNEL_NONE },
		{ "error", 0x0001, 0x0111, 1, "192.168.1.10:4000", NULL, "-", true, TUNNEL_NONE },
		{ "its request was not seen", 0, 0x0101, 1, "192.168.1.10:4000", "203.0.113.2:62000", "-", true,
			TUNNEL_NONE },
		{ "another transaction", 0x0001, 0x0101, 2, "192.168.1.10:4000", "203.0.113.2:62000", "-", true,
			TUNNEL_NONE },
		{ "no NAT", 0x0001, 0x0101, 1, "192.168.1.10:4000", "192.168.1.10:4000", "-", true, TUNNEL_NONE },
		{ "no address in it", 0x0001, 0x0101, 1, "192.168.1.10:4000", NULL, "-", true, TUNNEL_NONE },
		{ "through a relay", 0x0001, 0x0101, 1, "192.168.1.10:4000", "198.51.100.9:62000", "-", true,
			TUNNEL_TURN },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct network *n = network_new(NULL);

		if (cases[i].request)
			stun_send(n, cases[i].client, "198.51.100.3:3478", cases[i].request, NULL, 1, cases[i].tunnel);
		stun_send(n, "198.51.100.3:3478", cases[i].client, cases[i].response, cases[i].mapped,
			cases[i].transaction, cases[i].tunnel);
		if (strcmp(image(n, cases[i].client, cases[i].media, true), cases[i].image) != 0)
			fail_msg("%s", cases[i].name);
		network_free(n);
	}
}

static void same_machine(void **state)
{
	static const struct {
		const char *a, *b;
		enum nat_method method;
		bool same;
	} cases[] = {
		{ "192.168.1.10", "203.0.113.2", NAT_VIA, true },
		{ "192.168.1.10", "203.0.113.2", NAT_CONTACT, true },
		{ "192.168.1.10", "203.0.113.2", NAT_SDP_PORT_OTHER, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct network *n = network_new(NULL);
		struct address a = address_of(cases[i].a), b = address_of(cases[i].b),
			       other = address_of("203.0.113.3");

		learn(n, cases[i].a, cases[i].b, false, cases[i].method, 0);
		assert_int_equal(network_same(n, &a, &b), cases[i].same);
		assert_int_equal(network_same(n, &b, &a), cases[i].same);
		assert_false(network_same(n, &a, &other));
		assert_true(network_same(n, &other, &other));
		network_free(n);
	}
}

/* A full map loses its weakest and oldest; thousands behind one face cost no more than a few. */
static void bounds(void **state)
{
	struct network_config config = { .max_mappings = 1000 };
	struct network *n = network_new(&config);
	char inside[64];

	(void)state;
	learn(n, "192.168.1.10:4000", "203.0.113.2:62000", true, NAT_TWIN, 0);
	for (int i = 0; i < 50000; i++) {
		snprintf(inside, sizeof inside, "10.%d.%d.%d", i / 62500, i / 250 % 250, i % 250 + 1);
		learn(n, inside, "203.0.113.9", false, i % 2 ? NAT_VIA : NAT_CONTACT, i);
	}
	assert_int_equal(network_mappings(n)->count, 1000);
	assert_true(network_counts(n).mappings_evicted >= 49000);
	assert_string_equal(image(n, "192.168.1.10:4000", true, true), "203.0.113.2:62000 100");
	assert_string_equal(image(n, inside, false, true), "203.0.113.9 80");
	assert_string_equal(image(n, "10.0.0.1:5060", false, true), "-");
	assert_string_equal(image(n, "203.0.113.9:5060", false, false), "-");
	network_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(weights),
		cmocka_unit_test(lookups),
		cmocka_unit_test(strongest),
		cmocka_unit_test(never_learnt),
		cmocka_unit_test(sip_messages),
		cmocka_unit_test(masqueraded_clients),
		cmocka_unit_test(received_over_tcp),
		cmocka_unit_test(stun),
		cmocka_unit_test(same_machine),
		cmocka_unit_test(bounds),
	};

	sip_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
