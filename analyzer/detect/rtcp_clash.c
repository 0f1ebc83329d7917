/* SPDX-License-Identifier: MIT */
/* rtcp-port-clash: control packets of one call arrive at the audio port of another. RFC 3550 11, RFC 3605, RFC 5761. */
#include <stdio.h>

#include "analyzer/detect/say.h"
#include "analyzer/media/socket_use.h"

static const char *const reasons[] = { "odd-allocator", "a-rtcp-wrong", "mux-one-sided", NULL };

static const struct detector_doc doc = {
	.says = "RTCP of one call meets RTP of another",
	.symptom = "\"A short noise every 5 s\", statistics that make no sense.",
	.evidence = "The RTCP port of one call (its RTP port + 1, or a=rtcp) is the RTP port of another at the same host, and its reports arrive there.",
	.mimics = "rtcp-mux in the answer, an odd RTP port alone, an ICMP error for RTCP alone.",
	.fix = "Even RTP ports in steps of two, or rtcp-mux on both sides.",
	.reasons = reasons,
};

static const struct config_key keys[] = {
	{ "rtcp-min", 3, "packets", 1, 100, "field: one report may be a stray" },
	{ 0 },
};

enum { HOLDS_WALKED = 64, LATCHED_PACKETS = 25 };

struct clash {
	/* the RTP socket of call a; the socket that is a's RTCP and b's RTP */
	const struct socket_use *control_of, *audio;
	const struct socket_hold *a, *b;
	const struct rtcp_party *party; /* a's far end, reporting into b's audio port; NULL: unseen */
	uint64_t packets;
	int64_t from_ns, to_ns;
};

/* Are these reports those of a's far end? Its audio bears the same stream id. */
static bool speaks_for(const struct rtcp_party *p, const struct clash *c)
{
	struct stream_slice in = socket_arriving(c->control_of, c->to_ns);

	for (unsigned i = 0; i < in.count; i++) {
		if (in.at[i]->ssrc == p->ssrc && hold_fits_source(c->a, in.at[i]))
			return true;
	}
	return false;
}

static void find_reports(struct clash *c)
{
	for (unsigned i = 0; i < c->audio->control_count && i < HOLDS_WALKED; i++) {
		const struct rtcp_party *p = c->audio->control[i];

		if (p->first_ns >= c->to_ns || p->last_ns <= c->from_ns || p->report_total <= c->packets ||
		    !speaks_for(p, c))
			continue;
		c->party = p;
		c->packets = p->report_total;
	}
}

/* The host took the reports for the call's audio and sends its own to where they come from. */
static const struct stream *latched(const struct clash *c)
{
	struct stream_slice out = socket_leaving(c->audio, c->to_ns);

	for (unsigned i = 0; c->party && i < out.count; i++) {
		if (endpoint_equal(&out.at[i]->dst, &c->party->src) && out.at[i]->packets >= LATCHED_PACKETS)
			return out.at[i];
	}
	return NULL;
}

static const char *reason_of(const struct clash *c)
{
	if (c->a->mux)
		return "mux-one-sided";
	return hold_rtcp(c->a).port != (uint16_t)(c->control_of->at.port + 1) ? "a-rtcp-wrong" : "odd-allocator";
}

static void say(struct finding *f, const struct facts *facts, const struct clash *c)
{
	char rtp[ENDPOINT_TEXT], control[ENDPOINT_TEXT], host[SAY_TEXT];

	endpoint_text(&c->control_of->at, rtp);
	endpoint_text(&c->audio->at, control);
	say_host(facts, &c->audio->at.addr, host);
	finding_title(f, "Control packets of one call hit another's audio at %s", control);
	if (c->party) {
		finding_cause(f, "%s gave %s to one call and %s, the first one's RTCP port, to another: %llu control packets arrived at the audio port.", host,
			      rtp, control, (unsigned long long)c->packets);
	} else {
		finding_cause(f, "%s gave %s to one call and %s, the first one's RTCP port, to another.", host, rtp,
			control);
		finding_cannot_see(f, "no RTCP of it was captured: the ports overlap on paper only");
	}
	finding_fix(f, "On %s let RTP ports be even and go in steps of two, or switch rtcp-mux on at both sides.",
		host);
}

static void tell(struct detection *d, const struct clash *c)
{
	bool harm = c->packets >= (uint64_t)detection_key(d, "rtcp-min");
	const struct stream *astray = harm ? latched(c) : NULL;
	struct finding *f = detection_raise_keyed(d, endpoint_key(&c->audio->at), reason_of(c),
						  astray ? SEVERITY_ERROR : harm ? SEVERITY_WARNING : SEVERITY_INFO,
						  harm ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY);

	finding_part(f, PART_CULPRIT, &c->audio->at);
	finding_part(f, PART_WITNESS, &c->control_of->at);
	finding_leg(f, c->b->leg);
	finding_leg(f, c->a->leg);
	finding_times(f, c->from_ns, c->to_ns);
	finding_evidence(f, c->a->named->at, "one call names %u for RTP, so %u for RTCP", c->control_of->at.port,
		hold_rtcp(c->a).port);
	finding_evidence(f, c->b->named->at, "the other call names %u for its RTP", c->audio->at.port);
	if (c->party && c->party->report_count) {
		const struct rtcp_sender_report *first = &c->party->reports[0];

		finding_evidence(f, (struct frame_ref){ first->at_ns, first->frame, first->file, 0 },
			"the first of %llu control packets at the audio port",
				 (unsigned long long)c->packets);
	}
	if (astray) {
		finding_stream(f, astray->n);
		finding_evidence(f, stream_frame(astray, astray->first_frame, astray->first_ns),
			"audio is sent to where the control packets come from");
	}
	say(f, detection_facts(d), c);
}

static bool overlap(struct clash *c)
{
	c->from_ns = c->a->from_ns > c->b->from_ns ? c->a->from_ns : c->b->from_ns;
	c->to_ns = c->a->to_ns < c->b->to_ns ? c->a->to_ns : c->b->to_ns;
	return ns_minus(c->to_ns, c->from_ns) >= SECOND_NS;
}

static bool is_clash(const struct facts *facts, struct clash *c)
{
	if (c->a->leg == c->b->leg || c->a->leg->call == c->b->leg->call ||
	    span_equal(c->a->leg->call_id, c->b->leg->call_id) || !c->a->due || !c->b->due ||
	    c->a->ice || c->b->ice || !overlap(c))
		return false;
	if (socket_owner_of(facts->network, &c->audio->at, c->a, c->b) != SOCKET_ONE_OWNER)
		return false;
	find_reports(c);
	return !c->a->mux || c->party;
}

/* The control port of this hold, asked whether it is the audio port of another call. */
static bool judge_hold(struct detection *d, const struct socket_use *s, const struct socket_hold *a)
{
	const struct facts *facts = detection_facts(d);
	struct endpoint rtcp = hold_rtcp(a);
	const struct socket_use *audio = rtcp.port ? socket_uses_find(facts->sockets, &rtcp) : NULL;
	struct clash worst = { .a = NULL };

	for (unsigned i = 0; audio && audio != s && i < audio->hold_count && i < HOLDS_WALKED; i++) {
		struct clash c = { .control_of = s, .audio = audio, .a = a, .b = audio->holds[i] };

		if (is_clash(facts, &c) && (!worst.a || c.packets > worst.packets))
			worst = c;
	}
	if (worst.a)
		tell(d, &worst);
	return worst.a;
}

static void on_event(struct detection *d, const struct event *ev)
{
	(void)ev;
	LIST_EACH(it, socket_uses_in_order(detection_facts(d)->sockets)) {
		const struct socket_use *s = LIST_ENTRY(it, struct socket_use, in_order);

		for (unsigned i = 0; i < s->hold_count && i < HOLDS_WALKED; i++) {
			if (judge_hold(d, s, s->holds[i]))
				break;
		}
	}
}

const struct detector detect_rtcp_port_clash = {
	.id = "rtcp-port-clash", .doc = &doc, .keys = keys, .event = on_event, .events = EVENT_BIT(EVENT_JUDGE_CAPTURE),
	.scope = GLOBAL, .usual = SEVERITY_WARNING, .possible_max = SEVERITY_INFO,
};
