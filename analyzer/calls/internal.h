/* SPDX-License-Identifier: MIT */
/*
 * internal: what the files of analyzer/calls share. Each public record stands first in a record of its own that holds
 * what only this folder needs, so that call.h stays readable.
 */
#ifndef DEADAIR_CALLS_INTERNAL_H
#define DEADAIR_CALLS_INTERNAL_H

#include "analyzer/calls/call.h"
#include "captures/base/pool.h"

enum {
	LEG_MESSAGES_MAX = 4096,     /* kept; a longer leg goes on with its end only */
	LEG_DIALOGS_MAX = 32,        /* To-tags of one fork */
	TRANSACTION_SIGHTINGS_MAX = 48,
	CALL_LEGS_MAX = 256,         /* joined; conferences are stars, floods are not calls */
	INITIALS_MAX = 4,
	HEADER_IDS_MAX = 4,
	COMMON_PHRASES = 256,
	COMMON_FORMATS = 128
};
enum { LEG_ARENA_MAX = 4 << 20 };     /* bytes of packets that one leg may hold */

#define T1_NS (500 * MILLISECOND_NS)  /* RFC 3261 17.1.1.1 */
#define TRANSACTION_LIFE_NS (64 * T1_NS)

struct message_record {
	struct message message;
	/* where it is the first of its kind on its address pair: see transaction_record.sightings */
	const struct message_record *older;
	uint64_t branch, body;       /* keyed hashes */
};

struct transaction_record {
	struct transaction transaction;
	struct hash_link by_key;     /* leg_record.transactions */
	struct list_link waiting;    /* calls.waiting: no final yet, by first message */
	const struct message_record *sightings;      /* each message as first seen on each address pair, newer first */
	uint8_t sighting_count;
	bool waits;
	bool closed;                 /* CALLS_TRANSACTION_CLOSED was told */
	uint32_t least_vias;         /* of its requests; 0: none seen */
	struct exchange *exchange;   /* in-dialog ones */
};

struct tag {                         /* a To-tag that leads to a dialog; a dialog whose tag changed has two */
	struct hash_link by_tag;     /* call_id.tags */
	struct tag *next;            /* of the same dialog */
	struct dialog_record *dialog;
	struct span text;
};

struct dialog_record {
	struct dialog dialog;
	struct tag tag;              /* the first of them */
	struct tag *tags;
	struct exchange *initial;    /* of the initial INVITE, whichever of its transactions */
	struct exchange *stable;     /* the last one that is */
	struct exchange *awaiting;   /* its offer stood in a response: ACK or PRACK answers */
	struct endpoint src;         /* of the first response that made it */
	const struct contact *contact;
};

struct description {                 /* a session description that the leg has seen */
	struct description *next;    /* newer first */
	uint64_t sdp[];              /* a struct sdp and what it points to: sdp_keep() */
};

struct common_formats {              /* codecs that many descriptions list alike; NULL: none yet */
	const struct sdp_format *formats;
	unsigned count;
};

/*
 * Half-open; failed or given up; ringing; established and over; established. The less useful first: what evicts goes by
 * this order.
 */
enum leg_class { CLASS_NOISE, CLASS_SPENT, CLASS_EARLY, CLASS_DONE, CLASS_LIVE, CLASS_COUNT } __attribute__((packed));

/* One Call-ID, whatever the tags, of which it nearly always has one of each: one look leads to all that is its own. */
struct call_id {
	struct hash_link by_id;      /* calls.call_ids */
	struct hash legs_by_tag;     /* leg_record.by_tag */
	struct hash tags;            /* tag.by_tag, of all its legs */
	struct list legs;            /* leg_record.in_id */
	struct span text;
	bool called, answered;       /* counted */
};

/* What may join legs. */
enum clue_kind { CLUE_SESSION_ID, CLUE_HEADER, CLUE_ORIGIN, CLUE_SOCKET, CLUE_HOST, CLUE_CALLER, CLUE_REDIRECT };

struct clue_entry {                  /* what settles of most legs that they cannot be joined, without a look at them */
	struct clue *clue;
	uint64_t way;                /* leg_record.way, .ends, leg.invite_ns, .n: clues_update() keeps them equal */
	int64_t invite_ns;
	uint32_t ends;
	unsigned n;
};

struct clue_key {                    /* one value, and the legs that have it */
	struct hash_link by_hash;
	uint64_t hash;
	uint64_t way;                /* that of all entries; 0: they differ, or one has none */
	union {                      /* from first on count of them, newest last */
		struct clue_entry one;       /* room 1: most values have one leg */
		struct clue_entry *several;  /* room for 2, 4, 8 ... */
	};
	uint16_t first, count, room;
};

struct clue {
	struct list_link by_age;
	struct clue *next;           /* of its leg, an older one */
	struct clue_key *key;
	struct leg *leg;
	uint8_t kind;
};

static inline const struct clue_entry *clue_oldest(const struct clue_key *key)
{
	return (key->room == 1 ? &key->one : key->several) + key->first;
}

struct leg_ids {                     /* what the first INVITE says of its identity in other legs */
	struct span session_id, session_id_remote;
	struct span header_ids[HEADER_IDS_MAX];      /* values of the headers of legs.headers */
	unsigned header_id_count;
};

/*
 * What few legs have. The others share leg_nothing_rare, which has nothing; leg_rare() gives one of its own to write to.
 */
struct leg_rare {
	struct leg_record *of;
	struct list_link lingering, settling;
	int64_t linger_ns, settle_ns;
	struct list transfers, subscriptions;   /* transfer_record.in_leg, subscription_record.in_leg */
	struct list pairs_as_child, pairs_as_parent;
	struct leg_ids ids;
};

struct leg_record {
	struct leg leg;
	struct hash_link by_tag;     /* From-tag; call_id.legs_by_tag */
	struct hash transactions;    /* transaction_record.by_key */
	struct list_link in_class, in_id;
	struct leg_rare *rare;
	struct call_id *id;
	size_t bytes;                /* as counted in calls.class_bytes */
	enum leg_class class;
	bool gone : 1;               /* evicted: readable until the next message, and no more than that */
	bool hashed : 1;             /* in call_id.legs_by_tag */
	bool lingers : 1;            /* losing forks wait for their end */
	bool ended_told : 1;
	bool settles : 1;            /* a retry may follow its last final */
	bool begun : 1;              /* its first INVITE was taken: this and what follows inner_status are of join.c */
	bool spread : 1;             /* messages of it come from another capture, too */
	/* a number or an identity of it is another leg's, which begins at about that time */
	bool alike : 1;
	bool referred : 1;           /* a REFER outside of it names it in Target-Dialog */
	uint16_t inner_status;       /* final of a branch behind a proxy, when the caller's own was not seen */
	uint16_t ring_status;        /* of the first 18x */
	uint16_t capture;            /* packet_capture() of its first INVITE */
	uint8_t clue_count;
	uint32_t max_forwards;
	uint32_t ends;               /* address_bit() of the hosts that its segments lead to */
	uint64_t way;                /* keyed hash of the host where it comes from; 0: unknown, or it serves itself */
	uint64_t codecs;             /* hash of the order of codecs offered */
	struct clue *clues;          /* newest first */
	struct description *descriptions;
	const struct phrase *phrases;
	const struct contact *contacts;
	struct transaction_record *initials[INITIALS_MAX];  /* newest first */
	struct source_rank {
		uint8_t request_vias, response_vias;  /* 0: no such message */
		uint8_t score;
		uint8_t dst_vias;
	} rank[2];
	struct transfer *caused_by;  /* whose target it is */
};

struct transfer_record {
	struct transfer transfer;
	struct list_link in_leg;
	struct span target_user, replaces_call_id;
	uint32_t notify_cseq;        /* of the last NOTIFY about it */
};

struct registration_record;

struct due {                         /* heap of registrations by the time at which they must be looked at */
	struct registration_record **items;
	size_t count, room;
};

enum { AHEAD_MAX = 16, AHEAD_STEPS = 2, LATELY_MAX = 64 };

struct ahead {                       /* of a message that comes soon */
	struct hash_place place;
	const struct hash_link *leg, *tag;   /* NULL: none yet, or not looked for yet */
};

struct calls {
	struct calls_config config;
	struct hash call_ids, clues;
	struct list calls, legs, registrations, subscriptions, transfers;
	struct list classes[CLASS_COUNT];    /* leg_record.in_class, by last message */
	size_t class_bytes[CLASS_COUNT];     /* their arenas and what goes with a leg elsewhere */
	struct list lingering, waiting, settling;
	struct list clues_by_age;
	struct list subscriptions_used, subscription_graves;
	struct list graves, registration_graves;  /* taken out; freed when nobody reads their last events */
	struct calls_event *queue;   /* events not yet handed over */
	size_t queued, handed, queue_room;
	struct calls_counts counts;
	unsigned next_leg, next_registration;
	struct sdp_text *scratch;    /* an SDP is parsed here, then kept in the size that it has */
	struct sip_message *repaired; /* a response with a broken CSeq, made whole; NULL until one comes */
	struct hash registrations_by_key, registrations_by_id, subscriptions_by_id;
	struct list registrations_poor, registrations_good;
	struct due due;
	struct message stray;        /* the last message that belongs to no leg */
	struct phrase *stray_reason; /* its own; stray_room bytes of text */
	size_t stray_room;
	struct pool leg_chunks;      /* of the legs' arenas */
	struct pool clue_pool, key_pool, call_pool;
	struct arena *common;        /* of these phrases: reasons, User-Agents that many calls share */
	const struct phrase *common_phrases[COMMON_PHRASES];
	struct common_formats common_formats[COMMON_FORMATS];
	struct begun_lately {        /* join_across.c: whose numbers the next legs may have, too */
		struct leg_record *leg;      /* NULL: forgotten */
		int64_t at_ns;
		uint32_t called, caller;     /* 0 none */
	} lately[LATELY_MAX];
	unsigned lately_next;
	struct ahead ahead[AHEAD_MAX];
	unsigned ahead_count, ahead_next;    /* next: whose leg will be asked for */
	int64_t now_ns;
	bool media_watched;          /* calls_alive() is used: a silent call can be told from silent signalling */
};

struct tag_key {                     /* a tag, and its keyed hash */
	struct span text;
	uint32_t hash;
};

enum { ARRIVAL_CLUES = 4 };

/* The facts of the message in hand, gathered once. */
struct arrival {
	struct calls *c;
	const struct packet *packet;
	const struct sip_message *sip;
	bool copy;
	struct call_id *id;          /* NULL: nothing of it is on record */
	struct leg_record *leg;
	struct transaction_record *transaction;
	struct dialog_record *dialog;
	struct message *message;
	struct registration *registration;   /* that it belongs to; NULL */
	enum side client;            /* whose request this is, or answers */
	enum side author;
	struct tag_key from, to, callee; /* callee: either of them, as the message says */
	bool reliable;               /* 1xx with 100rel and RSeq (RFC 3262) */
	uint64_t branch, body;
	uint32_t rseq;
	struct hash_place clues[ARRIVAL_CLUES];      /* where join_note() will look: join_ahead() */
	unsigned clue_count;
};

#define MESSAGE_RECORD(m) ((struct message_record *)(m))
#define LEG_RECORD(l) ((struct leg_record *)(l))
#define DIALOG_RECORD(d) ((struct dialog_record *)(d))
#define TRANSACTION_RECORD(t) ((struct transaction_record *)(t))

static inline bool messages_same_pair(const struct message *x, const struct message *y)
{
	return endpoint_equal(&x->src, &y->src) && endpoint_equal(&x->dst, &y->dst);
}

/* calls.c */
void calls_emit(struct calls *c, struct calls_event event);

/* ahead.c */
void ahead_step(struct calls *c);
void ahead_forget(struct calls *c);

/* message.c */
bool message_fits(const struct arrival *a);
struct message *message_new(const struct arrival *a);
void message_fill(struct message *m, const struct arrival *a);
struct span leg_text(struct leg_record *r, struct span s);
const struct phrase *common_phrase(const struct arrival *a, struct span s);
struct endpoint message_contact_endpoint(const struct sip_address *contact);
uint64_t message_branch(const struct sip_message *sip);
bool message_is_response(const struct message *m, unsigned from, unsigned to);

/* description.c */
const struct sdp *leg_description(const struct arrival *a);

/* headers.c */
void headers_note(struct arrival *a);

/* transaction.c */
struct transaction_record *transaction_get(struct arrival *a);
void transaction_note(struct arrival *a);
bool transaction_ack_proves(const struct arrival *a);
void transactions_tick(struct calls *c, int64_t now_ns);
void transactions_forget(struct calls *c, struct leg_record *r);

/* dialog.c */
struct dialog_record *dialog_find(const struct arrival *a, const struct tag_key *callee, const struct leg *leg);
void dialog_note(struct arrival *a);
void dialog_confirm(struct arrival *a, struct dialog_record *d);
void dialog_end(struct calls *c, struct dialog_record *d, int64_t at_ns, const struct message *by);
void dialogs_end_early(struct calls *c, struct leg_record *r, int64_t at_ns, const struct message *by);
void dialogs_forget(struct leg_record *r);

/* offer_answer.c */
void offer_answer_note(struct arrival *a);

/* leg.c */
extern const struct leg_rare leg_nothing_rare;
struct leg_rare *leg_rare(struct leg_record *r);
struct leg_record *leg_of(struct arrival *a);
void leg_touch(struct calls *c, struct leg_record *r, int64_t at_ns);
void leg_classify(struct calls *c, struct leg_record *r);
void legs_fit(struct calls *c, struct leg_record *r);
void leg_remove(struct calls *c, struct leg_record *r);
void legs_bury(struct calls *c);
struct leg *leg_by_call_id(const struct calls *c, struct span call_id);
bool leg_known(const struct calls *c, const struct sip_message *sip);
bool legs_crowded(const struct calls *c);

/* leg_state.c */
void leg_note(struct arrival *a);
void legs_tick(struct calls *c, int64_t now_ns);
void legs_settle(struct calls *c, int64_t last_ns);

/* party.c */
void party_note(struct arrival *a);
void party_first(struct arrival *a);
void segment_note(struct arrival *a);

/* call.c */
struct call *call_new(struct calls *c, struct leg *leg);
void call_join(struct calls *c, struct leg *child, struct leg *parent, enum leg_join how, unsigned score);
void call_leave(struct calls *c, struct leg *leg);

/* clue.c */
const struct clue_key *clue_add(struct calls *c, struct leg_record *r, enum clue_kind kind, uint64_t value);
const struct clue_key *clue_find(const struct calls *c, enum clue_kind kind, uint64_t value);
struct hash_place clue_place(const struct calls *c, enum clue_kind kind, uint64_t value);
void clues_update(struct leg_record *r);
void clues_retire(struct calls *c, struct leg_record *r);
void clues_forget(struct calls *c, struct leg_record *r);

/* join.c */
void join_way(struct leg_record *r, const struct segment *s);
void join_ahead(struct arrival *a);
void join_note(struct arrival *a);
/* Something happened to the leg: its pairs say more now. */
void join_reckon(struct calls *c, struct leg_record *r);
void join_forget(struct calls *c, struct leg_record *r);

/* again.c; caller: the value of CLUE_CALLER. */
void retry_note(struct arrival *a, uint64_t caller);
/* The new attempt is answered: those before it were no lost calls. */
void retry_succeeds(struct arrival *a, uint64_t caller);
/* A 3xx to the INVITE tells where to go; the INVITE that goes there continues its call. */
void redirect_note(struct arrival *a);
void redirect_join(struct arrival *a);
/* The leg that was redirected first, where this one follows a redirection: what comes before it, both continue. */
struct leg *redirect_stem(struct leg *leg);

/* join_score.c */
/* Points for what no clock has a say in; *ret_how: the strongest of it. */
unsigned join_lasting(const struct calls *c, const struct leg_record *x, const struct leg_record *y,
	enum leg_join *ret_how);
/* of what lasts: a number, an identity; codecs in the same order and Max-Forwards are less, and mere habit */
enum { LASTING_LEAST = 11 };

/*
 * join.c: points of two legs that meet at no address: a B2BUA with two of them gets the one and makes the other. 0: it
 * cannot be. They prove nothing before the audio does.
 */
unsigned join_across(const struct calls *c, struct leg_record *x, struct leg_record *y);
/* join_across.c: a leg begins; a key of identities has these legs; a leg goes. */
void across_begun(struct calls *c, struct leg_record *r, int64_t at_ns);
void across_same(const struct clue_key *key);
void across_forget(struct calls *c, const struct leg_record *r);

/* join_skew.c: legs of captures whose clocks differ, when all of them are over. */
void join_skewed(struct calls *c);

/* registration.c */
void registration_note(struct arrival *a);
void registrations_tick(struct calls *c, int64_t now_ns);
void registrations_settle(struct calls *c, int64_t last_ns);
/* registration_table.c */
bool registration_known(const struct calls *c, const struct packet *p);
bool registrations_crowded(const struct calls *c);
void registrations_bury(struct calls *c);
void registrations_free(struct calls *c);

/* subscription.c */
void subscription_note(struct arrival *a);
void subscriptions_forget(struct leg_record *r);
void subscriptions_bury(struct calls *c);
void subscriptions_free(struct calls *c);

/* transfer.c */
void transfer_note(struct arrival *a);
void transfers_forget(struct calls *c, struct leg_record *r);

#endif
