/* SPDX-License-Identifier: MIT */
/* view_cache: what the files behind views.h share: records by index, and texts lent by the last view. */
#ifndef DEADAIR_ANALYZER_VIEW_CACHE_H
#define DEADAIR_ANALYZER_VIEW_CACHE_H

#include "analyzer/engine_state.h"
#include "analyzer/views.h"

enum { VIEW_TEXTS = 64, VIEW_TEXT = 352, VIEW_INTERVALS = 720,
	VIEW_HOLES = 66 };

struct checklist;                    /* analyzer/checklist.h */
struct peer;
struct policy;                       /* analyzer/policy.h */

struct number_list {                 /* numbers of findings, in the order of the report */
	unsigned *numbers;
	unsigned count, room;
};

struct ladder_rung {
	const struct message *message;
	unsigned leg;                /* index within the call */
};

struct view_cache {
	const struct call **calls;
	size_t call_count;
	const struct stream **streams;
	size_t stream_count;
	const struct finding **findings;
	size_t finding_count;
	const struct incident **incidents;
	size_t incident_count;
	const struct host **hosts;
	size_t host_count;
	const struct nat_mapping **nats;
	size_t nat_count;
	const struct registration **registrations;
	size_t registration_count;
	struct peer **peers;
	size_t peer_count;
	struct number_list *call_findings;   /* by index of the call */
	struct number_list *explains;        /* by index of the finding: the ones it explains */
	const struct call *ladder_of;        /* whose messages stand in ladder; NULL none */
	struct ladder_rung *ladder;
	size_t ladder_count, ladder_room;
	struct view_interval intervals[VIEW_INTERVALS];
	struct view_hole holes[VIEW_HOLES];
	struct checklist *checklist; /* NULL: nobody asked yet */
	struct policy *policy;       /* likewise */
	struct withheld *withheld;   /* where names are left out; else lent */
	char seen_from[128], can_show[200], cannot[8][160], notes[16][200];
	char texts[VIEW_TEXTS][VIEW_TEXT];   /* ring of short texts lent by the current view */
	unsigned next_text;
	struct { bool holds, decided; const char *text; } *rows;
};

/* Built at the first question. */
struct view_cache *view_cache_of(const struct engine *e);
/* A short text, VIEW_TEXT bytes, that lives until VIEW_TEXTS others have been asked for. */
char *view_lend(struct view_cache *v);

static inline unsigned view_call_number(const struct leg *leg)
{
	return leg && leg->call ? leg->call->n : 0;
}

/* "audio" */
const char *view_kind_name(enum sdp_kind kind);

/* The peers of a capture: v->peers, most called first. */
void view_peers_build(const struct engine *e, struct view_cache *v);
void view_peers_free(struct view_cache *v);

#endif
