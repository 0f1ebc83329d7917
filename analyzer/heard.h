/* SPDX-License-Identifier: MIT */
/* heard: what can be said of one direction of a call; shared by the judgement and the views. */
#ifndef DEADAIR_ANALYZER_HEARD_H
#define DEADAIR_ANALYZER_HEARD_H

enum heard {
	HEARD_NOT_EXPECTED,
	HEARD_YES,                   /* seen at the receiver's side, or its RTCP reports it */
	HEARD_POOR,                  /* the same, MOS below 3.6, or a finding says that it is not heard well */
	HEARD_NO,
	/* passes here to a right address and its arrival cannot be seen, or nothing may be said */
	HEARD_UNKNOWN
};

#endif
