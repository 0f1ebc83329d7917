/* SPDX-License-Identifier: MIT */
/*
 * binding: which stream keeps which promise. Ten rules from exact to weak (B1 ... B10); the first that fits one open
 * direction wins, a tie binds to none. Addresses in SDP are learnt as they pass; streams are bound when the session
 * stands, also those that began before it (RFC 3264 5.1).
 */
#ifndef DEADAIR_MEDIA_BINDING_H
#define DEADAIR_MEDIA_BINDING_H

#include "analyzer/media/expectation.h"
#include "analyzer/network/network.h"

struct binding;

struct binding *binding_new(void);
void binding_free(struct binding *b);

/*
 * The message's session description becomes known: its addresses lead to its leg from now on. Messages without SDP:
 * nothing.
 */
void binding_announce(struct binding *b, const struct message *m);
/* The leg goes: so does what its descriptions announced. */
void binding_forget(struct binding *b, struct leg *leg);
/* Is this address announced by any SDP so far? Kind and clock of its latest medium; NULL no. */
const struct sdp_media *binding_announced(const struct binding *b, const struct endpoint *at);
/* The leg whose SDP announced this address last; NULL none. */
struct leg *binding_leg(const struct binding *b, const struct endpoint *at);
/* That, and which side of it wants media there. */
struct leg *binding_receiver(const struct binding *b, const struct endpoint *at, enum side *ret);
/* The addresses at which that side of the leg wants media, latest first: so many. */
unsigned binding_wanted(const struct leg *leg, enum side side, struct endpoint *ret, unsigned max);
/* Where that is looked for. */
struct hash_place binding_leg_place(const struct binding *b, const struct endpoint *at);
/* A stream_hint_fn; context is the binding. */
bool binding_hint(void *context, const struct packet *p, struct stream_hint *ret);
void binding_hint_of(const struct sdp_media *m, struct stream_hint *ret);

/* Binds every stream anew with all that is known; directions get their streams in order of first packet. */
void binding_settle(struct binding *b, const struct list *streams, const struct list *legs,
	const struct network *network);
/* Undoes that: no stream leads to a direction, no direction to a stream. Before one of them goes. */
void binding_release(const struct list *streams, const struct list *legs);

/*
 * Was all of it seen in one VLAN, and all of the leg in another one? Where the same addresses are used in both, it is
 * another customer's. Alone it proves nothing: what is routed between VLANs may be seen on either side.
 */
bool binding_in_other_vlan(const struct stream *s, const struct leg *leg);

#endif
