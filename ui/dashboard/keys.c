/* SPDX-License-Identifier: MIT */
/* keys: the table. */
#include "ui/dashboard/keys.h"

#define IN(view) (1u << (view))
#define ALL      ((1u << VIEW_COUNT) - 1)
#define MAIN \
	(IN(VIEW_OVERVIEW) | IN(VIEW_CALLS) | IN(VIEW_FINDINGS) | IN(VIEW_STREAMS) | IN(VIEW_REGISTRATIONS) | \
		IN(VIEW_HOSTS) | IN(VIEW_HISTORY))
#define CALL_LISTS (IN(VIEW_OVERVIEW) | IN(VIEW_CALLS))
#define FILTERED   (CALL_LISTS | IN(VIEW_FINDINGS) | IN(VIEW_STREAMS))
#define TEXTS      (IN(VIEW_RAW) | IN(VIEW_TEXT) | IN(VIEW_COMPARE))
#define OF_CALL    (CALL_LISTS | IN(VIEW_CALL) | IN(VIEW_FINDINGS) | IN(VIEW_STREAMS))
#define LADDER     IN(VIEW_LADDER)
#define PANED      (IN(VIEW_OVERVIEW) | IN(VIEW_HOSTS))
#define OPENS      (MAIN | IN(VIEW_CALL) | LADDER | IN(VIEW_PROBLEM))
#define F(n)       (KEY_FUNCTION + (n))

/* clang-format off */
/* In the order of the footer: most useful first. */
static const struct key_row rows[] = {
	{ ACTION_HELP, ALL & ~IN(VIEW_TEXT), "F1 ? h", "Help", "help of this view", { F(1), '?', 'h' } },
	{ ACTION_OPEN, OPENS & ~LADDER, "Enter", "Open", "deeper: call, ladder, message; problem, proof, frame",
	  { KEY_RETURN, '\n' } },
	{ ACTION_OPEN, LADDER, "Enter", "Raw", "the message in full", { KEY_RETURN, '\n' } },
	{ ACTION_BACK, ALL & ~MAIN, "Esc q", "Back", "back", { KEY_ESCAPE, 'q' } },
	{ ACTION_BACK, MAIN & ~IN(VIEW_OVERVIEW), "Esc q", NULL, "back, to the overview in the end",
	  { KEY_ESCAPE, 'q' } },
	{ ACTION_FILTER, FILTERED, "/ F3 F7 f", "Filter",
	  "choose what is listed: finding:one-way-audio from:1001 mos<3.5", { '/', F(3), F(7), 'f' } },
	{ ACTION_FIND, TEXTS | IN(VIEW_PROBLEM), "/ F3", "Find", "find in the text", { '/', F(3) } },
	{ ACTION_SAVE, OF_CALL | LADDER | IN(VIEW_PROBLEM), "F2 s", "Save", "save its packets as pcapng",
	  { F(2), 's' } },
	{ ACTION_LADDER, OF_CALL | IN(VIEW_PROBLEM), "F4 x", "Ladder",
	  "ladder of all legs of the call, or of all marked calls", { F(4), 'x' } },
	{ ACTION_LADDER, LADDER, "F4 x", "Legs", "all legs and copies, or the first leg alone", { F(4), 'x' } },
	{ ACTION_RAW, OF_CALL | LADDER | IN(VIEW_PROBLEM), "F6 r", NULL, "the message in full", { F(6), 'r' } },
	{ ACTION_MARK, IN(VIEW_OVERVIEW), "Space", NULL, "mark a call and move on", { ' ' } },
	{ ACTION_MARK, IN(VIEW_CALLS), "Space", "Mark", "mark and move on", { ' ' } },
	{ ACTION_MARK, LADDER, "Space", "Compare", "mark; the second message is compared with the first", { ' ' } },
	{ ACTION_RAW_PANE, LADDER, "t", "Pane", "message beside the ladder", { 't' } },
	{ ACTION_TIME, LADDER, "w", "Time", "clock, since the row before, since the first", { 'w' } },
	{ ACTION_EQUAL, IN(VIEW_RAW), "D", "Compare", "compare with the copy that it came from", { 'D' } },
	{ ACTION_EQUAL, IN(VIEW_COMPARE), "D", "Equal", "equal lines, too", { 'D' } },
	{ ACTION_NEXT_PANE, PANED, "Tab", "Pane", "next pane", { KEY_TAB } },
	{ ACTION_PREVIOUS_PANE, PANED, "S-Tab", NULL, "pane before", { KEY_BACK_TAB } },
	{ ACTION_SORT_LEFT, IN(VIEW_CALLS) | IN(VIEW_STREAMS), "< >", "Sort",
	  "sort by the column to the left, to the right", { '<' } },
	{ ACTION_SORT_RIGHT, IN(VIEW_CALLS) | IN(VIEW_STREAMS), NULL, NULL, NULL, { '>' } },
	{ ACTION_SORT_TURN, IN(VIEW_CALLS) | IN(VIEW_STREAMS), "z", NULL, "turn the order", { 'z' } },
	{ ACTION_PAUSE, ALL, "p", "Pause", "freeze the picture; analysis goes on", { 'p' } },
	{ ACTION_QUIT, IN(VIEW_OVERVIEW), "q", "Quit", "end; the report is printed", { 'q' } },
	{ ACTION_QUIT, ALL, "^C", NULL, "end at once; the report is printed", { KEY_CTRL_C } },
	{ ACTION_VIEW, ALL, "1 to 7", NULL, "the views of the second line", { '1', '2', '3', '4', '5', '6' } },
	{ ACTION_VIEW, ALL, NULL, NULL, NULL, { '7' } },
	{ ACTION_UP, ALL, "↑ k", NULL, "a row up", { KEY_ARROW_UP, 'k' } },
	{ ACTION_DOWN, ALL, "↓ j", NULL, "a row down", { KEY_ARROW_DOWN, 'j' } },
	{ ACTION_PAGE_UP, ALL, "PgUp ^B", NULL, "a page up", { KEY_PAGE_UP, KEY_CTRL_B } },
	{ ACTION_PAGE_DOWN, ALL, "PgDn ^F", NULL, "a page down", { KEY_PAGE_DOWN, KEY_CTRL_F } },
	{ ACTION_HALF_UP, ALL, "^U ^D", NULL, "half a page up, down", { KEY_CTRL_U } },
	{ ACTION_HALF_DOWN, ALL, NULL, NULL, NULL, { KEY_CTRL_D } },
	{ ACTION_FIRST, ALL, "Home End", NULL, "first row, last row", { KEY_TOP } },
	{ ACTION_LAST, ALL, NULL, NULL, NULL, { KEY_BOTTOM, 'G' } },
	{ ACTION_FILTER_CLEAR, FILTERED, "F9", NULL, "clear the filter", { F(9) } },
	{ ACTION_FIND_NEXT, TEXTS | IN(VIEW_PROBLEM), "n N", NULL, "next match, match before", { 'n' } },
	{ ACTION_FIND_PREVIOUS, TEXTS | IN(VIEW_PROBLEM), NULL, NULL, NULL, { 'N' } },
	{ ACTION_HIDE_ENDED, CALL_LISTS, "F5", NULL, "hide ended calls; analysis keeps them", { F(5) } },
	{ ACTION_COLUMNS, IN(VIEW_CALLS), "F10 t", NULL, "columns", { F(10), 't' } },
	{ ACTION_SETTINGS, ALL, "F8 o", NULL, "settings", { F(8), 'o' } },
	{ ACTION_FOLLOW, IN(VIEW_CALLS), "A", NULL, "follow the newest until a key moves", { 'A' } },
	{ ACTION_GO, MAIN | LADDER, "g", NULL, "go to 101, frame 812, 09:12", { 'g' } },
	{ ACTION_NEXT_PROBLEM, CALL_LISTS, "!", NULL, "next unheard call", { '!' } },
	{ ACTION_MEDIA, LADDER, "m M", NULL, "media on and off; only media", { 'm' } },
	{ ACTION_MEDIA_ONLY, LADDER, NULL, NULL, NULL, { 'M' } },
	{ ACTION_SDP, LADDER, "d D", NULL, "SDP below its message; only messages with SDP", { 'd' } },
	{ ACTION_SDP_ONLY, LADDER, NULL, NULL, NULL, { 'D' } },
	{ ACTION_NARROWER, LADDER, "9 0", NULL, "pane narrower, wider", { '9' } },
	{ ACTION_WIDER, LADDER, NULL, NULL, NULL, { '0' } },
	{ ACTION_COLOURS, LADDER, "c", NULL, "colours by message, by leg", { 'c' } },
	{ ACTION_NAMES, LADDER | IN(VIEW_HOSTS) | IN(VIEW_STREAMS), "a", NULL,
	  "names of addresses, from files, never from DNS", { 'a' } },
	{ ACTION_FACTS, MAIN, "i", NULL, "what this capture is and can show", { 'i' } },
	{ ACTION_EXPLAIN,
	  IN(VIEW_OVERVIEW) | IN(VIEW_CALLS) | IN(VIEW_FINDINGS) | IN(VIEW_CALL) | IN(VIEW_PROBLEM) | LADDER, "e", NULL,
	  "what the finding means, what mimics it", { 'e' } },
	{ ACTION_COPY, ALL, "y", NULL, "copy the row to the clipboard (OSC 52)", { 'y' } },
	{ ACTION_TREND, IN(VIEW_HISTORY), "T", NULL, "calls and problems by day", { 'T' } },
	{ ACTION_RUNS, IN(VIEW_HISTORY), "R", NULL, "problems, or runs", { 'R' } },
	{ ACTION_COMPARE, IN(VIEW_HISTORY), "C", NULL, "compare a run with the one before it", { 'C' } },
	{ ACTION_REDRAW, ALL, "^L", NULL, "draw all anew", { KEY_CTRL_L } },
};
/* clang-format on */

size_t key_rows(const struct key_row **ret)
{
	*ret = rows;
	return sizeof rows / sizeof rows[0];
}

enum action key_action(uint32_t key, enum view view)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (!(rows[i].views & IN(view)))
			continue;
		for (size_t k = 0; k < sizeof rows[i].codes / sizeof rows[i].codes[0] && rows[i].codes[k]; k++)
			if (rows[i].codes[k] == key)
				return rows[i].action;
	}
	return ACTION_NONE;
}

const char *view_name(enum view view)
{
	static const char *const names[VIEW_COUNT] = {
		[VIEW_OVERVIEW] = "Overview",
		[VIEW_CALLS] = "Calls",
		[VIEW_FINDINGS] = "Findings",
		[VIEW_STREAMS] = "Streams",
		[VIEW_REGISTRATIONS] = "Registrations",
		[VIEW_HOSTS] = "Hosts",
		[VIEW_HISTORY] = "History",
		[VIEW_CALL] = "Call",
		[VIEW_LADDER] = "Ladder",
		[VIEW_RAW] = "Raw",
		[VIEW_COMPARE] = "Compare",
		[VIEW_PROBLEM] = "Problem",
		[VIEW_TEXT] = "Text",
	};

	return names[view];
}
