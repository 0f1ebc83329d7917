/* SPDX-License-Identifier: MIT */
/* test_calls_headers: what is kept of the headers of a call's messages, and causes in Reason headers. */
#include "tests/unit/calls_script.h"

#include "analyzer/calls/headers.h"

static const struct { const char *reason, *protocol; unsigned cause; } causes[] = {
	{ "Q.850;cause=16;text=\"Normal\"", "Q.850", 16 },
	{ "q.850 ; cause=34", "Q.850", 34 },
	{ "SIP;cause=503, Q.850;cause=1", "Q.850", 1 },
	{ "SIP;cause=503, Q.850;cause=1", "SIP", 503 },
	{ "SIP;text=\"none\"", "SIP", 0 },
	{ "Q.850;cause=bad", "Q.850", 0 },
	{ "Q.850;cause=4000", "Q.850", 0 },
	{ "Q.850", "Q.850", 0 },
	{ "", "Q.850", 0 },
};

static void test_causes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof causes / sizeof causes[0]; i++)
		assert_int_equal(reason_cause(span_of(causes[i].reason), span_of(causes[i].protocol)), causes[i].cause);
}

static const struct headers *headers_at(struct leg *leg, unsigned i)
{
	return script_message(leg, i)->headers;
}

static void assert_text(struct span s, const char *want)
{
	assert_int_equal(s.n, strlen(want));
	assert_memory_equal(s.p, want, s.n);
}

static void test_request_and_refusal(void **state)
{
	static const struct row rows[] = {
		{ .s = 0, .extra = "Max-Forwards: 70\r\nSession-Expires: 1800;refresher=uac\r\nMin-SE: 90\r\n" },
		{ .s = 0.5, .extra = "Max-Forwards: 70\r\nSession-Expires: 1800;refresher=uac\r\nMin-SE: 90\r\n" },
		{ .s = 0.6, .src = B, .dst = A, .status = 100 },
		{ .s = 0.7, .src = B, .dst = A, .status = 503, .to = "t",
		  .extra = "Reason: SIP;cause=503\r\nReason: Q.850;cause=42\r\nRetry-After: 120 (later)\r\nWarning: 399 x \"full\"\r\nUnsupported: 100rel\r\n" },
	};
	struct script s;
	struct leg *leg;

	(void)state;
	script_begin(&s);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		say(&s, &rows[i]);
	leg = script_leg(&s, 1);
	assert_text(headers_at(leg, 0)->uri, "sip:1002@10.0.0.2");
	assert_int_equal(headers_at(leg, 0)->more->session_expires_s, 1800);
	assert_int_equal(headers_at(leg, 0)->more->refresher, REFRESHER_UAC);
	assert_int_equal(headers_at(leg, 0)->more->min_se_s, 90);
	assert_int_equal(headers_at(leg, 0)->max_forwards, 70);
	assert_ptr_equal(headers_at(leg, 1), headers_at(leg, 0));
	assert_null(headers_at(leg, 2));
	assert_int_equal(headers_at(leg, 3)->more->q850, 42);
	assert_int_equal(headers_at(leg, 3)->more->sip_cause, 503);
	assert_text(headers_at(leg, 3)->more->reason, "Q.850;cause=42");
	assert_text(headers_at(leg, 3)->more->warning, "399 x \"full\"");
	assert_text(headers_at(leg, 3)->more->wants, "100rel");
	assert_int_equal(headers_at(leg, 3)->more->retry_after_s, 120);
	assert_int_equal(headers_at(leg, 3)->max_forwards, UINT32_MAX);
	script_end(&s);
}

static void test_routes_and_digest(void **state)
{
	static const struct row rows[] = {
		{ .s = 0 },
		{ .s = 0.1, .src = B, .dst = A, .status = 407, .to = "t",
		  .extra = "Proxy-Authenticate: Digest realm=\"r\", nonce=\"n1\", stale=true\r\n" },
		{ .s = 0.2, .cseq = 2, .extra = "Proxy-Authorization: Digest username=\"u\", realm=\"r\", nonce=\"n1\", uri=\"sip:x\", response=\"00\"\r\n" },
		{ .s = 0.3, .src = B, .dst = A, .cseq = 2, .status = 200, .to = "t2",
		  .extra = "Record-Route: \"a, b\" <sip:p2;lr>, <sip:p1;lr;x=\"1,2\">\r\nRecord-Route: <sip:p0;lr>\r\n" },
		{ .s = 0.4, .method = "ACK", .cseq = 2, .to = "t2", .extra = "Route: <sip:p0;lr>,<sip:p1;lr>\r\n" },
	};
	struct script s;
	struct leg *leg;

	(void)state;
	script_begin(&s);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		say(&s, &rows[i]);
	leg = script_leg(&s, 1);
	assert_false(headers_at(leg, 0)->credentials);
	assert_true(headers_at(leg, 1)->stale);
	assert_true(headers_at(leg, 2)->credentials);
	assert_true(headers_at(leg, 1)->nonce && headers_at(leg, 1)->nonce == headers_at(leg, 2)->nonce);
	assert_text(headers_at(leg, 3)->more->recorded_first, "sip:p2;lr");
	assert_text(headers_at(leg, 3)->more->recorded_last, "sip:p0;lr");
	assert_text(headers_at(leg, 4)->more->route, "sip:p0;lr");
	script_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_causes),
		cmocka_unit_test(test_request_and_refusal),
		cmocka_unit_test(test_routes_and_digest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
