/* SPDX-License-Identifier: MIT */
/* answer_delay: delays of calls as answer-delayed collects them, to be told by host and reason. */
#ifndef DEADAIR_DETECT_ANSWER_DELAY_H
#define DEADAIR_DETECT_ANSWER_DELAY_H

#include "analyzer/detect/detector.h"

struct delay {
	const char *reason;
	bool repeated;               /* 200-repeated as well */
	const struct leg *leg;
	struct endpoint host, culprit;       /* culprit family 0: open */
	const struct message *from, *to;
	double seconds, limit_s;
	unsigned copies;
};

struct delays {
	struct detection *d;
	const struct facts *facts;
	struct delay *list;
	unsigned count, room;
	unsigned looks;              /* through all flows to outside */
	double answer_max_s, relay_max_s, pdd_max_s, auth_max_s, dns_wait_s; /* of the detector's keys */
	double soon_s;               /* the least of the limits before the first ringing */
};

/* Copied. */
void delay_add(struct delays *all, const struct delay *x);
/* The time before the first ringing went into challenges or into names (auth-detour, dns-detour); false: it did not. */
bool delay_detour(struct delays *all, const struct leg *leg);

#endif
