/* SPDX-License-Identifier: MIT */
/* trial: keeps account of tries to register. */
#include "analyzer/calls/trial.h"

#include "captures/base/text.h"
#include "dissect/sip_digest.h"
#include "dissect/sip_message.h"

#define CHAIN_NS (40 * SECOND_NS)     /* tries further apart are not about the same nonce */
#define RECOVER_NS (60 * SECOND_NS)

enum {
	PORT_SIP = 5060,
	LOST_COPIES = 3              /* of a request whose answer was sent: no coincidence any more */
};

void trial_init(struct trial *t)
{
	*t = (struct trial){ .recovered_ns = NS_NONE, .bound_until_ns = NS_NONE, .pending_ns = NS_NONE };
}

/* ---- credentials ---- */

static uint64_t hash_of(struct span s)
{
	return hash_bytes(s.p, s.n) | 1;
}

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

static bool is_sha256(struct span algorithm)
{
	return span_starts_nocase(algorithm, SPAN("SHA-256"));
}

/* What no registrar can accept, whatever the password: RFC 7616 3.4. */
static bool is_malformed(const struct trial *t, const struct sip_digest *d)
{
	struct span algorithm = d->algorithm.n ? d->algorithm : SPAN("MD5");

	if (d->response.n != (is_sha256(algorithm) ? 64u : 32u) || !is_hex(d->response))
		return !span_starts_nocase(algorithm, SPAN("SHA-512"));
	if (d->qop.n && (!d->nc.n || !d->cnonce.n))
		return true;
	return t->algorithm && span_equal_nocase(algorithm, SPAN("MD5")) && t->algorithm == hash_of(SPAN("sha-256"));
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

static unsigned nonce_place(const struct trial *t, uint64_t nonce)
{
	for (unsigned i = 0; i < TRIAL_NONCES; i++) {
		if (t->nonces[i] == nonce)
			return i;
	}
	return TRIAL_NONCES;
}

static void credentials_look(struct trial *t, const struct sip_message *sip)
{
	struct sip_digest d;
	unsigned place;

	t->credentials = t->issued = t->newest = false;
	t->nonce = 0;
	if (!digest_of(sip, SIP_H_AUTHORIZATION, SIP_H_PROXY_AUTHORIZATION, &d) || !d.response.n)
		return;
	t->credentials = true;
	t->nonce = d.nonce.n ? hash_of(d.nonce) : 0;
	place = t->nonce ? nonce_place(t, t->nonce) : TRIAL_NONCES;
	t->issued = place < TRIAL_NONCES || (t->nonce && t->nonce == t->run.kept_nonce);
	t->newest = place == 0;
	if (!t->issued)
		return;
	t->run.old_nonce += !t->newest;
	t->run.kept_nonce = t->newest ? t->run.kept_nonce : t->nonce;
	t->run.wrong_realm |= t->realm && t->realm != hash_of(d.realm);
	t->run.malformed |= is_malformed(t, &d);
	t->run.uri_differs |= d.uri.n && !same_uri(d.uri, sip->uri);
	t->run.user_differs |= d.username.n && !span_equal(d.username, sip->to.user) &&
		!span_starts(d.username, sip->to.user);
}

static void challenge_note(struct trial *t, const struct sip_message *sip, int64_t at_ns)
{
	struct sip_digest d;

	t->pending_ns = at_ns;
	if (!digest_of(sip, SIP_H_WWW_AUTHENTICATE, SIP_H_PROXY_AUTHENTICATE, &d) || !d.nonce.n)
		return;
	if (t->nonces[0] == hash_of(d.nonce))
		return;
	for (unsigned i = TRIAL_NONCES - 1; i > 0; i--)
		t->nonces[i] = t->nonces[i - 1];
	t->nonces[0] = hash_of(d.nonce);
	t->realm = d.realm.n ? hash_of(d.realm) : 0;
	t->algorithm = is_sha256(d.algorithm) ? hash_of(SPAN("sha-256")) : hash_of(SPAN("md5"));
}

/* ---- the run ---- */

static void run_reach(struct trial *t, const struct message *m)
{
	if (t->run.tries == 0 || t->run.first_ns == NS_NONE || m->at.at_ns < t->run.first_ns)
		t->run.first_ns = m->at.at_ns;
	if (t->run.tries == 0 || m->at.at_ns > t->run.last_ns)
		t->run.last_ns = m->at.at_ns;
}

/* The try in hand belongs to the run: begun, if it is its first. */
static void run_count(struct trial *t, const struct message *m)
{
	if (t->counted)
		return;
	t->counted = true;
	run_reach(t, m);
	if (t->run.tries == 0) {
		t->run.first_request = t->request;
		if (t->request.frame && t->request.at_ns < t->run.first_ns)
			t->run.first_ns = t->request.at_ns;
		t->run.was_bound = true;
	}
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
	t->realm = t->algorithm = 0;
}

void trial_request(struct trial *t, const struct message *m, const struct sip_message *sip, bool again)
{
	bool bare;

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
		t->run.bare_again++;
	t->pending_ns = NS_NONE;
	silence_reach(t, m);
}

/* "nonce has changed", "Stale nonce", "Nonce expired": without stale=true (RFC 7616 3.3) the words alone say it. */
static bool says_nonce(struct span reason)
{
	return span_find_text_nocase(reason, SPAN("nonce")) < reason.n;
}

static void take_challenge(struct trial *t, const struct message *m, const struct sip_message *sip)
{
	struct sip_digest d;
	bool stale = digest_of(sip, SIP_H_WWW_AUTHENTICATE, SIP_H_PROXY_AUTHENTICATE, &d) && d.stale;

	if (t->credentials && !t->issued && t->nonce) {      /* issued meanwhile: the challenge was late */
		t->newest = nonce_place(t, t->nonce) == 0;
		t->issued = nonce_place(t, t->nonce) < TRIAL_NONCES;
	}
	t->run.challenge = m->status;
	if (!t->credentials || !t->issued) {
		t->run.challenges++;
	} else if (stale) {
		t->run.stale_row = t->newest ? t->run.stale_row + 1 : 0;
		if (t->run.stale_row > t->run.stale_most)
			t->run.stale_most = t->run.stale_row;
		run_count(t, m);
		run_refusal(t, m);
	} else if (t->newest || t->run.old_nonce > 1) {
		t->run.refused++;
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
	if (binds && !found && granted_s) {
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
