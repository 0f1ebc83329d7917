/* SPDX-License-Identifier: MIT */
/*
 * live_work: what else is done with an engine at its end, in a copy of the process or at the end of all: packets
 * saved, the history written.
 */
#ifndef DEADAIR_UI_LIVE_WORK_H
#define DEADAIR_UI_LIVE_WORK_H

#include "ui/live_history.h"
#include "ui/live_saves.h"

enum { WORK_RECORDS_MOST = 256 };

struct live_work {                   /* folders, history: lent */
	bool save_all;
	const char *save_folder;
	uint64_t records[WORK_RECORDS_MOST]; /* identities of findings */
	size_t record_count;
	const char *record_folder;
	uint64_t record_most;
	const struct live_history *history;  /* NULL: not now */
	bool at_end;                 /* there is no next time */
};

enum live_told { LIVE_TOLD_SAID, LIVE_TOLD_TROUBLE, LIVE_TOLD_RECORDED, LIVE_TOLD_KEPT };

/* What came of it: a sentence; a finding whose packets are in a file by now (identity); the history is written. */
typedef void live_told_fn(void *context, enum live_told told, uint64_t identity, const char *text);

void live_work_do(const struct live_work *work, const struct live_saves *saves, live_told_fn *tell, void *context);

#endif
