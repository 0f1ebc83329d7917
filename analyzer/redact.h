/* SPDX-License-Identifier: MIT */
/*
 * redact: other numbers, names and addresses for those that were captured. The same ones become the same ones, in every
 * report and history that is made with the same key; different ones stay different. Without the key nobody finds the
 * way back.
 *     1001 → 4870            numbers of up to 5 digits: as many digits
 *     01632960105 → 000483920175     longer ones: 000 and 9 digits, which nobody has; a + before them stays
 *     alice → user-9f31c2aa  names of people, phones; host-..., id-... (Call-ID, tag)
 *     192.168.1.21 → 192.168.77.140  within 10/8, 172.16/12, 192.168/16, 100.64/10, 169.254/16 as before; nets stay
 *     nets
 *     203.0.113.2 → 251.20.7.99      public ones: 240/4, which nobody has
 *     fd12::1, 2001:db8::1   private: fd00::/8, public: 2001:db8::/32
 * 0.0.0.0, loopback, multicast stay: they mean something.
 */
#ifndef DEADAIR_ANALYZER_REDACT_H
#define DEADAIR_ANALYZER_REDACT_H

#include "captures/base/address.h"

enum { REDACT_KEY = 16 };

struct redact;

struct redact *redact_new(const uint8_t key[REDACT_KEY]);
void redact_free(struct redact *r);

/* What is given back lives as long as r. */
void redact_address(struct redact *r, struct address *a);
/* the user part of a URI, a number, or a host where there is no user */
struct span redact_user(struct redact *r, struct span user);
struct span redact_name(struct redact *r, struct span name);     /* "Alice Smith" */
struct span redact_host(struct redact *r, struct span host);
struct span redact_id(struct redact *r, struct span id);         /* Call-ID, tag */
/* the product stays, a hardware address in it does not */
struct span redact_agent(struct redact *r, struct span agent);

/* From now on redact_text() knows it wherever it stands. */
void redact_learn_user(struct redact *r, struct span user);
void redact_learn_name(struct redact *r, struct span name);
void redact_learn_host(struct redact *r, struct span host);
void redact_learn_id(struct redact *r, struct span id);

/* Addresses, URIs, hardware addresses and what was learnt, within a text of ours or of a packet. NULL stays NULL. */
const char *redact_text(struct redact *r, const char *text);
struct span redact_span(struct redact *r, struct span text);

#endif
