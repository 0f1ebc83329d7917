/* SPDX-License-Identifier: MIT */
/*
 * clock_offset: how far the clocks of several capture files are apart, from messages that both files have. What runs
 * one way takes offset + delay, what runs back -offset + delay; the least of each bound the offset (as NTP does).
 */
#ifndef DEADAIR_NETWORK_CLOCK_OFFSET_H
#define DEADAIR_NETWORK_CLOCK_OFFSET_H

#include "captures/base/ns.h"

#define CLOCK_APART_NS (5 * MILLISECOND_NS)

enum { CLOCK_FILE_MAX = 64, CLOCK_PAIR_MAX = 256, CLOCK_PAIRS_NEEDED = 3 };

struct clock_pair {                  /* of files a < b */
	uint16_t a, b;
	uint32_t forth, back;        /* messages seen at a first on their way, and at b first */
	int64_t least_forth_ns, least_back_ns;       /* b - a; a - b */
};

struct clock_offsets {
	struct clock_pair pairs[CLOCK_PAIR_MAX];
	unsigned count;
	uint64_t set;                /* bit per file whose clock was set by another's: what is left is no delay */
};

/* One message, seen at two files; `near` is nearer its sender. Files beyond CLOCK_FILE_MAX are left out. */
void clock_sample(struct clock_offsets *c, uint16_t near_file, int64_t near_ns, uint16_t far_file, int64_t far_ns);
/*
 * How much later the clock of that file is than that of the first file it can be compared with; false: not known (fewer
 * than three messages each way). The reference itself is known, with 0.
 */
bool clock_offset_of(const struct clock_offsets *c, uint16_t file, int64_t *ret_offset_ns, int64_t *ret_error_ns);
/* b's clock against a's; false: unknown. The same file: 0. */
bool clock_between(const struct clock_offsets *c, uint16_t a, uint16_t b, int64_t *ret_offset_ns);

/* So far that no order of events and no delay between the two files is claimed. */
static inline bool clock_apart(int64_t offset_ns)
{
	return offset_ns > CLOCK_APART_NS || offset_ns < -CLOCK_APART_NS;
}
static inline bool clock_set(const struct clock_offsets *c, uint16_t file)
{
	return file < CLOCK_FILE_MAX && (c->set >> file & 1);
}
/* Is that file's offset measured against an earlier file's? */
bool clock_measured(const struct clock_offsets *c, uint16_t file);
/* The file that clock_offset_of() compares it with. */
uint16_t clock_reference(const struct clock_offsets *c, uint16_t file);

#endif
