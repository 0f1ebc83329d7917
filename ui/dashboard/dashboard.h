/* SPDX-License-Identifier: MIT */
/*
 * dashboard: what a person has in view: state without pointers, keys in, a sheet out. All that is shown comes from
 * the world, which is one frozen
 * picture of the engine; the state outlives it and is carried from one picture to the next. No terminal is needed here.
 */
#ifndef DEADAIR_DASHBOARD_DASHBOARD_H
#define DEADAIR_DASHBOARD_DASHBOARD_H

#include "ui/dashboard/keys.h"
#include "ui/dashboard/list.h"
#include "ui/dashboard/sheet.h"
#include "ui/dashboard/world.h"

enum {
	PANE_MAX = 3,
	PLACE_MAX = 10,
	MARK_MAX = 64,
	HOT_MAX = 64,
	INPUT_BYTES = 240,
	PAST_MAX = 6,
	ABOUT_BYTES = 64,
	MESSAGE_BYTES = 200,
	COPY_BYTES = 1024
};
enum { LEAST_ROWS = 15, LEAST_COLUMNS = 60, WIDE_COLUMNS = 140 };

enum page_kind { PAGE_HELP, PAGE_EXPLAIN, PAGE_FACTS, PAGE_RECORD, PAGE_COMPARE }; /* of VIEW_TEXT */
enum prompt {
	PROMPT_NONE,
	PROMPT_FILTER,
	PROMPT_FIND,
	PROMPT_GO,
	PROMPT_SAVE,
	PROMPT_COLUMNS,
	PROMPT_SETTINGS,
	PROMPT_QUIT
};

/*
 * A view as it was left: what is open in it, where its lists stand. Records are named by identities, which are the
 * same in every picture.
 */
struct place {
	uint8_t view, page, pane;
	uint64_t call, finding; /* identities; 0 none */
	uint64_t messages[2]; /* of the raw view, of the comparison */
	uint64_t message_calls[2]; /* the calls they belong to */
	char about[ABOUT_BYTES]; /* PAGE_EXPLAIN: the id; PAGE_RECORD: of the history; PAGE_COMPARE: two runs */
	struct list lists[PANE_MAX];
};

struct hot { /* a place of the screen that acts like a key */
	uint16_t row, column, width;
	uint32_t key;
};

enum ladder_time { LADDER_CLOCK, LADDER_BEFORE, LADDER_FIRST, LADDER_TIMES };

struct ladder_settings {
	bool extended, hide_media, only_media, hide_sdp, only_sdp, hide_pane, by_leg, marked;
	uint8_t time; /* enum ladder_time */
	int8_t pane; /* wider by so many steps */
};

struct dashboard {
	struct place mains[VIEW_MAIN]; /* each main view as it was left */
	struct place places[PLACE_MAX]; /* opened from there, one out of the other */
	uint8_t main, depth; /* depth 0: the main view itself */
	char filter[INPUT_BYTES], find[INPUT_BYTES];
	uint8_t prompt, prompt_item;
	char input[INPUT_BYTES], kept[INPUT_BYTES]; /* kept: what it was before */
	uint16_t input_at; /* byte of the caret */
	char past[PAST_MAX][INPUT_BYTES];
	uint8_t past_at; /* 0: not in the past */
	char wrong[MESSAGE_BYTES]; /* of the input, behind the caret */
	uint16_t wrong_at;
	bool is_wrong;
	uint64_t marks[MARK_MAX]; /* calls */
	uint16_t mark_count;
	uint64_t message_mark, message_mark_call;
	uint8_t sort, stream_sort;
	bool sort_down, stream_sort_down;
	uint64_t columns_on; /* bits of enum call_column; order below */
	uint8_t column_order[CALL_COLUMNS];
	bool hide_ended, follow, paused;
	struct numbers frozen; /* as it was then */
	struct ladder_settings ladder;
	bool equal; /* the comparison shows equal lines */
	bool names, history_runs, trend;
	uint8_t palette, glyphs; /* 0 as the terminal is; 1 16 colours, ASCII; 2 none */
	bool enter_ladder, bell;
	uint8_t save_what;
	char message[MESSAGE_BYTES]; /* on the line above the last, until a key */
	struct hot hots[HOT_MAX];
	uint16_t hot_count;
	uint16_t rows, columns; /* of the screen that was drawn last */
	uint32_t problems_seen; /* so many were there when the bell last rang */
	int64_t alarm_ns; /* a problem came; packet time; NS_NONE none did */
	bool greeted, looked; /* looked: a picture was drawn */
	/* what the terminal is to do */
	bool quit, redraw, ring, unfinished; /* unfinished: a filter has not looked at everything, ask again */
	bool copy_wanted, keep_wanted; /* keep: the settings, for the next start */
	char copy[COPY_BYTES];
};

enum event_kind { EVENT_NONE, EVENT_KEY, EVENT_CLICK, EVENT_DOUBLE_CLICK, EVENT_WHEEL_UP, EVENT_WHEEL_DOWN };

struct dashboard_event {
	uint8_t kind; /* enum event_kind */
	uint32_t key;
	uint16_t row, column;
};

void dashboard_init(struct dashboard *d);
void dashboard_key(struct dashboard *d, struct world *w, const struct dashboard_event *event);
void dashboard_draw(struct dashboard *d, struct world *w, struct sheet *s);
/* While there is no picture yet: frame and progress. */
void dashboard_draw_empty(struct dashboard *d, const struct numbers *n, struct sheet *s);

#endif
