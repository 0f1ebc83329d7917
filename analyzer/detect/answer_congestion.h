/* SPDX-License-Identifier: MIT */
/*
 * answer_congestion: phones behind one router that share a local port answer the slower the more of them talk
 * (answer-delayed/signalling-congestion).
 */
#ifndef DEADAIR_DETECT_ANSWER_CONGESTION_H
#define DEADAIR_DETECT_ANSWER_CONGESTION_H

#include "analyzer/detect/detector.h"

/* Raises a finding a router; how many. */
unsigned answer_congestion(struct detection *d);

#endif
