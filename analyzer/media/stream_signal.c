/* SPDX-License-Identifier: MIT */
/* stream_signal: what signalling says of the flows at a place of media, and where it divides what is heard there. */
#include "analyzer/media/stream_private.h"

#include <stdlib.h>

/* The newest flows first; an address with more of them than any phone has is not walked to its end. */
struct walk {
	const struct endpoint *at;
	uint32_t hash;
	unsigned looked;
	bool to_it;                  /* flows from there have been walked, these go there */
	const struct hash_link *next;
};

static struct walk walk_of(const struct streams *s, const struct endpoint *at)
{
	uint32_t hash = endpoint_hash(at);

	return (struct walk){ .at = at, .hash = hash, .next = hash_first(&s->by_src, hash) };
}

static struct flow *walk_next(const struct streams *s, struct walk *w)
{
	for (;;) {
		const struct hash_link *it = w->looked++ < ENDPOINT_FLOWS_MAX ? w->next : NULL;
		struct flow *f;

		if (!it && w->to_it)
			return NULL;
		if (!it) {
			w->to_it = true;
			w->looked = 0;
			w->next = hash_first(&s->by_dst, w->hash);
			continue;
		}
		w->next = it->next;
		f = w->to_it ? HASH_ENTRY(it, struct flow, by_dst) : HASH_ENTRY(it, struct flow, by_src);
		if (it->hash == w->hash && endpoint_equal(w->to_it ? &f->dst : &f->src, w->at))
			return f;
	}
}

static void flow_signalled(struct streams *s, struct flow *f, const struct stream_hint *hint)
{
	struct slot *slot = &s->slots[slot_find(s, f->hash)];

	f->signalled |= hint->signalled;
	if (slot->state == SLOT_REFUSED && f->signalled)
		slot->state = SLOT_NO_STREAM;
	for (struct record *r = f->latest; r; r = r->next) {
		record_type_hint(s, r, streams_hot(s, r->index), hint);
		if (!r->heuristic || !f->signalled)
			continue;
		r->s.signalled = true;
		free(r->heuristic);
		r->heuristic = NULL;
	}
}

void streams_signalled(struct streams *s, const struct endpoint *at, const struct stream_hint *hint)
{
	struct walk w = walk_of(s, at);
	struct flow *f;

	while ((f = walk_next(s, &w)))
		flow_signalled(s, f, hint);
}

bool streams_none(const struct streams *s)
{
	return s->by_dst.count == 0;
}

bool streams_met(const struct streams *s, const struct endpoint *at)
{
	struct walk w = walk_of(s, at);

	return walk_next(s, &w) != NULL;
}

static void flow_cut(struct streams *s, const struct flow *f)
{
	for (struct record *r = f->latest; r; r = r->next) {
		struct stream_hot *h = streams_hot(s, r->index);

		spell_close(r, h);
		/* the next packet takes the long way and begins a spell */
		h->due = (uint32_t)((uint64_t)h->last_ns >> 20);
	}
}

void streams_cut(struct streams *s, const struct endpoint *at)
{
	struct walk w = walk_of(s, at);
	const struct flow *f;

	while ((f = walk_next(s, &w)))
		flow_cut(s, f);
}
