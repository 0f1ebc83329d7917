/* SPDX-License-Identifier: MIT */
/*
 * srtp-broken: encryption is promised and not kept, or the two sides promise different things. RFC 3711, 4568, 5763,
 * 8643. Keys are never said.
 */
#include <stdio.h>

#include "analyzer/detect/dtls_ways.h"
#include "analyzer/detect/say.h"

static const char *const reasons[] = {
	"plain-on-savp", "encrypted-on-avp", "suite-mismatch", "dtls-failed", "one-side-only", "crypto-line-missing",
	NULL,
};

static const struct detector_doc doc = {
	.says = "encryption promised and not kept, or promised differently by the two sides",
	.symptom = "Loud noise or silence from the first second.",
	.evidence = "The SRTP that offer and answer agree on, the DTLS handshake, the length of the packets against their codec, and whether their bytes can be sound.",
	.mimics = "ZRTP, opportunistic SRTP (RTP/AVP with keys on both sides), a master key identifier, a relay that transcrypts on another leg.",
	.fix = "The same SRTP mode and suite on both sides of a leg; new keys with a re-INVITE.",
	.reasons = reasons,
};

static const struct config_key keys[] = {
	{ "min-packets", 50, "packets", 10, 10000, "1 s of 20 ms packets" },
	{ "entropy-clear", 7.7, "bit", 6, 8, "measured: clear G.711 speech 6.2 to 7.5, loudest 7.88 in a few windows" },
	{ "entropy-crypt", 7.95, "bit", 7, 8, "measured: ciphers 7.97 to 7.99 over 16 000 bytes" },
	{ 0 },
};

enum { BOUND_STRONG = 6, MOST = 5 /* 4 of 5 packets */ };

#define SPREAD_CLEAR_DB 6.0                  /* speech rises and falls */
#define SPREAD_CIPHER_DB 3.0
#define CIPHER_LOUDEST_DBM0 (-2.0)
#define CIPHER_SOFTEST_DBM0 (-6.0)

/* ---- what the bytes can be ---- */

static unsigned windows_kept(const struct payload_look *l)
{
	return l->windows < PAYLOAD_WINDOW_MAX ? l->windows : PAYLOAD_WINDOW_MAX;
}

static bool is_clear(const struct detection *d, const struct payload_window *w)
{
	return w->bits < detection_key(d, "entropy-clear") || w->spread_db > SPREAD_CLEAR_DB;
}

static bool is_cipher(const struct detection *d, const struct payload_window *w)
{
	return w->bits >= detection_key(d, "entropy-crypt") && w->spread_db <= SPREAD_CIPHER_DB &&
	       w->median_dbm0 <= CIPHER_LOUDEST_DBM0 &&
	       w->median_dbm0 >= CIPHER_SOFTEST_DBM0;
}

static bool any_clear(const struct detection *d, const struct payload_look *l)
{
	for (unsigned i = 0; i < windows_kept(l); i++) {
		if (is_clear(d, &l->window[i]))
			return true;
	}
	return false;
}

static bool all_cipher(const struct detection *d, const struct payload_look *l)
{
	for (unsigned i = 0; i < windows_kept(l); i++) {
		if (!is_cipher(d, &l->window[i]))
			return false;
	}
	return l->windows > 0;
}

static uint32_t looked(const struct payload_look *l)
{
	return l->exact + l->shorter + l->longer;
}

static bool most(const struct payload_look *l, uint32_t n)
{
	return n * MOST >= looked(l) * (MOST - 1);
}

/* ---- what was agreed ---- */

/* The name of a hash and nothing behind it: its sender has no certificate. RFC 8122 5. */
static bool fingerprint_empty(const struct sdp_media *m)
{
	struct span value = span_trim(m->rare->fingerprint);

	return value.n && span_find(value, ' ') == value.n;
}

static bool has_keys(const struct sdp_media *m)
{
	return m->rare->crypto_count || (m->rare->fingerprint.n && !fingerprint_empty(m)) || m->rare->key_management;
}

static const struct sdp_media *answer_of(const struct window *w)
{
	return w->answer_is_receiver ? w->receiver : w->sender;
}

/* Bytes that the agreed suite puts behind each packet; 0: not known. RFC 4568 6.2, 6188, 7714. */
static unsigned tag_bytes(const struct window *w)
{
	struct span suite = answer_of(w)->rare->crypto_suite;

	if (!suite.n || w->receiver->rare->crypto_mki || w->sender->rare->crypto_mki || w->dtls)
		return 0;
	if (span_starts_nocase(suite, SPAN("AEAD_")))
		return 16;
	if (span_find_text_nocase(suite, SPAN("_SHA1_80")) < suite.n)
		return 10;
	return span_find_text_nocase(suite, SPAN("_SHA1_32")) < suite.n ? 4 : 0;
}

/* All due windows of the direction are encrypted, or none is. */
static bool always(const struct direction *d, bool secure)
{
	bool any = false;

	for (unsigned i = 0; i < d->window_count; i++) {
		const struct window *w = &d->windows[i];

		if (w->state != EXPECT_DUE)
			continue;
		any = true;
		if (!w->receiver || !w->sender || w->receiver->secure != secure || w->sender->secure != secure)
			return false;
		if (has_keys(w->receiver) != secure || has_keys(w->sender) != secure)
			return false;
	}
	return any;
}

static bool speaks_zrtp(const struct facts *facts, const struct stream *s)
{
	const struct pair *there = network_pair_find(facts->network, &s->src.addr, &s->dst.addr),
		*back = network_pair_find(facts->network, &s->dst.addr, &s->src.addr);

	return (there && there->zrtp) || (back && back->zrtp);
}

/* ---- what is broken ---- */

struct breach {
	const char *reason;
	enum confidence confidence;
	const struct stream *stream; /* NULL: signalling alone shows it */
	const struct window *window;
	const struct message *message;       /* that says it */
	unsigned tag, agreed;        /* bytes behind the payload */
};

static bool stream_breach(struct detection *d, const struct direction *dir, const struct window *w,
	const struct stream *s, struct breach *b)
{
	const struct payload_look *l = s->payload;
	unsigned agreed;

	if (!l || looked(l) < detection_key(d, "min-packets"))
		return false;
	*b = (struct breach){ .stream = s, .window = w, .confidence = CONFIDENCE_LIKELY };
	if (always(dir, true)) {
		agreed = tag_bytes(w);
		b->agreed = agreed;
		b->tag = most(l, l->longer4) ? 4 : most(l, l->longer10) ? 10 : most(l, l->longer16) ? 16 : 0;
		if (most(l, l->exact) && any_clear(d, l)) {
			b->reason = "plain-on-savp";
			b->confidence = CONFIDENCE_CERTAIN;
		} else if (agreed && b->tag && b->tag != agreed) {
			b->reason = "suite-mismatch";
		}
	} else if (always(dir, false) && most(l, l->longer4 + l->longer10 + l->longer16) && all_cipher(d, l) &&
	    !speaks_zrtp(detection_facts(d), s)) {
		b->reason = "encrypted-on-avp";
	}
	return b->reason != NULL;
}

static bool any_stream_breach(struct detection *d, const struct direction *dir, struct breach *b)
{
	const struct window *w = direction_first_due(dir);

	for (unsigned i = 0; w && w->receiver && w->sender && i < dir->stream_count; i++) {
		const struct stream *s = dir->streams[i];

		if (s->direction == dir && s->bound_by <= BOUND_STRONG && !s->twin_of && stream_breach(d, dir, w, s, b))
			return true;
	}
	return false;
}

static bool same_role(const struct sdp_media *a, const struct sdp_media *b)
{
	return (span_equal_nocase(a->rare->setup, SPAN("active")) && span_equal_nocase(b->rare->setup, SPAN("active"))) ||
	       (span_equal_nocase(a->rare->setup, SPAN("passive")) && span_equal_nocase(b->rare->setup, SPAN("passive")));
}

/* What offer and answer themselves get wrong; told of the direction from the answerer, once. */
static bool session_breach(const struct direction *dir, struct breach *b)
{
	const struct window *w = direction_first_due(dir);
	const struct exchange *x = w ? w->exchange : NULL;
	const struct sdp_media *offer = w ? w->receiver : NULL, *answer = w ? w->sender : NULL;

	if (!x || !offer || !answer || w->answer_is_receiver || !x->answer.count || !x->offer.count ||
	    x->answer_assumed)
		return false;
	*b = (struct breach){ .window = w, .message = x->answer.seen[0], .confidence = CONFIDENCE_LIKELY };
	if (offer->secure != answer->secure) {
		b->reason = "one-side-only";
	} else if (answer->secure && !has_keys(answer)) {
		b->reason = "crypto-line-missing";
		b->confidence = CONFIDENCE_CERTAIN;
	} else if (offer->secure && !has_keys(offer)) {
		b->reason = "crypto-line-missing";
		b->confidence = CONFIDENCE_CERTAIN;
		b->message = x->offer.seen[0];
	} else if (offer->rare->fingerprint.n && answer->rare->fingerprint.n && same_role(offer, answer)) {
		b->reason = "dtls-failed";
		b->confidence = CONFIDENCE_CERTAIN;
	}
	return b->reason != NULL;
}

/* ---- words ---- */

struct words { char from[SAY_TEXT], to[SAY_TEXT]; unsigned frame; };

static void say_stream(struct finding *f, const struct breach *b, const struct words *w)
{
	if (strcmp(f->reason, "plain-on-savp") == 0) {
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
	return has_keys(b->window->sender) ? b->window->receiver : b->window->sender;
}

static void say_session(struct finding *f, const struct breach *b, const struct words *w)
{
	if (strcmp(f->reason, "one-side-only") == 0) {
		finding_cause(f, "%s and %s name different media protocols for one line: %s is SRTP, the other is not; one of them will discard what comes.", w->from, w->to,
			      b->window->sender->secure ? "the answer" : "the offer");
		finding_fix(f, "Set SRTP to the same mode on %s and %s: off, or mandatory.", w->from, w->to);
	} else if (strcmp(f->reason, "crypto-line-missing") == 0 && fingerprint_empty(keyless(b))) {
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

static void tell(struct detection *d, const struct event *ev, const struct breach *b)
{
	const struct facts *facts = detection_facts(d);
	struct finding *f = detection_raise(d, b->reason, SEVERITY_ERROR,
		b->window->likely_at_most ? CONFIDENCE_LIKELY : b->confidence);
	struct endpoint from_at = b->stream ? b->stream->src : party_seen_at(ev->direction, ev->direction->sender);
	struct frame_ref said = b->message ? b->message->at : window_sdp_frame(b->window);
	struct words w = { .frame = said.frame };
	char act[2 * SAY_TEXT], effect[2 * SAY_TEXT], count[TEXT_COUNT];

	parts_of_direction(f, facts, ev->direction);
	finding_part(f, PART_CULPRIT, &from_at);
	say_host(facts, &from_at.addr, w.from);
	say_party(facts, ev->leg, side_other(ev->direction->sender), w.to);
	snprintf(act, sizeof act, "%s does not keep to the SRTP that was agreed", w.from);
	snprintf(effect, sizeof effect, "%s %shears noise or nothing", w.to, say_claim(f));
	say_title(f, act, effect);
	if (b->stream) {
		finding_times(f, b->stream->payload->first_ns, b->stream->last_ns);
		finding_stream(f, b->stream->n);
		say_stream(f, b, &w);
	} else {
		finding_times(f, said.at_ns, window_end(b->window, facts->capture->last_ns));
		say_session(f, b, &w);
	}
	finding_evidence(f, said, b->window->secure ? "SRTP is named here" : "plain RTP is named here");
	if (b->stream)
		finding_evidence_run(f, stream_frame(b->stream, b->stream->payload->first_frame,
			b->stream->payload->first_ns), b->stream->last_frame,
				     "%s packets, %s", text_count(b->stream->packets, count),
				     b->tag ? "with another tag" : "looked at from here on");
	if (f->confidence < CONFIDENCE_CERTAIN)
		finding_cannot_see(f, "what %s makes of these packets", w.to);
}

/* ---- the handshake ---- */

/* Keys were to come of a handshake that never gets beyond its first message; told of the direction from the answerer. */
static const struct dtls_way *handshake_breach(const struct facts *facts, const struct direction *dir,
	bool *ret_answered)
{
	const struct window *w = direction_first_due(dir);

	if (!w || !w->dtls || w->answer_is_receiver || dir->stream_count || direction_reverse(dir)->stream_count)
		return NULL;
	return dtls_way_stuck(facts, dir->slot, ret_answered);
}

static void tell_handshake(struct detection *d, const struct event *ev, const struct dtls_way *way, bool answered)
{
	const struct facts *facts = detection_facts(d);
	struct finding *f = detection_raise(d, "dtls-failed", SEVERITY_ERROR, CONFIDENCE_LIKELY);
	struct frame_ref first = { way->first_ns, way->first_at.frame, way->first_at.file, 0 };
	char from[SAY_TEXT], to[SAY_TEXT], caller[SAY_TEXT], callee[SAY_TEXT], act[2 * SAY_TEXT], effect[3 * SAY_TEXT];
	double seconds = (double)ns_minus(way->last_ns, way->first_ns) / 1e9;

	f->direction = ev->direction;
	finding_leg(f, ev->leg);
	for (unsigned side = 0; side < 2; side++)
		finding_part(f, PART_VICTIM, &ev->leg->party[side].signalling);
	finding_part(f, PART_WITNESS, &way->from);
	finding_part(f, PART_WITNESS, &way->to);
	finding_times(f, way->first_ns, way->last_ns);
	say_host(facts, &way->from.addr, from);
	say_host(facts, &way->to.addr, to);
	snprintf(act, sizeof act, "The DTLS handshake of %s fails", from);
	snprintf(effect, sizeof effect, "%s and %s %shear nothing", say_party(facts, ev->leg, SIDE_CALLER, caller),
		say_party(facts, ev->leg, SIDE_CALLEE, callee), say_claim(f));
	say_title(f, act, effect);
	finding_cause(f, "%s begins the DTLS handshake %u times in %.0f s and %s: no keys are agreed, so neither side can send audio.",
		from, way->hellos, seconds,
		answered ? "never goes on, although answers to it pass here" : "nothing comes back");
	finding_fix(f, "Look at what is between %s and %s: it passes SIP, and no DTLS by UDP%s. Keys in the SDP (SDES) do without it where SIP goes by TLS.",
		from, to, answered ? " in the direction of the answers, which certificates make large (MTU, fragments)"
		: ", or the address in the SDP is wrong");
	finding_evidence(f, first, "ClientHello, the first of %u", way->hellos);
	finding_cannot_see(f, "whether %s %s; capture beside it to decide", answered ? from : to,
		answered ? "gets the answers" : "got any of them");
}

static void on_event(struct detection *d, const struct event *ev)
{
	const struct dtls_way *way;
	bool answered = false;
	struct breach b = { .reason = NULL };

	if (ev->leg->cut) {
		detection_withhold(d, ev->leg, "G5",
			"the capture cut messages of this call: its keys may stand behind the cut");
		return;
	}
	if (any_stream_breach(d, ev->direction, &b) || session_breach(ev->direction, &b))
		tell(d, ev, &b);
	else if ((way = handshake_breach(detection_facts(d), ev->direction, &answered)))
		tell_handshake(d, ev, way, answered);
	else
		detection_pass(d, NULL,
			"packets and session descriptions say the same of encryption, as far as can be seen");
}

const struct detector detect_srtp_broken = {
	.id = "srtp-broken", .doc = &doc, .keys = keys, .event = on_event, .events = EVENT_BIT(EVENT_JUDGE_DIRECTION),
	.scope = PER_DIRECTION, .usual = SEVERITY_ERROR, .possible_max = SEVERITY_WARNING,
};
