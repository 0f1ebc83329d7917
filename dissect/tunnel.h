/* SPDX-License-Identifier: MIT */
/* tunnel: packets inside packets, to a fixed depth: GRE, ERSPAN, VXLAN, GENEVE, GTP-U, TZSP and IP in IP. */
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

/*
 * In a UDP datagram: known by its port and by content that fits, since RTP and SIP use any port. NETWORK_NONE with
 * UNDECODED_NO: no tunnel, the cursor has not moved.
 */
enum network tunnel_udp(struct cursor *c, struct packet *p);

#endif
