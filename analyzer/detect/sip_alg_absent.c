/* SPDX-License-Identifier: MIT */
/*
 * sip-alg-absent: nothing rewrites SIP between two capture points: always a fact, never a word on inspection that
 * drops.
 */
#include <stdio.h>

#include "analyzer/detect/say.h"
#include "analyzer/network/internal.h"
#include "analyzer/network/two_points.h"

static const char *const reasons[] = { "equal-copies", "transport-encrypted", NULL };

static const struct detector_doc doc = {
	.says = "two points prove that nothing rewrites",
	.symptom = "\"The provider says: disable the ALG\", and there is none.",
	.evidence = "Messages on both sides of a translating router, equal byte for byte although they name the phone's own socket, registrations or calls and their "
		    "answers among them; or SIP inside TLS, which nothing can rewrite.",
	.mimics = "Both points before the NAT; phones that write their public address themselves; messages in which nothing would have to be changed.",
	.fix = "Look elsewhere: the fault is not an ALG between these points.",
	.reasons = reasons,
};

static const struct config_key keys[] = {
	{ "min-pairs", 3, "pairs", 1, 1000, "field: request, response and one more" },
	{ 0 },
};

static const char *transport_word(uint8_t transport)
{
	return transport == TRANSPORT_TCP ? "TCP" : transport == TRANSPORT_UDP ? "UDP" : "SIP";
}

/* ---- equal copies ---- */

static bool accused(const struct finding *f, const struct passage *p)
{
	bool host = false, service = false, culprit = false;

	if (strcmp(f->id, "sip-alg") != 0 || f->state == FINDING_WITHDRAWN || f->confidence < CONFIDENCE_LIKELY)
		return false;
	for (unsigned i = 0; i < f->host_count; i++) {
		culprit |= f->hosts[i].part == PART_CULPRIT;
		host |= f->hosts[i].part == PART_CULPRIT && address_equal(&f->hosts[i].at.addr, &p->outside);
		service |= f->hosts[i].part == PART_WITNESS && f->hosts[i].at.port == p->port;
	}
	return service && (host || !culprit);
}

static bool is_rewritten(const struct facts *facts, const struct passage *p)
{
	LIST_EACH(it, findings_in_order(facts->findings)) {
		if (accused(LIST_ENTRY(it, struct finding, in_order), p))
			return true;
	}
	return false;
}

/* NULL: proven; else what is missing. */
static const char *missing_of(const struct facts *facts, const struct passage *p, uint32_t min_pairs)
{
	if (!address_known(&p->outside))
		return "no address is translated between the points";
	if (p->changed || p->respelled)
		return "some messages differ";
	if (p->equal < min_pairs)
		return "too few messages were seen at both points";
	if (!p->begins_equal)
		return "no REGISTER, SUBSCRIBE or new call with an address that would have to be changed";
	if (!p->response_in_equal)
		return "no response towards the phone was seen at both points";
	if (p->sdp_crossed && !p->sdp_equal)
		return "no session description with an address that would have to be changed";
	return is_rewritten(facts, p) ? "other evidence says that SIP is rewritten" : NULL;
}

static uint64_t passage_key(const struct passage *p)
{
	return hash_mix(hash_mix(1, address_hash(&p->outside)), (uint64_t)p->port << 8 | p->transport);
}

static void tell_equal(struct detection *d, const struct passage *p)
{
	struct finding *f = detection_raise_keyed(d, passage_key(p), "equal-copies", SEVERITY_INFO, CONFIDENCE_CERTAIN);
	char outside[ADDRESS_TEXT], peer[SAY_TEXT];

	address_text(&p->outside, outside);
	say_host(detection_facts(d), &p->peer, peer);
	finding_part(f, PART_WITNESS, &(struct endpoint){ p->outside, 0 });
	finding_part(f, PART_WITNESS, &(struct endpoint){ p->peer, p->port });
	finding_times(f, p->first_ns, p->last_ns);
	f->count = p->equal;
	finding_title(f, "The router %s does not rewrite SIP (%s port %u)", outside, transport_word(p->transport),
		p->port);
	finding_cause(f, "%u of %u messages seen before and behind the router %s on their way to and from %s are equal byte for byte, addresses that a rewriter would "
			 "change among them: the fault is elsewhere.%s", p->equal, p->pairs, outside, peer,
		      p->sdp_equal ? "" : " Inspection that only drops cannot be excluded.");
	finding_evidence(f, p->equal_at[0], "a message that names the phone's own address, before the router");
	finding_evidence(f, p->equal_at[1], "the same, unchanged behind it");
	finding_fix(f, "Leave the router's SIP settings as they are.");
}

static void judge_passages(struct detection *d)
{
	const struct facts *facts = detection_facts(d);

	if (two_points_passages(facts->points)->count == 0)
		detection_pass(d, NULL, two_points_count(facts->points) < 2 ? "SIP was captured at one point"
			: "no message was seen at two points: they do not show the same calls");
	LIST_EACH(it, two_points_passages(facts->points)) {
		const struct passage *p = LIST_ENTRY(it, struct passage, in_order);
		const char *missing = missing_of(facts, p, (uint32_t)detection_key(d, "min-pairs"));

		if (missing)
			detection_pass(d, NULL, "%s port %u: %s", transport_word(p->transport), p->port, missing);
		else
			tell_equal(d, p);
	}
}

/* ---- TLS ---- */

static void judge_tls(struct detection *d)
{
	const struct capture_facts *c = detection_facts(d)->capture;

	for (unsigned i = 0; i < c->tls_flow_count; i++) {
		const struct tls_flow *t = &c->tls_flows[i];
		char server[ENDPOINT_TEXT];
		struct finding *f;

		if (!t->sip_alpn && t->server.port != 5061)
			continue;
		f = detection_raise_keyed(d, hash_mix(hash_mix(2, address_hash(&t->server.addr)), t->server.port),
			"transport-encrypted", SEVERITY_INFO,
					  t->sip_alpn ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY);
		finding_part(f, PART_WITNESS, &t->server);
		finding_times(f, t->first_at.at_ns, c->last_ns);
		finding_title(f, "Nothing can rewrite SIP to %s: it is encrypted", endpoint_text(&t->server, server));
		finding_cause(f, "SIP to %s runs inside TLS: a device in the path can drop it, but not change it.",
			server);
		finding_fix(f, "Leave the router's SIP settings as they are.");
		finding_evidence(f, t->first_at, "first TLS record to that server");
	}
}

static void on_event(struct detection *d, const struct event *ev)
{
	(void)ev;
	judge_passages(d);
	judge_tls(d);
}

const struct detector detect_sip_alg_absent = {
	.id = "sip-alg-absent", .doc = &doc, .keys = keys, .event = on_event, .events = EVENT_BIT(EVENT_JUDGE_CAUSES),
	.scope = GLOBAL,
	.usual = SEVERITY_INFO, .possible_max = SEVERITY_INFO,
};
