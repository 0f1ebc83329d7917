/* SPDX-License-Identifier: MIT */
/* test_sip_hop: what one socket answers another, and the bound on how many are remembered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/network/sip_hop.h"
#include "dissect/sip_message.h"

static struct endpoint at(const char *text)
{
	struct endpoint e;

	assert_true(endpoint_parse(span_of(text), &e));
	return e;
}

static void answer(struct sip_hops *h, const char *from, const char *to, enum sip_method method, unsigned status)
{
	struct sip_message sip = { .request = status == 0, .method = method, .status = status };
	struct packet p = { .kind = PACKET_SIP, .at_ns = 7 * SECOND_NS, .src = at(from), .dst = at(to), .sip = &sip };

	sip_hops_packet(h, &p);
}

static const struct { const char *name; enum sip_method method; unsigned status; bool counts; } cases[] = {
	{ "an answered OPTIONS", SIP_OPTIONS, 200, true },
	{ "a refused REGISTER is an answer, too", SIP_REGISTER, 403, true },
	{ "a request", SIP_OPTIONS, 0, false },
	{ "a provisional", SIP_SUBSCRIBE, 100, false },
	{ "an INVITE", SIP_INVITE, 200, false },
	{ "a BYE", SIP_BYE, 200, false },
	{ "a response whose CSeq cannot be read", SIP_METHOD_NONE, 200, false },
};

static void test_what_counts(void **state)
{
	struct endpoint client = at("10.0.0.1:5060"), server = at("10.0.0.2:5060");

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct sip_hops *h = sip_hops_new(0);

		answer(h, "10.0.0.2:5060", "10.0.0.1:5060", cases[i].method, cases[i].status);
		if ((sip_hops_find(h, &client, &server) != NULL) != cases[i].counts)
			fail_msg("%s", cases[i].name);
		assert_null(sip_hops_find(h, &server, &client));
		sip_hops_free(h);
	}
}

static void test_the_least_used_goes(void **state)
{
	struct endpoint client = at("10.0.0.1:5060"), a = at("10.0.1.1:5060"), b = at("10.0.1.2:5060"),
		c = at("10.0.1.3:5060");
	struct sip_hops *h = sip_hops_new(2);

	(void)state;
	answer(h, "10.0.1.1:5060", "10.0.0.1:5060", SIP_OPTIONS, 200);
	answer(h, "10.0.1.2:5060", "10.0.0.1:5060", SIP_OPTIONS, 200);
	answer(h, "10.0.1.1:5060", "10.0.0.1:5060", SIP_OPTIONS, 200);
	answer(h, "10.0.1.3:5060", "10.0.0.1:5060", SIP_OPTIONS, 200);
	assert_null(sip_hops_find(h, &client, &b));
	assert_non_null(sip_hops_find(h, &client, &c));
	assert_int_equal(sip_hops_find(h, &client, &a)->answered, 2);
	assert_int_equal(sip_hops_evicted(h), 1);
	sip_hops_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_what_counts),
		cmocka_unit_test(test_the_least_used_goes) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
