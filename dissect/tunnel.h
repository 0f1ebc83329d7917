/* SPDX-License-Identifier: MIT */
/*
 * tunnel: packets inside packets, to a fixed depth: GRE, ERSPAN, VXLAN, GENEVE, GTP-U, L2TP, TZSP, LISP, CAPWAP, IPsec
 * without encryption, and IP in IP.
 */
#ifndef DEADAIR_DISSECT_TUNNEL_H
#define DEADAIR_DISSECT_TUNNEL_H

#include "dissect/link.h"

/* One level down, of TUNNEL_DEPTH_MAX: p keeps the outermost addresses. False: too deep, p->undecoded says so. */
bool tunnel_enter(struct packet *p, enum packet_tunnel kind);

/*
 * Behind IP: what stands at the cursor then. NETWORK_NONE: p->undecoded says why, or the protocol is no tunnel
 * (UNDECODED_NO).
 */
enum network tunnel_ip(struct cursor *c, struct packet *p);

enum {
	PORT_L2TP = 1701, PORT_GTP = 2152, PORT_LISP = 4341, PORT_ESP = 4500, PORT_VXLAN = 4789, PORT_VXLAN_GPE = 4790,
	PORT_CAPWAP = 5247, PORT_GENEVE = 6081, PORT_MPLS = 6635, PORT_VXLAN_LINUX = 8472, PORT_TZSP = 37008
};

/* Of a UDP datagram's destination: may a tunnel be in what looks like RTP? L2TP's data do not: their first bit is 0. */
static inline bool tunnel_port(uint16_t port)
{
	return port == PORT_GTP || port == PORT_LISP || port == PORT_VXLAN || port == PORT_VXLAN_LINUX ||
	       port == PORT_GENEVE || port == PORT_TZSP;
}

/*
 * In a UDP datagram: known by its port and by content that fits, since RTP and SIP use any port. NETWORK_NONE with
 * UNDECODED_NO: no tunnel, the cursor has not moved.
 */
enum network tunnel_udp(struct cursor *c, struct packet *p);

#endif
