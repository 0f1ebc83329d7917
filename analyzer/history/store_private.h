/* SPDX-License-Identifier: MIT */
/* store_private: a store as the files of history see it. */
#ifndef DEADAIR_HISTORY_STORE_PRIVATE_H
#define DEADAIR_HISTORY_STORE_PRIVATE_H

#include <sqlite3.h>

#include "analyzer/history/store.h"

struct store {
	sqlite3 *db;
	char name[256];              /* of the file, as messages have it */
	sqlite3_stmt *insert[ROW_TABLES];    /* made when first used */
	struct redact *redact;       /* what is read passes through it; NULL nothing. Lent */
	int64_t run;                 /* that rows belong to; 0 none yet */
};

/* *err says what SQLite's result means for this file, and what to do; its code is given back. */
enum err_code store_failed(struct store *s, int result, struct err *err);

#endif
