/* SPDX-License-Identifier: MIT */
/*
 * trial: the tries of one device to register since its last success, and what was wrong with them (RFC 3261 10.2, 22;
 * RFC 7616). A first challenge is no failure, nor is one to credentials over a nonce that was not issued meanwhile (a
 * cached one).
 */
#ifndef DEADAIR_CALLS_TRIAL_H
#define DEADAIR_CALLS_TRIAL_H

#include "analyzer/calls/call.h"

enum { TRIAL_NONCES = 8, TRIAL_FRAMES = 8, TRIAL_PHRASE = 64 };

/* One way to answer a challenge: each header of it offers one (RFC 8760 2.4). */
struct trial_nonce {
	uint64_t nonce, realm;       /* hashes */
	unsigned challenge;          /* the n-th of this chain, from 1 */
	uint8_t algorithms;          /* a bit for each that came with it; trial.c */
};

/* Why no registrar can accept credentials, whatever the password (RFC 7616 3.4). */
enum digest_flaw { DIGEST_SOUND, DIGEST_RESPONSE, DIGEST_NO_COUNT, DIGEST_REPLAYED, DIGEST_ALGORITHM };

/* Consecutive tries without success. A try is a request and its copies up to a final response. */
struct trial_run {
	unsigned tries, unanswered;  /* all; those that nothing came back for */
	unsigned late;               /* finals behind the next try: there is an answer, whatever the order */
	unsigned copies;             /* requests sent in tries that nothing came back for */
	unsigned copies_most;        /* in one of them */
	unsigned challenges;         /* 401, 407 to a request without credentials, or to a cached nonce */
	unsigned bare_again;         /* challenged, and then asked anew without credentials */
	/* challenges, refusals among them, that offer nothing to answer, not MD5, or nothing but qop=auth-int */
	unsigned asked, asked_empty, asked_no_md5, asked_int_only;
	unsigned asked_md5_later;    /* those that offer MD5, and another algorithm before it */
	unsigned refused;            /* 401, 407, not stale, to credentials over the nonce just issued */
	unsigned refused_moved;      /* of these, sent from another socket than the one that was challenged */
	unsigned nonce_gone;         /* of these, where the answer's own words are that the nonce is no longer good */
	int64_t answered_late_ns;    /* the longest from a challenge to such credentials */
	unsigned stale_row, stale_most; /* consecutive stale=true to the nonce just issued */
	unsigned old_nonce;          /* challenges answered with a nonce from before the last one */
	uint64_t kept_nonce;         /* hash of such a one: it may come again when many others were issued since */
	uint64_t strange_nonce;      /* likewise, of one that answered a challenge and was issued nowhere here */
	unsigned brief;              /* 423 */
	uint32_t least_s;            /* the least interval that they name (Min-Expires) */
	bool wrong_realm, uri_differs, user_differs, no_binding;
	uint8_t malformed;           /* enum digest_flaw, the first seen */
	uint32_t replayed_nc;        /* DIGEST_REPLAYED: the count that came again */
	bool credentials;            /* the last try carried some */
	bool forbidden_credentials;  /* 403 to credentials over an issued nonce */
	uint16_t status;             /* of the last final that was no challenge; 0 none */
	uint16_t challenge;          /* of the last challenge; 0 none */
	char phrase[TRIAL_PHRASE];   /* of the last final that refuses; escaped */
	uint16_t phrase_status;      /* of the same */
	uint32_t retry_after_s;
	/* finals sent to another place than the request came from, after which it was sent again */
	unsigned misdirected;
	bool misdirected_by_via;     /* there as Via says */
	bool misdirected_rport;      /* although that asks for answers to its source (RFC 3581) */
	struct endpoint misdirected_to;
	/* copies of a request whose final had come to a proxy and was not seen to go on from there */
	unsigned not_relayed;
	struct endpoint asked_at;    /* that proxy, as it was asked */
	struct frame_ref kept;       /* that final */
	/* copies of a request after a final that was sent to the right place, the most in one try */
	unsigned repeated_after_final;
	int64_t first_ns, last_ns;   /* of its messages */
	int64_t silent_from_ns, silent_to_ns; /* of requests in tries that nothing came back for */
	struct frame_ref first_request, last_request, last_final;
	struct frame_ref frames[TRIAL_FRAMES];   /* of finals that refuse, the first ones */
	uint16_t frame_status[TRIAL_FRAMES];
	unsigned frame_count;
	bool was_bound;              /* the registration before it was still good at each of its tries */
	bool stream;                 /* the last request came over a connection, where none is sent twice */
};

struct trial {
	struct trial_run run;        /* going on; tries 0: nothing is wrong */
	struct trial_run past;       /* the first one that a success ended late */
	int64_t recovered_ns;        /* of past; NS_NONE */
	/* credentials whose uri differs from the Request-URI succeeded: this client writes it so */
	bool mismatch_accepted;
	/* the try in hand */
	struct trial_nonce nonces[TRIAL_NONCES];     /* those issued in this chain, newest first; challenge 0 none */
	unsigned challenge;          /* the last one's number; 0 none */
	bool open, judged, counted;  /* asked; answered; part of the run */
	bool credentials, issued, newest;    /* over a nonce that was issued; over the newest */
	bool cut;                    /* the capture cut its headers: what it carries is not known */
	uint64_t nonce;              /* hash of the nonce of the credentials; 0 none */
	bool before_open;            /* the try before was never answered, and counts so */
	unsigned request_copies, copies_after;
	bool final_astray, rport;
	bool final_beyond;           /* between a proxy and the registrar: it had more Vias than the request */
	unsigned vias;               /* of the request */
	uint32_t nc, taken_nc;       /* of the try in hand; of the last one that was taken, over that nonce; 0 none */
	uint64_t taken_nonce;
	struct frame_ref request, final;
	struct endpoint src, dst;    /* where it came from and went to */
	struct endpoint challenged;  /* where the request came from that was challenged last; port 0 none */
	struct endpoint named;               /* what its Via says */
	struct endpoint final_to, final_from;        /* where its final went, and came from */
	int64_t bound_until_ns;      /* expiry of the last success; NS_NONE */
	int64_t pending_ns;          /* when the last challenge was sent that no request has followed; NS_NONE */
	int64_t answered_after_ns;   /* how long after its challenge the try in hand came; 0 none */
};

void trial_init(struct trial *t);
/* A request: a new try, or (again) a copy of the one in hand. */
void trial_request(struct trial *t, const struct message *m, const struct sip_message *sip, bool again);
/*
 * The first final of the try in hand. binds: a 2xx for a request that had a Contact, granted_s: how long. found: it
 * lists that Contact.
 */
void trial_final(struct trial *t, const struct message *m, const struct sip_message *sip, bool binds, bool found,
	uint32_t granted_s);
/* The final of the try in hand once more, on another hop: what the proxy makes of it. */
void trial_handed_on(struct trial *t, const struct message *m, const struct sip_message *sip);
/* A final for the try before the one in hand: its sender's clock is late, or it was overtaken. It was no silence. */
void trial_late(struct trial *t, const struct message *m, const struct sip_message *sip);

#endif
