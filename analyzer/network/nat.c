/* SPDX-License-Identifier: MIT */
/*
 * nat: the map of private and public addresses (1.6.3). A mapping joins two faces, its inside and its outside; a face
 * knows its mappings in the order in which they were learnt last, so that a look-up needs only the latest of them.
 */
#include "analyzer/network/internal.h"

#include <assert.h>
#include <stdlib.h>

#include "captures/base/memory.h"

enum {
	LATEST = 16,                 /* so many mappings of a face are asked */
	DERIVED_LESS = 20,           /* what the address as a whole is worth less than its port */
	OTHER_SCOPE_MAX = 50,        /* a SIP mapping says nothing about the port of media, nor the other way */
	RIVAL_LESS = 30              /* a second private address of that much less weight is noise */
};

struct nat_face {
	struct hash_link by_at;
	struct endpoint at;
	bool media, outer;
	struct list mappings;        /* mapping_record.in_face[outer], latest last */
};

struct mapping_record {
	struct nat_mapping mapping;
	struct hash_link by_both;
	struct list_link in_weight, in_face[2];
	struct nat_face *face[2];    /* inside, outside */
};

static const struct { unsigned weight; const char *name; } methods[] = {
	[NAT_TWIN] = { 100, "twin" },
	[NAT_SIP_TWO_POINTS] = { 100, "sip-two-points" },
	[NAT_STUN] = { 100, "stun" },
	[NAT_RPORT] = { 90, "rport" },
	[NAT_CONFIG] = { 100, "config" },
	[NAT_VIA] = { 80, "via" },
	[NAT_CONTACT] = { 60, "contact" },
	[NAT_SDP_PORT_EQUAL] = { 80, "sdp-port-equal" },
	[NAT_SDP_PORT_OTHER] = { 50, "sdp-port-other" },
	[NAT_LATCHED] = { 70, "latched" },
	[NAT_EXTERNAL_ADDRESS] = { 80, "external-address" },
};

const char *nat_method_name(enum nat_method m)
{
	return methods[m].name;
}

void nat_init(struct nat *nat, size_t max)
{
	*nat = (struct nat){ .max = max };
	hash_init(&nat->faces);
	hash_init(&nat->mappings);
	list_init(&nat->in_order);
	for (size_t i = 0; i < sizeof nat->by_weight / sizeof *nat->by_weight; i++)
		list_init(&nat->by_weight[i]);
}

/* 1-50, 51-60, 61-70, 71-80, 81-90, 91-100 */
static struct list *weight_class(struct nat *nat, unsigned weight)
{
	return &nat->by_weight[weight <= 50 ? 0 : (weight - 41) / 10];
}

static uint32_t face_hash(const struct endpoint *at, bool media, bool outer)
{
	return (uint32_t)hash_mix(endpoint_key(at), (uint64_t)media << 1 | outer);
}

static struct nat_face *face_find(const struct nat *nat, const struct endpoint *at, bool media, bool outer)
{
	uint32_t hash;

	if (!nat->faces.count)
		return NULL;
	hash = face_hash(at, media, outer);
	for (struct hash_link *link = hash_first(&nat->faces, hash); link; link = link->next) {
		struct nat_face *f = HASH_ENTRY(link, struct nat_face, by_at);

		if (link->hash == hash && f->media == media && f->outer == outer && endpoint_equal(&f->at, at))
			return f;
	}
	return NULL;
}

static struct nat_face *face_add(struct nat *nat, const struct endpoint *at, bool media, bool outer)
{
	struct nat_face *f = face_find(nat, at, media, outer);

	if (f)
		return f;
	f = memory_zalloc(sizeof *f);
	f->at = *at;
	f->media = media;
	f->outer = outer;
	list_init(&f->mappings);
	hash_add(&nat->faces, &f->by_at, face_hash(at, media, outer));
	return f;
}

static void face_leave(struct nat *nat, struct mapping_record *m, bool outer)
{
	struct nat_face *f = m->face[outer];

	list_remove(&f->mappings, &m->in_face[outer]);
	if (!list_empty(&f->mappings))
		return;
	hash_remove(&nat->faces, &f->by_at);
	free(f);
}

static void mapping_remove(struct nat *nat, struct mapping_record *m)
{
	face_leave(nat, m, false);
	face_leave(nat, m, true);
	list_remove(weight_class(nat, m->mapping.weight), &m->in_weight);
	list_remove(&nat->in_order, &m->mapping.in_order);
	hash_remove(&nat->mappings, &m->by_both);
	free(m);
}

void nat_fini(struct nat *nat)
{
	LIST_EACH_SAFE(it, &nat->in_order)
		mapping_remove(nat, (struct mapping_record *)LIST_ENTRY(it, struct nat_mapping, in_order));
	hash_fini(&nat->faces);
	hash_fini(&nat->mappings);
}

static uint32_t mapping_hash(const struct endpoint *inside, const struct endpoint *outside, bool media)
{
	return (uint32_t)hash_mix(face_hash(inside, media, false), face_hash(outside, media, true));
}

static struct mapping_record *mapping_find(
	const struct nat *nat, const struct endpoint *inside, const struct endpoint *outside, bool media)
{
	uint32_t hash;

	if (!nat->mappings.count)
		return NULL;
	hash = mapping_hash(inside, outside, media);
	for (struct hash_link *link = hash_first(&nat->mappings, hash); link; link = link->next) {
		struct mapping_record *m = HASH_ENTRY(link, struct mapping_record, by_both);

		if (link->hash == hash && m->mapping.media == media && endpoint_equal(&m->mapping.inside, inside) &&
		    endpoint_equal(&m->mapping.outside, outside))
			return m;
	}
	return NULL;
}

/* The weakest class first, in it what was longest not learnt again. */
static void make_room(struct nat *nat)
{
	size_t class = 0;

	if (nat->mappings.count < nat->max)
		return;
	while (list_empty(&nat->by_weight[class]))
		class++;
	mapping_remove(nat, LIST_ENTRY(nat->by_weight[class].head.next, struct mapping_record, in_weight));
	nat->evicted++;
}

static void mapping_new(struct nat *nat, const struct nat_mapping *from)
{
	struct mapping_record *m;

	make_room(nat);
	m = memory_zalloc(sizeof *m);
	m->mapping = *from;
	m->face[false] = face_add(nat, &from->inside, from->media, false);
	m->face[true] = face_add(nat, &from->outside, from->media, true);
	list_add_tail(&m->face[false]->mappings, &m->in_face[false]);
	list_add_tail(&m->face[true]->mappings, &m->in_face[true]);
	list_add_tail(weight_class(nat, from->weight), &m->in_weight);
	list_add_tail(&nat->in_order, &m->mapping.in_order);
	hash_add(&nat->mappings, &m->by_both, mapping_hash(&from->inside, &from->outside, from->media));
}

/* Better evidence replaces what the mapping rests on; any evidence makes it the latest. */
static void mapping_strengthen(struct nat *nat, struct mapping_record *m, const struct nat_mapping *by)
{
	struct nat_mapping *old = &m->mapping;

	list_remove(weight_class(nat, old->weight), &m->in_weight);
	if (by->weight > old->weight || (by->weight == old->weight && old->derived && !by->derived)) {
		old->weight = by->weight;
		old->method = by->method;
		old->transport = by->transport;
		old->derived = by->derived;
		old->at = by->at;
	}
	old->first_ns = by->first_ns < old->first_ns ? by->first_ns : old->first_ns;
	old->last_ns = by->last_ns > old->last_ns ? by->last_ns : old->last_ns;
	list_add_tail(weight_class(nat, old->weight), &m->in_weight);
	for (int outer = 0; outer < 2; outer++) {
		list_remove(&m->face[outer]->mappings, &m->in_face[outer]);
		list_add_tail(&m->face[outer]->mappings, &m->in_face[outer]);
	}
}

static void learn_one(struct nat *nat, const struct nat_mapping *from)
{
	struct mapping_record *m = mapping_find(nat, &from->inside, &from->outside, from->media);

	if (m)
		mapping_strengthen(nat, m, from);
	else
		mapping_new(nat, from);
}

void nat_learn(struct nat *nat, const struct nat_mapping *from)
{
	struct nat_mapping m = *from;
	bool one_address = address_equal(&m.inside.addr, &m.outside.addr);

	if (address_reach(&m.inside.addr) < 0 || address_reach(&m.outside.addr) < 0 ||
		m.inside.addr.family != m.outside.addr.family)
		return;
	if (one_address && (m.inside.port == m.outside.port || !m.inside.port || !m.outside.port))
		return;
	assert(m.weight > DERIVED_LESS && m.weight <= 100);
	m.derived = false;
	learn_one(nat, &m);
	if (one_address || (m.inside.port == 0 && m.outside.port == 0))
		return;
	m.inside.port = m.outside.port = 0;
	m.derived = true;
	m.weight -= DERIVED_LESS;
	learn_one(nat, &m);
}

void network_learn(struct network *n, const struct endpoint *inside, const struct endpoint *outside, bool media,
	enum nat_method method, int64_t at_ns, uint16_t file, uint32_t frame)
{
	struct nat_mapping m = {
		.inside = *inside,
		.outside = *outside,
		.media = media,
		.transport = TRANSPORT_UDP,
		.method = method,
		.weight = methods[method].weight,
		.first_ns = at_ns,
		.last_ns = at_ns,
		.at = { file, frame },
	};

	nat_learn(&n->nat, &m);
}

/* ---- look-ups ---- */

static const struct nat_mapping *mapping_at(const struct list_link *link, bool outer)
{
	return &LIST_ENTRY(link - outer, struct mapping_record, in_face)->mapping;
}

/* The strongest of the latest; of equals the latest. */
static const struct nat_mapping *face_best(const struct nat_face *f)
{
	const struct nat_mapping *best = NULL;
	int asked = 0;

	for (struct list_link *it = f->mappings.head.prev; it != &f->mappings.head && asked < LATEST;
		it = it->prev, asked++) {
		const struct nat_mapping *m = mapping_at(it, f->outer);

		if (!best || m->weight > best->weight)
			best = m;
	}
	return best;
}

/* A router's public address stands for all the hosts behind it: without a port nobody can say for which. */
static bool face_ambiguous(const struct nat_face *f, const struct nat_mapping *best)
{
	int asked = 0;

	for (struct list_link *it = f->mappings.head.prev; it != &f->mappings.head && asked < LATEST;
		it = it->prev, asked++) {
		const struct nat_mapping *m = mapping_at(it, f->outer);

		if (!address_equal(&m->inside.addr, &best->inside.addr) && m->weight + RIVAL_LESS > best->weight)
			return true;
	}
	return false;
}

static bool image_at(const struct nat *nat, const struct endpoint *at, uint16_t port, bool media, bool outer,
	struct endpoint *ret, unsigned *ret_weight)
{
	struct endpoint key = { at->addr, port };
	const struct nat_face *f = face_find(nat, &key, media, outer);
	const struct nat_mapping *best;

	if (!f)
		return false;
	best = face_best(f);
	if (outer && port == 0 && face_ambiguous(f, best))
		return false;
	*ret = outer ? best->inside : best->outside;
	if (ret->port == 0)
		ret->port = at->port;
	*ret_weight = best->weight;
	return true;
}

static bool image_of(const struct nat *nat, const struct endpoint *at, bool media, bool outer, struct endpoint *ret,
	unsigned *ret_weight)
{
	unsigned weight;

	if (!(at->port && image_at(nat, at, at->port, media, outer, ret, &weight)) &&
	    !image_at(nat, at, 0, media, outer, ret, &weight)) {
		if (!image_at(nat, at, 0, !media, outer, ret, &weight))
			return false;
		weight = weight < OTHER_SCOPE_MAX ? weight : OTHER_SCOPE_MAX;
	}
	if (ret_weight)
		*ret_weight = weight;
	return true;
}

bool network_public_of(
	const struct network *n, const struct endpoint *inside, bool media, struct endpoint *ret, unsigned *ret_weight)
{
	return image_of(&n->nat, inside, media, false, ret, ret_weight);
}

bool network_private_of(
	const struct network *n, const struct endpoint *outside, bool media, struct endpoint *ret, unsigned *ret_weight)
{
	return image_of(&n->nat, outside, media, true, ret, ret_weight);
}

unsigned nat_weight(const struct nat *nat, const struct address *inside, const struct address *outside, bool media)
{
	struct endpoint in, out;
	const struct mapping_record *m;

	if (!nat->mappings.count)
		return 0;
	in = (struct endpoint){ *inside, 0 };
	out = (struct endpoint){ *outside, 0 };
	m = mapping_find(nat, &in, &out, media);
	return m ? m->mapping.weight : 0;
}

static unsigned face_insides(const struct nat_face *f)
{
	unsigned found = 0;
	int asked = 0;

	if (!f)
		return 0;
	for (struct list_link *it = f->mappings.head.prev; it != &f->mappings.head && asked < LATEST;
		it = it->prev, asked++)
		found += mapping_at(it, true)->weight >= NAT_SURE;
	return found;
}

unsigned nat_insides(const struct nat *nat, const struct address *outside)
{
	struct endpoint at = { *outside, 0 };
	unsigned sip = face_insides(face_find(nat, &at, false, true)),
		 media = face_insides(face_find(nat, &at, true, true));

	return sip > media ? sip : media;
}

unsigned network_insides(const struct network *n, const struct address *outside)
{
	return nat_insides(&n->nat, outside);
}

static bool face_translated(const struct nat_face *f)
{
	int asked = 0;

	if (!f)
		return false;
	for (struct list_link *it = f->mappings.head.prev; it != &f->mappings.head && asked < LATEST;
		it = it->prev, asked++) {
		enum nat_method method = mapping_at(it, true)->method;

		if (method == NAT_TWIN || method == NAT_SIP_TWO_POINTS)
			return true;
	}
	return false;
}

bool nat_translated(const struct nat *nat, const struct address *outside)
{
	struct endpoint at = { *outside, 0 };

	return face_translated(face_find(nat, &at, false, true)) || face_translated(face_find(nat, &at, true, true));
}
