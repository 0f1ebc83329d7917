/* SPDX-License-Identifier: MIT */
/*
 * learn_media: translations that show only when audio flows. Told by addresses in SDP against sources and destinations.
 */
#include "analyzer/network/learn_media.h"

#include "analyzer/media/expectation.h"

enum {
	SURE_BINDING = 7,            /* B8 and below are guesses by port or payload type: they teach nothing */
	STREAMS_ASKED = 16           /* of one direction */
};

#define MOVING_NS (2 * SECOND_NS)            /* expect.move-overlap-ms: old and new are valid side by side */

/* One party's own SDP addresses and streams in one m-slot. */
struct party_media {
	struct network *n;
	const struct direction *sends, *receives;
	int64_t over_ns;             /* end of the exchange in question; NS_NONE: not seen */
};

/* A TURN client's own address and the one that the server has lent it are no translation of each other. */
static bool stream_teaches(const struct stream *s)
{
	return !s->relayed && s->bound_by >= 1 && s->bound_by <= SURE_BINDING && s->twin_kind != TWIN_RELAY;
}

static void learn_from(struct network *n, const struct endpoint *inside, const struct endpoint *outside,
	enum nat_method method,
	const struct stream *s)
{
	network_learn(n, inside, outside, true, method, s->first_ns, s->file, s->first_frame);
}

/* What the party calls itself against where its audio comes from. `at` was written in a message of the same source. */
static void learn_source(struct network *n, const struct target *t, const struct stream *s)
{
	const struct endpoint *written = &t->at, *seen = &s->src;
	int named = address_reach(&written->addr), real = address_reach(&seen->addr);

	if (!address_equal(&t->message->src.addr, &seen->addr) || named < 0 || real < 0)
		return;
	if (named < real)
		learn_from(n, written, seen, written->port == seen->port ? NAT_SDP_PORT_EQUAL : NAT_SDP_PORT_OTHER, s);
	else if (named == 2 && real < 2 && written->port == seen->port)
		learn_from(n, seen, written, NAT_EXTERNAL_ADDRESS, s);
}

/*
 * A description that moved the party's audio says nothing of what it had sent before, but for what was on its way, nor
 * one that is over of what it began to send later.
 */
static bool sent_under(const struct party_media *m, const struct window *w, const struct stream *own)
{
	return (!w->moved || own->last_ns > ns_add(w->on_ns, MOVING_NS)) &&
	       (m->over_ns == NS_NONE || own->first_ns < m->over_ns);
}

/* Is this where the party's own audio comes from, and had it come before anything was sent there? */
static bool answered_to_source(const struct party_media *m, const struct window *w, const struct stream *back)
{
	for (unsigned i = 0; i < m->sends->stream_count && i < STREAMS_ASKED; i++) {
		const struct stream *own = m->sends->streams[i];

		if (endpoint_equal(&own->src, &back->dst) && endpoint_equal(&own->dst, &back->src) &&
		    own->first_ns <= back->first_ns && sent_under(m, w, own))
			return true;
	}
	return false;
}

/*
 * The last target is the one that its author wrote: what stands before it may have been changed on the way. Audio that
 * turned to an address where the party does not signal from was led there by somebody, or media goes its own way:
 * neither is a translation.
 */
static void learn_latched(const struct party_media *m, const struct window *w)
{
	const struct target *t = &w->targets[w->target_count - 1];
	const struct endpoint *written = &t->at;

	for (unsigned i = 0; i < m->receives->stream_count && i < STREAMS_ASKED; i++) {
		const struct stream *back = m->receives->streams[i];

		if (!back->relayed && !window_has_target(w, &back->dst) &&
		    address_equal(&t->message->src.addr, &back->dst.addr) &&
		    address_reach(&written->addr) >= 0 &&
		    address_reach(&written->addr) < address_reach(&back->dst.addr) &&
		    answered_to_source(m, w, back))
			learn_from(m->n, written, &back->dst, NAT_LATCHED, back);
	}
}

static void learn_window(const struct party_media *m, const struct window *w)
{
	learn_latched(m, w);
	for (unsigned k = 0; k < w->target_count; k++) {
		for (unsigned s = 0; s < m->sends->stream_count && s < STREAMS_ASKED; s++) {
			const struct stream *own = m->sends->streams[s];

			if (stream_teaches(own) && sent_under(m, w, own))
				learn_source(m->n, &w->targets[k], own);
		}
	}
}

/* Each exchange once: its windows, before the answer and after it, stand side by side. */
static void learn_party(struct party_media *m)
{
	const struct window *windows = m->receives->windows;

	for (unsigned i = 0, next; i < m->receives->window_count; i = next) {
		for (next = i + 1; next < m->receives->window_count && windows[next].exchange == windows[i].exchange;)
			next++;
		while (i + 1 < next && !windows[i].target_count)
			i++;
		m->over_ns = windows[next - 1].off_ns;
		if (windows[i].target_count)
			learn_window(m, &windows[i]);
	}
}

static void learn_dialog(struct network *n, const struct dialog *d)
{
	for (unsigned i = 0; i < d->mslot_count; i++) {
		const struct mslot *slot = &d->mslots[i];

		for (unsigned side = 0; side < 2; side++)
			learn_party(&(struct party_media){ n, &slot->direction[side], &slot->direction[!side], NS_NONE });
	}
}

void learn_media(struct network *n, const struct list *legs)
{
	LIST_EACH(it, legs) {
		LIST_EACH(dialog, &LIST_ENTRY(it, struct leg, in_order)->dialogs)
			learn_dialog(n, LIST_ENTRY(dialog, struct dialog, in_leg));
	}
}
