/* SPDX-License-Identifier: MIT */
/*
 * refer_to: "<sip:b@host?Replaces=call-id%3Bto-tag%3Dx%3Bfrom-tag%3Dy>" of an attended transfer, RFC 3515, RFC 3891 6.
 */
#ifndef DEADAIR_DETECT_REFER_TO_H
#define DEADAIR_DETECT_REFER_TO_H

#include "captures/base/span.h"

/* Is a tag missing, or the list not escaped? In words; NULL: nothing is wrong, or there is no Replaces. */
const char *refer_to_flaw(struct span refer_to);

/* Does it ask the target to replace the call of that Call-ID? */
bool refer_to_names(struct span refer_to, struct span call_id);

/* Is that Replaces, as the INVITE to the target has it, what it asks for? */
bool refer_to_carries(struct span refer_to, struct span replaces);

#endif
