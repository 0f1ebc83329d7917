/* SPDX-License-Identifier: MIT */
/* dtmf_broken_say: how dtmf-broken is told. Which keys they were is never said. */
#include "analyzer/detect/dtmf_broken.h"

#include <stdio.h>

struct words {
	char sender[SAY_TEXT], receiver[SAY_TEXT], culprit[SAY_TEXT];
	const struct key_presses *presses;
	const struct key_fault *fault;
};

static void say_cause(struct finding *f, enum dtmf_reason reason, const struct words *w)
{
	const struct key_presses *p = w->presses;
	const char *presses = SAY_COUNTED(w->fault->count, "key press"), *total = SAY_COUNTED(p->total, "key press");
	unsigned count = w->fault->count;
	bool one = count == 1;

	switch (reason) {
	case NOT_NEGOTIATED:
		finding_cause(f, "%s sends %s as telephone-event; the list of %s has no telephone-event.", w->sender,
			presses, w->receiver);
		break;
	case PT_NUMBER_MISMATCH:
		finding_cause(f, "%s sends %s under payload type %u; the list of %s gives %u for %s.", w->sender, presses,
			p->pt_sent, w->receiver, p->pt_given, one ? "it" : "them");
		break;
	case SPLIT_EVENT:
		finding_cause(f, "The RTP time changes within %u of %s of %s: a receiver takes one press for two.", count,
			total, w->sender);
		break;
	case TIMESTAMP_RUNS:
		finding_cause(f, "%s gives every packet of a key press a time of its own (%s): a receiver takes each packet for a press.",
			w->sender, SAY_COUNTED(count, "press"));
		break;
	case NO_END:
		finding_cause(f, "%u of %s of %s %s no packet with the end bit, and none is lost behind %s: a receiver may wait for the end.",
			count, total, w->sender, one ? "has" : "have", one ? "it" : "them");
		break;
	case TOO_SHORT:
		finding_cause(f, "%u of %s of %s are shorter than a receiver has to recognise.", count, total, w->sender);
		break;
	case DURATION_INVALID:
		finding_cause(f, "%u of %s of %s have durations that cannot be; many receivers cope.", count, total,
			w->sender);
		break;
	case EVENTS_LOST:
		finding_cause(f, "%u of %s of %s %s lost between the two capture points with all %s packets.", count, total,
			w->sender, one ? "is" : "are", one ? "its" : "their");
		break;
	case DOUBLE_PATH:
		finding_cause(f, "%s of %s go out twice, as telephone-event and as INFO: %s may take each of them twice.",
			presses, w->sender, w->receiver);
		break;
	case INFO_REFUSED:
		finding_cause(f, "%s with key presses of %s %s refused by %s.", SAY_COUNTED(count, "INFO request"),
			w->sender, one ? "is" : "are", w->culprit);
		break;
	case RELAY_DROPPED:
		finding_cause(f, "%s in a row reach %s and do not leave it on the other leg, where telephone-event is agreed and voice flows.",
			presses, w->culprit);
		break;
	case CLOCK_MISMATCH:
		finding_cause(f, "The key presses of %s have another RTP clock than the voice of the same stream; some receivers misread how long they are.",
			w->sender);
		break;
	case CLOCK_MISCOUNTED:
		finding_cause(f, "%s sends %s under payload type %u, which was agreed with a clock of %u Hz, and counts them in the clock of the voice: %s takes them "
			"for too short, or drops that number.", w->sender, presses, p->pt_clock, p->clock_hz, w->receiver);
		break;
	case CODEC_INBAND_ONLY:
		finding_cause(f, "No telephone-event is agreed, and tones do not pass a compressing codec whole: menus may not understand %s.",
			w->sender);
		break;
	}
}

static void say_fix(struct finding *f, enum dtmf_reason reason, const struct words *w)
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

static const char *act_of(enum dtmf_reason reason)
{
	switch (reason) {
	case INFO_REFUSED: return "refuses key presses";
	case RELAY_DROPPED: return "does not pass key presses on";
	case DOUBLE_PATH: return "sends key presses twice";
	case EVENTS_LOST: return "sends key presses that get lost on the way";
	default: break;
	}
	return "sends key presses that are not as agreed";
}

static void say_title_of(struct finding *f, enum dtmf_reason reason, const struct words *w)
{
	char act[2 * SAY_TEXT], effect[2 * SAY_TEXT];

	if (reason == CODEC_INBAND_ONLY || reason == CLOCK_MISMATCH) {
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

void dtmf_broken_say(struct finding *f, const struct facts *facts, const struct event *ev, const struct key_presses *p,
	enum dtmf_reason reason)
{
	const struct key_fault *fault = &p->faults[reason];
	/* none was pressed: what the session agreed on, as long as it was in force */
	const struct window *agreed = fault->count ? NULL : direction_first_due(ev->direction);
	struct words w = { .presses = p, .fault = fault };

	if (agreed) {
		finding_times(f, agreed->on_ns, agreed->off_ns == NS_NONE ? facts->capture->last_ns : agreed->off_ns);
		finding_evidence(f, window_sdp_frame(agreed), "the list of the receiver: without telephone-event");
	}
	say_party(facts, ev->leg, ev->direction->sender, w.sender);
	say_party(facts, ev->leg, side_other(ev->direction->sender), w.receiver);
	say_host(facts, &fault->culprit.addr, w.culprit);
	say_title_of(f, reason, &w);
	say_cause(f, reason, &w);
	say_fix(f, reason, &w);
	if (p->window && !agreed)
		finding_evidence(f, window_sdp_frame(p->window), "the list of the receiver%s",
			dtmf_event_format(p->window->receiver) ? "" : ": without telephone-event");
	if (fault->count)
		finding_evidence_run(f, fault->first, fault->last_frame, "%s", fault->what);
	if (f->confidence < CONFIDENCE_CERTAIN)
		finding_cannot_see(f, "what %s makes of these key presses", w.receiver);
}
