/* SPDX-License-Identifier: MIT */
/* turn: what TURN servers lent to clients, and until when (RFC 8656 7, 8). Bounded; the oldest goes. */
#ifndef DEADAIR_NETWORK_TURN_H
#define DEADAIR_NETWORK_TURN_H

#include "analyzer/calls/call.h"
#include "captures/base/hash.h"
#include "captures/base/list.h"
#include "dissect/packet.h"

struct allocation {
	struct list_link in_order;
	struct hash_link by_sockets, by_hosts, by_client;
	struct endpoint client, server, relayed;
	uint32_t lifetime_s;         /* as granted last */
	int64_t until_ns;
	bool given_back;             /* the client asked for a lifetime of 0 */
	unsigned refreshes;          /* granted */
	struct frame_ref granted_at;
	struct frame_ref asked_at;   /* a Refresh that no grant has followed; frame 0: none */
};

struct turns;

/* max 0: 4096. */
struct turns *turns_new(size_t max);
void turns_free(struct turns *t);
/* A STUN message that is no mirror copy and no media inside a relay. */
void turns_packet(struct turns *t, const struct packet *p);
/* The one between these hosts that ends nearest to that time; NULL: there is none. */
const struct allocation *turns_find(const struct turns *t, const struct address *client, const struct address *server,
	int64_t at_ns);
/* The one of exactly this client that ends nearest to that time; NULL: there is none. */
const struct allocation *turns_of(const struct turns *t, const struct endpoint *client, int64_t at_ns);

#endif
