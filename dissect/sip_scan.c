/* SPDX-License-Identifier: MIT */
/* sip_scan: the first look at a message: header table, the fields that everything needs, where the body is. */
#include "dissect/sip_parts.h"

#include "captures/base/hash.h"
#include "captures/base/memory.h"

/* ---- the fields that everything needs ---- */

static const uint8_t *message_end(const struct sip_message *m)
{
	return m->bytes.p + m->bytes.n;
}

static void via_add(struct sip_message *m, struct span list)
{
	struct span value;

	while (sip_list_next(&list, &value))
		if (m->via_count++ == 0 && !sip_via_parse_before(value, message_end(m), &m->via))
			m->flaws |= SIP_FLAW_VIA;
}

static void contact_add(struct sip_message *m, struct span list)
{
	struct span value;

	while (sip_list_next(&list, &value)) {
		if (m->contact_count++ > 0)
			continue;
		m->contact_star = span_equal(value, SPAN("*"));
		if (m->contact_star)
			m->contact.whole = value;
		else
			sip_address_parse_before(value, message_end(m), &m->contact);
	}
}

static void from_set(struct sip_message *m, struct span value)
{
	if (!sip_address_parse_before(value, message_end(m), &m->from))
		m->from.whole = value;
}

static void to_set(struct sip_message *m, struct span value)
{
	if (!sip_address_parse_before(value, message_end(m), &m->to))
		m->to.whole = value;
}

static void call_id_set(struct sip_message *m, struct span value)
{
	m->call_id = value;
}

/* A response is one to the method of its CSeq. */
static void cseq_set(struct sip_message *m, struct span value)
{
	size_t n = 0;
	uint64_t number = 0;
	struct span text;
	enum sip_method method;

	while (n < value.n && value.p[n] >= '0' && value.p[n] <= '9' && number <= UINT32_MAX)
		number = number * 10 + (value.p[n++] - '0');
	text = span_from(value, n);
	if (n == 0 || number > UINT32_MAX || text.n == 0 || span_trim(span_first(text, 1)).n)
		return;
	text = span_trim(span_from(text, 1));
	method = sip_method_find(text);
	if (method == SIP_METHOD_NONE || (method == SIP_METHOD_OTHER && !sip_token(text)))
		return;
	m->has_cseq = true;
	m->cseq = (uint32_t)number;
	m->cseq_method = text;
	if (!m->request) {
		m->method_text = text;
		m->method = method;
	}
}

static void content_type_set(struct sip_message *m, struct span value)
{
	m->content_type = span_trim(span_first(value, span_find(value, ';')));
}

/* Two equal ones are only a double header; two different ones leave no length at all (RFC 4475 3.3.9). */
static void content_length_add(struct sip_message *m, struct span value)
{
	uint32_t length = 0;
	bool good = sip_length_parse(value, &length) && !(m->flaws & SIP_FLAW_CONTENT_LENGTH_BAD);

	if (!good || (m->has_content_length && length != m->content_length)) {
		m->flaws |= SIP_FLAW_CONTENT_LENGTH_BAD;
		good = false;
	}
	m->has_content_length = good;
	m->content_length = good ? length : 0;
}

static void max_forwards_set(struct sip_message *m, struct span value)
{
	m->has_max_forwards = sip_length_parse(value, &m->max_forwards);
}

static void expires_set(struct sip_message *m, struct span value)
{
	m->has_expires = sip_length_parse(span_trim(span_first(value, span_find(value, ';'))), &m->expires_s);
}

static void agent_set(struct sip_message *m, struct span value)
{
	if (m->user_agent.n == 0)
		m->user_agent = value;
}

/* once: may stand there once; of several the first counts, always. */
static const struct field_reader {
	void (*read)(struct sip_message *m, struct span value);
	bool once;
} field_readers[] = {
	[SIP_H_VIA] = { via_add, false },
	[SIP_H_FROM] = { from_set, true },
	[SIP_H_TO] = { to_set, true },
	[SIP_H_CALL_ID] = { call_id_set, true },
	[SIP_H_CSEQ] = { cseq_set, true },
	[SIP_H_CONTACT] = { contact_add, false },
	[SIP_H_CONTENT_TYPE] = { content_type_set, true },
	[SIP_H_CONTENT_LENGTH] = { content_length_add, false },
	[SIP_H_MAX_FORWARDS] = { max_forwards_set, true },
	[SIP_H_EXPIRES] = { expires_set, true },
	[SIP_H_USER_AGENT] = { agent_set, true },
	[SIP_H_SERVER] = { agent_set, true },
	[SIP_H_COUNT - 1] = { NULL, false }, /* the table has all names */
};

/* Headers whose second one is told as a flaw: RFC 3261 7.3.1. */
static const uint64_t singletons = UINT64_C(1) << SIP_H_FROM | UINT64_C(1) << SIP_H_TO | UINT64_C(1) << SIP_H_CALL_ID |
	UINT64_C(1) << SIP_H_CSEQ | UINT64_C(1) << SIP_H_CONTENT_TYPE | UINT64_C(1) << SIP_H_CONTENT_LENGTH |
	UINT64_C(1) << SIP_H_MAX_FORWARDS;

/* again: one of that name came before. */
static inline void field_read(struct sip_message *m, const struct sip_header *h, bool again)
{
	const struct field_reader *reader = &field_readers[h->name];

	if (again && (singletons >> h->name & 1))
		m->flaws |= SIP_FLAW_DOUBLE_HEADER;
	if (reader->read && !(again && reader->once))
		reader->read(m, h->value);
}

/* ---- the message ---- */

static void start_line_set(struct sip_message *m, const struct sip_start_line *start)
{
	m->request = start->request;
	m->method_text = start->method;
	m->method = sip_method_find(start->method);
	m->status = start->status;
	m->reason = start->reason;
	m->uri = start->uri;
	if (start->odd)
		m->flaws |= SIP_FLAW_START_LINE;
	if (start->request) {
		struct span uri = start->uri;

		if (uri.n > 1 && uri.p[0] == '<' && uri.p[uri.n - 1] == '>')
			uri = (struct span){ uri.p + 1, uri.n - 2 };
		m->request_uri.whole = start->uri;
		if (!sip_uri_parse(uri, &m->request_uri))
			m->flaws |= SIP_FLAW_URI;
	}
}

_Static_assert(SIP_H_COUNT <= 64 && SIP_HEADER_MAX <= UINT8_MAX + 1, "a bit for each name, a byte for each header");

/*
 * Reads header fields up to the empty line, whose absence it tells. cut: the last line may not be whole, it is left
 * alone.
 */
static bool headers_read(struct sip_message *m, struct sip_lines *lines, bool cut)
{
	uint64_t beyond = 0;            /* names that stand behind what the table can hold */
	struct sip_header spare, *h = m->headers;

	for (;;) {
		enum sip_line line = sip_line_field(lines, h);
		uint64_t bit;
		bool again;

		if (line <= SIP_LINE_EMPTY)
			return line == SIP_LINE_EMPTY;
		if (!lines->ended && cut)
			return false;
		if (line == SIP_LINE_BROKEN) {
			m->flaws |= SIP_FLAW_HEADER_LINE;
			continue;
		}
		if (h->name == SIP_H_OTHER && !sip_token(h->name_text))
			m->flaws |= SIP_FLAW_HEADER_LINE;
		bit = UINT64_C(1) << h->name;
		again = (m->names | beyond) & bit;
		field_read(m, h, again);
		if (h == &spare) {
			m->flaws |= SIP_FLAW_TOO_MUCH;
			beyond |= bit;
			continue;
		}
		if (again)
			m->names_again |= bit;
		else
			m->first[h->name] = (uint8_t)m->header_count;
		m->names |= bit;
		h = ++m->header_count < SIP_HEADER_MAX ? h + 1 : &spare;
	}
}

/*
 * What lies behind the body: line ends, blanks and NULs are sloppiness, and a second message is to be ignored (RFC
 * 4475 3.1.1.8).
 */
static bool surplus_harmless(struct span surplus)
{
	size_t n = 0;

	while (n < surplus.n &&
		(surplus.p[n] == '\r' || surplus.p[n] == '\n' || surplus.p[n] == ' ' || surplus.p[n] == 0))
		n++;
	return n == surplus.n || sip_looks_like(span_from(surplus, n));
}

static void body_set(struct sip_message *m, struct span rest, bool cut)
{
	m->body = rest;
	m->surplus = 0;
	if (m->has_content_length && m->content_length <= rest.n) {
		m->body = span_first(rest, m->content_length);
		if (!surplus_harmless(span_from(rest, m->content_length))) {
			m->flaws |= SIP_FLAW_CONTENT_LENGTH_SHORT;
			m->surplus = rest.n - m->content_length;
		}
	} else if (cut) {
		m->flaws |= SIP_FLAW_BODY_CUT;
	} else if (m->has_content_length) {
		m->flaws |= SIP_FLAW_CONTENT_LENGTH_LONG;
	}
	m->bytes.n = (size_t)(m->body.p + m->body.n - m->bytes.p);
}

static bool is_early(const struct sip_message *m)
{
	for (const struct sip_header *h = sip_header_find(m, SIP_H_OTHER); h; h = sip_header_next(m, h)) {
		if (sip_body_early(h->name_text, h->value))
			return true;
	}
	return false;
}

static void sdp_set(struct sip_message *m)
{
	struct span encoding = sip_header_value(m, SIP_H_CONTENT_ENCODING);

	if (m->body.n && !is_early(m) && (encoding.n == 0 || span_equal_nocase(encoding, SPAN("identity"))))
		m->sdp = sip_body_sdp(m->body, sip_header_value(m, SIP_H_CONTENT_TYPE));
}

static void facts_finish(struct sip_message *m)
{
	struct span expires;
	uint32_t seconds;

	if (m->contact.params.n && sip_parameter(m->contact.params, SPAN("expires"), &expires) &&
		sip_length_parse(expires, &seconds)) {
		m->has_expires = true;
		m->expires_s = seconds;
	}
	if (m->request && m->has_cseq && !span_equal(m->cseq_method, m->method_text))
		m->flaws |= SIP_FLAW_CSEQ_METHOD;
}

/* Not asked of headers that the capture cut off: what was not seen is not absent. */
static void missing_find(struct sip_message *m)
{
	if (m->call_id.n == 0)
		m->flaws |= SIP_FLAW_NO_CALL_ID;
	if (!m->has_cseq)
		m->flaws |= SIP_FLAW_NO_CSEQ;
	if (m->from.whole.n == 0)
		m->flaws |= SIP_FLAW_NO_FROM;
	if (m->to.whole.n == 0)
		m->flaws |= SIP_FLAW_NO_TO;
	if (m->via_count == 0)
		m->flaws |= SIP_FLAW_NO_VIA;
}

void sip_message_keys(struct sip_message *m)
{
	m->keys = (struct sip_keys){
		.call_id = hash_bytes(m->call_id.p, m->call_id.n),
		.branch = hash_bytes(m->via.branch.p, m->via.branch.n),
		.from_tag = hash_bytes(m->from.tag.p, m->from.tag.n), .to_tag = hash_bytes(m->to.tag.p, m->to.tag.n),
		.cookie = span_starts_nocase(m->via.branch, SPAN("z9hG4bK")),
	};
}

/* All of it but the header table and its index, which have a count, and bits. */
static void message_clear(struct sip_message *m, struct span bytes)
{
	memory_clear(m, offsetof(struct sip_message, first));
	m->bytes = bytes;
}

bool sip_message_parse(struct span bytes, size_t wire, struct sip_message *ret)
{
	bool cut = wire > bytes.n, complete;
	struct sip_lines lines = { .left = sip_skip_line_ends(bytes) };
	struct sip_start_line start = { .request = false };
	struct span line;

	bytes = lines.left;
	if (!sip_token(span_first(bytes, 1)) || !sip_line_next(&lines, &line))
		return false;
	if (!sip_start_line_parse(line, &start) && !(cut && !lines.ended && sip_start_line_begins(line, &start)))
		return false;
	if (line.n >= SIP_LOOK_BYTES && !sip_looks_like(bytes))
		return false;
	if (cut && !lines.ended) /* then nothing about its end is the sender's fault */
		start.odd = false;
	lines.lfcr = bytes.n - line.n > 2 && bytes.p[line.n] == '\n' && bytes.p[line.n + 1] == '\r' &&
		bytes.p[line.n + 2] != '\n';
	if (lines.lfcr)
		lines.left = span_from(lines.left, 1);
	message_clear(ret, bytes);
	start_line_set(ret, &start);
	complete = headers_read(ret, &lines, cut);
	if (lines.odd || (!complete && !cut))
		ret->flaws |= SIP_FLAW_HEADER_LINE;
	if (complete || !cut)
		missing_find(ret);
	else
		ret->flaws |= SIP_FLAW_BODY_CUT | SIP_FLAW_HEADERS_CUT;
	if (complete)
		body_set(ret, lines.left, cut);
	sdp_set(ret);
	facts_finish(ret);
	sip_message_keys(ret);
	return true;
}
