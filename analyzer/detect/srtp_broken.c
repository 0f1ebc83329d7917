/* SPDX-License-Identifier: MIT */
/*
 * srtp-broken: encryption is promised and not kept, or the two sides promise different things. RFC 3711, 4568, 5763,
 * 8643. Keys are never said.
 */
#include <stdio.h>

#include "analyzer/detect/dtls_ways.h"
#include "analyzer/detect/lookup.h"
#include "analyzer/detect/reported.h"
#include "analyzer/detect/say.h"
#include "analyzer/detect/srtp_broken.h"

static const char *const reasons[] = {
	"plain-on-savp", "encrypted-on-avp", "key-mismatch", "roc-desync", "suite-mismatch", "dtls-failed",
	"one-side-only", "crypto-line-missing", NULL,
};

static const struct detector_doc doc = {
	.says = "encryption promised and not kept, or promised differently by the two sides",
	.symptom = "Loud noise or silence from the first second, or since a hold or a transfer.",
	.evidence = "The SRTP that offer and answer agree on, the DTLS handshake, the length of the packets against their codec, whether their bytes can be sound, and, where a key stands in SDP and deadair was built with libsrtp2, whether packets authenticate with it.",
	.mimics = "ZRTP, opportunistic SRTP (RTP/AVP with keys on both sides), a master key identifier, a relay that transcrypts on another leg, packets in flight while keys change.",
	.fix = "The same SRTP mode and suite on both sides of a leg; new keys with a re-INVITE.",
	.reasons = reasons,
};

static const struct config_key keys[] = {
	{ "min-packets", 50, "packets", 10, 10000, "1 s of 20 ms packets" },
	{ "entropy-clear", 7.7, "bit", 6, 8, "measured: clear G.711 speech 6.2 to 7.5, loudest 7.88 in a few windows" },
	{ "entropy-crypt", 7.95, "bit", 7, 8, "measured: ciphers 7.97 to 7.99 over 16 000 bytes" },
	{ 0 },
};

enum { MOST = 5 /* 4 of 5 packets */ };

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

bool srtp_fingerprint_empty(const struct sdp_media *m)
{
	struct span value = span_trim(m->rare->fingerprint);

	return value.n && span_find(value, ' ') == value.n;
}

bool srtp_has_keys(const struct sdp_media *m)
{
	return m->rare->crypto_count || (m->rare->fingerprint.n && !srtp_fingerprint_empty(m)) || m->rare->key_management;
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
		if (srtp_has_keys(w->receiver) != secure || srtp_has_keys(w->sender) != secure)
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

static bool stream_breach(struct detection *d, const struct direction *dir, const struct window *w,
	const struct stream *s, struct breach *b)
{
	const struct payload_look *l = s->payload;
	unsigned agreed;

	if (!l || looked(l) < detection_key(d, "min-packets"))
		return false;
	*b = (struct breach){ .stream = s, .window = w, .confidence = CONFIDENCE_LIKELY, .severity = SEVERITY_ERROR,
		.from_ns = l->first_ns, .from_frame = l->first_frame, .to_frame = s->last_frame };
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

/* ---- what the keys say ---- */

/* Other keys than those of a=crypto may hold. */
static bool keyed_otherwise(const struct facts *facts, const struct window *w, const struct stream *s)
{
	return w->dtls || w->sender->rare->key_management || w->receiver->rare->key_management || speaks_zrtp(facts, s);
}

/* It sends with the keys of the other side, as that one does with its own: the two may understand each other. */
static bool swapped_back(struct detection *d, const struct direction *dir)
{
	const struct direction *back = direction_reverse(dir);
	struct srtp_keys tested;

	for (unsigned i = 0; i < back->stream_count; i++) {
		const struct stream *s = back->streams[i];

		if (s->direction != back || !s->srtp)
			continue;
		srtp_keys_judge(detection_facts(d), back, s, &tested);
		if (tested.sort == SRTP_KEYS_OTHER && tested.whose == SRTP_KEYS_RECEIVER)
			return true;
	}
	return false;
}

/* A fork has several dialogs, and whose answer counts is not always seen. */
static bool of_another_branch(const struct direction *dir, const struct message *m)
{
	const struct dialog *own = dir->slot->dialog;

	return message_leg(m) == own->leg && own->leg->dialogs.count > 1 && m->to_tag &&
	       !span_equal(phrase_span(m->to_tag), own->to_tag);
}

static bool key_breach(struct detection *d, const struct direction *dir, struct breach *b)
{
	const struct srtp_keys *k = &b->tested;
	const struct payload_look *l = b->stream->payload;

	b->reason = "key-mismatch";
	b->confidence = CONFIDENCE_CERTAIN;
	b->from_ns = k->first_ns;
	b->from_frame = k->first_frame;
	b->to_frame = k->last_frame;
	if (k->sort == SRTP_KEYS_OTHER) {
		b->both = k->whose == SRTP_KEYS_RECEIVER && swapped_back(d, dir);
		b->severity = b->both ? SEVERITY_WARNING : SEVERITY_ERROR;
		return !of_another_branch(dir, k->fitting);
	}
	if (!always(dir, true)) {
		detection_note(d, false, "no key fits its packets, but plain RTP was offered, too");
		return false;
	}
	if (l && looked(l) && most(l, l->exact)) {
		b->reason = "plain-on-savp";
		b->confidence = CONFIDENCE_LIKELY;
	}
	return true;
}

static bool keys_breach(struct detection *d, const struct direction *dir, struct breach *b)
{
	unsigned n = b->stream->n;

	srtp_keys_judge(detection_facts(d), dir, b->stream, &b->tested);
	switch (b->tested.sort) {
	case SRTP_KEYS_UNTESTED:
		detection_note(d, false, "stream %u was not tested with its key: %s", n, b->tested.why);
		return false;
	case SRTP_KEYS_HELD:
		detection_note(d, false, "stream %u authenticates with the key announced (%u packets tested)", n,
			b->tested.tested);
		return false;
	case SRTP_KEYS_OTHER: case SRTP_KEYS_NONE:
		return key_breach(d, dir, b);
	}
	return false;
}

/* ---- the rollover count, RFC 3711 3.3.1 ---- */

/* What the receiver reports of the stream then, where its RTCP can be read. */
static enum rtcp_verdict verdict_of(struct detection *d, const struct direction *dir, const struct stream *s,
	int64_t from_ns, int64_t to_ns)
{
	const struct hearing *h = hearing_of(dir);
	const struct rtcp_report *last;

	if (!h || !h->receiver_rtcp)
		return RTCP_VERDICT_NONE;
	return reported(detection_facts(d), s, h->receiver_rtcp, from_ns, to_ns, &last);
}

static bool is_lost(enum rtcp_verdict v)
{
	return v == RTCP_VERDICT_FROZEN || v == RTCP_VERDICT_EMPTY;
}

/* The agreement in mid-stream since when the receiver reports that nothing comes, although it did before; NULL none. */
static const struct exchange *lost_since(struct detection *d, const struct direction *dir, const struct stream *s)
{
	const struct exchange *found = NULL;

	LIST_EACH(it, &dir->slot->dialog->exchanges) {
		const struct exchange *x = LIST_ENTRY(it, struct exchange, in_dialog);
		int64_t at_ns = exchange_agreed_ns(x);

		if (x->state != EXCHANGE_STABLE || at_ns == NS_NONE || at_ns <= s->first_ns || at_ns >= s->last_ns)
			continue;
		if (found && is_lost(verdict_of(d, dir, s, exchange_agreed_ns(found), at_ns)))
			return found;
		found = is_lost(verdict_of(d, dir, s, at_ns, s->last_ns)) ? x : NULL;
	}
	return found;
}

/* Did an agreement leave the sender's key as it was, as far as it is told? */
static bool key_stayed(const struct direction *dir, const struct exchange *x)
{
	const struct window *before = direction_window_at(dir, x->offered_ns), *after = NULL;

	for (unsigned i = 0; i < dir->window_count && !after; i++)
		after = dir->windows[i].exchange == x ? &dir->windows[i] : NULL;
	return before && after && before->sender && after->sender && before->secure && after->secure &&
	       srtp_keys_same(before->sender, after->sender);
}

/* The sender has counted on, and the receiver has begun anew: since then it reports that nothing comes. */
static bool receiver_breach(struct detection *d, const struct direction *dir, struct breach *b)
{
	bool held = b->tested.sort == SRTP_KEYS_HELD;
	const struct exchange *x = lost_since(d, dir, b->stream);

	if (!x || !srtp_wrapped_by(b->stream, exchange_agreed_ns(x)) || !key_stayed(dir, x) || (held && !b->tested.kept))
		return false;
	b->kept = x;
	b->confidence = held ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE;
	b->from_ns = exchange_agreed_ns(x);
	b->from_frame = x->stable_at.frame;
	return true;
}

/* The sender has begun anew: if the receiver has, too, they understand each other. */
static bool sender_breach(struct detection *d, const struct direction *dir, struct breach *b)
{
	const struct srtp_rollover *r = &b->tested.rollover;
	enum rtcp_verdict v = r->at ? verdict_of(d, dir, b->stream, r->at_ns, b->stream->last_ns)
		: RTCP_VERDICT_ADVANCING;

	if (v == RTCP_VERDICT_ADVANCING)
		return false;
	b->confidence = is_lost(v) ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE;
	b->from_ns = r->at_ns;
	b->from_frame = r->frame;
	return true;
}

static bool count_breach(struct detection *d, const struct direction *dir, struct breach *b)
{
	b->reason = "roc-desync";
	b->to_frame = b->stream->last_frame;
	return sender_breach(d, dir, b) || receiver_breach(d, dir, b);
}

/* ---- all of it ---- */

static bool tested_breach(struct detection *d, const struct direction *dir, const struct window *w,
	const struct stream *s, struct breach *b)
{
	*b = (struct breach){ .stream = s, .window = w, .severity = SEVERITY_ERROR };
	if (!s->srtp && !w->secure)
		return false;
	if (!keyed_otherwise(detection_facts(d), w, s) && keys_breach(d, dir, b))
		return true;
	return (b->tested.sort == SRTP_KEYS_HELD || always(dir, true)) && count_breach(d, dir, b);
}

static bool any_stream_breach(struct detection *d, const struct direction *dir, struct breach *b)
{
	const struct window *w = direction_first_due(dir);

	for (unsigned i = 0; w && w->receiver && w->sender && i < dir->stream_count; i++) {
		const struct stream *s = dir->streams[i];

		if (s->direction != dir || s->bound_by > BOUND_STRONG)
			continue;
		if ((!s->twin_of && stream_breach(d, dir, w, s, b)) || tested_breach(d, dir, w, s, b))
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
	*b = (struct breach){ .window = w, .message = x->answer.seen[0], .confidence = CONFIDENCE_LIKELY,
		.severity = SEVERITY_ERROR };
	if (offer->secure != answer->secure) {
		b->reason = "one-side-only";
	} else if (answer->secure && !srtp_has_keys(answer)) {
		b->reason = "crypto-line-missing";
		b->confidence = CONFIDENCE_CERTAIN;
	} else if (offer->secure && !srtp_has_keys(offer)) {
		b->reason = "crypto-line-missing";
		b->confidence = CONFIDENCE_CERTAIN;
		b->message = x->offer.seen[0];
	} else if (offer->rare->fingerprint.n && answer->rare->fingerprint.n && same_role(offer, answer)) {
		b->reason = "dtls-failed";
		b->confidence = CONFIDENCE_CERTAIN;
	}
	return b->reason != NULL;
}

/* ---- the handshake ---- */

/*
 * Keys were to come of a handshake that never gets beyond its first message. One side may send without keys, the other
 * does not: told of the direction in which audio comes, else of the one from the answerer.
 */
static const struct dtls_way *handshake_breach(const struct facts *facts, const struct direction *dir,
	bool *ret_answered)
{
	const struct window *w = direction_first_due(dir);

	if (!w || !w->dtls || direction_reverse(dir)->stream_count || (!dir->stream_count && w->answer_is_receiver))
		return NULL;
	return dtls_way_stuck(facts, dir->slot, ret_answered);
}

/* One side ends the handshake with an alert, and no audio is ever sent: told of the direction from the answerer. */
static const struct dtls_way *handshake_refused(const struct facts *facts, const struct direction *dir)
{
	const struct window *w = direction_first_due(dir);

	if (!w || !w->dtls || w->answer_is_receiver || dir->stream_count || direction_reverse(dir)->stream_count)
		return NULL;
	return dtls_way_refused(facts, dir->slot);
}

struct handshake_words { char from[SAY_TEXT], to[SAY_TEXT]; };

static struct finding *raise_handshake(struct detection *d, const struct event *ev, const struct dtls_way *way,
	struct handshake_words *w)
{
	const struct facts *facts = detection_facts(d);
	struct finding *f = detection_raise(d, "dtls-failed", SEVERITY_ERROR, CONFIDENCE_LIKELY);
	char caller[SAY_TEXT], callee[SAY_TEXT], act[2 * SAY_TEXT], effect[3 * SAY_TEXT];

	f->direction = ev->direction;
	finding_leg(f, ev->leg);
	for (unsigned side = 0; side < 2; side++)
		finding_part(f, PART_VICTIM, &ev->leg->party[side].signalling);
	finding_part(f, PART_WITNESS, &way->from);
	finding_part(f, PART_WITNESS, &way->to);
	finding_times(f, way->first_ns, way->last_ns);
	say_host(facts, &way->from.addr, w->from);
	say_host(facts, &way->to.addr, w->to);
	if (way->alert_ns != NS_NONE)
		snprintf(act, sizeof act, "%s gives the DTLS handshake up", w->from);
	else
		snprintf(act, sizeof act, "The DTLS handshake of %s fails", w->from);
	snprintf(effect, sizeof effect, "%s and %s %shear nothing", say_party(facts, ev->leg, SIDE_CALLER, caller),
		say_party(facts, ev->leg, SIDE_CALLEE, callee), say_claim(f));
	say_title(f, act, effect);
	return f;
}

static void tell_refused(struct detection *d, const struct event *ev, const struct dtls_way *way)
{
	struct frame_ref at = { way->alert_ns, way->alert_at.frame, way->alert_at.file, 0 };
	struct handshake_words w;
	struct finding *f = raise_handshake(d, ev, way, &w);

	finding_cause(f, "%s ends the DTLS handshake with the fatal alert %u: no keys are agreed, and neither side sends audio.",
		w.from, way->alert);
	finding_fix(f, "See the log of %s; alert 10: both sides take the same part (compare a=setup in offer and answer as each side has them, a device between may change it); 40, 70, 71: no cipher or version in common; 42 to 48: the certificate.",
		w.from);
	finding_evidence(f, at, "fatal alert %u", way->alert);
	finding_cannot_see(f, "why %s gives up", w.from);
}

static void tell_handshake(struct detection *d, const struct event *ev, const struct dtls_way *way, bool answered)
{
	struct frame_ref first = { way->first_ns, way->first_at.frame, way->first_at.file, 0 };
	struct handshake_words w;
	struct finding *f = raise_handshake(d, ev, way, &w);
	const char *from = w.from, *to = w.to;
	double seconds = (double)ns_minus(way->last_ns, way->first_ns) / 1e9;

	finding_cause(f, "%s begins the DTLS handshake %s in %.0f s and %s: no keys are agreed, so %s.",
		from, SAY_COUNTED(way->hellos, "time"), seconds,
		answered ? "never goes on, although answers to it pass here" : "nothing comes back",
		ev->direction->stream_count ? "what one side sends all the same cannot be heard, and the other sends no audio"
		: "neither side can send audio");
	finding_fix(f, "Look at what is between %s and %s: it passes SIP, and no DTLS by UDP%s. Keys in the SDP (SDES) do without it where SIP goes by TLS.",
		from, to, answered ? " in the direction of the answers, which certificates make large (MTU, fragments)"
		: ", or the address in the SDP is wrong");
	if (answered)
		text_addf(&f->fix, " If the answers arrive, %s drops them: its log says why (Asterisk: the address is no active ICE candidate).",
			from);
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
		srtp_broken_say(d, ev, &b);
	else if ((way = handshake_breach(detection_facts(d), ev->direction, &answered)))
		tell_handshake(d, ev, way, answered);
	else if ((way = handshake_refused(detection_facts(d), ev->direction)))
		tell_refused(d, ev, way);
	else
		detection_pass(d, NULL,
			"packets and session descriptions say the same of encryption, as far as can be seen");
}

const struct detector detect_srtp_broken = {
	.id = "srtp-broken", .doc = &doc, .keys = keys, .event = on_event, .events = EVENT_BIT(EVENT_JUDGE_DIRECTION),
	.scope = PER_DIRECTION, .usual = SEVERITY_ERROR, .possible_max = SEVERITY_WARNING,
};
