/* SPDX-License-Identifier: MIT */
/* world: hosts, NATs and what travels between them. */
#include "tests/scenarios/scenario.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

struct host *host_by_name(struct scenario *s, const char *name)
{
	LIST_EACH(it, &s->hosts) {
		struct host *h = LIST_ENTRY(it, struct host, link);

		if (strcmp(h->name, name) == 0)
			return h;
	}
	return NULL;
}

struct host *host_by_address(struct scenario *s, const struct address *a)
{
	LIST_EACH(it, &s->hosts) {
		struct host *h = LIST_ENTRY(it, struct host, link);

		if (address_equal(&h->addr, a))
			return h;
	}
	return NULL;
}

static struct host *host_add(struct scenario *s, const char *name, struct address addr)
{
	struct host *h = scenario_zalloc(s, sizeof *h);

	h->name = name;
	h->addr = addr;
	h->ttl = 64;
	h->mac[0] = 0x02;
	memcpy(h->mac + 2, addr.bytes + (addr.family == 6 ? 12 : 0), 4);
	h->ip_id = (uint16_t)(0x1000 + 0x101 * s->hosts.count);
	list_add_tail(&s->hosts, &h->link);
	return h;
}

struct host *host_of(struct scenario *s, const struct address *a)
{
	struct host *h = host_by_address(s, a);
	char text[ADDRESS_TEXT];

	if (h)
		return h;
	h = host_add(s, scenario_text(s, "%s", address_text(a, text)), *a);
	h->hops = 5;
	memcpy(h->mac, (uint8_t[]){ 0x02, 0, 0, 0, 0, 1 }, 6);  /* the gateway's */
	return h;
}

struct host *host_want(struct scenario *s, struct words *w)
{
	const char *name = word_want(s, w, "a host");
	struct host *h = host_by_name(s, name);
	struct address a;

	if (!h && address_parse(span_of(name), &a))
		return host_of(s, &a);
	if (!h)
		scenario_fail(s, "\"%s\" is no host and no address", name);
	return h ? h : host_of(s, &(struct address){ .family = 4 });
}

struct address address_want(struct scenario *s, struct words *w)
{
	const char *name = word_want(s, w, "an address");
	struct host *h = host_by_name(s, name);
	struct address a = { 0 };

	if (h)
		return h->addr;
	if (!address_parse(span_of(name), &a))
		scenario_fail(s, "\"%s\" is no host and no address", name);
	return a;
}

bool endpoint_read(struct scenario *s, const char *text, struct endpoint *ret)
{
	const char *colon = strrchr(text, ':');
	struct host *h = host_by_name(s, colon ? scenario_text(s, "%.*s", (int)(colon - text), text) : text);
	uint64_t port = 0;

	if (!h)
		return endpoint_parse(span_of(text), ret);
	if (colon && !span_number(span_of(colon + 1), 65535, &port))
		return false;
	*ret = (struct endpoint){ h->addr, (uint16_t)port };
	return true;
}

struct endpoint endpoint_want(struct scenario *s, struct words *w)
{
	const char *text = word_want(s, w, "HOST:PORT");
	struct endpoint e = { 0 };

	if (!endpoint_read(s, text, &e))
		scenario_fail(s, "\"%s\" is no HOST:PORT", text);
	return e;
}

bool taps_accept(struct scenario *s, struct words *w, uint16_t *taps)
{
	if (word_accept(w, "only")) {
		*taps = (uint16_t)(1u << (tap_want(s, w) - s->taps));
		return true;
	}
	if (word_accept(w, "not")) {
		*taps &= (uint16_t)~(1u << (tap_want(s, w) - s->taps));
		return true;
	}
	return false;
}

struct datagram *datagram_add(struct scenario *s, int64_t at_ns, struct endpoint src, struct endpoint dst,
	enum traffic traffic,
	const void *payload, size_t n)
{
	struct datagram *d = scenario_zalloc(s, sizeof *d);
	uint8_t *copy = scenario_zalloc(s, n);

	if (n)
		memcpy(copy, payload, n);
	d->at_ns = at_ns;
	d->order = s->order++;
	d->from = host_of(s, &src.addr);
	d->src = src;
	d->dst = dst;
	d->protocol = IPPROTO_UDP;
	d->traffic = traffic;
	d->dscp = (uint8_t)d->from->dscp;
	d->taps = TAP_ALL;
	d->payload = copy;
	d->n = n;
	list_add_tail(&s->datagrams, &d->link);
	return d;
}

static void mac_read(struct scenario *s, struct words *w, uint8_t mac[6])
{
	const char *text = word_want(s, w, "a MAC address");
	unsigned b[6];
	int end = 0;

	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5], &end) != 6 ||
	    text[end]) {
		scenario_fail(s, "\"%s\" is no MAC address", text);
		return;
	}
	for (size_t i = 0; i < 6; i++)
		mac[i] = (uint8_t)b[i];
}

/* host NAME ADDRESS [mac M] [ttl N] [hops N] [via HOST] [dscp N] [mtu N] [agent "TEXT"] */
void host_read(struct scenario *s, struct words *w)
{
	const char *name = word_want(s, w, "the host's name");
	const char *text = word_want(s, w, "the host's address");
	struct address addr = { 0 };
	struct host *h;

	if (!address_parse(span_of(text), &addr))
		scenario_fail(s, "\"%s\" is no address", text);
	if (host_by_name(s, name))
		scenario_fail(s, "there is a host %s already", name);
	h = host_add(s, name, addr);
	while (w->left && !s->error) {
		if (word_accept(w, "mac"))
			mac_read(s, w, h->mac);
		else if (word_accept(w, "ttl"))
			h->ttl = (unsigned)integer_want(s, w, "the TTL");
		else if (word_accept(w, "hops"))
			h->hops = (unsigned)integer_want(s, w, "the hops");
		else if (word_accept(w, "via"))
			h->via = host_want(s, w);
		else if (word_accept(w, "mtu"))
			h->mtu = (unsigned)integer_want(s, w, "the MTU");
		else if (word_accept(w, "dscp"))
			h->dscp = (unsigned)integer_want(s, w, "the DSCP") & 63;
		else if (word_accept(w, "agent"))
			h->agent = word_want(s, w, "the agent");
		else
			word_end(s, w);
	}
	if (h->via && h->hops == 0)
		h->hops = 1;
}

static struct nat *nat_by_name(struct scenario *s, const char *name)
{
	LIST_EACH(it, &s->nats) {
		struct nat *n = LIST_ENTRY(it, struct nat, link);

		if (strcmp(n->name, name) == 0)
			return n;
	}
	return NULL;
}

static struct nat *nat_add(struct scenario *s, const char *name)
{
	struct nat *n = nat_by_name(s, name);

	if (n)
		return n;
	n = scenario_zalloc(s, sizeof *n);
	n->name = name;
	list_init(&n->mappings);
	list_init(&n->rewrites);
	list_add_tail(&s->nats, &n->link);
	return n;
}

/* nat NAME INSIDE[:PORT] = OUTSIDE[:PORT]: a mapping; without ports those are kept. */
void nat_read(struct scenario *s, struct words *w)
{
	struct nat *n = nat_add(s, word_want(s, w, "the NAT's name"));
	struct nat_mapping *m = scenario_zalloc(s, sizeof *m);

	m->inside = endpoint_want(s, w);
	word_expect(s, w, "=");
	m->outside = endpoint_want(s, w);
	list_add_tail(&n->mappings, &m->link);
}

/* alg NAME "INSIDE" = "OUTSIDE": the NAT also rewrites this text in SIP. */
void alg_read(struct scenario *s, struct words *w)
{
	struct nat *n = nat_add(s, word_want(s, w, "the NAT's name"));
	struct nat_rewrite *r = scenario_zalloc(s, sizeof *r);

	r->inside = word_want(s, w, "the text inside");
	word_expect(s, w, "=");
	r->outside = word_want(s, w, "the text outside");
	list_add_tail(&n->rewrites, &r->link);
}
