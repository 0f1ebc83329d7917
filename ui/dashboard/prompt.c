/* SPDX-License-Identifier: MIT */
/* prompt: lines that are typed, and forms: filter, find, go to, save, columns, settings, quit. */
#include "ui/dashboard/parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "captures/base/memory.h"
#include "ui/dashboard/call_table.h"
#include "ui/dashboard/page.h"
#include "ui/dashboard/view_ladder.h"
#include "ui/filter_node.h"
#include "ui/when.h"
#include "ui/words.h"

enum { CANDIDATES_MAX = 400, CANDIDATE_BYTES = 64, FORM_COLUMNS = 44, SAVE_CHOICES = 4 };
enum { CHOICE_CALL, CHOICE_MARKED, CHOICE_FILTERED, CHOICE_ALL };

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

static void input_insert(struct dashboard *d, const char *utf8)
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

static size_t behind(const char *text, size_t at)
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
	case KEY_ARROW_RIGHT: d->input_at = (uint16_t)behind(d->input, d->input_at); return false;
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
	input_insert(d, utf8);
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

/* ---- the filter, while it is typed ---- */

static void filter_take(struct dashboard *d)
{
	struct filter_error wrong = { .at = 0 };
	struct filter *f = filter_new(d->input, &wrong);

	d->is_wrong = f == NULL;
	if (f) {
		snprintf(d->filter, sizeof d->filter, "%s", d->input);
	} else {
		memcpy(d->filter, d->kept, sizeof d->filter);
		d->wrong_at = (uint16_t)wrong.at;
		snprintf(d->wrong, sizeof d->wrong, "%s", wrong.text);
	}
	filter_free(f);
}

struct candidates {
	char (*texts)[CANDIDATE_BYTES];
	unsigned counts[CANDIDATES_MAX];
	size_t count;
};

static void candidate_add(struct candidates *c, const char *text)
{
	for (size_t i = 0; i < c->count; i++) {
		if (strcmp(c->texts[i], text) == 0) {
			c->counts[i]++;
			return;
		}
	}
	if (c->count < CANDIDATES_MAX && strlen(text) < CANDIDATE_BYTES) {
		strcpy(c->texts[c->count], text);
		c->counts[c->count++] = 1;
	}
}

static void values_of(struct candidates *c, struct world *w, const struct filter_field_info *field)
{
	const struct selection *s = world_selection(w);
	size_t count;
	const struct call_row *rows = world_calls(w, &count);
	char buffer[PARTY_BYTES];

	for (size_t i = 0; field->words && field->words[i]; i++)
		candidate_add(c, field->words[i]);
	for (size_t i = 0; i < s->finding_count && strcmp(field->name, "finding") == 0; i++)
		if (!s->findings[i].withdrawn)
			candidate_add(c, s->findings[i].id);
	for (size_t i = 0; i < count; i++) {
		if (strcmp(field->name, "state") == 0)
			candidate_add(c, rows[i].state);
		if (strcmp(field->name, "from") == 0 || strcmp(field->name, "number") == 0)
			candidate_add(c, party_text(rows[i].from, "-", buffer));
		if (strcmp(field->name, "to") == 0 || strcmp(field->name, "number") == 0)
			candidate_add(c, party_text(rows[i].to, "-", buffer));
	}
}

/* What stands before the caret: a field's name, or a field and the beginning of a value. */
static const char *word_begin(const struct dashboard *d)
{
	const char *p = d->input + d->input_at;

	while (p > d->input && !strchr(" (|", p[-1]))
		p--;
	return p + (*p == '-');
}

static const struct filter_field_info *field_named(const char *name, size_t n)
{
	for (size_t i = 0; i < FIELD_COUNT; i++)
		if (strlen(filter_fields[i].name) == n && strncasecmp(filter_fields[i].name, name, n) == 0)
			return &filter_fields[i];
	return NULL;
}

static void candidates_find(
	struct candidates *c, struct dashboard *d, struct world *w, const char *word, size_t *ret_from)
{
	size_t n = (size_t)(d->input + d->input_at - word), name = strcspn(word, ":=<>!~");
	const struct filter_field_info *field = name < n ? field_named(word, name) : NULL;

	*ret_from = (size_t)(word - d->input);
	if (name >= n) {
		for (size_t i = 0; i < FIELD_COUNT; i++) {
			char text[CANDIDATE_BYTES];

			snprintf(text, sizeof text, "%s:", filter_fields[i].name);
			candidate_add(c, text);
		}
		return;
	}
	*ret_from += name + strspn(word + name, ":=<>!~");
	if (field)
		values_of(c, w, field);
}

/* What all of them begin with. */
static size_t common(const struct candidates *c)
{
	size_t n = strlen(c->texts[0]);

	for (size_t i = 1; i < c->count; i++) {
		size_t k = 0;

		while (k < n && c->texts[i][k] == c->texts[0][k])
			k++;
		n = k;
	}
	return n;
}

static void keep_beginning(struct candidates *c, const char *typed, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < c->count; i++) {
		if (strncasecmp(c->texts[i], typed, n) != 0)
			continue;
		memmove(c->texts[kept], c->texts[i], CANDIDATE_BYTES);
		c->counts[kept++] = c->counts[i];
	}
	c->count = kept;
}

static void complete(struct dashboard *d, struct world *w)
{
	struct candidates *c = memory_zalloc(sizeof *c);
	size_t from, typed, shared;
	struct text t;

	c->texts = memory_zalloc(CANDIDATES_MAX * sizeof *c->texts);
	candidates_find(c, d, w, word_begin(d), &from);
	typed = d->input_at - from;
	keep_beginning(c, d->input + from, typed);
	shared = c->count ? common(c) : 0;
	if (shared > typed) {
		char rest[CANDIDATE_BYTES];

		snprintf(rest, sizeof rest, "%.*s", (int)(shared - typed), c->texts[0] + typed);
		input_insert(d, rest);
	}
	text_init(&t);
	for (size_t i = 0; i < c->count && c->count > 1 && t.n < MESSAGE_BYTES - 40; i++)
		text_addf(&t, c->counts[i] > 1 ? "%s (%u)  " : "%s  ", c->texts[i], c->counts[i]);
	message_set(d, "%s", c->count == 0 ? "nothing begins so" : t.p);
	text_fini(&t);
	free(c->texts);
	free(c);
}

/* ---- go to ---- */

static void go_call(struct dashboard *d, struct world *w, const struct call_row *r)
{
	struct order o = world_order(w, d->filter, d->hide_ended, d->sort, d->sort_down);
	size_t count;
	const struct call_row *rows = world_calls(w, &count);
	struct place *p;
	bool listed = false;

	for (size_t i = 0; i < o.count; i++)
		listed |= rows[o.rows[i]].id == r->id;
	if (!listed) {
		message_set(d, "call %u is hidden: F9 clears the filter", r->n);
		return;
	}
	if (d->main != VIEW_OVERVIEW || d->depth)
		d->main = VIEW_CALLS;
	d->depth = 0;
	p = place_of(d);
	if (d->main == VIEW_OVERVIEW)
		p->pane = 1;
	p->lists[p->pane].id = r->id;
}

static void go_frame(struct dashboard *d, struct world *w, uint32_t frame)
{
	size_t count;
	const struct call_row *rows = world_calls(w, &count);
	const struct stream_row *streams;
	struct view_stream v;

	for (size_t i = 0; i < count; i++) {
		if (message_at(w, rows[i].id, 0, frame)) {
			open_frame(d, w, rows[i].id, 0, frame);
			return;
		}
	}
	streams = world_streams(w, &count);
	for (size_t i = 0; i < count; i++) {
		const struct call_row *r = streams[i].call ? world_call_numbered(w, streams[i].call) : NULL;

		if (r && view_stream(w->engine, streams[i].index, &v) && frame >= v.first_frame &&
			frame <= v.last_frame) {
			open_ladder(d, r->id, true);
			ladder_seek(d, w, v.file, frame);
			return;
		}
	}
	message_set(d, "frame %u belongs to no call", frame);
}

static void go_time(struct dashboard *d, struct world *w, const struct when *when)
{
	const struct call_row *first = NULL;
	int64_t from_ns, to_ns;
	size_t count;
	const struct call_row *rows = world_calls(w, &count);

	when_resolve(when, world_capture(w)->first_ns, world_capture(w)->last_ns, &from_ns, &to_ns);
	for (size_t i = 0; i < count; i++)
		if (rows[i].start_ns != NS_NONE && rows[i].start_ns >= from_ns &&
			(!first || rows[i].start_ns < first->start_ns))
			first = &rows[i];
	if (first)
		go_call(d, w, first);
	else
		message_set(d, "no call begins then or later");
}

static void go(struct dashboard *d, struct world *w)
{
	struct span text = span_of(d->input);
	const struct call_row *r;
	struct when when;
	uint64_t n;

	if (span_starts_nocase(text, SPAN("frame "))) {
		if (span_number(span_from(text, 6), UINT32_MAX, &n))
			go_frame(d, w, (uint32_t)n);
		else
			message_set(d, "frame, and its number: frame 812");
	} else if (span_number(text, UINT32_MAX, &n)) {
		r = world_call_numbered(w, (unsigned)n);
		if (r)
			go_call(d, w, r);
		else
			message_set(d, "there is no call %s", d->input);
	} else if (when_parse(text, &when)) {
		go_time(d, w, &when);
	} else {
		message_set(d, "101 goes to a call, frame 812 to a frame, 09:12 to a time");
	}
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
		go(d, w);
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
		complete(d, w);
		filter_take(d);
	} else if (p == PROMPT_FILTER && (key == KEY_ARROW_UP || key == KEY_ARROW_DOWN)) {
		past_go(d, key == KEY_ARROW_UP ? 1 : -1);
		filter_take(d);
	} else if (input_key(d, key) && p == PROMPT_FILTER) {
		filter_take(d);
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

/* ---- drawing ---- */

/* So many columns of the input are to the left of what is in sight, that the caret is. */
static unsigned hidden_columns(const struct dashboard *d, unsigned width)
{
	char head[INPUT_BYTES];
	unsigned at;

	snprintf(head, sizeof head, "%.*s", d->input_at, d->input);
	at = (unsigned)text_columns(head);
	return at + 1 > width ? at + 1 - width : 0;
}

static void draw_input(struct dashboard *d, struct sheet *s, unsigned row, unsigned column, unsigned width)
{
	unsigned hidden = hidden_columns(d, width), skipped = 0;
	const char *shown = d->input;
	char head[INPUT_BYTES];

	while (skipped < hidden && *shown) {
		size_t n = behind(shown, 0);

		snprintf(head, sizeof head, "%.*s", (int)n, shown);
		skipped += (unsigned)text_columns(head);
		shown += n;
	}
	sheet_text(s, row, column, width, PAINT_PLAIN, shown);
	if (hidden)
		sheet_text(s, row, column, 1, PAINT_DIM, "…");
	snprintf(head, sizeof head, "%.*s", (int)(d->input + d->input_at - shown), shown);
	sheet_mark(s, row, column + (unsigned)text_columns(head), 1, STYLE_REVERSE);
}

static void draw_filter_hint(struct dashboard *d, struct world *w, struct sheet *s, unsigned row)
{
	struct order o = world_order(w, d->filter, d->hide_ended, d->sort, d->sort_down);
	char head[INPUT_BYTES], a[WORDS], b[WORDS];

	d->unfinished |= !o.complete;
	sheet_blank(s, row, 0, s->columns);
	if (d->is_wrong) {
		unsigned at, hidden;

		snprintf(head, sizeof head, "%.*s", d->wrong_at, d->input);
		hidden = hidden_columns(d, s->columns - 4);
		at = 3 + (unsigned)text_columns(head);
		at -= hidden < at - 3 ? hidden : at - 3;
		if (at + text_columns(d->wrong) + 4 > s->columns)
			at = s->columns > text_columns(d->wrong) + 4 ? s->columns - (unsigned)text_columns(d->wrong) - 4
								     : 0;
		sheet_textf(s, row, at, s->columns - at, PAINT_WARN, "^ %s", d->wrong);
		return;
	}
	sheet_text(s, row, 1, s->columns, PAINT_DIM, "Tab completes   ↑ earlier   Esc drops   Enter keeps");
	sheet_right(s, row, 0, s->columns - 1, PAINT_PLAIN, "");
	sheet_textf(s, row, s->columns > 26 ? s->columns - 26 : 0, 25, PAINT_HEAD, "%s of %s%s",
		words_count(o.count, a), words_counted(o.of, "call", b), o.complete ? "" : "...");
}

static void draw_line_prompt(struct dashboard *d, struct world *w, struct sheet *s)
{
	static const char *const signs[] = { [PROMPT_FILTER] = "/", [PROMPT_FIND] = "find", [PROMPT_GO] = "go to" };
	unsigned row = s->rows - 2, column = 1 + (unsigned)strlen(signs[d->prompt]) + 1;

	if (d->message[0] && d->prompt == PROMPT_FILTER) {
		sheet_blank(s, row - 1, 0, s->columns);
		sheet_text(s, row - 1, 3, s->columns - 3, PAINT_DIM, d->message);
	}
	sheet_blank(s, row, 0, s->columns);
	sheet_text(s, row, 1, s->columns, PAINT_HEAD, signs[d->prompt]);
	draw_input(d, s, row, column, s->columns - column - 1);
	if (d->prompt == PROMPT_FILTER) {
		draw_filter_hint(d, w, s, row + 1);
	} else {
		sheet_blank(s, row + 1, 0, s->columns);
		sheet_text(s, row + 1, 1, s->columns, PAINT_DIM,
			d->prompt == PROMPT_GO ? "101   frame 812   09:12   Enter goes   Esc drops"
					       : "Enter finds, n next, N before   Esc drops");
	}
}

struct form {
	unsigned row, column, width, at;
};

static struct form form_begin(struct sheet *s, const char *title, unsigned lines, const char *keys)
{
	struct form f = { .width = FORM_COLUMNS };

	f.column = s->columns > f.width ? (s->columns - f.width) / 2 : 0;
	f.row = s->rows > lines + 4 ? (s->rows - lines - 2) / 2 : 1;
	f.at = f.row + 1;
	bar_draw(s, f.row, f.column, f.width, title, "");
	for (unsigned i = 0; i < lines; i++) {
		sheet_blank(s, f.row + 1 + i, f.column, f.width);
		sheet_text(s, f.row + 1 + i, f.column, 1, PAINT_DIM, "│");
		sheet_text(s, f.row + 1 + i, f.column + f.width - 1, 1, PAINT_DIM, "│");
	}
	bar_draw(s, f.row + 1 + lines, f.column, f.width, keys, "");
	return f;
}

static void form_line(struct form *f, struct sheet *s, bool selected, const char *text)
{
	sheet_text(s, f->at, f->column + 3, f->width - 5, PAINT_PLAIN, text);
	if (selected)
		row_select(s, f->at, f->column + 1, f->width - 2);
	f->at++;
}

static void draw_save(struct dashboard *d, struct world *w, struct sheet *s)
{
	const struct call_row *r = world_call(w, selected_call(d, w));
	struct form f = form_begin(s, "Save packets as pcapng", SAVE_CHOICES + 2, "Enter Save  ↑ ↓ which  Esc Cancel");
	char text[SAVE_CHOICES][80];

	if (r)
		snprintf(text[CHOICE_CALL], 80, "call %u", r->n);
	else
		snprintf(text[CHOICE_CALL], 80, "the selected call (none)");
	snprintf(text[CHOICE_MARKED], 80, "%u marked", d->mark_count);
	snprintf(text[CHOICE_FILTERED], 80, "all calls that are listed");
	snprintf(text[CHOICE_ALL], 80, "everything");
	for (unsigned i = 0; i < SAVE_CHOICES; i++) {
		char line[100];

		snprintf(line, sizeof line, "(%s) %.60s", d->save_what == i ? "*" : " ", text[i]);
		form_line(&f, s, false, line);
	}
	f.at++;
	sheet_text(s, f.at, f.column + 3, 6, PAINT_HEAD, "File");
	draw_input(d, s, f.at, f.column + 9, f.width - 11);
}

static void draw_columns(struct dashboard *d, struct sheet *s)
{
	unsigned room = s->rows > 8 ? s->rows - 6 : 2, lines = CALL_COLUMNS < room ? CALL_COLUMNS : room;
	unsigned top = d->prompt_item >= lines ? d->prompt_item - lines + 1 : 0;
	struct form f = form_begin(s, "Columns of calls", lines, "Space on, off  + - move  Enter Done");

	for (unsigned i = top; i < top + lines && i < CALL_COLUMNS; i++) {
		unsigned which = d->column_order[i];
		char line[80];

		snprintf(line, sizeof line, "[%s] %s", d->columns_on >> which & 1 ? "x" : " ",
			call_column_name((enum call_column)which));
		form_line(&f, s, i == d->prompt_item, line);
	}
}

static void draw_settings(struct dashboard *d, struct sheet *s)
{
	static const char *const palettes[] = { "as the terminal has", "16", "none" };
	struct form f = form_begin(s, "Settings", 4, "← → change  Enter Use  w Keep");
	char line[80];

	snprintf(line, sizeof line, "Colours      %s", palettes[d->palette % 3]);
	form_line(&f, s, d->prompt_item == 0, line);
	snprintf(line, sizeof line, "Glyphs       %s", d->glyphs ? "ASCII" : "as the terminal has");
	form_line(&f, s, d->prompt_item == 1, line);
	snprintf(line, sizeof line, "Enter opens  %s", d->enter_ladder ? "the ladder" : "the call");
	form_line(&f, s, d->prompt_item == 2, line);
	snprintf(line, sizeof line, "Bell         %s", d->bell ? "at a new problem" : "off");
	form_line(&f, s, d->prompt_item == 3, line);
}

void prompt_draw(struct dashboard *d, struct world *w, struct sheet *s)
{
	struct form f;

	switch ((enum prompt)d->prompt) {
	case PROMPT_NONE: break;
	case PROMPT_FILTER:
	case PROMPT_FIND:
	case PROMPT_GO: draw_line_prompt(d, w, s); break;
	case PROMPT_SAVE: draw_save(d, w, s); break;
	case PROMPT_COLUMNS: draw_columns(d, s); break;
	case PROMPT_SETTINGS: draw_settings(d, s); break;
	case PROMPT_QUIT:
		f = form_begin(s, w->numbers.live ? "End the capture?" : "Stop reading?", 1, "y Yes  n No");
		form_line(&f, s, false, "the report is printed then");
		break;
	}
}
