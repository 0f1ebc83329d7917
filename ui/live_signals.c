/* SPDX-License-Identifier: MIT */
/* live_signals: what a person asks of a capture from outside. */
#include "ui/live_signals.h"

#include <stddef.h>

/* A signal handler has no other way to its capture: the globals that are not const. */
static struct live *volatile interrupted_live;
static volatile sig_atomic_t save_asked, reopen_asked, end_asked;

static void on_signal(int number)
{
	struct live *l = interrupted_live;

	if (number == SIGUSR1)
		save_asked = 1;
	else if (number == SIGHUP)
		reopen_asked = 1;
	else
		end_asked = 1;
	if (end_asked && l)
		live_stop(l);
}

void live_signals_watch(struct live *l)
{
	struct sigaction end = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND },
		ask = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	sigemptyset(&end.sa_mask);
	sigemptyset(&ask.sa_mask);
	interrupted_live = l;
	sigaction(SIGINT, &end, NULL);
	sigaction(SIGTERM, &end, NULL);
	sigaction(SIGUSR1, &ask, NULL);
	sigaction(SIGHUP, &ask, NULL);
}

void live_signals_forget(void)
{
	interrupted_live = NULL;
}

static bool taken(volatile sig_atomic_t *asked)
{
	if (!*asked)
		return false;
	*asked = 0;
	return true;
}

bool live_signals_save(void)
{
	return taken(&save_asked);
}

bool live_signals_reopen(void)
{
	return taken(&reopen_asked);
}

const volatile sig_atomic_t *live_signals_end(void)
{
	return &end_asked;
}
