/* SPDX-License-Identifier: MIT */
/* kept: settings of the dashboard that are the same at its next start: a file with a line each. */
#ifndef DEADAIR_DASHBOARD_KEPT_H
#define DEADAIR_DASHBOARD_KEPT_H

#include "captures/base/err.h"
#include "captures/base/text.h"
#include "ui/dashboard/dashboard.h"

#define KEPT_FILE "dashboard"        /* in the folder of places.h */

void kept_text(const struct dashboard *d, struct text *ret);
/* What is no setting, or no value of one, is passed over: another version may have written it. */
void kept_take(struct dashboard *d, struct span text);

/* Nothing where there is no such file. */
void kept_read(const char *path, struct dashboard *d);
/* Makes its folder, too; the file is replaced as a whole. False: *err. */
bool kept_write(const char *path, const struct dashboard *d, struct err *err);

#endif
