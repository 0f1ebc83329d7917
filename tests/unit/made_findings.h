/* SPDX-License-Identifier: MIT */
/* made_findings: findings made by hand, about legs and directions that are names only. */
#ifndef DEADAIR_TESTS_MADE_FINDINGS_H
#define DEADAIR_TESTS_MADE_FINDINGS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "analyzer/findings/finding.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

enum { MADE_CALLS = 8, MADE_DIRECTIONS = 8 };

struct made {
	const char *id, *reason;
	enum severity severity;
	enum confidence confidence;
	unsigned call;               /* 1-based, 0 none */
	unsigned direction, stream;  /* likewise */
	double from, to;             /* seconds */
	const char *culprit, *victim;
};

struct made_world {
	struct findings *findings;
	struct call calls[MADE_CALLS];
	struct leg legs[MADE_CALLS];
	char directions[MADE_DIRECTIONS];
};

static inline void made_begin(struct made_world *w)
{
	memset(w, 0, sizeof *w);
	w->findings = findings_new();
	for (unsigned i = 0; i < MADE_CALLS; i++) {
		w->legs[i].call = &w->calls[i];
		w->calls[i].n = i + 1;
	}
}

static inline void made_end(struct made_world *w)
{
	findings_free(w->findings);
}

static inline void made_part(struct finding *f, enum part part, const char *text)
{
	struct endpoint at = { .port = 0 };

	if (!text)
		return;
	assert_true(endpoint_parse(span_of(text), &at));
	finding_part(f, part, &at);
}

static inline struct finding *make(struct made_world *w, const struct made *m)
{
	struct finding *f = findings_add(w->findings, NULL, m->id, m->reason ? m->reason : "some", m->severity,
		m->confidence);

	if (m->call)
		finding_leg(f, &w->legs[m->call - 1]);
	f->direction = m->direction ? &w->directions[m->direction - 1] : NULL;
	f->stream = m->stream ? &w->directions[m->stream - 1] : NULL;
	finding_times(f, (int64_t)(m->from * 1e9), (int64_t)(m->to * 1e9));
	made_part(f, PART_CULPRIT, m->culprit);
	made_part(f, PART_VICTIM, m->victim);
	return f;
}

static inline struct finding *finding_nth(const struct findings *f, unsigned n)
{
	LIST_EACH(it, findings_in_order(f)) {
		if (n-- == 0)
			return LIST_ENTRY(it, struct finding, in_order);
	}
	return NULL;
}

#endif
