/* SPDX-License-Identifier: MIT */
/*
 * rtp-jitter: packets come later than phones can buffer. A receiver is simulated by counters; J of RFC 3550 A.8 alone
 * never raises it.
 */
#include <math.h>
#include <stdio.h>

#include "analyzer/detect/gates.h"
#include "analyzer/detect/jitter_box.h"
#include "analyzer/detect/quality.h"

static const char *const reasons[] = { "queueing", "sender-pacing", "clock-drift", "route-step",
	"wifi-like", "middlebox-delay", NULL };

static const struct detector_doc doc = {
	.says = "arrival varies more than phones can buffer, and where",
	.symptom = "\"Choppy\" or \"under water\" although nothing is lost.",
	.evidence = "Packets later than a buffer of 60 ms, interarrival jitter of 20 ms and more in several intervals, XR discards; the same packets before and behind a device, against its load; whether late packets come in bursts, and how the least delay moves.",
	.mimics = "Silence suppression, key presses, a change of payload type, slow clock drift, coarse time stamps of the capture.",
	.fix = "Priority for voice on the segment that is named; a larger jitter buffer relieves.",
	.reasons = reasons,
};

static const struct config_key keys[] = {
	{ "buffer-ms", 60, "ms", 60, 60, "field: a fixed buffer; counted per packet, so not adjustable" },
	{ "adaptive-ms", 200, "ms", 200, 200, "field: what adaptive buffers reach" },
	{ "warn-discard-percent", 1, "%", 0.1, 100, "field" },
	{ "min-j-ms", 20, "ms", 1, 1000, "field: one packet time" },
	{ 0 },
};

enum { MIN_DISCARDS = 10, BURSTS_LEAST = 5, BURSTS_PERCENT = 80, RELAYS_MAX = 8 };

static unsigned jittery_intervals(const struct stream *s, double min_ms)
{
	unsigned n = 0;

	for (unsigned i = 0; i < s->interval_count; i++)
		n += !s->intervals[i].unfit && s->intervals[i].max_jitter_tenth_ms >= min_ms * 10;
	return n;
}

/* Nearly all that is late was held back for about 100 ms and came at once. */
static bool in_bursts(const struct stream_flaws *f)
{
	return f->late_bursts >= BURSTS_LEAST &&
	       f->late_bursts * UINT64_C(100) >= f->late_runs * (uint64_t)BURSTS_PERCENT;
}

static const char *reason_of(const struct facts *facts, const struct stream *s)
{
	const struct stream_flaws *f = stream_flaws(s);
	bool slower = quality_comes_slower(s, s->clock_hz);

	if (f->step_ms > 0 && !slower)
		return "route-step";
	if ((s->drift_ppm > 500 || s->drift_ppm < -500) && !slower)
		return "clock-drift";
	/* no router between sender and capture: it left like this */
	if (quality_beside(facts, s, &s->src))
		return "sender-pacing";
	if (in_bursts(f))
		return "wifi-like";
	/* late against the least delay, which itself stands still: packets wait somewhere */
	return "queueing";
}

static double late_share(const struct stream *s)
{
	return s->packets ? (double)s->late60 / (double)s->packets : 0;
}

/*
 * What a relay gets is late as often as what it sends on: by a quarter more or less where the packets do not show it.
 */
static const struct stream *late_input(const struct facts *facts, const struct stream *s)
{
	const struct stream *in = quality_made_of(facts, s);

	if (in)
		return in->jitter_known && late_share(in) * 2 >= late_share(s) ? in : NULL;
	in = quality_other_leg(facts, s);
	if (!in || !in->jitter_known || late_share(in) * 5 < late_share(s) * 4 ||
	    late_share(in) * 4 > late_share(s) * 5)
		return NULL;
	return in;
}

/* The first of those streams; NULL: it left like this. */
static const struct stream *late_on_way_in(const struct facts *facts, const struct stream *s)
{
	const struct stream *first = NULL, *in = late_input(facts, s);

	for (unsigned depth = 0; in && depth < RELAYS_MAX; depth++) {
		first = in;
		in = late_input(facts, in);
	}
	return first;
}

/* Both on one network: a radio link may lie before this point, which counts as no hop. */
static bool on_one_network(const struct facts *facts, const struct stream *s)
{
	return facts->vantage.kind != VANTAGE_ON_HOST && quality_beside(facts, s, &s->src) &&
	       quality_beside(facts, s, &s->dst);
}

static const char *pattern_of(const char *reason, bool radio)
{
	if (strcmp(reason, "wifi-like") == 0)
		return "they are held back for about 100 ms and come at once";
	if (strcmp(reason, "route-step") == 0)
		return "the way became longer during the call";
	if (strcmp(reason, "sender-pacing") == 0)
		return radio ? "they leave the sender like this, or a radio link before this point holds them back"
			: "they leave the sender like this";
	if (strcmp(reason, "middlebox-delay") == 0)
		return "they wait inside a device on the way";
	if (strcmp(reason, "clock-drift") == 0)
		return "the sender's clock runs at another speed";
	return "they wait in a queue on the way";
}

/* Captured before and behind the device that delays them. */
static void tell_box(struct finding *f, const struct facts *facts, const struct jitter_box *box)
{
	const struct host *router = facts->vantage.kind == VANTAGE_BOTH_SIDES ? facts->vantage.host : NULL;
	char host[SAY_TEXT] = "the device between the two capture points";

	if (router) {
		say_host(facts, &router->addr, host);
		finding_part(f, PART_CULPRIT, &(struct endpoint){ router->addr, 0 });
	}
	finding_fix(f, "Look at the load of %s at that time; switch deep inspection off for voice, give voice a queue of its own, or replace the device.", host);
	text_addf(&f->cause, " Before the device they come in time (%u late); behind it they are late while %.0f packets of audio a second pass, and not at %.0f.",
		  box->before->late60, box->busy, box->calm);
	finding_evidence_run(f, stream_frame(box->before, box->before->first_frame, box->before->first_ns),
		box->before->last_frame, "the same packets before the device: %u late", box->before->late60);
}

/* The line carries less than the call needs, and what waits for it becomes more and more. */
static void tell_growing(struct finding *f, const struct stream *s, const char *sender, bool pacing)
{
	text_addf(&f->cause, " Of each second of sound %.0f ms come within a second, evenly: it takes longer and longer.",
		1000.0 * (double)s->ts_rate_hz / s->clock_hz);
	if (pacing)
		finding_fix(f, "Look at CPU and network driver of %s; if it passes on what it gets (a PBX, a relay), capture before it: the queue may lie there.", sender);
	else
		finding_fix(f, "Look for the line between %s and this point that is too narrow for what is sent through it (an uplink, a shaper, a VPN): more bandwidth, a smaller codec, or a short queue for voice that other traffic cannot fill.",
			sender);
}

/* Which device does it cannot be seen; that it does so every time is no ordinary queue. */
static void tell_bursts(struct finding *f, const struct stream *s, const char *sender)
{
	text_addf(&f->cause, " So it was in %u of %u places: as Wi-Fi that saves power does (beacons every 102 ms), or a device that polls as seldom.",
		stream_flaws(s)->late_bursts, stream_flaws(s)->late_runs);
	finding_fix(f, "Find the radio link between %s and this capture point: there switch power saving off and WMM on, look at channel, band and signal; where all is by wire, look for what polls every 100 ms (a virtual machine, a modem).",
		sender);
}

static void tell_step(struct finding *f, const struct stream *s, const char *sender)
{
	const struct stream_flaws *x = stream_flaws(s);
	char at[NS_TEXT];

	ns_rfc3339(x->step_ns, at);
	at[19] = '\0';
	text_addf(&f->cause, " Within half a minute of %s UTC even the fastest packets began to take %.0f ms more, and it stayed so: not a queue, another way.",
		at + 11, (double)x->step_ms);
	finding_fix(f, "Look for what changed on the way from %s at that time: a route, the second line, a VPN or tunnel, a link that failed over; a jitter buffer that adapts grows with it.",
		sender);
}

static void tell_way_in(struct finding *f, const struct facts *facts, const struct stream *in)
{
	char relay[SAY_TEXT];

	say_host(facts, &in->dst.addr, relay);
	text_addf(&f->cause, " They come to %s like this, which passes them on.", relay);
	finding_stream(f, in->n);
	finding_evidence_run(f, stream_frame(in, in->first_frame, in->first_ns), in->last_frame,
		"the same audio as it comes in: %u late", in->late60);
}

static void tell(struct detection *d, const struct event *ev, double late_percent, double later_percent)
{
	const struct facts *facts = detection_facts(d);
	const struct stream *s = ev->stream;
	double warn = detection_key(d, "warn-discard-percent");
	const struct rtcp_view *v = rtcp_view_of(facts->rtcp, s);
	bool reported = v && v->has_xr && v->xr_discard_rate != 127 && v->xr_discard_rate * 100.0 / 256 >= 1;
	struct jitter_box box = { .before = NULL };
	const struct stream *in = late_on_way_in(facts, s), *first = in ? in : s;
	bool slower = quality_comes_slower(s, s->clock_hz), boxed = !slower && jitter_box(facts, s, &box),
		radio = on_one_network(facts, first);
	struct finding *f = detection_raise(d, boxed ? "middlebox-delay" : reason_of(facts, first),
		later_percent >= warn ? SEVERITY_ERROR : SEVERITY_WARNING,
					    reported ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY);
	char src[SAY_TEXT], dst[SAY_TEXT], listener[SAY_TEXT], act[2 * SAY_TEXT], effect[2 * SAY_TEXT],
		late[TEXT_COUNT], all[TEXT_COUNT];

	quality_parts(f, s);
	quality_listeners_behind(f, facts, s, late_input);
	if (strcmp(f->reason, "sender-pacing") == 0)
		finding_part(f, PART_CULPRIT, &stream_origin(first)->src);
	say_host(facts, &stream_origin(first)->src.addr, src);
	say_host(facts, &s->dst.addr, dst);
	snprintf(act, sizeof act, "%s's audio arrives too unevenly", src);
	snprintf(effect, sizeof effect, "%s %shears dropouts", quality_listener(facts, s, listener), say_claim(f));
	say_title(f, act, effect);
	finding_cause(f, "%.1f %% of the packets to %s come too late for a 60 ms buffer, %.1f %% for one of 200 ms; jitter up to %.0f ms; %s.",
		      late_percent, dst, later_percent, (double)s->max_jitter_ms, pattern_of(f->reason, radio));
	if (in && !boxed)
		tell_way_in(f, facts, in);
	finding_fix(f, strcmp(f->reason,
		"sender-pacing") == 0
		? radio ? "Look at CPU and network driver of the sender; if Wi-Fi or DECT lies between it and this point, at that first (power saving off, WMM on); a larger jitter buffer at the receiver relieves."
			: "Look at CPU and network driver of the sender; a larger jitter buffer at the receiver relieves."
							       : "Give voice priority on the way (QoS queue, Wi-Fi WMM); a larger jitter buffer at the "
								 "receiver relieves.");
	if (slower)
		tell_growing(f, s, src, strcmp(f->reason, "sender-pacing") == 0);
	else if (boxed)
		tell_box(f, facts, &box);
	else if (strcmp(f->reason, "wifi-like") == 0)
		tell_bursts(f, s, src);
	else if (strcmp(f->reason, "route-step") == 0)
		tell_step(f, s, src);
	else if (strcmp(f->reason, "clock-drift") == 0)
		finding_fix(f, "Look at what gives %s its sound clock: the sound card or its driver, a sample rate that is converted, a virtual machine without a good clock; update it. A receiver that follows the clock (adaptive buffer) relieves.",
			src);
	quality_evidence(f, s, "%s of %s packets come more than 60 ms late", text_count(s->late60, late),
		text_count(s->packets, all));
	finding_cannot_see(f, "how deep the receiver's own buffer is");
}

/* Far from what was agreed (1.4.4): what looks late is the sender's clock, told by codec-not-agreed. */
static bool clock_wrong(const struct stream *s)
{
	return s->ts_rate_hz > 0 && fabs((double)s->ts_rate_hz / s->clock_hz - 1) > WRONG_CLOCK &&
	       !quality_comes_slower(s, s->clock_hz);
}

static void on_event(struct detection *d, const struct event *ev)
{
	const struct stream *s = ev->stream;
	double late, later;

	if (!quality_measurable(d, s, 100, 10 * SECOND_NS))
		return;
	if (!s->jitter_known) {
		detection_pass(d, NULL, "the clock of its payload type is unknown");
		return;
	}
	if (clock_wrong(s)) {
		detection_pass(d, NULL, "its time stamps run at %.0f Hz, not at %u: they measure nothing",
			(double)s->ts_rate_hz, (unsigned)s->clock_hz);
		return;
	}
	late = 100.0 * (double)s->late60 / (double)s->packets;
	later = 100.0 * (double)s->late200 / (double)s->packets;
	if (late < detection_key(d, "warn-discard-percent") || s->late60 < MIN_DISCARDS) {
		detection_pass(d, NULL, "%.2f %% of the packets later than 60 ms", late);
		return;
	}
	/* a queue that grows evenly delays each packet more than the last one, and no two unevenly */
	if (jittery_intervals(s, detection_key(d, "min-j-ms")) < 2 && !quality_comes_slower(s, s->clock_hz)) {
		detection_pass(d, NULL, "jitter of %.0f ms in fewer than two intervals", detection_key(d, "min-j-ms"));
		return;
	}
	if (gates_clock_unreliable(detection_facts(d)->gates)) {
		detection_withhold(d, quality_leg(s), "G10", "the capture's times cannot be relied on");
		return;
	}
	if (s->twin_kind != TWIN_RELAY && late_on_way_in(detection_facts(d), s)) {
		detection_pass(d, NULL, "it comes to its sender as late: told there");
		return;
	}
	tell(d, ev, late, later);
}

const struct detector detect_rtp_jitter = {
	.id = "rtp-jitter", .doc = &doc, .keys = keys, .event = on_event, .events = EVENT_BIT(EVENT_JUDGE_STREAM),
	.scope = PER_STREAM, .usual = SEVERITY_WARNING, .possible_max = SEVERITY_WARNING,
};
