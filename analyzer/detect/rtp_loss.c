/* SPDX-License-Identifier: MIT */
/*
 * rtp-loss: packets of a stream are missing, and where they were lost. RFC 3550 A.3, 6.4.1; ITU-T G.107 for the harm.
 */
#include <stdio.h>

#include "analyzer/detect/gates.h"
#include "analyzer/detect/lookup.h"
#include "analyzer/detect/quality.h"
#include "analyzer/detect/reported.h"
#include "analyzer/detect/say.h"
#include "analyzer/media/mos.h"

enum {
	PRESS_MIN_MS = 150, PRESS_MAX_MS = 1500,         /* a key, pressed by a finger */
	RELAYS_MAX = 8,
	PARTS_MAX = 64               /* streams of a direction that are looked through for the rest of a source */
};
#define NEXT_KEY_NS (2 * SECOND_NS)  /* PBXs give a code half a second to two from key to key */
#define COUNTED_SHARE 0.5
#define DOUBLED_SHARE 0.2            /* a network doubles single packets, a mirror nearly all (1.4.6) */
#define MORE_NUMBERS 1.3

static const char *const reasons[] = { "before-capture", "after-capture", "at-sender", "between-points", NULL };

static const struct detector_doc doc = {
	.says = "packets lost, and where",
	.symptom = "\"Choppy\", \"robotic\", words are missing.",
	.evidence = "Sequence numbers at the capture point, and what the receiver reports by RTCP over the same span.",
	.mimics = "Restarted numbering, silence suppression, a new SSRC, mirror copies, packets that the capture itself lost.",
	.fix = "Priority (QoS), duplex, Wi-Fi or the provider, on the segment that is named.",
	.reasons = reasons,
};

static const struct config_key keys[] = {
	{ "warn-percent", 1, "%", 0.1, 100, "G.107: G.711 without concealment loses about 3.6 R a percent" },
	{ "error-percent", 5, "%", 0.1, 100, "field" },
	{ "interval-percent", 5, "%", 0.1, 100, "field" },
	{ "burst-packets", 10, "packets", 2, 1000, "200 ms" },
	{ "min-packets", 250, "packets", 50, 100000, "5 s of 20 ms packets" },
	{ "min-lost", 10, "packets", 1, 1000, "field" },
	{ 0 },
};

struct loss {
	double percent, worst_percent, reported_percent; /* reported < 0: no report */
	/* own_lost: lost when the capture itself lost packets, or what the receiver has, or no audio */
	uint64_t lost, own_lost;
	uint64_t still_lost;         /* of lost: together with all else, by the capture or by a link that all share */
	unsigned bad_intervals;
	unsigned own_bursts;         /* runs of ten and more among own_lost */
	unsigned reports;
	bool reports_cover;          /* the reports span most of what was captured */
	bool reports_whole;          /* they span nearly all of it, and lack nothing */
	bool lost_behind;            /* more than the capture lacks in all, by 2 points: lost behind it */
	const struct rtcp_report *report_last;
};

static bool is_hole(const struct gap *g)
{
	return g->lost_ms && g->seq_step > 1 && g->seq_step < 3000;
}

/*
 * What its sender gets on another leg has the same hole: it is lost there. What a relay passes on as it comes is judged
 * behind it.
 */
static bool lost_on_other_leg(const struct facts *facts, const struct stream *s, const struct gap *g)
{
	return s->direction && s->twin_kind != TWIN_RELAY &&
	       hearing_begins_elsewhere(facts, (struct direction *)(uintptr_t)s->direction, g->from_ns, g->to_ns);
}

/* Lost by the capture, on a way that it does not see, on another leg of the call; or not lost but sent elsewhere. */
static bool is_own(const struct facts *facts, const struct stream *s, const struct gap *g)
{
	return is_hole(g) && (gates_capture_lost(facts->gates, g->from_ns, g->to_ns) ||
		quality_lost_by_point(facts->gates, s, g) || quality_receiver_has(facts, s, g) ||
		quality_sent_elsewhere(facts, s, g) || lost_on_other_leg(facts, s, g));
}

/* In holes that many streams share it may be the capture, too. */
static void measure_holes(const struct facts *facts, const struct stream *s, struct loss *l)
{
	for (unsigned i = 0; i < s->gap_count; i++) {
		const struct gap *g = &s->gaps[i];

		if (is_own(facts, s, g)) {
			l->own_lost += g->seq_step - 1;
			l->own_bursts += g->seq_step - 1 >= LOSS_RUN_CLASSES;
		}
		if (is_hole(g) && gates_capture_still(facts->gates, g->from_ns, g->to_ns))
			l->still_lost += g->seq_step - 1;
	}
	l->own_lost += gates_short_lost(facts->gates, s, s->first_ns, NS_NONE);
}

/* Of what the interval lacks: the packet behind a hole counts it. */
static uint32_t own_of_interval(const struct facts *facts, const struct stream *s, unsigned interval)
{
	int64_t from_ns = s->intervals[interval].at_ns,
		to_ns = interval + 1u < s->interval_count ? s->intervals[interval + 1].at_ns : NS_NONE;
	uint32_t n = (uint32_t)gates_short_lost(facts->gates, s, from_ns, to_ns);

	for (unsigned i = 0; i < s->gap_count; i++) {
		const struct gap *g = &s->gaps[i];

		if (g->to_ns >= from_ns && (to_ns == NS_NONE || g->to_ns < to_ns) && is_own(facts, s, g))
			n += g->seq_step - 1;
	}
	return n;
}

static void measure_intervals(struct detection *d, const struct stream *s, struct loss *l)
{
	const struct facts *facts = detection_facts(d);
	double limit = detection_key(d, "interval-percent");

	for (unsigned i = 0; i < s->interval_count; i++) {
		const struct interval *x = &s->intervals[i];
		uint32_t lost = x->expected > x->packets ? x->expected - x->packets : 0, own;
		double percent;

		if (x->expected < 50)
			continue;
		own = lost && l->own_lost ? own_of_interval(facts, s, i) : 0;
		percent = lost > own ? 100.0 * (lost - own) / (x->expected - own) : 0;
		l->bad_intervals += percent >= limit;
		l->worst_percent = percent > l->worst_percent ? percent : l->worst_percent;
	}
}

/* The sender goes on from another socket, or came from one (it roamed, its NAT's mapping changed), under the same SSRC. */
static bool part_of_source(const struct stream *s)
{
	for (unsigned i = 0; s->direction && i < s->direction->stream_count && i < PARTS_MAX; i++) {
		const struct stream *x = s->direction->streams[i];

		if (x->ssrc == s->ssrc && (x->first_ns > s->last_ns || x->last_ns < s->first_ns))
			return true;
	}
	return false;
}

/* Packets up to the first report, which lacks none of them: what is lost later is a share of these, too. */
static double whole_before(const struct stream *s, const struct rtcp_report *first)
{
	uint16_t n = (uint16_t)(first->ext_seq - s->first_seq);
	double most = 1.5 * (double)ns_minus(first->at_ns, s->first_ns) / ((s->ptime_ms ? s->ptime_ms : 20) * 1e6) + 50;

	return first->cumulative_lost == 0 && s->epochs == 1 && n <= most ? n : 0;
}

static void measure_reports(const struct facts *facts, const struct stream *s, struct loss *l)
{
	const struct rtcp_view *v = rtcp_view_of(facts->rtcp, s);
	const struct rtcp_report *a, *b;
	double span, lost;

	l->reported_percent = -1;
	if (!v || v->report_count < 2)
		return;
	a = &v->reports[0];
	b = &v->reports[v->report_count - 1];
	/* the receiver counts all of the source, and what was not sent between its parts */
	if (part_of_source(s)) {
		while (a < b && a->at_ns < s->first_ns)
			a++;
		while (a < b && b->at_ns > ns_add(s->last_ns, SECOND_NS))
			b--;
	}
	span = (double)(uint32_t)(b->ext_seq - a->ext_seq);
	if (span < 100 || span > 1e7)
		return;
	lost = (double)(b->cumulative_lost - a->cumulative_lost);
	span += whole_before(s, a);
	/* receivers count what the sender left out in a hold */
	if (lost > 0 && stream_flaws(s)->counted_held)
		lost = lost > stream_flaws(s)->counted_held ? lost - stream_flaws(s)->counted_held : 0;
	l->reported_percent = 100.0 * lost / span;
	l->reports_cover = span >= 0.8 * (double)s->expected_within;
	l->reports_whole = lost <= 0 && span >= 0.98 * (double)s->expected_within;
	/* what the capture lacks within the span is at most what it lacks in all */
	l->lost_behind = lost - (double)s->lost_within > 0.02 * span + 10;
	l->reports = (unsigned)(b - a) + 1;
	l->report_last = b;
}

/* Key presses that did not come here: nobody hears that they are missing, dtmf-broken tells it. */
static uint64_t lost_events(const struct stream *s)
{
	uint64_t n = stream_flaws(s)->lost_timeless;

	if (s->twin_of && s->twin_of->events > s->events && s->twin_of->events - s->events > n)
		n = s->twin_of->events - s->events;
	return n;
}

static struct loss measure(struct detection *d, const struct stream *s)
{
	const struct facts *facts = detection_facts(d);
	struct loss l = { .lost = s->lost_within };

	measure_holes(facts, s, &l);
	l.own_lost += lost_events(s);
	if (l.own_lost > l.lost)
		l.own_lost = l.lost;
	l.percent = s->expected_within ? 100.0 * (double)(l.lost - l.own_lost) / (double)s->expected_within : 0;
	measure_intervals(d, s, &l);
	measure_reports(facts, s, &l);
	return l;
}

static bool enough_bursts(struct detection *d, const struct stream *s, const struct loss *l)
{
	unsigned bursts = 0;

	/* runs of ten and more stand in the last class; a longer limit looks at the holes */
	if (detection_key(d, "burst-packets") <= LOSS_RUN_CLASSES)
		return stream_flaws(s)->loss_runs[LOSS_RUN_CLASSES - 1] >= 2 + l->own_bursts;
	for (unsigned i = 0; i < s->gap_count; i++)
		bursts += s->gaps[i].lost_ms && s->gaps[i].seq_step > detection_key(d, "burst-packets") &&
			!is_own(detection_facts(d), s, &s->gaps[i]);
	return bursts >= 2;
}

static const char *shape_of(const struct stream *s)
{
	double kept = s->expected_within ? 1 - (double)s->lost_within / (double)s->expected_within : 1;

	/* mean length of a run against that of independent losses, as BurstR of ITU-T G.107 */
	return (double)s->lost_within * kept < 1.5 * stream_flaws(s)->loss_events ? "scattered" : "in bursts";
}

/*
 * Packets that the network doubles, or their sender, come to the receiver twice as well: it counts them as received, and
 * as many lost ones less (RFC 3550 6.4.1).
 */
static double doubled_percent(const struct stream *s)
{
	uint64_t copies = s->mirror_copies < DOUBLED_SHARE * (double)s->packets ? s->mirror_copies : 0;

	return s->expected_within ? 100.0 * (double)(copies + s->duplicates) / (double)s->expected_within : 0;
}

/* The receiver lacks about as much as the capture. */
static bool reported_too(const struct loss *l)
{
	return l->reported_percent >= l->percent - 2 && l->reported_percent >= l->percent / 2;
}

/*
 * What a relay gets is whole, what it sends on is not. Captured on it, it has lost them itself; captured elsewhere,
 * they may have been lost on the way to it, too.
 */
static bool lost_in_relay(const struct facts *facts, const struct stream *s)
{
	const struct stream *in = s->twin_of;

	return s->twin_kind == TWIN_RELAY && in->lost_within * 2 < s->lost_within &&
	       network_same(facts->network, &in->dst.addr, &s->src.addr);
}

static bool within_tenth(uint64_t a, uint64_t b)
{
	return (a > b ? a - b : b - a) * 10 <= a;
}

/* As many are missing, in runs of the same lengths: two ways do not lose alike. */
static bool same_holes(const struct stream *a, const struct stream *b)
{
	const uint32_t *x = stream_flaws(a)->loss_runs, *y = stream_flaws(b)->loss_runs;
	uint32_t runs = 0, differ = 0;

	for (unsigned i = 0; i < LOSS_RUN_CLASSES; i++) {
		runs += x[i];
		differ += x[i] > y[i] ? x[i] - y[i] : y[i] - x[i];
	}
	return differ * 10 <= runs && within_tenth(a->lost_within, b->lost_within);
}

/*
 * What it was made of, and lacks as much: by its packets, or a B2BUA's packets that show nothing of that but the same
 * holes. NULL: nothing.
 */
static const struct stream *lacking_input(const struct facts *facts, const struct stream *s)
{
	const struct stream *in = quality_made_of(facts, s);

	if (in)
		return in->lost_within * 2 >= s->lost_within ? in : NULL;
	in = quality_other_leg(facts, s);
	return in && same_holes(in, s) ? in : NULL;
}

/* Whose listener lacks it as well. */
static const struct stream *passed_on(const struct facts *facts, const struct stream *s)
{
	const struct stream *in = quality_made_of(facts, s);

	return in ? in : lacking_input(facts, s);
}

/* What a relay gets lacks as much as what it sends on: the first of those streams; NULL: none. */
static const struct stream *lost_on_way_in(const struct facts *facts, const struct stream *s)
{
	const struct stream *first = NULL, *in = lacking_input(facts, s);

	for (unsigned depth = 0; in && depth < RELAYS_MAX; depth++) {
		first = in;
		in = lacking_input(facts, in);
	}
	return first;
}

static const char *where_of(const struct facts *facts, const struct stream *s, const struct loss *l,
	enum confidence *ret)
{
	*ret = CONFIDENCE_LIKELY;
	if (l->lost_behind)
		return *ret = CONFIDENCE_CERTAIN, "after-capture";
	if (reported_too(l))
		*ret = CONFIDENCE_CERTAIN;
	if (lost_in_relay(facts, s)) {
		*ret = quality_beside(facts, s, &s->src) ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY;
		return "between-points";
	}
	/* what a relay sends on lacks what it never got */
	if (s->twin_kind != TWIN_RELAY && quality_beside(facts, s, &s->src) && !quality_beside(facts, s, &s->dst))
		return "at-sender";
	if (s->twin_of && s->twin_of->lost_within * 2 < s->lost_within)
		return "between-points";
	return "before-capture";
}

/* Most of it is missing together with everything else, and no receiver says that it lacks it, too. */
static bool maybe_capture(const struct loss *l)
{
	return l->still_lost * 2 > l->lost - l->own_lost && !reported_too(l);
}

struct words { const char *reason, *where, *link; };

static const struct words *words_of(const char *reason)
{
	static const struct words all[] = {
		{ "at-sender", "already beside the sender", "and the interface of the sender" },
		{ "after-capture", "behind the capture point", "between the capture point and the receiver" },
		{ "between-points", "between the two capture points", "between the two capture points" },
		{ "before-capture", "before the capture point", "between the sender and the capture point" },
	};
	size_t i = 0;

	while (i < sizeof all / sizeof all[0] - 1 && strcmp(all[i].reason, reason) != 0)
		i++;
	return &all[i];
}

static void say_relay(struct finding *f, const struct facts *facts, const struct stream *s, const struct loss *l)
{
	const struct stream *in = s->twin_of;
	char relay[SAY_TEXT], dst[SAY_TEXT];

	say_host(facts, &s->src.addr, relay);
	say_host(facts, &s->dst.addr, dst);
	finding_cause(f, "What goes to %s is whole here, of what it sends on to %s %.1f %% are missing, %s; in the worst 5 s %.1f %%%s: %s.", relay,
		dst, l->percent, shape_of(s), l->worst_percent,
		reported_too(l) ? "; the receiver reports the same" : "",
		f->confidence == CONFIDENCE_CERTAIN ? "it loses them itself" : "lost in it, or on the way to it or back");
	finding_part(f, PART_CULPRIT, &(struct endpoint){ s->src.addr, 0 });
	finding_stream(f, in->n);
	finding_evidence_run(f, stream_frame(in, in->first_frame, in->first_ns), in->last_frame, "the same audio as it goes in");
}

static void say_way_in(struct finding *f, const struct facts *facts, const struct stream *s, const struct loss *l,
	const struct stream *in)
{
	char relay[SAY_TEXT], src[SAY_TEXT];

	say_host(facts, &in->dst.addr, relay);
	say_host(facts, &stream_origin(in)->src.addr, src);
	finding_cause(f, "%.1f %% of the packets that %s sends to %s are lost before the capture point, %s; in the "
		"worst 5 s %.1f %%%s. %s passes on what is left.",
		l->percent, src, relay, shape_of(s), l->worst_percent,
		reported_too(l) ? "; the receiver reports the same" : "", relay);
	finding_fix(f,
		"Look at the link between %s and %s: priority for voice (QoS), duplex, Wi-Fi, load, the provider.",
		src, relay);
	finding_stream(f, in->n);
	finding_evidence_run(f, stream_frame(in, in->first_frame, in->first_ns), in->last_frame,
		"the same audio as it comes in, with the same holes");
}

/* Its sender counts them: its reports around the holes are a packet for each packet time apart. RFC 3550 6.4.1 */
static bool counted_as_sent(const struct facts *facts, const struct stream *s, int64_t from_ns, int64_t to_ns, uint64_t lost)
{
	const struct rtcp_party *p = rtcp_party_at(facts->rtcp, &stream_origin(s)->src, NULL, from_ns, to_ns, NULL, NULL);
	const struct rtcp_sender_report *before = NULL, *behind = NULL;
	double whole;

	for (unsigned i = 0; p && i < p->report_count && !behind; i++) {
		if (!p->reports[i].is_sr || p->ssrc != s->ssrc)
			continue;
		if (p->reports[i].at_ns < from_ns)
			before = &p->reports[i];
		else if (p->reports[i].at_ns > to_ns)
			behind = &p->reports[i];
	}
	if (!before || !behind || !s->ptime_ms)
		return false;
	whole = (double)ns_minus(behind->at_ns, before->at_ns) / MILLISECOND_NS / s->ptime_ms;
	return (double)(behind->packets - before->packets) >= whole - (1 - COUNTED_SHARE) * (double)lost;
}

static bool is_press(const struct facts *facts, const struct stream *s, const struct gap *g)
{
	return is_hole(g) && !is_own(facts, s, g) && g->lost_ms >= PRESS_MIN_MS && g->lost_ms <= PRESS_MAX_MS;
}

/* More numbers than packets of audio have room in that time: events had some of them. */
static bool more_than_audio(const struct stream *s, const struct gap *g)
{
	return (g->seq_step - 1.0) * s->ptime_ms * MILLISECOND_NS > MORE_NUMBERS * (double)ns_minus(g->to_ns, g->from_ns);
}

/*
 * A PBX that takes key presses of the other party for itself leaves their numbers out: holes as long as a press, one
 * soon after the other, as a code or a number is pressed, and nothing else is missing. Where the other leg is in the
 * capture, too, that has been looked at: see is_own().
 */
static bool may_be_keys(const struct facts *facts, const struct stream *s, const struct loss *l)
{
	const struct call *call = s->direction ? s->direction->slot->dialog->leg->call : NULL;
	const struct gap *first = NULL, *last = NULL;
	uint64_t in_presses = 0;
	unsigned alone = 0;
	bool follows = false;

	if (!call || call->legs.count > 1 || !say_serves(facts, &stream_origin(s)->src.addr))
		return false;
	for (unsigned i = 0; i < s->gap_count; i++) {
		const struct gap *g = &s->gaps[i];

		if (!is_press(facts, s, g))
			continue;
		if (last && ns_minus(g->from_ns, last->to_ns) <= NEXT_KEY_NS) {
			follows = true;
		} else {
			alone += last && !follows;
			follows = more_than_audio(s, g);
		}
		first = first ? first : g;
		last = g;
		in_presses += g->seq_step - 1;
	}
	return follows && !alone && l->lost > l->own_lost && in_presses >= l->lost - l->own_lost &&
	       !counted_as_sent(facts, s, first->from_ns, last->to_ns, in_presses);
}

static void tell(struct detection *d, const struct event *ev, const struct loss *l, enum severity severity)
{
	const struct facts *facts = detection_facts(d);
	const struct stream *s = ev->stream;
	enum confidence c;
	const char *reason = where_of(facts, s, l, &c);
	bool after = strcmp(reason, "after-capture") == 0, in_relay = !l->lost_behind && lost_in_relay(facts, s);
	bool presses = !after && !in_relay && strcmp(reason, "between-points") != 0 && may_be_keys(facts, s, l);
	unsigned differ = after || reported_too(l) ? 0 : quality_points_differ(s);
	unsigned even = after || reported_too(l) ? 0 : lookup_even_loss(facts->lookup);
	const struct stream *in = strcmp(reason, "before-capture") == 0 ? lost_on_way_in(facts, s) : NULL;
	struct finding *f;
	char src[SAY_TEXT], dst[SAY_TEXT], listener[SAY_TEXT], act[2 * SAY_TEXT], effect[2 * SAY_TEXT],
		lost[TEXT_COUNT], all[TEXT_COUNT];
	double percent = after ? l->reported_percent : l->percent;

	if (gates_drops_counted(facts->gates) && c == CONFIDENCE_CERTAIN)
		c = CONFIDENCE_LIKELY;
	if (even || presses || differ || (!after && maybe_capture(l)))
		c = CONFIDENCE_POSSIBLE;
	f = detection_raise(d, reason, severity, c);
	quality_parts(f, s);
	quality_listeners_behind(f, facts, s, passed_on);
	say_host(facts, &stream_origin(in ? in : s)->src.addr, src);
	say_host(facts, &s->dst.addr, dst);
	snprintf(act, sizeof act, "%s's audio arrives %.1f %% short", src, percent);
	snprintf(effect, sizeof effect, "%s %shears dropouts", quality_listener(facts, s, listener), say_claim(f));
	say_title(f, act, effect);
	if (after)
		finding_cause(f,
			"%.1f %% of the packets to %s are lost behind the capture point, as the receiver reports.",
			percent, dst);
	else if (in_relay)
		say_relay(f, facts, s, l);
	else if (in)
		say_way_in(f, facts, s, l, in);
	else
		finding_cause(f, "%.1f %% of the packets to %s are lost %s, %s; in the worst 5 s %.1f %%%s.", percent,
			dst, words_of(reason)->where, shape_of(s), l->worst_percent,
			reported_too(l) ? "; the receiver reports the same" : "");
	if (!after && maybe_capture(l))
		text_addf(&f->cause, " In most of it nothing else was captured either: the capture itself, or a link that all share here.");
	else if (differ)
		text_addf(&f->cause, " The capture at the other point lacks at least %u packets that came by here: it loses some itself, and this one may, too (mirror port, card, a capturing program that could not keep up).",
			differ);
	else if (even)
		text_addf(&f->cause, " All %u streams here lack about as many, in both directions: the capture itself may have lost them (mirror port, card, a capturing program that could not keep up).",
			even);
	if (presses) {
		text_addf(&f->cause, " Each hole is as long as a key press: %s may have left these numbers out itself.", src);
		finding_cannot_see(f, "whether the other party pressed keys that %s took for itself (transfer, parking, INFO); a capture at it decides", src);
	}
	if (in_relay)
		finding_fix(f, "Look at %s%s: load, its queues and network card, a limit of packets or bandwidth there%s.", src,
			c == CONFIDENCE_CERTAIN ? "" : " and its link",
			c == CONFIDENCE_CERTAIN ? "" : "; a capture on it tells the two apart");
	else if (!in || even)
		finding_fix(f, "%sook at the link %s: priority for voice (QoS), duplex, Wi-Fi, load, the provider.",
			even || differ ? "Capture again without losses of its own; if they stay, l" : "L",
			words_of(reason)->link);
	quality_evidence(f, s, "%s of %s packets missing here",
		l->lost > l->own_lost ? text_count(l->lost - l->own_lost, lost) : "none",
			 text_count(s->expected_within, all));
	if (l->report_last)
		finding_evidence(f, (struct frame_ref){ l->report_last->at_ns, l->report_last->frame,
			l->report_last->file, 0 },
				 "the receiver reports %.1f %% lost%s",
				 /* duplicates make it negative */
				 l->reported_percent > 0 ? l->reported_percent : 0,
				 doubled_percent(s) >= 1 ? ", less as many as came twice" : "");
}

/*
 * Its reports, over most of what was captured, speak of clearly less: by 2 points, or of a quarter and many packets;
 * over all of it, of none.
 */
static bool receiver_has_them(struct detection *d, const struct stream *s, const struct loss *l)
{
	double more = l->percent - l->reported_percent - doubled_percent(s);

	if (l->reported_percent < 0)
		return false;
	if (more > 2 && reported_there(detection_facts(d), s))
		return true;
	if (!l->reports_cover || l->reports < 3)
		return false;
	return more > 2 || l->reports_whole || (l->reported_percent < l->percent / 4 &&
		more * (double)s->expected_within >= 200 * detection_key(d, "min-lost"));
}

/* Loss that a phone without concealment would still carry well is not worth an alarm. */
static bool harmless(const struct stream *s)
{
	bool valid;

	return stream_mos_without_plc(s, 0, &valid) >= 4.0;
}

static void withhold_own(struct detection *d, const struct stream *s)
{
	detection_withhold(d, quality_leg(s), "G7", "the capture itself lost packets then, or its receiver has them");
}

static void on_event(struct detection *d, const struct event *ev)
{
	const struct stream *s = ev->stream;
	const struct facts *facts = detection_facts(d);
	struct loss l;
	bool after, bad;

	if (!quality_measurable(d, s, detection_key(d, "min-packets"), 5 * SECOND_NS))
		return;
	if (gates_link_member(facts->gates)) {
		detection_withhold(d, quality_leg(s), "G11", "the capture shows one member of a bundled link");
		return;
	}
	l = measure(d, s);
	if (gates_drops_counted(facts->gates) && l.lost) {
		detection_withhold(d, quality_leg(s), "G7", "the capture interface dropped packets");
		return;
	}
	if (lost_events(s) && l.lost - l.own_lost < detection_key(d, "min-lost")) {
		detection_pass(d, NULL, "the %llu packets that are missing were no audio", (unsigned long long)l.lost);
		return;
	}
	if (l.own_lost && (l.lost - l.own_lost) < detection_key(d, "min-lost")) {
		withhold_own(d, s);
		return;
	}
	after = l.lost_behind && l.reported_percent >= detection_key(d, "warn-percent") && l.reports >= 3;
	bad = l.percent >= detection_key(d, "warn-percent") || l.bad_intervals >= 2 || enough_bursts(d, s, &l);
	if (receiver_has_them(d, s, &l)) {
		detection_withhold(d, quality_leg(s), "G7",
			"the receiver reports %.1f %% lost, the capture lacks %.1f %%", l.reported_percent, l.percent);
		return;
	}
	if (!after && !bad && l.own_lost >= detection_key(d, "min-lost")) {
		withhold_own(d, s);
		return;
	}
	if (!after && (!bad || l.lost - l.own_lost < detection_key(d, "min-lost"))) {
		detection_pass(d, NULL, "%.2f %% lost (%llu packets)", l.percent, (unsigned long long)l.lost);
		return;
	}
	if (!after && l.percent < detection_key(d, "error-percent") && harmless(s)) {
		detection_pass(d, NULL, "%.2f %% lost, MOS stays above 4.0 without concealment", l.percent);
		return;
	}
	if (!after && s->twin_kind != TWIN_RELAY && lost_on_way_in(facts, s)) {
		detection_pass(d, NULL, "it lacks what its sender never got: told there");
		return;
	}
	tell(d, ev, &l, (after ? l.reported_percent : l.percent) >= detection_key(d,
		"error-percent") ? SEVERITY_ERROR : SEVERITY_WARNING);
}

const struct detector detect_rtp_loss = {
	.id = "rtp-loss", .doc = &doc, .keys = keys, .event = on_event, .events = EVENT_BIT(EVENT_JUDGE_STREAM),
	.scope = PER_STREAM, .usual = SEVERITY_WARNING, .possible_max = SEVERITY_WARNING,
};
