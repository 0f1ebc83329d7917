/* SPDX-License-Identifier: MIT */
/*
 * transaction: which messages belong together (RFC 3261 17), and what each one is: the first, sent again, forwarded, or
 * a copy. One record holds all hops of a request: between proxies only Call-ID, From-tag, CSeq and method stay the
 * same.
 */
#include "analyzer/calls/internal.h"

enum { SKEW_OF_SIDES_NS = 100 * 1000 * 1000 }; /* two sides of one box, transparent at layer 3 */

static enum sip_method transaction_method(const struct sip_message *sip)
{
	return sip->method == SIP_ACK ? SIP_INVITE : sip->method;
}

static uint64_t method_hash(const struct sip_message *sip)
{
	struct span text = sip->request ? sip->method_text : sip->cseq_method;
	enum sip_method method = transaction_method(sip);

	return method == SIP_METHOD_OTHER ? hash_bytes(text.p, text.n) : (uint64_t)method;
}

static uint32_t transaction_key(const struct arrival *a)
{
	return (uint32_t)hash_mix((uint64_t)a->sip->cseq << 1 | (uint64_t)a->client, method_hash(a->sip));
}

/* cseq-spaces: each side counts its own requests. */
static struct transaction_record *transaction_find(const struct arrival *a, uint32_t hash)
{
	for (struct hash_link *it = hash_first(&a->leg->transactions, hash); it; it = it->next) {
		struct transaction_record *t = HASH_ENTRY(it, struct transaction_record, by_key);

		if (it->hash == hash && t->transaction.cseq == a->sip->cseq && t->transaction.by == a->client &&
			t->transaction.method == transaction_method(a->sip))
			return t;
	}
	return NULL;
}

static bool same_pair(const struct message *m, const struct packet *p)
{
	return endpoint_equal(&m->src, &p->src) && endpoint_equal(&m->dst, &p->dst);
}

/* Some stacks answer a challenge without counting CSeq up: a new branch on the same hop, after the final. */
static bool is_new_attempt(const struct transaction_record *t, const struct arrival *a)
{
	const struct transaction *old = &t->transaction;
	bool hop_known = false;

	if (!a->sip->request || a->sip->method == SIP_ACK || !old->final ||
		(old->status != 401 && old->status != 407) || a->packet->at_ns < old->final->at.at_ns)
		return false;
	for (const struct message_record *s = t->sightings; s; s = s->older) {
		if (!s->message.request || s->message.method != old->method)
			continue;
		if (s->branch == a->branch)
			return false;
		if (same_pair(&s->message, a->packet) && s->message.via_count == a->sip->via_count)
			hop_known = true;
	}
	return hop_known;
}

/* Is the INVITE that this answers the first of the leg, when the request itself was not seen? */
static bool seems_initial(const struct arrival *a)
{
	const struct leg *leg = &a->leg->leg;

	if (transaction_method(a->sip) != SIP_INVITE || a->client != SIDE_CALLER)
		return false;
	if (a->sip->method == SIP_INVITE && a->sip->request)
		return a->sip->to.tag.n == 0;
	return !leg->partial && !leg->confirmed;
}

static struct transaction_record *transaction_new(struct arrival *a, uint32_t hash)
{
	struct leg *leg = &a->leg->leg;
	struct transaction_record *t = arena_zalloc(leg->arena, sizeof *t);

	t->transaction.leg = leg;
	t->transaction.method = (uint8_t)transaction_method(a->sip);
	t->transaction.by = (uint8_t)a->client;
	t->transaction.cseq = a->sip->cseq;
	t->transaction.key = hash_mix(a->branch, method_hash(a->sip));
	t->transaction.first_ns = t->transaction.last_ns = a->packet->at_ns;
	t->transaction.initial = seems_initial(a);
	list_add_tail(&leg->transactions, &t->transaction.in_leg);
	hash_add(&a->leg->transactions, &t->by_key, hash);
	return t;
}

static void initials_add(struct leg_record *r, struct transaction_record *t)
{
	for (int i = 0; i < INITIALS_MAX; i++) {
		if (r->initials[i] == t)
			return;
	}
	memmove(r->initials + 1, r->initials, (INITIALS_MAX - 1) * sizeof r->initials[0]);
	r->initials[0] = t;
}

/* Found or made; NULL: the leg is too long for more records. */
struct transaction_record *transaction_get(struct arrival *a)
{
	uint32_t hash = transaction_key(a);
	struct transaction_record *t;

	if (!message_fits(a))
		return NULL;
	t = transaction_find(a, hash);
	if (t && is_new_attempt(t, a)) {
		hash_remove(&a->leg->transactions, &t->by_key);
		t = NULL;
	}
	if (!t)
		t = transaction_new(a, hash);
	if (a->sip->request && a->sip->method == SIP_INVITE && a->sip->to.tag.n == 0)
		t->transaction.initial = true;
	if (t->transaction.initial)
		initials_add(a->leg, t);
	return t;
}

/* ---- what a message is ---- */

static bool same_message(const struct message_record *s, const struct arrival *a)
{
	const struct message *m = &s->message;

	return m->request == a->sip->request && m->method == a->sip->method && m->status == a->sip->status &&
		(m->words ? m->words->rseq : 0) == a->rseq && span_equal(phrase_span(m->to_tag), a->sip->to.tag);
}

/*
 * The same message on the same address pair with another body: a box without addresses of its own rewrote it and both
 * sides were captured, or a second provisional says something new, or the sender is careless.
 */
static enum message_repeat repeat_with_other_body(const struct message_record *s, const struct arrival *a)
{
	if (ns_minus(a->packet->at_ns, s->message.at.at_ns) < SKEW_OF_SIDES_NS)
		return MESSAGE_NEXT_HOP;
	return !a->sip->request && a->sip->status < 200 ? MESSAGE_FIRST : MESSAGE_RETRANSMITTED;
}

static enum message_repeat repeat_of(const struct arrival *a, const struct message_record **ret_like)
{
	enum message_repeat repeat = MESSAGE_FIRST;

	*ret_like = NULL;
	for (const struct message_record *s = a->transaction->sightings; s; s = s->older) {
		if (!same_message(s, a))
			continue;
		if (!same_pair(&s->message, a->packet) || s->branch != a->branch) {
			if (!*ret_like) {
				repeat = MESSAGE_NEXT_HOP;
				*ret_like = s;
			}
			continue;
		}
		*ret_like = s;
		if (a->copy)
			return MESSAGE_COPY;
		repeat = s->body == a->body ? MESSAGE_RETRANSMITTED : repeat_with_other_body(s, a);
		if (repeat == MESSAGE_FIRST)
			*ret_like = NULL;
		return repeat;
	}
	return repeat;
}

static void sighting_add(struct arrival *a)
{
	struct transaction_record *t = a->transaction;
	struct message_record *s = MESSAGE_RECORD(a->message);

	if (t->sighting_count >= TRANSACTION_SIGHTINGS_MAX)
		return;
	s->branch = a->branch;
	s->body = a->body;
	s->older = t->sightings;
	t->sightings = s;
	t->sighting_count++;
}

/* ---- bookkeeping ---- */

static void waits_no_more(struct calls *c, struct transaction_record *t)
{
	if (t->waits)
		list_remove(&c->waiting, &t->waiting);
	t->waits = false;
}

static void transaction_close(struct calls *c, struct transaction_record *t)
{
	waits_no_more(c, t);
	if (t->closed)
		return;
	t->closed = true;
	calls_emit(c,
		(struct calls_event){ .kind = CALLS_TRANSACTION_CLOSED,
			.leg = t->transaction.leg,
			.dialog = t->transaction.dialog,
			.transaction = &t->transaction });
}

static void note_request(struct arrival *a)
{
	struct transaction_record *t = a->transaction;
	const struct message *m = a->message;

	if (m->method == SIP_ACK) {
		if (!t->transaction.ack)
			t->transaction.ack = m;
		return;
	}
	if (t->least_vias == 0 || m->via_count < t->least_vias)
		t->least_vias = m->via_count ? m->via_count : 1;
	if (!t->transaction.request) {
		t->transaction.request = m;
		t->waits = !t->transaction.final;
		if (t->waits)
			list_add_tail(&a->c->waiting, &t->waiting);
	}
	if (m->repeat == MESSAGE_FIRST ||
		(m->repeat == MESSAGE_RETRANSMITTED && messages_same_pair(m, t->transaction.request)))
		t->transaction.request_copies++;
}

/* Of several finals (a fork seen behind its proxy) the 2xx counts, else the one nearest to the client. */
static bool final_replaces(const struct message *new, const struct message *old)
{
	if (!old)
		return true;
	if (new->status == old->status || old->status < 300)
		return false;
	return new->status < 300 || new->via_count < old->via_count;
}

static void note_final(struct arrival *a)
{
	struct transaction_record *t = a->transaction;
	const struct message *m = a->message;
	bool reached = t->least_vias == 0 || m->via_count <= t->least_vias;

	t->transaction.finals++;
	if (final_replaces(m, t->transaction.final)) {
		t->transaction.final = m;
		t->transaction.final_copies = 0;
		t->transaction.status = m->status;
	}
	if (m == t->transaction.final ||
		(m->repeat == MESSAGE_RETRANSMITTED && m->status == t->transaction.final->status &&
			messages_same_pair(m, t->transaction.final)))
		t->transaction.final_copies++;
	if (reached)
		transaction_close(a->c, t);
}

static void note_response(struct arrival *a)
{
	struct transaction_record *t = a->transaction;
	const struct message *m = a->message;

	if (m->status >= 200) {
		note_final(a);
		return;
	}
	if (!t->transaction.provisional)
		t->transaction.provisional = m;
	if (!t->transaction.final)
		t->transaction.status = m->status;
	if (t->transaction.method == SIP_INVITE)
		waits_no_more(a->c, t); /* it may ring for minutes (RFC 3261 17.1.1.2) */
}

/* An ACK with a branch of its own answers a 2xx (RFC 3261 17.1.1.3); one with SDP answers an offer in it. */
bool transaction_ack_proves(const struct arrival *a)
{
	const struct transaction_record *t = a->transaction;

	if (t->transaction.final || a->sip->to.tag.n == 0)
		return false;
	if (a->sip->sdp.n)
		return true;
	if (!t->transaction.request || !a->sip->keys.cookie)
		return false;
	for (const struct message_record *s = t->sightings; s; s = s->older) {
		if (s->message.request && s->message.method == SIP_INVITE && s->branch == a->branch)
			return false;
	}
	return a->sip->via_count == t->transaction.request->via_count;
}

/* Links the new message to its transaction and says what it is. */
void transaction_note(struct arrival *a)
{
	struct transaction *t = &a->transaction->transaction;
	struct message *m = a->message;
	const struct message_record *like;

	m->repeat = repeat_of(a, &like) & 3;
	m->first = like ? m->repeat == MESSAGE_NEXT_HOP ? like->message.first : &like->message : m;
	m->transaction = t;
	chain_add(&t->messages, &m->in_transaction);
	if (m->at.at_ns > t->last_ns)
		t->last_ns = m->at.at_ns;
	if (m->repeat == MESSAGE_COPY)
		return;
	if (m->repeat != MESSAGE_RETRANSMITTED)
		sighting_add(a);
	if (m->request)
		note_request(a);
	else
		note_response(a);
}

/* Timers B and F: nothing came. */
void transactions_tick(struct calls *c, int64_t now_ns)
{
	while (c->waiting.count) {
		struct transaction_record *t = LIST_ENTRY(c->waiting.head.next, struct transaction_record, waiting);

		if (now_ns < ns_add(t->transaction.first_ns, TRANSACTION_LIFE_NS))
			return;
		transaction_close(c, t);
	}
}

void transactions_forget(struct calls *c, struct leg_record *r)
{
	LIST_EACH(it, &r->leg.transactions)
		waits_no_more(c, TRANSACTION_RECORD(LIST_ENTRY(it, struct transaction, in_leg)));
	hash_fini(&r->transactions);
}
