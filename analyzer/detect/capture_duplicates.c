/* SPDX-License-Identifier: MIT */
/* capture-duplicates: packets that are in the capture more than once: the mirror's doing, or a loop in the network. */
#include "analyzer/detect/gates.h"
#include "analyzer/detect/lookup.h"
#include "analyzer/detect/network_loop.h"

enum { COPIES_MIN = 10 };

static const char *const reasons[] = { "vlan-both-sides", "rx-tx", "any-interface", "network-loop", NULL };

static const struct detector_doc doc = {
	.says = "the mirror delivers packets twice; counted once",
	.symptom = "Everything seems to be sent twice.",
	.evidence = "Equal packets (IP identification, payload) within milliseconds, for a pair of hosts; packets that pass one place again and again, with less to live each time or unchanged: a loop in the network.",
	.mimics = "SIP retransmissions, senders that repeat themselves, the same call before and behind a NAT.",
	.fix = "Mirror one direction of both ports, or both directions of one port. A loop: mend the route, or the cabling.",
	.reasons = reasons,
};

static const struct config_key keys[] = {
	{ "min-percent", 5, "%", 0.1, 100, "field" },
	{ "min-looped", 3, "packets", 1, 1000, "field: while routes change, single packets go round" },
	{ 0 },
};

struct copies {
	uint64_t packets, copies, elsewhere;
};

static struct copies copies_of(const struct facts *facts, const struct pair *p)
{
	struct copies c = { p->packets + p->copies, p->copies, p->copies_other_point };
	struct lookup_copies streams;

	if (!p->rtp)
		return c;
	streams = lookup_copies_of(facts->lookup, &p->src, &p->dst);
	c.packets += streams.copies;
	c.copies += streams.copies;
	c.elsewhere += streams.elsewhere;
	return c;
}

static const char *mark_of(const struct facts *facts, const struct copies *c)
{
	if (c->elsewhere * 2 < c->copies)
		return "rx-tx";
	LIST_EACH(it, network_hosts(facts->network)) {
		if (LIST_ENTRY(it, struct host, in_order)->vlan_count)
			return "vlan-both-sides";
	}
	return "any-interface";
}

static void on_event(struct detection *d, const struct event *ev)
{
	const struct facts *facts = detection_facts(d);
	double limit = detection_key(d, "min-percent");
	struct copies all = { 0, 0, 0 };
	struct network_loops loops;
	const struct pair *first = NULL;
	unsigned pairs = 0, told;
	char count[TEXT_COUNT];
	struct finding *f;

	(void)ev;
	network_loops_gather(&loops, facts);
	told = network_loops_tell(d, &loops);
	LIST_EACH(it, network_pairs(facts->network)) {
		const struct pair *p = LIST_ENTRY(it, struct pair, in_order);
		struct copies c;

		if ((!p->copies && !p->rtp) || (told && network_loops_has(&loops, &p->src, &p->dst)))
			continue;
		c = copies_of(facts, p);
		if (c.copies < COPIES_MIN || 100.0 * (double)c.copies < limit * (double)c.packets)
			continue;
		all.copies += c.copies;
		all.packets += c.packets;
		all.elsewhere += c.elsewhere;
		first = first ? first : p;
		pairs++;
	}
	if (!first && told)
		return;
	if (!first) {
		detection_pass(d, NULL, "no pair of hosts has %.0f %% of its packets twice", limit);
		return;
	}
	f = detection_raise(d, mark_of(facts, &all), SEVERITY_INFO, CONFIDENCE_CERTAIN);
	finding_part(f, PART_WITNESS, &(struct endpoint){ first->src, 0 });
	finding_part(f, PART_WITNESS, &(struct endpoint){ first->dst, 0 });
	finding_times(f, first->first_ns, first->last_ns);
	finding_title(f, "The mirror delivers %s packets twice", text_count(all.copies, count));
	finding_cause(f, "%.0f %% of the packets of %u pair%s of hosts appear twice (%s); counted once.",
		100.0 * (double)all.copies / (double)all.packets, pairs,
		      pairs == 1 ? "" : "s", f->reason);
	finding_fix(f, "Nothing to mend for the diagnosis; to spare the mirror, copy each packet at one port only.");
	finding_evidence(f, (struct frame_ref){ first->first_ns, first->first_at.frame, first->first_at.file, 0 },
		"first packet of such a pair");
}

const struct detector detect_capture_duplicates = {
	.id = "capture-duplicates", .doc = &doc, .keys = keys, .event = on_event,
	.events = EVENT_BIT(EVENT_JUDGE_CAPTURE),
	.scope = GLOBAL, .usual = SEVERITY_INFO, .possible_max = SEVERITY_WARNING,
};
