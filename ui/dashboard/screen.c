/* SPDX-License-Identifier: MIT */
/* screen: curses. */
#include "ui/dashboard/screen.h"

#include <curses.h>
#include <errno.h>
#include <langinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#include "captures/base/memory.h"

/* Pairs of colours: 1.. those of 256, behind them those of 16. */
enum { PAINTS = PAINT_DIM + 1, PAIR_256 = 1, PAIR_16 = PAIR_256 + PAINTS, DOUBLE_CLICK_MS = 400 };

struct screen {
	SCREEN *curses;
	struct sheet shown; /* as the terminal has it */
	bool ascii, has_16, has_256, plain;
	unsigned palette;
	unsigned rows, columns;
	struct timespec clicked;
	int clicked_row, clicked_column;
};

static const short colors_256[PAINTS] = { [PAINT_PLAIN] = -1,
	[PAINT_BAD] = 203,
	[PAINT_WARN] = 221,
	[PAINT_GOOD] = 114,
	[PAINT_UNKNOWN] = 117,
	[PAINT_HEAD] = -1,
	[PAINT_DIM] = 245 };
static const short colors_16[PAINTS] = { [PAINT_PLAIN] = -1,
	[PAINT_BAD] = COLOR_RED,
	[PAINT_WARN] = COLOR_YELLOW,
	[PAINT_GOOD] = COLOR_GREEN,
	[PAINT_UNKNOWN] = COLOR_CYAN,
	[PAINT_HEAD] = -1,
	[PAINT_DIM] = -1 };

/* Terminals that have no glyphs of ours. */
static bool needs_ascii(void)
{
	const char *term = getenv("TERM");

	if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0 || !term)
		return true;
	return strcmp(term, "linux") == 0 || strncmp(term, "vt", 2) == 0 || strcmp(term, "dumb") == 0 ||
		wcwidth(L'▇') != 1 || wcwidth(L'✗') != 1;
}

static void colors_init(struct screen *s, const char *color)
{
	const char *no_color = getenv("NO_COLOR");

	if (strcmp(color, "never") == 0 || (strcmp(color, "always") != 0 && no_color && *no_color) || !has_colors())
		return;
	start_color();
	use_default_colors();
	s->has_16 = COLORS >= 8;
	s->has_256 = COLORS >= 256 && COLOR_PAIRS > PAIR_16 + PAINTS;
	for (short i = 0; i < PAINTS; i++) {
		if (s->has_256)
			init_pair((short)(PAIR_256 + i), colors_256[i], -1);
		if (s->has_16)
			init_pair((short)(PAIR_16 + i), colors_16[i], -1);
	}
}

/* What terminals send that call themselves something else: PuTTY, tmux, the console, rxvt. */
static void keys_define(void)
{
	static const struct {
		const char *bytes;
		int key;
	} keys[] = {
		{ "\x1b[1~", KEY_HOME },
		{ "\x1b[7~", KEY_HOME },
		{ "\x1b[H", KEY_HOME },
		{ "\x1bOH", KEY_HOME },
		{ "\x1b[4~", KEY_END },
		{ "\x1b[8~", KEY_END },
		{ "\x1b[F", KEY_END },
		{ "\x1bOF", KEY_END },
		{ "\x1b[A", KEY_UP },
		{ "\x1bOA", KEY_UP },
		{ "\x1b[B", KEY_DOWN },
		{ "\x1bOB", KEY_DOWN },
		{ "\x1b[C", KEY_RIGHT },
		{ "\x1bOC", KEY_RIGHT },
		{ "\x1b[D", KEY_LEFT },
		{ "\x1bOD", KEY_LEFT },
		{ "\x1b[5~", KEY_PPAGE },
		{ "\x1b[6~", KEY_NPAGE },
		{ "\x1bOP", KEY_F(1) },
		{ "\x1bOQ", KEY_F(2) },
		{ "\x1bOR", KEY_F(3) },
		{ "\x1bOS", KEY_F(4) },
		{ "\x1b[11~", KEY_F(1) },
		{ "\x1b[12~", KEY_F(2) },
		{ "\x1b[13~", KEY_F(3) },
		{ "\x1b[14~", KEY_F(4) },
		{ "\x1b[[A", KEY_F(1) },
		{ "\x1b[[B", KEY_F(2) },
		{ "\x1b[[C", KEY_F(3) },
		{ "\x1b[[D", KEY_F(4) },
		{ "\x1b[[E", KEY_F(5) },
		{ "\x1b[15~", KEY_F(5) },
		{ "\x1b[17~", KEY_F(6) },
		{ "\x1b[18~", KEY_F(7) },
		{ "\x1b[19~", KEY_F(8) },
		{ "\x1b[20~", KEY_F(9) },
		{ "\x1b[21~", KEY_F(10) },
		{ "\x1b[Z", KEY_BTAB },
	};

	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		define_key(keys[i].bytes, keys[i].key);
}

struct screen *screen_open(const char *color, struct err *err)
{
	struct screen *s;
	const char *term = getenv("TERM");

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		err_set(err, ERR_USAGE, "--ui wants a terminal: standard input and output must be one");
		return NULL;
	}
	s = memory_zalloc(sizeof *s);
	s->curses = newterm(NULL, stdout, stdin);
	if (!s->curses) {
		err_set(err, ERR_USAGE, "the terminal \"%.40s\" is not known to curses: set TERM", term ? term : "");
		free(s);
		return NULL;
	}
	set_term(s->curses);
	if (!tigetstr("cup")) {
		err_set(err, ERR_USAGE, "the terminal \"%.40s\" cannot move its cursor: without --ui the report is printed",
			term ? term : "");
		screen_close(s);
		return NULL;
	}
	set_escdelay(25);
	raw();
	noecho();
	nonl();
	nodelay(stdscr, TRUE);
	keypad(stdscr, TRUE);
	leaveok(stdscr, TRUE);
	curs_set(0);
	keys_define();
	mouseinterval(0);
	mousemask(BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED, NULL);
	s->ascii = needs_ascii();
	colors_init(s, color);
	s->palette = UINT32_MAX;
	s->clicked_row = -1;
	return s;
}

void screen_close(struct screen *s)
{
	if (!s)
		return;
	endwin();
	delscreen(s->curses);
	sheet_fini(&s->shown);
	free(s);
}

bool screen_ascii(const struct screen *s)
{
	return s->ascii;
}

bool screen_size(struct screen *s, unsigned *ret_rows, unsigned *ret_columns)
{
	struct winsize size = { .ws_row = 0 };
	bool changed;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0)
		size = (struct winsize){ .ws_row = (unsigned short)LINES, .ws_col = (unsigned short)COLS };
	changed = size.ws_row != s->rows || size.ws_col != s->columns;
	if (changed && s->rows) {
		resizeterm(size.ws_row, size.ws_col);
		sheet_fini(&s->shown);
	}
	*ret_rows = s->rows = size.ws_row;
	*ret_columns = s->columns = size.ws_col;
	return changed;
}

/* ---- keys ---- */

static uint32_t key_of(wint_t c)
{
	static const struct {
		wint_t curses;
		uint32_t key;
	} keys[] = {
		{ KEY_UP, KEY_ARROW_UP },
		{ KEY_DOWN, KEY_ARROW_DOWN },
		{ KEY_LEFT, KEY_ARROW_LEFT },
		{ KEY_RIGHT, KEY_ARROW_RIGHT },
		{ KEY_PPAGE, KEY_PAGE_UP },
		{ KEY_NPAGE, KEY_PAGE_DOWN },
		{ KEY_HOME, KEY_TOP },
		{ KEY_END, KEY_BOTTOM },
		{ KEY_BTAB, KEY_BACK_TAB },
		{ KEY_BACKSPACE, KEY_RUBOUT },
		{ KEY_ENTER, KEY_RETURN },
		{ KEY_DC, KEY_RUBOUT },
	};

	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		if (keys[i].curses == c)
			return keys[i].key;
	if (c >= (wint_t)KEY_F(1) && c <= (wint_t)KEY_F(12))
		return KEY_FUNCTION + (uint32_t)(c - (wint_t)KEY_F0);
	return 0;
}

static bool is_double(struct screen *s, int row, int column)
{
	struct timespec now;
	long ms;

	clock_gettime(CLOCK_MONOTONIC, &now);
	ms = (now.tv_sec - s->clicked.tv_sec) * 1000 + (now.tv_nsec - s->clicked.tv_nsec) / 1000000;
	if (s->clicked_row == row && s->clicked_column == column && ms < DOUBLE_CLICK_MS) {
		s->clicked_row = -1;
		return true;
	}
	s->clicked = now;
	s->clicked_row = row;
	s->clicked_column = column;
	return false;
}

static bool mouse_event(struct screen *s, struct dashboard_event *ret)
{
	MEVENT m;

	if (getmouse(&m) != OK || m.x < 0 || m.y < 0)
		return false;
	*ret = (struct dashboard_event){ .row = (uint16_t)m.y, .column = (uint16_t)m.x };
	if (m.bstate & BUTTON4_PRESSED)
		ret->kind = EVENT_WHEEL_UP;
	else if (m.bstate & BUTTON5_PRESSED)
		ret->kind = EVENT_WHEEL_DOWN;
	else if (m.bstate & BUTTON1_PRESSED)
		ret->kind = is_double(s, m.y, m.x) ? EVENT_DOUBLE_CLICK : EVENT_CLICK;
	return ret->kind != EVENT_NONE;
}

bool screen_event(struct screen *s, struct dashboard_event *ret)
{
	wint_t c;

	for (;;) {
		int kind = get_wch(&c);

		*ret = (struct dashboard_event){ .kind = EVENT_KEY };
		if (kind == ERR)
			return false;
		if (kind == KEY_CODE_YES && c == KEY_MOUSE) {
			if (mouse_event(s, ret))
				return true;
			continue;
		}
		ret->key = kind == KEY_CODE_YES ? key_of(c) : (uint32_t)c;
		if (ret->key)
			return true;
	}
}

/* ---- cells ---- */

static attr_t attributes(const struct screen *s, uint8_t style, short *ret_pair)
{
	unsigned paint = style & STYLE_PAINT, palette = s->palette;
	attr_t a = A_NORMAL;

	*ret_pair = 0;
	if (style & STYLE_REVERSE)
		a |= A_REVERSE;
	if (style & STYLE_UNDERLINE)
		a |= A_UNDERLINE;
	if (paint == PAINT_HEAD)
		a |= A_BOLD;
	if (palette == 0 && s->has_256) {
		*ret_pair = (short)(PAIR_256 + paint);
	} else if (palette < 2 && s->has_16) {
		*ret_pair = (short)(PAIR_16 + paint);
		if (paint == PAINT_BAD || paint == PAINT_WARN)
			a |= A_BOLD;
	} else if (paint == PAINT_BAD || paint == PAINT_WARN) {
		a |= A_BOLD;
	} else if (paint == PAINT_UNKNOWN) {
		a |= A_UNDERLINE;
	}
	return a;
}

/* Well-formed UTF-8 only: the sheet lets nothing else in. */
static size_t wide(const char *utf8, wchar_t out[CCHARW_MAX + 1])
{
	size_t n = 0;

	while (*utf8 && n < CCHARW_MAX) {
		unsigned char c = (unsigned char)*utf8++;
		uint32_t x = c < 0x80 ? c : c < 0xe0 ? c & 0x1fu : c < 0xf0 ? c & 0x0fu : c & 0x07u;

		while (((unsigned char)*utf8 & 0xc0) == 0x80)
			x = x << 6 | ((unsigned char)*utf8++ & 0x3f);
		out[n++] = (wchar_t)x;
	}
	out[n] = L'\0';
	return n;
}

static void cell_show(const struct screen *s, unsigned row, unsigned column, const struct sheet_cell *c)
{
	wchar_t text[CCHARW_MAX + 1];
	short pair;
	attr_t a = attributes(s, c->style, &pair);
	cchar_t cell;

	if (c->columns == 0)
		return;
	wide(c->text, text);
	/* what this terminal's library takes for narrower or wider than we do would shift the row */
	if (wcwidth(text[0]) != c->columns)
		wcscpy(text, L"?");
	setcchar(&cell, text, a, pair, NULL);
	mvadd_wch((int)row, (int)column, &cell);
	if (c->columns == 2 && wcwidth(text[0]) == 1)
		mvadd_wch((int)row, (int)column + 1, &cell);
}

void screen_show(struct screen *s, const struct sheet *sheet, unsigned palette, bool all)
{
	bool anew = all || palette != s->palette || s->shown.rows != sheet->rows || s->shown.columns != sheet->columns;
	size_t count = (size_t)sheet->rows * sheet->columns;

	s->palette = palette;
	if (anew) {
		sheet_fini(&s->shown);
		sheet_init(&s->shown, sheet->rows, sheet->columns, sheet->ascii);
		clear();
	}
	for (size_t i = 0; i < count; i++) {
		if (!anew && memcmp(&s->shown.cells[i], &sheet->cells[i], sizeof s->shown.cells[i]) == 0)
			continue;
		cell_show(s, (unsigned)(i / sheet->columns), (unsigned)(i % sheet->columns), &sheet->cells[i]);
	}
	memcpy(s->shown.cells, sheet->cells, count * sizeof *s->shown.cells);
	refresh();
}

void screen_ring(struct screen *s)
{
	(void)s;
	beep();
}

void screen_copy(struct screen *s, const char *text)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t n = strlen(text);

	(void)s;
	fputs("\x1b]52;c;", stdout);
	for (size_t i = 0; i < n; i += 3) {
		uint32_t three = (uint32_t)(uint8_t)text[i] << 16 |
			(i + 1 < n ? (uint32_t)(uint8_t)text[i + 1] << 8 : 0) | (i + 2 < n ? (uint8_t)text[i + 2] : 0u);

		fputc(digits[three >> 18 & 63], stdout);
		fputc(digits[three >> 12 & 63], stdout);
		fputc(i + 1 < n ? digits[three >> 6 & 63] : '=', stdout);
		fputc(i + 2 < n ? digits[three & 63] : '=', stdout);
	}
	fputc('\a', stdout);
	fflush(stdout);
}
