/* SPDX-License-Identifier: MIT */
/*
 * plain: what nearly all frames of a call are, seen in one look instead of layer by layer: RTP whose header has nothing
 * but its fixed part, in whole UDP datagrams, IPv4 without options, Ethernet without tags.
 */
#ifndef DEADAIR_DISSECT_PLAIN_H
#define DEADAIR_DISSECT_PLAIN_H

#include "captures/frame.h"
#include "dissect/packet.h"

/* Is it such a frame? False: something else, or something that wants a closer look. */
bool plain_frame(const struct frame *f);

/* What tells whether an RTP packet is but the next one of its stream. */
struct rtp_glance {
	int64_t at_ns;
	uint32_t frame, rtp_ts, ssrc;
	size_t payload_wire;
	uint16_t seq, ip_id;
	uint8_t pt, ttl, dscp;
	bool marker;
};

enum {                               /* in a plain frame, bytes from its beginning */
	PLAIN_IP = 14, PLAIN_ADDRESSES = PLAIN_IP + 12, PLAIN_UDP = PLAIN_IP + 20, PLAIN_RTP = PLAIN_UDP + 8,
	PLAIN_RTP_BYTES = 12
};

static inline uint16_t plain_u16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t plain_u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Of a plain frame: */

static inline uint16_t plain_seq(const struct frame *f)
{
	return plain_u16(f->bytes.p + PLAIN_RTP + 2);
}

static inline struct span plain_payload(const struct frame *f)
{
	enum { HEADERS = PLAIN_RTP + PLAIN_RTP_BYTES };
	const uint8_t *bytes = f->bytes.p;

	return (struct span){ bytes + HEADERS, plain_u16(bytes + PLAIN_IP + 2) - (size_t)(HEADERS - PLAIN_IP) };
}

static inline struct rtp_glance plain_glance(const struct frame *f)
{
	const uint8_t *ip = f->bytes.p + PLAIN_IP, *rtp = f->bytes.p + PLAIN_RTP;

	return (struct rtp_glance){
		.at_ns = f->at_ns,
		.frame = f->number,
		.rtp_ts = plain_u32(rtp + 4),
		.ssrc = plain_u32(rtp + 8),
		.payload_wire = plain_payload(f).n,
		.seq = plain_seq(f),
		.ip_id = plain_u16(ip + 4),
		.pt = rtp[1] & 0x7f,
		.ttl = ip[8],
		.dscp = ip[1] >> 2,
		.marker = rtp[1] >> 7,
	};
}

/*
 * The whole packet of a plain frame: what the way through the layers makes of it (tests/unit/test_plain.c). *p need not
 * be cleared.
 */
void plain_packet(const struct frame *f, struct packet *p);

#endif
