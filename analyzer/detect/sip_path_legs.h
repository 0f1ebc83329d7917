/* SPDX-License-Identifier: MIT */
/* sip_path_legs: calls whose INVITE went a way about which something is said, and met no answer. */
#ifndef DEADAIR_DETECT_SIP_PATH_LEGS_H
#define DEADAIR_DETECT_SIP_PATH_LEGS_H

#include "analyzer/detect/detector.h"

/* told: the finding of each path by sip_path.n, NULL none. All calls are walked once. */
void sip_path_legs(const struct facts *facts, struct finding *const *told);
/* The same of calls whose INVITE was refused as too large. */
void sip_path_legs_refused(const struct facts *facts, struct finding *const *told);
/* Ways, by sip_path.n, on which such refusals were only handed on: they were made further on, in the same calls. */
void sip_path_legs_handed_on(const struct facts *facts, bool *handed_on);

#endif
