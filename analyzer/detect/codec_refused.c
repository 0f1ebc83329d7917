/* SPDX-License-Identifier: MIT */
/*
 * codec_refused: codec-not-agreed of a call that found no codec: a 488 or 606, which may mean the encryption, or an
 * answer without a voice codec of the offer. RFC 3264 6, RFC 3261 21.4.26.
 */
#include "analyzer/detect/codec.h"

#include <stdio.h>

#include "analyzer/calls/headers.h"
#include "analyzer/detect/attempts.h"
#include "analyzer/detect/lookup.h"
#include "analyzer/detect/say.h"

enum { NOT_ACCEPTABLE_HERE = 488, NOT_ACCEPTABLE = 606 };

static bool is_refusal(unsigned status)
{
	return status == NOT_ACCEPTABLE_HERE || status == NOT_ACCEPTABLE;
}

static const struct transaction *refused_transaction(const struct leg *leg)
{
	LIST_EACH(it, &leg->transactions) {
		const struct transaction *t = LIST_ENTRY(it, struct transaction, in_leg);

		if (t->initial && t->final && is_refusal(t->final->status))
			return t;
	}
	return NULL;
}

static bool refused(const struct leg *leg)
{
	return !leg->answered && is_refusal(leg->status);
}

/*
 * Another leg of the call was answered: it was tried elsewhere. Or one further on was refused the same: it is told
 * there.
 */
static const char *excuse_of(const struct facts *facts, const struct leg *leg)
{
	if (leg->retry_answered)
		return "a new attempt was answered";
	if (attempts_under_way(lookup_attempts(facts->lookup), leg,
	    config_ns(facts->config, "call-failed", "redial-s", SECOND_NS)))
		return "a new attempt is under way when the capture ends";
	LIST_EACH(it, &leg->call->legs) {
		const struct leg *other = LIST_ENTRY(it, struct leg, in_call);

		if (other->answered)
			return "another leg of the call was answered";
		if (other != leg && other->n > leg->n && refused(other))
			return "the refusal comes from a leg further on and is told there";
	}
	return NULL;
}

static const struct sdp_media *audio_of(const struct sdp *sdp)
{
	for (unsigned i = 0; sdp && i < sdp->media_count; i++) {
		if (sdp->media[i].kind == SDP_AUDIO)
			return &sdp->media[i];
	}
	return NULL;
}

static void parts(struct finding *f, const struct leg *leg, const struct message *offer, const struct message *answer)
{
	finding_leg(f, leg);
	LIST_EACH(it, &leg->call->legs) {
		if (refused(LIST_ENTRY(it, struct leg, in_call)))
			finding_leg(f, LIST_ENTRY(it, struct leg, in_call));
	}
	finding_part(f, PART_VICTIM, &offer->src);
	finding_part(f, PART_WITNESS, &answer->src);
	finding_times(f, offer->at.at_ns, answer->at.at_ns);
}

/* ---- 488, 606 ---- */

/* Then no codec of the other side can help. The cause goes on with its answer. */
static void say_none_offered(struct finding *f, const struct message *offer, const struct sdp_media *audio,
	const char *from, const char *by)
{
	char act[2 * SAY_TEXT];

	snprintf(act, sizeof act, "%s offers no audio that can be taken", from);
	say_title(f, act, "the call fails");
	if (audio)
		finding_part(f, PART_CULPRIT, &offer->src);
	if (audio)
		finding_cause(f, "%s offers audio with port 0, which is none; %s answers", from, by);
	else
		finding_cause(f, "%s offers no audio; %s answers", from, by);
	finding_fix(f, "Look at %s: sound device missing or taken, audio or all codecs switched off, no free media port; if fax or video alone is meant, let %s take calls without audio.",
		from, by);
}

/* Audio as SRTP and in no other way. */
static bool srtp_alone(const struct sdp *offer)
{
	unsigned secure = 0;

	for (unsigned i = 0; i < offer->media_count; i++) {
		const struct sdp_media *m = &offer->media[i];

		if (m->kind != SDP_AUDIO || m->port == 0)
			continue;
		if (!m->secure)
			return false;
		secure++;
	}
	return secure > 0;
}

/* Audio in a TCP connection (RFC 4571) and in no other way. */
static bool tcp_alone(const struct sdp *offer)
{
	unsigned over_tcp = 0;

	for (unsigned i = 0; i < offer->media_count; i++) {
		const struct sdp_media *m = &offer->media[i];

		if (m->kind != SDP_AUDIO || m->port == 0)
			continue;
		if (!m->over_tcp)
			return false;
		over_tcp++;
	}
	return over_tcp > 0;
}

/* G.711, which everybody speaks. */
static bool offers_g711(const struct sdp_media *m)
{
	for (unsigned i = 0; i < m->format_count; i++) {
		if (m->formats[i].pt == 0 || m->formats[i].pt == 8)
			return true;
	}
	return false;
}

/* Warning 305 does (RFC 3261 20.43). */
static bool blames_codecs(const struct message *final)
{
	return final->headers && span_starts(final->headers->more->warning, SPAN("305"));
}

/* The codecs cannot be it, and nothing says that they are. */
static bool refuses_srtp(const struct message *offer, const struct message *final)
{
	return srtp_alone(offer->sdp) && offers_g711(audio_of(offer->sdp)) && !blames_codecs(final);
}

/* What a refusal is told with. */
struct refusal_words {
	char by[SAY_TEXT], from[SAY_TEXT], list[SAY_TEXT], why[128];
};

static void words_of(struct refusal_words *w, const struct facts *facts, const struct message *offer,
	const struct message *final)
{
	say_host(facts, &final->src.addr, w->by);
	say_host(facts, &offer->src.addr, w->from);
	say_formats(audio_of(offer->sdp), w->list);
	w->why[0] = 0;
	if (message_explained(final).n)
		text_escape(message_explained(final), w->why, sizeof w->why);
}

static void say_srtp(struct finding *f, const struct facts *facts, const struct message *offer,
	const struct message *final)
{
	const struct sdp_media *audio = audio_of(offer->sdp);
	bool dtls = audio->rare->fingerprint.n && !audio->rare->crypto_suite.n;
	char act[2 * SAY_TEXT];
	struct refusal_words w;

	words_of(&w, facts, offer, final);
	snprintf(act, sizeof act, "%s refuses audio as SRTP alone", w.by);
	say_title(f, act, "the call fails");
	finding_cause(f, "%s offers %s as SRTP%s and in no other way; %s answers %u%s%s. G.711 is among the codecs, which every phone has: most likely it is the encryption.", w.from,
		w.list, dtls ? " with keys by DTLS, as browsers do," : "", w.by, final->status, w.why[0] ? ": " : "", w.why);
	if (dtls)
		finding_fix(f, "Put a gateway (SBC, rtpengine) between %s and %s that ends DTLS-SRTP and ICE, or switch them on at %s.", w.from, w.by, w.by);
	else
		finding_fix(f, "Switch SRTP on at %s, or make it optional at %s; or let the server between them decrypt.", w.by, w.from);
	finding_evidence(f, offer->at, "the offer: %s as SRTP alone", w.list);
	finding_evidence(f, final->at, "%u: it is refused", final->status);
}

/* final: a refusal, or an answer that takes the call without its audio. */
static void say_tcp(struct finding *f, const struct facts *facts, const struct message *offer,
	const struct message *final)
{
	char act[2 * SAY_TEXT];
	struct refusal_words w;

	words_of(&w, facts, offer, final);
	snprintf(act, sizeof act, "%s refuses audio over TCP", w.by);
	say_title(f, act, final->status < 300 ? "nobody hears anything" : "the call fails");
	finding_cause(f, "%s offers %s in a TCP connection (TCP/RTP/AVP, RFC 4571) and in no other way; %s %s %u%s%s. Hardly a phone sends audio over TCP: most likely it is that, and no codec.", w.from,
		w.list[0] ? w.list : "audio", w.by, final->status < 300 ? "rejects the line with port 0 in its" : "answers",
		final->status, w.why[0] ? ": " : "", w.why);
	finding_fix(f, "Let %s offer its audio over UDP (RTP/AVP), alone or beside TCP; where UDP is closed, let ICE and TURN over TCP carry it.", w.from);
	finding_evidence(f, offer->at, "the offer: %s over TCP alone", w.list[0] ? w.list : "audio");
	finding_evidence(f, final->at, "%u: it is refused", final->status);
}

/*
 * The audio is to go to an address of one IP version, and the offer came over the other: the phone may not have the
 * first. Lines of both, or ICE with both, would let it choose.
 */
static bool other_family(const struct message *offer)
{
	uint8_t family = offer->dst.addr.family;

	for (unsigned i = 0; i < offer->sdp->media_count; i++) {
		const struct sdp_media *m = &offer->sdp->media[i];

		if (m->kind != SDP_AUDIO || m->port == 0)
			continue;
		if (!address_known(&m->at.addr) || m->at.addr.family == family)
			return false;
		for (unsigned k = 0; k < m->rare->candidate_count; k++) {
			if (m->rare->candidates[k].at.addr.family == family)
				return false;
		}
	}
	return true;
}

static bool refuses_family(const struct message *offer, const struct message *final)
{
	const struct sdp_media *audio = audio_of(offer->sdp);

	return audio && audio->port && offers_g711(audio) && other_family(offer) && !blames_codecs(final);
}

static void say_family(struct finding *f, const struct facts *facts, const struct message *offer,
	const struct message *final)
{
	const struct sdp_media *audio = audio_of(offer->sdp);
	char by[SAY_TEXT], from[SAY_TEXT], at[ENDPOINT_TEXT], act[2 * SAY_TEXT];
	int named = audio->at.addr.family == 6 ? 6 : 4, spoken = named == 6 ? 4 : 6;

	say_host(facts, &final->src.addr, by);
	say_host(facts, &offer->src.addr, from);
	endpoint_text(&audio->at, at);
	snprintf(act, sizeof act, "%s refuses audio over IPv%d", by, named);
	say_title(f, act, "the call fails");
	finding_cause(f, "%s offers G.711, which every phone has, at %s; SIP between the two is IPv%d, and %s answers %u: it probably has no IPv%d.", from,
		at, spoken, by, final->status, named);
	finding_fix(f, "Let the server put a media relay between the IP versions for %s (rtpengine: address-family), or offer ICE with addresses of both.", by);
	finding_evidence(f, offer->at, "the offer: audio to %s", at);
	finding_evidence(f, final->at, "%u: it is refused", final->status);
}

/* A payload type that the offer gives to two codecs; NULL: none. */
static const struct sdp_format *given_twice(const struct sdp_media *m)
{
	for (unsigned i = 0; m && i < m->format_count; i++) {
		if (m->formats[i].twice)
			return &m->formats[i];
	}
	return NULL;
}

static void say_refusal(struct finding *f, const struct facts *facts, const struct message *offer,
	const struct message *final)
{
	const struct sdp_media *audio = audio_of(offer->sdp);
	const struct sdp_format *twice = given_twice(audio);
	char act[2 * SAY_TEXT], codec[32];
	struct refusal_words w;

	words_of(&w, facts, offer, final);
	if (twice && audio->port) {
		snprintf(act, sizeof act, "%s gives payload type %u to two codecs", w.from, twice->pt);
		say_title(f, act, "the call fails");
		finding_cause(f, "%s offers %s and has two a=rtpmap lines for number %u, %s and another codec, which RFC 8866 6.6 does not allow; %s answers %u%s%s.", w.from,
			w.list, twice->pt, text_escape(twice->codec, codec, sizeof codec), w.by, final->status,
			w.why[0] ? ": " : "", w.why);
		finding_fix(f, "Give each codec and telephone-event a payload type of its own in the settings of %s (96 to 127); mostly a server between has added codecs to the list.",
			w.from);
	} else if (!audio || audio->port == 0) {
		say_none_offered(f, offer, audio, w.from, w.by);
		text_addf(&f->cause, " %u%s%s.", final->status, w.why[0] ? ": " : "", w.why);
	} else {
		snprintf(act, sizeof act, "%s refuses the codecs that are offered", w.by);
		say_title(f, act, "the call fails");
		finding_cause(f, "%s offers %s%s; %s accepts none of it and answers %u%s%s.", w.from,
			w.list[0] ? w.list : "no codec", audio->secure ? " as SRTP" : "", w.by, final->status,
			w.why[0] ? ": " : "", w.why);
		finding_fix(f, "Enable a codec on %s that %s offers (G.711 as the last resort)%s.", w.by, w.from,
			audio->secure ? ", and the same SRTP mode on both"
				      : "; if the codecs match, compare SRTP and the kinds of media");
	}
	finding_evidence(f, offer->at, "the offer: %s%s", w.list[0] ? w.list : "no codec",
		audio && audio->port == 0 ? ", port 0" : "");
	finding_evidence(f, final->at, "%u: it is refused", final->status);
}

static void judge_refusal(struct detection *d, const struct leg *leg, const struct transaction *t)
{
	struct finding *f;

	if (!t || !t->request || !t->request->sdp || t->request->cut) {
		detection_pass(d, NULL, "the offer that was refused is not in the capture");
		return;
	}
	if (t->request->flaws & (SIP_FLAW_CONTENT_LENGTH_LONG | SIP_FLAW_CONTENT_LENGTH_SHORT | SIP_FLAW_CONTENT_LENGTH_BAD)) {
		detection_pass(d, NULL,
			"its Content-Length is wrong: who refused it may have read only a part of the offer");
		return;
	}
	f = detection_raise_keyed(d, (uintptr_t)leg, "no-common-codec", SEVERITY_ERROR, CONFIDENCE_CERTAIN);
	parts(f, leg, t->request, t->final);
	if (tcp_alone(t->request->sdp) && !blames_codecs(t->final))
		say_tcp(f, detection_facts(d), t->request, t->final);
	else if (refuses_srtp(t->request, t->final))
		say_srtp(f, detection_facts(d), t->request, t->final);
	else if (refuses_family(t->request, t->final))
		say_family(f, detection_facts(d), t->request, t->final);
	else
		say_refusal(f, detection_facts(d), t->request, t->final);
}

/* ---- an answer without a codec ---- */

static bool is_voice(const struct sdp_format *f)
{
	static const char other[][16] = { "telephone-event", "CN", "red", "tone", "rtx", "ulpfec", "flexfec" };

	for (size_t i = 0; f->codec.n && i < sizeof other / sizeof other[0]; i++) {
		if ((f->codec.p[0] | 0x20) == (other[i][0] | 0x20) && span_equal_nocase(f->codec, span_of(other[i])))
			return false;
	}
	return f->pt != 13 && f->pt != 19;
}

bool codec_voice_shared(const struct sdp_media *offer, const struct sdp_media *answer)
{
	for (unsigned i = 0; i < answer->format_count; i++) {
		for (unsigned k = 0; k < offer->format_count; k++) {
			const struct sdp_format *a = &answer->formats[i], *o = &offer->formats[k];

			if ((a->pt == o->pt || (a->codec.n && span_equal_nocase(a->codec, o->codec))) && is_voice(a))
				return true;
		}
	}
	return false;
}

bool codec_has_voice(const struct sdp_media *m)
{
	for (unsigned i = 0; i < m->format_count; i++) {
		if (is_voice(&m->formats[i]))
			return true;
	}
	return false;
}

bool codec_taken_otherwise(const struct leg *leg, const struct transaction *attempt)
{
	const struct sdp_media *offer = attempt->request ? audio_of(attempt->request->sdp) : NULL, *answer;

	if (!offer || !offer->port)
		return false;
	LIST_EACH(it, &leg->call->legs) {
		const struct leg *behind = LIST_ENTRY(it, struct leg, in_call);

		if (behind->parent != leg || !behind->confirmed || !behind->confirmed->confirmed_by)
			continue;
		answer = audio_of(behind->confirmed->confirmed_by->sdp);
		if (answer && answer->port && codec_has_voice(answer) && !codec_voice_shared(offer, answer))
			return true;
	}
	return false;
}

/* One m= line is enough: of audio offered twice, as SRTP and plain, one is refused with port 0 (RFC 3264 6). */
static bool some_audio_agreed(const struct sdp *offer, const struct sdp *answer)
{
	for (unsigned i = 0; offer && answer && i < offer->media_count && i < answer->media_count; i++) {
		const struct sdp_media *o = &offer->media[i], *a = &answer->media[i];

		if (o->kind == SDP_AUDIO && a->kind == SDP_AUDIO && o->port && a->port && codec_voice_shared(o, a))
			return true;
	}
	return false;
}

/*
 * Nothing is wrong with an audio line that another one took the place of, or another medium (fax), or that came later.
 */
static bool audio_elsewhere(const struct dialog *d, const struct sdp *answer)
{
	for (unsigned i = 0; i < answer->media_count; i++) {
		if (answer->media[i].port && answer->media[i].kind == SDP_IMAGE)
			return true;
	}
	LIST_EACH(it, &d->exchanges) {
		const struct exchange *x = LIST_ENTRY(it, struct exchange, in_dialog);

		if (x->state == EXCHANGE_STABLE && x->offer.count && x->answer.count &&
		    some_audio_agreed(x->offer.seen[0]->sdp, x->answer.seen[0]->sdp))
			return true;
	}
	return false;
}

/* NULL: the answer has a voice codec of the offer. */
static const char *answer_lacks(const struct sdp_media *offer, const struct sdp_media *answer)
{
	if (!codec_has_voice(offer) || offer->port == 0 || !offer->rtp)
		return NULL;
	if (answer->port == 0)
		return "no-common-codec";
	if (!answer->format_count || codec_voice_shared(offer, answer))
		return NULL;
	return codec_has_voice(answer) ? "no-common-codec" : "answer-only-events";
}

static void say_answer(struct finding *f, const struct facts *facts, const struct message *offer,
	const struct message *answer)
{
	const struct sdp_media *o = audio_of(offer->sdp), *a = audio_of(answer->sdp);
	char by[SAY_TEXT], from[SAY_TEXT], offered[SAY_TEXT], answered[SAY_TEXT], act[2 * SAY_TEXT];

	say_host(facts, &answer->src.addr, by);
	say_host(facts, &offer->src.addr, from);
	say_formats(o, offered);
	say_formats(a, answered);
	snprintf(act, sizeof act, "%s answers without a voice codec", by);
	say_title(f, act, "nobody hears anything");
	if (a->port == 0)
		finding_cause(f, "%s offers %s; %s takes the call and rejects its audio (port 0).", from, offered, by);
	else
		finding_cause(f, "Offer (%s) and answer (%s) share no voice codec.", offered, answered);
	finding_fix(f, "Enable one codec on %s and %s that both know (G.711 as the last resort).", from, by);
	finding_evidence(f, offer->at, "the offer: %s", offered);
	finding_evidence(f, answer->at, "the answer: %s", a->port ? answered : "audio with port 0");
}

static bool judge_answer(struct detection *d, const struct leg *leg, const struct dialog *dialog,
	const struct exchange *x)
{
	const struct message *offer = x->offer.count ? x->offer.seen[0] : NULL,
		*answer = x->answer.count ? x->answer.seen[x->answer.count - 1] : NULL;
	const struct sdp_media *o = offer ? audio_of(offer->sdp) : NULL, *a = answer ? audio_of(answer->sdp) : NULL;
	const char *lacks = o && a && x->state == EXCHANGE_STABLE &&
		x->kind == EXCHANGE_INITIAL ? answer_lacks(o, a) : NULL;
	struct finding *f;

	if (!lacks || leg->cut || audio_elsewhere(dialog, answer->sdp))
		return false;
	f = detection_raise_keyed(d, (uintptr_t)leg, lacks, SEVERITY_ERROR, CONFIDENCE_CERTAIN);
	parts(f, leg, offer, answer);
	if (a->port == 0 && tcp_alone(offer->sdp))
		say_tcp(f, detection_facts(d), offer, answer);
	else
		say_answer(f, detection_facts(d), offer, answer);
	return true;
}

void codec_refused_judge(struct detection *d, const struct leg *leg)
{
	const struct dialog *dialog = leg->confirmed;
	const char *excuse;

	if (refused(leg)) {
		excuse = excuse_of(detection_facts(d), leg);
		if (excuse)
			detection_pass(d, NULL, "%s", excuse);
		else
			judge_refusal(d, leg, refused_transaction(leg));
		return;
	}
	for (struct list_link *it = dialog ? dialog->exchanges.head.next : NULL; it && it != &dialog->exchanges.head;
	    it = it->next) {
		if (judge_answer(d, leg, dialog, LIST_ENTRY(it, struct exchange, in_dialog)))
			return;
	}
}
