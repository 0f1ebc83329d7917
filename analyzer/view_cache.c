/* SPDX-License-Identifier: MIT */
/* view_cache: what the views look things up in; built at the first question after engine_finish(). */
#include "analyzer/view_cache.h"

#include <stdlib.h>

#include "analyzer/checklist.h"
#include "analyzer/findings/more_legs.h"
#include "analyzer/policy.h"
#include "captures/base/memory.h"

#define COLLECT(records, type, member, array, n) \
	do { \
		array = memory_zalloc(((records)->count + 1) * sizeof *array); \
		LIST_EACH(it_, (records)) \
			array[n++] = LIST_ENTRY(it_, type, member); \
	} while (0)

/* Machines that took part in telephony: the others are none of the report's business. */
static void collect_hosts(const struct engine *e, struct view_cache *v)
{
	v->hosts = memory_zalloc((network_hosts(e->network)->count + 1) * sizeof *v->hosts);
	LIST_EACH(it, network_hosts(e->network)) {
		const struct host *h = LIST_ENTRY(it, struct host, in_order);

		if (h->sip_port_count || h->media_port_count || h->roles || h->in_sdp_of_others)
			v->hosts[v->host_count++] = h;
	}
}

static void number_add(struct number_list *l, unsigned number)
{
	if (l->count && l->numbers[l->count - 1] == number)
		return;                              /* two legs of one call */
	if (l->count == l->room) {
		l->room = l->room ? l->room * 2 : 4;
		l->numbers = memory_resize(l->numbers, l->room, sizeof *l->numbers);
	}
	l->numbers[l->count++] = number;
}

static void numbers_free(struct number_list *lists, size_t count)
{
	for (size_t i = 0; lists && i < count; i++)
		free(lists[i].numbers);
	free(lists);
}

static void index_leg(struct view_cache *v, const struct finding *f, const struct leg *leg)
{
	unsigned call = view_call_number(leg);

	if (call && call <= v->call_count)
		number_add(&v->call_findings[call - 1], f->n);
}

/*
 * Which findings a call has, and which ones a finding explains. Numbers are places in the order of the report, from 1.
 */
static void index_findings(struct view_cache *v)
{
	v->call_findings = memory_zalloc((v->call_count + 1) * sizeof *v->call_findings);
	v->explains = memory_zalloc((v->finding_count + 1) * sizeof *v->explains);
	for (size_t i = 0; i < v->finding_count; i++) {
		const struct finding *f = v->findings[i];

		if (f->explained_by && f->explained_by->n && f->explained_by->n <= v->finding_count)
			number_add(&v->explains[f->explained_by->n - 1], f->n);
		if (f->state == FINDING_WITHDRAWN)
			continue;
		for (unsigned k = 0; k < f->leg_count; k++)
			index_leg(v, f, f->legs[k].leg);
		if (!f->more_legs)
			continue;
		LIST_EACH(it, &f->more_legs->in_order)
			index_leg(v, f, LIST_ENTRY(it, struct more_leg, in_order)->leg);
	}
}

struct view_cache *view_cache_of(const struct engine *const_engine)
{
	struct engine *e = (struct engine *)(uintptr_t)const_engine;   /* the cache is no part of what a view shows */
	struct view_cache *v = e->views;

	if (v)
		return v;
	v = e->views = memory_zalloc(sizeof *v);
	COLLECT(calls_in_order(e->calls), struct call, in_order, v->calls, v->call_count);
	COLLECT(streams_in_order(e->streams), struct stream, in_order, v->streams, v->stream_count);
	COLLECT(findings_in_order(e->findings), struct finding, in_order, v->findings, v->finding_count);
	COLLECT(findings_incidents(e->findings), struct incident, in_order, v->incidents, v->incident_count);
	collect_hosts(e, v);
	COLLECT(network_mappings(e->network), struct nat_mapping, in_order, v->nats, v->nat_count);
	COLLECT(calls_registrations(e->calls), struct registration, in_order, v->registrations, v->registration_count);
	view_peers_build(e, v);
	index_findings(v);
	return v;
}

void views_free(struct view_cache *v)
{
	if (!v)
		return;
	view_peers_free(v);
	checklist_free(v->checklist);
	policy_free(v->policy);
	numbers_free(v->call_findings, v->call_count);
	numbers_free(v->explains, v->finding_count);
	free(v->ladder);
	free((void *)v->calls);
	free((void *)v->streams);
	free((void *)v->findings);
	free((void *)v->incidents);
	free((void *)v->hosts);
	free((void *)v->nats);
	free((void *)v->registrations);
	free(v->withheld);
	free(v->rows);
	free(v);
}

char *view_lend(struct view_cache *v)
{
	return v->texts[v->next_text++ % VIEW_TEXTS];
}
