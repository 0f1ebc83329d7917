/* SPDX-License-Identifier: MIT */
/* record: pictures of the analyzer's records become rows of a history. */
#include "analyzer/history/record.h"

#include <stdlib.h>

#include "captures/base/memory.h"
#include "captures/base/text.h"

enum { PORTION_BYTES = 256 << 10, CALL_HOSTS_MAX = 64 };

static const char *heard_name(enum heard heard)
{
	switch (heard) {
	case HEARD_NOT_EXPECTED:
		return "not expected";
	case HEARD_YES:
		return "yes";
	case HEARD_POOR:
		return "poor";
	case HEARD_NO:
		return "no";
	case HEARD_UNKNOWN:
		break;
	}
	return "unknown";
}

/* Below 0: unknown. */
static void row_small(struct rows *r, int value)
{
	if (value < 0)
		row_null(r);
	else
		row_integer(r, value);
}

struct hosts {
	struct address seen[CALL_HOSTS_MAX];
	unsigned count;
};

/* Each address of a call once. */
static void add_host(struct rows *r, struct hosts *h, unsigned call, const struct endpoint *at)
{
	if (!address_known(&at->addr) || h->count == CALL_HOSTS_MAX)
		return;
	for (unsigned i = 0; i < h->count; i++)
		if (address_equal(&h->seen[i], &at->addr))
			return;
	h->seen[h->count++] = at->addr;
	row_begin(r, ROW_CALL_HOST);
	row_integer(r, call);
	row_address(r, &at->addr);
}

static void record_call_hosts(struct rows *r, const struct view_call *c)
{
	struct hosts h = { .count = 0 };

	add_host(r, &h, c->n, &c->from_at);
	add_host(r, &h, c->n, &c->to_at);
	for (unsigned i = 0; i < c->leg_count; i++) {
		for (unsigned j = 0; j < c->legs[i].hop_count; j++) {
			add_host(r, &h, c->n, &c->legs[i].hops[j].a);
			add_host(r, &h, c->n, &c->legs[i].hops[j].b);
		}
	}
	for (unsigned i = 0; i < c->media_count; i++) {
		add_host(r, &h, c->n, &c->media[i].from);
		add_host(r, &h, c->n, &c->media[i].to);
	}
}

static void record_legs(struct rows *r, const struct view_call *c)
{
	for (unsigned i = 0; i < c->call_id_count; i++) {
		const char *joined_by = NULL;

		if (c->call_ids[i].n == 0)
			continue;
		for (unsigned j = 0; j < c->leg_count && !joined_by; j++)
			if (span_equal(c->legs[j].call_id, c->call_ids[i]))
				joined_by = c->legs[j].joined_by;
		row_begin(r, ROW_CALL_LEG);
		row_integer(r, c->n);
		row_packet_text(r, c->call_ids[i]);
		row_text(r, joined_by);
	}
}

static void record_direction(struct rows *r, unsigned call, unsigned n, const struct view_direction *d)
{
	row_begin(r, ROW_DIRECTION);
	row_integer(r, call);
	row_integer(r, n);
	row_text(r, d->kind);
	row_text(r, d->sender ? "callee" : "caller");
	row_endpoint(r, &d->from);
	row_endpoint(r, &d->to);
	row_integer(r, d->expected);
	row_real(r, d->due_ms);
	row_integer(r, (int64_t)d->packets);
	row_text(r, heard_name(d->heard));
	row_text(r, d->why);
	row_text(r, d->codec);
	row_known(r, d->mos);
	row_known(r, d->loss_percent);
	row_known(r, d->jitter_ms);
}

static void record_call_findings(struct rows *r, const struct view_call *c)
{
	for (unsigned i = 0; i < c->finding_count; i++) {
		row_begin(r, ROW_FINDING_CALL);
		row_integer(r, c->findings[i]);
		row_integer(r, c->n);
	}
}

void record_call(struct rows *r, const struct view_call *c)
{
	row_begin(r, ROW_CALL);
	row_integer(r, c->n);
	row_packet_text(r, c->call_id_count ? c->call_ids[0] : SPAN_NONE);
	row_packet_text(r, c->from);
	row_packet_text(r, c->to);
	row_packet_text(r, c->from_agent);
	row_packet_text(r, c->to_agent);
	row_endpoint(r, &c->from_at);
	row_endpoint(r, &c->to_at);
	row_text(r, c->state);
	row_positive(r, c->status);
	row_time(r, c->start_ns);
	row_time(r, c->answer_ns);
	row_time(r, c->end_ns);
	row_known(r, c->pdd_ms);
	row_known(r, c->setup_ms);
	row_text(r, heard_name(c->caller_hears));
	row_text(r, heard_name(c->callee_hears));
	row_known(r, c->caller_mos);
	row_known(r, c->callee_mos);
	record_legs(r, c);
	record_call_hosts(r, c);
	for (unsigned i = 0; i < c->media_count; i++)
		record_direction(r, c->n, i, &c->media[i]);
	record_call_findings(r, c);
}

/* Whose doing it is: what findings of one cause have in common. */
static const struct address *culprit(const struct view_finding *f)
{
	for (unsigned i = 0; i < f->host_count; i++)
		if (strcmp(f->hosts[i].part, "culprit") == 0)
			return &f->hosts[i].at.addr;
	return NULL;
}

const struct address *record_about(const struct view_finding *f)
{
	const struct address *a = culprit(f);

	for (unsigned i = 0; i < f->host_count && !a; i++)
		if (strcmp(f->hosts[i].part, "victim") == 0)
			a = &f->hosts[i].at.addr;
	if (!a && f->host_count)
		a = &f->hosts[0].at.addr;
	return a && address_known(a) ? a : NULL;
}

static void row_whom(struct rows *r, const struct address *a)
{
	if (a)
		row_address(r, a);
	else
		row_null(r);
}

static void record_parts(struct rows *r, const struct view_finding *f)
{
	for (unsigned i = 0; i < f->host_count; i++) {
		row_begin(r, ROW_FINDING_HOST);
		row_integer(r, f->n);
		row_integer(r, i);
		row_address(r, &f->hosts[i].at.addr);
		row_positive(r, f->hosts[i].at.port);
		row_text(r, f->hosts[i].part);
	}
}

static void record_evidence(struct rows *r, const struct view_finding *f, bool texts)
{
	for (unsigned i = 0; i < f->evidence_count; i++) {
		const struct view_evidence *v = &f->evidence[i];

		row_begin(r, ROW_EVIDENCE);
		row_integer(r, f->n);
		row_integer(r, i);
		if (v->frame)
			row_integer(r, v->file);
		else
			row_null(r);
		row_positive(r, v->frame);
		row_positive(r, v->last_frame);
		if (v->frame)
			row_time(r, v->at_ns);
		else
			row_null(r);
		row_text(r, texts && v->what ? v->what : "");
	}
}

static void record_changes(struct rows *r, const struct view_finding *f)
{
	for (unsigned i = 0; i < f->change_count; i++) {
		row_begin(r, ROW_CHANGE);
		row_integer(r, f->n);
		row_integer(r, i);
		row_text(r, f->changes[i].field);
		row_text(r, f->changes[i].before);
		row_text(r, f->changes[i].after);
	}
}

void record_finding(struct rows *r, const struct view_finding *f, bool texts)
{
	row_begin(r, ROW_FINDING);
	row_integer(r, f->n);
	row_text(r, f->id);
	row_text(r, f->reason);
	row_text(r, f->severity);
	row_text(r, f->confidence);
	row_text(r, f->title);
	row_text(r, f->cause);
	row_text(r, f->fix);
	row_text(r, f->cannot_see);
	row_whom(r, culprit(f));
	row_integer(r, f->calls_total);
	row_time(r, f->since_ns);
	row_time(r, f->first_ns);
	row_time(r, f->last_ns);
	row_integer(r, f->count);
	row_text(r, f->state);
	row_positive(r, f->explained_by);
	row_positive(r, f->incident);
	row_whom(r, record_about(f));
	record_parts(r, f);
	record_evidence(r, f, texts);
	if (texts)
		record_changes(r, f);
}

void record_incident(struct rows *r, const struct view_incident *n)
{
	row_begin(r, ROW_INCIDENT);
	row_integer(r, n->n);
	row_text(r, n->title);
	row_text(r, n->cause);
	row_text(r, n->fix);
	row_text(r, n->severity);
	row_text(r, n->confidence);
	row_text(r, n->healthy);
	row_integer(r, n->calls_total);
	row_time(r, n->first_ns);
	row_time(r, n->last_ns);
}

void record_stream(struct rows *r, const struct view_stream *s)
{
	row_begin(r, ROW_STREAM);
	row_integer(r, s->n);
	row_positive(r, s->call);
	row_endpoint(r, &s->src);
	row_endpoint(r, &s->dst);
	row_integer(r, s->ssrc);
	row_packet_text(r, s->codec);
	row_positive(r, s->clock_hz);
	row_integer(r, (int64_t)s->packets);
	row_integer(r, s->lost);
	row_known(r, s->mean_jitter_ms);
	row_known(r, s->max_delta_ms);
	row_known(r, s->mos);
	row_small(r, s->dscp);
	row_time(r, s->first_ns);
	row_time(r, s->last_ns);
}

void record_registration(struct rows *r, const struct view_registration *g)
{
	row_begin(r, ROW_REGISTRATION);
	row_integer(r, g->n);
	row_packet_text(r, g->aor);
	row_packet_text(r, g->device);
	row_packet_text(r, g->contact);
	row_endpoint(r, &g->source);
	row_endpoint(r, &g->registrar);
	row_text(r, g->state);
	row_positive(r, g->status);
	if (g->has_expires)
		row_integer(r, g->expires_s);
	else
		row_null(r);
	row_time(r, g->first_ns);
	row_time(r, g->last_ns);
}

static void row_ports(struct rows *r, const uint16_t *ports, unsigned count)
{
	struct text t;

	text_init(&t);
	for (unsigned i = 0; i < count; i++)
		text_addf(&t, "%s%u", i ? "," : "", ports[i]);
	row_text(r, count ? t.p : NULL);
	text_fini(&t);
}

static void row_roles(struct rows *r, const struct view_host *h)
{
	struct text t;

	text_init(&t);
	for (unsigned i = 0; i < h->role_count; i++)
		text_addf(&t, "%s%s", i ? ", " : "", h->roles[i]);
	row_text(r, h->role_count ? t.p : NULL);
	text_fini(&t);
}

void record_host(struct rows *r, const struct view_host *h)
{
	uint16_t low = 0, high = 0;

	for (unsigned i = 0; i < h->media_port_count; i++) {
		low = i == 0 || h->media_ports[i] < low ? h->media_ports[i] : low;
		high = h->media_ports[i] > high ? h->media_ports[i] : high;
	}
	row_begin(r, ROW_HOST);
	row_address(r, &h->addr);
	row_roles(r, h);
	row_packet_text(r, h->user_agent);
	row_ports(r, h->sip_ports, h->sip_port_count);
	row_positive(r, low);
	row_positive(r, high);
	row_small(r, h->dscp);
	row_small(r, h->hops);
	row_small(r, h->ttl);
}

void record_nat(struct rows *r, unsigned n, const struct view_nat *m)
{
	row_begin(r, ROW_NAT);
	row_integer(r, n);
	row_address(r, &m->inside.addr);
	row_positive(r, m->inside.port);
	row_address(r, &m->outside.addr);
	row_positive(r, m->outside.port);
	row_text(r, m->protocol);
	row_text(r, m->learnt);
	row_time(r, m->first_ns);
	row_time(r, m->last_ns);
}

struct recording {
	struct rows rows;
	bool texts;
	bool (*take)(void *context, const struct rows *r);
	void *context;
};

/* Hands a full portion on; `all`: whatever there is. */
static bool hand_on(struct recording *g, bool all)
{
	bool taken = true;

	if (g->rows.n >= PORTION_BYTES || (all && g->rows.n)) {
		taken = g->take(g->context, &g->rows);
		rows_clear(&g->rows);
	}
	return taken;
}

#define record_one_finding(g, v) record_finding(&(g)->rows, v, (g)->texts)
#define record_one_incident(g, v) record_incident(&(g)->rows, v)
#define record_one_call(g, v) record_call(&(g)->rows, v)
#define record_one_stream(g, v) record_stream(&(g)->rows, v)
#define record_one_registration(g, v) record_registration(&(g)->rows, v)
#define record_one_host(g, v) record_host(&(g)->rows, v)

/* Each kind of record in a loop of its own: views are large, and come and go with their loop. */
#define RECORD_ALL(kind)                                                       \
	static bool record_all_##kind(const struct engine *e, struct recording *g) \
	{                                                                      \
		struct view_##kind *v = memory_zalloc(sizeof *v);              \
		bool taken = true;                                             \
                                                                               \
		for (size_t i = 0; taken && view_##kind(e, i, v); i++) {       \
			record_one_##kind(g, v);                               \
			taken = hand_on(g, false);                             \
		}                                                              \
		free(v);                                                       \
		return taken;                                                  \
	}

RECORD_ALL(finding)
RECORD_ALL(incident)
RECORD_ALL(call)
RECORD_ALL(stream)
RECORD_ALL(registration)
RECORD_ALL(host)

static bool record_all_nat(const struct engine *e, struct recording *g)
{
	struct view_nat m;
	bool taken = true;

	for (size_t i = 0; taken && view_nat(e, i, &m); i++) {
		record_nat(&g->rows, (unsigned)i + 1, &m);
		taken = hand_on(g, false);
	}
	return taken;
}

bool record_engine(const struct engine *e, bool texts, bool (*take)(void *context, const struct rows *r), void *context)
{
	struct recording g = { .texts = texts, .take = take, .context = context };
	bool taken;

	rows_init(&g.rows);
	taken = record_all_finding(e, &g) && record_all_incident(e, &g) && record_all_call(e, &g) &&
		record_all_stream(e, &g) &&
		record_all_registration(e, &g) && record_all_host(e, &g) && record_all_nat(e, &g) && hand_on(&g, true);
	rows_fini(&g.rows);
	return taken;
}
