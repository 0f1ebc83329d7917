/* SPDX-License-Identifier: MIT */
/* marks: a set of small numbers, from 1 on, as records are numbered. */
#ifndef DEADAIR_BASE_MARKS_H
#define DEADAIR_BASE_MARKS_H

#include <stdbool.h>
#include <stddef.h>

struct marks {                       /* all zero: none */
	bool *on;
	size_t room;
};

void marks_set(struct marks *m, unsigned number);
bool marks_have(const struct marks *m, unsigned number);  /* never 0 */
void marks_fini(struct marks *m);

#endif
