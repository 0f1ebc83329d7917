/* SPDX-License-Identifier: MIT */
/*
 * file_clocks: files whose clocks are far apart are read on one clock. Before they are read, their SIP messages are
 * looked at once for those that two files have.
 */
#ifndef DEADAIR_FILE_CLOCKS_H
#define DEADAIR_FILE_CLOCKS_H

#include "captures/source.h"

enum { FILE_CLOCKS_MAX = 64 };

struct file_clock_ahead {
	int64_t ahead_ns, error_ns;  /* of the other file's; 0: as it is, or not known */
	uint16_t against;            /* index of the file that is on that clock */
};

struct file_clocks {
	struct file_clock_ahead of[FILE_CLOCKS_MAX];  /* by index in the source */
	unsigned set;                /* how many are not taken at their word */
};

/*
 * Three requests and three answers at least that both files have tell how far apart they are: 100 ms and more, a day at
 * most. Only of regular files, up to 64, and their first frames, a few hundred thousand.
 */
void file_clocks_measure(struct file_clocks *c, const struct source *s);
/* Before the first frame is asked for. */
void file_clocks_even(const struct file_clocks *c, struct source *s);

#endif
