/* SPDX-License-Identifier: MIT */
/* parts: what the views of the dashboard share with its frame; only ui/dashboard includes it. */
#ifndef DEADAIR_DASHBOARD_PARTS_H
#define DEADAIR_DASHBOARD_PARTS_H

#include "ui/dashboard/dashboard.h"

enum { WORDS_RANGE = 64, PARTY_BYTES = 128 };
/* Keys that only the screen has: heads of columns, views of the second line. */
enum { HOT_SORT = 0x120000, HOT_VIEW = 0x120100 };

struct looking { /* who asks a view for its rows */
	struct dashboard *d;
	struct world *w;
	unsigned pane;
};

struct view_part {
	unsigned panes;
	bool reads; /* a text that is scrolled: no row is selected in it */
	size_t (*count)(const struct looking *k);
	list_id_fn *id; /* context: struct looking */
	/* Between the second line and the last but one. Places its lists. */
	void (*draw)(struct dashboard *d, struct world *w, struct sheet *s);
	/* False: not done, the frame may. */
	bool (*act)(struct dashboard *d, struct world *w, enum action a);
};

extern const struct view_part part_overview, part_calls, part_findings, part_streams, part_registrations, part_hosts,
	part_history, part_call, part_ladder, part_raw, part_compare, part_problem, part_text;

const struct view_part *view_part(enum view v);
struct place *place_of(struct dashboard *d); /* the one in view */
struct list *list_of(struct dashboard *d, unsigned pane);
/* Opens a view out of the present one; the caller fills in what it is about. */
struct place *place_open(struct dashboard *d, enum view v);
void message_set(struct dashboard *d, const char *format, ...) __attribute__((format(printf, 2, 3)));
void hot_add(struct dashboard *d, unsigned row, unsigned column, unsigned width, uint32_t key);

/* First and last row of a view's area. */
enum { AREA_TOP = 2 };
static inline unsigned area_end(const struct sheet *s)
{
	return s->rows > 3 ? s->rows - 1 : s->rows; /* the footer's row */
}

/* A reversed line: text, and what stands at its right end. */
void bar_draw(struct sheet *s, unsigned row, unsigned column, unsigned width, const char *text, const char *right);
/* For a while: something came. */
void bar_alarm(struct sheet *s, unsigned row, unsigned column, unsigned width);
/* "5-12 of 108" of a list, "" where all of it is in sight. */
const char *bar_range(const struct list *l, size_t count, char buffer[WORDS_RANGE]);
/*
 * So many calls came above what is in sight, or below it where new ones stand last. They count until the newest is
 * seen.
 */
unsigned news_of_calls(struct list *l, struct world *w, const struct order *o);
/* The same of problems, which enter above. */
unsigned news_of_problems(struct list *l, struct world *w, size_t count);
/* "   +3 new"; "" none */
const char *news_words(unsigned news, char buffer[WORDS_RANGE]);
/* frame.c: what is read, how it goes, what time it is there; the views; keys; what is to be said. */
void frame_first(struct dashboard *d, const struct numbers *now, struct sheet *s);
void frame_views(struct dashboard *d, struct sheet *s);
void frame_footer(struct dashboard *d, struct sheet *s);
void frame_message(struct dashboard *d, struct sheet *s);
/* The selected row: reversed, with its sign before it. */
void row_select(struct sheet *s, unsigned row, unsigned column, unsigned width);
/*
 * Who sends to whom where a row has no room for both addresses whole: so many rows below the list, 0 where it has, and
 * what stands in them.
 */
unsigned ends_rows(const struct sheet *s, const char *from, const char *to, unsigned room);
void ends_draw(struct sheet *s, unsigned row, unsigned rows, const char *from, const char *to);
/* Into a fixed buffer: a number's or name's text, escaped. */
const char *party_text(struct span s, const char *otherwise, char buffer[PARTY_BYTES]);

/* The identity of the call that is selected or open; 0 none. */
uint64_t selected_call(struct dashboard *d, struct world *w);
void open_call(struct dashboard *d, struct world *w, uint64_t call);
void open_ladder(struct dashboard *d, uint64_t call, bool extended);
void open_problem(struct dashboard *d, struct world *w, size_t finding);
/* The message at a frame of a call, or its ladder where that frame is none. */
void open_frame(struct dashboard *d, struct world *w, uint64_t call, unsigned file, uint32_t frame);

enum paint mark_paint(enum call_mark m);
const char *mark_sign(enum call_mark m);
enum call_mark rank_mark(enum rank r);
/* "in call", "ended" */
const char *state_words(const char *state, bool up);

bool is_marked(const struct dashboard *d, uint64_t call);
bool prompt_key(struct dashboard *d, struct world *w, uint32_t key); /* True: a prompt or a form took it */
void prompt_open(struct dashboard *d, struct world *w, enum prompt p);
void prompt_draw(struct dashboard *d, struct world *w, struct sheet *s);

#endif
