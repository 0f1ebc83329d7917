/* SPDX-License-Identifier: MIT */
/*
 * moved: audio that stops because the session was moved to another machine (direct media, RFC 3725; a transfer), and
 * does not come from there. The one that stopped did as it was told: it neither listens nor fails.
 */
#include "analyzer/detect/hearing_parts.h"

#define TOGETHER_NS (2 * SECOND_NS)

/* Where the side said that its audio is, in that exchange; NULL: it is not known. */
static const struct endpoint *said_at(const struct exchange *e, enum side side, unsigned mline)
{
	const struct sdp_copies *c = e->offerer == side ? &e->offer : &e->answer;
	const struct sdp *sdp = c->count ? c->seen[0]->sdp : NULL;
	const struct endpoint *at = sdp && mline < sdp->media_count ? &sdp->media[mline].at : NULL;

	return at && at->port && address_known(&at->addr) && !address_unspecified(&at->addr) ? at : NULL;
}

/*
 * It has sent audio in this call, to the server between them: it is there, and somebody speaks. A server that the PBX
 * hands the call to, and that never sent here, may well do nothing but listen.
 */
static bool direction_sent_before(const struct judge *j, const struct direction *d, const struct address *a,
	int64_t at_ns)
{
	for (unsigned i = 0; i < d->stream_count; i++) {
		const struct stream *s = d->streams[i];

		if (s->direction == d && s->first_ns < at_ns && network_same(j->facts->network, &s->src.addr, a))
			return true;
	}
	return false;
}

static bool sent_before(const struct judge *j, const struct address *a, int64_t at_ns)
{
	LIST_EACH(it, &j->d->slot->dialog->leg->call->legs) {
		LIST_EACH(dit, &LIST_ENTRY(it, struct leg, in_call)->dialogs) {
			const struct dialog *d = LIST_ENTRY(dit, struct dialog, in_leg);

			for (unsigned i = 0; i < d->mslot_count; i++)
				for (unsigned side = 0; side < 2; side++)
					if (direction_sent_before(j, &d->mslots[i].direction[side], a, at_ns))
						return true;
		}
	}
	return false;
}

const struct endpoint *moved_to(const struct judge *j, int64_t at_ns)
{
	const struct direction *d = j->d;
	const struct endpoint *was = NULL, *now;
	bool moved = false;

	LIST_EACH(it, &d->slot->dialog->exchanges) {
		const struct exchange *e = LIST_ENTRY(it, struct exchange, in_dialog);

		if (e->state != EXCHANGE_STABLE || e->stable_ns > ns_add(at_ns, TOGETHER_NS))
			continue;
		now = said_at(e, d->sender, d->slot->mline);
		if (was && now && !network_same(j->facts->network, &was->addr, &now->addr))
			moved = e->stable_ns >= ns_add(at_ns, -TOGETHER_NS);
		was = now ? now : was;
	}
	for (unsigned i = 0; moved && i < d->stream_count; i++) {
		if (network_same(j->facts->network, &d->streams[i]->src.addr, &was->addr))
			return NULL;
	}
	return moved && sent_before(j, &was->addr, at_ns) ? was : NULL;
}
