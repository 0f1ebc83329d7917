/* SPDX-License-Identifier: MIT */
/*
 * progress: a bar on standard error while a long file is read; only on a terminal, only after half a second, erased at
 * the end.
 */
#ifndef DEADAIR_UI_PROGRESS_H
#define DEADAIR_UI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "captures/base/ns.h"

struct progress {
	bool wanted, shown, ascii;
	int64_t started_ns, drawn_ns;        /* of the monotonic clock */
	char name[64];
};

void progress_begin(struct progress *p, const char *name, bool ascii);
/* Cheap when it is not time to draw; total 0: unknown. */
void progress_update(struct progress *p, uint64_t done_bytes, uint64_t total_bytes, uint64_t frames);
void progress_end(struct progress *p);

/* The line for one moment, at most 79 columns. */
struct text;
void progress_line(struct text *t, const struct progress *p, int64_t since_ns, uint64_t done_bytes,
	uint64_t total_bytes, uint64_t frames);

#endif
