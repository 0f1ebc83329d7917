/* SPDX-License-Identifier: MIT */
/* gate_losses: G7, when streams that share nothing miss packets at the same instant: the capture itself lost them. */
#ifndef DEADAIR_DETECT_GATE_LOSSES_H
#define DEADAIR_DETECT_GATE_LOSSES_H

#include "analyzer/detect/detector.h"
#include "analyzer/detect/moments.h"

/* Those among them in which nothing is missing for long are given. The caller's, to be finished. */
struct moments gate_losses_reckon(const struct facts *f, const struct moments *short_ones);

#endif
