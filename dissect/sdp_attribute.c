/* SPDX-License-Identifier: MIT */
/*
 * sdp_attribute: payload types and the attributes that say something about media. RFC 8866 6, 3551, 3605, 4568,
 * 5576, 8839.
 */
#include "dissect/sdp_parts.h"

enum { PTIME_MAX_MS = 1000, PT_MAX = 127 };

/* ---- formats ---- */

struct static_type {
	const char *name;
	uint32_t clock_hz;
	uint8_t channels;
};

/* RFC 3551 tables 4 and 5. G722 samples at 16000 Hz, its RTP clock is 8000 by an old mistake that stayed. */
static const struct static_type static_types[] = {
	[0] = { "PCMU", 8000, 1 },
	[3] = { "GSM", 8000, 1 },
	[4] = { "G723", 8000, 1 },
	[5] = { "DVI4", 8000, 1 },
	[6] = { "DVI4", 16000, 1 },
	[7] = { "LPC", 8000, 1 },
	[8] = { "PCMA", 8000, 1 },
	[9] = { "G722", 8000, 1 },
	[10] = { "L16", 44100, 2 },
	[11] = { "L16", 44100, 1 },
	[12] = { "QCELP", 8000, 1 },
	[13] = { "CN", 8000, 1 },
	[14] = { "MPA", 90000, 1 },
	[15] = { "G728", 8000, 1 },
	[16] = { "DVI4", 11025, 1 },
	[17] = { "DVI4", 22050, 1 },
	[18] = { "G729", 8000, 1 },
	[25] = { "CelB", 90000, 1 },
	[26] = { "JPEG", 90000, 1 },
	[28] = { "nv", 90000, 1 },
	[31] = { "H261", 90000, 1 },
	[32] = { "MPV", 90000, 1 },
	[33] = { "MP2T", 90000, 1 },
	[34] = { "H263", 90000, 1 },
};

static const struct static_type *static_type_find(uint8_t pt)
{
	static const struct static_type none = { NULL, 0, 1 };

	return pt < sizeof static_types / sizeof *static_types && static_types[pt].name ? &static_types[pt] : &none;
}

struct span sdp_static_codec(uint8_t pt, uint32_t *ret_clock_hz)
{
	const struct static_type *type = static_type_find(pt);

	*ret_clock_hz = type->clock_hz;
	return span_of(type->name);
}

const struct sdp_format *sdp_format_find(const struct sdp_media *m, uint8_t pt)
{
	for (unsigned i = 0; i < m->format_count; i++)
		if (m->formats[i].pt == pt)
			return &m->formats[i];
	return NULL;
}

bool sdp_media_takes(const struct sdp_media *m, const struct sdp_format *f)
{
	for (unsigned i = 0; i < m->format_count; i++) {
		if (m->formats[i].pt == f->pt || (f->codec.n && span_equal_nocase(m->formats[i].codec, f->codec)))
			return true;
	}
	return false;
}

static bool pt_parse(struct span s, uint8_t *ret_pt)
{
	uint64_t pt;

	if (s.n == 1 && s.p[0] >= '0' && s.p[0] <= '9')
		pt = s.p[0] - '0';
	else if (!span_number(s, PT_MAX, &pt))
		return false;
	*ret_pt = (uint8_t)pt;
	return true;
}

void sdp_format_add(struct sdp_reader *r, struct span word)
{
	struct sdp_media *m = r->media;
	const struct static_type *type;
	struct sdp_format *f;
	uint8_t pt;

	if (!pt_parse(word, &pt)) {
		r->said->flaws |= SDP_FLAW_LINE;
		return;
	}
	if (sdp_format_find(m, pt))
		return;
	if (m->format_count == SDP_FORMAT_MAX) {
		r->said->flaws |= SDP_FLAW_TOO_MUCH;
		return;
	}
	type = static_type_find(pt);
	f = &r->room->formats[m->format_count++];
	*f = (struct sdp_format){ .codec = span_of(type->name), .clock_hz = type->clock_hz, .pt = pt,
		.channels = type->channels };
}

/* The format that "PT rest" speaks of; *value becomes the rest. NULL: broken, or of no format of this medium. */
static struct sdp_format *format_take(struct sdp_reader *r, struct span *value)
{
	uint8_t pt;

	if (!pt_parse(sdp_word_take(value), &pt)) {
		r->said->flaws |= SDP_FLAW_LINE;
		return NULL;
	}
	*value = span_trim(*value);
	return (struct sdp_format *)sdp_format_find(r->media, pt);
}

/* ---- attributes ---- */

static void rtpmap_read(struct sdp_reader *r, struct span value)
{
	struct sdp_format *f = format_take(r, &value);
	struct span codec, rest, clock, channels;
	uint64_t number;

	if (!f)
		return;
	codec = sdp_until(value, '/');
	if (f->mapped) {
		f->twice |= !span_equal_nocase(codec, f->codec);
		return;
	}
	rest = span_from(value, codec.n + 1);
	clock = sdp_until(rest, '/');
	channels = span_from(rest, clock.n + 1);
	f->mapped = true;
	f->codec = codec;
	if (span_number(clock, UINT32_MAX, &number) && number > 0)
		f->clock_hz = (uint32_t)number;
	else
		r->said->flaws |= SDP_FLAW_LINE;
	if (sdp_word_is(codec, "G722"))
		f->clock_hz = 8000; /* RFC 3551 4.5.2, also where a=rtpmap says 16000 */
	if (channels.n && span_number(channels, UINT8_MAX, &number) && number > 0)
		f->channels = (uint8_t)number;
}

static void fmtp_read(struct sdp_reader *r, struct span value)
{
	struct sdp_format *f = format_take(r, &value);

	if (f && f->fmtp.n == 0)
		f->fmtp = value;
}

/* Whole milliseconds; some write 20.0. 0, negative and absurd ones say nothing. */
static uint16_t milliseconds(struct sdp_reader *r, struct span value)
{
	uint64_t ms;

	if (span_number(sdp_until(sdp_word_take(&value), '.'), PTIME_MAX_MS, &ms))
		return (uint16_t)ms;
	r->said->flaws |= SDP_FLAW_LINE;
	return 0;
}

static void ptime_read(struct sdp_reader *r, struct span value)
{
	r->media->ptime_ms = milliseconds(r, value);
}

static void maxptime_read(struct sdp_reader *r, struct span value)
{
	r->media->maxptime_ms = milliseconds(r, value);
}

/* RFC 3605: port, and an address where it is another one. */
static void rtcp_read(struct sdp_reader *r, struct span value)
{
	struct sdp_connection c = { .given = false };
	struct span type;
	uint16_t port;

	if (!sdp_port_parse(sdp_word_take(&value), &port) || port == 0) {
		r->said->flaws |= SDP_FLAW_PORT;
		return;
	}
	sdp_word_take(&value); /* IN */
	type = sdp_word_take(&value);
	if (type.n && !sdp_host_parse(type, sdp_word_take(&value), &c)) {
		r->said->flaws |= SDP_FLAW_LINE;
		return;
	}
	sdp_reader_rare(r)->rtcp = (struct endpoint){ c.addr, port };
}

static void direction_set(struct sdp_reader *r, enum sdp_direction direction)
{
	r->media->direction = (uint8_t)direction;
	if (!r->in_media)
		r->said->direction = (uint8_t)direction;
}

static void sendrecv_read(struct sdp_reader *r, struct span value)
{
	(void)value;
	direction_set(r, SDP_SENDRECV);
}

static void sendonly_read(struct sdp_reader *r, struct span value)
{
	(void)value;
	direction_set(r, SDP_SENDONLY);
}

static void recvonly_read(struct sdp_reader *r, struct span value)
{
	(void)value;
	direction_set(r, SDP_RECVONLY);
}

static void inactive_read(struct sdp_reader *r, struct span value)
{
	(void)value;
	direction_set(r, SDP_INACTIVE);
}

static void rtcp_mux_read(struct sdp_reader *r, struct span value)
{
	(void)value;
	r->media->rtcp_mux = true;
}

static void bundle_only_read(struct sdp_reader *r, struct span value)
{
	(void)value;
	r->media->bundle_only = true;
}

static void silence_read(struct sdp_reader *r, struct span value)
{
	r->media->silence_suppression_off = sdp_word_is(sdp_word_take(&value), "off");
}

static void mid_read(struct sdp_reader *r, struct span value)
{
	sdp_reader_rare(r)->mid = value;
}

static void label_read(struct sdp_reader *r, struct span value)
{
	sdp_reader_rare(r)->label = value;
}

static void key_management_read(struct sdp_reader *r, struct span value)
{
	(void)value;
	sdp_reader_rare(r)->key_management = true;
}

static void fingerprint_read(struct sdp_reader *r, struct span value)
{
	sdp_reader_rare(r)->fingerprint = value;
}

static void setup_read(struct sdp_reader *r, struct span value)
{
	sdp_reader_rare(r)->setup = value;
}

static void ice_ufrag_read(struct sdp_reader *r, struct span value)
{
	sdp_reader_rare(r)->ice_ufrag = value;
}

static void ice_lite_read(struct sdp_reader *r, struct span value)
{
	(void)value;
	sdp_tail_spoil(r);
	r->text->ice_lite = true;
}

static void group_read(struct sdp_reader *r, struct span value)
{
	if (sdp_word_is(sdp_word_take(&value), "BUNDLE"))
		r->text->bundle = true;
	sdp_tail_spoil(r);
}

static void ssrc_read(struct sdp_reader *r, struct span value)
{
	struct sdp_rare *rare;
	uint64_t ssrc;

	if (!span_number(sdp_word_take(&value), UINT32_MAX, &ssrc)) {
		r->said->flaws |= SDP_FLAW_LINE;
		return;
	}
	rare = sdp_reader_rare(r);
	for (unsigned i = 0; i < rare->ssrc_count; i++)
		if (rare->ssrcs[i] == ssrc)
			return;
	if (rare->ssrc_count == SDP_SSRC_MAX)
		r->said->flaws |= SDP_FLAW_TOO_MUCH;
	else
		rare->ssrcs[rare->ssrc_count++] = (uint32_t)ssrc;
}

static char candidate_type(struct span word)
{
	static const char *const types[] = { "host", "srflx", "prflx", "relay" };

	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (sdp_word_is(word, types[i]))
			return types[i][0];
	return 0;
}

/* RFC 8839 5.1: foundation component transport priority address port "typ" type, then pairs. */
static bool candidate_parse(struct span value, struct sdp_candidate *ret)
{
	struct sdp_candidate c = { .type = 0 };
	struct span foundation = sdp_word_take(&value), host, word;
	uint64_t component;

	if (foundation.n == 0 || !span_number(sdp_word_take(&value), UINT8_MAX, &component) || component == 0)
		return false;
	c.component = (uint8_t)component;
	c.udp = sdp_word_is(sdp_word_take(&value), "udp");
	sdp_word_take(&value); /* priority */
	host = sdp_word_take(&value);
	if (!sdp_port_parse(sdp_word_take(&value), &c.at.port) ||
		(!address_parse(host, &c.at.addr) && !sdp_name_like(host)))
		return false;
	if (!sdp_word_is(sdp_word_take(&value), "typ"))
		return false;
	c.type = candidate_type(sdp_word_take(&value));
	while ((word = sdp_word_take(&value)).n) {
		struct span what = sdp_word_take(&value);

		if (sdp_word_is(word, "raddr"))
			address_parse(what, &c.related.addr);
		else if (sdp_word_is(word, "rport"))
			sdp_port_parse(what, &c.related.port);
	}
	*ret = c;
	return c.type != 0;
}

static void candidate_read(struct sdp_reader *r, struct span value)
{
	struct sdp_candidate c;
	struct sdp_rare *rare;

	if (!candidate_parse(value, &c)) {
		r->said->flaws |= SDP_FLAW_LINE;
		return;
	}
	rare = sdp_reader_rare(r);
	if (rare->candidate_count == SDP_CANDIDATE_MAX)
		r->said->flaws |= SDP_FLAW_TOO_MUCH;
	else
		rare->candidates[rare->candidate_count++] = c;
}

#define NAME(text) sizeof(text) - 1, text

static const struct attribute {
	uint8_t n;
	const char *name;
	void (*read)(struct sdp_reader *r, struct span value);
} attributes[] = {
	{ NAME("rtpmap"), rtpmap_read },
	{ NAME("fmtp"), fmtp_read },
	{ NAME("ptime"), ptime_read },
	{ NAME("sendrecv"), sendrecv_read },
	{ NAME("sendonly"), sendonly_read },
	{ NAME("recvonly"), recvonly_read },
	{ NAME("inactive"), inactive_read },
	{ NAME("candidate"), candidate_read },
	{ NAME("maxptime"), maxptime_read },
	{ NAME("rtcp"), rtcp_read },
	{ NAME("rtcp-mux"), rtcp_mux_read },
	{ NAME("crypto"), sdp_crypto_read },
	{ NAME("key-mgmt"), key_management_read },
	{ NAME("fingerprint"), fingerprint_read },
	{ NAME("setup"), setup_read },
	{ NAME("ssrc"), ssrc_read },
	{ NAME("mid"), mid_read },
	{ NAME("label"), label_read },
	{ NAME("group"), group_read },
	{ NAME("ice-ufrag"), ice_ufrag_read },
	{ NAME("ice-lite"), ice_lite_read },
	{ NAME("bundle-only"), bundle_only_read },
	{ NAME("silenceSupp"), silence_read },
};

void sdp_attribute_read(struct sdp_reader *r, struct span line)
{
	struct span name = sdp_until(line, ':'), value = span_trim(span_from(line, name.n + 1));

	name = span_trim(name);
	if (name.n == 0)
		return;
	for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++)
		if (attributes[i].n == name.n &&
			span_equal_nocase(name, (struct span){ (const uint8_t *)attributes[i].name, name.n })) {
			attributes[i].read(r, value);
			return;
		}
}
