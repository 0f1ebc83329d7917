/* SPDX-License-Identifier: MIT */
/* gate_direction: the gates of the capture, asked for one direction that seems silent. */
#include "analyzer/detect/gates.h"
#include "analyzer/detect/hearing_parts.h"
#include "analyzer/detect/ice_checks.h"
#include "analyzer/detect/lookup.h"

/* What the sender sends from where this window says, or what the receiver is sent, is never here: G1. */
static bool half_tapped(const struct judge *j, const struct window *w)
{
	for (unsigned i = 0; i < w->source_count; i++) {
		for (unsigned k = 0; k < w->target_count; k++) {
			if (gates_half_tapped(j->facts->gates, j->facts, &w->sources[i].at.addr,
				&w->targets[k].at.addr))
				return true;
		}
	}
	return false;
}

/* Who is captured on has no other links. */
static bool one_way_each(const struct judge *j, const struct window *w)
{
	const struct window *back = direction_first_due(direction_reverse(j->d));

	return j->facts->vantage.kind != VANTAGE_ON_HOST && w->target_count && back && back->target_count &&
		gates_one_way_each(j->facts->gates, &w->targets[0].at.addr, &back->targets[0].at.addr);
}

static bool switched(const struct judge *j, const struct address *a, const struct address *b)
{
	const struct network *n = j->facts->network;

	return address_same_net(a, b) && network_at(n, a) && network_at(n, b) && !network_pair_find(n, a, b) &&
	       !network_pair_find(n, b, a);
}

/*
 * G3: two neighbours of one network that were never seen to talk: a tap at their router, or at a server's port, does
 * not see it (1.7.2).
 */
static bool between_neighbours(const struct judge *j, const struct window *w)
{
	unsigned far = 0, pairs = 0;

	for (unsigned i = 0; i < w->source_count; i++) {
		for (unsigned k = 0; k < w->target_count; k++, pairs++)
			far += !switched(j, &w->sources[i].at.addr, &w->targets[k].at.addr);
	}
	return pairs && far == 0;
}

static bool names(const struct network *n, const struct target *list, unsigned count, const struct address *a)
{
	for (unsigned i = 0; i < count; i++) {
		if (network_same(n, &list[i].at.addr, a))
			return true;
	}
	return false;
}

struct named { const struct target *list; unsigned count; };

static struct named named_in(const struct window *w, bool sender)
{
	return sender ? (struct named){ w->sources, w->source_count } : (struct named){ w->targets, w->target_count };
}

/* Earlier windows named other hosts for this side, and none of those of this one. */
static bool side_moved(const struct network *n, const struct direction *d, const struct window *w, bool sender)
{
	struct named now = named_in(w, sender);
	bool elsewhere = false;

	for (const struct window *b = d->windows; b < w; b++) {
		struct named before = named_in(b, sender);

		for (unsigned i = 0; i < before.count; i++) {
			if (names(n, now.list, now.count, &before.list[i].at.addr))
				return false;
			elsewhere = true;
		}
	}
	return elsewhere && now.count;
}

/*
 * G3: the session has moved to other hosts, and one host is an end of all that is here, which is none of the two now:
 * what they say to one another does not pass. Of two that alone speak here it may be either, unless it is known where
 * the capture was taken.
 */
static bool moved_past(const struct judge *j, const struct window *w)
{
	const struct network *n = j->facts->network;
	const struct host *at = j->facts->vantage.host;
	const struct address *hubs[2];
	unsigned count = lookup_hubs(j->facts->lookup, hubs), among = 0;

	if (!count || !w->source_count || !w->target_count ||
	    !(side_moved(n, j->d, w, true) || side_moved(n, j->d, w, false)))
		return false;
	for (unsigned i = 0; i < count; i++) {
		if (!names(n, w->sources, w->source_count, hubs[i]) && !names(n, w->targets, w->target_count, hubs[i]))
			continue;
		if (at && network_same(n, &at->addr, hubs[i]))
			return false;
		among++;
	}
	return among < count;
}

/* Several points: where SIP of the two was captured, no audio of anybody was. 1.7.3 G2 for that point alone. */
static bool point_without_media(const struct judge *j)
{
	const struct leg *leg = j->d->slot->dialog->leg;
	uint32_t media = lookup_media_points(j->facts->lookup), points = 0;

	if (j->d->stream_count || direction_reverse(j->d)->stream_count)
		return false;                /* its audio was captured elsewhere */
	for (unsigned side = 0; side < 2; side++) {
		const struct host *h = network_host_find(j->facts->network, &leg->party[side].signalling.addr);

		points |= h ? h->points_out | h->points_in : 0;
	}
	return points && media && !(points & media);
}

/* Audio of one of the two passes in a TURN channel, and whom it is for or from was said before the capture began. */
static bool in_channel(const struct judge *j, int64_t from_ns, int64_t to_ns)
{
	const struct side_addresses *sides[] = { j->sender, j->receiver };

	for (unsigned side = 0; side < 2; side++) {
		for (unsigned i = 0; i < sides[side]->count; i++) {
			if (gates_channelled(j->facts->gates, &sides[side]->at[i].addr, from_ns, to_ns))
				return true;
		}
	}
	return false;
}

/*
 * The receiver has moved and speaks from there, and nothing that the sender sends there is in the capture: it may have
 * followed.
 */
static bool followed_unseen(const struct judge *j, int64_t from_ns)
{
	const struct direction *back = direction_reverse(j->d);
	const struct pair *pair;

	for (unsigned i = 1; i < back->stream_count && j->d->stream_count; i++) {
		const struct stream *s = back->streams[i];

		if (!address_equal(&s->src.addr, &back->streams[0]->src.addr) && s->last_ns > from_ns &&
		    gates_one_sided(j->facts->gates, j->facts, &s->dst.addr, &s->src.addr, &pair))
			return true;
	}
	return false;
}

const char *gate_direction(struct judge *j, const struct window *w, int64_t from_ns, int64_t to_ns)
{
	const struct gates *g = j->facts->gates;
	struct hearing *h = j->h;
	const struct pair *pair;
	/* between the media sockets themselves: this is their way */
	bool checks = ice_checks_of(j->facts, j->d->slot) != NULL;

	if (j->d->ambiguous || direction_reverse(j->d)->ambiguous)
		return judge_because(h, "a stream fits this call and another one equally"), "B0";
	if (in_channel(j, from_ns, to_ns))
		return judge_because(h, "its audio may be what passes in a TURN channel whose peer is not known"), "B0";
	if (gates_no_media(g, NULL))
		return judge_because(h, gates_no_media_why(g)), "G2";
	if (point_without_media(j))
		return judge_because(h, "where these calls were captured, no audio of anybody was"), "G2";
	for (unsigned i = 0; i < j->receiver->media_count; i++) {
		if (gates_no_media_of(g, j->facts, &j->receiver->at[i].addr))
			return judge_because(h, "the media address of these calls never appears in this capture"), "G2";
	}
	for (unsigned i = 0; i < j->sender->media_count; i++) {
		if (gates_no_media_of(g, j->facts, &j->sender->at[i].addr))
			return judge_because(h, "the media address of these calls never appears in this capture"), "G2";
	}
	if (one_way_each(j, w))
		return judge_because(h, "of each call between these hosts one direction passes here, and not of all the same: other links carry the rest"),
		       "G3";
	if (half_tapped(j, w))
		return judge_because(h, "nothing that one of them sends, or is sent, is in the capture"), "G1";
	for (unsigned i = 0; i < j->sender->count; i++) {
		for (unsigned k = 0; k < j->receiver->count; k++) {
			if (h->sees != SEES_YES &&
			    gates_one_sided(g, j->facts, &j->sender->at[i].addr, &j->receiver->at[k].addr, &pair))
				return judge_because(h, "only one direction between these two hosts is in the capture"),
				       "G1";
		}
	}
	if (followed_unseen(j, from_ns))
		return judge_because(h, "the receiver has moved, and what it is sent there is not in the capture"), "G1";
	if (between_neighbours(j, w))
		return judge_because(h, "what neighbours say to one another need not pass this point"), "G3";
	if (moved_past(j, w))
		return judge_because(h, "its audio has moved to hosts whose traffic with one another does not pass this point"),
		       "G3";
	for (unsigned i = 0; i < w->target_count; i++) {
		if (gates_port_range(g, w->targets[i].at.port))
			return judge_because(h, "media ports of this range are missing from the capture"), "G3";
	}
	if (h->receiver_reports_unseen)
		return judge_because(h, "the receiver reports a stream that does not pass this point"), "G3";
	if (h->sending == RTCP_SENDING_RISING && !h->at_receiver)
		return judge_because(h, "the sender's reports count packets that do not pass this point"), "G3";
	if (h->sees == SEES_NO && !checks)
		return judge_because(h, "no packet from the sender's media address to the receiver passes this point"),
		       "G3";
	if (!h->near_sender && !h->near_receiver && h->sees != SEES_YES && !checks)
		return judge_because(h,
		       "this point lies beside neither party, and nothing proves that their media passes here"), "G3";
	if (gates_capture_lost(g, from_ns, to_ns) && to_ns - from_ns < 5 * SECOND_NS)
		return judge_because(h, "the capture itself lost packets then"), "G7";
	if ((j->d->slot->dialog->leg->replayed || gates_copies_apart_ns(g)) && from_ns > w->due_ns)
		return judge_because(h, "the call is in the capture more than once: when its streams end cannot be told"), "G9";
	if (gates_capture_still(g, from_ns, ns_add(from_ns, from_ns > w->due_ns ? TAIL_NS : j->facts->min_call_ns)))
		return judge_because(h, GATES_STILL), "G7";
	return NULL;
}
