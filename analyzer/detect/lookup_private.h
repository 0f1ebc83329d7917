/* SPDX-License-Identifier: MIT */
/* lookup_private: what the files of lookup share. */
#ifndef DEADAIR_DETECT_LOOKUP_PRIVATE_H
#define DEADAIR_DETECT_LOOKUP_PRIVATE_H

#include "analyzer/detect/lookup.h"
#include "analyzer/network/flow.h"

struct lookup_pair {                 /* of two addresses, one way */
	struct hash_link link;
	struct address src, dst;
	struct lookup_copies copies;
	unsigned unseen_replies;     /* to requests dst -> src */
};

struct lookup {
	const struct facts *facts;
	struct arena *arena;
	struct hash copies, replies; /* struct lookup_pair */
	struct hash carried, named;  /* struct carried, struct lookup_named */
	struct hash early;           /* struct early_host */
	struct hash sources;         /* struct media_sources */
	struct hash senders;         /* struct sent */
	struct hash tls;             /* struct tls_client */
	struct repetition *repeated; /* by pair, then time */
	size_t repeated_count, repeated_room;
	const struct flow **between, **taken;        /* by their sockets; by who opened them where to, then time */
	size_t between_count, taken_count;
	struct orphan *orphans;      /* by begin */
	size_t orphan_count;
	struct alg_evidence *alg;    /* NULL: not asked for yet */
	struct attempts *attempts;   /* likewise */
	struct phone_calls *phone_calls;     /* likewise */
	struct leg_keys *leg_keys;   /* likewise */
	struct latching *latching;   /* likewise */
	struct half_known *half_known;       /* likewise */
	struct port_edges *port_edges;       /* likewise */
	struct passages *passages;   /* likewise */
	uint32_t media_points;
	bool media_points_made;
	const struct address *hubs[2];
	unsigned hub_count;
	bool hubs_made;
	unsigned even_loss;
	unsigned key_tests;          /* left */
	bool copies_made, replies_made, carried_made, named_made, repeated_made, early_made, sources_made,
		even_made, senders_made, flows_made, orphans_made, tls_made;
};

/* lookup.c; NULL none */
struct lookup_pair *lookup_pair_find(const struct hash *table, const struct address *src, const struct address *dst);
struct lookup_pair *lookup_pair_add(struct lookup *l, struct hash *table, const struct address *src,
	const struct address *dst);

#endif
