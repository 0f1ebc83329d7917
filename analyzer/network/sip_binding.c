/* SPDX-License-Identifier: MIT */
/*
 * sip_binding: who sent last, who was asked after which silence, and who answered. One hash look-up a packet of
 * signalling.
 */
#include "analyzer/network/sip_binding.h"

#include <stdlib.h>

#include "analyzer/network/internal.h"
#include "captures/base/memory.h"
#include "captures/base/text.h"

enum {
	DEFAULT_MAX = 32768,
	PLACES_MAX = 4,
	DEAD_TRANSMISSIONS = 3,
	CLIENT_FLOWS = 16            /* registrars of one client socket that are told of a stray keepalive */
};

/* an answer that late may be to a repetition through a mapping made anew */
#define ANSWER_NS (2 * SECOND_NS)
#define DEAD_SPAN_NS (7 * SECOND_NS)         /* 0, 0.5, 1.5, 3.5, 7.5 s: T1 doubled, RFC 3261 17.1 */

struct binding_record;

/* one registering user agent since its start: its REGISTERs share a Call-ID (RFC 3261 10.2) */
struct device {
	struct hash_link by_id;
	uint64_t id;
	struct { struct binding_record *latest; uint32_t cseq; } places[PLACES_MAX]; /* one an address, oldest first */
	unsigned place_count;
};

struct binding_record {
	struct sip_binding binding;
	struct hash_link by_flow, by_client;
	struct grade grade;
	struct device *devices[BINDING_DEVICES];
	unsigned device_count;
	struct binding_probe probes[BINDING_PROBES]; /* not answered yet */
	unsigned probe_count;
	uint64_t seen[BINDING_SEEN];
	unsigned seen_next;
};

struct nat_record {
	struct binding_nat nat;
	struct hash_link by_addr;
};

struct sip_bindings {
	struct sip_bindings_config config;
	struct hash flows, clients, devices, nats_by_addr;
	struct list in_order;
	struct grades grades;
};

/* ---- tables ---- */

struct sip_bindings *sip_bindings_new(const struct sip_bindings_config *config)
{
	struct sip_bindings *b = memory_zalloc(sizeof *b);

	b->config = *config;
	if (!b->config.max)
		b->config.max = DEFAULT_MAX;
	hash_init(&b->flows);
	hash_init(&b->clients);
	hash_init(&b->devices);
	hash_init(&b->nats_by_addr);
	list_init(&b->in_order);
	grades_init(&b->grades);
	return b;
}

static struct binding_record *record_of(const struct sip_binding *b)
{
	return (struct binding_record *)b;
}

static uint32_t flow_hash(const struct endpoint *client, const struct endpoint *server)
{
	return (uint32_t)hash_mix(endpoint_key(client), endpoint_key(server));
}

static struct binding_record *flow_find(const struct sip_bindings *b, const struct endpoint *client,
	const struct endpoint *server)
{
	uint32_t hash;

	if (!b->flows.count)                    /* no phone has registered over UDP */
		return NULL;
	hash = flow_hash(client, server);
	for (struct hash_link *it = hash_first(&b->flows, hash); it; it = it->next) {
		struct binding_record *r = HASH_ENTRY(it, struct binding_record, by_flow);

		if (it->hash == hash && endpoint_equal(&r->binding.client, client) &&
		    endpoint_equal(&r->binding.server, server))
			return r;
	}
	return NULL;
}

static struct nat_record *nat_find(const struct sip_bindings *b, const struct address *a)
{
	uint32_t hash = address_hash(a);

	for (struct hash_link *it = hash_first(&b->nats_by_addr, hash); it; it = it->next) {
		struct nat_record *n = HASH_ENTRY(it, struct nat_record, by_addr);

		if (it->hash == hash && address_equal(&n->nat.addr, a))
			return n;
	}
	return NULL;
}

static struct nat_record *nat_add(struct sip_bindings *b, const struct address *a)
{
	struct nat_record *n = nat_find(b, a);

	if (n)
		return n;
	n = memory_zalloc(sizeof *n);
	n->nat.addr = *a;
	hash_add(&b->nats_by_addr, &n->by_addr, address_hash(a));
	return n;
}

static void nat_leave(struct sip_bindings *b, struct sip_binding *binding)
{
	struct nat_record *n = (struct nat_record *)binding->nat;

	if (n->nat.dead_of == binding)
		n->nat.dead_of = NULL;
	if (--n->nat.bindings)
		return;
	hash_remove(&b->nats_by_addr, &n->by_addr);
	free(n);
}

static void device_forget(struct sip_bindings *b, struct device *d, const struct binding_record *r)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < d->place_count; i++) {
		if (d->places[i].latest != r)
			d->places[kept++] = d->places[i];
	}
	d->place_count = kept;
	if (kept)
		return;
	hash_remove(&b->devices, &d->by_id);
	free(d);
}

/* The device has left this binding; it may come back, then it is noted anew. */
static void record_forget(struct binding_record *r, const struct device *d)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < r->device_count; i++) {
		if (r->devices[i] != d)
			r->devices[kept++] = r->devices[i];
	}
	r->device_count = kept;
}

static void record_free(struct sip_bindings *b, struct binding_record *r)
{
	for (unsigned i = 0; i < r->device_count; i++)
		device_forget(b, r->devices[i], r);
	nat_leave(b, &r->binding);
	hash_remove(&b->flows, &r->by_flow);
	hash_remove(&b->clients, &r->by_client);
	list_remove(&b->in_order, &r->binding.in_order);
	grades_remove(&b->grades, &r->grade);
	free(r);
}

void sip_bindings_free(struct sip_bindings *b)
{
	if (!b)
		return;
	LIST_EACH_SAFE(it, &b->in_order)
		record_free(b, record_of(LIST_ENTRY(it, struct sip_binding, in_order)));
	hash_fini(&b->flows);
	hash_fini(&b->clients);
	hash_fini(&b->devices);
	hash_fini(&b->nats_by_addr);
	free(b);
}

static void make_room(struct sip_bindings *b)
{
	if (b->flows.count >= b->config.max)
		record_free(b, HASH_ENTRY(grades_next(&b->grades, NULL), struct binding_record, grade));
}

static struct binding_record *flow_add(struct sip_bindings *b, const struct packet *p)
{
	struct binding_record *r = flow_find(b, &p->src, &p->dst);

	if (r)
		return r;
	make_room(b);
	r = memory_zalloc(sizeof *r);
	r->binding = (struct sip_binding){ .client = p->src, .server = p->dst, .first = frame_ref_of(p),
		.last_in_ns = NS_NONE,
					   .registered_until_ns = NS_NONE };
	r->binding.nat = &nat_add(b, &p->src.addr)->nat;
	r->binding.nat->bindings++;
	list_add_tail(&b->in_order, &r->binding.in_order);
	hash_add(&b->flows, &r->by_flow, flow_hash(&p->src, &p->dst));
	hash_add(&b->clients, &r->by_client, endpoint_hash(&p->src));
	grades_add(&b->grades, &r->grade, p->at_ns);
	return r;
}

static struct device *device_find(const struct sip_bindings *b, uint64_t id)
{
	for (struct hash_link *it = hash_first(&b->devices, (uint32_t)id); it; it = it->next) {
		struct device *d = HASH_ENTRY(it, struct device, by_id);

		if (d->id == id)
			return d;
	}
	return NULL;
}

static struct device *device_add(struct sip_bindings *b, uint64_t id)
{
	struct device *d = memory_zalloc(sizeof *d);

	d->id = id;
	hash_add(&b->devices, &d->by_id, (uint32_t)id);
	return d;
}

uint64_t sip_binding_call(struct span call_id)
{
	return hash_bytes(call_id.p, call_id.n);
}

static uint64_t transaction_key(const struct sip_message *m)
{
	return hash_mix(m->keys.call_id, (uint64_t)m->cseq << 8 | m->method);
}

/* ---- probes ---- */

static void nat_alive(struct binding_nat *n, const struct binding_probe *probe)
{
	if (!probe->stream || probe->quiet_ns <= n->alive_ns)
		return;
	n->alive_ns = probe->quiet_ns;
	n->alive_at = probe->first;
}

static void nat_dead(const struct sip_binding *b, int64_t silence_ns, struct frame_ref at)
{
	struct binding_nat *n = b->nat;

	n->deaths++;
	if (n->dead_ns && silence_ns >= n->dead_ns)
		return;
	n->dead_ns = silence_ns;
	n->dead_at = at;
	n->dead_of = b;
}

static void probe_remove(struct binding_record *r, unsigned i)
{
	memmove(&r->probes[i], &r->probes[i + 1], (--r->probe_count - i) * sizeof r->probes[0]);
}

static struct binding_probe *probe_find(struct binding_record *r, uint64_t key)
{
	for (unsigned i = 0; i < r->probe_count; i++) {
		if (r->probes[i].key == key)
			return &r->probes[i];
	}
	return NULL;
}

/* The server asks: ACK is never answered and asks nothing. */
static void probe_begin(struct binding_record *r, const struct packet *p)
{
	struct sip_binding *b = &r->binding;
	const struct sip_message *m = p->sip;
	uint64_t key = transaction_key(m);
	struct binding_probe *probe = probe_find(r, key);
	int64_t last_ns = b->last_in_ns > b->last_out.at_ns ? b->last_in_ns : b->last_out.at_ns;

	if (m->method == SIP_ACK || m->via_count == 0)
		return;
	if (probe) {
		if (probe->first.file == p->file) {
			probe->transmissions++;
			probe->last = frame_ref_of(p);
		}
		return;
	}
	r->seen[r->seen_next++ % BINDING_SEEN] = key;
	if (r->probe_count == BINDING_PROBES)
		probe_remove(r, 0);
	r->probes[r->probe_count++] = (struct binding_probe){
		.key = key, .call = m->keys.call_id, .first = frame_ref_of(p), .last = frame_ref_of(p),
		.method = (uint8_t)m->method,
		.in_dialog = m->to.tag.n != 0, .stream = b->ins > 0, .transmissions = 1,
		.silence_ns = ns_minus(p->at_ns, b->last_out.at_ns),
		.quiet_ns = ns_minus(p->at_ns, last_ns),
	};
}

/* Only the answer to the first transmission tells: a later one may owe its way to what the phone sent meanwhile. */
static void probe_answered(struct binding_record *r, const struct packet *p)
{
	struct binding_probe *probe = probe_find(r, transaction_key(p->sip));

	if (!probe)
		return;
	if (ns_minus(p->at_ns, probe->first.at_ns) <= ANSWER_NS)
		nat_alive(r->binding.nat, probe);
	probe_remove(r, (unsigned)(probe - r->probes));
}

static bool probe_dead(const struct binding_probe *probe)
{
	return probe->icmp_at.frame || (probe->transmissions >= DEAD_TRANSMISSIONS &&
		ns_minus(probe->last.at_ns, probe->first.at_ns) >= DEAD_SPAN_NS);
}

/*
 * The phone is alive and has not seen what was sent to it: each probe that had its time was lost, the others say
 * nothing any more. An address that was given up altogether says nothing of how long it keeps a mapping.
 */
static void probes_settle(struct sip_bindings *b, struct binding_record *r, const struct packet *p,
	const struct endpoint *now)
{
	struct sip_binding *binding = &r->binding;

	for (unsigned i = 0; i < r->probe_count; i++) {
		const struct binding_probe *probe = &r->probes[i];

		if (probe->stopped || !probe_dead(probe) || ns_minus(p->at_ns, probe->first.at_ns) > b->config.proof_ns)
			continue;
		if (probe->silence_ns < b->config.min_silence_ns && !probe->icmp_at.frame) {
			binding->unanswered_early += endpoint_equal(now, &binding->client);
			if (endpoint_equal(now, &binding->client))
				continue;
		}
		if (binding->translated && probe->stream && address_equal(&now->addr, &binding->client.addr))
			nat_dead(binding, probe->silence_ns, probe->first);
		if (binding->death_count < BINDING_DEATHS)
			binding->deaths[binding->death_count++] = (struct binding_death){ *probe, frame_ref_of(p), *now,
											  !endpoint_equal(now,
											  &binding->client) };
	}
	r->probe_count = 0;
}

/* ---- what the phone does ---- */

static void gap_note(struct sip_binding *b, const struct packet *p)
{
	int64_t gap_ns = ns_minus(p->at_ns, b->last_out.at_ns);

	if (!b->outs || gap_ns < SECOND_NS)
		return;
	b->gaps++;
	if (gap_ns <= b->gap_max_ns)
		return;
	b->gap_max_ns = gap_ns;
	b->gap_from = b->last_out;
	b->gap_to = frame_ref_of(p);
}

static void out_note(struct sip_bindings *b, struct binding_record *r, const struct packet *p)
{
	gap_note(&r->binding, p);
	r->binding.last_out = frame_ref_of(p);
	r->binding.outs++;
	r->binding.keepalives += p->kind != PACKET_SIP;
	grades_touch(&b->grades, &r->grade, p->at_ns);
}

static void change_note(struct binding_nat *n, const struct device *d, int64_t at_ns)
{
	if (n->change_count == BINDING_CHANGES)
		memmove(n->changes, n->changes + 1, --n->change_count * sizeof n->changes[0]);
	n->changes[n->change_count].at_ns = at_ns;
	n->changes[n->change_count++].device = d->id;
}

/*
 * The same device speaks from another port of the same address: its mapping died while it was silent. From another
 * address: the way out has changed, or this is a second capture point; what was lost on the way to the old one is
 * settled when the old one stays silent. One that calls itself otherwise has changed its own address or socket (roamed,
 * a new lease): that says nothing of the old mapping.
 */
static void device_moves(struct sip_bindings *b, struct device *d, struct binding_record *from,
	struct binding_record *to, const struct packet *p)
{
	struct sip_binding *old = &from->binding;
	int64_t silence_ns = ns_minus(p->at_ns, old->last_out.at_ns);

	if (!endpoint_equal(&old->inner, &to->binding.inner)) {
		from->probe_count = 0;
		return;
	}
	change_note(old->nat, d, p->at_ns);
	probes_settle(b, from, p, &to->binding.client);
	if (old->translated && old->ins && address_equal(&old->client.addr, &to->binding.client.addr) && silence_ns > 0)
		nat_dead(old, silence_ns, frame_ref_of(p));
}

static unsigned place_of(const struct device *d, const struct address *a)
{
	for (unsigned i = 0; i < d->place_count; i++) {
		if (address_equal(&d->places[i].latest->binding.client.addr, a))
			return i;
	}
	return d->place_count;
}

static void place_put(struct device *d, unsigned i, struct binding_record *r)
{
	if (i < d->place_count) {
		record_forget(d->places[i].latest, d);
	} else if (d->place_count == PLACES_MAX) {
		record_forget(d->places[0].latest, d);
		memmove(d->places, d->places + 1, --d->place_count * sizeof d->places[0]);
		i = d->place_count++;
	} else {
		d->place_count++;
	}
	d->places[i].latest = r;
	r->devices[r->device_count++] = d;
}

static bool knows(const struct binding_record *r, const struct device *d)
{
	for (unsigned i = 0; i < r->device_count; i++) {
		if (r->devices[i] == d)
			return true;
	}
	return false;
}

/*
 * An address that the device has left: nobody speaks there any more, and the numbering of its REGISTERs has gone on
 * here.
 */
static void places_left(struct sip_bindings *b, struct device *d, struct binding_record *to, const struct packet *p)
{
	for (unsigned i = 0; i < d->place_count; i++) {
		struct binding_record *old = d->places[i].latest;

		if (!address_equal(&old->binding.client.addr, &to->binding.client.addr) && old->binding.translated &&
		    to->binding.translated && p->sip->cseq > d->places[i].cseq)
			device_moves(b, d, old, to, p);
	}
}

/* A device that was not known here: new, or from elsewhere. */
static struct device *device_arrives(struct sip_bindings *b, struct device *d, uint64_t id, struct binding_record *r,
	const struct packet *p)
{
	unsigned at;

	r->probe_count = 0;                  /* if it was started anew, it may have been down */
	if (r->device_count == BINDING_DEVICES)
		return NULL;
	if (!d)
		d = device_add(b, id);
	places_left(b, d, r, p);
	at = place_of(d, &r->binding.client.addr);
	if (at < d->place_count && p->sip->cseq > d->places[at].cseq)
		device_moves(b, d, d->places[at].latest, r, p);
	place_put(d, at, r);
	return d;
}

static void register_note(struct sip_bindings *b, struct binding_record *r, const struct packet *p)
{
	uint64_t id = hash_mix(p->sip->keys.call_id, endpoint_key(&p->dst));
	struct device *d = device_find(b, id);
	unsigned at;

	if (d && knows(r, d))
		probes_settle(b, r, p, &r->binding.client);
	else
		d = device_arrives(b, d, id, r, p);
	at = d ? place_of(d, &r->binding.client.addr) : PLACES_MAX;
	if (d && at < d->place_count && p->sip->cseq > d->places[at].cseq)
		d->places[at].cseq = p->sip->cseq;
}

static void describe(struct sip_binding *b, const struct sip_message *m)
{
	struct endpoint inner = { .port = m->via.has_port ? m->via.port : SIP_PORT };

	inner.addr = m->via.at;
	if (address_known(&inner.addr))
		b->inner = inner;
	b->translated = address_known(&b->inner.addr) && address_reach(&b->inner.addr) >= 0 &&
		address_reach(&b->inner.addr) < address_reach(&b->client.addr);
	b->pbx = host_role_of_agent(m->user_agent) == ROLE_PBX;
	if (!b->user[0])
		text_escape(m->to.user, b->user, sizeof b->user);
}

/* ---- packets ---- */

static bool registers(const struct packet *p)
{
	return p->kind == PACKET_SIP && p->sip->request && p->sip->method == SIP_REGISTER && p->sip->via_count == 1 &&
	       p->sip->call_id.n;
}

static void take_out(struct sip_bindings *b, struct binding_record *r, const struct packet *p)
{
	if (registers(p)) {
		describe(&r->binding, p->sip);
		register_note(b, r, p);
	} else if (p->kind == PACKET_SIP && !p->sip->request) {
		probe_answered(r, p);
	} else {
		probes_settle(b, r, p, &r->binding.client);
	}
	out_note(b, r, p);
}

static void registered(struct sip_bindings *b, struct sip_binding *binding, const struct packet *p)
{
	const struct sip_message *m = p->sip;

	if (m->has_expires)
		binding->expires_s = m->expires_s;
	binding->registered_until_ns = m->flaws & SIP_FLAW_HEADERS_CUT ? NS_NONE : ns_add(p->at_ns,
		binding->expires_s * SECOND_NS);
	binding->registered = frame_ref_of(p);
	grades_raise(&b->grades, &record_of(binding)->grade, GRADE_ESTABLISHED);
}

static void take_in(struct sip_bindings *b, struct binding_record *r, const struct packet *p)
{
	const struct sip_message *m = p->sip;

	if (p->kind == PACKET_SIP && m->request)
		probe_begin(r, p);
	else if (p->kind == PACKET_SIP && m->method == SIP_REGISTER && m->status >= 200 && m->status < 300)
		registered(b, &r->binding, p);
	r->binding.ins++;
	r->binding.last_in_ns = p->at_ns;
}

/* A keepalive that goes past the registrar keeps another mapping, if any. */
static void take_elsewhere(struct sip_bindings *b, const struct packet *p)
{
	uint32_t hash = endpoint_hash(&p->src);
	unsigned walked = 0;

	if (p->kind != PACKET_KEEPALIVE && p->kind != PACKET_STUN)
		return;
	for (struct hash_link *it = hash_first(&b->clients, hash); it && walked++ < CLIENT_FLOWS; it = it->next) {
		struct binding_record *r = HASH_ENTRY(it, struct binding_record, by_client);

		if (it->hash == hash && endpoint_equal(&r->binding.client, &p->src))
			r->binding.keepalives_elsewhere++;
	}
}

/* The outer address itself says that nothing is behind the port. Type 3 code 3 and 1; ICMPv6 type 1 code 4 and 3. */
static bool refuses(const struct icmp_message *icmp)
{
	return icmp->v6 ? icmp->type == 1 && (icmp->code == 4 || icmp->code == 3) : icmp->type == 3 &&
	       (icmp->code == 3 || icmp->code == 1);
}

/*
 * The router's own word that nothing is there; any other error says that the request did not get as far as a mapping.
 */
static void take_icmp(struct sip_bindings *b, const struct packet *p)
{
	const struct icmp_message *icmp = &p->icmp;
	struct binding_record *r = icmp->error && icmp->quote_readable && icmp->quote_protocol == 17
		? flow_find(b, &icmp->quote_dst, &icmp->quote_src) : NULL;
	bool refused = r && refuses(icmp) && address_equal(&p->src.addr, &r->binding.client.addr);

	for (unsigned i = 0; r && i < r->probe_count; i++) {
		if (!refused)
			r->probes[i].stopped = true;
		else if (!r->probes[i].icmp_at.frame)
			r->probes[i].icmp_at = frame_ref_of(p);
	}
}

void sip_bindings_packet(struct sip_bindings *b, const struct packet *p)
{
	struct binding_record *r;

	if (p->kind == PACKET_ICMP) {
		take_icmp(b, p);
		return;
	}
	if (p->transport != TRANSPORT_UDP ||
	    (p->kind != PACKET_SIP && p->kind != PACKET_KEEPALIVE && p->kind != PACKET_STUN))
		return;
	r = registers(p) ? flow_add(b, p) : flow_find(b, &p->src, &p->dst);
	if (r) {
		take_out(b, r, p);
		return;
	}
	r = flow_find(b, &p->dst, &p->src);
	if (r)
		take_in(b, r, p);
	else
		take_elsewhere(b, p);
}

/* ---- questions ---- */

const struct list *sip_bindings_in_order(const struct sip_bindings *b)
{
	return &b->in_order;
}

const struct sip_binding *sip_bindings_find(const struct sip_bindings *b, const struct endpoint *client,
	const struct endpoint *server)
{
	struct binding_record *r = flow_find(b, client, server);

	return r ? &r->binding : NULL;
}

const struct binding_nat *sip_bindings_nat(const struct sip_bindings *b, const struct address *a)
{
	struct nat_record *n = nat_find(b, a);

	return n ? &n->nat : NULL;
}

bool sip_binding_saw(const struct sip_binding *b, uint64_t probe_key)
{
	const struct binding_record *r = record_of(b);

	for (unsigned i = 0; i < BINDING_SEEN && i < r->seen_next; i++) {
		if (r->seen[i] == probe_key)
			return true;
	}
	return false;
}

bool binding_nat_bracket(const struct binding_nat *n)
{
	return n->dead_ns > 0 && n->dead_ns > n->alive_ns;
}

static unsigned changes_of(const struct binding_nat *n, uint64_t device, int64_t at_ns, int64_t within_ns)
{
	unsigned found = 0;

	for (unsigned i = 0; i < n->change_count; i++) {
		int64_t apart_ns = ns_minus(n->changes[i].at_ns, at_ns);

		found += n->changes[i].device == device && apart_ns <= within_ns && apart_ns >= -within_ns;
	}
	return found;
}

unsigned binding_nat_changes(const struct binding_nat *n, int64_t at_ns, int64_t within_ns)
{
	unsigned found = 0;

	for (unsigned i = 0; i < n->change_count; i++)
		found += changes_of(n, n->changes[i].device, at_ns, within_ns) == 1 &&
			n->changes[i].at_ns <= ns_add(at_ns, within_ns) &&
			n->changes[i].at_ns >= ns_add(at_ns, -within_ns);
	return found;
}
