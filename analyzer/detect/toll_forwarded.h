/* SPDX-License-Identifier: MIT */
/* toll_forwarded: calls that a device of the site sends on to expensive numbers (toll-fraud/forwarded, evidence E9). */
#ifndef DEADAIR_DETECT_TOLL_FORWARDED_H
#define DEADAIR_DETECT_TOLL_FORWARDED_H

#include "analyzer/detect/detector.h"
#include "analyzer/detect/survey.h"

/*
 * Raises a finding a device that is worth one. rough: all legs in which something was refused or redirected, among
 * others.
 */
void toll_forwarded(struct detection *d, const struct leg_list *rough);

#endif
