/* SPDX-License-Identifier: MIT */
/* test_calls_fork: several To-tags to one INVITE: early dialogs, losers, a second 2xx, changed tags (1.1.2). */
#include "tests/unit/calls_script.h"

#define C3 "10.0.0.3:5060"

static void two_ring(struct script *s)
{
	static const struct row rows[] = {
		{ .s = 0, .dst = P, .sdp = "v1" },
		{ .s = 1, .src = P, .dst = A, .status = 183, .to = "t1", .sdp = "v1 10.0.0.2:6000" },
		{ .s = 1.5,
			.src = P,
			.dst = A,
			.status = 183,
			.to = "t2",
			.sdp = "v1 10.0.0.3:7000",
			.contact = "1002@" C3 },
	};

	script_begin(s);
	SAY_ALL(s, rows);
}

static void test_each_tag_has_its_dialog(void **state)
{
	struct script s;
	const struct leg *leg;

	(void)state;
	two_ring(&s);
	leg = script_leg(&s, 1);
	assert_int_equal(leg->dialogs.count, 2);
	for (size_t i = 0; i < 2; i++) {
		const struct dialog *d = script_dialog(leg, i);

		assert_int_equal(d->state, DIALOG_EARLY);
		assert_int_equal(d->exchanges.count, 1);
		assert_int_equal(script_exchange(d, 0)->state, EXCHANGE_PREVIEW);
		assert_int_equal(script_exchange(d, 0)->preview.seen[0]->sdp->media[0].port, i ? 7000 : 6000);
		assert_int_equal(script_exchange(d, 0)->offer.seen[0]->at.frame, 1);
	}
	assert_int_equal(leg->state, LEG_RINGING);
	script_end(&s);
}

static void test_losers_end_after_the_linger(void **state)
{
	struct script s;
	const struct leg *leg;

	(void)state;
	two_ring(&s);
	SAY(&s, .s = 3, .src = P, .dst = A, .status = 200, .to = "t2", .sdp = "v1 10.0.0.3:7000",
		.contact = "1002@" C3);
	leg = script_leg(&s, 1);
	assert_ptr_equal(leg->confirmed, script_dialog(leg, 1));
	assert_true(script_dialog(leg, 0)->losing_fork);
	assert_false(script_dialog(leg, 1)->losing_fork);
	script_tick(&s, 4.9);
	assert_int_equal(script_dialog(leg, 0)->state, DIALOG_EARLY);
	script_tick(&s, 5.5);
	assert_int_equal(script_dialog(leg, 0)->state, DIALOG_ENDED);
	assert_int_equal(script_dialog(leg, 0)->ended_ns, at_s(5));
	assert_int_equal(script_count(&s, CALLS_DIALOG_ENDED), 1);
	assert_int_equal(script_dialog(leg, 1)->state, DIALOG_CONFIRMED);
	script_end(&s);
}

static void test_a_cancelled_loser_ends_at_its_487(void **state)
{
	struct script s;
	const struct leg *leg;

	(void)state;
	script_begin(&s);
	SAY(&s, .s = 0, .src = P, .dst = B, .vias = 2, .branch = "b2", .sdp = "v1");
	SAY(&s, .s = 0, .src = P, .dst = C3, .vias = 2, .branch = "b3", .sdp = "v1");
	SAY(&s, .s = 1, .src = B, .dst = P, .vias = 2, .branch = "b2", .status = 180, .to = "t2");
	SAY(&s, .s = 1, .src = C3, .dst = P, .vias = 2, .branch = "b3", .status = 180, .to = "t3");
	SAY(&s, .s = 2, .src = B, .dst = P, .vias = 2, .branch = "b2", .status = 200, .to = "t2",
		.sdp = "v1 10.0.0.2:6000");
	SAY(&s, .s = 2.1, .src = C3, .dst = P, .vias = 2, .branch = "b3", .status = 487, .to = "t3");
	leg = script_leg(&s, 1);
	assert_int_equal(script_dialog(leg, 1)->state, DIALOG_ENDED);
	assert_int_equal(script_dialog(leg, 1)->ended_ns, at_s(2.1));
	assert_int_equal(leg->state, LEG_ANSWERED);
	assert_int_equal(leg->status, 200);
	assert_int_equal(leg->end_ns, NS_NONE);
	script_end(&s);
}

static void test_second_2xx(void **state)
{
	struct script s;
	const struct leg *leg;

	(void)state;
	two_ring(&s);
	SAY(&s, .s = 3, .src = P, .dst = A, .status = 200, .to = "t1", .sdp = "v1 10.0.0.2:6000");
	SAY(&s, .s = 3.2, .src = P, .dst = A, .status = 200, .to = "t2", .sdp = "v1 10.0.0.3:7000",
		.contact = "1002@" C3);
	SAY(&s, .s = 3.3, .method = "ACK", .dst = P, .to = "t2");
	SAY(&s, .s = 3.4, .method = "BYE", .dst = P, .cseq = 2, .to = "t2");
	leg = script_leg(&s, 1);
	assert_ptr_equal(leg->confirmed, script_dialog(leg, 0));
	assert_false(script_dialog(leg, 0)->extra_confirmed);
	assert_true(script_dialog(leg, 1)->extra_confirmed);
	assert_true(script_dialog(leg, 1)->ack_seen);
	assert_int_equal(script_dialog(leg, 1)->state, DIALOG_ENDED);
	assert_int_equal(leg->state, LEG_ANSWERED);
	assert_false(leg->bye_seen);
	assert_int_equal(calls_counts(s.c).answered, 1);
	SAY(&s, .s = 9, .method = "BYE", .dst = P, .cseq = 3, .to = "t1");
	assert_int_equal(leg->state, LEG_ENDED);
	assert_int_equal(leg->bye_ns, at_s(9));
	script_end(&s);
}

static void test_199_ends_its_branch(void **state)
{
	struct script s;

	(void)state;
	two_ring(&s);
	SAY(&s, .s = 2, .src = P, .dst = A, .status = 199, .to = "t1");
	assert_int_equal(script_dialog(script_leg(&s, 1), 0)->state, DIALOG_ENDED);
	assert_int_equal(script_dialog(script_leg(&s, 1), 1)->state, DIALOG_EARLY);
	script_end(&s);
}

static void test_failure_ends_all_branches(void **state)
{
	struct script s;
	const struct leg *leg;

	(void)state;
	two_ring(&s);
	SAY(&s, .s = 30, .src = P, .dst = A, .status = 408, .to = "proxy");
	leg = script_leg(&s, 1);
	assert_int_equal(leg->dialogs.count, 2);
	assert_int_equal(script_dialog(leg, 0)->state, DIALOG_ENDED);
	assert_int_equal(script_dialog(leg, 1)->state, DIALOG_ENDED);
	assert_int_equal(script_count(&s, CALLS_ENDED), 1);
	script_end(&s);
}

static const struct {
	const char *name;
	struct row ringing, answer;
	size_t dialogs;
	bool changed;
} tags[] = {
	{ "same device, another tag", { .s = 1, .status = 180, .to = "t1" }, { .s = 2, .status = 200, .to = "t2" }, 1,
		true },
	{ "same device, no tag", { .s = 1, .status = 180, .to = "t1" }, { .s = 2, .status = 200 }, 1, true },
	{ "another Contact", { .s = 1, .status = 180, .to = "t1" },
		{ .s = 2, .status = 200, .to = "t2", .contact = "1002@" C3 }, 2, false },
	{ "another source", { .s = 1, .status = 180, .to = "t1" }, { .s = 2, .src = C3, .status = 200, .to = "t2" }, 2,
		false },
	{ "no Contact in the 180", { .s = 1, .status = 180, .to = "t1", .contact = "" },
		{ .s = 2, .status = 200, .to = "t2" }, 2, false },
	{ "no change", { .s = 1, .status = 180, .to = "t1" }, { .s = 2, .status = 200, .to = "t1" }, 1, false },
};

static void test_changed_tags(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++) {
		struct script s;
		const struct leg *leg;

		script_begin(&s);
		SAY(&s, .s = 0, .sdp = "v1");
		say(&s, &tags[i].ringing);
		say(&s, &tags[i].answer);
		say(&s, &tags[i].answer); /* sent again: the same dialog */
		leg = script_leg(&s, 1);
		if (leg->dialogs.count != tags[i].dialogs || script_dialog(leg, 0)->tag_changed != tags[i].changed)
			fail_msg("%s: %zu dialogs, changed %d", tags[i].name, leg->dialogs.count,
				script_dialog(leg, 0)->tag_changed);
		assert_int_equal(leg->state, LEG_ANSWERED);
		script_end(&s);
	}
}

/* A hostile fork: tags without end stay bounded. */
static void test_tags_without_end(void **state)
{
	struct script s;
	char tag[16];

	(void)state;
	script_begin(&s);
	SAY(&s, .s = 0, .sdp = "v1");
	for (unsigned i = 0; i < 500; i++) {
		snprintf(tag, sizeof tag, "t%u", i);
		s.event_count = 0;
		SAY(&s, .s = 1 + i * 0.001, .status = 183, .to = tag, .sdp = "v1 10.0.0.2:6000");
	}
	assert_int_equal(script_leg(&s, 1)->dialogs.count, 32);
	s.event_count = 0;
	SAY(&s, .s = 5, .status = 486, .to = "t0");
	assert_int_equal(script_count(&s, CALLS_DIALOG_ENDED), 32);
	assert_int_equal(script_leg(&s, 1)->state, LEG_BUSY);
	script_end(&s);
}

int main(void)
{
	static const struct CMUnitTest all[] = {
		cmocka_unit_test(test_each_tag_has_its_dialog),
		cmocka_unit_test(test_losers_end_after_the_linger),
		cmocka_unit_test(test_a_cancelled_loser_ends_at_its_487),
		cmocka_unit_test(test_second_2xx),
		cmocka_unit_test(test_199_ends_its_branch),
		cmocka_unit_test(test_failure_ends_all_branches),
		cmocka_unit_test(test_changed_tags),
		cmocka_unit_test(test_tags_without_end),
	};

	return cmocka_run_group_tests(all, NULL, NULL);
}
