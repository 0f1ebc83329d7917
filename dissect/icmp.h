/* SPDX-License-Identifier: MIT */
/* icmp: an error and the packet it quotes, as evidence, never as traffic. RFC 792, 4443. */
#ifndef DEADAIR_DISSECT_ICMP_H
#define DEADAIR_DISSECT_ICMP_H

#include "captures/base/address.h"
#include "captures/base/cursor.h"

struct icmp_message {
	bool v6;
	uint8_t type, code;
	bool error;                  /* quotes a packet */
	bool quote_readable;         /* addresses and ports of the quote could be read */
	uint8_t quote_protocol;      /* 6 TCP, 17 UDP */
	uint8_t quote_ttl;
	struct endpoint quote_src, quote_dst;
	struct span quote_payload;   /* behind the quoted UDP header: first bytes of what was refused */
	uint16_t mtu;                /* fragmentation needed, packet too big */
};

bool icmp_parse(struct cursor *c, bool v6, struct icmp_message *out);

#endif
