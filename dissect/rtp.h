/* SPDX-License-Identifier: MIT */
/* rtp: the fixed header and where the payload is. RFC 3550 5.1, 5.3.1. */
#ifndef DEADAIR_DISSECT_RTP_H
#define DEADAIR_DISSECT_RTP_H

#include "captures/base/cursor.h"

struct rtp_header {
	uint8_t pt, csrc_count;
	bool marker, extension, padding;
	uint16_t seq;
	uint32_t rtp_ts, ssrc;
	struct span payload;         /* captured part, padding removed where it can be seen */
	size_t payload_wire;         /* bytes on the wire, padding removed where it can be seen */
	uint16_t extension_bytes;
	int8_t level_dbov;           /* RFC 6464 one-byte element of id 1: 0..-127; 1: none */
};

/* False: no RTP; c->state tells CUT from BAD. *out is written only on true. */
bool rtp_parse(struct cursor *c, struct rtp_header *out);

#endif
