/* SPDX-License-Identifier: MIT */
/* dissect: from a frame to its packets. Remembers IP fragments and TCP streams that carry SIP, and nothing else. */
#ifndef DEADAIR_DISSECT_DISSECT_H
#define DEADAIR_DISSECT_DISSECT_H

#include "dissect/packet.h"

struct dissector;

struct dissector_counts {            /* what had to be left, for the report */
	uint64_t fragments_given_up; /* datagrams never completed */
	uint64_t fragments_open;     /* that still wait for a part */
	uint64_t fragments_evicted, tcp_evicted;
	uint64_t tcp_others_evicted; /* of which nothing of ours is missing */
	uint64_t tcp_holes;          /* times that bytes of a stream of ours never came: resynchronised behind them */
};

struct dissector *dissector_new(void);
void dissector_free(struct dissector *d);

/* Unfinished datagrams and TCP streams hold no more than so many bytes; without this 32 MiB each. */
void dissector_limit(struct dissector *d, size_t bytes);

/*
 * One frame, then its packets in wire order: at least one, several when a TCP segment or SCTP packet completes several
 * messages.     dissect_frame(d, &frame);
 *     while (dissect_next(d, &packet)) ...
 */
void dissect_frame(struct dissector *d, const struct frame *frame);
bool dissect_next(struct dissector *d, struct packet *ret_packet);

/*
 * The one packet of a frame that no other frame has a part in; its SIP or RTCP goes to the caller's sip or rtcp. False,
 * and nothing is remembered: it is a fragment, TCP or SCTP, and has its turn in dissect_frame(). For threads that
 * decode ahead, each with its own dissector.
 */
bool dissect_alone(struct dissector *d, const struct frame *frame, struct packet *ret_packet, struct sip_message *sip,
		   struct rtcp_compound *rtcp);

const struct dissector_counts *dissector_counts(const struct dissector *d);
const char *undecoded_name(enum undecoded why);  /* "truncated", "link-type", ... as in the JSON report */

#endif
