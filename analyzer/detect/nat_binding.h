/* SPDX-License-Identifier: MIT */
/* nat_binding: what the two detectors of mappings' lives share. */
#ifndef DEADAIR_DETECT_NAT_BINDING_H
#define DEADAIR_DETECT_NAT_BINDING_H

#include "analyzer/detect/say.h"
#include "analyzer/network/sip_binding.h"

/*
 * Was the dead probe's message really lost in the NAT, with the harm and the silence that nat-binding-expired asks for?
 * *ret_two_points: it was captured before the NAT and not behind it.
 */
bool nat_binding_expired(const struct detection *d, const struct sip_binding *b, const struct binding_death *death,
	bool *ret_two_points);
/* "between 12 and 21 s", "before 25 s" */
const char *nat_binding_bracket_text(const struct binding_nat *n, char buffer[SAY_TEXT]);
/* "every 6 s" that survives: half of what the mapping outlives, at most 30 s, 25 s when nothing is known. */
unsigned nat_binding_keepalive_s(const struct binding_nat *n);
/* Raises media-idle: mappings of audio that died in hold or mute. */
void nat_media_idle(struct detection *d);

#endif
