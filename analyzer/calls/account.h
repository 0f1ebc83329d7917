/* SPDX-License-Identifier: MIT */
/*
 * account: who registers an AOR, from where, and what the registrar then has (RFC 3261 10). Unlike registration.c,
 * which knows one device's state, this keeps what several devices of one AOR and several phones behind one router do to
 * each other: the sockets that each was seen at before and behind the router, every change of the binding, and what
 * became of requests that were sent to them. Findings contact-flap, sip-port-shared. Bounded: accounts that never
 * succeeded go first.
 */
#ifndef DEADAIR_CALLS_ACCOUNT_H
#define DEADAIR_CALLS_ACCOUNT_H

#include "analyzer/calls/call.h"

enum { ACCOUNT_TEXT = 96, ACCOUNT_DEVICE_MAX = 8, ACCOUNT_CHANGE_MAX = 48, DEVICE_ASKED_MAX = 4, DEVICE_OUTER_MAX = 8 };

enum asked_state { ASKED_FREE, ASKED_OPEN, ASKED_ANSWERED, ASKED_UNANSWERED };

struct asked {                       /* a request that was sent to the device */
	enum asked_state state;
	uint64_t branch;
	uint8_t method;
	unsigned copies;             /* at the first place where it was seen */
	bool alive;                  /* the device registered soon after */
	struct endpoint dst;
	int64_t first_ns, last_ns;
	struct frame_ref at;
};

struct tally {
	unsigned answered, unanswered, unanswered_invites;
	/* the first of each; unanswered: where the device is now, if any */
	struct frame_ref answered_at, unanswered_at;
	struct endpoint unanswered_to;
	bool unanswered_alive;       /* and soon after it the device registered: it was there */
};

struct device {                      /* one phone, as far as it can be told, registering one AOR */
	struct list_link in_account, in_site;
	struct hash_link by_inner, by_outer; /* its sockets; see accounts_device_at() */
	struct account *account;
	unsigned n;                  /* 1-based, over all accounts */
	uint64_t identity;           /* keyed: +sip.instance, else User-Agent, Call-ID and own address */
	bool has_instance, succeeded, outbound; /* outbound: reg-id, RFC 5626: several flows on purpose */
	char user_agent[ACCOUNT_TEXT];
	uint8_t transport;
	struct endpoint inner, outer; /* its socket behind, and before, a router; family 0 unknown */
	bool inner_seen;             /* as the source of its packets; else from its Via */
	bool outer_seen;             /* likewise; else from the registrar's received and rport */
	struct endpoint source, contact, server;
	uint64_t call_id, branch;    /* keyed hashes; with cseq what a second sight of one REGISTER is known by */
	uint32_t cseq, refreshes;
	bool asks, removes, binds;   /* the REGISTER in hand: no final yet; expires 0 or *; has a Contact */
	struct frame_ref at, first_at; /* of its latest, its first REGISTER */
	int64_t first_ns, last_ns, registered_ns;
	struct endpoint outers[DEVICE_OUTER_MAX]; /* the latest different ones, newest last */
	unsigned outer_changes;      /* how often it moved, while the inner socket stayed */
	struct asked asked[DEVICE_ASKED_MAX];
	struct tally tally;
	/*
	 * a request for another phone's AOR that was handed to this one: how often, to whom it belonged, what this one
	 * said
	 */
	unsigned wrong, wrong_status;
	char wrong_user[ACCOUNT_TEXT];
	struct endpoint wrong_for;
	struct frame_ref wrong_at;
	uint64_t wrong_branch;
	/* how often this phone, then another one, then this again was seen at the same outer socket */
	unsigned outer_turns;
	struct endpoint outer_with;  /* the other one's own socket */
	struct frame_ref outer_at;
};

/* the registrar's answer named another socket, or another device, than the one before */
struct binding_change {
	int64_t at_ns;
	struct frame_ref request_at, at;
	unsigned device;             /* struct device.n */
	struct endpoint source, contact, server;
	uint64_t call_id;
	unsigned listed;             /* Contacts in the answer */
	bool removed;                /* by Contact * or expires 0 */
	bool udp;
	uint16_t vlan;               /* 0 none */
};

struct account {
	struct list_link in_order, in_class;
	struct hash_link by_aor, by_user;
	unsigned n;
	char aor[ACCOUNT_TEXT], user[ACCOUNT_TEXT]; /* escaped: safe to print */
	uint64_t aor_key, user_key;
	struct list devices;         /* by first sight; at most ACCOUNT_DEVICE_MAX, those silent for longest go */
	struct device *current; /* whose binding the registrar took last */
	struct binding_change *changes; /* the latest ACCOUNT_CHANGE_MAX, by time; the first is the first binding */
	unsigned change_count;
	unsigned refused;
	unsigned stale;              /* INVITEs to a socket that was no longer the registered one */
	struct frame_ref stale_at;
	bool succeeded;
};

struct sip_site {                    /* phones that reach one registrar by UDP from one public address */
	struct list_link in_order;
	struct hash_link by_key;
	struct address outer, server;
	struct list devices;         /* device.in_site */
	const struct device **device; /* the same by inner port, then inner address */
	unsigned device_count;
};

struct accounts;

/* max_accounts 0: 32768. */
struct accounts *accounts_new(size_t max_accounts);
void accounts_free(struct accounts *a);
/* One SIP packet of any method; mirror copies must be left out by the caller. */
void accounts_packet(struct accounts *a, const struct packet *p);
/*
 * What was asked and stays open: unanswered, where it was repeated or the capture goes on for long enough. Repeatable.
 */
void accounts_settle(struct accounts *a, int64_t last_ns);

const struct list *accounts_in_order(const struct accounts *a);      /* struct account, by first sight */
/* What the same registrar was told before the change at that index; NULL: nothing. */
const struct binding_change *account_change_before(const struct account *x, unsigned at);
const struct list *accounts_sites(const struct accounts *a);         /* struct sip_site; as of accounts_settle() */
/* A device that has that socket inside or outside; the one that was seen there last; NULL none. */
const struct device *accounts_device_at(const struct accounts *a, const struct endpoint *at);
/* Accounts with that user, whatever the domain, one after the other; begin with NULL, NULL: no more. */
const struct account *accounts_of_user(const struct accounts *a, struct span user, const struct account *before);
uint64_t accounts_evicted(const struct accounts *a);
/*
 * As calls_no_room(), calls_give_up(), calls_take_back(): this REGISTER's user has no account here, and one that began
 * would make another one go.
 */
bool accounts_no_room(const struct accounts *a, const struct sip_message *m);
void accounts_give_up(struct accounts *a);
void accounts_take_back(struct accounts *a);

#endif
