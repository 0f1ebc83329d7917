/* SPDX-License-Identifier: MIT */
/* profile: deadair.conf, an INI file: the site's own facts, and the figures of detectors by their ids. */
#ifndef DEADAIR_ANALYZER_PROFILE_H
#define DEADAIR_ANALYZER_PROFILE_H

#include "analyzer/config.h"
#include "analyzer/site.h"
#include "captures/base/err.h"

/*
 * Reads a profile into both; files that it names stand beside it unless their path is absolute. ERR_OK, or the first
 * error with file and line: an unknown section or key, a value that is none or out of range. Then neither may be used.
 */
enum err_code profile_read(const char *path, struct config *c, struct site *s, struct err *err);

#endif
