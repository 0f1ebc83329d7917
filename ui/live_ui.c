/* SPDX-License-Identifier: MIT */
/* live_ui: what happens in the copies. */
#include "ui/live_ui.h"

#include <stdlib.h>
#include <unistd.h>

#include "captures/base/memory.h"
#include "ui/dashboard/answer.h"
#include "ui/dashboard/terminal.h"

struct live_ui {
	struct live_ui_options options;
	struct pictures *pictures;
	struct terminal *terminal;
	/* in a copy */
	struct world world;
	struct live_saves saves;
	struct save_source source;
};

bool live_ui_possible(void)
{
	const char *kind = getenv("TERM");

	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && kind && kind[0] && strcmp(kind, "dumb") != 0;
}

/* ---- in a copy ---- */

static void answer(void *context, const void *question, size_t n, struct text *ret)
{
	struct live_ui *u = context;

	answer_make(&u->world, question, n, ret);
}

/* Tables that the first question would wait for are made before anybody asks. */
static void prepare(void *context, const struct live_judgement *what)
{
	struct live_ui *u = context;
	size_t count;

	world_init(&u->world, what->engine);
	u->world.files = what->files;
	u->world.file_count = what->file_count;
	u->world.names = u->options.names;
	u->world.history = u->options.history;
	u->saves = (struct live_saves){
		.keep = what->keep, .engine = what->engine, .files = what->files, .file_count = what->file_count
	};
	u->source = live_save_source(&u->saves);
	if (u->options.save_folder && chdir(u->options.save_folder) == 0)
		u->world.saves = &u->source;
	world_calls(&u->world, &count);
	world_streams(&u->world, &count);
	world_problem_order(&u->world, "");
}

/* ---- in the process ---- */

struct live_ui *live_ui_open(const struct live_ui_options *options, struct err *err)
{
	struct live_ui *u = memory_zalloc(sizeof *u);
	struct terminal_options terminal = { .color = options->color, .settings = options->settings,
		.leave = options->leave };
	struct picture_answers answers = {
		.answer = answer, .context = u, .stop = options->stop, .stop_context = options->stop_context
	};

	u->options = *options;
	u->pictures = pictures_new(&answers, err);
	if (u->pictures)
		u->terminal = terminal_start(u->pictures, &terminal, err);
	if (u->terminal)
		return u;
	pictures_free(u->pictures);
	free(u);
	return NULL;
}

void live_ui_judgement(struct live_ui *u, struct live_judgement *what)
{
	what->pictures = u->pictures;
	what->prepare = prepare;
	what->prepare_context = u;
}

void live_ui_tell(struct live_ui *u, const struct live_numbers *numbers)
{
	pictures_tell(u->pictures, numbers);
}

void live_ui_close(struct live_ui *u)
{
	if (!u)
		return;
	terminal_wait(u->terminal);
	pictures_free(u->pictures);
	free(u);
}
