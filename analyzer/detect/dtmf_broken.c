/* SPDX-License-Identifier: MIT */
/*
 * dtmf-broken: key presses that the other side cannot take, or takes twice. RFC 4733, RFC 6086. Which keys they were is
 * never said.
 */
#include "analyzer/detect/dtmf_broken.h"

#include "analyzer/media/digits.h"

static const char *const reasons[] = {
	"not-negotiated", "pt-number-mismatch", "split-event", "timestamp-runs", "no-end", "too-short",
	"duration-invalid", "events-lost", "double-path",
	"info-refused", "relay-dropped", "codec-inband-only", "clock-mismatch", "clock-miscounted", NULL,
};

static const struct detector_doc doc = {
	.says = "key presses cannot arrive",
	.symptom = "\"The menu does not take my digits\", or takes them twice.",
	.evidence = "telephone-event in offer and answer, the event packets (told apart by their RTP time), INFO requests with keys and their answers.",
	.mimics = "Three packets with the end bit, a missing marker, a long press, a call that is hung up within a press, a PBX that keeps feature codes.",
	.fix = "One method from end to end: RFC 4733 with one payload type number on all legs, 100 ms a press; no INFO or in-band tones beside it.",
	.reasons = reasons,
};

static const struct config_key keys[] = {
	{ "min-ms", 40, "ms", 10, 500, "ITU-T Q.24: shorter tones need not be recognised" },
	{ 0 },
};

enum { SEGMENT_DURATION = 0xff00 /* RFC 4733 2.5.1.3: a long press goes on under a new time */,
	RUN_LEAST = 3, END_PACKETS = 3 /* RFC 4733 2.5.1.4 */ };

#define SETTLE_NS (500 * MILLISECOND_NS)
#define SPLIT_NS (40 * MILLISECOND_NS)
#define RUN_NS (60 * MILLISECOND_NS)
#define END_NS (500 * MILLISECOND_NS)
#define RELAY_NS SECOND_NS
#define FEATURE_NS (10 * SECOND_NS)           /* a prompt may come between a feature code and its number */
#define DOUBLE_NS (300 * MILLISECOND_NS)

/* ---- what was agreed ---- */

static bool is_event(const struct sdp_format *f)
{
	return span_equal_nocase(f->codec, SPAN("telephone-event"));
}

const struct sdp_format *dtmf_event_format(const struct sdp_media *m)
{
	for (unsigned i = 0; m && i < m->format_count; i++) {
		if (is_event(&m->formats[i]))
			return &m->formats[i];
	}
	return NULL;
}

static bool takes_type(const struct sdp_media *m, uint8_t pt)
{
	const struct sdp_format *f = sdp_format_find(m, pt);

	return f && is_event(f);
}

/* In the receiver's description wherever on its way it was seen: a device may have changed the number. */
static bool any_copy_takes(const struct direction *dir, const struct window *w, uint8_t pt)
{
	const struct sdp_copies *c = w->exchange->offerer == dir->sender ? &w->exchange->answer : &w->exchange->offer;

	for (unsigned i = 0; i < c->count; i++) {
		const struct sdp *sdp = c->seen[i]->sdp;

		if (sdp && dir->slot->mline < sdp->media_count && takes_type(&sdp->media[dir->slot->mline], pt))
			return true;
	}
	return takes_type(w->receiver, pt);
}

/* Clock of the events in Hz: as agreed for their number, else that of the voice. */
static double clock_of(const struct window *w, const struct stream *s, uint8_t pt)
{
	bool receivers;
	const struct sdp_format *f = w ? window_format(w, pt, &receivers) : NULL;

	return f && f->clock_hz ? f->clock_hz : s->clock_hz ? s->clock_hz : 8000;
}

_Static_assert(sizeof reasons / sizeof reasons[0] == DTMF_REASONS + 1, "a name for each reason");

/* ---- one press ---- */

static const struct { enum severity severity; enum confidence confidence; unsigned least; } weights[DTMF_REASONS] = {
	[NOT_NEGOTIATED] = { SEVERITY_ERROR, CONFIDENCE_LIKELY, 1 },
	[PT_NUMBER_MISMATCH] = { SEVERITY_ERROR, CONFIDENCE_LIKELY, 1 },
	[SPLIT_EVENT] = { SEVERITY_ERROR, CONFIDENCE_LIKELY, 1 },
	[TIMESTAMP_RUNS] = { SEVERITY_ERROR, CONFIDENCE_CERTAIN, 1 },
	[NO_END] = { SEVERITY_WARNING, CONFIDENCE_LIKELY, 1 },
	[TOO_SHORT] = { SEVERITY_WARNING, CONFIDENCE_LIKELY, 2 },
	[DURATION_INVALID] = { SEVERITY_WARNING, CONFIDENCE_POSSIBLE, 2 },
	[EVENTS_LOST] = { SEVERITY_ERROR, CONFIDENCE_CERTAIN, 1 },
	[DOUBLE_PATH] = { SEVERITY_ERROR, CONFIDENCE_LIKELY, 2 },
	[INFO_REFUSED] = { SEVERITY_ERROR, CONFIDENCE_CERTAIN, 1 },
	[RELAY_DROPPED] = { SEVERITY_ERROR, CONFIDENCE_LIKELY, 3 },
	[CODEC_INBAND_ONLY] = { SEVERITY_INFO, CONFIDENCE_LIKELY, 1 },
	[CLOCK_MISMATCH] = { SEVERITY_INFO, CONFIDENCE_LIKELY, 1 },
	[CLOCK_MISCOUNTED] = { SEVERITY_WARNING, CONFIDENCE_LIKELY, 2 },
};

static void fault_add(struct key_presses *p, unsigned reason, struct frame_ref at, uint32_t last_frame, int64_t last_ns,
	const struct endpoint *culprit, const char *what)
{
	struct key_fault *f = &p->faults[reason];

	if (f->count++ == 0) {
		f->first = at;
		f->first_ns = at.at_ns;
		f->culprit = *culprit;
		f->what = what;
	}
	f->last_frame = last_frame;
	f->last_ns = last_ns;
}

static void digit_fault(struct key_presses *p, unsigned reason, const struct stream *s, const struct digit *x,
	const struct window *w, const char *what)
{
	fault_add(p, reason, stream_frame(s, x->first_frame, x->first_ns), x->last_frame, x->last_ns, &s->src, what);
	if (!p->window)
		p->window = w;
}

/* A press like no chance makes it: several packets, or an end. */
static bool is_press(const struct digit *x)
{
	return x->packets >= 2 || x->ended;
}

static void judge_type(struct key_presses *p, const struct direction *dir, const struct window *w, const struct stream *s,
	const struct digit *x)
{
	if (!w || w->state != EXPECT_DUE || !w->exchange || dir->slot->dialog->leg->cut || !w->receiver || !w->sender ||
	    !w->receiver->format_count || x->first_ns < w->on_ns + SETTLE_NS || !is_press(x))
		return;
	if (any_copy_takes(dir, w, x->pt))
		return;
	if (!dtmf_event_format(w->receiver)) {
		digit_fault(p, NOT_NEGOTIATED, s, x, w,
			"key press as telephone-event, which the receiver's list does not have");
		return;
	}
	if (!p->faults[PT_NUMBER_MISMATCH].count) {
		p->pt_sent = x->pt;
		p->pt_given = dtmf_event_format(w->receiver)->pt;
	}
	digit_fault(p, PT_NUMBER_MISMATCH, s, x, w,
		"key press under another payload type number than the receiver gave");
}

/* Pieces of one press: the next one begins at once, under a new time, and this one has no end. */
static bool goes_on(const struct digit *x, const struct digit *next)
{
	return next->code == x->code && !x->ended && x->duration < SEGMENT_DURATION;
}

/*
 * The end of a press once more, under a new time: it comes at once, ended and as long as the whole press, of which this
 * sender had told step by step.
 */
static bool ends_anew(const struct digit *x, const struct digit *next)
{
	return next->code == x->code && x->ended && next->ended && x->packets > END_PACKETS &&
	       next->packets < END_PACKETS && next->duration >= x->duration && x->duration &&
	       next->first_seq == (uint16_t)(x->last_seq + 1);
}

/* How many pieces follow that are no presses, but ends of this one. */
static unsigned ends_after(const struct digits *d, unsigned at)
{
	unsigned n = 0;

	while (at + n + 1 < d->count && n + 1 < END_PACKETS &&
	       d->list[at + n + 1].first_ns - d->list[at + n].last_ns <= SPLIT_NS &&
	       d->list[at + n + 1].first_seq == (uint16_t)(d->list[at + n].last_seq + 1) &&
	       (n ? d->list[at + n + 1].code == d->list[at].code && d->list[at + n + 1].ended &&
		d->list[at + n + 1].packets == 1 && d->list[at + n + 1].duration >= d->list[at].duration
		  : ends_anew(&d->list[at], &d->list[at + 1])))
		n++;
	return n;
}

/* Every packet has a time of its own: how many of them in a row from here on. */
static unsigned run_length(const struct digits *d, unsigned at)
{
	unsigned n = 1;

	while (at + n < d->count && d->list[at + n].code == d->list[at].code && d->list[at + n].packets == 1 &&
	    d->list[at].packets == 1 &&
	       d->list[at + n].first_ns - d->list[at + n - 1].last_ns <= RUN_NS && !d->list[at + n - 1].ended)
		n++;
	return n;
}

static void judge_end(struct key_presses *p, const struct stream *s, const struct digit *x, const struct window *w,
	int64_t end_ns)
{
	if (x->ended || x->packets < 2 || !x->followed || x->duration >= SEGMENT_DURATION)
		return;
	if (s->last_ns - x->last_ns >= END_NS && (end_ns == NS_NONE || end_ns - x->last_ns >= END_NS))
		digit_fault(p, NO_END, s, x, w, "key press without end bit; the packet behind it is here");
}

/* As long as a press is in the clock of the voice, far too short in the clock that was agreed for its number. */
static void judge_miscounted(struct key_presses *p, const struct stream *s, const struct digit *x, const struct window *w)
{
	if (!p->faults[CLOCK_MISCOUNTED].count) {
		p->pt_clock = x->pt;
		p->clock_hz = (unsigned)clock_of(w, s, x->pt);
	}
	digit_fault(p, CLOCK_MISCOUNTED, s, x, w, "key press counted in the clock of the voice");
}

static void judge_length(const struct detection *d, struct key_presses *p, const struct stream *s, const struct digit *x,
	const struct window *w)
{
	double ms = x->duration * 1000.0 / clock_of(w, s, x->pt);

	if (x->packets >= 2 && (x->shrank || (x->ended && x->duration == 0)))
		digit_fault(p, DURATION_INVALID, s, x, w,
			x->shrank ? "key press whose duration falls" : "key press of duration 0");
	else if (x->ended && x->duration && ms < detection_key(d, "min-ms") && s->clock_hz && !s->clock_estimated &&
	    x->duration * 1000.0 / s->clock_hz >= detection_key(d, "min-ms"))
		judge_miscounted(p, s, x, w);
	else if (x->ended && x->duration && ms < detection_key(d, "min-ms"))
		digit_fault(p, TOO_SHORT, s, x, w, "key press that is too short");
}

static const struct digit *digit_of(const struct digits *d, uint32_t rtp_ts)
{
	for (unsigned i = 0; d && i < d->count; i++) {
		if (d->list[i].rtp_ts == rtp_ts)
			return &d->list[i];
	}
	return NULL;
}

/* Seen at an earlier point and not at the later one, which was listening before and after. */
static void judge_lost(struct key_presses *p, const struct stream *s, const struct digit *x, const struct window *w)
{
	const struct stream *later = s->twin_next;

	if (!later || later->twin_kind == TWIN_NONE || (later->digits && later->digits->dropped) ||
	    later->first_ns > x->first_ns - END_NS ||
	    later->last_ns < x->last_ns + END_NS || digit_of(later->digits, x->rtp_ts))
		return;
	if (later->lost_within > s->lost_within)
		digit_fault(p, EVENTS_LOST, s, x, w, "key press that does not come out at the next point");
}

static void judge_clock(struct key_presses *p, const struct stream *s, const struct digit *x, const struct window *w)
{
	bool receivers;
	const struct sdp_format *f = w ? window_format(w, x->pt, &receivers) : NULL;

	if (f && is_event(f) && f->clock_hz && s->clock_hz && !s->clock_estimated && f->clock_hz != s->clock_hz)
		digit_fault(p, CLOCK_MISMATCH, s, x, w, "key press with another clock than the voice around it");
}

static void judge_stream(const struct detection *d, const struct direction *dir, const struct stream *s,
	struct key_presses *p)
{
	const struct digits *all = s->digits;
	int64_t end_ns = dir->slot->dialog->ended_ns;

	for (unsigned i = 0; i < all->count;) {
		const struct digit *x = &all->list[i], *next = i + 1 < all->count ? x + 1 : NULL;
		const struct window *w = direction_window_at(dir, x->first_ns);
		unsigned run = run_length(all, i), ends = ends_after(all, i);

		p->total++;
		judge_type(p, dir, w, s, x);
		judge_clock(p, s, x, w);
		judge_lost(p, s, x, w);
		if (run >= RUN_LEAST) {
			digit_fault(p, TIMESTAMP_RUNS, s, x, w, "every packet of a key press has a new time");
			i += run;
			continue;
		}
		if (ends || (next && goes_on(x, next) && next->first_ns - x->last_ns <= SPLIT_NS && x->packets >= 2))
			digit_fault(p, SPLIT_EVENT, s, x, w, "key press whose time changes within it");
		else
			judge_end(p, s, x, w, end_ns);
		judge_length(d, p, s, x, w);
		i += 1 + ends;
	}
}

/* ---- INFO ---- */

static bool same_key_near(const struct direction *dir, const struct message *m)
{
	for (unsigned i = 0; i < dir->stream_count; i++) {
		const struct digits *all = dir->streams[i]->digits;

		for (unsigned k = 0; all && k < all->count; k++) {
			int64_t apart_ns = ns_minus(all->list[k].first_ns, m->at.at_ns);

			if (all->list[k].code + 1 == m->key_press && apart_ns <= DOUBLE_NS && -apart_ns <= DOUBLE_NS)
				return true;
		}
	}
	return false;
}

static bool is_no(unsigned status)
{
	return status >= 400 && status != 401 && status != 407 && status != 481 && status != 491;
}

static void judge_info(const struct direction *dir, struct key_presses *p)
{
	const struct leg *leg = dir->slot->dialog->leg;

	LIST_EACH(it, &leg->transactions) {
		const struct transaction *t = LIST_ENTRY(it, struct transaction, in_leg);
		const struct message *m = t->request;

		if (t->method != SIP_INFO || !m || !m->key_press || m->by != dir->sender)
			continue;
		if (t->final && is_no(t->final->status))
			fault_add(p, INFO_REFUSED, t->final->at, 0, t->final->at.at_ns, &t->final->src,
				"the answer to an INFO with a key press");
		else if (same_key_near(dir, m))
			fault_add(p, DOUBLE_PATH, m->at, 0, m->at.at_ns, &m->src,
				"INFO with the key that also comes as telephone-event");
	}
}

/* ---- relayed? ---- */

static bool presses_between(const struct direction *dir, int64_t from_ns, int64_t to_ns)
{
	for (unsigned i = 0; i < dir->stream_count; i++) {
		const struct digits *all = dir->streams[i]->digits;

		for (unsigned k = 0; all && k < all->count; k++) {
			if (all->list[k].last_ns >= from_ns && all->list[k].first_ns <= to_ns)
				return true;
		}
	}
	return false;
}

static bool info_between(const struct leg *leg, int64_t from_ns, int64_t to_ns)
{
	LIST_EACH(it, &leg->transactions) {
		const struct transaction *t = LIST_ENTRY(it, struct transaction, in_leg);

		if (t->method == SIP_INFO && t->first_ns >= from_ns && t->first_ns <= to_ns)
			return true;
	}
	return false;
}

/* Voice of the direction that is there while the key is pressed, so that events would be seen, too. */
static bool speaks_at(const struct direction *dir, int64_t at_ns)
{
	for (unsigned i = 0; i < dir->stream_count; i++) {
		if (stream_packets_between(dir->streams[i], at_ns - RELAY_NS, at_ns + RELAY_NS) > 0)
			return true;
	}
	return false;
}

/* The direction of the next leg that takes over what comes in on this one; NULL: none, or several. */
static const struct direction *onward(const struct direction *dir)
{
	const struct leg *own = dir->slot->dialog->leg;
	const struct direction *found = NULL;

	LIST_EACH(it, &own->call->legs) {
		const struct leg *other = LIST_ENTRY(it, struct leg, in_call);

		/* who gets it is what joins the legs: of what that one sends itself nothing goes on */
		if (other == own || !other->confirmed ||
		    (dir->sender == SIDE_CALLER ? other->parent != own : own->parent != other))
			continue;
		for (unsigned i = 0; i < other->confirmed->mslot_count; i++) {
			if (other->confirmed->mslots[i].kind != SDP_AUDIO)
				continue;
			if (found)
				return NULL;
			found = &other->confirmed->mslots[i].direction[dir->sender];
		}
	}
	return found;
}

static bool dropped_at(const struct direction *on, const struct digit *x)
{
	const struct window *w = direction_window_at(on, x->first_ns);

	return x->code <= 9 && w && w->state == EXPECT_DUE && w->receiver && dtmf_event_format(w->receiver) && !w->secure &&
	       speaks_at(on, x->first_ns) &&
	       !presses_between(on, x->first_ns - DOUBLE_NS, x->last_ns + RELAY_NS) &&
	       !info_between(on->slot->dialog->leg, x->first_ns, x->last_ns + RELAY_NS);
}

/*
 * A star or a hash that stays in the PBX begins a feature code (transfer, parking): the digits that follow it are for
 * the PBX as well.
 */
static bool feature_code(const struct direction *on, const struct digits *all, unsigned i, bool before)
{
	const struct digit *x = &all->list[i];

	if (x->code == 10 || x->code == 11)
		return !presses_between(on, x->first_ns - DOUBLE_NS, x->last_ns + RELAY_NS);
	return before && i && ns_minus(x->first_ns, all->list[i - 1].last_ns) <= FEATURE_NS;
}

static void judge_relay(const struct direction *dir, const struct stream *s, struct key_presses *p)
{
	const struct direction *on = onward(dir);
	unsigned row = 0;
	bool feature = false;

	for (unsigned i = 0; on && i < s->digits->count; i++) {
		feature = feature_code(on, s->digits, i, feature);
		row = !feature && dropped_at(on, &s->digits->list[i]) ? row + 1 : 0;
		if (row < weights[RELAY_DROPPED].least)
			continue;
		for (unsigned k = row == weights[RELAY_DROPPED].least ? i + 1 - row : i; k <= i; k++) {
			digit_fault(p, RELAY_DROPPED, s, &s->digits->list[k], NULL,
				"key press that goes in and does not come out on the other leg");
			p->faults[RELAY_DROPPED].culprit = s->dst;
		}
	}
}

/* ---- the direction ---- */

static bool sends_info(const struct leg *leg)
{
	LIST_EACH(it, &leg->transactions) {
		if (LIST_ENTRY(it, struct transaction, in_leg)->method == SIP_INFO)
			return true;
	}
	return false;
}

static void gather(const struct detection *d, const struct direction *dir, struct key_presses *p)
{
	*p = (struct key_presses){ .total = 0 };
	for (unsigned i = 0; i < dir->stream_count; i++) {
		const struct stream *s = dir->streams[i];
		const struct window *w = direction_window_at(dir, s->first_ns);

		if (!s->digits || s->direction != dir || s->bound_by > BOUND_STRONG || s->twin_of)
			continue;
		if ((w && w->secure) || s->digits->hidden) {
			p->secure = true;
			continue;
		}
		judge_stream(d, dir, s, p);
		judge_relay(dir, s, p);
	}
	judge_info(dir, p);
}

/* No events agreed, and a codec through which tones do not pass whole. */
static bool inband_only(const struct direction *dir)
{
	const struct window *w = direction_first_due(dir);

	if (!w || !w->receiver || !w->sender || !w->receiver->format_count || dtmf_event_format(w->receiver) ||
	    dtmf_event_format(w->sender))
		return false;
	for (unsigned i = 0; i < w->receiver->format_count; i++) {
		static const char *const whole[] = { "PCMU", "PCMA", "L16", "G722", "CLEARMODE" };

		for (size_t k = 0; k < sizeof whole / sizeof whole[0]; k++) {
			if (span_equal_nocase(w->receiver->formats[i].codec, span_of(whole[k])) ||
			    !w->receiver->formats[i].codec.n)
				return false;
		}
	}
	return dir->stream_count > 0;
}

static void tell(struct detection *d, const struct event *ev, const struct key_presses *p, enum dtmf_reason reason)
{
	const struct key_fault *fault = &p->faults[reason];
	struct finding *f = detection_raise(d, reasons[reason], weights[reason].severity, weights[reason].confidence);

	parts_of_direction(f, detection_facts(d), ev->direction);
	if (fault->count) {
		finding_part(f, PART_CULPRIT, &fault->culprit);
		finding_times(f, fault->first_ns, fault->last_ns);
	}
	for (unsigned i = 0; i < DTMF_REASONS; i++) {
		if (i != reason && p->faults[i].count >= weights[i].least)
			finding_other_reason(f, reasons[i]);
	}
	dtmf_broken_say(f, detection_facts(d), ev, p, reason);
}

static void on_event(struct detection *d, const struct event *ev)
{
	unsigned best = DTMF_REASONS;
	struct key_presses p;

	if (!ev->direction->stream_count && !sends_info(ev->direction->slot->dialog->leg)) {
		detection_pass(d, NULL, "0 key presses, nothing wrong with them");
		return;
	}
	gather(d, ev->direction, &p);
	for (unsigned i = 0; i < DTMF_REASONS; i++) {
		if (p.faults[i].count >= weights[i].least &&
		    (best == DTMF_REASONS || weights[i].severity > weights[best].severity))
			best = i;
	}
	if (best < DTMF_REASONS)
		tell(d, ev, &p, best);
	else if (inband_only(ev->direction))
		tell(d, ev, &p, CODEC_INBAND_ONLY);
	else if (p.secure)
		detection_pass(d, "G5", "key presses are encrypted, or cut by the capture");
	else
		detection_pass(d, NULL, "%u key presses, nothing wrong with them", p.total);
}

const struct detector detect_dtmf_broken = {
	.id = "dtmf-broken", .doc = &doc, .keys = keys, .event = on_event, .events = EVENT_BIT(EVENT_JUDGE_DIRECTION),
	.scope = PER_DIRECTION, .usual = SEVERITY_ERROR, .possible_max = SEVERITY_WARNING,
};
