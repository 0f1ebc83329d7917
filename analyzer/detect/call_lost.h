/* SPDX-License-Identifier: MIT */
/* call_lost: a call that nobody ended: one party is gone, or the path to it. Reasons of call-dropped. */
#ifndef DEADAIR_DETECT_CALL_LOST_H
#define DEADAIR_DETECT_CALL_LOST_H

#include "analyzer/detect/detector.h"

struct reboots {                     /* registrations that began anew, by address and time */
	const struct registration **list;
	unsigned count;
};

void reboots_init(struct reboots *all, const struct facts *facts);
void reboots_fini(struct reboots *all);

/* Raises a finding about an answered leg without BYE; false: nothing shows that it was lost. */
bool call_lost(struct detection *d, const struct leg *leg, const struct reboots *reboots);

#endif
