/* SPDX-License-Identifier: MIT */
/* incident: calls with one cause belong together; nothing else does. */
#include "tests/unit/made_findings.h"

#define ONE_WAY(n, at) { "one-way-audio", "nat", SEVERITY_ERROR, CONFIDENCE_LIKELY, .call = n, .from = at, \
	.to = at + 20, .culprit = "10.0.0.9:0" }

static const struct {
	const char *name;
	struct made made[4];
	unsigned incidents, members; /* of the first one */
	enum severity severity;
} cases[] = {
	{ "two calls", { ONE_WAY(1, 10), ONE_WAY(2, 100) }, 1, 2, SEVERITY_ERROR },
	{ "three calls that nobody hears are critical", { ONE_WAY(1, 10), ONE_WAY(2, 100), ONE_WAY(3, 200) }, 1, 3,
	  SEVERITY_CRITICAL },
	{ "three, as a possibility only", {
		{ "one-way-audio", "nat", SEVERITY_WARNING, CONFIDENCE_POSSIBLE, .call = 1, .from = 10, .to = 30,
		  .culprit = "10.0.0.9:0" },
		{ "one-way-audio", "nat", SEVERITY_WARNING, CONFIDENCE_POSSIBLE, .call = 2, .from = 10, .to = 30,
		  .culprit = "10.0.0.9:0" },
		{ "one-way-audio", "nat", SEVERITY_WARNING, CONFIDENCE_POSSIBLE, .call = 3, .from = 10, .to = 30,
		  .culprit = "10.0.0.9:0" } },
	  1, 3, SEVERITY_WARNING },
	{ "three that hear each other badly", {
		{ "rtp-loss", "path", SEVERITY_WARNING, CONFIDENCE_LIKELY, .call = 1, .from = 10, .to = 30,
		  .culprit = "10.0.0.9:0" },
		{ "rtp-loss", "path", SEVERITY_WARNING, CONFIDENCE_LIKELY, .call = 2, .from = 10, .to = 30,
		  .culprit = "10.0.0.9:0" },
		{ "rtp-loss", "path", SEVERITY_ERROR, CONFIDENCE_LIKELY, .call = 3, .from = 10, .to = 30,
		  .culprit = "10.0.0.9:0" } },
	  1, 3, SEVERITY_ERROR },
	{ "one call alone", { ONE_WAY(1, 10) }, 0, 0, SEVERITY_INFO },
	{ "two of one call", { ONE_WAY(1, 10), ONE_WAY(1, 40) }, 0, 0, SEVERITY_INFO },
	{ "another culprit", { ONE_WAY(1, 10),
		{ "one-way-audio", "nat", SEVERITY_ERROR, CONFIDENCE_LIKELY, .call = 2, .from = 10, .to = 30,
		  .culprit = "10.0.0.8:0" } }, 0, 0, SEVERITY_INFO },
	{ "another reason", { ONE_WAY(1, 10),
		{ "one-way-audio", "icmp", SEVERITY_ERROR, CONFIDENCE_LIKELY, .call = 2, .from = 10, .to = 30,
		  .culprit = "10.0.0.9:0" } }, 0, 0, SEVERITY_INFO },
	{ "nobody is to blame", { { "one-way-audio", "nat", SEVERITY_ERROR, CONFIDENCE_LIKELY, .call = 1, .from = 10,
	  .to = 30 },
		{ "one-way-audio", "nat", SEVERITY_ERROR, CONFIDENCE_LIKELY, .call = 2, .from = 10, .to = 30 } }, 0, 0,
		  SEVERITY_INFO },
	{ "no culprit, one victim", { { "one-way-audio", "nat", SEVERITY_ERROR, CONFIDENCE_LIKELY, .call = 1,
	  .from = 10, .to = 30, .victim = "10.0.0.1:4000" },
		{ "one-way-audio", "nat", SEVERITY_ERROR, CONFIDENCE_LIKELY, .call = 2, .from = 10, .to = 30,
		  .victim = "10.0.0.1:4002" } }, 1, 2, SEVERITY_ERROR },
	{ "more than five minutes apart", { ONE_WAY(1, 10), ONE_WAY(2, 331) }, 0, 0, SEVERITY_INFO },
	{ "five minutes apart", { ONE_WAY(1, 10), ONE_WAY(2, 330) }, 1, 2, SEVERITY_ERROR },
	{ "a chain of which each link is near", { ONE_WAY(1, 10), ONE_WAY(2, 300), ONE_WAY(3, 600) }, 1, 3,
	  SEVERITY_CRITICAL },
	{ "of info nothing comes", { { "one-way-audio", "nat", SEVERITY_INFO, CONFIDENCE_LIKELY, .call = 1, .from = 10,
	  .to = 30, .culprit = "10.0.0.9:0" },
		{ "one-way-audio", "nat", SEVERITY_INFO, CONFIDENCE_LIKELY, .call = 2, .from = 10, .to = 30,
		  .culprit = "10.0.0.9:0" } }, 0, 0, SEVERITY_INFO },
};

static void calls_with_one_cause_belong_together(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct incident *x = NULL;
		struct made_world w;

		made_begin(&w);
		for (unsigned k = 0; k < COUNT_OF(cases[i].made) && cases[i].made[k].id; k++)
			make(&w, &cases[i].made[k]);
		for (unsigned round = 0; round < 2; round++) {
			findings_settle(w.findings, 300 * SECOND_NS);
			if (findings_incidents(w.findings)->count != cases[i].incidents)
				fail_msg("%s: %zu incidents", cases[i].name,
					(size_t)findings_incidents(w.findings)->count);
		}
		if (cases[i].incidents) {
			x = LIST_ENTRY(findings_incidents(w.findings)->head.next, struct incident, in_order);
			if (x->finding_count != cases[i].members || x->severity != cases[i].severity || x->n != 1)
				fail_msg("%s: %u members, %s", cases[i].name, x->finding_count,
					severity_name(x->severity));
			for (unsigned k = 0; k < x->finding_count; k++)
				assert_ptr_equal(x->findings[k]->incident, x);
		} else {
			for (unsigned k = 0; finding_nth(w.findings, k); k++)
				assert_null(finding_nth(w.findings, k)->incident);
		}
		made_end(&w);
	}
}

/* Consequences are told with their cause, and are no members of their own. */
static void consequences_are_no_members(void **state)
{
	struct made_world w;

	(void)state;
	made_begin(&w);
	for (unsigned call = 1; call <= 2; call++) {
		make(&w, &(struct made){ "one-way-audio", "nat", SEVERITY_ERROR, CONFIDENCE_LIKELY, .call = call,
			.direction = call, .from = 1, .to = 9,
					 .culprit = "10.0.0.9:0" });
		make(&w, &(struct made){ "audio-late", "x", SEVERITY_WARNING, CONFIDENCE_LIKELY, .call = call,
			.direction = call, .from = 1, .to = 9,
					 .culprit = "10.0.0.9:0" });
	}
	findings_settle(w.findings, 300 * SECOND_NS);
	assert_int_equal(findings_incidents(w.findings)->count, 1);
	made_end(&w);
}

/* A router that rewrites several calls is one finding, and an incident as it is; of one call it is none. */
static void one_finding_of_many_calls(void **state)
{
	static const struct { unsigned calls; const char *culprit; unsigned incidents, total; const char *title;
		} rows[] = {
		{ 3, "203.0.113.2:0", 1, 3, "The router 203.0.113.2 rewrites SIP: 3 calls" },
		{ 1, "203.0.113.2:0", 0, 0, NULL },
		{ 3, NULL, 0, 0, NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct made_world w;
		struct finding *f;

		made_begin(&w);
		f = findings_add(w.findings, NULL, "sip-alg", "rewritten-sdp", SEVERITY_WARNING, CONFIDENCE_CERTAIN);
		made_part(f, PART_CULPRIT, rows[i].culprit);
		for (unsigned k = 0; k < rows[i].calls; k++)
			finding_leg(f, &w.legs[k]);
		finding_title(f, "The router 203.0.113.2 rewrites SIP: Via, c=");
		finding_times(f, SECOND_NS, 9 * SECOND_NS);
		findings_settle(w.findings, 300 * SECOND_NS);
		assert_int_equal(findings_incidents(w.findings)->count, rows[i].incidents);
		if (rows[i].incidents) {
			const struct incident *x = LIST_ENTRY(findings_incidents(w.findings)->head.next,
				struct incident, in_order);

			assert_string_equal(x->title, rows[i].title);
			assert_int_equal(x->calls_total, rows[i].total);
			assert_ptr_equal(f->incident, x);
		}
		made_end(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_with_one_cause_belong_together),
		cmocka_unit_test(consequences_are_no_members),
		cmocka_unit_test(one_finding_of_many_calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
