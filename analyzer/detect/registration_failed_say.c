/* SPDX-License-Identifier: MIT */
/* registration_failed_say: how registration-failed is told. */
#include "analyzer/detect/registration_failed.h"

#include <stdio.h>

#include "analyzer/detect/icmp_says.h"
#include "analyzer/detect/say.h"
#include "analyzer/network/source.h"

#define LATE_NS (5 * SECOND_NS)      /* a phone answers its challenge at once */

enum blame { BLAME_REGISTRAR, BLAME_DEVICE, BLAME_NOBODY };   /* whose setting the fix changes; nobody's: not known */

struct wording {
	const char *reason, *because, *fix;
	enum blame blame;
	const char *act;             /* of who is to blame, else of the registrar, for the title; NULL: it refuses */
};

static const struct wording wordings[] = {
	{ "bad-credentials", "the registrar refuses credentials over the nonce that it has just issued: password or user of the account differ",
	  "Enter the account's password again on the phone and on the PBX and check its authentication user; if the phone is right, compare with a phone that works", BLAME_NOBODY },
	{ "wrong-realm", "its credentials are for another realm than the registrar asks for",
	  "Set the realm (domain) of the account to the one of the registrar, or clear it", BLAME_DEVICE,
	  "answers for another realm" },
	{ "digest-uri-mismatch", "the uri in its credentials is not the Request-URI as it is seen here: the phone writes it so, or something on the way changes one of them",
	  "Set registrar and domain of the account to one name; look for an ALG in the router that rewrites SIP", BLAME_NOBODY },
	{ "digest-malformed", "its credentials are not what the challenge asks for, whatever the password",
	  "Update the phone's firmware, or let the registrar offer plain MD5 digest", BLAME_DEVICE,
	  "sends a faulty digest" },
	{ "nonce-ignored", "it answers fresh challenges with an old nonce", "Restart the phone, update its firmware", BLAME_DEVICE,
	  "answers with an old nonce" },
	{ "stale-loop", "the registrar calls each nonce stale that it has just issued",
	  "Check the registrar's clock, and behind a load balancer a common nonce secret or sticky sources" },
	{ "challenge-unanswered", "it asks anew instead of answering the challenge",
	  "Enter user and password of the account; check that the phone knows the algorithm of the challenge", BLAME_DEVICE,
	  "does not answer the challenge" },
	{ "reply-lost-nat", "the answers go to another place than the request came from, and it asks again and again",
	  "Switch NAT support on for this extension (answers to the source of the request, rport)",
	  .act = "answers, and its answers get lost" },
	{ "reply-lost-in-path", "answers are sent to the right place, and still it asks again",
	  "Capture at the phone: answers are lost on the way, in a firewall or router", BLAME_NOBODY,
	  "answers, and its answers get lost" },
	{ "reply-not-relayed", "the answer comes to the proxy, which does not hand it on, and the phone asks again",
	  "Look at the log and the reply routes of the proxy",
	  .act = "does not pass the registrar's answer on" },
	{ "no-response", "nothing comes back",
	  "Test the path to the registrar, its address, transport and port; capture there",
	  .act = "does not answer" },
	{ "icmp-unreachable", "the way there is refused",
	  "Check address and port of the registrar, that it runs, and what filters on the way",
	  .act = "is not reached" },
	{ "forbidden", "the registrar does not let it register",
	  "Look at the account at the registrar: blocked, its network not permitted, or too many devices" },
	{ "unknown-user", "the registrar does not know the account",
	  "Check user name and domain of the account against the registrar's", BLAME_NOBODY },
	{ "interval-too-brief", "it does not ask for the longer interval that the registrar wants",
	  "Raise the registration interval of the phone", BLAME_DEVICE,
	  "asks for too short an interval" },
	{ "redirected", "it does not go where the registrar sends it", "Enter the address that the registrar names", BLAME_DEVICE,
	  "does not go where it is sent" },
	{ "server-error", "the registrar cannot do it", "Look at the registrar's log" },
	{ "bad-request", "the registrar does not take the request as it is",
	  "Compare with a phone that works; look for an ALG that changes requests", BLAME_NOBODY },
	{ "binding-missing", "it is answered 200, but its own address is not among the bindings that the answer lists",
	  "Look at the registrar's limit of contacts for the account",
	  .act = "does not keep it" },
};

static const struct wording *wording_of(const char *reason)
{
	for (size_t i = 0; i < sizeof wordings / sizeof *wordings; i++) {
		if (strcmp(wordings[i].reason, reason) == 0)
			return &wordings[i];
	}
	return &wordings[0];
}

static void say_last_answer(const struct trial_run *run, char *text, size_t room)
{
	if (run->phrase_status && run->last_final.frame)
		snprintf(text, room, "; the last answer was %u %s", run->phrase_status, run->phrase);
	else
		*text = '\0';
}

static void add_evidence(struct finding *f, const struct registration_verdict *v)
{
	const struct trial_run *run = v->run;

	finding_evidence(f, verdict_only_copies(v) ? v->r->trial->request : run->first_request, "REGISTER, the first of these");
	if (v->icmp_first)
		finding_evidence(f, v->icmp_first->at, "ICMP error, the first of %u", v->icmp);
	for (unsigned i = 0; i < run->frame_count && i < 4; i++)
		finding_evidence(f, run->frames[i], "refused: %u", run->frame_status[i]);
	if (run->frame_count > 4)
		finding_evidence(f, run->last_final, "the last refusal: %u", run->phrase_status);
	if (strcmp(v->reason, "reply-not-relayed") == 0)
		finding_evidence(f, run->kept, "the answer of the registrar, to the proxy");
	if (!verdict_only_copies(v) && run->last_request.frame != run->first_request.frame)
		finding_evidence(f, run->last_request, "the last REGISTER");
}

/* Whose doing it is: the registrar's, or that of a proxy before it. */
static const struct endpoint *actor(const struct registration_verdict *v)
{
	return strcmp(v->reason, "reply-not-relayed") == 0 ? &v->run->asked_at : &v->r->registrar;
}

/* No 401 had anything in it that could be answered. */
static bool is_empty(const struct registration_verdict *v)
{
	return verdict_is(v, "challenge-unanswered") && v->run->asked && v->run->asked_empty == v->run->asked;
}

static enum blame blame_of(const struct registration_verdict *v)
{
	return is_empty(v) || verdict_names_other_port(v) ? BLAME_REGISTRAR : wording_of(v->reason)->blame;
}

static void add_parts(struct finding *f, const struct registration_verdict *v)
{
	enum blame blame = blame_of(v);

	finding_part(f, PART_VICTIM, &v->r->source);
	if (blame == BLAME_DEVICE)
		finding_part(f, PART_CULPRIT, &v->r->source);
	finding_part(f, blame == BLAME_REGISTRAR ? PART_CULPRIT : PART_WITNESS, actor(v));
	finding_other_id(f, v->r->call_id);
}

/* Can it be called all the same, by what it was granted before? */
static bool bound(const struct registration_verdict *v)
{
	int64_t until_ns = v->r->trial->bound_until_ns;

	return verdict_only_copies(v) ? until_ns != NS_NONE && v->run->silent_to_ns < until_ns : v->run->was_bound;
}

static enum severity severity_of(const struct registration_verdict *v)
{
	return v->past || bound(v) ? SEVERITY_WARNING : SEVERITY_ERROR;
}

/* The one in hand, too, when nothing has come back for it yet. */
static unsigned tries_of(const struct registration_verdict *v)
{
	const struct trial *t = v->r->trial;
	bool open = v->run == &t->run && t->open && !t->judged && !t->counted;

	if (verdict_is(v, "challenge-unanswered"))
		return v->run->bare_again + 1;
	return (v->run->tries ? v->run->tries : v->run->unanswered) + open;
}

static const char *because_of(const struct registration_verdict *v)
{
	if (verdict_is(v, "stale-loop") && verdict_only_old(v->run))
		return "the registrar says that the nonce of its challenge is no longer good, and nothing of the password";
	if (verdict_names_other_port(v))
		return "answers come back, and still it asks again";
	return wording_of(v->reason)->because;
}

static void tell_cause(struct finding *f, const struct facts *facts, const struct registration_verdict *v)
{
	const struct trial_run *run = v->run;
	char host[SAY_TEXT], registrar[SAY_TEXT], aor[SAY_TEXT], last[120], lasted[64] = "", to[ENDPOINT_TEXT],
		extra[100] = "";
	unsigned times = tries_of(v);

	say_host(facts, &v->r->source.addr, host);
	say_host(facts, &v->r->registrar.addr, registrar);
	text_escape(v->r->aor, aor, sizeof aor);
	say_last_answer(run, last, sizeof last);
	if (run->first_ns != NS_NONE && ns_minus(run->last_ns, run->first_ns) >= SECOND_NS)
		snprintf(lasted, sizeof lasted, " in %.0f s", (double)ns_minus(run->last_ns, run->first_ns) / 1e9);
	if (run->misdirected)
		snprintf(extra, sizeof extra, " (to %s)", endpoint_text(&run->misdirected_to, to));
	if (times < 2 && run->copies > 1)
		finding_cause(f, "%s sent %u REGISTERs for %s to %s%s%s: %s%s.", host, run->copies, aor, registrar,
			lasted, last, because_of(v),
			      extra);
	else
		finding_cause(f, "%s asked %s %u time%s%s to register %s%s: %s%s.", host, registrar, times,
			times == 1 ? "" : "s", lasted, aor, last,
			      because_of(v), extra);
}

/* One phone that tries more often than sites usually bear: it may be locked out, and others with it. */
static void tell_rate(struct detection *d, struct finding *f, const struct registration_verdict *v)
{
	const struct source *x = sources_find(detection_facts(d)->sources, &v->r->source.addr);
	char at[ADDRESS_TEXT];
	unsigned most = 0;

	for (unsigned i = 0; x && x->phone_like && i < x->user_count; i++)
		most = x->users[i].rejections.minute > most ? x->users[i].rejections.minute : most;
	if (most > detection_config(d, "security", "bf-fail-per-min"))
		text_addf(&f->cause, " Up to %u refusals a minute are more than the usual limit of %.0f: a firewall may block %s and all behind it.", most,
			  detection_config(d, "security", "bf-fail-per-min"), address_text(&x->addr, at));
}

/* Answers that go where Via says, and nobody translates between the two: the device itself names the wrong place. */
static void tell_via(struct finding *f, const struct facts *facts, const struct registration_verdict *v)
{
	const struct trial_run *run = v->run;
	const struct endpoint *src = &v->r->source, *to = &run->misdirected_to;
	char host[SAY_TEXT], registrar[SAY_TEXT], at[ENDPOINT_TEXT];

	if (!run->misdirected_by_via || address_reach(&to->addr) != address_reach(&src->addr))
		return;
	say_host(facts, &src->addr, host);
	say_host(facts, &v->r->registrar.addr, registrar);
	text_addf(&f->cause, " That is what the Via of its requests names; they come from %s%s.", endpoint_text(src, at),
		run->misdirected_rport ? " and ask for answers to their source (rport, RFC 3581)" : "");
	if (run->misdirected_rport)
		finding_fix(f, "Let %s heed rport (Asterisk: force_rport; Kamailio: force_rport()); or let %s name in Via the place that it sends from.", registrar, host);
	else if (address_equal(&to->addr, &src->addr))
		finding_fix(f, "Let %s send from the port that it names in Via, or ask for answers to its source (rport, symmetric signalling); or let %s answer to the source of requests (force_rport).", host, registrar);
	else
		finding_fix(f, "Look for the address that %s takes for its own: a fixed or STUN address, a second network card, a VPN; clear it, or switch rport on there; or let %s answer to the source of requests (force_rport).", host, registrar);
}

/* What is between the two takes the answers for a stranger's. */
static void tell_other_face(struct finding *f, const struct registration_verdict *v)
{
	char at[ADDRESS_TEXT], there[ADDRESS_TEXT];

	text_addf(&f->cause, " The answers come from %s, and %s was asked: a NAT or firewall before the phone lets none of them in.",
		address_text(&v->r->trial->final_from.addr, at), address_text(&v->r->registrar.addr, there));
	finding_fix(f, "Let the server answer from the address that it was asked at: bind SIP to each of its addresses, and no source NAT for what it sends (RFC 3581 4).");
}

/* What the phone answers so late that the registrar may have another nonce by then. */
static void tell_late(struct finding *f, const struct registration_verdict *v)
{
	const struct trial_run *run = v->run;
	double late_s = (double)run->answered_late_ns / 1e9;

	if (run->answered_late_ns < LATE_NS || (!verdict_is(v, "bad-credentials") && !verdict_is(v, "stale-loop")))
		return;
	if (verdict_is(v, "stale-loop") && verdict_only_old(run)) {
		text_addf(&f->cause, " The phone takes %.0f s to answer its challenge.", late_s);
		finding_fix(f, "Find out why the phone answers so late (name look-ups, a STUN server that is gone, an overloaded phone); let the registrar's nonces live longer than that.");
	} else if (run->nonce_gone) {
		text_addf(&f->cause, " %u time%s it says that the nonce is no longer good: the phone takes up to %.0f s to answer a challenge.",
			run->nonce_gone, run->nonce_gone == 1 ? "" : "s", late_s);
	} else {
		text_addf(&f->cause, " The phone takes up to %.0f s to answer a challenge: the nonce may be too old by then.", late_s);
	}
}

/* What few phones can answer, or none. */
static void tell_challenge(struct finding *f, const struct registration_verdict *v)
{
	const struct trial_run *run = v->run;

	if (!verdict_is(v, "challenge-unanswered") || !run->asked)
		return;
	if (is_empty(v)) {
		text_addf(&f->cause, " The %u carries no challenge: there is nothing that could be answered.",
			run->challenge);
		finding_fix(f, "Let the registrar put a challenge (WWW-Authenticate) into its %u; look for a proxy or ALG on the way that takes it out.", run->challenge);
	} else if (run->asked_int_only == run->asked) {
		text_addf(&f->cause, " The challenge offers nothing but qop=auth-int, which few phones know.");
		finding_fix(f, "Let the registrar offer qop=auth; else enter user and password of the account.");
	} else if (run->asked_no_md5 == run->asked) {
		text_addf(&f->cause, " The challenge does not offer MD5, and many phones know nothing else.");
		finding_fix(f, "Update the phone's firmware, or let the registrar offer MD5 as well; else enter user and password of the account.");
	} else if (run->asked_md5_later == run->asked) {
		text_addf(&f->cause, " The challenge offers another algorithm (SHA-256) before MD5, and some phones give up at the first that they do not know.");
		finding_fix(f, "Update the phone's firmware, or let the registrar offer MD5 first, or alone; else enter user and password of the account.");
	}
}

/* A NAT that gives each datagram another port, and a registrar that ties its nonce to the port. */
static void tell_moved(struct finding *f, const struct registration_verdict *v)
{
	const struct trial_run *run = v->run;

	if (!verdict_is(v, "bad-credentials") || run->refused == 0 || run->refused_moved < run->refused)
		return;
	text_addf(&f->cause, " Each time the credentials come from another address or port than the one that was challenged: a registrar that ties its challenge to that refuses them, whatever the password.");
	finding_fix(f, "Look why the phone's packets come from changing ports (a symmetric NAT, several WAN lines): SIP over TCP or TLS keeps to one connection. Else check the password of the account and its authentication user.");
}

/* What of the credentials is wrong. */
static void tell_digest(struct finding *f, const struct trial_run *run)
{
	switch ((enum digest_flaw)run->malformed) {
	case DIGEST_SOUND:
		break;
	case DIGEST_RESPONSE:
		text_addf(&f->cause, " The response is not as long as one of its algorithm is, or no hexadecimal number.");
		break;
	case DIGEST_NO_COUNT:
		text_addf(&f->cause, " They name a qop, and lack the count (nc) or the client's own nonce (cnonce) that go with it.");
		break;
	case DIGEST_REPLAYED:
		text_addf(&f->cause, " The nonce has been taken before, and its count (nc=%08x) does not go up: that looks like a replay of old credentials.", run->replayed_nc);
		finding_fix(f, "Update the phone's firmware: over a nonce that it uses again the count (nc) has to go up (RFC 7616 3.4); until then let the registrar give a new nonce with each challenge.");
		break;
	case DIGEST_ALGORITHM:
		text_addf(&f->cause, " Their algorithm is none of those that the challenge offers.");
		break;
	}
}

static void tell_other_port(struct finding *f, const struct facts *facts, const struct registration_verdict *v)
{
	const struct trial *t = v->r->trial;
	const struct icmp_record *icmp = verdict_refused_answer(facts, v);
	char registrar[SAY_TEXT];

	say_host(facts, &v->r->registrar.addr, registrar);
	text_addf(&f->cause, " They go to port %u, which the requests come from; their Via names port %u and does not ask for that (no rport): the phone listens at %u.",
		t->src.port, t->named.port, t->named.port);
	finding_fix(f, "Let %s answer to the port that this phone names in its Via (RFC 3261 18.2.2; NAT support, force_rport off for it); or let the phone send from the port where it listens, or ask for rport (its NAT setting).", registrar);
	if (!icmp)
		return;
	text_addf(&f->cause, " ICMP says so, too: nothing is behind port %u.", t->src.port);
	finding_evidence(f, icmp->at, "ICMP: %s", icmp_says(icmp));
}

void registration_failed_say(struct detection *d, const struct registration_verdict *v)
{
	const struct facts *facts = detection_facts(d);
	struct finding *f = detection_raise_keyed(d, v->r->n, v->reason, severity_of(v), v->confidence);
	const char *does = is_empty(v) ? "challenges with nothing to answer" : wording_of(v->reason)->act;
	char host[SAY_TEXT], user[SAY_TEXT], act[SAY_TEXT + 60], effect[SAY_TEXT + 60];

	add_parts(f, v);
	finding_times(f, verdict_began_ns(v), verdict_ended_ns(v));
	f->count = tries_of(v) ? tries_of(v) : 1;
	say_host(facts, &(blame_of(v) == BLAME_DEVICE ? &v->r->source : actor(v))->addr, host);
	if (v->r->user.n || v->r->aor.n)
		text_escape(v->r->user.n ? v->r->user : v->r->aor, user, sizeof user);
	else
		say_host(facts, &v->r->source.addr, user);
	snprintf(act, sizeof act, "%s %s", host, does ? does : "refuses it");
	snprintf(effect, sizeof effect, "%s %s register%s", user, v->past ? "could not" : "cannot",
		v->past ? " for a time" : "");
	say_title(f, act, effect);
	tell_cause(f, facts, v);
	tell_rate(d, f, v);
	finding_fix(f, "%s.", wording_of(v->reason)->fix);
	if (verdict_is(v, "interval-too-brief") && v->run->least_s)
		finding_fix(f, "%s: the registrar takes none below %u s.", wording_of(v->reason)->fix, v->run->least_s);
	tell_late(f, v);
	tell_moved(f, v);
	tell_challenge(f, v);
	if (strcmp(v->reason, "digest-malformed") == 0)
		tell_digest(f, v->run);
	if (strcmp(v->reason, "reply-lost-nat") == 0)
		tell_via(f, facts, v);
	if (verdict_names_other_port(v))
		tell_other_port(f, facts, v);
	if (verdict_other_face(facts, v))
		tell_other_face(f, v);
	add_evidence(f, v);
	if (strcmp(v->reason, "no-response") == 0 && say_silent_host(f, facts, &actor(v)->addr, "the requests"))
		finding_fix(f, "Look whether the registrar on %s runs and listens at that address and port, at its log, and at the firewall on that machine.",
			host);
	if (v->run->user_differs && v->confidence == CONFIDENCE_LIKELY)
		finding_cannot_see(f, "whether the authentication user, which is not the account's number, is right");
}

/* ---- many at once ---- */

/* An adapter for many telephones registers all of them from one socket: that is no word on the registrar. */
static bool one_device(const struct registration_verdict *list, unsigned count)
{
	for (unsigned i = 1; i < count; i++) {
		if (!endpoint_equal(&list[i].r->source, &list[0].r->source))
			return false;
	}
	return true;
}

static void mass_parts(struct finding *f, const struct registration_verdict *v, bool one)
{
	enum blame blame = one ? wording_of(v->reason)->blame : BLAME_REGISTRAR;

	finding_part(f, blame == BLAME_REGISTRAR ? PART_CULPRIT : PART_WITNESS, &v->r->registrar);
	if (blame == BLAME_DEVICE)
		finding_part(f, PART_CULPRIT, &v->r->source);
}

void registrations_failed_say(struct detection *d, const struct registration_verdict *list, unsigned count)
{
	const struct facts *facts = detection_facts(d);
	const struct registration_verdict *v = &list[0];
	enum severity worst = SEVERITY_INFO;
	struct finding *f;
	char registrar[SAY_TEXT], device[SAY_TEXT], effect[100], users[200] = "", user[40];
	bool one = one_device(list, count);

	for (unsigned i = 0; i < count; i++)
		worst = severity_of(&list[i]) > worst ? severity_of(&list[i]) : worst;
	f = detection_raise_keyed(d, v->r->n, v->reason, worst, v->confidence);
	mass_parts(f, v, one);
	finding_times(f, verdict_began_ns(v), verdict_ended_ns(v));
	for (unsigned i = 0; i < count; i++) {
		finding_part(f, PART_VICTIM, &list[i].r->source);
		finding_other_id(f, list[i].r->call_id);
		f->last_ns = list[i].run->last_ns > f->last_ns ? list[i].run->last_ns : f->last_ns;
		if (i < 5)
			snprintf(users + strlen(users), sizeof users - strlen(users), "%s%s", i ? ", " : "",
				text_escape(list[i].r->user, user, sizeof user));
	}
	f->count = count;
	say_host(facts, &v->r->registrar.addr, registrar);
	say_host(facts, &v->r->source.addr, device);
	snprintf(effect, sizeof effect, "%s %s cannot register", SAY_COUNT(count), one ? "accounts" : "phones");
	say_title(f, one ? device : registrar, effect);
	finding_cause(f, "%s accounts (%s%s) fail at %s for one reason within %.0f s: %s.", SAY_COUNT(count), users,
		count > 5 ? " ..." : "", registrar,
		      (double)(list[count - 1].run->first_ns - v->run->first_ns) / 1e9, wording_of(v->reason)->because);
	if (one)
		finding_fix(f, "All of them are one device, %s: compare its accounts with those of %s. %s.", device, registrar,
			wording_of(v->reason)->fix);
	else
		finding_fix(f, "Look at %s first: so many at once are not the phones' fault. %s.", registrar,
			wording_of(v->reason)->fix);
	for (unsigned i = 0; i < count && i < 8; i++)
		finding_evidence(f, list[i].run->last_final.frame ? list[i].run->last_final
			: list[i].run->first_request, "%s",
				 text_escape(list[i].r->aor, user, sizeof user));
}
