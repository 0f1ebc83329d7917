/* SPDX-License-Identifier: MIT */
/* names: a list that grows up to a limit. */
#include "captures/names.h"

#include <stdlib.h>

#include "captures/base/memory.h"
#include "captures/base/text.h"

enum { NAME_TEXT = 256 };                        /* RFC 1035 2.3.4 allows 255 */

void name_records_init(struct names *names)
{
	*names = (struct names){ .arena = arena_new() };
}

void name_records_fini(struct names *names)
{
	arena_free(names->arena);
	free(names->list);
	*names = (struct names){ NULL, NULL, 0, 0 };
}

void name_records_add(struct names *names, const struct address *address, struct span name)
{
	char addr[ADDRESS_TEXT], text[NAME_TEXT];

	if (names->count == NAMES_MOST || name.n == 0)
		return;
	if (names->count == names->room) {
		names->room = names->room ? names->room * 2 : 16;
		names->list = memory_resize(names->list, names->room, sizeof *names->list);
	}
	names->list[names->count++] = (struct source_name){
		.address = arena_text(names->arena, span_of(address_text(address, addr))),
		.name = arena_text(names->arena, span_of(text_escape(name, text, sizeof text))),
	};
}
