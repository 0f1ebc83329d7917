/* SPDX-License-Identifier: MIT */
/*
 * test_calls_transaction: what a message is (first, sent again, forwarded, copied), and which transaction it belongs to
 * (1.1.1).
 */
#include "tests/unit/calls_script.h"

/* ---- one message after the other: what is the last one? ---- */

static const struct {
	const char *name;
	struct row before, last;
	enum message_repeat repeat;
	unsigned request_copies;
} repeats[] = {
	{ "the same again half a second later", { .s = 0 }, { .s = 0.5 }, MESSAGE_RETRANSMITTED, 2 },
	{ "the same again after 100 ms (T1 = RTT)", { .s = 0 }, { .s = 0.1 }, MESSAGE_RETRANSMITTED, 2 },
	{ "a mirror copy", { .s = 0 }, { .s = 0.000008, .copy = true }, MESSAGE_COPY, 1 },
	{ "forwarded by a proxy", { .s = 0, .dst = P }, { .s = 0.002, .src = P, .dst = B, .vias = 2 }, MESSAGE_NEXT_HOP,
		1 },
	{ "the proxy's hop captured first", { .s = 0, .src = P, .dst = B, .vias = 2 }, { .s = 0.5, .dst = P },
		MESSAGE_NEXT_HOP, 1 },
	{ "before and after a NAT", { .s = 0, .src = "192.168.1.2:5060", .dst = P },
		{ .s = 0.001, .src = "203.0.113.9:61234", .dst = P }, MESSAGE_NEXT_HOP, 1 },
	{ "the same branch on another address pair", { .s = 0, .dst = P }, { .s = 0.1, .dst = B }, MESSAGE_NEXT_HOP,
		1 },
	{ "rewritten by a box without addresses", { .s = 0, .sdp = "v1 192.168.1.2:4000" },
		{ .s = 0.0003, .sdp = "v1 203.0.113.9:4000" }, MESSAGE_NEXT_HOP, 1 },
	{ "forked through one address", { .s = 0, .src = P, .vias = 2, .branch = "x" },
		{ .s = 0.001, .src = P, .vias = 2, .branch = "y" }, MESSAGE_NEXT_HOP, 1 },
};

static void test_repeats(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof repeats / sizeof repeats[0]; i++) {
		struct script s;
		struct leg *leg;
		const struct message *last;

		script_begin(&s);
		say(&s, &repeats[i].before);
		say(&s, &repeats[i].last);
		leg = script_leg(&s, 1);
		last = script_message(leg, 1);
		if (last->repeat != repeats[i].repeat || last->transaction->request_copies != repeats[i].request_copies)
			fail_msg("%s: repeat %d, copies %u", repeats[i].name, last->repeat,
				last->transaction->request_copies);
		assert_int_equal(leg->transactions.count, 1);
		assert_ptr_equal(last->first, script_message(leg, 0));
		assert_int_equal(calls_counts(s.c).calls, 1);
		script_end(&s);
	}
}

static void test_retransmission_on_the_second_hop_repeats_that_hop(void **state)
{
	static const struct row rows[] = {
		{ .s = 0, .dst = P },
		{ .s = 0.001, .src = P, .dst = B, .vias = 2 },
		{ .s = 0.5, .dst = P },
		{ .s = 0.501, .src = P, .dst = B, .vias = 2 },
	};
	struct script s;
	const struct leg *leg;

	(void)state;
	script_begin(&s);
	SAY_ALL(&s, rows);
	leg = script_leg(&s, 1);
	assert_int_equal(script_message(leg, 2)->repeat, MESSAGE_RETRANSMITTED);
	assert_ptr_equal(script_message(leg, 2)->first, script_message(leg, 0));
	assert_int_equal(script_message(leg, 3)->repeat, MESSAGE_RETRANSMITTED);
	assert_ptr_equal(script_message(leg, 3)->first, script_message(leg, 1));
	assert_int_equal(script_message(leg, 0)->transaction->request_copies, 2);
	script_end(&s);
}

static void test_both_acks_belong_to_the_invite(void **state)
{
	static const struct row rows[] = {
		{ .s = 0, .sdp = "v1" },
		{ .s = 0.1, .status = 401, .to = "x" },
		{ .s = 0.2, .method = "ACK", .to = "x", .branch = "INVITE1" },
		{ .s = 0.3, .cseq = 2, .sdp = "v1" },
		{ .s = 1, .status = 200, .cseq = 2, .to = "t", .sdp = "v1 10.0.0.2:6000" },
		{ .s = 1.5, .status = 200, .cseq = 2, .to = "t", .sdp = "v1 10.0.0.2:6000" },
		{ .s = 1.6, .method = "ACK", .cseq = 2, .to = "t" },
	};
	struct script s;
	const struct leg *leg;
	const struct transaction *first, *second;

	(void)state;
	script_begin(&s);
	SAY_ALL(&s, rows);
	leg = script_leg(&s, 1);
	assert_int_equal(calls_legs(s.c)->count, 1);
	assert_int_equal(leg->transactions.count, 2);
	first = LIST_ENTRY(nth(&leg->transactions, 0), struct transaction, in_leg);
	second = LIST_ENTRY(nth(&leg->transactions, 1), struct transaction, in_leg);
	assert_int_equal(first->status, 401);
	assert_ptr_equal(first->ack, script_message(leg, 2));
	assert_int_equal(second->status, 200);
	assert_ptr_equal(second->ack, script_message(leg, 6));
	assert_int_equal(second->final_copies, 2);
	assert_true(first->initial && second->initial);
	assert_int_equal(leg->answer_ns, at_s(1));
	assert_int_equal(leg->state, LEG_ANSWERED);
	script_end(&s);
}

static void test_cancel_is_a_transaction_of_its_own(void **state)
{
	static const struct row rows[] = {
		{ .s = 0 },
		{ .s = 0.1, .status = 180, .to = "t" },
		{ .s = 5, .method = "CANCEL", .extra = "Reason: SIP;cause=200\r\n" },
		{ .s = 5.01, .method = "CANCEL", .status = 200, .to = "t" },
		{ .s = 5.02, .status = 487, .to = "t" },
		{ .s = 5.03, .method = "ACK", .to = "t", .branch = "INVITE1" },
	};
	struct script s;
	const struct leg *leg;

	(void)state;
	script_begin(&s);
	SAY_ALL(&s, rows);
	leg = script_leg(&s, 1);
	assert_int_equal(leg->transactions.count, 2);
	assert_true(leg->cancel_seen);
	assert_true(says(leg->end_reason, "SIP;cause=200"));
	assert_int_equal(leg->state, LEG_CANCELLED);
	assert_int_equal(leg->status, 487);
	assert_int_equal(leg->end_ns, at_s(5.02));
	assert_false(leg->answered);
	script_end(&s);
}

/* Some stacks answer the challenge with the CSeq of the first INVITE. */
static void test_credentials_with_the_same_cseq(void **state)
{
	static const struct row rows[] = {
		{ .s = 0 },
		{ .s = 0.1, .status = 407, .to = "x" },
		{ .s = 0.2, .method = "ACK", .to = "x", .branch = "INVITE1" },
		{ .s = 0.3, .branch = "second" },
		{ .s = 0.8, .branch = "second" },
		{ .s = 1, .status = 200, .to = "t", .branch = "second" },
	};
	struct script s;
	const struct leg *leg;

	(void)state;
	script_begin(&s);
	SAY_ALL(&s, rows);
	leg = script_leg(&s, 1);
	assert_int_equal(leg->transactions.count, 2);
	assert_int_equal(script_message(leg, 3)->repeat, MESSAGE_FIRST);
	assert_int_equal(script_message(leg, 4)->repeat, MESSAGE_RETRANSMITTED);
	assert_int_equal(leg->state, LEG_ANSWERED);
	script_end(&s);
}

/* Trap cseq-spaces: the callee counts its own requests; equal numbers are no retransmission. */
static void test_each_side_has_its_own_cseq_space(void **state)
{
	static const struct row rows[] = {
		{ .s = 0, .cseq = 102, .sdp = "v1" },
		{ .s = 1, .status = 200, .cseq = 102, .to = "t", .sdp = "v1 10.0.0.2:6000" },
		{ .s = 1.1, .method = "ACK", .cseq = 102, .to = "t" },
		{ .s = 5, .src = B, .dst = A, .from = "t", .to = "f", .cseq = 101, .sdp = "v2 10.0.0.2:6000 sendonly" },
		{ .s = 5.1,
			.src = A,
			.dst = B,
			.status = 200,
			.from = "t",
			.to = "f",
			.cseq = 101,
			.sdp = "v2 10.0.0.1:4000 recvonly" },
		{ .s = 9, .src = B, .dst = A, .from = "t", .to = "f", .cseq = 102, .sdp = "v3 10.0.0.2:6000" },
		{ .s = 9.1,
			.src = A,
			.dst = B,
			.status = 200,
			.from = "t",
			.to = "f",
			.cseq = 102,
			.sdp = "v3 10.0.0.1:4000" },
	};
	struct script s;
	const struct leg *leg;

	(void)state;
	script_begin(&s);
	SAY_ALL(&s, rows);
	leg = script_leg(&s, 1);
	assert_int_equal(calls_legs(s.c)->count, 1);
	assert_int_equal(leg->transactions.count, 3);
	for (size_t i = 0; i < leg->messages.count; i++)
		assert_int_equal(script_message(leg, i)->repeat, MESSAGE_FIRST);
	assert_int_equal(script_message(leg, 3)->by, SIDE_CALLEE);
	assert_int_equal(script_message(leg, 4)->by, SIDE_CALLER);
	assert_int_equal(script_dialog(leg, 0)->exchanges.count, 3);
	script_end(&s);
}

static void test_transactions_without_final_close_after_32_s(void **state)
{
	struct script s;

	(void)state;
	script_begin(&s);
	SAY(&s, .s = 0);
	script_tick(&s, 31.9);
	assert_int_equal(script_count(&s, CALLS_TRANSACTION_CLOSED), 0);
	script_tick(&s, 32);
	assert_int_equal(script_count(&s, CALLS_TRANSACTION_CLOSED), 1);
	script_tick(&s, 64);
	assert_int_equal(script_count(&s, CALLS_TRANSACTION_CLOSED), 1);
	script_end(&s);
}

static void test_a_ringing_invite_waits(void **state)
{
	struct script s;

	(void)state;
	script_begin(&s);
	SAY(&s, .s = 0);
	SAY(&s, .s = 0.1, .status = 180, .to = "t");
	script_tick(&s, 120);
	assert_int_equal(script_count(&s, CALLS_TRANSACTION_CLOSED), 0);
	SAY(&s, .s = 130, .status = 486, .to = "t");
	assert_int_equal(script_count(&s, CALLS_TRANSACTION_CLOSED), 1);
	script_end(&s);
}

static void test_provisional_with_other_body_is_news(void **state)
{
	struct script s;
	const struct leg *leg;

	(void)state;
	script_begin(&s);
	SAY(&s, .s = 0, .sdp = "v1");
	SAY(&s, .s = 0.1, .status = 183, .to = "t", .sdp = "v1 10.0.0.2:6000");
	SAY(&s, .s = 2, .status = 183, .to = "t", .sdp = "v2 10.0.0.2:6100");
	SAY(&s, .s = 3, .status = 183, .to = "t", .sdp = "v2 10.0.0.2:6100");
	leg = script_leg(&s, 1);
	assert_int_equal(script_message(leg, 2)->repeat, MESSAGE_FIRST);
	assert_int_equal(script_message(leg, 3)->repeat, MESSAGE_RETRANSMITTED);
	script_end(&s);
}

/* More than a leg has at once, in most: each answer still finds its own, the oldest as well as the newest. */
static void test_many_transactions(void **state)
{
	enum { MANY = 40 };
	struct script s;
	const struct leg *leg;

	(void)state;
	script_begin(&s);
	SAY(&s, .s = 0, .sdp = "v1");
	SAY(&s, .s = 1, .status = 200, .to = "t", .sdp = "v1 10.0.0.2:6000");
	for (unsigned i = 0; i < MANY; i++)
		SAY(&s, .s = 2 + i * 0.01, .method = "INFO", .cseq = 2 + i, .to = "t");
	for (unsigned i = 0; i < MANY; i++)
		SAY(&s, .s = 3 + i * 0.01, .method = "INFO", .status = 200, .cseq = 2 + i, .to = "t");
	leg = script_leg(&s, 1);
	assert_int_equal(leg->transactions.count, 1 + MANY);
	LIST_EACH(it, &leg->transactions) {
		const struct transaction *t = LIST_ENTRY(it, struct transaction, in_leg);

		assert_int_equal(t->messages.count, 2);
		assert_int_equal(t->finals, 1);
	}
	script_end(&s);
}

/* One Call-ID for all calls of a careless sender: From-tags tell the legs apart, To-tags the dialogs. */
static void test_many_legs_of_one_call_id(void **state)
{
	enum { MANY = 40 };
	char from[MANY][8], to[MANY][8];
	struct script s;
	unsigned n = 0;

	(void)state;
	script_begin(&s);
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(from[i], sizeof from[i], "f%u", i);
		snprintf(to[i], sizeof to[i], "t%u", i);
		SAY(&s, .s = i * 0.1, .from = from[i], .branch = from[i], .sdp = "v1");
	}
	for (unsigned i = 0; i < MANY; i++)
		SAY(&s, .s = 5 + i * 0.1, .from = from[i], .branch = from[i], .to = to[i], .status = 200,
			.sdp = "v1 10.0.0.2:6000");
	for (unsigned i = 0; i < MANY; i++)
		SAY(&s, .s = 10 + i * 0.1, .src = B, .dst = A, .method = "BYE", .from = to[i], .to = from[i], .cseq = 7);
	assert_int_equal(calls_legs(s.c)->count, MANY);
	LIST_EACH(it, calls_legs(s.c)) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_order);

		assert_int_equal(leg->messages.count, 3);
		assert_int_equal(leg->dialogs.count, 1);
		assert_true(span_equal(leg->from_tag, span_of(from[n])));
		assert_true(leg->bye_seen && leg->ended_by_side == SIDE_CALLEE);
		n++;
	}
	script_end(&s);
}

/* A flood of repetitions stays bounded and the end is still noticed. */
static void test_endless_leg(void **state)
{
	struct script s;
	const struct leg *leg;

	(void)state;
	script_begin(&s);
	SAY(&s, .s = 0, .sdp = "v1");
	SAY(&s, .s = 1, .status = 200, .to = "t", .sdp = "v1 10.0.0.2:6000");
	for (unsigned i = 0; i < 6000; i++)
		SAY(&s, .s = 2 + i * 0.01, .method = "INFO", .cseq = 2 + i / 2, .to = "t");
	leg = script_leg(&s, 1);
	assert_int_equal(leg->messages.count, 4096);
	SAY(&s, .s = 100, .method = "BYE", .cseq = 9000, .to = "t");
	SAY(&s, .s = 100.1, .method = "BYE", .status = 200, .cseq = 9000, .to = "t");
	assert_true(leg->bye_seen && leg->bye_answered);
	assert_int_equal(leg->state, LEG_ENDED);
	assert_int_equal(leg->end_ns, at_s(100));
	script_end(&s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_repeats),
		cmocka_unit_test(test_retransmission_on_the_second_hop_repeats_that_hop),
		cmocka_unit_test(test_both_acks_belong_to_the_invite),
		cmocka_unit_test(test_cancel_is_a_transaction_of_its_own),
		cmocka_unit_test(test_credentials_with_the_same_cseq),
		cmocka_unit_test(test_each_side_has_its_own_cseq_space),
		cmocka_unit_test(test_transactions_without_final_close_after_32_s),
		cmocka_unit_test(test_a_ringing_invite_waits),
		cmocka_unit_test(test_provisional_with_other_body_is_news),
		cmocka_unit_test(test_many_transactions),
		cmocka_unit_test(test_many_legs_of_one_call_id),
		cmocka_unit_test(test_endless_leg),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
