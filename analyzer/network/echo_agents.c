/* SPDX-License-Identifier: MIT */
/*
 * echo_agents: phones behind public addresses: what each is used to write, what it was told, and what its neighbours
 * write.
 */
#include "analyzer/network/echo_private.h"

#include <stdlib.h>

#include "analyzer/network/internal.h"
#include "captures/base/memory.h"

#define QUIET_NS (300 * SECOND_NS)      /* so long before a first REGISTER nothing of that phone may have been */
#define UNTOUCHED_NS (600 * SECOND_NS)

enum { SIP_PORT_LAST = 5200, TURNS_BACK = 2, CUT_LENGTHS = 3, VENDORS = 3, VENDOR_SEEN = 8, REJECTED_ROUNDS = 2 };

struct site {                        /* one public address and a service that its phones use */
	struct echo_passing seen;
	struct hash_link by_key;
	int64_t untouched_first_ns, untouched_last_ns;       /* private Via or Contact passed; NS_NONE never */
	/* a phone does not say its mapped socket; one has another port than a phone would choose */
	bool other, remapped;
	uint64_t vendors[VENDOR_SEEN];
	unsigned vendor_count;
};

struct literal_use {                 /* a User-Agent that says a public address, and to which service */
	struct list_link in_order;
	struct hash_link by_key;
	struct address addr;
	uint64_t user_agent;
	uint8_t transport;
	uint16_t port;
	bool several;                /* to more than this one, or over IPv6 */
};

struct told {                        /* by STUN, NAT-PMP, PCP, UPnP */
	struct list_link in_order;
	struct hash_link by_key;
	struct address host, addr;
};

void agents_init(struct agents *a)
{
	hash_init(&a->by_key);
	hash_init(&a->sites);
	hash_init(&a->literals);
	hash_init(&a->told);
	list_init(&a->in_order);
	list_init(&a->sites_in_order);
	list_init(&a->literals_in_order);
	list_init(&a->told_in_order);
	a->begin_ns = NS_NONE;
}

void agents_fini(struct agents *a)
{
	LIST_EACH_SAFE(it, &a->in_order)
		free(LIST_ENTRY(it, struct agent, phone.in_order));
	LIST_EACH_SAFE(it, &a->sites_in_order)
		free(LIST_ENTRY(it, struct site, seen.in_order));
	LIST_EACH_SAFE(it, &a->literals_in_order)
		free(LIST_ENTRY(it, struct literal_use, in_order));
	LIST_EACH_SAFE(it, &a->told_in_order)
		free(LIST_ENTRY(it, struct told, in_order));
	hash_fini(&a->by_key);
	hash_fini(&a->sites);
	hash_fini(&a->literals);
	hash_fini(&a->told);
}

static uint64_t mix_text(uint64_t seed, struct span s)
{
	return hash_mix(seed, hash_bytes(s.p, s.n));
}

static uint64_t mix_endpoint(uint64_t seed, const struct address *a, uint16_t port)
{
	struct endpoint e = { *a, port };

	return hash_mix(seed, endpoint_key(&e));
}

/* ---- who was told ---- */

static struct told *told_find(const struct agents *a, const struct address *host, const struct address *addr)
{
	uint32_t hash = (uint32_t)mix_endpoint(mix_endpoint(1, host, 0), addr, 0);

	for (struct hash_link *it = hash_first(&a->told, hash); it; it = it->next) {
		struct told *t = HASH_ENTRY(it, struct told, by_key);

		if (it->hash == hash && address_equal(&t->host, host) && address_equal(&t->addr, addr))
			return t;
	}
	return NULL;
}

void agents_told(struct agents *a, const struct address *host, const struct address *public_address)
{
	struct told *t;

	if (address_reach(public_address) < 0 || a->told_in_order.count >= SITE_MAX ||
	    told_find(a, host, public_address))
		return;
	t = memory_zalloc(sizeof *t);
	t->host = *host;
	t->addr = *public_address;
	hash_add(&a->told, &t->by_key, (uint32_t)mix_endpoint(mix_endpoint(1, host, 0), public_address, 0));
	list_add_tail(&a->told_in_order, &t->in_order);
}

/* ---- sites ---- */

static struct site *site_find(const struct agents *a, const struct address *addr, uint8_t transport, uint16_t port)
{
	uint32_t hash = (uint32_t)mix_endpoint(transport, addr, port);

	for (struct hash_link *it = hash_first(&a->sites, hash); it; it = it->next) {
		struct site *s = HASH_ENTRY(it, struct site, by_key);

		if (it->hash == hash && s->seen.transport == transport && s->seen.server.port == port &&
		    address_equal(&s->seen.from, addr))
			return s;
	}
	return NULL;
}

static struct site *site_of(struct agents *a, const struct packet *p)
{
	struct site *s = site_find(a, &p->src.addr, p->transport, p->dst.port);

	if (s || a->sites_in_order.count >= SITE_MAX)
		return s;
	s = memory_zalloc(sizeof *s);
	*s = (struct site){ .seen = { .from = p->src.addr, .server = p->dst, .transport = p->transport },
		.untouched_first_ns = NS_NONE };
	hash_add(&a->sites, &s->by_key, (uint32_t)mix_endpoint(p->transport, &p->src.addr, p->dst.port));
	list_add_tail(&a->sites_in_order, &s->seen.in_order);
	return s;
}

/* "Yealink" of "Yealink SIP-T46S 66.85": the letters it begins with. */
static uint64_t vendor_of(struct span user_agent)
{
	size_t n = 0;

	while (n < user_agent.n && ((user_agent.p[n] | 0x20) >= 'a' && (user_agent.p[n] | 0x20) <= 'z'))
		n++;
	return n >= 3 ? hash_bytes(user_agent.p, n) : 0;
}

static void site_vendor(struct site *s, uint64_t vendor)
{
	for (unsigned i = 0; i < s->vendor_count; i++) {
		if (s->vendors[i] == vendor)
			return;
	}
	if (vendor && s->vendor_count < VENDOR_SEEN)
		s->vendors[s->vendor_count++] = vendor;
}

static bool says_socket(const struct address *host, bool has_port, uint16_t port, const struct endpoint *socket)
{
	return address_equal(host, &socket->addr) && (has_port ? port : SIP_PORT) == socket->port;
}

/* A port that no phone is set to, and that a router that remaps gives. */
static bool remapped(uint16_t port)
{
	return port < SIP_PORT || port > SIP_PORT_LAST;
}

/*
 * Private Via and Contact, and c= where there is SDP, with the port that the message came from: a rewriter would have
 * changed them. Another port it may leave alone (3.2), so that says nothing.
 */
static void passing_message(struct echo_passing *s, const struct packet *p, const struct sip_message *m,
	const struct address *via, const struct address *contact)
{
	struct address c;
	bool sdp = m->sdp.n && sdp_line_address(m->sdp, SPAN("c="), &c);

	s->touched |= address_reach(via) == 2 || address_reach(contact) == 2 || (sdp && address_reach(&c) == 2);
	if (p->transport != TRANSPORT_UDP || !address_private(via) || !address_private(contact) ||
	    (m->via.has_port ? m->via.port : SIP_PORT) != p->src.port ||
	    (m->contact.has_port ? m->contact.port : SIP_PORT) != p->src.port || (sdp && !address_private(&c)))
		return;
	if (s->untouched++ == 0)
		s->first_at = frame_ref_of(p);
	s->begins |= m->method == SIP_REGISTER || m->method == SIP_INVITE || m->method == SIP_SUBSCRIBE;
	s->sdp |= sdp;
	s->last_ns = p->at_ns;
}

static struct site *site_message(struct agents *a, const struct packet *p, const struct sip_message *m,
	const struct address *via, const struct address *contact)
{
	struct site *s = site_of(a, p);
	bool private_via = address_known(via) && address_private(via),
		private_contact = address_known(contact) && address_private(contact);

	if (!s)
		return NULL;
	if (private_via || private_contact) {
		if (s->untouched_first_ns == NS_NONE)
			s->untouched_first_ns = p->at_ns;
		s->untouched_last_ns = p->at_ns;
	}
	passing_message(&s->seen, p, m, via, contact);
	if (m->method != SIP_REGISTER)
		return s;
	if (says_socket(via, m->via.has_port, m->via.port, &p->src) &&
	    says_socket(contact, m->contact.has_port, m->contact.port, &p->src)) {
		s->remapped |= remapped(p->src.port);
		site_vendor(s, vendor_of(m->user_agent));
	} else {
		s->other = true;
	}
	return s;
}

/* ---- public addresses and who says them ---- */

static struct literal_use *literal_find(const struct agents *a, const struct address *addr, uint64_t user_agent)
{
	uint32_t hash = (uint32_t)mix_endpoint(user_agent, addr, 0);

	for (struct hash_link *it = hash_first(&a->literals, hash); it; it = it->next) {
		struct literal_use *l = HASH_ENTRY(it, struct literal_use, by_key);

		if (it->hash == hash && l->user_agent == user_agent && address_equal(&l->addr, addr))
			return l;
	}
	return NULL;
}

static void literal_used(struct agents *a, const struct packet *p, const struct address *addr, uint64_t user_agent)
{
	struct literal_use *l = literal_find(a, addr, user_agent);

	if (l) {
		l->several |= l->transport != p->transport || l->port != p->dst.port;
		return;
	}
	if (a->literals_in_order.count >= SITE_MAX)
		return;
	l = memory_zalloc(sizeof *l);
	*l = (struct literal_use){ .addr = *addr, .user_agent = user_agent, .transport = p->transport,
		.port = p->dst.port, .several = p->src.addr.family == 6 };
	hash_add(&a->literals, &l->by_key, (uint32_t)mix_endpoint(user_agent, addr, 0));
	list_add_tail(&a->literals_in_order, &l->in_order);
}

/* ---- agents ---- */

struct agent *agent_find(const struct agents *a, uint64_t key)
{
	for (struct hash_link *it = hash_first(&a->by_key, (uint32_t)key); it; it = it->next) {
		struct agent *x = HASH_ENTRY(it, struct agent, by_key);

		if (x->key == key)
			return x;
	}
	return NULL;
}

static uint64_t agent_key(const struct packet *p, const struct sip_message *m)
{
	uint64_t key = mix_endpoint(p->transport, &p->src.addr, 0);

	key = mix_endpoint(key, &p->dst.addr, p->dst.port);
	key = mix_text(mix_text(key, m->from.user), m->from.host);
	return mix_text(key, m->user_agent) | 1;
}

/* The oldest record leaves when there are too many. */
static struct agent *agent_of(struct agents *a, const struct packet *p, const struct sip_message *m)
{
	uint64_t key = agent_key(p, m);
	struct agent *x = agent_find(a, key);

	if (x)
		return x;
	if (a->in_order.count >= AGENT_RECORD_MAX) {
		x = LIST_ENTRY(a->in_order.head.next, struct agent, phone.in_order);
		hash_remove(&a->by_key, &x->by_key);
		list_remove(&a->in_order, &x->phone.in_order);
		free(x);
	}
	x = memory_zalloc(sizeof *x);
	*x = (struct agent){
		.phone = { .source = p->src, .peer = p->dst, .transport = p->transport, .first_at = frame_ref_of(p),
			.says_phone = host_role_of_agent(m->user_agent) == ROLE_PHONE },
		.key = key, .user_agent = hash_bytes(m->user_agent.p, m->user_agent.n), .first_ns = p->at_ns,
		.public_ns = NS_NONE, .told_ns = NS_NONE,
	};
	hash_add(&a->by_key, &x->by_key, (uint32_t)key);
	list_add_tail(&a->in_order, &x->phone.in_order);
	return x;
}

static struct sign_at where_of(const struct agent *x, const struct packet *p, uint64_t leg_key)
{
	return (struct sign_at){ p->src, p->dst, p->transport, leg_key, x->key, NULL };
}

/* ---- E10: one header of one flow is now private, now public ---- */

static void turn(struct echoes *e, struct agent *x, const struct packet *p, enum turn_header header,
	const struct address *literal)
{
	static const char *const names[TURN_HEADERS] = { "Via", "Contact", "Contact", "c=" };
	struct turns *t = &x->turns[header];
	struct sign_at where = where_of(x, p, 0);
	bool inner;
	struct echo_sign *s;
	char before[ADDRESS_TEXT], after[ADDRESS_TEXT];

	if (address_reach(literal) < 0)
		return;
	inner = address_private(literal);
	if (inner && address_known(&t->inner) && !address_equal(&t->inner, literal))
		*t = (struct turns){ .last = TURN_NONE };            /* somebody else behind the same address */
	if (inner)
		t->inner = *literal;
	if (inner && t->last == TURN_PUBLIC && ++t->backs >= TURNS_BACK) {
		s = sign_add(e, ECHO_ALTERNATES, &where, frame_ref_of(p));
		if (s && s->messages == 1) {
			s->seen[0] = frame_ref_of(p);
			s->seen[1] = t->at;
			s->old = *literal;
			s->new = p->src.addr;
			sign_texts(s, names[header], span_of(address_text(literal, before)),
				span_of(address_text(&p->src.addr, after)));
		}
	}
	t->last = inner ? TURN_PRIVATE : TURN_PUBLIC;
	t->at = frame_ref_of(p);
}

/*
 * A new Call-ID of REGISTER is a phone that began anew, and another source port another flow: nothing goes on from
 * before.
 */
static void turns_begin(struct agent *x, const struct packet *p, const struct sip_message *m)
{
	uint64_t id = m->method == SIP_REGISTER ? m->keys.call_id : 0;

	/* it takes its binding back and registers another: that is its own doing (contact-flap `self-correct`) */
	if (id && m->has_expires && m->expires_s == 0)
		x->turns[TURN_REGISTER_CONTACT] = (struct turns){ .last = TURN_NONE };
	if (!endpoint_equal(&x->phone.source, &p->src) || (id && x->register_id && id != x->register_id))
		memset(x->turns, 0, sizeof x->turns);
	if (id)
		x->register_id = id;
	x->phone.source = p->src;
}

static void turns_message(struct echoes *e, struct agent *x, const struct packet *p, const struct sip_message *m,
	const struct address *via,
			  const struct address *contact)
{
	struct address c;

	turns_begin(x, p, m);
	if (address_known(via))
		turn(e, x, p, TURN_VIA, via);
	if (address_known(contact) && (m->method == SIP_REGISTER || m->method == SIP_INVITE))
		turn(e, x, p, m->method == SIP_REGISTER ? TURN_REGISTER_CONTACT : TURN_INVITE_CONTACT, contact);
	/* a PBX that names itself and hands the audio on (direct media): another's address, and nobody rewrote it */
	if (m->method == SIP_INVITE && sdp_line_address(m->sdp, SPAN("c="), &c) &&
	    !(address_private(&c) && address_equal(via, &p->src.addr) && address_equal(contact, &p->src.addr)))
		turn(e, x, p, TURN_CONNECTION, &c);
}

/* ---- E9: it knows the mapped port before anyone can have told it ---- */

static void first_register(struct echoes *e, struct agent *x, const struct packet *p, const struct sip_message *m,
	const struct address *via,
			   const struct address *contact)
{
	struct sign_at where = where_of(x, p, 0);
	struct echo_sign *s;
	char after[ENDPOINT_TEXT];

	if (m->method != SIP_REGISTER || x->first_ns != p->at_ns || sip_header_find(m, SIP_H_AUTHORIZATION) ||
	    !remapped(p->src.port) ||
	    p->transport != TRANSPORT_UDP || ns_minus(p->at_ns, e->agents.begin_ns) < QUIET_NS ||
	    told_find(&e->agents, &p->src.addr, &p->src.addr))
		return;
	if (!says_socket(via, m->via.has_port, m->via.port, &p->src) ||
	    !says_socket(contact, m->contact.has_port, m->contact.port, &p->src))
		return;
	s = sign_add(e, ECHO_FIRST_PUBLIC, &where, frame_ref_of(p));
	if (s)
		sign_texts(s, "Contact", SPAN_NONE, span_of(endpoint_text(&p->src, after)));
}

/* ---- E16 ---- */

static void many_vendors(struct echoes *e, const struct site *s, const struct packet *p)
{
	struct sign_at where = { { p->src.addr, 0 }, p->dst, p->transport, 0, 0, NULL };

	if (s->vendor_count >= VENDORS && s->remapped && !s->other && s->untouched_first_ns == NS_NONE)
		sign_add(e, ECHO_VENDORS, &where, frame_ref_of(p));
}

/* A request as a phone or PBX itself sent it: one Via, nobody's route in it. */
static bool own_request(const struct packet *p, const struct sip_message *m)
{
	return m->request && m->via_count == 1 && !sip_header_find(m, SIP_H_RECORD_ROUTE) &&
	       address_reach(&p->src.addr) == 2 &&
	       address_reach(&p->dst.addr) == 2 && m->method != SIP_ACK && m->method != SIP_CANCEL;
}

static bool handed_on(struct agent *x, const struct sip_message *m)
{
	uint32_t left = m->has_max_forwards ? m->max_forwards : 0;

	if (left > x->max_forwards)
		x->max_forwards = left;
	return left < x->max_forwards;
}

/* What a HEP agent or a TURN relay hands on has no way behind it that could be measured. */
static void distance_learn(struct echo_phone *x, const struct packet *p)
{
	if (!p->ttl || p->tunnel == TUNNEL_HEP || p->tunnel == TUNNEL_TURN)
		return;
	if (x->requests++ == 0)
		x->ttl = p->ttl;
	x->ttl_varies |= x->ttl != p->ttl;
}

struct agent *agents_message(struct echoes *e, const struct packet *p, const struct sip_message *m)
{
	struct agents *a = &e->agents;
	const struct address *via = &m->via.at;
	struct address contact;
	struct agent *x;
	struct site *s;

	if (a->begin_ns == NS_NONE)
		a->begin_ns = p->at_ns;
	if (!own_request(p, m))
		return NULL;
	x = agent_of(a, p, m);
	if (handed_on(x, m))
		return NULL;
	distance_learn(&x->phone, p);
	style_message(e, x, p, m);
	if (!contact_address(m, &contact))
		contact = (struct address){ .family = 0 };
	s = site_message(a, p, m, via, &contact);
	if (address_reach(via) == 2 || address_reach(&contact) == 2) {
		if (x->public_ns == NS_NONE)
			x->public_ns = p->at_ns;
		literal_used(a, p, address_reach(via) == 2 ? via : &contact, x->user_agent);
	}
	turns_message(e, x, p, m, via, &contact);
	first_register(e, x, p, m, via, &contact);
	if (s)
		many_vendors(e, s, p);
	return x;
}

/* ---- answers ---- */

static bool tells_public(const struct sip_message *m, const struct asked *asked)
{
	struct address told;

	if (address_private(&asked->via_host) && address_reach(&m->via.received_at) == 2)
		return true;
	return m->method == SIP_REGISTER && m->status == 200 && contact_address(m, &told) && address_reach(&told) == 2;
}

static bool stale_nonce(const struct sip_message *m)
{
	struct span challenge = sip_header_value(m,
		m->status == 407 ? SIP_H_PROXY_AUTHENTICATE : SIP_H_WWW_AUTHENTICATE);

	return span_find_text_nocase(challenge, SPAN("stale=true")) < challenge.n ||
	       span_find_text_nocase(challenge, SPAN("stale=\"true\"")) < challenge.n;
}

static void refused(struct echoes *e, struct agent *x, const struct packet *p, const struct sip_message *m,
	const struct asked *asked)
{
	struct sign_at where = { asked->phone, asked->peer, asked->transport, asked->leg_key, x->key,
		asked->router_mac };
	char target[ADDRESS_TEXT], digest[ADDRESS_TEXT];
	struct echo_sign *s;

	if (!asked->digest_other || !asked->nonce || asked->nonce == x->nonce || stale_nonce(m))
		return;
	x->nonce = asked->nonce;
	if (++x->rejected < REJECTED_ROUNDS)
		return;
	s = sign_add(e, ECHO_AUTH, &where, frame_ref_of(p));
	if (!s)
		return;
	s->seen[0] = asked->at;
	sign_texts(s, "Request-URI", span_of(address_text(&asked->digest_other->digest, digest)),
		span_of(address_text(&asked->digest_other->target, target)));
}

void agents_answer(struct echoes *e, const struct packet *p, const struct sip_message *m, const struct asked *asked)
{
	struct agent *x = asked->agent ? agent_find(&e->agents, asked->agent) : NULL;

	if (!x)
		return;
	if (x->told_ns == NS_NONE && tells_public(m, asked))
		x->told_ns = p->at_ns;
	if (m->status == 401 || m->status == 407 || m->status == 403)
		refused(e, x, p, m, asked);
	else if (m->status >= 200 && m->status < 300)
		x->rejected = 0;
}

/* ---- what speaks against it ---- */

bool agents_untouched(const struct agents *a, const struct address *from, uint8_t transport, uint16_t port)
{
	const struct site *site = site_find(a, from, transport, port);

	return site && site->untouched_first_ns != NS_NONE;
}

static bool untouched(const struct agents *a, const struct echo_sign *s)
{
	const struct site *site = site_find(a, &s->phone.addr, s->transport, s->peer.port);

	return site && site->untouched_first_ns != NS_NONE &&
	       ns_add(site->untouched_first_ns, -UNTOUCHED_NS) <= s->last_ns &&
	       ns_add(site->untouched_last_ns, UNTOUCHED_NS) >= s->first_ns;
}

unsigned echoes_doubts(const struct echoes *e, const struct echo_sign *s)
{
	const struct agents *a = &e->agents;
	const struct agent *x = s->agent ? agent_find(a, s->agent) : NULL;
	const struct literal_use *l = x ? literal_find(a, &s->phone.addr, x->user_agent) : NULL;
	unsigned doubts = 0;

	if (told_find(a, &s->phone.addr, &s->phone.addr))
		doubts |= DOUBT_STUN;
	if (x && x->told_ns != NS_NONE && x->public_ns != NS_NONE && x->told_ns < x->public_ns)
		doubts |= DOUBT_LEARNED;
	if (l && l->several)
		doubts |= DOUBT_ELSEWHERE;
	if (untouched(a, s))
		doubts |= DOUBT_UNTOUCHED;
	return doubts;
}

const struct list *echoes_passing(const struct echoes *e)
{
	return &e->agents.sites_in_order;
}

const struct list *echoes_phones(const struct echoes *e)
{
	return &e->agents.in_order;
}
