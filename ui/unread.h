/* SPDX-License-Identifier: MIT */
/* unread: a file of which no frame is read, as all its link types are unknown: that is no healthy capture. */
#ifndef DEADAIR_UI_UNREAD_H
#define DEADAIR_UI_UNREAD_H

#include <stddef.h>

#include "captures/source.h"

enum { UNREAD_TEXT = 512 };

/* What to say of it, as of a file with an error; NULL: it is none of these. */
const char *unread_say(const struct source_file *f, char text[UNREAD_TEXT]);

#endif
