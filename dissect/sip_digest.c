/* SPDX-License-Identifier: MIT */
/* sip_digest: reads a comma list of name=value, values quoted or not. */
#include "dissect/sip_digest.h"

enum { PARAMETERS_MAX = 32 };

/* Moves *rest behind the next comma that is not in quotes; gives what stood before it. */
static struct span parameter_take(struct span *rest)
{
	bool quoted = false;
	size_t n = 0;
	struct span whole;

	for (; n < rest->n; n++) {
		uint8_t b = rest->p[n];

		if (quoted && b == '\\' && n + 1 < rest->n)
			n++;
		else if (b == '"')
			quoted = !quoted;
		else if (!quoted && b == ',')
			break;
	}
	whole = span_trim(span_first(*rest, n));
	*rest = span_from(*rest, n + 1);
	return whole;
}

static struct span unquoted(struct span s)
{
	s = span_trim(s);
	if (s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"')
		return (struct span){ s.p + 1, s.n - 2 };
	return s;
}

static void parameter_set(struct sip_digest *d, struct span name, struct span value)
{
	struct { const char *name; struct span *value; } fields[] = {
		{ "username", &d->username }, { "realm", &d->realm },   { "nonce", &d->nonce },
		{ "uri", &d->uri },           { "response", &d->response }, { "algorithm", &d->algorithm },
		{ "qop", &d->qop },           { "nc", &d->nc },         { "cnonce", &d->cnonce },
	};

	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		if (span_equal_nocase(name, span_of(fields[i].name))) {
			if (!fields[i].value->p)
				*fields[i].value = value;
			return;
		}
	}
	if (span_equal_nocase(name, SPAN("stale")))
		d->stale = span_equal_nocase(value, SPAN("true"));
}

bool sip_digest_parse(struct span value, struct sip_digest *ret)
{
	struct span rest = span_trim(value);
	size_t scheme = 0;
	bool any = false;

	*ret = (struct sip_digest){ .stale = false };
	while (scheme < rest.n && !byte_is_blank(rest.p[scheme]))
		scheme++;
	if (!span_equal_nocase(span_first(rest, scheme), SPAN("Digest")))
		return false;
	rest = span_from(rest, scheme);
	for (unsigned i = 0; rest.n && i < PARAMETERS_MAX; i++) {
		struct span parameter = parameter_take(&rest);
		size_t equals = span_find(parameter, '=');

		if (equals == parameter.n)
			continue;
		parameter_set(ret, span_trim(span_first(parameter, equals)),
			unquoted(span_from(parameter, equals + 1)));
		any = true;
	}
	return any;
}
