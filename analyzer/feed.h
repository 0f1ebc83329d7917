/* SPDX-License-Identifier: MIT */
/*
 * feed: frames of a source in batches, decoded as far as each stands alone. Ahead of the caller on a thread of its own,
 * if so wished: the batches are the same, and so is what the caller makes of them.
 */
#ifndef DEADAIR_ANALYZER_FEED_H
#define DEADAIR_ANALYZER_FEED_H

#include "captures/source.h"
#include "dissect/packet.h"

enum { FEED_BATCH = 128 };           /* items at most */

struct feed;

struct feed_item {
	const struct frame *frame;
	const struct packet *packet; /* all that the frame gives; NULL: see plain */
	bool plain;                  /* plain_frame(): its packet is made if it is wanted; else dissect_frame() */
};

/* Good until the next one is asked for. */
struct feed_batch {
	const struct feed_item *items;
	unsigned count;
	uint64_t frames;             /* so far, these included */
	uint64_t done, total;        /* as source_progress() has them */
};

/* Takes frames off the source, which nobody else may touch until feed_free(), but for source_stop(). */
struct feed *feed_new(struct source *s, bool ahead);
/* The next batch, in the order of the source; NULL at the end. */
const struct feed_batch *feed_next(struct feed *f);
void feed_free(struct feed *f);

#endif
