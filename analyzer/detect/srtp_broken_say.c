/* SPDX-License-Identifier: MIT */
/* srtp_broken_say: how srtp-broken is told. Keys are never said. */
#include "analyzer/detect/srtp_broken.h"

#include <stdio.h>

#include "analyzer/detect/say.h"

struct words { char from[SAY_TEXT], to[SAY_TEXT]; unsigned frame; };

/* The sender keeps to what it announced: who passed it on has put another key in its place. */
static bool is_replaced(const struct breach *b)
{
	return b->tested.sort == SRTP_KEYS_OTHER && b->tested.whose == SRTP_KEYS_REPLACED;
}

/* Behind "... fail authentication with the key that it announced". */
static void say_key(struct finding *f, const struct breach *b, const struct words *w)
{
	const struct srtp_keys *k = &b->tested;
	const char *fits = "no other key of this call fits either";
	unsigned at = k->fitting ? k->fitting->at.frame : 0;
	char where[SAY_TEXT];

	if (k->sort == SRTP_KEYS_OTHER) {
		static const char *const known[] = { [SRTP_KEYS_OWN] = "they fit its key of frame %u",
			[SRTP_KEYS_LINE] = "they fit another key of its offer in frame %u, which the answer has not chosen",
			[SRTP_KEYS_REPLACED] = "they fit the one that it announced in frame %u, which was replaced on the way",
			[SRTP_KEYS_RECEIVER] = "they fit the key that the other side announced in frame %u",
			[SRTP_KEYS_ELSEWHERE] = "they fit a key of another hop, medium or leg in frame %u" };

		snprintf(where, sizeof where, known[k->whose], at);
		fits = where;
	}
	if (is_replaced(b))
		finding_cause(f, "%s packets of %s fail authentication with the key that %s was given for it in frame %u; %s.",
			SAY_COUNT(k->tested), w->from, w->to, w->frame, fits);
	else
		finding_cause(f, "%s packets of %s fail authentication with the key that %s announced in frame %u; %s.",
			SAY_COUNT(k->tested), w->from, w->from, w->frame, fits);
	if (is_replaced(b))
		finding_fix(f, "Look at what passes the SDP on between frames %u and %u: it must leave a=crypto lines as they are, or relay the audio and encrypt it anew.",
			at, w->frame);
	else if (k->sort == SRTP_KEYS_OTHER && k->whose == SRTP_KEYS_RECEIVER)
		finding_fix(f, "a=crypto names the key of the one who sends (RFC 4568): update %s, which encrypts with the key of its peer.", w->from);
	else if (k->sort == SRTP_KEYS_OTHER && k->whose == SRTP_KEYS_ELSEWHERE)
		finding_fix(f, "Let %s encrypt anew for this leg, or pass the a=crypto lines on as they are.", w->from);
	else if (k->sort == SRTP_KEYS_OTHER && k->whose == SRTP_KEYS_OWN)
		finding_fix(f, "Look at how %s takes over keys in a re-INVITE: update it, or switch the renewal of SRTP keys off.", w->from);
	else
		finding_fix(f, "Update %s; or look for a device before this point that replaces a=crypto lines or encrypts anew.", w->from);
}

static void say_count(struct finding *f, const struct breach *b, const struct words *w)
{
	const struct srtp_rollover *r = &b->tested.rollover;

	if (b->kept)
		finding_cause(f, "The packet numbers of %s had gone round when the session was agreed again (frame %u), with the key as it was; it counts on, and since then %s reports that nothing comes: it has begun to count anew.",
			w->from, b->kept->stable_at.frame, w->to);
	else
		finding_cause(f, "Since frame %u %s counts the rounds of its packet numbers from %u again, after %u, with the same key and SSRC (session agreed again in frame %u): who counts on discards its packets.",
			r->frame, w->from, r->after, r->before, r->at->stable_at.frame);
	finding_fix(f, "Keep the rollover count as long as key and SSRC stay (RFC 3711 3.3.1), or renew the key in every re-INVITE: update %s.",
		b->kept ? w->to : w->from);
}

static void say_stream(struct finding *f, const struct breach *b, const struct words *w)
{
	if (strcmp(f->reason, "key-mismatch") == 0) {
		say_key(f, b, w);
	} else if (strcmp(f->reason, "roc-desync") == 0) {
		say_count(f, b, w);
	} else if (strcmp(f->reason, "plain-on-savp") == 0) {
		finding_cause(f, "SRTP was agreed (frame %u) but %s sends clear RTP: its packets have no tag and hold sound; %s discards them.", w->frame, w->from, w->to);
		finding_fix(f, "Switch SRTP on in the media profile of %s, or off on both sides; do not mix \"mandatory\" with \"optional\".", w->from);
	} else if (strcmp(f->reason, "suite-mismatch") == 0) {
		finding_cause(f, "%s puts %u bytes behind each packet; the agreed suite (frame %u) has %u.", w->from,
			b->tag, w->frame, b->agreed);
		finding_fix(f, "Offer one SRTP suite alone on both sides (AES_CM_128_HMAC_SHA1_80).");
	} else {
		finding_cause(f, "Plain RTP was agreed (frame %u) but what %s sends is encrypted: every packet is %s longer than its codec, and no byte of it is sound.",
			      w->frame, w->from, "4, 10 or 16 bytes");
		finding_fix(f, "Switch SRTP off on %s, or on at both sides.", w->from);
	}
}

/* Whose description lacks its keys. */
static const struct sdp_media *keyless(const struct breach *b)
{
	return srtp_has_keys(b->window->sender) ? b->window->receiver : b->window->sender;
}

static void say_session(struct finding *f, const struct breach *b, const struct words *w)
{
	if (strcmp(f->reason, "one-side-only") == 0) {
		finding_cause(f, "%s and %s name different media protocols for one line: %s is SRTP, the other is not; one of them will discard what comes.", w->from, w->to,
			      b->window->sender->secure ? "the answer" : "the offer");
		finding_fix(f, "Set SRTP to the same mode on %s and %s: off, or mandatory.", w->from, w->to);
	} else if (strcmp(f->reason, "crypto-line-missing") == 0 && srtp_fingerprint_empty(keyless(b))) {
		finding_cause(f, "SRTP is named (frame %u) with an empty fingerprint: its sender has no certificate for DTLS, and no keys can be agreed.", w->frame);
		finding_fix(f, "Give the sender of frame %u a certificate and private key for DTLS that it can read: path, rights, format; its log tells.", w->frame);
	} else if (strcmp(f->reason, "crypto-line-missing") == 0) {
		finding_cause(f, "SRTP is named (RTP/SAVP, frame %u) and no key goes with it: neither a=crypto nor a fingerprint.", w->frame);
		finding_fix(f, "Update the sender of frame %u, or look for a device that removes lines from SDP.",
			w->frame);
	} else {
		finding_cause(f, "Both sides take the same part in the DTLS handshake (a=setup, frame %u): no keys can be agreed.", w->frame);
		finding_fix(f, "The answer to actpass must be active or passive, and to active it must be passive: correct a=setup on %s.", w->from);
	}
}

static void say_evidence(struct finding *f, const struct breach *b, struct frame_ref said)
{
	const struct srtp_keys *k = &b->tested;
	const struct stream *s = b->stream;
	char count[TEXT_COUNT];

	if (b->from_frame && (k->sort == SRTP_KEYS_OTHER || k->sort == SRTP_KEYS_NONE)) {
		finding_evidence(f, said, "the key is announced here");
		if (k->fitting)
			finding_evidence(f, k->fitting->at, "the key that fits is announced here");
		finding_evidence_run(f, stream_frame(s, b->from_frame, b->from_ns), b->to_frame,
			"%u packets tested, none authenticates", k->tested);
		return;
	}
	finding_evidence(f, said, b->window->secure ? "SRTP is named here" : "plain RTP is named here");
	if (s)
		finding_evidence_run(f, stream_frame(s, b->from_frame, b->from_ns), b->to_frame, "%s packets, %s",
			text_count(s->packets, count), b->tag ? "with another tag" : "looked at from here on");
}

static void say_breach_title(struct finding *f, const struct breach *b, const struct words *w)
{
	char act[3 * SAY_TEXT], effect[3 * SAY_TEXT];

	if (b->kept)
		snprintf(act, sizeof act, "%s has lost count of the SRTP of %s", w->to, w->from);
	else if (is_replaced(b))
		snprintf(act, sizeof act, "The SRTP key of %s is replaced on the way", w->from);
	else
		snprintf(act, sizeof act, "%s does not keep to the SRTP that was agreed", w->from);
	if (b->both)
		snprintf(effect, sizeof effect, "%s and %s encrypt with each other's keys", w->to, w->from);
	else
		snprintf(effect, sizeof effect, "%s %shears noise or nothing", w->to, say_claim(f));
	say_title(f, act, effect);
}

static struct frame_ref said_at(const struct breach *b)
{
	if (b->message)
		return b->message->at;
	return b->tested.announced && b->tested.sort != SRTP_KEYS_HELD ? b->tested.announced->at
		: window_sdp_frame(b->window);
}

void srtp_broken_say(struct detection *d, const struct event *ev, const struct breach *b)
{
	const struct facts *facts = detection_facts(d);
	struct finding *f = detection_raise(d, b->reason, b->severity,
		b->window->likely_at_most && b->confidence > CONFIDENCE_LIKELY ? CONFIDENCE_LIKELY : b->confidence);
	struct endpoint from_at = b->stream ? b->stream->src : party_seen_at(ev->direction, ev->direction->sender);
	struct frame_ref said = said_at(b);
	struct words w = { .frame = said.frame };

	parts_of_direction(f, facts, ev->direction);
	if (!is_replaced(b))
		finding_part(f, PART_CULPRIT, b->kept ? &b->stream->dst : &from_at);
	else if (address_equal(&b->tested.fitting->dst.addr, &b->tested.announced->src.addr))
		finding_part(f, PART_CULPRIT, &b->tested.announced->src);
	say_host(facts, &from_at.addr, w.from);
	say_party(facts, ev->leg, side_other(ev->direction->sender), w.to);
	say_breach_title(f, b, &w);
	if (b->stream) {
		finding_times(f, b->from_ns, b->stream->last_ns);
		finding_stream(f, b->stream->n);
		say_stream(f, b, &w);
	} else {
		finding_times(f, said.at_ns, window_end(b->window, facts->capture->last_ns));
		say_session(f, b, &w);
	}
	say_evidence(f, b, said);
	if (f->confidence < CONFIDENCE_CERTAIN)
		finding_cannot_see(f, "what %s makes of these packets", w.to);
}
