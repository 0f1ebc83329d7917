/* SPDX-License-Identifier: MIT */
/* checklist_private: what the files behind checklist.h share. */
#ifndef DEADAIR_ANALYZER_CHECKLIST_PRIVATE_H
#define DEADAIR_ANALYZER_CHECKLIST_PRIVATE_H

#include "analyzer/checklist.h"

enum { CHECKS_MAX = 24 };

struct mark {                        /* a finding of a call */
	const struct finding *finding;
	struct mark *next;
};

/* A call as most items ask for it: one walk over its legs, made once for all of them. */
struct sight {
	const struct call *call;
	bool answered;
	uint8_t audio;               /* enum check_audio */
	uint8_t way;                 /* enum way; of C2.1 */
	bool offers_again;           /* a re-INVITE or UPDATE with an offer in a confirmed dialog: hold, mixer */
	bool early;                  /* an 18x with SDP, perhaps */
	bool focus;                  /* an answered leg of a conference, perhaps */
};

struct checklist {
	struct check checks[CHECKS_MAX];
	unsigned count;
	/* while it is made */
	const struct facts *facts;
	struct ends *ends;
	struct arena *arena;
	struct mark **marks;         /* by number of the call */
	unsigned highest;            /* number of a call */
	struct sight *sights;        /* in the order of the calls */
	size_t sight_count;
};

struct check *check_add(struct checklist *c, const char *item, const char *title, const char *name);
void check_say(struct check *k, enum check_state state, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Once each; beyond the room they are left out. */
void check_finding(struct check *k, const struct finding *f);
void check_evidence(struct check *k, struct frame_ref at, const char *format,
	...) __attribute__((format(printf, 3, 4)));
/* Likely or certain, too: enough to fail a point. */
bool check_proven(const struct finding *f);
bool check_is(const struct finding *f, const char *const *ids);
/* All proven findings with one of these ids; the first, NULL: none. */
const struct finding *check_findings(struct checklist *c, struct check *k, const char *const *ids);

/* Audio of a call as it passes here, in the directions that were agreed. */
/* ONE_WAY: only one side was to speak, and is seen to arrive */
enum check_audio { CHECK_AUDIO_UNSEEN, CHECK_AUDIO_NO, CHECK_AUDIO_NOT_DUE, CHECK_AUDIO_ONE_WAY, CHECK_AUDIO_BOTH };
enum check_audio check_audio_of(const struct call *call);

void sights_make(struct checklist *c);

/* C1.1 to C1.4, in that order. */
void checklist_site(struct checklist *c);
/* C4.8, C6.5, C4.4: VLAN, marks, rate limit. */
void checklist_network(struct checklist *c);

#endif
