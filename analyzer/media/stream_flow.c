/* SPDX-License-Identifier: MIT */
/*
 * stream_flow: flows of packets that have the form of RTP, found by one probe; which of them are none is remembered
 * at the same place.
 */
#include "analyzer/media/stream_private.h"

#include <stdlib.h>

#include "captures/base/memory.h"

enum { SLOTS_FIRST = 1024, FLOWS_MAX = 1 << 18, EVICT_LOOK = 16, AGAIN_AFTER = 64, AGAIN_SHIFT = 4, REFUSALS_MAX = 4 };

void flows_init(struct streams *s)
{
	s->slots = memory_zalloc(SLOTS_FIRST * sizeof *s->slots);
	s->slot_flows = memory_zalloc(SLOTS_FIRST * sizeof(struct flow *));
	s->slot_mask = SLOTS_FIRST - 1;
	list_init(&s->flows);
	pool_init(&s->flow_pool, sizeof(struct flow));
	hash_init(&s->by_src);
	hash_init(&s->by_dst);
	for (unsigned i = 0; i < 3; i++)
		s->hash_key[i] = hash_mix(i + 1, 0x666c6f77);
	s->hash_key[2] |= 1;
}

void flows_fini(struct streams *s)
{
	pool_fini(&s->flow_pool);
	hash_fini(&s->by_src);
	hash_fini(&s->by_dst);
	free(s->slots);
	free(s->slot_flows);
	free(s->files);
}

/* ---- slots ---- */

static void slots_grow(struct streams *s)
{
	size_t old = s->slot_mask + 1;
	struct slot *slots = s->slots;
	struct flow **flows = s->slot_flows;

	s->slot_mask = old * 2 - 1;
	s->slots = memory_zalloc(old * 2 * sizeof *s->slots);
	s->slot_flows = memory_zalloc(old * 2 * sizeof(struct flow *));
	for (size_t i = 0; i < old; i++) {
		size_t at;

		if (slots[i].state == SLOT_EMPTY)
			continue;
		at = slot_find(s, slots[i].hash);
		s->slots[at] = slots[i];
		s->slot_flows[at] = flows[i];
	}
	free(slots);
	free(flows);
}

static void slot_put(struct streams *s, struct flow *f, struct slot slot)
{
	size_t at;

	if ((s->slot_count + 1) * 3 > (s->slot_mask + 1) * 2)
		slots_grow(s);
	at = slot_find(s, f->hash);
	slot.hash = f->hash;
	s->slots[at] = slot;
	s->slot_flows[at] = f;
	s->slot_count++;
}

/* What follows in the same run of slots moves up where its own place allows it: no tombstones. */
static void slot_remove(struct streams *s, size_t hole)
{
	for (size_t at = (hole + 1) & s->slot_mask; s->slots[at].state != SLOT_EMPTY; at = (at + 1) & s->slot_mask) {
		size_t home = s->slots[at].hash & s->slot_mask;

		if (((at - home) & s->slot_mask) < ((at - hole) & s->slot_mask))
			continue;
		s->slots[hole] = s->slots[at];
		s->slot_flows[hole] = s->slot_flows[at];
		hole = at;
	}
	s->slots[hole] = (struct slot){ .state = SLOT_EMPTY };
	s->slot_flows[hole] = NULL;
	s->slot_count--;
}

void flow_point_at(struct streams *s, const struct flow *f, const struct record *r)
{
	struct slot *slot = &s->slots[slot_find(s, f->hash)];

	slot->state = r ? SLOT_STREAM : SLOT_NO_STREAM;
	slot->index = r ? r->index : 0;
	slot->ssrc = r ? r->s.ssrc : 0;
}

/* ---- flows ---- */

static void flow_remove(struct streams *s, struct flow *f)
{
	slot_remove(s, slot_find(s, f->hash));
	hash_remove(&s->by_src, &f->by_src);
	hash_remove(&s->by_dst, &f->by_dst);
	list_remove(&s->flows, &f->in_age);
	pool_give(&s->flow_pool, f);
}

/* The oldest without a stream goes; those with one that are met on the way queue up again as the newest. */
static void flow_evict(struct streams *s)
{
	for (unsigned i = 0; i < EVICT_LOOK && !list_empty(&s->flows); i++) {
		struct flow *f = LIST_ENTRY(s->flows.head.next, struct flow, in_age);

		if (f->records == 0) {
			flow_remove(s, f);
			s->counts.evicted_flows++;
			return;
		}
		list_remove(&s->flows, &f->in_age);
		list_add_tail(&s->flows, &f->in_age);
	}
}

struct flow *flow_add(struct streams *s, const struct packet *p, uint64_t hash)
{
	struct flow *f;

	if (s->flows.count >= (s->config.max_flows ? s->config.max_flows : FLOWS_MAX))
		flow_evict(s);
	f = pool_zalloc(&s->flow_pool);
	f->hash = hash;
	f->src = p->src;
	f->dst = p->dst;
	hash_add(&s->by_src, &f->by_src, endpoint_hash(&f->src));
	hash_add(&s->by_dst, &f->by_dst, endpoint_hash(&f->dst));
	list_add_tail(&s->flows, &f->in_age);
	slot_put(s, f, (struct slot){ .state = SLOT_NO_STREAM });
	return f;
}

struct stream *streams_to(const struct streams *s, const struct endpoint *at)
{
	uint32_t hash = endpoint_hash(at);
	struct record *found = NULL;

	for (struct hash_link *it = hash_first(&s->by_dst, hash); it; it = it->next) {
		struct flow *f = HASH_ENTRY(it, struct flow, by_dst);

		if (it->hash == hash && endpoint_equal(&f->dst, at) && f->latest && f->latest->s.accepted &&
		    (!found || f->latest->s.first_ns > found->s.first_ns))
			found = f->latest;
	}
	return found ? &found->s : NULL;
}

/* No RTP: its packets cost one probe now. It is looked at again after 64 packets, then ever more rarely. */
void flow_refuse(struct streams *s, struct flow *f)
{
	struct slot *slot = &s->slots[slot_find(s, f->hash)];

	slot->state = SLOT_REFUSED;
	slot->ssrc = (uint32_t)AGAIN_AFTER << AGAIN_SHIFT * f->refusals;
	if (f->refusals < REFUSALS_MAX)
		f->refusals++;
	f->ssrcs = 0;
}

void flow_forget(struct flow *f, const struct record *r)
{
	struct record **at = &f->latest;

	while (*at && *at != r)
		at = &(*at)->next;
	if (!*at)
		return;
	*at = r->next;
	f->stream_count--;
}

static void oldest_forget(struct flow *f)
{
	struct record *oldest = f->latest;

	while (oldest->next)
		oldest = oldest->next;
	flow_forget(f, oldest);
}

/* To the front. The caller has made room where the list is full. */
void flow_remember(struct flow *f, struct record *r)
{
	if (f->latest == r)
		return;
	flow_forget(f, r);
	if (f->stream_count == FLOW_STREAM_MAX)
		oldest_forget(f);
	r->next = f->latest;
	f->latest = r;
	f->stream_count++;
}

struct record *flow_recall(const struct flow *f, uint32_t ssrc)
{
	for (struct record *it = f->latest; it; it = it->next) {
		if (it->s.ssrc == ssrc)
			return it;
	}
	return NULL;
}

/* ---- several files ---- */

static struct file_state *file_get(struct streams *s, uint16_t file)
{
	size_t room = s->file_room;

	if (file >= room) {
		s->file_room = (size_t)file + 16;
		s->files = memory_resize(s->files, s->file_room, sizeof *s->files);
		memset(s->files + room, 0, (s->file_room - room) * sizeof *s->files);
	}
	return &s->files[file];
}

static bool goes_on(const struct streams *s, const struct slot *slot, const struct packet *p)
{
	uint16_t step = (uint16_t)(p->rtp.seq - streams_hot(s, slot->index)->ext_seq);

	return slot->ssrc == p->rtp.ssrc && step >= 1 && step <= SEQ_MAX_DROPOUT;
}

/*
 * Two captures of one call at two points are two streams (twins, compared), but a capture that goes on in the next
 * file of a ring is one. A flow is carried over into a file if the file read before it has been silent since: then
 * that one has ended.
 */
static void flow_carry_over(struct streams *s, const struct packet *p, uint64_t hash)
{
	const struct file_state *now = &s->files[p->file], *before = &s->files[now->before];
	struct packet old = *p;
	struct flow *f;
	struct slot slot;
	size_t at;

	if (now->before == p->file || before->last_ns >= now->first_ns)
		return;
	old.file = now->before;
	at = slot_find(s, flow_hash(s, &old));
	if (s->slots[at].state != SLOT_STREAM || !goes_on(s, &s->slots[at], p))
		return;
	slot = s->slots[at];
	f = s->slot_flows[at];
	slot_remove(s, at);
	f->hash = hash;
	slot_put(s, f, slot);
}

/* Called while several files are read: keeps their times, and finds flows that began in the file before. */
void streams_file(struct streams *s, const struct packet *p, uint64_t hash)
{
	struct file_state *f = file_get(s, p->file);

	if (!f->seen) {
		f->seen = true;
		f->before = s->last_file;
		f->first_ns = p->at_ns;
	}
	f->last_ns = p->at_ns;
	s->several_files = true;
	s->last_file = p->file;
	if (s->slots[slot_find(s, hash)].state == SLOT_EMPTY)
		flow_carry_over(s, p, hash);
}
