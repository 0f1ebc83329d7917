/* SPDX-License-Identifier: MIT */
/* call_refusal: what the final answer to an INVITE means: RFC 3261 21, Q.850 in Reason headers (RFC 3326, 6432). */
#ifndef DEADAIR_DETECT_CALL_REFUSAL_H
#define DEADAIR_DETECT_CALL_REFUSAL_H

#include "analyzer/detect/detector.h"

struct refusal {
	const char *reason;          /* of call-failed; NULL: an ordinary end, nobody's fault */
	enum severity severity;
	const char *because, *fix;   /* for the cause and the fix, no full stop */
	bool contradicts;            /* status and Q.850 cause say different things: the cause counts */
};

/* What the status and the Q.850 cause (0 none) say by themselves; the circumstances are the detector's. */
struct refusal refusal_of(unsigned status, unsigned q850);
/* What a reason means that only the circumstances give. */
struct refusal refusal_named(const char *reason);
/*
 * 482 to a branch that came after another one of the same call had been refused there, by a final answer: such a request
 * is no copy of one that goes on (RFC 3261 8.2.2.2), and nothing goes round.
 */
bool refusal_of_retry(const struct leg *leg, const struct message *made);

#endif
