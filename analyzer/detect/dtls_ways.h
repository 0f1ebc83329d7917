/* SPDX-License-Identifier: MIT */
/* dtls_ways: the DTLS handshake (RFC 5764) between the sockets that two parties named for a medium. */
#ifndef DEADAIR_DETECT_DTLS_WAYS_H
#define DEADAIR_DETECT_DTLS_WAYS_H

#include "analyzer/detect/detector.h"

/* Records of a handshake of the slot that pass here, the busiest way: its audio would take the same one. NULL: none. */
const struct dtls_way *dtls_way_of(const struct facts *facts, const struct mslot *slot);
/*
 * The way of a client that repeats its ClientHello and never comes to anything else: no keys are agreed. *ret_answered:
 * the other side's answers are seen, and do not reach it. NULL: none such.
 */
const struct dtls_way *dtls_way_stuck(const struct facts *facts, const struct mslot *slot, bool *ret_answered);
/*
 * The way on which one side gives the handshake up, with a fatal alert in clear (RFC 5246 7.2.2), and nothing of it goes
 * on afterwards. NULL: none such.
 */
const struct dtls_way *dtls_way_refused(const struct facts *facts, const struct mslot *slot);

#endif
