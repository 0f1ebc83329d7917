/* SPDX-License-Identifier: MIT */
/* service: tries by server, who stands in for whom, who answers others; floods stay within bounds. */
#include "analyzer/calls/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "captures/base/memory.h"

#include "tests/unit/sip_teller.h"

#define P "10.0.0.21:5060"
#define S1 "10.0.0.5:5060"
#define S2 "10.0.0.6:5060"

static void enroll(struct services *all, struct teller *t, double s, const char *server, const char *call,
	const char *status)
{
	const char *from = "<sip:101@pbx.example.net>;tag=f", *to = "<sip:101@PBX.example.net>";

	services_packet(all, say(t, s, P, server, &(struct said){ "REGISTER sip:pbx.example.net SIP/2.0", "REGISTER",
		call, from, to, 1, NULL, "Expires: 60\r\n", NULL }));
	if (status)
		services_packet(all, say(t, s + 0.1, server, P,
			&(struct said){ status, "REGISTER", call, from, to, 1, NULL, "Expires: 60\r\n", NULL }));
}

static const struct service *only(const struct services *all)
{
	assert_int_equal(services_in_order(all)->count, 1);
	return LIST_ENTRY(services_in_order(all)->head.next, struct service, in_order);
}

static const struct service_try *try_at(const struct service *s, unsigned n)
{
	LIST_EACH(it, &s->tries) {
		if (n-- == 0)
			return LIST_ENTRY(it, struct service_try, in_service);
	}
	return NULL;
}

static void test_an_account_and_its_servers(void **state)
{
	struct services *all = services_new(0);
	struct teller t = { .frame = 0 };
	const struct service *s;

	(void)state;
	enroll(all, &t, 1, S1, "a", "SIP/2.0 503 Service Unavailable");
	enroll(all, &t, 2, S2, "b", "SIP/2.0 200 OK");
	enroll(all, &t, 50, S1, "c", NULL);
	enroll(all, &t, 50.5, S1, "c", NULL);
	s = only(all);
	assert_int_equal(s->kind, SERVICE_ACCOUNT);
	assert_string_equal(s->name, "101@PBX.example.net");        /* as it was first written */
	assert_int_equal(s->server_count, 2);
	assert_int_equal(s->tries.count, 3);
	assert_int_equal(try_at(s, 0)->status, 503);
	assert_int_equal(try_at(s, 2)->copies, 2);
	assert_int_equal(try_at(s, 2)->answer_at.frame, 0);
	assert_int_equal(s->servers[0].served_ns, NS_NONE);          /* 503 is no service */
	assert_int_equal(s->servers[1].served_ns, at_s(2.1));
	assert_int_equal(s->servers[1].bound_until_ns, at_s(62.1));
	assert_int_equal(s->servers[1].stands_in_ns[0], at_s(2));
	assert_int_equal(s->servers[0].stands_in_ns[1], NS_NONE);
	services_free(all);
}

static int by_hash(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Two addresses, 10.0.0.0 and up, with one hash under the key of this run. */
static void find_alike(char one[ENDPOINT_TEXT], char other[ENDPOINT_TEXT])
{
	enum { MANY = 1 << 20 };
	uint64_t *seen = memory_resize(NULL, MANY, sizeof *seen);
	size_t at = 1;

	for (uint32_t i = 0; i < MANY; i++) {
		struct address a = address_v4((uint8_t[4]){ 10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i });

		seen[i] = (uint64_t)address_hash(&a) << 32 | i;
	}
	qsort(seen, MANY, sizeof *seen, by_hash);
	while (at < MANY && seen[at] >> 32 != seen[at - 1] >> 32)
		at++;
	assert_true(at < MANY);
	for (unsigned k = 0; k < 2; k++) {
		uint32_t i = (uint32_t)seen[at - k];

		snprintf(k ? other : one, ENDPOINT_TEXT, "10.%u.%u.%u:5060", i >> 16, i >> 8 & 255, i & 255);
	}
	free(seen);
}

/* What asks is told apart by a key alone, which must have more of its address than the 32 bits of a table's hash. */
static void test_addresses_with_one_hash_are_two_clients(void **state)
{
	struct services *all = services_new(0);
	struct teller t = { .frame = 0 };
	char client[2][ENDPOINT_TEXT];

	(void)state;
	find_alike(client[0], client[1]);
	for (unsigned i = 0; i < 2; i++)
		services_packet(all, say(&t, 1 + i, client[i], S1, &(struct said){ "REGISTER sip:pbx.example.net SIP/2.0", "REGISTER",
			i ? "b" : "a", "<sip:101@pbx.example.net>;tag=f", "<sip:101@pbx.example.net>", 1, NULL, NULL, NULL }));
	assert_int_equal(services_in_order(all)->count, 2);
	services_free(all);
}

static const char *invite_uri = "INVITE sip:0301234567@203.0.113.10 SIP/2.0";

static void call(struct services *all, struct teller *t, double s, const char *server, const char *id,
	const char *method, const char *start)
{
	bool request = strncmp(start, "SIP/2.0", 7) != 0;

	services_packet(all, say(t, s, request ? P : server, request ? server : P,
		&(struct said){ start, method, id, "<sip:101@10.0.0.21>;tag=f", "<sip:0301234567@x>", 1, NULL, NULL,
		NULL }));
}

static void test_branches_of_a_fork_are_no_hunt(void **state)
{
	struct services *all = services_new(0);
	struct teller t = { .frame = 0 };
	const struct service *s;

	(void)state;
	call(all, &t, 1.0, S1, "a", "INVITE", invite_uri);
	call(all, &t, 1.1, S2, "b", "INVITE", invite_uri);
	s = only(all);
	assert_int_equal(s->kind, SERVICE_ADDRESS);
	assert_int_equal(s->servers[1].stands_in_ns[0], NS_NONE);
	call(all, &t, 40.0, S1, "c", "INVITE", invite_uri);
	call(all, &t, 45.0, S2, "d", "INVITE", invite_uri);          /* five seconds of silence: another way */
	assert_int_equal(s->servers[1].stands_in_ns[0], at_s(45));
	services_free(all);
}

static void test_cancel_and_trying(void **state)
{
	struct services *all = services_new(0);
	struct teller t = { .frame = 0 };
	const struct service *s;

	(void)state;
	call(all, &t, 1.0, S1, "a", "INVITE", invite_uri);
	call(all, &t, 1.1, S1, "a", "INVITE", "SIP/2.0 100 Trying");
	call(all, &t, 5.0, S1, "a", "CANCEL", "CANCEL sip:0301234567@203.0.113.10 SIP/2.0");
	call(all, &t, 5.1, S1, "a", "CANCEL", "SIP/2.0 200 OK");
	s = only(all);
	assert_true(try_at(s, 0)->given_up);
	assert_int_equal(try_at(s, 0)->status, 0);
	assert_int_not_equal(try_at(s, 0)->answer_at.frame, 0);
	assert_int_equal(s->servers[0].served_ns, NS_NONE);
	services_free(all);
}

/* An answer whose branch has been changed on its way counts for every try that it could be meant for. */
static void test_an_answer_with_another_branch(void **state)
{
	struct services *all = services_new(0);
	struct teller t = { .frame = 0 };

	(void)state;
	call(all, &t, 1.0, S1, "a", "INVITE", invite_uri);
	services_packet(all, say(&t, 1.2, "10.0.0.99:5060", P,
		&(struct said){ "SIP/2.0 180 Ringing", "INVITE", "a", "<sip:101@10.0.0.21>;tag=f",
		"<sip:0301234567@x>;tag=t", 1, "other", NULL, NULL }));
	assert_int_not_equal(try_at(only(all), 0)->answer_at.frame, 0);
	services_free(all);
}

static void test_who_answers_others(void **state)
{
	struct services *all = services_new(0);
	struct teller t = { .frame = 0 };
	struct endpoint s1, p, q;
	int64_t since_ns = 0;

	(void)state;
	assert_true(endpoint_parse(span_of(S1), &s1) && endpoint_parse(span_of(P), &p) &&
		endpoint_parse(span_of("10.0.0.22:5060"), &q));
	for (unsigned i = 0; i < 20; i++) {
		char id[8];

		snprintf(id, sizeof id, "o%u", i);
		services_packet(all, say(&t, 100 + 60.0 * i, S1, "10.0.0.22:5060",
			&(struct said){ "SIP/2.0 200 OK", "OPTIONS", id, "<sip:q@x>;tag=f", "<sip:s@x>;tag=t", 1, NULL,
			NULL, NULL }));
	}
	assert_true(services_answers_others(all, &s1.addr, &p.addr, at_s(0), 600 * SECOND_NS, &since_ns));
	assert_int_equal(since_ns, at_s(100));
	assert_true(services_answers_others(all, &s1.addr, &p.addr, at_s(400), 600 * SECOND_NS, &since_ns));
	assert_int_equal(since_ns, at_s(400));
	assert_false(services_answers_others(all, &s1.addr, &p.addr, at_s(900), 600 * SECOND_NS, &since_ns));
	assert_false(services_answers_others(all, &s1.addr, &q.addr, at_s(0), 600 * SECOND_NS, &since_ns));
	services_free(all);
}

static void test_floods_stay_within_bounds(void **state)
{
	struct services *all = services_new(16);
	struct teller t = { .frame = 0 };
	size_t tries = 0;

	(void)state;
	for (unsigned i = 0; i < 2000; i++) {
		char src[32], id[16];

		/* more clients than places */
		snprintf(src, sizeof src, "10.1.%u.%u:5060", i % 40 / 250, i % 40 + 1);
		snprintf(id, sizeof id, "f%u", i);
		services_packet(all, say(&t, i * 0.01, src, S1,
			&(struct said){ invite_uri, "INVITE", id, "<sip:x@y>;tag=f", "<sip:1@y>", 1, NULL, NULL,
			NULL }));
		assert_true(services_in_order(all)->count <= 16);
	}
	for (unsigned i = 0; i < 2000; i++) {
		char id[16];

		/* and one client that never ends */
		snprintf(id, sizeof id, "g%u", i);
		services_packet(all, say(&t, 30 + i * 0.01, P, S1,
			&(struct said){ invite_uri, "INVITE", id, "<sip:x@y>;tag=f", "<sip:1@y>", 1, NULL, NULL,
			NULL }));
	}
	LIST_EACH(it, services_in_order(all))
		tries += LIST_ENTRY(it, struct service, in_order)->tries.count;
	assert_true(tries <= 128 + 15);
	assert_true(services_evicted(all) > 0);
	services_free(all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_account_and_its_servers),
		cmocka_unit_test(test_addresses_with_one_hash_are_two_clients),
		cmocka_unit_test(test_branches_of_a_fork_are_no_hunt),
		cmocka_unit_test(test_cancel_and_trying),
		cmocka_unit_test(test_an_answer_with_another_branch),
		cmocka_unit_test(test_who_answers_others),
		cmocka_unit_test(test_floods_stay_within_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
