/* SPDX-License-Identifier: MIT */
/* sip_rules: which rules a SIP message breaks, by its own bytes. What is merely unusual breaks none (RFC 4475). */
#ifndef DEADAIR_DETECT_SIP_RULES_H
#define DEADAIR_DETECT_SIP_RULES_H

#include "dissect/packet.h"

enum sip_rule {
	RULE_MISSING_HEADER, RULE_DUPLICATE, RULE_LENGTH_LONG, RULE_LENGTH_SHORT, RULE_TCP_FRAMING, RULE_CSEQ,
		RULE_START_LINE, RULE_URI, RULE_VIA,
	RULE_TO_TAG, RULE_SDP, RULE_BODY_TYPE, RULE_ROUTE, RULE_CONTROL, RULE_CREDENTIALS,
		RULE_REGISTER_USER,
	/* by what came before it: sip_malformed.c */
	RULE_RESPONSE_VIA, RULE_TAG_CHANGED, RULE_MAX_FORWARDS, RULE_ACK_CANCEL, RULE_COUNT
};

enum { RULE_FIELD = 96 };

struct rule_name { const char *reason, *rule; };

/* The reason of the register, and where the rule stands. */
const struct rule_name *sip_rule_name(enum sip_rule rule);

/*
 * Bits 1 << enum sip_rule; 0 for a message that the capture cut. thorough: what costs more than reading the message did
 * is looked at, too; then sip_message_judge() has judged its fields before.
 */
uint32_t sip_rules_broken(const struct sip_message *m, uint8_t transport, bool thorough);
/* The field as seen, or what is missing; safe text. */
void sip_rule_field(const struct sip_message *m, enum sip_rule rule, char text[RULE_FIELD]);

#endif
