/* SPDX-License-Identifier: MIT */
/*
 * test_heuristic: which unsignalled flows are taken for RTP, and that what is refused costs nothing and is looked at
 * again.
 */
#include "tests/unit/rtp_packets.h"

enum { SENT = 40 };

static void nothing(struct packet *p, unsigned i)
{
	(void)p;
	(void)i;
}

static void g729(struct packet *p, unsigned i)
{
	(void)i;
	p->rtp.pt = 18;
	p->rtp.payload.n = p->rtp.payload_wire = 20;
}

static void opus(struct packet *p, unsigned i)
{
	p->rtp.pt = 111;
	p->rtp.rtp_ts = i * 960;
	p->rtp.payload.n = p->rtp.payload_wire = 60 + i % 30;
}

static void srtp_tag(struct packet *p, unsigned i)
{
	(void)i;
	p->rtp.payload_wire += 10;
}

static void gsm(struct packet *p, unsigned i)
{
	(void)i;
	p->rtp.pt = 3;
	p->rtp.payload.n = p->rtp.payload_wire = 33;
}

static void one_lost(struct packet *p, unsigned i)
{
	if (i >= 5) {
		p->rtp.seq++;
		p->rtp.rtp_ts += 160;
	}
}

static void wrong_length(struct packet *p, unsigned i)
{
	(void)i;
	p->rtp.payload_wire = p->rtp.payload.n = 100;
}

static void number_stands(struct packet *p, unsigned i)
{
	(void)i;
	p->rtp.seq = 7;
}

static void number_by_100(struct packet *p, unsigned i)
{
	p->rtp.seq = (uint16_t)(i * 100);
}

static void ts_stands(struct packet *p, unsigned i)
{
	(void)i;
	p->rtp.pt = 111;
	p->rtp.rtp_ts = 99;
}

static void ts_anyhow(struct packet *p, unsigned i)
{
	p->rtp.pt = 111;
	p->rtp.rtp_ts = i * i * 2654435761u;
}

static void ts_of_a_second(struct packet *p, unsigned i)
{
	p->rtp.pt = 111;
	p->rtp.rtp_ts = i * 90000;
}

static void too_fast(struct packet *p, unsigned i)
{
	p->at_ns = START_NS + (int64_t)i * MILLISECOND_NS;
}

static void too_slow(struct packet *p, unsigned i)
{
	p->at_ns = START_NS + (int64_t)i * SECOND_NS;
}

static void video_type(struct packet *p, unsigned i)
{
	(void)i;
	p->rtp.pt = 34;
}

static void dns_port(struct packet *p, unsigned i)
{
	(void)i;
	p->dst.port = 53;
}

static void stun_port(struct packet *p, unsigned i)
{
	(void)i;
	p->src.port = 3478;
}

static void zero_ssrc(struct packet *p, unsigned i)
{
	(void)i;
	p->rtp.ssrc = 0;
}

static void ssrc_each(struct packet *p, unsigned i)
{
	p->rtp.ssrc = i * 2654435761u;
}

static void mirrored(struct packet *p, unsigned i)
{
	struct packet q = rtp_at(i / 2);

	*p = q;
	p->at_ns += i % 2 * 20 * MICROSECOND_NS;
}

/* Four at once, and their copies come backwards: 0 1 2 3 3 2 1 0. */
static void copies_overtake(struct packet *p, unsigned i)
{
	unsigned place = i % 8 < 4 ? i % 8 : 7 - i % 8;
	struct packet q = rtp_at(i / 8 * 4 + place);

	q.at_ns = rtp_at(i / 8 * 4).at_ns + i % 8 * 20 * MICROSECOND_NS;
	*p = q;
}

static const struct {
	const char *name;
	void (*change)(struct packet *p, unsigned i);
	bool accepted;
	uint64_t packets;
} cases[] = {
	{ "PCMA", nothing, true, SENT },
	{ "G729", g729, true, SENT },
	{ "opus, sizes vary", opus, true, SENT },
	{ "GSM", gsm, true, SENT },
	{ "SRTP tag behind PCMA", srtp_tag, true, SENT },
	{ "one lost", one_lost, true, SENT },
	{ "mirrored twice", mirrored, true, SENT / 2 },
	/* three copies before the first that is known for one: stream_copy.c remembers from there on */
	{ "copies overtake one another", copies_overtake, true, SENT / 2 + 3 },
	{ "PCMA of a wrong length", wrong_length, false, 0 },
	{ "sequence number stands still", number_stands, false, 0 },
	{ "sequence number by hundreds", number_by_100, false, 0 },
	{ "rtp_ts stands still", ts_stands, false, 0 },
	{ "rtp_ts anyhow", ts_anyhow, false, 0 },
	{ "packet time of seconds", ts_of_a_second, false, 0 },
	{ "1000 packets a second", too_fast, false, 0 },
	{ "1 packet a second", too_slow, false, 0 },
	{ "video type", video_type, false, 0 },
	{ "to the DNS port", dns_port, false, 0 },
	{ "from the STUN port", stun_port, false, 0 },
	{ "SSRC 0, 40 packets", zero_ssrc, false, 0 },
	{ "an SSRC a packet", ssrc_each, false, 0 },
};

static void flows(void **state)
{
	(void)state;
	for (size_t k = 0; k < COUNT_OF(cases); k++) {
		struct streams *s = streams_unsignalled();
		unsigned told = 0;

		for (unsigned i = 0; i < SENT; i++) {
			struct packet p = rtp_at(i);
			struct stream_result r;

			cases[k].change(&p, i);
			r = streams_packet(s, &p);
			told += r.change == STREAM_ACCEPTED;
		}
		streams_finish(s, 0);
		if (streams_in_order(s)->count != cases[k].accepted || told != cases[k].accepted)
			fail_msg("%s: %zu streams, told %u times", cases[k].name, streams_in_order(s)->count, told);
		if (cases[k].accepted)
			assert_int_equal(stream_nth(s, 0)->packets, cases[k].packets);
		else
			assert_int_equal(streams_counts(s).refused_packets, SENT);
		streams_free(s);
	}
}

/* SSRC 0 exists in the field: fifty packets of it are RTP. */
static void ssrc_0_of_50(void **state)
{
	struct streams *s = streams_unsignalled();

	(void)state;
	for (unsigned i = 0; i < 60; i++) {
		struct packet p = rtp_at(i);

		p.rtp.ssrc = 0;
		assert_int_equal(streams_packet(s, &p).stream != NULL, i >= 49);
	}
	assert_int_equal(stream_only(s)->packets, 60);
	streams_free(s);
}

/* The first ten packets count once the heuristic has said yes. */
static void first_ten_count(void **state)
{
	struct streams *s = streams_unsignalled();

	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		struct packet p = rtp_at(i);

		assert_int_equal(streams_packet(s, &p).stream != NULL, i == 9);
	}
	assert_int_equal(stream_only(s)->packets, 10);
	assert_false(stream_only(s)->signalled);
	streams_free(s);
}

static void nine_are_too_few(void **state)
{
	struct streams *s = streams_unsignalled();

	(void)state;
	for (unsigned i = 0; i < 9; i++) {
		struct packet p = rtp_at(i);

		streams_packet(s, &p);
	}
	streams_finish(s, 0);
	assert_int_equal(streams_in_order(s)->count, 0);
	assert_int_equal(streams_counts(s).rtp_packets, 0);
	assert_int_equal(streams_counts(s).refused_packets, 9);
	streams_free(s);
}

/* Refused once is not refused for ever: a flow that becomes RTP is found, later or when an SDP names it. */
static void refused_looked_at_again(void **state)
{
	struct streams *s = streams_unsignalled();
	struct stream_hint hint;
	struct packet p;

	(void)state;
	for (unsigned i = 0; i < 400; i++) {
		p = rtp_at(i);
		if (i < 20)
			p.rtp.seq = 1;
		streams_packet(s, &p);
	}
	assert_true(stream_only(s)->packets > 300);
	streams_free(s);

	s = streams_unsignalled();
	hint_all(NULL, NULL, &hint);
	for (unsigned i = 0; i < 60; i++) {
		p = rtp_at(i);
		if (i < 20)
			p.rtp.seq = 1;
		if (i == 20)
			streams_signalled(s, &p.dst, &hint);
		streams_packet(s, &p);
	}
	assert_int_equal(stream_only(s)->packets, 40);
	streams_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flows),
		cmocka_unit_test(ssrc_0_of_50),
		cmocka_unit_test(first_ten_count),
		cmocka_unit_test(nine_are_too_few),
		cmocka_unit_test(refused_looked_at_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
