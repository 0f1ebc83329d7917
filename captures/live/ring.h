/* SPDX-License-Identifier: MIT */
/*
 * ring: frames on their way from one capturing thread to the analyzing one, in a bounded number of batches. A lock is
 * taken a batch, never a frame. Who captures waits while all batches are full: the kernel's ring then takes what
 * comes, and is the one place where frames are lost and counted.
 */
#ifndef DEADAIR_LIVE_RING_H
#define DEADAIR_LIVE_RING_H

#include <pthread.h>

#include "captures/frame.h"

enum { RING_BATCHES = 16, RING_BATCH_BYTES = 1 << 20, RING_FRAME_MOST = 1 << 18 };

struct ring;

struct ring_bell {                   /* what all rings of one reader share; its state is under the lock */
	pthread_mutex_t lock;
	pthread_cond_t rung;         /* a batch came, a ring ended, or a clear time moved */
	pthread_cond_t room;         /* a batch is free again */
	uint64_t times;              /* it was rung */
	bool stopped;                /* nobody waits any more */
};

void ring_bell_init(struct ring_bell *b);
void ring_bell_fini(struct ring_bell *b);
/* Wakes whoever waits, for good: from now on a full ring takes nothing more. */
void ring_bell_stop(struct ring_bell *b);
void ring_bell_ring(struct ring_bell *b);
uint64_t ring_bell_times(struct ring_bell *b);
/* Until it was rung more often than that, at most so long. */
void ring_bell_wait(struct ring_bell *b, uint64_t times, int64_t most_ns);

struct ring *ring_new(struct ring_bell *bell);   /* the bell is lent */
void ring_free(struct ring *r);

/* ---- the capturing thread ---- */

/* A copy; at most RING_FRAME_MOST bytes. Waits for room; false: stopped, and there was none. */
bool ring_add(struct ring *r, const struct frame *f);
/* What was added can be read, and nothing before clear_ns will come any more. */
void ring_flush(struct ring *r, int64_t clear_ns);
/* The last call: no frame follows. */
void ring_end(struct ring *r);

/* ---- the analyzing thread ---- */

/* The oldest frame, good until the ring_take() that follows; NULL: none at the moment. */
const struct frame *ring_head(struct ring *r);
/* How long the batch of the head has been there at that moment of ring_monotonic_ns(). */
int64_t ring_head_waits_ns(const struct ring *r, int64_t now_ns);
void ring_take(struct ring *r);
/*
 * With no head: what ring_flush() promised; INT64_MAX after ring_end(); NS_NONE: nothing was promised, or a batch
 * has just come.
 */
int64_t ring_clear_ns(struct ring *r);
bool ring_ended(struct ring *r);     /* and nothing is left in it */

int64_t ring_monotonic_ns(void);

#endif
