/* SPDX-License-Identifier: MIT */
/* ladder: the rows of a message flow and its hosts, from the views of one call or several. */
#ifndef DEADAIR_DASHBOARD_LADDER_H
#define DEADAIR_DASHBOARD_LADDER_H

#include "ui/dashboard/parts.h"
#include "ui/ladder_hosts.h"

enum rung_kind { RUNG_MESSAGE, RUNG_SDP, RUNG_MEDIA, RUNG_SILENCE, RUNG_FINDING };

struct rung {
	uint8_t kind, style;
	uint16_t file;
	uint32_t frame, last_frame; /* 0: none */
	uint32_t order; /* among those of the same moment */
	unsigned leg;
	bool copy, proof, known; /* known: src and dst are */
	int64_t at_ns; /* NS_NONE: no time of its own */
	struct endpoint src, dst;
	uint64_t id, call, message, before; /* message: for message_get() */
	size_t finding;
	char *text;
};

struct ladder {
	uint64_t key;
	struct rung *rungs;
	size_t count;
	struct ladder_hosts hosts;
	char *labels[LADDER_HOSTS], *addresses[LADDER_HOSTS];
	size_t messages, streams, legs, calls;
};

/* Of the place in view. Good until another is asked for. */
const struct ladder *ladder_of(struct dashboard *d, struct world *w);

#endif
