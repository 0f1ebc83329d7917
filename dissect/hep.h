/* SPDX-License-Identifier: MIT */
/* hep: a packet as an agent (captagent, heplify, Kamailio ...) mirrors it to a Homer server. */
#ifndef DEADAIR_DISSECT_HEP_H
#define DEADAIR_DISSECT_HEP_H

#include "captures/base/address.h"
#include "captures/base/cursor.h"

struct hep {
	struct endpoint src, dst;
	uint8_t ip_protocol;         /* 6, 17; 0 not said */
	uint8_t type;                /* of the payload: 1 SIP, 4 RTP, 5 RTCP as JSON ... */
	bool compressed;
	struct span payload;
	size_t payload_wire;
};

enum { HEP_HEADER = 6 };

/* Length of the packet that these bytes begin, 6 to 65535; 0: they begin none (or are fewer than six). */
size_t hep_length(struct span bytes);

/* False: no HEP3, or without payload or both addresses. */
bool hep_parse(struct cursor *c, struct hep *out);

/*
 * Versions 1 and 2, which old agents still send: a fixed header. Its payload may be anything that looks so: the caller
 * has to see SIP in it.
 */
bool hep_old_parse(struct cursor c, struct hep *out);

#endif
