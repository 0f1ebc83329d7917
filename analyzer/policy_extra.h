/* SPDX-License-Identifier: MIT */
/*
 * policy_extra: what belongs to a policy beside its rules: the VLANs in which the site's voice goes, the marks that it
 * carries to and from providers, and how many new calls a minute came from each of them.
 */
#ifndef DEADAIR_ANALYZER_POLICY_EXTRA_H
#define DEADAIR_ANALYZER_POLICY_EXTRA_H

#include "analyzer/ends.h"

enum { POLICY_MARKS = 32, POLICY_VLANS = 16, POLICY_LIMITS = 32 };

struct policy_mark {
	bool media, inbound;
	uint8_t dscp;
	unsigned count;              /* streams; requests */
};

struct policy_vlan {
	uint16_t vid;
	unsigned hosts;              /* of the site, that speak SIP or send media in it */
};

struct policy_limit {
	struct address from;
	unsigned calls;              /* new ones within a minute, at most */
	struct frame_ref at;         /* the first of those */
};

struct policy_extra {                /* each by its own order; the first ones where there is no room */
	struct policy_mark marks[POLICY_MARKS];
	struct policy_vlan vlans[POLICY_VLANS];
	struct policy_limit limits[POLICY_LIMITS];
	unsigned mark_count, vlan_count, limit_count;
};

void policy_extra_mark(struct policy_extra *x, bool media, bool inbound, uint8_t dscp, unsigned count);
/* Once, when all marks are in. */
void policy_extra_settle(struct policy_extra *x, const struct facts *facts, const struct ends *ends);

#endif
