/* SPDX-License-Identifier: MIT */
/* link: link layers of a frame, down to where IP begins. LINKTYPE_* numbers: tcpdump.org/linktypes.html. */
#ifndef DEADAIR_DISSECT_LINK_H
#define DEADAIR_DISSECT_LINK_H

#include "captures/base/cursor.h"
#include "dissect/packet.h"

enum { TUNNEL_DEPTH_MAX = 6 };

/* What stands at the cursor afterwards. */
enum network { NETWORK_NONE, NETWORK_IP, NETWORK_ARP };

/* ARPHRD, ethertype and PPP numbers that tunnels name, too. */
enum {
	ETHERTYPE_IP4 = 0x0800, ETHERTYPE_ARP = 0x0806, ETHERTYPE_TEB = 0x6558, ETHERTYPE_IP6 = 0x86dd,
	ETHERTYPE_PPP = 0x880b, ETHERTYPE_ERSPAN = 0x88be, ETHERTYPE_ERSPAN3 = 0x22eb
};

/*
 * The cursor moves behind all link headers; addresses, VLANs and the direction of cooked captures go into *p.
 * NETWORK_NONE: p->undecoded says why. An inner Ethernet header (tunnels) replaces what an outer one said.
 */
enum network link_parse(struct cursor *c, uint16_t link, struct packet *p);
/* Is this link type read at all? */
bool link_known(uint16_t link);
enum network link_ethernet(struct cursor *c, struct packet *p);
/* form: LINK_WIFI_PADDED, header filled up to four bytes; _SWAPPED, the first two of it have changed places. */
enum { LINK_WIFI_PADDED = 1, LINK_WIFI_SWAPPED = 2 };
enum network link_wifi(struct cursor *c, struct packet *p, unsigned form);
enum network link_ethertype(struct cursor *c, uint16_t type, struct packet *p);
enum network link_ppp(struct cursor *c, struct packet *p);

/* Sets p->undecoded from the state of a cursor that failed; NETWORK_NONE for the caller to return. */
enum network link_failed(const struct cursor *c, struct packet *p);

/* Would link_ethernet() come to IP or ARP? Reads only, for tunnels that are known by their content. */
bool link_ethernet_plausible(struct cursor c);

#endif
