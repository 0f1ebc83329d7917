/* SPDX-License-Identifier: MIT */
/* registration-failed: a device cannot register, and why. RFC 3261 10, 22; a first challenge is the way it goes. */
#include "analyzer/detect/registration_failed.h"

#include <stdlib.h>

#include "analyzer/detect/icmp_about.h"
#include "analyzer/detect/icmp_says.h"
#include "analyzer/detect/registration_lapsed.h"
#include "analyzer/network/source.h"

static const char *const reasons[] = {
	"bad-credentials", "wrong-realm", "digest-uri-mismatch", "digest-malformed", "nonce-ignored", "stale-loop",
	"challenge-unanswered", "reply-lost-nat",
	"reply-lost-in-path", "reply-not-relayed", "no-response", "icmp-unreachable", "forbidden", "unknown-user", "interval-too-brief",
	"redirected", "server-error", "bad-request",
	"binding-missing", "expired-unrefreshed", NULL,
};

static const struct detector_doc doc = {
	.says = "a phone cannot register, and why",
	.symptom = "\"No service\" on the display, the phone cannot be called, it loses inbound calls.",
	.evidence = "Every REGISTER with its answer: nonce, realm, URI and form of the credentials, copies sent after an answer, ICMP errors; until when it was granted.",
	.mimics = "The 401 of every refresh, a cached nonce, 423 followed by a longer Expires, one wrong password that is corrected within a minute.",
	.fix = "By reason: the account's password or user, NAT support of the registrar, the path to it, its clock or nonce secret.",
	.reasons = reasons,
};

static const struct config_key keys[] = {
	{ "mass", 5, "accounts", 2, 10000, "field: so many with one cause at one registrar are its fault, not theirs" },
	{ "mass-window-s", 60, "s", 1, 3600, "field" },
	{ "stale-max", 3, "challenges", 2, 20, "pjproject gives up at three" },
	{ "tail-s", 32, "s", 1, 300, "RFC 3261 17.1.2.2: 64 T1" },
	{ 0 },
};

enum { COPIES_ENOUGH = 4, LOST_COPIES = 3, BARE_ENOUGH = 2, BRIEF_ENOUGH = 3,
	MAPPING_SURE = 80            /* weight: two points or rport say so */ };

#define T2_NS (4 * SECOND_NS)

/* ---- what went wrong ---- */

static bool icmp_quotes(const struct registration_verdict *v, const struct icmp_record *i)
{
	int64_t from_ns = verdict_began_ns(v), to_ns = ns_add(verdict_ended_ns(v), 5 * SECOND_NS);

	return address_equal(&i->src.addr, &v->r->source.addr) && i->at.at_ns >= from_ns && i->at.at_ns <= to_ns;
}

static void look_for_icmp(const struct facts *facts, struct registration_verdict *v)
{
	uint32_t hash = icmp_hash(&v->r->registrar);

	for (struct hash_link *it = hash_first(facts->icmp_by_dst, hash); it; it = it->next) {
		const struct icmp_record *i = HASH_ENTRY(it, struct icmp_record, by_dst);

		if (it->hash != hash || !endpoint_equal(&i->dst, &v->r->registrar) || !icmp_quotes(v, i))
			continue;
		v->icmp++;
		if (!v->icmp_first || i->at.at_ns < v->icmp_first->at.at_ns)
			v->icmp_first = i;
	}
}

/* Tries that nothing came back for, the one that goes on counted when it has been waited for. */
static unsigned silent_tries(struct detection *d, const struct registration_verdict *v)
{
	const struct trial *t = v->r->trial;
	int64_t end_ns = detection_facts(d)->capture->last_ns, tail_ns = (int64_t)(detection_key(d, "tail-s") * 1e9);
	bool waited = v->run == &t->run && t->open && !t->judged && ns_minus(end_ns, t->request.at_ns) >= tail_ns;

	return v->run->unanswered + waited;
}

static void judge_silence(struct detection *d, struct registration_verdict *v)
{
	const struct trial_run *run = v->run;
	struct silence s = { .src = v->r->source, .dst = v->r->registrar, .first_ns = run->silent_from_ns,
		.last_ns = run->silent_to_ns, .copies = run->copies_most, .stream_transport = run->stream };
	const char *gate;

	if (run->copies_most < COPIES_ENOUGH && silent_tries(d, v) < 2)
		return;
	if (run->late) {
		detection_pass(d, "G10", "answers are there, out of order");
		return;
	}
	gate = silence_gate(detection_facts(d), &s, detection_key(d, "tail-s"), &v->witness);
	if (gate) {
		detection_pass(d, gate, "%s", silence_gate_text(gate));
		if (strcmp(gate, "end") != 0)
			detection_withhold(d, NULL, gate, "%s", silence_gate_text(gate));
		return;
	}
	v->reason = "no-response";
	v->confidence = witness_confidence(v->witness, CONFIDENCE_LIKELY);
}

/* The registrar's answer reached a proxy, which should have handed it to the phone: where that would be seen. */
static bool proxy_keeps_answer(struct detection *d, struct registration_verdict *v)
{
	const struct trial_run *run = v->run;
	struct silence s = { .src = v->r->source, .dst = run->asked_at, .first_ns = run->first_ns,
		.last_ns = run->last_ns, .copies = run->not_relayed };
	enum witness witness;

	return run->not_relayed >= LOST_COPIES &&
	       !silence_gate(detection_facts(d), &s, detection_key(d, "tail-s"), &witness);
}

bool verdict_only_old(const struct trial_run *run)
{
	return run->nonce_gone && run->nonce_gone == run->refused && !run->forbidden_credentials && !run->wrong_realm;
}

/* What it says with its 403 is that the account is full or shut, which no password changes. */
static bool says_full(const struct trial_run *run)
{
	static const char *const words[] = { "max", "limit", "too many", "contacts", "disabled", "suspended", "barred" };
	struct span phrase = span_of(run->phrase);

	for (size_t i = 0; run->phrase_status == 403 && i < sizeof words / sizeof words[0]; i++) {
		if (span_find_text_nocase(phrase, span_of(words[i])) < phrase.n)
			return true;
	}
	return false;
}

/* Credentials over the nonce that was just issued, and not accepted. */
static bool judge_credentials(struct detection *d, struct registration_verdict *v)
{
	const struct trial_run *run = v->run;

	if (run->stale_most >= detection_key(d, "stale-max")) {
		v->reason = "stale-loop";
		v->confidence = CONFIDENCE_CERTAIN;
		return true;
	}
	if (run->refused == 0 && !run->forbidden_credentials)
		return false;
	if (verdict_only_old(run)) {
		v->reason = "stale-loop";
		v->confidence = CONFIDENCE_LIKELY;
		return true;
	}
	v->confidence = CONFIDENCE_CERTAIN;
	if (run->refused == 0 && says_full(run)) {
		v->reason = "forbidden";
	} else if (run->wrong_realm) {
		v->reason = "wrong-realm";
	} else if (run->old_nonce >= 2) {
		v->reason = "nonce-ignored";
	} else if (run->malformed) {
		v->reason = "digest-malformed";
	} else {
		v->reason = run->uri_differs &&
			!v->r->trial->mismatch_accepted ? "digest-uri-mismatch" : "bad-credentials";
		v->confidence = CONFIDENCE_LIKELY;
	}
	return true;
}

static const char *reason_of_status(const struct trial_run *run, bool over)
{
	unsigned status = run->status;

	if (run->no_binding)
		return "binding-missing";
	if (status == 403)
		return "forbidden";
	if (status == 404 || status == 604 || status == 410)
		return "unknown-user";
	if (status == 423)
		return run->brief >= BRIEF_ENOUGH ? "interval-too-brief" : NULL;
	if (status / 100 == 3)
		return over ? "redirected" : NULL;
	if (status / 100 == 5 || status / 100 == 6)
		return "server-error";
	return status ? "bad-request" : NULL;
}

/* Who is at the site's door without credentials is no phone of it. */
static bool stranger_tries(const struct facts *facts, const struct registration_verdict *v)
{
	return !v->run->credentials && !v->run->refused && !v->r->succeeded &&
	       site_stranger(facts->site, &v->r->source.addr, &v->r->registrar.addr);
}

/*
 * The last try has credentials and no answer, or the last challenge has had none although those before had theirs, and
 * for longer than between two tries nothing more is asked: it came to an end that the capture has missed.
 */
static bool ends_unseen(const struct facts *facts, const struct registration_verdict *v)
{
	const struct trial *t = v->r->trial;
	int64_t pause_ns, since_ns = NS_NONE;

	if (v->run != &t->run || t->run.stream || t->run.tries < 2)
		return false;
	if (t->open && !t->judged && t->credentials && t->request_copies == 1)
		since_ns = t->request.at_ns;
	else if (t->judged && !t->credentials && !t->cut)
		since_ns = t->pending_ns;
	pause_ns = ns_minus(t->run.last_ns, t->run.first_ns) / (t->run.tries - 1);
	return since_ns != NS_NONE &&
	       ns_minus(facts->capture->last_ns, since_ns) > T2_NS + 2 * pause_ns;
}

bool verdict_names_other_port(const struct registration_verdict *v)
{
	const struct trial *t = v->r->trial;

	return verdict_is(v, "reply-lost-in-path") && !t->rport && t->named.port && t->named.port != t->src.port &&
	       address_equal(&t->named.addr, &t->src.addr) && endpoint_equal(&t->final_to, &t->src);
}

const struct icmp_record *verdict_refused_answer(const struct facts *facts, const struct registration_verdict *v)
{
	const struct endpoint *to = &v->r->trial->src;
	uint32_t hash = icmp_hash(to);

	for (struct hash_link *it = hash_first(facts->icmp_by_dst, hash); it; it = it->next) {
		const struct icmp_record *i = HASH_ENTRY(it, struct icmp_record, by_dst);

		if (it->hash == hash && endpoint_equal(&i->dst, to) && icmp_no_port(i) &&
		    address_equal(&i->src.addr, &v->r->registrar.addr))
			return i;
	}
	return NULL;
}

/* Its last answer: where it came from and went to. */
static bool from_other_face(const struct facts *facts, const struct registration *r)
{
	const struct trial *t = r->trial;
	const struct address *asked = &r->registrar.addr, *from = &t->final_from.addr;
	struct endpoint whole = { .addr = t->src.addr }, image = { .port = 0 };
	unsigned weight;

	if (!address_known(from) || address_equal(from, asked) || address_private(from) != address_private(asked) ||
	    network_same(facts->network, from, asked))
		return false;
	return address_equal(&t->final_to.addr, &t->src.addr) ||
	       (network_public_of(facts->network, &whole, false, &image, &weight) &&
		address_equal(&image.addr, &t->final_to.addr));
}

/* Captured on both sides of the phone's NAT: the answers go to where its requests come from out there. */
static bool goes_to_own_mapping(const struct facts *facts, const struct registration_verdict *v)
{
	struct endpoint image;
	unsigned weight;

	return network_public_of(facts->network, &v->r->trial->src, false, &image, &weight) && weight >= MAPPING_SURE &&
	       endpoint_equal(&image, &v->run->misdirected_to);
}

bool verdict_other_face(const struct facts *facts, const struct registration_verdict *v)
{
	return verdict_is(v, "reply-lost-in-path") && !v->past && from_other_face(facts, v->r);
}

static void judge(struct detection *d, struct registration_verdict *v)
{
	const struct facts *facts = detection_facts(d);
	const struct trial_run *run = v->run;
	bool over = facts->capture->last_ns - run->last_ns >= (int64_t)(detection_key(d, "tail-s") * 1e9);

	/* the outer face of the phone's router is not another place */
	if (run->misdirected && run == &v->r->trial->run && from_other_face(facts, v->r)) {
		v->reason = "reply-lost-in-path";
		v->confidence = CONFIDENCE_LIKELY;
		return;
	}
	if (run->misdirected && goes_to_own_mapping(facts, v)) {
		if (run->misdirected < LOST_COPIES) {
			detection_pass(d, NULL, "an answer got lost on its way, once or twice");
			return;
		}
		v->reason = "reply-lost-in-path";
		v->confidence = CONFIDENCE_LIKELY;
		return;
	}
	if (run->misdirected) {
		v->reason = "reply-lost-nat";
		v->confidence = CONFIDENCE_CERTAIN;
		return;
	}
	if (run->refused && ends_unseen(facts, v)) {
		detection_pass(d, "G7", "the last try was not sent again, nor another made: its answer is not in the capture");
		return;
	}
	if (judge_credentials(d, v))
		return;
	v->confidence = CONFIDENCE_CERTAIN;
	v->reason = reason_of_status(run, over);
	if (v->reason && strcmp(v->reason, "redirected") == 0)
		v->confidence = CONFIDENCE_LIKELY;
	if (v->reason && stranger_tries(facts, v))
		v->reason = NULL;
	if (v->reason || (run->status && !run->not_relayed))
		return;
	if (proxy_keeps_answer(d, v)) {
		v->reason = "reply-not-relayed";
		v->confidence = CONFIDENCE_LIKELY;
		return;
	}
	if (run->repeated_after_final >= LOST_COPIES) {
		v->reason = "reply-lost-in-path";
		v->confidence = verdict_names_other_port(v) && verdict_refused_answer(facts, v) ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY;
		return;
	}
	look_for_icmp(facts, v);
	if (v->icmp && (run->unanswered || run->copies)) {
		v->reason = "icmp-unreachable";
		v->confidence = CONFIDENCE_CERTAIN;
	} else if (run->bare_again >= BARE_ENOUGH && !run->late && !stranger_tries(facts, v)) {
		v->reason = "challenge-unanswered";
		v->confidence = CONFIDENCE_LIKELY;
	} else {
		judge_silence(d, v);
	}
}

/* The run that goes on, else one that a success has ended late. */
static struct registration_verdict verdict_of(struct detection *d, const struct registration *r)
{
	struct registration_verdict v = { .r = r, .run = &r->trial->run };

	if (r->trial->run.tries || r->trial->run.bare_again || r->trial->run.copies)
		judge(d, &v);
	if (!v.reason && r->trial->past.tries) {
		v.run = &r->trial->past;
		v.past = true;
		judge(d, &v);
	}
	return v;
}

/* ---- a uri that this phone writes into all its credentials ---- */

static int pair_compare(const void *a, const void *b)
{
	const struct registration *const *x = a, *const *y = b;
	int c = address_compare(&(*x)->source.addr, &(*y)->source.addr);

	return c ? c : address_compare(&(*x)->registrar.addr, &(*y)->registrar.addr);
}

/*
 * Another account of the same phone got in at the same registrar with such a uri: then it is not what is refused here.
 */
static void excuse_uris(struct detection *d, struct registration_verdict *list, unsigned count)
{
	const struct list *all = calls_registrations(detection_facts(d)->calls);
	const struct registration **taken = memory_resize(NULL, all->count + 1, sizeof(const struct registration *));
	size_t n = 0;

	LIST_EACH(it, all) {
		const struct registration *r = LIST_ENTRY(it, struct registration, in_order);

		if (r->trial->mismatch_accepted)
			taken[n++] = r;
	}
	qsort(taken, n, sizeof(const struct registration *), pair_compare);
	for (unsigned i = 0; i < count; i++) {
		if (strcmp(list[i].reason, "digest-uri-mismatch") == 0 &&
		    bsearch(&list[i].r, taken, n, sizeof(const struct registration *), pair_compare))
			list[i].reason = "bad-credentials";
	}
	free(taken);
}

/* ---- many at once ---- */

static int verdict_compare(const void *a, const void *b)
{
	const struct registration_verdict *x = a, *y = b;
	int c = address_compare(&x->r->registrar.addr, &y->r->registrar.addr);

	if (c == 0)
		c = strcmp(x->reason, y->reason);
	if (c == 0)
		c = (x->run->first_ns > y->run->first_ns) - (x->run->first_ns < y->run->first_ns);
	return c ? c : (x->r->n > y->r->n) - (x->r->n < y->r->n);
}

static bool alike(const struct registration_verdict *x, const struct registration_verdict *y)
{
	return address_equal(&x->r->registrar.addr, &y->r->registrar.addr) && strcmp(x->reason, y->reason) == 0;
}

/* From list[0] on: as many as fail for one reason at one registrar within the time. */
static unsigned mass_of(const struct registration_verdict *list, unsigned count, int64_t window_ns)
{
	unsigned n = 1;

	while (n < count && alike(&list[0], &list[n]) &&
	       ns_minus(list[n].run->first_ns, list[0].run->first_ns) <= window_ns)
		n++;
	return n;
}

static unsigned accounts_of(const struct registration_verdict *list, unsigned count)
{
	unsigned different = 0;

	for (unsigned i = 0; i < count && different < 64; i++) {
		bool known = false;

		for (unsigned k = 0; k < i && k < 64; k++)
			known |= span_equal(list[i].r->aor, list[k].r->aor);
		different += !known;
	}
	return different;
}

static void on_event(struct detection *d, const struct event *ev)
{
	const struct facts *facts = detection_facts(d);
	const struct list *all = calls_registrations(facts->calls);
	struct registration_verdict *list = memory_resize(NULL, all->count + 1, sizeof *list);
	int64_t window_ns = (int64_t)(detection_key(d, "mass-window-s") * 1e9);
	unsigned count = 0, n, lapsed = registration_lapsed(d);

	(void)ev;
	LIST_EACH(it, all) {
		const struct registration *r = LIST_ENTRY(it, struct registration, in_order);

		if (sources_attacker(facts->sources, &r->source.addr))
			continue;        /* registration-bruteforce and sip-scan tell it once */
		list[count] = verdict_of(d, r);
		count += list[count].reason != NULL;
	}
	if (count) {
		excuse_uris(d, list, count);
		qsort(list, count, sizeof *list, verdict_compare);
	}
	for (unsigned i = 0; i < count; i += n) {
		n = mass_of(&list[i], count - i, window_ns);
		if (accounts_of(&list[i], n) >= detection_key(d, "mass")) {
			registrations_failed_say(d, &list[i], n);
			continue;
		}
		for (unsigned k = 0; k < n; k++)
			registration_failed_say(d, &list[i + k]);
	}
	if (count + lapsed == 0)
		detection_pass(d, NULL,
			"every registration that was tried succeeded or was answered as it should be (%zu of them)",
			all->count);
	free(list);
}

const struct detector detect_registration_failed = {
	.id = "registration-failed", .doc = &doc, .keys = keys, .event = on_event,
	.events = EVENT_BIT(EVENT_JUDGE_CAPTURE),
	.scope = GLOBAL, .usual = SEVERITY_ERROR, .possible_max = SEVERITY_WARNING,
};
