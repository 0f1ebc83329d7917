/* SPDX-License-Identifier: MIT */
/* lane: cells from the intervals of streams and the windows in which audio is due. */
#include "ui/dashboard/lane.h"

#include "ui/hears.h"

/* Below it nothing can be heard; above it somebody speaks; the top of the scale. */
enum { MUTE_DBM0 = -60, SPEECH_DBM0 = -40, LEVEL_TOP_DBM0 = -12, LEVEL_STEP_DB = 8 };

static unsigned cell_at(const struct lane *l, int64_t at_ns)
{
	double share = (double)(at_ns - l->from_ns) / (double)(l->to_ns - l->from_ns);

	return share <= 0 ? 0 : share >= 1 ? l->count : (unsigned)(share * l->count);
}

/* Cells that [from, to) touches. */
static void cells_of(const struct lane *l, int64_t from_ns, int64_t to_ns, unsigned *ret_first, unsigned *ret_end)
{
	*ret_first = cell_at(l, from_ns);
	*ret_end = from_ns >= l->to_ns || to_ns <= l->from_ns ? *ret_first : cell_at(l, to_ns - 1) + 1;
	if (*ret_end > l->count)
		*ret_end = l->count;
}

static void add_windows(struct lane *l, const struct view_direction *d, bool unseen)
{
	for (unsigned i = 0; i < d->window_count; i++) {
		const struct view_window *x = &d->windows[i];
		int64_t from_ns, to_ns;
		unsigned first, end;

		cells_of(l, x->due_ns, x->to_ns, &first, &end);
		for (unsigned c = first; c < end; c++) {
			l->cells[c].due |= x->due;
			l->cells[c].held |= !x->due;
			l->cells[c].unseen |= unseen;
		}
		if (!hears_failed(d, x, &from_ns, &to_ns))
			continue;
		cells_of(l, from_ns, to_ns, &first, &end);
		for (unsigned c = first; c < end; c++)
			l->cells[c].failed = true;
	}
}

/* Intervals without a packet may be left out: the shortest distance is their length. */
static int64_t interval_length(const struct view_stream *s)
{
	int64_t length_ns = INT64_MAX;

	for (unsigned i = 0; i + 1 < s->interval_count; i++) {
		int64_t apart_ns = ns_minus(s->intervals[i + 1].at_ns, s->intervals[i].at_ns);

		length_ns = apart_ns > 0 && apart_ns < length_ns ? apart_ns : length_ns;
	}
	return length_ns;
}

static void add_interval(struct lane_cell *c, const struct view_interval *x)
{
	float loss = x->packets + x->lost ? 100.0f * (float)x->lost / (float)(x->packets + x->lost) : 0;
	bool known = x->level_dbm0 != VIEW_UNHEARD;

	c->arrives = true;
	c->sound |= x->audio && !(known && x->level_dbm0 < MUTE_DBM0);
	c->loss = loss > c->loss ? loss : c->loss;
	if (known && (c->level_dbm0 == VIEW_UNHEARD || x->level_dbm0 > c->level_dbm0))
		c->level_dbm0 = x->level_dbm0;
}

enum { WITHOUT_NOTHING, WITHOUT_PAUSE, WITHOUT_QUIET, WITHOUT_MISSING };

static uint8_t kind_of(const struct view_hole *x)
{
	if (!x->silence)
		return WITHOUT_MISSING;
	return x->from_ns == INT64_MIN || x->to_ns == INT64_MAX ? WITHOUT_QUIET : WITHOUT_PAUSE;
}

/* Which cells lie wholly within a stretch without a packet, and of which kind it is. */
static void find_holes(const struct lane *l, const struct view_stream *s, uint8_t holes[LANE_CELLS_MAX])
{
	memset(holes, WITHOUT_NOTHING, LANE_CELLS_MAX);
	for (unsigned i = 0; i < s->hole_count; i++) {
		const struct view_hole *x = &s->holes[i];
		unsigned first = x->from_ns <= l->from_ns ? 0 : cell_at(l, x->from_ns) + 1, end = cell_at(l, x->to_ns);

		for (unsigned c = first; c < end; c++)
			holes[c] = kind_of(x);
	}
}

static void add_stream(struct lane *l, const struct view_stream *s)
{
	int64_t length_ns = interval_length(s), last_ns = ns_add(s->last_ns, 1);
	uint8_t holes[LANE_CELLS_MAX];

	find_holes(l, s, holes);
	for (unsigned i = 0; i < s->interval_count; i++) {
		const struct view_interval *x = &s->intervals[i];
		int64_t from_ns = x->at_ns > s->first_ns ? x->at_ns : s->first_ns, to_ns = ns_add(x->at_ns, length_ns);
		unsigned first, end;

		to_ns = to_ns < last_ns ? to_ns : last_ns;
		if (x->packets == 0 || to_ns <= from_ns)
			continue;
		cells_of(l, from_ns, to_ns, &first, &end);
		for (unsigned c = first; c < end; c++)
			if (holes[c] == WITHOUT_NOTHING)
				add_interval(&l->cells[c], x);
	}
	for (unsigned c = 0; c < l->count; c++) {
		l->cells[c].pause |= holes[c] == WITHOUT_PAUSE;
		l->cells[c].quiet |= holes[c] == WITHOUT_QUIET;
	}
}

static void lane_begin(struct lane *l, int64_t from_ns, int64_t to_ns, unsigned count)
{
	*l = (struct lane){ .from_ns = from_ns,
		.to_ns = to_ns > from_ns ? to_ns : from_ns + 1,
		.count = count < LANE_CELLS_MAX ? count : LANE_CELLS_MAX };
	for (unsigned i = 0; i < l->count; i++)
		l->cells[i].level_dbm0 = VIEW_UNHEARD;
}

/* What is sent and does not get there is not heard, nor what one leg brings where the next one brings nothing. */
static void lane_fail(struct lane *l)
{
	for (unsigned i = 0; i < l->count; i++)
		if (l->cells[i].failed)
			l->cells[i] = (struct lane_cell){ .due = true, .failed = true, .level_dbm0 = VIEW_UNHEARD };
}

void lane_make(struct lane *l, struct world *w, const struct view_call *c, unsigned hearer, int64_t from_ns,
	int64_t to_ns, unsigned count)
{
	struct view_stream s;

	lane_begin(l, from_ns, to_ns, count);
	for (unsigned i = 0; i < c->media_count; i++) {
		const struct view_direction *d = &c->media[i];

		if (d->sender == hearer || !d->kind || strcmp(d->kind, "audio") != 0)
			continue;
		add_windows(l, d, d->heard == HEARD_UNKNOWN && d->packets == 0);
		for (unsigned j = 0; j < d->stream_count; j++) {
			ptrdiff_t at = selection_stream(world_selection(w), d->streams[j]);

			if (at != SELECTION_NONE && view_stream(w->engine, (size_t)at, &s))
				add_stream(l, &s);
		}
	}
	lane_fail(l);
}

void lane_make_stream(struct lane *l, const struct view_stream *s, unsigned count)
{
	lane_begin(l, s->first_ns, s->last_ns, count);
	add_stream(l, s);
}

bool lane_recent(
	const struct view_call *c, bool up, int64_t now_ns, unsigned count, int64_t *ret_from_ns, int64_t *ret_to_ns)
{
	int64_t to_ns = up || c->end_ns == NS_NONE ? now_ns : c->end_ns;

	if (c->answer_ns == NS_NONE || to_ns == NS_NONE || to_ns <= c->answer_ns)
		return false;
	*ret_to_ns = to_ns;
	*ret_from_ns = up ? ns_minus(to_ns, count * SECOND_NS) : c->answer_ns;
	return true;
}

static const char *steps(float loss, enum paint *ret_paint)
{
	static const struct {
		float below;
		const char *glyph;
		enum paint paint;
	} table[] = {
		{ 1, "▇", PAINT_GOOD },
		{ 3, "▆", PAINT_GOOD },
		{ 5, "▅", PAINT_WARN },
		{ 10, "▄", PAINT_WARN },
		{ 20, "▃", PAINT_BAD },
		{ 50, "▂", PAINT_BAD },
	};

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		if (loss < table[i].below) {
			*ret_paint = table[i].paint;
			return table[i].glyph;
		}
	}
	*ret_paint = PAINT_BAD;
	return "▁";
}

static const char *cell_glyph(const struct lane_cell *c, enum paint *ret_paint)
{
	*ret_paint = PAINT_PLAIN;
	if (c->arrives && (c->sound || c->loss >= 1))
		return steps(c->loss, ret_paint);
	*ret_paint = PAINT_DIM;
	if (c->held && !c->arrives)
		return "░";
	if (c->arrives || c->pause || (c->due && c->quiet && !c->unseen))
		return "~";
	if (!c->due)
		return " ";
	*ret_paint = c->unseen ? PAINT_UNKNOWN : PAINT_BAD;
	return c->unseen ? "?" : "×";
}

void lane_draw(const struct lane *l, struct sheet *s, unsigned row, unsigned column)
{
	for (unsigned i = 0; i < l->count; i++) {
		enum paint paint;
		const char *glyph = cell_glyph(&l->cells[i], &paint);

		sheet_text(s, row, column + i, 1, paint, s->ascii && *glyph == '~' ? "0" : glyph);
	}
}

static const char *level_glyph(int dbm0)
{
	static const char *const glyphs[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
	int step = dbm0 < MUTE_DBM0 ? 0 : dbm0 >= LEVEL_TOP_DBM0 ? 7 : 1 + (dbm0 - MUTE_DBM0) / LEVEL_STEP_DB;

	return glyphs[step];
}

bool lane_draw_level(const struct lane *l, struct sheet *s, unsigned row, unsigned column)
{
	bool known = false;

	for (unsigned i = 0; i < l->count; i++) {
		if (l->cells[i].level_dbm0 == VIEW_UNHEARD)
			continue;
		sheet_text(s, row, column + i, 1, PAINT_PLAIN, level_glyph(l->cells[i].level_dbm0));
		known = true;
	}
	return known;
}

const char *lane_level_words(const struct lane *l)
{
	int most = -VIEW_UNHEARD;

	for (unsigned i = 0; i < l->count; i++)
		if (l->cells[i].level_dbm0 != VIEW_UNHEARD && l->cells[i].level_dbm0 > most)
			most = l->cells[i].level_dbm0;
	return most == -VIEW_UNHEARD ? "" : most > SPEECH_DBM0 ? "speech" : most >= MUTE_DBM0 ? "no speech" : "silence";
}
