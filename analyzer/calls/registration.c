/* SPDX-License-Identifier: MIT */
/*
 * registration: an AOR bound to a device at a registrar (RFC 3261 10). Found by Call-ID and AOR, so that a Contact
 * rewritten on its way counts once, or by AOR and device, so that a device that changes its Call-ID does.
 */
#include "analyzer/calls/internal.h"

#include <stdlib.h>

#include "analyzer/calls/trial.h"
#include "captures/base/memory.h"

enum {
	NAME_MAX_BYTES = 256,
	PART_MAX_BYTES = 100,        /* of it: of the user, and of the host */
	ARENA_MAX_BYTES = 65536, CONTACTS_WALKED = 64, REFUSALS_FAIL = 2, BOOT_CSEQ = 3
};

#define EXPIRY_GRACE_NS TRANSACTION_LIFE_NS /* a refresh may be on its way */

enum attempt { ATTEMPT_NONE, ATTEMPT_ASKED, ATTEMPT_CHALLENGED, ATTEMPT_DONE };

struct registration_record {
	struct registration registration;
	struct hash_link by_id;
	struct list_link in_class; /* calls.registrations_poor or _good, by last message */
	bool good;
	size_t due_at; /* index in calls.due plus one; 0: not in it */
	int64_t due_ns;
	uint64_t id, key; /* hashes that it is found by */
	/* the attempt in hand */
	enum attempt attempt;
	struct transaction transaction;
	uint32_t cseq, vias_least, vias_most, tries_repeated, refused_in_row;
	uint64_t branch, call_id;
	struct endpoint src, dst, final_src, final_dst;
	bool credentials, removes, binds, response_seen;
	uint32_t asked_s; /* Expires; 0: it does not say */
	uint16_t challenge; /* status of the last one */
	unsigned restarts; /* other Call-IDs that counted from the start */
};

#define RECORD(r) ((struct registration_record *)(r))

/* ---- what is due next: a binary heap by time ---- */

static void due_put(struct due *h, size_t at, struct registration_record *r)
{
	h->items[at] = r;
	r->due_at = at + 1;
}

static void due_up(struct due *h, size_t at)
{
	struct registration_record *r = h->items[at];

	for (; at > 0 && h->items[(at - 1) / 2]->due_ns > r->due_ns; at = (at - 1) / 2)
		due_put(h, at, h->items[(at - 1) / 2]);
	due_put(h, at, r);
}

static void due_down(struct due *h, size_t at)
{
	struct registration_record *r = h->items[at];

	for (;;) {
		size_t child = 2 * at + 1;

		if (child + 1 < h->count && h->items[child + 1]->due_ns < h->items[child]->due_ns)
			child++;
		if (child >= h->count || h->items[child]->due_ns >= r->due_ns)
			break;
		due_put(h, at, h->items[child]);
		at = child;
	}
	due_put(h, at, r);
}

static void due_remove(struct due *h, struct registration_record *r)
{
	size_t at = r->due_at - 1;
	struct registration_record *last;

	if (!r->due_at)
		return;
	r->due_at = 0;
	last = h->items[--h->count];
	if (last == r)
		return;
	due_put(h, at, last);
	due_up(h, at);
	due_down(h, last->due_at - 1);
}

static void due_set(struct due *h, struct registration_record *r, int64_t at_ns)
{
	due_remove(h, r);
	if (h->count == h->room) {
		h->room = h->room ? h->room * 2 : 64;
		h->items = memory_resize(h->items, h->room, sizeof(*h->items));
	}
	r->due_ns = at_ns;
	due_put(h, h->count++, r);
	due_up(h, r->due_at - 1);
}

/* ---- names ---- */

struct name {
	char text[NAME_MAX_BYTES];
	struct span span;
};

/* As far as a NUL in it, if there is one. */
static void name_add(struct name *name, struct span s)
{
	size_t n = strnlen((const char *)s.p, s.n < PART_MAX_BYTES ? s.n : PART_MAX_BYTES);

	memcpy(name->text + name->span.n, s.p, n);
	name->span.n += n;
}

static void name_add_port(struct name *name, uint16_t port)
{
	uint8_t text[6];
	size_t at = sizeof text;

	do
		text[--at] = (uint8_t)('0' + port % 10);
	while (port /= 10);
	text[--at] = ':';
	name_add(name, (struct span){ text + at, sizeof text - at });
}

static void name_of(struct name *name, const struct sip_address *address, bool with_port)
{
	name->span = (struct span){ (const uint8_t *)name->text, 0 };
	if (address->user.n) {
		name_add(name, address->user);
		name_add(name, SPAN("@"));
	}
	if (address->host.n)
		name_add(name, address->host);
	if (with_port && address->has_port && name->span.n)
		name_add_port(name, address->port);
}

/*
 * What tells one device from another: its instance (RFC 5626), else where it wants to be reached, else where it speaks
 * from.
 */
static uint64_t device_of(const struct sip_message *sip, const struct endpoint *source)
{
	struct span instance;
	struct name name;

	if (sip_parameter(sip->contact.params, SPAN("+sip.instance"), &instance) && instance.n)
		return hash_bytes(instance.p, instance.n);
	if (sip->contact.host.n) {
		name_of(&name, &sip->contact, true);
		return hash_bytes(name.span.p, name.span.n);
	}
	return hash_mix(hash_bytes(source->addr.bytes, sizeof source->addr.bytes), source->port);
}

static struct span text_set(struct registration *r, struct span old, struct span now)
{
	if (now.n == 0 || span_equal(old, now) || arena_bytes(r->arena) > ARENA_MAX_BYTES)
		return old;
	return arena_dup(r->arena, now);
}

/* ---- finding ---- */

static struct registration_record *find_by_id(const struct calls *c, uint64_t id)
{
	for (struct hash_link *it = hash_first(&c->registrations_by_id, (uint32_t)id); it; it = it->next) {
		struct registration_record *r = HASH_ENTRY(it, struct registration_record, by_id);

		if (r->id == id)
			return r;
	}
	return NULL;
}

static struct registration_record *find_by_key(const struct calls *c, uint64_t key)
{
	for (struct hash_link *it = hash_first(&c->registrations_by_key, (uint32_t)key); it; it = it->next) {
		struct registration_record *r = RECORD(HASH_ENTRY(it, struct registration, by_key));

		if (r->key == key)
			return r;
	}
	return NULL;
}

static void registration_free(struct calls *c, struct registration_record *r)
{
	due_remove(&c->due, r);
	hash_remove(&c->registrations_by_id, &r->by_id);
	hash_remove(&c->registrations_by_key, &r->registration.by_key);
	list_remove(r->good ? &c->registrations_good : &c->registrations_poor, &r->in_class);
	list_remove(&c->registrations, &r->registration.in_order);
	list_add_tail(&c->registration_graves, &r->in_class);
}

void registrations_bury(struct calls *c)
{
	while (c->registration_graves.count) {
		struct registration_record *r =
			LIST_ENTRY(c->registration_graves.head.next, struct registration_record, in_class);

		list_remove(&c->registration_graves, &r->in_class);
		arena_free(r->registration.arena);
	}
}

/* Those that never succeeded go first: an attacker's guesses do not displace phones. */
static void registration_room(struct calls *c)
{
	struct list *from = c->registrations_poor.count ? &c->registrations_poor : &c->registrations_good;
	size_t max = c->config.max_registrations ? c->config.max_registrations : c->config.max_legs;

	if (max == 0 || c->registrations.count < max)
		return;
	c->counts.evicted_registrations++;
	calls_emit(c, (struct calls_event){ .kind = CALLS_EVICTED,
			      .registration = &LIST_ENTRY(from->head.next, struct registration_record,
			      in_class)->registration });
	registration_free(c, LIST_ENTRY(from->head.next, struct registration_record, in_class));
}

/* All there is room for is taken, an eighth and more of it by such as never succeeded. */
bool registrations_crowded(const struct calls *c)
{
	return c->counts.evicted_registrations && c->registrations.count >= c->config.max_registrations &&
	       c->registrations_poor.count > c->config.max_registrations / 8;
}

static struct registration_record *registration_new(
	struct arrival *a, uint64_t id, uint64_t key, const struct name *aor)
{
	struct calls *c = a->c;
	struct arena *arena = arena_new();
	struct registration_record *r = arena_zalloc(arena, sizeof *r);
	bool request = a->sip->request;

	registration_room(c);
	r->id = id;
	r->key = key;
	r->registration.arena = arena;
	r->registration.trial = arena_zalloc(arena, sizeof *r->registration.trial);
	trial_init(r->registration.trial);
	r->registration.n = ++c->next_registration;
	r->registration.aor = arena_dup(arena, aor->span);
	r->registration.user = span_first(r->registration.aor, a->sip->to.user.n < 100 ? a->sip->to.user.n : 100);
	r->registration.call_id = arena_dup(arena, span_first(a->sip->call_id, NAME_MAX_BYTES));
	r->registration.source = request ? a->packet->src : a->packet->dst;
	r->registration.registrar = request ? a->packet->dst : a->packet->src;
	r->registration.first_ns = r->registration.last_ns = a->packet->at_ns;
	r->registration.registered_ns = NS_NONE;
	hash_add(&c->registrations_by_id, &r->by_id, (uint32_t)id);
	hash_add(&c->registrations_by_key, &r->registration.by_key, (uint32_t)key);
	list_add_tail(&c->registrations, &r->registration.in_order);
	list_add_tail(&c->registrations_poor, &r->in_class);
	return r;
}

/*
 * Another Call-ID that counts from the start, before half of what was granted is over: the phone began anew. One that
 * does so again does it each time.
 */
static void restart_note(struct registration_record *r, const struct arrival *a)
{
	struct registration *x = &r->registration;
	bool early;

	if (!a->sip->request || a->sip->cseq > BOOT_CSEQ)
		return;
	early = x->succeeded && x->registered_ns != NS_NONE &&
		ns_minus(a->packet->at_ns, x->registered_ns) < (int64_t)x->expires_s * SECOND_NS / 2;
	x->rebooted_at = r->restarts++ == 0 && early ? a->message->at : (struct frame_ref){ 0 };
}

static uint64_t id_of(const struct sip_message *sip, const struct name *aor)
{
	return hash_mix(sip->keys.call_id, hash_bytes(aor->span.p, aor->span.n));
}

static uint64_t key_of(const struct packet *p, const struct name *aor)
{
	return hash_mix(hash_bytes(aor->span.p, aor->span.n), device_of(p->sip, p->sip->request ? &p->src : &p->dst));
}

bool registration_known(const struct calls *c, const struct packet *p)
{
	struct name aor;

	name_of(&aor, &p->sip->to, false);
	return find_by_id(c, id_of(p->sip, &aor)) || find_by_key(c, key_of(p, &aor));
}

static struct registration_record *registration_get(struct arrival *a)
{
	struct calls *c = a->c;
	const struct sip_message *sip = a->sip;
	struct registration_record *r;
	struct name aor;
	uint64_t id, key;

	name_of(&aor, &sip->to, false);
	id = id_of(sip, &aor);
	r = find_by_id(c, id);
	if (r)
		return r;
	key = key_of(a->packet, &aor);
	r = find_by_key(c, key);
	if (!r)
		return registration_new(a, id, key, &aor);
	hash_remove(&c->registrations_by_id, &r->by_id); /* the device took another Call-ID */
	r->id = id;
	hash_add(&c->registrations_by_id, &r->by_id, (uint32_t)id);
	r->registration.call_id =
		text_set(&r->registration, r->registration.call_id, span_first(sip->call_id, NAME_MAX_BYTES));
	restart_note(r, a);
	return r;
}

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
			text_set(&r->registration, r->registration.contact_uri, a->sip->contact.uri);
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
	reg->credentials_sent |= r->credentials;
	reg->source = a->packet->src;
	reg->registrar = a->packet->dst;
	reg->request_at = a->message->at;
	reg->user_agent = text_set(reg, reg->user_agent, sip->user_agent);
	if (sip->contact.uri.n) {
		reg->contact_uri = text_set(reg, reg->contact_uri, sip->contact.uri);
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

static bool names_us(const struct registration *r, const struct sip_address *contact)
{
	struct sip_address own;

	if (!sip_address_parse(r->contact_uri, &own))
		return false;
	return span_equal(own.user, contact->user) && span_equal_nocase(own.host, contact->host) &&
		own.port == contact->port;
}

/* One value of a Contact line; commas in quotes and in < > are no separators. */
static struct span contact_take(struct span *rest)
{
	bool quoted = false, inside = false;
	size_t n = 0;
	struct span value;

	for (; n < rest->n; n++) {
		uint8_t b = rest->p[n];

		if (b == '"' && (n == 0 || rest->p[n - 1] != '\\'))
			quoted = !quoted;
		else if (!quoted && (b == '<' || b == '>'))
			inside = b == '<';
		else if (!quoted && !inside && b == ',')
			break;
	}
	value = span_trim(span_first(*rest, n));
	*rest = span_from(*rest, n + 1);
	return value;
}

/* Where whoever answers has met the phone, or stands himself: a NAT, SBC or ALG puts that into our Contact. */
static bool on_our_way(const struct arrival *a, const struct address *listed)
{
	return address_equal(listed, &a->packet->src.addr) || address_equal(listed, &a->packet->dst.addr) ||
	       address_equal(listed, &a->sip->via.received_at);
}

/*
 * Another device of our user: its address is of the same kind as ours, nobody on our way has it, and what is left of
 * its time is not what we were given.
 */
static bool anothers(const struct registration_record *r, const struct arrival *a, const struct sip_address *own,
	const struct sip_address *contact)
{
	struct address mine, listed;
	uint64_t header, left;
	struct span text;

	if (!address_parse(own->host, &mine) || !address_parse(contact->host, &listed) ||
	    address_private(&mine) != address_private(&listed) || on_our_way(a, &listed))
		return false;
	if (!sip_parameter(contact->params, SPAN("expires"), &text) || !span_number(text, UINT32_MAX, &left))
		return false;
	return left != r->asked_s &&
	       (!span_number(sip_header_value(a->sip, SIP_H_EXPIRES), UINT32_MAX, &header) || left != header);
}

/* Other bindings are listed and ours is not, not even with an address that a NAT, SBC or ALG has put in. */
static bool binding_is_missing(const struct registration_record *r, const struct arrival *a)
{
	const struct sip_message *sip = a->sip;
	struct sip_address own;
	struct address at;
	unsigned walked = 0, listed = 0;

	if ((sip->flaws & SIP_FLAW_HEADERS_CUT) || !sip_address_parse(r->registration.contact_uri, &own) || !own.user.n)
		return false;
	for (const struct sip_header *h = sip_header_find(sip, SIP_H_CONTACT); h; h = sip_header_next(sip, h)) {
		struct span rest = h->value;
		struct sip_address contact;

		while (rest.n && walked++ < CONTACTS_WALKED) {
			if (!sip_address_parse(contact_take(&rest), &contact))
				return false;
			if (span_equal_nocase(own.host, contact.host) ||
			    (address_parse(contact.host, &at) && on_our_way(a, &at)) ||
			    (span_equal(own.user, contact.user) && !anothers(r, a, &own, &contact)))
				return false;
			listed++;
		}
	}
	return listed > 0;
}

/*
 * The time that the registrar gave to our Contact: its parameter, else the header; what was asked when it says nothing.
 */
static uint32_t granted_s(const struct registration *r, const struct sip_message *sip, bool *ret_found)
{
	uint64_t header = 0, own;
	bool has_header = span_number(sip_header_value(sip, SIP_H_EXPIRES), UINT32_MAX, &header);
	unsigned walked = 0;

	*ret_found = false;
	for (const struct sip_header *h = sip_header_find(sip, SIP_H_CONTACT); h; h = sip_header_next(sip, h)) {
		struct span rest = h->value, text;
		struct sip_address contact;

		while (rest.n && walked++ < CONTACTS_WALKED) {
			if (!sip_address_parse(contact_take(&rest), &contact) || !names_us(r, &contact))
				continue;
			*ret_found = true;
			if (sip_parameter(contact.params, SPAN("expires"), &text) &&
				span_number(text, UINT32_MAX, &own))
				return (uint32_t)own;
		}
	}
	if (has_header)
		return (uint32_t)header;
	return sip->has_expires && sip->contact_count == 1 ? sip->expires_s : r->expires_s;
}

static void good(struct calls *c, struct registration_record *r)
{
	if (r->good)
		return;
	list_remove(&c->registrations_poor, &r->in_class);
	r->good = true;
	list_add_tail(&c->registrations_good, &r->in_class);
	r->registration.succeeded = true;
	c->counts.registrations++;
}

static void accepted(struct registration_record *r, struct arrival *a)
{
	struct registration *reg = &r->registration;
	bool found, request_seen = r->attempt != ATTEMPT_NONE;
	bool binds = request_seen ? r->binds : a->sip->contact.whole.n > 0;
	uint32_t granted = granted_s(reg, a->sip, &found);

	trial_final(reg->trial, a->message, a->sip, request_seen && binds && !r->removes,
		found || !binding_is_missing(r, a), granted);
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
		reg->contact_uri = text_set(reg, reg->contact_uri, a->sip->contact.uri);
	reg->expires_s = granted;
	reg->state = REGISTRATION_REGISTERED;
	reg->registered_ns = a->packet->at_ns;
	good(a->c, r);
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
	struct list *class;

	if (a->sip->call_id.n == 0 || a->message->repeat == MESSAGE_COPY)
		return;
	r = registration_get(a);
	a->registration = &r->registration;
	class = r->good ? &a->c->registrations_good : &a->c->registrations_poor;
	list_remove(class, &r->in_class);
	list_add_tail(class, &r->in_class);
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

void registrations_free(struct calls *c)
{
	while (c->registrations.count)
		registration_free(c, RECORD(LIST_ENTRY(c->registrations.head.next, struct registration, in_order)));
	registrations_bury(c);
	free(c->due.items);
}
