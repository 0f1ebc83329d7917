/* SPDX-License-Identifier: MIT */
/*
 * mark_use: data that carries the mark of voice (EF, or precedence 5), by pair of hosts: TCP, for voice does not go
 * over it, and UDP of no known kind in packets that no voice fills. Bounded: the first pairs met.
 */
#ifndef DEADAIR_NETWORK_MARK_USE_H
#define DEADAIR_NETWORK_MARK_USE_H

#include "analyzer/calls/call.h"
#include "dissect/packet.h"

enum { MARK_USES = 128 };

struct mark_use {
	struct address src, dst;
	uint16_t port;               /* the lower one: the service */
	uint8_t dscp;
	bool udp;
	uint64_t packets, bytes;     /* of IP */
	struct frame_ref first, last;
};

struct mark_uses {
	struct mark_use list[MARK_USES];
	unsigned count;
	uint16_t index[2 * MARK_USES]; /* of a record plus one, where its hash falls or behind; 0 free */
};

/* A packet that is no mirror copy. */
void mark_uses_packet(struct mark_uses *u, const struct packet *p);

#endif
