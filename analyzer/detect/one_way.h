/* SPDX-License-Identifier: MIT */
/* one_way: what the files of one-way-audio share. */
#ifndef DEADAIR_DETECT_ONE_WAY_H
#define DEADAIR_DETECT_ONE_WAY_H

#include "analyzer/detect/hearing.h"

/* An earlier session named that address. */
bool one_way_sent_before(const struct direction *d, const struct window *w, const struct endpoint *at);
/* A provisional response did, of this branch of a fork or of one that was not answered. */
bool one_way_named_early(const struct direction *d, const struct window *w, const struct endpoint *at);
/*
 * The receiver's own audio had come from there, and comes from elsewhere since the session was moved. The stream that
 * shows where; NULL: not so.
 */
const struct stream *one_way_learnt_before(const struct direction *d, const struct window *w, const struct endpoint *at);
/*
 * Direct media: on another leg of the call whoever sends s was told to send there, and obeys. Who told it, and not this
 * leg's newer address, signals for the sender here.
 */
bool one_way_obeys(const struct direction *d, const struct stream *s, int64_t at_ns);
/* What it was told there; NULL: not so. */
const struct window *one_way_told_as(const struct direction *d, const struct stream *s, int64_t at_ns);
/* Told to a public sender, from behind a NAT: the private address cannot be reached from there. */
bool one_way_told_private(const struct direction *d, const struct hearing *h);
/* In another call its audio did find the way to that address, private or not, and came by beside the receiver. */
bool one_way_found_before(const struct facts *facts, const struct direction *d, const struct hearing *h);
/* Which side of the leg is this host? False: none; true of another leg: it is a B2BUA. */
bool one_way_side_at(const struct facts *facts, const struct leg *leg, const struct address *at, enum side *ret);
/* Nothing but reports says that it does not arrive, of SRTP: who cannot decrypt it reports nothing received, too. */
bool one_way_undecrypted(const struct hearing *h);
/* Does the sender take leave by RTCP as its audio stops, without a BYE by SIP? Then it is not to blame for that. */
bool one_way_took_leave(const struct direction *d, const struct hearing *h);
/* What the sender gets on another leg of the call meanwhile, and should pass on; NULL: nothing. */
const struct stream *one_way_gets(const struct facts *facts, const struct direction *d, const struct hearing *h);
/* Title, cause, fix, evidence and what cannot be seen, by the finding's reason and what failed in h. */
void one_way_say(struct finding *f, const struct facts *facts, const struct direction *d, const struct hearing *h);

/* What the sender sends from its socket to another port of the receiver's host, into another call, where nobody named it. */
const struct stream *one_way_astray(const struct facts *facts, const struct direction *d, const struct hearing *h);

#endif
