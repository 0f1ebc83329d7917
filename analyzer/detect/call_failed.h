/* SPDX-License-Identifier: MIT */
/* call_failed: what the files of call-failed share. */
#ifndef DEADAIR_DETECT_CALL_FAILED_H
#define DEADAIR_DETECT_CALL_FAILED_H

#include "analyzer/detect/call_refusal.h"
#include "analyzer/detect/detector.h"

struct failed_call {
	const struct leg *leg;
	const struct message *to_caller;     /* what the caller got */
	/*
	 * whose refusal counts: that leg, or the one behind it where a host between made something else of it; of that
	 * one the attempt and its final
	 */
	const struct leg *judged;
	const struct transaction *attempt;
	const struct message *final;
	/* the leg of the same call, furthest from the caller, that was refused in the same way */
	const struct leg *origin;
	const struct message *made;  /* the refusal where it was made */
	struct refusal refusal;
	enum confidence confidence;
	bool behind_silent;          /* a leg behind it was never answered: that is where to look */
	const struct sip_path *deaf; /* what the called phone was asked in vain; NULL */
	const struct message *unacknowledged;        /* the 18x for which no PRACK came */
};

/*
 * call_failed_origin.c: the attempt of the leg's INVITE that ended as the leg did; NULL: none that was answered so. Its
 * Q.850 cause, 0 none.
 */
const struct transaction *failed_call_attempt(const struct leg *leg);
unsigned failed_call_q850(const struct message *m);
/*
 * Down the legs of the call to where the refusal began that others hand on in words of their own: judged, and its
 * attempt and final.
 */
void failed_call_judged(struct failed_call *f);
/* From there on down for as long as they were refused in the same way: origin, made. */
void failed_call_origin(struct failed_call *f);
/* All that it was sent on to said nothing, or nothing but 100, until it was given up. */
bool failed_call_in_vain(const struct leg *leg);

/* call_failed_unseen.c: refused legs of which the capture has not the INVITE, or not the refusal; by time. */
struct unseen_legs {
	const struct leg **list;
	size_t count;
};
void unseen_legs_init(struct unseen_legs *u, const struct facts *facts);
void unseen_legs_fini(struct unseen_legs *u);
/*
 * The host that refused was refused the same number itself meanwhile, in such a leg: what it says may be its word for
 * that.
 */
bool failed_call_behind_unseen(const struct unseen_legs *u, const struct failed_call *f);
/* The caller did not repeat its INVITE, and no response is here that kept it from that: it may have been a 180. */
bool failed_call_may_have_rung(const struct failed_call *f);

/* call_failed_say.c: calls of one kind in one finding; load: say how many calls that host had. */
void failed_calls_say(struct finding *f, const struct facts *facts, const struct failed_call *list, unsigned count,
	bool load);

#endif
