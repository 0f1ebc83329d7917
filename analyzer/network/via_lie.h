/* SPDX-License-Identifier: MIT */
/*
 * via_lie: requests of one host to one socket whose topmost Via names another transport than carried them. Servers
 * answer the way that Via names (RFC 3261 18.2.2): such answers need not come back to who asked.
 */
#ifndef DEADAIR_NETWORK_VIA_LIE_H
#define DEADAIR_NETWORK_VIA_LIE_H

#include "analyzer/calls/call.h"
#include "dissect/packet.h"

struct via_lie {
	unsigned requests;           /* those, without their copies */
	uint8_t says;                /* enum packet_transport: what Via names */
	struct endpoint sent_by;     /* likewise; address unknown: a name, or none */
	struct frame_ref first_at;
	/* answers by another transport than the request's, and where the first of them went */
	unsigned astray;
	struct endpoint sent_to;
	struct frame_ref astray_at;
	/* asked again after such an answer as if nothing had come */
	unsigned repeated;
	struct frame_ref repeated_at;
	int64_t last_ns;             /* of the latter, or of the last answer */
	uint8_t challenged;          /* enum sip_method of the last request that a 401 or 407 went astray of; 0 none */
	/* an answer came the way that it was asked, or an ACK or credentials show that one was received after all */
	bool arrived;
};

/* What Via names, where another transport carries the request; TRANSPORT_NONE: all is well, or it cannot be told. */
enum packet_transport via_lie_says(const struct packet *p);
/* A request of which via_lie_says() something; again: a copy; strayed: its answer went astray already. */
void via_lie_request(struct via_lie *l, const struct packet *p, bool again, bool strayed);
/* An answer to one of them; strays: by another transport than its request's. */
void via_lie_answer(struct via_lie *l, const struct packet *p, bool strays);

#endif
