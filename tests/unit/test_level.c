/* SPDX-License-Identifier: MIT */
/* test_level: G.711 in dBm0 and what of it is speech, silence, stuck or idle. */
#include "tests/unit/rtp_packets.h"

#include <math.h>

static void near_db(const char *name, float is, double wanted, double limit)
{
	if (fabs((double)is - wanted) > limit)
		fail_msg("%s: %f instead of %f", name, (double)is, wanted);
}

/* The nearest code to a linear value: slow and plain. */
static uint8_t encode(enum level_law law, int value)
{
	unsigned best = 0;

	for (unsigned code = 1; code < 256; code++) {
		if (abs(level_linear(law, (uint8_t)code) - value) < abs(level_linear(law, (uint8_t)best) - value))
			best = code;
	}
	return (uint8_t)best;
}

static void linear(void **state)
{
	static const struct {
		enum level_law law;
		uint8_t code;
		int value;
	} cases[] = {
		{ LEVEL_MU_LAW, 0xff, 0 },
		{ LEVEL_MU_LAW, 0x7f, 0 },
		{ LEVEL_MU_LAW, 0x80, 32124 },
		{ LEVEL_MU_LAW, 0x00, -32124 },
		{ LEVEL_MU_LAW, 0xfe, 8 },
		{ LEVEL_MU_LAW, 0x7e, -8 },
		{ LEVEL_A_LAW, 0xd5, 8 },
		{ LEVEL_A_LAW, 0x55, -8 },
		{ LEVEL_A_LAW, 0xaa, 32256 },
		{ LEVEL_A_LAW, 0x2a, -32256 },
		{ LEVEL_A_LAW, 0xd4, 24 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		if (level_linear(cases[i].law, cases[i].code) != cases[i].value)
			fail_msg("%d %02x: %d", cases[i].law, cases[i].code, level_linear(cases[i].law, cases[i].code));
	}
}

static void idle_codes(void **state)
{
	static const struct {
		enum level_law law;
		uint8_t code;
		double dbm0;
	} cases[] = {
		{ LEVEL_A_LAW, 0xd5, -65.96 },
		{ LEVEL_A_LAW, 0x55, -65.96 },
		{ LEVEL_MU_LAW, 0xff, (double)LEVEL_NONE_DBM0 },
		{ LEVEL_MU_LAW, 0x7f, (double)LEVEL_NONE_DBM0 },
	};
	struct level_table *t = level_table_new();

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		uint8_t payload[160];

		memset(payload, cases[i].code, sizeof payload);
		near_db("idle", level_dbm0(level_power(t, cases[i].law, (struct span){ payload, sizeof payload })),
			cases[i].dbm0, 0.05);
	}
	assert_true(level_power(t, LEVEL_A_LAW, SPAN_NONE) <= 0);
	level_table_free(t);
}

/* Sines of 1004 Hz: full scale is +3.17 in mu-law and +3.14 in A-law, a tenth of it 20 dB less. */
static void sines(void **state)
{
	static const struct {
		enum level_law law;
		double amplitude, dbm0;
	} cases[] = {
		{ LEVEL_MU_LAW, 32124, 3.17 },
		{ LEVEL_MU_LAW, 3212.4, -16.83 },
		{ LEVEL_A_LAW, 32256, 3.14 },
		{ LEVEL_A_LAW, 3225.6, -16.86 },
		{ LEVEL_A_LAW, 322.56, -36.86 },
	};
	struct level_table *t = level_table_new();

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		uint8_t payload[1600];

		for (unsigned k = 0; k < sizeof payload; k++)
			payload[k] =
				encode(cases[i].law, (int)lround(cases[i].amplitude * sin(2 * M_PI * 1004 * k / 8000)));
		near_db("sine", level_dbm0(level_power(t, cases[i].law, (struct span){ payload, sizeof payload })),
			cases[i].dbm0, 0.3);
	}
	level_table_free(t);
}

enum sound { SILENCE, SPEECH, QUIET, STUCK };

static void fill(uint8_t payload[160], enum sound sound, unsigned i)
{
	for (unsigned k = 0; k < 160; k++) {
		switch (sound) {
		case SILENCE: payload[k] = k & 1 ? 0xd5 : 0x55; break;
		case SPEECH: payload[k] = (uint8_t)((i * 7 + k * 13) % 32 + 0x90); break;
		case QUIET: payload[k] = (uint8_t)(0xd0 + (i + k) % 3); break;
		case STUCK: payload[k] = (uint8_t)(0x90 + k % 16); break;
		}
	}
}

static void send_sound(struct streams *s, unsigned from, unsigned to, enum sound sound, int64_t pause_ms)
{
	for (unsigned i = from; i < to; i++) {
		uint8_t payload[160];
		struct packet p = rtp_at(i);

		fill(payload, sound, i);
		p.at_ns += pause_ms * MILLISECOND_NS;
		p.rtp.rtp_ts += (uint32_t)pause_ms * 8;
		p.rtp.payload = (struct span){ payload, sizeof payload };
		streams_packet(s, &p);
	}
}

static void figures(void **state)
{
	static const struct {
		enum sound sound;
		bool silent, speech, one_code;
		uint32_t stuck_least;
	} cases[] = {
		{ SILENCE, true, false, true, 0 },
		{ SPEECH, false, true, false, 0 },
		{ STUCK, false, true, false, 390 },
		{ QUIET, false, false, false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct streams *s = streams_signalled_all();
		struct stream_sound heard;

		send_sound(s, 0, 400, cases[i].sound, 0);
		heard = stream_sound(stream_only(s));
		assert_true(heard.known);
		assert_in_range(heard.samples, 98, 101);
		assert_int_equal(heard.silent, cases[i].silent ? heard.samples : 0);
		assert_int_equal(heard.speech, cases[i].speech ? heard.samples : 0);
		assert_int_equal(heard.one_code, cases[i].one_code);
		assert_true(cases[i].stuck_least ? heard.stuck_run_max >= cases[i].stuck_least : heard.stuck_run_max < 50);
		near_db("seconds", (float)heard.speech_s, cases[i].speech ? 8 : 0, 0.15);
		streams_free(s);
	}
}

static bool hint_secure(void *context, const struct packet *p, struct stream_hint *ret)
{
	hint_all(context, p, ret);
	ret->secure = true;
	return true;
}

/* Each stretch of 5 s has its own level; one that nobody listens to has none. */
static void level_of_a_stretch(void **state)
{
	struct streams_config config = streams_defaults();
	struct streams *s = streams_signalled_all();
	struct stream *st;

	(void)state;
	send_sound(s, 0, 250, SPEECH, 0);
	send_sound(s, 250, 500, SILENCE, 0);
	send_sound(s, 500, 750, QUIET, 0);
	st = stream_only(s);
	assert_int_equal(st->interval_count, 3);
	near_db("speech", st->intervals[0].level_dbm0, stream_sound(st).max_dbm0, 1.5);
	assert_in_range(st->intervals[1].level_dbm0 + 100, 30, 39);
	assert_in_range(st->intervals[2].level_dbm0 + 100, 40, 59);
	for (unsigned i = 0; i < 3; i++)
		assert_true(st->intervals[i].audio);
	streams_free(s);
	s = streams_new(&config, hint_secure, NULL);
	send_sound(s, 0, 100, SPEECH, 0);
	assert_int_equal(stream_only(s)->intervals[0].level_dbm0, INTERVAL_UNHEARD);
	streams_free(s);
}

/* Words, a hole, words: the gap knows that somebody was cut off. */
static void speech_around_a_gap(void **state)
{
	static const struct { enum sound before, after; bool speech_before, speech_after; } cases[] = {
		{ SPEECH, SPEECH, true, true }, { SILENCE, SPEECH, false, true }, { SPEECH, SILENCE, true, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct streams *s = streams_signalled_all();
		struct stream *st;

		send_sound(s, 0, 100, cases[i].before, 0);
		send_sound(s, 100, 200, cases[i].after, 3000);
		st = stream_only(s);
		assert_int_equal(st->gap_count, 1);
		assert_int_equal(st->gaps[0].speech_before, cases[i].speech_before);
		assert_int_equal(st->gaps[0].speech_after, cases[i].speech_after);
		assert_int_equal(gap_kind(&st->gaps[0]), GAP_SUPPRESSED);
		streams_free(s);
	}
}

/* Encrypted payloads say nothing; RFC 6464 does, for what is no G.711. */
static void not_listened_to(void **state)
{
	struct streams_config config = streams_defaults();
	struct streams *s = streams_new(&config, hint_secure, NULL);

	(void)state;
	send_sound(s, 0, 100, SPEECH, 0);
	assert_false(stream_sound(stream_only(s)).known);
	streams_free(s);
}

static void tag_behind_the_sound(void **state)
{
	struct streams *s = streams_unsignalled();

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		uint8_t payload[170];
		struct packet p = rtp_at(i);

		for (unsigned k = 0; k < sizeof payload; k++)
			payload[k] = (uint8_t)(i * 7 + k * 13);
		p.rtp.payload = (struct span){ payload, sizeof payload };
		p.rtp.payload_wire = sizeof payload;
		streams_packet(s, &p);
	}
	assert_int_equal(stream_only(s)->packets, 100);
	assert_false(stream_sound(stream_only(s)).known);
	streams_free(s);
}

static void given_by_the_sender(void **state)
{
	struct streams *s = streams_signalled_all();
	struct stream_sound heard;

	(void)state;
	for (unsigned i = 0; i < 200; i++) {
		struct packet p = rtp_at(i);

		p.rtp.pt = 111;
		p.rtp.rtp_ts = i * 960;
		p.rtp.extension = true;
		p.rtp.level_dbov = i < 100 ? -127 : -26;
		streams_packet(s, &p);
	}
	heard = stream_sound(stream_only(s));
	assert_true(heard.known);
	near_db("given", heard.max_dbm0, -19.82, 0.01);
	assert_in_range(heard.silent, 24, 26);
	assert_in_range(heard.speech, 24, 26);
	streams_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(linear),
		cmocka_unit_test(idle_codes),
		cmocka_unit_test(sines),
		cmocka_unit_test(figures),
		cmocka_unit_test(level_of_a_stretch),
		cmocka_unit_test(speech_around_a_gap),
		cmocka_unit_test(not_listened_to),
		cmocka_unit_test(tag_behind_the_sound),
		cmocka_unit_test(given_by_the_sender),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
