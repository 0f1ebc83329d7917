/* SPDX-License-Identifier: MIT */
/*
 * live_judge: a judgement while the capture goes on. A copy of the process (fork) comes to the end as if the capture
 * ended now, and tells what it found through a pipe; the engine itself is not touched. So judging often gives what
 * judging once gives: settling closes intervals, joins legs by their media and weighs what it learns, none of which may
 * happen before the end. And analysis does not wait for it. The copy then saves packets and writes history, where that
 * is due, and stays as a picture for who looks at the dashboard.
 */
#ifndef DEADAIR_UI_LIVE_JUDGE_H
#define DEADAIR_UI_LIVE_JUDGE_H

#include "captures/base/err.h"
#include "ui/live_work.h"
#include "ui/pictures.h"
#include "ui/report.h"

struct live_judge;

struct live_judgement {              /* what the copy is to do, all lent until it was begun */
	struct engine *engine;
	const struct source_file *const *files;      /* with their drops as of now */
	size_t file_count;
	struct dissector_counts dissected;
	int64_t now_ns;              /* NS_NONE: as of the last packet */
	bool verdicts;               /* are wanted */
	bool json, verbose;          /* verbose: what is only info, too */
	const struct keep *keep;     /* NULL none */
	const struct baseline *baseline;     /* what a history knows already; NULL none */
	struct redact *redact;       /* what the copy's views pass through; NULL nothing */
	const struct live_work *work;        /* NULL none */
	struct pictures *pictures;   /* whose newest picture the copy becomes, to answer questions; NULL: it ends */
	/* In the copy, before it can be asked; with pictures only. */
	void (*prepare)(void *context, const struct live_judgement *what);
	void *prepare_context;
};

enum live_message_kind { LIVE_VERDICT, LIVE_TOLD, LIVE_COMPLETE };

struct live_message {                /* one thing that the copy tells */
	enum live_message_kind kind;
	enum live_told told;         /* of LIVE_TOLD */
	uint64_t identity;
	bool over;                   /* of a verdict */
	const char *text;            /* of a verdict its title */
	const char *json;            /* likewise: an object; "" where it was not wanted */
	const char *severity;        /* of a verdict: "error" */
	const char *id;              /* likewise: "one-way-audio" */
};

enum live_judge_state { LIVE_JUDGE_IDLE, LIVE_JUDGE_BUSY, LIVE_JUDGE_READY, LIVE_JUDGE_FAILED };

/* A copy is given up after patience_ns, or after ten times what the last one took, whichever is more. */
struct live_judge *live_judge_new(int64_t patience_ns);
void live_judge_free(struct live_judge *j);      /* ends a copy that still judges */

/* Only when idle. False with *err: no copy could be made. */
bool live_judge_begin(struct live_judge *j, const struct live_judgement *what, struct err *err);
/*
 * Takes what has come, without waiting. READY: all of it, for live_judge_next(); FAILED: the copy did not come to the
 * end. Both once, then IDLE.
 */
enum live_judge_state live_judge_poll(struct live_judge *j);
/* The same, waiting for it. */
enum live_judge_state live_judge_wait(struct live_judge *j);
bool live_judge_next(struct live_judge *j, struct live_message *ret);    /* good until the next begin */
/* How long the last one took that came to its end. */
int64_t live_judge_took_ns(const struct live_judge *j);

/* What the formats said of the interfaces; before engine_finish(). */
void live_judge_tell_interfaces(struct engine *e, const struct source_file *const *files, size_t count);

#endif
