/* SPDX-License-Identifier: MIT */
/* report_json_network: the lines of peers, registrations, hosts, NAT mappings and of the checklist. */
#include <stdio.h>

#include "ui/json_from.h"
#include "ui/report_json.h"

static json_t *peer_responses(const struct view_peer *p)
{
	json_t *o = json_object();
	char status[16];

	for (unsigned i = 0; i < p->response_count; i++) {
		snprintf(status, sizeof status, "%u", p->responses[i].status);
		json_object_set_new(o, status, from_count(p->responses[i].count));
	}
	return o;
}

static void print_peer(const struct report *r, const struct view_peer *p)
{
	json_t *line = json_line("peer"), *pdd = json_object();

	json_object_set_new(pdd, "p50", from_known(p->pdd_p50_ms));
	json_object_set_new(pdd, "p95", from_known(p->pdd_p95_ms));
	json_object_set_new(line, "addr", from_address(&p->at.addr));
	json_object_set_new(line, "user_agent", from_name(p->user_agent));
	json_object_set_new(line, "attempts", from_count(p->attempts));
	json_object_set_new(line, "answered", from_count(p->answered));
	json_object_set_new(line, "asr", from_known(p->asr));
	json_object_set_new(line, "ner", from_known(p->ner));
	json_object_set_new(line, "pdd_ms", pdd);
	json_object_set_new(line, "responses", peer_responses(p));
	json_object_set_new(line, "loss", from_known(p->loss_percent));
	json_object_set_new(line, "calls_too_few", json_boolean(p->calls_too_few));
	json_print(r->out, line, JSON_EXACT);
}

static void print_registration(const struct report *r, const struct view_registration *g)
{
	json_t *line = json_line("registration");

	json_object_set_new(line, "n", json_integer(g->n));
	json_object_set_new(line, "aor", from_name(g->aor));
	json_object_set_new(line, "device", from_name(g->device));
	json_object_set_new(line, "source", from_endpoint(&g->source));
	json_object_set_new(line, "contact", from_name(g->contact));
	json_object_set_new(line, "registrar", from_endpoint(&g->registrar));
	json_object_set_new(line, "state", from_text(g->state));
	json_object_set_new(line, "status", from_number_or_null(g->status));
	json_object_set_new(line, "expires_s", g->has_expires ? json_integer(g->expires_s) : json_null());
	json_object_set_new(line, "first", from_time(g->first_ns));
	json_object_set_new(line, "last", from_time(g->last_ns));
	json_object_set_new(line, "findings", from_numbers(g->findings, g->finding_count));
	json_print(r->out, line, JSON_EXACT);
}

/* [16384, 16391]: RTCP of the last one included. */
static json_t *from_range(const struct view_host *h)
{
	json_t *pair;

	if (!h->range_low)
		return json_null();
	pair = json_array();
	json_array_append_new(pair, json_integer(h->range_low));
	json_array_append_new(pair, json_integer(h->range_high));
	return pair;
}

static void print_host(const struct report *r, const struct view_host *h)
{
	json_t *line = json_line("host"), *aliases = json_array();

	for (unsigned i = 0; i < h->alias_count; i++)
		json_array_append_new(aliases, from_address(&h->aliases[i]));
	json_object_set_new(line, "addr", from_address(&h->addr));
	json_object_set_new(line, "aliases", aliases);
	json_object_set_new(line, "roles", from_texts(h->roles, h->role_count));
	json_object_set_new(line, "why", from_texts(h->why, h->why_count));
	json_object_set_new(line, "user_agent", from_name(h->user_agent));
	json_object_set_new(line, "sip_ports", from_ports(h->sip_ports, h->sip_port_count));
	json_object_set_new(line, "media_ports", from_ports(h->media_ports, h->media_port_count));
	json_object_set_new(line, "transports", from_texts(h->transports, h->transport_count));
	json_object_set_new(line, "vlan", from_ports(h->vlans, h->vlan_count));
	json_object_set_new(line, "dscp", h->dscp >= 0 ? json_integer(h->dscp) : json_null());
	json_object_set_new(line, "hops", h->hops >= 0 ? json_integer(h->hops) : json_null());
	json_object_set_new(line, "name", from_text(names_find(r->names, &h->addr)));
	json_object_set_new(line, "media_range", from_range(h));
	json_object_set_new(line, "peak_calls", from_number_or_null(h->peak_calls));
	json_object_set_new(line, "ports_needed", from_number_or_null(h->ports_needed));
	json_print(r->out, line, JSON_EXACT);
}

/* [60, 75]: the mapping outlives 60 s of silence and is gone after 75. */
static json_t *from_bracket(const struct view_nat *n)
{
	json_t *pair;

	if (!n->has_bracket)
		return json_null();
	pair = json_array();
	json_array_append_new(pair, from_decimal(n->alive_s));
	json_array_append_new(pair, from_decimal(n->dead_s));
	return pair;
}

static void print_nat(const struct report *r, const struct view_nat *n)
{
	json_t *line = json_line("nat");

	json_object_set_new(line, "private", from_endpoint(&n->inside));
	json_object_set_new(line, "public", from_endpoint(&n->outside));
	json_object_set_new(line, "protocol", from_text(n->protocol));
	json_object_set_new(line, "scope", from_text(n->scope));
	json_object_set_new(line, "learnt", from_text(n->learnt));
	json_object_set_new(line, "weight", json_integer(n->weight));
	json_object_set_new(line, "bracket_s", from_bracket(n));
	json_object_set_new(line, "first", from_time(n->first_ns));
	json_object_set_new(line, "last", from_time(n->last_ns));
	json_print(r->out, line, JSON_EXACT);
}

static void print_check(const struct report *r, const struct view_check *k)
{
	json_t *line = json_line("checklist");

	json_object_set_new(line, "item", from_text(k->item));
	json_object_set_new(line, "title", from_text(k->title));
	json_object_set_new(line, "state", from_text(k->state));
	json_object_set_new(line, "ids", from_texts(k->ids, k->id_count));
	json_object_set_new(line, "why", from_text(k->why));
	json_object_set_new(line, "evidence", from_evidence(r, k->evidence, k->evidence_count));
	json_object_set_new(line, "findings", from_numbers(k->findings, k->finding_count));
	json_object_set_new(line, "calls", from_numbers(k->calls, k->call_count));
	json_object_set_new(line, "calls_total", json_integer(k->calls_total));
	json_print(r->out, line, JSON_EXACT);
}

void report_json_network(const struct report *r)
{
	struct view_peer peer;
	struct view_registration registration;
	struct view_host host;
	struct view_nat nat;
	struct view_check check;

	for (size_t i = 0; view_peer(r->engine, i, &peer); i++)
		print_peer(r, &peer);
	for (size_t i = 0; view_registration(r->engine, i, &registration); i++)
		print_registration(r, &registration);
	for (size_t i = 0; view_host(r->engine, i, &host); i++)
		print_host(r, &host);
	for (size_t i = 0; view_nat(r->engine, i, &nat); i++)
		print_nat(r, &nat);
	for (size_t i = 0; view_check(r->engine, i, &check); i++)
		print_check(r, &check);
}
