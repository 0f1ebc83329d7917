/* SPDX-License-Identifier: MIT */
/*
 * live_findings: what opened and what closed, told by one judgement after the other. A finding opens when a second
 * judgement confirms it, closes when its calls have ended or when it was not found for a while, and opens again when
 * it comes back.
 */
#ifndef DEADAIR_UI_LIVE_FINDINGS_H
#define DEADAIR_UI_LIVE_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LIVE_FINDINGS_MOST = 65536 };

struct live_findings;

enum live_change { LIVE_OPENED, LIVE_CLOSED, LIVE_REOPENED };

struct live_found {                  /* lent for the call */
	uint64_t identity;
	bool over;                   /* all calls it is about have ended */
	const char *severity, *id, *title;
	const char *json;            /* the finding as an object; "" where nobody wants it */
};

struct live_change_of {
	uint64_t identity;
	const char *severity, *id, *title, *json;    /* of its newest judgement */
	enum live_change change;
	int64_t at_ns;               /* of the judgement that shows it */
	int64_t opened_ns;
	bool over;                   /* closed because its calls have ended; else because it is not found any more */
};

typedef void live_change_fn(void *context, const struct live_change_of *c);

/*
 * confirm_ns: between the first judgement that finds it and the one that opens it; holdoff_ns: not found so long, it
 * closes; reopen_ns: found again so soon, it is the same one.
 */
struct live_findings *live_findings_new(int64_t confirm_ns, int64_t holdoff_ns, int64_t reopen_ns);
void live_findings_free(struct live_findings *all);

/*
 * A judgement: begin, everything that it found, end. Changes are told in the order of what was found, then of what
 * is gone.
 */
void live_findings_begin(struct live_findings *all, int64_t at_ns, live_change_fn *fn, void *context);
void live_findings_found(struct live_findings *all, const struct live_found *f);
void live_findings_end(struct live_findings *all);

size_t live_findings_open(const struct live_findings *all);
/* Those that came while there was no room to watch more. */
uint64_t live_findings_unwatched(const struct live_findings *all);

#endif
