/* SPDX-License-Identifier: MIT */
/*
 * policy: what a firewall between the site and its providers would have to permit for exactly what was seen: SIP that
 * was asked and answered, media of those calls. Provider addresses only: users elsewhere and strangers are counted,
 * never permitted.
 */
#ifndef DEADAIR_ANALYZER_POLICY_H
#define DEADAIR_ANALYZER_POLICY_H

#include "analyzer/ends.h"
#include "analyzer/policy_extra.h"

enum policy_kind { POLICY_SIP, POLICY_MEDIA };

struct policy_rule {
	enum policy_kind kind;
	struct address from, to;
	bool inbound;                /* to is the site's */
	uint8_t transport;           /* enum packet_transport */
	uint16_t low, high;          /* destination ports */
	bool documented;             /* the range of the profile instead of the one seen */
	unsigned count;              /* requests; streams */
	struct frame_ref at;         /* of the first */
};

struct policy {
	struct policy_rule *rules;   /* SIP first; by addresses and ports */
	unsigned count, room;
	unsigned cut;                /* rules beyond the most that are kept */
	unsigned users, strangers;   /* addresses outside that talked to the site and are left out */
	unsigned peak_calls;
	struct policy_extra extra;
};

struct policy *policy_new(const struct facts *facts);
void policy_free(struct policy *p);

#endif
