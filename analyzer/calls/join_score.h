/* SPDX-License-Identifier: MIT */
/* join_score: a pair of legs that may be one call, and what speaks for it. */
#ifndef DEADAIR_CALLS_JOIN_SCORE_H
#define DEADAIR_CALLS_JOIN_SCORE_H

#include "analyzer/calls/internal.h"

struct pair {
	struct list_link of_child, of_parent;
	struct leg_record *x, *y; /* parent, child */
	unsigned base; /* what does not change: users, headers, times of the INVITEs */
	unsigned score;
	bool same_number; /* of the caller, or of who is called */
	bool hunted; /* Y follows a leg that may be X's, too, and was in vain: the next trunk, the next phone */
	enum leg_join how; /* its strongest evidence */
};

/*
 * Of both legs refused within 100 ms, and with the same status; of a leg refused when the one behind it was given up
 * after long; of both hung up within 50 ms of each other.
 */
enum { REFUSED_POINTS = 30, SAME_STATUS_POINTS = 10, GIVEN_UP_POINTS = 40, HANG_UP_POINTS = 30 };
/* Of two that share a number and began at one host, when no other leg did so near to them. */
enum { LONELY_POINTS = 30, HUNTED_POINTS = 10 };

/* base and how; its clues have to stand. */
void pair_base(const struct calls *c, struct pair *p);
/* score: base, and what came later: rings, answers, ends. */
void pair_score(struct pair *p);

/* Each of the two names the media sockets of both ends of the other one. */
bool join_sockets_cross(const struct leg_record *x, const struct leg_record *y);

/* RFC 7989: one of zeroes says that there is none. */
bool session_id_is_real(struct span id);
bool caller_is_anonymous(struct span user);
/* By which a number is known however it is written: without +, 00 and the national 0. */
uint64_t caller_value(struct span user);
/* Never different for two spellings of one number, seldom the same for two numbers; 0: none. */
uint32_t number_fingerprint(struct span user);
/* Not given up by the one who called: then all legs end, each when its CANCEL comes. */
bool leg_was_refused(const struct leg *leg);
/* By who called: it sent CANCEL, or the time for any answer is over. NS_NONE: no. */
int64_t leg_given_up_ns(const struct leg *leg);

#endif
