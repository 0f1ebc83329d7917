/* SPDX-License-Identifier: MIT */
/* memory: allocation that never gives NULL. */
#include "captures/base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *checked(void *p)
{
	static const char message[] = "deadair: out of memory; read fewer files or narrow them with -f\n";

	if (p)
		return p;
	if (write(STDERR_FILENO, message, sizeof message - 1) < 0) {
		/* nothing is left to tell it to */
	}
	exit(2);
}

void *memory_zalloc(size_t bytes)
{
	return checked(calloc(1, bytes ? bytes : 1));
}

void *memory_resize(void *old, size_t count, size_t size)
{
	return checked(reallocarray(old, count ? count : 1, size ? size : 1));
}

char *memory_text(const char *text)
{
	return checked(strdup(text));
}
