/* SPDX-License-Identifier: MIT */
/* prompt: lines that are typed, and forms: what their keys do; save. */
#include "ui/dashboard/prompt.h"

#include <stdio.h>
#include <stdlib.h>

#include "captures/base/memory.h"
#include "ui/dashboard/page.h"
#include "ui/words.h"

void prompt_open(struct dashboard *d, struct world *w, enum prompt p)
{
	d->prompt = (uint8_t)p;
	d->prompt_item = 0;
	d->is_wrong = false;
	d->past_at = 0;
	d->input[0] = '\0';
	if (p == PROMPT_FILTER) {
		snprintf(d->input, sizeof d->input, "%s", d->filter);
		snprintf(d->kept, sizeof d->kept, "%s", d->filter);
	}
	if (p == PROMPT_SAVE) {
		const struct call_row *r = world_call(w, selected_call(d, w));

		snprintf(d->input, sizeof d->input, r ? "call-%u.pcapng" : "deadair.pcapng", r ? r->n : 0);
		d->save_what = d->mark_count > 1 ? CHOICE_MARKED : r ? CHOICE_CALL : CHOICE_ALL;
	}
	d->input_at = (uint16_t)strlen(d->input);
}

static bool is_line(enum prompt p)
{
	return p == PROMPT_FILTER || p == PROMPT_FIND || p == PROMPT_GO || p == PROMPT_SAVE;
}

/* ---- editing ---- */

void prompt_insert(struct dashboard *d, const char *utf8)
{
	size_t n = strlen(utf8), all = strlen(d->input);

	if (all + n >= sizeof d->input)
		return;
	memmove(d->input + d->input_at + n, d->input + d->input_at, all - d->input_at + 1);
	memcpy(d->input + d->input_at, utf8, n);
	d->input_at = (uint16_t)(d->input_at + n);
}

static size_t before(const char *text, size_t at)
{
	while (at && ((unsigned char)text[--at] & 0xc0) == 0x80)
		;
	return at;
}

size_t prompt_behind(const char *text, size_t at)
{
	if (text[at])
		at++;
	while (((unsigned char)text[at] & 0xc0) == 0x80)
		at++;
	return at;
}

static void input_rubout(struct dashboard *d)
{
	size_t to = before(d->input, d->input_at);

	memmove(d->input + to, d->input + d->input_at, strlen(d->input + d->input_at) + 1);
	d->input_at = (uint16_t)to;
}

static size_t utf8_write(uint32_t c, char out[8])
{
	if (c < 0x80)
		return (size_t)snprintf(out, 8, "%c", (int)c);
	if (c < 0x800)
		return (size_t)snprintf(out, 8, "%c%c", (int)(0xc0 | c >> 6), (int)(0x80 | (c & 0x3f)));
	if (c < 0x10000)
		return (size_t)snprintf(out, 8, "%c%c%c", (int)(0xe0 | c >> 12), (int)(0x80 | (c >> 6 & 0x3f)),
			(int)(0x80 | (c & 0x3f)));
	return (size_t)snprintf(out, 8, "%c%c%c%c", (int)(0xf0 | c >> 18), (int)(0x80 | (c >> 12 & 0x3f)),
		(int)(0x80 | (c >> 6 & 0x3f)), (int)(0x80 | (c & 0x3f)));
}

/* True: the text is another one. */
static bool input_key(struct dashboard *d, uint32_t key)
{
	char utf8[8];

	switch (key) {
	case KEY_ARROW_LEFT: d->input_at = (uint16_t)before(d->input, d->input_at); return false;
	case KEY_ARROW_RIGHT: d->input_at = (uint16_t)prompt_behind(d->input, d->input_at); return false;
	case KEY_TOP: d->input_at = 0; return false;
	case KEY_BOTTOM: d->input_at = (uint16_t)strlen(d->input); return false;
	case KEY_CTRL_U:
		d->input[0] = '\0';
		d->input_at = 0;
		return true;
	case KEY_RUBOUT:
	case '\b': input_rubout(d); return true;
	default: break;
	}
	if (key < ' ' || key >= 0x110000)
		return false;
	utf8_write(key, utf8);
	prompt_insert(d, utf8);
	return true;
}

static void past_keep(struct dashboard *d)
{
	if (d->input[0] == '\0' || strcmp(d->past[0], d->input) == 0)
		return;
	memmove(d->past[1], d->past[0], sizeof d->past - sizeof d->past[0]);
	memcpy(d->past[0], d->input, sizeof d->input);
}

static void past_go(struct dashboard *d, int by)
{
	int to = d->past_at + by;

	if (to < 1 || to > PAST_MAX || d->past[to - 1][0] == '\0')
		return;
	d->past_at = (uint8_t)to;
	memcpy(d->input, d->past[to - 1], sizeof d->input);
	d->input_at = (uint16_t)strlen(d->input);
}

/* ---- save ---- */

static size_t save_numbers(struct dashboard *d, struct world *w, unsigned *numbers, size_t most)
{
	const struct call_row *r;
	size_t count = 0, n;

	if (d->save_what == CHOICE_CALL) {
		r = world_call(w, selected_call(d, w));
		if (r)
			numbers[count++] = r->n;
	} else if (d->save_what == CHOICE_MARKED) {
		for (unsigned i = 0; i < d->mark_count && count < most; i++)
			if ((r = world_call(w, d->marks[i])))
				numbers[count++] = r->n;
	} else if (d->save_what == CHOICE_FILTERED) {
		struct order o = world_order(w, d->filter, d->hide_ended, d->sort, d->sort_down);
		const struct call_row *rows = world_calls(w, &n);

		for (size_t i = 0; i < o.count && count < most; i++)
			numbers[count++] = rows[o.rows[i]].n;
	}
	return count;
}

static void save_calls(
	struct world *w, const unsigned *numbers, size_t count, const char *path, bool all, struct text *said)
{
	struct save_wish wish = { .kind = all ? SAVE_ALL : SAVE_CALLS, .numbers = numbers, .count = all ? 0 : count };
	struct err err = { .code = ERR_OK };
	struct save_done done;
	char frames[WORDS], commented[WORDS];

	if (save_write(w->saves, &wish, path, &done, &err) == ERR_OK)
		text_addf(said, "saved %s as %s, %s with comments", words_counted(done.frames, "packet", frames), path,
			words_count(done.commented, commented));
	else
		text_add(said, err.text);
}

static void save(struct dashboard *d, struct world *w)
{
	size_t most = world_selection(w)->call_count + MARK_MAX;
	unsigned *numbers = memory_zalloc(most * sizeof *numbers);
	size_t count = save_numbers(d, w, numbers, most);
	struct text said;

	text_init(&said);
	if (!w->saves)
		message_set(d, "packets cannot be saved here");
	else if (count == 0 && d->save_what != CHOICE_ALL)
		message_set(d, "nothing to save: no call is %s", d->save_what == CHOICE_MARKED ? "marked" : "selected");
	else {
		save_calls(w, numbers, count, d->input, d->save_what == CHOICE_ALL, &said);
		message_set(d, "%s", said.p);
	}
	text_fini(&said);
	free(numbers);
}

/* ---- keys ---- */

static void line_done(struct dashboard *d, struct world *w)
{
	enum prompt p = (enum prompt)d->prompt;

	if (p == PROMPT_FILTER && d->is_wrong)
		return;
	d->prompt = PROMPT_NONE;
	if (p == PROMPT_FILTER)
		past_keep(d);
	else if (p == PROMPT_SAVE)
		save(d, w);
	else if (p == PROMPT_GO && d->input[0])
		prompt_go(d, w);
	else if (p == PROMPT_FIND) {
		memcpy(d->find, d->input, sizeof d->find);
		if (d->find[0])
			page_find(d, w, false);
	}
}

static void line_key(struct dashboard *d, struct world *w, uint32_t key)
{
	enum prompt p = (enum prompt)d->prompt;

	if (key == KEY_ESCAPE) {
		if (p == PROMPT_FILTER)
			memcpy(d->filter, d->kept, sizeof d->filter);
		d->prompt = PROMPT_NONE;
	} else if (key == KEY_RETURN || key == '\n') {
		line_done(d, w);
	} else if (p == PROMPT_SAVE && (key == KEY_ARROW_UP || key == KEY_ARROW_DOWN || key == KEY_TAB)) {
		d->save_what = (uint8_t)((d->save_what + (key == KEY_ARROW_UP ? SAVE_CHOICES - 1 : 1)) % SAVE_CHOICES);
	} else if (p == PROMPT_FILTER && key == KEY_TAB) {
		prompt_complete(d, w);
		prompt_filter_take(d);
	} else if (p == PROMPT_FILTER && (key == KEY_ARROW_UP || key == KEY_ARROW_DOWN)) {
		past_go(d, key == KEY_ARROW_UP ? 1 : -1);
		prompt_filter_take(d);
	} else if (input_key(d, key) && p == PROMPT_FILTER) {
		prompt_filter_take(d);
	}
}

static void swap_columns(struct dashboard *d, int by)
{
	int at = d->prompt_item, to = at + by;
	uint8_t kept;

	if (to < 0 || to >= CALL_COLUMNS)
		return;
	kept = d->column_order[at];
	d->column_order[at] = d->column_order[to];
	d->column_order[to] = kept;
	d->prompt_item = (uint8_t)to;
}

static unsigned form_items(const struct dashboard *d)
{
	return d->prompt == PROMPT_COLUMNS ? CALL_COLUMNS : 4;
}

static void setting_turn(struct dashboard *d, int by)
{
	switch (d->prompt_item) {
	case 0: d->palette = (uint8_t)((d->palette + 3 + by) % 3); break;
	case 1: d->glyphs = !d->glyphs; break;
	case 2: d->enter_ladder = !d->enter_ladder; break;
	default: d->bell = !d->bell; break;
	}
	d->redraw = true;
}

/* Also how calls and streams are sorted, and the columns. */
static void settings_keep(struct dashboard *d)
{
	d->keep_wanted = true;
	d->prompt = PROMPT_NONE;
}

static void form_key(struct dashboard *d, uint32_t key)
{
	unsigned items = form_items(d);

	if (key == KEY_ARROW_UP || key == 'k')
		d->prompt_item = (uint8_t)((d->prompt_item + items - 1) % items);
	else if (key == KEY_ARROW_DOWN || key == 'j')
		d->prompt_item = (uint8_t)((d->prompt_item + 1) % items);
	else if (key == KEY_RETURN || key == '\n' || key == KEY_ESCAPE || key == 'q')
		d->prompt = PROMPT_NONE;
	else if (d->prompt == PROMPT_COLUMNS && key == ' ')
		d->columns_on ^= UINT64_C(1) << d->column_order[d->prompt_item];
	else if (d->prompt == PROMPT_COLUMNS && (key == '+' || key == '-'))
		swap_columns(d, key == '+' ? -1 : 1);
	else if (d->prompt == PROMPT_SETTINGS && key == 'w')
		settings_keep(d);
	else if (d->prompt == PROMPT_SETTINGS && (key == ' ' || key == KEY_ARROW_RIGHT || key == KEY_ARROW_LEFT))
		setting_turn(d, key == KEY_ARROW_LEFT ? -1 : 1);
	d->columns_on |= UINT64_C(1) << COLUMN_NUMBER;
}

bool prompt_key(struct dashboard *d, struct world *w, uint32_t key)
{
	if (d->prompt == PROMPT_NONE)
		return false;
	if (d->prompt == PROMPT_QUIT) {
		d->quit = key == 'y' || key == 'q' || key == KEY_RETURN;
		d->prompt = PROMPT_NONE;
	} else if (is_line((enum prompt)d->prompt)) {
		line_key(d, w, key);
	} else {
		form_key(d, key);
	}
	return true;
}
