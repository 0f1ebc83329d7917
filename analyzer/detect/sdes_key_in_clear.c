/* SPDX-License-Identifier: MIT */
/*
 * sdes-key-in-clear: keys of SRTP stand readable in SIP (RFC 4568 needs signalling that is protected). Suite and tag
 * are named, the key never: the dissector does not even hand it over.
 */
#include <stdio.h>

#include "analyzer/detect/say.h"

static const char *const reasons[] = { "in-use", "opportunistic", "offered-only", NULL };

static const struct detector_doc doc = {
	.says = "media keys can be read on the wire",
	.symptom = "None: the calls are believed to be encrypted, and whoever sees their SIP can hear them.",
	.evidence = "a=crypto in SDP that is carried over UDP or TCP without TLS, offered and answered.",
	.mimics = "DTLS-SRTP, whose fingerprint is no secret; SDP inside TLS.",
	.fix = "Carry this leg over TLS, or use DTLS-SRTP.",
	.reasons = reasons,
};

static const struct config_key keys[] = { { 0 } };

struct keys_seen {
	const struct message *offer, *answer;        /* the first that carry keys in clear */
	const struct sdp_media *offered, *answered;
	bool decided;                /* some offer with keys got an answer */
};

static bool in_clear(const struct message *m)
{
	return m->transport == TRANSPORT_UDP || m->transport == TRANSPORT_TCP || m->transport == TRANSPORT_SCTP;
}

/* The first description of these that is in clear; NULL: none. */
static const struct message *clear_copy(const struct sdp_copies *c)
{
	for (unsigned i = 0; i < c->count; i++) {
		if (in_clear(c->seen[i]))
			return c->seen[i];
	}
	return NULL;
}

static const struct sdp_media *media_with_key(const struct message *m, unsigned at)
{
	if (!m || !m->sdp || at >= m->sdp->media_count)
		return NULL;
	return m->sdp->media[at].rare->crypto_count && m->sdp->media[at].port ? &m->sdp->media[at] : NULL;
}

static void look(const struct exchange *x, struct keys_seen *k)
{
	const struct message *offer = clear_copy(&x->offer), *answer = clear_copy(&x->answer);

	for (unsigned i = 0; offer && i < offer->sdp->media_count && !k->answered; i++) {
		const struct sdp_media *o = media_with_key(offer, i), *a = media_with_key(answer, i);

		if (!o)
			continue;
		if (!k->offer || a) {
			k->offer = offer;
			k->offered = o;
		}
		k->decided |= x->state == EXCHANGE_STABLE;
		if (x->state != EXCHANGE_STABLE || !a)
			continue;
		k->answer = answer;
		k->answered = a;
	}
}

/* An offer that nothing answered is in no dialog. */
static void look_at_messages(const struct leg *leg, struct keys_seen *k)
{
	CHAIN_EACH(it, &leg->messages) {
		const struct message *m = LIST_ENTRY(it, struct message, in_leg);

		for (unsigned i = 0; m->sdp && in_clear(m) && i < m->sdp->media_count && !k->offer; i++) {
			k->offered = media_with_key(m, i);
			k->offer = k->offered ? m : NULL;
		}
		if (k->offer)
			return;
	}
}

static void tell(struct detection *d, const struct leg *leg, const struct keys_seen *k)
{
	const struct facts *facts = detection_facts(d);
	const char *reason = !k->answered ? "offered-only" : k->answered->secure ? "in-use" : "opportunistic";
	struct finding *f = detection_raise(d, reason, k->answered ? SEVERITY_WARNING : SEVERITY_INFO,
					    k->answered || k->decided ? CONFIDENCE_CERTAIN : CONFIDENCE_POSSIBLE);
	char from[SAY_TEXT], to[SAY_TEXT], suite[48];
	const char *transport = k->offer->transport == TRANSPORT_UDP ? "UDP" : "TCP";

	say_host(facts, &k->offer->src.addr, from);
	say_host(facts, &k->offer->dst.addr, to);
	text_escape(k->offered->rare->crypto_suite, suite, sizeof suite);
	finding_title(f, k->answered ? "Media keys can be read in SIP over %s"
		: "Media keys are offered in SIP over %s", transport);
	finding_cause(f, "a=crypto (%s, inline:***) %s between %s and %s over %s without TLS: who sees this hop can decrypt the call.", suite,
		      k->answered ? "was agreed" : k->decided ? "was offered and not taken" : "was offered", from, to,
		      transport);
	finding_fix(f, "Carry SIP between %s and %s over TLS, or use DTLS-SRTP.", from, to);
	finding_leg(f, leg);
	finding_part(f, PART_CULPRIT, &k->offer->dst);
	finding_part(f, PART_VICTIM, &k->offer->src);
	finding_evidence(f, k->offer->at, "SDP with a=crypto, the key readable");
	if (k->answer)
		finding_evidence(f, k->answer->at, "the answer with a key of its own");
	finding_times(f, k->offer->at.at_ns, k->answer ? k->answer->at.at_ns : k->offer->at.at_ns);
	f->count = 1;
	finding_cannot_see(f, "other legs of the call: they may be protected");
}

static void on_event(struct detection *d, const struct event *ev)
{
	struct keys_seen k = { NULL };

	LIST_EACH(it, &ev->leg->dialogs) {
		LIST_EACH(xit, &LIST_ENTRY(it, struct dialog, in_leg)->exchanges)
			look(LIST_ENTRY(xit, struct exchange, in_dialog), &k);
	}
	if (!k.offer)
		look_at_messages(ev->leg, &k);
	if (k.offer)
		tell(d, ev->leg, &k);
	else
		detection_pass(d, NULL, "no a=crypto in clear");
}

const struct detector detect_sdes_key_in_clear = {
	.id = "sdes-key-in-clear", .doc = &doc, .keys = keys, .event = on_event, .events = EVENT_BIT(EVENT_JUDGE_CALL),
	.scope = PER_CALL, .usual = SEVERITY_WARNING, .possible_max = SEVERITY_INFO,
};
