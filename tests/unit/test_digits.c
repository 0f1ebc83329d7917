/* SPDX-License-Identifier: MIT */
/* test_digits: telephone-event packets become key presses: told apart by time, not by marker or packet. */
#include "tests/unit/rtp_packets.h"

#include "analyzer/media/digits.h"

/* An event packet in the place of the i-th audio packet; time and duration as its sender says. */
static struct packet event_at(unsigned i, uint32_t rtp_ts, uint8_t bytes[4], uint8_t code, bool end, uint16_t duration)
{
	struct packet p = rtp_at(i);

	bytes[0] = code;
	bytes[1] = end ? 0x8a : 0x0a;
	bytes[2] = (uint8_t)(duration >> 8);
	bytes[3] = (uint8_t)duration;
	p.rtp.pt = 101;
	p.rtp.rtp_ts = rtp_ts;
	p.rtp.payload = (struct span){ bytes, 4 };
	p.rtp.payload_wire = 4;
	return p;
}

static void feed(struct streams *s, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++) {
		struct packet p = rtp_at(i);

		streams_packet(s, &p);
	}
}

static void feed_event(struct streams *s, unsigned i, uint32_t rtp_ts, uint8_t code, bool end, uint16_t duration)
{
	uint8_t bytes[4];
	struct packet p = event_at(i, rtp_ts, bytes, code, end, duration);

	streams_packet(s, &p);
}

/* Eight packets, three of them with the end bit, are one press. */
static void one_press(void **state)
{
	struct streams *s = streams_signalled_all();
	const struct digits *d;

	(void)state;
	feed(s, 0, 50);
	for (unsigned i = 0; i < 8; i++)
		feed_event(s, 50 + i, 13000, 5, i >= 5, (uint16_t)(160 * (i < 5 ? i + 1 : 6)));
	feed(s, 58, 100);
	d = stream_only(s)->digits;
	assert_non_null(d);
	assert_int_equal(d->count, 1);
	assert_int_equal(d->list[0].packets, 8);
	assert_int_equal(d->list[0].code, 5);
	assert_int_equal(d->list[0].duration, 960);
	assert_true(d->list[0].ended && d->list[0].followed && d->list[0].seen_after && !d->list[0].shrank);
	streams_free(s);
}

/* The packet behind the last one is missing: whether an end was sent nobody knows. */
static void hole_behind(void **state)
{
	struct streams *s = streams_signalled_all();
	const struct digits *d;

	(void)state;
	feed(s, 0, 50);
	for (unsigned i = 0; i < 4; i++)
		feed_event(s, 50 + i, 13000, 5, false, (uint16_t)(160 * (i + 1)));
	feed(s, 56, 100);
	d = stream_only(s)->digits;
	assert_int_equal(d->count, 1);
	assert_true(!d->list[0].ended && d->list[0].seen_after && !d->list[0].followed);
	streams_free(s);
}

/* A second press of the same key has a time of its own; a late end of the first goes to the first. */
static void two_presses(void **state)
{
	struct streams *s = streams_signalled_all();
	const struct digits *d;

	(void)state;
	feed(s, 0, 50);
	feed_event(s, 50, 13000, 7, false, 160);
	feed_event(s, 51, 13000, 7, true, 320);
	feed_event(s, 52, 14000, 7, false, 160);
	feed_event(s, 53, 13000, 7, true, 320);
	feed_event(s, 54, 14000, 7, true, 320);
	feed(s, 55, 100);
	d = stream_only(s)->digits;
	assert_int_equal(d->count, 2);
	assert_int_equal(d->list[0].packets, 3);
	assert_int_equal(d->list[1].packets, 2);
	assert_true(d->list[0].ended && d->list[1].ended);
	streams_free(s);
}

static void falling_duration(void **state)
{
	struct streams *s = streams_signalled_all();

	(void)state;
	feed(s, 0, 50);
	feed_event(s, 50, 13000, 1, false, 480);
	feed_event(s, 51, 13000, 1, false, 160);
	feed(s, 52, 100);
	assert_true(stream_only(s)->digits->list[0].shrank);
	streams_free(s);
}

/* Codes from 16 on are no keys (RFC 4733 7); more presses than are kept are counted; cut ones too. */
/* Packets that overtake one another on the way bring no shorter durations of their sender's. */
static void overtaken_packets(void **state)
{
	static const unsigned order[] = { 0, 2, 1, 4, 3, 6, 5, 7 };
	struct streams *s = streams_signalled_all();
	const struct digits *d;

	(void)state;
	feed(s, 0, 50);
	for (unsigned k = 0; k < sizeof order / sizeof order[0]; k++) {
		unsigned i = order[k];
		uint8_t bytes[4];
		struct packet p = event_at(50 + i, 13000, bytes, 5, i >= 6, (uint16_t)(160 * (i < 6 ? i + 1 : 7)));

		p.at_ns = rtp_at(50 + k).at_ns;
		streams_packet(s, &p);
	}
	feed(s, 58, 100);
	d = stream_only(s)->digits;
	assert_int_equal(d->count, 1);
	assert_int_equal(d->list[0].packets, 8);
	assert_int_equal(d->list[0].last_seq, rtp_at(57).rtp.seq);
	assert_true(d->list[0].ended && d->list[0].followed && !d->list[0].shrank);
	streams_free(s);
}

static void limits(void **state)
{
	struct streams *s = streams_signalled_all();
	const struct digits *d;
	uint8_t bytes[4];
	struct packet cut = event_at(250, 99000, bytes, 1, true, 160);

	(void)state;
	feed(s, 0, 50);
	feed_event(s, 50, 12000, 32, true, 160);
	for (unsigned i = 0; i < DIGIT_MAX + 3; i++)
		feed_event(s, 51 + i, 13000 + i * 160, 2, true, 160);
	feed(s, 51 + DIGIT_MAX + 3, 250);
	cut.rtp.payload.n = 2;
	streams_packet(s, &cut);
	d = stream_only(s)->digits;
	assert_int_equal(d->count, DIGIT_MAX);
	assert_int_equal(d->dropped, 3);
	assert_int_equal(d->hidden, 1);
	streams_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_press), cmocka_unit_test(hole_behind), cmocka_unit_test(two_presses),
			cmocka_unit_test(falling_duration), cmocka_unit_test(overtaken_packets),
		cmocka_unit_test(limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
