/* SPDX-License-Identifier: MIT */
/*
 * call-failed: a call was refused, by whom, and what that means. A person who is busy, declines or hangs up is no
 * fault. RFC 3261 21, RFC 3326.
 */
#include "analyzer/detect/call_failed.h"

#include <stdlib.h>

#include "analyzer/calls/headers.h"
#include "analyzer/detect/attempts.h"
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

enum { LOAD_SHOWN = 32 };

struct judging {
	struct detection *d;
	const struct facts *facts;
	struct called_users users;
	struct unseen_legs unseen;
};

/* ---- legs behind it ---- */

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

	if ((status != 404 && status != 480 && status != 503) || failed_call_q850(f->final) || !f->refusal.reason ||
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
	unsigned q = failed_call_q850(f->final);

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
	const struct transaction *t = failed_call_attempt(f->origin);
	struct prack_wait wait;
	struct silence s;
	enum witness w;

	if ((f->made->status < 500 && f->made->status != 408) || !t)
		return;
	if (prack_unheeded(t)) {
		f->refusal.because = "it repeats its provisional answer again and again, although the PRACK for that came and was answered";
		f->refusal.fix = "Update the software that answers so, or switch 100rel off at one side";
		return;
	}
	if (!prack_wait_of(t, &wait) || wait.prack || t->final->at.at_ns < wait.last->at.at_ns)
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

/* No ring is in sight: does the capture lack it? */
static bool judge_unrung(const struct judging *j, struct failed_call *f)
{
	if (failed_call_q850(f->final) || !failed_call_may_have_rung(f))
		return false;
	detection_withhold(j->d, f->leg, "G7",
		"the INVITE was not repeated: a response came before the last one, and is not in the capture; it may have rung");
	f->refusal.reason = NULL;
	return true;
}

/* No hop was left to the INVITE when it came to who refused it, and no proxy that signs had passed it on (8.1.1.6). */
static bool came_spent(const struct failed_call *f)
{
	CHAIN_EACH(it, &f->attempt->messages) {
		const struct message *m = LIST_ENTRY(it, struct message, in_transaction);

		if (m->request && m->method == SIP_INVITE && address_equal(&m->dst.addr, &f->made->src.addr))
			return m->headers && m->headers->max_forwards == 0 && m->via_count == 1;
	}
	return false;
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
		if (rang_ns < 0 && judge_unrung(j, f))
			break;
		if (rang_ns >= (int64_t)(detection_key(j->d, "ring-no-answer-s") * 1e9))
			f->refusal.reason = NULL;
		else if (rang_ns >= 0 && !failed_call_q850(f->final))
			f->refusal = refusal_named("other");
		break;
	case 422: case 491:
		if (!over)
			f->refusal.reason = NULL;
		break;
	case 480:
		if (rang_ns >= 0 || !judge_unrung(j, f))
			judge_unavailable(j, f, rang_ns);
		break;
	case 482:
		if (!refusal_of_retry(f->origin, f->made))
			break;
		f->refusal.because = "it takes a new try for a loop: it had refused the one before, and that was over (RFC 3261 8.2.2.2)";
		f->refusal.fix = "Update the software of the host that answers so; until then let the proxy begin a call of its own (another Call-ID) for each try";
		break;
	case 483:
		if (!came_spent(f))
			break;
		f->refusal.because = "the INVITE came with Max-Forwards 0 already: who sent it begins with too low a number, or the call had gone round before it came here";
		f->refusal.fix = "Set Max-Forwards to 70 where the call begins (RFC 3261 8.1.1.6); if it was higher there, look for diversions and routes that send the call back";
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

/* A challenge, a refusal or an unknown number: what whoever tries numbers gets. */
static bool is_rebuff(unsigned status)
{
	return status == 401 || status == 403 || status == 404 || status == 407 || status == 484;
}

/*
 * What is refused to somebody outside who shows no credentials and whom nobody here calls is told by those who watch
 * for attackers; not what a host refuses further on, whom a server here has called for it.
 */
static bool refuses_stranger(const struct facts *facts, const struct failed_call *f)
{
	const struct message *m = (f->origin != f->leg ? failed_call_attempt(f->origin) : f->attempt)->request;
	const struct host *h = m ? network_host_find(facts->network, &m->src.addr) : NULL;

	if (!m || has_credentials(f) || !is_rebuff(f->judged->status))
		return false;
	return site_stranger(facts->site, &m->src.addr, &m->dst.addr) && !(h && h->invites_received);
}

/* Somebody else calls, who wants to be in that call, too (Join, RFC 3911). */
static bool asks_to_join(const struct leg *leg)
{
	return leg->joined_by == JOIN_REPLACES && leg->replaces_call_id.n && !leg->replaces.n;
}

/* A leg behind another one is judged with that; where it was cancelled, nobody waited for its end. */
static bool concerns(const struct leg *leg)
{
	return leg->initial_invite_seen && !leg->answered && leg->status >= 400 &&
	       !(leg->parent && !asks_to_join(leg) &&
		 (leg->parent->initial_invite_seen || leg->joined_by == JOIN_REPLACES));
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

/* A server whose next hop is silent says so in words of its own: that it is busy, that nobody is there. */
static void judge_in_vain(struct failed_call *f)
{
	unsigned status = f->judged->status;

	if (!f->refusal.reason || f->origin != f->leg || failed_call_q850(f->final) ||
	    (status != 480 && status != 500 && status != 502 && status != 503) || !failed_call_in_vain(f->leg))
		return;
	f->refusal = refusal_named("timeout-upstream");
	f->confidence = CONFIDENCE_LIKELY;           /* the answer may pass elsewhere */
}

static bool judge(const struct judging *j, const struct leg *leg, struct failed_call *f)
{
	int64_t redial_ns = (int64_t)(detection_key(j->d, "redial-s") * 1e9),
		fork_ns = (int64_t)(detection_key(j->d, "fork-s") * 1e9);

	*f = (struct failed_call){ .leg = leg, .attempt = failed_call_attempt(leg), .confidence = CONFIDENCE_CERTAIN };
	if (!f->attempt)
		return false;
	f->to_caller = f->final = f->attempt->final;
	if (cancelled_before(f))
		return false;
	failed_call_judged(f);
	f->refusal = refusal_of(f->judged->status, failed_call_q850(f->final));
	if (!f->refusal.reason)
		return false;
	failed_call_origin(f);
	if (f->refusal.contradicts)
		f->confidence = CONFIDENCE_LIKELY;
	judge_status(j, f);
	judge_in_vain(f);
	judge_deaf(j, f);
	if (!f->refusal.reason || refuses_stranger(j->facts, f))
		return false;
	if (f->confidence == CONFIDENCE_CERTAIN && gates_may_hide(j->facts->gates, f->to_caller->at.at_ns,
	    ns_add(f->to_caller->at.at_ns, redial_ns)))
		f->confidence = CONFIDENCE_LIKELY;   /* and so may what was tried next */
	if (f->confidence == CONFIDENCE_CERTAIN && failed_call_behind_unseen(&j->unseen, f))
		f->confidence = CONFIDENCE_LIKELY;
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

static void tell(const struct judging *j, const struct failed_call *list, unsigned count, bool load)
{
	const struct failed_call *x = &list[0];

	failed_calls_say(detection_raise_keyed(j->d, x->leg->n, x->refusal.reason, x->refusal.severity, x->confidence),
		j->facts, list, count, load);
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
	unseen_legs_init(&j.unseen, j.facts);
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
	unseen_legs_fini(&j.unseen);
}

const struct detector detect_call_failed = {
	.id = "call-failed", .doc = &doc, .keys = keys, .event = on_event, .events = EVENT_BIT(EVENT_JUDGE_CAPTURE),
	.scope = GLOBAL, .usual = SEVERITY_ERROR, .possible_max = SEVERITY_WARNING,
};
