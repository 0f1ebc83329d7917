/* SPDX-License-Identifier: MIT */
/*
 * answer_hop: the final answer to an INVITE (the first or a later one), neighbour by neighbour: how often it was sent,
 * and when its ACK came. The first hop of a list is the one nearest to who answered.
 */
#ifndef DEADAIR_DETECT_ANSWER_HOP_H
#define DEADAIR_DETECT_ANSWER_HOP_H

#include "analyzer/calls/call.h"

enum { ANSWER_HOP_MAX = 12 };

struct answer_hop {
	const struct transaction *transaction;
	struct endpoint src, dst;
	const struct message *first, *second, *last; /* copies of the answer; second NULL: sent once */
	unsigned copies;
	const struct message *ack;   /* the first that was sent to where the answer came from; NULL none */
	unsigned after_ack;          /* copies later than the ACK and the grace */
	const struct message *invite;        /* on this hop; NULL unseen */
	unsigned invites_after;      /* copies of it after the answer */
};

/* Hops of all answers of a transaction that say success (or not), those of one To-tag after the other. */
unsigned answer_hops(const struct transaction *t, bool success, int64_t grace_ns,
	struct answer_hop hops[ANSWER_HOP_MAX]);
/* Repeated at least so often, over 1.2 s and more, for want of an ACK: none came there, or it changed nothing. */
bool answer_unacknowledged(const struct answer_hop *h, unsigned copies);
/*
 * It was repeated, and no more when the next two copies were due and its sender was still there, long before it would
 * give up (RFC 3261 13.3.1.4): an ACK came. until_ns: when it was last known to be there.
 */
bool answer_satisfied(const struct answer_hop *h, int64_t until_ns);
/*
 * Two points and a NAT between them: the ACK goes to the private address that the answer came from, and who sends it
 * got that answer from a public one. The answer there; NULL: not so.
 */
const struct message *answer_translated(const struct message *answer, const struct message *ack);
/*
 * An ACK of the same transaction that was sent elsewhere than any answer came from; the nearest to its sender. NULL:
 * none.
 */
const struct message *answer_ack_elsewhere(const struct transaction *t, const struct answer_hop *hops, unsigned count);

#endif
