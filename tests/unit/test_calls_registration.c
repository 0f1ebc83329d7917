/* SPDX-License-Identifier: MIT */
/*
 * test_calls_registration: challenge, refusal, refresh, expiry, removal; one device counts once, wherever and however
 * often it is seen.
 */
#include "tests/unit/calls_script.h"

#define REG      "REGISTER"
#define AUTH     "Authorization: Digest username=\"1001\"\r\nExpires: 300\r\n"
#define ASK      .method = REG, .call = "r1", .to_user = "1001", .dst = P, .extra = "Expires: 300\r\n"
#define ASK_AUTH .method = REG, .call = "r1", .to_user = "1001", .dst = P, .extra = AUTH
#define SAYS     .method = REG, .call = "r1", .to_user = "1001", .to = "r", .src = P, .contact = "1001@" A

enum { ROWS_MAX = 10 };

static const struct {
	const char *name;
	struct row rows[ROWS_MAX];
	size_t count;
	double until_s; /* the capture goes on so long */
	enum registration_state state;
	unsigned status, registrations, requests, retransmissions, challenges, refusals, expires_s;
} cases[] = {
	{ "registered at once", { { .s = 0, ASK }, { .s = 0.1, SAYS, .status = 200, .extra = "Expires: 240\r\n" } }, 2,
		1, REGISTRATION_REGISTERED, 200, 1, 1, 0, 0, 0, 240 },
	{ "challenged, then registered",
		{ { .s = 0, ASK }, { .s = 0.1, SAYS, .status = 401 }, { .s = 0.2, .cseq = 2, ASK_AUTH },
			{ .s = 0.3, .cseq = 2, SAYS, .status = 200, .extra = "Expires: 300\r\n" } },
		4, 1, REGISTRATION_REGISTERED, 200, 1, 2, 0, 1, 0, 300 },
	{ "challenged, the same CSeq again",
		{ { .s = 0, ASK }, { .s = 0.1, SAYS, .status = 401 }, { .s = 0.2, .branch = "two", ASK_AUTH },
			{ .s = 0.3, SAYS, .status = 200, .extra = "Expires: 300\r\n" } },
		4, 1, REGISTRATION_REGISTERED, 200, 1, 2, 0, 1, 0, 300 },
	{ "challenge just seen", { { .s = 0, ASK }, { .s = 0.1, SAYS, .status = 401 } }, 2, 1, REGISTRATION_UNKNOWN,
		401, 0, 1, 0, 1, 0, 0 },
	{ "challenge never answered", { { .s = 0, ASK }, { .s = 0.1, SAYS, .status = 401 } }, 2, 40,
		REGISTRATION_FAILED, 401, 0, 1, 0, 1, 0, 0 },
	{ "credentials refused twice",
		{ { .s = 0, ASK }, { .s = 0.1, SAYS, .status = 401 }, { .s = 0.2, .cseq = 2, ASK_AUTH },
			{ .s = 0.3, .cseq = 2, SAYS, .status = 401 }, { .s = 0.4, .cseq = 3, ASK_AUTH },
			{ .s = 0.5, .cseq = 3, SAYS, .status = 401 } },
		6, 1, REGISTRATION_FAILED, 401, 0, 3, 0, 1, 2, 0 },
	{ "an old nonce, then registered",
		{ { .s = 0, ASK_AUTH }, { .s = 0.1, SAYS, .status = 401 }, { .s = 0.2, .cseq = 2, ASK_AUTH },
			{ .s = 0.3, .cseq = 2, SAYS, .status = 200, .extra = "Expires: 300\r\n" } },
		4, 1, REGISTRATION_REGISTERED, 200, 1, 2, 0, 0, 1, 300 },
	{ "forbidden", { { .s = 0, ASK }, { .s = 0.1, SAYS, .status = 403 } }, 2, 1, REGISTRATION_FAILED, 403, 0, 1, 0,
		0, 0, 0 },
	{ "interval too brief, then longer",
		{ { .s = 0, ASK }, { .s = 0.1, SAYS, .status = 423 }, { .s = 0.2, .cseq = 2, ASK },
			{ .s = 0.3, .cseq = 2, SAYS, .status = 200, .extra = "Expires: 600\r\n" } },
		4, 1, REGISTRATION_REGISTERED, 200, 1, 2, 0, 0, 0, 600 },
	{ "no answer, the device repeats", { { .s = 0, ASK }, { .s = 0.5, ASK }, { .s = 1.5, ASK } }, 3, 40,
		REGISTRATION_FAILED, 0, 0, 1, 2, 0, 0, 0 },
	{ "no answer in a capture that may see one direction", { { .s = 0, ASK } }, 1, 40, REGISTRATION_UNKNOWN, 0, 0,
		1, 0, 0, 0, 0 },
	{ "expired", { { .s = 0, ASK }, { .s = 0.1, SAYS, .status = 200, .extra = "Expires: 60\r\n" } }, 2, 95,
		REGISTRATION_EXPIRED, 200, 1, 1, 0, 0, 0, 60 },
	{ "refreshed in time",
		{ { .s = 0, ASK }, { .s = 0.1, SAYS, .status = 200, .extra = "Expires: 60\r\n" },
			{ .s = 50, .cseq = 2, ASK },
			{ .s = 50.1, .cseq = 2, SAYS, .status = 200, .extra = "Expires: 60\r\n" } },
		4, 95, REGISTRATION_REGISTERED, 200, 1, 2, 0, 0, 0, 60 },
	{ "removed",
		{ { .s = 0, ASK }, { .s = 0.1, SAYS, .status = 200, .extra = "Expires: 60\r\n" },
			{ .s = 5,
				.cseq = 2,
				.method = REG,
				.call = "r1",
				.to_user = "1001",
				.dst = P,
				.extra = "Expires: 0\r\n" },
			{ .s = 5.1, .cseq = 2, SAYS, .status = 200 } },
		4, 200, REGISTRATION_REMOVED, 200, 1, 2, 0, 0, 0, 0 },
	{ "removal alone is no registration",
		{ { .s = 5, .method = REG, .call = "r1", .to_user = "1001", .dst = P, .extra = "Expires: 0\r\n" },
			{ .s = 5.1, SAYS, .status = 200 } },
		2, 6, REGISTRATION_REMOVED, 200, 0, 1, 0, 0, 0, 0 },
	{ "a question for bindings is none", { { .s = 0, ASK, .contact = "" }, { .s = 0.1, SAYS, .status = 200 } }, 2,
		1, REGISTRATION_UNKNOWN, 200, 0, 1, 0, 0, 0, 0 },
	{ "on two hops",
		{ { .s = 0, ASK },
			{ .s = 0.01, .method = REG, .call = "r1", .to_user = "1001", .src = P, .dst = B, .vias = 2 },
			{ .s = 0.1,
				.method = REG,
				.call = "r1",
				.to_user = "1001",
				.to = "r",
				.src = B,
				.dst = P,
				.vias = 2,
				.status = 200,
				.contact = "1001@" A,
				.extra = "Expires: 300\r\n" },
			{ .s = 0.11, SAYS, .status = 200, .extra = "Expires: 300\r\n" } },
		4, 1, REGISTRATION_REGISTERED, 200, 1, 1, 0, 0, 0, 300 },
	{ "before and after a NAT that rewrites the Contact",
		{ { .s = 0,
			  .method = REG,
			  .call = "r1",
			  .to_user = "1001",
			  .src = "192.168.1.2:5060",
			  .dst = P,
			  .contact = "1001@192.168.1.2:5060" },
			{ .s = 0.001,
				.method = REG,
				.call = "r1",
				.to_user = "1001",
				.src = "203.0.113.9:999",
				.dst = P,
				.contact = "1001@203.0.113.9:999" },
			{ .s = 0.1,
				.method = REG,
				.call = "r1",
				.to_user = "1001",
				.to = "r",
				.src = P,
				.dst = "203.0.113.9:999",
				.status = 200,
				.contact = "1001@203.0.113.9:999",
				.extra = "Expires: 300\r\n" },
			{ .s = 0.101,
				.method = REG,
				.call = "r1",
				.to_user = "1001",
				.to = "r",
				.src = P,
				.dst = "192.168.1.2:5060",
				.status = 200,
				.contact = "1001@192.168.1.2:5060",
				.extra = "Expires: 300\r\n" } },
		4, 1, REGISTRATION_REGISTERED, 200, 1, 1, 0, 0, 0, 300 },
	{ "at two points, the clock of the inner one late",
		{ { .s = 0, ASK }, { .s = 0.01, SAYS, .status = 401 }, { .s = 0.02, .cseq = 2, ASK_AUTH },
			{ .s = 0.08, .src = "192.168.1.2:5060", ASK },
			{ .s = 0.09, .dst = "192.168.1.2:5060", SAYS, .status = 401 },
			{ .s = 0.1, .cseq = 2, SAYS, .status = 200, .extra = "Expires: 300\r\n" },
			{ .s = 0.11, .src = "192.168.1.2:5060", .cseq = 2, ASK_AUTH },
			{ .s = 0.18,
				.dst = "192.168.1.2:5060",
				.cseq = 2,
				SAYS,
				.status = 200,
				.extra = "Expires: 300\r\n" } },
		8, 1, REGISTRATION_REGISTERED, 200, 1, 2, 0, 1, 0, 300 },
	{ "a mirror copy",
		{ { .s = 0, ASK }, { .s = 0.00001, ASK, .copy = true },
			{ .s = 0.1, SAYS, .status = 200, .extra = "Expires: 300\r\n" } },
		3, 1, REGISTRATION_REGISTERED, 200, 1, 1, 0, 0, 0, 300 },
	{ "only answers are seen", { { .s = 0.1, SAYS, .status = 200, .extra = "Expires: 300\r\n" } }, 1, 1,
		REGISTRATION_REGISTERED, 200, 1, 0, 0, 0, 0, 300 },
	{ "another Call-ID at each refresh",
		{ { .s = 0, ASK }, { .s = 0.1, SAYS, .status = 200, .extra = "Expires: 60\r\n" },
			{ .s = 50, .method = REG, .call = "r2", .to_user = "1001", .dst = P },
			{ .s = 50.1,
				.method = REG,
				.call = "r2",
				.to_user = "1001",
				.to = "r",
				.src = P,
				.status = 200,
				.contact = "1001@" A,
				.extra = "Expires: 60\r\n" } },
		4, 60, REGISTRATION_REGISTERED, 200, 1, 2, 0, 0, 0, 60 },
	{ "the registrar gives each Contact its time",
		{ { .s = 0, ASK },
			{ .s = 0.1,
				.method = REG,
				.call = "r1",
				.to_user = "1001",
				.to = "r",
				.src = P,
				.status = 200,
				.contact = "",
				.extra = "Contact: \"a, b\" <sip:1001@10.9.9.9:5060>;expires=17, <sip:1001@" A
					 ">;expires=90\r\nExpires: 300\r\n" } },
		2, 1, REGISTRATION_REGISTERED, 200, 1, 1, 0, 0, 0, 90 },
};

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct script s;
		const struct registration *r;

		script_begin(&s);
		say_all(&s, cases[i].rows, cases[i].count);
		script_tick(&s, cases[i].until_s);
		assert_int_equal(calls_registrations(s.c)->count, 1);
		assert_int_equal(calls_legs(s.c)->count, 0);
		r = LIST_ENTRY(nth(calls_registrations(s.c), 0), struct registration, in_order);
		if (r->state != cases[i].state || r->status != cases[i].status ||
			calls_counts(s.c).registrations != cases[i].registrations ||
			r->succeeded != (cases[i].registrations > 0) || r->requests != cases[i].requests ||
			r->expires_s != cases[i].expires_s || r->retransmissions != cases[i].retransmissions ||
			r->challenges != cases[i].challenges || r->refusals != cases[i].refusals)
			fail_msg(
				"%s: state %d status %u count %u requests %u again %u challenges %u refusals %u expires %u",
				cases[i].name, r->state, r->status, (unsigned)calls_counts(s.c).registrations,
				r->requests, r->retransmissions, r->challenges, r->refusals, r->expires_s);
		assert_true(says(r->aor, "1001@pbx"));
		script_end(&s);
	}
}

static void test_source_is_the_nearest(void **state)
{
	struct endpoint inside = script_endpoint("192.168.1.2:5060"), registrar = script_endpoint(P);
	struct script s;
	const struct registration *r;

	(void)state;
	script_begin(&s);
	SAY(&s, .s = 0, .method = REG, .to_user = "1001", .src = "203.0.113.9:999", .dst = P,
		.contact = "1001@203.0.113.9:999");
	SAY(&s, .s = 0, .method = REG, .to_user = "1001", .src = "192.168.1.2:5060", .dst = P,
		.contact = "1001@192.168.1.2:5060");
	r = LIST_ENTRY(nth(calls_registrations(s.c), 0), struct registration, in_order);
	assert_true(endpoint_equal(&r->source, &inside));
	assert_true(endpoint_equal(&r->registrar, &registrar));
	assert_true(endpoint_equal(&r->contact, &inside));
	script_end(&s);
}

static void test_two_devices_of_one_account(void **state)
{
	struct script s;

	(void)state;
	script_begin(&s);
	for (unsigned i = 0; i < 2; i++) {
		SAY(&s, .s = i, .method = REG, .call = i ? "x" : "y", .to_user = "1001", .dst = P,
			.contact = i ? "1001@10.0.0.8:5060" : "1001@" A);
		SAY(&s, .s = i + 0.1, .method = REG, .call = i ? "x" : "y", .to_user = "1001", .to = "r", .src = P,
			.status = 200, .extra = "Expires: 300\r\n");
	}
	assert_int_equal(calls_registrations(s.c)->count, 2);
	assert_int_equal(calls_counts(s.c).registrations, 2);
	script_end(&s);
}

/* The instance names the device, whatever port it comes from (RFC 5626). */
static void test_instance(void **state)
{
	static const char *const contacts[] = {
		"Contact: <sip:1001@10.0.0.1:40001;transport=tcp>;+sip.instance=\"<urn:uuid:1>\"\r\n",
		"Contact: <sip:1001@10.0.0.1:40002;transport=tcp>;+sip.instance=\"<urn:uuid:1>\"\r\n"
	};
	struct script s;

	(void)state;
	script_begin(&s);
	for (unsigned i = 0; i < 2; i++) {
		SAY(&s, .s = i, .method = REG, .call = i ? "x" : "y", .to_user = "1001", .dst = P, .contact = "",
			.extra = contacts[i]);
		SAY(&s, .s = i + 0.1, .method = REG, .call = i ? "x" : "y", .to_user = "1001", .to = "r", .src = P,
			.status = 200, .contact = "", .extra = contacts[i]);
	}
	assert_int_equal(calls_registrations(s.c)->count, 1);
	assert_int_equal(calls_counts(s.c).registrations, 1);
	script_end(&s);
}

/* Guesses of an attacker do not displace phones. */
static void test_room(void **state)
{
	struct calls_config config = script_config();
	struct script s;
	char id[16];

	(void)state;
	config.max_legs = 50;
	script_begin_with(&s, &config);
	SAY(&s, .s = 0, ASK);
	SAY(&s, .s = 0.1, SAYS, .status = 200, .extra = "Expires: 300\r\n");
	for (unsigned i = 0; i < 500; i++) {
		snprintf(id, sizeof id, "guess%u", i);
		s.event_count = 0;
		SAY(&s, .s = 1 + i * 0.01, .method = REG, .call = id, .to_user = id, .src = "198.51.100.66:5060",
			.dst = P);
	}
	assert_int_equal(calls_registrations(s.c)->count, 50);
	assert_int_equal(calls_counts(s.c).evicted_registrations, 451);
	assert_true(LIST_ENTRY(nth(calls_registrations(s.c), 0), struct registration, in_order)->succeeded);
	script_end(&s);
}

/* Many timers, fired in order of time. */
static void test_many_expire_in_order(void **state)
{
	struct script s;
	char id[16], expires[32];
	int64_t last_ns = 0;
	unsigned expired = 0;

	(void)state;
	script_begin(&s);
	for (unsigned i = 0; i < 100; i++) {
		snprintf(id, sizeof id, "p%u", i);
		snprintf(expires, sizeof expires, "Expires: %u\r\n", 60 + (i * 37) % 100);
		SAY(&s, .s = 0, .method = REG, .call = id, .to_user = id, .dst = P);
		SAY(&s, .s = 0, .method = REG, .call = id, .to_user = id, .to = "r", .src = P, .status = 200,
			.extra = expires);
	}
	s.event_count = 0;
	script_tick(&s, 1000);
	for (size_t i = 0; i < s.event_count; i++) {
		const struct registration *r = s.events[i].registration;

		assert_int_equal(r->state, REGISTRATION_EXPIRED);
		assert_true(r->registered_ns + r->expires_s * SECOND_NS >= last_ns);
		last_ns = r->registered_ns + r->expires_s * SECOND_NS;
		expired++;
	}
	assert_int_equal(expired, 100);
	script_end(&s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_source_is_the_nearest),
		cmocka_unit_test(test_two_devices_of_one_account),
		cmocka_unit_test(test_instance),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_many_expire_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
