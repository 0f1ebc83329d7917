/* SPDX-License-Identifier: MIT */
/* report_text: the order of the text report: the answer first, tables after. */
#include "ui/report.h"

#include <stdlib.h>

#include "captures/base/memory.h"
#include "ui/report_part.h"

void report_text(const struct report *r)
{
	struct view_capture *c = memory_zalloc(sizeof *c);

	view_capture(r->engine, c);
	report_head(r, c);
	out_text(r->out, "\n");
	report_headline(r, c);
	report_problems(r);
	report_facts(r, r->verbose ? FACTS_ALL : FACTS_FIRST);
	report_calls(r);
	if (r->selection->problem_count)
		report_fact_count(r);
	report_details(r);
	report_checklist(r);
	free(c);
}
