/* SPDX-License-Identifier: MIT */
/*
 * registration: an AOR bound to a device at a registrar (RFC 3261 10): what each REGISTER and its answer make of it,
 * and what becomes of it when none comes.
 */
#include "analyzer/calls/registration_private.h"

#include "analyzer/calls/trial.h"

enum { REFUSALS_FAIL = 2 };

#define EXPIRY_GRACE_NS TRANSACTION_LIFE_NS /* a refresh may be on its way */

/* ---- the attempt in hand ---- */

static void tell(struct arrival *a, struct registration_record *r)
{
	calls_emit(a->c,
		(struct calls_event){
			.kind = CALLS_REGISTRATION, .registration = &r->registration, .message = a->message });
}

static void tell_timer(struct calls *c, struct registration_record *r)
{
	calls_emit(c, (struct calls_event){ .kind = CALLS_REGISTRATION, .registration = &r->registration });
}

static bool same_attempt(const struct registration_record *r, const struct arrival *a)
{
	return r->attempt != ATTEMPT_NONE && r->cseq == a->sip->cseq &&
		r->call_id == a->sip->keys.call_id;
}

/*
 * Of an attempt before the one in hand: a second point whose clock is late, or a packet that was overtaken. CSeq only
 * grows.
 */
static bool is_late(const struct registration_record *r, const struct arrival *a)
{
	return r->attempt != ATTEMPT_NONE && a->sip->cseq < r->cseq &&
		r->call_id == a->sip->keys.call_id &&
		ns_minus(a->packet->at_ns, r->transaction.first_ns) < TRANSACTION_LIFE_NS;
}

static bool same_hop(const struct registration_record *r, const struct packet *p)
{
	return endpoint_equal(&r->src, &p->src) && endpoint_equal(&r->dst, &p->dst);
}

/*
 * Seen at two points or behind a proxy: the device is where it has fewest Vias, or the private side; the registrar the
 * other end.
 */
static void another_hop(struct registration_record *r, const struct arrival *a)
{
	const struct packet *p = a->packet;
	uint32_t vias = a->sip->via_count;

	if (vias < r->vias_least ||
		(vias == r->vias_least && address_private(&p->src.addr) &&
			!address_private(&r->registration.source.addr))) {
		r->vias_least = vias;
		r->registration.source = p->src;
		r->registration.contact_uri =
			registration_text(&r->registration, r->registration.contact_uri, a->sip->contact.uri);
		r->registration.contact = message_contact_endpoint(&a->sip->contact);
	}
	if (vias > r->vias_most || (vias == r->vias_most && address_private(&r->registration.registrar.addr))) {
		r->vias_most = vias;
		r->registration.registrar = p->dst;
	}
	a->message->repeat = MESSAGE_NEXT_HOP;
}

static bool has_credentials(const struct sip_message *sip)
{
	return sip_header_find(sip, SIP_H_AUTHORIZATION) || sip_header_find(sip, SIP_H_PROXY_AUTHORIZATION);
}

static void transaction_begin(struct registration_record *r, const struct arrival *a)
{
	struct transaction *t = &r->transaction;

	*t = (struct transaction){ .method = SIP_REGISTER,
		.cseq = a->sip->cseq,
		.key = a->branch,
		.request_copies = 1,
		.first_ns = a->packet->at_ns,
		.last_ns = a->packet->at_ns };
	r->registration.open = t;
}

static void attempt_begin(struct registration_record *r, struct arrival *a)
{
	const struct sip_message *sip = a->sip;
	struct registration *reg = &r->registration;

	r->attempt = ATTEMPT_ASKED;
	r->cseq = sip->cseq;
	r->branch = a->branch;
	r->call_id = sip->keys.call_id;
	r->src = a->packet->src;
	r->dst = a->packet->dst;
	r->vias_least = r->vias_most = sip->via_count;
	r->tries_repeated = 0;
	r->credentials = has_credentials(sip);
	r->binds = sip->contact_count > 0 || sip->contact.whole.n > 0;
	r->removes = sip->contact_star || (sip->has_expires && sip->expires_s == 0);
	r->asked_s = sip->has_expires ? sip->expires_s : 0;
	reg->requests++;
	reg->source = a->packet->src;
	reg->registrar = a->packet->dst;
	reg->request_at = a->message->at;
	reg->user_agent = registration_text(reg, reg->user_agent, sip->user_agent);
	if (sip->contact.uri.n) {
		reg->contact_uri = registration_text(reg, reg->contact_uri, sip->contact.uri);
		reg->contact = message_contact_endpoint(&a->sip->contact);
	}
	transaction_begin(r, a);
	trial_request(reg->trial, a->message, sip, false);
	due_set(&a->c->due, r, ns_add(a->packet->at_ns, TRANSACTION_LIFE_NS));
}

static void request_note(struct registration_record *r, struct arrival *a)
{
	if (is_late(r, a)) {
		if (!same_hop(r, a->packet))
			another_hop(r, a);
		else
			a->message->repeat = MESSAGE_RETRANSMITTED;
	} else if (!same_attempt(r, a)) {
		attempt_begin(r, a);
	} else if (!same_hop(r, a->packet)) {
		another_hop(r, a);
	} else if (r->branch == a->branch) {
		a->message->repeat = MESSAGE_RETRANSMITTED;
		trial_request(r->registration.trial, a->message, a->sip, true);
		r->registration.retransmissions++;
		r->tries_repeated++;
		r->transaction.request_copies++;
		r->transaction.last_ns = a->packet->at_ns;
	} else if (r->attempt != ATTEMPT_ASKED) {
		attempt_begin(r, a); /* some do not count CSeq up after a challenge */
	}
}

/* ---- the answer ---- */

static void accepted(struct registration_record *r, struct arrival *a)
{
	struct registration *reg = &r->registration;
	bool found, request_seen = r->attempt != ATTEMPT_NONE;
	bool binds = request_seen ? r->binds : a->sip->contact.whole.n > 0;
	uint32_t granted = registration_granted_s(reg, a->sip, &found);

	trial_final(reg->trial, a->message, a->sip, request_seen && binds && !r->removes,
		found || !registration_binding_missing(r, a), granted);
	r->refused_in_row = 0;
	reg->status = (uint16_t)a->sip->status;
	reg->final_at = a->message->at;
	if (request_seen && r->removes) {
		reg->state = REGISTRATION_REMOVED;
		reg->expires_s = 0;
		due_remove(&a->c->due, r);
		return;
	}
	if (!binds) { /* a question for the bindings */
		due_remove(&a->c->due, r);
		return;
	}
	if (!reg->contact_uri.n)
		reg->contact_uri = registration_text(reg, reg->contact_uri, a->sip->contact.uri);
	reg->expires_s = granted;
	reg->state = REGISTRATION_REGISTERED;
	reg->registered_ns = a->packet->at_ns;
	registration_good(a->c, r);
	due_remove(&a->c->due, r);
	if (reg->expires_s)
		due_set(&a->c->due, r, ns_add(ns_add(a->packet->at_ns, reg->expires_s * SECOND_NS), EXPIRY_GRACE_NS));
}

static void failed(struct registration_record *r, struct arrival *a)
{
	r->registration.state = REGISTRATION_FAILED;
	r->registration.status = (uint16_t)a->sip->status;
	r->registration.final_at = a->message->at;
	due_remove(&a->c->due, r);
}

/* The first challenge is the way it goes; so is one for a nonce that has aged. A second refusal in a row is one. */
static void challenged(struct registration_record *r, struct arrival *a)
{
	struct registration *reg = &r->registration;

	r->challenge = (uint16_t)a->sip->status;
	r->attempt = ATTEMPT_CHALLENGED;
	if (!r->credentials) {
		reg->challenges++;
	} else {
		reg->refusals++;
		r->refused_in_row++;
	}
	if (r->refused_in_row >= REFUSALS_FAIL) {
		failed(r, a);
		return;
	}
	if (reg->status < 200 || reg->status >= 300 || reg->state != REGISTRATION_REGISTERED) {
		reg->status = r->challenge;
		reg->final_at = a->message->at;
	}
	due_set(&a->c->due, r, ns_add(a->packet->at_ns, TRANSACTION_LIFE_NS));
}

static void final_note(struct registration_record *r, struct arrival *a)
{
	unsigned status = a->sip->status;

	r->response_seen = true;
	r->registration.open = NULL;
	r->transaction.status = (uint16_t)status;
	if (status < 300) {
		accepted(r, a);
		r->attempt = ATTEMPT_DONE;
		tell(a, r);
		return;
	}
	trial_final(r->registration.trial, a->message, a->sip, false, false, 0);
	if (status == 401 || status == 407) {
		challenged(r, a);
	} else if (status == 423 || status / 100 == 3) { /* another try is due */
		r->challenge = (uint16_t)status;
		r->registration.status = (uint16_t)status;
		r->registration.final_at = a->message->at;
		r->attempt = ATTEMPT_CHALLENGED;
		due_set(&a->c->due, r, ns_add(a->packet->at_ns, TRANSACTION_LIFE_NS));
	} else {
		if (status == 403 && r->credentials)
			r->registration.refusals++;
		failed(r, a);
		r->attempt = ATTEMPT_DONE;
	}
	tell(a, r);
}

/* To an attempt before the one in hand, perhaps of another Call-ID. */
static bool answers_late(const struct registration_record *r, const struct arrival *a)
{
	return is_late(r, a) || (r->call_id != a->sip->keys.call_id &&
		ns_minus(a->packet->at_ns, r->transaction.first_ns) < TRANSACTION_LIFE_NS);
}

/* A later attempt was taken, of which the capture has the answer alone. */
static bool taken_unseen(const struct registration_record *r, const struct arrival *a)
{
	return a->sip->status < 300 && r->call_id == a->sip->keys.call_id && a->sip->cseq > r->cseq;
}

static void response_note(struct registration_record *r, struct arrival *a)
{
	bool known = same_attempt(r, a);

	if (a->sip->status < 200) {
		r->response_seen = true;
		return;
	}
	if (r->attempt != ATTEMPT_NONE && !known) {
		if (r->registration.requests && !taken_unseen(r, a)) {
			if (answers_late(r, a))
				trial_late(r->registration.trial, a->message, a->sip);
			return; /* of an attempt past */
		}
		r->attempt = ATTEMPT_NONE;
	}
	if (known && r->attempt != ATTEMPT_ASKED && r->transaction.status == a->sip->status) {
		a->message->repeat =
			endpoint_equal(&r->final_src, &a->packet->src) && endpoint_equal(&r->final_dst, &a->packet->dst)
			? MESSAGE_RETRANSMITTED
			: MESSAGE_NEXT_HOP;
		trial_handed_on(r->registration.trial, a->message, a->sip);
		return;
	}
	r->final_src = a->packet->src;
	r->final_dst = a->packet->dst;
	final_note(r, a);
	if (r->registration.requests == 0 || taken_unseen(r, a)) { /* its request is not captured */
		r->cseq = a->sip->cseq;
		r->call_id = a->sip->keys.call_id;
	}
}

void registration_note(struct arrival *a)
{
	struct registration_record *r;

	if (a->sip->call_id.n == 0 || a->message->repeat == MESSAGE_COPY)
		return;
	r = registration_get(a);
	a->registration = &r->registration;
	registration_touch(a->c, r);
	if (a->packet->at_ns > r->registration.last_ns)
		r->registration.last_ns = a->packet->at_ns;
	if (a->sip->request)
		request_note(r, a);
	else
		response_note(r, a);
}

/* ---- time ---- */

/* Nobody answered, or the challenge was not. Silence alone, in a capture that shows one direction, proves nothing. */
static void attempt_lapsed(struct registration_record *r)
{
	struct registration *reg = &r->registration;

	if (r->attempt == ATTEMPT_CHALLENGED) {
		reg->state = REGISTRATION_FAILED;
		reg->status = r->challenge;
	} else if (r->tries_repeated || r->response_seen) {
		reg->state = REGISTRATION_FAILED;
		reg->status = 0;
	}
	reg->open = NULL;
	r->attempt = ATTEMPT_DONE;
}

void registrations_tick(struct calls *c, int64_t now_ns)
{
	while (c->due.count && c->due.items[0]->due_ns <= now_ns) {
		struct registration_record *r = c->due.items[0];
		enum registration_state before = r->registration.state;

		due_remove(&c->due, r);
		if (r->attempt == ATTEMPT_ASKED || r->attempt == ATTEMPT_CHALLENGED)
			attempt_lapsed(r);
		else if (r->registration.state == REGISTRATION_REGISTERED)
			r->registration.state = REGISTRATION_EXPIRED;
		if (r->registration.state != before)
			tell_timer(c, r);
	}
}

/* Everything that was due before the last frame has been; what is open stays unknown. */
void registrations_settle(struct calls *c, int64_t last_ns)
{
	registrations_tick(c, last_ns);
}
