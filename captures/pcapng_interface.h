/* SPDX-License-Identifier: MIT */
/* pcapng_interface: interfaces of a pcapng file, their clocks and statistics, and the options that describe them. */
#ifndef DEADAIR_CAPTURES_PCAPNG_INTERFACE_H
#define DEADAIR_CAPTURES_PCAPNG_INTERFACE_H

#include "captures/reader.h"

enum {
	INTERFACE_LEAST = 8,             /* body of an interface description block */
	INTERFACES_MOST = 65536,         /* what a frame can name */
};

/* Time = offset_s + units * times / divided >> shift, in ns. times 0: so fine a clock that it cannot tell the date. */
struct pcapng_clock {
	int64_t offset_s;
	uint64_t times, divided;
	unsigned shift;
	uint64_t dropped;                /* sum of the packets' own counts */
	bool has_statistics;             /* these are totals, and overrule that sum */
};

/* The part of a reader that is pcapng's. Interfaces of all sections in one list; those of this one begin at first. */
struct pcapng {
	struct source_interface *shown;
	struct pcapng_clock *clocks;
	size_t count, room, first;
	/* of the frame before; at first, if that has none, of the first that has one */
	int64_t last_ns;
	bool looked_ahead;
};

struct pcapng_option {
	uint16_t code;
	struct span value;
};

/* False at the end of the list, also where it ends without an end mark or leaves its block. */
bool pcapng_option_next(const struct reader *r, struct span *rest, struct pcapng_option *ret);

void pcapng_interface_add(struct reader *r, struct span body);
void pcapng_interface_statistics(struct reader *r, struct span body);
void pcapng_interface_dropped(struct reader *r, size_t interface, uint64_t count);
/* False when the time cannot be told in int64_t ns since 1970. */
bool pcapng_interface_time(const struct pcapng_clock *clock, uint64_t units, int64_t *ret_ns);

#endif
