/* SPDX-License-Identifier: MIT */
/*
 * test_engine: one door: what becomes of each sort of packet, what the end settles, and the facts of the capture as a
 * whole.
 */
#include "analyzer/engine.h"

#include "dissect/plain.h"
#include "tests/unit/world.h"

static const struct dialogue plain = { .call = "c1" };
static const struct rtp_flow caller_talks = { "10.0.0.1:4000", "10.0.0.2:5000", 1.1, 31, 0xa };
static const struct rtp_flow callee_talks = { "10.0.0.2:5000", "10.0.0.1:4000", 1.1, 31, 0xb };

static struct packet packet_at(struct world *w, enum packet_kind kind, double s, const char *src, const char *dst)
{
	const struct planned x = { .at_ns = at_s(s) };
	struct packet p = world_packet(w, &x, src, dst, 0);

	p.kind = (uint8_t)kind;
	return p;
}

/* The i-th packet of 16 streams in turn: PCMA, 20 ms. */
static void plain_frame_at(struct frame *f, uint8_t bytes[54 + 160], unsigned i)
{
	static const uint8_t head[54] = { [12] = 8, 0, 0x45, 0, 0, 200, [22] = 64, 17, [26] = 10, 0, 0, 1, 10, 0, 0, 2,
		0x20, 0, 0x30, 0, 0, 180, 0, 0, 0x80, 8 };
	uint32_t ts = i / 16 * 160;

	memcpy(bytes, head, sizeof head);
	memset(bytes + 54, 0xd5, 160);
	bytes[35] = (uint8_t)(i % 16);
	bytes[45] = (uint8_t)(i / 16 + 200);
	bytes[46] = 1;
	bytes[48] = (uint8_t)(ts >> 8);
	bytes[49] = (uint8_t)ts;
	bytes[53] = (uint8_t)(i % 16);
	*f = (struct frame){ .at_ns = at_s(1 + i / 16 * 0.02), .bytes = { bytes, 214 }, .wire_bytes = 214,
		.number = i + 1, .link = 1 };
}

/* ---- every sort to its records ---- */

static void each_sort_is_counted_once(void **state)
{
	static const struct { enum packet_kind kind; uint64_t sip, rtp, rtcp, stun, tls, icmp, other; } cases[] = {
		{ PACKET_STUN, .stun = 1 }, { PACKET_TLS, .tls = 1 }, { PACKET_DTLS, .tls = 1 },
		  { PACKET_OTHER, .other = 1 }, { PACKET_TCP, .other = 1 },
		{ PACKET_KEEPALIVE, .other = 1 }, { PACKET_FRAGMENT, .other = 1 }, { PACKET_ICMP, .icmp = 1 },
		  { PACKET_NONE, .other = 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct view_capture v;
		struct packet p;
		struct world w;

		world_begin(&w);
		p = packet_at(&w, cases[i].kind, 1, A, B);
		if (cases[i].kind == PACKET_NONE) {
			p.undecoded = UNDECODED_MALFORMED;
			p.has = 0;
		}
		engine_packet(w.e, &p);
		p.first_of_frame = false;            /* a second packet of the frame makes no second frame */
		engine_packet(w.e, &p);
		engine_finish(w.e);
		view_capture(w.e, &v);
		assert_int_equal(v.frames, 1);
		assert_int_equal(v.sip, cases[i].sip);
		assert_int_equal(v.other, cases[i].other);
		assert_true((v.stun > 0) == cases[i].stun && (v.tls > 0) == cases[i].tls &&
			(v.icmp > 0) == cases[i].icmp);
		assert_int_equal(v.undecoded[UNDECODED_MALFORMED], cases[i].kind == PACKET_NONE);
		world_end(&w);
	}
}

/* A mirror that sends every frame twice: same bytes, same IP-ID, microseconds apart. */
static void a_mirrored_message_is_taken_once(void **state)
{
	static const struct { const char *name; double later; bool same_id; unsigned requests; } cases[] = {
		{ "a copy", 0.00002, true, 1 }, { "a retransmission", 0.5, false, 2 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct row invite = { .s = 1 };
		const struct transaction *t;
		struct span bytes;
		struct packet p;
		struct world w;

		world_begin(&w);
		for (unsigned k = 0; k < 2; k++) {
			p = packet_at(&w, PACKET_SIP, 1 + (k ? cases[i].later : 0), A, B);
			bytes = (struct span){ (const uint8_t *)w.s.text, script_text(&w.s, &invite) };
			p.ip_id = cases[i].same_id ? 77 : (uint16_t)(77 + k);
			p.payload = bytes;
			p.payload_wire = bytes.n;
			p.wire_bytes = (uint32_t)bytes.n + 42;
			assert_true(sip_message_parse(bytes, bytes.n, &w.s.sip));
			p.sip = &w.s.sip;
			engine_packet(w.e, &p);
		}
		engine_finish(w.e);
		t = LIST_ENTRY(nth(&world_leg(&w, 1)->transactions, 0), struct transaction, in_leg);
		assert_int_equal(t->request_copies, cases[i].requests);
		assert_int_equal(w.e->capture.sip, 2);
		world_end(&w);
	}
}

/* A full batch whose last packet is the request that an answer has waited for since the batch before. */
static void a_full_batch_has_room_for_what_waited(void **state)
{
	const struct row answer = { .s = 1, .status = 200, .to = "t" }, invite = { .s = 1.5 };
	struct feed_item given[ENGINE_BATCH];
	static struct packet packets[ENGINE_BATCH];
	static struct sip_message sip;
	struct packet early;
	struct span bytes;
	struct world w;

	(void)state;
	world_begin(&w);
	early = packet_at(&w, PACKET_SIP, 1, B, A);
	bytes = (struct span){ (const uint8_t *)w.s.text, script_text(&w.s, &answer) };
	assert_true(sip_message_parse(bytes, bytes.n, &w.s.sip));
	early.sip = &w.s.sip;
	early.payload = bytes;
	early.payload_wire = bytes.n;
	engine_packet(w.e, &early);
	for (unsigned i = 0; i < ENGINE_BATCH; i++) {
		packets[i] = packet_at(&w, PACKET_OTHER, 1.1 + i / 1000.0, "10.0.0.9:700", "10.0.0.8:900");
		given[i] = (struct feed_item){ .packet = &packets[i] };
	}
	packets[ENGINE_BATCH - 1] = packet_at(&w, PACKET_SIP, 1.5, A, B);
	bytes.n = script_text(&w.s, &invite);
	assert_true(sip_message_parse(bytes, bytes.n, &sip));
	packets[ENGINE_BATCH - 1].sip = &sip;
	packets[ENGINE_BATCH - 1].payload = bytes;
	packets[ENGINE_BATCH - 1].payload_wire = bytes.n;
	engine_items(w.e, given, ENGINE_BATCH);
	engine_finish(w.e);
	assert_true(w.e->capture.answers_early_ns > 0);
	assert_int_equal(network_counts(w.e->network).packets, ENGINE_BATCH + 1);
	world_end(&w);
}

/* Frames of which no packet is made, one after the other or in batches: counted and told as their packets would be. */
static void plain_frames_are_packets(void **state)
{
	enum { FRAMES = 3 * ENGINE_BATCH };
	static struct frame frames[FRAMES];
	static uint8_t bytes[FRAMES][54 + 160];
	struct feed_item items[FRAMES];
	struct view_capture views[3];
	struct streams_counts streams[3];
	struct network_counts network[3];

	(void)state;
	for (unsigned i = 0; i < FRAMES; i++) {
		plain_frame_at(&frames[i], bytes[i], i);
		items[i] = (struct feed_item){ .frame = &frames[i], .plain = plain_frame(&frames[i]) };
		assert_true(items[i].plain);
	}
	for (unsigned way = 0; way < 3; way++) {
		struct packet p;
		struct world w;

		world_begin(&w);
		for (unsigned i = 0; way == 0 && i < FRAMES; i++) {
			plain_packet(&frames[i], &p);
			engine_packet(w.e, &p);
		}
		for (unsigned i = 0; way == 1 && i < FRAMES; i++)
			engine_items(w.e, &items[i], 1);
		for (unsigned i = 0; way == 2 && i < FRAMES; i += ENGINE_BATCH)
			engine_items(w.e, &items[i], ENGINE_BATCH);
		engine_finish(w.e);
		view_capture(w.e, &views[way]);
		streams[way] = streams_counts(w.e->streams);
		network[way] = network_counts(w.e->network);
		world_end(&w);
	}
	assert_int_equal(views[0].frames, FRAMES);
	for (unsigned way = 1; way < 3; way++) {
		assert_int_equal(views[way].frames, views[0].frames);
		assert_int_equal(views[way].bytes, views[0].bytes);
		assert_int_equal(views[way].rtp, views[0].rtp);
		assert_int_equal(streams[way].rtp_packets, streams[0].rtp_packets);
		assert_int_equal(network[way].packets, network[0].packets);
	}
}

static void icmp_errors_are_kept_and_nothing_else(void **state)
{
	static const struct quote refused = { "10.0.0.2:1", "10.0.0.1:1", 2, 3, "10.0.0.1:4000", "10.0.0.2:5000" };
	struct packet echo;
	struct world w;

	(void)state;
	world_begin(&w);
	world_quote(&w, &refused);
	world_play(&w);
	echo = packet_at(&w, PACKET_ICMP, 9, A, B);
	echo.has &= ~(uint32_t)HAS_PORTS;
	engine_packet(w.e, &echo);
	engine_finish(w.e);
	assert_int_equal(w.e->icmp.count, 3);
	assert_int_equal(LIST_ENTRY(nth(&w.e->icmp, 0), struct icmp_record, in_order)->at.frame, 1);
	world_end(&w);
}

/* ---- media and signalling meet ---- */

static void media_before_its_signalling_is_bound(void **state)
{
	static const struct rtp_flow early = { "10.0.0.2:5000", "10.0.0.1:4000", -0.5, 31, 0xb };
	const struct direction *d;
	struct world w;

	(void)state;
	world_begin(&w);
	world_dialogue(&w, &plain);
	world_flow(&w, &early);
	world_play(&w);
	engine_finish(w.e);
	d = world_direction(&w, 1, SIDE_CALLEE);
	assert_int_equal(d->stream_count, 1);
	assert_int_equal(d->streams[0]->packets, 1575);
	world_end(&w);
}

/* Signalling may be silent for hours: a call lives while its media does. */
static void media_keeps_a_call_alive(void **state)
{
	static const struct { const char *name; double until; bool timed_out; } cases[] = {
		{ "audio to the end", 899, false }, { "audio stops early", 60, true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct dialogue long_call = { .call = "c1", .bye = -1 };
		const struct rtp_flow audio = { "10.0.0.2:5000", "10.0.0.1:4000", 1.1, cases[i].until, 0xb,
			.every_ms = 100 };
		const struct dialogue other = { .call = "c2", .offer = "v1 10.0.0.1:4002", .answer = "v1 10.0.0.2:5002",
			.invite = 900, .bye = -1 };
		struct world w;

		world_begin(&w);
		world_dialogue(&w, &long_call);
		world_flow(&w, &audio);
		world_dialogue(&w, &other);
		world_play(&w);
		engine_finish(w.e);
		if (world_leg(&w, 1)->timed_out != cases[i].timed_out)
			fail_msg("%s", cases[i].name);
		world_end(&w);
	}
}

/* A new session begins a new spell of the streams concerned, so that before and after can be told apart. */
static void a_new_session_cuts_the_streams(void **state)
{
	const struct stream *s;
	struct world w;

	(void)state;
	world_begin(&w);
	world_dialogue(&w, &plain);
	world_flow(&w, &callee_talks);
	WORLD_ROW(&w, 10, .to = "t", .cseq = 2, .sdp = "v2 10.0.0.1:4000 sendonly");
	WORLD_ROW(&w, 10.11, .status = 200, .to = "t", .cseq = 2, .sdp = "v2 10.0.0.2:5000 recvonly");
	WORLD_ROW(&w, 10.2, .method = "ACK", .to = "t", .cseq = 2);
	world_play(&w);
	engine_finish(w.e);
	s = world_direction(&w, 1, SIDE_CALLEE)->streams[0];
	assert_int_equal(s->spell_count, 2);
	assert_true(s->spells[0].last_ns < at_s(10.11) && s->spells[1].first_ns > at_s(10.11));
	assert_int_equal(s->spells[0].packets, 451);
	world_end(&w);
}

/* The same packets before and behind a router teach its map. */
static void streams_seen_twice_teach_the_map(void **state)
{
	static const struct dialogue inside = { .call = "c1", .caller = "192.168.1.10:5060",
		.callee = "203.0.113.5:5060",
		.offer = "v1 192.168.1.10:4000", .answer = "v1 203.0.113.5:5000" };
	static const struct rtp_flow seen[] = {
		{ "192.168.1.10:4000", "203.0.113.5:5000", 1.1, 9, 0xa },
		  { "198.51.100.1:61000", "203.0.113.5:5000", 1.101, 9, 0xa },
	};
	static const char *const routed[] = { "198.51.100.1:1", NULL };      /* seven hops away */
	struct endpoint in = script_endpoint("192.168.1.10:4000"), wanted = script_endpoint("198.51.100.1:61000"), out;
	unsigned weight = 0;
	struct world w;

	(void)state;
	world_begin_with(&w, NULL, routed);
	world_dialogue(&w, &inside);
	world_flow(&w, &seen[0]);
	world_flow(&w, &seen[1]);
	world_play(&w);
	engine_finish(w.e);
	assert_true(network_public_of(w.e->network, &in, true, &out, &weight));
	assert_true(endpoint_equal(&out, &wanted));
	assert_int_equal(weight, 100);
	world_end(&w);
}

/* ---- facts of the capture ---- */

static void time_that_runs_backwards_is_noticed(void **state)
{
	static const struct { const char *name; double first, second; unsigned other_file; unsigned back; } cases[] = {
		{ "in order", 1, 2, 0, 0 }, { "9 ms back", 1, 0.991, 0, 0 }, { "11 ms back", 1, 0.989, 0, 1 },
		  { "another file has its own clock", 1, 0.5, 1, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct packet p;
		struct world w;

		world_begin(&w);
		p = packet_at(&w, PACKET_OTHER, cases[i].first, A, B);
		engine_packet(w.e, &p);
		p = packet_at(&w, PACKET_OTHER, cases[i].second, A, B);
		p.file = (uint16_t)cases[i].other_file;
		engine_packet(w.e, &p);
		engine_finish(w.e);
		assert_int_equal(w.e->capture.timestamps_back, cases[i].back);
		assert_int_equal(w.e->capture.last_ns,
			at_s(cases[i].first > cases[i].second ? cases[i].first : cases[i].second));
		world_end(&w);
	}
}

static void coarse_time_stamps_are_noticed(void **state)
{
	static const struct { double step; unsigned frames; int64_t grain_ns; } cases[] = {
		{ 0.0123, 30, 0 }, { 0.013, 30, MILLISECOND_NS }, { 0.020, 30, 10 * MILLISECOND_NS },
		  { 0.3, 30, 100 * MILLISECOND_NS }, { 0.3, 19, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct world w;

		world_begin(&w);
		for (unsigned k = 0; k < cases[i].frames; k++) {
			struct packet p = packet_at(&w, PACKET_OTHER, 0, A, B);

			p.at_ns = START_NS + (int64_t)(cases[i].step * 10000 + 0.5) * 100000 * k;
			engine_packet(w.e, &p);
		}
		engine_finish(w.e);
		assert_int_equal(w.e->capture.timestamp_grain_ns, cases[i].grain_ns);
		assert_int_equal(gates_clock_unreliable(w.e->gates), cases[i].grain_ns >= 10 * MILLISECOND_NS);
		world_end(&w);
	}
}

static void cuts_that_matter_are_counted(void **state)
{
	static const struct { const char *name; enum packet_kind kind; enum packet_transport transport; bool counts;
		} cases[] = {
		{ "SIP", PACKET_STUN, TRANSPORT_UDP, true }, { "other UDP", PACKET_OTHER, TRANSPORT_UDP, true },
		  { "other TCP", PACKET_OTHER, TRANSPORT_TCP, false },
		{ "TLS", PACKET_TLS, TRANSPORT_TCP, false }, { "ARP", PACKET_ARP, TRANSPORT_NONE, false },
	};
	static const uint8_t bytes[50];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct packet p;
		struct world w;

		world_begin(&w);
		p = packet_at(&w, cases[i].kind, 1, A, B);
		p.transport = (uint8_t)cases[i].transport;
		p.has |= HAS_TRUNCATED;
		p.wire_bytes = 242;
		p.captured_bytes = 92;
		p.payload = (struct span){ bytes, sizeof bytes };
		p.payload_wire = 200;
		engine_packet(w.e, &p);
		engine_finish(w.e);
		if (w.e->capture.truncated != cases[i].counts ||
		    w.e->capture.first_cut != (cases[i].counts ? 92 : 0))
			fail_msg("%s: %u, %u", cases[i].name, (unsigned)w.e->capture.truncated,
				w.e->capture.first_cut);
		assert_int_equal(w.e->capture.truncated_at.frame, cases[i].counts ? 1 : 0);
		world_end(&w);
	}
}

/* More flows than are kept: counted, never written past their room. */
static void tables_of_facts_are_bounded(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w);
	for (unsigned i = 0; i < PROTOCOL_MAX + 9; i++) {
		struct packet p = packet_at(&w, PACKET_OTHER, 1 + i * 0.001, A, B);

		p.src.port = p.dst.port = (uint16_t)(30000 + i);
		engine_packet(w.e, &p);
	}
	engine_finish(w.e);
	assert_int_equal(w.e->protocol_count, PROTOCOL_MAX);
	assert_int_equal(w.e->capture.frames, PROTOCOL_MAX + 9);
	world_end(&w);
}

static void filters_that_leave_media_out_are_known(void **state)
{
	static const struct { const char *filter; bool excludes; } cases[] = {
		{ "port 5060", true }, { "udp port 5060 or tcp port 5061", true }, { "udp port sip", true },
		  { "port 5060 or portrange 10000-20000", false },
		{ "udp", false }, { "host 10.0.0.1", false }, { "", false }, { "not port 5060", false },
		  { "port 5060 or udp[8] & 0xc0 == 0x80", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct world w;

		world_begin(&w);
		engine_interface(w.e, 0, 0, cases[i].filter, 65535, 0, 0);
		engine_finish(w.e);
		if (w.e->capture.filtered_media != cases[i].excludes)
			fail_msg("%s", cases[i].filter);
		world_end(&w);
	}
}

static void drops_of_all_interfaces_add_up(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w);
	engine_interface(w.e, 0, 0, NULL, 65535, 3, 1);
	engine_interface(w.e, 0, 1, "", 65535, 4, 0);
	engine_interface(w.e, 1, 0, "udp", 65535, 0, 2);
	engine_interface(w.e, 1, 1, "tcp", 65535, 0, 0);
	engine_finish(w.e);
	assert_int_equal(w.e->capture.if_drop, 7);
	assert_int_equal(w.e->capture.os_drop, 3);
	assert_string_equal(w.e->capture.filter, "udp");
	world_end(&w);
}

/* ---- the end ---- */

/* Finishing twice, and judging twice as live does: the same findings, none twice. */
static void the_end_can_be_asked_for_twice(void **state)
{
	struct view_finding f;
	struct view_end first, second;
	struct world w;
	size_t n = 0;

	(void)state;
	world_begin(&w);
	world_dialogue(&w, &plain);
	world_flow(&w, &caller_talks);
	world_play(&w);
	engine_finish(w.e);
	view_end(w.e, &first);
	engine_finish(w.e);
	view_end(w.e, &second);
	assert_memory_equal(&first, &second, sizeof first);
	for (size_t i = 0; view_finding(w.e, i, &f); i++)
		n += strcmp(f.id, "one-way-audio") == 0;
	assert_int_equal(n, 1);
	world_end(&w);
}

/* Branches that lose and second answers promise nothing that could be broken. */
static void only_the_answered_dialog_is_judged(void **state)
{
	static const struct rtp_flow winner = { "10.0.0.3:6000", "10.0.0.1:4000", 2, 31, 0xb },
		caller = { "10.0.0.1:4000", "10.0.0.3:6000", 2, 31, 0xa };
	const struct dialog *lost;
	struct world w;

	(void)state;
	world_begin(&w);
	WORLD_ROW(&w, 0.1, .sdp = "v1");
	WORLD_ROW(&w, 0.5, .status = 183, .to = "t1", .sdp = "v1 10.0.0.2:5000");
	WORLD_ROW(&w, 0.6, .status = 183, .to = "t2", .sdp = "v1 10.0.0.3:6000");
	WORLD_ROW(&w, 2, .status = 200, .to = "t2", .sdp = "v1 10.0.0.3:6000");
	WORLD_ROW(&w, 2.1, .method = "ACK", .to = "t2");
	world_flow(&w, &winner);
	world_flow(&w, &caller);
	world_play(&w);
	engine_finish(w.e);
	lost = script_dialog(world_leg(&w, 1), 0);
	assert_true(lost->losing_fork);
	assert_null(lost->mslots[0].direction[SIDE_CALLEE].hearing);
	assert_int_equal(hearing_of(world_direction(&w, 1, SIDE_CALLEE))->heard, HEARD_YES);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_sort_is_counted_once),
		cmocka_unit_test(a_mirrored_message_is_taken_once),
		cmocka_unit_test(a_full_batch_has_room_for_what_waited),
		cmocka_unit_test(plain_frames_are_packets),
		cmocka_unit_test(icmp_errors_are_kept_and_nothing_else),
		cmocka_unit_test(media_before_its_signalling_is_bound),
		cmocka_unit_test(media_keeps_a_call_alive),
		cmocka_unit_test(a_new_session_cuts_the_streams),
		cmocka_unit_test(streams_seen_twice_teach_the_map),
		cmocka_unit_test(time_that_runs_backwards_is_noticed),
		cmocka_unit_test(coarse_time_stamps_are_noticed),
		cmocka_unit_test(cuts_that_matter_are_counted),
		cmocka_unit_test(tables_of_facts_are_bounded),
		cmocka_unit_test(filters_that_leave_media_out_are_known),
		cmocka_unit_test(drops_of_all_interfaces_add_up),
		cmocka_unit_test(the_end_can_be_asked_for_twice),
		cmocka_unit_test(only_the_answered_dialog_is_judged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
