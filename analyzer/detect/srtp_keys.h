/* SPDX-License-Identifier: MIT */
/*
 * srtp_keys: were the packets of a stream made with the key that their sender announced for this place and time
 * (a=crypto, RFC 4568)? Tests the packets that srtp_sample.c has kept. Keys leave neither this file nor dissect.
 */
#ifndef DEADAIR_DETECT_SRTP_KEYS_H
#define DEADAIR_DETECT_SRTP_KEYS_H

#include "analyzer/detect/detector.h"
#include "analyzer/media/expectation.h"

enum srtp_keys_sort {
	SRTP_KEYS_UNTESTED,          /* it cannot be told: see why */
	SRTP_KEYS_HELD,              /* they were */
	SRTP_KEYS_OTHER,             /* they were made with another key of this call: see whose, fitting */
	SRTP_KEYS_NONE               /* no key of this call fits them */
};

enum srtp_keys_whose {
	SRTP_KEYS_OWN,               /* that the sender announced at another time */
	SRTP_KEYS_LINE,              /* of a line of its offer that the answer has not chosen */
	SRTP_KEYS_REPLACED,          /* for this line and time; what came to the receiver gives another one */
	SRTP_KEYS_RECEIVER,          /* that the other side announced: RFC 4568 has each announce what it sends with */
	SRTP_KEYS_ELSEWHERE          /* of another hop, medium or leg */
};

/* The rollover count has begun again while key and SSRC stayed: who goes on counting discards what comes (RFC 3711). */
struct srtp_rollover {
	const struct exchange *at;   /* between the packets before and after; NULL: it has not */
	uint32_t before, after;
	uint32_t frame;              /* of the first packet after it */
	int64_t at_ns;
};

struct srtp_keys {
	enum srtp_keys_sort sort;
	enum srtp_keys_whose whose;
	const char *why;             /* UNTESTED; static */
	unsigned tested;             /* HELD: packets that fit; OTHER, NONE: packets that do not */
	const struct exchange *exchange;     /* whose keys were in force, with OTHER and NONE; the latest with HELD */
	/* where the sender announced the key that was to be used; where the one stands that fits; NULL none */
	const struct message *announced, *fitting;
	uint32_t first_frame, last_frame;    /* of the packets that fail */
	int64_t first_ns, last_ns;
	struct srtp_rollover rollover;       /* with HELD */
	/* with HELD: the count was above 0 at an agreement that left the key as it was, and went on; NULL */
	const struct exchange *kept;
};

/* s is bound to d. */
void srtp_keys_judge(const struct facts *facts, const struct direction *d, const struct stream *s, struct srtp_keys *ret);

/* Had the numbers of a stream gone round by then, as far as its packets tell? RFC 3711 3.3.1. */
bool srtp_wrapped_by(const struct stream *s, int64_t at_ns);
/* Do two descriptions of one sender give the same keys (certificate)? */
bool srtp_keys_same(const struct sdp_media *a, const struct sdp_media *b);

#endif
