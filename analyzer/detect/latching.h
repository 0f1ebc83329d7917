/* SPDX-License-Identifier: MIT */
/*
 * latching: which media addresses send nothing before a packet has come to them, as gateways do that learn where to
 * send (comedia, symmetric RTP). Told by calls in which they were due to send, sent nothing until the other side's
 * first packet, and began with it; one call in which they began of themselves says the contrary.
 */
#ifndef DEADAIR_DETECT_LATCHING_H
#define DEADAIR_DETECT_LATCHING_H

#include "analyzer/detect/detector.h"

struct latching;

struct latching *latching_new(const struct calls *calls);
void latching_free(struct latching *l);
/* In how many calls was it seen to wait; 0: too few to say so, or it began of itself in one. */
unsigned latching_waits(const struct latching *l, const struct address *a);

#endif
