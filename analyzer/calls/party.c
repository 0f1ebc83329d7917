/* SPDX-License-Identifier: MIT */
/* party: the two sides of a leg, where their own messages come from, and the segments between. */
#include "analyzer/calls/internal.h"

static void party_name(struct leg_record *r, struct party *party, const struct sip_address *address)
{
	party->user = leg_text(r, address->user);
	party->display = leg_text(r, address->display);
	party->host = leg_text(r, address->host);
}

/* From and To of the first message; in a leg met in the middle the one who speaks first is taken for the caller. */
void party_first(struct arrival *a)
{
	party_name(a->leg, &a->leg->leg.party[SIDE_CALLER], &a->sip->from);
	party_name(a->leg, &a->leg->leg.party[SIDE_CALLEE], &a->sip->to);
}

static bool names_address(struct span host, const struct address *addr)
{
	struct address named;

	return host.n && address_parse(host, &named) && address_equal(&named, addr);
}

/*
 * Of two points at which one message was seen with as many Vias (before and after a NAT), the nearer: where the
 * sender's own words name the address it comes from; then a private address before a public one.
 */
static uint8_t source_score(const struct arrival *a)
{
	const struct address *src = &a->packet->src.addr;
	bool own = (a->message->contact && address_equal(&a->message->contact->at.addr, src)) ||
		(a->sip->request && a->sip->via_count <= 1 && names_address(a->sip->via.host, src));

	return (uint8_t)(1 + 2 * own + address_private(src));
}

/* Addresses in texts are read only where they could make a difference. */
static bool scores_more(const struct arrival *a, const struct source_rank *rank)
{
	return rank->score < 3 + address_private(&a->packet->src.addr) && source_score(a) > rank->score;
}

static uint8_t vias_of(const struct arrival *a)
{
	return (uint8_t)(a->sip->via_count > UINT8_MAX ? UINT8_MAX : a->sip->via_count ? a->sip->via_count : 1);
}

/* A request with one Via comes from its author; of responses the one with most Vias was seen nearest to him. */
static bool source_is_nearer(const struct arrival *a, const struct source_rank *rank)
{
	uint8_t vias = vias_of(a);

	if (rank->request_vias == 0 && rank->response_vias == 0)
		return true;
	if (a->sip->request) {
		if (vias == rank->request_vias)
			return scores_more(a, rank);
		return rank->request_vias ? vias < rank->request_vias : vias == 1;
	}
	if (rank->request_vias == 1)
		return false;
	if (vias == rank->response_vias)
		return scores_more(a, rank);
	return vias > rank->response_vias;
}

static void contact_set(struct party *party, const struct contact *contact)
{
	if (!contact)
		return;
	party->contact = contact->at;
	party->contact_uri = phrase_span(contact->uri);
}

static void source_note(struct arrival *a)
{
	struct party *party = &a->leg->leg.party[a->author];
	struct source_rank *rank = &a->leg->rank[a->author];

	/* made at each hop anew, with one Via: a proxy's own ACK to a refusal, its CANCEL of a branch */
	if (rank->request_vias && a->sip->request && (a->sip->method == SIP_ACK || a->sip->method == SIP_CANCEL))
		return;
	if (!source_is_nearer(a, rank))
		return;
	if (a->sip->request)
		rank->request_vias = vias_of(a);
	else
		rank->response_vias = vias_of(a);
	rank->score = source_score(a);
	party->signalling = a->packet->src;
	if (!address_known(&party->signalling_dst.addr) || rank->dst_vias == 0)
		party->signalling_dst = a->packet->src;
	contact_set(party, a->message->contact);
}

/* Where its messages are sent on the last segment towards it. */
static void target_note(struct arrival *a)
{
	enum side to = side_other(a->author);
	struct party *party = &a->leg->leg.party[to];
	struct source_rank *rank = &a->leg->rank[to];
	uint8_t vias = vias_of(a), nearness = a->sip->request ? vias : (uint8_t)(UINT8_MAX - vias);

	if (endpoint_equal(&a->packet->dst, &party->signalling)) {
		party->signalling_dst = party->signalling;
		rank->dst_vias = UINT8_MAX;
		return;
	}
	if (rank->dst_vias && nearness <= rank->dst_vias)
		return;
	rank->dst_vias = nearness;
	party->signalling_dst = a->packet->dst;
}

/* A challenge or a 100 is made by the proxy: its name is not the callee's. */
static bool speaks_for_author(const struct arrival *a)
{
	unsigned status = a->sip->status;

	return a->sip->request || (status > 100 && status != 401 && status != 407 && status != 408 && status != 503);
}

void party_note(struct arrival *a)
{
	struct party *party = &a->leg->leg.party[a->author];

	if (!speaks_for_author(a))
		return;
	if (a->sip->method == SIP_CANCEL ||
		(a->sip->method == SIP_ACK && a->sip->via_count == 1 && a->transaction->least_vias > 1))
		return; /* hop by hop: a proxy makes its own */
	if (!party->user_agent.n)
		party->user_agent = phrase_span(common_phrase(a, a->sip->user_agent));
	if (!party->contact_uri.n)
		contact_set(party, a->message->contact);
	source_note(a);
	target_note(a);
}

/* Room for one, then two, then all that are allowed: a leg of a flood has one. */
static void segments_room(struct leg *leg)
{
	unsigned n = leg->segment_count, room = n == 0 ? 1 : n == 1 ? 2 : LEG_SEGMENT_MAX;
	struct segment *grown;

	if (n > 2)
		return;
	grown = arena_zalloc(leg->arena, room * sizeof *grown);
	if (n)
		memcpy(grown, leg->segments, n * sizeof *grown);
	leg->segments = grown;
}

void segment_note(struct arrival *a)
{
	struct leg *leg = &a->leg->leg;
	const struct packet *p = a->packet;
	bool forth = a->sip->request;

	for (unsigned i = 0; i < leg->segment_count; i++) {
		struct segment *s = &leg->segments[i];

		if (endpoint_equal(&s->a, &p->src) && endpoint_equal(&s->b, &p->dst)) {
			s->messages_ab++;
			return;
		}
		if (endpoint_equal(&s->a, &p->dst) && endpoint_equal(&s->b, &p->src)) {
			s->messages_ba++;
			return;
		}
	}
	if (leg->segment_count == LEG_SEGMENT_MAX)
		return;
	segments_room(leg);
	leg->segments[leg->segment_count++] =
		forth ? (struct segment){ p->src, p->dst, 1, 0 } : (struct segment){ p->dst, p->src, 0, 1 };
	join_way(a->leg, &leg->segments[leg->segment_count - 1]);
}
