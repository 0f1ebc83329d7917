/* SPDX-License-Identifier: MIT */
/* ladder_rungs: a ladder in characters: hosts above, a line for each event. */
#include "ui/ladder_part.h"

#include <inttypes.h>
#include <stdio.h>

#include "ui/canvas.h"
#include "ui/words.h"

enum {
	FRAME_END = 79,              /* frames end here; the mark stands behind */
	RELATIVE_NS = 25 * MILLISECOND_NS,   /* closer than this to the rung before: as +.001 */
	RUNGS_SHOWN = 2000
};

static const char *host_role(const struct call_ladder *l, const struct address *a)
{
	struct view_host h;

	for (size_t i = 0; view_host(l->r->engine, i, &h); i++)
		if (address_equal(&h.addr, a))
			return h.role_count ? h.roles[0] : NULL;
	return NULL;
}

static void host_label(const struct call_ladder *l, size_t i, char label[PARTY_TEXT])
{
	const char *name = names_find(l->r->names, &l->hosts.at[i]), *role;

	if (address_equal(&l->hosts.at[i], &l->call.from_at.addr))
		report_number(&l->call, 0, label);
	else if (address_equal(&l->hosts.at[i], &l->call.to_at.addr) && l->call.to.n)
		report_number(&l->call, 1, label);
	else if (name)
		snprintf(label, PARTY_TEXT, "%s", name);
	else if ((role = host_role(l, &l->hosts.at[i])))
		snprintf(label, PARTY_TEXT, "%s", role);
	else
		label[0] = '\0';
}

/* Texts above their columns, each on the first line where it fits; at most one line a host. */
static void print_heads(const struct call_ladder *l, char texts[HOST_MAX][PARTY_TEXT])
{
	struct canvas lines[HOST_MAX];
	size_t used = 0;

	for (size_t i = 0; i < HOST_MAX; i++)
		canvas_clear(&lines[i]);
	for (size_t i = 0; i < l->hosts.count; i++) {
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

static void print_hosts(const struct call_ladder *l)
{
	char labels[HOST_MAX][PARTY_TEXT], addresses[HOST_MAX][PARTY_TEXT];

	for (size_t i = 0; i < l->hosts.count; i++) {
		char whole[PARTY_TEXT];
		struct text cut;

		host_label(l, i, whole);
		text_init(&cut);
		words_cut(&cut, whole, LANE_MAX, words_is_number(whole));
		snprintf(labels[i], PARTY_TEXT, "%s", cut.p);
		text_clear(&cut);
		ladder_hosts_addresses(&l->hosts, (unsigned)i, " | ", &cut);
		snprintf(addresses[i], PARTY_TEXT, "%s", cut.p);
		text_fini(&cut);
	}
	print_heads(l, labels);
	print_heads(l, addresses);
}

static void rung_begin(struct call_ladder *l, struct canvas *c, int64_t at_ns)
{
	char clock[NS_TEXT], relative[WORDS];
	int64_t since_ns = l->before_ns == NS_NONE || at_ns == NS_NONE ? INT64_MAX : ns_minus(at_ns, l->before_ns);

	canvas_clear(c);
	for (size_t i = 0; i < l->hosts.count; i++)
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
static void rung_frames(const struct call_ladder *l, struct canvas *c, unsigned file, uint32_t first, uint32_t last,
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
static void rung_arrow(const struct call_ladder *l, struct canvas *c, size_t from, size_t to, const char *text,
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

static void rung_between(const struct call_ladder *l, struct canvas *c, const struct endpoint *src,
	const struct endpoint *dst, const char *text,
			 const char *line)
{
	ptrdiff_t from = ladder_hosts_find(&l->hosts, &src->addr), to = ladder_hosts_find(&l->hosts, &dst->addr);

	if (from < 0 || to < 0 || from == to)
		rung_words(c, src, dst, text);
	else
		rung_arrow(l, c, (size_t)from, (size_t)to, text, line);
}

/* Below its message: what the SDP says, beginning in the lane of the arrow. */
static void print_sdp(struct call_ladder *l, const struct view_message *m)
{
	ptrdiff_t from = ladder_hosts_find(&l->hosts, &m->src.addr), to = ladder_hosts_find(&l->hosts, &m->dst.addr);
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
	for (size_t i = 0; i < l->hosts.count; i++)
		canvas_text(&c, l->column[i], "│");
	canvas_fill(&c, at - 1, at + n + 1, " ");
	canvas_text(&c, at, m->sdp_text);
	canvas_print(&c, l->out);
}

static void print_message(struct call_ladder *l, size_t index)
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
	rung_frames(l, &c, m.file, m.frame, m.frame, call_ladder_is_marked(l, m.file, m.frame));
	canvas_print(&c, l->out);
	if (m.sdp_text)
		print_sdp(l, &m);
	text_fini(&t);
}

static void print_media(struct call_ladder *l, size_t index)
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
	rung_frames(l, &c, s.file, s.first_frame, s.last_frame, call_ladder_is_marked(l, s.file, s.first_frame));
	canvas_print(&c, l->out);
	text_fini(&t);
}

static void print_silence(struct call_ladder *l, size_t index)
{
	const struct view_direction *d = &l->call.media[index];
	char text[64];
	struct canvas c;

	snprintf(text, sizeof text, "no %.16s ✗", d->kind ? d->kind : "media");
	rung_begin(l, &c, l->call.answer_ns);
	if (ladder_hosts_find(&l->hosts, &d->from.addr) >= 0 && ladder_hosts_find(&l->hosts, &d->to.addr) >= 0) {
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

static void print_finding(struct call_ladder *l, size_t index)
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

static void print_event(struct call_ladder *l, const struct event *e)
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
static void print_files(const struct call_ladder *l)
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

void call_ladder_print(struct call_ladder *l)
{
	struct canvas title;
	size_t shown = l->event_count < RUNGS_SHOWN || l->r->verbose ? l->event_count : RUNGS_SHOWN;
	char text[96], messages[WORDS], streams[WORDS];

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
