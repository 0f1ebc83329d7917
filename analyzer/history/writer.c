/* SPDX-License-Identifier: MIT */
/*
 * writer: portions in a queue under one lock, which is held for moments only: never while something is written. The
 * thread takes all that waits once the first of it has waited BATCH_MS, and writes it in one transaction. What cannot
 * be written stays, and is tried again, while there is room for more.
 */
#include "analyzer/history/writer.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "captures/base/memory.h"
#include "captures/base/ns.h"

enum { BATCH_MS = 1000, RETRY_MS = 1000, BATCH_BYTES = 4 << 20, LOCK_MS = 500, SHARED_BYTES = 64 << 20 };
/* How often, in the time of the capture, old runs are looked for. */
#define PRUNE_NS HOUR_NS

struct portion {
	struct portion *next;
	struct run run;              /* its texts are owned */
	struct rows rows;            /* owned; of a shared portion no more than a view */
	bool forgets;                /* first what is behind `kept` goes */
	struct record_numbers kept;
	bool shared;                 /* the rows are in the shared memory, which is free again when they are written */
};

struct shared {                      /* in memory of both processes */
	struct run run;              /* its texts are in the next */
	char source[256], vantage[64], seen_from[192], deadair[32];
	struct record_numbers kept, highest, settled;
	size_t n, count, left_out;   /* bytes; rows; rows without room */
	uint8_t bytes[];
};

struct writer {
	struct store *store;         /* the thread's, once it runs */
	int64_t keep_ns, pruned_ns;
	size_t room;
	struct shared *shared;       /* NULL: not wanted yet */
	pthread_t thread;
	bool running;
	pthread_mutex_t lock;
	pthread_cond_t more;
	/* under the lock */
	struct portion *first, **last;
	bool ends, shared_busy;
	struct timespec give_up;     /* monotonic: when it ends, not to be waited for longer */
	struct writer_state state;
};

/* ---- portions ---- */

static const char *text_copy(const char *text)
{
	return text ? memory_text(text) : NULL;
}

static struct portion *portion_new(const struct run *run)
{
	struct portion *p = memory_zalloc(sizeof *p);

	p->run = *run;
	p->run.more = true;
	p->run.kind = text_copy(run->kind);
	p->run.source = text_copy(run->source);
	p->run.deadair = text_copy(run->deadair);
	p->run.vantage = text_copy(run->vantage);
	p->run.seen_from = text_copy(run->seen_from);
	return p;
}

static void portion_free(struct portion *p)
{
	free((void *)p->run.kind);
	free((void *)p->run.source);
	free((void *)p->run.deadair);
	free((void *)p->run.vantage);
	free((void *)p->run.seen_from);
	if (!p->shared)
		free(p->rows.bytes);
	free(p);
}

/* The lock is held. */
static void queue_add(struct writer *w, struct portion *p)
{
	*w->last = p;
	w->last = &p->next;
	w->state.waiting += p->rows.n;
	pthread_cond_signal(&w->more);
}

bool writer_give(struct writer *w, const struct run *run, const struct rows *rows)
{
	struct portion *p;
	bool fits;

	pthread_mutex_lock(&w->lock);
	fits = !w->state.dead && w->state.waiting + rows->n <= w->room;
	if (!fits)
		w->state.lost += rows->count;
	pthread_mutex_unlock(&w->lock);
	if (!fits)                      /* nobody else adds: there is as much room below */
		return false;
	p = portion_new(run);
	p->rows = (struct rows){ memory_zalloc(rows->n + 1), rows->n, rows->n + 1, rows->count };
	memcpy(p->rows.bytes, rows->bytes, rows->n);
	pthread_mutex_lock(&w->lock);
	queue_add(w, p);
	pthread_mutex_unlock(&w->lock);
	return true;
}

struct writer_state writer_look(struct writer *w)
{
	struct writer_state state;

	pthread_mutex_lock(&w->lock);
	state = w->state;
	pthread_mutex_unlock(&w->lock);
	return state;
}

/* ---- shared memory ---- */

bool writer_shared_busy(struct writer *w)
{
	bool busy;

	pthread_mutex_lock(&w->lock);
	busy = w->shared_busy;
	pthread_mutex_unlock(&w->lock);
	return busy;
}

void writer_shared_begin(struct writer *w, const struct record_numbers *kept)
{
	struct shared *s = w->shared;

	s->n = s->count = s->left_out = 0;
	s->kept = s->highest = s->settled = *kept;
}

static const char *keep_text(char *place, size_t room, const char *text)
{
	if (!text)
		return NULL;
	snprintf(place, room, "%s", text);
	return place;
}

void writer_shared_run(struct writer *w, const struct run *run)
{
	struct shared *s = w->shared;

	s->run = *run;
	s->run.kind = "live";
	s->run.source = keep_text(s->source, sizeof s->source, run->source);
	s->run.deadair = keep_text(s->deadair, sizeof s->deadair, run->deadair);
	s->run.vantage = keep_text(s->vantage, sizeof s->vantage, run->vantage);
	s->run.seen_from = keep_text(s->seen_from, sizeof s->seen_from, run->seen_from);
}

/* Which numbers there are by now. */
static void note_numbers(struct shared *s, const struct rows *rows)
{
	unsigned *const highest[ROW_TABLES] = {
		[ROW_CALL] = &s->highest.calls, [ROW_STREAM] = &s->highest.streams,
			[ROW_FINDING] = &s->highest.findings,
		[ROW_INCIDENT] = &s->highest.incidents, [ROW_REGISTRATION] = &s->highest.registrations,
	};
	struct row row;

	for (size_t at = 0; rows_next(rows, &at, &row);) {
		unsigned *n = highest[row.table];

		if (n && row.count && row.values[0].kind == VALUE_INTEGER && row.values[0].integer > *n)
			*n = (unsigned)row.values[0].integer;
	}
}

struct record_numbers writer_shared_settle(struct writer *w)
{
	w->shared->settled = w->shared->highest;
	return w->shared->settled;
}

struct record_numbers writer_shared_settled(const struct writer *w)
{
	return w->shared->settled;
}

bool writer_shared_add(struct writer *w, const struct rows *rows)
{
	struct shared *s = w->shared;

	if (rows->n > SHARED_BYTES - sizeof *s - s->n) {
		s->left_out += rows->count;
		return false;
	}
	memcpy(s->bytes + s->n, rows->bytes, rows->n);
	s->n += rows->n;
	s->count += rows->count;
	note_numbers(s, rows);
	return true;
}

bool writer_shared_give(struct writer *w)
{
	struct portion *p = portion_new(&w->shared->run);
	bool dead;

	p->shared = p->forgets = true;
	p->kept = w->shared->kept;
	p->rows = (struct rows){ w->shared->bytes, w->shared->n, w->shared->n, w->shared->count };
	pthread_mutex_lock(&w->lock);
	dead = w->state.dead;
	w->state.lost += w->shared->left_out + (dead ? w->shared->count : 0);
	if (!dead) {
		w->shared_busy = true;
		queue_add(w, p);
	}
	pthread_mutex_unlock(&w->lock);
	if (dead)
		portion_free(p);
	return !dead;
}

/* ---- the thread ---- */

static struct timespec after_ms(int ms)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_sec += ms / 1000;
	at.tv_nsec += (long)(ms % 1000) * 1000000;
	if (at.tv_nsec >= 1000000000) {
		at.tv_sec++;
		at.tv_nsec -= 1000000000;
	}
	return at;
}

static bool is_over(const struct timespec *at)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec > at->tv_sec || (now.tv_sec == at->tv_sec && now.tv_nsec >= at->tv_nsec);
}

/* So long, unless the end comes first. The lock is held. */
static void rest(struct writer *w, int ms)
{
	struct timespec until = after_ms(ms);

	while (!w->ends && pthread_cond_timedwait(&w->more, &w->lock, &until) != ETIMEDOUT)
		;
}

/*
 * Until there is a batch: its first portion has waited, or there is much. All that waits; NULL at the end. The lock is
 * held.
 */
static struct portion *wait_for_batch(struct writer *w)
{
	struct timespec until;
	struct portion *batch;

	while (!w->ends && !w->first)
		pthread_cond_wait(&w->more, &w->lock);
	until = after_ms(BATCH_MS);
	while (!w->ends && w->state.waiting < BATCH_BYTES &&
	    pthread_cond_timedwait(&w->more, &w->lock, &until) != ETIMEDOUT)
		;
	batch = w->first;
	w->first = NULL;
	w->last = &w->first;
	return batch;
}

static enum err_code write_batch(struct writer *w, const struct portion *batch, struct err *err)
{
	int64_t number;

	if (store_begin(w->store, err) != ERR_OK)
		return err->code;
	for (const struct portion *p = batch; p; p = p->next) {
		if (store_run(w->store, &p->run, &number, err) != ERR_OK ||
		    (p->forgets && store_forget_behind(w->store, &p->kept, err) != ERR_OK) ||
		    store_rows(w->store, &p->rows, err) != ERR_OK)
			return err->code;
	}
	return store_commit(w->store, err);
}

/* What became of the batch. The lock is held. */
static void settle(struct writer *w, struct portion *batch, bool written)
{
	while (batch) {
		struct portion *next = batch->next;

		*(written ? &w->state.written : &w->state.lost) += batch->rows.count;
		w->state.waiting -= batch->rows.n;
		if (batch->shared)
			w->shared_busy = false;
		portion_free(batch);
		batch = next;
	}
}

/* Old runs go; a history that cannot be pruned is written to all the same. */
static void prune(struct writer *w, int64_t now_ns)
{
	struct err err;
	int64_t runs;

	if (w->keep_ns == 0 || now_ns == NS_NONE ||
	    (w->pruned_ns != NS_NONE && ns_minus(now_ns, w->pruned_ns) < PRUNE_NS))
		return;
	w->pruned_ns = now_ns;
	store_prune(w->store, ns_minus(now_ns, w->keep_ns), &runs, &err);
}

static int64_t newest(const struct portion *batch)
{
	int64_t at_ns = NS_NONE;

	for (; batch; batch = batch->next) {
		if (batch->run.last_ns != NS_NONE && (at_ns == NS_NONE || batch->run.last_ns > at_ns))
			at_ns = batch->run.last_ns;
	}
	return at_ns;
}

/* Again and again, until it is written, or never will be. The lock is held, but not while it is written. */
static void work_off(struct writer *w, struct portion *batch)
{
	int64_t now_ns = newest(batch);

	for (;;) {
		struct err err = { .code = ERR_OK };
		enum err_code code;

		pthread_mutex_unlock(&w->lock);
		code = write_batch(w, batch, &err);
		pthread_mutex_lock(&w->lock);
		w->state.dead = code == ERR_DAMAGED;
		memcpy(w->state.trouble, code == ERR_OK ? "" : err.text, code == ERR_OK ? 1 : sizeof w->state.trouble);
		if (code == ERR_OK || w->state.dead || code == ERR_USAGE || (w->ends && is_over(&w->give_up)))
			break;
		if (w->ends) {
			pthread_mutex_unlock(&w->lock);
			nanosleep(&(struct timespec){ 0, 50000000 }, NULL);
			pthread_mutex_lock(&w->lock);
		} else {
			rest(w, RETRY_MS);
		}
	}
	settle(w, batch, w->state.trouble[0] == '\0');
	if (w->state.trouble[0])
		return;
	pthread_mutex_unlock(&w->lock);
	prune(w, now_ns);
	pthread_mutex_lock(&w->lock);
}

static void *work(void *context)
{
	struct writer *w = context;
	struct portion *batch;

	pthread_mutex_lock(&w->lock);
	while ((batch = wait_for_batch(w)))
		work_off(w, batch);
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

/* ---- beginning and end ---- */

static void lock_init(struct writer *w)
{
	pthread_condattr_t monotonic;

	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&w->more, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

struct writer *writer_new(const struct writer_options *options, struct err *err)
{
	struct store *store = store_open(options->path, STORE_WRITE, LOCK_MS, err);
	void *shared = store ? mmap(NULL, SHARED_BYTES, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) : MAP_FAILED;
	struct writer *w;

	if (shared == MAP_FAILED) {
		if (store)
			err_set(err, ERR_SYSTEM, "history %s: no memory to share: %s", options->path, strerror(errno));
		store_close(store);
		return NULL;
	}
	w = memory_zalloc(sizeof *w);
	w->store = store;
	w->shared = shared;
	w->keep_ns = options->keep_ns;
	w->pruned_ns = NS_NONE;
	w->room = options->room ? options->room : WRITER_ROOM;
	w->last = &w->first;
	lock_init(w);
	return w;
}

/* Signals are for the thread that captures. */
bool writer_start(struct writer *w, struct err *err)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&w->thread, NULL, work, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	w->running = error == 0;
	if (error)
		err_set(err, ERR_SYSTEM, "history: no thread to write it: %s", strerror(error));
	return w->running;
}

void writer_free(struct writer *w, int wait_ms, struct writer_state *ret)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->ends = true;
	w->give_up = after_ms(wait_ms);
	pthread_cond_signal(&w->more);
	pthread_mutex_unlock(&w->lock);
	if (w->running)
		pthread_join(w->thread, NULL);
	settle(w, w->first, false);
	if (ret)
		*ret = w->state;
	store_close(w->store);
	munmap(w->shared, SHARED_BYTES);
	pthread_cond_destroy(&w->more);
	pthread_mutex_destroy(&w->lock);
	free(w);
}
