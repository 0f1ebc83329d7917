/* SPDX-License-Identifier: MIT */
/* ice_checks: connectivity checks (ICE) between the sockets that two parties named for a medium. */
#ifndef DEADAIR_DETECT_ICE_CHECKS_H
#define DEADAIR_DETECT_ICE_CHECKS_H

#include "analyzer/detect/detector.h"

/*
 * Checks that pass here between the two sides of the slot, the busiest way: their audio would take the same way. NULL:
 * none, or too few to tell (keepalives by STUN to a SIP port are none: they are of other sockets).
 */
const struct ice_way *ice_checks_of(const struct facts *facts, const struct mslot *slot);
/*
 * The busiest way on which no check is answered: never, or no more since that moment (consent, RFC 7675). It does not
 * work. NULL: none such.
 */
const struct ice_way *ice_checks_unanswered(const struct facts *facts, const struct mslot *slot, int64_t since_ns);
/*
 * Does STUN of any kind pass here from the one media socket to the other, without ICE too (a phone that opens its NAT)?
 * Their audio would pass here as well.
 */
bool ice_sockets_ask(const struct facts *facts, const struct mslot *slot);

#endif
