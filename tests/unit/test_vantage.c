/* SPDX-License-Identifier: MIT */
/* test_vantage: where a capture was taken, told from what its packets carry (1.7.1). */
#include "tests/unit/network_packets.h"

/* So many packets of one pair; mac 0: none. */
struct seen {
	enum packet_kind kind;
	const char *src, *dst;
	uint8_t ttl, mac;
	enum frame_direction direction;
	unsigned count;
};
struct known {
	const char *inside, *outside;
	bool media;
	enum nat_method method;
};

static const struct {
	const char *name;
	struct seen seen[6];
	struct known known[3];
	enum vantage_kind kind;
	int confidence;
	const char *host; /* NULL: none */
} cases[] = {
	{ "nothing of voice", { { PACKET_OTHER, "10.0.0.1:1", "10.0.0.2:2", 64, 1, FRAME_OUT, 99 } }, { { 0 } },
		VANTAGE_UNKNOWN, VANTAGE_POSSIBLE, NULL },
	{ "on the PBX",
		{ { PACKET_RTP, "10.0.0.2:1", "10.0.0.1:2", 64, 2, FRAME_OUT, 50 },
			{ PACKET_RTP, "10.0.0.1:2", "10.0.0.2:1", 64, 1, FRAME_IN, 50 } },
		{ { 0 } }, VANTAGE_ON_HOST, VANTAGE_CERTAIN, "10.0.0.2" },
	{ "on a router that forwards",
		{ { PACKET_RTP, "10.0.0.2:1", "10.0.1.1:2", 63, 2, FRAME_OUT, 50 },
			{ PACKET_RTP, "10.0.1.1:2", "10.0.0.2:1", 64, 1, FRAME_IN, 50 } },
		{ { 0 } }, VANTAGE_NEAR, VANTAGE_CERTAIN, "10.0.1.1" },
	{ "beside a phone, its peer far",
		{ { PACKET_RTP, "10.0.0.1:1", "10.5.0.2:2", 64, 1, 0, 50 },
			{ PACKET_RTP, "10.5.0.2:2", "10.0.0.1:1", 61, 9, 0, 50 } },
		{ { 0 } }, VANTAGE_NEAR, VANTAGE_CERTAIN, "10.0.0.1" },
	{ "the same without MACs",
		{ { PACKET_RTP, "10.0.0.1:1", "10.5.0.2:2", 64, 0, 0, 50 },
			{ PACKET_RTP, "10.5.0.2:2", "10.0.0.1:1", 61, 0, 0, 50 } },
		{ { 0 } }, VANTAGE_NEAR, VANTAGE_LIKELY, "10.0.0.1" },
	{ "beside two phones",
		{ { PACKET_RTP, "10.0.0.1:1", "10.5.0.2:2", 64, 1, 0, 50 },
			{ PACKET_RTP, "10.5.0.2:2", "10.0.0.1:1", 61, 9, 0, 50 },
			{ PACKET_RTP, "10.0.0.3:1", "10.5.0.2:4", 64, 3, 0, 50 } },
		{ { 0 } }, VANTAGE_NEAR, VANTAGE_CERTAIN, NULL },
	{ "one LAN",
		{ { PACKET_RTP, "10.0.0.1:1", "10.0.0.2:2", 64, 1, 0, 50 },
			{ PACKET_RTP, "10.0.0.2:2", "10.0.0.1:1", 64, 2, 0, 50 } },
		{ { 0 } }, VANTAGE_MID, VANTAGE_LIKELY, NULL },
	{ "between two networks",
		{ { PACKET_RTP, "10.0.0.1:1", "10.5.0.2:2", 62, 1, 0, 50 },
			{ PACKET_RTP, "10.5.0.2:2", "10.0.0.1:1", 60, 9, 0, 50 } },
		{ { 0 } }, VANTAGE_MID, VANTAGE_LIKELY, NULL },
	{ "most of the voice decides",
		{ { PACKET_RTP, "10.0.0.1:1", "10.0.0.2:2", 64, 1, 0, 500 },
			{ PACKET_RTP, "10.0.0.2:2", "10.0.0.1:1", 64, 2, 0, 500 },
			{ PACKET_SIP, "10.5.0.2:2", "10.0.0.1:1", 61, 9, 0, 50 } },
		{ { 0 } }, VANTAGE_MID, VANTAGE_LIKELY, NULL },
	{ "one direction alone: cannot tell", { { PACKET_RTP, "10.0.0.1:1", "10.5.0.2:2", 64, 1, 0, 50 } }, { { 0 } },
		VANTAGE_UNKNOWN, VANTAGE_POSSIBLE, NULL },
	{ "inside, by private and public",
		{ { PACKET_SIP, "192.168.1.10:5060", "198.51.100.1:5060", 64, 1, 0, 5 },
			{ PACKET_SIP, "198.51.100.1:5060", "192.168.1.10:5060", 55, 9, 0, 5 } },
		{ { 0 } }, VANTAGE_INSIDE_NAT, VANTAGE_LIKELY, NULL },
	{ "inside, as the server says",
		{ { PACKET_SIP, "192.168.1.10:5060", "198.51.100.1:5060", 64, 1, 0, 5 },
			{ PACKET_SIP, "198.51.100.1:5060", "192.168.1.10:5060", 55, 9, 0, 5 } },
		{ { "192.168.1.10:5060", "203.0.113.2:62000", false, NAT_RPORT } }, VANTAGE_INSIDE_NAT, VANTAGE_CERTAIN,
		NULL },
	{ "private ones among each other",
		{ { PACKET_SIP, "192.168.1.10:5060", "10.0.0.1:5060", 63, 1, 0, 5 },
			{ PACKET_SIP, "10.0.0.1:5060", "192.168.1.10:5060", 63, 9, 0, 5 } },
		{ { 0 } }, VANTAGE_MID, VANTAGE_POSSIBLE, NULL },
	{ "outside, by Via",
		{ { PACKET_SIP, "203.0.113.2:62000", "198.51.100.1:5060", 60, 1, 0, 5 },
			{ PACKET_SIP, "198.51.100.1:5060", "203.0.113.2:62000", 64, 9, 0, 5 } },
		{ { "192.168.1.10", "203.0.113.2", false, NAT_VIA } }, VANTAGE_OUTSIDE_NAT, VANTAGE_LIKELY,
		"203.0.113.2" },
	{ "outside, and the PBX answers to the private address",
		{ { PACKET_SIP, "203.0.113.2:62000", "198.51.100.1:5060", 60, 1, 0, 5 },
			{ PACKET_SIP, "198.51.100.1:5060", "192.168.1.10:5060", 64, 9, 0, 5 } },
		{ { "192.168.1.10", "203.0.113.2", false, NAT_VIA } }, VANTAGE_OUTSIDE_NAT, VANTAGE_LIKELY,
		"203.0.113.2" },
	{ "outside, as the server says", { { PACKET_SIP, "203.0.113.2:62000", "198.51.100.1:5060", 60, 1, 0, 5 } },
		{ { "192.168.1.10:5060", "203.0.113.2:62000", false, NAT_RPORT } }, VANTAGE_OUTSIDE_NAT,
		VANTAGE_CERTAIN, "203.0.113.2" },
	{ "public ones only, nothing private named",
		{ { PACKET_SIP, "203.0.113.2:62000", "198.51.100.1:5060", 60, 1, 0, 5 },
			{ PACKET_SIP, "198.51.100.1:5060", "203.0.113.2:62000", 64, 9, 0, 5 } },
		{ { 0 } }, VANTAGE_NEAR, VANTAGE_CERTAIN, "198.51.100.1" },
	{ "configured only", { { PACKET_SIP, "203.0.113.2:62000", "198.51.100.1:5060", 60, 1, 0, 5 } },
		{ { "192.168.1.10", "203.0.113.2", false, NAT_CONFIG } }, VANTAGE_UNKNOWN, VANTAGE_POSSIBLE, NULL },
	{ "a LAN that also sees a NAT's outside",
		{ { PACKET_SIP, "203.0.113.2:62000", "198.51.100.1:5060", 60, 9, 0, 5 },
			{ PACKET_RTP, "10.0.0.1:1", "10.0.0.2:2", 64, 1, 0, 50 },
			{ PACKET_RTP, "10.0.0.2:2", "10.0.0.1:1", 64, 2, 0, 50 } },
		{ { "192.168.1.10", "203.0.113.2", false, NAT_VIA } }, VANTAGE_MID, VANTAGE_LIKELY, NULL },
	{ "both sides of a router",
		{ { PACKET_RTP, "192.168.1.10:4000", "198.51.100.1:5000", 64, 1, 0, 50 },
			{ PACKET_RTP, "203.0.113.2:62000", "198.51.100.1:5000", 63, 2, 0, 50 } },
		{ { "192.168.1.10:4000", "203.0.113.2:62000", true, NAT_TWIN } }, VANTAGE_BOTH_SIDES, VANTAGE_CERTAIN,
		"203.0.113.2" },
	{ "on the router itself",
		{ { PACKET_RTP, "192.168.1.10:4000", "198.51.100.1:5000", 64, 1, FRAME_IN, 50 },
			{ PACKET_RTP, "203.0.113.2:62000", "198.51.100.1:5000", 63, 2, FRAME_OUT, 50 } },
		{ { "192.168.1.10:4000", "203.0.113.2:62000", true, NAT_TWIN } }, VANTAGE_BOTH_SIDES, VANTAGE_CERTAIN,
		"203.0.113.2" },
	{ "an equal private address behind another NAT",
		{ { PACKET_SIP, "192.168.1.10:5060", "198.51.100.1:5060", 64, 1, 0, 50 },
			{ PACKET_SIP, "203.0.113.2:62000", "198.51.100.1:5060", 50, 2, 0, 50 } },
		{ { "192.168.1.10:5060", "203.0.113.2:62000", false, NAT_RPORT } }, VANTAGE_INSIDE_NAT, VANTAGE_LIKELY,
		NULL },
};

static void kinds(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct network *n = network_new(NULL);
		struct vantage v;

		for (size_t k = 0; k < COUNT_OF(cases[i].seen) && cases[i].seen[k].count; k++) {
			const struct seen *s = &cases[i].seen[k];
			struct packet p = packet_of(s->kind, s->src, s->dst, (int64_t)k);

			if (s->mac)
				packet_mac(&p, s->mac, 99);
			p.ttl = s->ttl;
			p.direction = (uint8_t)s->direction;
			network_packet(n, &p, DUPLICATE_NO, s->count);
			if (p.kind == PACKET_RTP)
				network_media(n, &p.src.addr, &p.dst.addr);
		}
		for (size_t k = 0; k < COUNT_OF(cases[i].known) && cases[i].known[k].inside; k++) {
			struct endpoint inside = endpoint_of(cases[i].known[k].inside),
					outside = endpoint_of(cases[i].known[k].outside);

			network_learn(n, &inside, &outside, cases[i].known[k].media, cases[i].known[k].method, 0, 0, 1);
		}
		network_settle(n);
		v = network_vantage(n);
		if (v.kind != cases[i].kind || (int)v.confidence != cases[i].confidence)
			fail_msg("%s: %s/%d: %s", cases[i].name, vantage_kind_name(v.kind), v.confidence, v.why);
		assert_true(v.why[0] != '\0');
		assert_int_equal(v.host != NULL, cases[i].host != NULL);
		if (v.host) {
			struct address expected = address_of(cases[i].host);

			assert_true(address_equal(&v.host->addr, &expected));
		}
		network_free(n);
	}
}

/* What has the form of RTP alone, as one datagram in four of a game has, says nothing of where the phones are. */
static void noise(void **state)
{
	struct network *n = network_new(NULL);
	struct packet phone = packet_of(PACKET_RTP, "10.0.0.1:1", "10.5.0.2:2", 0),
		      pbx = packet_of(PACKET_RTP, "10.5.0.2:2", "10.0.0.1:1", 0),
		      game = packet_of(PACKET_RTP, "10.0.0.9:3074", "203.0.113.9:3074", 0);
	struct vantage v;

	(void)state;
	packet_mac(&phone, 1, 99);
	packet_mac(&pbx, 9, 99);
	pbx.ttl = 61;
	packets_send(n, phone, 10);
	packets_send(n, pbx, 10);
	packets_send(n, game, 1000);
	network_media(n, &phone.src.addr, &phone.dst.addr);
	network_media(n, &pbx.src.addr, &pbx.dst.addr);
	v = network_vantage(n);
	assert_int_equal(v.kind, VANTAGE_NEAR);
	network_media(n, &game.src.addr, &game.dst.addr);        /* it is audio: of a softphone beside it */
	v = network_vantage(n);
	assert_int_equal(v.kind, VANTAGE_INSIDE_NAT);
	network_free(n);
}

/* Only checksums tell: less sure than the kernel's own word. */
static void by_checksums(void **state)
{
	struct network *n = network_new(NULL);
	struct packet p = packet_of(PACKET_RTP, "10.0.0.1:1", "10.0.1.2:2", 0),
		      q = packet_of(PACKET_RTP, "10.0.1.2:2", "10.0.0.1:1", 0);
	struct vantage v;

	(void)state;
	p.has |= HAS_CHECKSUM;
	q.has |= HAS_CHECKSUM;
	q.checksum_ok = true;
	packets_send(n, p, 10);
	packets_send(n, q, 10);
	network_media(n, &p.src.addr, &p.dst.addr);
	v = network_vantage(n);
	assert_int_equal(v.kind, VANTAGE_ON_HOST);
	assert_int_equal(v.confidence, VANTAGE_LIKELY);
	assert_non_null(strstr(v.why, "10.0.0.1"));
	network_free(n);
}

static void names(void **state)
{
	static const char *const expected[] = { "unknown", "on-host", "near", "inside-nat", "outside-nat", "both-sides",
		"mid" };

	(void)state;
	for (int k = 0; k <= VANTAGE_MID; k++)
		assert_string_equal(vantage_kind_name((enum vantage_kind)k), expected[k]);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(kinds), cmocka_unit_test(noise), cmocka_unit_test(by_checksums),
		cmocka_unit_test(names) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
