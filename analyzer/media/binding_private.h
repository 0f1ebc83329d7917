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

/* A place in SDP: this side of that leg wants medium number mline here. */
struct place {
	struct list_link of_leg;     /* leg.places */
	struct list_link in_spot;    /* spot.places */
	const struct message *message;     /* the first that named it; it is of the leg */
	const struct message *latest;
	struct leg *leg;             /* theirs: media asks for it again and again, and needs nothing else of them */
	struct endpoint at;
	uint8_t mline;               /* below SDP_MEDIA_MAX */
	uint8_t side;                /* enum side, whose address: the receiver of what is sent there */
	bool candidate;              /* from a=candidate */
};

/* All places of one address and port. */
struct spot {
	struct hash_link link;
	struct endpoint at;
	uint32_t asked;              /* binding.settled when its order was last made, or would have been */
	struct list places;          /* place.in_spot, as they were announced */
	struct spot_order *order;    /* made when asked for after binding_settle(); NULL none */
};

struct spot_order {
	unsigned count;
	bool sorted;
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

static inline struct place *binding_place(struct list_link *it)
{
	return LIST_ENTRY(it, struct place, in_spot);
}

/* binding.c: as it is now, sorted; NULL, nobody has named it */
const struct spot_order *binding_order(const struct binding *b, const struct endpoint *at);
void binding_order_sort(struct spot_order *o);
/* Places whose message is no later than the stream's end stand below this index. */
unsigned binding_order_begin(const struct spot_order *o, const struct stream *s);
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

/* binding_next.c: what began to flow in a call without end may be another call's, whose beginning is not known. */
void binding_part_next(const struct list *legs);

/* binding_weak.c: for streams that are bound to nothing yet */
void binding_reverses(const struct list *streams);
/* What comes to a socket that is known by another name than SDP's. */
void binding_alike(const struct list *streams);
/* What goes on elsewhere from the socket of a bound stream that SDP names by another address. */
void binding_turns(const struct list *streams);

/* Places by address alone and by port alone: made when the first such stream asks, as of most captures none does. */
struct weak_spots;
struct weak_spots *weak_spots_new(const struct list *legs);
void weak_spots_free(struct weak_spots *w);      /* NULL is fine */
/* turns_wait: B8 is not made, and true says that it would be. */
bool binding_weakly(const struct binding *b, const struct weak_spots *w, struct stream *s, bool turns_wait);

#endif
