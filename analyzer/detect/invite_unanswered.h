/* SPDX-License-Identifier: MIT */
/* invite_unanswered: what the files of invite-unanswered share: why an INVITE met silence, and how that is told. */
#ifndef DEADAIR_DETECT_INVITE_UNANSWERED_H
#define DEADAIR_DETECT_INVITE_UNANSWERED_H

#include "analyzer/detect/dead_connection.h"
#include "analyzer/detect/detector.h"
#include "analyzer/detect/invite_hop.h"
#include "analyzer/detect/witness.h"
#include "analyzer/network/flow.h"
#include "analyzer/network/sip_binding.h"

struct unanswered {
	const struct leg *leg;
	struct invite_hop hop;
	const char *reason;          /* NULL: nothing to say */
	enum confidence confidence;
	enum severity severity;
	enum witness witness;
	const struct icmp_record *icmp, *torn;       /* torn: its receiver did not get all fragments */
	unsigned icmps;
	/* icmp-unreachable: the router says it, at a port where a phone had registered; else NULL */
	const struct sip_binding *mapping;
	struct dead_connection dead; /* where is_dead */
	bool is_dead;
	bool reached;                /* who was called, another way: by the next server, on another branch */
	const struct flow_side *stuck;       /* fragmented: the segment that nobody acknowledges */
	struct endpoint now;         /* stale-binding: where the phone is by then */
	struct frame_ref moved_at;
};

/* Raises one finding of calls that met the same silence at the same place, the worst first. */
void invite_unanswered_tell(struct detection *d, const struct unanswered *list, unsigned count);

#endif
