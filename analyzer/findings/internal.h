/* SPDX-License-Identifier: MIT */
/* internal: what the files of findings share. */
#ifndef DEADAIR_FINDINGS_INTERNAL_H
#define DEADAIR_FINDINGS_INTERNAL_H

#include "analyzer/findings/finding.h"

struct findings {
	struct list all;             /* struct finding.in_order */
	struct list incidents;       /* struct incident.in_order */
	uint64_t next_order;
	bool settled;                /* incidents and explanations stand */
};

void suppression_settle(struct findings *f);
void incidents_settle(struct findings *f, int64_t window_ns);
void incidents_clear(struct findings *f);

#endif
