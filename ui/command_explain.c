/* SPDX-License-Identifier: MIT */
/* command_explain: what a finding means, and the list of all findings. */
#include "ui/command.h"

#include <stdio.h>

#include "analyzer/views.h"
#include "captures/base/nearest.h"
#include "ui/report.h"
#include "ui/words.h"

enum { IDS_MAX = 256 };

static int unknown_id(const char *id)
{
	struct view_detector d;
	const char *ids[IDS_MAX], *near;
	char text[80];
	size_t count = 0;

	while (count < IDS_MAX && view_detector(count, &d))
		ids[count++] = d.id;
	near = nearest_word(span_of(id), ids, count);
	text_escape(span_of(id), text, sizeof text);
	if (near)
		return command_trouble("explain: no finding \"%s\": %s?", text, near);
	return command_trouble("explain: no finding \"%s\": deadair detectors lists them", text);
}

int command_explain(int argc, char **argv)
{
	struct view_detector d;
	struct out o;
	char id[80];

	if (argc != 2)
		return command_trouble("explain: name one finding: deadair explain one-way-audio");
	/* id/reason as the report prints it */
	snprintf(id, sizeof id, "%.*s", (int)strcspn(argv[1], "/"), argv[1]);
	if (!view_detector_find(id, &d))
		return unknown_id(argv[1]);
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
