/* SPDX-License-Identifier: MIT */
/*
 * store: a history, one SQLite file. What is written in it stands whole or not at all, whatever happens to the process;
 * a file that is not a history, is newer than this program, or is damaged, is left as it is.
 */
#ifndef DEADAIR_HISTORY_STORE_H
#define DEADAIR_HISTORY_STORE_H

#include "analyzer/history/rows.h"
#include "captures/base/digest.h"
#include "captures/base/err.h"

struct store;

/* STORE_WRITE makes the file, readable by its owner only, and brings an older schema up to date */
enum store_access { STORE_WRITE, STORE_READ };

struct run {                         /* a capture that was read, or a stretch of live capture */
	/* of the contents: the same again replaces what was stored of it, under the same number */
	uint8_t identity[DIGEST_BYTES];
	const char *kind;            /* "read", "live" */
	const char *source;          /* names of files or interfaces, safe text */
	const char *deadair;         /* version of the program */
	int64_t written_ns, first_ns, last_ns;       /* NS_NONE: no packet */
	uint64_t frames, bytes;
	bool complete;               /* read to its end, without damage */
	bool more;                   /* what comes is added to what was stored of it, instead of replacing it */
	bool redacted;               /* numbers, names and addresses are replaced */
	const char *vantage, *seen_from;     /* safe text, NULL unknown */
};

/* wait_ms: how long to wait for others who write. NULL with *err. */
struct store *store_open(const char *path, enum store_access access, int wait_ms, struct err *err);
void store_close(struct store *s);

/*
 * One transaction: begin, the run that the rows belong to, rows, commit. After a failure everything since store_begin()
 * is undone, and the store can be used again.
 */
enum err_code store_begin(struct store *s, struct err *err);
enum err_code store_run(struct store *s, const struct run *run, int64_t *ret_number, struct err *err);
/*
 * What has higher numbers than these was of the moment only, and goes; likewise. Hosts and mappings have no such
 * numbers, and stay.
 */
enum err_code store_forget_behind(struct store *s, const struct record_numbers *kept, struct err *err);
enum err_code store_rows(struct store *s, const struct rows *rows, struct err *err);
enum err_code store_commit(struct store *s, struct err *err);
void store_rollback(struct store *s);

/* Runs whose last packet is older go, with all that belongs to them, in one transaction; those without a time stay. */
enum err_code store_prune(struct store *s, int64_t before_ns, int64_t *ret_runs, struct err *err);
/* Gives the room of what was pruned back to the file system: needs as much again while it works. */
enum err_code store_vacuum(struct store *s, struct err *err);

#endif
