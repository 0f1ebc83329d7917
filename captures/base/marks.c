/* SPDX-License-Identifier: MIT */
/* marks: a set of small numbers, from 1 on, as records are numbered. */
#include "captures/base/marks.h"

#include <stdlib.h>
#include <string.h>

#include "captures/base/memory.h"

void marks_set(struct marks *m, unsigned number)
{
	if (number >= m->room) {
		size_t room = (size_t)number * 2 + 64;

		m->on = memory_resize(m->on, room, sizeof *m->on);
		memset(m->on + m->room, 0, (room - m->room) * sizeof *m->on);
		m->room = room;
	}
	m->on[number] = true;
}

bool marks_have(const struct marks *m, unsigned number)
{
	return number && number < m->room && m->on[number];
}

void marks_fini(struct marks *m)
{
	free(m->on);
	*m = (struct marks){ NULL, 0 };
}
