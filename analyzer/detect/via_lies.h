/* SPDX-License-Identifier: MIT */
/*
 * via_lies: transport-mismatch where Via names another transport than carries the request, and the answers go where
 * Via says. RFC 3261 18.1.1, 18.2.2.
 */
#ifndef DEADAIR_DETECT_VIA_LIES_H
#define DEADAIR_DETECT_VIA_LIES_H

#include "analyzer/detect/sip_socket.h"

/*
 * Servers whose attempts to connect come to nothing, because Via told them to: what is said of them goes to
 * told[sip_path.n].
 */
void via_lies_connects(struct detection *d, struct finding **told);
/* Is that attempt among them? Then nothing else needs to be said of it. */
bool via_lies_told(const struct facts *facts, const struct flow *back, struct finding *const *told);
/* Answers by the transport of Via, and who asked asks on. NULL: not so. */
struct finding *via_lies_judge(struct detection *d, const struct sip_path *x);

#endif
