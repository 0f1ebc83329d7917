/* SPDX-License-Identifier: MIT */
/*
 * tls_pair: clients and the servers' sockets with which they speak TLS or DTLS, so that it is known whose signalling is
 * hidden. Bounded: of the web's what was silent longest goes first; what is to SIP's ports, or names it, goes last.
 */
#ifndef DEADAIR_NETWORK_TLS_PAIR_H
#define DEADAIR_NETWORK_TLS_PAIR_H

#include "analyzer/calls/call.h"
#include "captures/base/hash.h"
#include "captures/base/list.h"
#include "dissect/packet.h"

struct site;
struct tls_pairs;

struct tls_pair {
	struct list_link in_order, in_use;
	struct hash_link by_socket, by_hosts, by_client;
	struct address client;
	struct endpoint server;
	unsigned n;                  /* 1-based, by first sight */
	bool dtls, sip_alpn;
	bool to_sip;                 /* to a port of SIP, or by its ALPN */
	uint64_t records;
	struct frame_ref first_at;
};

/* The site says which ports are SIP's beside 5061; max 0: 4 096. */
struct tls_pairs *tls_pairs_new(const struct site *site, size_t max);
void tls_pairs_free(struct tls_pairs *t);
/* A packet of kind PACKET_TLS or PACKET_DTLS; mirror copies count, too. */
void tls_pairs_packet(struct tls_pairs *t, const struct packet *p);
const struct list *tls_pairs_in_order(const struct tls_pairs *t);      /* struct tls_pair.in_order, by first sight */
uint64_t tls_pairs_evicted(const struct tls_pairs *t);   /* of those to SIP */
uint64_t tls_pairs_others_evicted(const struct tls_pairs *t);

/* Each of two hosts, whichever is the client; of a client's those to SIP. `after` NULL: the first. NULL: no more. */
const struct tls_pair *tls_pairs_between(const struct tls_pairs *t, const struct address *a, const struct address *b,
	const struct tls_pair *after);
const struct tls_pair *tls_pairs_of(const struct tls_pairs *t, const struct address *client,
	const struct tls_pair *after);

#endif
