/* SPDX-License-Identifier: MIT */
/*
 * plain: what nearly all frames of a call are, seen in one look instead of layer by layer: RTP whose header has nothing
 * but its fixed part, in whole UDP datagrams, IPv4 without options, Ethernet without tags.
 */
#ifndef DEADAIR_DISSECT_PLAIN_H
#define DEADAIR_DISSECT_PLAIN_H

#include "captures/frame.h"
#include "dissect/packet.h"

/*
 * False: something else, or something that wants a closer look; *p is as it was. True: *p, which was cleared and has
 * the facts of the frame, is what the way through the layers makes of it (tests/unit/test_plain.c).
 */
bool plain_rtp(const struct frame *f, struct packet *p);

#endif
