/* SPDX-License-Identifier: MIT */
/* test_calls_leg_join: which legs are one call across a B2BUA, and above all which are not (1.1.4). */
#include "tests/unit/calls_script.h"

#define C3      "10.0.0.3:5060"
#define X_      .call = "x-call-id", .from = "fx", .dst = P
#define X_BACK  .call = "x-call-id", .from = "fx", .src = P, .dst = A
#define Y_      .call = "y-call-id", .from = "fy", .src = P, .dst = B
#define Y_BACK  .call = "y-call-id", .from = "fy", .src = B, .dst = P
#define SESSION "Session-ID: 0123456789abcdef0123456789abcdef;remote=00000000000000000000000000000000\r\n"

enum { ROWS_MAX = 14 };

/* X goes to the PBX, Y leaves it. Is Y joined to X, and by what? */
static const struct {
	const char *name;
	struct row rows[ROWS_MAX];
	size_t count;
	enum leg_join by; /* JOIN_NONE: two calls */
} cases[] = {
	{ "INVITE 2 ms later alone",
		{ { .s = 0, X_, .to_user = "5551" }, { .s = 0.002, Y_, .from_user = "77", .to_user = "88" } }, 2,
		JOIN_NONE },
	{ "equal numbers and 2 ms alone",
		{ { .s = 0, X_, .from_user = "+441632960101", .to_user = "01632960202" },
			{ .s = 0.002, Y_, .from_user = "01632960101", .to_user = "+441632960202" } },
		2, JOIN_NONE },
	{ "equal numbers, then 180 and 200 passed on",
		{ { .s = 0, X_, .from_user = "1001", .to_user = "1002" },
			{ .s = 0.002, Y_, .from_user = "1001", .to_user = "1002" },
			{ .s = 1, Y_BACK, .status = 180, .to = "ty" },
			{ .s = 1.001, X_BACK, .status = 180, .to = "tx" },
			{ .s = 5, Y_BACK, .status = 200, .to = "ty" },
			{ .s = 5.005, X_BACK, .status = 200, .to = "tx" } },
		6, JOIN_SCORE },
	{ "an Asterisk: other users, but all times fit",
		{ { .s = 0, X_, .from_user = "1001", .to_user = "600" },
			{ .s = 0.002, Y_, .from_user = "queue", .to_user = "agent7" },
			{ .s = 1, Y_BACK, .status = 180, .to = "ty" },
			{ .s = 1.0005, X_BACK, .status = 180, .to = "tx" },
			{ .s = 5, Y_BACK, .status = 200, .to = "ty" },
			{ .s = 5.0045, X_BACK, .status = 200, .to = "tx" },
			{ .s = 9, X_, .method = "BYE", .cseq = 2, .to = "tx" },
			{ .s = 9.003, Y_, .method = "BYE", .cseq = 2, .to = "ty" } },
		8, JOIN_SCORE },
	{ "Session-ID passed on", { { .s = 0, X_, .extra = SESSION }, { .s = 0.5, Y_, .extra = SESSION } }, 2,
		JOIN_SESSION_ID },
	{ "Session-ID of zeros says nothing",
		{ { .s = 0, X_, .to_user = "5", .extra = "Session-ID: 00000000000000000000000000000000\r\n" },
			{ .s = 0.5, Y_, .extra = "Session-ID: 00000000000000000000000000000000\r\n" } },
		2, JOIN_NONE },
	{ "X-Call-ID names the other leg", { { .s = 0, X_ }, { .s = 0.5, Y_, .extra = "X-Call-ID: x-call-id\r\n" } }, 2,
		JOIN_HEADER },
	{ "icid-value kept",
		{ { .s = 0, X_, .extra = "P-Charging-Vector: icid-value=\"4711abc\";orig-ioi=home\r\n" },
			{ .s = 0.5, Y_, .extra = "P-Charging-Vector: icid-value=4711abc\r\n" } },
		2, JOIN_HEADER },
	{ "another icid-value",
		{ { .s = 0, X_, .extra = "P-Charging-Vector: icid-value=4711abc\r\n" },
			{ .s = 0.5, Y_, .extra = "P-Charging-Vector: icid-value=4711abd\r\n" } },
		2, JOIN_NONE },
	{ "direct media: X's socket in Y's offer",
		{ { .s = 0, X_, .sdp = "v1 10.0.0.1:4000" }, { .s = 0.5, Y_, .sdp = "v9 10.0.0.1:4000" } }, 2,
		JOIN_DIRECT_MEDIA },
	{ "X's socket, but a third call has it too",
		{ { .s = 0, .call = "z", .from = "fz", .dst = P, .src = "10.0.0.9:5060", .sdp = "v1 10.0.0.1:4000" },
			{ .s = 0.2, X_, .sdp = "v1 10.0.0.1:4000" },
			{ .s = 1.5,
				Y_,
				.from_user = "7",
				.to_user = "8",
				.sdp = "v=0\r\nm=audio 4000 RTP/AVP 0\r\nc=IN IP4 10.0.0.1\r\n" } },
		3, JOIN_NONE },
	{ "Call-ID with a tail, and numbers",
		{ { .s = 0, X_ }, { .s = 0.002, .call = "x-call-id-b2b_1", .from = "fy", .src = P, .dst = B } }, 2,
		JOIN_CALL_ID },
	{ "Replaces names X",
		{ { .s = 0, X_ }, { .s = 1, X_BACK, .status = 200, .to = "tx" },
			{ .s = 60,
				.call = "y-call-id",
				.from = "fy",
				.src = C3,
				.dst = P,
				.extra = "Replaces: x-call-id;to-tag=tx;from-tag=fx\r\n" } },
		3, JOIN_REPLACES },
	{ "through different hosts",
		{ { .s = 0, X_, .extra = SESSION },
			{ .s = 0.5, .call = "y-call-id", .from = "fy", .src = C3, .dst = B, .extra = SESSION } },
		2, JOIN_NONE },
	{ "Y began before X", { { .s = 0, Y_, .extra = SESSION }, { .s = 0.5, X_, .extra = SESSION } }, 2, JOIN_NONE },
	{ "X had failed before: a retry, no leg",
		{ { .s = 0, X_, .extra = SESSION }, { .s = 0.2, X_BACK, .status = 503, .to = "tx" },
			{ .s = 0.5, Y_, .extra = SESSION } },
		3, JOIN_NONE },
	{ "the same way as X",
		{ { .s = 0, X_, .extra = SESSION },
			{ .s = 0.1, .call = "y-call-id", .from = "fy", .dst = P, .extra = SESSION } },
		2, JOIN_NONE },
};

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct script s;
		const struct leg *y = NULL;

		script_begin(&s);
		say_all(&s, cases[i].rows, cases[i].count);
		LIST_EACH(it, calls_legs(s.c)) {
			const struct leg *leg = LIST_ENTRY(it, struct leg, in_order);

			if (says(leg->from_tag, "fy"))
				y = leg;
		}
		assert_non_null(y);
		if (y->joined_by != cases[i].by || (y->parent != NULL) != (cases[i].by != JOIN_NONE) ||
			(y->parent && (!says(y->parent->from_tag, "fx") || y->call != y->parent->call)))
			fail_msg("%s: %s %u", cases[i].name, leg_join_name(y->joined_by), y->join_score);
		if (y->parent)
			assert_int_equal(script_count(&s, CALLS_LEG_JOINED), 1);
		script_end(&s);
	}
}

/* Trap T29: two calls between the same numbers at once; digits and time fit both. */
static void test_parallel_calls_between_the_same_numbers(void **state)
{
	static const struct row rows[] = {
		{ .s = 0, .call = "x1", .from = "a", .dst = P },
		{ .s = 0.005, .call = "x2", .from = "b", .dst = P },
		{ .s = 0.010, .call = "y1", .from = "c", .src = P, .dst = B },
		{ .s = 0.012, .call = "y2", .from = "d", .src = P, .dst = B },
		{ .s = 1, .call = "y1", .from = "c", .src = B, .dst = P, .status = 180, .to = "u" },
		{ .s = 1.001, .call = "y2", .from = "d", .src = B, .dst = P, .status = 180, .to = "v" },
		{ .s = 1.002, .call = "x1", .from = "a", .src = P, .dst = A, .status = 180, .to = "w" },
		{ .s = 1.003, .call = "x2", .from = "b", .src = P, .dst = A, .status = 180, .to = "z" },
	};
	struct script s;

	(void)state;
	script_begin(&s);
	SAY_ALL(&s, rows);
	for (unsigned n = 1; n <= 4; n++)
		assert_null(script_leg(&s, n)->parent);
	assert_int_equal(calls_in_order(s.c)->count, 4);
	script_end(&s);
}

/* Both could be the one: whoever is only a little better is not believed. */
static void test_margin(void **state)
{
	static const struct row rows[] = {
		{ .s = 0, .call = "x1", .from = "a", .dst = P, .extra = "X-CID: shared\r\n" },
		{ .s = 0.5, .call = "x2", .from = "b", .dst = P, .extra = "X-CID: shared\r\n" },
		{ .s = 0.51, .call = "y1", .from = "c", .src = P, .dst = B, .extra = "X-CID: shared\r\n" },
	};
	struct script s;

	(void)state;
	script_begin(&s);
	SAY_ALL(&s, rows);
	assert_null(script_leg(&s, 3)->parent);
	script_end(&s);
	script_begin(&s);
	say_all(&s, rows + 1, 2); /* the same without the rival */
	assert_ptr_equal(script_leg(&s, 2)->parent, script_leg(&s, 1));
	script_end(&s);
}

/* They part when they are answered and hung up at different times. */
static void test_parallel_calls_part_later(void **state)
{
	static const struct row rows[] = {
		{ .s = 0, .call = "x1", .from = "a", .dst = P, .extra = "X-CID: one1\r\n" },
		{ .s = 0.005, .call = "x2", .from = "b", .dst = P },
		{ .s = 0.010, .call = "y1", .from = "c", .src = P, .dst = B, .extra = "X-CID: one1\r\n" },
		{ .s = 0.012, .call = "y2", .from = "d", .src = P, .dst = B },
		{ .s = 2, .call = "y2", .from = "d", .src = B, .dst = P, .status = 180, .to = "v" },
		{ .s = 2.004, .call = "x2", .from = "b", .src = P, .dst = A, .status = 180, .to = "z" },
		{ .s = 5, .call = "y2", .from = "d", .src = B, .dst = P, .status = 200, .to = "v" },
		{ .s = 5.003, .call = "x2", .from = "b", .src = P, .dst = A, .status = 200, .to = "z" },
	};
	struct script s;

	(void)state;
	script_begin(&s);
	SAY_ALL(&s, rows);
	assert_ptr_equal(script_leg(&s, 3)->parent, script_leg(&s, 1));
	assert_ptr_equal(script_leg(&s, 4)->parent, script_leg(&s, 2));
	assert_int_equal(calls_in_order(s.c)->count, 2);
	script_end(&s);
}

/* A ring group: all siblings hang on the caller's leg, never on each other. */
static void test_ring_group_is_a_star(void **state)
{
	static const struct row rows[] = {
		{ .s = 0, X_, .extra = SESSION },
		{ .s = 0.01, .call = "y1", .from = "g1", .src = P, .dst = B, .extra = SESSION },
		{ .s = 0.01, .call = "y2", .from = "g2", .src = P, .dst = C3, .extra = SESSION },
		{ .s = 0.01, .call = "y3", .from = "g3", .src = P, .dst = "10.0.0.4:5060", .extra = SESSION },
	};
	struct script s;

	(void)state;
	script_begin(&s);
	SAY_ALL(&s, rows);
	for (unsigned n = 2; n <= 4; n++)
		assert_ptr_equal(script_leg(&s, n)->parent, script_leg(&s, 1));
	assert_int_equal(calls_in_order(s.c)->count, 1);
	assert_int_equal(script_leg(&s, 1)->call->legs.count, 4);
	assert_int_equal(calls_counts(s.c).calls, 4);
	script_end(&s);
}

/* A chain of two B2BUAs. */
static void test_chain(void **state)
{
	static const struct row rows[] = {
		{ .s = 0, .call = "one", .from = "a", .src = A, .dst = P, .extra = SESSION },
		{ .s = 0.01, .call = "two", .from = "b", .src = P, .dst = C3, .extra = SESSION },
		{ .s = 0.02, .call = "three", .from = "c", .src = C3, .dst = B, .extra = SESSION },
	};
	struct script s;

	(void)state;
	script_begin(&s);
	SAY_ALL(&s, rows);
	assert_ptr_equal(script_leg(&s, 2)->parent, script_leg(&s, 1));
	assert_ptr_equal(script_leg(&s, 3)->parent, script_leg(&s, 2));
	assert_int_equal(calls_in_order(s.c)->count, 1);
	script_end(&s);
}

static void test_retry_is_no_leg(void **state)
{
	struct script s;

	(void)state;
	script_begin(&s);
	SAY(&s, .s = 0, .call = "first", .dst = P);
	SAY(&s, .s = 1, .call = "first", .src = P, .status = 503, .to = "t");
	SAY(&s, .s = 2, .call = "second", .from = "g", .dst = P);
	SAY(&s, .s = 2.5, .call = "second", .from = "g", .src = P, .status = 503, .to = "t");
	SAY(&s, .s = 40, .call = "third", .from = "h", .dst = P);
	assert_false(script_leg(&s, 1)->is_retry);
	assert_true(script_leg(&s, 2)->is_retry);
	assert_false(script_leg(&s, 3)->is_retry);
	assert_null(script_leg(&s, 2)->parent);
	script_end(&s);
}

static void test_joined_by_relayed_media(void **state)
{
	struct script s;

	(void)state;
	script_begin(&s);
	SAY(&s, .s = 0, X_, .to_user = "5551");
	SAY(&s, .s = 2.9, Y_, .from_user = "77", .to_user = "88");
	calls_join_media(s.c, script_leg(&s, 2), script_leg(&s, 1));
	assert_ptr_equal(script_leg(&s, 2)->parent, script_leg(&s, 1));
	assert_int_equal(script_leg(&s, 2)->joined_by, JOIN_MEDIA);
	script_tick(&s, 3);
	assert_int_equal(script_count(&s, CALLS_LEG_JOINED), 1);
	script_end(&s);
}

/* Two callers of one host, and it plays one's audio to the other: a port given twice, no call passed on. */
static void test_two_callers_of_one_host_are_two_calls(void **state)
{
	struct script s;

	(void)state;
	script_begin(&s);
	SAY(&s, .s = 0, .call = "first", .dst = P);
	SAY(&s, .s = 2.9, .call = "second", .from = "g", .src = C3, .dst = P);
	calls_join_media(s.c, script_leg(&s, 2), script_leg(&s, 1));
	assert_null(script_leg(&s, 2)->parent);
	script_end(&s);
}

/* Throwing away a parent leaves its children standing. */
static void test_eviction_of_a_joined_leg(void **state)
{
	struct calls_config config = script_config();
	struct script s;
	char id[16];

	(void)state;
	config.max_legs = 8;
	script_begin_with(&s, &config);
	SAY(&s, .s = 0, X_, .extra = SESSION);
	SAY(&s, .s = 0.01, Y_, .extra = SESSION, .sdp = "v1");
	SAY(&s, .s = 1, Y_BACK, .status = 200, .to = "ty", .sdp = "v1 10.0.0.2:6000");
	for (unsigned i = 0; i < 100; i++) {
		snprintf(id, sizeof id, "n%u", i);
		SAY(&s, .s = 2 + i, .call = id, .from = id, .src = C3, .dst = P, .extra = SESSION);
	}
	assert_null(script_leg(&s, 2)->parent);
	assert_int_equal(script_leg(&s, 2)->call->legs.count, 1);
	script_end(&s);
}

/* Thousands of calls with one caller, one socket, one o= line at once: bounded work, no wrong join. */
static void test_load(void **state)
{
	struct script s;
	char id[24];

	(void)state;
	script_begin(&s);
	for (unsigned i = 0; i < 5000; i++) {
		snprintf(id, sizeof id, "load-%u", i);
		s.event_count = 0;
		SAY(&s, .s = i * 0.001, .call = id, .from = id, .dst = P, .sdp = "v1");
		SAY(&s, .s = i * 0.001 + 0.0005, .call = id, .from = id, .src = P, .status = 180, .to = "t");
	}
	assert_int_equal(calls_in_order(s.c)->count, 5000);
	script_end(&s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_parallel_calls_between_the_same_numbers),
		cmocka_unit_test(test_margin),
		cmocka_unit_test(test_parallel_calls_part_later),
		cmocka_unit_test(test_ring_group_is_a_star),
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_retry_is_no_leg),
		cmocka_unit_test(test_joined_by_relayed_media),
		cmocka_unit_test(test_two_callers_of_one_host_are_two_calls),
		cmocka_unit_test(test_eviction_of_a_joined_leg),
		cmocka_unit_test(test_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
