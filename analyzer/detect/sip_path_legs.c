/* SPDX-License-Identifier: MIT */
/* sip_path_legs: one walk over all calls, by the first hop of their INVITE. */
#include "analyzer/detect/sip_path_legs.h"

#include "analyzer/network/sip_path.h"

static bool unheard(const struct leg *leg)
{
	return leg->initial_invite_seen && !leg->answered && leg->progress_ns == NS_NONE && leg->status == 0;
}

void sip_path_legs(const struct facts *facts, struct finding *const *told)
{
	LIST_EACH(it, calls_legs(facts->calls)) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_order);
		const struct message *m;
		const struct sip_path *path;

		if (!unheard(leg) || list_empty(&leg->messages))
			continue;
		m = LIST_ENTRY(leg->messages.head.next, struct message, in_leg);
		path = sip_paths_find(facts->paths, &m->src.addr, &m->dst, m->transport);
		if (path && told[path->n])
			finding_leg(told[path->n], leg);
	}
}
