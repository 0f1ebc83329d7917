/* SPDX-License-Identifier: MIT */
/* history_show: a run, a call or a finding of a history: the whole diagnosis again, with its evidence. */
#ifndef DEADAIR_UI_HISTORY_SHOW_H
#define DEADAIR_UI_HISTORY_SHOW_H

#include "ui/history_options.h"
#include "ui/out.h"

/* "92", "92/4", "92/f3". ERR_OK, or *err: no such record, a history that cannot be read. */
enum err_code history_show(struct store *s, const struct history_options *options, struct out *o, struct err *err);

#endif
