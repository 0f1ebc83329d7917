/* SPDX-License-Identifier: MIT */
/*
 * past_asks: who asked for which users before this capture began, as a history tells. Handed in at the start or before
 * the end; without a history there are none.
 */
#ifndef DEADAIR_ANALYZER_PAST_ASKS_H
#define DEADAIR_ANALYZER_PAST_ASKS_H

#include "captures/base/address.h"
#include "captures/base/span.h"

enum { PAST_ASKS_MOST = 16384 };     /* the latest ones: others are left out */

struct past_asks;
struct source;

struct past_ask {
	struct address source;
	struct span user, agent;     /* safe text, as a struct source has it; agent may be empty */
	int64_t at_ns;
	bool accepted;               /* answered as a caller, registered */
};

struct past_asks *past_asks_new(void);
void past_asks_free(struct past_asks *p);
/* False: there are PAST_ASKS_MOST. */
bool past_asks_add(struct past_asks *p, const struct past_ask *ask);

struct past_sum {
	unsigned users;              /* different ones, not among those that it asked for in this capture */
	bool accepted;
	int64_t first_ns;            /* NS_NONE: none */
};

/* What that source asked within the time, by the agent that it has in this capture. p may be NULL. */
struct past_sum past_asks_of(struct past_asks *p, const struct source *x, int64_t from_ns, int64_t to_ns);

#endif
