/* SPDX-License-Identifier: MIT */
/*
 * keys: what the keyboard sends, what it means in which view, and the words for help and footer: one table for all
 * three.
 */
#ifndef DEADAIR_DASHBOARD_KEYS_H
#define DEADAIR_DASHBOARD_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A key is a Unicode character, a control character, or one of these. */
enum key {
	KEY_CTRL_B = 2,
	KEY_CTRL_C = 3,
	KEY_CTRL_D = 4,
	KEY_CTRL_F = 6,
	KEY_TAB = 9,
	KEY_RETURN = 13,
	KEY_CTRL_L = 12,
	KEY_CTRL_U = 21,
	KEY_ESCAPE = 27,
	KEY_RUBOUT = 127,
	KEY_ARROW_UP = 0x110000,
	KEY_ARROW_DOWN,
	KEY_ARROW_LEFT,
	KEY_ARROW_RIGHT,
	KEY_PAGE_UP,
	KEY_PAGE_DOWN,
	KEY_TOP,
	KEY_BOTTOM,
	KEY_BACK_TAB,
	KEY_FUNCTION /* KEY_FUNCTION + n: Fn */
};

enum view {
	VIEW_OVERVIEW,
	VIEW_CALLS,
	VIEW_FINDINGS,
	VIEW_STREAMS,
	VIEW_REGISTRATIONS,
	VIEW_HOSTS,
	VIEW_HISTORY, /* keys 1 to 7 */
	VIEW_CALL,
	VIEW_LADDER,
	VIEW_RAW,
	VIEW_COMPARE,
	VIEW_PROBLEM,
	VIEW_TEXT,
	VIEW_COUNT
};

enum { VIEW_MAIN = VIEW_HISTORY + 1 };

enum action {
	ACTION_NONE,
	ACTION_UP,
	ACTION_DOWN,
	ACTION_PAGE_UP,
	ACTION_PAGE_DOWN,
	ACTION_HALF_UP,
	ACTION_HALF_DOWN,
	ACTION_FIRST,
	ACTION_LAST,
	ACTION_OPEN,
	ACTION_BACK,
	ACTION_QUIT,
	ACTION_VIEW,
	ACTION_NEXT_PANE,
	ACTION_PREVIOUS_PANE,
	ACTION_MARK,
	ACTION_FILTER,
	ACTION_FILTER_CLEAR,
	ACTION_FIND,
	ACTION_FIND_NEXT,
	ACTION_FIND_PREVIOUS,
	ACTION_HELP,
	ACTION_SAVE,
	ACTION_LADDER,
	ACTION_HIDE_ENDED,
	ACTION_RAW,
	ACTION_SETTINGS,
	ACTION_COLUMNS,
	ACTION_SORT_LEFT,
	ACTION_SORT_RIGHT,
	ACTION_SORT_TURN,
	ACTION_FOLLOW,
	ACTION_PAUSE,
	ACTION_REDRAW,
	ACTION_GO,
	ACTION_NEXT_PROBLEM,
	ACTION_TIME,
	ACTION_NAMES,
	ACTION_SDP,
	ACTION_SDP_ONLY,
	ACTION_MEDIA,
	ACTION_MEDIA_ONLY,
	ACTION_RAW_PANE,
	ACTION_NARROWER,
	ACTION_WIDER,
	ACTION_COLOURS,
	ACTION_EQUAL,
	ACTION_FACTS,
	ACTION_EXPLAIN,
	ACTION_COPY,
	ACTION_TREND,
	ACTION_RUNS,
	ACTION_COMPARE
};

struct key_row {
	enum action action;
	uint32_t views; /* bits 1 << enum view */
	const char *keys; /* "F2 s", as shown */
	const char *footer; /* "Save"; NULL: not in the footer */
	const char *words; /* for help */
	uint32_t codes[6]; /* 0 at the end */
};

size_t key_rows(const struct key_row **ret);
/* ACTION_NONE: it means nothing there. */
enum action key_action(uint32_t key, enum view view);
const char *view_name(enum view view);

#endif
