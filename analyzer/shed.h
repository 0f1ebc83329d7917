/* SPDX-License-Identifier: MIT */
/*
 * shed: what a flood asks for in vain, where there is no room for what it would begin: INVITEs and REGISTERs by UDP of
 * a source that sent a hundred of them a second and more, of which none was answered, and that has done nothing else
 * that a party does. They are set aside, bytes alone, and begin nothing. Whatever message names their Call-ID brings
 * them back in front of it, and from then on their source is a party. Those that nobody comes for go as others come.
 */
#ifndef DEADAIR_ANALYZER_SHED_H
#define DEADAIR_ANALYZER_SHED_H

#include "dissect/packet.h"

struct shed;

/* bytes: that requests may take that are set aside; they are taken with the first. */
struct shed *shed_new(size_t bytes);
void shed_free(struct shed *s);                      /* NULL is fine */

/* A request that could be shed: one that begins something, and shows no sign of having been answered. */
bool shed_may(const struct packet *p);
/* These come soon: what will be looked for is asked for. */
void shed_ahead(const struct shed *s, const struct packet *const *messages, unsigned count);
/* One that may not be shed: who sends it, who is sent an answer, is a party. */
void shed_party(struct shed *s, const struct packet *p);
/* So is who sends media. */
void shed_media(struct shed *s, const struct address *from);
/*
 * One that may, and that there is no room for; copy: a mirror copy, which does not count. True: it is shed, and must be
 * given to shed_keep().
 */
bool shed_floods(struct shed *s, const struct packet *p, bool copy);
/* True: none of its Call-ID was set aside yet. *ret_bytes: what has been taken to set it aside, 0 nearly always. */
bool shed_keep(struct shed *s, const struct packet *p, size_t *ret_bytes);
/*
 * The oldest of those of this message's Call-ID, for a message that goes on; NULL: none. Good until the next call;
 * *ret_last: there is no other one.
 */
const struct packet *shed_back(struct shed *s, const struct packet *p, bool *ret_last);

#endif
