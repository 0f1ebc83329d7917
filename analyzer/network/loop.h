/* SPDX-License-Identifier: MIT */
/*
 * loop: packets that go round in the network. One that passes the same place again and again with less and less to
 * live is routed in a circle (RFC 1812 5.3.1); one that comes again and again as it was circulates between switches. A
 * mirror does neither: it delivers a packet once for each place that it passes.
 */
#ifndef DEADAIR_NETWORK_LOOP_H
#define DEADAIR_NETWORK_LOOP_H

#include "dissect/packet.h"

enum {
	LOOP_FALLS = 5,              /* passes of one place after the first, each with a lower TTL */
	LOOP_AGAIN = 16,             /* unchanged: a mirror of all ports shows a broadcast once a port, but at once */
	LOOP_PLACES = 16             /* pairs of hosts kept of each kind; more are only counted */
};

/* What goes round from one host to another. */
struct loop {
	struct address src, dst;
	bool unchanged;              /* between switches; else by routers */
	bool died;                   /* of one the TTL ran out */
	bool has_mac;
	uint8_t mac_src[6], mac_dst[6];      /* at that place: the neighbours that pass it on */
	uint8_t first_ttl, last_ttl; /* of the first such packet; of any, the lowest */
	unsigned packets;            /* different ones */
	unsigned passes;             /* most of one */
	int64_t first_ns, last_ns;
	/* the first such packet: its first and its latest sight */
	uint32_t first_frame, last_frame;
	uint16_t file, interface;
};

struct loops {
	struct loop routed[LOOP_PLACES], switched[LOOP_PLACES];
	unsigned routed_count, switched_count;
};

/* One more pass of a packet that goes round. */
struct loop_pass {
	const struct packet *packet;
	int64_t first_ns;            /* its first sight */
	uint32_t first_frame;
	uint8_t first_ttl, before_ttl;       /* before: when it was here last */
	unsigned passes;
	bool unchanged, counted;     /* counted: another pass of it was told before */
};

void loops_pass(struct loops *l, const struct loop_pass *pass);

#endif
