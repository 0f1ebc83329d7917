/* SPDX-License-Identifier: MIT */
/*
 * watch: who watches whose lamp: SUBSCRIBEs for Event dialog and presence, every NOTIFY, what it claimed and what
 * became of it (RFC 6665, 4235). Unlike subscription.c, which knows that there is one, this keeps the history of claims
 * that blf-broken holds against the calls. A watch is one subscription between two hosts; a proxy makes several of one.
 * Bounded: those silent for longest go first.
 */
#ifndef DEADAIR_CALLS_WATCH_H
#define DEADAIR_CALLS_WATCH_H

#include "analyzer/calls/call.h"
#include "dissect/dialog_info.h"

enum { WATCH_ASK_MAX = 32, WATCH_NOTE_MAX = 128, WATCH_DIALOG_MAX = 16, WATCH_TEXT = 96 };

struct watch_ask {                   /* a SUBSCRIBE */
	struct frame_ref at, final_at;
	int64_t last_ns;             /* of its copies */
	uint32_t cseq, expires_s, granted_s; /* asked 0: unsubscribe or fetch */
	unsigned copies;
	uint16_t status;             /* final; 0 none */
	bool credentials, stream;    /* stream: TCP, TLS */
};

struct watch_note {                  /* a NOTIFY */
	struct frame_ref at, final_at;
	struct endpoint src, dst;
	int64_t last_ns;
	uint32_t cseq, bytes, expires_s;     /* of Subscription-State; UINT32_MAX not given */
	unsigned copies;
	uint16_t status;
	bool stream, fragmented, terminated;
	bool has_info, full, has_version;
	bool cut;                    /* the capture cut the body, or one that it builds on: what it says is not known */
	uint64_t version;
	unsigned claim;              /* enum dialog_info_state bits of all dialogs that are not terminated; 0: idle */
};

struct subject;                      /* one entity's lamp at one watcher, in however many subscriptions */

struct watch {
	struct list_link in_order, in_use, in_subject;
	struct hash_link by_id;
	uint64_t id;
	unsigned n;                  /* 1-based, by first message */
	struct span call_id;
	char watcher[WATCH_TEXT], entity[WATCH_TEXT];        /* users (else hosts) of the URIs, escaped */
	struct span entity_user;
	bool part_lost;              /* of a body that the next ones build on */
	bool presence, begun;        /* Event: presence, not dialog; begun: its first SUBSCRIBE is here */
	struct endpoint watcher_at, notifier_at;
	struct watch_ask *asks;      /* the latest WATCH_ASK_MAX */
	unsigned ask_count, ask_room;
	struct watch_note *notes;    /* the latest WATCH_NOTE_MAX */
	unsigned note_count, note_room;
	uint64_t dropped;            /* of either */
	/* as the notifier has told them so far */
	struct { uint64_t id; unsigned state; } dialogs[WATCH_DIALOG_MAX];
	unsigned dialog_count;
	struct subject *subject;
	int64_t first_ns, last_ns;
	int64_t unseen_ns;           /* the latest NOTIFY of which the capture has the answer alone; NS_NONE */
};

struct subject {
	struct hash_link by_key;
	uint64_t key;
	unsigned n;
	int64_t accepted_ns;         /* the first time that a SUBSCRIBE was taken; NS_NONE never */
	struct list watches;         /* watch.in_subject, by first message */
};

struct watches;

/* max: watches, 0: 8192. max_bytes: of all together, 0: no bound but max. */
struct watches *watches_new(size_t max, size_t max_bytes);
void watches_free(struct watches *w);
/* One SIP packet of any method; mirror copies must be left out by the caller. */
void watches_packet(struct watches *w, const struct packet *p);
const struct list *watches_in_order(const struct watches *w);
uint64_t watches_evicted(const struct watches *w);

#endif
