/* SPDX-License-Identifier: MIT */
/* test_mos: G.107 by known vectors, bursts, and what of a stream goes into it. */
#include "tests/unit/rtp_packets.h"

#include <math.h>

#include "analyzer/media/mos.h"

static void near_enough(double is, double wanted, double limit)
{
	if (fabs(is - wanted) > limit)
		fail_msg("%f instead of %f", is, wanted);
}

static void vectors(void **state)
{
	static const struct {
		double ie, bpl, loss, burst_r, one_way_ms, r, mos;
	} cases[] = {
		{ 0, 25.1, 0, 1, 0, 93.20, 4.41 },
		{ 0, 25.1, 1, 1, 0, 89.56, 4.33 },
		{ 0, 25.1, 5, 1, 0, 77.42, 3.92 },
		{ 0, 4.3, 1, 1, 0, 75.28, 3.83 },
		{ 11, 19, 2, 1, 0, 74.20, 3.79 },
		{ 0, 25.1, 0, 1, 200, 90.16, 4.34 },
		{ 0, 25.1, 0, 1, 400, 69.13, 3.56 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		double r = mos_r(cases[i].ie, cases[i].bpl, cases[i].loss, cases[i].burst_r, cases[i].one_way_ms);

		near_enough(r, cases[i].r, 0.005);
		near_enough(mos_from_r(r), cases[i].mos, 0.005);
	}
}

static void ends_of_the_scale(void **state)
{
	(void)state;
	near_enough(mos_from_r(-5), 1, 0);
	near_enough(mos_from_r(120), 4.5, 0);
	for (double r = 0; r < 100; r += 0.25)
		assert_true(mos_from_r(r) >= 1 && mos_from_r(r) <= 4.5);
	near_enough(mos_r(0, 25.1, 1, 0, 0), mos_r(0, 25.1, 1, 1, 0), 0);       /* no burst below 1 */
}

static void bursts(void **state)
{
	(void)state;
	near_enough(mos_burst_r(5, 100, 19), 1, 0);             /* too few of them to tell */
	near_enough(mos_burst_r(5, 100, 25), 3.8, 1e-9);
	near_enough(mos_burst_r(50, 20, 20), 1, 0);
	assert_true(mos_r(0, 25.1, 5, 3, 0) < mos_r(0, 25.1, 5, 1, 0));
}

static void codecs(void **state)
{
	static const struct {
		const char *name;
		bool known;
	} cases[] = {
		{ "PCMA", true },
		{ "pcmu", true },
		{ "G729", true },
		{ "opus", true },
		{ "G722", true },
		{ "telephone-event", false },
		{ "", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_int_equal(mos_codec_find(span_of(cases[i].name)) != NULL, cases[i].known);
	assert_true(mos_codec_find(SPAN("G722"))->wideband);
}

static struct stream stream_with(const char *codec, uint64_t lost, uint32_t late)
{
	return (struct stream){ .codec = span_of(codec),
		.audio = 1000,
		.ptime_ms = 20,
		.expected_within = 1000,
		.lost_within = lost,
		.late60 = late };
}

static void streams(void **state)
{
	struct stream clean = stream_with("PCMA", 0, 0), lossy = stream_with("PCMA", 30, 20),
		      wide = stream_with("G722", 0, 0);
	struct stream bursty = stream_with("PCMA", 100, 0), none = stream_with("x-unknown", 0, 0),
		      opus = stream_with("opus", 0, 0);
	bool valid;

	(void)state;
	near_enough(stream_mos(&clean, 0, &valid), 4.41, 0.005);
	assert_true(valid);
	near_enough(stream_mos(&lossy, 0, &valid), 3.92, 0.005);        /* lost and late together: 5 % */
	assert_true(stream_mos_without_plc(&lossy, 0, &valid) < 2.5);
	near_enough(stream_mos(&clean, 120, &valid), 4.34, 0.005);      /* 120 + buffer 60 + packet 20 = 200 ms */
	lossy.flaws = &(struct stream_flaws){ .followed = 20 };
	near_enough(stream_mos(&lossy, 0, &valid), 4.13, 0.005);        /* late, but the buffer had moved: 3 % */
	bursty.flaws = &(struct stream_flaws){ .loss_events = 25 };
	assert_true(stream_mos(&bursty, 0, &valid) > 1);
	assert_false(valid);
	assert_true(stream_mos(&wide, 0, &valid) < 0);
	assert_true(stream_mos(&none, 0, &valid) < 0);
	assert_true(stream_mos(&opus, 0, &valid) > 4);
	assert_false(valid);
	clean.audio = 0;
	assert_true(stream_mos(&clean, 0, NULL) < 0);
}

static void intervals(void **state)
{
	struct stream s = stream_with("PCMU", 0, 0);
	struct interval good = { .packets = 250, .expected = 250 }, bad = { .packets = 225, .expected = 250 },
			empty = { .expected = 250 };

	(void)state;
	near_enough(interval_mos(&s, &good, 0), 4.41, 0.005);
	assert_true(interval_mos(&s, &bad, 0) < 3.5);
	bad.packets = 260;                                      /* duplicates hide nothing and mend nothing */
	near_enough(interval_mos(&s, &bad, 0), 4.41, 0.005);
	assert_true(interval_mos(&s, &empty, 0) < 0);
	good.late60 = good.followed = 200;
	near_enough(interval_mos(&s, &good, 0), 4.41, 0.005);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors),
		cmocka_unit_test(ends_of_the_scale),
		cmocka_unit_test(bursts),
		cmocka_unit_test(codecs),
		cmocka_unit_test(streams),
		cmocka_unit_test(intervals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
