/* SPDX-License-Identifier: MIT */
/* sip_path_legs: calls whose INVITE went a way about which something is said, and met no answer. */
#ifndef DEADAIR_DETECT_SIP_PATH_LEGS_H
#define DEADAIR_DETECT_SIP_PATH_LEGS_H

#include "analyzer/detect/detector.h"

/* told: the finding of each path by sip_path.n, NULL none. All calls are walked once. */
void sip_path_legs(const struct facts *facts, struct finding *const *told);
/* The same of calls whose INVITE was refused as too large. */
void sip_path_legs_refused(const struct facts *facts, struct finding *const *told);

#endif
