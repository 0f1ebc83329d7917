/* SPDX-License-Identifier: MIT */
/*
 * attempts: legs by who called whom and when, so that a machine's second try is not taken for a second failure. What is
 * asked about one leg costs no more than the legs of the same two numbers around it.
 */
#ifndef DEADAIR_DETECT_ATTEMPTS_H
#define DEADAIR_DETECT_ATTEMPTS_H

#include "analyzer/detect/detector.h"

struct attempts;

/* Lists are made when first asked for. The capture ends at end_ns. */
struct attempts *attempts_new(const struct calls *calls, int64_t end_ns);
void attempts_free(struct attempts *a);
/*
 * The next leg of the same caller to the same number that began after this one had ended, at most within_ns later; NULL
 * none.
 */
const struct leg *attempts_next(struct attempts *a, const struct leg *leg, int64_t within_ns);
/* A number that begins with this one and is longer, dialled by the same caller within that time (overlap dialling). */
bool attempts_longer(struct attempts *a, const struct leg *leg, int64_t within_ns);
/*
 * Did a leg of the same sender and caller to another place, begun within fork_ns of this one's begin (a ring group),
 * get somewhere?
 */
bool attempts_branch_lives(struct attempts *a, const struct leg *leg, int64_t fork_ns);
/* The same, begun within fork_ns of its end (a hunt). */
bool attempts_hunt_lives(struct attempts *a, const struct leg *leg, int64_t fork_ns);
/*
 * Legs beside which the same caller began another one within fork_ns: all others are in no ring group. In the order of
 * the legs; lent, until it is asked for anew.
 */
const struct leg *const *attempts_beside(struct attempts *a, int64_t fork_ns, size_t *ret_count);
/* One begun around its begin or its end has no answer yet, and the capture ends before its sender would give it up. */
bool attempts_branch_open(struct attempts *a, const struct leg *leg, int64_t fork_ns);
/* A next leg within that time that was answered, maybe unseen, or of which the capture has no end yet. */
bool attempts_under_way(struct attempts *a, const struct leg *leg, int64_t within_ns);
/* The leg of the same ring group that was answered first; NULL none. Callers who give no number are in no group. */
const struct leg *attempts_answered_branch(struct attempts *a, const struct leg *leg, int64_t fork_ns);

#endif
