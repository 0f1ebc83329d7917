/* SPDX-License-Identifier: MIT */
/* description: the session descriptions of a leg, each parsed and kept once. */
#include "analyzer/calls/internal.h"

enum {
	DESCRIPTIONS_WALKED = 24,
	COMMON_TEXT_BYTES = 256      /* of a list of codecs that outlives its leg */
};

static struct span text_keep(const void *context, struct span text)
{
	const struct arrival *a = context;

	return leg_text(a->leg, text);
}

/* ---- lists of codecs ---- */

static bool format_equal(const struct sdp_format *x, const struct sdp_format *y)
{
	return x->pt == y->pt && x->clock_hz == y->clock_hz && x->channels == y->channels && x->mapped == y->mapped &&
		span_equal(x->codec, y->codec) && span_equal(x->fmtp, y->fmtp);
}

static bool formats_equal(const struct common_formats *c, const struct sdp_format *formats, unsigned count)
{
	if (c->count != count)
		return false;
	for (unsigned i = 0; i < count; i++)
		if (!format_equal(&c->formats[i], &formats[i]))
			return false;
	return true;
}

static uint64_t formats_hash(const struct sdp_format *formats, unsigned count)
{
	uint64_t h = 0;

	for (unsigned i = 0; i < count; i++) {
		const struct sdp_format *f = &formats[i];

		h = hash_mix(h, hash_bytes(f->codec.p, f->codec.n));
		h = hash_mix(h, hash_bytes(f->fmtp.p, f->fmtp.n) ^ f->pt);
	}
	return h;
}

static size_t text_bytes(const struct sdp_format *formats, unsigned count)
{
	size_t bytes = 0;

	for (unsigned i = 0; i < count; i++)
		bytes += formats[i].codec.n + formats[i].fmtp.n;
	return bytes;
}

static const struct sdp_format *formats_copy(struct arena *arena, const struct sdp_format *formats, unsigned count)
{
	struct sdp_format *copy = arena_zalloc(arena, count * sizeof *copy);

	for (unsigned i = 0; i < count; i++) {
		copy[i] = formats[i];
		copy[i].codec = arena_dup(arena, formats[i].codec);
		copy[i].fmtp = arena_dup(arena, formats[i].fmtp);
	}
	return copy;
}

/* As of phrases: the first that come are kept as long as all calls, the others with their leg. */
static const struct sdp_format *formats_keep(const void *context, const struct sdp_format *formats, unsigned count)
{
	const struct arrival *a = context;
	struct common_formats *slot;

	if (count == 0)
		return NULL;
	slot = &a->c->common_formats[formats_hash(formats, count) % COMMON_FORMATS];
	if (!slot->formats && text_bytes(formats, count) <= COMMON_TEXT_BYTES)
		*slot = (struct common_formats){ formats_copy(a->c->common, formats, count), count };
	return formats_equal(slot, formats, count) ? slot->formats
		: formats_copy(a->leg->leg.arena, formats, count);
}

/* ---- descriptions ---- */

static const struct sdp *known_description(const struct description *d, uint64_t hash, size_t bytes)
{
	for (unsigned walked = 0; d && walked < DESCRIPTIONS_WALKED; d = d->next, walked++) {
		const struct sdp *sdp = (const struct sdp *)d->sdp;

		if (sdp->hash == hash && sdp->bytes == bytes)
			return sdp;
	}
	return NULL;
}

/* One for all equal bodies of a leg: repetitions and next hops cost nothing. NULL: it cannot be read. */
const struct sdp *leg_description(const struct arrival *a)
{
	struct leg_record *r = a->leg;
	struct span body = a->sip->sdp;
	struct sdp_keeper keeper = { a, text_keep, formats_keep };
	/* which nearly always is the whole body */
	uint64_t hash = body.n == a->sip->body.n ? a->body : hash_bytes(body.p, body.n);
	const struct sdp *known = known_description(r->descriptions, hash, body.n);
	struct description *d;

	if (known)
		return known;
	if (!sdp_parse(body, a->c->scratch))
		return NULL;
	d = arena_zalloc(r->leg.arena, sizeof *d + sdp_keep_bytes(a->c->scratch));
	d->next = r->descriptions;
	r->descriptions = d;
	return sdp_keep(a->c->scratch, hash, &keeper, d->sdp);
}
