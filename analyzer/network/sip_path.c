/* SPDX-License-Identifier: MIT */
/*
 * sip_path: open requests in a ring; each is told to its path when it is answered, pushed out of the ring, or the
 * capture ends.
 */
#include "analyzer/network/sip_path.h"

#include <stdlib.h>

#include "captures/base/memory.h"
#include "captures/base/pool.h"

enum {
	PATHS_MAX = 16384, ASKS = 8192, TORN_MAX = 1024, PROTOCOL_UDP = 17, PORT_SIP = 5060,
	AHEAD = 8                    /* what will be overwritten after so many is asked for */
};

enum { PLACE_ASK, PLACE_PATH };      /* the latter of requests alone */

#define T1_NS (500 * MILLISECOND_NS)
#define ANSWER_NS (32 * SECOND_NS)      /* RFC 3261 17.1.2.2: 64 T1 */

struct ask {                         /* a request and its copies on one path */
	struct hash_link by_key;
	bool used, answered, finished, strayed;      /* strayed: an answer came by another transport */
	uint64_t key;
	struct sip_path *path;
	uint8_t method, fragments;
	unsigned copies;
	uint32_t bytes;
	int64_t first_ns, last_ns;
	struct frame_ref first_at, last_at;
};

struct torn {                        /* a first fragment that waits for the others */
	bool used, cut;              /* cut: by the capture */
	struct address src, dst;
	uint16_t id;
	struct sip_path *path;
	struct frame_ref at;
};

struct sip_paths {
	struct list order;
	struct pool pool;            /* struct path_slot */
	struct hash by_key, by_pair, servers, asks_by_key;
	struct ask *ring;            /* ASKS, made with the first request */
	unsigned next;
	struct torn torn[TORN_MAX];
	unsigned next_torn;
	size_t max;
	uint32_t large_bytes;
	struct arena *arena;         /* servers, and what few paths have */
	uint64_t evicted;
	bool later_fragments;
};

static const struct sip_unheard none_unheard;

struct path_slot {
	struct sip_path path;
	struct hash_link by_pair;
};

struct sip_paths *sip_paths_new(size_t max, uint32_t large_bytes)
{
	struct sip_paths *s = memory_zalloc(sizeof *s);

	s->max = max ? max : PATHS_MAX;
	s->large_bytes = large_bytes;
	list_init(&s->order);
	pool_init(&s->pool, sizeof(struct path_slot));
	hash_init(&s->by_key);
	hash_init(&s->by_pair);
	hash_init(&s->servers);
	s->arena = arena_new();
	hash_init(&s->asks_by_key);
	return s;
}

void sip_paths_free(struct sip_paths *s)
{
	if (!s)
		return;
	hash_fini(&s->asks_by_key);
	hash_fini(&s->by_key);
	hash_fini(&s->by_pair);
	hash_fini(&s->servers);
	arena_free(s->arena);
	pool_fini(&s->pool);
	free(s->ring);
	free(s);
}

static uint32_t path_hash(const struct address *client, const struct endpoint *server, uint8_t transport)
{
	return (uint32_t)hash_mix(endpoint_key(server), address_port_key(client, transport));
}

static uint32_t pair_hash(const struct address *client, const struct address *server)
{
	return (uint32_t)hash_mix(address_key(client), address_key(server));
}

static struct sip_path *path_find(const struct sip_paths *s, const struct address *client,
	const struct endpoint *server, uint8_t transport, uint32_t hash)
{
	for (struct hash_link *it = hash_first(&s->by_key, hash); it; it = it->next) {
		struct sip_path *x = HASH_ENTRY(it, struct sip_path, by_key);

		if (it->hash == hash && x->transport == transport && address_equal(&x->client, client) &&
		    endpoint_equal(&x->server, server))
			return x;
	}
	return NULL;
}

const struct sip_path *sip_paths_find(const struct sip_paths *s, const struct address *client,
	const struct endpoint *server, uint8_t transport)
{
	return path_find(s, client, server, transport, path_hash(client, server, transport));
}

const struct sip_path *sip_paths_between(const struct sip_paths *s, const struct address *client,
	const struct address *server, const struct sip_path *before)
{
	uint32_t hash = pair_hash(client, server);
	struct hash_link *it = before ? LIST_ENTRY(before, struct path_slot,
		path)->by_pair.next : hash_first(&s->by_pair, hash);

	for (; it; it = it->next) {
		const struct sip_path *x = &HASH_ENTRY(it, struct path_slot, by_pair)->path;

		if (it->hash == hash && address_equal(&x->client, client) && address_equal(&x->server.addr, server))
			return x;
	}
	return NULL;
}

const struct sip_server *sip_paths_server(const struct sip_paths *s, const struct address *a)
{
	uint32_t hash = address_hash(a);

	for (struct hash_link *it = hash_first(&s->servers, hash); it; it = it->next) {
		const struct sip_server *x = HASH_ENTRY(it, struct sip_server, by_address);

		if (it->hash == hash && address_equal(&x->addr, a))
			return x;
	}
	return NULL;
}

static const struct sip_door *door_find(const struct sip_server *x, uint16_t port, uint8_t transport)
{
	for (unsigned i = 0; x && i < x->door_count; i++) {
		if (x->doors[i].port == port && x->doors[i].transport == transport)
			return &x->doors[i];
	}
	return NULL;
}

const struct sip_door *sip_paths_door(const struct sip_paths *s, const struct endpoint *at, uint8_t transport)
{
	return door_find(sip_paths_server(s, &at->addr), at->port, transport);
}

static void door_note(struct sip_paths *s, const struct packet *p)
{
	struct sip_server *x = (struct sip_server *)sip_paths_server(s, &p->src.addr);
	struct sip_door *door = (struct sip_door *)door_find(x, p->src.port, p->transport);

	if (door) {
		door->answers++;
		return;
	}
	if (!x && s->servers.count >= s->max)
		return;
	if (!x) {
		x = arena_zalloc(s->arena, sizeof *x);
		x->addr = p->src.addr;
		hash_add(&s->servers, &x->by_address, address_hash(&x->addr));
	}
	if (x->door_count < SIP_DOORS)
		x->doors[x->door_count++] = (struct sip_door){ p->transport, p->src.port, 1,
			{ p->at_ns, p->frame, p->file, p->interface } };
}

/* NULL: the table is full, and the path counts as evicted. */
static struct sip_path *path_get(struct sip_paths *s, const struct packet *p, uint8_t transport, uint32_t hash)
{
	struct sip_path *x = path_find(s, &p->src.addr, &p->dst, transport, hash);
	struct path_slot *slot;

	if (x)
		return x;
	if (s->order.count >= s->max) {
		s->evicted++;
		return NULL;
	}
	slot = pool_take(&s->pool);
	x = &slot->path;
	*x = (struct sip_path){ .n = (unsigned)s->order.count + 1, .client = p->src.addr, .server = p->dst,
		.transport = transport, .unheard = &none_unheard, .unheard_fragmented = &none_unheard,
		.first_ns = p->at_ns, .last_ns = p->at_ns, .answered_ns = NS_NONE, .bound_ns = NS_NONE,
		.first_at = frame_ref_of(p) };
	list_add_tail(&s->order, &x->in_order);
	hash_add(&s->by_key, &x->by_key, hash);
	hash_add(&s->by_pair, &slot->by_pair, pair_hash(&x->client, &x->server.addr));
	return x;
}

/* ---- requests ---- */

/* At an endpoint the network card may hand over whole what travels in fragments. */
static enum sip_size size_of(const struct ask *a)
{
	if (a->fragments > 1 || (a->path->transport == TRANSPORT_UDP && a->bytes > 1472))
		return SIP_FRAGMENTED;
	if (a->bytes < 1000)
		return SIP_BELOW_1000;
	return a->bytes < 1300 ? SIP_BELOW_1300 : SIP_BELOW_1472;
}

static void unheard_add(struct sip_paths *s, const struct sip_unheard **of, const struct ask *a)
{
	struct sip_unheard *u = (struct sip_unheard *)*of;

	if (u == &none_unheard)
		*of = u = arena_zalloc(s->arena, sizeof *u);
	u->requests++;
	u->copies += a->copies;
	u->methods |= UINT32_C(1) << a->method;
	if (a->copies > u->copies_most) {
		u->copies_most = a->copies;
		u->first_ns = a->first_ns;
		u->last_ns = a->last_ns;
	}
	if (a->bytes > u->bytes) {
		u->bytes = a->bytes;
		u->fragments = a->fragments;
	}
	if (u->frame_count < SIP_PATH_FRAMES)
		u->frames[u->frame_count++] = a->first_at;
	if (a->copies > 1 && u->frame_count < SIP_PATH_FRAMES)
		u->frames[u->frame_count++] = a->last_at;
}

/* Unanswered: told to the path, and out of the ring. Pushed out before an answer was due it tells nothing. */
static void ask_end(struct sip_paths *s, struct ask *a, int64_t now_ns)
{
	if (!a->used)
		return;
	if (!a->answered && ns_minus(now_ns, a->first_ns) < ANSWER_NS) {
		s->evicted++;
	} else if (!a->answered) {
		unheard_add(s, &a->path->unheard, a);
		if (size_of(a) == SIP_FRAGMENTED)
			unheard_add(s, &a->path->unheard_fragmented, a);
	}
	hash_remove(&s->asks_by_key, &a->by_key);
	a->used = false;
}

/* The same for a request and its answers: who asked whom, branch, CSeq. Some servers answer from another port. */
static uint64_t ask_key(const struct sip_message *m, const struct endpoint *client, const struct endpoint *server)
{
	uint64_t key = hash_mix(m->keys.branch, m->keys.call_id);

	key = hash_mix(key, (uint64_t)m->cseq << 8 | m->method);
	return hash_mix(hash_mix(key, address_key(&client->addr)), address_key(&server->addr));
}

static struct ask *ask_find(const struct sip_paths *s, uint64_t key)
{
	for (struct hash_link *it = hash_first(&s->asks_by_key, (uint32_t)key); it; it = it->next) {
		struct ask *a = HASH_ENTRY(it, struct ask, by_key);

		if (a->key == key)
			return a;
	}
	return NULL;
}

/* Does Via lie about it? Whose ACK it is does not matter: that it was sent says that an answer came. */
static void take_lie(struct sip_paths *s, struct sip_path *x, const struct packet *p, const struct ask *again)
{
	if (via_lie_says(p) == TRANSPORT_NONE || (!x->lie && p->sip->method == SIP_ACK))
		return;
	if (!x->lie)
		x->lie = arena_zalloc(s->arena, sizeof *x->lie);
	via_lie_request((struct via_lie *)x->lie, p, again != NULL, again && again->strayed);
}

static void take_ack(struct sip_paths *s, const struct packet *p)
{
	struct sip_path *x;

	if (via_lie_says(p) == TRANSPORT_NONE)
		return;
	x = (struct sip_path *)sip_paths_find(s, &p->src.addr, &p->dst, p->transport);
	if (x)
		take_lie(s, x, p, NULL);
}

static bool secure(const struct packet *p)
{
	return p->transport == TRANSPORT_TLS || p->transport == TRANSPORT_WS || p->tunnel == TUNNEL_HEP;
}

static void ask_begin(struct sip_paths *s, const struct packet *p, const struct hash_place *at)
{
	struct sip_path *path = path_get(s, p, p->transport, (uint32_t)at[PLACE_PATH].key);
	uint64_t key = at[PLACE_ASK].key;
	struct ask *a;

	if (!path)
		return;
	if (!s->ring)
		s->ring = memory_zalloc(ASKS * sizeof *s->ring);
	__builtin_prefetch(&s->ring[(s->next + 2 * AHEAD) % ASKS].by_key);
	hash_ask_remove(&s->ring[(s->next + AHEAD) % ASKS].by_key);
	a = &s->ring[s->next++ % ASKS];
	ask_end(s, a, p->at_ns);
	*a = (struct ask){ .used = true, .key = key, .path = path, .method = (uint8_t)p->sip->method,
		.fragments = p->fragments, .copies = 1,
			   .bytes = (uint32_t)p->sip->bytes.n, .first_ns = p->at_ns, .last_ns = p->at_ns,
			   .first_at = frame_ref_of(p), .last_at = frame_ref_of(p) };
	if (p->transport == TRANSPORT_UDP)
		a->bytes = (uint32_t)p->payload_wire;
	hash_add(&s->asks_by_key, &a->by_key, (uint32_t)key);
	path->asked++;
	path->sizes[size_of(a)].sent++;
	path->last_ns = p->at_ns;
	path->last_source = p->src;
	if (span_equal_nocase(p->sip->request_uri.scheme, SPAN("sips")) && !secure(p) && path->secure_uris++ == 0)
		path->secure_uri_at = frame_ref_of(p);
	take_lie(s, path, p, NULL);
}

static void take_request(struct sip_paths *s, const struct packet *p, const struct hash_place *at)
{
	struct ask *a;

	if (p->sip->method == SIP_ACK) {
		take_ack(s, p);
		return;
	}
	a = ask_find(s, at[PLACE_ASK].key);
	if (!a) {
		ask_begin(s, p, at);
		return;
	}
	a->copies++;
	a->last_ns = a->path->last_ns = p->at_ns;
	a->last_at = frame_ref_of(p);
	take_lie(s, a->path, p, a);
}

static void note_large(struct sip_paths *s, struct sip_path *x, const struct ask *a)
{
	if (x->transport != TRANSPORT_UDP || a->bytes <= s->large_bytes)
		return;
	if (x->large++ == 0)
		x->large_at = a->first_at;
	if (a->bytes > x->large_bytes) {
		x->large_bytes = a->bytes;
		x->large_fragments = a->fragments;
	}
}

static bool binds(const struct ask *a)
{
	return a->method == SIP_REGISTER || a->method == SIP_INVITE || a->method == SIP_SUBSCRIBE;
}

static void take_response(struct sip_paths *s, const struct packet *p, const struct hash_place *at)
{
	struct ask *a = ask_find(s, at[PLACE_ASK].key);
	struct sip_path *x;
	unsigned status = p->sip->status;

	door_note(s, p);
	if (!a)
		return;
	x = a->path;
	if (x->lie) {
		a->strayed = p->transport != x->transport;
		via_lie_answer((struct via_lie *)x->lie, p, a->strayed);
	}
	if (!a->answered) {
		a->answered = true;
		x->answered++;
		x->sizes[size_of(a)].answered++;
		if (x->answered == 1)
			x->answered_at = frame_ref_of(p);
		note_large(s, x, a);
	}
	x->answered_ns = p->at_ns;
	if (status < 200 || a->finished)
		return;
	a->finished = true;
	if (status < 300 && binds(a)) {
		x->bound++;
		x->bound_ns = p->at_ns;
	}
	if ((status == 413 || status == 513) && x->too_large++ == 0)
		x->too_large_at = frame_ref_of(p);
}

/* ---- fragments ---- */

static void torn_end(struct sip_paths *s, struct torn *t)
{
	struct sip_path *x = t->path;

	if (!t->used)
		return;
	t->used = false;
	if (!x->torn_frames)
		x->torn_frames = arena_zalloc(s->arena, SIP_PATH_FRAMES * sizeof *x->torn_frames);
	if (x->torn < SIP_PATH_FRAMES)
		x->torn_frames[x->torn] = t->at;
	if (x->torn++ == 0)
		x->torn_first_ns = t->at.at_ns;
	x->torn_last_ns = t->at.at_ns;
}

static struct torn *torn_find(struct sip_paths *s, const struct packet *p)
{
	for (unsigned i = 1; i <= 16; i++) {            /* the latest: a datagram's fragments come together */
		struct torn *t = &s->torn[(s->next_torn - i) % TORN_MAX];

		if (t->used && t->id == p->ip_id && address_equal(&t->src, &p->src.addr) &&
		    address_equal(&t->dst, &p->dst.addr))
			return t;
	}
	return NULL;
}

static bool is_cut(const struct packet *p)
{
	return p->undecoded == UNDECODED_TRUNCATED || p->has & HAS_TRUNCATED;
}

/* Where the capture cut the first fragment or this one nothing can be put together: that it is there must do. */
static void take_later_fragment(struct sip_paths *s, const struct packet *p)
{
	struct torn *t = torn_find(s, p);

	s->later_fragments = true;
	if (t && (t->cut || is_cut(p)))
		t->used = false;
}

/* Only the first fragment has ports; whether it is SIP's is known by those alone: by a path that SIP went before. */
static void take_fragment(struct sip_paths *s, const struct packet *p)
{
	struct sip_path *path;
	struct torn *t;

	if (!(p->has & HAS_PORTS)) {
		take_later_fragment(s, p);
		return;
	}
	if (p->ip_protocol != PROTOCOL_UDP || torn_find(s, p))
		return;
	path = (struct sip_path *)sip_paths_find(s, &p->src.addr, &p->dst, TRANSPORT_UDP);
	if (!path && p->dst.port == PORT_SIP)
		path = path_get(s, p, TRANSPORT_UDP, path_hash(&p->src.addr, &p->dst, TRANSPORT_UDP));
	if (!path)
		return;
	t = &s->torn[s->next_torn++ % TORN_MAX];
	torn_end(s, t);
	*t = (struct torn){ .used = true, .src = p->src.addr, .dst = p->dst.addr, .id = p->ip_id, .path = path,
		.cut = is_cut(p), .at = frame_ref_of(p) };
	path->torn_sent++;
}

unsigned sip_paths_places(const struct sip_paths *s, const struct packet *p, struct hash_place *ret)
{
	const struct sip_message *m = p->sip;

	if (p->kind != PACKET_SIP || (m->request && m->method == SIP_ACK))
		return 0;
	ret[PLACE_ASK] = (struct hash_place){ &s->asks_by_key, m->request ? ask_key(m, &p->src, &p->dst)
		: ask_key(m, &p->dst, &p->src) };
	if (!m->request)
		return 1;
	ret[PLACE_PATH] = (struct hash_place){ &s->by_key, path_hash(&p->src.addr, &p->dst, p->transport) };
	return 2;
}

void sip_paths_packet(struct sip_paths *s, const struct packet *p)
{
	struct hash_place at[HASH_PLACES];

	sip_paths_places(s, p, at);
	sip_paths_packet_at(s, p, at);
}

void sip_paths_packet_at(struct sip_paths *s, const struct packet *p, const struct hash_place *at)
{
	struct torn *t;

	if (p->kind == PACKET_FRAGMENT) {
		take_fragment(s, p);
		return;
	}
	if (p->fragments > 1) {
		s->later_fragments = true;
		t = torn_find(s, p);
		if (t)
			t->used = false;
	}
	if (p->kind != PACKET_SIP || !p->sip->has_cseq)
		return;
	if (p->sip->request)
		take_request(s, p, at);
	else
		take_response(s, p, at);
}

void sip_paths_settle(struct sip_paths *s, int64_t last_ns)
{
	for (unsigned i = 0; s->ring && i < ASKS; i++) {
		struct ask *a = &s->ring[(s->next + i) % ASKS];

		/* the capture ended before it would even have been sent again (RFC 3261 17.1.2.2): it says nothing */
		if (a->used && !a->answered && a->copies == 1 && ns_minus(last_ns, a->first_ns) < T1_NS)
			a->path->sizes[size_of(a)].sent--;
		ask_end(s, a, INT64_MAX);
	}
	for (unsigned i = 0; i < TORN_MAX; i++)
		torn_end(s, &s->torn[(s->next_torn + i) % TORN_MAX]);
}

const struct list *sip_paths_in_order(const struct sip_paths *s)
{
	return &s->order;
}

bool sip_paths_later_fragments(const struct sip_paths *s)
{
	return s->later_fragments;
}

uint64_t sip_paths_evicted(const struct sip_paths *s)
{
	return s->evicted;
}
