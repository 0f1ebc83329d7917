/* SPDX-License-Identifier: MIT */
/* toll_forwarded: calls that a device of the site sends on to expensive numbers (toll-fraud/forwarded, evidence E9). */
#ifndef DEADAIR_DETECT_TOLL_FORWARDED_H
#define DEADAIR_DETECT_TOLL_FORWARDED_H

#include "analyzer/detect/detector.h"

/* Raises a finding a device that is worth one. */
void toll_forwarded(struct detection *d);

#endif
