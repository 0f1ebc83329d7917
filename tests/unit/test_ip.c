/* SPDX-License-Identifier: MIT */
/* ip: lengths, options, extension headers, fragments' fields, checksums. */
#include "dissect_bytes.h"

#include "dissect/ip.h"

#define FROM_TO 10, 0, 0, 1, 10, 0, 0, 2
#define IP4(ihl, total, flags) 0x40 | (ihl), 0xb8, 0, total, 0x12, 0x34, flags, 0, 63, 17, 0, 0, FROM_TO
#define IP6(length, next) 0x60, 0, 0, 0, 0, length, next, 9, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, \
	0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2

static const struct {
	const char *name;
	struct span bytes;
	size_t more;
	bool ok;
	enum undecoded undecoded;
	uint8_t protocol;
	size_t left, wire;           /* at the cursor afterwards */
	uint16_t ip_bytes;
} cases[] = {
	{ "IPv4",                  BYTES(IP4(5, 22, 0), 1, 2), 0, true, UNDECODED_NO, 17, 2, 2, 22 },
	{ "padding trimmed",       BYTES(IP4(5, 22, 0), 1, 2, 0, 0, 0), 0, true, UNDECODED_NO, 17, 2, 2, 22 },
	{ "options",               BYTES(IP4(6, 26, 0), 1, 1, 1, 1, 9, 9), 0, true, UNDECODED_NO, 17, 2, 2, 26 },
	{ "total length 0: TSO",   BYTES(IP4(5, 0, 0), 1, 2, 3), 0, true, UNDECODED_NO, 17, 3, 3, 23 },
	{ "cut by the snap length", BYTES(IP4(5, 99, 0), 1, 2), 77, true, UNDECODED_NO, 17, 2, 79, 99 },
	{ "cut, and not said",     BYTES(IP4(5, 99, 0), 1, 2), 0, true, UNDECODED_NO, 17, 2, 79, 99 },
	{ "header length 4",       BYTES(IP4(4, 22, 0), 1, 2), 0, false, UNDECODED_MALFORMED, 0, 0, 0, 0 },
	{ "total below header",    BYTES(IP4(5, 19, 0), 1, 2), 0, false, UNDECODED_MALFORMED, 0, 0, 0, 0 },
	{ "header cut",            BYTES(0x45, 0, 0, 60, 0, 0), 40, false, UNDECODED_TRUNCATED, 0, 0, 0, 0 },
	{ "header short",          BYTES(0x45, 0, 0, 60, 0, 0), 0, false, UNDECODED_MALFORMED, 0, 0, 0, 0 },
	{ "version 5",             BYTES(0x55, 0, 0, 22), 0, false, UNDECODED_MALFORMED, 0, 0, 0, 0 },
	{ "IPv6",                  BYTES(IP6(2, 17), 1, 2, 0, 0), 0, true, UNDECODED_NO, 17, 2, 2, 42 },
	{ "hop by hop, routing",   BYTES(IP6(18, 0), 43, 0, 0, 0, 0, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0, 0, 1, 2), 0, true,
	  UNDECODED_NO, 17, 2, 2, 58 },
	{ "authentication",        BYTES(IP6(14, 51), 17, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2), 0, true, UNDECODED_NO,
	  17, 2, 2, 54 },
	{ "atomic fragment",       BYTES(IP6(10, 44), 17, 0, 0, 0, 1, 2, 3, 4, 1, 2), 0, true, UNDECODED_NO, 17, 2, 2,
	  50 },
	{ "no next header",        BYTES(IP6(2, 59), 1, 2), 0, true, UNDECODED_NO, 59, 2, 2, 42 },
	{ "extension past end",    BYTES(IP6(8, 0), 17, 9, 0, 0, 0, 0, 0, 0), 0, false, UNDECODED_MALFORMED, 0, 0, 0,
	  0 },
	{ "extension cut",         BYTES(IP6(90, 0), 17, 9, 0, 0, 0, 0, 0, 0), 82, false, UNDECODED_TRUNCATED, 0, 0, 0,
	  0 },
};

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct cursor c = cursor_over(cases[i].bytes, cases[i].bytes.n + cases[i].more);
		struct ip_fragment fragment = { 0 };
		struct packet p = { 0 };
		bool ok = ip_parse(&c, &p, &fragment);

		if (ok != cases[i].ok || p.undecoded != cases[i].undecoded)
			fail_msg("%s: %d, undecoded %d", cases[i].name, ok, p.undecoded);
		if (!ok)
			continue;
		if (p.ip_protocol != cases[i].protocol || c.left.n != cases[i].left || c.wire != cases[i].wire ||
		    p.ip_bytes != cases[i].ip_bytes)
			fail_msg("%s: protocol %d, left %zu, wire %zu, length %d", cases[i].name, p.ip_protocol,
				c.left.n, c.wire, p.ip_bytes);
		assert_false(fragment.is);
	}
}

static void test_fields(void **state)
{
	struct span bytes = BYTES(IP4(5, 22, 0x40), 1, 2);
	struct cursor c = cursor_over(bytes, bytes.n);
	struct ip_fragment fragment;
	char text[ADDRESS_TEXT];
	struct packet p = { 0 };

	(void)state;
	assert_true(ip_parse(&c, &p, &fragment));
	assert_int_equal(p.ttl, 63);
	assert_int_equal(p.dscp, 46);
	assert_int_equal(p.ip_id, 0x1234);
	assert_true((p.has & (HAS_IP | HAS_IP_ID | HAS_DF)) == (HAS_IP | HAS_IP_ID | HAS_DF));
	assert_string_equal(address_text(&p.src.addr, text), "10.0.0.1");
	assert_string_equal(address_text(&p.dst.addr, text), "10.0.0.2");
}

static void test_fragments(void **state)
{
	struct span v4 = BYTES(0x45, 0, 0, 22, 0, 7, 0x20, 3, 64, 17, 0, 0, FROM_TO, 1, 2);
	struct span v6 = BYTES(IP6(10, 44), 17, 0, 0, 0x19, 0, 0, 0, 7, 1, 2);
	struct cursor c = cursor_over(v4, v4.n);
	struct ip_fragment fragment = { 0 };
	struct packet p = { 0 };

	(void)state;
	assert_true(ip_parse(&c, &p, &fragment));
	assert_true(fragment.is && fragment.more);
	assert_int_equal(fragment.offset, 24);
	assert_int_equal(fragment.id, 7);
	c = cursor_over(v6, v6.n);
	assert_true(ip_parse(&c, &p, &fragment));
	assert_true(fragment.is && fragment.more);
	assert_int_equal(fragment.offset, 24);
	assert_int_equal(fragment.id, 7);
	assert_int_equal(c.left.n, 2);
}

/* As many extension headers as fit: the walk gives up. */
static void test_extension_chain(void **state)
{
	static struct bytes b;
	struct ip_fragment fragment;
	struct packet p = { 0 };
	struct cursor c;

	(void)state;
	bytes_join(&b, SPAN_NONE, BYTES(1, 2));
	for (unsigned i = 0; i < 200; i++)
		bytes_join(&b, i ? BYTES(60, 0, 0, 0, 0, 0, 0, 0) : BYTES(17, 0, 0, 0, 0, 0, 0, 0), bytes_span(&b));
	ip6_wrap(&b, 1, 2, 60, bytes_span(&b));
	c = cursor_over(bytes_span(&b), b.n);
	assert_false(ip_parse(&c, &p, &fragment));
	assert_int_equal(p.undecoded, UNDECODED_MALFORMED);
}

/* The example of RFC 1071 3 as payload, and one byte more. */
static void test_checksum(void **state)
{
	struct span even = BYTES(0x13, 0xc4, 0x13, 0xc4, 0, 16, 0, 0, 0, 1, 0xf2, 3, 0xf4, 0xf5, 0xf6, 0xf7);
	static struct bytes b;
	struct packet p = { 0 };
	uint32_t sum;

	(void)state;
	p.src.addr = address_v4((const uint8_t[]){ 10, 0, 0, 1 });
	p.dst.addr = address_v4((const uint8_t[]){ 10, 0, 0, 2 });
	for (size_t n = even.n - 1; n <= even.n; n++) {
		sum = 0x0a00 + 1 + 0x0a00 + 2 + 17 + (uint32_t)n; /* the pseudo header, as RFC 768 draws it */
		for (size_t i = 0; i < n; i++)
			sum += (uint32_t)even.p[i] << (i % 2 ? 0 : 8);
		while (sum >> 16)
			sum = (sum & 0xffff) + (sum >> 16);
		bytes_join(&b, SPAN_NONE, span_first(even, n));
		b.p[6] = (uint8_t)(~sum >> 8);
		b.p[7] = (uint8_t)~sum;
		assert_true(ip_checksum_ok(&p, 17, bytes_span(&b)));
		b.p[9] ^= 1;
		assert_false(ip_checksum_ok(&p, 17, bytes_span(&b)));
	}
}

static void test_plausible(void **state)
{
	const struct { struct span bytes; bool ok; } rows[] = {
		{ BYTES(IP4(5, 22, 0), 1, 2), true },
		{ BYTES(IP4(5, 23, 0), 1, 2), false },
		{ BYTES(IP4(4, 22, 0), 1, 2), false },
		{ BYTES(IP6(2, 17), 1, 2), true },
		{ BYTES(IP6(3, 17), 1, 2), false },
		{ BYTES(0x80, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0), false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(ip_plausible(cursor_over(rows[i].bytes, rows[i].bytes.n)), rows[i].ok);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_fragments),
		cmocka_unit_test(test_extension_chain),
		cmocka_unit_test(test_checksum),
		cmocka_unit_test(test_plausible),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
