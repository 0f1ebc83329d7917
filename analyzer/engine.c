/* SPDX-License-Identifier: MIT */
/* engine: duplicates first, then each sort of packet to its records, then judgement. */
#include "analyzer/engine.h"

#include <assert.h>
#include <stdio.h>

#include "analyzer/capture_facts.h"
#include "analyzer/detect/icmp_about.h"
#include "analyzer/early.h"
#include "analyzer/engine_judge.h"
#include "analyzer/engine_records.h"
#include "analyzer/engine_relay.h"
#include "analyzer/engine_state.h"
#include "analyzer/shed.h"
#include "captures/base/memory.h"
#include "dissect/plain.h"

enum {
	MEDIA_BATCH = 32,            /* packets of a known stream are told to the network by so many */
	ALIVE_EACH = 128,            /* of them one says that its call lives: 2.6 s at 20 ms */
	AHEAD = 8                    /* what media will touch is asked for so many packets before its turn */
};

void engine_interface(struct engine *e, uint16_t file, uint16_t interface, const char *filter, uint32_t snaplen,
	uint64_t if_drop, uint64_t os_drop)
{
	(void)file;
	(void)interface;
	(void)snaplen;
	e->capture.if_drop += if_drop;
	e->capture.os_drop += os_drop;
	if (filter && filter[0] && !e->capture.filter[0])
		snprintf(e->capture.filter, sizeof e->capture.filter, "%s", filter);
}

void engine_untimed(struct engine *e, uint64_t frames)
{
	e->capture.untimed += frames;
}

void engine_read_filter(struct engine *e, const char *filter)
{
	snprintf(e->capture.read_filter, sizeof e->capture.read_filter, "%s", filter);
}

void engine_past(struct engine *e, struct past_asks *past)
{
	sources_past(e->sources, past);
}

int64_t engine_first_ns(const struct engine *e)
{
	return e->capture.first_ns;
}

void engine_dissected(struct engine *e, const struct dissector_counts *counts)
{
	e->dissected = *counts;
}

/* ---- signalling ---- */

static void signal_media(struct engine *e, const struct message *m)
{
	struct stream_hint hint;

	binding_announce(e->binding, m);
	for (unsigned i = 0; m->sdp && i < m->sdp->media_count; i++) {
		const struct sdp_media *media = &m->sdp->media[i];

		if (!media->rtp || !media->port || !address_known(&media->at.addr))
			continue;
		binding_hint_of(media, &hint);
		streams_signalled(e->streams, &media->at, &hint);
	}
}

/* Does any stream come from, or go to, an address that the descriptions name? */
static bool copies_streamed(struct engine *e, const struct sdp_copies *copies)
{
	for (unsigned i = 0; i < copies->count; i++) {
		const struct sdp *sdp = copies->seen[i]->sdp;

		for (unsigned k = 0; k < sdp->media_count; k++) {
			if (streams_met(e->streams, &sdp->media[k].at))
				return true;
		}
	}
	return false;
}

static bool session_streamed(struct engine *e, const struct dialog *d)
{
	if (streams_none(e->streams))
		return false;
	LIST_EACH(it, &d->exchanges) {
		const struct exchange *x = LIST_ENTRY(it, struct exchange, in_dialog);

		if (copies_streamed(e, &x->offer) || copies_streamed(e, &x->answer) || copies_streamed(e, &x->preview))
			return true;
	}
	return false;
}

/*
 * A session has changed: the streams concerned begin a new spell, so that windows can be told apart. An ended one asks
 * for audio nowhere. Windows are reckoned where streams need them, and at the end for all.
 */
static void session_changed(struct engine *e, struct dialog *d)
{
	if (d->ended_ns != NS_NONE || !session_streamed(e, d))
		return;
	expectation_update(&e->expect, d);
	for (unsigned i = 0; i < d->mslot_count; i++) {
		for (unsigned side = 0; side < 2; side++) {
			const struct direction *direction = &d->mslots[i].direction[side];
			const struct window *w = direction->window_count
				? &direction->windows[direction->window_count - 1] : NULL;

			for (unsigned k = 0; w && k < w->target_count; k++)
				streams_cut(e->streams, &w->targets[k].at);
		}
	}
}

/* ---- what goes for lack of room ---- */

/* What was bound at the last judgement: the next one binds anew. */
static void unbind(struct engine *e)
{
	if (e->bound)
		binding_release(streams_in_order(e->streams), calls_legs(e->calls));
	e->bound = false;
}

void engine_stream_evicted(void *context, struct stream *s)
{
	struct engine *e = context;

	unbind(e);
	detections_forget(e->detections, s);
}

static void dialog_forget(struct engine *e, const struct dialog *d)
{
	for (unsigned i = 0; i < d->mslot_count; i++) {
		detections_forget(e->detections, &d->mslots[i].direction[0]);
		detections_forget(e->detections, &d->mslots[i].direction[1]);
	}
	detections_forget(e->detections, d);
}

static void leg_evicted(struct engine *e, struct leg *leg)
{
	unbind(e);
	binding_forget(e->binding, leg);
	LIST_EACH(it, &leg->dialogs)
		dialog_forget(e, LIST_ENTRY(it, struct dialog, in_leg));
	detections_forget(e->detections, leg);
	findings_forget_leg(e->findings, leg);
}

static void calls_event(struct engine *e, const struct calls_event *c)
{
	switch (c->kind) {
	case CALLS_MESSAGE:
		if (c->message && c->message->sdp)
			signal_media(e, c->message);
		break;
	case CALLS_STABLE: case CALLS_ANSWERED: case CALLS_DIALOG_ENDED:
		if (c->dialog)
			session_changed(e, c->dialog);
		break;
	case CALLS_EVICTED:
		if (c->leg)
			leg_evicted(e, c->leg);
		if (c->registration)
			detections_forget(e->detections, c->registration);
		break;
	case CALLS_OFFER: case CALLS_ENDED: case CALLS_TRANSACTION_CLOSED: case CALLS_REGISTRATION:
	case CALLS_SUBSCRIPTION: case CALLS_TRANSFER: case CALLS_LEG_JOINED:
		break;
	}
}

static void drain(struct engine *e, int64_t now_ns)
{
	struct calls_event events[CALLS_EVENT_MAX];
	size_t n;

	do {
		n = calls_tick(e->calls, now_ns, events);
		for (size_t i = 0; i < n; i++)
			calls_event(e, &events[i]);
	} while (n == CALLS_EVENT_MAX);
}

static void take_waited(struct engine *e, const struct packet *waited);

static void tick(struct engine *e, int64_t now_ns)
{
	const struct packet *waited;

	if (now_ns < e->tick_ns)
		return;
	e->tick_ns = ns_add(now_ns, SECOND_NS);
	while ((waited = early_before(e->early, NULL, now_ns)))
		take_waited(e, waited);
	drain(e, now_ns);
}

static void take_sip(struct engine *e, const struct packet *p, bool copy)
{
	struct calls_event events[CALLS_EVENT_MAX];
	size_t n = calls_message(e->calls, p, copy, events);

	for (;;) {
		for (size_t i = 0; i < n; i++)
			calls_event(e, &events[i]);
		if (n < CALLS_EVENT_MAX)
			return;
		n = calls_more(e->calls, events);
	}
}

/* ---- the rest ---- */

static void take_icmp(struct engine *e, const struct packet *p)
{
	struct icmp_record *r;

	if (!p->icmp.error)
		return;
	if (e->icmp.count >= e->icmp_keep) {
		e->icmp_dropped++;
		return;
	}
	r = memory_zalloc(sizeof *r);
	*r = (struct icmp_record){
		.at = { p->at_ns, p->frame, p->file, p->interface }, .reporter = p->src.addr, .src = p->icmp.quote_src,
		.dst = p->icmp.quote_dst,
		.protocol = p->icmp.quote_protocol, .type = p->icmp.type, .code = p->icmp.code, .ttl = p->ttl,
		.v6 = p->icmp.v6,
		.readable = p->icmp.quote_readable, .has_mac = (p->has & HAS_MAC) && p->tunnel == TUNNEL_NONE,
	};
	memcpy(r->mac, p->mac_src, sizeof r->mac);
	list_add_tail(&e->icmp, &r->in_order);
	hash_add(&e->icmp_by_dst, &r->by_dst, icmp_hash(&r->dst));
}

/* A call without signalling lives on while its media does. */
static void keep_alive(struct engine *e, const struct packet *p)
{
	struct leg *leg = binding_leg(e->binding, &p->dst);

	if (!leg)
		leg = binding_leg(e->binding, &p->src);
	if (leg)
		calls_alive(e->calls, leg, p->at_ns);
}

/* Of a known stream some speak for all: they are told to the network, and that the call lives. */
static bool is_told(uint16_t seq)
{
	return seq % MEDIA_BATCH == 0;
}

static void tell_media(struct engine *e, const struct packet *p)
{
	records_due(e, p, DUPLICATE_NO, MEDIA_BATCH, DUE_ALL);
	two_points_frame(e->points, packet_capture(p), p->at_ns);
	if (p->rtp.seq % ALIVE_EACH == 0)
		keep_alive(e, p);
}

/* What tell_media() will look for. */
static void tell_media_ask(struct engine *e, const struct packet *p, void (*ask)(const struct hash_place *))
{
	struct hash_place pair = network_pair_place(e->network, p), leg;

	ask(&pair);
	if (p->rtp.seq % ALIVE_EACH)
		return;
	leg = binding_leg_place(e->binding, &p->dst);
	ask(&leg);
}

static void take_rtp(struct engine *e, const struct packet *p, struct stream_ticket ticket)
{
	struct stream_result r = streams_packet_prepared(e->streams, p, ticket);

	if (!r.stream) {
		/* not RTP, or not known yet: an ordinary datagram */
		records_due(e, p, network_duplicate(e->network, p), 1, DUE_ALL);
		return;
	}
	if (r.change != STREAM_NOTHING) {
		records_due(e, p, DUPLICATE_NO, 1, DUE_ALL);
		if (r.change == STREAM_STARTED || r.change == STREAM_SSRC_CHANGED)
			relay_look(e, r.stream);
		if (e->shed)
			shed_media(e->shed, &p->src.addr);
	} else if (is_told(p->rtp.seq)) {
		tell_media(e, p);
	}
}

/* ---- what a flood asks in vain ---- */

static bool no_room(const struct engine *e, const struct packet *p)
{
	return calls_no_room(e->calls, p) &&
	       (p->sip->method != SIP_REGISTER || accounts_no_room(e->accounts, p->sip));
}

static void set_aside(struct engine *e, const struct packet *p, bool copy)
{
	size_t bytes = 0;
	bool first = !copy && shed_keep(e->shed, p, &bytes);

	calls_lend(e->calls, bytes);
	calls_give_up(e->calls, p, first);
	if (first && p->sip->method == SIP_REGISTER)
		accounts_give_up(e->accounts);
}

/* Hosts and sources have counted it. */
static void bring_back(struct engine *e, const struct packet *p)
{
	const struct packet *back;
	bool last;

	while ((back = shed_back(e->shed, p, &last))) {
		calls_take_back(e->calls, back, last);
		if (last && back->sip->method == SIP_REGISTER)
			accounts_take_back(e->accounts);
		records_due(e, back, DUPLICATE_NO, 1, DUE_REST);
		take_sip(e, back, false);
		records_take(e);
	}
}

static bool is_shed(struct engine *e, const struct packet *p, bool copy)
{
	if (!e->shed || p->kind != PACKET_SIP || !(p->has & HAS_IP))
		return false;
	if (!shed_may(p)) {
		shed_party(e->shed, p);
	} else if (no_room(e, p) && shed_floods(e->shed, p, copy)) {
		set_aside(e, p, copy);
		return true;
	}
	bring_back(e, p);
	return false;
}

/* Everything but RTP. */
static void take_packet(struct engine *e, const struct packet *p)
{
	enum duplicate_verdict verdict;
	bool shed;

	two_points_frame(e->points, packet_capture(p), p->at_ns);
	verdict = p->has & HAS_IP ? network_duplicate(e->network, p) : DUPLICATE_NO;
	shed = is_shed(e, p, verdict != DUPLICATE_NO);
	if (p->has & HAS_IP || p->kind == PACKET_ARP || p->voice_vlan)
		records_due(e, p, verdict, 1, shed ? DUE_COUNTED : DUE_ALL);
	if (!(p->has & HAS_IP) || shed)
		return;
	if (p->kind == PACKET_SIP)
		take_sip(e, p, verdict != DUPLICATE_NO);
	if (verdict != DUPLICATE_NO)
		return;
	if (p->kind == PACKET_RTCP)
		rtcp_states_packet(e->rtcp, p);
	else if (p->kind == PACKET_ICMP)
		take_icmp(e, p);
}

/* It is lent until the next one is asked for: the records take it at once. */
static void take_waited(struct engine *e, const struct packet *waited)
{
	take_packet(e, waited);
	records_take(e);
}

/* Answers whose request was not seen before them, each in its turn. */
static void take_message(struct engine *e, const struct packet *p)
{
	const struct packet *waited;

	if (early_keep(e->early, p))
		return;
	while ((waited = early_before(e->early, p, p->at_ns)))
		take_waited(e, waited);
	take_packet(e, p);
	while ((waited = early_after(e->early, p)))
		take_waited(e, waited);
}

/* What is decided packet by packet: sessions, streams. The records that judgement alone reads take it afterwards. */
static void take(struct engine *e, const struct packet *p, struct stream_ticket ticket)
{
	capture_facts_packet(e, p);
	tick(e, p->at_ns);
	if (p->kind == PACKET_RTP)
		take_rtp(e, p, ticket);
	else if (p->kind == PACKET_SIP)
		take_message(e, p);
	else
		take_packet(e, p);
}

/* A plain frame; *made is where its packet goes if it is needed, and is already if it is one that is told. */
static void take_plain(struct engine *e, const struct frame *f, struct stream_ticket ticket, struct packet *made)
{
	bool taken;

	capture_facts_plain(e, f);
	tick(e, f->at_ns);
	taken = streams_plain(e->streams, f, ticket);
	if (taken && is_told(ticket.seq)) {
		tell_media(e, made);
	} else if (!taken) {
		plain_packet(f, made);
		take_rtp(e, made, ticket);
	}
}

/* The packet, with the peer in the TURN server's place where its channel is known. */
static const struct packet *resolve(struct engine *e, const struct packet *p, struct packet *made)
{
	if (!p->channel && p->kind != PACKET_STUN)
		return p;
	return channels_packet(e->channels, p, made) ? made : p;
}

void engine_packet(struct engine *e, const struct packet *p)
{
	engine_items(e, &(struct feed_item){ .packet = p }, 1);
}

/* What comes with an item on its way. */
struct arrival {
	struct stream_ticket ticket; /* of RTP */
	const struct packet *packet; /* resolved; NULL: a plain frame */
	bool rtp;
};

static inline void arrive(struct engine *e, const struct feed_item *item, struct packet *made, struct arrival *ret)
{
	ret->packet = item->plain ? NULL : resolve(e, item->packet, made);
	ret->rtp = item->plain || ret->packet->kind == PACKET_RTP;
	if (item->plain)
		ret->ticket = streams_prepare_plain(e->streams, item->frame);
	else if (ret->rtp)
		ret->ticket = streams_prepare(e->streams, ret->packet);
	if (item->plain && is_told(ret->ticket.seq)) {
		plain_packet(item->frame, made);
		tell_media_ask(e, made, hash_ask_bucket);
	}
}

static inline void arrival_prefetch(struct engine *e, struct arrival *a, const struct packet *made)
{
	if (!a->rtp)
		return;
	streams_prefetch(e->streams, &a->ticket);
	if (!a->packet && is_told(a->ticket.seq))
		tell_media_ask(e, made, hash_ask_record);
}

/* The messages among them are what takes the most memory to and fro. */
static void messages_ahead(struct engine *e, const struct arrival *arrivals, unsigned count)
{
	const struct packet *messages[ENGINE_BATCH] = { NULL };
	unsigned n = 0;

	for (unsigned i = 0; i < count; i++) {
		const struct packet *p = arrivals[i].packet;

		if (!p || p->kind != PACKET_SIP)
			continue;
		early_ahead(e->early, p);
		messages[n++] = p;
	}
	calls_ahead(e->calls, messages, n);
	if (e->shed)
		shed_ahead(e->shed, messages, n);
}

void engine_items(struct engine *e, const struct feed_item *items, unsigned count)
{
	struct arrival arrivals[ENGINE_BATCH];

	assert(count <= ENGINE_BATCH);
	for (unsigned i = 0; i < count; i++)
		arrive(e, &items[i], &e->made[i], &arrivals[i]);
	messages_ahead(e, arrivals, count);
	for (unsigned i = 0; i < count; i++) {
		if (i + AHEAD < count)
			arrival_prefetch(e, &arrivals[i + AHEAD], &e->made[i + AHEAD]);
		if (arrivals[i].packet)
			take(e, arrivals[i].packet, arrivals[i].ticket);
		else
			take_plain(e, items[i].frame, arrivals[i].ticket, &e->made[i]);
	}
	calls_ahead(e->calls, NULL, 0);
	records_take(e);
}

/* ---- the end ---- */

void engine_until(struct engine *e, int64_t now_ns)
{
	if (e->capture.last_ns != NS_NONE && now_ns > e->capture.last_ns)
		e->capture.last_ns = now_ns;
}

void engine_finish(struct engine *e)
{
	const struct packet *waited;

	if (e->finished)
		return;
	e->finished = true;
	while ((waited = early_rest(e->early)))
		take_waited(e, waited);
	e->capture.answers_early_ns = early_most_ns(e->early);
	if (e->capture.last_ns != NS_NONE)
		tick(e, e->capture.last_ns);
	calls_finish(e->calls, e->capture.last_ns);
	if (e->capture.last_ns != NS_NONE)
		drain(e, e->capture.last_ns);        /* what finishing has settled */
	streams_finish(e->streams, e->capture.last_ns);
	two_points_settle(e->points);
	echoes_settle(e->echoes);
	capture_facts_settle(e);
	engine_judge(e);
	findings_settle(e->findings, config_ns(e->options.config, "incident", "window-s", SECOND_NS));
}
