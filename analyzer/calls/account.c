/* SPDX-License-Identifier: MIT */
/* account: see the header. */
#include "analyzer/calls/account.h"

#include <stdlib.h>

#include "analyzer/calls/account_private.h"
#include "analyzer/calls/internal.h"
#include "captures/base/memory.h"
#include "captures/base/text.h"

enum {
	ACCOUNTS_DEFAULT = 32768,
	SIP_PORT = 5060,
	CONTACTS_WALKED = 32
};

/* RFC 3261 17: an older CSeq within it is a second sight, later a new beginning */
#define SIGHT_NS TRANSACTION_LIFE_NS

/* ---- the tables ---- */

struct accounts *accounts_new(size_t max_accounts)
{
	struct accounts *a = memory_zalloc(sizeof *a);

	a->max = max_accounts ? max_accounts : ACCOUNTS_DEFAULT;
	list_init(&a->order);
	list_init(&a->poor);
	list_init(&a->good);
	list_init(&a->sites);
	hash_init(&a->by_aor);
	hash_init(&a->by_user);
	hash_init(&a->by_inner);
	hash_init(&a->by_outer);
	return a;
}

static void at_outer(struct accounts *a, struct device *d, const struct endpoint *at)
{
	if (address_known(&d->outer.addr))
		hash_remove(&a->by_outer, &d->by_outer);
	d->outer = *at;
	if (address_known(&at->addr))
		hash_add(&a->by_outer, &d->by_outer, endpoint_hash(at));
}

static void at_inner(struct accounts *a, struct device *d, const struct endpoint *at)
{
	if (address_known(&d->inner.addr))
		hash_remove(&a->by_inner, &d->by_inner);
	d->inner = *at;
	if (address_known(&at->addr))
		hash_add(&a->by_inner, &d->by_inner, endpoint_hash(at));
}

static void device_free(struct accounts *a, struct device *d)
{
	struct endpoint none = { .port = 0 };

	at_inner(a, d, &none);
	at_outer(a, d, &none);
	list_remove(&d->account->devices, &d->in_account);
	if (d->account->current == d)
		d->account->current = NULL;
	free(d);
}

static void account_free(struct accounts *a, struct account *x)
{
	while (x->devices.count)
		device_free(a, LIST_ENTRY(x->devices.head.next, struct device, in_account));
	hash_remove(&a->by_aor, &x->by_aor);
	hash_remove(&a->by_user, &x->by_user);
	list_remove(&a->order, &x->in_order);
	list_remove(x->succeeded ? &a->good : &a->poor, &x->in_class);
	free(x->changes);
	free(x);
}

void accounts_free(struct accounts *a)
{
	if (!a)
		return;
	while (a->order.count)
		account_free(a, LIST_ENTRY(a->order.head.next, struct account, in_order));
	arena_free(a->site_arena);
	hash_fini(&a->by_aor);
	hash_fini(&a->by_user);
	hash_fini(&a->by_inner);
	hash_fini(&a->by_outer);
	free(a);
}

const struct list *accounts_in_order(const struct accounts *a)
{
	return &a->order;
}

uint64_t accounts_evicted(const struct accounts *a)
{
	return a->evicted;
}

/* ---- finding ---- */

uint64_t account_user_key(struct span user)
{
	return hash_bytes(user.p, user.n);
}

static uint64_t aor_key(struct span user, struct span host)
{
	return hash_mix(account_user_key(user), hash_bytes(host.p, host.n));
}

static struct account *account_find(const struct accounts *a, uint64_t key)
{
	for (struct hash_link *it = hash_first(&a->by_aor, (uint32_t)key); it; it = it->next) {
		struct account *x = HASH_ENTRY(it, struct account, by_aor);

		if (x->aor_key == key)
			return x;
	}
	return NULL;
}

/* Those that never succeeded go first: an attacker's guesses do not displace phones. */
static void account_room(struct accounts *a)
{
	struct list *from = a->poor.count ? &a->poor : &a->good;

	if (a->order.count < a->max)
		return;
	account_free(a, LIST_ENTRY(from->head.next, struct account, in_class));
	a->evicted++;
}

bool accounts_no_room(const struct accounts *a, const struct sip_message *m)
{
	return a->evicted && a->order.count >= a->max && a->poor.count > a->max / 8 &&
	       !account_find(a, aor_key(m->to.user, m->to.host));
}

void accounts_give_up(struct accounts *a)
{
	a->evicted++;
}

void accounts_take_back(struct accounts *a)
{
	a->evicted--;
}

static struct account *account_new(struct accounts *a, const struct sip_address *to, uint64_t key)
{
	struct account *x = memory_zalloc(sizeof *x);
	struct text aor;

	account_room(a);
	x->n = ++a->next_account;
	x->aor_key = key;
	x->user_key = account_user_key(to->user);
	list_init(&x->devices);
	text_escape(to->user, x->user, sizeof x->user);
	text_init(&aor);
	text_addf(&aor, "%s@", x->user);
	text_add_escaped(&aor, span_first(to->host, ACCOUNT_TEXT));
	memcpy(x->aor, aor.p, aor.n < sizeof x->aor ? aor.n : sizeof x->aor - 1);
	text_fini(&aor);
	hash_add(&a->by_aor, &x->by_aor, (uint32_t)key);
	hash_add(&a->by_user, &x->by_user, (uint32_t)x->user_key);
	list_add_tail(&a->order, &x->in_order);
	list_add_tail(&a->poor, &x->in_class);
	return x;
}

static void account_used(struct accounts *a, struct account *x)
{
	struct list *class = x->succeeded ? &a->good : &a->poor;

	list_remove(class, &x->in_class);
	list_add_tail(class, &x->in_class);
}

static void account_good(struct accounts *a, struct account *x)
{
	if (x->succeeded)
		return;
	list_remove(&a->poor, &x->in_class);
	x->succeeded = true;
	list_add_tail(&a->good, &x->in_class);
}

static struct device *device_in(const struct hash *table, const struct endpoint *at, bool outer, uint64_t user)
{
	uint32_t hash = endpoint_hash(at);
	struct device *best = NULL;
	unsigned looked = 0;

	for (struct hash_link *it = hash_first(table, hash); it && looked < ACCOUNT_LOOKS_MAX; it = it->next) {
		struct device *d;

		if (it->hash != hash)
			continue;
		d = outer ? HASH_ENTRY(it, struct device, by_outer) : HASH_ENTRY(it, struct device, by_inner);
		looked++;
		if (!endpoint_equal(outer ? &d->outer : &d->inner, at))
			continue;
		if (user && d->account->user_key == user)
			return d;
		if (!best || d->last_ns > best->last_ns || (d->last_ns == best->last_ns && d->n < best->n))
			best = d;
	}
	return best;
}

/* With a user: the line of that name at the socket, if there is one. */
struct device *account_device_at(const struct accounts *a, const struct endpoint *at, uint64_t user)
{
	struct device *d = device_in(&a->by_outer, at, true, user), *inside = device_in(&a->by_inner, at, false, user);

	return d && (!inside || (user && d->account->user_key == user)) ? d : inside;
}

const struct device *accounts_device_at(const struct accounts *a, const struct endpoint *at)
{
	return account_device_at(a, at, 0);
}

/* ---- a REGISTER ---- */

static struct endpoint via_endpoint(const struct sip_via *v)
{
	struct endpoint at = { v->at, v->has_port ? v->port : SIP_PORT };

	if (!address_known(&at.addr) || address_unspecified(&at.addr) || address_loopback(&at.addr))
		return (struct endpoint){ .port = 0 };
	return at;
}

static struct endpoint contact_endpoint(const struct sip_address *contact)
{
	struct endpoint at = { .port = contact->has_port ? contact->port : SIP_PORT };

	return address_parse(contact->host, &at.addr) ? at : (struct endpoint){ .port = 0 };
}

/*
 * Whose it is: the instance (RFC 5626) is made to tell; else the program and the socket that it knows as its own, where
 * that is a private one; a public one may be the router's or what an ALG made of it, so the Call-ID instead, which a
 * device keeps until it restarts.
 */
static uint64_t identity_of(const struct sip_message *m, bool *ret_instance)
{
	struct endpoint own = via_endpoint(&m->via);
	struct span instance;
	uint64_t agent = hash_bytes(m->user_agent.p, m->user_agent.n);

	*ret_instance = sip_parameter(m->contact.params, SPAN("+sip.instance"), &instance) && instance.n;
	if (*ret_instance)
		return hash_bytes(instance.p, instance.n);
	if (m->via_count == 1 && address_known(&own.addr) && address_private(&own.addr))
		return hash_mix(agent, endpoint_key(&own));
	return hash_mix(agent, m->keys.call_id);
}

uint64_t account_branch(const struct sip_message *m)
{
	return m->via.branch.n ? m->keys.branch : 0;
}

/* The same REGISTER again: repeated, or seen at a second place on its way, perhaps by a clock that is late. */
static bool is_sight(const struct device *d, const struct packet *p)
{
	const struct sip_message *m = p->sip;

	if (ns_minus(p->at_ns, d->last_ns) > SIGHT_NS)
		return false;
	return (d->branch && d->branch == account_branch(m)) ||
	       (d->call_id == m->keys.call_id && m->cseq <= d->cseq);
}

static struct device *device_find(const struct account *x, const struct packet *p)
{
	struct device *same = NULL;
	bool instance;
	uint64_t call_id = p->sip->keys.call_id, identity = identity_of(p->sip, &instance);

	LIST_EACH(it, &x->devices) {
		struct device *d = LIST_ENTRY(it, struct device, in_account);

		if (d->call_id == call_id || is_sight(d, p))
			return d;
		if (d->identity == identity)
			same = d;
	}
	return same;
}

static struct device *device_new(struct accounts *a, struct account *x, const struct packet *p)
{
	struct device *d = memory_zalloc(sizeof *d), *oldest = NULL;

	LIST_EACH(it, &x->devices) {
		struct device *other = LIST_ENTRY(it, struct device, in_account);

		if (!oldest || other->last_ns < oldest->last_ns)
			oldest = other;
	}
	if (x->devices.count >= ACCOUNT_DEVICE_MAX)
		device_free(a, oldest);
	d->account = x;
	d->n = ++a->next_device;
	d->identity = identity_of(p->sip, &d->has_instance);
	d->first_ns = d->last_ns = p->at_ns;
	d->registered_ns = NS_NONE;
	d->first_at = frame_ref_of(p);
	list_add_tail(&x->devices, &d->in_account);
	return d;
}

static void outer_note(struct accounts *a, struct device *d, const struct endpoint *at, bool seen)
{
	unsigned kept = DEVICE_OUTER_MAX - 1;

	if (endpoint_equal(&d->outer, at)) {
		d->outer_seen |= seen;
		return;
	}
	d->outer_changes += address_known(&d->outer.addr);
	d->outer_seen = seen;
	at_outer(a, d, at);
	memmove(d->outers, d->outers + 1, kept * sizeof d->outers[0]);
	d->outers[kept] = *at;
}

/* Another phone at the very same outer socket, since this one was there. */
static void turn_note(const struct accounts *a, struct device *d, const struct packet *p)
{
	uint32_t hash = endpoint_hash(&p->src);
	unsigned looked = 0;

	if (!endpoint_equal(&d->outer, &p->src) || !address_known(&d->inner.addr))
		return;
	for (struct hash_link *it = hash_first(&a->by_outer, hash); it && looked < ACCOUNT_LOOKS_MAX; it = it->next, looked++) {
		const struct device *o = HASH_ENTRY(it, struct device, by_outer);

		if (o->account == d->account || !endpoint_equal(&o->outer, &p->src) || !address_known(&o->inner.addr) ||
		    address_equal(&o->inner.addr, &d->inner.addr) || o->last_ns <= d->last_ns || !o->outer_seen ||
		    !address_equal(&o->server.addr, &d->server.addr))
			continue;
		d->outer_turns++;
		d->outer_with = o->inner;
		d->outer_at = frame_ref_of(p);
		return;
	}
}

/* Only a phone's own request says where it is: with a proxy's Via on top the source is the proxy's. */
static void sockets_note(struct accounts *a, struct device *d, const struct packet *p, bool second_sight)
{
	struct endpoint own = via_endpoint(&p->sip->via);

	if (p->sip->via_count != 1)
		return;
	if (address_private(&p->src.addr)) {
		/*
		 * between two routers the source is the first one's: of two sights that counts whose Via says so, or
		 * the first
		 */
		if (second_sight && d->inner_seen && !address_equal(&own.addr, &p->src.addr))
			return;
		if (d->inner_seen && !endpoint_equal(&d->inner, &p->src))
			d->outer_changes = 0;    /* the phone itself has moved */
		d->inner_seen = true;
		at_inner(a, d, &p->src);
		return;
	}
	if (!d->inner_seen && address_known(&own.addr) && address_private(&own.addr) &&
	    !endpoint_equal(&d->inner, &own)) {
		d->outer_changes = 0;
		at_inner(a, d, &own);
	}
	turn_note(a, d, p);
	outer_note(a, d, &p->src, true);
}

static void attempt_begin(struct device *d, const struct packet *p)
{
	const struct sip_message *m = p->sip;
	struct span value;

	d->call_id = m->keys.call_id;
	d->cseq = m->cseq;
	d->branch = account_branch(m);
	d->asks = true;
	d->binds = m->contact.whole.n && !m->contact_star;
	d->removes = m->contact_star || (m->has_expires && m->expires_s == 0);
	d->outbound |= sip_parameter(m->contact.params, SPAN("reg-id"), &value);
	d->source = p->src;
	d->server = p->dst;
	d->transport = p->transport;
	d->contact = contact_endpoint(&m->contact);
	d->at = frame_ref_of(p);
	text_escape(m->user_agent, d->user_agent, sizeof d->user_agent);
}

static void register_request(struct accounts *a, const struct packet *p)
{
	const struct sip_message *m = p->sip;
	uint64_t key = aor_key(m->to.user, m->to.host);
	struct account *x = account_find(a, key);
	struct device *d;

	if (!x)
		x = account_new(a, &m->to, key);
	account_used(a, x);
	d = device_find(x, p);
	if (!d)
		d = device_new(a, x, p);
	else if (is_sight(d, p)) {
		sockets_note(a, d, p, true);
		return;
	}
	sockets_note(a, d, p, false);
	attempt_begin(d, p);
	account_asked_alive(d, p->at_ns);
	if (p->at_ns > d->last_ns)
		d->last_ns = p->at_ns;
}

/* ---- its answer ---- */

const struct binding_change *account_change_before(const struct account *x, unsigned at)
{
	const struct endpoint *server = &x->changes[at].server;

	while (at-- > 0) {
		if (address_equal(&x->changes[at].server.addr, &server->addr))
			return &x->changes[at];
	}
	return NULL;
}

static bool differs(const struct binding_change *last, const struct binding_change *c)
{
	if (last->device != c->device || last->removed != c->removed)
		return true;
	if (!c->udp || !last->udp) /* of a connection only the address means something */
		return !address_equal(&last->source.addr, &c->source.addr);
	return !endpoint_equal(&last->source, &c->source) || !endpoint_equal(&last->contact, &c->contact);
}

/* The next one's place is filled first: what was before it at its registrar is then found as later readers find it. */
static void change_add(struct account *x, const struct binding_change *c)
{
	const struct binding_change *last;

	if (!x->changes)
		x->changes = memory_zalloc((ACCOUNT_CHANGE_MAX + 1) * sizeof *x->changes);
	x->changes[x->change_count] = *c;
	last = account_change_before(x, x->change_count);
	if (last && !differs(last, c))
		return;
	if (x->change_count < ACCOUNT_CHANGE_MAX) {
		x->change_count++;
		return;
	}
	memmove(x->changes, x->changes + 1, ACCOUNT_CHANGE_MAX * sizeof *x->changes);
}

static unsigned contacts_in(const struct sip_message *m)
{
	return m->contact_star ? 0 : m->contact_count;
}

static void accepted(struct accounts *a, struct device *d, const struct packet *p)
{
	struct binding_change c = {
		.server = d->server, .at_ns = p->at_ns, .request_at = d->at, .at = frame_ref_of(p), .device = d->n,
		.source = d->source, .contact = d->contact,
		.call_id = d->call_id, .listed = contacts_in(p->sip), .removed = d->removes,
		.udp = d->transport == TRANSPORT_UDP, .vlan = p->vlan_count ? p->vlan[0] : 0,
	};

	if (!d->binds && !d->removes)           /* a question for the bindings */
		return;
	account_good(a, d->account);
	d->succeeded = true;
	d->refreshes++;
	d->registered_ns = p->at_ns;
	if (!d->removes)
		d->account->current = d;
	change_add(d->account, &c);
}

/*
 * RFC 3581: what the registrar saw. Only to the one who asked, and only where it is another address than that one's
 * own.
 */
static void received_note(struct accounts *a, struct device *d, const struct packet *p)
{
	const struct sip_via *v = &p->sip->via;
	struct endpoint outer = { .addr = v->received_at };
	uint64_t port;

	if (p->sip->via_count != 1 || d->outer_seen || !d->inner_seen || !endpoint_equal(&p->dst, &d->inner) ||
	    p->transport != TRANSPORT_UDP ||
	    !address_known(&outer.addr) ||
	    address_equal(&outer.addr, &d->inner.addr) ||
	    !span_number(v->rport, UINT16_MAX, &port) || !port)
		return;
	outer.port = (uint16_t)port;
	outer_note(a, d, &outer, false);
}

static void register_answer(struct accounts *a, const struct packet *p)
{
	const struct sip_message *m = p->sip;
	struct account *x = account_find(a, aor_key(m->to.user, m->to.host));
	struct device *d = x ? device_find(x, p) : NULL;

	if (!d || !is_sight(d, p) || m->cseq != d->cseq)
		return;
	received_note(a, d, p);
	if (m->status < 200 || !d->asks)
		return;
	d->asks = false;
	if (m->status < 300)
		accepted(a, d, p);
	else if (m->status >= 400 && m->status != 401 && m->status != 407 && m->status != 423)
		x->refused++;
}

void accounts_packet(struct accounts *a, const struct packet *p)
{
	const struct sip_message *m = p->sip;

	if (p->kind != PACKET_SIP || !m || !m->call_id.n || (m->method != SIP_REGISTER && !a->order.count))
		return;
	if (m->method == SIP_REGISTER) {
		if (m->request)
			register_request(a, p);
		else
			register_answer(a, p);
	} else if (!m->request) {
		account_answer_from(a, p);
	} else if (m->method != SIP_ACK && m->method != SIP_CANCEL) {
		account_request_to(a, p);
	}
}

void accounts_settle(struct accounts *a, int64_t last_ns)
{
	account_asked_settle(a, last_ns);
	account_sites_reckon(a);
}

const struct list *accounts_sites(const struct accounts *a)
{
	return &a->sites;
}

const struct account *accounts_of_user(const struct accounts *a, struct span user, const struct account *before)
{
	uint64_t key = account_user_key(user);
	struct hash_link *it = before ? before->by_user.next : hash_first(&a->by_user, (uint32_t)key);

	for (; it; it = it->next) {
		const struct account *x = HASH_ENTRY(it, struct account, by_user);

		if (x->user_key == key)
			return x;
	}
	return NULL;
}
