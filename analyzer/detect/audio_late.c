/* SPDX-License-Identifier: MIT */
/* audio-late: audio begins late after the answer; the first words are missing. */
#include <stdio.h>

#include "analyzer/detect/gates.h"
#include "analyzer/detect/quality.h"
#include "analyzer/detect/say.h"

static const char *const reasons[] = {
	"sender-late", "first-packets-lost", "latch-late", "dtls-slow", "ice-slow", "ack-late", "media-reinvite",
	"session-not-opened", "unlocated", NULL,
};

static const struct detector_doc doc = {
	.says = "audio begins late after the answer",
	.symptom = "\"The first words are missing\", \"a second of nothing after picking up\".",
	.evidence = "The first 200 and the first audio packet that reaches the right address, the sender's RTCP packet count.",
	.mimics = "A call answered on hold, a bridge whose other leg is answered later, early media that goes on.",
	.fix = "By reason: audio start of the answering device, NAT latching, DTLS or ICE timeouts.",
	.reasons = reasons,
};

static const struct config_key keys[] = {
	{ "warn-ms", 1500, "ms", 100, 60000, "field: 14 streams of 10 public calls began within 0.00 to 1.11 s" },
	{ "error-ms", 4000, "ms", 100, 60000, "field" },
	{ "caller-ms", 4000, "ms", 100, 60000, "field: the answerer's words matter; callers' devices start later" },
	{ "ice-extra-ms", 1500, "ms", 0, 60000, "field: ICE checks, DTLS handshake" },
	{ "pbx-extra-ms", 1500, "ms", 0, 60000, "field: dialplans wait a second or two before a greeting, a fax or a menu" },
	{ 0 },
};

#define PASSED_ON_NS (500 * MILLISECOND_NS)
#define REPEATED_BY_NS (4500 * MILLISECOND_NS)
#define MOVED_NS (2 * SECOND_NS)

/* The other leg of a bridge was answered later: there was nothing to send before. */
static int64_t bridge_start(const struct leg *leg, int64_t on_ns)
{
	LIST_EACH(it, &leg->call->legs) {
		const struct leg *other = LIST_ENTRY(it, struct leg, in_call);

		if (other != leg && other->answer_ns != NS_NONE && other->answer_ns > on_ns)
			on_ns = other->answer_ns;
	}
	return on_ns;
}

/*
 * The answer as seen in the same file as the audio: two files may have two clocks. NS_NONE: not there.
 */
static int64_t answered_in_file(const struct dialog *d, const struct stream *s)
{
	const struct transaction *t = d->confirmed_by ? d->confirmed_by->transaction : NULL;

	if (!t || !s || d->confirmed_by->at.file == s->file)
		return d->confirmed_ns;
	CHAIN_EACH(it, &t->messages) {
		const struct message *m = LIST_ENTRY(it, struct message, in_transaction);

		if (m->status >= 200 && m->status < 300 && m->at.file == s->file)
			return m->at.at_ns;
	}
	return NS_NONE;
}

static const struct window *first_window(const struct direction *d)
{
	const struct window *w = direction_first_due(d);

	return w && w->first ? w : NULL;
}

/* What the sender's first report says: packets it had sent less those seen until then. false: no report. */
static bool missing_at_start(const struct hearing *h, const struct direction *d, double *ret_missing)
{
	const struct rtcp_party *p = h->sender_rtcp;
	double seen = 0;

	for (unsigned i = 0; p && i < p->report_count; i++) {
		if (!p->reports[i].is_sr || p->reports[i].packets == 0)
			continue;
		for (unsigned k = 0; k < d->stream_count; k++)
			seen += stream_packets_between(d->streams[k], d->streams[k]->first_ns, p->reports[i].at_ns);
		*ret_missing = p->reports[i].packets - seen;
		return true;
	}
	return false;
}

/* The receiver reports this very stream before it is seen here: it had its audio, and the capture lacks that. */
static bool receiver_had_it(const struct facts *facts, const struct hearing *h)
{
	const struct rtcp_view *v = h->stream ? rtcp_view_of(facts->rtcp, h->stream) : NULL;

	for (unsigned i = 0; v && i < v->report_count; i++) {
		if (v->reports[i].file == h->stream->file &&
		    ns_minus(h->delivered_from_ns, v->reports[i].at_ns) >= SECOND_NS)
			return true;
	}
	return false;
}

static bool misdirected_before(const struct facts *facts, const struct direction *d, const struct window *w,
	int64_t until_ns)
{
	const char *why;

	for (unsigned i = 0; i < d->stream_count; i++) {
		if (d->streams[i]->first_ns < until_ns && !hearing_usable(facts, d, w, d->streams[i], &why))
			return true;
	}
	return false;
}

/* Direct media: the answer's addresses had hardly been agreed when a re-INVITE named others. */
static bool moved_at_once(const struct direction *d, const struct window *w)
{
	const struct window *next = w + 1;

	if (next >= d->windows + d->window_count || next->state != EXPECT_DUE ||
	    ns_minus(next->on_ns, w->on_ns) > MOVED_NS)
		return false;
	return w->target_count && next->target_count && !endpoint_equal(&w->targets[0].at, &next->targets[0].at);
}

/*
 * The other one's audio already came on the very way back: the checks and keys of both were done by then, and whoever
 * goes on being silent for so long has other reasons.
 */
static bool way_was_open(const struct direction *d, const struct hearing *h, int64_t wait_ns)
{
	const struct direction *back = direction_reverse(d);

	for (unsigned i = 0; h->stream && i < back->stream_count; i++) {
		const struct stream *s = back->streams[i];

		if (endpoint_equal(&s->src, &h->stream->dst) && endpoint_equal(&s->dst, &h->stream->src) &&
		    ns_minus(h->delivered_from_ns, s->first_ns) >= wait_ns)
			return true;
	}
	return false;
}

static const char *reason_of(const struct facts *facts, const struct direction *d, const struct hearing *h,
	const struct window *w, int64_t wait_ns, enum confidence *ret)
{
	const struct dialog *dialog = d->slot->dialog;
	bool open = (w->dtls || w->ice) && way_was_open(d, h, wait_ns);
	double missing;

	*ret = CONFIDENCE_LIKELY;
	if (misdirected_before(facts, d, w, h->delivered_from_ns))
		return "latch-late";
	if (w->dtls && !open)
		return "dtls-slow";
	if (w->ice && !open)
		return "ice-slow";
	if (moved_at_once(d, w))
		return "media-reinvite";
	if (h->opened_ns)
		return "session-not-opened";
	if (w->exchange && w->exchange->delayed && dialog->acked_ns != NS_NONE &&
	    dialog->acked_ns - dialog->confirmed_ns > 500 * MILLISECOND_NS)
		return "ack-late";
	if (missing_at_start(h, d, &missing)) {
		*ret = CONFIDENCE_CERTAIN;
		return missing > 20 ? "first-packets-lost" : "sender-late";
	}
	if (h->near_sender)
		return "sender-late";
	return "unlocated";
}

/* Who answers an offer in its ACK keeps the other one waiting until then. */
static void tell_ack(struct finding *f, const struct facts *facts, const struct dialog *dialog,
	const struct endpoint *asker)
{
	char host[SAY_TEXT];

	say_host(facts, &asker->addr, host);
	text_addf(&f->cause, " The 200 carried the offer; the ACK of %s with the answer came %.1f s after it.", host,
		(double)(dialog->acked_ns - dialog->confirmed_ns) / 1e9);
	finding_fix(f, "Look at why %s acknowledges the answer so late; or let it send its offer with the INVITE.", host);
}

/* What held it up, behind the cause, and what to change; "%s": the culprit. */
static void tell_reason(struct finding *f, const struct facts *facts, const char *reason,
	const struct endpoint *culprit)
{
	static const struct {
		const char *reason, *why, *fix;
	} texts[] = {
		{ "latch-late", " Until then it sent to an address that cannot be reached.",
			"%s first sends to a private address until it has learnt the right one: let it learn at once, or give the phone STUN." },
		{ "first-packets-lost", " It had sent before, as its reports count: those packets did not get here.",
			"%s sent from the beginning; a firewall on the way opened late. Look at its session set-up for UDP." },
		{ "media-reinvite", " A re-INVITE had moved the media to another address right after the answer.",
			"Let %s keep the media where it was (no direct media), or move it later." },
		{ "ice-slow", " The call uses ICE: nothing is sent before a pair of addresses has passed its checks.",
			"Look at which candidates %s tries first and in vain: addresses that the other side cannot reach, a TURN or STUN server that does not answer." },
		{ "dtls-slow", " Its keys come from a DTLS handshake: nothing is sent before that is done.",
			"Look at the DTLS handshake of %s: when its first message leaves, and which ones have to be repeated." },
		{ "session-not-opened", " Until then the port was refused by ICMP: who should hear it opened it only then.",
			"Look at what %s does between answer and first audio: it has to open the port that its SDP names before it sends that." },
		{ "", "", "Look at what %s does between answer and first audio: device, CPU, order of answer and media bridge." },
	};
	char host[SAY_TEXT];
	size_t i = 0;

	while (*texts[i].reason && strcmp(texts[i].reason, reason) != 0)
		i++;
	text_add(&f->cause, texts[i].why);
	finding_fix(f, texts[i].fix, say_host(facts, &culprit->addr, host));
}

/*
 * A PBX that nobody is seen to speak through may be the end itself: a menu, a fax, a voicemail. What it says begins
 * when it begins, and before keys that it asks for there may be nothing.
 */
static const char *may_be_the_end(struct detection *d, const struct event *ev, const struct hearing *h, int64_t on_ns)
{
	const struct facts *facts = detection_facts(d);
	struct endpoint sender = party_seen_at(ev->direction, ev->direction->sender);

	if (!say_is_pbx(facts, &sender.addr) || ev->leg->call->legs.count > 1)
		return NULL;
	if (hearing_collects_keys(facts, ev->direction, on_ns, h->delivered_from_ns))
		return "a PBX that had been waiting for keys of its listener";
	return (double)(h->delivered_from_ns - on_ns) < (detection_key(d, "warn-ms") + detection_key(d, "pbx-extra-ms")) * 1e6
		? "a PBX that nobody is seen behind: what it plays itself has no beginning that could be missed" : NULL;
}

/*
 * Who asked without an offer names another machine in its ACK: a controller that calls both parties, and waits with the
 * ACK for the other one's answer (RFC 3725 flow I).
 */
static const char *third_party(const struct facts *facts, const struct event *ev)
{
	struct endpoint media = party_seen_at(ev->direction, SIDE_CALLER);

	return network_same(facts->network, &media.addr, &ev->leg->party[SIDE_CALLER].signalling.addr) ? NULL
		: "a controller that waits for the other party's answer before it acknowledges this one's";
}

static void tell(struct detection *d, const struct event *ev, const struct hearing *h, const struct window *w,
	int64_t on_ns, enum severity severity)
{
	const struct facts *facts = detection_facts(d);
	enum confidence c;
	const char *reason = reason_of(facts, ev->direction, h, w,
		(int64_t)(detection_key(d, "warn-ms") * 1e6), &c);
	bool ack_late = strcmp(reason, "ack-late") == 0;
	const char *excuse = ack_late ? third_party(facts, ev)
		: strcmp(reason, "sender-late") == 0 || strcmp(reason, "unlocated") == 0
		? may_be_the_end(d, ev, h, on_ns) : NULL;
	struct finding *f;
	struct endpoint sender = party_seen_at(ev->direction, ev->direction->sender);
	struct endpoint culprit = ack_late ? party_seen_at(ev->direction, SIDE_CALLER) :
		h->opened_ns ? (struct endpoint){ h->icmp->reporter, 0 } : sender;
	char receiver[SAY_TEXT], host[SAY_TEXT], point[SAY_TEXT], act[2 * SAY_TEXT], effect[2 * SAY_TEXT];
	double delay_s = (double)(h->delivered_from_ns - on_ns) / 1e9;

	if (excuse) {
		detection_pass(d, "N10", "%s", excuse);
		return;
	}
	if (strcmp(reason, "first-packets-lost") == 0 && h->near_sender) {
		detection_withhold(d, ev->leg, "G7", "its sender counts packets that were not captured beside it");
		return;
	}
	f = detection_raise(d, reason, severity,
		w->likely_at_most && c == CONFIDENCE_CERTAIN ? CONFIDENCE_LIKELY : c);
	parts_of_direction(f, facts, ev->direction);
	if (h->stream)
		quality_listeners_behind(f, facts, h->stream, quality_got);
	finding_part(f, strcmp(reason, "first-packets-lost") == 0 ? PART_WITNESS : PART_CULPRIT, &culprit);
	finding_times(f, on_ns, h->delivered_from_ns);
	say_host(facts, &sender.addr, host);
	say_party(facts, ev->leg, side_other(ev->direction->sender), receiver);
	if (strcmp(reason, "sender-late") == 0)
		snprintf(act, sizeof act, "%s starts audio %.1f s late", host, delay_s);
	else if (strcmp(reason, "first-packets-lost") == 0)
		snprintf(act, sizeof act, "Something on the way drops the first %.1f s of audio", delay_s);
	else
		snprintf(act, sizeof act, "%s's audio comes %.1f s late", host, delay_s);
	snprintf(effect, sizeof effect, "%s %smisses the beginning", receiver, say_claim(f));
	say_title(f, act, effect);
	finding_cause(f, "%s's first audio came %.1f s after the answer, seen %s.", host, delay_s,
		say_point(facts, h, ev->direction, point));
	if (ack_late)
		tell_ack(f, facts, ev->dialog, &culprit);
	else
		tell_reason(f, facts, reason, &culprit);
	if (ev->dialog->confirmed_by && !ev->dialog->confirmed_by->request)
		finding_evidence(f, ev->dialog->confirmed_by->at, "the call is answered");
	if (h->stream)
		finding_evidence(f, stream_frame(h->stream, h->delivered_frame, h->delivered_from_ns),
			"first audio, %.1f s later", delay_s);
	cannot_see_of(f, facts, ev->direction, h);
}

/*
 * The answer as it is seen at the next point of one file, by a clock of its own: what is met there counts from then. Not
 * where it is sent again, which is done before so long (RFC 3261 13.3.1.4: after 0.5 s, then at most 4 s).
 */
static int64_t seen_on(const struct dialog *dialog, const struct hearing *h, int64_t on_ns)
{
	const struct message *answer = dialog->confirmed_by;

	CHAIN_EACH(it, answer ? &answer->transaction->messages : NULL) {
		const struct message *m = LIST_ENTRY(it, struct message, in_transaction);

		if (m->first == answer->first && (m->repeat != MESSAGE_RETRANSMITTED ||
		    (answer->transaction->final_copies == 2 && ns_minus(m->at.at_ns, answer->at.at_ns) > REPEATED_BY_NS)) &&
		    m->at.at_ns > on_ns && m->at.at_ns <= h->delivered_from_ns)
			on_ns = m->at.at_ns;
	}
	return on_ns;
}

/* In mid-speech, no marker, when the capture itself has its first frame for a second: when it began nobody saw. */
static bool begun_before(const struct capture_facts *c, const struct hearing *h, int64_t on_ns)
{
	int64_t first_ns = h->delivered_from_ns;

	return h->stream && h->stream->first_ns == first_ns && !h->stream->begins_marked &&
	       ns_minus(first_ns, on_ns) > SECOND_NS &&
	       gates_nothing_captured(c, ns_add(first_ns, -SECOND_NS), ns_add(first_ns, -100 * MILLISECOND_NS));
}

/*
 * It began before the answer and goes on without a packet missing, from a sender that leaves pauses out: what lies over
 * the answer is a pause.
 */
static bool pauses_over_answer(const struct hearing *h, const struct window *w, int64_t on_ns)
{
	const struct stream *s = h->stream;

	for (unsigned i = 0; s && (w->dtx_allowed || s->dtx_seen) && i < s->gap_count; i++) {
		const struct gap *g = &s->gaps[i];

		if (g->from_ns < on_ns && g->to_ns == h->delivered_from_ns)
			return g->seq_step == 1 && gap_kind(g) == GAP_SUPPRESSED;
	}
	return false;
}

/* What its sender gets on the other leg begins as late, and is told there. */
static bool late_already(const struct facts *facts, const struct hearing *h, int64_t due_ns)
{
	const struct stream *in = h->stream ? quality_got(facts, h->stream) : NULL;

	return in && in->first_ns >= due_ns && in->first_ns <= h->delivered_from_ns &&
	       ns_minus(h->delivered_from_ns, in->first_ns) < PASSED_ON_NS;
}

static void on_event(struct detection *d, const struct event *ev)
{
	const struct hearing *h = hearing_of(ev->direction);
	const struct window *w = first_window(ev->direction);
	bool callee = ev->direction->sender == SIDE_CALLEE;
	int64_t on_ns;
	double delay_ms, extra_ms, warn_ms;

	if (!h || !w || !h->delivered || h->delivered_from_ns == NS_NONE || h->heard == HEARD_NO) {
		detection_pass(d, NULL, "no audio was due from the answer on, or none came: see one-way-audio");
		return;
	}
	if (ev->dialog->partial || !ev->dialog->ack_seen) {
		detection_pass(d, "G6", "the answer or its ACK is not in the capture");
		return;
	}
	if (gates_clock_unreliable(detection_facts(d)->gates)) {
		detection_withhold(d, ev->leg, "G10", "the capture's times cannot be relied on");
		return;
	}
	/* with an offer in the 200 audio is due from the ACK on; what the users miss counts from the answer */
	on_ns = w->exchange && w->exchange->delayed && ev->dialog->confirmed_ns != NS_NONE &&
		ev->dialog->confirmed_ns < w->on_ns ? ev->dialog->confirmed_ns
																   : w->on_ns;
	if (h->stream && ev->dialog->confirmed_by && h->stream->file != ev->dialog->confirmed_by->at.file)
		on_ns = answered_in_file(ev->dialog, h->stream);
	if (on_ns == NS_NONE) {
		detection_withhold(d, ev->leg, "G10",
			"answer and audio are in different files, whose clocks may differ");
		return;
	}
	on_ns = seen_on(ev->dialog, h, bridge_start(ev->leg, on_ns));
	if (gates_capture_still(detection_facts(d)->gates, h->delivered_from_ns, h->delivered_from_ns) ||
	    begun_before(detection_facts(d)->capture, h, on_ns)) {
		detection_withhold(d, ev->leg, "G7", "nothing at all was captured until the audio was under way");
		return;
	}
	delay_ms = (double)(h->delivered_from_ns - on_ns) / 1e6;
	extra_ms = w->ice || w->dtls ? detection_key(d, "ice-extra-ms") : 0;
	warn_ms = (callee ? detection_key(d, "warn-ms") : detection_key(d, "caller-ms")) + extra_ms;
	if (delay_ms < warn_ms) {
		detection_pass(d, NULL, "first audio %.0f ms after the answer, less than %.0f ms",
			delay_ms < 0.5 ? 0.0 : delay_ms, warn_ms);
		return;
	}
	if (pauses_over_answer(h, w, on_ns)) {
		detection_pass(d, "N4", "it began before the answer, and pauses");
		return;
	}
	/* it may have begun in time, and paused */
	if (gates_capture_still(detection_facts(d)->gates, on_ns, ns_add(on_ns, (int64_t)(warn_ms * 1e6)))) {
		detection_withhold(d, ev->leg, "G7", "nothing at all was captured when audio was due to begin");
		return;
	}
	if (receiver_had_it(detection_facts(d), h)) {
		detection_withhold(d, ev->leg, "G3", "the receiver reports this audio before it is seen here");
		return;
	}
	if (late_already(detection_facts(d), h, ns_add(on_ns, (int64_t)(warn_ms * 1e6)))) {
		detection_pass(d, NULL, "it comes to its sender as late: told there");
		return;
	}
	tell(d, ev, h, w, on_ns, callee && delay_ms >= detection_key(d,
		"error-ms") + extra_ms ? SEVERITY_ERROR : SEVERITY_WARNING);
}

const struct detector detect_audio_late = {
	.id = "audio-late", .doc = &doc, .keys = keys, .event = on_event, .events = EVENT_BIT(EVENT_JUDGE_DIRECTION),
	.scope = PER_DIRECTION, .usual = SEVERITY_WARNING, .possible_max = SEVERITY_WARNING,
};
