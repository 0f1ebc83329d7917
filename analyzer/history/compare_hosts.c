/* SPDX-License-Identifier: MIT */
/*
 * compare_hosts: what a host looks like, before and after: its address outside, TTL, DSCP, ports, user agent. It is
 * another one only where a host has one value here and another there; what varies anyway is no change. Hosts that
 * changed alike are told as one.
 */
#include "analyzer/history/compare_private.h"

#include "captures/base/text.h"

enum { VALUES_MOST = 2, OTHERS_LISTED = 6 };

static const struct {
	enum difference_subject subject;
	unsigned values;             /* so many at most on a side */
	const char *sql;             /* host, side, value, first run; ordered by host */
} looks[] = {
	{ SUBJECT_NAT, 1, "SELECT inside, side, outside, min(run) FROM main.nat JOIN temp.side_run USING(run) GROUP BY 1, 2, 3 ORDER BY 1, 2, 3" },
	{ SUBJECT_TTL, 1, "SELECT addr, side, ttl, min(run) FROM main.host JOIN temp.side_run USING(run) WHERE ttl IS NOT NULL GROUP BY 1, 2, 3 ORDER BY 1, 2, 3" },
	{ SUBJECT_DSCP, 1, "SELECT addr, side, dscp, min(run) FROM main.host JOIN temp.side_run USING(run) WHERE dscp IS NOT NULL GROUP BY 1, 2, 3 ORDER BY 1, 2, 3" },
	{ SUBJECT_PORTS, 1, "SELECT addr, side, sip_ports, min(run) FROM main.host JOIN temp.side_run USING(run) WHERE sip_ports IS NOT NULL GROUP BY 1, 2, 3"
			    " ORDER BY 1, 2, 3" },
	{ SUBJECT_AGENT, VALUES_MOST, "SELECT addr, side, user_agent, min(run) FROM main.host JOIN temp.side_run USING(run) WHERE user_agent IS NOT NULL"
				      " GROUP BY 1, 2, 3 ORDER BY 1, 2, 3" },
};

struct look {                        /* of one host */
	const char *host;
	const char *values[SIDES][VALUES_MOST];
	unsigned count[SIDES];       /* of values; more than VALUES_MOST are only counted */
	int64_t first_run;           /* in which the first of the later values is seen */
};

static bool has_changed(const struct look *l, unsigned most)
{
	if (l->count[SIDE_BEFORE] == 0 || l->count[SIDE_AFTER] == 0 || l->count[SIDE_BEFORE] > most ||
	    l->count[SIDE_AFTER] > most)
		return false;
	for (unsigned i = 0; i < l->count[SIDE_BEFORE]; i++) {
		for (unsigned j = 0; j < l->count[SIDE_AFTER]; j++) {
			if (strcmp(l->values[SIDE_BEFORE][i], l->values[SIDE_AFTER][j]) == 0)
				return false;
		}
	}
	return true;
}

static const char *joined(struct comparison *c, const char *const *values, unsigned count)
{
	struct text t;
	const char *text;

	text_init(&t);
	for (unsigned i = 0; i < count; i++)
		text_addf(&t, "%s%s", i ? " and " : "", values[i]);
	text = arena_text(c->arena, span_of(t.p));
	text_fini(&t);
	return text;
}

static struct difference *find_alike(struct comparison *c, enum difference_subject subject, const char *before,
	const char *after)
{
	for (size_t i = 0; i < c->count; i++) {
		struct difference *d = &c->list[i];

		if (d->subject == subject && d->kind == DIFFERENCE_CHANGED && strcmp(d->before, before) == 0 &&
		    strcmp(d->after, after) == 0)
			return d;
	}
	return NULL;
}

static void tell(struct comparison *c, enum difference_subject subject, const struct look *l)
{
	const char *before = joined(c, l->values[SIDE_BEFORE], l->count[SIDE_BEFORE]),
		*after = joined(c, l->values[SIDE_AFTER], l->count[SIDE_AFTER]);
	struct difference *d = find_alike(c, subject, before, after);
	struct text t;

	if (!d) {
		d = compare_add(c, DIFFERENCE_CHANGED, subject);
		d->host = l->host;
		d->before = before;
		d->after = after;
		d->first_run = l->first_run;
		return;
	}
	if (d->other_count++ >= OTHERS_LISTED)
		return;
	text_init(&t);
	text_addf(&t, "%s%s%s", d->others, d->others[0] ? ", " : "", l->host);
	d->others = arena_text(c->arena, span_of(t.p));
	text_fini(&t);
}

static void look_add(struct look *l, unsigned side, const char *value, int64_t run)
{
	if (l->count[side] < VALUES_MOST)
		l->values[side][l->count[side]] = value;
	l->count[side]++;
	if (side == SIDE_AFTER && (l->first_run == 0 || run < l->first_run))
		l->first_run = run;
}

static int compare_looks(struct comparison *c, size_t which)
{
	struct look l = { .host = "" };
	sqlite3_stmt *stmt;
	int result = compare_prepare(c, &stmt, "%s", looks[which].sql);

	while (result == SQLITE_OK && (result = sqlite3_step(stmt)) == SQLITE_ROW) {
		const char *host = compare_text(c, stmt, 0);

		if (strcmp(host, l.host) != 0) {
			if (has_changed(&l, looks[which].values))
				tell(c, looks[which].subject, &l);
			l = (struct look){ .host = host };
		}
		look_add(&l, sqlite3_column_int(stmt, 1) == SIDE_AFTER, compare_text(c, stmt, 2),
			sqlite3_column_int64(stmt, 3));
		result = SQLITE_OK;
	}
	if (has_changed(&l, looks[which].values))
		tell(c, looks[which].subject, &l);
	sqlite3_finalize(stmt);
	return result == SQLITE_DONE ? SQLITE_OK : result;
}

/* A router that keeps the ports of its phones, or no longer does, is another router, or another setting. */
static int compare_nat_ports(struct comparison *c)
{
	sqlite3_stmt *stmt;
	int result = compare_prepare(c, &stmt,
		"SELECT outside, sum(side = 0), sum(side = 0 AND inside_port <> outside_port), sum(side = 1),"
				     " sum(side = 1 AND inside_port <> outside_port) FROM main.nat JOIN temp.side_run USING(run)"
				     " WHERE inside_port IS NOT NULL AND outside_port IS NOT NULL GROUP BY outside ORDER BY outside");

	while (result == SQLITE_OK && (result = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct share share[SIDES];
		double p;

		result = SQLITE_OK;
		for (int i = 0; i < SIDES; i++)
			share[i] = (struct share){ (uint64_t)sqlite3_column_int64(stmt, 2 + 2 * i),
				(uint64_t)sqlite3_column_int64(stmt, 1 + 2 * i) };
		if (share[SIDE_BEFORE].whole < LEAST_CALLS || share[SIDE_AFTER].whole < LEAST_CALLS)
			continue;
		c->tests[FAMILY_RATES]++;
		p = fisher_exact(share[SIDE_BEFORE], share[SIDE_AFTER]);
		if (p <= CHANCE) {
			struct difference *d = compare_add(c, DIFFERENCE_CHANGED, SUBJECT_NAT_PORTS);

			memcpy(d->share, share, sizeof d->share);
			d->host = compare_text(c, stmt, 0);
			d->p = p;
		}
	}
	sqlite3_finalize(stmt);
	return result == SQLITE_DONE ? SQLITE_OK : result;
}

/* Phones come and go; what all calls pass does not, without somebody's doing. */
static int compare_roles(struct comparison *c)
{
	sqlite3_stmt *stmt;
	int result = compare_prepare(c, &stmt, "SELECT * FROM (SELECT addr, max(roles), max(side) AS side, min(run) FROM main.host JOIN temp.side_run USING(run)"
				     " WHERE roles IS NOT NULL GROUP BY addr HAVING min(side) = max(side) AND max(instr(roles, 'nat') OR instr(roles, 'pbx')"
				     " OR instr(roles, 'sbc') OR instr(roles, 'proxy'))) x WHERE (SELECT count(DISTINCT side) FROM temp.side_run) = 2"
				     " AND NOT EXISTS (SELECT 1 FROM main.call_host h JOIN temp.side_call s ON s.run = h.run AND s.n = h.call"
				     " WHERE h.host = x.addr AND s.side <> x.side) ORDER BY addr");

	while (result == SQLITE_OK && (result = sqlite3_step(stmt)) == SQLITE_ROW) {
		bool after = sqlite3_column_int(stmt, 2) == SIDE_AFTER;
		struct difference *d = compare_add(c, after ? DIFFERENCE_NEW : DIFFERENCE_GONE, SUBJECT_ROLE);

		d->host = compare_text(c, stmt, 0);
		*(after ? &d->after : &d->before) = compare_text(c, stmt, 1);
		d->first_run = after ? sqlite3_column_int64(stmt, 3) : 0;
		result = SQLITE_OK;
	}
	sqlite3_finalize(stmt);
	return result == SQLITE_DONE ? SQLITE_OK : result;
}

int compare_hosts(struct comparison *c)
{
	int result = compare_roles(c);

	for (size_t i = 0; i < sizeof looks / sizeof looks[0] && result == SQLITE_OK; i++)
		result = compare_looks(c, i);
	return result == SQLITE_OK ? compare_nat_ports(c) : result;
}
