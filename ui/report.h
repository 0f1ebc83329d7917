/* SPDX-License-Identifier: MIT */
/* report: what a diagnosis looks like, as text, as JSON Lines, as the ladder of one call. */
#ifndef DEADAIR_UI_REPORT_H
#define DEADAIR_UI_REPORT_H

#include "analyzer/history/baseline.h"
#include "analyzer/views.h"
#include "captures/source.h"
#include "ui/names.h"
#include "ui/out.h"
#include "ui/selection.h"

struct report {
	const struct engine *engine;
	const struct source_file *const *files;
	size_t file_count;
	struct out *out;
	const struct names *names;   /* NULL none */
	const struct selection *selection;
	const struct baseline *baseline;     /* what a history knows already; NULL: none is kept */
	bool verbose;
	bool checklist;              /* in full */
	bool interrupted;            /* by the user, before the end of the input */
	int exit;                    /* the process's status */
};

void report_json(const struct report *r);
/* The line of one finding, with a newline; needs no selection. */
void report_json_finding(const struct report *r, const struct view_finding *f);
void report_text(const struct report *r);
/* The ladder of the call at this index of view_call(), with its media and findings; markdown: for a ticket. */
void report_ladder(const struct report *r, size_t call, bool markdown);
/* The firewall policy that would permit what was seen: as a file for nft, or as a table. */
void report_policy(const struct report *r, bool nftables);
/*
 * The block of one finding as in the text report, but for its proof: the claim (title, who, since, cause, changes), and
 * what stands behind the proof.
 */
enum block_part { BLOCK_CLAIM, BLOCK_ADVICE };
void report_block(const struct report *r, size_t finding, enum block_part part);
/* What a finding means: the page of `deadair explain`. */
void report_explain(struct out *o, const struct view_detector *d);
/* Capture, Seen from, Can show, Cannot, and what was not read. */
void report_head(const struct report *r, const struct view_capture *c);
/* The report as a page of HTML. redacted is what its last line says. */
enum err_code report_html_write(const struct report *r, const char *path, bool redacted, struct err *err);
void report_why_not(const struct report *r, const char *id);

#endif
