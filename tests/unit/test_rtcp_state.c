/* SPDX-License-Identifier: MIT */
/* test_rtcp_state: parties, views, verdicts and round trips from reports made by hand. */
#include "tests/unit/rtp_packets.h"

#include <math.h>
#include <time.h>

#include "analyzer/media/rtcp_state.h"

enum { SENDER = 0xabcd, RECEIVER = 0x9999 };

/* A report of the receiver 10.0.0.2:5001 about the stream of rtp_at(). */
static struct packet report_at(struct rtcp_compound *c, int64_t at_ms)
{
	struct packet p = {
		.kind = PACKET_RTCP,
		.has = HAS_IP | HAS_PORTS,
		.src = endpoint_at("10.0.0.2:5001"),
		.dst = endpoint_at("10.0.0.1:4001"),
		.at_ns = START_NS + at_ms * MILLISECOND_NS,
		.frame = (uint32_t)at_ms + 1,
		.rtcp = c,
	};

	*c = (struct rtcp_compound){ .ssrc = RECEIVER, .has_rr = true };
	return p;
}

static void take_block(struct rtcp_states *r, int64_t at_ms, uint32_t ext_seq)
{
	struct rtcp_compound c;
	struct packet p = report_at(&c, at_ms);

	c.block_count = 1;
	c.blocks[0] = (struct rtcp_block){ .ssrc = SENDER, .ext_seq = ext_seq };
	rtcp_states_packet(r, &p);
}

static void take_empty(struct rtcp_states *r, int64_t at_ms)
{
	struct rtcp_compound c;
	struct packet p = report_at(&c, at_ms);

	rtcp_states_packet(r, &p);
}

static void take_sent_at(struct rtcp_states *r, int64_t at_ms, uint32_t packets, uint64_t ntp, uint16_t interface)
{
	struct rtcp_compound c;
	struct packet p = report_at(&c, at_ms);

	p.interface = interface;
	p.src = endpoint_at("10.0.0.1:4001");
	p.dst = endpoint_at("10.0.0.2:5001");
	c = (struct rtcp_compound){ .ssrc = SENDER, .has_sr = true, .packets = packets, .ntp = ntp };
	rtcp_states_packet(r, &p);
}

static void take_sent(struct rtcp_states *r, int64_t at_ms, uint32_t packets, uint64_t ntp)
{
	take_sent_at(r, at_ms, packets, ntp, 0);
}

static bool any_party(const void *about, const struct rtcp_party *p)
{
	return !about || p->ssrc != *(const uint32_t *)about;
}

static const struct rtcp_party *receiver_of(const struct rtcp_states *r)
{
	struct endpoint rtp = endpoint_at("10.0.0.2:5000");

	return rtcp_party_at(r, &rtp, NULL, START_NS, INT64_MAX, any_party, NULL);
}

/* Half a minute of the stream. */
static struct streams *stream_made(void)
{
	struct streams *s = streams_signalled_all();

	for (unsigned i = 0; i < 1500; i++) {
		struct packet p = rtp_at(i);

		streams_packet(s, &p);
	}
	streams_finish(s, 0);
	return s;
}

static const struct {
	const char *name;
	uint32_t ext_seq[6];         /* every 5 s from 5 s on; 0: a report without block; 1: no report */
	int64_t from_s, to_s;
	enum rtcp_verdict verdict;
} cases[] = {
	{ "advancing",                    { 1250, 1500, 1750, 2000, 2250, 2500 }, 0,  60, RTCP_VERDICT_ADVANCING },
	{ "frozen from the third on",     { 1250, 1500, 1500, 1500, 1500, 1500 }, 0,  60, RTCP_VERDICT_FROZEN },
	{ "frozen, then going on",        { 1250, 1250, 1250, 2000, 2250, 2500 }, 0,  60, RTCP_VERDICT_ADVANCING },
	{ "empty after blocks",           { 1250, 1500, 0, 0, 0, 0 },             0,  60, RTCP_VERDICT_EMPTY },
	{ "one empty report",             { 1250, 1500, 1750, 2000, 2250, 0 },    0,  60, RTCP_VERDICT_ADVANCING },
	{ "this device never has blocks", { 0, 0, 0, 0, 0, 0 },                   0,  60, RTCP_VERDICT_NONE },
	{ "a single block",               { 1250, 1, 1, 1, 1, 1 },                0,  60, RTCP_VERDICT_NONE },
	{ "frozen outside of the time",   { 1250, 1250, 1250, 2000, 2250, 2500 }, 18, 60, RTCP_VERDICT_ADVANCING },
	{ "frozen after the stream's end", { 1, 1, 1, 1, 1, 2500 },               0,  60, RTCP_VERDICT_NONE },
};

static void verdicts(void **state)
{
	struct streams *s = stream_made();
	const struct stream *st = stream_nth(s, 0);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct rtcp_states *r = rtcp_states_new(0);
		const struct rtcp_report *last = NULL;
		enum rtcp_verdict verdict;

		for (unsigned k = 0; k < 6; k++) {
			if (cases[i].ext_seq[k] == 0)
				take_empty(r, (k + 1) * 5000);
			else if (cases[i].ext_seq[k] > 1)
				take_block(r, (k + 1) * 5000, cases[i].ext_seq[k]);
		}
		verdict = rtcp_verdict(r, st, receiver_of(r), START_NS + cases[i].from_s * SECOND_NS,
			START_NS + cases[i].to_s * SECOND_NS, NULL, NULL, &last);
		if (verdict != cases[i].verdict)
			fail_msg("%s: %d", cases[i].name, verdict);
		assert_int_equal(last != NULL, verdict == RTCP_VERDICT_ADVANCING || verdict == RTCP_VERDICT_FROZEN);
		rtcp_states_free(r);
	}
	assert_int_equal(rtcp_verdict(NULL, st, NULL, 0, 1, NULL, NULL, NULL), RTCP_VERDICT_NONE);
	streams_free(s);
}

/* The stream has stopped too: that its numbers stand still proves nothing. */
static void standing_still_with_the_stream(void **state)
{
	struct streams *s = stream_made();
	struct rtcp_states *r = rtcp_states_new(0);

	(void)state;
	take_block(r, 35000, 2499);
	take_block(r, 40000, 2499);
	take_block(r, 45000, 2499);
	assert_int_equal(
		rtcp_verdict(r, stream_nth(s, 0), receiver_of(r), START_NS, INT64_MAX, NULL, NULL, NULL), RTCP_VERDICT_NONE);
	rtcp_states_free(r);
	streams_free(s);
}

static void sending(void **state)
{
	static const struct {
		uint32_t packets[3];
		unsigned n;
		enum rtcp_sending sending;
	} cases_sent[] = {
		{ { 250, 500, 750 }, 3, RTCP_SENDING_RISING },
		{ { 250, 250, 250 }, 3, RTCP_SENDING_CONSTANT },
		{ { 250 }, 1, RTCP_SENDING_NONE },
		{ { 0 }, 0, RTCP_SENDING_NONE },
	};
	struct endpoint at = endpoint_at("10.0.0.1:4000");

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases_sent); i++) {
		struct rtcp_states *r = rtcp_states_new(0);
		const struct rtcp_party *party;

		for (unsigned k = 0; k < cases_sent[i].n; k++)
			take_sent(r, (k + 1) * 5000, cases_sent[i].packets[k], 0);
		party = rtcp_party_at(r, &at, NULL, START_NS, INT64_MAX, any_party, NULL);
		assert_int_equal(party != NULL, cases_sent[i].n > 0);
		if (party) {
			assert_int_equal(rtcp_sending(party, START_NS, INT64_MAX), cases_sent[i].sending);
			assert_int_equal(rtcp_sending(party, START_NS + 11 * SECOND_NS, INT64_MAX), RTCP_SENDING_NONE);
		}
		rtcp_states_free(r);
	}
}

static double rtt_from(const struct rtcp_view *v, uint16_t interface)
{
	unsigned count;

	return rtcp_view_rtt_ms(v, &(struct rtcp_trip){ .interface = interface }, &count);
}

/* Two interfaces that see the same each answer for themselves; two that see one way each answer together. */
static void round_trips_of_interfaces(void **state)
{
	static const struct {
		const char *name;
		unsigned sent, answered; /* interfaces, a bit each */
		double rtt_ms[2], both_ms;
	} seen[] = {
		{ "two places", 3, 3, { 300, 300 }, -1 },
		{ "one way each", 1, 2, { -1, -1 }, 300 },
		{ "the other place saw the answer, too", 1, 3, { 300, -1 }, 320 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(seen); i++) {
		struct rtcp_states *r = rtcp_states_new(0);
		const struct rtcp_view *v;
		struct rtcp_compound c;
		struct packet p;

		for (uint16_t at = 0; at < 2; at++)
			if (seen[i].sent >> at & 1)
				take_sent_at(r, 20 * at, 100, UINT64_C(0x1234567800009999), at);
		for (uint16_t at = 0; at < 2; at++) {
			p = report_at(&c, 600 + (seen[i].sent == 3 || seen[i].answered == 3 ? 20 * at : 0));
			p.interface = at;
			c.block_count = 1;
			c.blocks[0] = (struct rtcp_block){
				.ssrc = SENDER, .ext_seq = 1200, .lsr = 0x56780000, .dlsr = (uint32_t)(300 * 65.536) };
			if (seen[i].answered >> at & 1)
				rtcp_states_packet(r, &p);
		}
		v = LIST_ENTRY(rtcp_views(r)->head.next, struct rtcp_view, in_order);
		if (fabs(rtt_from(v, 0) - seen[i].rtt_ms[0]) > 0.1 || fabs(rtt_from(v, 1) - seen[i].rtt_ms[1]) > 0.1 ||
		    fabs(rtt_from(v, RTCP_TWO_INTERFACES) - seen[i].both_ms) > 0.1)
			fail_msg("%s: %f %f %f", seen[i].name, rtt_from(v, 0), rtt_from(v, 1),
				rtt_from(v, RTCP_TWO_INTERFACES));
		rtcp_states_free(r);
	}
}

/* 1.5: t(RR) - t(SR) - DLSR by the capture's clock; only for a report that was seen, with DLSR, between 0 and 5 s. */
static void round_trips(void **state)
{
	static const struct {
		const char *name;
		int64_t sent_ms, answer_ms;
		uint32_t lsr, dlsr_ms;
		double rtt_ms;
	} trips[] = {
		{ "620 ms", 0, 920, 0x56780000, 300, 620 },
		{ "5 ms", 1000, 1305, 0x56780000, 300, 5 },
		{ "no DLSR", 2000, 2005, 0x56780000, 0, -1 },
		{ "another report", 3000, 3100, 0x11111111, 50, -1 },
		{ "negative", 4000, 4100, 0x56780000, 500, -1 },
		{ "more than 5 s", 5000, 11000, 0x56780000, 10, -1 },
		{ "no report before", 6000, 6100, 0, 50, -1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(trips); i++) {
		struct rtcp_states *r = rtcp_states_new(0);
		const struct rtcp_view *v;
		struct rtcp_compound c;
		struct packet p;

		take_sent(r, trips[i].sent_ms, 100, UINT64_C(0x1234567800009999));
		p = report_at(&c, trips[i].answer_ms);
		c.block_count = 1;
		c.blocks[0] = (struct rtcp_block){ .ssrc = SENDER,
			.ext_seq = 1200,
			.lsr = trips[i].lsr,
			.dlsr = (uint32_t)(trips[i].dlsr_ms * 65.536) };
		rtcp_states_packet(r, &p);
		assert_int_equal(rtcp_views(r)->count, 1);
		v = LIST_ENTRY(rtcp_views(r)->head.next, struct rtcp_view, in_order);
		if (fabs(rtt_from(v, 0) - trips[i].rtt_ms) > 0.1)
			fail_msg("%s: %f", trips[i].name, rtt_from(v, 0));
		assert_true(rtt_from(v, 1) < 0);
		rtcp_states_free(r);
	}
}

static void view_of_stream(void **state)
{
	static const struct { const char *name, *src, *dst; uint32_t about, ext_seq; bool found; } views[] = {
		{ "receiver to sender",         "10.0.0.2:5001",    "10.0.0.1:4001", SENDER, 2400,          true },
		{ "sender behind a NAT",        "10.0.0.2:5001",    "192.0.2.1:999", SENDER, 2400,          true },
		{ "receiver behind a NAT",      "192.0.2.7:999",    "10.0.0.1:4001", SENDER, 2400,          true },
		{ "cycles of its own",          "10.0.0.2:5001",    "10.0.0.1:4001", SENDER, 0x30000 + 2400, true },
		{ "numbers never seen",         "10.0.0.2:5001",    "10.0.0.1:4001", SENDER, 30000,         false },
		{ "about another stream",       "10.0.0.2:5001",    "10.0.0.1:4001", 0x1,    2400,          false },
		{ "strangers",                  "192.0.2.7:999",    "192.0.2.1:999", SENDER, 2400,          false },
	};
	struct streams *s = stream_made();

	(void)state;
	for (size_t i = 0; i < COUNT_OF(views); i++) {
		struct rtcp_states *r = rtcp_states_new(0);
		struct rtcp_compound c;
		struct packet p = report_at(&c, 5000);

		p.src = endpoint_at(views[i].src);
		p.dst = endpoint_at(views[i].dst);
		c.block_count = 1;
		c.blocks[0] = (struct rtcp_block){ .ssrc = views[i].about, .ext_seq = views[i].ext_seq };
		rtcp_states_packet(r, &p);
		if ((rtcp_view_of(r, stream_nth(s, 0)) != NULL) != views[i].found)
			fail_msg("%s", views[i].name);
		rtcp_states_free(r);
	}
	streams_free(s);
}

static void encrypted_says_nothing(void **state)
{
	struct streams *s = stream_made();
	struct rtcp_states *r = rtcp_states_new(0);

	(void)state;
	for (unsigned i = 1; i < 6; i++) {
		struct rtcp_compound c;
		struct packet p = report_at(&c, i * 5000);

		c.encrypted = true;
		rtcp_states_packet(r, &p);
	}
	assert_true(receiver_of(r)->encrypted);
	assert_int_equal(receiver_of(r)->report_total, 0);
	assert_int_equal(
		rtcp_verdict(r, stream_nth(s, 0), receiver_of(r), START_NS, INT64_MAX, NULL, NULL, NULL), RTCP_VERDICT_NONE);
	rtcp_states_free(r);
	streams_free(s);
}

/* The first 8 reports and the latest. */
static void kept(void **state)
{
	struct rtcp_states *r = rtcp_states_new(0);
	const struct rtcp_view *v;

	(void)state;
	for (unsigned i = 0; i < 500; i++)
		take_block(r, i * 1000, 1000 + i);
	v = LIST_ENTRY(rtcp_views(r)->head.next, struct rtcp_view, in_order);
	assert_int_equal(v->report_count, RTCP_KEEP);
	assert_int_equal(v->report_total, 500);
	for (unsigned i = 0; i < RTCP_KEEP; i++)
		assert_int_equal(v->reports[i].ext_seq, i < 8 ? 1000 + i : 1000 + 500 - RTCP_KEEP + i);
	assert_int_equal(receiver_of(r)->report_count, RTCP_KEEP);
	assert_int_equal(receiver_of(r)->reports[RTCP_KEEP - 1].at_ns, START_NS + 499 * SECOND_NS);
	rtcp_states_free(r);
}

static void addresses(void **state)
{
	struct rtcp_states *r = rtcp_states_new(0);
	struct endpoint rtp = endpoint_at("10.0.0.2:5000"), mux = endpoint_at("10.0.0.2:5001"),
			other = endpoint_at("10.0.0.2:6000");
	uint32_t ssrc;

	(void)state;
	take_empty(r, 5000);
	ssrc = receiver_of(r)->ssrc;
	assert_null(rtcp_party_at(r, &rtp, NULL, START_NS, INT64_MAX, any_party, &ssrc));
	assert_non_null(rtcp_party_at(r, &rtp, NULL, START_NS, INT64_MAX, any_party, NULL));
	assert_non_null(rtcp_party_at(r, &mux, NULL, START_NS, INT64_MAX, any_party, NULL));
	assert_non_null(rtcp_party_at(r, &other, &mux, START_NS, INT64_MAX, any_party, NULL));
	assert_null(rtcp_party_at(r, &other, NULL, START_NS, INT64_MAX, any_party, NULL));
	assert_null(rtcp_party_at(r, &rtp, NULL, START_NS + 6 * SECOND_NS, INT64_MAX, any_party, NULL));
	rtcp_states_free(r);
}

static void goodbye_and_voip_metrics(void **state)
{
	struct rtcp_states *r = rtcp_states_new(0);
	struct rtcp_compound c;
	struct packet p = report_at(&c, 5000);
	const struct rtcp_view *v;

	(void)state;
	c.has_bye = c.has_xr_voip = true;
	c.xr.ssrc = SENDER;
	c.xr.discard_rate = 9;
	c.xr.end_system_ms = 80;
	rtcp_states_packet(r, &p);
	assert_int_equal(receiver_of(r)->bye_ns, START_NS + 5 * SECOND_NS);
	v = LIST_ENTRY(rtcp_views(r)->head.next, struct rtcp_view, in_order);
	assert_true(v->has_xr);
	assert_int_equal(v->xr_discard_rate, 9);
	assert_int_equal(v->xr_end_system_ms, 80);
	assert_int_equal(v->about_ssrc, SENDER);
	assert_int_equal(v->report_count, 0);
	rtcp_states_free(r);
}

/* Floods: parties and views stay within their limits. */
static void limits(void **state)
{
	struct rtcp_states *r = rtcp_states_new(50);

	(void)state;
	for (unsigned i = 0; i < 2000; i++) {
		struct rtcp_compound c;
		struct packet p = report_at(&c, i);

		c.ssrc = i % 4 ? RECEIVER : i;
		c.block_count = 1;
		c.blocks[0] = (struct rtcp_block){ .ssrc = i, .ext_seq = 1 };
		rtcp_states_packet(r, &p);
	}
	assert_int_equal(rtcp_parties(r)->count, 50);
	assert_true(rtcp_states_evicted(r) > 400);
	assert_true(rtcp_views(r)->count <= 50 * RTCP_REPORT_MAX);
	assert_non_null(receiver_of(r));
	rtcp_states_free(r);
	rtcp_states_free(NULL);
}

/* Thousands of phones of which none ever sends a block: none of them is looked for among all the others. */
static void receivers_without_blocks_cost_no_walk(void **state)
{
	enum { MANY = 60000, MOST_S = 5 };       /* each among all: a minute */
	struct rtcp_states *r = rtcp_states_new(0);
	struct streams *s = stream_made();
	clock_t begun;

	(void)state;
	for (unsigned i = 0; i < MANY; i++) {
		struct rtcp_compound c;
		struct packet p = report_at(&c, i);

		p.src.addr.bytes[1] = (uint8_t)(1 + (i >> 16));
		p.src.addr.bytes[2] = (uint8_t)(i >> 8);
		p.src.addr.bytes[3] = (uint8_t)i;
		c.ssrc = i;
		rtcp_states_packet(r, &p);
	}
	begun = clock();
	LIST_EACH(it, rtcp_parties(r))
		assert_int_equal(rtcp_verdict(r, stream_nth(s, 0), LIST_ENTRY(it, struct rtcp_party, in_order), 0,
			INT64_MAX, NULL, NULL, NULL), RTCP_VERDICT_NONE);
	assert_true(clock() - begun < MOST_S * CLOCKS_PER_SEC);
	streams_free(s);
	rtcp_states_free(r);
}

/* Another call of the same machine showed that it sends blocks: an empty report of this one says something. */
static void blocks_of_another_call_of_the_host(void **state)
{
	struct streams *s = stream_made();

	(void)state;
	for (unsigned other = 0; other < 3; other++) {  /* none; of the host; of another host */
		struct rtcp_states *r = rtcp_states_new(other ? 2 : 0);
		struct rtcp_compound c;
		struct packet p = report_at(&c, 0);
		enum rtcp_verdict verdict;

		p.src = endpoint_at(other == 2 ? "10.0.0.3:6001" : "10.0.0.2:6001");
		c.ssrc = 1;
		c.block_count = other > 0;
		rtcp_states_packet(r, &p);
		for (unsigned k = 1; k < 7; k++)
			take_empty(r, k * 5000);
		verdict = rtcp_verdict(r, stream_nth(s, 0), receiver_of(r), START_NS, START_NS + 60 * SECOND_NS, NULL, NULL, NULL);
		assert_int_equal(verdict, other == 1 ? RTCP_VERDICT_EMPTY : RTCP_VERDICT_NONE);
		rtcp_states_free(r);
	}
	streams_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verdicts),
		cmocka_unit_test(standing_still_with_the_stream),
		cmocka_unit_test(sending),
		cmocka_unit_test(round_trips),
		cmocka_unit_test(round_trips_of_interfaces),
		cmocka_unit_test(view_of_stream),
		cmocka_unit_test(encrypted_says_nothing),
		cmocka_unit_test(kept),
		cmocka_unit_test(addresses),
		cmocka_unit_test(goodbye_and_voip_metrics),
		cmocka_unit_test(limits),
		cmocka_unit_test(receivers_without_blocks_cost_no_walk),
		cmocka_unit_test(blocks_of_another_call_of_the_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
