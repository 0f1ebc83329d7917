/* SPDX-License-Identifier: MIT */
/* sdp_word: words, ports and addresses in the lines of a session description. */
#include "dissect/sdp_parts.h"

static bool is_blank(uint8_t byte)
{
	return byte == ' ' || byte == '\t';
}

struct span sdp_word_take(struct span *rest)
{
	struct span s = *rest, word;
	size_t at = 0, end;

	if (s.n == 0)
		return s;
	while (at < s.n && is_blank(s.p[at]))
		at++;
	for (end = at; end < s.n && (s.p[end] > ' ' || !is_blank(s.p[end])); end++)
		;
	word = (struct span){ s.p + at, end - at };
	*rest = (struct span){ s.p + end, s.n - end };
	return word;
}

bool sdp_name_like(struct span s)
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

bool sdp_host_parse(struct span type, struct span host, struct sdp_connection *ret)
{
	struct sdp_connection c = { .given = true };
	bool six = sdp_word_is(type, "IP6");

	if (!six && !sdp_word_is(type, "IP4"))
		return false;
	if (address_parse(host, &c.addr)) {
		if (six != (span_find(host, ':') < host.n))
			return false;
	} else if (sdp_name_like(host)) {
		c.name = host;
	} else {
		return false;
	}
	*ret = c;
	return true;
}

bool sdp_port_parse(struct span s, uint16_t *ret)
{
	uint64_t port;

	if (!span_number(s, UINT16_MAX, &port))
		return false;
	*ret = (uint16_t)port;
	return true;
}
