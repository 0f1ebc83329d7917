/* SPDX-License-Identifier: MIT */
/*
 * page_call: figures of one call on a page: the ladder of its messages and streams, and the lanes of what caller and
 * callee heard. SVG, drawn in numbers.
 */
#include "ui/page.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "captures/base/memory.h"
#include "ui/hears.h"
#include "ui/ladder_hosts.h"
#include "ui/report.h"
#include "ui/report_part.h"

enum {
	RUNGS = 200, MARKS = 64,
	LEFT = 96, RIGHT = 90, BETWEEN = 190, TOP = 46, STEP = 30,   /* of the ladder, in user units */
	LANES = 760, LANE_LEFT = 110, LANE_WIDTH = 520, LANE_STEP = 40, LANE_HEIGHT = 22
};

#define INTERVAL_NS (5 * SECOND_NS)          /* of a stream that ends in its first one */

struct rung {
	int64_t at_ns;
	bool media;
	size_t index;                /* of the message; of the stream in view_stream() */
};

struct ladder {
	const struct report *r;
	struct out *out;
	struct view_call call;
	struct ladder_hosts hosts;
	struct rung rungs[RUNGS];
	unsigned rung_count;
	struct { uint16_t file; uint32_t frame; } marks[MARKS];
	unsigned mark_count;
	struct view_finding finding; /* room for one */
};

/* ---- what is in it ---- */

static int host_column(const struct ladder *l, const struct address *a)
{
	int at = ladder_hosts_find(&l->hosts, a);

	return at < 0 ? -1 : LEFT + at * BETWEEN + BETWEEN / 2;
}

static void rung_add(struct ladder *l, int64_t at_ns, bool media, size_t index)
{
	if (l->rung_count < RUNGS)
		l->rungs[l->rung_count++] = (struct rung){ at_ns, media, index };
}

static int rung_compare(const void *x, const void *y)
{
	const struct rung *a = x, *b = y;

	if (a->at_ns != b->at_ns)
		return a->at_ns < b->at_ns ? -1 : 1;
	return a->media != b->media ? a->media - b->media : (a->index > b->index) - (a->index < b->index);
}

static void take_messages(struct ladder *l, size_t call)
{
	struct view_message m;

	for (size_t i = 0; l->rung_count < RUNGS && view_message(l->r->engine, call, i, &m); i++) {
		if (m.copy)
			continue;
		ladder_hosts_add_message(&l->hosts, &m);
		rung_add(l, m.at_ns, false, i);
	}
}

static void take_streams(struct ladder *l)
{
	struct view_stream *s = memory_zalloc(sizeof *s);

	for (unsigned i = 0; i < l->call.media_count; i++) {
		for (unsigned k = 0; k < l->call.media[i].stream_count; k++) {
			ptrdiff_t at = selection_stream(l->r->selection, l->call.media[i].streams[k]);

			if (at == SELECTION_NONE || !view_stream(l->r->engine, (size_t)at, s))
				continue;
			ladder_hosts_add(&l->hosts, &s->src.addr);
			ladder_hosts_add(&l->hosts, &s->dst.addr);
			rung_add(l, s->first_ns, true, (size_t)at);
		}
	}
	free(s);
}

static void take_marks(struct ladder *l)
{
	for (unsigned i = 0; i < l->call.finding_count; i++) {
		ptrdiff_t at = selection_finding(l->r->selection, l->call.findings[i]);

		if (at == SELECTION_NONE || !l->r->selection->findings[at].harms ||
		    !view_finding(l->r->engine, (size_t)at, &l->finding))
			continue;
		for (unsigned k = 0; k < l->finding.evidence_count && l->mark_count < MARKS; k++) {
			l->marks[l->mark_count].file = l->finding.evidence[k].file;
			l->marks[l->mark_count++].frame = l->finding.evidence[k].frame;
		}
	}
}

static bool is_marked(const struct ladder *l, uint16_t file, uint32_t frame)
{
	for (unsigned i = 0; i < l->mark_count; i++) {
		if (l->marks[i].file == file && l->marks[i].frame == frame)
			return true;
	}
	return false;
}

/* ---- drawing ---- */

static void svg_text(struct out *o, int x, int y, const char *class, const char *utf8)
{
	page_rawf(o, "<text x=\"%d\" y=\"%d\" class=\"%s\">", x, y, class);
	page_escaped(o, utf8);
	page_raw(o, "</text>\n");
}

static void draw_arrow(struct out *o, int from, int to, int y, bool media)
{
	int way = to > from ? 1 : -1, tip = to - 2 * way;

	page_rawf(o, "<path d=\"M%d %dH%d\" class=\"%s\"/>\n", from, y, tip, media ? "rtp" : "sip");
	if (media)
		page_rawf(o, "<path d=\"M%d %dH%d\" class=\"rtp\"/>\n", from, y + 3, tip);
	page_rawf(o, "<path d=\"M%d %dl%d -4v8z\" class=\"tip\"/>\n", to, y + (media ? 1 : 0), -8 * way);
}

static void draw_rung(const struct ladder *l, int y, const struct endpoint *src, const struct endpoint *dst, bool media,
	const char *label, int64_t at_ns,
		      uint16_t file, uint32_t frame)
{
	int from = host_column(l, &src->addr), to = host_column(l, &dst->addr),
		right = LEFT + (int)l->hosts.count * BETWEEN;
	char clock[NS_TEXT], number[32];

	svg_text(l->out, 4, y + 4, "dim", ns_clock(at_ns, 3, clock));
	if (from >= 0 && to >= 0 && from != to) {
		draw_arrow(l->out, from, to, y, media);
		svg_text(l->out, (from + to) / 2, y - 5, "mid", label);
	} else {
		svg_text(l->out, from >= 0 ? from : LEFT, y, "mid", label);
	}
	snprintf(number, sizeof number, "%s%" PRIu32, is_marked(l, file, frame) ? "✗ " : "", frame);
	svg_text(l->out, right + 8, y + 4, is_marked(l, file, frame) ? "bad" : "dim", number);
}

static void message_label(const struct view_message *m, char *label, size_t room)
{
	char method[40], reason[40];

	text_escape(m->method, method, sizeof method);
	text_escape(m->reason, reason, sizeof reason);
	if (m->status)
		snprintf(label, room, "%u %s%s", m->status, reason, m->sdp ? " SDP" : "");
	else
		snprintf(label, room, "%s%s%s", method, m->sdp ? " SDP" : "", m->retransmission ? " again" : "");
}

static void draw_rungs(const struct ladder *l, size_t call)
{
	struct view_stream *s = memory_zalloc(sizeof *s);
	struct view_message m;
	char label[120], codec[32];

	for (unsigned i = 0; i < l->rung_count; i++) {
		const struct rung *x = &l->rungs[i];
		int y = TOP + STEP * ((int)i + 1);

		if (x->media && view_stream(l->r->engine, x->index, s)) {
			snprintf(label, sizeof label, "%s %" PRIu64 " packets to :%u",
				s->codec.n ? text_escape(s->codec, codec, sizeof codec) : "RTP", s->packets,
				 s->dst.port);
			draw_rung(l, y, &s->src, &s->dst, true, label, s->first_ns, s->file, s->first_frame);
		} else if (!x->media && view_message(l->r->engine, call, x->index, &m)) {
			message_label(&m, label, sizeof label);
			draw_rung(l, y, &m.src, &m.dst, false, label, m.at_ns, m.file, m.frame);
		}
	}
	free(s);
}

static void sentence(const struct report *r, const struct view_call *c, struct text *t)
{
	char hears[HEARS_TEXT];

	report_party(t, r, c, 0);
	text_add(t, " → ");
	report_party(t, r, c, 1);
	text_addf(t, ", %s; caller hears %s, ", c->state ? c->state : "unknown", hears_cell(c, 0, hears));
	text_addf(t, "callee hears %s", hears_cell(c, 1, hears));
}

void page_sentence(const struct report *r, size_t call)
{
	struct view_call *c = memory_zalloc(sizeof *c);
	struct text t;

	text_init(&t);
	if (view_call(r->engine, call, c)) {
		sentence(r, c, &t);
		page_end_line(r->out);
		page_raw(r->out, "<p>");
		page_escaped(r->out, t.p);
		page_raw(r->out, "</p>\n");
	}
	text_fini(&t);
	free(c);
}

static void figure_begin(const struct report *r, const struct view_call *c, int width, int height, const char *title)
{
	struct text t;

	text_init(&t);
	sentence(r, c, &t);
	page_end_line(r->out);
	page_rawf(r->out, "<figure><svg viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\"><title>", width,
		height, width, height);
	page_rawf(r->out, "%s of call %u</title><desc>Call %u: ", title, c->n, c->n);
	page_escaped(r->out, t.p);
	page_raw(r->out, "</desc>\n");
	text_fini(&t);
}

static void draw_hosts(const struct ladder *l)
{
	int bottom = TOP + STEP * ((int)l->rung_count + 1);
	char addr[ADDRESS_TEXT];

	for (unsigned i = 0; i < l->hosts.count; i++) {
		int x = host_column(l, &l->hosts.at[i]);
		const char *name = names_find(l->r->names, &l->hosts.at[i]);
		const struct address *other = ladder_hosts_other(&l->hosts, i, 0);

		svg_text(l->out, x, 18, "mid", address_text(&l->hosts.at[i], addr));
		if (name || other)
			svg_text(l->out, x, 34, "mid dim", name ? name : address_text(other, addr));
		page_rawf(l->out, "<path d=\"M%d %dV%d\" class=\"host\"/>\n", x, TOP - 6, bottom);
	}
}

void page_ladder(const struct report *r, size_t call)
{
	struct ladder *l = memory_zalloc(sizeof *l);

	l->r = r;
	l->out = r->out;
	if (view_call(r->engine, call, &l->call)) {
		ladder_hosts_init(&l->hosts, r->engine, LADDER_HOSTS);
		ladder_hosts_add(&l->hosts, &l->call.from_at.addr);
		take_messages(l, call);
		take_streams(l);
		take_marks(l);
		if (l->rung_count)
			qsort(l->rungs, l->rung_count, sizeof *l->rungs, rung_compare);
	}
	if (l->rung_count) {
		figure_begin(r, &l->call, LEFT + (int)l->hosts.count * BETWEEN + RIGHT,
			TOP + STEP * ((int)l->rung_count + 2), "Ladder");
		draw_hosts(l);
		draw_rungs(l, call);
		page_raw(r->out, "</svg></figure>\n");
	}
	ladder_hosts_fini(&l->hosts);
	free(l);
}

/* ---- lanes ---- */

struct lanes {
	const struct report *r;
	struct view_call call;
	struct view_stream stream;   /* room for one */
	int64_t from_ns, to_ns;
};

static int lane_x(const struct lanes *l, int64_t at_ns)
{
	double span = (double)ns_minus(l->to_ns, l->from_ns), into = (double)ns_minus(at_ns, l->from_ns);

	return LANE_LEFT + (int)(span > 0 ? LANE_WIDTH * (into < 0 ? 0 : into > span ? 1 : into / span) : 0);
}

/* A cell is the lower the more is lost: under 1, 3, 5, 10, 20, 50 % and more. */
static int lane_height(const struct view_interval *x)
{
	static const double steps[] = { 0.01, 0.03, 0.05, 0.10, 0.20, 0.50 };
	double loss = x->packets + x->lost ? (double)x->lost / (x->packets + x->lost) : 0;
	int height = LANE_HEIGHT;

	for (size_t i = 0; i < sizeof steps / sizeof steps[0] && loss >= steps[i]; i++)
		height -= 3;
	return height;
}

enum stretch { STRETCH_DUE, STRETCH_UNSEEN, STRETCH_HELD, STRETCH_QUIET, STRETCH_EMPTY };

static void draw_stretch(const struct lanes *l, int64_t from_ns, int64_t to_ns, int y, enum stretch kind)
{
	static const struct { const char *class, *title; } words[] = {
		[STRETCH_DUE] = { "due", "audio was due" }, [STRETCH_UNSEEN] = { "unseen", "due, not visible here" },
		[STRETCH_HELD] = { "held", "on hold" }, [STRETCH_QUIET] = { "quiet", "silence" },
		[STRETCH_EMPTY] = { "quiet", "no packet" },
	};
	int x = lane_x(l, from_ns), width = lane_x(l, to_ns) - x;

	if (width > 0)
		page_rawf(l->r->out,
			"<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" class=\"%s\"><title>%s</title></rect>\n",
			x, y, width, LANE_HEIGHT, words[kind].class, words[kind].title);
}

/* Where audio was due, and where a side held. */
static void draw_windows(const struct lanes *l, const struct view_direction *d, int y)
{
	bool unseen = d->heard == HEARD_UNKNOWN && d->packets == 0;

	for (unsigned i = 0; i < d->window_count; i++) {
		const struct view_window *w = &d->windows[i];

		draw_stretch(l, w->due_ns, w->to_ns, y, !w->due ? STRETCH_HELD : unseen ? STRETCH_UNSEEN : STRETCH_DUE);
	}
}

/* Over all that is sent and does not get there. */
static void draw_failed(const struct lanes *l, const struct view_direction *d, int y)
{
	int64_t from_ns, to_ns;

	for (unsigned i = 0; i < d->window_count; i++) {
		if (!hears_failed(d, &d->windows[i], &from_ns, &to_ns))
			continue;
		draw_stretch(l, from_ns, to_ns, y, STRETCH_EMPTY);
		draw_stretch(l, from_ns, to_ns, y, STRETCH_DUE);
	}
}

/* Over the stream, whose intervals are longer: pauses of a sender that suppresses silence, and what did not come. */
static void draw_holes(const struct lanes *l, const struct view_direction *d, int y)
{
	for (unsigned i = 0; i < d->window_count; i++) {
		for (unsigned k = 0; d->windows[i].due && k < l->stream.hole_count; k++) {
			const struct view_hole *q = &l->stream.holes[k];
			int64_t from_ns = q->from_ns > d->windows[i].due_ns ? q->from_ns : d->windows[i].due_ns,
				to_ns = q->to_ns < d->windows[i].to_ns ? q->to_ns : d->windows[i].to_ns;

			if (to_ns <= from_ns)
				continue;
			draw_stretch(l, from_ns, to_ns, y, q->silence ? STRETCH_QUIET : STRETCH_EMPTY);
			if (!q->silence)
				draw_stretch(l, from_ns, to_ns, y, STRETCH_DUE);
		}
	}
}

static void draw_stream(const struct lanes *l, int y)
{
	const struct view_stream *s = &l->stream;

	for (unsigned i = 0; i < s->interval_count; i++) {
		int64_t begin = i ? s->intervals[i].at_ns : s->first_ns;
		int64_t end = i + 1 < s->interval_count ? s->intervals[i + 1].at_ns : s->last_ns;
		int x = lane_x(l, begin), height = lane_height(&s->intervals[i]), width;

		if (end > ns_add(begin, 2 * INTERVAL_NS) && i + 1 < s->interval_count &&
		    s->intervals[i + 1].at_ns > ns_add(begin, 2 * INTERVAL_NS))
			end = ns_add(begin, INTERVAL_NS);
		width = lane_x(l, end) - x;
		page_rawf(l->r->out, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" class=\"heard\"/>\n", x,
			y + LANE_HEIGHT - height, width > 1 ? width : 1,
			  height);
	}
}

/* Of several legs: what is not visible gives way to what is, and both to the leg on which nothing gets there. */
static unsigned order_of(const struct view_direction *d)
{
	return d->heard == HEARD_NO ? 2 : d->heard == HEARD_UNKNOWN && d->packets == 0 ? 0 : 1;
}

static void draw_lane(struct lanes *l, unsigned hearer, int y)
{
	const struct view_call *c = &l->call;
	char hears[HEARS_TEXT];

	svg_text(l->r->out, 4, y + 15, "label", hearer ? "callee hears" : "caller hears");
	for (unsigned n = 0; n < 3 * c->media_count; n++) {
		const struct view_direction *d = &c->media[n % c->media_count];

		if (d->sender == hearer || !d->kind || strcmp(d->kind, "audio") != 0 ||
			order_of(d) != n / c->media_count)
			continue;
		draw_windows(l, d, y);
		for (unsigned k = 0; k < d->stream_count; k++) {
			ptrdiff_t at = selection_stream(l->r->selection, d->streams[k]);

			if (at == SELECTION_NONE || !view_stream(l->r->engine, (size_t)at, &l->stream))
				continue;
			draw_stream(l, y);
			draw_holes(l, d, y);
		}
		draw_failed(l, d, y);
	}
	svg_text(l->r->out, LANE_LEFT + LANE_WIDTH + 8, y + 15, page_class(hears_paint(c, hearer)),
		hears_cell(c, hearer, hears));
}

/* before: the words stand in front of the line, where the next moment does not write over them. */
static void draw_moment(const struct lanes *l, int64_t at_ns, const char *label, bool before)
{
	int x;

	if (at_ns == NS_NONE)
		return;
	x = lane_x(l, at_ns);
	page_rawf(l->r->out, "<path d=\"M%d 22V110\" class=\"host\"/>\n", x);
	svg_text(l->r->out, before ? x - 3 : x + 3, 16, before ? "dim end" : "dim", label);
}

void page_lanes(const struct report *r, size_t call)
{
	struct lanes *l = memory_zalloc(sizeof *l);
	char clock[NS_TEXT];

	l->r = r;
	if (view_call(r->engine, call, &l->call) && l->call.start_ns != NS_NONE) {
		struct view_capture *c = memory_zalloc(sizeof *c);

		view_capture(r->engine, c);
		l->from_ns = l->call.start_ns;
		l->to_ns = l->call.end_ns != NS_NONE ? l->call.end_ns : c->last_ns;
		free(c);
		figure_begin(r, &l->call, LANES, 130, "What was heard");
		draw_moment(l, l->call.start_ns, "INVITE", true);
		draw_moment(l, l->call.answer_ns, "answer", false);
		draw_moment(l, l->call.end_ns, "end", false);
		draw_lane(l, 0, 28);
		draw_lane(l, 1, 28 + LANE_STEP);
		svg_text(r->out, LANE_LEFT, 126, "dim", ns_clock(l->from_ns, 0, clock));
		page_rawf(r->out, "<text x=\"%d\" y=\"126\" class=\"dim end\">%s</text>\n", LANE_LEFT + LANE_WIDTH,
			ns_clock(l->to_ns, 0, clock));
		page_raw(r->out, "</svg></figure>\n");
	}
	free(l);
}
