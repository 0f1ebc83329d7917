/* SPDX-License-Identifier: MIT */
/* view_raw: a message in full; and two of them beside each other, with what differs marked. */
#include "ui/dashboard/page.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "captures/base/memory.h"
#include "ui/words.h"

enum { LINES_MAX = 2000, NAME_COLUMNS = 16 };

/* A line without its end; the text stands in the engine. */
static bool line_take(struct span *left, struct span *ret)
{
	size_t n = span_find(*left, '\n');

	if (left->n == 0)
		return false;
	*ret = span_first(*left, n);
	if (ret->n && ret->p[ret->n - 1] == '\r')
		ret->n--;
	*left = n < left->n ? span_from(*left, n + 1) : (struct span){ NULL, 0 };
	return true;
}

static void add_title(struct page *p, const struct world *w, const struct view_message *m)
{
	char clock[NS_TEXT], from[ENDPOINT_TEXT], to[ENDPOINT_TEXT], right[64];
	struct text t;

	text_init(&t);
	message_words(m, &t);
	text_addf(&t, "   %s   %s → %s", ns_clock(m->at_ns, 3, clock), endpoint_text(&m->src, from),
		endpoint_text(&m->dst, to));
	if (w->file_count > 1)
		snprintf(right, sizeof right, "file %u, frame %" PRIu32, m->file + 1, m->frame);
	else
		snprintf(right, sizeof right, "frame %" PRIu32, m->frame);
	page_add(p, LINE_BAR, PAINT_PLAIN, t.p)->right = memory_text(right);
	text_fini(&t);
}

/* Long lines go on below themselves: nothing is out of sight. */
static void add_long(struct page *p, const char *text, unsigned width, unsigned style)
{
	size_t room = width > 12 ? width - 4 : 8;
	bool first = true;

	do {
		size_t n = 0, columns = 0;
		struct text t;

		while (text[n] && columns < room) {
			size_t bytes = 1;
			char one[8] = "";

			while (((unsigned char)text[n + bytes] & 0xc0) == 0x80)
				bytes++;
			memcpy(one, text + n, bytes < sizeof one ? bytes : sizeof one - 1);
			columns += text_columns(one);
			n += bytes;
		}
		text_init(&t);
		text_addf(&t, "%s%.*s", first ? "" : "  ", (int)n, text);
		page_add(p, LINE_TEXT, style, t.p);
		text_fini(&t);
		text += n;
		first = false;
	} while (*text);
}

void page_make_raw(struct page *p, struct dashboard *d, struct world *w, unsigned width)
{
	const struct place *place = place_of(d);
	struct view_message m, other;
	struct span left, line;
	bool first = true, compared;
	struct text t;

	if (!message_get(w, place->call, place->messages[0], &m)) {
		page_add(p, LINE_TEXT, PAINT_DIM, "this message is not in this picture any more");
		return;
	}
	add_title(p, w, &m);
	if (m.raw.n == 0) {
		page_add(p, LINE_TEXT, PAINT_DIM, "the text of this message was not kept");
		return;
	}
	compared = message_get(w, place->call, place->messages[1], &other);
	text_init(&t);
	if (compared) {
		text_addf(
			&t, "≠ this differs from the same message at frame %" PRIu32 ": D compares them", other.frame);
		page_add(p, LINE_TEXT, PAINT_WARN, t.p);
	}
	left = m.raw;
	while (p->count < LINES_MAX && line_take(&left, &line)) {
		bool differs = compared && !message_says(&other, line);

		text_clear(&t);
		text_add(&t, differs ? "≠" : compared ? " " : "");
		text_add_escaped(&t, line);
		add_long(p, t.p, width, differs ? PAINT_WARN : first ? PAINT_HEAD : PAINT_PLAIN);
		first = false;
	}
	text_fini(&t);
}

/* ---- two messages ---- */

/* A field: a header's name or a letter of SDP, and its value. The n-th of that name is compared with the n-th. */
struct field {
	struct span name, value;
	unsigned nth;
	bool used;
};

static struct field field_of(struct span line, bool body, bool first)
{
	size_t at = span_find(line, body ? '=' : ':');
	struct field f = { line, { NULL, 0 }, 0, false };

	if (first)
		return (struct field){ SPAN("first line"), line, 0, false };
	if (at >= line.n || (body && at != 1))
		return f;
	f.name = span_first(line, body ? at + 1 : at);
	f.value = span_from(line, at + 1);
	while (f.value.n && (*f.value.p == ' ' || *f.value.p == '\t'))
		f.value = span_from(f.value, 1);
	return f;
}

/* a=rtpmap:8 and a=sendrecv are fields of their own. */
static void name_attribute(struct field *f)
{
	size_t at = span_find(f->value, ':');

	if (f->name.n == 2 && f->name.p[0] == 'a' && f->name.p + 2 == f->value.p) {
		f->name = (struct span){ f->name.p, 2 + (at < f->value.n ? at : f->value.n) };
		f->value = at < f->value.n ? span_from(f->value, at + 1) : (struct span){ f->value.p, 0 };
	}
}

static size_t fields_of(struct span raw, struct field *fields)
{
	struct span line;
	size_t count = 0;
	bool body = false;

	while (count < LINES_MAX && line_take(&raw, &line)) {
		struct field *f = &fields[count];

		if (line.n == 0) {
			body = true;
			continue;
		}
		*f = field_of(line, body, count == 0);
		name_attribute(f);
		for (size_t i = 0; i < count; i++)
			f->nth += span_equal_nocase(fields[i].name, f->name);
		count++;
	}
	return count;
}

static struct field *field_find(struct field *fields, size_t count, const struct field *like)
{
	for (size_t i = 0; i < count; i++)
		if (!fields[i].used && fields[i].nth == like->nth && span_equal_nocase(fields[i].name, like->name))
			return &fields[i];
	return NULL;
}

static void value_words(const struct field *f, struct text *t)
{
	if (!f)
		text_add(t, "-");
	else if (f->value.n == 0)
		text_add(t, "(empty)");
	else
		text_add_escaped(t, f->value);
}

/*
 * Where two texts begin to differ, a word or two before it: what is equal at the beginning of long values is left
 * out.
 */
static size_t common_beginning(const char *a, const char *b, size_t room)
{
	size_t n = 0, from;

	while (a[n] && a[n] == b[n])
		n++;
	if (strlen(a) <= room && strlen(b) <= room)
		return 0;
	from = n > room / 3 ? n - room / 3 : 0;
	while (from && ((unsigned char)a[from] & 0xc0) == 0x80)
		from--;
	return from;
}

static void add_pair(struct page *p, const struct field *a, const struct field *b, unsigned width)
{
	bool differ = !a || !b || !span_equal(a->value, b->value);
	unsigned side = width > NAME_COLUMNS + 20 ? (width - NAME_COLUMNS - 4) / 2 : 20;
	struct text left, right, name, t, cut;
	size_t skip;

	text_init(&left);
	text_init(&right);
	text_init(&name);
	text_init(&t);
	text_init(&cut);
	value_words(a, &left);
	value_words(b, &right);
	text_add_escaped(&name, (a ? a : b)->name);
	skip = a && b && differ ? common_beginning(left.p, right.p, side - 1) : 0;
	words_cut(&cut, name.p, NAME_COLUMNS - 1, false);
	text_addf(&t, "%s%s%*s", differ ? "≠" : " ", cut.p, (int)(NAME_COLUMNS - text_columns(cut.p)), "");
	text_clear(&cut);
	words_cut(&cut, skip ? left.p + skip - 1 : left.p, side - 1, false);
	if (skip)
		text_add(&t, "…");
	text_addf(&t, "%s%*s", cut.p + (skip ? 1 : 0),
		(int)(side > text_columns(cut.p) ? side - text_columns(cut.p) : 1), "");
	text_clear(&cut);
	words_cut(&cut, skip ? right.p + skip - 1 : right.p, side - 1, false);
	if (skip)
		text_add(&t, "…");
	text_add(&t, cut.p + (skip ? 1 : 0));
	page_add(p, LINE_TEXT, differ ? PAINT_WARN : PAINT_DIM, t.p);
	text_fini(&cut);
	text_fini(&t);
	text_fini(&name);
	text_fini(&right);
	text_fini(&left);
}

static void compare_title(struct page *p, const struct view_message *a, const struct view_message *b)
{
	char at[ENDPOINT_TEXT], to[ENDPOINT_TEXT], right[64];
	int64_t apart_ns = ns_minus(b->at_ns, a->at_ns);
	struct text t;

	text_init(&t);
	message_words(a, &t);
	text_addf(&t, ", frame %" PRIu32 "  %s → %s", a->frame, endpoint_text(&a->src, at), endpoint_text(&a->dst, to));
	page_add(p, LINE_BAR, PAINT_PLAIN, t.p);
	text_clear(&t);
	message_words(b, &t);
	text_addf(&t, ", frame %" PRIu32 "  %s → %s", b->frame, endpoint_text(&b->src, at), endpoint_text(&b->dst, to));
	snprintf(right, sizeof right, "%.3f s later", (double)apart_ns / SECOND_NS);
	page_add(p, LINE_BAR, PAINT_PLAIN, t.p)->right = memory_text(right);
	text_fini(&t);
}

static void compare_fields(struct page *p, const struct dashboard *d, struct field *a, size_t na, struct field *b,
	size_t nb, unsigned width)
{
	size_t differ = 0, equal = 0;
	char text[120], x[WORDS], y[WORDS];

	for (size_t i = 0; i < na; i++) {
		struct field *like = field_find(b, nb, &a[i]);
		bool same = like && span_equal(a[i].value, like->value);

		if (like)
			like->used = true;
		*(same ? &equal : &differ) += 1;
		if (!same || d->equal)
			add_pair(p, &a[i], like, width);
	}
	for (size_t i = 0; i < nb; i++) {
		if (b[i].used)
			continue;
		differ++;
		add_pair(p, NULL, &b[i], width);
	}
	snprintf(text, sizeof text, "%s differ, %s equal%s", words_count(differ, x), words_count(equal, y),
		d->equal ? "" : ": D shows them");
	page_add(p, LINE_TEXT, PAINT_HEAD, text);
}

void page_make_compare(struct page *p, struct dashboard *d, struct world *w, unsigned width)
{
	const struct place *place = place_of(d);
	struct view_message m[2];
	struct field *fields[2];
	size_t counts[2];

	for (unsigned i = 0; i < 2; i++) {
		if (!message_get(w, place->message_calls[i], place->messages[i], &m[i])) {
			page_add(p, LINE_TEXT, PAINT_DIM, "one of these messages is not in this picture any more");
			return;
		}
	}
	if (m[1].at_ns < m[0].at_ns) {
		struct view_message later = m[0];

		m[0] = m[1];
		m[1] = later;
	}
	compare_title(p, &m[0], &m[1]);
	for (unsigned i = 0; i < 2; i++) {
		fields[i] = memory_zalloc(LINES_MAX * sizeof *fields[i]);
		counts[i] = fields_of(m[i].raw, fields[i]);
	}
	compare_fields(p, d, fields[0], counts[0], fields[1], counts[1], width);
	free(fields[0]);
	free(fields[1]);
}

/* ---- drawing ---- */

static void draw(struct dashboard *d, struct world *w, struct sheet *s)
{
	page_draw(page_of(d, w), d, w, s, list_of(d, 0), AREA_TOP, 0, s->columns, area_end(s) - AREA_TOP, true);
}

/* Between two messages it is about equal lines; of one it opens the comparison with its copy. */
static void act_compare(struct dashboard *d)
{
	struct place from = *place_of(d), *p;

	if (from.view == VIEW_COMPARE) {
		d->equal = !d->equal;
		return;
	}
	if (!from.messages[1]) {
		message_set(d, "no copy of it differs; Space on two messages of the ladder compares them");
		return;
	}
	p = place_open(d, VIEW_COMPARE);
	memcpy(p->messages, from.messages, sizeof p->messages);
	memcpy(p->message_calls, from.message_calls, sizeof p->message_calls);
}

static bool act(struct dashboard *d, struct world *w, enum action a)
{
	switch ((int)a) {
	case ACTION_FIND_NEXT: page_find(d, w, false); return true;
	case ACTION_FIND_PREVIOUS: page_find(d, w, true); return true;
	case ACTION_EQUAL: act_compare(d); return true;
	default: return false;
	}
}

const struct view_part part_raw = {
	.panes = 1, .reads = true, .count = page_count, .id = page_line_id, .draw = draw, .act = act
};
const struct view_part part_compare = {
	.panes = 1, .reads = true, .count = page_count, .id = page_line_id, .draw = draw, .act = act
};
