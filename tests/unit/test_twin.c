/* SPDX-License-Identifier: MIT */
/* test_twin: one stream at two points is recognised, and which point is nearer to the sender; look-alikes are not. */
#include "tests/unit/rtp_packets.h"

struct point {
	const char *src, *dst;
	uint8_t ttl;
	uint16_t file;
	int64_t delay_ms;
	uint32_t ssrc;               /* 0: that of the first point */
	uint16_t seq_offset;
	bool other_payload;
};

/* Each packet has a sound of its own unless it is silence. */
static void send_point(struct streams *s, const struct point *at, unsigned i, bool silence)
{
	uint8_t sound[160];
	struct packet p = rtp_at(i);

	for (unsigned k = 0; k < sizeof sound; k++)
		sound[k] = silence ? 0xd5 : (uint8_t)(i * 31 + k * 7 + (at->other_payload ? 100 : 0));
	p.src = endpoint_at(at->src);
	p.dst = endpoint_at(at->dst);
	p.ttl = at->ttl;
	p.file = at->file;
	p.at_ns += at->delay_ms * MILLISECOND_NS;
	if (at->ssrc)
		p.rtp.ssrc = at->ssrc;
	p.rtp.seq = (uint16_t)(p.rtp.seq + at->seq_offset);
	p.rtp.payload = (struct span){ sound, sizeof sound };
	streams_packet(s, &p);
}

/* In order of time, as a source gives them. */
static void send_both(struct streams *s, const struct point *a, const struct point *b, unsigned n, bool silence)
{
	for (unsigned i = 0, k = 0; i < n || k < n;) {
		bool first = k >= n || (i < n && i * 20 + a->delay_ms <= k * 20 + b->delay_ms);

		if (first)
			send_point(s, a, i++, silence);
		else
			send_point(s, b, k++, silence);
	}
}

static struct stream *at_src(struct streams *s, const char *src, uint16_t file)
{
	struct endpoint e = endpoint_at(src);

	LIST_EACH(it, streams_in_order(s)) {
		struct stream *st = LIST_ENTRY(it, struct stream, in_order);

		if (endpoint_equal(&st->src, &e) && st->file == file)
			return st;
	}
	return NULL;
}

static const struct {
	const char *name;
	struct point near, far;
	unsigned packets;
	enum twin_kind kind;
} cases[] = {
	{ "NAT", { "10.0.0.1:4000", "192.0.2.9:5000", 64, 0, 0, 0, 0, false },
		{ "198.51.100.2:9000", "192.0.2.9:5000", 63, 0, 1, 0, 0, false }, 60, TWIN_NAT },
	{ "NAT, inwards", { "192.0.2.9:5000", "198.51.100.2:9000", 60, 0, 0, 0, 0, false },
		{ "192.0.2.9:5000", "10.0.0.1:4000", 59, 0, 1, 0, 0, false }, 60, TWIN_NAT },
	{ "relay: both ends differ", { "10.0.0.1:4000", "10.0.0.9:5000", 64, 0, 0, 0, 0, false },
		{ "10.0.0.9:5002", "10.0.0.7:4000", 64, 0, 1, 0, 0, false }, 60, TWIN_RELAY },
	{ "relay on one address, TTL anew", { "10.0.0.1:4000", "10.0.0.9:5000", 62, 0, 0, 0, 0, false },
		{ "10.0.0.1:4000", "10.0.0.7:4000", 64, 0, 1, 0, 0, false }, 60, TWIN_RELAY },
	{ "SRTP encrypted anew", { "10.0.0.1:4000", "10.0.0.9:5000", 64, 0, 0, 0, 0, false },
		{ "10.0.0.9:5002", "10.0.0.7:4000", 64, 0, 1, 0, 0, true }, 90, TWIN_RELAY },
	{ "two files, clocks 0.4 s apart", { "10.0.0.1:4000", "192.0.2.9:5000", 64, 0, 400, 0, 0, false },
		{ "198.51.100.2:9000", "192.0.2.9:5000", 60, 1, 0, 0, 0, false }, 90, TWIN_NAT },
	{ "30 packets with another payload", { "10.0.0.1:4000", "10.0.0.9:5000", 64, 0, 0, 0, 0, false },
		{ "10.0.0.9:5002", "10.0.0.7:4000", 64, 0, 1, 0, 0, true }, 30, TWIN_NONE },
	{ "15 packets", { "10.0.0.1:4000", "192.0.2.9:5000", 64, 0, 0, 0, 0, false },
		{ "198.51.100.2:9000", "192.0.2.9:5000", 63, 0, 1, 0, 0, false }, 15, TWIN_NONE },
	{ "the same SSRC by chance", { "10.0.0.1:4000", "192.0.2.9:5000", 64, 0, 0, 0, 0, false },
		{ "10.0.0.3:4000", "192.0.2.9:7000", 64, 0, 1, 0, 12345, true }, 300, TWIN_NONE },
	{ "0.6 s later in one file", { "10.0.0.1:4000", "192.0.2.9:5000", 64, 0, 0, 0, 0, false },
		{ "198.51.100.2:9000", "192.0.2.9:5000", 63, 0, 600, 0, 0, false }, 100, TWIN_NONE },
};

static void verdicts(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct streams *s = streams_signalled_all();
		struct stream *near, *far;

		send_both(s, &cases[i].near, &cases[i].far, cases[i].packets, false);
		streams_finish(s, 0);
		near = at_src(s, cases[i].near.src, cases[i].near.file);
		far = at_src(s, cases[i].far.src, cases[i].far.file);
		if (endpoint_equal(&near->src, &far->src)) {            /* told apart by where they go */
			near = stream_nth(s, 0);
			far = stream_nth(s, 1);
		}
		if (far->twin_kind != cases[i].kind || far->twin_of != (cases[i].kind ? near : NULL) || near->twin_of)
			fail_msg("%s: kind %d", cases[i].name, far->twin_kind);
		streams_free(s);
	}
}

/* Inside, between and outside: a chain of two NATs. */
static void chain(void **state)
{
	static const struct point points[] = {
		{ "10.0.0.1:4000", "192.0.2.9:5000", 64, 0, 0, 0, 0, false },
		{ "100.64.0.1:4000", "192.0.2.9:5000", 63, 0, 1, 0, 0, false },
		{ "198.51.100.2:9000", "192.0.2.9:5000", 62, 0, 2, 0, 0, false },
	};
	struct streams *s = streams_signalled_all();

	(void)state;
	for (unsigned i = 0; i < 60; i++) {
		for (size_t k = 0; k < COUNT_OF(points); k++)
			send_point(s, &points[k], i, false);
	}
	streams_finish(s, 0);
	assert_ptr_equal(stream_nth(s, 1)->twin_of, stream_nth(s, 0));
	assert_non_null(stream_nth(s, 2)->twin_of);
	assert_null(stream_nth(s, 0)->twin_of);
	streams_free(s);
}

/* A B2BUA gives the sound on under an SSRC of its own: only on request, and silence proves nothing. */
static void compared_by_payload(void **state)
{
	static const struct point in = { "10.0.0.1:4000", "10.0.0.9:5000", 64, 0, 0, 0, 0, false };
	static const struct point out = { "10.0.0.9:5002", "10.0.0.7:4000", 64, 0, 3, 0x77, 500, false };

	(void)state;
	for (unsigned round = 0; round < 3; round++) {
		struct streams *s = streams_signalled_all();

		send_both(s, &in, &out, 10, false);
		if (round > 0)
			streams_compare(s, stream_nth(s, 0), stream_nth(s, 1));
		for (unsigned i = 10; i < 60; i++) {
			send_point(s, &in, i, round == 2);
			send_point(s, &out, i, round == 2);
		}
		streams_finish(s, 0);
		assert_ptr_equal(stream_flaws(stream_nth(s, 1))->sounds_as, round == 1 ? stream_nth(s, 0) : NULL);
		/* its numbers are its own: holes there are not holes here */
		assert_null(stream_nth(s, 1)->twin_of);
		streams_free(s);
	}
}

/* A hundred streams of one SSRC: bounded work, nothing leaks. */
static void one_ssrc_for_all(void **state)
{
	struct streams *s = streams_signalled_all();

	(void)state;
	for (unsigned i = 0; i < 30; i++) {
		for (unsigned k = 0; k < 100; k++) {
			struct packet p = rtp_at(i);

			p.src.port = (uint16_t)(10000 + k);
			p.rtp.seq = (uint16_t)(p.rtp.seq + k * 500);
			streams_packet(s, &p);
		}
	}
	streams_finish(s, 0);
	assert_int_equal(streams_in_order(s)->count, 100);
	streams_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verdicts),
		cmocka_unit_test(chain),
		cmocka_unit_test(compared_by_payload),
		cmocka_unit_test(one_ssrc_for_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
