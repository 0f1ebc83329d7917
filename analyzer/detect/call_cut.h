/* SPDX-License-Identifier: MIT */
/* call_cut: a call whose only TCP connection is gone: nobody can end, hold or refresh it. A reason of call-dropped. */
#ifndef DEADAIR_DETECT_CALL_CUT_H
#define DEADAIR_DETECT_CALL_CUT_H

#include "analyzer/detect/detector.h"

struct cuts {                        /* connections and attempts, by their two addresses and time */
	const struct flow **list;
	unsigned count;
};

void cuts_init(struct cuts *all, const struct facts *facts);
void cuts_fini(struct cuts *all);

/* Raises a finding about an answered leg without BYE; false: nothing shows that its connection was lost for good. */
bool call_cut(struct detection *d, const struct leg *leg, const struct cuts *cuts);

#endif
