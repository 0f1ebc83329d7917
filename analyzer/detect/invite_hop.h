/* SPDX-License-Identifier: MIT */
/*
 * invite_hop: the INVITE that began a leg, neighbour by neighbour: how often it was sent there, what came back, how it
 * was given up. A proxy makes several hops of one leg, a fork several side by side; each is judged apart.
 */
#ifndef DEADAIR_DETECT_INVITE_HOP_H
#define DEADAIR_DETECT_INVITE_HOP_H

#include "analyzer/calls/call.h"

enum { INVITE_HOP_MAX = 16 };

struct invite_hop {
	const struct transaction *transaction;
	struct endpoint src, dst;
	const struct message *first, *last;  /* copies of the INVITE */
	unsigned copies;
	const struct message *answer;        /* the first thing that came back, 100 too; NULL nothing */
	const struct message *rang, *rang_last;      /* 18x */
	const struct message *final;
	unsigned finals;                     /* copies of that final */
	unsigned copies_after;               /* of the INVITE, after the first answer */
	/* an answer of the receiver that went to another socket than the INVITE came from */
	const struct message *astray;
	unsigned copies_astray;              /* of the INVITE, after that */
	/* an answer that went to the right socket and came from another host than the one that was asked */
	const struct message *other_face;
	unsigned copies_other;               /* of the INVITE, after that */
	const struct message *ack;           /* to the final */
	const struct message *over;          /* an ACK to a final that was not captured, or not yet */
	const struct message *cancel, *cancel_last;
	unsigned cancels;
	const struct message *cancel_answer;
	bool cancel_elsewhere;               /* it went to another port than the INVITE */
	bool forwarded;                      /* the receiver sent it on, or it was seen again further on */
};

/* Of all its attempts, in the order in which they were seen; those beyond INVITE_HOP_MAX are left out. */
unsigned invite_hops(const struct leg *leg, struct invite_hop hops[INVITE_HOP_MAX]);

#endif
