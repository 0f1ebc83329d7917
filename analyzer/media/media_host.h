/* SPDX-License-Identifier: MIT */
/*
 * media_host: how many media ports a host has in use, and what became of calls that came to it meanwhile. Reckoned once
 * per judgement from the holds of its sockets; for media-range-exhausted.
 */
#ifndef DEADAIR_MEDIA_MEDIA_HOST_H
#define DEADAIR_MEDIA_MEDIA_HOST_H

#include "analyzer/media/socket_use.h"

enum attempt_result { ATTEMPT_TAKEN, ATTEMPT_REFUSED, ATTEMPT_NO_RTP }; /* NO_RTP: answered, without a port for audio */

struct host_attempt {                /* a call that came to the host and was decided there */
	int64_t at_ns;               /* of the decision */
	const struct leg *leg;
	const struct message *final;
	enum attempt_result result;
	unsigned busy;               /* its other sockets in use at that time */
	bool hinted;                 /* the refusal speaks of ports, RTP, resources */
	bool doubled;                /* taken, with a socket that another call still held */
};

struct host_span {                   /* from: it may be taken before it is named */
	int64_t from_ns;
	const struct socket_hold *hold;
};

struct media_host {
	struct list_link in_order;   /* by first hold or refusal */
	struct hash_link by_address;
	struct address addr;         /* where its SIP comes from */
	struct host_span *spans;     /* by from_ns */
	unsigned span_count, span_room;
	struct host_span one;        /* where there is one */
	struct host_attempt *attempts; /* by at_ns */
	unsigned attempt_count, attempt_room;
	uint16_t lowest, highest;    /* RTP ports that it has named; 0 none */
	unsigned peak;               /* sockets in use at once */
};

struct media_hosts;

struct media_hosts *media_hosts_new(const struct socket_uses *sockets, const struct list *legs);
void media_hosts_free(struct media_hosts *m);
const struct list *media_hosts_in_order(const struct media_hosts *m);

#endif
