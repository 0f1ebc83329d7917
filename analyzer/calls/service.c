/* SPDX-License-Identifier: MIT */
/* service: tries by Call-ID and CSeq, services by client and name. */
#include "analyzer/calls/service.h"

#include <stdio.h>
#include <stdlib.h>

#include "captures/base/memory.h"
#include "captures/base/pool.h"
#include "captures/base/text.h"

enum { SERVICES_MAX = 8192, ANSWERERS_MAX = 4096, WALK_MAX = 64, TAIL_DIGITS = 9, UNAVAILABLE = 503, EXPIRES_S = 3600,
	TRIES_EACH = 8 };

/* RFC 3261: Timer B of the first, and once more for the client to make up its mind */
#define HUNT_NS (64 * SECOND_NS)
#define FORK_NS (3 * SECOND_NS)      /* branches of a fork begin together: what begins later is another way */
#define SPELL_GAP_NS (300 * SECOND_NS)

struct answers {                     /* a server, and in which times it answered whom */
	struct hash_link by_address;
	struct list_link in_use;
	struct address server;
	struct { struct address client; int64_t from_ns, to_ns; } spells[ANSWERS_MAX];
	unsigned count, next;        /* next: the one to go when all are taken */
};

struct services {
	size_t max, tries;           /* tries: of all services, at most TRIES_EACH times max */
	struct pool pool, try_pool;
	struct hash by_key, by_try, by_server;
	struct list order, used, answerers;
	unsigned next;
	uint64_t evicted;
};

struct services *services_new(size_t max)
{
	struct services *s = memory_zalloc(sizeof *s);

	s->max = max ? max : SERVICES_MAX;
	pool_init(&s->pool, sizeof(struct service));
	pool_init(&s->try_pool, sizeof(struct service_try));
	hash_init(&s->by_key);
	hash_init(&s->by_try);
	hash_init(&s->by_server);
	list_init(&s->order);
	list_init(&s->used);
	list_init(&s->answerers);
	return s;
}

static void try_free(struct services *all, struct service_try *t)
{
	hash_remove(&all->by_try, &t->by_id);
	list_remove(&t->service->tries, &t->in_service);
	all->tries--;
	pool_give(&all->try_pool, t);
}

static void service_free(struct services *all, struct service *s)
{
	while (s->tries.count)
		try_free(all, LIST_ENTRY(s->tries.head.next, struct service_try, in_service));
	hash_remove(&all->by_key, &s->by_key);
	list_remove(&all->order, &s->in_order);
	list_remove(&all->used, &s->in_use);
	if (s->servers != &s->only)
		free(s->servers);
	pool_give(&all->pool, s);
}

static void answers_free(struct services *all, struct answers *a)
{
	hash_remove(&all->by_server, &a->by_address);
	list_remove(&all->answerers, &a->in_use);
	free(a);
}

void services_free(struct services *s)
{
	if (!s)
		return;
	while (s->order.count)
		service_free(s, LIST_ENTRY(s->order.head.next, struct service, in_order));
	while (s->answerers.count)
		answers_free(s, LIST_ENTRY(s->answerers.head.next, struct answers, in_use));
	pool_fini(&s->pool);
	pool_fini(&s->try_pool);
	hash_fini(&s->by_key);
	hash_fini(&s->by_try);
	hash_fini(&s->by_server);
	free(s);
}

/* ---- who answers whom ---- */

static struct answers *answers_find(const struct services *all, const struct address *server)
{
	uint32_t hash = address_hash(server);

	for (struct hash_link *it = hash_first(&all->by_server, hash); it; it = it->next) {
		struct answers *a = HASH_ENTRY(it, struct answers, by_address);

		if (it->hash == hash && address_equal(&a->server, server))
			return a;
	}
	return NULL;
}

static struct answers *answers_get(struct services *all, const struct address *server)
{
	struct answers *a = answers_find(all, server);

	if (a) {
		list_remove(&all->answerers, &a->in_use);
	} else {
		if (all->answerers.count >= ANSWERERS_MAX)
			answers_free(all, LIST_ENTRY(all->answerers.head.next, struct answers, in_use));
		a = memory_zalloc(sizeof *a);
		a->server = *server;
		hash_add(&all->by_server, &a->by_address, address_hash(server));
	}
	list_add_tail(&all->answerers, &a->in_use);
	return a;
}

static void answered(struct services *all, const struct packet *p)
{
	struct answers *a = answers_get(all, &p->src.addr);
	unsigned at = a->count;

	for (unsigned i = 0; i < a->count; i++) {
		if (!address_equal(&a->spells[i].client, &p->dst.addr) ||
		    ns_minus(p->at_ns, a->spells[i].to_ns) > SPELL_GAP_NS)
			continue;
		if (p->at_ns > a->spells[i].to_ns)
			a->spells[i].to_ns = p->at_ns;
		return;
	}
	if (a->count < ANSWERS_MAX)
		a->count++;
	else
		at = a->next++ % ANSWERS_MAX;
	a->spells[at].client = p->dst.addr;
	a->spells[at].from_ns = a->spells[at].to_ns = p->at_ns;
}

bool services_answers_others(const struct services *s, const struct address *server, const struct address *but,
	int64_t from_ns, int64_t for_ns, int64_t *ret)
{
	const struct answers *a = answers_find(s, server);
	bool found = false;

	for (unsigned i = 0; a && i < a->count; i++) {
		int64_t since_ns = a->spells[i].from_ns > from_ns ? a->spells[i].from_ns : from_ns;

		if (address_equal(&a->spells[i].client, but) || ns_minus(a->spells[i].to_ns, since_ns) < for_ns)
			continue;
		if (!found || since_ns < *ret)
			*ret = since_ns;
		found = true;
	}
	return found;
}

/* ---- which service ---- */

/* Letters of a domain are the same in either case. */
static uint64_t name_hash(struct span name)
{
	uint64_t hash = 0;

	for (size_t i = 0; i < name.n; i++)
		hash = hash_mix(hash, name.p[i] >= 'A' && name.p[i] <= 'Z' ? name.p[i] + 32u : name.p[i]);
	return hash;
}

static bool is_name(struct span host)
{
	struct address a;

	return host.n && !address_parse(host, &a);
}

static struct service *service_find(const struct services *all, uint64_t key)
{
	for (struct hash_link *it = hash_first(&all->by_key, (uint32_t)key); it; it = it->next) {
		struct service *s = HASH_ENTRY(it, struct service, by_key);

		if (s->key == key)
			return s;
	}
	return NULL;
}

static void name_set(struct service *s, const struct sip_message *sip)
{
	char user[SERVICE_NAME / 2], host[SERVICE_NAME / 2 - 1];

	if (s->kind == SERVICE_ADDRESS)
		return;
	text_escape(s->kind == SERVICE_ACCOUNT ? sip->to.host : sip->request_uri.host, host, sizeof host);
	text_escape(sip->to.user, user, sizeof user);
	if (s->kind == SERVICE_ACCOUNT && *user)
		snprintf(s->name, sizeof s->name, "%s@%s", user, host);
	else
		snprintf(s->name, sizeof s->name, "%s", host);
}

static void service_evict(struct services *all)
{
	service_free(all, LIST_ENTRY(all->used.head.next, struct service, in_use));
	all->evicted++;
}

static enum service_kind kind_of(const struct sip_message *sip)
{
	if (sip->method == SIP_REGISTER)
		return SERVICE_ACCOUNT;
	return is_name(sip->request_uri.host) ? SERVICE_DOMAIN : SERVICE_ADDRESS;
}

static uint64_t service_key(const struct packet *p)
{
	const struct sip_message *sip = p->sip;
	enum service_kind kind = kind_of(sip);
	uint64_t key = hash_mix(address_key(&p->src.addr), kind);

	if (kind == SERVICE_ACCOUNT)
		return hash_mix(key, hash_mix(hash_bytes(sip->to.user.p, sip->to.user.n), name_hash(sip->to.host)));
	return kind == SERVICE_DOMAIN ? hash_mix(key, name_hash(sip->request_uri.host)) : key;
}

static struct service *service_get(struct services *all, const struct packet *p, uint64_t key)
{
	struct service *s = service_find(all, key);

	if (s) {
		list_remove(&all->used, &s->in_use);
	} else {
		if (all->order.count >= all->max)
			service_evict(all);
		s = pool_take(&all->pool);
		memset(s, 0, offsetof(struct service, only));
		s->servers = &s->only;
		s->key = key;
		s->n = ++all->next;
		s->kind = kind_of(p->sip);
		s->client = p->src.addr;
		name_set(s, p->sip);
		list_init(&s->tries);
		hash_add(&all->by_key, &s->by_key, (uint32_t)key);
		list_add_tail(&all->order, &s->in_order);
	}
	list_add_tail(&all->used, &s->in_use);
	return s;
}

/* ---- tries ---- */

enum { PLACE_TRY, PLACE_SERVICE };   /* the latter of requests that may begin one alone */

static bool is_tried(enum sip_method method)
{
	return method == SIP_REGISTER || method == SIP_INVITE || method == SIP_CANCEL;
}

static uint64_t try_id(const struct sip_message *sip)
{
	enum sip_method method = sip->method == SIP_CANCEL ? SIP_INVITE : sip->method;

	return hash_mix(hash_mix(sip->keys.call_id, sip->cseq), method);
}

static void servers_widen(struct service *s)
{
	s->servers = memory_resize(NULL, SERVICE_SERVER_MAX, sizeof *s->servers);
	s->servers[0] = s->only;
}

/* Index of that server; SERVICE_SERVER_MAX: there are too many for one service. */
static unsigned server_get(struct service *s, const struct packet *p)
{
	struct service_server *x;
	unsigned i = 0;

	while (i < s->server_count && !address_equal(&s->servers[i].at.addr, &p->dst.addr))
		i++;
	if (i == s->server_count && i < SERVICE_SERVER_MAX) {
		if (i == 1)
			servers_widen(s);
		x = &s->servers[s->server_count++];
		*x = (struct service_server){ .at = p->dst, .first_ns = p->at_ns, .bound_until_ns = NS_NONE,
			.served_ns = NS_NONE };
		for (unsigned k = 0; k < SERVICE_SERVER_MAX; k++)
			x->stands_in_ns[k] = NS_NONE;
	}
	if (i < SERVICE_SERVER_MAX)
		s->servers[i].last_ns = p->at_ns;
	return i;
}

static uint64_t number_hash(struct span user)
{
	return hash_bytes(user.n > TAIL_DIGITS ? user.p + user.n - TAIL_DIGITS : user.p,
	       user.n > TAIL_DIGITS ? TAIL_DIGITS : user.n);
}

/* A number that another server has just failed: whoever dials it here knows this one as the other way. */
static void note_hunt(struct service *s, const struct service_try *now)
{
	unsigned walked = 0;

	if (s->server_count < 2)
		return;
	for (struct list_link *it = s->tries.head.prev; it != &s->tries.head && walked < WALK_MAX;
	    it = it->prev, walked++) {
		const struct service_try *t = LIST_ENTRY(it, struct service_try, in_service);
		int64_t later_ns = ns_minus(now->at.at_ns, t->at.at_ns);

		if (later_ns > HUNT_NS)
			return;
		if (t == now || t->server == now->server || t->number != now->number ||
		    s->servers[now->server].stands_in_ns[t->server] != NS_NONE)
			continue;
		if (t->status == UNAVAILABLE || (!t->answer_at.frame && later_ns >= FORK_NS))
			s->servers[now->server].stands_in_ns[t->server] = now->at.at_ns;
	}
}

static void try_begins(struct services *all, const struct packet *p, const struct hash_place *at)
{
	const struct sip_message *sip = p->sip;
	struct service *s = service_get(all, p, at[PLACE_SERVICE].key);
	uint64_t id = at[PLACE_TRY].key;
	unsigned server = server_get(s, p);
	struct service_try *t;

	if (server == SERVICE_SERVER_MAX)
		return;
	if (s->tries.count == SERVICE_TRY_MAX)
		try_free(all, LIST_ENTRY(s->tries.head.next, struct service_try, in_service));
	t = pool_take(&all->try_pool);
	*t = (struct service_try){
		.service = s, .id = id, .branch = sip->keys.branch,
		.call_id = sip->keys.call_id,
		.number = number_hash(sip->request_uri.user), .src = p->src, .at = frame_ref_of(p), .last_at = frame_ref_of(p),
		.server = server, .copies = 1,
		.stream = p->transport != TRANSPORT_UDP,
	};
	list_add_tail(&s->tries, &t->in_service);
	all->tries++;
	hash_add(&all->by_try, &t->by_id, (uint32_t)id);
	note_hunt(s, t);
	while (all->tries > TRIES_EACH * all->max && all->order.count > 1)
		service_evict(all);
}

static void take_request(struct services *all, const struct packet *p, const struct hash_place *at)
{
	const struct sip_message *sip = p->sip;
	uint64_t id = at[PLACE_TRY].key;
	unsigned walked = 0;

	for (struct hash_link *it = hash_first(&all->by_try, (uint32_t)id); it && walked < WALK_MAX;
	    it = it->next, walked++) {
		struct service_try *t = HASH_ENTRY(it, struct service_try, by_id);

		if (t->id != id || !address_equal(&t->src.addr, &p->src.addr) ||
		    !address_equal(&t->service->servers[t->server].at.addr, &p->dst.addr))
			continue;
		if (sip->method == SIP_CANCEL) {
			t->given_up = true;
		} else {
			t->copies++;
			t->last_at = frame_ref_of(p);
		}
		return;
	}
	if (sip->method != SIP_CANCEL && walked < WALK_MAX)
		try_begins(all, p, at);
}

static void try_answered(struct service_try *t, const struct packet *p)
{
	struct service_server *x = &t->service->servers[t->server];

	if (!t->answer_at.frame)
		t->answer_at = frame_ref_of(p);
	if (p->sip->status >= 200 && !t->status) {
		t->status = (uint16_t)p->sip->status;
		t->final_at = frame_ref_of(p);
		if (t->service->kind == SERVICE_ACCOUNT && t->status < 300)
			x->bound_until_ns = ns_add(p->at_ns,
				(p->sip->has_expires ? p->sip->expires_s : EXPIRES_S) * SECOND_NS);
	}
	if (p->sip->status > 100 && p->sip->status != UNAVAILABLE && x->served_ns == NS_NONE)
		x->served_ns = p->at_ns;
}

/*
 * By its branch; an answer whose branch is another one counts for every try that it could be meant for: better no
 * failure than a wrong one.
 */
static void take_response(struct services *all, const struct packet *p, uint64_t id)
{
	const struct sip_message *sip = p->sip;
	uint64_t branch = sip->keys.branch;

	for (unsigned exact = 2; exact-- > 0;) {
		unsigned walked = 0;
		bool met = false;

		for (struct hash_link *it = hash_first(&all->by_try, (uint32_t)id); it && walked < WALK_MAX;
		    it = it->next, walked++) {
			struct service_try *t = HASH_ENTRY(it, struct service_try, by_id);

			if (t->id != id || (exact ? t->branch != branch ||
			    !address_equal(&t->src.addr, &p->dst.addr) : t->answer_at.frame != 0))
				continue;
			try_answered(t, p);
			met = true;
		}
		if (met)
			return;
	}
}

unsigned services_places(const struct services *s, const struct packet *p, struct hash_place *ret)
{
	if (!is_tried(p->sip->method))
		return 0;
	ret[PLACE_TRY] = (struct hash_place){ &s->by_try, try_id(p->sip) };
	if (!p->sip->request || p->sip->method == SIP_CANCEL || p->sip->to.tag.n)
		return 1;
	ret[PLACE_SERVICE] = (struct hash_place){ &s->by_key, service_key(p) };
	return 2;
}

void services_packet(struct services *all, const struct packet *p)
{
	struct hash_place at[HASH_PLACES];

	services_places(all, p, at);
	services_packet_at(all, p, at);
}

void services_packet_at(struct services *all, const struct packet *p, const struct hash_place *at)
{
	const struct sip_message *sip = p->sip;

	if (!sip->request && sip->status > 100 && sip->status != UNAVAILABLE)
		answered(all, p);
	if (!is_tried(sip->method) || !sip->call_id.n || !sip->has_cseq)
		return;
	if (!sip->request && sip->method != SIP_CANCEL)
		take_response(all, p, at[PLACE_TRY].key);
	else if (sip->request && (sip->method == SIP_CANCEL || !sip->to.tag.n))
		take_request(all, p, at);
}

const struct list *services_in_order(const struct services *s)
{
	return &s->order;
}

uint64_t services_evicted(const struct services *s)
{
	return s->evicted;
}
