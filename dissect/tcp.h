/* SPDX-License-Identifier: MIT */
/* tcp: segments (RFC 9293) put in order for those directions of a connection that carry something of ours. */
#ifndef DEADAIR_DISSECT_TCP_H
#define DEADAIR_DISSECT_TCP_H

#include "dissect/dissect.h"
#include "dissect/framing.h"

struct tcp_streams;

struct tcp_message {
	struct framed framed;
	uint32_t frame;              /* that completed it: not always the one added last, see tcp.c on holes */
	int64_t at_ns;
};

struct tcp_streams *tcp_new(struct dissector_counts *counts);
void tcp_free(struct tcp_streams *t);
void tcp_limit(struct tcp_streams *t, size_t bytes);

/* Header: ports, flags, numbers and payload into *p. False: p->undecoded says why. */
bool tcp_parse(struct cursor *c, struct packet *p);

/*
 * The parsed segment takes its place; p->tcp_gap and p->tcp_retransmission are set. Then tcp_next gives what it
 * completed.
 */
void tcp_add(struct tcp_streams *t, struct packet *p);
bool tcp_next(struct tcp_streams *t, struct tcp_message *ret);

#endif
