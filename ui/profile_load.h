/* SPDX-License-Identifier: MIT */
/* profile_load: which deadair.conf counts. */
#ifndef DEADAIR_UI_PROFILE_LOAD_H
#define DEADAIR_UI_PROFILE_LOAD_H

#include "analyzer/profile.h"
#include "ui/names.h"

/*
 * path: of --config; "none": no profile; NULL: deadair/deadair.conf below $XDG_CONFIG_HOME (~/.config), then below the
 * folders of $XDG_CONFIG_DIRS (/etc/xdg), the first that is there, or none. Sets the process's time zone where the
 * profile names one.
 */
enum err_code profile_load(const char *path, struct config *c, struct site *s, struct err *err);
/* What [names] says; names of --names, read later, do not replace them. */
void profile_names(const struct site *s, struct names *n);

#endif
