/* SPDX-License-Identifier: MIT */
/* echo: requests wait for their answers; what an answer gives back is held against what was sent. */
#include "analyzer/network/echo_private.h"

#include <stdio.h>
#include <stdlib.h>

#include "analyzer/network/internal.h"
#include "analyzer/network/two_points.h"
#include "captures/base/memory.h"
#include "captures/base/text.h"

#define ASKED_NS (32 * SECOND_NS)       /* 64 T1: after that a branch may mean another request (RFC 3261 17) */
#define SOCKET_NS (300 * SECOND_NS)

enum { UNFIT = SIP_FLAW_BODY_CUT | SIP_FLAW_TOO_MUCH | SIP_FLAW_NO_CALL_ID | SIP_FLAW_NO_CSEQ | SIP_FLAW_NO_FROM | SIP_FLAW_NO_VIA };

struct socket_use {                  /* a phone's own port towards a server */
	struct list_link in_order;
	struct hash_link by_key;
	struct address phone, peer;
	uint16_t port;
	int64_t first_ns, last_ns;
};

struct intact {                      /* answers that say all that was sent */
	struct echo_intact seen;
	struct hash_link by_key;
};

struct insider {                     /* a public server that names private hosts */
	struct list_link in_order;
	struct hash_link by_key;
	struct address server;
};

/* Only calls have legs: REGISTER and OPTIONS are told by phone and server. */
uint64_t sip_leg_key(const struct sip_message *m)
{
	if (m->method == SIP_REGISTER || m->method == SIP_OPTIONS || m->method == SIP_SUBSCRIBE ||
	    m->method == SIP_PUBLISH || m->method == SIP_NOTIFY)
		return 0;
	return two_points_leg_key_of(m);
}

/* ---- signs ---- */

static uint32_t sign_hash(enum echo_kind kind, const struct sign_at *w)
{
	uint64_t h = hash_mix(w->leg_key, (uint64_t)kind << 8 | w->transport);

	h = hash_mix(h, endpoint_key(&w->phone));
	return (uint32_t)hash_mix(h, endpoint_key(&w->peer));
}

static struct echo_sign *sign_find(const struct echoes *e, enum echo_kind kind, const struct sign_at *w, uint32_t hash)
{
	for (struct hash_link *it = hash_first(&e->signs, hash); it; it = it->next) {
		struct echo_sign *s = HASH_ENTRY(it, struct echo_sign, by_key);

		if (it->hash == hash && s->kind == kind && s->transport == w->transport && s->leg_key == w->leg_key &&
		    endpoint_equal(&s->phone, &w->phone) && endpoint_equal(&s->peer, &w->peer))
			return s;
	}
	return NULL;
}

struct echo_sign *sign_add(struct echoes *e, enum echo_kind kind, const struct sign_at *where, struct frame_ref at)
{
	uint32_t hash = sign_hash(kind, where);
	struct echo_sign *s = sign_find(e, kind, where, hash);

	if (!s) {
		if (e->signs_in_order.count >= SIGN_MAX)
			return NULL;
		s = memory_zalloc(sizeof *s);
		s->kind = (uint8_t)kind;
		s->transport = where->transport;
		s->phone = where->phone;
		s->peer = where->peer;
		s->leg_key = where->leg_key;
		s->agent = where->agent;
		s->first_ns = at.at_ns;
		s->seen[1] = at;
		if (where->router_mac)
			memcpy(s->router_mac, where->router_mac, sizeof s->router_mac);
		hash_add(&e->signs, &s->by_key, hash);
		list_add_tail(&e->signs_in_order, &s->in_order);
	}
	s->messages++;
	s->last_ns = at.at_ns;
	return s;
}

void sign_texts(struct echo_sign *s, const char *field, struct span before, struct span after)
{
	if (s->field[0])
		return;
	text_escape(span_of(field), s->field, sizeof s->field);
	text_escape(before, s->before, sizeof s->before);
	text_escape(after, s->after, sizeof s->after);
}

/* ---- requests ---- */

static uint32_t branch_hash(uint64_t branch, uint32_t cseq)
{
	return (uint32_t)hash_mix(branch, cseq);
}

static void asked_fini(struct asked *a)
{
	if (a->call_id != a->own)
		free((void *)a->call_id);
	free(a->digest_other);
}

static void asked_drop(struct echoes *e, struct asked *a)
{
	refused_judge(e, a);
	hash_remove(&e->asked, &a->by_branch);
	list_remove(&e->asked_in_order, &a->in_order);
	asked_fini(a);
	pool_give(&e->asked_pool, a);
}

static void asked_expire(struct echoes *e, int64_t now_ns)
{
	while (!list_empty(&e->asked_in_order)) {
		struct asked *a = LIST_ENTRY(e->asked_in_order.head.next, struct asked, in_order);

		if (e->asked_in_order.count < ASKED_MAX && ns_minus(now_ns, a->at.at_ns) <= ASKED_NS)
			return;
		asked_drop(e, a);
	}
}

/* Its request over the same two sockets; `sockets`: else over the same two hosts. */
static struct asked *asked_find(
	const struct echoes *e, const struct sip_message *m, const struct endpoint *phone, const struct endpoint *peer,
	bool sockets, uint32_t hash)
{
	uint64_t branch = m->keys.branch;

	for (struct hash_link *it = hash_first(&e->asked, hash); it; it = it->next) {
		struct asked *a = HASH_ENTRY(it, struct asked, by_branch);

		if (it->hash == hash && a->branch == branch && a->cseq == m->cseq && endpoint_equal(&a->peer, peer) &&
		    (sockets ? endpoint_equal(&a->phone, phone) : address_equal(&a->phone.addr, &phone->addr)))
			return a;
	}
	return NULL;
}

static struct address literal(struct span host)
{
	struct address a = { .family = 0 };

	return address_parse(host, &a) ? a : (struct address){ .family = 0 };
}

/* The phone repeats itself although the answer was there: it did not take it for one. */
static void repeated(struct asked *a, const struct packet *p, const struct sip_message *m)
{
	refused_repeated(a, p, m);
	if (a->discarded_by)
		a->discarded_by->discarded++;
}

static void ask_digest(struct asked *a, const struct sip_message *m)
{
	struct address digest, target;

	if (!digest_of(m, &digest, &a->nonce) || !address_known(&digest) ||
	    !address_parse(m->request_uri.host, &target) || address_equal(&digest, &target))
		return;
	a->digest_other = memory_zalloc(sizeof *a->digest_other);
	*a->digest_other = (struct asked_digest){ target, digest };
}

static void ask_call_id(struct asked *a, struct span call_id)
{
	uint8_t *text = call_id.n <= ASKED_OWN ? a->own : memory_resize(NULL, call_id.n, 1);

	if (call_id.n)
		memcpy(text, call_id.p, call_id.n);
	a->call_id = text;
	a->call_id_n = (uint8_t)call_id.n;
}

static void ask(struct echoes *e, const struct packet *p, const struct sip_message *m, uint64_t agent, uint32_t hash)
{
	struct asked *a = asked_find(e, m, &p->src, &p->dst, true, hash);

	if (a) {
		repeated(a, p, m);
		return;
	}
	if (m->call_id.n > ASKED_ID || m->from.tag.n > ASKED_TAG || !m->via.branch.n)
		return;
	a = pool_take(&e->asked_pool);
	memset(a, 0, offsetof(struct asked, own));
	a->phone = p->src;
	a->peer = p->dst;
	a->transport = p->transport;
	a->cseq = m->cseq;
	a->via_count = m->via_count;
	a->branch = m->keys.branch;
	a->via_host = m->via.at;
	a->via_port = m->via.has_port ? m->via.port : 0;
	a->from_host = literal(m->from.host);
	a->from_port = m->from.has_port ? m->from.port : 0;
	a->rport = m->via.has_rport;
	a->leg_key = sip_leg_key(m);
	a->agent = agent;
	a->at = frame_ref_of(p);
	a->sent = 1;
	a->bytes = p->ip_bytes;
	a->call_id_key = m->keys.call_id;
	a->from_tag_key = m->keys.from_tag;
	a->from_tag_n = (uint8_t)m->from.tag.n;
	ask_call_id(a, m->call_id);
	if (p->has & HAS_MAC)
		memcpy(a->router_mac, p->mac_dst, sizeof a->router_mac);
	ask_digest(a, m);
	hash_add(&e->asked, &a->by_branch, hash);
	list_add_tail(&e->asked_in_order, &a->in_order);
}

/* ---- sockets that phones send from ---- */

static uint32_t socket_hash(const struct address *phone, uint16_t port, const struct address *peer)
{
	return (uint32_t)hash_mix(address_port_key(phone, port), address_key(peer));
}

static struct socket_use *socket_find(const struct echoes *e, const struct address *phone, uint16_t port,
	const struct address *peer, uint32_t hash)
{
	for (struct hash_link *it = hash_first(&e->sockets, hash); it; it = it->next) {
		struct socket_use *s = HASH_ENTRY(it, struct socket_use, by_key);

		if (it->hash == hash && s->port == port && address_equal(&s->phone, phone) &&
		    address_equal(&s->peer, peer))
			return s;
	}
	return NULL;
}

static void socket_used(struct echoes *e, const struct packet *p, uint32_t hash)
{
	struct socket_use *s = socket_find(e, &p->src.addr, p->src.port, &p->dst.addr, hash);

	if (s) {
		s->last_ns = p->at_ns;
		return;
	}
	if (e->sockets_in_order.count >= SOCKET_MAX) {
		s = LIST_ENTRY(e->sockets_in_order.head.next, struct socket_use, in_order);
		hash_remove(&e->sockets, &s->by_key);
		list_remove(&e->sockets_in_order, &s->in_order);
		pool_give(&e->socket_pool, s);
	}
	s = pool_take(&e->socket_pool);
	*s = (struct socket_use){ .phone = p->src.addr, .peer = p->dst.addr, .port = p->src.port, .first_ns = p->at_ns,
		.last_ns = p->at_ns };
	hash_add(&e->sockets, &s->by_key, hash);
	list_add_tail(&e->sockets_in_order, &s->in_order);
}

bool echoes_sent_from(const struct echoes *e, const struct address *phone, uint16_t port, const struct address *peer,
	int64_t at_ns)
{
	const struct socket_use *s = socket_find(e, phone, port, peer, socket_hash(phone, port, peer));

	return s && s->first_ns <= ns_add(at_ns, SOCKET_NS) && s->last_ns >= ns_add(at_ns, -SOCKET_NS);
}

/* ---- answers ---- */

struct answer {                      /* being compared */
	struct echoes *e;
	struct asked *asked;
	const struct packet *p;
	const struct sip_message *m;
	struct sign_at where;
	struct echo_sign *signs[ECHO_KIND_COUNT];
	uint32_t kinds;
};

static struct echo_sign *shows(struct answer *a, enum echo_kind kind)
{
	struct echo_sign *s = sign_add(a->e, kind, &a->where, frame_ref_of(a->p));

	if (!s)
		return NULL;
	if (s->messages == 1)
		s->seen[0] = a->asked->at;
	if (!(a->asked->shown & 1u << kind))
		s->transactions++;
	a->asked->shown |= 1u << kind;
	a->kinds |= 1u << kind;
	a->signs[kind] = s;
	return s;
}

/* An address, or a port, as the phone wrote it. */
static struct span was(const struct address *host, uint16_t port, char buffer[ENDPOINT_TEXT])
{
	struct endpoint e = { *host, port };

	return span_of(endpoint_text(&e, buffer));
}

static void compare_via(struct answer *a)
{
	const struct asked *q = a->asked;
	const struct address *host = &a->m->via.at;
	char before[ENDPOINT_TEXT], after[ENDPOINT_TEXT];
	uint16_t port = a->m->via.has_port ? a->m->via.port : 0;
	struct echo_sign *s = NULL;

	if (a->m->via_count != q->via_count || !address_known(&q->via_host) || !address_known(host))
		return;
	if (!address_equal(host, &q->via_host))
		s = shows(a, ECHO_VIA_HOST);
	else if (port && port != q->via_port && address_equal(host, &q->phone.addr))
		s = shows(a, ECHO_VIA_PORT);
	if (!s)
		return;
	s->old = q->via_host;
	s->new = *host;
	sign_texts(s, "Via", was(&q->via_host, q->via_port, before), was(host, port, after));
}

static size_t at_sign(struct span s)
{
	return span_find(s, '@');
}

static void compare_call_id(struct answer *a)
{
	const struct asked *q = a->asked;
	struct span before = { q->call_id, q->call_id_n }, after = a->m->call_id;
	size_t i = at_sign(before), k = at_sign(after);
	struct address old, new;
	struct echo_sign *s;

	if (i < before.n && k < after.n && span_equal(span_first(before, i), span_first(after, k))) {
		if (!address_parse(span_from(before, i + 1), &old) || !address_parse(span_from(after, k + 1), &new) ||
		    address_equal(&old, &new) ||
		    !(address_equal(&old, &q->phone.addr) || address_private(&old)))
			return;
		s = shows(a, ECHO_CALL_ID_HOST);
		if (s) {
			s->old = old;
			s->new = new;
		}
	} else {
		s = shows(a, ECHO_CALL_ID);
	}
	if (s)
		sign_texts(s, "Call-ID", before, after);
}

static void compare_from(struct answer *a)
{
	const struct asked *q = a->asked;
	struct address host;
	char before[ENDPOINT_TEXT], after[ENDPOINT_TEXT];
	uint16_t port = a->m->from.has_port ? a->m->from.port : 0;
	struct echo_sign *s = NULL;

	if (!address_equal(&q->from_host, &q->phone.addr) || !address_parse(a->m->from.host, &host))
		return;
	if (!address_equal(&host, &q->from_host))
		s = shows(a, ECHO_FROM_HOST);
	else if (port && !q->from_port)
		s = shows(a, ECHO_FROM_PORT);
	if (!s)
		return;
	s->old = q->from_host;
	s->new = host;
	sign_texts(s, "From", was(&q->from_host, q->from_port, before), was(&host, port, after));
}

/* RFC 3261 18.2.1: received= is what the server saw, and a server outside can not see a private source. */
static void compare_received(struct answer *a)
{
	const struct asked *q = a->asked;
	const struct address *received = &a->m->via.received_at;
	struct echo_sign *s;

	if (a->m->via_count != q->via_count || !address_known(received))
		return;
	if (address_reach(&q->phone.addr) != 0 || address_reach(&q->peer.addr) != 2 ||
	    !address_equal(received, &q->phone.addr))
		return;
	s = shows(a, ECHO_RECEIVED);
	if (!s)
		return;
	s->old = q->phone.addr;
	sign_texts(s, "received=", SPAN_NONE, a->m->via.received);
}

static uint32_t intact_hash(const struct address *phone, const struct address *server)
{
	return (uint32_t)hash_mix(address_key(phone), address_key(server));
}

static struct intact *intact_find(const struct echoes *e, const struct address *phone, const struct address *server)
{
	uint32_t hash = intact_hash(phone, server);

	for (struct hash_link *it = hash_first(&e->intact, hash); it; it = it->next) {
		struct intact *i = HASH_ENTRY(it, struct intact, by_key);

		if (it->hash == hash && address_equal(&i->seen.phone, phone) &&
		    address_equal(&i->seen.server.addr, server))
			return i;
	}
	return NULL;
}

/*
 * Would the SIP helper of Linux have changed this answer? It takes a Via for one of its connection only if address and
 * port are those of the packet; of another it leaves received= alone, too.
 */
static bool helper_would_change(const struct asked *q)
{
	uint16_t sent_by = q->via_port ? q->via_port : SIP_PORT;

	return address_equal(&q->via_host, &q->phone.addr) && sent_by == q->phone.port;
}

static void count_intact(struct answer *a)
{
	const struct asked *q = a->asked;
	const struct address *received = &a->m->via.received_at;
	struct intact *i;

	if (a->kinds || a->m->via_count != q->via_count || !address_known(received) ||
	    address_reach(received) != 2 ||
	    address_reach(&q->via_host) != 0 || address_reach(&q->peer.addr) != 2)
		return;
	i = intact_find(a->e, &q->phone.addr, &q->peer.addr);
	if (!i) {
		if (a->e->intact_in_order.count >= SITE_MAX)
			return;
		i = memory_zalloc(sizeof *i);
		i->seen = (struct echo_intact){ .phone = q->phone.addr, .outside = *received, .server = q->peer,
			.transport = q->transport };
		hash_add(&a->e->intact, &i->by_key, intact_hash(&q->phone.addr, &q->peer.addr));
		list_add_tail(&a->e->intact_in_order, &i->seen.in_order);
	}
	i->seen.several |= i->seen.server.port != q->peer.port || i->seen.transport != q->transport ||
		!address_equal(&i->seen.outside, received);
	i->seen.count++;
	if (!helper_would_change(q))
		return;
	if (!i->seen.telling++) {
		i->seen.request_at = q->at;
		i->seen.answer_at = frame_ref_of(a->p);
	}
	i->seen.last_ns = a->p->at_ns;
}

unsigned echoes_intact(const struct echoes *e, const struct address *phone, const struct address *server)
{
	const struct intact *i = intact_find(e, phone, server);

	return i ? i->seen.count : 0;
}

const struct list *echoes_intact_all(const struct echoes *e)
{
	return &e->intact_in_order;
}

/* ---- what a public server says of private addresses ---- */

static struct insider *insider_find(const struct echoes *e, const struct address *server)
{
	uint32_t hash = address_hash(server);

	for (struct hash_link *it = hash_first(&e->insiders, hash); it; it = it->next) {
		struct insider *i = HASH_ENTRY(it, struct insider, by_key);

		if (it->hash == hash && address_equal(&i->server, server))
			return i;
	}
	return NULL;
}

/*
 * It tells a phone to send audio to another private host. What was translated on its way out nobody translates back for
 * a third: a NAT restores its own connection's addresses only.
 */
static void hear_insider(struct echoes *e, const struct packet *p, const struct sip_message *m)
{
	struct address connection;
	struct insider *i;

	if (!m->sdp.n || address_reach(&p->src.addr) != 2 || address_reach(&p->dst.addr) != 0 ||
	    !sdp_line_address(m->sdp, SPAN("c="), &connection) ||
	    address_reach(&connection) != 0 || address_equal(&connection, &p->dst.addr))
		return;
	if (insider_find(e, &p->src.addr) || e->insiders_in_order.count >= SITE_MAX)
		return;
	i = memory_zalloc(sizeof *i);
	i->server = p->src.addr;
	hash_add(&e->insiders, &i->by_key, address_hash(&i->server));
	list_add_tail(&e->insiders_in_order, &i->in_order);
}

bool echoes_insider(const struct echoes *e, const struct address *server)
{
	return insider_find(e, server) != NULL;
}

/*
 * Branch and CSeq are those of the request (that is how it was found); the From-tag or the Call-ID has to agree as
 * well, for generators of traffic use one branch for everything.
 */
static bool belongs(const struct asked *q, const struct sip_message *m)
{
	return q->from_tag_key == m->keys.from_tag || q->call_id_key == m->keys.call_id;
}

static void compare(struct echoes *e, struct asked *q, const struct packet *p, const struct sip_message *m)
{
	struct answer a = {
		.e = e, .asked = q, .p = p, .m = m,
		.where = { q->phone, q->peer, q->transport, q->leg_key, q->agent, q->router_mac },
	};

	if (!q->answered)
		refused_answered(e, q, p->at_ns);
	q->answered = true;
	compare_via(&a);
	if (q->call_id_key == m->keys.call_id)
		compare_from(&a);
	else if (q->from_tag_n)              /* and the From-tag is the same: it belongs here */
		compare_call_id(&a);
	compare_received(&a);
	count_intact(&a);
	for (unsigned k = 0; a.kinds && k < ECHO_KIND_COUNT; k++) {
		if (a.signs[k])
			a.signs[k]->together |= a.kinds;
	}
	if (a.signs[ECHO_VIA_HOST])
		q->discarded_by = a.signs[ECHO_VIA_HOST];
	else if (a.signs[ECHO_CALL_ID_HOST])
		q->discarded_by = a.signs[ECHO_CALL_ID_HOST];
}

/* To the port in the Via although rport was asked for (RFC 3581 4) and the request came from another. */
static void answer_elsewhere(struct echoes *e, const struct packet *p, const struct sip_message *m, uint32_t hash)
{
	struct asked *q = asked_find(e, m, &p->dst, &p->src, false, hash);
	struct sign_at where;
	struct echo_sign *s;
	char before[8], after[8];

	if (!q || !belongs(q, m) || p->transport != TRANSPORT_UDP || !q->rport || !q->via_port ||
	    p->dst.port != q->via_port || q->phone.port == q->via_port)
		return;
	where = (struct sign_at){ q->phone, q->peer, q->transport, q->leg_key, q->agent, q->router_mac };
	s = sign_add(e, ECHO_RESPONSE_PORT, &where, frame_ref_of(p));
	if (!s)
		return;
	if (s->messages == 1)
		s->seen[0] = q->at;
	if (!(q->shown & 1u << ECHO_RESPONSE_PORT))
		s->transactions++;
	q->shown |= 1u << ECHO_RESPONSE_PORT;
	s->detail = p->dst.port;
	snprintf(before, sizeof before, "%u", q->phone.port);
	snprintf(after, sizeof after, "%u", p->dst.port);
	sign_texts(s, "port of the answer", span_of(before), span_of(after));
}

enum { PLACE_SOCKET, PLACE_ASKED, PLACE_FLOW };      /* the last of responses alone */

unsigned echoes_places(const struct echoes *e, const struct packet *p, struct hash_place *ret)
{
	if (p->kind != PACKET_SIP)
		return 0;
	ret[PLACE_SOCKET] = (struct hash_place){ &e->sockets, socket_hash(&p->src.addr, p->src.port, &p->dst.addr) };
	ret[PLACE_ASKED] = (struct hash_place){ &e->asked, branch_hash(p->sip->keys.branch, p->sip->cseq) };
	if (p->sip->request)
		return 2;
	ret[PLACE_FLOW] = refused_place(e, &p->dst, &p->src);
	return 3;
}

void echoes_sip(struct echoes *e, const struct packet *p, const struct hash_place *at)
{
	const struct sip_message *m = p->sip;
	struct asked *q;
	struct agent *agent;

	if (!(p->has & HAS_PORTS) || (m->flaws & UNFIT) || !address_known(&p->src.addr))
		return;
	asked_expire(e, p->at_ns);
	socket_used(e, p, (uint32_t)at[PLACE_SOCKET].key);
	hear_insider(e, p, m);
	agent = agents_message(e, p, m);
	marks_message(e, p, m, agent);
	if (m->request) {
		if (m->method != SIP_ACK)
			ask(e, p, m, agent ? agent->key : 0, (uint32_t)at[PLACE_ASKED].key);
		return;
	}
	q = asked_find(e, m, &p->dst, &p->src, true, (uint32_t)at[PLACE_ASKED].key);
	if (!q) {
		answer_elsewhere(e, p, m, (uint32_t)at[PLACE_ASKED].key);
	} else if (belongs(q, m)) {
		compare(e, q, p, m);
		agents_answer(e, p, m, q);
	}
}

/* ---- the door ---- */

struct echoes *echoes_new(void)
{
	struct echoes *e = memory_zalloc(sizeof *e);

	hash_init(&e->signs);
	list_init(&e->signs_in_order);
	hash_init(&e->asked);
	list_init(&e->asked_in_order);
	pool_init(&e->asked_pool, sizeof(struct asked));
	hash_init(&e->sockets);
	pool_init(&e->socket_pool, sizeof(struct socket_use));
	list_init(&e->sockets_in_order);
	hash_init(&e->intact);
	hash_init(&e->insiders);
	refused_init(e);
	hash_init(&e->styles);
	list_init(&e->intact_in_order);
	list_init(&e->insiders_in_order);
	list_init(&e->styles_in_order);
	agents_init(&e->agents);
	return e;
}

void echoes_free(struct echoes *e)
{
	if (!e)
		return;
	LIST_EACH_SAFE(it, &e->signs_in_order)
		free(LIST_ENTRY(it, struct echo_sign, in_order));
	LIST_EACH_SAFE(it, &e->intact_in_order)
		free(LIST_ENTRY(it, struct intact, seen.in_order));
	LIST_EACH_SAFE(it, &e->insiders_in_order)
		free(LIST_ENTRY(it, struct insider, in_order));
	LIST_EACH(it, &e->asked_in_order)
		asked_fini(LIST_ENTRY(it, struct asked, in_order));
	pool_fini(&e->asked_pool);
	pool_fini(&e->socket_pool);
	hash_fini(&e->signs);
	hash_fini(&e->asked);
	hash_fini(&e->sockets);
	hash_fini(&e->intact);
	hash_fini(&e->insiders);
	refused_fini(e);
	styles_fini(e);
	agents_fini(&e->agents);
	free(e);
}

void echoes_settle(struct echoes *e)
{
	LIST_EACH(it, &e->asked_in_order)
		refused_judge(e, LIST_ENTRY(it, struct asked, in_order));
}

const struct list *echoes_signs(const struct echoes *e)
{
	return &e->signs_in_order;
}
