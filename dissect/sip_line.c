/* SPDX-License-Identifier: MIT */
/*
 * sip_line: lines and header names of a SIP message, one pass, whatever the sender ends his lines with. RFC 3261
 * 7.3.
 */
#include "dissect/sip_parts.h"

#include <endian.h>

#define EACH_BYTE(value) (UINT64_C(0x0101010101010101) * (value))

/*
 * A bit 7 for each byte below 0x20 and each DEL; only the lowest bit set is exact, which is the one that is asked
 * for.
 */
static uint64_t control_mask(uint64_t eight)
{
	uint64_t del = eight ^ EACH_BYTE(0x7f);
	uint64_t low = (eight - EACH_BYTE(0x20)) & ~eight;

	return (low | ((del - EACH_BYTE(1)) & ~del)) & EACH_BYTE(0x80);
}

static bool control_byte(uint8_t byte)
{
	return byte < 0x20 || byte == 0x7f;
}

/*
 * Offset of the first control byte (tabs, CR and LF are some) from `at` on; s.n where there is none. Eight bytes a
 * step: this is the scan.
 */
static size_t control_find(struct span s, size_t at)
{
	while (s.n - at >= 8) {
		uint64_t eight, mask;

		memcpy(&eight, s.p + at, sizeof eight);
		mask = control_mask(le64toh(eight));
		if (mask)
			return at + (size_t)__builtin_ctzll(mask) / 8;
		at += 8;
	}
	while (at < s.n && !control_byte(s.p[at]))
		at++;
	return at;
}

/* Offset of the line's end from `at` on; control bytes on the way are noted. */
static size_t line_end(struct sip_lines *l, size_t at)
{
	for (; (at = control_find(l->left, at)) < l->left.n; at++) {
		uint8_t byte = l->left.p[at];

		if (byte == '\r' || byte == '\n')
			break;
		if (byte != '\t')
			l->odd = true;
	}
	return at;
}

/*
 * Bytes of the line end at the head of s: CRLF, and what gateways and hand-made senders write for it: LF, CR,
 * CRCRLF, LFCR.
 */
static size_t line_end_bytes(struct sip_lines *l, struct span s)
{
	/* at the end of the bytes: who knows what was cut off */
	if (s.p[0] == '\r' && (s.n == 1 || s.p[1] == '\n'))
		return s.n == 1 ? 1 : 2;
	l->odd = true;
	if (s.n >= 3 && s.p[0] == '\r' && s.p[1] == '\r' && s.p[2] == '\n')
		return 3;
	if (l->lfcr && s.n >= 2 && s.p[0] == '\n' && s.p[1] == '\r')
		return 2;
	return 1;
}

bool sip_line_next(struct sip_lines *l, struct span *ret_line)
{
	size_t at;

	if (l->left.n == 0)
		return false;
	at = line_end(l, 0);
	*ret_line = span_first(l->left, at);
	l->ended = at < l->left.n;
	l->left = span_from(l->left, at);
	if (l->ended)
		l->left = span_from(l->left, line_end_bytes(l, l->left));
	return true;
}

bool sip_line_folded(struct sip_lines *l, struct span *ret_line)
{
	struct span line, more;

	if (!sip_line_next(l, &line))
		return false;
	if (line.n)
		while (l->ended && l->left.n && (l->left.p[0] == ' ' || l->left.p[0] == '\t')) {
			sip_line_next(l, &more);
			line.n = (size_t)(more.p + more.n - line.p);
		}
	*ret_line = line;
	return true;
}

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
 * By first letter; the compact form stands behind its name. RFC 3261 20, 3515, 3892, 4028, 6665, 3841 (a, d, j have
 * no name here), 4474, 8224.
 */
static const struct known_name known_names[26][12] = {
	['a' - 'a'] = { NAME("Allow", SIP_H_ALLOW), NAME("Authorization", SIP_H_AUTHORIZATION),
		NAME("Authentication-Info", SIP_H_AUTHENTICATION_INFO) },
	['b' - 'a'] = { NAME("b", SIP_H_REFERRED_BY) },
	['c' - 'a'] = { NAME("Call-ID", SIP_H_CALL_ID), NAME("CSeq", SIP_H_CSEQ), NAME("Contact", SIP_H_CONTACT),
		NAME("Content-Length", SIP_H_CONTENT_LENGTH), NAME("Content-Type", SIP_H_CONTENT_TYPE),
		NAME("c", SIP_H_CONTENT_TYPE), NAME("Content-Encoding", SIP_H_CONTENT_ENCODING) },
	['d' - 'a'] = { NAME("Diversion", SIP_H_DIVERSION) },
	['e' - 'a'] = { NAME("Expires", SIP_H_EXPIRES), NAME("Event", SIP_H_EVENT), NAME("e", SIP_H_CONTENT_ENCODING) },
	['f' - 'a'] = { NAME("From", SIP_H_FROM), NAME("f", SIP_H_FROM) },
	['h' - 'a'] = { NAME("History-Info", SIP_H_HISTORY_INFO) },
	['i' - 'a'] = { NAME("i", SIP_H_CALL_ID), NAME("Identity", SIP_H_IDENTITY) },
	['j' - 'a'] = { NAME("Join", SIP_H_JOIN) },
	['k' - 'a'] = { NAME("k", SIP_H_SUPPORTED) },
	['l' - 'a'] = { NAME("l", SIP_H_CONTENT_LENGTH) },
	['m' - 'a'] = { NAME("Max-Forwards", SIP_H_MAX_FORWARDS), NAME("m", SIP_H_CONTACT),
		NAME("Min-Expires", SIP_H_MIN_EXPIRES), NAME("Min-SE", SIP_H_MIN_SE) },
	['o' - 'a'] = { NAME("o", SIP_H_EVENT) },
	['p' - 'a'] = { NAME("Proxy-Authorization", SIP_H_PROXY_AUTHORIZATION),
		NAME("Proxy-Authenticate", SIP_H_PROXY_AUTHENTICATE),
		NAME("P-Asserted-Identity", SIP_H_P_ASSERTED_IDENTITY), NAME("P-Early-Media", SIP_H_P_EARLY_MEDIA),
		NAME("P-Charging-Vector", SIP_H_P_CHARGING_VECTOR), NAME("Path", SIP_H_PATH) },
	['r' - 'a'] = { NAME("Record-Route", SIP_H_RECORD_ROUTE), NAME("Route", SIP_H_ROUTE),
		NAME("Require", SIP_H_REQUIRE), NAME("RSeq", SIP_H_RSEQ), NAME("RAck", SIP_H_RACK),
		NAME("Reason", SIP_H_REASON), NAME("Refer-To", SIP_H_REFER_TO), NAME("r", SIP_H_REFER_TO),
		NAME("Referred-By", SIP_H_REFERRED_BY), NAME("Replaces", SIP_H_REPLACES),
		NAME("Retry-After", SIP_H_RETRY_AFTER) },
	['s' - 'a'] = { NAME("Supported", SIP_H_SUPPORTED), NAME("Server", SIP_H_SERVER),
		NAME("Session-Expires", SIP_H_SESSION_EXPIRES), NAME("Subject", SIP_H_SUBJECT),
		NAME("s", SIP_H_SUBJECT), NAME("Subscription-State", SIP_H_SUBSCRIPTION_STATE),
		NAME("Session-ID", SIP_H_SESSION_ID), NAME("Service-Route", SIP_H_SERVICE_ROUTE) },
	['t' - 'a'] = { NAME("To", SIP_H_TO), NAME("t", SIP_H_TO), NAME("Target-Dialog", SIP_H_TARGET_DIALOG) },
	['u' - 'a'] = { NAME("User-Agent", SIP_H_USER_AGENT) },
	['v' - 'a'] = { NAME("Via", SIP_H_VIA), NAME("v", SIP_H_VIA) },
	['w' - 'a'] = { NAME("WWW-Authenticate", SIP_H_WWW_AUTHENTICATE), NAME("Warning", SIP_H_WARNING) },
	['x' - 'a'] = { NAME("x", SIP_H_SESSION_EXPIRES) },
	['y' - 'a'] = { NAME("y", SIP_H_IDENTITY) },
};

static enum sip_header_name name_find(struct span text)
{
	uint8_t letter = text.p[0] | 0x20;

	if (letter < 'a' || letter > 'z')
		return SIP_H_OTHER;
	for (const struct known_name *known = known_names[letter - 'a']; known->n; known++) {
		if (known->n != text.n)
			continue;
		if (memcmp(known->text, text.p, text.n) == 0 ||
			span_equal_nocase((struct span){ (const uint8_t *)known->text, known->n }, text))
			return known->name;
	}
	return SIP_H_OTHER;
}

bool sip_line_field(struct span line, struct sip_header *ret)
{
	const uint8_t *colon = line.n ? memchr(line.p, ':', line.n) : NULL;
	struct span name;

	if (!colon)
		return false;
	name = (struct span){ line.p, (size_t)(colon - line.p) };
	while (name.n && (name.p[name.n - 1] == ' ' || name.p[name.n - 1] == '\t'))
		name.n--;
	if (name.n == 0)
		return false;
	ret->name = name_find(name);
	ret->name_text = name;
	ret->value = span_trim(span_from(line, (size_t)(colon + 1 - line.p)));
	return true;
}
