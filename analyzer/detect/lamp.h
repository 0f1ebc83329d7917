/* SPDX-License-Identifier: MIT */
/*
 * lamp: what the calls of an entity say that its lamp should show, against what NOTIFYs claimed: the truth table of
 * blf-broken. Only dialogs that the entity's own device has with the notifier count; where their end is unknown nothing
 * is said.
 */
#ifndef DEADAIR_DETECT_LAMP_H
#define DEADAIR_DETECT_LAMP_H

#include "analyzer/calls/watch.h"

struct lamps;

/* Legs by user; lent for its life. */
struct lamps *lamps_new(const struct calls *calls);
void lamps_free(struct lamps *l);

struct lamp_fault {
	bool wrong;                  /* false: none */
	bool stuck;                  /* shows a call that is over; else it does not show one that is there */
	bool told;                   /* a NOTIFY said so after the change; else none came */
	int64_t since_ns, until_ns;
	const struct watch_note *note;       /* what it shows */
	const struct leg *leg;
};

/* The longest contradiction of at least wait_ns between what was delivered and what was. */
struct lamp_fault lamp_compare(const struct lamps *l, const struct watch *w, int64_t end_ns, int64_t wait_ns);
/* The first change of the entity's dialogs at or after that time; NS_NONE: none. */
int64_t lamp_change_after(const struct lamps *l, const struct watch *w, int64_t from_ns, const struct leg **ret_leg);

#endif
