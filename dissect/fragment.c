/* SPDX-License-Identifier: MIT */
/* fragment: a table of unfinished datagrams, oldest dropped first; what has come is a bit for every 8 bytes. */
#include "dissect/fragment.h"

#include <stdlib.h>

#include "captures/base/hash.h"
#include "captures/base/list.h"
#include "captures/base/memory.h"
#include "captures/base/ns.h"

enum {
	UNIT = 8, DATAGRAM_BYTES_MAX = 65535, DATAGRAM_MAX = 4096, FIRST_ROOM = 4096,
	KEY_BYTES = 2 * 16 + 4 + 4 + 2 + 2 + 2
};

static const size_t total_bytes_default = (size_t)32 << 20;
static const int64_t timeout_ns = 30 * SECOND_NS;         /* what Linux gives a datagram */
static const int64_t copy_ns = 100 * MILLISECOND_NS;      /* later the same identification is another datagram */

enum datagram_state { DATAGRAM_OPEN, DATAGRAM_DONE, DATAGRAM_BAD };

struct datagram {
	struct hash_link in_table;
	struct list_link in_order;   /* by their first fragment */
	uint8_t key[KEY_BYTES];
	uint8_t state;               /* enum datagram_state; done and bad ones absorb what still comes */
	bool has_first, has_last;
	uint8_t protocol;            /* from here: of the first fragment */
	uint8_t dscp, ecn;
	uint8_t fragments;           /* stops at 255 */
	uint32_t first_frame;
	int64_t first_ns, done_ns;
	size_t have, end, total;     /* bytes that came, the farthest of them, of the whole (with has_last) */
	size_t room;
	uint8_t *bytes;
	uint64_t units[(DATAGRAM_BYTES_MAX + UNIT) / UNIT / 64];
};

struct fragments {
	struct hash table;
	struct list in_order;
	size_t bytes;                /* of all rooms */
	size_t bytes_max;
	size_t datagrams_max;
	uint8_t **handed_out;
	size_t handed_out_count, handed_out_room;
	struct dissector_counts *counts;
};

struct fragments *fragments_new(struct dissector_counts *counts)
{
	struct fragments *f = memory_zalloc(sizeof *f);

	hash_init(&f->table);
	list_init(&f->in_order);
	f->counts = counts;
	f->bytes_max = total_bytes_default;
	f->datagrams_max = DATAGRAM_MAX;
	return f;
}

/* Half for the records, half for what they hold. */
void fragments_limit(struct fragments *f, size_t bytes)
{
	size_t records = bytes / 2 / sizeof(struct datagram);

	f->bytes_max = bytes / 2 < total_bytes_default ? bytes / 2 : total_bytes_default;
	f->datagrams_max = records < DATAGRAM_MAX ? records : DATAGRAM_MAX;
}

static void datagram_empty(struct fragments *f, struct datagram *g)
{
	f->bytes -= g->room;
	g->room = 0;
	free(g->bytes);
	g->bytes = NULL;
}

static void datagram_remove(struct fragments *f, struct datagram *g)
{
	datagram_empty(f, g);
	hash_remove(&f->table, &g->in_table);
	list_remove(&f->in_order, &g->in_order);
	free(g);
}

void fragments_release(struct fragments *f)
{
	while (f->handed_out_count)
		free(f->handed_out[--f->handed_out_count]);
}

void fragments_free(struct fragments *f)
{
	if (!f)
		return;
	fragments_release(f);
	free(f->handed_out);
	LIST_EACH_SAFE(it, &f->in_order)
		datagram_remove(f, LIST_ENTRY(it, struct datagram, in_order));
	hash_fini(&f->table);
	free(f);
}

static struct datagram *oldest(struct fragments *f)
{
	return LIST_ENTRY(f->in_order.head.next, struct datagram, in_order);
}

/* The count of those that wait for nothing any more, or for too long. */
static void count_closed(struct fragments *f, const struct datagram *g, uint64_t *count)
{
	if (g->state != DATAGRAM_OPEN)
		return;
	f->counts->fragments_open--;
	++*count;
}

static void expire(struct fragments *f, int64_t now_ns)
{
	while (!list_empty(&f->in_order) && ns_minus(now_ns, oldest(f)->first_ns) > timeout_ns) {
		count_closed(f, oldest(f), &f->counts->fragments_given_up);
		datagram_remove(f, oldest(f));
	}
}

/* Room for one more, and for `bytes` more of any: constant work for each datagram that was ever added. */
static void evict(struct fragments *f, size_t bytes, const struct datagram *but)
{
	while (!list_empty(&f->in_order) && oldest(f) != but &&
	       (f->table.count >= f->datagrams_max || f->bytes + bytes > f->bytes_max)) {
		count_closed(f, oldest(f), &f->counts->fragments_evicted);
		datagram_remove(f, oldest(f));
	}
}

/*
 * RFC 791, 8200 4.5, and where it was seen: a mirror of both sides of a router gives two copies of everything, which
 * differ in VLAN or TTL; each has to become a datagram of its own.
 */
static void key_make(uint8_t key[KEY_BYTES], const struct ip_fragment *fragment, const struct packet *p)
{
	bool v6 = p->src.addr.family == 6;
	uint16_t vlan = p->vlan_count ? p->vlan[0] : 0xffff;

	memcpy(key, p->src.addr.bytes, 16);
	memcpy(key + 16, p->dst.addr.bytes, 16);
	memcpy(key + 32, &fragment->id, 4);
	key[36] = p->src.addr.family;
	key[37] = v6 ? 0 : p->ip_protocol;              /* IPv6: only the first fragment's counts */
	key[38] = p->ttl;
	key[39] = p->tunnel_depth;
	memcpy(key + 40, &p->file, 2);
	memcpy(key + 42, &p->interface, 2);
	memcpy(key + 44, &vlan, 2);
}

static struct datagram *datagram_find(struct fragments *f, const uint8_t key[KEY_BYTES], uint32_t hash)
{
	for (struct hash_link *it = hash_first(&f->table, hash); it; it = it->next) {
		struct datagram *g = HASH_ENTRY(it, struct datagram, in_table);

		if (it->hash == hash && memcmp(g->key, key, KEY_BYTES) == 0)
			return g;
	}
	return NULL;
}

static struct datagram *datagram_add(struct fragments *f, const struct ip_fragment *fragment, const struct packet *p)
{
	uint8_t key[KEY_BYTES];
	struct datagram *g;
	uint32_t hash;

	key_make(key, fragment, p);
	hash = (uint32_t)hash_bytes(key, sizeof key);
	g = datagram_find(f, key, hash);
	if (g && g->state == DATAGRAM_DONE && ns_minus(p->at_ns, g->done_ns) > copy_ns) {
		datagram_remove(f, g);
		g = NULL;
	}
	if (g)
		return g;
	evict(f, 0, NULL);
	g = memory_zalloc(sizeof *g);
	memcpy(g->key, key, sizeof key);
	g->first_frame = p->frame;
	g->first_ns = p->at_ns;
	hash_add(&f->table, &g->in_table, hash);
	list_add_tail(&f->in_order, &g->in_order);
	f->counts->fragments_open++;
	return g;
}

static void room_for(struct fragments *f, struct datagram *g, size_t end)
{
	size_t room = g->room ? g->room : FIRST_ROOM;

	if (end <= g->room)
		return;
	while (room < end)
		room *= 2;
	evict(f, room - g->room, g);
	f->bytes += room - g->room;
	g->bytes = memory_resize(g->bytes, room, 1);
	g->room = room;
}

/* Copies what is new; false: what came before says otherwise. */
static bool bytes_add(struct datagram *g, size_t at, struct span s)
{
	for (size_t i = 0; i < s.n; i += UNIT) {
		size_t unit = (at + i) / UNIT, n = s.n - i < UNIT ? s.n - i : UNIT;
		uint64_t bit = UINT64_C(1) << unit % 64;

		if (!(g->units[unit / 64] & bit)) {
			memcpy(g->bytes + at + i, s.p + i, n);
			g->units[unit / 64] |= bit;
			g->have += n;
		} else if (memcmp(g->bytes + at + i, s.p + i, n) != 0) {
			return false;
		}
	}
	return true;
}

/*
 * Lengths first: two different ends, or anything behind the end, is an attack or a mix of two datagrams. A last unit of
 * fewer than 8 bytes can only be the end, so that bytes_add never compares beyond what it copied.
 */
static bool fits(const struct datagram *g, const struct ip_fragment *fragment, size_t n)
{
	size_t end = fragment->offset + n;

	if (end > DATAGRAM_BYTES_MAX || (fragment->more && n % UNIT))
		return false;
	if (g->has_last)
		return fragment->more ? end <= g->total : end == g->total;
	return fragment->more || end >= g->end;
}

static bool datagram_take(struct fragments *f, struct datagram *g, const struct ip_fragment *fragment, struct span s)
{
	size_t end = fragment->offset + s.n;

	if (!fits(g, fragment, s.n))
		return false;
	room_for(f, g, end);
	if (!fragment->more) {
		g->has_last = true;
		g->total = end;
	}
	if (g->end < end)
		g->end = end;
	return bytes_add(g, fragment->offset, s);
}

static void hand_out(struct fragments *f, struct datagram *g, struct cursor *c)
{
	if (f->handed_out_count == f->handed_out_room) {
		f->handed_out_room = f->handed_out_room ? 2 * f->handed_out_room : 8;
		f->handed_out = memory_resize(f->handed_out, f->handed_out_room, sizeof *f->handed_out);
	}
	f->handed_out[f->handed_out_count++] = g->bytes;
	*c = cursor_over((struct span){ g->bytes, g->total }, g->total);
	f->bytes -= g->room;
	g->room = 0;
	g->bytes = NULL;
}

static void datagram_done(struct fragments *f, struct datagram *g, struct cursor *c, struct packet *p)
{
	size_t ip_bytes = g->total + (p->src.addr.family == 6 ? 40 : 20);

	g->state = DATAGRAM_DONE;
	f->counts->fragments_open--;
	g->done_ns = p->at_ns;
	hand_out(f, g, c);
	p->ip_protocol = g->protocol;
	p->dscp = g->dscp;
	p->ecn = g->ecn;
	p->first_frame = g->first_frame;
	p->fragments = g->fragments;
	p->ip_bytes = (uint16_t)(ip_bytes > UINT16_MAX ? UINT16_MAX : ip_bytes);
	p->has |= HAS_REASSEMBLED;
}

bool fragments_add(struct fragments *f, const struct ip_fragment *fragment, struct cursor *c, struct packet *p)
{
	struct datagram *g;

	expire(f, p->at_ns);
	if (c->left.n < c->wire) {                      /* what the capture cut off no later fragment brings */
		p->undecoded = UNDECODED_TRUNCATED;
		return false;
	}
	if (c->left.n == 0) {
		p->undecoded = UNDECODED_MALFORMED;
		return false;
	}
	g = datagram_add(f, fragment, p);
	if (g->state == DATAGRAM_BAD)
		p->undecoded = UNDECODED_FRAGMENT;
	if (g->state != DATAGRAM_OPEN)
		return false;
	if (!datagram_take(f, g, fragment, c->left)) {
		count_closed(f, g, &f->counts->fragments_given_up);
		g->state = DATAGRAM_BAD;
		datagram_empty(f, g);
		p->undecoded = UNDECODED_FRAGMENT;
		return false;
	}
	g->fragments += g->fragments < UINT8_MAX;
	if (fragment->offset == 0) {
		g->has_first = true;
		g->protocol = p->ip_protocol;
		g->dscp = p->dscp;
		g->ecn = p->ecn;
	}
	if (!g->has_last || !g->has_first || g->have < g->total)
		return false;
	datagram_done(f, g, c, p);
	return true;
}
