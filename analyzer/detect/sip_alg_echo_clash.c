/* SPDX-License-Identifier: MIT */
/*
 * sip_alg_echo_clash: INVITEs that get no answer, or one to a repetition only, when another phone behind the same
 * router has offered the same media port: the SIP helper of Linux expects that port already and drops them (3.2, E18).
 */
#include "analyzer/detect/sip_alg_echo.h"

#include <stdio.h>
#include <stdlib.h>

#include "analyzer/network/internal.h"
#include "captures/base/memory.h"

#define OFFER_NS (180 * SECOND_NS)      /* so long such a helper expects the media of an offer */
#define LATE_NS (400 * MILLISECOND_NS)  /* T1 is 500 ms: what comes later answers a repetition */

enum { LATE_CALLS = 3, REPEATED = 3, RATE = 3, POINTS = 45 };

struct offer {                       /* of an INVITE from a private phone to a public server */
	struct hash_link by_port;
	const struct leg *leg;
	const struct message *invite;
	uint16_t port;
	int64_t at_ns;
	bool clash, answered, late;
};

struct clashes { unsigned clash, clash_late, clash_refused, plain, plain_late, plain_refused; };

static bool taken(const struct transaction *t)
{
	const struct message *m = t->request;

	return t->initial && m && m->sdp && m->sdp->media_count && m->sdp->media[0].port &&
	       m->transport == TRANSPORT_UDP &&
	       address_reach(&m->src.addr) == 0 && address_reach(&m->dst.addr) == 2;
}

static const struct message *answer_of(const struct transaction *t)
{
	return t->provisional ? t->provisional : t->final;
}

static size_t collect(const struct calls *calls, struct offer **ret)
{
	size_t n = 0, room = 0;

	*ret = NULL;
	LIST_EACH(it, calls_legs(calls)) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_order);

		LIST_EACH(tit, &leg->transactions) {
			const struct transaction *t = LIST_ENTRY(tit, struct transaction, in_leg);
			const struct message *a = answer_of(t);

			if (!taken(t))
				continue;
			if (n == room) {
				room = room ? room * 2 : 64;
				*ret = memory_resize(*ret, room, sizeof **ret);
			}
			(*ret)[n++] = (struct offer){
				.leg = leg, .invite = t->request, .port = t->request->sdp->media[0].port,
				.at_ns = t->request->at.at_ns, .answered = a != NULL,
				.late = a ? t->request_copies > 1 &&
				ns_minus(a->at.at_ns, t->request->at.at_ns) > LATE_NS : t->request_copies >= REPEATED,
			};
		}
	}
	return n;
}

static int earlier(const void *a, const void *b)
{
	const struct offer *x = a, *y = b;

	return x->at_ns != y->at_ns ? (x->at_ns > y->at_ns) - (x->at_ns < y->at_ns)
	       : (x->leg->n > y->leg->n) - (x->leg->n < y->leg->n);
}

/* Still in a call, or offered not long ago. */
static bool holds(const struct offer *o, int64_t at_ns)
{
	return ns_minus(at_ns, o->at_ns) <= OFFER_NS ||
	       (o->leg->answered && (o->leg->end_ns == NS_NONE || o->leg->end_ns > at_ns));
}

static bool clashes_with(const struct offer *o, const struct offer *other)
{
	return !endpoint_equal(&o->invite->src, &other->invite->src) &&
	       address_same_net(&o->invite->src.addr, &other->invite->src.addr) &&
	       other->answered && holds(other, o->at_ns);
}

enum { LOOK_BACK = 64 };             /* offers of one port that are compared: the newest */

/* Ports come off the wire: who chooses them does not choose the bucket. */
static uint32_t port_hash(uint16_t port)
{
	return (uint32_t)hash_mix(6, port);
}

/* The table holds earlier offers, newest first: hash_add puts in front. */
static bool clash_of(const struct hash *by_port, const struct offer *o)
{
	for (int d = -1; d <= 1; d++) {
		uint16_t port = (uint16_t)(o->port + d);
		uint32_t hash = port_hash(port);
		unsigned looked = 0;

		for (struct hash_link *it = hash_first(by_port, hash); it && looked < LOOK_BACK; it = it->next) {
			const struct offer *other = HASH_ENTRY(it, struct offer, by_port);

			if (other->port != port)
				continue;
			looked++;
			if (clashes_with(o, other))
				return true;
		}
	}
	return false;
}

static struct clashes count(struct offer *offers, size_t n)
{
	struct clashes t = { .clash = 0 };
	struct hash by_port;

	hash_init(&by_port);
	for (size_t i = 0; i < n; i++) {
		struct offer *o = &offers[i];

		o->clash = clash_of(&by_port, o);
		hash_add(&by_port, &o->by_port, port_hash(o->port));
		*(o->clash ? &t.clash : &t.plain) += 1;
		*(o->clash ? &t.clash_late : &t.plain_late) += o->late && o->answered;
		*(o->clash ? &t.clash_refused : &t.plain_refused) += o->late && !o->answered;
	}
	hash_fini(&by_port);
	return t;
}

/* Where others lose their first transmission a third as often it is loss. */
static bool proven(const struct clashes *t)
{
	unsigned bad = t->clash_late + t->clash_refused, plain_bad = t->plain_late + t->plain_refused;

	if (t->plain == 0 || t->plain_refused == t->plain || (t->clash_refused == 0 && t->clash_late < LATE_CALLS))
		return false;
	return (uint64_t)plain_bad * t->clash * RATE < (uint64_t)bad * t->plain;
}

static void add(struct echo_context *c, const struct offer *o)
{
	struct echo_sign at = { .transport = o->invite->transport, .phone = o->invite->src, .peer = o->invite->dst };
	struct alg_item item = {
		.reason = "parse-drop", .dropped = "media-port-clash", .weight = ALG_POINTS, .points = POINTS, .group = 'D', .fields = ALG_CONTACT,
		.seen = { { 0 }, o->invite->at },
		.leg = o->leg, .phone = { o->invite->src.addr, 0 }, .peer = o->invite->dst, .first_ns = o->at_ns,
		.last_ns = o->at_ns,
	};

	memcpy(at.router_mac, o->invite->dst_mac, sizeof at.router_mac);
	item.where = echo_where(c, &at);
	snprintf(item.field, sizeof item.field, "m=");
	snprintf(item.after, sizeof item.after, "audio %u", o->port);
	snprintf(item.note, sizeof item.note,
		"INVITEs vanish when another phone there has offered the same media port.");
	echo_item_add(c, &item, false);
}

void echo_add_clashes(struct echo_context *c)
{
	struct offer *offers;
	size_t n = collect(c->facts->calls, &offers);
	struct clashes t = { .clash = 0 };

	if (n > 1) {
		qsort(offers, n, sizeof *offers, earlier);
		t = count(offers, n);
	}
	for (size_t i = 0; i < n && proven(&t); i++) {
		if (offers[i].clash && offers[i].late &&
		    !network_at(c->facts->network, &offers[i].invite->dst.addr))
			add(c, &offers[i]);
	}
	free(offers);
}
