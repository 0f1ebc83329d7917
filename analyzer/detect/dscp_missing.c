/* SPDX-License-Identifier: MIT */
/*
 * dscp-missing: voice is not marked, or loses its mark. What arrives from a provider is seldom marked: a fact. Finding
 * page 5, section 1.
 */
#include <stdio.h>
#include <stdlib.h>

#include "analyzer/detect/say.h"
#include "analyzer/detect/softphone.h"
#include "analyzer/network/mark_use.h"
#include "analyzer/site.h"
#include "captures/base/memory.h"

static const char *const reasons[] = {
	"stripped-in-path", "remarked", "asymmetric", "same-model-differs", "unmarked-media", "unmarked-signalling",
	"wrong-class", "legacy-prec5",
	"wan-unmarked", "data-in-ef", NULL,
};

static const struct detector_doc doc = {
	.says = "voice is not marked, or loses its mark",
	.symptom = "Audio is bad when the line is busy; \"QoS does not work\".",
	.evidence = "DSCP of RTP and SIP by host and direction; the same packets at two points of the way; phones of one model that differ; TCP with the mark of voice.",
	.mimics = "Mirrors that mark anew, captures on the sending host, Wi-Fi, what comes from a provider, laboratories where nothing is marked.",
	.fix = "EF (46) for RTP and CS3 (24) for SIP on the device or in the switch port's policy; trust DSCP on the port; priority for EF on the WAN.",
	.reasons = reasons,
};

static const struct config_key keys[] = {
	{ "min-media", 200, "packets", 10, 100000, "field: 4 s of voice" },
	{ "data-kbits", 100, "kbit/s", 10, 100000, "field: voice in TCP (TURN) takes less" },
	{ "data-s", 10, "s", 1, 3600, "field" },
	{ "min-messages", 10, "messages", 2, 10000, "field" },
	{ 0 },
};

enum { SLOTS = 512, PREC5 = 40, MODEL_LEAST = 3, SHARE = 95 };

struct signaller {                   /* SIP of one host */
	struct address addr;
	uint32_t messages, by_value;
	uint8_t value;               /* that most carried: majority vote (Boyer, Moore), then counted from there on */
	int32_t votes;
	struct frame_ref at;
};

struct dscp_state {
	struct signaller slots[SLOTS];       /* the first ones met */
	unsigned count;
	uint16_t index[2 * SLOTS];           /* of a slot plus one, where its hash falls or behind; 0 free */
};

struct sender {                      /* RTP of one host */
	const struct stream *first;
	struct address addr;
	uint64_t packets, of_value;
	uint8_t value;
	bool told;
};

/* ---- signalling, as it passes ---- */

/* NULL: it is not among the first ones. Half of the index stays free, so that a search ends. */
static struct signaller *signaller_of(struct dscp_state *state, const struct address *a)
{
	uint32_t at = endpoint_hash(&(struct endpoint){ *a, 0 }) % (2 * SLOTS);

	for (; state->index[at]; at = (at + 1) % (2 * SLOTS)) {
		struct signaller *s = &state->slots[state->index[at] - 1];

		if (address_equal(&s->addr, a))
			return s;
	}
	if (state->count == SLOTS)
		return NULL;
	state->index[at] = (uint16_t)(state->count + 1);
	return &state->slots[state->count++];
}

static void take_sip(struct dscp_state *state, const struct packet *p)
{
	struct signaller *s = p->tunnel == TUNNEL_HEP ? NULL : signaller_of(state, &p->src.addr);

	if (!s)
		return;
	if (s->messages++ == 0) {
		s->addr = p->src.addr;
		s->at = frame_ref_of(p);
	}
	if (s->votes == 0) {
		s->value = p->dscp;
		s->by_value = 0;
	}
	s->votes += p->dscp == s->value ? 1 : -1;
	s->by_value += p->dscp == s->value;
}

/* ---- media by host ---- */

static int stream_compare(const void *a, const void *b)
{
	const struct stream *x = *(const struct stream *const *)a, *y = *(const struct stream *const *)b;
	int c = address_compare(&x->src.addr, &y->src.addr);

	return c ? c : (x->n > y->n) - (x->n < y->n);
}

/* Streams as they were seen first; what another point saw of them is compared apart. */
static unsigned senders_of(const struct facts *facts, struct sender **ret)
{
	const struct list *all = streams_in_order(facts->streams);
	const struct stream **by_host = memory_resize(NULL, all->count + 1, sizeof *by_host);
	struct sender *list = memory_resize(NULL, all->count + 1, sizeof *list);
	unsigned count = 0, senders = 0;

	LIST_EACH(it, all) {
		const struct stream *s = LIST_ENTRY(it, struct stream, in_order);

		if (s->accepted && !s->twin_of && !s->multicast && !s->keepalive_only)
			by_host[count++] = s;
	}
	if (count)
		qsort(by_host, count, sizeof *by_host, stream_compare);
	for (unsigned i = 0; i < count; i++) {
		struct sender *x = senders ? &list[senders - 1] : NULL;

		if (!x || !address_equal(&x->addr, &by_host[i]->src.addr)) {
			x = &list[senders++];
			*x = (struct sender){ .first = by_host[i], .addr = by_host[i]->src.addr,
				.value = by_host[i]->dscp };
		}
		x->packets += by_host[i]->packets;
		x->of_value += stream_packets_marked(by_host[i], x->value);
	}
	free(by_host);
	*ret = list;
	return senders;
}

static bool of_one_value(const struct sender *s)
{
	return s->of_value * 100 >= s->packets * SHARE;
}

static int sender_compare(const void *key, const void *member)
{
	return address_compare(key, &((const struct sender *)member)->addr);
}

static bool marked(const struct facts *facts, uint8_t value)
{
	return numbers_have(&facts->site->dscp_media, value) || value == PREC5;
}

static enum severity wanted(const struct facts *facts)
{
	return facts->site->qos == QOS_REQUIRED ? SEVERITY_WARNING : SEVERITY_INFO;
}

/* ---- at two points of the way ---- */

static void tell_changed(struct detection *d, const struct stream *s, uint8_t before, uint8_t after,
	struct frame_ref later)
{
	const struct facts *facts = detection_facts(d);
	bool stripped = after == 0, below = !numbers_have(&facts->site->dscp_media, after);
	struct finding *f = detection_raise_keyed(d, hash_mix(endpoint_key(&(struct endpoint){ s->src.addr, 0 }), 1),
		stripped ? "stripped-in-path" : "remarked",
						  stripped || below ? SEVERITY_WARNING : SEVERITY_INFO,
						  CONFIDENCE_CERTAIN);
	char host[SAY_TEXT];

	say_host(facts, &s->src.addr, host);
	finding_title(f, stripped ? "The mark of voice from %s is lost on the way"
		: "The mark of voice from %s is changed on the way", host);
	finding_cause(f, "RTP of %s carries DSCP %u at the first capture point and %u at the second, the same packets: a device between them %s it.", host,
		      before, after, stripped ? "clears" : "changes");
	finding_fix(f, "Let the router or switch between the two points trust DSCP, or mark RTP with EF (46) there anew; priority for EF on the WAN.");
	finding_part(f, PART_VICTIM, &(struct endpoint){ s->src.addr, 0 });
	finding_part(f, PART_WITNESS, &(struct endpoint){ s->dst.addr, 0 });
	finding_stream(f, s->n);
	finding_evidence(f, stream_frame(s, s->first_frame, s->first_ns), "DSCP %u", before);
	if (later.frame)
		finding_evidence(f, later, "the same stream at the second point: DSCP %u", after);
	finding_times(f, s->first_ns, s->last_ns);
	f->count = 1;
	finding_cannot_see(f, "whether queues honour the mark");
}

/* The stream was marked where it was seen first: only the later point may have lost it. */
static bool judge_points(struct detection *d, const struct stream *s)
{
	const struct facts *facts = detection_facts(d);
	const struct stream *later = s->twin_next;
	unsigned least = (unsigned)detection_key(d, "min-media");

	if (!numbers_have(&facts->site->dscp_media, s->dscp) || s->packets < least)
		return false;
	if (s->mirror_copies * 100u >= s->packets * SHARE && stream_flaws(s)->copies_other_ttl &&
	    stream_flaws(s)->copy_dscp != s->dscp) {
		tell_changed(d, s, s->dscp, stream_flaws(s)->copy_dscp, (struct frame_ref){ 0 });
		return true;
	}
	for (; later; later = later->twin_next) {
		if (later->twin_kind == TWIN_RELAY || later->packets < least || later->dscp == s->dscp)
			continue;
		tell_changed(d, s, s->dscp, later->dscp, stream_frame(later, later->first_frame, later->first_ns));
		return true;
	}
	return false;
}

/* ---- one direction marked, the other not ---- */

/* A program on a computer: its system seldom lets it mark. */
static bool is_soft(const struct host *h)
{
	return h && softphone_agent(h->user_agent);
}

/* It may be one where it was never seen to say what it is: no SIP of it here, or cut off. */
static bool may_be_soft(const struct host *h)
{
	return is_soft(h) || !h || !h->user_agent.n;
}

static void tell_asymmetric(struct detection *d, const struct sender *x, const struct sender *other, bool wan)
{
	const struct facts *facts = detection_facts(d);
	const struct host *h = network_host_find(facts->network, &x->addr);
	bool soft = is_soft(h);
	struct finding *f = detection_raise_keyed(d, hash_mix(endpoint_key(&(struct endpoint){ x->addr, 0 }), 2),
		wan ? "wan-unmarked" : "asymmetric",
						  wan || (may_be_soft(h) &&
						  facts->site->qos != QOS_REQUIRED) ? SEVERITY_INFO : SEVERITY_WARNING,
						  CONFIDENCE_LIKELY);
	char host[SAY_TEXT], peer[SAY_TEXT];

	say_host(facts, &x->addr, host);
	say_host(facts, &other->addr, peer);
	finding_title(f, "%s sends voice without a mark, %s with one", host, peer);
	finding_cause(f, "RTP of %s arrives here with DSCP 0 (%s of %s packets), that of %s with %u.%s", host,
		SAY_COUNT(x->of_value), SAY_COUNT(x->packets), peer, other->value,
		      wan ? " From outside this is usual: few providers keep marks." :
		      soft ? " It is a softphone: its computer marks only where a policy of the system says so." : "");
	finding_fix(f, wan ? "Nothing here; mark it anew at the router for the way inside." :
		       "Set DSCP EF (46) for RTP on this host or in the policy of its switch port, and trust DSCP on the port.");
	finding_part(f, PART_CULPRIT, &(struct endpoint){ x->addr, 0 });
	finding_part(f, PART_WITNESS, &(struct endpoint){ other->addr, 0 });
	finding_evidence(f, stream_frame(x->first, x->first->first_frame, x->first->first_ns), "RTP with DSCP 0");
	finding_evidence(f, stream_frame(other->first, other->first->first_frame, other->first->first_ns),
		"RTP with DSCP %u", other->value);
	finding_times(f, x->first->first_ns, x->first->last_ns);
	f->count = 1;
	finding_cannot_see(f, "whether it is sent so, or loses its mark before this point");
}

static bool judge_pair(struct detection *d, struct sender *x, const struct sender *list, unsigned count)
{
	const struct facts *facts = detection_facts(d);
	const struct sender *other = bsearch(&x->first->dst.addr, list, count, sizeof *list, sender_compare);
	unsigned least = (unsigned)detection_key(d, "min-media");

	if (x->value != 0 || !other || other->packets < least || !of_one_value(other) || !marked(facts, other->value) ||
	    !site_inside(facts->site, &other->addr))
		return false;
	tell_asymmetric(d, x, other, !site_inside(facts->site, &x->addr));
	return true;
}

/* ---- the rest: a fact a reason, with the hosts ---- */

static struct finding *fact(struct detection *d, struct finding **f, unsigned key, const char *reason,
	enum severity severity)
{
	if (!*f) {
		*f = detection_raise_keyed(d, key, reason, severity, CONFIDENCE_CERTAIN);
		(*f)->count = 0;         /* of hosts, this one and those to come */
		finding_times(*f, detection_facts(d)->capture->first_ns, detection_facts(d)->capture->last_ns);
		finding_fix(*f, "Where QoS is wanted: DSCP EF (46) for RTP and CS3 (24) for SIP on the devices or in the switch ports' policy, trust DSCP on "
			    "the ports, priority for EF on the WAN.");
		finding_cannot_see(*f, "whether marks are set and lost before this point");
	}
	(*f)->count++;
	return *f;
}

static void judge_media(struct detection *d, struct sender *list, unsigned count)
{
	const struct facts *facts = detection_facts(d);
	struct finding *unmarked = NULL, *wrong = NULL, *legacy = NULL, *f;

	for (unsigned i = 0; i < count; i++) {
		struct sender *x = &list[i];

		if (x->told || !site_inside(facts->site, &x->addr) || x->packets < detection_key(d, "min-media") ||
		    !of_one_value(x) ||
		    numbers_have(&facts->site->dscp_media, x->value))
			continue;
		if (x->value == 0) {
			f = fact(d, &unmarked, 3, "unmarked-media", wanted(facts));
			finding_title(f,
				f->count == 1 ? "Voice is sent without a mark"
				: "Voice of %u hosts is sent without a mark", f->count);
			finding_cause(f, "RTP of %u host%s of the site carries DSCP 0 here; EF (46) is usual.",
				f->count, f->count == 1 ? "" : "s");
		} else if (x->value == PREC5) {
			f = fact(d, &legacy, 4, "legacy-prec5", SEVERITY_INFO);
			finding_title(f, "Voice is marked with the old precedence 5");
			finding_cause(f, "RTP of %u host%s carries TOS 0xa0 (DSCP 40), the old way; networks that know only EF (46) treat it as another class.", f->count,
				      f->count == 1 ? "" : "s");
		} else {
			f = fact(d, &wrong, 5, "wrong-class", wanted(facts));
			finding_title(f, "Voice is marked, but not as voice");
			finding_cause(f, "RTP of %u host%s carries another DSCP than expected, e.g. %u.", f->count,
				f->count == 1 ? "" : "s", x->value);
		}
		finding_part(f, PART_CULPRIT, &(struct endpoint){ x->addr, 0 });
		finding_evidence(f, stream_frame(x->first, x->first->first_frame, x->first->first_ns),
			"RTP with DSCP %u", x->value);
	}
}

static int signaller_compare(const void *a, const void *b)
{
	return address_compare(&((const struct signaller *)a)->addr, &((const struct signaller *)b)->addr);
}

static void judge_signalling(struct detection *d)
{
	const struct facts *facts = detection_facts(d);
	/* by address, judged so each time */
	struct dscp_state sorted = *(const struct dscp_state *)detection_state(d);
	struct finding *unmarked = NULL, *wrong = NULL, *f;

	qsort(sorted.slots, sorted.count, sizeof *sorted.slots, signaller_compare);
	for (unsigned i = 0; i < sorted.count; i++) {
		const struct signaller *s = &sorted.slots[i];

		if (s->messages < detection_key(d, "min-messages") || s->by_value * 100u < s->messages * SHARE ||
		    !site_inside(facts->site, &s->addr) || numbers_have(&facts->site->dscp_sig, s->value))
			continue;
		if (s->value == 0) {
			f = fact(d, &unmarked, 6, "unmarked-signalling", wanted(facts));
			finding_title(f, "SIP is sent without a mark");
			finding_cause(f, "SIP of %u host%s of the site carries DSCP 0 here; CS3 (24) is usual.",
				f->count, f->count == 1 ? "" : "s");
		} else {
			f = fact(d, &wrong, 10, "wrong-class", wanted(facts));
			finding_title(f, "SIP is marked, but not as signalling");
			finding_cause(f, "SIP of %u host%s of the site carries another DSCP than expected, e.g. %u.",
				f->count, f->count == 1 ? "" : "s", s->value);
		}
		finding_part(f, PART_CULPRIT, &(struct endpoint){ s->addr, 0 });
		finding_evidence(f, s->at, "SIP with DSCP %u", s->value);
	}
}

/* ---- phones of one model ---- */

struct model {
	struct span agent;
	unsigned marked, unmarked;
};

enum { MODELS = 32 };

static struct model *model_of(struct model *list, unsigned *count, struct span agent)
{
	for (unsigned i = 0; i < *count; i++) {
		if (span_equal(list[i].agent, agent))
			return &list[i];
	}
	if (*count == MODELS)
		return NULL;
	list[*count] = (struct model){ .agent = agent };
	return &list[(*count)++];
}

static struct span agent_of(const struct facts *facts, const struct sender *x)
{
	const struct host *h = network_host_find(facts->network, &x->addr);

	return h && host_role_of_agent(h->user_agent) == ROLE_PHONE ? h->user_agent : SPAN_NONE;
}

static void tell_odd(struct detection *d, const struct sender *x, const struct model *m)
{
	const struct facts *facts = detection_facts(d);
	struct finding *f = detection_raise_keyed(d, hash_mix(endpoint_key(&(struct endpoint){ x->addr, 0 }), 7),
		"same-model-differs", SEVERITY_WARNING,
						  CONFIDENCE_LIKELY);
	char host[SAY_TEXT], agent[48];

	say_host(facts, &x->addr, host);
	text_escape(m->agent, agent, sizeof agent);
	finding_title(f, "%s does not mark voice as its like do", host);
	finding_cause(f, "%u phones %s mark RTP, %s alone sends it with DSCP 0.", m->marked, agent, host);
	finding_fix(f, "Compare its configuration and its switch port with those of the others.");
	finding_part(f, PART_CULPRIT, &(struct endpoint){ x->addr, 0 });
	finding_evidence(f, stream_frame(x->first, x->first->first_frame, x->first->first_ns), "RTP with DSCP 0");
	finding_times(f, x->first->first_ns, x->first->last_ns);
	f->count = 1;
}

static void judge_models(struct detection *d, struct sender *list, unsigned count)
{
	const struct facts *facts = detection_facts(d);
	struct model models[MODELS];
	unsigned known = 0;

	for (int pass = 0; pass < 2; pass++) {
		for (unsigned i = 0; i < count; i++) {
			struct sender *x = &list[i];
			struct span agent = agent_of(facts, x);
			struct model *m = agent.n && x->packets >= detection_key(d, "min-media") &&
				of_one_value(x) ? model_of(models, &known, agent) : NULL;

			if (!m || !site_inside(facts->site, &x->addr))
				continue;
			if (pass == 0) {
				m->marked += marked(facts, x->value);
				m->unmarked += x->value == 0;
			} else if (x->value == 0 && !x->told && m->marked >= MODEL_LEAST && m->unmarked == 1) {
				tell_odd(d, x, m);
				x->told = true;
			}
		}
	}
}

/* ---- what is no voice ---- */

static void judge_data(struct detection *d)
{
	const struct facts *facts = detection_facts(d);
	const struct mark_uses *all = network_marks(facts->network);

	for (unsigned i = 0; i < all->count; i++) {
		const struct mark_use *x = &all->list[i];
		double seconds = (double)ns_minus(x->last.at_ns, x->first.at_ns) / 1e9,
			kbits = seconds > 0 ? (double)x->bytes * 8 / 1000 / seconds : 0;
		struct finding *f;
		char from[SAY_TEXT], to[SAY_TEXT];

		if (seconds < detection_key(d, "data-s") || kbits <= detection_key(d, "data-kbits") ||
		    !site_inside(facts->site, &x->src))
			continue;
		f = detection_raise_keyed(d, hash_mix(endpoint_key(&(struct endpoint){ x->src, 1 }),
			endpoint_key(&(struct endpoint){ x->dst, 0 })), "data-in-ef", SEVERITY_WARNING, CONFIDENCE_LIKELY);
		say_host(facts, &x->src, from);
		say_host(facts, &x->dst, to);
		finding_title(f, "%s sends data with the mark of voice", from);
		finding_cause(f, "%s sends %s (port %u) to %s with DSCP %u, %.0f kbit/s over %.0f s: it takes the place that is kept for voice.",
			      from, x->udp ? "UDP" : "TCP", x->port, to, x->dscp, kbits, seconds);
		finding_fix(f, "Take the mark off at the switch port of %s: trust EF (46) from phones and PBX only.", from);
		finding_part(f, PART_CULPRIT, &(struct endpoint){ x->src, 0 });
		finding_evidence(f, x->first, "%s with DSCP %u", x->udp ? "UDP" : "TCP", x->dscp);
		finding_evidence(f, x->last, "still");
		finding_times(f, x->first.at_ns, x->last.at_ns);
		f->count = 1;
	}
}

static void on_event(struct detection *d, const struct event *ev)
{
	const struct facts *facts = detection_facts(d);
	struct sender *list;
	unsigned count;

	if (ev->kind == EVENT_SIP) {
		take_sip(detection_state(d), ev->packet);
		return;
	}
	if (facts->site->qos == QOS_IGNORE) {
		detection_pass(d, "qos", "the profile says that marks are of no interest here");
		return;
	}
	LIST_EACH(it, streams_in_order(facts->streams)) {
		const struct stream *s = LIST_ENTRY(it, struct stream, in_order);

		if (s->accepted && !s->twin_of)
			judge_points(d, s);
	}
	count = senders_of(facts, &list);
	judge_models(d, list, count);
	for (unsigned i = 0; i < count; i++) {
		if (!list[i].told && list[i].packets >= detection_key(d, "min-media") && of_one_value(&list[i]))
			list[i].told = judge_pair(d, &list[i], list, count);
	}
	judge_media(d, list, count);
	judge_signalling(d);
	judge_data(d);
	free(list);
}

const struct detector detect_dscp_missing = {
	.id = "dscp-missing", .doc = &doc, .keys = keys, .state_size = sizeof(struct dscp_state), .event = on_event,
	.events = EVENT_BIT(EVENT_SIP) | EVENT_BIT(EVENT_JUDGE_CAUSES), .scope = GLOBAL, .usual = SEVERITY_INFO,
	.possible_max = SEVERITY_INFO,
};
