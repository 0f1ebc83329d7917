/* SPDX-License-Identifier: MIT */
/* sdp_tail: descriptions that end as one did before are not read to the end. */
#include "dissect/sdp_parts.h"

/* What the tail says follows from its text and its kind alone: nothing of the session speaks for the medium. */
static bool session_is_silent(const struct sdp_media *session)
{
	return session->rare == &sdp_rare_none && session->direction == SDP_SENDRECV && session->ptime_ms == 0 &&
		session->maxptime_ms == 0 && !session->silence_suppression_off;
}

static const struct sdp_tail *tail_find(const struct sdp_text *t, struct span text, uint8_t kind)
{
	for (unsigned i = 0; i < SDP_TAILS; i++) {
		const struct sdp_tail *tail = &t->tails[i];

		if (tail->bytes == text.n && tail->media.kind == kind && memcmp(tail->text, text.p, text.n) == 0)
			return tail;
	}
	return NULL;
}

bool sdp_tail_take(struct sdp_reader *r, struct span value)
{
	struct span text = { value.p, (size_t)(r->rest.p - value.p) + r->rest.n };
	const struct sdp_tail *tail;
	uint16_t port = r->media->port;

	if (r->said->media_count != 1 || r->tail.n || !session_is_silent(&r->session)) {
		sdp_tail_spoil(r);           /* of several media: none */
		return false;
	}
	if (text.n == 0 || text.n > SDP_TAIL_BYTES)
		return false;
	tail = tail_find(r->text, text, r->media->kind);
	if (!tail) {
		r->tail = text;
		r->flaws_before_tail = r->said->flaws;
		r->said->flaws = 0;
		return false;
	}
	*r->media = tail->media;
	r->media->port = port;
	r->said->flaws |= tail->flaws;
	r->ended = tail->ended;
	r->rest = SPAN_NONE;
	return true;
}

/* The same bytes in the copy, where they are of the text. */
static struct span moved(struct span s, struct span from, const uint8_t *to)
{
	bool within = s.n && (uintptr_t)s.p >= (uintptr_t)from.p && (uintptr_t)s.p < (uintptr_t)from.p + from.n;

	return within ? (struct span){ to + (s.p - from.p), s.n } : s;
}

static void tail_fill(struct sdp_tail *tail, const struct sdp_reader *r)
{
	memcpy(tail->text, r->tail.p, r->tail.n);
	tail->bytes = (uint32_t)r->tail.n;
	tail->flaws = r->said->flaws;
	tail->ended = r->ended;
	tail->media = *r->media;
	tail->media.formats = tail->formats;
	for (unsigned i = 0; i < r->media->format_count; i++) {
		struct sdp_format *f = &tail->formats[i];

		*f = r->media->formats[i];
		f->codec = moved(f->codec, r->tail, tail->text);
		f->fmtp = moved(f->fmtp, r->tail, tail->text);
	}
}

void sdp_tail_keep(struct sdp_reader *r)
{
	struct sdp_text *t = r->text;

	if (r->tail.n && r->media->rare == &sdp_rare_none)
		tail_fill(&t->tails[t->next_tail++ % SDP_TAILS], r);
	r->said->flaws |= r->flaws_before_tail;
}
