/* SPDX-License-Identifier: MIT */
/* sip_path_legs: one walk over all calls, by the hops of their INVITE. */
#include "analyzer/detect/sip_path_legs.h"

#include <stdlib.h>

#include "analyzer/network/sip_path.h"
#include "captures/base/memory.h"

static bool unheard(const struct leg *leg)
{
	return leg->initial_invite_seen && !leg->answered && leg->progress_ns == NS_NONE;
}

/*
 * The caller's own INVITE was heard where a status came back; one that a server sent on may have got lost all the same.
 */
static bool first_heard(const struct leg *leg, const struct message *m)
{
	const struct message *first = LIST_ENTRY(leg->messages.first, struct message, in_leg);

	return leg->status != 0 && endpoint_equal(&m->src, &first->src) && endpoint_equal(&m->dst, &first->dst);
}

static bool refused_as_too_large(const struct leg *leg)
{
	return leg->initial_invite_seen && !leg->answered && (leg->status == 413 || leg->status == 513);
}

static void legs_of_invite(const struct facts *facts, const struct leg *leg, struct finding *const *told, bool refused)
{
	CHAIN_EACH(it, &leg->messages) {
		const struct message *m = LIST_ENTRY(it, struct message, in_leg);
		const struct sip_path *path;

		if (!m->request || m->method != SIP_INVITE || (!refused && first_heard(leg, m)))
			continue;
		path = sip_paths_find(facts->paths, &m->src.addr, &m->dst, m->transport);
		if (path && told[path->n])
			finding_leg(told[path->n], leg);
	}
}

static const struct sip_path *way_back(const struct facts *facts, const struct message *m)
{
	return m->request || (m->status != 413 && m->status != 513) ? NULL
		: sip_paths_find(facts->paths, &m->dst.addr, &m->src, m->transport);
}

/* When the call was first told so: a proxy or B2BUA hands it on. */
static int64_t first_refused_ns(const struct facts *facts, const struct call *call)
{
	int64_t first_ns = INT64_MAX;

	LIST_EACH(leg, &call->legs) {
		CHAIN_EACH(it, &LIST_ENTRY(leg, struct leg, in_call)->messages) {
			const struct message *m = LIST_ENTRY(it, struct message, in_leg);

			if (m->at.at_ns < first_ns && way_back(facts, m))
				first_ns = m->at.at_ns;
		}
	}
	return first_ns;
}

void sip_path_legs_handed_on(const struct facts *facts, bool *handed_on)
{
	size_t n = sip_paths_in_order(facts->paths)->count + 1;
	bool *made = memory_zalloc(n * sizeof *made);

	LIST_EACH(leg, calls_legs(facts->calls)) {
		const struct leg *x = LIST_ENTRY(leg, struct leg, in_order);
		int64_t first_ns = refused_as_too_large(x) ? first_refused_ns(facts, x->call) : INT64_MAX;

		CHAIN_EACH(it, &x->messages) {
			const struct message *m = LIST_ENTRY(it, struct message, in_leg);
			const struct sip_path *path = first_ns != INT64_MAX ? way_back(facts, m) : NULL;

			if (path)
				*(m->at.at_ns == first_ns ? &made[path->n] : &handed_on[path->n]) = true;
		}
	}
	for (size_t i = 0; i < n; i++)
		handed_on[i] &= !made[i];
	free(made);
}

void sip_path_legs(const struct facts *facts, struct finding *const *told)
{
	LIST_EACH(it, calls_legs(facts->calls)) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_order);

		if (unheard(leg))
			legs_of_invite(facts, leg, told, false);
	}
}

void sip_path_legs_refused(const struct facts *facts, struct finding *const *told)
{
	LIST_EACH(it, calls_legs(facts->calls)) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_order);

		if (refused_as_too_large(leg))
			legs_of_invite(facts, leg, told, true);
	}
}
