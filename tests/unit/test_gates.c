/* SPDX-License-Identifier: MIT */
/*
 * test_gates: what a capture cannot show, scene by scene: all gates of each are compared, so that none fires where
 * another one should.
 */
#include "analyzer/detect/gates.h"

#include "tests/unit/world.h"

enum { CALLS = 6, ROWS = 8, FLOWS = 6, REPORTS = 2 };

struct ask { const char *src, *dst; };

static const struct scene {
	const char *name;
	struct dialogue calls[CALLS];
	struct row rows[ROWS];
	struct rtp_flow flows[FLOWS];
	struct report reports[REPORTS];
	struct ask one_sided;        /* are packets of src to dst missing? */
	const char *filter;
	uint64_t drops, tcp_gaps, back;
	const char *gates;           /* as gates_text() has it */
} scenes[] = {
#define N(id) .call = id
#define TALKS(ssrc) { "10.0.0.1:4000", "10.0.0.2:5000", 1.1, 31, ssrc }
#define HEARD(ssrc) { "10.0.0.2:5000", "10.0.0.1:4000", 1.1, 31, ssrc }
	/* ---- G2: no media ---- */
	{ "a healthy call", .calls = { { N("c1") } }, .flows = { TALKS(1), HEARD(2) }, .gates = "" },
	{ "no packet of any call", .calls = { { N("c1") } }, .gates = "G2 unknown/1 " },
	{ "one way is media", .calls = { { N("c1") } }, .flows = { TALKS(1) }, .gates = "" },
	{ "4.9 s are too short to tell", .calls = { { N("c1"), .bye = 5.9 } }, .gates = "" },
	{ "5.1 s are not", .calls = { { N("c1"), .bye = 6.1 } }, .gates = "G2 unknown/1 " },
	{ "one of two calls has media", .calls = { { N("c1") },
	  { N("c2"), .offer = "v1 10.0.0.1:4002", .answer = "v1 10.0.0.2:5002" } },
	  .flows = { TALKS(1) }, .gates = "" },
	{ "RTP of a stranger to the media address", .calls = { { N("c1") } },
	  .flows = { { "203.0.113.9:700", "10.0.0.2:7000", 9, 15, 5 } },
	  .gates = "" },
	{ "a filter of SIP alone", .calls = { { N("c1") } }, .filter = "udp port 5060", .gates = "G2 sip-filter/1 " },
	{ "a filter that lets everything in", .calls = { { N("c1") } }, .filter = "udp", .gates = "G2 unknown/1 " },
	{ "a filter on one interface, media on the other", .calls = { { N("c1") } }, .flows = { TALKS(1), HEARD(2) },
	  .filter = "port 5060",
	  .gates = "" },
	{ "nothing but SIP", .calls = { { N("c1") }, { N("c2"), .invite = 2 }, { N("c3"), .invite = 3 },
	  { N("c4"), .invite = 4 } },
	  .gates = "G2 sip-filter/4 " },
	{ "a proxy carries the signalling alone", .calls = { { N("c0"), .bye = 1.5 } }, .rows = {
	  { .s = 2, .dst = P, .sdp = "v1" }, { .s = 2.01, .src = P, .vias = 2, .via_host = P, .sdp = "v1" },
	  { .s = 3, .dst = P, .status = 200, .to = "t", .vias = 2, .via_host = P, .sdp = "v1 10.0.0.2:5000" },
	  { .s = 3.01, .src = P, .status = 200, .to = "t", .sdp = "v1 10.0.0.2:5000" },
	  { .s = 3.1, .dst = P, .method = "ACK", .to = "t" },
	  { .s = 30, .dst = P, .method = "BYE", .to = "t", .cseq = 2 } }, .gates = "G2 media-bypass/1 " },
#define RELAYED(id, port) { N(id), .offer = "v1 10.0.0.1:40" port, .answer = "v1 10.0.7.9:50" port }
	{ "three calls of a relay that never appears", .calls = { { N("c1") }, RELAYED("c2", "02"), RELAYED("c3", "04"),
	  RELAYED("c4", "06") },
	  .flows = { TALKS(1), HEARD(2) }, .gates = "silent 10.0.7.9/3 " },
	{ "two are none", .calls = { { N("c1") }, RELAYED("c2", "02"), RELAYED("c3", "04") },
	  .flows = { TALKS(1), HEARD(2) }, .gates = "" },
	{ "the relay sends something else", .calls = { { N("c1") }, RELAYED("c2", "02"), RELAYED("c3", "04"),
	  RELAYED("c4", "06") },
	  .rows = { { 4, "10.0.7.9:5060", A, "OPTIONS", .call = "o", .via_host = "10.0.7.9" } },
	  .flows = { TALKS(1), HEARD(2) }, .gates = "" },

	/* ---- G1: one direction only; the missing one is asked for ---- */
#define ALONE(to) { "10.0.0.1:4000", "10.0.9.9:5000", 1, to, 7 }
#define MISSING .one_sided = { "10.0.9.9:1", "10.0.0.1:1" }
	{ "600 packets and none back", .flows = { ALONE(13) }, MISSING, .gates = "G1 " },
	{ "the other way round nothing is missing", .flows = { ALONE(13) }, .one_sided = { "10.0.0.1:1", "10.0.9.9:1" },
	  .gates = "" },
	{ "9 s are too short", .flows = { ALONE(10) }, MISSING, .gates = "" },
	{ "19 packets are too few", .flows = { { "10.0.0.1:4000", "10.0.9.9:5000", 1, 20, 7, .every_ms = 1000 } },
	  MISSING, .gates = "" },
	{ "one back is enough", .flows = { ALONE(13), { "10.0.9.9:5000", "10.0.0.1:4000", 5, 5.01, 8 } }, MISSING,
	  .gates = "" },
	{ "a witness: another host is heard", .flows = { ALONE(13), { "10.0.8.8:5000", "10.0.0.1:4002", 5, 9, 8 } },
	  MISSING, .gates = "" },
	{ "a witness two minutes later is none", .flows = { ALONE(13),
	  { "10.0.8.8:5000", "10.0.0.1:4002", 150, 160, 8 } }, MISSING, .gates = "G1 " },
#define UNSEEN_200(t, id) { .s = t, .call = id }, { .s = t + 1, .method = "ACK", .call = id, .to = "t" }
	{ "two ACKs of answers that are not here, whatever a witness says",
	  .rows = { UNSEEN_200(1, "c1"), UNSEEN_200(2, "c2") },
	  .flows = { { "10.0.8.8:5000", "10.0.0.1:4002", 1, 9, 8 } }, .one_sided = { B, A }, .gates = "G1 " },
	{ "one such ACK proves nothing", .rows = { UNSEEN_200(1, "c1") }, .one_sided = { B, A }, .gates = "" },
	{ "requests inside dialogs that nobody saw begin",
	  .rows = { { 1, A, B, "INFO", .call = "c1", .to = "t", .cseq = 5 },
	  { 2, A, B, "INFO", .call = "c2", .to = "t", .cseq = 5 } }, .one_sided = { B, A }, .gates = "G1 " },
	{ "such requests are answered", .rows = { { 1, A, B, "INFO", .call = "c1", .to = "t", .cseq = 5 },
	  { 2, A, B, "INFO", .call = "c2", .to = "t", .cseq = 5 },
	  { 3, B, A, "INFO", 200, .call = "c2", .to = "t", .cseq = 5 } },
	  .one_sided = { B, A }, .gates = "" },

#define ELSEWHERE_200(t, id) { .s = t, .call = id }, { .s = t + 0.1, .src = P, .status = 200, .call = id, .to = "t" }, \
	{ .s = t + 1, .method = "ACK", .call = id, .to = "t" }
	{ "the answers come from another host", .rows = { ELSEWHERE_200(1, "c1"), ELSEWHERE_200(2, "c2") },
	  .one_sided = { B, A }, .gates = "" },

	/* ---- G3: elsewhere ---- */
#define AT_PORT(id, host, mine, other) { N(id), .caller = host ":5060", .offer = "v1 " host ":" mine, \
	.answer = "v1 10.0.0.2:" other }
	{ "everything above some port is silent", .calls = { AT_PORT("c1", "10.0.0.11", "30001", "31001"),
	  AT_PORT("c2", "10.0.0.12", "30002", "31002"),
	  AT_PORT("c3", "10.0.0.13", "30003", "31003"), { N("c4") } }, .flows = { TALKS(1), HEARD(2) },
	  .gates = "above 5000 " },
	{ "everything below some port", .calls = { AT_PORT("c1", "10.0.0.11", "2001", "2101"),
	  AT_PORT("c2", "10.0.0.12", "2002", "2102"),
	  AT_PORT("c3", "10.0.0.13", "2003", "2103"), { N("c4") } }, .flows = { TALKS(1), HEARD(2) },
	  .gates = "below 4000 " },
	{ "one of them speaks in between", .calls = { AT_PORT("c1", "10.0.0.11", "30001", "31001"),
	  AT_PORT("c2", "10.0.0.12", "30002", "31002"),
	  AT_PORT("c3", "10.0.0.13", "30003", "31003"), AT_PORT("c5", "10.0.0.15", "30005", "31005"), { N("c4") } },
	  .flows = { TALKS(1), HEARD(2), { "10.0.0.2:31002", "10.0.0.12:30002", 1.1, 31, 3 } }, .gates = "" },
	{ "two calls are too few", .calls = { AT_PORT("c1", "10.0.0.11", "30001", "31001"),
	  AT_PORT("c2", "10.0.0.12", "30002", "31002"), { N("c4") } },
	  .flows = { TALKS(1), HEARD(2) }, .gates = "" },
	{ "three calls of one host may be its own fault", .calls = { AT_PORT("c1", "10.0.0.11", "30001", "31001"),
	  AT_PORT("c2", "10.0.0.11", "30003", "31003"), AT_PORT("c3", "10.0.0.11", "30005", "31005"), { N("c4") } },
	  .flows = { TALKS(1), HEARD(2) }, .gates = "" },
	{ "reports on a stream that never passes", .calls = { { N("c1") } }, .flows = { TALKS(1) },
	  .reports = { { "10.0.0.1:4001", "10.0.0.2:5001", 4, 30, 1, .about = 0xbbbb, .highest = 1140,
	  .highest_step = 100 } }, .gates = "unseen " },
	{ "reports on one that stands still", .calls = { { N("c1") } }, .flows = { TALKS(1) },
	  .reports = { { "10.0.0.1:4001", "10.0.0.2:5001", 4, 30, 1, .about = 0xbbbb, .highest = 1140 } },
	  .gates = "" },
	{ "reports on one that passes", .calls = { { N("c1") } }, .flows = { TALKS(1), HEARD(2) },
	  .reports = { { "10.0.0.1:4001", "10.0.0.2:5001", 4, 30, 1, .about = 2, .highest = 1140,
	  .highest_step = 100 } }, .gates = "" },

	/* ---- G7: the capture lost packets ---- */
#define HOLE(n, from, to) { "10.0.1." #n ":4000", "10.0.2." #n ":5000", 1, 20, n, .hole_from = from, .hole_to = to }
	{ "three streams miss packets at once", .flows = { HOLE(1, 10, 11), HOLE(2, 10.02, 11), HOLE(3, 10.02, 11.5) },
	  .gates = "lost 9.98-11.5/3 " },
	{ "two do", .flows = { HOLE(1, 10, 11), HOLE(2, 10, 11), HOLE(3, 0, 0) }, .gates = "" },
	{ "three, between hosts that missed some before", .flows = { HOLE(1, 15, 16), HOLE(2, 15, 16), HOLE(3, 15, 16),
	  { "10.0.1.1:4002", "10.0.2.1:5002", 1, 20, 4, .hole_from = 5, .hole_to = 6 },
	  { "10.0.1.2:4002", "10.0.2.2:5002", 1, 20, 5, .hole_from = 5, .hole_to = 6 },
	  { "10.0.1.3:4002", "10.0.2.3:5002", 1, 20, 6, .hole_from = 7, .hole_to = 8 } }, .gates = "lost 14.98-16/3 " },
	{ "three, one after the other", .flows = { HOLE(1, 10, 11), HOLE(2, 10.1, 11), HOLE(3, 10.2, 11) },
	  .gates = "" },
	{ "three between the same two hosts", .flows = { { "10.0.1.1:4000", "10.0.2.1:5000", 1, 20, 1, .hole_from = 10,
	  .hole_to = 11 },
	  { "10.0.1.1:4002", "10.0.2.1:5002", 1, 20, 2, .hole_from = 10, .hole_to = 11 },
	  { "10.0.1.1:4004", "10.0.2.1:5004", 1, 20, 3, .hole_from = 10, .hole_to = 11 } }, .gates = "" },
	{ "three, two of them between the same hosts", .flows = { HOLE(1, 10, 11), HOLE(2, 10.02, 11),
	  { "10.0.1.1:4002", "10.0.2.1:5002", 1, 20, 4, .hole_from = 10.04, .hole_to = 11 } }, .gates = "" },
	{ "both of two between the same hosts, and TCP has holes too", .flows = { HOLE(1, 10, 11),
	  { "10.0.1.1:4002", "10.0.2.1:5002", 1, 20, 4, .hole_from = 10, .hole_to = 11 } }, .tcp_gaps = 3,
	  .gates = "" },
	{ "both of two, and TCP has holes too", .flows = { HOLE(1, 10, 11), HOLE(2, 10, 11) }, .tcp_gaps = 3,
	  .gates = "lost 9.98-11/2 " },
	{ "both of two, TCP has none", .flows = { HOLE(1, 10, 11), HOLE(2, 10, 11) }, .gates = "" },
	{ "two of three, and TCP has holes too", .flows = { HOLE(1, 10, 11), HOLE(2, 10, 11), HOLE(3, 0, 0) },
	  .tcp_gaps = 3, .gates = "" },
	{ "the interface counted drops", .calls = { { N("c1") } }, .flows = { TALKS(1), HEARD(2) }, .drops = 4,
	  .gates = "drops " },

	/* ---- G10, G11 ---- */
	{ "time runs backwards", .calls = { { N("c1") } }, .flows = { TALKS(1), HEARD(2) }, .back = 1,
	  .gates = "clock " },
	{ "every second packet of two streams is missing",
	  .flows = { { "10.0.1.1:4000", "10.0.2.1:5000", 1, 20, 1, .lost_of = 2 },
	  { "10.0.1.2:4000", "10.0.2.2:5000", 1, 20, 2, .lost_of = 2 } }, .gates = "member " },
	{ "every third one", .flows = { { "10.0.1.1:4000", "10.0.2.1:5000", 1, 20, 1, .lost_of = 3 },
	  { "10.0.1.2:4000", "10.0.2.2:5000", 1, 20, 2, .lost_of = 3 } }, .gates = "member " },
	{ "every fifth one is plain loss", .flows = { { "10.0.1.1:4000", "10.0.2.1:5000", 1, 20, 1, .lost_of = 5 },
	  { "10.0.1.2:4000", "10.0.2.2:5000", 1, 20, 2, .lost_of = 5 } }, .gates = "" },
	{ "one stream alone may be ill", .flows = { { "10.0.1.1:4000", "10.0.2.1:5000", 1, 20, 1, .lost_of = 2 } },
	  .gates = "" },
};

static void scene_play(struct world *w, const struct scene *s)
{
	world_begin(w);
	for (unsigned i = 0; i < CALLS && s->calls[i].call; i++)
		world_dialogue(w, &s->calls[i]);
	for (unsigned i = 0; i < ROWS && s->rows[i].s > 0; i++)
		world_row(w, &s->rows[i]);
	for (unsigned i = 0; i < FLOWS && s->flows[i].src; i++)
		world_flow(w, &s->flows[i]);
	for (unsigned i = 0; i < REPORTS && s->reports[i].src; i++)
		world_report(w, &s->reports[i]);
	world_play(w);
	engine_interface(w->e, 0, 0, s->filter, 65535, s->drops, 0);
	w->e->capture.tcp_gaps += s->tcp_gaps;
	w->e->capture.timestamps_back += s->back;
	engine_finish(w->e);
}

/* ---- all gates of a capture, as text ---- */

struct said { char text[512]; size_t n; };

__attribute__((format(printf, 2, 3))) static void word(struct said *w, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	w->n += (size_t)vsnprintf(w->text + w->n, sizeof w->text - w->n, format, ap);
	va_end(ap);
	assert_true(w->n < sizeof w->text);
}

static double seconds(int64_t at_ns)
{
	return (double)((at_ns - START_NS + 10 * MILLISECOND_NS) / (20 * MILLISECOND_NS)) / 50;
}

static void media_words(struct said *t, const struct gates *g, const struct facts *f)
{
	struct address silent;
	char text[ADDRESS_TEXT];
	unsigned calls;

	if (gates_no_media(g, &calls))
		word(t, "G2 %s/%u ", gates_no_media_reason(g), calls);
	for (unsigned i = 0; gates_silent_media(g, i, &silent, &calls); i++) {
		word(t, "silent %s/%u ", address_text(&silent, text), calls);
		assert_true(gates_no_media_of(g, f, &silent));
	}
}

static void range_words(struct said *t, const struct gates *g)
{
	bool above;
	uint16_t limit = gates_port_limit(g, &above);

	if (!limit)
		return;
	word(t, "%s %u ", above ? "above" : "below", limit);
	assert_false(gates_port_range(g, limit));
	assert_int_equal(gates_port_range(g, (uint16_t)(limit + 1)), above);
	assert_int_equal(gates_port_range(g, (uint16_t)(limit - 1)), !above);
}

static void loss_words(struct said *t, const struct gates *g)
{
	unsigned count;
	const struct loss_moment *m = gates_loss_moments(g, &count);

	for (unsigned i = 0; i < count; i++) {
		word(t, "lost %g-%g/%u ", seconds(m[i].from_ns), seconds(m[i].to_ns), m[i].streams);
		assert_true(gates_capture_lost(g, m[i].from_ns, m[i].from_ns));
		assert_false(gates_capture_lost(g, m[i].to_ns + SECOND_NS, m[i].to_ns + 2 * SECOND_NS));
	}
	if (gates_drops_counted(g)) {
		word(t, "drops ");
		assert_true(gates_capture_lost(g, 0, 0));
	}
}

static void gates_text(const struct world *w, const struct scene *s, struct said *t)
{
	const struct facts *f = &w->e->facts;
	const struct gates *g = f->gates;
	const struct pair *pair = NULL;
	struct endpoint src, dst;

	media_words(t, g, f);
	if (s->one_sided.src) {
		src = script_endpoint(s->one_sided.src);
		dst = script_endpoint(s->one_sided.dst);
		if (gates_one_sided(g, f, &src.addr, &dst.addr, &pair)) {
			word(t, "G1 ");
			assert_true(address_equal(&pair->src, &dst.addr) && address_equal(&pair->dst, &src.addr));
		}
	}
	range_words(t, g);
	LIST_EACH(it, rtcp_views(f->rtcp)) {
		if (gates_reports_unseen(g, LIST_ENTRY(it, struct rtcp_view, in_order)->by))
			word(t, "unseen ");
	}
	loss_words(t, g);
	word(t, "%s%s", gates_clock_unreliable(g) ? "clock " : "", gates_link_member(g) ? "member " : "");
}

static void gates_of_each_scene(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(scenes); i++) {
		struct said t = { .n = 0 };
		struct world w;

		scene_play(&w, &scenes[i]);
		gates_text(&w, &scenes[i], &t);
		if (strcmp(t.text, scenes[i].gates) != 0) {
			print_error("%s: '%s', not '%s'\n", scenes[i].name, t.text, scenes[i].gates);
			wrong++;
		}
		world_end(&w);
	}
	assert_int_equal(wrong, 0);
}

/* A media address that the capture knows is not silent, however few its calls are. */
static void an_address_that_sends_is_not_silent(void **state)
{
	static const struct { const char *at; bool silent; } asked[] = {
		{ "10.0.7.9:1", true }, { "10.0.0.1:1", false }, { "10.0.0.2:1", false }, { "192.0.2.77:1", false },
	};
	static const struct scene scene = { "relay", .calls = { { N("c1") }, RELAYED("c2", "02"), RELAYED("c3", "04"),
		RELAYED("c4", "06") },
		.flows = { TALKS(1), HEARD(2) } };
	struct world w;

	(void)state;
	scene_play(&w, &scene);
	for (size_t i = 0; i < COUNT_OF(asked); i++) {
		struct endpoint at = script_endpoint(asked[i].at);

		assert_int_equal(gates_no_media_of(w.e->gates, &w.e->facts, &at.addr), asked[i].silent);
	}
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gates_of_each_scene),
		cmocka_unit_test(an_address_that_sends_is_not_silent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
