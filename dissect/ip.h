/* SPDX-License-Identifier: MIT */
/* ip: IPv4 (RFC 791) and IPv6 (RFC 8200) headers with options and extension headers. */
#ifndef DEADAIR_DISSECT_IP_H
#define DEADAIR_DISSECT_IP_H

#include "captures/base/cursor.h"
#include "dissect/packet.h"

enum {
	IP_ICMP = 1, IP_IPIP = 4, IP_TCP = 6, IP_UDP = 17, IP_6IN4 = 41, IP_GRE = 47, IP_ESP = 50, IP_AH = 51,
	IP_ICMP6 = 58, IP_NO_NEXT = 59, IP_ETHERIP = 97, IP_L2TP = 115, IP_SCTP = 132, IP_MPLS = 137
};

struct ip_fragment {
	bool is;                     /* a real one: not the "atomic" fragment of RFC 6946 */
	bool more;
	uint16_t offset;             /* bytes */
	uint32_t id;
};

/*
 * The header at the cursor, by its version nibble. Afterwards the cursor stands at what p->ip_protocol names and ends
 * where the packet ends (padding of the link layer is gone). False: p->undecoded says why.
 * A length beyond the frame is taken for a cut by the capture: mirrors that shorten frames forget to say so.
 */
bool ip_parse(struct cursor *c, struct packet *p, struct ip_fragment *ret_fragment);

/* The extension headers from p->ip_protocol on: again needed behind a reassembled first fragment. */
bool ip_extensions(struct cursor *c, struct packet *p, struct ip_fragment *fragment);

/* Is there an IP header whose lengths fit what is there? For tunnels that are known by their content. */
bool ip_plausible(struct cursor c);

/* RFC 768, 9293 3.1: over pseudo header and segment, which has to be whole. True: correct. */
bool ip_checksum_ok(const struct packet *p, uint8_t protocol, struct span segment);

/*
 * Tests that of a whole UDP datagram, where it has one. Of RTP one packet in 16, which tells a sending host with
 * checksum offload as well as all would.
 */
void ip_udp_checksum(struct packet *p, uint16_t checksum, struct span datagram);

#endif
