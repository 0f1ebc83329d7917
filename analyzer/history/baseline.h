/* SPDX-License-Identifier: MIT */
/* baseline: which findings a history knows already: read once, then asked without touching the file. */
#ifndef DEADAIR_HISTORY_BASELINE_H
#define DEADAIR_HISTORY_BASELINE_H

#include "analyzer/history/store.h"
#include "analyzer/views.h"

enum { BASELINE_MOST = 65536 };      /* findings of one id about one host; those not seen for longest are left out */

struct baseline;
struct redact;

struct known {
	uint64_t times;              /* 0: never seen before */
	int64_t first_ns, last_ns;   /* NS_NONE, where it was never seen */
};

/*
 * identity: of a run that does not count, as it is the one that asks; NULL none. redact: what the views will pass
 * through, lent; NULL nothing. NULL with *err.
 */
struct baseline *baseline_new(struct store *s, const uint8_t identity[DIGEST_BYTES], struct redact *redact,
	struct err *err);
void baseline_free(struct baseline *b);

/* Findings of the same id about the same host. */
struct known baseline_find(const struct baseline *b, const struct view_finding *f);
/* How much it knows: runs, and when the first begins, NS_NONE without any. */
uint64_t baseline_runs(const struct baseline *b, int64_t *ret_first_ns);

#endif
