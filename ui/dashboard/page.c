/* SPDX-License-Identifier: MIT */
/* page: lines, their drawing, stepping into them. */
#include "ui/dashboard/page.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "captures/base/memory.h"
#include "ui/dashboard/call_table.h"
#include "ui/dashboard/view_ladder.h"
#include "ui/report_part.h"
#include "ui/words.h"

enum { LABEL_END = BLOCK_INDENT + BLOCK_LABEL_COLUMNS };

static void page_clear(struct page *p)
{
	for (size_t i = 0; i < p->count; i++) {
		free(p->lines[i].text);
		free(p->lines[i].right);
		free(p->lines[i].record);
	}
	free(p->lines);
	*p = (struct page){ .key = 0 };
}

void page_free(struct page *p)
{
	if (!p)
		return;
	page_clear(p);
	free(p);
}

struct line *page_add(struct page *p, enum line_kind kind, unsigned style, const char *text)
{
	struct line *l;

	if ((p->count & (p->count - 1)) == 0)
		p->lines = memory_resize(p->lines, p->count ? p->count * 2 : 1, sizeof *p->lines);
	l = &p->lines[p->count++];
	*l = (struct line){ .kind = (uint8_t)kind, .style = (uint8_t)style, .text = memory_text(text), .id = p->count };
	return l;
}

/* "  Cause    The ...": the report's labels. */
static unsigned label_of(const char *line)
{
	return line[0] == ' ' && line[1] == ' ' && line[2] >= 'A' && line[2] <= 'Z' && strlen(line) > LABEL_END &&
			line[LABEL_END - 1] == ' '
		? LABEL_END
		: 0;
}

void page_add_out(struct page *p, const struct out *o)
{
	const char *line = o->text.p;

	for (const char *end; (end = strchr(line, '\n')); line = end + 1) {
		struct text one;

		text_init(&one);
		text_addf(&one, "%.*s", (int)(end - line), line);
		page_add(p, LINE_TEXT, PAINT_PLAIN, one.p)->label = (uint8_t)label_of(one.p);
		text_fini(&one);
	}
}

void page_add_wrapped(struct page *p, unsigned width, const char *label, const char *text)
{
	struct out o;

	if (!text || !*text)
		return;
	out_init(&o, -1);
	o.columns = width;
	out_paragraph(&o, BLOCK_INDENT, label, BLOCK_LABEL_COLUMNS, PAINT_PLAIN, text);
	page_add_out(p, &o);
	out_fini(&o);
}

static void frames_words(const struct world *w, const struct view_evidence *e, struct text *t)
{
	if (e->frame == 0)
		return;
	if (w->file_count > 1)
		text_addf(t, "file %u, ", e->file + 1);
	if (e->last_frame > e->frame)
		text_addf(t, "frames %" PRIu32 "-%" PRIu32, e->frame, e->last_frame);
	else
		text_addf(t, "frame %" PRIu32, e->frame);
}

/* What is too long goes on below itself and leads to the same frame. */
void page_add_evidence(struct page *p, struct world *w, const struct view_finding *f, uint64_t call, unsigned width)
{
	for (unsigned i = 0; i < f->evidence_count; i++) {
		const struct view_evidence *e = &f->evidence[i];
		struct text frames;
		struct out o;
		size_t first = p->count;
		char label[16];

		if (!e->what)
			continue;
		text_init(&frames);
		out_init(&o, -1);
		frames_words(w, e, &frames);
		snprintf(label, sizeof label, "%u ", i + 1);
		o.columns = width > text_columns(frames.p) + 24 ? width - (unsigned)text_columns(frames.p) - 4 : 20;
		out_paragraph(&o, 0, label, (unsigned)strlen(label), PAINT_PLAIN, e->what);
		page_add_out(p, &o);
		for (size_t k = first; k < p->count; k++) {
			struct line *l = &p->lines[k];

			l->kind = k == first ? LINE_EVIDENCE : LINE_TEXT;
			l->file = e->file;
			l->frame = e->frame;
			l->call = call;
			l->id = identity_of(e->what, strlen(e->what), call ^ e->frame ^ (k - first));
		}
		p->lines[first].right = memory_text(frames.p);
		out_fini(&o);
		text_fini(&frames);
	}
}

/* ---- which page ---- */

static uint64_t key_of(struct dashboard *d, unsigned width)
{
	struct place p = *place_of(d);
	uint64_t key;

	memset(p.lists, 0, sizeof p.lists);
	p.pane = 0;
	key = identity_of(&p, sizeof p, width);
	return key ^ (uint64_t)d->equal << 1 ^ (uint64_t)d->names << 2 ^ (uint64_t)d->history_runs << 3 ^
		(uint64_t)d->trend << 4;
}

static unsigned page_width(const struct dashboard *d, enum view v)
{
	unsigned width = d->columns ? d->columns : 80;

	if (v == VIEW_COMPARE || v == VIEW_RAW)
		return width;
	return width >= WIDE_COLUMNS ? width / 2 : width;
}

static void page_make(struct page *p, struct dashboard *d, struct world *w, enum view v, unsigned width)
{
	switch ((int)v) {
	case VIEW_PROBLEM: page_make_problem(p, d, w, width); break;
	case VIEW_CALL: page_make_call(p, d, w, width); break;
	case VIEW_RAW: page_make_raw(p, d, w, width); break;
	case VIEW_COMPARE: page_make_compare(p, d, w, width); break;
	case VIEW_TEXT: page_make_text(p, d, w, width); break;
	case VIEW_HISTORY: page_make_history(p, d, w); break;
	default: break; /* the others are no pages */
	}
}

const struct page *page_of(struct dashboard *d, struct world *w)
{
	enum view v = (enum view)place_of(d)->view;
	unsigned width = page_width(d, v);
	uint64_t key = key_of(d, width);

	if (!w->page)
		w->page = memory_zalloc(sizeof *w->page);
	if (w->page->key != key) {
		page_clear(w->page);
		page_make(w->page, d, w, v, width);
		w->page->key = key;
	}
	return w->page;
}

/* ---- in a list ---- */

size_t page_count(const struct looking *k)
{
	return page_of(k->d, k->w)->count;
}

uint64_t page_line_id(const void *context, size_t row)
{
	const struct looking *k = context;

	return page_of(k->d, k->w)->lines[row].id;
}

static bool holds_found(const struct dashboard *d, const char *text)
{
	return d->find[0] && span_find_text_nocase(span_of(text), span_of(d->find)) < strlen(text);
}

static void draw_line(const struct line *x, struct dashboard *d, struct world *w, struct sheet *s, unsigned row,
	unsigned column, unsigned width)
{
	unsigned right = x->right ? (unsigned)text_columns(x->right) : 0,
		 room = right ? width > right + 3 ? width - right - 3 : 0 : width - 1, at = column + 1;
	const struct call_row *call;
	struct call_table t;

	if (x->kind == LINE_CALL && (call = world_call(w, x->call))) {
		call_table_lay(&t, w, call_columns_default(), NULL, 0, column, width);
		call_table_row(&t, d, w, s, row, call);
		return;
	}
	if (x->kind == LINE_BAR) {
		bar_draw(s, row, column, width, x->text, x->right ? x->right : "");
		return;
	}
	if (x->mark) {
		sheet_text(s, row, at, 1, mark_paint((enum call_mark)(x->mark - 1)),
			mark_sign((enum call_mark)(x->mark - 1)));
		at += 2;
		room = room > 2 ? room - 2 : 0;
	}
	sheet_text(s, row, at, room, x->style | (holds_found(d, x->text) ? STYLE_UNDERLINE : 0), x->text);
	if (x->label)
		for (unsigned i = 0; i < x->label && sheet_at(s, row, at + i); i++)
			sheet_at(s, row, at + i)->style = PAINT_HEAD;
	if (right)
		sheet_right(s, row, column, width - 1, PAINT_PLAIN, x->right);
}

static bool can_be_opened(const struct line *l)
{
	return l->kind != LINE_TEXT && l->kind != LINE_BAR;
}

bool page_move(struct dashboard *d, struct world *w, enum action a)
{
	const struct page *p = page_of(d, w);
	struct list *l = list_of(d, 0);
	struct looking k = { d, w, 0 };
	int by = a == ACTION_UP ? -1 : 1;

	if (a != ACTION_UP && a != ACTION_DOWN)
		return false;
	for (int64_t at = (int64_t)l->at + by; at >= 0 && at < (int64_t)p->count; at += by) {
		if ((uint64_t)(by > 0 ? at - l->at : l->at - at) > l->shown)
			break;
		if (can_be_opened(&p->lines[at])) {
			list_select(l, p->count, (size_t)at, page_line_id, &k);
			return true;
		}
	}
	list_scroll(l, p->count, by, page_line_id, &k);
	return true;
}

/* A page that is new to the reader: the first thing to step into, where it is in sight. */
static void select_first(const struct page *p, struct dashboard *d, struct world *w, struct list *l, unsigned shown)
{
	struct looking k = { d, w, 0 };

	for (size_t i = 0; i < p->count && i < shown; i++) {
		if (can_be_opened(&p->lines[i]) && p->lines[i].kind != LINE_FINDING) {
			list_select(l, p->count, i, page_line_id, &k);
			return;
		}
	}
}

void page_draw(const struct page *p, struct dashboard *d, struct world *w, struct sheet *s, struct list *l,
	unsigned row, unsigned column, unsigned width, unsigned shown, bool reads)
{
	bool fresh = !reads && !l->sized;

	list_place(l, p->count, row, column, width, shown);
	if (fresh)
		select_first(p, d, w, l, shown);
	for (unsigned i = 0; i < shown && l->top + i < p->count; i++) {
		draw_line(&p->lines[l->top + i], d, w, s, row + i, column, width);
		if (!reads && l->top + i == l->at)
			row_select(s, row + i, column, width);
	}
}

const struct line *page_selected(struct dashboard *d, struct world *w)
{
	const struct page *p = page_of(d, w);
	const struct list *l = list_of(d, 0);

	return l->at < p->count ? &p->lines[l->at] : NULL;
}

bool page_open(struct dashboard *d, struct world *w)
{
	const struct line *x = page_selected(d, w);

	if (!x)
		return false;
	switch ((enum line_kind)x->kind) {
	case LINE_TEXT:
	case LINE_BAR:
	case LINE_RECORD: return false;
	case LINE_EVIDENCE:
	case LINE_MESSAGE:
		if (x->frame && x->call)
			open_frame(d, w, x->call, x->file, x->frame);
		else
			message_set(d,
				x->frame ? "that frame belongs to no call"
					 : "this stands for what is not there: no frame shows it");
		return true;
	case LINE_FINDING: open_problem(d, w, x->finding); return true;
	case LINE_CALL: open_call(d, w, x->call); return true;
	}
	return false;
}

bool page_find(struct dashboard *d, struct world *w, bool back)
{
	const struct page *p = page_of(d, w);
	struct list *l = list_of(d, 0);
	bool reads = view_part((enum view)place_of(d)->view)->reads;
	size_t from = reads ? l->top : l->at;
	struct looking k = { d, w, 0 };

	for (size_t i = 1; i <= p->count; i++) {
		size_t at = back ? (from + p->count - i) % p->count : (from + i) % p->count;

		if (!holds_found(d, p->lines[at].text))
			continue;
		list_select(l, p->count, at, page_line_id, &k);
		if (reads)
			l->top = (uint32_t)at;
		return true;
	}
	message_set(d, "not found: %s", d->find);
	return false;
}

/* ---- messages ---- */

uint64_t message_id(uint16_t file, uint32_t frame, unsigned nth)
{
	return ((uint64_t)file << 48 | (uint64_t)frame << 8 | (nth & 0xff)) + 1;
}

static bool message_each(struct world *w, uint64_t call, uint64_t id, unsigned file, uint32_t frame,
	struct view_message *m, uint64_t *ret_id)
{
	const struct call_row *row = world_call(w, call);
	uint16_t before_file = 0;
	uint32_t before_frame = 0;
	unsigned nth = 0;

	for (size_t i = 0; row && view_message(w->engine, row->index, i, m); i++) {
		nth = m->frame == before_frame && m->file == before_file ? nth + 1 : 0;
		before_frame = m->frame;
		before_file = m->file;
		*ret_id = message_id(m->file, m->frame, nth);
		if (id ? *ret_id == id : frame == 0 || (m->frame == frame && m->file == file))
			return true;
	}
	return false;
}

bool message_get(struct world *w, uint64_t call, uint64_t id, struct view_message *ret)
{
	uint64_t found;

	return id && message_each(w, call, id, 0, 0, ret, &found);
}

uint64_t message_at(struct world *w, uint64_t call, unsigned file, uint32_t frame)
{
	struct view_message m;
	uint64_t found;

	return message_each(w, call, 0, file, frame, &m, &found) ? found : 0;
}

bool message_says(const struct view_message *m, struct span line)
{
	for (struct span left = m->raw; left.n;) {
		size_t n = span_find(left, '\n');
		struct span one = span_first(left, n);

		if (one.n && one.p[one.n - 1] == '\r')
			one.n--;
		if (span_equal(one, line))
			return true;
		left = n < left.n ? span_from(left, n + 1) : (struct span){ NULL, 0 };
	}
	return false;
}

void message_words(const struct view_message *m, struct text *t)
{
	if (m->status)
		text_addf(t, "%u ", m->status);
	text_add_escaped(t, m->status ? m->reason : m->method);
	text_add(t, m->sdp ? " SDP" : "");
	text_add(t, m->retransmission ? " again" : "");
}

void open_frame(struct dashboard *d, struct world *w, uint64_t call, unsigned file, uint32_t frame)
{
	uint64_t message = message_at(w, call, file, frame);
	struct place *p;

	if (!message) {
		open_ladder(d, call, true);
		ladder_seek(d, w, file, frame);
		return;
	}
	p = place_open(d, VIEW_RAW);
	p->call = call;
	p->messages[0] = message;
	p->message_calls[0] = call;
}
