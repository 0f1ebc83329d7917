/* SPDX-License-Identifier: MIT */
/*
 * detection: runs detectors over events; keeps their states and findings, what was withheld, and why a finding was not
 * made.
 */
#ifndef DEADAIR_DETECT_DETECTION_H
#define DEADAIR_DETECT_DETECTION_H

#include "analyzer/detect/detector.h"
#include "analyzer/withheld.h"

struct detections;

struct reason_row {                  /* a line of --why-not */
	bool holds, decided;
	char *text;
};

struct why_not {
	const struct leg *leg;       /* NULL: the capture as a whole */
	struct reason_row *rows;
	unsigned row_count;
	bool found;
	const char *gate;
};

/* facts and findings are lent for its life; why_not: "ID" or "ID:CALL", NULL. */
struct detections *detections_new(const struct facts *facts, struct findings *findings, const char *why_not);
void detections_free(struct detections *ds);
/* Hands the event to every detector that takes its kind. */
void detections_event(struct detections *ds, const struct event *ev);
/* A leg, dialog, direction, stream or registration goes: states and findings that belong to it go with it. */
void detections_forget(struct detections *ds, const void *scope);
/* Before judging again: what is not raised again is withdrawn by detections_judged(). */
void detections_judging(struct detections *ds);
void detections_judged(struct detections *ds);

const struct withheld *detections_withheld(const struct detections *ds, unsigned *ret_count);
const struct why_not *detections_why_not(const struct detections *ds, unsigned *ret_count);

#endif
