/* SPDX-License-Identifier: MIT */
/* view_streams: RTP from where to where, and how it arrives; below the list, the selected one along time. */
#include "ui/dashboard/parts.h"

#include <inttypes.h>
#include <stdio.h>

#include "ui/words.h"

enum { DETAIL_ROWS = 4, FIGURES = 32, FIGURES_WIDE = 52, WIDE_ROW = 104, SPARK_MOST = 480 };

static struct order rows_of(const struct looking *k)
{
	return world_stream_order(k->w, k->d->filter, k->d->stream_sort, k->d->stream_sort_down);
}

static size_t count(const struct looking *k)
{
	return rows_of(k).count;
}

static uint64_t id(const void *context, size_t row)
{
	const struct looking *k = context;
	size_t n;

	return world_streams(k->w, &n)[rows_of(k).rows[row]].id;
}

static void number_words(char *buffer, size_t room, double value, const char *format)
{
	if (value < 0)
		snprintf(buffer, room, "-");
	else
		snprintf(buffer, room, format, value < 99999 ? value : 99999.0);
}

/* Whether the one it is meant for hears it: what arrives here in good order may go to an address where nobody is. */
static enum heard heard_of(struct world *w, const struct stream_row *r)
{
	const struct call_row *row = r->call ? world_call_numbered(w, r->call) : NULL;
	const struct view_call *c = row ? world_view_call(w, row->index) : NULL;

	for (unsigned i = 0; c && i < c->media_count; i++) {
		for (unsigned k = 0; k < c->media[i].stream_count; k++) {
			if (c->media[i].streams[k] == r->n)
				return c->media[i].heard;
		}
	}
	return HEARD_UNKNOWN;
}

static enum call_mark mark_of(struct world *w, const struct stream_row *r, const struct view_stream *v)
{
	enum heard heard;

	if (v->packets < 2)
		return MARK_QUIET;
	heard = heard_of(w, r);
	if (heard == HEARD_NO)
		return MARK_BAD;
	if (heard == HEARD_POOR || (v->mos >= 0 && v->mos < 3.6) || r->loss >= LOSS_WARNS_PERCENT)
		return MARK_WARN;
	return heard == HEARD_YES ? MARK_GOOD : MARK_QUIET;
}

static void end_words(struct dashboard *d, struct world *w, const struct endpoint *e, char buffer[PARTY_BYTES])
{
	const char *name = d->names ? names_find(w->names, &e->addr) : NULL;
	char at[ENDPOINT_TEXT];

	if (name)
		snprintf(buffer, PARTY_BYTES, "%.80s:%u", name, e->port);
	else
		snprintf(buffer, PARTY_BYTES, "%s", endpoint_text(e, at));
}

static unsigned ends_room(unsigned width)
{
	return width - 3 - (width < WIDE_ROW ? FIGURES : FIGURES_WIDE);
}

static void draw_row(
	struct dashboard *d, struct world *w, struct sheet *s, const struct stream_row *r, unsigned row, unsigned width)
{
	char src[PARTY_BYTES], dst[PARTY_BYTES], codec[24], call[16] = "-", packets[WORDS], loss[24], jitter[24],
							    mos[16], right[128];
	struct view_stream v;
	enum call_mark mark;

	if (!view_stream(w->engine, r->index, &v))
		return;
	mark = mark_of(w, r, &v);
	if (r->call)
		snprintf(call, sizeof call, "%u", r->call);
	number_words(loss, sizeof loss, r->loss, width < WIDE_ROW ? "%.1f%%" : "%.1f %%");
	number_words(jitter, sizeof jitter, r->jitter_ms, width < WIDE_ROW ? "%.1f" : "%.1f ms");
	number_words(mos, sizeof mos, r->mos, "%.1f");
	snprintf(right, sizeof right, width < WIDE_ROW ? "%4s %-4.4s %6s %5s %5s %3s" : "%6s  %-8.8s %9s %8s %8s %5s",
		call, v.codec.n ? text_escape(v.codec, codec, sizeof codec) : "-", words_count(v.packets, packets),
		loss, jitter, mos);
	end_words(d, w, &v.src, src);
	end_words(d, w, &v.dst, dst);
	sheet_text(s, row, 1, 1, mark_paint(mark), mark_sign(mark));
	sheet_text(s, row, 2, 1, PAINT_PLAIN, v.twin_count ? "=" : " ");
	sheet_textf(s, row, 3, ends_room(width), PAINT_PLAIN, "%s → %s", src, dst);
	sheet_right(s, row, 0, width, PAINT_PLAIN, right);
}

static void draw_head(struct dashboard *d, struct sheet *s, unsigned row, const struct order *o)
{
	static const char *const names[STREAM_SORTS] = { "call", "packets", "lost", "jitter", "MOS" };
	char left[96], right[WORDS], head[96];

	snprintf(left, sizeof left, "Streams   sorted by %s%s", names[d->stream_sort],
		d->stream_sort_down ? ", most first" : "");
	bar_draw(s, row, 0, s->columns, left, words_counted(o->count, "stream", right));
	snprintf(head, sizeof head, s->columns < WIDE_ROW ? "%4s %-4s %6s %5s %5s %3s" : "%6s  %-8s %9s %8s %8s %5s",
		"call", s->columns < WIDE_ROW ? "cod" : "codec", s->columns < WIDE_ROW ? "pkts" : "packets", "lost",
		s->columns < WIDE_ROW ? "jit" : "jitter", "MOS");
	sheet_text(s, row + 1, 3, 30, PAINT_DIM, "from → to");
	sheet_right(s, row + 1, 0, s->columns, PAINT_DIM, head);
}

/* ▁ the best to █ the worst of what the intervals have. */
static void draw_spark(
	struct sheet *s, unsigned row, unsigned column, unsigned width, const struct view_stream *v, bool loss)
{
	static const char *const steps[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
	double most = 0;

	for (unsigned i = 0; i < v->interval_count; i++) {
		const struct view_interval *x = &v->intervals[i];
		double value =
			loss ? x->packets + x->lost ? 100.0 * x->lost / (x->packets + x->lost) : 0 : x->max_jitter_ms;

		most = value > most ? value : most;
	}
	sheet_textf(s, row, column, 26, PAINT_PLAIN, loss ? "loss, to %.1f %%" : "jitter, to %.1f ms", most);
	for (unsigned i = 0; i < v->interval_count && column + 26 + i < width; i++) {
		const struct view_interval *x = &v->intervals[i];
		double value =
			loss ? x->packets + x->lost ? 100.0 * x->lost / (x->packets + x->lost) : 0 : x->max_jitter_ms;
		unsigned step = most > 0 && value > 0 ? (unsigned)(7.0 * value / most) : 0;

		sheet_text(s, row, column + 26 + i, 1, value > 0 && loss ? PAINT_WARN : PAINT_DIM,
			steps[step > 7 ? 7 : step]);
	}
}

static void draw_detail(struct world *w, struct sheet *s, const struct stream_row *r, unsigned row, unsigned ends)
{
	char clock[NS_TEXT], end[NS_TEXT];
	struct view_stream v;
	struct text t;

	if (!view_stream(w->engine, r->index, &v))
		return;
	text_init(&t);
	text_addf(&t, "stream %" PRIu32 "   SSRC 0x%08" PRIx32 "   %s to %s   frames %" PRIu32 "-%" PRIu32, v.n, v.ssrc,
		ns_clock(v.first_ns, 0, clock), ns_clock(v.last_ns, 0, end), v.first_frame, v.last_frame);
	bar_draw(s, row, 0, s->columns, t.p, "");
	row += ends;
	text_clear(&t);
	text_addf(&t,
		"lost %" PRIu64 "   reordered %" PRIu64 "   late %" PRIu64 "   duplicates %" PRIu64
		"   longest gap %.0f ms",
		v.lost_within, v.reordered, v.late, v.duplicates, v.max_delta_ms < 0 ? 0 : v.max_delta_ms);
	if (v.dscp >= 0)
		text_addf(&t, "   DSCP %d", v.dscp);
	if (v.twin_count)
		text_addf(&t, "   the same as stream %" PRIu32 " at another point (=)", v.twins[0]);
	sheet_text(s, row + 1, 1, s->columns, PAINT_PLAIN, t.p);
	text_fini(&t);
	draw_spark(s, row + 2, 1, s->columns - 1, &v, true);
	draw_spark(s, row + 3, 1, s->columns - 1, &v, false);
}

/* Of the selected one: the rows that its addresses take below what is said of it. */
static unsigned ends_of(
	struct dashboard *d, struct world *w, struct sheet *s, const struct stream_row *r, char src[PARTY_BYTES],
	char dst[PARTY_BYTES])
{
	struct view_stream v;

	if (!view_stream(w->engine, r->index, &v))
		return 0;
	end_words(d, w, &v.src, src);
	end_words(d, w, &v.dst, dst);
	return ends_rows(s, src, dst, ends_room(s->columns));
}

static void draw(struct dashboard *d, struct world *w, struct sheet *s)
{
	struct looking k = { d, w, 0 };
	struct order o = rows_of(&k);
	struct list *l = list_of(d, 0);
	unsigned top = AREA_TOP + 2, shown = area_end(s) - top - DETAIL_ROWS, ends = 0;
	char src[PARTY_BYTES] = "", dst[PARTY_BYTES] = "";
	const struct stream_row *rows;
	size_t n;

	rows = world_streams(w, &n);
	d->unfinished |= !o.complete;
	list_place(l, o.count, top, 0, s->columns, shown);
	if (o.count)
		ends = ends_of(d, w, s, &rows[o.rows[l->at]], src, dst);
	shown -= ends;
	if (ends)
		list_place(l, o.count, top, 0, s->columns, shown);
	draw_head(d, s, AREA_TOP, &o);
	for (unsigned i = 0; i < shown && l->top + i < o.count; i++) {
		draw_row(d, w, s, &rows[o.rows[l->top + i]], top + i, s->columns);
		if (l->top + i == l->at)
			row_select(s, top + i, 0, s->columns);
	}
	ends_draw(s, top + shown + 1, ends, src, dst);
	if (o.count)
		draw_detail(w, s, &rows[o.rows[l->at]], top + shown, ends);
	else
		sheet_text(s, top, 2, s->columns, PAINT_DIM,
			d->filter[0] ? "no stream belongs to the calls that the filter leaves" : "no RTP was seen");
}

static bool act(struct dashboard *d, struct world *w, enum action a)
{
	uint64_t call;

	switch ((int)a) {
	case ACTION_OPEN:
		call = selected_call(d, w);
		if (call)
			open_call(d, w, call);
		else
			message_set(d, "this stream belongs to no call that was seen");
		return true;
	case ACTION_SORT_LEFT:
		d->stream_sort = (uint8_t)((d->stream_sort + STREAM_SORTS - 1) % STREAM_SORTS);
		return true;
	case ACTION_SORT_RIGHT: d->stream_sort = (uint8_t)((d->stream_sort + 1) % STREAM_SORTS); return true;
	case ACTION_SORT_TURN: d->stream_sort_down = !d->stream_sort_down; return true;
	default: return false;
	}
}

const struct view_part part_streams = { .panes = 1, .count = count, .id = id, .draw = draw, .act = act };
