/* SPDX-License-Identifier: MIT */
/*
 * again: a call that is tried anew with another Call-ID: after a failure by the same caller, or where a redirection
 * points to (RFC 3261 8.1.3.4; with the same Call-ID it is the same leg anyway). A redirected leg and the one that
 * follows it are one call, whether the phone follows or the server that had the answer.
 */
#include "analyzer/calls/internal.h"

enum { AGAIN_SECONDS = 10 };

/* ---- after a failure ---- */

/* Of whom only answers were captured: where they go. */
static const struct address *caller_at(const struct leg *leg)
{
	const struct party *p = &leg->party[SIDE_CALLER];

	return address_known(&p->signalling.addr) ? &p->signalling.addr : &p->signalling_dst.addr;
}

static bool same_attempt(const struct leg *x, const struct leg *y)
{
	return address_equal(caller_at(x), caller_at(y)) &&
		span_equal(x->party[SIDE_CALLER].user, y->party[SIDE_CALLER].user) &&
		span_equal(x->party[SIDE_CALLEE].user, y->party[SIDE_CALLEE].user);
}

/* The same caller, the same number, right after a failure: tried again with a new Call-ID. */
static bool retries(const struct leg *leg, const struct leg *old)
{
	/* its INVITE, or what came of one that the capture has not */
	int64_t begin_ns = leg->initial_invite_seen ? leg->invite_ns : leg->first_ns;

	return old != leg && !old->answered && old->end_ns != NS_NONE && old->status >= 300 &&
		begin_ns >= old->end_ns &&
		ns_minus(begin_ns, old->end_ns) <= AGAIN_SECONDS * SECOND_NS && same_attempt(old, leg);
}

void retry_note(struct arrival *a, uint64_t caller)
{
	struct leg *leg = &a->leg->leg;
	const struct clue_key *key = clue_find(a->c, CLUE_CALLER, caller);

	for (unsigned i = key ? key->count : 0; i-- > 0 && !leg->is_retry;)
		leg->is_retry = retries(leg, clue_oldest(key)[i].clue->leg);
}

void retry_succeeds(struct arrival *a, uint64_t caller)
{
	const struct leg *leg = &a->leg->leg;
	const struct clue_key *key = clue_find(a->c, CLUE_CALLER, caller);

	for (unsigned i = key ? key->count : 0; i-- > 0;) {
		struct leg *old = clue_oldest(key)[i].clue->leg;

		if (retries(leg, old))
			old->retry_answered = true;
	}
}

/* ---- after a redirection ---- */

/* Who is to go where: a server that follows may know another way to the same user. */
static uint64_t redirect_value(const struct address *who, const struct sip_address *where)
{
	struct span name = where->user.n ? where->user : where->host;

	return hash_mix(hash_bytes(who, sizeof *who), hash_bytes(name.p, name.n));
}

void redirect_note(struct arrival *a)
{
	if (message_is_response(a->message, 300, 399) && a->transaction->transaction.initial && a->sip->contact.host.n)
		clue_add(a->c, a->leg, CLUE_REDIRECT, redirect_value(&a->packet->dst.addr, &a->sip->contact));
}

static bool is_followed(const struct leg *leg)
{
	LIST_EACH(it, &leg->call->legs) {
		const struct leg *other = LIST_ENTRY(it, struct leg, in_call);

		if (other->parent == leg && other->joined_by == JOIN_REDIRECT)
			return true;
	}
	return false;
}

static bool follows(const struct leg *leg, const struct leg *old)
{
	return old != leg && old->state == LEG_REDIRECTED && old->call != leg->call && !is_followed(old) &&
	       span_equal(leg->party[SIDE_CALLER].user, old->party[SIDE_CALLER].user) &&
	       leg->invite_ns >= old->invite_ns &&
	       ns_minus(leg->invite_ns, old->last_ns) <= AGAIN_SECONDS * SECOND_NS &&
	       old->call->legs.count + leg->call->legs.count <= CALL_LEGS_MAX;
}

void redirect_join(struct arrival *a)
{
	struct leg *leg = &a->leg->leg;
	const struct clue_key *key = leg->parent ? NULL : clue_find(a->c, CLUE_REDIRECT,
		redirect_value(&a->packet->src.addr, &a->sip->request_uri));

	for (unsigned i = 0; key && i < key->count; i++) {
		struct leg *old = clue_oldest(key)[i].clue->leg;

		if (!follows(leg, old))
			continue;
		call_join(a->c, leg, old, JOIN_REDIRECT, 100);
		return;
	}
}

struct leg *redirect_stem(struct leg *leg)
{
	while (leg->parent && leg->joined_by == JOIN_REDIRECT)
		leg = leg->parent;
	return leg;
}
