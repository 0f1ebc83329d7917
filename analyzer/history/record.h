/* SPDX-License-Identifier: MIT */
/* record: pictures of the analyzer's records become rows of a history. */
#ifndef DEADAIR_HISTORY_RECORD_H
#define DEADAIR_HISTORY_RECORD_H

#include "analyzer/history/rows.h"
#include "analyzer/views.h"

/* One record each; the texts of packets are escaped. */
void record_call(struct rows *r, const struct view_call *c);
/* texts: what its evidence says, and the fields of messages that changed; without, their places are empty. */
void record_finding(struct rows *r, const struct view_finding *f, bool texts);
void record_incident(struct rows *r, const struct view_incident *n);
void record_stream(struct rows *r, const struct view_stream *s);
void record_registration(struct rows *r, const struct view_registration *g);
void record_host(struct rows *r, const struct view_host *h);
void record_nat(struct rows *r, unsigned n, const struct view_nat *m);

/* Whom a finding is about: the culprit, else the victim, else who is named first; NULL nobody. */
const struct address *record_about(const struct view_finding *f);

/*
 * Everything that an engine knows at the end of a capture, handed on in portions of some hundred kilobytes: take() gets
 * each, and ends the recording by giving false. False then.
 */
bool record_engine(const struct engine *e, bool texts, bool (*take)(void *context, const struct rows *r),
	void *context);

#endif
