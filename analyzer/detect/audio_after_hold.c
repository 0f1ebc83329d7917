/* SPDX-License-Identifier: MIT */
/*
 * audio-missing-after-hold: audio that flowed before a hold does not come back after the resume. RFC 3264 8.4, RFC 6337
 * 5.3.
 */
#include <stdio.h>

#include "analyzer/detect/hold_ends.h"
#include "analyzer/detect/one_way.h"
#include "analyzer/detect/say.h"
#include "analyzer/detect/srtp_keys.h"

static const char *const reasons[] = { "latch-lost", "address-changed", "port-closed",
	"hold-not-released", "resume-rejected", "moh-stuck", "srtp-roc", "resume-without-address", "unlocated", NULL };

static const struct detector_doc doc = {
	.says = "no audio after resume",
	.symptom = "\"After hold, or when the call is taken back, one of us hears nothing.\"",
	.evidence = "Audio before the hold, the answer that ends it, and nothing that reaches its receiver afterwards; an answer that keeps the hold.",
	.mimics = "Hold again within 3 s, another leg still held, silence suppression, the end of the capture.",
	.fix = "Compare the session descriptions before, during and after the hold; keep the mapping of the NAT alive meanwhile.",
	.reasons = reasons,
};

static const struct config_key keys[] = {
	{ "min-seconds", 3, "s", 1, 60, "field" },
	{ 0 },
};

/* The due window before the hold. */
static const struct window *before_hold(const struct direction *d, const struct window *resumed)
{
	const struct window *found = NULL;

	for (unsigned i = 0; i < d->window_count && &d->windows[i] != resumed; i++) {
		if (d->windows[i].state == EXPECT_DUE)
			found = &d->windows[i];
	}
	return found;
}

static double packets_in(const struct direction *d, const struct window *w)
{
	return direction_packets_between(d, BOUND_BY_PROOF, w->on_ns, w->off_ns == NS_NONE ? INT64_MAX : w->off_ns);
}

static bool target_changed(const struct window *before, const struct window *after)
{
	return before->target_count && after->target_count &&
	       !endpoint_equal(&before->targets[0].at, &after->targets[0].at);
}

/* Before the hold audio went to where the receiver's packets come from, now it goes to what SDP says. */
static bool latch_forgotten(const struct direction *d, const struct window *before, const struct hearing *h)
{
	for (unsigned i = 0; h->misdirected && i < d->stream_count; i++) {
		const struct stream *s = d->streams[i];

		if (s != h->misdirected && !window_has_target(before, &s->dst) && s->first_ns < before->off_ns &&
		    window_has_target(h->window, &h->misdirected->dst))
			return true;
	}
	return false;
}

/* Its numbers began anew during the hold, or right behind it. */
static bool restarted(const struct stream *s, const struct window *before, const struct window *after)
{
	for (unsigned i = 0; i < s->gap_count; i++) {
		const struct gap *g = &s->gaps[i];

		if (g->restart && g->to_ns >= before->off_ns && g->from_ns <= after->on_ns)
			return true;
	}
	return false;
}

/*
 * Its packets arrive and are thrown away: SRTP goes on with the key of before, and whoever began to count anew how
 * often the numbers have gone round is wrong by that (pjproject 2682).
 */
static bool count_lost(const struct direction *d, const struct window *before, const struct hearing *h)
{
	const struct window *after = h->window;

	if (h->failure != FAILURE_UNDELIVERED || !before->secure || !after->secure || !before->sender ||
	    !after->sender || !srtp_keys_same(before->sender, after->sender))
		return false;
	for (unsigned i = 0; i < d->stream_count; i++) {
		const struct stream *s = d->streams[i];

		if (s->direction == d && s->first_ns < before->off_ns && s->last_ns > after->on_ns &&
		    (srtp_wrapped_by(s, after->on_ns) || restarted(s, before, after)))
			return true;
	}
	return false;
}

static const char *reason_of(const struct direction *d, const struct window *before, const struct hearing *h,
	enum confidence *ret)
{
	*ret = CONFIDENCE_LIKELY;
	if (h->icmp_count >= 3)
		return *ret = CONFIDENCE_CERTAIN, "port-closed";
	if (h->failure == FAILURE_MISDIRECTED && latch_forgotten(d, before, h))
		return *ret = CONFIDENCE_CERTAIN, "latch-lost";
	if (h->failure == FAILURE_MISDIRECTED && target_changed(before, h->window))
		return "address-changed";
	if (count_lost(d, before, h))
		return "srtp-roc";
	return "unlocated";
}

/* It sends, and not to where the resume says. */
static bool ignores_resume(const struct hearing *h)
{
	return h->failure == FAILURE_MISDIRECTED && h->window->target_count &&
	       !window_has_target(h->window, &h->misdirected->dst);
}

/* Beside it: it gets the audio on another leg, and nothing of it leaves. */
static const struct stream *not_passed_on(const struct facts *facts, const struct direction *d, const struct hearing *h,
	const struct endpoint *sender)
{
	if (h->failure != FAILURE_ABSENT || !network_at(facts->network, &sender->addr))
		return NULL;
	return one_way_gets(facts, d, h);
}

static void say_not_passed_on(struct finding *f, const struct facts *facts, const struct stream *gets,
	const struct endpoint *relay, const char *to)
{
	char talker[SAY_TEXT], host[SAY_TEXT];

	say_party(facts, gets->direction->slot->dialog->leg, gets->direction->sender, talker);
	say_host(facts, &relay->addr, host);
	text_addf(&f->cause, " On the other leg of the call %s gets %s's audio all the while.", host, talker);
	finding_fix(f, "Look at the media relay or bridge of %s, and what it does at the resume: it gets %s's audio "
		"and does not pass it on to %s.",
		host, talker, to);
	finding_part(f, PART_CULPRIT, &(struct endpoint){ relay->addr, 0 });
	finding_evidence_run(f, stream_frame(gets, gets->first_frame, gets->first_ns), gets->last_frame,
		"on the other leg: what it should pass on");
}

static void tell(struct detection *d, const struct event *ev, const struct hearing *h, const struct window *before)
{
	const struct facts *facts = detection_facts(d);
	enum confidence c;
	const char *reason = reason_of(ev->direction, before, h, &c);
	struct finding *f = detection_raise(d, reason, SEVERITY_ERROR, c);
	enum side receiver = side_other(ev->direction->sender);
	struct endpoint sender_at = party_seen_at(ev->direction, ev->direction->sender);
	const struct stream *gets = strcmp(reason, "unlocated") != 0 ? NULL
		: not_passed_on(facts, ev->direction, h, &sender_at);
	char to[SAY_TEXT], from[SAY_TEXT], sender[SAY_TEXT], now[ENDPOINT_TEXT] = "?", was[ENDPOINT_TEXT] = "?",
		gone[ENDPOINT_TEXT] = "?";

	say_party(facts, ev->leg, receiver, to);
	say_party(facts, ev->leg, ev->direction->sender, from);
	say_host(facts, &sender_at.addr, sender);
	if (h->window->target_count)
		endpoint_text(&h->window->targets[0].at, now);
	if (before->target_count)
		endpoint_text(&before->targets[0].at, was);
	if (ignores_resume(h))
		endpoint_text(&h->misdirected->dst, gone);
	parts_of_direction(f, facts, ev->direction);
	if (ignores_resume(h))
		finding_part(f, PART_CULPRIT, &(struct endpoint){ sender_at.addr, 0 });
	finding_times(f, h->from_ns, h->to_ns);
	f->since_ns = h->from_ns;
	finding_title(f, "%s %shears nothing of %s after the call is resumed", to, say_claim(f), from);
	if (strcmp(reason, "latch-lost") == 0)
		finding_cause(f, "%s had learnt where %s's audio comes from; since the resume it sends to %s, as SDP says, which does not arrive.", sender, to, now);
	else if (ignores_resume(h))
		finding_cause(f, "Since the resume %s sends to %s; the resume names %s for the audio of %s.", sender, gone, now, to);
	else if (strcmp(reason, "address-changed") == 0)
		finding_cause(f, "The resume names %s for the audio of %s, before the hold it was %s; %s obeys.", now,
			to, was, sender);
	else if (strcmp(reason, "port-closed") == 0)
		finding_cause(f, "Since the resume audio to %s is answered by ICMP errors.", now);
	else if (strcmp(reason, "srtp-roc") == 0)
		finding_cause(f, "The audio of %s passes here, and %s reports that nothing comes: SRTP goes on with the key of before the hold, and one of them has lost count of how often the packet numbers went round.", from, to);
	else
		finding_cause(f,
			"Audio from %s to %s worked until the hold; since the resume it is missing for %.0f s.", from,
			to, (double)(h->to_ns - h->from_ns) / 1e9);
	if (gets)
		say_not_passed_on(f, facts, gets, &sender_at, to);
	else if (strcmp(reason, "srtp-roc") == 0)
		finding_fix(f, "Keep the SRTP rollover count over hold and resume, or renew the key with each re-INVITE: update both devices.");
	else if (ignores_resume(h))
		finding_fix(f, "Update %s: it does not follow the address of the resume; or leave the audio on the server during hold (no music server of its own, no direct media).", sender);
	else
		finding_fix(f, "Compare the session descriptions of the frames named here; look at what %s does at the resume, and keep NAT mappings alive during hold "
		    "(keepalive of 30 s or less).", sender);
	finding_evidence(f, window_sdp_frame(before), "before the hold: audio to %s", was);
	if (h->window->exchange)
		finding_evidence(f, h->window->exchange->stable_at, "the resume is agreed");
	finding_evidence(f, window_sdp_frame(h->window), "after it: audio to %s", now);
	if (ignores_resume(h))
		finding_cannot_see(f, "whether %s gets at %s what %s sends there", to, gone, sender);
	else
		cannot_see_of(f, facts, ev->direction, h);
}

static void on_event(struct detection *d, const struct event *ev)
{
	const struct hearing *h = hearing_of(ev->direction);
	const struct window *before;

	if (h && hold_goes_on(d, ev))
		return;
	if (!h || h->heard != HEARD_NO || !h->window->resumed || !h->whole) {
		if (h && h->gate && h->window && h->window->resumed)
			detection_withhold(d, ev->leg, h->gate, "%s", hearing_why(h));
		else
			detection_pass(d, h ? h->row : NULL, "audio of a window after a resume does not fail");
		return;
	}
	before = before_hold(ev->direction, h->window);
	if (!before || packets_in(ev->direction, before) < 25) {
		detection_pass(d, NULL, "there was no audio before the hold either");
		return;
	}
	if ((double)(h->to_ns - h->from_ns) < detection_key(d, "min-seconds") * 1e9) {
		detection_pass(d, NULL, "%.1f s are too short", (double)(h->to_ns - h->from_ns) / 1e9);
		return;
	}
	tell(d, ev, h, before);
}

const struct detector detect_audio_missing_after_hold = {
	.id = "audio-missing-after-hold", .doc = &doc, .keys = keys, .event = on_event,
	.events = EVENT_BIT(EVENT_JUDGE_DIRECTION),
	.scope = PER_DIRECTION, .usual = SEVERITY_ERROR, .possible_max = SEVERITY_WARNING,
};
