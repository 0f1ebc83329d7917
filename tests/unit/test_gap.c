/* SPDX-License-Identifier: MIT */
/* test_gap: holes decomposed into lost, suppressed and stalled time; spells; windows of time. */
#include "tests/unit/rtp_packets.h"

#include <math.h>

/* 100 packets, then a hole, then 100 more. */
static struct streams *with_hole(int64_t hole_ms, uint16_t seq_step, int32_t ts_ms, bool marker)
{
	struct streams *s = streams_signalled_all();
	struct packet p;

	for (unsigned i = 0; i < 100; i++) {
		p = rtp_at(i);
		streams_packet(s, &p);
	}
	for (unsigned i = 0; i < 100; i++) {
		struct packet q = rtp_at(i);

		q.frame = 101 + i;
		q.at_ns = p.at_ns + (hole_ms + i * 20) * MILLISECOND_NS;
		q.rtp.seq = (uint16_t)(p.rtp.seq + seq_step + i);
		q.rtp.rtp_ts = p.rtp.rtp_ts + (uint32_t)(ts_ms * 8) + i * 160;
		q.rtp.marker = marker && i == 0;
		streams_packet(s, &q);
	}
	return s;
}

static const struct {
	const char *name;
	int64_t hole_ms;
	uint16_t seq_step;
	int32_t ts_ms;
	uint32_t lost_ms, suppressed_ms, stalled_ms;
	enum gap_kind kind;
} cases[] = {
	{ "4 s lost",                        4000, 200, 4000, 3980, 0,    0,    GAP_LOST },
	{ "6.2 s suppressed",                6200, 1,   6200, 0,    6180, 0,    GAP_SUPPRESSED },
	{ "3 s stalled",                     3000, 1,   20,   0,    0,    2980, GAP_STALLED },
	{ "half lost, half stalled",         4000, 101, 2020, 2000, 0,    1980, GAP_MIXED },
	{ "rtp_ts ran further than time",    2000, 1,   9000, 0,    1980, 0,    GAP_SUPPRESSED },
	{ "more missing than time",          1000, 70,  1400, 1000, 0,    0,    GAP_LOST },
};

static void decomposed(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct streams *s = with_hole(cases[i].hole_ms, cases[i].seq_step, cases[i].ts_ms, false);
		struct stream *st = stream_only(s);
		const struct gap *g = st->gaps;

		if (st->gap_count != 1 || g->lost_ms != cases[i].lost_ms ||
			g->suppressed_ms != cases[i].suppressed_ms || g->stalled_ms != cases[i].stalled_ms ||
			gap_kind(g) != cases[i].kind)
			fail_msg("%s: %u gaps, lost %u suppressed %u stalled %u", cases[i].name, st->gap_count,
				g ? g->lost_ms : 0, g ? g->suppressed_ms : 0, g ? g->stalled_ms : 0);
		assert_int_equal(g->from_frame, 100);
		assert_int_equal(g->to_frame, 101);
		assert_int_equal(g->seq_step, cases[i].seq_step);
		assert_int_equal(st->suppressed_gaps, cases[i].kind == GAP_SUPPRESSED);
		assert_int_equal(st->dtx_seen, cases[i].kind == GAP_SUPPRESSED);
		assert_int_equal(st->spell_count, 2);
		streams_free(s);
	}
}

/* Of which holes is it the sender's own silence? */
static void silence_and_faults(void **state)
{
	static const struct { const char *name; struct gap gap; uint32_t comfort, suppressed; bool dtx, silence; } rows[] = {
		{ "talkspurts", { .seq_step = 1, .suppressed_ms = 4000 }, 0, 3, false, true },
		{ "a word cut, by who never pauses", { .seq_step = 1, .suppressed_ms = 4000, .speech_before = true,
			.speech_after = true }, 0, 1, false, false },
		{ "the same, agreed in SDP", { .seq_step = 1, .suppressed_ms = 4000, .speech_before = true,
			.speech_after = true }, 0, 1, true, true },
		{ "stalled", { .seq_step = 1, .stalled_ms = 4000 }, 0, 3, false, false },
		{ "stalled behind comfort noise", { .seq_step = 1, .stalled_ms = 4000 }, 2, 0, false, true },
		{ "lost behind comfort noise", { .seq_step = 201, .lost_ms = 4000 }, 2, 0, false, false },
		{ "lost", { .seq_step = 201, .lost_ms = 4000 }, 0, 3, true, false },
		{ "begun anew", { .suppressed_ms = 4000, .restart = true }, 2, 3, true, false },
		{ "another source", { .suppressed_ms = 4000, .new_source = true }, 2, 3, true, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct stream s = { .comfort = rows[i].comfort, .suppressed_gaps = rows[i].suppressed };
		struct gap g = rows[i].gap;

		g.to_ns = 4 * SECOND_NS;
		if (gap_is_silence(&s, &g, rows[i].dtx) != rows[i].silence)
			fail_msg("%s: silence %d", rows[i].name, !rows[i].silence);
	}
}

static void short_holes_are_no_gaps(void **state)
{
	struct streams *s = with_hole(140, 7, 140, false);

	(void)state;
	assert_int_equal(stream_only(s)->gap_count, 0);
	assert_int_equal(stream_only(s)->lost_within, 6);
	streams_free(s);
	s = with_hole(160, 8, 160, true);
	assert_int_equal(stream_only(s)->gap_count, 1);
	assert_true(stream_only(s)->gaps[0].marker);
	assert_int_equal(stream_only(s)->spell_count, 1);
	streams_free(s);
}

static void restart(void **state)
{
	struct streams *s = with_hole(3000, 30000, 100000, true);
	struct stream *st = stream_only(s);

	(void)state;
	assert_int_equal(st->epochs, 2);
	assert_int_equal(st->lost_within, 0);
	assert_int_equal(st->gap_count, 1);
	assert_true(st->gaps[0].restart);
	assert_int_equal(st->gaps[0].lost_ms, 0);
	assert_int_equal(st->gaps[0].to_frame, 101);
	streams_free(s);
}

/* Of more gaps than there is room for the longest stay, in order of time. */
static void longest_stay(void **state)
{
	struct streams *s = streams_signalled_all();
	struct stream *st;
	int64_t at_ns = START_NS;
	uint32_t ts = 0;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		struct packet p = rtp_at(i);
		unsigned pause_ms = i % 10 == 9 ? 200 + i * 7 % 501 : 20;

		p.at_ns = at_ns += pause_ms * MILLISECOND_NS;
		p.rtp.rtp_ts = ts += pause_ms * 8;
		streams_packet(s, &p);
	}
	st = stream_only(s);
	assert_int_equal(st->gap_count, GAP_MAX);
	for (unsigned i = 1; i < st->gap_count; i++)
		assert_true(st->gaps[i].from_ns >= st->gaps[i - 1].to_ns);
	for (unsigned i = 0; i < st->gap_count; i++)
		assert_true(st->gaps[i].to_ns - st->gaps[i].from_ns >= 300 * MILLISECOND_NS);
	streams_free(s);
}

static void windows(void **state)
{
	struct streams *s = with_hole(10000, 1, 20, false);
	struct stream *st = stream_only(s);
	int64_t second_ns = START_NS + (99 * 20 + 10000) * MILLISECOND_NS;
	uint32_t frame = 0;

	(void)state;
	assert_int_equal(lround(stream_packets_between(st, START_NS, second_ns - 1)), 100);
	assert_int_equal(lround(stream_packets_between(st, START_NS, INT64_MAX)), 200);
	assert_int_equal(lround(stream_packets_between(st, START_NS + 3 * SECOND_NS, START_NS + 8 * SECOND_NS)), 0);
	assert_int_equal(lround(stream_packets_between(st, START_NS, START_NS + 990 * MILLISECOND_NS)), 50);
	assert_int_equal(stream_first_between(st, START_NS + 3 * SECOND_NS, INT64_MAX, &frame), second_ns);
	assert_int_equal(frame, 101);
	assert_int_equal(stream_last_between(st, START_NS, second_ns, &frame), START_NS + 99 * 20 * MILLISECOND_NS);
	assert_int_equal(frame, 100);
	assert_int_equal(stream_first_between(st, START_NS + 3 * SECOND_NS, START_NS + 8 * SECOND_NS, &frame), NS_NONE);
	assert_int_equal(stream_last_between(st, START_NS - SECOND_NS, START_NS, NULL), NS_NONE);
	streams_free(s);
}

/* A window of the expectation begins: what came before and after can be told apart. */
static void cut(void **state)
{
	struct streams *s = streams_signalled_all();
	struct stream *st;

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		struct packet p = rtp_at(i);

		streams_packet(s, &p);
		if (i == 39)
			streams_cut(s, &p.dst);
		if (i == 69)
			streams_cut(s, &p.src);
	}
	st = stream_only(s);
	assert_int_equal(st->spell_count, 3);
	assert_int_equal(st->spells[0].packets, 40);
	assert_int_equal(st->spells[1].packets, 30);
	assert_int_equal(st->spells[2].packets, 30);
	assert_int_equal(st->spells[1].first_frame, 41);
	assert_int_equal(st->spells[1].last_frame, 70);
	streams_free(s);
}

/* 100 bursts with holes of 2 s, one of them of 1.5 s: 64 spells at most, all packets in them. */
static void spells_are_bounded(void **state)
{
	struct streams *s = streams_signalled_all();
	struct stream *st;
	uint32_t packets = 0;
	int64_t at_ns = START_NS;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		struct packet p = rtp_at(i);

		p.at_ns = at_ns += i % 10 ? 20 * MILLISECOND_NS : 2 * SECOND_NS;
		p.rtp.rtp_ts = (uint32_t)((p.at_ns - START_NS) / 125000);
		streams_packet(s, &p);
	}
	st = stream_only(s);
	assert_int_equal(st->spell_count, SPELL_MAX);
	for (unsigned i = 0; i < st->spell_count; i++)
		packets += st->spells[i].packets;
	assert_int_equal(packets, 1000);
	streams_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decomposed),
		cmocka_unit_test(silence_and_faults),
		cmocka_unit_test(short_holes_are_no_gaps),
		cmocka_unit_test(restart),
		cmocka_unit_test(longest_stay),
		cmocka_unit_test(windows),
		cmocka_unit_test(cut),
		cmocka_unit_test(spells_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
