/* SPDX-License-Identifier: MIT */
/*
 * survey: what detectors need for EVENT_SURVEY_LEG: legs of which little can be said, ruled out without a walk over
 * their messages, and a list of those that remain to be looked at.
 */
#ifndef DEADAIR_DETECT_SURVEY_H
#define DEADAIR_DETECT_SURVEY_H

#include "analyzer/calls/call.h"

struct leg_list {                    /* zeroed: empty */
	const struct leg **list;
	unsigned count, room;
};

void leg_list_add(struct leg_list *l, const struct leg *leg);
void leg_list_clear(struct leg_list *l);

/*
 * A leg of one INVITE that was answered with success (others were challenged before it), between two hosts, in which
 * nothing was sent again, failed, was cancelled or changed.
 */
static inline bool leg_plain(const struct leg *leg)
{
	return !leg->rough && leg->initial_invite_seen && leg->segment_count == 1 && leg->dialogs.count == 1 &&
	       leg->status >= 200 && leg->status < 300;
}

/* The transaction of a plain leg that was answered; its final is set. NULL: the records do not show it. */
const struct transaction *leg_plain_answered(const struct leg *leg);

#endif
