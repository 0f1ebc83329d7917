/* SPDX-License-Identifier: MIT */
/* test_host: distance, MAC sharing, aliases, evidence for a capture taken on the host, and tables that fill up. */
#include "tests/unit/network_packets.h"

static const struct host *host_named(const struct network *n, const char *text)
{
	struct address a = address_of(text);

	return network_host_find(n, &a);
}

/* Facts of the host itself, whoever it is an alias of. */
static const struct host *own_host(struct network *n, const char *text)
{
	struct address a = address_of(text);

	return network_host(n, &a);
}

static bool near_to(const struct network *n, const char *a, const char *b)
{
	struct address one = address_of(a), other = address_of(b);

	return network_near(n, &one, &other);
}

static void hops_from_ttl(void **state)
{
	static const struct {
		uint8_t ttl[5];
		bool known;
		uint8_t usual, hops;
	} cases[] = {
		{ { 64, 64, 64, 64, 64 }, true, 64, 0 },
		{ { 63, 63, 63, 63, 63 }, true, 63, 1 },
		{ { 128, 128, 128, 128, 128 }, true, 128, 0 },
		{ { 117, 117, 117, 117, 117 }, true, 117, 11 },
		{ { 255, 255, 255, 255, 255 }, true, 255, 0 },
		{ { 129, 129, 129, 129, 129 }, true, 129, 126 },
		{ { 255, 63, 63, 64, 63 }, true, 63, 1 }, /* the usual one counts */
		{ { 1, 2, 3, 60, 60 }, true, 60, 4 },
		{ { 0, 0, 0, 0, 0 }, false, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct network *n = network_new(NULL);
		const struct host *h;

		for (int k = 0; k < 5; k++) {
			struct packet p = packet_of(PACKET_OTHER, "10.0.0.1:1", "10.0.1.2:2", k);

			p.ttl = cases[i].ttl[k];
			network_packet(n, &p, DUPLICATE_NO, 1);
		}
		h = host_named(n, "10.0.0.1");
		assert_non_null(h);
		assert_int_equal(h->ttl_known, cases[i].known);
		assert_int_equal(h->ttl, cases[i].usual);
		assert_int_equal(h->hops, cases[i].hops);
		network_free(n);
	}
}

/* What others say for a host, or say to everybody, is not its distance. */
static void ttl_of_others(void **state)
{
	static const struct {
		enum packet_kind kind;
		enum packet_tunnel tunnel;
		const char *dst;
		bool known;
	} cases[] = {
		{ PACKET_RTP, TUNNEL_NONE, "10.0.0.2:2", true },
		{ PACKET_RTP, TUNNEL_TURN, "10.0.0.2:2", false },
		{ PACKET_SIP, TUNNEL_HEP, "10.0.0.2:2", false },
		{ PACKET_SIP, TUNNEL_ERSPAN, "10.0.0.2:2", true },
		{ PACKET_ICMP, TUNNEL_NONE, "10.0.0.2:2", false },
		{ PACKET_SIP, TUNNEL_NONE, "224.0.1.75:5060", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct network *n = network_new(NULL);
		struct packet p = packet_of(cases[i].kind, "10.0.0.1:1", cases[i].dst, 0);

		p.tunnel = (uint8_t)cases[i].tunnel;
		network_packet(n, &p, DUPLICATE_NO, 1);
		assert_int_equal(host_named(n, "10.0.0.1")->ttl_known, cases[i].known);
		network_free(n);
	}
}

/* One packet of h each way: frame direction, checksum; then whether the capture was taken on it. */
struct evidence {
	unsigned count;
	bool from;
	uint8_t ttl;
	enum frame_direction direction;
	int checksum;
	bool copy, loopback;
	uint16_t tcp_bytes;
};

static void on_host(void **state)
{
	enum { GOOD = 1, BAD = 2 };
	static const struct {
		const char *name;
		bool on_host;
		struct evidence seen[4];
	} cases[] = {
		{ "sent by this machine", true, { { 3, true, 64, FRAME_OUT, 0, 0, 0, 0 } } },
		{ "Windows", true,
			{ { 3, true, 128, FRAME_OUT, 0, 0, 0, 0 }, { 3, false, 60, FRAME_IN, 0, 0, 0, 0 } } },
		{ "forwarded by this machine: in, then out", false,
			{ { 1, true, 64, FRAME_IN, 0, 0, 0, 0 }, { 1, true, 63, FRAME_OUT, 0, 1, 0, 0 } } },
		{ "forwarded, its way in not captured", false, { { 3, true, 63, FRAME_OUT, 0, 0, 0, 0 } } },
		{ "bridged", false, { { 1, true, 64, FRAME_IN, 0, 0, 0, 0 }, { 1, true, 64, FRAME_OUT, 0, 1, 0, 0 } } },
		{ "out and in on the loopback interface", true,
			{ { 2, true, 64, FRAME_OUT, 0, 0, 0, 0 }, { 1, true, 64, FRAME_IN, 0, 1, 1, 0 } } },
		{ "received", false, { { 3, true, 64, FRAME_IN, 0, 0, 0, 0 } } },
		{ "no direction: cannot tell", false, { { 9, true, 64, FRAME_UNKNOWN, 0, 0, 0, 0 } } },
		{ "checksums left to the card", true,
			{ { 3, true, 64, 0, BAD, 0, 0, 0 }, { 3, false, 60, 0, GOOD, 0, 0, 0 } } },
		{ "two bad ones are too few", false,
			{ { 2, true, 64, 0, BAD, 0, 0, 0 }, { 3, false, 60, 0, GOOD, 0, 0, 0 } } },
		{ "bad both ways: virtual machines", false,
			{ { 5, true, 64, 0, BAD, 0, 0, 0 }, { 5, false, 60, 0, BAD, 0, 0, 0 } } },
		{ "nothing comes back: cannot tell", false, { { 5, true, 64, 0, BAD, 0, 0, 0 } } },
		{ "bad ones of a distant host", false,
			{ { 5, true, 60, 0, BAD, 0, 0, 0 }, { 5, false, 64, 0, GOOD, 0, 0, 0 } } },
		{ "bad ones are the few", false,
			{ { 9, true, 64, 0, GOOD, 0, 0, 0 }, { 3, true, 64, 0, BAD, 0, 0, 0 },
				{ 3, false, 60, 0, GOOD, 0, 0, 0 } } },
		{ "TCP joined by the capturing card (GRO)", false,
			{ { 9, true, 64, 0, BAD, 0, 0, 2900 }, { 9, false, 60, 0, GOOD, 0, 0, 52 } } },
		{ "TCP of usual length", true,
			{ { 9, true, 64, 0, BAD, 0, 0, 52 }, { 9, false, 60, 0, GOOD, 0, 0, 52 } } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct network *n = network_new(NULL);

		for (size_t k = 0; k < COUNT_OF(cases[i].seen); k++) {
			const struct evidence *e = &cases[i].seen[k];
			struct packet p = packet_of(PACKET_OTHER, e->from ? "10.0.0.1:1" : "10.0.1.2:2",
				e->from ? "10.0.1.2:2" : "10.0.0.1:1", 0);

			if (e->count == 0)
				continue;
			p.ttl = e->ttl;
			p.direction = (uint8_t)e->direction;
			packet_mac(&p, e->from ? 1 : 2, 3);
			if (e->loopback)
				memset(p.mac_src, 0, sizeof p.mac_src);
			if (e->checksum)
				p.has |= HAS_CHECKSUM;
			p.checksum_ok = e->checksum == GOOD;
			if (e->tcp_bytes) {
				p.ip_protocol = 6;
				p.ip_bytes = e->tcp_bytes;
			}
			network_packet(n, &p, e->copy ? DUPLICATE_POINT : DUPLICATE_NO, e->count);
		}
		if (host_named(n, "10.0.0.1")->on_host != cases[i].on_host)
			fail_msg("%s", cases[i].name);
		network_free(n);
	}
}

static void sends_from(struct network *n, const char *src, uint8_t mac, uint8_t ttl, unsigned count)
{
	struct packet p = packet_of(PACKET_OTHER, src, src[0] == '[' ? "[2001:db8:ff::9]:9" : "198.51.100.9:9", 0);

	packet_mac(&p, mac, 9);
	p.ttl = ttl;
	packets_send(n, p, count);
}

static void shared_macs(void **state)
{
	static const struct {
		const char *one, *other;
		uint8_t other_mac;
		bool shared;
	} cases[] = {
		{ "10.0.0.1:1", "10.0.1.1:1", 1, true }, /* a router's */
		{ "10.0.0.1:1", "203.0.113.4:1", 1, true },
		{ "10.0.0.1:1", "10.0.0.2:1", 1, false }, /* the same net: perhaps one host */
		{ "10.0.0.1:1", "10.0.1.1:1", 2, false },
		{ "10.0.0.1:1", "169.254.3.4:1", 1, false }, /* every host has a link-local one */
		{ "10.0.0.1:1", "0.0.0.0:68", 1, false }, /* DHCP */
		{ "10.0.0.1:1", "[2001:db8::1]:1", 1, false }, /* dual stack */
		{ "[fe80::1]:1", "[2001:db8::1]:1", 1, false },
		{ "[fd00::1]:1", "[2001:db8::1]:1", 1, false }, /* local and global of one host */
		{ "[2001:db8:1::1]:1", "[2001:db8:2::1]:1", 1, true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct network *n = network_new(NULL);
		struct endpoint one = endpoint_of(cases[i].one), other = endpoint_of(cases[i].other);

		sends_from(n, cases[i].one, 1, 64, 1);
		sends_from(n, cases[i].other, cases[i].other_mac, 64, 1);
		assert_int_equal(network_host_find(n, &one.addr)->mac_shared, cases[i].shared);
		if (cases[i].shared)
			assert_true(network_host_find(n, &other.addr)->mac_shared);
		network_free(n);
	}
}

/* A host that moves to another MAC is believed after some packets; copies at a second point never move it. */
static void mac_changes(void **state)
{
	struct network *n = network_new(NULL);
	struct packet p = packet_of(PACKET_OTHER, "10.0.0.1:1", "10.0.0.2:2", 0);

	(void)state;
	sends_from(n, "10.0.0.1:1", 1, 64, 100);
	packet_mac(&p, 7, 9);
	network_packet(n, &p, DUPLICATE_POINT, 100);
	assert_int_equal(host_named(n, "10.0.0.1")->mac[5], 1);
	sends_from(n, "10.0.0.1:1", 2, 64, 3);
	assert_int_equal(host_named(n, "10.0.0.1")->mac[5], 1);
	sends_from(n, "10.0.0.1:1", 2, 64, 40);
	assert_int_equal(host_named(n, "10.0.0.1")->mac[5], 2);
	network_free(n);
}

static void aliases(void **state)
{
	static const struct {
		const char *name, *other;
		uint8_t mac, ttl;
		unsigned count;
		bool registers, router, alias;
	} cases[] = {
		{ "one machine", "10.0.0.2:1", 1, 64, 20, false, false, true },
		{ "another MAC", "10.0.0.2:1", 2, 64, 20, false, false, false },
		{ "another net", "10.0.1.2:1", 1, 64, 20, false, false, false },
		{ "two behind one router", "10.0.0.2:1", 1, 63, 20, false, false, false },
		{ "two behind a shared MAC", "10.0.0.2:1", 1, 64, 20, false, true, false },
		{ "too little of it", "10.0.0.2:1", 1, 64, 3, false, false, false },
		{ "another system", "10.0.0.2:1", 1, 128, 20, false, false, false },
		{ "two phones behind a repeater", "10.0.0.2:1", 1, 64, 20, true, false, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct network *n = network_new(NULL);
		struct endpoint other = endpoint_of(cases[i].other);
		struct address one = address_of("10.0.0.1");

		sends_from(n, "10.0.0.1:1", 1, cases[i].ttl == 63 ? 63 : 64, 20);
		sends_from(n, cases[i].other, cases[i].mac, cases[i].ttl, cases[i].count);
		if (cases[i].router)
			sends_from(n, "203.0.113.7:1", 1, 60, 1);
		if (cases[i].registers) {
			network_host(n, &one)->registers_sent = 1;
			network_host(n, &other.addr)->registers_sent = 1;
		}
		for (int again = 0; again < 2; again++) {
			network_settle(n);
			if (network_same(n, &one, &other.addr) != cases[i].alias)
				fail_msg("%s", cases[i].name);
			assert_true(
				(network_host_find(n, &one) == network_host_find(n, &other.addr)) == cases[i].alias);
		}
		network_free(n);
	}
}

/* More addresses than a machine has: a repeater lends them its MAC. */
static void aliases_of_a_repeater(void **state)
{
	struct network *n = network_new(NULL);
	struct address one = address_of("10.0.0.1"), five = address_of("10.0.0.5");
	char src[32];

	(void)state;
	for (int i = 1; i <= 5; i++) {
		snprintf(src, sizeof src, "10.0.0.%d:1", i);
		sends_from(n, src, 1, 64, 20);
	}
	network_settle(n);
	assert_false(network_same(n, &one, &five));
	network_free(n);
}

static void aliases_configured(void **state)
{
	struct network *n = network_new(NULL);
	struct address a = address_of("10.0.0.1"), b = address_of("203.0.113.1"), c = address_of("2001:db8::1"),
		       d = address_of("10.0.0.9");

	(void)state;
	network_alias(n, &b, &c);
	network_alias(n, &a, &b);
	network_alias(n, &a, &c); /* said twice */
	network_settle(n);
	assert_true(network_same(n, &a, &c));
	assert_true(network_same(n, &c, &b));
	assert_false(network_same(n, &a, &d));
	assert_ptr_equal(network_host_find(n, &c), own_host(n, "10.0.0.1"));
	network_free(n);
}

static void nearer(void **state)
{
	static const struct {
		const char *name;
		uint8_t ttl_a, ttl_b;
		bool on_a, on_b, shared_a;
		const char *b;
		bool near_a, near_b;
	} cases[] = {
		{ "fewer hops", 64, 60, false, false, false, "10.9.0.2:1", true, false },
		{ "fewer hops, other systems", 126, 255, false, false, false, "10.9.0.2:1", false, true },
		{ "as far", 64, 128, false, false, false, "10.9.0.2:1", false, false },
		{ "on a", 64, 64, true, false, false, "10.9.0.2:1", true, false },
		{ "on b", 64, 64, false, true, false, "10.9.0.2:1", false, true },
		{ "b is silent, in another net", 64, 0, false, false, false, "10.9.0.2:1", true, false },
		{ "b is silent, in a's net", 64, 0, false, false, false, "10.0.0.2:1", false, false },
		{ "b is silent, a behind a router", 64, 0, false, false, true, "10.9.0.2:1", false, false },
		{ "b is silent, a is far", 63, 0, false, false, false, "10.9.0.2:1", false, false },
		{ "neither sends", 0, 0, false, false, false, "10.9.0.2:1", false, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct network *n = network_new(NULL);
		struct endpoint b = endpoint_of(cases[i].b);
		char text[ADDRESS_TEXT];
		struct packet p = packet_of(PACKET_OTHER, "10.0.0.1:1", cases[i].b, 0),
			      q = packet_of(PACKET_OTHER, cases[i].b, "10.0.0.1:1", 0);

		packet_mac(&p, 1, 2);
		packet_mac(&q, 2, 1);
		p.ttl = cases[i].ttl_a;
		q.ttl = cases[i].ttl_b;
		p.direction = cases[i].on_a ? FRAME_OUT : FRAME_UNKNOWN;
		q.direction = cases[i].on_b ? FRAME_OUT : FRAME_UNKNOWN;
		if (cases[i].ttl_a)
			network_packet(n, &p, DUPLICATE_NO, 1);
		if (cases[i].ttl_b)
			network_packet(n, &q, DUPLICATE_NO, 1);
		if (cases[i].shared_a)
			sends_from(n, "203.0.113.7:1", 1, 60, 1);
		address_text(&b.addr, text);
		if (near_to(n, "10.0.0.1", text) != cases[i].near_a || near_to(n, text, "10.0.0.1") != cases[i].near_b)
			fail_msg("%s", cases[i].name);
		network_free(n);
	}
}

static void at_a_host(void **state)
{
	struct network *n = network_new(NULL);
	struct address near = address_of("10.0.0.1"), far = address_of("10.0.0.2"), silent = address_of("198.51.100.9");

	(void)state;
	sends_from(n, "10.0.0.1:1", 1, 64, 1);
	sends_from(n, "10.0.0.2:1", 2, 63, 1);
	assert_true(network_at(n, &near));
	assert_false(network_at(n, &far));
	assert_false(network_at(n, &silent));
	network_free(n);
}

/* Ports, VLANs, DSCP, counters, also of batches. */
static void facts(void **state)
{
	struct network *n = network_new(NULL);
	struct packet p = packet_of(PACKET_RTP, "10.0.0.1:4000", "10.0.0.2:5000", 0);
	const struct host *h;

	(void)state;
	p.has |= HAS_VLAN;
	p.vlan_count = 1;
	p.vlan[0] = 100;
	p.dscp = 46;
	network_packet(n, &p, DUPLICATE_NO, 50);
	p.dscp = 0;
	p.src.port = 4002;
	network_packet(n, &p, DUPLICATE_NO, 3);
	network_packet(n, &p, DUPLICATE_COPY, 7);
	p.first_of_frame = false;
	network_packet(n, &p, DUPLICATE_NO, 1);
	h = host_named(n, "10.0.0.1");
	assert_int_equal(h->packets_out, 53);
	assert_int_equal(h->dscp, 46);
	assert_int_equal(h->media_port_count, 2);
	assert_int_equal(h->media_ports[1], 4002);
	assert_int_equal(h->vlan_count, 1);
	assert_int_equal(h->vlans[0], 100);
	assert_int_equal(host_named(n, "10.0.0.2")->packets_in, 53);
	assert_false(host_named(n, "10.0.0.2")->sends_ip);
	assert_int_equal(network_counts(n).packets, 60);
	assert_int_equal(network_counts(n).copies, 7);
	network_free(n);
}

/* All different media ports of a host that carries calls are counted, the first sixteen of any other. */
static void media_ports(void **state)
{
	struct network *n = network_new(NULL);
	struct packet p = packet_of(PACKET_RTP, "10.0.0.1:4000", "10.0.0.2:5000", 0),
		      q = packet_of(PACKET_RTP, "10.0.0.3:4000", "10.0.0.4:5000", 0);

	(void)state;
	for (int round = 0; round < 2; round++) {
		for (uint16_t i = 0; i < 300; i++) {
			p.src.port = (uint16_t)(4000 + 2 * i);
			network_packet(n, &p, DUPLICATE_NO, 1);
		}
	}
	for (uint16_t i = 0; i < 19; i++) {
		q.src.port = (uint16_t)(4000 + 2 * i);
		network_packet(n, &q, DUPLICATE_NO, 1);
	}
	assert_int_equal(host_named(n, "10.0.0.1")->media_ports_seen,
		300); /* some passed before it was established; the second round has them */
	assert_int_equal(host_named(n, "10.0.0.3")->media_ports_seen, HOST_PORT_MAX);
	assert_int_equal(host_named(n, "10.0.0.3")->media_port_count, HOST_PORT_MAX);
	network_free(n);
}

/* A flood of forged sources pushes out its own kind, never a host or pair that carries a call. */
static void floods(void **state)
{
	struct network_config config = { .max_hosts = 100, .max_pairs = 200 };
	struct network *n = network_new(&config);
	struct packet rtp = packet_of(PACKET_RTP, "10.0.0.1:4000", "10.0.0.2:5000", 0),
		      back = packet_of(PACKET_RTP, "10.0.0.2:5000", "10.0.0.1:4000", 0);
	struct address one = address_of("10.0.0.1"), two = address_of("10.0.0.2");
	char src[32];

	(void)state;
	packets_send(n, rtp, 30);
	packets_send(n, back, 30);
	for (int i = 0; i < 5000; i++) {
		snprintf(src, sizeof src, "100.%d.%d.%d:5060", 128 + i % 7, i / 250, i % 250);
		sip_send(n, packet_of(PACKET_SIP, src, "10.0.0.2:5060", 1000 * i),
			"REGISTER sip:10.0.0.2 SIP/2.0\nVia: SIP/2.0/UDP 10.7.%d.%d;branch=z9hG4bK%d\n"
			"From: <sip:1@x>;tag=1\n"
			"To: <sip:1@x>\nCall-ID: %d\nCSeq: 1 REGISTER\nContent-Length: 0\n\n",
			i / 250, i % 250, i, i);
	}
	assert_true(network_hosts(n)->count <= 100);
	assert_true(network_pairs(n)->count <= 200);
	assert_true(network_counts(n).hosts_evicted >= 4900);
	assert_int_equal(network_pair_find(n, &one, &two)->rtp, 30);
	assert_int_equal(network_pair_find(n, &two, &one)->rtp, 30);
	assert_int_equal(host_named(n, "10.0.0.1")->packets_out, 30);
	network_settle(n);
	network_vantage(n);
	network_free(n);
}

/* A day of the web, both ways in TLS, pushes out neither who telephones nor who signals in TLS, and is not missed. */
static void web(void **state)
{
	struct network_config config = { .max_hosts = 100, .max_pairs = 200 };
	struct network *n = network_new(&config);
	struct packet rtp = packet_of(PACKET_RTP, "10.0.0.1:4000", "10.0.0.2:5000", 0);
	struct address one = address_of("10.0.0.1"), two = address_of("10.0.0.2"), phone = address_of("10.0.0.3"),
		       asks = address_of("10.0.0.4");
	char server[32];

	(void)state;
	packets_send(n, rtp, 30);
	packets_send(n, packet_of(PACKET_STUN, "10.0.0.4:3478", "10.0.0.2:3478", 0), 1);
	packets_send(n, packet_of(PACKET_TLS, "10.0.0.3:40000", "10.0.0.2:5061", 0), 1);
	packets_send(n, packet_of(PACKET_TLS, "10.0.0.2:5061", "10.0.0.3:40000", 0), 1);
	for (int i = 0; i < 5000; i++) {
		snprintf(server, sizeof server, "100.%d.%d.%d:443", 128 + i % 7, i / 250, i % 250);
		packets_send(n, packet_of(PACKET_TLS, "10.0.0.9:40000", server, 1000 * i), 1);
		packets_send(n, packet_of(PACKET_TLS, server, "10.0.0.9:40000", 1000 * i), 1);
	}
	assert_true(network_hosts(n)->count <= 100);
	assert_non_null(network_pair_find(n, &one, &two));
	assert_non_null(network_pair_find(n, &phone, &two));
	assert_non_null(network_pair_find(n, &asks, &two));
	assert_int_equal(network_counts(n).hosts_evicted, 0);
	assert_int_equal(network_counts(n).pairs_evicted, 0);
	assert_true(network_counts(n).others_evicted >= 4900);
	network_free(n);
}

/* Even where everything carries calls memory stays bounded: the longest idle goes. */
static void full_of_calls(void **state)
{
	struct network_config config = { .max_hosts = 16, .max_pairs = 16 };
	struct network *n = network_new(&config);
	char src[32];

	(void)state;
	for (int i = 0; i < 50; i++) {
		snprintf(src, sizeof src, "10.0.%d.1:4000", i);
		packets_send(n, packet_of(PACKET_RTP, src, "10.1.0.1:5000", 10000 * i), 30);
	}
	assert_int_equal(network_hosts(n)->count, 16);
	assert_non_null(host_named(n, "10.0.49.1"));
	assert_non_null(host_named(n, "10.1.0.1"));
	assert_null(host_named(n, "10.0.0.1"));
	network_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hops_from_ttl),
		cmocka_unit_test(ttl_of_others),
		cmocka_unit_test(on_host),
		cmocka_unit_test(shared_macs),
		cmocka_unit_test(mac_changes),
		cmocka_unit_test(aliases),
		cmocka_unit_test(aliases_of_a_repeater),
		cmocka_unit_test(aliases_configured),
		cmocka_unit_test(nearer),
		cmocka_unit_test(at_a_host),
		cmocka_unit_test(facts),
		cmocka_unit_test(media_ports),
		cmocka_unit_test(floods), cmocka_unit_test(web),
		cmocka_unit_test(full_of_calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
