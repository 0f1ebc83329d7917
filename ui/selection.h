/* SPDX-License-Identifier: MIT */
/*
 * selection: small tables over the analyzer's views, made once for a report: which number is at which index, which
 * calls are affected, which findings are problems, and what --filter, --since, --until and --call leave to be listed.
 */
#ifndef DEADAIR_UI_SELECTION_H
#define DEADAIR_UI_SELECTION_H

#include "analyzer/views.h"
#include "ui/filter.h"
#include "ui/names.h"
#include "ui/unseen.h"
#include "ui/when.h"

enum rank { RANK_INFO, RANK_WARNING, RANK_ERROR, RANK_CRITICAL };

struct selected_finding {
	unsigned n;
	unsigned explained_by, incident;     /* 0 none */
	const char *id;
	enum rank rank;
	int64_t first_ns;
	bool withdrawn;
	bool problem;                /* a root at warning or above */
	bool harms;                  /* its root is a problem: calls with it are affected */
	bool shown;
};

struct selected_call {
	unsigned n;
	const char *state;
	unsigned status;             /* of the final response; 0 none */
	bool answered;
	bool affected;               /* by a finding whose root is a problem */
	enum rank worst;             /* of those */
	bool both_ways;              /* heard, or seen passing, in both directions */
	bool as_agreed;              /* one direction or none was to be heard, and nothing is missing */
	bool reported;               /* heard in both directions: not only passing */
	bool invisible;              /* answered, and of one direction nothing can be said */
	double mos;                  /* the worse; < 0 unknown */
	bool poor;                   /* so bad that it is heard: MOS below 3.6 */
	bool shown;
};

struct selected_stream {
	unsigned n, call;
};

struct problem {                     /* an incident, or a problem without one: a block of the report */
	bool has_incident;
	size_t incident;             /* index for view_incident() */
	size_t lead;                 /* index of the finding that gives id and evidence */
	enum rank rank;
	int64_t first_ns;
	bool shown;
};

struct numbered {
	unsigned n;
	size_t index;
};

struct selection {
	struct selected_finding *findings;
	struct selected_call *calls;
	struct selected_stream *streams;
	struct problem *problems;            /* severity first, then time */
	struct numbered *findings_by_n, *calls_by_n, *streams_by_n;
	size_t finding_count, call_count, stream_count, problem_count;
	size_t problems_hidden;      /* by --filter, --since, --until; what --call leaves out is not hidden */
	bool narrowed, counts_hidden;
	struct unseen unseen;        /* why calls are invisible */
};

struct selection_options {
	struct filter *filter;       /* NULL: everything */
	const struct when *since, *until;    /* NULL: unbounded */
	unsigned call;               /* this one only; 0 all */
	const struct names *names;
};

void selection_init(struct selection *s, const struct engine *e, const struct selection_options *options);
void selection_fini(struct selection *s);

/*
 * What the options leave, asked record by record, for lists that are narrowed while one types. All are lent for its
 * life.
 */
struct chooser;
struct chooser *chooser_new(const struct selection *s, const struct engine *e, const struct selection_options *options);
void chooser_free(struct chooser *c);
bool chooser_call(struct chooser *c, size_t index);
bool chooser_finding(struct chooser *c, size_t index);

enum { SELECTION_NONE = -1 };
/* Indexes for the view functions; SELECTION_NONE: no such number. */
ptrdiff_t selection_finding(const struct selection *s, unsigned n);
ptrdiff_t selection_call(const struct selection *s, unsigned n);
ptrdiff_t selection_stream(const struct selection *s, unsigned n);
/* How many registrations there are, where all of them went well and nothing else was to be judged; else 0. */
uint64_t selection_registrations_alone(const struct selection *s, const struct engine *e);
/* The finding at the root of another, itself when nothing explains it. Indexes. */
size_t selection_root(const struct selection *s, size_t finding);

#endif
