/* SPDX-License-Identifier: MIT */
/*
 * ack_route: the way that the ACK of a 2xx takes, against the one that the 2xx asks for. RFC 3261 12.1.2, 12.2.1.1,
 * 13.2.2.4.
 */
#ifndef DEADAIR_DETECT_ACK_ROUTE_H
#define DEADAIR_DETECT_ACK_ROUTE_H

#include "analyzer/calls/call.h"

enum ack_flaw {
	ACK_FLAW_NONE,
	ACK_WITHOUT_ROUTE,           /* the proxies of Record-Route are left out */
	ACK_ORDER,                   /* they are asked from the wrong end */
	ACK_ASKS_PROXY,              /* its Request-URI is a proxy, where it should be the Contact */
	ACK_TRANSPORT,               /* a datagram, where the 2xx names a connection */
	ACK_ASTRAY,                  /* to an address that the 2xx does not name at all */
};

/* ok: the 2xx of any hop, where the one that came to who sends this ACK is not in the capture. */
enum ack_flaw ack_flaw_of(const struct message *ok, const struct message *ack);
void ack_flaw_say(enum ack_flaw flaw, const struct message *ok, const struct message *ack, char *text, size_t room);

#endif
