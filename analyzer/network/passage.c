/* SPDX-License-Identifier: MIT */
/*
 * passage: what hops between two capture points did to the messages that passed them, gathered per router and service.
 */
#include "analyzer/network/point_private.h"

#include <stdlib.h>

#include "analyzer/network/internal.h"
#include "captures/base/memory.h"

#define CLOCK_NOISE_NS (50 * 1000)

enum { PASSAGE_MAX = 4096, CHANGE_MAX = 4096, DELAYS_NEEDED = 5 };

void passages_init(struct passages *p)
{
	hash_init(&p->by_key);
	hash_init(&p->changes);
	list_init(&p->in_order);
	p->change_count = 0;
	p->before = memory_zalloc(sizeof *p->before);
	p->behind = memory_zalloc(sizeof *p->behind);
}

static void changes_free(struct list *changes)
{
	LIST_EACH_SAFE(it, changes)
		free(LIST_ENTRY(it, struct passage_change, in_passage));
}

void passages_fini(struct passages *p)
{
	LIST_EACH_SAFE(it, &p->in_order) {
		struct passage *x = LIST_ENTRY(it, struct passage, in_order);

		changes_free(&x->changes);
		changes_free(&x->kept);
		changes_free(&x->replacements);
		free(x);
	}
	free(p->before);
	free(p->behind);
	hash_fini(&p->by_key);
	hash_fini(&p->changes);
}

enum translation sighting_translation(const struct sighting *a, const struct sighting *b)
{
	bool source = !endpoint_equal(&a->src, &b->src), destination = !endpoint_equal(&a->dst, &b->dst);

	return source && destination ? TRANSLATED_BOTH : source ? TRANSLATED_SOURCE : destination
	       ? TRANSLATED_DESTINATION : TRANSLATED_NONE;
}

/*
 * The side with the more private source (or, inward, the more private destination) is inside; else what has lost TTL is
 * farther on.
 */
int sighting_order(const struct sighting *a, const struct sighting *b)
{
	int x = 0, y = 0;

	switch (sighting_translation(a, b)) {
	case TRANSLATED_SOURCE:
		x = address_reach(&a->src.addr);
		y = address_reach(&b->src.addr);
		break;
	case TRANSLATED_DESTINATION:
		x = address_reach(&b->dst.addr);
		y = address_reach(&a->dst.addr);
		break;
	case TRANSLATED_NONE:
	case TRANSLATED_BOTH:
		break;
	}
	if (x != y)
		return x < y ? 1 : -1;
	if (a->ttl != b->ttl)
		return a->ttl > b->ttl ? 1 : -1;
	/* the same packet, a moment later; a translated one with equal TTL went another way */
	if (sighting_translation(a, b) == TRANSLATED_NONE && a->first.file == b->first.file &&
	    a->first.at_ns != b->first.at_ns)
		return a->first.at_ns < b->first.at_ns ? 1 : -1;
	return 0;
}

/* ---- one pair ---- */

struct pair_view {                   /* a pair as the phone's side and the server's */
	enum translation translation;
	bool outward;                /* from the translated side; untranslated: towards the server's port */
	struct endpoint inside, outside, peer;       /* inside, outside: family 0 when nothing is translated */
};

static struct pair_view view_of(const struct crossing *c, const struct sighting *a, const struct sighting *b)
{
	struct pair_view v = { .translation = sighting_translation(a, b) };

	switch (v.translation) {
	case TRANSLATED_SOURCE:
		v.outward = true;
		v.inside = a->src;
		v.outside = b->src;
		v.peer = b->dst;
		break;
	case TRANSLATED_DESTINATION:
		v.inside = b->dst;
		v.outside = a->dst;
		v.peer = a->src;
		break;
	case TRANSLATED_NONE:
		v.outward = c->request;
		v.peer = c->request ? a->dst : a->src;
		break;
	case TRANSLATED_BOTH:
		break;
	}
	return v;
}

static struct passage *passage_of(struct passages *p, const struct crossing *c, const struct pair_view *v)
{
	/* of what is not translated the server tells one path from another */
	const struct address *of = address_known(&v->outside.addr) ? &v->outside.addr : &v->peer.addr;
	uint32_t hash = (uint32_t)hash_mix(address_key(of),
		(uint64_t)v->peer.port << 16 | c->transport << 1 | (v->translation != TRANSLATED_NONE));
	struct passage *x;

	for (struct hash_link *it = hash_first(&p->by_key, hash); it; it = it->next) {
		x = HASH_ENTRY(it, struct passage, by_key);
		if (it->hash == hash && x->transport == c->transport && x->port == v->peer.port &&
		    address_equal(&x->outside, &v->outside.addr) &&
		    (address_known(&x->outside) || address_equal(&x->peer, &v->peer.addr)))
			return x;
	}
	if (p->in_order.count >= PASSAGE_MAX)
		return NULL;
	x = memory_zalloc(sizeof *x);
	x->outside = v->outside.addr;
	x->transport = c->transport;
	x->port = v->peer.port;
	x->peer = v->peer.addr;
	x->first_ns = x->last_ns = NS_NONE;
	x->delay_stride = 1;
	list_init(&x->changes);
	list_init(&x->kept);
	list_init(&x->replacements);
	hash_add(&p->by_key, &x->by_key, hash);
	list_add_tail(&p->in_order, &x->in_order);
	return x;
}

static void span_times(int64_t *first_ns, int64_t *last_ns, int64_t at_ns)
{
	if (*first_ns == NS_NONE || at_ns < *first_ns)
		*first_ns = at_ns;
	if (*last_ns == NS_NONE || at_ns > *last_ns)
		*last_ns = at_ns;
}

static uint64_t change_key(const struct list *of, const struct message_change *m, uint64_t leg_key,
	const struct endpoint *phone)
{
	uint64_t key = hash_mix(hash_mix((uintptr_t)of, leg_key), address_key(&phone->addr));

	key = hash_mix(key, hash_bytes(m->reason, strlen(m->reason)));
	return hash_mix(key, hash_bytes(m->field, strlen(m->field)));
}

static void change_note(struct passages *p, struct passage *x, struct list *to, const struct crossing *c,
	const struct sighting *a, const struct sighting *b,
			const struct pair_view *v, const struct message_change *m)
{
	uint64_t key = change_key(to, m, c->leg_key, &v->inside),
		behind = two_points_leg_key(p->behind->call_id, p->behind->from.tag);
	struct passage_change *change;

	for (struct hash_link *it = hash_first(&p->changes, (uint32_t)key); it; it = it->next) {
		change = HASH_ENTRY(it, struct passage_change, by_key);
		if (it->hash == (uint32_t)key && change->key == key && change->leg_key == c->leg_key &&
		    change->change.reason == m->reason &&
		    strcmp(change->change.field, m->field) == 0 && endpoint_equal(&change->phone, &v->inside)) {
			change->count++;
			span_times(&change->first_ns, &change->last_ns, a->first.at_ns);
			return;
		}
	}
	if (p->change_count >= CHANGE_MAX) {
		x->changes_dropped++;
		return;
	}
	p->change_count++;
	change = memory_zalloc(sizeof *change);
	*change = (struct passage_change){
		.key = key, .change = *m, .leg_key = c->leg_key, .leg_key_behind = behind, .phone = v->inside,
		.seen = { a->first, b->first }, .count = 1,
		.first_ns = a->first.at_ns, .last_ns = a->first.at_ns,
	};
	hash_add(&p->changes, &change->by_key, (uint32_t)key);
	list_add_tail(to, &change->in_passage);
}

/* Requests that make a binding or a dialog: the ones that a rewriter is for. */
static bool begins(const struct sip_message *m)
{
	return m->request && (m->method == SIP_REGISTER || m->method == SIP_SUBSCRIBE ||
	       (m->method == SIP_INVITE && m->to.tag.n == 0));
}

static void note_equal(struct passages *p, struct passage *x, const struct crossing *c, const struct sighting *a,
	const struct sighting *b, const struct pair_view *v)
{
	const struct sip_message *m = p->before;
	uint32_t own = v->outward && address_known(&v->inside.addr) ? message_names(m, &v->inside) : 0;
	struct message_change stale;

	x->equal++;
	if (own) {
		x->equal_own++;
		if (x->equal_own == 1 || (!x->begins_equal && begins(m))) {
			x->equal_at[0] = a->first;
			x->equal_at[1] = b->first;
		}
		x->begins_equal |= begins(m);
		x->sdp_equal |= (own & PLACE_SDP) != 0;
		if (message_stale(p->behind, &v->inside.addr, &stale))
			change_note(p, x, &x->kept, c, a, b, v, &stale);
	}
	x->response_in_equal |= !v->outward && !m->request;
}

static bool names(const char *text, const struct address *a)
{
	char name[ADDRESS_TEXT];

	return strstr(text, address_text(a, name)) != NULL;
}

/*
 * The address on the one side of the router became that on the other: the work of an ALG, of which it may leave out a
 * part.
 */
static bool rewrites(const struct message_diff *d, const struct pair_view *v)
{
	const struct address *from = v->outward ? &v->inside.addr : &v->outside.addr;
	bool any = false;

	for (unsigned i = 0; i < d->count && address_known(from) && !any; i++)
		any = names(d->changes[i].before, from) && !names(d->changes[i].after, from);
	return any;
}

static void note_changed(struct passages *p, struct passage *x, const struct crossing *c, const struct sighting *a,
	const struct sighting *b,
			 const struct pair_view *v)
{
	struct message_change stale;

	x->changed++;
	for (unsigned i = 0; i < p->diff.count; i++)
		change_note(p, x, &x->changes, c, a, b, v, &p->diff.changes[i]);
	if (!rewrites(&p->diff, v))
		return;
	x->rewritten++;
	if (v->outward && message_stale(p->behind, &v->inside.addr, &stale))
		change_note(p, x, &x->changes, c, a, b, v, &stale);
}

static void note_delay(struct passage *x, const struct sighting *a, const struct sighting *b,
	const struct point points[POINT_MAX])
{
	if (x->delay_skipped++ % x->delay_stride)
		return;
	if (x->delay_count == PASSAGE_TIMES) {                       /* every second one goes */
		for (unsigned i = 0; i < PASSAGE_TIMES / 2; i++)
			x->delays[i] = x->delays[2 * i];
		x->delay_count = PASSAGE_TIMES / 2;
		x->delay_stride *= 2;
	}
	x->delays[x->delay_count++] = (struct delay_sample){ ns_minus(b->first.at_ns, a->first.at_ns),
		points[a->point].file, points[b->point].file };
}

static int ns_compare(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

bool passage_delay_of(const struct passage *p, const struct clock_offsets *clocks, struct passage_delay *ret)
{
	int64_t took_ns[PASSAGE_TIMES];
	unsigned n = 0;

	for (unsigned i = 0; i < p->delay_count; i++) {
		const struct delay_sample *s = &p->delays[i];
		int64_t offset_ns;

		if (!clock_between(clocks, s->from_file, s->to_file, &offset_ns) || clock_apart(offset_ns) ||
		    clock_set(clocks, s->from_file) || clock_set(clocks, s->to_file))
			continue;
		took_ns[n] = ns_minus(s->took_ns, offset_ns);
		if (took_ns[n++] < -CLOCK_NOISE_NS)
			/* interfaces of one file may have clocks of their own, too */
			return false;
	}
	if (n < DELAYS_NEEDED)
		return false;
	qsort(took_ns, n, sizeof *took_ns, ns_compare);
	*ret = (struct passage_delay){ took_ns[n / 2] > 0 ? took_ns[n / 2] : 0,
		took_ns[n - 1 - n / 20] > 0 ? took_ns[n - 1 - n / 20] : 0, n };
	return true;
}

static void note_pair(struct passage *x, const struct sighting *a, const struct sighting *b,
	const struct point points[POINT_MAX])
{
	x->pairs++;
	span_times(&x->first_ns, &x->last_ns, a->first.at_ns);
	note_delay(x, a, b, points);
}

static bool parse_both(struct passages *p, const struct sighting *a, const struct sighting *b)
{
	return sip_message_parse((struct span){ a->text, a->text_bytes }, a->text_bytes, p->before) &&
	       sip_message_parse((struct span){ b->text, b->text_bytes }, b->text_bytes, p->behind);
}

void passages_compare(struct passages *p, const struct crossing *c, const struct sighting *a, const struct sighting *b,
	const struct point points[POINT_MAX])
{
	struct pair_view v = view_of(c, a, b);
	struct passage *x;

	/*
	 * both sides at once is the work of a proxy, a relay or a hairpin; what is not translated and of two families
	 * is neither
	 */
	if (v.translation == TRANSLATED_BOTH || a->src.addr.family != b->src.addr.family ||
	    a->dst.addr.family != b->dst.addr.family)
		return;
	if (!parse_both(p, a, b))
		return;
	x = passage_of(p, c, &v);
	if (!x)
		return;
	note_pair(x, a, b, points);
	x->sdp_crossed |= p->before->sdp.n > 0;
	message_diff(p->before, p->behind, &p->diff);
	switch (p->diff.verdict) {
	case DIFF_EQUAL:
		note_equal(p, x, c, a, b, &v);
		break;
	case DIFF_SPELLING:
		x->respelled++;
		break;
	case DIFF_FORWARDED:
		x->forwarded++;
		break;
	case DIFF_REWRITTEN:
		note_changed(p, x, c, a, b, &v);
		break;
	}
}

/* ---- a transparent SIP proxy ---- */

static bool is_literal(struct span host, const struct address *a)
{
	char name[ADDRESS_TEXT];

	return span_equal(host, span_of(address_text(a, name)));
}

/* One request, as far as only the two ends have a say in it. */
static bool same_request(const struct sip_message *a, const struct sip_message *b)
{
	return a->request && b->request && a->method == b->method && a->cseq == b->cseq &&
	       span_equal(a->call_id, b->call_id) && span_equal(a->from.tag, b->from.tag) &&
	       span_equal(a->to.tag, b->to.tag);
}

/* A proxy counts Max-Forwards down, and adds a Via of its own; one in the phone's place shows it in neither. */
static bool takes_its_place(const struct sip_message *before, const struct sip_message *behind,
	const struct endpoint *phone, const struct endpoint *router)
{
	return before->via_count == 1 && behind->via_count == 1 && is_literal(before->via.host, &phone->addr) &&
	       is_literal(behind->via.host, &router->addr) && !span_equal(before->via.branch, behind->via.branch) &&
	       before->max_forwards - behind->max_forwards <= 1;
}

bool passages_compare_replaced(struct passages *p, const struct crossing *c, const struct sighting *a,
	const struct sighting *b, const struct point points[POINT_MAX])
{
	struct pair_view v = view_of(c, a, b);
	struct passage *x;

	/* a proxy that the phone asks by its own address would be another destination */
	if (v.translation != TRANSLATED_SOURCE || address_reach(&a->src.addr) >= address_reach(&b->src.addr) ||
	    !parse_both(p, a, b) || !same_request(p->before, p->behind) ||
	    !takes_its_place(p->before, p->behind, &a->src, &b->src))
		return false;
	x = passage_of(p, c, &v);
	if (!x)
		return false;
	note_pair(x, a, b, points);
	x->replaced++;
	p->behind->max_forwards = p->before->max_forwards;           /* all else is compared */
	message_diff(p->before, p->behind, &p->diff);
	for (unsigned i = 0; i < p->diff.count; i++)
		change_note(p, x, &x->replacements, c, a, b, &v, &p->diff.changes[i]);
	return true;
}
