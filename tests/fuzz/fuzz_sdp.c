/* SPDX-License-Identifier: MIT */
/* fuzz_sdp: any bytes as a session description. */
#include <assert.h>

#include "dissect/sdp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_inside(struct span s, struct span bytes)
{
	return s.n == 0 || (s.p >= bytes.p && s.p + s.n <= bytes.p + bytes.n);
}

static void inside(struct span s, struct span bytes)
{
	assert(is_inside(s, bytes));
}

/* In the bytes, or in a tail that was read before. */
static void inside_any(struct span s, struct span bytes, const struct sdp_text *t)
{
	bool found = is_inside(s, bytes);

	for (unsigned i = 0; i < SDP_TAILS; i++)
		found |= is_inside(s, (struct span){ t->tails[i].text, t->tails[i].bytes });
	assert(found);
}

static void media_check(const struct sdp_media *m, struct span bytes, const struct sdp_text *t)
{
	assert(m->format_count <= SDP_FORMAT_MAX && m->rare->candidate_count <= SDP_CANDIDATE_MAX &&
		m->rare->ssrc_count <= SDP_SSRC_MAX);
	assert(m->at.port == m->port && (m->rtp || !m->secure));
	inside(m->rare->name, bytes);
	inside(m->rare->mid, bytes);
	inside(m->rare->crypto_suite, bytes);
	inside(m->rare->fingerprint, bytes);
	for (unsigned i = 0; i < m->format_count; i++) {
		inside_any(m->formats[i].fmtp, bytes, t);
		if (m->formats[i].mapped)
			inside_any(m->formats[i].codec, bytes, t);
	}
}

/* What was read before changes nothing. */
static void same_check(const struct sdp_text *x, const struct sdp_text *y)
{
	assert(x->said.flaws == y->said.flaws && x->said.media_count == y->said.media_count);
	assert(x->said.direction == y->said.direction && x->ice_lite == y->ice_lite && x->bundle == y->bundle);
	assert(span_equal(x->origin, y->origin) && span_equal(x->session_name, y->session_name));
	for (unsigned i = 0; i < x->said.media_count; i++) {
		const struct sdp_media *a = &x->media[i], *b = &y->media[i];

		assert(endpoint_equal(&a->at, &b->at) && a->kind == b->kind && a->direction == b->direction);
		assert(a->ptime_ms == b->ptime_ms && a->rtp == b->rtp && a->secure == b->secure && a->t38 == b->t38);
		assert(a->format_count == b->format_count && (a->rare == &sdp_rare_none) == (b->rare == &sdp_rare_none));
		for (unsigned k = 0; k < a->format_count; k++)
			assert(a->formats[k].pt == b->formats[k].pt && span_equal(a->formats[k].codec, b->formats[k].codec) &&
				span_equal(a->formats[k].fmtp, b->formats[k].fmtp));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct sdp_text sdp, fresh;
	struct span s = { data, size };

	memset(&fresh, 0, sizeof fresh);
	if (!sdp_parse(s, &sdp))
		return 0;
	assert(sdp_parse(s, &fresh) && sdp_parse(s, &sdp));
	same_check(&sdp, &fresh);
	assert(sdp.said.media_count <= SDP_MEDIA_MAX);
	inside(sdp.origin, s);
	inside(sdp.origin_host, sdp.origin);
	inside(sdp.session_name, s);
	for (unsigned i = 0; i < sdp.said.media_count; i++)
		media_check(&sdp.media[i], s, &sdp);
	return 0;
}
