/* SPDX-License-Identifier: MIT */
/*
 * sip_path: what the requests of one host to one SIP socket met, by transport: how many were answered, how large they
 * were, how many IP fragments they came in, whether those arrived. From this follow "small ones pass, large ones do
 * not" and "nothing was ever answered there". RFC 3261 18.1.1.
 */
#ifndef DEADAIR_NETWORK_SIP_PATH_H
#define DEADAIR_NETWORK_SIP_PATH_H

#include "analyzer/calls/call.h"
#include "analyzer/network/via_lie.h"
#include "captures/base/hash.h"
#include "captures/base/list.h"
#include "captures/base/ns.h"
#include "dissect/packet.h"

/* fragmented: or too large for a packet */
enum sip_size { SIP_BELOW_1000, SIP_BELOW_1300, SIP_BELOW_1472, SIP_FRAGMENTED, SIP_SIZES };
enum { SIP_PATH_FRAMES = 6 };

struct sip_unheard {                 /* requests that nothing came back for */
	unsigned requests, copies, copies_most;      /* most: of one request */
	uint32_t methods;            /* bits 1 << enum sip_method */
	int64_t first_ns, last_ns;   /* of the request with the most copies */
	uint32_t bytes;              /* of the largest */
	uint8_t fragments;           /* likewise */
	struct frame_ref frames[SIP_PATH_FRAMES];
	unsigned frame_count;
};

struct sip_path {
	struct list_link in_order;
	struct hash_link by_key;
	unsigned n;
	struct address client;
	struct endpoint last_source, server;
	uint8_t transport;           /* enum packet_transport */
	unsigned asked, answered;    /* requests but ACK; those with any answer */
	struct { unsigned sent, answered; } sizes[SIP_SIZES];
	const struct sip_unheard *unheard, *unheard_fragmented;      /* never NULL: of none where there are none */
	unsigned bound;              /* REGISTERs, INVITEs, SUBSCRIBEs that got a 2xx */
	/* last of the requests; of the answers; of those 2xx. NS_NONE: never */
	int64_t first_ns, last_ns, answered_ns, bound_ns;
	struct frame_ref first_at, answered_at;
	/* UDP requests above the limit that were answered all the same */
	unsigned large;
	uint32_t large_bytes;
	uint8_t large_fragments;
	struct frame_ref large_at;
	unsigned too_large;          /* 413, 513 */
	struct frame_ref too_large_at;
	unsigned secure_uris;        /* sips: over a transport that is not */
	struct frame_ref secure_uri_at;
	/* first fragments whose datagram never became whole here */
	unsigned torn, torn_sent;    /* datagrams; torn_sent: all with a first fragment */
	int64_t torn_first_ns, torn_last_ns;
	struct frame_ref *torn_frames;       /* SIP_PATH_FRAMES; NULL: none is torn */
	const struct via_lie *lie;   /* NULL: Via always named what carried the request */
};

struct sip_paths;

/* large_bytes: of UDP payload; max 0: 16 384 paths. */
struct sip_paths *sip_paths_new(size_t max, uint32_t large_bytes);
void sip_paths_free(struct sip_paths *s);
/* Where sip_paths_packet() will look; gives how many, HASH_PLACES at most. */
unsigned sip_paths_places(const struct sip_paths *s, const struct packet *p, struct hash_place *ret);
/* SIP messages and IP fragments; mirror copies are left out by the caller. */
void sip_paths_packet(struct sip_paths *s, const struct packet *p);
/* The same; at: what sip_paths_places() gave for it. */
void sip_paths_packet_at(struct sip_paths *s, const struct packet *p, const struct hash_place *at);
/* What stays open counts as unanswered from now on, but for what was sent at the very end of the capture. Once. */
void sip_paths_settle(struct sip_paths *s, int64_t last_ns);

const struct list *sip_paths_in_order(const struct sip_paths *s);    /* struct sip_path, by first request */
const struct sip_path *sip_paths_find(const struct sip_paths *s, const struct address *client,
	const struct endpoint *server, uint8_t transport);
/* All paths between two hosts, whatever port and transport; begin with NULL; NULL: no more. */
const struct sip_path *sip_paths_between(const struct sip_paths *s, const struct address *client,
	const struct address *server, const struct sip_path *before);

/* Where a host answers SIP, to anybody: a socket and a transport. */
struct sip_door {
	uint8_t transport;
	uint16_t port;
	unsigned answers;
	struct frame_ref at;         /* the first */
};

enum { SIP_DOORS = 8 };

struct sip_server {
	struct hash_link by_address;
	struct address addr;
	struct sip_door doors[SIP_DOORS];
	unsigned door_count;
};

/* NULL: it answered nobody. */
const struct sip_server *sip_paths_server(const struct sip_paths *s, const struct address *a);
/* NULL: nothing was answered there. */
const struct sip_door *sip_paths_door(const struct sip_paths *s, const struct endpoint *at, uint8_t transport);
/* Was any IP fragment seen that is not the first of its datagram? A filter on ports keeps those out. */
bool sip_paths_later_fragments(const struct sip_paths *s);
uint64_t sip_paths_evicted(const struct sip_paths *s);

#endif
