/* SPDX-License-Identifier: MIT */
/*
 * phone_calls: calls that a server refused by the phone that they were for, connections by who opened them: what a
 * finding about one phone asks for costs no more than what is of that phone.
 */
#ifndef DEADAIR_DETECT_PHONE_CALLS_H
#define DEADAIR_DETECT_PHONE_CALLS_H

#include "analyzer/detect/detector.h"

struct phone_calls;

struct phone_call {
	uint64_t key;                /* keyed hash of server and user */
	const struct leg *leg;
};

/* Lists are made when first asked for. */
struct phone_calls *phone_calls_new(const struct facts *facts);
void phone_calls_free(struct phone_calls *p);
/*
 * Legs for this user that this server refused, in their order; begin with NULL; NULL: no more. Others may be among them:
 * ask for user and address again.
 */
const struct phone_call *phone_calls_refused(struct phone_calls *p, const struct address *server, struct span user,
	const struct phone_call *before);
/* The newest connection from that socket to that host, begun by then; NULL none. */
const struct flow *phone_calls_flow(struct phone_calls *p, const struct endpoint *client, const struct address *server,
	int64_t until_ns);

#endif
