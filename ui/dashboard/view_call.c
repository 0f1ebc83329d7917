/* SPDX-License-Identifier: MIT */
/*
 * view_call: one call: who hears whom, its audio along time, what was found with its proof, the audio that was
 * agreed, its messages.
 */
#include "ui/dashboard/page.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "captures/base/memory.h"
#include "ui/dashboard/call_pane.h"
#include "ui/hears.h"
#include "ui/unseen.h"
#include "ui/words.h"

enum { MESSAGES_SHOWN = 500 };

/* Roots first, the worst first, then what they explain. */
static size_t findings_of(const struct selection *s, const struct view_call *c, size_t found[32])
{
	size_t count = 0;

	for (int rank = RANK_CRITICAL; rank >= RANK_INFO; rank--)
		for (int explained = 0; explained < 2; explained++)
			for (unsigned i = 0; i < c->finding_count && i < 32; i++) {
				ptrdiff_t at = selection_finding(s, c->findings[i]);

				if (at != SELECTION_NONE && !s->findings[at].withdrawn &&
					(int)s->findings[at].rank == rank &&
					(s->findings[at].explained_by != 0) == explained)
					found[count++] = (size_t)at;
			}
	return count;
}

static void add_finding(struct page *p, struct world *w, size_t at, uint64_t call, unsigned width, bool whole)
{
	const struct selected_finding *x = &world_selection(w)->findings[at];
	const struct view_finding *f = world_view_finding(w, at);
	struct line *l;
	char text[200];

	if (!f)
		return;
	l = page_add(p, LINE_FINDING, PAINT_HEAD, f->title ? f->title : f->id);
	l->mark = (uint8_t)(rank_mark(x->rank) + 1);
	l->finding = at;
	l->id = world_finding_id(w, at);
	snprintf(text, sizeof text, "  %s%s%s   %s, %s%s", f->id, f->reason ? "/" : "", f->reason ? f->reason : "",
		f->severity, f->confidence, f->explained_by ? "   a consequence" : "");
	page_add(p, LINE_TEXT, PAINT_DIM, text);
	if (!whole)
		return;
	page_add_evidence(p, w, f, call, width);
	page_add_wrapped(p, width, "Fix", f->fix);
}

/* Where the stream was found, when not where it was promised; "" as promised. */
static const char *found_words(const struct view_direction *d)
{
	static const struct { const char *rule, *words; } known[] = {
		{ "B5", "goes back where the other direction comes from" },
		{ "B6", "at the promised address as it reads behind the NAT" },
		{ "B7", "the same packets as on the other side of the NAT" },
		{ "B8", "goes to another port than promised" },
		{ "B9", "goes to another address than promised" },
		{ "B10", "nothing but its sender says that it belongs here" },
	};

	for (size_t i = 0; d->bound_by && i < sizeof known / sizeof known[0]; i++) {
		if (strcmp(known[i].rule, d->bound_by) == 0)
			return known[i].words;
	}
	return "";
}

static void add_direction(struct page *p, unsigned width, const struct view_direction *d)
{
	char from[ENDPOINT_TEXT], to[ENDPOINT_TEXT], count[WORDS], due[WORDS];
	struct text t, where;

	text_init(&t);
	text_addf(&t, "%s to %s: %s → %s", d->kind ? d->kind : "media", d->sender ? "caller" : "callee",
		endpoint_text(&d->from, from), endpoint_text(&d->to, to));
	page_add(p, LINE_TEXT, PAINT_PLAIN, t.p);
	text_clear(&t);
	if (d->due_ms > 0)
		text_addf(&t, "    due %s, ", words_duration((int64_t)(d->due_ms * MILLISECOND_NS), due));
	else
		text_add(&t, "    not due, ");
	text_addf(&t, "%s seen", words_counted(d->packets, "packet", count));
	if (d->codec)
		text_addf(&t, ", %s", d->codec);
	if (d->loss_percent >= 0 && d->packets)
		text_addf(&t, ", %.1f %% lost", d->loss_percent);
	if (d->jitter_ms >= 0 && d->packets)
		text_addf(&t, ", jitter %.1f ms", d->jitter_ms);
	if (d->mos >= 0)
		text_addf(&t, ", MOS %.1f", d->mos);
	text_init(&where);
	text_add(&where, found_words(d));
	if (d->why)
		text_addf(&where, "%s%s", where.n ? "; " : "", unseen_words(d->why));
	if (where.n && text_columns(t.p) + 2 + text_columns(where.p) <= width) {
		text_addf(&t, "; %s", where.p);
		text_clear(&where);
	}
	page_add(p, LINE_TEXT, PAINT_DIM, t.p);
	page_add_wrapped(p, width, "", where.p);
	text_fini(&where);
	text_fini(&t);
}

static void add_legs(struct page *p, const struct view_call *c)
{
	char id[PARTY_BYTES];

	for (unsigned i = 0; i < c->leg_count; i++) {
		const struct view_leg *leg = &c->legs[i];
		char a[ENDPOINT_TEXT], b[ENDPOINT_TEXT];
		struct text t;

		text_init(&t);
		text_addf(&t, "leg %u  %s", i + 1, text_escape(leg->call_id, id, sizeof id));
		if (leg->joined_by)
			text_addf(&t, "   joined by %s", leg->joined_by);
		page_add(p, LINE_TEXT, PAINT_PLAIN, t.p);
		for (unsigned j = 0; j < leg->hop_count; j++) {
			text_clear(&t);
			text_addf(&t, "       %s ↔ %s", endpoint_text(&leg->hops[j].a, a),
				endpoint_text(&leg->hops[j].b, b));
			page_add(p, LINE_TEXT, PAINT_DIM, t.p);
		}
		text_fini(&t);
	}
}

static void add_messages(struct page *p, struct world *w, const struct call_row *r)
{
	struct view_message m;
	uint32_t before = 0;
	unsigned nth = 0;

	for (size_t i = 0; i < MESSAGES_SHOWN && view_message(w->engine, r->index, i, &m); i++) {
		char clock[NS_TEXT], from[ENDPOINT_TEXT], to[ENDPOINT_TEXT], frame[32];
		struct text t, words;
		struct line *l;

		nth = m.frame == before ? nth + 1 : 0;
		before = m.frame;
		text_init(&t);
		text_init(&words);
		message_words(&m, &words);
		text_addf(&t, "%s  %-18s %s → %s", ns_clock(m.at_ns, 3, clock), words.p, endpoint_text(&m.src, from),
			endpoint_text(&m.dst, to));
		l = page_add(p, LINE_MESSAGE, m.copy || m.retransmission ? PAINT_DIM : PAINT_PLAIN, t.p);
		snprintf(frame, sizeof frame, "frame %" PRIu32, m.frame);
		l->right = memory_text(frame);
		l->file = m.file;
		l->frame = m.frame;
		l->call = r->id;
		l->id = message_id(m.file, m.frame, nth) ^ UINT64_C(0x8000000000000000);
		text_fini(&words);
		text_fini(&t);
	}
}

static void add_nothing(struct page *p, const struct call_row *r)
{
	if (r->mark == MARK_UNKNOWN)
		page_add(p, LINE_TEXT, PAINT_UNKNOWN,
			"? nothing was found, but whether it was heard cannot be told from here");
	else if (r->mark == MARK_WARN)
		page_add(p, LINE_TEXT, PAINT_WARN, "! it is heard badly, but no finding says why");
	else
		page_add(p, LINE_TEXT, PAINT_GOOD,
			r->up ? "✓ nothing was found wrong with this call so far"
			      : "✓ nothing was found wrong with this call");
}

void page_make_call(struct page *p, struct dashboard *d, struct world *w, unsigned width)
{
	const struct call_row *r = world_call(w, place_of(d)->call);
	struct view_call *c;
	size_t found[32], count;

	if (!r) {
		page_add(p, LINE_TEXT, PAINT_DIM, "this call is not in this picture any more");
		return;
	}
	c = memory_zalloc(sizeof *c);
	view_call(w->engine, r->index, c);
	count = findings_of(world_selection(w), c, found);
	if (count == 0)
		add_nothing(p, r);
	for (size_t i = 0; i < count; i++)
		add_finding(p, w, found[i], r->id, width, i == 0 || world_selection(w)->findings[found[i]].problem);
	for (unsigned i = 0; i < c->note_count && !(w->numbers.live && r->up); i++)
		page_add(p, LINE_TEXT, PAINT_DIM, c->notes[i]);
	page_add(p, LINE_BAR, PAINT_PLAIN, "Audio as agreed and as seen");
	for (unsigned i = 0; i < c->media_count; i++)
		add_direction(p, width, &c->media[i]);
	page_add(p, LINE_BAR, PAINT_PLAIN, "Legs");
	add_legs(p, c);
	page_add(p, LINE_BAR, PAINT_PLAIN, "Messages");
	add_messages(p, w, r);
	free(c);
}

/* The message beside the list: the selected one, else the first that the proof names. */
static void draw_message(
	struct dashboard *d, struct world *w, struct sheet *s, unsigned row, unsigned column, unsigned rows)
{
	const struct line *x = page_selected(d, w);
	uint64_t call = place_of(d)->call, message = 0;

	if (x && x->frame)
		message = message_at(w, call, x->file, x->frame);
	if (!message)
		message = message_at(w, call, 0, 0);
	for (unsigned i = 0; i < rows; i++)
		sheet_text(s, row + i, column - 1, 1, PAINT_DIM, "│");
	message_draw(w, s, call, message, 0, row, column + 1, s->columns - column - 2, rows);
}

static void draw(struct dashboard *d, struct world *w, struct sheet *s)
{
	const struct page *p = page_of(d, w);
	unsigned top = call_head_draw(d, w, s, place_of(d)->call, AREA_TOP, 0, s->columns),
		 shown = area_end(s) > top ? area_end(s) - top : 0, width = s->columns;

	if (s->columns >= WIDE_COLUMNS) {
		width = s->columns / 2;
		draw_message(d, w, s, top, width + 1, shown);
	}
	page_draw(p, d, w, s, list_of(d, 0), top, 0, width, shown, false);
}

static bool act(struct dashboard *d, struct world *w, enum action a)
{
	const struct line *x = page_selected(d, w);

	if (a == ACTION_OPEN) {
		if (!page_open(d, w))
			open_ladder(d, place_of(d)->call, false);
		return true;
	}
	if (a == ACTION_RAW && x && x->frame) {
		open_frame(d, w, place_of(d)->call, x->file, x->frame);
		return true;
	}
	return page_move(d, w, a);
}

const struct view_part part_call = { .panes = 1, .count = page_count, .id = page_line_id, .draw = draw, .act = act };
