/* SPDX-License-Identifier: MIT */
/* point_loss: who passes from one capture point to the next, and what of them did not come out there. */
#include "analyzer/network/point_private.h"

#include "captures/base/memory.h"

enum { LINK_MAX = 16384, LOST_MAX = 1024, NEIGHBOURS_NEEDED = 3 };

#define NEIGHBOUR_NS (30 * SECOND_NS)
#define TRANSACTION_NS (40 * SECOND_NS)        /* 64 * T1 and some */

/* ---- who passes from point to point ---- */

static uint32_t link_hash(unsigned from, const struct address *src, const struct address *dst, uint16_t mapped_port)
{
	return (uint32_t)hash_mix(hash_mix(address_key(src), address_key(dst)), (uint64_t)mapped_port << 8 | from);
}

static struct link *link_exact(const struct two_points *t, unsigned from, unsigned to, const struct address *src,
	const struct address *dst, uint16_t mapped_port)
{
	uint32_t hash = link_hash(from, src, dst, mapped_port);

	for (struct hash_link *it = hash_first(&t->links, hash); it; it = it->next) {
		struct link *l = HASH_ENTRY(it, struct link, by_key);

		if (it->hash == hash && l->from == from && l->to == to && l->mapped_port == mapped_port &&
		    address_equal(&l->src, src) && address_equal(&l->dst, dst))
			return l;
	}
	return NULL;
}

/* Behind a router's address each port is another phone: there only the same port is a neighbour. */
static struct link *link_find(const struct two_points *t, unsigned from, unsigned to, const struct address *src,
	const struct endpoint *dst)
{
	struct link *l = link_exact(t, from, to, src, &dst->addr, 0);

	return l ? l : link_exact(t, from, to, src, &dst->addr, dst->port);
}

static void link_time(struct link *l, int64_t at_ns)
{
	if (l->skipped++ % l->stride)
		return;
	if (l->time_count == PASSAGE_TIMES) {                        /* every second one goes */
		for (unsigned i = 0; i < PASSAGE_TIMES / 2; i++)
			l->times[i] = l->times[2 * i];
		l->time_count = PASSAGE_TIMES / 2;
		l->stride *= 2;
	}
	l->times[l->time_count++] = at_ns;
}

void point_link_note(struct two_points *t, const struct crossing *c, const struct sighting *a,
	const struct sighting *b)
{
	uint16_t mapped_port = address_equal(&a->dst.addr, &b->dst.addr) ? 0 : a->dst.port;
	struct link *l = link_exact(t, a->point, b->point, &a->src.addr, &a->dst.addr, mapped_port);

	if (!l && t->links_in_order.count >= LINK_MAX)
		return;
	if (!l) {
		l = memory_zalloc(sizeof *l);
		*l = (struct link){ .from = a->point, .to = b->point, .src = a->src.addr, .dst = a->dst.addr,
			.mapped_port = mapped_port, .stride = 1 };
		hash_add(&t->links, &l->by_key, link_hash(a->point, &a->src.addr, &a->dst.addr, mapped_port));
		list_add_tail(&t->links_in_order, &l->in_order);
	}
	l->behind_src = b->src;
	l->behind_dst = b->dst;
	l->src_port = a->src.port;
	l->dst_port = a->dst.port;
	l->matched++;
	if (c->request)
		l->methods |= 1u << c->method;
	if (c->bytes > l->largest)
		l->largest = c->bytes;
	link_time(l, a->first.at_ns);
}

/* ---- what did not come out ---- */

static bool seen_otherwise(const struct two_points *t, const struct crossing *c, unsigned point)
{
	uint32_t hash = point_k2_hash(c->k2, point);

	for (struct hash_link *it = hash_first(&t->by_k2, hash); it; it = it->next) {
		if (it->hash == hash && HASH_ENTRY(it, struct sighting, by_k2)->point == point)
			return true;
	}
	return false;
}

static bool seen_at(const struct crossing *c, unsigned point)
{
	for (unsigned i = 0; i < c->count; i++) {
		if (c->sightings[i].point == point)
			return true;
	}
	return false;
}

/* A neighbour that passed up to half a minute before or behind. */
static bool passed_near(const struct link *l, int64_t from_ns, int64_t to_ns)
{
	for (unsigned i = 0; l && i < l->time_count; i++) {
		if (l->times[i] >= ns_minus(from_ns, NEIGHBOUR_NS) && l->times[i] <= ns_add(to_ns, NEIGHBOUR_NS) &&
		    (l->times[i] < from_ns || l->times[i] > to_ns))
			return true;
	}
	return false;
}

static struct link *link_back(const struct two_points *t, const struct link *l)
{
	return link_find(t, l->to, l->from, &l->behind_dst.addr, &l->behind_src);
}

/* How many of its transmissions fall into the time that the other file lasts. */
static unsigned transmissions_covered(const struct two_points *t, const struct sighting *s, uint16_t file)
{
	unsigned n = 0;
	int64_t offset_ns;

	clock_between(&t->clocks, t->points[s->point].file, file, &offset_ns);
	for (unsigned i = 0; i < s->transmissions && i < TRANSMISSION_MAX; i++)
		n += two_points_covers(t, file, ns_add(s->sent_ns[i], offset_ns));
	return n;
}

static void lost_add(struct two_points *t, const struct crossing *c, const struct sighting *s, const struct link *l)
{
	const struct link *back = link_back(t, l);
	struct lost_message *x;
	int64_t first_ns = s->first.at_ns, last_ns = s->last.at_ns;
	const struct point *to = &t->points[l->to];
	unsigned transmissions = transmissions_covered(t, s, to->file);

	if (transmissions < t->config.min_transmissions)
		return;
	if (s->src.port != l->src_port && s->dst.port != l->dst_port)
		/* a capture filter there may not let these ports in */
		return;
	x = memory_zalloc(sizeof *x);
	*x = (struct lost_message){
		.at = t->points[s->point], .missing_at = *to, .first = s->first, .last = s->last,
		.transmissions = transmissions, .src = s->src, .dst = s->dst,
		.behind_src = { l->behind_src.addr,
		address_equal(&l->behind_src.addr, &l->src) ? s->src.port : l->behind_src.port },
		.behind_dst = { l->behind_dst.addr,
		address_equal(&l->behind_dst.addr, &l->dst) ? s->dst.port : l->behind_dst.port },
		.translated = !address_equal(&l->behind_src.addr, &l->src) ||
		!address_equal(&l->behind_dst.addr, &l->dst),
		.request = c->request, .method = c->method, .transport = c->transport, .status = c->status,
		.leg_key = c->leg_key, .bytes = c->bytes,
		.passed_bytes = l->largest, .method_passed = (l->methods >> c->method & 1) != 0,
		.passed_before = passed_near(l, first_ns, INT64_MAX - NEIGHBOUR_NS) ||
		passed_near(back, first_ns, INT64_MAX - NEIGHBOUR_NS),
		.passed_after = passed_near(l, INT64_MIN + 1 + NEIGHBOUR_NS, last_ns) ||
		passed_near(back, INT64_MIN + 1 + NEIGHBOUR_NS, last_ns),
		.sdp = c->shape.sdp, .sdp_no_connection = c->shape.no_connection,
		.sdp_other_family = c->shape.other_family,
		.no_content_length = c->shape.no_content_length, .sdp_low_port = c->shape.low_port,
		.audio_port = c->shape.audio_port, .new_peer = s->src.port != l->src_port,
	};
	list_add_tail(&t->lost, &x->in_order);
}

/* Sent several times without an answer, while its neighbours were seen at the next point. */
void point_loss_judge(struct two_points *t, struct crossing *c)
{
	const struct sighting *s = &c->sightings[c->count - 1];

	if (c->reported || c->answered || c->transport != TRANSPORT_UDP ||
	    s->transmissions < t->config.min_transmissions || t->lost.count >= LOST_MAX ||
	    ns_minus(s->last.at_ns, s->first.at_ns) > TRANSACTION_NS)
		return;
	for (unsigned to = 0; to < t->point_count; to++) {
		const struct link *l = link_find(t, s->point, to, &s->src.addr, &s->dst),
			*back = l ? link_back(t, l) : NULL;

		if (!l || l->matched + (back ? back->matched : 0) < NEIGHBOURS_NEEDED || seen_at(c, to) ||
		    seen_otherwise(t, c, to) ||
		    !(passed_near(l, s->first.at_ns, s->last.at_ns) ||
		    passed_near(back, s->first.at_ns, s->last.at_ns)))
			continue;
		c->reported = true;
		lost_add(t, c, s, l);
		return;
	}
}
