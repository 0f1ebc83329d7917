/* SPDX-License-Identifier: MIT */
/*
 * call_end: why an answered leg ended, by what its signalling shows. A BYE alone is no evidence. RFC 3261 13.3.1.4, RFC
 * 4028.
 */
#ifndef DEADAIR_DETECT_CALL_END_H
#define DEADAIR_DETECT_CALL_END_H

#include "analyzer/detect/detector.h"

struct call_end {
	const char *reason;          /* of call-dropped; NULL: nothing shows that it was no person */
	enum confidence confidence;
	enum severity severity;
	const struct message *bye;   /* the first one; NULL: none (dialog-forgotten) */
	/* the message that began the trouble, and its last one or its answer; NULL */
	const struct message *from, *to;
	struct endpoint culprit;     /* family 0: open */
	double seconds;              /* by reason: from the trouble to the BYE, the timer, the silence */
	uint32_t timer_s;            /* Session-Expires */
	/* who had to refresh it: culprit; as the answer says, or only the request */
	bool refresher_known, refresher_asked;
	bool refresher_asks;         /* refresher=uac: the side that asked, not the one that answered */
	const struct message *refused;       /* what it got for a refresh that it tried; NULL: it tried none */
	const struct message *kept;  /* the success that had refreshed the session, and who hangs up forgot it; NULL */
	const struct message *unheard;       /* its request that was never answered, for which it hangs up; NULL */
	unsigned unheard_copies;
};

/* tail_s as in silence_gate(). Media is not looked at. */
struct call_end call_end_of(const struct facts *facts, const struct leg *leg, double tail_s);
/* A leg whose signalling shows nothing of that, and nothing else but its BYE: quickly told of most. */
bool call_end_quiet(const struct facts *facts, const struct leg *leg);
/* Of a call of several legs: does this one's BYE come first? The others follow it. */
bool call_end_leads(const struct leg *leg);

/*
 * The final of a request inside the call stands behind a BYE; or it may stand behind one of the same side, of which the
 * answer alone was captured, right behind that final.
 */
bool call_end_crossed(const struct transaction *t);
/* The final of such a request: may the capture lack a BYE before it? */
bool call_end_bye_hidden(const struct facts *facts, const struct transaction *t);

#endif
