/* SPDX-License-Identifier: MIT */
/* live_watching: all that a capture that goes on consists of, and how it begins. */
#ifndef DEADAIR_UI_LIVE_WATCHING_H
#define DEADAIR_UI_LIVE_WATCHING_H

#include <limits.h>

#include "dissect/dissect.h"
#include "ui/live_rounds.h"
#include "ui/live_ui.h"
#include "ui/notify.h"

struct watching {
	struct live_arguments arguments;
	struct live *live;
	struct dissector *dissector;
	struct config *config;
	struct site *site;
	struct engine *engine;
	struct past_asks *past;      /* lent to the engine; NULL: no history knows any */
	struct names *names;
	struct keep *keep;
	struct redact *redact;       /* NULL: names are as they are */
	struct live_rounds rounds;
	struct live_say say;
	struct live_output output;
	struct notify notify;
	bool wants_ui;
	bool became_other;           /* the process was root's, and is another user's now */
	struct live_ui *ui;          /* NULL: lines */
	struct live_numbers numbers;
	int64_t told_ns;             /* numbers; monotonic */
	uint64_t told_frames;        /* rate_ns ago */
	int64_t rate_ns;
	const struct source_file *files[LIVE_INTERFACES_MOST];
	size_t file_count;
	char source[256];            /* "eth1+eth2" */
	char state_folder[PATH_MAX]; /* "" none is needed */
	char history_path[PATH_MAX];
	char settings_path[PATH_MAX + 16];   /* of the dashboard; "" none are kept */
	char here[PATH_MAX];
	uint64_t frames, sip;
	int64_t now_ns;              /* packet time: of the newest frame, or later where nothing came */
	int64_t looked_ns;           /* packet time at which look() was last called from frames */
	int64_t begun_ns, dropped_ns;     /* monotonic */
	bool quiet_told;
};

/* All that wants a permission, so that none is wanted later. After a failure: close. */
enum err_code watching_open(struct watching *w, struct err *err);
/* Before threads, and before the first packet is looked at: no privileges, files open, the sandbox. */
bool watching_confine(struct watching *w, struct err *err);
/* Behind the sandbox, which holds for threads that are made in it. */
void watching_start_history(struct watching *w);
void watching_close(struct watching *w);

#endif
