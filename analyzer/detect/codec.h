/* SPDX-License-Identifier: MIT */
/* codec: the two halves of codec-not-agreed share this; nobody else includes it. */
#ifndef DEADAIR_DETECT_CODEC_H
#define DEADAIR_DETECT_CODEC_H

#include "analyzer/detect/detector.h"

/* A call that found no codec: refused with 488 or 606, or answered without a voice codec in common. */
void codec_refused_judge(struct detection *d, const struct leg *leg);

#endif
