/* SPDX-License-Identifier: MIT */
/* softphone: programs on computers, whose network, VLAN and marks are those of a computer. */
#ifndef DEADAIR_DETECT_SOFTPHONE_H
#define DEADAIR_DETECT_SOFTPHONE_H

#include "captures/base/span.h"

/* By its User-Agent. */
bool softphone_agent(struct span user_agent);

#endif
