/* SPDX-License-Identifier: MIT */
/*
 * read_ui: the dashboard on a capture while it is read: every second a copy of the process comes to the end as if the
 * capture ended there, and answers
 * the terminal (pictures); the last picture is that of all of it.
 */
#ifndef DEADAIR_UI_READ_UI_H
#define DEADAIR_UI_READ_UI_H

#include <signal.h>

#include "captures/base/err.h"
#include "ui/report.h"
#include "ui/save.h"

struct read_ui;

struct read_ui_options { /* all lent for its life */
	struct source *source;
	const struct engine *engine;
	const struct names *names;
	const char *const *paths;
	size_t path_count;
	const char *color;
	const char *filter; /* to begin with; NULL none */
	const char *settings; /* path of kept ones; NULL none are */
	const char *history; /* NULL none is kept */
	const struct save_source *saves;
	const volatile sig_atomic_t *leave;
	/* In the copy: brings the engine to its end, and says what files there are. */
	void (*settle)(void *context, const struct source_file *const **ret_files, size_t *ret_count);
	void (*stop)(void *context); /* the person has left; on another thread */
	void *context;
};

/* Takes the terminal. NULL with *err. */
struct read_ui *read_ui_open(const struct read_ui_options *options, struct err *err);
/* Now and then, behind a frame; first: the first of all. */
void read_ui_look(struct read_ui *u, int64_t at_ns, uint64_t frames);
/* The engine is at its end: waits until the person leaves, and gives the terminal back. */
void read_ui_end(struct read_ui *u, const struct source_file *const *files, size_t count);
void read_ui_free(struct read_ui *u);

#endif
