/* SPDX-License-Identifier: MIT */
/*
 * srv: which servers for SIP the name servers' answers (SRV records) put side by side, each for the client that asked
 * (RFC 3263 4.2), and the addresses of these. Bounded: the oldest go first.
 */
#ifndef DEADAIR_NETWORK_SRV_H
#define DEADAIR_NETWORK_SRV_H

#include "analyzer/calls/call.h"

struct srv_table;

struct srv_table *srv_new(void);
void srv_free(struct srv_table *n);
/* Any packet that is no mirror copy; all but answers from UDP port 53 is passed over. */
void srv_packet(struct srv_table *n, const struct packet *p);
/* Was the client ever told of more than one server? */
bool srv_told(const struct srv_table *n, const struct address *client);
/*
 * Was the client told before of another server beside that one? By streams, or by UDP. *ret: its address, family 0
 * where the capture has only its name; *at: that answer.
 */
bool srv_beside(const struct srv_table *n, const struct address *client, const struct address *server, bool stream,
	int64_t before_ns, struct address *ret, struct frame_ref *at);

#endif
