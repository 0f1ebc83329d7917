/* SPDX-License-Identifier: MIT */
/*
 * sip_peer: which SIP socket was asked by which host over which transport, and whether it answered: for the checklist,
 * the table of ports and the policy. Who opens a connection is the client of all that goes over it. Bounded: what was
 * never answered goes first, oldest first.
 */
#ifndef DEADAIR_NETWORK_SIP_PEER_H
#define DEADAIR_NETWORK_SIP_PEER_H

#include "analyzer/calls/call.h"

enum { SIP_PEER_RECENT = 4 };

struct sip_peer {
	struct list_link in_order, in_age;
	struct hash_link by_key;
	struct address client;
	struct endpoint server;
	uint8_t transport;           /* enum packet_transport */
	uint8_t dscp;                /* of the latest request */
	uint16_t port_low, port_high;        /* of the client */
	unsigned requests;           /* copies and repetitions aside; ACK and CANCEL are none */
	unsigned answers;            /* to those; provisional ones aside */
	unsigned registers, invites; /* of the requests */
	uint64_t recent[SIP_PEER_RECENT], answered[SIP_PEER_RECENT];  /* hashes of the latest branches */
	unsigned next, next_answered;
	struct frame_ref asked_at, answered_at;      /* the first of each; frame 0: never */
};

struct sip_peers;

/* max 0: 16 384. */
struct sip_peers *sip_peers_new(size_t max);
void sip_peers_free(struct sip_peers *t);
/* Where sip_peers_packet() will look; gives how many, HASH_PLACES at most. */
unsigned sip_peers_places(const struct sip_peers *t, const struct packet *p, struct hash_place *ret);
/* Every SIP packet that is no mirror copy. */
void sip_peers_packet(struct sip_peers *t, const struct packet *p);
/* The same; at: what sip_peers_places() gave for it. */
void sip_peers_packet_at(struct sip_peers *t, const struct packet *p, const struct hash_place *at);
const struct list *sip_peers_in_order(const struct sip_peers *t);    /* struct sip_peer, by first request */
uint64_t sip_peers_evicted(const struct sip_peers *t);

#endif
