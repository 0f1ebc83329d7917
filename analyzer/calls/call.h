/* SPDX-License-Identifier: MIT */
/*
 * call: what signalling said. Messages, transactions, dialogs with their offer/answer exchanges, legs, calls (RFC 3261,
 * 3264).
 *   message      one SIP message as seen at one place; every copy, repetition and next hop is kept, marked as what it
 *   is
 *   transaction  branch and method (RFC 3261 17); one record for all segments of it
 *   dialog       Call-ID and both tags; each To-tag of a fork has one
 *   leg          dialog set: Call-ID and From-tag of the initial INVITE, all To-tags
 *   call         legs joined across B2BUAs
 * Records live in the arena of their leg and are freed with it. Times are packet time; NS_NONE: it never happened
 * (here).
 */
#ifndef DEADAIR_CALLS_CALL_H
#define DEADAIR_CALLS_CALL_H

#include "captures/base/address.h"
#include "captures/base/arena.h"
#include "captures/base/hash.h"
#include "captures/base/list.h"
#include "captures/base/ns.h"
#include "dissect/packet.h"
#include "dissect/sdp.h"

struct headers;                      /* headers.h */
struct mslot;                        /* analyzer/media/expectation.h */
struct trial;

enum side { SIDE_CALLER, SIDE_CALLEE } __attribute__((packed));       /* by the first INVITE, for ever */
static inline enum side side_other(enum side s)
{
	return s == SIDE_CALLER ? SIDE_CALLEE : SIDE_CALLER;
}

struct frame_ref {                   /* evidence: where a thing can be looked at; frame 0: nowhere */
	int64_t at_ns;
	uint32_t frame;
	uint16_t file, interface;
};

static inline struct frame_ref frame_ref_of(const struct packet *p)
{
	return (struct frame_ref){ p->at_ns, p->frame, p->file, p->interface };
}

struct phrase {                      /* a text that the messages of a leg share */
	const struct phrase *next;
	uint32_t n;
	uint8_t p[];
};

static inline struct span phrase_span(const struct phrase *t)
{
	return t ? (struct span){ t->p, t->n } : SPAN_NONE;
}

static inline bool phrase_equal(const struct phrase *x, const struct phrase *y)
{
	return x == y || span_equal(phrase_span(x), phrase_span(y));
}

struct contact {                     /* a Contact that the messages of a leg share */
	const struct contact *next;
	const struct phrase *uri;    /* never NULL */
	struct endpoint at;          /* its host when that is an address; family 0 otherwise */
};

enum message_repeat {
	MESSAGE_FIRST,
	MESSAGE_RETRANSMITTED,       /* sent again: same transaction, same segment, later */
	MESSAGE_NEXT_HOP,            /* forwarded: same transaction on another address pair */
	/* the capture has it twice (1.4.6); counted once. Made by the engine's duplicate test or by point */
	MESSAGE_COPY
};

/* what P-Early-Media says (RFC 5009): sendrecv, sendonly; else */
enum early_media { EARLY_MEDIA_NONE, EARLY_MEDIA_PROMISED, EARLY_MEDIA_CLOSED };

struct message_words {               /* what few messages have */
	const struct phrase *explained; /* of a final >= 300: its Reason, else its Warning header */
	const struct phrase *method_text; /* of SIP_METHOD_OTHER */
	const struct phrase *raw;    /* the whole message, where texts are kept */
	uint32_t rseq;               /* of a reliable provisional (RFC 3262) */
};

/* As of a leg: what judgement asks of most messages comes first. */
struct message {
	struct chain_link in_leg;    /* leg.messages, capture order */
	struct chain_link in_transaction;
	struct transaction *transaction;
	struct dialog *dialog;       /* NULL: none yet (initial INVITE, 100) */
	const struct message *first; /* what it repeats or forwards; itself when MESSAGE_FIRST */
	const struct sdp *sdp;       /* NULL none */
	struct frame_ref at;
	uint8_t transport, method;   /* enum packet_transport, enum sip_method */
	uint8_t repeat : 2;          /* enum message_repeat */
	uint8_t by : 1;              /* enum side: who made it (its author, not the last hop) */
	uint8_t early_media : 2;     /* enum early_media */
	bool request : 1, has_to_tag : 1, cut : 1;       /* cut: the capture's snap length cut it */
	bool wants_prack : 1;        /* Require: 100rel */
	bool focus : 1;              /* its Contact says isfocus: a conference (RFC 4579) */
	uint16_t status;             /* 0 in requests */
	uint16_t fragments;          /* IP fragments it came in, 0 none */
	uint16_t via_count;
	/* of an INFO (application/dtmf-relay, dtmf): RFC 4733 code + 1, never printed; 0: none */
	uint8_t key_press;
	uint8_t dst_mac[6];
	struct endpoint src, dst;
	uint32_t cseq, flaws, bytes_on_wire; /* bytes: of the message alone */
	const struct phrase *to_tag; /* here and below: NULL none */
	const struct headers *headers; /* headers.h: of INVITE, ACK, CANCEL, UPDATE and their finals */
	const struct contact *contact;
	const struct phrase *reason;
	const struct message_words *words;
};

/* Family 0: no Contact, or one without an address. */
static inline struct endpoint message_contact(const struct message *m)
{
	return m->contact ? m->contact->at : (struct endpoint){ 0 };
}

/* Both empty where it has none. */
static inline struct span message_explained(const struct message *m)
{
	return m->words ? phrase_span(m->words->explained) : SPAN_NONE;
}

static inline struct span message_method_text(const struct message *m)
{
	return m->words ? phrase_span(m->words->method_text) : SPAN_NONE;
}

static inline struct span message_raw(const struct message *m)
{
	return m->words ? phrase_span(m->words->raw) : SPAN_NONE;
}

struct transaction {
	struct list_link in_leg;     /* leg.transactions, by first message */
	struct leg *leg;
	struct dialog *dialog;       /* of in-dialog requests; NULL for the initial INVITE */
	uint64_t key;                /* keyed hash of branch (or RFC 2543 parts), method */
	uint8_t method;
	uint8_t by;                  /* enum side: client */
	bool initial;                /* an INVITE without To-tag */
	uint32_t cseq;
	struct chain messages;
	/* the first of each; ack: of the INVITE, of either kind; NULL unseen */
	const struct message *request, *provisional, *final, *ack;
	uint16_t status;             /* last: provisional until final; 0 none */
	unsigned request_copies, final_copies;    /* sent, retransmissions included, mirror copies and next hops not */
	unsigned finals;             /* of any status, on any hop; mirror copies not */
	int64_t first_ns, last_ns;
};

/* NULL: it belongs to none, and is not kept. */
static inline struct leg *message_leg(const struct message *m)
{
	return m->transaction ? m->transaction->leg : NULL;
}

enum exchange_kind {
	EXCHANGE_INITIAL,            /* INVITE/200, or INVITE/reliable 1xx, or 200/ACK (delayed offer) */
	EXCHANGE_REINVITE, EXCHANGE_UPDATE, EXCHANGE_PRACK
} __attribute__((packed));

enum exchange_state {
	EXCHANGE_OFFERED,            /* no answer yet */
	EXCHANGE_PREVIEW,            /* an answer in an unreliable 18x: early window only */
	EXCHANGE_STABLE,
	EXCHANGE_REJECTED,           /* final >= 300: the old session goes on (RFC 3261 14.1) */
	/* ACK without SDP after an offer in the 200, or a 2xx without: nothing was agreed */
	EXCHANGE_NO_ANSWER
} __attribute__((packed));

enum { SDP_COPIES_MAX = 6 };

struct sdp_copies {                  /* one session description as it was seen at each place on its way */
	/* [0] nearest its author as captured, in capture order; each ->sdp is set */
	const struct message **seen;
	uint16_t count, room;
};

/* One offer and its answer. Retransmissions and refreshes (same o= version and body) make none. */
struct exchange {
	struct list_link in_dialog;
	enum exchange_kind kind;
	enum exchange_state state;
	enum side offerer;
	bool delayed;                /* the offer stood in a response, the answer in ACK or PRACK */
	bool refresh;                /* both descriptions equal those of the exchange before */
	bool version_flaw;           /* body changed, o= version not */
	bool answer_changed;         /* the 2xx says something else than the reliable 1xx before it: the 2xx counts */
	bool answer_assumed;         /* 2xx without SDP after a preview: the preview counts (at most likely) */
	struct sdp_copies offer, answer, preview; /* stable with offer.count 0: the offer was not captured */
	const struct transaction *transaction;
	int64_t offered_ns;          /* first sight of the offer */
	int64_t preview_ns;          /* first 18x with SDP */
	int64_t stable_ns;           /* first sight of the answer that counts (first 2xx, reliable 1xx, ACK ...) */
	int64_t stable_last_hop_ns;  /* that same answer's first sight on the last segment seen towards the offerer */
	struct frame_ref stable_at;
};

/* When the offerer could know that it is stable; NS_NONE: it is not. */
static inline int64_t exchange_agreed_ns(const struct exchange *x)
{
	return x->stable_last_hop_ns != NS_NONE ? x->stable_last_hop_ns : x->stable_ns;
}

enum dialog_state { DIALOG_EARLY, DIALOG_CONFIRMED, DIALOG_ENDED } __attribute__((packed));

struct dialog {
	struct list_link in_leg;     /* leg.dialogs, by first sight */
	struct leg *leg;
	struct span to_tag;          /* empty: a 2xx without tag */
	enum dialog_state state;
	bool partial;                /* first message seen was in-dialog: what was agreed before is unknown */
	bool losing_fork;            /* ended because another To-tag was confirmed first */
	bool extra_confirmed;        /* a second 2xx with another tag */
	bool ack_seen;
	bool tag_changed;            /* its 2xx carried another To-tag than its 18x, or none; no fork */
	int64_t confirmed_ns, acked_ns, ended_ns;   /* confirmed: first 2xx; ended: BYE, fork linger ... */
	const struct message *confirmed_by, *ended_by;
	struct list exchanges;
	struct mslot *mslots;        /* array of media/expectation, NULL until the first exchange has two sides */
	unsigned mslot_count;
	bool changed;                /* an exchange was added or changed since the expectation was reckoned */
};

enum leg_state { LEG_CALLING, LEG_RINGING, LEG_ANSWERED, LEG_ENDED, LEG_FAILED, LEG_BUSY, LEG_DECLINED,
	LEG_REDIRECTED, LEG_CANCELLED, LEG_UNKNOWN } __attribute__((packed));

struct party {                       /* one side of a leg */
	struct span user, display, host, user_agent;  /* of From or To, User-Agent or Server */
	/* source of its own messages on the segment nearest to it that was captured; family 0: never a source */
	struct endpoint signalling;
	struct endpoint signalling_dst; /* where that segment sends to reach it; = signalling where known */
	struct endpoint contact;
	struct span contact_uri;
};

struct segment {                     /* one pair of SIP neighbours */
	struct endpoint a, b;        /* a sent the first request seen on it */
	uint32_t messages_ab, messages_ba;
};

enum { LEG_SEGMENT_MAX = 8 };

enum leg_join { JOIN_NONE, JOIN_SESSION_ID, JOIN_HEADER, JOIN_MEDIA, JOIN_DIRECT_MEDIA, JOIN_ORIGIN, JOIN_REPLACES,
	JOIN_REDIRECT, JOIN_CALL_ID, JOIN_SCORE } __attribute__((packed));

/* What walks over all legs look at comes first: some cache lines of a leg, not all. */
struct leg {
	struct list_link in_order, in_call;
	struct call *call;           /* never NULL: a leg alone is a call of its own until it is joined */
	unsigned n;                  /* 1-based, by first message */
	uint16_t status;             /* final status of the initial INVITE, 0 none */
	enum leg_state state;
	enum leg_join joined_by;
	enum side ended_by_side;     /* of BYE; valid when bye_seen */
	bool partial : 1;            /* first message was in-dialog */
	bool initial_invite_seen : 1;
	bool counts_as_call : 1;     /* initial INVITE or a final response to one is in the capture (JSON end.calls) */
	bool answered : 1;           /* a 2xx to INVITE, or the ACK that proves an unseen one */
	bool bye_seen : 1, bye_answered : 1, cancel_seen : 1;
	/* nothing for idle_timeout_ns: given up, over since its last media if that came last; a message revives it */
	bool timed_out : 1;
	bool siprec : 1, cut : 1;    /* recording leg (Require siprec, +sip.src); some message was cut by the capture */
	bool is_transfer : 1, is_retry : 1;      /* begun by REFER or Replaces; a new attempt after a failure */
	bool retry_answered : 1;     /* it failed, and such a new attempt was answered */
	bool focus : 1, early_sdp : 1;   /* of some message: isfocus in Contact; SDP in an 18x to INVITE */
	bool transferred : 1;        /* a REFER in it was accepted */
	/*
	 * more happened in it than one INVITE (and those that were challenged before it), ACK and BYE, each seen once,
	 * and answers to them that are no failure: nearly never
	 */
	bool rough : 1;
	bool replayed : 1;           /* long over it began again with the very same INVITE: that is not looked at */
	bool vlans_differ : 1;       /* its messages were seen in more than one VLAN, or some without a tag */
	bool vlan_known : 1;
	uint16_t vlan;               /* the outer one of its first message, 0 none */
	unsigned named;              /* findings that name it: findings/finding.c */
	uint32_t refer_failed_ms;    /* after refer_ns, as reported: what was asked came to nothing; 0: not so */
	struct dialog *confirmed;    /* the first confirmed dialog, NULL none */
	struct leg *parent;          /* the leg that this one continues; NULL */
	struct list dialogs, transactions;
	struct chain messages;
	int64_t first_ns, last_ns;   /* any message */
	int64_t invite_ns, progress_ns /* first 18x */, answer_ns, bye_ns, bye_answered_ns, end_ns;
	struct party party[2];       /* indexed by enum side */
	struct arena *arena;
	struct span call_id, from_tag;
	int64_t alive_ns;            /* last calls_alive() */
	struct segment *segments;    /* segment_count of them, in the order of their first messages */
	unsigned segment_count;
	unsigned join_score;
	struct frame_ref invite_at, answer_at, bye_at;
	struct span end_reason;      /* Reason header of BYE or CANCEL */
	struct span replaces_call_id;
	/* the whole Replaces of the initial INVITE (RFC 3891); replaces_call_id may be of a Join */
	struct span replaces;
	int64_t refer_ns;
	struct list places;          /* analyzer/media/binding.c: where its descriptions want media */
};

struct call {
	struct list_link in_order;
	unsigned n;                  /* 1-based in the report; by first message; 0 until numbered */
	struct list legs;            /* by first message; the first is the caller's */
	int64_t first_ns, last_ns;
};

enum registration_state { REGISTRATION_UNKNOWN, REGISTRATION_REGISTERED, REGISTRATION_FAILED, REGISTRATION_EXPIRED,
	REGISTRATION_REMOVED };

struct registration {                /* one AOR by one device (Contact or source) at one registrar */
	struct list_link in_order;
	struct hash_link by_key;
	unsigned n;
	struct arena *arena;
	struct span aor, user, contact_uri, user_agent, call_id;
	struct endpoint source, registrar, contact;
	enum registration_state state;
	uint16_t status;             /* last final, challenges only when nothing followed */
	bool succeeded;              /* a 2xx with a binding: counts in JSON end.registrations */
	uint32_t expires_s, requests, retransmissions, challenges, refusals;
	int64_t first_ns, last_ns, registered_ns;
	struct frame_ref request_at, final_at;
	/* REGISTER with another Call-ID that counts from the start, out of turn; frame 0: none, or it always does so */
	struct frame_ref rebooted_at;
	struct transaction *open;    /* the request that waits for a final */
	struct trial *trial;         /* trial.h; never NULL */
};

struct subscription {
	struct list_link in_order;
	struct span event, resource, state;
	struct span call_id;
	struct leg *leg;             /* in whose dialog it lives; NULL: one of its own */
	struct endpoint notifier_at;
	struct frame_ref at;         /* the first message */
	uint16_t status;             /* last final of SUBSCRIBE */
	uint16_t notify_status;      /* last final of NOTIFY */
	unsigned notifies;           /* repetitions and next hops are not counted */
	uint32_t asked_s, granted_s; /* Expires */
	uint32_t subscribe_cseq, notify_cseq;
	int64_t first_ns, last_ns;
};

enum transfer_state { TRANSFER_ASKED, TRANSFER_ACCEPTED, TRANSFER_DONE, TRANSFER_FAILED };

struct transfer {                    /* one REFER */
	struct list_link in_order;
	struct leg *leg;             /* that is transferred: refer->leg, or the one that its Target-Dialog names */
	struct leg *target;          /* that the REFER caused, or whose bridging its Replaces asks for; NULL unknown */
	enum side by;                /* of leg */
	enum transfer_state state;
	bool attended;               /* Refer-To carries Replaces */
	const struct transaction *refer;     /* of the last try, after challenges */
	uint16_t status, notified;   /* final of the REFER; last sipfrag status */
	uint16_t notify_status;      /* the first refusal of a NOTIFY by the one who asked; 0 none */
	bool quiet;                  /* Refer-Sub: false, norefersub (RFC 4488): no NOTIFY is owed */
	struct span refer_to;
	struct span notified_line;   /* "SIP/2.0 404 Not Found" */
	struct frame_ref notified_at, notify_refused_at;     /* frame 0: none */
	int64_t asked_ns, accepted_ns, done_ns;
	struct frame_ref at;
};

/* ---- the state machine ---- */

struct calls_config {
	int64_t dup_window_ns;       /* 100 ms */
	int64_t fork_linger_ns;      /* 2 s */
	int64_t idle_timeout_ns;     /* 300 s */
	unsigned join_score, join_margin;    /* 80, 25 */
	const char *join_headers;    /* comma list, "name" or "name:parameter"; NULL: the default of legs.headers */
	bool keep_texts;             /* raw messages stay */
	size_t max_legs;             /* 0: no cap */
	size_t max_bytes;            /* of all legs together; 0: no cap */
	size_t max_registrations;    /* also of subscriptions; 0: max_legs */
};

enum calls_event_kind {
	CALLS_MESSAGE,               /* every message that was kept */
	/* an exchange was opened; became stable, rejected or a preview: see exchange->state */
	CALLS_OFFER, CALLS_STABLE,
	CALLS_ANSWERED, CALLS_ENDED, CALLS_TRANSACTION_CLOSED, CALLS_REGISTRATION, CALLS_SUBSCRIPTION, CALLS_TRANSFER,
	CALLS_LEG_JOINED,
	CALLS_DIALOG_ENDED,
	CALLS_EVICTED                /* thrown away for room; readable until the next calls_message, calls_tick */
};

struct calls_event {
	enum calls_event_kind kind;
	struct leg *leg;             /* NULL for registrations */
	struct dialog *dialog;
	struct exchange *exchange;
	struct transaction *transaction;
	struct message *message;     /* of no leg: until the next calls_message; NULL where there is none */
	struct registration *registration;
	struct subscription *subscription;
	struct transfer *transfer;
};

enum { CALLS_EVENT_MAX = 16 };

struct calls;

struct calls_counts {
	uint64_t calls, answered, registrations;   /* as JSON's end line has them */
	uint64_t evicted_legs, evicted_registrations, evicted_subscriptions, messages;
	uint64_t replayed_legs;      /* that are in the capture more than once, letter for letter */
};

struct calls *calls_new(const struct calls_config *config);
void calls_free(struct calls *c);

/*
 * These SIP packets come next: what they will touch is asked for while those before them are at work. Lent until the
 * next calls_ahead().
 */
void calls_ahead(struct calls *c, const struct packet *const *messages, unsigned count);

/*
 * One SIP packet (kind PACKET_SIP). copy: the duplicate test calls it a mirror copy of an earlier frame. Returns how
 * many events were written to events[]; they are in the order in which things happened.
 */
size_t calls_message(struct calls *c, const struct packet *p, bool copy, struct calls_event events[CALLS_EVENT_MAX]);

/* The events that did not fit: as long as CALLS_EVENT_MAX came. */
size_t calls_more(struct calls *c, struct calls_event events[CALLS_EVENT_MAX]);

/* Driven by packet time: fork linger, idle calls. Same events. Call again while it returns CALLS_EVENT_MAX. */
size_t calls_tick(struct calls *c, int64_t now_ns, struct calls_event events[CALLS_EVENT_MAX]);

/*
 * Media of the leg was seen: it is not idle, however long signalling is silent. For stream ticks, not for packets. An
 * established call is given up as idle only after this was used once: signalling alone may be silent for hours.
 */
void calls_alive(struct calls *c, struct leg *leg, int64_t at_ns);

/*
 * The leg that would be joined with this one if it met it at one address, as what goes on from it, or as what it goes
 * on from; NULL none. A B2BUA with an address in each of two networks gets the one and makes the other; so may two
 * machines.
 */
struct leg *calls_across(const struct calls *c, struct leg *leg, bool onward);

/* Joins legs by relayed media (1.1.4): the engine saw a stream of x leave the host again as a stream of y. */
void calls_join_media(struct calls *c, struct leg *x, struct leg *y);

/*
 * crowd.c. No leg or registration of this request is on record, and one that began would make another go that is as
 * half-open as itself.
 */
bool calls_no_room(const struct calls *c, const struct packet *p);
/* Such a request was given up without a record: its Call-ID is the first, or one that was given up before. */
void calls_give_up(struct calls *c, const struct packet *p, bool first);
/* It comes after all, as calls_message(): last: of its Call-ID no other one is given up. */
void calls_take_back(struct calls *c, const struct packet *p, bool last);
/* So many bytes of what legs may take are for something else from now on. */
void calls_lend(struct calls *c, size_t bytes);

/* Numbers calls, settles states that the end of the capture leaves open. Once. Its events come from calls_tick(). */
void calls_finish(struct calls *c, int64_t last_ns);

struct calls_counts calls_counts(const struct calls *c);
const struct list *calls_in_order(const struct calls *c);           /* struct call, by first message */
const struct list *calls_legs(const struct calls *c);               /* struct leg.in_order */
const struct list *calls_registrations(const struct calls *c);      /* struct registration */
const struct list *calls_subscriptions(const struct calls *c);
const struct list *calls_transfers(const struct calls *c);

const char *leg_state_name(enum leg_state s);        /* "ringing", "answered", ... as JSON's call.state */
/* When the INVITE was refused or given up; its last message when neither. */
int64_t leg_over_ns(const struct leg *leg);
/* Each was seen in one VLAN only, and not in the same: the same addresses are not the same hosts. */
static inline bool legs_in_other_vlans(const struct leg *x, const struct leg *y)
{
	return x->vlan && y->vlan && x->vlan != y->vlan && !x->vlans_differ && !y->vlans_differ;
}

const char *leg_join_name(enum leg_join j);          /* "session-id", ... as JSON's joined_by */

#endif
