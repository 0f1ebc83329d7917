/* SPDX-License-Identifier: MIT */
/* sip-fragmented: SIP that is too large for one packet gets lost, smaller messages pass. RFC 3261 18.1.1, RFC 8900. */
#include <stdio.h>
#include <stdlib.h>

#include "analyzer/detect/gates.h"
#include "analyzer/detect/say.h"
#include "analyzer/detect/sip_path_legs.h"
#include "analyzer/detect/tcp_fallback.h"
#include "analyzer/detect/witness.h"
#include "analyzer/network/sip_path.h"
#include "captures/base/memory.h"

static const char *const reasons[] = {
	"fragments-lost", "fragments-blocked", "icmp-frag-needed", "reassembly-timeout", "too-large", "oversize-risk",
	"tcp-fallback-refused",
	NULL,
};

static const struct detector_doc doc = {
	.says = "messages too big for one packet get lost",
	.symptom = "Short messages pass, calls with many codecs, video or lamp lists do not.",
	.evidence = "Requests by UDP in several IP fragments that nothing answers, though smaller ones of the same hosts are; fragments that never come; ICMP; a change to TCP for large requests alone, which the peer refuses.",
	.mimics = "A capture filter on ports, which never sees later fragments; a snap length; network cards that join fragments at an endpoint.",
	.fix = "Make the messages smaller or let SIP go by TCP or TLS; let fragments pass where they are blocked.",
	.reasons = reasons,
};

static const struct config_key keys[] = {
	{ "copies", 3, "copies", 2, 11, "RFC 3261 17.1.1.2: what one loss takes is sent again" },
	{ "certain-small", 5, "requests", 1, 1000,
	  "field: so many small ones answered leave no doubt that the peer is there" },
	{ 0 },
};

struct icmp_tally {                  /* about the datagrams of one path */
	unsigned too_big, timeouts;
	struct frame_ref too_big_at, timeout_at;
};

/* ---- what ICMP says, in one pass ---- */

static void tally_icmp(const struct facts *facts, struct icmp_tally *tallies)
{
	LIST_EACH(it, facts->icmp) {
		const struct icmp_record *i = LIST_ENTRY(it, struct icmp_record, in_order);
		const struct sip_path *path = sip_paths_find(facts->paths, &i->src.addr, &i->dst, TRANSPORT_UDP);
		struct icmp_tally *t;

		if (!path || i->protocol != 17)
			continue;
		t = &tallies[path->n];
		if (i->v6 ? i->type == 2 : i->type == 3 && i->code == 4) {
			if (t->too_big++ == 0)
				t->too_big_at = i->at;
		} else if (i->type == (i->v6 ? 3 : 11) && i->code == 1) {
			if (t->timeouts++ == 0)
				t->timeout_at = i->at;
		}
	}
}

/* ---- what went wrong ---- */

struct verdict {
	const char *reason;          /* NULL: nothing to say */
	enum confidence confidence;
	const struct icmp_tally *icmp;
};

static unsigned small_sent(const struct sip_path *x)
{
	return x->sizes[SIP_BELOW_1000].sent + x->sizes[SIP_BELOW_1300].sent + x->sizes[SIP_BELOW_1472].sent;
}

static unsigned small_answered(const struct sip_path *x)
{
	return x->sizes[SIP_BELOW_1000].answered + x->sizes[SIP_BELOW_1300].answered + x->sizes[SIP_BELOW_1472].answered;
}

/*
 * A filter on ports, of SIP and perhaps media, lets the first fragments in only. Then nothing else that it keeps out is
 * in the capture either.
 */
static bool filter_suspected(const struct facts *facts)
{
	const struct capture_facts *c = facts->capture;

	return !sip_paths_later_fragments(facts->paths) && c->beyond_sip + c->icmp == 0;
}

/* Datagrams of which fragments are missing here: two and more, so that one lost packet is none of it. */
static bool judge_torn(struct detection *d, const struct sip_path *x, struct verdict *v)
{
	const struct facts *facts = detection_facts(d);

	if (x->torn < 2 || x->torn < x->torn_sent || x->sizes[SIP_FRAGMENTED].answered)
		return false;
	if (filter_suspected(facts)) {
		detection_withhold(d, NULL, "G3", "only first fragments are in the capture, and nothing that a filter on ports would have kept out: "
			"capture again with \"udp port 5060 or (ip[6:2] & 0x1fff != 0)\"");
		return false;
	}
	if (gates_drops_counted(facts->gates) || gates_capture_lost(facts->gates, x->torn_first_ns, x->torn_last_ns)) {
		detection_withhold(d, NULL, "G7", "the capture itself lost packets then, perhaps these fragments");
		return false;
	}
	v->reason = v->icmp->timeouts ? "reassembly-timeout" : "fragments-lost";
	v->confidence = v->icmp->timeouts ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY;
	return true;
}

static void judge_blocked(struct detection *d, const struct sip_path *x, struct verdict *v)
{
	const struct sip_unheard *u = x->unheard_fragmented;
	struct silence s = { .src = { x->client, x->last_source.port }, .dst = x->server, .first_ns = u->first_ns,
		.last_ns = u->last_ns, .copies = u->copies_most };
	enum witness witness;
	const char *gate;

	if (u->copies_most < detection_key(d, "copies") || small_answered(x) == 0 || small_answered(x) < small_sent(x))
		return;
	gate = silence_gate(detection_facts(d), &s, detection_config(d, "signalling", "tail-s"), &witness);
	if (gate) {
		detection_pass(d, gate, "%s", silence_gate_text(gate));
		return;
	}
	v->reason = "fragments-blocked";
	v->confidence = small_answered(x) >= detection_key(d, "certain-small") &&
		witness == WITNESS_PEER ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY;
}

static struct verdict judge(struct detection *d, const struct sip_path *x, const struct icmp_tally *icmp)
{
	const struct sip_unheard *u = x->unheard_fragmented;
	struct verdict v = { .icmp = icmp };

	if (x->transport != TRANSPORT_UDP)
		return v;
	if (judge_torn(d, x, &v))
		return v;
	if (x->sizes[SIP_FRAGMENTED].answered == 0 && u->requests) {
		if (icmp->timeouts && u->copies_most > 1) {
			v.reason = "reassembly-timeout";
		} else if (icmp->too_big && u->copies_most > 1 && u->last_ns > icmp->too_big_at.at_ns) {
			v.reason = "icmp-frag-needed";
		} else {
			judge_blocked(d, x, &v);
			if (v.reason)
				return v;
		}
		v.confidence = v.reason ? CONFIDENCE_CERTAIN : CONFIDENCE_NONE;
	}
	if (!v.reason && x->too_large) {
		v.reason = "too-large";
		v.confidence = CONFIDENCE_CERTAIN;
	}
	return v;
}

/* ---- what is said ---- */

static bool is(const struct verdict *v, const char *reason)
{
	return strcmp(v->reason, reason) == 0;
}

/* The ladder: what was sent and answered, by size. */
static void ladder_text(const struct sip_path *x, char *text, size_t room)
{
	static const char *const names[SIP_SIZES] = { "below 1000 bytes", "1000 to 1299", "1300 to 1472", "larger" };
	size_t n = 0;

	*text = '\0';
	for (unsigned i = 0; i < SIP_SIZES && n < room; i++) {
		if (x->sizes[i].sent)
			n += (size_t)snprintf(text + n, room - n, "%s%s %u of %u answered", n ? ", " : "", names[i],
				x->sizes[i].answered, x->sizes[i].sent);
	}
}

static void tell_cause(struct finding *f, const struct facts *facts, const struct sip_path *x, const struct verdict *v)
{
	const struct sip_unheard *u = x->unheard_fragmented;
	char from[SAY_TEXT], to[SAY_TEXT], ladder[240], fragments[40] = "";

	say_host(facts, &x->client, from);
	say_host(facts, &x->server.addr, to);
	ladder_text(x, ladder, sizeof ladder);
	if (u->fragments > 1)
		snprintf(fragments, sizeof fragments, " in %u fragments", u->fragments);
	if (x->torn && (is(v, "fragments-lost") || (is(v, "reassembly-timeout") && !u->requests)))
		finding_cause(f, "Of %u messages from %s to %s only the first IP fragment comes as far as this capture point%s%s%s.", x->torn, from, to,
			      is(v, "reassembly-timeout")
			      ? ", and the receiver says that it waited for the others in vain" : "",
			      *ladder ? "; those that fit into a packet: " : "", ladder);
	else if (is(v, "too-large"))
		finding_cause(f, "%s refuses %u message%s of %s as too large.", to, x->too_large,
			x->too_large == 1 ? "" : "s", from);
	else
		finding_cause(f, "SIP of %s bytes goes from %s to %s%s: %u such request%s, sent %u times, %s never answered (by size: %s)%s.", SAY_COUNT(u->bytes), from,
			      to, fragments, u->requests, u->requests == 1 ? "" : "s", u->copies,
			      u->requests == 1 ? "was" : "were", ladder,
			      is(v, "reassembly-timeout") ? "; the receiver says by ICMP that fragments did not come" :
			      is(v, "icmp-frag-needed")
			      ? "; a router says by ICMP that the packets are too big for the way, and they stay as big"
			      : "");
}

static void add_evidence(struct finding *f, const struct sip_path *x, const struct verdict *v)
{
	const struct sip_unheard *u = x->unheard_fragmented;

	if (x->answered && !is(v, "too-large"))      /* there it may be the refusal */
		finding_evidence(f, x->answered_at, "a smaller message is answered");
	for (unsigned i = 0; i < u->frame_count; i++)
		finding_evidence(f, u->frames[i], "large request, not answered");
	for (unsigned i = 0; i < x->torn && i < SIP_PATH_FRAMES; i++)
		finding_evidence(f, x->torn_frames[i], "first fragment, the others are missing");
	if (v->icmp->timeouts)
		finding_evidence(f, v->icmp->timeout_at, "ICMP: fragment reassembly time exceeded (%u of them)",
			v->icmp->timeouts);
	if (v->icmp->too_big)
		finding_evidence(f, v->icmp->too_big_at, "ICMP: packet too big (%u of them)", v->icmp->too_big);
	if (is(v, "too-large"))
		finding_evidence(f, x->too_large_at, "refused as too large");
}

static struct finding *tell(struct detection *d, const struct sip_path *x, const struct verdict *v)
{
	const struct facts *facts = detection_facts(d);
	struct finding *f = detection_raise_keyed(d, x->n, v->reason, SEVERITY_ERROR, v->confidence);
	const struct sip_unheard *u = x->unheard_fragmented;
	struct endpoint client = { x->client, 0 };
	char from[SAY_TEXT], to[SAY_TEXT], act[2 * SAY_TEXT + 40];

	say_host(facts, &x->client, from);
	say_host(facts, &x->server.addr, to);
	finding_part(f, PART_VICTIM, &client);
	finding_part(f, PART_WITNESS, &x->server);
	finding_times(f, u->requests ? u->first_ns : x->torn ? x->torn_first_ns : x->too_large_at.at_ns,
		      u->requests ? u->last_ns : x->torn ? x->torn_last_ns : x->too_large_at.at_ns);
	f->count = u->requests ? u->requests : x->torn ? x->torn : x->too_large;
	snprintf(act, sizeof act, "%s sends SIP in fragments", from);
	if (is(v, "too-large"))
		snprintf(act, sizeof act, "%s refuses large SIP", to);
	say_title(f, act, is(v, "too-large") ? "such calls fail" : "they do not arrive");
	tell_cause(f, facts, x, v);
	finding_fix(f, "Make the messages of %s smaller (fewer codecs, no video, compact headers) or let it use SIP over TCP or TLS; else let IP fragments pass on the way "
		    "to %s.", from, to);
	if (is(v, "fragments-blocked"))
		finding_cannot_see(f, "where the fragments are dropped; capture at %s to see which arrive", to);
	add_evidence(f, x, v);
	return f;
}

/* Large and answered: it works here, and breaks behind the next firewall. One for all. */
static void tell_risk(struct detection *d, const struct sip_path *largest, unsigned requests)
{
	struct finding *f = detection_raise_keyed(d, 0, "oversize-risk", SEVERITY_INFO, CONFIDENCE_CERTAIN);
	struct endpoint client = { largest->client, 0 };
	char from[SAY_TEXT], fragments[40] = "";

	say_host(detection_facts(d), &largest->client, from);
	if (largest->large_fragments > 1)
		snprintf(fragments, sizeof fragments, ", in %u IP fragments", largest->large_fragments);
	finding_part(f, PART_VICTIM, &client);
	finding_part(f, PART_WITNESS, &largest->server);
	finding_times(f, largest->large_at.at_ns, largest->last_ns);
	f->count = requests;
	finding_title(f, "Requests by UDP are larger than they should be");
	finding_cause(f,
		"%s request%s above %s bytes %s sent by UDP and answered; the largest has %s bytes, from %s%s.",
		SAY_COUNT(requests), requests == 1 ? "" : "s",
		      SAY_COUNT((uint64_t)detection_config(d, "signalling", "udp-max-bytes")), requests == 1 ? "was" : "were",
		      SAY_COUNT(largest->large_bytes), from, fragments);
	finding_fix(f,
		"Nothing as long as it works. RFC 3261 18.1.1 wants TCP for these; fewer codecs make them smaller.");
	finding_evidence(f, largest->large_at, "large request that was answered");
}

static void tell_fallback(struct detection *d, const struct tcp_fallback *x)
{
	const struct facts *facts = detection_facts(d);
	struct finding *f = detection_raise_keyed(d, UINT64_C(1) << 62 | x->flow->n, "tcp-fallback-refused",
		SEVERITY_ERROR, CONFIDENCE_LIKELY);
	char from[SAY_TEXT];

	say_host(facts, &x->flow->client.addr, from);
	say_title(f, from, x->hidden ? "large requests fail by TCP" : "large requests are refused by TCP");
	tcp_fallback_say(f, facts, x);
	tcp_fallback_fix(f, facts, x);
	tcp_fallback_evidence(f, x);
	finding_cannot_see(f, "the request itself, which never goes out, and so its exact size");
}

/* How many were told. */
static unsigned tell_fallbacks(struct detection *d)
{
	struct tcp_fallbacks fallbacks;
	struct attempts_list l;

	attempts_init(&l, detection_facts(d));
	tcp_fallbacks_find(&fallbacks, d, &l);
	attempts_fini(&l);
	for (unsigned i = 0; i < fallbacks.count; i++)
		tell_fallback(d, &fallbacks.list[i]);
	return fallbacks.count;
}

static void on_event(struct detection *d, const struct event *ev)
{
	const struct facts *facts = detection_facts(d);
	const struct list *all = sip_paths_in_order(facts->paths);
	struct icmp_tally *tallies = memory_zalloc((all->count + 1) * sizeof *tallies);
	struct finding **told = memory_zalloc((all->count + 1) * sizeof *told);
	struct finding **refusals = memory_zalloc((all->count + 1) * sizeof *refusals);
	bool *handed_on = memory_zalloc((all->count + 1) * sizeof *handed_on);
	const struct sip_path *largest = NULL;
	unsigned found = 0, large = 0;

	(void)ev;
	tally_icmp(facts, tallies);
	sip_path_legs_handed_on(facts, handed_on);
	LIST_EACH(it, all) {
		const struct sip_path *x = LIST_ENTRY(it, struct sip_path, in_order);
		struct verdict v = judge(d, x, &tallies[x->n]);

		large += x->large;
		if (x->large && (!largest || x->large_bytes > largest->large_bytes))
			largest = x;
		if (!v.reason || (is(&v, "too-large") && handed_on[x->n]))
			continue;
		told[x->n] = tell(d, x, &v);
		refusals[x->n] = is(&v, "too-large") ? told[x->n] : NULL;
		found++;
	}
	if (largest)
		tell_risk(d, largest, large);
	found += tell_fallbacks(d);
	if (!found && !largest)
		detection_pass(d, NULL, "no request by UDP was too large, nor were fragments missing (%zu ways)",
			all->count);
	sip_path_legs(facts, told);
	sip_path_legs_refused(facts, refusals);
	free(handed_on);
	free(refusals);
	free(told);
	free(tallies);
}

const struct detector detect_sip_fragmented = {
	.id = "sip-fragmented", .doc = &doc, .keys = keys, .event = on_event, .events = EVENT_BIT(EVENT_JUDGE_CAPTURE),
	.scope = GLOBAL, .usual = SEVERITY_WARNING, .possible_max = SEVERITY_WARNING,
};
