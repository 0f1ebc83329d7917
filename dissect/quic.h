/* SPDX-License-Identifier: MIT */
/* quic: versions with a long header: version negotiation, 1 (RFC 9000), 2 (RFC 9369), drafts. */
#ifndef DEADAIR_DISSECT_QUIC_H
#define DEADAIR_DISSECT_QUIC_H

#include <stdbool.h>
#include <stdint.h>

enum { PORT_QUIC = 443 };

static inline bool quic_version(uint32_t version)
{
	return version <= 1 || version == 0x6b3343cf || version >> 8 == 0xff0000;
}

#endif
