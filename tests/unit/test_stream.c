/* SPDX-License-Identifier: MIT */
/*
 * test_stream: counters as tshark has them and as they are within epochs, copies, restarts, payload types, flows and
 * limits.
 */
#include "tests/unit/rtp_packets.h"

#include <math.h>

/* ---- tshark's figures: the same packets were given to tshark 4.0.17 ---- */

enum { SCRIPT_MAX = 320 };

struct script {
	struct packet p[SCRIPT_MAX];
	unsigned n;
};

/* 300 packets of 20 ms, each up to 4 ms late. */
static void script_fill(struct script *s, uint8_t pt, uint16_t first_seq, uint32_t step)
{
	s->n = 300;
	for (unsigned i = 0; i < s->n; i++) {
		s->p[i] = rtp_at(i);
		s->p[i].at_ns = START_NS + (int64_t)(i * 20000 + i * 37 % 41 * 100) * MICROSECOND_NS;
		s->p[i].rtp.pt = pt;
		s->p[i].rtp.seq = (uint16_t)(first_seq + i);
		s->p[i].rtp.rtp_ts = 5000 + i * step;
	}
}

static void script_swap(struct script *s, unsigned i)
{
	struct rtp_header other = s->p[i].rtp;

	s->p[i].rtp = s->p[i + 1].rtp;
	s->p[i + 1].rtp = other;
}

static void script_remove(struct script *s, unsigned from, unsigned count)
{
	memmove(&s->p[from], &s->p[from + count], (s->n - from - count) * sizeof s->p[0]);
	s->n -= count;
}

static void plain(struct script *s) { script_fill(s, 8, 1000, 160); }
static void wraps(struct script *s) { script_fill(s, 8, 65400, 160); }
static void from_zero(struct script *s) { script_fill(s, 8, 0, 160); }
static void odd_clock(struct script *s) { script_fill(s, 11, 1000, 882); }
static void unclocked(struct script *s) { script_fill(s, 96, 1000, 160); }

static void swapped(struct script *s)
{
	plain(s);
	for (unsigned i = 20; i < 280; i += 17)
		script_swap(s, i);
}

static void ts_back(struct script *s)
{
	plain(s);
	for (unsigned i = 200; i < s->n; i++)
		s->p[i].rtp.rtp_ts -= 16000;
}

static void wrap_swapped(struct script *s)
{
	wraps(s);
	script_swap(s, 133);
	script_swap(s, 135);
}

static void other_clock(struct script *s)
{
	plain(s);
	for (unsigned i = 100; i < 150; i++)
		s->p[i].rtp.pt = 6;
}

static void comfort(struct script *s)
{
	plain(s);
	for (unsigned i = 50; i < s->n; i += 30)
		s->p[i].rtp.pt = 13;
}

static void markers(struct script *s)
{
	plain(s);
	for (unsigned i = 60; i < s->n; i += 30)
		s->p[i].rtp.marker = true;
}

static void jump(struct script *s)
{
	plain(s);
	for (unsigned i = 150; i < s->n; i++)
		s->p[i].rtp.seq = (uint16_t)(s->p[i].rtp.seq + 30000);
}

static void jump_back(struct script *s)
{
	plain(s);
	for (unsigned i = 150; i < s->n; i++)
		s->p[i].rtp.seq = (uint16_t)(s->p[i].rtp.seq - 500);
}

static void hole(struct script *s)
{
	plain(s);
	script_remove(s, 100, 30);
}

static void ts_leap(struct script *s)
{
	plain(s);
	for (unsigned i = 150; i < s->n; i++)
		s->p[i].rtp.rtp_ts += 0x50000000;
}

static const struct tshark_case {
	const char *name;
	void (*make)(struct script *s);
	uint64_t packets;
	int64_t lost;
	double max_delta_ms, mean_jitter_ms, max_jitter_ms;     /* mean < 0: unknown */
	uint32_t epochs;
	uint64_t lost_within;
	uint32_t reordered;
} tshark_cases[] = {
	{ "plain",                   plain,        300, 0,     23.700, 0.691,      0.832,        1, 0,  0 },
	{ "neighbours swapped",      swapped,      300, 0,     23.700, 4.757,      7.734,        1, 0,  16 },
	{ "rtp_ts steps back",       ts_back,      300, 0,     23.700, 7.367,      125.662,      1, 0,  0 },
	{ "number wraps",            wraps,        300, 0,     23.700, 0.691,      0.832,        1, 0,  0 },
	{ "swapped over the wrap",   wrap_swapped, 300, 65536, 23.700, 1.223,      9.520,        1, 0,  2 },
	{ "first number is 0",       from_zero,    300, 0,     23.700, 0.691,      0.832,        1, 0,  0 },
	{ "16 kHz in between",       other_clock,  300, 0,     23.700, 10.537,     104.623,      1, 0,  0 },
	{ "comfort noise",           comfort,      300, 0,     23.700, 0.688,      0.832,        1, 0,  0 },
	{ "markers",                 markers,      300, 0,     23.700, 0.690,      0.832,        1, 0,  0 },
	{ "jump forward",            jump,         300, 30000, 23.700, 0.691,      0.832,        2, 0,  0 },
	{ "jump back",               jump_back,    300, 65036, 23.700, 0.691,      0.832,        2, 0,  0 },
	{ "30 lost",                 hole,         270, 30,    619.9,  0.686,      0.832,        1, 30, 0 },
	{ "44.1 kHz",                odd_clock,    300, 0,     23.700, 0.726,      0.865,        1, 0,  0 },
	{ "dynamic without rtpmap",  unclocked,    300, 0,     23.700, -1,         -1,           1, 0,  0 },
	{ "rtp_ts leaps",            ts_leap,      300, 0,     23.700, 561076.540, 10485760.692, 1, 0,  0 },
};

static void near_enough(const char *name, double is, double wanted, double least)
{
	double limit = fmax(least, 0.02 * fabs(wanted));

	if (fabs(is - wanted) > limit)
		fail_msg("%s: %f instead of %f", name, is, wanted);
}

static void tshark_check(const struct tshark_case *c, bool never_plain)
{
	struct streams *s = streams_signalled_all();
	struct script *script = malloc(sizeof *script);
	struct stream *st;

	s->never_plain = never_plain;
	c->make(script);
	for (unsigned i = 0; i < script->n; i++)
		streams_packet(s, &script->p[i]);
	st = stream_only(s);
	if (st->packets != c->packets || st->lost != c->lost || st->epochs != c->epochs ||
		st->lost_within != c->lost_within || st->reordered != c->reordered)
		fail_msg("%s: packets %d lost %d epochs %u within %d reordered %u", c->name, (int)st->packets,
			(int)st->lost, st->epochs, (int)st->lost_within, st->reordered);
	if (fabs((double)st->max_delta_ns / MILLISECOND_NS - c->max_delta_ms) > 0.01)
		fail_msg("%s: max delta %f", c->name, (double)st->max_delta_ns / MILLISECOND_NS);
	assert_int_equal(st->jitter_known, c->mean_jitter_ms >= 0);
	if (st->jitter_known) {
		near_enough(c->name, st->mean_jitter_ms, c->mean_jitter_ms, 0.02);
		near_enough(c->name, (double)st->max_jitter_ms, c->max_jitter_ms, 0.02);
	}
	free(script);
	streams_free(s);
}

static void as_tshark(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(tshark_cases); i++) {
		tshark_check(&tshark_cases[i], false);
		tshark_check(&tshark_cases[i], true);   /* the short way is only shorter */
	}
}

/*
 * telephone-event: tshark leaves its packets out and compares the next audio with the last audio's rtp_ts but the
 * event's time.
 */
static void digits(void **state)
{
	struct streams *s = streams_signalled_all();
	struct stream *st;

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		struct packet p = rtp_at(i);

		if (i >= 50 && i < 55) {
			p.rtp.pt = 101;
			p.rtp.rtp_ts = 5000 + 50 * 160;
			p.rtp.payload_wire = p.rtp.payload.n = 4;
		}
		streams_packet(s, &p);
	}
	st = stream_only(s);
	assert_int_equal(st->events, 5);
	assert_int_equal(st->audio, 95);
	assert_int_equal(st->lost, 0);
	assert_int_equal(st->late60, 0);
	assert_int_equal(st->type_count, 2);
	assert_int_equal(st->types[0].packets, 95);
	assert_int_equal(st->types[1].packets, 5);
	/* 20 ms passed, six packet times of rtp_ts */
	near_enough("max jitter", (double)st->max_jitter_ms, 100.0 / 16, 0.01);
	streams_free(s);
}

/* ---- loss, restarts, duplicates ---- */

static void loss_runs(void **state)
{
	static const struct { unsigned from, count; } holes[] = { { 50, 1 }, { 70, 1 }, { 90, 3 }, { 150, 12 } };
	struct streams *s = streams_signalled_all();
	struct stream *st;

	(void)state;
	for (unsigned i = 0; i < 250; i++) {
		struct packet p = rtp_at(i);
		bool lost = false;

		for (size_t k = 0; k < COUNT_OF(holes); k++)
			lost |= i >= holes[k].from && i < holes[k].from + holes[k].count;
		if (!lost)
			streams_packet(s, &p);
	}
	st = stream_only(s);
	assert_int_equal(st->lost_within, 17);
	assert_int_equal(st->expected_within, 250);
	assert_int_equal(stream_flaws(st)->loss_events, 4);
	assert_int_equal(stream_flaws(st)->loss_runs[0], 2);
	assert_int_equal(stream_flaws(st)->loss_runs[2], 1);
	assert_int_equal(stream_flaws(st)->loss_runs[9], 1);
	streams_free(s);
}

/* A late packet splits the run of losses it fell into. */
static void late_splits_run(void **state)
{
	static const unsigned order[] = { 0, 1, 2, 3, 9, 6, 10, 11 };
	struct streams *s = streams_signalled_all();
	struct stream *st;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(order); i++) {
		struct packet p = rtp_at(order[i]);

		p.at_ns = START_NS + (int64_t)i * 20 * MILLISECOND_NS;
		streams_packet(s, &p);
	}
	st = stream_only(s);
	assert_int_equal(st->lost_within, 4);
	assert_int_equal(stream_flaws(st)->loss_runs[1], 2);
	assert_int_equal(stream_flaws(st)->loss_runs[4], 0);
	assert_int_equal(stream_flaws(st)->loss_events, 2);
	assert_int_equal(st->reordered, 1);
	streams_free(s);
}

static void late_is_later_than_200_ms(void **state)
{
	struct streams *s = streams_signalled_all();
	struct packet p;
	struct stream *st;

	(void)state;
	for (unsigned i = 0; i < 200; i++) {
		p = rtp_at(i);
		if (i != 100)
			streams_packet(s, &p);
		if (i == 120) {
			p = rtp_at(100);
			p.at_ns = START_NS + 120 * 20 * MILLISECOND_NS + 1000;
			streams_packet(s, &p);
		}
	}
	st = stream_only(s);
	assert_int_equal(st->late, 1);
	assert_int_equal(st->reordered, 0);
	assert_int_equal(st->lost_within, 0);
	assert_int_equal(st->late200, 1);
	streams_free(s);
}

/* The first packets in disorder: the base moves down, nothing is a duplicate. */
static void disorder_at_start(void **state)
{
	static const unsigned order[] = { 2, 0, 1, 3, 4, 5 };
	struct streams *s = streams_signalled_all();
	struct stream *st;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(order); i++) {
		struct packet p = rtp_at(order[i]);

		p.at_ns = START_NS + (int64_t)i * MILLISECOND_NS;
		streams_packet(s, &p);
	}
	st = stream_only(s);
	assert_int_equal(st->duplicates, 0);
	assert_int_equal(st->reordered, 2);
	assert_int_equal(st->expected_within, 6);
	assert_int_equal(st->lost_within, 0);
	streams_free(s);
}

/*
 * More packets cannot be lost than time has passed: a jump of 40 within 20 ms is a restart, one of 40 in 0.8 s is
 * loss.
 */
static void jump_or_loss(void **state)
{
	static const struct {
		unsigned pause;
		uint32_t epochs;
		uint64_t lost_within;
	} cases[] = { { 0, 2, 0 }, { 39, 1, 39 } };

	(void)state;
	for (size_t k = 0; k < COUNT_OF(cases); k++) {
		struct streams *s = streams_signalled_all();
		struct stream *st;

		for (unsigned i = 0; i < 100; i++) {
			struct packet p = rtp_at(i);

			if (i >= 50) {
				p.rtp.seq = (uint16_t)(p.rtp.seq + 39);
				p.rtp.rtp_ts += cases[k].pause * 160;
				p.at_ns += cases[k].pause * 20 * MILLISECOND_NS;
			}
			streams_packet(s, &p);
		}
		st = stream_only(s);
		assert_int_equal(st->epochs, cases[k].epochs);
		assert_int_equal(st->lost_within, cases[k].lost_within);
		assert_int_equal(st->lost, 39);
		streams_free(s);
	}
}

/* An outage longer than MAX_DROPOUT packets, with rtp_ts, sequence and wall clock in step: loss, no restart. */
static void long_outage(void **state)
{
	struct streams *s = streams_signalled_all();
	struct stream *st;

	(void)state;
	for (unsigned i = 0; i < 4200; i++) {
		struct packet p = rtp_at(i);

		if (i < 100 || i >= 4100)
			streams_packet(s, &p);
	}
	st = stream_only(s);
	assert_int_equal(st->epochs, 1);
	assert_int_equal(st->lost_within, 4000);
	assert_int_equal(st->lost, 4000);
	streams_free(s);
}

/* One packet from nowhere is no restart. */
static void stray(void **state)
{
	struct streams *s = streams_signalled_all();
	struct stream *st;

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		struct packet p = rtp_at(i);

		streams_packet(s, &p);
		if (i == 50) {
			p.rtp.seq = 40000;
			p.at_ns += MILLISECOND_NS;
			streams_packet(s, &p);
		}
	}
	st = stream_only(s);
	assert_int_equal(st->epochs, 1);
	assert_int_equal(stream_flaws(st)->strays, 1);
	assert_int_equal(st->packets, 101);
	assert_int_equal(st->lost_within, 0);
	streams_free(s);
}

/* A repeated sequence number: mirror copy or the sender's repetition? 1.4.6 */
static void copies(void **state)
{
	static const struct {
		const char *name;
		int64_t after_us;
		int ip_id_step;
		uint8_t ttl;
		bool no_id;
		bool copy;
	} cases[] = {
		{ "mirrored twice",                   15,     0, 64, false, true },
		{ "other side of a router",           300,    0, 63, false, true },
		{ "sent twice",                       15,     1, 64, false, false },
		{ "no IP-ID, in the window",          15,     0, 64, true,  true },
		{ "no IP-ID, 30 ms later",            30000,  0, 64, true,  false },
		{ "same IP-ID, clocks 80 ms apart",   80000,  0, 64, false, true },
	};

	(void)state;
	for (size_t k = 0; k < COUNT_OF(cases); k++) {
		struct streams *s = streams_signalled_all();
		struct packet late[8];
		struct stream *st;
		unsigned waiting = 0;

		for (unsigned i = 0; i < 100; i++) {
			struct packet p = rtp_at(i);

			if (cases[k].no_id)
				p.has &= ~(uint32_t)HAS_IP_ID;
			while (waiting && late[0].at_ns <= p.at_ns) {
				streams_packet(s, &late[0]);
				memmove(&late[0], &late[1], --waiting * sizeof late[0]);
			}
			streams_packet(s, &p);
			p.at_ns += cases[k].after_us * MICROSECOND_NS;
			p.ip_id = (uint16_t)(p.ip_id + cases[k].ip_id_step);
			p.ttl = cases[k].ttl;
			late[waiting++] = p;
		}
		st = stream_only(s);
		if (cases[k].copy ? st->mirror_copies < 90 || st->duplicates > 4
				  : st->mirror_copies || st->duplicates < 90)
			fail_msg("%s: copies %u duplicates %u", cases[k].name, st->mirror_copies, st->duplicates);
		assert_int_equal(st->lost_within, 0);
		assert_int_equal(st->epochs, 1);
		if (cases[k].copy) {
			assert_int_equal(st->packets - st->duplicates, 100);
			assert_int_equal(stream_flaws(st)->copy_delta_max_ns, cases[k].after_us * MICROSECOND_NS);
			assert_int_equal(stream_flaws(st)->copies_other_ttl > 0, cases[k].ttl != 64);
		}
		streams_free(s);
	}
}

static void copy_result(void **state)
{
	struct streams *s = streams_signalled_all();
	struct packet p = rtp_at(0), q = rtp_at(1);

	(void)state;
	p.has |= HAS_MAC;
	q.has |= HAS_MAC;
	streams_packet(s, &p);
	assert_false(streams_packet(s, &q).copy);
	q.interface = 1;
	q.mac_src[5] = 9;
	q.vlan_count = 1;
	q.vlan[0] = 7;
	assert_true(streams_packet(s, &q).copy);
	assert_int_equal(stream_only(s)->points, 3);
	assert_int_equal(stream_flaws(stream_only(s))->copies_other_mac, 1);
	assert_int_equal(stream_flaws(stream_only(s))->copies_other_vlan, 1);
	streams_free(s);
}

/* Older than the window of 64: the bitmap knows. */
static void far_back(void **state)
{
	struct streams *s = streams_signalled_all();
	struct stream *st;

	(void)state;
	for (unsigned i = 0; i < 300; i++) {
		struct packet p = rtp_at(i);

		if (i == 100)
			continue;
		streams_packet(s, &p);
		if (i == 180 || i == 190) {             /* twice: once lost, then a duplicate */
			p = rtp_at(100);
			p.at_ns = START_NS + i * 20 * MILLISECOND_NS + 1;
			p.ip_id = (uint16_t)(7000 + i);
			streams_packet(s, &p);
		}
	}
	st = stream_only(s);
	assert_int_equal(st->late, 1);
	assert_int_equal(st->duplicates, 1);
	assert_int_equal(st->lost_within, 0);
	streams_free(s);
}

/* ---- payload types, clocks, packet time ---- */

static void packet_time(void **state)
{
	static const uint8_t ms[] = { 10, 20, 30, 40, 60 };

	(void)state;
	for (size_t k = 0; k < COUNT_OF(ms); k++) {
		struct streams *s = streams_signalled_all();

		for (unsigned i = 0; i < 50; i++) {
			struct packet p = rtp_at(i);

			p.at_ns = START_NS + (int64_t)i * ms[k] * MILLISECOND_NS;
			p.rtp.rtp_ts = i * ms[k] * 8;
			streams_packet(s, &p);
		}
		assert_int_equal(stream_only(s)->ptime_ms, ms[k]);
		streams_free(s);
	}
}

static void clock_estimated(void **state)
{
	static const struct {
		uint32_t step, clock_hz;
	} cases[] = { { 160, 8000 }, { 320, 16000 }, { 960, 48000 }, { 200, 0 } };

	(void)state;
	for (size_t k = 0; k < COUNT_OF(cases); k++) {
		struct streams *s = streams_signalled_all();
		struct stream *st;

		for (unsigned i = 0; i < 300; i++) {
			struct packet p = rtp_at(i);

			p.rtp.pt = 97;
			p.rtp.rtp_ts = i * cases[k].step;
			streams_packet(s, &p);
		}
		st = stream_only(s);
		assert_int_equal(st->clock_hz, cases[k].clock_hz);
		assert_int_equal(st->clock_estimated, cases[k].clock_hz != 0);
		assert_false(st->jitter_known);         /* tshark knows none either */
		assert_int_equal(st->late60, 0);
		streams_free(s);
	}
}

/* SDP after the media: the codec is known from then on. */
static void signalled_late(void **state)
{
	struct streams_config config = streams_defaults();
	struct streams *s = streams_new(&config, NULL, NULL);
	struct stream_hint hint;
	struct stream *st;
	unsigned told = 0;

	(void)state;
	hint_all(NULL, NULL, &hint);
	for (unsigned i = 0; i < 100; i++) {
		struct packet p = rtp_at(i);
		struct stream_result r;

		p.rtp.pt = 111;
		p.rtp.rtp_ts = i * 960;
		r = streams_packet(s, &p);
		told += r.change == STREAM_STARTED;
		assert_int_equal(r.stream != NULL, i >= 5);
		if (i == 4)
			streams_signalled(s, &p.dst, &hint);
	}
	assert_int_equal(told, 1);
	st = stream_only(s);
	assert_true(st->signalled);
	assert_int_equal(st->packets, 100);
	assert_int_equal(st->clock_hz, 48000);
	assert_true(span_equal(st->codec, SPAN("opus")));
	streams_free(s);
}

static void keepalives_are_no_audio(void **state)
{
	struct streams *s = streams_signalled_all();
	struct stream *st;

	(void)state;
	for (unsigned i = 0; i < 30; i++) {
		struct packet p = rtp_at(i);

		p.rtp.pt = i % 2 ? 20 : 8;
		p.rtp.payload.n = p.rtp.payload_wire = i % 2 ? 4 : 0;
		streams_packet(s, &p);
	}
	st = stream_only(s);
	assert_true(st->keepalive_only);
	assert_int_equal(st->keepalives, 30);
	assert_int_equal(st->audio, 0);
	assert_int_equal(st->spell_count, 0);
	streams_free(s);
}

/* ---- flows ---- */

static void new_ssrc_is_new_stream(void **state)
{
	struct streams *s = streams_signalled_all();
	unsigned changed = 0;

	(void)state;
	for (unsigned i = 0; i < 200; i++) {
		struct packet p = rtp_at(i);

		p.rtp.ssrc = i < 100 ? 1 : 2;
		if (i >= 100)
			p.at_ns += SECOND_NS;
		changed += streams_packet(s, &p).change == STREAM_SSRC_CHANGED;
	}
	streams_finish(s, 0);
	assert_int_equal(changed, 1);
	assert_int_equal(streams_in_order(s)->count, 2);
	assert_int_equal(stream_nth(s, 0)->packets, 100);
	assert_int_equal(stream_nth(s, 1)->lost, 0);
	assert_int_equal(stream_nth(s, 1)->gap_count, 1);
	assert_true(stream_nth(s, 1)->gaps[0].new_source);
	assert_int_equal(stream_nth(s, 1)->n, 2);
	streams_free(s);
}

/* Six SSRCs that take turns on one flow are six streams, not more. */
static void ssrcs_take_turns(void **state)
{
	struct streams *s = streams_signalled_all();

	(void)state;
	for (unsigned i = 0; i < 600; i++) {
		struct packet p = rtp_at(i / 60 % 6 * 10 + i % 10 + i / 360 * 100);

		p.at_ns = START_NS + i * 20 * MILLISECOND_NS;
		p.rtp.ssrc = 1 + i / 10 % 6;
		p.rtp.seq = (uint16_t)(i / 60 * 10 + i % 10);
		streams_packet(s, &p);
	}
	streams_finish(s, 0);
	assert_int_equal(streams_in_order(s)->count, 6);
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(stream_nth(s, i)->packets, 100);
	streams_free(s);
}

/* A signalled port that gets something with an SSRC of its own in each packet: no RTP. */
static void ssrc_flood(void **state)
{
	struct streams *s = streams_signalled_all();

	(void)state;
	for (unsigned i = 0; i < 500; i++) {
		struct packet p = rtp_at(i);

		p.rtp.ssrc = 0x1000 + i * 77;
		assert_null(streams_packet(s, &p).stream);
	}
	streams_finish(s, 0);
	assert_int_equal(streams_in_order(s)->count, 0);
	assert_int_equal(streams_counts(s).rtp_packets, 0);
	assert_int_equal(streams_counts(s).refused_packets, 500);
	assert_true(s->live <= FLOW_STREAM_MAX);
	streams_free(s);
}

/*
 * What begins in the first file of a ring and goes on in the next is one stream; two captures side by side give two,
 * twins.
 */
static void several_files(void **state)
{
	struct streams *s = streams_signalled_all();

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		struct packet p = rtp_at(i);

		p.file = i < 50 ? 0 : 1;
		streams_packet(s, &p);
	}
	assert_int_equal(stream_only(s)->packets, 100);
	streams_free(s);

	s = streams_signalled_all();
	for (unsigned i = 0; i < 100; i++) {
		struct packet p = rtp_at(i);

		streams_packet(s, &p);
		p.file = 1;
		p.at_ns += MILLISECOND_NS;
		p.ttl = 60;
		streams_packet(s, &p);
	}
	streams_finish(s, 0);
	assert_int_equal(streams_in_order(s)->count, 2);
	assert_int_equal(stream_nth(s, 0)->packets, 100);
	assert_int_equal(stream_nth(s, 1)->packets, 100);
	assert_ptr_equal(stream_nth(s, 1)->twin_of, stream_nth(s, 0));
	assert_int_equal(stream_nth(s, 1)->twin_kind, TWIN_POINT);
	streams_free(s);
}

static unsigned evictions;

static void count_eviction(void *context, struct stream *stream)
{
	(void)context;
	assert_true(stream->packets < 100);
	evictions++;
}

/* Full: the streams of few packets go, the long one stays. */
static void cap(void **state)
{
	struct streams_config config = streams_defaults();
	struct streams *s;
	struct packet p;

	(void)state;
	config.max_streams = 20;
	config.evicted = count_eviction;
	s = streams_new(&config, hint_all, NULL);
	evictions = 0;
	for (unsigned i = 0; i < 200; i++) {
		p = rtp_at(i);
		streams_packet(s, &p);
	}
	for (unsigned i = 0; i < 200; i++) {
		for (unsigned k = 0; k < 3; k++) {
			p = rtp_at(k);
			p.src.port = (uint16_t)(10000 + i);
			p.at_ns += SECOND_NS * i;
			streams_packet(s, &p);
		}
	}
	streams_finish(s, 0);
	assert_int_equal(streams_in_order(s)->count, 20);
	assert_int_equal(evictions, 181);
	assert_int_equal(streams_counts(s).evicted, 181);
	assert_int_equal(stream_nth(s, 0)->packets, 200);
	streams_free(s);
}

static void order_is_that_of_first_packets(void **state)
{
	struct streams *s = streams_unsignalled();

	(void)state;
	for (unsigned i = 0; i < 40; i++) {
		struct packet p = rtp_at(i);

		if (i < 4 || i >= 20)                   /* begins first, is accepted last */
			streams_packet(s, &p);
		p.src.port = 7000;
		if (i >= 2)
			streams_packet(s, &p);
	}
	streams_finish(s, 0);
	assert_int_equal(streams_in_order(s)->count, 2);
	assert_int_equal(stream_nth(s, 0)->src.port, 4000);
	assert_int_equal(stream_nth(s, 1)->src.port, 7000);
	streams_free(s);
}

/* ---- intervals, receiver ---- */

static void intervals(void **state)
{
	struct streams *s = streams_signalled_all();
	struct stream *st;
	uint32_t packets = 0, expected = 0;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		struct packet p = rtp_at(i);

		if (i < 300 || i >= 310)
			streams_packet(s, &p);
	}
	st = stream_only(s);
	assert_int_equal(st->interval_count, 4);
	for (unsigned i = 0; i < st->interval_count; i++) {
		packets += st->intervals[i].packets;
		expected += st->intervals[i].expected;
		assert_int_equal(st->intervals[i].at_ns, START_NS + i * 5 * SECOND_NS);
		assert_int_equal(st->intervals[i].expected - st->intervals[i].packets, i == 1 ? 10 : 0);
	}
	assert_int_equal(packets, 990);
	assert_int_equal(expected, 1000);
	streams_free(s);
}

/* Hours: the list does not grow beyond its limit, and nothing is lost from it. */
static void intervals_double(void **state)
{
	struct streams *s = streams_signalled_all();
	struct stream *st;
	uint64_t packets = 0;

	(void)state;
	for (unsigned i = 0; i < 3000; i++) {
		struct packet p = rtp_at(i * 250);

		p.rtp.seq = (uint16_t)i;
		streams_packet(s, &p);
	}
	st = stream_only(s);
	assert_true(st->interval_count < INTERVAL_MAX);
	assert_int_equal(st->interval_ns, 40 * SECOND_NS);
	for (unsigned i = 0; i < st->interval_count; i++)
		packets += st->intervals[i].packets;
	assert_int_equal(packets, 3000);
	streams_free(s);
}

/* 1 packet in 20 is 100 ms late, overtaken by none: late for a buffer of 60 ms, not for one of 200. */
static void late_for_60(void **state)
{
	struct streams *s = streams_signalled_all();
	struct stream *st;
	int64_t last_ns = 0;
	unsigned late = 0;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		struct packet p = rtp_at(i);

		if (i % 20 == 10)
			p.at_ns += 100 * MILLISECOND_NS;
		if (p.at_ns < last_ns)
			p.at_ns = last_ns;
		last_ns = p.at_ns;
		late += p.at_ns - START_NS - i * 20 * MILLISECOND_NS > 60 * MILLISECOND_NS;
		streams_packet(s, &p);
	}
	st = stream_only(s);
	assert_int_equal(st->late60, late);
	assert_int_equal(st->late200, 0);
	streams_free(s);
}

/*
 * A clock 1 % slow: beyond 60 ms all come late until they are anchored anew; a buffer in use loses but 200 ms each 60
 * ms.
 */
static void late_all_the_same(void **state)
{
	struct streams *s = streams_signalled_all();
	const struct stream_flaws *f;
	struct stream *st;

	(void)state;
	for (unsigned i = 0; i < 900; i++) {
		struct packet p = rtp_at(i);

		p.at_ns += i * INT64_C(200000);
		streams_packet(s, &p);
	}
	st = stream_only(s);
	f = stream_flaws(st);
	assert_true(st->late60 > 590 && st->late60 <= 600);
	/* late from packet 301, and again from 601 on: 10 each until the buffer has moved */
	assert_true(st->late60 - f->followed >= 18 && st->late60 - f->followed <= 22);
	streams_free(s);
}

/* A stall of 400 ms holds 20 packets back, which then come at once: no buffer moves for them. */
static void late_together(void **state)
{
	struct streams *s = streams_signalled_all();
	struct stream *st;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		struct packet p = rtp_at(i);

		if (i >= 500 && i < 520)
			p.at_ns = START_NS + 520 * 20 * MILLISECOND_NS + i;
		streams_packet(s, &p);
	}
	st = stream_only(s);
	assert_true(st->late60 > 15);
	assert_int_equal(stream_flaws(st)->followed, 0);
	streams_free(s);
}

static void drift(void **state)
{
	struct streams *s = streams_signalled_all();
	struct stream *st;

	(void)state;
	for (unsigned i = 0; i < 12000; i++) {
		struct packet p = rtp_at(i);

		p.at_ns += (int64_t)i * 20000;          /* 20 us in 20 ms: the sender's clock is 1000 ppm slow */
		streams_packet(s, &p);
	}
	st = stream_only(s);
	near_enough("drift", (double)st->drift_ppm, 1000, 1);
	near_enough("rate", (double)st->ts_rate_hz, 8000 / 1.001, 0.1);
	assert_int_equal(st->late60, 0);
	streams_free(s);
}

/* ---- anything at all ---- */

static uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static struct packet random_packet(uint32_t *seed, uint16_t *seq, uint32_t *ts, int64_t *at_ns)
{
	static const uint8_t pts[] = { 8, 0, 13, 96, 101, 111, 20, 34, 11, 8, 8, 8, 8, 8 };
	struct packet p = rtp_at(0);
	uint32_t dice = next_random(seed);

	*at_ns += dice % 97 == 0 ? (int64_t)(next_random(seed) % 100000) * MILLISECOND_NS - 20 * SECOND_NS
				 : 20 * MILLISECOND_NS;
	*seq = (uint16_t)(*seq + (dice % 31 == 0 ? next_random(seed) : 1));
	*ts += dice % 29 == 0 ? next_random(seed) : 160;
	p.at_ns = *at_ns;
	p.rtp.seq = dice % 13 == 0 ? (uint16_t)(*seq - next_random(seed) % 200) : *seq;
	p.rtp.rtp_ts = *ts;
	p.rtp.pt = pts[next_random(seed) % 100 < 80 ? 0 : next_random(seed) % COUNT_OF(pts)];
	p.rtp.ssrc = 1 + next_random(seed) % 200 / 199;
	p.rtp.marker = dice % 17 == 0;
	p.rtp.payload.n = p.rtp.payload_wire = dice % 11 == 0 ? dice % 5 : 160;
	p.ip_id = (uint16_t)next_random(seed);
	p.file = dice % 1999 == 0;
	return p;
}

/* Whatever comes, every packet is counted once, and the short way gives what the long one gives. */
static void random_packets(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 20; seed++) {
		struct streams *s[2] = { streams_signalled_all(), streams_signalled_all() };
		uint32_t random = seed * 2654435761u, ts = random;
		uint16_t seq = (uint16_t)random;
		int64_t at_ns = START_NS;

		s[1]->never_plain = true;
		for (unsigned i = 0; i < 5000; i++) {
			struct packet p = random_packet(&random, &seq, &ts, &at_ns);

			streams_packet(s[0], &p);
			streams_packet(s[1], &p);
		}
		streams_finish(s[0], 0);
		streams_finish(s[1], 0);
		assert_int_equal(streams_counts(s[0]).rtp_packets + streams_counts(s[0]).refused_packets, 5000);
		assert_int_equal(streams_in_order(s[0])->count, streams_in_order(s[1])->count);
		for (unsigned i = 0; i < streams_in_order(s[0])->count; i++) {
			const struct stream *a = stream_nth(s[0], i), *b = stream_nth(s[1], i);

			assert_int_equal(a->packets, b->packets);
			assert_int_equal(a->lost, b->lost);
			assert_int_equal(a->lost_within, b->lost_within);
			assert_int_equal(a->epochs, b->epochs);
			assert_int_equal(a->late60, b->late60);
			assert_int_equal(a->gap_count, b->gap_count);
			assert_int_equal(a->spell_count, b->spell_count);
			assert_int_equal(a->audio, b->audio);
			assert_true(a->expected_within >= a->lost_within);
			near_enough("mean jitter", a->mean_jitter_ms, b->mean_jitter_ms, 0.01);
		}
		streams_free(s[0]);
		streams_free(s[1]);
	}
}

static void streams_same(struct streams *x, struct streams *y)
{
	streams_finish(x, 0);
	streams_finish(y, 0);
	assert_int_equal(streams_counts(x).rtp_packets, streams_counts(y).rtp_packets);
	assert_int_equal(streams_counts(x).refused_packets, streams_counts(y).refused_packets);
	assert_int_equal(streams_in_order(x)->count, streams_in_order(y)->count);
	for (unsigned i = 0; i < streams_in_order(x)->count; i++) {
		const struct stream *a = stream_nth(x, i), *b = stream_nth(y, i);

		assert_int_equal(a->packets, b->packets);
		assert_int_equal(a->lost, b->lost);
		assert_int_equal(a->lost_within, b->lost_within);
		assert_int_equal(a->duplicates, b->duplicates);
		assert_int_equal(a->mirror_copies, b->mirror_copies);
		assert_int_equal(a->late60, b->late60);
		assert_int_equal(a->max_delta_ns, b->max_delta_ns);
		assert_int_equal(a->last_ns, b->last_ns);
		assert_int_equal(a->last_frame, b->last_frame);
		assert_true(a->mean_jitter_ms == b->mean_jitter_ms && a->max_jitter_ms == b->max_jitter_ms);
		assert_int_equal(stream_sound(a).samples, stream_sound(b).samples);
		assert_true(stream_sound(a).max_dbm0 == stream_sound(b).max_dbm0);
	}
}

/* What nearly all packets are, each a bit early or late; now and then one that is not. */
static struct packet calm_packet(uint32_t *seed, unsigned i)
{
	struct packet p = rtp_at(i);

	p.at_ns += next_random(seed) % 30000 * MICROSECOND_NS;
	p.rtp.marker = i % 250 == 0;
	p.ttl -= i % 350 == 0;
	if (i % 450 == 0)
		p.rtp.payload.n = p.rtp.payload_wire = 80;
	return p;
}

/* Frames that are taken without a packet made of them leave what their packets would have left. */
static void a_glance_is_the_same(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 20; seed++) {
		struct streams *a = streams_signalled_all(), *b = streams_signalled_all();
		uint32_t random = seed * 2654435761u, ts = random;
		uint8_t bytes[RTP_FRAME_MOST];
		uint16_t seq = (uint16_t)random;
		int64_t at_ns = START_NS;
		unsigned taken = 0;

		for (unsigned i = 0; i < 5000; i++) {
			struct packet p = seed % 2 ? calm_packet(&random, i)
				: random_packet(&random, &seq, &ts, &at_ns);
			struct frame f;

			p.frame = i;
			f = rtp_frame_of(&p, bytes);
			assert_true(streams_prepare_plain(b, &f).hash == streams_prepare(b, &p).hash);
			plain_packet(&f, &p);
			streams_packet(a, &p);
			if (streams_plain(b, &f, streams_prepare_plain(b, &f)))
				taken++;
			else
				streams_packet(b, &p);
		}
		assert_true(seed % 2 == 0 || taken > 4500);
		streams_same(a, b);
		streams_free(a);
		streams_free(b);
	}
}

static void prepared_is_the_same(void **state)
{
	struct streams *a = streams_signalled_all(), *b = streams_signalled_all();

	(void)state;
	for (unsigned i = 0; i < 200; i++) {
		struct packet p = rtp_at(i);
		struct stream_ticket t = streams_prepare(b, &p);

		streams_packet(a, &p);
		streams_prefetch(b, &t);
		streams_packet_prepared(b, &p, t);
	}
	assert_int_equal(stream_only(a)->packets, stream_only(b)->packets);
	streams_free(a);
	streams_free(b);
}

static void ipv6(void **state)
{
	struct streams *s = streams_signalled_all();

	(void)state;
	for (unsigned i = 0; i < 60; i++) {
		struct packet p = rtp_at(i / 2);

		p.has &= ~(uint32_t)HAS_IP_ID;
		p.src = endpoint_at(i % 2 ? "[2001:db8::1]:4000" : "[2001:db8::3]:4000");
		p.dst = endpoint_at("[2001:db8::2]:5000");
		streams_packet(s, &p);
	}
	streams_finish(s, 0);
	assert_int_equal(streams_in_order(s)->count, 2);
	assert_int_equal(stream_nth(s, 0)->packets, 30);
	assert_int_equal(stream_nth(s, 1)->packets, 30);
	streams_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_tshark),
		cmocka_unit_test(digits),
		cmocka_unit_test(loss_runs),
		cmocka_unit_test(late_splits_run),
		cmocka_unit_test(late_is_later_than_200_ms),
		cmocka_unit_test(disorder_at_start),
		cmocka_unit_test(jump_or_loss),
		cmocka_unit_test(long_outage),
		cmocka_unit_test(stray),
		cmocka_unit_test(copies),
		cmocka_unit_test(copy_result),
		cmocka_unit_test(far_back),
		cmocka_unit_test(packet_time),
		cmocka_unit_test(clock_estimated),
		cmocka_unit_test(signalled_late),
		cmocka_unit_test(keepalives_are_no_audio),
		cmocka_unit_test(new_ssrc_is_new_stream),
		cmocka_unit_test(ssrcs_take_turns),
		cmocka_unit_test(ssrc_flood),
		cmocka_unit_test(several_files),
		cmocka_unit_test(cap),
		cmocka_unit_test(order_is_that_of_first_packets),
		cmocka_unit_test(intervals),
		cmocka_unit_test(intervals_double),
		cmocka_unit_test(late_for_60), cmocka_unit_test(late_all_the_same),
		cmocka_unit_test(late_together),
		cmocka_unit_test(drift),
		cmocka_unit_test(random_packets),
		cmocka_unit_test(a_glance_is_the_same),
		cmocka_unit_test(prepared_is_the_same),
		cmocka_unit_test(ipv6),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
