/* SPDX-License-Identifier: MIT */
/* turn: until when a relay is lent, who gives it back, and what happens when the table is full. */
#include "analyzer/network/turn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define START_NS (INT64_C(1700000000) * SECOND_NS)
#define CLIENT "10.0.0.1:4000"
#define SERVER "203.0.113.50:3478"

enum { REFRESH = 0x0004, ALLOCATED = 0x0103, REFRESHED = 0x0104, BINDING = 0x0101 };

struct said { int64_t at_s; uint16_t type; int lifetime_s; };   /* lifetime_s -1: not given */

static void say(struct turns *t, const char *client, const struct said *s)
{
	bool from_client = s->type == REFRESH;
	struct packet p = { .kind = PACKET_STUN, .has = HAS_IP | HAS_PORTS, .at_ns = START_NS + s->at_s * SECOND_NS, .frame = 1,
		.stun = { .type = s->type, .has_lifetime = s->lifetime_s >= 0,
			.lifetime_s = s->lifetime_s < 0 ? 0 : (uint32_t)s->lifetime_s } };

	assert_true(endpoint_parse(span_of(from_client ? client : SERVER), &p.src));
	assert_true(endpoint_parse(span_of(from_client ? SERVER : client), &p.dst));
	turns_packet(t, &p);
}

static const struct allocation *find(const struct turns *t, const char *client, int64_t at_s)
{
	struct endpoint a, b;

	assert_true(endpoint_parse(span_of(client), &a) && endpoint_parse(span_of(SERVER), &b));
	return turns_find(t, &a.addr, &b.addr, START_NS + at_s * SECOND_NS);
}

static const struct allocation *of(const struct turns *t, const char *client, int64_t at_s)
{
	struct endpoint e;

	assert_true(endpoint_parse(span_of(client), &e));
	return turns_of(t, &e, START_NS + at_s * SECOND_NS);
}

static void how_long_it_is_lent(void **state)
{
	static const struct { const char *name; struct said said[4]; int64_t until_s; bool given_back, asked; } cases[] = {
		{ "as granted", { { 1, ALLOCATED, 600 } }, 601, false, false },
		{ "600 s when nothing is said", { { 1, ALLOCATED, -1 } }, 601, false, false },
		{ "refreshed", { { 1, ALLOCATED, 600 }, { 300, REFRESH, 600 }, { 301, REFRESHED, 600 } }, 901, false, false },
		{ "asked, not granted", { { 1, ALLOCATED, 600 }, { 300, REFRESH, 600 } }, 601, false, true },
		{ "given back", { { 1, ALLOCATED, 600 }, { 300, REFRESH, 0 }, { 301, REFRESHED, 0 } }, 601, true, true },
		{ "lent anew", { { 1, ALLOCATED, 600 }, { 300, REFRESH, 0 }, { 310, ALLOCATED, 60 } }, 370, false, false },
		{ "a binding changes nothing", { { 1, ALLOCATED, 600 }, { 2, BINDING, 1 } }, 601, false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct turns *t = turns_new(0);
		const struct allocation *a;

		for (unsigned k = 0; k < 4 && cases[i].said[k].type; k++)
			say(t, CLIENT, &cases[i].said[k]);
		a = find(t, CLIENT, 600);
		assert_non_null(a);
		if (a->until_ns != START_NS + cases[i].until_s * SECOND_NS || a->given_back != cases[i].given_back ||
		    (a->asked_at.frame != 0) != cases[i].asked)
			fail_msg("%s: until %lld", cases[i].name, (long long)((a->until_ns - START_NS) / SECOND_NS));
		turns_free(t);
	}
}

static void which_one(void **state)
{
	struct turns *t = turns_new(2);

	(void)state;
	say(t, CLIENT, &(struct said){ 1, REFRESHED, 600 });     /* of nothing that was seen */
	assert_null(find(t, CLIENT, 600));
	say(t, CLIENT, &(struct said){ 1, ALLOCATED, 600 });
	say(t, "10.0.0.1:4002", &(struct said){ 1, ALLOCATED, 60 });
	assert_int_equal(find(t, CLIENT, 62)->client.port, 4002);
	assert_int_equal(find(t, CLIENT, 500)->client.port, 4000);
	say(t, "10.0.0.2:4000", &(struct said){ 1, ALLOCATED, 60 });    /* the oldest makes room */
	assert_int_equal(find(t, CLIENT, 500)->client.port, 4002);
	assert_null(find(t, "10.0.0.3:4000", 500));
	assert_int_equal(of(t, "10.0.0.1:4002", 62)->client.port, 4002);
	assert_null(of(t, CLIENT, 62));                          /* it had to go */
	assert_null(of(t, "10.0.0.1:4004", 62));
	turns_free(t);
	turns_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(how_long_it_is_lent), cmocka_unit_test(which_one) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
