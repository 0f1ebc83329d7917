/* SPDX-License-Identifier: MIT */
/* state_path: where what is kept between two runs has its place, after the XDG base directory specification. */
#ifndef DEADAIR_UI_STATE_PATH_H
#define DEADAIR_UI_STATE_PATH_H

#include <stdbool.h>
#include <stddef.h>

/* $XDG_STATE_HOME/deadair/NAME, else ~/.local/state/deadair/NAME; false without a home, or where it does not fit. */
bool state_path(const char *name, char *path, size_t room);
/* Makes the folders that lead to it, for their owner only; false with errno. */
bool state_path_make(const char *path);

#endif
