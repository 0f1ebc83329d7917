/* SPDX-License-Identifier: MIT */
/* flow: attempts in order of their SYN; eviction takes the oldest of those that have least to do with SIP. */
#include "analyzer/network/flow.h"

#include <stdio.h>
#include <stdlib.h>

#include "analyzer/site.h"
#include "captures/base/memory.h"
#include "captures/base/text.h"
#include "dissect/x509.h"

enum {
	FLOWS_MAX = 16384,
	PROTOCOL_TCP = 6,
	CONTENT_CIPHER = 20, CONTENT_ALERT = 21, CONTENT_HANDSHAKE = 22, CONTENT_DATA = 23,
	CERTIFICATE = 11, SERVER_HELLO = 2,
	ALERT_CLOSE = 0, ALERT_RECORD = 19,  /* TLS 1.3: an alert, its type, the tag */
	TLS_13 = 0x0304
};

/* The first ones go first. A scan of 5060 pushes out no connection that carried SIP, the web none that was to. */
enum grade {
	GRADE_PASSING,               /* spoke, and not SIP */
	GRADE_UNDECIDED,
	GRADE_LIKELY,                /* to a port of SIP */
	GRADE_OURS
};

struct flows {
	const struct site *site;
	struct hash by_key, services_by_key, secured;
	struct list order, services, of_grade[GRADE_OURS];      /* of_grade: queues of candidates for eviction */
	struct arena *settled;       /* services */
	size_t max;
	unsigned next_n;
	uint64_t evicted, others_evicted;
};

struct flow_slot {                   /* a flow and its place among those of its grade */
	struct flow flow;
	struct list_link in_grade;
	enum grade grade;
	bool is_keyed;               /* the newest of its 5-tuple; older ones are found by order alone */
};

struct flows *flows_new(const struct site *site, size_t max)
{
	struct flows *f = memory_zalloc(sizeof *f);

	f->site = site;
	f->max = max ? max : FLOWS_MAX;
	hash_init(&f->by_key);
	hash_init(&f->services_by_key);
	hash_init(&f->secured);
	list_init(&f->order);
	for (unsigned i = 0; i < GRADE_OURS; i++)
		list_init(&f->of_grade[i]);
	list_init(&f->services);
	return f;
}

static void services_forget(struct flows *f)
{
	hash_fini(&f->services_by_key);
	hash_init(&f->services_by_key);
	hash_fini(&f->secured);
	hash_init(&f->secured);
	list_init(&f->services);
	arena_free(f->settled);
	f->settled = NULL;
}

void flows_free(struct flows *f)
{
	if (!f)
		return;
	services_forget(f);
	hash_fini(&f->services_by_key);
	hash_fini(&f->secured);
	LIST_EACH_SAFE(it, &f->order)
		free(LIST_ENTRY(it, struct flow_slot, flow.in_order));
	hash_fini(&f->by_key);
	free(f);
}

static struct flow_slot *slot_of(struct flow *flow)
{
	return LIST_ENTRY(flow, struct flow_slot, flow);
}

static void regrade(struct flows *f, struct flow *flow, enum grade grade)
{
	struct flow_slot *s = slot_of(flow);

	if (s->grade == grade)
		return;
	if (s->grade != GRADE_OURS)
		list_remove(&f->of_grade[s->grade], &s->in_grade);
	if (grade != GRADE_OURS)
		list_add_tail(&f->of_grade[grade], &s->in_grade);
	s->grade = grade;
}

static void unkey(struct flows *f, struct flow *flow)
{
	struct flow_slot *s = slot_of(flow);

	if (s->is_keyed)
		hash_remove(&f->by_key, &flow->by_key);
	s->is_keyed = false;
}

static void flow_remove(struct flows *f, struct flow *flow)
{
	struct flow_slot *s = slot_of(flow);

	f->evicted += s->grade > GRADE_PASSING;
	f->others_evicted += s->grade == GRADE_PASSING;
	regrade(f, flow, GRADE_OURS);
	unkey(f, flow);
	list_remove(&f->order, &flow->in_order);
	free(s);
}

static void make_room(struct flows *f)
{
	if (f->order.count < f->max)
		return;
	for (unsigned i = 0; i < GRADE_OURS; i++) {
		if (!list_empty(&f->of_grade[i])) {
			flow_remove(f, &LIST_ENTRY(f->of_grade[i].head.next, struct flow_slot, in_grade)->flow);
			return;
		}
	}
	flow_remove(f, LIST_ENTRY(f->order.head.next, struct flow, in_order));
}

/* The same for both directions. */
static uint32_t key_of(const struct endpoint *a, const struct endpoint *b)
{
	return endpoint_hash(a) ^ endpoint_hash(b);
}

static struct flow *flow_find(const struct flows *f, const struct packet *p, unsigned *ret_side)
{
	uint32_t hash = key_of(&p->src, &p->dst);

	for (struct hash_link *it = hash_first(&f->by_key, hash); it; it = it->next) {
		struct flow *x = HASH_ENTRY(it, struct flow, by_key);

		if (it->hash != hash)
			continue;
		if (endpoint_equal(&x->client, &p->src) && endpoint_equal(&x->server, &p->dst)) {
			*ret_side = FLOW_CLIENT;
			return x;
		}
		if (endpoint_equal(&x->client, &p->dst) && endpoint_equal(&x->server, &p->src)) {
			*ret_side = FLOW_SERVER;
			return x;
		}
	}
	return NULL;
}

static struct flow *flow_add(struct flows *f, const struct endpoint *client, const struct endpoint *server,
	const struct packet *p)
{
	struct flow_slot *s;

	make_room(f);
	s = memory_zalloc(sizeof *s);
	s->flow = (struct flow){ .client = *client, .server = *server, .n = ++f->next_n, .first_ns = p->at_ns,
		.syn_ns = p->at_ns, .last_ns = p->at_ns,
				 .first_at = frame_ref_of(p) };
	list_add_tail(&f->order, &s->flow.in_order);
	s->grade = site_sip_port(f->site, server->port) ? GRADE_LIKELY : GRADE_UNDECIDED;
	list_add_tail(&f->of_grade[s->grade], &s->in_grade);
	s->is_keyed = true;
	hash_add(&f->by_key, &s->flow.by_key, key_of(client, server));
	return &s->flow;
}

static bool is_syn(const struct packet *p)
{
	return (p->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
}

/* A first SYN makes a flow, a copy of it counts; the same ports with another number are a new attempt. */
static struct flow *take_syn(struct flows *f, struct flow *flow, unsigned *side, const struct packet *p)
{
	if (!flow || *side == FLOW_SERVER || flow->isn != p->tcp_seq || flow->partial) {
		if (flow)
			unkey(f, flow);
		*side = FLOW_CLIENT;
		flow = flow_add(f, &p->src, &p->dst, p);
		flow->isn = p->tcp_seq;
	}
	flow->syns++;
	flow->syn_ns = p->at_ns;
	flow->syn_at = frame_ref_of(p);
	return flow;
}

/* Met in its midst: only SIP and TLS are worth a record. The side with the lower port is the server. */
static struct flow *take_partial(struct flows *f, const struct packet *p, unsigned *ret_side)
{
	bool to_server = p->dst.port < p->src.port;
	struct flow *flow;

	if (p->kind != PACKET_SIP && p->kind != PACKET_TLS)
		return NULL;
	if (p->kind == PACKET_TLS && p->tls.content == CONTENT_HANDSHAKE && p->tls.handshake == 1)
		to_server = true;
	flow = to_server ? flow_add(f, &p->src, &p->dst, p) : flow_add(f, &p->dst, &p->src, p);
	flow->partial = true;
	*ret_side = to_server ? FLOW_CLIENT : FLOW_SERVER;
	return flow;
}

/* ---- TLS ---- */

static void name_copy(struct span s, char text[FLOW_NAME])
{
	text_escape(s, text, FLOW_NAME);
}

static void names_list(const struct x509 *x, char text[FLOW_NAME])
{
	size_t n = 0;

	text[0] = '\0';
	for (unsigned i = 0; i < x->name_count && n + 8 < FLOW_NAME; i++) {
		n += (size_t)snprintf(text + n, FLOW_NAME - n, "%s", n ? ", " : "");
		text_escape(x->names[i], text + n, FLOW_NAME - n);
		n += strlen(text + n);
	}
	for (unsigned i = 0; i < x->address_count && n + ADDRESS_TEXT + 3 < FLOW_NAME; i++) {
		char address[ADDRESS_TEXT];

		n += (size_t)snprintf(text + n, FLOW_NAME - n, "%s%s", n ? ", " : "",
			address_text(&x->addresses[i], address));
	}
}

static void take_certificate(struct flow *flow, const struct packet *p)
{
	struct flow_certificate *c = &flow->certificate;
	struct x509 x;

	if (c->seen || !x509_parse(p->tls.certificate, &x))
		return;
	*c = (struct flow_certificate){ .seen = true, .self_issued = x.self_issued, .not_before_s = x.not_before_s,
		.not_after_s = x.not_after_s,
					.at = frame_ref_of(p) };
	name_copy(x.subject, c->subject);
	name_copy(x.issuer, c->issuer);
	names_list(&x, c->names);
	c->covers = flow->server_name[0] ? x509_covers(&x, span_of(flow->server_name)) : x509_covers_address(&x,
		&flow->server.addr);
}

static void take_handshake(struct flow *flow, unsigned side, const struct packet *p)
{
	const struct tls_record *r = &p->tls;

	if (flow->side[side].cipher_changed)
		return;
	if (side == FLOW_CLIENT && r->handshake == 1 && !flow->hello_at.frame) {
		flow->hello_at = frame_ref_of(p);
		flow->offered = r->hello_version;
		name_copy(r->server_name, flow->server_name);
		flow->sip_alpn |= span_starts(r->alpn, SPAN("sip"));
	} else if (side == FLOW_SERVER && (r->messages & 1u << SERVER_HELLO) && !flow->server_hello_at.frame) {
		flow->server_hello_at = frame_ref_of(p);
		flow->chosen = r->hello_version;
		flow->sip_alpn |= span_starts(r->alpn, SPAN("sip"));
	}
	if (side == FLOW_SERVER && r->certificate.n)
		take_certificate(flow, p);
	if (side == FLOW_CLIENT && r->messages & 1u << CERTIFICATE) {
		flow->client_certificate_empty = r->certificate_empty;
		flow->client_certificate = !r->certificate_empty;
	}
}

/* Level 1 may be ignored by who gets it, but for "close" and "canceled" it is remembered until a worse one comes. */
static void take_alert(struct flow *flow, unsigned side, const struct packet *p)
{
	struct flow_side *s = &flow->side[side];

	if (p->tls.alert_level == 0 || p->tls.alert == ALERT_CLOSE || s->alert_level >= p->tls.alert_level)
		return;
	s->alert_level = p->tls.alert_level;
	s->alert = p->tls.alert;
	s->alert_at = frame_ref_of(p);
}

static bool left(const struct flow_side *s)
{
	return s->fin_at.frame || s->rst_at.frame ||
	       (s->record_count > 1 && s->records[(s->record_count - 1) % FLOW_RECORDS] == ALERT_RECORD);
}

/* What a server sends behind the client's Finished tells whether it took the client: judged by direction. */
static void take_data(struct flow *flow, unsigned side, const struct packet *p)
{
	struct flow_side *s = &flow->side[side];
	uint16_t length = (uint16_t)(p->tls.length < UINT16_MAX ? p->tls.length : UINT16_MAX);

	if (side == FLOW_SERVER && flow->side[FLOW_CLIENT].record_count) {
		if (flow->late_count++ == 0) {
			flow->late_first = length;
			flow->client_left = left(&flow->side[FLOW_CLIENT]);
		}
		flow->late_big |= length != ALERT_RECORD;
	}
	if (s->record_count < FLOW_RECORDS)
		s->records[s->record_count] = length;
	s->record_count++;
	s->record_at = frame_ref_of(p);
}

static void take_tls(struct flows *f, struct flow *flow, unsigned side, const struct packet *p)
{
	switch (p->tls.content) {
	case CONTENT_CIPHER:
		flow->side[side].cipher_changed = true;
		break;
	case CONTENT_ALERT:
		take_alert(flow, side, p);
		break;
	case CONTENT_HANDSHAKE:
		if (flow->side[side].first == FLOW_LATER)
			flow->side[side].first = FLOW_TLS;
		take_handshake(flow, side, p);
		break;
	case CONTENT_DATA:
		take_data(flow, side, p);
		break;
	}
	if (flow->sip_alpn)
		regrade(f, flow, GRADE_OURS);
}

/* ---- a segment ---- */

static enum flow_speech speech_of(const struct packet *p)
{
	struct span s = p->payload;

	if (s.n >= 3 && s.p[0] >= CONTENT_CIPHER && s.p[0] <= CONTENT_DATA && s.p[1] == 3 && s.p[2] <= 4)
		return FLOW_TLS;
	return sip_looks_like(s) ? FLOW_SIP : FLOW_OTHER;
}

/* What stands behind a hole says nothing of how its side began. */
static enum flow_speech opening_of(const struct flow_side *s, const struct packet *p)
{
	enum flow_speech speech = speech_of(p);

	if (s->begin_known)
		return p->tcp_seq == s->begin_seq ? speech : FLOW_LATER;
	return speech;
}

/* It comes again, and nobody has acknowledged it. */
static void take_stuck(struct flow_side *s, const struct packet *p)
{
	if (!s->stuck_copies || s->stuck_seq != p->tcp_seq) {
		s->stuck_at = frame_ref_of(p);
		s->stuck_seq = p->tcp_seq;
		s->stuck_bytes = p->ip_bytes;
		s->stuck_copies = 0;
	}
	s->stuck_copies++;
}

static void take_payload(struct flow *flow, unsigned side, const struct packet *p)
{
	struct flow_side *s = &flow->side[side];
	const struct flow_side *other = &flow->side[!side];

	if (p->tcp_retransmission) {
		take_stuck(s, p);
		s->opening_copies += s->bytes > 0 && s->bytes <= s->opening_bytes;
		s->flight_copies += s->bytes > 0 && !s->taken && other->bytes <= other->opening_bytes;
		s->unheard_copies++;
		if (s->first != FLOW_LATER)
			return;
	} else {
		s->bytes += p->payload_wire;
	}
	if (s->first != FLOW_NOTHING && s->first != FLOW_LATER)
		return;
	s->first = opening_of(s, p);
	s->first_at = frame_ref_of(p);
	s->opening_bytes = (uint32_t)p->payload_wire;
}

/* Where each side's bytes begin, and whether the other one has got any of them. */
static void take_numbers(struct flow *flow, unsigned side, const struct packet *p)
{
	struct flow_side *s = &flow->side[side], *other = &flow->side[!side];

	if (p->tcp_flags & TCP_SYN) {
		s->begin_seq = p->tcp_seq + 1;
		s->begin_known = true;
	} else if (p->tcp_flags & TCP_ACK && other->begin_known && other->bytes > 0) {
		other->taken |= (int32_t)(p->tcp_ack - other->begin_seq) > 0;
	}
	if (other->stuck_copies && (p->tcp_flags & TCP_ACK) && (int32_t)(p->tcp_ack - other->stuck_seq) > 0)
		other->stuck_copies = 0;
}

static void take_end(struct flow *flow, unsigned side, const struct packet *p)
{
	struct flow_side *s = &flow->side[side];

	if (p->tcp_flags & TCP_RST && !s->rst_at.frame)
		s->rst_at = frame_ref_of(p);
	if (p->tcp_flags & TCP_FIN && !s->fin_at.frame)
		s->fin_at = frame_ref_of(p);
}

static void take_message(struct flows *f, struct flow *flow, unsigned side, const struct packet *p)
{
	struct flow_side *s = &flow->side[side];

	regrade(f, flow, GRADE_OURS);
	if ((s->first == FLOW_OTHER && s->bytes == p->payload_wire) || s->first == FLOW_LATER)
		s->first = FLOW_SIP;         /* line ends went before it */
	if (!s->sip_at.frame && p->transport == TRANSPORT_TCP)
		s->sip_at = frame_ref_of(p);
}

void flows_packet(struct flows *f, const struct packet *p)
{
	struct flow *flow;
	unsigned side = FLOW_CLIENT;

	if (p->ip_protocol != PROTOCOL_TCP || !(p->has & HAS_PORTS) || p->tunnel == TUNNEL_HEP)
		return;
	flow = flow_find(f, p, &side);
	if (is_syn(p) && p->first_of_frame)
		flow = take_syn(f, flow, &side, p);
	else if (!flow)
		flow = take_partial(f, p, &side);
	if (!flow)
		return;
	flow->last_ns = p->at_ns;
	if (p->first_of_frame) {
		if (side == FLOW_SERVER && (p->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST)) == (TCP_SYN | TCP_ACK) &&
		    !flow->accepted_at.frame)
			flow->accepted_at = frame_ref_of(p);
		take_numbers(flow, side, p);
		if (!(p->tcp_flags & TCP_RST))
			flow->side[side].last_ns = p->at_ns;
		flow->side[!side].unheard_copies = 0;
		if (p->payload_wire)
			take_payload(flow, side, p);
		if (p->payload_wire && slot_of(flow)->grade == GRADE_UNDECIDED)
			regrade(f, flow, GRADE_PASSING);
		take_end(flow, side, p);
	}
	if (p->kind == PACKET_SIP)
		take_message(f, flow, side, p);
	else if (p->kind == PACKET_TLS)
		take_tls(f, flow, side, p);
}

const struct list *flows_in_order(const struct flows *f)
{
	return &f->order;
}

uint64_t flows_evicted(const struct flows *f)
{
	return f->evicted;
}

uint64_t flows_others_evicted(const struct flows *f)
{
	return f->others_evicted;
}

/* ---- what it came to ---- */

bool flow_accepted(const struct flow *f)
{
	return f->partial || f->accepted_at.frame || f->side[FLOW_SERVER].bytes > 0;
}

bool flow_refused(const struct flow *f)
{
	return !flow_accepted(f) && f->side[FLOW_SERVER].rst_at.frame;
}

bool flow_secured(const struct flow *f)
{
	const struct flow_side *client = &f->side[FLOW_CLIENT], *server = &f->side[FLOW_SERVER];

	if (client->alert_level == 2 || server->alert_level == 2)
		return false;
	if (f->partial && !f->hello_at.frame)
		return client->record_count && server->record_count;
	if (f->chosen == 0)
		return false;
	return f->chosen < TLS_13 ? client->cipher_changed && server->cipher_changed : f->late_big;
}

static struct flow_service *service_add(struct flows *f, const struct endpoint *at)
{
	struct flow_service *s = (struct flow_service *)flows_service(f, at);

	if (s)
		return s;
	s = arena_zalloc(f->settled, sizeof *s);
	s->at = *at;
	list_add_tail(&f->services, &s->in_order);
	hash_add(&f->services_by_key, &s->by_key, endpoint_hash(at));
	return s;
}

static void count(unsigned *counter, struct frame_ref *at, struct frame_ref here)
{
	if ((*counter)++ == 0)
		*at = here;
}

static void service_take(struct flow_service *s, const struct flow *x)
{
	if (flow_accepted(x))
		count(&s->accepted, &s->accepted_at, x->accepted_at.frame ? x->accepted_at : x->first_at);
	s->refused += flow_refused(x);
	s->sip_alpn += x->sip_alpn;
	if (x->side[FLOW_SERVER].sip_at.frame && x->side[FLOW_CLIENT].sip_at.frame)
		count(&s->plain, &s->plain_at, x->side[FLOW_SERVER].sip_at);
	if (!flow_secured(x))
		return;
	count(&s->secured, &s->secured_at, x->server_hello_at.frame ? x->server_hello_at : x->first_at);
	if (x->offered && (!s->lowest_secured || x->offered < s->lowest_secured))
		s->lowest_secured = x->offered;
	if (x->offered > s->highest_offer_secured)
		s->highest_offer_secured = x->offered;
}

struct secured {                     /* TLS that came up between a client's host and a server's socket */
	struct hash_link by_hosts;
	struct address client;
	struct endpoint server;
	int64_t last_ns;
};

static uint32_t hosts_hash(const struct address *client, const struct address *server)
{
	struct endpoint a = { *client, 0 }, b = { *server, 1 };

	return (uint32_t)hash_mix(endpoint_key(&a), endpoint_key(&b));
}

static void secured_add(struct flows *f, const struct flow *x)
{
	uint32_t hash = hosts_hash(&x->client.addr, &x->server.addr);
	struct secured *s;

	for (struct hash_link *it = hash_first(&f->secured, hash); it; it = it->next) {
		s = HASH_ENTRY(it, struct secured, by_hosts);
		if (it->hash == hash && address_equal(&s->client, &x->client.addr) &&
		    endpoint_equal(&s->server, &x->server)) {
			s->last_ns = x->last_ns > s->last_ns ? x->last_ns : s->last_ns;
			return;
		}
	}
	s = arena_zalloc(f->settled, sizeof *s);
	s->client = x->client.addr;
	s->server = x->server;
	s->last_ns = x->last_ns;
	hash_add(&f->secured, &s->by_hosts, hash);
}

bool flows_secured_since(const struct flows *f, const struct address *client, const struct endpoint *server,
	int64_t from_ns)
{
	uint32_t hash = hosts_hash(client, &server->addr);

	for (struct hash_link *it = hash_first(&f->secured, hash); it; it = it->next) {
		const struct secured *s = HASH_ENTRY(it, struct secured, by_hosts);

		if (it->hash == hash && s->last_ns >= from_ns && address_equal(&s->client, client) &&
		    address_equal(&s->server.addr, &server->addr) &&
		    s->server.port != server->port)
			return true;
	}
	return false;
}

void flows_settle(struct flows *f)
{
	services_forget(f);
	f->settled = arena_new();
	LIST_EACH(it, &f->order) {
		const struct flow *x = LIST_ENTRY(it, struct flow, in_order);

		service_take(service_add(f, &x->server), x);
		if (flow_secured(x))
			secured_add(f, x);
	}
}

const struct flow_service *flows_service(const struct flows *f, const struct endpoint *at)
{
	uint32_t hash = endpoint_hash(at);

	for (struct hash_link *it = hash_first(&f->services_by_key, hash); it; it = it->next) {
		struct flow_service *s = HASH_ENTRY(it, struct flow_service, by_key);

		if (it->hash == hash && endpoint_equal(&s->at, at))
			return s;
	}
	return NULL;
}

const struct list *flows_services(const struct flows *f)
{
	return &f->services;
}
