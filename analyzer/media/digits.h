/* SPDX-License-Identifier: MIT */
/*
 * digits: key presses of a stream as its telephone-events tell them (RFC 4733). A press is told apart by its rtp_ts,
 * neither by the marker, which gets lost or is never set, nor by packets. Which key it was is for comparing alone:
 * nobody prints it.
 */
#ifndef DEADAIR_MEDIA_DIGITS_H
#define DEADAIR_MEDIA_DIGITS_H

#include <stdbool.h>
#include <stdint.h>

enum { DIGIT_MAX = 64, DIGIT_CODES = 16 };   /* 0-9 * # A-D; other events are no keys */

struct digit {
	int64_t first_ns, last_ns;
	uint32_t first_frame, last_frame, rtp_ts;
	uint16_t first_seq, last_seq;
	uint16_t packets;
	uint16_t duration;           /* longest, in units of the event's clock */
	uint16_t last_duration;
	uint8_t code, pt;
	bool ended;                  /* a packet with the end bit */
	bool shrank;                 /* the duration fell, other than at the end */
	/* the next sequence number came, whatever it was: nothing is lost behind its last packet */
	bool followed;
	bool seen_after;             /* some packet of the stream came after its last one */
};

struct digits {
	struct digit list[DIGIT_MAX];        /* the first ones */
	unsigned count;
	uint32_t dropped;            /* beyond those */
	uint32_t hidden;             /* event packets whose payload the capture cut */
};

#endif
