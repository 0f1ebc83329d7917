/* SPDX-License-Identifier: MIT */
/* binding_private: the places that SDP names, for binding*.c only. */
#ifndef DEADAIR_MEDIA_BINDING_PRIVATE_H
#define DEADAIR_MEDIA_BINDING_PRIVATE_H

#include "analyzer/media/binding.h"
#include "captures/base/pool.h"

enum rule { B0, B1, B2, B3, B4, B5, B6, B7, B8, B9, B10 };

/* media may precede its SDP by so much (two capture cards, forked proxies) */
#define EARLY_MEDIA_NS (2 * SECOND_NS)

enum spot_kind { SPOT_EXACT, SPOT_ADDRESS, SPOT_PORT, SPOT_KINDS };

/* A place in SDP: this side of that leg wants medium number mline here. */
struct place {
	struct list_link of_leg;     /* leg.places */
	struct { struct list_link link; struct spot *spot; } in[SPOT_KINDS];
	struct endpoint at;
	const struct message *message;     /* the first that named it */
	const struct message *latest;
	struct leg *leg;
	uint8_t mline;               /* below SDP_MEDIA_MAX */
	uint8_t side;                /* enum side, whose address: the receiver of what is sent there */
	bool candidate;              /* from a=candidate */
};

/* All places of one address and port, of one address (port 0), or of one port (no address). */
struct spot {
	struct hash_link link;
	struct list_link in_order;
	struct endpoint at;
	uint8_t kind;                /* enum spot_kind */
	bool due;                    /* settled, and not sorted yet */
	unsigned count;              /* of sorted[] */
	struct list places;          /* place.in[kind], as they were announced */
	struct place **sorted;       /* by their messages; made when asked for after binding_settle() */
	int64_t *latest_end_ns;      /* of sorted[0..i]: when the last of their legs ends */
};

struct binding {
	struct hash spots;
	struct list in_order;        /* spots */
	struct pool place_pool, spot_pool;
	bool bound;                  /* some stream may be, since binding_settle() */
	int64_t begin_ns;            /* of what is known of calls and streams; set by binding_settle() */
};

enum { PLACES_WALKED = 64, PLACE_LOOK_BACK = 16 };

static inline struct stream *binding_stream(struct list_link *it)
{
	return LIST_ENTRY(it, struct stream, in_order);
}

static inline struct place *binding_place(struct list_link *it, enum spot_kind kind)
{
	return (struct place *)((char *)it - offsetof(struct place, in) - kind * sizeof((struct place *)0)->in[0]);
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
/* Places whose message is no later than the stream's end begin below this index. spot may be NULL. */
unsigned binding_spot_begin(struct spot *spot, const struct stream *s);
/* The first direction is the stream's own; each gets the stream. */
void binding_bind(struct stream *s, struct direction *d, enum rule rule);

/* binding_exact.c */
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
