/* SPDX-License-Identifier: MIT */
/* srtp_check_none: stands for srtp_check.c where deadair is built without libsrtp2: no packet can be tested. */
#include "dissect/srtp_check.h"

#ifndef DEADAIR_SRTP
const char *srtp_check_library(void)
{
	return NULL;
}

struct srtp_check *srtp_check_new(const struct sdp_crypto *key, uint32_t ssrc)
{
	(void)key;
	(void)ssrc;
	return NULL;
}

void srtp_check_free(struct srtp_check *c)
{
	(void)c;
}

enum srtp_fit srtp_check_packet(struct srtp_check *c, struct span packet, uint32_t rollovers)
{
	(void)c;
	(void)packet;
	(void)rollovers;
	return SRTP_CANNOT_TELL;
}
#endif
