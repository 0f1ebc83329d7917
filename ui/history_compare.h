/* SPDX-License-Identifier: MIT */
/* history_compare: what changed in a history, in sentences, as JSON Lines, as CSV. */
#ifndef DEADAIR_UI_HISTORY_COMPARE_H
#define DEADAIR_UI_HISTORY_COMPARE_H

#include "ui/history_options.h"
#include "ui/out.h"

/* ERR_OK, or *err: a history that cannot be read, sides that are not named or empty. */
enum err_code history_compare(struct store *s, const struct history_options *options, struct out *o, struct err *err);

#endif
