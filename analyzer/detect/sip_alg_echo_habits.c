/* SPDX-License-Identifier: MIT */
/*
 * sip_alg_echo_habits: what a device leaves that writes SIP anew although every address in it fits: its messages start
 * with a TTL of their own, nearer than the audio that it merely forwards (3.3 E14), and their headers look as that make
 * of phones writes them nowhere else (E15). Neither says much alone.
 */
#include "analyzer/detect/sip_alg_echo.h"

#include <stdio.h>

#include "analyzer/detect/say.h"
#include "analyzer/network/internal.h"

enum {
	MESSAGES = 20,               /* requests, and packets of audio, whose distance is compared */
	/* more routers than these are not behind a customer's NAT: another way altogether */
	NEARER_MOST = 4,
	DISTANCE_POINTS = 20, STYLE_POINTS = 15
};

#define SERVERS (1u << ROLE_PBX | 1u << ROLE_SBC | 1u << ROLE_PROXY | 1u << ROLE_TRUNK | 1u << ROLE_MEDIA)

/* ---- E14 ---- */

struct audio {                       /* of the phones that signal from a public address */
	struct hash_link by_address;
	struct address from;
	const struct stream *first;
	uint64_t packets;
	unsigned hops;
	bool varies;                 /* or another box sends some of it */
};

static unsigned hops_of(uint8_t ttl)
{
	return (ttl <= 64 ? 64u : ttl <= 128 ? 128u : 255u) - ttl;
}

static struct audio *audio_find(const struct hash *table, const struct address *from)
{
	uint32_t hash = address_hash(from);

	for (struct hash_link *it = hash_first(table, hash); it; it = it->next) {
		struct audio *a = HASH_ENTRY(it, struct audio, by_address);

		if (it->hash == hash && address_equal(&a->from, from))
			return a;
	}
	return NULL;
}

static bool is_candidate(const struct echo_context *c, const struct echo_phone *x)
{
	const struct host *h = network_host_find(c->facts->network, &x->source.addr);

	return x->says_phone && !x->ttl_varies && x->requests >= MESSAGES && x->transport == TRANSPORT_UDP &&
	       !(h && (h->roles & SERVERS));
}

/* Does the one who signals there say that his audio comes from there, too? Else another box sends it. */
static bool says_so(const struct stream *s)
{
	const struct direction *d = s->direction;
	const struct window *w = d ? direction_first_due(d) : NULL;

	if (!w || !address_equal(&d->slot->dialog->leg->party[d->sender].signalling.addr, &s->src.addr))
		return false;
	for (unsigned i = 0; i < w->source_count; i++) {
		if (address_equal(&w->sources[i].at.addr, &s->src.addr))
			return true;
	}
	return false;
}

static void audio_learn(struct audio *a, const struct stream *s)
{
	unsigned hops = hops_of(s->ttl_max);

	if (s->multicast || s->twin_of || !s->ttl_max)
		return;
	a->varies |= hops_of(s->ttl_min) != hops || (a->first && a->hops != hops) || !says_so(s);
	if (!a->first)
		a->first = s;
	a->hops = hops;
	a->packets += s->packets;
}

static void audio_gather(struct echo_context *c, struct hash *table)
{
	LIST_EACH(it, echoes_phones(c->facts->echoes)) {
		const struct echo_phone *x = LIST_ENTRY(it, struct echo_phone, in_order);
		struct audio *a;

		if (!is_candidate(c, x) || audio_find(table, &x->source.addr))
			continue;
		a = arena_zalloc(c->arena, sizeof *a);
		a->from = x->source.addr;
		hash_add(table, &a->by_address, address_hash(&a->from));
	}
	if (!table->count)
		return;
	LIST_EACH(it, streams_in_order(c->facts->streams)) {
		const struct stream *s = LIST_ENTRY(it, struct stream, in_order);
		struct audio *a = audio_find(table, &s->src.addr);

		if (a)
			audio_learn(a, s);
	}
}

static const char *hops_text(unsigned hops, char buffer[24])
{
	snprintf(buffer, 24, "%u router%s away", hops, hops == 1 ? "" : "s");
	return buffer;
}

static void add_distance(struct echo_context *c, const struct echo_phone *x, const struct audio *a)
{
	struct echo_sign at = { .transport = x->transport, .phone = x->source, .peer = x->peer };
	struct frame_ref audio_at = stream_frame(a->first, a->first->first_frame, a->first->first_ns);
	struct alg_item item = {
		.reason = "", .weight = ALG_POINTS, .points = DISTANCE_POINTS, .group = 'T',
		.seen = { audio_at, x->first_at }, .count = x->requests, .phone = { x->source.addr, 0 }, .peer = x->peer,
		.first_ns = x->first_at.at_ns, .last_ns = a->first->last_ns,
	};
	char buffer[24];

	item.where = echo_where(c, &at);
	snprintf(item.field, sizeof item.field, "distance");
	snprintf(item.before, sizeof item.before, "audio %s", hops_text(a->hops, buffer));
	snprintf(item.after, sizeof item.after, "SIP %s", hops_text(hops_of(x->ttl), buffer));
	snprintf(item.note, sizeof item.note,
		"Its SIP starts nearer than the audio of the same phone: something in between writes it anew.");
	echo_item_add(c, &item, true);
}

static void add_distances(struct echo_context *c)
{
	struct hash table;

	hash_init(&table);
	audio_gather(c, &table);
	LIST_EACH(it, echoes_phones(c->facts->echoes)) {
		const struct echo_phone *x = LIST_ENTRY(it, struct echo_phone, in_order);
		const struct audio *a = is_candidate(c, x) ? audio_find(&table, &x->source.addr) : NULL;

		if (a && !a->varies && a->packets >= MESSAGES && a->hops > hops_of(x->ttl) &&
		    a->hops - hops_of(x->ttl) <= NEARER_MOST)
			add_distance(c, x, a);
	}
	hash_fini(&table);
}

/* ---- E15 ---- */

static void add_style(struct echo_context *c, const struct echo_style *s, const struct echo_restyled *r)
{
	struct echo_sign at = { .transport = s->transport, .phone = { s->from, 0 }, .peer = s->peer };
	struct alg_item item = {
		.reason = "", .weight = ALG_POINTS, .points = STYLE_POINTS, .group = 'L',
		.seen = { r->elsewhere->first_at, s->first_at }, .count = s->messages, .phone = { s->from, 0 },
		.peer = s->peer, .first_ns = s->first_at.at_ns, .last_ns = s->first_at.at_ns,
	};
	char elsewhere[ADDRESS_TEXT];

	item.where = echo_where(c, &at);
	snprintf(item.field, sizeof item.field, "%s", r->field);
	snprintf(item.before, sizeof item.before, "%s", r->before);
	snprintf(item.after, sizeof item.after, "%s", r->after);
	snprintf(item.note, sizeof item.note, "Phones of the same make behind %s write their headers otherwise.",
		address_text(&r->elsewhere->from, elsewhere));
	echo_item_add(c, &item, true);
}

void echo_add_habits(struct echo_context *c)
{
	add_distances(c);
	LIST_EACH(it, echoes_styles(c->facts->echoes)) {
		const struct echo_style *s = LIST_ENTRY(it, struct echo_style, in_order);
		struct echo_restyled r;

		if (echoes_restyled(c->facts->echoes, s, &r))
			add_style(c, s, &r);
	}
}
