/* SPDX-License-Identifier: MIT */
/* reported: what a receiver's RTCP says of a stream, where makes differ in what they report (RFC 3550 6.4). */
#ifndef DEADAIR_DETECT_REPORTED_H
#define DEADAIR_DETECT_REPORTED_H

#include "analyzer/detect/detector.h"

/*
 * rtcp_verdict(); reports without blocks prove something of who belongs to a make that sends them. Behind one router
 * sit phones of several makes: that another one's did is no proof. receiver NULL: NONE.
 */
enum rtcp_verdict reported(const struct facts *facts, const struct stream *s, const struct rtcp_party *receiver,
	int64_t from_ns, int64_t to_ns, const struct rtcp_report **ret_last);

/*
 * The capture itself has lost packets of this stream: in the intervals between two reports it lacks more than twice as
 * many as the receiver, and that is a part that speaks for the whole.
 */
bool reported_there(const struct facts *facts, const struct stream *s);

#endif
