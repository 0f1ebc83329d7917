/* SPDX-License-Identifier: MIT */
/* plain: see the header. */
#include "dissect/plain.h"

#include "dissect/ip.h"
#include "dissect/quic.h"
#include "dissect/tunnel.h"

enum {
	IP4 = 20, UDP = 8,
	TYPE_IP4_NO_OPTIONS = 0x080045,      /* the ethertype and the first byte behind it */
	FRAGMENT_BITS = 0x3fff, DF = 0x4000, /* RFC 791 */
	RTP_FIXED = 0x80,                    /* version 2; no padding, extension, CSRC */
	LEVEL_NONE = 1,
	LINK_ETHERNET = 1
};

/* total: what IP says that there is of it. */
static inline bool is_plain_ip(const uint8_t *ip, size_t total, size_t captured)
{
	return total >= IP4 + UDP + PLAIN_RTP_BYTES && total <= captured && !(plain_u16(ip + 6) & FRAGMENT_BITS) &&
	       ip[9] == IP_UDP;
}

/* Nothing that RTCP, QUIC or a tunnel could be. */
static inline bool is_plain_rtp(const uint8_t *udp, const uint8_t *rtp)
{
	return rtp[0] == RTP_FIXED && (rtp[1] < 192 || rtp[1] > 223) && !quic_version(plain_u32(rtp + 1)) &&
	       plain_u16(udp) != PORT_QUIC && plain_u16(udp + 2) != PORT_QUIC && !tunnel_port(plain_u16(udp + 2));
}

bool plain_frame(const struct frame *f)
{
	const uint8_t *bytes = f->bytes.p, *ip = bytes + PLAIN_IP, *udp = bytes + PLAIN_UDP, *rtp = bytes + PLAIN_RTP;
	size_t total;

	if (f->link != LINK_ETHERNET || f->bytes.n < PLAIN_RTP + PLAIN_RTP_BYTES || f->bytes.n != f->wire_bytes ||
	    plain_u32(bytes + 12) >> 8 != TYPE_IP4_NO_OPTIONS)
		return false;
	total = plain_u16(ip + 2);
	return is_plain_ip(ip, total, f->bytes.n - PLAIN_IP) && plain_u16(udp + 4) == total - IP4 &&
	       is_plain_rtp(udp, rtp);
}

static inline void address4_set(struct endpoint *e, const uint8_t *bytes, const uint8_t *port)
{
	e->addr.family = 4;
	memcpy(e->addr.bytes, bytes, 4);
	e->port = plain_u16(port);
}

static inline void rtp_set(struct rtp_header *h, const uint8_t *rtp, size_t bytes)
{
	*h = (struct rtp_header){
		.pt = rtp[1] & 0x7f,
		.marker = rtp[1] >> 7,
		.seq = plain_u16(rtp + 2),
		.rtp_ts = plain_u32(rtp + 4),
		.ssrc = plain_u32(rtp + 8),
		.payload = { rtp + PLAIN_RTP_BYTES, bytes - PLAIN_RTP_BYTES },
		.payload_wire = bytes - PLAIN_RTP_BYTES,
		.level_dbov = LEVEL_NONE
	};
}

void plain_packet(const struct frame *f, struct packet *p)
{
	const uint8_t *bytes = f->bytes.p, *ip = bytes + PLAIN_IP, *udp = bytes + PLAIN_UDP, *rtp = bytes + PLAIN_RTP;
	size_t total = plain_u16(ip + 2);

	packet_begin(p, f);
	memcpy(p->mac_dst, bytes, 6);
	memcpy(p->mac_src, bytes + 6, 6);
	p->has = HAS_MAC | HAS_IP | HAS_IP_ID | HAS_PORTS | (plain_u16(ip + 6) & DF ? HAS_DF : 0u);
	p->dscp = ip[1] >> 2;
	p->ecn = ip[1] & 3;
	p->ip_bytes = (uint16_t)total;
	p->ip_id = plain_u16(ip + 4);
	p->ttl = ip[8];
	p->ip_protocol = IP_UDP;
	p->transport = TRANSPORT_UDP;
	address4_set(&p->src, ip + 12, udp);
	address4_set(&p->dst, ip + 16, udp + 2);
	p->payload = (struct span){ rtp, total - IP4 - UDP };
	p->payload_wire = p->payload.n;
	p->kind = PACKET_RTP;
	rtp_set(&p->rtp, rtp, p->payload.n);
	ip_udp_checksum(p, plain_u16(udp + 6), (struct span){ udp, total - IP4 });
}
