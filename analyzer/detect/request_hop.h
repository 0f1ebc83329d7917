/* SPDX-License-Identifier: MIT */
/*
 * request_hop: one request inside a dialog, neighbour by neighbour: how often it was sent there and what came back. A
 * proxy makes several hops of one request; each is judged apart.
 */
#ifndef DEADAIR_DETECT_REQUEST_HOP_H
#define DEADAIR_DETECT_REQUEST_HOP_H

#include "analyzer/calls/call.h"

enum { REQUEST_HOP_MAX = 8 };

struct request_hop {
	struct endpoint src, dst;
	const struct message *first, *last;  /* copies of the request */
	unsigned copies;
	const struct message *answer;        /* the first thing that came back, 100 too; NULL nothing */
	const struct message *final;
	bool astray;                 /* its receiver answered to another socket than it was asked from */
	bool acked;                  /* INVITE: its sender has had a final */
	bool forwarded;              /* the receiver sent it on, or it was seen again further on */
};

/* Those beyond REQUEST_HOP_MAX are left out; what was sent after until_ns (NS_NONE: the end) is not counted. */
unsigned request_hops(const struct transaction *t, int64_t until_ns, struct request_hop hops[REQUEST_HOP_MAX]);

#endif
