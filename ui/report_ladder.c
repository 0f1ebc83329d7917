/* SPDX-License-Identifier: MIT */
/* report_ladder: one call as a ladder with its problems, as text and as Markdown for a ticket. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ui/hears.h"
#include "ui/ladder_part.h"
#include "ui/words.h"

/* "Call 1: 1001 (Yealink SIP-T46S, 192.168.1.21) → 01632960105, ended, 0:42" */
static void add_title(struct text *t, const struct call_ladder *l)
{
	char length[NS_TEXT];

	text_addf(t, "Call %u: ", l->call.n);
	report_party(t, l->r, &l->call, 0);
	text_add(t, " → ");
	report_party(t, l->r, &l->call, 1);
	text_addf(t, ", %s", l->call.state ? l->call.state : "unknown");
	if (l->call.status >= 300)
		text_addf(t, " %u", l->call.status);
	if (l->call.answer_ns != NS_NONE && l->call.end_ns != NS_NONE)
		text_addf(t, ", talk %s", ns_duration(ns_minus(l->call.end_ns, l->call.answer_ns), length));
}

static void add_hears(struct text *t, const struct call_ladder *l)
{
	char caller[HEARS_TEXT], callee[HEARS_TEXT], moment[WORDS];

	if (l->call.start_ns != NS_NONE)
		text_addf(t, "%s; ", words_moment(l->call.start_ns, moment));
	text_addf(t, "caller hears %s, callee hears %s", hears_cell(&l->call, 0, caller),
		hears_cell(&l->call, 1, callee));
}

static void ladder_text(struct call_ladder *l)
{
	struct text t;

	text_init(&t);
	add_title(&t, l);
	out_paragraph(l->out, 0, "", 0, PAINT_HEAD, t.p);
	text_clear(&t);
	add_hears(&t, l);
	out_paragraph(l->out, 0, "", 0, PAINT_PLAIN, t.p);
	text_fini(&t);
	out_text(l->out, "\n");
	call_ladder_print(l);
	report_problems(l->r);
}

/*
 * What Markdown would read as its own is put behind a backslash; an escape of ours ("\x1b") keeps its backslash
 * visible.
 */
static void out_markdown(struct out *o, const char *utf8)
{
	char one[3] = "\\";

	for (; *utf8; utf8++) {
		const char *end = utf8;

		while (*end && !strchr("\\`*_{}[]<>#|~!", *end))
			end++;
		if (end > utf8) {
			struct text plain;

			text_init(&plain);
			text_addf(&plain, "%.*s", (int)(end - utf8), utf8);
			out_text(o, plain.p);
			text_fini(&plain);
		}
		if (!*end)
			return;
		one[1] = *end;
		out_text(o, one);
		utf8 = end;
	}
}

static void markdown_evidence(struct call_ladder *l, const struct view_finding *f)
{
	char number[32];

	for (unsigned i = 0; i < f->evidence_count; i++) {
		const struct view_evidence *e = &f->evidence[i];

		snprintf(number, sizeof number, "%u. ", i + 1);
		out_text(l->out, number);
		out_markdown(l->out, e->what ? e->what : "");
		if (e->frame && e->last_frame > e->frame)
			out_textf(l->out, " (frames %" PRIu32 "-%" PRIu32 ")", e->frame, e->last_frame);
		else if (e->frame)
			out_textf(l->out, " (frame %" PRIu32 ")", e->frame);
		out_text(l->out, "\n");
	}
	out_text(l->out, f->evidence_count ? "\n" : "");
}

static void markdown_finding(struct call_ladder *l, size_t index)
{
	const struct view_finding *f = &l->finding;

	if (!view_finding(l->r->engine, index, &l->finding))
		return;
	out_text(l->out, "**");
	out_markdown(l->out, f->title);
	out_text(l->out, "**\n\n`");
	out_text(l->out, f->id);
	out_text(l->out, f->reason && *f->reason ? "/" : "");
	out_text(l->out, f->reason ? f->reason : "");
	out_textf(l->out, "`, %.20s, %.20s\n\n", f->severity, f->confidence);
	if (f->cause && *f->cause) {
		out_markdown(l->out, f->cause);
		out_text(l->out, "\n\n");
	}
	if (f->cannot_see && *f->cannot_see) {
		out_text(l->out, "Not seen: ");
		out_markdown(l->out, f->cannot_see);
		out_text(l->out, "\n\n");
	}
	markdown_evidence(l, f);
	if (f->fix && *f->fix) {
		out_text(l->out, "Fix: ");
		out_markdown(l->out, f->fix);
		out_text(l->out, "\n\n");
	}
}

static void ladder_markdown(struct call_ladder *l)
{
	struct text t;

	text_init(&t);
	add_title(&t, l);
	out_text(l->out, "## ");
	out_markdown(l->out, t.p);
	out_text(l->out, "\n\n");
	text_clear(&t);
	add_hears(&t, l);
	text_add(&t, "; ");
	for (size_t i = 0; i < l->r->file_count; i++) {
		text_add(&t, i ? ", " : l->r->file_count > 1 ? "captures " : "capture ");
		report_file_name(&t, l->r, i);
	}
	out_markdown(l->out, t.p);
	out_text(l->out, "\n\n");
	text_fini(&t);
	for (size_t i = 0; i < l->r->selection->problem_count; i++)
		if (l->r->selection->problems[i].shown)
			markdown_finding(l, l->r->selection->problems[i].lead);
	out_text(l->out, "```text\n");
	call_ladder_print(l);
	out_text(l->out, "```\n");
}

void report_ladder(const struct report *r, size_t call, bool markdown)
{
	struct call_ladder *l = call_ladder_new(r, call);

	if (markdown)
		ladder_markdown(l);
	else
		ladder_text(l);
	call_ladder_free(l);
}
