/* SPDX-License-Identifier: MIT */
/* account_private: what the files of account share. */
#ifndef DEADAIR_ACCOUNT_PRIVATE_H
#define DEADAIR_ACCOUNT_PRIVATE_H

#include "analyzer/calls/account.h"
#include "captures/base/arena.h"
#include "captures/base/hash.h"

enum { ACCOUNT_LOOKS_MAX = 64 };              /* records of one bucket's key that are looked at */

struct accounts {
	struct list order, poor, good, sites;
	struct arena *site_arena;
	struct hash by_aor, by_user, by_inner, by_outer;
	size_t max;
	unsigned next_account, next_device;
	uint64_t evicted;
};

uint64_t account_user_key(struct span user);
uint64_t account_branch(const struct sip_message *m); /* hashed; 0 without one */
/* With a user: the line of that name at the socket, if there is one; without (0), and else, the one heard last. */
struct device *account_device_at(const struct accounts *a, const struct endpoint *at, uint64_t user);

/* Requests of the registrar to a device, and whether they are answered. */
void account_request_to(struct accounts *a, const struct packet *p);
void account_answer_from(struct accounts *a, const struct packet *p);
void account_asked_alive(struct device *d, int64_t at_ns);     /* it registers */
/* What stays open at last_ns, and was sent long enough before, has not been answered. */
void account_asked_settle(struct accounts *a, int64_t last_ns);

/* Who is behind one router, anew: of each account the device that it has now. */
void account_sites_reckon(struct accounts *a);

#endif
