/* SPDX-License-Identifier: MIT */
/* when: times as people type them, understood before the capture is read and resolved after. */
#ifndef DEADAIR_UI_WHEN_H
#define DEADAIR_UI_WHEN_H

#include "captures/base/ns.h"
#include "captures/base/span.h"

enum when_kind { WHEN_CLOCK, WHEN_DATE, WHEN_WEEKDAY, WHEN_AGO, WHEN_DAYS_AGO };

struct when {
	enum when_kind kind;
	int year, month, day;        /* WHEN_DATE; month from 1 */
	int weekday;                 /* WHEN_WEEKDAY, 0 Sunday */
	int days_ago;                /* WHEN_DAYS_AGO: 0 today, 1 yesterday */
	int hour, minute, second;    /* of all but WHEN_AGO */
	int64_t fraction_ns;
	bool has_zone;
	int64_t zone_ns;             /* to be taken off to have UTC; WHEN_DATE with Z or an offset */
	int64_t grain_ns;            /* what the text leaves open: 10:00 means the whole minute */
	int64_t ago_ns;              /* WHEN_AGO */
};

/*
 * "10:00", "10:00:05.250", "2026-11-20", "2026-11-20T10:00Z", "2026-11-20 10:00", "today", "yesterday", "Fri 18:00",
 * "-15m", "-3d". False, and nothing written: none of these.
 */
bool when_parse(struct span text, struct when *ret);

/*
 * The moments [from, to) that are meant, seen from a capture of first_ns to last_ns: "-15m" is before its last frame,
 * "10:00" the one within it, else that of its last day; "Fri 18:00" the last one. NS_NONE as last_ns: resolved against
 * the epoch.
 */
void when_resolve(const struct when *w, int64_t first_ns, int64_t last_ns, int64_t *ret_from_ns, int64_t *ret_to_ns);

/*
 * "15m", "3d", "250ms", "1h": a number and its unit (ms s m h d w) in nanoseconds; the unit may be left out when
 * unit_ns is not 0.
 */
bool when_length_parse(struct span text, int64_t unit_ns, int64_t *ret_ns);

#endif
