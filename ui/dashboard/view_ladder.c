/* SPDX-License-Identifier: MIT */
/* view_ladder: the message flow: hosts as columns, a row a message, media and findings in line. */
#include "ui/dashboard/view_ladder.h"

#include <inttypes.h>
#include <stdio.h>

#include "ui/dashboard/call_pane.h"
#include "ui/dashboard/ladder.h"
#include "ui/dashboard/page.h"
#include "ui/words.h"

enum { TIME_COLUMNS = 16, FRAME_COLUMNS = 13, LANE_MOST = 34, HEAD_ROWS = 4, PANE_STEP = 6 };
#define RELATIVE_NS (25 * MILLISECOND_NS) /* closer than this to the row before: as +.001 */

struct frame_of_ladder { /* how it lies on the screen */
	const struct ladder *l;
	unsigned width, at[LADDER_HOSTS], last;
};

static size_t count(const struct looking *k)
{
	return ladder_of(k->d, k->w)->count;
}

static uint64_t id(const void *context, size_t row)
{
	const struct looking *k = context;
	uint64_t x = ladder_of(k->d, k->w)->rungs[row].id;

	return x ? x : row + 1;
}

void ladder_seek(struct dashboard *d, struct world *w, unsigned file, uint32_t frame)
{
	const struct ladder *l = ladder_of(d, w);
	struct looking k = { d, w, 0 };

	for (size_t i = 0; i < l->count; i++)
		if (l->rungs[i].file == file && l->rungs[i].frame && frame >= l->rungs[i].frame &&
			frame <= l->rungs[i].last_frame) {
			list_select(list_of(d, 0), l->count, i, id, &k);
			return;
		}
	message_set(d, "frame %" PRIu32 " is none of this call's", frame);
}

static void lay(struct frame_of_ladder *f, const struct ladder *l, unsigned width)
{
	unsigned lanes = l->hosts.count > 1 ? l->hosts.count - 1 : 1, pitch;

	*f = (struct frame_of_ladder){
		.l = l, .width = width, .last = width > FRAME_COLUMNS + 20 ? width - FRAME_COLUMNS : 20
	};
	pitch = (f->last - 2 - TIME_COLUMNS) / lanes;
	pitch = pitch > LANE_MOST ? LANE_MOST : pitch;
	for (unsigned i = 0; i < l->hosts.count; i++)
		f->at[i] = TIME_COLUMNS + i * pitch;
}

/* Names and addresses above their columns; addresses by turns on two rows where they would touch. */
static void draw_hosts(const struct frame_of_ladder *f, struct sheet *s, unsigned row)
{
	const struct ladder *l = f->l;
	bool tight = false;

	for (unsigned i = 0; i + 1 < l->hosts.count; i++)
		tight |= f->at[i] + text_columns(l->addresses[i]) + 1 > f->at[i + 1];
	for (unsigned i = 0; i < l->hosts.count; i++) {
		unsigned room = i + 1 < l->hosts.count ? f->at[i + 1] - f->at[i] - 1 : f->width - f->at[i];
		unsigned n = (unsigned)text_columns(l->addresses[i]),
			 at = f->at[i] + n > f->width ? f->width - (n < f->width ? n : f->width) : f->at[i];

		if (words_is_number(l->labels[i]))
			sheet_right(s, row, f->at[i],
				room < text_columns(l->labels[i]) ? room : (unsigned)text_columns(l->labels[i]),
				PAINT_HEAD, l->labels[i]);
		else
			sheet_text(s, row, f->at[i], room, PAINT_HEAD, l->labels[i]);
		sheet_text(s, row + 1 + (tight && i % 2), at, f->width - at, PAINT_DIM, l->addresses[i]);
	}
}

static void draw_time(struct sheet *s, unsigned row, const struct rung *r, const struct rung *before,
	const struct rung *first, uint8_t mode)
{
	char clock[NS_TEXT];
	int64_t since_ns = before ? ns_minus(r->at_ns, before->at_ns) : INT64_MAX;

	if (r->at_ns == NS_NONE || r->kind == RUNG_SDP)
		return;
	if (mode == LADDER_FIRST)
		sheet_textf(s, row, 1, 12, PAINT_PLAIN, "%12.3f", (double)ns_minus(r->at_ns, first->at_ns) / SECOND_NS);
	else if (mode == LADDER_BEFORE && before)
		sheet_textf(s, row, 1, 12, PAINT_PLAIN, "%+12.3f", (double)since_ns / SECOND_NS);
	else if (mode == LADDER_CLOCK && since_ns >= 0 && since_ns < RELATIVE_NS)
		sheet_textf(s, row, 8, 6, PAINT_DIM, "+.%03d", (int)(since_ns / MILLISECOND_NS));
	else
		sheet_text(s, row, 1, 13, PAINT_PLAIN, ns_clock(r->at_ns, 3, clock));
}

static void draw_posts(const struct frame_of_ladder *f, struct sheet *s, unsigned row)
{
	for (unsigned i = 0; i < f->l->hosts.count; i++)
		sheet_text(s, row, f->at[i], 1, PAINT_DIM, "│");
}

static void draw_arrow(const struct frame_of_ladder *f, struct sheet *s, unsigned row, int from, int to,
	const struct rung *r, unsigned style, const char *line)
{
	unsigned left = f->at[from < to ? from : to] + 1, right = f->at[from < to ? to : from], room = right - left,
		 n = (unsigned)text_columns(r->text);

	sheet_fill(s, row, left, room, PAINT_DIM, line);
	sheet_text(s, row, from < to ? right - 1 : left, 1, PAINT_PLAIN, from < to ? ">" : "<");
	if (n + 4 > room) {
		unsigned at = left + (from > to) + (n < room - 1 ? (room - 1 - n) / 2 : 0);

		sheet_text(s, row, at, room - 1 < n ? room - 1 : n, style, r->text);
	} else {
		left += (room - n) / 2 - 1;
		sheet_text(s, row, left, 1, PAINT_PLAIN, " ");
		sheet_text(s, row, left + 1, n, style, r->text);
		sheet_text(s, row, left + 1 + n, 1, PAINT_PLAIN, " ");
	}
}

static void draw_between(const struct frame_of_ladder *f, struct sheet *s, unsigned row, const struct rung *r,
	unsigned style, const char *line)
{
	int from = ladder_hosts_find(&f->l->hosts, &r->src.addr), to = ladder_hosts_find(&f->l->hosts, &r->dst.addr);
	char a[ENDPOINT_TEXT], b[ENDPOINT_TEXT];

	if (from >= 0 && to >= 0 && from != to) {
		draw_arrow(f, s, row, from, to, r, style, line);
		return;
	}
	sheet_blank(s, row, TIME_COLUMNS, f->last - TIME_COLUMNS);
	sheet_textf(s, row, TIME_COLUMNS + 1, f->last - TIME_COLUMNS - 1, style, "%s → %s %s",
		endpoint_text(&r->src, a), endpoint_text(&r->dst, b), r->text);
}

static void draw_frames(
	const struct frame_of_ladder *f, const struct world *w, struct sheet *s, unsigned row, const struct rung *r)
{
	char text[48] = "";
	size_t n = 0;

	if (r->proof)
		sheet_text(s, row, f->width - 1, 1, PAINT_BAD, "✗");
	if (r->frame == 0)
		return;
	if (w->file_count > 1)
		n = (size_t)snprintf(text, sizeof text, "%u:", r->file + 1u);
	if (r->last_frame > r->frame)
		snprintf(text + n, sizeof text - n, "%" PRIu32 "-%" PRIu32, r->frame, r->last_frame);
	else
		snprintf(text + n, sizeof text - n, "%" PRIu32, r->frame);
	n = strlen(text);
	sheet_text(s, row, f->width - 1 - (unsigned)n, (unsigned)n, PAINT_DIM, text);
}

/* A colour a leg, where that is wished. */
static unsigned rung_style(const struct dashboard *d, const struct rung *r)
{
	static const uint8_t legs[] = { PAINT_PLAIN, PAINT_UNKNOWN, PAINT_GOOD, PAINT_WARN };

	if (d->ladder.by_leg && r->kind == RUNG_MESSAGE)
		return legs[r->leg % 4];
	return r->copy ? PAINT_DIM : r->style;
}

static void draw_rung(
	const struct frame_of_ladder *f, struct dashboard *d, struct world *w, struct sheet *s, unsigned row, size_t at)
{
	const struct rung *r = &f->l->rungs[at];
	unsigned style = rung_style(d, r);

	draw_posts(f, s, row);
	draw_time(s, row, r, at ? &f->l->rungs[at - 1] : NULL, &f->l->rungs[0], d->ladder.time);
	switch ((enum rung_kind)r->kind) {
	case RUNG_MESSAGE: draw_between(f, s, row, r, style, "─"); break;
	case RUNG_MEDIA: draw_between(f, s, row, r, style, "═"); break;
	case RUNG_SILENCE: draw_between(f, s, row, r, style, "·"); break;
	case RUNG_SDP: sheet_text(s, row, TIME_COLUMNS + 2, f->width - TIME_COLUMNS - 2, PAINT_DIM, r->text); break;
	case RUNG_FINDING:
		sheet_blank(s, row, TIME_COLUMNS - 2, f->width - TIME_COLUMNS + 2);
		sheet_text(s, row, TIME_COLUMNS - 2, f->width - TIME_COLUMNS + 2, style, r->text);
		break;
	}
	draw_frames(f, w, s, row, r);
	if (r->message && r->message == d->message_mark && r->kind == RUNG_MESSAGE)
		sheet_text(s, row, TIME_COLUMNS - 2, 1, PAINT_HEAD, "*");
}

static void draw_title(struct dashboard *d, struct world *w, struct sheet *s, const struct ladder *l, unsigned width)
{
	const struct call_row *r = world_call(w, place_of(d)->call);
	char from[PARTY_BYTES], to[PARTY_BYTES], messages[WORDS], streams[WORDS];
	struct text t;

	text_init(&t);
	if (l->calls > 1)
		text_addf(&t, "Ladder of %zu calls", l->calls);
	else if (r)
		text_addf(&t, "Ladder call %u  %s → %s", r->n, party_text(r->from, "?", from),
			party_text(r->to, "?", to));
	text_addf(&t, "   %s, %s", words_counted(l->messages, "message", messages),
		words_counted(l->streams, "stream", streams));
	if (!d->ladder.extended && l->legs > 1)
		text_addf(&t, "   leg 1 of %zu, F4 all", l->legs);
	if (d->ladder.only_sdp || d->ladder.only_media)
		text_add(&t, d->ladder.only_sdp ? "   only SDP" : "   only media");
	bar_draw(s, AREA_TOP, 0, width, t.p, "frame");
	text_fini(&t);
}

static bool has_pane(const struct dashboard *d, unsigned columns)
{
	return columns >= WIDE_COLUMNS && !d->ladder.hide_pane;
}

static void draw_pane(struct dashboard *d, struct world *w, struct sheet *s, const struct rung *r, unsigned column)
{
	unsigned rows = area_end(s) - AREA_TOP - 1;

	for (unsigned i = 0; i <= rows; i++)
		sheet_text(s, AREA_TOP + i, column - 1, 1, PAINT_DIM, "│");
	bar_draw(s, AREA_TOP, column, s->columns - column, r && r->message ? r->text : "Message", "");
	if (r && r->message)
		message_draw(w, s, r->call, r->message, r->before, AREA_TOP + 1, column + 1, s->columns - column - 1,
			rows);
	(void)d;
}

static unsigned ladder_width(const struct dashboard *d, unsigned columns)
{
	int width = (int)columns / 2 + 8 - d->ladder.pane * PANE_STEP;

	if (!has_pane(d, columns))
		return columns;
	return width < 70 ? 70 : width > (int)columns - 30 ? columns - 30 : (unsigned)width;
}

/* The first message, not the finding that may stand before it. */
static void select_first(struct dashboard *d, struct world *w, const struct ladder *l, struct list *list)
{
	struct looking k = { d, w, 0 };
	size_t at = 0;

	if (list->sized || l->count == 0 || list->id != id(&k, 0))
		return;
	while (at + 1 < l->count && l->rungs[at].kind != RUNG_MESSAGE)
		at++;
	list_select(list, l->count, at, id, &k);
}

static void draw(struct dashboard *d, struct world *w, struct sheet *s)
{
	const struct ladder *l = ladder_of(d, w);
	struct list *list = list_of(d, 0);
	unsigned width = ladder_width(d, s->columns), top = AREA_TOP + HEAD_ROWS, shown = area_end(s) - top;
	struct frame_of_ladder f;

	lay(&f, l, width);
	draw_title(d, w, s, l, width);
	draw_hosts(&f, s, AREA_TOP + 1);
	select_first(d, w, l, list);
	list_place(list, l->count, top, 0, width, shown);
	for (unsigned i = 0; i < shown && list->top + i < l->count; i++) {
		draw_rung(&f, d, w, s, top + i, list->top + i);
		if (list->top + i == list->at)
			row_select(s, top + i, 0, width);
	}
	if (l->count == 0)
		sheet_text(s, top + 1, 2, width, PAINT_DIM, "nothing to show of this call here");
	if (has_pane(d, s->columns))
		draw_pane(d, w, s, list->at < l->count ? &l->rungs[list->at] : NULL, width + 1);
}

static const struct rung *selected(struct dashboard *d, struct world *w)
{
	const struct ladder *l = ladder_of(d, w);
	const struct list *list = list_of(d, 0);

	return list->at < l->count ? &l->rungs[list->at] : NULL;
}

static void open_message(struct dashboard *d, const struct rung *r)
{
	struct place *p = place_open(d, VIEW_RAW);

	p->call = r->call;
	p->messages[0] = r->message;
	p->messages[1] = r->before;
	p->message_calls[0] = p->message_calls[1] = r->call;
}

static void act_open(struct dashboard *d, struct world *w)
{
	const struct rung *r = selected(d, w);
	uint64_t stream;

	if (!r)
		return;
	switch ((enum rung_kind)r->kind) {
	case RUNG_MESSAGE:
	case RUNG_SDP: open_message(d, r); break;
	case RUNG_MEDIA:
		stream = r->id;
		place_open(d, VIEW_STREAMS)->lists[0].id = stream;
		break;
	case RUNG_SILENCE: message_set(d, "this row stands for audio that is not there: no frame shows it"); break;
	case RUNG_FINDING: open_problem(d, w, r->finding); break;
	}
}

/* The first message is kept in mind; the second is compared with it, the earlier one to the left. */
static void act_mark(struct dashboard *d, struct world *w)
{
	const struct rung *r = selected(d, w);
	struct place *p;

	if (!r || !r->message) {
		message_set(d, "only messages can be compared");
		return;
	}
	if (d->message_mark == r->message) {
		d->message_mark = 0;
		return;
	}
	if (!d->message_mark) {
		struct looking k = { d, w, 0 };

		d->message_mark = r->message;
		d->message_mark_call = r->call;
		message_set(d, "Space on another message compares the two");
		list_act(list_of(d, 0), count(&k), ACTION_DOWN, id, &k);
		return;
	}
	p = place_open(d, VIEW_COMPARE);
	p->messages[0] = d->message_mark;
	p->message_calls[0] = d->message_mark_call;
	p->messages[1] = r->message;
	p->message_calls[1] = r->call;
	d->message_mark = 0;
}

static void turn_only(bool *this, bool *other)
{
	*this = !*this;
	if (*this)
		*other = false;
}

static bool act(struct dashboard *d, struct world *w, enum action a)
{
	struct ladder_settings *l = &d->ladder;
	const struct rung *r;

	switch ((int)a) {
	case ACTION_OPEN: act_open(d, w); break;
	case ACTION_RAW:
		r = selected(d, w);
		if (r && r->message)
			open_message(d, r);
		break;
	case ACTION_MARK: act_mark(d, w); break;
	case ACTION_LADDER: l->extended = !l->extended; break;
	case ACTION_TIME: l->time = (uint8_t)((l->time + 1) % LADDER_TIMES); break;
	case ACTION_MEDIA: l->hide_media = !l->hide_media; break;
	case ACTION_MEDIA_ONLY: turn_only(&l->only_media, &l->only_sdp); break;
	case ACTION_SDP: l->hide_sdp = !l->hide_sdp; break;
	case ACTION_SDP_ONLY: turn_only(&l->only_sdp, &l->only_media); break;
	case ACTION_COLOURS: l->by_leg = !l->by_leg; break;
	case ACTION_RAW_PANE:
		l->hide_pane = !l->hide_pane;
		if (d->columns < WIDE_COLUMNS)
			message_set(d, "beside the ladder there is room from %d columns on; Enter shows the message",
				WIDE_COLUMNS);
		break;
	case ACTION_NARROWER: l->pane -= l->pane > -10; break;
	case ACTION_WIDER: l->pane += l->pane < 10; break;
	default: return false;
	}
	return true;
}

const struct view_part part_ladder = { .panes = 1, .count = count, .id = id, .draw = draw, .act = act };
