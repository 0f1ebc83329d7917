/* SPDX-License-Identifier: MIT */
/* fuzz_sdp: any bytes as a session description. */
#include <assert.h>

#include "dissect/sdp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(struct span s, struct span bytes)
{
	assert(s.n == 0 || (s.p >= bytes.p && s.p + s.n <= bytes.p + bytes.n));
}

static void media_check(const struct sdp_media *m, struct span bytes)
{
	assert(m->format_count <= SDP_FORMAT_MAX && m->rare->candidate_count <= SDP_CANDIDATE_MAX &&
		m->rare->ssrc_count <= SDP_SSRC_MAX);
	assert(m->at.port == m->port && (m->rtp || !m->secure));
	inside(m->rare->name, bytes);
	inside(m->rare->mid, bytes);
	inside(m->rare->crypto_suite, bytes);
	inside(m->rare->fingerprint, bytes);
	for (unsigned i = 0; i < m->format_count; i++) {
		inside(m->formats[i].fmtp, bytes);
		if (m->formats[i].mapped)
			inside(m->formats[i].codec, bytes);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct sdp_text sdp;
	struct span s = { data, size };

	if (!sdp_parse(s, &sdp))
		return 0;
	assert(sdp.said.media_count <= SDP_MEDIA_MAX);
	inside(sdp.origin, s);
	inside(sdp.origin_host, sdp.origin);
	inside(sdp.session_name, s);
	for (unsigned i = 0; i < sdp.said.media_count; i++)
		media_check(&sdp.media[i], s);
	return 0;
}
