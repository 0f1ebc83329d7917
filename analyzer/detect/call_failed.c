/* SPDX-License-Identifier: MIT */
/*
 * call-failed: a call was refused, by whom, and what that means. A person who is busy, declines or hangs up is no
 * fault. RFC 3261 21, RFC 3326.
 */
#include <stdio.h>
#include <stdlib.h>

#include "analyzer/calls/headers.h"
#include "analyzer/detect/attempts.h"
#include "analyzer/detect/call_refusal.h"
#include "analyzer/detect/called_user.h"
#include "analyzer/detect/codec.h"
#include "analyzer/detect/gates.h"
#include "analyzer/detect/lookup.h"
#include "analyzer/detect/prack_wait.h"
#include "analyzer/detect/say.h"
#include "analyzer/detect/witness.h"
#include "analyzer/site.h"
#include "captures/base/memory.h"

static const char *const reasons[] = {
	"number-not-found", "number-changed", "number-incomplete", "forbidden", "quota", "auth-rejected",
	"auth-not-answered", "timeout-upstream", "not-registered",
	"unavailable", "codec", "congestion", "server-busy", "server-error", "out-of-order", "loop",
	"extension-required", "timer-too-small", "bad-request",
	"method-refused", "too-large", "identity-policy", "blocked", "other", NULL,
};

static const struct detector_doc doc = {
	.says = "a call failed, and why",
	.symptom = "The call is refused, an error tone or announcement, \"number not reachable\".",
	.evidence = "The final answer to the caller's INVITE, with its Q.850 cause and Warning, and the leg behind it where the answer was made.",
	.mimics = "Busy, declined, no answer, cancelled, a challenge, hunting through a group or to a second trunk, overlap dialling: all of them silent.",
	.fix = "By reason: the number, the permission, the account, the channel limit, the host that refuses.",
	.reasons = reasons,
};

static const struct config_key keys[] = {
	{ "fork-s", 3, "s", 0, 60, "field: branches of a ring group begin together" },
	{ "redial-s", 10, "s", 1, 300, "field: a machine tries again at once, a person later" },
	{ "ring-no-answer-s", 10, "s", 1, 300, "field: a 408 after so much ringing is a call that nobody took" },
	{ "tail-s", 32, "s", 1, 300, "RFC 3261 17.1.1.2: 64 T1" },
	{ 0 },
};

#define SAME_CALL_ID_NS (64 * SECOND_NS)
#define HANDED_ON_NS SECOND_NS          /* page 4, section 7: what takes longer is another event */

enum { DEPTH_MAX = 8, LOAD_SHOWN = 32 };

struct failed_call {
	const struct leg *leg;
	const struct message *to_caller;     /* what the caller got */
	/*
	 * whose refusal counts: that leg, or the one behind it where a host between made something else of it; of that
	 * one the attempt and its final
	 */
	const struct leg *judged;
	const struct transaction *attempt;
	const struct message *final;
	/* the leg of the same call, furthest from the caller, that was refused in the same way */
	const struct leg *origin;
	const struct message *made;  /* the refusal where it was made */
	struct refusal refusal;
	enum confidence confidence;
	bool behind_silent;          /* a leg behind it was never answered: that is where to look */
	const struct sip_path *deaf; /* what the called phone was asked in vain; NULL */
	const struct message *unacknowledged;        /* the 18x for which no PRACK came */
};

struct judging {
	struct detection *d;
	const struct facts *facts;
	struct called_users users;
};

/* ---- what the records say ---- */

static const struct transaction *last_attempt(const struct leg *leg)
{
	const struct transaction *last = NULL;

	LIST_EACH(it, &leg->transactions) {
		const struct transaction *t = LIST_ENTRY(it, struct transaction, in_leg);

		if (t->initial && t->final && t->final->status == leg->status)
			last = t;
	}
	return last;
}

/* A proxy hands a refusal on: the first sight of it is nearest to where it was made. */
static const struct message *first_sight(const struct transaction *t, unsigned status)
{
	CHAIN_EACH(it, &t->messages) {
		const struct message *m = LIST_ENTRY(it, struct message, in_transaction);

		if (!m->request && m->status == status)
			return m;
	}
	return t->final;
}

static unsigned q850_of(const struct message *m)
{
	return m->headers ? m->headers->more->q850 : 0;
}

static bool alike(const struct message *x, const struct message *y)
{
	return x->status == y->status || (q850_of(x) && q850_of(x) == q850_of(y));
}

/*
 * The leg behind this one that was refused just before this one was: the host between hands that on, in other words. Not
 * one that it gave up itself; where it tried several, it is its own choice what it says.
 */
static const struct leg *refused_before(const struct leg *leg)
{
	const struct leg *behind = NULL;

	LIST_EACH(it, &leg->call->legs) {
		const struct leg *other = LIST_ENTRY(it, struct leg, in_call);

		if (other->parent != leg)
			continue;
		if (behind)
			return NULL;
		behind = other;
	}
	if (!behind || behind->answered || behind->end_ns == NS_NONE || behind->status < 400 || behind->cancel_seen ||
	    !last_attempt(behind) || behind->end_ns > leg->end_ns ||
	    ns_minus(leg->end_ns, behind->end_ns) > HANDED_ON_NS)
		return NULL;
	return alike(last_attempt(behind)->final, last_attempt(leg)->final) ? NULL : behind;
}

/* Down the legs of the call to where the refusal began that others hand on in words of their own. */
static void find_judged(struct failed_call *f)
{
	f->judged = f->leg;
	for (unsigned depth = 0; depth < DEPTH_MAX; depth++) {
		const struct leg *behind = refused_before(f->judged);

		if (!behind)
			return;
		f->judged = behind;
		f->attempt = last_attempt(behind);
		f->final = f->attempt->final;
	}
}

/* Down the legs of the call for as long as they were refused in the same way. */
static void find_origin(struct failed_call *f)
{
	f->origin = f->judged;
	f->made = first_sight(f->attempt, f->judged->status);
	for (unsigned depth = 0; depth < DEPTH_MAX; depth++) {
		const struct leg *next = NULL;

		LIST_EACH(it, &f->leg->call->legs) {
			const struct leg *leg = LIST_ENTRY(it, struct leg, in_call);
			const struct transaction *t = leg->parent == f->origin && !leg->answered &&
				leg->status >= 400 ? last_attempt(leg) : NULL;

			if (t && alike(t->final, f->made))
				next = leg;
		}
		if (!next)
			return;
		f->origin = next;
		f->made = first_sight(last_attempt(next), next->status);
	}
}

static bool was_silent(const struct leg *leg)
{
	CHAIN_EACH(it, &leg->messages) {
		if (!LIST_ENTRY(it, struct message, in_leg)->request)
			return false;
	}
	return true;
}

static bool silent_behind(const struct leg *leg)
{
	LIST_EACH(it, &leg->call->legs) {
		const struct leg *other = LIST_ENTRY(it, struct leg, in_call);

		if (other != leg && other->initial_invite_seen && was_silent(other))
			return true;
	}
	return false;
}

/* ---- credentials ---- */

static uint64_t nonce_at(const struct headers *h, unsigned i)
{
	return i ? h->more->nonces[i - 1] : h->nonce;
}

static bool same_nonce(const struct headers *a, const struct headers *b)
{
	for (unsigned i = 0; i <= HEADERS_NONCES; i++) {
		for (unsigned k = 0; nonce_at(a, i) && k <= HEADERS_NONCES; k++) {
			if (nonce_at(a, i) == nonce_at(b, k))
				return true;
		}
	}
	return false;
}

/* Two proxies on the way have a realm each: what answers the challenge of one is no answer to the other's. */
static bool same_realm(const struct headers *a, const struct headers *b)
{
	return !a->realm || !b->realm || a->realm == b->realm;
}

/* The credentials answer a challenge of this call, by the one who refuses them. */
static bool challenged_with(const struct leg *leg, const struct transaction *until, const struct headers *asked,
	const struct headers *refused)
{
	LIST_EACH(it, &leg->transactions) {
		const struct transaction *t = LIST_ENTRY(it, struct transaction, in_leg);

		if (t == until)
			return false;
		if (t->initial && t->final && t->final->headers && same_nonce(asked, t->final->headers) &&
		    same_realm(t->final->headers, refused))
			return true;
	}
	return false;
}

static bool has_credentials(const struct failed_call *f)
{
	return f->attempt->request && f->attempt->request->headers && f->attempt->request->headers->credentials;
}

/* 401, 407: to credentials over a nonce that was issued in this call, or left without an answer. */
static void judge_challenge(const struct judging *j, struct failed_call *f, bool over)
{
	const struct facts *facts = j->facts;
	const struct headers *asked = f->attempt->request ? f->attempt->request->headers : NULL;
	const struct headers *refused = f->final->headers;

	f->confidence = CONFIDENCE_LIKELY;
	if (asked && asked->credentials && refused && !refused->stale &&
	    challenged_with(f->judged, f->attempt, asked, refused)) {
		f->refusal = refusal_named("auth-rejected");
		return;
	}
	f->refusal.reason = NULL;
	if (f->attempt->request && f->attempt->request->cut && !(asked && asked->credentials))
		detection_withhold(j->d, f->judged, "G5",
			"the capture cut the request that was refused: whether it had credentials is not known");
	else if (over && !gates_may_hide(facts->gates, f->final->at.at_ns, ns_add(f->final->at.at_ns, SECOND_NS)))
		f->refusal = refusal_named("auth-not-answered");
}

/*
 * 403 to credentials: some servers mean the account by it, others the destination. Only their own words decide; without
 * credentials in sight those words may speak of anything.
 */
static void judge_forbidden(struct failed_call *f)
{
	static const char *const words[] = { "password", "passwd", "credential", "authenticat", "digest", "secret" };
	struct span said = phrase_span(f->final->reason);

	if (!has_credentials(f))
		return;
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (span_find_text_nocase(said, span_of(words[i])) < said.n) {
			f->refusal = refusal_named("auth-rejected");
			f->confidence = CONFIDENCE_LIKELY;
			return;
		}
	}
}

/* ---- circumstances ---- */

static bool is_phone(const struct facts *facts, const struct address *a)
{
	const struct host *h = network_host_find(facts->network, a);

	return !say_serves(facts, a) && ((h && h->registers_sent) || site_inside(facts->site, a));
}

/* Its phone is known there, and hears nothing. */
static void judge_deaf(const struct judging *j, struct failed_call *f)
{
	unsigned status = f->judged->status;

	if ((status != 404 && status != 480 && status != 503) || q850_of(f->final) || !f->refusal.reason ||
	    f->judged->progress_ns != NS_NONE)
		return;
	f->deaf = called_user_deaf(&j->users, j->facts, f->judged->party[SIDE_CALLEE].user, &f->made->src.addr,
		f->made->at.at_ns);
	if (!f->deaf)
		return;
	f->refusal = refusal_named("unavailable");
	f->refusal.because = "the called phone is registered there, and answers nothing that it is asked (OPTIONS)";
	f->refusal.fix = "Look why that phone is deaf: switched off, or its NAT has forgotten the mapping (keepalive), or a firewall; its registration alone does not show it";
	f->confidence = CONFIDENCE_LIKELY;
}

/* 480: absent, out of reach, or a phone that was told not to ring. */
static void judge_unavailable(const struct judging *j, struct failed_call *f, int64_t rang_ns)
{
	unsigned q = q850_of(f->final);

	if ((q >= 16 && q <= 19) || q == 31 || rang_ns >= SECOND_NS) {
		f->refusal.reason = NULL;
	} else if (q == 0 && called_user_unregistered(&j->users, f->judged->party[SIDE_CALLEE].user,
	    &f->made->src.addr, f->made->at.at_ns)) {
		f->refusal = refusal_named("not-registered");
		f->confidence = CONFIDENCE_LIKELY;
	} else if (strcmp(f->refusal.reason, "unavailable") == 0 &&
	    (is_phone(j->facts, &f->made->src.addr) || rang_ns >= 0)) {
		f->refusal.severity = SEVERITY_INFO;
	}
}

/* 603: a person declines, or a machine blocks. RFC 8197, RFC 8688 and their practice put it into the Reason. */
static void judge_decline(struct failed_call *f)
{
	static const char *const words[] = { "block", "analytics", "spam", "unwanted", "fraud" };
	const struct headers *h = f->final->headers;
	bool blocks = h && h->more->q850 && h->more->q850 != 16 && h->more->q850 != 17 && h->more->q850 != 21;

	for (size_t i = 0; h && i < sizeof words / sizeof words[0]; i++)
		blocks |= span_find_text_nocase(h->more->reason, span_of(words[i])) < h->more->reason.n;
	if (codec_taken_otherwise(f->judged, f->attempt)) {
		f->refusal = refusal_named("codec");
		f->refusal.because = "the other side had taken the call, with a codec that the caller does not offer";
		f->confidence = CONFIDENCE_LIKELY;
	} else if (blocks) {
		f->refusal = refusal_named("blocked");
	} else {
		f->refusal.reason = NULL;
	}
}

static bool names_format(const struct headers *h)
{
	return h && (span_starts(h->more->warning, SPAN("304")) || span_starts(h->more->warning, SPAN("305")));
}

/* 5xx, and some say 408: a provisional answer that must be acknowledged was not (RFC 3262 3). */
static void judge_prack(const struct judging *j, struct failed_call *f)
{
	const struct transaction *t = last_attempt(f->origin);
	struct prack_wait wait;
	struct silence s;
	enum witness w;

	if ((f->made->status < 500 && f->made->status != 408) || !t || !prack_wait_of(t, &wait) || wait.prack ||
	    t->final->at.at_ns < wait.last->at.at_ns)
		return;
	s = (struct silence){ .src = wait.first->src, .dst = wait.first->dst, .first_ns = wait.first->at.at_ns,
		.last_ns = wait.last->at.at_ns, .copies = wait.copies };
	if (silence_gate(j->facts, &s, 1, &w))
		return;
	f->unacknowledged = wait.first;
	f->confidence = CONFIDENCE_LIKELY;
	f->refusal.because = "its provisional answer asked for an acknowledgement (PRACK) again and again, and none came";
	f->refusal.fix = "Switch 100rel off at one side, or on at both, and let PRACK through";
}

static void judge_status(const struct judging *j, struct failed_call *f)
{
	const struct leg *leg = f->judged;
	int64_t at_ns = f->final->at.at_ns;
	int64_t rang_ns = leg->progress_ns == NS_NONE ? -1 : ns_minus(at_ns, leg->progress_ns);
	bool over = ns_minus(j->facts->capture->last_ns, at_ns) >= (int64_t)(detection_key(j->d, "tail-s") * 1e9);

	switch (leg->status) {
	case 401: case 407:
		judge_challenge(j, f, over);
		break;
	case 403:
		judge_forbidden(f);
		break;
	case 408:
		if (rang_ns >= (int64_t)(detection_key(j->d, "ring-no-answer-s") * 1e9))
			f->refusal.reason = NULL;
		else if (rang_ns >= 0 && !q850_of(f->final))
			f->refusal = refusal_named("other");
		break;
	case 422: case 491:
		if (!over)
			f->refusal.reason = NULL;
		break;
	case 480:
		judge_unavailable(j, f, rang_ns);
		break;
	case 484:
		if (attempts_longer(lookup_attempts(j->facts->lookup), leg,
		    (int64_t)(detection_key(j->d, "redial-s") * 1e9)))
			f->refusal.reason = NULL;
		break;
	case 603:
		judge_decline(f);
		break;
	}
	if (f->refusal.reason && names_format(f->final->headers))
		f->refusal = refusal_named("codec");
}

/*
 * What is refused to somebody outside who shows no credentials and whom nobody here calls is told by those who watch
 * for attackers.
 */
static bool stranger(const struct facts *facts, const struct failed_call *f)
{
	const struct message *m = f->attempt->request;
	const struct host *h = m ? network_host_find(facts->network, &m->src.addr) : NULL;
	const struct site *s = facts->site;
	unsigned status = f->judged->status;

	if (!m || has_credentials(f) || (status != 401 && status != 403 && status != 404 && status != 407 &&
	    status != 484))
		return false;
	if (site_own(s, &m->src.addr) || !site_own(s, &m->dst.addr) || nets_have(&s->remote_nets, &m->src.addr))
		return false;
	return !site_peer(s, &s->trusted, &m->src.addr) && !site_peer(s, &s->trunk, &m->src.addr) &&
	       !(h && h->invites_received);
}

/* A leg behind another one is judged with that; where it was cancelled, nobody waited for its end. */
static bool concerns(const struct leg *leg)
{
	return leg->initial_invite_seen && !leg->answered && leg->status >= 400 &&
	       !(leg->parent && (leg->parent->initial_invite_seen || leg->joined_by == JOIN_REPLACES));
}

/* The INVITE was sent to it: it stands between, and gives branches up when it hunts on. */
static bool passes_on(const struct leg *leg, const struct address *a)
{
	CHAIN_EACH(it, &leg->messages) {
		const struct message *m = LIST_ENTRY(it, struct message, in_leg);

		if (m->request && m->method == SIP_INVITE && address_equal(&m->dst.addr, a))
			return true;
	}
	return false;
}

static bool cancelled_before(const struct failed_call *f)
{
	CHAIN_EACH(it, &f->leg->messages) {
		const struct message *m = LIST_ENTRY(it, struct message, in_leg);

		if (m->request && m->method == SIP_CANCEL && !passes_on(f->leg, &m->src.addr))
			return m->at.at_ns <= f->to_caller->at.at_ns;
	}
	return false;
}

/* Tried again by the machine; under the same Call-ID it may take longer, that is the same try (RFC 3261 22.2). */
static bool goes_on(const struct judging *j, const struct leg *leg, int64_t redial_ns)
{
	const struct leg *next = attempts_next(lookup_attempts(j->facts->lookup), leg, SAME_CALL_ID_NS);

	return next && (ns_minus(next->invite_ns, leg_over_ns(leg)) <= redial_ns ||
	       span_equal(next->call_id, leg->call_id));
}

static bool judge(const struct judging *j, const struct leg *leg, struct failed_call *f)
{
	int64_t redial_ns = (int64_t)(detection_key(j->d, "redial-s") * 1e9),
		fork_ns = (int64_t)(detection_key(j->d, "fork-s") * 1e9);

	*f = (struct failed_call){ .leg = leg, .attempt = last_attempt(leg), .confidence = CONFIDENCE_CERTAIN };
	if (!f->attempt)
		return false;
	f->to_caller = f->final = f->attempt->final;
	if (cancelled_before(f))
		return false;
	find_judged(f);
	f->refusal = refusal_of(f->judged->status, q850_of(f->final));
	if (!f->refusal.reason)
		return false;
	find_origin(f);
	if (f->refusal.contradicts)
		f->confidence = CONFIDENCE_LIKELY;
	judge_status(j, f);
	judge_deaf(j, f);
	if (!f->refusal.reason || stranger(j->facts, f))
		return false;
	if (f->confidence == CONFIDENCE_CERTAIN && gates_may_hide(j->facts->gates, f->to_caller->at.at_ns,
	    ns_add(f->to_caller->at.at_ns, redial_ns)))
		f->confidence = CONFIDENCE_LIKELY;   /* and so may what was tried next */
	judge_prack(j, f);
	f->behind_silent = silent_behind(leg);
	return !goes_on(j, leg, redial_ns) &&
	       !attempts_branch_lives(lookup_attempts(j->facts->lookup), leg, fork_ns) &&
	       !attempts_hunt_lives(lookup_attempts(j->facts->lookup), leg, fork_ns) &&
	       !attempts_branch_open(lookup_attempts(j->facts->lookup), leg, fork_ns);
}

/* ---- several calls that fail in one way ---- */

static unsigned deaf_number(const struct failed_call *f)
{
	return f->deaf ? f->deaf->n : 0;
}

static int failure_compare(const void *a, const void *b)
{
	const struct failed_call *x = a, *y = b;
	int c = strcmp(x->refusal.reason, y->refusal.reason);

	if (c == 0)
		c = address_compare(&x->made->src.addr, &y->made->src.addr);
	if (c == 0)
		c = (x->judged->status > y->judged->status) - (x->judged->status < y->judged->status);
	if (c == 0)
		c = (x->leg->status > y->leg->status) - (x->leg->status < y->leg->status);
	if (c == 0)
		c = x->behind_silent - y->behind_silent;
	if (c == 0)
		c = !x->unacknowledged - !y->unacknowledged;
	if (c == 0)
		c = (int)deaf_number(x) - (int)deaf_number(y);
	if (c == 0)
		c = (int)x->refusal.severity - (int)y->refusal.severity;
	return c ? c : (x->leg->n > y->leg->n) - (x->leg->n < y->leg->n);
}

static bool same_kind(const struct failed_call *x, const struct failed_call *y)
{
	return strcmp(x->refusal.reason, y->refusal.reason) == 0 &&
	       address_equal(&x->made->src.addr, &y->made->src.addr) && x->judged->status == y->judged->status &&
		x->leg->status == y->leg->status &&
		x->behind_silent == y->behind_silent && !x->unacknowledged == !y->unacknowledged &&
		x->deaf == y->deaf &&
		x->refusal.severity == y->refusal.severity;
}

static bool one_of(const char *reason, const char *const *list)
{
	for (; *list; list++) {
		if (strcmp(reason, *list) == 0)
			return true;
	}
	return false;
}

/* Is the one who refuses also the one to mend it? */
static enum part part_of_maker(const char *reason)
{
	static const char *const at_maker[] = { "congestion", "server-busy", "server-error", "out-of-order",
		"forbidden", "quota", "unavailable", "method-refused",
						"blocked", "identity-policy", NULL };

	return one_of(reason, at_maker) ? PART_CULPRIT : PART_WITNESS;
}

/* Answered calls of that host that were up then. */
static unsigned calls_up(const struct facts *facts, const struct address *host, int64_t at_ns)
{
	unsigned up = 0;

	LIST_EACH(it, calls_legs(facts->calls)) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_order);

		if (leg->answered && leg->answer_ns != NS_NONE && leg->answer_ns <= at_ns &&
		    (leg->end_ns == NS_NONE || leg->end_ns >= at_ns) &&
			(address_equal(&leg->party[SIDE_CALLER].signalling.addr, host) ||
			address_equal(&leg->party[SIDE_CALLEE].signalling.addr, host)))
			up++;
	}
	return up;
}

/* ---- words ---- */

static void say_answer(const struct message *m, char *text, size_t room)
{
	char phrase[60], reason[120];

	text_escape(phrase_span(m->reason), phrase, sizeof phrase);
	snprintf(text, room, "%u%s%s", m->status, phrase[0] ? " " : "", phrase);
	if (m->headers && m->headers->more->reason.n)
		snprintf(text + strlen(text), room - strlen(text), " (Reason: %s)",
			text_escape(m->headers->more->reason, reason, sizeof reason));
	if (m->headers && m->headers->more->warning.n)
		snprintf(text + strlen(text), room - strlen(text), " (Warning: %s)",
			text_escape(m->headers->more->warning, reason, sizeof reason));
	if (m->headers && m->headers->more->wants.n)
		snprintf(text + strlen(text), room - strlen(text), " (asks for %s)",
			text_escape(m->headers->more->wants, reason, sizeof reason));
	if (m->headers && m->headers->more->retry_after_s)
		snprintf(text + strlen(text), room - strlen(text), " (Retry-After: %u s)", m->headers->more->retry_after_s);
}

/* How the refusal came to the caller. */
static void say_chain(const struct facts *facts, const struct failed_call *f, char *text, size_t room)
{
	char maker[SAY_TEXT], last[SAY_TEXT];

	*text = '\0';
	say_host(facts, &f->made->src.addr, maker);
	if (f->judged != f->leg)
		snprintf(text, room, " It was made by %s; %s handed it on as %u.", maker,
			say_host(facts, &f->to_caller->src.addr, last), f->to_caller->status);
	else if (!address_equal(&f->to_caller->src.addr, &f->made->src.addr))
		snprintf(text, room, " It was made by %s; %s handed it on.", maker,
			say_host(facts, &f->to_caller->src.addr, last));
	else if (!f->deaf && say_serves(facts, &f->made->src.addr) && part_of_maker(f->refusal.reason) == PART_CULPRIT)
		snprintf(text, room, " It was made by %s or beyond it.", maker);
}

static void tell_cause(struct finding *f, const struct judging *j, const struct failed_call *x, unsigned count,
	bool load)
{
	char from[SAY_TEXT], to[SAY_TEXT], maker[SAY_TEXT], answer[460], chain[2 * SAY_TEXT + 60], up[60] = "";
	const char *unclear = x->refusal.contradicts ? " Status and cause say different things, the cause counts." : "";

	say_host(j->facts, &x->made->src.addr, maker);
	say_answer(x->made, answer, sizeof answer);
	say_chain(j->facts, x, chain, sizeof chain);
	if (load)
		snprintf(up, sizeof up, "; %u other calls of it were up then",
			calls_up(j->facts, &x->made->src.addr, x->made->at.at_ns));
	if (count > 1)
		finding_cause(f, "%s answered %u calls with %s: %s%s.%s%s", maker, count, answer, x->refusal.because,
			up, chain, unclear);
	else
		finding_cause(f, "%s called %s, and %s answered %s after %.1f s: %s%s.%s%s",
			say_party(j->facts, x->leg, SIDE_CALLER, from),
			      say_party(j->facts, x->leg, SIDE_CALLEE, to), maker, answer,
			      (double)ns_minus(x->to_caller->at.at_ns, x->leg->invite_ns) / 1e9,
			      x->refusal.because, up, chain, unclear);
}

static void tell_title(struct finding *f, const struct judging *j, const struct failed_call *x, unsigned count)
{
	char act[SAY_TEXT + 40], effect[2 * SAY_TEXT + 40], maker[SAY_TEXT], from[SAY_TEXT], to[SAY_TEXT];

	snprintf(act, sizeof act, "%s answers %u", say_host(j->facts, &x->made->src.addr, maker), x->made->status);
	if (count > 1)
		snprintf(effect, sizeof effect, "%u calls fail", count);
	else
		snprintf(effect, sizeof effect, "%s cannot call %s", say_party(j->facts, x->leg, SIDE_CALLER, from),
			say_party(j->facts, x->leg, SIDE_CALLEE, to));
	say_title(f, act, effect);
}

static void add_call(struct finding *f, const struct failed_call *x)
{
	finding_leg(f, x->leg);
	if (x->origin != x->leg)
		finding_leg(f, x->origin);
	finding_part(f, PART_VICTIM, &x->leg->party[SIDE_CALLER].signalling);
	if (f->first_ns == NS_NONE || x->leg->invite_ns < f->first_ns)
		f->first_ns = x->leg->invite_ns;
	if (f->last_ns == NS_NONE || x->to_caller->at.at_ns > f->last_ns)
		f->last_ns = x->to_caller->at.at_ns;
}

static void add_evidence(struct finding *f, const struct failed_call *x)
{
	char user[60];

	finding_evidence(f, x->leg->invite_at, "INVITE for %s",
		text_escape(x->leg->party[SIDE_CALLEE].user, user, sizeof user));
	if (x->deaf)
		finding_evidence(f, x->deaf->unheard->frames[0],
			"OPTIONS to the called phone without answer, the first of %u", x->deaf->unheard->copies);
	if (x->made != x->to_caller)
		finding_evidence(f, x->made->at, "%u, where it was made", x->made->status);
	finding_evidence(f, x->to_caller->at, "%u to the caller", x->to_caller->status);
}

static void tell(const struct judging *j, const struct failed_call *list, unsigned count, bool load)
{
	const struct failed_call *x = &list[0];
	struct finding *f = detection_raise_keyed(j->d, x->leg->n, x->refusal.reason, x->refusal.severity,
		x->confidence);
	char maker[SAY_TEXT];

	for (unsigned i = 0; i < count; i++) {
		add_call(f, &list[i]);
		if (i < 4)
			add_evidence(f, &list[i]);
	}
	if (x->unacknowledged) {
		finding_part(f, PART_CULPRIT, &x->unacknowledged->dst);
		finding_part(f, PART_WITNESS, &x->made->src);
		finding_evidence(f, x->unacknowledged->at, "%u that asks for a PRACK", x->unacknowledged->status);
	} else {
		finding_part(f, x->deaf ? PART_WITNESS : part_of_maker(x->refusal.reason), &x->made->src);
	}
	if (x->deaf)
		finding_part(f, PART_VICTIM, &x->deaf->server);
	f->count = count;
	tell_title(f, j, x, count);
	tell_cause(f, j, x, count, load && (strcmp(x->refusal.reason, "congestion") == 0 ||
		strcmp(x->refusal.reason, "server-busy") == 0));
	finding_fix(f, "%s.", x->refusal.fix);
	if (x->deaf)
		finding_cannot_see(f, "whether the phone got these requests, or something before it keeps them");
	else if (x->origin == x->leg && say_serves(j->facts, &x->made->src.addr))
		finding_cannot_see(f, "what lies beyond %s, which may hand on another's refusal",
			say_host(j->facts, &x->made->src.addr, maker));
}

/* ---- all of them ---- */

static unsigned judge_all(const struct judging *j, struct failed_call **ret)
{
	const struct list *legs = calls_legs(j->facts->calls);
	struct failed_call *list = NULL;
	unsigned count = 0, room = 0;

	LIST_EACH(it, legs) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_order);

		if (!concerns(leg))
			continue;
		if (count == room) {
			room = room ? room * 2 : 16;
			list = memory_resize(list, room, sizeof *list);
		}
		count += judge(j, leg, &list[count]);
	}
	if (count)
		qsort(list, count, sizeof *list, failure_compare);
	*ret = list;
	return count;
}

static void on_event(struct detection *d, const struct event *ev)
{
	struct judging j = { .d = d, .facts = detection_facts(d) };
	struct failed_call *list;
	unsigned count, n, told = 0;

	(void)ev;
	called_users_init(&j.users, j.facts);
	count = judge_all(&j, &list);
	for (unsigned i = 0; i < count; i += n) {
		for (n = 1; i + n < count && same_kind(&list[i], &list[i + n]);)
			n++;
		tell(&j, &list[i], n, told++ < LOAD_SHOWN);
	}
	if (count == 0)
		detection_pass(d, NULL, "every call was answered, ended by a person, or tried again with success");
	free(list);
	called_users_fini(&j.users);
}

const struct detector detect_call_failed = {
	.id = "call-failed", .doc = &doc, .keys = keys, .event = on_event, .events = EVENT_BIT(EVENT_JUDGE_CAPTURE),
	.scope = GLOBAL, .usual = SEVERITY_ERROR, .possible_max = SEVERITY_WARNING,
};
