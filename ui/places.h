/* SPDX-License-Identifier: MIT */
/*
 * places: the folder in which what is to last is kept, so that `sudo deadair live` and then `deadair history` mean
 * the same one.
 *
 *     a service of systemd     $STATE_DIRECTORY
 *     sudo                     ~/.local/state/deadair of the user who called it
 *     root                     /var/lib/deadair
 *     anybody else             $XDG_STATE_HOME/deadair, ~/.local/state/deadair
 */
#ifndef DEADAIR_UI_PLACES_H
#define DEADAIR_UI_PLACES_H

#include "captures/base/err.h"
#include "captures/base/text.h"

#define PLACES_HISTORY "history.db"
#define PLACES_SYSTEM "/var/lib/deadair"

/* For who only reads: root looks where it has a history. False: there is no such folder to name. */
bool places_read(char *ret_folder, size_t room);
/*
 * For who writes, before privileges are dropped. What only root can make is made, and given to the user whom root
 * becomes.
 */
bool places_write(char *ret_folder, size_t room, struct err *err);
/* After privileges were dropped: the folder and those above it, as far as they are missing. */
bool places_make(const char *folder, struct err *err);

#endif
