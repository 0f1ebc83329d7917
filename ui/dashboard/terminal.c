/* SPDX-License-Identifier: MIT */
/* terminal: the loop between keyboard and picture. */
#include "ui/dashboard/terminal.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "captures/base/memory.h"
#include "ui/dashboard/answer.h"
#include "ui/dashboard/kept.h"
#include "ui/dashboard/screen.h"

enum { FRAME_MS = 100, IDLE_MS = 250, CLOCK_MS = 1000, LEFT_KNOWN_MS = 500 };
#define STALE_NS (3 * SECOND_NS)

struct terminal {
	struct pictures *pictures;
	struct terminal_options options;
	pthread_t thread;
	struct screen *screen;
	struct question *question; /* the state is in it */
	struct sheet sheet;
	struct text answer;
	int64_t begun_ms, drawn_ms;
	bool held, dirty, anew;
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- numbers ---- */

/* By what was read in the time so far. */
static int64_t left_ns(const struct terminal *t, const struct live_numbers *n)
{
	int64_t since_ms = now_ms() - t->begun_ms;
	double left;

	if (!n->bytes_total || !n->bytes_done || n->bytes_done > n->bytes_total || since_ms < LEFT_KNOWN_MS)
		return NS_NONE;
	left = (double)since_ms * (double)(n->bytes_total - n->bytes_done) / (double)n->bytes_done;
	return left < 1e9 ? (int64_t)left * MILLISECOND_NS : NS_NONE;
}

static void take_numbers(struct terminal *t)
{
	struct numbers *ret = &t->question->numbers;
	struct live_numbers n;

	pictures_numbers(t->pictures, &n);
	*ret = (struct numbers){ .live = n.live,
		.loading = n.loading,
		.redacted = n.redacted,
		.frames = n.frames,
		.dropped = n.ring_drops + n.card_drops,
		.bytes_done = n.bytes_done,
		.bytes_total = n.bytes_total,
		.frames_per_s = n.frames_per_s,
		.now_ns = n.now_ns,
		.left_ns = left_ns(t, &n),
		.findings = n.findings_open };
	snprintf(ret->source, sizeof ret->source, "%.*s", (int)sizeof ret->source - 1, n.source);
	snprintf(ret->note, sizeof ret->note, "%.*s", (int)sizeof ret->note - 1, n.note);
	if (n.begun_ns != NS_NONE && n.now_ns != NS_NONE)
		ret->length_ns = ns_minus(n.now_ns, n.begun_ns);
	if (n.live && n.last_frame_ns != NS_NONE && n.now_ns != NS_NONE)
		ret->quiet_ns = ns_minus(n.now_ns, n.last_frame_ns);
	ret->stale = n.live && ret->quiet_ns >= STALE_NS;
}

/* ---- keys ---- */

/* What is pressed while an answer is waited for stays in the terminal's queue: nothing is lost. */
static void take_events(struct terminal *t)
{
	struct question *q = t->question;

	while (q->event_count < EVENTS_AT_ONCE && screen_event(t->screen, &q->events[q->event_count])) {
		q->event_count++;
		t->dirty = true;
	}
}

static void take_size(struct terminal *t)
{
	unsigned rows, columns;

	if (screen_size(t->screen, &rows, &columns))
		t->dirty = t->anew = true;
	t->question->rows = (uint16_t)(rows > SHEET_ROWS_MAX ? SHEET_ROWS_MAX : rows);
	t->question->columns = (uint16_t)(columns > SHEET_COLUMNS_MAX ? SHEET_COLUMNS_MAX : columns);
}

/* ---- pictures ---- */

/* No picture yet: of the keys only those that leave are heard; the others wait, as many as there is room for. */
static void draw_empty(struct terminal *t)
{
	struct question *q = t->question;

	for (unsigned i = 0; i < q->event_count; i++)
		if (q->events[i].kind == EVENT_KEY && (q->events[i].key == 'q' || q->events[i].key == KEY_CTRL_C))
			q->state.quit = true;
	if (q->event_count == EVENTS_AT_ONCE)
		q->event_count = 0;
	if (t->sheet.rows != q->rows || t->sheet.columns != q->columns) {
		sheet_fini(&t->sheet);
		sheet_init(&t->sheet, q->rows, q->columns, q->ascii);
	}
	t->sheet.ascii = q->ascii;
	dashboard_draw_empty(&q->state, &q->numbers, &t->sheet);
}

/* Here, as a picture is a copy of the process and may be gone before the file is. */
static void keep_settings(struct terminal *t)
{
	struct dashboard *d = &t->question->state;
	char shown[160];
	struct err err;

	d->keep_wanted = false;
	t->dirty = true;
	if (!t->options.settings)
		snprintf(d->message, sizeof d->message, "not kept: there is no folder for it");
	else if (!kept_write(t->options.settings, d, &err))
		snprintf(d->message, sizeof d->message, "not kept: %.180s", err.text);
	else
		snprintf(d->message, sizeof d->message, "kept for the next start in %s",
			text_escape(span_of(t->options.settings), shown, sizeof shown));
}

static void ask(struct terminal *t)
{
	struct question *q = t->question;

	take_numbers(t);
	q->ascii = screen_ascii(t->screen) || q->state.glyphs == 1;
	text_clear(&t->answer);
	if (pictures_ask(t->pictures, q, sizeof *q, &t->answer) && answer_take(&t->answer, &q->state, &t->sheet))
		q->event_count = 0;
	else
		draw_empty(t);
	if (t->held != q->state.paused) {
		t->held = q->state.paused;
		pictures_hold(t->pictures, t->held);
	}
}

static void show(struct terminal *t)
{
	struct dashboard *d = &t->question->state;

	screen_show(t->screen, &t->sheet, d->palette, t->anew || d->redraw);
	if (d->copy[0])
		screen_copy(t->screen, d->copy);
	if (d->ring)
		screen_ring(t->screen);
	d->copy[0] = '\0';
	d->redraw = d->ring = t->anew = false;
	t->drawn_ms = now_ms();
	t->dirty = d->unfinished;
	if (d->keep_wanted)
		keep_settings(t);
}

/* ---- the loop ---- */

/* In the meantime the process may be copied. */
static void rest(struct terminal *t, struct pollfd *fds, nfds_t n, int ms)
{
	pictures_work_ends(t->pictures);
	poll(fds, n, ms);
	pictures_work_begins(t->pictures);
}

/* Until a key, news, or the time to draw. */
static void wait_for(struct terminal *t)
{
	struct pollfd fds[2] = { { STDIN_FILENO, POLLIN, 0 }, { pictures_fd(t->pictures), POLLIN, 0 } };
	int64_t left = FRAME_MS - (now_ms() - t->drawn_ms);

	if (t->dirty && left > 0 && t->question->state.unfinished && poll(fds, 1, 0) == 0)
		ask(t); /* a filter goes on in the meantime */
	else if (t->dirty && left > 0)
		rest(t, NULL, 0, (int)left);
	else if (!t->dirty)
		rest(t, fds, 2, IDLE_MS);
	if (fds[1].revents & POLLIN) {
		pictures_seen(t->pictures);
		t->dirty = true;
	}
	/* the terminal is gone */
	if (fds[0].revents & (POLLHUP | POLLERR | POLLNVAL))
		t->question->state.quit = true;
}

static void *run(void *context)
{
	struct terminal *t = context;
	struct dashboard *d = &t->question->state;

	pictures_work_begins(t->pictures);
	t->dirty = true;
	while (!d->quit && !(t->options.leave && *t->options.leave)) {
		take_size(t);
		take_events(t);
		if (t->dirty && now_ms() - t->drawn_ms >= FRAME_MS) {
			ask(t);
			if (!d->quit)
				show(t);
		} else {
			wait_for(t);
		}
		if (now_ms() - t->drawn_ms >= CLOCK_MS)
			t->dirty = true; /* clocks and counters go on */
	}
	screen_close(t->screen);
	pictures_work_ends(t->pictures);
	pictures_quit(t->pictures);
	return NULL;
}

/* Signals are for the thread that reads. */
static int thread_begin(struct terminal *t)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&t->thread, NULL, run, t);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}

static void terminal_free(struct terminal *t)
{
	text_fini(&t->answer);
	sheet_fini(&t->sheet);
	free(t->question);
	free(t);
}

struct terminal *terminal_start(struct pictures *p, const struct terminal_options *options, struct err *err)
{
	struct terminal *t = memory_zalloc(sizeof *t);
	int error;

	*t = (struct terminal){ .pictures = p, .options = *options, .begun_ms = now_ms() };
	t->question = memory_zalloc(sizeof *t->question);
	text_init(&t->answer);
	dashboard_init(&t->question->state);
	if (options->settings)
		kept_read(options->settings, &t->question->state);
	if (options->filter)
		snprintf(t->question->state.filter, sizeof t->question->state.filter, "%s", options->filter);
	t->screen = screen_open(options->color, err);
	if (t->screen && (error = thread_begin(t)) != 0) {
		screen_close(t->screen);
		t->screen = NULL;
		err_set(err, ERR_SYSTEM, "no thread for the dashboard: %s", strerror(error));
	}
	if (t->screen)
		return t;
	terminal_free(t);
	return NULL;
}

void terminal_wait(struct terminal *t)
{
	pthread_join(t->thread, NULL);
	terminal_free(t);
}
