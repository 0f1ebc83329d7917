/* SPDX-License-Identifier: MIT */
/* engine_relay: see the header. */
#include "analyzer/engine_relay.h"

#include "analyzer/engine_state.h"

enum { WANTED_MAX = 4 };

/* ---- as it begins ---- */

/* The other leg's streams of the same sense: what one of them brings to the machine, the other takes away. */
static void compare(struct engine *e, struct stream *s, const struct leg *own, const struct leg *other, enum side receiver)
{
	bool arrives = (own->n < other->n) == (receiver == SIDE_CALLEE);
	struct endpoint at[WANTED_MAX];
	unsigned n = binding_wanted(other, receiver, at, WANTED_MAX);

	for (unsigned i = 0; i < n; i++) {
		struct stream *it = streams_to(e->streams, &at[i]);

		/* an SSRC that is kept is compared without this */
		if (it && it != s && it->ssrc != s->ssrc)
			streams_compare(e->streams, arrives ? s : it, arrives ? it : s);
	}
}

void relay_look(struct engine *e, struct stream *s)
{
	enum side receiver;
	struct leg *leg = binding_receiver(e->binding, &s->dst, &receiver), *other;

	for (unsigned onward = 0; leg && onward < 2; onward++) {
		other = calls_across(e->calls, leg, onward);
		if (other)
			compare(e, s, leg, other, receiver);
	}
}

/* ---- at the end ---- */

static const struct stream *relayed(const struct stream *s)
{
	const struct stream *sounds_as = stream_flaws(s)->sounds_as;

	if (sounds_as)
		return s->direction && sounds_as->direction ? sounds_as : NULL;
	return s->twin_of && s->twin_kind == TWIN_RELAY && s->direction && s->twin_of->direction ? s->twin_of : NULL;
}

static struct leg *leg_of(const struct stream *s)
{
	return s->direction->slot->dialog->leg;
}

static bool talk(const struct network *n, const struct address *a, const struct address *b)
{
	return network_pair_find(n, a, b) || network_pair_find(n, b, a);
}

static bool meet(const struct leg *x, const struct leg *y)
{
	for (unsigned i = 0; i < 4; i++) {
		if (address_equal(&x->party[i / 2].signalling.addr, &y->party[i % 2].signalling.addr))
			return true;
	}
	return false;
}

/*
 * It came in at one address and goes out from the other, and each of them signals in its own leg: a machine with two.
 * Two machines with a way between them that is not seen speak to each other of something else, or by other addresses.
 */
static bool is_one_machine(const struct engine *e, const struct stream *in, const struct stream *out)
{
	const struct address *a = &in->dst.addr, *b = &out->src.addr;
	const struct leg *from = leg_of(in), *to = leg_of(out);

	return from->call == to->call && in->direction->sender == out->direction->sender && !meet(from, to) &&
	       address_equal(a, &from->party[side_other(in->direction->sender)].signalling.addr) &&
	       address_equal(b, &to->party[out->direction->sender].signalling.addr) && !talk(e->network, a, b);
}

void relays_settle(struct engine *e)
{
	LIST_EACH(it, streams_in_order(e->streams)) {
		const struct stream *s = LIST_ENTRY(it, struct stream, in_order), *in = relayed(s);

		if (!in)
			continue;
		calls_join_media(e->calls, leg_of(in), leg_of(s));
		if (is_one_machine(e, in, s))
			network_alias(e->network, &in->dst.addr, &s->src.addr);
	}
}
