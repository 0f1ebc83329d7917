/* SPDX-License-Identifier: MIT */
/* arena: zeroed memory that is freed as a whole, never singly. */
#ifndef DEADAIR_BASE_ARENA_H
#define DEADAIR_BASE_ARENA_H

#include "captures/base/span.h"

struct arena;
struct pool;

struct arena *arena_new(void);
/* For thousands that come and go: of pieces of the pool's size, 256 bytes to 64 KiB. The pool is lent. */
struct arena *arena_new_in(struct pool *chunks);
void arena_free(struct arena *arena);                    /* NULL is fine */
void *arena_zalloc(struct arena *arena, size_t bytes);   /* aligned to MEMORY_ALIGNMENT; never NULL */
struct span arena_dup(struct arena *arena, struct span s); /* lives as long as the arena; an empty span stays empty */
char *arena_text(struct arena *arena, struct span s);    /* the same, with a NUL behind */
void arena_ask(const struct arena *arena);                /* something will be laid in it soon */
size_t arena_bytes(const struct arena *arena);           /* taken from the system so far */

#endif
