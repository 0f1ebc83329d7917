/* SPDX-License-Identifier: MIT */
/*
 * known: is an address one that this call speaks of? What is not may be a second sender, or media that comes another
 * way.
 */
#ifndef DEADAIR_DETECT_KNOWN_H
#define DEADAIR_DETECT_KNOWN_H

#include "analyzer/detect/detector.h"

/*
 * Named by any leg of the call: source or neighbour of its SIP, in any SDP (candidates included, all branches of a
 * fork), in a Contact, or the image of such an address behind or before a NAT.
 */
bool known_in_call(const struct facts *facts, const struct leg *leg, const struct address *a);

#endif
