/* SPDX-License-Identifier: MIT */
/* fisher: do two counts differ by more than chance? */
#ifndef DEADAIR_HISTORY_FISHER_H
#define DEADAIR_HISTORY_FISHER_H

#include <stdint.h>

struct share {                       /* `part` of `whole`; part <= whole */
	uint64_t part, whole;
};

/*
 * Fisher's exact test, two-sided: how probable such a difference or a greater one is where there is none. 1 where
 * nothing can differ. Takes steps in the order of the root of the counts.
 */
double fisher_exact(struct share a, struct share b);

#endif
