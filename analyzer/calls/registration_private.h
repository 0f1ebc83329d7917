/* SPDX-License-Identifier: MIT */
/* registration_private: what the files of registration share. */
#ifndef DEADAIR_CALLS_REGISTRATION_PRIVATE_H
#define DEADAIR_CALLS_REGISTRATION_PRIVATE_H

#include "analyzer/calls/internal.h"

enum attempt { ATTEMPT_NONE, ATTEMPT_ASKED, ATTEMPT_CHALLENGED, ATTEMPT_DONE };

struct registration_record {
	struct registration registration;
	struct hash_link by_id;
	struct list_link in_class; /* calls.registrations_poor or _good, by last message */
	bool good, by_answer; /* by_answer: no request was seen, which would tell the device */
	size_t due_at; /* index in calls.due plus one; 0: not in it */
	int64_t due_ns;
	uint64_t id, key; /* hashes that it is found by */
	/* the attempt in hand */
	enum attempt attempt;
	struct transaction transaction;
	uint32_t cseq, vias_least, vias_most, tries_repeated, refused_in_row;
	uint64_t branch, call_id;
	struct endpoint src, dst, final_src, final_dst;
	bool credentials, removes, binds, response_seen;
	uint32_t asked_s; /* Expires; 0: it does not say */
	uint16_t challenge; /* status of the last one */
	unsigned restarts; /* other Call-IDs that counted from the start */
};

/* registration_table.c: that of the message's AOR and device, made if need be; a device may take another Call-ID */
struct registration_record *registration_get(struct arrival *a);
/* It is heard of: of its class it goes last when room is needed. */
void registration_touch(struct calls *c, struct registration_record *r);
/* It has succeeded: those that never did go before it. */
void registration_good(struct calls *c, struct registration_record *r);
/* now, kept as long as the record; old where it says nothing, or there is too much already. */
struct span registration_text(struct registration *r, struct span old, struct span now);

/* registration_due.c */
void due_set(struct due *h, struct registration_record *r, int64_t at_ns);
void due_remove(struct due *h, struct registration_record *r);
void due_fini(struct due *h);

/*
 * registration_contacts.c: the time that the registrar gave to our Contact: its parameter, else the header; what was
 * asked when it says nothing. *ret_found: our Contact is listed.
 */
uint32_t registration_granted_s(const struct registration *r, const struct sip_message *sip, bool *ret_found);
/* Other bindings are listed and ours is not, not even with an address that a NAT, SBC or ALG has put in. */
bool registration_binding_missing(const struct registration_record *r, const struct arrival *a);

#endif
