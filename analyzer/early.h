/* SPDX-License-Identifier: MIT */
/*
 * early: SIP answers whose request has not passed yet, since two clocks or two queues of a network card are apart. They
 * wait for it, bounded in time, number and bytes, and take its time: everything behind may trust that a request comes
 * first.
 */
#ifndef DEADAIR_ANALYZER_EARLY_H
#define DEADAIR_ANALYZER_EARLY_H

#include "dissect/packet.h"

struct early;

struct early_config {
	int64_t wait_ns;             /* so long an answer waits at most; 0: none waits */
	unsigned max;                /* answers that wait at once; 0: 256 */
};

struct early *early_new(const struct early_config *config);
void early_free(struct early *e);                    /* NULL is fine */

/* The message comes soon: what early_keep() will touch is asked for. */
void early_ahead(const struct early *e, const struct packet *p);

/* For each SIP message. True: an answer before its request, kept; the caller has not seen it. */
bool early_keep(struct early *e, const struct packet *p);

/*
 * The next answer whose turn it is, in the order in which they came; NULL: none. Good until the next call of any of
 * these. early_before(): what has waited long enough, and what p, when it is a message, proves to be without a request;
 * early_after(): what waited for p, with the time of p.
 */
const struct packet *early_before(struct early *e, const struct packet *p, int64_t now_ns);
const struct packet *early_after(struct early *e, const struct packet *p);
/* The end: whatever is left. */
const struct packet *early_rest(struct early *e);

/* By how much answers came before their request, at most; 0: none did. */
int64_t early_most_ns(const struct early *e);

#endif
