/* SPDX-License-Identifier: MIT */
/* hears: who hears whom, as a cell of a table and as words. */
#ifndef DEADAIR_UI_HEARS_H
#define DEADAIR_UI_HEARS_H

#include "analyzer/views.h"
#include "ui/out.h"

enum { HEARS_TEXT = 32 };

/*
 * Audio packets seen on their way to the caller (hearer 0) or the callee (1); what passes several legs counts once:
 * those of the leg that has most.
 */
uint64_t hears_packets(const struct view_call *c, unsigned hearer);
/* "✗ nothing", "✓ 4.4", "! 2.9", "· sent 4.4", "? not visible", "-" */
/* The part of this window in which audio was due on a leg and nothing got there, whatever arrives on other legs. */
bool hears_failed(const struct view_direction *d, const struct view_window *w, int64_t *ret_from_ns,
	int64_t *ret_to_ns);
/* Since when it hears nothing any more; NS_NONE: it hears something, or never heard anything. */
int64_t hears_until(const struct view_call *c, unsigned hearer);
const char *hears_cell(const struct view_call *c, unsigned hearer, char buffer[HEARS_TEXT]);
enum paint hears_paint(const struct view_call *c, unsigned hearer);
/* Nothing at all can be said of a direction that should be heard. */
bool hears_invisible(const struct view_call *c, unsigned hearer);

#endif
