/* SPDX-License-Identifier: MIT */
/* rtp_packets: RTP as dissect would give it, made by hand for the tests of analyzer/media. */
#ifndef DEADAIR_TESTS_RTP_PACKETS_H
#define DEADAIR_TESTS_RTP_PACKETS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "analyzer/media/stream_private.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))
#define START_NS (INT64_C(1700000000) * SECOND_NS)

static inline struct endpoint endpoint_at(const char *text)
{
	struct endpoint e = { .port = 0 };

	assert_true(endpoint_parse(span_of(text), &e));
	return e;
}

/* PCMA, 20 ms, from 10.0.0.1:4000 to 10.0.0.2:5000; the i-th packet of its stream. */
static inline struct packet rtp_at(unsigned i)
{
	static const uint8_t sound[160] = { 0xd5 };
	struct packet p = {
		.kind = PACKET_RTP, .has = HAS_IP | HAS_PORTS | HAS_IP_ID, .ttl = 64, .dscp = 46,
		.transport = TRANSPORT_UDP, .src = endpoint_at("10.0.0.1:4000"), .dst = endpoint_at("10.0.0.2:5000"),
		.at_ns = START_NS + i * 20 * MILLISECOND_NS,
		.frame = i + 1, .ip_id = (uint16_t)(i + 1),
	};

	p.rtp.pt = 8;
	p.rtp.seq = (uint16_t)(1000 + i);
	p.rtp.rtp_ts = 5000 + i * 160;
	p.rtp.ssrc = 0xabcd;
	p.rtp.level_dbov = 1;
	p.rtp.payload = (struct span){ sound, sizeof sound };
	p.rtp.payload_wire = sizeof sound;
	return p;
}

enum { RTP_FRAME_MOST = 54 + 160 };

/* The plain frame of such a packet; bytes has room for RTP_FRAME_MOST. */
static inline struct frame rtp_frame_of(const struct packet *p, uint8_t *bytes)
{
	size_t n = p->rtp.payload.n, ip = 40 + n, udp = 20 + n;
	const uint8_t head[54] = {
		2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 8, 0,
		0x45, (uint8_t)(p->dscp << 2), (uint8_t)(ip >> 8), (uint8_t)ip, (uint8_t)(p->ip_id >> 8),
		(uint8_t)p->ip_id, 0x40, 0, p->ttl, 17, 0, 0,
		[34] = (uint8_t)(p->src.port >> 8), (uint8_t)p->src.port, (uint8_t)(p->dst.port >> 8),
		(uint8_t)p->dst.port, (uint8_t)(udp >> 8), (uint8_t)udp,
		[42] = 0x80, (uint8_t)(p->rtp.marker << 7 | p->rtp.pt), (uint8_t)(p->rtp.seq >> 8),
		(uint8_t)p->rtp.seq, (uint8_t)(p->rtp.rtp_ts >> 24), (uint8_t)(p->rtp.rtp_ts >> 16),
		(uint8_t)(p->rtp.rtp_ts >> 8), (uint8_t)p->rtp.rtp_ts, (uint8_t)(p->rtp.ssrc >> 24),
		(uint8_t)(p->rtp.ssrc >> 16), (uint8_t)(p->rtp.ssrc >> 8), (uint8_t)p->rtp.ssrc,
	};

	assert_in_range(n, 0, 160);
	memcpy(bytes, head, sizeof head);
	memcpy(bytes + 26, p->src.addr.bytes, 4);
	memcpy(bytes + 30, p->dst.addr.bytes, 4);
	memcpy(bytes + 54, p->rtp.payload.p, n);
	return (struct frame){ .at_ns = p->at_ns, .bytes = { bytes, 54 + n }, .wire_bytes = (uint32_t)(54 + n),
		.number = p->frame, .file = p->file, .link = 1 };
}

static inline struct streams_config streams_defaults(void)
{
	return (struct streams_config){
		.heuristic_packets = 10, .interval_ns = 5 * SECOND_NS, .reorder_ns = 200 * MILLISECOND_NS,
		.overlap_ns = 500 * MILLISECOND_NS, .dup_window_ns = 20 * MILLISECOND_NS,
		.twin_max_ns = 500 * MILLISECOND_NS,
	};
}

/* A hint_fn: everything is signalled; 101 is telephone-event, 111 opus. */
static inline bool hint_all(void *context, const struct packet *p, struct stream_hint *ret)
{
	(void)context;
	(void)p;
	*ret = (struct stream_hint){ .signalled = true, .event_pt = { 101 }, .event_count = 1 };
	ret->clock_hz[101] = 8000;
	ret->codec[101] = SPAN("telephone-event");
	ret->clock_hz[111] = 48000;
	ret->codec[111] = SPAN("opus");
	return true;
}

static inline struct streams *streams_signalled_all(void)
{
	struct streams_config config = streams_defaults();

	return streams_new(&config, hint_all, NULL);
}

static inline struct streams *streams_unsignalled(void)
{
	struct streams_config config = streams_defaults();

	return streams_new(&config, NULL, NULL);
}

/* The n-th stream by first packet; NULL beyond. */
static inline struct stream *stream_nth(const struct streams *s, unsigned n)
{
	LIST_EACH(it, streams_in_order(s)) {
		if (n-- == 0)
			return LIST_ENTRY(it, struct stream, in_order);
	}
	return NULL;
}

static inline struct stream *stream_only(struct streams *s)
{
	streams_finish(s, 0);
	assert_int_equal(streams_in_order(s)->count, 1);
	return stream_nth(s, 0);
}

#endif
