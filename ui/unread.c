/* SPDX-License-Identifier: MIT */
/* unread: the first of its link types, by number and name, and what to do. */
#include "ui/unread.h"

#include <stdio.h>

#include "captures/base/text.h"
#include "dissect/link.h"
#include "ui/link_name.h"

const char *unread_say(const struct source_file *f, char text[UNREAD_TEXT])
{
	char name[LINK_NAME], file[320];

	if (f->error.code != ERR_OK || f->frames == 0 || f->interface_count == 0)
		return NULL;
	for (size_t i = 0; i < f->interface_count; i++) {
		if (link_known(f->interfaces[i].link))
			return NULL;
	}
	snprintf(text, UNREAD_TEXT,
		"%s: link type %u (%s), which deadair does not read; capture on the interface that carries the phones: tcpdump -i IF -s 0 -w FILE",
		text_escape(span_of(f->name), file, sizeof file), f->interfaces[0].link,
		link_name(f->interfaces[0].link, name));
	return text;
}
