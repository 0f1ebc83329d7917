/* SPDX-License-Identifier: MIT */
/* pair: one direction between two hosts: how much of what was seen, and when (sees(), 1.7.2). */
#include "analyzer/network/internal.h"

#include <stdlib.h>

#include "captures/base/memory.h"

enum {
	RTP_ESTABLISHED = 20,        /* packets: a flood of forged sources sends few for each */
	WITNESSES_MAX = 1024         /* unproven pairs that are asked; a flood is no better witness for being longer */
};

#define SPELL_HOLE_NS (10 * SECOND_NS)

/* The same for both directions, which stand in one bucket: where one is looked for, so is soon the other. */
static uint32_t pair_hash(const struct address *src, const struct address *dst)
{
	uint32_t a = address_hash(src), b = address_hash(dst);

	return (uint32_t)(a < b ? hash_mix(a, b) : hash_mix(b, a));
}

static struct pair_record *find(const struct network *n, const struct address *src, const struct address *dst,
	uint32_t hash)
{
	for (struct hash_link *link = hash_first(&n->pairs, hash); link; link = link->next) {
		struct pair *pair = HASH_ENTRY(link, struct pair, by_key);

		if (link->hash == hash && address_equal(&pair->src, src) && address_equal(&pair->dst, dst))
			return (struct pair_record *)pair;
	}
	return NULL;
}

struct pair_record *pair_find(const struct network *n, const struct address *src, const struct address *dst)
{
	return find(n, src, dst, pair_hash(src, dst));
}

struct hash_place network_pair_place(const struct network *n, const struct packet *p)
{
	return (struct hash_place){ &n->pairs, pair_hash(&p->src.addr, &p->dst.addr) };
}

unsigned network_places(const struct network *n, const struct packet *p, struct hash_place *ret)
{
	if (!(p->has & HAS_IP))
		return 0;
	ret[0] = network_pair_place(n, p);      /* pair_add()'s */
	ret[1] = (struct hash_place){ &n->hosts, address_hash(&p->src.addr) };
	ret[2] = (struct hash_place){ &n->hosts, address_hash(&p->dst.addr) };
	return 3 + machine_places(n, p, &ret[3]);
}

void network_media(struct network *n, const struct address *src, const struct address *dst)
{
	struct pair_record *pair = pair_find(n, src, dst);

	if (pair)
		pair->pair.media = true;
}

static void pair_free(struct network *n, struct pair_record *pair)
{
	if (pair->pair.spells != pair->few)
		free(pair->pair.spells);
	pool_give(&n->pair_pool, pair);
}

/* Who only browses is not. */
static bool is_missed(const struct pair *p)
{
	return p->sip + p->rtp + p->rtcp + p->stun + p->icmp > 0;
}

void pair_remove(struct network *n, struct pair_record *pair)
{
	if (pair->reverse)
		pair->reverse->reverse = NULL;
	if (n->last == pair)
		n->last = NULL;
	list_remove(&pair->src->pairs_out, &pair->in_src);
	list_remove(&pair->dst->pairs_in[pair->grade.level == GRADE_ESTABLISHED], &pair->in_dst);
	grades_remove(&n->pair_grades, &pair->grade);
	hash_remove(&n->pairs, &pair->pair.by_key);
	list_remove(&n->pairs_in_order, &pair->pair.in_order);
	if (is_missed(&pair->pair))
		n->counts.pairs_evicted++;
	else
		n->counts.others_evicted++;
	pair_free(n, pair);
}

void pairs_free(struct network *n)
{
	LIST_EACH_SAFE(it, &n->pairs_in_order)
		pair_free(n, (struct pair_record *)LIST_ENTRY(it, struct pair, in_order));
}

static struct pair_record *pair_new(struct network *n, const struct packet *p, uint32_t hash)
{
	struct host_record *src = host_add(n, &p->src.addr, NULL), *dst = host_add(n, &p->dst.addr, src);
	struct pair_record *pair;

	while (n->pairs.count >= n->config.max_pairs)
		pair_remove(n, LIST_ENTRY(grades_next(&n->pair_grades, NULL), struct pair_record, grade));
	pair = pool_zalloc(&n->pair_pool);
	pair->pair.spells = pair->few;
	pair->spell_room = PAIR_SPELLS_FEW;
	pair->pair.src = p->src.addr;
	pair->pair.dst = p->dst.addr;
	pair->pair.first_ns = pair->pair.last_ns = p->at_ns;
	pair->pair.first_at = (struct frame_spot){ p->file, p->frame };
	pair->src = src;
	pair->dst = dst;
	pair->reverse = src == dst ? NULL : find(n, &p->dst.addr, &p->src.addr, hash);
	if (pair->reverse)
		pair->reverse->reverse = pair;
	list_add_tail(&src->pairs_out, &pair->in_src);
	list_add_tail(&dst->pairs_in[0], &pair->in_dst);
	grades_add(&n->pair_grades, &pair->grade, n->now_ns);
	hash_add(&n->pairs, &pair->pair.by_key, hash);
	list_add_tail(&n->pairs_in_order, &pair->pair.in_order);
	return pair;
}

static bool pair_is(const struct pair_record *pair, const struct packet *p)
{
	return pair && address_equal(&pair->pair.src, &p->src.addr) && address_equal(&pair->pair.dst, &p->dst.addr);
}

/* Seen from the pair alone: the other one lies elsewhere. */
static bool pair_is_reverse(const struct pair_record *pair, const struct packet *p)
{
	return pair && address_equal(&pair->pair.src, &p->dst.addr) && address_equal(&pair->pair.dst, &p->src.addr);
}

/* Packets come in runs of one pair, or of one and its answer: most are found without a look-up. */
struct pair_record *pair_add(struct network *n, const struct packet *p, uint32_t hash)
{
	struct pair_record *pair = n->last;

	if (!pair_is(pair, p))
		pair = pair_is_reverse(pair, p) && pair->reverse ? pair->reverse
			: find(n, &p->src.addr, &p->dst.addr, hash);
	if (!pair)
		pair = pair_new(n, p, hash);
	n->last = pair;
	grades_touch(&n->pair_grades, &pair->grade, n->now_ns);
	grades_touch(&n->host_grades, &pair->src->grade, n->now_ns);
	grades_touch(&n->host_grades, &pair->dst->grade, n->now_ns);
	return pair;
}

struct pair_record *pair_again(struct network *n, const struct packet *p)
{
	if (n->now_ns == p->at_ns && pair_is(n->last, p))
		return n->last;
	n->now_ns = p->at_ns;
	return pair_add(n, p, pair_hash(&p->src.addr, &p->dst.addr));
}

bool network_talks_in_public(const struct network *n, const struct address *a)
{
	const struct host_record *h = host_find(n, a);
	unsigned walked = 0;

	if (!h || address_private(a))
		return false;
	LIST_EACH(it, &h->pairs_out) {
		const struct pair_record *pair = LIST_ENTRY(it, struct pair_record, in_src);

		if (walked++ == WITNESSES_MAX)
			break;
		if (!address_private(&pair->pair.dst) && pair->dst->host.sends_ip)
			return true;
	}
	return false;
}

static void establish_one(struct network *n, struct pair_record *pair)
{
	if (!grades_raise(&n->pair_grades, &pair->grade, GRADE_ESTABLISHED))
		return;
	list_remove(&pair->dst->pairs_in[0], &pair->in_dst);
	list_add_tail(&pair->dst->pairs_in[1], &pair->in_dst);
}

void pair_establish(struct network *n, struct pair_record *pair)
{
	establish_one(n, pair);
	if (pair->reverse)
		establish_one(n, pair->reverse);
	host_establish(n, pair->src);
	host_establish(n, pair->dst);
}

/* The form of RTP alone may be chance. */
static bool telephones(const struct packet *p)
{
	return p->kind == PACKET_SIP || p->kind == PACKET_RTCP || p->kind == PACKET_STUN || p->kind == PACKET_ICMP;
}

static void raise_unproven(struct network *n, struct pair_record *pair)
{
	grades_raise(&n->pair_grades, &pair->grade, GRADE_UNPROVEN);
	grades_raise(&n->host_grades, &pair->src->grade, GRADE_UNPROVEN);
	grades_raise(&n->host_grades, &pair->dst->grade, GRADE_UNPROVEN);
}

/* ---- when it was seen ---- */

/* Two neighbours become one where the hole between them is smallest. */
static void spells_merge(struct pair *pair)
{
	struct pair_spell *s = pair->spells;
	unsigned best = 0;

	for (unsigned i = 1; i + 1 < pair->spell_count; i++) {
		if (ns_minus(s[i + 1].from_ns, s[i].to_ns) < ns_minus(s[best + 1].from_ns, s[best].to_ns))
			best = i;
	}
	s[best].to_ns = s[best + 1].to_ns;
	memmove(&s[best + 1], &s[best + 2], (pair->spell_count - best - 2) * sizeof(*s));
	pair->spell_count--;
}

static void spells_grow(struct pair_record *record)
{
	struct pair *pair = &record->pair;
	bool few = pair->spells == record->few;

	record->spell_room *= 2;
	pair->spells = memory_resize(few ? NULL : pair->spells, record->spell_room, sizeof *pair->spells);
	if (few)
		memcpy(pair->spells, record->few, sizeof record->few);
}

static void spell_insert(struct pair_record *record, unsigned at, int64_t at_ns)
{
	struct pair *pair = &record->pair;

	if (pair->spell_count == record->spell_room)
		spells_grow(record);
	memmove(&pair->spells[at + 1], &pair->spells[at], (pair->spell_count - at) * sizeof(*pair->spells));
	pair->spells[at] = (struct pair_spell){ at_ns, at_ns };
	pair->spell_count++;
}

/* In order of time, whatever order the packets come in; an earlier one than the last spell is rare. */
static void spell_add(struct pair_record *record, int64_t at_ns)
{
	struct pair *pair = &record->pair;
	unsigned after = pair->spell_count;      /* spells that begin before at_ns */
	struct pair_spell *s;

	while (after && pair->spells[after - 1].from_ns > at_ns)
		after--;
	s = pair->spells + after;
	if (after && ns_minus(at_ns, s[-1].to_ns) <= SPELL_HOLE_NS) {
		s[-1].to_ns = at_ns > s[-1].to_ns ? at_ns : s[-1].to_ns;
	} else if (after < pair->spell_count && ns_minus(s->from_ns, at_ns) <= SPELL_HOLE_NS) {
		s->from_ns = at_ns;
	} else {
		if (pair->spell_count == PAIR_SPELL_MAX) {
			spells_merge(pair);
			spell_add(record, at_ns);
			return;
		}
		spell_insert(record, after, at_ns);
	}
}

bool pair_seen(const struct pair *p, int64_t from_ns, int64_t to_ns, int64_t margin_ns)
{
	from_ns = ns_minus(from_ns, margin_ns);
	to_ns = ns_add(to_ns, margin_ns);
	for (unsigned i = 0; i < p->spell_count; i++) {
		if (p->spells[i].from_ns <= to_ns && p->spells[i].to_ns >= from_ns)
			return true;
	}
	return false;
}

/* ---- what a packet adds ---- */

static uint64_t *counter_of(struct pair *pair, const struct packet *p)
{
	switch ((enum packet_kind)p->kind) {
	case PACKET_RTP: return &pair->rtp;
	case PACKET_SIP: return &pair->sip;
	case PACKET_RTCP: return &pair->rtcp;
	case PACKET_ICMP: return &pair->icmp;
	case PACKET_STUN: return &pair->stun;
	case PACKET_TLS:
	case PACKET_DTLS: return &pair->tls;
	case PACKET_OTHER:
	case PACKET_TCP:
	case PACKET_KEEPALIVE:
	case PACKET_UDPTL:
	case PACKET_FRAGMENT:
	case PACKET_ARP:
	case PACKET_NONE: break;
	}
	return &pair->other;
}

/* The 32nd point and all later ones share a bit. */
static uint32_t point_bit(struct network *n, const struct packet *p)
{
	unsigned i;

	for (i = 0; i < n->point_count; i++) {
		if (n->points[i].file == packet_capture(p) && n->points[i].interface == p->interface &&
		    n->points[i].ifindex == p->ifindex)
			return UINT32_C(1) << i;
	}
	if (i == sizeof n->points / sizeof *n->points)
		return UINT32_C(1) << 31;
	n->points[i].file = packet_capture(p);
	n->points[i].interface = p->interface;
	n->points[i].ifindex = p->ifindex;
	n->point_count++;
	return UINT32_C(1) << i;
}

static void point_learn(struct pair_record *record, const struct packet *p, uint32_t bit)
{
	if (record->pair.points & bit)
		return;
	record->pair.points |= bit;
	record->src->host.points_out |= bit;
	record->dst->host.points_in |= bit;
	if (ttl_is_own(p) && ttl_hops(p->ttl) == 0)
		record->src->host.points_at |= bit;
	else if (ttl_is_own(p))
		record->src->host.points_beyond |= bit;
}

uint32_t network_point(const struct network *n, uint16_t file, uint16_t interface, uint32_t ifindex)
{
	for (unsigned i = 0; i < n->point_count; i++) {
		if (n->points[i].file == file && n->points[i].interface == interface && n->points[i].ifindex == ifindex)
			return i < 31 ? UINT32_C(1) << i : 0;
	}
	return 0;
}

static void ports_learn(struct network *n, struct pair_record *record, const struct packet *p)
{
	if (!(p->has & HAS_PORTS))
		return;
	if (p->kind == PACKET_RTP && p->src.port != record->media_port) {
		record->media_port = p->src.port;
		host_media_port(n, record->src, p->src.port);
	} else if (p->kind == PACKET_SIP && p->src.port != record->sip_port) {
		record->sip_port = p->src.port;
		host_sip_port(record->src, p->src.port);
	}
}

/* TLS on a port of SIP; elsewhere it is everybody's, and the web would push out who telephones. */
static bool is_sips(const struct packet *p)
{
	return p->kind == PACKET_TLS &&
		(p->src.port == SIPS_PORT || p->dst.port == SIPS_PORT || span_starts(p->tls.alpn, SPAN("sip")));
}

static bool proves_itself(const struct pair_record *record, const struct packet *p)
{
	return record->pair.rtp >= RTP_ESTABLISHED || (is_sips(p) && record->reverse && record->reverse->pair.tls);
}

static void copy_learn(
	struct network *n, struct pair *pair, const struct packet *p, enum duplicate_verdict verdict, uint32_t count)
{
	const struct duplicates *d = &n->duplicates;

	pair->copies += count;
	if (verdict == DUPLICATE_POINT)
		pair->copies_other_point += count;
	if (d->last_copy.file == p->file && d->last_copy.frame == p->frame &&
		d->last_delta_ns > pair->copy_delta_max_ns)
		pair->copy_delta_max_ns = d->last_delta_ns;
}

/* RFC 6189 5: the first four bits are 0001, the magic cookie stands behind the sequence number. */
static bool is_zrtp(struct span payload)
{
	return payload.n >= 12 && payload.p[0] >> 4 == 1 && memcmp(payload.p + 4, "ZRTP", 4) == 0;
}

static bool is_nameless(const struct packet *p)
{
	const struct sip_message *m = p->kind == PACKET_SIP ? p->sip : NULL;

	return m && (m->flaws & SIP_FLAW_HEADERS_CUT) && (!m->call_id.n || !m->cseq_method.n);
}

/* Inside another tunnel the outer addresses are that one's. */
static void relay_learn(struct pair *pair, const struct packet *p)
{
	if (p->tunnel != TUNNEL_TURN || p->tunnel_depth != 1 || !(p->has & HAS_OUTER))
		return;
	if (address_equal(&p->outer_src, &p->src.addr) && !address_equal(&p->outer_dst, &p->dst.addr))
		pair->relay = p->outer_dst;
	else if (address_equal(&p->outer_dst, &p->dst.addr) && !address_equal(&p->outer_src, &p->src.addr))
		pair->relay = p->outer_src;
}

void pair_packet(struct network *n, struct pair_record *record, const struct packet *p, enum duplicate_verdict verdict,
	uint32_t count)
{
	struct pair *pair = &record->pair;

	point_learn(record, p, point_bit(n, p));
	if (verdict != DUPLICATE_NO) {
		copy_learn(n, pair, p, verdict, count);
		return;
	}
	pair->packets += count;
	pair->sip_nameless += is_nameless(p);
	pair->zrtp |= p->kind == PACKET_OTHER && is_zrtp(p->payload);
	*counter_of(pair, p) += count;
	pair->last_ns = p->at_ns > pair->last_ns ? p->at_ns : pair->last_ns;
	pair->first_ns = p->at_ns < pair->first_ns ? p->at_ns : pair->first_ns;
	spell_add(record, p->at_ns);
	relay_learn(pair, p);
	ports_learn(n, record, p);
	if (record->grade.level < GRADE_ESTABLISHED && proves_itself(record, p))
		pair_establish(n, record);
	else if (record->grade.level == GRADE_FOREIGN && telephones(p))
		raise_unproven(n, record);
}

/* ---- witnesses ---- */

static bool is_witness(
	const struct network *n, const struct pair *pair, const struct address *but, int64_t from_ns, int64_t to_ns)
{
	return pair->packets && pair->last_ns >= from_ns && pair->first_ns <= to_ns &&
		pair_seen(pair, from_ns, to_ns, 0) && !address_equal(&pair->src, &pair->dst) &&
		!network_same(n, &pair->src, but);
}

enum witness_side { SIDE_EITHER, SIDE_NEAR, SIDE_FAR };        /* of the network of who is sent to */

static const struct pair *inbound_of(const struct network *n, const struct address *dst, const struct address *but,
	enum witness_side side, int64_t from_ns, int64_t to_ns)
{
	const struct host_record *to = host_find(n, dst);

	for (int proven = 1; to && proven >= 0; proven--) {
		unsigned asked = 0;

		LIST_EACH(it, &to->pairs_in[proven]) {
			const struct pair *pair = &LIST_ENTRY(it, struct pair_record, in_dst)->pair;

			if (!proven && asked++ == WITNESSES_MAX)
				break;
			if (side != SIDE_EITHER && address_same_net(&pair->src, dst) != (side == SIDE_NEAR))
				continue;
			if (is_witness(n, pair, but, from_ns, to_ns))
				return pair;
		}
	}
	return NULL;
}

bool network_other_inbound(const struct network *n, const struct address *dst, const struct address *but,
	int64_t from_ns, int64_t to_ns, const struct pair **ret_witness)
{
	const struct pair *pair = inbound_of(n, dst, but, SIDE_EITHER, from_ns, to_ns);

	if (pair && ret_witness)
		*ret_witness = pair;
	return pair != NULL;
}

bool network_beside_inbound(const struct network *n, const struct address *dst, const struct address *but,
	int64_t from_ns, int64_t to_ns)
{
	return inbound_of(n, dst, but, address_same_net(but, dst) ? SIDE_NEAR : SIDE_FAR, from_ns, to_ns) != NULL;
}

static bool hop_seen(const struct network *n, const struct address *src, const struct address *dst, int64_t from_ns,
	int64_t to_ns, int64_t margin_ns)
{
	const struct pair *p = network_pair_find(n, src, dst);

	return p && p->packets && !address_known(&p->relay) && pair_seen(p, from_ns, to_ns, margin_ns);
}

bool network_relay_seen(const struct network *n, const struct address *src, const struct address *dst, int64_t from_ns,
	int64_t to_ns, int64_t margin_ns)
{
	const struct pair *there = network_pair_find(n, dst, src), *here = network_pair_find(n, src, dst);
	const struct pair *relayed = there && address_known(&there->relay) ? there : here;

	if (!relayed || !address_known(&relayed->relay))
		return false;
	return hop_seen(n, src, &relayed->relay, from_ns, to_ns, margin_ns) ||
		hop_seen(n, &relayed->relay, dst, from_ns, to_ns, margin_ns);
}

bool network_at_point(const struct network *n, const struct address *a, uint16_t file, uint16_t interface,
	uint32_t ifindex)
{
	const struct host *h = network_host_find(n, a);

	return host_at(h) && !(network_point(n, file, interface, ifindex) & h->points_beyond & ~h->points_at);
}

static uint32_t points_between(const struct network *n, const struct address *a, const struct address *b)
{
	const struct pair *to = network_pair_find(n, a, b), *from = network_pair_find(n, b, a);

	return (to ? to->points : 0) | (from ? from->points : 0);
}

bool network_passes_beyond(const struct network *n, const struct address *a, const struct address *b)
{
	const struct host *h = network_host_find(n, a);
	const struct endpoint inside = { *b, 0 };
	struct endpoint outside;
	uint32_t points;
	unsigned weight;

	if (!h || !h->points_beyond || !h->points_at)
		return false;
	points = points_between(n, a, b);
	if (network_public_of(n, &inside, false, &outside, &weight))
		points |= points_between(n, a, &outside.addr);
	return points && !(points & ~(h->points_beyond & ~h->points_at));
}

bool network_passes_at(
	const struct network *n, const struct address *src, const struct address *dst, uint16_t file,
	uint16_t interface, uint32_t ifindex)
{
	const struct host *from = network_host_find(n, src), *to = network_host_find(n, dst);
	uint32_t point = network_point(n, file, interface, ifindex);

	return !point || (from && (from->points_out & point)) || (to && (to->points_in & point));
}
