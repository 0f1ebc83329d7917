/* SPDX-License-Identifier: MIT */
/* asks: many SIP requests of one kind in one line, each with a number, and what they are answered. */
#include "tests/scenarios/scenario.h"

#include <stdio.h>

struct asks {
	struct endpoint src, dst;
	int64_t at_ns, every_ns, after_ns;
	unsigned count;
	const char *method, *user, *caller, *display, *agent, *branch, *call_id, *tag, *cseq, *contact, *to;
	const char *account, *nonce, *response, *issues, *server;
	unsigned answer;             /* status, 0 none */
	unsigned copies;
	const char *headers[4], *answer_headers[4];
	unsigned header_count, answer_header_count;
	bool from_fan, from_sweep, to_fan, to_sweep;
	uint16_t taps;
};

/* "{n}" and "{n+100}" become the number of the request, from 0. */
static void counted_add(struct buffer *p, const char *text, unsigned n)
{
	while (*text) {
		unsigned more = 0;
		int used = 0;
		char number[16];

		if (strncmp(text, "{n}", 3) == 0)
			used = 3;
		else if (sscanf(text, "{n+%u}%n", &more, &used) != 1)
			used = 0;
		if (used)
			buffer_add(p, number, (size_t)snprintf(number, sizeof number, "%u", n + more));
		else
			buffer_u8(p, (uint8_t)*text);
		text += used ? used : 1;
	}
}

static const char *counted(struct scenario *s, const char *text, unsigned n)
{
	struct buffer p = { .arena = s->arena };

	counted_add(&p, text, n);
	return scenario_text(s, "%.*s", (int)p.n, (const char *)p.p);
}

static struct endpoint endpoint_next(struct endpoint e, bool sweep, bool fan, unsigned n)
{
	uint32_t host = ((uint32_t)e.addr.bytes[2] << 8 | e.addr.bytes[3]) + n;

	if (sweep) {
		e.addr.bytes[2] = (uint8_t)(host >> 8);
		e.addr.bytes[3] = (uint8_t)host;
	}
	if (fan)
		e.port = (uint16_t)(e.port + n);
	return e;
}

static bool option_text(struct scenario *s, struct words *w, const char *name, const char **ret)
{
	if (!word_accept(w, name))
		return false;
	*ret = word_want(s, w, name);
	return true;
}

static bool option_header(struct scenario *s, struct words *w, const char *name, const char *list[4], unsigned *count)
{
	if (!word_accept(w, name))
		return false;
	if (*count < 4)
		list[(*count)++] = word_want(s, w, name);
	else
		scenario_fail(s, "at most four headers");
	return true;
}

static bool option_flag(struct words *w, const char *name, bool *ret)
{
	if (!word_accept(w, name))
		return false;
	*ret = true;
	return true;
}

static bool option_of(struct scenario *s, struct words *w, struct asks *a)
{
	if (option_text(s, w, "user", &a->user) || option_text(s, w, "from", &a->caller) ||
	    option_text(s, w, "display", &a->display) ||
	    option_text(s, w, "agent", &a->agent) || option_text(s, w, "branch", &a->branch) ||
	    option_text(s, w, "call-id", &a->call_id) ||
	    option_text(s, w, "tag", &a->tag) || option_text(s, w, "cseq", &a->cseq) ||
	    option_text(s, w, "contact", &a->contact) ||
	    option_text(s, w, "to", &a->to) || option_text(s, w, "account", &a->account) ||
	    option_text(s, w, "nonce", &a->nonce) ||
	    option_text(s, w, "response", &a->response) || option_text(s, w, "issues", &a->issues) ||
	    option_text(s, w, "server", &a->server))
		return true;
	if (option_header(s, w, "header", a->headers, &a->header_count) ||
	    option_header(s, w, "answer-header", a->answer_headers, &a->answer_header_count))
		return true;
	if (option_flag(w, "from-fan", &a->from_fan) || option_flag(w, "from-sweep", &a->from_sweep) ||
	    option_flag(w, "to-fan", &a->to_fan) ||
	    option_flag(w, "to-sweep", &a->to_sweep))
		return true;
	if (word_accept(w, "answer"))
		a->answer = (unsigned)integer_want(s, w, "a status");
	else if (word_accept(w, "after"))
		a->after_ns = time_want(s, w);
	else if (word_accept(w, "copies"))
		a->copies = (unsigned)integer_want(s, w, "how many");
	else
		return false;
	return true;
}

/* What request and answer have in common. */
static void common_add(struct scenario *s, struct buffer *p, const struct asks *a, const struct endpoint *src,
	unsigned n, bool answer)
{
	const char *user = counted(s, a->user, n), *caller = a->caller ? counted(s, a->caller, n) : user;
	char from[ENDPOINT_TEXT], host[ADDRESS_TEXT];

	endpoint_text(src, from);
	address_text(&a->dst.addr, host);
	buffer_text(p, "Via: SIP/2.0/UDP %s;branch=%s\r\n", from, counted(s, a->branch, n));
	buffer_text(p, "From: %s%s%s<sip:%s@%s>;tag=%s\r\n", a->display ? "\"" : "", a->display ? a->display : "",
		a->display ? "\" " : "", caller,
		    a->to ? strchr(a->to, '@') + 1 : host, counted(s, a->tag, n));
	if (a->to)
		buffer_text(p, "To: %s%s%s<sip:%s>", a->display ? "\"" : "", a->display ? a->display : "",
			a->display ? "\" " : "", a->to);
	else
		buffer_text(p, "To: <sip:%s@%s>", user, host);
	buffer_text(p, "%s\r\nCall-ID: %s\r\nCSeq: %s %s\r\n", answer ? ";tag=x" : "", counted(s, a->call_id, n),
		counted(s, a->cseq, n), a->method);
}

static void request_add(struct scenario *s, const struct asks *a, const struct endpoint *src,
	const struct endpoint *dst, unsigned n, int64_t at_ns)
{
	struct buffer p = { .arena = s->arena };
	const char *user = counted(s, a->user, n);
	char host[ADDRESS_TEXT], from[ENDPOINT_TEXT];

	address_text(&dst->addr, host);
	if (strcmp(a->method, "REGISTER") == 0)
		buffer_text(&p, "REGISTER sip:%s SIP/2.0\r\n", host);
	else
		buffer_text(&p, "%s sip:%s%s%s SIP/2.0\r\n", a->method, user, *user ? "@" : "", host);
	common_add(s, &p, a, src, n, false);
	buffer_text(&p, "Max-Forwards: 70\r\nContact: <sip:%s>\r\n",
		    a->contact ? counted(s, a->contact, n) : scenario_text(s, "%s@%s", user, endpoint_text(src, from)));
	if (a->agent)
		buffer_text(&p, "User-Agent: %s\r\n", a->agent);
	if (a->account)
		buffer_text(&p, "Authorization: Digest username=\"%s\", realm=\"pbx\", nonce=\"%s\", uri=\"sip:%s\", response=\"%s\", algorithm=MD5\r\n",
			    counted(s, a->account, n), a->nonce ? counted(s, a->nonce, n) : "n", host,
			    a->response ? counted(s, a->response, n) : scenario_text(s, "%032x", n + 1));
	for (unsigned i = 0; i < a->header_count; i++)
		buffer_text(&p, "%s\r\n", counted(s, a->headers[i], n));
	buffer_text(&p, "Content-Length: 0\r\n\r\n");
	for (unsigned i = 0; i <= a->copies; i++)
		datagram_add(s, at_ns + i * 500 * MILLISECOND_NS, *src, *dst, TRAFFIC_SIP, p.p, p.n)->taps = a->taps;
}

static void answer_add(struct scenario *s, const struct asks *a, const struct endpoint *src, const struct endpoint *dst,
	unsigned n, int64_t at_ns)
{
	struct buffer p = { .arena = s->arena };
	char from[ENDPOINT_TEXT];

	buffer_text(&p, "SIP/2.0 %u Said\r\n", a->answer);
	common_add(s, &p, a, src, n, true);
	if (a->answer == 401)
		buffer_text(&p, "WWW-Authenticate: Digest realm=\"pbx\", nonce=\"%s\", algorithm=MD5\r\n",
			    a->issues ? counted(s, a->issues, n) : scenario_text(s, "n%u-%u", s->line, n));
	if (a->answer == 200 && strcmp(a->method, "REGISTER") == 0)
		buffer_text(&p, "Contact: <sip:%s>;expires=3600\r\nExpires: 3600\r\n",
			    a->contact ? counted(s, a->contact, n) : scenario_text(s, "%s@%s", counted(s, a->user, n),
			    endpoint_text(src, from)));
	if (a->server)
		buffer_text(&p, "Server: %s\r\n", a->server);
	for (unsigned i = 0; i < a->answer_header_count; i++)
		buffer_text(&p, "%s\r\n", counted(s, a->answer_headers[i], n));
	buffer_text(&p, "Content-Length: 0\r\n\r\n");
	datagram_add(s, at_ns, *dst, *src, TRAFFIC_SIP, p.p, p.n)->taps = a->taps;
}

/* asks FROM > TO at T [count N every T] METHOD ...: see README.md */
void asks_read(struct scenario *s, struct words *w)
{
	struct asks a = { .count = 1, .after_ns = MILLISECOND_NS, .user = "", .cseq = "1", .taps = TAP_ALL };

	a.branch = scenario_text(s, "z9hG4bKa%ux{n}", s->line);
	a.call_id = scenario_text(s, "a%u-{n}@asks", s->line);
	a.tag = scenario_text(s, "t%ux{n}", s->line);
	a.src = endpoint_want(s, w);
	word_expect(s, w, ">");
	a.dst = endpoint_want(s, w);
	word_expect(s, w, "at");
	a.at_ns = time_want(s, w);
	if (word_accept(w, "count")) {
		a.count = (unsigned)integer_want(s, w, "how many");
		word_expect(s, w, "every");
		a.every_ns = time_want(s, w);
	}
	a.method = word_want(s, w, "a method");
	while (option_of(s, w, &a))
		;
	taps_accept(s, w, &a.taps);
	if (a.count > 100000 || (a.to && !strchr(a.to, '@')))
		scenario_fail(s, "at most 100000, and user@host in to");
	for (unsigned i = 0; i < a.count && !s->error; i++) {
		struct endpoint src = endpoint_next(a.src, a.from_sweep, a.from_fan, i),
			dst = endpoint_next(a.dst, a.to_sweep, a.to_fan, i);
		int64_t at_ns = a.at_ns + (int64_t)i * a.every_ns;

		request_add(s, &a, &src, &dst, i, at_ns);
		if (a.answer)
			answer_add(s, &a, &src, &dst, i, at_ns + a.after_ns);
	}
}
