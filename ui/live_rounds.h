/* SPDX-License-Identifier: MIT */
/*
 * live_rounds: when the next judgement is due, what else is done on that occasion, and what is made of what it tells.
 */
#ifndef DEADAIR_UI_LIVE_ROUNDS_H
#define DEADAIR_UI_LIVE_ROUNDS_H

#include "ui/live_judge.h"
#include "ui/live_output.h"
#include "ui/live_say.h"

struct live_rounds {
	const struct live_arguments *arguments;
	struct live_say *say;
	struct live_output *output;
	struct live_judge *judge;
	struct live_findings *findings;
	struct live_history *history;        /* owned; NULL: none is kept */
	const char *save_folder;     /* NULL: nowhere */
	bool save_wanted;            /* all that is kept, at the next judgement */
	struct { uint64_t identity; int64_t due_ns; } to_record[WORK_RECORDS_MOST];
	size_t to_record_count;
	struct live_work work;       /* of the judgement that is under way */
	int64_t judged_ns;           /* packet time of the last judgement; NS_NONE none */
	int64_t judge_at_ns;         /* monotonic: not before */
	bool judge_failed, flood_told;
	char history_trouble[256];   /* as told last */
	char trouble[512];           /* as told last: once is enough */
};

void live_rounds_init(struct live_rounds *r, const struct config *config);
void live_rounds_fini(struct live_rounds *r);
/* Takes what has come of a judgement, begins the next when it is time. The work of *what is filled here. */
void live_rounds_look(struct live_rounds *r, struct live_judgement *what);
/* The judgement that is under way is waited for: its pictures go to who looks. */
void live_rounds_settle(struct live_rounds *r, const struct live_judgement *what);
/* At the end of all, with the engine at its end in this process: what is left to be saved and written. */
void live_rounds_end(struct live_rounds *r, const struct live_judgement *what);

#endif
