/* SPDX-License-Identifier: MIT */
/* prack_wait: a reliable 18x that was sent again and again, as no PRACK came for it. RFC 3262 3. */
#ifndef DEADAIR_DETECT_PRACK_WAIT_H
#define DEADAIR_DETECT_PRACK_WAIT_H

#include "analyzer/calls/call.h"

struct prack_wait {
	const struct message *first, *last;  /* of the copies of one 18x on one hop */
	unsigned copies;
	const struct message *prack;         /* NULL: none in the capture */
};

/* False: at least three copies there were not, or a PRACK was sent before the last one. */
bool prack_wait_of(const struct transaction *t, struct prack_wait *ret);
/* The same 18x again and again, although its PRACK came and was answered with success (RFC 3262 3). */
bool prack_unheeded(const struct transaction *t);

#endif
