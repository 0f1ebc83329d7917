/* SPDX-License-Identifier: MIT */
/*
 * live_output: where changes of findings go: lines of text or JSON to standard output or a file, messages to the
 * log.
 */
#ifndef DEADAIR_UI_LIVE_OUTPUT_H
#define DEADAIR_UI_LIVE_OUTPUT_H

#include "ui/live_findings.h"
#include "ui/out.h"
#include "ui/syslog_lines.h"

struct live_output {
	struct out out;
	const char *path;            /* of a file that is added to; NULL: standard output */
	bool json;
	bool quiet;                  /* no lines: a dashboard has the terminal */
	struct syslog_lines *syslog; /* owned; NULL none */
	const char *source;          /* lent */
	uint64_t unsent;             /* messages that the log did not take */
};

/* path, color, source are lent. After privileges were dropped: the file is the user's. */
enum err_code live_output_open(struct live_output *o, const char *path, const char *color, struct err *err);
/* Another program has moved the file away. The old one stays in use where that fails. */
enum err_code live_output_reopen(struct live_output *o, struct err *err);
void live_output_change(struct live_output *o, const struct live_change_of *c);

#endif
