/* SPDX-License-Identifier: MIT */
/*
 * checklist: what of a deployment this capture confirms: the five points of a deployment, and the matrix of test calls.
 * A point is confirmed by what was seen to work, never by the absence of findings; what did not happen in the capture
 * is not seen, what this capture cannot show is left open.
 */
#ifndef DEADAIR_ANALYZER_CHECKLIST_H
#define DEADAIR_ANALYZER_CHECKLIST_H

#include "analyzer/ends.h"

enum check_state { CHECK_PASS, CHECK_FAIL, CHECK_NOT_SEEN, CHECK_CANNOT_TELL };

enum { CHECK_IDS = 8, CHECK_NUMBERS = 16, CHECK_EVIDENCE = 6, CHECK_WHY = 400, CHECK_WHAT = 120 };

struct check {
	const char *item;            /* "C1.4" */
	const char *title;           /* "SIP ALG off" */
	const char *name;            /* in a row of them: "ALG off" */
	enum check_state state;
	char why[CHECK_WHY];         /* what it stands on, or what is missing */
	const char *ids[CHECK_IDS];  /* of the findings that decided */
	unsigned id_count;
	unsigned findings[CHECK_NUMBERS], finding_count;     /* n of those */
	unsigned calls[CHECK_NUMBERS], call_count, calls_total;      /* n of the calls it stands on */
	struct { struct frame_ref at; char what[CHECK_WHAT]; } evidence[CHECK_EVIDENCE];
	unsigned evidence_count;
};

struct checklist;

/* After judgement and numbering of calls and findings. */
struct checklist *checklist_new(const struct facts *facts);
void checklist_free(struct checklist *c);
unsigned checklist_count(const struct checklist *c);
const struct check *checklist_at(const struct checklist *c, unsigned i);
const char *check_state_name(enum check_state s);    /* "PASS", "FAIL", "NOT-SEEN", "CANNOT-TELL" */

#endif
