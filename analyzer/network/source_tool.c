/* SPDX-License-Identifier: MIT */
/*
 * source_tool: the marks that scanning tools leave: their names, addresses that only they write, and the form of what
 * they draw at random. Finding page 5, section 4.
 */
#include "analyzer/network/source_private.h"

/* Anywhere in User-Agent, whatever the case. */
static const char *const agents[] = { "friendly-scanner", "sipvicious", "sundayddr", "sip-scan", "sipptk", "sippts",
	NULL };
/* At its beginning: words short enough to be part of others. */
static const char *const agents_begin[] = { "iwar", "smap", "sivus", "pplsip", "gulp", "sipv", NULL };
/* Names of honest tools, too. */
static const char *const agents_weak[] = { "sipsak", "sipcli", "vaxsipuseragent", NULL };

static bool has_word(struct span text, const char *const *words)
{
	for (unsigned i = 0; words[i]; i++) {
		if (span_find_text_nocase(text, span_of(words[i])) < text.n)
			return true;
	}
	return false;
}

static bool begins_with(struct span text, const char *const *words)
{
	for (unsigned i = 0; words[i]; i++) {
		if (span_starts_nocase(text, span_of(words[i])))
			return true;
	}
	return false;
}

static bool is_decimal(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	}
	return s.n > 0;
}

static int nibble(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/*
 * Hex text of: something printable, a byte 01, digits. It may hold a password: looked at, never kept. Sixteen digits at
 * least, so that a random tag of hex digits has no chance.
 */
static bool is_tried_tag(struct span tag)
{
	size_t separators = 0, behind = 0;

	if (tag.n < 16 || tag.n % 2)
		return false;
	for (size_t i = 0; i < tag.n; i += 2) {
		int high = nibble(tag.p[i]), low = nibble(tag.p[i + 1]), c = high * 16 + low;

		if (high < 0 || low < 0)
			return false;
		if (c == 1)
			separators++;
		else if (separators ? c < '0' || c > '9' : c < ' ' || c > '~')
			return false;
		else
			behind += separators > 0;
	}
	return separators == 1 && behind > 0;
}

static bool is_user_at(const struct sip_address *a, const char *user, const char *host)
{
	return span_equal(a->user, span_of(user)) && span_equal(a->host, span_of(host));
}

static bool is_tool_address(const struct sip_message *m)
{
	return is_user_at(&m->from, "100", "1.1.1.1") || is_user_at(&m->to, "100", "1.1.1.1") ||
	       is_user_at(&m->contact, "123", "1.1.1.1") ||
		span_equal_nocase(m->from.display, SPAN("sipvicious")) || is_user_at(&m->from, "nm", "nm") ||
		is_user_at(&m->from, "nm2", "nm2") ||
		(m->request_uri.user.n == 0 && span_equal(m->request_uri.host, SPAN("nm")));
}

/* A REGISTER that binds the registrar itself. */
static bool binds_target(const struct sip_message *m, const struct packet *p)
{
	struct address host;

	if (m->method != SIP_REGISTER || !m->contact.host.n)
		return false;
	return address_parse(m->contact.host, &host) && address_equal(&host, &p->dst.addr) &&
	       !address_equal(&host, &p->src.addr);
}

static bool one_cseq(struct source *x, const struct sip_message *m)
{
	uint64_t call_id = m->keys.call_id;

	x->cseq_row = call_id == x->last_call_id && m->cseq == x->last_cseq ? x->cseq_row + 1 : 0;
	x->last_call_id = call_id;
	x->last_cseq = m->cseq;
	return x->cseq_row >= 3;
}

static uint32_t agent_marks(const struct words *more, struct span agent)
{
	uint32_t marks = 0;

	if (has_word(agent, agents) || begins_with(agent, agents_begin))
		marks |= MARK_AGENT;
	else if (has_word(agent, agents_weak))
		marks |= MARK_AGENT_WEAK;
	for (unsigned i = 0; i < more->count; i++) {
		if (span_find_text_nocase(agent, span_of(more->list[i])) < agent.n)
			marks |= MARK_AGENT;
	}
	return marks;
}

/* Looked for once in each name, as long as it is among the latest. */
static uint32_t agent_marks_known(struct sources *s, struct span agent)
{
	uint64_t hash = hash_bytes(agent.p, agent.n);
	unsigned i = hash % TOOLS_KNOWN;

	if (!s->tools[i].used || s->tools[i].agent != hash) {
		s->tools[i].used = true;
		s->tools[i].agent = hash;
		s->tools[i].marks = agent_marks(&s->site->scanner_ua, agent);
	}
	return s->tools[i].marks;
}

void source_marks(struct sources *s, struct source *x, const struct packet *p, struct frame_ref at)
{
	const struct sip_message *m = p->sip;
	uint32_t marks = agent_marks_known(s, m->user_agent);

	if (is_tool_address(m))
		marks |= MARK_ADDRESS;
	if (span_starts(m->via.branch, SPAN("z9hG4bK-")) && is_decimal(span_from(m->via.branch, 8)))
		marks |= MARK_BRANCH;
	if (is_decimal(m->call_id))
		marks |= MARK_CALL_ID;
	if (m->method != SIP_REGISTER && m->to.uri.n && span_equal(m->to.uri, m->from.uri) &&
	    span_equal(m->to.display, m->from.display))
		marks |= MARK_TO_IS_FROM;
	if (is_tried_tag(m->from.tag))
		marks |= MARK_TAG;
	if (binds_target(m, p))
		marks |= MARK_CONTACT;
	if (one_cseq(x, m))
		marks |= MARK_CSEQ;
	if (marks & ~x->marks && !(x->marks & (MARK_AGENT | MARK_ADDRESS)))
		x->marked_at = at;
	x->marks |= marks;
}
