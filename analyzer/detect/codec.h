/* SPDX-License-Identifier: MIT */
/* codec: what the two halves of codec-not-agreed share, and what call-failed asks of it. */
#ifndef DEADAIR_DETECT_CODEC_H
#define DEADAIR_DETECT_CODEC_H

#include "analyzer/detect/detector.h"

/* Have two audio lines a codec for voice in common; has one any? */
bool codec_voice_shared(const struct sdp_media *offer, const struct sdp_media *answer);
bool codec_has_voice(const struct sdp_media *m);
/*
 * A leg behind this one was answered, with no codec for voice that this attempt offers: who stands between has both,
 * and cannot translate.
 */
bool codec_taken_otherwise(const struct leg *leg, const struct transaction *attempt);
/* A call that found no codec: refused with 488 or 606, or answered without a voice codec in common. */
void codec_refused_judge(struct detection *d, const struct leg *leg);

#endif
