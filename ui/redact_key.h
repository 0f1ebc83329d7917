/* SPDX-License-Identifier: MIT */
/* redact_key: the key of --redact: one a user, so that what is the same is the same in all reports of theirs. */
#ifndef DEADAIR_UI_REDACT_KEY_H
#define DEADAIR_UI_REDACT_KEY_H

#include "analyzer/redact.h"
#include "captures/base/err.h"

/*
 * $XDG_STATE_HOME/deadair/redact.key, else ~/.local/state/deadair/redact.key, made at first use, readable by its owner
 * only. Where that cannot be, a key for this time only, and *err says why: not ERR_OK. No random numbers at all: the
 * process ends.
 */
enum err_code redact_key_get(uint8_t key[REDACT_KEY], struct err *err);

#endif
