/* SPDX-License-Identifier: MIT */
/*
 * feed: a ring of batches. One thread fills them, another empties them, each batch is the property of one of the two;
 * the lock is taken once a batch. Without a thread the ring has one batch, filled when it is asked for.
 */
#include "analyzer/feed.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "captures/base/memory.h"
#include "dissect/dissect.h"
#include "dissect/plain.h"

enum {
	RING = 16,
	TEXTS = 16,                  /* SIP messages and RTCP packets of a batch */
	BYTES = 1 << 16,             /* of a batch, and what its last frame has beyond */
	FRAME_MOST = 262144          /* of the formats that captures reads */
};

union decoded {
	struct sip_message sip;
	struct rtcp_compound rtcp;
};

struct batch {
	struct feed_batch given;
	struct frame frames[FEED_BATCH];
	struct feed_item items[FEED_BATCH];
	struct packet packets[FEED_BATCH];
	union decoded *texts;        /* TEXTS */
	uint8_t *bytes;              /* BYTES + FRAME_MOST: what the source lends is gone with its next frame */
};

struct feed {
	struct source *source;
	struct dissector *dissector;
	uint64_t frames;
	size_t at_hand, begun;       /* without a thread: frames that the source lent to the batch; given so far */
	struct batch *ring;
	unsigned room;               /* batches in the ring */
	bool ahead, lent;            /* lent: the caller holds one */
	pthread_t thread;
	pthread_mutex_t lock;        /* what follows, when there is a thread */
	pthread_cond_t filled, emptied;
	unsigned long first, next;   /* the oldest full batch, the next one to fill: counted, not wrapped */
	bool ended, unwanted;
};

/* What the frame gives by itself; NULL: it is for others to make. */
static const struct packet *decode(struct feed *f, struct batch *b, size_t at, unsigned *texts)
{
	struct packet *packet = &b->packets[at];
	union decoded *text = &b->texts[*texts];

	if (!dissect_alone(f->dissector, &b->frames[at], packet, &text->sip, &text->rtcp))
		return NULL;
	*texts += packet->kind == PACKET_SIP || packet->kind == PACKET_RTCP;
	return packet;
}

static inline void item_fill(struct feed *f, struct batch *b, size_t at, unsigned *texts)
{
	struct feed_item *item = &b->items[at];

	item->frame = &b->frames[at];
	item->plain = plain_frame(item->frame);
	item->packet = item->plain ? NULL : decode(f, b, at, texts);
}

/* Frames that stay where the source has them until it is asked again: after the last of them. */
static void batch_borrow(struct feed *f, struct batch *b)
{
	unsigned texts = 0;

	if (f->begun == f->at_hand) {
		f->begun = 0;
		f->at_hand = source_at_hand(f->source, b->frames, FEED_BATCH);
	}
	b->given.items = b->items + f->begun;
	for (; f->begun < f->at_hand && texts < TEXTS; f->begun++, b->given.count++)
		item_fill(f, b, f->begun, &texts);
}

static void batch_copy(struct feed *f, struct batch *b)
{
	size_t bytes = 0;
	unsigned texts = 0;
	struct frame *frame;

	b->given.items = b->items;
	while (b->given.count < FEED_BATCH && texts < TEXTS && bytes < BYTES) {
		frame = &b->frames[b->given.count];
		if (!source_next(f->source, frame))
			break;
		if (frame->bytes.n)
			memcpy(b->bytes + bytes, frame->bytes.p, frame->bytes.n);
		frame->bytes.p = b->bytes + bytes;
		bytes += frame->bytes.n;
		item_fill(f, b, b->given.count++, &texts);
	}
}

/* False: nothing is left. */
static bool batch_fill(struct feed *f, struct batch *b)
{
	b->given.count = 0;
	if (f->room == 1)
		batch_borrow(f, b);
	if (b->given.count == 0)
		batch_copy(f, b);
	b->given.frames = f->frames += b->given.count;
	source_progress(f->source, &b->given.done, &b->given.total);
	return b->given.count > 0;
}

/* ---- the thread ---- */

/* Waits for a batch that is free; false: nobody wants more. */
static bool wait_emptied(struct feed *f)
{
	bool wanted;

	pthread_mutex_lock(&f->lock);
	while (f->next - f->first == f->room && !f->unwanted)
		pthread_cond_wait(&f->emptied, &f->lock);
	wanted = !f->unwanted;
	pthread_mutex_unlock(&f->lock);
	return wanted;
}

/*
 * Half a ring at a time: who waits is not woken for each batch, which would cost more than decoding ahead brings. What
 * was read of a pipe that is silent now waits with it: nobody looks at results before the end.
 */
static void hand_over(struct feed *f, bool full)
{
	pthread_mutex_lock(&f->lock);
	f->next += full;
	f->ended = !full;
	if (f->ended || f->next - f->first >= f->room / 2)
		pthread_cond_signal(&f->filled);
	pthread_mutex_unlock(&f->lock);
}

static void *run(void *context)
{
	struct feed *f = context;
	bool full = true;

	while (full && wait_emptied(f)) {
		full = batch_fill(f, &f->ring[f->next % f->room]);
		hand_over(f, full);
	}
	return NULL;
}

static void thread_locks_destroy(struct feed *f)
{
	pthread_mutex_destroy(&f->lock);
	pthread_cond_destroy(&f->filled);
	pthread_cond_destroy(&f->emptied);
}

/* Signals are for the thread that began: they end the reading through source_stop(). */
static bool thread_start(struct feed *f)
{
	sigset_t all, before;
	int error;

	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->filled, NULL);
	pthread_cond_init(&f->emptied, NULL);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&f->thread, NULL, run, f);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error)
		thread_locks_destroy(f);
	return error == 0;
}

/* Gives back the batch that was lent; the next one. */
static const struct feed_batch *take_filled(struct feed *f)
{
	const struct feed_batch *b = NULL;

	pthread_mutex_lock(&f->lock);
	if (f->lent) {
		f->first++;
		if (f->next - f->first <= f->room / 2)
			pthread_cond_signal(&f->emptied);
	}
	while (f->first == f->next && !f->ended)
		pthread_cond_wait(&f->filled, &f->lock);
	if (f->first != f->next)
		b = &f->ring[f->first % f->room].given;
	f->lent = b != NULL;
	pthread_mutex_unlock(&f->lock);
	return b;
}

/* ---- for the caller ---- */

struct feed *feed_new(struct source *s, bool ahead)
{
	struct feed *f = memory_zalloc(sizeof *f);

	f->source = s;
	f->dissector = dissector_new();
	f->room = ahead ? RING : 1;
	f->ring = memory_zalloc(f->room * sizeof *f->ring);
	for (unsigned i = 0; i < f->room; i++) {
		f->ring[i].texts = memory_resize(NULL, TEXTS, sizeof(union decoded));
		f->ring[i].bytes = memory_resize(NULL, BYTES + FRAME_MOST, 1);
	}
	f->ahead = ahead && thread_start(f);
	return f;
}

const struct feed_batch *feed_next(struct feed *f)
{
	if (f->ahead)
		return take_filled(f);
	return batch_fill(f, &f->ring[0]) ? &f->ring[0].given : NULL;
}

static void thread_end(struct feed *f)
{
	pthread_mutex_lock(&f->lock);
	f->unwanted = true;
	pthread_cond_signal(&f->emptied);
	pthread_mutex_unlock(&f->lock);
	pthread_join(f->thread, NULL);
	thread_locks_destroy(f);
}

void feed_free(struct feed *f)
{
	if (!f)
		return;
	if (f->ahead)
		thread_end(f);
	for (unsigned i = 0; i < f->room; i++) {
		free(f->ring[i].texts);
		free(f->ring[i].bytes);
	}
	free(f->ring);
	dissector_free(f->dissector);
	free(f);
}
