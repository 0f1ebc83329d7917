/* SPDX-License-Identifier: MIT */
/* live_ui: the dashboard on a capture that goes on: judgements become pictures, numbers are told in between. */
#ifndef DEADAIR_UI_LIVE_UI_H
#define DEADAIR_UI_LIVE_UI_H

#include <signal.h>

#include "ui/live_judge.h"
#include "ui/live_numbers.h"

struct live_ui;

struct live_ui_options {             /* all lent for its life */
	const struct engine *engine;
	const struct names *names;
	const struct keep *keep;
	const char *color;
	const char *history;         /* path; NULL none is kept */
	const char *settings;        /* path of kept ones; NULL none are */
	const char *save_folder;     /* for files without a folder; NULL: packets cannot be saved */
	const volatile sig_atomic_t *leave;
	void (*stop)(void *context); /* the person has left; on another thread */
	void *stop_context;
};

/* Standard input and output are a terminal that can show it. */
bool live_ui_possible(void);

/* Takes the terminal. After the sandbox was entered. NULL with *err. */
struct live_ui *live_ui_open(const struct live_ui_options *options, struct err *err);
/* The copy of this judgement is to become a picture. */
void live_ui_judgement(struct live_ui *u, struct live_judgement *what);
void live_ui_tell(struct live_ui *u, const struct live_numbers *numbers);
/* The capture has ended: the terminal is given back. Frees. */
void live_ui_close(struct live_ui *u);

#endif
