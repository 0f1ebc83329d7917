/* SPDX-License-Identifier: MIT */
/*
 * test_sip_peer: who asked whom over which transport, copies aside; who opened a connection; what goes first when there
 * is no more room.
 */
#include "analyzer/network/sip_peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dissect/sip_message.h"

static struct endpoint at(const char *text)
{
	struct endpoint e;

	assert_true(endpoint_parse(span_of(text), &e));
	return e;
}

struct step {                        /* status 0: a request; src NULL: no more */
	const char *src, *dst;
	enum sip_method method;
	unsigned status;
	const char *branch;
	uint8_t transport;           /* 0: UDP */
};

static uint32_t frame;

static void play(struct sip_peers *t, const struct step *x)
{
	struct sip_message sip = { .request = x->status == 0, .method = x->method, .status = x->status, .cseq = 1 };
	struct packet p = { .kind = PACKET_SIP, .at_ns = 7 * SECOND_NS, .frame = ++frame, .src = at(x->src),
		.dst = at(x->dst), .sip = &sip,
			    .transport = x->transport ? x->transport : TRANSPORT_UDP };

	sip.via.branch = span_of(x->branch);
	sip_message_keys(&sip);
	sip_peers_packet(t, &p);
}

#define PHONE "10.0.0.1:5062"
#define PBX "10.0.0.2:5060"

static const struct {
	const char *name;
	struct step steps[6];
	unsigned peers;              /* and of the first one: */
	unsigned requests, answers, registers, invites;
} cases[] = {
	{ "asked and answered", { { PHONE, PBX, SIP_REGISTER, 0, "a" }, { PBX, PHONE, SIP_REGISTER, 200, "a" } }, 1, 1,
	  1, 1, 0 },
	{ "a refusal is an answer", { { PHONE, PBX, SIP_INVITE, 0, "a" }, { PBX, PHONE, SIP_INVITE, 486, "a" } }, 1, 1,
	  1, 0, 1 },
	{ "a provisional is none", { { PHONE, PBX, SIP_INVITE, 0, "a" }, { PBX, PHONE, SIP_INVITE, 180, "a" } }, 1, 1,
	  0, 0, 1 },
	{ "sent again is one request, and one answer", { { PHONE, PBX, SIP_OPTIONS, 0, "a" },
	  { PHONE, PBX, SIP_OPTIONS, 0, "a" },
	  { PBX, PHONE, SIP_OPTIONS, 200, "a" }, { PBX, PHONE, SIP_OPTIONS, 200, "a" } }, 1, 1, 1, 0, 0 },
	{ "a new branch is a new request", { { PHONE, PBX, SIP_OPTIONS, 0, "a" }, { PHONE, PBX, SIP_OPTIONS, 0, "b" } },
	  1, 2, 0, 0, 0 },
	{ "ACK and CANCEL are none", { { PHONE, PBX, SIP_INVITE, 0, "a" }, { PHONE, PBX, SIP_CANCEL, 0, "a" },
	  { PHONE, PBX, SIP_ACK, 0, "b" },
	  { PBX, PHONE, SIP_CANCEL, 200, "a" } }, 1, 1, 0, 0, 1 },
	{ "both ask each other by UDP", { { PHONE, PBX, SIP_OPTIONS, 0, "a" }, { PBX, PHONE, SIP_OPTIONS, 0, "b" } }, 2,
	  1, 0, 0, 0 },
	{ "over TCP the connection is the client's", { { PHONE, PBX, SIP_REGISTER, 0, "a", TRANSPORT_TCP },
	  { PBX, PHONE, SIP_INVITE, 0, "b", TRANSPORT_TCP } },
	  1, 1, 0, 1, 0 },
	{ "UDP and TCP are two", { { PHONE, PBX, SIP_OPTIONS, 0, "a" },
	  { PHONE, PBX, SIP_OPTIONS, 0, "b", TRANSPORT_TCP } }, 2, 1, 0, 0, 0 },
	{ "an answer that nobody asked for", { { PBX, PHONE, SIP_OPTIONS, 200, "a" } }, 0, 0, 0, 0, 0 },
	{ "a multicast REGISTER has no server", { { PHONE, "224.0.1.75:5060", SIP_REGISTER, 0, "a" } }, 0, 0, 0, 0, 0 },
};

static void test_what_counts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct sip_peers *t = sip_peers_new(0);
		const struct list *all = sip_peers_in_order(t);
		const struct sip_peer *x;

		for (const struct step *s = cases[i].steps; s < cases[i].steps + 6 && s->src; s++)
			play(t, s);
		x = all->count ? LIST_ENTRY(all->head.next, struct sip_peer, in_order) : NULL;
		if (all->count != cases[i].peers ||
		    (x && (x->requests != cases[i].requests || x->answers != cases[i].answers ||
		    x->registers != cases[i].registers || x->invites != cases[i].invites)))
			fail_msg("%s: %zu peers, %u asked, %u answered", cases[i].name, all->count, x ? x->requests : 0,
				x ? x->answers : 0);
		sip_peers_free(t);
	}
}

/* A flood of strangers leaves what was answered alone. */
static void test_the_unanswered_go_first(void **state)
{
	struct sip_peers *t = sip_peers_new(3);
	const struct step asked = { PHONE, PBX, SIP_REGISTER, 0, "a" },
		answered = { PBX, PHONE, SIP_REGISTER, 200, "a" };
	char source[32];

	(void)state;
	play(t, &asked);
	play(t, &answered);
	for (unsigned i = 1; i < 100; i++) {
		snprintf(source, sizeof source, "192.0.2.%u:5060", i);
		play(t, &(struct step){ source, PBX, SIP_OPTIONS, 0, source });
	}
	assert_int_equal(sip_peers_in_order(t)->count, 3);
	assert_int_equal(sip_peers_evicted(t), 97);
	assert_int_equal(LIST_ENTRY(sip_peers_in_order(t)->head.next, struct sip_peer, in_order)->answers, 1);
	sip_peers_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_what_counts),
		cmocka_unit_test(test_the_unanswered_go_first) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
