/* SPDX-License-Identifier: MIT */
/*
 * source: what each address asked for by SIP, how it was answered, and what that makes it: server, user, trunk,
 * attacker or unknown. Finding page 5, section 0. Requests are told apart by their top branch, so that copies count
 * once; sources by where packets come from, never by what a header says. Neither passwords nor digests are kept, only
 * keyed hashes of them. Bounded: what was idle for longest goes first.
 */
#ifndef DEADAIR_NETWORK_SOURCE_H
#define DEADAIR_NETWORK_SOURCE_H

#include "analyzer/calls/call.h"
#include "analyzer/site.h"

enum { SOURCE_TEXT = 48, SOURCE_EXACT = 64, SOURCE_PORTS = 10, SOURCE_FRAMES = 4, SOURCE_BUCKETS = 128,
	SOURCE_BUCKETS_FIRST = 8 /* SOURCE_BUCKETS is a power of two times this */,
	SOURCE_NONCES = 32, SOURCE_TUPLES = 4, SOURCE_REJECTIONS = 24, SOURCE_BITS = 32 };

enum source_class { SOURCE_UNKNOWN, SOURCE_ATTACKER, SOURCE_USER, SOURCE_TRUNK, SOURCE_TRUSTED, SOURCE_OWN_SERVER };

/* the weightier the higher */
enum source_scan { SCAN_NONE, SCAN_TOOL, SCAN_SLOW, SCAN_INVITE_PROBE, SCAN_PORTS, SCAN_USERS, SCAN_TARGETS };

enum source_guess { GUESS_NONE, GUESS_NONCES, GUESS_USERS, GUESS_PASSWORD };

enum tool_mark {                     /* what known tools leave in their messages */
	MARK_AGENT = 1 << 0,         /* the tool's own name */
	MARK_AGENT_WEAK = 1 << 1,    /* a name that honest tools have, too */
	MARK_ADDRESS = 1 << 2,       /* an address that only the tool writes */
	MARK_BRANCH = 1 << 3, MARK_CALL_ID = 1 << 4, /* a decimal number and nothing else */
	MARK_TO_IS_FROM = 1 << 5,    /* beside REGISTER, where it is the rule */
	MARK_TAG = 1 << 6,           /* hex text of what is being tried */
	MARK_CONTACT = 1 << 7,       /* REGISTER that binds the registrar's own address */
	MARK_CSEQ = 1 << 8           /* one Call-ID and CSeq for many branches */
};

/* How many things of a kind came within a minute, an hour, a day at most; kept over a ring of their latest times. */
struct pace {
	unsigned count;              /* all, ever */
	uint16_t minute, hour, day;  /* the most in so long, up to the ring's room */
	uint16_t rising;             /* so many of the latest, up to the ring's room, came in the order of time */
	int64_t from_ns, to_ns;      /* of the fullest minute */
};

struct source_target {               /* a host that it asked */
	struct endpoint at;
	unsigned requests, rounds;   /* rounds: asked again 10 s or more later */
	bool answered;               /* by SIP, whatever it said */
	bool accepted;               /* with a 2xx */
	uint16_t accepts;            /* so many times */
	uint16_t status;             /* of the first answer that is no 100 */
	struct frame_ref answered_at;
	uint8_t method;              /* that was answered */
	int64_t first_ns, last_ns;
	uint16_t ports[SOURCE_PORTS];/* the latest different ones */
	int64_t port_ns[SOURCE_PORTS];
	unsigned port_count;
	bool swept;                  /* SOURCE_PORTS of them within a minute */
	bool rang;                   /* an INVITE was answered 18x or 2xx */
	struct frame_ref rang_at;
	uint16_t answered_from;      /* its port */
};

struct source_user {                 /* a user that it asked for, or as. What a walk over them asks comes first */
	uint64_t key;                /* hash of the user */
	int64_t last_ns;
	unsigned accepted;
	char user[SOURCE_TEXT];      /* escaped */
	struct endpoint server;
	uint16_t port;               /* the source's */
	uint64_t agent, contact;     /* hashes */
	unsigned requests;
	bool once_counted;           /* fell out of the table and came again */
	bool challenged;             /* without credentials: 401, 407 */
	/* credentials */
	unsigned tried, rejected, since; /* since: rejected after the last success, or never forgiven */
	struct pace rejections;
	int64_t *rejection_ns;       /* a ring, made with the first */
	int64_t first_ns, rejected_first_ns, rejected_last_ns, accepted_ns, accepted_first_ns;
	unsigned rejected_before;    /* the acceptance that ended a guess */
	bool taken;                  /* accepted after so many rejections as a guess needs */
	struct frame_ref rejected_at[SOURCE_FRAMES], rejected_last_at, accepted_at;
	unsigned rejected_frames;
	char contact_text[SOURCE_TEXT];  /* of the accepted request */
	uint32_t expires_s;
	/* is this one phone that retries? */
	/* issued last to it; beside that one in the same challenge, or 0 */
	uint64_t call_id, nonce, nonce_before;
	uint32_t cseq;
	bool same_port, same_agent, one_dialog, fresh; /* fresh: each digest over the nonce just issued */
	unsigned unseen_nonces;      /* digests over one that nobody issued in the capture */
	unsigned bursts, burst_size, burst_most; /* tries: rejections less than 5 s apart */
	int64_t burst_ns;
	double gap_sum, gap_square, gap_last;
	bool gaps_grow;
	double each_sum, each_square;        /* of the gaps between single rejections */
	unsigned each_count;
};

struct source {
	struct hash_link by_addr;
	struct address addr;
	bool aged;                   /* among sources.aged; internal */
	struct list_link in_age;
	unsigned accepted;           /* 2xx to REGISTER or INVITE */
	unsigned rejected;           /* credentials */
	unsigned served;             /* as a server: different users whose REGISTER it answered, up to SOURCE_EXACT */
	unsigned requests, answered; /* requests, each counted once */
	int64_t second;              /* rate: whole seconds */
	int64_t first_ns, last_ns;
	struct list_link in_order;
	enum source_class class;
	const char *why;             /* that class */
	char agent[SOURCE_TEXT];     /* escaped */
	struct frame_ref first_at, last_at;
	unsigned by_method[SIP_METHOD_OTHER + 1], refused, copies;
	unsigned cut;                /* of them: the capture cut their headers */
	unsigned accepted_credentials;
	int64_t accepted_ns;         /* the first with credentials; NS_NONE */
	uint32_t marks;              /* enum tool_mark */
	struct frame_ref marked_at;
	unsigned probes;             /* INVITEs without credentials to seven digits or more */
	unsigned welcomed;           /* INVITEs that rang, were answered, busy or declined */
	struct source_target *targets;
	unsigned target_count;
	/* which names were met, SOURCE_BITS words; NULL: all of them are in targets, users as they are */
	uint64_t *target_bits, *user_bits;
	unsigned targets_estimate;   /* different ones, counted to SOURCE_EXACT, then estimated */
	struct pace new_targets, new_users;
	int64_t *target_ns, *user_ns;        /* rings: the latest SOURCE_EXACT at most */
	struct source_user *users;
	unsigned user_count, users_estimate;
	unsigned in_order_run, in_order_most;    /* users asked for in rising order */
	char last_user[SOURCE_TEXT];
	bool user_unknown, user_known;   /* without credentials: 404 for some, 401 or 407 for others */
	/* credentials */
	unsigned challenges, used;
	struct pace challenge_pace;
	int64_t *challenge_ns;
	struct source_logins *logins;        /* source_login.c's; NULL: neither challenged nor credentials used */
	unsigned same_challenge;     /* the most different responses to one challenge, 3 at most */
	struct frame_ref same_challenge_at;
	int64_t rejected_from_ns, rejected_to_ns;
	unsigned rejected_minutes;   /* in how many minutes of the capture more than the limit was rejected */
	int64_t rejected_minute;
	unsigned rejected_in_minute;
	/* row: seconds on end above the limit */
	struct rate { unsigned now, peak, row, row_most; int64_t from_ns, to_ns; } any, calls, flawed;
	struct pace invites;
	int64_t *invite_ns;
	/* what others saw: 10 s each from bucket_ns on; SOURCE_BUCKETS at most */
	struct source_bucket { uint16_t asked, answered, busy; } *buckets, buckets_first[SOURCE_BUCKETS_FIRST];
	unsigned bucket_count;
	int64_t bucket_ns;
	/* as a server */
	uint64_t served_keys[8];
	bool takes_calls;            /* answered an INVITE or REGISTER of somebody with 2xx */
	char banner[SOURCE_TEXT];    /* Server of its answers */
	bool banner_version;         /* with a digit in it */
	struct frame_ref banner_at;
	struct rate strays;          /* answers that nobody asked for */
	int64_t stray_second;
	struct frame_ref stray_at;
	struct endpoint stray_to;
	/* as of sources_settle() */
	enum source_scan scan;
	enum source_guess guess;
	bool guess_certain;
	/* GUESS_USERS: each account from a port of its own, as phones behind a NAT have one */
	bool guess_apart;
	bool guessed;                /* and then was accepted */
	const struct source_user *victim; /* of the guess */
	unsigned victims;            /* accounts whose credentials it had refused */
	uint64_t last_call_id;       /* for MARK_CSEQ */
	uint32_t last_cseq;
	unsigned cseq_row;
	bool flooding;               /* above a limit of rate for long enough */
	bool answers_calls;          /* its calls were answered and lasted */
	bool hides;                  /* most of all users come from here: rules by source say nothing */
	bool phone_like;             /* a guess that one phone with an old password explains */
	bool agents_differ;          /* its requests name more than one User-Agent, or some none */
	/* SCAN_SLOW: different users within a day, of these as the history alone knows; since when, NS_NONE none */
	unsigned slow_users, past_users;
	int64_t past_ns;
	/* targets, users: these, or of their own allocation: most sources ask one host as one user. Not cleared */
	struct source_target only_target;
	struct source_user only_user;
};

/* Nothing makes it one of the site's: nothing is known of it, or that it attacks. */
static inline bool source_suspect(const struct source *s)
{
	return s->class == SOURCE_UNKNOWN || s->class == SOURCE_ATTACKER;
}

struct source_aor {                  /* a user of a server whose credentials were refused, from wherever */
	struct hash_link by_key;
	struct list_link in_order;
	char user[SOURCE_TEXT];
	struct address server;
	/* the latest, a ring */
	struct { int64_t at_ns; struct address from; struct frame_ref at; } rejected[SOURCE_EXACT];
	unsigned count;
	bool spread;                 /* 20 of them from three networks within ten minutes */
};

struct sources_config {              /* keys of [security]; 0: the default */
	unsigned scan_targets, scan_users, fail_per_min, bf_users, flood_rps, flood_invite_ps;
	size_t max;                  /* 4096 */
};

struct sources;
struct past_asks;                    /* past_asks.h */

/* site is lent for its life. */
struct sources *sources_new(const struct sources_config *config, const struct site *site);
void sources_free(struct sources *s);
/* Where sources_packet() will look; gives how many, HASH_PLACES at most. */
unsigned sources_places(const struct sources *s, const struct packet *p, struct hash_place *ret);
/* What a history knows, lent; NULL nothing. Before sources_settle(). */
void sources_past(struct sources *s, struct past_asks *past);
/* One SIP packet; mirror copies must be left out by the caller. */
void sources_packet(struct sources *s, const struct packet *p);
/* The same; at: what sources_places() gave for it. */
void sources_packet_at(struct sources *s, const struct packet *p, const struct hash_place *at);
/* Classes and what makes an attacker, of all that was seen. legs: struct leg.in_order. Repeatable. */
void sources_settle(struct sources *s, const struct list *legs);

const struct list *sources_in_order(const struct sources *s);  /* struct source, by first sight */
const struct list *sources_aors(const struct sources *s);      /* struct source_aor, likewise */
const struct source *sources_find(const struct sources *s, const struct address *a);
/* Does the address guess passwords or probe accounts? As of sources_settle(). */
bool sources_attacker(const struct sources *s, const struct address *a);
/* Did that host ask the other one by SIP? */
bool sources_asked(const struct sources *s, const struct address *host, const struct address *whom);
uint64_t sources_evicted(const struct sources *s);
/* Of requests from all but this one in the time: asked, answered, refused as busy. False: too little to compare. */
struct source_share { unsigned asked, answered, busy; };
struct source_share sources_others(const struct sources *s, const struct source *but, int64_t from_ns, int64_t to_ns);

const char *source_class_name(enum source_class c);

#endif
