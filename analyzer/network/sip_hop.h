/* SPDX-License-Identifier: MIT */
/*
 * sip_hop: what one SIP socket asked another one and got answered, calls apart: does anything but a call pass between
 * the two? A hop is an ordered pair of endpoints. Bounded; the one that was used longest ago goes.
 */
#ifndef DEADAIR_NETWORK_SIP_HOP_H
#define DEADAIR_NETWORK_SIP_HOP_H

#include "captures/base/hash.h"
#include "captures/base/list.h"
#include "captures/base/ns.h"
#include "dissect/packet.h"

/* In which spells something was answered is known of the last two hours. */
enum { SIP_HOP_SPELLS = 256, SIP_HOP_SPELL_S = 30 };

struct sip_hop {
	struct hash_link by_key;
	struct list_link by_use;
	struct endpoint client, server;
	uint64_t answered;           /* finals to requests other than INVITE, ACK, CANCEL, BYE */
	int64_t first_ns, last_ns;   /* of those */
	uint64_t spells[SIP_HOP_SPELLS / 64];        /* bit (time / spell) % SIP_HOP_SPELLS, down from last_ns */
};

struct sip_hops;

/* max 0: 65 536. */
struct sip_hops *sip_hops_new(size_t max);
void sip_hops_free(struct sip_hops *h);
/* Every SIP packet that is no mirror copy. */
void sip_hops_packet(struct sip_hops *h, const struct packet *p);
/* NULL: nothing that client asked was answered by server. */
const struct sip_hop *sip_hops_find(const struct sip_hops *h, const struct endpoint *client,
	const struct endpoint *server);
/* Was anything answered within the time, as far back as is known? To the spell, not to the second. */
bool sip_hop_answered_within(const struct sip_hop *x, int64_t from_ns, int64_t to_ns);
uint64_t sip_hops_evicted(const struct sip_hops *h);

#endif
