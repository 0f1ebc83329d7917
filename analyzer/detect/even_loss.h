/* SPDX-License-Identifier: MIT */
/*
 * even_loss: all streams of a capture, of several senders and in both directions, lack about the same share of their
 * packets. No link that one of them uses does that; a mirror port, a card or a capturing program that cannot keep up
 * does.
 */
#ifndef DEADAIR_DETECT_EVEN_LOSS_H
#define DEADAIR_DETECT_EVEN_LOSS_H

#include "analyzer/detect/detector.h"

/*
 * How many streams lack about as much, all that tell it; 0: they differ, or are too few to tell.
 */
unsigned even_loss(const struct facts *facts);

#endif
