/* SPDX-License-Identifier: MIT */
/* source_login: the credentials that a source sends, and how they fare: rejected, accepted, guessed. */
#include <stdlib.h>

#include "analyzer/network/source_private.h"
#include "captures/base/memory.h"
#include "captures/base/text.h"

enum { AORS_MAX = 1024, BURST_S = 5 };

struct source_logins {               /* challenges and answers to them */
	uint64_t nonces[SOURCE_NONCES], last_used;   /* of those issued, the latest; the one that was used last */
	struct { uint64_t tuple, responses[3]; unsigned count; } tuples[SOURCE_TUPLES];
	unsigned next_nonce, latest, next_tuple;     /* latest: so many came with the last challenge */
};

static struct source_logins *logins_of(struct source *x)
{
	if (!x->logins)
		x->logins = memory_zalloc(sizeof *x->logins);
	return x->logins;
}

/* ---- what is tried ---- */

static bool nonce_issued(const struct source_logins *l, uint64_t nonce)
{
	for (unsigned i = 0; i < SOURCE_NONCES; i++) {
		if (l->nonces[i] == nonce)
			return true;
	}
	return l->last_used == nonce;
}

/* The last challenge offered it, in one of its headers (RFC 8760 2.4). */
static bool nonce_latest(const struct source_logins *l, uint64_t nonce)
{
	for (unsigned i = 1; i <= l->latest && i <= SOURCE_NONCES; i++) {
		if (l->nonces[(l->next_nonce - i) % SOURCE_NONCES] == nonce)
			return true;
	}
	return false;
}

/* Answers to one challenge that differ although all that goes into them is equal: the passwords did. RFC 7616 3.4.1. */
static void compare_responses(struct source *x, const struct sip_message *m, const struct sip_digest *g,
	const struct packet *p)
{
	uint64_t tuple = hash_mix(m->method, 7), response = source_key(1, g->response);
	struct span parts[] = { g->username, g->realm, g->nonce, g->uri, g->nc, g->cnonce, g->qop, g->algorithm };
	struct source_logins *l = logins_of(x);
	unsigned at = SOURCE_TUPLES;

	if (!g->response.n || span_equal_nocase(g->qop, SPAN("auth-int")))
		return;
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		tuple = source_key(tuple, parts[i]);
	for (unsigned i = 0; i < SOURCE_TUPLES; i++) {
		if (l->tuples[i].count && l->tuples[i].tuple == tuple)
			at = i;
	}
	if (at == SOURCE_TUPLES) {
		at = l->next_tuple++ % SOURCE_TUPLES;
		l->tuples[at].count = 0;
		l->tuples[at].tuple = tuple;
	}
	for (unsigned i = 0; i < l->tuples[at].count; i++) {
		if (l->tuples[at].responses[i] == response)
			return;
	}
	if (l->tuples[at].count >= 3)
		return;
	l->tuples[at].responses[l->tuples[at].count++] = response;
	if (l->tuples[at].count > x->same_challenge) {
		x->same_challenge = l->tuples[at].count;
		x->same_challenge_at = frame_ref_of(p);
	}
}

/* One challenge that is not in the capture may have been lost there. */
static bool may_be_fresh(struct source_user *u, const struct attempt *a)
{
	return a->fresh || (!a->issued && u->unseen_nonces++ == 0);
}

static void user_habits(struct source_user *u, const struct packet *p, bool fresh)
{
	const struct sip_message *m = p->sip;
	uint64_t agent = source_key(2, m->user_agent), call_id = hash_mix(3, m->keys.call_id);

	if (u->tried++) {
		u->same_port &= u->port == p->src.port;
		u->same_agent &= u->agent == agent;
		u->one_dialog &= u->call_id == call_id && m->cseq > u->cseq;
	}
	u->fresh &= fresh;
	u->port = p->src.port;
	u->agent = agent;
	u->contact = source_key(4, m->contact.host);
	u->call_id = call_id;
	u->cseq = m->cseq;
}

bool source_login_of(const struct sip_message *m, struct sip_digest *ret)
{
	const struct sip_header *h = sip_header_find(m, SIP_H_AUTHORIZATION);

	if (!h)
		h = sip_header_find(m, SIP_H_PROXY_AUTHORIZATION);
	return h && sip_digest_parse(h->value, ret);
}

void source_login_try(struct source *x, struct source_user *u, struct attempt *a, const struct sip_digest *g,
	const struct packet *p)
{
	struct source_logins *l = logins_of(x);
	uint64_t nonce = source_key(5, g->nonce);

	a->issued = nonce_issued(l, nonce);
	/* the challenge before the first that is in the capture is not known */
	a->fresh = l->next_nonce == 0 || nonce_latest(l, nonce) ||
		(u && (u->nonce == nonce || u->nonce_before == nonce));
	l->last_used = a->issued ? nonce : l->last_used;
	x->used++;
	compare_responses(x, p->sip, g, p);
	if (u)
		user_habits(u, p, may_be_fresh(u, a));
}

/* ---- what is answered ---- */

static void keep_nonces(struct source *x, struct source_user *u, const struct sip_message *m)
{
	static const enum sip_header_name names[] = { SIP_H_WWW_AUTHENTICATE, SIP_H_PROXY_AUTHENTICATE };
	unsigned count = 0;

	for (unsigned i = 0; i < 2; i++) {
		for (const struct sip_header *h = sip_header_find(m, names[i]); h; h = sip_header_next(m, h)) {
			struct source_logins *l = logins_of(x);
			struct sip_digest g;

			if (!sip_digest_parse(h->value, &g) || !g.nonce.n)
				continue;
			l->nonces[l->next_nonce++ % SOURCE_NONCES] = source_key(5, g.nonce);
			l->latest = ++count;
			if (!u)
				continue;
			u->nonce_before = count > 1 ? u->nonce : 0;
			u->nonce = source_key(5, g.nonce);
		}
	}
}

static bool says_stale(const struct sip_message *m)
{
	const struct sip_header *h = sip_header_find(m, SIP_H_WWW_AUTHENTICATE);
	struct sip_digest g;

	if (!h)
		h = sip_header_find(m, SIP_H_PROXY_AUTHENTICATE);
	return h && sip_digest_parse(h->value, &g) && g.stale;
}

/* A phone's retries come in bursts of up to three; guessing goes on and on. */
static void user_burst(struct source_user *u, int64_t at_ns)
{
	double gap;

	if (u->since > 1) {
		gap = (double)(at_ns - u->rejected_last_ns) / 1e9;
		u->each_sum += gap;
		u->each_square += gap * gap;
		u->each_count++;
	}
	if (u->rejected > 1 && at_ns - u->rejected_last_ns < BURST_S * SECOND_NS) {
		u->burst_size++;
	} else {
		gap = u->bursts ? (double)(at_ns - u->burst_ns) / 1e9 : 0;
		if (u->bursts) {
			u->gap_sum += gap;
			u->gap_square += gap * gap;
			u->gaps_grow &= gap >= u->gap_last * 0.9;
			u->gap_last = gap;
		}
		u->bursts++;
		u->burst_size = 1;
		u->burst_ns = at_ns;
	}
	u->burst_most = u->burst_size > u->burst_most ? u->burst_size : u->burst_most;
}

static struct source_aor *aor_get(struct sources *s, const struct source_user *u)
{
	uint32_t hash = (uint32_t)u->key;
	struct source_aor *x;

	for (struct hash_link *it = hash_first(&s->aors_by_key, hash); it; it = it->next) {
		x = HASH_ENTRY(it, struct source_aor, by_key);
		if (it->hash == hash && address_equal(&x->server, &u->server.addr) && strcmp(x->user, u->user) == 0)
			return x;
	}
	if (s->aors.count >= AORS_MAX) {
		x = LIST_ENTRY(s->aors.head.next, struct source_aor, in_order);
		list_remove(&s->aors, &x->in_order);
		hash_remove(&s->aors_by_key, &x->by_key);
		free(x);
	}
	x = memory_zalloc(sizeof *x);
	memcpy(x->user, u->user, sizeof x->user);
	x->server = u->server.addr;
	list_add_tail(&s->aors, &x->in_order);
	hash_add(&s->aors_by_key, &x->by_key, hash);
	return x;
}

static void aor_rejected(struct sources *s, const struct source_user *u, const struct packet *p)
{
	struct source_aor *x = aor_get(s, u);
	unsigned at = x->count++ % SOURCE_EXACT;

	x->rejected[at].at_ns = p->at_ns;
	x->rejected[at].from = p->dst.addr;
	x->rejected[at].at = frame_ref_of(p);
	source_aor_judge(x);
}

static void take_rejection(struct sources *s, struct source *x, struct source_user *u, const struct packet *p)
{
	int64_t minute = p->at_ns / MINUTE_NS;

	x->rejected++;
	if (x->rejected_from_ns == NS_NONE)
		x->rejected_from_ns = p->at_ns;
	x->rejected_to_ns = p->at_ns;
	x->rejected_in_minute = minute == x->rejected_minute ? x->rejected_in_minute + 1 : 1;
	x->rejected_minute = minute;
	x->rejected_minutes += x->rejected_in_minute == s->config.fail_per_min + 1;
	if (!u)
		return;
	u->rejected++;
	u->since++;
	if (u->rejected_first_ns == NS_NONE)
		u->rejected_first_ns = p->at_ns;
	user_burst(u, p->at_ns);
	u->rejected_last_ns = p->at_ns;
	u->rejected_last_at = frame_ref_of(p);
	if (u->rejected_frames < SOURCE_FRAMES)
		u->rejected_at[u->rejected_frames++] = frame_ref_of(p);
	if (!u->rejection_ns)
		u->rejection_ns = memory_zalloc(SOURCE_REJECTIONS * sizeof *u->rejection_ns);
	source_pace(&u->rejections, u->rejection_ns, SOURCE_REJECTIONS, p->at_ns);
	aor_rejected(s, u, p);
}

/* A few wrong tries, then the right one: somebody mistyped. */
static void user_forgive(struct sources *s, struct source *x, struct source_user *u)
{
	x->rejected -= u->since < x->rejected ? u->since : x->rejected;
	source_age_again(s, x);
	u->since = u->rejections.count = u->rejections.minute = u->rejections.hour = 0;
	u->bursts = u->burst_size = u->burst_most = 0;
	u->gap_sum = u->gap_square = u->gap_last = 0;
	u->each_sum = u->each_square = 0;
	u->each_count = 0;
	u->gaps_grow = true;
}

static unsigned users_rejected(const struct source *x, int64_t at_ns)
{
	unsigned n = 0;

	for (unsigned i = 0; i < x->user_count; i++)
		n += x->users[i].since && !x->users[i].accepted && at_ns - x->users[i].rejected_last_ns <= HOUR_NS;
	return n;
}

static void take_acceptance(struct sources *s, struct source *x, struct source_user *u, const struct attempt *a,
	const struct packet *p)
{
	bool guessed;

	x->accepted_credentials++;
	if (!u)
		return;
	guessed = u->since && p->at_ns - u->rejected_last_ns <= HOUR_NS &&
		(u->rejections.minute > s->config.fail_per_min || x->same_challenge >= 3);
	guessed |= x->accepted_ns == NS_NONE && users_rejected(x, p->at_ns) >= s->config.bf_users;
	if (x->accepted_ns == NS_NONE && !guessed)
		x->accepted_ns = p->at_ns;
	if (u->accepted == 0)
		u->accepted_first_ns = p->at_ns;
	source_user_let_in(x, u);
	if (u->taken)
		return;
	u->accepted_ns = p->at_ns;
	u->accepted_at = frame_ref_of(p);
	u->expires_s = p->sip->has_expires ? p->sip->expires_s : 0;
	memcpy(u->contact_text, a->contact, sizeof u->contact_text);
	u->rejected_before = u->since;
	if (guessed)
		u->taken = true;
	else
		user_forgive(s, x, u);
}

static void take_denial(struct source *x, struct source_user *u, unsigned status)
{
	bool challenge = status == 401 || status == 407, unknown = status == 404 || status == 604;

	x->user_known |= challenge;
	x->user_unknown |= unknown;
	if (u)
		u->challenged |= challenge;
}

void source_login_answer(struct sources *s, struct source *x, struct attempt *a, const struct packet *p)
{
	const struct sip_message *m = p->sip;
	struct source_user *u = a->initial ? source_user_find(x, a->user) : NULL;
	bool challenge = m->status == 401 || m->status == 407;

	a->final = true;
	if (m->status >= 300)
		x->refused++;
	if (m->status / 100 == 2) {
		x->accepted += a->method == SIP_REGISTER || a->method == SIP_INVITE;
		if (a->credentials)
			take_acceptance(s, x, u, a, p);
	} else if (a->credentials && ((challenge && a->issued && !says_stale(m)) || m->status == 403)) {
		take_rejection(s, x, u, p);
	} else if (!a->credentials && a->initial) {
		take_denial(x, u, m->status);
		if (challenge && a->method == SIP_REGISTER) {
			x->challenges++;
			source_pace_grow(&x->challenge_pace, &x->challenge_ns, p->at_ns);
		}
	}
	if (challenge)
		keep_nonces(x, u, m);
}
