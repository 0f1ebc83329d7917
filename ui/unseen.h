/* SPDX-License-Identifier: MIT */
/* unseen: why of answered calls nobody can say who hears whom; each reason once, with the calls it holds for. */
#ifndef DEADAIR_UI_UNSEEN_H
#define DEADAIR_UI_UNSEEN_H

#include "analyzer/views.h"

enum { UNSEEN_NAMED = 3 };

struct unseen {
	struct { char words[128]; size_t calls; } whys[UNSEEN_NAMED];        /* as they were met */
	size_t named, rest;          /* rest: calls with other reasons */
};

/* A gate or row of the register ("G3") in words; what is in words is left as it is. */
const char *unseen_words(const char *why);
/* A call of which one direction cannot be judged. */
void unseen_add(struct unseen *u, const struct view_call *c);

#endif
