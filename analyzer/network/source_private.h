/* SPDX-License-Identifier: MIT */
/* source_private: the table of sources, for source*.c only. */
#ifndef DEADAIR_NETWORK_SOURCE_PRIVATE_H
#define DEADAIR_NETWORK_SOURCE_PRIVATE_H

#include "analyzer/network/source.h"
#include "captures/base/pool.h"
#include "dissect/sip_digest.h"

struct attempt {                     /* a request */
	struct hash_link by_key;
	bool used, credentials, fresh, issued, answered, final, initial;
	bool round;                  /* it comes back to who has handed it on: nobody asks anew */
	uint8_t method;
	uint64_t key, user;
	int64_t at_ns;
	struct address src;
	struct endpoint dst;
	uint16_t port;
	char contact[SOURCE_TEXT];
};

enum { TOOLS_KNOWN = 256 };           /* so many that two of a site hardly share a place */

struct sources {
	struct sources_config config;
	struct pool pool;            /* struct source */
	/* by hash: what User-Agents told, as there are few of them */
	struct { uint64_t agent; uint32_t marks; bool used; } tools[TOOLS_KNOWN];
	const struct site *site;
	struct past_asks *past;      /* lent; NULL: nothing is known */
	struct list in_order, in_age, aors;
	/*
	 * Of in_age the first ones, so many, down to aged_last: known to be such as stay when others go, so that they
	 * are not looked at again. Who may cease to be one is told to source_age_again().
	 */
	unsigned aged;
	struct source *aged_last;
	struct hash by_addr, attempts_by_key, aors_by_key;
	struct attempt *attempts;    /* a ring, made with the first request */
	size_t next_attempt, attempts_max;
	size_t users, targets;       /* of all sources */
	uint64_t evicted;
};

static inline uint32_t source_address_key(const struct address *a)
{
	return endpoint_hash(&(struct endpoint){ *a, 0 });
}

static inline uint64_t source_key(uint64_t seed, struct span v)
{
	return hash_mix(seed, hash_bytes(v.p, v.n));
}

/* source.c: NULL, or of this address; and the same, made where there is none: that may evict any other. */
struct source *source_find(const struct sources *s, const struct address *a);
struct source *source_get(struct sources *s, const struct address *a, int64_t at_ns);
/* Its rejections were forgiven. */
void source_age_again(struct sources *s, struct source *x);

/* source_count.c. ring: the latest times of what count counts, room of them. */
void source_pace(struct pace *p, int64_t *ring, unsigned room, int64_t at_ns);
/* The same with a ring of SOURCE_EXACT that grows to that: most sources ask for little. */
void source_pace_grow(struct pace *p, int64_t **ring, int64_t at_ns);
/* A second is over; next_to: the one that begins follows it at once. */
void source_rate(struct rate *r, unsigned limit, int64_t second, bool next_to);
/* Closes the second that is counted when another begins. */
void source_clock(const struct sources *s, struct source *x, int64_t second);
/* NULL: before the oldest one. */
struct source_bucket *source_bucket_at(struct source *x, int64_t at_ns);
void source_bucket_count(uint16_t *n);
/* Sets the bit of a name, *bits being made with the first; was it set? */
bool source_bit_add(const struct source *x, uint64_t **bits, struct span name);
void source_estimates(struct source *x);

/* source_asked.c: found or NULL; and counted, where a user may be NULL as there is no room. */
struct source_target *source_target_find(const struct source *x, const struct address *a);
void source_target_take(struct sources *s, struct source *x, const struct packet *p);
struct source_user *source_user_find(const struct source *x, uint64_t key);
struct source_user *source_user_take(struct sources *s, struct source *x, const struct packet *p, struct span name);
/* It was asked for again; one more of its requests was accepted, so that it stays. */
void source_user_seen(const struct source *x, struct source_user *u, int64_t at_ns);
void source_user_let_in(const struct source *x, struct source_user *u);

/* source_login.c. False: a request without credentials. */
bool source_login_of(const struct sip_message *m, struct sip_digest *ret);
/* A request with credentials; u may be NULL. */
void source_login_try(struct source *x, struct source_user *u, struct attempt *a, const struct sip_digest *g,
	const struct packet *p);
/* The first final answer. */
void source_login_answer(struct sources *s, struct source *x, struct attempt *a, const struct packet *p);

/* source_request.c; key: source_attempt_key() of who asks and who is asked */
void source_request(struct sources *s, const struct packet *p, uint64_t key);
uint64_t source_attempt_key(const struct sip_message *m, const struct address *from, const struct address *to);
struct attempt *source_attempt_find(const struct sources *s, uint64_t key);
unsigned source_digits(struct span text);
/* source_answer.c */
void source_answer(struct sources *s, const struct packet *p, uint64_t key);
/* source_tool.c: what this initial request shows of known tools. */
void source_marks(struct sources *s, struct source *x, const struct packet *p, struct frame_ref at);
/* source_settle.c: is the account tried from all over the place? */
void source_aor_judge(struct source_aor *x);

#endif
