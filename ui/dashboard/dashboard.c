/* SPDX-License-Identifier: MIT */
/* dashboard: the state around the views: moving about, keys and mouse, what is drawn. */
#include "ui/dashboard/dashboard.h"

#include <stdarg.h>
#include <stdio.h>

#include "ui/dashboard/call_table.h"
#include "ui/dashboard/parts.h"
#include "ui/words.h"

enum { WHEEL_ROWS = 3 };

static const struct view_part *const parts[VIEW_COUNT] = {
	[VIEW_OVERVIEW] = &part_overview,
	[VIEW_CALLS] = &part_calls,
	[VIEW_FINDINGS] = &part_findings,
	[VIEW_STREAMS] = &part_streams,
	[VIEW_REGISTRATIONS] = &part_registrations,
	[VIEW_HOSTS] = &part_hosts,
	[VIEW_HISTORY] = &part_history,
	[VIEW_CALL] = &part_call,
	[VIEW_LADDER] = &part_ladder,
	[VIEW_RAW] = &part_raw,
	[VIEW_COMPARE] = &part_compare,
	[VIEW_PROBLEM] = &part_problem,
	[VIEW_TEXT] = &part_text,
};

const struct view_part *view_part(enum view v)
{
	return parts[v];
}

void dashboard_init(struct dashboard *d)
{
	*d = (struct dashboard){ .sort = COLUMN_NUMBER,
		.stream_sort = STREAM_SORT_CALL,
		.columns_on = call_columns_default(),
		.ladder = { .hide_sdp = true },
		.alarm_ns = NS_NONE };
	for (unsigned i = 0; i < VIEW_MAIN; i++)
		d->mains[i].view = (uint8_t)i;
	d->mains[VIEW_OVERVIEW].pane = UINT8_MAX; /* where there is something, once it is known */
	for (unsigned i = 0; i < CALL_COLUMNS; i++)
		d->column_order[i] = (uint8_t)i;
}

/* ---- places ---- */

struct place *place_of(struct dashboard *d)
{
	return d->depth ? &d->places[d->depth - 1] : &d->mains[d->main];
}

struct list *list_of(struct dashboard *d, unsigned pane)
{
	return &place_of(d)->lists[pane];
}

struct place *place_open(struct dashboard *d, enum view v)
{
	struct place from = *place_of(d), *p;

	if (d->depth == PLACE_MAX) { /* the one that was opened first is forgotten */
		memmove(d->places, d->places + 1, (PLACE_MAX - 1) * sizeof *d->places);
		d->depth--;
	}
	p = &d->places[d->depth++];
	*p = (struct place){ .view = (uint8_t)v, .call = from.call, .finding = from.finding };
	return p;
}

static void place_back(struct dashboard *d)
{
	if (d->depth)
		d->depth--;
	else
		d->main = VIEW_OVERVIEW;
}

void message_set(struct dashboard *d, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(d->message, sizeof d->message, format, args);
	va_end(args);
}

void hot_add(struct dashboard *d, unsigned row, unsigned column, unsigned width, uint32_t key)
{
	if (d->hot_count < HOT_MAX)
		d->hots[d->hot_count++] = (struct hot){ (uint16_t)row, (uint16_t)column, (uint16_t)width, key };
}

bool is_marked(const struct dashboard *d, uint64_t call)
{
	for (unsigned i = 0; i < d->mark_count; i++)
		if (d->marks[i] == call)
			return true;
	return false;
}

static void mark_turn(struct dashboard *d, uint64_t call)
{
	for (unsigned i = 0; i < d->mark_count; i++) {
		if (d->marks[i] == call) {
			d->marks[i] = d->marks[--d->mark_count];
			return;
		}
	}
	if (d->mark_count < MARK_MAX)
		d->marks[d->mark_count++] = call;
	else
		message_set(d, "%d calls can be marked at once", MARK_MAX);
}

/* ---- words that views share ---- */

enum paint mark_paint(enum call_mark m)
{
	static const enum paint paints[] = { [MARK_QUIET] = PAINT_DIM,
		[MARK_GOOD] = PAINT_GOOD,
		[MARK_UNKNOWN] = PAINT_UNKNOWN,
		[MARK_WARN] = PAINT_WARN,
		[MARK_BAD] = PAINT_BAD };

	return paints[m];
}

const char *mark_sign(enum call_mark m)
{
	static const char *const signs[] = {
		[MARK_QUIET] = "·", [MARK_GOOD] = "✓", [MARK_UNKNOWN] = "?", [MARK_WARN] = "!", [MARK_BAD] = "✗"
	};

	return signs[m];
}

enum call_mark rank_mark(enum rank r)
{
	return r == RANK_INFO ? MARK_QUIET : r == RANK_WARNING ? MARK_WARN : MARK_BAD;
}

const char *state_words(const char *state, bool up)
{
	return up && strcmp(state, "answered") == 0 ? "in call" : state;
}

const char *party_text(struct span s, const char *otherwise, char buffer[PARTY_BYTES])
{
	return s.n ? text_escape(s, buffer, PARTY_BYTES) : otherwise;
}

void bar_draw(struct sheet *s, unsigned row, unsigned column, unsigned width, const char *text, const char *right)
{
	unsigned taken = (unsigned)text_columns(right);

	sheet_fill(s, row, column, width, PAINT_PLAIN | STYLE_REVERSE, " ");
	sheet_text(s, row, column + 1, width > taken + 3 ? width - taken - 3 : 0, PAINT_PLAIN | STYLE_REVERSE, text);
	if (*right && width > taken + 2)
		sheet_right(s, row, column, width - 1, PAINT_PLAIN | STYLE_REVERSE, right);
}

void bar_alarm(struct sheet *s, unsigned row, unsigned column, unsigned width)
{
	for (unsigned i = 0; i < width && sheet_at(s, row, column + i); i++)
		sheet_at(s, row, column + i)->style = PAINT_BAD | STYLE_REVERSE;
}

const char *bar_range(const struct list *l, size_t count, char buffer[WORDS_RANGE])
{
	char a[TEXT_COUNT];

	buffer[0] = '\0';
	if (l->shown && count > l->shown)
		snprintf(buffer, WORDS_RANGE, "%u-%zu of %s", l->top + 1,
			l->top + l->shown < count ? (size_t)l->top + l->shown : count, text_count(count, a));
	return buffer;
}

void row_select(struct sheet *s, unsigned row, unsigned column, unsigned width)
{
	sheet_text(s, row, column, 1, PAINT_HEAD, "▸");
	sheet_mark(s, row, column, width, STYLE_REVERSE);
}

/* ---- opening ---- */

void open_call(struct dashboard *d, struct world *w, uint64_t call)
{
	struct place *p;

	if (!world_call(w, call)) {
		message_set(d, "that call is not in this picture");
		return;
	}
	if (d->enter_ladder) {
		open_ladder(d, call, true);
		return;
	}
	p = place_open(d, VIEW_CALL);
	p->call = call;
	p->finding = 0;
}

void open_ladder(struct dashboard *d, uint64_t call, bool extended)
{
	struct place *p = place_open(d, VIEW_LADDER);

	p->call = call;
	d->ladder.extended = extended;
	d->ladder.marked = d->mark_count > 1;
}

void open_problem(struct dashboard *d, struct world *w, size_t finding)
{
	struct place *p = place_open(d, VIEW_PROBLEM);

	p->finding = world_finding_id(w, finding);
	p->call = 0;
}

static void open_explain(struct dashboard *d, const char *id)
{
	struct place *p = place_open(d, VIEW_TEXT);

	p->page = PAGE_EXPLAIN;
	snprintf(p->about, sizeof p->about, "%s", id);
}

/* Of a file the picture knows best what time it is there. */
static void tell_capture(struct world *w)
{
	const struct view_capture *c = world_capture(w);

	if (w->numbers.live)
		return;
	w->numbers.now_ns = c->last_ns;
	w->numbers.length_ns = c->last_ns != NS_NONE && c->first_ns != NS_NONE ? ns_minus(c->last_ns, c->first_ns) : 0;
	if (!w->numbers.loading)
		w->numbers.frames = c->frames;
}

static bool too_small(struct sheet *s)
{
	if (s->rows >= LEAST_ROWS && s->columns >= LEAST_COLUMNS)
		return false;
	sheet_textf(s, 0, 0, s->columns, PAINT_PLAIN, "deadair needs %dx%d, this is %ux%u", LEAST_COLUMNS, LEAST_ROWS,
		s->columns, s->rows);
	return true;
}

static void draw_begin(struct dashboard *d, struct sheet *s)
{
	sheet_clear(s);
	d->rows = (uint16_t)s->rows;
	d->columns = (uint16_t)s->columns;
	d->hot_count = 0;
	d->unfinished = false;
}

static const char *empty_words(const struct numbers *n)
{
	if (n->live)
		return n->frames ? "reading; the first picture comes" : "no packet yet: cable or mirror?";
	if (n->note[0])
		return n->note;
	return n->loading ? "reading; the first picture comes" : "all is read; the picture comes";
}

/* Without the clock: another thread may be about to copy the process, and the time zone is under a lock. */
void dashboard_draw_empty(struct dashboard *d, const struct numbers *numbers, struct sheet *s)
{
	struct numbers n = *numbers;
	const char *words;
	unsigned half;

	draw_begin(d, s);
	if (too_small(s))
		return;
	n.now_ns = NS_NONE;
	frame_first(d, &n, s);
	frame_views(d, s);
	words = empty_words(&n);
	half = (unsigned)text_columns(words) / 2;
	sheet_text(s, s->rows / 2, s->columns / 2 > half ? s->columns / 2 - half : 0, s->columns, PAINT_DIM, words);
	sheet_text(s, s->rows - 1, 1, s->columns, PAINT_PLAIN, "q Quit");
}

/* ---- selection ---- */

static struct looking looking_at(struct dashboard *d, struct world *w, unsigned pane)
{
	return (struct looking){ d, w, pane };
}

static void sync_lists(struct dashboard *d, struct world *w)
{
	const struct view_part *part = view_part((enum view)place_of(d)->view);

	for (unsigned i = 0; i < part->panes; i++) {
		struct looking k = looking_at(d, w, i);

		list_sync(list_of(d, i), part->count(&k), !w->numbers.live, part->id, &k);
	}
	if (d->mains[VIEW_OVERVIEW].pane == UINT8_MAX)
		d->mains[VIEW_OVERVIEW].pane = world_selection(w)->problem_count == 0;
}

static void touch_lists(struct dashboard *d)
{
	for (unsigned i = 0; i < PANE_MAX; i++)
		list_touch(list_of(d, i));
}

static uint64_t first_call(struct world *w, ptrdiff_t finding)
{
	const struct view_finding *f = finding < 0 ? NULL : world_view_finding(w, (size_t)finding);
	const struct call_row *r = NULL;

	for (unsigned i = 0; f && i < f->call_id_count && !r; i++)
		r = world_call_numbered(w, f->call_numbers[i]);
	return r ? r->id : 0;
}

uint64_t selected_call(struct dashboard *d, struct world *w)
{
	const struct place *p = place_of(d);
	const struct call_row *r;
	struct looking k = looking_at(d, w, p->pane);

	if (d->depth && p->call)
		return p->call;
	if (p->view == VIEW_CALLS || (p->view == VIEW_OVERVIEW && p->pane == 1))
		return view_part((enum view)p->view)->count(&k) ? p->lists[p->pane].id : 0;
	if (p->view == VIEW_FINDINGS || (p->view == VIEW_OVERVIEW && p->pane == 0))
		return first_call(w, world_finding_find(w, p->lists[0].id));
	if (p->view == VIEW_STREAMS || (p->view == VIEW_OVERVIEW && p->pane == 2)) {
		size_t count;
		const struct stream_row *rows = world_streams(w, &count);

		for (size_t i = 0; i < count; i++)
			if (rows[i].id == p->lists[p->pane].id && (r = world_call_numbered(w, rows[i].call)))
				return r->id;
	}
	return 0;
}

/* ---- actions of the frame ---- */

/* What the finding of the selection is, or of the selected call. */
static void act_explain(struct dashboard *d, struct world *w)
{
	const struct place *p = place_of(d);
	const struct call_row *call;
	ptrdiff_t at = -1;

	if (p->view == VIEW_FINDINGS)
		at = world_finding_find(w, p->lists[0].id);
	else if (p->finding)
		at = world_finding_find(w, p->finding);
	else if (p->view == VIEW_OVERVIEW && p->pane == 0)
		at = world_finding_find(w, p->lists[0].id);
	call = world_call(w, selected_call(d, w));
	if (at >= 0)
		open_explain(d, world_selection(w)->findings[at].id);
	else if (call && call->problem)
		open_explain(d, call->problem);
	else
		message_set(d, "no finding is selected");
}

static void act_mark(struct dashboard *d, struct world *w)
{
	uint64_t call = selected_call(d, w);
	const struct view_part *part = view_part((enum view)place_of(d)->view);
	struct looking k = looking_at(d, w, place_of(d)->pane);

	if (!call)
		return;
	mark_turn(d, call);
	list_act(list_of(d, k.pane), part->count(&k), ACTION_DOWN, part->id, &k);
}

static void act_ladder(struct dashboard *d, struct world *w)
{
	uint64_t call = selected_call(d, w);

	if (call)
		open_ladder(d, call, true);
	else
		message_set(d, "no call is selected");
}

static void act_pause(struct dashboard *d, struct world *w)
{
	d->paused = !d->paused;
	d->frozen = w->numbers;
}

static void act_quit(struct dashboard *d, struct world *w)
{
	if (w->numbers.live || w->numbers.loading)
		prompt_open(d, w, PROMPT_QUIT);
	else
		d->quit = true;
}

static void act_filter_clear(struct dashboard *d)
{
	d->filter[0] = '\0';
	d->hide_ended = false;
}

/* The raw message of what is selected: the first of the call. */
static void act_raw(struct dashboard *d, struct world *w)
{
	uint64_t call = selected_call(d, w);

	if (call)
		open_frame(d, w, call, 0, 0);
}

static void next_pane(struct dashboard *d, struct world *w, unsigned by)
{
	struct place *p = place_of(d);
	const struct view_part *part = view_part((enum view)p->view);

	for (unsigned i = 0; i < part->panes; i++) {
		struct looking k;

		p->pane = (uint8_t)((p->pane + by) % part->panes);
		k = looking_at(d, w, p->pane);
		if (part->count(&k))
			return;
	}
}

static bool frame_act(struct dashboard *d, struct world *w, enum action a)
{
	switch ((int)a) {
	case ACTION_BACK: place_back(d); break;
	case ACTION_QUIT: act_quit(d, w); break;
	case ACTION_NEXT_PANE: next_pane(d, w, 1); break;
	case ACTION_PREVIOUS_PANE: next_pane(d, w, view_part((enum view)place_of(d)->view)->panes - 1u); break;
	case ACTION_MARK: act_mark(d, w); break;
	case ACTION_FILTER: prompt_open(d, w, PROMPT_FILTER); break;
	case ACTION_FILTER_CLEAR: act_filter_clear(d); break;
	case ACTION_FIND: prompt_open(d, w, PROMPT_FIND); break;
	case ACTION_GO: prompt_open(d, w, PROMPT_GO); break;
	case ACTION_SAVE: prompt_open(d, w, PROMPT_SAVE); break;
	case ACTION_SETTINGS: prompt_open(d, w, PROMPT_SETTINGS); break;
	case ACTION_COLUMNS: prompt_open(d, w, PROMPT_COLUMNS); break;
	case ACTION_HELP: {
		uint8_t about = place_of(d)->view;
		struct place *p = place_open(d, VIEW_TEXT);

		p->page = PAGE_HELP;
		p->about[0] = (char)about;
		break;
	}
	case ACTION_FACTS: place_open(d, VIEW_TEXT)->page = PAGE_FACTS; break;
	case ACTION_EXPLAIN: act_explain(d, w); break;
	case ACTION_LADDER: act_ladder(d, w); break;
	case ACTION_RAW: act_raw(d, w); break;
	case ACTION_PAUSE: act_pause(d, w); break;
	case ACTION_HIDE_ENDED: d->hide_ended = !d->hide_ended; break;
	case ACTION_NAMES: d->names = !d->names; break;
	case ACTION_COPY: d->copy_wanted = true; break;
	case ACTION_REDRAW: d->redraw = true; break;
	default: return false;
	}
	return true;
}

static void text_move(
	struct dashboard *d, size_t count, enum action a, const struct view_part *part, const struct looking *k)
{
	struct list *l = list_of(d, k->pane);
	int page = l->shown > 1 ? l->shown - 1 : 1;

	switch ((int)a) {
	case ACTION_UP: list_scroll(l, count, -1, part->id, k); break;
	case ACTION_DOWN: list_scroll(l, count, 1, part->id, k); break;
	case ACTION_PAGE_UP: list_scroll(l, count, -page, part->id, k); break;
	case ACTION_PAGE_DOWN: list_scroll(l, count, page, part->id, k); break;
	case ACTION_HALF_UP: list_scroll(l, count, -page / 2 - 1, part->id, k); break;
	case ACTION_HALF_DOWN: list_scroll(l, count, page / 2 + 1, part->id, k); break;
	case ACTION_FIRST: list_scroll(l, count, -(int)count, part->id, k); break;
	case ACTION_LAST: list_scroll(l, count, (int)count, part->id, k); break;
	default: break;
	}
}

static void act(struct dashboard *d, struct world *w, enum action a)
{
	struct place *p = place_of(d);
	const struct view_part *part = view_part((enum view)p->view);
	struct looking k = looking_at(d, w, p->pane);
	size_t count = part->count(&k);

	if (a == ACTION_NONE || (part->act && part->act(d, w, a)))
		return;
	if (part->reads && a != ACTION_OPEN && !frame_act(d, w, a))
		text_move(d, count, a, part, &k);
	else if (!part->reads && !list_act(list_of(d, p->pane), count, a, part->id, &k))
		frame_act(d, w, a);
}

static void view_go(struct dashboard *d, unsigned main)
{
	if (main < VIEW_MAIN) {
		d->main = (uint8_t)main;
		d->depth = 0;
	}
}

static void take_key(struct dashboard *d, struct world *w, uint32_t key)
{
	enum view v = (enum view)place_of(d)->view;
	enum action a;

	d->message[0] = '\0';
	d->greeted = true;
	if (key == KEY_CTRL_C) {
		d->quit = true;
		return;
	}
	if (key >= HOT_VIEW && key < HOT_VIEW + VIEW_MAIN) {
		view_go(d, key - HOT_VIEW);
		return;
	}
	if (key >= HOT_SORT && key < HOT_SORT + CALL_COLUMNS) {
		d->sort_down = d->sort == key - HOT_SORT && !d->sort_down;
		d->sort = (uint8_t)(key - HOT_SORT);
		return;
	}
	if (prompt_key(d, w, key))
		return;
	a = key_action(key, v);
	if (a == ACTION_VIEW)
		view_go(d, key - '1');
	else
		act(d, w, a);
	if (a != ACTION_FOLLOW && a != ACTION_NONE && a != ACTION_PAUSE)
		d->follow = false;
}

/* ---- the mouse ---- */

static int pane_at(struct dashboard *d, unsigned row, unsigned column)
{
	const struct view_part *part = view_part((enum view)place_of(d)->view);

	for (unsigned i = 0; i < part->panes; i++) {
		const struct list *l = list_of(d, i);

		if (row >= l->row && row < (unsigned)l->row + l->shown && column >= l->column &&
			column < (unsigned)l->column + l->width)
			return (int)i;
	}
	return -1;
}

static void take_click(struct dashboard *d, struct world *w, const struct dashboard_event *e)
{
	const struct view_part *part = view_part((enum view)place_of(d)->view);
	struct looking k;
	struct list *l;
	int pane;

	for (unsigned i = 0; i < d->hot_count; i++) {
		const struct hot *h = &d->hots[i];

		if (e->row == h->row && e->column >= h->column && e->column < h->column + h->width) {
			take_key(d, w, h->key);
			return;
		}
	}
	pane = d->prompt ? -1 : pane_at(d, e->row, e->column);
	if (pane < 0 || part->reads)
		return;
	k = looking_at(d, w, (unsigned)pane);
	l = list_of(d, (unsigned)pane);
	place_of(d)->pane = (uint8_t)pane;
	list_select(l, part->count(&k), (size_t)l->top + e->row - l->row, part->id, &k);
	if (e->kind == EVENT_DOUBLE_CLICK)
		act(d, w, ACTION_OPEN);
}

static void take_wheel(struct dashboard *d, struct world *w, const struct dashboard_event *e)
{
	const struct view_part *part = view_part((enum view)place_of(d)->view);
	int pane = pane_at(d, e->row, e->column);
	struct looking k = looking_at(d, w, pane < 0 ? place_of(d)->pane : (unsigned)pane);

	list_scroll(list_of(d, k.pane), part->count(&k), e->kind == EVENT_WHEEL_UP ? -WHEEL_ROWS : WHEEL_ROWS, part->id,
		&k);
}

void dashboard_key(struct dashboard *d, struct world *w, const struct dashboard_event *e)
{
	world_slice(w);
	d->ring = d->redraw = false;
	d->copy[0] = '\0';
	sync_lists(d, w);
	if (e->kind != EVENT_NONE)
		touch_lists(d);
	switch ((enum event_kind)e->kind) {
	case EVENT_NONE: break;
	case EVENT_KEY: take_key(d, w, e->key); break;
	case EVENT_CLICK:
	case EVENT_DOUBLE_CLICK: take_click(d, w, e); break;
	case EVENT_WHEEL_UP:
	case EVENT_WHEEL_DOWN: take_wheel(d, w, e); break;
	}
}

/* ---- drawing ---- */

/* A new problem is seen, and rings, where that is wished. */
static void watch_problems(struct dashboard *d, struct world *w)
{
	size_t now = world_selection(w)->problem_count;

	if (d->looked && now > d->problems_seen) {
		d->ring |= d->bell;
		d->alarm_ns = w->numbers.live ? w->numbers.now_ns : NS_NONE;
	}
	d->looked = true;
	d->problems_seen = (uint32_t)now;
}

/* The row as it stands there, for the clipboard. */
static void copy_row(struct dashboard *d, struct sheet *s)
{
	const struct list *l = list_of(d, place_of(d)->pane);
	unsigned row = l->row + l->at - l->top;
	struct text t;

	d->copy_wanted = false;
	text_init(&t);
	for (unsigned i = l->column; i < (unsigned)l->column + l->width && sheet_at(s, row, i); i++)
		text_add(&t, sheet_at(s, row, i)->text);
	while (t.n && t.p[t.n - 1] == ' ')
		t.p[--t.n] = '\0';
	snprintf(d->copy, sizeof d->copy, "%.*s", (int)sizeof d->copy - 1, t.p + strspn(t.p, " "));
	message_set(d, "copied");
	text_fini(&t);
}

static void greet(struct dashboard *d)
{
	if (!d->greeted)
		message_set(d, "Enter opens, Esc goes back, ? helps");
}

void dashboard_draw(struct dashboard *d, struct world *w, struct sheet *s)
{
	draw_begin(d, s);
	if (too_small(s))
		return;
	world_slice(w);
	sync_lists(d, w);
	watch_problems(d, w);
	greet(d);
	tell_capture(w);
	frame_first(d, &w->numbers, s);
	frame_views(d, s);
	view_part((enum view)place_of(d)->view)->draw(d, w, s);
	if (d->copy_wanted)
		copy_row(d, s);
	frame_footer(d, s);
	frame_message(d, s);
	prompt_draw(d, w, s);
}
