/* SPDX-License-Identifier: MIT */
/*
 * gate_ways: of the calls between two media addresses, which directions pass here. One of each, and not of all the same:
 * a member of a bundle of links, or two ways of which one is tapped (G3).
 */
#ifndef DEADAIR_DETECT_GATE_WAYS_H
#define DEADAIR_DETECT_GATE_WAYS_H

#include "analyzer/calls/call.h"
#include "captures/base/arena.h"
#include "captures/base/hash.h"

struct gate_ways {
	struct arena *arena;
	struct hash between;
};

/* The arena is lent. */
void gate_ways_init(struct gate_ways *g, struct arena *arena);
void gate_ways_fini(struct gate_ways *g);
/* Audio that was due in both directions: where each side wants to receive, and whether anything comes there. */
void gate_ways_count(struct gate_ways *g, const struct mslot *slot);
bool gate_ways_one_each(const struct gate_ways *g, const struct address *a, const struct address *b);

#endif
