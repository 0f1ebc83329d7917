/* SPDX-License-Identifier: MIT */
/* explained: which findings a root explains, as chains of indexes, so that no block has to look through all of them. */
#ifndef DEADAIR_UI_EXPLAINED_H
#define DEADAIR_UI_EXPLAINED_H

#include "ui/selection.h"

#define EXPLAINED_NONE SIZE_MAX

struct explained {
	size_t *first, *next;        /* by index of the finding */
};

struct explained explained_make(const struct selection *s);
void explained_free(struct explained *e);

static inline size_t explained_first(const struct explained *e, size_t root)
{
	return e->first[root];
}

#endif
