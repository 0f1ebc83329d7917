/* SPDX-License-Identifier: MIT */
/* binding_private: the places that SDP names, for binding*.c only. */
#ifndef DEADAIR_MEDIA_BINDING_PRIVATE_H
#define DEADAIR_MEDIA_BINDING_PRIVATE_H

#include "analyzer/media/binding.h"
#include "analyzer/network/vlan_use.h"
#include "captures/base/pool.h"

enum rule { B0, B1, B2, B3, B4, B5, B6, B7, B8, B9, B10 };

/* media may precede its SDP by so much (two capture cards, forked proxies) */
#define EARLY_MEDIA_NS (2 * SECOND_NS)

enum spot_kind { SPOT_EXACT, SPOT_ADDRESS, SPOT_PORT, SPOT_KINDS };

/* A place in SDP: this side of that leg wants medium number mline here. */
struct place {
	struct list_link of_leg;     /* leg.places */
	struct list_link in[SPOT_KINDS];   /* spot.places */
	const struct message *message;     /* the first that named it; it is of the leg */
	const struct message *latest;
	struct leg *leg;             /* theirs: media asks for it again and again, and needs nothing else of them */
	struct endpoint at;
	uint8_t mline;               /* below SDP_MEDIA_MAX */
	uint8_t side;                /* enum side, whose address: the receiver of what is sent there */
	bool candidate;              /* from a=candidate */
};

/* All places of one address and port, of one address (port 0), or of one port (no address). */
struct spot {
	struct hash_link link;
	struct endpoint at;
	uint32_t asked;              /* binding.settled when its order was last made, or would have been */
	struct list places;          /* place.in[], as they were announced */
	struct spot_order *order;    /* made when asked for after binding_settle(); NULL none */
};

struct spot_order {
	unsigned count;
	struct {
		const struct place *place;   /* by their messages */
		int64_t latest_end_ns;       /* when the last leg of this and of those before it ends */
	} at[];
};

struct binding {
	struct hash spots;
	struct pool place_pool, spot_pool;
	uint32_t settled;            /* how many times; the orders of spots are of one time */
	bool bound;                  /* some stream may be, since binding_settle() */
	int64_t begin_ns;            /* of what is known of calls and streams; set by binding_settle() */
	const struct vlan_uses *vlans;       /* likewise; NULL: nothing is known of VLANs */
};

enum { PLACES_WALKED = 64, PLACE_LOOK_BACK = 16 };

static inline struct stream *binding_stream(struct list_link *it)
{
	return LIST_ENTRY(it, struct stream, in_order);
}

static inline enum spot_kind binding_kind(const struct spot *s)
{
	return !address_known(&s->at.addr) ? SPOT_PORT : s->at.port ? SPOT_EXACT : SPOT_ADDRESS;
}

static inline struct place *binding_place(struct list_link *it, enum spot_kind kind)
{
	return LIST_ENTRY(it - kind, struct place, in);
}

/* The key of all places of this address. */
static inline struct endpoint binding_whole_address(const struct endpoint *at)
{
	return (struct endpoint){ at->addr, 0 };
}

/* The key of all places of this port. */
static inline struct endpoint binding_port_alone(const struct endpoint *at)
{
	return (struct endpoint){ .port = at->port };
}

/* binding.c: NULL, nobody has named it */
struct spot *binding_spot(const struct binding *b, const struct endpoint *at);
/*
 * Places of the spot's order whose message is no later than the stream's end begin below this index. spot may be NULL:
 * 0.
 */
unsigned binding_spot_begin(const struct binding *b, struct spot *spot, const struct stream *s);
/* The first direction is the stream's own; each gets the stream. */
void binding_bind(struct stream *s, struct direction *d, enum rule rule);

/* binding_exact.c */
/* The same addresses in two VLANs, of two hosts each: the stream is in the other one than the leg. */
bool binding_other_network(const struct binding *b, const struct stream *s, const struct leg *leg);
bool binding_overlaps(const struct stream *s, const struct direction *d);
/* 3 the source that SDP names exactly, 2 its address, 1 the signalling address, 0 another */
unsigned binding_source_rank(const struct stream *s, const struct direction *d);
/* mapped: at is what a NAT makes of the stream's destination. False: nobody fits, and nobody was tied. */
bool binding_by_address(const struct binding *b, struct stream *s, const struct endpoint *at, bool mapped);

/* Does either side name one of the stream's payload types then? */
bool binding_pt_fits(const struct stream *s, const struct window *w);

/* binding_weak.c: for streams that are bound to nothing yet */
void binding_reverses(const struct list *streams);
void binding_weakly(const struct binding *b, struct stream *s);

#endif
