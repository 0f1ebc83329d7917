/* SPDX-License-Identifier: MIT */
/* rtp-delay: the way there and back takes long, by RTCP. RFC 3550 6.4.1, RFC 3611 4.7, ITU-T G.114. */
#include <math.h>
#include <stdio.h>

#include "analyzer/detect/gates.h"
#include "analyzer/detect/quality.h"

static const char *const reasons[] = { "leg-R", "leg-S", "both", "jitter-buffer", NULL };

static const struct detector_doc doc = {
	.says = "delay from RTCP",
	.symptom = "Both talk at once and stop at once; echo is noticed.",
	.evidence = "Sender reports and the reports that answer them (LSR, DLSR), timed at the capture point; extended reports (XR) of the ends.",
	.mimics = "Reports with wrong DLSR, reports that a relay makes for one leg, a capture whose clock jumps.",
	.fix = "Shorter route, no VPN or satellite in the way, fewer transcoders, smaller jitter buffers.",
	.reasons = reasons,
};

static const struct config_key keys[] = {
	{ "min-samples", 3, "reports", 2, 64, "1.5: one may be wrong" },
	{ "warn-rtt-ms", 300, "ms", 50, 5000, "ITU-T G.114: 150 ms one way" },
	{ "error-rtt-ms", 800, "ms", 100, 5000, "ITU-T G.114: 400 ms one way" },
	{ 0 },
};

enum { CERTAIN_SAMPLES = 10, XR_UNKNOWN = 65535, ESD_LARGE_MS = 150, POINTS_MAX = 8 };

#define AGREE_SHARE 0.25                     /* of the median, or 100 ms: samples that lie nearer agree with it */
#define AGREE_MS 100.0
#define AGREE_LEAST 0.6
#define PLAUSIBLE_MS 3000.0                  /* beyond that it is DLSR that is wrong */

/* From the capture point to one side and back. */
struct half {
	const struct stream *stream; /* that the side reports about */
	const struct rtcp_view *view;
	double rtt_ms;               /* < 0: not known */
	unsigned samples;
	struct rtcp_trip from;       /* where they were timed */
	unsigned esd_ms;             /* in that end's machine; 0 unknown */
};

/* Do most samples agree? A device that gives a wrong DLSR has round trips as random as the times of its reports. */
static bool agrees(const struct rtcp_view *v, const struct rtcp_trip *point, double median_ms, unsigned samples)
{
	double near_ms = median_ms * AGREE_SHARE > AGREE_MS ? median_ms * AGREE_SHARE : AGREE_MS;
	unsigned n = 0;

	for (unsigned i = 0; i < v->trip_count; i++)
		n += rtcp_trip_same_place(&v->trips[i], point) && fabs(v->trips[i].ms - median_ms) <= near_ms;
	return n >= AGREE_LEAST * samples;
}

static const struct rtcp_view *view_at(const struct facts *facts, const struct direction *dir, unsigned i)
{
	return dir->streams[i]->direction == dir ? rtcp_view_of(facts->rtcp, dir->streams[i]) : NULL;
}

/* The receiver's own reports about what this direction carries, timed at one place of the capture. */
static struct half half_of(struct detection *d, const struct direction *dir, const struct rtcp_trip *point)
{
	const struct facts *facts = detection_facts(d);
	struct half h = { .rtt_ms = -1 };

	for (unsigned i = 0; i < dir->stream_count; i++) {
		const struct rtcp_view *v = view_at(facts, dir, i);
		unsigned samples = 0;
		double ms = v && point && !v->by->encrypted ? rtcp_view_rtt_ms(v, point, &samples) : -1;

		if (v && v->has_xr && v->xr_end_system_ms != XR_UNKNOWN && v->xr_end_system_ms > h.esd_ms)
			h.esd_ms = v->xr_end_system_ms;
		if (samples < detection_key(d, "min-samples") || ms > PLAUSIBLE_MS ||
		    !agrees(v, point, ms, samples) || samples <= h.samples)
			continue;
		h.stream = dir->streams[i];
		h.view = v;
		h.rtt_ms = ms;
		h.samples = samples;
		h.from = *point;
	}
	return h;
}

struct delay {
	struct half there, back;     /* callee's side, caller's side */
	double total_ms;             /* of the halves that are known */
	unsigned esd_ms;
};

static bool is_known(const struct half *h)
{
	return h->rtt_ms >= 0;
}

/* The places of the capture from which round trips are known. */
struct points {
	struct rtcp_trip at[POINTS_MAX];
	unsigned count;
};

static void points_take(const struct facts *facts, const struct direction *dir, struct points *points)
{
	for (unsigned i = 0; i < dir->stream_count; i++) {
		const struct rtcp_view *v = view_at(facts, dir, i);

		for (unsigned k = 0; v && k < v->trip_count; k++) {
			unsigned n = 0;

			while (n < points->count && !rtcp_trip_same_place(&v->trips[k], &points->at[n]))
				n++;
			if (n == points->count && n < POINTS_MAX)
				points->at[points->count++] = v->trips[k];
		}
	}
}

static bool says_more(const struct delay *a, const struct delay *b)
{
	bool whole_a = is_known(&a->there) && is_known(&a->back), whole_b = is_known(&b->there) && is_known(&b->back);

	if (whole_a != whole_b)
		return whole_a;
	return a->there.samples + a->back.samples > b->there.samples + b->back.samples;
}

/* Both halves from one place: what is between two places would be counted twice, or not at all. */
static struct delay measure(struct detection *d, const struct direction *dir)
{
	const struct direction *reverse = direction_reverse(dir);
	struct delay best = { .there = half_of(d, dir, NULL), .back = half_of(d, reverse, NULL) };
	struct points points = { .count = 0 };

	points_take(detection_facts(d), dir, &points);
	points_take(detection_facts(d), reverse, &points);
	for (unsigned i = 0; i < points.count; i++) {
		struct delay x = { .there = half_of(d, dir, &points.at[i]),
			.back = half_of(d, reverse, &points.at[i]) };

		if (says_more(&x, &best))
			best = x;
	}
	best.total_ms = (is_known(&best.there) ? best.there.rtt_ms : 0) + (is_known(&best.back) ? best.back.rtt_ms : 0);
	best.esd_ms = best.there.esd_ms + best.back.esd_ms;
	return best;
}

static const char *reason_of(const struct delay *x, double warn_ms)
{
	double there = is_known(&x->there) ? x->there.rtt_ms : 0, back = is_known(&x->back) ? x->back.rtt_ms : 0;

	if (x->total_ms < warn_ms)
		return "jitter-buffer";
	if (there >= 2 * back)
		return "leg-R";
	return back >= 2 * there ? "leg-S" : "both";
}

/* The capture was taken on one of the ends, and the other one has answered often. */
static enum confidence confidence_of(const struct facts *facts, const struct delay *x)
{
	return facts->vantage.kind == VANTAGE_ON_HOST && x->there.samples + x->back.samples >= CERTAIN_SAMPLES
		? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY;
}

/* The last of the reports that were timed; of a tap with an interface for each way it is the last of all. */
static const struct rtcp_report *last_timed(const struct half *h)
{
	const struct rtcp_view *v = h->view;

	for (unsigned i = v->report_count; i-- > 0;)
		if (v->reports[i].file == h->from.file && v->reports[i].interface == h->from.interface)
			return &v->reports[i];
	return v->report_count ? &v->reports[v->report_count - 1] : NULL;
}

static void evidence(struct finding *f, const struct half *h)
{
	const struct rtcp_report *last = is_known(h) ? last_timed(h) : NULL;
	char who[ADDRESS_TEXT];

	if (!last)
		return;
	finding_stream(f, h->stream->n);
	finding_part(f, PART_WITNESS, &h->view->by->src);
	finding_evidence(f, (struct frame_ref){ last->at_ns, last->frame, last->file, 0 },
		"%s answers a sender report: %.0f ms there and back from here, median of %u",
			 address_text(&h->view->by->src.addr, who), h->rtt_ms, h->samples);
}

static void tell(struct detection *d, const struct event *ev, const struct delay *x)
{
	const struct facts *facts = detection_facts(d);
	const char *reason = reason_of(x, detection_key(d, "warn-rtt-ms"));
	struct finding *f = detection_raise(d, reason, x->total_ms >= detection_key(d,
		"error-rtt-ms") ? SEVERITY_ERROR : SEVERITY_WARNING, confidence_of(facts, x));
	bool half = !is_known(&x->there) || !is_known(&x->back);
	char a[SAY_TEXT], b[SAY_TEXT], where[2 * SAY_TEXT] = "";

	finding_leg(f, ev->leg);
	say_party(facts, ev->leg, SIDE_CALLER, a);
	say_party(facts, ev->leg, SIDE_CALLEE, b);
	if (strcmp(reason, "both") != 0)
		snprintf(where, sizeof where, ", most of it between the capture point and %s",
			strcmp(reason, "leg-R") == 0 ? b : a);
	if (strcmp(reason, "jitter-buffer") == 0) {
		finding_title(f, "%s and %s hear each other late: %u ms within the end devices", a, b, x->esd_ms);
		finding_cause(f, "The round trip is %.0f ms, and the end devices report %u ms of their own (jitter buffer, codec).", x->total_ms, x->esd_ms);
		finding_fix(f, "Make the jitter buffers of both ends smaller or adaptive.");
	} else {
		finding_title(f, "%s and %s hear each other late: %.0f ms there and back", a, b, x->total_ms);
		finding_cause(f, "Round trip %.0f ms%s%s; one way about half of it if both ways are alike.",
			x->total_ms, where, half ? ", of this leg alone" : "");
		finding_fix(f,
			"Look for a detour on the way to %s: route, VPN, satellite or mobile link, transcoding hops.",
			strcmp(reason, "leg-S") == 0 ? a : b);
	}
	evidence(f, &x->there);
	evidence(f, &x->back);
	finding_times(f, is_known(&x->there) ? x->there.stream->first_ns : x->back.stream->first_ns,
		      is_known(&x->there) ? x->there.stream->last_ns : x->back.stream->last_ns);
	finding_cannot_see(f, half ? "the other side of the capture point, jitter buffers, and how the delay is shared between the two ways"
				   : "jitter buffers, and how the delay is shared between the two ways");
}

/* What one clock adds on this side of the capture point it takes away on the other. */
static bool two_clocks(const struct facts *facts, const struct direction *dir)
{
	for (unsigned i = 0; i < dir->stream_count; i++) {
		const struct rtcp_view *v = rtcp_view_of(facts->rtcp, dir->streams[i]);

		if (v && v->rtt_negative > v->trip_count)
			return true;
	}
	return false;
}

static void on_event(struct detection *d, const struct event *ev)
{
	double warn_ms = detection_key(d, "warn-rtt-ms");
	struct delay x;

	if (ev->direction->sender != SIDE_CALLER)
		return;                                      /* both are judged together */
	x = measure(d, ev->direction);
	if (!is_known(&x.there) && !is_known(&x.back)) {
		detection_pass(d, NULL, "the delay is unknown: fewer than %.0f reports answer a sender report",
			detection_key(d, "min-samples"));
		return;
	}
	if (x.total_ms < warn_ms && (x.esd_ms < ESD_LARGE_MS || x.total_ms + x.esd_ms < warn_ms)) {
		detection_pass(d, NULL, "a round trip of %.0f ms", x.total_ms);
		return;
	}
	if (gates_clock_unreliable(detection_facts(d)->gates) || two_clocks(detection_facts(d), ev->direction) ||
	    two_clocks(detection_facts(d), direction_reverse(ev->direction))) {
		detection_withhold(d, ev->leg, "G10", "the capture's times cannot be relied on");
		return;
	}
	tell(d, ev, &x);
}

const struct detector detect_rtp_delay = {
	.id = "rtp-delay", .doc = &doc, .keys = keys, .event = on_event, .events = EVENT_BIT(EVENT_JUDGE_DIRECTION),
	.scope = PER_DIRECTION, .usual = SEVERITY_WARNING, .possible_max = SEVERITY_WARNING,
};
