/* SPDX-License-Identifier: MIT */
/* withheld: a claim that a gate forbids. Detectors note it, views lend it. */
#ifndef DEADAIR_ANALYZER_WITHHELD_H
#define DEADAIR_ANALYZER_WITHHELD_H

#include "captures/base/span.h"

struct withheld {
	const char *id;              /* of the detector */
	struct span call_id;         /* empty: the capture as a whole */
	const char *gate;
};

#endif
