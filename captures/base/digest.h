/* SPDX-License-Identifier: MIT */
/* digest: a fingerprint of bytes that is the same in every process, to know contents again; not against forgers. */
#ifndef DEADAIR_BASE_DIGEST_H
#define DEADAIR_BASE_DIGEST_H

#include "captures/base/span.h"

enum { DIGEST_BYTES = 16 };

struct digest {
	uint64_t v[4];               /* SipHash-2-4 with 128 bits of result, and a key that never changes */
	uint8_t rest[8];             /* bytes that do not fill a word yet */
	uint64_t n;                  /* bytes so far */
};

void digest_begin(struct digest *d);
void digest_add(struct digest *d, struct span bytes);
void digest_number(struct digest *d, uint64_t value);   /* eight bytes, the lowest first */
/* The digest of what was added; more may be added behind it. */
void digest_get(const struct digest *d, uint8_t ret[DIGEST_BYTES]);

#endif
