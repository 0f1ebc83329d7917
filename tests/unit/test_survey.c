/* SPDX-License-Identifier: MIT */
/* test_survey: which legs are plain, so that nothing but their ends needs a look; the list of those that are not. */
#include "analyzer/detect/survey.h"

#include "tests/unit/calls_script.h"

#define INVITE { .s = 0, .sdp = "v1" }
#define RINGING { .s = 1, .src = B, .dst = A, .status = 180, .to = "t" }
#define OK { .s = 2, .src = B, .dst = A, .status = 200, .to = "t", .sdp = "v1 10.0.0.2:4000" }
#define ACKED { .s = 2.1, .method = "ACK", .to = "t" }
#define BYE { .s = 9, .method = "BYE", .to = "t", .cseq = 2 }
#define BYE_OK { .s = 9.1, .src = B, .dst = A, .method = "BYE", .status = 200, .to = "t", .cseq = 2 }
#define CHALLENGED { .s = 0.1, .src = B, .dst = A, .status = 407, .to = "x" }, { .s = 0.2, .method = "ACK", .to = "x" }, \
	{ .s = 0.3, .cseq = 2, .sdp = "v1" }

enum { ROWS_MAX = 12 };

static const struct { const char *name; bool plain; struct row rows[ROWS_MAX]; } legs[] = {
	{ "a call", true, { INVITE, RINGING, OK, ACKED, BYE, BYE_OK } },
	{ "a call that goes on", true, { INVITE, RINGING, OK, ACKED } },
	{ "its INVITE was challenged", true, { INVITE, CHALLENGED,
		{ .s = 2, .src = B, .dst = A, .status = 200, .to = "t", .cseq = 2 },
		{ .s = 2.1, .method = "ACK", .to = "t", .cseq = 2 } } },
	{ "not answered yet", false, { INVITE, RINGING } },
	{ "refused", false, { INVITE, { .s = 1, .src = B, .dst = A, .status = 486, .to = "t" } } },
	{ "challenged, and that is all", false, { INVITE, CHALLENGED } },
	{ "the INVITE sent again", false, { INVITE, { .s = 0.5, .sdp = "v1" }, OK, ACKED } },
	{ "the answer sent again", false, { INVITE, OK, { .s = 2.5, .src = B, .dst = A, .status = 200, .to = "t" }, ACKED } },
	{ "a copy of the capture's making", false, { INVITE, { .s = 0.00001, .sdp = "v1", .copy = true }, OK, ACKED } },
	{ "another INVITE before the first was answered", false, { INVITE, { .s = 0.3, .cseq = 2 }, OK, ACKED } },
	{ "forwarded by a proxy", false, { { .s = 0, .dst = P }, { .s = 0.002, .src = P, .dst = B, .vias = 2 },
		{ .s = 2, .src = B, .dst = P, .status = 200, .to = "t", .vias = 2 },
		{ .s = 2.1, .src = P, .dst = A, .status = 200, .to = "t" } } },
	{ "two phones answer", false, { INVITE, OK, { .s = 2.5, .src = B, .dst = A, .status = 200, .to = "u" }, ACKED } },
	{ "a reliable 18x", false, { INVITE, { .s = 1, .src = B, .dst = A, .status = 183, .to = "t",
		.extra = "Require: 100rel\r\nRSeq: 1\r\n" }, OK, ACKED } },
	{ "cancelled", false, { INVITE, RINGING, { .s = 1.5, .method = "CANCEL" }, OK, ACKED } },
	{ "a re-INVITE", false, { INVITE, OK, ACKED, { .s = 5, .to = "t", .cseq = 2, .sdp = "v2" } } },
	{ "an UPDATE", false, { INVITE, OK, ACKED, { .s = 5, .method = "UPDATE", .to = "t", .cseq = 2 } } },
	{ "an INFO", false, { INVITE, OK, ACKED, { .s = 5, .method = "INFO", .to = "t", .cseq = 2 } } },
	{ "a REFER", false, { INVITE, OK, ACKED, { .s = 5, .method = "REFER", .to = "t", .cseq = 2 } } },
	{ "a BYE that is refused", false, { INVITE, OK, ACKED, BYE,
		{ .s = 9.1, .src = B, .dst = A, .method = "BYE", .status = 481, .to = "t", .cseq = 2 } } },
	{ "the middle of a call", false, { { .s = 5, .method = "INFO", .to = "t", .cseq = 2 }, BYE, BYE_OK } },
};

static void one_quiet_call_is_plain(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof legs / sizeof legs[0]; i++) {
		struct script s;
		const struct leg *leg;

		script_begin(&s);
		for (unsigned k = 0; k < ROWS_MAX && (k == 0 || legs[i].rows[k].s > 0); k++)
			say(&s, &legs[i].rows[k]);
		leg = script_leg(&s, 1);
		if (leg_plain(leg) != legs[i].plain)
			fail_msg("%s: %s", legs[i].name, legs[i].plain ? "not plain" : "plain");
		if (legs[i].plain) {
			const struct transaction *t = leg_plain_answered(leg);

			assert_non_null(t);
			assert_int_equal(t->final->status, 200);
			assert_int_equal(t->final->at.at_ns, leg->answer_ns);
		}
		script_end(&s);
	}
}

static void a_list_keeps_the_order_of_the_legs(void **state)
{
	struct leg some[40] = { 0 };
	struct leg_list l = { NULL, 0, 0 };

	(void)state;
	for (unsigned i = 0; i < 40; i++)
		leg_list_add(&l, &some[i]);
	assert_int_equal(l.count, 40);
	for (unsigned i = 0; i < 40; i++)
		assert_ptr_equal(l.list[i], &some[i]);
	leg_list_clear(&l);
	assert_int_equal(l.count, 0);
	assert_null(l.list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_quiet_call_is_plain),
		cmocka_unit_test(a_list_keeps_the_order_of_the_legs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
