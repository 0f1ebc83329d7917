/* SPDX-License-Identifier: MIT */
/*
 * outflow: flows of hosts inside to hosts outside, of whatever protocol: when each was tried, when it was answered
 * first, and in which spells of time it sent and received. For session-table-exhausted. Bounded: those that were
 * silent for long make room, and are counted by spell; when there are none no more flows are taken, and it says so.
 */
#ifndef DEADAIR_NETWORK_OUTFLOW_H
#define DEADAIR_NETWORK_OUTFLOW_H

#include "analyzer/calls/call.h"
#include "analyzer/site.h"

enum { OUTFLOW_SPELLS = 128 };

struct outflow {
	struct hash_link by_key;
	struct endpoint inside, outside;
	uint8_t protocol;            /* of IP */
	bool kept;                   /* of old age no reason to leave: see outflow.c */
	int64_t first_ns;            /* sent by the inside host */
	int64_t answered_ns;         /* NS_NONE: never */
	int64_t last_ns;
	struct frame_ref at;
	/* bit i: in the spell i after the one of first_ns */
	uint64_t out[OUTFLOW_SPELLS / 64], in[OUTFLOW_SPELLS / 64];
};

/* A UDP socket outside that spoke to another host outside: behind a NAT that is captured too, one of its ports. */
struct outer_port {
	struct hash_link by_key;
	struct endpoint at, asked;   /* asked: the first one that it spoke to */
	int64_t first_ns;
	struct frame_ref seen;
	uint64_t out[OUTFLOW_SPELLS / 64];   /* as in an outflow */
};

struct outflows;

/* spell_ns: the length of a spell; they are counted from the first packet on. max 0: 65536. site is lent. */
struct outflows *outflows_new(const struct site *site, int64_t spell_ns, size_t max);
void outflows_free(struct outflows *t);
/* Any IP packet with ports that is no mirror copy; of known media one in some will do. */
void outflows_packet(struct outflows *t, const struct packet *p);

size_t outflows_count(const struct outflows *t);
/* By first packet, as long as none had to make room. */
const struct outflow *outflows_at(const struct outflows *t, size_t i);
/* Had a resolver outside answered this host, in a flow that has made room? Of the first 256 such hosts. */
bool outflows_was_answered(const struct outflows *t, const struct address *inside);
struct outflow_spell;
/* All flows, those too that have made room, added to so many spells (outflow_spell.h). */
void outflows_count_spells(const struct outflows *t, struct outflow_spell *list, unsigned count, int64_t end_ns);
bool outflows_full(const struct outflows *t);
/* By first packet. 0 when there were more than an eighth of max: then not all are known. */
size_t outflows_outer_count(const struct outflows *t);
const struct outer_port *outflows_outer_at(const struct outflows *t, size_t i);
bool outer_port_used(const struct outflows *t, const struct outer_port *o, unsigned spell);
/* The number of the spell that a time is in; 0 is the first of the capture. */
unsigned outflows_spell(const struct outflows *t, int64_t at_ns);
/* Did it send, or receive, in that spell of the capture? */
bool outflow_sent(const struct outflows *t, const struct outflow *f, unsigned spell);
bool outflow_received(const struct outflows *t, const struct outflow *f, unsigned spell);

#endif
