/* SPDX-License-Identifier: MIT */
/* sdp: a session description as flat facts (RFC 8866, 3264), tolerant: order, missing lines and line ends do not matter. */
#include "dissect/sdp.h"

enum { PTIME_MAX_MS = 1000, DISCARD_PORT = 9, PT_MAX = 127 };

struct connection {
	bool given;
	struct address addr;         /* family 0: a name, or broken */
	struct span name;
};

/* What is being read, and what has been met. */
struct reader {
	struct sdp *sdp;
	struct sdp_media *media;     /* of the last m= line; before the first and beyond the cap: &session */
	struct sdp_media session;    /* what session attributes say, inherited by the media */
	struct connection session_connection, connections[SDP_MEDIA_MAX];
	bool has_version, has_origin, has_time, in_media;
	unsigned rank, line;         /* place of the last line's letter in the order of RFC 8866 5; lines so far */
};

/* ---- words ---- */

static struct span word_take(struct span *rest)
{
	struct span s = span_trim(*rest), word;
	size_t n = 0;

	while (n < s.n && s.p[n] != ' ' && s.p[n] != '\t')
		n++;
	word = span_first(s, n);
	*rest = span_from(s, n);
	return word;
}

static struct span until(struct span s, uint8_t byte)
{
	return span_first(s, span_find(s, byte));
}

static bool is_word(struct span s, const char *word)
{
	return span_equal_nocase(s, span_of(word));
}

/* Only what could be looked up: "10.0.0.300" is a broken address, no name. */
static bool name_like(struct span s)
{
	bool letter_in_label = false;

	for (size_t i = 0; i < s.n; i++) {
		uint8_t byte = s.p[i], letter = byte | 0x20;

		if (byte == '.')
			letter_in_label = false;
		else if (letter >= 'a' && letter <= 'z')
			letter_in_label = true;
		else if ((byte < '0' || byte > '9') && byte != '-' && byte != '_')
			return false;
	}
	return letter_in_label;
}

/* The host named by an address type and an address. False: broken, or of the other family; nothing is believed then. */
static bool host_parse(struct span type, struct span host, struct connection *ret)
{
	struct connection c = { .given = true };
	bool six = is_word(type, "IP6");

	if (!six && !is_word(type, "IP4"))
		return false;
	if (address_parse(host, &c.addr)) {
		if (six != (span_find(host, ':') < host.n))
			return false;
	} else if (name_like(host)) {
		c.name = host;
	} else {
		return false;
	}
	*ret = c;
	return true;
}

static bool port_parse(struct span s, uint16_t *ret)
{
	uint64_t port;

	if (!span_number(s, UINT16_MAX, &port))
		return false;
	*ret = (uint16_t)port;
	return true;
}

/* ---- formats ---- */

struct static_type {
	const char *name;
	uint32_t clock_hz;
	uint8_t channels;
};

/* RFC 3551 tables 4 and 5. G722 samples at 16000 Hz, its RTP clock is 8000 by an old mistake that stayed. */
static const struct static_type static_types[] = {
	[0] = { "PCMU", 8000, 1 }, [3] = { "GSM", 8000, 1 }, [4] = { "G723", 8000, 1 }, [5] = { "DVI4", 8000, 1 },
	[6] = { "DVI4", 16000, 1 }, [7] = { "LPC", 8000, 1 }, [8] = { "PCMA", 8000, 1 }, [9] = { "G722", 8000, 1 },
	[10] = { "L16", 44100, 2 }, [11] = { "L16", 44100, 1 }, [12] = { "QCELP", 8000, 1 }, [13] = { "CN", 8000, 1 },
	[14] = { "MPA", 90000, 1 }, [15] = { "G728", 8000, 1 }, [16] = { "DVI4", 11025, 1 }, [17] = { "DVI4", 22050, 1 },
	[18] = { "G729", 8000, 1 }, [25] = { "CelB", 90000, 1 }, [26] = { "JPEG", 90000, 1 }, [28] = { "nv", 90000, 1 },
	[31] = { "H261", 90000, 1 }, [32] = { "MPV", 90000, 1 }, [33] = { "MP2T", 90000, 1 }, [34] = { "H263", 90000, 1 },
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

static void format_add(struct reader *r, struct sdp_media *m, struct span word)
{
	struct sdp_format f = { .channels = 1 };
	uint64_t pt;

	if (!span_number(word, PT_MAX, &pt)) {
		r->sdp->flaws |= SDP_FLAW_LINE;
		return;
	}
	f.pt = (uint8_t)pt;
	f.channels = static_type_find(f.pt)->channels;
	f.codec = sdp_static_codec(f.pt, &f.clock_hz);
	if (sdp_format_find(m, f.pt))
		return;
	if (m->format_count == SDP_FORMAT_MAX)
		r->sdp->flaws |= SDP_FLAW_TOO_MUCH;
	else
		m->formats[m->format_count++] = f;
}

/* The format that "PT rest" speaks of; *value becomes the rest. NULL: broken, or of no format of this medium. */
static struct sdp_format *format_take(struct reader *r, struct span *value)
{
	uint64_t pt;

	if (!span_number(word_take(value), PT_MAX, &pt)) {
		r->sdp->flaws |= SDP_FLAW_LINE;
		return NULL;
	}
	*value = span_trim(*value);
	return (struct sdp_format *)sdp_format_find(r->media, (uint8_t)pt);
}

/* ---- attributes ---- */

static void rtpmap_read(struct reader *r, struct span value)
{
	struct sdp_format *f = format_take(r, &value);
	struct span codec = until(value, '/'), clock = span_from(value, codec.n + 1), channels;
	uint64_t number;

	if (!f || f->mapped)                                    /* of two mappings the first counts */
		return;
	channels = span_from(clock, until(clock, '/').n + 1);
	clock = until(clock, '/');
	f->mapped = true;
	f->codec = codec;
	if (span_number(clock, UINT32_MAX, &number) && number > 0)
		f->clock_hz = (uint32_t)number;
	else
		r->sdp->flaws |= SDP_FLAW_LINE;
	if (is_word(codec, "G722"))
		f->clock_hz = 8000;                             /* RFC 3551 4.5.2, also where a=rtpmap says 16000 */
	if (span_number(channels, UINT8_MAX, &number) && number > 0)
		f->channels = (uint8_t)number;
}

static void fmtp_read(struct reader *r, struct span value)
{
	struct sdp_format *f = format_take(r, &value);

	if (f && f->fmtp.n == 0)
		f->fmtp = value;
}

/* Whole milliseconds; some write 20.0. 0, negative and absurd ones say nothing. */
static unsigned milliseconds(struct reader *r, struct span value)
{
	uint64_t ms;

	if (span_number(until(word_take(&value), '.'), PTIME_MAX_MS, &ms))
		return (unsigned)ms;
	r->sdp->flaws |= SDP_FLAW_LINE;
	return 0;
}

static void ptime_read(struct reader *r, struct span value)
{
	r->media->ptime_ms = milliseconds(r, value);
}

static void maxptime_read(struct reader *r, struct span value)
{
	r->media->maxptime_ms = milliseconds(r, value);
}

/* RFC 3605: port, and an address where it is another one. */
static void rtcp_read(struct reader *r, struct span value)
{
	struct connection c = { .given = false };
	struct span type;
	uint16_t port;

	if (!port_parse(word_take(&value), &port) || port == 0) {
		r->sdp->flaws |= SDP_FLAW_PORT;
		return;
	}
	word_take(&value);                                      /* IN */
	type = word_take(&value);
	if (type.n && !host_parse(type, word_take(&value), &c)) {
		r->sdp->flaws |= SDP_FLAW_LINE;
		return;
	}
	r->media->rtcp.port = port;
	r->media->rtcp.addr = c.addr;
}

static void direction_set(struct reader *r, enum sdp_direction direction)
{
	r->media->direction = direction;
	if (!r->in_media)
		r->sdp->direction = direction;
}

static void sendrecv_read(struct reader *r, struct span value)
{
	(void)value;
	direction_set(r, SDP_SENDRECV);
}

static void sendonly_read(struct reader *r, struct span value)
{
	(void)value;
	direction_set(r, SDP_SENDONLY);
}

static void recvonly_read(struct reader *r, struct span value)
{
	(void)value;
	direction_set(r, SDP_RECVONLY);
}

static void inactive_read(struct reader *r, struct span value)
{
	(void)value;
	direction_set(r, SDP_INACTIVE);
}

static void rtcp_mux_read(struct reader *r, struct span value)
{
	(void)value;
	r->media->rtcp_mux = true;
}

static void bundle_only_read(struct reader *r, struct span value)
{
	(void)value;
	r->media->bundle_only = true;
}

static void silence_read(struct reader *r, struct span value)
{
	r->media->silence_suppression_off = is_word(word_take(&value), "off");
}

static void mid_read(struct reader *r, struct span value)
{
	r->media->mid = value;
}

static void label_read(struct reader *r, struct span value)
{
	r->media->label = value;
}

/* RFC 4568: tag, suite, keys. The keys are never kept. */
static void crypto_read(struct reader *r, struct span value)
{
	struct span tag = word_take(&value), suite = word_take(&value);

	if (tag.n == 0 || suite.n == 0) {
		r->sdp->flaws |= SDP_FLAW_LINE;
		return;
	}
	if (r->media->crypto_count++ == 0)
		r->media->crypto_suite = suite;
}

static void fingerprint_read(struct reader *r, struct span value)
{
	r->media->fingerprint = value;
}

static void setup_read(struct reader *r, struct span value)
{
	r->media->setup = value;
}

static void ice_ufrag_read(struct reader *r, struct span value)
{
	r->media->ice_ufrag = value;
}

static void ice_lite_read(struct reader *r, struct span value)
{
	(void)value;
	r->sdp->ice_lite = true;
}

static void group_read(struct reader *r, struct span value)
{
	if (is_word(word_take(&value), "BUNDLE"))
		r->sdp->bundle = true;
}

static void ssrc_read(struct reader *r, struct span value)
{
	struct sdp_media *m = r->media;
	uint64_t ssrc;

	if (!span_number(word_take(&value), UINT32_MAX, &ssrc)) {
		r->sdp->flaws |= SDP_FLAW_LINE;
		return;
	}
	for (unsigned i = 0; i < m->ssrc_count; i++)
		if (m->ssrcs[i] == ssrc)
			return;
	if (m->ssrc_count == SDP_SSRC_MAX)
		r->sdp->flaws |= SDP_FLAW_TOO_MUCH;
	else
		m->ssrcs[m->ssrc_count++] = (uint32_t)ssrc;
}

static char candidate_type(struct span word)
{
	static const char *const types[] = { "host", "srflx", "prflx", "relay" };

	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (is_word(word, types[i]))
			return types[i][0];
	return 0;
}

/* RFC 8839 5.1: foundation component transport priority address port "typ" type, then pairs. */
static bool candidate_parse(struct span value, struct sdp_candidate *ret)
{
	struct sdp_candidate c = { .type = 0 };
	struct span foundation = word_take(&value), host, word;
	uint64_t component;

	if (foundation.n == 0 || !span_number(word_take(&value), UINT8_MAX, &component) || component == 0)
		return false;
	c.component = (uint8_t)component;
	c.udp = is_word(word_take(&value), "udp");
	word_take(&value);                                      /* priority */
	host = word_take(&value);
	if (!port_parse(word_take(&value), &c.at.port) || (!address_parse(host, &c.at.addr) && !name_like(host)))
		return false;
	if (!is_word(word_take(&value), "typ"))
		return false;
	c.type = candidate_type(word_take(&value));
	while ((word = word_take(&value)).n) {
		struct span what = word_take(&value);

		if (is_word(word, "raddr"))
			address_parse(what, &c.related.addr);
		else if (is_word(word, "rport"))
			port_parse(what, &c.related.port);
	}
	*ret = c;
	return c.type != 0;
}

static void candidate_read(struct reader *r, struct span value)
{
	struct sdp_candidate c;

	if (!candidate_parse(value, &c))
		r->sdp->flaws |= SDP_FLAW_LINE;
	else if (r->media->candidate_count == SDP_CANDIDATE_MAX)
		r->sdp->flaws |= SDP_FLAW_TOO_MUCH;
	else
		r->media->candidates[r->media->candidate_count++] = c;
}

static const struct attribute {
	const char *name;
	void (*read)(struct reader *r, struct span value);
} attributes[] = {
	{ "rtpmap", rtpmap_read }, { "fmtp", fmtp_read }, { "ptime", ptime_read }, { "sendrecv", sendrecv_read },
	{ "sendonly", sendonly_read }, { "recvonly", recvonly_read }, { "inactive", inactive_read }, { "candidate", candidate_read },
	{ "maxptime", maxptime_read }, { "rtcp", rtcp_read }, { "rtcp-mux", rtcp_mux_read }, { "crypto", crypto_read },
	{ "fingerprint", fingerprint_read }, { "setup", setup_read }, { "ssrc", ssrc_read }, { "mid", mid_read },
	{ "label", label_read }, { "group", group_read }, { "ice-ufrag", ice_ufrag_read }, { "ice-lite", ice_lite_read },
	{ "bundle-only", bundle_only_read }, { "silenceSupp", silence_read },
};

static void attribute_read(struct reader *r, struct span line)
{
	struct span name = until(line, ':'), value = span_trim(span_from(line, name.n + 1));

	name = span_trim(name);
	if (name.n == 0)
		return;
	for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++)
		if ((attributes[i].name[0] | 0x20) == (name.p[0] | 0x20) && is_word(name, attributes[i].name)) {
			attributes[i].read(r, value);
			return;
		}
}

/* ---- lines ---- */

static enum sdp_kind kind_find(struct span word)
{
	static const char *const names[SDP_KIND_OTHER] = {
		[SDP_AUDIO] = "audio", [SDP_VIDEO] = "video", [SDP_IMAGE] = "image", [SDP_TEXT] = "text",
		[SDP_APPLICATION] = "application", [SDP_MESSAGE] = "message",
	};
	unsigned kind = 0;

	while (kind < SDP_KIND_OTHER && !is_word(word, names[kind]))
		kind++;
	return (enum sdp_kind)kind;
}

static bool ends_with(struct span s, const char *end)
{
	struct span tail = span_of(end);

	return s.n >= tail.n && (s.n == tail.n || s.p[s.n - tail.n - 1] == '/') &&
	       span_equal_nocase(span_from(s, s.n - tail.n), tail);
}

static void protocol_set(struct sdp_media *m, struct span protocol)
{
	m->protocol = protocol;
	m->secure = ends_with(protocol, "RTP/SAVP") || ends_with(protocol, "RTP/SAVPF");
	m->rtp = m->secure || ends_with(protocol, "RTP/AVP") || ends_with(protocol, "RTP/AVPF");
}

static struct sdp_media *media_add(struct reader *r)
{
	struct sdp_media *m = &r->session;

	if (r->sdp->media_count == SDP_MEDIA_MAX) {
		r->sdp->flaws |= SDP_FLAW_TOO_MUCH;
		return m;
	}
	m = &r->sdp->media[r->sdp->media_count++];
	memset(m, 0, sizeof *m);
	m->direction = r->session.direction;
	m->fingerprint = r->session.fingerprint;
	m->setup = r->session.setup;
	m->ice_ufrag = r->session.ice_ufrag;
	m->ptime_ms = r->session.ptime_ms;
	m->maxptime_ms = r->session.maxptime_ms;
	m->silence_suppression_off = r->session.silence_suppression_off;
	return m;
}

/* A broken line keeps its slot: answers are matched by position. */
static void media_read(struct reader *r, struct span value)
{
	struct sdp_media *m = media_add(r);
	struct span port, word;

	r->media = m;
	r->in_media = true;
	m->line = r->line;
	m->kind = kind_find(word_take(&value));
	port = until(word_take(&value), '/');
	if (!port_parse(port, &m->port))
		r->sdp->flaws |= SDP_FLAW_PORT;
	protocol_set(m, word_take(&value));
	word = word_take(&value);
	if (word.n == 0)
		r->sdp->flaws |= SDP_FLAW_LINE;
	for (; word.n; word = word_take(&value)) {
		if (m->rtp)
			format_add(r, m, word);
		else if (m->kind == SDP_IMAGE && is_word(word, "t38"))
			m->t38 = true;
	}
}

static void origin_read(struct reader *r, struct span value)
{
	struct sdp *sdp = r->sdp;

	if (r->has_origin)
		return;
	sdp->origin = value;
	sdp->origin_user = word_take(&value);
	sdp->session_id = word_take(&value);
	sdp->session_version = word_take(&value);
	word_take(&value);                                      /* IN */
	word_take(&value);                                      /* IP4, IP6 */
	sdp->origin_host = word_take(&value);
	r->has_origin = sdp->origin_host.n > 0;
}

static void connection_read(struct reader *r, struct span value)
{
	struct connection c = { .given = true }, *slot = &r->session_connection;
	struct span net = word_take(&value), type = word_take(&value), host = until(word_take(&value), '/');

	if (!is_word(net, "IN") || !host_parse(type, host, &c))
		r->sdp->flaws |= SDP_FLAW_LINE;
	if (r->in_media) {
		if (r->media == &r->session)
			return;
		slot = &r->connections[r->sdp->media_count - 1];
	}
	if (!slot->given)
		*slot = c;
}

/* Place of a line in the order of RFC 8866 5; 0: no such line there. */
static unsigned rank_of(uint8_t letter, bool in_media)
{
	static const char session[] = "vosiuepcbtzka", media[] = "micbka";
	const char *order = in_media ? media : session, *at;

	if (letter == 'r' && !in_media)                         /* r= belongs to its t= */
		letter = 't';
	at = letter ? strchr(order, letter) : NULL;
	return at ? (unsigned)(at - order) + 1 : 0;
}

static void order_check(struct reader *r, uint8_t letter)
{
	unsigned rank = letter == 'm' ? 1 : rank_of(letter, r->in_media);

	if (rank < r->rank && letter != 'm')
		r->sdp->flaws |= SDP_FLAW_ORDER;
	else
		r->rank = rank;
}

static void line_read(struct reader *r, struct span line)
{
	struct span value = span_trim(span_from(line, 2));
	uint8_t letter = line.p[0];

	if (line.n < 2 || line.p[1] != '=' || (rank_of(letter, false) == 0 && letter != 'm')) {
		r->sdp->flaws |= SDP_FLAW_LINE;
		return;
	}
	order_check(r, letter);
	switch (letter) {
	case 'v':
		r->has_version = span_equal(value, SPAN("0"));
		break;
	case 'o':
		origin_read(r, value);
		break;
	case 's':
		r->sdp->session_name = value;
		break;
	case 'c':
		connection_read(r, value);
		break;
	case 't':
		r->has_time = true;
		break;
	case 'm':
		media_read(r, value);
		break;
	case 'a':
		attribute_read(r, value);
		break;
	}
}

/* One line, whatever ends it; *ret_ended: something did. */
static bool line_take(struct span *rest, struct span *ret_line, bool *ret_ended)
{
	size_t n = 0;

	if (rest->n == 0)
		return false;
	while (n < rest->n && rest->p[n] != '\n' && rest->p[n] != '\r')
		n++;
	*ret_line = span_first(*rest, n);
	*ret_ended = n < rest->n;
	*rest = span_from(*rest, n + 1);
	return true;
}

/* ---- the whole ---- */

static void media_finish(struct reader *r, unsigned i)
{
	struct sdp_media *m = &r->sdp->media[i];
	const struct connection *c = r->connections[i].given ? &r->connections[i] : &r->session_connection;

	m->at.addr = c->addr;
	m->at.port = m->port;
	m->name = c->name;
	if (m->rtcp.port == 0 && m->port > 0 && m->port < UINT16_MAX)
		m->rtcp.port = (uint16_t)(m->port + 1);
	if (m->rtcp.addr.family == 0)
		m->rtcp.addr = c->addr;
	m->trickle = m->port == DISCARD_PORT && (m->ice_ufrag.n || m->candidate_count);
	if (!c->given && m->port != 0)
		r->sdp->flaws |= SDP_FLAW_NO_CONNECTION;
}

static void facts_finish(struct reader *r, bool ended)
{
	struct sdp *sdp = r->sdp;

	sdp->connection.addr = r->session_connection.addr;
	for (unsigned i = 0; i < sdp->media_count; i++)
		media_finish(r, i);
	sdp->flaws |= (r->has_version ? 0 : SDP_FLAW_NO_VERSION) | (r->has_origin ? 0 : SDP_FLAW_NO_ORIGIN) |
	              (r->has_time ? 0 : SDP_FLAW_NO_TIME) | (ended ? 0 : SDP_FLAW_NO_LINE_END);
}

/* Is there a v= or m= line at all? */
static bool is_description(struct span bytes)
{
	struct span line;
	bool ended;

	while (line_take(&bytes, &line, &ended))
		if (line.n >= 2 && line.p[1] == '=' && (line.p[0] == 'v' || line.p[0] == 'm'))
			return true;
	return false;
}

bool sdp_parse(struct span bytes, struct sdp *ret)
{
	struct reader r = { .sdp = ret, .media = &r.session };
	struct span rest = bytes, line;
	bool ended = true;

	if (!is_description(bytes))
		return false;
	memset(ret, 0, offsetof(struct sdp, media));
	ret->media_count = 0;
	ret->flaws = 0;
	ret->bytes = bytes;
	while (line_take(&rest, &line, &ended)) {
		if (line.n == 0)                                /* the LF of a CRLF, or an empty line */
			continue;
		r.line++;
		line_read(&r, line);
	}
	facts_finish(&r, ended);
	return true;
}
