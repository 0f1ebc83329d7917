/* SPDX-License-Identifier: MIT */
/*
 * late_copy: packets with SIP that come again to the byte, with their IP identification, and all of them by the same time
 * later: a file that was merged of two captures whose clocks differ. What a sender repeats is another datagram.
 */
#ifndef DEADAIR_NETWORK_LATE_COPY_H
#define DEADAIR_NETWORK_LATE_COPY_H

#include "dissect/packet.h"

enum { LATE_SLOTS = 4096, LATE_SAMPLES = 256 };

struct late_copies {
	struct late_slot { uint64_t key; int64_t at_ns; } *slots;    /* made with the first message; by key, the newest */
	int64_t apart_ns[LATE_SAMPLES];
	uint64_t first, again;       /* packets */
	struct address from;         /* of the first that came again */
	bool others;                 /* and such from others */
};

/* With SIP, as far as that can be told of a segment that repeats another one. */
static inline bool late_copies_want(const struct packet *p)
{
	enum { PORT_SIP = 5060, PORT_SIPS = 5061 };

	if (p->transport == TRANSPORT_UDP)
		return p->kind == PACKET_SIP && p->sip;
	return p->ip_protocol == 6 && p->payload_wire && (p->src.port == PORT_SIP || p->dst.port == PORT_SIP ||
	       p->src.port == PORT_SIPS || p->dst.port == PORT_SIPS);
}

void late_copies_fini(struct late_copies *l);
/* One that late_copies_want(), and no copy that came at once. least_ns: what is nearer is a mirror's. */
void late_copies_packet(struct late_copies *l, const struct packet *p, int64_t least_ns);
/* By how much; 0: it is no such capture. */
int64_t late_copies_apart_ns(const struct late_copies *l);

#endif
