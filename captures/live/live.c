/* SPDX-License-Identifier: MIT */
/* live: threads that capture, one reader that merges. */
#include "captures/live/live.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "captures/base/memory.h"
#include "captures/base/ns.h"
#include "captures/live/privileges.h"
#include "captures/live/ring.h"

/*
 * A frame may be in a block of the kernel for so long before anybody sees it: twice the retire time, for the
 * scheduler's sake.
 */
#define LATE_NS (2 * INTERFACE_RETIRE_MS * MILLISECOND_NS)
/* Longer than that no frame waits for another interface, whatever the wall clock does meanwhile. */
#define PATIENCE_NS SECOND_NS

enum { NOTE_BYTES = 600, NOTES = 16, QUIET_MS = 100 };

struct lane {
	struct live *live;
	struct interface *interface; /* the thread's, once it runs */
	struct ring *ring;
	pthread_t thread;
	bool running;
	/* under the bell's lock: what the thread tells */
	struct interface_counts counts;
	enum interface_state state;
	uint16_t link;
	/* the reader's */
	struct source_file view;
	struct source_interface view_interface;
};

struct live {
	struct lane lanes[LIVE_INTERFACES_MOST];
	size_t count;
	const char *bpf;
	struct ring_bell bell;
	atomic_bool stopping;
	int stop_fd;                 /* can be read then: nobody sleeps on */
	struct lane *given;          /* whose frame the caller has; NULL none */
	/* under the bell's lock */
	char notes[NOTES][NOTE_BYTES];
	unsigned note_first, note_count;
};

static int64_t wall_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * SECOND_NS + now.tv_nsec;
}

/* ---- the capturing threads ---- */

static void note(struct live *l, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void note(struct live *l, const char *format, ...)
{
	va_list ap;

	pthread_mutex_lock(&l->bell.lock);
	if (l->note_count < NOTES) {     /* nobody reads: the first ones tell most */
		va_start(ap, format);
		vsnprintf(l->notes[(l->note_first + l->note_count++) % NOTES], NOTE_BYTES, format, ap);
		va_end(ap);
	}
	pthread_mutex_unlock(&l->bell.lock);
	ring_bell_ring(&l->bell);
}

struct round {
	struct lane *lane;
	int64_t last_ns;             /* of the frames of this round */
};

static void take_frame(void *context, const struct frame *f)
{
	struct round *r = context;

	r->last_ns = f->at_ns;
	ring_add(r->lane->ring, f);
}

static void tell(struct lane *lane, enum interface_state state)
{
	struct interface_counts counts = interface_counts(lane->interface);

	pthread_mutex_lock(&lane->live->bell.lock);
	lane->counts = counts;
	lane->state = state;
	lane->link = interface_link(lane->interface);
	pthread_mutex_unlock(&lane->live->bell.lock);
}

static void say_state(const struct lane *lane, enum interface_state is, const char *why)
{
	const char *name = lane->view_interface.name;

	switch (is) {
	case INTERFACE_UP:
		note(lane->live, "%s is up again", name);
		break;
	case INTERFACE_DOWN:
		note(lane->live, "%s is down: nothing comes from there until it is up again (ip link set %s up)", name,
			name);
		break;
	case INTERFACE_GONE:
		note(lane->live, "%s; the capture goes on there as soon as the interface is back", why);
		break;
	}
}

static void try_again(struct lane *lane)
{
	struct err err;

	privileges_raise();
	interface_reopen(lane->interface, &err);
	privileges_lower();
}

static void pause_ms(long ms)
{
	struct timespec pause = { .tv_nsec = ms * MILLISECOND_NS };

	nanosleep(&pause, NULL);
}

static bool capture_round(struct lane *lane, struct err *err)
{
	struct round round = { lane, NS_NONE };
	uint64_t frames;
	bool alive = interface_read(lane->interface, lane->live->stop_fd, take_frame, &round, &frames, err);

	ring_flush(lane->ring, round.last_ns != NS_NONE ? round.last_ns : wall_ns() - LATE_NS);
	return alive;
}

/* Once a second, and when it was lost. */
static enum interface_state look_after(struct lane *lane, enum interface_state was, const char *why)
{
	enum interface_state is;

	if (was == INTERFACE_GONE)
		try_again(lane);
	is = interface_state(lane->interface);
	if (is != was)
		say_state(lane, is, why);
	if (is == INTERFACE_GONE)
		ring_flush(lane->ring, INT64_MAX);      /* nobody waits for it */
	tell(lane, is);
	return is;
}

static void *capture(void *context)
{
	struct lane *lane = context;
	enum interface_state state = INTERFACE_UP;
	int64_t looked_ns = 0;
	struct err err = { .code = ERR_OK };
	bool alive;

	while (!lane->live->stopping) {
		alive = state == INTERFACE_GONE || capture_round(lane, &err);
		if (state == INTERFACE_GONE)
			pause_ms(INTERFACE_RETIRE_MS);
		if (alive && ring_monotonic_ns() - looked_ns < SECOND_NS)
			continue;
		looked_ns = ring_monotonic_ns();
		state = look_after(lane, state, err.text);
	}
	pause_ms(INTERFACE_RETIRE_MS);  /* what came until now is in blocks that the kernel has not given yet */
	if (state != INTERFACE_GONE)
		capture_round(lane, &err);
	tell(lane, state);
	ring_end(lane->ring);
	return NULL;
}

/* ---- life ---- */

static bool lane_open(struct live *l, struct lane *lane, const struct live_options *o, size_t index, struct err *err)
{
	struct source_interface *n = &lane->view_interface;

	lane->live = l;
	lane->interface = interface_open(o->interfaces[index], o->ring_bytes, o->bpf, err);
	if (!lane->interface)
		return false;
	lane->ring = ring_new(&l->bell);
	lane->link = interface_link(lane->interface);
	text_escape(span_of(o->interfaces[index]), n->name, sizeof n->name);
	if (o->bpf)
		text_escape(span_of(o->bpf), n->filter, sizeof n->filter);
	n->snaplen = INTERFACE_SNAPLEN;
	n->link = lane->link;
	n->has_drops = true;
	lane->view = (struct source_file){ .name = o->interfaces[index], .interfaces = n, .interface_count = 1 };
	return true;
}

struct live *live_open(const struct live_options *options, struct err *err)
{
	struct live *l = memory_zalloc(sizeof *l);

	ring_bell_init(&l->bell);
	l->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (l->stop_fd < 0) {
		err_set(err, ERR_SYSTEM, "eventfd: %s", strerror(errno));
		live_close(l);
		return NULL;
	}
	for (; l->count < options->count; l->count++) {
		if (!lane_open(l, &l->lanes[l->count], options, l->count, err)) {
			live_close(l);
			return NULL;
		}
	}
	return l;
}

bool live_start(struct live *l, struct err *err)
{
	sigset_t all, old;
	int error = 0;

	/* signals are the main thread's */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	for (size_t i = 0; i < l->count && !error; i++) {
		error = pthread_create(&l->lanes[i].thread, NULL, capture, &l->lanes[i]);
		l->lanes[i].running = !error;
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (error)
		err_set(err, ERR_SYSTEM, "a thread for capturing could not be had: %s", strerror(error));
	return !error;
}

void live_stop(struct live *l)
{
	int saved = errno;

	l->stopping = true;
	eventfd_write(l->stop_fd, 1);
	errno = saved;
}

void live_close(struct live *l)
{
	if (!l)
		return;
	if (l->stop_fd >= 0)
		live_stop(l);
	ring_bell_stop(&l->bell);
	for (size_t i = 0; i < l->count; i++) {
		if (l->lanes[i].running)
			pthread_join(l->lanes[i].thread, NULL);
		interface_close(l->lanes[i].interface);
		ring_free(l->lanes[i].ring);
	}
	if (l->stop_fd >= 0)
		close(l->stop_fd);
	ring_bell_fini(&l->bell);
	free(l);
}

/* ---- reading ---- */

/*
 * The lane whose head is the oldest; NULL: none has one. *ret_clear_ns: before it nothing comes from those that
 * have none.
 */
static struct lane *oldest(struct live *l, int64_t *ret_clear_ns)
{
	struct lane *first = NULL;

	*ret_clear_ns = INT64_MAX;
	for (size_t i = 0; i < l->count; i++) {
		const struct frame *f = ring_head(l->lanes[i].ring);

		if (!f) {
			int64_t clear_ns = ring_clear_ns(l->lanes[i].ring);

			*ret_clear_ns = clear_ns < *ret_clear_ns ? clear_ns : *ret_clear_ns;
		} else if (!first || f->at_ns < ring_head(first->ring)->at_ns) {
			first = &l->lanes[i];
		}
	}
	return first;
}

static bool all_ended(struct live *l)
{
	for (size_t i = 0; i < l->count; i++) {
		if (!ring_ended(l->lanes[i].ring))
			return false;
	}
	return true;
}

static void give(struct live *l, struct lane *lane, struct frame *ret_frame)
{
	*ret_frame = *ring_head(lane->ring);
	ret_frame->number = (uint32_t)++lane->view.frames;
	ret_frame->file = (uint16_t)(lane - l->lanes);
	lane->view.bytes += ret_frame->bytes.n;
	l->given = lane;
}

/* May its head go before anything else comes? */
static bool is_next(const struct lane *lane, int64_t clear_ns)
{
	return ring_head(lane->ring)->at_ns <= clear_ns ||
		ring_head_waits_ns(lane->ring, ring_monotonic_ns()) >= PATIENCE_NS;
}

enum live_event live_next(struct live *l, struct frame *ret_frame, int64_t *ret_now_ns)
{
	struct lane *first;
	uint64_t times;
	int64_t clear_ns;

	if (l->given)
		ring_take(l->given->ring);
	l->given = NULL;
	for (bool waited = false;; waited = true) {
		times = ring_bell_times(&l->bell);
		first = oldest(l, &clear_ns);
		if (first && is_next(first, clear_ns)) {
			give(l, first, ret_frame);
			return LIVE_FRAME;
		}
		if (!first && all_ended(l))
			return LIVE_END;
		if (waited) {
			*ret_now_ns = clear_ns == INT64_MAX ? NS_NONE : clear_ns;
			return LIVE_QUIET;
		}
		ring_bell_wait(&l->bell, times, QUIET_MS * MILLISECOND_NS);
	}
}

/* ---- what is known of them ---- */

size_t live_count(const struct live *l)
{
	return l->count;
}

const struct source_file *live_file(struct live *l, size_t index)
{
	struct lane *lane = &l->lanes[index];

	pthread_mutex_lock(&l->bell.lock);
	lane->view_interface.link = lane->link;
	lane->view_interface.received = lane->counts.received;
	lane->view_interface.os_drop = lane->counts.ring_drops;
	lane->view_interface.if_drop = lane->counts.card_drops;
	pthread_mutex_unlock(&l->bell.lock);
	return &lane->view;
}

size_t live_ring_bytes(const struct live *l, size_t index)
{
	return interface_ring_bytes(l->lanes[index].interface);
}

enum interface_state live_state(struct live *l, size_t index)
{
	enum interface_state state;

	pthread_mutex_lock(&l->bell.lock);
	state = l->lanes[index].state;
	pthread_mutex_unlock(&l->bell.lock);
	return state;
}

bool live_note(struct live *l, struct text *ret)
{
	bool any;

	pthread_mutex_lock(&l->bell.lock);
	any = l->note_count > 0;
	if (any) {
		text_add(ret, l->notes[l->note_first]);
		l->note_first = (l->note_first + 1) % NOTES;
		l->note_count--;
	}
	pthread_mutex_unlock(&l->bell.lock);
	return any;
}
