/* SPDX-License-Identifier: MIT */
/* socket_use: see the header. */
#include "analyzer/media/socket_use.h"

#include <stdlib.h>

#include "analyzer/network/vlan_use.h"
#include "captures/base/memory.h"
#include "captures/base/sort.h"

struct socket_uses {
	struct arena *arena;         /* sockets and holds */
	struct hash by_at, by_ssrc;
	struct list order, ssrcs;
	int64_t last_ns;
};

/* ---- the table ---- */

static struct socket_use *use_find(const struct socket_uses *u, const struct endpoint *at)
{
	uint32_t hash = endpoint_hash(at);

	for (struct hash_link *it = hash_first(&u->by_at, hash); it; it = it->next) {
		struct socket_use *s = HASH_ENTRY(it, struct socket_use, by_at);

		if (it->hash == hash && endpoint_equal(&s->at, at))
			return s;
	}
	return NULL;
}

static struct socket_use *use_get(struct socket_uses *u, const struct endpoint *at)
{
	struct socket_use *s = use_find(u, at);

	if (s)
		return s;
	s = arena_zalloc(u->arena, sizeof *s);
	s->at = *at;
	hash_add(&u->by_at, &s->by_at, endpoint_hash(at));
	list_add_tail(&u->order, &s->in_order);
	return s;
}

/* Room for one item more: a list is full where its count is a power of two. */
static void *room_for(struct socket_uses *u, void *items, unsigned count)
{
	void *more;

	if (count & (count - 1))
		return items;
	more = arena_zalloc(u->arena, (count ? 2 * count : 1) * sizeof(void *));
	if (count)
		memcpy(more, items, count * sizeof(void *));
	return more;
}

/* ---- holds ---- */

/* Nearly always there is one, which is lent; several are copied. */
static void remote_add(struct socket_uses *u, struct socket_hold *h, const struct endpoint *at)
{
	struct endpoint *several = (struct endpoint *)(uintptr_t)h->remote;

	if (!address_known(&at->addr) || at->port == 0 || h->remote_count == HOLD_REMOTE_MAX || hold_has_remote(h, at))
		return;
	if (h->remote_count == 1) {
		several = arena_zalloc(u->arena, HOLD_REMOTE_MAX * sizeof *several);
		several[0] = *h->remote;
		h->remote = several;
	}
	if (h->remote_count == 0)
		h->remote = at;
	else
		several[h->remote_count] = *at;
	h->remote_count++;
}

/* A session is described while it lasts, whether audio may flow at the moment or not. */
static bool describes(const struct window *w)
{
	return w->state != EXPECT_ENDED && w->exchange;
}

static const struct target *target_at(const struct window *w, const struct endpoint *at)
{
	for (unsigned i = 0; i < w->target_count; i++) {
		if (endpoint_equal(&w->targets[i].at, at))
			return &w->targets[i];
	}
	return NULL;
}

static const struct sdp_media *media_at(const struct message *m, const struct endpoint *at)
{
	for (unsigned i = 0; m->sdp && i < m->sdp->media_count; i++) {
		if (endpoint_equal(&m->sdp->media[i].at, at))
			return &m->sdp->media[i];
	}
	return NULL;
}

static void hold_window(struct socket_uses *u, struct socket_hold *h, const struct window *w)
{
	for (unsigned i = 0; i < w->source_count; i++)
		remote_add(u, h, &w->sources[i].at);
	h->to_ns = window_end(w, u->last_ns);
	h->open = w->off_ns == NS_NONE;
	h->due |= w->state == EXPECT_DUE;
	h->ice |= w->ice;
	h->answer = w->answer_is_receiver ? w->receiver : w->sender;
	h->mux = h->answer && h->answer->rtcp_mux;
}

static void hold_begin(struct socket_uses *u, const struct direction *d, unsigned first, const struct target *t)
{
	struct socket_use *s = use_get(u, &t->at);
	struct socket_hold *h = arena_zalloc(u->arena, sizeof *h);

	h->direction = d;
	h->leg = d->slot->dialog->leg;
	h->socket = s;
	h->owner = (uint8_t)side_other(d->sender);
	h->named = t->message;
	h->media = media_at(t->message, &t->at);
	h->from_ns = t->message->at.at_ns;
	for (unsigned i = first; i < d->window_count && describes(&d->windows[i]) &&
	    window_has_target(&d->windows[i], &t->at); i++)
		hold_window(u, h, &d->windows[i]);
	s->holds = room_for(u, s->holds, s->hold_count);
	s->holds[s->hold_count++] = h;
}

static bool usable(const struct endpoint *at)
{
	return at->port > 9 && address_known(&at->addr) && !address_unspecified(&at->addr) &&
	       !address_multicast(&at->addr);
}

static void hold_direction(struct socket_uses *u, const struct direction *d)
{
	for (unsigned i = 0; i < d->window_count; i++) {
		const struct window *w = &d->windows[i],
			*before = i && describes(&d->windows[i - 1]) ? &d->windows[i - 1] : NULL;

		for (unsigned k = 0; k < w->target_count && describes(w); k++) {
			if (usable(&w->targets[k].at) && !(before && target_at(before, &w->targets[k].at)))
				hold_begin(u, d, i, &w->targets[k]);
		}
	}
}

void socket_uses_leg(struct socket_uses *u, const struct leg *leg)
{
	LIST_EACH(it, &leg->dialogs) {
		const struct dialog *d = LIST_ENTRY(it, struct dialog, in_leg);

		for (unsigned i = 0; i < d->mslot_count && !d->losing_fork; i++) {
			if (d->mslots[i].kind != SDP_AUDIO)
				continue;
			hold_direction(u, &d->mslots[i].direction[SIDE_CALLER]);
			hold_direction(u, &d->mslots[i].direction[SIDE_CALLEE]);
		}
	}
}

static int hold_compare(const void *a, const void *b)
{
	const struct socket_hold *x = *(const struct socket_hold *const *)a, *y = *(const struct socket_hold *const *)b;

	if (x->from_ns != y->from_ns)
		return x->from_ns < y->from_ns ? -1 : 1;
	if (x->leg->n != y->leg->n)
		return x->leg->n < y->leg->n ? -1 : 1;
	if (x->named->at.frame != y->named->at.frame)
		return x->named->at.frame < y->named->at.frame ? -1 : 1;
	return x->owner < y->owner ? -1 : x->owner > y->owner;
}

/* ---- packets ---- */

static void take_stream(struct socket_uses *u, const struct stream *s)
{
	struct socket_use *to = use_get(u, &s->dst), *from = use_get(u, &s->src);

	to->arriving = room_for(u, to->arriving, to->arriving_count);
	to->arriving[to->arriving_count++] = s;
	from->leaving = room_for(u, from->leaving, from->leaving_count);
	from->leaving[from->leaving_count++] = s;
}

/* An id, and who sent with it first; more is kept of those that others send with, too. */
struct ssrc {
	struct hash_link by_ssrc;
	uint32_t ssrc;
	const struct stream *first;
	struct ssrc_use *use;        /* NULL: one sender */
};

static struct ssrc *ssrc_get(struct socket_uses *u, uint32_t ssrc)
{
	uint32_t hash = (uint32_t)hash_mix(ssrc, 0);
	struct ssrc *x;

	for (struct hash_link *it = hash_first(&u->by_ssrc, hash); it; it = it->next) {
		x = HASH_ENTRY(it, struct ssrc, by_ssrc);
		if (x->ssrc == ssrc)
			return x;
	}
	x = arena_zalloc(u->arena, sizeof *x);
	x->ssrc = ssrc;
	hash_add(&u->by_ssrc, &x->by_ssrc, hash);
	return x;
}

static struct ssrc_use *ssrc_share(struct socket_uses *u, struct ssrc *x)
{
	x->use = arena_zalloc(u->arena, sizeof *x->use);
	x->use->ssrc = x->ssrc;
	x->use->sender[x->use->sender_count++] = x->first;
	list_add_tail(&u->ssrcs, &x->use->in_order);
	return x->use;
}

static bool same_host(const struct stream *x, const struct stream *y)
{
	return address_equal(&x->src.addr, &y->src.addr);
}

static void take_ssrc(struct socket_uses *u, const struct stream *s)
{
	struct ssrc *x = s->twin_of ? NULL : ssrc_get(u, s->ssrc);
	struct ssrc_use *use;

	if (x && !x->first)
		x->first = s;
	if (!x || same_host(x->first, s))
		return;
	use = x->use ? x->use : ssrc_share(u, x);
	if (use->sender_count == SSRC_SENDER_MAX)
		return;
	for (unsigned i = 1; i < use->sender_count; i++) {
		if (same_host(use->sender[i], s))
			return;
	}
	use->sender[use->sender_count++] = s;
}

static void take_control(struct socket_uses *u, const struct rtcp_party *p)
{
	struct socket_use *s = use_find(u, &p->dst);

	if (!s)
		return;
	s->control = room_for(u, s->control, s->control_count);
	s->control[s->control_count++] = p;
}

struct socket_uses *socket_uses_new(int64_t last_ns)
{
	struct socket_uses *u = memory_zalloc(sizeof *u);

	u->arena = arena_new();
	u->last_ns = last_ns;
	hash_init(&u->by_at);
	hash_init(&u->by_ssrc);
	list_init(&u->order);
	list_init(&u->ssrcs);
	return u;
}

void socket_uses_settle(struct socket_uses *u, const struct list *streams, const struct list *rtcp_parties)
{
	LIST_EACH(it, streams) {
		take_stream(u, LIST_ENTRY(it, struct stream, in_order));
		take_ssrc(u, LIST_ENTRY(it, struct stream, in_order));
	}
	LIST_EACH(it, rtcp_parties)
		take_control(u, LIST_ENTRY(it, struct rtcp_party, in_order));
	LIST_EACH(it, &u->order) {
		struct socket_use *s = LIST_ENTRY(it, struct socket_use, in_order);

		if (s->hold_count > 1)
			sort(s->holds, s->hold_count, sizeof *s->holds, hold_compare);
	}
}

void socket_uses_free(struct socket_uses *u)
{
	if (!u)
		return;
	hash_fini(&u->by_at);
	hash_fini(&u->by_ssrc);
	arena_free(u->arena);
	free(u);
}

const struct list *socket_uses_in_order(const struct socket_uses *u)
{
	return &u->order;
}

const struct list *socket_uses_ssrcs(const struct socket_uses *u)
{
	return &u->ssrcs;
}

const struct socket_use *socket_uses_find(const struct socket_uses *u, const struct endpoint *at)
{
	return use_find(u, at);
}

static struct stream_slice begun_before(const struct stream *const *streams, unsigned count, int64_t to_ns)
{
	unsigned low = 0, high = count, first;

	while (low < high) {
		unsigned middle = low + (high - low) / 2;

		if (streams[middle]->first_ns < to_ns)
			low = middle + 1;
		else
			high = middle;
	}
	first = low > SOCKET_WALKED_MAX ? low - SOCKET_WALKED_MAX : 0;
	return (struct stream_slice){ count ? streams + first : NULL, low - first };
}

struct stream_slice socket_arriving(const struct socket_use *s, int64_t to_ns)
{
	return begun_before(s->arriving, s->arriving_count, to_ns);
}

struct stream_slice socket_leaving(const struct socket_use *s, int64_t to_ns)
{
	return begun_before(s->leaving, s->leaving_count, to_ns);
}

/* ---- questions about holds ---- */

static bool is_server(const struct network *network, const struct address *a)
{
	const struct host *h = network_host_find(network, a);

	return h && (h->roles & (1u << ROLE_PBX | 1u << ROLE_SBC | 1u << ROLE_PROXY | 1u << ROLE_MEDIA));
}

static bool same_ends(const struct leg *a, const struct leg *b)
{
	const struct address *a0 = &a->party[0].signalling.addr, *a1 = &a->party[1].signalling.addr,
		*b0 = &b->party[0].signalling.addr, *b1 = &b->party[1].signalling.addr;

	return (address_equal(a0, b0) && address_equal(a1, b1)) || (address_equal(a0, b1) && address_equal(a1, b0));
}

/*
 * Two networks with the same addresses behind one mirror, a VLAN each: is the socket not the same in both sessions? Its
 * host is in both VLANs as two network cards, or both parties' addresses are met in both.
 */
static bool holds_of_two_networks(const struct network *network, const struct endpoint *at, const struct socket_hold *a,
	const struct socket_hold *b)
{
	return address_private(&at->addr) && legs_in_other_vlans(a->leg, b->leg) &&
	       (same_ends(a->leg, b->leg) ||
		vlan_uses_two_hosts(network_vlans(network), &at->addr, a->leg->vlan, b->leg->vlan));
}

enum socket_owner socket_owner_of(const struct network *network, const struct endpoint *at, const struct socket_hold *a,
	const struct socket_hold *b)
{
	const struct endpoint *x = &a->named->src, *y = &b->named->src;

	if (holds_of_two_networks(network, at, a, b))
		return SOCKET_DIFFERENT;
	if (endpoint_equal(x, y))
		return SOCKET_ONE_OWNER;
	if (address_equal(&x->addr, &y->addr))
		return address_private(&at->addr) || is_server(network, &x->addr) ? SOCKET_ONE_OWNER : SOCKET_NAT_OWNED;
	if (address_private(&at->addr))
		return address_private(&x->addr) && address_private(&y->addr) ? SOCKET_ONE_OWNER : SOCKET_DIFFERENT;
	return SOCKET_NAT_OWNED;
}

static bool due_at(const struct window *w, const struct endpoint *at)
{
	return w->state == EXPECT_DUE && window_has_target(w, at);
}

bool holds_due_together(const struct socket_hold *a, const struct socket_hold *b, const struct endpoint *at,
	int64_t last_ns, int64_t *ret_from_ns,
			int64_t *ret_to_ns)
{
	int64_t longest = 0;

	for (unsigned i = 0; i < a->direction->window_count; i++) {
		const struct window *w = &a->direction->windows[i];

		for (unsigned k = 0; k < b->direction->window_count && due_at(w, at); k++) {
			const struct window *v = &b->direction->windows[k];
			int64_t from = w->on_ns > v->on_ns ? w->on_ns : v->on_ns, w_end = window_end(w, last_ns),
				v_end = window_end(v, last_ns);
			int64_t to = w_end < v_end ? w_end : v_end;

			if (!due_at(v, at) || ns_minus(to, from) <= longest)
				continue;
			longest = ns_minus(to, from);
			*ret_from_ns = from;
			*ret_to_ns = to;
		}
	}
	return longest > 0;
}

bool hold_has_remote(const struct socket_hold *h, const struct endpoint *at)
{
	for (unsigned i = 0; i < h->remote_count; i++) {
		if (endpoint_equal(&h->remote[i], at))
			return true;
	}
	return false;
}

struct endpoint hold_rtcp(const struct socket_hold *h)
{
	const struct endpoint *at = &h->socket->at;
	struct endpoint rtcp = h->media ? sdp_media_rtcp(h->media) : (struct endpoint){ .port = 0 };

	if (h->media && !address_known(&rtcp.addr))
		rtcp = (struct endpoint){ at->addr, (uint16_t)(rtcp.port ? rtcp.port : at->port + 1) };
	return rtcp;
}

bool holds_share_remote(const struct socket_hold *a, const struct socket_hold *b)
{
	for (unsigned i = 0; i < a->remote_count; i++) {
		if (hold_has_remote(b, &a->remote[i]))
			return true;
	}
	return false;
}

unsigned hold_fits_source(const struct socket_hold *h, const struct stream *s)
{
	unsigned fits = address_known(hold_remote_host(h)) && address_equal(&s->src.addr, hold_remote_host(h));

	if (s->direction == h->direction || hold_has_remote(h, &s->src))
		return 3;
	for (unsigned i = 0; i < h->remote_count; i++) {
		if (fits && h->remote[i].port == s->src.port)
			return 2;
		if (address_equal(&h->remote[i].addr, &s->src.addr))
			fits = 1;
	}
	return fits;
}
