/* SPDX-License-Identifier: MIT */
/*
 * registration_lapsed: a phone that lives and does not renew its registration
 * (registration-failed/expired-unrefreshed).
 */
#ifndef DEADAIR_DETECT_REGISTRATION_LAPSED_H
#define DEADAIR_DETECT_REGISTRATION_LAPSED_H

#include "analyzer/detect/detector.h"

/* Raises a finding a registration, at most some dozens; how many. */
unsigned registration_lapsed(struct detection *d);

#endif
