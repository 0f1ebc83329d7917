/* SPDX-License-Identifier: MIT */
/* frame: the first two lines and the last ones, which every view has. */
#include "ui/dashboard/parts.h"

#include <stdio.h>

#include "ui/words.h"

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

/* Source, length, rate or frames, drops. */
static void draw_source(const struct numbers *n, struct sheet *s, unsigned room)
{
	char count[WORDS], length[NS_TEXT], rate[WORDS], drops[WORDS], progress[96] = "";
	struct text t;

	text_init(&t);
	text_addf(&t, "deadair %s%s", n->live ? "live " : "", n->source);
	if (n->length_ns > 0)
		text_addf(&t, "  %s", ns_duration(n->length_ns, length));
	if (n->live)
		text_addf(&t, "  %s pkt/s  %s dropped", words_count(n->frames_per_s, rate),
			words_count(n->dropped, drops));
	else
		text_addf(&t, "  %s", words_counted(n->frames, "frame", count));
	if (n->loading)
		draw_progress(n, progress, sizeof progress);
	text_add(&t, progress);
	if (n->note[0] && s->columns >= WIDE_COLUMNS)
		text_addf(&t, "  %s", n->note);
	sheet_text(s, 0, 1, room, PAINT_HEAD, t.p);
	text_fini(&t);
}

static const char *clock_words(int64_t at_ns, char buffer[NS_TEXT])
{
	char moment[WORDS], clock[NS_TEXT];
	const char *zone;

	if (at_ns == NS_NONE)
		return strcpy(buffer, "");
	zone = strrchr(words_moment(at_ns, moment), ' ');
	snprintf(buffer, NS_TEXT, "%s%.12s", ns_clock(at_ns, 0, clock), zone ? zone : "");
	return buffer;
}

/* Before the clock: what must not be overlooked. */
static const char *state_of_view(const struct dashboard *d, const struct numbers *n, char buffer[NS_TEXT])
{
	char length[WORDS];

	buffer[0] = '\0';
	if (d->paused)
		snprintf(buffer, NS_TEXT, "PAUSED %s  ",
			words_duration(d->frozen.now_ns != NS_NONE && n->now_ns != NS_NONE
				? (n->now_ns - d->frozen.now_ns) / SECOND_NS * SECOND_NS : 0, length));
	else if (n->stale)
		snprintf(buffer, NS_TEXT, n->quiet_ns >= 30 * SECOND_NS ? "STALE %s: cable or mirror?  " : "STALE %s  ",
			words_duration(n->quiet_ns / SECOND_NS * SECOND_NS, length));
	return buffer;
}

/* Of a picture that stands still, only how long it does goes on. */
void frame_first(struct dashboard *d, const struct numbers *now, struct sheet *s)
{
	const struct numbers *n = d->paused ? &d->frozen : now;
	char clock[NS_TEXT], state[NS_TEXT];
	unsigned right;

	clock_words(n->now_ns, clock);
	state_of_view(d, now, state);
	right = (unsigned)(text_columns(clock) + text_columns(state)) + 2;
	draw_source(n, s, s->columns > right ? s->columns - right : 0);
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
