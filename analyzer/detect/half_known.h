/* SPDX-License-Identifier: MIT */
/*
 * half_known: calls of which the capture lacks an INVITE, its answer, or their SDP. Which ports are theirs is not
 * known: a packet of one of their hosts is no stranger's, wherever it goes.
 */
#ifndef DEADAIR_DETECT_HALF_KNOWN_H
#define DEADAIR_DETECT_HALF_KNOWN_H

#include "analyzer/calls/call.h"
#include "analyzer/media/expectation.h"

struct half_known;

struct half_known *half_known_new(const struct calls *calls);
void half_known_free(struct half_known *h);
/* Did this host take part in such a call some time in [from, to]? */
bool half_known_party(const struct half_known *h, const struct address *at, int64_t from_ns, int64_t to_ns);

/*
 * A new offer of this leg in [from, to] whose answer the capture has not: it is acknowledged, or was not sent again as
 * one without answer is.
 */
bool half_known_agreement(const struct leg *leg, int64_t from_ns, int64_t to_ns);
/*
 * Both parties went over to that payload type at one time, from others, in mid-window: they have agreed on it, where
 * the capture does not show it.
 */
bool half_known_switch(const struct direction *d, const struct window *w, uint8_t pt);
/*
 * Right before that time nothing of this call was captured for a third of a second and more, in neither direction, and
 * packets are missing: what was agreed meanwhile is not in the capture, however much of other calls is.
 */
bool half_known_hole(const struct direction *d, int64_t at_ns);
/* The REFER, which may want no reports, was cut; or a NOTIFY behind it, which may be one. */
bool half_known_reports(const struct transfer *t);

#endif
