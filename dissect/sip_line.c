/* SPDX-License-Identifier: MIT */
/*
 * sip_line: lines and header names of a SIP message, one pass, whatever the sender ends his lines with. RFC 3261
 * 7.3.
 */
#include "dissect/sip_parts.h"

#include "dissect/control.h"

/* ---- lines ---- */

/* Offset of the line's end from `at` on; control bytes on the way are noted, but not what a backslash quotes. */
static inline size_t line_end(struct sip_lines *l, size_t at)
{
	for (; (at = control_find(l->left, at)) < l->left.n; at++) {
		uint8_t byte = l->left.p[at];

		if (byte == '\r' || byte == '\n')
			break;
		if (byte != '\t' && !(at && l->left.p[at - 1] == '\\'))
			l->odd = true;
	}
	return at;
}

/* Bytes of what gateways and hand-made senders write for CRLF: LF, CR, CRCRLF, LFCR. */
static size_t odd_end_bytes(struct sip_lines *l, struct span s)
{
	if (s.p[0] == '\r' && s.n == 1) /* at the end of the bytes: who knows what was cut off */
		return 1;
	l->odd = true;
	if (s.n >= 3 && s.p[0] == '\r' && s.p[1] == '\r' && s.p[2] == '\n')
		return 3;
	if (l->lfcr && s.n >= 2 && s.p[0] == '\n' && s.p[1] == '\r')
		return 2;
	return 1;
}

static inline __attribute__((always_inline)) bool line_next(struct sip_lines *l, struct span *ret_line)
{
	struct span s = l->left;
	size_t at, end;

	if (s.n == 0)
		return false;
	at = line_end(l, 0);
	end = at;
	l->ended = at < s.n;
	if (s.n - at >= 2 && s.p[at] == '\r' && s.p[at + 1] == '\n')
		end += 2;
	else if (l->ended)
		end += odd_end_bytes(l, span_from(s, at));
	*ret_line = (struct span){ s.p, at };
	l->left = (struct span){ s.p + end, s.n - end };
	return true;
}

bool sip_line_next(struct sip_lines *l, struct span *ret_line)
{
	return line_next(l, ret_line);
}

/* ---- names ---- */

/* Token bytes of RFC 3261 25.1, a bit each. */
static const uint32_t token_bits[8] = { 0, 0x03ff6ca2, 0x87fffffe, 0x47ffffff };

bool sip_token(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!(token_bits[s.p[i] >> 5] >> (s.p[i] & 31) & 1))
			return false;
	return s.n > 0;
}

struct known_name {
	uint8_t n;
	const char *text;
	enum sip_header_name name;
};

#define NAME(text, name) \
	{ \
		sizeof(text) - 1, text, name \
	}

/*
 * In small letters, by the first; the compact form stands behind its name. RFC 3261 20, 3515, 3892, 4028, 6665, 3841
 * (a, d, j have no name here), 4474, 8224.
 */
static const struct known_name known_names[26][12] = {
	['a' - 'a'] = { NAME("allow", SIP_H_ALLOW), NAME("authorization", SIP_H_AUTHORIZATION),
		NAME("authentication-info", SIP_H_AUTHENTICATION_INFO) },
	['b' - 'a'] = { NAME("b", SIP_H_REFERRED_BY) },
	['c' - 'a'] = { NAME("call-id", SIP_H_CALL_ID), NAME("cseq", SIP_H_CSEQ), NAME("contact", SIP_H_CONTACT),
		NAME("content-length", SIP_H_CONTENT_LENGTH), NAME("content-type", SIP_H_CONTENT_TYPE),
		NAME("c", SIP_H_CONTENT_TYPE), NAME("content-encoding", SIP_H_CONTENT_ENCODING) },
	['d' - 'a'] = { NAME("diversion", SIP_H_DIVERSION) },
	['e' - 'a'] = { NAME("expires", SIP_H_EXPIRES), NAME("event", SIP_H_EVENT), NAME("e", SIP_H_CONTENT_ENCODING) },
	['f' - 'a'] = { NAME("from", SIP_H_FROM), NAME("f", SIP_H_FROM) },
	['h' - 'a'] = { NAME("history-info", SIP_H_HISTORY_INFO) },
	['i' - 'a'] = { NAME("i", SIP_H_CALL_ID), NAME("identity", SIP_H_IDENTITY) },
	['j' - 'a'] = { NAME("join", SIP_H_JOIN) },
	['k' - 'a'] = { NAME("k", SIP_H_SUPPORTED) },
	['l' - 'a'] = { NAME("l", SIP_H_CONTENT_LENGTH) },
	['m' - 'a'] = { NAME("max-forwards", SIP_H_MAX_FORWARDS), NAME("m", SIP_H_CONTACT),
		NAME("min-expires", SIP_H_MIN_EXPIRES), NAME("min-se", SIP_H_MIN_SE) },
	['o' - 'a'] = { NAME("o", SIP_H_EVENT) },
	['p' - 'a'] = { NAME("proxy-authorization", SIP_H_PROXY_AUTHORIZATION),
		NAME("proxy-authenticate", SIP_H_PROXY_AUTHENTICATE),
		NAME("p-asserted-identity", SIP_H_P_ASSERTED_IDENTITY), NAME("p-early-media", SIP_H_P_EARLY_MEDIA),
		NAME("p-charging-vector", SIP_H_P_CHARGING_VECTOR), NAME("path", SIP_H_PATH) },
	['r' - 'a'] = { NAME("record-route", SIP_H_RECORD_ROUTE), NAME("route", SIP_H_ROUTE),
		NAME("require", SIP_H_REQUIRE), NAME("rseq", SIP_H_RSEQ), NAME("rack", SIP_H_RACK),
		NAME("reason", SIP_H_REASON), NAME("refer-to", SIP_H_REFER_TO), NAME("r", SIP_H_REFER_TO),
		NAME("referred-by", SIP_H_REFERRED_BY), NAME("replaces", SIP_H_REPLACES),
		NAME("retry-after", SIP_H_RETRY_AFTER) },
	['s' - 'a'] = { NAME("supported", SIP_H_SUPPORTED), NAME("server", SIP_H_SERVER),
		NAME("session-expires", SIP_H_SESSION_EXPIRES), NAME("subject", SIP_H_SUBJECT),
		NAME("s", SIP_H_SUBJECT), NAME("subscription-state", SIP_H_SUBSCRIPTION_STATE),
		NAME("session-id", SIP_H_SESSION_ID), NAME("service-route", SIP_H_SERVICE_ROUTE) },
	['t' - 'a'] = { NAME("to", SIP_H_TO), NAME("t", SIP_H_TO), NAME("target-dialog", SIP_H_TARGET_DIALOG) },
	['u' - 'a'] = { NAME("user-agent", SIP_H_USER_AGENT) },
	['v' - 'a'] = { NAME("via", SIP_H_VIA), NAME("v", SIP_H_VIA) },
	['w' - 'a'] = { NAME("www-authenticate", SIP_H_WWW_AUTHENTICATE), NAME("warning", SIP_H_WARNING) },
	['x' - 'a'] = { NAME("x", SIP_H_SESSION_EXPIRES) },
	['y' - 'a'] = { NAME("y", SIP_H_IDENTITY) },
};

static inline uint64_t letters_8(const uint8_t *p)
{
	uint64_t eight;

	memcpy(&eight, p, sizeof eight);
	return eight | UINT64_C(0x2020202020202020);
}

static inline uint32_t letters_4(const uint8_t *p)
{
	uint32_t four;

	memcpy(&four, p, sizeof four);
	return four | 0x20202020;
}

/*
 * Is it that name, which is in small letters, of as many bytes? Only a CR could pass for a dash, and none stands within
 * a name: what is behind it would be a blank.
 */
static inline bool name_is(const uint8_t *p, const uint8_t *name, size_t n)
{
	if (n >= 8) {
		for (size_t at = 0; at + 8 < n; at += 8)
			if (letters_8(p + at) != letters_8(name + at))
				return false;
		return letters_8(p + n - 8) == letters_8(name + n - 8);
	}
	if (n >= 4)
		return letters_4(p) == letters_4(name) && letters_4(p + n - 4) == letters_4(name + n - 4);
	for (size_t at = 0; at < n; at++)
		if ((p[at] | 0x20) != name[at])
			return false;
	return true;
}

static inline enum sip_header_name name_find(struct span text)
{
	uint8_t letter = text.p[0] | 0x20;

	if (letter < 'a' || letter > 'z')
		return SIP_H_OTHER;
	for (const struct known_name *known = known_names[letter - 'a']; known->n; known++)
		if (known->n == text.n && name_is(text.p, (const uint8_t *)known->text, text.n))
			return known->name;
	return SIP_H_OTHER;
}

/* Takes the lines that belong to the one before: they begin with a blank. */
static struct span folded_take(struct sip_lines *l, struct span line)
{
	struct span more;

	while (l->ended && l->left.n && (l->left.p[0] == ' ' || l->left.p[0] == '\t')) {
		sip_line_next(l, &more);
		line.n = (size_t)(more.p + more.n - line.p);
	}
	return line;
}

/* A name has seldom more than 15 bytes. */
static inline const uint8_t *colon_find(struct span line)
{
	size_t at = line.n < 16 ? 16 : byte_find_16(line.p, ':');

	return at < 16 ? line.p + at : memchr(line.p, ':', line.n);
}

enum sip_line sip_line_field(struct sip_lines *l, struct sip_header *ret_field)
{
	struct span line, name, value;
	const uint8_t *colon;

	if (!line_next(l, &line))
		return SIP_LINE_NONE;
	if (line.n == 0)
		return SIP_LINE_EMPTY;
	if (l->left.n && l->left.p[0] <= ' ')
		line = folded_take(l, line);
	colon = colon_find(line);
	if (!colon)
		return SIP_LINE_BROKEN;
	name = (struct span){ line.p, (size_t)(colon - line.p) };
	while (name.n && name.p[name.n - 1] <= ' ' && (name.p[name.n - 1] == ' ' || name.p[name.n - 1] == '\t'))
		name.n--;
	if (name.n == 0)
		return SIP_LINE_BROKEN;
	value = (struct span){ colon + 1, (size_t)(line.p + line.n - colon - 1) };
	if (value.n && value.p[0] == ' ') /* as everybody writes it */
		value = (struct span){ value.p + 1, value.n - 1 };
	ret_field->name = name_find(name);
	ret_field->name_text = name;
	ret_field->value = span_trim(value);
	return SIP_LINE_FIELD;
}
