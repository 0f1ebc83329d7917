/* SPDX-License-Identifier: MIT */
/*
 * command: the table of commands. Each gives the process's exit status: 0 nothing at warning or above, 1 something
 * found, 2 trouble.
 */
#ifndef DEADAIR_UI_COMMAND_H
#define DEADAIR_UI_COMMAND_H

#include "ui/out.h"

enum { STATUS_CLEAN = 0, STATUS_FOUND = 1, STATUS_TROUBLE = 2 };

int command_main(int argc, char **argv);

/* Each takes its own name as argv[0]. */
int command_live(int argc, char **argv);
int command_read(int argc, char **argv);
int command_history(int argc, char **argv);
int command_explain(int argc, char **argv);
int command_detectors(int argc, char **argv);

/* "deadair: ..." and a newline on standard error; the status of trouble. */
int command_trouble(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Closes standard output; what could not be written is said, and is trouble. */
int command_close(struct out *o, int status);
/*
 * Standard output as it is: its width, colours as wanted ("auto", "always", "never"), ASCII where the locale is not
 * UTF-8.
 */
void command_out(struct out *o, const char *color);

#endif
