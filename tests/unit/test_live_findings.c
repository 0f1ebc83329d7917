/* SPDX-License-Identifier: MIT */
/* test_live_findings: what opens and closes as judgements come. */
#include "ui/live_findings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "captures/base/ns.h"

enum { ROUNDS = 60 };

/*
 * A letter a judgement, a second each: '.' not found, 'x' found, 'o' found and its calls are over. What is told: '+'
 * opened, '-' closed, '~' closed because it is over, '*' reopened. Confirmed after 1 s, closed after 5 s, the same one
 * for 30 s more.
 */
static const struct { const char *name, *found, *told; } cases[] = {
	{ "found once, and not again",             ".x......", "........" },
	{ "confirmed by the second",               ".xx",      "..+" },
	{ "a gap before it was confirmed",         ".x.x.xx",  "......+" },
	{ "goes on",                               "xxxxxx",   ".+...." },
	{ "not found for a while",                 "xx......", ".+....-." },
	{ "a short gap closes nothing",            "xx....xx", ".+......" },
	{ "the calls end",                         "xxxoooo",  ".+.~..." },
	{ "over before it was confirmed",          ".o.....",  ".!....." },
	{ "over, and forgotten with the call",     "xxoo......", ".+~......." },
	{ "comes back",                            "xx......x.", ".+....-.*." },
	{ "comes back and goes on being there",    "xx......xxxx", ".+....-.*..." },
	{ "over, then another call has it",        "xxo.x",    ".+~.*" },
	{ "comes back too late to be the same",    "xx.....................................xx",
	  ".+....-.................................+" },
};

struct told {
	char changes[ROUNDS + 1];
	unsigned round;
	const char *text;
};

static void take(void *context, const struct live_change_of *c)
{
	struct told *t = context;
	char *at = &t->changes[t->round];

	switch (c->change) {
	case LIVE_OPENED:
		*at = '+';
		break;
	case LIVE_REOPENED:
		*at = '*';
		break;
	case LIVE_CLOSED:
		*at = *at == '+' ? '!' : c->over ? '~' : '-';
		assert_true(c->opened_ns <= c->at_ns);
		break;
	}
	assert_string_equal(c->title, t->text);
}

static void check(unsigned row)
{
	struct live_findings *all = live_findings_new(SECOND_NS, 5 * SECOND_NS, 30 * SECOND_NS);
	struct told t = { .round = 0 };
	char text[16] = "";

	for (const char *p = cases[row].found; *p; p++, t.round++) {
		t.changes[t.round] = '.';
		if (*p != '.')
			snprintf(text, sizeof text, "as of %u", t.round);
		t.text = text;
		live_findings_begin(all, t.round * SECOND_NS, take, &t);
		if (*p != '.')
			live_findings_found(all, &(struct live_found){ 7, *p == 'o', "error", "one-way-audio", text,
				"" });
		live_findings_end(all);
	}
	if (strcmp(t.changes, cases[row].told) != 0)
		fail_msg("%s: %s tells %s, not %s", cases[row].name, cases[row].found, t.changes, cases[row].told);
	live_findings_free(all);
}

static void test_changes(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++)
		check(i);
}

static void count(void *context, const struct live_change_of *c)
{
	(void)c;
	++*(unsigned *)context;
}

/* A flood of findings has a cap; those that are watched go on, and room comes back. */
static void test_bounded(void **state)
{
	struct live_findings *all = live_findings_new(SECOND_NS, 5 * SECOND_NS, 30 * SECOND_NS);
	unsigned told = 0;

	(void)state;
	for (unsigned round = 0; round < 2; round++) {
		live_findings_begin(all, round * SECOND_NS, count, &told);
		for (uint64_t i = 0; i < LIVE_FINDINGS_MOST + 10; i++)
			live_findings_found(all, &(struct live_found){ i * UINT64_C(0x100000001), false, "error",
				"one-way-audio", "one of many", "" });
		live_findings_end(all);
	}
	assert_int_equal(told, LIVE_FINDINGS_MOST);
	assert_int_equal(live_findings_open(all), LIVE_FINDINGS_MOST);
	assert_int_equal(live_findings_unwatched(all), 20);
	for (unsigned round = 2; round < 50; round++) {
		live_findings_begin(all, round * SECOND_NS, count, &told);
		live_findings_end(all);
	}
	assert_int_equal(told, 2 * LIVE_FINDINGS_MOST);
	assert_int_equal(live_findings_open(all), 0);
	live_findings_begin(all, 50 * SECOND_NS, count, &told);
	live_findings_found(all, &(struct live_found){ 1, true, "error", "one-way-audio", "one", "" });
	live_findings_end(all);
	assert_int_equal(told, 2 * LIVE_FINDINGS_MOST + 2);
	live_findings_free(all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
