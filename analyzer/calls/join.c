/* SPDX-License-Identifier: MIT */
/*
 * join: which legs are one call across a B2BUA (1.1.4). X ends at the host where Y starts. Pairs are made when Y
 * begins, from the clues; their points are reckoned again at each 18x, 200 and BYE; Y joins the best X when nothing
 * else comes near.
 */
#include "analyzer/calls/join_score.h"

#include <stdlib.h>

#include "captures/base/memory.h"

enum { PAIRS_MAX = 64, HUNT_LOOKED = 16 };

#define CANDIDATE_WITHIN_NS (3 * SECOND_NS)
#define HUNT_WITHIN_NS (64 * SECOND_NS)      /* two timers B (RFC 3261 17.1.1.2) */

/* ---- who may be joined at all ---- */

static bool ends_at(const struct leg *leg, const struct address *host)
{
	for (unsigned i = 0; i < leg->segment_count; i++) {
		if (address_equal(&leg->segments[i].b.addr, host))
			return true;
	}
	return false;
}

static bool meet_at_one_host(const struct leg *x, const struct leg *y)
{
	if (address_known(&y->party[SIDE_CALLER].signalling.addr) && ends_at(x, &y->party[SIDE_CALLER].signalling.addr))
		return true;
	return y->segment_count && ends_at(x, &y->segments[0].a.addr);
}

static bool answered_elsewhere(const struct leg *x, const struct leg *y)
{
	if (!y->answered)
		return false;
	LIST_EACH(it, &x->call->legs) {
		const struct leg *sibling = LIST_ENTRY(it, struct leg, in_call);

		if (sibling != y && sibling->parent == x && sibling->answered && !sibling->is_transfer &&
			!sibling->siprec)
			return true;
	}
	return false;
}

/*
 * Y takes the way that X took: another call, or a branch of one ring group. A host that serves itself (all on one
 * address) is told apart by its ports.
 */
static bool same_way(const struct leg *x, const struct leg *y)
{
	const struct segment *a = &x->segments[0], *b = &y->segments[0];

	if (!x->segment_count || !y->segment_count || !address_equal(&a->a.addr, &b->a.addr))
		return false;
	return !address_equal(&a->a.addr, &a->b.addr) || !endpoint_equal(&a->b, &b->a);
}

/* What can never be, however well it scores: but for where they meet. */
static bool is_thinkable(const struct leg *x, const struct leg *y)
{
	if (x == y || x->partial || x->invite_ns == NS_NONE || y->invite_ns == NS_NONE || y->invite_ns < x->invite_ns)
		return false;
	if (x->end_ns != NS_NONE && x->end_ns < y->invite_ns)
		return false; /* over before: a retry, not a leg */
	if (x->parent == y || x->call->legs.count + y->call->legs.count > CALL_LEGS_MAX)
		return false;
	return !same_way(x, y);
}

static bool is_possible(const struct leg *x, const struct leg *y)
{
	return is_thinkable(x, y) && !answered_elsewhere(x, y) && (meet_at_one_host(x, y) ||
		join_sockets_cross((const struct leg_record *)x, (const struct leg_record *)y));
}

unsigned join_across(const struct calls *c, struct leg_record *x, struct leg_record *y)
{
	struct pair p = { .x = x, .y = y };

	if (!is_thinkable(&x->leg, &y->leg) || meet_at_one_host(&x->leg, &y->leg) ||
	    ends_at(&y->leg, &x->leg.segments[0].a.addr) || join_lasting(c, x, y, &p.how) < LASTING_LEAST)
		return 0;                                    /* at the same moment many calls begin */
	pair_base(c, &p);
	pair_score(&p);
	return p.score;
}

static struct pair *pair_find(const struct leg_record *x, const struct leg_record *y)
{
	LIST_EACH(it, &y->rare->pairs_as_child) {
		struct pair *p = LIST_ENTRY(it, struct pair, of_child);

		if (p->x == x)
			return p;
	}
	return NULL;
}

static void pair_free(struct pair *p)
{
	list_remove(&p->y->rare->pairs_as_child, &p->of_child);
	list_remove(&p->x->rare->pairs_as_parent, &p->of_parent);
	free(p);
}

static void pair_add(struct calls *c, struct leg_record *x, struct leg_record *y)
{
	struct pair *p;

	if (redirect_stem(&y->leg)->parent || x->leg.call == y->leg.call || !is_possible(&x->leg, &y->leg))
		return;
	p = pair_find(x, y);
	if (!p) {
		if (y->rare->pairs_as_child.count >= PAIRS_MAX || x->rare->pairs_as_parent.count >= PAIRS_MAX)
			return;
		p = memory_zalloc(sizeof *p);
		p->x = x;
		p->y = y;
		list_add_tail(&leg_rare(y)->pairs_as_child, &p->of_child);
		list_add_tail(&leg_rare(x)->pairs_as_parent, &p->of_parent);
	}
	pair_base(c, p);
	pair_score(p);
}

static uint64_t address_value(const struct address *addr)
{
	return hash_mix(hash_bytes(addr->bytes, sizeof addr->bytes), addr->family);
}

/* Hosts as one bit of 32: those that differ surely are not the same. */
static uint32_t address_bit(uint64_t value)
{
	return UINT32_C(1) << (value >> 59);
}

/* A segment has been added: where the leg leads to; of the first one, where it comes from. */
void join_way(struct leg_record *r, const struct segment *s)
{
	r->ends |= address_bit(address_value(&s->b.addr));
	if (s == r->leg.segments)
		r->way = address_equal(&s->a.addr, &s->b.addr) ? 0 : address_value(&s->a.addr);
	clues_update(r);
}

/* Where a leg that this one continues must end: see meet_at_one_host(). */
static uint32_t begins_at(const struct leg *leg)
{
	const struct address *caller = &leg->party[SIDE_CALLER].signalling.addr;
	uint32_t bits = address_known(caller) ? address_bit(address_value(caller)) : 0;

	return leg->segment_count ? bits | address_bit(address_value(&leg->segments[0].a.addr)) : bits;
}

/* X may lead to the leg in hand, which begins at these hosts: what is_possible() asks, from the entry alone. */
static bool may_lead(const struct clue_entry *x, const struct leg_record *y, uint32_t begins)
{
	return (x->ends & begins) && !(x->way && x->way == y->way);
}

/* The earlier of the two is the parent. */
static void pair_of(struct calls *c, struct leg_record *x, struct leg_record *y)
{
	if (x->leg.n < y->leg.n)
		pair_add(c, x, y);
	else
		pair_add(c, y, x);
}

/* This leg with every other one that has the clue; anywhere: wherever that one leads to. */
static void pairs_from(struct calls *c, struct leg_record *r, const struct clue_key *key, bool anywhere)
{
	uint32_t begins;

	if (!key || (key->way && key->way == r->way) || (key->count == 1 && clue_oldest(key)->n == r->leg.n))
		return;
	begins = begins_at(&r->leg);
	for (unsigned i = key->count; i-- > 0;) {
		const struct clue_entry *it = &clue_oldest(key)[i];

		if (it->n == r->leg.n || it->invite_ns == NS_NONE)
			continue;
		if (it->n < r->leg.n && !anywhere ? may_lead(it, r, begins) : !(it->way && it->way == r->way))
			pair_of(c, LEG_RECORD(it->clue->leg), r);
	}
}

static void clue_pairs(struct arrival *a, enum clue_kind kind, uint64_t value)
{
	const struct clue_key *key = clue_add(a->c, a->leg, kind, value);

	if (kind == CLUE_SESSION_ID || kind == CLUE_HEADER)
		across_same(key);
	pairs_from(a->c, a->leg, key, kind == CLUE_SOCKET);
}

/* ---- the verdict ---- */

static void pairs_of_child_free(struct leg_record *y)
{
	while (y->rare->pairs_as_child.count)
		pair_free(LIST_ENTRY(y->rare->pairs_as_child.head.next, struct pair, of_child));
}

static bool is_pending(const struct leg *leg)
{
	return !leg->answered && leg->end_ns == NS_NONE;
}

/* Y was refused, or given up: X may be refused in a moment, as the leg that seems the best was. */
static unsigned may_score(const struct pair *p)
{
	if (!is_pending(&p->x->leg))
		return p->score;
	return p->score + (leg_was_refused(&p->y->leg) ? REFUSED_POINTS + SAME_STATUS_POINTS
		: leg_given_up_ns(&p->y->leg) != NS_NONE ? GIVEN_UP_POINTS : 0);
}

/*
 * Where little goes on, what coincides is one thing; numbers and the time of the INVITEs alone never are. By two clocks
 * nothing is sure to coincide.
 */
static unsigned lonely_points(const struct pair *p)
{
	return p->same_number && p->score > p->base && p->x->capture == p->y->capture &&
		p->x->rare->pairs_as_parent.count == 1 && p->y->rare->pairs_as_child.count == 1 ? LONELY_POINTS : 0;
}

static void verdict(struct calls *c, struct leg_record *y)
{
	struct pair *best = NULL;
	unsigned second = 0;

	if (redirect_stem(&y->leg)->parent)
		return;
	LIST_EACH(it, &y->rare->pairs_as_child) {
		struct pair *p = LIST_ENTRY(it, struct pair, of_child);

		if (is_possible(&p->x->leg, &y->leg) && (!best || p->score > best->score))
			best = p;
	}
	if (!best || best->score + lonely_points(best) < c->config.join_score)
		return;
	LIST_EACH(it, &y->rare->pairs_as_child) {
		const struct pair *p = LIST_ENTRY(it, struct pair, of_child);

		if (p != best && may_score(p) > second && p->x->leg.call != best->x->leg.call &&
			is_possible(&p->x->leg, &y->leg))
			second = may_score(p);
	}
	if (best->score < second + c->config.join_margin)
		return;
	if (best->how == JOIN_REPLACES)
		y->leg.is_transfer = true;
	if (best->x->leg.call != y->leg.call)
		call_join(c, redirect_stem(&y->leg), &best->x->leg, best->how, best->score + lonely_points(best));
	pairs_of_child_free(y);
}

/*
 * Both are answered, or one has failed: no more points can come but those for hanging up together, or for X that is
 * refused behind Y. What was refused with Y and comes near to the best stays: it speaks against that.
 */
static bool is_hopeless(const struct calls *c, const struct pair *p)
{
	const struct leg *x = &p->x->leg, *y = &p->y->leg;

	if (leg_was_refused(y) && !x->answered && (x->end_ns == NS_NONE || leg_was_refused(x)))
		return x->end_ns != NS_NONE && p->score + c->config.join_margin < c->config.join_score;
	if (x->end_ns != NS_NONE && (y->end_ns != NS_NONE || !x->answered))
		return true;
	if (y->cancel_seen && is_pending(x))
		return false;
	if (y->end_ns != NS_NONE && !y->answered)
		return true;
	return x->answered && y->answered && p->score + HANG_UP_POINTS + LONELY_POINTS < c->config.join_score;
}

void join_reckon(struct calls *c, struct leg_record *r)
{
	LIST_EACH(it, &r->rare->pairs_as_child)
		pair_score(LIST_ENTRY(it, struct pair, of_child));
	LIST_EACH(it, &r->rare->pairs_as_parent)
		pair_score(LIST_ENTRY(it, struct pair, of_parent));
	verdict(c, r);
	for (struct list_link *it = r->rare->pairs_as_parent.head.next, *next; it != &r->rare->pairs_as_parent.head;
	     it = next) {
		next = it->next;
		verdict(c, LIST_ENTRY(it, struct pair, of_parent)->y); /* frees at most this one of ours */
	}
	LIST_EACH_SAFE(it, &r->rare->pairs_as_child) {
		if (is_hopeless(c, LIST_ENTRY(it, struct pair, of_child)))
			pair_free(LIST_ENTRY(it, struct pair, of_child));
	}
	LIST_EACH_SAFE(it, &r->rare->pairs_as_parent) {
		if (is_hopeless(c, LIST_ENTRY(it, struct pair, of_parent)))
			pair_free(LIST_ENTRY(it, struct pair, of_parent));
	}
}

/* ---- what a message adds ---- */

static uint64_t endpoint_value(const struct endpoint *e)
{
	return hash_mix(hash_bytes(e->addr.bytes, sizeof e->addr.bytes), (uint64_t)e->port << 8 | e->addr.family);
}

static void description_note(struct arrival *a)
{
	const struct sdp *sdp = a->message->sdp;

	if (!sdp)
		return;
	if (sdp->origin)
		clue_pairs(a, CLUE_ORIGIN, sdp->origin);
	for (unsigned i = 0; i < sdp->media_count; i++) {
		const struct sdp_media *m = &sdp->media[i];

		if (m->port && address_known(&m->at.addr) && !address_unspecified(&m->at.addr))
			clue_pairs(a, CLUE_SOCKET, endpoint_value(&m->at));
	}
}

/* The message's own clues are asked for, and while other things are done, they come. */
void join_ahead(struct arrival *a)
{
	const struct sdp *sdp = a->message->sdp;
	const struct leg *leg = &a->leg->leg;

	if (a->message->request && a->message->method == SIP_INVITE && !a->message->has_to_tag)
		a->clues[a->clue_count++] = clue_place(a->c, CLUE_CALLER, caller_value(leg->party[SIDE_CALLER].user));
	if (sdp && sdp->origin)
		a->clues[a->clue_count++] = clue_place(a->c, CLUE_ORIGIN, sdp->origin);
	for (unsigned i = 0; sdp && i < sdp->media_count && a->clue_count < ARRIVAL_CLUES; i++)
		a->clues[a->clue_count++] = clue_place(a->c, CLUE_SOCKET, endpoint_value(&sdp->media[i].at));
	for (unsigned i = 0; i < a->clue_count; i++)
		hash_ask_bucket(&a->clues[i]);
}

static uint64_t codec_order(const struct sdp *sdp)
{
	uint64_t h = 0;

	for (unsigned i = 0; i < sdp->media_count && i < 1; i++) {
		for (unsigned k = 0; k < sdp->media[i].format_count; k++) {
			struct span codec = sdp->media[i].formats[k].codec;

			h = hash_mix(h + 1, codec.n ? hash_bytes(codec.p, codec.n) : sdp->media[i].formats[k].pt);
		}
	}
	return h;
}

static void session_id_note(struct arrival *a)
{
	struct span rest = sip_header_value(a->sip, SIP_H_SESSION_ID), remote, id;
	struct leg_ids *ids;

	if (!rest.n || a->leg->rare->ids.session_id.n)
		return;
	ids = &leg_rare(a->leg)->ids;
	if (sip_parameter(span_from(rest, span_find(rest, ';')), SPAN("remote"), &remote) && session_id_is_real(remote))
		ids->session_id_remote = leg_text(a->leg, remote);
	if (!span_split(&rest, ';', &id) || !session_id_is_real(span_trim(id)))
		return;
	ids->session_id = leg_text(a->leg, span_trim(id));
	clue_pairs(a, CLUE_SESSION_ID, hash_bytes(ids->session_id.p, ids->session_id.n));
	if (ids->session_id_remote.n)
		pairs_from(a->c, a->leg, clue_find(a->c, CLUE_SESSION_ID,
			hash_bytes(ids->session_id_remote.p, ids->session_id_remote.n)), false);
}

/* "name" or "name:parameter" of a header that carries the other leg's identity. */
static struct span header_id(const struct sip_message *sip, struct span rule)
{
	size_t colon = span_find(rule, ':');
	struct span name = span_first(rule, colon), value = SPAN_NONE, parameter;

	for (unsigned i = 0; i < sip->header_count; i++) {
		if (span_equal_nocase(sip->headers[i].name_text, name)) {
			value = sip->headers[i].value;
			break;
		}
	}
	if (colon >= rule.n || !value.n)
		return value;
	if (span_starts_nocase(
		    value, span_from(rule, colon + 1))) /* icid-value stands first, without a semicolon before it */
		value = span_from(value, rule.n - colon);
	else if (sip_parameter(value, span_from(rule, colon + 1), &parameter))
		return parameter;
	else
		return SPAN_NONE;
	value = span_trim(span_first(value, span_find(value, ';')));
	return value.n >= 2 && value.p[0] == '"' ? (struct span){ value.p + 1, value.n - 2 } : value;
}

static void header_ids_note(struct arrival *a)
{
	static const char rules[] = "X-CID,X-Call-ID,X-Original-Call-ID,P-Charging-Vector:icid-value";
	struct leg *named;
	struct span rest = span_of(a->c->config.join_headers ? a->c->config.join_headers : rules), rule;

	while (a->leg->rare->ids.header_id_count < HEADER_IDS_MAX && rest.n && span_split(&rest, ',', &rule)) {
		struct span id = header_id(a->sip, span_trim(rule));
		struct leg_ids *ids;

		if (id.n < 4)
			continue;
		ids = &leg_rare(a->leg)->ids;
		ids->header_ids[ids->header_id_count++] = leg_text(a->leg, id);
		clue_pairs(a, CLUE_HEADER, hash_bytes(id.p, id.n));
		named = leg_by_call_id(a->c, id);
		if (named)
			pair_add(a->c, LEG_RECORD(named), a->leg);
	}
}

static void replaces_note(struct arrival *a)
{
	static const enum sip_header_name names[] = { SIP_H_REPLACES, SIP_H_JOIN, SIP_H_TARGET_DIALOG };
	struct leg *leg = &a->leg->leg;

	for (size_t i = 0; i < sizeof names / sizeof names[0] && !leg->replaces_call_id.n; i++) {
		struct span rest = sip_header_value(a->sip, names[i]), id;

		if (!rest.n || !span_split(&rest, ';', &id))
			continue;
		leg->replaces_call_id = leg_text(a->leg, span_trim(id));
		if (names[i] != SIP_H_REPLACES)
			continue;
		leg->is_transfer = true;
		leg->replaces = leg_text(a->leg, sip_header_value(a->sip, SIP_H_REPLACES));
	}
}

/* The dialog named by Replaces is on record: they are one call, wherever they meet. */
static void replaces_join(struct arrival *a)
{
	struct leg *leg = &a->leg->leg, *named;

	if (!leg->replaces_call_id.n || leg->parent)
		return;
	named = leg_by_call_id(a->c, leg->replaces_call_id);
	if (!named || named == leg || named->call == leg->call ||
		named->call->legs.count + leg->call->legs.count > CALL_LEGS_MAX)
		return;
	call_join(a->c, leg, named, JOIN_REPLACES, 100);
}

static void hosts_note(struct arrival *a)
{
	const struct clue_key *key = clue_find(a->c, CLUE_HOST, address_value(&a->packet->src.addr));
	uint32_t begins = begins_at(&a->leg->leg);

	for (unsigned i = key ? key->count : 0; i-- > 0;) {
		const struct clue_entry *it = &clue_oldest(key)[i];

		if (ns_minus(a->packet->at_ns, it->invite_ns) > CANDIDATE_WITHIN_NS)
			break;
		if (may_lead(it, a->leg, begins) && it->clue->leg != &a->leg->leg)
			pair_add(a->c, LEG_RECORD(it->clue->leg), a->leg);
	}
	clue_add(a->c, a->leg, CLUE_HOST, address_value(&a->packet->dst.addr));
}

static void hunted_from(struct calls *c, struct leg_record *x, struct leg_record *y)
{
	struct pair *p;

	pair_add(c, x, y);
	p = pair_find(x, y);
	if (!p || p->hunted)
		return;
	p->hunted = true;
	pair_base(c, p);
	pair_score(p);
}

/* The same host called the same number under the same one before, and in vain. */
static bool was_in_vain(const struct leg *leg, const struct leg *next)
{
	uint32_t number = number_fingerprint(leg->party[SIDE_CALLEE].user);

	return leg != next && !leg->answered && number && number == number_fingerprint(next->party[SIDE_CALLEE].user) &&
	       leg->segment_count && next->segment_count &&
	       address_equal(&leg->segments[0].a.addr, &next->segments[0].a.addr);
}

/*
 * What the leg before may belong to, this one may: the next trunk is tried when the first one's time is over. And who
 * was answered by a queue is put through when an agent is free.
 */
static void hunt_note(struct arrival *a, uint64_t caller)
{
	const struct clue_key *key = clue_find(a->c, CLUE_CALLER, caller);
	unsigned looked = 0;

	for (unsigned i = key ? key->count : 0; i-- > 0 && looked < HUNT_LOOKED; looked++) {
		struct leg_record *before = LEG_RECORD(clue_oldest(key)[i].clue->leg);

		if (ns_minus(a->leg->leg.invite_ns, before->leg.invite_ns) > HUNT_WITHIN_NS)
			break;
		if (before->leg.answered)
			pair_add(a->c, before, a->leg);
		if (!was_in_vain(&before->leg, &a->leg->leg))
			continue;
		if (before->leg.parent)
			hunted_from(a->c, LEG_RECORD(before->leg.parent), a->leg);
		LIST_EACH(it, &before->rare->pairs_as_child)
			hunted_from(a->c, LIST_ENTRY(it, struct pair, of_child)->x, a->leg);
		break;
	}
}

static void begun(struct arrival *a)
{
	struct leg_record *r = a->leg;
	uint64_t caller = caller_value(r->leg.party[SIDE_CALLER].user);

	if (r->max_forwards == 0 && a->sip->has_max_forwards)
		r->max_forwards = a->sip->max_forwards;
	if (r->codecs == 0 && a->message->sdp)
		r->codecs = codec_order(a->message->sdp);
	if (a->message->repeat == MESSAGE_FIRST && !r->begun) {
		r->begun = true;
		r->capture = packet_capture(a->packet);
		retry_note(a, caller);
		hunt_note(a, caller);
		across_begun(a->c, r, a->packet->at_ns);
		if (!caller_is_anonymous(r->leg.party[SIDE_CALLER].user))
			clue_add(a->c, r, CLUE_CALLER, caller);
		replaces_note(a);
		replaces_join(a);
		redirect_join(a);
		session_id_note(a);
		header_ids_note(a);
	}
	hosts_note(a);
}

static bool says_more(const struct arrival *a)
{
	const struct message *m = a->message;

	if (m->request)
		return m->method == SIP_INVITE || m->method == SIP_BYE || m->method == SIP_UPDATE || m->sdp;
	return m->method == SIP_INVITE && m->status > 100 && m->status < 300;
}

void join_note(struct arrival *a)
{
	struct leg_record *r = a->leg;

	if (a->message->repeat == MESSAGE_RETRANSMITTED)
		return;
	if ((r->leg.is_retry || !r->leg.initial_invite_seen) && message_is_response(a->message, 200, 299) &&
	    a->transaction->transaction.initial)
		retry_succeeds(a, caller_value(r->leg.party[SIDE_CALLER].user));
	if (!r->leg.initial_invite_seen)
		return;
	if (a->transaction->transaction.initial && a->sip->request && a->sip->method == SIP_INVITE)
		begun(a);
	r->spread |= r->begun && packet_capture(a->packet) != r->capture;
	if (message_is_response(a->message, 101, 199) && r->ring_status == 0 && a->transaction->transaction.initial)
		r->ring_status = a->message->status;
	redirect_note(a);
	description_note(a);
	if (says_more(a) || r->leg.end_ns != NS_NONE)
		join_reckon(a->c, r);
	if (r->leg.end_ns != NS_NONE)
		clues_retire(a->c, r);
}

/*
 * Both come in at one host. What it plays to one of another's audio is then a conference, a call picked up, or audio
 * that went astray: not one call passed on.
 */
static bool both_come_in(const struct leg *x, const struct leg *y)
{
	const struct address *host;

	if (!x->segment_count || !y->segment_count)
		return false;
	host = &x->segments[x->segment_count - 1].b.addr;
	return ends_at(y, host) && !address_equal(&x->segments[0].a.addr, host) &&
	       !address_equal(&y->segments[0].a.addr, host);
}

void calls_join_media(struct calls *c, struct leg *x, struct leg *y)
{
	struct leg *parent = x->n < y->n ? x : y, *child = parent == x ? y : x;

	if (x->call == y->call || child->parent || both_come_in(x, y) ||
	    parent->call->legs.count + child->call->legs.count > CALL_LEGS_MAX)
		return;
	call_join(c, child, parent, JOIN_MEDIA, 100);
	pairs_of_child_free(LEG_RECORD(child));
}

void join_forget(struct calls *c, struct leg_record *r)
{
	across_forget(c, r);
	pairs_of_child_free(r);
	while (r->rare->pairs_as_parent.count)
		pair_free(LIST_ENTRY(r->rare->pairs_as_parent.head.next, struct pair, of_parent));
	clues_forget(c, r);
}
