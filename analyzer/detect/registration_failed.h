/* SPDX-License-Identifier: MIT */
/* registration_failed: what the files of registration-failed share. */
#ifndef DEADAIR_DETECT_REGISTRATION_FAILED_H
#define DEADAIR_DETECT_REGISTRATION_FAILED_H

#include "analyzer/calls/trial.h"
#include "analyzer/detect/detector.h"
#include "analyzer/detect/witness.h"

struct registration_verdict {
	const struct registration *r;
	const struct trial_run *run;
	const char *reason;          /* NULL: nothing to say */
	enum confidence confidence;
	enum witness witness;
	unsigned icmp;
	const struct icmp_record *icmp_first;
	bool past;                   /* it works again */
};

static inline bool verdict_is(const struct registration_verdict *v, const char *reason)
{
	return strcmp(v->reason, reason) == 0;
}

/* Nothing but copies of one request, whose try is still open. */
static inline bool verdict_only_copies(const struct registration_verdict *v)
{
	return v->run->tries == 0 && v->run->copies;
}

static inline int64_t verdict_began_ns(const struct registration_verdict *v)
{
	return verdict_only_copies(v) ? v->run->silent_from_ns : v->run->first_ns;
}

static inline int64_t verdict_ended_ns(const struct registration_verdict *v)
{
	return verdict_only_copies(v) ? v->run->silent_to_ns : v->run->last_ns;
}

/* registration_failed.c: the registrar says that the nonce is no longer good, and says nothing else. */
bool verdict_only_old(const struct trial_run *run);
/*
 * Without rport answers belong to the port that Via names (RFC 3261 18.2.2): there the phone listens, wherever it sends
 * from.
 */
bool verdict_names_other_port(const struct registration_verdict *v);
/* The answers come from an address that nobody asked, and go to the phone or to the outer face of its router. */
bool verdict_other_face(const struct facts *facts, const struct registration_verdict *v);
/* The phone says that nothing takes the answers; NULL: it does not. */
const struct icmp_record *verdict_refused_answer(const struct facts *facts, const struct registration_verdict *v);

/* registration_failed_say.c: one that fails; and several of one registrar that fail at once for one reason. */
void registration_failed_say(struct detection *d, const struct registration_verdict *v);
void registrations_failed_say(struct detection *d, const struct registration_verdict *list, unsigned count);

#endif
