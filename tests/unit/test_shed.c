/* SPDX-License-Identifier: MIT */
/*
 * test_shed: what a flood asks in vain is set aside, comes back when somebody comes for it, and is counted in any case.
 */
#include "analyzer/shed.h"

#include "analyzer/engine_state.h"
#include "tests/unit/sip_teller.h"

#define X "192.0.2.66:5080"
#define Y "192.0.2.67:5080"
#define S "10.0.0.5:5060"

enum { ROOM = 65536, VAIN = 1000, LEG_ROOM_MIB = 8, FLOOD = 4000 };

#define SDP "v=0\r\no=- 1 1 IN IP4 192.0.2.66\r\ns=-\r\nc=IN IP4 192.0.2.66\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n"

struct told {                        /* one message */
	double s;
	const char *src, *dst, *start, *method, *call;
	unsigned cseq;
	const char *to, *more;
};

static struct packet *tell(struct teller *t, const struct told *x)
{
	const char *more = x->more ? x->more : strcmp(x->start, "INVITE sip:s@10.0.0.5 SIP/2.0") == 0
		? "Content-Type: application/sdp\r\n" : NULL;

	say(t, x->s, x->src, x->dst, &(struct said){ x->start, x->method, x->call, "<sip:101@x>;tag=f",
		x->to ? x->to : "<sip:s@x>", x->cseq, NULL, more, more && strncmp(more, "Content-Type", 12) == 0 ? SDP : NULL });
	t->packet.payload = t->sip.bytes;
	t->packet.payload_wire = t->sip.bytes.n;
	t->packet.ip_id = (uint16_t)t->frame;
	t->packet.first_of_frame = true;
	return &t->packet;
}

#define INVITE "INVITE sip:s@10.0.0.5 SIP/2.0", "INVITE"

static const struct packet *invite(struct teller *t, double s, const char *src, const char *call)
{
	return tell(t, &(struct told){ s, src, S, INVITE, call, 1, NULL, NULL });
}

/* ---- who floods ---- */

/* So many calls of X, so far apart; does it flood by then? */
static bool flooding(struct shed *d, struct teller *t, unsigned count, double from, double each)
{
	bool floods = false;
	char call[16];

	for (unsigned i = 0; i < count; i++) {
		snprintf(call, sizeof call, "c%u", i);
		floods = shed_floods(d, invite(t, from + i * each, X, call), false);
	}
	return floods;
}

static void who_asks_in_vain_floods(void **state)
{
	static const struct { const char *name; unsigned count; double each; bool floods; } cases[] = {
		{ "a thousand in a second", VAIN, 0.001, true }, { "one less", VAIN - 1, 0.001, false },
		{ "a thousand in 10 s", VAIN, 0.01, true }, { "in 20 s", VAIN, 0.02, false },
		{ "without a clock", VAIN, 0, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct shed *d = shed_new(ROOM);
		struct teller t = { .frame = 0 };

		if (flooding(d, &t, cases[i].count, 1, cases[i].each) != cases[i].floods)
			fail_msg("%s", cases[i].name);
		assert_false(shed_floods(d, invite(&t, 1000, Y, "other"), false));
		shed_free(d);
	}
}

static void it_ends_with_a_silence(void **state)
{
	struct shed *d = shed_new(ROOM);
	struct teller t = { .frame = 0 };

	(void)state;
	assert_true(flooding(d, &t, VAIN, 1, 0.001));
	assert_true(shed_floods(d, invite(&t, 11, X, "a"), false));
	assert_false(shed_floods(d, invite(&t, 22, X, "b"), false));
	assert_true(flooding(d, &t, VAIN, 23, 0.001));
	shed_free(d);
}

static void copies_do_not_count(void **state)
{
	struct shed *d = shed_new(ROOM);
	struct teller t = { .frame = 0 };

	(void)state;
	assert_false(flooding(d, &t, VAIN - 1, 1, 0.001));
	for (unsigned i = 0; i < 10; i++)
		assert_false(shed_floods(d, invite(&t, 2.1, X, "copy"), true));
	assert_true(shed_floods(d, invite(&t, 2.2, X, "last"), false));
	assert_true(shed_floods(d, invite(&t, 2.2, X, "last"), true));
	shed_free(d);
}

static void a_party_does_not_flood(void **state)
{
	static const struct { const char *name; struct told told; bool party; } cases[] = {
		{ "it is answered", { 3, S, X, "SIP/2.0 100 Trying", "INVITE", "z", 1, NULL, NULL }, true },
		{ "it is challenged", { 3, S, X, "SIP/2.0 401 Who", "REGISTER", "z", 1, NULL, NULL }, true },
		{ "it answers", { 3, X, S, "SIP/2.0 486 Busy", "INVITE", "z", 1, NULL, NULL }, true },
		{ "it acknowledges", { 3, X, S, "ACK sip:s@10.0.0.5 SIP/2.0", "ACK", "z", 1, "<sip:s@x>;tag=t", NULL }, true },
		{ "it gives up", { 3, X, S, "CANCEL sip:s@10.0.0.5 SIP/2.0", "CANCEL", "z", 1, NULL, NULL }, true },
		{ "it hangs up", { 3, X, S, "BYE sip:s@10.0.0.5 SIP/2.0", "BYE", "z", 2, "<sip:s@x>;tag=t", NULL }, true },
		{ "it was challenged before", { 3, X, S, INVITE, "z", 2, NULL,
			"Proxy-Authorization: Digest username=\"a\", realm=\"b\", nonce=\"c\", uri=\"sip:s\", response=\"d\"\r\n" }, true },
		{ "a call is changed", { 3, X, S, INVITE, "z", 2, "<sip:s@x>;tag=t", NULL }, true },
		{ "another one is answered", { 3, S, Y, "SIP/2.0 200 OK", "INVITE", "z", 1, NULL, NULL }, false },
		{ "somebody calls it", { 3, S, X, INVITE, "z", 1, NULL, NULL }, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct shed *d = shed_new(ROOM);
		struct teller t = { .frame = 0 };
		const struct packet *p;

		assert_true(flooding(d, &t, VAIN, 1, 0.001));
		p = tell(&t, &cases[i].told);
		if (!shed_may(p))
			shed_party(d, p);
		if (flooding(d, &t, 2 * VAIN, 4, 0.001) == cases[i].party)
			fail_msg("%s", cases[i].name);
		shed_free(d);
	}
}

static void media_are_a_sign_too(void **state)
{
	struct shed *d = shed_new(ROOM);
	struct teller t = { .frame = 0 };

	(void)state;
	assert_true(flooding(d, &t, VAIN, 1, 0.001));
	shed_media(d, &invite(&t, 2, X, "a")->src.addr);
	assert_false(flooding(d, &t, 2 * VAIN, 3, 0.001));
	shed_free(d);
}

/* ---- what is set aside ---- */

static bool keep(struct shed *d, const struct packet *p)
{
	size_t bytes;

	return shed_keep(d, p, &bytes);
}

static void what_somebody_comes_for_is_given_back(void **state)
{
	struct shed *d = shed_new(ROOM);
	struct teller t = { .frame = 0 }, u = { .frame = 100 };
	const struct packet *back;
	size_t bytes;
	bool last;

	(void)state;
	assert_true(flooding(d, &u, VAIN, 1, 0.001));
	assert_true(shed_keep(d, invite(&t, 3, X, "a"), &bytes));
	assert_int_equal(bytes, ROOM);
	assert_true(shed_keep(d, invite(&t, 3.1, X, "b"), &bytes));
	assert_int_equal(bytes, 0);
	assert_false(keep(d, invite(&t, 3.5, X, "a")));      /* sent again */
	assert_null(shed_back(d, invite(&u, 4, X, "z"), &last));
	back = shed_back(d, tell(&u, &(struct told){ 4, S, X, "SIP/2.0 180 Ringing", "INVITE", "a", 1, NULL, NULL }), &last);
	assert_non_null(back);
	assert_false(last);
	assert_int_equal(back->frame, 1);
	assert_int_equal(back->at_ns, at_s(3));
	assert_true(span_equal(back->sip->call_id, SPAN("a")) && back->sip->sdp.n && back->sip->request);
	back = shed_back(d, &u.packet, &last);
	assert_non_null(back);
	assert_true(last);
	assert_int_equal(back->frame, 3);
	assert_null(shed_back(d, &u.packet, &last));
	assert_false(shed_floods(d, invite(&u, 4.1, X, "c"), false));        /* it is a party now */
	assert_true(keep(d, invite(&t, 5, X, "a")));
	shed_free(d);
}

static void the_oldest_go(void **state)
{
	struct shed *d = shed_new(ROOM);
	struct teller t = { .frame = 0 };
	unsigned kept = 0, before = 0;
	char call[16];
	bool last;

	(void)state;
	for (unsigned i = 0; i < 5000; i++) {
		snprintf(call, sizeof call, "c%u%.*s", i, (int)(i % 7), "xxxxxx");
		assert_true(keep(d, invite(&t, 1 + i * 0.001, X, call)));
	}
	for (unsigned i = 0; i < 5000; i++) {
		snprintf(call, sizeof call, "c%u%.*s", i, (int)(i % 7), "xxxxxx");
		if (shed_back(d, invite(&t, 10, Y, call), &last)) {
			assert_true(last && span_equal(t.sip.call_id, span_of(call)));
			kept++;
		} else {
			assert_int_equal(kept, 0);
			before++;
		}
	}
	assert_int_equal(kept + before, 5000);
	assert_in_range(kept, ROOM / 1000, ROOM / 500);
	shed_free(d);
}

static void any_room_holds_a_few(void **state)
{
	struct shed *d = shed_new(1);
	struct teller t = { .frame = 0 };
	char more[7000];
	size_t bytes;
	bool last;

	(void)state;
	snprintf(more, sizeof more, "Subject: %06000u\r\n", 1u);
	assert_true(shed_keep(d, tell(&t, &(struct told){ 1, X, S, INVITE, "a", 1, NULL, more }), &bytes));
	assert_true(bytes > 6000);
	assert_true(keep(d, tell(&t, &(struct told){ 2, X, S, INVITE, "b", 1, NULL, more })));
	assert_non_null(shed_back(d, invite(&t, 3, Y, "a"), &last));
	assert_non_null(shed_back(d, invite(&t, 3, Y, "b"), &last));
	shed_free(d);
}

/* ---- the engine with little room ---- */

struct narrow {                      /* an engine that has no room for the calls of a flood */
	struct config *config;
	struct site *site;
	struct engine *e;
	struct teller t;
};

static void narrow_begin(struct narrow *n)
{
	struct engine_options options = { .memory = (size_t)LEG_ROOM_MIB << 20 };

	memset(n, 0, sizeof *n);
	sip_start();
	options.config = n->config = config_new();
	options.site = n->site = site_new();
	n->e = engine_new(&options);
}

static void narrow_end(struct narrow *n)
{
	engine_free(n->e);
	config_free(n->config);
	site_free(n->site);
}

static void give(struct narrow *n, const struct told *x)
{
	engine_packet(n->e, tell(&n->t, x));
}

enum answered { NEVER, EACH, ACKED };

/* A thousand a second; whose, and what becomes of each. */
static void flood(struct narrow *n, const char *method, enum answered answered)
{
	char call[16], start[48], to[32];

	snprintf(start, sizeof start, "%s sip:s@10.0.0.5 SIP/2.0", method);
	for (unsigned i = 0; i < FLOOD; i++) {
		double s = 1 + i * 0.001;

		snprintf(call, sizeof call, "flood%u", i);
		snprintf(to, sizeof to, "<sip:%u@x>", i);
		give(n, &(struct told){ s, X, S, start, method, call, 1, to, NULL });
		if (answered == EACH)
			give(n, &(struct told){ s, S, X, "SIP/2.0 404 No", method, call, 1, "<sip:s@x>;tag=t", NULL });
		if (answered == ACKED)
			give(n, &(struct told){ s, X, S, "ACK sip:s@10.0.0.5 SIP/2.0", "ACK", call, 1, "<sip:s@x>;tag=t", NULL });
	}
}

static const struct leg *leg_of_call(const struct narrow *n, const char *call)
{
	LIST_EACH(it, calls_legs(n->e->calls)) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_order);

		if (span_equal(leg->call_id, span_of(call)))
			return leg;
	}
	return NULL;
}

static const char *last_call(void)
{
	static char call[16];

	snprintf(call, sizeof call, "flood%u", FLOOD - 1);
	return call;
}

static void a_flood_begins_nothing_and_is_counted(void **state)
{
	static const struct { const char *name; enum answered answered; bool begins; } cases[] = {
		{ "nobody answers", NEVER, false }, { "each is refused", EACH, true }, { "one direction of a trunk", ACKED, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct source *x;
		struct calls_counts counts;
		struct narrow n;

		narrow_begin(&n);
		flood(&n, "INVITE", cases[i].answered);
		counts = calls_counts(n.e->calls);
		x = sources_find(n.e->sources, &invite(&n.t, 0, X, "a")->src.addr);
		if (!leg_of_call(&n, last_call()) == cases[i].begins)
			fail_msg("%s", cases[i].name);
		assert_int_equal(counts.calls, FLOOD);
		assert_int_equal(counts.messages, FLOOD * (cases[i].answered == NEVER ? 1 : 2));
		assert_int_equal(counts.evicted_legs + calls_legs(n.e->calls)->count, FLOOD);
		assert_int_equal(x->by_method[SIP_INVITE], FLOOD);
		assert_int_equal(x->calls.peak, 1000);
		assert_int_equal(network_counts(n.e->network).packets, counts.messages);
		narrow_end(&n);
	}
}

/* As those that nobody knows: their registrars are many, their users are. */
static void so_is_one_of_registers(void **state)
{
	static const struct { const char *name; enum answered answered; bool begins; } cases[] = {
		{ "nobody answers", NEVER, false }, { "each is refused", EACH, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct registration *newest;
		struct calls_counts counts;
		struct narrow n;

		narrow_begin(&n);
		flood(&n, "REGISTER", cases[i].answered);
		counts = calls_counts(n.e->calls);
		newest = LIST_ENTRY(calls_registrations(n.e->calls)->head.prev, struct registration, in_order);
		assert_int_equal(span_equal(newest->call_id, span_of(last_call())), cases[i].begins);
		assert_int_equal(LIST_ENTRY(sip_peers_in_order(n.e->peers)->head.next, struct sip_peer, in_order)->registers, FLOOD);
		if (!cases[i].begins) {
			assert_int_equal(counts.evicted_registrations + calls_registrations(n.e->calls)->count, FLOOD);
			assert_int_equal(accounts_evicted(n.e->accounts) + accounts_in_order(n.e->accounts)->count, FLOOD);
		}
		narrow_end(&n);
	}
}

/* In its name somebody floods: its own call is answered. What came before the answer is there, and what follows. */
static void an_answer_brings_back_what_it_answers(void **state)
{
	const struct leg *leg;
	struct calls_counts counts;
	struct narrow n;

	(void)state;
	narrow_begin(&n);
	flood(&n, "INVITE", NEVER);
	give(&n, &(struct told){ 5.1, X, S, INVITE, "real", 1, NULL, NULL });
	give(&n, &(struct told){ 5.6, X, S, INVITE, "real", 1, NULL, NULL });
	assert_null(leg_of_call(&n, "real"));
	assert_int_equal(calls_counts(n.e->calls).calls, FLOOD + 1);
	give(&n, &(struct told){ 5.7, S, X, "SIP/2.0 180 Ringing", "INVITE", "real", 1, "<sip:s@x>;tag=t", NULL });
	leg = leg_of_call(&n, "real");
	assert_non_null(leg);
	assert_true(leg->initial_invite_seen && leg->invite_ns == at_s(5.1));
	assert_int_equal(leg->messages.count, 3);
	assert_int_equal(leg->state, LEG_RINGING);
	counts = calls_counts(n.e->calls);
	assert_int_equal(counts.calls, FLOOD + 1);
	assert_int_equal(counts.messages, FLOOD + 3);
	assert_int_equal(counts.evicted_legs + calls_legs(n.e->calls)->count, FLOOD + 1);
	give(&n, &(struct told){ 5.8, X, S, INVITE, "next", 1, NULL, NULL });
	assert_non_null(leg_of_call(&n, "next"));    /* a party's */
	engine_finish(n.e);
	narrow_end(&n);
}

/* Another server is asked in the name of the same call: a proxy hands it on. */
static void so_does_the_next_hop(void **state)
{
	const struct leg *leg;
	struct narrow n;

	(void)state;
	narrow_begin(&n);
	flood(&n, "INVITE", NEVER);
	give(&n, &(struct told){ 5.1, X, S, INVITE, "real", 1, NULL, NULL });
	give(&n, &(struct told){ 5.11, S, "10.0.0.6:5060", INVITE, "real", 1, NULL, NULL });
	leg = leg_of_call(&n, "real");
	assert_non_null(leg);
	assert_int_equal(leg->messages.count, 2);
	engine_finish(n.e);
	narrow_end(&n);
}

static void others_begin_as_ever(void **state)
{
	struct narrow n;

	(void)state;
	narrow_begin(&n);
	flood(&n, "INVITE", NEVER);
	give(&n, &(struct told){ 5.1, Y, S, INVITE, "other", 1, NULL, NULL });
	assert_non_null(leg_of_call(&n, "other"));
	give(&n, &(struct told){ 20, X, S, INVITE, "later", 1, NULL, NULL });        /* the flood is over */
	assert_non_null(leg_of_call(&n, "later"));
	engine_finish(n.e);
	narrow_end(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_asks_in_vain_floods), cmocka_unit_test(it_ends_with_a_silence),
		cmocka_unit_test(copies_do_not_count), cmocka_unit_test(a_party_does_not_flood),
		cmocka_unit_test(media_are_a_sign_too), cmocka_unit_test(what_somebody_comes_for_is_given_back),
		cmocka_unit_test(the_oldest_go), cmocka_unit_test(any_room_holds_a_few),
		cmocka_unit_test(a_flood_begins_nothing_and_is_counted),
		cmocka_unit_test(so_is_one_of_registers), cmocka_unit_test(an_answer_brings_back_what_it_answers),
		cmocka_unit_test(so_does_the_next_hop), cmocka_unit_test(others_begin_as_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
