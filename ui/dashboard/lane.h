/* SPDX-License-Identifier: MIT */
/* lane: the audio of one side of a call along time, a cell a stretch of it. */
#ifndef DEADAIR_DASHBOARD_LANE_H
#define DEADAIR_DASHBOARD_LANE_H

#include "ui/dashboard/sheet.h"
#include "ui/dashboard/world.h"

enum { LANE_CELLS_MAX = 480 };

struct lane {
	int64_t from_ns, to_ns;
	unsigned count;
	struct lane_cell {
		bool arrives, due, held, unseen;
		bool failed; /* due on a leg on which nothing gets there (hears_failed()) */
		bool pause; /* between two packets of a sender that suppresses silence */
		bool quiet; /* before the first or behind the last of them */
		bool sound; /* of what arrives: some of it is neither comfort noise nor mute */
		float loss; /* percent, the worst of the stretch */
		int level_dbm0; /* VIEW_UNHEARD not known */
	} cells[LANE_CELLS_MAX];
};

/* What the hearer (0 caller, 1 callee) of this call gets between two moments. */
void lane_make(struct lane *l, struct world *w, const struct view_call *c, unsigned hearer, int64_t from_ns,
	int64_t to_ns, unsigned count);
/* How a stream arrives, from its first packet to its last. */
void lane_make_stream(struct lane *l, const struct view_stream *s, unsigned count);
/*
 * The stretch that a short lane shows: the last seconds of a call that is up, all of one that is over. False: nothing
 * to show.
 */
bool lane_recent(
	const struct view_call *c, bool up, int64_t now_ns, unsigned count, int64_t *ret_from_ns, int64_t *ret_to_ns);
/* Its level, G.711 only. False, and nothing is drawn: of no cell it is known. */
bool lane_draw_level(const struct lane *l, struct sheet *s, unsigned row, unsigned column);
/* "speech", "no speech", "silence": what its level says. "" not known. */
const char *lane_level_words(const struct lane *l);
void lane_draw(const struct lane *l, struct sheet *s, unsigned row, unsigned column);

#endif
