/* SPDX-License-Identifier: MIT */
/* live_signals: what a person asks of a capture from outside: ^C, kill -USR1, kill -HUP. */
#ifndef DEADAIR_UI_LIVE_SIGNALS_H
#define DEADAIR_UI_LIVE_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

#include "captures/live/live.h"

/* The first ^C ends the capture and gives the report; the second ends the process. */
void live_signals_watch(struct live *l);
/* It has ended: a signal does not stop it any more. */
void live_signals_forget(void);
/* Asked for since it was last looked: to save what is kept; to open the output anew. */
bool live_signals_save(void);
bool live_signals_reopen(void);
/* Not 0 once the end was asked for. */
const volatile sig_atomic_t *live_signals_end(void);

#endif
