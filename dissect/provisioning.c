/* SPDX-License-Identifier: MIT */
/* provisioning: the first line of HTTP, the first field of TFTP. */
#include "dissect/provisioning.h"

#include "captures/base/text.h"

enum { TFTP_PORT = 69, TFTP_READ = 1, MAC_DIGITS = 12, HEADER_LINES_MAX = 64 };

static bool is_hex(uint8_t b)
{
	return (b >= '0' && b <= '9') || (b >= 'a' && b <= 'f') || (b >= 'A' && b <= 'F');
}

/* Twelve hexadecimal digits in a row, no more: "001565aabbcc". */
static bool holds_mac(struct span name)
{
	size_t row = 0;

	for (size_t i = 0; i < name.n; i++) {
		row = is_hex(name.p[i]) ? row + 1 : 0;
		if (row == MAC_DIGITS && (i + 1 == name.n || !is_hex(name.p[i + 1])))
			return true;
	}
	return false;
}

static bool ends_with(struct span name, struct span end)
{
	return name.n > end.n && span_equal_nocase(span_from(name, name.n - end.n), end);
}

static bool is_configuration(struct span name)
{
	return ends_with(name, SPAN(".cfg")) || ends_with(name, SPAN(".xml")) || ends_with(name, SPAN(".boot")) ||
	       holds_mac(name);
}

/* Behind the last slash, without a query. */
static struct span file_of(struct span path)
{
	struct span name = span_first(path, span_find(path, '?'));

	for (size_t i = name.n; i-- > 0;) {
		if (name.p[i] == '/')
			return span_from(name, i + 1);
	}
	return name;
}

static struct span agent_of(struct span head)
{
	struct span line;

	for (unsigned i = 0; i < HEADER_LINES_MAX && head.n && span_split(&head, '\n', &line); i++) {
		if (span_starts_nocase(line, SPAN("User-Agent:")))
			return span_trim(span_from(line, sizeof "User-Agent:" - 1));
	}
	return SPAN_NONE;
}

static enum provisioning http_request(struct span bytes, struct span *ret_agent)
{
	struct span rest = bytes, line = SPAN_NONE, word;

	if (!span_starts_nocase(bytes, SPAN("GET ")) || !span_split(&rest, '\n', &line))
		return PROVISIONING_NO;
	line = span_from(line, sizeof "GET " - 1);
	if (!span_split(&line, ' ', &word) || !span_starts_nocase(line, SPAN("HTTP/1.")) ||
	    !is_configuration(file_of(word)))
		return PROVISIONING_NO;
	*ret_agent = agent_of(rest);
	return PROVISIONING_HTTP;
}

static enum provisioning tftp_request(struct span bytes)
{
	struct span name;

	if (bytes.n < 4 || bytes.p[0] != 0 || bytes.p[1] != TFTP_READ)
		return PROVISIONING_NO;
	name = span_from(bytes, 2);
	name = span_first(name, span_find(name, 0));
	return is_configuration(file_of(name)) ? PROVISIONING_TFTP : PROVISIONING_NO;
}

enum provisioning provisioning_request(const struct packet *p, struct span *ret_agent)
{
	*ret_agent = SPAN_NONE;
	if (p->transport == TRANSPORT_TCP)
		return http_request(p->payload, ret_agent);
	return p->transport == TRANSPORT_UDP && p->dst.port == TFTP_PORT ? tftp_request(p->payload) : PROVISIONING_NO;
}
