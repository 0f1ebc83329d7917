/* SPDX-License-Identifier: MIT */
/*
 * world: one frozen picture of an engine as the dashboard looks at it: views.h, and small tables made of it at the
 * first question (what can be sorted
 * and counted without asking for every view again). They live as long as the picture.
 */
#ifndef DEADAIR_DASHBOARD_WORLD_H
#define DEADAIR_DASHBOARD_WORLD_H

#include "ui/report.h"
#include "ui/save.h"

struct dashboard;
struct ladder;
struct page;
struct world_cache;

/* What changes between pictures, too. */
struct numbers {
	char source[64]; /* "office.pcap", "eth1+eth2"; safe text */
	bool live, loading; /* loading: a file that is being read */
	bool stale; /* live: no packet for seconds */
	bool redacted; /* other names and addresses stand for the true ones */
	uint64_t frames, dropped, bytes_done, bytes_total; /* total 0: unknown */
	uint64_t frames_per_s;
	size_t findings; /* live: open at this moment */
	int64_t now_ns; /* packet time; NS_NONE */
	int64_t length_ns; /* of the run */
	int64_t left_ns; /* loading: about so much longer; NS_NONE unknown */
	int64_t quiet_ns; /* live: since the last packet */
	char note[80]; /* "eth1 is down", "history on" */
};

struct world {
	const struct engine *engine; /* finished */
	const struct source_file *const *files;
	size_t file_count;
	const struct names *names;
	const char *history; /* path; NULL none is kept */
	struct numbers numbers;
	const struct save_source *saves; /* NULL: packets cannot be saved */
	struct world_cache *cache;
	struct page *page; /* the last ones that were made; page.c, view_ladder.c */
	struct ladder *ladder;
};

enum call_column {
	COLUMN_NUMBER,
	COLUMN_START,
	COLUMN_FROM,
	COLUMN_TO,
	COLUMN_STATE,
	COLUMN_TALK,
	COLUMN_CALLER,
	COLUMN_CALLEE,
	COLUMN_CODEC,
	COLUMN_LOSS,
	COLUMN_JITTER,
	COLUMN_PROBLEM,
	COLUMN_SETUP,
	COLUMN_STATUS,
	COLUMN_FROM_AT,
	COLUMN_TO_AT,
	COLUMN_FROM_AGENT,
	COLUMN_TO_AGENT,
	COLUMN_CALL_ID,
	CALL_COLUMNS
};

struct call_row {
	uint64_t id;
	size_t index; /* for view_call() */
	unsigned n, status;
	const char *state;
	struct span from, to; /* packet bytes */
	int64_t start_ns, answer_ns, end_ns;
	double talk_s, setup_ms, mos, loss, jitter_ms; /* < 0 unknown; the worse direction */
	uint8_t mark; /* enum call_mark */
	uint8_t heard[2]; /* enum heard: caller, callee */
	bool up, answered, unheard;
	const char *problem; /* id of its worst root; NULL */
	const char *codec;
};

enum call_mark { MARK_QUIET, MARK_GOOD, MARK_UNKNOWN, MARK_WARN, MARK_BAD };

struct call_counts {
	size_t up, up_unheard, ended, failed, unheard;
};

enum { LOSS_WARNS_PERCENT = 1 }; /* as rtp-loss does */

struct stream_row {
	uint64_t id;
	size_t index;
	unsigned n, call;
	double loss, jitter_ms, mos;
	uint64_t packets;
	int64_t last_ns;
};

void world_init(struct world *w, const struct engine *e);
void world_fini(struct world *w);

const struct selection *world_selection(struct world *w); /* of everything */
const struct call_row *world_calls(struct world *w, size_t *ret_count);
const struct call_counts *world_counts(struct world *w);
const struct call_row *world_call(struct world *w, uint64_t id); /* NULL: not in this picture */
const struct call_row *world_call_numbered(struct world *w, unsigned n);
const struct stream_row *world_streams(struct world *w, size_t *ret_count);

enum { SORT_URGENT = CALL_COLUMNS }; /* unheard first, then the newest */
enum stream_sort {
	STREAM_SORT_CALL,
	STREAM_SORT_PACKETS,
	STREAM_SORT_LOST,
	STREAM_SORT_JITTER,
	STREAM_SORT_MOS,
	STREAM_SORTS
};

/* A filter looks at records for one slice of time, then at no more of them until it is given another. */
void world_slice(struct world *w);

struct order {
	const uint32_t *rows; /* places in world_calls(), world_streams() ... */
	size_t count, of;
	bool complete; /* the filter has looked at everything */
};

/* Calls as listed: filter, ended ones hidden, sorted. Good until the next question with others. */
struct order world_order(struct world *w, const char *filter, bool hide_ended, unsigned sort, bool down);
struct order world_stream_order(struct world *w, const char *filter, unsigned sort, bool down);
/*
 * Findings of the report's order: problems, then the others; consequences behind their roots. Places in
 * world_selection()->findings.
 */
struct order world_finding_order(struct world *w, const char *filter);
/* Numbers of problems in world_selection()->problems that the filter leaves. */
struct order world_problem_order(struct world *w, const char *filter);

uint64_t world_finding_id(struct world *w, size_t index);
ptrdiff_t world_finding_find(struct world *w, uint64_t id); /* index; -1 */

/* A record's views, in memory of the world until the next of its kind is asked for. NULL past the end. */
const struct view_call *world_view_call(struct world *w, size_t index);
const struct view_finding *world_view_finding(struct world *w, size_t index);
const struct view_capture *world_capture(struct world *w);
/* "09:12:41"; "20 09:12" with the day of the month where the capture goes over midnight. Both are 8 columns. */
const char *world_clock(struct world *w, int64_t at_ns, char buffer[NS_TEXT]);

/* For the report's own words: writes into out. */
struct report world_report(struct world *w, struct out *out);

uint64_t identity_of(const void *bytes, size_t n, uint64_t seed); /* never 0 */

#endif
