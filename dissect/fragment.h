/* SPDX-License-Identifier: MIT */
/* fragment: IP datagrams put together again, RFC 815, 5722. Time is packet time. */
#ifndef DEADAIR_DISSECT_FRAGMENT_H
#define DEADAIR_DISSECT_FRAGMENT_H

#include "dissect/dissect.h"
#include "dissect/ip.h"

struct fragments;

struct fragments *fragments_new(struct dissector_counts *counts);
void fragments_free(struct fragments *f);
void fragments_limit(struct fragments *f, size_t bytes);

/* Forget the datagrams handed out: nothing points into them any more. */
void fragments_release(struct fragments *f);

/*
 * The fragment at the cursor. True: it completed its datagram; the cursor is over all of that (good until
 * fragments_release) and *p has what its first fragment said. False: p->undecoded tells why when it is not merely one
 * of several. Repeated bytes have to be the same: a datagram of which two fragments differ is dropped (RFC 5722; for
 * IPv4, too, as no receiver does the same as another).
 */
bool fragments_add(struct fragments *f, const struct ip_fragment *fragment, struct cursor *c, struct packet *p);

#endif
