/* SPDX-License-Identifier: MIT */
/* test_views: the pictures that the ui gets, of small captures whose truth is known. */
#include "analyzer/views.h"

#include "tests/unit/world.h"

static bool near_to(double a, double b)
{
	return a - b < 1e-3 && b - a < 1e-3;
}

static const struct rtp_flow caller_talks = { "10.0.0.1:4000", "10.0.0.2:5000", 1.1, 31, 0xa };
static const struct rtp_flow callee_talks = { "10.0.0.2:5000", "10.0.0.1:4000", 1.1, 31, 0xb };
static const struct dialogue plain = { .call = "c1" };

/* One call in which the callee hears the caller, and the caller nobody. */
static void one_way(struct world *w)
{
	world_begin(w);
	world_dialogue(w, &plain);
	world_flow(w, &caller_talks);
	world_play(w);
	engine_finish(w->e);
}

/* ---- calls ---- */

#define NONE -1e9                    /* it never happened */

static const struct {
	const char *name;
	struct row rows[8];
	const char *state;
	unsigned status;
	double answer, end, pdd_ms, setup_ms;
	const char *note;            /* the first; NULL none */
} calls[] = {
	{ "answered and ended", { { .s = 1, .sdp = "v1" }, { .s = 1.25, .status = 180, .to = "t" },
	  { .s = 3, .status = 200, .to = "t", .sdp = "v1 10.0.0.2:5000" },
	  { .s = 3.1, .method = "ACK", .to = "t" }, { .s = 9, .method = "BYE", .to = "t", .cseq = 2 },
	  { .s = 9.1, .method = "BYE", .status = 200, .to = "t", .cseq = 2 } }, "ended", 200, 3, 9, 250, 2000, NULL },
	{ "still up", { { .s = 1, .sdp = "v1" }, { .s = 3, .status = 200, .to = "t", .sdp = "v1 10.0.0.2:5000" },
	  { .s = 3.1, .method = "ACK", .to = "t" } },
	  "answered", 200, 3, NONE, -1, 2000, "undecided at end of capture" },
	{ "busy", { { .s = 1 }, { .s = 1.5, .status = 486, .to = "t" }, { .s = 1.6, .method = "ACK", .to = "t" } },
	  "busy", 486, NONE, 1.5, -1, -1, NULL },
	{ "rings", { { .s = 1 }, { .s = 1.5, .status = 180, .to = "t" } }, "ringing", 0, NONE, NONE, 500, -1, NULL },
	{ "begins before the capture", { { .s = 1, .method = "BYE", .to = "t", .cseq = 4 },
	  { .s = 1.1, .method = "BYE", .status = 200, .to = "t", .cseq = 4 } }, "ended", 0, NONE, 1, -1, -1,
	  "partial: it began before the capture" },
};

static bool at_or_never(int64_t at_ns, double s)
{
	int64_t wanted = s <= NONE ? NS_NONE : at_s(s);

	return wanted == NS_NONE ? at_ns == NS_NONE : at_ns - wanted < MILLISECOND_NS &&
	       wanted - at_ns < MILLISECOND_NS;
}

static void a_call_tells_its_times(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(calls); i++) {
		struct view_call v;
		struct world w;

		world_begin(&w);
		for (unsigned k = 0; k < 8 && calls[i].rows[k].s > 0; k++)
			world_row(&w, &calls[i].rows[k]);
		world_play(&w);
		engine_finish(w.e);
		assert_true(view_call(w.e, 0, &v));
		if (strcmp(v.state, calls[i].state) != 0 || v.status != calls[i].status ||
		    !at_or_never(v.answer_ns, calls[i].answer) ||
		    !at_or_never(v.end_ns, calls[i].end) || !near_to(v.pdd_ms / 1000, calls[i].pdd_ms / 1000) ||
		    !near_to(v.setup_ms / 1000, calls[i].setup_ms / 1000) ||
		    strcmp(v.note_count ? v.notes[0] : "-", or(calls[i].note, "-")) != 0) {
			print_error("%s: %s %u, pdd %g, setup %g, end %g, %s\n", calls[i].name, v.state, v.status,
				v.pdd_ms, v.setup_ms,
				    v.end_ns == NS_NONE ? NONE : (double)(v.end_ns - START_NS) / 1e9,
				    v.note_count ? v.notes[0] : "-");
			wrong++;
		}
		assert_false(view_call(w.e, 1, &v));
		world_end(&w);
	}
	assert_int_equal(wrong, 0);
}

static void a_call_tells_who_hears_whom(void **state)
{
	struct view_call v;
	struct world w;

	(void)state;
	one_way(&w);
	assert_true(view_call(w.e, 0, &v));
	assert_int_equal(v.n, 1);
	assert_true(says(v.from, "1001") && says(v.to, "1002"));
	assert_int_equal(v.caller_hears, HEARD_NO);
	assert_int_equal(v.callee_hears, HEARD_YES);
	assert_true(v.callee_mos > 4 && v.caller_mos < 0);
	assert_int_equal(v.media_count, 2);
	for (unsigned i = 0; i < 2; i++) {
		const struct view_direction *d = &v.media[i];
		struct endpoint from = script_endpoint(i ? "10.0.0.2:5000" : "10.0.0.1:4000"),
			to = script_endpoint(i ? "10.0.0.1:4000" : "10.0.0.2:5000");

		assert_int_equal(d->sender, i);
		assert_string_equal(d->kind, "audio");
		assert_true(endpoint_equal(&d->from, &from) && endpoint_equal(&d->to, &to));
		assert_true(d->expected);
		assert_true(near_to(d->due_ms / 1000, 30));
		assert_int_equal(d->packets, i ? 0 : 1495);
		assert_int_equal(d->stream_count, i ? 0 : 1);
	}
	assert_string_equal(v.media[0].bound_by, "B1");
	assert_string_equal(v.media[0].codec, "PCMA");
	assert_true(near_to(v.media[0].loss_percent, 0));
	assert_null(v.media[1].bound_by);
	assert_true(v.media[1].loss_percent < 0 && v.media[1].mos < 0);
	world_end(&w);
}

static void joined_legs_are_one_call(void **state)
{
	static const struct dialogue legs[] = {
		{ .call = "call-1", .callee = P, .answer = "v1 10.0.0.5:6000" },
		{ .call = "c2", .caller = P, .offer = "v1 10.0.0.5:6002", .invite = 0.2, .answered = 0.9, .bye = 30.9,
		  .extra = "X-CID: call-1\r\n" },
	};
	struct view_call v;
	struct world w;

	(void)state;
	world_begin(&w);
	world_dialogue(&w, &legs[0]);
	world_dialogue(&w, &legs[1]);
	world_play(&w);
	engine_finish(w.e);
	assert_true(view_call(w.e, 0, &v));
	assert_int_equal(v.leg_count, 2);
	assert_int_equal(v.call_id_count, 2);
	assert_null(v.legs[0].joined_by);
	assert_non_null(v.legs[1].joined_by);
	assert_true(v.legs[1].score >= 80);
	assert_int_equal(v.media_count, 4);
	assert_int_equal(v.media[3].leg, 1);
	assert_false(view_call(w.e, 1, &v));
	world_end(&w);
}

/* ---- findings ---- */

static void a_finding_and_its_call_name_each_other(void **state)
{
	struct view_finding f;
	struct view_call c;
	struct view_end end;
	struct world w;

	(void)state;
	one_way(&w);
	assert_true(view_finding_of(&w, "one-way-audio", &f));
	assert_true(view_call(w.e, 0, &c));
	assert_int_equal(f.call_id_count, 1);
	assert_int_equal(f.call_numbers[0], c.n);
	assert_true(says(f.call_ids[0], "c1"));
	assert_true(c.finding_count >= 1);
	assert_int_equal(c.findings[0], f.n);
	assert_true(f.evidence_count >= 1 && f.evidence[0].frame > 0);
	assert_true(f.title && f.cause && f.fix);
	view_end(w.e, &end);
	assert_int_equal(end.calls, 1);
	assert_int_equal(end.answered, 1);
	assert_int_equal(end.streams, 1);
	assert_int_equal(end.critical, 0);
	assert_int_equal(end.error, 1);
	assert_int_equal(end.exit, 1);
	world_end(&w);
}

/* A refusal by ICMP explains the silence: both are shown, one is counted. */
static void what_is_explained_is_not_counted(void **state)
{
	static const struct quote refused = { "10.0.0.2:1", "10.0.0.1:1", 2, 20, "10.0.0.1:4000", "10.0.0.2:5000" };
	unsigned above_info = 0, explained = 0;
	struct view_finding f;
	struct view_end end;
	struct world w;

	(void)state;
	world_begin(&w);
	world_dialogue(&w, &plain);
	world_flow(&w, &caller_talks);
	world_flow(&w, &callee_talks);
	world_quote(&w, &refused);
	world_play(&w);
	engine_finish(w.e);
	for (size_t i = 0; view_finding(w.e, i, &f); i++) {
		struct view_finding root;

		assert_int_equal(f.n, i + 1);
		above_info += strcmp(f.severity, "info") != 0 && !f.explained_by && strcmp(f.state, "withdrawn") != 0;
		if (!f.explained_by)
			continue;
		explained++;
		assert_true(view_finding(w.e, f.explained_by - 1, &root));
		assert_int_equal(root.chain[0], f.n);
	}
	view_end(w.e, &end);
	assert_true(explained > 0);
	assert_int_equal(end.critical + end.error + end.warning, above_info);
	world_end(&w);
}

/* ---- incidents ---- */

enum { CROWD = 70, HEALTHY = 3 };    /* more than a view lists */

static void an_incident_counts_the_calls_it_cannot_list(void **state)
{
	static struct { char id[16], offer[32], answer[32], src[32], dst[32]; struct rtp_flow flow[2];
		} crowd[CROWD + HEALTHY];
	struct view_incident v;
	struct world w;

	(void)state;
	world_begin(&w);
	for (unsigned i = 0; i < CROWD + HEALTHY; i++) {
		double t = 0.1 * i;
		struct dialogue d = { .call = crowd[i].id, .offer = crowd[i].offer, .answer = crowd[i].answer,
			.invite = t, .bye = t + 9 };

		snprintf(crowd[i].id, sizeof crowd[i].id, "crowd%u", i);
		snprintf(crowd[i].offer, sizeof crowd[i].offer, "v1 10.0.0.1:%u", 4000 + 2 * i);
		snprintf(crowd[i].answer, sizeof crowd[i].answer, "v1 10.0.0.2:%u", 5000 + 2 * i);
		snprintf(crowd[i].src, sizeof crowd[i].src, "10.0.0.1:%u", 4000 + 2 * i);
		snprintf(crowd[i].dst, sizeof crowd[i].dst, "10.0.0.2:%u", 5000 + 2 * i);
		crowd[i].flow[0] = (struct rtp_flow){ crowd[i].src, crowd[i].dst, t + 1.1, t + 9, 1000 + i };
		crowd[i].flow[1] = (struct rtp_flow){ crowd[i].dst, crowd[i].src, t + 1.1, t + 9, 2000 + i };
		world_dialogue(&w, &d);
		world_flow(&w, &crowd[i].flow[0]);
		if (i >= CROWD)
			world_flow(&w, &crowd[i].flow[1]);
	}
	world_play(&w);
	engine_finish(w.e);
	assert_true(view_incident(w.e, 0, &v));
	assert_int_equal(v.call_count, 64);
	assert_int_equal(v.calls_total, CROWD);
	assert_int_equal(v.finding_count, 64);
	assert_string_equal(v.healthy, "3 other calls of this capture do not have it");
	assert_false(view_incident(w.e, 1, &v));
	world_end(&w);
}

/* ---- streams ---- */

static void a_stream_tells_what_was_seen(void **state)
{
	static const struct rtp_flow lossy = { "10.0.0.2:5000", "10.0.0.1:4000", 1.1, 31, 0xb, .lost_of = 10 };
	struct endpoint src = script_endpoint("10.0.0.2:5000");
	uint32_t packets = 0, lost = 0;
	struct view_stream v;
	struct world w;

	(void)state;
	world_begin(&w);
	world_dialogue(&w, &plain);
	world_flow(&w, &lossy);
	world_play(&w);
	engine_finish(w.e);
	assert_true(view_stream(w.e, 0, &v));
	assert_int_equal(v.n, 1);
	assert_int_equal(v.call, 1);
	assert_true(endpoint_equal(&v.src, &src));
	assert_int_equal(v.ssrc, 0xb);
	assert_int_equal(v.pts[0], 8);
	assert_true(says(v.codec, "PCMA"));
	assert_int_equal(v.clock_hz, 8000);
	assert_int_equal(v.packets, 1346);
	assert_int_equal(v.lost, 149);
	assert_int_equal(v.loss_runs[0], 149);
	assert_true(v.mos > 1 && v.mos < 4);
	for (unsigned i = 0; i < v.interval_count; i++) {
		packets += v.intervals[i].packets;
		lost += v.intervals[i].lost;
	}
	assert_int_equal(v.interval_count, 6);
	assert_int_equal(packets, 1346);
	assert_int_equal(lost, 149);
	assert_false(view_stream(w.e, 1, &v));
	world_end(&w);
}

/* ---- the ladder ---- */

static void the_ladder_is_in_order_of_time(void **state)
{
	static const struct { const char *method; unsigned status, leg; bool sdp, again; } rungs[] = {
		{ "INVITE", 0, 0, true, false }, { "INVITE", 0, 0, true, true }, { "INVITE", 0, 1, true, false },
		  { "INVITE", 200, 1, true, false },
		{ "INVITE", 200, 0, true, false }, { "ACK", 0, 0, false, false }, { "ACK", 0, 1, false, false },
	};
	static const struct row rows[] = {
		{ .s = 1, .call = "call-1", .dst = P, .sdp = "v1 10.0.0.1:4000 sendonly" },
		  { .s = 1.5, .call = "call-1", .dst = P, .sdp = "v1 10.0.0.1:4000 sendonly" },
		{ .s = 1.6, .call = "c2", .src = P, .via_host = P, .extra = "X-CID: call-1\r\n",
		  .sdp = "v1 10.0.0.5:6002" },
		{ .s = 2, .call = "c2", .dst = P, .status = 200, .to = "t", .via_host = P, .sdp = "v1 10.0.0.2:5000" },
		{ .s = 2.01, .call = "call-1", .src = P, .status = 200, .to = "t", .sdp = "v1 10.0.0.5:6000" },
		{ .s = 2.1, .call = "call-1", .dst = P, .method = "ACK", .to = "t" },
		{ .s = 2.11, .call = "c2", .src = P, .method = "ACK", .to = "t", .via_host = P },
	};
	struct view_message v;
	struct world w;

	(void)state;
	world_begin(&w);
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		world_row(&w, &rows[i]);
	world_play(&w);
	engine_finish(w.e);
	for (size_t i = 0; i < COUNT_OF(rungs); i++) {
		assert_true(view_message(w.e, 0, i, &v));
		assert_true(says(v.method, rungs[i].method));
		assert_int_equal(v.status, rungs[i].status);
		assert_int_equal(v.leg, rungs[i].leg);
		assert_int_equal(v.sdp, rungs[i].sdp);
		assert_int_equal(v.retransmission, rungs[i].again);
		assert_int_equal(v.frame, i + 1);
		assert_true(v.raw.n > 0);
	}
	assert_false(view_message(w.e, 0, COUNT_OF(rungs), &v));
	assert_false(view_message(w.e, 1, 0, &v));
	assert_true(view_message(w.e, 0, 0, &v));
	assert_string_equal(v.sdp_text, "audio PCMA,PCMU 10.0.0.1:4000 sendonly");
	world_end(&w);
}

static void each_call_has_its_own_ladder(void **state)
{
	static const struct dialogue two = { .call = "c2", .offer = "v1 10.0.0.1:4002", .answer = "v1 10.0.0.2:5002",
		.invite = 40, .bye = -1 };
	static const struct { unsigned call, rungs; } ladders[] = { { 0, 6 }, { 1, 4 }, { 0, 6 } };
	struct view_message v;
	struct world w;

	(void)state;
	world_begin(&w);
	world_dialogue(&w, &plain);
	world_dialogue(&w, &two);
	world_play(&w);
	engine_finish(w.e);
	for (size_t i = 0; i < COUNT_OF(ladders); i++) {
		assert_true(view_message(w.e, ladders[i].call, ladders[i].rungs - 1, &v));
		assert_false(view_message(w.e, ladders[i].call, ladders[i].rungs, &v));
	}
	world_end(&w);
}

/* What a stranger writes into SDP does not reach the terminal as it is, nor past the room that there is. */
static void the_ladders_sdp_is_safe(void **state)
{
	static char body[2000];
	struct view_message v;
	struct world w;
	size_t n;

	(void)state;
	n = (size_t)snprintf(body, sizeof body,
		"v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n");
	for (unsigned i = 0; i < 12; i++)
		n += (size_t)snprintf(body + n, sizeof body - n,
				      "m=audio %u RTP/AVP 96 97 98\r\na=rtpmap:96 a\033[2J\033[31mevil\302\233x/8000\r\na=rtpmap:97 abcdefghijklmnopqrstuvwxyz0123456789/8000\r\n",
				      4000 + 2 * i);
	world_begin(&w);
	WORLD_ROW(&w, 1, .sdp = body);
	world_play(&w);
	engine_finish(w.e);
	assert_true(view_message(w.e, 0, 0, &v));
	assert_true(strlen(v.sdp_text) < 208);
	for (const char *c = v.sdp_text; *c; c++)
		assert_true((unsigned char)*c >= ' ' && (unsigned char)*c < 0x7f);
	world_end(&w);
}

/* ---- peers ---- */

static void peers_are_counted(void **state)
{
	static const struct { double ring; unsigned status; } attempts[] = {
		{ 0.1, 200 }, { 0.4, 200 }, { 0.2, 486 }, { 0.3, 503 }, { 0, 404 }, { 0, 486 },
	};
	static char ids[COUNT_OF(attempts)][8];
	struct endpoint callee = script_endpoint(B);
	struct view_peer v;
	struct world w;

	(void)state;
	world_begin(&w);
	for (size_t i = 0; i < COUNT_OF(attempts); i++) {
		double t = 1 + 10 * (double)i;

		snprintf(ids[i], sizeof ids[i], "p%zu", i);
		WORLD_ROW(&w, t, .call = ids[i]);
		if (attempts[i].ring > 0)
			WORLD_ROW(&w, t + attempts[i].ring, .status = 180, .call = ids[i], .to = "t");
		WORLD_ROW(&w, t + 2, .status = attempts[i].status, .call = ids[i], .to = "t");
		WORLD_ROW(&w, t + 2.1, .method = "ACK", .call = ids[i], .to = "t");
	}
	world_play(&w);
	engine_finish(w.e);
	assert_true(view_peer(w.e, 0, &v));
	assert_true(address_equal(&v.at.addr, &callee.addr));
	assert_int_equal(v.attempts, 6);
	assert_int_equal(v.answered, 2);
	assert_true(near_to(v.asr, 2.0 / 6));
	assert_true(near_to(v.ner, 4.0 / 6));
	assert_true(near_to(v.pdd_p50_ms / 1000, 0.2) && near_to(v.pdd_p95_ms / 1000, 0.3));
	assert_int_equal(v.response_count, 3);
	for (unsigned i = 0; i < 3; i++) {
		static const unsigned statuses[] = { 404, 486, 503 }, counts[] = { 1, 2, 1 };

		assert_int_equal(v.responses[i].status, statuses[i]);
		assert_int_equal(v.responses[i].count, counts[i]);
	}
	assert_true(v.loss_percent < 0);
	assert_true(v.calls_too_few);
	assert_false(view_peer(w.e, 1, &v));
	world_end(&w);
}

/* ---- registrations, hosts, the map of addresses ---- */

static void a_registration_is_shown(void **state)
{
	struct endpoint source = script_endpoint(A);
	struct view_registration v;
	struct world w;

	(void)state;
	world_begin(&w);
	WORLD_ROW(&w, 1, .method = "REGISTER", .call = "r", .to_user = "1001",
	  .extra = "Expires: 120\r\nUser-Agent: Phone 1\r\n");
	WORLD_ROW(&w, 1.1, .method = "REGISTER", .status = 200, .call = "r", .to = "x", .to_user = "1001",
	  .contact = "1001@10.0.0.1:5060", .extra = "Expires: 120\r\n");
	world_play(&w);
	engine_finish(w.e);
	assert_true(view_registration(w.e, 0, &v));
	assert_true(endpoint_equal(&v.source, &source));
	assert_string_equal(v.state, "registered");
	assert_int_equal(v.status, 200);
	assert_true(v.has_expires);
	assert_int_equal(v.expires_s, 120);
	assert_true(says(v.device, "Phone 1"));
	assert_false(view_registration(w.e, 1, &v));
	world_end(&w);
}

static void hosts_of_telephony_are_shown_and_no_others(void **state)
{
	static const char *const wanted[] = { "10.0.0.1:1", "10.0.0.2:1" };
	unsigned found = 0, all = 0;
	struct view_host v;
	struct world w;

	(void)state;
	world_begin(&w);
	world_dialogue(&w, &plain);
	world_flow(&w, &caller_talks);
	world_play(&w);
	for (unsigned i = 0; i < 30; i++) {
		const struct planned x = { .at_ns = at_s(32) + i };
		struct packet p = world_packet(&w, &x, "172.16.0.1:53", "172.16.0.2:53", 0);

		p.kind = PACKET_OTHER;
		engine_packet(w.e, &p);
	}
	engine_finish(w.e);
	for (; view_host(w.e, all, &v); all++) {
		for (size_t i = 0; i < COUNT_OF(wanted); i++) {
			struct endpoint at = script_endpoint(wanted[i]);

			found += address_equal(&v.addr, &at.addr);
		}
	}
	assert_int_equal(all, 2);
	assert_int_equal(found, 2);
	world_end(&w);
}

/* ---- the capture ---- */

static void a_capture_says_what_it_cannot_prove(void **state)
{
	struct view_capture v;
	bool said = false;
	struct world w;

	(void)state;
	world_begin(&w);
	world_dialogue(&w, &plain);
	world_play(&w);
	engine_interface(w.e, 0, 0, "port 5060", 65535, 0, 0);
	engine_finish(w.e);
	view_capture(w.e, &v);
	assert_int_equal(v.frames, 6);
	assert_int_equal(v.sip, 6);
	assert_int_equal(v.rtp, 0);
	assert_int_equal(v.first_ns, at_s(0));
	for (unsigned i = 0; i < v.cannot_prove_count; i++)
		said |= strstr(v.cannot_prove[i], "no media") != NULL;
	assert_true(said);
	assert_true(v.withheld_count > 0);
	for (size_t i = 0; i < v.withheld_count; i++)
		assert_true(v.withheld[i].gate[0] == 'G' && v.withheld[i].id);
	assert_true(v.note_count > 0);
	assert_string_equal(v.notes[v.note_count - 1], "captured with the filter: port 5060");
	assert_non_null(v.vantage_kind);
	assert_true(v.seen_from[0] && v.can_show[0]);
	world_end(&w);
}

static void what_is_no_telephony_is_named(void **state)
{
	static const struct { uint8_t protocol; enum packet_transport transport; const char *dst; unsigned packets;
		const char *name; } others[] = {
		{ 6, TRANSPORT_TCP, "192.0.2.1:443", 12, "TCP 443" },
		  { 17, TRANSPORT_UDP, "192.0.2.1:53", 6, "UDP 53" },
		  { 47, TRANSPORT_NONE, "192.0.2.1:0", 2, "IP protocol 47" },
	};
	struct view_capture v;
	struct world w;
	unsigned n = 0;

	(void)state;
	world_begin(&w);
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		for (unsigned k = 0; k < others[i].packets; k++) {
			const struct planned x = { .at_ns = at_s(n++) };
			struct packet p = world_packet(&w, &x, "192.0.2.9:50000", others[i].dst, 0);

			p.kind = PACKET_OTHER;
			p.ip_protocol = others[i].protocol;
			p.transport = (uint8_t)others[i].transport;
			if (p.dst.port == 0)
				p.has &= ~(uint32_t)HAS_PORTS;
			engine_packet(w.e, &p);
		}
	}
	engine_finish(w.e);
	view_capture(w.e, &v);
	assert_int_equal(v.other, 20);
	assert_int_equal(v.other_count, COUNT_OF(others));
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		assert_string_equal(v.others[i].name, others[i].name);
		assert_true(near_to(v.others[i].share, others[i].packets / 20.0));
	}
	world_end(&w);
}

static void an_empty_capture_shows_nothing(void **state)
{
	union { struct view_call call; struct view_finding finding; struct view_incident incident;
		struct view_stream stream; struct view_peer peer;
		struct view_registration registration; struct view_host host; struct view_nat nat;
			struct view_message message; struct view_why_not why; } v;
	struct view_capture capture;
	struct view_end end;
	struct world w;

	(void)state;
	world_begin(&w);
	engine_finish(w.e);
	view_capture(w.e, &capture);
	assert_int_equal(capture.frames, 0);
	assert_int_equal(capture.first_ns, NS_NONE);
	view_end(w.e, &end);
	assert_int_equal(end.exit, 0);
	assert_false(view_call(w.e, 0, &v.call) || view_finding(w.e, 0, &v.finding) ||
		view_incident(w.e, 0, &v.incident) ||
		     view_stream(w.e, 0, &v.stream) || view_peer(w.e, 0, &v.peer) ||
		     view_registration(w.e, 0, &v.registration) ||
		     view_host(w.e, 0, &v.host) || view_nat(w.e, 0, &v.nat) || view_message(w.e, 0, 0, &v.message) ||
		     view_why_not(w.e, 0, &v.why));
	world_end(&w);
}

/* ---- why not, and the detectors ---- */

static void why_not_tells_the_rows_of_a_call(void **state)
{
	struct view_why_not v;
	struct world w;

	(void)state;
	world_begin_with(&w, "one-way-audio:1", NULL);
	world_dialogue(&w, &plain);
	world_flow(&w, &caller_talks);
	world_flow(&w, &callee_talks);
	world_play(&w);
	engine_finish(w.e);
	assert_true(view_why_not(w.e, 0, &v));
	assert_int_equal(v.call, 1);
	assert_false(v.found);
	assert_null(v.gate);
	assert_true(v.row_count > 0);
	assert_true(v.rows[v.row_count - 1].text[0]);
	assert_false(view_why_not(w.e, 1, &v));
	world_end(&w);
}

static void detectors_are_listed_by_id(void **state)
{
	char before[64] = "";
	struct view_detector v;
	size_t n = 0;

	(void)state;
	for (; view_detector(n, &v); n++) {
		assert_true(strcmp(before, v.id) < 0);
		assert_true(v.says && v.symptom && v.evidence && v.mimics && v.fix && v.reasons && v.reasons[0]);
		for (unsigned k = 0; k < v.key_count; k++)
			assert_true(v.keys[k].min <= v.keys[k].value && v.keys[k].value <= v.keys[k].max &&
				v.keys[k].source);
		snprintf(before, sizeof before, "%s", v.id);
	}
	assert_true(n > 10);
	assert_true(view_detector_find("one-way-audio", &v));
	assert_string_equal(v.id, "one-way-audio");
	assert_false(view_detector_find("one-way", &v));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_tells_its_times),
		cmocka_unit_test(a_call_tells_who_hears_whom),
		cmocka_unit_test(joined_legs_are_one_call),
		cmocka_unit_test(a_finding_and_its_call_name_each_other),
		cmocka_unit_test(what_is_explained_is_not_counted),
		cmocka_unit_test(an_incident_counts_the_calls_it_cannot_list),
		cmocka_unit_test(a_stream_tells_what_was_seen),
		cmocka_unit_test(the_ladder_is_in_order_of_time),
		cmocka_unit_test(each_call_has_its_own_ladder),
		cmocka_unit_test(the_ladders_sdp_is_safe),
		cmocka_unit_test(peers_are_counted),
		cmocka_unit_test(a_registration_is_shown),
		cmocka_unit_test(hosts_of_telephony_are_shown_and_no_others),
		cmocka_unit_test(a_capture_says_what_it_cannot_prove),
		cmocka_unit_test(what_is_no_telephony_is_named),
		cmocka_unit_test(an_empty_capture_shows_nothing),
		cmocka_unit_test(why_not_tells_the_rows_of_a_call),
		cmocka_unit_test(detectors_are_listed_by_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
