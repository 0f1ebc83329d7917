/* SPDX-License-Identifier: MIT */
/* rtcp_idle: both sides report (RTCP) from their media ports, and neither has sent or received anything. */
#ifndef DEADAIR_DETECT_RTCP_IDLE_H
#define DEADAIR_DETECT_RTCP_IDLE_H

#include "analyzer/detect/detector.h"

/* It proves that what goes to these ports is captured, and that there was no audio. */
bool rtcp_idle(const struct facts *facts, const struct mslot *slot);

#endif
