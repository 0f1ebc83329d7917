/* SPDX-License-Identifier: MIT */
/* test_sip_binding: how long mappings live, by whom that is measured, and what proves nothing. */
#include "analyzer/network/sip_binding.h"
#include "tests/unit/network_packets.h"

static const struct sip_bindings_config config = { 20 * SECOND_NS, 900 * SECOND_NS, 0 };

/* One step: REGISTER, its 200, a request of the server, its answer, a keepalive, an ICMP refusal. */
struct step {
	double at;
	enum { ASK = 'R', ACCEPTED = 'A', REQUEST = 'Q', ANSWER = 'a', KEEPALIVE = 'k', REFUSED = 'x', END = 0 } what;
	const char *client;          /* default 198.51.100.20:20295 */
	const char *id;              /* Call-ID */
	unsigned cseq;
	const char *inner;           /* default 192.168.1.102 */
	const char *method;          /* of REQUEST and ANSWER, default INVITE */
};

static const char *const server = "203.0.113.10:5060";

static void send_sip(struct sip_bindings *b, struct packet p, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	p.kind = PACKET_SIP;
	p.sip = sip_written(format, ap);
	va_end(ap);
	sip_bindings_packet(b, &p);
}

static void play_step(struct sip_bindings *b, const struct step *s)
{
	const char *client = s->client ? s->client : "198.51.100.20:20295", *inner = s->inner ? s->inner : "192.168.1.102";
	const char *id = s->id ? s->id : "reg", *method = s->method ? s->method : "INVITE";
	int64_t at_ms = (int64_t)(s->at * 1000 + 0.5);
	struct packet out = packet_of(PACKET_KEEPALIVE, client, server, at_ms), in = packet_of(PACKET_KEEPALIVE, server, client, at_ms);

	switch (s->what) {
	case ASK:
		send_sip(b, out, "REGISTER sip:pbx SIP/2.0\nVia: SIP/2.0/UDP %s:5060;branch=z9hG4bK%s%u\nFrom: <sip:102@pbx>;tag=a\nTo: <sip:102@pbx>\n"
			 "Call-ID: %s\nCSeq: %u REGISTER\nContact: <sip:102@%s>\nContent-Length: 0\n\n", inner, id, s->cseq, id, s->cseq, inner);
		break;
	case ACCEPTED:
		send_sip(b, in, "SIP/2.0 200 OK\nVia: SIP/2.0/UDP %s:5060;branch=z9hG4bK%s%u\nFrom: <sip:102@pbx>;tag=a\nTo: <sip:102@pbx>;tag=b\n"
			 "Call-ID: %s\nCSeq: %u REGISTER\nContact: <sip:102@%s>;expires=300\nContent-Length: 0\n\n", inner, id, s->cseq, id, s->cseq, inner);
		break;
	case REQUEST:
		send_sip(b, in, "%s sip:102@%s SIP/2.0\nVia: SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bK%s\nFrom: <sip:1@pbx>;tag=a\nTo: <sip:102@pbx>\n"
			 "Call-ID: %s\nCSeq: %u %s\nContent-Length: 0\n\n", method, inner, id, id, s->cseq, method);
		break;
	case ANSWER:
		send_sip(b, out, "SIP/2.0 200 OK\nVia: SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bK%s\nFrom: <sip:1@pbx>;tag=a\nTo: <sip:102@pbx>;tag=c\n"
			 "Call-ID: %s\nCSeq: %u %s\nContent-Length: 0\n\n", id, id, s->cseq, method);
		break;
	case KEEPALIVE:
		sip_bindings_packet(b, &out);
		break;
	case REFUSED:
		in.kind = PACKET_ICMP;
		in.src = endpoint_of(client);
		in.src.port = 0;
		in.icmp = (struct icmp_message){ .type = 3, .code = 3, .error = true, .quote_readable = true, .quote_protocol = 17,
						 .quote_src = endpoint_of(server), .quote_dst = endpoint_of(client) };
		sip_bindings_packet(b, &in);
		break;
	case END:
		break;
	}
}

/*
 * "alive-dead deaths" of the router; deaths: losses noted on all its bindings, + for each that ended on another port.
 */
static const char *play(const struct step *steps)
{
	static char text[64];
	struct sip_bindings *b = sip_bindings_new(&config);
	struct address router = address_of("198.51.100.20");
	const struct binding_nat *n;
	unsigned deaths = 0, moved = 0;

	for (const struct step *s = steps; s->what != END; s++)
		play_step(b, s);
	LIST_EACH(it, sip_bindings_in_order(b)) {
		const struct sip_binding *x = LIST_ENTRY(it, struct sip_binding, in_order);

		deaths += x->death_count;
		for (unsigned i = 0; i < x->death_count; i++)
			moved += x->deaths[i].port_changed;
	}
	n = sip_bindings_nat(b, &router);
	assert_non_null(n);
	snprintf(text, sizeof text, "%.0f-%.0f%s %u+%u", (double)n->alive_ns / 1e9, (double)n->dead_ns / 1e9, binding_nat_bracket(n) ? "" : "?", deaths, moved);
	sip_bindings_free(b);
	return text;
}

#define BEGIN { .at = 0, .what = ASK, .cseq = 1 }, { .at = 0, .what = ACCEPTED, .cseq = 1 }
#define LOST(when, name) { .at = when, .what = REQUEST, .id = name, .cseq = 7 }, { .at = when + .5, .what = REQUEST, .id = name, .cseq = 7 }, { .at = when + 1.5, .what = REQUEST, .id = name, .cseq = 7 }, \
	{ .at = when + 3.5, .what = REQUEST, .id = name, .cseq = 7 }, { .at = when + 7.5, .what = REQUEST, .id = name, .cseq = 7 }

static const struct { const char *name; struct step steps[24]; const char *expected; } cases[] = {
	{ "answered after 60 s", { BEGIN, { .at = 60, .what = REQUEST, .id = "c", .cseq = 7 }, { .at = 60.1, .what = ANSWER, .id = "c", .cseq = 7 } }, "60-0? 0+0" },
	{ "an answer to a repetition says nothing", { BEGIN, LOST(60, "c"), { .at = 68, .what = ANSWER, .id = "c", .cseq = 7 } }, "0-0? 0+0" },
	{ "lost, and alive later on the same port", { BEGIN, LOST(60, "c"), { .at = 80, .what = ASK, .cseq = 2 } }, "0-60 1+0" },
	{ "lost, and alive on another port", { BEGIN, LOST(60, "c"), { .at = 80, .what = ASK, .client = "198.51.100.20:58643", .cseq = 2 } }, "0-60 1+1" },
	{ "another port and nobody asked", { BEGIN, { .at = 90, .what = ASK, .client = "198.51.100.20:58643", .cseq = 2 } }, "0-90 0+0" },
	{ "never heard of again", { BEGIN, LOST(60, "c") }, "0-0? 0+0" },
	{ "heard of again too late", { BEGIN, LOST(60, "c"), { .at = 1000, .what = ASK, .cseq = 2 } }, "0-0? 0+0" },
	{ "started anew: another Call-ID", { BEGIN, LOST(60, "c"), { .at = 80, .what = ASK, .id = "new", .cseq = 1 } }, "0-0? 0+0" },
	{ "started anew on another port", { BEGIN, LOST(60, "c"), { .at = 80, .what = ASK, .client = "198.51.100.20:58643", .id = "new", .cseq = 1 } }, "0-0? 0+0" },
	{ "two transmissions are too few", { BEGIN, { .at = 60, .what = REQUEST, .id = "c", .cseq = 7 }, { .at = 60.5, .what = REQUEST, .id = "c", .cseq = 7 }, { .at = 80, .what = ASK, .cseq = 2 } }, "0-0? 0+0" },
	{ "refused once is enough", { BEGIN, { .at = 60, .what = REQUEST, .id = "c", .cseq = 7 }, { .at = 60, .what = REFUSED }, { .at = 80, .what = ASK, .cseq = 2 } }, "0-60 1+0" },
	{ "a short silence: something else is wrong", { BEGIN, LOST(10, "c"), { .at = 30, .what = ASK, .cseq = 2 } }, "0-0? 0+0" },
	{ "no NAT in between", { { .at = 0, .what = ASK, .cseq = 1, .inner = "198.51.100.20" }, { .at = 0, .what = ACCEPTED, .cseq = 1, .inner = "198.51.100.20" }, LOST(60, "c"),
				 { .at = 80, .what = ASK, .cseq = 2, .inner = "198.51.100.20" } }, "0-0? 1+0" },
	{ "the bracket narrows", { BEGIN, { .at = 60, .what = REQUEST, .id = "c", .cseq = 7 }, { .at = 60.1, .what = ANSWER, .id = "c", .cseq = 7 }, LOST(135, "d"),
				   { .at = 150, .what = ASK, .client = "198.51.100.20:58643", .cseq = 2 } }, "60-75 1+1" },
	{ "contradicted: alive after a longer silence", { BEGIN, LOST(60, "c"), { .at = 80, .what = ASK, .cseq = 2 }, { .at = 180, .what = REQUEST, .id = "d", .cseq = 7 },
							  { .at = 180.1, .what = ANSWER, .id = "d", .cseq = 7 } }, "100-60? 1+0" },
	{ "keepalives are traffic", { BEGIN, { .at = 25, .what = KEEPALIVE }, { .at = 50, .what = KEEPALIVE }, { .at = 60, .what = REQUEST, .id = "c", .cseq = 7 }, { .at = 60.1, .what = ANSWER, .id = "c", .cseq = 7 } },
	  "10-0? 0+0" },
	{ "never answered: the class that nobody counts", { { .at = 0, .what = ASK, .cseq = 1 }, { .at = 60, .what = REQUEST, .id = "c", .cseq = 7 }, { .at = 60.1, .what = ANSWER, .id = "c", .cseq = 7 } },
	  "0-0? 0+0" },
};

static void lives(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const char *found = play(cases[i].steps);

		if (strcmp(found, cases[i].expected) != 0)
			fail_msg("%s: %s, not %s", cases[i].name, found, cases[i].expected);
	}
}

static void silences(void **state)
{
	static const struct step steps[] = { BEGIN, { .at = 40, .what = KEEPALIVE }, { .at = 160, .what = ASK, .cseq = 2 }, { .at = 160.2, .what = KEEPALIVE }, { .at = 190, .what = KEEPALIVE }, { .at = 0, .what = END } };
	struct sip_bindings *b = sip_bindings_new(&config);
	const struct sip_binding *x;

	(void)state;
	for (const struct step *s = steps; s->what != END; s++)
		play_step(b, s);
	x = LIST_ENTRY(sip_bindings_in_order(b)->head.next, struct sip_binding, in_order);
	assert_int_equal(x->gap_max_ns, 120 * SECOND_NS);
	assert_int_equal(x->gaps, 3);
	assert_int_equal(x->keepalives, 3);
	assert_int_equal(x->expires_s, 300);
	assert_string_equal(x->user, "102");
	assert_true(x->translated);
	sip_bindings_free(b);
}

/* A device that changes its port all the time is no sign of a restart; three that do it once are. */
static void restarts(void **state)
{
	struct sip_bindings *b = sip_bindings_new(&config);
	struct address router = address_of("198.51.100.20");
	char client[32], id[16];

	(void)state;
	for (unsigned i = 0; i < 12; i++) {
		unsigned device = i < 8 ? i % 4 : 3, cseq = 1 + i / 4;

		snprintf(client, sizeof client, "198.51.100.20:%u", 20000 + i);
		snprintf(id, sizeof id, "dev%u", device);
		play_step(b, &(struct step){ i < 4 ? i : 60 + i, ASK, client, id, i < 8 ? cseq : i, NULL, NULL });
	}
	assert_int_equal(binding_nat_changes(sip_bindings_nat(b, &router), 66 * SECOND_NS, 120 * SECOND_NS), 3);
	assert_int_equal(binding_nat_changes(sip_bindings_nat(b, &router), 600 * SECOND_NS, 120 * SECOND_NS), 0);
	sip_bindings_free(b);
}

/* A flood of registrations displaces itself, not the phones that are registered. */
static void bounds(void **state)
{
	struct sip_bindings_config small = config;
	struct endpoint phone = endpoint_of("198.51.100.20:20295"), registrar = endpoint_of(server);
	struct sip_bindings *b;
	char client[32], id[16];

	(void)state;
	small.max = 16;
	b = sip_bindings_new(&small);
	play_step(b, &(struct step){ .at = 0, .what = ASK, .cseq = 1 });
	play_step(b, &(struct step){ .at = 0, .what = ACCEPTED, .cseq = 1 });
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(client, sizeof client, "192.0.2.%u:%u", i % 250, 5000 + i);
		snprintf(id, sizeof id, "f%u", i / 3);
		play_step(b, &(struct step){ 1 + i, ASK, client, id, i, NULL, NULL });
	}
	assert_int_equal(sip_bindings_in_order(b)->count, 16);
	assert_non_null(sip_bindings_find(b, &phone, &registrar));
	sip_bindings_free(b);
}

static void seen(void **state)
{
	static const struct step steps[] = { BEGIN, LOST(60, "c"), { .at = 80, .what = ASK, .cseq = 2 }, { .at = 0, .what = END } };
	struct sip_bindings *b = sip_bindings_new(&config);
	const struct sip_binding *x;

	(void)state;
	for (const struct step *s = steps; s->what != END; s++)
		play_step(b, s);
	x = LIST_ENTRY(sip_bindings_in_order(b)->head.next, struct sip_binding, in_order);
	assert_int_equal(x->death_count, 1);
	assert_true(sip_binding_saw(x, x->deaths[0].probe.key));
	assert_false(sip_binding_saw(x, x->deaths[0].probe.key + 1));
	assert_int_equal(x->deaths[0].probe.transmissions, 5);
	assert_int_equal(x->deaths[0].probe.call, sip_binding_call(span_of("c")));
	sip_bindings_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lives), cmocka_unit_test(silences), cmocka_unit_test(restarts), cmocka_unit_test(bounds), cmocka_unit_test(seen),
	};

	sip_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
