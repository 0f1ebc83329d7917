/* SPDX-License-Identifier: MIT */
/* report_ladder: one call as a ladder: messages, media and findings in their order, at 80 columns. */
#include "ui/report_part.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "captures/base/memory.h"
#include "ui/canvas.h"
#include "ui/hears.h"
#include "ui/words.h"

enum {
	HOST_MAX = 5,                /* columns; more do not fit beside each other */
	FIRST_COLUMN = 16, LAST_COLUMN = 70, LANE_MAX = 27,
	FRAME_END = 79,              /* frames end here; the mark stands behind */
	RELATIVE_NS = 25 * MILLISECOND_NS,   /* closer than this to the rung before: as +.001 */
	RUNGS_SHOWN = 2000
};

enum event_kind { EVENT_MESSAGE, EVENT_MEDIA, EVENT_SILENCE, EVENT_FINDING };

struct event {
	int64_t at_ns;
	enum event_kind kind;
	size_t index;                /* of the message, the stream, the direction, the finding */
};

struct ladder {
	const struct report *r;
	struct out *out;
	struct view_call call;
	size_t call_index;
	struct address hosts[HOST_MAX];
	size_t column[HOST_MAX];
	size_t host_count;
	struct alias {
		struct address other, host;
	} *aliases;
	size_t alias_count;
	struct event *events;
	size_t event_count;
	size_t messages, streams;
	struct view_finding finding;         /* room for one */
	struct frame_mark {
		uint16_t file;
		uint32_t frame;
	} *marks;                            /* frames that are evidence */
	size_t mark_count;
	int64_t before_ns;                   /* of the rung printed last */
};

static void event_add(struct ladder *l, int64_t at_ns, enum event_kind kind, size_t index)
{
	if ((l->event_count & (l->event_count - 1)) == 0)
		l->events = memory_resize(l->events, l->event_count ? l->event_count * 2 : 1, sizeof *l->events);
	l->events[l->event_count++] = (struct event){ at_ns, kind, index };
}

static int event_compare(const void *a, const void *b)
{
	const struct event *x = a, *y = b;

	if (x->at_ns != y->at_ns)
		return x->at_ns < y->at_ns ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

/* The address by which the machine is known that has this one too: the two faces of a firewall are one column. */
static struct address host_known_as(const struct ladder *l, const struct address *a)
{
	for (size_t i = 0; i < l->alias_count; i++)
		if (address_equal(&l->aliases[i].other, a))
			return l->aliases[i].host;
	return *a;
}

static ptrdiff_t host_find(const struct ladder *l, const struct address *a)
{
	struct address known = host_known_as(l, a);

	for (size_t i = 0; i < l->host_count; i++)
		if (address_equal(&l->hosts[i], &known))
			return (ptrdiff_t)i;
	return -1;
}

static void host_add(struct ladder *l, const struct address *a)
{
	if (address_known(a) && host_find(l, a) < 0 && l->host_count < HOST_MAX)
		l->hosts[l->host_count++] = host_known_as(l, a);
}

/* Who sends a request on stands before the one it goes to: phone, router, PBX. */
static void host_add_before(struct ladder *l, const struct address *a, const struct address *next)
{
	ptrdiff_t at = host_find(l, next);

	if (!address_known(a) || host_find(l, a) >= 0 || l->host_count == HOST_MAX)
		return;
	if (at <= 0) {
		host_add(l, a);
		return;
	}
	memmove(&l->hosts[at + 1], &l->hosts[at], (l->host_count - (size_t)at) * sizeof l->hosts[0]);
	l->hosts[at] = host_known_as(l, a);
	l->host_count++;
}

static void collect_aliases(struct ladder *l)
{
	struct view_host h;

	for (size_t i = 0; view_host(l->r->engine, i, &h); i++) {
		for (unsigned j = 0; j < h.alias_count; j++) {
			if ((l->alias_count & (l->alias_count - 1)) == 0)
				l->aliases = memory_resize(l->aliases, l->alias_count ? l->alias_count * 2 : 1,
					sizeof *l->aliases);
			l->aliases[l->alias_count++] = (struct alias){ h.aliases[j], h.addr };
		}
	}
}

static void collect_messages(struct ladder *l)
{
	struct view_message m;

	host_add(l, &l->call.from_at.addr);
	for (size_t i = 0; view_message(l->r->engine, l->call_index, i, &m); i++) {
		if (m.copy)
			continue;
		if (m.status == 0)
			host_add_before(l, &m.src.addr, &m.dst.addr);
		else
			host_add(l, &m.src.addr);
		host_add(l, &m.dst.addr);
		event_add(l, m.at_ns, EVENT_MESSAGE, i);
		l->messages++;
	}
}

static void collect_media(struct ladder *l)
{
	const struct selection *s = l->r->selection;
	struct view_stream st;

	for (size_t i = 0; i < s->stream_count; i++) {
		if (s->streams[i].call != l->call.n || !view_stream(l->r->engine, i, &st))
			continue;
		host_add(l, &st.src.addr);
		host_add(l, &st.dst.addr);
		event_add(l, st.first_ns, EVENT_MEDIA, i);
		l->streams++;
	}
	for (unsigned i = 0; i < l->call.media_count; i++) {
		const struct view_direction *d = &l->call.media[i];

		if (d->expected && d->packets == 0 && d->heard == HEARD_NO)
			event_add(l, l->call.answer_ns != NS_NONE ? l->call.answer_ns : l->call.start_ns, EVENT_SILENCE,
				i);
	}
}

static void mark_add(struct ladder *l, const struct view_evidence *e)
{
	if (e->frame == 0)
		return;
	if ((l->mark_count & (l->mark_count - 1)) == 0)
		l->marks = memory_resize(l->marks, l->mark_count ? l->mark_count * 2 : 1, sizeof *l->marks);
	l->marks[l->mark_count++] = (struct frame_mark){ e->file, e->frame };
}

static bool is_marked(const struct ladder *l, uint16_t file, uint32_t frame)
{
	for (size_t i = 0; i < l->mark_count; i++)
		if (l->marks[i].file == file && l->marks[i].frame == frame)
			return true;
	return false;
}

/* Problems of the call, at the time they began. */
static void collect_findings(struct ladder *l)
{
	for (unsigned i = 0; i < l->call.finding_count; i++) {
		ptrdiff_t at = selection_finding(l->r->selection, l->call.findings[i]);

		if (at == SELECTION_NONE || !l->r->selection->findings[at].harms ||
		    l->r->selection->findings[at].rank == RANK_INFO)
			continue;
		if (!view_finding(l->r->engine, (size_t)at, &l->finding))
			continue;
		event_add(l, l->finding.since_ns != NS_NONE ? l->finding.since_ns : l->finding.first_ns, EVENT_FINDING,
			(size_t)at);
		for (unsigned j = 0; j < l->finding.evidence_count; j++)
			mark_add(l, &l->finding.evidence[j]);
	}
}

static void place_hosts(struct ladder *l)
{
	size_t lanes = l->host_count > 1 ? l->host_count - 1 : 1;
	size_t pitch = (LAST_COLUMN - FIRST_COLUMN) / lanes;

	if (pitch > LANE_MAX)
		pitch = LANE_MAX;
	for (size_t i = 0; i < l->host_count; i++)
		l->column[i] = FIRST_COLUMN + i * pitch;
}

static const char *host_role(const struct ladder *l, const struct address *a)
{
	struct view_host h;

	for (size_t i = 0; view_host(l->r->engine, i, &h); i++)
		if (address_equal(&h.addr, a))
			return h.role_count ? h.roles[0] : NULL;
	return NULL;
}

static void host_label(const struct ladder *l, size_t i, char label[PARTY_TEXT])
{
	const char *name = names_find(l->r->names, &l->hosts[i]), *role;

	if (address_equal(&l->hosts[i], &l->call.from_at.addr))
		report_number(&l->call, 0, label);
	else if (address_equal(&l->hosts[i], &l->call.to_at.addr) && l->call.to.n)
		report_number(&l->call, 1, label);
	else if (name)
		snprintf(label, PARTY_TEXT, "%s", name);
	else if ((role = host_role(l, &l->hosts[i])))
		snprintf(label, PARTY_TEXT, "%s", role);
	else
		label[0] = '\0';
}

/* Texts above their columns, each on the first line where it fits; at most one line a host. */
static void print_heads(const struct ladder *l, char texts[HOST_MAX][PARTY_TEXT])
{
	struct canvas lines[HOST_MAX];
	size_t used = 0;

	for (size_t i = 0; i < HOST_MAX; i++)
		canvas_clear(&lines[i]);
	for (size_t i = 0; i < l->host_count; i++) {
		size_t width = text_columns(texts[i]), at = l->column[i], line = 0;

		if (width == 0)
			continue;
		if (at + width > CANVAS_COLUMNS)
			at = width < CANVAS_COLUMNS ? CANVAS_COLUMNS - width : 0;
		while (line + 1 < HOST_MAX && !canvas_is_free(&lines[line], at ? at - 1 : 0, at + width + 1))
			line++;
		canvas_text(&lines[line], at, texts[i]);
		used = line + 1 > used ? line + 1 : used;
	}
	for (size_t i = 0; i < used; i++)
		canvas_print(&lines[i], l->out);
}

/* "192.168.1.1 | 203.0.113.2" */
static void host_addresses(const struct ladder *l, size_t i, char text[PARTY_TEXT])
{
	char addr[ADDRESS_TEXT];
	size_t faces = 0;

	text[0] = '\0';
	for (size_t j = 0; j < l->alias_count && faces < 2; j++)
		if (address_equal(&l->aliases[j].host, &l->hosts[i]) && ++faces)
			snprintf(text + strlen(text), PARTY_TEXT - strlen(text), "%s | ",
				address_text(&l->aliases[j].other, addr));
	snprintf(text + strlen(text), PARTY_TEXT - strlen(text), "%s", address_text(&l->hosts[i], addr));
}

static void print_hosts(const struct ladder *l)
{
	char labels[HOST_MAX][PARTY_TEXT], addresses[HOST_MAX][PARTY_TEXT];

	for (size_t i = 0; i < l->host_count; i++) {
		char whole[PARTY_TEXT];
		struct text cut;

		host_label(l, i, whole);
		text_init(&cut);
		words_cut(&cut, whole, LANE_MAX, words_is_number(whole));
		snprintf(labels[i], PARTY_TEXT, "%s", cut.p);
		text_fini(&cut);
		host_addresses(l, i, addresses[i]);
	}
	print_heads(l, labels);
	print_heads(l, addresses);
}

static void rung_begin(struct ladder *l, struct canvas *c, int64_t at_ns)
{
	char clock[NS_TEXT], relative[WORDS];
	int64_t since_ns = l->before_ns == NS_NONE || at_ns == NS_NONE ? INT64_MAX : ns_minus(at_ns, l->before_ns);

	canvas_clear(c);
	for (size_t i = 0; i < l->host_count; i++)
		canvas_text(c, l->column[i], "│");
	if (since_ns >= 0 && since_ns < RELATIVE_NS) {
		snprintf(relative, sizeof relative, "+.%03d", (int)(since_ns / MILLISECOND_NS));
		canvas_text(c, 8, relative);
	} else if (at_ns != NS_NONE) {
		canvas_text(c, 1, ns_clock(at_ns, 3, clock));
	}
	if (at_ns != NS_NONE)
		l->before_ns = at_ns;
}

/* "12-313"; of several files "2:12-313". */
static void rung_frames(const struct ladder *l, struct canvas *c, unsigned file, uint32_t first, uint32_t last,
	bool marked)
{
	char text[48] = "";
	size_t n;

	if (l->r->file_count > 1)
		snprintf(text, sizeof text, "%u:", file + 1);
	n = strlen(text);
	if (first && last > first)
		snprintf(text + n, sizeof text - n, "%" PRIu32 "-%" PRIu32, first, last);
	else
		snprintf(text + n, sizeof text - n, "%" PRIu32, first);
	n = strlen(text);
	if (first)
		canvas_text(c, FRAME_END - n, text);
	if (marked)
		canvas_text(c, FRAME_END, "✗");
}

/* An arrow between two columns with its text in the middle; where the lane is narrow, text and head alone. */
static void rung_arrow(const struct ladder *l, struct canvas *c, size_t from, size_t to, const char *text,
	const char *line)
{
	size_t left = l->column[from < to ? from : to] + 1, right = l->column[from < to ? to : from];
	size_t room = right - left, width;
	struct text cut;

	text_init(&cut);
	words_cut(&cut, text, room - 1, false);
	width = text_columns(cut.p);
	canvas_fill(c, left, right, line);
	canvas_text(c, from < to ? right - 1 : left, from < to ? ">" : "<");
	if (width + 4 > room) {
		canvas_text(c, from < to ? left : right - width, cut.p);
	} else {
		left += (room - width) / 2 - 1;
		canvas_text(c, left, " ");
		canvas_text(c, left + 1, cut.p);
		canvas_text(c, left + 1 + width, " ");
	}
	text_fini(&cut);
}

/* Between hosts that have no column of their own, or within one: in words. */
static void rung_words(struct canvas *c, const struct endpoint *src, const struct endpoint *dst, const char *text)
{
	char a[ENDPOINT_TEXT], b[ENDPOINT_TEXT];
	struct text t, cut;

	text_init(&t);
	text_init(&cut);
	text_addf(&t, "%s → %s %s", endpoint_text(src, a), endpoint_text(dst, b), text);
	words_cut(&cut, t.p, LAST_COLUMN - FIRST_COLUMN, false);
	canvas_fill(c, FIRST_COLUMN, LAST_COLUMN + 1, " ");
	canvas_text(c, FIRST_COLUMN + 1, cut.p);
	text_fini(&cut);
	text_fini(&t);
}

static void rung_between(const struct ladder *l, struct canvas *c, const struct endpoint *src,
	const struct endpoint *dst, const char *text,
			 const char *line)
{
	ptrdiff_t from = host_find(l, &src->addr), to = host_find(l, &dst->addr);

	if (from < 0 || to < 0 || from == to)
		rung_words(c, src, dst, text);
	else
		rung_arrow(l, c, (size_t)from, (size_t)to, text, line);
}

/* Below its message: what the SDP says, beginning in the lane of the arrow. */
static void print_sdp(struct ladder *l, const struct view_message *m)
{
	ptrdiff_t from = host_find(l, &m->src.addr), to = host_find(l, &m->dst.addr);
	size_t at = from < 0 || to < 0 ? FIRST_COLUMN + 2 : l->column[from < to ? from : to] + 2,
		n = text_columns(m->sdp_text);
	struct canvas c;

	if (at + n > FRAME_END && n + FIRST_COLUMN + 1 < FRAME_END)
		at = FRAME_END - n;
	if (at + n > FRAME_END) {
		out_paragraph(l->out, FIRST_COLUMN + 2, "", 0, PAINT_DIM, m->sdp_text);
		return;
	}
	canvas_clear(&c);
	for (size_t i = 0; i < l->host_count; i++)
		canvas_text(&c, l->column[i], "│");
	canvas_fill(&c, at - 1, at + n + 1, " ");
	canvas_text(&c, at, m->sdp_text);
	canvas_print(&c, l->out);
}

static void print_message(struct ladder *l, size_t index)
{
	struct view_message m;
	struct canvas c;
	struct text t;

	if (!view_message(l->r->engine, l->call_index, index, &m))
		return;
	text_init(&t);
	if (m.status)
		text_addf(&t, "%u ", m.status);
	text_add_escaped(&t, m.status ? m.reason : m.method);
	text_add(&t, m.sdp ? " SDP" : "");
	text_add(&t, m.retransmission ? " again" : "");
	rung_begin(l, &c, m.at_ns);
	rung_between(l, &c, &m.src, &m.dst, t.p, "─");
	rung_frames(l, &c, m.file, m.frame, m.frame, is_marked(l, m.file, m.frame));
	canvas_print(&c, l->out);
	if (m.sdp_text)
		print_sdp(l, &m);
	text_fini(&t);
}

static void print_media(struct ladder *l, size_t index)
{
	struct view_stream s;
	struct canvas c;
	struct text t;
	char count[WORDS];

	if (!view_stream(l->r->engine, index, &s))
		return;
	text_init(&t);
	if (s.codec.n)
		text_add_escaped(&t, s.codec);
	else
		text_add(&t, "RTP");
	text_addf(&t, " %s to :%u", words_count(s.packets, count), s.dst.port);
	if (s.lost_within)
		text_addf(&t, " lost %s", words_count(s.lost_within, count));
	rung_begin(l, &c, s.first_ns);
	rung_between(l, &c, &s.src, &s.dst, t.p, "═");
	rung_frames(l, &c, s.file, s.first_frame, s.last_frame, is_marked(l, s.file, s.first_frame));
	canvas_print(&c, l->out);
	text_fini(&t);
}

static void print_silence(struct ladder *l, size_t index)
{
	const struct view_direction *d = &l->call.media[index];
	char text[64];
	struct canvas c;

	snprintf(text, sizeof text, "no %.16s ✗", d->kind ? d->kind : "media");
	rung_begin(l, &c, l->call.answer_ns);
	if (host_find(l, &d->from.addr) >= 0 && host_find(l, &d->to.addr) >= 0) {
		rung_between(l, &c, &d->from, &d->to, text, "·");
	} else {
		char a[ENDPOINT_TEXT], b[ENDPOINT_TEXT], words[2 * ENDPOINT_TEXT + 80];

		snprintf(words, sizeof words, "%s → %s %s", endpoint_text(&d->from, a), endpoint_text(&d->to, b), text);
		canvas_fill(&c, FIRST_COLUMN, LAST_COLUMN + 1, " ");
		canvas_text(&c, FIRST_COLUMN + 1, words);
	}
	canvas_text(&c, FRAME_END, "✗");
	canvas_print(&c, l->out);
}

static void print_finding(struct ladder *l, size_t index)
{
	const struct selected_finding *f = &l->r->selection->findings[index];
	struct text t;

	if (!view_finding(l->r->engine, index, &l->finding))
		return;
	text_init(&t);
	text_addf(&t, "%s: %s", l->finding.id, l->finding.title);
	out_paragraph(l->out, FIRST_COLUMN - 2, f->rank > RANK_WARNING ? "✗" : "!", 2,
		f->rank > RANK_WARNING ? PAINT_BAD : PAINT_WARN, t.p);
	text_fini(&t);
}

static void print_event(struct ladder *l, const struct event *e)
{
	switch (e->kind) {
	case EVENT_MESSAGE:
		print_message(l, e->index);
		break;
	case EVENT_MEDIA:
		print_media(l, e->index);
		break;
	case EVENT_SILENCE:
		print_silence(l, e->index);
		break;
	case EVENT_FINDING:
		print_finding(l, e->index);
		break;
	}
}

/* What the numbers before the frames mean. */
static void print_files(const struct ladder *l)
{
	struct text t;

	if (l->r->file_count < 2)
		return;
	text_init(&t);
	for (size_t i = 0; i < l->r->file_count; i++) {
		text_addf(&t, "%s%zu: ", i ? ", " : "", i + 1);
		report_file_name(&t, l->r, i);
	}
	out_paragraph(l->out, 0, "Files", 9, PAINT_PLAIN, t.p);
	text_fini(&t);
}

static void print_rungs(struct ladder *l)
{
	struct canvas title;
	size_t shown = l->event_count < RUNGS_SHOWN || l->r->verbose ? l->event_count : RUNGS_SHOWN;
	char text[96], messages[WORDS], streams[WORDS];

	if (l->event_count)
		qsort(l->events, l->event_count, sizeof *l->events, event_compare);
	canvas_clear(&title);
	snprintf(text, sizeof text, "Ladder   %s, %s", words_counted(l->messages, "message", messages),
		words_counted(l->streams, "stream", streams));
	canvas_text(&title, 0, text);
	canvas_text(&title, FRAME_END - 5, "frame");
	canvas_print(&title, l->out);
	print_files(l);
	print_hosts(l);
	for (size_t i = 0; i < shown; i++)
		print_event(l, &l->events[i]);
	if (shown < l->event_count)
		out_textf(l->out, "and %zu more: -v lists them\n", l->event_count - shown);
}

static void ladder_init(struct ladder *l, const struct report *r, size_t call)
{
	l->r = r;
	l->out = r->out;
	l->call_index = call;
	l->before_ns = NS_NONE;
	view_call(r->engine, call, &l->call);
	collect_aliases(l);
	collect_messages(l);
	collect_media(l);
	collect_findings(l);
	place_hosts(l);
}

static void ladder_free(struct ladder *l)
{
	free(l->aliases);
	free(l->events);
	free(l->marks);
	free(l);
}

/* "Call 1: 1001 (Yealink SIP-T46S, 192.168.1.21) → 01632960105, ended, 0:42" */
static void add_title(struct text *t, const struct ladder *l)
{
	char length[NS_TEXT];

	text_addf(t, "Call %u: ", l->call.n);
	report_party(t, l->r, &l->call, 0);
	text_add(t, " → ");
	report_party(t, l->r, &l->call, 1);
	text_addf(t, ", %s", l->call.state ? l->call.state : "unknown");
	if (l->call.status >= 300)
		text_addf(t, " %u", l->call.status);
	if (l->call.answer_ns != NS_NONE && l->call.end_ns != NS_NONE)
		text_addf(t, ", talk %s", ns_duration(ns_minus(l->call.end_ns, l->call.answer_ns), length));
}

static void add_hears(struct text *t, const struct ladder *l)
{
	char caller[HEARS_TEXT], callee[HEARS_TEXT], moment[WORDS];

	if (l->call.start_ns != NS_NONE)
		text_addf(t, "%s; ", words_moment(l->call.start_ns, moment));
	text_addf(t, "caller hears %s, callee hears %s", hears_cell(&l->call, 0, caller),
		hears_cell(&l->call, 1, callee));
}

static void ladder_text(struct ladder *l)
{
	struct text t;

	text_init(&t);
	add_title(&t, l);
	out_paragraph(l->out, 0, "", 0, PAINT_HEAD, t.p);
	text_clear(&t);
	add_hears(&t, l);
	out_paragraph(l->out, 0, "", 0, PAINT_PLAIN, t.p);
	text_fini(&t);
	out_text(l->out, "\n");
	print_rungs(l);
	report_problems(l->r);
}

/*
 * What Markdown would read as its own is put behind a backslash; an escape of ours ("\x1b") keeps its backslash
 * visible.
 */
static void out_markdown(struct out *o, const char *utf8)
{
	char one[3] = "\\";

	for (; *utf8; utf8++) {
		const char *end = utf8;

		while (*end && !strchr("\\`*_{}[]<>#|~!", *end))
			end++;
		if (end > utf8) {
			struct text plain;

			text_init(&plain);
			text_addf(&plain, "%.*s", (int)(end - utf8), utf8);
			out_text(o, plain.p);
			text_fini(&plain);
		}
		if (!*end)
			return;
		one[1] = *end;
		out_text(o, one);
		utf8 = end;
	}
}

static void markdown_evidence(struct ladder *l, const struct view_finding *f)
{
	char number[32];

	for (unsigned i = 0; i < f->evidence_count; i++) {
		const struct view_evidence *e = &f->evidence[i];

		snprintf(number, sizeof number, "%u. ", i + 1);
		out_text(l->out, number);
		out_markdown(l->out, e->what ? e->what : "");
		if (e->frame && e->last_frame > e->frame)
			out_textf(l->out, " (frames %" PRIu32 "-%" PRIu32 ")", e->frame, e->last_frame);
		else if (e->frame)
			out_textf(l->out, " (frame %" PRIu32 ")", e->frame);
		out_text(l->out, "\n");
	}
	out_text(l->out, f->evidence_count ? "\n" : "");
}

static void markdown_finding(struct ladder *l, size_t index)
{
	const struct view_finding *f = &l->finding;

	if (!view_finding(l->r->engine, index, &l->finding))
		return;
	out_text(l->out, "**");
	out_markdown(l->out, f->title);
	out_text(l->out, "**\n\n`");
	out_text(l->out, f->id);
	out_text(l->out, f->reason && *f->reason ? "/" : "");
	out_text(l->out, f->reason ? f->reason : "");
	out_textf(l->out, "`, %.20s, %.20s\n\n", f->severity, f->confidence);
	if (f->cause && *f->cause) {
		out_markdown(l->out, f->cause);
		out_text(l->out, "\n\n");
	}
	if (f->cannot_see && *f->cannot_see) {
		out_text(l->out, "Not seen: ");
		out_markdown(l->out, f->cannot_see);
		out_text(l->out, "\n\n");
	}
	markdown_evidence(l, f);
	if (f->fix && *f->fix) {
		out_text(l->out, "Fix: ");
		out_markdown(l->out, f->fix);
		out_text(l->out, "\n\n");
	}
}

static void ladder_markdown(struct ladder *l)
{
	struct text t;

	text_init(&t);
	add_title(&t, l);
	out_text(l->out, "## ");
	out_markdown(l->out, t.p);
	out_text(l->out, "\n\n");
	text_clear(&t);
	add_hears(&t, l);
	text_add(&t, "; ");
	for (size_t i = 0; i < l->r->file_count; i++) {
		text_add(&t, i ? ", " : l->r->file_count > 1 ? "captures " : "capture ");
		report_file_name(&t, l->r, i);
	}
	out_markdown(l->out, t.p);
	out_text(l->out, "\n\n");
	text_fini(&t);
	for (size_t i = 0; i < l->r->selection->problem_count; i++)
		if (l->r->selection->problems[i].shown)
			markdown_finding(l, l->r->selection->problems[i].lead);
	out_text(l->out, "```text\n");
	print_rungs(l);
	out_text(l->out, "```\n");
}

void report_ladder(const struct report *r, size_t call, bool markdown)
{
	struct ladder *l = memory_zalloc(sizeof *l);

	ladder_init(l, r, call);
	if (markdown)
		ladder_markdown(l);
	else
		ladder_text(l);
	ladder_free(l);
}
