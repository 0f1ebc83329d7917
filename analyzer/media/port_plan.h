/* SPDX-License-Identifier: MIT */
/*
 * port_plan: which media ports each address has named in SDP, how many calls had one at once, and how many ports that
 * takes: two a socket, RTP and RTCP, or one where both share it (rtcp-mux, RFC 5761). Reckoned from the holds of all
 * sockets.
 */
#ifndef DEADAIR_MEDIA_PORT_PLAN_H
#define DEADAIR_MEDIA_PORT_PLAN_H

#include "analyzer/media/socket_use.h"

struct port_use {                    /* of one address */
	struct list_link in_order;   /* by first socket */
	struct hash_link by_address;
	struct address addr;
	uint16_t low, high;          /* ports of RTP that it has named */
	unsigned sockets;            /* different ones */
	unsigned peak_calls;         /* that had a socket of it at once */
	unsigned peak_ports;         /* taken at once */
	const struct leg *first;     /* the leg that named one first */
	/* while it is reckoned: what is taken, what is given back; n: of the call, which is one more or one less */
	struct port_events {
		struct port_event { int64_t at_ns; unsigned ports, n; bool call; } *list;
		unsigned count, room;
	} taken, given;
};

struct port_plan;

struct port_plan *port_plan_new(const struct socket_uses *sockets);
void port_plan_free(struct port_plan *p);
const struct list *port_plan_in_order(const struct port_plan *p);    /* struct port_use */
const struct port_use *port_plan_find(const struct port_plan *p, const struct address *a);

/*
 * Answered calls that were up at once, and since when; 0: none. calls: struct call.in_order; open ones last to the end.
 */
struct call_peak { unsigned calls; int64_t from_ns, to_ns; };        /* to: the first of them ends */
struct call_peak call_peak_of(const struct list *calls, int64_t last_ns);

#endif
