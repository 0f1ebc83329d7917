/* SPDX-License-Identifier: MIT */
/*
 * tcp_fallback: requests that are too large for UDP, so that their sender turns to TCP, which the peer does not have
 * (RFC 3261 18.1.1). The request itself never appears on that way: it is known by what it is made of, a request that
 * was challenged and has to carry credentials, too, or one that the sender received and has to pass on.
 */
#ifndef DEADAIR_DETECT_TCP_FALLBACK_H
#define DEADAIR_DETECT_TCP_FALLBACK_H

#include "analyzer/detect/sip_socket.h"

enum { FALLBACK_LEGS = 16 };

struct tcp_fallback {                /* of one client at one socket */
	const struct flow *flow;     /* its first attempt by TCP that failed */
	const struct sip_path *udp;  /* the way by UDP, which works */
	const struct message *request;       /* the first such, as it was seen */
	uint32_t bytes;              /* its size, with what is to be added */
	bool passed_on;              /* it came to the client from elsewhere; else the client's own, challenged */
	bool hidden;                 /* the SYNs are not answered; else refused */
	const struct leg *legs[FALLBACK_LEGS];
	unsigned leg_count, requests;
	int64_t last_ns;
};

struct tcp_fallbacks {
	struct tcp_fallback list[32];
	unsigned count;
};

/* attempts: those of attempts_init(). Of each request it is asked whether it reached the peer after all. */
void tcp_fallbacks_find(struct tcp_fallbacks *ret, struct detection *d, const struct attempts_list *attempts);
const struct tcp_fallback *tcp_fallbacks_of(const struct tcp_fallbacks *l, const struct attempts *group);
/* Above so many bytes a request goes by TCP, where the MTU of the way is not known. */
enum { FALLBACK_BYTES = 1300 };
/* "An INVITE of 1432 bytes came to it, to be passed on; ...": ends the sentence. */
/* Parts, times, count and cause. */
void tcp_fallback_say(struct finding *f, const struct facts *facts, const struct tcp_fallback *x);
void tcp_fallback_fix(struct finding *f, const struct facts *facts, const struct tcp_fallback *x);
void tcp_fallback_evidence(struct finding *f, const struct tcp_fallback *x);

#endif
