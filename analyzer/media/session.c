/* SPDX-License-Identifier: MIT */
/* session: what each side said of an m= line, and what follows from both (RFC 3264). */
#include "analyzer/media/session.h"

#define TEXT(literal) { (const uint8_t *)(literal), sizeof(literal) - 1 }       /* an initializer */

static const struct sdp_media *media_of(const struct message *m, unsigned mline)
{
	return m && m->sdp && mline < m->sdp->media_count ? &m->sdp->media[mline] : NULL;
}

const struct sdp_media *session_own(const struct session *s, enum side side, unsigned mline)
{
	return s->said[side] && s->said[side]->count ? media_of(s->said[side]->seen[0], mline) : NULL;
}

const struct sdp_media *session_arrived(const struct session *s, enum side side, unsigned mline)
{
	const struct sdp_copies *c = s->said[side];

	return c && c->count ? media_of(c->seen[c->count - 1], mline) : NULL;
}

struct session session_of(const struct exchange *x, bool preview)
{
	struct session s = { .exchange = x, .preview = preview };

	s.said[x->offerer] = &x->offer;
	s.said[side_other(x->offerer)] = preview || x->answer_assumed ? &x->preview : &x->answer;
	return s;
}

static bool wants_to_send(const struct sdp_media *m)
{
	return m->direction == SDP_SENDRECV || m->direction == SDP_SENDONLY;
}

static bool wants_to_receive(const struct sdp_media *m)
{
	return (m->direction == SDP_SENDRECV || m->direction == SDP_RECVONLY) && !address_unspecified(&m->at.addr);
}

bool session_usable(const struct sdp_media *m)
{
	return m && m->kind == SDP_AUDIO && m->rtp && !m->over_tcp && (m->port != 0 || m->bundle_only);
}

/* A line for key presses alone (RFC 4317 2.4): nobody speaks in it. */
static bool is_for_keys(const struct sdp_media *m)
{
	for (unsigned i = 0; i < m->format_count; i++) {
		if (!span_equal_nocase(m->formats[i].codec, SPAN("telephone-event")))
			return false;
	}
	return m->format_count;
}

bool session_sends(const struct session *s, enum side side, unsigned mline)
{
	const struct sdp_media *own = session_own(s, side, mline), *peer = session_arrived(s, side_other(side), mline);

	return session_usable(own) && session_usable(peer) && wants_to_send(own) && wants_to_receive(peer) &&
		!(is_for_keys(own) && is_for_keys(peer));
}

static unsigned targets_add(struct target *list, unsigned count, const struct message *m, unsigned mline)
{
	const struct sdp_media *media = media_of(m, mline);

	if (!media || !address_known(&media->at.addr) || media->port == 0 || count == TARGET_MAX)
		return count;
	for (unsigned i = 0; i < count; i++) {
		if (endpoint_equal(&list[i].at, &media->at))
			return count;
	}
	list[count] = (struct target){ media->at, m };
	return count + 1;
}

/*
 * The m= line whose address this one uses, too, once both are bundled (RFC 8843 7): the answer puts them on one port,
 * whatever ports the offer gave them.
 */
static unsigned bundled_with(const struct session *s, enum side side, unsigned mline)
{
	const struct sdp_media *answer = session_arrived(s, side_other(s->exchange->offerer), mline);

	if (side != s->exchange->offerer || !answer || !answer->port || !answer->rare->mid.n)
		return mline;
	for (unsigned i = 0; i < mline; i++) {
		const struct sdp_media *first = session_arrived(s, side_other(side), i);

		if (first->rare->mid.n && endpoint_equal(&first->at, &answer->at))
			return i;
	}
	return mline;
}

unsigned session_targets(const struct session *s, enum side side, unsigned mline, bool arrived,
	struct target list[TARGET_MAX])
{
	const struct sdp_copies *c = s->said[side];
	unsigned count = 0, tagged = bundled_with(s, side, mline);

	for (unsigned i = 0; c && i < c->count; i++) {
		const struct message *m = c->seen[arrived ? c->count - 1 - i : i];

		count = targets_add(list, count, m, tagged);
		if (tagged != mline)
			count = targets_add(list, count, m, mline);
	}
	return count;
}

/*
 * Silence suppression that the descriptions allow: CN, annex B of G.729 unless switched off, codecs that always may.
 * 1.2.
 */
static bool format_may_pause(const struct sdp_format *f)
{
	static const struct { struct span codec, fmtp_off; } may[] = {
		{ TEXT("CN"), { 0 } }, { TEXT("G729"), TEXT("annexb=no") }, { TEXT("G723"), TEXT("annexa=no") },
		{ TEXT("AMR"), { 0 } }, { TEXT("AMR-WB"), { 0 } }, { TEXT("EVS"), { 0 } },
	};

	for (size_t i = 0; i < sizeof may / sizeof may[0]; i++) {
		if (!span_equal_nocase(f->codec, may[i].codec))
			continue;
		return !may[i].fmtp_off.n || span_find_text_nocase(f->fmtp, may[i].fmtp_off) == f->fmtp.n;
	}
	if (span_equal_nocase(f->codec, SPAN("opus")))
		return span_find_text_nocase(f->fmtp, SPAN("usedtx=1")) < f->fmtp.n;
	if (span_equal_nocase(f->codec, SPAN("speex")))
		return span_find_text_nocase(f->fmtp, SPAN("vad=on")) < f->fmtp.n;
	return false;
}

bool session_may_pause(const struct sdp_media *sender, const struct sdp_media *receiver)
{
	for (unsigned i = 0; i < receiver->format_count; i++) {
		if (format_may_pause(&receiver->formats[i]) && sdp_media_takes(sender, &receiver->formats[i]))
			return true;
	}
	return false;
}

bool session_offers_hold(const struct sdp_media *m)
{
	return m && m->kind == SDP_AUDIO && (!session_usable(m) || !wants_to_send(m) || !wants_to_receive(m));
}
