/* SPDX-License-Identifier: MIT */
/* read_ui: copies of the process, one after the other. */
#include "ui/read_ui.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "captures/base/memory.h"
#include "captures/base/text.h"
#include "ui/dashboard/answer.h"
#include "ui/dashboard/terminal.h"

/* The first picture soon, the others a second apart; of one processor at most a quarter makes pictures. */
enum { FIRST_MS = 300, APART_MS = 1000, SHARE = 4, TELL_MS = 200 };
/* So often the last picture is made when it gets lost. */
enum { LAST_MAX = 5 };

struct read_ui {
	struct read_ui_options options;
	struct pictures *pictures;
	struct terminal *terminal;
	struct world world; /* in a copy */
	struct live_numbers numbers;
	pid_t copy; /* that comes to its end; 0 none */
	int fd; /* of its socket */
	uint64_t made;
	int64_t begun_ms, next_ms, told_ms;
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- in the copy ---- */

static void answer(void *context, const void *question, size_t n, struct text *ret)
{
	struct read_ui *u = context;

	answer_make(&u->world, question, n, ret);
}

/* Tables that the first question would wait for are made before one may be asked. */
static void warm(struct world *w)
{
	size_t count;

	world_calls(w, &count);
	world_streams(w, &count);
	world_problem_order(w, "");
}

static void copy_serve(struct read_ui *u, const struct source_file *const *files, size_t count, int fd)
	__attribute__((noreturn));

static void copy_serve(struct read_ui *u, const struct source_file *const *files, size_t count, int fd)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGINT, SIG_IGN); /* of the terminal: the other process ends, and then so does this one */
	signal(SIGTERM, SIG_DFL);
	if (!files)
		u->options.settle(u->options.context, &files, &count);
	world_init(&u->world, u->options.engine);
	u->world.files = files;
	u->world.file_count = count;
	u->world.names = u->options.names;
	u->world.history = u->options.history;
	u->world.saves = u->options.saves;
	warm(&u->world);
	if (write(fd, "!", 1) != 1) /* ready */
		_exit(1);
	pictures_serve(u->pictures, fd);
}

/* ---- in the process ---- */

static bool copy_begin(struct read_ui *u, const struct source_file *const *files, size_t count)
{
	int fds[2];

	if (!pictures_socket(fds))
		return false;
	pictures_copy_begins(u->pictures);
	u->copy = fork();
	pictures_copy_ends(u->pictures);
	if (u->copy == 0) {
		close(fds[0]);
		copy_serve(u, files, count, fds[1]);
	}
	close(fds[1]);
	if (u->copy > 0) {
		u->fd = fds[0];
		u->begun_ms = now_ms();
		return true;
	}
	close(fds[0]);
	u->copy = 0;
	return false;
}

/* True: nothing is being waited for any more; u->made has counted it, if it came to its end. */
static bool copy_poll(struct read_ui *u, int patience_ms)
{
	struct pollfd ready = { .fd = u->fd, .events = POLLIN };
	char sign;

	if (!u->copy)
		return true;
	if (poll(&ready, 1, patience_ms) <= 0)
		return false;
	if (read(u->fd, &sign, 1) == 1) {
		pictures_publish(u->pictures, u->copy, u->fd);
		u->made++;
	} else { /* it did not come to its end: memory was short, perhaps */
		close(u->fd);
		waitpid(u->copy, NULL, 0);
	}
	u->copy = 0;
	u->next_ms = now_ms() + (SHARE - 1) * (now_ms() - u->begun_ms);
	if (u->next_ms < u->begun_ms + APART_MS)
		u->next_ms = u->begun_ms + APART_MS;
	return true;
}

/* Nobody waits for it any more. */
static void copy_drop(struct read_ui *u)
{
	if (!u->copy)
		return;
	close(u->fd);
	kill(u->copy, SIGKILL);
	waitpid(u->copy, NULL, 0);
	u->copy = 0;
}

static void tell(struct read_ui *u, int64_t at_ns, uint64_t frames, bool loading)
{
	struct live_numbers *n = &u->numbers;

	u->told_ms = now_ms();
	source_progress(u->options.source, &n->bytes_done, &n->bytes_total);
	n->loading = loading;
	n->frames = frames;
	if (at_ns != NS_NONE) {
		n->begun_ns = n->begun_ns == NS_NONE || at_ns < n->begun_ns ? at_ns : n->begun_ns;
		n->now_ns = n->now_ns == NS_NONE || at_ns > n->now_ns ? at_ns : n->now_ns;
	}
	pictures_tell(u->pictures, n);
}

void read_ui_look(struct read_ui *u, int64_t at_ns, uint64_t frames)
{
	if (frames <= 1 || now_ms() - u->told_ms >= TELL_MS)
		tell(u, at_ns, frames, true);
	if (copy_poll(u, 0) && now_ms() >= u->next_ms && !copy_begin(u, NULL, 0))
		u->next_ms = now_ms() + 10 * APART_MS;
}

static void source_words(const struct read_ui_options *o, char *buffer, size_t room)
{
	const char *name = strrchr(o->paths[0], '/');
	char shown[NUMBERS_SOURCE - 16];

	text_escape(span_of(name ? name + 1 : o->paths[0]), shown, sizeof shown);
	if (strcmp(o->paths[0], "-") == 0)
		snprintf(shown, sizeof shown, "standard input");
	if (o->path_count > 1)
		snprintf(buffer, room, "%.80s and %zu more", shown, o->path_count - 1);
	else
		snprintf(buffer, room, "%s", shown);
}

struct read_ui *read_ui_open(const struct read_ui_options *options, struct err *err)
{
	struct read_ui *u = memory_zalloc(sizeof *u);
	struct terminal_options terminal = {
		.color = options->color, .filter = options->filter, .settings = options->settings,
		.leave = options->leave
	};
	struct picture_answers answers = {
		.answer = answer, .context = u, .stop = options->stop, .stop_context = options->context
	};

	u->options = *options;
	u->numbers = (struct live_numbers){ .loading = true,
		.begun_ns = NS_NONE,
		.now_ns = NS_NONE,
		.last_frame_ns = NS_NONE };
	source_words(options, u->numbers.source, sizeof u->numbers.source);
	u->next_ms = now_ms() + FIRST_MS;
	u->pictures = pictures_new(&answers, err);
	if (u->pictures) {
		pictures_tell(u->pictures, &u->numbers);
		u->terminal = terminal_start(u->pictures, &terminal, err);
	}
	if (u->terminal)
		return u;
	read_ui_free(u);
	return NULL;
}

/* The picture of all that was read. */
static bool last_made(struct read_ui *u, const struct source_file *const *files, size_t count)
{
	uint64_t before = u->made;

	if (copy_begin(u, files, count))
		while (!copy_poll(u, 1000))
			;
	return u->made != before;
}

void read_ui_end(struct read_ui *u, const struct source_file *const *files, size_t count)
{
	uint64_t frames = 0;
	unsigned tries = 0;

	for (size_t i = 0; i < count; i++)
		frames += files[i]->frames;
	copy_drop(u);
	tell(u, NS_NONE, frames, false);
	while (tries < LAST_MAX && last_made(u, files, count) && pictures_wanted(u->pictures))
		tries++;
	snprintf(u->numbers.note, sizeof u->numbers.note, "no picture: out of memory? q leaves, the report follows");
	pictures_tell(u->pictures, &u->numbers);
	terminal_wait(u->terminal);
	u->terminal = NULL;
}

void read_ui_free(struct read_ui *u)
{
	if (!u)
		return;
	if (u->terminal)
		terminal_wait(u->terminal);
	copy_drop(u);
	pictures_free(u->pictures);
	free(u);
}
