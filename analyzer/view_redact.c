/* SPDX-License-Identifier: MIT */
/* view_redact: every field of a view that names somebody is replaced, and every text is searched for what does. */
#include "analyzer/view_redact.h"

#include "analyzer/engine_state.h"

static void text(struct redact *r, const char **at)
{
	*at = redact_text(r, *at);
}

static void texts(struct redact *r, const char **at, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		text(r, &at[i]);
}

static void ids(struct redact *r, struct span *at, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		at[i] = redact_id(r, at[i]);
}

static void parts(struct redact *r, struct view_host_part *at, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		redact_address(r, &at[i].at.addr);
}

void view_redact_capture(struct redact *r, struct view_capture *v)
{
	struct withheld *withheld = (struct withheld *)(uintptr_t)v->withheld;

	if (!r)
		return;
	text(r, &v->vantage_why);
	redact_address(r, &v->vantage_host);
	text(r, &v->seen_from);
	text(r, &v->can_show);
	texts(r, v->cannot_prove, v->cannot_prove_count);
	texts(r, v->notes, v->note_count);
	for (size_t i = 0; i < v->withheld_count; i++)          /* the view's own, made for it */
		withheld[i].call_id = redact_id(r, withheld[i].call_id);
}

void view_redact_finding(struct redact *r, struct view_finding *v)
{
	if (!r)
		return;
	text(r, &v->title);
	text(r, &v->cause);
	text(r, &v->fix);
	text(r, &v->cannot_see);
	ids(r, v->call_ids, v->call_id_count);
	ids(r, v->other_ids, v->other_id_count);
	parts(r, v->hosts, v->host_count);
	for (unsigned i = 0; i < v->evidence_count; i++)
		text(r, &v->evidence[i].what);
	for (unsigned i = 0; i < v->change_count; i++) {
		text(r, &v->changes[i].before);
		text(r, &v->changes[i].after);
	}
}

void view_redact_incident(struct redact *r, struct view_incident *v)
{
	if (!r)
		return;
	text(r, &v->title);
	text(r, &v->cause);
	text(r, &v->fix);
	text(r, &v->healthy);
	parts(r, v->hosts, v->host_count);
}

void view_redact_call(struct redact *r, struct view_call *v)
{
	if (!r)
		return;
	ids(r, v->call_ids, v->call_id_count);
	v->from = redact_user(r, v->from);
	v->to = redact_user(r, v->to);
	v->from_agent = redact_agent(r, v->from_agent);
	v->to_agent = redact_agent(r, v->to_agent);
	redact_address(r, &v->from_at.addr);
	redact_address(r, &v->to_at.addr);
	for (unsigned i = 0; i < v->leg_count; i++) {
		struct view_leg *l = &v->legs[i];

		l->call_id = redact_id(r, l->call_id);
		l->from_tag = redact_id(r, l->from_tag);
		for (unsigned j = 0; j < l->hop_count; j++) {
			redact_address(r, &l->hops[j].a.addr);
			redact_address(r, &l->hops[j].b.addr);
		}
	}
	for (unsigned i = 0; i < v->media_count; i++) {
		redact_address(r, &v->media[i].from.addr);
		redact_address(r, &v->media[i].to.addr);
		text(r, &v->media[i].why);
	}
	texts(r, v->notes, v->note_count);
}

void view_redact_stream(struct redact *r, struct view_stream *v)
{
	if (!r)
		return;
	redact_address(r, &v->src.addr);
	redact_address(r, &v->dst.addr);
}

void view_redact_peer(struct redact *r, struct view_peer *v)
{
	if (!r)
		return;
	redact_address(r, &v->at.addr);
	v->user_agent = redact_agent(r, v->user_agent);
}

void view_redact_registration(struct redact *r, struct view_registration *v)
{
	if (!r)
		return;
	v->aor = span_find(v->aor, '@') < v->aor.n ? redact_span(r, v->aor) : redact_user(r, v->aor);
	v->device = redact_agent(r, v->device);
	v->contact = redact_span(r, v->contact);
	redact_address(r, &v->source.addr);
	redact_address(r, &v->registrar.addr);
}

void view_redact_host(struct redact *r, struct view_host *v)
{
	if (!r)
		return;
	redact_address(r, &v->addr);
	for (unsigned i = 0; i < v->alias_count; i++)
		redact_address(r, &v->aliases[i]);
	texts(r, v->why, v->why_count);
	v->user_agent = redact_agent(r, v->user_agent);
}

void view_redact_nat(struct redact *r, struct view_nat *v)
{
	if (!r)
		return;
	redact_address(r, &v->inside.addr);
	redact_address(r, &v->outside.addr);
}

void view_redact_check(struct redact *r, struct view_check *v)
{
	if (!r)
		return;
	text(r, &v->why);
	for (unsigned i = 0; i < v->evidence_count; i++)
		text(r, &v->evidence[i].what);
}

void view_redact_message(struct redact *r, struct view_message *v)
{
	if (!r)
		return;
	redact_address(r, &v->src.addr);
	redact_address(r, &v->dst.addr);
	v->reason = redact_span(r, v->reason);
	text(r, &v->sdp_text);
	v->raw = SPAN_NONE;
}

/* ---- what the capture knows by name ---- */

static void learn_leg(struct redact *r, const struct leg *leg)
{
	redact_learn_id(r, leg->call_id);
	redact_learn_id(r, leg->from_tag);
	for (unsigned side = 0; side < 2; side++) {
		const struct party *p = &leg->party[side];

		redact_learn_user(r, p->user);
		redact_learn_name(r, p->display);
		redact_learn_host(r, p->host);
	}
}

/* "sip:1001@pbx.example.com": both sides of it */
static void learn_uri(struct redact *r, struct span uri)
{
	size_t scheme = span_find(uri, ':'), at;

	if (scheme < uri.n && scheme <= 4)
		uri = span_from(uri, scheme + 1);
	at = span_find(uri, '@');
	if (at >= uri.n)
		return;
	redact_learn_user(r, span_first(uri, at));
	uri = span_from(uri, at + 1);
	at = 0;
	while (at < uri.n && !strchr(":;?>", uri.p[at]))
		at++;
	redact_learn_host(r, span_first(uri, at));
}

static void learn_all(struct redact *r, const struct engine *e)
{
	LIST_EACH(it, calls_in_order(e->calls)) {
		const struct call *c = LIST_ENTRY(it, struct call, in_order);

		LIST_EACH(lit, &c->legs)
			learn_leg(r, LIST_ENTRY(lit, struct leg, in_call));
	}
	LIST_EACH(it, calls_registrations(e->calls)) {
		const struct registration *g = LIST_ENTRY(it, struct registration, in_order);

		redact_learn_user(r, g->user);
		redact_learn_id(r, g->call_id);
		learn_uri(r, g->aor);
		learn_uri(r, g->contact_uri);
	}
}

void engine_redact(struct engine *e, struct redact *r)
{
	e->redact = r;
	if (r)
		learn_all(r, e);
}
