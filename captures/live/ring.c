/* SPDX-License-Identifier: MIT */
/* ring: batches go round between one writer and one reader. */
#include "captures/live/ring.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "captures/base/memory.h"
#include "captures/base/ns.h"

struct batch {
	size_t used;                 /* bytes: struct frame, its bytes, padding, and so on */
	int64_t handed_ns;           /* when the reader could have it; monotonic */
	uint8_t *bytes;
};

struct ring {
	struct ring_bell *bell;
	struct batch batches[RING_BATCHES];
	/* under the bell's lock */
	uint64_t handed, taken;      /* batches, since the beginning */
	int64_t clear_ns;
	bool ended;
	/* the writer's */
	uint64_t writing;            /* the batch that it fills; == handed */
	bool open;                   /* that one is the writer's by now */
	/* the reader's, who alone changes taken, and so reads it without the lock */
	size_t at;                   /* in the batch that it reads */
	bool has_batch;              /* batches[taken] is there for it */
	struct frame head;
	bool has_head;
};

int64_t ring_monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * SECOND_NS + now.tv_nsec;
}

/* With the lock held. */
static void ring_locked(struct ring_bell *b)
{
	b->times++;
	pthread_cond_signal(&b->rung);
}

void ring_bell_init(struct ring_bell *b)
{
	pthread_condattr_t attributes;

	pthread_mutex_init(&b->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&b->rung, &attributes);
	pthread_cond_init(&b->room, &attributes);
	pthread_condattr_destroy(&attributes);
	b->times = 0;
	b->stopped = false;
}

void ring_bell_fini(struct ring_bell *b)
{
	pthread_cond_destroy(&b->rung);
	pthread_cond_destroy(&b->room);
	pthread_mutex_destroy(&b->lock);
}

void ring_bell_stop(struct ring_bell *b)
{
	pthread_mutex_lock(&b->lock);
	b->stopped = true;
	pthread_cond_broadcast(&b->room);
	ring_locked(b);
	pthread_mutex_unlock(&b->lock);
}

void ring_bell_ring(struct ring_bell *b)
{
	pthread_mutex_lock(&b->lock);
	ring_locked(b);
	pthread_mutex_unlock(&b->lock);
}

uint64_t ring_bell_times(struct ring_bell *b)
{
	uint64_t times;

	pthread_mutex_lock(&b->lock);
	times = b->times;
	pthread_mutex_unlock(&b->lock);
	return times;
}

void ring_bell_wait(struct ring_bell *b, uint64_t times, int64_t most_ns)
{
	int64_t at_ns = ring_monotonic_ns() + most_ns;
	struct timespec until = { .tv_sec = (time_t)(at_ns / SECOND_NS), .tv_nsec = (long)(at_ns % SECOND_NS) };

	pthread_mutex_lock(&b->lock);
	while (b->times == times && !b->stopped && pthread_cond_timedwait(&b->rung, &b->lock, &until) == 0)
		;
	pthread_mutex_unlock(&b->lock);
}

struct ring *ring_new(struct ring_bell *bell)
{
	struct ring *r = memory_zalloc(sizeof *r);

	r->bell = bell;
	r->clear_ns = NS_NONE;
	for (unsigned i = 0; i < RING_BATCHES; i++)
		r->batches[i].bytes =
			memory_resize(NULL, RING_BATCH_BYTES, 1); /* pages that no frame touches cost nothing */
	return r;
}

void ring_free(struct ring *r)
{
	if (!r)
		return;
	for (unsigned i = 0; i < RING_BATCHES; i++)
		free(r->batches[i].bytes);
	free(r);
}

/* ---- writing ---- */

static size_t record_bytes(size_t n)
{
	return (sizeof(struct frame) + n + 7) & ~(size_t)7;
}

static struct batch *writing(struct ring *r)
{
	return &r->batches[r->writing % RING_BATCHES];
}

/* What was written goes to the reader. */
static void hand_over(struct ring *r, int64_t clear_ns)
{
	pthread_mutex_lock(&r->bell->lock);
	if (r->open) {
		writing(r)->handed_ns = ring_monotonic_ns();
		r->handed = ++r->writing;
		r->open = false;
	}
	if (clear_ns != NS_NONE)
		r->clear_ns = clear_ns;
	ring_locked(r->bell);
	pthread_mutex_unlock(&r->bell->lock);
}

static bool wait_for_room(struct ring *r)
{
	pthread_mutex_lock(&r->bell->lock);
	while (!(r->open = r->writing - r->taken < RING_BATCHES) && !r->bell->stopped)
		pthread_cond_wait(&r->bell->room, &r->bell->lock);
	pthread_mutex_unlock(&r->bell->lock);
	if (r->open)
		writing(r)->used = 0;
	return r->open;
}

bool ring_add(struct ring *r, const struct frame *f)
{
	size_t bytes = record_bytes(f->bytes.n);
	struct batch *b;

	assert(f->bytes.n <= RING_FRAME_MOST);
	if (r->open && writing(r)->used + bytes > RING_BATCH_BYTES)
		hand_over(r, NS_NONE);
	if (!r->open && !wait_for_room(r))
		return false;
	b = writing(r);
	memcpy(b->bytes + b->used, f, sizeof *f);
	if (f->bytes.n)
		memcpy(b->bytes + b->used + sizeof *f, f->bytes.p, f->bytes.n);
	b->used += bytes;
	return true;
}

void ring_flush(struct ring *r, int64_t clear_ns)
{
	hand_over(r, clear_ns);
}

void ring_end(struct ring *r)
{
	hand_over(r, INT64_MAX);
	pthread_mutex_lock(&r->bell->lock);
	r->ended = true;
	ring_locked(r->bell);
	pthread_mutex_unlock(&r->bell->lock);
}

/* ---- reading ---- */

static bool next_batch(struct ring *r)
{
	pthread_mutex_lock(&r->bell->lock);
	r->has_batch = r->taken < r->handed;
	pthread_mutex_unlock(&r->bell->lock);
	r->at = 0;
	return r->has_batch;
}

const struct frame *ring_head(struct ring *r)
{
	const struct batch *b;

	if (r->has_head)
		return &r->head;
	if (!r->has_batch && !next_batch(r))
		return NULL;
	b = &r->batches[r->taken % RING_BATCHES];
	memcpy(&r->head, b->bytes + r->at, sizeof r->head);
	r->head.bytes.p = b->bytes + r->at + sizeof r->head;
	r->has_head = true;
	return &r->head;
}

int64_t ring_head_waits_ns(const struct ring *r, int64_t now_ns)
{
	return now_ns - r->batches[r->taken % RING_BATCHES].handed_ns;
}

void ring_take(struct ring *r)
{
	r->at += record_bytes(r->head.bytes.n);
	r->has_head = false;
	if (r->at < r->batches[r->taken % RING_BATCHES].used)
		return;
	r->has_batch = false;
	pthread_mutex_lock(&r->bell->lock);
	r->taken++;
	pthread_cond_broadcast(&r->bell->room);
	pthread_mutex_unlock(&r->bell->lock);
}

int64_t ring_clear_ns(struct ring *r)
{
	int64_t clear_ns;

	pthread_mutex_lock(&r->bell->lock);
	clear_ns = r->taken < r->handed ? NS_NONE : r->clear_ns;
	pthread_mutex_unlock(&r->bell->lock);
	return clear_ns;
}

bool ring_ended(struct ring *r)
{
	bool ended;

	pthread_mutex_lock(&r->bell->lock);
	ended = r->ended && r->taken == r->handed;
	pthread_mutex_unlock(&r->bell->lock);
	return ended;
}
