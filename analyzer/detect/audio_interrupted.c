/* SPDX-License-Identifier: MIT */
/*
 * audio-interrupted: audio stops for seconds and returns. Each hole is decomposed into lost, stalled and suppressed
 * time first.
 */
#include <stdio.h>

#include "analyzer/detect/gates.h"
#include "analyzer/detect/lookup.h"
#include "analyzer/detect/quality.h"
#include "analyzer/detect/say.h"
#include "analyzer/detect/standstill.h"
#include "analyzer/detect/turn_lapsed.h"

static const char *const reasons[] = {
	"lost-in-path", "sender-stalled", "sender-stopped", "both-directions", "nat-rebound", "handover",
	"stream-replaced",
	"never-resumed", "turn-lapsed", "unlocated", NULL,
};

static const struct detector_doc doc = {
	.says = "audio stops for seconds and returns",
	.symptom = "\"It cuts out for some seconds\", \"it went dead and then came back\".",
	.evidence = "The packets around the hole: sequence numbers that ran on (lost), time stamps that stood still (the sender stalled); until when a TURN server had lent its port.",
	.mimics = "Silence suppression, hold, fax, a re-INVITE in flight, packets lost by the capture itself.",
	.fix = "Lost: link, queue or firewall session on the path. Stalled: CPU, Wi-Fi or load of the sender.",
	.reasons = reasons,
};

static const struct config_key keys[] = {
	{ "min-ms", 1000, "ms", 200, 60000, "field: shorter holes belong to rtp-loss" },
	{ "error-ms", 3000, "ms", 500, 60000, "field" },
	{ "tail-s", 5, "s", 1, 60, "field: so long before a BYE a stop is hanging up" },
	{ 0 },
};

enum {
	COPIES_MOST = 16,            /* points that a stream passes */
	NEIGHBOURS = 256             /* streams looked at before and behind one */
};

#define ALIVE_BEFORE_NS (2 * SECOND_NS)
#define SESSION_MARGIN_NS (2 * SECOND_NS)

/* Was audio due all the time around the hole, in one window that is neither just begun nor about to be changed? */
static bool due_around(const struct direction *d, const struct gap *g)
{
	const struct window *w = direction_window_at(d, g->from_ns);

	if (!w || w->state != EXPECT_DUE || direction_window_at(d, g->to_ns) != w)
		return false;
	if (w->off_ns != NS_NONE && g->to_ns > ns_add(w->off_ns, -SESSION_MARGIN_NS) &&
	    direction_window_at(d, w->off_ns) &&
	    direction_window_at(d, w->off_ns)->state != EXPECT_ENDED)
		return false;
	return g->from_ns >= ns_add(w->on_ns, ALIVE_BEFORE_NS);
}

/* Nothing at all was captured in its file then: the capture stood still, and what other files have was not lost. */
static bool file_still(const struct capture_facts *c, const struct stream *s, const struct gap *g)
{
	return s->file < c->file_count && silence_over(&c->file_silences[s->file], g->from_ns, g->to_ns);
}

/* An earlier point that it passed: what is there and not here is what is lost. */
static bool is_copy(const struct stream *s, const struct stream *earlier)
{
	unsigned steps = 0;

	for (const struct stream *x = s->twin_of; x && steps < COPIES_MOST; x = x->twin_of, steps++) {
		if (x == earlier)
			return true;
	}
	return false;
}

/* Another stream of the direction fills the hole: music on hold, a bridge that takes over. */
static bool covered(const struct facts *facts, const struct direction *d, const struct stream *s, const struct gap *g)
{
	bool still = file_still(facts->capture, s, g);

	for (unsigned i = 0; i < d->stream_count; i++) {
		if (d->streams[i] != s && (still || !is_copy(s, d->streams[i])) && stream_packets_between(d->streams[i], g->from_ns, g->to_ns) >= 10)
			return true;
	}
	return false;
}

static bool alive_before(const struct stream *s, const struct gap *g)
{
	return stream_packets_between(s, ns_add(g->from_ns, -ALIVE_BEFORE_NS), ns_add(g->from_ns, 1)) >= 20;
}

/* The other direction lost its audio at the same moment: the path was down. The hole there, NULL none. */
static const struct gap *other_direction_too(const struct direction *d, const struct gap *g)
{
	const struct direction *back = direction_reverse(d);

	for (unsigned i = 0; i < back->stream_count; i++) {
		const struct stream *s = back->streams[i];

		for (unsigned k = 0; k < s->gap_count; k++) {
			int64_t apart = s->gaps[k].from_ns - g->from_ns;

			if (apart < 200 * MILLISECOND_NS && apart > -200 * MILLISECOND_NS &&
			    s->gaps[k].lost_ms + s->gaps[k].stalled_ms >= 1000)
				return &s->gaps[k];
		}
	}
	return NULL;
}

/* Signalling between the two had to be sent again meanwhile: the path, not the media, was down. */
static bool signalling_repeated(const struct facts *facts, const struct direction *d, const struct gap *g)
{
	struct endpoint a = party_seen_at(d, d->sender), b = party_seen_at(d, side_other(d->sender));

	return lookup_repeated(facts->lookup, &a.addr, &b.addr, g->from_ns, g->to_ns);
}

/* What the sender did not send nobody else can have. */
static bool rests_on_loss(const char *reason)
{
	return strcmp(reason, "sender-stalled") != 0 && strcmp(reason, "sender-stopped") != 0;
}

/* Nothing else was captured meanwhile either: by what the receiver reports it was a link. */
enum still { STILL_NOT, STILL_UNKNOWN, STILL_LINK };

struct verdict {
	const char *reason;          /* NULL: no interruption */
	enum severity severity;
	enum confidence confidence;
	uint32_t bad_ms;
	enum still still;
};

/*
 * Two senders that stop together and go on as if nothing had been, without a packet of anybody meanwhile and without
 * one missing: no time has passed but on the clock of the capture.
 */
static bool clock_stepped(const struct facts *facts, const struct gap *g, const struct gap *other)
{
	return g->lost_ms == 0 && other->lost_ms == 0 && g->suppressed_ms < g->stalled_ms / 10 &&
	       other->suppressed_ms < other->stalled_ms / 10 &&
	       gates_nothing_captured(facts->capture, g->from_ns, g->to_ns) &&
	       gates_nothing_captured(facts->capture, other->from_ns, other->to_ns);
}

static bool steps_with(
	const struct facts *facts, const struct stream *s, const struct gap *g, const struct stream *other)
{
	if (address_equal(&other->src.addr, &s->src.addr) || other->twin_of == s || s->twin_of == other)
		return false;
	for (unsigned i = 0; i < other->gap_count; i++) {
		int64_t apart_ns = ns_minus(other->gaps[i].from_ns, g->from_ns);

		if (apart_ns < 200 * MILLISECOND_NS && apart_ns > -200 * MILLISECOND_NS &&
		    other->gaps[i].stalled_ms >= 1000 && clock_stepped(facts, g, &other->gaps[i]))
			return true;
	}
	return false;
}

/* The same for a sender of another call or leg, among the streams that began about as early. */
static bool others_step_too(const struct facts *facts, const struct stream *s, const struct gap *g)
{
	const struct list *all = streams_in_order(facts->streams);
	const struct list_link *before = s->in_order.prev, *behind = s->in_order.next;

	for (unsigned i = 0; i < NEIGHBOURS; i++) {
		if (before != &all->head && steps_with(facts, s, g, LIST_ENTRY(before, const struct stream, in_order)))
			return true;
		if (behind != &all->head && steps_with(facts, s, g, LIST_ENTRY(behind, const struct stream, in_order)))
			return true;
		before = before != &all->head ? before->prev : before;
		behind = behind != &all->head ? behind->next : behind;
	}
	return false;
}

static struct verdict judge_gap(struct detection *d, const struct direction *dir, const struct stream *s,
	const struct gap *g)
{
	uint32_t bad_ms = g->lost_ms + g->stalled_ms;
	struct verdict v = { NULL, SEVERITY_WARNING, CONFIDENCE_LIKELY, bad_ms };
	const struct hearing *h = hearing_of(dir);
	const struct gap *other;

	if (!due_around(dir, g) || !alive_before(s, g) || covered(detection_facts(d), dir, s, g))
		return v;
	/* what is only passed on cannot go on while the other leg is held; comfort noise is silence suppression */
	if ((s->comfort || hearing_excused(detection_facts(d), (struct direction *)(uintptr_t)dir,
	    ns_add(g->from_ns, SECOND_NS))) &&
	    (g->lost_ms == 0 || g->lost_ms * 10u < bad_ms * 8u))
		return v;
	/* what a relay passes on as it comes is judged behind it alone */
	if ((s->twin_kind != TWIN_RELAY && hearing_begins_elsewhere(detection_facts(d),
	    (struct direction *)(uintptr_t)dir, g->from_ns, g->to_ns)) ||
	    hearing_listener_held(detection_facts(d), dir, g->from_ns, g->to_ns))
		return v;
	if (!g->lost_ms && hearing_collects_keys(detection_facts(d), dir, g->from_ns, g->to_ns))
		return v;
	if (bad_ms < detection_key(d, "min-ms")) {
		if (!gates_clock_unreliable(detection_facts(d)->gates) &&
		    !hearing_keys_pressed(dir, g->from_ns, g->to_ns) &&
		    !hearing_listens(detection_facts(d), (struct direction *)(uintptr_t)dir, g->from_ns) &&
		    gap_cuts_speech(s, g, direction_window_at(dir, g->from_ns)->dtx_allowed))
			v = (struct verdict){ "sender-stopped", SEVERITY_WARNING, CONFIDENCE_POSSIBLE,
				g->suppressed_ms };
		return v;
	}
	if (bad_ms >= detection_key(d, "error-ms"))
		v.severity = SEVERITY_ERROR;
	other = other_direction_too(dir, g);
	if ((other && clock_stepped(detection_facts(d), g, other)) ||
	    (!other && clock_stepped(detection_facts(d), g, g) && others_step_too(detection_facts(d), s, g))) {
		detection_pass(d, "G10", "both senders stand still at once, nothing is missing and nothing else came: the capture's clock was set");
		return v;
	}
	if (other && other->lost_ms + other->stalled_ms + (dir->sender == SIDE_CALLEE) > bad_ms)
		v.reason = NULL;                             /* told with the other direction, whose hole is longer */
	else if (other)
		v.reason = "both-directions";
	else if (g->restart || g->new_source)
		v.reason = NULL;
	else if (g->lost_ms * 10u >= bad_ms * 8u)
		v.reason = "lost-in-path";
	else if (g->stalled_ms * 10u >= bad_ms * 8u)
		v.reason = "sender-stalled";
	else
		v.reason = "unlocated";
	if (v.reason && (gates_capture_still(detection_facts(d)->gates, g->from_ns, g->to_ns) ||
	    (!other && clock_stepped(detection_facts(d), g, g)))) {
		v.still = quality_receiver_lacks(detection_facts(d), s, g) ? STILL_LINK : STILL_UNKNOWN;
		if (v.still == STILL_UNKNOWN)
			v.confidence = CONFIDENCE_POSSIBLE;
		return v;
	}
	if (v.reason && v.reason[0] == 'b' && signalling_repeated(detection_facts(d), dir, g))
		v.confidence = CONFIDENCE_CERTAIN;
	if (v.reason && h && h->delivered && v.reason[0] == 'l' &&
	    !gates_nothing_captured(detection_facts(d)->capture, g->from_ns, g->to_ns) &&
	    (h->at_receiver || s->ttl_min == s->ttl_max))
		/* the sequence numbers prove it, the capture ran, the way is one */
		v.confidence = CONFIDENCE_CERTAIN;
	return v;
}

/* What is done to the audio, and how its receiver hears it. */
static void say_what(struct finding *f, const struct facts *facts, const struct direction *d, unsigned count,
	double sum_s)
{
	const struct leg *leg = d->slot->dialog->leg;
	struct endpoint sender = party_seen_at(d, d->sender);
	char receiver[SAY_TEXT], other[SAY_TEXT], host[SAY_TEXT], act[2 * SAY_TEXT], gaps[32] = "a gap",
		effect[3 * SAY_TEXT], lasted[NS_TEXT];
	bool both = strcmp(f->reason, "both-directions") == 0;

	say_party(facts, leg, side_other(d->sender), receiver);
	say_party(facts, leg, d->sender, other);
	say_host(facts, &sender.addr, host);
	ns_words((int64_t)(sum_s * 1e9), 1, lasted);
	if (count > 1)
		snprintf(gaps, sizeof gaps, "%u gaps", count);
	if (strcmp(f->reason, "lost-in-path") == 0)
		snprintf(act, sizeof act, "The path from %s loses %s of audio", host, lasted);
	else if (strcmp(f->reason, "sender-stalled") == 0)
		snprintf(act, sizeof act, "%s stops its audio for %s", host, lasted);
	else if (strcmp(f->reason, "sender-stopped") == 0)
		snprintf(act, sizeof act, "%s goes quiet for %s", host, lasted);
	else if (both)
		snprintf(act, sizeof act, "The path fails for %s", lasted);
	else
		snprintf(act, sizeof act, "%s's audio fails for %s", host, lasted);
	if (both)
		snprintf(effect, sizeof effect, "%s and %s %shear %s", receiver, other, say_claim(f), gaps);
	else
		snprintf(effect, sizeof effect, "%s %shears %s", receiver, say_claim(f), gaps);
	say_title(f, act, effect);
}

enum { HOLES_SHOWN = 6 };

/* The holes of one stream that count: how many, the first of them, how long in all, from the first to the last. */
struct holes {
	unsigned count;
	const struct gap *shown[HOLES_SHOWN];
	double sum_s;
	uint64_t packets;            /* that the sequence numbers skip */
	int64_t from_ns, to_ns;
};

static void holes_add(struct holes *holes, const struct gap *g, uint32_t bad_ms)
{
	if (holes->count < HOLES_SHOWN)
		holes->shown[holes->count] = g;
	if (holes->count++ == 0 || g->from_ns < holes->from_ns)
		holes->from_ns = g->from_ns;
	if (holes->count == 1 || g->to_ns > holes->to_ns)
		holes->to_ns = g->to_ns;
	holes->sum_s += bad_ms / 1000.0;
	holes->packets += g->seq_step > 1 ? (uint64_t)g->seq_step - 1 : 0;
}

/* "1.9 s", "4.0 s in 3 pieces, the longest 1.9 s" */
static const char *pieces(const struct holes *holes, double worst_s, char buffer[64])
{
	if (holes->count > 1)
		snprintf(buffer, 64, "%.1f s in %u pieces, the longest %.1f s", holes->sum_s, holes->count, worst_s);
	else
		snprintf(buffer, 64, "%.1f s", worst_s);
	return buffer;
}

/* Of a hole that is the sender's, four fifths are. */
static const char *little_lost(const struct holes *holes, char buffer[64])
{
	char count[TEXT_COUNT];

	if (holes->packets == 0)
		return "nothing was lost";
	snprintf(buffer, 64, "no more than %s packet%s %s lost in it", text_count(holes->packets, count),
		holes->packets == 1 ? "" : "s", holes->packets == 1 ? "was" : "were");
	return buffer;
}

/* At an earlier point all of it came by. */
static bool passed_before(const struct stream *s, const struct holes *holes)
{
	return s->twin_of && holes->count <= HOLES_SHOWN && s->twin_of->lost_within * 2 < s->lost_within &&
	       stream_packets_between(s->twin_of, holes->shown[0]->from_ns, holes->shown[0]->to_ns) * 2 >
		       holes->shown[0]->seq_step;
}

static void say_cause(struct finding *f, const struct facts *facts, const struct direction *d, const struct stream *at,
	const struct holes *holes, uint32_t bad_ms)
{
	struct endpoint sender = party_seen_at(d, d->sender);
	char host[SAY_TEXT], s[64], count[TEXT_COUNT], lost[64];

	say_host(facts, &sender.addr, host);
	pieces(holes, bad_ms / 1000.0, s);
	if (strcmp(f->reason, "lost-in-path") == 0 && passed_before(at, holes)) {
		finding_cause(f,
			"%s packets of %s (%s) came by at the first point and not at the second: they were lost between.",
			text_count(holes->packets, count), host, s);
		finding_fix(f, "Look at what lies between the two points at that time: router, firewall session, relay, link.");
	} else if (strcmp(f->reason, "lost-in-path") == 0) {
		finding_cause(f,
			"%s packets of %s (%s) vanished before the capture point: its sequence numbers ran on.",
			      text_count(holes->packets, count), host, s);
		finding_fix(f, "Look at the link, the queue and the firewall session on the path from %s.", host);
	} else if (strcmp(f->reason, "sender-stalled") == 0) {
		bool passes_on = say_serves(facts, &sender.addr) && d->slot->dialog->leg->call->legs.count < 2;

		finding_cause(f, "%s stopped producing audio for %s: its time stamps stood still, %s%s.", host, s,
			little_lost(holes, lost), passes_on ? "; it may have had nothing to pass on" : "");
		finding_fix(f, passes_on ? "Look at CPU and load of %s, and whether audio came to it on its other leg meanwhile."
			: "Look at CPU, Wi-Fi and load of %s.", host);
		if (passes_on)
			finding_cannot_see(f, "what %s was sent on its other leg; capture there to decide", host);
	} else if (strcmp(f->reason, "sender-stopped") == 0) {
		finding_cause(f, "%s went quiet in mid-speech for %s and nothing was lost; it may have been muted.",
			host, s);
		finding_fix(f, "Look at CPU and audio bridge of %s, at unsignalled silence suppression, at a mute key.",
			host);
	} else if (strcmp(f->reason, "both-directions") == 0) {
		finding_cause(f, "Both directions broke off at the same moment: the path was down for %s.", s);
		finding_fix(f, "Look at the line or VPN between the two sides at that time.");
	} else {
		finding_cause(f, "For %s no audio of %s came; partly lost, partly not sent.", s, host);
		finding_fix(f, "Capture beside %s as well.", host);
	}
}

static void raise_gap(struct detection *d, const struct event *ev, const struct stream *s, const struct verdict *v,
	const struct holes *holes)
{
	const struct facts *facts = detection_facts(d);
	struct finding *f = detection_raise(d, v->reason, v->severity, v->confidence);
	struct endpoint sender = party_seen_at(ev->direction, ev->direction->sender);

	parts_of_direction(f, facts, ev->direction);
	if (strcmp(v->reason, "sender-stalled") == 0 || strcmp(v->reason, "sender-stopped") == 0)
		finding_part(f, PART_CULPRIT, &sender);
	if (strcmp(v->reason, "both-directions") == 0)
		finding_part(f, PART_VICTIM, &sender);
	say_what(f, facts, ev->direction, holes->count, holes->sum_s);
	finding_times(f, holes->from_ns, holes->to_ns);
	f->count = holes->count;
	say_cause(f, facts, ev->direction, s, holes, v->bad_ms);
	if (v->still)
		text_addf(&f->cause, " Nothing else was captured meanwhile: a link that all share here was down%s.",
			v->still == STILL_LINK ? "" : ", or the capture itself stood still");
	for (unsigned i = 0; i < holes->count && i < HOLES_SHOWN; i++) {
		const struct gap *g = holes->shown[i];

		finding_evidence_run(f, stream_frame(s, g->from_frame, g->from_ns), g->to_frame,
			"%.1f s without audio; %s missing in it", (double)(g->to_ns - g->from_ns) / 1e9,
			SAY_COUNTED(g->seq_step > 1 ? (uint64_t)g->seq_step - 1 : 0, "packet"));
	}
}

/* Holes that no source explains as the capture's own. */
static bool judge_stream(struct detection *d, const struct event *ev, const struct stream *s)
{
	const struct facts *facts = detection_facts(d);
	struct verdict worst = { .reason = NULL };
	struct holes holes = { .count = 0 };

	for (unsigned i = 0; i < s->gap_count; i++) {
		const struct gap *g = &s->gaps[i];
		struct verdict v = judge_gap(d, ev->direction, s, g);

		if (!v.reason)
			continue;
		if (gates_capture_lost(facts->gates, g->from_ns, g->to_ns) ||
		    quality_lost_by_point(facts->gates, s, g)) {
			detection_withhold(d, ev->leg, "G7", "the capture itself lost packets then");
			continue;
		}
		if (rests_on_loss(v.reason) && quality_receiver_has(facts, s, g)) {
			detection_withhold(d, ev->leg, "G3", "the receiver reports that it got what is missing here");
			continue;
		}
		holes_add(&holes, g, v.bad_ms);
		if (!worst.reason || v.severity > worst.severity ||
		    (v.severity == worst.severity && v.bad_ms > worst.bad_ms))
			worst = v;
	}
	if (!worst.reason)
		return false;
	raise_gap(d, ev, s, &worst, &holes);
	return true;
}

/* ---- holes between two streams ---- */

/* The stream that had been heard last when this one began; NULL: it is the first, or something went on meanwhile. */
static const struct stream *stream_before(const struct direction *d, const struct stream *s)
{
	const struct stream *before = NULL;

	for (unsigned i = 0; i < d->stream_count; i++) {
		const struct stream *x = d->streams[i];

		if (x == s || x->first_ns >= s->first_ns || x->bound_by > 9)
			continue;
		if (x->last_ns >= s->first_ns)
			return NULL;
		if (!before || x->last_ns > before->last_ns)
			before = x;
	}
	return before;
}

static const char *successor_reason(struct detection *d, const struct direction *dir, const struct stream *before,
	const struct stream *s)
{
	int64_t hole_ns = s->first_ns - before->last_ns;

	if (s->ssrc == before->ssrc) {
		if (!address_equal(&s->src.addr, &before->src.addr))
			return "handover";
		return s->src.port != before->src.port ? "nat-rebound" : NULL;
	}
	/* another source: what had been a talk, not an automaton between two prompts nor somebody who pauses */
	if (hole_ns <= 3 * SECOND_NS || before->dtx_seen ||
	    hearing_listener_held(detection_facts(d), dir, before->last_ns, s->first_ns) ||
	    hearing_listens(detection_facts(d), (struct direction *)(uintptr_t)dir, before->last_ns))
		return NULL;
	return address_equal(&s->src.addr, &before->src.addr) ? "stream-replaced" : NULL;
}

static void say_successor(struct finding *f, const struct facts *facts, const struct stream *before,
	const struct stream *s, double hole_s)
{
	char host[SAY_TEXT], src[ENDPOINT_TEXT];

	say_host(facts, &before->src.addr, host);
	endpoint_text(&s->src, src);
	if (strcmp(f->reason, "stream-replaced") == 0) {
		finding_cause(f, "%s went over to another audio source and sent nothing for %.1f s in between.", host,
			hole_s);
		finding_fix(f, "Look at bridge or transfer on %s: the new source begins too late.", host);
	} else if (strcmp(f->reason, "handover") == 0) {
		finding_cause(f,
			"The audio of %s stopped and came back %.1f s later from %s: the device changed its network.",
			host, hole_s, src);
		finding_fix(f, "Let the device announce its new address (ICE, re-INVITE), or keep it on one network during calls.");
	} else {
		finding_cause(f, "The audio of %s stopped and came back %.1f s later from port %u: a NAT had forgotten its mapping.", host, hole_s, s->src.port);
		finding_fix(f,
			"Send keepalives also while nobody speaks, or raise the UDP timeout of the NAT in front of %s.",
			host);
	}
}

static bool judge_successor(struct detection *d, const struct event *ev, const struct stream *s)
{
	const struct facts *facts = detection_facts(d);
	const struct stream *before = stream_before(ev->direction, s);
	const char *reason = before ? successor_reason(d, ev->direction, before, s) : NULL;
	struct gap g = { .from_ns = before ? before->last_ns : 0, .to_ns = s->first_ns };
	double hole_s = (double)(g.to_ns - g.from_ns) / 1e9;
	char receiver[SAY_TEXT], lasted[NS_TEXT];
	struct finding *f;

	if (!reason || hole_s * 1000 < detection_key(d, "min-ms") || !due_around(ev->direction, &g) ||
	    !alive_before(before, &g) ||
	    hearing_excused(facts, ev->direction, ns_add(g.from_ns, SECOND_NS)) ||
	    hearing_begins_elsewhere(facts, ev->direction, g.from_ns, g.to_ns))
		return false;
	if (gates_may_hide(facts->gates, g.from_ns, g.to_ns)) {
		detection_withhold(d, ev->leg, "G7", "the capture itself lost packets then, or stood still");
		return false;
	}
	f = detection_raise(d, reason, hole_s * 1000 >= detection_key(d,
		"error-ms") ? SEVERITY_ERROR : SEVERITY_WARNING, CONFIDENCE_LIKELY);
	parts_of_direction(f, facts, ev->direction);
	finding_part(f, PART_CULPRIT, &before->src);
	finding_times(f, g.from_ns, g.to_ns);
	say_party(facts, ev->leg, side_other(ev->direction->sender), receiver);
	finding_title(f, "%s hears nothing for %s in mid-call", receiver, ns_words(ns_minus(g.to_ns, g.from_ns), 1, lasted));
	say_successor(f, facts, before, s, hole_s);
	finding_evidence(f, stream_frame(before, before->last_frame, before->last_ns), "last packet before the hole");
	finding_evidence(f, stream_frame(s, s->first_frame, s->first_ns), "audio again after %.1f s", hole_s);
	return true;
}

/* ---- holes that nothing closes ---- */

enum { MISSING_LEAST = 25 };

static const struct stream *last_stream(const struct direction *d)
{
	const struct stream *last = NULL;

	for (unsigned i = 0; i < d->stream_count; i++) {
		if (d->streams[i]->bound_by <= 9 && (!last || d->streams[i]->last_ns > last->last_ns))
			last = d->streams[i];
	}
	return last;
}

/* Cut off in mid-speech: what was sent last was speech. */
static bool ends_in_speech(const struct stream *s)
{
	struct stream_sound heard = stream_sound(s);

	return heard.speech && s->last_ns - heard.speech_last_ns <= 200 * MILLISECOND_NS && !s->dtx_seen && !s->comfort;
}

/*
 * Its reports count on behind the last packet that came: by at least half of what it would have sent since, more than
 * came between the two.
 */
static bool sends_on(const struct hearing *h, const struct stream *s, int64_t end_ns)
{
	const struct rtcp_party *p = h->sender_rtcp;
	const struct rtcp_sender_report *before = NULL, *after = NULL;
	double missing, due;

	for (unsigned i = 0; p && p->ssrc == s->ssrc && i < p->report_count; i++) {
		const struct rtcp_sender_report *r = &p->reports[i];

		if (!r->is_sr || r->at_ns > end_ns)
			continue;
		if (r->at_ns <= s->last_ns)
			before = r;
		else
			after = r;
	}
	if (!before || !after || after->packets < before->packets)
		return false;
	missing = after->packets - before->packets - stream_packets_between(s, before->at_ns, after->at_ns);
	due = (double)(after->at_ns - s->last_ns) / ((s->ptime_ms ? s->ptime_ms : 20) * 1e6);
	return missing >= MISSING_LEAST && missing >= due / 2;
}

static void say_end(struct finding *f, const char *host, bool lost, bool serves)
{
	if (lost) {
		finding_cause(f, "%s sends on, as its reports say, and nothing more arrives.", host);
		finding_fix(f, "Look at the path from %s: link, firewall session.", host);
	} else if (serves) {
		finding_cause(f, "%s stopped in mid-speech and sent nothing more; it may have had nothing to pass on.",
			host);
		finding_fix(f, "Look at what %s does at that moment: bridge, transfer, the leg behind it.", host);
	} else {
		finding_cause(f, "%s stopped in mid-speech and sent nothing more; it may have been muted.", host);
		finding_fix(f, "Look at %s: mute key, sound device, network interface.", host);
	}
}

/* Silence from some second to the end, too short to be one-way audio, too long for hanging up. */
static bool judge_end(struct detection *d, const struct event *ev, const struct hearing *h)
{
	const struct facts *facts = detection_facts(d);
	const struct stream *s = last_stream(ev->direction);
	const struct window *w = s ? direction_window_at(ev->direction, s->last_ns) : NULL;
	int64_t end_ns = w ? window_end(w, facts->capture->last_ns) : 0;
	bool on = s && sends_on(h, s, end_ns), lost = on && h->at_receiver;
	struct finding *f;
	char host[SAY_TEXT], receiver[SAY_TEXT], lasted[NS_TEXT];

	if (!w || w->state != EXPECT_DUE || h->heard == HEARD_NO ||
	    (double)(end_ns - s->last_ns) < detection_key(d, "tail-s") * 1e9 ||
	    s->last_ns < ns_add(w->on_ns, ALIVE_BEFORE_NS) || w->dtx_allowed || h->icmp_count ||
	    (h->row && (strcmp(h->row, "G6") == 0 ||    /* both have hung up */
	    strcmp(h->row, "N9") == 0)))                /* it begins on another leg */
		return false;
	if (!lost && on) {
		detection_withhold(d, ev->leg, "G3", "its sender goes on, as its reports say: perhaps by another way");
		return false;
	}
	if (!lost && (!ends_in_speech(s) || !(h->near_sender || h->near_receiver) ||
	    hearing_listens(facts, ev->direction, s->last_ns) ||
	    hearing_collects_keys(facts, ev->direction, s->last_ns, end_ns)))
		return false;
	/* it has nothing to pass on: told where that begins */
	if (!lost && hearing_begins_elsewhere(facts, (struct direction *)(uintptr_t)ev->direction, s->last_ns, end_ns))
		return false;
	if (hearing_excused(facts, ev->direction, ns_add(s->last_ns, SECOND_NS)) ||
	    hearing_listener_held(facts, ev->direction, s->last_ns, end_ns) ||
	    gates_may_hide(facts->gates, s->last_ns, end_ns))
		return false;
	f = detection_raise(d, "never-resumed", SEVERITY_WARNING, lost ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE);
	parts_of_direction(f, facts, ev->direction);
	finding_part(f, PART_CULPRIT, &stream_origin(s)->src);
	finding_times(f, s->last_ns, end_ns);
	f->since_ns = s->last_ns;
	say_host(facts, &stream_origin(s)->src.addr, host);
	say_party(facts, ev->leg, side_other(ev->direction->sender), receiver);
	finding_title(f, "%s %shears nothing more of %s in the last %s", receiver, say_claim(f), host,
		ns_words(ns_minus(end_ns, s->last_ns), 0, lasted));
	say_end(f, host, lost, say_serves(facts, &s->src.addr));
	finding_evidence(f, stream_frame(s, s->last_frame, s->last_ns), "last packet, %.1f s before the end",
		(double)(end_ns - s->last_ns) / 1e9);
	return true;
}

static void on_event(struct detection *d, const struct event *ev)
{
	const struct hearing *h = hearing_of(ev->direction);

	if (!h || !h->window) {
		detection_pass(d, NULL, "nothing was due");
		return;
	}
	if (detection_facts(d)->capture->timestamp_grain_ns >= 100 * MILLISECOND_NS) {
		detection_withhold(d, ev->leg, "G10", "the capture's times are too coarse");
		return;
	}
	for (unsigned i = 0; i < ev->direction->stream_count; i++) {
		const struct stream *s = ev->direction->streams[i];

		if (s->bound_by <= 9 && !s->twin_next && judge_stream(d, ev, s))
			return;
		if (s->bound_by <= 9 && !s->twin_of && judge_successor(d, ev, s))
			return;
	}
	if (turn_lapsed(d, ev) || judge_end(d, ev, h))
		return;
	detection_pass(d, NULL, "no hole of %.0f ms of lost or stalled audio while it was due",
		detection_key(d, "min-ms"));
}

const struct detector detect_audio_interrupted = {
	.id = "audio-interrupted", .doc = &doc, .keys = keys, .event = on_event,
	.events = EVENT_BIT(EVENT_JUDGE_DIRECTION),
	.scope = PER_DIRECTION, .usual = SEVERITY_WARNING, .possible_max = SEVERITY_WARNING,
};
