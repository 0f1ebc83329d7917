/* SPDX-License-Identifier: MIT */
/* names: what name resolution blocks say, bounded: a name is a help, not a reason to run out of memory. */
#ifndef DEADAIR_CAPTURES_NAMES_H
#define DEADAIR_CAPTURES_NAMES_H

#include "captures/base/address.h"
#include "captures/base/arena.h"
#include "captures/source.h"

enum { NAMES_MOST = 65536 };

struct names {
	struct arena *arena;
	struct source_name *list;
	size_t count, room;
};

void name_records_init(struct names *names);
void name_records_fini(struct names *names);
/* Escapes the name; drops it when there are too many already. */
void name_records_add(struct names *names, const struct address *address, struct span name);

#endif
