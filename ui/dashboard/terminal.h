/* SPDX-License-Identifier: MIT */
/* terminal: keys to questions, answers to the screen, at most ten times a second. */
#ifndef DEADAIR_DASHBOARD_TERMINAL_H
#define DEADAIR_DASHBOARD_TERMINAL_H

#include "captures/base/err.h"
#include "ui/dashboard/answer.h"

struct terminal_source {             /* who answers; context is handed back */
	void *context;
	/* False: there is no picture yet, or it takes longer than that. */
	bool (*ask)(void *context, const void *question, size_t n, struct text *ret, unsigned timeout_ms);
	void (*numbers)(void *context, struct numbers *ret);
	void (*hold)(void *context, bool hold);      /* NULL: pictures do not change */
	bool (*ended)(void *context);        /* NULL: never; true: nothing is to be waited for any more, the terminal closes */
	int fd;                      /* readable: there is something new; -1 none */
	void (*seen)(void *context);
};

struct terminal_options {
	const char *color;
	bool live;
};

/* Until the person leaves. */
enum err_code terminal_run(const struct terminal_source *source, const struct terminal_options *options, struct err *err);

#endif
