/* SPDX-License-Identifier: MIT */
/* suppression: which finding explains which, and which never does. */
#include <time.h>

#include "tests/unit/made_findings.h"

#define LIKELY .confidence = CONFIDENCE_LIKELY
#define CERTAIN .confidence = CONFIDENCE_CERTAIN
#define POSSIBLE .confidence = CONFIDENCE_POSSIBLE
#define WHEN .from = 10, .to = 20

static const struct {
	const char *name;
	struct made cause, effect;
	bool explained;
} cases[] = {
	{ "the same direction", { "one-way-audio", LIKELY, .call = 1, .direction = 1, WHEN },
	  { "audio-late", LIKELY, .call = 1, .direction = 1, WHEN }, true },
	{ "the other direction", { "one-way-audio", LIKELY, .call = 1, .direction = 1, WHEN },
	  { "audio-late", LIKELY, .call = 1, .direction = 2, WHEN }, false },
	{ "another call", { "one-way-audio", LIKELY, .call = 1, .direction = 1, WHEN },
	  { "media-after-call", LIKELY, .call = 2, WHEN }, false },
	{ "the call as a whole", { "one-way-audio", LIKELY, .call = 1, .direction = 1, WHEN },
	  { "media-after-call", LIKELY, .call = 1, .direction = 2, WHEN }, true },
	{ "no-audio of both ways", { "no-audio", LIKELY, .call = 1, WHEN },
	  { "one-way-audio", LIKELY, .call = 1, .direction = 2, WHEN }, true },
	{ "never the other way round", { "one-way-audio", LIKELY, .call = 1, .direction = 1, WHEN },
	  { "no-audio", LIKELY, .call = 1, WHEN }, false },
	{ "no-audio of another call", { "no-audio", LIKELY, .call = 1, WHEN },
	  { "one-way-audio", LIKELY, .call = 2, .direction = 2, WHEN }, false },
	{ "certain by possible", { "one-way-audio", POSSIBLE, .call = 1, .direction = 1, WHEN },
	  { "audio-late", CERTAIN, .call = 1, .direction = 1, WHEN }, false },
	{ "certain by likely", { "one-way-audio", LIKELY, .call = 1, .direction = 1, WHEN },
	  { "audio-late", CERTAIN, .call = 1, .direction = 1, WHEN }, true },
	{ "likely by possible", { "one-way-audio", POSSIBLE, .call = 1, .direction = 1, WHEN },
	  { "audio-late", LIKELY, .call = 1, .direction = 1, WHEN }, true },
	{ "another time", { "one-way-audio", LIKELY, .call = 1, .direction = 1, .from = 10, .to = 20 },
	  { "audio-interrupted", LIKELY, .call = 1, .direction = 1, .from = 40, .to = 50 }, false },
	{ "nearly the same time", { "one-way-audio", LIKELY, .call = 1, .direction = 1, .from = 10, .to = 20 },
	  { "audio-interrupted", LIKELY, .call = 1, .direction = 1, .from = 24, .to = 30 }, true },
	{ "the same stream", { "rtp-loss", LIKELY, .call = 1, .direction = 1, .stream = 1, WHEN },
	  { "rtp-jitter", LIKELY, .call = 1, .direction = 1, .stream = 1, WHEN }, true },
	{ "another stream of the direction", { "rtp-loss", LIKELY, .call = 1, .direction = 1, .stream = 1, WHEN },
	  { "rtp-jitter", LIKELY, .call = 1, .direction = 1, .stream = 2, WHEN }, false },
	{ "two without a stream", { "rtp-loss", LIKELY, .call = 1, .direction = 1, WHEN },
	  { "rtp-jitter", LIKELY, .call = 1, .direction = 1, WHEN }, false },
	{ "the same victim", { "media-unreachable", LIKELY, .call = 1, .victim = "10.0.0.1:4000", WHEN },
	  { "one-way-audio", LIKELY, .call = 1, .direction = 1, .victim = "10.0.0.1:0", WHEN }, true },
	{ "another victim of the call", { "media-unreachable", LIKELY, .call = 1, .direction = 2,
	  .victim = "10.0.0.2:4000", WHEN },
	  { "one-way-audio", LIKELY, .call = 1, .direction = 1, .victim = "10.0.0.1:0", WHEN }, false },
	{ "the same victim in another call", { "media-unreachable", LIKELY, .call = 1, .victim = "10.0.0.1:4000",
	  WHEN },
	  { "one-way-audio", LIKELY, .call = 2, .direction = 1, .victim = "10.0.0.1:0", WHEN }, false },
	{ "interrupted both ways", { "audio-interrupted", "both-directions", LIKELY, .call = 1, .direction = 1, WHEN },
	  { "rtp-loss", LIKELY, .call = 1, .direction = 2, WHEN }, true },
	{ "lost in a hole", { "audio-interrupted", "lost-in-path", LIKELY, .call = 1, .direction = 1, WHEN },
	  { "rtp-loss", LIKELY, .call = 1, .direction = 1, WHEN }, true },
	{ "lost beside a stall", { "audio-interrupted", "sender-stalled", LIKELY, .call = 1, .direction = 1, WHEN },
	  { "rtp-loss", LIKELY, .call = 1, .direction = 1, WHEN }, false },
	{ "lost beside a pause", { "audio-interrupted", "sender-stopped", POSSIBLE, .call = 1, .direction = 1, WHEN },
	  { "rtp-loss", LIKELY, .call = 1, .direction = 1, WHEN }, false },
	{ "interrupted one way", { "audio-interrupted", "lost", LIKELY, .call = 1, .direction = 1, WHEN },
	  { "rtp-loss", LIKELY, .call = 1, .direction = 2, WHEN }, false },
	{ "a wrong address and the silence that it makes", { "nat-address-mismatch", LIKELY, .call = 1, .direction = 1,
	  WHEN },
	  { "one-way-audio", LIKELY, .call = 1, .direction = 1, WHEN }, true },
	{ "a wrong address of the other direction", { "nat-address-mismatch", LIKELY, .call = 1, .direction = 2, WHEN },
	  { "one-way-audio", LIKELY, .call = 1, .direction = 1, WHEN }, false },
	{ "a wrong address in SDP and silence both ways", { "nat-address-mismatch", LIKELY, .call = 1, .direction = 2,
	  WHEN }, { "no-audio", LIKELY, .call = 1, WHEN }, true },
	{ "a wrong Contact and silence both ways", { "nat-address-mismatch", LIKELY, .call = 1, WHEN },
	  { "no-audio", LIKELY, .call = 1, WHEN }, false },
	{ "a wrong Contact and the ACK", { "nat-address-mismatch", LIKELY, .call = 1, WHEN },
	  { "ack-missing", LIKELY, .call = 1, WHEN }, true },
	{ "a wrong address in SDP and the ACK", { "nat-address-mismatch", LIKELY, .call = 1, .direction = 1, WHEN },
	  { "ack-missing", LIKELY, .call = 1, WHEN }, false },
	{ "a wrong address in SDP and its ICMP", { "nat-address-mismatch", LIKELY, .call = 1, .direction = 1,
	  .victim = "10.0.0.1:4000", WHEN },
	  { "media-unreachable", CERTAIN, .call = 1, .direction = 3, .victim = "10.0.0.1:0", WHEN }, true },
	{ "a wrong address in SDP and ICMP for the other party",
	  { "nat-address-mismatch", LIKELY, .call = 1, .direction = 1, .victim = "10.0.0.1:4000", WHEN },
	  { "media-unreachable", CERTAIN, .call = 1, .direction = 2, .victim = "10.0.0.2:4000", WHEN }, false },
	{ "a wrong Via and its registration: no call, the same victim",
	  { "nat-address-mismatch", LIKELY, .victim = "10.0.0.1:5060", WHEN },
	  { "registration-failed", LIKELY, .victim = "10.0.0.1:5060", WHEN }, true },
	{ "a wrong Via and another's registration", { "nat-address-mismatch", LIKELY, .victim = "10.0.0.1:5060", WHEN },
	  { "registration-failed", LIKELY, .victim = "10.0.0.2:5060", WHEN }, false },
	{ "a dead mapping and the call to it", { "nat-binding-expired", LIKELY, .call = 1, WHEN },
	  { "invite-unanswered", LIKELY, .call = 1, WHEN }, true },
	{ "a dead mapping and another call", { "nat-binding-expired", LIKELY, .call = 1, WHEN },
	  { "invite-unanswered", LIKELY, .call = 2, WHEN }, false },
	{ "a hint is no cause of an alarm", { "nat-address-mismatch", POSSIBLE, .call = 1, .direction = 1, WHEN },
	  { "one-way-audio", LIKELY, .severity = SEVERITY_ERROR, .call = 1, .direction = 1, WHEN }, false },
	{ "ids that the table does not name", { "capture-truncated", LIKELY, .call = 1, .direction = 1, WHEN },
	  { "rtp-loss", LIKELY, .call = 1, .direction = 1, WHEN }, false },
};

/* In either order of making: what stands first in the list must not matter. */
static void the_table_decides(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * COUNT_OF(cases); i++) {
		const struct made *cause = &cases[i / 2].cause, *effect = &cases[i / 2].effect;
		struct finding *f, *c;
		struct made_world w;

		made_begin(&w);
		if (i % 2) {
			c = make(&w, cause);
			f = make(&w, effect);
		} else {
			f = make(&w, effect);
			c = make(&w, cause);
		}
		findings_settle(w.findings, SECOND_NS);
		if ((f->explained_by == c) != cases[i / 2].explained)
			fail_msg("%s%s", cases[i / 2].name, i % 2 ? "" : ", the effect first");
		made_end(&w);
	}
}

static void the_root_is_named(void **state)
{
	struct finding *root, *middle, *leaf;
	struct made_world w;

	(void)state;
	made_begin(&w);
	leaf = make(&w, &(struct made){ "rtp-loss", LIKELY, .call = 1, .direction = 1, WHEN });
	middle = make(&w, &(struct made){ "audio-interrupted", "lost-in-path", LIKELY, .call = 1, .direction = 1,
		WHEN });
	root = make(&w, &(struct made){ "no-audio", LIKELY, .call = 1, WHEN });
	findings_settle(w.findings, SECOND_NS);
	assert_ptr_equal(middle->explained_by, root);
	assert_ptr_equal(leaf->explained_by, root);
	assert_null(root->explained_by);
	made_end(&w);
}

/* A router that rewrites more calls than a finding lists explains what follows in each of them. */
static void a_cause_of_very_many_calls_explains_them_all(void **state)
{
	enum { MANY = 3 * FINDING_LEG_MAX };
	struct leg *legs = calloc(MANY, sizeof *legs);
	struct call *calls = calloc(MANY, sizeof *calls);
	struct finding *cause, *effect;
	struct made_world w;

	(void)state;
	made_begin(&w);
	cause = make(&w, &(struct made){ "sip-alg", "rewritten-sdp", .severity = SEVERITY_ERROR, LIKELY,
		.culprit = "10.0.0.9:0", WHEN });
	for (unsigned i = 0; i < 2 * MANY; i++) {
		legs[i % MANY].call = &calls[i % MANY];
		calls[i % MANY].n = i % MANY + 1;
		finding_leg(cause, &legs[i % MANY]);
	}
	assert_int_equal(cause->legs_total, MANY);
	assert_true(finding_has_leg(cause, &legs[0]) && finding_has_leg(cause, &legs[MANY - 1]));
	effect = make(&w, &(struct made){ "reinvite-failed", .severity = SEVERITY_ERROR, LIKELY, WHEN });
	finding_leg(effect, &legs[MANY - 1]);
	findings_settle(w.findings, SECOND_NS);
	assert_ptr_equal(effect->explained_by, cause);
	assert_int_equal(cause->incident->calls_total, MANY);
	findings_forget_leg(w.findings, &legs[MANY - 1]);
	findings_forget_leg(w.findings, &legs[1]);
	assert_false(finding_has_leg(cause, &legs[MANY - 1]) || finding_has_leg(cause, &legs[1]));
	assert_int_equal(legs[MANY - 1].named, 0);
	made_end(&w);
	for (unsigned i = 0; i < MANY; i++)
		legs[i].call = NULL;
	free(calls);
	free(legs);
}

/* What a withdrawn cause explained stands for itself again. */
static void a_withdrawn_cause_explains_nothing(void **state)
{
	struct finding *cause, *effect;
	struct made_world w;

	(void)state;
	made_begin(&w);
	cause = make(&w, &(struct made){ "no-audio", LIKELY, .severity = SEVERITY_ERROR, .call = 1, WHEN });
	effect = make(&w, &(struct made){ "audio-late", LIKELY, .severity = SEVERITY_WARNING, .call = 1, .direction = 1,
		WHEN });
	findings_settle(w.findings, SECOND_NS);
	assert_ptr_equal(effect->explained_by, cause);
	cause->state = FINDING_WITHDRAWN;
	findings_settle(w.findings, SECOND_NS);
	assert_null(effect->explained_by);
	assert_int_equal(findings_exit_status(w.findings), 1);
	made_end(&w);
}

/* Two of the same kind that could explain each other: one stays, whatever the order. */
static void nobody_explains_in_a_circle(void **state)
{
	struct made_world w;
	unsigned alone = 0;

	(void)state;
	made_begin(&w);
	for (unsigned i = 0; i < 3; i++)
		make(&w, &(struct made){ "audio-interrupted", "both-directions", LIKELY, .severity = SEVERITY_ERROR,
			.call = 1, .direction = i + 1, WHEN });
	findings_settle(w.findings, SECOND_NS);
	for (unsigned i = 0; i < 3; i++)
		alone += !finding_nth(w.findings, i)->explained_by;
	assert_int_equal(alone, 1);
	assert_int_equal(findings_exit_status(w.findings), 1);
	made_end(&w);
}

/* Each could explain the other: the row that stands higher decides, whichever was made first. */
static void the_higher_row_is_the_cause(void **state)
{
	static const struct { const char *reason; bool dropped_is_cause; } drops[] = {
		{ "path-lost", true }, { "peer-vanished", true }, { "media-timeout", false },
	};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof drops / sizeof drops[0]; i++) {
		struct made dropped = { "call-dropped", drops[i / 2].reason, LIKELY, .severity = SEVERITY_ERROR, .call = 1,
			WHEN }, silent = { "no-audio", LIKELY, .severity = SEVERITY_ERROR, .call = 1, WHEN };
		struct finding *first, *second, *cause, *effect;
		struct made_world w;

		made_begin(&w);
		first = make(&w, i % 2 ? &dropped : &silent);
		second = make(&w, i % 2 ? &silent : &dropped);
		findings_settle(w.findings, SECOND_NS);
		cause = (i % 2 == 1) == drops[i / 2].dropped_is_cause ? first : second;
		effect = cause == first ? second : first;
		assert_null(cause->explained_by);
		assert_ptr_equal(effect->explained_by, cause);
		made_end(&w);
	}
}

/*
 * A PBX behind which every phone has the same harmless fact, and harm that it does not explain: each is asked of those
 * only that could explain it.
 */
static void many_findings_of_one_host_are_not_compared_with_each_other(void **state)
{
	enum { MANY = 20000, MOST_S = 5 };       /* pair by pair it would take minutes */
	struct made_world w;
	clock_t begun;

	(void)state;
	made_begin(&w);
	for (unsigned i = 0; i < MANY; i++)
		make(&w, &(struct made){ i % 2 ? "nat-address-mismatch" : "one-way-audio", LIKELY,
			.severity = i % 2 ? SEVERITY_INFO : SEVERITY_ERROR, .victim = "192.0.2.1:5060",
			.culprit = "192.0.2.9:0", WHEN });
	begun = clock();
	findings_settle(w.findings, SECOND_NS);
	assert_true(clock() - begun < MOST_S * CLOCKS_PER_SEC);
	assert_null(finding_nth(w.findings, 0)->explained_by);
	made_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_decides),
		cmocka_unit_test(the_higher_row_is_the_cause),
		cmocka_unit_test(a_cause_of_very_many_calls_explains_them_all), cmocka_unit_test(the_root_is_named),
		cmocka_unit_test(a_withdrawn_cause_explains_nothing),
		cmocka_unit_test(nobody_explains_in_a_circle),
		cmocka_unit_test(many_findings_of_one_host_are_not_compared_with_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
