/* SPDX-License-Identifier: MIT */
/* trial: keeps account of tries to register. */
#include "analyzer/calls/trial.h"

#include "captures/base/text.h"
#include "dissect/sip_digest.h"
#include "dissect/sip_message.h"

#define CHAIN_NS (40 * SECOND_NS)     /* tries further apart are not about the same nonce */
#define RECOVER_NS (60 * SECOND_NS)

enum { ALGORITHM_MD5 = 1, ALGORITHM_SHA256 = 2, ALGORITHM_OTHER = 4 };

enum {
	PORT_SIP = 5060,
	LOST_COPIES = 3              /* of a request whose answer was sent: no coincidence any more */
};

void trial_init(struct trial *t)
{
	*t = (struct trial){ .run.first_ns = NS_NONE, .recovered_ns = NS_NONE, .bound_until_ns = NS_NONE,
		.pending_ns = NS_NONE };
}

/* ---- credentials ---- */

static uint64_t hash_of(struct span s)
{
	return hash_bytes(s.p, s.n) | 1;
}

static const enum sip_header_name challenges[] = { SIP_H_WWW_AUTHENTICATE, SIP_H_PROXY_AUTHENTICATE };

static bool digest_of(const struct sip_message *sip, enum sip_header_name a, enum sip_header_name b,
	struct sip_digest *ret)
{
	const struct sip_header *h = sip_header_find(sip, a);

	if (!h)
		h = sip_header_find(sip, b);
	return h && sip_digest_parse(h->value, ret);
}

static bool is_hex(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		uint8_t b = s.p[i] | 0x20;

		if (!(s.p[i] >= '0' && s.p[i] <= '9') && !(b >= 'a' && b <= 'f'))
			return false;
	}
	return true;
}

/* With and without "-sess" alike. */
static uint8_t algorithm_of(const struct sip_digest *d)
{
	if (!d->algorithm.n || span_starts_nocase(d->algorithm, SPAN("MD5")))
		return ALGORITHM_MD5;
	return span_starts_nocase(d->algorithm, SPAN("SHA-256")) ? ALGORITHM_SHA256 : ALGORITHM_OTHER;
}

/* The count of requests over a nonce that the registrar has taken before goes up: RFC 7616 3.4. */
static bool is_replayed(const struct trial *t)
{
	return t->nonce && t->nonce == t->taken_nonce && t->nc && t->nc <= t->taken_nc;
}

/*
 * What no registrar can accept, whatever the password: RFC 7616 3.4. offered: the algorithms that came with its nonce.
 */
static enum digest_flaw flaw_of(const struct trial *t, const struct sip_digest *d, uint8_t offered)
{
	uint8_t algorithm = algorithm_of(d);

	if (algorithm != ALGORITHM_OTHER &&
	    (d->response.n != (algorithm == ALGORITHM_SHA256 ? 64u : 32u) || !is_hex(d->response)))
		return DIGEST_RESPONSE;
	if (d->qop.n && (!d->nc.n || !d->cnonce.n))
		return DIGEST_NO_COUNT;
	if (is_replayed(t))
		return DIGEST_REPLAYED;
	return offered && !(offered & algorithm) ? DIGEST_ALGORITHM : DIGEST_SOUND;
}

/* Scheme, host and port; parameters and the user are no matter here. */
static bool same_uri(struct span a, struct span b)
{
	struct sip_address x, y;

	if (span_equal(a, b) || !sip_address_parse(a, &x) || !sip_address_parse(b, &y))
		return true;
	return span_equal_nocase(x.scheme, y.scheme) && span_equal_nocase(x.host, y.host) &&
	       (x.has_port ? x.port : 5060) == (y.has_port ? y.port : 5060);
}

static const struct trial_nonce *nonce_find(const struct trial *t, uint64_t nonce)
{
	for (unsigned i = 0; nonce && i < TRIAL_NONCES; i++) {
		if (t->nonces[i].nonce == nonce)
			return &t->nonces[i];
	}
	return NULL;
}

static bool is_newest(const struct trial *t, const struct trial_nonce *n)
{
	return n && n->challenge == t->challenge;
}

/* The last challenge names realms, and that is none of them. */
static bool is_other_realm(const struct trial *t, uint64_t realm)
{
	bool named = false;

	for (unsigned i = 0; i < TRIAL_NONCES; i++) {
		if (!is_newest(t, &t->nonces[i]) || !t->nonces[i].realm)
			continue;
		if (t->nonces[i].realm == realm)
			return false;
		named = true;
	}
	return named;
}

static uint32_t count_of(struct span nc)
{
	uint32_t n = 0;

	if (nc.n > 8 || !is_hex(nc))
		return 0;
	for (size_t i = 0; i < nc.n; i++)
		n = n << 4 | (uint32_t)(nc.p[i] <= '9' ? nc.p[i] - '0' : (nc.p[i] | 0x20) - 'a' + 10);
	return n;
}

static void credentials_look(struct trial *t, const struct sip_message *sip)
{
	const struct trial_nonce *n;
	struct sip_digest d;

	t->credentials = t->issued = t->newest = false;
	t->nonce = 0;
	t->nc = 0;
	if (!digest_of(sip, SIP_H_AUTHORIZATION, SIP_H_PROXY_AUTHORIZATION, &d) || !d.response.n)
		return;
	t->credentials = true;
	t->nonce = d.nonce.n ? hash_of(d.nonce) : 0;
	t->nc = count_of(d.nc);
	n = nonce_find(t, t->nonce);
	if (!n && t->nonce && t->pending_ns != NS_NONE) {
		/* to the next challenge as well: from before the capture */
		if (t->nonce == t->run.strange_nonce)
			t->run.kept_nonce = t->nonce;
		t->run.strange_nonce = t->nonce;
	}
	t->issued = n || (t->nonce && t->nonce == t->run.kept_nonce);
	t->newest = is_newest(t, n);
	if (!t->issued)
		return;
	t->run.old_nonce += !t->newest;
	t->run.kept_nonce = t->newest ? t->run.kept_nonce : t->nonce;
	t->run.wrong_realm |= is_other_realm(t, hash_of(d.realm));
	if (t->run.malformed == DIGEST_SOUND) {
		t->run.malformed = flaw_of(t, &d, n ? n->algorithms : 0);
		t->run.replayed_nc = t->run.malformed == DIGEST_REPLAYED ? t->nc : 0;
	}
	t->run.uri_differs |= d.uri.n && !same_uri(d.uri, sip->uri);
	t->run.user_differs |= d.username.n && !span_equal(d.username, sip->to.user) &&
		!span_starts(d.username, sip->to.user);
}

/* The last nonce again is no other one. */
static struct trial_nonce *nonce_add(struct trial *t, uint64_t nonce, unsigned challenge)
{
	if (t->nonces[0].nonce != nonce) {
		memmove(&t->nonces[1], &t->nonces[0], sizeof t->nonces - sizeof t->nonces[0]);
		t->nonces[0] = (struct trial_nonce){ .nonce = nonce, .challenge = challenge };
		t->challenge = challenge;
	}
	return &t->nonces[0];
}

static bool offers_auth(const struct sip_digest *d)
{
	struct span rest = d->qop;

	if (!rest.n)
		return true;
	while (rest.n) {
		size_t comma = span_find(rest, ',');

		if (span_equal_nocase(span_trim(span_first(rest, comma)), SPAN("auth")))
			return true;
		rest = span_from(rest, comma + 1);
	}
	return false;
}

static void challenge_note(struct trial *t, const struct sip_message *sip, int64_t at_ns)
{
	unsigned challenge = t->challenge + 1;
	bool any = false, md5 = false, auth = false, later = false;
	struct sip_digest d;

	t->pending_ns = at_ns;
	t->challenged = t->src;
	for (unsigned i = 0; i < 2; i++) {
		for (const struct sip_header *h = sip_header_find(sip, challenges[i]); h; h = sip_header_next(sip, h)) {
			struct trial_nonce *n;

			if (!sip_digest_parse(h->value, &d) || !d.nonce.n)
				continue;
			n = nonce_add(t, hash_of(d.nonce), challenge);
			n->realm = d.realm.n ? hash_of(d.realm) : 0;
			n->algorithms |= algorithm_of(&d);
			later |= any && !md5 && algorithm_of(&d) == ALGORITHM_MD5;
			any = true;
			md5 |= algorithm_of(&d) == ALGORITHM_MD5;
			auth |= offers_auth(&d);
		}
	}
	t->run.asked++;
	t->run.asked_empty += !any && !(sip->flaws & SIP_FLAW_HEADERS_CUT);
	t->run.asked_no_md5 += any && !md5;
	t->run.asked_md5_later += later;
	t->run.asked_int_only += any && !auth;
}

/* ---- the run ---- */

static bool run_begun(const struct trial *t)
{
	return t->run.tries || t->run.bare_again;
}

static void run_reach(struct trial *t, const struct message *m)
{
	if (!run_begun(t) || t->run.first_ns == NS_NONE || m->at.at_ns < t->run.first_ns)
		t->run.first_ns = m->at.at_ns;
	if (!run_begun(t) || m->at.at_ns > t->run.last_ns)
		t->run.last_ns = m->at.at_ns;
}

/* It asks anew, and does not answer the challenge that `before` got. */
static void run_bare(struct trial *t, const struct frame_ref *before, const struct message *m)
{
	run_reach(t, m);
	if (!run_begun(t) && before->frame) {
		t->run.first_request = *before;
		t->run.first_ns = before->at_ns < t->run.first_ns ? before->at_ns : t->run.first_ns;
	}
	t->run.bare_again++;
}

/* The try in hand belongs to the run: begun, if it is its first. */
static void run_count(struct trial *t, const struct message *m)
{
	if (t->counted)
		return;
	t->counted = true;
	run_reach(t, m);
	if (!t->run.first_request.frame) {
		t->run.first_request = t->request;
		if (t->request.frame && t->request.at_ns < t->run.first_ns)
			t->run.first_ns = t->request.at_ns;
	}
	if (t->run.tries == 0)
		t->run.was_bound = true;
	t->run.was_bound &= t->bound_until_ns != NS_NONE && m->at.at_ns < t->bound_until_ns;
	t->run.tries++;
}

static void run_refusal(struct trial *t, const struct message *m)
{
	t->run.last_final = m->at;
	text_escape(phrase_span(m->reason), t->run.phrase, sizeof t->run.phrase);
	t->run.phrase_status = m->status;
	if (t->run.frame_count == TRIAL_FRAMES)
		return;
	t->run.frame_status[t->run.frame_count] = m->status;
	t->run.frames[t->run.frame_count++] = m->at;
}

static void run_end(struct trial *t, int64_t at_ns)
{
	if (t->run.tries && ns_minus(at_ns, t->run.first_ns) > RECOVER_NS && t->past.tries == 0) {
		t->past = t->run;
		t->recovered_ns = at_ns;
	}
	t->run = (struct trial_run){ .first_ns = NS_NONE };
}

/* ---- messages ---- */

/* The try before was never answered: seen when the next one begins, or at the end. */
static void unanswered_settle(struct trial *t, const struct message *now)
{
	t->before_open = t->open && !t->judged && t->request.frame;
	if (!t->before_open)
		return;
	if (!t->counted)
		run_count(t, now);
	t->run.unanswered++;
}

static void silence_reach(struct trial *t, const struct message *m)
{
	if (t->run.copies == 0)
		t->run.silent_from_ns = m->at.at_ns;
	t->run.silent_to_ns = m->at.at_ns;
	t->run.copies++;
	if (t->request_copies > t->run.copies_most)
		t->run.copies_most = t->request_copies;
}

static void chain_forget(struct trial *t)
{
	memset(t->nonces, 0, sizeof t->nonces);
	t->challenge = 0;
}

void trial_request(struct trial *t, const struct message *m, const struct sip_message *sip, bool again)
{
	struct frame_ref before = t->request;
	bool bare;

	t->run.stream = m->transport != TRANSPORT_UDP;
	if (again) {
		t->request_copies++;
		t->run.last_request = m->at;
		if (t->open && !t->judged) {
			silence_reach(t, m);
		} else if (t->judged && t->final_astray) {
			run_count(t, m);
			t->run.misdirected++;
			t->run.misdirected_to = t->final_to;
			t->run.misdirected_by_via = endpoint_equal(&t->final_to, &t->named);
			t->run.misdirected_rport = t->rport;
		} else if (t->judged && t->final_beyond) {
			t->run.asked_at = t->dst;
			t->run.kept = t->final;
			if (++t->run.not_relayed >= LOST_COPIES)
				run_count(t, m);
		} else if (t->judged && ++t->copies_after > t->run.repeated_after_final) {
			t->run.repeated_after_final = t->copies_after;
			if (t->copies_after >= LOST_COPIES)
				run_count(t, m);
		}
		if (t->counted)
			run_reach(t, m);
		return;
	}
	unanswered_settle(t, m);
	bare = t->pending_ns != NS_NONE;
	if (t->run.last_request.frame && ns_minus(m->at.at_ns, t->run.last_request.at_ns) > CHAIN_NS &&
	    t->pending_ns != NS_NONE &&
		ns_minus(m->at.at_ns, t->pending_ns) > CHAIN_NS)
		chain_forget(t);
	t->answered_after_ns = t->pending_ns != NS_NONE ? ns_minus(m->at.at_ns, t->pending_ns) : 0;
	t->open = true;
	t->judged = t->counted = t->final_astray = t->final_beyond = false;
	t->copies_after = 0;
	t->request_copies = 1;
	t->request = t->run.last_request = m->at;
	t->src = m->src;
	t->dst = m->dst;
	t->vias = sip->via_count;
	t->rport = sip->via.has_rport;
	t->named = (struct endpoint){ .port = sip->via.has_port ? sip->via.port : PORT_SIP };
	address_parse(sip->via.host, &t->named.addr);
	credentials_look(t, sip);
	t->cut = sip->flaws & SIP_FLAW_HEADERS_CUT;
	if (bare && !t->credentials && !t->cut)
		run_bare(t, &before, m);
	t->pending_ns = NS_NONE;
	silence_reach(t, m);
}

/* "nonce has changed", "Stale nonce", "Nonce expired": without stale=true (RFC 7616 3.3) the words alone say it. */
static bool says_nonce(struct span reason)
{
	return span_find_text_nocase(reason, SPAN("nonce")) < reason.n;
}

/*
 * Somebody else asks, a proxy before the registrar or that behind it: what satisfied the one is no answer to the other.
 */
static bool asks_for_another(const struct trial *t, const struct sip_message *sip)
{
	const struct trial_nonce *n = nonce_find(t, t->nonce);
	bool other = false;
	struct sip_digest d;

	for (unsigned i = 0; n && n->realm && i < 2; i++) {
		for (const struct sip_header *h = sip_header_find(sip, challenges[i]); h; h = sip_header_next(sip, h)) {
			if (!sip_digest_parse(h->value, &d) || !d.realm.n)
				continue;
			if (hash_of(d.realm) == n->realm)
				return false;
			other = true;
		}
	}
	return other;
}

/* The registrar took this nonce before and names another one now: it is used up, and nothing is said of the password. */
static bool used_up(const struct trial *t, const struct sip_digest *d)
{
	return t->nonce && t->nonce == t->taken_nonce && !is_replayed(t) && d->nonce.n && hash_of(d->nonce) != t->nonce;
}

static void take_challenge(struct trial *t, const struct message *m, const struct sip_message *sip)
{
	struct sip_digest d;
	bool asks = digest_of(sip, SIP_H_WWW_AUTHENTICATE, SIP_H_PROXY_AUTHENTICATE, &d), stale = asks && d.stale;

	if (t->credentials && !t->issued && t->nonce) {      /* issued meanwhile: the challenge was late */
		t->newest = is_newest(t, nonce_find(t, t->nonce));
		t->issued = nonce_find(t, t->nonce) != NULL;
	}
	t->run.challenge = m->status;
	if (!t->credentials || !t->issued || asks_for_another(t, sip) || (asks && !stale && t->newest && used_up(t, &d))) {
		t->run.challenges++;
	} else if (stale) {
		t->run.stale_row = t->newest ? t->run.stale_row + 1 : 0;
		if (t->run.stale_row > t->run.stale_most)
			t->run.stale_most = t->run.stale_row;
		run_count(t, m);
		run_refusal(t, m);
	} else if (t->newest || t->run.old_nonce > 1) {
		t->run.refused++;
		t->run.refused_moved += t->challenged.port && !endpoint_equal(&t->challenged, &t->src);
		t->run.nonce_gone += says_nonce(phrase_span(m->reason));
		if (t->answered_after_ns > t->run.answered_late_ns)
			t->run.answered_late_ns = t->answered_after_ns;
		t->run.stale_row = 0;
		run_count(t, m);
		run_refusal(t, m);
	} else {
		t->run.challenges++;
	}
	challenge_note(t, sip, m->at.at_ns);
	if (t->cut)
		t->pending_ns = NS_NONE;     /* it may refuse credentials: what follows need not answer it */
}

static void take_success(struct trial *t, const struct message *m, bool binds, bool found, uint32_t granted_s)
{
	t->mismatch_accepted |= t->run.uri_differs && t->credentials;
	t->taken_nonce = t->nonce;
	t->taken_nc = t->nc;
	if (binds && !found) {
		run_count(t, m);
		run_refusal(t, m);
		t->run.no_binding = true;
		t->run.status = m->status;
		return;
	}
	run_end(t, m->at.at_ns);
	if (binds)
		t->bound_until_ns = ns_add(m->at.at_ns, granted_s * SECOND_NS);
}

void trial_final(struct trial *t, const struct message *m, const struct sip_message *sip, bool binds, bool found,
	uint32_t granted_s)
{
	uint64_t seconds;

	t->judged = true;
	t->copies_after = 0;
	t->final_beyond = address_known(&t->src.addr) && sip->via_count > t->vias;
	t->final_astray = address_known(&t->src.addr) && !t->final_beyond && !endpoint_equal(&m->dst, &t->src);
	t->final_to = m->dst;
	t->final_from = m->src;
	t->final = m->at;
	t->run.copies -= t->request_copies < t->run.copies ? t->request_copies : t->run.copies;
	t->run.credentials = t->credentials;
	if (m->status < 300) {
		take_success(t, m, binds, found, granted_s);
		return;
	}
	if (m->status == 401 || m->status == 407) {
		take_challenge(t, m, sip);
		return;
	}
	t->pending_ns = NS_NONE;
	run_count(t, m);
	run_refusal(t, m);
	t->run.status = m->status;
	t->run.brief += m->status == 423;
	if (span_number(span_first(sip_header_value(sip, SIP_H_MIN_EXPIRES), 9), UINT32_MAX, &seconds))
		t->run.least_s = (uint32_t)seconds;
	t->run.forbidden_credentials |= m->status == 403 && t->credentials && t->issued;
	if (span_number(span_first(sip_header_value(sip, SIP_H_RETRY_AFTER), 9), UINT32_MAX, &seconds))
		t->run.retry_after_s = (uint32_t)seconds;
}

void trial_handed_on(struct trial *t, const struct message *m, const struct sip_message *sip)
{
	if (!t->final_beyond || sip->via_count > t->vias)
		return;
	t->final_beyond = false;
	t->run.not_relayed = 0;
	if (m->status < 300)
		run_end(t, m->at.at_ns);
}

void trial_late(struct trial *t, const struct message *m, const struct sip_message *sip)
{
	t->run.late++;
	if (!t->before_open || t->run.unanswered == 0)
		return;
	t->before_open = false;
	t->run.unanswered--;
	t->run.tries -= t->run.tries > 0;
	t->run.copies = t->request_copies;
	t->run.copies_most = t->request_copies;
	if (m->status != 401 && m->status != 407)
		return;
	challenge_note(t, sip, m->at.at_ns);
	t->pending_ns = NS_NONE;     /* what it asks for is under way */
}
