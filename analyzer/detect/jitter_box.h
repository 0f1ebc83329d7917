/* SPDX-License-Identifier: MIT */
/* jitter_box: does a device between two capture points delay packets, the more is sent through it? */
#ifndef DEADAIR_DETECT_JITTER_BOX_H
#define DEADAIR_DETECT_JITTER_BOX_H

#include "analyzer/detect/detector.h"

struct jitter_box {
	const struct stream *before; /* the same packets where they went in */
	double calm, busy;           /* packets a second of all streams while nothing is late, and while much is */
};

/* s as captured behind it. False: it was captured once, came late already, or load has nothing to do with it. */
bool jitter_box(const struct facts *facts, const struct stream *s, struct jitter_box *ret);

#endif
