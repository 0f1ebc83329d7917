/* SPDX-License-Identifier: MIT */
/*
 * keep: the newest frames, as many as fit into a fixed number of bytes and are not too old; or only so much of
 * each as is wanted.
 */
#ifndef DEADAIR_CAPTURES_KEEP_H
#define DEADAIR_CAPTURES_KEEP_H

#include "captures/frame.h"

enum { KEEP_BYTES_LEAST = 1 << 20 };

struct keep;

struct keep_extent {
	uint64_t frames;             /* that are there */
	int64_t first_ns, last_ns;   /* NS_NONE: none */
	size_t bytes;                /* they take */
	uint64_t crowded_out;        /* went before their time, for lack of room */
};

/* bytes: KEEP_BYTES_LEAST at least. length_ns: older than that before the newest, a frame goes. */
struct keep *keep_new(size_t bytes, int64_t length_ns);
void keep_free(struct keep *k);

/*
 * A copy of its first `wanted` bytes, or of all there are. A frame that is larger than a quarter of the room is
 * not kept.
 */
void keep_add(struct keep *k, const struct frame *f, size_t wanted);
struct keep_extent keep_extent(const struct keep *k);
size_t keep_room(const struct keep *k);

/* From the oldest on; *at begins with 0. *ret is lent until the next keep_add(). False: that was the newest. */
bool keep_next(const struct keep *k, uint64_t *at, struct frame *ret);

#endif
