/* SPDX-License-Identifier: MIT */
/* view_checklist: the points of the checklist, reckoned at the first question. */
#include <string.h>

#include "analyzer/checklist.h"
#include "analyzer/view_cache.h"
#include "analyzer/view_redact.h"
#include "analyzer/views.h"

bool view_check(const struct engine *e, size_t i, struct view_check *ret)
{
	struct view_cache *v = view_cache_of(e);
	const struct check *k;

	if (!v->checklist)
		v->checklist = checklist_new(&e->facts);
	k = i < checklist_count(v->checklist) ? checklist_at(v->checklist, (unsigned)i) : NULL;
	if (!k)
		return false;
	*ret = (struct view_check){
		.item = k->item, .title = k->title, .name = k->name, .state = check_state_name(k->state), .why = k->why,
		.flow = strncmp(k->item, "C2.", 3) == 0,
		.id_count = k->id_count, .finding_count = k->finding_count, .call_count = k->call_count,
		.calls_total = k->calls_total,
		.evidence_count = k->evidence_count,
	};
	memcpy(ret->ids, k->ids, sizeof ret->ids);
	memcpy(ret->findings, k->findings, sizeof ret->findings);
	memcpy(ret->calls, k->calls, sizeof ret->calls);
	for (unsigned n = 0; n < k->evidence_count; n++)
		ret->evidence[n] = (struct view_evidence){ .file = k->evidence[n].at.file,
			.frame = k->evidence[n].at.frame, .at_ns = k->evidence[n].at.at_ns,
							   .what = k->evidence[n].what };
	view_redact_check(e->redact, ret);
	return true;
}
