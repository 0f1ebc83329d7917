/* SPDX-License-Identifier: MIT */
/* test_payload_probe: runs of payload types, and what payloads look like whose length is not their codec's. */
#include "tests/unit/rtp_packets.h"

/* Bytes without any order (Numerical Recipes' generator, upper bits). */
static void noise(uint8_t *out, size_t n, uint32_t *state)
{
	for (size_t i = 0; i < n; i++) {
		*state = *state * 1664525u + 1013904223u;
		out[i] = (uint8_t)(*state >> 24);
	}
}

static void feed(struct streams *s, unsigned from, unsigned to, uint8_t pt, size_t bytes, bool cipher)
{
	static const uint8_t quiet[400] = { 0 };
	uint32_t state = from + 1;

	for (unsigned i = from; i < to; i++) {
		uint8_t payload[400];
		struct packet p = rtp_at(i);

		noise(payload, bytes, &state);
		p.rtp.pt = pt;
		p.rtp.payload = (struct span){ cipher ? payload : quiet, bytes };
		p.rtp.payload_wire = bytes;
		streams_packet(s, &p);
	}
}

/* What is as long as it should be is not looked at. */
static void ordinary(void **state)
{
	struct streams *s = streams_signalled_all();
	const struct stream *x;

	(void)state;
	feed(s, 0, 300, 8, 160, true);
	x = stream_only(s);
	assert_null(x->payload);
	assert_int_equal(x->run_count, 0);
	assert_int_equal(x->run.packets, 300);
	streams_free(s);
}

static void sizes(void **state)
{
	static const struct { const char *name; size_t bytes; uint32_t payload_offset; } cases[] = {
		{ "G.729 labelled as PCMA", 20, 0 }, { "tag of 32 bits", 164, 4 }, { "tag of 80 bits", 170, 10 },
		  { "GCM", 176, 16 }, { "some other length", 200, 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct streams *s = streams_signalled_all();
		const struct payload_look *l;

		feed(s, 0, 300, 8, cases[i].bytes, true);
		l = stream_only(s)->payload;
		if (!l)
			fail_msg("%s: not looked at", cases[i].name);
		assert_int_equal(l->shorter > 50, cases[i].payload_offset == 0);
		assert_int_equal(l->longer4 > 50, cases[i].payload_offset == 4);
		assert_int_equal(l->longer10 > 50, cases[i].payload_offset == 10);
		assert_int_equal(l->longer16 > 50, cases[i].payload_offset == 16);
		assert_int_equal(l->longer > 50, cases[i].payload_offset != 0);
		assert_int_equal(l->exact, 0);
		streams_free(s);
	}
}

/* 16 000 bytes of noise have nearly 8 bits a byte and one level; silence has neither. One window a minute. */
static void windows(void **state)
{
	struct streams *s = streams_signalled_all();
	const struct payload_look *l;

	(void)state;
	feed(s, 0, 300, 8, 170, true);
	l = stream_only(s)->payload;
	assert_int_equal(l->windows, 1);
	assert_true(l->window[0].bits > 7.97f && l->window[0].spread_db < 3 && l->window[0].median_dbm0 < -2 &&
		l->window[0].median_dbm0 > -6);
	streams_free(s);
	s = streams_signalled_all();
	feed(s, 0, 300, 8, 170, false);
	assert_true(stream_only(s)->payload->window[0].bits < 0.1f);
	streams_free(s);
}

/* Of many changes the longest runs are kept, in the order of time. */
static void runs(void **state)
{
	struct streams *s = streams_signalled_all();
	const struct stream *x;
	unsigned at = 0;

	(void)state;
	for (unsigned i = 0; i < 2 * TYPE_RUN_MAX; i++) {
		unsigned n = i == 3 ? 200 : 10 + i;

		feed(s, at, at + n, i % 2 ? 0 : 8, 160, true);
		at += n;
	}
	x = stream_only(s);
	assert_int_equal(x->run_count, TYPE_RUN_MAX);
	assert_int_equal(x->runs[0].packets, 200);
	assert_int_equal(x->runs[0].pt, 0);
	assert_int_equal(x->run.packets, 10 + 2 * TYPE_RUN_MAX - 1);
	for (unsigned i = 1; i < x->run_count; i++)
		assert_true(x->runs[i].first_ns > x->runs[i - 1].last_ns && x->runs[i].last_ns < x->run.first_ns);
	streams_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(ordinary), cmocka_unit_test(sizes),
		cmocka_unit_test(windows), cmocka_unit_test(runs) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
