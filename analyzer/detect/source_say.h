/* SPDX-License-Identifier: MIT */
/* source_say: what findings about one source of SIP have in common: who it is, whom it asked, who answered. */
#ifndef DEADAIR_DETECT_SOURCE_SAY_H
#define DEADAIR_DETECT_SOURCE_SAY_H

#include "analyzer/detect/detector.h"
#include "analyzer/network/source.h"

/*
 * The source as culprit; hosts that answered it, own ones where there are any, as witnesses with the frames of their
 * answers.
 */
void source_parts(struct finding *f, const struct facts *facts, const struct source *x);
/* Times and number of its requests. */
void source_times(struct finding *f, const struct source *x);
/* How many hosts of those that it asked answered; own: of the site. */
unsigned source_answered(const struct facts *facts, const struct source *x, bool own);
/* Has the site any host of its own in this capture that was asked or answered? */
bool source_any_own(const struct facts *facts, const struct source *x);
bool source_inside(const struct facts *facts, const struct source *x);
/* "401, 404": what it was answered. */
const char *source_codes(const struct source *x, char *buffer, size_t room);
/* A word for what it mostly sent: "REGISTER". */
const char *source_method(const struct source *x);
/* "2026-11-20 09:00:13 UTC" */
const char *source_when(int64_t at_ns, char buffer[NS_TEXT]);
/* "0.4 s", "90 s", "12 min" */
const char *source_span(int64_t from_ns, int64_t to_ns, char *buffer, size_t room);

#endif
