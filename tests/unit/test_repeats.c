/* SPDX-License-Identifier: MIT */
/*
 * repeats: which transactions were repeated and why, by window; single ones that stand out; floods stay within bounds.
 */
#include "analyzer/calls/repeats.h"

#include <string.h>

#include "tests/unit/sip_teller.h"

#define P "10.0.0.21:5060"
#define S "10.0.0.5:5060"

static struct repeats *make(size_t max_open, size_t max_stats)
{
	return repeats_new(&(struct repeats_config){ .window_ns = 60 * SECOND_NS, .min = 5, .max_open = max_open,
	       .max_stats = max_stats });
}

static void ask(struct repeats *r, struct teller *t, double s, const char *src, unsigned n, const char *hops)
{
	char id[16], more[64];

	snprintf(id, sizeof id, "o%u", n);
	snprintf(more, sizeof more, "X-Hops: %s\r\n", hops ? hops : "none");
	repeats_packet(r, say(t, s, src, S, &(struct said){ "OPTIONS sip:s@10.0.0.5 SIP/2.0", "OPTIONS", id,
		"<sip:101@x>;tag=f", "<sip:s@x>", 1, NULL, more, NULL }));
}

static void answer(struct repeats *r, struct teller *t, double s, const char *dst, unsigned n, const char *branch)
{
	char id[16];

	snprintf(id, sizeof id, "o%u", n);
	repeats_packet(r, say(t, s, S, dst, &(struct said){ "SIP/2.0 200 OK", "OPTIONS", id, "<sip:101@x>;tag=f",
		"<sip:s@x>;tag=t", 1, branch, NULL, NULL }));
}

static const struct { const char *name; double again, answers[2]; unsigned total, late, responses_lost, requests_lost;
	} cases[] = {
	{ "once, answered", 0, { 0.1 }, 10, 0, 0, 0 },
	{ "repeated although the answer was here", 0.5, { 0.1 }, 10, 0, 10, 0 },
	{ "repeated, one answer, late", 0.5, { 0.9 }, 10, 0, 0, 10 },
	{ "repeated, each copy answered late", 0.5, { 0.9, 1.4 }, 10, 10, 0, 0 },
	{ "the same copy twice in the capture", 0.005, { 0.1 }, 10, 0, 0, 0 },
};

static void test_kinds(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct repeats *r = make(0, 0);
		struct teller t = { .frame = 0 };
		struct endpoint p, s;
		const struct repeats_stat *pair;
		const struct repeats_tally *x;

		for (unsigned n = 0; n < 10; n++) {
			ask(r, &t, 3.0 * n, P, n, NULL);
			if (cases[i].answers[0] < cases[i].again)
				answer(r, &t, 3.0 * n + cases[i].answers[0], P, n, NULL);
			if (cases[i].again)
				ask(r, &t, 3.0 * n + cases[i].again, P, n, NULL);
			if (cases[i].answers[0] >= cases[i].again)
				answer(r, &t, 3.0 * n + cases[i].answers[0], P, n, NULL);
			if (cases[i].answers[1])
				answer(r, &t, 3.0 * n + cases[i].answers[1], P, n, NULL);
		}
		repeats_settle(r, at_s(100), true);
		assert_true(endpoint_parse(span_of(P), &p) && endpoint_parse(span_of(S), &s));
		pair = repeats_pair(r, &p.addr, &s.addr);
		assert_ptr_equal(pair, repeats_pair(r, &s.addr, &p.addr));
		assert_non_null(pair);
		x = cases[i].late + cases[i].responses_lost + cases[i].requests_lost ? &pair->worst->tally
			: &pair->now.tally;
		if (x->total != cases[i].total || x->late != cases[i].late ||
		    x->responses_lost != cases[i].responses_lost || x->requests_lost != cases[i].requests_lost)
			fail_msg("%s: %u, %u late, %u %u", cases[i].name, x->total, x->late, x->responses_lost,
				x->requests_lost);
		repeats_free(r);
	}
}

static const struct repeats_odd *only_odd(struct repeats *r)
{
	unsigned count;
	const struct repeats_odd *odds;

	repeats_settle(r, at_s(1000), true);
	odds = repeats_odds(r, &count);
	assert_int_equal(count, 1);
	return odds;
}

static void test_more_copies_than_the_timers_have(void **state)
{
	struct repeats *r = make(0, 0);
	struct teller t = { .frame = 0 };

	(void)state;
	for (unsigned i = 0; i < 15; i++)
		ask(r, &t, 1 + 2.0 * i, P, 1, NULL);
	assert_int_equal(only_odd(r)->kind, ODD_BEYOND_TIMER);
	assert_int_equal(only_odd(r)->copies, 15);
	repeats_free(r);
}

static void test_an_answer_that_is_not_heard(void **state)
{
	struct repeats *r = make(0, 0);
	struct teller t = { .frame = 0 };

	(void)state;
	ask(r, &t, 1, P, 1, NULL);
	answer(r, &t, 1.1, P, 1, "changed");
	for (unsigned i = 0; i < 4; i++)
		ask(r, &t, 1.5 + i, P, 1, NULL);
	assert_int_equal(only_odd(r)->kind, ODD_IGNORES);
	repeats_free(r);
}

static void test_a_flood_of_transactions(void **state)
{
	struct repeats *r = make(100, 0);
	struct teller t = { .frame = 0 };

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		ask(r, &t, i * 0.001, P, i, NULL);
	assert_int_equal(repeats_evicted(r), 900);
	repeats_free(r);
}

/* A host that has something to tell stays when many pass by once. */
static void test_a_flood_of_hosts(void **state)
{
	struct repeats *r = make(0, 64);
	struct teller t = { .frame = 0 };
	struct endpoint p, s;

	(void)state;
	for (unsigned n = 0; n < 30; n++) {
		ask(r, &t, 3.0 * n, P, n, NULL);
		answer(r, &t, 3.0 * n + 0.1, P, n, NULL);
		ask(r, &t, 3.0 * n + 0.5, P, n, NULL);
	}
	for (unsigned n = 0; n < 2000; n++) {
		char src[32];

		snprintf(src, sizeof src, "10.2.%u.%u:5060", n / 250, n % 250 + 1);
		ask(r, &t, 200 + 0.1 * n, src, 100 + n, NULL);
		answer(r, &t, 200.05 + 0.1 * n, src, 100 + n, NULL);
	}
	repeats_settle(r, at_s(1000), true);
	assert_int_equal(repeats_stats(r)->count, 64);
	assert_true(repeats_evicted(r) > 3000);
	assert_true(endpoint_parse(span_of(P), &p) && endpoint_parse(span_of(S), &s));
	assert_non_null(repeats_pair(r, &p.addr, &s.addr));
	repeats_free(r);
}

/* Of each window; what there is room for at first, and more. */
static void test_ports_are_told_apart(void **state)
{
	(void)state;
	for (unsigned ports = 1; ports <= 80; ports += ports < 10 ? 1 : 10) {
		struct repeats *r = make(0, 0);
		struct teller t = { .frame = 0 };
		struct endpoint p, s;

		assert_true(endpoint_parse(span_of(P), &p) && endpoint_parse(span_of(S), &s));
		for (unsigned n = 0; n < 160; n++) {
			char src[32];

			snprintf(src, sizeof src, "10.0.0.21:%u", 10000 + n % ports);
			ask(r, &t, 0.01 * n, src, n, NULL);
			answer(r, &t, 0.01 * n + 0.001, src, n, NULL);
		}
		repeats_settle(r, at_s(100), true);
		/* and the server's */
		assert_int_equal(repeats_pair(r, &p.addr, &s.addr)->port_count, ports + 1 < 64 ? ports + 1 : 64);
		repeats_free(r);
	}
}

/* Two hosts and their pair for each transaction that will be too old, in their order, as many as there is room for. */
static void test_places_of_what_closes(void **state)
{
	struct repeats *r = make(0, 0);
	struct teller t = { .frame = 0 };
	struct hash_place places[9];

	(void)state;
	for (unsigned n = 0; n < 4; n++)
		ask(r, &t, 1 + n, P, n, NULL);
	assert_int_equal(repeats_closing_places(r, at_s(34.5), places, 9), 0);
	assert_int_equal(repeats_closing_places(r, at_s(36.5), places, 9), 6);
	assert_true(places[0].key == places[3].key && places[1].key == places[4].key && places[2].key == places[5].key);
	assert_int_equal(repeats_closing_places(r, at_s(60), places, 9), 9);
	assert_int_equal(repeats_closing_places(r, at_s(60), places, 8), 6);
	repeats_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_more_copies_than_the_timers_have),
		cmocka_unit_test(test_an_answer_that_is_not_heard),
		cmocka_unit_test(test_a_flood_of_transactions),
		cmocka_unit_test(test_a_flood_of_hosts),
		cmocka_unit_test(test_ports_are_told_apart),
		cmocka_unit_test(test_places_of_what_closes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
