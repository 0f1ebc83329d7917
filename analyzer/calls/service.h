/* SPDX-License-Identifier: MIT */
/*
 * service: who asks which servers for the same thing, and what became of it: the REGISTERs of one AOR, the calls of one
 * client to one domain, or through whichever addresses stand in for each other. What failover-broken is judged by. Of
 * each service the latest tries are kept, so that what followed a failure is complete or the failure itself is gone.
 * Bounded, in services and in tries of all together; the service that was used longest ago goes.
 */
#ifndef DEADAIR_CALLS_SERVICE_H
#define DEADAIR_CALLS_SERVICE_H

#include "analyzer/calls/call.h"

enum { SERVICE_SERVER_MAX = 6, SERVICE_TRY_MAX = 128, SERVICE_NAME = 96, ANSWERS_MAX = 16 };

enum service_kind {
	SERVICE_ACCOUNT,             /* REGISTERs of an AOR */
	SERVICE_DOMAIN,              /* calls to a domain name */
	SERVICE_ADDRESS              /* calls to addresses: which of them belong together only a hunt shows */
};

struct service_try {                 /* a REGISTER or the INVITE of a call, with its copies */
	struct list_link in_service;
	struct hash_link by_id;
	struct service *service;
	uint64_t id, branch, call_id, number;        /* keyed hashes; number: the last digits that were dialled */
	struct endpoint src;
	struct frame_ref at, last_at, answer_at, final_at;   /* frame 0: none */
	unsigned server;             /* index in the service's servers */
	unsigned copies;
	uint16_t status;             /* final; 0 none */
	bool given_up;               /* by CANCEL */
	bool stream;                 /* TCP, TLS: sent once */
};

struct service_server {
	struct endpoint at;
	int64_t first_ns, last_ns;   /* tries */
	int64_t bound_until_ns;      /* of REGISTERs: how long what it granted is good; NS_NONE nothing */
	int64_t served_ns;           /* the first time that it did its duty, whatever it said but 503; NS_NONE never */
	/* when a call that the other one had failed was first tried here; NS_NONE never */
	int64_t stands_in_ns[SERVICE_SERVER_MAX];
};

struct service {
	struct list_link in_order, in_use;
	struct hash_link by_key;
	uint64_t key;
	unsigned n;                  /* 1-based, by first message */
	enum service_kind kind;
	struct address client;
	struct list tries;           /* the latest SERVICE_TRY_MAX, by first copy */
	unsigned server_count;
	char name[SERVICE_NAME];     /* escaped; empty for SERVICE_ADDRESS */
	struct service_server *servers;      /* &only, or room for SERVICE_SERVER_MAX: most have one */
	struct service_server only;
};

struct services;

/* max 0: 8192. */
struct services *services_new(size_t max);
void services_free(struct services *s);
/* Where services_packet() will look; gives how many, HASH_PLACES at most. */
unsigned services_places(const struct services *s, const struct packet *p, struct hash_place *ret);
/* One SIP packet of any method; mirror copies must be left out by the caller. */
void services_packet(struct services *s, const struct packet *p);
/* The same; at: what services_places() gave for it. */
void services_packet_at(struct services *s, const struct packet *p, const struct hash_place *at);
const struct list *services_in_order(const struct services *s);
/* Has that server answered some other client, again and again for as long, from from_ns on? *ret: since when. */
bool services_answers_others(const struct services *s, const struct address *server, const struct address *but,
	int64_t from_ns, int64_t for_ns, int64_t *ret);
uint64_t services_evicted(const struct services *s);

#endif
