/* SPDX-License-Identifier: MIT */
/* sip: dialogs and their messages. What a line does not say is as a sound phone would have it. */
#include "tests/scenarios/scenario.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

enum { CALLER, CALLEE };

struct dialog *dialog_by_name(struct scenario *s, const char *name)
{
	LIST_EACH(it, &s->dialogs) {
		struct dialog *d = LIST_ENTRY(it, struct dialog, link);

		if (strcmp(d->name, name) == 0)
			return d;
	}
	return NULL;
}

struct dialog *dialog_want(struct scenario *s, struct words *w)
{
	const char *name = word_want(s, w, "a call");
	struct dialog *d = dialog_by_name(s, name);

	if (!d)
		scenario_fail(s, "there is no call %s (yet)", name);
	return d;
}

/* USER@HOST[:PORT] */
static void party_want(struct scenario *s, struct words *w, struct party *p)
{
	const char *text = word_want(s, w, "USER@HOST");
	const char *mark = strchr(text, '@');

	list_init(&p->medias);
	if (!mark || !endpoint_read(s, mark + 1, &p->at)) {
		scenario_fail(s, "\"%s\" is not USER@HOST[:PORT]", text);
		return;
	}
	p->user = scenario_text(s, "%.*s", (int)(mark - text), text);
	if (p->at.port == 0)
		p->at.port = 5060;
	p->host = host_of(s, &p->at.addr);
	p->reach = p->as = p->at;
}

static void port_default(struct endpoint *e)
{
	if (e->port == 0)
		e->port = 5060;
}

static bool call_option(struct scenario *s, struct words *w, struct dialog *d)
{
	static const char *const roles[2] = { "caller", "callee" };

	if (word_accept(w, "tcp")) {
		d->tcp = true;
		return true;
	}
	if (word_accept(w, "call-id")) {
		d->call_id = word_want(s, w, "the Call-ID");
		return true;
	}
	if (word_accept(w, "domain")) {
		d->domain = word_want(s, w, "the domain");
		return true;
	}
	for (unsigned i = 0; i < 2; i++) {
		struct party *p = &d->party[i];

		if (!word_accept(w, roles[i]))
			continue;
		if (word_accept(w, "as")) {          /* Via, Contact and c= */
			p->as = endpoint_want(s, w);
			port_default(&p->as);
		} else if (word_accept(w, "at")) {   /* where the other one sends to */
			p->reach = endpoint_want(s, w);
			port_default(&p->reach);
		} else if (word_accept(w, "tag")) {
			p->tag = word_want(s, w, "the tag");
		} else {
			word_expect(s, w, "cseq");
			p->cseq = (unsigned)integer_want(s, w, "the CSeq") - 1;
		}
		return true;
	}
	return false;
}

/*
 * call NAME USER@HOST > USER@HOST [tcp] [call-id X] [domain X] [caller|callee as|at ENDPOINT] [caller|callee tag X|cseq
 * N]
 */
void call_read(struct scenario *s, struct words *w)
{
	struct dialog *d = scenario_zalloc(s, sizeof *d);
	char text[ADDRESS_TEXT];

	d->name = word_want(s, w, "the call's name");
	if (dialog_by_name(s, d->name))
		scenario_fail(s, "there is a call %s already", d->name);
	list_init(&d->requests);
	party_want(s, w, &d->party[CALLER]);
	word_expect(s, w, ">");
	party_want(s, w, &d->party[CALLEE]);
	for (unsigned i = 0; i < 2; i++) {
		d->party[i].tag = scenario_text(s, "%s-%s", d->name, i == CALLER ? "from" : "to");
		d->party[i].session = 1000 + 10 * (unsigned)s->dialogs.count + i;
		d->party[i].version = 1;
	}
	while (w->left && !s->error && call_option(s, w, d))
		;
	if (!d->call_id)
		d->call_id = scenario_text(s, "%s.%s@%s", d->name, s->name,
			address_text(&d->party[CALLER].as.addr, text));
	if (!d->domain)
		d->domain = scenario_text(s, d->party[CALLEE].reach.addr.family == 6 ? "[%s]" : "%s",
			address_text(&d->party[CALLEE].reach.addr, text));
	list_add_tail(&s->dialogs, &d->link);
}

/* A message while it is made. */
struct message {
	struct dialog *dialog;
	struct request *request;
	unsigned status;             /* 0: a request */
	unsigned sender;
	const char *to_tag;
	const char *phrase;
	const char *body, *body_type;
	const char *added[24];       /* header lines */
	unsigned added_count;
	const char *uri;             /* Request-URI; NULL: the other party's */
	const char *without[8];
	unsigned without_count;
	struct endpoint src, dst;
	int64_t repeats[16];
	unsigned repeat_count;
	uint16_t taps;
	bool lost;
	bool reliable;
	uint8_t ttl;
};

static bool header_is(const char *line, const char *name)
{
	size_t n = strlen(name);

	return strncasecmp(line, name, n) == 0 && line[n] == ':';
}

static bool header_replaced(const struct message *m, const char *name)
{
	if (strcmp(name, "Via") == 0)
		return false;
	for (unsigned i = 0; i < m->added_count; i++) {
		if (header_is(m->added[i], name))
			return true;
	}
	return false;
}

static bool header_left_out(const struct message *m, const char *name)
{
	for (unsigned i = 0; i < m->without_count; i++) {
		if (strcasecmp(m->without[i], name) == 0)
			return true;
	}
	return false;
}

/* One header, unless the line gives another one or wants none. */
static void header_add(struct buffer *b, const struct message *m, const char *name, const char *value)
{
	if (header_left_out(m, name) || header_replaced(m, name))
		return;
	buffer_text(b, "%s: %s\r\n", name, value);
}

static void headers_given(struct buffer *b, const struct message *m, bool vias)
{
	for (unsigned i = 0; i < m->added_count; i++) {
		if (header_is(m->added[i], "Via") == vias) {
			buffer_text(b, "%s", m->added[i]);
			buffer_text(b, "\r\n");
		}
	}
}

static const char *phrase_of(unsigned status)
{
	static const struct { unsigned status; const char *phrase; } phrases[] = {
		{ 100, "Trying" }, { 180, "Ringing" }, { 181, "Call Is Being Forwarded" }, { 182, "Queued" },
		  { 183, "Session Progress" },
		{ 200, "OK" }, { 202, "Accepted" }, { 302, "Moved Temporarily" }, { 400, "Bad Request" },
		  { 401, "Unauthorized" },
		{ 403, "Forbidden" }, { 404, "Not Found" }, { 407, "Proxy Authentication Required" },
		  { 408, "Request Timeout" },
		{ 415, "Unsupported Media Type" }, { 480, "Temporarily Unavailable" },
		  { 481, "Call/Transaction Does Not Exist" },
		{ 486, "Busy Here" }, { 487, "Request Terminated" }, { 488, "Not Acceptable Here" },
		  { 491, "Request Pending" },
		{ 500, "Server Internal Error" }, { 503, "Service Unavailable" }, { 603, "Decline" },
	};

	for (size_t i = 0; i < sizeof phrases / sizeof phrases[0]; i++) {
		if (phrases[i].status == status)
			return phrases[i].phrase;
	}
	return "Status";
}

static const char *endpoint_name(struct scenario *s, const struct endpoint *e)
{
	char text[ENDPOINT_TEXT];

	return scenario_text(s, "%s", endpoint_text(e, text));
}

static const char *via_value(struct scenario *s, const struct message *m)
{
	const struct dialog *d = m->dialog;
	const struct party *p = &d->party[m->request->sender];
	char text[ADDRESS_TEXT];
	const char *learnt = ";rport";

	if (m->status && !endpoint_equal(&p->as, &p->reach))    /* RFC 3581: what the answering side saw */
		learnt = scenario_text(s, ";received=%s;rport=%u", address_text(&p->reach.addr, text), p->reach.port);
	else if (m->status)
		learnt = scenario_text(s, ";rport=%u", p->reach.port);
	return scenario_text(s, "SIP/2.0/%s %s;branch=%s%s", d->tcp ? "TCP" : "UDP", endpoint_name(s, &p->as),
	       m->request->branch, learnt);
}

static const char *party_value(struct scenario *s, const struct dialog *d, unsigned index, const char *tag)
{
	const struct party *p = &d->party[index];

	return scenario_text(s, "<sip:%s@%s>%s%s", p->user, d->domain, tag ? ";tag=" : "", tag ? tag : "");
}

static const char *contact_value(struct scenario *s, const struct dialog *d, const struct party *p)
{
	return scenario_text(s, "<sip:%s@%s%s>", p->user, endpoint_name(s, &p->as), d->tcp ? ";transport=tcp" : "");
}

static bool contact_wanted(const struct message *m)
{
	static const char *const dialogs[] = { "INVITE", "UPDATE", "REFER", "SUBSCRIBE", "NOTIFY", "REGISTER" };

	if (m->status && (m->status < 101 || m->status > 299))
		return false;
	if (m->status && strcmp(m->request->method, "REGISTER") == 0)
		return true;
	for (size_t i = 0; i < sizeof dialogs / sizeof dialogs[0]; i++) {
		if (strcmp(m->request->method, dialogs[i]) == 0)
			return true;
	}
	return false;
}

static void start_line(struct scenario *s, struct buffer *b, const struct message *m)
{
	const struct dialog *d = m->dialog;
	const struct party *to = &d->party[!m->request->sender];

	if (m->status)
		buffer_text(b, "SIP/2.0 %u %s\r\n", m->status, m->phrase ? m->phrase : phrase_of(m->status));
	else if (m->uri)
		buffer_text(b, "%s %s SIP/2.0\r\n", m->request->method, m->uri);
	else if (strcmp(m->request->method, "REGISTER") == 0)
		buffer_text(b, "REGISTER sip:%s SIP/2.0\r\n", d->domain);
	else if (d->confirmed && strcmp(m->request->method, "CANCEL") != 0)
		buffer_text(b, "%s sip:%s@%s SIP/2.0\r\n", m->request->method, to->user, endpoint_name(s, &to->as));
	else
		buffer_text(b, "%s sip:%s@%s SIP/2.0\r\n", m->request->method, to->user, d->domain);
}

static struct buffer message_bytes(struct scenario *s, const struct message *m)
{
	const struct dialog *d = m->dialog;
	const struct request *r = m->request;
	unsigned from = r->sender;
	bool registers = strcmp(r->method, "REGISTER") == 0;
	const char *from_tag = d->party[from].tag;
	const char *to_tag = m->to_tag;
	const struct party *p = &d->party[m->sender];
	struct buffer b = { .arena = s->arena };

	start_line(s, &b, m);
	header_add(&b, m, "Via", via_value(s, m));
	headers_given(&b, m, true);
	if (!m->status)
		header_add(&b, m, "Max-Forwards", "70");
	header_add(&b, m, "From", party_value(s, d, from, from_tag));
	header_add(&b, m, "To", party_value(s, d, registers ? from : !from, to_tag));
	header_add(&b, m, "Call-ID", d->call_id);
	header_add(&b, m, "CSeq", scenario_text(s, "%u %s", r->cseq, r->method));
	if (contact_wanted(m))
		header_add(&b, m, "Contact", contact_value(s, d, registers ? &d->party[from] : p));
	if (m->reliable) {
		header_add(&b, m, "Require", "100rel");
		header_add(&b, m, "RSeq", scenario_text(s, "%u", r->rseq));
	}
	if (p->host->agent)
		header_add(&b, m, m->status ? "Server" : "User-Agent", p->host->agent);
	headers_given(&b, m, false);
	if (m->body)
		header_add(&b, m, "Content-Type", m->body_type);
	header_add(&b, m, "Content-Length", scenario_text(s, "%zu", m->body ? strlen(m->body) : 0));
	buffer_text(&b, "\r\n");
	if (m->body)
		buffer_add(&b, m->body, strlen(m->body));
	return b;
}

static void message_send(struct scenario *s, const struct message *m, int64_t at_ns)
{
	struct buffer b = message_bytes(s, m);

	if (m->lost)
		return;
	if (m->dialog->tcp) {
		tcp_send(s, at_ns, m->src, m->dst, TRAFFIC_SIP, b.p, b.n, m->taps);
		return;
	}
	for (unsigned i = 0; i <= m->repeat_count; i++) {
		struct datagram *d = datagram_add(s, i ? m->repeats[i - 1] : at_ns, m->src, m->dst, TRAFFIC_SIP, b.p,
			b.n);

		d->taps = m->taps;
		d->ttl = m->ttl;
	}
}

/* The newest request of that method, or but for ACK the newest at all. */
static struct request *request_last(struct dialog *d, const char *method)
{
	struct request *found = NULL;

	LIST_EACH(it, &d->requests) {
		struct request *r = LIST_ENTRY(it, struct request, link);

		if (method ? strcasecmp(r->method, method) == 0 : strcmp(r->method, "ACK") != 0)
			found = r;
	}
	return found;
}

static struct request *request_add(struct scenario *s, struct dialog *d, const char *method, unsigned sender)
{
	struct request *r = scenario_zalloc(s, sizeof *r), *invite = request_last(d, "INVITE");
	char *upper = scenario_text(s, "%s", method);
	bool ack, cancel;

	for (char *p = upper; *p; p++)
		*p = (char)toupper((unsigned char)*p);
	ack = strcmp(upper, "ACK") == 0;
	cancel = strcmp(upper, "CANCEL") == 0;
	r->method = upper;
	r->sender = sender;
	if ((ack || cancel) && !invite)
		scenario_fail(s, "%s without an INVITE before it", upper);
	r->cseq = (ack || cancel) && invite ? invite->cseq : ++d->party[sender].cseq;
	if (invite && (cancel || (ack && invite->status >= 300)))
		r->branch = invite->branch;
	else
		r->branch = scenario_text(s, "z9hG4bK-%s-%u", d->name, ++d->branches);
	list_add_tail(&d->requests, &r->link);
	return r;
}

static bool repeats_accept(struct scenario *s, struct words *w, struct message *m)
{
	char *list;

	if (!word_accept(w, "repeat"))
		return false;
	list = scenario_text(s, "%s", word_want(s, w, "the times of the repetitions"));
	for (char *save, *one = strtok_r(list, ",", &save); one; one = strtok_r(NULL, ",", &save)) {
		if (m->repeat_count == 16 || !time_parse(one, &m->repeats[m->repeat_count]))
			scenario_fail(s, "\"%s\": up to 16 times, with commas", one);
		else
			m->repeat_count++;
	}
	return true;
}

static bool body_accept(struct scenario *s, struct words *w, struct message *m)
{
	if (word_accept(w, "sdp")) {
		m->body = sdp_make(s, w, &m->dialog->party[m->sender]);
		m->body_type = "application/sdp";
	} else if (word_accept(w, "body")) {
		m->body_type = word_want(s, w, "the type of the body");
		m->body = word_want(s, w, "the body");
	} else {
		return false;
	}
	return true;
}

static bool header_accept(struct scenario *s, struct words *w, struct message *m)
{
	if (word_accept(w, "header")) {
		if (m->added_count == 24)
			scenario_fail(s, "more than 24 headers");
		else
			m->added[m->added_count++] = word_want(s, w, "the header");
	} else if (word_accept(w, "without")) {
		if (m->without_count == 8)
			scenario_fail(s, "more than 8 headers left out");
		else
			m->without[m->without_count++] = word_want(s, w, "the header's name");
	} else {
		return false;
	}
	return true;
}

static bool sip_option(struct scenario *s, struct words *w, struct message *m)
{
	if (body_accept(s, w, m) || header_accept(s, w, m) || repeats_accept(s, w, m) || taps_accept(s, w, &m->taps))
		return true;
	if (word_accept(w, "tag")) {
		m->to_tag = word_want(s, w, "the tag");
	} else if (word_accept(w, "phrase")) {
		m->phrase = word_want(s, w, "the reason phrase");
	} else if (word_accept(w, "cseq")) {
		m->request->cseq = m->dialog->party[m->sender].cseq = (unsigned)integer_want(s, w, "the CSeq");
	} else if (word_accept(w, "uri")) {
		m->uri = word_want(s, w, "the Request-URI");
	} else if (word_accept(w, "branch")) {
		m->request->branch = word_want(s, w, "the branch");
	} else if (word_accept(w, "src")) {
		m->src = endpoint_want(s, w);
	} else if (word_accept(w, "dst")) {
		m->dst = endpoint_want(s, w);
	} else if (word_accept(w, "ttl")) {
		m->ttl = (uint8_t)integer_want(s, w, "the TTL");
	} else if (word_accept(w, "lost")) {
		m->lost = true;
	} else if (word_accept(w, "reliable")) {
		m->reliable = true;
		m->request->rseq++;
	} else {
		return false;
	}
	return true;
}

static void response_begin(struct scenario *s, struct words *w, struct message *m, unsigned status)
{
	const char *method = word_accept(w, "of") ? word_want(s, w, "the method") : NULL;

	m->status = status;
	m->request = request_last(m->dialog, method);
	if (!m->request) {
		scenario_fail(s, "nothing to answer: no request before it");
		m->request = request_add(s, m->dialog, "OPTIONS", CALLER);
	}
	m->sender = !m->request->sender;
	if (status > 100)
		m->to_tag = m->dialog->party[m->sender].tag;
	if (status >= 200)
		m->request->status = status;
}

static bool is_status(const char *word)
{
	return strlen(word) == 3 && strspn(word, "0123456789") == 3;
}

static bool makes_dialog(const char *method)
{
	return strcmp(method, "INVITE") == 0 || strcmp(method, "SUBSCRIBE") == 0;
}

/*
 * A dialog is early from the first 1xx with a tag on, and stands as soon as a 2xx to the INVITE (or SUBSCRIBE) gave
 * one.
 */
static void dialog_advance(struct message *m)
{
	struct dialog *d = m->dialog;

	if (d->confirmed || m->status <= 100 || m->status > 299 || !makes_dialog(m->request->method))
		return;
	d->early = true;
	if (m->status < 200)
		return;
	d->confirmed = true;
	d->party[m->sender].tag = m->to_tag;
}

static bool tag_known(const struct dialog *d, const char *method)
{
	if (strcmp(method, "ACK") == 0)
		return true;
	if (strcmp(method, "CANCEL") == 0)
		return false;
	return d->confirmed || (d->early && strcmp(method, "INVITE") != 0);
}

/*
 * sip T CALL [callee] METHOD | sip T CALL STATUS [of METHOD]
 *     [tag X] [phrase X] [cseq N] [branch X] [src E] [dst E] [ttl N] [repeat T,T] [only|not TAP] [lost] [reliable]
 *     [header "X: y"]... [without NAME]... [sdp ...] [body TYPE "TEXT"]
 */
void sip_read(struct scenario *s, struct words *w)
{
	struct message m = { .taps = TAP_ALL };
	int64_t at_ns = time_want(s, w);
	const char *first;

	m.dialog = dialog_want(s, w);
	if (!m.dialog)
		return;
	m.sender = word_accept(w, "callee") ? CALLEE : CALLER;
	first = word_want(s, w, "a method or a status");
	if (is_status(first)) {
		response_begin(s, w, &m, (unsigned)atoi(first));
	} else {
		m.request = request_add(s, m.dialog, first, m.sender);
		if (tag_known(m.dialog, m.request->method))
			m.to_tag = m.dialog->party[!m.sender].tag;
	}
	m.src = m.dialog->party[m.sender].at;
	m.dst = m.dialog->party[!m.sender].reach;
	while (w->left && !s->error && sip_option(s, w, &m))
		;
	message_send(s, &m, at_ns);
	dialog_advance(&m);
}

static double seconds(int64_t ns)
{
	return (double)ns / 1e9;
}

struct course {                      /* of an ordinary call; -1: that message is not sent */
	int64_t invite_ns, ring_ns, answer_ns, ack_ns, bye_ns;
	bool callee_hangs_up;
	const char *offer, *accept;
};

static void course_want(struct scenario *s, struct words *w, struct course *c)
{
	while (w->left && !s->error) {
		if (word_accept(w, "ring"))
			c->ring_ns = time_want(s, w);
		else if (word_accept(w, "answer"))
			c->answer_ns = time_want(s, w);
		else if (word_accept(w, "ack"))
			c->ack_ns = time_want(s, w);
		else if (word_accept(w, "bye"))
			c->bye_ns = time_want(s, w);
		else if (word_accept(w, "by-callee"))
			c->callee_hangs_up = true;
		else if (word_accept(w, "offer"))
			c->offer = word_want(s, w, "the offer");
		else if (word_accept(w, "accept"))
			c->accept = word_want(s, w, "the SDP of the answer");
		else
			break;
	}
}

/*
 * flow CALL INVITE-TIME [ring T] [answer T] [ack T] [bye T] [by-callee] offer "SDP" [accept "SDP"]: an ordinary call's
 * messages.
 */
void flow_read(struct scenario *s, struct words *w)
{
	const struct dialog *d = dialog_want(s, w);
	struct course c = { .invite_ns = time_want(s, w), .ring_ns = -1, .answer_ns = -1, .ack_ns = -1, .bye_ns = -1 };

	course_want(s, w, &c);
	if (!d || !c.offer)
		scenario_fail(s, "an offer is missing");
	if (s->error)
		return;
	scenario_line(s, "sip %.9f %s invite sdp %s", seconds(c.invite_ns), d->name, c.offer);
	scenario_line(s, "sip %.9f %s 100", seconds(c.invite_ns) + 0.004, d->name);
	if (c.ring_ns >= 0)
		scenario_line(s, "sip %.9f %s 180", seconds(c.ring_ns), d->name);
	if (c.answer_ns >= 0) {
		scenario_line(s, "sip %.9f %s 200 sdp %s", seconds(c.answer_ns), d->name,
			c.accept ? c.accept : c.offer);
		if (c.ack_ns < 0)
			c.ack_ns = c.answer_ns + 60 * MILLISECOND_NS;
		scenario_line(s, "sip %.9f %s ack", seconds(c.ack_ns), d->name);
	}
	if (c.bye_ns >= 0) {
		scenario_line(s, "sip %.9f %s %s bye", seconds(c.bye_ns), d->name, c.callee_hangs_up ? "callee" : "");
		scenario_line(s, "sip %.9f %s 200", seconds(c.bye_ns) + 0.02, d->name);
	}
}
