/* SPDX-License-Identifier: MIT */
/* plain: see the header. */
#include "dissect/plain.h"

#include "dissect/ip.h"
#include "dissect/quic.h"
#include "dissect/tunnel.h"

enum {
	ETHERNET = 14, IP4 = 20, UDP = 8, RTP = 12,
	AT_IP = ETHERNET, AT_UDP = AT_IP + IP4, AT_RTP = AT_UDP + UDP,
	TYPE_IP4_NO_OPTIONS = 0x080045,      /* the ethertype and the first byte behind it */
	FRAGMENT_BITS = 0x3fff, DF = 0x4000, /* RFC 791 */
	RTP_FIXED = 0x80,                    /* version 2; no padding, extension, CSRC */
	LEVEL_NONE = 1,
	LINK_ETHERNET = 1
};

static inline uint16_t u16_at(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t u32_at(const uint8_t *p)
{
	return (uint32_t)u16_at(p) << 16 | u16_at(p + 2);
}

/* total: what IP says that there is of it. */
static inline bool is_plain_ip(const uint8_t *ip, size_t total, size_t captured)
{
	return total >= IP4 + UDP + RTP && total <= captured && !(u16_at(ip + 6) & FRAGMENT_BITS) && ip[9] == IP_UDP;
}

/* Nothing that RTCP, QUIC or a tunnel could be. */
static inline bool is_plain_rtp(const uint8_t *udp, const uint8_t *rtp)
{
	return rtp[0] == RTP_FIXED && (rtp[1] < 192 || rtp[1] > 223) && !quic_version(u32_at(rtp + 1)) &&
	       u16_at(udp) != PORT_QUIC && u16_at(udp + 2) != PORT_QUIC && !tunnel_port(u16_at(udp + 2));
}

static inline void address4_set(struct endpoint *e, const uint8_t *bytes, const uint8_t *port)
{
	e->addr.family = 4;
	memcpy(e->addr.bytes, bytes, 4);
	e->port = u16_at(port);
}

static inline void rtp_set(struct rtp_header *h, const uint8_t *rtp, size_t bytes)
{
	*h = (struct rtp_header){
		.pt = rtp[1] & 0x7f,
		.marker = rtp[1] >> 7,
		.seq = u16_at(rtp + 2),
		.rtp_ts = u32_at(rtp + 4),
		.ssrc = u32_at(rtp + 8),
		.payload = { rtp + RTP, bytes - RTP },
		.payload_wire = bytes - RTP,
		.level_dbov = LEVEL_NONE
	};
}

bool plain_rtp(const struct frame *f, struct packet *p)
{
	const uint8_t *bytes = f->bytes.p, *ip = bytes + AT_IP, *udp = bytes + AT_UDP, *rtp = bytes + AT_RTP;
	size_t total;

	if (f->link != LINK_ETHERNET || f->bytes.n < AT_RTP + RTP || f->bytes.n != f->wire_bytes ||
	    u32_at(bytes + 12) >> 8 != TYPE_IP4_NO_OPTIONS)
		return false;
	total = u16_at(ip + 2);
	if (!is_plain_ip(ip, total, f->bytes.n - AT_IP) || u16_at(udp + 4) != total - IP4 || !is_plain_rtp(udp, rtp))
		return false;
	memcpy(p->mac_dst, bytes, 6);
	memcpy(p->mac_src, bytes + 6, 6);
	p->has = HAS_MAC | HAS_IP | HAS_IP_ID | HAS_PORTS | (u16_at(ip + 6) & DF ? HAS_DF : 0u);
	p->dscp = ip[1] >> 2;
	p->ecn = ip[1] & 3;
	p->ip_bytes = (uint16_t)total;
	p->ip_id = u16_at(ip + 4);
	p->ttl = ip[8];
	p->ip_protocol = IP_UDP;
	p->transport = TRANSPORT_UDP;
	address4_set(&p->src, ip + 12, udp);
	address4_set(&p->dst, ip + 16, udp + 2);
	p->payload = (struct span){ rtp, total - IP4 - UDP };
	p->payload_wire = p->payload.n;
	p->kind = PACKET_RTP;
	rtp_set(&p->rtp, rtp, p->payload.n);
	ip_udp_checksum(p, u16_at(udp + 6), (struct span){ udp, total - IP4 });
	return true;
}
