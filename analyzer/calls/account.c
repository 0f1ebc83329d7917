/* SPDX-License-Identifier: MIT */
/* account: see the header. */
#include "analyzer/calls/account.h"

#include <stdlib.h>

#include "analyzer/calls/internal.h"
#include "captures/base/memory.h"
#include "captures/base/text.h"

enum {
	ACCOUNTS_DEFAULT = 32768,
	SIP_PORT = 5060,
	LOOK_MAX = 64,               /* records of one bucket's key that are looked at */
	CONTACTS_WALKED = 32,
	COPIES_PROVE = 3             /* sent so often and not answered */
};

#define SIGHT_NS TRANSACTION_LIFE_NS  /* RFC 3261 17: an older CSeq within it is a second sight, later a new beginning */
#define ANSWER_NS (4 * SECOND_NS)     /* timer E: four transmissions; who has not answered by then does not */

struct accounts {
	struct list order, poor, good, sites;
	struct arena *site_arena;
	struct hash by_aor, by_user, by_inner, by_outer;
	size_t max;
	unsigned next_account, next_device;
	uint64_t evicted;
};

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

static uint64_t user_key(struct span user)
{
	return hash_bytes(user.p, user.n);
}

static uint64_t aor_key(struct span user, struct span host)
{
	return hash_mix(user_key(user), hash_bytes(host.p, host.n));
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

static struct account *account_new(struct accounts *a, const struct sip_address *to, uint64_t key)
{
	struct account *x = memory_zalloc(sizeof *x);
	struct text aor;

	account_room(a);
	x->n = ++a->next_account;
	x->aor_key = key;
	x->user_key = user_key(to->user);
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

	for (struct hash_link *it = hash_first(table, hash); it && looked < LOOK_MAX; it = it->next) {
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
static struct device *device_at(const struct accounts *a, const struct endpoint *at, uint64_t user)
{
	struct device *d = device_in(&a->by_outer, at, true, user), *inside = device_in(&a->by_inner, at, false, user);

	return d && (!inside || (user && d->account->user_key == user)) ? d : inside;
}

const struct device *accounts_device_at(const struct accounts *a, const struct endpoint *at)
{
	return device_at(a, at, 0);
}

/* ---- a REGISTER ---- */

static struct endpoint via_endpoint(const struct sip_via *v)
{
	struct endpoint at = { .port = v->has_port ? v->port : SIP_PORT };

	if (!address_parse(v->host, &at.addr) || address_unspecified(&at.addr) || address_loopback(&at.addr))
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
		return hash_mix(agent, endpoint_hash(&own));
	return hash_mix(agent, m->keys.call_id);
}

static uint64_t branch_of(const struct sip_message *m)
{
	return m->via.branch.n ? m->keys.branch : 0;
}

/* The same REGISTER again: repeated, or seen at a second place on its way, perhaps by a clock that is late. */
static bool is_sight(const struct device *d, const struct packet *p)
{
	const struct sip_message *m = p->sip;

	if (ns_minus(p->at_ns, d->last_ns) > SIGHT_NS)
		return false;
	return (d->branch && d->branch == branch_of(m)) ||
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
	d->first_at = message_frame(p);
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
	for (struct hash_link *it = hash_first(&a->by_outer, hash); it && looked < LOOK_MAX; it = it->next, looked++) {
		const struct device *o = HASH_ENTRY(it, struct device, by_outer);

		if (o->account == d->account || !endpoint_equal(&o->outer, &p->src) || !address_known(&o->inner.addr) ||
		    address_equal(&o->inner.addr, &d->inner.addr) || o->last_ns <= d->last_ns || !o->outer_seen ||
		    !address_equal(&o->server.addr, &d->server.addr))
			continue;
		d->outer_turns++;
		d->outer_with = o->inner;
		d->outer_at = message_frame(p);
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
	d->branch = branch_of(m);
	d->asks = true;
	d->binds = m->contact.whole.n && !m->contact_star;
	d->removes = m->contact_star || (m->has_expires && m->expires_s == 0);
	d->outbound |= sip_parameter(m->contact.params, SPAN("reg-id"), &value);
	d->source = p->src;
	d->server = p->dst;
	d->transport = p->transport;
	d->contact = contact_endpoint(&m->contact);
	d->at = message_frame(p);
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
	x->changes_dropped++;
}

static unsigned contacts_in(const struct sip_message *m)
{
	return m->contact_star ? 0 : m->contact_count;
}

static void accepted(struct accounts *a, struct device *d, const struct packet *p)
{
	struct binding_change c = {
		.server = d->server, .at_ns = p->at_ns, .request_at = d->at, .at = message_frame(p), .device = d->n,
		.source = d->source, .contact = d->contact,
		.call_id = d->call_id, .listed = contacts_in(p->sip), .removed = d->removes,
		.udp = d->transport == TRANSPORT_UDP,
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
	struct endpoint outer;
	uint64_t port;

	if (p->sip->via_count != 1 || d->outer_seen || !d->inner_seen || !endpoint_equal(&p->dst, &d->inner) ||
	    p->transport != TRANSPORT_UDP ||
	    !v->has_received || !address_parse(v->received, &outer.addr) ||
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

/* ---- requests to a device ---- */

static bool knows(const struct device *d, const struct endpoint *at)
{
	for (unsigned i = 0; i < DEVICE_OUTER_MAX; i++) {
		if (address_known(&d->outers[i].addr) && endpoint_equal(&d->outers[i], at))
			return true;
	}
	return endpoint_equal(&d->inner, at);
}

/*
 * A call for the account goes to where one of its devices was, while the registrar has since been told of another
 * socket.
 */
static void stale_note(const struct accounts *a, const struct packet *p, uint64_t user)
{
	unsigned looked = 0;

	for (struct hash_link *it = hash_first(&a->by_user, (uint32_t)user); it && looked < LOOK_MAX;
	    it = it->next, looked++) {
		struct account *x = HASH_ENTRY(it, struct account, by_user);
		const struct device *now = x->current;

		if (x->user_key != user || !now || endpoint_equal(&now->inner, &p->dst) ||
		    endpoint_equal(&now->outer, &p->dst) ||
		    endpoint_equal(&now->source, &p->dst))
			continue;
		LIST_EACH(dit, &x->devices) {
			const struct device *d = LIST_ENTRY(dit, struct device, in_account);

			if (!address_equal(&d->server.addr, &p->src.addr) || !knows(d, &p->dst))
				continue;
			if (!x->stale++)
				x->stale_at = message_frame(p);
			return;
		}
	}
}

static void asked_end(struct device *d, struct asked *q, enum asked_state state)
{
	struct tally *t = &d->tally;

	q->state = state;
	if (state == ASKED_ANSWERED) {
		if (!t->answered++)
			t->answered_at = q->at;
		return;
	}
	if (!t->unanswered++)
		t->unanswered_at = q->at;
	t->unanswered_invites += q->method == SIP_INVITE;
}

/* Sent again and again over seconds, without an answer. */
static bool asked_in_vain(const struct asked *q)
{
	return q->state == ASKED_OPEN && q->copies >= COPIES_PROVE && ns_minus(q->last_ns, q->first_ns) >= SECOND_NS;
}

/* The place for a new one: free, or that of the oldest, whose fate is then told. */
static struct asked *asked_room(struct device *d)
{
	struct asked *oldest = &d->asked[0];

	for (unsigned i = 0; i < DEVICE_ASKED_MAX; i++) {
		if (d->asked[i].state != ASKED_OPEN)
			return &d->asked[i];
		if (d->asked[i].first_ns < oldest->first_ns)
			oldest = &d->asked[i];
	}
	if (asked_in_vain(oldest))
		asked_end(d, oldest, ASKED_UNANSWERED);
	return oldest;
}

static struct asked *asked_find(struct device *d, uint64_t branch)
{
	for (unsigned i = 0; i < DEVICE_ASKED_MAX; i++) {
		if (d->asked[i].state != ASKED_FREE && d->asked[i].branch == branch)
			return &d->asked[i];
	}
	return NULL;
}

/* Of all lines at that socket. */
static struct asked *asked_at(const struct hash *table, bool outer, uint32_t hash, uint64_t branch,
	struct device **ret_device)
{
	unsigned looked = 0;

	for (struct hash_link *it = hash_first(table, hash); it && looked < LOOK_MAX; it = it->next, looked++) {
		struct device *d = outer ? HASH_ENTRY(it, struct device, by_outer) : HASH_ENTRY(it, struct device,
			by_inner);
		struct asked *q = it->hash == hash ? asked_find(d, branch) : NULL;

		if (q) {
			*ret_device = d;
			return q;
		}
	}
	return NULL;
}

static struct asked *asked_of(const struct accounts *a, const struct endpoint *at, uint64_t branch,
	struct device **ret_device)
{
	uint32_t hash = endpoint_hash(at);
	struct asked *q = branch ? asked_at(&a->by_outer, true, hash, branch, ret_device) : NULL;

	return q || !branch ? q : asked_at(&a->by_inner, false, hash, branch, ret_device);
}

/* The phone behind another socket of the same site that this request is meant for; NULL none. */
static const struct device *meant_for(const struct accounts *a, const struct device *d, uint64_t user)
{
	unsigned looked = 0;

	for (struct hash_link *it = hash_first(&a->by_user, (uint32_t)user); it && looked < LOOK_MAX;
	    it = it->next, looked++) {
		const struct account *x = HASH_ENTRY(it, struct account, by_user);
		const struct device *o = x->user_key == user ? x->current : NULL;

		if (o && address_known(&o->inner.addr) && !address_equal(&o->inner.addr, &d->inner.addr) &&
		    address_equal(&o->server.addr, &d->server.addr) && address_equal(&o->outer.addr, &d->outer.addr))
			return o;
	}
	return NULL;
}

static void wrong_note(const struct accounts *a, struct device *d, const struct packet *p, uint64_t user)
{
	const struct device *o = d->account->user_key == user ||
		!endpoint_equal(&p->dst, &d->inner) ? NULL : meant_for(a, d, user);

	if (!o)
		return;
	d->wrong++;
	d->wrong_branch = branch_of(p->sip);
	d->wrong_for = o->inner;
	d->wrong_at = message_frame(p);
	memcpy(d->wrong_user, o->account->user, sizeof d->wrong_user);
}

static void request_to(struct accounts *a, const struct packet *p)
{
	const struct sip_message *m = p->sip;
	uint64_t user = user_key(m->request_uri.user), branch = branch_of(m);
	struct device *d = NULL;
	struct asked *q = asked_of(a, &p->dst, branch, &d);

	if (q) {
		q->copies += q->state == ASKED_OPEN && endpoint_equal(&q->dst, &p->dst);
		q->last_ns = p->at_ns;
		return;
	}
	if (m->method == SIP_INVITE && m->to.tag.n == 0)
		stale_note(a, p, user);
	d = branch ? device_at(a, &p->dst, user) : NULL;
	if (!d || !address_equal(&d->server.addr, &p->src.addr))
		return;
	if (m->to.tag.n == 0)
		wrong_note(a, d, p, user);
	q = asked_room(d);
	*q = (struct asked){
		.state = ASKED_OPEN, .branch = branch, .method = (uint8_t)m->method, .copies = 1, .dst = p->dst,
		.first_ns = p->at_ns,
		.last_ns = p->at_ns, .at = message_frame(p),
	};
}

static void answer_from(struct accounts *a, const struct packet *p)
{
	uint64_t branch = branch_of(p->sip);
	struct device *d = NULL;
	struct asked *q = asked_of(a, &p->src, branch, &d);

	if (!q)
		return;
	if (d->wrong_branch == branch && p->sip->status > d->wrong_status)
		d->wrong_status = p->sip->status;
	if (q->state == ASKED_OPEN)
		asked_end(d, q, ASKED_ANSWERED);
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
		answer_from(a, p);
	} else if (m->method != SIP_ACK && m->method != SIP_CANCEL) {
		request_to(a, p);
	}
}

/* ---- sites: who is behind one router ---- */

static uint64_t site_key(const struct endpoint *outer, const struct endpoint *server)
{
	return hash_mix(hash_bytes(outer->addr.bytes, sizeof outer->addr.bytes),
	       hash_bytes(server->addr.bytes, sizeof server->addr.bytes));
}

static struct sip_site *site_get(struct accounts *a, struct hash *table, const struct device *d)
{
	uint64_t key = site_key(&d->outer, &d->server);
	struct sip_site *s;

	for (struct hash_link *it = hash_first(table, (uint32_t)key); it; it = it->next) {
		s = HASH_ENTRY(it, struct sip_site, by_key);
		if (address_equal(&s->outer, &d->outer.addr) && address_equal(&s->server, &d->server.addr))
			return s;
	}
	s = arena_zalloc(a->site_arena, sizeof *s);
	s->outer = d->outer.addr;
	s->server = d->server.addr;
	list_init(&s->devices);
	hash_add(table, &s->by_key, (uint32_t)key);
	list_add_tail(&a->sites, &s->in_order);
	return s;
}

static int resident_compare(const void *x, const void *y)
{
	const struct device *a = *(const struct device *const *)x, *b = *(const struct device *const *)y;
	int by_address = address_compare(&a->inner.addr, &b->inner.addr);

	if (a->inner.port != b->inner.port)
		return a->inner.port < b->inner.port ? -1 : 1;
	if (by_address)
		return by_address;
	return a->n < b->n ? -1 : a->n > b->n;
}

static void site_sort(struct accounts *a, struct sip_site *s)
{
	unsigned n = 0;

	s->device = arena_zalloc(a->site_arena, s->devices.count * sizeof *s->device);
	LIST_EACH(it, &s->devices)
		s->device[n++] = LIST_ENTRY(it, struct device, in_site);
	s->device_count = n;
	qsort(s->device, n, sizeof *s->device, resident_compare);
}

/* Of an account only the device that it has now: its others may be the same phone before it restarted. */
static void sites_reckon(struct accounts *a)
{
	struct hash table;

	arena_free(a->site_arena);
	a->site_arena = arena_new();
	list_init(&a->sites);
	hash_init(&table);
	LIST_EACH(it, &a->order) {
		struct account *x = LIST_ENTRY(it, struct account, in_order);
		struct device *d = x->current;

		if (!d || d->transport != TRANSPORT_UDP || !address_known(&d->outer.addr) ||
		    address_equal(&d->outer.addr, &d->inner.addr))
			continue;
		list_add_tail(&site_get(a, &table, d)->devices, &d->in_site);
	}
	LIST_EACH(it, &a->sites)
		site_sort(a, LIST_ENTRY(it, struct sip_site, in_order));
	hash_fini(&table);
}

void accounts_settle(struct accounts *a, int64_t last_ns)
{
	LIST_EACH(it, &a->good) {
		LIST_EACH(dit, &LIST_ENTRY(it, struct account, in_class)->devices) {
			struct device *d = LIST_ENTRY(dit, struct device, in_account);

			for (unsigned i = 0; i < DEVICE_ASKED_MAX; i++) {
				if (asked_in_vain(&d->asked[i]) && ns_minus(last_ns, d->asked[i].first_ns) >= ANSWER_NS)
					asked_end(d, &d->asked[i], ASKED_UNANSWERED);
			}
		}
	}
	sites_reckon(a);
}

const struct list *accounts_sites(const struct accounts *a)
{
	return &a->sites;
}

const struct account *accounts_of_user(const struct accounts *a, struct span user, const struct account *before)
{
	uint64_t key = user_key(user);
	struct hash_link *it = before ? before->by_user.next : hash_first(&a->by_user, (uint32_t)key);

	for (; it; it = it->next) {
		const struct account *x = HASH_ENTRY(it, struct account, by_user);

		if (x->user_key == key)
			return x;
	}
	return NULL;
}
