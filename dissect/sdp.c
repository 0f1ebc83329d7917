/* SPDX-License-Identifier: MIT */
/*
 * sdp: a session description line by line, tolerant: order, missing lines and line ends do not matter. RFC 8866 5,
 * 3264.
 */
#include "dissect/sdp_parts.h"

#include "dissect/control.h"

enum { DISCARD_PORT = 9 };

static enum sdp_kind kind_find(struct span word)
{
	static const char *const names[SDP_KIND_OTHER] = {
		[SDP_AUDIO] = "audio",
		[SDP_VIDEO] = "video",
		[SDP_IMAGE] = "image",
		[SDP_TEXT] = "text",
		[SDP_APPLICATION] = "application",
		[SDP_MESSAGE] = "message",
	};
	unsigned kind = SDP_AUDIO;

	if (span_equal(word, SPAN("audio")))
		return SDP_AUDIO;
	while (kind < SDP_KIND_OTHER && !sdp_word_is(word, names[kind]))
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
	m->rtp = span_equal(protocol, SPAN("RTP/AVP"));
	if (m->rtp)
		return;
	m->over_tcp = span_starts(protocol, SPAN("TCP/"));
	m->secure = ends_with(protocol, "RTP/SAVP") || ends_with(protocol, "RTP/SAVPF");
	m->rtp = m->secure || ends_with(protocol, "RTP/AVP") || ends_with(protocol, "RTP/AVPF");
}

const struct sdp_rare sdp_rare_none;

static void media_house(struct sdp_reader *r, struct sdp_media *m, struct sdp_room *room)
{
	m->formats = room->formats;
	m->rare = &sdp_rare_none;
	r->media = m;
	r->room = room;
}

struct sdp_rare *sdp_reader_rare(struct sdp_reader *r)
{
	struct sdp_rare *rare = &r->room->rare;

	if (r->media->rare == rare)
		return rare;
	memset(rare, 0, sizeof *rare);
	rare->candidates = r->room->candidates;
	rare->ssrcs = r->room->ssrcs;
	rare->cryptos = r->room->cryptos;
	r->media->rare = rare;
	return rare;
}

/* What the medium in hand has from the session until it says something else. */
static void media_inherit(struct sdp_reader *r)
{
	const struct sdp_media *session = &r->session;
	struct sdp_media *m = r->media;
	struct sdp_rare *rare;

	m->direction = session->direction;
	m->ptime_ms = session->ptime_ms;
	m->maxptime_ms = session->maxptime_ms;
	m->silence_suppression_off = session->silence_suppression_off;
	if (session->rare == &sdp_rare_none)
		return;
	rare = sdp_reader_rare(r);
	rare->fingerprint = session->rare->fingerprint;
	rare->setup = session->rare->setup;
	/* RFC 4568 has them in media only; who writes them above means all */
	rare->crypto_count = session->rare->crypto_count;
	rare->crypto_suite = session->rare->crypto_suite;
	rare->crypto_mki = session->rare->crypto_mki;
	rare->crypto_key_count = session->rare->crypto_key_count;
	memcpy(rare->cryptos, session->rare->cryptos, sdp_crypto_kept(rare) * sizeof *rare->cryptos);
	rare->key_management = session->rare->key_management;
	rare->ice_ufrag = session->rare->ice_ufrag;
}

static void media_add(struct sdp_reader *r)
{
	unsigned at = r->said->media_count;
	struct sdp_media *m;

	if (at == SDP_MEDIA_MAX) {
		r->said->flaws |= SDP_FLAW_TOO_MUCH;
		r->media = &r->session;
		r->room = &r->text->rooms[SDP_MEDIA_MAX];
		return;
	}
	m = &r->text->media[at];
	memset(m, 0, sizeof *m);
	r->connections[at].given = false;
	media_house(r, m, &r->text->rooms[at]);
	media_inherit(r);
	r->said->media_count++;
}

/* A broken line keeps its slot: answers are matched by position. */
static void media_read(struct sdp_reader *r, struct span value)
{
	struct sdp_media *m;
	struct span port, word;

	media_add(r);
	m = r->media;
	r->in_media = true;
	m->kind = (uint8_t)kind_find(sdp_word_take(&value));
	port = sdp_until(sdp_word_take(&value), '/');
	if (!sdp_port_parse(port, &m->port))
		r->said->flaws |= SDP_FLAW_PORT;
	if (sdp_tail_take(r, value))
		return;
	protocol_set(m, sdp_word_take(&value));
	word = sdp_word_take(&value);
	if (word.n == 0)
		r->said->flaws |= SDP_FLAW_LINE;
	for (; word.n; word = sdp_word_take(&value)) {
		if (m->rtp)
			sdp_format_add(r, word);
		else if (m->kind == SDP_IMAGE && sdp_word_is(word, "t38"))
			m->t38 = true;
	}
}

static void origin_read(struct sdp_reader *r, struct span value)
{
	struct sdp_text *t = r->text;

	if (r->has_origin)
		return;
	t->origin = value;
	t->origin_user = sdp_word_take(&value);
	t->session_id = sdp_word_take(&value);
	t->session_version = sdp_word_take(&value);
	sdp_word_take(&value); /* IN */
	sdp_word_take(&value); /* IP4, IP6 */
	t->origin_host = sdp_word_take(&value);
	r->has_origin = t->origin_host.n > 0;
}

static void connection_read(struct sdp_reader *r, struct span value)
{
	struct sdp_connection c = { .given = true }, *slot = &r->session_connection;
	struct span net = sdp_word_take(&value), type = sdp_word_take(&value);
	struct span host = sdp_until(sdp_word_take(&value), '/');

	if (!sdp_word_is(net, "IN") || !sdp_host_parse(type, host, &c))
		r->said->flaws |= SDP_FLAW_LINE;
	if (r->in_media) {
		if (r->media == &r->session)
			return;
		slot = &r->connections[r->said->media_count - 1];
	}
	if (!slot->given)
		*slot = c;
}

/* Place of a line in the order of RFC 8866 5; 0: no such line there. r= belongs to its t=. */
static unsigned rank_of(uint8_t letter, bool in_media)
{
	static const uint8_t ranks[2]['z' - 'a' + 1] = {
		{ ['v' - 'a'] = 1, ['o' - 'a'] = 2, ['s' - 'a'] = 3, ['i' - 'a'] = 4, ['u' - 'a'] = 5, ['e' - 'a'] = 6,
			['p' - 'a'] = 7, ['c' - 'a'] = 8, ['b' - 'a'] = 9, ['t' - 'a'] = 10, ['r' - 'a'] = 10,
			['z' - 'a'] = 11, ['k' - 'a'] = 12, ['a' - 'a'] = 13 },
		{ ['m' - 'a'] = 1, ['i' - 'a'] = 2, ['c' - 'a'] = 3, ['b' - 'a'] = 4, ['k' - 'a'] = 5,
			['a' - 'a'] = 6 },
	};

	return letter >= 'a' && letter <= 'z' ? ranks[in_media][letter - 'a'] : 0;
}

static void order_check(struct sdp_reader *r, uint8_t letter)
{
	unsigned rank = letter == 'm' ? 1 : rank_of(letter, r->in_media);

	if (rank < r->rank && letter != 'm')
		r->said->flaws |= SDP_FLAW_ORDER;
	else
		r->rank = rank;
}

/* Of the lines that are read: also where it stands in a medium. c= of a medium is an address, which no tail has. */
static bool says_of_session(uint8_t letter)
{
	return letter == 'v' || letter == 'o' || letter == 's' || letter == 't' || letter == 'c';
}

static void line_read(struct sdp_reader *r, struct span line)
{
	struct span value = span_trim(span_from(line, 2));
	uint8_t letter = line.p[0];

	if (line.n < 2 || line.p[1] != '=' || (rank_of(letter, false) == 0 && letter != 'm')) {
		r->said->flaws |= SDP_FLAW_LINE;
		return;
	}
	order_check(r, letter);
	if (says_of_session(letter))
		sdp_tail_spoil(r);
	switch (letter) {
	case 'v': r->has_version = span_equal(value, SPAN("0")); break;
	case 'o': origin_read(r, value); break;
	case 's': r->text->session_name = value; break;
	case 'c': connection_read(r, value); break;
	case 't': r->has_time = true; break;
	case 'm': media_read(r, value); break;
	case 'a': sdp_attribute_read(r, value); break;
	}
}

/* One line, whatever ends it, a CRLF at once; *ret_ended: something did. */
static bool line_take(struct span *rest, struct span *ret_line, bool *ret_ended)
{
	struct span s = *rest;
	size_t n, end;

	if (s.n == 0)
		return false;
	n = control_find(s, 0);
	while (n < s.n && s.p[n] != '\n' && s.p[n] != '\r')
		n = control_find(s, n + 1);
	end = s.n - n >= 2 && s.p[n] == '\r' && s.p[n + 1] == '\n' ? n + 2 : n + 1;
	*ret_line = (struct span){ s.p, n };
	*ret_ended = n < s.n;
	*rest = *ret_ended ? (struct span){ s.p + end, s.n - end } : (struct span){ s.p + n, 0 };
	return true;
}

/* ---- the whole ---- */

static void media_finish(struct sdp_reader *r, unsigned i)
{
	const struct sdp_connection *c = r->connections[i].given ? &r->connections[i] : &r->session_connection;
	struct sdp_media *m = r->media = &r->text->media[i];

	r->room = &r->text->rooms[i];
	m->at.addr = c->addr;
	m->at.port = m->port;
	if (c->name.n)
		sdp_reader_rare(r)->name = c->name;
	m->trickle = m->port == DISCARD_PORT && (m->rare->ice_ufrag.n || m->rare->candidate_count);
	if (!c->given && m->port != 0)
		r->said->flaws |= SDP_FLAW_NO_CONNECTION;
}

static void facts_finish(struct sdp_reader *r)
{
	r->text->connection.addr = r->session_connection.addr;
	for (unsigned i = 0; i < r->said->media_count; i++)
		media_finish(r, i);
	r->said->flaws |= (r->has_version ? 0 : SDP_FLAW_NO_VERSION) | (r->has_origin ? 0 : SDP_FLAW_NO_ORIGIN) |
		(r->has_time ? 0 : SDP_FLAW_NO_TIME) | (r->ended ? 0 : SDP_FLAW_NO_LINE_END);
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

bool sdp_parse(struct span bytes, struct sdp_text *ret)
{
	struct sdp_reader r;
	struct span line;

	if (!is_description(bytes))
		return false;
	memset(&r, 0, offsetof(struct sdp_reader, connections));
	memset(ret, 0, offsetof(struct sdp_text, media));
	r.text = ret;
	r.said = &ret->said;
	media_house(&r, &r.session, &ret->rooms[SDP_MEDIA_MAX]);
	ret->bytes = bytes;
	ret->said.bytes = (uint32_t)bytes.n;
	ret->said.media = ret->media;
	r.rest = bytes;
	r.ended = true;
	while (line_take(&r.rest, &line, &r.ended))
		if (line.n)
			line_read(&r, line);
	sdp_tail_keep(&r);
	facts_finish(&r);
	return true;
}
