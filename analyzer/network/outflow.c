/* SPDX-License-Identifier: MIT */
/* outflow: a hash of five-tuples; records lie in blocks, so that they never move. */
#include "analyzer/network/outflow_spell.h"

#include <stdlib.h>
#include <string.h>

#include "captures/base/memory.h"

enum {
	DEFAULT_MAX = 65536, BLOCK = 1024, OUTER_SHARE = 8, KEPT_SHARE = 8,
	LOOKS_MAX = 256, LOOKS_FULL = 16,    /* for room, a new flow */
	ANSWERED_MAX = 256, DNS = 53
};

#define IDLE_NS (5 * MINUTE_NS)      /* no NAT keeps UDP so long: when it speaks again, it is new there, too */

struct outflows {
	const struct site *site;
	int64_t spell_ns, begin_ns;
	struct hash by_key;
	struct outflow **blocks;
	size_t count, max;
	size_t hand, kept;           /* hand: where room was found last; kept: questions without answer that stay */
	struct outflow_spell *past;  /* of flows that have made room */
	unsigned past_count;
	struct address *answered;    /* hosts inside that a resolver had answered, in flows that have made room */
	unsigned answered_count;
	bool full;
	struct hash outer_by_key;
	struct outer_port *outer;    /* max / OUTER_SHARE of them; NULL: none yet */
	size_t outer_count;
	bool outer_full;
};

struct outflows *outflows_new(const struct site *site, int64_t spell_ns, size_t max)
{
	struct outflows *t = memory_zalloc(sizeof *t);

	t->site = site;
	t->spell_ns = spell_ns > 0 ? spell_ns : SECOND_NS;
	t->max = max ? max : DEFAULT_MAX;
	t->begin_ns = NS_NONE;
	hash_init(&t->by_key);
	hash_init(&t->outer_by_key);
	return t;
}

void outflows_free(struct outflows *t)
{
	if (!t)
		return;
	for (size_t i = 0; i * BLOCK < t->count; i++)
		free(t->blocks[i]);
	free(t->blocks);
	free(t->outer);
	free(t->past);
	free(t->answered);
	hash_fini(&t->by_key);
	hash_fini(&t->outer_by_key);
	free(t);
}

static struct outflow *flow_add(struct outflows *t, uint32_t hash)
{
	struct outflow *f;

	if (t->count % BLOCK == 0) {
		t->blocks = memory_resize(t->blocks, t->count / BLOCK + 1, sizeof *t->blocks);
		t->blocks[t->count / BLOCK] = memory_zalloc(BLOCK * sizeof **t->blocks);
	}
	f = &t->blocks[t->count / BLOCK][t->count % BLOCK];
	t->count++;
	hash_add(&t->by_key, &f->by_key, hash);
	return f;
}

static struct outflow *flow_find(const struct outflows *t, uint32_t hash, const struct endpoint *inside,
	const struct endpoint *outside, uint8_t protocol)
{
	for (struct hash_link *it = hash_first(&t->by_key, hash); it; it = it->next) {
		struct outflow *f = HASH_ENTRY(it, struct outflow, by_key);

		if (it->hash == hash && f->protocol == protocol && endpoint_equal(&f->inside, inside) &&
		    endpoint_equal(&f->outside, outside))
			return f;
	}
	return NULL;
}

unsigned outflows_spell(const struct outflows *t, int64_t at_ns)
{
	int64_t n = t->begin_ns == NS_NONE ? 0 : ns_minus(at_ns, t->begin_ns) / t->spell_ns;

	return n < 0 ? 0 : n > INT32_MAX ? INT32_MAX : (unsigned)n;
}

static void mark(const struct outflows *t, int64_t first_ns, uint64_t bits[OUTFLOW_SPELLS / 64], int64_t at_ns)
{
	unsigned i = outflows_spell(t, at_ns) - outflows_spell(t, first_ns);

	if (i < OUTFLOW_SPELLS)
		bits[i / 64] |= UINT64_C(1) << i % 64;
}

static bool marked(const struct outflows *t, int64_t first_ns, const uint64_t bits[OUTFLOW_SPELLS / 64], unsigned spell)
{
	unsigned i = spell - outflows_spell(t, first_ns);

	return i < OUTFLOW_SPELLS && (bits[i / 64] >> i % 64 & 1);
}

bool outflow_sent(const struct outflows *t, const struct outflow *f, unsigned spell)
{
	return marked(t, f->first_ns, f->out, spell);
}

bool outflow_received(const struct outflows *t, const struct outflow *f, unsigned spell)
{
	return marked(t, f->first_ns, f->in, spell);
}

/* ---- room ---- */

/* Calls that waited for a name are judged at the end: a question that nobody answered is kept for them. */
static bool is_kept(struct outflows *t, struct outflow *f)
{
	if (f->outside.port != DNS || f->answered_ns != NS_NONE)
		return false;
	if (!f->kept && t->kept < t->max / KEPT_SHARE) {
		f->kept = true;
		t->kept++;
	}
	return f->kept;
}

bool outflows_was_answered(const struct outflows *t, const struct address *inside)
{
	for (unsigned i = 0; i < t->answered_count; i++) {
		if (address_equal(&t->answered[i], inside))
			return true;
	}
	return false;
}

static void answered_add(struct outflows *t, const struct outflow *f)
{
	if (f->outside.port != DNS || f->answered_ns == NS_NONE || t->answered_count == ANSWERED_MAX ||
	    outflows_was_answered(t, &f->inside.addr))
		return;
	if (!t->answered)
		t->answered = memory_zalloc(ANSWERED_MAX * sizeof *t->answered);
	t->answered[t->answered_count++] = f->inside.addr;
}

static void past_add(struct outflows *t, const struct outflow *f, int64_t now_ns)
{
	unsigned end = outflows_spell(t, now_ns) + 1;

	end = end < OUTFLOW_SPELLS_MAX ? end : OUTFLOW_SPELLS_MAX;
	if (end > t->past_count) {
		t->past = memory_resize(t->past, end, sizeof *t->past);
		memset(&t->past[t->past_count], 0, (end - t->past_count) * sizeof *t->past);
		t->past_count = end;
	}
	outflow_spell_add(t, f, t->past, t->past_count, now_ns);
	answered_add(t, f);
}

/* One that was silent for long, counted and gone; NULL: none near. */
static struct outflow *flow_reuse(struct outflows *t, uint32_t hash, int64_t now_ns)
{
	for (unsigned looks = 0; looks < (t->full ? LOOKS_FULL : LOOKS_MAX); looks++) {
		struct outflow *f = &t->blocks[t->hand / BLOCK][t->hand % BLOCK];

		t->hand = (t->hand + 1) % t->count;
		if (now_ns - f->last_ns < IDLE_NS || is_kept(t, f))
			continue;
		past_add(t, f, now_ns);
		hash_remove(&t->by_key, &f->by_key);
		*f = (struct outflow){ .protocol = 0 };
		hash_add(&t->by_key, &f->by_key, hash);
		return f;
	}
	return NULL;
}

void outflows_count_spells(const struct outflows *t, struct outflow_spell *list, unsigned count, int64_t end_ns)
{
	outflow_spells_join(list, t->past, count < t->past_count ? count : t->past_count);
	for (size_t i = 0; i < t->count; i++)
		outflow_spell_add(t, outflows_at(t, i), list, count, end_ns);
}

/* ---- outside ---- */

static struct outer_port *outer_find(const struct outflows *t, const struct endpoint *at)
{
	uint32_t hash = endpoint_hash(at);

	for (struct hash_link *it = hash_first(&t->outer_by_key, hash); it; it = it->next) {
		struct outer_port *o = HASH_ENTRY(it, struct outer_port, by_key);

		if (it->hash == hash && endpoint_equal(&o->at, at))
			return o;
	}
	return NULL;
}

/* Where no host inside has sent anything the capture shows no NAT from both sides. */
static void outer_take(struct outflows *t, const struct packet *p)
{
	struct outer_port *o;

	if (!t->count || p->transport != TRANSPORT_UDP || address_private(&p->src.addr))
		return;
	o = outer_find(t, &p->src);
	if (!o && t->outer_count >= t->max / OUTER_SHARE) {
		t->outer_full = true;
		return;
	}
	if (!t->outer)
		t->outer = memory_zalloc(t->max / OUTER_SHARE * sizeof *t->outer);
	if (!o) {
		o = &t->outer[t->outer_count++];
		o->at = p->src;
		o->asked = p->dst;
		o->first_ns = p->at_ns;
		o->seen = frame_ref_of(p);
		hash_add(&t->outer_by_key, &o->by_key, endpoint_hash(&p->src));
	}
	mark(t, o->first_ns, o->out, p->at_ns);
}

size_t outflows_outer_count(const struct outflows *t)
{
	return t->outer_full ? 0 : t->outer_count;
}

const struct outer_port *outflows_outer_at(const struct outflows *t, size_t i)
{
	return &t->outer[i];
}

bool outer_port_used(const struct outflows *t, const struct outer_port *o, unsigned spell)
{
	return marked(t, o->first_ns, o->out, spell);
}

/* ---- from inside to outside ---- */

void outflows_packet(struct outflows *t, const struct packet *p)
{
	bool from_inside, to_inside;
	const struct endpoint *inside, *outside;
	uint32_t hash;
	struct outflow *f;

	if (t->begin_ns == NS_NONE)
		t->begin_ns = p->at_ns;
	if (!(p->has & HAS_PORTS) || p->kind == PACKET_ICMP || address_multicast(&p->dst.addr))
		return;
	from_inside = site_inside(t->site, &p->src.addr);
	to_inside = site_inside(t->site, &p->dst.addr);
	if (!from_inside && !to_inside)
		outer_take(t, p);
	if (from_inside == to_inside)
		return;
	inside = from_inside ? &p->src : &p->dst;
	outside = from_inside ? &p->dst : &p->src;
	hash = (uint32_t)hash_mix(hash_mix(endpoint_key(inside), endpoint_key(outside)), p->ip_protocol);
	f = flow_find(t, hash, inside, outside, p->ip_protocol);
	if (!f && from_inside)
		f = t->count < t->max ? flow_add(t, hash) : flow_reuse(t, hash, p->at_ns);
	if (f && !f->protocol) {
		f->inside = *inside;
		f->outside = *outside;
		f->protocol = p->ip_protocol;
		f->first_ns = p->at_ns;
		f->answered_ns = NS_NONE;
		f->at = frame_ref_of(p);
	}
	if (!f) {
		t->full |= from_inside;
		return;
	}
	f->last_ns = p->at_ns;
	mark(t, f->first_ns, from_inside ? f->out : f->in, p->at_ns);
	if (!from_inside && f->answered_ns == NS_NONE && !(p->tcp_flags & TCP_RST))
		f->answered_ns = p->at_ns;
}

size_t outflows_count(const struct outflows *t)
{
	return t->count;
}

const struct outflow *outflows_at(const struct outflows *t, size_t i)
{
	return &t->blocks[i / BLOCK][i % BLOCK];
}

bool outflows_full(const struct outflows *t)
{
	return t->full;
}
