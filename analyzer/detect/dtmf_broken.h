/* SPDX-License-Identifier: MIT */
/* dtmf_broken: what is wrong with the key presses of a direction; dtmf_broken.c judges, dtmf_broken_say.c tells. */
#ifndef DEADAIR_DETECT_DTMF_BROKEN_H
#define DEADAIR_DETECT_DTMF_BROKEN_H

#include "analyzer/detect/say.h"

/* In the order of their names in dtmf_broken.c. */
enum dtmf_reason {
	NOT_NEGOTIATED, PT_NUMBER_MISMATCH, SPLIT_EVENT, TIMESTAMP_RUNS, NO_END, TOO_SHORT, DURATION_INVALID,
	EVENTS_LOST, DOUBLE_PATH, INFO_REFUSED, RELAY_DROPPED, CODEC_INBAND_ONLY, CLOCK_MISMATCH, CLOCK_MISCOUNTED
};
enum { DTMF_REASONS = CLOCK_MISCOUNTED + 1 };

struct key_fault {
	unsigned count;
	struct frame_ref first;
	uint32_t last_frame;
	int64_t first_ns, last_ns;
	struct endpoint culprit;
	const char *what;            /* of the evidence */
};

struct key_presses {
	struct key_fault faults[DTMF_REASONS];
	unsigned total;              /* presses of the direction */
	bool secure;                 /* some could not be read */
	const struct window *window; /* of the first fault */
	uint8_t pt_sent, pt_given;   /* of the first with another number */
	uint8_t pt_clock;            /* of the first that is miscounted, and its clock as agreed */
	unsigned clock_hz;
};

/* RFC 4733 in the list of a description; NULL: not there. */
const struct sdp_format *dtmf_event_format(const struct sdp_media *m);

/* Title, cause, fix and evidence of the finding. */
void dtmf_broken_say(struct finding *f, const struct facts *facts, const struct event *ev, const struct key_presses *p,
	enum dtmf_reason reason);

#endif
