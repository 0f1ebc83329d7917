/* SPDX-License-Identifier: MIT */
/* view_text: help made from the table of keys, what a finding means, what the capture is. */
#include "ui/dashboard/page.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ui/report_part.h"

enum { KEYS_COLUMNS = 12 };

static const char *const marks[] = {
	"✗ hears nothing, error     ! heard badly, warning     ✓ heard     · sent, or ringing: no verdict",
	"? not visible from where this capture was taken       - not to be heard       hold: on hold",
	"Lanes: ▇ arrives, under 1 % lost   ▆ 3 %   ▅ 5 %   ▄ 10 %   ▃ 20 %   ▂ 50 %   ▁ more",
	"       × a packet was due, none came   ░ hold   ? due, not visible here   blank: none due",
	"       ~ (0) silence: comfort noise, a mute microphone, or a sender that sends nothing in pauses",
	"Level, G.711: ▁ below −60 dBm0, a step per 8 dB, █ from −12",
	"Signalling: I INVITE  R ringing  E early media  A answer  H re-INVITE  T transfer  C CANCEL  B BYE  X refused",
};

static const char *const language[] = {
	"finding:one-way-audio from:1001 mos<3.5 since:10:00 -state:declined",
	"host:192.168.1.0/24 (heard:no | loss>3%) start:09:00..10:00 ua~\"^Yealink\"",
	"a word looks into number, name, address, device, Call-ID, finding; Tab completes; : has, = is, ~ regular expression",
};

static void add_keys(struct page *p, enum view about)
{
	const struct key_row *rows;
	size_t count = key_rows(&rows);
	char text[160];

	for (size_t i = 0; i < count; i++) {
		if (!(rows[i].views >> about & 1) || !rows[i].words)
			continue;
		snprintf(text, sizeof text, "%s%*s%s", rows[i].keys, (int)(KEYS_COLUMNS - text_columns(rows[i].keys)),
			"", rows[i].words);
		page_add(p, LINE_TEXT, PAINT_PLAIN, text)->label = KEYS_COLUMNS;
	}
}

static void add_list(struct page *p, const char *title, const char *const *lines, size_t count)
{
	page_add(p, LINE_BAR, PAINT_PLAIN, title);
	for (size_t i = 0; i < count; i++)
		page_add(p, LINE_TEXT, PAINT_PLAIN, lines[i]);
}

static void make_help(struct page *p, enum view about)
{
	char title[64];

	snprintf(title, sizeof title, "Help: %s", view_name(about));
	page_add(p, LINE_BAR, PAINT_PLAIN, title);
	add_keys(p, about);
	add_list(p, "Signs", marks, sizeof marks / sizeof marks[0]);
	add_list(p, "Filter", language, sizeof language / sizeof language[0]);
	page_add(p, LINE_BAR, PAINT_PLAIN, "Mouse");
	page_add(p, LINE_TEXT, PAINT_PLAIN,
		"the wheel scrolls, a click selects, a double click opens; footer, views and heads of columns can be");
	page_add(p, LINE_TEXT, PAINT_PLAIN, "clicked; with Shift the terminal selects text as ever");
}

static void make_explain(struct page *p, const char *id, unsigned width)
{
	struct view_detector *d = &(struct view_detector){ .id = NULL };
	struct out o;

	if (!view_detector_find(id, d)) {
		page_add(p, LINE_TEXT, PAINT_DIM, "nothing is known of it");
		return;
	}
	out_init(&o, -1);
	o.columns = width - 1;
	report_explain(&o, d);
	page_add_out(p, &o);
	out_fini(&o);
}

enum { KINDS_MAX = 64 };

struct kind_count {
	char name[24];
	uint64_t count;
};

static void count_kind(struct kind_count *kinds, size_t *count, const char *name)
{
	size_t i = 0;

	while (i < *count && strcmp(kinds[i].name, name) != 0)
		i++;
	if (i == KINDS_MAX)
		return;
	if (i == *count) {
		snprintf(kinds[i].name, sizeof kinds[i].name, "%s", name);
		kinds[(*count)++].count = 0;
	}
	kinds[i].count++;
}

static int compare_kinds(const void *a, const void *b)
{
	return strcmp(((const struct kind_count *)a)->name, ((const struct kind_count *)b)->name);
}

static void add_kinds(struct page *p, const char *label, struct kind_count *kinds, size_t count)
{
	struct text t;

	qsort(kinds, count, sizeof *kinds, compare_kinds);
	text_init(&t);
	for (size_t i = 0; i < count; i++)
		text_addf(&t, "%s%s %" PRIu64, i ? ", " : "", kinds[i].name, kinds[i].count);
	page_add_wrapped(p, PROSE_COLUMNS, label, t.p);
	text_fini(&t);
}

/* How many requests of each method, answers of each status the calls have; copies and repetitions are not counted. */
static void add_counts(struct page *p, struct world *w)
{
	struct kind_count methods[KINDS_MAX], answers[KINDS_MAX];
	size_t method_count = 0, answer_count = 0, calls;
	struct view_message m;
	char name[24];

	world_calls(w, &calls);
	for (size_t i = 0; i < calls; i++) {
		for (size_t k = 0; view_message(w->engine, i, k, &m); k++) {
			if (m.copy || m.retransmission)
				continue;
			if (m.status)
				snprintf(name, sizeof name, "%u", m.status);
			else
				text_escape(m.method, name, sizeof name);
			count_kind(m.status ? answers : methods, m.status ? &answer_count : &method_count, name);
		}
	}
	add_kinds(p, "Requests", methods, method_count);
	add_kinds(p, "Answers", answers, answer_count);
}

static void make_facts(struct page *p, struct world *w, unsigned width)
{
	struct report r;
	struct out o;

	out_init(&o, -1);
	o.columns = width - 1;
	r = world_report(w, &o);
	page_add(p, LINE_BAR, PAINT_PLAIN, "This capture");
	report_head(&r, world_capture(w));
	page_add_out(p, &o);
	page_add(p, LINE_BAR, PAINT_PLAIN, "Messages of calls");
	add_counts(p, w);
	text_clear(&o.text);
	report_peers(&r, true);
	page_add_out(p, &o);
	out_fini(&o);
}

void page_make_text(struct page *p, struct dashboard *d, struct world *w, unsigned width)
{
	const struct place *place = place_of(d);

	switch ((enum page_kind)place->page) {
	case PAGE_HELP: make_help(p, (enum view)place->about[0]); break;
	case PAGE_EXPLAIN: make_explain(p, place->about, width); break;
	case PAGE_FACTS: make_facts(p, w, width); break;
	case PAGE_COMPARE: page_make_compared(p, w, place->about, width); break;
	case PAGE_RECORD: page_make_record(p, w, place->about, width); break;
	}
}

static void draw(struct dashboard *d, struct world *w, struct sheet *s)
{
	page_draw(page_of(d, w), d, w, s, list_of(d, 0), AREA_TOP, 0, s->columns, area_end(s) - AREA_TOP, true);
}

static bool act(struct dashboard *d, struct world *w, enum action a)
{
	if (a == ACTION_FIND_NEXT || a == ACTION_FIND_PREVIOUS)
		return page_find(d, w, a == ACTION_FIND_PREVIOUS), true;
	return false;
}

const struct view_part part_text = {
	.panes = 1, .reads = true, .count = page_count, .id = page_line_id, .draw = draw, .act = act
};
