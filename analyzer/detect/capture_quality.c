/* SPDX-License-Identifier: MIT */
/* capture-truncated, capture-dropped, capture-duplicates: what the capture did to the packets. */
#include <stdio.h>

#include "analyzer/detect/gates.h"
#include "analyzer/detect/lookup.h"
#include "analyzer/detect/say.h"

enum { COPIES_MIN = 10 };

static const struct config_key no_keys[] = { { 0 } };

/* ---- capture-truncated ---- */

static const char *const truncated_reasons[] = { "snaplen", NULL };

static const struct detector_doc truncated_doc = {
	.says = "frames cut by the snap length hide what a diagnosis needs",
	.symptom = "Session descriptions, audio level or quoted packets cannot be read.",
	.evidence = "Frames of SIP, RTP or ICMP with fewer captured bytes than were on the wire.",
	.mimics = "One cut frame at the end of a file that was being written.",
	.fix = "Capture whole packets: tcpdump -s 0.",
	.reasons = truncated_reasons,
};

static void truncated_event(struct detection *d, const struct event *ev)
{
	const struct capture_facts *c = detection_facts(d)->capture;
	char count[TEXT_COUNT];
	struct finding *f;

	(void)ev;
	if (c->truncated < 2) {
		detection_pass(d, NULL, "%llu frames are cut", (unsigned long long)c->truncated);
		return;
	}
	f = detection_raise(d, "snaplen", SEVERITY_INFO, CONFIDENCE_CERTAIN);
	finding_times(f, c->first_ns, c->last_ns);
	finding_title(f, "The snap length cuts %s frames", text_count(c->truncated, count));
	finding_cause(f,
		"Frames are cut to %u bytes: %llu of SIP, %llu of RTP, %llu others. What was cut off is not judged.",
		c->smallest_cut,
		      (unsigned long long)c->truncated_sip, (unsigned long long)c->truncated_rtp,
		      (unsigned long long)(c->truncated - c->truncated_sip - c->truncated_rtp));
	finding_fix(f, "Capture whole packets: tcpdump -s 0.");
	finding_evidence(f, c->truncated_at, "the first cut frame");
}

const struct detector detect_capture_truncated = {
	.id = "capture-truncated", .doc = &truncated_doc, .keys = no_keys, .event = truncated_event,
	.events = EVENT_BIT(EVENT_JUDGE_CAPTURE),
	.scope = GLOBAL, .usual = SEVERITY_INFO, .possible_max = SEVERITY_INFO,
};

/* ---- capture-dropped ---- */

static const char *const dropped_reasons[] = { "kernel", "interface", "simultaneous-gaps", NULL };

static const struct detector_doc dropped_doc = {
	.says = "the capture itself lost packets",
	.symptom = "Loss that no listener had: the capturing machine or the mirror port was too slow.",
	.evidence = "Drop counters of the capture, or unrelated streams that lack packets at the same instant.",
	.mimics = "Loss of one stream, or of all streams of one host: that is the network's.",
	.fix = "A larger capture buffer, a smaller snap length for media, a mirror port that is not overbooked.",
	.reasons = dropped_reasons,
};

static void dropped_event(struct detection *d, const struct event *ev)
{
	const struct facts *facts = detection_facts(d);
	const struct capture_facts *c = facts->capture;
	const struct loss_moment *moments;
	char count[TEXT_COUNT];
	struct finding *f;
	unsigned n;

	(void)ev;
	moments = gates_loss_moments(facts->gates, &n);
	if (!c->if_drop && !c->os_drop && n == 0) {
		detection_pass(d, NULL,
			"no drop counter, and no moment in which several unrelated streams lack packets");
		return;
	}
	f = detection_raise(d, c->os_drop ? "kernel" : c->if_drop ? "interface" : "simultaneous-gaps", SEVERITY_INFO,
			    c->os_drop || c->if_drop ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY);
	finding_times(f, n ? moments[0].from_ns : c->first_ns, n ? moments[n - 1].to_ns : c->last_ns);
	f->count = n ? n : 1;
	if (c->os_drop || c->if_drop)
		finding_title(f, "The capture dropped %s packets", text_count(c->os_drop + c->if_drop, count));
	else
		finding_title(f, "The capture lost packets at %u moment%s", n, n == 1 ? "" : "s");
	finding_cause(f, "%s Loss in that time is not held against the network.",
		      c->os_drop || c->if_drop ? "The drop counters of the capture say so."
		      : "Streams that have nothing to do with one another lack packets at the same time.");
	finding_fix(f, "Capture with a larger buffer, on a machine or mirror port that keeps up.");
}

const struct detector detect_capture_dropped = {
	.id = "capture-dropped", .doc = &dropped_doc, .keys = no_keys, .event = dropped_event,
	.events = EVENT_BIT(EVENT_JUDGE_CAPTURE),
	.scope = GLOBAL, .usual = SEVERITY_INFO, .possible_max = SEVERITY_INFO,
};

/* ---- capture-duplicates ---- */

static const char *const duplicates_reasons[] = { "vlan-both-sides", "rx-tx", "any-interface", NULL };

static const struct detector_doc duplicates_doc = {
	.says = "the mirror delivers packets twice; counted once",
	.symptom = "Everything seems to be sent twice.",
	.evidence = "Equal packets (IP identification, payload) within milliseconds, for a pair of hosts.",
	.mimics = "SIP retransmissions, senders that repeat themselves, the same call before and behind a NAT.",
	.fix = "Mirror one direction of both ports, or both directions of one port.",
	.reasons = duplicates_reasons,
};

static const struct config_key duplicates_keys[] = {
	{ "min-percent", 5, "%", 0.1, 100, "field" },
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

static void duplicates_event(struct detection *d, const struct event *ev)
{
	const struct facts *facts = detection_facts(d);
	double limit = detection_key(d, "min-percent");
	struct copies all = { 0, 0, 0 };
	const struct pair *first = NULL;
	unsigned pairs = 0;
	char count[TEXT_COUNT];
	struct finding *f;

	(void)ev;
	LIST_EACH(it, network_pairs(facts->network)) {
		const struct pair *p = LIST_ENTRY(it, struct pair, in_order);
		struct copies c;

		if (!p->copies && !p->rtp)
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
	.id = "capture-duplicates", .doc = &duplicates_doc, .keys = duplicates_keys, .event = duplicates_event,
	.events = EVENT_BIT(EVENT_JUDGE_CAPTURE),
	.scope = GLOBAL, .usual = SEVERITY_INFO, .possible_max = SEVERITY_WARNING,
};
