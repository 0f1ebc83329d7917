/* SPDX-License-Identifier: MIT */
/* terminal: keys to questions, answers to the screen, at most ten times a second; on a thread of its own. */
#ifndef DEADAIR_DASHBOARD_TERMINAL_H
#define DEADAIR_DASHBOARD_TERMINAL_H

#include <signal.h>

#include "captures/base/err.h"
#include "ui/pictures.h"

struct terminal;

struct terminal_options {
	const char *color; /* "auto", "always", "never" */
	const char *filter; /* to begin with; NULL none */
	const char *settings; /* path of what is kept of them; NULL nothing is */
	const volatile sig_atomic_t *leave; /* not 0: a signal asks to end; NULL none */
};

/*
 * Takes the terminal, and shows what pictures there are until the person leaves; then the pictures are told
 * (pictures_quit). NULL with *err.
 */
struct terminal *terminal_start(struct pictures *p, const struct terminal_options *options, struct err *err);
/* Waits for that; the terminal is as it was. */
void terminal_wait(struct terminal *t);

#endif
