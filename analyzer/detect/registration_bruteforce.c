/* SPDX-License-Identifier: MIT */
/*
 * registration-bruteforce: somebody guesses passwords. Credentials are compared, never shown. Finding page 5, section
 * 5.
 */
#include <stdio.h>

#include "analyzer/detect/say.h"
#include "analyzer/detect/source_say.h"

static const char *const reasons[] = { "password-guessing", "user-sweep", "distributed", "nonce-harvest", "success",
	NULL };

static const struct detector_doc doc = {
	.says = "somebody guesses passwords",
	.symptom = "Alerts of failed logins, a locked account; later calls abroad that nobody made.",
	.evidence = "Credentials over a nonce that was issued to the source, refused again and again; different answers to one and the same challenge.",
	.mimics = "A phone with an old password, an office whose passwords were changed, someone who mistypes, copies of one request.",
	.fix = "Limit failed registrations by source, allow known networks only, long random passwords; after a success change the password at once.",
	.reasons = reasons,
};

static const struct config_key keys[] = { { 0 } };

enum { LIKELY_REJECTIONS = 20, EFFECTIVE_MINUTES = 3 };

struct guess {
	const struct source *x;
	const struct source_user *u; /* the account taken, else tried most; NULL none */
	const char *reason;
	enum severity severity;
	enum confidence confidence;
};

static enum confidence confidence_of(const struct detection *d, const struct source *x)
{
	const struct source_user *u = x->victim;

	if (x->guess_certain)
		return CONFIDENCE_CERTAIN;
	if (x->guess == GUESS_NONCES)
		return CONFIDENCE_POSSIBLE;
	if (x->guess == GUESS_USERS)
		return x->hides || x->guess_apart ? CONFIDENCE_POSSIBLE : CONFIDENCE_LIKELY;
	if (u && (u->rejected >= LIKELY_REJECTIONS ||
	    u->rejections.minute >= 2 * detection_config(d, "security", "bf-fail-per-min") + 2))
		return CONFIDENCE_LIKELY;
	return CONFIDENCE_POSSIBLE;
}

static struct guess guess_of(const struct detection *d, const struct source *x)
{
	static const char *const names[] = {
		[GUESS_NONE] = "password-guessing", [GUESS_NONCES] = "nonce-harvest", [GUESS_USERS] = "user-sweep",
			[GUESS_PASSWORD] = "password-guessing",
	};
	struct guess g = { .x = x, .u = x->victim, .reason = names[x->guess], .severity = SEVERITY_ERROR,
		.confidence = confidence_of(d, x) };

	if (x->guess == GUESS_PASSWORD && x->victims > 1 && x->victims * 2 > x->victim->rejected)
		g.reason = "user-sweep";
	if (g.confidence == CONFIDENCE_POSSIBLE)
		g.severity = SEVERITY_WARNING;
	if (x->guessed) {
		g.reason = "success";
		g.severity = SEVERITY_CRITICAL;
		g.confidence = CONFIDENCE_CERTAIN;
	}
	return g;
}

static void tell_title(struct finding *f, const struct guess *g)
{
	char at[ADDRESS_TEXT];

	address_text(&g->x->addr, at);
	if (g->x->guessed)
		finding_title(f, "%s guessed the password of %s", at, g->u->user);
	else if (strcmp(g->reason, "nonce-harvest") == 0)
		finding_title(f, "%s collects challenges", at);
	else if (strcmp(g->reason, "user-sweep") == 0)
		finding_title(f, "%s tries passwords on %s accounts", at, SAY_COUNT(g->x->victims));
	else
		finding_title(f, "%s guesses the password of %s", at, g->u ? g->u->user : "an account");
}

/* The server goes on answering above the limit, or stops. */
static void tell_limit(struct finding *f, const struct facts *facts, const struct guess *g, unsigned limit)
{
	char server[SAY_TEXT];

	if (g->u && g->x->rejected_minutes >= EFFECTIVE_MINUTES)
		text_addf(&f->cause,
			" More than %u a minute are answered for minutes: no rate limit is effective on %s.", limit,
			  say_host(facts, &g->u->server.addr, server));
}

static void tell_cause(struct detection *d, struct finding *f, const struct guess *g)
{
	const struct facts *facts = detection_facts(d);
	const struct source *x = g->x;
	char at[ADDRESS_TEXT], server[SAY_TEXT] = "the server", lasted[32], when[NS_TEXT];

	address_text(&x->addr, at);
	if (g->u)
		say_host(facts, &g->u->server.addr, server);
	if (x->guess == GUESS_NONCES) {
		finding_cause(f, "Source address %s asked %s for %s challenges and used %s of them.", at, server,
			SAY_COUNT(x->challenges), SAY_COUNT(x->used));
		return;
	}
	finding_cause(f, "%s offered %s wrong credentials for %s account%s on %s in %s", at, SAY_COUNT(x->rejected), SAY_COUNT(x->victims),
		x->victims == 1 ? "" : "s", server,
		      source_span(x->rejected_from_ns, x->rejected_to_ns, lasted, sizeof lasted));
	if (x->guessed)
		text_addf(&f->cause, "; then %s was accepted from there at %s: its password is known to %s", g->u->user,
			  source_when(g->u->accepted_ns, when), at);
	text_add(&f->cause, ".");
	if (x->same_challenge >= 3)
		text_add(&f->cause,
			" One challenge was answered in different ways, so different passwords were tried.");
	if (x->marks & MARK_AGENT)
		text_addf(&f->cause, " Its User-Agent is %s, a scanner's.", x->agent);
	if (source_inside(facts, x))
		text_add(&f->cause, " It is a host of this site: it may be compromised.");
	if (!x->guessed)
		tell_limit(f, facts, g, (unsigned)detection_config(d, "security", "bf-fail-per-min"));
}

static void tell_fix(struct finding *f, const struct facts *facts, const struct guess *g)
{
	char at[ADDRESS_TEXT], when[NS_TEXT];

	address_text(&g->x->addr, at);
	if (g->x->guessed)
		finding_fix(f, "Now: delete the binding %s%s, change the password of %s, block %s, stop international routes, read the call records since %s.",
			    g->u->contact_text, g->u->contact_text[0] ? "" : "of that address", g->u->user, at,
			    source_when(g->u->accepted_ns, when));
	else if (source_inside(facts, g->x))
		finding_fix(f, "Find out what runs on %s. Limit failed registrations on the server, use long random passwords.", at);
	else
		finding_fix(f, "Limit failed registrations to 5 a minute and source, allow known networks only, use long random passwords, and let the server "
			    "answer unknown users like known ones. Block %s.", at);
}

static void add_evidence(struct finding *f, const struct guess *g)
{
	const struct source *x = g->x;

	finding_part(f, PART_CULPRIT, &(struct endpoint){ x->addr, 0 });
	if (x->first_at.frame)
		finding_evidence(f, x->first_at, "its first request");
	if (x->same_challenge_at.frame && x->same_challenge >= 3)
		finding_evidence(f, x->same_challenge_at, "another response to the same challenge");
	if (!g->u)
		return;
	finding_part(f, PART_WITNESS, &g->u->server);
	if (x->guessed)
		finding_evidence(f, g->u->accepted_at, "credentials for %s accepted%s%s", g->u->user,
			g->u->contact_text[0] ? ", Contact " : "",
				 g->u->contact_text);
	for (unsigned i = 0; i < g->u->rejected_frames; i++)
		finding_evidence(f, g->u->rejected_at[i], "credentials for %s refused", g->u->user);
	if (g->u->rejected > g->u->rejected_frames)
		finding_evidence(f, g->u->rejected_last_at, "the last refusal");
}

static void tell(struct detection *d, const struct guess *g)
{
	const struct facts *facts = detection_facts(d);
	struct finding *f = detection_raise_keyed(d, endpoint_key(&(struct endpoint){ g->x->addr, 0 }), g->reason,
		g->severity, g->confidence);

	tell_title(f, g);
	tell_cause(d, f, g);
	tell_fix(f, facts, g);
	add_evidence(f, g);
	source_times(f, g->x);
	f->count = g->x->rejected ? g->x->rejected : g->x->challenges;
	if (g->x->hides)
		finding_cannot_see(f, "which source it is: most users of the server come through this address, so rules by source say nothing of it");
	else if (g->x->guess == GUESS_USERS && g->x->guess_apart)
		finding_cannot_see(f, "whether they are phones of one model behind one address: each account is tried from a port of its own, and too seldom to tell");
	else if (g->confidence == CONFIDENCE_POSSIBLE)
		finding_cannot_see(f, "whether it is one phone with an old password: too few tries, and nothing is known of the address");
}

/* ---- one account, many sources ---- */

static void tell_spread(struct detection *d, const struct source_aor *a)
{
	struct finding *f = detection_raise_keyed(d,
		hash_mix(endpoint_key(&(struct endpoint){ a->server, 0 }), hash_bytes(a->user, strlen(a->user))),
						  "distributed", SEVERITY_ERROR, CONFIDENCE_LIKELY);
	unsigned have = a->count < SOURCE_EXACT ? a->count : SOURCE_EXACT;
	int64_t first_ns = INT64_MAX, last_ns = NS_NONE;
	char server[SAY_TEXT];

	for (unsigned i = 0; i < have; i++) {
		finding_part(f, PART_CULPRIT, &(struct endpoint){ a->rejected[i].from, 0 });
		first_ns = a->rejected[i].at_ns < first_ns ? a->rejected[i].at_ns : first_ns;
		last_ns = a->rejected[i].at_ns > last_ns ? a->rejected[i].at_ns : last_ns;
		if (i < 6)
			finding_evidence(f, a->rejected[i].at, "credentials for %s refused", a->user);
	}
	finding_title(f, "Many addresses guess the password of %s", a->user);
	finding_cause(f,
		"%u wrong credentials for %s came to %s from addresses of unrelated networks within ten minutes.",
		a->count, a->user,
		      say_host(detection_facts(d), &a->server, server));
	finding_fix(f, "Give %s a new long random password, allow its registration from known networks only.", a->user);
	finding_times(f, first_ns, last_ns);
	f->count = a->count;
}

/* Told by a source already. */
static bool told_by_source(const struct facts *facts, const struct source_aor *a)
{
	const struct source *x = sources_find(facts->sources, &a->rejected[(a->count - 1) % SOURCE_EXACT].from);

	return x && x->guess >= GUESS_USERS;
}

static void on_event(struct detection *d, const struct event *ev)
{
	const struct facts *facts = detection_facts(d);
	unsigned told = 0, phones = 0;

	(void)ev;
	if (facts->capture->no_clock) {
		detection_withhold(d, NULL, "G10", "all frames have one time: how many a second is not known");
		return;
	}
	LIST_EACH(it, sources_in_order(facts->sources)) {
		const struct source *x = LIST_ENTRY(it, struct source, in_order);
		struct guess g;

		phones += x->phone_like;
		if (x->guess == GUESS_NONE)
			continue;
		g = guess_of(d, x);
		tell(d, &g);
		told++;
	}
	LIST_EACH(it, sources_aors(facts->sources)) {
		const struct source_aor *a = LIST_ENTRY(it, struct source_aor, in_order);

		if (!a->spread || told_by_source(facts, a))
			continue;
		tell_spread(d, a);
		told++;
	}
	if (!told)
		detection_pass(d, NULL, phones ? "what was refused so often comes from one phone that retries" :
			       "no source has so many credentials refused as a guess needs");
}

const struct detector detect_registration_bruteforce = {
	.id = "registration-bruteforce", .doc = &doc, .keys = keys, .event = on_event,
	.events = EVENT_BIT(EVENT_JUDGE_CAPTURE),
	.scope = GLOBAL, .usual = SEVERITY_ERROR, .possible_max = SEVERITY_WARNING,
};
