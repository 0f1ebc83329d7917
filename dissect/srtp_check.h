/* SPDX-License-Identifier: MIT */
/*
 * srtp_check: was an SRTP packet made with this key (RFC 3711 3.3, 7714)? Asks libsrtp2, where it was built in; nothing
 * is decrypted, and the key goes nowhere else. For one thread.
 */
#ifndef DEADAIR_DISSECT_SRTP_CHECK_H
#define DEADAIR_DISSECT_SRTP_CHECK_H

#include "dissect/sdp.h"

enum { SRTP_CHECK_BYTES = 2048 };       /* longer packets cannot be told */

/* What this deadair can do; "libsrtp2 2.5.0", NULL: built without. */
const char *srtp_check_library(void);

struct srtp_check;

/* NULL: the library is not there, does not know the suite, or the key cannot be tested. */
struct srtp_check *srtp_check_new(const struct sdp_crypto *key, uint32_t ssrc);
void srtp_check_free(struct srtp_check *c);

enum srtp_fit { SRTP_FITS, SRTP_FITS_NOT, SRTP_CANNOT_TELL };

/*
 * A whole RTP packet of that SSRC as it was on the wire, taken for one of this rollover count (packet index / 65536).
 * Where the key has an MKI, a packet without one is tried, too.
 */
enum srtp_fit srtp_check_packet(struct srtp_check *c, struct span packet, uint32_t rollovers);

#endif
