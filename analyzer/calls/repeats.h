/* SPDX-License-Identifier: MIT */
/*
 * repeats: SIP transactions of whatever method on each pair of neighbours, and which of them had to be repeated, why,
 * as far as this capture point tells (RFC 3261 17). Counted by host and by pair of hosts in windows of time; of each
 * the worst window is kept. A transaction is known again by Call-ID, CSeq, method and the two addresses, so that an
 * answer with another branch or from another port is seen to be one. Bounded.
 */
#ifndef DEADAIR_CALLS_REPEATS_H
#define DEADAIR_CALLS_REPEATS_H

#include "analyzer/calls/call.h"

enum { REPEATS_SERIES_MAX = 64, REPEATS_FRAMES = 6, REPEATS_ODD_MAX = 64, REPEATS_PORTS_MAX = 64,
	REPEATS_PORTS_FEW = 8 };

struct repeats_tally {
	/* answered transactions; those that nothing ever came back for are told elsewhere */
	unsigned total;
	unsigned late;               /* repeated, and every copy was answered, the first after T1 */
	unsigned late_slow;          /* of these: after 2 s and more */
	unsigned responses_lost;     /* repeated although the answer was here in time */
	unsigned requests_lost;      /* repeated, and fewer answers than copies */
};

struct repeats_window {
	int64_t from_ns, to_ns;
	struct repeats_tally tally;
	unsigned ports;              /* different sockets of either side that asked or were asked, at most 64 */
	struct frame_ref frames[REPEATS_FRAMES];     /* copies, the first ones */
	unsigned frame_count;
};

struct repeats_half {                /* half a window; internal */
	int64_t from_ns, to_ns;
	struct repeats_tally tally;
	unsigned frame_count;
	struct frame_ref *frames;    /* REPEATS_FRAMES, made with the first copy */
};

struct repeats_stat {                /* one host, or one pair of hosts */
	struct hash_link by_key;
	struct address a, b;         /* b family 0: all its peers together */
	struct list_link in_order, in_use;
	/* the most repeated transactions, among windows with enough of them; never NULL */
	const struct repeats_window *worst;
	struct repeats_half last, now;
	/* of windows of pairs, the first REPEATS_SERIES_MAX */
	struct repeats_point { unsigned ports, total, repeated; } *series;
	unsigned series_count;
	unsigned port_count, port_room;      /* room: REPEATS_PORTS_MAX at most */
	/* set as far as port_count; ports_few, or of its own allocation */
	uint16_t *port_set, ports_few[REPEATS_PORTS_FEW];
};

enum odd_kind { ODD_IGNORES, ODD_BEYOND_TIMER, ODD_STREAM, ODD_LOOP };

struct repeats_odd {                 /* a transaction that stands for itself */
	enum odd_kind kind;
	const char *field;           /* of ODD_IGNORES: what the answer has wrong */
	struct endpoint src, dst;
	struct frame_ref first, answer, last;
	unsigned copies;             /* ODD_IGNORES: after the answer; ODD_LOOP: passages */
	uint8_t method;
	char call_id[96];            /* escaped */
};

struct repeats_config {
	int64_t window_ns;
	unsigned min;                /* transactions that make a window worth looking at */
	size_t max_open, max_stats;  /* 0: 32768 transactions, 16384 hosts and pairs */
};

struct repeats;

struct repeats *repeats_new(const struct repeats_config *config);
void repeats_free(struct repeats *r);
/* Where repeats_packet() will look; gives how many, HASH_PLACES at most. */
unsigned repeats_places(const struct repeats *r, const struct packet *p, struct hash_place *ret);
/* Where transactions will be counted that close until then; gives how many places, at most max. */
unsigned repeats_closing_places(const struct repeats *r, int64_t now_ns, struct hash_place *ret, unsigned max);
/* One SIP packet; mirror copies must be left out by the caller. */
void repeats_packet(struct repeats *r, const struct packet *p);
/* The same; at: what repeats_places() gave for it. */
void repeats_packet_at(struct repeats *r, const struct packet *p, const struct hash_place *at);
/* all: the capture has ended; else transactions that may still be repeated stay open. Repeatable. */
void repeats_settle(struct repeats *r, int64_t now_ns, bool all);
const struct list *repeats_stats(const struct repeats *r);   /* struct repeats_stat, by first sight */
const struct repeats_stat *repeats_pair(const struct repeats *r, const struct address *a, const struct address *b);
const struct repeats_odd *repeats_odds(const struct repeats *r, unsigned *ret_count);
/* Transactions that were closed early, hosts and pairs that were given up. */
uint64_t repeats_evicted(const struct repeats *r);

#endif
