/* SPDX-License-Identifier: MIT */
/*
 * dtmf-broken: key presses that the other side cannot take, or takes twice. RFC 4733, RFC 6086. Which keys they were is
 * never said.
 */
#include <stdio.h>

#include "analyzer/detect/say.h"
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

static const struct sdp_format *event_format(const struct sdp_media *m)
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

/* ---- one press ---- */

enum { REASON_COUNT = sizeof reasons / sizeof reasons[0] - 1 };
enum {
	NOT_NEGOTIATED, PT_NUMBER_MISMATCH, SPLIT_EVENT, TIMESTAMP_RUNS, NO_END, TOO_SHORT, DURATION_INVALID,
		EVENTS_LOST, DOUBLE_PATH, INFO_REFUSED,
	RELAY_DROPPED, CODEC_INBAND_ONLY, CLOCK_MISMATCH, CLOCK_MISCOUNTED
};

static const struct { enum severity severity; enum confidence confidence; unsigned least; } weights[REASON_COUNT] = {
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

struct fault {
	unsigned count;
	struct frame_ref first;
	uint32_t last_frame;
	int64_t first_ns, last_ns;
	struct endpoint culprit;
	const char *what;            /* of the evidence */
};

struct presses {
	struct fault faults[REASON_COUNT];
	unsigned total;              /* presses of the direction */
	bool secure;                 /* some could not be read */
	const struct window *window; /* of the first fault */
	uint8_t pt_sent, pt_given;   /* of the first with another number */
	uint8_t pt_clock;            /* of the first that is miscounted, and its clock as agreed */
	unsigned clock_hz;
};

static void fault_add(struct presses *p, unsigned reason, struct frame_ref at, uint32_t last_frame, int64_t last_ns,
	const struct endpoint *culprit, const char *what)
{
	struct fault *f = &p->faults[reason];

	if (f->count++ == 0) {
		f->first = at;
		f->first_ns = at.at_ns;
		f->culprit = *culprit;
		f->what = what;
	}
	f->last_frame = last_frame;
	f->last_ns = last_ns;
}

static void digit_fault(struct presses *p, unsigned reason, const struct stream *s, const struct digit *x,
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

static void judge_type(struct presses *p, const struct direction *dir, const struct window *w, const struct stream *s,
	const struct digit *x)
{
	if (!w || w->state != EXPECT_DUE || !w->exchange || dir->slot->dialog->leg->cut || !w->receiver || !w->sender ||
	    !w->receiver->format_count || x->first_ns < w->on_ns + SETTLE_NS || !is_press(x))
		return;
	if (any_copy_takes(dir, w, x->pt))
		return;
	if (!event_format(w->receiver)) {
		digit_fault(p, NOT_NEGOTIATED, s, x, w,
			"key press as telephone-event, which the receiver's list does not have");
		return;
	}
	if (!p->faults[PT_NUMBER_MISMATCH].count) {
		p->pt_sent = x->pt;
		p->pt_given = event_format(w->receiver)->pt;
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

static void judge_end(struct presses *p, const struct stream *s, const struct digit *x, const struct window *w,
	int64_t end_ns)
{
	if (x->ended || x->packets < 2 || !x->followed || x->duration >= SEGMENT_DURATION)
		return;
	if (s->last_ns - x->last_ns >= END_NS && (end_ns == NS_NONE || end_ns - x->last_ns >= END_NS))
		digit_fault(p, NO_END, s, x, w, "key press without end bit; the packet behind it is here");
}

/* As long as a press is in the clock of the voice, far too short in the clock that was agreed for its number. */
static void judge_miscounted(struct presses *p, const struct stream *s, const struct digit *x, const struct window *w)
{
	if (!p->faults[CLOCK_MISCOUNTED].count) {
		p->pt_clock = x->pt;
		p->clock_hz = (unsigned)clock_of(w, s, x->pt);
	}
	digit_fault(p, CLOCK_MISCOUNTED, s, x, w, "key press counted in the clock of the voice");
}

static void judge_length(const struct detection *d, struct presses *p, const struct stream *s, const struct digit *x,
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
static void judge_lost(struct presses *p, const struct stream *s, const struct digit *x, const struct window *w)
{
	const struct stream *later = s->twin_next;

	if (!later || later->twin_kind == TWIN_NONE || (later->digits && later->digits->dropped) ||
	    later->first_ns > x->first_ns - END_NS ||
	    later->last_ns < x->last_ns + END_NS || digit_of(later->digits, x->rtp_ts))
		return;
	if (later->lost_within > s->lost_within)
		digit_fault(p, EVENTS_LOST, s, x, w, "key press that does not come out at the next point");
}

static void judge_clock(struct presses *p, const struct stream *s, const struct digit *x, const struct window *w)
{
	bool receivers;
	const struct sdp_format *f = w ? window_format(w, x->pt, &receivers) : NULL;

	if (f && is_event(f) && f->clock_hz && s->clock_hz && !s->clock_estimated && f->clock_hz != s->clock_hz)
		digit_fault(p, CLOCK_MISMATCH, s, x, w, "key press with another clock than the voice around it");
}

static void judge_stream(const struct detection *d, const struct direction *dir, const struct stream *s,
	struct presses *p)
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

static void judge_info(const struct direction *dir, struct presses *p)
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

	return x->code <= 9 && w && w->state == EXPECT_DUE && w->receiver && event_format(w->receiver) && !w->secure &&
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

static void judge_relay(const struct direction *dir, const struct stream *s, struct presses *p)
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

static void gather(const struct detection *d, const struct direction *dir, struct presses *p)
{
	*p = (struct presses){ .total = 0 };
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

	if (!w || !w->receiver || !w->sender || !w->receiver->format_count || event_format(w->receiver) ||
	    event_format(w->sender))
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

/* ---- words ---- */

struct words { char sender[SAY_TEXT], receiver[SAY_TEXT], culprit[SAY_TEXT]; unsigned count, total;
	uint8_t pt_sent, pt_given, pt_clock; unsigned clock_hz; };

static void say_cause(struct finding *f, unsigned reason, const struct words *w)
{
	switch (reason) {
	case NOT_NEGOTIATED:
		finding_cause(f, "%s sends %u key presses as telephone-event; the list of %s has no telephone-event.",
			w->sender, w->count, w->receiver);
		break;
	case PT_NUMBER_MISMATCH:
		finding_cause(f, "%s sends %u key presses under payload type %u; the list of %s gives %u for them.",
			w->sender, w->count, w->pt_sent, w->receiver, w->pt_given);
		break;
	case SPLIT_EVENT:
		finding_cause(f,
			"The RTP time changes within %u of %u key presses of %s: a receiver takes one press for two.",
			w->count, w->total, w->sender);
		break;
	case TIMESTAMP_RUNS:
		finding_cause(f, "%s gives every packet of a key press a time of its own (%u presses): a receiver takes each packet for a press.", w->sender, w->count);
		break;
	case NO_END:
		finding_cause(f, "%u of %u key presses of %s have no packet with the end bit, and none is lost behind them: a receiver may wait for the end.", w->count,
			      w->total, w->sender);
		break;
	case TOO_SHORT:
		finding_cause(f, "%u of %u key presses of %s are shorter than a receiver has to recognise.", w->count,
			w->total, w->sender);
		break;
	case DURATION_INVALID:
		finding_cause(f, "%u of %u key presses of %s have durations that cannot be; many receivers cope.",
			w->count, w->total, w->sender);
		break;
	case EVENTS_LOST:
		finding_cause(f,
			"%u of %u key presses of %s are lost between the two capture points with all their packets.",
			w->count, w->total, w->sender);
		break;
	case DOUBLE_PATH:
		finding_cause(f, "%u key presses of %s go out twice, as telephone-event and as INFO: %s may take each of them twice.", w->count, w->sender, w->receiver);
		break;
	case INFO_REFUSED:
		finding_cause(f, "%u INFO request%s with key presses of %s %s refused by %s.", w->count,
			w->count == 1 ? "" : "s", w->sender, w->count == 1 ? "is" : "are", w->culprit);
		break;
	case RELAY_DROPPED:
		finding_cause(f, "%u key presses in a row reach %s and do not leave it on the other leg, where telephone-event is agreed and voice flows.", w->count,
			      w->culprit);
		break;
	case CLOCK_MISMATCH:
		finding_cause(f, "The key presses of %s have another RTP clock than the voice of the same stream; some receivers misread how long they are.", w->sender);
		break;
	case CLOCK_MISCOUNTED:
		finding_cause(f, "%s sends %u key presses under payload type %u, which was agreed with a clock of %u Hz, and counts them in the clock of the voice: %s takes them "
			      "for too short, or drops that number.", w->sender, w->count, w->pt_clock, w->clock_hz, w->receiver);
		break;
	case CODEC_INBAND_ONLY:
		finding_cause(f, "No telephone-event is agreed, and tones do not pass a compressing codec whole: menus may not understand %s.", w->sender);
		break;
	}
}

static void say_fix(struct finding *f, unsigned reason, const struct words *w)
{
	switch (reason) {
	case DOUBLE_PATH:
		finding_fix(f, "Choose one method on %s: RFC 4733, and switch SIP INFO (and in-band tones) off.",
			w->sender);
		break;
	case INFO_REFUSED:
		finding_fix(f, "Set the DTMF method of %s to RFC 4733 (telephone-event), which both sides can agree on in SDP.", w->sender);
		break;
	case CLOCK_MISCOUNTED:
		finding_fix(f, "Offer telephone-event with the clock of the voice alone (8000 Hz beside G.711 and G.722) on both %s and %s, or leave the codecs of other clocks out; update %s.",
			    w->sender, w->receiver, w->sender);
		break;
	case TOO_SHORT:
		finding_fix(f, "Set the length of key presses on %s to 100 ms or more.", w->sender);
		break;
	case RELAY_DROPPED:
		finding_fix(f, "Set the DTMF method of %s to RFC 4733 on both legs, and look whether a menu or feature code takes the keys there.", w->culprit);
		break;
	case EVENTS_LOST:
		finding_fix(f, "Look between the two points: where voice passes and only these packets are lost, something inspects or filters media there; where voice is "
			    "lost as well (rtp-loss), mend that loss.");
		break;
	case SPLIT_EVENT: case TIMESTAMP_RUNS: case NO_END: case DURATION_INVALID: case CLOCK_MISMATCH:
		finding_fix(f, "Update %s, which makes these packets, or the transcoder in front of it; RFC 4733 2.5 says how they have to look.", w->sender);
		break;
	case NOT_NEGOTIATED: case PT_NUMBER_MISMATCH: case CODEC_INBAND_ONLY:
		finding_fix(f, "Switch RFC 4733 (telephone-event) on at both %s and %s, with one payload type number on all legs.", w->sender, w->receiver);
		break;
	}
}

static const char *act_of(unsigned reason)
{
	switch (reason) {
	case INFO_REFUSED: return "refuses key presses";
	case RELAY_DROPPED: return "does not pass key presses on";
	case DOUBLE_PATH: return "sends key presses twice";
	case EVENTS_LOST: return "sends key presses that get lost on the way";
	}
	return "sends key presses that are not as agreed";
}

static void entitle(struct finding *f, unsigned reason, const struct words *w)
{
	char act[2 * SAY_TEXT], effect[2 * SAY_TEXT];

	if (weights[reason].severity == SEVERITY_INFO) {
		finding_title(f, "Key presses of %s are at risk", w->sender);
		return;
	}
	snprintf(act, sizeof act, "%s %s", reason == INFO_REFUSED || reason == RELAY_DROPPED ? w->culprit : w->sender,
		act_of(reason));
	snprintf(effect, sizeof effect, "%s %s", w->receiver,
		reason == DOUBLE_PATH || reason == SPLIT_EVENT || reason == TIMESTAMP_RUNS ? "may take digits twice" :
		 reason == EVENTS_LOST ? "misses digits" : "may not take the digits");
	say_title(f, act, effect);
}

static void tell(struct detection *d, const struct event *ev, const struct presses *p, unsigned reason)
{
	const struct facts *facts = detection_facts(d);
	const struct fault *fault = &p->faults[reason];
	/* none was pressed: what the session agreed on, as long as it was in force */
	const struct window *agreed = fault->count ? NULL : direction_first_due(ev->direction);
	struct finding *f = detection_raise(d, reasons[reason], weights[reason].severity, weights[reason].confidence);
	struct words w = { .count = fault->count, .total = p->total, .pt_sent = p->pt_sent, .pt_given = p->pt_given,
		.pt_clock = p->pt_clock, .clock_hz = p->clock_hz };

	parts_of_direction(f, facts, ev->direction);
	if (fault->count) {
		finding_part(f, PART_CULPRIT, &fault->culprit);
		finding_times(f, fault->first_ns, fault->last_ns);
	}
	if (agreed) {
		finding_times(f, agreed->on_ns, agreed->off_ns == NS_NONE ? facts->capture->last_ns : agreed->off_ns);
		finding_evidence(f, window_sdp_frame(agreed), "the list of the receiver: without telephone-event");
	}
	for (unsigned i = 0; i < REASON_COUNT; i++) {
		if (i != reason && p->faults[i].count >= weights[i].least)
			finding_other_reason(f, reasons[i]);
	}
	say_party(facts, ev->leg, ev->direction->sender, w.sender);
	say_party(facts, ev->leg, side_other(ev->direction->sender), w.receiver);
	say_host(facts, &fault->culprit.addr, w.culprit);
	entitle(f, reason, &w);
	say_cause(f, reason, &w);
	say_fix(f, reason, &w);
	if (p->window && !agreed)
		finding_evidence(f, window_sdp_frame(p->window), "the list of the receiver%s",
			event_format(p->window->receiver) ? "" : ": without telephone-event");
	if (fault->count)
		finding_evidence_run(f, fault->first, fault->last_frame, "%s", fault->what);
	if (weights[reason].confidence < CONFIDENCE_CERTAIN)
		finding_cannot_see(f, "what %s makes of these key presses", w.receiver);
}

static void on_event(struct detection *d, const struct event *ev)
{
	unsigned best = REASON_COUNT;
	struct presses p;

	if (!ev->direction->stream_count && !sends_info(ev->direction->slot->dialog->leg)) {
		detection_pass(d, NULL, "0 key presses, nothing wrong with them");
		return;
	}
	gather(d, ev->direction, &p);
	for (unsigned i = 0; i < REASON_COUNT; i++) {
		if (p.faults[i].count >= weights[i].least &&
		    (best == REASON_COUNT || weights[i].severity > weights[best].severity))
			best = i;
	}
	if (best < REASON_COUNT)
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
