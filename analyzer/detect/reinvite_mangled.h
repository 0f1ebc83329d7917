/* SPDX-License-Identifier: MIT */
/* reinvite_mangled: does a device in the path treat a re-INVITE otherwise than it treated the INVITE? */
#ifndef DEADAIR_DETECT_REINVITE_MANGLED_H
#define DEADAIR_DETECT_REINVITE_MANGLED_H

#include "analyzer/calls/call.h"

struct mangled {
	const struct message *before, *behind;       /* the same message on both sides of the device */
	struct endpoint was, became; /* where it asks for audio */
	bool now;                    /* the re-INVITE is the one that was changed; else the INVITE was */
};

/* Only where both were captured before and behind it; false: it treats them alike, or it cannot be told. */
bool reinvite_mangled(const struct transaction *t, struct mangled *ret);

#endif
