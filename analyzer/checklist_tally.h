/* SPDX-License-Identifier: MIT */
/* checklist_tally: instances of one flow, counted: seen to work, faulty, not judged here. */
#ifndef DEADAIR_ANALYZER_CHECKLIST_TALLY_H
#define DEADAIR_ANALYZER_CHECKLIST_TALLY_H

#include "analyzer/checklist_private.h"

enum { SEEN_MAX = 16, PACKETS_LEAST = 10 };

enum outcome { OUTCOME_CLEAN, OUTCOME_FAULT, OUTCOME_OPEN, OUTCOMES };

struct tally {
	struct checklist *list;
	struct check *check;
	const char *const *ids;      /* what must not be on an instance */
	bool alone;                  /* nothing but these matters */
	const char *works;           /* "answered, audio passes both ways" */
	const char *nothing;         /* why it is not seen */
	unsigned count[OUTCOMES];
	struct { unsigned call; struct frame_ref at; } seen[OUTCOMES][SEEN_MAX];
	char open_why[CHECK_WHAT];   /* of the first that cannot be judged */
};

struct tally tally_of(struct checklist *c, const char *item, const char *title, const char *name,
	const char *const *ids);
/* One instance in that call; open: why it proves nothing although no finding is on it, NULL: it works. */
void tally_call(struct tally *t, const struct call *call, struct frame_ref at, const char *open);
/*
 * The same of a call from its beginning: answered with audio, or faulty, or let be: busy, declined, hung up while it
 * rang.
 */
void tally_take(struct tally *t, const struct sight *s);
void tally_add(struct tally *t, enum outcome o, unsigned call, struct frame_ref at);
/*
 * Is an alarm on the call? *ret_fault: one of the ids; any other keeps the call from being a proof that the flow works.
 */
bool tally_marked(struct tally *t, const struct call *call, bool *ret_fault);
/* The state of the check and what it stands on. */
void tally_settle(struct tally *t);

const struct leg *call_first_leg(const struct call *c);
/* The leg at whose end the callee is. */
const struct leg *call_last_leg(const struct call *c);
/* Why such audio proves nothing; NULL: it passes in all directions that were agreed. */
const char *audio_doubt(enum check_audio audio);
/* Packets of the direction in a stretch of time. */
double direction_packets(const struct direction *d, int64_t from_ns, int64_t to_ns);

/* Each adds its checks. */
void checklist_calls(struct checklist *c);           /* C2.1 to C2.3 */
void checklist_hold(struct checklist *c);            /* C2.4 */
void checklist_transfers(struct checklist *c);       /* C2.5 */
void checklist_conference(struct checklist *c);      /* C2.6 */
void checklist_remote(struct checklist *c);          /* C2.7 */
void checklist_early(struct checklist *c);           /* C2.8 */
void checklist_failback(struct checklist *c);        /* C2.9 */
void checklist_peak(struct checklist *c);            /* C2.10 */
void checklist_music(struct checklist *c);           /* C2.11 */
void checklist_ring_group(struct checklist *c);      /* C2.12 */
void checklist_lamps(struct checklist *c);           /* C2.13 */
void checklist_both(struct checklist *c);            /* C2.14 */

#endif
