/* SPDX-License-Identifier: MIT */
/* rtcp: a compound packet as flat facts. RFC 3550 6, 3611 4.7 (XR), 5506 (reduced size), 3711 3.4 (SRTCP). */
#include "dissect/rtcp.h"

enum { TYPE_SR = 200, TYPE_RR = 201, TYPE_SDES = 202, TYPE_BYE = 203, TYPE_XR = 207 };
enum { SDES_CNAME = 1, XR_VOIP = 7, XR_VOIP_WORDS = 8 };

struct packet_header {
	bool padding;
	uint8_t count, type;
	size_t bytes; /* with the header */
};

/* The header at the cursor. False: none, or longer than what the sender sent. */
static bool header_read(struct cursor *c, struct packet_header *ret)
{
	size_t wire = c->wire;
	uint8_t first = cursor_u8(c);
	struct packet_header h = { first & 0x20, first & 0x1f, cursor_u8(c), 0 };

	h.bytes = 4u * (cursor_u16(c) + 1u);
	if (c->state != CURSOR_OK || first >> 6 != 2 || h.type < 192 || h.type > 223 || h.bytes > wire)
		return false;
	*ret = h;
	return true;
}

/* Do packets follow each other up to the end, or to where the capture cut it? */
static bool chain_whole(struct cursor c)
{
	struct packet_header h;

	while (c.wire) {
		if (c.left.n < 4 && c.wire >= 4)
			return true;
		if (!header_read(&c, &h))
			return false;
		if (h.bytes - 4 > c.left.n)
			return true;
		cursor_take(&c, h.bytes - 4);
	}
	return true;
}

/*
 * An SRTCP index with the E bit, so many bytes from the end. It counts from 0 (RFC 3711 3.2.1): 2^24 reports would
 * take years.
 */
static bool index_encrypted(const struct cursor *c, size_t behind)
{
	return c->left.n >= behind + 8 && c->left.p[c->left.n - behind - 4] == 0x80;
}

/*
 * SRTCP leaves the first header and SSRC readable, the rest is noise: the packets do not chain up to the end, where
 * an index stands and a tag behind it: of 10 bytes, of 4, none (RFC 7714 9.2 has it in front), or 10 and a key
 * identifier of 1 or 4. Where the capture cut that off, a broken chain or a length that is no multiple of 4 is
 * enough for not trusting it.
 */
static bool looks_encrypted(const struct cursor *c)
{
	static const uint8_t behind[] = { 10, 4, 0, 11, 14 };

	if (chain_whole(*c) && c->wire % 4 == 0)
		return false;
	if (c->left.n < c->wire)
		return true;
	for (size_t i = 0; i < sizeof behind; i++)
		if (index_encrypted(c, behind[i]))
			return true;
	return false;
}

/* Is it as long as its count asks for, with what a profile, or a reason, may add? */
static bool count_fits(const struct packet_header *h)
{
	enum { ADDED_MAX = 128 };
	size_t least;

	switch (h->type) {
	case TYPE_SR: least = 28 + 24u * h->count; break;
	case TYPE_RR: least = 8 + 24u * h->count; break;
	case TYPE_BYE: least = 4 + 4u * h->count; break;
	default: return false;
	}
	return h->bytes >= least && h->bytes <= least + ADDED_MAX;
}

/* One in some ten thousand datagrams of noise begins like RTCP: what stands behind tells. Of a cut one it is not known. */
static bool by_chance(const struct cursor *c, const struct packet_header *first, bool encrypted)
{
	return c->left.n == c->wire && !encrypted && !(c->wire % 4 == 0 && chain_whole(*c)) && !count_fits(first);
}

static void blocks_read(struct cursor *c, unsigned count, struct rtcp_compound *out)
{
	while (count-- && out->block_count < RTCP_REPORT_MAX) {
		struct rtcp_block b = { .ssrc = cursor_u32(c) };
		uint32_t lost;

		b.fraction_lost = cursor_u8(c);
		lost = cursor_u24(c);
		b.cumulative_lost = (int32_t)lost - (lost & 0x800000 ? 0x1000000 : 0);
		b.ext_seq = cursor_u32(c);
		b.jitter = cursor_u32(c);
		b.lsr = cursor_u32(c);
		b.dlsr = cursor_u32(c);
		if (c->state != CURSOR_OK)
			return;
		out->blocks[out->block_count++] = b;
	}
}

static void sender_report_read(struct cursor *c, unsigned count, struct rtcp_compound *out)
{
	uint64_t ntp;
	uint32_t rtp_ts, packets, octets;

	cursor_u32(c);
	ntp = cursor_u64(c);
	rtp_ts = cursor_u32(c);
	packets = cursor_u32(c);
	octets = cursor_u32(c);
	if (c->state != CURSOR_OK)
		return;
	out->has_sr = true;
	out->ntp = ntp;
	out->rtp_ts = rtp_ts;
	out->packets = packets;
	out->octets = octets;
	blocks_read(c, count, out);
}

static void receiver_report_read(struct cursor *c, unsigned count, struct rtcp_compound *out)
{
	cursor_u32(c);
	if (c->state != CURSOR_OK)
		return;
	out->has_rr = true;
	blocks_read(c, count, out);
}

/* One chunk: items up to a NUL, then padding up to a word. cname is written for the chunk of ssrc only. */
static void chunk_read(struct cursor *c, struct rtcp_compound *out)
{
	size_t start = c->left.n;
	uint32_t ssrc = cursor_u32(c);

	while (c->state == CURSOR_OK) {
		uint8_t item = cursor_u8(c);
		struct span text;

		if (item == 0)
			break;
		text = cursor_take(c, cursor_u8(c));
		if (c->state == CURSOR_OK && item == SDES_CNAME && ssrc == out->ssrc && out->cname.n == 0)
			out->cname = text;
	}
	cursor_take(c, (4 - (start - c->left.n) % 4) % 4);
}

static void bye_read(struct cursor *c, unsigned count, struct rtcp_compound *out)
{
	while (count--) {
		uint32_t ssrc = cursor_u32(c);

		if (c->state != CURSOR_OK)
			return;
		out->has_bye = true;
		if (out->bye_count < RTCP_BYE_MAX)
			out->bye_ssrcs[out->bye_count++] = ssrc;
	}
}

/* c holds the whole block: nothing here can be cut. */
static void voip_metrics_read(struct cursor c, struct rtcp_compound *out)
{
	out->has_xr_voip = true;
	out->xr.ssrc = cursor_u32(&c);
	out->xr.loss_rate = cursor_u8(&c);
	out->xr.discard_rate = cursor_u8(&c);
	cursor_take(&c, 6); /* burst and gap: densities, durations */
	out->xr.round_trip_ms = cursor_u16(&c);
	out->xr.end_system_ms = cursor_u16(&c);
	out->xr.signal_level_dbm = (int8_t)cursor_u8(&c);
	cursor_take(&c, 3); /* noise level, RERL, Gmin */
	out->xr.r_factor = cursor_u8(&c);
	cursor_u8(&c); /* external R factor */
	out->xr.mos_lq_x10 = cursor_u8(&c);
	out->xr.mos_cq_x10 = cursor_u8(&c);
}

static void extended_report_read(struct cursor *c, struct rtcp_compound *out)
{
	cursor_u32(c);
	while (c->left.n) {
		uint8_t type = cursor_u8(c);
		struct span block;
		uint16_t words;

		cursor_u8(c);
		words = cursor_u16(c);
		block = cursor_take(c, 4u * words);
		if (c->state != CURSOR_OK)
			return;
		if (type == XR_VOIP && words == XR_VOIP_WORDS && !out->has_xr_voip)
			voip_metrics_read(cursor_over(block, block.n), out);
	}
}

static void packet_read(struct cursor *c, const struct packet_header *h, struct rtcp_compound *out)
{
	switch (h->type) {
	case TYPE_SR: sender_report_read(c, h->count, out); break;
	case TYPE_RR: receiver_report_read(c, h->count, out); break;
	case TYPE_SDES:
		for (unsigned i = 0; i < h->count && c->state == CURSOR_OK; i++)
			chunk_read(c, out);
		break;
	case TYPE_BYE: bye_read(c, h->count, out); break;
	case TYPE_XR: extended_report_read(c, out); break;
	}
}

/* The body of the packet whose header was read, without its padding; c moves behind it. */
static struct cursor body_take(struct cursor *c, const struct packet_header *h)
{
	size_t wire = h->bytes - 4, n = wire < c->left.n ? wire : c->left.n;
	struct cursor body = cursor_over(span_first(c->left, n), wire);

	c->left = span_from(c->left, n);
	c->wire -= wire;
	if (h->padding && n == wire && n && body.left.p[n - 1] <= n)
		cursor_limit(&body, n - body.left.p[n - 1]);
	return body;
}

/* All of it but the report blocks, which have a count. */
static void compound_clear(struct rtcp_compound *out)
{
	memset(out, 0, offsetof(struct rtcp_compound, blocks));
	memset(&out->block_count, 0, sizeof *out - offsetof(struct rtcp_compound, block_count));
}

bool rtcp_parse(struct cursor *c, struct rtcp_compound *out)
{
	struct cursor first = *c, body;
	struct packet_header h;

	if (!header_read(&first, &h)) {
		c->state = first.state != CURSOR_OK ? first.state : CURSOR_BAD;
		return false;
	}
	compound_clear(out);
	body = body_take(&first, &h);
	out->ssrc = cursor_u32(&body);
	out->encrypted = looks_encrypted(c);
	if (by_chance(c, &h, out->encrypted)) {
		c->state = CURSOR_BAD;
		return false;
	}
	while (!out->encrypted && c->left.n && header_read(c, &h)) {
		body = body_take(c, &h);
		packet_read(&body, &h, out);
	}
	return true;
}
