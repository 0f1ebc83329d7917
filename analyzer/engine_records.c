/* SPDX-License-Identifier: MIT */
/* engine_records: a walk over what is due for each record. They do not know each other: all is as packet by packet. */
#include "analyzer/engine_records.h"

#include "analyzer/engine_state.h"

void records_due(struct engine *e, const struct packet *p, enum duplicate_verdict verdict, uint32_t weight,
	enum due_part part)
{
	if (e->due_count == ENGINE_BATCH)       /* a batch, and an answer that waited for its last packet */
		records_take(e);
	e->due[e->due_count++] = (struct due){ p, weight, verdict, part };
}

/* ---- what is looked for in a batch ---- */

enum { PLACES_MAX = ENGINE_BATCH * HASH_PLACES };

struct places {
	struct hash_place at[PLACES_MAX];
	unsigned count;
	unsigned from[ENGINE_BATCH]; /* of each packet: where its own begin */
};

/* All buckets, then what lies in them, then what comes behind a stranger. */
static void places_ask(const struct places *p)
{
	for (unsigned i = 0; i < p->count; i++)
		hash_ask_bucket(&p->at[i]);
	for (unsigned i = 0; i < p->count; i++)
		hash_ask_record(&p->at[i]);
	for (unsigned i = 0; i < p->count; i++)
		hash_ask_next(&p->at[i]);
}

/* A record takes a batch, and looks nowhere that was not asked for: */
#define TAKE(record, name, list, size) do { \
	struct places places_; \
	places_.count = 0; \
	for (unsigned i_ = 0; i_ < (size); i_++) { \
		places_.from[i_] = places_.count; \
		places_.count += name ## _places(record, (list)[i_], &places_.at[places_.count]); \
	} \
	places_ask(&places_); \
	for (unsigned i_ = 0; i_ < (size); i_++) \
		name ## _packet_at(record, (list)[i_], &places_.at[places_.from[i_]]); \
} while (0)

/* One that few messages concern, or that is small: */
#define TAKE_AT_ONCE(record, name, list, size) do { \
	for (unsigned i_ = 0; i_ < (size); i_++) \
		name ## _packet(record, (list)[i_]); \
} while (0)

/* ---- who takes what ---- */

/* Hosts, pairs, mappings: one record, which learns in the order of the packets. */
static void network_take(struct engine *e, const struct due *due, const struct hash_place *at,
	const struct hash_place *way)
{
	const struct packet *p = due->packet;

	if (due->part != DUE_REST)
		network_packet_at(e->network, p, due->verdict, due->weight, at);
	if (due->verdict != DUPLICATE_NO || due->part == DUE_COUNTED)
		return;
	if (p->kind == PACKET_SIP) {
		network_learn_sip(e->network, p, p->sip);
		sip_ways_message_at(e->ways, p, way);
	} else if (p->kind == PACKET_STUN) {
		network_learn_stun(e->network, p);
	} else if (p->kind == PACKET_DTLS) {
		network_learn_dtls(e->network, p);
	}
}

static void networks_take(struct engine *e)
{
	struct places places;
	unsigned ways[ENGINE_BATCH]; /* where the places of the ways begin */

	places.count = 0;
	for (unsigned i = 0; i < e->due_count; i++) {
		const struct packet *p = e->due[i].packet;

		places.from[i] = places.count;
		if (e->due[i].weight > 1)        /* of a known stream: so are its hosts */
			places.at[places.count++] = network_pair_place(e->network, p);
		else
			places.count += network_places(e->network, p, &places.at[places.count]);
		ways[i] = places.count;
		if (p->kind == PACKET_SIP && e->due[i].part != DUE_COUNTED)
			places.count += sip_ways_places(e->ways, p, &places.at[places.count]);
	}
	places_ask(&places);
	for (unsigned i = 0; i < e->due_count; i++)
		network_take(e, &e->due[i], &places.at[places.from[i]], &places.at[ways[i]]);
}

/* SIP, copies too. */
static bool points_asked(const struct due *due)
{
	return due->packet->kind == PACKET_SIP && due->part != DUE_COUNTED;
}

static void points_take(struct engine *e)
{
	struct places places;

	places.count = 0;
	for (unsigned i = 0; i < e->due_count; i++) {
		places.from[i] = places.count;
		if (points_asked(&e->due[i]))
			places.count += two_points_places(e->points, e->due[i].packet, &places.at[places.count]);
	}
	places_ask(&places);
	for (unsigned i = 0; i < e->due_count; i++) {
		if (points_asked(&e->due[i]))
			two_points_message_at(e->points, e->due[i].packet, e->due[i].verdict,
				&places.at[places.from[i]]);
	}
}

static void detections_take(struct engine *e, const struct packet *const *messages, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct event ev = { .kind = EVENT_SIP, .at_ns = messages[i]->at_ns, .packet = messages[i] };

		detections_event(e->detections, &ev);
	}
}

/* Old transactions close as new messages come: hardly more than one for each. */
static void repeats_take(struct engine *e, const struct packet *const *messages, unsigned count)
{
	struct places places;

	places.count = 0;
	for (unsigned i = 0; i < count; i++) {
		places.from[i] = places.count;
		places.count += repeats_places(e->repeats, messages[i], &places.at[places.count]);
	}
	if (count)
		places.count += repeats_closing_places(e->repeats, messages[count - 1]->at_ns,
			&places.at[places.count], (HASH_PLACES - 1) * count);
	places_ask(&places);
	for (unsigned i = 0; i < count; i++)
		repeats_packet_at(e->repeats, messages[i], &places.at[places.from[i]]);
}

/* What counts messages: those that are shed, too. */
static void counted_take(struct engine *e, const struct packet *const *list, unsigned count)
{
	detections_take(e, list, count);
	TAKE(e->peers, sip_peers, list, count);
	TAKE(e->sources, sources, list, count);
}

/* SIP messages, without copies that the capture made. */
static void messages_take(struct engine *e, const struct packet *const *list, unsigned count)
{
	TAKE_AT_ONCE(e->hops, sip_hops, list, count);
	TAKE_AT_ONCE(e->accounts, accounts, list, count);
	TAKE_AT_ONCE(e->watches, watches, list, count);
	TAKE(e->services, services, list, count);
	repeats_take(e, list, count);
}

/* Everything but streams, without copies. */
static void datagrams_take(struct engine *e, const struct packet *const *list, unsigned count)
{
	TAKE(e->echoes, echoes, list, count);
	TAKE_AT_ONCE(e->bindings, sip_bindings, list, count);
	TAKE_AT_ONCE(e->flows, flows, list, count);
	TAKE(e->paths, sip_paths, list, count);
}

/* What each of these takes, in the order of the packets. */
struct taking {
	const struct packet *list[ENGINE_BATCH];
	unsigned count;
};

static void taking_add(struct taking *t, const struct packet *p)
{
	t->list[t->count++] = p;
}

void records_take(struct engine *e)
{
	struct taking messages, datagrams, counted;

	if (!e->due_count)
		return;
	messages.count = datagrams.count = counted.count = 0;
	networks_take(e);
	points_take(e);
	for (unsigned i = 0; i < e->due_count; i++) {
		const struct due *due = &e->due[i];
		const struct packet *p = due->packet;
		bool sip = p->kind == PACKET_SIP;

		if (!(p->has & HAS_IP))
			continue;
		if (due->part != DUE_REST && (p->kind == PACKET_RTP || due->verdict == DUPLICATE_NO))
			outflows_packet(e->outflows, p);
		if (p->kind == PACKET_RTP || due->verdict != DUPLICATE_NO)
			continue;
		if (sip && due->part != DUE_REST)
			taking_add(&counted, p);
		if (due->part == DUE_COUNTED)
			continue;
		taking_add(&datagrams, p);
		srv_packet(e->srv, p);
		if (sip)
			taking_add(&messages, p);
	}
	counted_take(e, counted.list, counted.count);
	messages_take(e, messages.list, messages.count);
	datagrams_take(e, datagrams.list, datagrams.count);
	e->due_count = 0;
}
