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

/* A call of which one direction cannot be judged. */
void unseen_add(struct unseen *u, const struct view_call *c);

#endif
