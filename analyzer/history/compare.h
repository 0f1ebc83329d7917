/* SPDX-License-Identifier: MIT */
/*
 * compare: what is different between two stretches of a history: rates of calls by the hosts that they pass, findings,
 * and what hosts look like. Only what chance does not explain is called different; what too few calls show is told
 * apart.
 */
#ifndef DEADAIR_HISTORY_COMPARE_H
#define DEADAIR_HISTORY_COMPARE_H

#include "analyzer/history/fisher.h"
#include "analyzer/history/store.h"

enum { SIDE_BEFORE, SIDE_AFTER, SIDES };

struct compare_side {                /* calls that begin in [since, until), or those of one run */
	int64_t since_ns, until_ns;
	int64_t run;                 /* 0: by time */
};

struct compare_totals {
	uint64_t runs, days, calls, answered, failed, one_way, silent, rated, poor, registrations, registrations_failed;
	int64_t first_ns, last_ns;   /* of what there is; NS_NONE: nothing */
	double mos;                  /* mean of the worse direction; < 0 unknown */
};

enum { COMPARE_LEAST_CALLS = 20 };   /* on each side; with fewer no rate tells anything */
/* FEW: too few calls to tell */
enum difference_kind { DIFFERENCE_NEW, DIFFERENCE_GONE, DIFFERENCE_CHANGED, DIFFERENCE_FEW };

enum difference_subject {
	/* rates of calls; in this order of importance */
	SUBJECT_ONE_WAY, SUBJECT_SILENT, SUBJECT_FAILED, SUBJECT_UNANSWERED, SUBJECT_POOR,
	SUBJECT_REGISTRATIONS, SUBJECT_FINDING, SUBJECT_ROLE,
	SUBJECT_NAT, SUBJECT_NAT_PORTS, SUBJECT_TTL, SUBJECT_DSCP, SUBJECT_PORTS, SUBJECT_AGENT
};

/* Texts are those of the store: escaped, "" none. Owned by the comparison. */
struct difference {
	enum difference_kind kind;
	enum difference_subject subject;
	const char *host;            /* whom it is about; "" all calls, or several: others */
	const char *others;          /* "a, b": hosts of which the same is true */
	unsigned other_count;
	const char *finding;         /* its id */
	const char *unheard;         /* of SUBJECT_ONE_WAY: "caller", "callee"; "" now this, now that */
	const char *before, *after;  /* values; "" for rates */
	struct share share[SIDES];   /* of calls, of days (finding_days), of bindings; whole 0: does not apply */
	bool finding_days;           /* a finding that is about no calls: shares are of days */
	double p;                    /* by Fisher's test, times the number of tests made; < 0 does not apply */
	int64_t first_ns, first_run, first_call;     /* of the first that shows it, in the later stretch; run 0 none */
	/* of a rate: findings of these very calls, "sip-alg 203.0.113.2 (46 calls), ..." */
	const char *with;
};

struct comparison;

/* NULL with *err. */
struct comparison *compare_new(struct store *s, const struct compare_side sides[SIDES], struct err *err);
void compare_free(struct comparison *c);

const struct compare_totals *compare_totals(const struct comparison *c, unsigned side);
size_t compare_count(const struct comparison *c);
/* The gravest first; DIFFERENCE_FEW at the end. */
const struct difference *compare_get(const struct comparison *c, size_t i);

#endif
