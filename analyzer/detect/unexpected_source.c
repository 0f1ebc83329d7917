/* SPDX-License-Identifier: MIT */
/*
 * media-unexpected-source: media comes from an address that SDP did not name. RFC 3264 5.1 allows it; strict receivers
 * and firewalls do not.
 */
#include "analyzer/detect/known.h"
#include "analyzer/detect/lookup.h"
#include "analyzer/detect/say.h"

static const char *const reasons[] = { "media-gateway-other-ip", "multi-wan", "nat-unmapped", NULL };

static const struct detector_doc doc = {
	.says = "media from an address that SDP did not name",
	.symptom = "None, or audio that one side does not take.",
	.evidence = "The address in SDP, the source of the RTP, no NAT mapping between them, and what the receiver reports.",
	.mimics = "A phone behind NAT with a private address in SDP, ICE, a copy of the stream behind a router, a second sender.",
	.fix = "Permit the source in firewall and strict RTP; fix the media address, or pin the line that media takes.",
	.reasons = reasons,
};

static const struct config_key keys[] = {
	{ "min-packets", 50, "packets", 10, 100000, "1 s of 20 ms packets" },
	{ 0 },
};

enum { BOUND_BY_DESTINATION = 4, GATEWAY_CALLS = 2 };

/* Another source in the same direction at the same time: not one that moved, but one too many. */
static bool is_alone(const struct stream *s)
{
	const struct direction *d = s->direction;

	for (unsigned i = 0; i < d->stream_count; i++) {
		const struct stream *other = d->streams[i];

		if (other != s && !address_equal(&other->src.addr, &s->src.addr) && other->first_ns <= s->last_ns &&
		    other->last_ns >= s->first_ns)
			return false;
	}
	return true;
}

/* The sender told a private address and lives behind a router: its public source is nat-present's matter. */
static bool far_end_nat(const struct window *w, const struct stream *s)
{
	for (unsigned i = 0; i < w->source_count; i++) {
		if (address_private(&w->sources[i].at.addr) && !address_private(&s->src.addr))
			return true;
	}
	return w->source_count == 0;
}

/* NULL: an unexpected source it is. */
static const char *expected(struct detection *d, const struct stream *s, const struct window *w)
{
	if (!s->direction || s->bound_by != BOUND_BY_DESTINATION || s->twin_of || s->twin_next || !w)
		return "its source is the one that was named, or it belongs to no call";
	if ((double)s->packets < detection_key(d, "min-packets"))
		return "too few packets";
	if (s->relayed)
		return "TURN carries it: whose it is was told to the TURN server";
	if (w->ice || far_end_nat(w, s) || !is_alone(s))
		return "ICE, a NAT at the far end, or a second sender explains it";
	if (known_in_call(detection_facts(d), s->direction->slot->dialog->leg, &s->src.addr))
		return "some message of the call names this source";
	return NULL;
}

static const char *reason_of(const struct facts *facts, const struct stream *s)
{
	const struct address *host = &s->direction->slot->dialog->leg->party[s->direction->sender].signalling.addr;
	struct lookup_sources from = lookup_media_sources(facts->lookup, host, &s->src.addr);

	if (from.others_public && !address_private(&s->src.addr))
		return "multi-wan";
	return from.calls >= GATEWAY_CALLS ? "media-gateway-other-ip" : "nat-unmapped";
}

/* The receiver reports that it takes none of it: it is strict about the source. */
static bool refused(const struct stream *s)
{
	const struct hearing *h = hearing_of(s->direction);

	return h && h->heard == HEARD_NO && (h->report == RTCP_VERDICT_EMPTY || h->report == RTCP_VERDICT_FROZEN);
}

static void tell(struct detection *d, const struct stream *s, const struct window *w)
{
	const struct facts *facts = detection_facts(d);
	const struct leg *leg = s->direction->slot->dialog->leg;
	bool strict = refused(s);
	struct finding *f = detection_raise(d, reason_of(facts, s), strict ? SEVERITY_WARNING : SEVERITY_INFO,
		CONFIDENCE_LIKELY);
	const struct message *named = w->sources[0].message;
	char src[ENDPOINT_TEXT], sdp[ENDPOINT_TEXT], to[SAY_TEXT], from[SAY_TEXT];

	parts_of_direction(f, facts, s->direction);
	finding_part(f, strict ? PART_CULPRIT : PART_WITNESS, &s->src);
	finding_times(f, s->first_ns, s->last_ns);
	endpoint_text(&s->src, src);
	endpoint_text(&w->sources[0].at, sdp);
	say_party(facts, leg, side_other(s->direction->sender), to);
	say_party(facts, leg, s->direction->sender, from);
	finding_title(f, "Audio for %s comes from an address that SDP does not name", to);
	finding_cause(f, "Audio for %s comes from %s, not from %s, which %s announced.%s", to, src, sdp, from,
		      strict ? " The receiver reports that it takes none of it." : "");
	finding_fix(f, "Permit %s for RTP, or make %s send from the address it announces (media address, line that media takes).", src, from);
	finding_evidence(f, named->at, "the address announced: %s", sdp);
	finding_evidence_run(f, stream_frame(s, s->first_frame, s->first_ns), s->last_frame, "audio from %s", src);
	if (!strict)
		finding_cannot_see(f, "whether %s is strict about the source", to);
}

static void on_event(struct detection *d, const struct event *ev)
{
	const struct stream *s = ev->stream;
	const struct window *w = s->direction ? direction_first_due(s->direction) : NULL;
	const char *why = expected(d, s, w);

	if (why)
		detection_pass(d, NULL, "%s", why);
	else
		tell(d, s, w);
}

const struct detector detect_media_unexpected_source = {
	.id = "media-unexpected-source", .doc = &doc, .keys = keys, .event = on_event,
	.events = EVENT_BIT(EVENT_JUDGE_STREAM),
	.scope = PER_STREAM, .usual = SEVERITY_INFO, .possible_max = SEVERITY_INFO,
};
