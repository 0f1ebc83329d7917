/* SPDX-License-Identifier: MIT */
/* unpack: gzip (several members) and zstd (several frames) as a stream, in bounded memory. */
#ifndef DEADAIR_CAPTURES_UNPACK_H
#define DEADAIR_CAPTURES_UNPACK_H

#include "captures/base/span.h"

enum unpack_kind { UNPACK_NONE, UNPACK_GZIP, UNPACK_ZSTD };

enum { UNPACK_TROUBLE = 160, UNPACK_MOST = 1 << 30 };

struct unpack;

/* By the first bytes of a file, never by its name. */
enum unpack_kind unpack_kind_of(struct span first);
const char *unpack_kind_text(enum unpack_kind kind);        /* "gzip", "zstd" */

struct unpack *unpack_new(enum unpack_kind kind);           /* not UNPACK_NONE */
void unpack_free(struct unpack *u);

/*
 * Unpacks into out, at most room bytes, and moves packed behind what was used; gives the bytes written. Goes on until
 * room is full or packed is used up; neither is larger than UNPACK_MOST. On trouble (damage, a window too large, a
 * dictionary) the text says what; what was written before it is good.
 */
size_t unpack_run(struct unpack *u, struct span *packed, uint8_t *out, size_t room, char trouble[UNPACK_TROUBLE]);

/* The packed bytes may end here: a member or frame has just been completed. */
bool unpack_complete(const struct unpack *u);

#endif
