/* SPDX-License-Identifier: MIT */
/* capture-truncated, capture-dropped: what the capture did to the packets. */
#include <stdio.h>

#include "analyzer/detect/gates.h"
#include "analyzer/detect/say.h"

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

/* Of which kinds the cut frames are. */
static void add_kinds(struct finding *f, const struct capture_facts *c)
{
	char sip[TEXT_COUNT], rtp[TEXT_COUNT], others[TEXT_COUNT];

	text_addf(&f->cause, "%s of SIP, %s of RTP, %s others. What was cut off is not judged.",
		text_count(c->truncated_sip, sip), text_count(c->truncated_rtp, rtp),
		  text_count(c->truncated - c->truncated_sip - c->truncated_rtp, others));
}

static void tell_snaplen(struct finding *f, const struct capture_facts *c)
{
	char count[TEXT_COUNT];

	finding_title(f, "The snap length cuts %s frames", text_count(c->truncated, count));
	finding_cause(f, "Frames are cut to %s bytes: ", text_count(c->first_cut, count));
	add_kinds(f, c);
	finding_fix(f, "Capture whole packets: tcpdump -s 0.");
}

/* A mirror that truncates, a file that was edited, damaged headers: no snap length helps. */
static void tell_came_cut(struct finding *f, const struct capture_facts *c)
{
	char count[TEXT_COUNT];

	finding_title(f, "%s frames were cut short before they were captured", text_count(c->truncated, count));
	finding_cause(f, "Frames hold %s bytes where their IP headers say more: ", text_count(c->first_cut, count));
	add_kinds(f, c);
	finding_fix(f, "Let the mirror pass whole frames (truncation off), or take a file that no tool has cut.");
}

static void truncated_event(struct detection *d, const struct event *ev)
{
	const struct capture_facts *c = detection_facts(d)->capture;
	struct finding *f;

	(void)ev;
	if (c->truncated < 2) {
		detection_pass(d, NULL, "%llu frames are cut", (unsigned long long)c->truncated);
		return;
	}
	f = detection_raise(d, "snaplen", SEVERITY_INFO, CONFIDENCE_CERTAIN);
	finding_times(f, c->first_ns, c->last_ns);
	if (c->came_cut == c->truncated)
		tell_came_cut(f, c);
	else
		tell_snaplen(f, c);
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
		      : "Streams that share no line, or run in both directions, lack packets at the same time.");
	finding_fix(f, "Capture with a larger buffer, on a machine or mirror port that keeps up.");
}

const struct detector detect_capture_dropped = {
	.id = "capture-dropped", .doc = &dropped_doc, .keys = no_keys, .event = dropped_event,
	.events = EVENT_BIT(EVENT_JUDGE_CAPTURE),
	.scope = GLOBAL, .usual = SEVERITY_INFO, .possible_max = SEVERITY_INFO,
};
