/* SPDX-License-Identifier: MIT */
/* icmp: errors and what can be read of the packet they quote, however little. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dissect/icmp.h"

#define BYTES(...) \
	{ \
		(const uint8_t[]){ __VA_ARGS__ }, sizeof(const uint8_t[]) \
		{ \
			__VA_ARGS__ \
		} \
	}
#define ERROR4(type, code) type, code, 0, 0, 0, 0, 0, 0
#define IP4(total, fragment, protocol) \
	0x45, 0, 0, total, 0, 0, 0, fragment, 63, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2
#define PORTS     0x13, 0xc4, 0x2e, 0xe0
#define V6A       0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1
#define V6B       0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2
#define IP6(next) 0x60, 0, 0, 0, 0, 0, next, 62, V6A, V6B

static const struct {
	const char *name;
	struct span bytes;
	bool v6, ok, error, readable;
	const char *src, *dst;
	uint8_t protocol;
	size_t payload;
	uint16_t mtu;
} cases[] = {
	{ "port unreachable", BYTES(ERROR4(3, 3), IP4(31, 0, 17), PORTS, 0, 11, 0, 0, 1, 2, 3), false, true, true, true,
		"10.0.0.1:5060", "10.0.0.2:12000", 17, 3, 0 },
	{ "extensions behind the UDP length", BYTES(ERROR4(3, 3), IP4(31, 0, 17), PORTS, 0, 11, 0, 0, 1, 2, 3, 9, 9, 9),
		false, true, true, true, "10.0.0.1:5060", "10.0.0.2:12000", 17, 3, 0 },
	{ "RFC 4884 length", BYTES(11, 0, 0, 0, 0, 7, 0, 0, IP4(100, 0, 17), PORTS, 0, 80, 0, 0, 0x20, 0, 1, 2), false,
		true, true, true, "10.0.0.1:5060", "10.0.0.2:12000", 17, 0, 0 },
	{ "UDP length that lies", BYTES(ERROR4(3, 3), IP4(31, 0, 17), PORTS, 0, 3, 0, 0, 1), false, true, true, true,
		"10.0.0.1:5060", "10.0.0.2:12000", 17, 1, 0 },
	{ "8 bytes quoted", BYTES(ERROR4(3, 3), IP4(200, 0, 17), PORTS, 0, 180, 0, 0), false, true, true, true,
		"10.0.0.1:5060", "10.0.0.2:12000", 17, 0, 0 },
	{ "4 bytes quoted", BYTES(ERROR4(3, 3), IP4(200, 0, 17), PORTS), false, true, true, true, "10.0.0.1:5060",
		"10.0.0.2:12000", 17, 0, 0 },
	{ "3 bytes quoted", BYTES(ERROR4(3, 3), IP4(200, 0, 17), 0x13, 0xc4, 0x2e), false, true, true, false,
		"10.0.0.1", "10.0.0.2", 17, 0, 0 },
	{ "TCP", BYTES(ERROR4(3, 1), IP4(60, 0, 6), PORTS, 0, 0, 0, 1), false, true, true, true, "10.0.0.1:5060",
		"10.0.0.2:12000", 6, 0, 0 },
	{ "ICMP quoted", BYTES(ERROR4(3, 1), IP4(60, 0, 1), 3, 3, 0, 0, 0, 0, 0, 0), false, true, true, false,
		"10.0.0.1", "10.0.0.2", 1, 0, 0 },
	{ "later fragment quoted", BYTES(ERROR4(11, 1), IP4(60, 5, 17), PORTS, 0, 11, 0, 0), false, true, true, false,
		"10.0.0.1", "10.0.0.2", 17, 0, 0 },
	{ "options in the quote",
		BYTES(ERROR4(3, 3), 0x46, 0, 0, 32, 0, 0, 0, 0, 63, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 1, 1, 1, 1,
			PORTS, 0, 8, 0, 0),
		false, true, true, true, "10.0.0.1:5060", "10.0.0.2:12000", 17, 0, 0 },
	{ "IHL 15 past the quote",
		BYTES(ERROR4(3, 3), 0x4f, 0, 0, 28, 0, 0, 0, 0, 63, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, PORTS), false,
		true, true, false, "10.0.0.1", "10.0.0.2", 17, 0, 0 },
	{ "IHL 4", BYTES(ERROR4(3, 3), 0x44, 0, 0, 28, 0, 0, 0, 0, 63, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, PORTS),
		false, true, true, false, "?", "?", 0, 0, 0 },
	{ "total length 1", BYTES(ERROR4(3, 3), IP4(1, 0, 17), PORTS, 0, 9, 0, 0, 7), false, true, true, true,
		"10.0.0.1:5060", "10.0.0.2:12000", 17, 1, 0 },
	{ "IPv6 in a quote of IPv4's", BYTES(ERROR4(3, 3), IP6(17), PORTS), false, true, true, false, "?", "?", 0,
		0, 0 },
	{ "19 bytes quoted", BYTES(ERROR4(3, 3), 0x45, 0, 0, 28, 0, 0, 0, 0, 63, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0),
		false, true, true, false, "?", "?", 0, 0, 0 },
	{ "nothing quoted", BYTES(ERROR4(3, 3)), false, true, true, false, "?", "?", 0, 0, 0 },
	{ "fragmentation needed", BYTES(3, 4, 0, 0, 0, 0, 5, 0xa0, IP4(60, 0, 17), PORTS), false, true, true, true,
		"10.0.0.1:5060", "10.0.0.2:12000", 17, 0, 1440 },
	{ "echo", BYTES(8, 0, 0, 0, 0, 1, 0, 1, IP4(60, 0, 17), PORTS), false, true, false, false, "?", "?", 0, 0,
		0 },
	{ "7 bytes", BYTES(3, 3, 0, 0, 0, 0, 0), false, false, false, false, "", "", 0, 0, 0 },

	{ "v6 port unreachable", BYTES(ERROR4(1, 4), IP6(17), PORTS, 0, 10, 0, 0, 1, 2), true, true, true, true,
		"[2001:db8::1]:5060", "[2001:db8::2]:12000", 17, 2, 0 },
	{ "v6 packet too big", BYTES(2, 0, 0, 0, 0, 0, 5, 0, IP6(6), PORTS), true, true, true, true,
		"[2001:db8::1]:5060", "[2001:db8::2]:12000", 6, 0, 1280 },
	{ "v6 MTU over 16 bits", BYTES(2, 0, 0, 0, 0, 1, 0, 0, IP6(6), PORTS), true, true, true, true,
		"[2001:db8::1]:5060", "[2001:db8::2]:12000", 6, 0, 65535 },
	{ "v6 hop-by-hop, fragment, UDP",
		BYTES(ERROR4(1, 4), IP6(0), 44, 0, 1, 4, 0, 0, 0, 0, 17, 0, 0, 1, 0, 0, 0, 9, PORTS, 0, 8, 0, 0), true,
		true, true, true, "[2001:db8::1]:5060", "[2001:db8::2]:12000", 17, 0, 0 },
	{ "v6 AH", BYTES(ERROR4(1, 4), IP6(51), 17, 1, 0, 0, 0, 0, 0, 0, 9, 9, 9, 9, PORTS, 0, 8, 0, 0), true, true,
		true, true, "[2001:db8::1]:5060", "[2001:db8::2]:12000", 17, 0, 0 },
	{ "v6 later fragment", BYTES(ERROR4(3, 1), IP6(44), 17, 0, 0, 8, 0, 0, 0, 9, PORTS), true, true, true, false,
		"2001:db8::1", "2001:db8::2", 44, 0, 0 },
	{ "v6 extension past the quote", BYTES(ERROR4(1, 4), IP6(60), 17, 200, 0, 0, 0, 0, 0, 0, PORTS), true, true,
		true, false, "2001:db8::1", "2001:db8::2", 60, 0, 0 },
	{ "v6 39 bytes quoted",
		BYTES(ERROR4(1, 4), 0x60, 0, 0, 0, 0, 0, 17, 62, V6A, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
			0),
		true, true, true, false, "?", "?", 0, 0, 0 },
	{ "v6 neighbour solicitation", BYTES(135, 0, 0, 0, 0, 0, 0, 0, V6A), true, true, false, false, "?", "?", 0,
		0, 0 },
	{ "v6 4 bytes", BYTES(1, 4, 0, 0), true, false, false, false, "", "", 0, 0, 0 },
};

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char src[ENDPOINT_TEXT], dst[ENDPOINT_TEXT];
		struct icmp_message m = { .type = 77 };
		uint8_t *copy = malloc(cases[i].bytes.n);
		struct cursor c;
		bool ok;

		assert_non_null(copy);
		memcpy(copy, cases[i].bytes.p, cases[i].bytes.n);
		c = cursor_over((struct span){ copy, cases[i].bytes.n }, cases[i].bytes.n);
		ok = icmp_parse(&c, cases[i].v6, &m);
		free(copy);
		if (ok != cases[i].ok)
			fail_msg("%s", cases[i].name);
		if (!ok) {
			assert_int_equal(m.type, 77);
			continue;
		}
		endpoint_text(&m.quote_src, src);
		endpoint_text(&m.quote_dst, dst);
		if (m.error != cases[i].error || m.quote_readable != cases[i].readable ||
			strcmp(src, cases[i].src) != 0 || strcmp(dst, cases[i].dst) != 0)
			fail_msg("%s: error %d, readable %d, %s > %s", cases[i].name, m.error, m.quote_readable, src,
				dst);
		if (m.quote_protocol != cases[i].protocol || m.quote_payload.n != cases[i].payload ||
			m.mtu != cases[i].mtu)
			fail_msg("%s: protocol %u, payload %zu, MTU %u", cases[i].name, m.quote_protocol,
				m.quote_payload.n, m.mtu);
	}
}

static void test_cut_by_the_capture(void **state)
{
	static const uint8_t bytes[] = { ERROR4(3, 3), IP4(200, 0, 17), PORTS, 0, 180, 0, 0, 1, 2 };
	struct cursor c;
	struct icmp_message m;

	(void)state;
	c = cursor_over((struct span){ bytes, sizeof bytes }, 208);
	assert_true(icmp_parse(&c, false, &m));
	assert_true(m.quote_readable);
	assert_int_equal(m.quote_ttl, 63);
	assert_int_equal(m.quote_payload.n, 2);
	c = cursor_over((struct span){ bytes, 5 }, 208);
	assert_false(icmp_parse(&c, false, &m));
	assert_int_equal(c.state, CURSOR_CUT);
}

/* Extension headers without end: a limit, no walk. */
static void test_many_extension_headers(void **state)
{
	uint8_t bytes[8 + 40 + 200 * 8 + 8] = { ERROR4(1, 4), IP6(60) };
	struct cursor c = cursor_over((struct span){ bytes, sizeof bytes }, sizeof bytes);
	struct icmp_message m;

	(void)state;
	for (size_t i = 0; i < 200; i++)
		bytes[48 + 8 * i] = 60;
	assert_true(icmp_parse(&c, true, &m));
	assert_false(m.quote_readable);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_cut_by_the_capture),
		cmocka_unit_test(test_many_extension_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
