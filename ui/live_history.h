/* SPDX-License-Identifier: MIT */
/*
 * live_history: what a capture shows goes into a history while it goes on, a run a day (UTC). Copies of the process
 * make rows of it, a thread of this process writes them: neither the capture nor the judgement waits for a disk.
 */
#ifndef DEADAIR_UI_LIVE_HISTORY_H
#define DEADAIR_UI_LIVE_HISTORY_H

#include "analyzer/history/askers.h"
#include "analyzer/history/baseline.h"
#include "analyzer/history/writer.h"
#include "analyzer/views.h"

struct live_history {                /* flat: a copy has one of its own */
	struct writer *writer;       /* owned */
	struct baseline *baseline;   /* owned: what was known before; NULL unknown */
	struct past_asks *past;      /* who asked on the day before; whoever takes it owns it */
	bool no_texts, redacted;
	char source[256];            /* names of interfaces, safe text */
	uint8_t identity[DIGEST_BYTES];      /* of this capture */
	int64_t day;                 /* since the epoch; of the run that is written to */
	int64_t day_first_ns;        /* packet time of its first frame; NS_NONE */
	uint64_t frames_before, bytes_before;        /* of days before */
	int64_t kept_ns;             /* what ended until then is settled; NS_NONE nothing */
	int64_t until_ns, now_ns;    /* as far as the writing goes that is under way: settled; as it is now */
	int64_t network_ns;          /* when hosts were written last; NS_NONE never */
	bool network;                /* they are now */
	struct record_numbers kept;  /* of the run: what is settled */
};

struct live_history_wish {
	const char *path, *source;
	int64_t began_ns;            /* wall clock */
	int64_t keep_ns;             /* older runs are forgotten; 0: none */
	bool no_texts, redacted;
	struct redact *redact;       /* lent; NULL none */
};

/* The history is made, if there is none: false with *err. Before the sandbox; no thread yet. */
bool live_history_open(struct live_history *h, const struct live_history_wish *wish, struct err *err);
bool live_history_start(struct live_history *h, struct err *err);
/* Writes what is left; *ret: what came of all. h may be NULL, or not open. */
void live_history_close(struct live_history *h, struct writer_state *ret);
/* Is it time, with so much captured? Then *h says what is to be written, and a copy may. */
bool live_history_due(struct live_history *h, int64_t now_ns);
/*
 * At the end of all: it is time, once what is under way is written. False: the disk takes nothing, and what is left
 * cannot be kept.
 */
bool live_history_due_at_end(struct live_history *h);
/*
 * In a copy, or at the end of all (then what has not ended is settled with it). The engine is at its end. False: there
 * was no room for all of it.
 */
bool live_history_write(const struct live_history *h, const struct engine *e, bool all);
/* The copy came to its end: what comes next begins there. frames, bytes: captured so far. */
void live_history_written(struct live_history *h, uint64_t frames, uint64_t bytes);

#endif
