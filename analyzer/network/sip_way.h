/* SPDX-License-Identifier: MIT */
/*
 * sip_way: from where each SIP request over UDP was seen to come, and where its answers went. One request with several
 * sources has passed a NAT between capture points; answers that go where the request did not come from, while it is
 * sent again and again, are lost.
 */
#ifndef DEADAIR_NETWORK_SIP_WAY_H
#define DEADAIR_NETWORK_SIP_WAY_H

#include "analyzer/calls/call.h"
#include "analyzer/network/network.h"

enum { WAY_SOURCES = 4 };

struct sip_stray {                   /* answers of one server that one client never gets */
	struct list_link in_order;
	struct hash_link by_key;
	struct endpoint client, server, sent_to;
	uint64_t call;               /* hash_bytes() of the first Call-ID */
	uint8_t method;              /* of the first request */
	bool rport;                  /* the client asked for answers to its source (RFC 3581) */
	unsigned requests, transmissions, answers;   /* transmissions: after the first lost answer */
	struct frame_ref request, first_answer, last_answer, repeated;
};

struct sip_chain {                   /* the same requests at three places of their way: two translations in a row */
	struct list_link in_order;
	struct endpoint at[3], server;       /* from the inside outwards */
	struct frame_ref seen[3];
	unsigned count;
};

struct sip_ways;

/* network: learns the translations that requests show (NAT_SIP_TWO_POINTS). */
struct sip_ways *sip_ways_new(struct network *network);
void sip_ways_free(struct sip_ways *w);
/* Where sip_ways_message() will look; gives how many, HASH_PLACES at most. */
unsigned sip_ways_places(const struct sip_ways *w, const struct packet *p, struct hash_place *ret);
/* Every SIP packet that is no mirror copy. */
void sip_ways_message(struct sip_ways *w, const struct packet *p);
/* The same; at: what sip_ways_places() gave for it. */
void sip_ways_message_at(struct sip_ways *w, const struct packet *p, const struct hash_place *at);

const struct list *sip_ways_strays(const struct sip_ways *w);        /* struct sip_stray, as they were found */
const struct list *sip_ways_chains(const struct sip_ways *w);        /* struct sip_chain, likewise */

#endif
