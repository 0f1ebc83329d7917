/* SPDX-License-Identifier: MIT */
/*
 * nat_mismatch: what the parts of nat-address-mismatch share: which address cannot be used from where, and one function
 * a place.
 */
#ifndef DEADAIR_DETECT_NAT_MISMATCH_H
#define DEADAIR_DETECT_NAT_MISMATCH_H

#include "analyzer/detect/say.h"

/*
 * Somebody who is seen at `real` told `from` to send to x. Why that cannot work: a reason of nat-address-mismatch;
 * NULL: nothing says so, also when x was heard by `from`. knows_real: what else he says of himself names his real
 * address.
 */
const char *nat_unusable(const struct facts *facts, const struct address *x, const struct address *real,
	const struct address *from, bool knows_real);
/* Second half of "packets for X arrive nowhere: ...", and what is to be changed at whose end. */
const char *nat_unusable_because(const char *reason);
const char *nat_unusable_fix(const char *reason);

/* Judges audio of one direction: EVENT_JUDGE_DIRECTION. */
void nat_mismatch_media(struct detection *d, const struct event *ev);
/* Private addresses in SDP that the other side has worked around: EVENT_JUDGE_CAPTURE. */
void nat_mismatch_compensated(struct detection *d);
/* a=rtcp: control packets that go nowhere: EVENT_JUDGE_CAPTURE. */
void nat_mismatch_rtcp(struct detection *d);
/* Contact or Record-Route of a dialog that ACK, BYE and re-INVITE are sent to: EVENT_JUDGE_CALL. */
void nat_mismatch_dialog(struct detection *d, const struct event *ev);
/* Contact of registrations, Via, Refer-To, redirections: EVENT_JUDGE_CAPTURE. */
void nat_mismatch_signalling(struct detection *d);

/* More than half of a site's calls suffer: critical. When all is said: EVENT_JUDGE_CAUSES. */
void nat_mismatch_grade(struct detection *d);

#endif
