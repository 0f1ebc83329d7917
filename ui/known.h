/* SPDX-License-Identifier: MIT */
/* known: whether a history knows a finding already, in words. */
#ifndef DEADAIR_UI_KNOWN_H
#define DEADAIR_UI_KNOWN_H

#include "analyzer/history/baseline.h"
#include "captures/base/text.h"

/*
 * "first seen Fri 13 Nov 2026 09:12; 41 times since, last Thu 19 Nov 2026 16:20", "new: in none of 12 runs since Mon 2
 * Nov 2026 08:00". Nothing where the history has no run to compare with.
 */
void known_words(struct text *t, const struct baseline *b, const struct view_finding *f);
/* The same within a line: " (first seen Fri 13 Nov 2026 09:12; 41 times since)", " (not seen before)". */
void known_short(struct text *t, const struct baseline *b, const struct view_finding *f);

#endif
