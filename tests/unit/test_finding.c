/* SPDX-License-Identifier: MIT */
/* finding: filling one, its bounds, order and numbers, and the exit status. */
#include "tests/unit/made_findings.h"

static void order_is_severity_time_and_name(void **state)
{
	static const struct made made[] = {
		{ "rtp-loss", .severity = SEVERITY_WARNING, .from = 5, .to = 6 },
		{ "one-way-audio", .severity = SEVERITY_ERROR, .from = 9, .to = 10 },
		{ "audio-late", .severity = SEVERITY_WARNING, .from = 5, .to = 6 },
		{ "no-audio", .severity = SEVERITY_ERROR, .from = 2, .to = 10 },
		{ "gone", .severity = SEVERITY_CRITICAL, .from = 1, .to = 2 },
		{ "rtp-loss", "second", .severity = SEVERITY_WARNING, .from = 5, .to = 6 },
	};
	static const char *const expected[] = { "no-audio", "one-way-audio", "audio-late", "rtp-loss", "rtp-loss",
		"gone" };
	struct made_world w;

	(void)state;
	made_begin(&w);
	for (size_t i = 0; i < COUNT_OF(made); i++) {
		struct finding *f = make(&w, &made[i]);

		if (strcmp(f->id, "gone") == 0)
			f->state = FINDING_WITHDRAWN;
	}
	for (unsigned round = 0; round < 2; round++) {       /* settling again changes nothing */
		findings_settle(w.findings, SECOND_NS);
		for (unsigned i = 0; i < COUNT_OF(expected); i++) {
			assert_string_equal(finding_nth(w.findings, i)->id, expected[i]);
			assert_int_equal(finding_nth(w.findings, i)->n, i + 1);
		}
		assert_string_equal(finding_nth(w.findings, 3)->reason, "some"); /* made first */
	}
	made_end(&w);
}

static void bounds_hold(void **state)
{
	struct made_world w;
	struct leg legs[FINDING_LEG_MAX + 10];
	struct finding *f;
	char address[32];

	(void)state;
	made_begin(&w);
	memset(legs, 0, sizeof legs);
	f = make(&w, &(struct made){ .id = "x" });
	for (unsigned i = 0; i < COUNT_OF(legs); i++) {
		finding_leg(f, &legs[i]);
		finding_leg(f, &legs[i]);
		finding_stream(f, i + 1);
		finding_evidence(f, (struct frame_ref){ .frame = i + 1 }, "frame %u", i);
		snprintf(address, sizeof address, "10.0.1.%u:4000", i + 1);
		made_part(f, PART_WITNESS, address);
		made_part(f, PART_WITNESS, address);
	}
	assert_int_equal(f->leg_count, FINDING_LEG_MAX);
	assert_int_equal(f->stream_count, FINDING_STREAM_MAX);
	assert_int_equal(f->evidence_count, FINDING_EVIDENCE_MAX);
	assert_int_equal(f->host_count, FINDING_HOST_MAX);
	made_end(&w);
}

static void the_same_is_told_once(void **state)
{
	struct made_world w;
	struct finding *f;

	(void)state;
	made_begin(&w);
	f = make(&w, &(struct made){ "x", .victim = "10.0.0.1:4000" });
	made_part(f, PART_VICTIM, "10.0.0.1:4000");
	made_part(f, PART_CULPRIT, "10.0.0.1:4000");         /* both may be true */
	finding_part(f, PART_WITNESS, &(struct endpoint){ .port = 5060 });    /* no address: nobody */
	assert_int_equal(f->host_count, 2);
	finding_stream(f, 3);
	finding_stream(f, 3);
	assert_int_equal(f->stream_count, 1);
	finding_evidence(f, (struct frame_ref){ .frame = 7 }, "the BYE");
	finding_evidence(f, (struct frame_ref){ .frame = 7 }, "the BYE");
	finding_evidence(f, (struct frame_ref){ .frame = 7 }, "something else");
	finding_evidence(f, (struct frame_ref){ .frame = 7, .file = 1 }, "the BYE");
	finding_evidence_run(f, (struct frame_ref){ .frame = 9 }, 9, "one");
	assert_int_equal(f->evidence_count, 4);
	assert_int_equal(f->evidence[3].last_frame, 0);      /* a run of one frame is no run */
	made_end(&w);
}

static void reset_leaves_nothing(void **state)
{
	struct made_world w;
	struct finding *f;

	(void)state;
	made_begin(&w);
	f = make(&w, &(struct made){ "x", .call = 1, .victim = "10.0.0.1:4000", .from = 1, .to = 2 });
	finding_title(f, "%s", "title");
	finding_cause(f, "cause");
	finding_fix(f, "fix");
	finding_cannot_see(f, "nothing");
	finding_other_reason(f, "other");
	finding_evidence(f, (struct frame_ref){ .frame = 7 }, "the BYE");
	findings_reset(f);
	assert_int_equal(f->title.n + f->cause.n + f->fix.n + f->cannot_see.n, 0);
	assert_int_equal(f->evidence_count + f->host_count + f->leg_count + f->legs_total + f->stream_count + f->other_reason_count, 0);
	assert_true(f->first_ns == NS_NONE && f->last_ns == NS_NONE && f->since_ns == NS_NONE);
	finding_title(f, "anew");
	assert_string_equal(f->title.p, "anew");
	made_end(&w);
}

static void exit_status_is_what_stands_for_itself(void **state)
{
	static const struct { const char *name; enum severity severity; bool withdrawn, explained; int status;
		} cases[] = {
		{ "info is no alarm", SEVERITY_INFO, false, false, 0 },
		{ "a warning is", SEVERITY_WARNING, false, false, 1 },
		{ "critical is", SEVERITY_CRITICAL, false, false, 1 },
		{ "not when withdrawn", SEVERITY_CRITICAL, true, false, 0 },
		{ "not when another one explains it, and that is info", SEVERITY_ERROR, false, true, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct made_world w;
		struct finding *f, *cause;

		made_begin(&w);
		assert_int_equal(findings_exit_status(w.findings), 0);
		cause = make(&w, &(struct made){ "cause", .severity = SEVERITY_INFO });
		f = make(&w, &(struct made){ "x", .severity = cases[i].severity });
		f->state = cases[i].withdrawn ? FINDING_WITHDRAWN : FINDING_CLOSED;
		f->explained_by = cases[i].explained ? cause : NULL;
		if (findings_exit_status(w.findings) != cases[i].status)
			fail_msg("%s", cases[i].name);
		made_end(&w);
	}
}

static void long_texts_are_cut(void **state)
{
	struct made_world w;
	struct finding *f;
	char text[4000];

	(void)state;
	memset(text, 'a', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	made_begin(&w);
	f = make(&w, &(struct made){ .id = "x" });
	finding_title(f, "%s", text);
	finding_evidence(f, (struct frame_ref){ .frame = 1 }, "%s", text);
	assert_in_range(f->title.n, 100, sizeof text - 1);
	assert_in_range(strlen(f->evidence[0].what), 100, sizeof text - 1);
	made_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_is_severity_time_and_name),
		cmocka_unit_test(bounds_hold),
		cmocka_unit_test(the_same_is_told_once),
		cmocka_unit_test(reset_leaves_nothing),
		cmocka_unit_test(exit_status_is_what_stands_for_itself),
		cmocka_unit_test(long_texts_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
