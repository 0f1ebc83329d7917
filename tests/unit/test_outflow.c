/* SPDX-License-Identifier: MIT */
/* outflow: flows of inside hosts to outside ones, their spells, and what happens when the table is full. */
#include "analyzer/network/outflow_spell.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define START_NS (INT64_C(1700000000) * SECOND_NS)

static void packet(struct outflows *t, int64_t s, const char *src, const char *dst)
{
	struct packet p = { .kind = PACKET_OTHER, .has = HAS_IP | HAS_PORTS, .at_ns = START_NS + s * SECOND_NS,
		.ip_protocol = 17 };

	assert_true(endpoint_parse(span_of(src), &p.src));
	assert_true(endpoint_parse(span_of(dst), &p.dst));
	outflows_packet(t, &p);
}

static void test_spells(void **state)
{
	struct site *site = site_new();
	struct outflows *t = outflows_new(site, 30 * SECOND_NS, 0);
	const struct outflow *f;

	(void)state;
	packet(t, 0, "10.0.0.1:1", "10.0.0.2:2");        /* stays inside */
	packet(t, 40, "10.0.0.1:1000", "203.0.113.1:53");
	packet(t, 41, "203.0.113.1:53", "10.0.0.1:1000");
	packet(t, 100, "10.0.0.1:1000", "203.0.113.1:53");
	packet(t, 101, "203.0.113.1:99", "10.0.0.1:1000"); /* nobody asked that port */
	packet(t, 102, "10.0.0.1:1001", "203.0.113.1:53");
	assert_int_equal(outflows_count(t), 2);
	f = outflows_at(t, 0);
	assert_int_equal(f->answered_ns, START_NS + 41 * SECOND_NS);
	assert_int_equal(outflows_spell(t, f->first_ns), 1);
	assert_true(outflow_sent(t, f, 1) && outflow_received(t, f, 1));
	assert_false(outflow_sent(t, f, 2));
	assert_true(outflow_sent(t, f, 3));
	assert_false(outflow_received(t, f, 3));
	assert_false(outflow_sent(t, f, 0));        /* before it began */
	assert_int_equal(outflows_at(t, 1)->answered_ns, NS_NONE);
	outflows_free(t);
	site_free(site);
}

static void test_long_flow(void **state)
{
	struct site *site = site_new();
	struct outflows *t = outflows_new(site, SECOND_NS, 0);

	(void)state;
	for (int64_t s = 0; s < 2 * OUTFLOW_SPELLS; s++)
		packet(t, s, "10.0.0.1:1000", "203.0.113.1:53");
	assert_int_equal(outflows_count(t), 1);
	assert_true(outflow_sent(t, outflows_at(t, 0), OUTFLOW_SPELLS - 1));
	assert_false(outflow_sent(t, outflows_at(t, 0), OUTFLOW_SPELLS));
	outflows_free(t);
	site_free(site);
}

static void test_full(void **state)
{
	struct site *site = site_new();
	struct outflows *t = outflows_new(site, SECOND_NS, 3);

	(void)state;
	packet(t, 0, "10.0.0.1:1", "203.0.113.1:53");
	packet(t, 0, "10.0.0.1:2", "203.0.113.1:53");
	packet(t, 0, "10.0.0.1:3", "203.0.113.1:53");
	assert_false(outflows_full(t));
	packet(t, 1, "203.0.113.9:1", "10.0.0.1:7");     /* uninvited: no flow of ours */
	assert_false(outflows_full(t));
	packet(t, 1, "10.0.0.1:4", "203.0.113.1:53");
	assert_true(outflows_full(t));
	assert_int_equal(outflows_count(t), 3);
	outflows_free(t);
	site_free(site);
}

/* Who was silent for long makes room, and is counted all the same; a question without answer stays. */
static void test_room(void **state)
{
	struct site *site = site_new();
	struct outflows *t = outflows_new(site, 30 * SECOND_NS, 8);
	struct outflow_spell list[40] = { 0 };
	char from[32];

	(void)state;
	packet(t, 0, "10.0.0.1:1", "203.0.113.1:53");
	packet(t, 0, "10.0.0.2:2", "203.0.113.1:53");
	packet(t, 1, "203.0.113.1:53", "10.0.0.2:2");
	for (unsigned i = 3; i <= 8; i++) {
		snprintf(from, sizeof from, "10.0.0.3:%u", i);
		packet(t, 0, from, "203.0.113.2:443");
	}
	for (unsigned i = 0; i < 7; i++) {
		snprintf(from, sizeof from, "10.0.0.3:%u", 100 + i);
		packet(t, 600, from, "203.0.113.2:443");
	}
	assert_false(outflows_full(t));
	assert_int_equal(outflows_count(t), 8);
	assert_int_equal(outflows_at(t, 0)->outside.port, 53);
	assert_false(outflows_was_answered(t, &outflows_at(t, 0)->inside.addr));
	outflows_count_spells(t, list, 40, START_NS + 700 * SECOND_NS);
	assert_int_equal(list[0].tried, 8);
	assert_int_equal(list[0].answered, 1);
	assert_int_equal(list[20].tried, 7);
	packet(t, 601, "10.0.0.3:200", "203.0.113.2:443");
	assert_true(outflows_full(t));       /* all but the question speak */
	outflows_free(t);
	site_free(site);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_spells), cmocka_unit_test(test_long_flow),
		cmocka_unit_test(test_full), cmocka_unit_test(test_room) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
