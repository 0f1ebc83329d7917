/* SPDX-License-Identifier: MIT */
/* source_private: the table of sources, for source*.c only. */
#ifndef DEADAIR_NETWORK_SOURCE_PRIVATE_H
#define DEADAIR_NETWORK_SOURCE_PRIVATE_H

#include "analyzer/network/source.h"

struct attempt;

struct sources {
	struct sources_config config;
	const struct site *site;
	struct list in_order, in_age, aors;
	struct hash by_addr, attempts_by_key, aors_by_key;
	struct attempt *attempts;    /* a ring, made with the first request */
	size_t next_attempt, attempts_max;
	size_t users, targets;       /* of all sources */
	uint64_t evicted;
};

/* Closes the second that is counted when another begins. */
void source_clock(const struct sources *s, struct source *x, int64_t second);
void source_estimates(struct source *x);
/* source_tool.c: what this initial request shows of known tools. */
void source_marks(struct sources *s, struct source *x, const struct packet *p, struct frame_ref at);
/* source_settle.c: is the account tried from all over the place? */
void source_aor_judge(struct source_aor *x);

#endif
