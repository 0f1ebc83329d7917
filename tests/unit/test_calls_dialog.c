/* SPDX-License-Identifier: MIT */
/*
 * test_calls_dialog: legs and dialogs: who is who, states, ends, partial and reused ones, one-sided captures, counts,
 * room.
 */
#include "tests/unit/calls_script.h"

#define INVITE \
	{ \
		.s = 0, .sdp = "v1" \
	}
#define RINGING \
	{ \
		.s = 1, .status = 180, .to = "t" \
	}
#define OK \
	{ \
		.s = 2, .status = 200, .to = "t", .sdp = "v1 10.0.0.2:6000" \
	}
#define ACK_ \
	{ \
		.s = 2.1, .method = "ACK", .to = "t" \
	}
#define BYE_ \
	{ \
		.s = 9, .method = "BYE", .cseq = 2, .to = "t" \
	}
#define BYE_OK \
	{ \
		.s = 9.1, .method = "BYE", .cseq = 2, .status = 200, .to = "t" \
	}

enum { ROWS_MAX = 12 };

static const struct {
	const char *name;
	struct row rows[ROWS_MAX];
	size_t count;
	enum leg_state state;
	unsigned status;
	unsigned calls, answered;
	bool partial;
} legs[] = {
	{ "INVITE alone", { INVITE }, 1, LEG_CALLING, 0, 1, 0, false },
	{ "INVITE, 100", { INVITE, { .s = 0.1, .status = 100 } }, 2, LEG_CALLING, 0, 1, 0, false },
	{ "ringing", { INVITE, RINGING }, 2, LEG_RINGING, 0, 1, 0, false },
	{ "answered", { INVITE, RINGING, OK, ACK_ }, 4, LEG_ANSWERED, 200, 1, 1, false },
	{ "ended", { INVITE, OK, ACK_, BYE_, BYE_OK }, 5, LEG_ENDED, 200, 1, 1, false },
	{ "busy", { INVITE, { .s = 1, .status = 486, .to = "t" } }, 2, LEG_BUSY, 486, 1, 0, false },
	{ "busy everywhere", { INVITE, { .s = 1, .status = 600, .to = "t" } }, 2, LEG_BUSY, 600, 1, 0, false },
	{ "declined", { INVITE, { .s = 1, .status = 603, .to = "t" } }, 2, LEG_DECLINED, 603, 1, 0, false },
	{ "redirected", { INVITE, { .s = 1, .status = 302, .to = "t" } }, 2, LEG_REDIRECTED, 302, 1, 0, false },
	{ "failed", { INVITE, { .s = 1, .status = 404, .to = "t" } }, 2, LEG_FAILED, 404, 1, 0, false },
	{ "challenged and no more", { INVITE, { .s = 1, .status = 401, .to = "t" } }, 2, LEG_FAILED, 401, 1, 0, false },
	{ "redirected and tried there",
		{ INVITE, { .s = 1, .status = 302, .to = "x" },
			{ .s = 1.1, .method = "ACK", .to = "x", .branch = "INVITE1" }, { .s = 1.2, .cseq = 2 },
			{ .s = 2, .cseq = 2, .status = 200, .to = "t" } },
		5, LEG_ANSWERED, 200, 1, 1, false },
	{ "timer too small and tried again",
		{ INVITE, { .s = 1, .status = 422, .to = "x" }, { .s = 1.2, .cseq = 2 },
			{ .s = 2, .cseq = 2, .status = 180, .to = "t" } },
		4, LEG_RINGING, 0, 1, 0, false },
	{ "a failed branch behind the proxy is not the caller's",
		{ { .s = 0, .dst = P }, { .s = 0.1, .src = P, .dst = B, .vias = 2 },
			{ .s = 1, .src = B, .dst = P, .vias = 2, .status = 503, .to = "t" },
			{ .s = 1.1, .src = P, .dst = "10.0.0.3:5060", .vias = 2, .branch = "z" },
			{ .s = 2,
				.src = "10.0.0.3:5060",
				.dst = P,
				.vias = 2,
				.branch = "z",
				.status = 200,
				.to = "u" } },
		5, LEG_ANSWERED, 200, 1, 1, false },
	{ "only the answers are seen", { RINGING, OK }, 2, LEG_ANSWERED, 200, 1, 1, false },
	{ "only a failure is seen", { { .s = 1, .status = 404, .to = "t" } }, 1, LEG_FAILED, 404, 1, 0, false },
	{ "only a 180 is seen: no call yet", { RINGING }, 1, LEG_RINGING, 0, 0, 0, false },
	{ "only the requests are seen: the ACK proves a 200", { INVITE, { .s = 2, .method = "ACK", .to = "t" } }, 2,
		LEG_ANSWERED, 0, 1, 1, false },
	{ "only the requests are seen: the ACK of a failure proves none",
		{ INVITE, { .s = 2, .method = "ACK", .to = "t", .branch = "INVITE1" } }, 2, LEG_CALLING, 0, 1, 0,
		false },
	{ "an ACK without To-tag proves nothing", { INVITE, { .s = 2, .method = "ACK" } }, 2, LEG_CALLING, 0, 1, 0,
		false },
	{ "begun before the capture: BYE", { BYE_, BYE_OK }, 2, LEG_ENDED, 0, 0, 0, true },
	{ "begun before the capture: re-INVITE",
		{ { .s = 5, .cseq = 7, .to = "t", .sdp = "v2" },
			{ .s = 5.1, .cseq = 7, .status = 200, .to = "t", .sdp = "v2 10.0.0.2:6000" } },
		2, LEG_ANSWERED, 0, 0, 0, true },
	{ "response before request (two clocks)",
		{ { .s = 0, .status = 200, .to = "t", .sdp = "v1 10.0.0.2:6000" }, { .s = 0.5, .sdp = "v1" },
			{ .s = 1, .method = "ACK", .to = "t" } },
		3, LEG_ANSWERED, 200, 1, 1, false },
	{ "ACK and BYE before the INVITE (two clocks)",
		{ { .s = 0, .method = "ACK", .to = "t" }, { .s = 0.5, .sdp = "v1" }, OK }, 3, LEG_ANSWERED, 200, 1, 1,
		false },
	{ "2xx without To-tag",
		{ INVITE, { .s = 2, .status = 200, .sdp = "v1 10.0.0.2:6000" }, { .s = 2.1, .method = "ACK" },
			{ .s = 9, .method = "BYE", .cseq = 2 } },
		4, LEG_ENDED, 200, 1, 1, false },
	{ "two copies at two points count once",
		{ { .s = 0, .src = "192.168.1.2:5060", .dst = P }, { .s = 0.001, .src = "203.0.113.9:999", .dst = P },
			{ .s = 1, .src = P, .dst = "203.0.113.9:999", .status = 200, .to = "t" },
			{ .s = 1.001, .src = P, .dst = "192.168.1.2:5060", .status = 200, .to = "t" } },
		4, LEG_ANSWERED, 200, 1, 1, false },
	{ "OPTIONS is no call",
		{ { .s = 0, .method = "OPTIONS" }, { .s = 0.1, .method = "OPTIONS", .status = 200, .to = "t" },
			INVITE },
		3, LEG_CALLING, 0, 1, 0, false },
	{ "CSeq of the 400 unreadable",
		{ INVITE, { .s = 1, .status = 400, .to = "t", .branch = "INVITE1", .method = "" } }, 2, LEG_FAILED, 400,
		1, 0, false },
};

static void test_states(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof legs / sizeof legs[0]; i++) {
		struct script s;
		const struct leg *leg;
		struct calls_counts n;

		script_begin(&s);
		say_all(&s, legs[i].rows, legs[i].count);
		calls_finish(s.c, s.now_ns);
		assert_int_equal(calls_legs(s.c)->count, 1);
		leg = script_leg(&s, 1);
		n = calls_counts(s.c);
		if (leg->state != legs[i].state || leg->status != legs[i].status || leg->partial != legs[i].partial ||
			n.calls != legs[i].calls || n.answered != legs[i].answered)
			fail_msg("%s: %s %u, calls %u, answered %u, partial %d", legs[i].name,
				leg_state_name(leg->state), leg->status, (unsigned)n.calls, (unsigned)n.answered,
				leg->partial);
		script_end(&s);
	}
}

/* ---- who speaks, and from where ---- */

static void test_parties_behind_a_proxy(void **state)
{
	static const struct row rows[] = {
		{ .s = 0, .dst = P },
		{ .s = 0.01, .src = P, .dst = B, .vias = 2 },
		{ .s = 1, .src = B, .dst = P, .vias = 2, .status = 200, .to = "t" },
		{ .s = 1.01, .src = P, .dst = A, .status = 200, .to = "t" },
		{ .s = 1.1, .method = "ACK", .dst = P, .to = "t" },
		{ .s = 1.11, .method = "ACK", .src = P, .dst = B, .vias = 2, .to = "t" },
		{ .s = 9,
			.method = "BYE",
			.src = P,
			.dst = A,
			.vias = 2,
			.from = "t",
			.to = "f",
			.contact = "1002@" B },
		{ .s = 9.1,
			.method = "BYE",
			.src = A,
			.dst = P,
			.vias = 2,
			.status = 200,
			.from = "t",
			.to = "f",
			.contact = "1001@" A },
	};
	static const enum side by[] = { SIDE_CALLER, SIDE_CALLER, SIDE_CALLEE, SIDE_CALLEE, SIDE_CALLER, SIDE_CALLER,
		SIDE_CALLEE, SIDE_CALLER };
	struct endpoint a = script_endpoint(A), b = script_endpoint(B), p = script_endpoint(P);
	struct script s;
	const struct leg *leg;

	(void)state;
	script_begin(&s);
	SAY_ALL(&s, rows);
	leg = script_leg(&s, 1);
	for (size_t i = 0; i < sizeof by / sizeof by[0]; i++)
		assert_int_equal(script_message(leg, i)->by, by[i]);
	assert_true(endpoint_equal(&leg->party[SIDE_CALLER].signalling, &a));
	assert_true(endpoint_equal(&leg->party[SIDE_CALLEE].signalling, &b));
	assert_true(endpoint_equal(&leg->party[SIDE_CALLEE].signalling_dst, &b));
	assert_int_equal(leg->segment_count, 2);
	assert_true(endpoint_equal(&leg->segments[0].a, &a) && endpoint_equal(&leg->segments[0].b, &p));
	assert_int_equal(leg->segments[0].messages_ab, 3);
	assert_int_equal(leg->segments[0].messages_ba, 2);
	assert_int_equal(leg->ended_by_side, SIDE_CALLEE);
	assert_true(says(leg->party[SIDE_CALLEE].user, "1002"));
	script_end(&s);
}

/* Only the proxy's side towards the caller is captured: the proxy stands for the callee. */
static void test_parties_as_far_as_captured(void **state)
{
	struct endpoint p = script_endpoint(P);
	struct script s;

	(void)state;
	script_begin(&s);
	SAY(&s, .s = 0, .dst = P);
	assert_false(address_known(&script_leg(&s, 1)->party[SIDE_CALLEE].signalling.addr));
	assert_true(endpoint_equal(&script_leg(&s, 1)->party[SIDE_CALLEE].signalling_dst, &p));
	SAY(&s, .s = 1, .src = P, .dst = A, .status = 200, .to = "t");
	assert_true(endpoint_equal(&script_leg(&s, 1)->party[SIDE_CALLEE].signalling, &p));
	script_end(&s);
}

/* Both sides of a NAT in one file: the private side is nearer to the phone, whichever came first. */
static void test_parties_at_two_points(void **state)
{
	static const struct row inside = { .s = 0,
		.src = "192.168.1.2:5060",
		.dst = P,
		.via_host = "192.168.1.2:5060",
		.contact = "1001@192.168.1.2:5060" };
	static const struct row outside = { .s = 0,
		.src = "203.0.113.9:999",
		.dst = P,
		.via_host = "192.168.1.2:5060",
		.contact = "1001@192.168.1.2:5060" };
	struct endpoint private = script_endpoint("192.168.1.2:5060");

	(void)state;
	for (int order = 0; order < 2; order++) {
		struct script s;

		script_begin(&s);
		say(&s, order ? &inside : &outside);
		say(&s, order ? &outside : &inside);
		assert_true(endpoint_equal(&script_leg(&s, 1)->party[SIDE_CALLER].signalling, &private));
		script_end(&s);
	}
}

/* ---- again and again ---- */

/* Trap callid-reused. */
static void test_call_id_reused(void **state)
{
	static const struct row rows[] = {
		INVITE,
		OK,
		ACK_,
		BYE_,
		BYE_OK,
		{ .s = 11, .from = "g", .sdp = "v1 10.0.0.1:5000" },
		{ .s = 12, .from = "g", .status = 200, .to = "u", .sdp = "v1 10.0.0.2:7000" },
		{ .s = 32, .from = "g", .method = "BYE", .cseq = 2, .to = "u" },
	};
	struct script s;

	(void)state;
	script_begin(&s);
	SAY_ALL(&s, rows);
	assert_int_equal(calls_legs(s.c)->count, 2);
	assert_int_equal(calls_in_order(s.c)->count, 2);
	assert_int_equal(script_leg(&s, 2)->state, LEG_ENDED);
	assert_int_equal(script_leg(&s, 2)->messages.count, 3);
	assert_int_equal(calls_counts(s.c).calls, 1);
	script_end(&s);
}

/* Trap carrier-refire: Call-ID, From-tag and CSeq of a call that is long over, from another edge. */
static void test_invite_refired(void **state)
{
	static const struct row rows[] = {
		{ .s = 0, .cseq = 5 },
		{ .s = 1, .cseq = 5, .status = 180, .to = "t" },
		{ .s = 34, .method = "BYE", .src = B, .dst = A, .from = "t", .to = "f" },
		{ .s = 34.1, .method = "BYE", .src = A, .dst = B, .status = 200, .from = "t", .to = "f" },
		{ .s = 179, .method = "CANCEL", .cseq = 5 },
		{ .s = 179.01, .cseq = 5, .src = "10.0.0.77:5060", .branch = "edge2" },
		{ .s = 179.02, .cseq = 5, .dst = "10.0.0.77:5060", .branch = "edge2", .status = 100 },
		{ .s = 179.05, .cseq = 5, .src = "10.0.0.77:5060", .branch = "edge2", .method = "CANCEL" },
		{ .s = 179.06, .cseq = 5, .dst = "10.0.0.77:5060", .branch = "edge2", .status = 487, .to = "u" },
	};
	struct script s;

	(void)state;
	script_begin(&s);
	SAY_ALL(&s, rows);
	assert_int_equal(calls_legs(s.c)->count, 2);
	assert_int_equal(script_leg(&s, 1)->state, LEG_ENDED);
	assert_true(script_leg(&s, 1)->cancel_seen);
	assert_int_equal(script_leg(&s, 2)->state, LEG_CANCELLED);
	assert_int_equal(script_message(script_leg(&s, 2), 0)->repeat, MESSAGE_FIRST);
	assert_int_equal(calls_counts(s.c).calls, 1);
	script_end(&s);
}

/* ---- begun before the capture ---- */

static void test_callee_speaks_first_in_the_middle(void **state)
{
	static const struct row rows[] = {
		{ .s = 0, .method = "UPDATE", .src = B, .dst = A, .from = "t", .to = "f", .sdp = "v4 10.0.0.2:6000" },
		{ .s = 0.1,
			.method = "UPDATE",
			.src = A,
			.dst = B,
			.status = 200,
			.from = "t",
			.to = "f",
			.sdp = "v4 10.0.0.1:4000" },
		{ .s = 5, .method = "BYE", .src = A, .dst = B, .cseq = 9, .from = "f", .to = "t" },
	};
	struct script s;
	const struct leg *leg;

	(void)state;
	script_begin(&s);
	SAY_ALL(&s, rows);
	assert_int_equal(calls_legs(s.c)->count, 1);
	leg = script_leg(&s, 1);
	assert_true(leg->partial);
	assert_int_equal(leg->dialogs.count, 1);
	assert_true(script_dialog(leg, 0)->partial);
	assert_int_equal(script_exchange(script_dialog(leg, 0), 0)->state, EXCHANGE_STABLE);
	assert_int_equal(leg->ended_by_side,
		side_other(leg->messages.count ? (enum side)script_message(leg, 0)->by : SIDE_CALLER));
	script_end(&s);
}

/* ---- time ---- */

static void test_idle_calls_end_and_revive(void **state)
{
	struct script s;
	struct leg *leg;

	(void)state;
	script_begin(&s);
	SAY(&s, .s = 0, .sdp = "v1");
	SAY(&s, .s = 2, .status = 200, .to = "t", .sdp = "v1 10.0.0.2:6000");
	leg = script_leg(&s, 1);
	calls_alive(s.c, leg, at_s(200));
	script_tick(&s, 400);
	assert_int_equal(leg->state, LEG_ANSWERED);
	script_tick(&s, 500);
	assert_true(leg->timed_out);
	assert_int_equal(leg->state, LEG_ENDED);
	assert_int_equal(leg->end_ns, at_s(200)); /* its media had stopped then */
	assert_int_equal(script_count(&s, CALLS_ENDED), 1);
	SAY(&s, .s = 900, .cseq = 2, .to = "t", .sdp = "v1");
	assert_false(leg->timed_out);
	assert_int_equal(leg->state, LEG_ANSWERED);
	assert_int_equal(script_dialog(leg, 0)->state, DIALOG_CONFIRMED);
	SAY(&s, .s = 950, .method = "BYE", .cseq = 3, .to = "t");
	assert_int_equal(leg->end_ns, at_s(950));
	assert_int_equal(script_count(&s, CALLS_ENDED), 2);
	script_end(&s);
}

/* ---- room ---- */

static void test_flood_never_evicts_an_established_call(void **state)
{
	struct calls_config config = script_config();
	struct script s;
	const struct leg *leg;
	char id[16];

	(void)state;
	config.max_legs = 100;
	script_begin_with(&s, &config);
	SAY(&s, .s = 0, .sdp = "v1");
	SAY(&s, .s = 2, .status = 200, .to = "t", .sdp = "v1 10.0.0.2:6000");
	for (unsigned i = 0; i < 2000; i++) {
		snprintf(id, sizeof id, "flood-%u", i);
		s.event_count = 0;
		SAY(&s, .s = 3 + i * 0.001, .call = id, .from = id, .src = "198.51.100.66:5060");
	}
	assert_int_equal(calls_legs(s.c)->count, 100);
	assert_int_equal(calls_counts(s.c).evicted_legs, 1901);
	assert_int_equal(calls_counts(s.c).calls, 2001);
	leg = script_leg(&s, 1);
	assert_int_equal(leg->state, LEG_ANSWERED);
	SAY(&s, .s = 10, .method = "BYE", .cseq = 2, .to = "t");
	assert_int_equal(leg->state, LEG_ENDED);
	script_end(&s);
}

static size_t legs_bytes(const struct script *s)
{
	size_t bytes = 0;

	LIST_EACH(it, calls_legs(s->c))
		bytes += arena_bytes(LIST_ENTRY(it, struct leg, in_order)->arena);
	return bytes;
}

static const struct leg *leg_named(const struct script *s, const char *call_id)
{
	LIST_EACH(it, calls_legs(s->c)) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_order);

		if (says(leg->call_id, call_id))
			return leg;
	}
	return NULL;
}

/* By bytes: half-open, then failed legs make room; what rings, talks or has talked stays. */
static void test_flood_within_bytes(void **state)
{
	struct calls_config config = script_config();
	struct script s;
	char id[16];

	(void)state;
	config.max_bytes = 1 << 20;
	script_begin_with(&s, &config);
	SAY(&s, .s = 0, .call = "over", .sdp = "v1");
	SAY(&s, .s = 0.1, .call = "over", .status = 200, .to = "t", .sdp = "v1 10.0.0.2:6000");
	SAY(&s, .s = 0.2, .call = "over", .method = "BYE", .cseq = 2, .to = "t");
	SAY(&s, .s = 1, .call = "talks", .sdp = "v1");
	SAY(&s, .s = 2, .call = "talks", .status = 200, .to = "t", .sdp = "v1 10.0.0.2:6000");
	SAY(&s, .s = 2, .call = "rings", .sdp = "v1");
	SAY(&s, .s = 2.1, .call = "rings", .status = 180, .to = "t");
	SAY(&s, .s = 2.5, .call = "silent", .sdp = "v1");
	for (unsigned i = 0; i < 3000; i++) {
		snprintf(id, sizeof id, "flood-%u", i);
		s.event_count = 0;
		SAY(&s, .s = 3 + i * 0.001, .call = id, .from = id, .src = "198.51.100.66:5060", .sdp = "v1");
		if (i % 2)
			SAY(&s, .s = 3 + i * 0.001, .call = id, .from = id, .status = 404, .to = "t",
			  .src = "10.0.0.1:5060");
	}
	assert_true(legs_bytes(&s) <= config.max_bytes);
	assert_true(legs_bytes(&s) > config.max_bytes / 8);
	assert_int_equal(calls_counts(s.c).evicted_legs + calls_legs(s.c)->count, 3004);
	assert_non_null(leg_named(&s, "over"));
	assert_non_null(leg_named(&s, "talks"));
	assert_non_null(leg_named(&s, "rings"));
	assert_null(leg_named(&s, "silent"));
	script_end(&s);
}

/* All are established: the one that was silent for longest goes, and one that has media is not. */
static void test_established_compete_among_themselves(void **state)
{
	struct calls_config config = script_config();
	struct script s;
	char id[16];

	(void)state;
	config.max_legs = 20;
	script_begin_with(&s, &config);
	for (unsigned i = 0; i < 40; i++) {
		snprintf(id, sizeof id, "call-%u", i);
		s.event_count = 0;
		SAY(&s, .s = i, .call = id, .from = id);
		SAY(&s, .s = i + 0.5, .call = id, .from = id, .status = 200, .to = id);
		calls_alive(s.c, (struct leg *)(uintptr_t)leg_named(&s, "call-0"), (int64_t)(i + 1) * SECOND_NS * 10);
	}
	assert_non_null(leg_named(&s, "call-0"));
	assert_null(leg_named(&s, "call-1"));
	assert_non_null(leg_named(&s, "call-39"));
	script_end(&s);
}

static void test_evicted_leg_can_be_read_in_its_event(void **state)
{
	struct calls_config config = script_config();
	struct script s;

	(void)state;
	config.max_legs = 1;
	script_begin_with(&s, &config);
	SAY(&s, .s = 0, .call = "one");
	SAY(&s, .s = 1, .call = "two");
	assert_int_equal(script_count(&s, CALLS_EVICTED), 1);
	for (size_t i = 0; i < s.event_count; i++) {
		if (s.events[i].kind == CALLS_EVICTED)
			assert_true(says(s.events[i].leg->call_id, "one"));
	}
	assert_int_equal(calls_in_order(s.c)->count, 2);
	SAY(&s, .s = 2, .call = "two", .status = 180, .to = "t");
	assert_int_equal(calls_in_order(s.c)->count, 1);
	script_end(&s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_parties_behind_a_proxy),
		cmocka_unit_test(test_parties_as_far_as_captured),
		cmocka_unit_test(test_parties_at_two_points),
		cmocka_unit_test(test_call_id_reused),
		cmocka_unit_test(test_invite_refired),
		cmocka_unit_test(test_callee_speaks_first_in_the_middle),
		cmocka_unit_test(test_idle_calls_end_and_revive),
		cmocka_unit_test(test_flood_never_evicts_an_established_call),
		cmocka_unit_test(test_flood_within_bytes),
		cmocka_unit_test(test_established_compete_among_themselves),
		cmocka_unit_test(test_evicted_leg_can_be_read_in_its_event),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
