/* SPDX-License-Identifier: MIT */
/* sip-exposed: a host of the site answers SIP of those who have no business here. Finding page 5, section 8. */
#include <stdio.h>

#include "analyzer/detect/say.h"
#include "analyzer/detect/source_say.h"

static const char *const reasons[] = {
	"answers-unknown", "phone-exposed", "ghost-ring", "unauthenticated-relay", "several-hosts", "both-ports-open",
	"unexpected-country", "version-banner", NULL,
};

static const struct detector_doc doc = {
	.says = "SIP answers the whole internet",
	.symptom = "Phones ring without a caller, scanners fill the logs, sooner or later somebody gets in.",
	.evidence = "Requests of unknown outside sources that were answered: any answer counts, a refusal, too. A packet that only arrives does not.",
	.mimics = "A provider's second address, a home worker who lets himself in later, monitoring, open federation.",
	.fix = "Permit SIP and media only from the provider; phones: SIP only from their server; remote users by VPN or SBC. Another port than 5060 lowers "
	       "noise, it does not protect.",
	.reasons = reasons,
};

static const struct config_key keys[] = { { 0 } };

enum { SOURCES_SHOWN = 6, OPTIONS_ONLY_LEAST = 3, SUSPECTS_MAX = 64, FORWARDED_MAX = 8 };

struct exposure {                    /* one host of the site */
	struct address host;
	const struct source *self;   /* what it does itself; NULL nothing */
	bool phone;
	unsigned sources, attackers, refused, nets, answers;
	bool country, banner, port_5060, port_5061;
	const struct source *shown[SOURCES_SHOWN];
	const struct source_target *shown_target[SOURCES_SHOWN];
	unsigned shown_count;
	const struct source *ringer;
	const struct source_target *rung;
	struct address last_net;
	int64_t first_ns, last_ns;
};

/* ---- whose request was uninvited ---- */

static bool stranger(const struct facts *facts, const struct source *x)
{
	return source_suspect(x) && !site_own(facts->site, &x->addr) && x->requests;
}

/* The host spoke to it first, by SIP or otherwise; what it answers to a SYN or a ping is not that. */
static bool invited(const struct facts *facts, const struct source *x, const struct source_target *t)
{
	const struct pair *out = network_pair_find(facts->network, &t->at.addr, &x->addr);
	const struct pair *in = network_pair_find(facts->network, &x->addr, &t->at.addr);

	return sources_asked(facts->sources, &t->at.addr, &x->addr) ||
	       (out && out->first_ns < t->first_ns && !(in && in->first_ns < out->first_ns));
}

static bool is_phone(const struct facts *facts, const struct address *a)
{
	const struct source *y = sources_find(facts->sources, a);

	return y && !y->served && (y->by_method[SIP_REGISTER] ||
	       host_role_of_agent(span_of(y->agent[0] ? y->agent : y->banner)) == ROLE_PHONE);
}

/* A host of the site, or a remote user's phone. */
static bool is_ours(const struct facts *facts, const struct address *a)
{
	const struct source *y = sources_find(facts->sources, a);

	return site_own(facts->site, a) || (y && y->class == SOURCE_USER && y->accepted_ns != NS_NONE);
}

/* Its own server called it from another address: the user that was asked for is its own. */
static bool asks_own_user(const struct facts *facts, const struct source *x, const struct address *phone)
{
	const struct source *y = sources_find(facts->sources, phone);

	for (unsigned i = 0; y && i < y->user_count; i++) {
		for (unsigned k = 0; k < x->user_count; k++) {
			if (strcmp(y->users[i].user, x->users[k].user) == 0)
				return true;
		}
	}
	return false;
}

/* The phone belongs to another server, which let it in. */
static bool has_server(const struct facts *facts, const struct address *phone)
{
	const struct source *y = sources_find(facts->sources, phone);

	return y && y->accepted;
}

static bool is_ghost(const struct facts *facts, const struct source *x, const struct source_target *t)
{
	return t->rang && is_phone(facts, &t->at.addr) && has_server(facts, &t->at.addr) &&
	       !asks_own_user(facts, x, &t->at.addr);
}

static bool wrong_country(const struct site *s, const struct address *a)
{
	return nets_have(&s->geo_deny, a) || (s->geo_allow.count && !nets_have(&s->geo_allow, a));
}

/* Let in or spoken with, or asked for life at intervals: some peer of which too little was captured. */
static bool has_business(const struct source *x, const struct source_target *t)
{
	if (x->class == SOURCE_ATTACKER)
		return false;
	return x->accepted || x->welcomed || x->accepted_credentials ||
	       (t->rounds > 1 && x->by_method[SIP_OPTIONS] == x->requests);
}

/* ---- collecting ---- */

static void exposure_add(const struct facts *facts, struct exposure *e, const struct source *x,
	const struct source_target *t)
{
	const struct source *y = sources_find(facts->sources, &t->at.addr);

	if (is_ghost(facts, x, t) && !e->ringer) {
		e->ringer = x;
		e->rung = t;
	} else if (has_business(x, t)) {
		return;
	}
	e->self = y;
	e->nets += !e->sources || !address_same_net(&e->last_net, &x->addr);
	e->last_net = x->addr;
	e->sources++;
	e->attackers += x->class == SOURCE_ATTACKER;
	e->refused += t->status >= 400 || x->refused > 0;
	e->answers += x->answered;
	e->country |= wrong_country(facts->site, &x->addr);
	e->banner |= y && y->banner_version;
	e->port_5060 |= t->answered_from == 5060;
	e->port_5061 |= t->answered_from == 5061;
	if (e->shown_count < SOURCES_SHOWN) {
		e->shown[e->shown_count] = x;
		e->shown_target[e->shown_count++] = t;
	}
	e->first_ns = e->sources == 1 || x->first_ns < e->first_ns ? x->first_ns : e->first_ns;
	e->last_ns = e->sources == 1 || x->last_ns > e->last_ns ? x->last_ns : e->last_ns;
}

static struct exposure *exposure_of(struct exposure *list, unsigned *count, const struct address *a)
{
	for (unsigned i = 0; i < *count; i++) {
		if (address_equal(&list[i].host, a))
			return &list[i];
	}
	if (*count == SUSPECTS_MAX)
		return NULL;
	list[*count] = (struct exposure){ .host = *a };
	return &list[(*count)++];
}

static unsigned collect(const struct facts *facts, struct exposure list[SUSPECTS_MAX])
{
	unsigned count = 0;

	LIST_EACH(it, sources_in_order(facts->sources)) {
		const struct source *x = LIST_ENTRY(it, struct source, in_order);

		for (unsigned i = 0; stranger(facts, x) && i < x->target_count; i++) {
			const struct source_target *t = &x->targets[i];
			struct exposure *e;

			if (!t->answered || !is_ours(facts, &t->at.addr) || invited(facts, x, t))
				continue;
			e = exposure_of(list, &count, &t->at.addr);
			if (!e)
				continue;
			e->phone = is_phone(facts, &t->at.addr);
			exposure_add(facts, e, x, t);
		}
	}
	return count;
}

/* ---- words ---- */

static void add_parts(struct finding *f, const struct exposure *e)
{
	finding_part(f, PART_CULPRIT, &(struct endpoint){ e->host, 0 });
	for (unsigned i = 0; i < e->shown_count; i++) {
		const struct source_target *t = e->shown_target[i];
		char at[ADDRESS_TEXT];

		finding_part(f, PART_WITNESS, &(struct endpoint){ e->shown[i]->addr, 0 });
		finding_evidence(f, t->answered_at, "%s of %s is answered %u", sip_method_name(t->method),
			address_text(&e->shown[i]->addr, at), t->status);
	}
	finding_times(f, e->first_ns, e->last_ns);
	f->count = e->sources;
}

static void tell_more(struct finding *f, const struct exposure *e)
{
	if (e->banner) {
		finding_other_reason(f, "version-banner");
		text_addf(&f->cause, " Its answers name product and version: %s.", e->self->banner);
		finding_evidence(f, e->self->banner_at, "%s", e->self->banner);
	}
	if (e->port_5060 && e->port_5061)
		finding_other_reason(f, "both-ports-open");
	if (e->country) {
		finding_other_reason(f, "unexpected-country");
		text_add(&f->cause, " Sources lie in networks that the profile does not allow.");
	}
}

/* The story of one attacker is told once. */
static struct finding *told_of(const struct facts *facts, const struct exposure *e)
{
	LIST_EACH(it, findings_in_order(facts->findings)) {
		struct finding *f = LIST_ENTRY(it, struct finding, in_order);
		bool attack = strcmp(f->id, "sip-scan") == 0 || strcmp(f->id, "registration-bruteforce") == 0 ||
			strcmp(f->id, "sip-flood") == 0;

		for (unsigned i = 0; attack && f->state != FINDING_WITHDRAWN && f->severity > SEVERITY_INFO &&
		    i < f->host_count; i++) {
			if (f->hosts[i].part == PART_CULPRIT && address_equal(&f->hosts[i].at.addr, &e->shown[0]->addr))
				return f;
		}
	}
	return NULL;
}

static uint64_t key_of(const struct address *a, unsigned what)
{
	return hash_mix(endpoint_key(&(struct endpoint){ *a, 0 }), what);
}

static void tell_ghost(struct detection *d, const struct exposure *e)
{
	struct finding *f = detection_raise_keyed(d, key_of(&e->host, 1), "ghost-ring", SEVERITY_ERROR,
		CONFIDENCE_CERTAIN);
	char at[ADDRESS_TEXT], from[ADDRESS_TEXT];

	address_text(&e->host, at);
	address_text(&e->ringer->addr, from);
	finding_title(f, "The phone %s rings for strangers", at);
	finding_cause(f, "An INVITE from source address %s, which is not its server, made the phone %s ring.", from,
		at);
	finding_fix(f, "Let the phone accept SIP only from its server (often: \"accept SIP from proxy only\"), and let its router forward nothing to it.");
	finding_part(f, PART_CULPRIT, &(struct endpoint){ e->host, 0 });
	finding_part(f, PART_WITNESS, &(struct endpoint){ e->ringer->addr, 0 });
	finding_evidence(f, e->ringer->first_at, "the stranger's request");
	finding_evidence(f, e->rung->rang_at, "the phone rings");
	finding_times(f, e->ringer->first_ns, e->ringer->last_ns);
	f->count = 1;
}

static void tell(struct detection *d, const struct exposure *e)
{
	const struct facts *facts = detection_facts(d);
	bool sure = e->attackers || (e->sources >= 2 && e->refused) ||
		(e->sources >= OPTIONS_ONLY_LEAST && e->nets >= 2);
	bool profile = facts->site->path && (facts->site->trunk.nets.count || facts->site->trunk.names.count);
	struct finding *f = detection_raise_keyed(d, key_of(&e->host, 2),
		e->phone ? "phone-exposed" : e->country && !sure ? "unexpected-country" : "answers-unknown",
						  sure || e->country ? SEVERITY_WARNING : SEVERITY_INFO,
						  sure || e->country ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE);
	char at[SAY_TEXT], from[ADDRESS_TEXT];
	const struct source_target *t = e->shown_target[0];

	say_host(facts, &e->host, at);
	finding_title(f, "%s answers SIP of unknown addresses", at);
	finding_cause(f, "%s answered %s from %s outside %s (e.g. %s: %s, answered %u).", at,
		SAY_COUNTED(e->answers, "SIP request"), SAY_COUNTED(e->sources, "address"), profile ? "the trusted list" : "that nothing is known of",
		      address_text(&e->shown[0]->addr, from),
		      sip_method_name(t->method), t->status);
	if (e->phone)
		finding_fix(f,
			"Let the phone accept SIP only from its server, and let its router forward nothing to it.");
	else
		finding_fix(f, "Permit SIP and media only from the provider; remote users by VPN or SBC. Another port than 5060 lowers noise, it does not protect.");
	tell_more(f, e);
	add_parts(f, e);
	if (e->sources == 1 || e->sources == e->attackers)
		f->caused_by = told_of(facts, e);
	if (!sure)
		finding_cannot_see(f,
			"whether these addresses would let themselves in later: too little was captured of them");
}

/* ---- one stranger, several inside hosts ---- */

/* Uninvited, and no server's question for life at intervals that its phone answers. */
static bool uninvited(const struct facts *facts, const struct source *x, const struct source_target *t)
{
	return site_inside(facts->site, &t->at.addr) && !invited(facts, x, t) && !(t->answered && has_business(x, t));
}

static bool judge_forwarding(struct detection *d, const struct source *x)
{
	const struct facts *facts = detection_facts(d);
	struct exposure e = { .shown = { x } };
	unsigned inside = 0;
	struct finding *f;
	char at[ADDRESS_TEXT];

	for (unsigned i = 0; i < x->target_count; i++)
		inside += uninvited(facts, x, &x->targets[i]);
	if (inside < 2 || x->accepted || x->welcomed)
		return false;
	f = detection_raise_keyed(d, key_of(&x->addr, 3), "several-hosts", SEVERITY_ERROR, CONFIDENCE_LIKELY);
	address_text(&x->addr, at);
	finding_title(f, "SIP from outside reaches %u inside hosts", inside);
	finding_cause(f, "Requests of %s, which nobody asked for, reach %u hosts inside: a rule forwards SIP to more than one, or to all.", at, inside);
	finding_fix(f, "Forward only the ports that are needed, only to the PBX, only from the provider's addresses.");
	finding_part(f, PART_CULPRIT, &(struct endpoint){ x->addr, 0 });
	for (unsigned i = 0; i < x->target_count && i < 8; i++)
		finding_part(f, PART_WITNESS, &(struct endpoint){ x->targets[i].at.addr, 0 });
	finding_evidence(f, x->first_at, "the first of its requests");
	finding_evidence(f, x->last_at, "the last of them");
	source_times(f, x);
	f->caused_by = told_of(facts, &e);
	return true;
}

/* ---- a server that relays calls of strangers: toll-fraud has found it ---- */

static void judge_relay(struct detection *d, struct finding *fraud)
{
	struct finding *f = detection_raise_keyed(d, fraud->order, "unauthenticated-relay", SEVERITY_CRITICAL,
		CONFIDENCE_CERTAIN);

	finding_title(f, "The server relays calls of strangers to outside");
	finding_cause(f,
		"A call of an unknown outside source was sent on to an outside number without asking for a password.");
	finding_fix(f, "Ask every INVITE for credentials, allow trunks by address only, and forbid outside numbers to callers without an account.");
	for (unsigned i = 0; i < fraud->host_count; i++)
		finding_part(f, fraud->hosts[i].part == PART_WITNESS ? PART_CULPRIT : PART_WITNESS,
			&fraud->hosts[i].at);
	for (unsigned i = 0; i < fraud->evidence_count && i < 4; i++)
		finding_evidence(f, fraud->evidence[i].at, "%s", fraud->evidence[i].what);
	finding_times(f, fraud->first_ns, fraud->last_ns);
	f->count = fraud->count;
	f->caused_by = fraud;
}

static void on_event(struct detection *d, const struct event *ev)
{
	const struct facts *facts = detection_facts(d);
	struct exposure list[SUSPECTS_MAX];
	unsigned count, forwarded = 0;

	(void)ev;
	if (facts->site->open_federation) {
		detection_pass(d, "open-federation", "the profile says that strangers may call");
		return;
	}
	count = collect(facts, list);
	for (unsigned i = 0; i < count; i++) {
		if (list[i].ringer)
			tell_ghost(d, &list[i]);
		else if (list[i].sources)
			tell(d, &list[i]);
	}
	LIST_EACH(it, sources_in_order(facts->sources)) {
		const struct source *x = LIST_ENTRY(it, struct source, in_order);

		if (forwarded < FORWARDED_MAX && stranger(facts, x))
			forwarded += judge_forwarding(d, x);
	}
	LIST_EACH(it, findings_in_order(facts->findings)) {
		struct finding *f = LIST_ENTRY(it, struct finding, in_order);

		if (strcmp(f->id, "toll-fraud") == 0 && f->state != FINDING_WITHDRAWN &&
		    strcmp(f->reason, "unauthenticated-call") == 0)
			judge_relay(d, f);
	}
	if (!count)
		detection_pass(d, NULL,
			"no request of an unknown outside source was answered: exposure was not tested");
}

const struct detector detect_sip_exposed = {
	.id = "sip-exposed", .doc = &doc, .keys = keys, .event = on_event, .events = EVENT_BIT(EVENT_JUDGE_CAUSES),
	.scope = GLOBAL, .usual = SEVERITY_WARNING, .possible_max = SEVERITY_INFO,
};
