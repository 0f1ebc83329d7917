/* SPDX-License-Identifier: MIT */
/* page: lines of text and of things to step into, made when a place is first looked at and kept with the picture. */
#ifndef DEADAIR_DASHBOARD_PAGE_H
#define DEADAIR_DASHBOARD_PAGE_H

#include "ui/dashboard/parts.h"

enum line_kind { LINE_TEXT, LINE_BAR, LINE_EVIDENCE, LINE_FINDING, LINE_CALL, LINE_MESSAGE, LINE_RECORD };

struct line {
	uint8_t kind, style; /* of text; the first label columns are a head */
	uint8_t label;
	uint8_t mark; /* enum call_mark + 1 before it; 0 none */
	uint16_t file;
	uint32_t frame; /* where it leads; 0 nowhere */
	uint64_t id, call; /* call: identity */
	size_t finding; /* LINE_FINDING */
	char *text, *right, *record; /* record: of the history, "92/f3" */
};

struct page {
	uint64_t key;
	struct line *lines;
	size_t count;
};

/* The page of the place in view, as wide as that. Good until another is asked for. */
const struct page *page_of(struct dashboard *d, struct world *w);
void page_free(struct page *p);

/* For those who make pages. */
struct line *page_add(struct page *p, enum line_kind kind, unsigned style, const char *text);
/* What was written for people, line by line: labels become heads. */
void page_add_out(struct page *p, const struct out *o);
void page_add_wrapped(struct page *p, unsigned width, const char *label, const char *text);
void page_make_problem(struct page *p, struct dashboard *d, struct world *w, unsigned width);
void page_make_call(struct page *p, struct dashboard *d, struct world *w, unsigned width);
void page_make_raw(struct page *p, struct dashboard *d, struct world *w, unsigned width);
void page_make_compare(struct page *p, struct dashboard *d, struct world *w, unsigned width);
void page_make_text(struct page *p, struct dashboard *d, struct world *w, unsigned width);
void page_make_history(struct page *p, struct dashboard *d, struct world *w);
void page_make_compared(struct page *p, struct world *w, const char *runs, unsigned width);
void page_make_record(struct page *p, struct world *w, const char *record, unsigned width);
/* A finding's evidence, each line leading to its frame in that call. */
void page_add_evidence(struct page *p, struct world *w, const struct view_finding *f, uint64_t call, unsigned width);

/* Lines of a page in a list: all of them, drawn at their place. */
size_t page_count(const struct looking *k);
uint64_t page_line_id(const void *context, size_t row);
void page_draw(const struct page *p, struct dashboard *d, struct world *w, struct sheet *s, struct list *l,
	unsigned row, unsigned column, unsigned width, unsigned shown, bool reads);
const struct line *page_selected(struct dashboard *d, struct world *w);
/*
 * Up and down among what can be stepped into; where there is nothing near, the page is scrolled. False: another
 * action.
 */
bool page_move(struct dashboard *d, struct world *w, enum action a);
/* Enter on a line. */
bool page_open(struct dashboard *d, struct world *w);
/* Find forwards or back from the present line. */
bool page_find(struct dashboard *d, struct world *w, bool back);

/* A message of a call, named by file, frame and its place among those of the frame. */
uint64_t message_id(uint16_t file, uint32_t frame, unsigned nth);
bool message_get(struct world *w, uint64_t call, uint64_t id, struct view_message *ret);
/* The message at a frame, the first of the call where that is 0. 0: none. */
uint64_t message_at(struct world *w, uint64_t call, unsigned file, uint32_t frame);
/* Does this line stand in it, too? */
bool message_says(const struct view_message *m, struct span line);
/* "INVITE SDP", "200 OK SDP" */
void message_words(const struct view_message *m, struct text *ret);

#endif
