/* SPDX-License-Identifier: MIT */
/* moments: stretches of time at which a capture lacks something, in order and apart from one another. */
#ifndef DEADAIR_DETECT_MOMENTS_H
#define DEADAIR_DETECT_MOMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct facts;

struct loss_moment {                 /* G7: streams that miss packets at the same time */
	int64_t from_ns, to_ns;
	unsigned streams;
};

struct moments { struct loss_moment *list; unsigned count; };

/* Added by time; what touches the last one makes that longer. */
void moments_add(struct moments *m, struct loss_moment add);
/* Both, in one; the first is finished. */
struct moments moments_merge(struct moments *m, const struct moments *more);
/* Is one of them within that time, or less than 50 ms from it? */
bool moments_meet(const struct moments *m, int64_t from_ns, int64_t to_ns);
void moments_fini(struct moments *m);

/* When streams live: of those of two packets and more, each sorted by itself. */
struct lives { int64_t *begin_ns, *end_ns; size_t count; };

enum { EVERY_FILE = -1 };

struct lives lives_of(const struct facts *f, int file);
void lives_fini(struct lives *l);
/* Streams that have begun at that time or before, and end later than the other. */
size_t lives_over(const struct lives *l, int64_t begun_ns, int64_t later_ns);

#endif
