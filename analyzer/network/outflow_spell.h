/* SPDX-License-Identifier: MIT */
/* outflow_spell: what the flows from inside to outside come to in each spell of time. They add up, in any order. */
#ifndef DEADAIR_NETWORK_OUTFLOW_SPELL_H
#define DEADAIR_NETWORK_OUTFLOW_SPELL_H

#include "analyzer/network/outflow.h"

enum { OUTFLOW_DESTS = 16, OUTFLOW_SPELLS_MAX = 2880 };

struct outflow_spell {
	unsigned tried, answered, active, living;    /* active: sent something; living: and were answered once */
	unsigned old, old_alive;
	/* that new flows went to; more than these are not counted apart */
	struct { struct address at; unsigned failed; } dests[OUTFLOW_DESTS];
	unsigned dest_count, worst;  /* worst: most failures of one */
	struct frame_ref failed_at, answered_at;     /* the first of those tried; frame 0: none */
	bool failing;                /* of who judges */
};

/* Adds one flow to a list of so many spells; end_ns: the last that the capture has, or to which it was followed. */
void outflow_spell_add(const struct outflows *t, const struct outflow *f, struct outflow_spell *list, unsigned count,
	int64_t end_ns);
/* Adds what was counted of other flows, spell by spell. */
void outflow_spells_join(struct outflow_spell *list, const struct outflow_spell *more, unsigned count);

#endif
