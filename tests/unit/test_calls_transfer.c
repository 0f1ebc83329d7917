/* SPDX-License-Identifier: MIT */
/* test_calls_transfer: REFER, its NOTIFYs, the leg that it causes; subscriptions. */
#include "tests/unit/calls_script.h"

#define CALL_1002(id) \
	{ .s = 0, .call = id, .dst = P, .sdp = "v1" }, \
		{ .s = 1, .call = id, .src = P, .status = 200, .to = "t", .sdp = "v1 10.0.0.5:6000" }, \
	{ \
		.s = 1.1, .call = id, .dst = P, .method = "ACK", .to = "t" \
	}
#define FRAG(status) "SIP/2.0 " status " Whatever\r\n"
#define EVENT        "Event: refer\r\nSubscription-State: active;expires=60\r\nContent-Type: message/sipfrag\r\n"

static struct transfer *only_transfer(const struct script *s)
{
	assert_int_equal(calls_transfers(s->c)->count, 1);
	return LIST_ENTRY(nth(calls_transfers(s->c), 0), struct transfer, in_order);
}

static void refer(struct script *s, const char *refer_to)
{
	static char extra[256];

	snprintf(extra, sizeof extra, "Refer-To: %s\r\nReferred-By: <sip:1001@pbx>\r\n", refer_to);
	SAY(s, .s = 5, .call = "one", .dst = P, .method = "REFER", .cseq = 2, .to = "t", .extra = extra);
}

static void begin(struct script *s)
{
	static const struct row rows[] = { CALL_1002("one") };

	script_begin(s);
	SAY_ALL(s, rows);
}

static const struct {
	const char *name;
	unsigned status; /* of the REFER */
	const char *notify; /* body, NULL none */
	enum transfer_state state;
	unsigned notified;
	bool transferred;
} blind[] = {
	{ "asked", 0, NULL, TRANSFER_ASKED, 0, false },
	{ "accepted", 202, NULL, TRANSFER_ACCEPTED, 0, true },
	{ "accepted with 200", 200, NULL, TRANSFER_ACCEPTED, 0, true },
	{ "under way", 202, FRAG("180"), TRANSFER_ACCEPTED, 180, true },
	{ "done", 202, FRAG("200"), TRANSFER_DONE, 200, true },
	{ "done, the 202 was not seen", 0, FRAG("200"), TRANSFER_DONE, 200, true },
	{ "failed there", 202, FRAG("486"), TRANSFER_FAILED, 486, true },
	{ "refused", 603, NULL, TRANSFER_FAILED, 0, false },
	{ "no sipfrag", 202, "nonsense", TRANSFER_ACCEPTED, 0, true },
};

static void test_refer(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof blind / sizeof blind[0]; i++) {
		struct script s;
		const struct transfer *t;

		begin(&s);
		refer(&s, "<sip:1003@pbx>");
		if (blind[i].status)
			SAY(&s, .s = 5.1, .call = "one", .src = P, .method = "REFER", .cseq = 2,
				.status = blind[i].status, .to = "t");
		if (blind[i].notify)
			SAY(&s, .s = 6, .call = "one", .src = P, .dst = A, .method = "NOTIFY", .from = "t", .to = "f",
				.extra = EVENT, .sdp = blind[i].notify);
		t = only_transfer(&s);
		if (t->state != blind[i].state || t->notified != blind[i].notified ||
			t->leg->transferred != blind[i].transferred || t->status != blind[i].status)
			fail_msg("%s: state %d, notified %u", blind[i].name, t->state, t->notified);
		assert_false(t->attended);
		assert_int_equal(t->by, SIDE_CALLER);
		script_end(&s);
	}
}

static void test_challenged_refer_is_one_transfer(void **state)
{
	struct script s;

	(void)state;
	begin(&s);
	refer(&s, "<sip:1003@pbx>");
	SAY(&s, .s = 5.1, .call = "one", .src = P, .method = "REFER", .cseq = 2, .status = 407, .to = "t");
	SAY(&s, .s = 5.2, .call = "one", .dst = P, .method = "REFER", .cseq = 3, .to = "t",
		.extra = "Refer-To: <sip:1003@pbx>\r\n");
	SAY(&s, .s = 5.3, .call = "one", .src = P, .method = "REFER", .cseq = 3, .status = 202, .to = "t");
	assert_int_equal(only_transfer(&s)->state, TRANSFER_ACCEPTED);
	script_end(&s);
}

static const struct {
	const char *name, *src, *to_user, *extra;
	double s;
	bool target, joined;
} targets[] = {
	{ "the PBX calls the number asked for", P, "1003", NULL, 5.5, true, false },
	{ "with Referred-By", P, "1003", "Referred-By: <sip:1001@pbx>\r\n", 5.5, true, true },
	{ "another number", P, "1004", NULL, 5.5, false, false },
	{ "another caller", "10.0.0.77:5060", "1003", NULL, 5.5, false, false },
	{ "much later", P, "1003", NULL, 60, false, false },
};

static void test_blind_target(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
		struct script s;
		const struct transfer *t;

		begin(&s);
		refer(&s, "<sip:1003@pbx>");
		SAY(&s, .s = targets[i].s, .call = "two", .from = "g", .from_user = "1002",
			.to_user = targets[i].to_user, .src = targets[i].src, .dst = "10.0.0.3:5060",
			.extra = targets[i].extra, .sdp = "v1 10.0.0.5:8000");
		t = only_transfer(&s);
		if ((t->target == script_leg(&s, 2)) != targets[i].target ||
			(script_leg(&s, 2)->parent == script_leg(&s, 1)) != targets[i].joined ||
			script_leg(&s, 2)->is_transfer != targets[i].target)
			fail_msg("%s", targets[i].name);
		script_end(&s);
	}
}

/* The transferee's new INVITE replaces the consultation call. */
static void test_attended_with_replaces(void **state)
{
	static const struct row consultation[] = {
		{ .s = 2, .call = "consult@x", .from = "k", .to_user = "1003", .dst = P, .sdp = "v1 10.0.0.1:4100" },
		{ .s = 3,
			.call = "consult@x",
			.from = "k",
			.src = P,
			.status = 200,
			.to = "m",
			.sdp = "v1 10.0.0.5:7000" },
	};
	struct script s;
	const struct transfer *t;
	const struct leg *leg;

	(void)state;
	begin(&s);
	SAY_ALL(&s, consultation);
	refer(&s, "<sip:1003@pbx?Replaces=consult%40x%3Bto-tag%3Dm%3Bfrom-tag%3Dk>");
	SAY(&s, .s = 5.1, .call = "one", .src = P, .method = "REFER", .cseq = 2, .status = 202, .to = "t");
	SAY(&s, .s = 5.2, .call = "three", .from = "z", .from_user = "1002", .to_user = "1003", .src = B,
		.dst = "10.0.0.3:5060", .sdp = "v1 10.0.0.2:9000",
		.extra = "Replaces: consult@x;to-tag=m;from-tag=k\r\n");
	t = only_transfer(&s);
	assert_true(t->attended);
	leg = script_leg(&s, 3);
	assert_ptr_equal(t->target, leg);
	assert_true(leg->is_transfer);
	assert_true(says(leg->replaces_call_id, "consult@x"));
	assert_int_equal(leg->joined_by, JOIN_REPLACES);
	assert_ptr_equal(leg->call, script_leg(&s, 2)->call);
	script_end(&s);
}

/* The PBX bridges by itself: no INVITE; the consultation leg lives on in the call. */
static void test_attended_inside_the_pbx(void **state)
{
	struct script s;
	const struct transfer *t;

	(void)state;
	begin(&s);
	SAY(&s, .s = 2, .call = "consult@x", .from = "k", .to_user = "1003", .dst = P, .sdp = "v1 10.0.0.1:4100");
	SAY(&s, .s = 3, .call = "consult@x", .from = "k", .src = P, .status = 200, .to = "m",
		.sdp = "v1 10.0.0.5:7000");
	refer(&s, "<sip:1003@pbx?Replaces=consult%40x%3Bto-tag%3Dm%3Bfrom-tag%3Dk>");
	SAY(&s, .s = 6, .call = "one", .src = P, .dst = A, .method = "NOTIFY", .from = "t", .to = "f", .extra = EVENT,
		.sdp = FRAG("200"));
	t = only_transfer(&s);
	assert_int_equal(t->state, TRANSFER_DONE);
	assert_ptr_equal(t->target, script_leg(&s, 2));
	assert_ptr_equal(script_leg(&s, 1)->call, script_leg(&s, 2)->call);
	assert_int_equal(calls_in_order(s.c)->count, 1);
	script_end(&s);
}

static void test_subscription(void **state)
{
	static const struct row rows[] = {
		{ .s = 0, .method = "SUBSCRIBE", .dst = P, .extra = "Event: dialog;id=4\r\nExpires: 600\r\n" },
		{ .s = 0.1, .method = "SUBSCRIBE", .src = P, .status = 200, .to = "n", .extra = "Expires: 300\r\n" },
		{ .s = 0.2,
			.method = "NOTIFY",
			.src = P,
			.dst = A,
			.from = "n",
			.to = "f",
			.extra = "Event: dialog\r\nSubscription-State: active;expires=300\r\n" },
		{ .s = 0.7,
			.method = "NOTIFY",
			.src = P,
			.dst = A,
			.from = "n",
			.to = "f",
			.extra = "Event: dialog\r\nSubscription-State: active;expires=300\r\n" },
		{ .s = 0.8, .method = "NOTIFY", .src = A, .dst = P, .status = 200, .from = "n", .to = "f" },
		{ .s = 9,
			.method = "NOTIFY",
			.src = P,
			.dst = A,
			.cseq = 2,
			.from = "n",
			.to = "f",
			.extra = "Event: dialog\r\nSubscription-State: terminated;reason=timeout\r\n" },
		{ .s = 9,
			.method = "NOTIFY",
			.src = P,
			.dst = A,
			.call = "unasked",
			.from = "q",
			.to = "",
			.extra = "Event: keep-alive\r\n" },
	};
	struct script s;
	const struct subscription *sub;

	(void)state;
	script_begin(&s);
	SAY_ALL(&s, rows);
	assert_int_equal(calls_subscriptions(s.c)->count, 1);
	assert_int_equal(calls_legs(s.c)->count, 0);
	sub = LIST_ENTRY(nth(calls_subscriptions(s.c), 0), struct subscription, in_order);
	assert_true(says(sub->event, "dialog"));
	assert_true(says(sub->state, "terminated"));
	assert_int_equal(sub->notifies, 2);
	assert_int_equal(sub->status, 200);
	assert_int_equal(sub->notify_status, 200);
	assert_int_equal(sub->asked_s, 600);
	assert_int_equal(sub->granted_s, 300);
	assert_null(sub->leg);
	script_end(&s);
}

static bool on_record(const struct script *s, const char *call_id)
{
	LIST_EACH(it, calls_legs(s->c)) {
		if (says(LIST_ENTRY(it, struct leg, in_order)->call_id, call_id))
			return true;
	}
	return false;
}

/* RFC 4538: the REFER has a Call-ID of its own. Whichever of the two is forgotten first leaves nothing behind. */
static void test_refer_outside_of_the_call(void **state)
{
	struct calls_config config = script_config();
	static const struct row rows[] = { CALL_1002("one") };
	const struct leg *of;
	struct script s;
	char id[16];

	(void)state;
	config.max_legs = 3;
	script_begin_with(&s, &config);
	SAY_ALL(&s, rows);
	SAY(&s, .s = 5, .call = "ref", .from = "r", .src = P, .dst = A, .method = "REFER", .from_user = "1002",
		.to_user = "1001",
		.extra = "Refer-To: <sip:1003@pbx>\r\nTarget-Dialog: one;local-tag=t;remote-tag=f\r\n");
	of = only_transfer(&s)->leg;
	assert_true(says(of->call_id, "one"));
	assert_int_equal(only_transfer(&s)->by, SIDE_CALLEE);
	assert_ptr_equal(only_transfer(&s)->refer->leg->call, of->call);
	SAY(&s, .s = 6, .call = "one", .dst = P, .method = "BYE", .cseq = 2, .to = "t");
	SAY(&s, .s = 6.1, .call = "one", .src = P, .dst = A, .method = "BYE", .cseq = 2, .status = 200, .to = "t");
	for (unsigned i = 0; i < 6; i++) {
		snprintf(id, sizeof id, "next-%u", i);
		SAY(&s, .s = 7 + i, .call = id, .from = id);
		SAY(&s, .s = 7.5 + i, .call = id, .from = id, .status = 200, .to = id);
		if (calls_transfers(s.c)->count)
			assert_true(says(only_transfer(&s)->leg->call_id, on_record(&s, "one") ? "one" : "ref"));
	}
	assert_false(on_record(&s, "one"));
	assert_int_equal(calls_transfers(s.c)->count, 0);
	script_end(&s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refer),
		cmocka_unit_test(test_challenged_refer_is_one_transfer),
		cmocka_unit_test(test_blind_target),
		cmocka_unit_test(test_attended_with_replaces),
		cmocka_unit_test(test_attended_inside_the_pbx),
		cmocka_unit_test(test_subscription),
		cmocka_unit_test(test_refer_outside_of_the_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
