/* SPDX-License-Identifier: MIT */
/* frame: the first two lines and the last ones, which every view has. */
#include "ui/dashboard/parts.h"

#include <stdio.h>

#include "ui/words.h"

enum { STATE_BYTES = 2 * WORDS + 48, SOURCE_LEAST = 20 };

/* ---- first lines ---- */

static void draw_progress(const struct numbers *n, char *buffer, size_t room)
{
	char left[WORDS];
	double share = n->bytes_total ? (double)n->bytes_done / (double)n->bytes_total : 0;

	if (n->bytes_total && n->left_ns != NS_NONE)
		snprintf(buffer, room, "   reading %.0f %%, %s left", 100 * (share < 1 ? share : 1),
			words_duration(n->left_ns, left));
	else if (n->bytes_total)
		snprintf(buffer, room, "   reading %.0f %%", 100 * (share < 1 ? share : 1));
	else
		snprintf(buffer, room, "   reading");
}

/* What is read of the source: length, rate or frames, drops, how far. */
static void add_read(const struct numbers *n, struct text *t, size_t room)
{
	char count[WORDS], length[NS_TEXT], rate[WORDS], drops[WORDS], progress[96] = "";

	if (n->length_ns > 0)
		text_addf(t, "  %s", ns_duration(n->length_ns, length));
	if (n->live)
		text_addf(t, "  %s pkt/s  %s dropped", words_count(n->frames_per_s, rate),
			words_count(n->dropped, drops));
	else if (text_columns(t->p) + text_columns(words_counted(n->frames, "frame", count)) + 2 <= room || n->loading)
		text_addf(t, "  %s", count);
	if (n->loading)
		draw_progress(n, progress, sizeof progress);
	text_add(t, progress);
}

/* A long name gives way to what is read of it. */
static void draw_source(const struct numbers *n, struct sheet *s, unsigned room)
{
	struct text source, read;
	size_t columns, least;
	unsigned width;

	text_init(&source);
	text_init(&read);
	text_addf(&source, "deadair %s%s", n->live ? "live " : "", n->source);
	columns = text_columns(source.p);
	least = columns < SOURCE_LEAST ? columns : SOURCE_LEAST;
	add_read(n, &read, room > least ? room - least : 0);
	width = (unsigned)(least + text_columns(read.p) > room ? least : room - text_columns(read.p));
	width = columns < width ? (unsigned)columns : width;
	if (n->note[0] && s->columns >= WIDE_COLUMNS)
		text_addf(&read, "  %s", n->note);
	sheet_text(s, 0, 1, width, PAINT_HEAD, source.p);
	sheet_text(s, 0, 1 + width, room > width ? room - width : 0, PAINT_HEAD, read.p);
	text_fini(&source);
	text_fini(&read);
}

/* A capture that goes on is of today; a file, and one that began on another day, needs the date. */
static const char *clock_words(const struct numbers *n, unsigned columns, char buffer[WORDS])
{
	char moment[WORDS], clock[NS_TEXT];
	const char *zone;

	if (n->now_ns == NS_NONE)
		return strcpy(buffer, "");
	if (!n->live && (!n->loading || columns >= WIDE_COLUMNS))
		return words_moment(n->now_ns, buffer);
	if (n->live && !words_same_day(n->now_ns, ns_minus(n->now_ns, n->length_ns)))
		return words_day(n->now_ns, buffer);
	zone = strrchr(words_moment(n->now_ns, moment), ' ');
	snprintf(buffer, WORDS, "%s%.12s", ns_clock(n->now_ns, 0, clock), zone ? zone : "");
	return buffer;
}

/* Behind the picture that stands still. */
static const char *found_since(size_t now, size_t then, char buffer[WORDS])
{
	buffer[0] = '\0';
	if (now > then)
		snprintf(buffer, WORDS, ", +%zu new", now - then);
	return buffer;
}

/* Before the clock: what must not be overlooked. */
static const char *state_of_view(const struct dashboard *d, const struct numbers *n, char buffer[STATE_BYTES])
{
	const char *redacted = n->redacted ? "REDACTED  " : "";
	char length[WORDS], found[WORDS];

	snprintf(buffer, STATE_BYTES, "%s", redacted);
	if (d->paused)
		snprintf(buffer, STATE_BYTES, "%sPAUSED %s%s  ", redacted,
			words_duration(d->frozen.now_ns != NS_NONE && n->now_ns != NS_NONE
				? (n->now_ns - d->frozen.now_ns) / SECOND_NS * SECOND_NS : 0, length),
			found_since(n->findings, d->frozen.findings, found));
	else if (n->stale)
		snprintf(buffer, STATE_BYTES, "%sSTALE %s%s  ", redacted,
			words_duration(n->quiet_ns / SECOND_NS * SECOND_NS, length),
			n->quiet_ns >= 30 * SECOND_NS ? ": cable or mirror?" : "");
	return buffer;
}

/* Of a picture that stands still, only how long it does goes on. */
void frame_first(struct dashboard *d, const struct numbers *now, struct sheet *s)
{
	const struct numbers *n = d->paused ? &d->frozen : now;
	char clock[WORDS], state[STATE_BYTES];
	unsigned right;

	clock_words(n, s->columns, clock);
	state_of_view(d, now, state);
	right = (unsigned)(text_columns(clock) + text_columns(state)) + 2;
	draw_source(n, s, s->columns > right + 1 ? s->columns - right - 1 : 0);
	sheet_right(s, 0, 0, s->columns - 1, PAINT_PLAIN, clock);
	if (*state)
		sheet_text(s, 0, s->columns > right ? s->columns - right + 1 : 0, right, PAINT_WARN, state);
}

void frame_views(struct dashboard *d, struct sheet *s)
{
	unsigned at = 1;

	for (unsigned i = 0; i < VIEW_MAIN; i++) {
		const char *name = view_name((enum view)i);
		unsigned width = (unsigned)strlen(name) + 1;
		unsigned flags = i == d->main ? STYLE_REVERSE : 0;

		sheet_textf(s, 1, at, width, PAINT_PLAIN | flags, "%u%s", i + 1, name);
		hot_add(d, 1, at, width, HOT_VIEW + i);
		at += width + 1;
	}
}

/* ---- last lines ---- */

static bool footer_wants(const struct dashboard *d, const struct key_row *r, enum view v)
{
	return r->footer && r->views >> v & 1 && !(r->action == ACTION_PAUSE && d->depth);
}

/* The first key of a row of the table. */
static void first_key(const struct key_row *r, char buffer[16])
{
	snprintf(buffer, 16, "%.*s", (int)strcspn(r->keys, " "), r->keys);
	if (r->action == ACTION_SORT_LEFT)
		strcpy(buffer, "< >");
}

void frame_footer(struct dashboard *d, struct sheet *s)
{
	enum view v = (enum view)place_of(d)->view;
	const struct key_row *rows;
	size_t count = key_rows(&rows);
	unsigned at = 1, row = s->rows - 1;

	for (size_t i = 0; i < count; i++) {
		unsigned width;
		char key[16];

		if (!footer_wants(d, &rows[i], v))
			continue;
		first_key(&rows[i], key);
		width = (unsigned)(text_columns(key) + 1 + strlen(rows[i].footer));
		if (at + width >= s->columns)
			return;
		at += sheet_text(s, row, at, s->columns, PAINT_PLAIN | STYLE_REVERSE, key);
		sheet_text(s, row, at + 1, s->columns, PAINT_PLAIN, rows[i].footer);
		hot_add(d, row, at - (unsigned)text_columns(key), width, rows[i].codes[0]);
		at += (unsigned)strlen(rows[i].footer) + 3;
	}
}

void frame_message(struct dashboard *d, struct sheet *s)
{
	unsigned row = s->rows > 2 ? s->rows - 2 : 0;

	if (!d->message[0])
		return;
	sheet_blank(s, row, 0, s->columns);
	sheet_text(s, row, 1, s->columns - 2, PAINT_WARN, d->message);
}
