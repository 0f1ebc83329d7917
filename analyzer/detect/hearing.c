/* SPDX-License-Identifier: MIT */
/* hearing: one function answers whether a direction was heard, was not, or cannot be judged here. */
#include "analyzer/detect/hearing.h"

#include <stdarg.h>
#include <stdio.h>

#include "analyzer/detect/gates.h"
#include "analyzer/detect/half_known.h"
#include "analyzer/detect/hearing_parts.h"
#include "analyzer/detect/lookup.h"
#include "analyzer/detect/media_visible.h"
#include "analyzer/detect/reported.h"
#include "analyzer/media/mos.h"
#include "analyzer/media/socket_use.h"

#define MOS_POOR 3.6
#define RESUME_NS (2 * SECOND_NS)            /* a B2BUA passes on again what a party sends after a hold */

enum { WHY_MAX = 72 };

void judge_because_of(struct judge *j, const char *format, ...)
{
	char text[WHY_MAX];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	j->h->why = arena_text(lookup_arena(j->facts->lookup), span_of(text));
}

double judge_key(const struct judge *j, const char *section, const char *name)
{
	return config_value(j->facts->config, section, name);
}

void judge_fail(struct judge *j, const struct window *w, enum failure how, int64_t from_ns, int64_t to_ns, bool whole)
{
	struct hearing *h = j->h;

	h->failure = how;
	h->window = w;
	h->from_ns = from_ns;
	h->to_ns = to_ns;
	h->whole = whole;
	h->heard = HEARD_NO;
}

/* ---- the verdict on one window ---- */

/* It is quoted by the address that a router beyond has put there: the same audio passes here under another one. */
static bool passes_here(const struct judge *j, const struct icmp_record *quoted)
{
	const struct socket_use *u = socket_uses_find(j->facts->sockets, &quoted->src);

	return u && u->leaving_count;
}

/*
 * Silence since the sender's audio was moved to another machine: it is that machine's, and no other leg has a say in
 * it.
 */
static void judge_moved(struct judge *j, const struct endpoint *there, int64_t from_ns, int64_t to_ns)
{
	const struct side_addresses *before = j->sender;
	struct side_addresses sides[2];
	struct side_place place[2];
	struct hearing *h = j->h;

	sides[j->d->sender] = (struct side_addresses){ .at = { *there }, .count = 1, .media_count = 1 };
	sides[side_other(j->d->sender)] = *j->receiver;
	place_sides(j->facts, sides, place);
	h->at_sender = place[j->d->sender].at;
	h->near_sender = place[j->d->sender].near;
	h->moved_to = there;
	j->sender = &sides[j->d->sender];
	h->sees = place_sees(j, from_ns, to_ns);
	h->gate = gate_direction(j, h->window, from_ns, to_ns);
	if (h->gate)
		h->heard = HEARD_UNKNOWN;
	else
		judge_fail(j, h->window, FAILURE_ABSENT, from_ns, to_ns, true);
	j->sender = before;
}

/* Absence: earned only when no row excuses it and no gate forbids the claim. */
static void judge_absence(struct judge *j, const struct window *w, const struct counted *c, int64_t from_ns,
	int64_t to_ns, bool whole)
{
	struct hearing *h = j->h;
	const struct endpoint *there;

	h->window = w;
	h->from_ns = from_ns;
	h->to_ns = to_ns;
	there = whole ? place_handed_on(j, w) : moved_to(j, from_ns);
	if (there) {
		judge_moved(j, there, from_ns, to_ns);
		return;
	}
	h->sees = place_sees(j, from_ns, to_ns);
	/* what it sent before it fell silent proves nothing of the silence */
	if (!whole && h->sender_rtcp)
		h->sending = rtcp_sending(h->sender_rtcp, from_ns, to_ns);
	h->row = excuse_row(j, w, c, from_ns, to_ns, whole);
	if (!h->row && j->d->slot->dialog->leg->call->legs.count > 1 &&
	    excuse_begins_elsewhere(j, from_ns, to_ns, whole)) {
		h->row = "N9";
		judge_because(h, "nothing reaches the sender on the other leg of the call: the silence begins there");
	}
	if (h->row) {
		h->heard = h->row[1] == '9' ? HEARD_UNKNOWN : c->right > STRAY_PACKETS ? HEARD_UNKNOWN
			: HEARD_NOT_EXPECTED;
		return;
	}
	if (h->icmp && c->right + c->wrong + c->foreign_pt == 0 && !passes_here(j, h->icmp)) {
		h->gate = "G3";
		judge_because(h, "an ICMP error quotes audio of the sender: it sent, and what it sent is not in the capture");
	} else if (c->weak) {
		h->gate = "B10";
		judge_because(h, "a stream of the sender could be this one, nothing proves it");
	} else {
		h->gate = gate_direction(j, w, from_ns, to_ns);
	}
	/* the other direction shows that this is media's way, and the SDP says why nothing comes back */
	if (h->gate && whole && direction_reverse(j->d)->stream_count &&
	    (hearing_told_loopback(j->d, w) || hearing_told_own(j->d, w)))
		h->gate = NULL;
	if (h->gate)
		h->heard = HEARD_UNKNOWN;
	else
		judge_fail(j, w, FAILURE_ABSENT, from_ns, to_ns, whole);
}

static bool alive(const struct counted *c)
{
	double span_s = c->first_ns == NS_NONE ? 0 : (double)(c->last_ns - c->first_ns) / 1e9;

	/* packets of more than 100 ms are fewer than ten a second: half of them, at least */
	double least = c->main && c->main->ptime_ms > 100 ? 500.0 / c->main->ptime_ms : 10;

	/* signalled silence suppression thins a stream out: it is alive all the same */
	return c->right >= ALIVE_PACKETS &&
	       (c->dtx || span_s <= 0 || c->right / span_s >= least || c->right >= 4 * ALIVE_PACKETS);
}

static void judge_present(struct judge *j, const struct counted *c)
{
	struct hearing *h = j->h;

	h->delivered = alive(c);
	if (h->delivered_from_ns == NS_NONE || (c->first_ns != NS_NONE && c->first_ns < h->delivered_from_ns)) {
		h->delivered_from_ns = c->first_ns;
		h->delivered_frame = c->first_frame;
	}
	if (c->last_ns != NS_NONE && (h->delivered_to_ns == NS_NONE || c->last_ns > h->delivered_to_ns)) {
		h->delivered_to_ns = c->last_ns;
	}
	if (!h->stream || c->main_packets > h->packets)
		h->stream = c->main;
}

/*
 * The stream to the wrong place goes on where the right one ended: it was led astray (stale target, forgotten latch).
 */
static bool strayed(const struct counted *c, int64_t since_ns)
{
	return c->wrong >= ALIVE_PACKETS && c->wrong_last_ns != NS_NONE &&
	       c->wrong_last_ns > ns_add(since_ns, SECOND_NS);
}

/*
 * What led it elsewhere may have been said while the capture stood still; of a call that was played again, streams that
 * ended come again.
 */
static bool begins_unseen(const struct judge *j, int64_t since_ns)
{
	return j->d->slot->dialog->leg->replayed || gates_copies_apart_ns(j->facts->gates) ||
	       gates_capture_still(j->facts->gates, since_ns, since_ns);
}

/* The stream goes on, and since then it holds what nobody has agreed on. */
static bool turned_foreign(const struct judge *j, const struct window *w, const struct counted *c, int64_t to_ns,
	int64_t *ret_since_ns)
{
	int64_t since_ns = c->main ? arrival_foreign_since(j, w, c->main, w->on_ns, to_ns) : NS_NONE;

	if (since_ns == NS_NONE || c->last_ns - since_ns < TAIL_NS || begins_unseen(j, since_ns))
		return false;
	*ret_since_ns = since_ns;
	return true;
}

/* Behind the last right packet a stream of types that nobody has named goes on. */
static bool follows_foreign(const struct counted *c, int64_t since_ns, int64_t to_ns)
{
	int64_t last_ns = c->foreign_pt >= ALIVE_PACKETS ? stream_last_between(c->foreign_main, since_ns, to_ns, NULL)
		: NS_NONE;

	return last_ns != NS_NONE && last_ns > ns_add(since_ns, SECOND_NS);
}

/* Its types may have been agreed where the capture has not the answer, or stood still. */
static bool foreign_agreed_unseen(const struct judge *j, const struct window *w, const struct counted *c, int64_t since_ns,
	int64_t to_ns)
{
	int64_t first_ns = stream_first_between(c->foreign_main, since_ns, to_ns, NULL);

	return begins_unseen(j, since_ns) || first_ns == NS_NONE ||
	       half_known_agreement(j->d->slot->dialog->leg, w->on_ns, first_ns) ||
	       half_known_switch(j->d, w, c->foreign_main->run.pt);
}

static void judge_foreign(struct judge *j, const struct window *w, const struct counted *c, int64_t from_ns, int64_t to_ns,
	bool whole)
{
	if (foreign_agreed_unseen(j, w, c, from_ns, to_ns)) {
		judge_because(j->h, "it goes on with another codec, whose agreement the capture may lack");
		return;
	}
	j->h->undelivered_by = "payload-type";
	j->h->foreign = c->foreign_main;
	judge_fail(j, w, FAILURE_UNDELIVERED, from_ns, to_ns, whole);
}

/* The receiver is at another address since then, and all goes to the old one; nor does it report that it gets it. */
static bool left_behind(const struct judge *j, const struct counted *c, int64_t to_ns, int64_t *ret_since_ns)
{
	const struct rtcp_report *last;
	const struct stream *now = c->main ? hearing_receiver_left(j->facts, j->d, &c->main->dst) : NULL;

	if (!now || c->main->last_ns - now->first_ns < TAIL_NS)
		return false;
	for (unsigned i = 0; i < j->d->stream_count; i++) {
		if (endpoint_equal(&j->d->streams[i]->dst, &now->src))
			return false;
	}
	*ret_since_ns = now->first_ns;
	return reported(j->facts, c->main, j->h->receiver_rtcp, now->first_ns, to_ns, &last) !=
	       RTCP_VERDICT_ADVANCING;
}

/* Since when its silence is its own: not while another leg was held, if that has been over for long enough. */
static int64_t silent_since(const struct judge *j, int64_t last_ns, int64_t to_ns)
{
	int64_t until_ns = excuse_other_leg_until(j, last_ns);

	if (until_ns == last_ns || to_ns - until_ns < TAIL_NS + RESUME_NS)
		return last_ns;
	return ns_add(until_ns, RESUME_NS);
}

/*
 * All went to where the receiver should not be, and it reports that it gets more and more of it: a tunnel, a route, a
 * forwarded port leads there.
 */
static bool arrives_all_the_same(const struct judge *j, const struct counted *c, int64_t from_ns, int64_t to_ns)
{
	const struct rtcp_report *last;

	return c->right <= STRAY_PACKETS && c->wrong >= ALIVE_PACKETS &&
	       reported(j->facts, c->wrong_main, j->h->receiver_rtcp, from_ns, to_ns, &last) ==
	       RTCP_VERDICT_ADVANCING;
}

static void take_as_right(struct counted *c)
{
	const struct stream *s = c->wrong_main;

	c->right += c->wrong;
	c->wrong = 0;
	c->main = s;
	c->main_packets = c->wrong_packets;
	c->first_ns = c->wrong_first_ns;
	c->last_ns = c->wrong_last_ns;
	c->first_frame = s->first_frame;
	c->dtx |= s->dtx_seen;
}

static void judge_window(struct judge *j, const struct window *w)
{
	struct hearing *h = j->h;
	int64_t to_ns = window_end(w, j->end_ns), left_ns, foreign_ns,
		overlap_ns = j->facts->move_overlap_ns;
	int64_t from_ns = w->moved ? ns_add(w->on_ns, overlap_ns) : w->due_ns;
	struct counted c = arrival_count(j, w, w->on_ns, to_ns), late = c;

	h->due_s += (double)(to_ns - w->on_ns) / 1e9;
	if (w->moved)
		/* what goes to the old address is right while both are valid */
		late = arrival_count(j, w, from_ns, to_ns);
	if (c.right > 0)
		judge_present(j, &c);
	h->packets += c.right + c.foreign_pt;
	if (h->failure != FAILURE_NONE || to_ns - from_ns < j->facts->min_call_ns)
		return;
	h->source_apart = place_source_apart(j, w);
	h->at_sender = j->at_sender && !h->source_apart;
	h->near_sender = j->near_sender && !h->source_apart;
	h->icmp_count = 0;
	arrival_icmp(j, w, w->on_ns, to_ns);
	arrival_rtcp(j, w, &c, w->on_ns, to_ns);
	if (arrives_all_the_same(j, &late, from_ns, to_ns)) {
		take_as_right(&c);
		take_as_right(&late);
		judge_present(j, &c);
		h->packets += c.right;
	}
	if (c.foreign_pt >= ALIVE_PACKETS && c.right <= STRAY_PACKETS) {
		judge_foreign(j, w, &c, from_ns, to_ns, true);
	} else if (late.right <= STRAY_PACKETS && late.wrong >= ALIVE_PACKETS) {
		h->misdirected = late.wrong_main;
		judge_fail(j, w, FAILURE_MISDIRECTED, from_ns, to_ns, true);
	} else if (c.right <= STRAY_PACKETS) {
		judge_absence(j, w, &c, from_ns, to_ns, true);
	} else if (undelivered_judge(j, w, &c, from_ns, to_ns)) {
		return;
	} else if (left_behind(j, &c, to_ns, &left_ns) && left_ns > from_ns && !begins_unseen(j, left_ns)) {
		h->misdirected = c.main;
		judge_fail(j, w, FAILURE_MISDIRECTED, ns_add(left_ns, overlap_ns), to_ns, false);
	} else if (turned_foreign(j, w, &c, to_ns, &foreign_ns)) {
		h->undelivered_by = "payload-type";
		h->foreign = c.main;
		judge_fail(j, w, FAILURE_UNDELIVERED, foreign_ns, to_ns, false);
	} else if (to_ns - c.last_ns >= TAIL_NS) {
		if (follows_foreign(&c, c.last_ns, to_ns)) {
			judge_foreign(j, w, &c, c.last_ns, to_ns, false);
		} else if (strayed(&c, c.last_ns) && !begins_unseen(j, c.last_ns)) {
			h->misdirected = c.wrong_main;
			judge_fail(j, w, FAILURE_MISDIRECTED, c.last_ns, to_ns, false);
		} else {
			judge_absence(j, w, &c, silent_since(j, c.last_ns, to_ns), to_ns, false);
		}
	} else if (!alive(&c)) {
		h->heard = HEARD_UNKNOWN;
		judge_because_of(j, "only %.0f packets in %.0f s", c.right, (double)(to_ns - w->on_ns) / 1e9);
	}
}

/* ---- the whole direction ---- */

/* What the directions of a slot have in common. */
struct sides {
	struct side_addresses addresses[2];  /* by enum side */
	struct side_place place[2];
	bool known;
};

static void sides_reckon(struct sides *s, const struct facts *facts, const struct mslot *slot)
{
	side_addresses(slot, SIDE_CALLER, &s->addresses[SIDE_CALLER]);
	side_addresses(slot, SIDE_CALLEE, &s->addresses[SIDE_CALLEE]);
	place_sides(facts, s->addresses, s->place);
	s->known = true;
}

/*
 * A relay is at this point, and has put its own address into the SDP in the place of the author's, who is not. What it
 * gets is not what the party gets, and what it does not send may never have reached it.
 */
static bool relay_stands_in(const struct facts *facts, const struct target *author, const struct target *all,
	unsigned count)
{
	if (network_at(facts->network, &author->at.addr))
		return false;
	for (unsigned i = 0; i < count; i++) {
		const struct address *a = &all[i].at.addr;

		if (network_at(facts->network, a) && !network_same(facts->network, a, &author->at.addr))
			return true;
	}
	return false;
}

/* Somewhere behind a NAT, of which the outer side alone is seen. */
static bool is_behind_nat(const struct facts *facts, const struct address *author)
{
	const struct host *h = network_host_find(facts->network, author);

	return address_private(author) && !(h && h->sends_ip);
}

static void judge_stand_ins(struct judge *j, const struct window *w)
{
	struct hearing *h = j->h;

	if (w->source_count && (is_behind_nat(j->facts, &w->sources[0].at.addr) ||
	    relay_stands_in(j->facts, &w->sources[0], w->sources, w->source_count)))
		h->at_sender = j->at_sender = h->near_sender = j->near_sender = false;
	if (w->target_count &&
	    relay_stands_in(j->facts, &w->targets[w->target_count - 1], w->targets, w->target_count))
		h->at_receiver = h->near_receiver = false;
}

/* Audio of another leg to or from the sender's machine is seen: its media does pass where its SIP does. */
static bool other_leg_heard(const struct judge *j)
{
	const struct leg *own = j->d->slot->dialog->leg;
	const struct address *at = &own->party[j->d->sender].signalling.addr;

	LIST_EACH(it, &own->call->legs) {
		const struct leg *other = LIST_ENTRY(it, struct leg, in_call);
		const struct dialog *dialog = other == own ? NULL : other->confirmed;

		for (unsigned i = 0; dialog && i < 2 * dialog->mslot_count; i++) {
			const struct direction *d = &dialog->mslots[i / 2].direction[i % 2];

			for (unsigned k = 0; k < d->stream_count; k++) {
				const struct stream *s = d->streams[k];

				if ((address_equal(&s->src.addr, at) || address_equal(&s->dst.addr, at)) &&
				    !hearing_goes_in_only(j->facts, s))
					return true;
			}
		}
	}
	return false;
}

/*
 * Captured before and behind a NAT, the other party's audio is here as it goes in, and not where the sender is near:
 * media between the two has another way than by that point, at which its SIP alone passes.
 */
static bool passes_beside_sender(const struct judge *j)
{
	const struct direction *back = direction_reverse(j->d);

	for (unsigned i = 0; i < back->stream_count; i++) {
		if (back->streams[i]->direction == back && hearing_goes_in_only(j->facts, back->streams[i]))
			return !other_leg_heard(j);
	}
	return false;
}

/* The sender is near at a point of the capture by which what it sends to the receiver does not pass. */
static bool near_elsewhere(const struct judge *j)
{
	bool elsewhere = false;

	for (unsigned i = 0; i < j->sender->count; i++) {
		for (unsigned k = 0; k < j->receiver->count; k++) {
			if (network_passes_beyond(j->facts->network, &j->sender->at[i].addr, &j->receiver->at[k].addr))
				elsewhere = true;
		}
	}
	return elsewhere;
}

static void judge_sides(struct judge *j, struct sides *s)
{
	enum side sender = j->d->sender, receiver = side_other(sender);

	if (!s->known)
		sides_reckon(s, j->facts, j->d->slot);
	j->sender = &s->addresses[sender];
	j->receiver = &s->addresses[receiver];
	j->h->at_sender = j->at_sender = s->place[sender].at;
	j->h->near_sender = j->near_sender = s->place[sender].near;
	j->h->at_receiver = s->place[receiver].at;
	j->h->near_receiver = s->place[receiver].near;
	if (j->h->window)
		judge_stand_ins(j, j->h->window);
	if (passes_beside_sender(j) || near_elsewhere(j))
		j->h->at_sender = j->at_sender = j->h->near_sender = j->near_sender = false;
}

void hearing_ask(const struct facts *facts, struct direction *d, const struct window *w, int64_t from_ns, int64_t to_ns,
	struct hearing *ret)
{
	struct judge j = { .facts = facts, .d = d, .h = ret, .end_ns = facts->capture->last_ns };
	struct sides sides = { .known = false };
	struct counted c;

	*ret = (struct hearing){ .why = "", .window = w, .from_ns = from_ns, .to_ns = to_ns,
		.delivered_from_ns = NS_NONE, .delivered_to_ns = NS_NONE };
	judge_sides(&j, &sides);
	c = arrival_count(&j, w, from_ns, to_ns);
	arrival_icmp(&j, w, from_ns, to_ns);
	arrival_rtcp(&j, w, &c, from_ns, to_ns);
	ret->sees = place_sees(&j, from_ns, to_ns);
	ret->packets = c.right + c.foreign_pt;
	ret->misdirected = c.wrong >= ALIVE_PACKETS ? c.wrong_main : NULL;
	ret->foreign = c.foreign_pt >= ALIVE_PACKETS && c.right <= STRAY_PACKETS ? c.foreign_main : NULL;
	ret->stream = c.main;
	ret->gate = gate_direction(&j, w, from_ns, to_ns);
}

static const struct window *longest_due(const struct direction *d, int64_t end_ns)
{
	const struct window *best = NULL;

	for (unsigned i = 0; i < d->window_count; i++) {
		const struct window *w = &d->windows[i];

		if (w->state == EXPECT_DUE && (!best ||
		    window_end(w, end_ns) - w->on_ns > window_end(best, end_ns) - best->on_ns))
			best = w;
	}
	return best;
}

static void judge_heard(struct judge *j)
{
	struct hearing *h = j->h;
	bool reported = unseen_reported(j), valid;
	const char *unseen;
	double mos;

	if (!h->delivered) {
		h->heard = HEARD_UNKNOWN;
		if (!hearing_why(h)[0])
			judge_because(h, h->packets > 0 ? "too few packets to judge" : "too short to judge");
		return;
	}
	unseen = reported ? NULL : unseen_why(j);
	if (unseen) {
		h->heard = HEARD_UNKNOWN;
		judge_because(h, unseen);
		return;
	}
	h->heard = HEARD_YES;
	judge_because(h, reported ? "the receiver reports that it arrives" : "seen at the receiver's side");
	mos = h->stream ? stream_mos(h->stream, 0, &valid) : -1;
	if (mos >= 0 && mos < MOS_POOR)
		h->heard = HEARD_POOR;
}

static void judge_direction(const struct facts *facts, struct direction *d, struct sides *sides)
{
	struct judge j = { .facts = facts, .d = d, .end_ns = facts->capture->last_ns };
	struct hearing *h = arena_zalloc(lookup_arena(facts->lookup), sizeof *h);
	const struct direction *same;

	h->why = "";
	h->heard = HEARD_NOT_EXPECTED;
	h->delivered_from_ns = h->delivered_to_ns = NS_NONE;
	d->hearing = j.h = h;
	h->window = longest_due(d, j.end_ns);
	if (!h->window) {
		judge_because(h, "nothing was due in this direction");
		return;
	}
	judge_sides(&j, sides);
	same = elsewhere_judged_on(d, h->window);
	if (same) {
		h->row = "N9";
		h->elsewhere = same;
		h->heard = same->hearing && same->hearing->heard == HEARD_YES ? HEARD_YES : HEARD_UNKNOWN;
		judge_because(h, "the same audio as on another leg of the call: judged there");
		return;
	}
	for (unsigned i = 0; i < d->window_count; i++) {
		if (d->windows[i].state == EXPECT_DUE && window_end(&d->windows[i], j.end_ns) > d->windows[i].on_ns)
			judge_window(&j, &d->windows[i]);
	}
	if (h->heard != HEARD_NO && !h->gate && !h->row)
		judge_heard(&j);
}

/* Nothing came: it is missing, or another leg is to blame. */
static bool nothing_came(const struct hearing *h)
{
	return (h->heard == HEARD_NO && h->failure == FAILURE_ABSENT) ||
	       (h->heard == HEARD_UNKNOWN && h->packets <= 0 && h->row && strcmp(h->row, "N9") == 0);
}

/* Nothing of either, and nobody knows whether it would pass here: that is no silence. */
static void settle_unseen(const struct facts *facts, const struct mslot *slot, struct hearing *a, struct hearing *b)
{
	struct hearing x = *a, y = *b;

	if ((a->heard != HEARD_NO && b->heard != HEARD_NO) || !nothing_came(a) || !nothing_came(b))
		return;
	x.failure = y.failure = FAILURE_ABSENT;
	if (media_visible(facts, slot, &x, &y) != VISIBLE_NO)
		return;
	a->heard = b->heard = HEARD_UNKNOWN;
	a->gate = b->gate = "G2";
	a->why = b->why = "nothing proves that media of these hosts would pass this point";
}

void hearing_judge(const struct facts *facts, struct mslot *slot)
{
	struct sides sides;

	sides.known = false;
	judge_direction(facts, &slot->direction[SIDE_CALLER], &sides);
	judge_direction(facts, &slot->direction[SIDE_CALLEE], &sides);
	settle_unseen(facts, slot, slot->direction[SIDE_CALLER].hearing, slot->direction[SIDE_CALLEE].hearing);
}
