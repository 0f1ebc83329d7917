/* SPDX-License-Identifier: MIT */
/*
 * live_judge: a judgement while the capture goes on. A copy of the process (fork) comes to the end as if the capture ended now, and tells what it
 * found through a pipe; the engine itself is not touched. So judging often gives what judging once gives: settling closes intervals, joins legs by their
 * media and weighs what it learns, none of which may happen before the end. And analysis does not wait for it.
 */
#ifndef DEADAIR_UI_LIVE_JUDGE_H
#define DEADAIR_UI_LIVE_JUDGE_H

#include "captures/base/err.h"
#include "ui/report.h"

struct live_judge;

struct live_judgement {              /* what the copy is to do, all lent until it was begun */
	struct engine *engine;
	const struct source_file *const *files;      /* with their drops as of now */
	size_t file_count;
	int64_t now_ns;              /* NS_NONE: as of the last packet */
	bool json, verbose;          /* verbose: what is only info, too */
};

struct live_verdict {
	uint64_t identity;
	bool over;
	const char *text;            /* a line without newline: text, or a JSON object */
};

enum live_judge_state { LIVE_JUDGE_IDLE, LIVE_JUDGE_BUSY, LIVE_JUDGE_READY, LIVE_JUDGE_FAILED };

struct live_judge *live_judge_new(void);
void live_judge_free(struct live_judge *j);      /* ends a copy that still judges */

/* Only when idle. False with *err: no copy could be made. */
bool live_judge_begin(struct live_judge *j, const struct live_judgement *what, struct err *err);
/* Takes what has come, without waiting. READY: all of it, for live_judge_next(); FAILED: the copy did not come to the end. Both once, then IDLE. */
enum live_judge_state live_judge_poll(struct live_judge *j);
bool live_judge_next(struct live_judge *j, struct live_verdict *ret);    /* good until the next begin */
/* How long the last one took. */
int64_t live_judge_took_ns(const struct live_judge *j);

/* What the formats said of the interfaces; before engine_finish(). */
void live_judge_tell_interfaces(struct engine *e, const struct source_file *const *files, size_t count);

#endif
