/* SPDX-License-Identifier: MIT */
/*
 * registration_table: which registration a message belongs to, and which goes when there is no room. Found by Call-ID
 * and AOR, so that a Contact rewritten on its way counts once, or by AOR and device, so that a device that changes its
 * Call-ID does.
 */
#include "analyzer/calls/registration_private.h"

#include "analyzer/calls/trial.h"

enum {
	NAME_MAX_BYTES = 256,
	PART_MAX_BYTES = 100,        /* of it: of the user, and of the host */
	ARENA_MAX_BYTES = 65536,
	BOOT_CSEQ = 3
};

#define RECORD(r) ((struct registration_record *)(r))

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

struct span registration_text(struct registration *r, struct span old, struct span now)
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
	r->by_answer = !request;
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

/* The capture began with an answer: its first request tells which device it is, for the Call-IDs to come. */
static void device_learn(struct calls *c, struct registration_record *r, uint64_t key)
{
	r->by_answer = false;
	if (key == r->key || find_by_key(c, key))
		return;
	hash_remove(&c->registrations_by_key, &r->registration.by_key);
	r->key = key;
	hash_add(&c->registrations_by_key, &r->registration.by_key, (uint32_t)key);
}

struct registration_record *registration_get(struct arrival *a)
{
	struct calls *c = a->c;
	const struct sip_message *sip = a->sip;
	struct registration_record *r;
	struct name aor;
	uint64_t id, key;

	name_of(&aor, &sip->to, false);
	id = id_of(sip, &aor);
	r = find_by_id(c, id);
	if (r && r->by_answer && sip->request)
		device_learn(c, r, key_of(a->packet, &aor));
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
		registration_text(&r->registration, r->registration.call_id, span_first(sip->call_id, NAME_MAX_BYTES));
	restart_note(r, a);
	return r;
}

/* ---- which go first ---- */

void registration_touch(struct calls *c, struct registration_record *r)
{
	struct list *class = r->good ? &c->registrations_good : &c->registrations_poor;

	list_remove(class, &r->in_class);
	list_add_tail(class, &r->in_class);
}

void registration_good(struct calls *c, struct registration_record *r)
{
	if (r->good)
		return;
	list_remove(&c->registrations_poor, &r->in_class);
	r->good = true;
	list_add_tail(&c->registrations_good, &r->in_class);
	r->registration.succeeded = true;
	c->counts.registrations++;
}

void registrations_free(struct calls *c)
{
	while (c->registrations.count)
		registration_free(c, RECORD(LIST_ENTRY(c->registrations.head.next, struct registration, in_order)));
	registrations_bury(c);
	due_fini(&c->due);
}
