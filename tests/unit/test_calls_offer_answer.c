/* SPDX-License-Identifier: MIT */
/* test_calls_offer_answer: the sixteen rows of the offer/answer table (1.1.3). */
#include "tests/unit/calls_script.h"

#define OFFER    "v1"
#define ANSWER   "v1 10.0.0.2:6000"
#define RELIABLE "Require: 100rel\r\nRSeq: 1\r\n"

enum { ROWS_MAX = 12, EXCHANGES_MAX = 4 };

struct expected {
	enum exchange_kind kind;
	enum exchange_state state;
	enum side offerer;
	bool delayed, refresh, version_flaw, assumed, changed;
	double stable_s; /* 0: never */
	const char *answer; /* media port of it, "" none */
};

#define INVITE \
	{ \
		.s = 0, .sdp = OFFER \
	}
#define OK \
	{ \
		.s = 2, .status = 200, .to = "t", .sdp = ANSWER \
	}
#define ACK_ \
	{ \
		.s = 2.1, .method = "ACK", .to = "t" \
	}
#define CALL      INVITE, OK, ACK_
#define BY_CALLEE .src = B, .dst = A, .from = "t", .to = "f"
#define TO_CALLEE .src = A, .dst = B, .from = "t", .to = "f"
#define FIRST_CALL \
	{ \
		EXCHANGE_INITIAL, EXCHANGE_STABLE, SIDE_CALLER, .stable_s = 2, .answer = "6000" \
	}

static const struct {
	const char *name;
	struct row rows[ROWS_MAX];
	size_t count;
	struct expected exchanges[EXCHANGES_MAX];
	size_t exchange_count;
} cases[] = {
	{ "1 and 4: INVITE, 200", { CALL }, 3, { FIRST_CALL }, 1 },
	{ "1: an offer alone with 180", { INVITE, { .s = 1, .status = 180, .to = "t" } }, 2,
		{ { EXCHANGE_INITIAL, EXCHANGE_OFFERED, SIDE_CALLER, .answer = "" } }, 1 },
	{ "2: preview", { INVITE, { .s = 1, .status = 183, .to = "t", .sdp = ANSWER } }, 2,
		{ { EXCHANGE_INITIAL, EXCHANGE_PREVIEW, SIDE_CALLER, .answer = "" } }, 1 },
	{ "2 then 4: preview, then another answer",
		{ INVITE, { .s = 1, .status = 183, .to = "t", .sdp = "v1 10.0.0.9:7000" }, OK }, 3, { FIRST_CALL }, 1 },
	{ "3: reliable 183", { INVITE, { .s = 1, .status = 183, .to = "t", .sdp = ANSWER, .extra = RELIABLE } }, 2,
		{ { EXCHANGE_INITIAL, EXCHANGE_STABLE, SIDE_CALLER, .stable_s = 1, .answer = "6000" } }, 1 },
	{ "3: reliable 183, the 200 repeats it",
		{ INVITE, { .s = 1, .status = 183, .to = "t", .sdp = ANSWER, .extra = RELIABLE }, OK }, 3,
		{ { EXCHANGE_INITIAL, EXCHANGE_STABLE, SIDE_CALLER, .stable_s = 1, .answer = "6000" } }, 1 },
	{ "3: reliable 183, the 200 says otherwise",
		{ INVITE, { .s = 1, .status = 183, .to = "t", .sdp = "v1 10.0.0.2:7000", .extra = RELIABLE }, OK }, 3,
		{ { EXCHANGE_INITIAL, EXCHANGE_STABLE, SIDE_CALLER, .changed = true, .stable_s = 2,
			.answer = "6000" } },
		1 },
	{ "RSeq without Require is not reliable",
		{ INVITE, { .s = 1, .status = 183, .to = "t", .sdp = ANSWER, .extra = "RSeq: 1\r\n" } }, 2,
		{ { EXCHANGE_INITIAL, EXCHANGE_PREVIEW, SIDE_CALLER, .answer = "" } }, 1 },
	{ "5: 200 without SDP after a preview",
		{ INVITE, { .s = 1, .status = 183, .to = "t", .sdp = ANSWER }, { .s = 2, .status = 200, .to = "t" } },
		3,
		{ { EXCHANGE_INITIAL, EXCHANGE_STABLE, SIDE_CALLER, .assumed = true, .stable_s = 2,
			.answer = "6000" } },
		1 },
	{ "200 without SDP to an offer, no preview", { INVITE, { .s = 2, .status = 200, .to = "t" } }, 2,
		{ { EXCHANGE_INITIAL, EXCHANGE_NO_ANSWER, SIDE_CALLER, .answer = "" } }, 1 },
	{ "6: offer in the 200", { { .s = 0 }, OK }, 2,
		{ { EXCHANGE_INITIAL, EXCHANGE_OFFERED, SIDE_CALLEE, .delayed = true, .answer = "" } }, 1 },
	{ "6: an unreliable 183 to an INVITE without SDP offers nothing",
		{ { .s = 0 }, { .s = 1, .status = 183, .to = "t", .sdp = ANSWER } }, 2, { { 0 } }, 0 },
	{ "6 and 7: answer in the ACK",
		{ { .s = 0 }, OK, { .s = 2.5, .method = "ACK", .to = "t", .sdp = "v1 10.0.0.1:4444" } }, 3,
		{ { EXCHANGE_INITIAL, EXCHANGE_STABLE, SIDE_CALLEE, .delayed = true, .stable_s = 2.5,
			.answer = "4444" } },
		1 },
	{ "6 and 7: offer in a reliable 183, answer in PRACK, the 200 repeats",
		{ { .s = 0 }, { .s = 1, .status = 183, .to = "t", .sdp = ANSWER, .extra = RELIABLE },
			{ .s = 1.2,
				.method = "PRACK",
				.cseq = 2,
				.to = "t",
				.sdp = "v1 10.0.0.1:4444",
				.extra = "RAck: 1 1 INVITE\r\n" },
			OK, ACK_ },
		5,
		{ { EXCHANGE_INITIAL, EXCHANGE_STABLE, SIDE_CALLEE, .delayed = true, .stable_s = 1.2,
			.answer = "4444" } },
		1 },
	{ "8: ACK without SDP after an offer in the 200", { { .s = 0 }, OK, ACK_ }, 3,
		{ { EXCHANGE_INITIAL, EXCHANGE_NO_ANSWER, SIDE_CALLEE, .delayed = true, .answer = "" } }, 1 },
	{ "9: UPDATE by the callee",
		{ CALL, { .s = 5, BY_CALLEE, .method = "UPDATE", .sdp = "v2 10.0.0.2:6002" },
			{ .s = 5.1, TO_CALLEE, .method = "UPDATE", .status = 200, .sdp = "v2 10.0.0.1:4002" } },
		5, { FIRST_CALL, { EXCHANGE_UPDATE, EXCHANGE_STABLE, SIDE_CALLEE, .stable_s = 5.1, .answer = "4002" } },
		2 },
	{ "9: UPDATE refused",
		{ CALL, { .s = 5, BY_CALLEE, .method = "UPDATE", .sdp = "v2 10.0.0.2:6002" },
			{ .s = 5.1, TO_CALLEE, .method = "UPDATE", .status = 504 } },
		5, { FIRST_CALL, { EXCHANGE_UPDATE, EXCHANGE_REJECTED, SIDE_CALLEE, .answer = "" } }, 2 },
	{ "9: new offer in PRACK",
		{ INVITE, { .s = 1, .status = 183, .to = "t", .sdp = ANSWER, .extra = RELIABLE },
			{ .s = 1.2, .method = "PRACK", .cseq = 2, .to = "t", .sdp = "v2 10.0.0.1:4002" },
			{ .s = 1.3,
				.method = "PRACK",
				.cseq = 2,
				.status = 200,
				.to = "t",
				.sdp = "v2 10.0.0.2:6002" } },
		4,
		{ { EXCHANGE_INITIAL, EXCHANGE_STABLE, SIDE_CALLER, .stable_s = 1, .answer = "6000" },
			{ EXCHANGE_PRACK, EXCHANGE_STABLE, SIDE_CALLER, .stable_s = 1.3, .answer = "6002" } },
		2 },
	{ "10: hold by re-INVITE",
		{ CALL, { .s = 5, .cseq = 2, .to = "t", .sdp = "v2 10.0.0.1:4000 sendonly" },
			{ .s = 5.1, .cseq = 2, .status = 200, .to = "t", .sdp = "v2 10.0.0.2:6000 recvonly" } },
		5,
		{ FIRST_CALL, { EXCHANGE_REINVITE, EXCHANGE_STABLE, SIDE_CALLER, .stable_s = 5.1, .answer = "6000" } },
		2 },
	{ "10: re-INVITE refused with 488",
		{ CALL, { .s = 5, .cseq = 2, .to = "t", .sdp = "v2 10.0.0.9:4000" },
			{ .s = 5.1, .cseq = 2, .status = 488, .to = "t" } },
		5, { FIRST_CALL, { EXCHANGE_REINVITE, EXCHANGE_REJECTED, SIDE_CALLER, .answer = "" } }, 2 },
	{ "10: re-INVITE without any answer yet", { CALL, { .s = 5, .cseq = 2, .to = "t", .sdp = "v2 10.0.0.9:4000" } },
		4, { FIRST_CALL, { EXCHANGE_REINVITE, EXCHANGE_OFFERED, SIDE_CALLER, .answer = "" } }, 2 },
	{ "11: re-INVITE without SDP",
		{ CALL, { .s = 5, .cseq = 2, .to = "t" },
			{ .s = 5.1, .cseq = 2, .status = 200, .to = "t", .sdp = "v2 10.0.0.2:6002" },
			{ .s = 5.2, .method = "ACK", .cseq = 2, .to = "t", .sdp = "v2 10.0.0.1:4002" } },
		6,
		{ FIRST_CALL,
			{ EXCHANGE_REINVITE, EXCHANGE_STABLE, SIDE_CALLEE, .delayed = true, .stable_s = 5.2,
				.answer = "4002" } },
		2 },
	{ "12: glare, 491 to both",
		{ CALL, { .s = 5, .cseq = 2, .to = "t", .sdp = "v2 10.0.0.1:4002" },
			{ .s = 5, BY_CALLEE, .cseq = 7, .sdp = "v2 10.0.0.2:6002" },
			{ .s = 5.1, .cseq = 2, .status = 491, .to = "t" },
			{ .s = 5.1, TO_CALLEE, .cseq = 7, .status = 491 } },
		7,
		{ FIRST_CALL, { EXCHANGE_REINVITE, EXCHANGE_REJECTED, SIDE_CALLER, .answer = "" },
			{ EXCHANGE_REINVITE, EXCHANGE_REJECTED, SIDE_CALLEE, .answer = "" } },
		3 },
	{ "13: refresh",
		{ CALL, { .s = 5, .cseq = 2, .to = "t", .sdp = OFFER },
			{ .s = 5.1, .cseq = 2, .status = 200, .to = "t", .sdp = ANSWER } },
		5,
		{ FIRST_CALL,
			{ EXCHANGE_REINVITE, EXCHANGE_STABLE, SIDE_CALLER, .refresh = true, .stable_s = 5.1,
				.answer = "6000" } },
		2 },
	{ "13: refresh by the other side",
		{ CALL, { .s = 5, BY_CALLEE, .cseq = 2, .sdp = ANSWER },
			{ .s = 5.1, TO_CALLEE, .cseq = 2, .status = 200, .sdp = OFFER } },
		5,
		{ FIRST_CALL,
			{ EXCHANGE_REINVITE, EXCHANGE_STABLE, SIDE_CALLEE, .refresh = true, .stable_s = 5.1,
				.answer = "4000" } },
		2 },
	{ "14: body changed, version not",
		{ CALL, { .s = 5, .cseq = 2, .to = "t", .sdp = "v1 10.0.0.1:4000 sendonly" },
			{ .s = 5.1, .cseq = 2, .status = 200, .to = "t", .sdp = "v2 10.0.0.2:6000 recvonly" } },
		5,
		{ FIRST_CALL,
			{ EXCHANGE_REINVITE, EXCHANGE_STABLE, SIDE_CALLER, .version_flaw = true, .stable_s = 5.1,
				.answer = "6000" } },
		2 },
	{ "15: the 200 again, with another body",
		{ INVITE, OK, { .s = 2.5, .status = 200, .to = "t", .sdp = "v1 10.0.0.2:9000" }, ACK_ }, 4,
		{ FIRST_CALL }, 1 },
	{ "16: SDP in INFO and in the answer to BYE",
		{ CALL, { .s = 3, .method = "INFO", .cseq = 2, .to = "t", .sdp = "v9 10.0.0.1:1234" },
			{ .s = 3.1, .method = "INFO", .cseq = 2, .status = 200, .to = "t", .sdp = "v9 10.0.0.2:1234" },
			{ .s = 4, .method = "BYE", .cseq = 3, .to = "t" },
			{ .s = 4.1, .method = "BYE", .cseq = 3, .status = 200, .to = "t", .sdp = "v9" } },
		7, { FIRST_CALL }, 1 },
	{ "a challenge in between offers nothing",
		{ { .s = 0, .sdp = OFFER }, { .s = 0.1, .status = 407, .to = "x" },
			{ .s = 0.2, .method = "ACK", .to = "x", .branch = "INVITE1" },
			{ .s = 0.3, .cseq = 2, .sdp = OFFER },
			{ .s = 2, .cseq = 2, .status = 200, .to = "t", .sdp = ANSWER } },
		5, { FIRST_CALL }, 1 },
	{ "the INVITE was not captured", { OK, ACK_ }, 2, { FIRST_CALL }, 1 },
	{ "the INVITE was not captured, the ACK answers",
		{ OK, { .s = 2.5, .method = "ACK", .to = "t", .sdp = "v1 10.0.0.1:4444" } }, 2,
		{ { EXCHANGE_INITIAL, EXCHANGE_STABLE, SIDE_CALLEE, .delayed = true, .stable_s = 2.5,
			.answer = "4444" } },
		1 },
};

static bool exchange_is_as(const struct exchange *e, const struct expected *x)
{
	char port[8] = "";

	if (e->answer.count)
		snprintf(port, sizeof port, "%u", e->answer.seen[0]->sdp->media[0].port);
	return e->kind == x->kind && e->state == x->state && e->offerer == x->offerer && e->delayed == x->delayed &&
		e->refresh == x->refresh && e->version_flaw == x->version_flaw && e->answer_assumed == x->assumed &&
		e->answer_changed == x->changed && e->stable_ns == (x->stable_s > 0 ? at_s(x->stable_s) : NS_NONE) &&
		strcmp(port, x->answer) == 0;
}

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct script s;
		const struct dialog *d;

		script_begin(&s);
		say_all(&s, cases[i].rows, cases[i].count);
		assert_int_equal(calls_legs(s.c)->count, 1);
		d = script_dialog(script_leg(&s, 1), 0);
		if (d->exchanges.count != cases[i].exchange_count)
			fail_msg("%s: %zu exchanges", cases[i].name, d->exchanges.count);
		for (size_t k = 0; k < cases[i].exchange_count; k++) {
			const struct exchange *e = script_exchange(d, k);

			if (!exchange_is_as(e, &cases[i].exchanges[k]))
				fail_msg(
					"%s, exchange %zu: kind %d state %d offerer %d delayed %d refresh %d flaw %d assumed %d changed %d stable %lld",
					cases[i].name, k, e->kind, e->state, e->offerer, e->delayed, e->refresh,
					e->version_flaw, e->answer_assumed, e->answer_changed,
					(long long)(e->stable_ns - START_NS));
		}
		script_end(&s);
	}
}

static void test_events_in_order(void **state)
{
	struct script s;

	(void)state;
	script_begin(&s);
	SAY(&s, .s = 0, .sdp = OFFER);
	SAY(&s, .s = 1, .status = 183, .to = "t", .sdp = ANSWER);
	assert_int_equal(script_count(&s, CALLS_OFFER), 1);
	assert_int_equal(script_count(&s, CALLS_STABLE), 1);
	SAY(&s, .s = 2, .status = 200, .to = "t", .sdp = ANSWER);
	assert_int_equal(script_count(&s, CALLS_STABLE), 2);
	assert_int_equal(script_count(&s, CALLS_ANSWERED), 1);
	SAY(&s, .s = 2.5, .status = 200, .to = "t", .sdp = ANSWER);
	assert_int_equal(script_count(&s, CALLS_STABLE), 2);
	assert_int_equal(script_count(&s, CALLS_ANSWERED), 1);
	script_end(&s);
}

/* Through a proxy that rewrites the media address: every hop's version is kept, the author's first. */
static void test_copies_on_the_way(void **state)
{
	static const struct row rows[] = {
		{ .s = 0, .dst = P, .sdp = "v1 10.0.0.1:4000" },
		{ .s = 0.01, .src = P, .dst = B, .vias = 2, .sdp = "v1 10.0.0.5:20000" },
		{ .s = 2, .src = B, .dst = P, .vias = 2, .status = 200, .to = "t", .sdp = "v1 10.0.0.2:6000" },
		{ .s = 2.02, .src = P, .dst = A, .status = 200, .to = "t", .sdp = "v1 10.0.0.5:20002" },
		{ .s = 2.5, .src = B, .dst = P, .vias = 2, .status = 200, .to = "t", .sdp = "v1 10.0.0.2:6000" },
	};
	struct script s;
	const struct exchange *e;

	(void)state;
	script_begin(&s);
	SAY_ALL(&s, rows);
	e = script_exchange(script_dialog(script_leg(&s, 1), 0), 0);
	assert_int_equal(e->offer.count, 2);
	assert_int_equal(e->offer.seen[0]->sdp->media[0].port, 4000);
	assert_int_equal(e->offer.seen[1]->sdp->media[0].port, 20000);
	assert_int_equal(e->answer.count, 2);
	assert_int_equal(e->answer.seen[0]->sdp->media[0].port, 6000);
	assert_int_equal(e->answer.seen[1]->sdp->media[0].port, 20002);
	assert_int_equal(e->stable_ns, at_s(2));
	assert_int_equal(e->stable_last_hop_ns, at_s(2.02));
	script_end(&s);
}

/* A fork: what went to the other branch is no copy on this one's way. */
static void test_other_branches_are_not_on_the_way(void **state)
{
	static const struct row rows[] = {
		{ .s = 0, .dst = P, .sdp = "v1 10.0.0.1:4000" },
		{ .s = 0.01, .src = P, .dst = "10.0.0.3:5060", .vias = 2, .branch = "b3", .sdp = "v1 10.0.0.1:4000" },
		{ .s = 0.02, .src = P, .dst = B, .vias = 2, .branch = "b2", .sdp = "v1 10.0.0.1:4000" },
		{ .s = 1, .src = "10.0.0.3:5060", .dst = P, .vias = 2, .branch = "b3", .status = 180, .to = "t3" },
		{ .s = 2,
			.src = B,
			.dst = P,
			.vias = 2,
			.branch = "b2",
			.status = 200,
			.to = "t2",
			.sdp = "v1 10.0.0.2:6000" },
		{ .s = 2.1, .src = P, .dst = A, .status = 200, .to = "t2", .sdp = "v1 10.0.0.2:6000" },
	};
	struct script s;
	const struct exchange *e;

	(void)state;
	script_begin(&s);
	SAY_ALL(&s, rows);
	e = script_exchange(script_dialog(script_leg(&s, 1), 1), 0);
	assert_int_equal(e->offer.count, 2);
	assert_int_equal(e->offer.seen[0]->at.frame, 1);
	assert_int_equal(e->offer.seen[1]->at.frame, 3);
	script_end(&s);
}

/*
 * Trap proxy-answers-challenge: the edge authenticates by itself, so that CSeq and credentials differ from hop to hop.
 */
static void test_proxy_answers_the_challenge(void **state)
{
	static const struct row rows[] = {
		{ .s = 0, .dst = P, .sdp = OFFER },
		{ .s = 0.1, .src = P, .dst = A, .status = 407, .to = "x" },
		{ .s = 0.2, .dst = P, .method = "ACK", .to = "x", .branch = "INVITE1" },
		{ .s = 0.3, .dst = P, .cseq = 2, .sdp = OFFER },
		{ .s = 0.31, .src = P, .dst = A, .cseq = 2, .status = 100 },
		{ .s = 0.4, .src = P, .dst = B, .cseq = 2, .vias = 2, .sdp = OFFER },
		{ .s = 0.5, .src = B, .dst = P, .cseq = 2, .vias = 2, .status = 401, .to = "y" },
		{ .s = 0.6,
			.src = P,
			.dst = B,
			.cseq = 2,
			.vias = 2,
			.method = "ACK",
			.to = "y",
			.branch = "INVITE2-p" },
		{ .s = 0.7, .src = P, .dst = B, .cseq = 3, .vias = 2, .sdp = OFFER },
		{ .s = 1, .src = B, .dst = P, .cseq = 3, .vias = 2, .status = 183, .to = "t", .sdp = ANSWER },
		{ .s = 2, .src = B, .dst = P, .cseq = 3, .vias = 2, .status = 200, .to = "t", .sdp = ANSWER },
		{ .s = 2.1, .src = P, .dst = A, .cseq = 2, .status = 200, .to = "t", .sdp = ANSWER },
	};
	struct script s;
	const struct leg *leg;
	const struct exchange *e;

	(void)state;
	script_begin(&s);
	SAY_ALL(&s, rows);
	assert_int_equal(calls_legs(s.c)->count, 1);
	leg = script_leg(&s, 1);
	assert_int_equal(leg->state, LEG_ANSWERED);
	assert_int_equal(leg->status, 200);
	assert_int_equal(leg->answer_ns, at_s(2));
	assert_int_equal(leg->dialogs.count, 1);
	assert_int_equal(script_dialog(leg, 0)->exchanges.count, 1);
	e = script_exchange(script_dialog(leg, 0), 0);
	assert_int_equal(e->state, EXCHANGE_STABLE);
	assert_int_equal(e->offer.count, 2);
	assert_int_equal(e->offer.seen[0]->at.frame, 4);
	assert_int_equal(e->offer.seen[1]->at.frame, 9);
	assert_int_equal(e->answer.count, 2);
	assert_int_equal(e->stable_last_hop_ns, at_s(2.1));
	script_end(&s);
}

/* SDP outlives the packet, also where messages do not. */
static void test_sdp_without_texts(void **state)
{
	struct calls_config config = script_config();
	struct script s;
	const struct leg *leg;
	const struct sdp *answer;
	char at[ENDPOINT_TEXT];

	(void)state;
	config.keep_texts = false;
	script_begin_with(&s, &config);
	SAY(&s, .s = 0, .sdp = OFFER);
	SAY(&s, .s = 0.5, .sdp = OFFER);
	SAY(&s, .s = 2, .status = 200, .to = "t", .sdp = ANSWER);
	leg = script_leg(&s, 1);
	assert_int_equal(message_raw(script_message(leg, 0)).n, 0);
	answer = script_message(leg, 2)->sdp;
	assert_true(says(answer->media[0].formats[0].codec, "PCMA"));
	assert_string_equal(endpoint_text(&answer->media[0].at, at), "10.0.0.2:6000");
	/* both list the same codecs: one list for both */
	assert_ptr_equal(answer->media[0].formats, script_message(leg, 0)->sdp->media[0].formats);
	assert_true(says(phrase_span(script_message(leg, 2)->to_tag), "t"));
	assert_int_equal(script_message(leg, 2)->method, SIP_INVITE);
	assert_ptr_equal(script_message(leg, 0)->sdp, script_message(leg, 1)->sdp);
	script_end(&s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_events_in_order),
		cmocka_unit_test(test_copies_on_the_way),
		cmocka_unit_test(test_other_branches_are_not_on_the_way),
		cmocka_unit_test(test_proxy_answers_the_challenge),
		cmocka_unit_test(test_sdp_without_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
