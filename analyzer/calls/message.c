/* SPDX-License-Identifier: MIT */
/* message: a SIP packet as a record of its leg, with texts and session description that outlive the packet. */
#include "analyzer/calls/internal.h"

enum {
	PHRASES_WALKED = 12, /* User-Agents, Contacts, reasons of one leg are few */
	DESCRIPTIONS_WALKED = 24,
	DEFAULT_PORT = 5060,
	DEFAULT_TLS_PORT = 5061
};

struct frame_ref message_frame(const struct packet *p)
{
	return (struct frame_ref){ p->at_ns, p->frame, p->file, p->interface };
}

bool message_is_response(const struct message *m, unsigned from, unsigned to)
{
	return !m->request && m->status >= from && m->status <= to;
}

uint64_t message_branch(const struct sip_message *sip)
{
	const struct sip_via *via = &sip->via;

	if (sip->keys.cookie)
		return hash_mix(sip->keys.branch, hash_bytes(via->host.p, via->host.n));
	return hash_bytes(via->whole.p, via->whole.n); /* RFC 2543 */
}

/* Are there still records to spare for this leg? Its end is noted even when not. */
bool message_fits(const struct arrival *a)
{
	return a->leg->leg.messages.count < LEG_MESSAGES_MAX && arena_bytes(a->leg->leg.arena) < LEG_ARENA_MAX;
}

/* A copy in the leg's arena, or the same text from an earlier message. */
struct span leg_text(struct leg_record *r, struct span s)
{
	struct phrase *t = r->phrases;
	unsigned walked = 0;

	if (s.n == 0)
		return SPAN_NONE;
	for (; t && walked < PHRASES_WALKED; t = t->next, walked++) {
		if (span_equal(t->text, s))
			return t->text;
	}
	t = arena_zalloc(r->leg.arena, sizeof *t);
	t->text = arena_dup(r->leg.arena, s);
	t->next = r->phrases;
	r->phrases = t;
	return t->text;
}

/* The same place in the copy of the message; a text that lies elsewhere is copied. */
static struct span kept(const struct arrival *a, struct span raw, struct span s)
{
	struct span from = a->sip->bytes;

	if (s.n == 0)
		return SPAN_NONE;
	if (raw.n && s.p >= from.p && s.p + s.n <= from.p + from.n)
		return (struct span){ raw.p + (s.p - from.p), s.n };
	return leg_text(a->leg, s);
}

/* One parsed copy for all equal bodies of a leg: repetitions and next hops cost nothing. */
static const struct sdp *leg_description(const struct arrival *a, struct span raw)
{
	struct leg_record *r = a->leg;
	struct span body = a->sip->sdp;
	uint64_t hash = hash_bytes(body.p, body.n);
	struct description *d = r->descriptions;
	unsigned walked = 0;

	for (; d && walked < DESCRIPTIONS_WALKED; d = d->next, walked++) {
		if (d->hash == hash && span_equal(d->sdp->bytes, body))
			return d->sdp;
	}
	body = raw.n ? kept(a, raw, body) : arena_dup(r->leg.arena, body);
	if (!sdp_parse(body, a->c->scratch))
		return NULL;
	d = arena_zalloc(r->leg.arena, sizeof *d);
	d->hash = hash;
	d->sdp = sdp_compact(a->c->scratch, arena_zalloc(r->leg.arena, sdp_compact_bytes(a->c->scratch)));
	d->next = r->descriptions;
	r->descriptions = d;
	return d->sdp;
}

static struct endpoint contact_endpoint(const struct sip_address *contact)
{
	struct endpoint at = { 0 };

	if (!contact->host.n || !address_parse(contact->host, &at.addr))
		return (struct endpoint){ 0 };
	at.port = contact->has_port                                ? contact->port
		: span_equal_nocase(contact->scheme, SPAN("sips")) ? DEFAULT_TLS_PORT
								   : DEFAULT_PORT;
	return at;
}

static bool was_cut(const struct arrival *a)
{
	return (a->sip->flaws & SIP_FLAW_BODY_CUT) || (a->packet->has & HAS_TRUNCATED);
}

/* What needs no copying. */
/* "5", "*": which key, as RFC 4733 numbers them; 0xff: none. */
static uint8_t key_code(struct span text)
{
	static const char keys[] = "0123456789*#ABCD";
	const char *at = text.n == 1 && text.p[0] ? strchr(keys,
		text.p[0] >= 'a' && text.p[0] <= 'd' ? text.p[0] - 'a' + 'A' : text.p[0]) : NULL;
	uint64_t number;

	if (at)
		return (uint8_t)(at - keys);
	return span_number(text, 15, &number) ? (uint8_t)number : 0xff;  /* some write 10 for the star */
}

/*
 * The key of an INFO, plus one: "Signal=5" of application/dtmf-relay, or the bare key of application/dtmf. 0: it holds
 * none.
 */
static uint8_t key_press(const struct sip_message *sip)
{
	struct span rest = sip->body, line;
	uint8_t code = 0xff;

	if (span_equal_nocase(sip->content_type, SPAN("application/dtmf"))) {
		code = key_code(span_trim(sip->body));
	} else if (span_equal_nocase(sip->content_type, SPAN("application/dtmf-relay"))) {
		while (code == 0xff && span_split(&rest, '\n', &line)) {
			if (span_starts_nocase(span_trim(line), SPAN("signal")))
				code = key_code(span_trim(span_from(line, span_find(line, '=') + 1)));
		}
	}
	return code == 0xff ? 0 : (uint8_t)(code + 1);
}

static enum early_media early_media(const struct sip_message *sip)
{
	struct span value = span_trim(sip_header_value(sip, SIP_H_P_EARLY_MEDIA));

	if (!value.n)
		return EARLY_MEDIA_NONE;
	if (span_starts_nocase(value, SPAN("sendrecv")) || span_starts_nocase(value, SPAN("sendonly")))
		return EARLY_MEDIA_PROMISED;
	return span_starts_nocase(value, SPAN("supported")) ? EARLY_MEDIA_NONE : EARLY_MEDIA_CLOSED;
}

void message_fill(struct message *m, const struct arrival *a)
{
	const struct packet *p = a->packet;
	const struct sip_message *sip = a->sip;
	struct span value;

	m->at = message_frame(p);
	m->src = p->src;
	m->dst = p->dst;
	memcpy(m->src_mac, p->mac_src, sizeof m->src_mac);
	memcpy(m->dst_mac, p->mac_dst, sizeof m->dst_mac);
	m->ttl = p->ttl;
	m->transport = p->transport;
	m->method = (uint8_t)sip->method;
	m->by = (uint8_t)a->author;
	m->request = sip->request;
	m->has_to_tag = sip->to.tag.n != 0;
	m->cut = was_cut(a);
	m->status = (uint16_t)sip->status;
	m->fragments = p->fragments;
	m->cseq = sip->cseq;
	m->flaws = sip->flaws;
	m->via_count = sip->via_count;
	m->bytes_on_wire = p->wire_bytes;
	m->first = m;
	m->contact = contact_endpoint(&sip->contact);
	m->key_press = sip->request && sip->method == SIP_INFO ? key_press(sip) : 0;
	m->early_media = (uint8_t)early_media(sip);
	m->wants_prack = !sip->request && sip_header_lists(sip, SIP_H_REQUIRE, SPAN("100rel"));
	m->focus = sip_parameter(sip->contact.params, SPAN("isfocus"), &value);
}

/* The name of a known method needs no memory. */
static struct span method_text(const struct arrival *a, struct span raw)
{
	enum sip_method method = a->sip->method;

	if (method == SIP_METHOD_NONE)
		return SPAN_NONE;
	if (method != SIP_METHOD_OTHER)
		return span_of(sip_method_name(method));
	return kept(a, raw, a->sip->request ? a->sip->method_text : a->sip->cseq_method);
}

/* The earlier message whose bytes are the very same, so that a repetition costs no text. */
static struct span raw_of(const struct arrival *a)
{
	if (!a->c->config.keep_texts)
		return SPAN_NONE;
	for (const struct sighting *s = a->transaction->sightings; s; s = s->next) {
		if (span_equal(s->seen->raw, a->sip->bytes))
			return s->seen->raw;
	}
	return arena_dup(a->leg->leg.arena, a->sip->bytes);
}

/* Why it failed, in more words than the reason phrase. */
static struct span explanation(const struct sip_message *sip)
{
	struct span reason = sip->status >= 300 ? sip_header_value(sip, SIP_H_REASON) : SPAN_NONE;

	return reason.n || sip->status < 300 ? reason : sip_header_value(sip, SIP_H_WARNING);
}

struct message *message_new(const struct arrival *a)
{
	struct leg *leg = &a->leg->leg;
	struct message *m = arena_zalloc(leg->arena, sizeof *m);
	const struct sip_message *sip = a->sip;

	message_fill(m, a);
	m->leg = leg;
	leg->focus |= m->focus;
	leg->early_sdp |= m->status > 100 && m->status < 200 && m->method == SIP_INVITE && sip->sdp.n;
	m->raw = raw_of(a);
	m->to_tag = kept(a, m->raw, sip->to.tag);
	m->method_text = method_text(a, m->raw);
	m->reason = kept(a, m->raw, sip->reason);
	m->explained = kept(a, m->raw, explanation(sip));
	m->user_agent = kept(a, m->raw, sip->user_agent);
	m->contact_uri = kept(a, m->raw, sip->contact.uri);
	m->sdp = sip->sdp.n ? leg_description(a, m->raw) : NULL;
	if (m->cut)
		leg->cut = true;
	list_add_tail(&leg->messages, &m->in_leg);
	return m;
}
