/* SPDX-License-Identifier: MIT */
/* rtcp_state: what the two ends report of what the capture cannot see. RFC 3550 6.4, RFC 3611 4.7. */
#include "analyzer/media/rtcp_state.h"

#include <stdlib.h>

#include "captures/base/memory.h"

enum {
	PARTIES_DEFAULT = 131072, KEEP_FIRST = 8, SENT_KEEP = 8, CHAIN_MAX = 1024,
	PROVEN_PACKETS = 3, UNPROVEN_SHARE = 8, LIKE_MAX = 32, AKIN_MAX = 256,
	EXT_SEQ_NEAR = 3000, FLOWS_PACKETS = 10, RTT_MAX_MS = 5000, RTT_CLOCK_MS = 10
};

/* From one place to another nothing takes longer. */
#define AGAIN_NS (2 * SECOND_NS)

enum { REPORT_POINTS = 8 };

/* Sender reports lately seen, to be found again in LSR. */
struct sent { uint32_t lsr; int64_t at_ns; uint16_t file, interface; };

struct party {
	struct rtcp_party p;
	struct hash_link by_both, by_ssrc, by_blocks;
	struct list_link by_use;     /* rtcp_states.of[proven]: silent for longest first */
	bool proven;
	uint8_t said;                /* packets, to PROVEN_PACKETS */
	struct list views;
	struct sent sent[SENT_KEEP];
	unsigned sent_count, room;
	bool has_sent;
};

struct view {
	struct rtcp_view v;
	struct list_link of_party;
	unsigned room, trip_room;
};

struct rtcp_states {
	struct list parties, views;
	struct hash parties_by_both;         /* source and SSRC: one of them may have thousands of the other */
	struct hash parties_by_src, parties_by_ssrc, views_by_ssrc;
	struct hash blocks_by_addr;          /* parties that have sent report blocks, by source address */
	/* party.by_use; a flood of forged sources sends one packet each, and is not proven */
	struct list of[2];
	size_t max_parties;
	uint64_t evicted;
};

struct rtcp_states *rtcp_states_new(size_t max_parties)
{
	struct rtcp_states *r = memory_zalloc(sizeof *r);

	list_init(&r->parties);
	list_init(&r->views);
	list_init(&r->of[0]);
	list_init(&r->of[1]);
	hash_init(&r->parties_by_both);
	hash_init(&r->parties_by_src);
	hash_init(&r->parties_by_ssrc);
	hash_init(&r->views_by_ssrc);
	hash_init(&r->blocks_by_addr);
	r->max_parties = max_parties ? max_parties : PARTIES_DEFAULT;
	return r;
}

static struct party *party_of(struct list_link *it)
{
	return (struct party *)LIST_ENTRY(it, struct rtcp_party, in_order);
}

static void view_free(struct rtcp_states *r, struct party *party, struct view *v)
{
	list_remove(&party->views, &v->of_party);
	hash_remove(&r->views_by_ssrc, &v->v.by_key);
	list_remove(&r->views, &v->v.in_order);
	free(v->v.reports);
	free(v->v.trips);
	free(v);
}

static void party_free(struct rtcp_states *r, struct party *party)
{
	LIST_EACH_SAFE(it, &party->views)
		view_free(r, party, LIST_ENTRY(it, struct view, of_party));
	hash_remove(&r->parties_by_both, &party->by_both);
	hash_remove(&r->parties_by_src, &party->p.by_key);
	hash_remove(&r->parties_by_ssrc, &party->by_ssrc);
	if (party->p.ever_blocks)
		hash_remove(&r->blocks_by_addr, &party->by_blocks);
	list_remove(&r->parties, &party->p.in_order);
	list_remove(&r->of[party->proven], &party->by_use);
	free(party->p.reports);
	free(party);
}

void rtcp_states_free(struct rtcp_states *r)
{
	if (!r)
		return;
	LIST_EACH_SAFE(it, &r->parties)
		party_free(r, party_of(it));
	hash_fini(&r->parties_by_both);
	hash_fini(&r->parties_by_src);
	hash_fini(&r->parties_by_ssrc);
	hash_fini(&r->views_by_ssrc);
	hash_fini(&r->blocks_by_addr);
	free(r);
}

/* ---- lists that keep the first 8 and the latest ---- */

/* The list with room for one more: grown, or its ninth given up. */
static void *kept_grow(void *list, unsigned count, unsigned *room, size_t size)
{
	uint8_t *at = list;

	if (count == RTCP_KEEP) {
		memmove(at + KEEP_FIRST * size, at + (KEEP_FIRST + 1) * size, (RTCP_KEEP - KEEP_FIRST - 1) * size);
		return list;
	}
	if (count < *room)
		return list;
	*room = *room ? *room * 2 : 4;
	return memory_resize(list, *room, size);
}

/* Where the new one stands. */
static unsigned kept_next(unsigned *count)
{
	return *count == RTCP_KEEP ? RTCP_KEEP - 1 : (*count)++;
}

/* ---- parties ---- */

static uint32_t ssrc_hash(uint32_t ssrc)
{
	return (uint32_t)hash_mix(1, ssrc);
}

/* Silent for longest, of the unproven while there are many; of the proven before the last few others go. */
static void party_evict(struct rtcp_states *r)
{
	const struct list *l = &r->of[r->of[0].count * UNPROVEN_SHARE <= r->max_parties && r->of[1].count];

	if (l->count == 0)
		return;
	party_free(r, LIST_ENTRY(l->head.next, struct party, by_use));
	r->evicted++;
}

/* Said something again. */
static void party_use(struct rtcp_states *r, struct party *party)
{
	list_remove(&r->of[party->proven], &party->by_use);
	party->said += !party->proven;
	party->proven = party->said >= PROVEN_PACKETS;
	list_add_tail(&r->of[party->proven], &party->by_use);
}

static struct party *party_get(struct rtcp_states *r, const struct packet *p)
{
	uint32_t src = endpoint_hash(&p->src), ssrc = p->rtcp->ssrc, both = (uint32_t)hash_mix(src, ssrc);
	struct party *party;

	for (struct hash_link *it = hash_first(&r->parties_by_both, both); it; it = it->next) {
		party = HASH_ENTRY(it, struct party, by_both);
		if (it->hash == both && party->p.ssrc == ssrc && endpoint_equal(&party->p.src, &p->src))
			return party;
	}
	if (r->parties.count >= r->max_parties)
		party_evict(r);
	party = memory_zalloc(sizeof *party);
	party->p.src = p->src;
	party->p.dst = p->dst;
	party->p.ssrc = ssrc;
	party->p.first_ns = p->at_ns;
	party->p.bye_ns = NS_NONE;
	list_init(&party->views);
	list_add_tail(&r->parties, &party->p.in_order);
	list_add_tail(&r->of[0], &party->by_use);
	hash_add(&r->parties_by_both, &party->by_both, both);
	hash_add(&r->parties_by_src, &party->p.by_key, src);
	hash_add(&r->parties_by_ssrc, &party->by_ssrc, ssrc_hash(ssrc));
	return party;
}

static void sent_remember(struct party *party, const struct packet *p)
{
	party->sent[party->sent_count++ % SENT_KEEP] =
		(struct sent){ (uint32_t)(p->rtcp->ntp >> 16), p->at_ns, p->file, p->interface };
}

/*
 * A sender report with that middle of its NTP time: where the answer was seen, else at another interface of the file.
 */
static const struct sent *sent_find(const struct rtcp_states *r, uint32_t ssrc, uint32_t lsr, const struct packet *p)
{
	const struct sent *other = NULL;
	uint32_t hash = ssrc_hash(ssrc);
	unsigned walked = 0;

	for (struct hash_link *it = hash_first(&r->parties_by_ssrc, hash); it && walked < CHAIN_MAX;
		it = it->next, walked++) {
		const struct party *party = HASH_ENTRY(it, struct party, by_ssrc);

		if (it->hash != hash || party->p.ssrc != ssrc)
			continue;
		for (unsigned i = 0; i < SENT_KEEP && i < party->sent_count; i++) {
			const struct sent *x = &party->sent[i];

			if (x->lsr != lsr || x->file != p->file)
				continue;
			if (x->interface == p->interface)
				return x;
			other = other ? other : x;
		}
	}
	return other;
}

static void party_report(struct rtcp_states *r, struct party *party, const struct packet *p)
{
	const struct rtcp_compound *c = p->rtcp;

	if (!c->has_sr && !c->has_rr)
		return;
	if (c->has_sr) {
		if (!party->has_sent)
			party->p.first_packets = c->packets;
		party->has_sent = true;
		party->p.last_packets = c->packets;
		sent_remember(party, p);
	}
	if (c->block_count > 0 && !party->p.ever_blocks) {
		party->p.ever_blocks = true;
		hash_add(&r->blocks_by_addr, &party->by_blocks, address_hash(&party->p.src.addr));
	}
	party->p.report_total++;
	party->p.reports = kept_grow(party->p.reports, party->p.report_count, &party->room, sizeof *party->p.reports);
	party->p.reports[kept_next(&party->p.report_count)] = (struct rtcp_sender_report){
		.at_ns = p->at_ns,
		.frame = p->frame,
		.file = p->file,
		.interface = p->interface,
		.is_sr = c->has_sr,
		.packets = c->packets,
		.blocks = c->block_count,
	};
}

/* ---- views ---- */

static struct view *view_get(struct rtcp_states *r, struct party *party, uint32_t about_ssrc, int64_t at_ns)
{
	struct view *v;

	LIST_EACH(it, &party->views) {
		v = LIST_ENTRY(it, struct view, of_party);
		if (v->v.about_ssrc == about_ssrc)
			return v;
	}
	if (party->views.count >=
		RTCP_REPORT_MAX) /* a party that reports about ever new sources: the oldest view goes */
		view_free(r, party, LIST_ENTRY(party->views.head.next, struct view, of_party));
	v = memory_zalloc(sizeof *v);
	v->v.about_ssrc = about_ssrc;
	v->v.by = &party->p;
	v->v.first_ns = at_ns;
	list_add_tail(&party->views, &v->of_party);
	list_add_tail(&r->views, &v->v.in_order);
	hash_add(&r->views_by_ssrc, &v->v.by_key, ssrc_hash(about_ssrc));
	return v;
}

/* From the capture's place to the receiver and back, by the capture's clock alone (1.5). */
static void view_round_trip(const struct rtcp_states *r, struct view *v, const struct rtcp_report *report,
	const struct packet *p)
{
	const struct sent *sent;
	double ms;

	if (report->lsr == 0 || report->dlsr == 0)
		return;
	sent = sent_find(r, v->v.about_ssrc, report->lsr, p);
	if (!sent)
		return;
	ms = (double)ns_minus(report->at_ns, sent->at_ns) / MILLISECOND_NS - report->dlsr * 1000.0 / 65536;
	v->v.rtt_negative += ms < -RTT_CLOCK_MS;
	if (ms < 0 || ms > RTT_MAX_MS)
		return;
	v->v.trips = kept_grow(v->v.trips, v->v.trip_count, &v->trip_room, sizeof *v->v.trips);
	v->v.trips[kept_next(&v->v.trip_count)] = (struct rtcp_trip){
		ms, p->file, sent->interface == p->interface ? p->interface : RTCP_TWO_INTERFACES };
}

static void view_block(struct rtcp_states *r, struct party *party, const struct rtcp_block *b, const struct packet *p)
{
	struct view *v = view_get(r, party, b->ssrc, p->at_ns);
	struct rtcp_report *report;

	v->v.reports = kept_grow(v->v.reports, v->v.report_count, &v->room, sizeof *v->v.reports);
	report = &v->v.reports[kept_next(&v->v.report_count)];
	*report = (struct rtcp_report){
		.at_ns = p->at_ns,
		.frame = p->frame,
		.file = p->file,
		.interface = p->interface,
		.ext_seq = b->ext_seq,
		.cumulative_lost = b->cumulative_lost,
		.fraction_lost = b->fraction_lost,
		.lsr = b->lsr,
		.dlsr = b->dlsr,
		.jitter = b->jitter,
	};
	v->v.report_total++;
	v->v.last_ns = p->at_ns;
	view_round_trip(r, v, report, p);
}

static void view_xr(struct rtcp_states *r, struct party *party, const struct packet *p)
{
	struct view *v = view_get(r, party, p->rtcp->xr.ssrc, p->at_ns);

	v->v.has_xr = true;
	v->v.xr_discard_rate = p->rtcp->xr.discard_rate;
	v->v.xr_end_system_ms = p->rtcp->xr.end_system_ms;
	v->v.last_ns = p->at_ns;
}

void rtcp_states_packet(struct rtcp_states *r, const struct packet *p)
{
	const struct rtcp_compound *c = p->rtcp;
	struct party *party = party_get(r, p);

	party_use(r, party);
	party->p.last_ns = p->at_ns;
	party->p.dst = p->dst;
	if (c->encrypted) {
		party->p.encrypted = true;
		return;
	}
	party_report(r, party, p);
	for (unsigned i = 0; i < c->block_count; i++)
		view_block(r, party, &c->blocks[i], p);
	if (c->has_xr_voip)
		view_xr(r, party, p);
	if (c->has_bye)
		party->p.bye_ns = p->at_ns;
}

/* ---- answers ---- */

const struct list *rtcp_parties(const struct rtcp_states *r)
{
	return &r->parties;
}

const struct list *rtcp_views(const struct rtcp_states *r)
{
	return &r->views;
}

uint64_t rtcp_states_evicted(const struct rtcp_states *r)
{
	return r->evicted;
}

/* Sequence numbers that were seen, and 3000 to both sides; cycles are the receiver's own count and do not compare. */
static bool ext_seq_plausible(const struct stream *s, uint32_t ext_seq)
{
	int64_t span = s->lost + (int64_t)s->packets;
	uint16_t after = (uint16_t)(ext_seq - s->first_seq);

	if (span < 0 || span >= 65536 - 2 * EXT_SEQ_NEAR || s->epochs > 1)
		return true;
	return after <= span + EXT_SEQ_NEAR || after >= 65536 - EXT_SEQ_NEAR;
}

static bool view_plausible(const struct rtcp_view *v, const struct stream *s)
{
	unsigned good = 0;

	for (unsigned i = 0; i < v->report_count; i++)
		good += ext_seq_plausible(s, v->reports[i].ext_seq);
	return v->report_count == 0 || good * 2 > v->report_count;
}

/*
 * 3: the reporter is the receiving host and reports to the sending one; 2, 1: one of the two, the other is behind a
 * NAT; 0: neither.
 */
static unsigned view_rank(const struct rtcp_view *v, const struct stream *s)
{
	bool from = address_equal(&v->by->src.addr, &s->dst.addr), to = address_equal(&v->by->dst.addr, &s->src.addr);

	return from && to ? 3 : from ? 2 : to ? 1 : 0;
}

const struct rtcp_view *rtcp_view_of(const struct rtcp_states *r, const struct stream *s)
{
	uint32_t hash = ssrc_hash(s->ssrc);
	const struct rtcp_view *best = NULL;
	unsigned best_rank = 0, walked = 0;

	for (struct hash_link *it = hash_first(&r->views_by_ssrc, hash); it && walked < CHAIN_MAX;
		it = it->next, walked++) {
		const struct rtcp_view *v = HASH_ENTRY(it, struct rtcp_view, by_key);
		unsigned rank;

		if (it->hash != hash || v->about_ssrc != s->ssrc)
			continue;
		rank = view_rank(v, s);
		if (rank == 0 || !view_plausible(v, s))
			continue;
		if (rank > best_rank || (rank == best_rank && v->report_total > best->report_total)) {
			best = v;
			best_rank = rank;
		}
	}
	return best;
}

struct party_sought {
	int64_t from_ns, to_ns;
	rtcp_party_fits *fits;
	const void *about;
};

static const struct rtcp_party *latest_at(const struct rtcp_states *r, const struct endpoint *at,
	const struct party_sought *sought, const struct rtcp_party *best)
{
	uint32_t hash = endpoint_hash(at);
	unsigned walked = 0;

	for (struct hash_link *it = hash_first(&r->parties_by_src, hash); it && walked < CHAIN_MAX;
		it = it->next, walked++) {
		const struct rtcp_party *p = HASH_ENTRY(it, struct rtcp_party, by_key);

		if (it->hash != hash || !endpoint_equal(&p->src, at) || p->first_ns > sought->to_ns ||
		    p->last_ns < sought->from_ns)
			continue;
		if ((!best || p->last_ns > best->last_ns) && (!sought->fits || sought->fits(sought->about, p)))
			best = p;
	}
	return best;
}

const struct rtcp_party *rtcp_party_at(const struct rtcp_states *r, const struct endpoint *rtp,
	const struct endpoint *rtcp, int64_t from_ns, int64_t to_ns, rtcp_party_fits *fits, const void *about)
{
	const struct party_sought sought = { from_ns, to_ns, fits, about };
	const struct rtcp_party *best;
	struct endpoint next = *rtp;

	if (!r->parties_by_src.count)
		return NULL;
	best = latest_at(r, rtp, &sought, NULL);
	next.port++;
	best = latest_at(r, &next, &sought, best);
	if (rtcp && address_known(&rtcp->addr) && !endpoint_equal(rtcp, &next))
		best = latest_at(r, rtcp, &sought, best);
	return best;
}

const struct rtcp_party *rtcp_party_of_source(const struct rtcp_states *r, const struct address *addr, uint32_t ssrc,
	int64_t from_ns, int64_t to_ns)
{
	const struct rtcp_party *best = NULL;
	uint32_t hash = ssrc_hash(ssrc);
	unsigned walked = 0;

	for (struct hash_link *it = hash_first(&r->parties_by_ssrc, hash); it && walked < CHAIN_MAX;
		it = it->next, walked++) {
		const struct rtcp_party *p = &HASH_ENTRY(it, struct party, by_ssrc)->p;

		if (it->hash == hash && p->ssrc == ssrc && address_equal(&p->src.addr, addr) && p->first_ns <= to_ns &&
		    p->last_ns >= from_ns && (!best || p->last_ns > best->last_ns))
			best = p;
	}
	return best;
}

/* ---- verdicts ---- */

static const struct rtcp_view *view_by(const struct rtcp_states *r, const struct rtcp_party *by, uint32_t ssrc)
{
	uint32_t hash = ssrc_hash(ssrc);
	unsigned walked = 0;

	for (struct hash_link *it = hash_first(&r->views_by_ssrc, hash); it && walked < CHAIN_MAX;
		it = it->next, walked++) {
		const struct rtcp_view *v = HASH_ENTRY(it, struct rtcp_view, by_key);

		if (it->hash == hash && v->about_ssrc == ssrc && v->by == by)
			return v;
	}
	return NULL;
}

/* One report that passed two places of the capture. */
static bool passed_again(const struct rtcp_sender_report *a, const struct rtcp_sender_report *b)
{
	return (a->file != b->file || a->interface != b->interface) && a->is_sr == b->is_sr &&
	       a->packets == b->packets && ns_minus(b->at_ns, a->at_ns) < AGAIN_NS;
}

/* The last reports within the time that carry no block at all: from when on, and how many. */
static unsigned empty_tail(
	const struct rtcp_party *p, int64_t from_ns, int64_t to_ns, int64_t *ret_since_ns, int64_t *ret_last_ns)
{
	unsigned n = 0;

	for (unsigned i = p->report_count; i-- > 0;) {
		if (p->reports[i].at_ns >= to_ns)
			continue;
		if (p->reports[i].at_ns < from_ns || p->reports[i].blocks)
			break;
		if (n && passed_again(&p->reports[i], &p->reports[i + 1]))
			continue;
		if (n++ == 0)
			*ret_last_ns = p->reports[i].at_ns;
		*ret_since_ns = p->reports[i].at_ns;
	}
	return n;
}

static bool flows_between(const struct stream *s, int64_t from_ns, int64_t to_ns)
{
	return stream_packets_between(s, from_ns, to_ns) >= FLOWS_PACKETS;
}

/* Points of the capture at which one report was seen. */
struct report_points {
	uint32_t at[REPORT_POINTS];
	unsigned count;
};

static bool point_add(struct report_points *seen, const struct rtcp_report *r)
{
	uint32_t at = (uint32_t)r->file << 16 | r->interface;

	for (unsigned i = 0; i < seen->count; i++) {
		if (seen->at[i] == at)
			return false;
	}
	if (seen->count < REPORT_POINTS)
		seen->at[seen->count++] = at;
	return true;
}

/*
 * Is it the report behind it, at another point of the capture, or, as the time since the last sender report tells, twice
 * at one? Who has never got a sender report repeats itself word for word: at a point that had it that is another one.
 */
static bool same_report(const struct rtcp_report *a, const struct rtcp_report *b, struct report_points *seen)
{
	bool once = a->lsr && a->dlsr && ns_minus(b->at_ns, a->at_ns) < AGAIN_NS;

	return a->ext_seq == b->ext_seq && a->cumulative_lost == b->cumulative_lost && a->jitter == b->jitter &&
	       a->lsr == b->lsr && a->dlsr == b->dlsr && (point_add(seen, a) || once);
}

/* Blocks within the time: do the last of them stand still? */
static enum rtcp_verdict blocks_verdict(const struct rtcp_view *v, const struct stream *s, int64_t from_ns,
	int64_t to_ns, const struct rtcp_report **ret_last)
{
	const struct rtcp_report *last = NULL, *same = NULL;
	struct report_points seen = { .count = 0 };
	unsigned n = 0, still = 0;

	for (unsigned i = v->report_count; i-- > 0 && v->reports[i].at_ns >= from_ns;) {
		if (v->reports[i].at_ns >= to_ns)
			continue;
		if (last && same_report(&v->reports[i], &v->reports[i + 1], &seen))
			continue;
		seen.count = 0;
		point_add(&seen, &v->reports[i]);
		if (!last)
			last = &v->reports[i];
		if (v->reports[i].ext_seq == last->ext_seq && still == n) {
			same = &v->reports[i];
			still++;
		}
		n++;
	}
	if (n < 2)
		return RTCP_VERDICT_NONE;
	if (ret_last)
		*ret_last = last;
	/*
	 * less and less is lost of what stands still: it gets more and more, and has not followed a jump of the numbers
	 */
	if (still >= 2 && same->cumulative_lost - last->cumulative_lost >= FLOWS_PACKETS)
		return RTCP_VERDICT_NONE;
	if (still >= 2)
		return flows_between(s, same->at_ns, last->at_ns) ? RTCP_VERDICT_FROZEN : RTCP_VERDICT_NONE;
	return RTCP_VERDICT_ADVANCING;
}

/* Does one like this send report blocks at all? Not only itself is asked: a new call comes with a new SSRC. */
static bool like_blocks(const struct rtcp_states *r, const struct rtcp_party *receiver, rtcp_party_fits *like,
	const void *about)
{
	uint32_t hash = address_hash(&receiver->src.addr);
	unsigned asked = 0;

	if (receiver->ever_blocks)
		return true;
	for (struct hash_link *it = hash_first(&r->blocks_by_addr, hash); it && asked < LIKE_MAX; it = it->next) {
		const struct rtcp_party *p = &HASH_ENTRY(it, struct party, by_blocks)->p;

		if (it->hash != hash || !address_equal(&p->src.addr, &receiver->src.addr))
			continue;
		if (!like || like(about, p))
			return true;
		asked++;
	}
	asked = 0;
	LIST_EACH(it, &r->parties) {
		const struct rtcp_party *p = LIST_ENTRY(it, struct rtcp_party, in_order);

		if (!like || asked++ == AKIN_MAX)
			break;
		if (p->ever_blocks && !address_equal(&p->src.addr, &receiver->src.addr) && like(about, p))
			return true;
	}
	return false;
}

bool rtcp_reports_empty(const struct rtcp_party *receiver, const struct stream *s, int64_t from_ns, int64_t to_ns)
{
	int64_t since_ns = 0, last_ns = 0;

	return !receiver->encrypted && empty_tail(receiver, from_ns, to_ns, &since_ns, &last_ns) >= 2 &&
	       flows_between(s, since_ns, last_ns);
}

enum rtcp_verdict rtcp_verdict(const struct rtcp_states *r, const struct stream *s, const struct rtcp_party *receiver,
	int64_t from_ns, int64_t to_ns, rtcp_party_fits *like, const void *about, const struct rtcp_report **ret_last)
{
	const struct rtcp_view *v = receiver ? view_by(r, receiver, s->ssrc) : NULL;

	if (!receiver || receiver->encrypted)
		return RTCP_VERDICT_NONE;
	if (rtcp_reports_empty(receiver, s, from_ns, to_ns) && like_blocks(r, receiver, like, about))
		return RTCP_VERDICT_EMPTY;
	return v ? blocks_verdict(v, s, from_ns, to_ns, ret_last) : RTCP_VERDICT_NONE;
}

enum rtcp_sending rtcp_sending(const struct rtcp_party *sender, int64_t from_ns, int64_t to_ns)
{
	const struct rtcp_sender_report *first = NULL, *last = NULL;

	for (unsigned i = 0; i < sender->report_count; i++) {
		const struct rtcp_sender_report *report = &sender->reports[i];

		if (!report->is_sr || report->at_ns < from_ns || report->at_ns >= to_ns)
			continue;
		if (!first)
			first = report;
		last = report;
	}
	if (!first || first == last)
		return RTCP_SENDING_NONE;
	return first->packets == last->packets ? RTCP_SENDING_CONSTANT : RTCP_SENDING_RISING;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double rtcp_view_rtt_ms(const struct rtcp_view *v, const struct rtcp_trip *from, unsigned *ret_count)
{
	double sorted[RTCP_KEEP];
	unsigned n = 0;

	for (unsigned i = 0; i < v->trip_count; i++)
		if (rtcp_trip_same_place(&v->trips[i], from))
			sorted[n++] = v->trips[i].ms;
	*ret_count = n;
	if (n == 0)
		return -1;
	qsort(sorted, n, sizeof sorted[0], by_value);
	return n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}
