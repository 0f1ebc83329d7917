/* SPDX-License-Identifier: MIT */
/* transfer_failed: what the files of transfer-failed share. */
#ifndef DEADAIR_DETECT_TRANSFER_FAILED_H
#define DEADAIR_DETECT_TRANSFER_FAILED_H

#include "analyzer/detect/detector.h"

struct transfer_verdict {
	const char *reason;          /* NULL: nothing to say */
	enum severity severity;
	enum confidence confidence;
	const struct transfer *transfer;     /* NULL: only the INVITE with Replaces was seen */
	const struct leg *leg, *other;       /* the one it is about; the target, or the one that Replaces names */
	const struct message *refusal;       /* of the target */
	unsigned status;
	struct endpoint victim, culprit;
	struct frame_ref at;
	unsigned copies;
	bool picks_up;               /* the call that Replaces names only rings yet */
	bool rings;                  /* the same, and a REFER asks for it: a transfer before the target has answered */
	bool exchanged;              /* its tags: whoever wrote them took the receiver's for its own */
	char detail[400];
};

/* The last refusal of the leg's first INVITE that is no challenge; NULL none, or it was answered. */
const struct message *transfer_refusal(const struct leg *leg);

/* Of the call that the leg's INVITE is to replace. */
struct span transfer_replaces_call_id(const struct leg *leg);
/* Was its Replaces refused, and what is wrong with it? named: the leg of that Call-ID, NULL: not in this capture. */
void transfer_replaces_judge(struct transfer_verdict *v, const struct leg *leg, const struct leg *named);

/* Calls, parties, times, title, cause, fix and evidence. */
void transfer_say(struct finding *f, const struct facts *facts, const struct transfer_verdict *v);

#endif
