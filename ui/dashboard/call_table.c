/* SPDX-License-Identifier: MIT */
/* call_table: laying columns out, drawing rows. */
#include "ui/dashboard/call_table.h"

#include <stdio.h>

#include "ui/dashboard/lane.h"
#include "ui/hears.h"
#include "ui/status_words.h"
#include "ui/words.h"

/* clang-format off */
static const struct column_form {
	const char *name, *head;
	bool right;
	uint8_t width, least;        /* width 0: as its texts */
	uint8_t leave_out;           /* 1 first; 0 never */
	uint8_t gap;                 /* behind it */
} forms[CALL_COLUMNS] = {
	[COLUMN_NUMBER] = { "number", "#", true, 0, 3, 0, 1 },
	[COLUMN_START] = { "start", "start", false, 8, 8, 11, 1 },
	[COLUMN_FROM] = { "from", "from", false, 0, 5, 0, 1 },
	[COLUMN_TO] = { "to", "to", false, 0, 5, 0, 1 },
	[COLUMN_STATE] = { "state", "state", false, 0, 7, 0, 1 },
	[COLUMN_TALK] = { "talk", "talk", true, 5, 5, 12, 1 },
	[COLUMN_CALLER] = { "caller hears", "caller hears", false, 13, 7, 0, 1 },
	[COLUMN_CALLEE] = { "callee hears", "callee hears", false, 13, 7, 0, 1 },
	[COLUMN_CODEC] = { "codec", "codec", false, 6, 6, 7, 1 },
	[COLUMN_LOSS] = { "loss", "loss", true, 7, 7, 8, 1 },
	[COLUMN_JITTER] = { "jitter", "jitter", true, 8, 8, 9, 1 },
	[COLUMN_PROBLEM] = { "problem", "problem", false, 20, 12, 10, 1 },
	[COLUMN_SETUP] = { "setup time", "setup", true, 7, 7, 1, 1 },
	[COLUMN_STATUS] = { "final status", "code", true, 4, 4, 2, 1 },
	[COLUMN_FROM_AT] = { "caller's address", "from address", false, 21, 15, 3, 1 },
	[COLUMN_TO_AT] = { "callee's address", "to address", false, 21, 15, 3, 1 },
	[COLUMN_FROM_AGENT] = { "caller's device", "from device", false, 20, 10, 4, 1 },
	[COLUMN_TO_AGENT] = { "callee's device", "to device", false, 20, 10, 4, 1 },
	[COLUMN_CALL_ID] = { "Call-ID", "Call-ID", false, 24, 12, 5, 1 },
};
/* clang-format on */

enum { PARTY_MOST = 16, SIGN_COLUMNS = 3, SHORT_COLUMNS = 6, PROBLEM_BESIDE_LANES = 7, LEAST_PHRASE = 5 };

void call_table_empty(const struct call_table *t, const struct world *w, size_t count, struct sheet *s, unsigned row)
{
	const char *words = count                       ? "no call is like that: F9 clears the filter"
		: w->numbers.live || w->numbers.loading ? "no call yet"
							: "no call is in this capture";

	sheet_text(s, row, t->column + 2, t->width, PAINT_DIM, words);
}

const char *call_column_name(enum call_column c)
{
	return forms[c].name;
}

uint64_t call_columns_default(void)
{
	uint64_t bits = 0;

	for (unsigned i = COLUMN_NUMBER; i <= COLUMN_PROBLEM; i++)
		bits |= UINT64_C(1) << i;
	return bits;
}

/* "in call", "ended", "failed 503" */
static const char *state_of(const struct call_row *r, char buffer[PARTY_BYTES])
{
	if (strcmp(r->state, "failed") != 0 || !r->status)
		return state_words(r->state, r->up);
	snprintf(buffer, PARTY_BYTES, "failed %u", r->status);
	return buffer;
}

/* As wide as the longest of all calls: what scrolls in does not move the others. */
static unsigned text_width(struct world *w, enum call_column which)
{
	size_t count, most = strlen(forms[which].head);
	const struct call_row *rows = world_calls(w, &count);
	char buffer[PARTY_BYTES], number[16];

	for (size_t i = 0; i < count; i++) {
		size_t n = which == COLUMN_FROM ? rows[i].from.n : which == COLUMN_TO ? rows[i].to.n : 0;

		if (which == COLUMN_STATE)
			n = strlen(state_of(&rows[i], buffer));
		else if (which == COLUMN_NUMBER)
			n = (size_t)snprintf(number, sizeof number, "%u", rows[i].n);
		else if (n > most && n < PARTY_MOST)
			n = text_columns(party_text(which == COLUMN_FROM ? rows[i].from : rows[i].to, "", buffer));
		most = n > most ? n : most;
	}
	return (unsigned)(which == COLUMN_NUMBER ? (most < 3 ? 3 : most) : most < PARTY_MOST ? most : PARTY_MOST);
}

static bool is_hearing(enum call_column c)
{
	return c == COLUMN_CALLER || c == COLUMN_CALLEE;
}

static unsigned table_width(const struct call_table *t)
{
	unsigned all = SIGN_COLUMNS;

	for (unsigned i = 0; i < t->count; i++)
		all += t->columns[i].width + forms[t->columns[i].which].gap;
	return all ? all - 1 : 0;
}

static bool leave_one_out(struct call_table *t)
{
	unsigned first = UINT8_MAX, at = 0;

	for (unsigned i = 0; i < t->count; i++) {
		unsigned rank = forms[t->columns[i].which].leave_out;

		if (rank && rank < first) {
			first = rank;
			at = i;
		}
	}
	if (first == UINT8_MAX)
		return false;
	t->count--;
	memmove(&t->columns[at], &t->columns[at + 1], (t->count - at) * sizeof t->columns[0]);
	return true;
}

static struct call_table_column *column_find(struct call_table *t, enum call_column which)
{
	for (unsigned i = 0; i < t->count; i++)
		if (t->columns[i].which == which)
			return &t->columns[i];
	return NULL;
}

/* One column less for the widest that may be narrower. */
static bool shrink_one(struct call_table *t)
{
	struct call_table_column *widest = NULL;

	for (unsigned i = 0; i < t->count; i++)
		if (t->columns[i].width > forms[t->columns[i].which].least && !is_hearing(t->columns[i].which) &&
			(!widest || t->columns[i].width > widest->width))
			widest = &t->columns[i];
	if (widest)
		widest->width--;
	return widest != NULL;
}

static void set_hearing(struct call_table *t, unsigned lane)
{
	t->lane = lane;
	for (unsigned i = 0; i < t->count; i++)
		if (is_hearing(t->columns[i].which))
			t->columns[i].width = lane ? lane + 1 + SHORT_COLUMNS : 13;
}

/* Start first, then codec, jitter, loss; then the lanes; then what is left. */
static void make_fit(struct call_table *t)
{
	struct call_table_column *problem;

	while (table_width(t) > t->width) {
		unsigned lane = t->lane;
		bool lanes_next = true;

		for (unsigned i = 0; i < t->count; i++)
			lanes_next &=
				forms[t->columns[i].which].leave_out == 0 || forms[t->columns[i].which].leave_out > 9;
		problem = column_find(t, COLUMN_PROBLEM);
		if (lanes_next && problem &&
			problem->width > (lane ? PROBLEM_BESIDE_LANES : forms[COLUMN_PROBLEM].least))
			problem->width--;
		else if (lanes_next && lane)
			set_hearing(t, lane > 8 ? 8 : lane > 6 ? 6 : lane > 4 ? 4 : 0);
		else if (!leave_one_out(t) && !shrink_one(t))
			return;
	}
}

/* What is left over goes to the words of the problem. */
static void spread(struct call_table *t)
{
	struct call_table_column *problem = column_find(t, COLUMN_PROBLEM);
	unsigned used = table_width(t);

	if (problem && used < t->width)
		problem->width += t->width - used < 10 ? t->width - used : 10;
}

void call_table_lay(struct call_table *t, struct world *w, uint64_t wanted, const uint8_t order[CALL_COLUMNS],
	unsigned lanes, unsigned column, unsigned width)
{
	unsigned at = column + SIGN_COLUMNS;

	*t = (struct call_table){ .column = column, .width = width, .lane = lanes };
	for (unsigned i = 0; i < CALL_COLUMNS; i++) {
		enum call_column which = order ? (enum call_column)order[i] : (enum call_column)i;

		if (which < CALL_COLUMNS && wanted >> which & 1)
			t->columns[t->count++] = (struct call_table_column){ which, 0,
				forms[which].width ? forms[which].width : text_width(w, which) };
	}
	set_hearing(t, lanes);
	make_fit(t);
	spread(t);
	for (unsigned i = 0; i < t->count; i++) {
		t->columns[i].at = at;
		at += t->columns[i].width + forms[t->columns[i].which].gap;
	}
}

void call_table_head(const struct call_table *t, struct dashboard *d, struct sheet *s, unsigned row)
{
	for (unsigned i = 0; i < t->count; i++) {
		const struct call_table_column *c = &t->columns[i];
		const struct column_form *f = &forms[c->which];
		bool sorted = t->shows_sort && d->sort == c->which;
		char head[32];

		snprintf(head, sizeof head, "%s%s%s", f->head,
			sorted && text_columns(f->head) + 2 <= c->width ? " " : "",
			sorted ? d->sort_down ? "▼" : "▲" : "");
		if (f->right)
			sheet_right(s, row, c->at, c->width, PAINT_DIM, head);
		else
			sheet_text(s, row, c->at, c->width, PAINT_DIM, head);
		if (t->shows_sort)
			hot_add(d, row, c->at, c->width, HOT_SORT + c->which);
	}
}

static bool is_held(const struct view_call *c, unsigned hearer, int64_t now_ns)
{
	for (unsigned i = 0; i < c->media_count; i++) {
		const struct view_direction *m = &c->media[i];
		const struct view_window *last = m->window_count ? &m->windows[m->window_count - 1] : NULL;

		if (m->sender != hearer && m->kind && strcmp(m->kind, "audio") == 0 && last && !last->due &&
			last->to_ns >= now_ns)
			return true;
	}
	return false;
}

/* "✗ none", "✓ 4.4", "✓ yes" without a score: behind a lane there is no room for more. */
static const char *hears_short(const struct view_call *c, unsigned hearer, bool held, char buffer[HEARS_TEXT])
{
	enum heard heard = hearer == 0 ? c->caller_hears : c->callee_hears;
	double mos = hearer == 0 ? c->caller_mos : c->callee_mos;

	if (held)
		return "hold";
	if (heard == HEARD_NO)
		return "✗ none";
	if (hears_invisible(c, hearer))
		return "?";
	if (heard == HEARD_UNKNOWN && mos < 0)
		return "· sent";
	if (heard == HEARD_YES && mos < 0)
		return "✓ yes";
	hears_cell(c, hearer, buffer);
	if (heard == HEARD_UNKNOWN)
		snprintf(buffer, HEARS_TEXT, "· %.1f", mos);
	return buffer;
}

static void draw_hearing(const struct call_table *t, struct world *w, struct sheet *s, unsigned row, unsigned at,
	const struct call_row *r, const struct view_call *c, unsigned hearer)
{
	int64_t from_ns, to_ns, now_ns = world_capture(w)->last_ns;
	char text[HEARS_TEXT];
	struct lane lane;

	if (t->lane && lane_recent(c, r->up, now_ns, t->lane, &from_ns, &to_ns)) {
		lane_make(&lane, w, c, hearer, from_ns, to_ns, t->lane);
		lane_draw(&lane, s, row, at);
	}
	if (t->lane)
		sheet_text(s, row, at + t->lane + 1, SHORT_COLUMNS, hears_paint(c, hearer),
			hears_short(c, hearer, r->up && is_held(c, hearer, now_ns), text));
	else
		sheet_text(s, row, at, 13, hears_paint(c, hearer), hears_cell(c, hearer, text));
}

static const char *call_codec(const struct view_call *c)
{
	for (unsigned i = 0; i < c->media_count; i++)
		if (c->media[i].codec && c->media[i].kind && strcmp(c->media[i].kind, "audio") == 0)
			return c->media[i].codec;
	return "-";
}

/* A column's text, where it is one. */
static const char *cell_text(enum call_column which, struct world *w, const struct call_row *r,
	const struct view_call *c, char buffer[PARTY_BYTES])
{
	buffer[0] = '\0';
	switch (which) {
	case COLUMN_NUMBER: snprintf(buffer, PARTY_BYTES, "%u", r->n); break;
	case COLUMN_START: return r->start_ns == NS_NONE ? "-" : world_clock(w, r->start_ns, buffer);
	case COLUMN_FROM: return party_text(r->from, "-", buffer);
	case COLUMN_TO: return party_text(r->to, "-", buffer);
	case COLUMN_STATE: return state_of(r, buffer);
	case COLUMN_TALK: return r->talk_s < 0 ? "-" : ns_duration((int64_t)(r->talk_s * SECOND_NS), buffer);
	case COLUMN_CALLER:
	case COLUMN_CALLEE: break;
	case COLUMN_CODEC: return call_codec(c);
	case COLUMN_LOSS: snprintf(buffer, PARTY_BYTES, r->loss < 0 ? "-" : "%.1f %%", r->loss); break;
	case COLUMN_JITTER:
		snprintf(buffer, PARTY_BYTES, r->jitter_ms < 0 ? "-" : "%.1f ms",
			r->jitter_ms < 9999 ? r->jitter_ms : 9999.0);
		break;
	case COLUMN_PROBLEM: return r->problem ? r->problem : "";
	case COLUMN_SETUP: snprintf(buffer, PARTY_BYTES, r->setup_ms < 0 ? "-" : "%.1f s", r->setup_ms / 1000); break;
	case COLUMN_STATUS: snprintf(buffer, PARTY_BYTES, r->status ? "%u" : "-", r->status); break;
	case COLUMN_FROM_AT: return endpoint_text(&c->from_at, buffer);
	case COLUMN_TO_AT: return endpoint_text(&c->to_at, buffer);
	case COLUMN_FROM_AGENT: return party_text(c->from_agent, "-", buffer);
	case COLUMN_TO_AGENT: return party_text(c->to_agent, "-", buffer);
	case COLUMN_CALL_ID:
		return party_text(c->call_id_count ? c->call_ids[0] : (struct span){ NULL, 0 }, "-", buffer);
	case CALL_COLUMNS: break;
	}
	return buffer;
}

/* A call that failed before an answer has nobody who hears: what was answered instead, cut before the problem's name is. */
static bool draw_failure(const struct call_table *t, unsigned i, struct sheet *s, unsigned row, const struct call_row *r)
{
	const struct call_table_column *x = &t->columns[i];
	bool last = i + 2 == t->count, named = r->problem;
	enum paint paint = PAINT_PLAIN;
	unsigned room, phrase;

	if (i + 1 >= t->count || !is_hearing(x->which) || !is_hearing(x[1].which) || r->answered || !r->status ||
		strcmp(r->state, "failed") != 0)
		return false;
	for (unsigned k = 0; k < t->count; k++)
		named &= t->columns[k].which != COLUMN_PROBLEM;
	room = (last ? t->column + t->width : x[1].at + x[1].width) - x->at;
	phrase = text_columns(status_words(r->status));
	if (named) {
		unsigned name = text_columns(r->problem) + 2;

		paint = mark_paint((enum call_mark)r->mark);
		if (phrase + name > room)
			phrase = room > name + LEAST_PHRASE ? room - name : 0;
		if (phrase)
			sheet_text(s, row, x->at + phrase, 2, paint, ", ");
		sheet_text(s, row, x->at + (phrase ? phrase + 2 : 0), room - (phrase ? phrase + 2 : 0), paint, r->problem);
	}
	sheet_text(s, row, x->at, named || phrase < room ? phrase : room, paint, status_words(r->status));
	return true;
}

static void draw_cell(const struct call_table *t, const struct call_table_column *x, struct world *w, struct sheet *s,
	unsigned row, const struct call_row *r, const struct view_call *c)
{
	char buffer[PARTY_BYTES];
	const char *text;

	if (is_hearing(x->which)) {
		draw_hearing(t, w, s, row, x->at, r, c, x->which == COLUMN_CALLEE);
		return;
	}
	text = cell_text(x->which, w, r, c, buffer);
	if (forms[x->which].right ||
		((x->which == COLUMN_FROM || x->which == COLUMN_TO) && words_is_number(text) &&
			text_columns(text) > x->width))
		sheet_right(s, row, x->at, x->width, PAINT_PLAIN, text);
	else
		sheet_text(s, row, x->at, x->width,
			x->which == COLUMN_PROBLEM ? mark_paint((enum call_mark)r->mark) : PAINT_PLAIN, text);
}

void call_table_row(const struct call_table *t, struct dashboard *d, struct world *w, struct sheet *s, unsigned row,
	const struct call_row *r)
{
	const struct view_call *c = world_view_call(w, r->index);

	if (!c)
		return;
	sheet_text(s, row, t->column + 1, 1, mark_paint((enum call_mark)r->mark), mark_sign((enum call_mark)r->mark));
	if (is_marked(d, r->id))
		sheet_text(s, row, t->column + 2, 1, PAINT_HEAD, "*");
	for (unsigned i = 0; i < t->count; i++)
		if (draw_failure(t, i, s, row, r))
			i++;
		else
			draw_cell(t, &t->columns[i], w, s, row, r, c);
}
