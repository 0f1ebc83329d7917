/* SPDX-License-Identifier: MIT */
/*
 * short_hole: where streams miss a few packets one after the other, for too short a time to be kept as a gap of their
 * own. Of one stream they are loss like any; those that all have at once are the capture's.
 */
#ifndef DEADAIR_MEDIA_SHORT_HOLE_H
#define DEADAIR_MEDIA_SHORT_HOLE_H

#include <stdint.h>

struct stream;
struct streams;

struct short_hole {
	int64_t from_ns;             /* last packet before; the first after comes less than GAP_MIN_MS later */
	uint32_t record;
	uint16_t length_ms, lost;
};

/* The latest 32 768 of all streams, in no order. */
const struct short_hole *streams_short_holes(const struct streams *s, unsigned *ret_count);
/* NULL: it is no longer known. */
const struct stream *streams_short_hole_of(const struct streams *s, const struct short_hole *h);

#endif
