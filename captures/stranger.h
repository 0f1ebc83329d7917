/* SPDX-License-Identifier: MIT */
/* stranger: what people have instead of a capture that can be read, and the way from there. */
#ifndef DEADAIR_CAPTURES_STRANGER_H
#define DEADAIR_CAPTURES_STRANGER_H

#include "captures/base/span.h"

enum { STRANGER_BYTES = 2048 };

/* first: the first STRANGER_BYTES of the file, or all of it. What to say behind the name; NULL: not known. */
const char *stranger_say(const char *name, struct span first);

#endif
