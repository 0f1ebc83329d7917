/* SPDX-License-Identifier: MIT */
/* leg_keys: legs by the key that two_points has of their messages; a callee's requests carry the To-tag in From. */
#ifndef DEADAIR_DETECT_LEG_KEYS_H
#define DEADAIR_DETECT_LEG_KEYS_H

#include "analyzer/calls/call.h"

struct leg_keys {
	struct arena *arena;
	struct hash by_key;
};

void leg_keys_init(struct leg_keys *k, const struct calls *calls);
void leg_keys_fini(struct leg_keys *k);
/* NULL: no call's (REGISTER, OPTIONS, or given up for room). */
const struct leg *leg_keys_find(const struct leg_keys *k, uint64_t key);

#endif
