/* SPDX-License-Identifier: MIT */
/*
 * codec-not-agreed: what is sent is not what was agreed, judged by direction. RFC 3264 5.1, 6.1. Offers without a codec
 * in common: codec_refused.c.
 */
#include "analyzer/detect/codec.h"

#include <stdio.h>

#include "analyzer/detect/gates.h"
#include "analyzer/detect/half_known.h"
#include "analyzer/detect/one_way.h"
#include "analyzer/detect/say.h"
#include "analyzer/detect/quality.h"

static const char *const reasons[] = {
	"pt-not-in-answer", "pt-number-asymmetric", "no-common-codec", "answer-only-events", "payload-length-mismatch",
	"maxptime-exceeded", "clock-mismatch",
	"annexb-mismatch", "late-switch", NULL,
};

static const struct detector_doc doc = {
	.says = "no common codec, or one is sent that was not agreed",
	.symptom = "Noise, silence or a robot voice; or the call is refused at once.",
	.evidence = "The codec lists of offer and answer, the payload types, payload lengths and clock of the RTP, a 488 or 606.",
	.mimics = "A legal change between agreed codecs, key presses, comfort noise, ZRTP and SRTP tags, a new attempt that succeeds.",
	.fix = "Give both sides one codec in common, and let each send only what the other accepted.",
	.reasons = reasons,
};

static const struct config_key keys[] = {
	{ "min-packets", 25, "packets", 5, 10000, "half a second of 20 ms packets" },
	{ "max-clock-percent", 3, "%", 1, 50, "1.4.4: phones are right to 0.1 %" },
	{ 0 },
};

#define SETTLE_NS (500 * MILLISECOND_NS)     /* the answer may cross packets of the offer's codec */
#define SPAN_NS (2 * SECOND_NS)              /* a wrong type has to hold on for so long */

enum { SHORT_SHARE = 5 /* 4 of 5 packets */, SHORT_LEAST = 25, ONE_STEP_MS = 1 };

/* ---- is the type agreed? ---- */

/*
 * Does any copy of a description, wherever on its way it was seen, take it? By number, or by the codec that this number
 * stands for.
 */
static bool copies_take(const struct sdp_copies *c, unsigned mline, const struct sdp_format *f)
{
	for (unsigned i = 0; i < c->count; i++) {
		const struct sdp *sdp = c->seen[i]->sdp;

		if (sdp && mline < sdp->media_count && sdp_media_takes(&sdp->media[mline], f))
			return true;
	}
	return false;
}

/* May the sender use it, with its own number for a codec that the receiver named under another one? */
static bool agreed(const struct direction *d, const struct window *w, uint8_t pt)
{
	const struct exchange *x = w->exchange;
	const struct sdp_format *own = w->sender ? sdp_format_find(w->sender, pt) : NULL;
	struct sdp_format f = { .pt = pt };

	if (own)
		f = *own;
	if (x->offerer == d->sender)
		return copies_take(&x->answer, d->slot->mline, &f) || copies_take(&x->preview, d->slot->mline, &f);
	return copies_take(&x->offer, d->slot->mline, &f);
}

static bool is_noise(uint8_t pt)
{
	return pt == 13 || pt == 19;
}

static bool lists_known(const struct window *w)
{
	return w->state == EXPECT_DUE && w->exchange && w->receiver && w->sender && w->receiver->format_count &&
	       w->sender->format_count;
}

/* Was it agreed in the window before, so that the sender has missed the change? */
static bool agreed_before(const struct direction *d, const struct window *w, uint8_t pt)
{
	for (const struct window *b = w; b > d->windows; b--) {
		if (lists_known(b - 1))
			return agreed(d, b - 1, pt);
	}
	return false;
}

/* Does the receiver still take the codec that this number stood for before, under another one? */
static bool renumbered(const struct direction *d, const struct window *w, uint8_t pt)
{
	bool receivers;

	for (const struct window *b = w; b > d->windows; b--) {
		const struct sdp_format *was = lists_known(b - 1) ? window_format(b - 1, pt, &receivers) : NULL;

		for (unsigned i = 0; was && was->codec.n && i < w->receiver->format_count; i++) {
			if (span_equal_nocase(w->receiver->formats[i].codec, was->codec))
				return true;
		}
	}
	return false;
}

/* ---- what is wrong ---- */

struct mismatch {
	const char *reason;
	const struct window *window;
	const struct stream *stream;
	uint8_t pt;
	int64_t from_ns, to_ns;
	uint32_t frame, last_frame;
	double packets;
	enum severity severity;      /* where the receiver is not known to be hurt */
	enum confidence confidence;
	double is, ought;            /* figures of the reason: ms, Hz */
	bool renumbered;             /* the receiver takes that codec, under another number than before */
};

static enum confidence confidence_of(const struct window *w, const struct stream *s)
{
	return s->bound_by == 1 && !w->likely_at_most ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY;
}

/* Frames of a run within the time, as far as spells tell. */
static void frames_of(struct mismatch *m, const struct type_run *run)
{
	m->frame = run->first_frame;
	m->last_frame = run->last_frame;
	if (m->from_ns > run->first_ns)
		stream_first_between(m->stream, m->from_ns, m->to_ns, &m->frame);
	if (m->to_ns < run->last_ns)
		stream_last_between(m->stream, m->from_ns, m->to_ns, &m->last_frame);
}

/* The answer to a later offer names no voice codec of it: each side sends what the other does not take. */
static bool is_disjoint(const struct window *w)
{
	return w->exchange->kind != EXCHANGE_INITIAL && codec_has_voice(w->receiver) && codec_has_voice(w->sender) &&
	       !codec_voice_shared(w->receiver, w->sender);
}

/* A stretch of one payload type against the lists of one window. */
static bool run_mismatch(const struct detection *d, const struct direction *dir, const struct window *w,
	const struct stream *s, const struct type_run *run,
			 struct mismatch *ret)
{
	bool in_receivers = false, late;
	struct mismatch m = { .window = w, .stream = s, .pt = run->pt, .severity = SEVERITY_WARNING };
	int64_t off_ns = window_end(w, detection_facts(d)->capture->last_ns);

	window_format(w, run->pt, &in_receivers);
	if (in_receivers || is_noise(run->pt) || run->packets < detection_key(d, "min-packets"))
		return false;
	late = !w->first && agreed_before(dir, w, run->pt);
	m.from_ns = ns_add(w->on_ns, late || w->moved ? SPAN_NS : SETTLE_NS);
	m.from_ns = run->first_ns > m.from_ns ? run->first_ns : m.from_ns;
	m.to_ns = run->last_ns < off_ns ? run->last_ns : off_ns;
	if (ns_minus(m.to_ns, m.from_ns) < SPAN_NS)
		return false;
	if (gates_capture_still(detection_facts(d)->gates, run->first_ns, run->first_ns))
		return false;        /* what was agreed meanwhile is not in the capture */
	if (half_known_agreement(dir->slot->dialog->leg, w->on_ns, run->first_ns) ||
	    half_known_switch(dir, w, run->pt) || half_known_hole(dir, run->first_ns))
		return false;
	m.packets = stream_packets_between(s, m.from_ns, m.to_ns + 1);
	if (m.packets < detection_key(d, "min-packets"))
		return false;
	m.reason = late ? "late-switch" : "pt-not-in-answer";
	m.renumbered = late && renumbered(dir, w, run->pt);
	if (agreed(dir, w, run->pt)) {
		m.reason = "pt-number-asymmetric";
		m.severity = SEVERITY_INFO;
	} else if (is_disjoint(w)) {
		m.reason = "no-common-codec";
	}
	m.confidence = confidence_of(w, s);
	frames_of(&m, run);
	*ret = m;
	return true;
}

static bool type_mismatch(const struct detection *d, const struct direction *dir, const struct window *w,
	const struct stream *s, struct mismatch *ret)
{
	struct mismatch m;
	bool found = false;

	for (unsigned i = 0; i <= s->run_count; i++) {
		if (run_mismatch(d, dir, w, s, stream_run(s, i), &m) && (!found || (m.severity > ret->severity))) {
			*ret = m;
			found = true;
		}
	}
	return found;
}

/*
 * Most of the packets that were looked at hold less sound than their clock says has passed. Longer ones are never this
 * (ZRTP, SRTP).
 */
static bool length_mismatch(const struct stream *s)
{
	const struct payload_look *l = s->payload;

	return l && l->shorter >= SHORT_LEAST &&
	       l->shorter * SHORT_SHARE >= (l->shorter + l->exact + l->longer) * (SHORT_SHARE - 1);
}

/*
 * So many packets of so much sound fill the time that they took: the clock is right, and what its time stamps have
 * run ahead or behind came in leaps.
 */
static bool pace_fits(const struct stream *s, double share)
{
	double wall_ms = (double)ns_minus(s->last_ns, s->first_ns) / 1e6,
		sound_ms = (double)s->expected_within * s->ptime_ms;

	return wall_ms > 0 && sound_ms > wall_ms * (1 - share) && sound_ms < wall_ms * (1 + share);
}

static bool clock_mismatch(const struct detection *d, const struct window *w, const struct stream *s,
	struct mismatch *m)
{
	bool receivers;
	const struct sdp_format *f = window_format(w, s->run.pt, &receivers);
	double share = detection_key(d, "max-clock-percent") / 100;

	if (!f || !f->clock_hz || s->ts_rate_hz <= 0 || s->run_count || pace_fits(s, share) ||
	    quality_comes_slower(s, f->clock_hz))
		return false;
	if (s->ts_rate_hz >= f->clock_hz * (1 - share) && s->ts_rate_hz <= f->clock_hz * (1 + share))
		return false;
	m->is = s->ts_rate_hz;
	m->ought = f->clock_hz;
	return true;
}

/* Silence frames of G.729 although its annex B was switched off. */
static bool annexb_mismatch(const struct window *w, const struct stream *s)
{
	bool receivers;
	const struct sdp_format *f = window_format(w, s->run.pt, &receivers);
	uint32_t other = 0;

	for (unsigned i = 0; i < s->type_count; i++)
		other += is_noise(s->types[i].pt) ? s->types[i].packets : 0;
	return f && span_equal_nocase(f->codec, SPAN("G729")) &&
	       span_find_text_nocase(f->fmtp, SPAN("annexb=no")) < f->fmtp.n && s->comfort > other;
}

/* What is wrong with the packets of an agreed type. */
static bool form_mismatch(const struct detection *d, const struct window *w, const struct stream *s, struct mismatch *m)
{
	unsigned most_ms = w->receiver->maxptime_ms;

	if (length_mismatch(s)) {
		m->reason = "payload-length-mismatch";
		m->severity = SEVERITY_WARNING;
	} else if (clock_mismatch(d, w, s, m)) {
		m->reason = "clock-mismatch";
		m->severity = SEVERITY_WARNING;
	} else if (most_ms && s->ptime_ms > most_ms + ONE_STEP_MS) {
		m->reason = "maxptime-exceeded";
		m->severity = SEVERITY_WARNING;
		m->is = s->ptime_ms;
		m->ought = most_ms;
	} else if (annexb_mismatch(w, s)) {
		m->reason = "annexb-mismatch";
		m->severity = SEVERITY_INFO;
	} else {
		return false;
	}
	return true;
}

static bool window_mismatch(const struct detection *d, const struct direction *dir, const struct window *w,
	const struct stream *s, struct mismatch *ret)
{
	int64_t off_ns = window_end(w, detection_facts(d)->capture->last_ns);
	bool receivers;

	if (type_mismatch(d, dir, w, s, ret) && ret->severity > SEVERITY_INFO)
		return true;
	*ret = ret->reason ? *ret : (struct mismatch){ .window = w, .stream = s, .pt = s->run.pt,
		.confidence = CONFIDENCE_LIKELY };
	if (ret->reason)
		return true;
	if (w->secure || !window_format(w, s->run.pt, &receivers) || s->first_ns < w->on_ns - SPAN_NS ||
	    s->first_ns >= off_ns ||
	    stream_packets_between(s, w->on_ns, off_ns) < detection_key(d, "min-packets") ||
	    !form_mismatch(d, w, s, ret))
		return false;
	ret->from_ns = s->first_ns;
	ret->to_ns = s->last_ns;
	ret->frame = s->first_frame;
	ret->last_frame = s->last_frame;
	ret->packets = (double)s->audio;
	return true;
}

/*
 * The same packets behind a NAT, or at another point. What a relay passes on to another leg was agreed there, or not.
 */
static bool is_copy(const struct stream *s, const struct direction *dir)
{
	const struct direction *in = s->twin_of ? s->twin_of->direction : NULL;

	return s->twin_of && (s->twin_kind != TWIN_RELAY || !in ||
		in->slot->dialog->leg == dir->slot->dialog->leg);
}

static bool direction_mismatch(const struct detection *d, const struct direction *dir, struct mismatch *ret)
{
	struct mismatch m = { .reason = NULL };
	bool found = false;

	for (unsigned i = 0; i < dir->window_count; i++) {
		for (unsigned k = 0; lists_known(&dir->windows[i]) && k < dir->stream_count; k++) {
			const struct stream *s = dir->streams[k];

			m.reason = NULL;
			if (s->direction != dir || !s->bound_by || s->bound_by > BOUND_STRONG || is_copy(s, dir) ||
			    s->keepalive_only ||
			    !window_mismatch(d, dir, &dir->windows[i], s, &m))
				continue;
			if (!found || m.severity > ret->severity)
				*ret = m;
			found = true;
		}
	}
	return found;
}

/* ---- words ---- */

static const char *codec_text(const struct mismatch *m, char buffer[64])
{
	char codec[24];
	uint32_t clock_hz;
	bool receivers;
	const struct sdp_format *f = window_format(m->window, m->pt, &receivers);
	struct span name = f && f->codec.n ? f->codec : sdp_static_codec(m->pt, &clock_hz);

	if (name.n)
		snprintf(buffer, 64, "%s (payload type %u)", text_escape(name, codec, sizeof codec), m->pt);
	else
		snprintf(buffer, 64, "payload type %u", m->pt);
	return buffer;
}

struct words { char by[SAY_TEXT], sender[SAY_TEXT], receiver[SAY_TEXT], sent[64], wanted[SAY_TEXT]; };

/* Direct media: on the other leg of the call that number was named to the sender. Who signals for it here; NULL: not
 * so. */
static const struct address *teller_of(const struct direction *d, const struct mismatch *m)
{
	const struct window *told = one_way_told_as(d, m->stream, m->from_ns);

	return told && told->receiver && sdp_format_find(told->receiver, m->pt)
	       ? &d->slot->dialog->leg->party[d->sender].signalling.addr : NULL;
}

static void say_told_otherwise(struct finding *f, const struct facts *facts, const struct address *teller,
	const struct words *w)
{
	char who[SAY_TEXT];

	finding_cause(f, "%s sends %s, a number that %s named to it; %s was told of another one and takes %s.",
		w->sender,
		w->sent, say_host(facts, teller, who), w->receiver, w->wanted);
	finding_fix(f, "Switch direct media (re-INVITE) off for these phones on %s, or give a codec the same payload "
		"type number on all of them: it hands each one the address of the other, and each its own "
		"numbers.", who);
}

static void say_types(struct finding *f, const struct mismatch *m, const struct words *w)
{
	if (strcmp(f->reason, "late-switch") == 0)
		finding_cause(f, "%s goes on sending %s for %.1f s after the session was changed; %s now accepts %s.",
			w->sender, w->sent,
			      (double)ns_minus(m->to_ns, m->window->on_ns) / 1e9, w->receiver, w->wanted);
	else if (strcmp(f->reason, "no-common-codec") == 0)
		finding_cause(f, "%s answers a later offer in the call without one of its codecs: %s takes %s, and %s sends %s.",
			      w->by, w->receiver, w->wanted, w->sender, w->sent);
	else if (strcmp(f->reason, "pt-number-asymmetric") == 0)
		finding_cause(f, "%s sends %s, a number from its own list; %s gave other numbers: %s.", w->sender,
			w->sent, w->receiver, w->wanted);
	else
		finding_cause(f, "%s sends %s; %s accepted %s.", w->sender, w->sent, w->receiver, w->wanted);
	if (strcmp(f->reason, "late-switch") == 0 && m->renumbered)
		finding_fix(f, "Update %s: it is the codec that %s accepts, under a number of an earlier SDP. It has "
			"to send with the number that the newest SDP gives; until then keep %s from "
			"changing its numbers (no other codec order at hold and resume).", w->sender, w->receiver,
			w->receiver);
	else
		finding_fix(f, "Align the codec lists: correct the list or its order on %s so that it sends what %s "
			"accepts, or let the PBX transcode.", w->sender, w->receiver);
}

static void say_form(struct finding *f, const struct mismatch *m, const struct words *w)
{
	if (strcmp(f->reason, "payload-length-mismatch") == 0) {
		finding_cause(f, "%s labels its packets %s, but they hold fewer bytes than that codec has in the time between them (%u of %u looked at).", w->sender,
			      w->sent, m->stream->payload->shorter,
			      m->stream->payload->shorter + m->stream->payload->exact + m->stream->payload->longer);
		finding_fix(f, "Look at the transcoder or codec settings of %s: it sends another codec under this payload type.", w->sender);
	} else if (strcmp(f->reason, "clock-mismatch") == 0) {
		finding_cause(f, "The RTP clock of %s runs at %.0f Hz; %s was agreed with %.0f Hz.", w->sender, m->is,
			w->sent, m->ought);
		finding_fix(f, "Correct the rtpmap or the codec of %s, or update it.", w->sender);
	} else if (strcmp(f->reason, "maxptime-exceeded") == 0) {
		finding_cause(f, "%s packs %.0f ms of sound into a packet; %s takes %.0f ms at most (a=maxptime).",
			w->sender, m->is, w->receiver, m->ought);
		finding_fix(f, "Set the packet time of %s to %.0f ms.", w->sender, m->ought < 20 ? m->ought : 20);
	} else {
		finding_cause(f,
			"%s sends silence frames of G.729 annex B although annexb=no was agreed; most receivers cope.",
			w->sender);
		finding_fix(f, "Switch silence suppression (VAD) off on %s, or allow annex B on both sides.",
			w->sender);
	}
}

static bool is_about_type(const char *reason)
{
	if (strcmp(reason, "no-common-codec") == 0)
		return true;
	return strcmp(reason, "pt-not-in-answer") == 0 || strcmp(reason, "late-switch") == 0 ||
	       strcmp(reason, "pt-number-asymmetric") == 0;
}

static void tell(struct detection *d, const struct event *ev, const struct mismatch *m, bool fails)
{
	const struct facts *facts = detection_facts(d);
	const struct message *list = m->window->target_count ? m->window->targets[0].message : NULL;
	enum severity severity = !fails || m->severity == SEVERITY_INFO ? m->severity : SEVERITY_ERROR;
	const struct message *by = strcmp(m->reason, "no-common-codec") == 0 ? m->window->exchange->answer.seen[0] : NULL;
	const struct address *teller = is_about_type(m->reason) ? teller_of(ev->direction, m) : NULL;
	struct finding *f;
	struct words w;
	char act[2 * SAY_TEXT], effect[2 * SAY_TEXT], count[TEXT_COUNT];

	if (fails && strcmp(m->reason, "pt-number-asymmetric") == 0)
		severity = SEVERITY_WARNING;
	f = detection_raise(d, m->reason, severity, m->confidence);
	parts_of_direction(f, facts, ev->direction);
	finding_part(f, PART_CULPRIT, teller ? &(struct endpoint){ *teller, 0 } : by ? &by->src : &m->stream->src);
	say_host(facts, by ? &by->src.addr : &m->stream->src.addr, w.by);
	finding_stream(f, m->stream->n);
	finding_times(f, m->from_ns, m->to_ns);
	say_host(facts, &m->stream->src.addr, w.sender);
	say_party(facts, ev->leg, side_other(ev->direction->sender), w.receiver);
	codec_text(m, w.sent);
	say_formats(m->window->receiver, w.wanted);
	snprintf(act, sizeof act, by ? "%s answers with %s" : "%s sends %s", w.by,
		is_about_type(m->reason) ? "a codec nobody agreed on" : "audio that does not fit its codec");
	snprintf(effect, sizeof effect, "%s %shears %s", w.receiver, fails ? say_claim(f) : "perhaps ",
		fails ? "nothing" : "noise");
	if (severity == SEVERITY_INFO)
		finding_title(f, "%s sends %s", w.sender,
			is_about_type(m->reason) ? "with payload type numbers of its own"
			: "silence frames that were not agreed");
	else
		say_title(f, act, effect);
	if (teller)
		say_told_otherwise(f, facts, teller, &w);
	else if (is_about_type(m->reason))
		say_types(f, m, &w);
	else
		say_form(f, m, &w);
	if (list)
		finding_evidence(f, list->at, "%s accepts %s", w.receiver, w.wanted);
	if (by)
		finding_evidence(f, by->at, "the answer to the later offer");
	finding_evidence_run(f, stream_frame(m->stream, m->frame, m->from_ns), m->last_frame, "%s packets of %s",
			     text_count(m->packets > 0 ? (uint64_t)m->packets : 0, count), w.sent);
	if (!fails)
		finding_cannot_see(f, "what %s makes of these packets", w.receiver);
}

/* One answer, both directions: it is told of what the answerer sends, if that is wrong at all. */
static bool told_of_other(const struct detection *d, const struct direction *dir, const struct mismatch *m)
{
	struct mismatch other = { .reason = NULL };

	return strcmp(m->reason, "no-common-codec") == 0 && m->window->exchange->offerer == dir->sender &&
	       direction_mismatch(d, direction_reverse(dir), &other) && strcmp(other.reason, m->reason) == 0;
}

static void on_direction(struct detection *d, const struct event *ev)
{
	const struct hearing *h = hearing_of(ev->direction);
	struct mismatch m = { .reason = NULL }, other = { .reason = NULL };

	if (ev->leg->cut) {
		detection_withhold(d, ev->leg, "G5",
			"the capture cut messages of this call: its codec lists may go on");
		return;
	}
	if (!ev->direction->stream_count) {
		detection_pass(d, NULL, "no audio of this direction is here");
		return;
	}
	if (!direction_mismatch(d, ev->direction, &m)) {
		detection_pass(d, NULL,
			"what is sent stands in the lists of offer and answer, as far as they are known");
		return;
	}
	if (m.stream->twin_of && direction_mismatch(d, m.stream->twin_of->direction, &other)) {
		detection_pass(d, NULL, "it comes in like this: told of who sends it to the relay");
		return;
	}
	if (told_of_other(d, ev->direction, &m)) {
		detection_pass(d, NULL, "the answer to the later offer is told of the other direction");
		return;
	}
	tell(d, ev, &m, h && h->heard == HEARD_NO);
}

static void on_event(struct detection *d, const struct event *ev)
{
	if (ev->kind == EVENT_JUDGE_DIRECTION)
		on_direction(d, ev);
	else
		codec_refused_judge(d, ev->leg);
}

const struct detector detect_codec_not_agreed = {
	.id = "codec-not-agreed", .doc = &doc, .keys = keys, .event = on_event,
	.events = EVENT_BIT(EVENT_JUDGE_DIRECTION) | EVENT_BIT(EVENT_JUDGE_CALL),
	.scope = PER_DIRECTION, .usual = SEVERITY_ERROR, .possible_max = SEVERITY_WARNING,
};
