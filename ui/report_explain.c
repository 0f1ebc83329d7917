/* SPDX-License-Identifier: MIT */
/* report_explain: what a finding means, what it looks at, what mimics it, how to fix it. */
#include "ui/report.h"

#include <stdio.h>

enum { EXPLAIN_LABEL = 10 };

static void field(struct out *o, const char *label, const char *text)
{
	if (text && *text)
		out_paragraph(o, 2, label, EXPLAIN_LABEL, PAINT_HEAD, text);
}

/* "sip-alg   a device in the path rewrites SIP              usually warning" */
static void print_title(struct out *o, const struct view_detector *d)
{
	struct text t, says;
	char usual[48];
	size_t room = PROSE_COLUMNS, used;

	text_init(&t);
	text_init(&says);
	snprintf(usual, sizeof usual, "usually %.30s", d->usual);
	used = text_columns(d->id) + 3;
	if (used + text_columns(d->says) + 3 + strlen(usual) <= room)
		text_addf(&t, "   %s%*s%s", d->says, (int)(room - used - text_columns(d->says) - strlen(usual)), "",
			usual);
	else
		text_addf(&t, "   %s", usual);
	out_paint(o, PAINT_HEAD, d->id);
	out_text(o, t.p);
	out_text(o, "\n");
	if (used + text_columns(d->says) + 3 + strlen(usual) > room)
		field(o, "Says", d->says);
	text_fini(&says);
	text_fini(&t);
}

static void print_reasons(struct out *o, const struct view_detector *d)
{
	struct text t;

	text_init(&t);
	for (size_t i = 0; d->reasons && d->reasons[i]; i++)
		text_addf(&t, "%s%s", i ? ", " : "", d->reasons[i]);
	field(o, "Reasons", t.p);
	text_fini(&t);
}

static void print_keys(struct out *o, const struct view_detector *d)
{
	struct text t;

	text_init(&t);
	for (unsigned i = 0; i < d->key_count; i++) {
		const struct view_key *k = &d->keys[i];

		text_clear(&t);
		text_addf(&t, "%s = %g%s%s, ", k->name, k->value, k->unit && *k->unit ? " " : "",
			k->unit ? k->unit : "");
		if (k->min < k->max)
			text_addf(&t, "%g to %g", k->min, k->max);
		else
			text_add(&t, "fixed");
		if (k->source)
			text_addf(&t, "; %s", k->source);
		out_paragraph(o, 2, i ? "" : "Keys", EXPLAIN_LABEL, PAINT_HEAD, t.p);
	}
	text_fini(&t);
}

void report_explain(struct out *o, const struct view_detector *d)
{
	print_title(o, d);
	field(o, "Symptom", d->symptom);
	field(o, "Looks at", d->evidence);
	field(o, "Mimics", d->mimics);
	field(o, "Fix", d->fix);
	print_reasons(o, d);
	print_keys(o, d);
}
