/* SPDX-License-Identifier: MIT */
/*
 * writer: a history is written while a capture goes on, by a thread of its own: what is to be stored is left in a
 * queue, and stands in the file two seconds later at most. Nobody waits for the disk: what finds no room in the queue
 * is counted, and said. One thread gives, one writes.
 */
#ifndef DEADAIR_HISTORY_WRITER_H
#define DEADAIR_HISTORY_WRITER_H

#include "analyzer/history/store.h"

struct writer;

struct writer_options {
	const char *path;
	int64_t keep_ns;             /* runs that ended so long before the newest are forgotten; 0: none are */
	size_t room;                 /* bytes that may wait; 0: WRITER_ROOM */
};

enum { WRITER_ROOM = 32 << 20 };

struct writer_state {
	uint64_t written, lost;      /* records: in the file; never to be there */
	uint64_t waiting;            /* bytes */
	bool dead;                   /* the file is damaged or gone: nothing more is written */
	char trouble[256];           /* why nothing can be written now; "" it can */
};

/* Opens the file, making it if there is none; no thread yet. NULL with *err. */
struct writer *writer_new(const struct writer_options *options, struct err *err);
/* The thread; before it nothing is written. False with *err. */
bool writer_start(struct writer *w, struct err *err);
/*
 * Waits for what was left to be written, but not longer than wait_ms for a disk that takes nothing; *ret, unless NULL:
 * the last word. NULL is fine.
 */
void writer_free(struct writer *w, int wait_ms, struct writer_state *ret);

/*
 * The run that the rows behind it belong to; the same identity again: its figures are renewed, its rows stay. Rows with
 * the number of others replace those. Copied. False: no room, and what it was is counted; it is whole or not at all.
 */
bool writer_give(struct writer *w, const struct run *run, const struct rows *rows);

/* Never waits for the thread longer than it takes to copy this. */
struct writer_state writer_look(struct writer *w);

/*
 * For a copy of the process (fork(2)), which has no thread: it leaves a run and its rows in memory that both share, and
 * ends; the process then has them written. One copy at a time: not while writer_shared_busy(). Rows that do not fit are
 * counted when they are given.
 *
 * What is settled is written once. What may still change is written, too, with numbers behind that, and is replaced
 * when the next is given: so that nothing waits for being settled before it is in the file.
 */
bool writer_shared_busy(struct writer *w);
/* Before the copy is made. kept: numbers of what is settled by now; rows with higher ones are replaced. */
void writer_shared_begin(struct writer *w, const struct record_numbers *kept);
/*
 * In the copy: the run; rows, false where there is no room; what was added until now is settled, and has these numbers.
 */
void writer_shared_run(struct writer *w, const struct run *run);
bool writer_shared_add(struct writer *w, const struct rows *rows);
struct record_numbers writer_shared_settle(struct writer *w);
/* The copy is at its end, and was right: it is written, and this is settled. */
bool writer_shared_give(struct writer *w);
struct record_numbers writer_shared_settled(const struct writer *w);

#endif
