/* SPDX-License-Identifier: MIT */
/* budget: memory in all becomes the cap of each table. */
#ifndef DEADAIR_ANALYZER_BUDGET_H
#define DEADAIR_ANALYZER_BUDGET_H

#include <stddef.h>

/* bytes: 50 MiB of it may go to tables of a fixed size (two points, answers awaited, sources of attacks) */
enum { BUDGET_LEAST = 128 << 20 };

struct budget {                      /* entries, where it does not say bytes; 0: the table's own default */
	size_t leg_bytes, registrations, accounts;   /* registrations: and as many subscriptions */
	size_t streams, flows;
	size_t sample_bytes;         /* of packets to be tested with keys; never 0 */
	size_t parties;              /* of RTCP */
	size_t hosts, pairs, mappings;
	size_t icmp;
	size_t watch_bytes;          /* of lamps */
	size_t services;             /* clients and the servers that they ask */
	size_t repeats, repeat_stats; /* transactions that may still be repeated; hosts and pairs of hosts */
	size_t sources, tuples;      /* who asks by SIP; flows of anything to outside */
};

/* bytes 0: no budget, zeros where that is allowed. */
struct budget budget_of(size_t bytes);
/* What of it dissection may hold in unfinished datagrams and TCP streams, bytes. */
size_t budget_dissect(size_t bytes);

#endif
