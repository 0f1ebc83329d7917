/* SPDX-License-Identifier: MIT */
/* dtls_ways: the DTLS handshake (RFC 5764) between the sockets that two parties named for a medium. */
#include "analyzer/detect/dtls_ways.h"

/* RFC 6347 4.2.4.1: a hello is sent again after 1, 2, 4 s; some begin with fractions of it */
enum { HELLOS_MIN = 4 };

#define STUCK_NS (2 * SECOND_NS)

enum wanted { ANY, STUCK, REFUSED };

struct search {
	const struct facts *facts;
	enum wanted wanted;
	const struct dtls_way *best;
};

/* The hello is sent again and again, or the answer to it, for want of what should follow. */
static bool is_stuck(const struct facts *facts, const struct dtls_way *way)
{
	const struct dtls_way *back = network_dtls(facts->network, &way->to, &way->from);

	return (way->hellos >= HELLOS_MIN || (way->hellos > 1 && back && back->others >= HELLOS_MIN)) &&
	       way->others == 0 && ns_minus(way->last_ns, way->first_ns) >= STUCK_NS;
}

/* An alert ends the handshake; a client may begin another one. */
static bool is_refused(const struct facts *facts, const struct dtls_way *way)
{
	const struct dtls_way *back = network_dtls(facts->network, &way->to, &way->from);
	int64_t last_ns = back && back->last_ns > way->last_ns ? back->last_ns : way->last_ns;

	return way->alert_ns != NS_NONE && last_ns < ns_add(way->alert_ns, SECOND_NS);
}

static bool fits(const struct search *s, const struct dtls_way *way)
{
	switch (s->wanted) {
	case STUCK: return is_stuck(s->facts, way);
	case REFUSED: return is_refused(s->facts, way);
	case ANY: break;
	}
	return true;
}

static void look(struct search *s, const struct endpoint *from, const struct endpoint *to)
{
	const struct dtls_way *way = network_dtls(s->facts->network, from, to);

	if (way && fits(s, way) &&
	    (!s->best || way->hellos + way->others > s->best->hellos + s->best->others))
		s->best = way;
}

static void look_in(struct search *s, const struct window *w)
{
	if (w->state != EXPECT_DUE || !w->dtls)
		return;
	for (unsigned i = 0; i < w->source_count; i++) {
		for (unsigned k = 0; k < w->target_count; k++) {
			look(s, &w->sources[i].at, &w->targets[k].at);
			look(s, &w->targets[k].at, &w->sources[i].at);
		}
	}
}

static const struct dtls_way *search(const struct facts *facts, const struct mslot *slot, enum wanted wanted)
{
	struct search s = { facts, wanted, NULL };

	for (unsigned side = 0; side < 2; side++) {
		const struct direction *d = &slot->direction[side];

		for (unsigned i = 0; i < d->window_count; i++)
			look_in(&s, &d->windows[i]);
		/* outside a NAT neither goes where the session says */
		for (unsigned i = 0; i < d->stream_count && direction_first_due(d) && direction_first_due(d)->dtls; i++) {
			look(&s, &d->streams[i]->src, &d->streams[i]->dst);
			look(&s, &d->streams[i]->dst, &d->streams[i]->src);
		}
	}
	return s.best;
}

const struct dtls_way *dtls_way_of(const struct facts *facts, const struct mslot *slot)
{
	return search(facts, slot, ANY);
}

const struct dtls_way *dtls_way_stuck(const struct facts *facts, const struct mslot *slot, bool *ret_answered)
{
	const struct dtls_way *way = search(facts, slot, STUCK), *back;

	if (!way)
		return NULL;
	back = network_dtls(facts->network, &way->to, &way->from);
	*ret_answered = back && back->others;
	return way;
}

const struct dtls_way *dtls_way_refused(const struct facts *facts, const struct mslot *slot)
{
	return search(facts, slot, REFUSED);
}
