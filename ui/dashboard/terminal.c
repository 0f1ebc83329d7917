/* SPDX-License-Identifier: MIT */
/* terminal: the loop between keyboard and picture. */
#include "ui/dashboard/terminal.h"

#include <poll.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "captures/base/memory.h"
#include "ui/dashboard/screen.h"

enum { FRAME_MS = 100, IDLE_MS = 250, ANSWER_MS = 2000 };

struct terminal {
	const struct terminal_source *source;
	struct screen *screen;
	struct question *question;   /* the state is in it */
	struct sheet sheet;
	struct text answer;
	int64_t drawn_ms;
	bool held, dirty, anew;
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

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

/* No picture yet: of the keys only those that leave are heard. */
static void draw_empty(struct terminal *t)
{
	struct question *q = t->question;

	for (unsigned i = 0; i < q->event_count; i++)
		if (q->events[i].kind == EVENT_KEY && (q->events[i].key == 'q' || q->events[i].key == KEY_CTRL_C))
			q->state.quit = true;
	q->event_count = 0;
	if (t->sheet.rows != q->rows || t->sheet.columns != q->columns) {
		sheet_fini(&t->sheet);
		sheet_init(&t->sheet, q->rows, q->columns, q->ascii);
	}
	t->sheet.ascii = q->ascii;
	dashboard_draw_empty(&q->state, &q->numbers, &t->sheet);
}

static void follow_hold(struct terminal *t)
{
	if (t->source->hold && t->held != t->question->state.paused) {
		t->held = t->question->state.paused;
		t->source->hold(t->source->context, t->held);
	}
}

static void ask(struct terminal *t)
{
	struct question *q = t->question;

	t->source->numbers(t->source->context, &q->numbers);
	q->ascii = screen_ascii(t->screen) || q->state.glyphs == 1;
	text_clear(&t->answer);
	if (t->source->ask(t->source->context, q, sizeof *q, &t->answer, ANSWER_MS) && answer_take(&t->answer, &q->state, &t->sheet))
		q->event_count = 0;
	else
		draw_empty(t);
	follow_hold(t);
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
}

/* Until a key, news, or the time to draw. */
static void wait(struct terminal *t)
{
	struct pollfd fds[2] = { { STDIN_FILENO, POLLIN, 0 }, { t->source->fd, POLLIN, 0 } };
	int64_t left = FRAME_MS - (now_ms() - t->drawn_ms);

	if (t->dirty && left > 0)
		poll(NULL, 0, (int)left);
	else if (!t->dirty)
		poll(fds, t->source->fd >= 0 ? 2 : 1, IDLE_MS);
	if (fds[1].revents & POLLIN) {
		if (t->source->seen)
			t->source->seen(t->source->context);
		t->dirty = true;
	}
	/* the terminal is gone */
	if (fds[0].revents & (POLLHUP | POLLERR))
		t->question->state.quit = true;
}

static void loop(struct terminal *t)
{
	struct dashboard *d = &t->question->state;

	t->dirty = true;
	while (!d->quit) {
		if (t->source->ended && t->source->ended(t->source->context))
			return;
		take_size(t);
		take_events(t);
		if (t->dirty && now_ms() - t->drawn_ms >= FRAME_MS) {
			ask(t);
			if (!d->quit)
				show(t);
		} else {
			wait(t);
		}
		if (now_ms() - t->drawn_ms >= 1000)
			t->dirty = true;        /* clocks and counters go on */
	}
}

enum err_code terminal_run(const struct terminal_source *source, const struct terminal_options *options, struct err *err)
{
	struct terminal t = { .source = source };

	t.screen = screen_open(options->color, err);
	if (!t.screen)
		return err->code;
	t.question = memory_zalloc(sizeof *t.question);
	dashboard_init(&t.question->state);
	text_init(&t.answer);
	loop(&t);
	screen_close(t.screen);
	text_fini(&t.answer);
	sheet_fini(&t.sheet);
	free(t.question);
	return ERR_OK;
}
