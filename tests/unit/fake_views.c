/* SPDX-License-Identifier: MIT */
/*
 * fake_views: handmade data behind the view functions. Documentation addresses (RFC 5737); the numbers agree with one
 * another.
 */
#include "tests/unit/fake_views.h"

#include <stdio.h>

#define MS(n) (FAKE_START_NS + (n) * MILLISECOND_NS)
#define V4(a, b, c, d, at) { .addr = { 4, { a, b, c, d } }, .port = (at) }
#define PHONE(port) V4(192, 168, 1, 21, port)
#define FIREWALL(port) V4(203, 0, 113, 2, port)
#define INSIDE(port) V4(192, 168, 1, 1, port)
#define PROVIDER(port) V4(198, 51, 100, 7, port)
#define MEDIA(port) V4(198, 51, 100, 40, port)
#define TEXT(literal) { (const uint8_t *)(literal), sizeof(literal) - 1 }
/* ESC sequence, CR LF, DEL, C1 (UTF-8), right-to-left override, a broken byte, a backslash, a quote */
#define HOSTILE "\x1b[2J\r\n\x7f\xc2\x9b\xe2\x80\xae\xff\\\""

struct engine {
	enum fake which;
};

static const struct engine engines[] = {
	{ FAKE_ONE_WAY }, { FAKE_HOSTILE }, { FAKE_NOTHING }, { FAKE_LIKE_RTP }, { FAKE_EMPTY }, { FAKE_CLEAN }, { FAKE_MANY },
	  { FAKE_OUTSIDE }, { FAKE_ONE_OUTSIDE }, { FAKE_REGISTERED },
};

const struct engine *fake_engine(enum fake which)
{
	return &engines[which];
}

const struct source_file *fake_file(enum fake which)
{
	static const struct source_interface ethernet = { .link = 1, .snaplen = 262144 };
	static const struct source_file file = { .name = "captures/call-4.pcapng", .frames = 6338, .bytes = 1356332,
		.interfaces = &ethernet, .interface_count = 1 };
	static const struct source_file hostile = { .name = "odd" HOSTILE ".pcap", .frames = 6338, .bytes = 1356332,
		.interfaces = &ethernet, .interface_count = 1 };
	static const struct source_file damaged = { .name = "cut.pcap",
		.error = { ERR_DAMAGED, "cut.pcap: frame 1 at byte 24: the file ends within it" } };

	return which == FAKE_HOSTILE ? &hostile : which == FAKE_EMPTY ? &damaged : &file;
}

static bool is_call_4(const struct engine *e)
{
	return e->which == FAKE_ONE_WAY || e->which == FAKE_HOSTILE;
}

static const struct withheld withheld[] = {
	{ "one-way-audio", TEXT("o0@192.168.1.21"), "G1" },
	{ "one-way-audio", TEXT("o1@192.168.1.21"), "G1" },
	{ "no-audio", TEXT("o0@192.168.1.21"), "G1" },
};

void view_capture(const struct engine *e, struct view_capture *ret)
{
	*ret = (struct view_capture){
		.first_ns = MS(204), .last_ns = MS(48404), .frames = 6338, .bytes = 1356332, .sip = 16, .rtp = 6298,
		.rtcp = 24,
		.vantage_kind = "both-sides", .vantage_confidence = "certain",
		.vantage_why = "one message before and after 203.0.113.2",
		.vantage_host = { 4, { 203, 0, 113, 2 } },
		.seen_from = "both sides of the firewall 203.0.113.2 (LAN eth1, WAN eth2)",
		.can_show = "SIP and audio on both sides of it",
		.cannot_prove = { "what the phone plays", "anything beyond the provider" }, .cannot_prove_count = 2,
	};
	if (e->which == FAKE_NOTHING) {
		*ret = (struct view_capture){ .first_ns = MS(0), .last_ns = MS(251000), .frames = 88214, .other = 88000,
			.undecoded = { 0, 214 },
					      .others = { { "TCP 443", 0.71 }, { "TCP 445", 0.18 },
					      { "UDP 53", 0.06 } }, .other_count = 3,
					      .evicted = { { "streams", 2 } }, .evicted_count = 1,
					      .notes = { "the clock goes back at frame 9" }, .note_count = 1 };
	} else if (e->which == FAKE_LIKE_RTP) {
		*ret = (struct view_capture){ .first_ns = MS(0), .last_ns = MS(140), .frames = 12, .other = 12, .like_rtp = 10,
					      .evicted = { { "others", 5000 } }, .evicted_count = 1 };
	} else if (e->which == FAKE_EMPTY) {
		*ret = (struct view_capture){ .first_ns = NS_NONE, .last_ns = NS_NONE };
	} else if (e->which == FAKE_OUTSIDE) {
		ret->withheld = withheld;
		ret->withheld_count = 3;
	}
}

static void add_host(struct view_host_part *hosts, unsigned *count, struct endpoint at, const char *part)
{
	hosts[(*count)++] = (struct view_host_part){ at, part };
}

static const char *const alg_title = "The firewall 203.0.113.2 rewrites SIP: phone 1001 hears nothing";
static const char *const alg_cause = "The firewall puts port 16392 into the phone's SDP, sends the phone's audio from port 62017, and passes "
				     "nothing on that comes to 16392.";
static const char *const alg_fix = "Switch the SIP ALG of 203.0.113.2 off, and at the same time let the phone keep its binding: rport on, "
				   "keepalive 30 s or less. Then clear the firewall's sessions and let the phone register again.";

bool view_incident(const struct engine *e, size_t i, struct view_incident *ret)
{
	if (!is_call_4(e) || i > 0)
		return false;
	*ret = (struct view_incident){
		.n = 1, .title = alg_title, .cause = alg_cause, .fix = alg_fix, .severity = "error",
		.confidence = "certain", .findings = { 1, 2, 3 },
		.finding_count = 3, .calls = { 1 }, .call_count = 1, .calls_total = 1, .first_ns = MS(5914),
		.last_ns = MS(47936),
	};
	add_host(ret->hosts, &ret->host_count, (struct endpoint)FIREWALL(0), "culprit");
	return true;
}

static void finding_alg(const struct engine *e, struct view_finding *f)
{
	static const struct view_evidence evidence[] = {
		{ 0, 1, 1, MS(204), "INVITE on the LAN: audio to 192.168.1.21:11800" },
		{ 0, 2, 2, MS(205), "same INVITE on the WAN: audio to 203.0.113.2:16392" },
		{ 0, 12, 12, MS(5957), "the phone's audio leaves from 203.0.113.2:62017" },
		{ 0, 13, 6332, MS(5960), "198.51.100.40 sends 2 098 packets to port 16392" },
		{ 0, 0, 0, NS_NONE, "none of the 2 098 appears on the LAN" },
		{ 0, 815, 815, MS(10960), "RTCP of 198.51.100.40: 1001's audio arrives, 0 lost" },
		{ 0, 6337, 6337, MS(47958), "a seventh proof, only in JSON" },
	};

	*f = (struct view_finding){
		.n = 1, .id = "sip-alg", .reason = "rewritten-sdp", .severity = "error", .confidence = "certain",
		.title = alg_title, .cause = alg_cause,
		.fix = alg_fix, .chain = { 2 }, .chain_count = 1, .since_ns = MS(5914), .first_ns = MS(204),
		.last_ns = MS(47936),
		.call_ids = { e->which == FAKE_HOSTILE ? (struct span)TEXT("id" HOSTILE)
		: (struct span)TEXT("8f2a@192.168.1.21") },
		.call_id_count = 1, .calls_total = 1, .call_numbers = { 1 }, .streams = { 1, 3 }, .stream_count = 2,
		.evidence_count = sizeof evidence / sizeof evidence[0], .count = 1, .state = "open", .incident = 1,
	};
	memcpy(f->evidence, evidence, sizeof evidence);
	add_host(f->hosts, &f->host_count, (struct endpoint)FIREWALL(0), "culprit");
	add_host(f->hosts, &f->host_count, (struct endpoint)PHONE(11800), "victim");
}

static void finding_other(unsigned n, struct view_finding *f)
{
	*f = (struct view_finding){
		.n = n, .severity = n == 4 ? "info" : "error", .confidence = "certain", .since_ns = NS_NONE,
		.first_ns = MS(5914), .last_ns = MS(47936),
		.call_ids = { TEXT("8f2a@192.168.1.21") }, .call_id_count = 1, .calls_total = 1, .call_numbers = { 1 },
		.count = 1, .state = "open",
		.explained_by = n == 2 ? 1 : 0, .incident = n == 4 ? 0 : 1,
	};
	f->id = n == 2 ? "one-way-audio" : n == 3 ? "dropped-in-path" : "cleartext";
	f->reason = n == 2 ? "nothing-arrives" : n == 3 ? "media" : "sip";
	f->title = n == 2 ? "1001 hears nothing of 01632960105" : n == 3
		? "The firewall passes no audio of 198.51.100.40" : "SIP is readable by all";
	f->evidence[0] = (struct view_evidence){ 0, 1, 1, MS(204), "a message in clear" };
	f->evidence_count = 1;
}

/* FAKE_MANY: calls 5, 9 and 17 have one loss finding each; a scan concerns no call. */
static bool finding_many(size_t i, struct view_finding *f)
{
	static const unsigned calls[] = { 5, 9, 17 };
	static char ids[3][24];

	if (i > 3)
		return false;
	*f = (struct view_finding){
		.n = (unsigned)i + 1, .id = "rtp-loss", .reason = "in-network", .severity = "warning",
		.confidence = "likely",
		.title = "The path to 192.168.1.21 probably loses packets: 4.1 % of its audio",
		.cause = "Packets are lost before this point.",
		.fix = "Look for a full link or a duplex mismatch.", .since_ns = NS_NONE,
		.first_ns = MS(60000 * (int64_t)i), .last_ns = MS(60000 * (int64_t)i + 9000),
		.count = 1, .state = "open",
	};
	add_host(f->hosts, &f->host_count, (struct endpoint)PHONE(0), "victim");
	if (i < 3) {
		snprintf(ids[i], sizeof ids[i], "many-%u", calls[i]);
		f->call_ids[0] = span_of(ids[i]);
		f->call_id_count = f->calls_total = 1;
		f->call_numbers[0] = calls[i];
		return true;
	}
	f->id = "sip-scan";
	f->reason = "vertical-extensions";
	f->confidence = "certain";
	f->title = "192.0.2.66 probes 240 extensions of the PBX 203.0.113.10, which answers";
	f->cause = "The PBX answers this unknown source, 240 times 401; no login works.";
	f->hosts[0].at = (struct endpoint)V4(192, 0, 2, 66, 5060);
	f->hosts[0].part = "culprit";
	return true;
}

bool view_finding(const struct engine *e, size_t i, struct view_finding *ret)
{
	if (e->which == FAKE_MANY)
		return finding_many(i, ret);
	if (e->which == FAKE_OUTSIDE && i == 0) {
		finding_other(4, ret);
		ret->n = 1;
		ret->id = "capture-one-sided";
		ret->reason = "asymmetric-path";
		ret->title = "Only one direction between 198.51.100.40 and 203.0.113.2 is in the capture";
		ret->cannot_see = "203.0.113.2 to 198.51.100.40: 0 packets; it may take another path";
		return true;
	}
	if (!is_call_4(e) || i > 3)
		return false;
	if (i == 0)
		finding_alg(e, ret);
	else
		finding_other((unsigned)i + 1, ret);
	return true;
}

static void call_empty(struct view_call *c)
{
	*c = (struct view_call){ .start_ns = NS_NONE, .answer_ns = NS_NONE, .end_ns = NS_NONE, .pdd_ms = -1,
		.setup_ms = -1, .caller_mos = -1,
				 .callee_mos = -1, .vantage = "both-sides" };
}

static void call_4(const struct engine *e, struct view_call *c)
{
	bool hostile = e->which == FAKE_HOSTILE;

	call_empty(c);
	c->n = 1;
	c->call_ids[0] = hostile ? (struct span)TEXT("id" HOSTILE) : (struct span)TEXT("8f2a@192.168.1.21");
	c->call_id_count = 1;
	c->from = hostile ? (struct span)TEXT("10" HOSTILE "01") : (struct span)TEXT("1001");
	c->to = (struct span)TEXT("01632960105");
	c->from_agent = hostile ? (struct span)TEXT("agent" HOSTILE) : (struct span)TEXT("Yealink SIP-T46S");
	c->from_at = (struct endpoint)PHONE(5060);
	c->to_at = (struct endpoint)PROVIDER(5060);
	c->state = "ended";
	c->status = 200;
	c->start_ns = MS(204);
	c->answer_ns = MS(5914);
	c->end_ns = MS(47936);
	c->pdd_ms = 806;
	c->setup_ms = 5914 - 204;
	c->legs[0] = (struct view_leg){ .call_id = c->call_ids[0], .from_tag = TEXT("a1"), .hop_count = 2 };
	c->legs[0].hops[0].a = (struct endpoint)PHONE(5060);
	c->legs[0].hops[0].b = (struct endpoint)PROVIDER(5060);
	c->legs[0].hops[1].a = (struct endpoint)FIREWALL(5060);
	c->legs[0].hops[1].b = (struct endpoint)PROVIDER(5060);
	c->leg_count = 1;
	c->media[0] = (struct view_direction){ .kind = "audio", .sender = 1, .from = MEDIA(30012), .to = PHONE(11800),
		.expected = true, .due_ms = 42022,
					       .heard = HEARD_NO, .why = "N1", .mos = -1, .loss_percent = 100,
					       .jitter_ms = -1 };
	c->media[1] = (struct view_direction){ .kind = "audio", .sender = 0, .from = PHONE(11800), .to = MEDIA(30012),
		.expected = true, .due_ms = 42022,
					       .packets = 2101, .heard = HEARD_YES, .why = "RTCP of the receiver",
					       .bound_by = "B1", .streams = { 1, 2 },
					       .stream_count = 2, .mos = 4.4, .codec = "PCMA", .loss_percent = 0,
					       .jitter_ms = 1.2 };
	c->media_count = 2;
	c->caller_hears = HEARD_NO;
	c->callee_hears = HEARD_YES;
	c->callee_mos = 4.41;
	for (unsigned i = 0; i < 4; i++)
		c->findings[c->finding_count++] = i + 1;
}

static bool call_clean(size_t i, struct view_call *c)
{
	static const char *const states[] = { "ended", "busy", "cancelled", "failed" };

	if (i > 3)
		return false;
	call_empty(c);
	c->n = (unsigned)i + 1;
	c->state = states[i];
	c->status = i == 3 ? 404 : 0;
	c->from = (struct span)TEXT("1002");
	c->to = (struct span)TEXT("01632960144");
	c->start_ns = MS(1000 * (int64_t)i);
	if (i)
		return true;
	c->answer_ns = MS(2000);
	c->end_ns = MS(72000);
	c->caller_hears = c->callee_hears = HEARD_YES;
	c->caller_mos = 4.1;
	c->callee_mos = 4.4;
	return true;
}

static bool call_many(size_t i, struct view_call *c)
{
	static char ids[24][24];

	if (i > 23)
		return false;
	call_clean(0, c);
	c->n = (unsigned)i + 1;
	snprintf(ids[i], sizeof ids[i], "many-%u", c->n);
	c->call_ids[0] = span_of(ids[i]);
	c->call_id_count = 1;
	c->start_ns = MS(60000 * (int64_t)i);
	c->answer_ns = ns_add(c->start_ns, 2 * SECOND_NS);
	c->end_ns = ns_add(c->start_ns, 32 * SECOND_NS);
	c->to_at = (struct endpoint)V4(10, 0, 0, (uint8_t)i, 5060);
	if (i == 4 || i == 8 || i == 16) {
		c->caller_hears = HEARD_POOR;
		c->caller_mos = 2.9;
		c->findings[0] = i == 4 ? 1 : i == 8 ? 2 : 3;
		c->finding_count = 1;
	}
	if (i == 23) {
		c->state = "busy";
		c->status = 486;
		c->answer_ns = NS_NONE;
		c->caller_hears = c->callee_hears = HEARD_NOT_EXPECTED;
		c->caller_mos = c->callee_mos = -1;
	}
	return true;
}

static bool call_outside(size_t i, struct view_call *c)
{
	if (i > 1)
		return false;
	call_clean(0, c);
	c->n = (unsigned)i + 1;
	c->caller_hears = c->callee_hears = HEARD_UNKNOWN;
	c->callee_mos = -1;
	c->media[0] = (struct view_direction){ .kind = "audio", .sender = 1, .packets = 5000, .heard = HEARD_UNKNOWN,
		.mos = 4.1, .loss_percent = 0, .jitter_ms = 1 };
	c->media_count = 1;
	return true;
}

bool view_call(const struct engine *e, size_t i, struct view_call *ret)
{
	if (e->which == FAKE_CLEAN)
		return call_clean(i, ret);
	if (e->which == FAKE_MANY)
		return call_many(i, ret);
	if (e->which == FAKE_OUTSIDE)
		return call_outside(i, ret);
	if (e->which == FAKE_ONE_OUTSIDE)
		return i == 0 && call_outside(i, ret);
	if (!is_call_4(e) || i > 0)
		return false;
	call_4(e, ret);
	return true;
}

bool view_stream(const struct engine *e, size_t i, struct view_stream *ret)
{
	static const struct view_interval intervals[] = { { MS(5960), 250, 0, 1.9, 4.4, true, VIEW_UNHEARD },
		{ MS(10960), 250, 2, 2.25, -1, true, VIEW_UNHEARD } };
	static const struct view_stream streams[] = {
		{ .n = 1, .call = 1, .src = PHONE(11800), .dst = MEDIA(30012), .ssrc = 0x1a2b3c4d, .packets = 2101,
		  .twins = { 2 }, .twin_count = 1,
		  .dscp = 46, .first_ns = MS(5956), .last_ns = MS(47900), .first_frame = 11, .last_frame = 6330 },
		{ .n = 2, .call = 1, .src = FIREWALL(62017), .dst = MEDIA(30012), .ssrc = 0x1a2b3c4d, .packets = 2101,
		  .twins = { 1 }, .twin_count = 1,
		  .dscp = -1, .first_ns = MS(5957), .last_ns = MS(47901), .first_frame = 12, .last_frame = 6331 },
		{ .n = 3, .call = 1, .src = MEDIA(30012), .dst = FIREWALL(16392), .ssrc = 0xcafe, .packets = 2098,
		  .lost = 3, .lost_within = 3,
		  .loss_runs = { 1, 1 }, .dscp = -1, .first_ns = MS(5960), .last_ns = MS(47902), .first_frame = 13,
		  .last_frame = 6332 },
	};

	if (!is_call_4(e) || i > 2)
		return false;
	*ret = streams[i];
	ret->pt_count = 1;
	ret->pts[0] = 8;
	ret->codec = (struct span)TEXT("PCMA");
	ret->clock_hz = 8000;
	ret->epochs = 1;
	ret->max_delta_ms = 21.3339;
	ret->mean_jitter_ms = 1.2;
	ret->max_jitter_ms = 2;
	ret->mos = 4.38;
	ret->mos_kind = "lq";
	ret->mos_valid = "yes";
	ret->intervals = intervals;
	ret->interval_count = 2;
	return true;
}

bool view_peer(const struct engine *e, size_t i, struct view_peer *ret)
{
	if (!is_call_4(e) || i > 1)
		return false;
	*ret = (struct view_peer){ .at = PROVIDER(0), .user_agent = TEXT("trunk"), .attempts = i ? 200 : 1,
		.answered = i ? 164 : 1, .asr = i ? 0.82 : 1,
				   .ner = i ? 0.97 : 1, .pdd_p50_ms = 910, .pdd_p95_ms = 2400,
				   .responses = { { 200, 164 }, { 486, 9 } },
				   .response_count = i ? 2 : 0, .loss_percent = -1, .calls_too_few = i == 0 };
	if (i)
		ret->at = (struct endpoint)V4(198, 51, 100, 8, 0);
	return true;
}

bool view_registration(const struct engine *e, size_t i, struct view_registration *ret)
{
	if ((!is_call_4(e) && e->which != FAKE_REGISTERED) || i > 0)
		return false;
	*ret = (struct view_registration){ .n = 1, .aor = TEXT("1001@198.51.100.7"), .source = PHONE(5060),
		.registrar = PROVIDER(5060), .state = "registered",
					   .status = 200, .has_expires = true, .expires_s = 0, .first_ns = MS(0),
					   .last_ns = MS(100) };
	if (e->which == FAKE_HOSTILE)
		ret->contact = ret->device = (struct span)TEXT("c" HOSTILE);
	return true;
}

bool view_host(const struct engine *e, size_t i, struct view_host *ret)
{
	if (!is_call_4(e) || i > 1)
		return false;
	*ret = (struct view_host){ .addr = { 4, { 192, 168, 1, 21 } }, .roles = { "phone" }, .role_count = 1,
		.why = { "registers" }, .why_count = 1,
				   .sip_ports = { 5060 }, .sip_port_count = 1, .media_ports = { 11800 },
				   .media_port_count = 1, .transports = { "udp" },
				   .transport_count = 1, .vlans = { 100 }, .vlan_count = 1, .dscp = 46, .hops = 0,
				   .range_low = 11800, .range_high = 11803,
				   .peak_calls = 2, .ports_needed = 4 };
	if (i)
		*ret = (struct view_host){ .addr = { 4, { 203, 0, 113, 2 } }, .aliases = { { 4, { 192, 168, 1, 1 } } },
			.alias_count = 1,
					   .roles = { "nat" }, .role_count = 1, .dscp = -1, .hops = -1 };
	if (e->which == FAKE_HOSTILE)
		ret->user_agent = (struct span)TEXT("h" HOSTILE);
	return true;
}

bool view_nat(const struct engine *e, size_t i, struct view_nat *ret)
{
	if (!is_call_4(e) || i > 0)
		return false;
	*ret = (struct view_nat){ .inside = PHONE(11800), .outside = FIREWALL(62017), .protocol = "udp",
		.scope = "media", .learnt = "twin", .weight = 100,
				  .first_ns = MS(5956), .last_ns = MS(47901) };
	return true;
}

bool view_check(const struct engine *e, size_t i, struct view_check *ret)
{
	static const struct view_check checks[] = {
		{ .item = "C1.1", .title = "Transport correct", .name = "transport", .state = "PASS",
		  .why = "198.51.100.7:5060 UDP, 2 of 2 requests answered",
		  .evidence = { { 0, 7, 0, MS(5914), "198.51.100.7:5060 answers over UDP" } }, .evidence_count = 1 },
		{ .item = "C1.2", .title = "Provider addresses only", .name = "provider only", .state = "CANNOT-TELL",
		  .why = "not tested" },
		{ .item = "C1.3", .title = "Media range permitted", .name = "media range", .state = "FAIL",
		  .why = "Audio is dropped", .ids = { "dropped-in-path" },
		  .id_count = 1 },
		{ .item = "C1.4", .title = "SIP ALG off", .name = "SIP ALG off", .state = "FAIL",
		  .why = "The firewall rewrites SIP", .ids = { "sip-alg" },
		  .id_count = 1, .findings = { 1 }, .finding_count = 1 },
		{ .item = "C1.5", .title = "Live call flows tested", .name = "call flows", .state = "FAIL",
		  .why = "0 of 3 seen to work; faulty: outbound" },
		{ .item = "C2.1", .title = "Inbound call", .name = "inbound", .state = "NOT-SEEN", .flow = true,
		  .why = "no call from a provider to the site" },
		{ .item = "C2.2", .title = "Outbound call", .name = "outbound", .state = "FAIL", .flow = true,
		  .why = "1 of 1: one-way-audio", .ids = { "one-way-audio" },
		  .id_count = 1, .calls = { 1 }, .call_count = 1, .calls_total = 1,
		  .evidence = { { 0, 1, 0, MS(204), "call 1" } }, .evidence_count = 1 },
		{ .item = "C2.4", .title = "Hold and resume", .name = "hold", .state = "NOT-SEEN", .flow = true,
		  .why = "no call was held" },
	};

	if (!is_call_4(e) || i >= sizeof checks / sizeof checks[0])
		return false;
	*ret = checks[i];
	return true;
}

void view_policy(const struct engine *e, struct view_policy *ret)
{
	static struct net nets[] = { { { 4, { 192, 168 } }, 16 }, { { 6, { 0xfc } }, 7 } };
	static const struct nets inside = { nets, 2 };

	*ret = (struct view_policy){ .rules = is_call_4(e) ? 3 : 0, .users = 1, .strangers = 2, .peak_calls = 1,
		.inside = &inside };
}

bool view_rule(const struct engine *e, size_t i, struct view_rule *ret)
{
	static const struct view_rule rules[] = {
		{ .from = { 4, { 192, 168, 1, 21 } }, .to = { 4, { 198, 51, 100, 7 } }, .protocol = "udp", .low = 5060,
		  .high = 5060, .count = 2, .frame = 1 },
		{ .media = true, .inbound = true, .from = { 4, { 198, 51, 100, 40 } }, .to = { 4, { 192, 168, 1, 21 } },
		  .protocol = "udp", .low = 11800,
		  .high = 11801, .count = 1, .frame = 13 },
		{ .media = true, .from = { 4, { 192, 168, 1, 21 } }, .to = { 4, { 198, 51, 100, 40 } },
		  .protocol = "udp", .low = 30000, .high = 30099,
		  .count = 1, .frame = 11, .documented = true },
	};

	if (!is_call_4(e) || i > 2)
		return false;
	*ret = rules[i];
	return true;
}

bool view_mark(const struct engine *e, size_t i, struct view_mark *ret)
{
	static const struct view_mark marks[] = { { false, false, 24, 9 }, { true, false, 46, 2 }, { true, false, 0, 1 } };

	if (!is_call_4(e) || i >= sizeof marks / sizeof marks[0])
		return false;
	*ret = marks[i];
	return true;
}

bool view_vlan(const struct engine *e, size_t i, struct view_vlan *ret)
{
	if (!is_call_4(e) || i > 0)
		return false;
	*ret = (struct view_vlan){ 100, 2 };
	return true;
}

bool view_limit(const struct engine *e, size_t i, struct view_limit *ret)
{
	(void)e;
	(void)i;
	(void)ret;
	return false;
}

bool view_message(const struct engine *e, size_t call, size_t i, struct view_message *ret)
{
	static const struct view_message messages[] = {
		{ .at_ns = MS(204), .frame = 1, .src = PHONE(5060), .dst = INSIDE(5060), .method = TEXT("INVITE"),
		  .sdp = true, .sdp_text = "PCMA 192.168.1.21:11800" },
		{ .at_ns = MS(205), .frame = 2, .src = FIREWALL(5060), .dst = PROVIDER(5060), .method = TEXT("INVITE"),
		  .sdp = true, .sdp_text = "PCMA 203.0.113.2:16392" },
		{ .at_ns = MS(231), .frame = 3, .src = PROVIDER(5060), .dst = FIREWALL(5060), .method = TEXT("INVITE"),
		  .reason = TEXT("Trying"), .status = 100 },
		{ .at_ns = MS(5914), .frame = 7, .src = PROVIDER(5060), .dst = FIREWALL(5060), .method = TEXT("INVITE"),
		  .reason = TEXT("OK"), .status = 200, .sdp = true },
		{ .at_ns = MS(5915), .frame = 8, .src = INSIDE(5060), .dst = PHONE(5060), .method = TEXT("INVITE"),
		  .reason = TEXT("OK"), .status = 200, .sdp = true },
		{ .at_ns = MS(5915), .frame = 8, .src = INSIDE(5060), .dst = PHONE(5060), .method = TEXT("INVITE"),
		  .reason = TEXT("OK"), .status = 200, .copy = true },
		{ .at_ns = MS(47936), .frame = 6335, .src = PHONE(5060), .dst = INSIDE(5060), .method = TEXT("BYE") },
		{ .at_ns = MS(48436), .frame = 6336, .src = PHONE(5060), .dst = INSIDE(5060), .method = TEXT("BYE"),
		  .retransmission = true },
	};

	if (!is_call_4(e) || call > 0 || i >= sizeof messages / sizeof messages[0])
		return false;
	*ret = messages[i];
	if (e->which == FAKE_HOSTILE)
		ret->method = ret->reason = (struct span)TEXT(HOSTILE);
	return true;
}

static const struct {
	bool holds, decided;
	const char *text;
} rows[] = {
	{ true, true, "an established call is there" },
	{ false, true, "two live calls share one media address: only call 1 has 203.0.113.2:16392" },
	{ false, false, "both get audio at once for 0.5 s" },
};

bool view_why_not(const struct engine *e, size_t i, struct view_why_not *ret)
{
	if ((e->which != FAKE_ONE_WAY && e->which != FAKE_OUTSIDE) || i > 0)
		return false;
	*ret = (struct view_why_not){ .call = 1, .rows = (const void *)rows, .row_count = 3,
		.gate = e->which == FAKE_OUTSIDE ? "G1, one-sided" : NULL };
	return true;
}

void view_end(const struct engine *e, struct view_end *ret)
{
	*ret = (struct view_end){ .calls = 0 };
	if (is_call_4(e))
		*ret = (struct view_end){ .calls = 1, .answered = 1, .streams = 3, .registrations = 1, .error = 3,
			.info = 1, .exit = 1 };
	else if (e->which == FAKE_REGISTERED)
		*ret = (struct view_end){ .registrations = 1 };
	else if (e->which == FAKE_MANY)
		*ret = (struct view_end){ .calls = 24, .answered = 23, .warning = 4, .exit = 1 };
}

bool view_detector(size_t i, struct view_detector *ret)
{
	static const char *const reasons[] = { "rewritten-sdp", "rewritten-contact", NULL };
	static const char *const ids[] = { "one-way-audio", "sip-alg", "rtp-loss", "sip-scan", "capture-one-sided" };

	if (i >= sizeof ids / sizeof ids[0])
		return false;
	*ret = (struct view_detector){ .id = ids[i],
		.says = i ? "a device in the path rewrites SIP" : "one party hears nothing",
				       .usual = i ? "warning" : "error", .symptom = "one-way audio",
				       .evidence = "copies of one message", .mimics = "SBC",
				       .fix = "switch it off", .reasons = reasons,
				       .keys = { { "min-seconds", "s", "field", 5, 1, 60 } }, .key_count = 1 };
	return true;
}

bool view_detector_find(const char *id, struct view_detector *ret)
{
	for (size_t i = 0; view_detector(i, ret); i++)
		if (strcmp(ret->id, id) == 0)
			return true;
	return false;
}
