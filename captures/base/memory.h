/* SPDX-License-Identifier: MIT */
/* memory: allocation that never gives NULL; out of memory the process says so and exits with status 2. */
#ifndef DEADAIR_BASE_MEMORY_H
#define DEADAIR_BASE_MEMORY_H

#include <stddef.h>

void *memory_zalloc(size_t bytes);                        /* zeroed; free(3) */
/* checks count * size; contents beyond the old size undefined */
void *memory_resize(void *old, size_t count, size_t size);
char *memory_text(const char *text);                      /* a copy; free(3) */

#endif
