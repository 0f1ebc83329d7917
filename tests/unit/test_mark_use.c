/* SPDX-License-Identifier: MIT */
/* mark_use: data with the mark of voice by pair of hosts, and no more pairs than there is room for. */
#include "analyzer/network/mark_use.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void say(struct mark_uses *u, uint8_t host, uint8_t dscp, uint8_t kind)
{
	struct packet p = { .kind = kind, .transport = TRANSPORT_TCP, .ip_protocol = 6, .dscp = dscp,
		.ip_bytes = 1000, .frame = 1,
		.src = { address_v4((uint8_t[]){ 10, 0, 0, host }), 40000 },
		.dst = { address_v4((uint8_t[]){ 10, 0, 1, 1 }), 443 } };

	mark_uses_packet(u, &p);
}

static void say_udp(struct mark_uses *u, uint8_t kind, uint32_t bytes)
{
	struct packet p = { .kind = kind, .transport = TRANSPORT_UDP, .ip_protocol = 17, .dscp = 46, .has = HAS_PORTS,
		.ip_bytes = bytes, .frame = 1, .src = { address_v4((uint8_t[]){ 10, 0, 0, 9 }), 40000 },
		.dst = { address_v4((uint8_t[]){ 10, 0, 1, 1 }), 7001 } };

	mark_uses_packet(u, &p);
}

static void what_counts(void **state)
{
	struct mark_uses u = { .count = 0 };

	(void)state;
	say(&u, 1, 0, PACKET_OTHER);
	say(&u, 1, 26, PACKET_OTHER);
	say(&u, 1, 46, PACKET_SIP);
	assert_int_equal(u.count, 0);
	say(&u, 1, 46, PACKET_OTHER);
	say(&u, 1, 40, PACKET_TLS);
	say(&u, 2, 46, PACKET_OTHER);
	assert_int_equal(u.count, 2);
	assert_int_equal(u.list[0].packets, 2);
	assert_int_equal(u.list[0].bytes, 2000);
	assert_int_equal(u.list[0].port, 443);
	/* voice and what is as small as voice in a tunnel are no data */
	say_udp(&u, PACKET_RTP, 1200);
	say_udp(&u, PACKET_OTHER, 280);
	assert_int_equal(u.count, 2);
	say_udp(&u, PACKET_OTHER, 1200);
	assert_int_equal(u.count, 3);
	assert_true(u.list[2].udp);
}

static void when_it_is_full(void **state)
{
	struct mark_uses u = { .count = 0 };

	(void)state;
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < 250; i++)
			say(&u, (uint8_t)i, 46, PACKET_OTHER);
	}
	assert_int_equal(u.count, MARK_USES);
	for (unsigned i = 0; i < u.count; i++)
		assert_int_equal(u.list[i].packets, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(what_counts), cmocka_unit_test(when_it_is_full) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
