/* SPDX-License-Identifier: MIT */
/* engine_records: a walk over what is due for each record. They do not know each other: all is as packet by packet. */
#include "analyzer/engine_records.h"

#include "analyzer/engine_state.h"

void records_due(struct engine *e, const struct packet *p, enum duplicate_verdict verdict, uint32_t weight)
{
	if (e->due_count == ENGINE_BATCH)       /* a batch, and an answer that waited for its last packet */
		records_take(e);
	e->due[e->due_count++] = (struct due){ p, weight, verdict };
}

/* Hosts, pairs, mappings: one record, which learns in the order of the packets. */
static void network_take(struct engine *e, const struct due *due)
{
	const struct packet *p = due->packet;

	network_packet(e->network, p, due->verdict, due->weight);
	if (due->verdict != DUPLICATE_NO)
		return;
	if (p->kind == PACKET_SIP) {
		network_learn_sip(e->network, p, p->sip);
		sip_ways_message(e->ways, p);
	} else if (p->kind == PACKET_STUN) {
		network_learn_stun(e->network, p);
	}
}

static void detections_take(struct engine *e, const struct packet *const *messages, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct event ev = { .kind = EVENT_SIP, .at_ns = messages[i]->at_ns, .packet = messages[i] };

		detections_event(e->detections, &ev);
	}
}

#define TAKE(record, function, list, count) do { \
	for (unsigned i_ = 0; i_ < (count); i_++) \
		function(record, (list)[i_]); \
} while (0)

/* SIP messages, without copies that the capture made. */
static void messages_take(struct engine *e, const struct packet *const *list, unsigned count)
{
	detections_take(e, list, count);
	TAKE(e->hops, sip_hops_packet, list, count);
	TAKE(e->peers, sip_peers_packet, list, count);
	TAKE(e->accounts, accounts_packet, list, count);
	TAKE(e->sources, sources_packet, list, count);
	TAKE(e->watches, watches_packet, list, count);
	TAKE(e->services, services_packet, list, count);
	TAKE(e->repeats, repeats_packet, list, count);
}

/* Everything but streams, without copies. */
static void datagrams_take(struct engine *e, const struct packet *const *list, unsigned count)
{
	TAKE(e->echoes, echoes_packet, list, count);
	TAKE(e->bindings, sip_bindings_packet, list, count);
	TAKE(e->flows, flows_packet, list, count);
	TAKE(e->paths, sip_paths_packet, list, count);
}

void records_take(struct engine *e)
{
	const struct packet *messages[ENGINE_BATCH], *datagrams[ENGINE_BATCH];
	unsigned message_count = 0, datagram_count = 0;

	for (unsigned i = 0; i < e->due_count; i++)
		network_take(e, &e->due[i]);
	for (unsigned i = 0; i < e->due_count; i++) {
		const struct due *due = &e->due[i];

		const struct packet *p = due->packet;

		if (p->kind == PACKET_SIP)
			two_points_message(e->points, p, due->verdict);
		if (!(p->has & HAS_IP))
			continue;
		if (p->kind == PACKET_RTP || due->verdict == DUPLICATE_NO)
			outflows_packet(e->outflows, p);
		if (p->kind == PACKET_RTP || due->verdict != DUPLICATE_NO)
			continue;
		datagrams[datagram_count++] = p;
		if (p->kind == PACKET_SIP)
			messages[message_count++] = p;
	}
	messages_take(e, messages, message_count);
	datagrams_take(e, datagrams, datagram_count);
	e->due_count = 0;
}
