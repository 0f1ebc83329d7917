/* SPDX-License-Identifier: MIT */
/* turn_lapsed: the relay stops at the second at which its lease ends (audio-interrupted/turn-lapsed). RFC 8656 8. */
#ifndef DEADAIR_DETECT_TURN_LAPSED_H
#define DEADAIR_DETECT_TURN_LAPSED_H

#include "analyzer/detect/detector.h"

/* Of an EVENT_JUDGE_DIRECTION; false: nothing was raised. */
bool turn_lapsed(struct detection *d, const struct event *ev);

#endif
