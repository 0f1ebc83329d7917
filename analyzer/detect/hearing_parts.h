/* SPDX-License-Identifier: MIT */
/*
 * hearing_parts: what the files behind hearing.h share. place: where the sides are seen; reach: which addresses lead to
 * the receiver; arrival: what came; excuse: the N-register; elsewhere: on which leg; unseen: whether arrival can be seen; moved;
 * gate_direction; undelivered.
 */
#ifndef DEADAIR_DETECT_HEARING_PARTS_H
#define DEADAIR_DETECT_HEARING_PARTS_H

#include "analyzer/detect/hearing.h"

enum {
	ALIVE_PACKETS = 25,
	STRAY_PACKETS = 5,           /* media.max-stray */
	ICMP_PROOF = 3
};

/* so long without a packet to the end of a window is a failure, not an interruption */
#define TAIL_NS (10 * SECOND_NS)

struct judge {                       /* what a judgement carries along */
	const struct facts *facts;
	struct direction *d;
	struct hearing *h;
	int64_t end_ns;              /* of the capture */
	const struct side_addresses *sender, *receiver;
	bool at_sender, near_sender;         /* the side; hearing has what holds for the window */
};

struct counted {                     /* audio of a direction within a window */
	double right, wrong, foreign_pt;
	const struct stream *main, *wrong_main, *foreign_main;
	double main_packets, wrong_packets, foreign_packets;
	int64_t first_ns, last_ns, wrong_first_ns, wrong_last_ns;
	uint32_t first_frame;
	bool weak;                   /* a B10 stream: may be it, may not */
	bool dtx;
};

double judge_key(const struct judge *j, const char *section, const char *name);
/* Writes hearing.why: the last one to decide has the word. The text outlives the record. */
static inline void judge_because(struct hearing *h, const char *why)
{
	h->why = why;
}
/* The same with figures. */
void judge_because_of(struct judge *j, const char *format, ...) __attribute__((format(printf, 2, 3)));
void judge_fail(struct judge *j, const struct window *w, enum failure how, int64_t from_ns, int64_t to_ns, bool whole);

struct side_place { bool at, near; };  /* the capture point is there; is nearer to it than to the other side */
/* Where the sides of a slot are seen from the capture point, by enum side. */
void place_sides(const struct facts *facts, const struct side_addresses sides[2], struct side_place ret[2]);
/* Is the audio of this window said to come from a host of which nothing is known but its address? */
bool place_source_apart(const struct judge *j, const struct window *w);
const struct endpoint *place_handed_on(const struct judge *j, const struct window *w);
/* Would packets of this direction have passed here in that time? */
enum sees place_sees(const struct judge *j, int64_t from_ns, int64_t to_ns);
/* Inside a NAT what is public lies beyond the router, whatever TTL a device in between has written anew. */
bool place_beyond_nat(const struct facts *facts, const struct address *a);

/*
 * Direct media: an earlier leg of the call promises the very same audio. It is judged there, unless who sends it was
 * told on this one, and does not heed it. NULL: here.
 */
const struct direction *elsewhere_judged_on(const struct direction *d, const struct window *w);

/* The receiver reports that it gets the audio of this direction. */
bool unseen_reported(const struct judge *j);
/* Why it cannot be seen from here whether audio that goes where it should arrives; NULL: it is seen. */
const char *unseen_why(const struct judge *j);

struct counted arrival_count(const struct judge *j, const struct window *w, int64_t from_ns, int64_t to_ns);
/* All that came in that time is of types that neither side has named, and the capture has their agreement. */
bool arrival_all_foreign(const struct facts *facts, const struct direction *d, int64_t from_ns, int64_t to_ns);
/* Is the audio of the direction answered by ICMP in that time: refused, by the machine that it is for or on the way? */
bool arrival_refused(const struct facts *facts, const struct direction *d, int64_t from_ns, int64_t to_ns);
int64_t arrival_foreign_since(const struct judge *j, const struct window *w, const struct stream *s, int64_t from_ns,
	int64_t to_ns);
/* Adds to hearing.icmp_count, icmp, icmp_last. */
void arrival_icmp(struct judge *j, const struct window *w, int64_t from_ns, int64_t to_ns);
/* The stream goes where the window says, and p reports from another machine, of what came to it before. */
bool arrival_handed_on(const struct judge *j, const struct window *w, const struct stream *s,
	const struct rtcp_party *p);
/* Fills hearing.report, sending, *_rtcp, receiver_reports_unseen. */
void arrival_rtcp(struct judge *j, const struct window *w, const struct counted *c, int64_t from_ns, int64_t to_ns);

/* The row that silences, NULL none; silent since from_ns; whole: from the window's beginning. */
const char *excuse_row(struct judge *j, const struct window *w, const struct counted *c, int64_t from_ns, int64_t to_ns,
	bool whole);
/* Does a joined leg's own sender fail to reach the shared host? Then the silence begins there and is told there. */
bool excuse_begins_elsewhere(const struct judge *j, int64_t from_ns, int64_t to_ns, bool whole);
/*
 * When another leg that was on hold a second after since_ns, or rang, no longer is; since_ns: it was not, or still is.
 */
int64_t excuse_other_leg_until(const struct judge *j, int64_t since_ns);

/*
 * moved.c: at that time the sender's audio was moved to another machine, from which nothing has come since: its
 * address. NULL: not so.
 */
const struct endpoint *moved_to(const struct judge *j, int64_t at_ns);

/* The gate that withholds a claim of absence, NULL none. */
const char *gate_direction(struct judge *j, const struct window *w, int64_t from_ns, int64_t to_ns);

/* Sets the failure, and is true, when something proves that what went to the right address never arrived. */
bool undelivered_judge(struct judge *j, const struct window *w, const struct counted *c, int64_t from_ns,
	int64_t to_ns);

/* As it left its sender, on its net: what it has to pass is still before it. */
static inline bool just_sent(const struct stream *s)
{
	return s->ttl == 64 || s->ttl == 128 || s->ttl == 255;
}

#endif
