/* SPDX-License-Identifier: MIT */
/* test_filter: what a filter matches, what it refuses and where it points. */
#include "ui/filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "tests/unit/fake_views.h"
#include "ui/selection.h"
#include "ui/when.h"

struct subject {
	struct filter_subject s;
	struct view_call call;
	struct view_finding findings[8];
	struct view_stream streams[8];
	struct view_host host;
	const struct view_finding *finding_list[8];
	const struct view_stream *stream_list[8];
	const struct view_host *host_list[1];
	struct names *names;
};

static struct subject *subject_new(enum fake which)
{
	struct subject *t = calloc(1, sizeof *t);
	const struct engine *e = fake_engine(which);

	t->names = names_new();
	names_parse(t->names, SPAN("192.168.1.21 reception\n"));
	assert_true(view_call(e, 0, &t->call));
	t->s = (struct filter_subject){ .engine = e, .call = &t->call, .findings = t->finding_list,
		.streams = t->stream_list, .hosts = t->host_list, .names = t->names };
	for (size_t i = 0; view_finding(e, i, &t->findings[i]); i++, t->s.finding_count++)
		t->finding_list[i] = &t->findings[i];
	for (size_t i = 0; view_stream(e, i, &t->streams[i]); i++, t->s.stream_count++)
		t->stream_list[i] = &t->streams[i];
	t->s.host_count = view_host(e, 0, &t->host);
	t->host_list[0] = &t->host;
	return t;
}

static void subject_free(struct subject *t)
{
	names_free(t->names);
	free(t);
}

static bool matches(const struct subject *t, const char *text)
{
	struct filter_error err = { 0, "" };
	struct filter *f = filter_new(text, &err);
	bool hit;

	if (!f)
		fail_msg("%s: %s", text, err.text);
	filter_resolve(f, FAKE_START_NS, FAKE_START_NS + 48 * SECOND_NS);
	hit = filter_match(f, &t->s);
	filter_free(f);
	return hit;
}

/*
 * Call 4 of the fakes: 1001 to 01632960105, 09:12:41.204, answered 09:12:46.914, ended 09:13:28.936; caller hears
 * nothing, callee 4.41.
 */
static const struct {
	const char *text;
	bool hit;
} cases[] = {
	{ "", true },
	{ "   ", true },
	/* numbers: either end, exactly, any text */
	{ "from:1001", true },
	{ "from:100", true },
	{ "from:001", true },
	{ "from:00", false },
	{ "from=1001", true },
	{ "from=100", false },
	{ "from=1*1", true },
	{ "from:9,1001", true },
	{ "from!=1001", false },
	{ "from!=1002", true },
	{ "to:2960105", true },
	{ "to:0163", true },
	{ "number:1001 number:2960105", true },
	{ "to:1001", false },
	{ "from~\"^10[0-9]+$\"", true },
	{ "from~^2", false },
	/* numbers and units */
	{ "call:1", true },
	{ "call:2..9", false },
	{ "call:0..1", true },
	{ "call=2,1", true },
	{ "status:200", true },
	{ "status>=300", false },
	{ "mos<4.5", true },
	{ "mos<3.5", false },
	{ "mos=unknown", false },
	{ "loss>3%", true },
	{ "loss>100", false },
	{ "jitter:1.2ms", true },
	{ "jitter<1", false },
	{ "talk>42s", true },
	{ "talk>0.8m", false },
	{ "talk:40..50", true },
	{ "setup>5s", true },
	{ "setup>5800ms", false },
	{ "codec:pcm", true },
	{ "codec=PCMU", false },
	/* hearing */
	{ "heard:no", true },
	{ "heard:yes", true },
	{ "heard:sent", false },
	{ "caller:no", true },
	{ "caller:yes", false },
	{ "callee:yes", true },
	{ "callee:no,yes", true },
	/* findings */
	{ "finding:sip-alg", true },
	{ "finding:sip", true },
	{ "finding:SIP", true },
	{ "finding:\"sip\"", true },
	{ "finding:*alg", true },
	{ "finding:*alg*", true },
	{ "finding:rtp", false },
	{ "finding:rtp,sip", true },
	{ "finding=sip-alg", true },
	{ "finding=rtp-loss", false },
	{ "finding!=rtp-loss", true },
	{ "finding:sip-alg/rewritten", true },
	{ "finding:sip-alg/rewritten-contact", false },
	{ "finding=sip-alg/rewritten-sdp", true },
	{ "finding~\"^one-way\"", true },
	{ "finding=unknown", false },
	{ "severity:error", true },
	{ "severity>=critical", false },
	{ "severity>info", true },
	{ "confidence=likely", false },
	{ "incident:1", true },
	{ "incident:2", false },
	/* hosts */
	{ "host:192.168.1.0/24", true },
	{ "host:192.168.1.16/29", true },
	{ "host:192.168.1.0/28", false },
	{ "host:198.51.100.40", true },
	{ "host:198.51.100.41", false },
	{ "host:reception", true },
	{ "host:0.0.0.0/0", true },
	{ "host:::/0", false },
	{ "phone:reception", true },
	{ "phone:1001", true },
	{ "ua:yealink", true },
	{ "ua~\"^Yealink\"", true },
	{ "ua:snom", false },
	{ "port:16392", true },
	{ "port:16393", false },
	{ "port:10000..20000", true },
	{ "transport:udp", true },
	{ "vlan:100", true },
	{ "vlan=unknown", false },
	{ "dscp:46", true },
	{ "dscp=0", false },
	{ "point:both", true },
	{ "method:INVITE", true },
	{ "method:register", false },
	{ "frame:2", true },
	{ "frame:815", true },
	{ "frame:500", true },
	{ "frame:7000", false },
	{ "callid:8f2a", true },
	{ "callid=8f2a", false },
	{ "state:ended", true },
	{ "-state:declined", true },
	/* time, in GMT; the capture is from Friday 2026-11-20 09:12:41 to 09:13:29 */
	{ "start:09:12", true },
	{ "start:09:13", false },
	{ "start:09:12:41", true },
	{ "start:09:00..10:00", true },
	{ "start:09:13..10:00", false },
	{ "start:2026-11-20", true },
	{ "start:2026-11-19..2026-11-20", true },
	{ "start:2026-11-21", false },
	{ "start>2026-11-20T09:12Z", false },
	{ "start>=2026-11-20T09:12Z", true },
	{ "start>=2026-11-20T10:12:41+01:00", true },
	{ "start>=2026-11-20T09:12:42Z", false },
	{ "start:yesterday", false },
	{ "start:today", true },
	{ "start<\"Fri 18:00\"", false },
	{ "start>\"Fri 18:00\"", true },
	{ "start>-1m", true },
	{ "start>-30s", false },
	{ "end:09:13", true },
	{ "since:09:13", true },
	{ "since:09:14", false },
	{ "until:09:12", true },
	{ "until:09:11", false },
	/* words */
	{ "1001", true },
	{ "yealink", true },
	{ "reception", true },
	{ "8f2a", true },
	{ "198.51.100.40", true },
	{ "sip-alg", true },
	{ "nobody", false },
	{ "\"SIP-T46S\"", true },
	/* structure */
	{ "from:1001 to:1002", false },
	{ "from:1002 | to:2960105", true },
	{ "from:1002 | to:1002", false },
	{ "from:1001 (heard:sent | loss>3%)", true },
	{ "-(from:1001 heard:no)", false },
	{ "-(from:1001 heard:sent)", true },
	{ "finding:one-way-audio from:1001 mos<4.5 since:09:00 -state:declined", true },
};

static void test_match(void **state)
{
	struct subject *t = subject_new(FAKE_ONE_WAY);

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		if (matches(t, cases[i].text) != cases[i].hit)
			fail_msg("%s: %s expected", cases[i].text, cases[i].hit ? "a hit" : "no hit");
	subject_free(t);
}

static void test_unknown(void **state)
{
	struct subject *t = subject_new(FAKE_OUTSIDE);

	(void)state;
	t->s.call = NULL;
	assert_true(matches(t, "from=unknown"));
	assert_false(matches(t, "from:1001"));
	assert_false(matches(t, "from!=1001"));
	assert_true(matches(t, "-from:1001"));
	assert_false(matches(t, "mos<5"));
	assert_true(matches(t, "finding:capture severity:info"));
	t->s.call = &t->call;
	assert_true(matches(t, "caller:sent callee:unknown"));
	subject_free(t);
}

static void test_hostile_values(void **state)
{
	struct subject *t = subject_new(FAKE_HOSTILE);

	(void)state;
	assert_true(matches(t, "from:\"\\x1b[2J\"")); /* as it is shown */
	assert_false(matches(t, "from:\"\x1b[2J\""));
	subject_free(t);
}

static const struct {
	const char *text;
	size_t at;
	const char *says;
} errors[] = {
	{ "mos<3,5 state:answered", 4, "decimal point: 3.5" },
	{ "findng:sip-alg", 0, "no field \"findng\": finding?" },
	{ "from:1001 xyzzy:2", 10, "no field \"xyzzy\"; a text with a sign in it goes in quotes" },
	{ "from:", 5, "from of what?" },
	{ "heard:maybe", 6, "heard is yes, poor, sent, no or unknown" },
	{ "finding:alg", 8, "no finding \"alg\": deadair detectors lists them" },
	{ "finding=sip", 8, "no finding \"sip\": sip-alg?" },
	{ "finding:*bogus*", 8, "no finding \"*bogus*\": deadair detectors lists them" },
	{ "finding:one-way-audo", 8, "no finding \"one-way-audo\": one-way-audio?" },
	{ "finding:sip-alg,rtp-lsos", 16, "no finding \"rtp-lsos\": rtp-loss?" },
	{ "-finding:sip-alg/rewriten", 9, "sip-alg has no reason \"rewriten\": deadair explain sip-alg" },
	{ "severity:bad", 9, "severity is info, warning, error or critical" },
	{ "call:x", 5, "\"x\" is no whole number for call" },
	{ "call:1.5", 5, "\"1.5\" is no whole number for call" },
	{ "loss>3s", 5, "\"3s\" is no number for loss" },
	{ "talk>3x", 5, "\"3x\" is no length for talk: 250ms, 3s, 2m" },
	{ "mos<1..2", 4, "one value behind < and >" },
	{ "call<1,2", 5, "one value behind < and >" },
	{ "from<1001", 4, "from has no order: use : or =" },
	{ "from:1..2", 6, "from has no ranges" },
	{ "start:noon", 6, "\"noon\" is no time for start: 10:00, 2026-11-20T10:00, \"Fri 18:00\", -15m" },
	{ "host:10.0.0.0/33", 14, "a network has 0 to 32 bits" },
	{ "host:pbx/24", 5, "\"pbx/24\" is no network: 192.168.1.0/24" },
	{ "ua~\"(\"", 3, "Unmatched ( or \\(" },
	{ "ua~\"((a{30}){30}){30}\"", 3, "the expression is too long: at most 200 bytes, 1000 repetitions" },
	{ "mos~3", 4, "mos is no text: ~ is for texts" },
	{ "(from:1", 0, "the bracket is not closed" },
	{ "from:1)", 6, "this bracket closes nothing" },
	{ "from:\"1", 5, "the quote is not closed" },
	{ "from:1 |", 8, "something to look for is expected here" },
	{ "| from:1", 0, "something to look for is expected here" },
	{ "-", 1, "a word, a field or \"(\" is expected here" },
};

static void test_errors(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
		struct filter_error err = { 999, "" };

		if (filter_new(errors[i].text, &err))
			fail_msg("%s: taken", errors[i].text);
		if (err.at != errors[i].at)
			fail_msg("%s: byte %zu, not %zu", errors[i].text, err.at, errors[i].at);
		assert_string_equal(err.text, errors[i].says);
	}
}

static void test_bounds(void **state)
{
	char brackets[100], terms[4096], bytes[5000];
	struct filter_error err;

	(void)state;
	memset(brackets, '(', sizeof brackets);
	brackets[99] = '\0';
	assert_null(filter_new(brackets, &err));
	assert_string_equal(err.text, "more than 32 brackets inside each other");
	memset(bytes, 'a', sizeof bytes);
	bytes[4999] = '\0';
	assert_null(filter_new(bytes, &err));
	for (size_t i = 0; i < sizeof terms; i += 7)
		memcpy(terms + i, "call:1 ", sizeof terms - i < 7 ? sizeof terms - i : 7);
	terms[4090] = '\0';
	assert_null(filter_new(terms, &err));
	assert_string_equal(err.text, "more than 512 terms");
}

static void test_caret(void **state)
{
	struct filter_error err;
	struct text t;

	(void)state;
	text_init(&t);
	assert_null(filter_new("mos<3,5 state:answered", &err));
	filter_error_show(&err, "mos<3,5 state:answered", &t);
	assert_string_equal(t.p, "  mos<3,5 state:answered\n      ^ decimal point: 3.5\n");
	text_clear(&t);
	assert_null(filter_new("\"\x1b\" findng:x", &err));
	filter_error_show(&err, "\"\x1b\" findng:x", &t);
	assert_string_equal(t.p, "  \"\\x1b\" findng:x\n         ^ no field \"findng\": finding?\n");
	text_fini(&t);
}

static size_t shown_calls(const char *text, struct selection *s)
{
	struct filter_error err;
	struct selection_options o = { .filter = filter_new(text, &err) };
	size_t shown = 0;

	assert_non_null(o.filter);
	selection_init(s, fake_engine(FAKE_MANY), &o);
	for (size_t i = 0; i < s->call_count; i++)
		shown += s->calls[i].shown;
	filter_free(o.filter);
	return shown;
}

static void test_selection(void **state)
{
	struct selection s;

	(void)state;
	assert_int_equal(shown_calls("finding:rtp-loss", &s), 3);
	assert_int_equal(s.problems_hidden, 1);      /* the scan, which concerns no call */
	selection_fini(&s);
	assert_int_equal(shown_calls("finding:sip-scan", &s), 0);
	assert_int_equal(s.problems_hidden, 3);
	selection_fini(&s);
	assert_int_equal(shown_calls("host:10.0.0.8", &s), 1);
	assert_int_equal(s.problems_hidden, 3);
	selection_fini(&s);
	assert_int_equal(shown_calls("mos<3.5 -call:9", &s), 2);
	assert_int_equal(s.problems_hidden, 2);
	selection_fini(&s);
}

static int setup(void **state)
{
	(void)state;
	setenv("TZ", "GMT0", 1);
	tzset();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_match), cmocka_unit_test(test_unknown), cmocka_unit_test(test_hostile_values),
			cmocka_unit_test(test_errors),
		cmocka_unit_test(test_bounds), cmocka_unit_test(test_caret), cmocka_unit_test(test_selection),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
