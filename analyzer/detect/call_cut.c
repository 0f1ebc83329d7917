/* SPDX-License-Identifier: MIT */
/*
 * call_cut: the connection over which a call was set up ends in mid-call, none takes its place, and attempts to make
 * one fail. Finding page 4, section 5: tcp-lost.
 */
#include "analyzer/detect/call_cut.h"

#include <stdlib.h>

#include "analyzer/detect/say.h"
#include "analyzer/network/flow.h"
#include "captures/base/memory.h"

enum { LOOK_MAX = 256, SYNS_LEAST = 3 };     /* so many SYNs without any answer are no connection: 0, 1, 3 s */

struct cut {
	const struct message *invite;
	const struct flow *carrier, *failed; /* over which it was set up; the first attempt behind */
	struct frame_ref at;         /* its FIN or RST */
	bool reset, by_server;
	unsigned attempts;
};

static const struct address *lower(const struct flow *f)
{
	return address_compare(&f->client.addr, &f->server.addr) < 0 ? &f->client.addr : &f->server.addr;
}

static const struct address *upper(const struct flow *f)
{
	return address_compare(&f->client.addr, &f->server.addr) < 0 ? &f->server.addr : &f->client.addr;
}

static int hosts_compare(const struct flow *x, const struct address *low, const struct address *high)
{
	int c = address_compare(lower(x), low);

	return c ? c : address_compare(upper(x), high);
}

static int flow_compare(const void *a, const void *b)
{
	const struct flow *x = *(const struct flow *const *)a, *y = *(const struct flow *const *)b;
	int c = hosts_compare(x, lower(y), upper(y));

	if (c == 0)
		c = (x->first_ns > y->first_ns) - (x->first_ns < y->first_ns);
	return c ? c : (x->n > y->n) - (x->n < y->n);
}

void cuts_init(struct cuts *all, const struct facts *facts)
{
	const struct list *flows = flows_in_order(facts->flows);

	*all = (struct cuts){ .list = memory_resize(NULL, flows->count + 1, sizeof *all->list) };
	LIST_EACH(it, flows)
		all->list[all->count++] = LIST_ENTRY(it, struct flow, in_order);
	if (all->count)
		qsort(all->list, all->count, sizeof *all->list, flow_compare);
}

void cuts_fini(struct cuts *all)
{
	free(all->list);
}

/* The first between the two; count: none. */
static unsigned cuts_from(const struct cuts *all, const struct address *a, const struct address *b)
{
	const struct address *low = address_compare(a, b) < 0 ? a : b, *high = low == a ? b : a;
	unsigned from = 0, to = all->count;

	while (from < to) {
		unsigned middle = from + (to - from) / 2;

		if (hosts_compare(all->list[middle], low, high) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from < all->count && hosts_compare(all->list[from], low, high) == 0 ? from : all->count;
}

/* Of a call over one hop: a proxy's other side has connections of its own. NULL: it was set up otherwise. */
static const struct message *invite_of(const struct leg *leg)
{
	const struct transaction *t;

	if (leg->segment_count != 1 || list_empty(&leg->transactions))
		return NULL;
	t = LIST_ENTRY(leg->transactions.head.next, struct transaction, in_leg);
	return t->initial && t->request && t->request->transport == TRANSPORT_TCP ? t->request : NULL;
}

static bool carries(const struct flow *f, const struct message *m)
{
	return (endpoint_equal(&f->client, &m->src) && endpoint_equal(&f->server, &m->dst)) ||
	       (endpoint_equal(&f->client, &m->dst) && endpoint_equal(&f->server, &m->src));
}

static void end_seek(struct cut *c, const struct flow *f)
{
	for (unsigned side = 0; side < 2; side++) {
		for (unsigned reset = 0; reset < 2; reset++) {
			struct frame_ref at = reset ? f->side[side].rst_at : f->side[side].fin_at;

			if (!at.frame || (c->at.frame && at.at_ns >= c->at.at_ns))
				continue;
			c->at = at;
			c->reset = reset;
			c->by_server = side == FLOW_SERVER;
		}
	}
	c->carrier = f;
}

/* To where the call's SIP would go: a socket of its connection, or one that a party names in its Contact. */
static bool is_for(const struct flow *f, const struct leg *leg, const struct cut *c)
{
	return endpoint_equal(&f->server, &c->carrier->server) || endpoint_equal(&f->server, &c->carrier->client) ||
	       endpoint_equal(&f->server, &leg->party[SIDE_CALLER].contact) ||
	       endpoint_equal(&f->server, &leg->party[SIDE_CALLEE].contact);
}

static bool failed(const struct flow *f)
{
	return !f->partial && !flow_accepted(f) && (flow_refused(f) || f->syns >= SYNS_LEAST);
}

/* The connection, its end, and what came of all others between the two from then on. */
static bool is_cut(const struct cuts *all, const struct leg *leg, struct cut *c)
{
	unsigned from = cuts_from(all, &c->invite->src.addr, &c->invite->dst.addr), to = from;

	for (; to < all->count && hosts_compare(all->list[to], lower(all->list[from]), upper(all->list[from])) == 0; to++) {
		const struct flow *f = all->list[to];

		if (to - from == LOOK_MAX)
			return false;
		if (carries(f, c->invite) && f->first_ns <= c->invite->at.at_ns && f->last_ns >= leg->answer_ns)
			end_seek(c, f);
	}
	if (!c->carrier || !c->at.frame || c->at.at_ns <= leg->answer_ns)
		return false;
	for (unsigned i = from; i < to; i++) {
		const struct flow *f = all->list[i];

		if (f == c->carrier || f->last_ns <= c->at.at_ns)
			continue;
		if (!failed(f))
			return false;
		if (f->first_ns < c->at.at_ns || !is_for(f, leg, c))
			continue;
		c->failed = c->attempts++ ? c->failed : f;
	}
	return c->attempts > 0;
}

static void tell(struct detection *d, const struct leg *leg, const struct cut *c)
{
	const struct facts *facts = detection_facts(d);
	const struct endpoint *ender = c->by_server ? &c->carrier->server : &c->carrier->client;
	struct finding *f = detection_raise_keyed(d, leg->n, "tcp-lost", SEVERITY_ERROR, CONFIDENCE_LIKELY);
	char who[SAY_TEXT], from[SAY_TEXT], to[ENDPOINT_TEXT], caller[SAY_TEXT], callee[SAY_TEXT];

	finding_leg(f, leg);
	finding_part(f, PART_VICTIM, &leg->party[SIDE_CALLER].signalling);
	finding_part(f, PART_VICTIM, &leg->party[SIDE_CALLEE].signalling);
	finding_part(f, PART_WITNESS, ender);
	finding_times(f, c->at.at_ns, facts->capture->last_ns);
	f->since_ns = c->at.at_ns;
	f->count = 1;
	say_host(facts, &ender->addr, who);
	say_host(facts, &c->failed->client.addr, from);
	endpoint_text(&c->failed->server, to);
	finding_title(f, "The connection of the call of %s and %s is gone: probably nobody can end, hold or refresh it",
		say_party(facts, leg, SIDE_CALLER, caller), say_party(facts, leg, SIDE_CALLEE, callee));
	finding_cause(f, "%s %s the TCP connection that carried this call's SIP %.1f s after the answer; %s then tries to connect to %s %u time%s, and is %s.", who,
		c->reset ? "resets" : "closes", (double)ns_minus(c->at.at_ns, leg->answer_ns) / 1e9, from, to,
		c->attempts, c->attempts == 1 ? "" : "s", flow_refused(c->failed) ? "refused" : "not answered");
	finding_fix(f, "Keep the connection open: a keepalive (CRLF) shorter than the router's TCP timeout, a longer TCP timeout at the server. A phone behind a NAT can be reached over the connection that it has opened alone (RFC 5626).");
	finding_cannot_see(f, "whether %s closed it, or a device on the way in its name", who);
	if (leg->answer_at.frame)
		finding_evidence(f, leg->answer_at, "the answer");
	finding_evidence(f, c->at, "the connection is %s", c->reset ? "reset" : "closed");
	finding_evidence(f, c->failed->first_at, "a new one is tried in vain");
}

bool call_cut(struct detection *d, const struct leg *leg, const struct cuts *cuts)
{
	struct cut c = { 0 };

	if (!cuts->count || !leg->answered || leg->bye_seen || leg->transferred || leg->answer_ns == NS_NONE)
		return false;
	c.invite = invite_of(leg);
	if (!c.invite || !is_cut(cuts, leg, &c))
		return false;
	tell(d, leg, &c);
	return true;
}
