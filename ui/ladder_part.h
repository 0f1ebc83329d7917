/* SPDX-License-Identifier: MIT */
/* ladder_part: one call as a ladder, between what collects its events and what prints them. */
#ifndef DEADAIR_UI_LADDER_PART_H
#define DEADAIR_UI_LADDER_PART_H

#include "ui/ladder_hosts.h"
#include "ui/report_part.h"

enum {
	HOST_MAX = 5,                /* more columns do not fit beside each other */
	FIRST_COLUMN = 16, LAST_COLUMN = 70, LANE_MAX = 27
};

enum event_kind { EVENT_MESSAGE, EVENT_MEDIA, EVENT_SILENCE, EVENT_FINDING };

struct event {
	int64_t at_ns;
	enum event_kind kind;
	size_t index;                /* of the message, the stream, the direction, the finding */
};

struct call_ladder {
	const struct report *r;
	struct out *out;
	struct view_call call;
	size_t call_index;
	struct ladder_hosts hosts;
	size_t column[HOST_MAX];
	struct event *events;
	size_t event_count;
	size_t messages, streams;
	struct view_finding finding;         /* room for one */
	struct frame_mark {
		uint16_t file;
		uint32_t frame;
	} *marks;                            /* frames that are evidence */
	size_t mark_count;
	int64_t before_ns;                   /* of the rung printed last */
};

/* All of the call: messages, media, silence and problems in the order of time; its hosts, and where they stand. */
struct call_ladder *call_ladder_new(const struct report *r, size_t call);
void call_ladder_free(struct call_ladder *l);
/* Is the frame evidence of one of its problems? */
bool call_ladder_is_marked(const struct call_ladder *l, uint16_t file, uint32_t frame);

/* Head and rungs, at 80 columns. */
void call_ladder_print(struct call_ladder *l);

#endif
