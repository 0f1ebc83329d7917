/* SPDX-License-Identifier: MIT */
/* tcp: order, holes, copies and caps, over segments made by hand. */
#include <stdio.h>

#include "dissect_bytes.h"

#include "captures/base/ns.h"
#include "dissect/tcp.h"

struct world {
	struct dissector_counts counts;
	struct tcp_streams *t;
	uint32_t frame;
	int64_t at_ns;
	struct tcp_message messages[4]; /* that the segment added last completed */
	char first[64];              /* beginning of the first of them, which lives no longer than until the next */
	struct packet packet;        /* that segment */
};

static int setup(void **state)
{
	struct world *w = test_calloc(1, sizeof *w);

	w->t = tcp_new(&w->counts);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	tcp_free(w->t);
	test_free(w);
	return 0;
}

/* From 10.0.0.1:5060 to 10.0.0.2:5060, or (back) the other way. Gives how many messages it completed. */
static unsigned segment(struct world *w, bool back, uint8_t flags, uint32_t seq, uint32_t ack, struct span payload,
	size_t missing)
{
	struct packet *p = &w->packet;
	unsigned n = 0;

	*p = (struct packet){ .frame = ++w->frame, .at_ns = w->at_ns, .ttl = 64, .ip_id = (uint16_t)w->frame,
		.has = HAS_IP | HAS_IP_ID | HAS_PORTS };
	p->src.addr = address_v4((const uint8_t[]){ 10, 0, 0, back ? 2 : 1 });
	p->dst.addr = address_v4((const uint8_t[]){ 10, 0, 0, back ? 1 : 2 });
	p->src.port = p->dst.port = 5060;
	p->tcp_flags = flags;
	p->tcp_seq = seq;
	p->tcp_ack = ack;
	p->payload = payload;
	p->payload_wire = payload.n + missing;
	tcp_add(w->t, p);
	while (tcp_next(w->t, &w->messages[n % COUNT(w->messages)]))
		if (n++ == 0)
			snprintf(w->first, sizeof w->first, "%.*s", (int)w->messages[0].framed.bytes.n,
				(const char *)w->messages[0].framed.bytes.p);
	return n;
}

static unsigned data(struct world *w, uint32_t seq, struct span payload)
{
	return segment(w, false, TCP_ACK, seq, 1, payload, 0);
}

static struct span part(size_t from, size_t to)
{
	return (struct span){ options_sip.p + from, to - from };
}

static void test_header(void **state)
{
	static const struct { const char *name; struct span bytes; size_t more; bool ok; enum undecoded undecoded;
		size_t payload; } rows[] = {
		{ "data", SPAN("\x13\xc4\x13\xc5" "\0\0\0\1" "\0\0\0\2" "\x50\x18\0\0" "\0\0\0\0" "ab"), 0, true,
		  UNDECODED_NO, 2 },
		{ "options", SPAN("\x13\xc4\x13\xc5" "\0\0\0\1" "\0\0\0\2" "\x60\x18\0\0" "\0\0\0\0" "\1\1\1\1" "ab"),
		  0, true, UNDECODED_NO, 2 },
		{ "data offset 4", SPAN("\x13\xc4\x13\xc5" "\0\0\0\1" "\0\0\0\2" "\x40\x18\0\0" "\0\0\0\0" "ab"), 0,
		  false, UNDECODED_MALFORMED, 0 },
		{ "data offset past the end", SPAN("\x13\xc4\x13\xc5" "\0\0\0\1" "\0\0\0\2" "\xf0\x18\0\0" "\0\0\0\0"
		  "ab"), 0, false, UNDECODED_MALFORMED, 0 },
		{ "options cut", SPAN("\x13\xc4\x13\xc5" "\0\0\0\1" "\0\0\0\2" "\xf0\x18\0\0" "\0\0\0\0"), 100, false,
		  UNDECODED_TRUNCATED, 0 },
		{ "header cut", SPAN("\x13\xc4\x13\xc5"), 100, false, UNDECODED_TRUNCATED, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cursor c = cursor_over(rows[i].bytes, rows[i].bytes.n + rows[i].more);
		struct packet p = { 0 };

		if (tcp_parse(&c, &p) != rows[i].ok || p.undecoded != rows[i].undecoded ||
		    p.payload.n != rows[i].payload)
			fail_msg("%s: undecoded %d, payload %zu", rows[i].name, p.undecoded, p.payload.n);
		if (rows[i].ok) {
			assert_int_equal(p.src.port, 5060);
			assert_int_equal(p.dst.port, 5061);
			assert_int_equal(p.tcp_seq, 1);
			assert_int_equal(p.tcp_ack, 2);
			assert_int_equal(p.tcp_flags, TCP_PSH | TCP_ACK);
		}
	}
}

/* Pieces in any order, and twice, and over the end of the sequence space: one message, when the last piece is there. */
static void test_orders(void **state)
{
	static const uint8_t orders[][6] = { { 0, 1, 2 }, { 2, 1, 0 }, { 1, 2, 0 }, { 0, 2, 1 }, { 0, 0, 1, 1, 2, 2 },
		{ 2, 1, 1, 2, 0, 0 } };
	static const size_t bounds[] = { 0, 30, 100, sizeof OPTIONS_TEXT - 1 };
	struct world *w = *state;

	for (size_t o = 0; o < COUNT(orders); o++) {
		uint32_t isn = 0xffffffc0u;             /* wraps in the second piece */
		unsigned n = o < 4 ? 3 : 6, messages = 0;

		assert_int_equal(segment(w, false, TCP_SYN, isn + (uint32_t)o, 0, SPAN_NONE, 0), 0);
		for (unsigned i = 0; i < n; i++) {
			unsigned piece = orders[o][i];

			if (data(w, isn + (uint32_t)o + 1 + (uint32_t)bounds[piece],
			    part(bounds[piece], bounds[piece + 1])) == 0)
				continue;
			messages++;
			assert_int_equal(i, n == 3 ? 2 : 4);
			assert_int_equal(w->messages[0].framed.wire, options_sip.n);
			assert_int_equal(w->messages[0].frame, w->frame);
		}
		assert_int_equal(messages, 1);
	}
	assert_int_equal(w->counts.tcp_holes, 0);
}

static void test_message(void **state)
{
	struct world *w = *state;

	segment(w, false, TCP_SYN, 99, 0, SPAN_NONE, 0);
	assert_int_equal(data(w, 100, part(0, 50)), 0);
	assert_int_equal(data(w, 150, part(50, options_sip.n)), 1);
	assert_int_equal(w->messages[0].framed.kind, FRAMED_SIP);
	assert_int_equal(w->messages[0].framed.first_frame, 2);
	assert_int_equal(w->messages[0].frame, 3);
}

static void test_one_byte_segments(void **state)
{
	struct world *w = *state;
	unsigned messages = 0;

	segment(w, false, TCP_SYN, 99, 0, SPAN_NONE, 0);
	for (size_t i = 0; i < options_sip.n; i++)
		messages += data(w, 100 + (uint32_t)i, part(i, i + 1));
	assert_int_equal(messages, 1);
}

static void test_several_in_one(void **state)
{
	static struct bytes b;
	struct world *w = *state;

	bytes_join(&b, options_sip, options_sip);
	bytes_join(&b, SPAN("\r\n\r\n"), bytes_span(&b));
	segment(w, false, TCP_SYN, 99, 0, SPAN_NONE, 0);
	assert_int_equal(data(w, 100, bytes_span(&b)), 2);
}

static void test_retransmission(void **state)
{
	struct world *w = *state;

	segment(w, false, TCP_SYN, 99, 0, SPAN_NONE, 0);
	assert_int_equal(data(w, 100, options_sip), 1);
	assert_false(w->packet.tcp_retransmission);
	w->at_ns += 300 * MILLISECOND_NS;
	assert_int_equal(data(w, 100, options_sip), 0);
	assert_true(w->packet.tcp_retransmission);

	w->packet.ip_id = 77;
	w->at_ns += 1;
	assert_int_equal(data(w, 99 + (uint32_t)options_sip.n, SPAN("x")), 0);   /* RFC 9293 3.8.4 */
	assert_false(w->packet.tcp_retransmission);
}

/* The capture has it twice: the same identification at the same moment. */
static void test_copy(void **state)
{
	struct world *w = *state;

	segment(w, false, TCP_SYN, 99, 0, SPAN_NONE, 0);
	assert_int_equal(data(w, 100, options_sip), 1);
	w->frame--;                                     /* segment() takes the identification from there */
	w->at_ns += 20 * MICROSECOND_NS;
	assert_int_equal(data(w, 100, options_sip), 0);
	assert_false(w->packet.tcp_retransmission);
}

/* First arrival wins. */
static void test_overlap(void **state)
{
	static struct bytes b;
	struct world *w = *state;

	bytes_join(&b, SPAN_NONE, part(20, 60));
	memset(b.p, 'x', 30);
	segment(w, false, TCP_SYN, 99, 0, SPAN_NONE, 0);
	data(w, 100, part(0, 50));
	data(w, 120, bytes_span(&b));
	assert_true(w->packet.tcp_retransmission);
	assert_int_equal(data(w, 160, part(60, options_sip.n)), 1);
	assert_memory_equal(w->first, options_sip.p, 60);
}

/* The peer has acknowledged what the capture never saw: no waiting. */
static void test_hole_acknowledged(void **state)
{
	struct world *w = *state;

	segment(w, false, TCP_SYN, 99, 0, SPAN_NONE, 0);
	assert_int_equal(data(w, 100, options_sip), 1);
	segment(w, true, TCP_ACK, 1, 100 + (uint32_t)options_sip.n, SPAN_NONE, 0);
	assert_false(w->packet.tcp_gap);
	segment(w, true, TCP_ACK, 1, 500 + (uint32_t)options_sip.n, SPAN_NONE, 0);
	assert_true(w->packet.tcp_gap);
	segment(w, true, TCP_ACK, 1, 500 + (uint32_t)options_sip.n, SPAN_NONE, 0);
	assert_false(w->packet.tcp_gap);                /* said once */
	assert_int_equal(data(w, 500 + (uint32_t)options_sip.n, options_sip), 1);
	assert_int_equal(w->counts.tcp_holes, 1);
	assert_int_equal(w->messages[0].frame, w->frame);
}

/* Seen from one side only: a second, then what waited, stamped with its own frame. */
static void test_hole_in_time(void **state)
{
	struct world *w = *state;

	segment(w, false, TCP_SYN, 99, 0, SPAN_NONE, 0);
	assert_int_equal(data(w, 100, options_sip), 1);
	assert_int_equal(data(w, 5000, options_sip), 0);
	w->at_ns += 1100 * MILLISECOND_NS;
	assert_int_equal(data(w, 5000 + (uint32_t)options_sip.n, SPAN("\r\n")), 2);
	assert_int_equal(w->messages[0].frame, 3);
	assert_int_equal(w->messages[0].at_ns, 0);
	assert_int_equal(w->messages[1].frame, 4);
	assert_int_equal(w->messages[1].framed.kind, FRAMED_KEEPALIVE);
	assert_int_equal(w->counts.tcp_holes, 1);
}

static void test_hole_by_hoard(void **state)
{
	struct world *w = *state;
	unsigned messages = 0;

	segment(w, false, TCP_SYN, 99, 0, SPAN_NONE, 0);
	data(w, 100, part(0, 30));
	for (uint32_t i = 0; i < 300; i++)
		messages += data(w, 1000 + i * (uint32_t)options_sip.n, options_sip);
	assert_int_equal(messages, 300);
}

static void test_midstream(void **state)
{
	static struct bytes b;
	struct world *w = *state;

	bytes_join(&b, SPAN("c=IN IP4 10.0.0.1\r\na=rtpmap:0 PCMU/8000\r\n"), options_sip);
	assert_int_equal(data(w, 7, bytes_span(&b)), 1);
	assert_memory_equal(w->first, options_sip.p, 60);
	assert_int_equal(w->messages[0].framed.wire, options_sip.n);
}

/* Ports used again without a SYN in the capture; and with one. */
static void test_reuse(void **state)
{
	struct world *w = *state;

	segment(w, false, TCP_SYN, 99, 0, SPAN_NONE, 0);
	assert_int_equal(data(w, 100, part(0, 60)), 0);
	assert_int_equal(data(w, 0x70000000, options_sip), 1);
	segment(w, false, TCP_SYN, 0x30000000, 0, SPAN_NONE, 0);
	assert_int_equal(data(w, 0x30000001, options_sip), 1);
	segment(w, false, TCP_SYN, 0x30000000, 0, SPAN_NONE, 0);
	assert_true(w->packet.tcp_retransmission);
	assert_int_equal(data(w, 0x30000001 + (uint32_t)options_sip.n, options_sip), 1);
}

static void test_reset(void **state)
{
	struct world *w = *state;

	segment(w, false, TCP_SYN, 99, 0, SPAN_NONE, 0);
	data(w, 100, part(0, 60));
	segment(w, false, TCP_RST, 160, 0, SPAN_NONE, 0);
	assert_int_equal(data(w, 160, part(60, options_sip.n)), 0);
}

static void test_cut(void **state)
{
	struct world *w = *state;

	segment(w, false, TCP_SYN, 99, 0, SPAN_NONE, 0);
	assert_int_equal(segment(w, false, TCP_ACK, 100, 0, part(0, 100), options_sip.n - 100), 1);
	assert_int_equal(w->messages[0].framed.bytes.n, 100);
	assert_int_equal(w->messages[0].framed.wire, options_sip.n);
	assert_int_equal(data(w, 100 + (uint32_t)options_sip.n, options_sip), 1);
}

/* A message, and the first part of another. */
static void talk_and_begin(struct world *w)
{
	segment(w, false, TCP_SYN, 99, 0, SPAN_NONE, 0);
	assert_int_equal(data(w, 100, options_sip), 1);
	data(w, 100 + (uint32_t)options_sip.n, part(0, 60));
}

static unsigned the_rest(struct world *w)
{
	return data(w, 160 + (uint32_t)options_sip.n, part(60, options_sip.n));
}

/* Half-open connections without end neither take memory without end nor push out one that has talked. */
static void test_flood(void **state)
{
	struct world *w = *state;
	struct packet p = { .ttl = 64, .has = HAS_IP | HAS_PORTS, .tcp_flags = TCP_SYN };
	struct tcp_message m;

	talk_and_begin(w);
	p.src.addr = p.dst.addr = address_v4((const uint8_t[]){ 10, 9, 9, 9 });
	for (uint32_t i = 0; i < 40000; i++) {
		p.src.port = (uint16_t)i;
		tcp_add(w->t, &p);
		assert_false(tcp_next(w->t, &m));
	}
	assert_true(w->counts.tcp_evicted > 10000);
	assert_int_equal(the_rest(w), 1);
}

/*
 * Nor does a day of the web: 40 000 connections that spoke TLS or HTTP, of which nothing is missing, neither push out
 * what waits for the rest of a message, nor are they said to be given up.
 */
static void test_web(void **state)
{
	static const struct span said[] = { SPAN("\x16\x03\x01\x00\x04\x02\x00\x00\x00"),
		SPAN("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), SPAN("\x17\x03\x03\x00\x02\x01\x02") };
	struct world *w = *state;
	struct packet p = { .ttl = 64, .has = HAS_IP | HAS_PORTS };
	struct tcp_message m;
	unsigned records = 0;

	talk_and_begin(w);
	p.src.addr = p.dst.addr = address_v4((const uint8_t[]){ 10, 9, 9, 9 });
	for (uint32_t i = 0; i < 40000; i++) {
		p.src.port = (uint16_t)i;
		p.tcp_seq = 7;
		p.tcp_flags = TCP_SYN;
		p.payload = SPAN_NONE;
		p.payload_wire = 0;
		if (i % 3 < 2) {
			tcp_add(w->t, &p);
			assert_false(tcp_next(w->t, &m));
		}
		p.tcp_flags = TCP_ACK;
		p.tcp_seq = 8;
		p.payload = said[i % 3];
		p.payload_wire = p.payload.n;
		tcp_add(w->t, &p);
		while (tcp_next(w->t, &m))
			records++;
	}
	assert_true(records > 20000);
	assert_int_equal(w->counts.tcp_evicted, 0);
	assert_true(w->counts.tcp_others_evicted > 10000);
	assert_int_equal(the_rest(w), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_header),
		TEST(test_orders),
		TEST(test_message),
		TEST(test_one_byte_segments),
		TEST(test_several_in_one),
		TEST(test_retransmission),
		TEST(test_copy),
		TEST(test_overlap),
		TEST(test_hole_acknowledged),
		TEST(test_hole_in_time),
		TEST(test_hole_by_hoard),
		TEST(test_midstream),
		TEST(test_reuse),
		TEST(test_reset),
		TEST(test_cut),
		TEST(test_flood),
		TEST(test_web),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
