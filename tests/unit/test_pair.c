/* SPDX-License-Identifier: MIT */
/* test_pair: counters a protocol, times in which a pair was seen, copies, witnesses. */
#include "tests/unit/network_packets.h"

static const struct pair *pair_of(const struct network *n, const char *src, const char *dst)
{
	struct address a = address_of(src), b = address_of(dst);

	return network_pair_find(n, &a, &b);
}

static void counters(void **state)
{
	static const struct {
		enum packet_kind kind;
		size_t offset;
	} cases[] = {
		{ PACKET_RTP, offsetof(struct pair, rtp) },
		{ PACKET_SIP, offsetof(struct pair, sip) },
		{ PACKET_RTCP, offsetof(struct pair, rtcp) },
		{ PACKET_ICMP, offsetof(struct pair, icmp) },
		{ PACKET_STUN, offsetof(struct pair, stun) },
		{ PACKET_TLS, offsetof(struct pair, tls) },
		{ PACKET_DTLS, offsetof(struct pair, tls) },
		{ PACKET_OTHER, offsetof(struct pair, other) },
		{ PACKET_TCP, offsetof(struct pair, other) },
		{ PACKET_KEEPALIVE, offsetof(struct pair, other) },
		{ PACKET_FRAGMENT, offsetof(struct pair, other) },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct network *n = network_new(NULL);
		struct packet p = packet_of(cases[i].kind, "10.0.0.1:1", "10.0.0.2:2", 0);
		const struct pair *pair;

		network_packet(n, &p, DUPLICATE_NO, 3);
		pair = pair_of(n, "10.0.0.1", "10.0.0.2");
		assert_int_equal(*(const uint64_t *)((const char *)pair + cases[i].offset), 3);
		assert_int_equal(pair->packets, 3);
		assert_int_equal(
			pair->rtp + pair->sip + pair->rtcp + pair->icmp + pair->stun + pair->tls + pair->other, 3);
		assert_null(pair_of(n, "10.0.0.2", "10.0.0.1"));
		network_free(n);
	}
}

static void not_ip(void **state)
{
	struct network *n = network_new(NULL);
	struct packet p = packet_of(PACKET_ARP, "10.0.0.1:1", "10.0.0.2:2", 0);

	(void)state;
	p.has = 0;
	network_packet(n, &p, DUPLICATE_NO, 1);
	p = packet_of(PACKET_OTHER, "10.0.0.1:1", "10.0.0.2:2", 0);
	network_packet(n, &p, DUPLICATE_NO, 0);
	assert_int_equal(network_hosts(n)->count, 0);
	assert_int_equal(network_counts(n).packets, 0);
	network_free(n);
}

/* Packets at these seconds; was the pair seen in the window? */
static void spells(void **state)
{
	static const struct {
		int seconds[8];
		int from, to, margin;
		unsigned spells;
		bool seen;
	} cases[] = {
		{ { 1, 2, 3, 4, 5, 6, 7, 8 }, 3, 4, 0, 1, true }, { { 1, 2, 3, 4, 5, 6, 7, 8 }, 9, 20, 0, 1, false },
		{ { 1, 2, 3, 4, 5, 6, 7, 8 }, 9, 20, 1, 1, true },
		{ { 100, 101, 102, 200, 201, 300, 301, 302 }, 103, 199, 0, 3, false },
		{ { 100, 101, 102, 200, 201, 300, 301, 302 }, 103, 199, 60, 3, true },
		{ { 100, 101, 102, 200, 201, 300, 301, 302 }, 201, 201, 0, 3, true },
		{ { 100, 101, 102, 200, 201, 300, 301, 302 }, 303, 900, 0, 3, false },
		{ { 100, 101, 102, 200, 201, 300, 301, 302 }, 1, 99, 0, 3, false },
		{ { 1, 11, 21, 31, 41, 51, 61, 71 }, 32, 40, 0, 1, true }, /* holes of 10 s at most: one spell */
		{ { 1, 12, 23, 34, 45, 56, 67, 78 }, 35, 44, 0, 8, false },
		{ { 300, 100, 200, 101, 301, 201, 102, 302 }, 103, 199, 0, 3, false }, /* out of order */
		{ { 300, 100, 200, 101, 301, 201, 102, 302 }, 199, 202, 0, 3, true },
		{ { 300, 295, 290, 285, 280, 275, 270, 265 }, 265, 265, 0, 1, true }, /* backwards */
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct network *n = network_new(NULL);
		const struct pair *pair;

		for (int k = 0; k < 8; k++) {
			struct packet p =
				packet_of(PACKET_OTHER, "10.0.0.1:1", "10.0.0.2:2", cases[i].seconds[k] * 1000);

			network_packet(n, &p, DUPLICATE_NO, 1);
		}
		pair = pair_of(n, "10.0.0.1", "10.0.0.2");
		assert_int_equal(pair->spell_count, cases[i].spells);
		if (pair_seen(pair, cases[i].from * SECOND_NS, cases[i].to * SECOND_NS, cases[i].margin * SECOND_NS) !=
			cases[i].seen)
			fail_msg("case %zu", i);
		network_free(n);
	}
}

/*
 * More holes than there is room for: the smallest are filled first, the largest stay; forwards, backwards, and at the
 * ends of time.
 */
static void spells_many(void **state)
{
	(void)state;
	for (int backwards = 0; backwards < 2; backwards++) {
		struct network *n = network_new(NULL);
		const struct pair *pair;

		for (int i = 0; i < 1000; i++) {
			int at = backwards ? 999 - i : i;
			struct packet p = packet_of(
				PACKET_OTHER, "10.0.0.1:1", "10.0.0.2:2", (at * 20 + (at >= 500 ? 5000 : 0)) * 1000);

			network_packet(n, &p, DUPLICATE_NO, 1);
		}
		pair = pair_of(n, "10.0.0.1", "10.0.0.2");
		assert_int_equal(pair->spell_count, 64);
		for (unsigned i = 1; i < pair->spell_count; i++)
			assert_true(pair->spells[i].from_ns > pair->spells[i - 1].to_ns);
		assert_false(pair_seen(pair, 9981 * SECOND_NS, 14999 * SECOND_NS, 0));
		assert_true(pair_seen(pair, 0, 0, 0));
		assert_true(pair_seen(pair, 24980 * SECOND_NS, 24980 * SECOND_NS, 0));
		network_free(n);
	}
	for (int i = 0; i < 2; i++) {
		struct network *n = network_new(NULL);
		struct packet p = packet_of(PACKET_OTHER, "10.0.0.1:1", "10.0.0.2:2", 0);

		p.at_ns = i ? INT64_MAX : INT64_MIN + 1;
		network_packet(n, &p, DUPLICATE_NO, 1);
		p.at_ns = i ? INT64_MIN + 1 : INT64_MAX;
		network_packet(n, &p, DUPLICATE_NO, 1);
		assert_false(pair_seen(pair_of(n, "10.0.0.1", "10.0.0.2"), 0, 0, MINUTE_NS));
		assert_true(pair_seen(pair_of(n, "10.0.0.1", "10.0.0.2"), INT64_MIN, INT64_MAX, MINUTE_NS));
		network_free(n);
	}
}

/* Copies are counted apart, with the largest distance, and remember the points. */
static void copies(void **state)
{
	struct network *n = network_new(NULL);
	struct packet p = packet_of(PACKET_OTHER, "10.0.0.1:1", "10.0.0.2:2", 0);
	const struct pair *pair;

	(void)state;
	p.has |= HAS_IP_ID;
	for (uint16_t i = 1; i <= 10; i++) {
		p.ip_id = i;
		p.frame = 3u * i;
		p.interface = 0;
		p.ttl = 64;
		network_packet(n, &p, network_duplicate(n, &p), 1);
		p.frame++;
		p.at_ns += i * MICROSECOND_NS;
		network_packet(n, &p, network_duplicate(n, &p), 1);
		p.frame++;
		p.interface = 1;
		p.ttl = 63;
		network_packet(n, &p, network_duplicate(n, &p), 1);
		p.at_ns += SECOND_NS;
	}
	pair = pair_of(n, "10.0.0.1", "10.0.0.2");
	assert_int_equal(pair->packets, 10);
	assert_int_equal(pair->other, 10);
	assert_int_equal(pair->copies, 20);
	assert_int_equal(pair->copies_other_point, 10);
	assert_int_equal(pair->copy_delta_max_ns, 10 * MICROSECOND_NS);
	assert_int_equal(pair->points, 3);
	assert_int_equal(network_counts(n).copies, 20);
	assert_int_equal(network_counts(n).packets, 30);
	network_free(n);
}

/* Forty interfaces: the first 31 have a bit of their own. */
static void points(void **state)
{
	struct network *n = network_new(NULL);
	struct packet p = packet_of(PACKET_OTHER, "10.0.0.1:1", "10.0.0.2:2", 0),
		      q = packet_of(PACKET_OTHER, "10.0.0.1:1", "10.0.0.3:2", 0);

	(void)state;
	for (uint16_t i = 0; i < 40; i++) {
		p.interface = i;
		network_packet(n, &p, DUPLICATE_NO, 1);
	}
	q.interface = 39;
	network_packet(n, &q, DUPLICATE_NO, 1);
	q.interface = 4;
	network_packet(n, &q, DUPLICATE_NO, 1);
	assert_int_equal(pair_of(n, "10.0.0.1", "10.0.0.2")->points, UINT32_MAX);
	assert_int_equal(pair_of(n, "10.0.0.1", "10.0.0.3")->points, UINT32_C(1) << 31 | 1 << 4);
	network_free(n);
}

/* Two calls of one pair and its answer, and of others between: each is found again. */
static void pairs_found(void **state)
{
	static const char *const ends[] = { "10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1", "[2001:db8::1]:1" };
	struct network *n = network_new(NULL);
	size_t i = 0;

	(void)state;
	for (size_t k = 0; k < 160; k++) {
		struct packet p = packet_of(PACKET_OTHER, ends[k % 4], ends[k / 4 % 4], 0);

		network_packet(n, &p, DUPLICATE_NO, 1);
	}
	assert_int_equal(network_pairs(n)->count, 16);
	assert_int_equal(network_hosts(n)->count, 4);
	LIST_EACH(it, network_pairs(n)) {
		const struct pair *pair = LIST_ENTRY(it, struct pair, in_order);

		assert_int_equal(pair->packets, 10);
		assert_true(address_equal(&pair->src, &(struct address){ 0 }) == false);
		i++;
	}
	assert_int_equal(i, 16);
	network_free(n);
}

/* Is anybody but `but` heard by 10.0.0.1 in [10 s, 20 s]? */
static void witnesses(void **state)
{
	static const struct {
		const char *name, *from;
		int second;
		bool witness;
	} cases[] = {
		{ "another host", "10.0.0.3:1", 15, true },
		{ "the silent peer itself", "10.0.0.2:1", 15, false },
		{ "another host, before", "10.0.0.3:1", 5, false },
		{ "another host, after", "10.0.0.3:1", 25, false },
		{ "itself", "10.0.0.1:1", 15, false },
		{ "the peer's other face", "203.0.113.2:1", 15, false },
		{ "its configured other address", "10.5.0.2:1", 15, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct network *n = network_new(NULL);
		struct address dst = address_of("10.0.0.1"), but = address_of("10.0.0.2"),
			       other = address_of("10.5.0.2");
		struct endpoint inside = endpoint_of("10.0.0.2"), outside = endpoint_of("203.0.113.2"),
				from = endpoint_of(cases[i].from);
		struct packet p = packet_of(PACKET_OTHER, cases[i].from, "10.0.0.1:2", cases[i].second * 1000);
		const struct pair *witness = NULL;

		network_alias(n, &but, &other);
		network_learn(n, &inside, &outside, false, NAT_CONFIG, 0, 0, 1);
		network_packet(n, &p, DUPLICATE_NO, 1);
		if (network_other_inbound(n, &dst, &but, 10 * SECOND_NS, 20 * SECOND_NS, &witness) != cases[i].witness)
			fail_msg("%s", cases[i].name);
		assert_int_equal(witness != NULL, cases[i].witness);
		if (witness)
			assert_true(address_equal(&witness->src, &from.addr));
		network_free(n);
	}
}

/* A proven witness is found behind any number of forged ones; an unknown host has none. */
static void witness_in_a_flood(void **state)
{
	struct network *n = network_new(NULL);
	struct address dst = address_of("10.0.0.1"), but = address_of("10.0.0.2"), unknown = address_of("10.0.0.77");
	const struct pair *witness = NULL;
	char src[32];

	(void)state;
	for (int i = 0; i < 3000; i++) {
		struct packet p;

		snprintf(src, sizeof src, "100.1.%d.%d:5060", i / 250, i % 250);
		p = packet_of(PACKET_SIP, src, "10.0.0.1:5060", 0);
		network_packet(n, &p, DUPLICATE_NO, 1);
	}
	assert_false(network_other_inbound(n, &dst, &but, 10 * SECOND_NS, 20 * SECOND_NS, &witness));
	packets_send(n, packet_of(PACKET_RTP, "10.0.0.3:4000", "10.0.0.1:4000", 15000), 30);
	assert_true(network_other_inbound(n, &dst, &but, 10 * SECOND_NS, 20 * SECOND_NS, &witness));
	assert_int_equal(witness->rtp, 30);
	assert_false(network_other_inbound(n, &unknown, &but, 10 * SECOND_NS, 20 * SECOND_NS, NULL));
	network_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counters),
		cmocka_unit_test(not_ip),
		cmocka_unit_test(spells),
		cmocka_unit_test(spells_many),
		cmocka_unit_test(copies),
		cmocka_unit_test(points),
		cmocka_unit_test(pairs_found),
		cmocka_unit_test(witnesses),
		cmocka_unit_test(witness_in_a_flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
