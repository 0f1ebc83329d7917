/* SPDX-License-Identifier: MIT */
/* explained: chains of consequences. */
#include "ui/explained.h"

#include <stdlib.h>

#include "captures/base/memory.h"

struct explained explained_make(const struct selection *s)
{
	struct explained e = { memory_resize(NULL, s->finding_count + 1, sizeof(size_t)),
		memory_resize(NULL, s->finding_count + 1, sizeof(size_t)) };

	for (size_t i = 0; i <= s->finding_count; i++)
		e.first[i] = e.next[i] = EXPLAINED_NONE;
	for (size_t i = s->finding_count; i-- > 0;) {
		size_t root = selection_root(s, i);

		if (root == i || s->findings[i].withdrawn)
			continue;
		e.next[i] = e.first[root];
		e.first[root] = i;
	}
	return e;
}

void explained_free(struct explained *e)
{
	free(e->first);
	free(e->next);
	*e = (struct explained){ NULL, NULL };
}
