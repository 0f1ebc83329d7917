/* SPDX-License-Identifier: MIT */
/* stun: RFC 8489 messages and the TURN frames around media (RFC 8656). */
#ifndef DEADAIR_DISSECT_STUN_H
#define DEADAIR_DISSECT_STUN_H

#include "captures/base/address.h"
#include "captures/base/cursor.h"

struct stun_message {
	/* method and class as on the wire: 0x0001 Binding request, 0x0101 success, 0x0111 error */
	uint16_t type;
	uint8_t transaction[12];
	struct endpoint mapped;      /* (XOR-)MAPPED-ADDRESS; family 0 none */
	struct endpoint relayed, peer;
	struct span username;
	struct span data;            /* DATA of Send and Data indications: media inside */
	bool use_candidate, has_lifetime;
	uint32_t lifetime_s;
	uint16_t channel;            /* CHANNEL-NUMBER of ChannelBind, 0 none */
	uint16_t error;              /* ERROR-CODE, 0 none */
};

/* Magic cookie, length % 4 == 0 and equal to what is there; attributes bounded. */
bool stun_parse(struct cursor *c, struct stun_message *out);

#endif
