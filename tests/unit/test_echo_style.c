/* SPDX-License-Identifier: MIT */
/* test_echo_style: whose headers are written as nowhere else; how far a phone's requests come. */
#include "tests/unit/network_packets.h"

#include "analyzer/network/echo.h"

#define SERVER "203.0.113.10:5060"
#define HERE "198.51.100.20:5060"
#define THERE "198.51.100.61:5060"
#define ELSEWHERE "198.51.100.62:5060"

#define PLAIN "From: <sip:1@h>;tag=a", "To: <sip:1@h>", "Call-ID: x", "CSeq: 1 REGISTER", "User-Agent: Desk 1"

struct place { const char *from, *via, *lines[6]; };

static void register_at(struct echoes *e, const struct place *at, int64_t at_ms, uint8_t ttl)
{
	struct packet p = packet_of(PACKET_SIP, at->from, SERVER, at_ms);
	struct sip_message m;
	char text[600];
	size_t n = (size_t)snprintf(text, sizeof text,
		"REGISTER sip:h SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%d\r\n", at->via, (int)at_ms);

	for (unsigned i = 0; i < COUNT_OF(at->lines) && at->lines[i]; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "%s\r\n", at->lines[i]);
	n += (size_t)snprintf(text + n, sizeof text - n, "\r\n");
	assert_true(sip_message_parse(span_of(text), n, &m));
	p.sip = &m;
	p.payload = span_of(text);
	p.payload_wire = n;
	p.ttl = ttl;
	echoes_packet(e, &p);
}

static bool restyled_at(const struct echoes *e, const char *from, struct echo_restyled *ret)
{
	struct endpoint at = endpoint_of(from);

	LIST_EACH(it, echoes_styles(e)) {
		const struct echo_style *s = LIST_ENTRY(it, struct echo_style, in_order);

		if (address_equal(&s->from, &at.addr))
			return echoes_restyled(e, s, ret);
	}
	return false;
}

static const struct { const char *name; struct place here[2], others[2]; const char *before, *after; } cases[] = {
	{ "a name spelled otherwise", { { HERE, HERE, { "From: <sip:1@h>;tag=a", "To: <sip:1@h>", "Call-Id: x",
	  "CSeq: 1 REGISTER", "User-Agent: Desk 1" } } }, { { THERE, "192.168.1.9", { PLAIN } } },
	  "Call-ID: ", "Call-Id: " },
	{ "another order", { { HERE, HERE, { "To: <sip:1@h>", "From: <sip:1@h>;tag=a", "Call-ID: x",
	  "CSeq: 1 REGISTER", "User-Agent: Desk 1" } } }, { { THERE, "192.168.1.9", { PLAIN } } },
	  "Via, From, To", "To, From, Call-ID" },
	{ "no blank", { { HERE, HERE, { "From: <sip:1@h>;tag=a", "To: <sip:1@h>", "Call-ID:x",
	  "CSeq: 1 REGISTER", "User-Agent: Desk 1" } } }, { { THERE, "192.168.1.9", { PLAIN } } },
	  "Call-ID: ", "Call-ID:" },
	{ "two public sites agree", { { HERE, HERE, { "From: <sip:1@h>;tag=a", "To: <sip:1@h>", "Call-Id: x",
	  "CSeq: 1 REGISTER", "User-Agent: Desk 1" } } }, { { THERE, THERE, { PLAIN } }, { ELSEWHERE, ELSEWHERE,
	  { PLAIN } } }, "Call-ID: ", "Call-Id: " },
	{ "one public site is no judge", { { HERE, HERE, { "From: <sip:1@h>;tag=a", "To: <sip:1@h>", "Call-Id: x",
	  "CSeq: 1 REGISTER", "User-Agent: Desk 1" } } }, { { THERE, THERE, { PLAIN } } }, NULL, NULL },
	{ "two sites that differ", { { HERE, HERE, { "From: <sip:1@h>;tag=a", "To: <sip:1@h>", "Call-Id: x",
	  "CSeq: 1 REGISTER", "User-Agent: Desk 1" } } }, { { THERE, "192.168.1.9", { PLAIN } }, { ELSEWHERE,
	  "192.168.2.9", { "From: <sip:1@h>;tag=a", "To: <sip:1@h>", "i: x", "CSeq: 1 REGISTER",
	  "User-Agent: Desk 1" } } }, NULL, NULL },
	{ "a site that is alike", { { HERE, HERE, { "From: <sip:1@h>;tag=a", "To: <sip:1@h>", "Call-Id: x",
	  "CSeq: 1 REGISTER", "User-Agent: Desk 1" } } }, { { THERE, "192.168.1.9", { PLAIN } }, { ELSEWHERE,
	  ELSEWHERE, { "From: <sip:1@h>;tag=a", "To: <sip:1@h>", "Call-Id: x", "CSeq: 1 REGISTER",
	  "User-Agent: Desk 1" } } }, NULL, NULL },
	{ "a header more", { { HERE, HERE, { PLAIN, "Expires: 60" } } }, { { THERE, "192.168.1.9", { PLAIN } } },
	  NULL, NULL },
	{ "another make", { { HERE, HERE, { "From: <sip:1@h>;tag=a", "To: <sip:1@h>", "Call-Id: x",
	  "CSeq: 1 REGISTER", "User-Agent: Desk 2" } } }, { { THERE, "192.168.1.9", { PLAIN } } }, NULL, NULL },
	{ "it has changed its habit", { { HERE, HERE, { PLAIN } }, { HERE, HERE, { "From: <sip:1@h>;tag=a",
	  "To: <sip:1@h>", "Call-Id: x", "CSeq: 1 REGISTER", "User-Agent: Desk 1" } } },
	  { { THERE, "192.168.1.9", { PLAIN } } }, NULL, NULL },
	{ "private addresses pass here", { { HERE, "192.168.5.9", { "From: <sip:1@h>;tag=a", "To: <sip:1@h>",
	  "Call-Id: x", "CSeq: 1 REGISTER", "User-Agent: Desk 1" } } }, { { THERE, "192.168.1.9", { PLAIN } } },
	  NULL, NULL },
	{ "nothing to be compared with", { { HERE, HERE, { PLAIN } } }, { { NULL, NULL, { NULL } } }, NULL, NULL },
};

static void who_writes_otherwise(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct echoes *e = echoes_new();
		struct echo_restyled r = { .elsewhere = NULL };
		bool found;

		for (unsigned k = 0; k < 12; k++) {
			const struct place *here = &cases[i].here[k >= 6 && cases[i].here[1].from];

			register_at(e, here, 1000 + k * 100, 61);
			for (unsigned o = 0; o < COUNT_OF(cases[i].others) && cases[i].others[o].from; o++)
				register_at(e, &cases[i].others[o], 1010 + k * 100 + o, 61);
		}
		found = restyled_at(e, HERE, &r);
		if (found != (cases[i].before != NULL))
			fail_msg("%s: %s", cases[i].name, found ? r.field : "nothing");
		if (found && (strcmp(r.before, cases[i].before) != 0 || strcmp(r.after, cases[i].after) != 0))
			fail_msg("%s: '%s' '%s'", cases[i].name, r.before, r.after);
		echoes_free(e);
	}
}

/* Two messages are no habit. */
static void habits_take_three(void **state)
{
	static const struct place here = { HERE, HERE, { "From: <sip:1@h>;tag=a", "To: <sip:1@h>", "Call-Id: x",
		"CSeq: 1 REGISTER", "User-Agent: Desk 1" } }, there = { THERE, "192.168.1.9", { PLAIN } };
	struct echoes *e = echoes_new();
	struct echo_restyled r;

	(void)state;
	for (unsigned k = 0; k < 3; k++) {
		assert_false(restyled_at(e, HERE, &r));
		register_at(e, &here, 1000 + k, 61);
		register_at(e, &there, 1100 + k, 61);
	}
	assert_true(restyled_at(e, HERE, &r));
	assert_int_equal(r.elsewhere->messages, 3);
	echoes_free(e);
}

/* One make at more places than are kept; many makes: no more than there is room for. */
static void places_are_bounded(void **state)
{
	struct echoes *e = echoes_new();

	(void)state;
	for (unsigned i = 0; i < 300; i++) {
		char from[32];
		struct place at = { from, from, { PLAIN } };

		snprintf(from, sizeof from, "198.51.%u.%u:5060", i / 250, 1 + i % 250);
		register_at(e, &at, 1000 + i, 61);
	}
	assert_int_equal(echoes_styles(e)->count, 64);
	for (unsigned i = 0; i < 5000; i++) {
		char agent[32];
		struct place at = { HERE, HERE, { "From: <sip:1@h>;tag=a", "To: <sip:1@h>", "Call-ID: x",
			"CSeq: 1 REGISTER", agent } };

		snprintf(agent, sizeof agent, "User-Agent: Desk %u", i);
		register_at(e, &at, 2000 + i, 61);
	}
	assert_int_equal(echoes_styles(e)->count, 4096);
	echoes_free(e);
}

static void distance_of_requests(void **state)
{
	static const struct place here = { HERE, HERE, { PLAIN } };
	struct echoes *e = echoes_new();
	const struct echo_phone *x;

	(void)state;
	for (unsigned k = 0; k < 5; k++)
		register_at(e, &here, 1000 + k, 61);
	x = LIST_ENTRY(echoes_phones(e)->head.next, struct echo_phone, in_order);
	assert_int_equal(x->ttl, 61);
	assert_int_equal(x->requests, 5);
	assert_false(x->ttl_varies);
	assert_false(x->says_phone);
	register_at(e, &here, 2000, 0);  /* no TTL of its own */
	assert_int_equal(x->requests, 5);
	register_at(e, &here, 2001, 60);
	assert_true(x->ttl_varies);
	echoes_free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_writes_otherwise), cmocka_unit_test(habits_take_three),
		cmocka_unit_test(places_are_bounded), cmocka_unit_test(distance_of_requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
