/* SPDX-License-Identifier: MIT */
/* sip-scan: somebody looks for hosts, accounts or a way out. One finding a source. Finding page 5, section 4. */
#include <stdio.h>

#include "analyzer/detect/say.h"
#include "analyzer/detect/source_say.h"

static const char *const reasons[] = { "tool-signature", "horizontal", "vertical-extensions", "port-sweep",
	"invite-probe", "low-and-slow", NULL };

static const struct detector_doc doc = {
	.says = "somebody probes for hosts or accounts",
	.symptom = "Phones ring at night with callers like 100 or 1000, logs fill up, fraud follows later.",
	.evidence = "Requests of one source to many hosts, users or ports within a minute, or within a day with what the history knows, with no registration behind them; marks of known tools.",
	.mimics = "A PBX that asks its phones for life, a provider's keepalive, a monitoring host, a dialler with an account, a phone that follows DNS.",
	.fix = "Allow SIP only from the provider and known networks; drop the rest silently.",
	.reasons = reasons,
};

static const struct config_key keys[] = { { 0 } };

enum { NOISE_MAX = 64 };

static const char *reason_of(enum source_scan scan)
{
	switch (scan) {
	case SCAN_TARGETS: return "horizontal";
	case SCAN_USERS: return "vertical-extensions";
	case SCAN_PORTS: return "port-sweep";
	case SCAN_INVITE_PROBE: return "invite-probe";
	case SCAN_SLOW: return "low-and-slow";
	case SCAN_TOOL: return "tool-signature";
	case SCAN_NONE: break;
	}
	return "tool-signature";
}

static bool leaks_users(const struct source *x)
{
	return x->scan == SCAN_USERS && x->user_known && x->user_unknown;
}

/* A message that only the tool writes, or accounts counted through: no guess. A day is long for what is no plan. */
static enum confidence confidence_of(const struct source *x)
{
	bool named = x->marks & (MARK_AGENT | MARK_ADDRESS);

	if (x->scan == SCAN_PORTS || (x->scan == SCAN_USERS && x->in_order_most >= 8) ||
	    (named && x->scan != SCAN_INVITE_PROBE))
		return CONFIDENCE_CERTAIN;
	return x->scan == SCAN_SLOW && x->class != SOURCE_ATTACKER ? CONFIDENCE_POSSIBLE : CONFIDENCE_LIKELY;
}

static enum severity severity_of(const struct facts *facts, const struct source *x)
{
	bool own = source_any_own(facts, x);

	if (source_inside(facts, x))
		return SEVERITY_ERROR;
	if (leaks_users(x) && source_answered(facts, x, own))
		return SEVERITY_ERROR;
	return source_answered(facts, x, own) ? SEVERITY_WARNING : SEVERITY_INFO;
}

/* Above what is counted one by one it is an estimate. */
static const char *about(unsigned counted, unsigned estimate)
{
	return counted < estimate ? "about " : "";
}

/* Of a scan that takes a day: is it known by the users, not by the hosts? A user of another host is another one. */
static bool by_user(const struct source *x)
{
	return x->slow_users > x->new_targets.day;
}

static void tell_title(struct finding *f, const struct source *x)
{
	char at[ADDRESS_TEXT], act[160];

	address_text(&x->addr, at);
	if (x->scan == SCAN_TARGETS)
		snprintf(act, sizeof act, "%s probes %s%s addresses by SIP", at,
			about(x->target_count, x->targets_estimate), SAY_COUNT(x->targets_estimate));
	else if (x->scan == SCAN_USERS)
		snprintf(act, sizeof act, "%s tries %s%s extensions", at, about(x->user_count, x->users_estimate),
			SAY_COUNT(x->users_estimate));
	else if (x->scan == SCAN_SLOW && by_user(x))
		snprintf(act, sizeof act, "%s tries %s extensions, spread over a day", at, SAY_COUNT(x->slow_users));
	else if (x->scan == SCAN_SLOW)
		snprintf(act, sizeof act, "%s probes %s addresses by SIP, spread over a day", at,
			SAY_COUNT(x->new_targets.day));
	else if (x->scan == SCAN_PORTS)
		snprintf(act, sizeof act, "%s sends SIP to many ports of a host", at);
	else if (x->scan == SCAN_INVITE_PROBE)
		snprintf(act, sizeof act, "%s tries calls to outside numbers without an account", at);
	else
		snprintf(act, sizeof act, "%s asks with a SIP scanner", at);
	finding_title(f, "%s", act);
}

static void tell_cause(struct finding *f, const struct facts *facts, const struct source *x)
{
	char at[ADDRESS_TEXT], lasted[32], during[40] = "", codes[48], what[80] = "", sign[120] = "", since[NS_TEXT];
	bool own = source_any_own(facts, x);
	unsigned answered = source_answered(facts, x, own);

	if (x->scan == SCAN_TARGETS)
		snprintf(what, sizeof what, " to %s%s hosts", about(x->target_count, x->targets_estimate),
			SAY_COUNT(x->targets_estimate));
	else if (x->scan == SCAN_USERS)
		snprintf(what, sizeof what, " for %s%s users", about(x->user_count, x->users_estimate),
			SAY_COUNT(x->users_estimate));
	else if (x->scan == SCAN_INVITE_PROBE)
		snprintf(what, sizeof what, " for numbers of seven digits or more");
	else if (x->scan == SCAN_SLOW)
		snprintf(what, sizeof what, by_user(x) ? " for %s users" : " to %s hosts",
			SAY_COUNT(by_user(x) ? x->users_estimate : x->targets_estimate));
	if (x->marks & MARK_AGENT)
		snprintf(sign, sizeof sign, " Its User-Agent is %s, a scanner's.", x->agent);
	else if (x->marks & MARK_ADDRESS)
		snprintf(sign, sizeof sign, " It writes addresses that only a scanner writes.");
	else if (x->scan == SCAN_TOOL)
		snprintf(sign, sizeof sign, " Branch, Call-ID and tags have the form that a scanner gives them.");
	if (x->last_ns > x->first_ns)
		snprintf(during, sizeof during, " in %s", source_span(x->first_ns, x->last_ns, lasted, sizeof lasted));
	finding_cause(f, "%s %s from source address %s%s%s; %s %s answered%s%s%s.%s", SAY_COUNT(x->requests), source_method(x),
		address_text(&x->addr, at), what,
		      during, SAY_COUNT(answered),
		      own ? answered == 1 ? "own host" : "own hosts" : answered == 1 ? "host" : "hosts",
		      answered ? " (" : "", source_codes(x, codes, sizeof codes), answered ? ")" : "", sign);
	if (x->scan == SCAN_SLOW && x->past_users)
		text_addf(&f->cause, " The history knows %s other users that it asked for, since %s.", SAY_COUNT(x->past_users),
			source_when(x->past_ns, since));
	if (leaks_users(x))
		text_add(&f->cause,
			" The server answers existing users otherwise than unknown ones: accounts can be listed.");
	if (source_inside(facts, x))
		text_add(&f->cause, " It is a host of this site: it may be compromised.");
}

static void tell(struct detection *d, const struct source *x)
{
	const struct facts *facts = detection_facts(d);
	struct finding *f = detection_raise_keyed(d, endpoint_key(&(struct endpoint){ x->addr, 0 }),
		reason_of(x->scan), severity_of(facts, x), confidence_of(x));
	char at[ADDRESS_TEXT];

	tell_title(f, x);
	tell_cause(f, facts, x);
	if (source_inside(facts, x))
		finding_fix(f, "Take %s off the network and find out what runs on it; if it is a monitor of yours, name it in trusted-scanners.",
			    address_text(&x->addr, at));
	else
		finding_fix(f, "Allow SIP only from the provider and known networks; drop the rest, do not reject it%s. Block %s.",
			    leaks_users(x) ? "; let the server give one answer to known and unknown users" : "",
			    address_text(&x->addr, at));
	source_parts(f, facts, x);
	if (x->marked_at.frame)
		finding_evidence(f, x->marked_at, "written by a scanning tool");
	source_times(f, x);
	if (x->scan == SCAN_SLOW && x->class != SOURCE_ATTACKER)
		finding_cannot_see(f, "whether a plan is behind it: a client that is set up wrongly may ask for many in a day, too");
	if (x->scan == SCAN_TOOL && x->target_count <= 1)
		finding_cannot_see(f, "what else the same source asked elsewhere");
}

/* One story a source: who guesses passwords with a tool is told there. */
static bool told_elsewhere(const struct source *x)
{
	return x->guess >= GUESS_USERS &&
	       (x->scan == SCAN_TOOL || x->scan == SCAN_USERS || x->scan == SCAN_INVITE_PROBE);
}

/* Unanswered probes are the noise of every public address: one fact a network, and not without end. */
struct noise {
	struct address nets[NOISE_MAX];
	unsigned count;
};

static bool is_more_noise(struct noise *n, const struct address *a)
{
	for (unsigned i = 0; i < n->count; i++) {
		if (address_same_net(&n->nets[i], a))
			return true;
	}
	if (n->count == NOISE_MAX)
		return true;
	n->nets[n->count++] = *a;
	return false;
}

static void on_event(struct detection *d, const struct event *ev)
{
	const struct facts *facts = detection_facts(d);
	const struct list *all = sources_in_order(facts->sources);
	struct noise noise = { .count = 0 };
	unsigned told = 0;

	(void)ev;
	LIST_EACH(it, all) {
		const struct source *x = LIST_ENTRY(it, struct source, in_order);

		if (x->scan == SCAN_NONE || told_elsewhere(x) ||
		    (severity_of(facts, x) == SEVERITY_INFO && is_more_noise(&noise, &x->addr)))
			continue;
		tell(d, x);
		told++;
	}
	if (!told)
		detection_pass(d, NULL,
			"none of %zu sources asks many hosts, users or ports, or writes as a scanner does", all->count);
}

const struct detector detect_sip_scan = {
	.id = "sip-scan", .doc = &doc, .keys = keys, .event = on_event, .events = EVENT_BIT(EVENT_JUDGE_CAPTURE),
	.scope = GLOBAL, .usual = SEVERITY_WARNING, .possible_max = SEVERITY_INFO,
};
