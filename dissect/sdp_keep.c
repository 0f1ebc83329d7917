/* SPDX-License-Identifier: MIT */
/* sdp_keep: what stays of a description when its bytes are gone: a tenth of what was read. */
#include "dissect/sdp.h"

#include "captures/base/hash.h"

static const struct sdp_rare *rare_of(const struct sdp_media *m)
{
	return m->rare == &sdp_rare_none ? NULL : m->rare;
}

size_t sdp_keep_bytes(const struct sdp_text *t)
{
	size_t bytes = sizeof t->said + t->said.media_count * sizeof *t->media;

	for (unsigned i = 0; i < t->said.media_count; i++) {
		const struct sdp_rare *rare = rare_of(&t->media[i]);

		if (rare)
			bytes += sizeof *rare + rare->ssrc_count * sizeof *rare->ssrcs +
				sdp_crypto_kept(rare) * sizeof *rare->cryptos +
				rare->candidate_count * sizeof *rare->candidates;
	}
	return bytes;
}

static void *move(const void *from, size_t bytes, uint8_t **at)
{
	uint8_t *to = *at;

	if (bytes)
		memcpy(to, from, bytes);
	*at += bytes;
	return to;
}

static void texts_keep(struct sdp_rare *rare, const struct sdp_keeper *keeper)
{
	struct span *texts[] = { &rare->name, &rare->mid, &rare->label, &rare->crypto_suite, &rare->fingerprint,
		&rare->setup, &rare->ice_ufrag };

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		*texts[i] = keeper->text(keeper->context, *texts[i]);
}

/* All rare facts, then all SSRCs, keys, candidates: the strictest alignment first. */
static void rare_keep(struct sdp *kept, const struct sdp_text *t, const struct sdp_keeper *keeper, uint8_t *at)
{
	struct sdp_rare *own[SDP_MEDIA_MAX];

	for (unsigned i = 0; i < kept->media_count; i++) {
		const struct sdp_rare *rare = rare_of(&t->media[i]);

		own[i] = NULL;
		if (!rare)
			continue;
		kept->media[i].rare = own[i] = move(rare, sizeof *rare, &at);
		texts_keep(own[i], keeper);
	}
	for (unsigned i = 0; i < kept->media_count; i++)
		if (own[i])
			own[i]->ssrcs = move(own[i]->ssrcs, own[i]->ssrc_count * sizeof *own[i]->ssrcs, &at);
	for (unsigned i = 0; i < kept->media_count; i++)
		if (own[i])
			own[i]->cryptos = move(own[i]->cryptos, sdp_crypto_kept(own[i]) * sizeof *own[i]->cryptos,
				&at);
	for (unsigned i = 0; i < kept->media_count; i++)
		if (own[i])
			own[i]->candidates = move(own[i]->candidates,
				own[i]->candidate_count * sizeof *own[i]->candidates, &at);
}

static uint64_t text_hash(struct span s)
{
	return hash_bytes(s.p, s.n);
}

const struct sdp *sdp_keep(const struct sdp_text *t, uint64_t hash, const struct sdp_keeper *keeper, void *to)
{
	uint64_t session = text_hash(t->session_id);
	uint8_t *at = to;
	struct sdp *kept = move(&t->said, sizeof t->said, &at);

	kept->hash = hash;
	if (t->session_id.n && t->origin_host.n)
		kept->origin = hash_mix(hash_mix(text_hash(t->origin_user), session), text_hash(t->origin_host));
	if (t->session_version.n)
		kept->version = hash_mix(session, text_hash(t->session_version));
	kept->media = move(t->media, kept->media_count * sizeof *kept->media, &at);
	for (unsigned i = 0; i < kept->media_count; i++)
		kept->media[i].formats = keeper->formats(keeper->context, t->media[i].formats,
			t->media[i].format_count);
	rare_keep(kept, t, keeper, at);
	return kept;
}

struct endpoint sdp_media_rtcp(const struct sdp_media *m)
{
	const struct endpoint *named = &m->rare->rtcp;
	struct endpoint at = { named->addr.family ? named->addr : m->at.addr, named->port };

	if (at.port == 0 && m->port > 0 && m->port < UINT16_MAX)
		at.port = (uint16_t)(m->port + 1);
	return at;
}
