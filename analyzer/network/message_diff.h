/* SPDX-License-Identifier: MIT */
/* message_diff: one SIP message as it was before and behind a hop: what the hop has changed in it, field by field. */
#ifndef DEADAIR_NETWORK_MESSAGE_DIFF_H
#define DEADAIR_NETWORK_MESSAGE_DIFF_H

#include "dissect/packet.h"

enum { DIFF_TEXT = 160, DIFF_MAX = 16 };

enum sip_place {                     /* bits: where in a message, by what it is used for */
	PLACE_VIA = 1 << 0,
	PLACE_CONTACT = 1 << 1,      /* Record-Route too */
	PLACE_SDP = 1 << 2,          /* c=, m=, a=rtcp: where audio goes */
	PLACE_IDENTITY = 1 << 3,     /* Call-ID, From, To, Request-URI */
	PLACE_REFER = 1 << 4,
	PLACE_AUTH = 1 << 5,
	PLACE_EXPIRES = 1 << 6,
	PLACE_BODY = 1 << 7,         /* the body no longer fits its headers */
	PLACE_OTHER = 1 << 8
};

enum diff_verdict {
	DIFF_EQUAL,                  /* byte for byte */
	DIFF_SPELLING,               /* blanks, compact names, order of lines: nothing that matters */
	DIFF_REWRITTEN,
	DIFF_FORWARDED               /* Via count or Max-Forwards differ: a SIP element that says so forwarded it */
};

struct message_change {
	const char *reason;          /* of sip-alg's register */
	uint32_t place;              /* one bit of enum sip_place */
	char field[32];              /* "Contact", "c=" */
	char before[DIFF_TEXT], after[DIFF_TEXT];    /* safe text; empty: not there */
};

struct message_diff {
	enum diff_verdict verdict;
	struct message_change changes[DIFF_MAX];
	unsigned count;
};

/* Before and behind. Linear in their bytes. */
void message_diff(const struct sip_message *before, const struct sip_message *behind, struct message_diff *ret);

/* Of two values what differs, whole words and parameters of it: parts of them. */
void difference_of(struct span before, struct span after, struct span *ret_before, struct span *ret_after);

/*
 * Where the message names this socket as its author's own, so that a NAT that helps would have to change it: bits of
 * enum sip_place.
 */
uint32_t message_names(const struct sip_message *m, const struct endpoint *socket);

/*
 * A place in which `behind` still names the private host although another place of the same message lost it; false:
 * none. The Call-ID and o= may: nobody sends anything there.
 */
bool message_stale(const struct sip_message *behind, const struct address *inside, struct message_change *ret);

#endif
