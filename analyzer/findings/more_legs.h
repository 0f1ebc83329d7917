/* SPDX-License-Identifier: MIT */
/* more_legs: the legs of a finding about more calls than it lists: found by leg, in the order in which they came. */
#ifndef DEADAIR_FINDINGS_MORE_LEGS_H
#define DEADAIR_FINDINGS_MORE_LEGS_H

#include <stdbool.h>

#include "captures/base/hash.h"
#include "captures/base/list.h"

struct leg;

struct more_leg {
	struct list_link in_order;
	struct hash_link by_leg;
	const struct leg *leg;
};

struct more_legs {
	struct list in_order;        /* struct more_leg */
	struct hash by_leg;
};

struct more_legs *more_legs_new(void);
/* NULL is fine */
void more_legs_free(struct more_legs *m);
/* NULL: there are none */
bool more_legs_have(const struct more_legs *m, const struct leg *leg);
/* It is not among them. */
void more_legs_add(struct more_legs *m, const struct leg *leg);
/* False: it was not among them. */
bool more_legs_remove(struct more_legs *m, const struct leg *leg);

#endif
