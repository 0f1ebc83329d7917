/* SPDX-License-Identifier: MIT */
/*
 * nat-binding-at-risk: a phone is silent for longer than its router keeps mappings, and nobody has called it then yet.
 */
#include <stdio.h>

#include "analyzer/detect/lookup.h"
#include "analyzer/detect/nat_binding.h"
#include "analyzer/detect/sip_alg.h"

static const char *const reasons[] = { "silence-over-measured", "silence-over-rfc", "keepalive-useless", "no-keepalive",
	NULL };

static const struct detector_doc doc = {
	.says = "silence longer than the mapping lives",
	.symptom = "None yet; sooner or later a call does not reach the phone.",
	.evidence = "How long mappings of the same router lived, measured on any phone behind it, against the longest silence of this one.",
	.mimics = "Answers to pings of the server, which are traffic of the phone; TCP and TLS; a capture too short to see the phone's habit.",
	.fix = "A keepalive well below the router's timer, or a NAT ping from the server.",
	.reasons = reasons,
};

static const struct config_key keys[] = {
	{ "rfc-silence-s", 120, "s", 10, 3600, "RFC 4787 REQ-5: a mapping lives for two minutes at least" },
	{ "watched-s", 600, "s", 60, 86400, "field: so long without a keepalive is a habit" },
	{ "gaps", 3, "silences", 1, 100, "field: fewer are no habit" },
	{ 0 },
};

enum { LONG_EXPIRES_S = 600 };

/* The phone is known to lie behind a NAT: seen from outside, or from inside with its public face. */
static bool behind_nat(const struct facts *facts, const struct sip_binding *b)
{
	struct endpoint image, whole = { b->client.addr, 0 };
	unsigned weight;

	return b->translated || (network_public_of(facts->network, &whole, false, &image, &weight) && weight >= 80);
}

static bool already_expired(const struct detection *d, const struct sip_binding *b)
{
	bool two_points;

	for (unsigned i = 0; i < b->death_count; i++) {
		if (nat_binding_expired(d, b, &b->deaths[i], &two_points))
			return true;
	}
	return false;
}

static void tell(struct detection *d, const struct sip_binding *b, const char *reason, enum severity s,
	enum confidence c)
{
	const struct facts *facts = detection_facts(d);
	struct finding *f = detection_raise_keyed(d, (uintptr_t)b, reason, s, c);
	char who[SAY_TEXT], bracket[SAY_TEXT], client[ENDPOINT_TEXT];
	double silence_s = (double)b->gap_max_ns / 1e9;

	f->reason_confidence = c;
	finding_part(f, PART_VICTIM, &b->client);
	finding_part(f, PART_WITNESS, &b->server);
	finding_times(f, b->gap_from.at_ns, b->gap_to.at_ns);
	endpoint_text(&b->client, client);
	snprintf(who, sizeof who, "%s", b->user[0] ? b->user : say_host(facts, &b->client.addr, who));
	finding_title(f, "%s is silent for %.0f s: its NAT mapping may be gone by then", who, silence_s);
	if (binding_nat_bracket(b->nat))
		finding_cause(f, "A mapping of this router dies %s of silence; %s (%s) is silent for up to %.0f s.%s",
			nat_binding_bracket_text(b->nat, bracket),
			      who, client, silence_s,
			      b->keepalives_elsewhere ? " Its keepalives go to another server than its registrar."
			      : "");
	else
		finding_cause(f, "%s (%s) is silent for up to %.0f s and registers for %u s; routers may forget a mapping after two minutes (RFC 4787) and many do "
			      "after 30 to 60 s.", who, client, silence_s, b->expires_s);
	finding_fix(f, "A keepalive every %u s from the phone (CRLF, OPTIONS, STUN), a NAT ping from the server, or a shorter registration.",
		    nat_binding_keepalive_s(b->nat));
	finding_evidence(f, b->gap_from, "the phone falls silent");
	finding_evidence(f, b->gap_to, "it speaks again, %.0f s later", silence_s);
	if (binding_nat_bracket(b->nat) && b->nat->dead_at.frame)
		finding_evidence(f, b->nat->dead_at, "a mapping of this router is dead after %.0f s",
			(double)b->nat->dead_ns / 1e9);
	if (binding_nat_bracket(b->nat) && b->nat->alive_at.frame)
		finding_evidence(f, b->nat->alive_at, "one is alive after %.0f s", (double)b->nat->alive_ns / 1e9);
	finding_cannot_see(f, "how long its router keeps mappings beyond what was measured here");
}

/*
 * A SIP helper in the router keeps the mappings of what it inspects for an hour (3.2), until it is switched off: the
 * advice on that pairs it with a keepalive.
 */
static bool helper_keeps(const struct facts *facts, const struct sip_binding *b)
{
	struct endpoint whole = { b->client.addr, 0 }, outer = b->client;

	if (!b->translated)
		(void)network_public_of(facts->network, &whole, false, &outer, NULL);
	return alg_is_certain(lookup_alg_evidence(facts->lookup), &outer.addr, b->server.port);
}

static void judge(struct detection *d, const struct sip_binding *b)
{
	int64_t watched_ns = ns_minus(b->last_out.at_ns, b->first.at_ns);
	double silence_s = (double)b->gap_max_ns / 1e9;

	if (b->registered_until_ns == NS_NONE || !behind_nat(detection_facts(d), b) || already_expired(d, b))
		return;
	if (b->gaps < detection_key(d, "gaps") || (double)watched_ns < 2 * (double)b->gap_max_ns) {
		detection_pass(d, NULL, "watched for %.0f s: too short to know the phone's longest silence",
			(double)watched_ns / 1e9);
		return;
	}
	if (binding_nat_bracket(b->nat) && b->gap_max_ns > b->nat->dead_ns && b->nat->dead_of != b)
		tell(d, b, b->keepalives_elsewhere ? "keepalive-useless" : "silence-over-measured", SEVERITY_WARNING,
			CONFIDENCE_LIKELY);
	else if (!binding_nat_bracket(b->nat) && helper_keeps(detection_facts(d), b))
		detection_pass(d, NULL, "a SIP helper keeps its mapping; switching that off will need keepalives");
	else if (!binding_nat_bracket(b->nat) && silence_s > detection_key(d, "rfc-silence-s"))
		tell(d, b, b->expires_s >= LONG_EXPIRES_S && !b->keepalives &&
			(double)watched_ns >= detection_key(d, "watched-s") * 1e9 ?
			     "no-keepalive" : "silence-over-rfc", SEVERITY_INFO, CONFIDENCE_POSSIBLE);
	else
		detection_pass(d, NULL, "the longest silence is %.0f s: no mapping is known to die of that", silence_s);
}

static void on_event(struct detection *d, const struct event *ev)
{
	(void)ev;
	LIST_EACH(it, sip_bindings_in_order(detection_facts(d)->bindings))
		judge(d, LIST_ENTRY(it, struct sip_binding, in_order));
}

const struct detector detect_nat_binding_at_risk = {
	.id = "nat-binding-at-risk", .doc = &doc, .keys = keys, .event = on_event,
	.events = EVENT_BIT(EVENT_JUDGE_CAPTURE), .scope = PER_BINDING,
	.usual = SEVERITY_WARNING, .possible_max = SEVERITY_INFO,
};
