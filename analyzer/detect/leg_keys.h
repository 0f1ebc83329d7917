/* SPDX-License-Identifier: MIT */
/* leg_keys: legs by the key that two_points has of their messages; a callee's requests carry the To-tag in From. */
#ifndef DEADAIR_DETECT_LEG_KEYS_H
#define DEADAIR_DETECT_LEG_KEYS_H

#include "analyzer/calls/call.h"

struct leg_keys;

/* The table is made at the first question. */
struct leg_keys *leg_keys_new(const struct calls *calls);
void leg_keys_free(struct leg_keys *k);
/* NULL: no call's (REGISTER, OPTIONS, or given up for room). */
const struct leg *leg_keys_find(struct leg_keys *k, uint64_t key);

#endif
