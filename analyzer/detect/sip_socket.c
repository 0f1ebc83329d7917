/* SPDX-License-Identifier: MIT */
/* sip_socket: which sockets are SIP's, and the attempts to reach them, grouped by who tried where. */
#include "analyzer/detect/sip_socket.h"

#include <stdlib.h>

#include "analyzer/calls/service.h"
#include "analyzer/detect/phone_dialled.h"
#include "analyzer/site.h"
#include "captures/base/memory.h"

enum { PORT_SIP = 5060, PORT_SIPS = 5061, PROBED_HOSTS = 5 };

#define RECOVER_NS (60 * SECOND_NS)  /* 4-signalling 0.9 */

bool sip_socket_tls(const struct facts *facts, const struct endpoint *at)
{
	const struct flow_service *s = flows_service(facts->flows, at);

	return at->port == PORT_SIPS || (s && (s->sip_alpn || s->secured) && at->port != 443) ||
	       (at->port != PORT_SIP && ranges_have(&facts->site->tls_ports, at->port));
}

/* 5060, 5061, the profile's ports for TLS, and where SIP was answered or TLS for SIP was spoken. */
static bool sip_socket(const struct facts *facts, const struct endpoint *at)
{
	const struct flow_service *s = flows_service(facts->flows, at);

	if (at->port == PORT_SIP || at->port == PORT_SIPS || ranges_have(&facts->site->tls_ports, at->port))
		return true;
	if (s && (s->plain || s->sip_alpn))
		return true;
	return sip_paths_door(facts->paths, at, TRANSPORT_UDP) || sip_paths_door(facts->paths, at, TRANSPORT_TCP);
}

static int flow_compare(const void *a, const void *b)
{
	const struct flow *x = *(const struct flow *const *)a, *y = *(const struct flow *const *)b;
	int c = address_compare(&x->client.addr, &y->client.addr);

	if (c == 0)
		c = endpoint_compare(&x->server, &y->server);
	return c ? c : (x->n > y->n) - (x->n < y->n);
}

static int attempts_compare(const void *a, const void *b)
{
	const struct attempts *x = a, *y = b;

	return (x->flows[0]->n > y->flows[0]->n) - (x->flows[0]->n < y->flows[0]->n);
}

static bool same_pair(const struct flow *x, const struct flow *y)
{
	return address_equal(&x->client.addr, &y->client.addr) && endpoint_equal(&x->server, &y->server);
}

static bool in_vain(const struct attempts *a)
{
	for (unsigned i = 0; i < a->count; i++) {
		if (flow_accepted(a->flows[i]))
			return false;
	}
	return true;
}

/* Groups of one client stand side by side: those of a client that finds nothing at many hosts are dropped. */
static unsigned drop_probes(struct attempts *list, unsigned count)
{
	unsigned kept = 0, end;

	for (unsigned i = 0; i < count; i = end) {
		unsigned vain = 0;

		for (end = i; end < count &&
		    address_equal(&list[end].flows[0]->client.addr, &list[i].flows[0]->client.addr); end++)
			vain += in_vain(&list[end]) && !list[end].phone;
		for (unsigned k = i; k < end && vain < PROBED_HOSTS; k++)
			list[kept++] = list[k];
	}
	return kept;
}

void attempts_init(struct attempts_list *l, const struct facts *facts)
{
	const struct list *all = flows_in_order(facts->flows);
	struct phone_sockets phones;
	unsigned n = 0;

	phone_sockets_init(&phones, facts);
	*l = (struct attempts_list){ .flows = memory_resize(NULL, all->count + 1, sizeof *l->flows),
				     .groups = memory_resize(NULL, all->count + 1, sizeof *l->groups) };
	LIST_EACH(it, all) {
		const struct flow *x = LIST_ENTRY(it, struct flow, in_order);

		if (sip_socket(facts, &x->server)
			? !site_stranger(facts->site, &x->client.addr, &x->server.addr) : phone_dialled(&phones, facts, x) != NULL)
			l->flows[n++] = x;
	}
	if (n)
		qsort(l->flows, n, sizeof *l->flows, flow_compare);
	for (unsigned i = 0; i < n; i++) {
		if (i && same_pair(l->flows[i - 1], l->flows[i]))
			l->groups[l->count - 1].count++;
		else
			l->groups[l->count++] = (struct attempts){ &l->flows[i], 1, phone_dialled(&phones, facts, l->flows[i]) };
	}
	phone_sockets_fini(&phones);
	l->count = drop_probes(l->groups, l->count);
	if (l->count)
		qsort(l->groups, l->count, sizeof *l->groups, attempts_compare);
}

void attempts_fini(struct attempts_list *l)
{
	free(l->flows);
	free(l->groups);
}

/* What this service asked of the server in vain, another server took soon after. */
static bool served_elsewhere(const struct service *s, const struct endpoint *server, int64_t from_ns)
{
	bool asked = false;

	LIST_EACH(it, &s->tries) {
		const struct service_try *t = LIST_ENTRY(it, struct service_try, in_service);

		if (endpoint_equal(&s->servers[t->server].at, server))
			asked |= t->at.at_ns >= from_ns;
		else if (asked && t->status / 100 == 2 && t->at.at_ns <= ns_add(from_ns, RECOVER_NS))
			return true;
	}
	return false;
}

static bool registered_elsewhere(const struct facts *facts, const struct address *client,
	const struct endpoint *server, int64_t from_ns)
{
	bool found = false;

	LIST_EACH(it, services_in_order(facts->services)) {
		const struct service *s = LIST_ENTRY(it, struct service, in_order);

		if (s->kind != SERVICE_ACCOUNT || !address_equal(&s->client, client))
			continue;
		for (unsigned i = 0; i < s->server_count; i++) {
			if (!endpoint_equal(&s->servers[i].at, server))
				continue;
			if (!served_elsewhere(s, server, from_ns))
				return false;
			found = true;
		}
	}
	return found;
}

bool attempts_took_over(const struct facts *facts, const struct address *client, const struct endpoint *server,
	int64_t from_ns)
{
	for (const struct sip_path *x = sip_paths_between(facts->paths, client, &server->addr, NULL); x;
	     x = sip_paths_between(facts->paths, client, &server->addr, x)) {
		if (x->bound && x->bound_ns >= from_ns)
			return true;
	}
	return flows_secured_since(facts->flows, client, server, from_ns) ||
	       registered_elsewhere(facts, client, server, from_ns);
}
