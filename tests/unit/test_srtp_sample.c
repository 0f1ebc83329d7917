/* SPDX-License-Identifier: MIT */
/* srtp_sample: which packets of a stream with a known key are kept, and how many. */
#include "tests/unit/rtp_packets.h"

#include <stdio.h>

enum { RUN = SRTP_RUN_PACKETS, SECOND = 50, CAP = 1 << 20 };

static bool hint_of(void *context, const struct packet *p, struct stream_hint *ret)
{
	(void)p;
	memset(ret, 0, sizeof *ret);
	ret->signalled = ret->secure = true;
	ret->keyed = *(const bool *)context;
	ret->clock_hz[8] = 8000;
	return true;
}

static bool keyed;

static struct streams *streams_of(bool key, size_t cap)
{
	struct streams_config config = streams_defaults();

	keyed = key;
	config.max_sample_bytes = cap;
	return streams_new(&config, hint_of, &keyed);
}

/* The i-th packet, with a sequence number of its own, as plain frame where that may be. */
static const struct stream *send(struct streams *s, unsigned i, uint32_t seq)
{
	static uint8_t bytes[RTP_FRAME_MOST];
	static const struct stream *stream;
	struct packet p = rtp_at(i), whole;
	struct stream_result r;
	struct frame f;

	p.rtp.seq = (uint16_t)seq;
	f = rtp_frame_of(&p, bytes);
	if (streams_plain(s, &f, streams_prepare_plain(s, &f)))
		return stream;
	plain_packet(&f, &whole);
	whole.at_ns = p.at_ns;
	r = streams_packet(s, &whole);
	stream = r.stream ? r.stream : stream;
	return stream;
}

static const struct stream *send_all(struct streams *s, unsigned from, unsigned to, uint32_t first_seq)
{
	const struct stream *stream = NULL;

	for (unsigned i = from; i < to; i++)
		stream = send(s, i, first_seq + i);
	return stream;
}

static unsigned packet_of(const struct srtp_sample *m, unsigned run, unsigned i)
{
	return m->runs[run].packets[i].frame - 1;
}

static void test_runs(void **state)
{
	struct streams *s = streams_of(true, CAP);
	const struct stream *x = send_all(s, 0, 65 * SECOND, 1000);
	const struct srtp_sample *m = x->srtp;

	(void)state;
	assert_non_null(m);
	assert_int_equal(m->run_count, 3);
	assert_in_range(packet_of(m, 0, 0), 1, 3);
	assert_in_range(packet_of(m, 1, 0), 2 * SECOND, 2 * SECOND + 4);
	assert_in_range(packet_of(m, 2, 0), 62 * SECOND, 62 * SECOND + 8);
	for (unsigned r = 0; r < 3; r++) {
		assert_int_equal(m->runs[r].count, RUN);
		for (unsigned i = 0; i < RUN; i++) {
			const struct srtp_packet *p = &m->runs[r].packets[i];
			const uint8_t *b = m->runs[r].bytes + p->at;

			assert_int_equal(packet_of(m, r, i), packet_of(m, r, 0) + i);
			assert_int_equal(p->bytes, 172);
			assert_int_equal(b[0], 0x80);
			assert_int_equal(b[2] << 8 | b[3], 1000 + packet_of(m, r, i));
			assert_int_equal(b[171], 0);
			assert_int_equal(p->rollovers, 0);
		}
	}
	streams_free(s);
}

static void test_none(void **state)
{
	static const struct { bool keyed; size_t cap; } rows[] = { { false, CAP }, { true, 0 } };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct streams *s = streams_of(rows[i].keyed, rows[i].cap);

		assert_null(send_all(s, 0, 100, 1000)->srtp);
		streams_free(s);
	}
}

static void test_after_a_description(void **state)
{
	struct streams *s = streams_of(true, CAP);
	struct endpoint at = endpoint_at("10.0.0.2:5000");
	struct stream_hint hint;
	const struct stream *x;

	(void)state;
	send_all(s, 0, 20 * SECOND, 1000);
	hint_of(&keyed, NULL, &hint);
	streams_signalled(s, &at, &hint);
	x = send_all(s, 20 * SECOND, 30 * SECOND, 1000);
	assert_int_equal(x->srtp->run_count, 3);
	assert_in_range(packet_of(x->srtp, 2, 0), 22 * SECOND, 22 * SECOND + 4);
	streams_free(s);
}

static void test_where_numbers_wrap(void **state)
{
	struct streams *s = streams_of(true, CAP);
	const struct stream *x = send_all(s, 0, 20 * SECOND, 65536 - 10 * SECOND);
	const struct srtp_run *last = &x->srtp->runs[2];

	(void)state;
	assert_int_equal(x->srtp->run_count, 3);
	assert_in_range(packet_of(x->srtp, 2, 0), 10 * SECOND, 10 * SECOND + 2);
	assert_int_equal(last->packets[0].rollovers, 1);
	assert_int_equal(x->srtp->runs[0].packets[0].rollovers, 0);
	streams_free(s);
}

static void test_late_over_the_wrap(void **state)
{
	struct streams *s = streams_of(true, CAP);
	const struct stream *x;
	const struct srtp_run *run;

	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		unsigned sent = i == 10 ? 11 : i == 11 ? 10 : i;

		x = send(s, i, 65525 + sent);
	}
	run = &x->srtp->runs[0];
	for (unsigned i = 0; i < run->count; i++) {
		const uint8_t *b = run->bytes + run->packets[i].at;

		assert_int_equal(run->packets[i].rollovers, (b[2] << 8 | b[3]) < 0x8000);
	}
	streams_free(s);
}

static void test_no_more_than_fit(void **state)
{
	struct streams *s = streams_of(true, CAP);
	const struct stream *x = send_all(s, 0, 20 * 60 * SECOND, 1000);
	const struct srtp_sample *m = x->srtp;

	(void)state;
	assert_int_equal(m->run_count, SRTP_RUN_MAX);
	assert_in_range(packet_of(m, 2, 0), 62 * SECOND, 63 * SECOND);
	assert_true(packet_of(m, SRTP_RUN_MAX - 1, 0) > 18 * 60 * SECOND);
	for (unsigned r = 1; r < SRTP_RUN_MAX; r++)
		assert_true(packet_of(m, r, 0) > packet_of(m, r - 1, 0));
	streams_free(s);
}

static void test_a_cap_for_all(void **state)
{
	struct streams *s = streams_of(true, 12000);
	const struct stream *x = send_all(s, 0, 10 * 60 * SECOND, 1000);

	(void)state;
	assert_in_range(x->srtp->run_count, 1, 2);
	assert_true(s->sample_bytes < 2 * 12000);
	streams_free(s);
}

static void test_cut_packets(void **state)
{
	struct streams *s = streams_of(true, CAP);
	const struct stream *x = NULL;

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		static uint8_t bytes[RTP_FRAME_MOST];
		struct packet p = rtp_at(i), cut;
		struct frame f = rtp_frame_of(&p, bytes);
		struct stream_result r;

		plain_packet(&f, &cut);
		cut.has |= HAS_TRUNCATED;
		cut.payload.n = 100;
		r = streams_packet(s, &cut);
		x = r.stream ? r.stream : x;
	}
	assert_int_equal(x->srtp->runs[0].count, 0);
	assert_int_equal(x->srtp->unreadable, RUN);
	streams_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_runs),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_after_a_description),
		cmocka_unit_test(test_where_numbers_wrap),
		cmocka_unit_test(test_late_over_the_wrap),
		cmocka_unit_test(test_no_more_than_fit),
		cmocka_unit_test(test_a_cap_for_all),
		cmocka_unit_test(test_cut_packets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
