/* SPDX-License-Identifier: MIT */
/* fragment: orders, copies, attacks, time and caps. */
#include "dissect_bytes.h"

#include "captures/base/ns.h"
#include "dissect/fragment.h"

static struct dissector_counts counts;
static uint8_t datagram[65536];

static int setup(void **state)
{
	counts = (struct dissector_counts){ 0 };
	for (size_t i = 0; i < sizeof datagram; i++)
		datagram[i] = (uint8_t)(i * 7 + i / 256);
	*state = fragments_new(&counts);
	return 0;
}

static int teardown(void **state)
{
	fragments_free(*state);
	return 0;
}

static struct packet packet_from(uint8_t src, uint32_t frame, int64_t at_ns)
{
	struct packet p = { .frame = frame, .first_frame = frame, .at_ns = at_ns, .ip_protocol = 17, .ttl = 64,
		.has = HAS_IP };

	p.src.addr = address_v4((const uint8_t[]){ 10, 0, 0, src });
	p.dst.addr = address_v4((const uint8_t[]){ 10, 0, 0, 99 });
	return p;
}

/* Bytes [from, to) of the datagram, as the fragment with that identification. */
static bool add(struct fragments *f, struct packet *p, uint32_t id, size_t from, size_t to, bool more, struct cursor *c)
{
	struct ip_fragment fragment = { .is = true, .more = more, .offset = (uint16_t)from, .id = id };

	*c = cursor_over((struct span){ datagram + from, to - from }, to - from);
	p->undecoded = UNDECODED_NO;
	return fragments_add(f, &fragment, c, p);
}

/* Every order of three fragments, each perhaps twice, gives the datagram once, with the last one. */
static void test_orders(void **state)
{
	static const uint8_t orders[][6] = {
		{ 0, 1, 2 }, { 2, 1, 0 }, { 1, 2, 0 }, { 0, 2, 1 }, { 0, 0, 1, 1, 2, 2 }, { 2, 2, 0, 0, 1, 1 },
	};
	static const size_t bounds[] = { 0, 1480, 2960, 3001 };

	for (size_t o = 0; o < COUNT(orders); o++) {
		unsigned n = o < 4 ? 3 : 6, done = 0;

		for (unsigned i = 0; i < n; i++) {
			struct packet p = packet_from(1, i + 1, 0);
			unsigned piece = orders[o][i];
			struct cursor c;

			if (!add(*state, &p, (uint32_t)o, bounds[piece], bounds[piece + 1], piece < 2, &c))
				continue;
			done++;
			assert_int_equal(c.left.n, 3001);
			assert_int_equal(c.wire, 3001);
			assert_memory_equal(c.left.p, datagram, 3001);
			assert_true(p.has & HAS_REASSEMBLED);
			assert_int_equal(p.first_frame, 1);
			assert_int_equal(p.frame, n == 3 ? 3 : 5);
			assert_int_equal(p.ip_bytes, 3021);
			assert_int_equal(p.fragments, n == 3 ? 3 : 5);
		}
		assert_int_equal(done, 1);
	}
	assert_int_equal(counts.fragments_given_up, 0);
}

static void test_eight_bytes_each(void **state)
{
	struct cursor c;

	for (size_t at = 0; at < 4000; at += 8) {
		struct packet p = packet_from(1, (uint32_t)(at / 8), 0);

		assert_int_equal(add(*state, &p, 1, at, at + 8, at + 8 < 4000, &c), at + 8 == 4000);
		if (at + 8 == 4000)
			assert_int_equal(p.fragments, 255); /* stops there */
	}
	assert_memory_equal(c.left.p, datagram, 4000);
}

/* Identification, addresses, protocol and where it was seen keep datagrams apart. */
static void test_apart(void **state)
{
	struct cursor c;

	for (unsigned i = 0; i < 6; i++) {
		struct packet p = packet_from(i == 1 ? 2 : 1, 1, 0);
		uint32_t id = i == 2 ? 8 : 7;

		p.ip_protocol = i == 3 ? 6 : 17;
		p.ttl = i == 4 ? 63 : 64;
		p.file = i == 5;
		assert_false(add(*state, &p, id, 0, 8, true, &c));
	}
	for (unsigned i = 0; i < 6; i++) {
		struct packet p = packet_from(i == 1 ? 2 : 1, 2, 0);
		uint32_t id = i == 2 ? 8 : 7;

		p.ip_protocol = i == 3 ? 6 : 17;
		p.ttl = i == 4 ? 63 : 64;
		p.file = i == 5;
		assert_true(add(*state, &p, id, 8, 12, false, &c));
	}
}

struct piece {
	size_t from, to;
	bool more;
};

static const struct { const char *name; struct piece pieces[3]; unsigned n, bad; } attacks[] = {
	{ "teardrop",               { { 0, 40, true }, { 8, 24, false } }, 2, 1 },
	{ "two ends",               { { 0, 8, true }, { 16, 30, false }, { 8, 24, false } }, 3, 2 },
	{ "behind the end",         { { 8, 16, false }, { 16, 24, true } }, 2, 1 },
	{ "past 65535",             { { 0, 1480, true }, { 65528, 65536, false } }, 2, 1 },
	{ "three bytes in the middle", { { 0, 8, true }, { 8, 11, true } }, 2, 1 },
};

static void test_attacks(void **state)
{
	for (size_t a = 0; a < COUNT(attacks); a++) {
		for (unsigned i = 0; i < attacks[a].n; i++) {
			const struct piece *piece = &attacks[a].pieces[i];
			struct packet p = packet_from(1, 1, 0);
			struct cursor c;

			if (add(*state, &p, 100 + (uint32_t)a, piece->from, piece->to, piece->more, &c))
				fail_msg("%s: completed", attacks[a].name);
			if ((p.undecoded == UNDECODED_FRAGMENT) != (i >= attacks[a].bad))
				fail_msg("%s: piece %u, undecoded %d", attacks[a].name, i, p.undecoded);
		}
		assert_int_equal(counts.fragments_given_up, a + 1);
	}
}

static void test_overlap(void **state)
{
	struct packet p = packet_from(1, 1, 0);
	struct cursor c;

	assert_false(add(*state, &p, 1, 0, 16, true, &c));
	assert_true(add(*state, &p, 1, 8, 20, false, &c));      /* the same bytes again: harmless */
	assert_false(add(*state, &p, 2, 0, 16, true, &c));
	datagram[9] ^= 1;
	assert_false(add(*state, &p, 2, 8, 20, false, &c));
	assert_int_equal(p.undecoded, UNDECODED_FRAGMENT);
	datagram[9] ^= 1;
	assert_false(add(*state, &p, 2, 8, 20, false, &c));     /* dropped stays dropped */
	assert_int_equal(counts.fragments_given_up, 1);
}

static void test_time(void **state)
{
	struct packet p = packet_from(1, 1, 0);
	struct cursor c;

	assert_false(add(*state, &p, 1, 0, 8, true, &c));
	p.at_ns = 31 * SECOND_NS;
	assert_false(add(*state, &p, 1, 8, 12, false, &c));     /* of another datagram by now */
	assert_int_equal(counts.fragments_given_up, 1);
	assert_true(add(*state, &p, 1, 0, 8, true, &c));

	p.at_ns += 50 * MILLISECOND_NS;
	assert_false(add(*state, &p, 1, 0, 8, true, &c));       /* a late copy */
	p.at_ns += SECOND_NS;
	assert_false(add(*state, &p, 1, 0, 8, true, &c));       /* the identification again */
	assert_true(add(*state, &p, 1, 8, 12, false, &c));
}

static void test_cut(void **state)
{
	struct ip_fragment fragment = { .is = true, .more = true, .id = 1 };
	struct packet p = packet_from(1, 1, 0);
	struct cursor c = cursor_over((struct span){ datagram, 16 }, 800);

	assert_false(fragments_add(*state, &fragment, &c, &p));
	assert_int_equal(p.undecoded, UNDECODED_TRUNCATED);
}

/* A flood stays within the caps, and what is evicted is counted. */
static void test_flood(void **state)
{
	struct cursor c;

	for (uint32_t i = 0; i < 20000; i++) {
		struct packet p = packet_from(1, i, 0);

		assert_false(add(*state, &p, i, 65520, 65528, true, &c));
	}
	assert_true(counts.fragments_evicted > 15000);
	assert_true(counts.fragments_evicted < 20000);
}

static void test_ip6(void **state)
{
	struct packet p = packet_from(1, 1, 0);
	struct cursor c;

	p.src.addr = address_v6((const uint8_t[16]){ 0xfd, [15] = 1 });
	p.dst.addr = address_v6((const uint8_t[16]){ 0xfd, [15] = 2 });
	assert_false(add(*state, &p, 1, 0, 8, true, &c));
	p.ip_protocol = 60;                             /* only the first fragment's counts: RFC 8200 4.5 */
	assert_true(add(*state, &p, 1, 8, 12, false, &c));
	assert_int_equal(p.ip_protocol, 17);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_orders, setup, teardown),
		cmocka_unit_test_setup_teardown(test_eight_bytes_each, setup, teardown),
		cmocka_unit_test_setup_teardown(test_apart, setup, teardown),
		cmocka_unit_test_setup_teardown(test_attacks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_overlap, setup, teardown),
		cmocka_unit_test_setup_teardown(test_time, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(test_flood, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ip6, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
