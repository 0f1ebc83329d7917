/* SPDX-License-Identifier: MIT */
/* message: a SIP packet as a record of its leg, with texts and session description that outlive the packet. */
#include "analyzer/calls/internal.h"

enum {
	PHRASES_WALKED = 12, /* tags, Contacts, names of one leg are few */
	COMMON_BYTES = 64,
	CONTACTS_WALKED = 8,
	DEFAULT_PORT = 5060,
	DEFAULT_TLS_PORT = 5061
};

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

static struct phrase *phrase_new(struct arena *arena, struct span s)
{
	struct phrase *t = arena_zalloc(arena, sizeof *t + s.n);

	t->n = (uint32_t)s.n;
	memcpy(t->p, s.p, s.n);
	return t;
}

/* A copy in the leg's arena, or the same text from an earlier message. NULL: it is empty. */
static const struct phrase *leg_phrase(struct leg_record *r, struct span s)
{
	struct phrase *new;
	unsigned walked = 0;

	if (s.n == 0)
		return NULL;
	for (const struct phrase *t = r->phrases; t && walked < PHRASES_WALKED; t = t->next, walked++) {
		if (span_equal(phrase_span(t), s))
			return t;
	}
	new = phrase_new(r->leg.arena, s);
	new->next = r->phrases;
	r->phrases = new;
	return new;
}

struct span leg_text(struct leg_record *r, struct span s)
{
	return phrase_span(leg_phrase(r, s));
}

/*
 * What a few words are enough for, whatever the call: the first that come are kept as long as all calls, the others
 * with their leg.
 */
const struct phrase *common_phrase(const struct arrival *a, struct span s)
{
	struct calls *c = a->c;
	const struct phrase **slot;

	if (s.n == 0 || s.n > COMMON_BYTES)
		return leg_phrase(a->leg, s);
	slot = &c->common_phrases[hash_bytes(s.p, s.n) % COMMON_PHRASES];
	if (!*slot)
		*slot = phrase_new(c->common, s);
	return span_equal(phrase_span(*slot), s) ? *slot : leg_phrase(a->leg, s);
}

struct endpoint message_contact_endpoint(const struct sip_address *contact)
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

	m->at = frame_ref_of(p);
	m->src = p->src;
	m->dst = p->dst;
	memcpy(m->dst_mac, p->mac_dst, sizeof m->dst_mac);
	m->transport = p->transport;
	m->method = (uint8_t)sip->method;
	m->by = a->author & 1;
	m->request = sip->request;
	m->has_to_tag = sip->to.tag.n != 0;
	m->cut = was_cut(a);
	m->status = (uint16_t)sip->status;
	m->fragments = p->fragments;
	m->cseq = sip->cseq;
	m->flaws = sip->flaws;
	m->via_count = sip->via_count < UINT16_MAX ? (uint16_t)sip->via_count : UINT16_MAX;
	m->bytes_on_wire = (uint32_t)(p->transport == TRANSPORT_UDP ? p->payload_wire : sip->bytes.n);
	m->first = m;
	m->key_press = sip->request && sip->method == SIP_INFO ? key_press(sip) : 0;
	m->early_media = early_media(sip) & 3;
	m->wants_prack = !sip->request && sip_header_lists(sip, SIP_H_REQUIRE, SPAN("100rel"));
	m->focus = sip_parameter(sip->contact.params, SPAN("isfocus"), &value);
}

/* A URI leads to one address, which is read once. */
static const struct contact *leg_contact(const struct arrival *a)
{
	struct span uri = a->sip->contact.uri;
	struct leg_record *r = a->leg;
	struct contact *new;
	unsigned walked = 0;

	if (uri.n == 0)
		return NULL;
	for (const struct contact *it = r->contacts; it && walked < CONTACTS_WALKED; it = it->next, walked++) {
		if (span_equal(phrase_span(it->uri), uri))
			return it;
	}
	new = arena_zalloc(r->leg.arena, sizeof *new);
	new->uri = leg_phrase(r, uri);
	new->at = message_contact_endpoint(&a->sip->contact);
	new->next = r->contacts;
	r->contacts = new;
	return new;
}

/* The earlier message whose bytes are the very same, so that a repetition costs no text. */
static const struct phrase *raw_of(const struct arrival *a)
{
	if (!a->c->config.keep_texts || a->sip->bytes.n == 0)
		return NULL;
	for (const struct message_record *s = a->transaction->sightings; s; s = s->older) {
		if (span_equal(message_raw(&s->message), a->sip->bytes))
			return s->message.words->raw;
	}
	return phrase_new(a->leg->leg.arena, a->sip->bytes);
}

/* Why it failed, in more words than the reason phrase. */
static struct span explanation(const struct sip_message *sip)
{
	struct span reason = sip->status >= 300 ? sip_header_value(sip, SIP_H_REASON) : SPAN_NONE;

	return reason.n || sip->status < 300 ? reason : sip_header_value(sip, SIP_H_WARNING);
}

static const struct message_words *words_of(const struct arrival *a)
{
	const struct sip_message *sip = a->sip;
	struct span explained = explanation(sip);
	const struct phrase *raw = raw_of(a);
	struct message_words *words;

	if (explained.n == 0 && sip->method != SIP_METHOD_OTHER && !raw && !a->rseq)
		return NULL;
	words = arena_zalloc(a->leg->leg.arena, sizeof *words);
	if (sip->method == SIP_METHOD_OTHER)
		words->method_text = common_phrase(a, sip->request ? sip->method_text : sip->cseq_method);
	words->explained = leg_phrase(a->leg, explained);
	words->raw = raw;
	words->rseq = a->rseq;
	return words;
}

struct message *message_new(const struct arrival *a)
{
	struct leg *leg = &a->leg->leg;
	struct message_record *r = arena_zalloc(leg->arena, sizeof *r);
	struct message *m = &r->message;
	const struct sip_message *sip = a->sip;

	message_fill(m, a);
	leg->focus |= m->focus;
	leg->early_sdp |= m->status > 100 && m->status < 200 && m->method == SIP_INVITE && sip->sdp.n;
	m->to_tag = leg_phrase(a->leg, sip->to.tag);
	m->words = words_of(a);
	m->reason = common_phrase(a, sip->reason);
	m->contact = leg_contact(a);
	m->sdp = sip->sdp.n ? leg_description(a) : NULL;
	if (m->cut)
		leg->cut = true;
	chain_add(&leg->messages, &m->in_leg);
	return m;
}
