/* SPDX-License-Identifier: MIT */
/* sip_digest: a Digest challenge or its credentials as flat facts, RFC 3261 22.4, RFC 7616, RFC 8760. */
#ifndef DEADAIR_DISSECT_SIP_DIGEST_H
#define DEADAIR_DISSECT_SIP_DIGEST_H

#include "captures/base/span.h"

/*
 * Values without quotes, still with their escapes; empty: absent. `response` is for comparing lengths, it is never
 * shown.
 */
struct sip_digest {
	struct span username, realm, nonce, uri, response, algorithm, qop, nc, cnonce;
	bool stale;                  /* stale=true */
};

/* The value of (WWW|Proxy)-Authenticate, (Proxy-)Authorization. False: another scheme, or no parameter at all. */
bool sip_digest_parse(struct span value, struct sip_digest *ret);

#endif
