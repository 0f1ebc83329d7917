/* SPDX-License-Identifier: MIT */
/* vantage: where the capture was taken (1.7.1). The first of the questions below that has an answer decides. */
#include "analyzer/network/internal.h"

#include <stdarg.h>
#include <stdio.h>

/* What all pairs with voice say together; packets, so that what carries most of the traffic decides. */
struct voice {
	uint64_t packets;
	uint64_t from_private;       /* packets that carry a private source; what is sent to one may be a mistake */
	uint64_t near, level, known; /* near: one end is fewer hops away; known: hops of both are */
	const struct host *nearest;  /* of the first pair that has a nearer end */
	unsigned nearest_count;      /* 2: more than one host is the nearer end of a pair */
	const struct pair *crossing; /* the first from a private to a public address: no NAT has touched it yet */
	const struct pair *level_first, *near_first;
};

static uint64_t voice_packets(const struct pair *pair)
{
	return (pair->media ? pair->rtp : 0) + pair->sip + pair->rtcp;
}

static struct vantage vantage(enum vantage_kind kind, int confidence, const struct host *host, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static struct vantage vantage(enum vantage_kind kind, int confidence, const struct host *host, const char *format, ...)
{
	struct vantage v = { .kind = kind, .confidence = confidence, .host = host };
	va_list ap;

	va_start(ap, format);
	vsnprintf(v.why, sizeof v.why, format, ap);
	va_end(ap);
	return v;
}

static const struct host *whole_host(const struct host_record *h)
{
	return h->host.alias_of ? h->host.alias_of : &h->host;
}

static void voice_hops(struct voice *v, const struct pair *pair, uint64_t packets)
{
	const struct pair_record *ends = (const struct pair_record *)pair;
	const struct host *src = whole_host(ends->src), *dst = whole_host(ends->dst), *nearer;

	if (src == dst || !src->ttl_known || !dst->ttl_known)
		return;
	v->known += packets;
	if (src->hops == dst->hops) {
		v->level += packets;
		if (!v->level_first)
			v->level_first = pair;
		return;
	}
	nearer = src->hops < dst->hops ? src : dst;
	v->near += packets;
	if (!v->nearest) {
		v->nearest = nearer;
		v->nearest_count = 1;
		v->near_first = pair;
	} else if (v->nearest != nearer) {
		v->nearest_count = 2;
	}
}

/*
 * From a private to a public address, untranslated: before a NAT, unless it has come to where the public one is, from
 * behind a router: then the network is routed.
 */
static bool is_crossing(const struct pair *pair)
{
	const struct pair_record *ends = (const struct pair_record *)pair;
	const struct host *src = whole_host(ends->src), *dst = whole_host(ends->dst);

	if (address_reach(&pair->src) == 2 || address_reach(&pair->dst) != 2)
		return false;
	return !src->ttl_known || !dst->ttl_known || src->hops == 0 || dst->hops > 0;
}

static struct voice voice_of(const struct network *n)
{
	struct voice v = { 0 };

	LIST_EACH(it, &n->pairs_in_order) {
		const struct pair *pair = LIST_ENTRY(it, struct pair, in_order);
		uint64_t packets = voice_packets(pair);
		int src = address_reach(&pair->src), dst = address_reach(&pair->dst);

		if (packets == 0 || src < 0 || dst < 0)
			continue;
		v.packets += packets;
		if (src < 2)
			v.from_private += packets;
		if (!v.crossing && is_crossing(pair))
			v.crossing = pair;
		voice_hops(&v, pair, packets);
	}
	return v;
}

static const struct host *sends(const struct network *n, const struct address *a)
{
	const struct host_record *h = host_find(n, a);

	return h && h->host.sends_ip ? &h->host : NULL;
}

/*
 * One packet before and after its translation, or both faces sending: nothing less, since private addresses repeat
 * behind other NATs.
 */
static bool both_sides(const struct network *n, struct vantage *ret)
{
	const struct nat_mapping *best = NULL;
	char inside[ADDRESS_TEXT], outside[ADDRESS_TEXT];

	LIST_EACH(it, &n->nat.in_order) {
		const struct nat_mapping *m = LIST_ENTRY(it, struct nat_mapping, in_order);
		bool two_points = m->method == NAT_TWIN || m->method == NAT_SIP_TWO_POINTS;

		if ((two_points || m->method == NAT_STUN) && sends(n, &m->inside.addr) && sends(n, &m->outside.addr) &&
		    (!best || (two_points && best->method == NAT_STUN)))
			best = m;
	}
	if (!best)
		return false;
	address_text(&best->inside.addr, inside);
	address_text(&best->outside.addr, outside);
	if (best->method == NAT_STUN)
		*ret = vantage(VANTAGE_BOTH_SIDES, VANTAGE_LIKELY, sends(n, &best->outside.addr),
			       "both %s and its public address %s are seen sending", inside, outside);
	else
		*ret = vantage(VANTAGE_BOTH_SIDES, VANTAGE_CERTAIN, sends(n, &best->outside.addr),
			       "the same packets are seen from %s and, translated, from %s", inside, outside);
	return true;
}

/* The host with the most voice of those that the capture was taken on; without voice it is nobody's business. */
static bool on_host(const struct network *n, struct vantage *ret)
{
	const struct host_record *best = NULL;
	uint64_t most = 0;
	char text[ADDRESS_TEXT];

	LIST_EACH(it, &n->hosts_in_order) {
		const struct host_record *h = host_record_of(LIST_ENTRY(it, struct host, in_order));
		uint64_t voice = h->rtp_sent + h->sip_sent;

		if (!h->host.on_host || voice <= most)
			continue;
		best = h;
		most = voice;
	}
	if (!best)
		return false;
	address_text(&best->host.addr, text);
	if (best->frames_out)
		*ret = vantage(VANTAGE_ON_HOST, VANTAGE_CERTAIN, &best->host,
			"the capturing machine itself sent the packets of %s (TTL %u)", text, best->host.ttl);
	else
		*ret = vantage(VANTAGE_ON_HOST, VANTAGE_LIKELY, &best->host,
			       "%s alone sends packets whose checksums its network card has yet to fill in", text);
	return true;
}

/* Proof that this very host's address is translated further on. */
static const struct nat_mapping *translated(const struct network *n, const struct address *a)
{
	const struct nat_mapping *best = NULL;

	LIST_EACH(it, &n->nat.in_order) {
		const struct nat_mapping *m = LIST_ENTRY(it, struct nat_mapping, in_order);

		if (address_equal(&m->inside.addr, a) && !sends(n, &m->outside.addr) && m->weight >= 90)
			best = !best || m->weight > best->weight ? m : best;
	}
	return best;
}

static bool inside_nat(const struct network *n, const struct voice *v, struct vantage *ret)
{
	const struct nat_mapping *m;
	char inside[ADDRESS_TEXT], outside[ADDRESS_TEXT];

	if (!v->crossing)
		return false;
	address_text(&v->crossing->src, inside);
	m = translated(n, &v->crossing->src);
	if (m)
		*ret = vantage(VANTAGE_INSIDE_NAT, VANTAGE_CERTAIN, NULL,
			"%s is seen as it is here, and as %s by its peer", inside,
			address_text(&m->outside.addr, outside));
	else
		*ret = vantage(VANTAGE_INSIDE_NAT, VANTAGE_LIKELY, NULL,
			"private %s sends to public %s here without translation", inside,
			address_text(&v->crossing->dst, outside));
	return true;
}

/* Messages name private addresses, all packets carry public ones. */
static bool outside_nat(const struct network *n, const struct voice *v, struct vantage *ret)
{
	const struct nat_mapping *best = NULL;
	char inside[ADDRESS_TEXT], outside[ADDRESS_TEXT];

	if (v->from_private)
		return false;
	LIST_EACH(it, &n->nat.in_order) {
		const struct nat_mapping *m = LIST_ENTRY(it, struct nat_mapping, in_order);

		if (m->method != NAT_CONFIG && !sends(n, &m->inside.addr) && sends(n, &m->outside.addr) &&
			address_reach(&m->inside.addr) < address_reach(&m->outside.addr) &&
			(!best || m->weight > best->weight))
			best = m;
	}
	if (!best)
		return false;
	*ret = vantage(VANTAGE_OUTSIDE_NAT, best->weight >= 90 ? VANTAGE_CERTAIN : VANTAGE_LIKELY,
		sends(n, &best->outside.addr), "only public addresses send here, and %s calls itself %s",
		address_text(&best->outside.addr, outside), address_text(&best->inside.addr, inside));
	return true;
}

static bool near_or_mid(const struct network *n, const struct voice *v, struct vantage *ret)
{
	const struct pair *pair = v->near * 2 > v->known ? v->near_first : v->level_first;
	const struct host *src, *dst, *nearer, *farther;
	char one[ADDRESS_TEXT], other[ADDRESS_TEXT];

	if (v->known == 0 || !pair)
		return false;
	src = network_host_find(n, &pair->src);
	dst = network_host_find(n, &pair->dst);
	if (pair == v->level_first) {
		*ret = vantage(VANTAGE_MID, src->hops ? VANTAGE_POSSIBLE : VANTAGE_LIKELY, NULL,
			"%s and %s are both %u hops away", address_text(&src->addr, one),
			address_text(&dst->addr, other), src->hops);
		return true;
	}
	nearer = src->hops < dst->hops ? src : dst;
	farther = nearer == src ? dst : src;
	address_text(&nearer->addr, one);
	address_text(&farther->addr, other);
	if (nearer->hops)
		*ret = vantage(VANTAGE_MID, VANTAGE_LIKELY, NULL, "%s is %u hops away, %s is %u", one, nearer->hops,
			other, farther->hops);
	else
		*ret = vantage(VANTAGE_NEAR, nearer->has_mac && !nearer->mac_shared ? VANTAGE_CERTAIN : VANTAGE_LIKELY,
			v->nearest_count == 1 ? nearer : NULL,
			"%s is on the same network as the capture, %s is %u hops away", one, other, farther->hops);
	return true;
}

struct vantage network_vantage(const struct network *n)
{
	struct voice v = voice_of(n);
	struct vantage ret;

	if (v.packets == 0)
		return vantage(
			VANTAGE_UNKNOWN, VANTAGE_POSSIBLE, NULL, "no packet of SIP, RTP or RTCP tells where this is");
	if (both_sides(n, &ret) || on_host(n, &ret) || inside_nat(n, &v, &ret) || outside_nat(n, &v, &ret) ||
		near_or_mid(n, &v, &ret))
		return ret;
	return vantage(VANTAGE_UNKNOWN, VANTAGE_POSSIBLE, NULL,
		"one side alone is seen, or how far the hosts are is not known");
}

const char *vantage_kind_name(enum vantage_kind k)
{
	static const char *const names[] = {
		[VANTAGE_UNKNOWN] = "unknown",
		[VANTAGE_ON_HOST] = "on-host",
		[VANTAGE_NEAR] = "near",
		[VANTAGE_INSIDE_NAT] = "inside-nat",
		[VANTAGE_OUTSIDE_NAT] = "outside-nat",
		[VANTAGE_BOTH_SIDES] = "both-sides",
		[VANTAGE_MID] = "mid",
	};

	return names[k];
}
