/* SPDX-License-Identifier: MIT */
/* save_choice: which packets belong to what is to be saved, and what is to be said of them. */
#ifndef DEADAIR_UI_SAVE_CHOICE_H
#define DEADAIR_UI_SAVE_CHOICE_H

#include "analyzer/views.h"
#include "dissect/packet.h"

enum save_kind { SAVE_ALL, SAVE_CALLS, SAVE_FINDINGS, SAVE_INCIDENTS };

struct save_wish {
	enum save_kind kind;
	const unsigned *numbers;     /* of view_call, view_finding, view_incident; not for SAVE_ALL */
	size_t count;
};

struct choice;

/* The engine is at its end. */
struct choice *choice_new(const struct engine *e, const struct save_wish *wish);
void choice_free(struct choice *c);

/* Twice over all packets in the same order: first notes (what was put together out of which packets), then asks. */
void choice_note(struct choice *c, const struct packet *p);
bool choice_has(const struct choice *c, const struct packet *p);
/* Is the frame to be saved whatever is in it? It is evidence. */
bool choice_wants(const struct choice *c, const struct frame *f);
/* The comments of a frame, at most `most`. */
size_t choice_comments(const struct choice *c, const struct frame *f, const char **ret, size_t most);

#endif
