/* SPDX-License-Identifier: MIT */
/*
 * vlan_use: who speaks in which VLAN, and of what sort: SIP, media, what computers speak; and broadcasts that are seen
 * in two VLANs at once. Fed with tagged packets alone. Bounded: when it is full no more hosts are taken, and of a host
 * no more than 32 VLANs.
 */
#ifndef DEADAIR_NETWORK_VLAN_USE_H
#define DEADAIR_NETWORK_VLAN_USE_H

#include "analyzer/calls/call.h"
#include "captures/base/hash.h"
#include "captures/base/list.h"
#include "dissect/packet.h"

enum { VLAN_BEGUN_MAX = 32 };

struct vlan_host {                   /* a host in one VLAN, as long as its packets come from its own network card */
	struct list_link in_order;   /* by first packet */
	struct hash_link by_key;
	struct address addr;
	uint8_t mac[6];
	uint16_t vid;
	bool routed;                 /* some packet of it had come through a router, or from another card */
	uint32_t sip, media;         /* packets */
	struct endpoint *begun;      /* different sockets that it began to talk to and no phone needs; the first ones */
	unsigned foreign, desktop;   /* how many; of these such as computers talk to */
	struct frame_ref first, last, sip_at, media_at, desktop_at;
};

struct vlan_bridge {                 /* one broadcast in two VLANs */
	uint16_t vid[2];             /* the first one seen, the other */
	uint32_t count;
	struct address from[2];      /* different senders, the first ones */
	struct frame_ref at[2];
};

struct vlan_uses;

/* max 0: 16 384 hosts. */
struct vlan_uses *vlan_uses_new(size_t max);
void vlan_uses_free(struct vlan_uses *v);
/* Any IP packet of the wire; copy: the duplicate test calls it one. count: of batched media. */
void vlan_uses_packet(struct vlan_uses *v, const struct packet *p, bool copy, uint32_t count);

const struct list *vlan_uses_in_order(const struct vlan_uses *v);    /* struct vlan_host */
/* The same host in another VLAN, one after the other; begin with NULL: no more. */
const struct vlan_host *vlan_uses_elsewhere(const struct vlan_uses *v, const struct vlan_host *x,
	const struct vlan_host *before);
/* Is it in both VLANs as a network card of its own, none of them the other's? Then two hosts have that address. */
bool vlan_uses_two_hosts(const struct vlan_uses *v, const struct address *a, uint16_t vid, uint16_t other_vid);
/* NULL: no broadcast was seen in two VLANs, or unicast was as well: then the mirror tags anew. */
const struct vlan_bridge *vlan_uses_bridge(const struct vlan_uses *v);

#endif
