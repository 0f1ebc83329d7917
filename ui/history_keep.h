/* SPDX-License-Identifier: MIT */
/* history_keep: a diagnosis goes into a history, known again by the contents of its frames. */
#ifndef DEADAIR_UI_HISTORY_KEEP_H
#define DEADAIR_UI_HISTORY_KEEP_H

#include "analyzer/engine.h"
#include "analyzer/history/askers.h"
#include "analyzer/history/baseline.h"
#include "captures/base/err.h"
#include "captures/source.h"

struct history_keep;

struct history_run {
	const struct engine *engine; /* after engine_finish() */
	const struct source_file *const *files;
	size_t file_count;
	bool redacted;               /* the engine's views have other names */
	bool no_evidence_text;
	bool complete;               /* read to the end, without damage */
};

/* Opens the history, making it if there is none. NULL with *err. */
struct history_keep *history_keep_new(const char *path, struct err *err);
void history_keep_free(struct history_keep *k);
/* What it knows, without the run of the frames that were read; NULL with *err. */
struct baseline *history_keep_baseline(struct history_keep *k, struct redact *redact, struct err *err);
/* Who asked on the day before that time, likewise. */
struct past_asks *history_keep_past(struct history_keep *k, int64_t until_ns, struct err *err);
/* Each frame that is read; k may be NULL. */
void history_keep_frame(struct history_keep *k, const struct frame *f);
/* All of it or, with *err, nothing. A capture without frames is no run, and leaves no trace. */
enum err_code history_keep_run(struct history_keep *k, const struct history_run *run, struct err *err);

#endif
