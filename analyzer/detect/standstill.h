/* SPDX-License-Identifier: MIT */
/*
 * standstill: stretches without a frame of any kind although audio was on its way: the capture stood still, or a link
 * that all of it shares was down. What was said meanwhile nobody knows.
 */
#ifndef DEADAIR_DETECT_STANDSTILL_H
#define DEADAIR_DETECT_STANDSTILL_H

#include "analyzer/detect/detector.h"
#include "analyzer/detect/moments.h"

/* Of one file, with its silences, or of EVERY_FILE, with those of all together. The caller's, to be finished. */
struct moments standstills_reckon(const struct facts *f, const struct silences *c, int file);
/* The silence in which at least nine tenths of that time lie; NULL none. */
const struct stillness *silence_over(const struct silences *c, int64_t from_ns, int64_t to_ns);

#endif
