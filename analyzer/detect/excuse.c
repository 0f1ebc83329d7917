/* SPDX-License-Identifier: MIT */
/* excuse: the N-register: situations in which silence is no fault. */
#include "analyzer/detect/hearing_parts.h"

#include "analyzer/detect/ice_checks.h"
#include "analyzer/detect/say.h"
#include "analyzer/media/digits.h"

#define TOGETHER_NS (2 * SECOND_NS)
#define ENDING_NS (10 * SECOND_NS)           /* less is no silence that a party hangs up for (2.3) */
enum { HOLDS_MAX = 16, PARENTS_MAX = 16 };

#define KEYS_BEFORE_NS (3 * SECOND_NS)         /* from a key to the quiet that waits for the next */
#define KEYS_AFTER_NS (15 * SECOND_NS)        /* from the last key to what a menu says, or to whom it calls */
/* so long has somebody spoken: no machine's greeting, no knock on the microphone */
#define TALK_S 3.0

static bool is_automaton(const struct judge *j)
{
	const struct address *a = j->sender->count ? &j->sender->at[0].addr : NULL;
	const struct host *h = a ? network_host_find(j->facts->network, a) : NULL;

	return !h || !(h->roles & 1u << ROLE_PHONE);
}

/* Of three seconds when they were full is known, of less what there was in all. */
static bool spoke_before(const struct direction *d, int64_t at_ns)
{
	double s = 0;

	for (unsigned i = 0; i < d->stream_count; i++) {
		struct stream_sound heard = stream_sound(d->streams[i]);

		if (heard.talked_ns != NS_NONE && heard.talked_ns <= at_ns)
			return true;
		if (heard.speech && heard.speech_last_ns <= at_ns)
			s += heard.speech_s;
	}
	return s >= TALK_S;
}

/* Both have spoken for 3 s before: somebody was there. Codecs that cannot be heard: no. */
static bool conversation(const struct judge *j, int64_t at_ns)
{
	return spoke_before(j->d, at_ns) && spoke_before(direction_reverse(j->d), at_ns);
}

static const struct window *other_window(const struct leg *other, enum side sender, int64_t at_ns)
{
	const struct dialog *d = other->confirmed;

	for (unsigned i = 0; d && i < d->mslot_count; i++) {
		if (d->mslots[i].kind == SDP_AUDIO)
			return direction_window_at(&d->mslots[i].direction[sender], at_ns);
	}
	return NULL;
}

/* Does the sender's media live on that party's machine? Then it is what joins the legs and passes audio on. */
static bool shares_host(const struct judge *j, const struct party *p)
{
	const struct address *own = j->d ? &j->d->slot->dialog->leg->party[j->d->sender].signalling.addr : NULL;

	for (unsigned i = 0; i < j->sender->media_count; i++) {
		const struct address *media = &j->sender->at[i].addr;

		/* a NAT's outer address is that of each phone behind it: it has to be the machine that signals, too */
		if (address_equal(media, &p->signalling.addr) ||
		    (network_same(j->facts->network, media, &p->signalling.addr) &&
		    (!own || network_same(j->facts->network, own, &p->signalling.addr))))
			return true;
	}
	return false;
}

/* The side of a leg from which the sender has what it passes on. False: its machine is not on this leg. */
static bool far_side(const struct judge *j, const struct leg *other, enum side *ret)
{
	for (enum side near = SIDE_CALLER; near <= SIDE_CALLEE; near++) {
		if (shares_host(j, &other->party[near])) {
			*ret = side_other(near);
			return true;
		}
	}
	return false;
}

/*
 * N9: the sender only passes on what another leg of the call brings: is that leg on hold, ringing, being transferred or
 * over? Both-ways audio on the other leg is needed before silence here is this sender's.
 */
static const struct window *other_leg_excuses(const struct judge *j, int64_t at_ns)
{
	const struct leg *own = j->d->slot->dialog->leg;

	if (!own->call || own->call->legs.count < 2)
		return NULL;
	LIST_EACH(it, &own->call->legs) {
		const struct leg *other = LIST_ENTRY(it, struct leg, in_call);
		enum side there;
		const struct window *w;

		if (other == own)
			continue;
		if (!far_side(j, other, &there))
			continue;
		if (other->answer_ns == NS_NONE)
			/* a losing branch of the ring group, or a target that rings: others may speak */
			continue;
		w = other_window(other, there, at_ns);
		if (!w)
			continue;
		if (w->state == EXPECT_PAUSED || w->state == EXPECT_OPTIONAL || w->state == EXPECT_EARLY)
			return w;
	}
	return NULL;
}

int64_t excuse_other_leg_until(const struct judge *j, int64_t since_ns)
{
	int64_t until_ns = since_ns;

	for (unsigned i = 0; i < HOLDS_MAX; i++) {
		const struct window *w = other_leg_excuses(j, ns_add(until_ns, SECOND_NS));

		if (!w)
			return until_ns;
		if (w->off_ns == NS_NONE || w->off_ns <= until_ns)
			break;
		until_ns = w->off_ns;
	}
	return since_ns;
}

/* Packets of key presses: a PBX that takes them for itself, or passes them on by other means, has no audio for then. */
static double key_packets(const struct direction *in, int64_t from_ns, int64_t to_ns)
{
	double n = 0;

	for (unsigned i = 0; i < in->stream_count; i++) {
		const struct digits *all = in->streams[i]->digits;

		for (unsigned k = 0; all && k < all->count; k++) {
			const struct digit *x = &all->list[k];

			if (x->last_ns >= from_ns && x->first_ns <= to_ns)
				n += x->packets;
		}
	}
	return n;
}

/*
 * Where the machine's own audio of a leg is captured before a router and behind it, what it is sent there must have
 * been seen where its own begins. Else, as far as is known, it arrives.
 */
static bool arrives(const struct direction *in)
{
	const struct direction *own = direction_reverse(in);

	for (unsigned i = 0; i < own->stream_count; i++) {
		const struct stream *begins = stream_origin(own->streams[i]);
		bool here = begins == own->streams[i] && (!begins->twin_next || begins->twin_next->twin_kind == TWIN_RELAY);

		for (unsigned k = 0; k < in->stream_count && !here; k++)
			here = in->streams[k]->points & begins->points;
		if (!here)
			return false;
	}
	return true;
}

/* The points at which the machine's own audio of a leg begins and what it is sent there is seen, too; 0: none is. */
static uint32_t machine_points(const struct direction *in)
{
	const struct direction *own = direction_reverse(in);
	uint32_t begins = 0, there = 0;

	for (unsigned i = 0; i < own->stream_count; i++)
		begins |= stream_origin(own->streams[i])->points;
	for (unsigned i = 0; i < in->stream_count; i++)
		there |= in->streams[i]->points & begins;
	return there;
}

/*
 * Packets of the direction, unless they are known not to come as far as the machine that is to get them, or are of no
 * use to it.
 */
static double arriving(const struct facts *facts, const struct direction *in, int64_t from_ns, int64_t to_ns)
{
	uint32_t points = machine_points(in);
	double n = 0;

	if (!arrives(in) || arrival_all_foreign(facts, in, from_ns, to_ns) ||
	    arrival_refused(facts, in, from_ns, to_ns))
		return 0;
	for (unsigned i = 0; i < in->stream_count; i++) {
		/* what a router keeps half way is at the point before it all the same */
		if (in->streams[i]->bound_by <= BOUND_AT_ALL && (!points || in->streams[i]->points & points))
			n += stream_packets_between(in->streams[i], from_ns, to_ns);
	}
	return n;
}

/* Its party was answered just then: what had been heard until then was the machine's own, music of a queue. */
static bool takes_over(const struct direction *in, int64_t at_ns)
{
	int64_t after_ns = ns_minus(at_ns, direction_first_due(in)->on_ns);

	return after_ns <= TOGETHER_NS && after_ns >= -TOGETHER_NS;
}

/*
 * Does no more than that of what the sender passes on reach its machine, on another leg of the call? seen: it did
 * before, at this point.
 */
static bool begins_elsewhere(const struct judge *j, int64_t from_ns, int64_t to_ns, double most, bool seen)
{
	const struct leg *own = j->d->slot->dialog->leg;

	LIST_EACH(it, &own->call->legs) {
		const struct leg *other = LIST_ENTRY(it, struct leg, in_call);
		const struct dialog *dialog = other->confirmed;
		enum side there;

		if (other == own || !dialog)
			continue;
		if (!far_side(j, other, &there))
			continue;
		for (unsigned i = 0; i < dialog->mslot_count; i++) {
			const struct direction *in = &dialog->mslots[i].direction[there];

			if (dialog->mslots[i].kind != SDP_AUDIO || !direction_first_due(in) ||
			    arriving(j->facts, in, from_ns, to_ns) > most + (seen ? key_packets(in, from_ns, to_ns) : 0))
				continue;
			if (!seen || takes_over(in, from_ns) ||
			    direction_packets_between(in, BOUND_AT_ALL, direction_first_due(in)->on_ns, from_ns) >= ALIVE_PACKETS)
				return true;
		}
	}
	return false;
}

bool excuse_begins_elsewhere(const struct judge *j, int64_t from_ns, int64_t to_ns, bool whole)
{
	return begins_elsewhere(j, from_ns, to_ns, STRAY_PACKETS, !whole);
}

static bool same_box(const struct judge *j, const struct window *w)
{
	const struct address *a = w->target_count ? &w->targets[0].at.addr : NULL,
		*b = w->source_count ? &w->sources[0].at.addr : NULL;
	const struct host *h;

	if (!a || !b || !address_equal(a, b) || address_loopback(a) || hearing_told_own(j->d, w))
		return false;
	h = network_host_find(j->facts->network, a);
	return h && h->sip_port_count && !(h->roles & 1u << ROLE_NAT);
}

/*
 * The first INVITE was answered before its proxy, and further on accepted; what its sender was told of it is here, and
 * no 200 (1.2: for the offerer the session begins with the 200 that reaches it).
 */
static bool never_told(const struct judge *j, const struct window *w)
{
	const struct exchange *x = w->exchange;
	const struct message *first = NULL;
	bool heard = false, further = false;

	if (!x || x->kind != EXCHANGE_INITIAL || x->offerer != j->d->sender || !x->transaction ||
	    j->d->slot->dialog->ack_seen)
		return false;
	for (unsigned i = 0; i < x->offer.count; i++) {
		if (!first || x->offer.seen[i]->via_count < first->via_count)
			first = x->offer.seen[i];
	}
	CHAIN_EACH(it, &x->transaction->messages) {
		const struct message *m = LIST_ENTRY(it, struct message, in_transaction);
		bool back = first && !m->request && address_equal(&m->dst.addr, &first->src.addr);

		if (back && m->status >= 200)
			return false;
		heard |= back;
		further |= first && m->request && m->via_count > first->via_count &&
			address_equal(&m->src.addr, &first->dst.addr);
	}
	return heard && further;
}

/*
 * Comfort noise came in the window: the path works, nobody speaks. since_ns: of what came until then; it has to go on
 * behind that, or NS_NONE.
 */
static bool comfort_came(const struct judge *j, const struct window *w, int64_t since_ns)
{
	for (unsigned i = 0; i < j->d->stream_count; i++) {
		const struct stream *s = j->d->streams[i];

		if (s->comfort >= 3 && s->last_ns >= w->on_ns && (w->off_ns == NS_NONE || s->first_ns < w->off_ns) &&
		    (since_ns == NS_NONE || s->last_ns > ns_add(since_ns, SECOND_NS)))
			return true;
	}
	return false;
}

static bool reports_after(const struct rtcp_party *p, int64_t at_ns)
{
	return p && p->last_ns > at_ns;
}

/*
 * Both sides stopped, one soon after the other, and nothing of the call follows, neither SIP nor reports: they have hung
 * up, and the BYE took another way or was lost to the capture (G6). Where a path breaks the near side goes on sending.
 */
static bool ended_unseen(const struct judge *j, int64_t from_ns)
{
	const struct direction *other = direction_reverse(j->d);
	const struct dialog *dialog = j->d->slot->dialog;
	int64_t last_ns = NS_NONE, end_ns;

	for (unsigned i = 0; i < other->stream_count; i++) {
		if (last_ns == NS_NONE || other->streams[i]->last_ns > last_ns)
			last_ns = other->streams[i]->last_ns;
	}
	if (dialog->ended_ns != NS_NONE || last_ns == NS_NONE || last_ns > ns_add(from_ns, ENDING_NS) ||
	    last_ns < ns_add(from_ns, -ENDING_NS))
		return false;
	end_ns = ns_add(last_ns > from_ns ? last_ns : from_ns, TOGETHER_NS);
	return dialog->leg->last_ns <= end_ns && !reports_after(j->h->sender_rtcp, end_ns) &&
	       !reports_after(j->h->receiver_rtcp, end_ns);
}

const char *excuse_row(struct judge *j, const struct window *w, const struct counted *c, int64_t from_ns, int64_t to_ns,
	bool whole)
{
	struct hearing *h = j->h;
	/* whoever sends does not get through: a path that is asked and does not answer */
	bool lost = !whole && ice_checks_unanswered(j->facts, j->d->slot, from_ns);

	if (whole && never_told(j, w))
		return judge_because(h, "the answer was not handed on to the caller, who does not know that the call stands"), "N1";
	if (j->d->slot->dialog->leg->siprec)
		return judge_because(h, "a recording leg sends one way"), "N3";
	if (comfort_came(j, w, whole ? NS_NONE : from_ns))
		return judge_because(h, "only comfort noise came: the sender is there and silent"), "N4";
	if (!whole && !lost && (w->dtx_allowed || c->dtx) &&
	    to_ns - from_ns < (int64_t)(judge_key(j, "expect", "dtx-max-gap-s") * 1e9) &&
	    h->sending != RTCP_SENDING_RISING)
		return judge_because_of(j, "the sender suppresses silence, and it was quiet for %.0f s",
		       (double)(to_ns - from_ns) / 1e9), "N4";
	if (!whole && ended_unseen(j, from_ns))
		return judge_because(h, "both sides stopped and nothing of the call follows: it has ended, its BYE is not in the capture"),
		       "G6";
	if (other_leg_excuses(j, ns_add(from_ns, SECOND_NS)))
		return judge_because(h, "another leg of the call is on hold, being transferred or ringing"), "N9";
	if (!whole && !lost && hearing_listener_held(j->facts, j->d, from_ns, to_ns))
		return judge_because(h, "who would hear it holds the call, on another leg"), "N9";
	if (!whole && !lost && is_automaton(j) && h->sending != RTCP_SENDING_RISING && h->icmp_count < ICMP_PROOF &&
	    !conversation(j, from_ns))
		return judge_because(h, "the sender stopped: listening (voicemail, menu, queue) or lost look alike"),
		       "N10";
	if (!whole && h->sending == RTCP_SENDING_CONSTANT && (w->ice || w->dtls))
		return judge_because(h, "muted: its reports go on, their packet count stands still"), "N13";
	if (whole && same_box(j, w))
		return judge_because(h, "both parties name the same machine: its media may never reach a wire"), "N17";
	return NULL;
}

bool hearing_excused(const struct facts *facts, struct direction *d, int64_t at_ns)
{
	struct side_addresses sender;
	struct judge j = { .facts = facts, .d = d, .sender = &sender, .end_ns = facts->capture->last_ns };

	side_addresses(d->slot, d->sender, &sender);
	return other_leg_excuses(&j, at_ns) != NULL;
}

bool hearing_begins_elsewhere(const struct facts *facts, struct direction *d, int64_t from_ns, int64_t to_ns)
{
	struct side_addresses sender;
	struct judge j = { .facts = facts, .d = d, .sender = &sender, .end_ns = facts->capture->last_ns };
	const struct call *call = d->slot->dialog->leg->call;

	if (!call || call->legs.count < 2)
		return false;
	side_addresses(d->slot, d->sender, &sender);
	/* a fifth of 20 ms packets: the machine's own buffer shifts the hole a little */
	return begins_elsewhere(&j, from_ns, to_ns, (double)ns_minus(to_ns, from_ns) / (100 * MILLISECOND_NS), true);
}

bool hearing_listens(const struct facts *facts, struct direction *d, int64_t at_ns)
{
	struct side_addresses sender;
	struct judge j = { .facts = facts, .d = d, .sender = &sender, .end_ns = facts->capture->last_ns };

	side_addresses(d->slot, d->sender, &sender);
	return is_automaton(&j) && !conversation(&j, at_ns);
}

bool hearing_keys_pressed(const struct direction *d, int64_t from_ns, int64_t to_ns)
{
	const struct direction *back = direction_reverse(d);

	for (unsigned i = 0; i < back->stream_count; i++) {
		const struct digits *all = back->streams[i]->digits;

		for (unsigned k = 0; all && k < all->count; k++) {
			if (all->list[k].last_ns >= ns_add(from_ns, -KEYS_BEFORE_NS) && all->list[k].first_ns <= to_ns &&
			    ns_minus(to_ns, all->list[k].last_ns) <= KEYS_AFTER_NS)
				return true;
		}
	}
	return false;
}

bool hearing_collects_keys(const struct facts *facts, const struct direction *d, int64_t from_ns, int64_t to_ns)
{
	struct endpoint sender = party_seen_at(d, d->sender);

	return say_serves(facts, &sender.addr) && hearing_keys_pressed(d, from_ns, to_ns);
}

/* Closed from before the time until behind it, as far as a hold that begins with it goes. */
static bool paused_over(const struct window *w, int64_t from_ns, int64_t to_ns)
{
	return w->state == EXPECT_PAUSED && w->on_ns <= ns_add(from_ns, SECOND_NS) &&
	       (w->off_ns == NS_NONE || w->off_ns >= ns_add(to_ns, -SECOND_NS));
}

/* The first leg of what was one call already before anything was transferred. */
static const struct leg *leg_before_transfer(const struct leg *leg)
{
	for (unsigned up = 0; leg->parent && leg->joined_by != JOIN_REPLACES && up < PARENTS_MAX; up++)
		leg = leg->parent;
	return leg;
}

/* Were both a call of their own until then: one talks, the other consults, and is transferred to it later? */
static bool joined_later(const struct leg *a, const struct leg *b, int64_t at_ns)
{
	if (leg_before_transfer(a) == leg_before_transfer(b))
		return false;
	LIST_EACH(it, &a->call->legs) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_call);

		if (leg->transferred && leg->refer_ns >= ns_add(at_ns, -SECOND_NS))
			return true;
	}
	return false;
}

bool hearing_listener_held(const struct facts *facts, const struct direction *d, int64_t from_ns, int64_t to_ns)
{
	const struct leg *own = d->slot->dialog->leg;
	struct side_addresses passes_on;
	const struct judge j = { .facts = facts, .sender = &passes_on };
	bool held = false;

	if (!own->call || own->call->legs.count < 2)
		return false;
	side_addresses(d->slot, side_other(d->sender), &passes_on);
	LIST_EACH(it, &own->call->legs) {
		const struct leg *other = LIST_ENTRY(it, struct leg, in_call);
		enum side there;
		const struct window *w = other != own && other->answer_ns != NS_NONE && far_side(&j, other, &there)
			? other_window(other, side_other(there), ns_add(from_ns, SECOND_NS)) : NULL;

		if (w && joined_later(own, other, to_ns))
			continue;
		if (w && w->state != EXPECT_ENDED && !paused_over(w, from_ns, to_ns))
			return false;
		held |= w && paused_over(w, from_ns, to_ns);
	}
	return held;
}
