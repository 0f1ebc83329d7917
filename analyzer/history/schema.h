/* SPDX-License-Identifier: MIT */
/* schema: the tables of a history, step by step, and the views that people read. docs/HISTORY.md describes them. */
#ifndef DEADAIR_HISTORY_SCHEMA_H
#define DEADAIR_HISTORY_SCHEMA_H

#include <sqlite3.h>

#include <stdbool.h>

enum { SCHEMA_APPLICATION = 0x64656164 };        /* "dead", in the header of the file: what file(1) and we know it by */

/* Below it a call is heard badly; the reports have the same. */
#define SCHEMA_POOR_MOS "3.6"
/* A finding that stands for itself and is worse than a fact; "f." may stand before it. */
#define SCHEMA_PROBLEM "severity IN ('warning', 'error', 'critical') AND explained_by IS NULL AND state <> 'withdrawn'"

/* Step i leads from version i to version i + 1; the last element is NULL. A step that was released is never changed. */
extern const char *const schema_steps[];

unsigned schema_version(const char *const *steps);      /* the one that they lead to */
/*
 * From version `from` to the last one, views made anew, inside the transaction that the caller has open. The result of
 * SQLite; what went wrong is in sqlite3_errmsg().
 */
int schema_upgrade(sqlite3 *db, const char *const *steps, unsigned from);

#endif
