/* SPDX-License-Identifier: MIT */
/* command_explain: what a finding means, and the list of all findings. */
#include "ui/command.h"

#include <stdio.h>

#include "analyzer/views.h"
#include "ui/finding_id.h"
#include "ui/report.h"
#include "ui/words.h"

int command_explain(int argc, char **argv)
{
	struct view_detector d;
	struct out o;
	struct err err;
	char id[80];

	if (argc != 2)
		return command_trouble("explain: name one finding: deadair explain one-way-audio");
	/* id/reason as the report prints it */
	snprintf(id, sizeof id, "%.*s", (int)strcspn(argv[1], "/"), argv[1]);
	for (char *c = id; *c; c++)     /* as somebody types it who has read it in a headline */
		*c = *c == '_' ? '-' : *c >= 'A' && *c <= 'Z' ? (char)(*c | 0x20) : *c;
	if (!view_detector_find(id, &d)) {
		finding_id_check("explain", span_of(argv[1]), &err);
		return command_trouble("%s", err.text);
	}
	command_out(&o, "auto");
	report_explain(&o, &d);
	return command_close(&o, STATUS_CLEAN);
}

enum { DETECTOR_USUAL = 9 };

/* A line each; what it says goes on below itself where it is long, keys stand there as far as they fit. */
static void print_detector(struct out *o, const struct view_detector *d, int id_columns)
{
	struct text label, says;

	text_init(&label);
	text_init(&says);
	text_addf(&label, "%-*s %-*s", id_columns, d->id, DETECTOR_USUAL, d->usual);
	text_add(&says, d->says);
	for (unsigned i = 0; i < d->key_count; i++) {
		if (label.n + text_columns(says.p) + 2 + strlen(d->keys[i].name) > PROSE_COLUMNS)
			break;
		text_addf(&says, "%s%s", i ? " " : "  ", d->keys[i].name);
	}
	out_paragraph(o, 0, label.p, (unsigned)label.n, PAINT_PLAIN, says.p);
	text_fini(&says);
	text_fini(&label);
}

int command_detectors(int argc, char **argv)
{
	struct view_detector d;
	struct out o;
	int widest = 0;

	(void)argv;
	if (argc != 1)
		return command_trouble("detectors: takes no argument; deadair explain ID tells of one");
	command_out(&o, "auto");
	for (size_t i = 0; view_detector(i, &d); i++)
		widest = (int)strlen(d.id) > widest ? (int)strlen(d.id) : widest;
	for (size_t i = 0; view_detector(i, &d); i++)
		print_detector(&o, &d, widest + 1);
	return command_close(&o, STATUS_CLEAN);
}
