/* SPDX-License-Identifier: MIT */
/*
 * echo_marks: what a rewriter leaves in single messages: its own lines, lengths that do not fit, addresses it has
 * overlooked.
 */
#include "analyzer/network/echo_private.h"

#include <stdio.h>

#include "analyzer/network/internal.h"

enum { SDP_LINES = 256, DELTA_MOST = 32, SWAPS = 4, CUT_BYTES_MOST = 1500, CUT_DIFFERENT = 3, V4_SHORTEST = 7,
	V4_LONGEST = 15 };

/* ---- reading ---- */

static bool line_next(struct span *rest, struct span *ret_line)
{
	if (!span_split(rest, '\n', ret_line))
		return false;
	*ret_line = span_trim(*ret_line);
	return true;
}

static struct span last_word(struct span line)
{
	size_t n = line.n;

	while (n > 0 && line.p[n - 1] != ' ')
		n--;
	return span_from(line, n);
}

/* Address of an o= or c= line: its last word, without TTL. */
static bool line_address(struct span line, struct address *ret)
{
	struct span word = last_word(line);

	return address_parse(span_first(word, span_find(word, '/')), ret);
}

bool sdp_line_address(struct span sdp, struct span prefix, struct address *ret)
{
	struct span line;

	for (unsigned i = 0; i < SDP_LINES && line_next(&sdp, &line); i++) {
		if (span_starts(line, prefix))
			return line_address(line, ret);
	}
	return false;
}

bool contact_address(const struct sip_message *m, struct address *ret)
{
	return !m->contact_star && m->contact.host.n && address_parse(m->contact.host, ret);
}

/* name="value" or name=value among the comma list of credentials. */
static bool credential(struct span list, struct span name, struct span *ret)
{
	size_t at = 0, end;

	for (;;) {
		at += span_find_text_nocase(span_from(list, at), name);
		if (at >= list.n)
			return false;
		/* a whole name: not the end of another */
		if ((at == 0 || list.p[at - 1] == ' ' || list.p[at - 1] == ',' || list.p[at - 1] == '\t') &&
		    at + name.n < list.n && list.p[at + name.n] == '=')
			break;
		at += name.n;
	}
	*ret = span_from(list, at + name.n + 1);
	if (ret->n && ret->p[0] == '"') {
		*ret = span_from(*ret, 1);
		end = span_find(*ret, '"');
	} else {
		end = span_find(*ret, ',');
	}
	*ret = span_trim(span_first(*ret, end));
	return ret->n > 0;
}

bool digest_of(const struct sip_message *m, struct address *ret_host, uint64_t *ret_nonce)
{
	struct span list = sip_header_value(m, SIP_H_AUTHORIZATION), value;
	struct sip_address uri;

	*ret_host = (struct address){ .family = 0 };
	*ret_nonce = 0;
	if (!list.n)
		list = sip_header_value(m, SIP_H_PROXY_AUTHORIZATION);
	if (!span_starts_nocase(list, SPAN("Digest")))
		return false;
	if (credential(list, SPAN("nonce"), &value))
		*ret_nonce = hash_bytes(value.p, value.n) | 1;
	if (credential(list, SPAN("uri"), &value) && sip_address_parse(value, &uri) &&
	    !address_parse(uri.host, ret_host))
		*ret_host = (struct address){ .family = 0 };
	return true;
}

static bool value_address(struct span value, struct address *ret)
{
	struct sip_address a;

	return sip_address_parse(value, &a) && address_parse(a.host, ret);
}

/* ---- E6: FortiGate writes down what it replaced ---- */

static void nat_trace(struct echoes *e, const struct packet *p, const struct sip_message *m,
	const struct sign_at *where)
{
	static const struct span mark = { (const uint8_t *)"(o=IN IP4 ", 10 };
	struct span sdp = m->sdp, line;
	struct address inside, owner;
	struct echo_sign *s;

	if (span_find(sdp, mark.p[0]) == sdp.n)         /* a parenthesis is rare in SDP */
		return;
	for (unsigned i = 0; i < SDP_LINES && line_next(&sdp, &line); i++) {
		size_t at = span_find_text(line, mark);

		if (!span_starts(line, SPAN("i=")) || at >= line.n)
			continue;
		line = span_from(line, at + mark.n);
		if (!address_parse(span_trim(span_first(line, span_find(line, ')'))), &inside) ||
		    !sdp_line_address(m->sdp, SPAN("o="), &owner) ||
		    address_equal(&inside, &owner))
			return;
		s = sign_add(e, ECHO_NAT_TRACE, where, frame_ref_of(p));
		if (s) {
			char before[ADDRESS_TEXT], after[ADDRESS_TEXT];

			s->old = inside;
			s->new = owner;
			sign_texts(s, "o=", span_of(address_text(&inside, before)),
				span_of(address_text(&owner, after)));
		}
		return;
	}
}

/* ---- E8: private addresses that were overlooked ---- */

struct stale {
	uint32_t kinds;
	struct address inside;       /* the first */
	char field[24];
	struct span text;
};

static void overlooked(struct stale *s, enum echo_stale kind, const char *field, const struct address *a,
	struct span text)
{
	if (!address_private(a))
		return;
	if (!s->kinds) {
		s->inside = *a;
		s->text = text;
		snprintf(s->field, sizeof s->field, "%s", field);
	}
	s->kinds |= kind;
}

static void stale_candidates(struct stale *s, const struct sip_message *m, const struct address *connection)
{
	struct span sdp = m->sdp, line, first = SPAN_NONE;
	bool any = false, host_only = true, listed = false;
	struct address a, inside = { .family = 0 };

	for (unsigned i = 0; i < SDP_LINES && line_next(&sdp, &line); i++) {
		struct span word = SPAN_NONE, words = line;

		if (span_starts(line, SPAN("a=ice-mismatch")))
			s->kinds |= STALE_ICE_MISMATCH;
		if (!span_starts(line, SPAN("a=candidate:")))
			continue;
		for (unsigned k = 0; k < 5; k++)
			(void)span_split(&words, ' ', &word);
		if (!address_parse(word, &a))
			continue;
		any = true;
		host_only &= span_find_text(line, SPAN(" typ host")) < line.n;
		listed |= address_equal(&a, connection);
		if (address_private(&a) && !address_known(&inside)) {
			inside = a;
			first = line;
		}
	}
	if (any && host_only && !listed && address_known(&inside))
		overlooked(s, STALE_CANDIDATE, "a=candidate", &inside, first);
}

static void stale_sdp(struct stale *s, const struct sip_message *m, const struct address *connection)
{
	struct address a;

	if (sdp_line_address(m->sdp, SPAN("a=rtcp:"), &a))
		overlooked(s, STALE_RTCP, "a=rtcp", &a, SPAN_NONE);
	stale_candidates(s, m, connection);
	if (sdp_line_address(m->sdp, SPAN("o="), &a))
		overlooked(s, STALE_OWNER, "o=", &a, SPAN_NONE);
}

static void stale_headers(struct stale *s, const struct sip_message *m)
{
	static const struct { enum sip_header_name name; const char *text; } routing[] = {
		{ SIP_H_REFER_TO, "Refer-To" }, { SIP_H_REFERRED_BY, "Referred-By" }, { SIP_H_ROUTE, "Route" },
		{ SIP_H_P_ASSERTED_IDENTITY, "P-Asserted-Identity" },
	};
	struct address a, target;
	uint64_t nonce;

	if (digest_of(m, &a, &nonce) && address_known(&a) && address_parse(m->request_uri.host, &target) &&
	    !address_equal(&a, &target))
		overlooked(s, STALE_DIGEST, "digest uri", &a, SPAN_NONE);
	for (size_t i = 0; i < sizeof routing / sizeof routing[0]; i++) {
		struct span value = sip_header_value(m, routing[i].name);

		if (value.n && value_address(value, &a))
			overlooked(s, STALE_ROUTING, routing[i].text, &a, value);
	}
	if (address_parse(span_from(m->call_id, span_find(m->call_id, '@') + 1), &a))
		overlooked(s, STALE_CALL_ID, "Call-ID", &a, m->call_id);
}

/* Is everything that others use public? */
static bool public_face(const struct sip_message *m, const struct packet *p, struct address *ret_connection)
{
	struct address contact;

	*ret_connection = (struct address){ .family = 0 };
	if (!address_known(&m->via.at) || !address_equal(&m->via.at, &p->src.addr))
		return false;
	if (contact_address(m, &contact) && address_reach(&contact) != 2)
		return false;
	return !m->sdp.n || (sdp_line_address(m->sdp, SPAN("c="), ret_connection) &&
	       address_reach(ret_connection) == 2);
}

static struct stale stale_of(const struct packet *p, const struct sip_message *m)
{
	struct stale s = { .kinds = 0 };
	struct address connection;

	if (!public_face(m, p, &connection))
		return s;
	stale_sdp(&s, m, &connection);
	stale_headers(&s, m);
	if (!(s.kinds & STALE_CANDIDATE))
		s.kinds &= ~(uint32_t)STALE_ICE_MISMATCH;
	return s;
}

static void stale_sign(struct echoes *e, const struct packet *p, const struct stale *found, const struct sign_at *where)
{
	struct echo_sign *s;
	char before[ADDRESS_TEXT];

	if (!found->kinds)
		return;
	s = sign_add(e, ECHO_STALE, where, frame_ref_of(p));
	if (!s)
		return;
	s->detail |= found->kinds;
	s->old = found->inside;
	s->new = p->src.addr;
	sign_texts(s, found->field, SPAN_NONE, found->text.n ? found->text : span_of(address_text(&found->inside,
		before)));
}

/* ---- E7: the body is longer or shorter than the header says by what replacing addresses makes of it ---- */

static unsigned times_in(struct span body, struct span text)
{
	unsigned n = 0;
	size_t at;

	while (n < SWAPS && (at = span_find_text(body, text)) < body.n) {
		body = span_from(body, at + text.n);
		n++;
	}
	return n;
}

static bool only_line_ends(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != '\r' && s.p[i] != '\n')
			return false;
	}
	return true;
}

static bool explained(int delta, size_t new_length, size_t old_length, unsigned swaps)
{
	for (unsigned k = 1; k <= swaps; k++) {
		if (delta == (int)k * ((int)new_length - (int)old_length))
			return true;
	}
	return false;
}

static bool plausible(int delta, size_t new_length, unsigned swaps)
{
	for (size_t old = V4_SHORTEST; old <= V4_LONGEST; old++) {
		if (explained(delta, new_length, old, swaps))
			return true;
	}
	return false;
}

static void delta_seen(struct agent *x, int delta)
{
	x->delta_messages++;
	for (unsigned i = 0; i < x->delta_count; i++) {
		if (x->deltas[i] == delta)
			return;
	}
	if (x->delta_count < LENGTH_SEEN)
		x->deltas[x->delta_count++] = delta;
}

/* The body as it was sent, whatever Content-Length says. */
static struct span whole_body(const struct packet *p, const struct sip_message *m)
{
	struct span whole = p->payload;

	if (!m->body.p || m->body.p < whole.p || m->body.p > whole.p + whole.n)
		return SPAN_NONE;
	return span_from(whole, (size_t)(m->body.p - whole.p));
}

static void length_sign(struct echoes *e, const struct packet *p, const struct sip_message *m, struct agent *x,
	const struct address *inside,
			const struct sign_at *where)
{
	struct span body = whole_body(p, m);
	char outer[ADDRESS_TEXT], inner[ADDRESS_TEXT], before[24], after[24];
	unsigned swaps = times_in(body, span_of(address_text(&p->src.addr, outer)));
	int delta = (int)body.n - (int)m->content_length;
	struct echo_sign *s;
	bool known;

	if (!swaps || delta == 0 || delta > DELTA_MOST || delta < -DELTA_MOST || delta == 2 || delta == -2 ||
	    p->src.addr.family != 4)
		return;
	if (delta > 0 && only_line_ends(span_from(body, m->content_length)))
		return;
	known = address_known(inside) && explained(delta, strlen(outer), strlen(address_text(inside, inner)), swaps);
	if (!known && !plausible(delta, strlen(outer), swaps))
		return;
	delta_seen(x, delta);
	s = sign_add(e, ECHO_LENGTH, where, frame_ref_of(p));
	if (!s)
		return;
	s->detail |= known;
	if (known)
		s->old = *inside;
	s->new = p->src.addr;
	snprintf(before, sizeof before, "%u", m->content_length);
	snprintf(after, sizeof after, "body of %zu bytes", body.n);
	sign_texts(s, "Content-Length", span_of(before), span_of(after));
}

enum echo_length echoes_length(const struct echoes *e, const struct echo_sign *s)
{
	const struct agent *x = agent_find(&e->agents, s->agent);

	if (x && x->delta_messages >= 2 && x->delta_count == 1)
		return LENGTH_HABIT;
	if (!s->detail)
		return LENGTH_UNKNOWN;
	return x && x->delta_count >= 2 ? LENGTH_PROVEN : LENGTH_ONCE;
}

/* ---- E11, E12, E21 ---- */

static void owner_null(struct echoes *e, const struct packet *p, const struct sip_message *m, struct agent *x,
	const struct sign_at *where)
{
	struct address owner, connection;
	struct span sdp = m->sdp, line = SPAN_NONE, word, words;
	struct owner *o = NULL;
	uint64_t session = 1;
	struct echo_sign *s;

	while (line_next(&sdp, &line) && !span_starts(line, SPAN("o=")))
		;
	if (!line_address(line, &owner) || !sdp_line_address(m->sdp, SPAN("c="), &connection))
		return;
	words = line;
	for (unsigned i = 0; i < 2 && span_split(&words, ' ', &word); i++)
		session = hash_mix(session, hash_bytes(word.p, word.n));
	for (unsigned i = 0; i < OWNER_SEEN && !o; i++) {
		if (x->owners[i].session == session)
			o = &x->owners[i];
	}
	if (!o) {
		o = &x->owners[x->owner_next++ % OWNER_SEEN];
		*o = (struct owner){ session, false };
	}
	if (!address_unspecified(&owner)) {
		o->real = true;
	} else if (o->real && address_unspecified(&connection)) {
		s = sign_add(e, ECHO_OWNER_NULL, where, frame_ref_of(p));
		if (s)
			sign_texts(s, "o=", SPAN_NONE, line);
	}
}

static void server_port(struct echoes *e, const struct packet *p, const struct sip_message *m,
	const struct sign_at *where)
{
	struct address target, to;
	struct echo_sign *s;
	char before[ENDPOINT_TEXT];

	if (!m->via.has_port || m->via.port == p->src.port || m->via.port == p->dst.port || !m->request_uri.has_port ||
	    !m->to.has_port)
		return;
	if (m->request_uri.port != m->via.port || m->to.port != m->via.port ||
	    !address_parse(m->request_uri.host, &target) ||
	    !address_parse(m->to.host, &to) || !address_equal(&target, &p->dst.addr) || !address_equal(&to, &target))
		return;
	s = sign_add(e, ECHO_SERVER_PORT, where, frame_ref_of(p));
	if (s)
		sign_texts(s, "Request-URI", span_of(endpoint_text(&p->dst, before)), m->uri);
}

static void cut_sign(struct echoes *e, const struct packet *p, const struct sip_message *m, struct agent *x,
	const struct sign_at *where)
{
	size_t bytes = p->payload_wire;

	if (bytes > CUT_BYTES_MOST || (p->has & HAS_REASSEMBLED))
		return;
	if (x->cut_bytes != bytes) {
		x->cut_bytes = bytes;
		x->cut_count = 0;
	}
	for (unsigned i = 0; i < x->cut_count; i++) {
		if (x->cut_lengths[i] == m->content_length)
			return;
	}
	if (x->cut_count < CUT_SEEN)
		x->cut_lengths[x->cut_count++] = m->content_length;
	if (x->cut_count >= CUT_DIFFERENT)
		sign_add(e, ECHO_CUT, where, frame_ref_of(p));
}

/* The digest's and the NAT trace's place do not matter; all others ask for a phone seen from outside. */
void marks_message(struct echoes *e, const struct packet *p, const struct sip_message *m, struct agent *agent)
{
	struct sign_at where = { p->src, p->dst, p->transport, sip_leg_key(m), agent ? agent->key : 0, NULL };
	struct stale stale;

	if (m->sdp.n)
		nat_trace(e, p, m, &where);
	if (!agent)
		return;
	stale = stale_of(p, m);
	stale_sign(e, p, &stale, &where);
	if (m->sdp.n)
		owner_null(e, p, m, agent, &where);
	server_port(e, p, m, &where);
	if (p->transport != TRANSPORT_UDP || !m->has_content_length || (p->has & HAS_TRUNCATED))
		return;
	if (m->body.n && !(p->has & HAS_REASSEMBLED))
		length_sign(e, p, m, agent, &stale.inside, &where);
	if (m->flaws & SIP_FLAW_CONTENT_LENGTH_LONG)
		cut_sign(e, p, m, agent, &where);
}
