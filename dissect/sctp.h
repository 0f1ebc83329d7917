/* SPDX-License-Identifier: MIT */
/* sctp: whole user messages in DATA chunks. RFC 9260. */
#ifndef DEADAIR_DISSECT_SCTP_H
#define DEADAIR_DISSECT_SCTP_H

#include "captures/base/cursor.h"
#include "dissect/packet.h"

/* Ports into *p; the cursor stands at the first chunk. False: p->undecoded says why. */
bool sctp_parse(struct cursor *c, struct packet *p);

/*
 * The next DATA chunk that is a whole user message (RFC 4168: a SIP message is never spread over chunks); *ret_wire its
 * length on the wire. False: no more.
 */
bool sctp_next(struct cursor *c, struct span *ret_data, size_t *ret_wire);

#endif
