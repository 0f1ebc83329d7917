/* SPDX-License-Identifier: MIT */
/*
 * hold_ends: a hold that the resume does not end: refused, answered as if it went on, or music that plays on. Reasons
 * of audio-missing-after-hold. RFC 3264 8.4, RFC 6337 5.3.
 */
#ifndef DEADAIR_DETECT_HOLD_ENDS_H
#define DEADAIR_DETECT_HOLD_ENDS_H

#include "analyzer/detect/detector.h"

/* Of an EVENT_JUDGE_DIRECTION; false: nothing was raised. */
bool hold_goes_on(struct detection *d, const struct event *ev);

#endif
